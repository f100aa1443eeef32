/* altclip: the vectors of NEON, for tile.h
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_VECTORS_NEON_H
#define ALTCLIP_VECTORS_NEON_H

#include <arm_neon.h>

typedef uint32x4_t __attribute__ ((aligned (4), may_alias)) StoredWords;

/* A word in the first lane, which is all that is looked at: FMA takes one for all. Compilers make
 * copies in all lanes, which is another instruction. */
static inline __attribute__ ((always_inline)) uint32x4_t
load_word (const guint32 *p)
{
    uint32x4_t v;

    __asm__("ldr %s0, %1" : "=w"(v) : "m"(*p));
    return v;
}

#define LANES 4
#define SUMS float32x4_t
#define ZERO() vdupq_n_f32 (0.0f)
#define ADD(a, b) vaddq_f32 (a, b)
#define LOAD(p) vld1q_f32 (p)
#define STORE(p, v) vst1q_f32 (p, v)
#define WORDS uint32x4_t
#define LOAD_WORDS(p) (*(const StoredWords *)(const void *)(p))
#define BROADCAST(p) load_word (p)

/* Words that are floats; and of words of two bfloat16 either as floats. */
#define FLOATS(w) vreinterpretq_f32_u32 (w)
#define FIRST(w) FLOATS (vshlq_n_u32 (w, 16))
#define SECOND(w) FLOATS (vandq_u32 (w, vdupq_n_u32 (0xffff0000u)))

#define FMA(a, b, c) vfmaq_laneq_f32 (c, b, a, 0)

#endif /* ALTCLIP_VECTORS_NEON_H */
