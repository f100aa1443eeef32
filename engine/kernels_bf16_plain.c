/* altclip: bf16 kernels for any CPU
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As those for AVX-512 without BF16, in vectors of four that every compiler knows: 4 rows of 1
 * vector fit the registers of SSE2 and NEON. Slow, but of the same numbers.
 */

#include "packed.h"

#include <string.h>

typedef float Floats __attribute__ ((vector_size (16)));
typedef guint32 Bits __attribute__ ((vector_size (16)));

static inline __attribute__ ((always_inline)) Floats
load (const float *p)
{
    Floats v;

    memcpy (&v, p, sizeof v);
    return v;
}

static inline __attribute__ ((always_inline)) void
store (float *p, Floats v)
{
    memcpy (p, &v, sizeof v);
}

static inline __attribute__ ((always_inline)) Bits
load_words (const void *p)
{
    Bits v;

    memcpy (&v, p, sizeof v);
    return v;
}

#define TARGET
#define MAX_ROWS 4
#define LANES 4
#define PANEL_VECTORS 1
#define SUMS Floats
#define ZERO() ((Floats){ 0.0f })
#define ADD(a, b) ((a) + (b))
#define LOAD(p) load (p)
#define STORE(p, v) store (p, v)
#define WORDS Bits
#define LOAD_WORDS(p) load_words (p)
#define BROADCAST(p) ((Bits){ *(p), *(p), *(p), *(p) })
#define FIRST(w) ((Floats)((w) << 16))
#define SECOND(w) ((Floats)((w)&0xffff0000u))
#define FMA(a, b, c) ((a) * (b) + (c))
#define MULTIPLY_ADD(a, b, c) FMA (SECOND (a), SECOND (b), FMA (FIRST (a), FIRST (b), c))

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_BF16);

const AltclipKernels altclip_kernels_bf16_plain = {
    .name = "bf16_plain",
    .precision = ALTCLIP_PRECISION_BF16,
    .converts = TRUE,
    .probe = altclip_packed_probe_anywhere,
    .tiling = &TILING,
    .attention_tiling = NULL,
    ALTCLIP_PACKED_FUNCTIONS,
};
