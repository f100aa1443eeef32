/* altclip: f32 kernels for AVX-512
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 32 registers of 16 floats: 14 rows of 2 vectors are 28 sums, beside 2 vectors of weights and 1 of
 * the input. A step of k is 28 multiply-adds for 16 loads, so that the loads hide behind them.
 */

#include "packed.h"
#include "vectors_avx512.h"

#define TARGET __attribute__ ((target ("avx512f")))
#define MAX_ROWS 14
#define MULTIPLY_ADD(a, b, c) FMA (FLOATS (a), FLOATS (b), c)

#include "tile.h"

const AltclipTiling altclip_tiling_avx512 = ALTCLIP_TILING (ALTCLIP_WORDS_F32);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("avx512", ALTCLIP_CPU_HAS_AVX512, "AVX-512", error);
}

const AltclipKernels altclip_kernels_avx512 = {
    .name = "avx512",
    .precision = ALTCLIP_PRECISION_F32,
    .probe = probe,
    .tiling = &altclip_tiling_avx512,
    .attention_tiling = &altclip_tiling_avx512,
    ALTCLIP_PACKED_FUNCTIONS,
};
