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
#include <string.h>

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

/* Scores of a block of queries; and the products of the queries or keys with the distances'
 * vectors.
 */
static gsize
openblas_attention_scratch (
        G_GNUC_UNUSED const AltclipKernels *kernels, const AltclipAttention *attention)
{
    gsize longest = attention->sequences->longest;
    gsize block = MIN (longest, QUERY_BLOCK);

    return block * longest + (attention->distances ? longest * (block + longest - 1) : 0);
}

/* @out [m, n] = x·yᵀ/√d, for rows of @x that are @stride floats apart. */
static void
multiply_scaled (const AltclipHead *head, const float *x, guint m, const float *y, gsize y_stride,
        guint n, float *out)
{
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n,
            (blasint)head->head_size, 1.0f / sqrtf ((float)head->head_size), x,
            (blasint)head->stride, y, (blasint)y_stride, 0.0f, out, (blasint)n);
}

/* Adds q·E and k·E to the scores [rows, n_keys] of the queries from @first on. The vectors E that
 * they need are neighbours in the table, whose order is the queries' and not the keys'. */
static void
add_distances (const AltclipHead *head, const AltclipDistances *distances, guint first, guint rows,
        float *scores, float *products)
{
    gsize n_keys = head->n_keys;
    gsize n = rows + n_keys - 1;
    const float *table =
            distances->table + (distances->n - 1 + first - (n_keys - 1)) * head->head_size;

    multiply_scaled (head, head->queries + first * head->stride, rows, table, head->head_size,
            (guint)n, products);
    for (gsize row = 0; row < rows; row++)
        for (gsize key = 0; key < n_keys; key++)
            scores[row * n_keys + key] += products[row * n + row + n_keys - 1 - key];
    if (!distances->with_keys)
        return;
    multiply_scaled (head, head->keys, head->n_keys, table, head->head_size, (guint)n, products);
    for (gsize row = 0; row < rows; row++)
        for (gsize key = 0; key < n_keys; key++)
            scores[row * n_keys + key] += products[key * n + row + n_keys - 1 - key];
}

/* The queries from @first on: scores [rows, n_keys] in scratch, softmax by row, weighted sum. */
static void
attend (const AltclipHead *head, const AltclipDistances *distances, guint first, guint rows,
        float *scratch)
{
    guint n_keys = head->n_keys;

    multiply_scaled (head, head->queries + first * head->stride, rows, head->keys, head->stride,
            n_keys, scratch);
    if (distances)
        add_distances (head, distances, first, rows, scratch, scratch + (gsize)rows * n_keys);
    for (gsize row = 0; row < rows; row++) {
        altclip_softmax (scratch + row * n_keys, n_keys, 1.0f);
        if (head->probabilities)
            memcpy (head->probabilities + (first + row) * head->probabilities_stride,
                    scratch + row * n_keys, n_keys * sizeof (float));
    }
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)head->head_size,
            (blasint)n_keys, 1.0f, scratch, (blasint)n_keys, head->values, (blasint)head->stride,
            0.0f, head->out + first * head->out_stride, (blasint)head->out_stride);
}

static void
openblas_attention (G_GNUC_UNUSED const AltclipKernels *kernels, const AltclipAttention *attention,
        guint first, guint last, float *scratch)
{
    for (guint number = first; number < last; number++) {
        AltclipHead head = altclip_attention_get_head (attention, number);

        for (guint row = 0; row < head.rows; row += QUERY_BLOCK)
            attend (&head, attention->distances, row, MIN (head.rows - row, QUERY_BLOCK), scratch);
    }
}

const AltclipKernels altclip_kernels_openblas = {
    .name = "openblas",
    .precision = ALTCLIP_PRECISION_F32,
    .probe = openblas_probe,
    .packed_size = altclip_plain_packed_size,
    .pack = altclip_plain_pack,
    .norm = altclip_norm_rows,
    .linear = openblas_linear,
    .attention_scratch = openblas_attention_scratch,
    .attention = openblas_attention,
};
