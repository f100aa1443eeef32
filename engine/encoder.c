/* altclip: the transformer blocks that both towers share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "encoder.h"

#include <string.h>

/* ---- Stored tensors -------------------------------------------------------------------------- */

typedef enum {
    Q_WEIGHT,
    K_WEIGHT,
    V_WEIGHT,
    Q_BIAS,
    K_BIAS,
    V_BIAS,
    OUT_WEIGHT,
    OUT_BIAS,
    FC1_WEIGHT,
    FC1_BIAS,
    FC2_WEIGHT,
    FC2_BIAS,
    NORM1_GAMMA,
    NORM1_BETA,
    NORM2_GAMMA,
    NORM2_BETA
} BlockTensor;

/* Sizes of a block's tensors, in terms of the configuration. */
typedef enum { NOTHING, HIDDEN, INTERMEDIATE } BlockSize;

static const struct {
    const char *clip;
    const char *roberta;
    BlockSize rows;
    BlockSize columns; /* NOTHING: the tensor has one dimension */
} BLOCK_TENSORS[ALTCLIP_N_BLOCK_TENSORS] = {
    [Q_WEIGHT] = { "self_attn.q_proj.weight", "attention.self.query.weight", HIDDEN, HIDDEN },
    [K_WEIGHT] = { "self_attn.k_proj.weight", "attention.self.key.weight", HIDDEN, HIDDEN },
    [V_WEIGHT] = { "self_attn.v_proj.weight", "attention.self.value.weight", HIDDEN, HIDDEN },
    [Q_BIAS] = { "self_attn.q_proj.bias", "attention.self.query.bias", HIDDEN, NOTHING },
    [K_BIAS] = { "self_attn.k_proj.bias", "attention.self.key.bias", HIDDEN, NOTHING },
    [V_BIAS] = { "self_attn.v_proj.bias", "attention.self.value.bias", HIDDEN, NOTHING },
    [OUT_WEIGHT] = { "self_attn.out_proj.weight", "attention.output.dense.weight", HIDDEN, HIDDEN },
    [OUT_BIAS] = { "self_attn.out_proj.bias", "attention.output.dense.bias", HIDDEN, NOTHING },
    [FC1_WEIGHT] = { "mlp.fc1.weight", "intermediate.dense.weight", INTERMEDIATE, HIDDEN },
    [FC1_BIAS] = { "mlp.fc1.bias", "intermediate.dense.bias", INTERMEDIATE, NOTHING },
    [FC2_WEIGHT] = { "mlp.fc2.weight", "output.dense.weight", HIDDEN, INTERMEDIATE },
    [FC2_BIAS] = { "mlp.fc2.bias", "output.dense.bias", HIDDEN, NOTHING },
    [NORM1_GAMMA] = { "layer_norm1.weight", "attention.output.LayerNorm.weight", HIDDEN, NOTHING },
    [NORM1_BETA] = { "layer_norm1.bias", "attention.output.LayerNorm.bias", HIDDEN, NOTHING },
    [NORM2_GAMMA] = { "layer_norm2.weight", "output.LayerNorm.weight", HIDDEN, NOTHING },
    [NORM2_BETA] = { "layer_norm2.bias", "output.LayerNorm.bias", HIDDEN, NOTHING },
};

static const char *
size_get_name (BlockSize size)
{
    return size == HIDDEN ? "hidden_size" : "intermediate_size";
}

static guint64
size_get_value (BlockSize size, const AltclipTowerConfig *config)
{
    return size == HIDDEN ? config->hidden_size : config->intermediate_size;
}

static const AltclipStoredTensor *
require_block_tensor (AltclipWeights *weights, const char *name, BlockSize rows, BlockSize columns,
        const AltclipTowerConfig *config, GError **error)
{
    g_autofree char *meaning = NULL;

    if (columns == NOTHING)
        return altclip_weights_require (
                weights, error, name, size_get_name (rows), 1, size_get_value (rows, config));
    meaning = g_strdup_printf ("%s × %s", size_get_name (rows), size_get_name (columns));
    return altclip_weights_require (weights, error, name, meaning, 2, size_get_value (rows, config),
            size_get_value (columns, config));
}

static const AltclipStoredTensor *
require_distances (
        AltclipWeights *weights, const char *block, const AltclipEncoderForm *form, GError **error)
{
    g_autofree char *name = g_strconcat (block, "attention.self.distance_embedding.weight", NULL);

    return altclip_weights_require (weights, error, name,
            "2 · max_position_embeddings − 1 × hidden_size / num_attention_heads", 2,
            2 * (guint64)form->max_position_embeddings - 1,
            (guint64)form->config->hidden_size / form->config->num_attention_heads);
}

/* The tensors of the block whose names begin with @prefix. */
static gboolean
find_block (AltclipWeights *weights, const char *prefix, const AltclipEncoderForm *form,
        AltclipStoredBlock *block, guint64 *n_parameters, GError **error)
{
    for (guint t = 0; t < ALTCLIP_N_BLOCK_TENSORS; t++) {
        g_autofree char *name = g_strconcat (prefix,
                form->order == ALTCLIP_PRE_NORM ? BLOCK_TENSORS[t].clip : BLOCK_TENSORS[t].roberta,
                NULL);

        block->tensors[t] = require_block_tensor (weights, name, BLOCK_TENSORS[t].rows,
                BLOCK_TENSORS[t].columns, form->config, error);
        if (!block->tensors[t])
            return FALSE;
        *n_parameters += block->tensors[t]->n_elements;
    }
    if (form->positions == ALTCLIP_POSITIONS_ABSOLUTE)
        return TRUE;
    block->distances = require_distances (weights, prefix, form, error);
    if (!block->distances)
        return FALSE;
    *n_parameters += block->distances->n_elements;
    return TRUE;
}

AltclipStoredBlock *
altclip_stored_blocks_find (AltclipWeights *weights, const char *prefix,
        const AltclipEncoderForm *form, guint64 *n_parameters, GError **error)
{
    guint n = form->config->num_hidden_layers;
    g_autofree AltclipStoredBlock *blocks = g_new0 (AltclipStoredBlock, n);

    for (guint i = 0; i < n; i++) {
        g_autofree char *block_prefix = g_strdup_printf ("%s%u.", prefix, i);

        if (!find_block (weights, block_prefix, form, &blocks[i], n_parameters, error))
            return NULL;
    }
    return g_steal_pointer (&blocks);
}

/* ---- Packed blocks --------------------------------------------------------------------------- */

static void
distances_init (AltclipDistances *distances, const AltclipEncoderForm *form,
        const AltclipStoredTensor *stored)
{
    if (!stored)
        return;
    distances->n = form->max_position_embeddings;
    distances->with_keys = form->positions == ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY;
    distances->table = altclip_aligned_alloc (stored->n_elements * sizeof (float));
    altclip_stored_tensor_read (stored, 0, stored->n_elements, distances->table);
    altclip_weights_release (stored);
}

static gsize
distances_get_size (const AltclipDistances *distances, guint head_size)
{
    return distances->table ? (2 * (gsize)distances->n - 1) * head_size * sizeof (float) : 0;
}

static void
block_init (AltclipBlock *block, const AltclipKernels *kernels, const AltclipEncoderForm *form,
        const AltclipStoredBlock *stored)
{
    const AltclipStoredTensor *const *tensors = stored->tensors;
    double epsilon = form->config->layer_norm_eps;

    altclip_linear_init (&block->qkv, kernels, tensors + Q_WEIGHT, tensors + Q_BIAS, 3);
    altclip_linear_init (&block->out, kernels, tensors + OUT_WEIGHT, tensors + OUT_BIAS, 1);
    altclip_linear_init (&block->fc1, kernels, tensors + FC1_WEIGHT, tensors + FC1_BIAS, 1);
    altclip_linear_init (&block->fc2, kernels, tensors + FC2_WEIGHT, tensors + FC2_BIAS, 1);
    altclip_norm_init (&block->norm1, tensors[NORM1_GAMMA], tensors[NORM1_BETA], epsilon);
    altclip_norm_init (&block->norm2, tensors[NORM2_GAMMA], tensors[NORM2_BETA], epsilon);
    distances_init (&block->distances, form, stored->distances);
}

typedef struct {
    AltclipEncoder *encoder;
    const AltclipEncoderForm *form;
    const AltclipStoredBlock *stored; /* [num_hidden_layers] */
    GCancellable *cancellable;
} PackJob;

/* The threads go through the file side by side, each with a block of its own. */
static void
pack_share (gpointer data, guint index, guint n)
{
    PackJob *job = data;
    AltclipEncoder *encoder = job->encoder;

    for (guint i = index; i < encoder->config->num_hidden_layers; i += n) {
        if (g_cancellable_is_cancelled (job->cancellable))
            return;
        block_init (&encoder->blocks[i], encoder->kernels, job->form, &job->stored[i]);
    }
}

gboolean
altclip_encoder_init (AltclipEncoder *encoder, const AltclipKernels *kernels,
        const AltclipEncoderForm *form, const AltclipStoredBlock *stored,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error)
{
    PackJob job = { encoder, form, stored, cancellable };

    encoder->kernels = kernels;
    encoder->config = form->config;
    encoder->order = form->order;
    encoder->blocks = g_new0 (AltclipBlock, form->config->num_hidden_layers);
    altclip_workspace_run (workspace, pack_share, &job);
    return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

void
altclip_encoder_clear (AltclipEncoder *encoder)
{
    if (!encoder->blocks)
        return;
    for (guint i = 0; i < encoder->config->num_hidden_layers; i++) {
        AltclipBlock *block = &encoder->blocks[i];
        altclip_linear_clear (&block->qkv);
        altclip_linear_clear (&block->out);
        altclip_linear_clear (&block->fc1);
        altclip_linear_clear (&block->fc2);
        altclip_norm_clear (&block->norm1);
        altclip_norm_clear (&block->norm2);
        altclip_aligned_free (block->distances.table);
    }
    g_clear_pointer (&encoder->blocks, g_free);
}

gsize
altclip_encoder_get_size (const AltclipEncoder *encoder)
{
    guint head_size = encoder->config->hidden_size / encoder->config->num_attention_heads;
    gsize size = 0;

    for (guint i = 0; i < encoder->config->num_hidden_layers; i++) {
        const AltclipBlock *block = &encoder->blocks[i];
        size += altclip_linear_get_size (&block->qkv) + altclip_linear_get_size (&block->out) +
                altclip_linear_get_size (&block->fc1) + altclip_linear_get_size (&block->fc2) +
                distances_get_size (&block->distances, head_size);
    }
    return size;
}

/* ---- Forward --------------------------------------------------------------------------------- */

static const AltclipEpilogue PLAIN = { ALTCLIP_ACTIVATION_NONE, FALSE };
static const AltclipEpilogue TO_RESIDUAL = { ALTCLIP_ACTIVATION_NONE, TRUE };

/* Returns: (transfer none): heads side by side, before their output layer: [rows, width] */
static float *
attend (const AltclipEncoder *encoder, const AltclipBlock *block, AltclipWorkspace *workspace,
        const float *h, const AltclipSequences *sequences, float *probabilities)
{
    guint rows = sequences->offsets[sequences->n];
    guint width = encoder->config->hidden_size;
    float *qkv = altclip_workspace_get (workspace, ALTCLIP_BUFFER_QKV, (gsize)rows * 3 * width);
    float *attended =
            altclip_workspace_get (workspace, ALTCLIP_BUFFER_ATTENTION, (gsize)rows * width);
    AltclipAttention attention = { qkv, attended, width, encoder->config->num_attention_heads,
        sequences, block->distances.table ? &block->distances : NULL, probabilities };

    altclip_linear_run (workspace, &block->qkv, h, rows, PLAIN, qkv);
    altclip_attention_run (workspace, encoder->kernels, &attention);
    return attended;
}

/* x += fc2 (activation (fc1 (h))) */
static void
run_mlp (const AltclipEncoder *encoder, const AltclipBlock *block, AltclipWorkspace *workspace,
        const float *h, guint rows, float *x)
{
    AltclipEpilogue activate = { encoder->config->activation, FALSE };
    float *inner = altclip_workspace_get (
            workspace, ALTCLIP_BUFFER_MLP, (gsize)rows * encoder->config->intermediate_size);

    altclip_linear_run (workspace, &block->fc1, h, rows, activate, inner);
    altclip_linear_run (workspace, &block->fc2, inner, rows, TO_RESIDUAL, x);
}

/* What of a block has one row's result depend on that row alone. */
static void
finish_block (const AltclipEncoder *encoder, const AltclipBlock *block, AltclipWorkspace *workspace,
        const float *attended, guint rows, float *x)
{
    altclip_linear_run (workspace, &block->out, attended, rows, TO_RESIDUAL, x);
    if (encoder->order == ALTCLIP_PRE_NORM) {
        float *h = altclip_workspace_get (
                workspace, ALTCLIP_BUFFER_NORMED, (gsize)rows * encoder->config->hidden_size);

        altclip_norm_run (workspace, encoder->kernels, &block->norm2, x, rows, h);
        run_mlp (encoder, block, workspace, h, rows, x);
        return;
    }
    altclip_norm_run (workspace, encoder->kernels, &block->norm1, x, rows, x);
    run_mlp (encoder, block, workspace, x, rows, x);
    altclip_norm_run (workspace, encoder->kernels, &block->norm2, x, rows, x);
}

/* What of a block mixes rows. */
static float *
begin_block (const AltclipEncoder *encoder, const AltclipBlock *block, AltclipWorkspace *workspace,
        const float *x, const AltclipSequences *sequences, float *probabilities)
{
    guint rows = sequences->offsets[sequences->n];
    float *h;

    if (encoder->order == ALTCLIP_POST_NORM)
        return attend (encoder, block, workspace, x, sequences, probabilities);
    h = altclip_workspace_get (
            workspace, ALTCLIP_BUFFER_NORMED, (gsize)rows * encoder->config->hidden_size);
    altclip_norm_run (workspace, encoder->kernels, &block->norm1, x, rows, h);
    return attend (encoder, block, workspace, h, sequences, probabilities);
}

void
altclip_sequences_keep_first_rows (const AltclipSequences *sequences, guint width, float *x)
{
    for (gsize s = 0; s < sequences->n; s++)
        memmove (x + s * width, x + (gsize)sequences->offsets[s] * width, width * sizeof (float));
}

void
altclip_encoder_run (const AltclipEncoder *encoder, AltclipWorkspace *workspace, float *x,
        const AltclipSequences *sequences, const AltclipObserver *observer)
{
    guint rows = sequences->offsets[sequences->n];

    if (observer && observer->hidden_state)
        observer->hidden_state (observer->data, 0, x);
    for (guint i = 0; i < encoder->config->num_hidden_layers; i++) {
        const AltclipBlock *block = &encoder->blocks[i];
        float *probabilities =
                observer && observer->attentions ? observer->attentions (observer->data, i) : NULL;
        float *attended = begin_block (encoder, block, workspace, x, sequences, probabilities);

        finish_block (encoder, block, workspace, attended, rows, x);
        if (observer && observer->hidden_state)
            observer->hidden_state (observer->data, i + 1, x);
    }
}

void
altclip_encoder_run_first_rows (const AltclipEncoder *encoder, AltclipWorkspace *workspace,
        float *x, const AltclipSequences *sequences)
{
    guint width = encoder->config->hidden_size;
    guint rows = sequences->offsets[sequences->n];

    for (guint i = 0; i < encoder->config->num_hidden_layers; i++) {
        const AltclipBlock *block = &encoder->blocks[i];
        float *attended = begin_block (encoder, block, workspace, x, sequences, NULL);

        if (i + 1 == encoder->config->num_hidden_layers) {
            altclip_sequences_keep_first_rows (sequences, width, attended);
            altclip_sequences_keep_first_rows (sequences, width, x);
            rows = sequences->n;
        }
        finish_block (encoder, block, workspace, attended, rows, x);
    }
}
