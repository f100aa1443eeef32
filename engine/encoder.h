/* altclip: the transformer blocks that both towers share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_ENCODER_H
#define ALTCLIP_ENCODER_H

#include "config.h"
#include "weights.h"
#include "workspace.h"

G_BEGIN_DECLS

/* The stored tensors of a block, in the order of the table in encoder.c. */
#define ALTCLIP_N_BLOCK_TENSORS 16

typedef struct {
    const AltclipStoredTensor *tensors[ALTCLIP_N_BLOCK_TENSORS];
} AltclipStoredBlock;

/* A block packed for a kernel set. */
typedef struct {
    AltclipLinear qkv; /* [3 · width, width] */
    AltclipLinear out; /* [width, width] */
    AltclipLinear fc1; /* [intermediate size, width] */
    AltclipLinear fc2; /* [width, intermediate size] */
    AltclipNorm norm1; /* of attention: before it, or after its residual */
    AltclipNorm norm2; /* of the MLP, likewise */
} AltclipBlock;

/* Where the layer norms stand: CLIP's towers have them before each half of a block, XLM-R after. */
typedef enum { ALTCLIP_PRE_NORM, ALTCLIP_POST_NORM } AltclipNormOrder;

typedef struct {
    const AltclipKernels *kernels;
    const AltclipTowerConfig *config;
    AltclipNormOrder order;
    AltclipBlock *blocks; /* [num_hidden_layers] */
} AltclipEncoder;

/**
 * altclip_stored_blocks_find:
 * @prefix: what the blocks' names begin with, up to `layers.` or `layer.`
 * @order: decides between CLIP's and XLM-R's names
 * @n_parameters: (inout): grows by the number of elements
 *
 * Finds and checks the tensors of all blocks.
 *
 * Returns: (transfer full) (array) (nullable): [num_hidden_layers]; free with g_free()
 */
AltclipStoredBlock *altclip_stored_blocks_find (AltclipWeights *weights, const char *prefix,
        const AltclipTowerConfig *config, AltclipNormOrder order, guint64 *n_parameters,
        GError **error);

/* Packs the blocks, in the threads of @workspace. FALSE when cancelled; then @encoder is to be
 * cleared too. */
gboolean altclip_encoder_init (AltclipEncoder *encoder, const AltclipKernels *kernels,
        const AltclipTowerConfig *config, AltclipNormOrder order, const AltclipStoredBlock *stored,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error);
void altclip_encoder_clear (AltclipEncoder *encoder);

/* Returns: bytes of the packed weights. */
gsize altclip_encoder_get_size (const AltclipEncoder *encoder);

/* Told the residual stream [rows, width] before block 0 and after each block. */
typedef void (*AltclipHiddenStateFunc) (gpointer data, guint layer, const float *x);

/**
 * altclip_encoder_run:
 * @x: (inout): [rows, width]: the residual stream, in place
 * @sequences: rows of the batch
 * @hidden_state: (nullable): see #AltclipHiddenStateFunc
 */
void altclip_encoder_run (const AltclipEncoder *encoder, AltclipWorkspace *workspace, float *x,
        const AltclipSequences *sequences, AltclipHiddenStateFunc hidden_state, gpointer data);

/**
 * altclip_encoder_run_first_rows:
 * @x: (inout): [rows, width]: the residual stream; on return its first rows are the result,
 *     [sequences, width]
 *
 * As altclip_encoder_run(), for a caller that wants the first row of each sequence alone: the last
 * block then does the greater part of its work on those.
 */
void altclip_encoder_run_first_rows (const AltclipEncoder *encoder, AltclipWorkspace *workspace,
        float *x, const AltclipSequences *sequences);

/* Moves the first row of each sequence of @x [rows, width] to the front. */
void altclip_sequences_keep_first_rows (const AltclipSequences *sequences, guint width, float *x);

G_END_DECLS

#endif /* ALTCLIP_ENCODER_H */
