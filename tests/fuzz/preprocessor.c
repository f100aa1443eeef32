/* altclip: fuzz target: a preprocessor_config.json or processor_config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "description.h"
#include "preprocessor.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE_SIZE 224

/* What the settings are written as reads as the same settings. */
static void
check_written (const AltclipPreprocessorConfig *config)
{
    json_t *description = altclip_description_of_preprocessor (config);
    char *written = json_dumps (description, JSON_COMPACT);
    g_autoptr (GError) error = NULL;
    AltclipPreprocessorConfig again;
    json_t *redescription;

    altclip_preprocessor_config_init (&again, IMAGE_SIZE);
    if (!altclip_preprocessor_config_parse (&again, TARGET_NAME, written, strlen (written), &error))
        verdict_fail ("%s is refused: %s", written, error->message);
    redescription = altclip_description_of_preprocessor (&again);
    if (!json_equal (description, redescription))
        verdict_fail ("%s reads as something else", written);
    json_decref (description);
    json_decref (redescription);
    free (written);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    AltclipPreprocessorConfig config;
    gboolean ok;

    altclip_preprocessor_config_init (&config, IMAGE_SIZE);
    ok = altclip_preprocessor_config_parse (&config, TARGET_NAME, (const char *)data, size, &error);
    verdict_check (ok, error, TARGET_NAME);
    if (ok)
        check_written (&config);
    return 0;
}
