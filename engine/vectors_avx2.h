/* altclip: the vectors of AVX2 with FMA, for tile.h
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_VECTORS_AVX2_H
#define ALTCLIP_VECTORS_AVX2_H

#include <immintrin.h>

#define LANES 8
#define PANEL_VECTORS 2
#define SUMS __m256
#define ZERO() _mm256_setzero_ps ()
#define ADD(a, b) _mm256_add_ps (a, b)
#define LOAD(p) _mm256_loadu_ps (p)
#define STORE(p, v) _mm256_storeu_ps (p, v)
#define WORDS __m256i
#define LOAD_WORDS(p) _mm256_loadu_si256 ((const __m256i *)(p))
#define BROADCAST(p) _mm256_set1_epi32 ((int)*(p))

/* Words that are floats; and of words of two bfloat16 either as floats. */
#define FLOATS(w) _mm256_castsi256_ps (w)
#define FIRST(w) FLOATS (_mm256_slli_epi32 (w, 16))
#define SECOND(w) FLOATS (_mm256_and_si256 (w, _mm256_set1_epi32 (-0x10000)))
#define FMA(a, b, c) _mm256_fmadd_ps (a, b, c)

#endif /* ALTCLIP_VECTORS_AVX2_H */
