/* altclip: an address that is told something
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * By POST, with a time limit. What failed in a way that may pass is tried once more. Nothing of the
 * answer but its status is read, and no other address is gone to. An address may hold credentials,
 * in any of its parts: what is said about a failure names none of them.
 *
 * All of it happens in the thread-default main context.
 */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _MonitorWebhook MonitorWebhook;

/**
 * MonitorWebhookDone:
 * @failure: (nullable): what went wrong, for a log
 * @in_time: whether the last try was over before its time
 * @data: as given
 *
 * It is over, and freed once this returns.
 */
typedef void (*MonitorWebhookDone) (const char *failure, gboolean in_time, gpointer data);

/**
 * monitor_webhook_start:
 * @session: what it is sent with
 * @url: http or https; credentials in it are used
 * @json: what is told
 * @timeout: of each try, s
 * @done: called once it is over
 * @data: for @done
 * @error: return location
 *
 * Returns: (nullable): it, until @done is called; %NULL: @url is none
 */
MonitorWebhook *monitor_webhook_start (SoupSession *session, const char *url, GBytes *json,
        guint timeout, MonitorWebhookDone done, gpointer data, GError **error);

/**
 * monitor_webhook_cancel:
 * @webhook: (transfer full): one that is not over
 *
 * Without a call.
 */
void monitor_webhook_cancel (MonitorWebhook *webhook);

/**
 * monitor_webhook_dup_name:
 * @url: any
 *
 * Returns: (transfer full): what of it may be said: scheme, host and port
 */
char *monitor_webhook_dup_name (const char *url);

G_END_DECLS
