/* altclip: int8 kernels for any CPU
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Slow, and what the other sets of integers must equal.
 */

#define LANES 4
#define PANEL_VECTORS 1

#include "packed.h"
#include "vectors_integers.h"

/* Byte @i of each word, with its sign. */
#define BYTE(words, i) ((Integers)((words) << (24 - 8 * (i))) >> 24)

static inline __attribute__ ((always_inline)) Integers
multiply_add (Bits input, Bits weights, Integers sums)
{
    for (guint i = 0; i < 4; i++)
        sums += BYTE (input, i) * BYTE (weights, i);
    return sums;
}

#define TARGET
#define MAX_ROWS 4
#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_S8);

const AltclipKernels altclip_kernels_int8_plain = {
    .name = "int8_plain",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = altclip_packed_probe_anywhere,
    .tiling = &TILING,
    .attention_tiling = NULL,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
