/* altclip: XLM-R's special tokens in a directory's JSON files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "special_tokens.h"
#include "tokenizer.h"

#include <string.h>

#define LIMIT "<s>, <pad>, </s>, <unk> or <mask>: others are not supported"

const char *const ALTCLIP_SPECIAL_TOKENS[ALTCLIP_N_SPECIAL_TOKENS] = {
    [ALTCLIP_TOKEN_BOS] = "<s>",
    [ALTCLIP_TOKEN_PAD] = "<pad>",
    [ALTCLIP_TOKEN_EOS] = "</s>",
    [ALTCLIP_TOKEN_UNK] = "<unk>",
};

/* Returns: the token's id, N_SPECIAL_TOKENS for the mask, −1 for another text */
static int
find (const char *text)
{
    for (int i = 0; i < ALTCLIP_N_SPECIAL_TOKENS; i++) {
        if (strcmp (text, ALTCLIP_SPECIAL_TOKENS[i]) == 0)
            return i;
    }
    return strcmp (text, ALTCLIP_MASK_TOKEN) == 0 ? ALTCLIP_N_SPECIAL_TOKENS : -1;
}

/* Returns: (transfer none) (nullable): the token's text */
static const char *
get_text (json_t *value)
{
    return json_string_value (json_is_object (value) ? json_object_get (value, "content") : value);
}

static void
check_flag (AltclipJsonReader *reader, const char *field, json_t *value, const char *flag,
        gboolean expected)
{
    json_t *own = json_object_get (value, flag);
    g_autofree char *full = NULL;

    if (json_is_boolean (own) ? json_is_true (own) == expected : !own && !expected)
        return;
    full = g_strconcat (field, ".", flag, NULL);
    altclip_json_fail (reader, full, own ? own : json_false (), expected ? "true" : "false");
}

/* How the token is matched: what the reference's class has for it, but for a mask that need not
 * eat the blanks before it if @any_mask. */
static void
check_flags (AltclipJsonReader *reader, const char *field, json_t *value, gboolean any_mask)
{
    gboolean is_mask = strcmp (get_text (value), ALTCLIP_MASK_TOKEN) == 0;

    if (!is_mask || !any_mask)
        check_flag (reader, field, value, "lstrip", is_mask);
    check_flag (reader, field, value, "rstrip", FALSE);
    check_flag (reader, field, value, "single_word", FALSE);
}

void
altclip_special_tokens_check (
        AltclipJsonReader *reader, const char *field, json_t *value, const char *expected)
{
    const char *text = get_text (value);

    if (!value || json_is_null (value))
        return;
    if (!text || (expected ? strcmp (text, expected) != 0 : find (text) < 0)) {
        g_autofree char *limit = expected ? g_strdup_printf ("\"%s\"", expected) : g_strdup (LIMIT);

        altclip_json_fail (reader, field, value, limit);
    } else if (json_is_object (value)) {
        check_flags (reader, field, value, FALSE);
    }
}

gint64
altclip_special_tokens_check_added (
        AltclipJsonReader *reader, const char *field, json_t *value, double id, gboolean any_mask)
{
    const char *text = get_text (value);
    int expected = text ? find (text) : -1;

    if (!json_is_object (value) || expected < 0) {
        altclip_json_fail (reader, field, value, LIMIT);
        return -1;
    }
    check_flags (reader, field, value, any_mask);
    if (expected == ALTCLIP_N_SPECIAL_TOKENS && id > expected && id <= G_MAXINT32)
        return (gint64)id;
    if (id != expected) {
        g_autofree char *limit = g_strdup_printf ("the token of id %d", expected);

        altclip_json_fail (reader, field, value, limit);
    }
    return -1;
}
