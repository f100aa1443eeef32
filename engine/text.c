/* altclip: the text tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "text.h"

#include <string.h>

#define PREFIX "text_model."

/* ---- Stored weights -------------------------------------------------------------------------- */

/* With relative positions the reference writes the table too, and does not look at it. */
static gboolean
find_positions (AltclipStoredText *stored, AltclipWeights *weights, GError **error)
{
    static const char name[] = PREFIX "roberta.embeddings.position_embeddings.weight";
    const AltclipTextConfig *config = stored->config;

    if (config->positions != ALTCLIP_POSITIONS_ABSOLUTE && !altclip_weights_contain (weights, name))
        return TRUE;
    stored->positions = altclip_weights_require (weights, error, name,
            "max_position_embeddings × hidden_size", 2, (guint64)config->max_position_embeddings,
            (guint64)config->tower.hidden_size);
    return stored->positions != NULL;
}

static gboolean
find_embeddings (AltclipStoredText *stored, AltclipWeights *weights, GError **error)
{
    const AltclipTextConfig *config = stored->config;
    guint64 width = config->tower.hidden_size;

    stored->words = altclip_weights_require (weights, error, ALTCLIP_TEXT_TENSOR,
            "vocab_size × hidden_size", 2, (guint64)config->vocab_size, width);
    if (!stored->words)
        return FALSE;
    if (!find_positions (stored, weights, error))
        return FALSE;
    stored->types = altclip_weights_require (weights, error,
            PREFIX "roberta.embeddings.token_type_embeddings.weight",
            "type_vocab_size × hidden_size", 2, (guint64)config->type_vocab_size, width);
    if (!stored->types)
        return FALSE;
    return altclip_weights_require_pair (weights, PREFIX "roberta.embeddings.LayerNorm",
            "hidden_size", width, NULL, 0, stored->embedding_norm, error);
}

static AltclipEncoderForm
describe_blocks (const AltclipTextConfig *config)
{
    return (AltclipEncoderForm){ &config->tower, ALTCLIP_POST_NORM, config->positions,
        config->max_position_embeddings };
}

gboolean
altclip_stored_text_find (AltclipStoredText *stored, AltclipWeights *weights,
        const AltclipTextConfig *config, guint projection_dim, GError **error)
{
    guint64 width = config->tower.hidden_size;
    guint64 project_dim = config->project_dim;
    AltclipEncoderForm form = describe_blocks (config);

    stored->config = config;
    stored->projection_dim = projection_dim;
    if (!find_embeddings (stored, weights, error) ||
            !altclip_weights_require_pair (weights, PREFIX "pre_LN", "hidden_size", width, NULL, 0,
                    stored->pre_norm, error) ||
            !altclip_weights_require_pair (weights, PREFIX "transformation", "project_dim",
                    project_dim, "hidden_size", width, stored->transformation, error))
        return FALSE;
    if (projection_dim > 0) {
        stored->projection = altclip_weights_require (weights, error, ALTCLIP_TEXT_PROJECTION,
                "projection_dim × project_dim", 2, (guint64)projection_dim, project_dim);
        if (!stored->projection)
            return FALSE;
    }
    stored->n_parameters = stored->words->n_elements + stored->types->n_elements +
                           (stored->positions ? stored->positions->n_elements : 0) + 4 * width +
                           stored->transformation[0]->n_elements + project_dim;
    stored->blocks = altclip_stored_blocks_find (
            weights, PREFIX "roberta.encoder.layer.", &form, &stored->n_parameters, error);
    if (!stored->blocks)
        return FALSE;
    altclip_weights_log_unused (weights, PREFIX);
    return TRUE;
}

void
altclip_stored_text_release (const AltclipStoredText *stored)
{
    altclip_weights_release (stored->words);
    if (stored->positions)
        altclip_weights_release (stored->positions);
}

void
altclip_stored_text_clear (AltclipStoredText *stored)
{
    g_clear_pointer (&stored->blocks, g_free);
}

/* ---- Packed tower ---------------------------------------------------------------------------- */

AltclipText *
altclip_text_new (const AltclipStoredText *stored, const AltclipKernels *kernels,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error)
{
    g_autoptr (AltclipText) text = g_new0 (AltclipText, 1);
    AltclipEncoderForm form = describe_blocks (stored->config);
    double epsilon = stored->config->tower.layer_norm_eps;

    text->stored = stored;
    altclip_norm_init (
            &text->embedding_norm, stored->embedding_norm[0], stored->embedding_norm[1], epsilon);
    altclip_norm_init (&text->pre_norm, stored->pre_norm[0], stored->pre_norm[1], epsilon);
    altclip_linear_init (&text->transformation, kernels, &stored->transformation[0],
            &stored->transformation[1], 1);
    if (stored->projection)
        altclip_linear_init (&text->projection, kernels, &stored->projection, NULL, 1);
    if (!altclip_encoder_init (
                &text->encoder, kernels, &form, stored->blocks, workspace, cancellable, error))
        return NULL;
    return g_steal_pointer (&text);
}

void
altclip_text_free (AltclipText *text)
{
    if (!text)
        return;
    altclip_norm_clear (&text->embedding_norm);
    altclip_encoder_clear (&text->encoder);
    altclip_norm_clear (&text->pre_norm);
    altclip_linear_clear (&text->transformation);
    altclip_linear_clear (&text->projection);
    g_free (text);
}

gsize
altclip_text_get_size (const AltclipText *text)
{
    return altclip_encoder_get_size (&text->encoder) +
           altclip_linear_get_size (&text->transformation) +
           altclip_linear_get_size (&text->projection);
}

/* ---- Forward --------------------------------------------------------------------------------- */

static void
add_row (const AltclipStoredTensor *table, guint64 row, guint width, float *scratch, float *x)
{
    altclip_stored_tensor_read (table, row * width, width, scratch);
    for (guint i = 0; i < width; i++)
        x[i] += scratch[i];
}

/* The next position. Positions count the tokens that are not padding, from pad + 1; a padding token
 * has the position `pad`. Embeddings do not say what is padding. */
static guint
count_position (const AltclipTokens *tokens, guint pad, gsize row, guint *last)
{
    if (tokens->ids && (guint)tokens->ids[row] == pad)
        return pad;
    return ++*last;
}

/* Word, type and, unless positions are relative, position embeddings of the rows from @first to
 * before @end. */
static void
embed_sequence (const AltclipStoredText *stored, const AltclipTokens *tokens, guint first,
        guint end, float *scratch, float *x)
{
    gsize width = stored->config->tower.hidden_size;
    guint last = stored->config->pad_token_id;

    for (gsize row = first; row < end; row++, x += width) {
        guint position = count_position (tokens, stored->config->pad_token_id, row, &last);

        if (tokens->embeds)
            memcpy (x, tokens->embeds + row * width, width * sizeof (float));
        else
            altclip_stored_tensor_read (stored->words, (guint64)tokens->ids[row] * width, width, x);
        add_row (stored->types, tokens->types ? tokens->types[row] : 0, (guint)width, scratch, x);
        if (stored->config->positions == ALTCLIP_POSITIONS_ABSOLUTE)
            add_row (stored->positions, tokens->positions ? tokens->positions[row] : position,
                    (guint)width, scratch, x);
    }
}

static void
embed (const AltclipText *text, AltclipWorkspace *workspace, const AltclipTokens *tokens, float *x)
{
    guint width = text->stored->config->tower.hidden_size;
    const guint *offsets = tokens->sequences.offsets;
    float *scratch = altclip_workspace_get (workspace, ALTCLIP_BUFFER_POOLED, width);

    for (guint s = 0; s < tokens->sequences.n; s++)
        embed_sequence (text->stored, tokens, offsets[s], offsets[s + 1], scratch,
                x + (gsize)offsets[s] * width);
}

/* pre_LN and transformation of @rows of @x. Returns: (transfer none): [rows, project_dim] */
static float *
transform (const AltclipText *text, AltclipWorkspace *workspace, float *x, guint rows)
{
    AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    float *transformed = altclip_workspace_get (
            workspace, ALTCLIP_BUFFER_PROJECTED, (gsize)rows * text->stored->config->project_dim);

    altclip_norm_run (workspace, text->encoder.kernels, &text->pre_norm, x, rows, x);
    altclip_linear_run (workspace, &text->transformation, x, rows, plain, transformed);
    return transformed;
}

/* Runs the blocks on @x [rows, width]. Returns: (transfer none): the transformed first row of each
 * text: [texts, project_dim] */
static float *
encode (const AltclipText *text, AltclipWorkspace *workspace, float *x,
        const AltclipSequences *sequences, const AltclipTextOutputs *outputs)
{
    gsize dim = text->stored->config->project_dim;
    guint rows = sequences->offsets[sequences->n];
    float *transformed;

    if (!outputs->last_hidden_state && !outputs->observer) {
        altclip_encoder_run_first_rows (&text->encoder, workspace, x, sequences);
        return transform (text, workspace, x, sequences->n);
    }
    altclip_encoder_run (&text->encoder, workspace, x, sequences, outputs->observer);
    transformed = transform (text, workspace, x, rows);
    if (outputs->last_hidden_state)
        memcpy (outputs->last_hidden_state, transformed, rows * dim * sizeof (float));
    altclip_sequences_keep_first_rows (sequences, (guint)dim, transformed);
    return transformed;
}

void
altclip_text_run (const AltclipText *text, AltclipWorkspace *workspace, const AltclipTokens *tokens,
        const AltclipTextOutputs *outputs)
{
    const AltclipSequences *sequences = &tokens->sequences;
    gsize dim = text->stored->config->project_dim;
    guint rows = sequences->offsets[sequences->n];
    AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    float *x = altclip_workspace_get (workspace, ALTCLIP_BUFFER_RESIDUAL,
            (gsize)rows * text->stored->config->tower.hidden_size);
    float *pooled;

    embed (text, workspace, tokens, x);
    altclip_norm_run (workspace, text->encoder.kernels, &text->embedding_norm, x, rows, x);
    pooled = encode (text, workspace, x, sequences, outputs);
    if (outputs->pooler_output)
        memcpy (outputs->pooler_output, pooled, sequences->n * dim * sizeof (float));
    if (outputs->features)
        altclip_linear_run (
                workspace, &text->projection, pooled, sequences->n, plain, outputs->features);
}
