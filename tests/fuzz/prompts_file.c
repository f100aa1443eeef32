/* altclip: fuzz target: a file of prompts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "prompts_file.h"
#include "target.h"

/* With a loader pictures are looked for; they are not read before the prompts are embedded. */
static float *
load_picture (G_GNUC_UNUSED const char *path, G_GNUC_UNUSED AltclipModel *model,
        G_GNUC_UNUSED GError **error)
{
    verdict_fail ("a picture is read");
}

static void
check_entries (const AltclipPrompts *prompts)
{
    for (guint i = 0; i < prompts->entries->len; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);

        if (*entry->label == '\0' || !g_utf8_validate (entry->label, -1, NULL))
            verdict_fail ("label %u is empty or not UTF-8", i);
        if (entry->texts->len == 0 && !entry->pictures && !entry->embedding)
            verdict_fail ("label %u is nothing", i);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_parse_file (
            TARGET_NAME, "/nowhere", (const char *)data, size, load_picture, &error);

    verdict_check (prompts != NULL, error, TARGET_NAME);
    if (prompts)
        check_entries (prompts);
    return 0;
}
