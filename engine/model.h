/* altclip: an opened model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_MODEL_H
#define ALTCLIP_MODEL_H

#include "text.h"
#include "tokenizer.h"
#include "vision.h"

G_BEGIN_DECLS

/* Returns: (transfer none): lives as long as the model. */
const AltclipConfig *altclip_model_get_config (AltclipModel *model);

const AltclipVision *altclip_model_get_vision (AltclipModel *model);

/* Returns: (transfer none): the text tower, packed at the first call. Thread-safe. */
const AltclipText *altclip_model_get_text (AltclipModel *model);

/* Returns: (transfer none) (nullable): the tokenizer, read at the first call that succeeds.
 *     Thread-safe. */
AltclipTokenizer *altclip_model_get_tokenizer (AltclipModel *model, GError **error);

G_END_DECLS

#endif /* ALTCLIP_MODEL_H */
