/* altclip: tests of the store of events
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "diary.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define HOUR G_TIME_SPAN_HOUR

/* ---- Helping --------------------------------------------------------------------------------- */

static void
expect_same (const MonitorEvent *found, const MonitorEvent *expected)
{
    g_assert_cmpstr (found->camera, ==, expected->camera);
    g_assert_cmpstr (found->label, ==, expected->label);
    g_assert_cmpstr (found->kind, ==, expected->kind);
    g_assert_cmpint (found->time, ==, expected->time);
    g_assert_cmpfloat (found->score, ==, expected->score);
    g_assert_cmpfloat (found->peak, ==, expected->peak);
    g_assert_cmpuint (found->duration, ==, expected->duration);
    g_assert_cmpstr (found->reason, ==, expected->reason);
    g_assert_cmpstr (found->region, ==, expected->region);
    g_assert_cmpstr (found->json, ==, expected->json);
    g_assert_cmpint (found->has_thumbnail, ==, expected->has_thumbnail);
}

static void
note_result (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data)
{
    *(GAsyncResult **)data = g_object_ref (result);
}

/* In a context that nothing else is in, so that nothing is announced meanwhile. */
static void
wait_for_result (GMainContext *context, GAsyncResult **result)
{
    while (!*result)
        g_main_context_iteration (context, TRUE);
    g_main_context_pop_thread_default (context);
    g_main_context_unref (context);
}

static GMainContext *
push_context (void)
{
    GMainContext *context = g_main_context_new ();

    g_main_context_push_thread_default (context);
    return context;
}

static GPtrArray *
find_events (Diary *diary, const MonitorQuery *q, GError **error)
{
    GMainContext *context = push_context ();
    g_autoptr (GAsyncResult) result = NULL;

    monitor_store_query_async (diary->store, q, NULL, note_result, &result);
    wait_for_result (context, &result);
    return monitor_store_query_finish (result, error);
}

static GBytes *
find_thumbnail (Diary *diary, gint64 id, GError **error)
{
    GMainContext *context = push_context ();
    g_autoptr (GAsyncResult) result = NULL;

    monitor_store_get_thumbnail_async (diary->store, id, NULL, note_result, &result);
    wait_for_result (context, &result);
    return monitor_store_get_thumbnail_finish (result, error);
}

static GPtrArray *
query (Diary *diary, MonitorQuery q)
{
    g_autoptr (GError) error = NULL;
    GPtrArray *events = find_events (diary, &q, &error);

    g_assert_no_error (error);
    return events;
}

/* The ids that are found are @expected, each with a blank after it. */
static void
expect_ids (Diary *diary, MonitorQuery q, const char *expected)
{
    g_autoptr (GPtrArray) events = query (diary, q);
    g_autoptr (GString) ids = g_string_new (NULL);

    for (guint i = 0; i < events->len; i++) {
        const MonitorEvent *event = g_ptr_array_index (events, i);

        g_string_append_printf (ids, "%" G_GINT64_FORMAT " ", event->id);
    }
    g_assert_cmpstr (ids->str, ==, expected);
}

static void
expect_thumbnail (Diary *diary, gint64 id, guint number, gsize size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) found = find_thumbnail (diary, id, &error);
    g_autoptr (MonitorEvent) event = diary_new_event ("gate", number, size);

    g_assert_no_error (error);
    if (size == 0)
        g_assert_null (found);
    else
        g_assert_true (g_bytes_equal (found, event->thumbnail));
}

static MonitorStoreStats
get_stats (Diary *diary)
{
    MonitorStoreStats stats;

    monitor_store_get_stats (diary->store, &stats);
    return stats;
}

static void
expect_warnings (void)
{
    g_log_set_always_fatal (G_LOG_FATAL_MASK);
    g_log_set_fatal_mask ("altclip-monitor", G_LOG_FATAL_MASK);
}

static void
run_sql (const char *path, const char *sql)
{
    g_autoptr (sqlite3) database = NULL;

    g_assert_cmpint (sqlite3_open (path, &database), ==, SQLITE_OK);
    g_assert_cmpint (sqlite3_exec (database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
}

static gint64
get_number (const char *path, const char *sql)
{
    g_autoptr (sqlite3) database = NULL;
    g_autoptr (GError) error = NULL;
    gint64 number;

    g_assert_cmpint (sqlite3_open (path, &database), ==, SQLITE_OK);
    g_assert_true (monitor_database_get_number (database, sql, &number, &error));
    g_assert_no_error (error);
    return number;
}

/* ---- Writing and reading --------------------------------------------------------------------- */

static void
test_round_trip (void)
{
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 5, 0);
    diary_add (&diary, 5, 5, 12345);
    diary_wait (&diary, 10);
    for (guint i = 0; i < 10; i++) {
        g_autoptr (MonitorEvent) expected = diary_new_event ("gate", i, i < 5 ? 0 : 12345);
        MonitorEvent *announced = g_ptr_array_index (diary.announced, i);
        g_autoptr (GPtrArray) found =
                query (&diary, (MonitorQuery){ .before_id = i + 2, .limit = 1 });

        g_assert_cmpint (announced->id, ==, i + 1);
        expect_same (announced, expected);
        g_assert_cmpuint (found->len, ==, 1);
        g_assert_cmpint (((MonitorEvent *)g_ptr_array_index (found, 0))->id, ==, i + 1);
        expect_same (g_ptr_array_index (found, 0), expected);
        expect_thumbnail (&diary, i + 1, i, i < 5 ? 0 : 12345);
    }
    expect_thumbnail (&diary, 11, 0, 0);
    g_assert_cmpuint (get_stats (&diary).events, ==, 10);
    g_assert_cmpuint (get_stats (&diary).waiting, ==, 0);
    g_assert_cmpuint (get_stats (&diary).bytes, ==, diary_get_size (&diary));
    diary_clear (&diary);
}

static void
test_queries (void)
{
    const gint64 first = G_GINT64_CONSTANT (1700000000000000);
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 6, 0);
    monitor_store_add (diary.store, diary_new_event ("ya'rd\"; --", 3, 0));
    monitor_store_add (diary.store, diary_new_event ("大门", 4, 0));
    diary_wait (&diary, 8);
    expect_ids (&diary, (MonitorQuery){ .limit = 1000 }, "8 7 6 5 4 3 2 1 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 0 }, "8 ");
    expect_ids (&diary, (MonitorQuery){ .limit = G_MAXUINT, .before_id = 3 }, "2 1 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 2, .before_id = G_MAXINT64 }, "8 7 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .before_id = -1 }, "");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .camera = "gate" }, "6 5 4 3 2 1 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .camera = "ya'rd\"; --" }, "7 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .camera = "大门" }, "8 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .camera = "' OR 1 = 1 --" }, "");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .camera = "" }, "");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .label = "label 3" }, "7 4 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .kind = "end" }, "7 6 4 2 ");
    expect_ids (
            &diary, (MonitorQuery){ .limit = 9, .since = first + 4 * G_USEC_PER_SEC }, "8 6 5 ");
    expect_ids (&diary, (MonitorQuery){ .limit = 9, .until = first + G_USEC_PER_SEC }, "2 1 ");
    expect_ids (&diary,
            (MonitorQuery){ .limit = 1,
                    .camera = "gate",
                    .label = "label 3",
                    .kind = "end",
                    .since = first + 3 * G_USEC_PER_SEC,
                    .until = first + 3 * G_USEC_PER_SEC,
                    .before_id = 7 },
            "4 ");
    diary_clear (&diary);
}

/* What is announced is seen by whoever opens the file. */
static void
look_from_outside (MonitorEvent *event, gpointer data)
{
    Diary *diary = data;

    g_assert_cmpint (get_number (diary->path, "SELECT max (id) FROM events"), >=, event->id);
    g_ptr_array_add (diary->announced, monitor_event_ref (event));
}

static void
test_on_disk_first (void)
{
    const MonitorRetention all = { 0, 0 };
    Diary diary;

    diary_init (&diary);
    diary.store = monitor_store_open (diary.path, &all, look_from_outside, &diary, NULL);
    for (guint i = 0; i < 50; i++) {
        diary_add (&diary, i, 1, 100);
        diary_run (i % 3);
    }
    diary_wait (&diary, 50);
    diary_clear (&diary);
}

#define N_CAMERAS 4
#define N_EVENTS 2000

typedef struct {
    Diary *diary;
    char *camera;
} Source;

static gpointer
add_many (gpointer data)
{
    Source *source = data;

    for (guint i = 0; i < N_EVENTS; i++)
        monitor_store_add (source->diary->store, diary_new_event (source->camera, i, i % 50));
    return NULL;
}

/* Ids grow by one, and the events of a camera keep their order. */
static void
expect_order (const GPtrArray *announced, const char *camera)
{
    guint next = 0;

    for (guint i = 0; i < announced->len; i++) {
        const MonitorEvent *event = g_ptr_array_index (announced, i);

        g_assert_cmpint (event->id, ==, i + 1);
        if (g_strcmp0 (event->camera, camera) == 0) {
            g_assert_cmpint (atoi (event->label + strlen ("label ")), ==, next);
            next++;
        }
    }
    g_assert_cmpuint (next, ==, N_EVENTS);
}

static void
test_threads (void)
{
    GThread *threads[N_CAMERAS];
    Source sources[N_CAMERAS];
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    for (guint i = 0; i < N_CAMERAS; i++) {
        sources[i] = (Source){ &diary, g_strdup_printf ("camera %u", i) };
        threads[i] = g_thread_new (sources[i].camera, add_many, &sources[i]);
    }
    for (guint i = 0; i < N_CAMERAS; i++)
        g_thread_join (threads[i]);
    diary_wait (&diary, N_CAMERAS * N_EVENTS);
    for (guint i = 0; i < N_CAMERAS; i++) {
        expect_order (diary.announced, sources[i].camera);
        g_free (sources[i].camera);
    }
    g_assert_cmpuint (get_stats (&diary).lost, ==, 0);
    diary_clear (&diary);
}

static void
test_close_writes (void)
{
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 3000, 500);
    diary_close (&diary);
    g_assert_cmpuint (diary.announced->len, ==, 3000);
    diary_open (&diary, NULL);
    g_assert_cmpuint (get_stats (&diary).events, ==, 3000);
    diary_add (&diary, 3000, 1, 0);
    diary_wait (&diary, 3001);
    g_assert_cmpint (((MonitorEvent *)g_ptr_array_index (diary.announced, 3000))->id, ==, 3001);
    diary_clear (&diary);
}

/* Nobody else sees what cameras see, and pages that are free can be given back. */
static void
test_file (void)
{
    GStatBuf status;
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    g_assert_cmpint (g_stat (diary.path, &status), ==, 0);
    g_assert_cmpint (status.st_mode & 0777, ==, 0600);
    g_assert_cmpint (get_number (diary.path, "PRAGMA auto_vacuum"), ==, 2);
    g_assert_cmpint (get_number (diary.path, "PRAGMA user_version"), ==, 1);
    g_assert_cmpint (
            get_number (diary.path,
                    "SELECT count (*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"),
            ==, 1);
    diary_clear (&diary);
}

/* ---- Retention ------------------------------------------------------------------------------- */

static void
test_age (void)
{
    const MonitorRetention second = { 1, 0 };
    const MonitorRetention hour = { 3600, 0 };
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, &hour);
    diary_add (&diary, 0, 1500, 2000);
    diary_wait (&diary, 1500);
    diary_run (100);
    g_assert_cmpuint (get_stats (&diary).events, ==, 1500);
    g_assert_cmpuint (diary_get_size (&diary), >, 3000000);
    monitor_store_set_retention (diary.store, &second);
    for (guint i = 0; i < 200 && get_stats (&diary).events > 0; i++)
        diary_run (50);
    diary_run (200);
    expect_ids (&diary, (MonitorQuery){ .limit = 1000 }, "");
    expect_thumbnail (&diary, 1, 0, 0);
    g_assert_cmpuint (diary_get_size (&diary), <, 100000);
    g_assert_cmpuint (get_stats (&diary).bytes, ==, diary_get_size (&diary));
    /* No id is given twice. */
    diary_add (&diary, 0, 1, 0);
    diary_wait (&diary, 1501);
    g_assert_cmpint (((MonitorEvent *)g_ptr_array_index (diary.announced, 1500))->id, ==, 1501);
    diary_clear (&diary);
}

/* Waits until nothing is left to do, with no more than @most bytes: a busy machine takes its time.
 */
static void
settle (Diary *diary, guint64 most)
{
    gint64 end = g_get_monotonic_time () + G_TIME_SPAN_MINUTE;
    guint64 before;

    do {
        g_assert_cmpint (g_get_monotonic_time (), <, end);
        before = get_stats (diary).bytes;
        diary_run (300);
    } while (get_stats (diary).bytes != before || before > most);
}

/* What is there are the newest, without a gap, and each with its thumbnail. */
static void
expect_newest (Diary *diary, guint n, gsize size)
{
    gint64 first = get_number (diary->path, "SELECT min (id) FROM events");

    g_assert_cmpint (get_number (diary->path, "SELECT max (id) FROM events"), ==, n);
    g_assert_cmpint (get_number (diary->path, "SELECT count (*) FROM events"), ==, n - first + 1);
    g_assert_cmpint (
            get_number (diary->path, "SELECT count (*) FROM thumbnails"), ==, n - first + 1);
    g_assert_cmpuint (get_stats (diary).events, ==, (guint64)(n - first + 1));
    expect_thumbnail (diary, first, (guint)first - 1, size);
    expect_thumbnail (diary, first - 1, 0, 0);
}

static void
test_size (void)
{
    const MonitorRetention large = { 0, 8 << 20 };
    const MonitorRetention small = { 0, 2 << 20 };
    const guint n = 2000;
    guint64 most = 0;
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, &large);
    for (guint i = 0; i < n; i += 20) {
        diary_add (&diary, i, 20, 10000);
        diary_run (5);
        most = MAX (most, diary_get_size (&diary));
    }
    diary_wait (&diary, n);
    settle (&diary, large.max_bytes);
    g_test_message ("20 MB of events in a store of 8 MiB: %" G_GUINT64_FORMAT
                    " bytes at most, %" G_GUINT64_FORMAT " at the end",
            most, diary_get_size (&diary));
    g_assert_cmpuint (most, <=, 8 << 20);
    g_assert_cmpuint (diary_get_size (&diary), <=, 8 << 20);
    g_assert_cmpuint (diary_get_size (&diary), >, 3 << 20);
    expect_newest (&diary, n, 10000);

    monitor_store_set_retention (diary.store, &small);
    settle (&diary, small.max_bytes);
    g_assert_cmpuint (diary_get_size (&diary), <=, 2 << 20);
    expect_newest (&diary, n, 10000);
    g_assert_cmpint (get_number (diary.path, "PRAGMA freelist_count"), <, 20);
    diary_clear (&diary);
}

/* What waited for long comes at once, and is many times what there is room for. */
static void
test_size_at_once (void)
{
    for (guint limit = 2 << 20; limit <= 8 << 20; limit *= 2) {
        const MonitorRetention retention = { 0, limit };
        guint64 most = 0;
        Diary diary;

        diary_init (&diary);
        diary_open (&diary, &retention);
        diary_add (&diary, 0, 2000, 10000);
        while (diary.announced->len < 2000) {
            g_main_context_iteration (NULL, FALSE);
            most = MAX (most, diary_get_size (&diary));
            g_usleep (200);
        }
        g_test_message ("20 MB at once in a store of %u MiB: %" G_GUINT64_FORMAT " bytes at most",
                limit >> 20, most);
        g_assert_cmpuint (most, <=, limit);
        diary_clear (&diary);
    }
}

/* A limit below what an empty file takes leaves nothing, and does no harm. */
static void
test_tiny_size (void)
{
    const MonitorRetention tiny = { 0, 1 };
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, &tiny);
    diary_add (&diary, 0, 300, 3000);
    diary_wait (&diary, 300);
    settle (&diary, 200000);
    g_assert_cmpuint (diary_get_size (&diary), <, 200000);
    diary_clear (&diary);
}

/* Times in s before now. */
static void
add_times (Diary *diary, const gint64 *ages, guint n)
{
    diary_open (diary, NULL);
    diary_add (diary, 0, n, 10);
    diary_close (diary);
    for (guint i = 0; i < n; i++) {
        g_autofree char *sql =
                g_strdup_printf ("UPDATE events SET added = %" G_GINT64_FORMAT " WHERE id = %u",
                        g_get_real_time () - ages[i] * G_USEC_PER_SEC, i + 1);

        run_sql (diary->path, sql);
    }
}

static void
expect_kept (const gint64 *ages, guint n, const char *kept)
{
    const MonitorRetention hundred = { 100, 0 };
    Diary diary;

    diary_init (&diary);
    add_times (&diary, ages, n);
    diary_open (&diary, &hundred);
    diary_run (300);
    expect_ids (&diary, (MonitorQuery){ .limit = 1000 }, kept);
    diary_clear (&diary);
}

/* A clock that was wrong for a while. */
static void
test_clocks (void)
{
    static const gint64 usual[] = { 300, 200, 150, 50, 20 };
    static const gint64 in_1970[] = { 50, 1000000000, 1000000000, 20 };
    static const gint64 in_future[] = { 300, -1000000, -1000000, 200, 20 };
    static const gint64 only_future[] = { -1000000, -1000001 };
    static const gint64 old_and_future[] = { 300, -1000000 };

    expect_kept (usual, G_N_ELEMENTS (usual), "5 4 ");
    expect_kept (in_1970, G_N_ELEMENTS (in_1970), "4 3 2 1 ");
    expect_kept (in_future, G_N_ELEMENTS (in_future), "5 ");
    expect_kept (only_future, G_N_ELEMENTS (only_future), "2 1 ");
    expect_kept (old_and_future, G_N_ELEMENTS (old_and_future), "2 ");
}

/* ---- Files that are none of ours, or no longer whole ----------------------------------------- */

static void
expect_untouched (Diary *diary, GIOErrorEnum code)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    g_autoptr (GError) error = NULL;
    gsize size_before, size_after;

    g_assert_true (g_file_get_contents (diary->path, &before, &size_before, NULL));
    error = diary_expect_error (diary);
    g_test_message ("%s", error->message);
    g_assert_error (error, G_IO_ERROR, (gint)code);
    g_assert_true (g_file_get_contents (diary->path, &after, &size_after, NULL));
    g_assert_cmpmem (before, size_before, after, size_after);
}

static void
set_contents (Diary *diary, const char *bytes, gsize size)
{
    g_assert_true (g_file_set_contents (diary->path, bytes, (gssize)size, NULL));
}

static void
test_foreign (void)
{
    static const char *const texts[] = { "x",
        "Not a database, but long enough to have a header, "
        "which is 100 bytes, which this text is as well, "
        "as one sees.",
        "SQLite format 3" };
    Diary diary;

    diary_init (&diary);
    for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
        set_contents (&diary, texts[i], strlen (texts[i]) + 1);
        expect_untouched (&diary, G_IO_ERROR_INVALID_DATA);
    }
    g_unlink (diary.path);
    run_sql (diary.path, "CREATE TABLE events (id INTEGER PRIMARY KEY); PRAGMA user_version = 1");
    expect_untouched (&diary, G_IO_ERROR_INVALID_DATA);
    diary_clear (&diary);
}

static void
test_no_files (void)
{
    g_autoptr (GError) is_directory = NULL;
    g_autoptr (GError) is_pipe = NULL;
    g_autoptr (GError) has_no_directory = NULL;
    Diary diary;

    diary_init (&diary);
    g_assert_cmpint (g_mkdir (diary.path, 0700), ==, 0);
    is_directory = diary_expect_error (&diary);
    g_assert_cmpint (g_rmdir (diary.path), ==, 0);
    g_assert_cmpint (mkfifo (diary.path, 0600), ==, 0);
    is_pipe = diary_expect_error (&diary);
    g_assert_cmpint (g_unlink (diary.path), ==, 0);
    g_free (diary.path);
    diary.path = g_build_filename (diary.directory, "none", "events.db", NULL);
    has_no_directory = diary_expect_error (&diary);
    g_assert_error (has_no_directory, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    diary_clear (&diary);
}

/* Also where only the log says so. */
static void
test_newer (void)
{
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 3, 0);
    diary_close (&diary);
    run_sql (diary.path, "PRAGMA user_version = 7");
    expect_untouched (&diary, G_IO_ERROR_NOT_SUPPORTED);
    run_sql (diary.path, "PRAGMA user_version = 1");
    diary_open (&diary, NULL);
    g_assert_cmpuint (get_stats (&diary).events, ==, 3);
    diary_clear (&diary);
}

static void
test_newer_in_log (void)
{
    g_autoptr (sqlite3) other = NULL;
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_close (&diary);
    g_assert_cmpint (sqlite3_open (diary.path, &other), ==, SQLITE_OK);
    g_assert_cmpint (
            sqlite3_exec (other, "PRAGMA user_version = 7", NULL, NULL, NULL), ==, SQLITE_OK);
    expect_untouched (&diary, G_IO_ERROR_NOT_SUPPORTED);
    diary_clear (&diary);
}

/* Of a file with some hundred pages. */
static void
fill (Diary *diary, char **bytes, gsize *size)
{
    diary_open (diary, NULL);
    diary_add (diary, 0, 300, 3000);
    diary_close (diary);
    g_assert_true (g_file_get_contents (diary->path, bytes, size, NULL));
}

static void
test_truncated (void)
{
    g_autofree char *bytes = NULL;
    gsize size;
    Diary diary;

    diary_init (&diary);
    fill (&diary, &bytes, &size);
    for (guint i = 1; i < 8; i++) {
        set_contents (&diary, bytes, size * i / 8);
        expect_untouched (&diary, G_IO_ERROR_INVALID_DATA);
    }
    set_contents (&diary, bytes, 100);
    expect_untouched (&diary, G_IO_ERROR_INVALID_DATA);
    diary_clear (&diary);
}

static void
test_overwritten (void)
{
    g_autofree char *bytes = NULL;
    gsize size;
    Diary diary;

    diary_init (&diary);
    fill (&diary, &bytes, &size);
    memset (bytes + 4096, 0xa5, 3 * 4096);
    set_contents (&diary, bytes, size);
    expect_untouched (&diary, G_IO_ERROR_INVALID_DATA);
    diary_clear (&diary);
}

static void
damage (char *bytes, gsize size, gsize from, GRand *rand)
{
    guint n = (guint)g_rand_int_range (rand, 1, 20);

    for (guint i = 0; i < n; i++)
        bytes[g_rand_int_range (rand, (gint)from, (gint)size)] ^=
                (char)g_rand_int_range (rand, 1, 256);
}

/* It opens, or it does not and is as it was; and what opens can be read, or says why not. */
static gboolean
try_damaged (Diary *diary, const char *bytes, gsize size)
{
    const MonitorRetention some = { 0, 1 << 20 };
    g_autoptr (GError) error = NULL;
    g_autoptr (GError) reading = NULL;
    g_autoptr (GPtrArray) events = NULL;
    g_autofree char *after = NULL;
    gsize size_after;

    set_contents (diary, bytes, size);
    diary->store = monitor_store_open (diary->path, &some, NULL, NULL, &error);
    if (!diary->store) {
        g_assert_nonnull (strstr (error->message, diary->path));
        g_assert_true (g_file_get_contents (diary->path, &after, &size_after, NULL));
        g_assert_cmpmem (bytes, size, after, size_after);
        return FALSE;
    }
    events = find_events (diary, &(MonitorQuery){ .limit = 1000 }, &reading);
    g_assert_true ((events != NULL) != (reading != NULL));
    diary_add (diary, 0, 3, 100);
    diary_close (diary);
    return TRUE;
}

static void
test_damaged (void)
{
    g_autoptr (GRand) rand = g_rand_new_with_seed (5);
    g_autofree char *bytes = NULL;
    guint n = g_test_slow () ? 2000 : 100;
    guint n_opened = 0;
    gsize size;
    Diary diary;

    /* What writing meets later is told as a warning. */
    expect_warnings ();
    diary_init (&diary);
    fill (&diary, &bytes, &size);
    for (guint i = 0; i < n; i++) {
        g_autofree char *damaged = g_memdup2 (bytes, size);

        damage (damaged, size, i % 2 ? 0 : 4096, rand);
        n_opened += try_damaged (&diary, damaged, size);
    }
    g_test_message ("%u of %u damaged files are refused", n - n_opened, n);
    g_assert_cmpuint (n_opened, <, n);
    diary_clear (&diary);
}

static void
test_in_use (void)
{
    g_autoptr (GError) error = NULL;
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    error = diary_expect_error (&diary);
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
    diary_close (&diary);
    diary_open (&diary, NULL);
    diary_clear (&diary);
}

/* A log that is left of a file that somebody removed is not the next one's. */
static void
test_remains (void)
{
    g_autofree char *log = NULL;
    g_autofree char *kept_log = NULL;
    g_autofree char *half = NULL;
    g_autofree char *bytes = NULL;
    gsize size;
    Diary diary;

    diary_init (&diary);
    log = g_strconcat (diary.path, "-wal", NULL);
    half = g_strconcat (diary.path, ".new", NULL);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 20, 500);
    diary_wait (&diary, 20);
    g_assert_true (g_file_get_contents (log, &bytes, &size, NULL));
    g_assert_cmpuint (size, >, 0);
    diary_close (&diary);
    g_unlink (diary.path);
    g_assert_true (g_file_set_contents (log, bytes, (gssize)size, NULL));
    g_assert_true (g_file_set_contents (half, bytes, (gssize)size, NULL));
    diary_open (&diary, NULL);
    g_assert_cmpuint (get_stats (&diary).events, ==, 0);
    expect_ids (&diary, (MonitorQuery){ .limit = 9 }, "");
    g_assert_false (g_file_test (half, G_FILE_TEST_EXISTS));
    diary_clear (&diary);
}

/* An empty file is one that somebody made for it. */
static void
test_empty (void)
{
    Diary diary;

    diary_init (&diary);
    set_contents (&diary, "", 0);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 3, 0);
    diary_wait (&diary, 3);
    diary_clear (&diary);
}

/* ---- When it cannot be written --------------------------------------------------------------- */

static void
limit_files (rlim_t size)
{
    struct rlimit limit;

    g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = size;
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
wait_for_trouble (Diary *diary, gboolean expected)
{
    gint64 end = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

    for (;;) {
        g_autofree char *trouble = monitor_store_dup_trouble (diary->store);

        if ((trouble != NULL) == expected)
            break;
        g_assert_cmpint (g_get_monotonic_time (), <, end);
        diary_run (10);
    }
}

static guint
get_label_number (const GPtrArray *events, guint i)
{
    return (guint)atoi (((MonitorEvent *)g_ptr_array_index (events, i))->label + strlen ("label "));
}

/* All that was announced is there, and all that is there was announced. */
static void
expect_announced (Diary *diary, guint n)
{
    g_autofree char *sql = g_strdup_printf (
            "SELECT count (*) FROM events WHERE id BETWEEN 1 AND %u", diary->announced->len);

    g_assert_cmpuint (diary->announced->len, ==, n);
    g_assert_cmpint (get_number (diary->path, sql), ==, n);
    g_assert_cmpint (get_number (diary->path, "SELECT count (*) FROM events"), ==, n);
    for (guint i = 0; i < n; i++)
        g_assert_cmpint (((MonitorEvent *)g_ptr_array_index (diary->announced, i))->id, ==, i + 1);
}

static void
fill_up (Diary *diary, void (*refuse) (Diary *diary), void (*allow) (Diary *diary))
{
    g_autofree char *trouble = NULL;
    guint written;

    diary_add (diary, 0, 100, 5000);
    diary_wait (diary, 100);
    refuse (diary);
    diary_add (diary, 100, 1000, 5000);
    wait_for_trouble (diary, TRUE);
    written = diary->announced->len;
    diary_run (1500);
    trouble = monitor_store_dup_trouble (diary->store);
    g_test_message ("%s; %u events were written", trouble, written);
    g_assert_nonnull (strstr (trouble, diary->path));
    g_assert_cmpuint (written, <, 1100);
    g_assert_cmpuint (get_stats (diary).waiting, ==, 1100 - diary->announced->len);
    /* Who looks still sees what is there. */
    expect_thumbnail (diary, 50, 49, 5000);
    allow (diary);
    wait_for_trouble (diary, FALSE);
    diary_wait (diary, 1100);
    for (guint i = 0; i < 1100; i++)
        g_assert_cmpuint (get_label_number (diary->announced, i), ==, i);
    g_assert_cmpuint (get_stats (diary).lost, ==, 0);
    expect_announced (diary, 1100);
}

static void
refuse_more (Diary *diary)
{
    limit_files ((rlim_t)diary_get_size (diary));
}

static void
allow_more (Diary *diary G_GNUC_UNUSED)
{
    limit_files (RLIM_INFINITY);
}

static void
test_refused (void)
{
    Diary diary;

    expect_warnings ();
    diary_init (&diary);
    diary_open (&diary, NULL);
    fill_up (&diary, refuse_more, allow_more);
    diary_clear (&diary);
}

static void
fill_disk (Diary *diary)
{
    g_autofree char *path = g_build_filename (diary->directory, "ballast", NULL);
    int file = g_open (path, O_WRONLY | O_CREAT, 0600);
    char bytes[4096] = "";

    while (write (file, bytes, sizeof bytes) > 0)
        ;
    close (file);
}

static void
free_disk (Diary *diary)
{
    g_autofree char *path = g_build_filename (diary->directory, "ballast", NULL);

    g_assert_cmpint (g_unlink (path), ==, 0);
}

/* A disk of its own, for who may mount one. */
static void
test_full_disk (void)
{
    Diary diary;

    expect_warnings ();
    diary_init (&diary);
    if (mount ("altclip-test", diary.directory, "tmpfs", 0, "size=32m") != 0) {
        g_test_skip ("no right to mount a file system");
        diary_clear (&diary);
        return;
    }
    diary_open (&diary, NULL);
    fill_up (&diary, fill_disk, free_disk);
    diary_close (&diary);
    umount (diary.directory);
    diary_clear (&diary);
}

/* With one event in it, and no room for more. */
static void
open_full (Diary *diary)
{
    expect_warnings ();
    diary_init (diary);
    diary_open (diary, NULL);
    diary_add (diary, 0, 1, 0);
    diary_wait (diary, 1);
    refuse_more (diary);
}

/* Pictures go first, then the oldest events; and what is left comes in order. */
static void
test_bounded (void)
{
    guint n_pictures = 0;
    Diary diary;

    open_full (&diary);
    diary_add (&diary, 1, 15000, 8000);
    wait_for_trouble (&diary, TRUE);
    g_assert_cmpuint (get_stats (&diary).waiting, <=, 10000);
    g_assert_cmpuint (
            get_stats (&diary).waiting + get_stats (&diary).lost + diary.announced->len, >=, 15001);
    allow_more (&diary);
    wait_for_trouble (&diary, FALSE);
    diary_wait (&diary, 15001 - (guint)get_stats (&diary).lost);
    for (guint i = 1; i < diary.announced->len; i++) {
        const MonitorEvent *event = g_ptr_array_index (diary.announced, i);

        n_pictures += event->has_thumbnail;
        g_assert_cmpuint (get_label_number (diary.announced, i), >,
                get_label_number (diary.announced, i - 1));
    }
    g_test_message ("of 15000 events with pictures, %u were kept and %u pictures",
            diary.announced->len - 1, n_pictures);
    g_assert_cmpuint (get_stats (&diary).lost, >=, 5000 - 1000);
    g_assert_cmpuint (get_stats (&diary).lost, <=, 5000);
    g_assert_cmpuint (n_pictures, <, 6000);
    g_assert_cmpuint (get_label_number (diary.announced, diary.announced->len - 1), ==, 15000);
    diary_clear (&diary);
}

/* It does not wait for a disk that stays full. */
static void
test_close_refused (void)
{
    gint64 begin;
    Diary diary;

    open_full (&diary);
    diary_add (&diary, 1, 500, 5000);
    wait_for_trouble (&diary, TRUE);
    begin = g_get_monotonic_time ();
    diary_close (&diary);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 5 * G_TIME_SPAN_SECOND);
    allow_more (&diary);
    diary_open (&diary, NULL);
    expect_announced (&diary, diary.announced->len);
    diary_clear (&diary);
}

static void
note_found (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) events = monitor_store_query_finish (result, &error);
    guint *n = data;

    if (!events)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    else
        g_assert_cmpuint (events->len, ==, 100);
    (*n)++;
}

/* Whoever has asked is answered, also after the end. */
static void
test_close_asked (void)
{
    const MonitorQuery all = { .limit = 1000 };
    GMainContext *context;
    guint n = 0;
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 100, 0);
    diary_wait (&diary, 100);
    context = push_context ();
    for (guint i = 0; i < 200; i++)
        monitor_store_query_async (diary.store, &all, NULL, note_found, &n);
    diary_close (&diary);
    g_assert_cmpuint (n, ==, 0);
    while (n < 200)
        g_main_context_iteration (context, TRUE);
    g_main_context_pop_thread_default (context);
    g_main_context_unref (context);
    diary_clear (&diary);
}

/* Nobody waits for it any more, whether it was found or not. */
static void
test_cancelled (void)
{
    const MonitorQuery all = { .limit = 1000 };
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 100, 0);
    diary_wait (&diary, 100);
    for (guint i = 0; i < 2; i++) {
        GMainContext *context = push_context ();
        g_autoptr (GCancellable) cancellable = g_cancellable_new ();
        g_autoptr (GAsyncResult) result = NULL;
        g_autoptr (GError) error = NULL;

        monitor_store_query_async (diary.store, &all, cancellable, note_result, &result);
        if (i)
            g_usleep (100000);
        g_cancellable_cancel (cancellable);
        wait_for_result (context, &result);
        g_assert_null (monitor_store_query_finish (result, &error));
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
    diary_clear (&diary);
}

/* What would be gone with the process is not announced. */
static void
test_removed (void)
{
    g_autofree char *trouble = NULL;
    Diary diary;

    expect_warnings ();
    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_add (&diary, 0, 5, 0);
    diary_wait (&diary, 5);
    g_unlink (diary.path);
    diary_add (&diary, 5, 5, 0);
    wait_for_trouble (&diary, TRUE);
    trouble = monitor_store_dup_trouble (diary.store);
    g_assert_nonnull (strstr (trouble, diary.path));
    diary_run (300);
    g_assert_cmpuint (diary.announced->len, ==, 5);
    diary_clear (&diary);
}

/* ---- Many events ----------------------------------------------------------------------------- */

/* @newest: what is found first; 0: nothing is. */
static void
measure_query (Diary *diary, const char *name, MonitorQuery q, gint64 newest)
{
    gint64 begin = g_get_monotonic_time ();
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) events = NULL;
    gint64 time;

    events = find_events (diary, &q, &error);
    time = g_get_monotonic_time () - begin;
    if (error)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    else if (newest)
        g_assert_cmpint (((MonitorEvent *)g_ptr_array_index (events, 0))->id, ==, newest);
    else
        g_assert_cmpuint (events->len, ==, 0);
    g_test_message ("%s: %s, %u events, %.1f ms", name, error ? "too long" : "good",
            events ? events->len : 0, (double)time / 1000.0);
    g_assert_cmpint (time, <, 1500000);
}

static void
test_many (void)
{
    const gint64 first = G_GINT64_CONSTANT (1700000000000000);
    const gint64 second = G_USEC_PER_SEC;
    gint64 n = g_test_slow () ? 5000000 : 200000;
    g_autofree char *sql = g_strdup_printf (
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
            " INSERT INTO events (added, time, camera, label, kind, score, peak, duration, json)"
            " SELECT 1700000000000000 + i, 1700000000000000 + i * 1000000, 'camera ' || (i %% 8),"
            " 'label ' || (i %% 20), iif (i %% 2, 'begin', 'end'), 0.5, 0.5, 0,"
            " '{\"some\": \"text of the length that it has, about, with all its fields, which are"
            " some\"}' FROM n",
            (int)n);
    gint64 begin;
    Diary diary;

    diary_init (&diary);
    diary_open (&diary, NULL);
    diary_close (&diary);
    run_sql (diary.path, sql);
    begin = g_get_monotonic_time ();
    diary_open (&diary, NULL);
    g_test_message ("%d events are opened in %.0f ms", (int)n,
            (double)(g_get_monotonic_time () - begin) / 1000.0);
    /* A clock that is behind: written last, of the middle. */
    monitor_store_add (diary.store, diary_new_event ("camera 3", n / 3, 0));
    diary_wait (&diary, 1);
    measure_query (&diary, "newest", (MonitorQuery){ .limit = 1000 }, n + 1);
    measure_query (
            &diary, "of a camera", (MonitorQuery){ .limit = 1000, .camera = "camera 5" }, n - 3);
    measure_query (&diary, "of a camera and a label that never meet",
            (MonitorQuery){ .limit = 1000, .camera = "camera 5", .label = "label 4" }, 0);
    measure_query (&diary, "of no kind", (MonitorQuery){ .limit = 1000, .kind = "none" }, 0);
    measure_query (&diary, "of the last hour",
            (MonitorQuery){ .limit = 1000, .since = first + n * second - HOUR }, n);
    measure_query (&diary, "of a camera in the last hour",
            (MonitorQuery){
                    .limit = 1000, .camera = "camera 3", .since = first + n * second - HOUR },
            n - 5);
    measure_query (&diary, "of the first hour",
            (MonitorQuery){ .limit = 1000, .until = first + HOUR }, 3600);
    measure_query (&diary, "of a camera in the first hour",
            (MonitorQuery){ .limit = 1000, .camera = "camera 3", .until = first + HOUR }, 3595);
    measure_query (&diary, "from the beginning on", (MonitorQuery){ .limit = 1000, .since = first },
            n + 1);
    measure_query (&diary, "of the middle",
            (MonitorQuery){ .limit = 1000,
                    .since = first + n / 4 * second,
                    .until = first + n / 2 * second },
            n + 1);
    measure_query (&diary, "of the middle and before",
            (MonitorQuery){ .limit = 1000,
                    .before_id = n + 1,
                    .since = first + n / 4 * second,
                    .until = first + n / 2 * second },
            n / 2);
    diary_clear (&diary);
}

int
main (int argc, char **argv)
{
    signal (SIGXFSZ, SIG_IGN);
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/monitor/store/round-trip", test_round_trip);
    g_test_add_func ("/monitor/store/queries", test_queries);
    g_test_add_func ("/monitor/store/on-disk-first", test_on_disk_first);
    g_test_add_func ("/monitor/store/threads", test_threads);
    g_test_add_func ("/monitor/store/close-writes", test_close_writes);
    g_test_add_func ("/monitor/store/file", test_file);
    g_test_add_func ("/monitor/store/age", test_age);
    g_test_add_func ("/monitor/store/size", test_size);
    g_test_add_func ("/monitor/store/size-at-once", test_size_at_once);
    g_test_add_func ("/monitor/store/tiny-size", test_tiny_size);
    g_test_add_func ("/monitor/store/clocks", test_clocks);
    g_test_add_func ("/monitor/store/foreign", test_foreign);
    g_test_add_func ("/monitor/store/no-files", test_no_files);
    g_test_add_func ("/monitor/store/newer", test_newer);
    g_test_add_func ("/monitor/store/newer-in-log", test_newer_in_log);
    g_test_add_func ("/monitor/store/truncated", test_truncated);
    g_test_add_func ("/monitor/store/overwritten", test_overwritten);
    g_test_add_func ("/monitor/store/damaged", test_damaged);
    g_test_add_func ("/monitor/store/in-use", test_in_use);
    g_test_add_func ("/monitor/store/remains", test_remains);
    g_test_add_func ("/monitor/store/empty", test_empty);
    g_test_add_func ("/monitor/store/refused", test_refused);
    g_test_add_func ("/monitor/store/full-disk", test_full_disk);
    g_test_add_func ("/monitor/store/bounded", test_bounded);
    g_test_add_func ("/monitor/store/close-refused", test_close_refused);
    g_test_add_func ("/monitor/store/close-asked", test_close_asked);
    g_test_add_func ("/monitor/store/cancelled", test_cancelled);
    g_test_add_func ("/monitor/store/removed", test_removed);
    g_test_add_func ("/monitor/store/many", test_many);
    return g_test_run ();
}
