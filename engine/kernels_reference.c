/* altclip: kernels in plain C that accumulate in double precision
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Slow, short and right: what every other set is tested against.
 */

#include "kernels.h"

#include <math.h>

static gboolean
reference_probe (G_GNUC_UNUSED GError **error)
{
    return TRUE;
}

static void
norm_row (const AltclipNorm *norm, const float *x, float *out)
{
    double mean = 0.0;
    double variance = 0.0;
    double scale;

    for (guint i = 0; i < norm->width; i++)
        mean += x[i];
    mean /= norm->width;
    for (guint i = 0; i < norm->width; i++)
        variance += (x[i] - mean) * (x[i] - mean);
    scale = 1.0 / sqrt (variance / norm->width + norm->epsilon);
    for (guint i = 0; i < norm->width; i++)
        out[i] = (float)((x[i] - mean) * scale * norm->gamma[i] + norm->beta[i]);
}

static void
reference_norm (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out)
{
    for (gsize m = m0; m < m1; m++)
        norm_row (norm, x + m * norm->width, out + m * norm->width);
}

static double
dot (const float *a, const float *b, guint n)
{
    double sum = 0.0;

    for (guint i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

static void
reference_linear (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    const float *weights = linear->packed;
    guint k = linear->k;

    for (gsize row = 0; row < m; row++) {
        for (gsize n = n0; n < n1; n++) {
            double y = dot (x + row * k, weights + n * k, k);
            float *to = out + row * out_stride + n;

            if (linear->bias)
                y += linear->bias[n];
            y = altclip_activation_exact (epilogue->activation, y);
            *to = (float)(epilogue->accumulate ? *to + y : y);
        }
    }
}

static gsize
reference_attention_scratch (guint longest)
{
    return 2 * (gsize)longest; /* one row of scores, in double */
}

static void
softmax (double *x, guint n)
{
    double maximum = x[0];
    double sum = 0.0;

    for (guint i = 1; i < n; i++)
        maximum = MAX (maximum, x[i]);
    for (guint i = 0; i < n; i++) {
        x[i] = exp (x[i] - maximum);
        sum += x[i];
    }
    for (guint i = 0; i < n; i++)
        x[i] /= sum;
}

/* One query of one head against all keys of its sequence. */
static void
attend (const float *query, const float *keys, const float *values, guint n_keys, gsize stride,
        guint head_size, double *scores, float *out)
{
    for (guint i = 0; i < n_keys; i++)
        scores[i] = dot (query, keys + i * stride, head_size) / sqrt (head_size);
    softmax (scores, n_keys);
    for (guint d = 0; d < head_size; d++) {
        double sum = 0.0;
        for (guint i = 0; i < n_keys; i++)
            sum += scores[i] * values[i * stride + d];
        out[d] = (float)sum;
    }
}

static void
reference_attention (const AltclipAttention *attention, guint first, guint last, float *scratch)
{
    gsize width = attention->width;
    gsize stride = 3 * width;
    guint head_size = attention->width / attention->n_heads;
    const AltclipSequences *sequences = attention->sequences;

    for (guint item = first; item < last; item++) {
        guint s = item / attention->n_heads;
        gsize column = (gsize)(item % attention->n_heads) * head_size;
        const float *qkv = attention->qkv + sequences->offsets[s] * stride + column;
        float *out = attention->out + sequences->offsets[s] * width + column;
        guint rows = sequences->offsets[s + 1] - sequences->offsets[s];

        for (guint row = 0; row < rows; row++)
            attend (qkv + row * stride, qkv + width, qkv + 2 * width, sequences->n_attended[s],
                    stride, head_size, (double *)(void *)scratch, out + row * width);
    }
}

const AltclipKernels altclip_kernels_reference = {
    .name = "reference",
    .probe = reference_probe,
    .packed_size = altclip_plain_packed_size,
    .pack = altclip_plain_pack,
    .norm = reference_norm,
    .linear = reference_linear,
    .attention_scratch = reference_attention_scratch,
    .attention = reference_attention,
};
