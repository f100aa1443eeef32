/* altclip: fuzz target: a config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "config.h"
#include "description.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

static char *
describe (const AltclipConfig *config)
{
    json_t *description = altclip_description_of_config (config);
    char *text = json_dumps (description, JSON_COMPACT);

    json_decref (description);
    return text;
}

/* What a configuration is written as reads as the same configuration. */
static void
check_written (const AltclipConfig *config)
{
    char *written = describe (config);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipConfig) again =
            altclip_config_parse (TARGET_NAME, written, strlen (written), &error);
    char *rewritten;

    if (!again)
        verdict_fail ("%s is refused: %s", written, error->message);
    rewritten = describe (again);
    if (strcmp (written, rewritten) != 0)
        verdict_fail ("%s reads as %s", written, rewritten);
    free (written);
    free (rewritten);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipConfig) config =
            altclip_config_parse (TARGET_NAME, (const char *)data, size, &error);

    verdict_check (config != NULL, error, TARGET_NAME);
    if (config)
        check_written (config);
    return 0;
}
