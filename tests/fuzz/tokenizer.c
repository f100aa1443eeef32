/* altclip: fuzz target: a sentencepiece model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "target.h"
#include "tokenizer.h"

#define MAX_TOKENS 64

/* Some text that many models know, and some that the model's own pieces make up. */
static void
encode (AltclipTokenizer *tokenizer, const char *text)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GArray) ids = altclip_tokenizer_encode (tokenizer, text, MAX_TOKENS, &error);

    verdict_check (ids != NULL, error, NULL);
    if (ids && (ids->len < 2 || ids->len > MAX_TOKENS))
        verdict_fail ("%u tokens", ids->len);
}

static void
encode_own_pieces (AltclipTokenizer *tokenizer)
{
    g_autofree char *text = NULL;
    g_autoptr (GError) error = NULL;
    gint32 ids[MAX_TOKENS];
    guint n = MIN (altclip_tokenizer_get_vocab_size (tokenizer), MAX_TOKENS);

    for (guint i = 0; i < n; i++)
        ids[i] = (gint32)(n - 1 - i);
    text = altclip_tokenizer_decode (tokenizer, ids, n, &error);
    verdict_check (text != NULL, error, TARGET_NAME);
    if (text)
        encode (tokenizer, text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTokenizer) tokenizer =
            altclip_tokenizer_parse (TARGET_NAME, (const char *)data, size, &error);

    verdict_check (tokenizer != NULL, error, TARGET_NAME);
    if (!tokenizer)
        return 0;
    encode (tokenizer, "a  red circle <mask> ﬁｎｅ 一只猫 \u0301\u00ad<s>e\u0301</s>");
    encode_own_pieces (tokenizer);
    return 0;
}
