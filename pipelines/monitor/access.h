/* altclip-monitor: who may ask, how often, and from where
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A token is known by its HMAC alone. Browsers get a cookie that names its own end and is signed
 * with the token, so that it outlives a restart and dies with the token.
 */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _MonitorAccess MonitorAccess;

/* A status that libsoup has no name for. */
#define MONITOR_TOO_MANY_REQUESTS 429

/* Why a request is not served. */
typedef struct {
    guint status;
    const char *message;
    guint retry_after; /* s; 0: not said */
} MonitorRefusal;

MonitorAccess *monitor_access_new (const char *token, guint16 port, gboolean tls);
void monitor_access_free (MonitorAccess *access);

gboolean monitor_access_check (
        MonitorAccess *access, SoupServerMessage *message, gboolean open, MonitorRefusal *refusal);
gboolean monitor_access_log_in (MonitorAccess *access, SoupServerMessage *message,
        const char *token, MonitorRefusal *refusal);
void monitor_access_log_out (MonitorAccess *access, SoupServerMessage *message);

char *monitor_access_dup_address (SoupServerMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorAccess, monitor_access_free)

G_END_DECLS
