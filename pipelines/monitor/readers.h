/* altclip: looking for events on disk beside all else
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In threads of their own, so that nobody stands still while a disk or a long search takes its
 * time, and more than one, so that a short search need not wait for a long one.
 */

#pragma once

#include "reader.h"

G_BEGIN_DECLS

typedef struct _MonitorReaders MonitorReaders;

/**
 * monitor_readers_open:
 * @path: of a file that is open
 * @error: return location
 *
 * Returns: (transfer full) (nullable): readers that wait
 */
MonitorReaders *monitor_readers_open (const char *path, GError **error);

/**
 * monitor_readers_query:
 * @readers: any
 * @query: what to look for; copied
 * @cancellable: (nullable): to look for it no longer
 * @callback: called in the thread-default main context, with a #GTask
 * @data: for @callback
 *
 * The task's pointer is a #GPtrArray of MonitorEvent, as monitor_reader_query() has it.
 */
void monitor_readers_query (MonitorReaders *readers, const MonitorQuery *query,
        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);

/**
 * monitor_readers_get_thumbnail:
 * @readers: any
 * @id: of an event
 * @cancellable: (nullable): to look for it no longer
 * @callback: called in the thread-default main context, with a #GTask
 * @data: for @callback
 *
 * The task's pointer is (nullable) #GBytes, as monitor_reader_get_thumbnail() has them.
 */
void monitor_readers_get_thumbnail (MonitorReaders *readers, gint64 id, GCancellable *cancellable,
        GAsyncReadyCallback callback, gpointer data);

/**
 * monitor_readers_close:
 * @readers: (transfer full): any
 *
 * What was not begun ends with %G_IO_ERROR_CLOSED; what was is waited for.
 */
void monitor_readers_close (MonitorReaders *readers);

G_END_DECLS
