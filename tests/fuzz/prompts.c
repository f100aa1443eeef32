/* altclip: fuzz target: the texts of prompts, negative prompts and templates, a NUL between them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "prompts.h"
#include "target.h"

#include <string.h>

#define N_TEXTS 3

/* Returns: (transfer full): the text up to the next NUL or the end; %NULL at the end */
static char *
take_text (const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size > 0 ? memchr (*data, '\0', *size) : NULL;
    size_t n = end ? (size_t)(end - *data) : *size;
    char *text = *size > 0 ? g_strndup ((const char *)*data, n) : NULL;

    n += end != NULL;
    *data += n;
    *size -= n;
    return text;
}

static void
check_entries (AltclipPrompts *prompts)
{
    for (guint i = 0; i < altclip_prompts_get_n_labels (prompts); i++) {
        const char *label = altclip_prompts_get_label (prompts, i);
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);

        if (*label == '\0' || !g_utf8_validate (label, -1, NULL) || entry->texts->len == 0)
            verdict_fail ("label %u is empty, not UTF-8 or without texts", i);
    }
    if (prompts->templates->len == 0)
        verdict_fail ("no templates");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    char *texts[N_TEXTS];

    for (guint i = 0; i < N_TEXTS; i++)
        texts[i] = take_text (&data, &size);
    prompts = altclip_prompts_parse (texts[0], texts[1], texts[2], &error);
    verdict_check (prompts != NULL, error, NULL);
    if (prompts)
        check_entries (prompts);
    for (guint i = 0; i < N_TEXTS; i++)
        g_free (texts[i]);
    return 0;
}
