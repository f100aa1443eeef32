/* altclip: what a message shows of a text that is not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "excerpt.h"

#include <string.h>

#define REPLACEMENT_CHARACTER 0xFFFD

/* Joiners within emoji and marks of writing direction are among the format characters: the former
 * are harmless, the latter could turn the rest of a message around. */
static gboolean
is_printable (gunichar c)
{
    switch (g_unichar_type (c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SURROGATE:
        return FALSE;
    case G_UNICODE_FORMAT:
        return !((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069));
    default:
        return TRUE;
    }
}

char *
altclip_excerpt (const char *text)
{
    const char *at = text ? text : "";
    gsize left = strlen (at);
    GString *shown = g_string_new (NULL);

    while (left > 0) {
        gunichar c = g_utf8_get_char_validated (at, (gssize)left);
        gboolean is_valid = c < 0x80000000;
        gsize length = is_valid ? (gsize)g_unichar_to_utf8 (c, NULL) : 1;
        gunichar printable = is_valid && is_printable (c) ? c : REPLACEMENT_CHARACTER;

        if (shown->len + (gsize)g_unichar_to_utf8 (printable, NULL) > ALTCLIP_EXCERPT_MAX_BYTES) {
            g_string_append (shown, "…");
            break;
        }
        g_string_append_unichar (shown, printable);
        at += length;
        left -= length;
    }
    return g_string_free (shown, FALSE);
}

char *
altclip_excerpt_list (const char *const *texts, guint n)
{
    guint n_shown = MIN (n, ALTCLIP_EXCERPT_MAX_TEXTS);
    GString *list = g_string_new (NULL);

    for (guint i = 0; i < n_shown; i++) {
        g_autofree char *shown = altclip_excerpt (texts[i]);
        g_string_append_printf (list, "%s\"%s\"", i > 0 ? ", " : "", shown);
    }
    if (n > n_shown)
        g_string_append_printf (list, " and %u more", n - n_shown);
    return g_string_free (list, FALSE);
}

gboolean
altclip_excerpt_is_printable (const char *text)
{
    if (!g_utf8_validate (text, -1, NULL))
        return FALSE;
    for (; *text; text = g_utf8_next_char (text)) {
        if (!is_printable (g_utf8_get_char (text)))
            return FALSE;
    }
    return TRUE;
}
