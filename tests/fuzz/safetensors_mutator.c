/* altclip: libFuzzer's mutator for safetensors files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Few blind changes of a header's text leave its length right. Every second change is one of the
 * text alone, with the length mended.
 */

#include "target.h"

#include <stdlib.h>
#include <string.h>

#define N_LENGTH 8

size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint64_t n_header;
    size_t n_data;
    uint8_t *header;

    if (size < N_LENGTH || seed % 2 == 0)
        return LLVMFuzzerMutate (data, size, max_size);
    memcpy (&n_header, data, N_LENGTH);
    if (n_header > size - N_LENGTH)
        n_header = size - N_LENGTH;
    n_data = size - N_LENGTH - (size_t)n_header;
    header = malloc (max_size);
    memcpy (header, data + N_LENGTH, (size_t)n_header);
    n_header = LLVMFuzzerMutate (header, (size_t)n_header, max_size - N_LENGTH - n_data);
    memmove (data + N_LENGTH + n_header, data + size - n_data, n_data);
    memcpy (data, &n_header, N_LENGTH);
    memcpy (data + N_LENGTH, header, (size_t)n_header);
    free (header);
    return N_LENGTH + (size_t)n_header + n_data;
}
