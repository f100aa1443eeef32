/* altclip: many streams that share a model, for a while
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sixteen live streams of 25 frames a second, and beside them one in exact mode that keeps the
 * worker busy, one whose frames cannot be read, one that is flushed in a loop, one whose element is
 * removed and added again, and one that is stalled downstream. What is claimed is shown by
 * counters, since a busy machine's clock shows nothing. ALTCLIP_SOAK_SECONDS in the environment
 * says for how long; tests/soak runs it for minutes.
 */

#include "endurance.h"
#include "models.h"
#include "rig.h"
#include "watchdog.h"

#define N_LIVE 16
#define SHORT_SECONDS 8

/* How many analysed frames streams may differ by, beside a tenth: a frame that is in work while the
 * counters are read, at the beginning and at the end. */
#define SLACK 2

/* Nobody can tell a hang of sixteen streams by looking: give up loudly. */
static void
watch (void)
{
    if (watchdog_wait (10 * get_soak_seconds (SHORT_SECONDS) + 240))
        g_error ("the streams hang");
}

static void
start_watchdog (void)
{
    watchdog_start (watch);
}

/* ---- A stream: its pipeline, and what is noted of what comes out ----------------------------- */

typedef struct {
    GstElement *pipeline;
    GstElement *filter;
    GstBus *bus;
    GstStructure *stats;  /* the last, when it has stopped */
    gboolean own_results; /* whether each frame must have its own */
    /* Of the streaming thread that pushes: */
    guint64 n_out;
    guint64 n_wrong;
    GstClockTime last_pts;
    GstClockTime begin; /* of the segment, or after the last flush */
} Stream;

static void
note_segment (Stream *stream, GstEvent *event)
{
    const GstSegment *segment;

    gst_event_parse_segment (event, &segment);
    stream->begin = MAX (stream->begin, segment->start);
}

/* Frames leave in order, and no result comes from before the segment, nor from the future. */
static gboolean
is_right (Stream *stream, GstBuffer *buffer, const GstStructure *tags)
{
    GstClockTime pts = GST_BUFFER_PTS (buffer);
    GstClockTime frame_pts = tags ? get_frame_pts (tags) : GST_CLOCK_TIME_NONE;

    if (stream->last_pts != GST_CLOCK_TIME_NONE && pts <= stream->last_pts)
        return FALSE;
    if (stream->own_results)
        return tags && frame_pts == pts;
    return !tags || (frame_pts >= stream->begin && frame_pts <= pts &&
                            get_age (tags) == GST_CLOCK_DIFF (frame_pts, pts));
}

static void
note_buffer (Stream *stream, GstBuffer *buffer)
{
    const GstStructure *tags = get_tags (buffer);

    stream->n_out++;
    stream->n_wrong += !is_right (stream, buffer, tags);
    stream->last_pts = GST_BUFFER_PTS (buffer);
}

static GstPadProbeReturn
note_output (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data)
{
    Stream *stream = user_data;

    if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
        note_buffer (stream, gst_pad_probe_info_get_buffer (info));
    else if (GST_EVENT_TYPE (gst_pad_probe_info_get_event (info)) == GST_EVENT_SEGMENT)
        note_segment (stream, gst_pad_probe_info_get_event (info));
    return GST_PAD_PROBE_OK;
}

static void
stream_watch (Stream *stream)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (stream->filter, "src");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
            note_output, stream, NULL);
}

/* Keeps complaints; the others would pile up, since nobody reads them. */
static GstBusSyncReply
sort_message (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data G_GNUC_UNUSED)
{
    if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))
        return GST_BUS_PASS;
    gst_message_unref (message);
    return GST_BUS_DROP;
}

/* The sink needs no preroll after a flush: with GStreamer 1.22 it was seen to wait there for ever,
 * after flushes in quick succession. */
static void
stream_init (Stream *stream, const char *model, const char *mode)
{
    gboolean live = g_str_equal (mode, "live");
    g_autofree char *line = g_strdup_printf (
            "videotestsrc is-live=%s ! video/x-raw,format=RGB,width=64,height=48,framerate=25/1 ! "
            "identity name=before ! "
            "altclipfilter name=filter model=%s prompts=a;b;c mode=%s ! "
            "fakesink name=sink sync=false async=false",
            live ? "true" : "false", model, mode);

    *stream = (Stream){ .last_pts = GST_CLOCK_TIME_NONE, .own_results = !live };
    stream->pipeline = gst_parse_launch (line, NULL);
    stream->filter = gst_bin_get_by_name (GST_BIN (stream->pipeline), "filter");
    stream->bus = gst_element_get_bus (stream->pipeline);
    gst_bus_set_sync_handler (stream->bus, sort_message, NULL, NULL);
    stream_watch (stream);
}

/* Keeps the last statistics. What is expected is looked at only then: GStreamer's checks cannot go
 * on after a failure while threads run. */
static void
stream_stop (Stream *stream)
{
    g_object_get (stream->filter, "stats", &stream->stats, NULL);
    gst_element_set_state (stream->pipeline, GST_STATE_READY); /* the bus keeps its messages */
}

static void
stream_clear (Stream *stream)
{
    gst_element_set_state (stream->pipeline, GST_STATE_NULL);
    gst_structure_free (stream->stats);
    gst_object_unref (stream->bus);
    gst_object_unref (stream->filter);
    gst_object_unref (stream->pipeline);
}

static guint64
get_count (const GstStructure *stats, const char *name)
{
    guint64 count = 0;

    fail_unless (gst_structure_get_uint64 (stats, name, &count));
    return count;
}

static guint64
stream_get_analysed (Stream *stream)
{
    g_autoptr (GstStructure) stats = NULL;

    g_object_get (stream->filter, "stats", &stats, NULL);
    return get_count (stats, "analysed");
}

static guint
stream_get_n_streams (Stream *stream)
{
    guint n = 0;

    fail_unless (gst_structure_get_uint (stream->stats, "streams", &n));
    return n;
}

static guint
stream_count_messages (Stream *stream, GstMessageType type)
{
    GstMessage *message;
    guint n = 0;

    while ((message = gst_bus_pop_filtered (stream->bus, type))) {
        n++;
        gst_message_unref (message);
    }
    return n;
}

/* ---- Streams that make trouble --------------------------------------------------------------- */

static GstPadProbeReturn
cut_frame (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data G_GNUC_UNUSED)
{
    GstBuffer *buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));

    gst_buffer_set_size (buffer, FRAME_SIZE / 2);
    info->data = buffer;
    return GST_PAD_PROBE_OK;
}

static void
make_failing (Stream *stream)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (stream->filter, "sink");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, cut_frame, NULL, NULL);
}

static GstPadProbeReturn
hold (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    return GST_PAD_PROBE_OK;
}

/* Nothing leaves the element from here on. */
static void
make_stalled (Stream *stream)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (stream->filter, "src");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, hold, NULL, NULL);
}

/* What a thread does to a stream, again and again until told to stop. */
typedef struct {
    Stream *stream;
    void (*act) (Stream *stream);
    gulong pause; /* in µs, after some quick rounds */
    gint stop;
    guint n_rounds;
    GThread *thread;
} Trouble;

static gpointer
make_trouble (gpointer data)
{
    Trouble *trouble = data;

    while (!g_atomic_int_get (&trouble->stop)) {
        trouble->act (trouble->stream);
        trouble->n_rounds++;
        g_usleep (trouble->n_rounds % 8 == 0 ? trouble->pause : trouble->pause / 100);
    }
    return NULL;
}

static void
trouble_start (Trouble *trouble, Stream *stream, void (*act) (Stream *stream), gulong pause)
{
    *trouble = (Trouble){ .stream = stream, .act = act, .pause = pause };
    trouble->thread = g_thread_new ("trouble", make_trouble, trouble);
}

static void
trouble_stop (Trouble *trouble)
{
    g_atomic_int_set (&trouble->stop, TRUE);
    g_thread_join (trouble->thread);
}

/* Something for the streaming thread to do, at the pad before the element. */
typedef struct {
    Stream *stream;
    void (*act) (Stream *stream, GstPad *pad);
    GAsyncQueue *done;
} Job;

static GstPadProbeReturn
do_job (GstPad *pad, GstPadProbeInfo *info G_GNUC_UNUSED, gpointer user_data)
{
    Job *job = user_data;

    job->act (job->stream, pad);
    g_async_queue_push (job->done, job);
    return GST_PAD_PROBE_REMOVE;
}

static void
act_before_frame (Stream *stream, void (*act) (Stream *stream, GstPad *pad))
{
    g_autoptr (GstElement) before = gst_bin_get_by_name (GST_BIN (stream->pipeline), "before");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (before, "src");
    Job job = { stream, act, g_async_queue_new () };

    gst_pad_add_probe (
            pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, do_job, &job, NULL);
    fail_unless (g_async_queue_timeout_pop (job.done, PATIENCE / GST_USECOND) == &job);
    g_async_queue_unref (job.done);
}

/* The source knows nothing of it, so that its timestamps go on: results older than the last frame
 * before are from before. */
static void
flush_before_frame (Stream *stream, GstPad *pad)
{
    g_autoptr (GstEvent) segment = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);

    if (!segment)
        return;
    fail_unless (gst_pad_push_event (pad, gst_event_new_flush_start ()));
    fail_unless (gst_pad_push_event (pad, gst_event_new_flush_stop (FALSE)));
    if (stream->last_pts != GST_CLOCK_TIME_NONE)
        stream->begin = stream->last_pts + 1;
    fail_unless (gst_pad_push_event (pad, g_steal_pointer (&segment)));
}

static void
flush (Stream *stream)
{
    act_before_frame (stream, flush_before_frame);
}

/* Another element takes its place. */
static void
exchange (Stream *stream, GstPad *pad)
{
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (stream->pipeline), "sink");
    g_autoptr (GstPad) next = NULL;
    g_autofree char *model = NULL;
    GstElement *old = stream->filter;

    g_object_get (old, "model", &model, NULL);
    gst_element_set_state (old, GST_STATE_NULL);
    gst_bin_remove (GST_BIN (stream->pipeline), old);
    gst_object_unref (old);

    stream->filter = gst_object_ref (gst_element_factory_make ("altclipfilter", NULL));
    gst_util_set_object_arg (G_OBJECT (stream->filter), "mode", "live");
    g_object_set (stream->filter, "model", model, "prompts", "a;b;c", NULL);
    gst_bin_add (GST_BIN (stream->pipeline), stream->filter);
    stream_watch (stream);
    fail_unless (gst_element_link (stream->filter, sink));
    fail_unless (gst_element_sync_state_with_parent (stream->filter));
    next = gst_element_get_static_pad (stream->filter, "sink");
    fail_unless_equals_int (gst_pad_link (pad, next), GST_PAD_LINK_OK);
}

static void
remove_and_add (Stream *stream)
{
    act_before_frame (stream, exchange);
}

/* ---- All of them, for a while ---------------------------------------------------------------- */

#define N_STREAMS (N_LIVE + 5)

/* Not of the test's stack, for threads that outlive a failure. */
static Stream streams[N_STREAMS];
static Trouble flushing;
static Trouble exchanging;

static Stream *const exact = &streams[N_LIVE];
static Stream *const failing = &streams[N_LIVE + 1];
static Stream *const flushed = &streams[N_LIVE + 2];
static Stream *const guest = &streams[N_LIVE + 3];
static Stream *const stalled = &streams[N_LIVE + 4];

static void
start_all (void)
{
    for (guint i = 0; i < N_STREAMS; i++)
        stream_init (&streams[i], models_get_middling (), &streams[i] == exact ? "exact" : "live");
    make_failing (failing);
    make_stalled (stalled);
    for (guint i = 0; i < N_STREAMS; i++)
        gst_element_set_state (streams[i].pipeline, GST_STATE_PLAYING);
}

/* The exact one first: how many streams there are is read while all are there. */
static void
stop_all (void)
{
    stream_stop (exact);
    for (guint i = 0; i < N_STREAMS; i++)
        if (&streams[i] != exact)
            stream_stop (&streams[i]);
}

static void
wait_for_first_result (Stream *stream)
{
    while (stream_get_analysed (stream) == 0)
        g_usleep (10000);
}

static void
read_analysed (guint64 *counts)
{
    for (guint i = 0; i < N_LIVE; i++)
        counts[i] = stream_get_analysed (&streams[i]);
}

static void
expect_fair (const guint64 *before, const guint64 *after)
{
    guint64 least = G_MAXUINT64;
    guint64 most = 0;

    for (guint i = 0; i < N_LIVE; i++) {
        least = MIN (least, after[i] - before[i]);
        most = MAX (most, after[i] - before[i]);
    }
    g_print ("analysed frames of a live stream: %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "\n",
            least, most);
    fail_unless (least > 0);
    fail_unless (most - least <= most / 10 + SLACK, "%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
            least, most);
}

static void
expect_good (Stream *stream)
{
    fail_unless_equals_uint64 (get_count (stream->stats, "waits"), 0);
    fail_unless_equals_uint64 (get_count (stream->stats, "failed"), 0);
    fail_unless_equals_uint64 (stream->n_wrong, 0);
    fail_unless (get_count (stream->stats, "analysed") > 0);
    fail_unless (stream->n_out > 0);
    fail_unless_equals_int (
            stream_count_messages (stream, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
}

static void
expect_no_error (Stream *stream)
{
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (stream->bus, GST_MESSAGE_ERROR);
    g_autoptr (GError) error = NULL;
    g_autofree char *debug = NULL;

    if (!message)
        return;
    gst_message_parse_error (message, &error, &debug);
    fail ("stream %d: %s: %s", (int)(stream - streams), error->message, debug);
}

static void
expect_all_good (void)
{
    for (guint i = 0; i < N_LIVE; i++)
        expect_good (&streams[i]);
    expect_good (flushed);
    fail_unless_equals_uint64 (get_count (exact->stats, "failed"), 0);
    fail_unless_equals_uint64 (exact->n_wrong, 0);
    fail_unless (exact->n_out > 0);

    fail_unless (get_count (failing->stats, "failed") > 0);
    fail_unless_equals_uint64 (get_count (failing->stats, "analysed"), 0);
    fail_unless_equals_uint64 (get_count (failing->stats, "waits"), 0);
    fail_unless_equals_int (stream_count_messages (failing, GST_MESSAGE_WARNING), 1);
    fail_unless_equals_uint64 (guest->n_wrong, 0);
    fail_unless (get_count (stalled->stats, "analysed") <= 1);
    fail_unless_equals_uint64 (get_count (stalled->stats, "queue-age"), 0);
    for (guint i = 0; i < N_STREAMS; i++)
        expect_no_error (&streams[i]);
}

GST_START_TEST (test_sixteen_live_streams_and_trouble)
{
    guint64 before[N_LIVE];
    guint64 after[N_LIVE];
    gsize memory;
    gsize memory_after;

    start_all ();
    for (guint i = 0; i <= N_LIVE; i++)
        wait_for_first_result (&streams[i]);
    trouble_start (&flushing, flushed, flush, 2 * G_USEC_PER_SEC);
    trouble_start (&exchanging, guest, remove_and_add, G_USEC_PER_SEC);
    g_usleep (get_soak_seconds (SHORT_SECONDS) * G_USEC_PER_SEC / 4);
    memory = get_resident_memory ();
    read_analysed (before);
    g_usleep (get_soak_seconds (SHORT_SECONDS) * G_USEC_PER_SEC * 3 / 4);
    read_analysed (after);
    memory_after = get_resident_memory ();
    trouble_stop (&exchanging);
    trouble_stop (&flushing);
    wait_for_first_result (flushed);
    stop_all ();

    g_print ("%u flushes, %u removals, %.1f MB more resident after %u s\n", flushing.n_rounds,
            exchanging.n_rounds, ((double)memory_after - (double)memory) / 1e6,
            get_soak_seconds (SHORT_SECONDS));
    expect_fair (before, after);
    fail_unless (flushing.n_rounds > 0 && exchanging.n_rounds > 0);
    fail_unless_equals_int (stream_get_n_streams (exact), N_STREAMS);
    fail_unless_equals_uint64 (get_count (exact->stats, "idle-with-frames"), 0);
    if (!SANITIZED)
        fail_unless (memory_after < memory + 32 * 1000 * 1000);
    expect_all_good ();
    for (guint i = 0; i < N_STREAMS; i++)
        stream_clear (&streams[i]);
}
GST_END_TEST;

/* ---- One model's memory ---------------------------------------------------------------------- */

GST_START_TEST (test_sixteen_elements_hold_one_model)
{
    guint64 model_memory;
    gsize one;
    gsize all;

    for (guint i = 0; i < N_LIVE; i++)
        stream_init (&streams[i], models_get_wide (), "live");
    gst_element_set_state (streams[0].pipeline, GST_STATE_PLAYING);
    wait_for_first_result (&streams[0]);
    one = get_resident_memory ();
    for (guint i = 1; i < N_LIVE; i++)
        gst_element_set_state (streams[i].pipeline, GST_STATE_PLAYING);
    for (guint i = 1; i < N_LIVE; i++)
        wait_for_first_result (&streams[i]);
    all = get_resident_memory ();
    for (guint i = N_LIVE; i > 0; i--)
        stream_stop (&streams[i - 1]);

    model_memory = get_count (streams[0].stats, "model-memory");
    fail_unless (model_memory > 20 * 1000 * 1000);
    g_print ("a model of %.1f MB: %.1f MB resident with one element, %.1f MB with %d\n",
            (double)model_memory / 1e6, (double)one / 1e6, (double)all / 1e6, N_LIVE);
    for (guint i = 0; i < N_LIVE; i++) {
        fail_unless_equals_uint64 (get_count (streams[i].stats, "model-memory"), model_memory);
        fail_unless_equals_int (stream_get_n_streams (&streams[i]), i + 1);
    }
    if (!SANITIZED)
        fail_unless (all < one + model_memory);
    for (guint i = 0; i < N_LIVE; i++)
        stream_clear (&streams[i]);
}
GST_END_TEST;

static Suite *
soak_suite (void)
{
    Suite *suite = suite_create ("soak");
    TCase *tests = tcase_create ("soak");

    tcase_set_timeout (tests, 0);
    tcase_add_unchecked_fixture (tests, start_watchdog, watchdog_stop);
    tcase_add_test (tests, test_sixteen_live_streams_and_trouble);
    tcase_add_test (tests, test_sixteen_elements_hold_one_model);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (soak);
