/* altclip: choosing a kernel set, and layers packed for one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "kernels.h"
#include "weights.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

/* In the order of preference; the reference is last, and always right. */
static const AltclipKernels *const KERNELS[] = {
    &altclip_kernels_openblas,
    &altclip_kernels_reference,
};

/* ---- Memory ---------------------------------------------------------------------------------- */

void *
altclip_aligned_alloc (gsize n_bytes)
{
    gsize rounded = (MAX (n_bytes, 1) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *memory = aligned_alloc (CACHE_LINE, rounded);

    if (!memory)
        g_error ("altclip: out of memory (%" G_GSIZE_FORMAT " bytes)", rounded);
    memset (memory, 0, rounded);
    return memory;
}

void
altclip_aligned_free (void *memory)
{
    free (memory);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

void
altclip_linear_init (AltclipLinear *linear, const AltclipKernels *kernels,
        const AltclipStoredTensor *const *weights, const AltclipStoredTensor *const *biases,
        guint n_parts)
{
    guint n0 = 0;

    linear->kernels = kernels;
    linear->k = (guint)(weights[0]->n_elements / weights[0]->dims[0]);
    linear->n = 0;
    for (guint i = 0; i < n_parts; i++)
        linear->n += (guint)weights[i]->dims[0];
    linear->packed = altclip_aligned_alloc (kernels->packed_size (linear->n, linear->k));
    linear->bias = biases ? altclip_aligned_alloc (linear->n * sizeof (float)) : NULL;
    for (guint i = 0; i < n_parts; i++) {
        guint rows = (guint)weights[i]->dims[0];

        kernels->pack (linear->packed, linear->n, linear->k, n0, weights[i]);
        altclip_weights_release (weights[i]);
        if (biases)
            altclip_stored_tensor_read (biases[i], 0, rows, linear->bias + n0);
        n0 += rows;
    }
}

void
altclip_linear_clear (AltclipLinear *linear)
{
    g_clear_pointer (&linear->packed, altclip_aligned_free);
    g_clear_pointer (&linear->bias, altclip_aligned_free);
}

gsize
altclip_linear_get_size (const AltclipLinear *linear)
{
    return linear->packed ? linear->kernels->packed_size (linear->n, linear->k) : 0;
}

void
altclip_norm_init (AltclipNorm *norm, const AltclipStoredTensor *gamma,
        const AltclipStoredTensor *beta, double epsilon)
{
    norm->width = (guint)gamma->dims[0];
    norm->epsilon = epsilon;
    norm->gamma = altclip_aligned_alloc (norm->width * sizeof (float));
    norm->beta = altclip_aligned_alloc (norm->width * sizeof (float));
    altclip_stored_tensor_read (gamma, 0, norm->width, norm->gamma);
    altclip_stored_tensor_read (beta, 0, norm->width, norm->beta);
}

void
altclip_norm_clear (AltclipNorm *norm)
{
    g_clear_pointer (&norm->gamma, altclip_aligned_free);
    g_clear_pointer (&norm->beta, altclip_aligned_free);
}

/* ---- Proof ----------------------------------------------------------------------------------- */

/* Outputs checked of each product: all would take the reference too long on a large model. */
#define N_SAMPLES 256

typedef struct {
    const AltclipKernels *kernels;
    AltclipProductShape shape;
    guint32 seed;
    gboolean right;
} Proof;

/* A linear congruential generator: uniform in [−1, 1). */
static float
next_random (guint32 *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(gint32)*state * 0x1p-31f;
}

static float *
random_matrix (guint rows, guint columns, guint32 *state)
{
    gsize n = (gsize)rows * columns;
    float *matrix = altclip_aligned_alloc (n * sizeof (float));

    for (gsize i = 0; i < n; i++)
        matrix[i] = next_random (state);
    return matrix;
}

/* The rounding error of a sum of k products is at most about k·ε·|a|·|b|; a wrong result is far
 * outside that, so the bound need not be tight. */
static gboolean
sample_is_right (const Proof *proof, const float *x, const float *weights, const float *out,
        guint row, guint column)
{
    guint k = proof->shape.k;
    double sum = 0.0;
    double magnitude = 0.0;

    for (guint i = 0; i < k; i++) {
        double product = (double)x[(gsize)row * k + i] * weights[(gsize)column * k + i];
        sum += product;
        magnitude += fabs (product);
    }
    return fabs (sum - out[(gsize)row * proof->shape.n + column]) <=
           (k + 1.0) * FLT_EPSILON * magnitude;
}

static gpointer
prove_in_thread (gpointer data)
{
    Proof *proof = data;
    const AltclipProductShape *shape = &proof->shape;
    guint32 state = proof->seed;
    float *x = random_matrix (shape->m, shape->k, &state);
    float *weights = random_matrix (shape->n, shape->k, &state);
    float *out = altclip_aligned_alloc ((gsize)shape->m * shape->n * sizeof (float));
    AltclipStoredTensor stored = { .dtype = ALTCLIP_DTYPE_F32,
        .n_dims = 2,
        .dims = { shape->n, shape->k },
        .n_elements = (guint64)shape->n * shape->k,
        .data = (const guint8 *)weights,
        .n_bytes = (gsize)shape->n * shape->k * sizeof (float) };
    void *packed = altclip_aligned_alloc (proof->kernels->packed_size (shape->n, shape->k));
    AltclipLinear linear = { proof->kernels, shape->n, shape->k, packed, NULL };
    AltclipEpilogue epilogue = { ALTCLIP_ACTIVATION_NONE, FALSE };

    proof->kernels->pack (packed, shape->n, shape->k, 0, &stored);
    proof->kernels->linear (&linear, x, shape->m, 0, shape->n, &epilogue, out, shape->n);
    proof->right = TRUE;
    for (guint i = 0; i < N_SAMPLES && proof->right; i++) {
        guint row = (guint)(((guint64)(next_random (&state) * 0x1p30f + 0x1p30f)) % shape->m);
        guint column =
                i == 0 ? shape->n - 1
                       : (guint)(((guint64)(next_random (&state) * 0x1p30f + 0x1p30f)) % shape->n);
        proof->right = sample_is_right (proof, x, weights, out, row, column);
    }
    altclip_aligned_free (packed);
    altclip_aligned_free (out);
    altclip_aligned_free (weights);
    altclip_aligned_free (x);
    return NULL;
}

gboolean
altclip_kernels_prove (const AltclipKernels *kernels, const AltclipProductShape *shapes,
        gsize n_shapes, GError **error)
{
    for (gsize i = 0; i < n_shapes; i++) {
        Proof here = { kernels, shapes[i], 1, FALSE };
        Proof there = { kernels, shapes[i], 2, FALSE };
        GThread *thread = g_thread_new ("altclip-proof", prove_in_thread, &there);

        prove_in_thread (&here);
        g_thread_join (thread);
        if (!here.right || !there.right) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                    "kernels '%s' give wrong products [%u × %u] · [%u × %u] on this CPU",
                    kernels->name, shapes[i].m, shapes[i].k, shapes[i].k, shapes[i].n);
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- Choice ---------------------------------------------------------------------------------- */

static const AltclipKernels *
choose_by_name (const char *name, const AltclipProductShape *shapes, gsize n_shapes, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS (KERNELS); i++) {
        if (strcmp (KERNELS[i]->name, name) == 0) {
            if (KERNELS[i]->probe (error) &&
                    altclip_kernels_prove (KERNELS[i], shapes, n_shapes, error))
                return KERNELS[i];
            return NULL;
        }
    }
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels '%s' are not known; there are 'openblas' and 'reference'", name);
    return NULL;
}

const AltclipKernels *
altclip_kernels_choose (
        const char *name, const AltclipProductShape *shapes, gsize n_shapes, GError **error)
{
    if (!name)
        name = g_getenv ("ALTCLIP_KERNELS");
    if (name && *name)
        return choose_by_name (name, shapes, n_shapes, error);
    for (gsize i = 0; i < G_N_ELEMENTS (KERNELS); i++) {
        g_autoptr (GError) reason = NULL;
        gboolean last = i + 1 == G_N_ELEMENTS (KERNELS);

        if (KERNELS[i]->probe (&reason) &&
                (last || altclip_kernels_prove (KERNELS[i], shapes, n_shapes, &reason)))
            return KERNELS[i];
        g_warning ("altclip: %s", reason->message);
    }
    g_assert_not_reached ();
}
