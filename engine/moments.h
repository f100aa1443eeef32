/* altclip: mean and variance of a row
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_MOMENTS_H
#define ALTCLIP_MOMENTS_H

#include "vector_widths.h"

#include <math.h>

/* Sums in 16 lanes, which the compiler keeps in vector registers; a plain float sum may not be
 * reordered. */
#define ALTCLIP_MOMENT_LANES 16

ALTCLIP_VECTOR_LOOP float
altclip_sum_lanes (const float *lanes)
{
    double sum = 0.0;

    for (guint i = 0; i < ALTCLIP_MOMENT_LANES; i++)
        sum += lanes[i];
    return (float)sum;
}

ALTCLIP_VECTOR_LOOP float
altclip_row_mean (const float *x, guint width)
{
    float lanes[ALTCLIP_MOMENT_LANES] = { 0.0f };
    guint i = 0;

    for (; i + ALTCLIP_MOMENT_LANES <= width; i += ALTCLIP_MOMENT_LANES)
        for (guint j = 0; j < ALTCLIP_MOMENT_LANES; j++)
            lanes[j] += x[i + j];
    for (; i < width; i++)
        lanes[0] += x[i];
    return altclip_sum_lanes (lanes) / (float)width;
}

ALTCLIP_VECTOR_LOOP float
altclip_row_variance (const float *x, guint width, float mean)
{
    float lanes[ALTCLIP_MOMENT_LANES] = { 0.0f };
    guint i = 0;

    for (; i + ALTCLIP_MOMENT_LANES <= width; i += ALTCLIP_MOMENT_LANES)
        for (guint j = 0; j < ALTCLIP_MOMENT_LANES; j++)
            lanes[j] += (x[i + j] - mean) * (x[i + j] - mean);
    for (; i < width; i++)
        lanes[0] += (x[i] - mean) * (x[i] - mean);
    return altclip_sum_lanes (lanes) / (float)width;
}

/* What a layer norm multiplies with, before its gains. */
ALTCLIP_VECTOR_LOOP float
altclip_row_factor (const float *x, guint width, float mean, double epsilon)
{
    return (float)(1.0 / sqrt (altclip_row_variance (x, width, mean) + epsilon));
}

#endif /* ALTCLIP_MOMENTS_H */
