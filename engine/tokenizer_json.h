/* altclip: tokenizer.json, as the tokenizers library writes it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TOKENIZER_JSON_H
#define ALTCLIP_TOKENIZER_JSON_H

#include "tokenizer.h"

G_BEGIN_DECLS

/**
 * altclip_tokenizer_json_to_model:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes], a whole `tokenizer.json` of an XLM-R tokenizer
 *
 * Builds the sentencepiece model that the file was made from, as far as token ids depend on it: the
 * pieces with their scores, and the normaliser's table. What would give other ids than that model
 * is refused. The pieces and the table themselves are altclip_tokenizer_parse()'s to check.
 *
 * Returns: (transfer full) (nullable): a `sentencepiece.bpe.model`
 */
GByteArray *altclip_tokenizer_json_to_model (
        const char *path, const char *bytes, gsize n_bytes, GError **error);

/**
 * altclip_tokenizer_parse_json:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes], a whole `tokenizer.json`
 *
 * altclip_tokenizer_parse() of what altclip_tokenizer_json_to_model() builds.
 *
 * Returns: (transfer full) (nullable): the tokenizer
 */
AltclipTokenizer *altclip_tokenizer_parse_json (
        const char *path, const char *bytes, gsize n_bytes, GError **error);

G_END_DECLS

#endif /* ALTCLIP_TOKENIZER_JSON_H */
