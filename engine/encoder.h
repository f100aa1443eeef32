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

/* Rows in one batch: enough to keep the products busy, little memory. */
#define ALTCLIP_BATCH_ROWS 2048

/* The stored tensors of a block, in the order of the table in encoder.c. */
#define ALTCLIP_N_BLOCK_TENSORS 16

typedef struct {
    const AltclipStoredTensor *tensors[ALTCLIP_N_BLOCK_TENSORS];
    const AltclipStoredTensor
            *distances; /* [2 · max_position_embeddings − 1, head size], or NULL */
} AltclipStoredBlock;

/* The stored tensors of one of a block's linear layers. */
typedef struct {
    const AltclipStoredTensor *const *weights; /* [n_parts], stacked to the layer's rows */
    const AltclipStoredTensor *const *biases;  /* [n_parts] */
    guint n_parts;
    /* Of the layer norm that the layer's input comes from, and no other's; NULL: there is none. */
    const AltclipStoredTensor *gamma;
    const AltclipStoredTensor *beta;
} AltclipStoredLayer;

/* A block packed for a kernel set. */
typedef struct {
    AltclipLinear qkv; /* [3 · width, width] */
    AltclipLinear out; /* [width, width] */
    AltclipLinear fc1; /* [intermediate size, width] */
    AltclipLinear fc2; /* [width, intermediate size] */
    AltclipNorm norm1; /* of attention: before it, or after its residual */
    AltclipNorm norm2; /* of the MLP, likewise */
    AltclipDistances distances;
} AltclipBlock;

/* The linear layers of a block. */
typedef enum {
    ALTCLIP_LAYER_QKV,
    ALTCLIP_LAYER_OUT,
    ALTCLIP_LAYER_FC1,
    ALTCLIP_LAYER_FC2,
    ALTCLIP_N_LAYERS
} AltclipLayer;

/* Where the layer norms stand: CLIP's towers have them before each half of a block, XLM-R after. */
typedef enum { ALTCLIP_PRE_NORM, ALTCLIP_POST_NORM } AltclipNormOrder;

/* What a tower's blocks are like. */
typedef struct {
    const AltclipTowerConfig *config;
    AltclipNormOrder order;
    AltclipPositions positions;
    guint max_position_embeddings; /* looked at for relative positions alone */
} AltclipEncoderForm;

typedef struct {
    const AltclipKernels *kernels;
    const AltclipTowerConfig *config;
    AltclipNormOrder order;
    AltclipBlock *blocks; /* [num_hidden_layers] */
} AltclipEncoder;

/**
 * altclip_stored_blocks_find:
 * @prefix: what the blocks' names begin with, up to `layers.` or `layer.`
 * @form: its order decides between CLIP's and XLM-R's names
 * @n_parameters: (inout): grows by the number of elements
 *
 * Finds and checks the tensors of all blocks.
 *
 * Returns: (transfer full) (array) (nullable): [num_hidden_layers]; free with g_free()
 */
AltclipStoredBlock *altclip_stored_blocks_find (AltclipWeights *weights, const char *prefix,
        const AltclipEncoderForm *form, guint64 *n_parameters, GError **error);

AltclipStoredLayer altclip_stored_block_get_layer (
        const AltclipStoredBlock *block, AltclipLayer layer, AltclipNormOrder order);

/**
 * altclip_stored_blocks_find_finer:
 * @blocks: [n]
 *
 * Of a tower that is stored in 8-bit integers, the layers that are not.
 *
 * Returns: (transfer full) (nullable): [n · ALTCLIP_N_LAYERS]; %NULL: no layer is stored so
 */
gboolean *altclip_stored_blocks_find_finer (const AltclipStoredBlock *blocks, guint n);

/* Packs the blocks, in the threads of @workspace. FALSE when cancelled; then @encoder is to be
 * cleared too. */
gboolean altclip_encoder_init (AltclipEncoder *encoder, const AltclipKernels *kernels,
        const AltclipEncoderForm *form, const AltclipStoredBlock *stored,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error);
void altclip_encoder_clear (AltclipEncoder *encoder);

/**
 * altclip_encoder_repack:
 * @chosen: [num_hidden_layers · ALTCLIP_N_LAYERS]: which layers
 *
 * Packs some layers anew, for @kernels, as altclip_encoder_init() does.
 */
gboolean altclip_encoder_repack (AltclipEncoder *encoder, const AltclipKernels *kernels,
        const AltclipEncoderForm *form, const AltclipStoredBlock *stored, const gboolean *chosen,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error);

/* Returns: (transfer none): one of a block's linear layers */
const AltclipLinear *altclip_block_get_linear (const AltclipBlock *block, AltclipLayer layer);

/* Returns: how many layers are for other kernels than the encoder's. */
guint altclip_encoder_count_repacked (const AltclipEncoder *encoder);

/* Returns: bytes of the packed weights. */
gsize altclip_encoder_get_size (const AltclipEncoder *encoder);

/* Somebody who wants to see more of a run than its result. Each function is nullable. */
typedef struct {
    /* Told the residual stream [rows, width] before block 0 and after each block. */
    void (*hidden_state) (gpointer data, guint layer, const float *x);
    /* Asked where to leave the probabilities of a block's attention; see #AltclipAttention. */
    float *(*attentions) (gpointer data, guint layer);
    /* Shown what a linear layer of a block is given, [rows, inputs], before it runs. */
    void (*linear) (gpointer data, guint block, AltclipLayer layer, const AltclipLinear *linear,
            const float *x, guint rows);
    gpointer data;
} AltclipObserver;

/**
 * altclip_encoder_run:
 * @x: (inout): [rows, width]: the residual stream, in place
 * @sequences: rows of the batch
 * @observer: (nullable): see #AltclipObserver
 */
void altclip_encoder_run (const AltclipEncoder *encoder, AltclipWorkspace *workspace, float *x,
        const AltclipSequences *sequences, const AltclipObserver *observer);

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
