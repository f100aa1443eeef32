/* altclip: int8 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The instruction that multiplies bytes adds pairs of products in 16 bits that saturate, and takes
 * one side without signs: that is the magnitude of the input, and the input's signs go to the
 * weights. Nothing saturates, since inputs are −128 to 127 and weights −127 to 127: a product is at
 * most 128 · 127, and two of them are at most 32512, below 32767. −128 has a magnitude without a
 * sign, 128, and all weights have their negatives. Pairs of pairs are added in 32 bits.
 *
 * 4 rows of 2 vectors are 8 sums, beside 2 vectors of weights, the input, its magnitude, the ones
 * that pairs are added with, and products.
 */

#define LANES 8
#define PANEL_VECTORS 2

#include "packed.h"
#include "vectors_integers.h"

#include <immintrin.h>

#define TARGET __attribute__ ((target ("avx2,fma")))

TARGET static inline __attribute__ ((always_inline)) Integers
multiply_add (Bits input, Bits weights, Integers sums)
{
    __m256i signs = (__m256i)input;
    __m256i pairs = _mm256_maddubs_epi16 (
            _mm256_abs_epi8 (signs), _mm256_sign_epi8 ((__m256i)weights, signs));

    return sums + (Integers)_mm256_madd_epi16 (pairs, _mm256_set1_epi16 (1));
}

#define MAX_ROWS 4
#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_S8);

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
    .prepare_normed = altclip_packed_prepare_normed,
    ALTCLIP_PACKED_FUNCTIONS,
};
