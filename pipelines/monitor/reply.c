/* altclip-monitor: answers to requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reply.h"

#include <string.h>

/**
 * monitor_reply_dump:
 * @json: an object or an array
 *
 * Returns: (transfer full): its text, on one line
 */
char *
monitor_reply_dump (const json_t *json)
{
    char *text = json_dumps (json, JSON_COMPACT | JSON_REAL_PRECISION (9));
    char *copy = g_strdup (text ? text : "{}");

    free (text);
    return copy;
}

/**
 * monitor_reply_bytes:
 * @message: to answer
 * @type: of the content
 * @cache: what a browser may keep, as Cache-Control says it
 * @bytes: the content
 */
void
monitor_reply_bytes (SoupServerMessage *message, const char *type, const char *cache, GBytes *bytes)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

    soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
    soup_message_headers_replace (headers, "Content-Type", type);
    soup_message_headers_replace (headers, "Cache-Control", cache);
    if (g_bytes_get_size (bytes) > 0) {
        soup_message_body_append_bytes (soup_server_message_get_response_body (message), bytes);
    }
}

/**
 * monitor_reply_json:
 * @message: to answer
 * @status: of the answer
 * @json: (transfer full): the content
 */
void
monitor_reply_json (SoupServerMessage *message, guint status, json_t *json)
{
    char *text = monitor_reply_dump (json);
    g_autoptr (GBytes) bytes = g_bytes_new_take (text, strlen (text));

    monitor_reply_bytes (message, "application/json", "no-store", bytes);
    soup_server_message_set_status (message, status, NULL);
    json_decref (json);
}

/**
 * monitor_reply_error:
 * @message: to answer
 * @status: of the answer
 * @format: of what went wrong
 * @...: as for printf()
 */
void
monitor_reply_error (SoupServerMessage *message, guint status, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *valid = NULL;
    va_list arguments;

    va_start (arguments, format);
    text = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    valid = g_utf8_make_valid (text, -1);
    monitor_reply_json (message, status, json_pack ("{s:s}", "error", valid));
}

/**
 * monitor_reply_add_policy:
 * @message: to answer
 *
 * Nothing but our own files runs or is shown in our page, and our answers are in no other page.
 */
void
monitor_reply_add_policy (SoupServerMessage *message)
{
    static const struct {
        const char *name;
        const char *value;
    } policy[] = {
        { "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
                "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                "require-trusted-types-for 'script'; trusted-types 'none'" },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
    };
    SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

    for (gsize i = 0; i < G_N_ELEMENTS (policy); i++) {
        soup_message_headers_replace (headers, policy[i].name, policy[i].value);
    }
}
