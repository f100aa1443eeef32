/* altclip: what an image tower of fewer bits loses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Unlike pictures agree to 0.9 and more in most models, so that a plain cosine hides what is lost:
 * from the embeddings the mean of the pictures' is subtracted first.
 */

#include "altclip.h"
#include "golden.h"
#include "kernels.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define N_PICTURES 24

/* ---- Pictures -------------------------------------------------------------------------------- */

static float
next_random (guint32 *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(gint32)*state * 0x1p-31f;
}

/* The value of a channel at a place of the unit square: a disc, stripes, a slope or noise. */
static float
draw (guint kind, float size, float x, float y, guint32 *state)
{
    switch (kind) {
    case 0:
        return (x - 0.5f) * (x - 0.5f) + (y - 0.5f) * (y - 0.5f) < size * size ? 1.0f : -1.0f;
    case 1:
        return sinf (x / size * 8.0f) > 0.0f ? 1.0f : -1.0f;
    case 2:
        return 2.0f * (x * size + y * (1.0f - size)) - 1.0f;
    default:
        return next_random (state) * size * 2.0f;
    }
}

/* Returns: (transfer full): [N_PICTURES, channels, side, side], about as bright and as varied as
 * normalised ones are */
static float *
draw_pictures (guint n_channels, guint side)
{
    gsize area = (gsize)side * side;
    float *pixel_values = g_new (float, N_PICTURES *n_channels *area);
    guint32 state = 7;

    for (gsize i = 0; i < (gsize)N_PICTURES * n_channels; i++) {
        guint picture = (guint)i / n_channels;
        float size = 0.15f + 0.3f * (float)(picture / 4) / 6.0f;
        float contrast = next_random (&state) * 1.5f;
        float brightness = next_random (&state);

        for (gsize at = 0; at < area; at++)
            pixel_values[i * area + at] =
                    brightness + contrast * draw (picture % 4, size,
                                                    (float)(at % side) / (float)side,
                                                    (float)(at / side) / (float)side, &state);
    }
    return pixel_values;
}

/* ---- Embeddings ------------------------------------------------------------------------------ */

static AltclipSession *
open_session (const char *directory, const AltclipKernels *kernels)
{
    const AltclipModelOptions options = { .kernels = kernels->name,
        .threads = 2,
        .flags = ALTCLIP_MODEL_LAZY,
        .precision = kernels->precision };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, &error);
    AltclipSession *session = model ? altclip_session_new (model, 2, &error) : NULL;
    AltclipPrecision precision;
    gboolean converts;

    g_assert_no_error (error);
    g_assert_cmpstr (altclip_model_get_kernels (model, NULL), ==, kernels->name);
    g_assert_true (altclip_model_get_precision (model, &precision, &converts, NULL));
    g_assert_cmpint (precision, ==, kernels->precision);
    if (kernels->precision != ALTCLIP_PRECISION_INT8) /* which is slow if it is, measured */
        g_assert_cmpint (converts, ==, kernels->converts);
    return session;
}

/* Subtracts from each of the embeddings [N_PICTURES, dim] their mean. */
static void
centre (float *embeddings, guint dim)
{
    for (guint i = 0; i < dim; i++) {
        double mean = 0.0;

        for (gsize p = 0; p < N_PICTURES; p++)
            mean += embeddings[p * dim + i] / N_PICTURES;
        for (gsize p = 0; p < N_PICTURES; p++)
            embeddings[p * dim + i] -= (float)mean;
    }
}

/* Returns: (transfer full): [N_PICTURES, dim], centred */
static float *
embed (const char *directory, const AltclipKernels *kernels, guint *dim, guint64 *memory)
{
    g_autoptr (AltclipSession) session = open_session (directory, kernels);
    AltclipModel *model = altclip_session_get_model (session);
    const AltclipModelInfo *info = altclip_model_get_info (model);
    g_autofree float *pixel_values = draw_pictures (info->num_channels, info->image_size);
    float *embeddings = g_new (float, N_PICTURES * info->projection_dim);
    g_autoptr (GError) error = NULL;

    *dim = info->projection_dim;
    altclip_session_encode_images (session, pixel_values, N_PICTURES, embeddings, &error);
    g_assert_no_error (error);
    *memory = altclip_model_get_memory (model);
    centre (embeddings, *dim);
    return embeddings;
}

static double
find_cosine (const float *a, const float *b, guint dim)
{
    double ab = 0.0;
    double aa = 0.0;
    double bb = 0.0;

    for (guint i = 0; i < dim; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return ab / sqrt (aa * bb);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

/* Half the memory or less, and at least 0.999, of int8 0.99, of each picture's centred embedding.
 */
static void
compare (const char *directory, const AltclipKernels *kernels)
{
    guint dim;
    guint64 full_memory;
    guint64 memory;
    g_autofree float *full = embed (directory, altclip_kernels_expect (NULL), &dim, &full_memory);
    g_autofree float *less = embed (directory, kernels, &dim, &memory);
    double least = 1.0;

    for (gsize p = 0; p < N_PICTURES; p++)
        least = MIN (least, find_cosine (full + p * dim, less + p * dim, dim));
    g_test_message ("%s: least centred cosine %.6f, %" G_GUINT64_FORMAT
                    " bytes instead of %" G_GUINT64_FORMAT,
            kernels->name, least, memory, full_memory);
    g_assert_cmpfloat (least, >=, kernels->precision == ALTCLIP_PRECISION_INT8 ? 0.99 : 0.999);
    g_assert_cmpfloat (least, <, 1.0);
    g_assert_cmpuint (memory * 10, <, full_memory * 6);
}

static void
test_bundled (gconstpointer kernels)
{
    compare (g_getenv ("ALTCLIP_DEMO_MODEL"), kernels);
}

/* ---- Outliers -------------------------------------------------------------------------------- */

static const char OUTLIER_CONFIG[] =
        "{\"model_type\": \"altclip\", \"projection_dim\": 48,"
        " \"text_config\": {\"vocab_size\": 16, \"hidden_size\": 8, \"intermediate_size\": 8,"
        " \"num_hidden_layers\": 1, \"num_attention_heads\": 1, \"max_position_embeddings\": 16,"
        " \"project_dim\": 8}, \"vision_config\": {\"hidden_size\": 128, \"intermediate_size\": "
        "512,"
        " \"num_hidden_layers\": 4, \"num_attention_heads\": 4, \"patch_size\": 14,"
        " \"image_size\": 56, \"projection_dim\": 48, \"hidden_act\": \"quick_gelu\"}}";

/* Returns: (transfer none): the elements of a tensor of the safetensors file @contents */
static char *
find_data (char *contents, const char *name)
{
    g_autofree char *key = g_strdup_printf ("\"%s\"", name);
    const char *offset = strstr (strstr (contents + 8, key), "data_offsets");
    guint64 header;

    memcpy (&header, contents, sizeof header);
    return contents + 8 + GUINT64_FROM_LE (header) +
           g_ascii_strtoull (strchr (offset, '[') + 1, NULL, 10);
}

/* Sets the first @n numbers of a tensor. */
static void
set_numbers (char *contents, const char *name, guint n, float value)
{
    char *data = find_data (contents, name);

    for (gsize i = 0; i < n; i++)
        memcpy (data + i * sizeof value, &value, sizeof value);
}

/* A few channels that stand far from the others, the same in all tokens. */
static void
add_outliers (const char *directory)
{
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);
    g_autofree char *contents = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
    set_numbers (contents, "vision_model.pre_layrnorm.bias", 3, 15.0f);
    for (guint i = 0; i < 4; i++) {
        g_autofree char *gains =
                g_strdup_printf ("vision_model.encoder.layers.%u.layer_norm2.weight", i);

        set_numbers (contents, gains, 2, 3.0f);
    }
    g_assert_true (g_file_set_contents (path, contents, (gssize)size, NULL));
}

static guint
count_finer (const char *directory, const AltclipKernels *kernels)
{
    g_autoptr (AltclipSession) session = open_session (directory, kernels);
    AltclipModel *model = altclip_session_get_model (session);
    const AltclipModelInfo *info = altclip_model_get_info (model);
    g_autofree float *pixel_values = draw_pictures (info->num_channels, info->image_size);
    g_autofree float *embeddings = g_new (float, N_PICTURES * info->projection_dim);

    g_assert_cmpuint (altclip_model_get_finer_layers (model), ==, 0);
    g_assert_true (altclip_session_encode_images (session, pixel_values, 1, embeddings, NULL));
    return altclip_model_get_finer_layers (model);
}

static void
remove_model (const char *directory)
{
    static const char *const files[] = { "config.json", "model.safetensors",
        "preprocessor_config.json" };

    for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
        g_autofree char *path = g_build_filename (directory, files[i], NULL);

        g_unlink (path);
    }
    g_rmdir (directory);
}

/* Layers that lose too much are not in integers: those that read the residual stream. */
static void
test_outliers (gconstpointer kernels)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-outliers-XXXXXX", NULL);
    g_autofree char *config = g_build_filename (directory, "config.json", NULL);
    guint before;
    guint after;
    guint dim;
    guint64 memory;
    g_autofree float *full = NULL;
    g_autofree float *less = NULL;

    g_assert_true (g_file_set_contents (config, OUTLIER_CONFIG, -1, NULL));
    g_assert_true (altclip_initialise (config, 3, directory, NULL));
    before = count_finer (directory, kernels);
    add_outliers (directory);
    after = count_finer (directory, kernels);
    full = embed (directory, altclip_kernels_expect (NULL), &dim, &memory);
    less = embed (directory, kernels, &dim, &memory);
    g_test_message ("layers that are finer: %u, with outliers %u", before, after);
    g_assert_cmpuint (after, >=, before + 4);
    for (gsize p = 0; p < N_PICTURES; p++)
        g_assert_cmpfloat (find_cosine (full + p * dim, less + p * dim, dim), >=, 0.99);
    remove_model (directory);
}

static void
assert_refused (const char *directory, const char *message)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (directory, NULL, NULL, &error);

    g_assert_null (model);
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR);
    g_assert_nonnull (strstr (error->message, message));
}

#define STEPS "vision_model.encoder.layers.1.self_attn.k_proj.weight_scale"

#define INTEGERS "vision_model.encoder.layers.1.self_attn.k_proj.weight"

/* Two that AVX2 could not multiply. */
static void
check_large_pairs (const char *directory)
{
    static const gint8 large[4] = { -100, 29, -100, 28 };
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);
    g_autofree char *contents = NULL;
    g_autofree char *changed = NULL;
    float four;
    gsize size;

    g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
    changed = g_memdup2 (contents, size);
    memcpy (&four, large, sizeof four);
    set_numbers (changed, INTEGERS, 1, four);
    g_assert_true (g_file_set_contents (path, changed, (gssize)size, NULL));
    assert_refused (directory,
            "model.safetensors: tensor '" INTEGERS "' holds -100 and 29 side by side in row 0, "
            "column 0, but two such must not be more than 128 together, without their signs");
    g_assert_true (g_file_set_contents (path, contents, (gssize)size, NULL));
}

/* Integers are worth nothing without their steps. */
static void
check_bad_steps (const char *directory)
{
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);
    g_autofree char *contents = NULL;
    gsize size;
    char *name;

    g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
    set_numbers (contents, STEPS, 1, -0.5f);
    g_assert_true (g_file_set_contents (path, contents, (gssize)size, NULL));
    assert_refused (directory, "'" STEPS "' holds -0.5 for row 0");
    set_numbers (contents, STEPS, 1, NAN);
    g_assert_true (g_file_set_contents (path, contents, (gssize)size, NULL));
    assert_refused (directory, "'" STEPS "' holds nan for row 0");
    name = g_strstr_len (contents + 8, (gssize)size - 8, STEPS);
    name[strlen (STEPS) - 1] = 'x';
    g_assert_true (g_file_set_contents (path, contents, (gssize)size, NULL));
    assert_refused (directory, "is of 8-bit integers, without a tensor '" STEPS "'");
}

/* A model that is stored in integers computes as the one in bfloat16 that it was made of does when
 * it is opened, with the same layers in floats, whichever set of kernels it is. */
static void
test_converted (gconstpointer kernels)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-converted-XXXXXX", NULL);
    g_autofree char *config = g_build_filename (directory, "config.json", NULL);
    g_autofree char *half = g_build_filename (directory, "half", NULL);
    g_autofree char *integers = g_build_filename (directory, "integers", NULL);
    guint dim;
    guint64 memory;
    g_autofree float *opened = NULL;
    g_autofree float *stored = NULL;

    g_assert_true (g_file_set_contents (config, OUTLIER_CONFIG, -1, NULL));
    g_assert_true (altclip_initialise (config, 3, directory, NULL));
    add_outliers (directory);
    g_assert_true (
            altclip_convert (directory, ALTCLIP_PRECISION_BF16, ALTCLIP_CONVERT_NONE, half, NULL));
    g_assert_true (altclip_convert (
            half, ALTCLIP_PRECISION_INT8, ALTCLIP_CONVERT_IMAGE_TOWER_ONLY, integers, NULL));
    g_assert_cmpuint (count_finer (integers, kernels), ==, count_finer (half, kernels));
    opened = embed (half, kernels, &dim, &memory);
    stored = embed (integers, kernels, &dim, &memory);
    for (gsize i = 0; i < N_PICTURES * dim; i++)
        g_assert_cmpfloat (opened[i], ==, stored[i]);
    check_large_pairs (integers);
    check_bad_steps (integers);
    remove_model (half);
    remove_model (integers);
    remove_model (directory);
}

static void
assert_same_file (const char *directory, const char *other, const char *name)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_autofree char *other_path = g_build_filename (other, name, NULL);
    g_autofree char *contents = NULL;
    g_autofree char *others = NULL;
    gsize n_bytes;
    gsize n_others;

    g_assert_true (g_file_get_contents (path, &contents, &n_bytes, NULL));
    g_assert_true (g_file_get_contents (other_path, &others, &n_others, NULL));
    g_assert_cmpmem (contents, n_bytes, others, n_others);
}

/* Puts a tensor of @n zeros behind those of the safetensors file @contents. */
static void
add_tensor (char **contents, gsize *size, const char *name, guint n)
{
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    g_autofree guint8 *zeros = g_malloc0 (n * sizeof (float));
    g_autofree char *header = NULL;
    g_autofree char *longer = NULL;
    guint64 n_header;
    guint64 n_data;

    memcpy (&n_header, *contents, sizeof n_header);
    n_header = GUINT64_FROM_LE (n_header);
    n_data = *size - sizeof n_header - n_header;
    header = g_strchomp (g_strndup (*contents + 8, n_header));
    g_assert_cmpint (header[strlen (header) - 1], ==, '}');
    header[strlen (header) - 1] = ',';
    longer = g_strdup_printf ("%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%u],\"data_offsets\":"
                              "[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}}",
            header, name, n, n_data, n_data + n * sizeof (float));
    n_header = GUINT64_TO_LE (strlen (longer));
    g_byte_array_append (bytes, (const guint8 *)&n_header, sizeof n_header);
    g_byte_array_append (bytes, (const guint8 *)longer, (guint)strlen (longer));
    g_byte_array_append (bytes, (const guint8 *)*contents + *size - n_data, (guint)n_data);
    g_byte_array_append (bytes, zeros, n * sizeof (float));
    g_free (*contents);
    *size = bytes->len;
    *contents = (char *)g_byte_array_free (g_steal_pointer (&bytes), FALSE);
}

/* What is in integers already stays what it is, though no integer of a row is the largest. */
static void
test_converted_again (void)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-converted-XXXXXX", NULL);
    g_autofree char *config = g_build_filename (directory, "config.json", NULL);
    g_autofree char *integers = g_build_filename (directory, "integers", NULL);
    g_autofree char *again = g_build_filename (directory, "again", NULL);
    g_autofree char *path = g_build_filename (integers, "model.safetensors", NULL);
    g_autofree char *contents = NULL;
    gsize size;

    g_assert_true (g_file_set_contents (config, OUTLIER_CONFIG, -1, NULL));
    g_assert_true (altclip_initialise (config, 3, directory, NULL));
    g_assert_true (altclip_convert (
            directory, ALTCLIP_PRECISION_INT8, ALTCLIP_CONVERT_IMAGE_TOWER_ONLY, integers, NULL));
    g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
    memset (find_data (contents, "vision_model.encoder.layers.1.mlp.fc2.weight"), 0x31, 512);
    g_assert_true (g_file_set_contents (path, contents, (gssize)size, NULL));
    g_assert_true (altclip_convert (
            integers, ALTCLIP_PRECISION_INT8, ALTCLIP_CONVERT_IMAGE_TOWER_ONLY, again, NULL));
    assert_same_file (integers, again, "model.safetensors");
    remove_model (integers);
    remove_model (again);
    remove_model (directory);
}

/* A tensor that has the name of a matrix' steps, and is none, is not written beside them. */
static void
test_converted_name (void)
{
    static const char stray[] = "vision_model.encoder.layers.1.mlp.fc2.weight_scale";
    g_autofree char *directory = g_dir_make_tmp ("altclip-converted-XXXXXX", NULL);
    g_autofree char *config = g_build_filename (directory, "config.json", NULL);
    g_autofree char *integers = g_build_filename (directory, "integers", NULL);
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);
    g_autofree char *contents = NULL;
    g_autoptr (AltclipModel) model = NULL;
    g_autoptr (GError) error = NULL;
    gsize size;

    g_assert_true (g_file_set_contents (config, OUTLIER_CONFIG, -1, NULL));
    g_assert_true (altclip_initialise (config, 3, directory, NULL));
    g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
    add_tensor (&contents, &size, stray, 3);
    g_assert_true (g_file_set_contents (path, contents, (gssize)size, NULL));
    g_assert_true (altclip_convert (
            directory, ALTCLIP_PRECISION_INT8, ALTCLIP_CONVERT_IMAGE_TOWER_ONLY, integers, &error));
    g_assert_no_error (error);
    model = altclip_model_open (integers, NULL, NULL, &error);
    g_assert_no_error (error);
    remove_model (integers);
    remove_model (directory);
}

static void
test_random (gconstpointer kernels)
{
    g_autofree char *directory = golden_get_path ("patch14", NULL);

    compare (directory, kernels);
}

int
main (int argc, char **argv)
{
    gsize n;
    const AltclipKernels *const *sets = altclip_kernels_list (&n);

    g_test_init (&argc, &argv, NULL);
    for (gsize i = 0; i < n; i++) {
        g_autofree char *bundled = g_strdup_printf ("/precision/%s/bundled", sets[i]->name);
        g_autofree char *outliers = g_strdup_printf ("/precision/%s/outliers", sets[i]->name);
        g_autofree char *random = g_strdup_printf ("/precision/%s/random", sets[i]->name);
        g_autofree char *converted = g_strdup_printf ("/precision/%s/converted", sets[i]->name);

        if (sets[i]->precision == ALTCLIP_PRECISION_F32 || !sets[i]->probe (NULL))
            continue;
        g_test_add_data_func (bundled, sets[i], test_bundled);
        g_test_add_data_func (random, sets[i], test_random);
        if (sets[i]->precision != ALTCLIP_PRECISION_INT8)
            continue;
        g_test_add_data_func (outliers, sets[i], test_outliers);
        g_test_add_data_func (converted, sets[i], test_converted);
    }
    g_test_add_func ("/precision/converted-again", test_converted_again);
    g_test_add_func ("/precision/converted-name", test_converted_name);
    return g_test_run ();
}
