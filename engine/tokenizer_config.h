/* altclip: tokenizer_config.json, and what else a directory says of its tokenizer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TOKENIZER_CONFIG_H
#define ALTCLIP_TOKENIZER_CONFIG_H

#include "tokenizer.h"

G_BEGIN_DECLS

typedef struct {
    guint model_max_length; /* in tokens; G_MAXUINT: any */
    gboolean clean_up_tokenization_spaces;
    gint64 mask_id; /* −1: not said */
} AltclipTokenizerConfig;

/* Sets the reference's defaults. */
void altclip_tokenizer_config_init (AltclipTokenizerConfig *config);

/**
 * altclip_tokenizer_config_parse:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes], a whole `tokenizer_config.json` or `special_tokens_map.json`
 *
 * Reads what the reference's XLMRobertaTokenizer (transformers 4.46) takes from the file. Other
 * special tokens than XLM-R's own, and settings that would give other ids than this tokenizer does,
 * are refused.
 */
gboolean altclip_tokenizer_config_parse (AltclipTokenizerConfig *config, const char *path,
        const char *bytes, gsize n_bytes, GError **error);

/**
 * altclip_tokenizer_config_read_directory:
 *
 * Reads @directory's `tokenizer_config.json`, and where that does not list the special tokens
 * itself, as in directories of older libraries, `special_tokens_map.json` and `added_tokens.json`.
 * None of them needs to be there.
 */
gboolean altclip_tokenizer_config_read_directory (
        AltclipTokenizerConfig *config, const char *directory, GError **error);

/**
 * altclip_tokenizer_open_directory:
 * @config: what @directory says of its tokenizer
 *
 * Opens @directory's `sentencepiece.bpe.model`, or without one its `tokenizer.json`.
 *
 * Returns: (transfer full) (nullable): the tokenizer
 */
AltclipTokenizer *altclip_tokenizer_open_directory (
        const char *directory, const AltclipTokenizerConfig *config, GError **error);

G_END_DECLS

#endif /* ALTCLIP_TOKENIZER_CONFIG_H */
