/* altclip: the transformer blocks that both towers share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "encoder.h"
#include "quantised.h"

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

AltclipStoredLayer
altclip_stored_block_get_layer (
        const AltclipStoredBlock *block, AltclipLayer layer, AltclipNormOrder order)
{
    static const struct {
        BlockTensor weight;
        BlockTensor bias;
        guint n_parts;
        BlockTensor gamma; /* of layers that a norm stands before */
    } layers[ALTCLIP_N_LAYERS] = {
        [ALTCLIP_LAYER_QKV] = { Q_WEIGHT, Q_BIAS, 3, NORM1_GAMMA },
        [ALTCLIP_LAYER_OUT] = { OUT_WEIGHT, OUT_BIAS, 1, 0 },
        [ALTCLIP_LAYER_FC1] = { FC1_WEIGHT, FC1_BIAS, 1, NORM2_GAMMA },
        [ALTCLIP_LAYER_FC2] = { FC2_WEIGHT, FC2_BIAS, 1, 0 },
    };
    const AltclipStoredTensor *const *tensors = block->tensors;
    BlockTensor gamma = order == ALTCLIP_PRE_NORM ? layers[layer].gamma : 0;

    return (AltclipStoredLayer){ tensors + layers[layer].weight, tensors + layers[layer].bias,
        layers[layer].n_parts, gamma ? tensors[gamma] : NULL, gamma ? tensors[gamma + 1] : NULL };
}

gboolean *
altclip_stored_blocks_find_finer (const AltclipStoredBlock *blocks, guint n)
{
    g_autofree gboolean *finer = g_new0 (gboolean, n * ALTCLIP_N_LAYERS);
    guint n_finer = 0;

    for (guint i = 0; i < n * ALTCLIP_N_LAYERS; i++) {
        AltclipStoredLayer layer = altclip_stored_block_get_layer (&blocks[i / ALTCLIP_N_LAYERS],
                (AltclipLayer)(i % ALTCLIP_N_LAYERS), ALTCLIP_PRE_NORM);

        for (guint part = 0; part < layer.n_parts; part++)
            finer[i] |= layer.weights[part]->dtype != ALTCLIP_DTYPE_I8 ||
                        layer.weights[part]->dims[1] > ALTCLIP_QUANTISED_MAX_INPUTS;
        n_finer += (guint)finer[i];
    }
    return n_finer < n * ALTCLIP_N_LAYERS ? g_steal_pointer (&finer) : NULL;
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

static AltclipLinear *
block_get_linear (AltclipBlock *block, AltclipLayer layer)
{
    AltclipLinear *const linears[ALTCLIP_N_LAYERS] = {
        [ALTCLIP_LAYER_QKV] = &block->qkv,
        [ALTCLIP_LAYER_OUT] = &block->out,
        [ALTCLIP_LAYER_FC1] = &block->fc1,
        [ALTCLIP_LAYER_FC2] = &block->fc2,
    };

    return linears[layer];
}

const AltclipLinear *
altclip_block_get_linear (const AltclipBlock *block, AltclipLayer layer)
{
    return block_get_linear ((AltclipBlock *)block, layer);
}

/* Returns: (nullable): the layer norm that a layer's input comes from, and from no other layer */
static AltclipNorm *
block_get_norm (AltclipBlock *block, AltclipLayer layer, AltclipNormOrder order)
{
    if (order == ALTCLIP_POST_NORM)
        return NULL;
    if (layer == ALTCLIP_LAYER_QKV)
        return &block->norm1;
    return layer == ALTCLIP_LAYER_FC1 ? &block->norm2 : NULL;
}

/* A linear layer; one of integers takes the gains of the norm before it. */
static void
layer_init (AltclipBlock *block, AltclipLayer layer, const AltclipKernels *kernels,
        const AltclipEncoderForm *form, const AltclipStoredBlock *stored)
{
    AltclipStoredLayer parts = altclip_stored_block_get_layer (stored, layer, form->order);
    AltclipLinear *linear = block_get_linear (block, layer);
    AltclipNorm *norm = block_get_norm (block, layer, form->order);

    if (norm && kernels->precision == ALTCLIP_PRECISION_INT8)
        altclip_linear_init_normed (
                linear, kernels, norm, parts.weights, parts.biases, parts.n_parts);
    else
        altclip_linear_init (linear, kernels, parts.weights, parts.biases, parts.n_parts);
}

static void
norms_init (AltclipBlock *block, const AltclipEncoderForm *form, const AltclipStoredBlock *stored)
{
    const AltclipStoredTensor *const *tensors = stored->tensors;
    double epsilon = form->config->layer_norm_eps;

    altclip_norm_init (&block->norm1, tensors[NORM1_GAMMA], tensors[NORM1_BETA], epsilon);
    altclip_norm_init (&block->norm2, tensors[NORM2_GAMMA], tensors[NORM2_BETA], epsilon);
}

static void
block_init (AltclipBlock *block, const AltclipKernels *kernels, const AltclipEncoderForm *form,
        const AltclipStoredBlock *stored)
{
    norms_init (block, form, stored);
    for (guint layer = 0; layer < ALTCLIP_N_LAYERS; layer++)
        layer_init (block, (AltclipLayer)layer, kernels, form, stored);
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

typedef struct {
    PackJob pack;
    const AltclipKernels *kernels;
    const gboolean *chosen;
} RepackJob;

static void
layer_repack (AltclipBlock *block, AltclipLayer layer, const RepackJob *job, guint i)
{
    const AltclipStoredBlock *stored = &job->pack.stored[i];
    const AltclipEncoderForm *form = job->pack.form;
    AltclipStoredLayer parts = altclip_stored_block_get_layer (stored, layer, form->order);
    AltclipNorm *norm = block_get_norm (block, layer, form->order);

    altclip_linear_clear (block_get_linear (block, layer));
    if (norm) {
        altclip_norm_clear (norm);
        altclip_norm_init (norm, parts.gamma, parts.beta, form->config->layer_norm_eps);
    }
    layer_init (block, layer, job->kernels, form, stored);
}

static void
repack_share (gpointer data, guint index, guint n)
{
    RepackJob *job = data;
    AltclipEncoder *encoder = job->pack.encoder;

    for (guint i = index; i < encoder->config->num_hidden_layers * ALTCLIP_N_LAYERS; i += n) {
        if (g_cancellable_is_cancelled (job->pack.cancellable))
            return;
        if (job->chosen[i])
            layer_repack (&encoder->blocks[i / ALTCLIP_N_LAYERS],
                    (AltclipLayer)(i % ALTCLIP_N_LAYERS), job, i / ALTCLIP_N_LAYERS);
    }
}

gboolean
altclip_encoder_repack (AltclipEncoder *encoder, const AltclipKernels *kernels,
        const AltclipEncoderForm *form, const AltclipStoredBlock *stored, const gboolean *chosen,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error)
{
    RepackJob job = { { encoder, form, stored, cancellable }, kernels, chosen };

    altclip_workspace_run (workspace, repack_share, &job);
    return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

guint
altclip_encoder_count_repacked (const AltclipEncoder *encoder)
{
    guint n = 0;

    for (guint i = 0; i < encoder->config->num_hidden_layers; i++)
        for (guint layer = 0; layer < ALTCLIP_N_LAYERS; layer++)
            n += block_get_linear (&encoder->blocks[i], layer)->kernels != encoder->kernels;
    return n;
}

void
altclip_encoder_clear (AltclipEncoder *encoder)
{
    if (!encoder->blocks)
        return;
    for (guint i = 0; i < encoder->config->num_hidden_layers; i++) {
        AltclipBlock *block = &encoder->blocks[i];
        for (guint layer = 0; layer < ALTCLIP_N_LAYERS; layer++)
            altclip_linear_clear (block_get_linear (block, layer));
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
        AltclipBlock *block = &encoder->blocks[i];
        size += distances_get_size (&block->distances, head_size);
        for (guint layer = 0; layer < ALTCLIP_N_LAYERS; layer++)
            size += altclip_linear_get_size (block_get_linear (block, layer));
    }
    return size;
}

/* ---- Forward --------------------------------------------------------------------------------- */

static const AltclipEpilogue PLAIN = { ALTCLIP_ACTIVATION_NONE, FALSE };
static const AltclipEpilogue TO_RESIDUAL = { ALTCLIP_ACTIVATION_NONE, TRUE };

/* What runs, on what. */
typedef struct {
    const AltclipEncoder *encoder;
    AltclipWorkspace *workspace;
    const AltclipObserver *observer; /* or NULL */
} Run;

static void
observe (const Run *run, const AltclipBlock *block, AltclipLayer layer, const AltclipLinear *linear,
        const float *x, guint rows)
{
    if (run->observer && run->observer->linear)
        run->observer->linear (
                run->observer->data, (guint)(block - run->encoder->blocks), layer, linear, x, rows);
}

/* What @norm makes of @x goes through a layer: by way of floats, unless nobody looks at them and
 * the layer's kernels do without. */
static void
run_normed (const Run *run, const AltclipBlock *block, AltclipLayer layer,
        const AltclipLinear *linear, const AltclipNorm *norm, const float *x, guint rows,
        AltclipEpilogue epilogue, float *out)
{
    float *h;

    if (linear->has_gains && !(run->observer && run->observer->linear)) {
        altclip_normed_linear_run (run->workspace, norm, linear, x, rows, epilogue, out);
        return;
    }
    h = altclip_workspace_get (
            run->workspace, ALTCLIP_BUFFER_NORMED, (gsize)rows * run->encoder->config->hidden_size);
    altclip_norm_run (run->workspace, run->encoder->kernels, norm, x, rows, h);
    observe (run, block, layer, linear, h, rows);
    altclip_linear_run (run->workspace, linear, h, rows, epilogue, out);
}

static void
run_linear (const Run *run, const AltclipBlock *block, AltclipLayer layer,
        const AltclipLinear *linear, const float *x, guint rows, AltclipEpilogue epilogue,
        float *out)
{
    observe (run, block, layer, linear, x, rows);
    altclip_linear_run (run->workspace, linear, x, rows, epilogue, out);
}

/* What of a block mixes rows. Returns: (transfer none): heads side by side, before their output
 * layer: [rows, width] */
static float *
begin_block (const Run *run, const AltclipBlock *block, const float *x,
        const AltclipSequences *sequences, float *probabilities)
{
    const AltclipEncoder *encoder = run->encoder;
    guint rows = sequences->offsets[sequences->n];
    guint width = encoder->config->hidden_size;
    float *qkv =
            altclip_workspace_get (run->workspace, ALTCLIP_BUFFER_QKV, (gsize)rows * 3 * width);
    float *attended =
            altclip_workspace_get (run->workspace, ALTCLIP_BUFFER_ATTENTION, (gsize)rows * width);
    AltclipAttention attention = { qkv, attended, width, encoder->config->num_attention_heads,
        sequences, block->distances.table ? &block->distances : NULL, probabilities };

    if (encoder->order == ALTCLIP_PRE_NORM)
        run_normed (run, block, ALTCLIP_LAYER_QKV, &block->qkv, &block->norm1, x, rows, PLAIN, qkv);
    else
        run_linear (run, block, ALTCLIP_LAYER_QKV, &block->qkv, x, rows, PLAIN, qkv);
    altclip_attention_run (run->workspace, encoder->kernels, &attention);
    return attended;
}

/* What of a block has one row's result depend on that row alone: x += out (attended), then
 * x += fc2 (activation (fc1 (x))), and the norms. */
static void
finish_block (
        const Run *run, const AltclipBlock *block, const float *attended, guint rows, float *x)
{
    const AltclipEncoder *encoder = run->encoder;
    AltclipEpilogue activate = { encoder->config->activation, FALSE };
    float *inner = altclip_workspace_get (
            run->workspace, ALTCLIP_BUFFER_MLP, (gsize)rows * encoder->config->intermediate_size);

    run_linear (run, block, ALTCLIP_LAYER_OUT, &block->out, attended, rows, TO_RESIDUAL, x);
    if (encoder->order == ALTCLIP_PRE_NORM) {
        run_normed (run, block, ALTCLIP_LAYER_FC1, &block->fc1, &block->norm2, x, rows, activate,
                inner);
        run_linear (run, block, ALTCLIP_LAYER_FC2, &block->fc2, inner, rows, TO_RESIDUAL, x);
        return;
    }
    altclip_norm_run (run->workspace, encoder->kernels, &block->norm1, x, rows, x);
    run_linear (run, block, ALTCLIP_LAYER_FC1, &block->fc1, x, rows, activate, inner);
    run_linear (run, block, ALTCLIP_LAYER_FC2, &block->fc2, inner, rows, TO_RESIDUAL, x);
    altclip_norm_run (run->workspace, encoder->kernels, &block->norm2, x, rows, x);
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
    const Run run = { encoder, workspace, observer };
    guint rows = sequences->offsets[sequences->n];

    if (observer && observer->hidden_state)
        observer->hidden_state (observer->data, 0, x);
    for (guint i = 0; i < encoder->config->num_hidden_layers; i++) {
        const AltclipBlock *block = &encoder->blocks[i];
        float *probabilities =
                observer && observer->attentions ? observer->attentions (observer->data, i) : NULL;
        float *attended = begin_block (&run, block, x, sequences, probabilities);

        finish_block (&run, block, attended, rows, x);
        if (observer && observer->hidden_state)
            observer->hidden_state (observer->data, i + 1, x);
    }
}

void
altclip_encoder_run_first_rows (const AltclipEncoder *encoder, AltclipWorkspace *workspace,
        float *x, const AltclipSequences *sequences)
{
    const Run run = { encoder, workspace, NULL };
    guint width = encoder->config->hidden_size;
    guint rows = sequences->offsets[sequences->n];

    for (guint i = 0; i < encoder->config->num_hidden_layers; i++) {
        const AltclipBlock *block = &encoder->blocks[i];
        float *attended = begin_block (&run, block, x, sequences, NULL);

        if (i + 1 == encoder->config->num_hidden_layers) {
            altclip_sequences_keep_first_rows (sequences, width, attended);
            altclip_sequences_keep_first_rows (sequences, width, x);
            rows = sequences->n;
        }
        finish_block (&run, block, attended, rows, x);
    }
}
