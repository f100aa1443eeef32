/* altclip: fuzz target: a tokenizer.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "target.h"
#include "texts.h"
#include "tokenizer_json.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTokenizer) tokenizer =
            altclip_tokenizer_parse_json (TARGET_NAME, (const char *)data, size, &error);

    verdict_check (tokenizer != NULL, error, TARGET_NAME);
    if (tokenizer)
        texts_encode (tokenizer);
    return 0;
}
