/* altclip: the file that events are kept in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SQLite, with a write-ahead log that is synchronised at every commit. What is at the path but is
 * no such file, or is damaged, or is of a later version, is an error and is left as it is.
 */

#pragma once

#include <gio/gio.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/* What the log may grow to before it goes into the file: bytes. */
#define MONITOR_DATABASE_MAX_LOG (1 << 20)

/**
 * monitor_database_lock:
 * @path: of the file
 * @error: return location
 *
 * One process at a time keeps events in a file: ids grow in one place, and one retention holds.
 *
 * Returns: a descriptor, and until it is closed nobody else gets one for @path; -1: failed
 */
int monitor_database_lock (const char *path, GError **error);

/**
 * monitor_database_open:
 * @path: of the file, which is made if there is none
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a connection, which one thread at a time may use
 */
sqlite3 *monitor_database_open (const char *path, GError **error);

/**
 * monitor_database_open_reader:
 * @path: of a file that is open
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a connection that cannot write
 */
sqlite3 *monitor_database_open_reader (const char *path, GError **error);

/**
 * monitor_database_run:
 * @database: a connection
 * @sql: statements without parameters
 * @error: return location
 */
gboolean monitor_database_run (sqlite3 *database, const char *sql, GError **error);

/**
 * monitor_database_prepare:
 * @database: a connection
 * @sql: one statement
 * @error: return location
 *
 * Returns: (transfer full) (nullable): it
 */
sqlite3_stmt *monitor_database_prepare (sqlite3 *database, const char *sql, GError **error);

/**
 * monitor_database_get_number:
 * @database: a connection
 * @sql: a query of one number
 * @number: (out): it; 0 where there is none
 * @error: return location
 */
gboolean monitor_database_get_number (
        sqlite3 *database, const char *sql, gint64 *number, GError **error);

/**
 * monitor_database_set_error:
 * @database: a connection of which a call has failed
 * @error: return location
 *
 * Sets an error that names the file and says why. Its code is %G_IO_ERROR_NO_SPACE for a full
 * disk, %G_IO_ERROR_TIMED_OUT for a call that was interrupted, %G_IO_ERROR_INVALID_DATA for a
 * damaged file, and otherwise %G_IO_ERROR_FAILED.
 */
void monitor_database_set_error (sqlite3 *database, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3, sqlite3_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

G_END_DECLS
