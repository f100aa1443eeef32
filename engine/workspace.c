/* altclip: what one computation needs: threads and scratch memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "workspace.h"

#define MAX_THREADS 1024

struct _AltclipWorkspace {
    AltclipPool *pool;
    float *buffers[ALTCLIP_N_BUFFERS];
    gsize sizes[ALTCLIP_N_BUFFERS]; /* in floats */
};

AltclipWorkspace *
altclip_workspace_new (guint n_threads, GError **error)
{
    AltclipWorkspace *workspace;

    if (n_threads > MAX_THREADS) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                "%u threads exceed the limit of %d", n_threads, MAX_THREADS);
        return NULL;
    }
    workspace = g_new0 (AltclipWorkspace, 1);
    workspace->pool = altclip_pool_new (n_threads ? n_threads : g_get_num_processors ());
    return workspace;
}

void
altclip_workspace_free (AltclipWorkspace *workspace)
{
    if (!workspace)
        return;
    for (guint i = 0; i < ALTCLIP_N_BUFFERS; i++)
        altclip_aligned_free (workspace->buffers[i]);
    altclip_pool_free (workspace->pool);
    g_free (workspace);
}

float *
altclip_workspace_get (AltclipWorkspace *workspace, AltclipBuffer buffer, gsize n)
{
    if (workspace->sizes[buffer] < n) {
        altclip_aligned_free (workspace->buffers[buffer]);
        workspace->buffers[buffer] = altclip_aligned_alloc (n * sizeof (float));
        workspace->sizes[buffer] = n;
    }
    return workspace->buffers[buffer];
}

void
altclip_workspace_run (AltclipWorkspace *workspace, AltclipPoolFunc func, gpointer data)
{
    altclip_pool_run (workspace->pool, func, data);
}

/* ---- Linear ---------------------------------------------------------------------------------- */

typedef struct {
    const AltclipLinear *linear;
    const float *x;
    guint m;
    AltclipEpilogue epilogue;
    float *out;
} LinearJob;

static void
run_linear_share (gpointer data, guint index, guint n)
{
    LinearJob *job = data;
    guint n0;
    guint n1;

    altclip_pool_share (job->linear->n, ALTCLIP_LINEAR_GRAIN, index, n, &n0, &n1);
    if (n0 < n1)
        job->linear->kernels->linear (
                job->linear, job->x, job->m, n0, n1, &job->epilogue, job->out, job->linear->n);
}

typedef struct {
    const AltclipKernels *kernels;
    const float *x;
    guint m;
    guint k;
    const AltclipNorm *norm; /* what is done before; or NULL */
    float *prepared;
} PrepareJob;

static void
run_prepare_share (gpointer data, guint index, guint n)
{
    PrepareJob *job = data;
    guint m0;
    guint m1;

    altclip_pool_share (job->m, job->kernels->tile_rows (job->kernels, job->m), index, n, &m0, &m1);
    if (job->norm)
        job->kernels->prepare_normed (
                job->kernels, job->norm, job->x, job->m, m0, m1, job->prepared);
    else
        job->kernels->prepare (job->kernels, job->x, job->m, job->k, m0, m1, job->prepared);
}

/* @norm: (nullable): what is done before. Returns: (transfer none): @x as the layer's kernels take
 * it */
static const float *
prepare (AltclipWorkspace *workspace, const AltclipLinear *linear, const AltclipNorm *norm,
        const float *x, guint m)
{
    const AltclipKernels *kernels = linear->kernels;
    PrepareJob job = { kernels, x, m, linear->k, norm, NULL };

    if (!kernels->prepare)
        return x;
    job.prepared = altclip_workspace_get (
            workspace, ALTCLIP_BUFFER_PREPARED, kernels->prepared_size (kernels, m, linear->k));
    altclip_pool_run (workspace->pool, run_prepare_share, &job);
    return job.prepared;
}

void
altclip_linear_run (AltclipWorkspace *workspace, const AltclipLinear *linear, const float *x,
        guint m, AltclipEpilogue epilogue, float *out)
{
    altclip_normed_linear_run (workspace, NULL, linear, x, m, epilogue, out);
}

/* @norm: (nullable): of a layer that has its gains */
void
altclip_normed_linear_run (AltclipWorkspace *workspace, const AltclipNorm *norm,
        const AltclipLinear *linear, const float *x, guint m, AltclipEpilogue epilogue, float *out)
{
    LinearJob job = { linear, prepare (workspace, linear, norm, x, m), m, epilogue, out };

    altclip_pool_run (workspace->pool, run_linear_share, &job);
}

/* ---- Layer norm ------------------------------------------------------------------------------ */

typedef struct {
    const AltclipKernels *kernels;
    const AltclipNorm *norm;
    const float *x;
    guint m;
    float *out;
} NormJob;

static void
run_norm_share (gpointer data, guint index, guint n)
{
    NormJob *job = data;
    guint m0;
    guint m1;

    altclip_pool_share (job->m, 1, index, n, &m0, &m1);
    job->kernels->norm (job->norm, job->x, m0, m1, job->out);
}

void
altclip_norm_run (AltclipWorkspace *workspace, const AltclipKernels *kernels,
        const AltclipNorm *norm, const float *x, guint m, float *out)
{
    NormJob job = { kernels, norm, x, m, out };

    altclip_pool_run (workspace->pool, run_norm_share, &job);
}

/* ---- Attention ------------------------------------------------------------------------------- */

typedef struct {
    const AltclipKernels *kernels;
    const AltclipAttention *attention;
    float *scratch;
    gsize n_scratch; /* floats per thread, whole cache lines */
} AttentionJob;

static void
run_attention_share (gpointer data, guint index, guint n)
{
    AttentionJob *job = data;
    guint first;
    guint last;

    altclip_pool_share (
            job->attention->sequences->n * job->attention->n_heads, 1, index, n, &first, &last);
    job->kernels->attention (job->kernels, job->attention, first, last,
            job->scratch + (gsize)index * job->n_scratch);
}

void
altclip_attention_run (AltclipWorkspace *workspace, const AltclipKernels *kernels,
        const AltclipAttention *attention)
{
    const AltclipKernels *able = attention->sequences->mask ? &altclip_kernels_reference : kernels;
    guint n_threads = altclip_pool_get_n_threads (workspace->pool);
    gsize n_scratch = (able->attention_scratch (able, attention) + 15) / 16 * 16;
    AttentionJob job = { able, attention,
        altclip_workspace_get (workspace, ALTCLIP_BUFFER_SCORES, n_threads * n_scratch),
        n_scratch };

    altclip_pool_run (workspace->pool, run_attention_share, &job);
}
