/* altclip: what one computation needs: threads and scratch memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_WORKSPACE_H
#define ALTCLIP_WORKSPACE_H

#include "kernels.h"
#include "pool.h"

G_BEGIN_DECLS

/* The buffers of a forward pass. Each keeps its memory from one pass to the next. */
typedef enum {
    ALTCLIP_BUFFER_SEQUENCES, /* whole numbers: where the sequences begin, and their lengths */
    ALTCLIP_BUFFER_PATCHES,   /* [images · patches, channels · patch²] */
    ALTCLIP_BUFFER_RESIDUAL,  /* [rows, width]: the residual stream */
    ALTCLIP_BUFFER_NORMED,    /* [rows, width] */
    ALTCLIP_BUFFER_QKV,       /* [rows, 3 · width] */
    ALTCLIP_BUFFER_ATTENTION, /* [rows, width] */
    ALTCLIP_BUFFER_MLP,       /* [rows, intermediate size] */
    ALTCLIP_BUFFER_SCORES,    /* per thread: a kernel's scratch */
    ALTCLIP_BUFFER_PREPARED,  /* a layer's input as its kernels take it */
    ALTCLIP_BUFFER_POOLED,    /* [sequences, width] */
    ALTCLIP_BUFFER_PROJECTED, /* [rows, width of the text tower's transformation] */
    ALTCLIP_N_BUFFERS
} AltclipBuffer;

typedef struct _AltclipWorkspace AltclipWorkspace;

/* @n_threads: at most 1024; 0: one per core. Returns: (transfer full) (nullable): the workspace */
AltclipWorkspace *altclip_workspace_new (guint n_threads, GError **error);
void altclip_workspace_free (AltclipWorkspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipWorkspace, altclip_workspace_free)

/* Returns: (transfer none): @n floats at least, on a cache line's boundary, not cleared; valid
 * until the same buffer is asked for again. */
float *altclip_workspace_get (AltclipWorkspace *workspace, AltclipBuffer buffer, gsize n);

/* Runs @func in every thread of the workspace; see altclip_pool_run(). */
void altclip_workspace_run (AltclipWorkspace *workspace, AltclipPoolFunc func, gpointer data);

/* The functions of the kernel table, their range split over the workspace's threads. */
void altclip_linear_run (AltclipWorkspace *workspace, const AltclipLinear *linear, const float *x,
        guint m, AltclipEpilogue epilogue, float *out);
void altclip_normed_linear_run (AltclipWorkspace *workspace, const AltclipNorm *norm,
        const AltclipLinear *linear, const float *x, guint m, AltclipEpilogue epilogue, float *out);
void altclip_norm_run (AltclipWorkspace *workspace, const AltclipKernels *kernels,
        const AltclipNorm *norm, const float *x, guint m, float *out);
void altclip_attention_run (AltclipWorkspace *workspace, const AltclipKernels *kernels,
        const AltclipAttention *attention);

G_END_DECLS

#endif /* ALTCLIP_WORKSPACE_H */
