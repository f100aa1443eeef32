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
 * precision: multiples of 2⁻⁷. Each row has somewhere what integers are scaled by. */

static float
random_short (guint32 *state, float largest)
{
    return floorf (altclip_noise_next (state) * largest + 0.5f);
}

/* From −127 to 128 of them. */
static float *
random_inputs (guint rows, guint columns, guint32 *state)
{
    float *matrix = altclip_aligned_alloc ((gsize)rows * columns * sizeof (float));

    for (gsize row = 0; row < rows; row++) {
        float *numbers = matrix + row * columns;
        guint end = *state % columns;

        for (guint i = 0; i < columns; i++)
            numbers[i] = random_short (state, 127.0f) / 128.0f;
        numbers[end] = -127.0f / 128.0f;
        numbers[(end + 1) % columns] = 1.0f;
    }
    return matrix;
}

/* Pairs of together at most 127 of them. */
static float *
random_weights (guint rows, guint columns, guint32 *state)
{
    float *matrix = altclip_aligned_alloc ((gsize)rows * columns * sizeof (float));

    for (gsize row = 0; row < rows; row++) {
        float *numbers = matrix + row * columns;
        guint end = *state % columns;

        for (guint i = 0; i < columns; i++) {
            float left = i % 2 ? 127.0f - 128.0f * fabsf (numbers[i - 1]) : 127.0f;

            numbers[i] = random_short (state, left) / 128.0f;
        }
        if ((end ^ 1) < columns)
            numbers[end ^ 1] = 0.0f;
        numbers[end] = -127.0f / 128.0f;
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

/* Outputs n0 ≤ n < n1 of a product. */
typedef struct {
    guint n0;
    guint n1;
} Span;

#define N_SPANS 3

/* Of a product that is computed in part: some panels of every set, more than are multiplied at a
 * time. */
#define SPAN_OUTPUTS (3 * ALTCLIP_LINEAR_GRAIN)

/* Multiplications of a product that is computed whole whatever the set. */
#define MAX_WHOLE_WORK 64e6

/* Whether the set multiplies one group of panels of weights after another, each with the whole
 * input and by the same instructions, so that some panels prove all. A library goes about a product
 * as it likes, and what few rows there are may meet all weights at once. */
static gboolean
goes_by_panels (const AltclipKernels *kernels, const AltclipProductShape *shape)
{
    return kernels->tiling && (double)shape->m * shape->n * shape->k > MAX_WHOLE_WORK &&
           shape->n > 4 * SPAN_OUTPUTS;
}

/* All outputs, in shares as the pool makes them; or the first, some in the middle, and the last
 * with those that the last panel has too many. */
static void
find_spans (const AltclipKernels *kernels, const AltclipProductShape *shape, Span spans[N_SPANS])
{
    const guint grain = ALTCLIP_LINEAR_GRAIN;
    guint middle = shape->n / 2 / grain * grain;
    guint last = (shape->n - 1) / grain * grain + grain - SPAN_OUTPUTS;

    if (!goes_by_panels (kernels, shape)) {
        for (guint i = 0; i < N_SPANS; i++)
            altclip_pool_share (shape->n, grain, i, N_SPANS, &spans[i].n0, &spans[i].n1);
        return;
    }
    spans[0] = (Span){ 0, SPAN_OUTPUTS };
    spans[1] = (Span){ middle, middle + SPAN_OUTPUTS };
    spans[2] = (Span){ last, shape->n };
}

/* A product that is computed in its spans: their weights one after the other, and all outputs. */
typedef struct {
    const AltclipProductShape *shape;
    Span spans[N_SPANS];
    guint n_columns; /* of all spans */
    float *x;        /* [m, k] */
    float *weights;  /* [n_columns, k] */
    double *summed;  /* [k]: of the weights, see sum_rows() */
    float *out;      /* [m, n] */
} Product;

static void
product_init (Product *product, const AltclipKernels *kernels, const AltclipProductShape *shape,
        guint32 seed)
{
    product->shape = shape;
    product->n_columns = 0;
    find_spans (kernels, shape, product->spans);
    for (guint i = 0; i < N_SPANS; i++)
        product->n_columns += product->spans[i].n1 - product->spans[i].n0;
    product->x = random_inputs (shape->m, shape->k, &seed);
    product->weights = random_weights (product->n_columns, shape->k, &seed);
    product->summed = sum_rows (product->weights, product->n_columns, shape->k);
    product->out = altclip_aligned_alloc ((gsize)shape->m * shape->n * sizeof (float));
}

static void
product_clear (Product *product)
{
    altclip_aligned_free (product->out);
    g_free (product->summed);
    altclip_aligned_free (product->weights);
    altclip_aligned_free (product->x);
}

/* Returns: (transfer full): [n, k] as @kernels have it, of which the spans are there */
static void *
pack_spans (const Product *product, const AltclipKernels *kernels)
{
    guint n = product->shape->n;
    guint k = product->shape->k;
    void *packed = altclip_aligned_alloc (kernels->packed_size (kernels, n, k));
    float *weights = product->weights;

    for (guint i = 0; i < N_SPANS; i++) {
        guint n_rows = product->spans[i].n1 - product->spans[i].n0;
        AltclipStoredTensor stored = altclip_stored_tensor_of_matrix (weights, n_rows, k);

        if (n_rows > 0)
            kernels->pack (kernels, packed, n, k, product->spans[i].n0, &stored);
        weights += (gsize)n_rows * k;
    }
    return packed;
}

/* Freivalds' check: x·(Wᵀ·s) is (x·Wᵀ)·s for any s, at the cost of no product of matrices. Every
 * output counts, and a wrong one shows: the rounding errors of a row add up to about k·ε·√n, while
 * an output that is wrong is so by about √k/3. */
static gboolean
row_is_right (const Product *product, gsize row, double already)
{
    const AltclipProductShape *shape = product->shape;
    double bound = 24.0 * FLT_EPSILON * (shape->k + 4.0) * sqrt (product->n_columns);
    double expected = 0.0;
    double found = 0.0;
    guint column = 0;

    for (guint i = 0; i < shape->k; i++)
        expected += product->x[row * shape->k + i] * product->summed[i];
    for (guint i = 0; i < N_SPANS; i++)
        for (guint n = product->spans[i].n0; n < product->spans[i].n1; n++)
            found += factor_of (column++) * (product->out[row * shape->n + n] - already);
    return fabs (expected - found) <= bound;
}

/* Whether what lies between the spans is still what it was: all bits of it, since it may be no
 * number. */
static gboolean
row_is_left_alone (const Product *product, gsize row, float already)
{
    const float *out = product->out + row * product->shape->n;

    for (guint i = 0; i + 1 < N_SPANS; i++)
        for (guint n = product->spans[i].n1; n < product->spans[i + 1].n0; n++)
            if (memcmp (&out[n], &already, sizeof already) != 0)
                return FALSE;
    return TRUE;
}

static gboolean
rows_are_right (const Product *product, float already, gboolean accumulate)
{
    for (gsize row = 0; row < product->shape->m; row++) {
        if (!row_is_right (product, row, accumulate ? already : 0.0) ||
                !row_is_left_alone (product, row, already))
            return FALSE;
    }
    return TRUE;
}

/* As the pool calls it: ranges of columns, once over what is no number and once on top of what is.
 */
static gboolean
prove_packed (const AltclipLinear *linear, const Product *product)
{
    guint m = product->shape->m;
    float *prepared = altclip_kernels_prepare (linear->kernels, product->x, m, linear->k);
    gboolean right = TRUE;

    for (guint accumulate = 0; right && accumulate < 2; accumulate++) {
        AltclipEpilogue epilogue = { ALTCLIP_ACTIVATION_NONE, accumulate };
        const float already = accumulate ? 0.25f : NAN;

        for (gsize i = 0; i < (gsize)m * linear->n; i++)
            product->out[i] = already;
        for (guint i = 0; i < N_SPANS; i++) {
            if (product->spans[i].n0 < product->spans[i].n1)
                linear->kernels->linear (linear, prepared, m, product->spans[i].n0,
                        product->spans[i].n1, &epilogue, product->out, linear->n);
        }
        right = rows_are_right (product, already, accumulate);
    }
    altclip_aligned_free (prepared);
    return right;
}

static gboolean
prove_product (const AltclipKernels *kernels, gconstpointer data, guint32 seed)
{
    const AltclipProductShape *shape = data;
    Product product;
    AltclipLinear linear = { kernels, shape->n, shape->k, NULL, NULL, FALSE };
    gboolean right;

    product_init (&product, kernels, shape, seed);
    linear.packed = pack_spans (&product, kernels);
    right = prove_packed (&linear, &product);
    altclip_linear_clear (&linear);
    product_clear (&product);
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
