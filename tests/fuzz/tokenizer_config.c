/* altclip: fuzz target: a tokenizer_config.json or special_tokens_map.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "target.h"
#include "tokenizer_config.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    AltclipTokenizerConfig config;
    gboolean ok =
            altclip_tokenizer_config_parse (&config, TARGET_NAME, (const char *)data, size, &error);

    verdict_check (ok, error, TARGET_NAME);
    if (ok && (config.model_max_length < 3 || config.mask_id < -1))
        verdict_fail ("length %u, mask %" G_GINT64_FORMAT, config.model_max_length, config.mask_id);
    return 0;
}
