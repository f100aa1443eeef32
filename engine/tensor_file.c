/* altclip: a file of named tensors, whatever its format
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "excerpt.h"
#include "tensor_file.h"

#include <string.h>

static void
stored_tensor_free (gpointer data)
{
    AltclipStoredTensor *tensor = data;

    g_free (tensor->name);
    g_free (tensor);
}

AltclipTensorFile *
altclip_tensor_file_new (const char *path, GBytes *bytes)
{
    AltclipTensorFile *file = g_new0 (AltclipTensorFile, 1);

    file->path = g_strdup (path);
    file->bytes = g_bytes_ref (bytes);
    file->tensors = g_ptr_array_new_with_free_func (stored_tensor_free);
    return file;
}

void
altclip_tensor_file_free (AltclipTensorFile *file)
{
    if (!file)
        return;
    g_ptr_array_unref (file->tensors);
    g_bytes_unref (file->bytes);
    g_free (file->path);
    g_free (file);
}

AltclipStoredTensor *
altclip_tensor_file_add (AltclipTensorFile *file, const char *name, gsize n_name, GError **error)
{
    g_autofree char *copy = g_strndup (name, MIN (n_name, ALTCLIP_TENSOR_MAX_NAME));
    AltclipStoredTensor *tensor;

    if (n_name == 0 || strlen (copy) != n_name || !altclip_excerpt_is_printable (copy)) {
        g_autofree char *shown = altclip_excerpt (copy);
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: a tensor's name of %" G_GSIZE_FORMAT
                " bytes; it must have 1 to %d, and no control characters: '%s'",
                file->path, n_name, ALTCLIP_TENSOR_MAX_NAME, shown);
        return NULL;
    }
    tensor = g_new0 (AltclipStoredTensor, 1);
    tensor->name = g_steal_pointer (&copy);
    g_ptr_array_add (file->tensors, tensor);
    return tensor;
}
