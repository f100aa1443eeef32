/* altclip: layer norms in single precision
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "kernels.h"
#include "vector_widths.h"

#include <math.h>

/* Sums in 16 lanes, which the compiler keeps in vector registers; a plain float sum may not be
 * reordered. */
#define LANES 16

ALTCLIP_VECTOR_LOOP float
sum_lanes (const float *lanes)
{
    double sum = 0.0;

    for (guint i = 0; i < LANES; i++)
        sum += lanes[i];
    return (float)sum;
}

ALTCLIP_VECTOR_LOOP float
row_mean (const float *x, guint width)
{
    float lanes[LANES] = { 0.0f };
    guint i = 0;

    for (; i + LANES <= width; i += LANES)
        for (guint j = 0; j < LANES; j++)
            lanes[j] += x[i + j];
    for (; i < width; i++)
        lanes[0] += x[i];
    return sum_lanes (lanes) / (float)width;
}

ALTCLIP_VECTOR_LOOP float
row_variance (const float *x, guint width, float mean)
{
    float lanes[LANES] = { 0.0f };
    guint i = 0;

    for (; i + LANES <= width; i += LANES)
        for (guint j = 0; j < LANES; j++)
            lanes[j] += (x[i + j] - mean) * (x[i + j] - mean);
    for (; i < width; i++)
        lanes[0] += (x[i] - mean) * (x[i] - mean);
    return sum_lanes (lanes) / (float)width;
}

ALTCLIP_VECTOR_LOOP void
norm_rows_loop (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out)
{
    guint width = norm->width;

    for (gsize m = m0; m < m1; m++) {
        const float *from = x + m * width;
        float *to = out + m * width;
        float mean = row_mean (from, width);
        float scale = (float)(1.0 / sqrt (row_variance (from, width, mean) + norm->epsilon));

        for (guint i = 0; i < width; i++)
            to[i] = (from[i] - mean) * scale * norm->gamma[i] + norm->beta[i];
    }
}

ALTCLIP_DEFINE_FOR_WIDTHS (norm_rows,
        (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out),
        (norm, x, m0, m1, out))

void
altclip_norm_rows (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out)
{
    norm_rows (norm, x, m0, m1, out);
}
