/* altclip: sum, mean and variance of a row
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_MOMENTS_H
#define ALTCLIP_MOMENTS_H

#include "vector_widths.h"

#include <math.h>

/* Sums in 16 lanes, whatever the CPU's vectors: a plain float sum may not be reordered, and all
 * CPUs have the same. */
#define ALTCLIP_MOMENT_LANES 16

typedef float AltclipFour __attribute__ ((vector_size (16)));
typedef AltclipFour __attribute__ ((aligned (4), may_alias)) AltclipStoredFour;

#define ALTCLIP_MOMENT_VECTORS (ALTCLIP_MOMENT_LANES / 4)

ALTCLIP_VECTOR_LOOP float
altclip_sum_lanes (const AltclipFour *sums)
{
    double sum = 0.0;

    for (guint i = 0; i < ALTCLIP_MOMENT_LANES; i++)
        sum += sums[i / 4][i % 4];
    return (float)sum;
}

ALTCLIP_VECTOR_LOOP float
altclip_row_sum (const float *x, gsize width)
{
    AltclipFour sums[ALTCLIP_MOMENT_VECTORS] = { { 0.0f } };
    gsize i = 0;

    for (; i + ALTCLIP_MOMENT_LANES <= width; i += ALTCLIP_MOMENT_LANES)
        for (guint v = 0; v < ALTCLIP_MOMENT_VECTORS; v++)
            sums[v] += *(const AltclipStoredFour *)(const void *)(x + i + 4 * v);
    for (; i < width; i++)
        sums[0][0] += x[i];
    return altclip_sum_lanes (sums);
}

ALTCLIP_VECTOR_LOOP float
altclip_row_mean (const float *x, guint width)
{
    return altclip_row_sum (x, width) / (float)width;
}

ALTCLIP_VECTOR_LOOP float
altclip_row_variance (const float *x, guint width, float mean)
{
    AltclipFour sums[ALTCLIP_MOMENT_VECTORS] = { { 0.0f } };
    gsize i = 0;

    for (; i + ALTCLIP_MOMENT_LANES <= width; i += ALTCLIP_MOMENT_LANES)
        for (guint v = 0; v < ALTCLIP_MOMENT_VECTORS; v++) {
            AltclipFour x4 = *(const AltclipStoredFour *)(const void *)(x + i + 4 * v) - mean;

            sums[v] += x4 * x4;
        }
    for (; i < width; i++)
        sums[0][0] += (x[i] - mean) * (x[i] - mean);
    return altclip_sum_lanes (sums) / (float)width;
}

/* What a layer norm multiplies with, before its gains. */
ALTCLIP_VECTOR_LOOP float
altclip_row_factor (const float *x, guint width, float mean, double epsilon)
{
    return (float)(1.0 / sqrt (altclip_row_variance (x, width, mean) + epsilon));
}

#endif /* ALTCLIP_MOMENTS_H */
