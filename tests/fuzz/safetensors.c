/* altclip: fuzz target: a safetensors file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "safetensors.h"
#include "target.h"

/* The first and the last elements, which are where a range that is wrong shows. */
static void
read_ends (gpointer data, G_GNUC_UNUSED gpointer unused)
{
    const AltclipStoredTensor *tensor = data;
    guint64 n = MIN (tensor->n_elements, 16);
    float elements[16];

    if (tensor->dtype == ALTCLIP_DTYPE_OTHER)
        return;
    altclip_stored_tensor_read (tensor, 0, n, elements);
    altclip_stored_tensor_read (tensor, tensor->n_elements - n, n, elements);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) file = altclip_safetensors_parse (TARGET_NAME, bytes, &error);

    verdict_check (file != NULL, error, TARGET_NAME);
    if (file)
        g_ptr_array_foreach (file->tensors, read_ends, NULL);
    return 0;
}
