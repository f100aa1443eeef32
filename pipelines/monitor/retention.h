/* altclip: which events are old enough to go
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "database.h"

G_BEGIN_DECLS

/* What is kept. */
typedef struct {
    guint64 max_age;   /* s; 0: for ever */
    guint64 max_bytes; /* of all files on disk, to within their least size; 0: no limit */
} MonitorRetention;

/**
 * monitor_retention_get_log_pages:
 * @retention: what is kept
 * @page_size: of the file
 *
 * Returns: after how many pages the log goes into the file, so that both have room
 */
guint monitor_retention_get_log_pages (const MonitorRetention *retention, guint page_size);

/**
 * monitor_retention_get_batch_size:
 * @retention: what is kept
 * @page_size: of the file
 *
 * Returns: what may be added at once, bytes: the log grows by that and somewhat more before it can
 *   go into the file
 */
gsize monitor_retention_get_batch_size (const MonitorRetention *retention, guint page_size);

/**
 * monitor_retention_get_file_limit:
 * @retention: what is kept
 *
 * Returns: what the file without its log may take, bytes
 */
guint64 monitor_retention_get_file_limit (const MonitorRetention *retention);

/**
 * monitor_retention_step:
 * @retention: what is kept
 * @database: a connection
 * @now: µs since 1970
 * @deleted: (out): how many events went
 * @more: (out): whether there is more to do
 * @error: return location
 *
 * Lets some of what is too old or too much go, and gives some of what that leaves free back to the
 * file system: never for long, so that new events can be written between two steps.
 */
gboolean monitor_retention_step (const MonitorRetention *retention, sqlite3 *database, gint64 now,
        guint64 *deleted, gboolean *more, GError **error);

G_END_DECLS
