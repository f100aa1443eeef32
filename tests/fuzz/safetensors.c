/* altclip: fuzz target: a safetensors file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "safetensors.h"
#include "target.h"
#include "tensors.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) file = altclip_safetensors_parse (TARGET_NAME, bytes, &error);

    verdict_check (file != NULL, error, TARGET_NAME);
    if (file)
        tensors_read (file);
    return 0;
}
