/* altclip: the order of floats as that of integers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The least and the largest of integers are found in vectors; of floats the compiler may not do so,
 * since some are no number.
 */

#ifndef ALTCLIP_FLOAT_ORDER_H
#define ALTCLIP_FLOAT_ORDER_H

#include "vector_widths.h"

#include <string.h>

ALTCLIP_VECTOR_LOOP gint32
altclip_float_get_bits (float x)
{
    gint32 bits;

    memcpy (&bits, &x, sizeof bits);
    return bits;
}

ALTCLIP_VECTOR_LOOP float
altclip_float_of_bits (gint32 bits)
{
    float x;

    memcpy (&x, &bits, sizeof x);
    return x;
}

/* Of numbers below zero those of the larger magnitude are less: −0 is −1. What is no number lies
 * beyond the infinity of its sign. The function is its own inverse, on bits. */
ALTCLIP_VECTOR_LOOP gint32
altclip_bits_to_order (gint32 bits)
{
    return bits ^ (bits >> 31 & G_MAXINT32);
}

typedef struct {
    float least;
    float largest;
} AltclipFloatRange;

/* Returns: the range of x − @mean, for @x [n], n > 0. Where one is no number, so is an end. */
ALTCLIP_VECTOR_LOOP AltclipFloatRange
altclip_float_range_find (const float *x, gsize n, float mean)
{
    gint32 least = G_MAXINT32;
    gint32 largest = G_MININT32;

    for (gsize i = 0; i < n; i++) {
        gint32 order = altclip_bits_to_order (altclip_float_get_bits (x[i] - mean));

        least = MIN (least, order);
        largest = MAX (largest, order);
    }
    return (AltclipFloatRange){ altclip_float_of_bits (altclip_bits_to_order (least)),
        altclip_float_of_bits (altclip_bits_to_order (largest)) };
}

#endif /* ALTCLIP_FLOAT_ORDER_H */
