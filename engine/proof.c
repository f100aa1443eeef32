/* altclip: whether a kernel set computes right on this CPU
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Old builds of libraries answer wrong on some newer CPUs, or when two threads call them at once.
 */

#include "proof.h"
#include "noise.h"
#include "pool.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- Known matrices -------------------------------------------------------------------------- */

/* Numbers that bfloat16 and 8-bit integers hold exactly, so that products of them are right in any
 * precision: multiples of 2⁻⁷ from −127 to @largest of them. Each row has the least, and then the
 * largest, somewhere: they are what integers are scaled by. */
static float *
random_short_matrix (guint rows, guint columns, gint largest, guint32 *state)
{
    float *matrix = altclip_aligned_alloc ((gsize)rows * columns * sizeof (float));

    for (gsize row = 0; row < rows; row++) {
        float *numbers = matrix + row * columns;
        guint end = *state % columns;

        for (guint i = 0; i < columns; i++)
            numbers[i] = floorf (altclip_noise_next (state) * 127.0f + 0.5f) / 128.0f;
        numbers[end] = -127.0f / 128.0f;
        numbers[(end + 1) % columns] = (float)largest / 128.0f;
    }
    return matrix;
}

static float *
random_matrix (guint rows, guint columns, guint32 *state)
{
    gsize n = (gsize)rows * columns;
    float *matrix = altclip_aligned_alloc (n * sizeof (float));

    for (gsize i = 0; i < n; i++)
        matrix[i] = altclip_noise_next (state);
    return matrix;
}

/* ---- Two threads ----------------------------------------------------------------------------- */

typedef gboolean (*ProofFunc) (const AltclipKernels *kernels, gconstpointer shape, guint32 seed);

typedef struct {
    ProofFunc func;
    const AltclipKernels *kernels;
    gconstpointer shape;
} Proof;

static gpointer
prove_in_thread (gpointer data)
{
    const Proof *proof = data;

    return GINT_TO_POINTER (proof->func (proof->kernels, proof->shape, 2));
}

/* Where the system gives no second thread, nobody will call the kernels from two. */
static gboolean
prove_in_two_threads (ProofFunc func, const AltclipKernels *kernels, gconstpointer shape)
{
    Proof there = { func, kernels, shape };
    GThread *thread = g_thread_try_new ("altclip-proof", prove_in_thread, &there, NULL);
    gboolean here = func (kernels, shape, 1);

    return thread ? GPOINTER_TO_INT (g_thread_join (thread)) && here : here;
}

/* ---- Products -------------------------------------------------------------------------------- */

/* A factor for each row, as good as random: 0.5 to 1.5 of either sign, so that one error never
 * hides another that is as large. */
static double
factor_of (guint row)
{
    guint32 hash = row * 2654435761u;

    return (hash >> 31 ? -1.0 : 1.0) * (0.5 + (double)(hash >> 15 & 0xffff) / 0x10000);
}

/* Returns: (transfer full): [columns], the sum of the rows of @matrix, each times its factor */
static double *
sum_rows (const float *matrix, guint rows, guint columns)
{
    double *sums = g_new0 (double, columns);

    for (guint row = 0; row < rows; row++)
        for (guint i = 0; i < columns; i++)
            sums[i] += factor_of (row) * matrix[(gsize)row * columns + i];
    return sums;
}

/* Freivalds' check: x·(Wᵀ·s) is (x·Wᵀ)·s for any s, at the cost of no product of matrices. Every
 * output counts, and a wrong one shows: the rounding errors of a row add up to about k·ε·√n, while
 * an output that is wrong is so by about √k/3. */
static gboolean
rows_are_right (const AltclipProductShape *shape, const float *x, const double *summed_weights,
        const float *out, double already)
{
    double bound = 24.0 * FLT_EPSILON * (shape->k + 4.0) * sqrt (shape->n);

    for (gsize row = 0; row < shape->m; row++) {
        double expected = 0.0;
        double found = 0.0;

        for (guint i = 0; i < shape->k; i++)
            expected += x[row * shape->k + i] * summed_weights[i];
        for (guint n = 0; n < shape->n; n++)
            found += factor_of (n) * (out[row * shape->n + n] - already);
        if (!(fabs (expected - found) <= bound))
            return FALSE;
    }
    return TRUE;
}

/* As the pool calls it: ranges of columns, once over what is no number and once on top of what is.
 */
static gboolean
prove_packed (const AltclipLinear *linear, const AltclipProductShape *shape, const float *x,
        const double *summed_weights, float *out)
{
    float *prepared = altclip_kernels_prepare (linear->kernels, x, shape->m, shape->k);
    gboolean right = TRUE;

    for (guint accumulate = 0; right && accumulate < 2; accumulate++) {
        AltclipEpilogue epilogue = { ALTCLIP_ACTIVATION_NONE, accumulate };
        const float already = accumulate ? 0.25f : NAN;

        for (gsize i = 0; i < (gsize)shape->m * shape->n; i++)
            out[i] = already;
        for (guint share = 0; share < 3; share++) {
            guint n0;
            guint n1;

            altclip_pool_share (shape->n, ALTCLIP_LINEAR_GRAIN, share, 3, &n0, &n1);
            if (n0 < n1)
                linear->kernels->linear (
                        linear, prepared, shape->m, n0, n1, &epilogue, out, shape->n);
        }
        right = rows_are_right (shape, x, summed_weights, out, accumulate ? 0.25 : 0.0);
    }
    altclip_aligned_free (prepared);
    return right;
}

static gboolean
prove_product (const AltclipKernels *kernels, gconstpointer data, guint32 seed)
{
    const AltclipProductShape *shape = data;
    float *x = random_short_matrix (shape->m, shape->k, 128, &seed);
    float *weights = random_short_matrix (shape->n, shape->k, 127, &seed);
    g_autofree double *summed_weights = sum_rows (weights, shape->n, shape->k);
    float *out = altclip_aligned_alloc ((gsize)shape->m * shape->n * sizeof (float));
    AltclipStoredTensor stored = altclip_stored_tensor_of_matrix (weights, shape->n, shape->k);
    void *packed = altclip_aligned_alloc (kernels->packed_size (kernels, shape->n, shape->k));
    AltclipLinear linear = { kernels, shape->n, shape->k, packed, NULL, FALSE };
    gboolean right;

    kernels->pack (kernels, packed, shape->n, shape->k, 0, &stored);
    right = prove_packed (&linear, shape, x, summed_weights, out);
    altclip_aligned_free (packed);
    altclip_aligned_free (out);
    altclip_aligned_free (weights);
    altclip_aligned_free (x);
    return right;
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* Rows and multiplications of the part of an attention that is looked at. */
#define MAX_ROWS 300
#define MAX_WORK 2.5e7

static guint
find_rows (const AltclipAttentionShape *shape)
{
    guint head_size = shape->width / shape->n_heads;
    guint cheap = (guint)sqrt (MAX_WORK / head_size) + 1;

    return MIN (MIN (shape->rows, MAX_ROWS), cheap);
}

/* The last head, whose columns end with the rows. Returns: (transfer full): its [rows, head size]
 * as @kernels have it */
static float *
attend (const AltclipKernels *kernels, const AltclipAttentionShape *shape, guint rows, guint32 seed)
{
    guint head_size = shape->width / shape->n_heads;
    guint offsets[] = { 0, rows };
    const AltclipSequences sequences = { 1, offsets, &rows, rows, NULL };
    float *qkv = random_matrix (rows, 3 * shape->width, &seed);
    AltclipDistances distances = { random_matrix (2 * rows - 1, head_size, &seed), rows,
        shape->positions == ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY };
    float *out = altclip_aligned_alloc ((gsize)rows * shape->width * sizeof (float));
    AltclipAttention attention = { qkv, out, shape->width, shape->n_heads, &sequences,
        shape->positions == ALTCLIP_POSITIONS_ABSOLUTE ? NULL : &distances, NULL };
    float *scratch = altclip_aligned_alloc (
            kernels->attention_scratch (kernels, &attention) * sizeof (float));

    kernels->attention (kernels, &attention, shape->n_heads - 1, shape->n_heads, scratch);
    for (gsize row = 0; row < rows; row++)
        memmove (out + row * head_size, out + (row + 1) * shape->width - head_size,
                head_size * sizeof (float));
    altclip_aligned_free (scratch);
    altclip_aligned_free (distances.table);
    altclip_aligned_free (qkv);
    return out;
}

/* Scores are sums of at most three products of head_size numbers below 1, over √head_size: what a
 * weighted sum of values is off by grows with them. */
static gboolean
prove_attention (const AltclipKernels *kernels, gconstpointer data, guint32 seed)
{
    const AltclipAttentionShape *shape = data;
    guint head_size = shape->width / shape->n_heads;
    guint rows = find_rows (shape);
    float *found = attend (kernels, shape, rows, seed);
    float *expected = attend (&altclip_kernels_reference, shape, rows, seed);
    double bound = 16.0 * FLT_EPSILON * (1.0 + sqrt (head_size));
    gboolean right = TRUE;

    for (gsize i = 0; i < (gsize)rows * head_size; i++) {
        if (!(fabs (found[i] - expected[i]) <= bound))
            right = FALSE;
    }
    altclip_aligned_free (found);
    altclip_aligned_free (expected);
    return right;
}

/* ---- Public ---------------------------------------------------------------------------------- */

static gboolean
check_product (const AltclipKernels *kernels, const AltclipProductShape *shape, GError **error)
{
    if (prove_in_two_threads (prove_product, kernels, shape))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels '%s' give wrong products [%u × %u] · [%u × %u] on this CPU", kernels->name,
            shape->m, shape->k, shape->k, shape->n);
    return FALSE;
}

static gboolean
check_attention (const AltclipKernels *kernels, const AltclipAttentionShape *shape, GError **error)
{
    if (prove_in_two_threads (prove_attention, kernels, shape))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels '%s' give wrong attention over %u rows of %u / %u numbers on this CPU",
            kernels->name, find_rows (shape), shape->width, shape->n_heads);
    return FALSE;
}

gboolean
altclip_kernels_prove (const AltclipKernels *kernels, const AltclipKernelShapes *shapes,
        GCancellable *cancellable, GError **error)
{
    for (gsize i = 0; i < shapes->n_products; i++) {
        if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
                !check_product (kernels, &shapes->products[i], error))
            return FALSE;
    }
    return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
           check_attention (kernels, &shapes->attention, error);
}
