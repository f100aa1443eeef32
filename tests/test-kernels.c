/* altclip: every kernel set against the reference
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bfloat16.h"
#include "emulated.h"
#include "kernels.h"
#include "packed.h"
#include "proof.h"
#include "quantised.h"
#include "trial.h"
#include "workspace.h"

#include <cblas.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef float (*FillFunc) (guint32 *state);

static float
fill_uniform (guint32 *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(gint32)*state * 0x1p-31f;
}

/* Magnitudes from 2⁻⁶⁰ to 2⁶⁰, so that sums lose digits but do not overflow. */
static float
fill_extreme (guint32 *state)
{
    float mantissa = fill_uniform (state);

    return ldexpf (mantissa, (int)(fill_uniform (state) * 60.0f));
}

static float
fill_denormal (guint32 *state)
{
    return fill_uniform (state) * 0x1p-130f;
}

static float
fill_nan (G_GNUC_UNUSED guint32 *state)
{
    return NAN;
}

static const struct {
    const char *name;
    FillFunc fill;
} FILLS[] = {
    { "uniform", fill_uniform },
    { "extreme", fill_extreme },
    { "denormal", fill_denormal },
};

static float *
new_matrix (gsize n, FillFunc fill, guint32 *state)
{
    float *matrix = altclip_aligned_alloc (n * sizeof (float));

    for (gsize i = 0; i < n; i++)
        matrix[i] = fill (state);
    return matrix;
}

static void
shorten_to_bfloat16 (float *matrix, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        guint16 rounded;

        altclip_bfloat16_round (&matrix[i], 1, &rounded);
        matrix[i] = altclip_bfloat16_widen (rounded);
    }
}

/* Multiples of a power of two from −127 to 128 of them, both among them, so that a step of the
 * integers is just that. */
static void
shorten_to_inputs (float *row, guint n, guint seed)
{
    float magnitude = 0.0f;
    float step;
    int exponent;

    for (guint i = 0; i < n; i++)
        magnitude = MAX (magnitude, fabsf (row[i]));
    frexpf (magnitude / 127.0f, &exponent);
    step = ldexpf (1.0f, exponent);
    for (guint i = 0; i < n; i++)
        row[i] = rintf (row[i] / step) * step;
    row[seed % n] = -127.0f * step;
    if (n > 1)
        row[(seed + 1) % n] = 128.0f * step;
}

/* The same of weights: no pair is more than 127 of them together, and one is. */
static void
shorten_to_weights (float *row, guint n, guint seed)
{
    float magnitude = 0.0f;
    float step;
    int exponent;

    for (guint i = 0; i < n; i += 2)
        magnitude = MAX (magnitude, fabsf (row[i]) + (i + 1 < n ? fabsf (row[i + 1]) : 0.0f));
    frexpf (magnitude / 127.0f, &exponent);
    step = ldexpf (1.0f, exponent);
    for (guint i = 0; i < n; i++) {
        float left = i % 2 ? 127.0f - fabsf (row[i - 1] / step) : 127.0f;

        row[i] = CLAMP (rintf (row[i] / step), -left, left) * step;
    }
    if (((seed % n) ^ 1) < n)
        row[(seed % n) ^ 1] = 0.0f;
    row[seed % n] = -127.0f * step;
}

/* What the set can hold of @matrix: bf16 and int8 are right for numbers that are such. */
static void
shorten_inputs_for (const AltclipKernels *kernels, float *matrix, guint rows, guint columns)
{
    if (kernels->precision == ALTCLIP_PRECISION_BF16)
        shorten_to_bfloat16 (matrix, (gsize)rows * columns);
    for (guint row = 0; kernels->precision == ALTCLIP_PRECISION_INT8 && row < rows; row++)
        shorten_to_inputs (matrix + (gsize)row * columns, columns, row);
}

static void
shorten_weights_for (const AltclipKernels *kernels, float *matrix, guint rows, guint columns)
{
    if (kernels->precision == ALTCLIP_PRECISION_BF16)
        shorten_to_bfloat16 (matrix, (gsize)rows * columns);
    for (guint row = 0; kernels->precision == ALTCLIP_PRECISION_INT8 && row < rows; row++)
        shorten_to_weights (matrix + (gsize)row * columns, columns, row);
}

static void
init_linear (AltclipLinear *linear, const AltclipKernels *kernels, guint n, guint k, float *weights,
        float *bias)
{
    AltclipStoredTensor stored = altclip_stored_tensor_of_matrix (weights, n, k);

    linear->kernels = kernels;
    linear->n = n;
    linear->k = k;
    linear->bias = bias;
    linear->has_gains = FALSE;
    linear->packed = altclip_aligned_alloc (kernels->packed_size (kernels, n, k));
    kernels->pack (kernels, linear->packed, n, k, 0, &stored);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void
test_memory (void)
{
    const gsize huge = 2 * 1024 * 1024;
    const gsize sizes[] = { 0, 1, 63, 64, 65, 4096, huge - 1, huge, huge + 1, 3 * huge + 4097 };
    guint8 *blocks[G_N_ELEMENTS (sizes)];

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        blocks[i] = altclip_aligned_alloc (sizes[i]);
        g_assert_cmpuint ((gsize)blocks[i] % 64, ==, 0);
        for (gsize at = 0; at < sizes[i]; at++) {
            if (blocks[i][at] != 0)
                g_error ("byte %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " is set", at, sizes[i]);
        }
        memset (blocks[i], 0xff, sizes[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
        altclip_aligned_free (blocks[i]);
    altclip_aligned_free (NULL);
}

/* ---- Two threads ----------------------------------------------------------------------------- */

typedef void (*CheckFunc) (const AltclipKernels *kernels);

typedef struct {
    CheckFunc check;
    const AltclipKernels *kernels;
} Check;

static gpointer
check_in_thread (gpointer data)
{
    const Check *check = data;

    check->check (check->kernels);
    return NULL;
}

/* A library may be right alone and wrong when two threads call it at once. With one processor they
 * would not: the emulated one is slow enough. */
static void
check_in_two_threads (CheckFunc func, const AltclipKernels *kernels)
{
    Check check = { func, kernels };
    GThread *thread = NULL;

    if (g_get_num_processors () > 1)
        thread = g_thread_new ("second", check_in_thread, &check);
    func (kernels);
    if (thread)
        g_thread_join (thread);
}

/* A mapped file, as weights are: its pages come back when they are let go. */
static const guint8 *
map_bytes (gconstpointer bytes, gsize n)
{
    int fd = memfd_create ("weights", MFD_CLOEXEC);
    void *mapped;

    g_assert_cmpint (write (fd, bytes, n), ==, (gssize)n);
    mapped = mmap (NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    g_assert_true (mapped != MAP_FAILED);
    close (fd);
    return mapped;
}

static const float *
map_weights (gsize n)
{
    guint32 state = 5;
    float *values = new_matrix (n, fill_uniform, &state);
    const guint8 *mapped = map_bytes (values, n * sizeof (float));

    altclip_aligned_free (values);
    return (const float *)(gconstpointer)mapped;
}

/* Large weights are packed some rows at a time, and lie as if they had been packed at once. */
static void
test_packing (gconstpointer data)
{
    const AltclipKernels *kernels = data;
    const guint rows[] = { 700, 1, 311 };
    const guint k = 1100;
    guint n = rows[0] + rows[1] + rows[2];
    gsize size = kernels->packed_size (kernels, n, k);
    guint8 *packed = altclip_aligned_alloc (size);
    const float *weights = map_weights ((gsize)n * k);
    AltclipStoredTensor parts[3];
    const AltclipStoredTensor *pointers[3] = { &parts[0], &parts[1], &parts[2] };
    AltclipLinear linear = { 0 };

    for (guint i = 0, n0 = 0; i < 3; n0 += rows[i++]) {
        parts[i] = altclip_stored_tensor_of_matrix (weights + (gsize)n0 * k, rows[i], k);
        kernels->pack (kernels, packed, n, k, n0, &parts[i]);
    }
    altclip_linear_init (&linear, kernels, pointers, NULL, 3);
    g_assert_cmpuint (linear.n, ==, n);
    g_assert_cmpuint (linear.k, ==, k);
    g_assert_true (memcmp (linear.packed, packed, size) == 0);
    altclip_linear_clear (&linear);
    munmap ((void *)weights, (gsize)n * k * sizeof (float));
    altclip_aligned_free (packed);
}

#define STORED_ROWS 4500
#define STORED_COLUMNS 270

/* Weights that a file has in fewer bits are packed as the floats that they stand for are. */
static void
check_packed_alike (const AltclipKernels *kernels, AltclipStoredTensor *stored, gpointer numbers)
{
    AltclipStoredTensor plain;
    const AltclipStoredTensor *part = stored;
    AltclipLinear linear = { 0 };
    gsize size = kernels->packed_size (kernels, STORED_ROWS, STORED_COLUMNS);
    void *packed = altclip_aligned_alloc (size);
    float *floats = altclip_aligned_alloc (stored->n_elements * sizeof (float));

    stored->data = map_bytes (numbers, stored->n_bytes);
    altclip_stored_tensor_read (stored, 0, stored->n_elements, floats);
    plain = altclip_stored_tensor_of_matrix (floats, STORED_ROWS, STORED_COLUMNS);
    kernels->pack (kernels, packed, STORED_ROWS, STORED_COLUMNS, 0, &plain);
    altclip_linear_init (&linear, kernels, &part, NULL, 1);
    g_assert_true (memcmp (linear.packed, packed, size) == 0);
    altclip_linear_clear (&linear);
    munmap ((void *)stored->data, stored->n_bytes);
    altclip_aligned_free (floats);
    altclip_aligned_free (packed);
}

/* Rows have a largest pair of 127 and powers of two as steps, so that both ways to them end the
 * same. */
static void
test_packing_of_few_bits (gconstpointer kernels)
{
    static gint8 integers[STORED_ROWS * STORED_COLUMNS];
    static guint16 halves[STORED_ROWS * STORED_COLUMNS];
    static float steps[STORED_ROWS];
    AltclipStoredTensor stored = {
        .n_dims = 2, .dims = { STORED_ROWS, STORED_COLUMNS }, .n_elements = G_N_ELEMENTS (integers)
    };

    for (guint i = 0; i < G_N_ELEMENTS (integers); i++) {
        guint column = i % STORED_COLUMNS;
        gint left = column % 2 ? 127 - ABS (MAX (integers[i - 1], -127)) : 0;

        integers[i] = (gint8)(column % 2 == 0 ? (gint)(i * 31 % 255) - 127
                              : i % 4 < 2     ? left
                                              : -left);
        if (column % 2 == 0 && i % 97 == 0)
            integers[i] = -128; /* that is −127 */
        halves[i] = (guint16)(0x3c00 + i * 77 % 0x4ff);
    }
    for (guint row = 0; row < STORED_ROWS; row++)
        steps[row] = ldexpf (1.0f, (gint)(row % 5) - 7);
    stored.dtype = ALTCLIP_DTYPE_BF16;
    stored.n_bytes = sizeof halves;
    check_packed_alike (kernels, &stored, halves);
    stored.dtype = ALTCLIP_DTYPE_I8;
    stored.n_bytes = sizeof integers;
    stored.steps = (const guint8 *)steps;
    check_packed_alike (kernels, &stored, integers);
}

/* ---- Linear ---------------------------------------------------------------------------------- */

/* The right value of an output, and the magnitude |x|·|w| + |b| that rounding is measured by. */
static double
find_output (const AltclipLinear *linear, const float *x, const float *w, guint column,
        double before, double *magnitude)
{
    double sum = linear->bias[column] + before;

    *magnitude = fabs (linear->bias[column]) + fabs (before);
    for (gsize i = 0; i < linear->k; i++) {
        sum += (double)x[i] * w[i];
        *magnitude += fabs ((double)x[i] * w[i]);
    }
    return sum;
}

/* What a set may lose of a sum: AMX takes one for zero that is no normal number. */
static double
find_loss (const AltclipKernels *kernels)
{
    return strcmp (kernels->name, "amx") == 0 ? FLT_MIN : 0.0;
}

/* The largest |difference| / magnitude over a product, computed in three ranges of columns so that
 * range ends are tested too. What the output held before counts only when it is added to: there may
 * even stand NaN. */
static double
compare_linear (const AltclipKernels *kernels, guint m, guint n, guint k, FillFunc fill,
        gboolean accumulate)
{
    guint32 state = m * 131 + n * 17 + k;
    float *x = new_matrix ((gsize)m * k, fill, &state);
    float *weights = new_matrix ((gsize)n * k, fill, &state);
    float *bias = new_matrix (n, fill, &state);
    float *out = new_matrix ((gsize)m * n, accumulate ? fill : fill_nan, &state);
    float *before = g_memdup2 (out, (gsize)m * n * sizeof (float));
    AltclipEpilogue epilogue = { ALTCLIP_ACTIVATION_NONE, accumulate };
    AltclipLinear linear;
    float *prepared;
    double worst = 0.0;

    shorten_inputs_for (kernels, x, m, k);
    shorten_weights_for (kernels, weights, n, k);
    init_linear (&linear, kernels, n, k, weights, bias);
    prepared = altclip_kernels_prepare (kernels, x, m, k);
    for (guint share = 0; share < 3; share++) {
        guint n0;
        guint n1;

        altclip_pool_share (n, ALTCLIP_LINEAR_GRAIN, share, 3, &n0, &n1);
        kernels->linear (&linear, prepared, m, n0, n1, &epilogue, out, n);
    }
    for (gsize row = 0; row < m; row++) {
        for (guint column = 0; column < n; column++) {
            double magnitude;
            double expected = find_output (&linear, x + row * k, weights + (gsize)column * k,
                    column, accumulate ? before[row * n + column] : 0.0, &magnitude);
            double error = (fabs (expected - out[row * n + column]) - find_loss (kernels)) /
                           MAX (magnitude, FLT_MIN);

            if (!(error <= worst)) /* NaN is the largest of all */
                worst = error;
        }
    }
    altclip_aligned_free (linear.packed);
    altclip_aligned_free (prepared);
    altclip_aligned_free (x);
    altclip_aligned_free (weights);
    altclip_aligned_free (bias);
    altclip_aligned_free (out);
    g_free (before);
    return worst;
}

static double
check_product (const AltclipKernels *kernels, guint m, guint n, guint k, double worst)
{
    for (gsize f = 0; f < G_N_ELEMENTS (FILLS); f++) {
        double error = compare_linear (kernels, m, n, k, FILLS[f].fill, (m + n + f) % 2 == 0);

        if (!(error <= 1e-6))
            g_error ("%s: [%u × %u]·[%u × %u], %s: %g of |x|·|w|", kernels->name, m, k, k, n,
                    FILLS[f].name, error);
        worst = MAX (worst, error);
    }
    return worst;
}

/* Small sizes with all kinds of tails; and larger ones than a library's blocks in each direction.
 */
static void
check_linear (const AltclipKernels *kernels)
{
    static const guint sizes[] = { 1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 65, 100 };
    static const guint large[][3] = { { 1, 1030, 770 }, { 530, 50, 70 }, { 67, 130, 1050 },
        { 257, 96, 192 }, { 5, 3, 5000 } };
    double worst = 0.0;

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS (sizes); j++)
            worst = check_product (kernels, sizes[i], sizes[j],
                    sizes[(i * 5 + j * 7) % G_N_ELEMENTS (sizes)], worst);
    }
    for (gsize i = 0; i < G_N_ELEMENTS (large); i++)
        worst = check_product (kernels, large[i][0], large[i][1], large[i][2], worst);
    g_test_message ("%s linear: largest difference %.2g of |x||w|", kernels->name, worst);
}

static void
test_linear (gconstpointer kernels)
{
    check_in_two_threads (check_linear, kernels);
}

/* Every height of a set's tiles with what is left of a step of their words, and of a panel. */
static void
test_tails (gconstpointer data)
{
    const AltclipKernels *kernels = data;

    for (guint m = 1; m <= kernels->tiling->max_rows + 1; m++) {
        for (guint k = 1 + m % 5; k <= 130; k += 5) {
            guint n = 1 + (7 * m + 3 * k) % (kernels->tiling->panel + 2);

            check_product (kernels, m, n, k, 0.0);
        }
    }
}

/* ---- Integers -------------------------------------------------------------------------------- */

/* What a row's integers are apart: its range, which has 0 in it, in 255 steps. */
static double
find_step (const float *x, guint n)
{
    double least = 0.0;
    double largest = 0.0;

    for (guint i = 0; i < n; i++) {
        least = MIN (least, x[i]);
        largest = MAX (largest, x[i]);
    }
    return (largest - least) / 255.0;
}

static double
find_weight_step (const float *w, guint n)
{
    double largest = 0.0;

    for (guint i = 0; i < n; i += 2)
        largest = MAX (largest, fabs (w[i]) + (i + 1 < n ? fabs (w[i + 1]) : 0.0));
    return largest / 127.0;
}

/* Each number is off by half a step at most, and a little for being divided in floats. The zero is
 * a whole number too, so that an end of the range may be off by a whole step. */
static double
find_rounding_bound (const float *x, const float *w, guint k)
{
    double step = 1.01 * find_step (x, k);
    double weight_step = 0.51 * find_weight_step (w, k);
    double sum = 0.0;

    for (guint i = 0; i < k; i++)
        sum += step * fabs (w[i]) + weight_step * fabs (x[i]) + step * weight_step;
    return sum;
}

/* Columns of all rows against what @x, floats, would give. */
static void
compare_integers (const AltclipLinear *linear, const float *x, const float *weights, guint m,
        const float *out)
{
    for (gsize row = 0; row < m; row++) {
        for (guint column = 0; column < linear->n; column++) {
            const float *w = weights + (gsize)column * linear->k;
            double magnitude;
            double expected = find_output (linear, x + row * linear->k, w, column, 0.0, &magnitude);
            double error = fabs (expected - out[row * linear->n + column]);

            if (!(error <= find_rounding_bound (x + row * linear->k, w, linear->k) +
                                   1e-6 * MAX (magnitude, FLT_MIN)))
                g_error ("%s: row %" G_GSIZE_FORMAT ", column %u of %u inputs: %g instead of %g",
                        linear->kernels->name, row, column, linear->k,
                        out[row * linear->n + column], expected);
        }
    }
}

/* Any numbers, rounded to what the set has. */
static void
check_integers (const AltclipKernels *kernels, guint m, guint n, guint k, FillFunc fill)
{
    guint32 state = m + n + k;
    float *x = new_matrix ((gsize)m * k, fill, &state);
    float *weights = new_matrix ((gsize)n * k, fill, &state);
    float *bias = new_matrix (n, fill, &state);
    float *out = new_matrix ((gsize)m * n, fill_nan, NULL);
    const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    AltclipLinear linear;
    float *prepared;

    for (guint i = 0; i < k; i++)
        x[i] = fabsf (x[i]); /* a row on one side of zero */
    init_linear (&linear, kernels, n, k, weights, bias);
    prepared = altclip_kernels_prepare (kernels, x, m, k);
    kernels->linear (&linear, prepared, m, 0, n, &plain, out, n);
    compare_integers (&linear, x, weights, m, out);
    altclip_aligned_free (prepared);
    altclip_linear_clear (&linear);
    altclip_aligned_free (x);
    altclip_aligned_free (weights);
    altclip_aligned_free (out);
}

static void
test_integers (gconstpointer kernels)
{
    static const guint sizes[][3] = { { 1, 1, 1 }, { 2, 3, 2 }, { 3, 5, 3 }, { 5, 17, 4 },
        { 15, 33, 31 }, { 7, 31, 257 }, { 9, 70, 513 }, { 3, 40, 2052 } };

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
        for (gsize f = 0; f < G_N_ELEMENTS (FILLS); f++)
            check_integers (kernels, sizes[i][0], sizes[i][1], sizes[i][2], FILLS[f].fill);
}

/* The largest sums there may be are no larger than 32 bits hold, of either sign. */
static void
test_largest_integers (gconstpointer data)
{
    const AltclipKernels *kernels = data;
    const guint k = ALTCLIP_QUANTISED_MAX_INPUTS;
    guint32 state = 0;
    float *x = new_matrix (2 * k, fill_uniform, &state);
    float *weights = new_matrix (3 * k, fill_uniform, &state);
    float out[2 * 3];
    float bias[3] = { 0.0f };
    const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    AltclipLinear linear;
    float *prepared;

    for (guint i = 0; i < k; i++) {
        x[i] = 255.0f;
        x[k + i] = i % 2 ? 128.0f : -127.0f;
        weights[i] = i % 2 ? 63.0f : 64.0f;
        weights[k + i] = i % 2 ? 0.0f : -127.0f;
        weights[2 * k + i] = i % 2 ? 63.0f : -64.0f;
    }
    init_linear (&linear, kernels, 3, k, weights, bias);
    prepared = altclip_kernels_prepare (kernels, x, 2, k);
    kernels->linear (&linear, prepared, 2, 0, 3, &plain, out, 3);
    for (guint row = 0; row < 2; row++) {
        for (guint column = 0; column < 3; column++) {
            double expected = 0.0;

            for (guint i = 0; i < k; i++)
                expected += (double)x[row * k + i] * weights[column * k + i];
            g_assert_cmpfloat_with_epsilon (
                    out[row * 3 + column], expected, 1e-6 * 255.0 * 127.0 * k);
        }
    }
    linear.bias = NULL;
    altclip_aligned_free (prepared);
    altclip_linear_clear (&linear);
    altclip_aligned_free (x);
    altclip_aligned_free (weights);
}

/* A layer in integers, what it gives, and what its weights are measured to be. */
typedef struct {
    float *out; /* [m, n] */
    double power;
    double rounding;
} IntegerResult;

/* @is_normed: after a layer norm, with an activation and on top of a residual. The input lies where
 * others lay before, of which what it does not cover must not count. */
static IntegerResult
run_integers (
        const AltclipKernels *kernels, guint m, guint n, guint k, FillFunc fill, gboolean is_normed)
{
    guint32 state = m + n + k;
    float *x = new_matrix ((gsize)m * k, fill, &state);
    float *weights = new_matrix ((gsize)n * k, fill, &state);
    float *bias = new_matrix (n, fill, &state);
    IntegerResult result = { .out = new_matrix ((gsize)m * n, fill, &state) };
    float *prepared = new_matrix (kernels->prepared_size (kernels, m, k), fill, &state);
    const AltclipNorm norm = { NULL, NULL, k, 1e-5 };
    const AltclipEpilogue epilogue = {
        is_normed ? ALTCLIP_ACTIVATION_QUICK_GELU : ALTCLIP_ACTIVATION_NONE, is_normed
    };
    AltclipLinear linear;

    if (is_normed)
        kernels->prepare_normed (kernels, &norm, x, m, 0, m, prepared);
    else
        kernels->prepare (kernels, x, m, k, 0, m, prepared);
    init_linear (&linear, kernels, n, k, weights, bias);
    kernels->linear (&linear, prepared, m, 0, n, &epilogue, result.out, n);
    altclip_packed_measure_weights (&linear, &result.power, &result.rounding);
    altclip_linear_clear (&linear);
    altclip_aligned_free (prepared);
    altclip_aligned_free (x);
    altclip_aligned_free (weights);
    return result;
}

/* Sums of integers are exact, and what is made of them is the same for all sets: to the bit. */
static void
test_equality (gconstpointer data)
{
    static const guint sizes[][3] = { { 1, 1, 1 }, { 2, 33, 5 }, { 17, 40, 64 }, { 33, 7, 66 },
        { 5, 65, 515 }, { 35, 31, 131 } };

    for (gsize i = 0; i < G_N_ELEMENTS (sizes) * G_N_ELEMENTS (FILLS) * 2; i++) {
        const guint *size = sizes[i / 2 / G_N_ELEMENTS (FILLS)];
        FillFunc fill = FILLS[i / 2 % G_N_ELEMENTS (FILLS)].fill;
        IntegerResult found = run_integers (data, size[0], size[1], size[2], fill, i % 2);
        IntegerResult expected =
                run_integers (&altclip_kernels_int8_plain, size[0], size[1], size[2], fill, i % 2);
        gsize n_bytes = (gsize)size[0] * size[1] * sizeof (float);

        g_assert_cmpmem (found.out, n_bytes, expected.out, n_bytes);
        g_assert_cmpfloat (found.power, ==, expected.power);
        g_assert_cmpfloat (found.rounding, ==, expected.rounding);
        altclip_aligned_free (found.out);
        altclip_aligned_free (expected.out);
    }
}

/* A row that holds what is no finite number gives none, and leaves the others alone; one of zeros
 * gives the bias. */
static void
test_no_integers (gconstpointer data)
{
    const AltclipKernels *kernels = data;
    const float bad[] = { NAN, INFINITY, -INFINITY };
    float weights[3 * 5] = { 0.1f, -0.2f, 0.3f, 0.4f, 0.5f };
    float bias[3] = { 1.0f, 2.0f, 3.0f };
    const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    AltclipLinear linear;

    init_linear (&linear, kernels, 3, 5, weights, bias);
    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
        float x[3 * 5] = { 0.0f, bad[i], 0.0f, 1.0f, 2.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 1.0f, 1.0f,
            1.0f, 1.0f, 1.0f };
        float out[3 * 3];
        float *prepared = altclip_kernels_prepare (kernels, x, 3, 5);

        kernels->linear (&linear, prepared, 3, 0, 3, &plain, out, 3);
        g_assert_true (isnan (out[0]) && isnan (out[1]) && isnan (out[2]));
        for (guint column = 0; column < 3; column++)
            g_assert_cmpfloat (out[3 + column], ==, bias[column]);
        g_assert_cmpfloat_with_epsilon (out[6], 2.1, 0.01);
        altclip_aligned_free (prepared);
    }
    linear.bias = NULL;
    altclip_linear_clear (&linear);
}

/* A row of weights likewise, wherever in it that is: weights are read in pieces. */
static void
test_no_integer_weights (gconstpointer data)
{
    const AltclipKernels *kernels = data;
    const float bad[] = { NAN, INFINITY, -INFINITY };
    const guint places[] = { 3, 70, 129 };
    const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    enum { K = 130 };

    for (gsize i = 0; i < G_N_ELEMENTS (bad) * G_N_ELEMENTS (places); i++) {
        float weights[2 * K] = { 0.0f };
        float x[K] = { 0.0f };
        float out[2];
        AltclipLinear linear;
        float *prepared;

        weights[places[i / G_N_ELEMENTS (bad)]] = bad[i % G_N_ELEMENTS (bad)];
        weights[K + 1] = 2.0f;
        x[1] = 1.0f;
        init_linear (&linear, kernels, 2, K, weights, NULL);
        prepared = altclip_kernels_prepare (kernels, x, 1, K);
        kernels->linear (&linear, prepared, 1, 0, 2, &plain, out, 2);
        g_assert_true (isnan (out[0]));
        g_assert_cmpfloat_with_epsilon (out[1], 2.0, 0.02);
        altclip_aligned_free (prepared);
        altclip_linear_clear (&linear);
    }
}

/* A layer norm and integers in one pass, in shares as the pool has them, against the norm's floats.
 */
static void
test_normed (gconstpointer data)
{
    const AltclipKernels *kernels = data;
    static const guint sizes[][3] = { { 1, 2, 3 }, { 9, 20, 33 }, { 31, 33, 600 } };

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        guint m = sizes[i][0];
        guint n = sizes[i][1];
        guint k = sizes[i][2];
        guint rows = kernels->tile_rows (kernels, m);
        guint middle = MIN (m, rows);
        guint32 state = k;
        float *x = new_matrix ((gsize)m * k, fill_uniform, &state);
        float *weights = new_matrix ((gsize)n * k, fill_uniform, &state);
        float *bias = new_matrix (n, fill_uniform, &state);
        float *ones = new_matrix (k, fill_uniform, &state);
        float *zeros = altclip_aligned_alloc (k * sizeof (float));
        float *normed = altclip_aligned_alloc ((gsize)m * k * sizeof (float));
        float *prepared =
                altclip_aligned_alloc (kernels->prepared_size (kernels, m, k) * sizeof (float));
        float *out = new_matrix ((gsize)m * n, fill_nan, NULL);
        const AltclipNorm norm = { ones, zeros, k, 1e-5 };
        const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
        AltclipLinear linear;

        for (guint j = 0; j < k; j++)
            ones[j] = 1.0f;
        for (gsize j = 0; j < (gsize)m * k; j++)
            x[j] = 3.0f * x[j] + 2.0f;
        altclip_kernels_reference.norm (&norm, x, 0, m, normed);
        init_linear (&linear, kernels, n, k, weights, bias);
        kernels->prepare_normed (kernels, &norm, x, m, 0, middle, prepared);
        kernels->prepare_normed (kernels, &norm, x, m, middle, m, prepared);
        kernels->linear (&linear, prepared, m, 0, n, &plain, out, n);
        compare_integers (&linear, normed, weights, m, out);
        altclip_linear_clear (&linear);
        altclip_aligned_free (x);
        altclip_aligned_free (weights);
        altclip_aligned_free (ones);
        altclip_aligned_free (zeros);
        altclip_aligned_free (normed);
        altclip_aligned_free (prepared);
        altclip_aligned_free (out);
    }
}

/* A norm's gains and biases in the layer after it: the same outputs. */
static void
test_gains (void)
{
    const guint k = 37;
    const guint n = 21;
    guint32 state = 3;
    float *x = new_matrix (k, fill_uniform, &state);
    const float *weights = map_weights ((gsize)n * k);
    float *bias = new_matrix (n, fill_uniform, &state);
    AltclipStoredTensor stored[2] = { { .dtype = ALTCLIP_DTYPE_F32,
                                              .n_dims = 2,
                                              .dims = { n, k },
                                              .n_elements = n * k,
                                              .data = (const guint8 *)weights,
                                              .n_bytes = n * k * sizeof (float) },
        { .dtype = ALTCLIP_DTYPE_F32,
                .n_dims = 1,
                .dims = { n },
                .n_elements = n,
                .data = (const guint8 *)bias,
                .n_bytes = n * sizeof (float) } };
    const AltclipStoredTensor *weight_pointer = &stored[0];
    const AltclipStoredTensor *bias_pointer = &stored[1];
    const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };

    for (guint with_bias = 0; with_bias < 2; with_bias++) {
        AltclipNorm norm = { new_matrix (k, fill_uniform, &state),
            new_matrix (k, fill_uniform, &state), k, 1e-5 };
        const AltclipStoredTensor *const *biases = with_bias ? &bias_pointer : NULL;
        AltclipLinear linear = { 0 };
        float normed[37];
        float expected[21];
        float found[21];

        altclip_kernels_reference.norm (&norm, x, 0, 1, normed);
        altclip_linear_init (&linear, &altclip_kernels_reference, &weight_pointer, biases, 1);
        altclip_kernels_reference.linear (&linear, normed, 1, 0, n, &plain, expected, n);
        g_assert_false (linear.has_gains);
        altclip_linear_clear (&linear);
        altclip_linear_init_normed (
                &linear, &altclip_kernels_reference, &norm, &weight_pointer, biases, 1);
        g_assert_true (linear.has_gains);
        altclip_kernels_reference.norm (&norm, x, 0, 1, normed);
        altclip_kernels_reference.linear (&linear, normed, 1, 0, n, &plain, found, n);
        for (guint i = 0; i < n; i++)
            g_assert_cmpfloat_with_epsilon (found[i], expected[i], 1e-5);
        altclip_linear_clear (&linear);
        altclip_norm_clear (&norm);
    }
    munmap ((void *)weights, (gsize)n * k * sizeof (float));
    altclip_aligned_free (bias);
    altclip_aligned_free (x);
}

/* ---- Layer norm ------------------------------------------------------------------------------ */

static void
check_norm (const AltclipKernels *kernels)
{
    for (guint width = 1; width <= 130; width += 3) {
        guint32 state = width;
        float *x = new_matrix ((gsize)5 * width, fill_uniform, &state);
        float *gamma = new_matrix (width, fill_uniform, &state);
        float *beta = new_matrix (width, fill_uniform, &state);
        float *expected = altclip_aligned_alloc (5 * width * sizeof (float));
        AltclipNorm norm = { gamma, beta, width, 1e-5 };

        for (guint i = 0; i < width; i++)
            x[i] += 100.0f; /* a row whose mean is large beside its spread */
        altclip_kernels_reference.norm (&norm, x, 0, 5, expected);
        kernels->norm (&norm, x, 0, 2, x);
        kernels->norm (&norm, x, 2, 5, x);
        for (guint i = 0; i < 5 * width; i++)
            g_assert_cmpfloat_with_epsilon (x[i], expected[i], i < width ? 5e-4 : 4e-6);
        altclip_aligned_free (x);
        altclip_aligned_free (gamma);
        altclip_aligned_free (beta);
        altclip_aligned_free (expected);
    }
}

static void
test_norm (gconstpointer kernels)
{
    check_in_two_threads (check_norm, kernels);
}

/* ---- Attention ------------------------------------------------------------------------------- */

#define N_HEADS 3

/* Ragged batches, the second longer than the blocks of queries that a set may work in. */
static const struct {
    guint offsets[5];
    guint attended[4];
    guint n;
    guint longest;
} BATCHES[] = {
    { { 0, 1, 18, 83, 90 }, { 1, 17, 65, 4 }, 4, 65 },
    { { 0, 300, 302 }, { 290, 1 }, 2, 300 },
};

/* One attention twice: as the set under test has it, and as the reference has it. */
typedef struct {
    AltclipSequences sequences;
    AltclipDistances distances;
    AltclipAttention found;
    AltclipAttention expected;
    float *qkv;
} AttentionCase;

static AltclipAttention
new_attention (const AttentionCase *c, guint width, gboolean relative)
{
    gsize rows = c->sequences.offsets[c->sequences.n];
    gsize longest = c->sequences.longest;

    return (AltclipAttention){
        .qkv = c->qkv,
        .out = new_matrix (rows * width, fill_nan, NULL),
        .width = width,
        .n_heads = N_HEADS,
        .sequences = &c->sequences,
        .distances = relative ? &c->distances : NULL,
        .probabilities = new_matrix (c->sequences.n * N_HEADS * longest * longest, fill_nan, NULL),
    };
}

static void
attention_case_init (AttentionCase *c, gsize batch, guint head_size, AltclipPositions positions)
{
    gsize rows = BATCHES[batch].offsets[BATCHES[batch].n];
    guint width = head_size * N_HEADS;
    guint32 state = head_size * 3 + positions;
    guint n = BATCHES[batch].longest + head_size % 2; /* distances that fit, and some to spare */

    c->sequences = (AltclipSequences){ BATCHES[batch].n, BATCHES[batch].offsets,
        BATCHES[batch].attended, BATCHES[batch].longest, NULL };
    c->qkv = new_matrix (rows * 3 * width, fill_uniform, &state);
    for (guint i = 0; i < width; i++)
        c->qkv[rows / 2 * 3 * width + i] *= 300.0f; /* one query that makes the softmax hard */
    for (gsize i = 0; i < rows; i++)                /* a value of one head of any magnitude */
        c->qkv[i * 3 * width + 2 * width] = fill_extreme (&state);
    c->distances = (AltclipDistances){ new_matrix ((2 * n - 1) * head_size, fill_uniform, &state),
        n, positions == ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY };
    c->found = new_attention (c, width, positions != ALTCLIP_POSITIONS_ABSOLUTE);
    c->expected = new_attention (c, width, positions != ALTCLIP_POSITIONS_ABSOLUTE);
}

static void
attention_case_clear (AttentionCase *c)
{
    altclip_aligned_free (c->qkv);
    altclip_aligned_free (c->distances.table);
    altclip_aligned_free (c->found.out);
    altclip_aligned_free (c->found.probabilities);
    altclip_aligned_free (c->expected.out);
    altclip_aligned_free (c->expected.probabilities);
}

static void
run_attention (const AltclipKernels *kernels, const AltclipAttention *attention)
{
    guint n = attention->sequences->n * N_HEADS;
    float *scratch = altclip_aligned_alloc (
            kernels->attention_scratch (kernels, attention) * sizeof (float));
    AltclipHead later = altclip_attention_get_head (attention, n - 1);

    kernels->attention (kernels, attention, 0, n - 2, scratch);
    g_assert_true (isnan (later.out[0]) && isnan (later.probabilities[0]));
    kernels->attention (kernels, attention, n - 2, n, scratch);
    altclip_aligned_free (scratch);
}

static double
sum_magnitudes (const float *a, const float *b, guint n)
{
    double sum = 0.0;

    for (guint i = 0; i < n; i++)
        sum += fabs ((double)a[i] * b[i]);
    return sum;
}

/* What the probabilities of a query may be off by: a score is right within 1e-6 of its products'
 * magnitude, and twice a score's error is the relative error of a probability. */
static double
find_probability_bound (const AltclipHead *head, const AltclipDistances *distances, gsize row)
{
    const float *q = head->queries + row * head->stride;
    double largest = 0.0;

    for (gsize key = 0; key < head->n_keys; key++) {
        const float *k = head->keys + key * head->stride;
        double magnitude = sum_magnitudes (q, k, head->head_size);

        if (distances) {
            const float *e = distances->table + (distances->n - 1 + row - key) * head->head_size;
            magnitude += sum_magnitudes (q, e, head->head_size);
            magnitude += sum_magnitudes (k, e, head->head_size);
        }
        largest = MAX (largest, magnitude);
    }
    return 1e-6 * (1.0 + 2.0 * largest / sqrt (head->head_size));
}

/* Returns: the largest difference of a row in terms of what it may be */
static double
compare_row (const AttentionCase *c, guint number, gsize row)
{
    AltclipHead found = altclip_attention_get_head (&c->found, number);
    AltclipHead expected = altclip_attention_get_head (&c->expected, number);
    double bound = find_probability_bound (&found, c->found.distances, row);
    double worst = 0.0;

    for (gsize key = 0; key < found.n_keys; key++) {
        gsize at = row * found.probabilities_stride + key;
        worst = MAX (worst, fabs (found.probabilities[at] - expected.probabilities[at]) / bound);
    }
    for (gsize d = 0; d < found.head_size; d++) {
        gsize at = row * found.out_stride + d;
        double largest = 0.0;

        for (gsize key = 0; key < found.n_keys; key++)
            largest = MAX (largest, fabs (found.values[key * found.stride + d]));
        g_assert_true (isfinite (found.out[at]));
        worst = MAX (worst, fabs (found.out[at] - expected.out[at]) / ((bound + 1e-6) * largest));
    }
    /* Keys that are not attended to have no probability. */
    for (gsize key = found.n_keys; key < found.probabilities_stride; key++)
        g_assert_true (isnan (found.probabilities[row * found.probabilities_stride + key]));
    return worst;
}

static double
check_attention_case (
        const AltclipKernels *kernels, gsize batch, guint head_size, AltclipPositions positions)
{
    AttentionCase c;
    double worst = 0.0;

    attention_case_init (&c, batch, head_size, positions);
    run_attention (kernels, &c.found);
    run_attention (&altclip_kernels_reference, &c.expected);
    for (guint number = 0; number < c.sequences.n * N_HEADS; number++) {
        guint rows = altclip_attention_get_head (&c.found, number).rows;

        for (guint row = 0; row < rows; row++)
            worst = MAX (worst, compare_row (&c, number, row));
    }
    if (!(worst <= 1.0))
        g_error ("%s: attention of heads of %u, positions %d: %g of the bound", kernels->name,
                head_size, (int)positions, worst);
    attention_case_clear (&c);
    return worst;
}

static void
check_attention (const AltclipKernels *kernels)
{
    static const guint head_sizes[] = { 1, 5, 13, 29, 64, 80 };
    double worst = 0.0;

    for (gsize i = 0; i < G_N_ELEMENTS (head_sizes); i++) {
        for (guint p = ALTCLIP_POSITIONS_ABSOLUTE; p <= ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY; p++) {
            double here = check_attention_case (kernels, 0, head_sizes[i], (AltclipPositions)p);
            worst = MAX (worst, here);
        }
    }
    for (guint p = ALTCLIP_POSITIONS_ABSOLUTE; p <= ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY; p++) {
        double here = check_attention_case (kernels, 1, 16, (AltclipPositions)p);
        worst = MAX (worst, here);
    }
    g_test_message ("%s attention: largest difference %.2g of the bound", kernels->name, worst);
}

static void
test_attention (gconstpointer kernels)
{
    check_in_two_threads (check_attention, kernels);
}

/* A sequence of its own gives what it gives in a batch: neighbours and padding do not leak. */
static void
test_attention_alone (gconstpointer data)
{
    const AltclipKernels *kernels = data;
    AttentionCase batch;

    attention_case_init (&batch, 0, 13, ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY);
    run_attention (kernels, &batch.found);
    for (guint s = 0; s < batch.sequences.n; s++) {
        guint n = BATCHES[0].attended[s];
        guint offsets[] = { 0, n };
        AltclipSequences sequences = { 1, offsets, &n, n, NULL };
        AltclipAttention alone = batch.found;
        gsize first = BATCHES[0].offsets[s];

        alone.sequences = &sequences;
        alone.qkv += first * 3 * alone.width;
        alone.out = new_matrix ((gsize)n * alone.width, fill_nan, NULL);
        alone.probabilities = new_matrix ((gsize)N_HEADS * n * n, fill_nan, NULL);
        run_attention (kernels, &alone);
        for (gsize i = 0; i < (gsize)n * alone.width; i++) {
            float expected = batch.found.out[first * alone.width + i];
            g_assert_cmpfloat_with_epsilon (
                    alone.out[i], expected, 2e-6 * MAX (1.0, fabs (expected)));
        }
        altclip_aligned_free (alone.out);
        altclip_aligned_free (alone.probabilities);
    }
    attention_case_clear (&batch);
}

/* ---- Activations ----------------------------------------------------------------------------- */

static void
check_activation (AltclipActivation activation, float x)
{
    float value = x;
    double exact = altclip_activation_exact (activation, x);

    altclip_activation_apply (activation, &value, 1);
    if (!(fabs (value - exact) <= 4e-7 * MAX (1.0, fabs (exact))))
        g_error ("activation %d at %g: %g instead of %g", activation, x, value, exact);
}

/* Up to the largest floats, whose cubes and products with constants are too large to be any. */
static void
test_activations (void)
{
    for (int activation = ALTCLIP_ACTIVATION_NONE; activation <= ALTCLIP_ACTIVATION_SELU;
            activation++) {
        for (double x = -100.0; x <= 100.0; x += 0.0137)
            check_activation ((AltclipActivation)activation, (float)x);
        for (float x = 100.0f; isfinite (x); x *= 1.37f) {
            check_activation ((AltclipActivation)activation, x);
            check_activation ((AltclipActivation)activation, -x);
        }
    }
}

/* What is no number stays none. */
static void
test_activations_of_no_number (void)
{
    for (int activation = ALTCLIP_ACTIVATION_NONE; activation <= ALTCLIP_ACTIVATION_SELU;
            activation++) {
        float values[] = { NAN, 1.0f };
        double exact = altclip_activation_exact ((AltclipActivation)activation, NAN);

        g_assert_true (isnan (exact));
        altclip_activation_apply ((AltclipActivation)activation, values, 2);
        g_assert_true (isnan (values[0]));
        g_assert_true (isfinite (values[1]));
    }
}

static void
test_softmax (void)
{
    float huge[] = { 1e30f, -1e30f, 1e30f };
    float one[] = { -3e38f };

    altclip_softmax (huge, 3, 1.0f);
    g_assert_cmpfloat_with_epsilon (huge[0], 0.5, 1e-6);
    g_assert_cmpfloat_with_epsilon (huge[1], 0.0, 1e-6);
    altclip_softmax (one, 1, 1.0f);
    g_assert_cmpfloat (one[0], ==, 1.0f);
}

/* ---- Choice ---------------------------------------------------------------------------------- */

/* Sets that answer wrong in one place, as broken builds of a library do. */
static void
broken_last_row (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    out[(m - 1) * out_stride + n0] += 0.5f;
}

static void
broken_tail_column (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    for (guint row = 0; row < m && n1 == linear->n; row++)
        out[row * out_stride + n1 - 2] *= 1.1f;
}

static void
broken_accumulation (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    AltclipEpilogue overwrite = { epilogue->activation, FALSE };

    altclip_kernels_reference.linear (linear, x, m, n0, n1, &overwrite, out, out_stride);
}

static void
broken_later_range (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    if (n0 == 0)
        altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
}

static void
broken_not_a_number (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    out[n0] = NAN;
}

static void
broken_overwriting (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    float before = out[n0];

    altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    out[n0] += 0.0f * before; /* as a library does that multiplies by beta = 0 */
}

static gboolean
prove (const AltclipKernels *kernels, const AltclipProductShape *products, gsize n_products,
        const AltclipAttentionShape *attention, GError **error)
{
    const AltclipKernelShapes shapes = { products, n_products, *attention };

    return altclip_kernels_prove (kernels, &shapes, NULL, error);
}

static void
assert_not_proved (const AltclipKernels *kernels, const char *message)
{
    static const AltclipProductShape products[] = { { 17, 40, 33 } };
    static const AltclipAttentionShape attention = { 19, 66, 2,
        ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY };
    g_autoptr (GError) error = NULL;

    g_assert_false (prove (kernels, products, 1, &attention, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
    g_assert_cmpstr (error->message, ==, message);
}

/* Of a large product, what no part of it may do wrong. */
static void
broken_last_panel (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    if (n1 == linear->n)
        out[n1 - 1] += 0.5f;
}

static void
broken_neighbour (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    if (n1 < linear->n)
        out[(m - 1) * out_stride + n1] = 0.0f;
}

static void
broken_second_panel (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    altclip_kernels_reference.linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    if (n1 - n0 > ALTCLIP_LINEAR_GRAIN)
        out[n0 + ALTCLIP_LINEAR_GRAIN] = NAN;
}

/* A set that goes by panels is looked at in part. */
static void
test_proof_of_panels (void)
{
    void (*const broken_linears[]) (const AltclipLinear *linear, const float *x, guint m, guint n0,
            guint n1, const AltclipEpilogue *epilogue, float *out, gsize out_stride) = {
        broken_last_row,
        broken_accumulation,
        broken_later_range,
        broken_not_a_number,
        broken_overwriting,
        broken_last_panel,
        broken_neighbour,
        broken_second_panel,
    };
    static const AltclipProductShape products[] = { { 129, 1029, 512 } };
    static const AltclipAttentionShape attention = { 2, 2, 1, ALTCLIP_POSITIONS_ABSOLUTE };
    AltclipKernels set = altclip_kernels_reference;

    set.name = "panels";
    set.tiling = altclip_kernels_bf16_plain.tiling;
    g_assert_nonnull (set.tiling);
    g_assert_true (prove (&set, products, 1, &attention, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS (broken_linears); i++) {
        g_autoptr (GError) error = NULL;

        set.linear = broken_linears[i];
        g_assert_false (prove (&set, products, 1, &attention, &error));
        g_assert_cmpstr (error->message, ==,
                "kernels 'panels' give wrong products [129 × 512] · [512 × 1029] on this CPU");
    }
}

static void
test_proof (void)
{
    void (*const broken_linears[]) (const AltclipLinear *linear, const float *x, guint m, guint n0,
            guint n1, const AltclipEpilogue *epilogue, float *out,
            gsize out_stride) = { broken_last_row, broken_tail_column, broken_accumulation,
        broken_later_range, broken_not_a_number, broken_overwriting };

    for (gsize i = 0; i < G_N_ELEMENTS (broken_linears); i++) {
        AltclipKernels broken = altclip_kernels_reference;

        broken.name = "broken";
        broken.linear = broken_linears[i];
        assert_not_proved (
                &broken, "kernels 'broken' give wrong products [17 × 33] · [33 × 40] on this CPU");
    }
}

static void
broken_last_query (const AltclipKernels *kernels, const AltclipAttention *attention, guint first,
        guint last, float *scratch)
{
    AltclipHead head = altclip_attention_get_head (attention, last - 1);

    altclip_kernels_reference.attention (kernels, attention, first, last, scratch);
    head.out[(head.rows - 1) * head.out_stride + head.head_size - 1] *= 0.9f;
}

static void
broken_last_key (const AltclipKernels *kernels, const AltclipAttention *attention, guint first,
        guint last, float *scratch)
{
    guint n_attended = attention->sequences->n_attended[0] - 1;
    AltclipSequences sequences = *attention->sequences;
    AltclipAttention fewer = *attention;

    sequences.n_attended = &n_attended;
    fewer.sequences = &sequences;
    altclip_kernels_reference.attention (kernels, &fewer, first, last, scratch);
}

static void
broken_distances (const AltclipKernels *kernels, const AltclipAttention *attention, guint first,
        guint last, float *scratch)
{
    AltclipDistances distances = *attention->distances;
    AltclipAttention without_keys = *attention;

    distances.with_keys = FALSE;
    without_keys.distances = &distances;
    altclip_kernels_reference.attention (kernels, &without_keys, first, last, scratch);
}

static void
test_proof_of_attention (void)
{
    void (*const broken_attentions[]) (const AltclipKernels *kernels,
            const AltclipAttention *attention, guint first, guint last,
            float *scratch) = { broken_last_query, broken_last_key, broken_distances };

    for (gsize i = 0; i < G_N_ELEMENTS (broken_attentions); i++) {
        AltclipKernels broken = altclip_kernels_reference;

        broken.name = "broken";
        broken.attention = broken_attentions[i];
        assert_not_proved (&broken,
                "kernels 'broken' give wrong attention over 19 rows of 66 / 2 numbers on this CPU");
    }
}

/* The bound must not refuse a set for its rounding. */
static void
test_proof_of_large_products (gconstpointer data)
{
    static const AltclipProductShape products[] = { { 65, 576, 192 }, { 65, 192, 768 },
        { 33, 3072, 1024 }, { 9, 1024, 4096 } };
    static const AltclipAttentionShape attentions[] = {
        { 257, 1024, 16, ALTCLIP_POSITIONS_ABSOLUTE },
        { 300, 96, 3, ALTCLIP_POSITIONS_RELATIVE_KEY },
        { 5000, 1024, 2, ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY },
        { 100, 4096, 1, ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY },
        { 7, 3, 3, ALTCLIP_POSITIONS_ABSOLUTE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (attentions); i++) {
        g_autoptr (GError) error = NULL;

        prove (data, products, i == 0 ? G_N_ELEMENTS (products) : 0, &attentions[i], &error);
        g_assert_no_error (error);
    }
}

static void
test_choice (void)
{
    static const AltclipProductShape products[] = { { 65, 128, 64 } };
    static const AltclipKernelShapes shapes = { products, 1,
        { 65, 64, 4, ALTCLIP_POSITIONS_ABSOLUTE } };
    g_autoptr (GError) error = NULL;
    AltclipTrial trial;

    g_assert_true (altclip_kernels_choose ("reference", ALTCLIP_PRECISION_F32, &shapes, NULL,
                           &trial, NULL) == &altclip_kernels_reference);
    g_assert_true (altclip_kernels_choose ("openblas", ALTCLIP_PRECISION_F32, &shapes, NULL, &trial,
                           NULL) == &altclip_kernels_openblas);
    g_assert_null (
            altclip_kernels_choose ("mmx", ALTCLIP_PRECISION_F32, &shapes, NULL, &trial, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
    g_assert_nonnull (strstr (error->message, "'mmx'"));
}

/* Of each precision the first in the list that can run here. */
static void
test_choice_of_precision (void)
{
    static const AltclipProductShape products[] = { { 9, 33, 17 } };
    static const AltclipKernelShapes shapes = { products, 1,
        { 9, 16, 2, ALTCLIP_POSITIONS_ABSOLUTE } };
    gsize n;
    const AltclipKernels *const *sets = altclip_kernels_list (&n);

    for (int precision = ALTCLIP_PRECISION_F32; precision <= ALTCLIP_PRECISION_INT8; precision++) {
        AltclipTrial trial;
        g_autoptr (GError) error = NULL;
        const AltclipKernels *chosen = altclip_kernels_choose (
                NULL, (AltclipPrecision)precision, &shapes, NULL, &trial, &error);
        gsize i = 0;

        g_assert_no_error (error);
        while ((int)sets[i]->precision != precision || !sets[i]->probe (NULL))
            i++;
        g_assert_true (chosen == sets[i]);
        g_test_message ("%s: chosen %s", altclip_precision_get_name ((AltclipPrecision)precision),
                chosen->name);
    }
}

/* ---- Trial ----------------------------------------------------------------------------------- */

/* Times that sets are said to take, those of a run one after the other. */
typedef struct {
    const guint64 *f32;
    const guint64 *bf16;
    guint n_f32;
    guint n_bf16;
} Stopwatch;

static const AltclipKernels TRIED_F32 = { .name = "long", .precision = ALTCLIP_PRECISION_F32 };
static const AltclipKernels TRIED_BF16 = { .name = "short", .precision = ALTCLIP_PRECISION_BF16 };

static guint64
read_stopwatch (const AltclipKernels *kernels, gpointer data)
{
    Stopwatch *watch = data;

    if (kernels == &TRIED_F32)
        return watch->f32[watch->n_f32++ % 3];
    g_assert_true (kernels == &TRIED_BF16);
    return watch->bf16[watch->n_bf16++ % 3];
}

/* The shortest time of each counts, and bf16 must be faster by a fifth to be chosen. */
static void
test_trial (void)
{
    static const struct {
        guint64 f32[3];
        guint64 bf16[3];
        guint64 shortest_bf16;
    } cases[] = {
        { { 30, 20, 25 }, { 50, 15, 80 }, 15 },
        { { 30, 20, 25 }, { 50, 17, 80 }, 17 },
        { { 30, 20, 25 }, { 21, 22, 23 }, 21 },
        { { 900, 20, 900 }, { 30, 30, 30 }, 30 },
        { { 20, 20, 20 }, { 20, 20, 20 }, 20 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        Stopwatch watch = { cases[i].f32, cases[i].bf16, 0, 0 };
        AltclipTrial trial;
        const AltclipKernels *faster = altclip_trial_run (
                &TRIED_F32, &TRIED_BF16, read_stopwatch, &watch, NULL, &trial, NULL);

        g_assert_true (faster == (cases[i].shortest_bf16 < 16 ? &TRIED_BF16 : &TRIED_F32));
        g_assert_cmpuint (watch.n_f32, >=, 3);
        g_assert_cmpuint (watch.n_bf16, ==, watch.n_f32);
        g_assert_cmpstr (trial.f32_kernels, ==, "long");
        g_assert_cmpstr (trial.bf16_kernels, ==, "short");
        g_assert_cmpuint (trial.f32_time, ==, 20);
        g_assert_cmpuint (trial.bf16_time, ==, cases[i].shortest_bf16);
    }
}

/* Gives up in its second run. */
static guint64
cancel_in_second (G_GNUC_UNUSED const AltclipKernels *kernels, gpointer data)
{
    static gint n = 0;

    if (++n == 4)
        g_cancellable_cancel (data);
    g_assert_cmpint (n, <=, 4);
    return 1;
}

static void
test_trial_cancelled (void)
{
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;
    AltclipTrial trial;

    g_assert_null (altclip_trial_run (
            &TRIED_F32, &TRIED_BF16, cancel_in_second, cancellable, cancellable, &trial, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Small models are not timed; of large ones a part is, and what is faster is chosen. A name that
 * somebody gave counts more. */
static void
test_automatic_choice (void)
{
    static const AltclipProductShape products[][2] = { { { 1, 1, 1 }, { 1, 1, 1 } },
        { { 65, 128, 64 }, { 3, 5, 7 } }, { { 2, 3, 5 }, { 301, 8, 4097 } } };

    for (gsize i = 0; i < G_N_ELEMENTS (products); i++) {
        const AltclipKernelShapes shapes = { products[i], 2,
            { 5, 64, 4, ALTCLIP_POSITIONS_ABSOLUTE } };
        AltclipTrial trial;
        const AltclipKernels *chosen =
                altclip_kernels_choose (NULL, ALTCLIP_PRECISION_AUTO, &shapes, NULL, &trial, NULL);
        gboolean is_bf16 =
                (double)trial.bf16_time < (1.0 - ALTCLIP_TRIAL_GAIN) * (double)trial.f32_time;

        gboolean is_tried = i > 1;

        g_assert_nonnull (chosen);
        g_assert_cmpint (
                chosen->precision, ==, is_bf16 ? ALTCLIP_PRECISION_BF16 : ALTCLIP_PRECISION_F32);
        g_assert_true (is_tried == (trial.f32_kernels != NULL));
        if (is_tried) {
            g_assert_true (trial.f32_time > 0 && trial.bf16_time > 0);
            g_assert_cmpstr (chosen->name, ==, is_bf16 ? trial.bf16_kernels : trial.f32_kernels);
        }
        if (i == 0)
            continue;
        chosen = altclip_kernels_choose (
                "bf16_plain", ALTCLIP_PRECISION_AUTO, &shapes, NULL, &trial, NULL);
        g_assert_true (chosen == &altclip_kernels_bf16_plain && !trial.f32_kernels);
        chosen = altclip_kernels_choose (
                "openblas", ALTCLIP_PRECISION_AUTO, &shapes, NULL, &trial, NULL);
        g_assert_true (chosen == &altclip_kernels_openblas && !trial.f32_kernels);
    }
}

/* ---- Pool ------------------------------------------------------------------------------------ */

static void
mark_share (gpointer data, guint index, guint n)
{
    guint *marks = data;
    guint first;
    guint last;

    altclip_pool_share (1000, 16, index, n, &first, &last);
    for (guint i = first; i < last; i++)
        marks[i]++;
}

static void
test_pool (void)
{
    for (guint n_threads = 1; n_threads <= 5; n_threads++) {
        g_autoptr (AltclipPool) pool = altclip_pool_new (n_threads);
        guint marks[1000] = { 0 };

        for (guint round = 0; round < 200; round++)
            altclip_pool_run (pool, mark_share, marks);
        for (guint i = 0; i < 1000; i++)
            g_assert_cmpuint (marks[i], ==, 200);
    }
}

/* ---- Core types ------------------------------------------------------------------------------ */

#if defined(__x86_64__)

/* OpenBLAS's own variants for a CPU, and whether this one has the instructions. */
static gboolean
cpu_can_run (const char *core_type)
{
    gboolean has_fma = __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");

    if (strcmp (core_type, "SkylakeX") == 0)
        return has_fma && __builtin_cpu_supports ("avx512f") &&
               __builtin_cpu_supports ("avx512cd") && __builtin_cpu_supports ("avx512bw") &&
               __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512vl");
    if (strcmp (core_type, "Haswell") == 0 || strcmp (core_type, "Zen") == 0)
        return has_fma;
    g_assert_cmpstr (core_type, ==, "Prescott");
    return __builtin_cpu_supports ("sse3");
}

/* OpenBLAS looks at its variable before main(), and with a type that the CPU cannot run it would be
 * killed there: so the program starts anew once it knows that the CPU can. Returns: whether there
 * is nothing to test */
static gboolean
skip_core_type (const char *core_type, char **argv)
{
    if (!cpu_can_run (core_type)) {
        printf ("1..0 # SKIP this CPU lacks the instructions of %s\n", core_type);
        return TRUE;
    }
    if (!strstr (openblas_get_config (), "DYNAMIC_ARCH")) {
        printf ("1..0 # SKIP this OpenBLAS has one variant alone, %s\n", openblas_get_corename ());
        return TRUE;
    }
    if (g_strcmp0 (g_getenv ("OPENBLAS_CORETYPE"), core_type) != 0) {
        g_setenv ("OPENBLAS_CORETYPE", core_type, TRUE);
        execvp (argv[0], argv);
        g_error ("cannot start anew: %s", g_strerror (errno));
    }
    return FALSE;
}

static void
test_core_type (void)
{
    g_assert_cmpstr (openblas_get_corename (), ==, g_getenv ("OPENBLAS_CORETYPE"));
}

#endif

static void
add_test (const AltclipKernels *kernels, const char *prefix, const char *name, GTestDataFunc func)
{
    g_autofree char *path = g_strdup_printf ("/kernels/%s%s/%s", prefix, kernels->name, name);

    g_test_add_data_func (path, kernels, func);
}

/* OpenBLAS's variants say nothing of the other sets. */
static void
add_tests (const AltclipKernels *kernels, const char *prefix)
{
    if (g_getenv ("ALTCLIP_TEST_CORETYPE") && kernels != &altclip_kernels_openblas)
        return;
    if (!*prefix && !kernels->probe (NULL)) {
        g_test_message ("%s: not on this CPU", kernels->name);
        return;
    }
    add_test (kernels, prefix, "packing", test_packing);
    add_test (kernels, prefix, "linear", test_linear);
    if (kernels->tiling)
        add_test (kernels, prefix, "tails", test_tails);
    if (kernels->precision == ALTCLIP_PRECISION_INT8) {
        add_test (kernels, prefix, "integers", test_integers);
        add_test (kernels, prefix, "equality", test_equality);
        add_test (kernels, prefix, "largest-integers", test_largest_integers);
        add_test (kernels, prefix, "no-integers", test_no_integers);
        add_test (kernels, prefix, "no-integer-weights", test_no_integer_weights);
        add_test (kernels, prefix, "normed", test_normed);
    } else if (!*prefix) {
        /* Which sets of integers have from those of floats. */
        add_test (kernels, prefix, "norm", test_norm);
        add_test (kernels, prefix, "attention", test_attention);
        add_test (kernels, prefix, "attention-alone", test_attention_alone);
    }
    if (!*prefix && kernels != &altclip_kernels_reference) {
        g_autofree char *proof =
                g_strdup_printf ("/kernels/proof-of-large-products/%s", kernels->name);

        g_test_add_data_func (proof, kernels, test_proof_of_large_products);
    }
}

int
main (int argc, char **argv)
{
    gsize n;
    const AltclipKernels *const *sets = altclip_kernels_list (&n);

#if defined(__x86_64__)
    if (g_getenv ("ALTCLIP_TEST_CORETYPE") &&
            skip_core_type (g_getenv ("ALTCLIP_TEST_CORETYPE"), argv))
        return 0;
#endif
    g_test_init (&argc, &argv, NULL);
    g_test_message ("OpenBLAS for %s: %s", openblas_get_corename (), openblas_get_config ());
#if defined(__x86_64__)
    if (g_getenv ("ALTCLIP_TEST_CORETYPE"))
        g_test_add_func ("/kernels/core-type", test_core_type);
#endif
    g_test_add_func ("/kernels/memory", test_memory);
    for (gsize i = 0; i < n; i++) {
        g_autofree char *packing =
                g_strdup_printf ("/kernels/packing-of-few-bits/%s", sets[i]->name);

        g_test_add_data_func (packing, sets[i], test_packing_of_few_bits);
        add_tests (sets[i], "");
    }
#if defined(__x86_64__)
    add_tests (&altclip_emulated_amx, "emulated-");
    add_tests (&altclip_emulated_amx_int8, "emulated-");
    add_tests (&altclip_emulated_avx512vnni, "emulated-");
    add_tests (&altclip_emulated_avxvnni, "emulated-");
#endif
    g_test_add_func ("/kernels/activations", test_activations);
    g_test_add_func ("/kernels/activations-of-no-number", test_activations_of_no_number);
    g_test_add_func ("/kernels/softmax", test_softmax);
    g_test_add_func ("/kernels/gains", test_gains);
    g_test_add_func ("/kernels/proof", test_proof);
    g_test_add_func ("/kernels/proof-of-attention", test_proof_of_attention);
    g_test_add_func ("/kernels/proof-of-panels", test_proof_of_panels);
    g_test_add_func ("/kernels/choice", test_choice);
    g_test_add_func ("/kernels/choice-of-precision", test_choice_of_precision);
    g_test_add_func ("/kernels/automatic-choice", test_automatic_choice);
    g_test_add_func ("/kernels/trial", test_trial);
    g_test_add_func ("/kernels/trial/cancelled", test_trial_cancelled);
    g_test_add_func ("/pool/shares", test_pool);
    return g_test_run ();
}
