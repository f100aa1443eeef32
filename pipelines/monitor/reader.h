/* altclip: looking for events on disk
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Beside whoever writes, and for a second at most: what takes longer is the error
 * %G_IO_ERROR_TIMED_OUT.
 */

#pragma once

#include "database.h"
#include "event.h"

G_BEGIN_DECLS

typedef struct _MonitorReader MonitorReader;

typedef struct {
    const char *camera, *label, *kind; /* nullable */
    gint64 since, until;               /* µs since 1970, both inclusive; 0: open */
    gint64 before_id;                  /* 0: from the newest on */
    guint limit;                       /* 1 to 1000 */
} MonitorQuery;

/**
 * monitor_reader_open:
 * @path: of a file that is open
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what one thread at a time may use
 */
MonitorReader *monitor_reader_open (const char *path, GError **error);

/**
 * monitor_reader_query:
 * @reader: any
 * @query: what to look for
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type MonitorEvent): by falling ids, without
 *   thumbnails
 */
GPtrArray *monitor_reader_query (MonitorReader *reader, const MonitorQuery *query, GError **error);

/**
 * monitor_reader_get_thumbnail:
 * @reader: any
 * @id: of an event
 * @error: return location
 *
 * Returns: (transfer full) (nullable): JPEG; %NULL without an error: there is none
 */
GBytes *monitor_reader_get_thumbnail (MonitorReader *reader, gint64 id, GError **error);

void monitor_reader_close (MonitorReader *reader);

G_END_DECLS
