/* altclip-monitor: answers to requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <jansson.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

void monitor_reply_json (SoupServerMessage *message, guint status, json_t *json);
void monitor_reply_error (SoupServerMessage *message, guint status, const char *format, ...)
        G_GNUC_PRINTF (3, 4);
void monitor_reply_bytes (
        SoupServerMessage *message, const char *type, const char *cache, GBytes *bytes);
void monitor_reply_add_policy (SoupServerMessage *message);
char *monitor_reply_dump (const json_t *json);

G_END_DECLS
