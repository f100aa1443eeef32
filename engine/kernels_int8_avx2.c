/* altclip: int8 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The instruction that multiplies bytes, of one side without signs, adds pairs of products in 16
 * bits that saturate. Nothing does: see ALTCLIP_QUANTISED_MAX_PAIR. Pairs of pairs are added in 32
 * bits.
 *
 * Tiles are of 1 row and 4 vectors: a sum is ready for the next after a cycle, so that 4 are
 * enough. More rows with fewer vectors were slower.
 */

#define LANES 8
#define PANEL_VECTORS 4

#include "packed.h"
#include "vectors_integers.h"

#include <immintrin.h>

#define TARGET __attribute__ ((target ("avx2,fma")))

TARGET static inline __attribute__ ((always_inline)) Integers
multiply_add (Bits input, Bits weights, Integers sums)
{
    __m256i pairs = _mm256_maddubs_epi16 ((__m256i)input, (__m256i)weights);

    return sums + (Integers)_mm256_madd_epi16 (pairs, _mm256_set1_epi16 (1));
}

#define MAX_ROWS 1
#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_U8);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("int8_avx2", ALTCLIP_CPU_HAS_AVX2, "AVX2 with FMA", error);
}

const AltclipKernels altclip_kernels_int8_avx2 = {
    .name = "int8_avx2",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx2,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
