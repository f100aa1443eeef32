/* altclip: tests of what waits to be published, and of the thread that publishes it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipcourier.h"
#include "altcliplines.h"
#include "altclipspool.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The spool ------------------------------------------------------------------------------- */

static GstAltclipRecord *
new_record (GstAltclipRecordKind kind, guint64 sequence)
{
    GstAltclipRecord *record = g_new (GstAltclipRecord, 1);

    *record = (GstAltclipRecord){ .kind = kind,
        .sequence = sequence,
        .line = g_strdup_printf ("%c%07" G_GUINT64_FORMAT "\n",
                kind == GST_ALTCLIP_RECORD_EVENT ? 'e' : 'r', sequence),
        .length = 8 };
    return record;
}

/* Those of which the letter is `e` are events. Returns: what was lost for the first time. */
static void
put (GstAltclipSpool *spool, char kind, guint64 sequence, gboolean lost[2])
{
    gst_altclip_spool_put (spool,
            new_record (
                    kind == 'e' ? GST_ALTCLIP_RECORD_EVENT : GST_ALTCLIP_RECORD_RESULT, sequence),
            lost);
}

static void
put_all (GstAltclipSpool *spool, const char *kinds)
{
    gboolean lost[2];

    for (guint i = 0; kinds[i]; i++)
        put (spool, kinds[i], i + 1, lost);
}

/* What is taken out is @expected: letters and numbers. */
static void
expect_all (GstAltclipSpool *spool, const char *expected)
{
    g_autoptr (GString) text = g_string_new (NULL);
    GstAltclipRecord *record;

    while ((record = gst_altclip_spool_take (spool))) {
        g_string_append_printf (
                text, "%c%" G_GUINT64_FORMAT " ", record->line[0], record->sequence);
        gst_altclip_spool_finish (spool, record);
    }
    g_assert_cmpstr (text->str, ==, expected);
}

static gsize
get_record_size (void)
{
    g_autoptr (GstAltclipSpool) spool = gst_altclip_spool_new (G_MAXSSIZE);
    GstAltclipSpoolCounts counts;

    put_all (spool, "r");
    gst_altclip_spool_get_counts (spool, &counts);
    return counts.size;
}

static GstAltclipSpool *
new_spool (guint n_records)
{
    return gst_altclip_spool_new (n_records * get_record_size ());
}

static void
test_order (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (10);

    put_all (spool, "erreer");
    expect_all (spool, "e1 r2 r3 e4 e5 r6 ");
    expect_all (spool, "");
}

static void
test_results_go_first (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (5);
    GstAltclipSpoolCounts counts;

    put_all (spool, "errererr");
    gst_altclip_spool_get_counts (spool, &counts);
    g_assert_cmpuint (counts.dropped[GST_ALTCLIP_RECORD_RESULT], ==, 3);
    g_assert_cmpuint (counts.dropped[GST_ALTCLIP_RECORD_EVENT], ==, 0);
    g_assert_cmpuint (counts.waiting, ==, 5);
    expect_all (spool, "e1 e4 e6 r7 r8 ");
}

static void
test_events_go_last (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (3);

    put_all (spool, "eerreee");
    expect_all (spool, "e5 e6 e7 ");
}

/* A result that comes where only events are goes at once. */
static void
test_no_room_for_results (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (2);

    put_all (spool, "eerr");
    expect_all (spool, "e1 e2 ");
}

static void
test_no_room_at_all (void)
{
    g_autoptr (GstAltclipSpool) spool = gst_altclip_spool_new (0);
    GstAltclipSpoolCounts counts;

    put_all (spool, "er");
    gst_altclip_spool_get_counts (spool, &counts);
    g_assert_cmpuint (counts.waiting, ==, 0);
    g_assert_cmpuint (counts.size, ==, 0);
}

/* It is told of once, for each kind. */
static void
test_first_loss (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (1);
    gboolean lost[2];

    put (spool, 'r', 1, lost);
    g_assert_false (lost[0] || lost[1]);
    put (spool, 'r', 2, lost);
    g_assert_true (lost[GST_ALTCLIP_RECORD_RESULT] && !lost[GST_ALTCLIP_RECORD_EVENT]);
    put (spool, 'e', 3, lost);
    g_assert_false (lost[0] || lost[1]);
    put (spool, 'e', 4, lost);
    g_assert_true (!lost[GST_ALTCLIP_RECORD_RESULT] && lost[GST_ALTCLIP_RECORD_EVENT]);
    put (spool, 'e', 5, lost);
    g_assert_false (lost[0] || lost[1]);
}

/* What is taken is not dropped, and what is put back keeps its place. */
static void
test_put_back (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (4);
    GstAltclipRecord *first;
    GstAltclipRecord *second;
    gboolean lost[2];

    put_all (spool, "ereer");
    first = gst_altclip_spool_take (spool);
    second = gst_altclip_spool_take (spool);
    put (spool, 'e', 6, lost);
    gst_altclip_spool_put_back (spool, second);
    gst_altclip_spool_put_back (spool, first);
    expect_all (spool, "e1 e3 e4 e6 ");
}

static void
test_wait (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (4);

    g_assert_cmpuint (gst_altclip_spool_wait (spool, 0), ==, 0);
    put_all (spool, "e");
    g_assert_cmpuint (gst_altclip_spool_wait (spool, g_get_monotonic_time () + 10 * 1000), ==, 1);
    gst_altclip_spool_hurry (spool, TRUE);
    g_assert_cmpuint (gst_altclip_spool_wait (spool, G_MAXINT64), ==, 0);
    gst_altclip_spool_hurry (spool, FALSE);
    /* What was taken counts until it is done with. */
    GstAltclipRecord *record = gst_altclip_spool_take (spool);
    g_assert_cmpuint (gst_altclip_spool_wait (spool, g_get_monotonic_time ()), ==, 1);
    gst_altclip_spool_finish (spool, record);
    g_assert_cmpuint (gst_altclip_spool_wait (spool, 0), ==, 0);
}

static gpointer
wait_shortly (gpointer data)
{
    GstAltclipSpool *spool = data;

    return GUINT_TO_POINTER (gst_altclip_spool_wait (spool, g_get_monotonic_time () + 100 * 1000));
}

/* What is through when the deadline has passed is not left. */
static void
test_last_moment (void)
{
    g_autoptr (GstAltclipSpool) spool = new_spool (4);
    GThread *thread;
    guint waiting;

    put_all (spool, "e");
    thread = g_thread_new ("waits", wait_shortly, spool);
    g_usleep (50 * 1000);
    /* It does not come to look before it is late. */
    pthread_mutex_lock (&spool->lock);
    g_usleep (200 * 1000);
    waiting = spool->counts.waiting;
    spool->counts.waiting = 0;
    pthread_mutex_unlock (&spool->lock);
    g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 0);
    spool->counts.waiting = waiting;
    expect_all (spool, "e1 ");
}

/* ---- The courier ----------------------------------------------------------------------------- */

#define N_RECORDS 3000

static gpointer
put_records (gpointer data)
{
    GstAltclipSpool *spool = data;
    gboolean lost[2];

    for (guint i = 0; i < N_RECORDS; i++)
        put (spool, i % 10 ? 'r' : 'e', i + 1, lost);
    return NULL;
}

static void
note_trouble (gpointer user_data, const GError *error)
{
    gint *n_troubles = user_data;

    g_assert_nonnull (error);
    g_atomic_int_inc (n_troubles);
}

static void
test_lines (void)
{
    g_autoptr (GstAltclipSpool) spool = gst_altclip_spool_new (G_MAXSSIZE);
    g_autofree char *folder = g_dir_make_tmp ("altclip-spool-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (folder, "lines", NULL);
    g_autofree char *text = NULL;
    g_autoptr (GError) error = NULL;
    GstAltclipLines *lines = gst_altclip_lines_new (path, &error);
    gint n_troubles = 0;
    GstAltclipCourier *courier = gst_altclip_courier_start (spool, gst_altclip_lines_get_carrier (),
            lines, G_TIME_SPAN_SECOND, note_trouble, &n_troubles, &error);
    GThread *thread = g_thread_new ("frames", put_records, spool);

    g_assert_no_error (error);
    for (guint i = 0; i < 100; i++)
        gst_altclip_courier_wake (courier);
    g_thread_join (thread);
    gst_altclip_courier_wake (courier);
    g_assert_cmpuint (
            gst_altclip_spool_wait (spool, g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND), ==,
            0);
    gst_altclip_courier_stop (courier, g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND);
    g_assert_cmpint (n_troubles, ==, 0);

    g_assert_true (g_file_get_contents (path, &text, NULL, &error));
    g_assert_cmpuint (strlen (text), ==, N_RECORDS * 9);
    for (guint i = 0; i < N_RECORDS; i++)
        g_assert_cmpuint (g_ascii_strtoull (text + 9 * i + 1, NULL, 10), ==, i + 1);
    g_unlink (path);
    g_rmdir (folder);
}

static GstAltclipRecord *
new_long_record (void)
{
    GstAltclipRecord *record = new_record (GST_ALTCLIP_RECORD_RESULT, 1);

    record->length = 200000;
    g_free (record->line);
    record->line = g_strnfill (record->length + 1, 'x');
    record->line[0] = '{';
    record->line[record->length] = '\n';
    return record;
}

/* Of a pipe, reads @n bytes at least. */
static void
read_at_least (int fd, GString *text, gsize n)
{
    gint64 end = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
    char bytes[4096];
    gssize length;

    while (text->len < n) {
        g_assert_cmpint (g_get_monotonic_time (), <, end);
        length = read (fd, bytes, sizeof bytes);
        if (length > 0)
            g_string_append_len (text, bytes, length);
        else
            g_usleep (1000);
    }
}

/* Who reads a pipe after another one has gone gets lines from their beginning. */
static void
test_next_reader (void)
{
    g_autoptr (GstAltclipSpool) spool = gst_altclip_spool_new (G_MAXSSIZE);
    g_autofree char *folder = g_dir_make_tmp ("altclip-spool-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (folder, "pipe", NULL);
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (GstAltclipRecord) same = new_long_record ();
    GstAltclipCourier *courier;
    gboolean lost[2];
    gint n_troubles = 0;
    int reader;

    g_assert_cmpint (mkfifo (path, 0600), ==, 0);
    reader = g_open (path, O_RDONLY | O_NONBLOCK, 0);
    courier = gst_altclip_courier_start (spool, gst_altclip_lines_get_carrier (),
            gst_altclip_lines_new (path, NULL), 1000, note_trouble, &n_troubles, NULL);
    gst_altclip_spool_put (spool, new_long_record (), lost);
    gst_altclip_courier_wake (courier);
    read_at_least (reader, text, 100);
    close (reader);
    while (g_atomic_int_get (&n_troubles) == 0)
        g_usleep (1000);
    g_string_truncate (text, 0);
    reader = g_open (path, O_RDONLY | O_NONBLOCK, 0);
    read_at_least (reader, text, same->length + 1);
    g_assert_cmpstr (text->str, ==, same->line);
    gst_altclip_courier_stop (courier, g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND);
    close (reader);
    g_unlink (path);
    g_rmdir (folder);
}

/* A way that fails every other time, and loses what was on it. */
typedef struct {
    guint n_opened; /* of the courier's thread */
    GQueue on_way;
    guint64 last;
    gboolean in_order;
} Road;

static gboolean
road_open (gpointer carrier, GError **error)
{
    Road *road = carrier;

    if (++road->n_opened % 2)
        return TRUE;
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "closed");
    return FALSE;
}

static gboolean
road_work (gpointer carrier, GstAltclipSpool *spool, GPollFD *poll, GError **error)
{
    Road *road = carrier;
    GstAltclipRecord *record;

    poll->fd = -1;
    while (g_queue_get_length (&road->on_way) < 7 && (record = gst_altclip_spool_take (spool)))
        g_queue_push_tail (&road->on_way, record);
    /* Three arrive, then it breaks. */
    for (guint i = 0; i < 3 && (record = g_queue_pop_head (&road->on_way)); i++) {
        road->in_order &= record->sequence > road->last;
        road->last = record->sequence;
        gst_altclip_spool_finish (spool, record);
    }
    if (g_queue_is_empty (&road->on_way))
        return TRUE;
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "broken");
    return FALSE;
}

static void
road_close (gpointer carrier, GstAltclipSpool *spool)
{
    Road *road = carrier;
    GstAltclipRecord *record;

    while ((record = g_queue_pop_tail (&road->on_way)))
        gst_altclip_spool_put_back (spool, record);
}

static gboolean
road_is_up (gpointer carrier)
{
    Road *road = carrier;

    return g_queue_is_empty (&road->on_way);
}

static void
road_free (G_GNUC_UNUSED gpointer carrier)
{
}

static void
test_trouble (void)
{
    static const GstAltclipCarrier functions = { road_open, road_work, road_close, road_is_up,
        road_free };
    g_autoptr (GstAltclipSpool) spool = gst_altclip_spool_new (G_MAXSSIZE);
    g_autoptr (GError) error = NULL;
    Road road = { .on_way = G_QUEUE_INIT, .in_order = TRUE };
    gint n_troubles = 0;
    GstAltclipCourier *courier;
    gboolean up;

    put_all (spool, "ererererererererere");
    /* The next try is in a millisecond. */
    courier = gst_altclip_courier_start (
            spool, &functions, &road, 1000, note_trouble, &n_troubles, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (
            gst_altclip_spool_wait (spool, g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND), ==,
            0);
    while (gst_altclip_courier_get_state (courier, &up) == 0)
        g_usleep (1000);
    gst_altclip_courier_stop (courier, g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND);
    g_assert_true (road.in_order);
    g_assert_cmpuint (road.last, ==, 19);
    g_assert_cmpuint (road.n_opened, >, 10);
    /* All of that is one trouble. */
    g_assert_cmpint (n_troubles, ==, 1);
}

/* A way that is there each time, and breaks at once. */
static gint n_let_in; /* atomic */

static gboolean
let_in (G_GNUC_UNUSED gpointer carrier, G_GNUC_UNUSED GError **error)
{
    g_atomic_int_inc (&n_let_in);
    return TRUE;
}

static gboolean
throw_out (gpointer carrier, G_GNUC_UNUSED GstAltclipSpool *spool, GPollFD *poll, GError **error)
{
    gboolean *is_in = carrier;

    *is_in = !*is_in;
    /* It is called again at once: this can be written to. */
    *poll = (GPollFD){ .fd = STDERR_FILENO, .events = G_IO_OUT };
    if (!*is_in)
        g_set_error_literal (
                error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "thrown out again");
    return *is_in;
}

static gboolean
is_let_in (gpointer carrier)
{
    return *(gboolean *)carrier;
}

static void
close_nothing (G_GNUC_UNUSED gpointer carrier, G_GNUC_UNUSED GstAltclipSpool *spool)
{
}

/* That is one trouble, and it is tried less and less often. */
static void
test_thrown_out (void)
{
    static const GstAltclipCarrier functions = { let_in, throw_out, close_nothing, is_let_in,
        road_free };
    g_autoptr (GstAltclipSpool) spool = gst_altclip_spool_new (G_MAXSSIZE);
    gboolean is_in = FALSE;
    gint n_troubles = 0;
    GstAltclipCourier *courier;
    gboolean up;

    courier = gst_altclip_courier_start (
            spool, &functions, &is_in, 60 * G_TIME_SPAN_SECOND, note_trouble, &n_troubles, NULL);
    g_usleep (3 * G_TIME_SPAN_SECOND);
    /* The first, and after 0.375 s at least, 0.75 s and 1.5 s. */
    g_assert_cmpint (g_atomic_int_get (&n_let_in), <=, 4);
    g_assert_cmpuint (
            gst_altclip_courier_get_state (courier, &up), ==, g_atomic_int_get (&n_let_in));
    g_assert_cmpint (g_atomic_int_get (&n_troubles), ==, 1);
    gst_altclip_courier_stop (courier, g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND);
}

/* A carrier that hangs does not hang who stops. */
static gint hanging; /* atomic, as is the next */
static gint n_hung;

static gboolean
hang (G_GNUC_UNUSED gpointer carrier, GError **error)
{
    g_atomic_int_inc (&n_hung);
    while (g_atomic_int_get (&hanging))
        g_usleep (1000);
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "hung");
    return FALSE;
}

static void
note_freed (gpointer carrier)
{
    g_atomic_int_set ((gint *)carrier, TRUE);
}

static void
test_hanging_carrier (void)
{
    static const GstAltclipCarrier functions = { hang, road_work, road_close, road_is_up,
        note_freed };
    g_autoptr (GstAltclipSpool) spool = gst_altclip_spool_new (G_MAXSSIZE);
    g_autoptr (GError) error = NULL;
    static gint freed = FALSE;
    gint n_troubles = 0;
    gint64 begin = g_get_monotonic_time ();
    GstAltclipCourier *courier;

    g_atomic_int_set (&hanging, TRUE);
    courier = gst_altclip_courier_start (
            spool, &functions, &freed, 1000, note_trouble, &n_troubles, &error);
    while (!g_atomic_int_get (&n_hung))
        g_usleep (1000);
    gst_altclip_courier_stop (courier, g_get_monotonic_time () + 50 * 1000);
    g_assert_false (g_atomic_int_get (&freed));
    g_atomic_int_set (&hanging, FALSE);
    /* It cleans up behind itself, and tells nobody who does not listen any more. */
    while (!g_atomic_int_get (&freed))
        g_usleep (1000);
    g_assert_cmpint (n_troubles, ==, 0);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 60 * G_TIME_SPAN_SECOND);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/spool/order", test_order);
    g_test_add_func ("/spool/results-go-first", test_results_go_first);
    g_test_add_func ("/spool/events-go-last", test_events_go_last);
    g_test_add_func ("/spool/no-room-for-results", test_no_room_for_results);
    g_test_add_func ("/spool/no-room-at-all", test_no_room_at_all);
    g_test_add_func ("/spool/first-loss", test_first_loss);
    g_test_add_func ("/spool/put-back", test_put_back);
    g_test_add_func ("/spool/wait", test_wait);
    g_test_add_func ("/spool/last-moment", test_last_moment);
    g_test_add_func ("/courier/lines", test_lines);
    g_test_add_func ("/courier/next-reader", test_next_reader);
    g_test_add_func ("/courier/trouble", test_trouble);
    g_test_add_func ("/courier/thrown-out", test_thrown_out);
    g_test_add_func ("/courier/hanging-carrier", test_hanging_carrier);
    return g_test_run ();
}
