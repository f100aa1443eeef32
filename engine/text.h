/* altclip: the text tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TEXT_H
#define ALTCLIP_TEXT_H

#include "encoder.h"

G_BEGIN_DECLS

/* Found and checked when the model opens, packed when the first text comes. The word embeddings
 * stay in the file: a text needs a few rows of them. */
typedef struct {
    const AltclipTextConfig *config;
    guint projection_dim;
    const AltclipStoredTensor *words;             /* [vocab_size, width] */
    const AltclipStoredTensor *positions;         /* [max_position_embeddings, width] */
    const AltclipStoredTensor *types;             /* [type_vocab_size, width] */
    const AltclipStoredTensor *embedding_norm[2]; /* weight, bias */
    const AltclipStoredTensor *pre_norm[2];
    const AltclipStoredTensor *transformation[2];
    const AltclipStoredTensor *projection; /* [projection_dim, project_dim] */
    AltclipStoredBlock *blocks;
    guint64 n_parameters; /* the projection's not counted */
} AltclipStoredText;

typedef struct {
    const AltclipStoredText *stored;
    AltclipNorm embedding_norm;
    AltclipEncoder encoder;
    AltclipNorm pre_norm;
    AltclipLinear transformation; /* [project_dim, width] */
    AltclipLinear projection;     /* [projection_dim, project_dim] */
} AltclipText;

/* A batch of token ids, one sequence after the other. Rows past a sequence's n_attended are
 * padding. */
typedef struct {
    const gint32 *ids; /* [rows] */
    AltclipSequences sequences;
} AltclipTokens;

/* Where a forward pass leaves its results; each nullable. */
typedef struct {
    float *last_hidden_state; /* [rows, project_dim]: after the transformation */
    float *pooler_output;     /* [texts, project_dim] */
    float *features;          /* [texts, projection_dim], not normalised */
    AltclipHiddenStateFunc hidden_state;
    gpointer hidden_state_data;
} AltclipTextOutputs;

gboolean altclip_stored_text_find (AltclipStoredText *stored, AltclipWeights *weights,
        const AltclipConfig *config, GError **error);
void altclip_stored_text_clear (AltclipStoredText *stored);

/* Returns: (transfer full): the packed tower, which needs @stored as long as it lives. */
AltclipText *altclip_text_new (const AltclipStoredText *stored, const AltclipKernels *kernels);
void altclip_text_free (AltclipText *text);

/**
 * altclip_text_run:
 * @tokens: ids below vocab_size
 *
 * Reference: AltCLIPTextModel.forward and AltCLIPModel.get_text_features in transformers'
 * modeling_altclip.py.
 */
void altclip_text_run (const AltclipText *text, AltclipWorkspace *workspace,
        const AltclipTokens *tokens, const AltclipTextOutputs *outputs);

G_END_DECLS

#endif /* ALTCLIP_TEXT_H */
