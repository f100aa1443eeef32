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
reference_attention_scratch (
        G_GNUC_UNUSED const AltclipKernels *kernels, const AltclipAttention *attention)
{
    return 2 * (gsize)attention->sequences->longest; /* one row of scores, in double */
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

/* Row and key count from the sequence's begin. */
static double
score (const AltclipHead *head, const AltclipDistances *distances, gsize row, gsize key)
{
    const float *q = head->queries + row * head->stride;
    const float *k = head->keys + key * head->stride;
    double sum = dot (q, k, head->head_size);

    if (distances) {
        const float *e = distances->table + (distances->n - 1 + row - key) * head->head_size;

        sum += dot (q, e, head->head_size);
        if (distances->with_keys)
            sum += dot (k, e, head->head_size);
    }
    return sum / sqrt (head->head_size);
}

/* One query of one head against all keys of its sequence, of which one at least is not masked. */
static void
attend (const AltclipHead *head, const AltclipDistances *distances, gsize row, double *scores)
{
    for (guint key = 0; key < head->n_keys; key++)
        scores[key] =
                head->mask && !head->mask[key] ? -HUGE_VAL : score (head, distances, row, key);
    softmax (scores, head->n_keys);
    for (guint d = 0; d < head->head_size; d++) {
        double sum = 0.0;
        for (guint key = 0; key < head->n_keys; key++)
            sum += scores[key] * head->values[key * head->stride + d];
        head->out[row * head->out_stride + d] = (float)sum;
    }
    for (guint key = 0; head->probabilities && key < head->n_keys; key++)
        head->probabilities[row * head->probabilities_stride + key] = (float)scores[key];
}

static void
reference_attention (G_GNUC_UNUSED const AltclipKernels *kernels, const AltclipAttention *attention,
        guint first, guint last, float *scratch)
{
    for (guint number = first; number < last; number++) {
        AltclipHead head = altclip_attention_get_head (attention, number);

        for (guint row = 0; row < head.rows; row++)
            attend (&head, attention->distances, row, (double *)(void *)scratch);
    }
}

const AltclipKernels altclip_kernels_reference = {
    .name = "reference",
    .precision = ALTCLIP_PRECISION_F32,
    .probe = reference_probe,
    .packed_size = altclip_plain_packed_size,
    .pack = altclip_plain_pack,
    .norm = reference_norm,
    .linear = reference_linear,
    .attention_scratch = reference_attention_scratch,
    .attention = reference_attention,
};
