/* altclip: the weights of a model directory, by name
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "weights.h"
#include "safetensors.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

struct _AltclipWeights {
    char *path;
    AltclipSafetensors *file;
    GHashTable *by_name; /* name → AltclipStoredTensor, both the file's */
};

AltclipWeights *
altclip_weights_open (const char *directory, GError **error)
{
    g_autoptr (AltclipWeights) weights = g_new0 (AltclipWeights, 1);
    GPtrArray *tensors;

    weights->path = g_build_filename (directory, "model.safetensors", NULL);
    weights->by_name = g_hash_table_new (g_str_hash, g_str_equal);
    weights->file = altclip_safetensors_open (weights->path, error);
    if (!weights->file)
        return NULL;
    tensors = altclip_safetensors_get_tensors (weights->file);
    for (guint i = 0; i < tensors->len; i++) {
        AltclipStoredTensor *tensor = g_ptr_array_index (tensors, i);
        g_hash_table_insert (weights->by_name, tensor->name, tensor);
    }
    return g_steal_pointer (&weights);
}

void
altclip_weights_close (AltclipWeights *weights)
{
    if (!weights)
        return;
    g_clear_pointer (&weights->by_name, g_hash_table_unref);
    g_clear_pointer (&weights->file, altclip_safetensors_close);
    g_free (weights->path);
    g_free (weights);
}

const char *
altclip_weights_get_path (AltclipWeights *weights)
{
    return weights->path;
}

gboolean
altclip_weights_contain (AltclipWeights *weights, const char *name)
{
    return g_hash_table_contains (weights->by_name, name);
}

gboolean
altclip_weights_contain_any (AltclipWeights *weights, const char *prefix)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init (&iter, weights->by_name);
    while (g_hash_table_iter_next (&iter, &name, NULL)) {
        if (g_str_has_prefix (name, prefix))
            return TRUE;
    }
    return FALSE;
}

const AltclipStoredTensor *
altclip_weights_require (AltclipWeights *weights, GError **error, const char *name,
        const char *meaning, guint n_dims, ...)
{
    const AltclipStoredTensor *tensor = g_hash_table_lookup (weights->by_name, name);
    guint64 dims[ALTCLIP_TENSOR_MAX_DIMS];
    gboolean same;
    va_list list;

    g_assert (n_dims <= ALTCLIP_TENSOR_MAX_DIMS);
    if (!tensor) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR, "%s: tensor '%s' is missing",
                weights->path, name);
        return NULL;
    }
    same = tensor->n_dims == n_dims;
    va_start (list, n_dims);
    for (guint i = 0; i < n_dims; i++) {
        dims[i] = va_arg (list, guint64);
        same = same && tensor->dims[i] == dims[i];
    }
    va_end (list);
    if (!same) {
        g_autofree char *found = altclip_shape_to_string (tensor->dims, tensor->n_dims);
        g_autofree char *expected = altclip_shape_to_string (dims, n_dims);
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s' has shape %s, but config.json asks for %s (%s)", weights->path,
                name, found, expected, meaning);
        return NULL;
    }
    if (tensor->dtype == ALTCLIP_DTYPE_OTHER) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s' is not of a floating-point type (float32, float16, bfloat16 or "
                "float64)",
                weights->path, name);
        return NULL;
    }
    return tensor;
}

gboolean
altclip_weights_require_pair (AltclipWeights *weights, const char *name, const char *rows_meaning,
        guint64 rows, const char *columns_meaning, guint64 columns,
        const AltclipStoredTensor *pair[2], GError **error)
{
    g_autofree char *weight = g_strconcat (name, ".weight", NULL);
    g_autofree char *bias = g_strconcat (name, ".bias", NULL);

    if (columns == 0) {
        pair[0] = altclip_weights_require (weights, error, weight, rows_meaning, 1, rows);
    } else {
        g_autofree char *meaning = g_strdup_printf ("%s × %s", rows_meaning, columns_meaning);
        pair[0] = altclip_weights_require (weights, error, weight, meaning, 2, rows, columns);
    }
    if (!pair[0])
        return FALSE;
    pair[1] = altclip_weights_require (weights, error, bias, rows_meaning, 1, rows);
    return pair[1] != NULL;
}

/* Only whole pages: the ones at both ends may belong to neighbours. The mapping is private and
 * never written to, so nothing is lost. */
void
altclip_weights_release (const AltclipStoredTensor *tensor)
{
    gsize page = (gsize)sysconf (_SC_PAGESIZE);
    gsize begin = ((gsize)tensor->data + page - 1) / page * page;
    gsize end = ((gsize)tensor->data + tensor->n_bytes) / page * page;

    if (begin < end)
        madvise ((void *)begin, end - begin, MADV_DONTNEED);
}
