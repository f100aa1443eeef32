/* altclip: layer norms in single precision
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "kernels.h"
#include "moments.h"

#include <math.h>

ALTCLIP_VECTOR_LOOP void
norm_rows_loop (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out)
{
    guint width = norm->width;

    for (gsize m = m0; m < m1; m++) {
        const float *from = x + m * width;
        float *to = out + m * width;
        float mean = altclip_row_mean (from, width);
        float scale = altclip_row_factor (from, width, mean, norm->epsilon);

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
