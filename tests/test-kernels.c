/* altclip: every kernel set against the reference
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "kernels.h"
#include "workspace.h"

#include <float.h>
#include <math.h>
#include <string.h>

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
init_linear (AltclipLinear *linear, const AltclipKernels *kernels, guint n, guint k, float *weights,
        float *bias)
{
    AltclipStoredTensor stored = { .dtype = ALTCLIP_DTYPE_F32,
        .n_dims = 2,
        .dims = { n, k },
        .n_elements = (guint64)n * k,
        .data = (const guint8 *)weights,
        .n_bytes = (gsize)n * k * sizeof (float) };

    linear->kernels = kernels;
    linear->n = n;
    linear->k = k;
    linear->bias = bias;
    linear->packed = altclip_aligned_alloc (kernels->packed_size (n, k));
    kernels->pack (linear->packed, n, k, 0, &stored);
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

/* ---- Linear ---------------------------------------------------------------------------------- */

/* The largest |difference| / (|x|·|w| + |b|) over a product, computed in three ranges of columns so
 * that range ends are tested too. */
static double
compare_linear (const AltclipKernels *kernels, guint m, guint n, guint k, FillFunc fill,
        gboolean accumulate)
{
    guint32 state = m * 131 + n * 17 + k;
    float *x = new_matrix ((gsize)m * k, fill, &state);
    float *weights = new_matrix ((gsize)n * k, fill, &state);
    float *bias = new_matrix (n, fill, &state);
    float *out = new_matrix ((gsize)m * n, fill, &state);
    float *before = g_memdup2 (out, (gsize)m * n * sizeof (float));
    AltclipEpilogue epilogue = { ALTCLIP_ACTIVATION_NONE, accumulate };
    AltclipLinear linear;
    double worst = 0.0;

    init_linear (&linear, kernels, n, k, weights, bias);
    kernels->linear (&linear, x, m, 0, n / 3, &epilogue, out, n);
    kernels->linear (&linear, x, m, n / 3, n / 2, &epilogue, out, n);
    kernels->linear (&linear, x, m, n / 2, n, &epilogue, out, n);
    for (gsize row = 0; row < m; row++) {
        for (gsize column = 0; column < n; column++) {
            double sum = bias[column];
            double magnitude = fabs (bias[column]);
            for (gsize i = 0; i < k; i++) {
                sum += (double)x[row * k + i] * weights[column * k + i];
                magnitude += fabs ((double)x[row * k + i] * weights[column * k + i]);
            }
            if (accumulate) {
                sum += before[row * n + column];
                magnitude += fabs (before[row * n + column]);
            }
            worst = MAX (
                    worst, fabs (sum - out[row * n + column]) / MAX (magnitude, (double)FLT_MIN));
        }
    }
    altclip_aligned_free (linear.packed);
    altclip_aligned_free (x);
    altclip_aligned_free (weights);
    altclip_aligned_free (bias);
    altclip_aligned_free (out);
    g_free (before);
    return worst;
}

static void
check_linear (const AltclipKernels *kernels)
{
    static const guint sizes[] = { 1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 65, 100 };
    double worst = 0.0;

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS (sizes); j++) {
            for (gsize f = 0; f < G_N_ELEMENTS (FILLS); f++) {
                guint k = sizes[(i * 5 + j * 7) % G_N_ELEMENTS (sizes)];
                double error = compare_linear (
                        kernels, sizes[i], sizes[j], k, FILLS[f].fill, (i + j) % 2 == 0);
                if (error > 1e-6)
                    g_error ("%s: [%u × %u]·[%u × %u], %s: %g of |x|·|w|", kernels->name, sizes[i],
                            k, k, sizes[j], FILLS[f].name, error);
                worst = MAX (worst, error);
            }
        }
    }
    g_test_message ("%s linear: largest difference %.2g of |x|·|w|", kernels->name, worst);
}

static gpointer
check_linear_in_thread (gpointer kernels)
{
    check_linear (kernels);
    return NULL;
}

static void
test_linear (gconstpointer data)
{
    GThread *thread = g_thread_new ("second", check_linear_in_thread, (gpointer)data);

    check_linear (data);
    g_thread_join (thread);
}

/* ---- Layer norm ------------------------------------------------------------------------------ */

static void
test_norm (gconstpointer data)
{
    const AltclipKernels *kernels = data;

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

/* ---- Attention ------------------------------------------------------------------------------- */

static void
test_attention (gconstpointer data)
{
    const AltclipKernels *kernels = data;
    static const guint offsets[] = { 0, 1, 18, 83, 90 };
    static const guint attended[] = { 1, 17, 65, 4 };
    const AltclipSequences sequences = { 4, offsets, attended, 65 };

    for (guint head_size = 1; head_size <= 80; head_size = head_size * 2 + 3) {
        guint n_heads = 3;
        guint width = head_size * n_heads;
        guint32 state = head_size;
        float *qkv = new_matrix ((gsize)90 * 3 * width, fill_uniform, &state);
        float *out = altclip_aligned_alloc ((gsize)90 * width * sizeof (float));
        float *expected = altclip_aligned_alloc ((gsize)90 * width * sizeof (float));
        float *scratch =
                altclip_aligned_alloc (MAX (kernels->attention_scratch (65),
                                               altclip_kernels_reference.attention_scratch (65)) *
                                       sizeof (float));
        AltclipAttention attention = { qkv, out, width, n_heads, &sequences };
        AltclipAttention reference = { qkv, expected, width, n_heads, &sequences };

        for (guint i = 0; i < width; i++)
            qkv[(gsize)40 * 3 * width + i] *= 300.0f; /* one query that makes the softmax hard */
        kernels->attention (&attention, 0, 5, scratch);
        kernels->attention (&attention, 5, 12, scratch);
        altclip_kernels_reference.attention (&reference, 0, 12, scratch);
        for (guint i = 0; i < 90 * width; i++)
            g_assert_cmpfloat_with_epsilon (out[i], expected[i], 2e-5);
        altclip_aligned_free (qkv);
        altclip_aligned_free (out);
        altclip_aligned_free (expected);
        altclip_aligned_free (scratch);
    }
}

/* ---- Activations ----------------------------------------------------------------------------- */

static void
test_activations (void)
{
    for (int activation = ALTCLIP_ACTIVATION_NONE; activation <= ALTCLIP_ACTIVATION_SELU;
            activation++) {
        for (double x = -100.0; x <= 100.0; x += 0.0137) {
            float value = (float)x;
            double exact = altclip_activation_exact ((AltclipActivation)activation, value);
            altclip_activation_apply ((AltclipActivation)activation, &value, 1);
            if (fabs (value - exact) > 4e-7 * MAX (1.0, fabs (exact)))
                g_error ("activation %d at %g: %g instead of %g", activation, x, value, exact);
        }
    }
}

static void
test_softmax (void)
{
    float huge[] = { 1e30f, -1e30f, 1e30f };
    float one[] = { -3e38f };

    altclip_softmax (huge, 3);
    g_assert_cmpfloat_with_epsilon (huge[0], 0.5, 1e-6);
    g_assert_cmpfloat_with_epsilon (huge[1], 0.0, 1e-6);
    altclip_softmax (one, 1);
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
test_proof (void)
{
    static const AltclipProductShape shapes[] = { { 17, 40, 33 } };
    void (*const broken_linears[]) (const AltclipLinear *linear, const float *x, guint m, guint n0,
            guint n1, const AltclipEpilogue *epilogue, float *out,
            gsize out_stride) = { broken_last_row, broken_tail_column, broken_accumulation,
        broken_later_range, broken_not_a_number };

    for (gsize i = 0; i < G_N_ELEMENTS (broken_linears); i++) {
        AltclipKernels broken = altclip_kernels_reference;
        g_autoptr (GError) error = NULL;

        broken.name = "broken";
        broken.linear = broken_linears[i];
        g_assert_false (altclip_kernels_prove (&broken, shapes, 1, NULL, &error));
        g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
        g_assert_cmpstr (error->message, ==,
                "kernels 'broken' give wrong products [17 × 33] · [33 × 40] on this CPU");
    }
}

/* Large products: the bound must not refuse a set for its rounding. */
static void
test_proof_of_large_products (void)
{
    static const AltclipProductShape shapes[] = { { 65, 576, 192 }, { 65, 192, 768 },
        { 33, 3072, 1024 }, { 9, 1024, 4096 } };
    g_autoptr (GError) error = NULL;

    altclip_kernels_prove (&altclip_kernels_openblas, shapes, G_N_ELEMENTS (shapes), NULL, &error);
    g_assert_no_error (error);
}

static void
test_choice (void)
{
    static const AltclipProductShape shapes[] = { { 65, 128, 64 } };
    g_autoptr (GError) error = NULL;

    g_assert_true (altclip_kernels_choose ("reference", shapes, 1, NULL, NULL) ==
                   &altclip_kernels_reference);
    g_assert_true (altclip_kernels_choose ("openblas", shapes, 1, NULL, NULL) ==
                   &altclip_kernels_openblas);
    g_assert_null (altclip_kernels_choose ("mmx", shapes, 1, NULL, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
    g_assert_nonnull (strstr (error->message, "'mmx'"));
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

int
main (int argc, char **argv)
{
    static const AltclipKernels *const sets[] = { &altclip_kernels_openblas,
        &altclip_kernels_reference };

    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/kernels/memory", test_memory);
    for (gsize i = 0; i < G_N_ELEMENTS (sets); i++) {
        g_autofree char *linear = g_strdup_printf ("/kernels/%s/linear", sets[i]->name);
        g_autofree char *norm = g_strdup_printf ("/kernels/%s/norm", sets[i]->name);
        g_autofree char *attention = g_strdup_printf ("/kernels/%s/attention", sets[i]->name);

        g_assert_true (sets[i]->probe (NULL));
        g_test_add_data_func (linear, sets[i], test_linear);
        g_test_add_data_func (norm, sets[i], test_norm);
        g_test_add_data_func (attention, sets[i], test_attention);
    }
    g_test_add_func ("/kernels/activations", test_activations);
    g_test_add_func ("/kernels/softmax", test_softmax);
    g_test_add_func ("/kernels/proof", test_proof);
    g_test_add_func ("/kernels/proof-of-large-products", test_proof_of_large_products);
    g_test_add_func ("/kernels/choice", test_choice);
    g_test_add_func ("/pool/shares", test_pool);
    return g_test_run ();
}
