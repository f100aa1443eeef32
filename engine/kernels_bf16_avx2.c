/* altclip: bf16 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As those for AVX-512 without BF16: 4 rows of 2 vectors are 8 sums, beside 4 vectors of weights
 * and 2 of the input.
 */

#include "packed.h"
#include "vectors_avx2.h"

#define TARGET __attribute__ ((target ("avx2,fma")))
#define MAX_ROWS 4
#define MULTIPLY_ADD(a, b, c) FMA (SECOND (a), SECOND (b), FMA (FIRST (a), FIRST (b), c))

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_BF16);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("bf16_avx2", ALTCLIP_CPU_HAS_AVX2, "AVX2 with FMA", error);
}

const AltclipKernels altclip_kernels_bf16_avx2 = {
    .name = "bf16_avx2",
    .precision = ALTCLIP_PRECISION_BF16,
    .converts = TRUE,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx2,
    ALTCLIP_PACKED_FUNCTIONS,
};
