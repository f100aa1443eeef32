/* altclip: what a file of tensors promises, tried
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tensors.h"

#define N_ELEMENTS 16

void
tensors_read (const AltclipTensorFile *file)
{
    float elements[N_ELEMENTS];

    for (guint i = 0; i < file->tensors->len; i++) {
        const AltclipStoredTensor *tensor = g_ptr_array_index (file->tensors, i);
        guint64 n = MIN (tensor->n_elements, N_ELEMENTS);

        if (tensor->dtype == ALTCLIP_DTYPE_OTHER)
            continue;
        altclip_stored_tensor_read (tensor, 0, n, elements);
        altclip_stored_tensor_read (tensor, tensor->n_elements - n, n, elements);
    }
}
