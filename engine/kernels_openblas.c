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

/* Layout: the weights as they are, [n, k] floats; OpenBLAS packs panels of them at each call. */
static gsize
openblas_packed_size (guint n, guint k)
{
    return (gsize)n * k * sizeof (float);
}

static void
openblas_pack (
        void *packed, G_GNUC_UNUSED guint n, guint k, guint n0, const AltclipStoredTensor *weights)
{
    altclip_stored_tensor_read (weights, 0, weights->n_elements, (float *)packed + (gsize)n0 * k);
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

static gsize
openblas_attention_scratch (guint longest)
{
    return (gsize)longest * longest;
}

/* One head of one sequence: scores [rows, n_keys] in scratch, softmax by row, weighted sum. */
static void
attend (const float *qkv, guint width, guint head_size, guint rows, guint n_keys, float *scores,
        float *out)
{
    blasint stride = (blasint)(3 * width);

    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)n_keys,
            (blasint)head_size, 1.0f / sqrtf ((float)head_size), qkv, stride, qkv + width, stride,
            0.0f, scores, (blasint)n_keys);
    for (gsize row = 0; row < rows; row++)
        altclip_softmax (scores + row * n_keys, n_keys);
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)head_size,
            (blasint)n_keys, 1.0f, scores, (blasint)n_keys, qkv + 2 * width, stride, 0.0f, out,
            (blasint)width);
}

static void
openblas_attention (const AltclipAttention *attention, guint first, guint last, float *scratch)
{
    gsize width = attention->width;
    guint head_size = attention->width / attention->n_heads;
    const AltclipSequences *sequences = attention->sequences;

    for (guint item = first; item < last; item++) {
        guint s = item / attention->n_heads;
        gsize column = (gsize)(item % attention->n_heads) * head_size;
        gsize row = sequences->offsets[s];

        attend (attention->qkv + row * 3 * width + column, attention->width, head_size,
                sequences->offsets[s + 1] - sequences->offsets[s], sequences->n_attended[s],
                scratch, attention->out + row * width + column);
    }
}

const AltclipKernels altclip_kernels_openblas = {
    .name = "openblas",
    .probe = openblas_probe,
    .packed_size = openblas_packed_size,
    .pack = openblas_pack,
    .norm = openblas_norm,
    .linear = openblas_linear,
    .attention_scratch = openblas_attention_scratch,
    .attention = openblas_attention,
};
