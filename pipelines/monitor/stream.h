/* altclip-monitor: answers that do not end: live pictures, and news as Server-Sent Events
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What waits for a client is bounded: of a camera's pictures the newest, of news a few hundred. Who
 * does not take them in time is let go, and comes again by himself.
 */

#pragma once

#include <libsoup/soup.h>

#include "status.h"

G_BEGIN_DECLS

typedef struct _MonitorStreams MonitorStreams;

MonitorStreams *monitor_streams_new (MonitorStatus *status);
void monitor_streams_free (MonitorStreams *streams);

gboolean monitor_streams_has_room (MonitorStreams *streams);
guint monitor_streams_count (MonitorStreams *streams);
void monitor_streams_add_news (
        MonitorStreams *streams, SoupServerMessage *message, gint64 last_event);
void monitor_streams_add_live (
        MonitorStreams *streams, SoupServerMessage *message, GPtrArray *cameras);
void monitor_streams_add_picture (
        MonitorStreams *streams, SoupServerMessage *message, MonitorCamera *camera);
void monitor_streams_announce (MonitorStreams *streams, MonitorEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorStreams, monitor_streams_free)

G_END_DECLS
