/* altclip: f32 kernels on OpenBLAS
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library holds a private copy of OpenBLAS's pthread flavour, set to one thread: our own pool
 * splits the work, and the host's BLAS settings and ours cannot meet. The serial flavour is
 * refused, since it answers wrong when two threads call it at once.
 */

#include "kernels.h"

#include <cblas.h>
#include <math.h>

static gboolean
openblas_probe (GError **error)
{
    static gsize once = 0;

    if (openblas_get_parallel () == OPENBLAS_SEQUENTIAL) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                "kernels 'openblas': this is OpenBLAS's serial flavour (openblas_get_parallel() "
                "is 0), which is not safe to call from several threads");
        return FALSE;
    }
    if (g_once_init_enter (&once)) {
        openblas_set_num_threads (1);
        g_once_init_leave (&once, 1);
    }
    return TRUE;
}

/* Sums in 16 lanes, which the compiler keeps in vector registers; a plain float sum may not be
 * reordered. */
#define LANES 16

static float
sum_lanes (const float *lanes)
{
    double sum = 0.0;

    for (guint i = 0; i < LANES; i++)
        sum += lanes[i];
    return (float)sum;
}

static float
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

static float
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

static void
openblas_norm (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out)
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

static void
finish_row (float *row, const float *bias, guint n, AltclipActivation activation)
{
    if (bias)
        for (guint i = 0; i < n; i++)
            row[i] += bias[i];
    altclip_activation_apply (activation, row, n);
}

static void
openblas_linear (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    const float *weights = (const float *)linear->packed + (gsize)n0 * linear->k;
    guint n = n1 - n0;

    g_assert (!epilogue->accumulate || epilogue->activation == ALTCLIP_ACTIVATION_NONE);
    if (n == 0)
        return;
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n,
            (blasint)linear->k, 1.0f, x, (blasint)linear->k, weights, (blasint)linear->k,
            epilogue->accumulate ? 1.0f : 0.0f, out + n0, (blasint)out_stride);
    for (gsize row = 0; row < m; row++)
        finish_row (out + row * out_stride + n0, linear->bias ? linear->bias + n0 : NULL, n,
                epilogue->activation);
}

/* Queries whose scores are held at a time, so that scratch grows with the tokens, not their square.
 */
#define QUERY_BLOCK 256

static gsize
openblas_attention_scratch (guint longest)
{
    return (gsize)MIN (longest, QUERY_BLOCK) * longest;
}

/* Some queries of one head: scores [rows, n_keys] in scratch, softmax by row, weighted sum. */
static void
attend (const float *queries, const float *keys, const float *values, guint width, guint head_size,
        guint rows, guint n_keys, float *scores, float *out)
{
    blasint stride = (blasint)(3 * width);

    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)n_keys,
            (blasint)head_size, 1.0f / sqrtf ((float)head_size), queries, stride, keys, stride,
            0.0f, scores, (blasint)n_keys);
    for (gsize row = 0; row < rows; row++)
        altclip_softmax (scores + row * n_keys, n_keys);
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)head_size,
            (blasint)n_keys, 1.0f, scores, (blasint)n_keys, values, stride, 0.0f, out,
            (blasint)width);
}

/* One head of one sequence. */
static void
attend_in_blocks (const AltclipAttention *attention, guint s, guint head, float *scratch)
{
    gsize width = attention->width;
    guint head_size = attention->width / attention->n_heads;
    guint rows = attention->sequences->offsets[s + 1] - attention->sequences->offsets[s];
    gsize first = attention->sequences->offsets[s];
    const float *qkv = attention->qkv + first * 3 * width + (gsize)head * head_size;
    float *out = attention->out + first * width + (gsize)head * head_size;

    for (gsize row = 0; row < rows; row += QUERY_BLOCK)
        attend (qkv + row * 3 * width, qkv + width, qkv + 2 * width, attention->width, head_size,
                MIN (rows - (guint)row, QUERY_BLOCK), attention->sequences->n_attended[s], scratch,
                out + row * width);
}

static void
openblas_attention (const AltclipAttention *attention, guint first, guint last, float *scratch)
{
    for (guint item = first; item < last; item++)
        attend_in_blocks (attention, item / attention->n_heads, item % attention->n_heads, scratch);
}

const AltclipKernels altclip_kernels_openblas = {
    .name = "openblas",
    .probe = openblas_probe,
    .packed_size = altclip_plain_packed_size,
    .pack = altclip_plain_pack,
    .norm = openblas_norm,
    .linear = openblas_linear,
    .attention_scratch = openblas_attention_scratch,
    .attention = openblas_attention,
};
