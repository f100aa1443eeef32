/* altclip: the text tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TEXT_H
#define ALTCLIP_TEXT_H

#include "encoder.h"

G_BEGIN_DECLS

/* Tensors whose absence says that there is no tower, or no projection. */
#define ALTCLIP_TEXT_TENSOR "text_model.roberta.embeddings.word_embeddings.weight"
#define ALTCLIP_TEXT_PROJECTION "text_projection.weight"

/* Found and checked when the model opens, packed when a text is to be encoded. The word embeddings
 * stay in the file: a text needs a few rows of them. */
typedef struct {
    const AltclipTextConfig *config;
    guint projection_dim;                         /* 0: there is no projection */
    const AltclipStoredTensor *words;             /* [vocab_size, width] */
    const AltclipStoredTensor *positions;         /* [max_position_embeddings, width], or NULL */
    const AltclipStoredTensor *types;             /* [type_vocab_size, width] */
    const AltclipStoredTensor *embedding_norm[2]; /* weight, bias */
    const AltclipStoredTensor *pre_norm[2];
    const AltclipStoredTensor *transformation[2];
    const AltclipStoredTensor *projection; /* (nullable): [projection_dim, project_dim] */
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
    const gint32 *ids;      /* [rows], or NULL when there are @embeds */
    const float *embeds;    /* [rows, width], or NULL: the words' own */
    const guint *positions; /* [rows], or NULL: counted */
    const guint *types;     /* [rows], or NULL: all 0 */
    AltclipSequences sequences;
} AltclipTokens;

/* Where a forward pass leaves its results; each nullable. */
typedef struct {
    float *last_hidden_state; /* [rows, project_dim]: after the transformation */
    float *pooler_output;     /* [texts, project_dim] */
    float *features;          /* [texts, projection_dim], not normalised; needs the projection */
    const AltclipObserver *observer;
} AltclipTextOutputs;

/**
 * altclip_stored_text_find:
 * @projection_dim: 0: no projection is asked for
 *
 * Finds the text tower's tensors and checks their shapes. To be cleared, after a failure too.
 */
gboolean altclip_stored_text_find (AltclipStoredText *stored, AltclipWeights *weights,
        const AltclipTextConfig *config, guint projection_dim, GError **error);
void altclip_stored_text_clear (AltclipStoredText *stored);

/* Lets go of the mapped pages of the tables that texts have looked into. */
void altclip_stored_text_release (const AltclipStoredText *stored);

/**
 * altclip_text_new:
 * @workspace: whose threads pack
 *
 * Returns: (transfer full) (nullable): the packed tower, which needs @stored as long as it lives;
 *     %NULL when cancelled
 */
AltclipText *altclip_text_new (const AltclipStoredText *stored, const AltclipKernels *kernels,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error);
void altclip_text_free (AltclipText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipText, altclip_text_free)

/* Returns: bytes of the packed weights. */
gsize altclip_text_get_size (const AltclipText *text);

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
