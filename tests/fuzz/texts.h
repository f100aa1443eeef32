/* altclip: texts for a tokenizer of any making
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef TEXTS_H
#define TEXTS_H

#include "tokenizer.h"

G_BEGIN_DECLS

/* Encodes a text that many models know some of, and one that the model's own pieces make up. */
void texts_encode (AltclipTokenizer *tokenizer);

G_END_DECLS

#endif /* TEXTS_H */
