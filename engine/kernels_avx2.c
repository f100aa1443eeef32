/* altclip: f32 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 16 registers of 8 floats: 6 rows of 2 vectors are 12 sums, beside 2 vectors of weights and 1 of
 * the input. A step of k is 12 multiply-adds for 8 loads.
 */

#include "packed.h"
#include "vectors_avx2.h"

#define TARGET __attribute__ ((target ("avx2,fma")))
#define MAX_ROWS 6
#define MULTIPLY_ADD(a, b, c) FMA (FLOATS (a), FLOATS (b), c)

#include "tile.h"

const AltclipTiling altclip_tiling_avx2 = ALTCLIP_TILING (ALTCLIP_WORDS_F32);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("avx2", ALTCLIP_CPU_HAS_AVX2, "AVX2 with FMA", error);
}

const AltclipKernels altclip_kernels_avx2 = {
    .name = "avx2",
    .precision = ALTCLIP_PRECISION_F32,
    .probe = probe,
    .tiling = &altclip_tiling_avx2,
    .attention_tiling = &altclip_tiling_avx2,
    ALTCLIP_PACKED_FUNCTIONS,
};
