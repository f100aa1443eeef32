/* altclip: the file that events are kept in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* "AltC", in SQLite's own header: whose file it is. */
#define APPLICATION_ID 0x416c7443

/* Where SQLite's header has what it says before the file is opened. */
#define HEADER_SIZE 100
#define AT_USER_VERSION 60
#define AT_APPLICATION_ID 68
static const char magic[16] = "SQLite format 3";

/* How long the check of a large file may take: µs. */
#define MAX_CHECK (2 * G_TIME_SPAN_SECOND)
/* How many of SQLite's steps pass between looks at the clock. */
#define STEPS 10000
/* How long one connection waits for the other: ms. */
#define MAX_WAIT 1000

/* From version N to N + 1, in order. What is here once is never changed: versions are added.
 *
 * Ids grow in the order of writing and are never given twice. `added` is when that was, µs since
 * 1970, which a camera's clock says nothing about. */
static const char *const migrations[] = {
    "CREATE TABLE events ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " added INTEGER NOT NULL,"
    " time INTEGER NOT NULL,"
    " camera TEXT NOT NULL,"
    " label TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " score REAL,"
    " peak REAL,"
    " duration INTEGER NOT NULL,"
    " reason TEXT,"
    " region TEXT,"
    " json TEXT NOT NULL);"
    "CREATE TABLE thumbnails ("
    " event INTEGER PRIMARY KEY REFERENCES events (id),"
    " jpeg BLOB NOT NULL);"
    "CREATE INDEX events_of_camera ON events (camera);"
    "CREATE INDEX events_of_camera_by_time ON events (camera, time);"
    "CREATE INDEX events_of_label ON events (label);"
    "CREATE INDEX events_of_time ON events (time);",
};

/* ---- Errors ---------------------------------------------------------------------------------- */

static GIOErrorEnum
get_code (int code)
{
    switch (code) {
    case SQLITE_FULL:
        return G_IO_ERROR_NO_SPACE;
    case SQLITE_INTERRUPT:
        return G_IO_ERROR_TIMED_OUT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return G_IO_ERROR_INVALID_DATA;
    default:
        return G_IO_ERROR_FAILED;
    }
}

void
monitor_database_set_error (sqlite3 *database, GError **error)
{
    const char *path = sqlite3_db_filename (database, "main");

    g_set_error (error, G_IO_ERROR, get_code (sqlite3_errcode (database)), "%s: %s",
            path ? path : "events", sqlite3_errmsg (database));
}

static void
set_system_error (GError **error, const char *path, const char *what)
{
    int number = errno;

    g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (number), "%s: %s: %s", path, what,
            g_strerror (number));
}

static void
set_foreign_error (GError **error, const char *path)
{
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "%s: not a file of events of altclip-monitor", path);
}

static void
set_version_error (GError **error, const char *path, gint64 version)
{
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
            "%s: written by a newer altclip-monitor: its version is %" G_GINT64_FORMAT
            ", and this one knows up to %u",
            path, version, (guint)G_N_ELEMENTS (migrations));
}

/* ---- Statements ------------------------------------------------------------------------------ */

gboolean
monitor_database_run (sqlite3 *database, const char *sql, GError **error)
{
    if (sqlite3_exec (database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return TRUE;
    monitor_database_set_error (database, error);
    return FALSE;
}

sqlite3_stmt *
monitor_database_prepare (sqlite3 *database, const char *sql, GError **error)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2 (database, sql, -1, &statement, NULL) != SQLITE_OK)
        monitor_database_set_error (database, error);
    return statement;
}

gboolean
monitor_database_get_number (sqlite3 *database, const char *sql, gint64 *number, GError **error)
{
    g_autoptr (sqlite3_stmt) statement = monitor_database_prepare (database, sql, error);
    int result;

    if (!statement)
        return FALSE;
    result = sqlite3_step (statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        monitor_database_set_error (database, error);
        return FALSE;
    }
    *number = result == SQLITE_ROW ? sqlite3_column_int64 (statement, 0) : 0;
    return TRUE;
}

/* ---- One process ----------------------------------------------------------------------------- */

int
monitor_database_lock (const char *path, GError **error)
{
    g_autofree char *name = g_strconcat (path, "-lock", NULL);
    int descriptor = g_open (name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (descriptor < 0) {
        set_system_error (error, name, "cannot be opened");
        return -1;
    }
    if (flock (descriptor, LOCK_EX | LOCK_NB) == 0)
        return descriptor;
    if (errno == EWOULDBLOCK)
        g_set_error (
                error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s: in use by another altclip-monitor", path);
    else
        set_system_error (error, name, "cannot be locked");
    close (descriptor);
    return -1;
}

/* ---- Making one ------------------------------------------------------------------------------ */

static gboolean
migrate (sqlite3 *database, gint64 version, GError **error)
{
    g_autoptr (GString) sql = g_string_new ("BEGIN IMMEDIATE;");

    for (gint64 i = version; i < (gint64)G_N_ELEMENTS (migrations); i++)
        g_string_append (sql, migrations[i]);
    g_string_append_printf (
            sql, "PRAGMA user_version = %u; COMMIT;", (guint)G_N_ELEMENTS (migrations));
    if (monitor_database_run (database, sql->str, error))
        return TRUE;
    sqlite3_exec (database, "ROLLBACK", NULL, NULL, NULL);
    return FALSE;
}

/* Pages that are free go back to the file system, which has to be said before the first table. */
static gboolean
fill (sqlite3 *database, GError **error)
{
    g_autofree char *sql = g_strdup_printf ("PRAGMA auto_vacuum = INCREMENTAL;"
                                            "PRAGMA synchronous = FULL;"
                                            "PRAGMA application_id = %d;",
            APPLICATION_ID);

    return monitor_database_run (database, sql, error) && migrate (database, 0, error);
}

/* Pictures of where people live: for nobody else's eyes. SQLite's other files have this one's mode.
 */
static gboolean
make_empty (const char *path, GError **error)
{
    int descriptor;

    g_unlink (path);
    descriptor = g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        set_system_error (error, path, "cannot be made");
        return FALSE;
    }
    close (descriptor);
    return TRUE;
}

static gboolean
make_whole (const char *path, GError **error)
{
    g_autoptr (sqlite3) database = NULL;

    if (!make_empty (path, error))
        return FALSE;
    if (sqlite3_open_v2 (path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK) {
        monitor_database_set_error (database, error);
        return FALSE;
    }
    return fill (database, error);
}

/* What another file left that had this name would be taken for the new one's. */
static void
remove_remains (const char *path)
{
    static const char *const endings[] = { "-wal", "-shm", "-journal" };

    for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
        g_autofree char *remains = g_strconcat (path, endings[i], NULL);

        g_unlink (remains);
    }
}

static void
synchronise_directory (const char *path)
{
    g_autofree char *directory = g_path_get_dirname (path);
    int descriptor = g_open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

    if (descriptor < 0)
        return;
    fsync (descriptor);
    close (descriptor);
}

/* Under the name only once it is whole, so that what is found there is never half of one. */
static gboolean
make (const char *path, GError **error)
{
    g_autofree char *new_path = g_strconcat (path, ".new", NULL);

    remove_remains (new_path);
    if (!make_whole (new_path, error)) {
        g_unlink (new_path);
        return FALSE;
    }
    remove_remains (path);
    if (g_rename (new_path, path) != 0) {
        set_system_error (error, path, "cannot be made");
        g_unlink (new_path);
        return FALSE;
    }
    synchronise_directory (path);
    return TRUE;
}

/* ---- Looking at one -------------------------------------------------------------------------- */

static guint32
get_big_endian (const guint8 *bytes)
{
    guint32 number;

    memcpy (&number, bytes, sizeof number);
    return GUINT32_FROM_BE (number);
}

static gboolean
check_header (const guint8 *header, gssize size, const char *path, GError **error)
{
    guint32 version;

    if (size < HEADER_SIZE || memcmp (header, magic, sizeof magic) != 0 ||
            get_big_endian (header + AT_APPLICATION_ID) != APPLICATION_ID) {
        set_foreign_error (error, path);
        return FALSE;
    }
    version = get_big_endian (header + AT_USER_VERSION);
    if (version > G_N_ELEMENTS (migrations)) {
        set_version_error (error, path, version);
        return FALSE;
    }
    return TRUE;
}

/* Returns: how much of the header there is; 0: the file is empty; -1: failed. */
static gssize
read_header (int descriptor, guint8 *header, const char *path, GError **error)
{
    struct stat status;
    gssize size;

    if (fstat (descriptor, &status) == 0 && !S_ISREG (status.st_mode)) {
        set_foreign_error (error, path);
        return -1;
    }
    size = read (descriptor, header, HEADER_SIZE);
    if (size < 0)
        set_system_error (error, path, "cannot be read");
    return size;
}

/* Before SQLite opens it, which may already change what is not ours. An empty file is none.
 *
 * Returns: FALSE: failed. */
static gboolean
look (const char *path, gboolean *exists, GError **error)
{
    guint8 header[HEADER_SIZE];
    int descriptor = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    gssize size;

    *exists = descriptor >= 0 || errno != ENOENT;
    if (!*exists)
        return TRUE;
    if (descriptor < 0) {
        set_system_error (error, path, "cannot be opened");
        return FALSE;
    }
    size = read_header (descriptor, header, path, error);
    close (descriptor);
    *exists = size != 0;
    return size == 0 || (size > 0 && check_header (header, size, path, error));
}

/* ---- Checking one ---------------------------------------------------------------------------- */

static int
is_late (void *data)
{
    const gint64 *deadline = data;

    return g_get_monotonic_time () > *deadline;
}

static gboolean
expect_ok (const char *found, const char *path, GError **error)
{
    g_autofree char *fault = NULL;

    if (g_strcmp0 (found, "ok") == 0)
        return TRUE;
    fault = g_strdelimit (g_strdup (found), "\n", ' ');
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "%s: damaged: %s; moved away, it lets a new one start", path, fault);
    return FALSE;
}

/* As much of it as there is time for. */
static gboolean
check_whole (sqlite3 *database, const char *path, GError **error)
{
    g_autoptr (sqlite3_stmt) statement =
            monitor_database_prepare (database, "PRAGMA quick_check(1)", error);
    gint64 deadline = g_get_monotonic_time () + MAX_CHECK;
    int result;

    if (!statement)
        return FALSE;
    sqlite3_progress_handler (database, STEPS, is_late, &deadline);
    result = sqlite3_step (statement);
    sqlite3_progress_handler (database, 0, NULL, NULL);
    if (result == SQLITE_ROW)
        return expect_ok ((const char *)sqlite3_column_text (statement, 0), path, error);
    if (result == SQLITE_INTERRUPT)
        return TRUE;
    monitor_database_set_error (database, error);
    return FALSE;
}

/* What the header said may be older than what the log says. */
static gboolean
check_version (sqlite3 *database, const char *path, gint64 *version, GError **error)
{
    if (!monitor_database_get_number (database, "PRAGMA user_version", version, error))
        return FALSE;
    if (*version > (gint64)G_N_ELEMENTS (migrations)) {
        set_version_error (error, path, *version);
        return FALSE;
    }
    return TRUE;
}

/* Whether tables and columns are there: a statement that cannot be prepared finds it out. */
static gboolean
check_tables (sqlite3 *database, const char *path, GError **error)
{
    g_autoptr (sqlite3_stmt) events = monitor_database_prepare (database,
            "SELECT id, added, time, camera, label, kind, score, peak, duration, reason, region,"
            " json FROM events",
            NULL);
    g_autoptr (sqlite3_stmt) thumbnails =
            monitor_database_prepare (database, "SELECT event, jpeg FROM thumbnails", NULL);

    if (events && thumbnails)
        return TRUE;
    set_foreign_error (error, path);
    return FALSE;
}

/* ---- Opening one ----------------------------------------------------------------------------- */

static sqlite3 *
connect (const char *path, GError **error)
{
    g_autoptr (sqlite3) database = NULL;

    if (sqlite3_open_v2 (path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK) {
        monitor_database_set_error (database, error);
        return NULL;
    }
    sqlite3_busy_timeout (database, MAX_WAIT);
    sqlite3_db_config (database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config (database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (!monitor_database_run (
                database, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON", error))
        return NULL;
    return g_steal_pointer (&database);
}

static gboolean
set_up (sqlite3 *database, GError **error)
{
    g_autofree char *sql = g_strdup_printf ("PRAGMA journal_mode = WAL;"
                                            "PRAGMA synchronous = FULL;"
                                            "PRAGMA journal_size_limit = %d",
            MONITOR_DATABASE_MAX_LOG);

    return monitor_database_run (database, sql, error);
}

static gboolean
check (sqlite3 *database, const char *path, gint64 *version, GError **error)
{
    return check_whole (database, path, error) && check_version (database, path, version, error);
}

/* Until it is known to be sound nothing is written, not even what is in its log. */
static sqlite3 *
open_existing (const char *path, GError **error)
{
    g_autoptr (sqlite3) database = connect (path, error);
    gint64 version;

    if (!database)
        return NULL;
    sqlite3_db_config (database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (!check (database, path, &version, error))
        return NULL;
    if (version < (gint64)G_N_ELEMENTS (migrations) && !migrate (database, version, error))
        return NULL;
    if (!check_tables (database, path, error))
        return NULL;
    sqlite3_db_config (database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return set_up (database, error) ? g_steal_pointer (&database) : NULL;
}

sqlite3 *
monitor_database_open (const char *path, GError **error)
{
    gboolean exists;

    if (!look (path, &exists, error))
        return NULL;
    if (!exists && !make (path, error))
        return NULL;
    return open_existing (path, error);
}

sqlite3 *
monitor_database_open_reader (const char *path, GError **error)
{
    g_autoptr (sqlite3) database = connect (path, error);

    if (!database || !monitor_database_run (database, "PRAGMA query_only = ON", error))
        return NULL;
    return g_steal_pointer (&database);
}
