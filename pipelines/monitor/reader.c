/* altclip: looking for events on disk
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events are found by falling ids, which is the order they were written in. That is nearly the
 * order of their times, but not quite, as each camera has its clock: what is asked for by time is
 * found by the index of times if that is not much, and otherwise by ids.
 */

#include "reader.h"

#define MAX_READING G_TIME_SPAN_SECOND /* µs */
/* How many of SQLite's steps pass between looks at the clock. */
#define STEPS 1000
#define MAX_EVENTS 1000
/* So many events are sorted. */
#define MAX_SORTED 20000
#define MAX_SORTED_TEXT G_STRINGIFY (MAX_SORTED)

struct _MonitorReader {
    char *path;
    sqlite3 *database;
    gint64 deadline;
};

/* ---- Rows ------------------------------------------------------------------------------------ */

static char *
get_text (sqlite3_stmt *statement, int column)
{
    return (char *)sqlite3_column_text (statement, column);
}

static MonitorEvent *
new_from_row (sqlite3_stmt *row)
{
    MonitorEvent fields = { 0 };

    fields.id = sqlite3_column_int64 (row, 0);
    fields.time = sqlite3_column_int64 (row, 1);
    fields.camera = get_text (row, 2);
    fields.label = get_text (row, 3);
    fields.kind = get_text (row, 4);
    fields.score = sqlite3_column_double (row, 5);
    fields.peak = sqlite3_column_double (row, 6);
    fields.duration = (guint64)sqlite3_column_int64 (row, 7);
    fields.reason = get_text (row, 8);
    fields.region = get_text (row, 9);
    fields.json = get_text (row, 10);
    fields.has_thumbnail = sqlite3_column_int (row, 11);
    return monitor_event_new (&fields);
}

/* ---- Parameters ------------------------------------------------------------------------------ */

static void
set_text (sqlite3_stmt *statement, const char *name, const char *text)
{
    int at = sqlite3_bind_parameter_index (statement, name);

    if (at > 0)
        sqlite3_bind_text (statement, at, text, -1, SQLITE_STATIC);
}

static void
set_number (sqlite3_stmt *statement, const char *name, gint64 number)
{
    int at = sqlite3_bind_parameter_index (statement, name);

    if (at > 0)
        sqlite3_bind_int64 (statement, at, number);
}

/* Those that the statement has. Values are bound, never written into it. */
static void
bind_query (sqlite3_stmt *statement, const MonitorQuery *query)
{
    set_number (statement, ":before", query->before_id ? query->before_id : G_MAXINT64);
    set_text (statement, ":camera", query->camera);
    set_text (statement, ":label", query->label);
    set_text (statement, ":kind", query->kind);
    set_number (statement, ":since", query->since ? query->since : G_MININT64);
    set_number (statement, ":until", query->until ? query->until : G_MAXINT64);
    set_number (statement, ":limit", CLAMP (query->limit, 1, MAX_EVENTS));
}

static gboolean
set_error (MonitorReader *reader, GError **error)
{
    if (sqlite3_errcode (reader->database) == SQLITE_INTERRUPT)
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "%s: reading took longer than %d s",
                reader->path, (int)(MAX_READING / G_TIME_SPAN_SECOND));
    else
        monitor_database_set_error (reader->database, error);
    return FALSE;
}

/* ---- How to look ----------------------------------------------------------------------------- */

/* Only the index is read. */
static const char *
get_index (const MonitorQuery *query)
{
    return query->camera ? " INDEXED BY events_of_camera_by_time WHERE camera = :camera AND"
                         : " INDEXED BY events_of_time WHERE";
}

/* One number that is found in the index of times. */
static gboolean
find_number (MonitorReader *reader, const MonitorQuery *query, const char *head, const char *tail,
        gint64 *number, GError **error)
{
    g_autofree char *sql =
            g_strconcat (head, get_index (query), " time BETWEEN :since AND :until", tail, NULL);
    g_autoptr (sqlite3_stmt) statement = monitor_database_prepare (reader->database, sql, error);

    if (!statement)
        return FALSE;
    bind_query (statement, query);
    if (sqlite3_step (statement) != SQLITE_ROW)
        return set_error (reader, error);
    *number = sqlite3_column_int64 (statement, 0);
    return TRUE;
}

typedef enum {
    BY_ID,
    BY_TIME,
} Way;

/* Where the newest that may be meant are much older than the newest of all, ids begin there. */
static gboolean
plan (MonitorReader *reader, MonitorQuery *query, Way *way, GError **error)
{
    gint64 n, newest;

    *way = BY_ID;
    if (!query->since && !query->until)
        return TRUE;
    if (!find_number (reader, query, "SELECT count (*) FROM (SELECT 1 FROM events",
                " LIMIT 1 + " MAX_SORTED_TEXT ")", &n, error))
        return FALSE;
    *way = n <= MAX_SORTED ? BY_TIME : BY_ID;
    if (*way == BY_TIME || !query->until)
        return TRUE;
    if (!find_number (reader, query, "SELECT max (id) FROM events", "", &newest, error))
        return FALSE;
    query->before_id = query->before_id ? MIN (query->before_id, newest + 1) : newest + 1;
    return TRUE;
}

/* With a sign before it, an index is not used. */
static char *
new_sql (const MonitorQuery *query, Way way)
{
    gboolean has_time = query->since || query->until;

    return g_strconcat ("SELECT id, time, camera, label, kind, score, peak, duration, reason,"
                        " region, json, EXISTS (SELECT 1 FROM thumbnails WHERE event = id)"
                        " FROM events",
            way == BY_TIME ? get_index (query) : " WHERE",
            way == BY_TIME ? " time BETWEEN :since AND :until AND" : "", " id < :before",
            way == BY_ID && query->camera ? " AND camera = :camera" : "",
            way == BY_ID && has_time ? " AND +time BETWEEN :since AND :until" : "",
            query->label ? " AND label = :label" : "", query->kind ? " AND kind = :kind" : "",
            " ORDER BY id DESC LIMIT :limit", NULL);
}

/* ---- Looking --------------------------------------------------------------------------------- */

static GPtrArray *
read_rows (MonitorReader *reader, sqlite3_stmt *statement, GError **error)
{
    g_autoptr (GPtrArray) events =
            g_ptr_array_new_with_free_func ((GDestroyNotify)monitor_event_unref);
    int result;

    while ((result = sqlite3_step (statement)) == SQLITE_ROW)
        g_ptr_array_add (events, new_from_row (statement));
    if (result != SQLITE_DONE) {
        set_error (reader, error);
        return NULL;
    }
    return g_steal_pointer (&events);
}

GPtrArray *
monitor_reader_query (MonitorReader *reader, const MonitorQuery *query, GError **error)
{
    MonitorQuery planned = *query;
    g_autoptr (sqlite3_stmt) statement = NULL;
    g_autofree char *sql = NULL;
    Way way;

    reader->deadline = g_get_monotonic_time () + MAX_READING;
    if (!plan (reader, &planned, &way, error))
        return NULL;
    sql = new_sql (&planned, way);
    statement = monitor_database_prepare (reader->database, sql, error);
    if (!statement)
        return NULL;
    bind_query (statement, &planned);
    return read_rows (reader, statement, error);
}

GBytes *
monitor_reader_get_thumbnail (MonitorReader *reader, gint64 id, GError **error)
{
    g_autoptr (sqlite3_stmt) statement = NULL;
    int result;

    reader->deadline = g_get_monotonic_time () + MAX_READING;
    statement = monitor_database_prepare (
            reader->database, "SELECT jpeg FROM thumbnails WHERE event = ?", error);
    if (!statement)
        return NULL;
    sqlite3_bind_int64 (statement, 1, id);
    result = sqlite3_step (statement);
    if (result == SQLITE_ROW)
        return g_bytes_new (
                sqlite3_column_blob (statement, 0), (gsize)sqlite3_column_bytes (statement, 0));
    if (result != SQLITE_DONE)
        set_error (reader, error);
    return NULL;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static int
is_late (void *data)
{
    const MonitorReader *reader = data;

    return g_get_monotonic_time () > reader->deadline;
}

MonitorReader *
monitor_reader_open (const char *path, GError **error)
{
    sqlite3 *database = monitor_database_open_reader (path, error);
    MonitorReader *reader;

    if (!database)
        return NULL;
    reader = g_new0 (MonitorReader, 1);
    reader->path = g_strdup (path);
    reader->database = database;
    sqlite3_progress_handler (database, STEPS, is_late, reader);
    return reader;
}

void
monitor_reader_close (MonitorReader *reader)
{
    sqlite3_close (reader->database);
    g_free (reader->path);
    g_free (reader);
}
