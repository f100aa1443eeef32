/* altclip: tests of the store of events in a process that is killed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process adds events as fast as it can, from two threads, and notes in a file what is announced.
 * It is killed at a random moment. All that it noted has to be there, whole, in its order, and the
 * next process goes on with the same file.
 *
 * Ten times for each test; with `-m slow` two hundred times.
 */

#include "diary.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers of a run begin at a multiple of it. */
#define RUN 1000000
#define N_CAMERAS 2
/* How often the process that goes on with a file is killed. */
#define RUNS_OF_FILE 20

static const char *program;
static const char *const cameras[N_CAMERAS] = { "gate", "yard" };

static gsize
get_thumbnail_size (guint number)
{
    return number % 4 ? 200 + number * 7919 % 20000 : 0;
}

/* ---- The process that is killed -------------------------------------------------------------- */

typedef struct {
    MonitorStore *store;
    const char *camera;
    guint first;
} Source;

static gpointer
add_for_ever (gpointer data)
{
    Source *source = data;
    guint number;

    for (number = source->first;; number++) {
        MonitorStoreStats stats;

        monitor_store_add (source->store,
                diary_new_event (source->camera, number, get_thumbnail_size (number)));
        monitor_store_get_stats (source->store, &stats);
        if (stats.waiting > 500)
            g_usleep (2000);
        else if (number % 16 == 0)
            g_usleep ((gulong)g_random_int_range (0, 3000));
    }
    return NULL;
}

/* A line for each, in one call, so that none is torn but the last. */
static void
note (MonitorEvent *event, gpointer data)
{
    int file = GPOINTER_TO_INT (data);
    g_autofree char *line = g_strdup_printf ("%" G_GINT64_FORMAT " %s %s\n", event->id,
            event->camera, strchr (event->label, ' ') + 1);

    if (write (file, line, strlen (line)) != (gssize)strlen (line))
        g_error ("What is announced cannot be noted");
}

G_NORETURN static void
run_child (char **arguments)
{
    const MonitorRetention retention = { 0, g_ascii_strtoull (arguments[1], NULL, 10) };
    int file = g_open (arguments[2], O_WRONLY | O_CREAT | O_APPEND, 0600);
    g_autoptr (GError) error = NULL;
    Source sources[N_CAMERAS];
    MonitorStore *store =
            monitor_store_open (arguments[0], &retention, note, GINT_TO_POINTER (file), &error);

    if (!store)
        g_error ("%s", error->message);
    /* It adds for ever, but not beyond the test. */
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    for (guint i = 0; i < N_CAMERAS; i++) {
        sources[i] = (Source){ store, cameras[i], (guint)atoi (arguments[3]) };
        g_thread_new (cameras[i], add_for_ever, &sources[i]);
    }
    for (;;)
        g_main_context_iteration (NULL, TRUE);
}

/* ---- What it left ---------------------------------------------------------------------------- */

typedef struct {
    gint64 id;
    char camera[16];
    guint number;
} Note;

static GArray *
read_notes (const char *path)
{
    GArray *notes = g_array_new (FALSE, FALSE, sizeof (Note));
    g_autofree char *text = NULL;
    char *line;
    char *end;

    if (!g_file_get_contents (path, &text, NULL, NULL))
        return notes;
    for (line = text; (end = strchr (line, '\n')); line = end + 1) {
        Note one;

        g_assert_cmpint (
                sscanf (line, "%" G_GINT64_FORMAT " %15s %u", &one.id, one.camera, &one.number), ==,
                3);
        g_array_append_val (notes, one);
    }
    return notes;
}

static gint64
get_number (sqlite3 *database, const char *sql)
{
    g_autoptr (GError) error = NULL;
    gint64 number;

    g_assert_true (monitor_database_get_number (database, sql, &number, &error));
    g_assert_no_error (error);
    return number;
}

static void
expect_row (sqlite3_stmt *statement, const Note *one)
{
    g_autoptr (MonitorEvent) expected =
            diary_new_event (one->camera, one->number, get_thumbnail_size (one->number));

    sqlite3_bind_int64 (statement, 1, one->id);
    g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
    g_assert_cmpstr ((const char *)sqlite3_column_text (statement, 0), ==, expected->camera);
    g_assert_cmpstr ((const char *)sqlite3_column_text (statement, 1), ==, expected->label);
    g_assert_cmpstr ((const char *)sqlite3_column_text (statement, 2), ==, expected->json);
    if (expected->thumbnail)
        g_assert_cmpmem (sqlite3_column_blob (statement, 3), sqlite3_column_bytes (statement, 3),
                g_bytes_get_data (expected->thumbnail, NULL),
                g_bytes_get_size (expected->thumbnail));
    else
        g_assert_cmpint (sqlite3_column_type (statement, 3), ==, SQLITE_NULL);
    sqlite3_reset (statement);
}

/* Those that are too old may be gone. Returns: how many are. */
static guint
expect_rows (sqlite3 *database, const GArray *notes, gint64 oldest)
{
    g_autoptr (sqlite3_stmt) statement = monitor_database_prepare (database,
            "SELECT camera, label, json, jpeg FROM events LEFT JOIN thumbnails ON event = id"
            " WHERE id = ?",
            NULL);
    guint n_gone = 0;

    for (guint i = 0; i < notes->len; i++) {
        const Note *one = &g_array_index (notes, Note, i);

        if (i > 0)
            g_assert_cmpint (one->id, ==, g_array_index (notes, Note, i - 1).id + 1);
        if (one->id < oldest)
            n_gone++;
        else
            expect_row (statement, one);
    }
    return n_gone;
}

/* Of each camera the run's events are there in their order, without a gap. */
static void
expect_sequence (sqlite3 *database, guint first, gboolean from_first)
{
    for (guint i = 0; i < N_CAMERAS; i++) {
        g_autoptr (sqlite3_stmt) statement = monitor_database_prepare (database,
                "SELECT substr (label, 7) FROM events WHERE camera = ?"
                " AND time >= 1700000000000000 + ? * 1000000 ORDER BY id",
                NULL);
        gint64 next = from_first ? (gint64)first : -1;

        sqlite3_bind_text (statement, 1, cameras[i], -1, SQLITE_STATIC);
        sqlite3_bind_int64 (statement, 2, first);
        while (sqlite3_step (statement) == SQLITE_ROW) {
            gint64 number = sqlite3_column_int64 (statement, 0);

            if (next >= 0)
                g_assert_cmpint (number, ==, next);
            next = number + 1;
        }
    }
}

typedef struct {
    guint n_announced, n_gone, n_more; /* more: written, and not yet announced */
} Tally;

static void
check_file (const char *path, const char *notes_path, guint first, gboolean limited, Tally *tally)
{
    g_autoptr (GArray) notes = read_notes (notes_path);
    g_autoptr (sqlite3) database = NULL;
    gint64 oldest, newest;

    g_assert_cmpint (sqlite3_open (path, &database), ==, SQLITE_OK);
    g_assert_cmpint (get_number (database, "SELECT count (*) FROM pragma_integrity_check"
                                           " WHERE integrity_check = 'ok'"),
            ==, 1);
    g_assert_cmpint (get_number (database, "SELECT count (*) FROM thumbnails WHERE event NOT IN"
                                           " (SELECT id FROM events)"),
            ==, 0);
    oldest = get_number (database, "SELECT min (id) FROM events");
    newest = get_number (database, "SELECT max (id) FROM events");
    tally->n_announced += notes->len;
    tally->n_gone += expect_rows (database, notes, oldest);
    if (!limited)
        g_assert_cmpuint (tally->n_gone, ==, 0);
    if (notes->len > 0)
        tally->n_more += (guint)(newest - g_array_index (notes, Note, notes->len - 1).id);
    expect_sequence (database, first, !limited);
}

/* ---- Killing --------------------------------------------------------------------------------- */

static GPid
start_child (const char *path, guint64 max_bytes, const char *notes_path, guint first)
{
    g_autofree char *limit = g_strdup_printf ("%" G_GUINT64_FORMAT, max_bytes);
    g_autofree char *number = g_strdup_printf ("%u", first);
    const char *const command[] = { program, "--child", path, limit, notes_path, number, NULL };
    g_autoptr (GError) error = NULL;
    GPid pid;

    g_spawn_async (NULL, (char **)command, NULL,
            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, &pid, &error);
    g_assert_no_error (error);
    return pid;
}

static gboolean
has_begun (const char *notes_path, gboolean announces)
{
    GStatBuf status;

    return g_stat (notes_path, &status) == 0 && (!announces || status.st_size > 0);
}

/* Some are killed before there is a file, some while it is put right, and most while they write. */
static void
wait_for_moment (guint run, const char *notes_path)
{
    gint64 end = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

    if (run % 5 == 0) {
        g_usleep ((gulong)g_test_rand_int_range (0, 60000));
        return;
    }
    while (!has_begun (notes_path, run % 5 > 1)) {
        g_assert_cmpint (g_get_monotonic_time (), <, end);
        g_usleep (1000);
    }
    g_usleep ((gulong)g_test_rand_int_range (0, 400000));
}

static void
kill_child (GPid pid)
{
    int status;

    g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
    g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
    g_assert_true (WIFSIGNALED (status));
    g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
    g_spawn_close_pid (pid);
}

static void
run_once (Diary *diary, guint64 max_bytes, guint run, Tally *tally)
{
    g_autofree char *notes_path = g_strdup_printf ("%s.notes-%u", diary->path, run);
    const MonitorRetention retention = { 0, max_bytes };
    GPid pid;

    pid = start_child (diary->path, max_bytes, notes_path, run * RUN);
    wait_for_moment (run, notes_path);
    kill_child (pid);
    if (g_file_test (diary->path, G_FILE_TEST_EXISTS))
        check_file (diary->path, notes_path, run * RUN, max_bytes > 0, tally);
    /* Every other time the next one has to put it right itself. */
    if (run % 2) {
        diary_open (diary, &retention);
        diary_close (diary);
    }
}

static void
run_all (guint64 max_bytes)
{
    guint n = g_test_slow () ? 200 : 10;
    Tally tally = { 0, 0, 0 };
    Diary diary;

    diary_init (&diary);
    for (guint run = 0; run < n; run++) {
        /* All of a file is looked at each time. */
        if (run > 0 && run % RUNS_OF_FILE == 0) {
            diary_clear (&diary);
            diary_init (&diary);
        }
        run_once (&diary, max_bytes, run, &tally);
    }
    g_test_message ("killed %u times: %u events were announced, all of them there or, %u of them,"
                    " past the limit; %u more were written",
            n, tally.n_announced, tally.n_gone, tally.n_more);
    g_assert_cmpuint (tally.n_announced, >, n);
    diary_clear (&diary);
}

static void
test_all_kept (void)
{
    run_all (0);
}

static void
test_limited (void)
{
    run_all (8 << 20);
}

int
main (int argc, char **argv)
{
    program = argv[0];
    if (argc == 6 && g_strcmp0 (argv[1], "--child") == 0)
        run_child (argv + 2);
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/monitor/store-killed/all-kept", test_all_kept);
    g_test_add_func ("/monitor/store-killed/limited", test_limited);
    return g_test_run ();
}
