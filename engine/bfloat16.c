/* altclip: bfloat16, the upper half of a float
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bfloat16.h"
#include "vector_widths.h"

#include <string.h>

ALTCLIP_VECTOR_LOOP void
round_numbers_loop (const float *x, gsize n, guint16 *out)
{
    for (gsize i = 0; i < n; i++) {
        guint32 bits;
        guint32 rounded;

        memcpy (&bits, &x[i], sizeof bits);
        rounded = bits + 0x7fff + (bits >> 16 & 1);
        out[i] = (guint16)((x[i] == x[i] ? rounded : bits | 0x400000) >> 16);
    }
}

ALTCLIP_DEFINE_FOR_WIDTHS (round_numbers, (const float *x, gsize n, guint16 *out), (x, n, out))

void
altclip_bfloat16_round (const float *x, gsize n, guint16 *out)
{
    round_numbers (x, n, out);
}

float
altclip_bfloat16_widen (guint16 x)
{
    guint32 bits = (guint32)x << 16;
    float value;

    memcpy (&value, &bits, sizeof value);
    return value;
}
