/* altclip: bfloat16, the upper half of a float
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bfloat16.h"

#include <string.h>

static inline __attribute__ ((always_inline)) void
round_loop (const float *x, gsize n, guint16 *out)
{
    for (gsize i = 0; i < n; i++) {
        guint32 bits;
        guint32 rounded;

        memcpy (&bits, &x[i], sizeof bits);
        rounded = bits + 0x7fff + (bits >> 16 & 1);
        out[i] = (guint16)((x[i] == x[i] ? rounded : bits | 0x400000) >> 16);
    }
}

/* The same once for each width of the CPU's vectors, chosen at run time. */
#if defined(__x86_64__)
__attribute__ ((target ("avx512f,avx512bw"))) static void
round_avx512 (const float *x, gsize n, guint16 *out)
{
    round_loop (x, n, out);
}

__attribute__ ((target ("avx2"))) static void
round_avx2 (const float *x, gsize n, guint16 *out)
{
    round_loop (x, n, out);
}

void
altclip_bfloat16_round (const float *x, gsize n, guint16 *out)
{
    if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw"))
        round_avx512 (x, n, out);
    else if (__builtin_cpu_supports ("avx2"))
        round_avx2 (x, n, out);
    else
        round_loop (x, n, out);
}
#else
void
altclip_bfloat16_round (const float *x, gsize n, guint16 *out)
{
    round_loop (x, n, out);
}
#endif

float
altclip_bfloat16_widen (guint16 x)
{
    guint32 bits = (guint32)x << 16;
    float value;

    memcpy (&value, &bits, sizeof value);
    return value;
}
