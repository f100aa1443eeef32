/* altclip: events on disk
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thread of its own writes; adding never blocks. An event is announced, in the default main
 * context and in order, after its transaction is on disk, never before.
 */

#pragma once

#include "event.h"

G_BEGIN_DECLS

typedef struct _MonitorStore MonitorStore;

typedef struct {
    guint64 max_age;   /* s; 0: for ever */
    guint64 max_bytes; /* 0: no limit */
} MonitorRetention;

typedef void (*MonitorAnnounce) (MonitorEvent *event, gpointer data);

typedef struct {
    const char *camera, *label, *kind; /* nullable */
    gint64 since, until;               /* µs since 1970; 0: open */
    gint64 before_id;                  /* 0: from the newest on */
    guint limit;                       /* 1 to 1000 */
} MonitorQuery;

typedef struct {
    guint64 events, bytes, waiting, lost;
} MonitorStoreStats;

MonitorStore *monitor_store_open (const char *path, const MonitorRetention *retention,
        MonitorAnnounce announce, gpointer data, GError **error);

/* From any thread. Takes the reference. */
void monitor_store_add (MonitorStore *store, MonitorEvent *event);

void monitor_store_set_retention (MonitorStore *store, const MonitorRetention *retention);

/* (transfer full) (element-type MonitorEvent): newest first, without thumbnails. */
GPtrArray *monitor_store_query (MonitorStore *store, const MonitorQuery *query, GError **error);

/* (transfer full) (nullable): NULL without an error: there is none. */
GBytes *monitor_store_get_thumbnail (MonitorStore *store, gint64 id, GError **error);

void monitor_store_get_stats (MonitorStore *store, MonitorStoreStats *stats);

/* Writes what waits. */
void monitor_store_close (MonitorStore *store);

G_END_DECLS
