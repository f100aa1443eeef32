/* altclip: models of half the size
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"
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

typedef struct {
    GPtrArray *sources;  /* of AltclipStoredTensor, not owned */
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

/* Files may hold others beside those of the model: a shard such as the index does not list. */
static gboolean
is_wanted (AltclipWeights *weights, const AltclipStoredTensor *tensor, AltclipConvertFlags flags)
{
    g_autofree char *canonical = altclip_tensor_name_to_canonical (tensor->name);

    if (!canonical || tensor->dtype == ALTCLIP_DTYPE_OTHER ||
            altclip_weights_find (weights, canonical) != tensor)
        return FALSE;
    return !(flags & ALTCLIP_CONVERT_IMAGE_TOWER_ONLY) || is_of_image_tower (canonical);
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
is_first (AltclipWeights *weights, const AltclipStoredTensor *tensor)
{
    g_autofree char *canonical = altclip_tensor_name_to_canonical (tensor->name);

    if (altclip_weights_find (weights, "logit_scale"))
        return strcmp (canonical, "logit_scale") == 0;
    return strcmp (canonical, "vision_model.embeddings.class_embedding") == 0;
}

/* Names stay as they are, so that whichever library wrote them finds them again. */
static void
add_tensor (Conversion *conversion, AltclipWeights *weights, AltclipStoredTensor *tensor)
{
    AltclipDtype dtype = is_rounded (tensor)          ? ALTCLIP_DTYPE_BF16
                         : is_first (weights, tensor) ? ALTCLIP_DTYPE_F64
                                                      : ALTCLIP_DTYPE_F32;

    g_ptr_array_add (conversion->sources, tensor);
    altclip_tensors_add_outline (
            conversion->outlines, tensor->name, FALSE, tensor->n_dims, tensor->dims);
    g_array_append_val (conversion->dtypes, dtype);
}

static void
add_tensors (Conversion *conversion, AltclipWeights *weights, AltclipConvertFlags flags)
{
    const GPtrArray *files = altclip_weights_get_files (weights);

    for (guint i = 0; i < files->len; i++) {
        const AltclipWeightsFile *file = g_ptr_array_index (files, i);

        for (guint j = 0; j < file->tensors->tensors->len; j++) {
            AltclipStoredTensor *tensor = g_ptr_array_index (file->tensors->tensors, j);

            if (is_wanted (weights, tensor, flags))
                add_tensor (conversion, weights, tensor);
        }
    }
}

static void
fill (gpointer user_data, guint index, guint64 first, gsize n, float *out)
{
    const Conversion *conversion = user_data;
    const AltclipStoredTensor *tensor = g_ptr_array_index (conversion->sources, index);

    altclip_stored_tensor_read (tensor, first, n, out);
    if (first + n == tensor->n_elements)
        altclip_weights_release (tensor);
}

static gboolean
convert_weights (
        const char *directory, AltclipConvertFlags flags, const char *output, GError **error)
{
    g_autoptr (AltclipWeights) weights = altclip_weights_open (directory, error);
    g_autoptr (GPtrArray) sources = g_ptr_array_new ();
    g_autoptr (GPtrArray) outlines = altclip_tensors_new ();
    g_autoptr (GArray) dtypes = g_array_new (FALSE, FALSE, sizeof (AltclipDtype));
    g_autofree char *path = g_build_filename (output, "model.safetensors", NULL);
    Conversion conversion = { sources, outlines, dtypes };

    if (!weights)
        return FALSE;
    add_tensors (&conversion, weights, flags);
    return altclip_safetensors_write_filled (
            path, outlines, (const AltclipDtype *)(gpointer)dtypes->data, fill, &conversion, error);
}

/* ---- Other files ----------------------------------------------------------------------------- */

static gboolean
write_config (const char *directory, const char *output, GError **error)
{
    g_autofree char *path = g_build_filename (directory, "config.json", NULL);
    json_t *config = altclip_json_read (path, ALTCLIP_CONFIG_MAX_BYTES, 0, error);

    if (!config)
        return FALSE;
    /* What newer libraries call it. */
    json_object_set_new (config, json_object_get (config, "dtype") ? "dtype" : "torch_dtype",
            json_string ("bfloat16"));
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
convert_files (const char *directory, AltclipConvertFlags flags, const char *output, GError **error)
{
    return write_config (directory, output, error) &&
           copy_files (directory, PICTURE_FILES, G_N_ELEMENTS (PICTURE_FILES), output, error) &&
           ((flags & ALTCLIP_CONVERT_IMAGE_TOWER_ONLY) ||
                   copy_files (directory, TEXT_FILES, G_N_ELEMENTS (TEXT_FILES), output, error));
}

/* ---- Public ---------------------------------------------------------------------------------- */

/* Nothing is begun that could not be used in the end. */
static gboolean
check_model (const char *directory, AltclipConvertFlags flags, GError **error)
{
    const AltclipModelOptions options = { .flags = ALTCLIP_MODEL_LAZY };
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, error);

    if (!model)
        return FALSE;
    if (!(flags & ALTCLIP_CONVERT_IMAGE_TOWER_ONLY) ||
            (altclip_model_get_info (model)->towers & ALTCLIP_TOWER_IMAGE))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG, "%s: has no image tower", directory);
    return FALSE;
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
    g_return_val_if_fail (directory && output, FALSE);

    if (precision != ALTCLIP_PRECISION_BF16) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
                "weights cannot be written in %s; the precision must be bf16",
                altclip_precision_get_name (precision));
        return FALSE;
    }
    return check_model (directory, flags, error) && make_directory (output, error) &&
           check_differs (directory, output, error) && check_is_new (output, error) &&
           convert_files (directory, flags, output, error) &&
           convert_weights (directory, flags, output, error);
}
