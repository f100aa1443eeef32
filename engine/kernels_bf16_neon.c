/* altclip: bf16 kernels for NEON without BF16
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Words of two bfloat16 become two vectors of floats at each use: half the weights to read, at the
 * pace of floats or less: 14 instructions convert for each 20 multiply-adds. 5 rows of 2 vectors
 * are 10 sums, beside 4 vectors of weights and, as compilers convert them ahead, 10 of the input.
 */

#include "packed.h"
#include "vectors_neon.h"

#define TARGET
#define MAX_ROWS 5
#define PANEL_VECTORS 2
#define MULTIPLY_ADD(a, b, c) FMA (SECOND (a), SECOND (b), FMA (FIRST (a), FIRST (b), c))

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_BF16);

const AltclipKernels altclip_kernels_bf16_neon = {
    .name = "bf16_neon",
    .precision = ALTCLIP_PRECISION_BF16,
    .converts = TRUE,
    .probe = altclip_packed_probe_anywhere,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_neon,
    ALTCLIP_PACKED_FUNCTIONS,
};
