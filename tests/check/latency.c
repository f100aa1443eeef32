/* altclip: tests of what altclipfilter adds to a pipeline's latency, and of how it tells
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gate.h"
#include "models.h"
#include "rig.h"

#define UPSTREAM_MIN (20 * GST_MSECOND)
#define UPSTREAM_MAX (40 * GST_MSECOND)

static GstPadProbeReturn
answer_latency (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer live)
{
    GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

    if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
        return GST_PAD_PROBE_OK;
    gst_query_set_latency (query, GPOINTER_TO_INT (live), UPSTREAM_MIN, UPSTREAM_MAX);
    return GST_PAD_PROBE_HANDLED;
}

/* Before any frame has come. */
static Rig *
rig_new_behind (gboolean live, const char *prompts, const char *mode)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", prompts, "mode", mode, "max-buffers", "30", NULL);

    gst_pad_add_probe (rig->harness->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, answer_latency,
            GINT_TO_POINTER (live), NULL);
    return rig;
}

static void
push_and_drop (Rig *rig, guint number)
{
    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (number)));
}

static void
query_latency (Rig *rig, GstClockTime *min, GstClockTime *max)
{
    g_autoptr (GstQuery) query = gst_query_new_latency ();

    fail_unless (gst_pad_peer_query (rig->harness->sinkpad, query));
    gst_query_parse_latency (query, NULL, min, max);
}

/* What the element adds. */
static GstClockTime
get_latency (Rig *rig)
{
    GstClockTime min;
    GstClockTime max;

    query_latency (rig, &min, &max);
    fail_unless (min >= UPSTREAM_MIN);
    return min - UPSTREAM_MIN;
}

static void
expect_no_latency_message (Rig *rig)
{
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_LATENCY) == NULL);
}

/* What exact mode adds for a live source, and nothing else does. */
GST_START_TEST (test_latency_maximum)
{
    Rig *rig = rig_new_behind (TRUE, "a;b", "exact");
    GstClockTime min;
    GstClockTime max;

    push_and_drop (rig, 0);
    query_latency (rig, &min, &max);
    fail_unless (min > UPSTREAM_MIN);
    fail_unless_equals_uint64 (max, UPSTREAM_MAX + GST_SECOND);
    gst_harness_set_src_caps_str (
            rig->harness, "video/x-raw,format=RGB,width=64,height=48,framerate=0/1");
    push_and_drop (rig, 1);
    query_latency (rig, &min, &max);
    fail_unless_equals_uint64 (max, GST_CLOCK_TIME_NONE);
    rig_free (rig);
}
GST_END_TEST;

static void
expect_nothing_added (gboolean live, const char *mode)
{
    Rig *rig = rig_new_behind (live, "a;b", mode);
    GstClockTime min;
    GstClockTime max;

    push_and_drop (rig, 0);
    push_and_drop (rig, 1);
    query_latency (rig, &min, &max);
    fail_unless (min == UPSTREAM_MIN && max == UPSTREAM_MAX);
    expect_no_latency_message (rig);
    rig_free (rig);
}

GST_START_TEST (test_latency_of_the_source_alone)
{
    expect_nothing_added (FALSE, "exact");
    expect_nothing_added (TRUE, "live");
    expect_nothing_added (TRUE, "auto");
    expect_nothing_added (FALSE, "auto");
}
GST_END_TEST;

static GstClockTime
wait_for_picture_time (Rig *rig)
{
    GstClockTime picture_time = 0;

    for (guint i = 0; picture_time == 0; i++) {
        fail_unless (i < 6000, "the model does not open");
        g_usleep (10000);
        picture_time = rig_get_count (rig, "picture-time");
    }
    return picture_time;
}

/* It starts at twice what a picture took in the self-test, which is known once the model is open;
 * without prompts nothing waits, so that it stays there. */
GST_START_TEST (test_latency_starts_with_the_self_test)
{
    Rig *rig = rig_new_behind (TRUE, "", "exact");
    GstClockTime picture_time = wait_for_picture_time (rig);

    fail_unless_equals_uint64 (get_latency (rig), 2 * picture_time);
    /* A source that starts late: until it did, nobody could be told. */
    expect_no_latency_message (rig);
    push_and_drop (rig, 0);
    gst_message_unref (pop_message (rig->bus, GST_MESSAGE_LATENCY));
    fail_unless_equals_uint64 (get_latency (rig), 2 * picture_time);
    push_and_drop (rig, 1);
    expect_no_latency_message (rig);
    rig_free (rig);
}
GST_END_TEST;

/* Pushes a frame that the worker cannot read for @delay µs. Returns: the longest that it can have
 * waited for its result */
static GstClockTime
push_delayed (Rig *rig, guint number, gulong delay)
{
    gint64 begin = g_get_monotonic_time ();

    gate_close ();
    fail_unless_equals_int (
            gst_harness_push (rig->harness, gate_guard (new_numbered_frame (number))), GST_FLOW_OK);
    gate_wait_for (1);
    g_usleep (delay);
    gate_open ();
    gst_buffer_unref (gst_harness_pull (rig->harness));
    return (GstClockTime)(g_get_monotonic_time () - begin) * GST_USECOND;
}

/* A frame that had to wait for 300 ms makes it a quarter more than that, for good, until the
 * element is started anew. One that waits less changes nothing. A frame may leave before its
 * message is posted; after a flush it has been. */
GST_START_TEST (test_latency_grows_with_the_wait)
{
    Rig *rig = rig_new_behind (TRUE, "a;b", "exact");
    GstClockTime longest;
    GstClockTime grown;

    push_and_drop (rig, 0);
    rig_flush (rig);
    rig_forget_messages (rig);
    longest = push_delayed (rig, 1, 300000);
    grown = get_latency (rig);
    fail_unless (grown >= 375 * GST_MSECOND);
    fail_unless (grown <= longest + longest / 4);
    rig_flush (rig);
    gst_message_unref (pop_message (rig->bus, GST_MESSAGE_LATENCY));

    /* Unless something else on the machine made it longer. */
    if (push_delayed (rig, 2, 20000) <= grown) {
        rig_flush (rig);
        expect_no_latency_message (rig);
        fail_unless_equals_uint64 (get_latency (rig), grown);
    }

    gst_element_set_state (rig->element, GST_STATE_READY);
    gst_element_set_state (rig->element, GST_STATE_PLAYING);
    fail_unless (get_latency (rig) < grown);
    rig_free (rig);
}
GST_END_TEST;

/* A flush, or another stream, is no reason to forget it. */
GST_START_TEST (test_latency_outlives_flushes)
{
    Rig *rig = rig_new_behind (TRUE, "a;b", "exact");
    GstSegment segment;
    GstClockTime grown;

    push_and_drop (rig, 0);
    push_delayed (rig, 1, 300000);
    grown = get_latency (rig);
    rig_flush (rig);
    fail_unless_equals_uint64 (get_latency (rig), grown);
    gst_segment_init (&segment, GST_FORMAT_TIME);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_stream_start ("second")));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_segment (&segment)));
    push_and_drop (rig, 2);
    fail_unless (get_latency (rig) >= grown);
    rig_free (rig);
}
GST_END_TEST;

static GstPadProbeReturn
answer_nothing (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer data G_GNUC_UNUSED)
{
    GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

    return GST_QUERY_TYPE (query) == GST_QUERY_LATENCY ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

/* ---- Pipelines ------------------------------------------------------------------------------- */

#define N_LIVE_FRAMES 20
#define LIVE_FRAME_TIME (100 * GST_MSECOND)

/* How long an analysis takes at least, in µs. */
#define LIVE_ANALYSIS 60000

static void
recalculate_latency (GstElement *pipeline, GstClockTime timeout)
{
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, timeout, GST_MESSAGE_LATENCY);

    if (message)
        gst_bin_recalculate_latency (GST_BIN (pipeline));
}

/* A source without a latency of its own. */
static void
play_live (GstElement *pipeline)
{
    g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    GstFlowReturn flow;

    gate_slow_down (LIVE_ANALYSIS);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i < N_LIVE_FRAMES; i++) {
        g_autoptr (GstBuffer) frame = gate_guard (new_numbered_frame (i));

        g_signal_emit_by_name (source, "push-buffer", frame, &flow);
        fail_unless_equals_int (flow, GST_FLOW_OK);
        recalculate_latency (pipeline, LIVE_FRAME_TIME);
    }
    g_signal_emit_by_name (source, "end-of-stream", &flow);
    gst_message_unref (pop_message (bus, GST_MESSAGE_EOS));
    gate_slow_down (0);
}

/* Runs a live source into a sink that wants its frames in time, in exact mode. Returns: how many it
 * took */
static guint
count_in_time (gboolean answered)
{
    g_autofree char *line =
            g_strdup_printf ("appsrc name=source is-live=true do-timestamp=true format=time "
                             "caps=video/x-raw,format=RGB,width=%d,height=%d,framerate=10/1 ! "
                             "altclipfilter name=filter prompts=a;b mode=exact model=%s ! "
                             "fakesink name=sink sync=true qos=true max-lateness=0",
                    WIDTH, HEIGHT, models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, "src");
    g_autoptr (GstStructure) stats = NULL;
    guint64 rendered;
    guint64 dropped;

    if (!answered)
        gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, answer_nothing, NULL, NULL);
    play_live (pipeline);
    g_object_get (sink, "stats", &stats, NULL);
    fail_unless (gst_structure_get_uint64 (stats, "rendered", &rendered));
    fail_unless (gst_structure_get_uint64 (stats, "dropped", &dropped));
    fail_unless_equals_uint64 (rendered + dropped, N_LIVE_FRAMES);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    return (guint)rendered;
}

/* Where nobody answers all are late, of which a sink shows one a second. */
GST_START_TEST (test_live_pipeline_in_exact_mode)
{
    guint without = count_in_time (FALSE);
    guint with = count_in_time (TRUE);

    g_print ("in time: %u of %d frames, and %u where the query is not answered\n", with,
            N_LIVE_FRAMES, without);
    fail_unless (with >= N_LIVE_FRAMES / 2);
    fail_unless (without <= with / 2);
}
GST_END_TEST;

/* ---- auto ------------------------------------------------------------------------------------ */

/* Returns: whether the first frame had to wait for the model, as it does in exact mode */
static gboolean
waits_in_auto_mode (gboolean answered)
{
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b", "mode", "auto", NULL);
    gboolean waits;

    gst_harness_set_live (rig->harness, FALSE);
    if (!answered)
        gst_pad_add_probe (rig->harness->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, answer_nothing,
                NULL, NULL);
    push_and_drop (rig, 0);
    waits = rig_get_count (rig, "waits") > 0;
    rig_free (rig);
    return waits;
}

GST_START_TEST (test_auto_takes_silence_for_live)
{
    fail_unless (waits_in_auto_mode (TRUE));
    fail_if (waits_in_auto_mode (FALSE));
}
GST_END_TEST;

static Suite *
latency_suite (void)
{
    Suite *suite = suite_create ("latency");
    TCase *tests = tcase_create ("latency");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_latency_maximum);
    tcase_add_test (tests, test_latency_of_the_source_alone);
    tcase_add_test (tests, test_latency_starts_with_the_self_test);
    tcase_add_test (tests, test_latency_grows_with_the_wait);
    tcase_add_test (tests, test_latency_outlives_flushes);
    tcase_add_test (tests, test_live_pipeline_in_exact_mode);
    tcase_add_test (tests, test_auto_takes_silence_for_live);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (latency);
