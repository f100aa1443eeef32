/* altclip: the vectors of AVX-512, for tile.h
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_VECTORS_AVX512_H
#define ALTCLIP_VECTORS_AVX512_H

#include <immintrin.h>

#define LANES 16
#define PANEL_VECTORS 2
#define SUMS __m512
#define ZERO() _mm512_setzero_ps ()
#define ADD(a, b) _mm512_add_ps (a, b)
#define LOAD(p) _mm512_loadu_ps (p)
#define STORE(p, v) _mm512_storeu_ps (p, v)
#define WORDS __m512i
#define LOAD_WORDS(p) _mm512_loadu_si512 (p)
#define BROADCAST(p) _mm512_set1_epi32 ((int)*(p))

/* Words that are floats; and of words of two bfloat16 either as floats. */
#define FLOATS(w) _mm512_castsi512_ps (w)
#define FIRST(w) FLOATS (_mm512_slli_epi32 (w, 16))
#define SECOND(w) FLOATS (_mm512_and_si512 (w, _mm512_set1_epi32 (-0x10000)))
#define FMA(a, b, c) _mm512_fmadd_ps (a, b, c)

#endif /* ALTCLIP_VECTORS_AVX512_H */
