/* altclip: int8 kernels for NEON without the dot product
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Products of two bytes with signs are 16 bits, and so are sums of two: inputs are −128 to 127 and
 * weights −127 to 127, so that a product is at most 128 · 127, and two of them are at most 32512,
 * below 32767. Pairs of those are added in 32 bits. That is four instructions for 16 products, as
 * many as floats take, with a quarter of the weights to read.
 *
 * 5 rows of 2 vectors are 10 of 32 registers, beside 2 vectors of weights, 5 inputs, and products,
 * of which compilers hold many.
 */

#define LANES 4
#define PANEL_VECTORS 2

#include "packed.h"
#include "vectors_integers.h"

#include <arm_neon.h>

/* A word in all lanes; compilers would load it elsewhere first. */
static inline __attribute__ ((always_inline)) Bits
broadcast (const guint32 *p)
{
    Bits v;

    __asm__("ld1r {%0.4s}, %1" : "=w"(v) : "Q"(*p));
    return v;
}

#undef BROADCAST
#define BROADCAST(p) broadcast (p)

static inline __attribute__ ((always_inline)) Integers
multiply_add (Bits input, Bits weights, Integers sums)
{
    int8x16_t bytes = (int8x16_t)weights;
    int8x16_t others = (int8x16_t)input;
    int16x8_t pairs = vpaddq_s16 (
            vmull_s8 (vget_low_s8 (bytes), vget_low_s8 (others)), vmull_high_s8 (bytes, others));

    return (Integers)vpadalq_s16 ((int32x4_t)sums, pairs);
}

#define TARGET
#define MAX_ROWS 5
#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_S8);

const AltclipKernels altclip_kernels_int8_neon = {
    .name = "int8_neon",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = altclip_packed_probe_anywhere,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_neon,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
