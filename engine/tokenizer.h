/* altclip: the sentencepiece tokenizer of XLM-R, as a C interface
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TOKENIZER_H
#define ALTCLIP_TOKENIZER_H

#include "altclip.h"

G_BEGIN_DECLS

#define ALTCLIP_TOKEN_BOS 0
#define ALTCLIP_TOKEN_PAD 1
#define ALTCLIP_TOKEN_EOS 2
#define ALTCLIP_TOKEN_UNK 3

/* What a tokenizer's file may hold. */
#define ALTCLIP_TOKENIZER_MAX_BYTES (64 * 1024 * 1024)
#define ALTCLIP_TOKENIZER_MAX_PIECES 2000000
#define ALTCLIP_TOKENIZER_MAX_PIECE_BYTES 1024
#define ALTCLIP_TOKENIZER_MAX_SCORE 1e6

typedef struct _AltclipTokenizer AltclipTokenizer;

/**
 * altclip_tokenizer_open:
 * @path: a `sentencepiece.bpe.model`
 *
 * Reads and checks the file. No exception of the library gets past this interface.
 *
 * Returns: (transfer full) (nullable): the tokenizer; any number of threads may use it at once
 */
AltclipTokenizer *altclip_tokenizer_open (const char *path, GError **error);

/**
 * altclip_tokenizer_parse:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes], a whole `sentencepiece.bpe.model`
 *
 * As altclip_tokenizer_open().
 *
 * Returns: (transfer full) (nullable): the tokenizer
 */
AltclipTokenizer *altclip_tokenizer_parse (
        const char *path, const char *bytes, gsize n_bytes, GError **error);

/* Whether decoding ends with the reference's clean_up_tokenization. To be called before the
 * tokenizer is shared. */
void altclip_tokenizer_set_clean_up (AltclipTokenizer *tokenizer, gboolean clean_up);

void altclip_tokenizer_free (AltclipTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipTokenizer, altclip_tokenizer_free)

/* Returns: (transfer none): the path it was opened from, for messages. */
const char *altclip_tokenizer_get_path (AltclipTokenizer *tokenizer);

/* Number of ids: the sentencepiece model's pieces, the shift by one, and <mask>. */
guint altclip_tokenizer_get_vocab_size (AltclipTokenizer *tokenizer);

/**
 * altclip_tokenizer_encode:
 * @text: UTF-8
 * @max_tokens: longest result, `<s>` and `</s>` included; the rest of the pieces is dropped
 *
 * `<s> pieces </s>`. Special tokens written out in @text are recognised as such, and `<mask>`
 * eats the space before it, as in the reference's XLMRobertaTokenizer (transformers 4.46).
 *
 * Returns: (transfer full) (element-type gint32) (nullable): the ids
 */
GArray *altclip_tokenizer_encode (
        AltclipTokenizer *tokenizer, const char *text, guint max_tokens, GError **error);

/* See altclip_model_decode(). */
char *altclip_tokenizer_decode (
        AltclipTokenizer *tokenizer, const gint32 *ids, gsize n_ids, GError **error);

G_END_DECLS

#endif /* ALTCLIP_TOKENIZER_H */
