/* altclip: texts in the columns of a terminal
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "columns.h"

#define ELLIPSIS "\342\200\246"
#define REPLACEMENT 0xfffd

static guint
get_width (gunichar c)
{
    if (g_unichar_iszerowidth (c))
        return 0;
    return g_unichar_iswide (c) ? 2 : 1;
}

guint
columns_count (const char *text)
{
    guint n = 0;

    for (const char *at = text; *at; at = g_utf8_next_char (at))
        n += get_width (g_utf8_get_char (at));
    return n;
}

char *
columns_cut (const char *text, guint n)
{
    gboolean fits = columns_count (text) <= n;
    GString *cut = g_string_new (NULL);
    guint left = fits ? n : n - 1;

    for (const char *at = text; *at; at = g_utf8_next_char (at)) {
        gunichar c = g_utf8_get_char (at);

        if (get_width (c) > left)
            break;
        left -= get_width (c);
        g_string_append_unichar (cut, g_unichar_iscntrl (c) ? REPLACEMENT : c);
    }
    if (!fits)
        g_string_append (cut, ELLIPSIS);
    return g_string_free (cut, FALSE);
}
