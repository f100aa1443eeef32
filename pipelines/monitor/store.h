/* altclip: events on disk
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thread of its own writes and others read: nothing blocks but opening and closing. An event is
 * announced, in the default main context and in order, after its transaction is on disk, never
 * before.
 *
 * While nothing can be written, as when the disk is full, events wait, and the store tries again
 * until it can. What waits is bounded: pictures are left out first, then the oldest events are
 * lost.
 */

#pragma once

#include "readers.h"
#include "retention.h"

G_BEGIN_DECLS

typedef struct _MonitorStore MonitorStore;

/* In the main context. The store may be read in it, but not closed. */
typedef void (*MonitorAnnounce) (MonitorEvent *event, gpointer data);

typedef struct {
    guint64 events;  /* on disk */
    guint64 bytes;   /* of the file and its log */
    guint64 waiting; /* to be written */
    guint64 lost;    /* never written */
} MonitorStoreStats;

/**
 * monitor_store_open:
 * @path: of the file; it is made if there is none, but not its directory
 * @retention: what is kept
 * @announce: (nullable): called for each event once it is on disk
 * @data: for @announce
 * @error: return location
 *
 * Returns: (transfer full) (nullable): %NULL: failed, and what is at @path is as it was
 */
MonitorStore *monitor_store_open (const char *path, const MonitorRetention *retention,
        MonitorAnnounce announce, gpointer data, GError **error);

/**
 * monitor_store_add:
 * @store: any
 * @event: (transfer full): from a camera
 *
 * From any thread.
 */
void monitor_store_add (MonitorStore *store, MonitorEvent *event);

/**
 * monitor_store_set_retention:
 * @store: any
 * @retention: what is kept from now on
 */
void monitor_store_set_retention (MonitorStore *store, const MonitorRetention *retention);

/**
 * monitor_store_query_async:
 * @store: any
 * @query: what to look for; copied
 * @cancellable: (nullable): to look for it no longer
 * @callback: called in the thread-default main context, once it is found or is not
 * @data: for @callback
 *
 * Never blocks. It is looked for a second at most: then the error is %G_IO_ERROR_TIMED_OUT. What
 * was not begun when the store is closed ends with %G_IO_ERROR_CLOSED.
 */
void monitor_store_query_async (MonitorStore *store, const MonitorQuery *query,
        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);

/**
 * monitor_store_query_finish:
 * @result: what the callback got; also after the store is closed
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type MonitorEvent): by falling ids, without
 *   thumbnails
 */
GPtrArray *monitor_store_query_finish (GAsyncResult *result, GError **error);

/**
 * monitor_store_get_thumbnail_async:
 * @store: any
 * @id: of an event, at least 1
 * @cancellable: (nullable): to look for it no longer
 * @callback: called in the thread-default main context, once it is found or is not
 * @data: for @callback
 *
 * As monitor_store_query_async().
 */
void monitor_store_get_thumbnail_async (MonitorStore *store, gint64 id, GCancellable *cancellable,
        GAsyncReadyCallback callback, gpointer data);

/**
 * monitor_store_get_thumbnail_finish:
 * @result: what the callback got; also after the store is closed
 * @error: return location
 *
 * Returns: (transfer full) (nullable): JPEG; %NULL without an error: there is none
 */
GBytes *monitor_store_get_thumbnail_finish (GAsyncResult *result, GError **error);

void monitor_store_get_stats (MonitorStore *store, MonitorStoreStats *stats);

/**
 * monitor_store_dup_trouble:
 * @store: any
 *
 * Returns: (transfer full) (nullable): why nothing can be written or removed at present; %NULL: it
 *   can
 */
char *monitor_store_dup_trouble (MonitorStore *store);

/**
 * monitor_store_close:
 * @store: (transfer full): any
 *
 * Writes what waits, if it can be written now, and announces it.
 */
void monitor_store_close (MonitorStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorStore, monitor_store_close)

G_END_DECLS
