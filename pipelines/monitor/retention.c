/* altclip: which events are old enough to go
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events go in the order of their ids. A clock that was wrong for a while makes nothing go early:
 * what was added before an event that stays, stays.
 */

#include "retention.h"

/* In one step. */
#define MAX_EVENTS 500

/* What is too much goes until so much of the limit is used, so that there is not a little to do
 * all the time. */
#define KEPT_SHARE 0.95

#define MIN_LOG_PAGES 16

typedef struct {
    gint64 pages, free, size; /* of a page, bytes */
} Space;

/* ---- Room ------------------------------------------------------------------------------------ */

/* Of the limit, for the log and for what is added until something goes. */
static guint64
get_log_share (const MonitorRetention *retention)
{
    return MIN (retention->max_bytes / 2, 4 * MONITOR_DATABASE_MAX_LOG);
}

guint64
monitor_retention_get_file_limit (const MonitorRetention *retention)
{
    return retention->max_bytes ? retention->max_bytes - get_log_share (retention) : G_MAXUINT64;
}

guint
monitor_retention_get_log_pages (const MonitorRetention *retention, guint page_size)
{
    guint most = MONITOR_DATABASE_MAX_LOG / page_size;

    if (!retention->max_bytes)
        return most;
    return CLAMP ((guint)(get_log_share (retention) / 4 / page_size), MIN_LOG_PAGES, most);
}

gsize
monitor_retention_get_batch_size (const MonitorRetention *retention, guint page_size)
{
    return (gsize)monitor_retention_get_log_pages (retention, page_size) * page_size / 4;
}

static gboolean
get_space (sqlite3 *database, Space *space, GError **error)
{
    return monitor_database_get_number (database, "PRAGMA page_count", &space->pages, error) &&
           monitor_database_get_number (database, "PRAGMA freelist_count", &space->free, error) &&
           monitor_database_get_number (database, "PRAGMA page_size", &space->size, error);
}

/* ---- What goes ------------------------------------------------------------------------------- */

/* With up to three parameters. Where there is none, *id is 0. */
static gboolean
find_id (sqlite3 *database, const char *sql, const gint64 parameters[3], gint64 *id, GError **error)
{
    g_autoptr (sqlite3_stmt) statement = monitor_database_prepare (database, sql, error);
    int result;

    *id = 0;
    if (!statement)
        return FALSE;
    for (int i = 0; i < sqlite3_bind_parameter_count (statement); i++)
        sqlite3_bind_int64 (statement, i + 1, parameters[i]);
    result = sqlite3_step (statement);
    if (result == SQLITE_ROW)
        *id = sqlite3_column_int64 (statement, 0);
    else if (result != SQLITE_DONE)
        monitor_database_set_error (database, error);
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

static gboolean
get_n_events (sqlite3 *database, gint64 *n, GError **error)
{
    /* Apart, each is found without looking at all of them. */
    return monitor_database_get_number (database,
            "SELECT coalesce ((SELECT max (id) FROM events) - (SELECT min (id) FROM events) + 1, "
            "0)",
            n, error);
}

/* How many may go in one step, if all were of the same size: SQLite may write each page that is
 * left free, with zeros, and has @pages of the log for that, more than what is added meanwhile. */
static gboolean
get_most (sqlite3 *database, const Space *space, gint64 pages, gint64 *most, GError **error)
{
    gint64 n;

    if (!get_n_events (database, &n, error))
        return FALSE;
    *most = CLAMP (n * pages / MAX (space->pages - space->free, 1), 1, MAX_EVENTS);
    return TRUE;
}

/* The first event that is young enough, or the one after as many as go in one step.
 *
 * What says to be from the future tells nothing; when there is nothing else, nothing goes. */
static gboolean
find_young (sqlite3 *database, gint64 oldest, gint64 now, gint64 most, gint64 *id, GError **error)
{
    static const char *const young =
            "SELECT id FROM (SELECT id, added FROM events ORDER BY id LIMIT 1 + ?)"
            " WHERE added BETWEEN ? AND ? ORDER BY id LIMIT 1";
    static const char *const after_old =
            "SELECT max (id) + 1 FROM (SELECT id, added FROM events ORDER BY id LIMIT ?)"
            " WHERE added < ?";
    const gint64 parameters[] = { most, oldest, now };

    if (!find_id (database, young, parameters, id, error))
        return FALSE;
    return *id || find_id (database, after_old, parameters, id, error);
}

/* The one after the first @n. */
static gboolean
find_after (sqlite3 *database, gint64 n, gint64 *id, GError **error)
{
    const gint64 parameters[3] = { n };

    return find_id (database,
            "SELECT max (id) + 1 FROM (SELECT id FROM events ORDER BY id LIMIT ?)", parameters, id,
            error);
}

/* ---- Going ----------------------------------------------------------------------------------- */

static gboolean
run_before (sqlite3 *database, const char *sql, gint64 id, GError **error)
{
    g_autoptr (sqlite3_stmt) statement = monitor_database_prepare (database, sql, error);

    if (!statement)
        return FALSE;
    sqlite3_bind_int64 (statement, 1, id);
    if (sqlite3_step (statement) == SQLITE_DONE)
        return TRUE;
    monitor_database_set_error (database, error);
    return FALSE;
}

static gboolean
delete_before (sqlite3 *database, gint64 id, guint64 *deleted, GError **error)
{
    if (!id)
        return TRUE;
    if (!monitor_database_run (database, "BEGIN IMMEDIATE", error))
        return FALSE;
    if (run_before (database, "DELETE FROM thumbnails WHERE event < ?", id, error) &&
            run_before (database, "DELETE FROM events WHERE id < ?", id, error)) {
        *deleted += (guint64)sqlite3_changes64 (database);
        if (monitor_database_run (database, "COMMIT", error))
            return TRUE;
    }
    *deleted = 0;
    sqlite3_exec (database, "ROLLBACK", NULL, NULL, NULL);
    return FALSE;
}

static gboolean
delete_old (const MonitorRetention *retention, sqlite3 *database, gint64 now, gint64 most,
        guint64 *deleted, GError **error)
{
    /* An age that is longer than the clock has been running is for ever. */
    guint64 max_age = MIN (retention->max_age, G_MAXINT64 / G_USEC_PER_SEC);
    gint64 id;

    if (!max_age)
        return TRUE;
    return find_young (database, now - (gint64)max_age * G_USEC_PER_SEC, now, most, &id, error) &&
           delete_before (database, id, deleted, error);
}

/* As many as are too much, if all were of the same size. */
static gboolean
delete_excess (const MonitorRetention *retention, sqlite3 *database, const Space *space,
        gint64 most, guint64 *deleted, GError **error)
{
    gint64 pages = (gint64)(monitor_retention_get_file_limit (retention) / (guint64)space->size);
    gint64 kept = (gint64)((double)pages * KEPT_SHARE);
    gint64 used = space->pages - space->free;
    gint64 events, id;

    /* What is free but not given back was used: it goes down to what is kept. */
    if (!retention->max_bytes || space->pages <= pages || used <= kept)
        return TRUE;
    if (!get_n_events (database, &events, error))
        return FALSE;
    events = CLAMP ((gint64)((double)events * (double)(used - kept) / (double)used), 1, most);
    return find_after (database, events, &id, error) &&
           delete_before (database, id, deleted, error);
}

static gboolean
give_back (sqlite3 *database, gint64 pages, GError **error)
{
    g_autofree char *sql =
            g_strdup_printf ("PRAGMA incremental_vacuum (%" G_GINT64_FORMAT ")", pages);

    return monitor_database_run (database, sql, error);
}

/* The file gets shorter once the log is in it. A reader may be in the way: then it is the next
 * time. */
static void
shorten (sqlite3 *database)
{
    sqlite3_wal_checkpoint_v2 (database, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

gboolean
monitor_retention_step (const MonitorRetention *retention, sqlite3 *database, gint64 now,
        guint64 *deleted, gboolean *more, GError **error)
{
    gint64 log_pages, most;
    Space space;

    *deleted = 0;
    *more = FALSE;
    if (!get_space (database, &space, error))
        return FALSE;
    log_pages = monitor_retention_get_log_pages (retention, (guint)space.size);
    if (!get_most (database, &space, log_pages / 2, &most, error) ||
            !delete_old (retention, database, now, most, deleted, error))
        return FALSE;
    if (*deleted == 0 && !delete_excess (retention, database, &space, most, deleted, error))
        return FALSE;
    *more = *deleted > 0;
    /* Not before all that goes is gone, so that pages move once. */
    if (*more || space.free == 0)
        return TRUE;
    if (!give_back (database, log_pages, error))
        return FALSE;
    *more = space.free > log_pages;
    if (!*more)
        shorten (database);
    return TRUE;
}
