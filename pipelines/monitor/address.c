/* altclip: where a camera is, and what of that is secret
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "address.h"

#include <gio/gio.h>
#include <string.h>

#define BLOT "***"

static const char *const SCHEMES[] = { "rtsp", "rtsps", "rtspt", "rtspu", "http", "https", "file",
    "v4l2", NULL };

/* ---- Reading -------------------------------------------------------------------------------- */

static char *
parse_path (const char *text, GError **error)
{
    g_autofree char *path = NULL;

    if (g_str_has_prefix (text, "/dev/"))
        return g_strconcat ("v4l2://", text, NULL);
    path = g_canonicalize_filename (text, NULL);
    if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
        g_autofree char *shown = monitor_address_scrub (text);

        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "\"%s\" is neither an address (rtsp, http, file, v4l2, test) nor a file", shown);
        return NULL;
    }
    return g_filename_to_uri (path, NULL, error);
}

static void
take (char **place, const char *text)
{
    if (text && *text) {
        g_free (*place);
        *place = g_uri_unescape_string (text, NULL);
        if (!*place)
            *place = g_strdup (text);
    }
}

static gboolean
is_text (const char *text)
{
    return !text || g_utf8_validate (text, -1, NULL);
}

/* A password may hold an @, which an address may not: the last one before the path ends it. So the
 * user's part is cut off before anything is parsed. In it / and ? and # are %2F, %3F and %23. */
static char *
cut_credentials (const char *text, char **user, char **password)
{
    const char *start = strstr (text, "://") + 3;
    const char *end = start + strcspn (start, "/?#");
    const char *at = g_strrstr_len (start, end - start, "@");
    g_autofree char *credentials = NULL;
    char *colon;

    if (!at)
        return g_strdup (text);
    credentials = g_strndup (start, at - start);
    colon = strchr (credentials, ':');
    if (colon) {
        *colon = '\0';
        take (password, colon + 1);
    }
    take (user, credentials);
    return g_strdup_printf ("%.*s%s", (int)(start - text), text, at + 1);
}

char *
monitor_address_parse (const char *text, char **user, char **password, GError **error)
{
    g_autofree char *scheme = g_uri_parse_scheme (text);
    g_autofree char *address = NULL;
    g_autoptr (GUri) uri = NULL;
    gboolean is_network;

    if (g_str_has_prefix (text, MONITOR_ADDRESS_TEST))
        return g_strdup (text);
    if (!scheme || !strstr (text, "://"))
        return parse_path (text, error);
    if (!g_strv_contains (SCHEMES, scheme)) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "\"%s\" is none of rtsp, rtsps, http, https, file, v4l2 and test", scheme);
        return NULL;
    }
    is_network = !g_str_equal (scheme, "file") && !g_str_equal (scheme, "v4l2");
    address = is_network ? cut_credentials (text, user, password) : g_strdup (text);
    uri = g_uri_parse (address, G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED, NULL);
    if (!uri || (is_network && (!g_uri_get_host (uri) || !*g_uri_get_host (uri))) ||
            !is_text (*user) || !is_text (*password)) {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "this is no address with a host, as rtsp://camera.example/stream");
        return NULL;
    }
    return g_steal_pointer (&address);
}

gboolean
monitor_address_is_http (const char *uri)
{
    return g_ascii_strncasecmp (uri, "http:", 5) == 0 ||
           g_ascii_strncasecmp (uri, "https:", 6) == 0;
}

gboolean
monitor_address_has_tls (const char *uri)
{
    return g_ascii_strncasecmp (uri, "rtsps:", 6) == 0 ||
           g_ascii_strncasecmp (uri, "https:", 6) == 0;
}

/* ---- Names ---------------------------------------------------------------------------------- */

char *
monitor_address_get_name (const char *uri)
{
    g_autoptr (GUri) parsed = NULL;
    g_autofree char *name = NULL;
    char *point;

    if (g_str_has_prefix (uri, MONITOR_ADDRESS_TEST))
        name = g_strdup (uri + strlen (MONITOR_ADDRESS_TEST));
    else if ((parsed = g_uri_parse (uri, G_URI_FLAGS_PARSE_RELAXED, NULL))) {
        const char *host = g_uri_get_host (parsed);

        name = host && *host ? g_strdup (host) : g_path_get_basename (g_uri_get_path (parsed));
        point = strrchr (name, '.');
        if ((!host || !*host) && point && point > name)
            *point = '\0';
    }
    if (!name || !*name || *name == '.' || strpbrk (name, "/\\") || strlen (name) > 48)
        return g_strdup ("camera");
    return g_steal_pointer (&name);
}

/* ---- Secrets -------------------------------------------------------------------------------- */

static char *
replace (const char *text, const char *pattern, const char *with)
{
    g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_CASELESS, 0, NULL);
    char *replaced = g_regex_replace (regex, text, -1, 0, with, 0, NULL);

    return replaced ? replaced : g_strdup (BLOT);
}

char *
monitor_address_scrub (const char *text)
{
    g_autofree char *valid = g_utf8_make_valid (text, -1);
    g_autofree char *bare = replace (valid, "(://)[^/?#\\s\"']*@", "\\1");

    return replace (bare,
            "([?&;/][^=&/\\s]*(?:pass|pwd|pw|secret|token|key|auth|user|usr|login)[^=&/\\s]*=)"
            "[^&\\s\"']*",
            "\\1" BLOT);
}

static void
blot (GString *text, const char *secret)
{
    if (secret && *secret)
        g_string_replace (text, secret, BLOT, 0);
}

/* What a camera says is for no terminal to obey, and one line of a log. */
static GString *
make_printable (const char *text)
{
    GString *printable = g_string_new (NULL);

    for (; *text; text = g_utf8_next_char (text)) {
        gunichar character = g_utf8_get_char (text);

        g_string_append_unichar (printable, g_unichar_isprint (character) ? character : ' ');
    }
    return printable;
}

char *
monitor_message_scrub (const char *message, const char *user, const char *password)
{
    g_autofree char *scrubbed = monitor_address_scrub (message);
    GString *text = make_printable (scrubbed);

    if (password && *password) {
        g_autofree char *pair = g_strconcat (user ? user : "", ":", password, NULL);
        g_autofree char *encoded = g_base64_encode ((const guint8 *)pair, strlen (pair));
        g_autofree char *escaped = g_uri_escape_string (password, NULL, FALSE);

        blot (text, encoded);
        blot (text, password);
        blot (text, escaped);
    }
    return g_string_free (text, FALSE);
}
