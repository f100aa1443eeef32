/* altclip: what every reader owes to any file: a result, or one clear error
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

/* Without the engine's own idea of it. */
static gboolean
is_one_line (const char *text)
{
    for (; *text; text = g_utf8_next_char (text)) {
        switch (g_unichar_type (g_utf8_get_char (text))) {
        case G_UNICODE_CONTROL:
        case G_UNICODE_LINE_SEPARATOR:
        case G_UNICODE_PARAGRAPH_SEPARATOR:
            return FALSE;
        default:
            break;
        }
    }
    return TRUE;
}

/* Returns: (nullable): what is wrong with the message */
static const char *
find_fault (const char *message, const char *path)
{
    gsize n_path = path ? strlen (path) : 0;

    if (!message || *message == '\0')
        return "an error without a message";
    if (!g_utf8_validate (message, -1, NULL))
        return "a message that is not UTF-8";
    if (!is_one_line (message))
        return "a message with control characters or line breaks";
    if (path && (!g_str_has_prefix (message, path) || !strchr (":/", message[n_path])))
        return "a message that does not begin with the file's name";
    if (strlen (message) > n_path + VERDICT_MAX_BYTES)
        return "a message that is too long";
    return NULL;
}

void
verdict_check (gboolean has_result, const GError *error, const char *path)
{
    const char *fault = NULL;

    if (has_result && error)
        fault = "both a result and an error";
    else if (!has_result && !error)
        fault = "neither a result nor an error";
    else if (error && error->domain != ALTCLIP_ERROR)
        fault = "an error of another domain";
    else if (error)
        fault = find_fault (error->message, path);
    if (fault) {
        g_autofree char *shown = g_strescape (error ? error->message : "", NULL);
        verdict_fail ("%s: \"%s\"", fault, shown);
    }
}

/* Not g_error(), whose trap libFuzzer takes for the end of the whole run. */
void
verdict_fail (const char *format, ...)
{
    g_autofree char *fault = NULL;
    va_list arguments;

    va_start (arguments, format);
    fault = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_printerr ("Fault: %s\n", fault);
    abort ();
}
