/* altclip: which of two kernel sets is the faster one here
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "trial.h"

#include <time.h>

/* Of each set; the first finds caches cold, and others may be disturbed. */
#define RUNS 8

/* Multiplications of a run. */
#define WORK 5e6

/* Rows and inputs beyond which a product only takes longer. */
#define MAX_ROWS 300
#define MAX_INPUTS 4096

const AltclipKernels *
altclip_trial_run (const AltclipKernels *f32, const AltclipKernels *bf16, AltclipTimeFunc take_time,
        gpointer data, GCancellable *cancellable, AltclipTrial *trial, GError **error)
{
    *trial = (AltclipTrial){ f32->name, G_MAXUINT64, bf16->name, G_MAXUINT64 };
    for (guint run = 0; run < RUNS; run++) {
        guint64 f32_time;
        guint64 bf16_time;

        if (g_cancellable_set_error_if_cancelled (cancellable, error))
            return NULL;
        f32_time = take_time (f32, data);
        bf16_time = take_time (bf16, data);
        trial->f32_time = MIN (trial->f32_time, f32_time);
        trial->bf16_time = MIN (trial->bf16_time, bf16_time);
    }
    return (double)trial->bf16_time < (1.0 - ALTCLIP_TRIAL_GAIN) * (double)trial->f32_time ? bf16
                                                                                           : f32;
}

/* ---- A product ------------------------------------------------------------------------------- */

/* A product as one set has it. */
typedef struct {
    AltclipLinear linear;
    float *x; /* prepared */
} Packed;

typedef struct {
    AltclipProductShape shape;
    Packed packed[2];
    float *out; /* [m, n] */
} Product;

/* Whole multiples of the grain, so that no set computes what it throws away. */
static AltclipProductShape
find_part (const AltclipProductShape *shape)
{
    guint m = MIN (shape->m, MAX_ROWS);
    guint k = MIN (shape->k, MAX_INPUTS);
    guint grains = (guint)(WORK / ALTCLIP_LINEAR_GRAIN / m / k);

    return (AltclipProductShape){ m, MIN (shape->n, MAX (grains, 1) * ALTCLIP_LINEAR_GRAIN), k };
}

/* Numbers from −1 to 1, none of which takes a CPU longer than others. */
static float *
new_matrix (guint rows, guint columns)
{
    gsize n = (gsize)rows * columns;
    float *matrix = altclip_aligned_alloc (n * sizeof (float));

    for (gsize i = 0; i < n; i++)
        matrix[i] = ((float)(i % 31) - 15.0f) / 16.0f;
    return matrix;
}

static void
packed_init (Packed *packed, const AltclipKernels *kernels, const AltclipProductShape *shape)
{
    float *x = new_matrix (shape->m, shape->k);
    float *weights = new_matrix (shape->n, shape->k);
    AltclipStoredTensor stored = altclip_stored_tensor_of_matrix (weights, shape->n, shape->k);
    void *memory = altclip_aligned_alloc (kernels->packed_size (kernels, shape->n, shape->k));

    kernels->pack (kernels, memory, shape->n, shape->k, 0, &stored);
    packed->linear = (AltclipLinear){ kernels, shape->n, shape->k, memory, NULL, FALSE };
    packed->x = altclip_kernels_prepare (kernels, x, shape->m, shape->k);
    altclip_aligned_free (weights);
    altclip_aligned_free (x);
}

static void
packed_clear (Packed *packed)
{
    altclip_linear_clear (&packed->linear);
    altclip_aligned_free (packed->x);
}

/* Of this thread alone: what else the machine does is no matter. */
static guint64
read_clock (void)
{
    struct timespec now;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
    return (guint64)now.tv_sec * G_GUINT64_CONSTANT (1000000000) + (guint64)now.tv_nsec;
}

static guint64
time_product (const AltclipKernels *kernels, gpointer data)
{
    static const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    const Product *product = data;
    const Packed *packed = &product->packed[kernels != product->packed[0].linear.kernels];
    guint64 begin = read_clock ();

    kernels->linear (&packed->linear, packed->x, product->shape.m, 0, product->shape.n, &plain,
            product->out, product->shape.n);
    return read_clock () - begin;
}

const AltclipKernels *
altclip_trial_run_product (const AltclipKernels *f32, const AltclipKernels *bf16,
        const AltclipProductShape *shape, GCancellable *cancellable, AltclipTrial *trial,
        GError **error)
{
    Product product = { .shape = find_part (shape) };
    const AltclipKernels *faster;

    packed_init (&product.packed[0], f32, &product.shape);
    packed_init (&product.packed[1], bf16, &product.shape);
    product.out = altclip_aligned_alloc ((gsize)product.shape.m * product.shape.n * sizeof (float));
    faster = altclip_trial_run (f32, bf16, time_product, &product, cancellable, trial, error);
    altclip_aligned_free (product.out);
    packed_clear (&product.packed[0]);
    packed_clear (&product.packed[1]);
    return faster;
}
