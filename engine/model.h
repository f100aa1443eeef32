/* altclip: an opened model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_MODEL_H
#define ALTCLIP_MODEL_H

#include "cache.h"
#include "text.h"
#include "tokenizer.h"
#include "vision.h"

G_BEGIN_DECLS

/* Returns: (transfer none): lives as long as the model. */
const AltclipConfig *altclip_model_get_config (AltclipModel *model);

/* Whether the model holds this tower, its projection aside; sets @error if not. */
gboolean altclip_model_check_tower (AltclipModel *model, AltclipTowers tower, GError **error);

/* Returns: (transfer none) (nullable): the image tower, packed and tested at the first call that
 *     succeeds; %NULL with @error set when it fails its test or there is none. Thread-safe. */
const AltclipVision *altclip_model_get_vision (AltclipModel *model, GError **error);

/* Returns: (transfer none): what the image tower is packed from. */
const AltclipStoredVision *altclip_model_get_stored_vision (AltclipModel *model);

/**
 * altclip_model_acquire_text:
 * @workspace: whose threads pack
 *
 * The text tower, packed if nobody has it. A large one is let go with the last of its users.
 * Thread-safe.
 *
 * Returns: (transfer none) (nullable): the tower, until altclip_model_release_text(); %NULL with
 *     @error set when cancelled or when there is none
 */
const AltclipText *altclip_model_acquire_text (AltclipModel *model, AltclipWorkspace *workspace,
        GCancellable *cancellable, GError **error);
void altclip_model_release_text (AltclipModel *model);

/* Returns: (transfer none) (nullable): the tokenizer, read at the first call that succeeds.
 *     Thread-safe. */
AltclipTokenizer *altclip_model_get_tokenizer (AltclipModel *model, GError **error);

/* Returns: (transfer none) (nullable): of projection_dim floats, unit length. */
AltclipCache *altclip_model_get_embedding_cache (AltclipModel *model);

/* Returns: (transfer none) (nullable): of a gboolean each: whether a text is mostly unknown. */
AltclipCache *altclip_model_get_token_cache (AltclipModel *model);

/* Whether what was computed is what the caches' fingerprint promises. Not before something was: the
 * tokenizer's files may have changed before they were read, and the kernels have failed their
 * proof.
 */
gboolean altclip_model_may_keep (AltclipModel *model);

G_END_DECLS

#endif /* ALTCLIP_MODEL_H */
