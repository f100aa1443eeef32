/* altclip: models of half the size and less
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "integer_tower.h"
#include "json.h"
#include "safetensors.h"
#include "weights.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* The largest of the files that are copied as they are is a tokenizer's. */
#define MAX_COPIED_BYTES ((gsize)256 * 1024 * 1024)

/* Beside weights and config.json. */
static const char *const PICTURE_FILES[] = { "preprocessor_config.json", "processor_config.json" };
static const char *const TEXT_FILES[] = { "sentencepiece.bpe.model", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json" };

/* Where the elements of a tensor come from: what is stored, made integers, or numbers in memory. */
typedef struct {
    const AltclipStoredTensor *stored;
    const AltclipIntegerTensor *integers; /* or NULL */
    const float *numbers;                 /* or NULL */
} Source;

typedef struct {
    AltclipWeights *weights;
    AltclipConvertFlags flags;
    GHashTable *tower;   /* (nullable): see altclip_integer_tower_new() */
    GArray *sources;     /* of Source */
    GPtrArray *outlines; /* of what is written, in the same order */
    GArray *dtypes;      /* of AltclipDtype, likewise */
} Conversion;

/* ---- Weights --------------------------------------------------------------------------------- */

static gboolean
is_of_image_tower (const char *canonical)
{
    return g_str_has_prefix (canonical, "vision_model.") ||
           g_str_has_prefix (canonical, "visual_projection.") ||
           strcmp (canonical, "logit_scale") == 0;
}

/* The steps of integers are written with these, or not at all; and so is what only has their name,
 * which new ones may need. */
static gboolean
is_steps (AltclipWeights *weights, const char *canonical)
{
    g_autofree char *matrix = NULL;

    if (!g_str_has_suffix (canonical, "_scale"))
        return FALSE;
    matrix = g_strndup (canonical, strlen (canonical) - strlen ("_scale"));
    return altclip_weights_contain (weights, matrix);
}

/* Files may hold others beside those of the model: a shard such as the index does not list. */
static gboolean
is_wanted (const Conversion *conversion, const AltclipStoredTensor *tensor, const char *canonical)
{
    if (!canonical || tensor->dtype == ALTCLIP_DTYPE_OTHER ||
            altclip_weights_find (conversion->weights, canonical) != tensor ||
            is_steps (conversion->weights, canonical))
        return FALSE;
    return !(conversion->flags & ALTCLIP_CONVERT_IMAGE_TOWER_ONLY) || is_of_image_tower (canonical);
}

/* What precision=bf16 rounds too, and the text tower's tables. The image tower's positions are
 * added to in f32. */
static gboolean
is_rounded (const AltclipStoredTensor *tensor)
{
    return tensor->n_dims >= 2 && !g_str_has_suffix (tensor->name, "position_embedding.weight");
}

/* The reference compares the type of its model's first parameter with the one that it is asked for:
 * when they are the same, it takes all others as they are stored, and cannot compute with two types
 * at once. It is asked for any but this one, and converts all. */
static gboolean
is_first (AltclipWeights *weights, const char *canonical)
{
    return strcmp (canonical, altclip_weights_contain (weights, "logit_scale")
                                      ? "logit_scale"
                                      : "vision_model.embeddings.class_embedding") == 0;
}

static void
add_source (Conversion *conversion, Source source, const char *name, guint n_dims,
        const guint64 *dims, AltclipDtype dtype)
{
    altclip_tensors_add_outline (conversion->outlines, name, FALSE, n_dims, dims);
    g_array_append_val (conversion->sources, source);
    g_array_append_val (conversion->dtypes, dtype);
}

static void
add_integers (Conversion *conversion, const AltclipStoredTensor *tensor,
        const AltclipIntegerTensor *integers)
{
    g_autofree char *steps = g_strconcat (tensor->name, "_scale", NULL);

    if (integers->numbers) {
        add_source (conversion, (Source){ .numbers = integers->numbers }, tensor->name,
                tensor->n_dims, tensor->dims, ALTCLIP_DTYPE_F32);
        return;
    }
    add_source (conversion, (Source){ tensor, integers, NULL }, tensor->name, tensor->n_dims,
            tensor->dims, ALTCLIP_DTYPE_I8);
    add_source (conversion, (Source){ .numbers = integers->steps }, steps, 1, tensor->dims,
            ALTCLIP_DTYPE_F32);
}

/* Names stay as they are, so that whichever library wrote them finds them again. */
static void
add_tensor (Conversion *conversion, const AltclipStoredTensor *tensor)
{
    g_autofree char *canonical = altclip_tensor_name_to_canonical (tensor->name);
    const AltclipIntegerTensor *integers = NULL;
    AltclipDtype dtype;

    if (!is_wanted (conversion, tensor, canonical))
        return;
    if (conversion->tower)
        integers = g_hash_table_lookup (conversion->tower, canonical);
    if (integers) {
        add_integers (conversion, tensor, integers);
        return;
    }
    dtype = is_rounded (tensor)                         ? ALTCLIP_DTYPE_BF16
            : is_first (conversion->weights, canonical) ? ALTCLIP_DTYPE_F64
                                                        : ALTCLIP_DTYPE_F32;
    add_source (conversion, (Source){ .stored = tensor }, tensor->name, tensor->n_dims,
            tensor->dims, dtype);
}

static void
add_tensors (Conversion *conversion)
{
    const GPtrArray *files = altclip_weights_get_files (conversion->weights);

    for (guint i = 0; i < files->len; i++) {
        const AltclipWeightsFile *file = g_ptr_array_index (files, i);

        for (guint j = 0; j < file->tensors->tensors->len; j++)
            add_tensor (conversion, g_ptr_array_index (file->tensors->tensors, j));
    }
}

/* Elements of a tensor, the pages of which are mapped before and let go of. */
static void
read_stored (const Source *source, guint64 first, gsize n, float *out)
{
    AltclipStoredTensor part = *source->stored;

    if (!part.is_strided) {
        part.n_bytes = n * altclip_dtype_get_size (part.dtype);
        part.data += first * altclip_dtype_get_size (part.dtype);
        altclip_weights_map (&part);
    }
    if (source->integers)
        altclip_integer_tensor_read (source->integers, source->stored, first, n, out);
    else
        altclip_stored_tensor_read (source->stored, first, n, out);
    altclip_weights_release (&part);
}

static void
fill (gpointer user_data, guint index, guint64 first, gsize n, float *out)
{
    const Conversion *conversion = user_data;
    const Source *source = &g_array_index (conversion->sources, Source, index);

    if (source->numbers)
        memcpy (out, source->numbers + first, n * sizeof (float));
    else
        read_stored (source, first, n, out);
}

/* @tower: (nullable): see altclip_integer_tower_new() */
static gboolean
convert_weights (const char *directory, AltclipConvertFlags flags, GHashTable *tower,
        const char *output, GError **error)
{
    g_autoptr (AltclipWeights) weights = altclip_weights_open (directory, error);
    g_autoptr (GArray) sources = g_array_new (FALSE, FALSE, sizeof (Source));
    g_autoptr (GPtrArray) outlines = altclip_tensors_new ();
    g_autoptr (GArray) dtypes = g_array_new (FALSE, FALSE, sizeof (AltclipDtype));
    g_autofree char *path = g_build_filename (output, "model.safetensors", NULL);
    Conversion conversion = { weights, flags, tower, sources, outlines, dtypes };

    if (!weights)
        return FALSE;
    add_tensors (&conversion);
    return altclip_safetensors_write_filled (
            path, outlines, (const AltclipDtype *)(gpointer)dtypes->data, fill, &conversion, error);
}

/* ---- Other files ----------------------------------------------------------------------------- */

/* Says what is not in integers, in the reference's words. It refuses a method that it does not
 * know, rather than take integers for weights. @finer: names in the image tower */
static json_t *
describe_integers (char **finer)
{
    json_t *names = json_pack ("[s, s]", "text_model", "text_projection");

    for (gsize i = 0; finer[i]; i++)
        json_array_append_new (names, json_string (finer[i]));
    return json_pack ("{s:s, s:i, s:o}", "quant_method", "altclip", "bits", 8,
            "modules_to_not_convert", names);
}

/* @finer: (nullable): of a model in integers, what is not */
static gboolean
write_config (const char *directory, char **finer, const char *output, GError **error)
{
    g_autofree char *path = g_build_filename (directory, "config.json", NULL);
    json_t *config = altclip_json_read (path, ALTCLIP_CONFIG_MAX_BYTES, 0, error);

    if (!config)
        return FALSE;
    /* What newer libraries call it. */
    json_object_set_new (config, json_object_get (config, "dtype") ? "dtype" : "torch_dtype",
            json_string ("bfloat16"));
    if (finer)
        json_object_set_new (config, "quantization_config", describe_integers (finer));
    else
        json_object_del (config, "quantization_config");
    return altclip_json_write (output, "config.json", config, error);
}

static gboolean
copy_file (const char *directory, const char *name, const char *output, GError **error)
{
    g_autofree char *from = g_build_filename (directory, name, NULL);
    g_autofree char *to = g_build_filename (output, name, NULL);
    g_autofree char *contents = NULL;
    g_autoptr (GError) io_error = NULL;
    gsize length = 0;

    if (!altclip_file_is_there (from))
        return TRUE;
    if (!altclip_file_read (from, MAX_COPIED_BYTES, &contents, &length, error))
        return FALSE;
    if (g_file_set_contents (to, contents, (gssize)length, &io_error))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s", io_error->message);
    return FALSE;
}

static gboolean
copy_files (const char *directory, const char *const *names, gsize n, const char *output,
        GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (!copy_file (directory, names[i], output, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
convert_files (const char *directory, AltclipConvertFlags flags, char **finer, const char *output,
        GError **error)
{
    return write_config (directory, finer, output, error) &&
           copy_files (directory, PICTURE_FILES, G_N_ELEMENTS (PICTURE_FILES), output, error) &&
           ((flags & ALTCLIP_CONVERT_IMAGE_TOWER_ONLY) ||
                   copy_files (directory, TEXT_FILES, G_N_ELEMENTS (TEXT_FILES), output, error));
}

/* ---- Public ---------------------------------------------------------------------------------- */

/* Nothing is begun that could not be used in the end. In integers the tower is packed and tested,
 * which says what its layers become. Returns: (transfer full) (nullable): the model */
static AltclipModel *
open_model (const char *directory, AltclipPrecision precision, AltclipConvertFlags flags,
        GError **error)
{
    gboolean has_integers = precision == ALTCLIP_PRECISION_INT8;
    const AltclipModelOptions options = { .precision = precision, .flags = ALTCLIP_MODEL_LAZY };
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, error);

    if (!model)
        return NULL;
    if (!(has_integers || (flags & ALTCLIP_CONVERT_IMAGE_TOWER_ONLY)) ||
            (altclip_model_get_info (model)->towers & ALTCLIP_TOWER_IMAGE))
        return g_steal_pointer (&model);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG, "%s: has no image tower", directory);
    return NULL;
}

static gboolean
make_directory (const char *output, GError **error)
{
    if (g_mkdir_with_parents (output, 0777) == 0)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", output, g_strerror (errno));
    return FALSE;
}

/* It would be read from while it is written. */
static gboolean
check_differs (const char *directory, const char *output, GError **error)
{
    GStatBuf first;
    GStatBuf second;

    if (g_stat (directory, &first) != 0 || g_stat (output, &second) != 0 ||
            first.st_dev != second.st_dev || first.st_ino != second.st_ino)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO,
            "%s: is the directory of the model itself; name another", output);
    return FALSE;
}

/* The files of another model there would be mixed with these. */
static gboolean
check_is_new (const char *output, GError **error)
{
    g_autofree char *path = altclip_weights_find_file (output);

    if (!path)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: exists already, and is not replaced",
            path);
    return FALSE;
}

gboolean
altclip_convert (const char *directory, AltclipPrecision precision, AltclipConvertFlags flags,
        const char *output, GError **error)
{
    gboolean has_integers = precision == ALTCLIP_PRECISION_INT8;
    g_autoptr (AltclipModel) model = NULL;
    g_autoptr (GHashTable) tower = NULL;
    g_auto (GStrv) finer = NULL;

    g_return_val_if_fail (directory && output, FALSE);

    if (precision != ALTCLIP_PRECISION_BF16 && !has_integers) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
                "weights cannot be written in %s; the precision must be bf16 or int8",
                altclip_precision_get_name (precision));
        return FALSE;
    }
    model = open_model (directory, precision, flags, error);
    if (!model || !make_directory (output, error) || !check_differs (directory, output, error) ||
            !check_is_new (output, error))
        return FALSE;
    if (has_integers) {
        tower = altclip_integer_tower_new (model, error);
        if (!tower)
            return FALSE;
        finer = altclip_integer_tower_list_finer (model, tower);
    }
    return convert_files (directory, flags, finer, output, error) &&
           convert_weights (directory, flags, tower, output, error);
}
