/* altclip: texts for a tokenizer of any making
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "target.h"
#include "texts.h"

#define MAX_TOKENS 64

static void
encode (AltclipTokenizer *tokenizer, const char *text)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GArray) ids = altclip_tokenizer_encode (tokenizer, text, MAX_TOKENS, &error);

    verdict_check (ids != NULL, error, NULL);
    if (ids && (ids->len < 2 || ids->len > MAX_TOKENS))
        verdict_fail ("%u tokens", ids->len);
}

void
texts_encode (AltclipTokenizer *tokenizer)
{
    g_autofree char *text = NULL;
    g_autoptr (GError) error = NULL;
    gint32 ids[MAX_TOKENS];
    guint n = MIN (altclip_tokenizer_get_vocab_size (tokenizer), MAX_TOKENS);

    encode (tokenizer, "a  red circle <mask> ﬁｎｅ 一只猫 \u0301\u00ad<s>e\u0301</s>");
    for (guint i = 0; i < n; i++)
        ids[i] = (gint32)(n - 1 - i);
    text = altclip_tokenizer_decode (tokenizer, ids, n, &error);
    verdict_check (text != NULL, error, TARGET_NAME);
    if (text)
        encode (tokenizer, text);
}
