/* altclip: what the reference computed, for the tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "golden.h"

#include <jansson.h>
#include <string.h>

struct _GoldenFile {
    GMappedFile *mapped;
    GHashTable *tensors; /* name → GoldenTensor */
};

char *
golden_get_path (const char *model, const char *name)
{
    return g_test_build_filename (G_TEST_DIST, "golden", "models", model, name, NULL);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

/* The formula of make_model_golden.py: patterns with edges, and noise of @noise bits. */
static guint8 *
draw_picture (guint width, guint height, guint noise)
{
    guint8 *pixels = g_malloc ((gsize)width * height * 3);
    guint32 state = width * 65536 + height;
    guint8 *at = pixels;

    for (guint y = 0; y < height; y++) {
        for (guint x = 0; x < width; x++) {
            for (guint c = 0; c < 3; c++) {
                guint value = x * (3 + c) / 2 + y * (5 - c) / 3 + (x * y >> 5);

                state = state * 1664525u + 1013904223u;
                *at++ = (guint8)(value + (state >> 24 & ((1u << noise) - 1)));
            }
        }
    }
    return pixels;
}

static GStrv
read_strings (json_t *list)
{
    gsize n = json_array_size (list);
    GStrv strings = g_new0 (char *, n + 1);

    for (gsize i = 0; i < n; i++)
        strings[i] = g_strdup (json_string_value (json_array_get (list, i)));
    return strings;
}

static void
picture_free (gpointer data)
{
    GoldenPicture *picture = data;

    g_free (picture->pixels);
    g_free (picture);
}

static GPtrArray *
draw_pictures (json_t *list)
{
    GPtrArray *pictures = g_ptr_array_new_with_free_func (picture_free);
    gsize i;
    json_t *entry;

    json_array_foreach (list, i, entry)
    {
        GoldenPicture *picture = g_new (GoldenPicture, 1);
        guint noise = (guint)json_integer_value (json_object_get (entry, "noise"));

        picture->width = (guint)json_integer_value (json_object_get (entry, "width"));
        picture->height = (guint)json_integer_value (json_object_get (entry, "height"));
        picture->pixels = draw_picture (picture->width, picture->height, noise);
        g_ptr_array_add (pictures, picture);
    }
    return pictures;
}

static GoldenIndices
read_indices (json_t *list)
{
    GoldenIndices indices = { NULL, (guint)json_array_size (list) };

    indices.at = g_new (guint, indices.n);
    for (guint i = 0; i < indices.n; i++)
        indices.at[i] = (guint)json_integer_value (json_array_get (list, i));
    return indices;
}

static char *
read_string (json_t *object, const char *field)
{
    return g_strdup (json_string_value (json_object_get (object, field)));
}

static GoldenModel *
read_model (const char *name, json_t *entry)
{
    GoldenModel *model = g_new (GoldenModel, 1);
    json_t *decoded = json_object_get (entry, "decoded");

    model->name = g_strdup (name);
    model->what = read_string (entry, "what");
    model->reference = read_string (entry, "reference");
    model->texts = read_indices (json_object_get (entry, "texts"));
    model->pictures = read_indices (json_object_get (entry, "pictures"));
    model->subset_texts = read_indices (json_object_get (entry, "subset_texts"));
    model->subset_pictures = (guint)json_integer_value (json_object_get (entry, "subset_pictures"));
    model->decoded = json_is_array (decoded) ? read_strings (decoded) : NULL;
    model->covers = read_strings (json_object_get (entry, "covers"));
    return model;
}

static void
model_free (gpointer data)
{
    GoldenModel *model = data;

    g_free (model->name);
    g_free (model->what);
    g_free (model->reference);
    g_free (model->texts.at);
    g_free (model->pictures.at);
    g_free (model->subset_texts.at);
    g_strfreev (model->decoded);
    g_strfreev (model->covers);
    g_free (model);
}

GoldenInputs *
golden_inputs_read (void)
{
    GoldenInputs *inputs = g_new0 (GoldenInputs, 1);
    g_autofree char *path = golden_get_path ("inputs.json", NULL);
    json_t *root = json_load_file (path, 0, NULL);
    const char *name;
    json_t *entry;

    g_assert_nonnull (root);
    inputs->models = g_ptr_array_new_with_free_func (model_free);
    json_object_foreach (json_object_get (root, "models"), name, entry)
    {
        g_ptr_array_add (inputs->models, read_model (name, entry));
    }
    inputs->texts = read_strings (json_object_get (root, "texts"));
    inputs->pictures = draw_pictures (json_object_get (root, "pictures"));
    json_decref (root);
    return inputs;
}

void
golden_inputs_free (GoldenInputs *inputs)
{
    g_ptr_array_unref (inputs->models);
    g_strfreev (inputs->texts);
    g_ptr_array_unref (inputs->pictures);
    g_free (inputs);
}

const GoldenModel *
golden_inputs_find (const GoldenInputs *inputs, const char *model)
{
    for (guint i = 0; i < inputs->models->len; i++) {
        const GoldenModel *one = g_ptr_array_index (inputs->models, i);
        if (strcmp (one->name, model) == 0)
            return one;
    }
    g_error ("inputs.json has no model %s", model);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static GoldenTensor *
read_tensor (json_t *entry, const char *data)
{
    static const char *const types[] = { "F32", "I64", "U8" };
    const char *type = json_string_value (json_object_get (entry, "dtype"));
    json_t *shape = json_object_get (entry, "shape");
    json_t *offsets = json_object_get (entry, "data_offsets");
    GoldenTensor *tensor = g_new0 (GoldenTensor, 1);

    while (strcmp (type, types[tensor->type]) != 0)
        g_assert_cmpuint (++tensor->type, <, G_N_ELEMENTS (types));
    tensor->n_dims = (guint)json_array_size (shape);
    tensor->n_elements = 1;
    g_assert_cmpuint (tensor->n_dims, <=, G_N_ELEMENTS (tensor->dims));
    for (guint i = 0; i < tensor->n_dims; i++) {
        tensor->dims[i] = (guint64)json_integer_value (json_array_get (shape, i));
        tensor->n_elements *= tensor->dims[i];
    }
    tensor->data = data + json_integer_value (json_array_get (offsets, 0));
    g_assert_true (tensor->type == GOLDEN_BYTE || (gsize)tensor->data % 4 == 0);
    return tensor;
}

GoldenFile *
golden_file_open (const char *path)
{
    GoldenFile *file = g_new0 (GoldenFile, 1);
    g_autoptr (GError) error = NULL;
    const char *contents;
    guint64 n_header;
    json_t *root;
    const char *name;
    json_t *entry;

    file->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    file->mapped = g_mapped_file_new (path, FALSE, &error);
    g_assert_no_error (error);
    contents = g_mapped_file_get_contents (file->mapped);
    memcpy (&n_header, contents, sizeof n_header);
    root = json_loadb (contents + 8, (gsize)GUINT64_FROM_LE (n_header), 0, NULL);
    g_assert_nonnull (root);
    json_object_foreach (root, name, entry)
    {
        if (strcmp (name, "__metadata__") != 0)
            g_hash_table_insert (file->tensors, g_strdup (name),
                    read_tensor (entry, contents + 8 + GUINT64_FROM_LE (n_header)));
    }
    json_decref (root);
    return file;
}

GoldenFile *
golden_file_open_expected (const char *model)
{
    g_autofree char *path = golden_get_path (model, "expected.safetensors");

    return golden_file_open (path);
}

void
golden_file_close (GoldenFile *file)
{
    g_hash_table_unref (file->tensors);
    g_mapped_file_unref (file->mapped);
    g_free (file);
}

GList *
golden_file_list_names (GoldenFile *file)
{
    return g_hash_table_get_keys (file->tensors);
}

const GoldenTensor *
golden_file_find (GoldenFile *file, const char *name)
{
    return g_hash_table_lookup (file->tensors, name);
}

const GoldenTensor *
golden_file_get (GoldenFile *file, const char *name)
{
    const GoldenTensor *tensor = golden_file_find (file, name);

    if (!tensor)
        g_error ("the file has no tensor %s", name);
    return tensor;
}
