/* altclip: bf16 kernels for AVX-512 without BF16
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Words of two bfloat16 become two vectors of floats at each use: half the weights to read, at the
 * pace of floats. 12 rows of 2 vectors are 24 sums, beside 4 vectors of weights and 2 of the input.
 */

#include "packed.h"
#include "vectors_avx512.h"

#define TARGET __attribute__ ((target ("avx512f")))
#define MAX_ROWS 12
#define MULTIPLY_ADD(a, b, c) FMA (SECOND (a), SECOND (b), FMA (FIRST (a), FIRST (b), c))

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_BF16);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("bf16_avx512", ALTCLIP_CPU_HAS_AVX512, "AVX-512", error);
}

const AltclipKernels altclip_kernels_bf16_avx512 = {
    .name = "bf16_avx512",
    .precision = ALTCLIP_PRECISION_BF16,
    .converts = TRUE,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx512,
    ALTCLIP_PACKED_FUNCTIONS,
};
