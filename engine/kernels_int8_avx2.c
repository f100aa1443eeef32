/* altclip: int8 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The instruction that multiplies bytes adds pairs of products in 16 bits that saturate, and takes
 * one side without signs: that is the magnitude of the input, and the input's signs go to the
 * weights, whose bits are turned over where it is below zero. That makes −w − 1 of w where −w is
 * wanted, so that the product lacks the magnitude; a row's sums get all of these at the end. The
 * instruction that makes −w takes one of the two units that multiply; bits are turned over by any
 * of four.
 *
 * Nothing saturates, since inputs are −128 to 127 and weights −127 to 127, turned over −128 to 126:
 * two products are from −2 · 128 · 128 = −32768 to 2 · 128 · 127 = 32512. Pairs of pairs are added
 * in 32 bits.
 *
 * Tiles are of 1 row and 4 vectors: a sum is ready for the next after a cycle, so that 4 are
 * enough, and more rows take more registers than there are and are slower.
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
    __m256i below_zero = _mm256_cmpgt_epi8 (_mm256_setzero_si256 (), (__m256i)input);
    __m256i turned = _mm256_xor_si256 ((__m256i)weights, below_zero);
    __m256i pairs = _mm256_maddubs_epi16 (_mm256_abs_epi8 ((__m256i)input), turned);

    return sums + (Integers)_mm256_madd_epi16 (pairs, _mm256_set1_epi16 (1));
}

#define MAX_ROWS 1
#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_MAGNITUDES);

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
