/* altclip: tests of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With the real engine: random models for what happens to frames, events and messages, the bundled
 * one for what is seen.
 */

#include <string.h>
#include <time.h>

#include "models.h"
#include "rig.h"

/* ---- What is seen: the bundled model --------------------------------------------------------- */

static void
expect_begin (const char *pattern, const char *prompts, const char *label)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=20 pattern=%s ! video/x-raw,width=640,height=480 !"
            " altclipfilter model=%s prompts=\"%s\" ! fakesink",
            pattern, models_get_demo (), prompts);
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstMessage) message = NULL;

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = pop_event (bus, "begin");
    fail_unless_equals_string (
            gst_structure_get_string (gst_message_get_structure (message), "label"), label);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}

GST_START_TEST (test_patterns_in_english)
{
    const char *prompts = "colour bars;static noise;a black screen;a red circle";

    if (!models_get_demo ())
        return;
    expect_begin ("smpte", prompts, "colour bars");
    expect_begin ("snow", prompts, "static noise");
    expect_begin ("black", prompts, "a black screen");
}
GST_END_TEST;

GST_START_TEST (test_patterns_in_chinese)
{
    const char *prompts = "彩条;雪花噪点;黑屏;红色圆形";

    if (!models_get_demo ())
        return;
    expect_begin ("smpte", prompts, "彩条");
    expect_begin ("snow", prompts, "雪花噪点");
    expect_begin ("black", prompts, "黑屏");
}
GST_END_TEST;

/* The line between |[ and ]| in the element's documentation. */
static char *
get_documented_line (void)
{
    g_autofree char *source = NULL;
    const char *begin;
    const char *end;

    fail_unless (g_file_get_contents (TEST_ELEMENT_SOURCE, &source, NULL, NULL));
    begin = strstr (source, " * gst-launch-1.0 -m ");
    fail_unless (begin != NULL);
    begin += strlen (" * gst-launch-1.0 -m ");
    end = strstr (begin, "\n * ]|");
    fail_unless (end != NULL);
    return g_strndup (begin, (gsize)(end - begin));
}

/* Also: no model named, so the bundled one says that it serves. */
GST_START_TEST (test_documented_line)
{
    g_autofree char *line = get_documented_line ();
    g_autoptr (GstElement) pipeline = NULL;
    g_autoptr (GstBus) bus = NULL;
    g_autoptr (GstMessage) message = NULL;

    if (!models_get_demo ())
        return;
    pipeline = gst_parse_launch (line, NULL);
    bus = gst_element_get_bus (pipeline);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    expect_text (bus, GST_MESSAGE_INFO, "coloured shapes");
    message = pop_event (bus, "begin");
    fail_unless_equals_string (
            gst_structure_get_string (gst_message_get_structure (message), "label"), "colour bars");
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

/* A result belongs to the frame it is on, in every format. */
static void
expect_colours (const char *format)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=4 pattern=%%s ! video/x-raw,format=%s,width=320,height=240 !"
            " altclipfilter model=%s mode=exact prompts=\"a red screen;a green screen;"
            "a blue screen;a white screen;a black screen\" ! appsink name=sink",
            format, models_get_demo ());
    const char *patterns[] = { "red", "white", "black" };
    const char *labels[] = { "a red screen", "a white screen", "a black screen" };
    gboolean grey = g_str_equal (format, "GRAY8");

    for (guint i = grey; i < G_N_ELEMENTS (patterns); i++) {
        g_autofree char *description = g_strdup_printf (line, patterns[i]);
        g_autoptr (GstElement) pipeline = gst_parse_launch (description, NULL);
        g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
        g_autoptr (GstSample) sample = NULL;
        const GstStructure *tags;

        gst_element_set_state (pipeline, GST_STATE_PLAYING);
        g_signal_emit_by_name (sink, "pull-sample", &sample);
        fail_unless (sample != NULL);
        tags = get_tags (gst_sample_get_buffer (sample));
        fail_unless (tags != NULL);
        fail_unless_equals_string (
                gst_structure_get_string (get_label (tags, 0), "label"), labels[i]);
        gst_element_set_state (pipeline, GST_STATE_NULL);
    }
}

GST_START_TEST (test_formats)
{
    static const char *formats[] = { "NV12", "I420", "YV12", "YUY2", "UYVY", "RGB", "BGR", "RGBx",
        "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "GRAY8", "NV21", "P010_10LE", "I420_10LE" };

    Rig *opener;

    if (!models_get_demo ())
        return;
    /* Has the model open already: it is one for all. */
    opener = rig_new (models_get_demo (), "prompts", "a;b", "mode", "exact", NULL);
    gst_buffer_unref (gst_harness_push_and_pull (opener->harness, new_numbered_frame (0)));
    for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
        expect_colours (formats[i]);
    rig_free (opener);
}
GST_END_TEST;

/* ---- Exact mode ------------------------------------------------------------------------------ */

/* The very buffers that went in: nothing was copied for the tags. */
GST_START_TEST (test_exact_every_frame_in_order)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b;c", "mode", "exact", "max-buffers",
            "4", "post-messages", "none", NULL);
    const GstBuffer *pushed[100];

    for (guint i = 0; i < 100; i++) {
        GstBuffer *buffer = new_numbered_frame (i);

        pushed[i] = buffer;
        fail_unless_equals_int (gst_harness_push (rig->harness, buffer), GST_FLOW_OK);
    }
    for (guint i = 0; i < 100; i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);
        const GstStructure *tags = get_tags (buffer);

        fail_unless (buffer == pushed[i]);
        fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), i * FRAME);
        fail_unless (tags != NULL);
        fail_unless_equals_uint64 (get_frame_pts (tags), i * FRAME);
        fail_unless_equals_int64 (get_age (tags), 0);
        fail_unless_equals_int (get_revision (tags), 1);
        fail_unless_equals_int (get_n_labels (tags), 3);
    }
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_meta_fields)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b;c;d", "mode", "exact", "top-k", "2",
            "threshold", "1.0", NULL);
    g_autoptr (GstBuffer) buffer = NULL;
    g_autofree char *name = gst_object_get_name (GST_OBJECT (rig->element));
    const GstStructure *tags;
    const GstStructure *label;
    double best = 0;
    double next = 0;

    gst_harness_push (rig->harness, new_numbered_frame (3));
    buffer = gst_harness_pull (rig->harness);
    tags = get_tags (buffer);
    fail_unless_equals_string (gst_structure_get_string (tags, "element"), name);
    fail_unless_equals_int (get_n_labels (tags), 2);
    label = get_label (tags, 0);
    fail_unless (gst_structure_has_name (label, "altclip-label"));
    fail_unless (gst_structure_has_field_typed (label, "label", G_TYPE_STRING));
    fail_unless (gst_structure_has_field_typed (label, "index", G_TYPE_UINT));
    fail_unless (gst_structure_has_field_typed (label, "cosine", G_TYPE_DOUBLE));
    fail_unless (gst_structure_has_field_typed (label, "active", G_TYPE_BOOLEAN));
    fail_unless (gst_structure_get_double (label, "score", &best));
    fail_unless (gst_structure_get_double (get_label (tags, 1), "score", &next));
    fail_unless (best >= next && next >= 0 && best <= 1);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_exact_interval)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "interval", "100000000", NULL);

    /* 100 ms are three frames, to the half frame. */
    for (guint i = 0; i < 10; i++)
        gst_harness_push (rig->harness, new_numbered_frame (i));
    for (guint i = 0; i < 10; i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), i / 3 * 3 * FRAME);
        fail_unless_equals_int64 (get_age (get_tags (buffer)), (gint64)(i % 3 * FRAME));
    }
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_backward_step_is_due_at_once)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "interval",
            "10000000000", NULL);
    const guint numbers[] = { 100, 101, 50, 51, 52 };
    const guint covered_by[] = { 100, 100, 50, 50, 52 };

    for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
        GstBuffer *buffer = new_numbered_frame (numbers[i]);

        if (i == 4)
            GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
        gst_harness_push (rig->harness, buffer);
    }
    for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), covered_by[i] * FRAME);
    }
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_exact_eos_drains)
{
    Rig *rig =
            rig_new (models_get_slow (), "prompts", "a;b", "mode", "exact", "threshold", "0", NULL);
    /* Both labels begin with the first frame, and end with the stream. */
    GstEventType types[] = { GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT,
        GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_CUSTOM_DOWNSTREAM,
        GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_EOS };

    for (guint i = 0; i < 3; i++)
        gst_harness_push (rig->harness, new_numbered_frame (i));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_eos ()));
    for (guint i = 0; i < 3; i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), i * FRAME);
    }
    for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
        g_autoptr (GstEvent) event = gst_harness_pull_event (rig->harness);

        fail_unless_equals_int (GST_EVENT_TYPE (event), types[i]);
    }
    expect_ending (rig->bus, "eos");
    expect_ending (rig->bus, "eos");
    rig_free (rig);
}
GST_END_TEST;

/* Writes down what leaves the element: numbers of frames and names of events. */
static GstPadProbeReturn
record (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data)
{
    GString *record = user_data;

    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
        GstBuffer *buffer = gst_pad_probe_info_get_buffer (info);

        g_string_append_printf (
                record, "%u ", (guint)((GST_BUFFER_PTS (buffer) + FRAME / 2) / FRAME));
    } else if (GST_EVENT_TYPE (gst_pad_probe_info_get_event (info)) == GST_EVENT_CAPS) {
        g_string_append (record, "caps ");
    } else if (GST_EVENT_TYPE (gst_pad_probe_info_get_event (info)) == GST_EVENT_GAP) {
        g_string_append (record, "gap ");
    }
    return GST_PAD_PROBE_OK;
}

static void
add_record (Rig *rig, GString *text)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->element, "src");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, record,
            text, NULL);
}

/* What is serialised keeps its place among the frames; so do new caps. */
static void
expect_serialised (const char *mode)
{
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b", "mode", mode, NULL);
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (GstCaps) caps =
            gst_caps_from_string ("video/x-raw,format=RGB,width=128,height=96,framerate=0/1");
    GstBuffer *larger = gst_buffer_new_allocate (NULL, 128 * 96 * 3, NULL);

    gst_buffer_memset (larger, 0, 0, 128 * 96 * 3);
    GST_BUFFER_PTS (larger) = 2 * FRAME;
    add_record (rig, text);
    gst_harness_push (rig->harness, new_numbered_frame (0));
    gst_harness_push_event (rig->harness, gst_event_new_gap (FRAME, FRAME));
    gst_harness_push (rig->harness, new_numbered_frame (1));
    gst_harness_push_event (rig->harness, gst_event_new_caps (caps));
    gst_harness_push (rig->harness, larger);
    for (guint i = 0; i < 3; i++)
        gst_buffer_unref (gst_harness_pull (rig->harness));
    fail_unless_equals_string (text->str, "0 gap 1 caps 2 ");
    rig_free (rig);
}

GST_START_TEST (test_serialised_events_keep_their_place)
{
    expect_serialised ("exact");
    expect_serialised ("live");
}
GST_END_TEST;

GST_START_TEST (test_exact_flush_discards)
{
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b", "mode", "exact", "threshold", "0",
            "interval", "1000000000", NULL);
    GstSegment segment;
    g_autoptr (GstBuffer) buffer = NULL;

    for (guint i = 0; i < 5; i++)
        gst_harness_push (rig->harness, new_numbered_frame (i));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_flush_start ()));
    fail_unless_equals_int (
            gst_harness_push (rig->harness, new_numbered_frame (5)), GST_FLOW_FLUSHING);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_flush_stop (TRUE)));
    while ((buffer = gst_harness_try_pull (rig->harness)))
        gst_clear_buffer (&buffer);

    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (rig->harness, gst_event_new_segment (&segment));
    gst_harness_push (rig->harness, new_numbered_frame (10));
    buffer = gst_harness_pull (rig->harness);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 10 * FRAME);
    fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), 10 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* Upstream sends its caps once: a flush must not lose those that wait behind a frame. */
GST_START_TEST (test_exact_flush_keeps_waiting_caps)
{
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b", "mode", "exact", NULL);
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->element, "src");
    g_autoptr (GstCaps) caps =
            gst_caps_from_string ("video/x-raw,format=RGB,width=128,height=96,framerate=30/1");
    g_autoptr (GstCaps) found = NULL;

    gst_harness_push (rig->harness, new_numbered_frame (0));
    gst_harness_push_event (rig->harness, gst_event_new_caps (caps));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_flush_start ()));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_flush_stop (TRUE)));
    found = gst_pad_get_current_caps (pad);
    fail_unless (found != NULL && gst_caps_is_equal (found, caps));
    rig_free (rig);
}
GST_END_TEST;

/* Answers the first frame with a flow return of the test's. */
static GstPadProbeReturn
answer_first_frame (GstPad *pad, GstPadProbeInfo *info, gpointer answer)
{
    gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
    info->data = NULL;
    GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GPOINTER_TO_INT (answer);
    gst_pad_remove_probe (pad, info->id);
    return GST_PAD_PROBE_HANDLED;
}

static void
answer_first_frame_with (Rig *rig, GstFlowReturn ret)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->element, "src");

    gst_pad_add_probe (
            pad, GST_PAD_PROBE_TYPE_BUFFER, answer_first_frame, GINT_TO_POINTER (ret), NULL);
}

/* Downstream wants no more of one segment; the next is already in the queue. */
GST_START_TEST (test_exact_eos_from_downstream_spares_the_next_segment)
{
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b", "mode", "exact", "interval",
            "3600000000000", NULL);
    GstSegment segment;

    answer_first_frame_with (rig, GST_FLOW_EOS);
    gst_segment_init (&segment, GST_FORMAT_TIME);
    for (guint i = 0; i < 3; i++)
        gst_harness_push (rig->harness, new_numbered_frame (i));
    segment.base = GST_SECOND;
    gst_harness_push_event (rig->harness, gst_event_new_segment (&segment));
    for (guint i = 10; i < 15; i++)
        gst_harness_push (rig->harness, new_numbered_frame (i));
    for (guint i = 10; i < 15; i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

        fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), i * FRAME);
    }
    rig_free (rig);
}
GST_END_TEST;

/* Upstream ended before it could see the error: the element has to tell. */
GST_START_TEST (test_exact_error_before_eos_is_posted)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);
    GstFlowReturn ret = GST_FLOW_OK;

    answer_first_frame_with (rig, GST_FLOW_NOT_NEGOTIATED);
    for (guint i = 0; i < 1000 && ret == GST_FLOW_OK; i++) {
        ret = gst_harness_push (rig->harness, new_numbered_frame (i));
        g_usleep (5000);
    }
    fail_unless_equals_int (ret, GST_FLOW_NOT_NEGOTIATED);
    fail_if (gst_harness_push_event (rig->harness, gst_event_new_eos ()));
    expect_text (rig->bus, GST_MESSAGE_ERROR, "stream error");
    rig_free (rig);
}
GST_END_TEST;

/* An application may seek from the message that says a label began. */
typedef struct {
    Rig *rig;
    gint n_begins;
    GAsyncQueue *done; /* has something in it when the seek is over */
} Seeker;

static GstBusSyncReply
flush_at_begin (GstBus *bus, GstMessage *message, gpointer data)
{
    Seeker *seeker = data;
    const GstStructure *structure = gst_message_get_structure (message);

    (void)bus;
    if (gst_message_has_name (message, "altclip") &&
            g_str_equal (gst_structure_get_string (structure, "event"), "begin") &&
            g_atomic_int_add (&seeker->n_begins, 1) == 0) {
        gst_harness_push_event (seeker->rig->harness, gst_event_new_flush_start ());
        gst_harness_push_event (seeker->rig->harness, gst_event_new_flush_stop (TRUE));
        g_async_queue_push (seeker->done, seeker);
    }
    return GST_BUS_PASS;
}

GST_START_TEST (test_flush_from_a_message_handler)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "threshold", "0.4", NULL);
    Seeker seeker = { rig, 0, g_async_queue_new () };

    gst_bus_set_sync_handler (rig->bus, flush_at_begin, &seeker, NULL);
    gst_harness_push (rig->harness, new_numbered_frame (0));
    fail_unless (g_async_queue_timeout_pop (seeker.done, PATIENCE / GST_USECOND) == &seeker);
    expect_ending (rig->bus, "flush");
    gst_bus_set_sync_handler (rig->bus, NULL, NULL, NULL);
    rig_free (rig);
    g_async_queue_unref (seeker.done);
}
GST_END_TEST;

/* A flush ends what is active, and a wait for room in the queue. */
static gpointer
flush_later (gpointer data)
{
    Rig *rig = data;

    g_usleep (200000);
    gst_harness_push_event (rig->harness, gst_event_new_flush_start ());
    return NULL;
}

GST_START_TEST (test_flush_wakes_a_full_queue)
{
    Rig *rig = rig_new (
            models_get_slow (), "prompts", "a;b", "mode", "exact", "max-buffers", "1", NULL);
    GThread *thread;
    GstFlowReturn ret = GST_FLOW_OK;

    thread = g_thread_new ("flush", flush_later, rig);
    for (guint i = 0; i < 100 && ret == GST_FLOW_OK; i++)
        ret = gst_harness_push (rig->harness, new_numbered_frame (i));
    fail_unless_equals_int (ret, GST_FLOW_FLUSHING);
    g_thread_join (thread);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_exact_posts_progress)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);

    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (0)));
    fail_unless_equals_int (count_open_progress (rig->bus), 0);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_exact_slowness_is_told_of_once)
{
    Rig *rig = rig_new (
            models_get_slow (), "prompts", "a;b", "mode", "exact", "max-buffers", "1", NULL);

    for (guint i = 0; i < 4; i++)
        fail_unless_equals_int (
                gst_harness_push (rig->harness, new_numbered_frame (i)), GST_FLOW_OK);
    expect_text (rig->bus, GST_MESSAGE_WARNING, "mode=live");
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_WARNING) == NULL);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Live mode ------------------------------------------------------------------------------- */

GST_START_TEST (test_live_tags_with_age)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", NULL);
    guint at = 0;
    g_autoptr (GstBuffer) buffer = push_until_tagged (rig, &at);
    const GstStructure *tags = get_tags (buffer);

    fail_unless (get_age (tags) > 0);
    fail_unless_equals_uint64 (
            get_frame_pts (tags) + (guint64)get_age (tags), GST_BUFFER_PTS (buffer));
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_live_results_expire)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "threshold", "0",
            "interval", "3600000000000", "max-age", "1000000000", NULL);
    guint at = 0;
    GstBuffer *buffer = push_until_tagged (rig, &at);

    gst_buffer_unref (buffer);
    gst_harness_push (rig->harness, new_numbered_frame (at + 31));
    buffer = gst_harness_pull (rig->harness);
    fail_unless (get_tags (buffer) == NULL);
    gst_buffer_unref (buffer);
    expect_ending (rig->bus, "expired");
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_live_flush_forgets)
{
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b", "mode", "live", "threshold", "0",
            "max-age", "3600000000000", NULL);
    guint at = 0;
    GstBuffer *buffer = push_until_tagged (rig, &at);
    GstSegment segment;

    gst_buffer_unref (buffer);
    gst_harness_push_event (rig->harness, gst_event_new_flush_start ());
    expect_ending (rig->bus, "flush");
    gst_harness_push_event (rig->harness, gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (rig->harness, gst_event_new_segment (&segment));
    for (guint i = 0; i < 30; i++) {
        gst_harness_push (rig->harness, new_numbered_frame (1000 + i));
        buffer = gst_harness_pull (rig->harness);
        if (get_tags (buffer))
            fail_unless (get_frame_pts (get_tags (buffer)) >= 1000 * FRAME);
        gst_buffer_unref (buffer);
        g_usleep (33333);
    }
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_live_eos_waits_for_the_frame_in_work)
{
    Rig *rig = rig_new (
            models_get_slow (), "prompts", "a;b", "mode", "live", "post-messages", "all", NULL);
    guint at = 0;
    guint64 pts = 0;
    GstMessage *message;

    gst_buffer_unref (push_until_tagged (rig, &at));
    gst_harness_push (rig->harness, new_numbered_frame (at));
    gst_buffer_unref (gst_harness_pull (rig->harness));
    gst_harness_push_event (rig->harness, gst_event_new_eos ());
    /* All is posted by now: nothing is waited for. */
    while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
        gst_structure_get_uint64 (gst_message_get_structure (message), "pts", &pts);
        gst_message_unref (message);
    }
    fail_unless_equals_uint64 (pts, at * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* Costs of the streaming thread between the element's pads, one per frame. */
typedef struct {
    GArray *costs; /* in ns of the thread's CPU time */
    GArray *waits; /* in µs of wall time */
    guint64 cpu;
    gint64 wall;
    guint tagged;
    guint distinct;
    guint64 last_pts;
    gint64 worst_age;
    gint enough; /* of frames and of results, as the streaming thread found */
} Costs;

#define ENOUGH_FRAMES 300

static guint64
get_thread_time (void)
{
    struct timespec time;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
    return (guint64)time.tv_sec * GST_SECOND + (guint64)time.tv_nsec;
}

static GstPadProbeReturn
note_entry (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info G_GNUC_UNUSED, gpointer user_data)
{
    Costs *costs = user_data;

    costs->wall = g_get_monotonic_time ();
    costs->cpu = get_thread_time ();
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
note_exit (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data)
{
    Costs *costs = user_data;
    guint64 cost = get_thread_time () - costs->cpu;
    gint64 wait = g_get_monotonic_time () - costs->wall;
    const GstStructure *tags = get_tags (gst_pad_probe_info_get_buffer (info));

    g_array_append_val (costs->costs, cost);
    g_array_append_val (costs->waits, wait);
    if (tags) {
        costs->tagged++;
        costs->distinct += get_frame_pts (tags) != costs->last_pts;
        costs->last_pts = get_frame_pts (tags);
        costs->worst_age = MAX (costs->worst_age, get_age (tags));
    }
    if (costs->costs->len >= ENOUGH_FRAMES && costs->tagged > 50 && costs->distinct >= 2)
        g_atomic_int_set (&costs->enough, TRUE);
    return GST_PAD_PROBE_OK;
}

static gint
compare_costs (gconstpointer a, gconstpointer b)
{
    guint64 first = *(const guint64 *)a;
    guint64 second = *(const guint64 *)b;

    return (first > second) - (first < second);
}

static void
add_cost_probes (GstElement *pipeline, Costs *costs)
{
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_autoptr (GstPad) sink = gst_element_get_static_pad (filter, "sink");
    g_autoptr (GstPad) src = gst_element_get_static_pad (filter, "src");

    gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, note_entry, costs, NULL);
    gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, note_exit, costs, NULL);
}

/* The wait for the worker would be half a second; CPU time is not blurred by a busy machine. */
GST_START_TEST (test_live_never_waits)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc is-live=true ! "
            "video/x-raw,format=NV12,width=640,height=480,framerate=30/1 ! "
            "altclipfilter name=filter model=%s prompts=a;b;c max-age=60000000000 ! "
            "fakesink sync=true",
            models_get_slowest ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    /* Has the model open already: what is measured is the time after. */
    Rig *opener = rig_new (models_get_slowest (), "prompts", "a;b", "mode", "exact", NULL);
    Costs costs = { .last_pts = GST_CLOCK_TIME_NONE };
    guint64 cost;
    gint64 wait;
    gint64 deadline;

    costs.costs = g_array_new (FALSE, FALSE, sizeof (guint64));
    costs.waits = g_array_new (FALSE, FALSE, sizeof (gint64));
    add_cost_probes (pipeline, &costs);
    gst_buffer_unref (gst_harness_push_and_pull (opener->harness, new_numbered_frame (0)));
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    /* Ten seconds of video hold several results, unless the machine is busy with something else. */
    deadline = g_get_monotonic_time () + PATIENCE / GST_USECOND;
    while (!g_atomic_int_get (&costs.enough) && g_get_monotonic_time () < deadline)
        g_usleep (10000);
    gst_element_send_event (pipeline, gst_event_new_eos ());
    gst_message_unref (pop_message (bus, GST_MESSAGE_EOS));
    gst_element_set_state (pipeline, GST_STATE_NULL);

    fail_unless (costs.costs->len >= ENOUGH_FRAMES, "only %u frames came", costs.costs->len);
    g_array_sort (costs.costs, compare_costs);
    g_array_sort (costs.waits, compare_costs);
    cost = g_array_index (costs.costs, guint64, costs.costs->len * 99 / 100);
    wait = g_array_index (costs.waits, gint64, costs.costs->len / 2);
    GST_INFO ("CPU p99 %" G_GUINT64_FORMAT " ns, median wait %" G_GINT64_FORMAT
              " us, %u tagged, %u results, worst age %" G_GINT64_FORMAT " ns",
            cost, wait, costs.tagged, costs.distinct, costs.worst_age);
    fail_unless (cost <= GST_MSECOND, "p99 is %" G_GUINT64_FORMAT " ns", cost);
    fail_unless (wait <= 5000, "the median wait is %" G_GINT64_FORMAT " us", wait);
    fail_unless (costs.tagged > 50, "only %u frames were tagged", costs.tagged);
    fail_unless (costs.worst_age >= 200 * (gint64)GST_MSECOND, "the model is not slow");
    fail_unless (costs.distinct >= 2, "only %u results came", costs.distinct);
    g_array_unref (costs.costs);
    g_array_unref (costs.waits);
    rig_free (opener);
}
GST_END_TEST;

/* ---- Mode, allocation ------------------------------------------------------------------------ */

/* Without a live source auto is exact: the first frame already has its own result. */
GST_START_TEST (test_auto_decides)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", NULL);
    g_autoptr (GstBuffer) buffer = NULL;

    gst_harness_set_live (rig->harness, FALSE);
    gst_harness_push (rig->harness, new_numbered_frame (0));
    buffer = gst_harness_pull (rig->harness);
    fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), 0);

    /* And for a new stream it decides anew. */
    gst_clear_buffer (&buffer);
    gst_harness_set_live (rig->harness, TRUE);
    gst_harness_push_event (rig->harness, gst_event_new_stream_start ("second"));
    fail_unless_equals_int (gst_harness_push (rig->harness, new_numbered_frame (1)), GST_FLOW_OK);
    buffer = gst_harness_pull (rig->harness);
    fail_unless (!get_tags (buffer) || get_frame_pts (get_tags (buffer)) == 0);
    rig_free (rig);
}
GST_END_TEST;

static guint
query_min_buffers (const char *mode)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", mode, "max-buffers", "17", NULL);
    g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
    guint size;
    guint min;
    guint max;

    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (0)));
    fail_unless (gst_pad_peer_query (rig->harness->srcpad, query));
    fail_unless (gst_query_get_n_allocation_pools (query) > 0);
    gst_query_parse_nth_allocation_pool (query, 0, NULL, &size, &min, &max);
    rig_free (rig);
    return min;
}

GST_START_TEST (test_held_frames_are_asked_for)
{
    guint live = query_min_buffers ("live");

    fail_unless_equals_int (query_min_buffers ("exact") - live, 17 - 2);
}
GST_END_TEST;

/* A pool of three, held up by a queue of sixteen, would stop its owner. */
GST_START_TEST (test_small_pools_are_copied)
{
    Rig *rig = rig_new (
            models_get_slow (), "prompts", "a;b", "mode", "exact", "max-buffers", "16", NULL);
    g_autoptr (GstBufferPool) pool = gst_buffer_pool_new ();
    GstStructure *config = gst_buffer_pool_get_config (pool);
    g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);

    gst_buffer_pool_config_set_params (config, caps, FRAME_SIZE, 3, 3);
    fail_unless (gst_buffer_pool_set_config (pool, config));
    gst_buffer_pool_set_active (pool, TRUE);
    for (guint i = 0; i < 6; i++) {
        GstBuffer *buffer = NULL;

        fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
        GST_BUFFER_PTS (buffer) = i * FRAME;
        gst_harness_push (rig->harness, buffer);
    }
    gst_harness_push_event (rig->harness, gst_event_new_eos ());
    rig_free (rig);
    gst_buffer_pool_set_active (pool, FALSE);
}
GST_END_TEST;

/* ---- Buffers and metadata -------------------------------------------------------------------- */

GST_START_TEST (test_shared_buffers_stay_untouched)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);
    g_autoptr (GstBuffer) buffer = new_numbered_frame (0);
    g_autoptr (GstBuffer) tagged = NULL;

    gst_harness_push (rig->harness, gst_buffer_ref (buffer));
    tagged = gst_harness_pull (rig->harness);
    fail_unless (get_tags (tagged) != NULL);
    fail_unless (get_tags (buffer) == NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Two elements in a row, then conversion and scaling. */
GST_START_TEST (test_meta_survives_conversion)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=160,height=120 ! "
            "altclipfilter name=first model=%s prompts=a;b ! "
            "altclipfilter name=second model=%s prompts=c;d;e ! queue ! videoconvert ! "
            "video/x-raw,format=I420 ! videoscale ! video/x-raw,width=80,height=60 ! videorate ! "
            "tee ! appsink name=sink",
            models_get_quick (), models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstSample) sample = NULL;
    const GstStructure *tags;
    const GstStructure *upstream;

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    g_signal_emit_by_name (sink, "pull-sample", &sample);
    fail_unless (sample != NULL);
    tags = get_tags (gst_sample_get_buffer (sample));
    fail_unless (tags != NULL);
    fail_unless_equals_string (gst_structure_get_string (tags, "element"), "second");
    fail_unless_equals_int (get_n_labels (tags), 3);
    upstream = gst_value_get_structure (gst_structure_get_value (tags, "upstream"));
    fail_unless_equals_string (gst_structure_get_string (upstream, "element"), "first");
    fail_unless_equals_int (get_n_labels (upstream), 2);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST (test_caps_without_framerate)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);

    gst_harness_set_src_caps_str (rig->harness, "video/x-raw,format=RGB,width=64,height=48");
    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (0)));
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_frames_without_framerate_or_time)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "interval", "500000000", NULL);

    gst_harness_set_src_caps_str (
            rig->harness, "video/x-raw,format=RGB,width=64,height=48,framerate=0/1");
    for (guint i = 0; i < 4; i++) {
        GstBuffer *buffer = new_numbered_frame (i);

        GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
        if (i >= 2)
            GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
        gst_harness_push (rig->harness, buffer);
    }
    for (guint i = 0; i < 4; i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);
        guint64 pts = get_frame_pts (get_tags (buffer));

        /* 0 is analysed and covers 1; the two without a time are analysed themselves. */
        fail_unless_equals_uint64 (pts, i < 2 ? 0 : GST_CLOCK_TIME_NONE);
    }
    rig_free (rig);
}
GST_END_TEST;

static GstBuffer *
new_short_frame (guint number)
{
    GstBuffer *buffer = new_numbered_frame (number);

    gst_buffer_set_size (buffer, FRAME_SIZE / 2);
    return buffer;
}

/* Frames that cannot be looked at: two runs of them, a warning each, and all go on. */
GST_START_TEST (test_failing_frames_pass_untagged)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);

    for (guint i = 0; i < 8; i++) {
        gboolean bad = i % 4 >= 2;
        g_autoptr (GstBuffer) buffer = gst_harness_push_and_pull (
                rig->harness, bad ? new_short_frame (i) : new_numbered_frame (i));

        fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), i * FRAME);
        fail_unless ((get_tags (buffer) == NULL) == bad);
    }
    gst_message_unref (pop_message (rig->bus, GST_MESSAGE_WARNING));
    gst_message_unref (pop_message (rig->bus, GST_MESSAGE_WARNING));
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_WARNING) == NULL);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_message_fields)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "threshold", "0", NULL);
    static GstStaticCaps unix_caps = GST_STATIC_CAPS ("timestamp/x-unix");
    g_autoptr (GstCaps) caps = gst_static_caps_get (&unix_caps);
    g_autoptr (GstMessage) message = NULL;
    GstBuffer *buffer = new_numbered_frame (3);
    const GstStructure *structure;
    guint64 time;

    gst_buffer_add_reference_timestamp_meta (buffer, caps, 0, GST_CLOCK_TIME_NONE);
    gst_harness_push (rig->harness, buffer);
    message = pop_event (rig->bus, "begin");
    structure = gst_message_get_structure (message);
    fail_unless (gst_structure_get_uint64 (structure, "pts", &time) && time == 3 * FRAME);
    fail_unless (gst_structure_get_uint64 (structure, "stream-time", &time) && time == 3 * FRAME);
    fail_unless (gst_structure_get_uint64 (structure, "running-time", &time) && time == 3 * FRAME);
    fail_unless_equals_string (
            gst_structure_get_string (structure, "utc"), "1970-01-01T00:00:00.000000Z");
    fail_unless_equals_string (gst_structure_get_string (structure, "utc-source"), "reference");
    fail_unless (gst_structure_has_field_typed (structure, "stream-id", G_TYPE_STRING));
    fail_unless (gst_structure_has_field_typed (structure, "label", G_TYPE_STRING));
    fail_unless (gst_structure_has_field_typed (structure, "index", G_TYPE_UINT));
    fail_unless (gst_structure_has_field_typed (structure, "score", G_TYPE_DOUBLE));
    fail_unless (gst_structure_has_field_typed (structure, "cosine", G_TYPE_DOUBLE));
    fail_unless (gst_structure_has_field_typed (structure, "revision", G_TYPE_UINT));
    rig_free (rig);
}
GST_END_TEST;

/* The time of day that the message of a frame says. (transfer full) */
static GstMessage *
get_utc (const char *reference, GstClockTime timestamp)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "threshold", "0", NULL);
    GstBuffer *buffer = new_numbered_frame (0);
    GstMessage *message;

    if (reference) {
        g_autoptr (GstCaps) caps = gst_caps_from_string (reference);

        gst_buffer_add_reference_timestamp_meta (buffer, caps, timestamp, GST_CLOCK_TIME_NONE);
    }
    gst_harness_push (rig->harness, buffer);
    message = pop_event (rig->bus, "begin");
    rig_free (rig);
    return message;
}

static void
expect_reference (const char *reference, GstClockTime timestamp, const char *utc)
{
    g_autoptr (GstMessage) message = get_utc (reference, timestamp);
    const GstStructure *structure = gst_message_get_structure (message);

    fail_unless_equals_string (gst_structure_get_string (structure, "utc"), utc);
    fail_unless_equals_string (gst_structure_get_string (structure, "utc-source"), "reference");
}

/* Without a reference, and with one that is no time of day, it is this machine's clock. */
static void
expect_wall (const char *reference)
{
    g_autoptr (GDateTime) begin = g_date_time_new_now_utc ();
    g_autoptr (GstMessage) message = get_utc (reference, 1);
    g_autoptr (GDateTime) end = g_date_time_new_now_utc ();
    const GstStructure *structure = gst_message_get_structure (message);
    g_autoptr (GDateTime) utc =
            g_date_time_new_from_iso8601 (gst_structure_get_string (structure, "utc"), NULL);

    fail_unless (utc != NULL);
    fail_unless (g_date_time_compare (begin, utc) <= 0 && g_date_time_compare (utc, end) <= 0);
    fail_unless_equals_string (gst_structure_get_string (structure, "utc-source"), "wall");
}

/* NTP counts from 1900. */
GST_START_TEST (test_time_of_day)
{
    GstClockTime ntp = (G_GUINT64_CONSTANT (2208988800) + 3600) * GST_SECOND + 7 * GST_USECOND;

    expect_reference ("timestamp/x-unix", G_GUINT64_CONSTANT (1700000000) * GST_SECOND,
            "2023-11-14T22:13:20.000000Z");
    expect_reference ("timestamp/x-ntp", ntp, "1970-01-01T01:00:00.000007Z");
    expect_wall (NULL);
    expect_wall ("timestamp/x-drone-clock");
}
GST_END_TEST;

static gboolean
accepts (Rig *rig, const char *multiview_mode)
{
    g_autofree char *text = g_strdup_printf (CAPS ",multiview-mode=%s", multiview_mode);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);

    return gst_pad_peer_query_accept_caps (rig->harness->srcpad, caps);
}

/* Several pictures in one frame, or frames of several in turn. One of a pair is a picture. */
GST_START_TEST (test_multiview_is_refused)
{
    static const char *const refused[] = { "side-by-side", "side-by-side-quincunx",
        "column-interleaved", "row-interleaved", "top-bottom", "checkerboard", "frame-by-frame",
        "multiview-frame-by-frame", "separated" };
    static const char *const accepted[] = { "mono", "left", "right" };
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", NULL);

    for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
        fail_if (accepts (rig, refused[i]), "%s", refused[i]);
    for (guint i = 0; i < G_N_ELEMENTS (accepted); i++)
        fail_unless (accepts (rig, accepted[i]), "%s", accepted[i]);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Prompts --------------------------------------------------------------------------------- */

GST_START_TEST (test_no_prompts_passes_untagged)
{
    Rig *rig = rig_new (models_get_quick (), "mode", "exact", NULL);

    for (guint i = 0; i < 3; i++) {
        g_autoptr (GstBuffer) buffer = NULL;

        gst_harness_push (rig->harness, new_numbered_frame (i));
        buffer = gst_harness_pull (rig->harness);
        fail_unless (get_tags (buffer) == NULL);
    }
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING) == NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Exact: pushes frames until one has that revision. (transfer full) */
static GstBuffer *
push_until_revision (Rig *rig, guint *at, guint revision)
{
    for (guint i = 0; i < 3000; i++) {
        GstBuffer *buffer;

        gst_harness_push (rig->harness, new_numbered_frame ((*at)++));
        buffer = gst_harness_pull (rig->harness);
        fail_unless (get_tags (buffer) != NULL);
        if (get_revision (get_tags (buffer)) == revision)
            return buffer;
        gst_buffer_unref (buffer);
        g_usleep (10000);
    }
    fail ("revision %u did not come", revision);
    return NULL;
}

GST_START_TEST (test_prompts_swap_while_playing)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "threshold", "0", NULL);
    g_autofree char *prompts = NULL;
    guint at = 0;
    GstBuffer *buffer = push_until_revision (rig, &at, 1);

    fail_unless_equals_int (get_n_labels (get_tags (buffer)), 2);
    gst_buffer_unref (buffer);

    g_object_set (rig->element, "prompts", "x;y;z", NULL);
    buffer = push_until_revision (rig, &at, 2);
    fail_unless_equals_int (get_n_labels (get_tags (buffer)), 3);
    gst_buffer_unref (buffer);
    expect_ending (rig->bus, "prompts");
    expect_ending (rig->bus, "prompts");

    /* One that fails is told of, is what the property says, and changes nothing. */
    g_object_set (rig->element, "prompts", "x;;y;x;y;x;y;;;;", NULL);
    g_object_set (rig->element, "prompts", "x;x", NULL);
    gst_message_unref (pop_message (rig->bus, GST_MESSAGE_WARNING));
    g_object_get (rig->element, "prompts", &prompts, NULL);
    fail_unless_equals_string (prompts, "x;x");
    buffer = push_until_revision (rig, &at, 2);
    fail_unless_equals_int (get_n_labels (get_tags (buffer)), 3);
    gst_buffer_unref (buffer);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_new_prompts_are_due_at_once)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "interval",
            "3600000000000", NULL);
    guint at = 0;

    gst_buffer_unref (push_until_revision (rig, &at, 1));
    g_object_set (rig->element, "prompts", "x;y;z", NULL);
    gst_buffer_unref (push_until_revision (rig, &at, 2));
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_dropped_prompts)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);
    guint at = 0;
    GstBuffer *buffer = push_until_revision (rig, &at, 1);

    gst_buffer_unref (buffer);
    g_object_set (rig->element, "prompts", NULL, NULL);
    buffer = gst_harness_push_and_pull (rig->harness, new_numbered_frame (at++));
    fail_unless (get_tags (buffer) == NULL);
    gst_buffer_unref (buffer);
    rig_free (rig);
}
GST_END_TEST;

static void
expect_bad_prompts (const char *prompts)
{
    Rig *rig = rig_new (models_get_quick (), "mode", "exact", NULL);
    g_autoptr (GstBuffer) buffer = NULL;

    g_object_set (rig->element, "prompts", prompts, NULL);
    gst_message_unref (pop_message (rig->bus, GST_MESSAGE_WARNING));
    buffer = gst_harness_push_and_pull (rig->harness, new_numbered_frame (0));
    fail_unless (get_tags (buffer) == NULL);
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_WARNING) == NULL);
    rig_free (rig);
}

static char *
new_prompts (guint n_labels)
{
    GString *prompts = g_string_new (NULL);

    for (guint i = 0; i < n_labels; i++)
        g_string_append_printf (prompts, "%s%u", i > 0 ? ";" : "", i);
    return g_string_free (prompts, FALSE);
}

GST_START_TEST (test_bad_prompts)
{
    g_autofree char *too_many = new_prompts (10001);

    expect_bad_prompts ("a; ;b");
    expect_bad_prompts ("a;b;a");
    expect_bad_prompts ("a;\xff\xfe");
    expect_bad_prompts (too_many);
}
GST_END_TEST;

GST_START_TEST (test_ten_thousand_prompts)
{
    g_autofree char *prompts = new_prompts (10000);
    Rig *rig = rig_new (models_get_quick (), "prompts", prompts, "mode", "exact", "post-messages",
            "none", NULL);
    g_autoptr (GstBuffer) buffer = gst_harness_push_and_pull (rig->harness, new_numbered_frame (0));

    fail_unless_equals_int (get_n_labels (get_tags (buffer)), 10);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_lone_prompt_is_told_of)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a", "mode", "exact", NULL);

    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (0)));
    expect_text (rig->bus, GST_MESSAGE_WARNING, "one phrase");
    rig_free (rig);
}
GST_END_TEST;

static void
expect_no_warning (Rig *rig)
{
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING) == NULL);
}

/* Which of the two comes first may be of no account. */
static char *
pop_two_warnings (Rig *rig)
{
    g_autoptr (GstMessage) one = pop_message (rig->bus, GST_MESSAGE_WARNING);
    g_autoptr (GstMessage) other = pop_message (rig->bus, GST_MESSAGE_WARNING);
    g_autofree char *first = get_text (one);
    g_autofree char *second = get_text (other);

    return g_strconcat (first, "\n", second, NULL);
}

/* Once of each set of prompts, whichever of the set and the score mode comes last. */
GST_START_TEST (test_lone_prompt_with_another_score_mode)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a", "score-mode", "cosine", "mode", "exact", NULL);
    guint at = 0;

    gst_buffer_unref (push_until_revision (rig, &at, 1));
    expect_no_warning (rig);
    gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "sigmoid");
    expect_no_warning (rig);
    gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "softmax");
    expect_text (rig->bus, GST_MESSAGE_WARNING, "one phrase");
    gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "cosine");
    gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "softmax");
    gst_buffer_unref (push_until_revision (rig, &at, 1));
    expect_no_warning (rig);
    g_object_set (rig->element, "prompts", "b", NULL);
    gst_buffer_unref (push_until_revision (rig, &at, 2));
    expect_text (rig->bus, GST_MESSAGE_WARNING, "one phrase");
    gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "cosine");
    gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "softmax");
    expect_no_warning (rig);
    rig_free (rig);
}
GST_END_TEST;

/* A score mode that comes while a file is read which turns out to be none counts for the prompts
 * that go on. */
GST_START_TEST (test_lone_prompt_after_a_bad_file)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a", "score-mode", "cosine", "mode", "exact", NULL);
    guint at = 0;

    gst_buffer_unref (push_until_revision (rig, &at, 1));
    for (guint i = 1; i <= 20; i++) {
        g_autofree char *label = g_strdup_printf ("label %u", i);
        g_autofree char *said = NULL;

        gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "cosine");
        g_object_set (rig->element, "prompts", label, NULL);
        gst_buffer_unref (push_until_revision (rig, &at, i + 1));
        expect_no_warning (rig);
        g_object_set (rig->element, "prompts-file", "/no/such.json", NULL);
        gst_util_set_object_arg (G_OBJECT (rig->element), "score-mode", "softmax");
        said = pop_two_warnings (rig);
        fail_unless (strstr (said, "/no/such.json") && strstr (said, "one phrase"), "%s", said);
        expect_no_warning (rig);
    }
    rig_free (rig);
}
GST_END_TEST;

/* Runes, which the bundled model's tokenizer has never met, beside words that it has. */
GST_START_TEST (test_unknown_words_are_told_of)
{
    Rig *rig;

    if (!models_get_demo ())
        return;
    rig = rig_new (models_get_demo (), "prompts",
            "ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺ ᚾᛁᛃ;a red circle;ᚠᚢ;rune=ᚦᚨ|ᚱᚲ;ᚷᚹ;ᚺ;ᚾᛁ", "mode", "exact", NULL);
    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (0)));
    expect_text (rig->bus, GST_MESSAGE_WARNING,
            "knows few of the words in \"ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺ ᚾᛁᛃ\", \"ᚠᚢ\", \"ᚦᚨ\", \"ᚱᚲ\", \"ᚷᚹ\" and 2 "
            "more.");
    g_object_set (rig->element, "prompts", "a red circle;a black screen", NULL);
    gst_buffer_unref (push_until_revision (rig, &(guint){ 1 }, 2));
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_WARNING) == NULL);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Files of prompts ------------------------------------------------------------------------ */

/* In @json ' stands for ". (transfer full): the path of a file in the models' directory. */
static char *
write_file (const char *json)
{
    g_autofree char *text = g_strdelimit (g_strdup (json), "'", '"');
    g_autofree char *top = g_path_get_dirname (models_get_quick ());
    char *path = g_build_filename (top, "prompts.json", NULL);

    fail_unless (g_file_set_contents (path, text, -1, NULL));
    return path;
}

static Rig *
rig_new_with_file (const char *model, const char *json)
{
    g_autofree char *path = write_file (json);

    return rig_new (model, "prompts-file", path, "mode", "exact", NULL);
}

static void
expect_first_label (GstBuffer *buffer, const char *label)
{
    fail_unless_equals_string (
            gst_structure_get_string (get_label (get_tags (buffer), 0), "label"), label);
}

/* Exact: pushes frames until one has that revision, whose first label it is. */
static void
expect_revision (Rig *rig, guint *at, guint revision, const char *label)
{
    g_autoptr (GstBuffer) buffer = push_until_revision (rig, at, revision);

    expect_first_label (buffer, label);
}

static void
set_file (Rig *rig, const char *json)
{
    g_autofree char *path = write_file (json);

    g_object_set (rig->element, "prompts-file", path, NULL);
}

/* By cosine the labels need nothing to compare with, and the order is of no account with one. */
#define ONE_LABEL "{'version': 1, 'score_mode': 'cosine', 'labels': [{'label': '%s'}]}"

static void
set_one_label (Rig *rig, const char *label)
{
    g_autofree char *json = g_strdup_printf (ONE_LABEL, label);

    set_file (rig, json);
}

GST_START_TEST (test_prompts_file)
{
    Rig *rig = rig_new_with_file (models_get_quick (),
            "{'version': 1, 'score_mode': 'cosine', 'labels': ["
            "{'label': 'a', 'threshold': 1}, {'label': 'b', 'threshold': 0.9}]}");
    g_autoptr (GstBuffer) buffer = gst_harness_push_and_pull (rig->harness, new_numbered_frame (0));
    const GstStructure *tags = get_tags (buffer);

    fail_unless_equals_int (get_n_labels (tags), 2);
    fail_unless_equals_int (get_revision (tags), 1);
    for (guint i = 0; i < 2; i++) {
        double score = 0;
        double cosine = 0;

        fail_unless (gst_structure_get_double (get_label (tags, i), "score", &score));
        fail_unless (gst_structure_get_double (get_label (tags, i), "cosine", &cosine));
        fail_unless_equals_float (score, cosine);
    }
    expect_no_warning (rig);
    rig_free (rig);
}
GST_END_TEST;

/* Told of once, with line and field; the old set works on, and the file once it is mended. */
GST_START_TEST (test_bad_prompts_file)
{
    g_autofree char *json = g_strdup_printf (ONE_LABEL, "a");
    Rig *rig = rig_new_with_file (models_get_quick (), json);
    g_autofree char *path = NULL;
    guint at = 0;

    expect_revision (rig, &at, 1, "a");
    set_file (rig, "{'version': 1, 'labels': [{'label': 'b'},\n{'label': 'c', 'threshold': 2}]}");
    expect_text (rig->bus, GST_MESSAGE_WARNING,
            "prompts.json: line 2: labels[1].threshold is 2, but must be a number from 0 to 1");
    for (guint i = 0; i < 5; i++)
        expect_revision (rig, &at, 1, "a");
    expect_no_warning (rig);

    g_object_set (rig->element, "prompts-file", "/no/such.json", NULL);
    expect_text (rig->bus, GST_MESSAGE_WARNING, "/no/such.json: No such file");
    g_object_get (rig->element, "prompts-file", &path, NULL);
    fail_unless_equals_string (path, "/no/such.json");
    set_one_label (rig, "d");
    expect_revision (rig, &at, 2, "d");
    expect_no_warning (rig);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_bad_first_prompts_file)
{
    Rig *rig = rig_new_with_file (models_get_quick (), "{'version': 1, 'labels': []}");
    g_autoptr (GstBuffer) buffer = gst_harness_push_and_pull (rig->harness, new_numbered_frame (0));

    fail_unless (get_tags (buffer) == NULL);
    expect_text (rig->bus, GST_MESSAGE_WARNING, "line 1: labels is empty");
    expect_no_warning (rig);
    rig_free (rig);
}
GST_END_TEST;

/* Setting the property again reads the file again. */
GST_START_TEST (test_prompts_file_reloads)
{
    g_autofree char *json = g_strdup_printf (ONE_LABEL, "a");
    Rig *rig = rig_new_with_file (models_get_quick (), json);
    guint at = 0;

    expect_revision (rig, &at, 1, "a");
    for (guint i = 0; i < 20; i++) {
        g_autofree char *label = g_strdup_printf ("label %u", i);

        set_one_label (rig, label);
        expect_revision (rig, &at, 2 + i, label);
    }
    expect_no_warning (rig);
    rig_free (rig);
}
GST_END_TEST;

/* Of the two the one set last holds; the parts of the short form have no part in a file, and that
 * is said. */
GST_START_TEST (test_prompts_or_file)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a", "negative-prompts", "x", "score-mode",
            "sigmoid", "mode", "exact", NULL);
    guint at = 0;

    expect_revision (rig, &at, 1, "a");
    set_one_label (rig, "b");
    expect_revision (rig, &at, 2, "b");
    g_object_set (rig->element, "negative-prompts", "x;x", "templates", "no slot", NULL);
    for (guint i = 0; i < 5; i++)
        expect_revision (rig, &at, 2, "b");
    expect_text (rig->bus, GST_MESSAGE_WARNING, "no use for negative-prompts.");
    expect_text (rig->bus, GST_MESSAGE_WARNING, "no use for templates.");
    expect_no_warning (rig);
    g_object_set (rig->element, "negative-prompts", "y", "templates", "{}", "prompts", "c", NULL);
    expect_revision (rig, &at, 3, "c");
    expect_no_warning (rig);
    rig_free (rig);
}
GST_END_TEST;

/* One that is set to nothing was not set: it turns off no prompts but its own. */
GST_START_TEST (test_unset_prompts_file)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a", "score-mode", "sigmoid", "mode", "exact", NULL);
    guint at = 0;

    expect_revision (rig, &at, 1, "a");
    g_object_set (rig->element, "prompts-file", NULL, NULL);
    g_object_set (rig->element, "prompts-file", "", NULL);
    for (guint i = 0; i < 5; i++)
        expect_revision (rig, &at, 1, "a");
    set_one_label (rig, "b");
    expect_revision (rig, &at, 2, "b");
    g_object_set (rig->element, "prompts-file", "", NULL);
    expect_revision (rig, &at, 3, "a");
    set_one_label (rig, "c");
    expect_revision (rig, &at, 4, "c");
    g_object_set (rig->element, "prompts", NULL, "prompts-file", NULL, NULL);
    for (guint i = 0; i < 5; i++) {
        g_autoptr (GstBuffer) buffer =
                gst_harness_push_and_pull (rig->harness, new_numbered_frame (at++));

        fail_unless (get_tags (buffer) == NULL);
    }
    expect_no_warning (rig);
    rig_free (rig);
}
GST_END_TEST;

/* One warning when a file is taken, which names what has no part in it: not defaults. */
GST_START_TEST (test_prompts_file_ignores_others)
{
    static const struct {
        const char *negative_prompts;
        const char *templates;
        const char *ignored;
    } cases[] = {
        { NULL, "{}", NULL },
        { "", "", NULL },
        { "x", "{}", "no use for negative-prompts." },
        { "", "a photo of {}", "no use for templates." },
        { "x", "a photo of {}", "no use for negative-prompts and templates." },
    };
    g_autofree char *json = g_strdup_printf (ONE_LABEL, "a");

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autofree char *path = write_file (json);
        Rig *rig = rig_new_idle (models_get_quick (), "mode", "exact", NULL);
        guint at = 0;

        g_object_set (rig->element, "prompts-file", path, "negative-prompts",
                cases[i].negative_prompts, "templates", cases[i].templates, NULL);
        rig_start (rig);
        expect_revision (rig, &at, 1, "a");
        if (cases[i].ignored)
            expect_text (rig->bus, GST_MESSAGE_WARNING, cases[i].ignored);
        expect_no_warning (rig);
        set_one_label (rig, "b");
        expect_revision (rig, &at, 2, "b");
        if (cases[i].ignored)
            expect_text (rig->bus, GST_MESSAGE_WARNING, cases[i].ignored);
        expect_no_warning (rig);
        rig_free (rig);
    }
}
GST_END_TEST;

static char *
get_still (const char *name)
{
    return g_build_filename (TEST_GOLDEN_DIR, "stills", name, NULL);
}

/* A picture is nearest to itself; one that is none is told of with its line. */
GST_START_TEST (test_prompts_file_pictures)
{
    g_autofree char *still = get_still ("rgb.png");
    g_autofree char *other = get_still ("grey.png");
    g_autofree char *json =
            g_strdup_printf ("{'version': 1, 'labels': [{'label': 'this', 'images': ['%s']},"
                             "\n{'label': 'that', 'images': ['%s']}]}",
                    still, other);
    g_autofree char *bad = g_strdup_printf (
            "{'version': 1, 'labels': [\n{'label': 'this', 'images': ['%s/accuracy.c']}]}",
            TEST_GOLDEN_DIR "/..");
    g_autofree char *line = g_strdup_printf ("filesrc location=%s ! pngdec ! videoconvert !"
                                             " altclipfilter name=filter mode=exact ! appsink "
                                             "name=sink",
            still);
    g_autofree char *path = write_file (json);
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstSample) sample = NULL;
    double cosine = 0;

    g_object_set (filter, "model", models_get_quick (), "prompts-file", path, NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    g_signal_emit_by_name (sink, "pull-sample", &sample);
    expect_first_label (gst_sample_get_buffer (sample), "this");
    fail_unless (gst_structure_get_double (
            get_label (get_tags (gst_sample_get_buffer (sample)), 0), "cosine", &cosine));
    fail_unless (cosine > 0.9999);

    g_free (write_file (bad));
    g_object_set (filter, "prompts-file", path, NULL);
    expect_text (
            bus, GST_MESSAGE_WARNING, "accuracy.c: not a PNG or JPEG picture, by its first bytes");
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

/* Ready embeddings need no text tower. Texts do: they are told of, and the video goes on. */
GST_START_TEST (test_image_tower_alone)
{
    GString *json = g_string_new ("{'version': 1, 'labels': [");
    Rig *rig = rig_new (models_get_image_tower (), "prompts", "a;b", "mode", "exact", NULL);
    GstBuffer *buffer = gst_harness_push_and_pull (rig->harness, new_numbered_frame (0));
    guint at = 1;

    fail_unless (get_tags (buffer) == NULL);
    gst_buffer_unref (buffer);
    expect_text (rig->bus, GST_MESSAGE_WARNING, "holds no text tower");
    for (guint i = 0; i < 3; i++) {
        g_string_append_printf (json, "%s{'label': '%u', 'embedding': [1", i > 0 ? "," : "", i);
        for (guint j = 1; j < 32; j++)
            g_string_append_printf (json, ", %d", (int)((i + 1) * j % 5) - 2);
        g_string_append (json, "]}");
    }
    g_string_append (json, "]}");
    set_file (rig, json->str);
    for (guint i = 0; i < 3000; i++) {
        gboolean tagged;

        buffer = gst_harness_push_and_pull (rig->harness, new_numbered_frame (at++));
        tagged = get_tags (buffer) != NULL;
        fail_unless (!tagged || get_n_labels (get_tags (buffer)) == 3);
        gst_buffer_unref (buffer);
        if (tagged)
            break;
        fail_unless (i < 2999);
        g_usleep (10000);
    }
    expect_no_warning (rig);
    g_string_free (json, TRUE);
    rig_free (rig);
}
GST_END_TEST;

/* A label begins with the first frame at which it has been on for long enough. */
GST_START_TEST (test_min_on_time)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "threshold", "0", "min-on-time",
            "100000000", "mode", "exact", NULL);
    g_autoptr (GstMessage) message = NULL;
    guint64 pts = 0;

    for (guint i = 0; i < 6; i++) {
        g_autoptr (GstBuffer) buffer =
                gst_harness_push_and_pull (rig->harness, new_numbered_frame (i));
        gboolean active = FALSE;

        fail_unless (
                gst_structure_get_boolean (get_label (get_tags (buffer), 0), "active", &active));
        fail_unless_equals_int (active, i * FRAME >= 100000000);
    }
    message = pop_event (rig->bus, "begin");
    fail_unless (gst_structure_get_uint64 (gst_message_get_structure (message), "pts", &pts));
    fail_unless_equals_uint64 (pts, 4 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Models that cannot be used -------------------------------------------------------------- */

static void
expect_bad_model (const char *model, const char *text)
{
    static const char *modes[] = { "exact", "live" };

    for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
        Rig *rig = rig_new (model, "prompts", "a;b", "mode", modes[i], NULL);
        GstFlowReturn ret = GST_FLOW_OK;

        expect_text (rig->bus, GST_MESSAGE_ERROR, text);
        for (guint j = 0; j < 100 && ret == GST_FLOW_OK; j++) {
            ret = gst_harness_push (rig->harness, new_numbered_frame (j));
            g_usleep (10000);
        }
        fail_unless_equals_int (ret, GST_FLOW_ERROR);
        fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR) == NULL);
        rig_free (rig);
    }
}

GST_START_TEST (test_bad_models)
{
    expect_bad_model ("/nowhere/at/all", "/nowhere/at/all");
    expect_bad_model (models_get_truncated (), "model.safetensors");
    expect_bad_model (models_get_missing_tensor (), "visual_projection.weight");
    expect_bad_model (models_get_wrong_shape (), "vision_model.");
}
GST_END_TEST;

static void
expect_precision (const char *precision)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "precision", precision, NULL);
    g_autoptr (GstStructure) stats = NULL;

    gst_buffer_unref (push_until_tagged (rig, &(guint){ 0 }));
    g_object_get (rig->element, "stats", &stats, NULL);
    fail_unless_equals_string (gst_structure_get_string (stats, "precision"),
            g_str_equal (precision, "auto") ? "f32" : precision);
    fail_unless (gst_structure_has_field_typed (stats, "finer-layers", G_TYPE_UINT));
    rig_free (rig);
}

/* Elements of one model in several precisions, at the same time. */
GST_START_TEST (test_precision)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);

    gst_buffer_unref (push_until_tagged (rig, &(guint){ 0 }));
    expect_precision ("auto");
    expect_precision ("f32");
    expect_precision ("bf16");
    expect_precision ("int8");
    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (1)));
    expect_precision ("f32");
    rig_free (rig);
}
GST_END_TEST;

/* ---- States ---------------------------------------------------------------------------------- */

GST_START_TEST (test_state_cycles)
{
    g_autofree char *line = g_strdup_printf ("videotestsrc ! video/x-raw,width=64,height=48 ! "
                                             "altclipfilter name=filter prompts=a;b model=%s ! "
                                             "fakesink sync=true",
            models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");

    for (guint i = 0; i < 60; i++) {
        gst_util_set_object_arg (G_OBJECT (filter), "mode", i % 2 ? "exact" : "live");
        gst_element_set_state (pipeline, GST_STATE_PLAYING);
        /* Every other time without waiting for anything to happen. */
        if (i % 2)
            gst_element_get_state (pipeline, NULL, NULL, PATIENCE);
        if (i % 3 == 0)
            g_usleep (20000);
        gst_element_set_state (pipeline, i % 5 ? GST_STATE_NULL : GST_STATE_READY);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

static gpointer
push_one (gpointer data)
{
    Rig *rig = data;

    gst_harness_push (rig->harness, new_numbered_frame (0));
    return NULL;
}

/* Counts of a kind of PROGRESS, as they are posted. */
static GstBusSyncReply
count_progress (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data)
{
    guint *counts = data;
    GstProgressType type;

    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_PROGRESS) {
        gst_message_parse_progress (message, &type, NULL, NULL);
        g_atomic_int_inc (&counts[type]);
    }
    return GST_BUS_PASS;
}

#define N_PROGRESS_TYPES (GST_PROGRESS_TYPE_ERROR + 1)

/* Opens a model, and goes to NULL after @patience µs; a frame waits for it in exact mode. Every
 * beginning has an end, and live mode tells of neither. */
static void
stop_after (const char *model, const char *mode, gulong patience, guint *counts)
{
    Rig *rig = rig_new (NULL, "mode", mode, NULL);
    guint begun = counts[GST_PROGRESS_TYPE_START];
    GThread *thread;

    gst_element_set_state (rig->element, GST_STATE_NULL);
    gst_bus_set_sync_handler (rig->bus, count_progress, counts, NULL);
    g_object_set (rig->element, "model", model, "prompts", "a;b", NULL);
    gst_element_set_state (rig->element, GST_STATE_PLAYING);
    gst_harness_push_event (rig->harness, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (rig->harness, CAPS);
    thread = g_thread_new ("push", push_one, rig);
    while (patience == 0 && g_str_equal (mode, "exact") &&
            (guint)g_atomic_int_get (&counts[GST_PROGRESS_TYPE_START]) == begun)
        g_usleep (100);
    g_usleep (patience);
    gst_element_set_state (rig->element, GST_STATE_NULL);
    g_thread_join (thread);
    fail_unless_equals_int (counts[GST_PROGRESS_TYPE_START],
            counts[GST_PROGRESS_TYPE_COMPLETE] + counts[GST_PROGRESS_TYPE_CANCELED] +
                    counts[GST_PROGRESS_TYPE_ERROR]);
    rig_free (rig);
}

/* The slow model is still being proved, or at work. */
GST_START_TEST (test_stop_while_loading)
{
    guint live[N_PROGRESS_TYPES] = { 0 };
    guint exact[N_PROGRESS_TYPES] = { 0 };

    for (guint i = 0; i < 4; i++) {
        stop_after (models_get_slow (), "live", i % 2 * 50000, live);
        stop_after (models_get_slow (), "exact", i % 2 * 50000, exact);
    }
    fail_unless_equals_int (live[GST_PROGRESS_TYPE_START], 0);
    fail_unless (exact[GST_PROGRESS_TYPE_START] >= 2);
    fail_unless (exact[GST_PROGRESS_TYPE_CANCELED] >= 1);
    fail_unless_equals_int (exact[GST_PROGRESS_TYPE_ERROR], 0);
}
GST_END_TEST;

/* One that fails in its self-test, when it has been told of. */
GST_START_TEST (test_progress_of_a_bad_model)
{
    guint counts[N_PROGRESS_TYPES] = { 0 };

    for (guint i = 0; i < 50 && counts[GST_PROGRESS_TYPE_ERROR] == 0; i++)
        stop_after (models_get_constant (), "exact", 500000, counts);
    fail_unless (counts[GST_PROGRESS_TYPE_ERROR] > 0);
}
GST_END_TEST;

/* No result of before a seek is on a frame after it: the first frames after it are its own. */
static GstPadProbeReturn
check_after_seek (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data)
{
    guint *n_wrong = user_data;
    GstBuffer *buffer = gst_pad_probe_info_get_buffer (info);
    const GstStructure *tags = get_tags (buffer);

    if (tags && get_frame_pts (tags) > GST_BUFFER_PTS (buffer))
        g_atomic_int_inc (n_wrong);
    return GST_PAD_PROBE_OK;
}

/* Each seek goes backward, so that an older result would be one from the future. */
static void
expect_seekable (const char *model, const char *mode)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc ! video/x-raw,format=RGB,width=64,height=48,framerate=30/1 ! "
            "altclipfilter name=filter prompts=a;b model=%s mode=%s ! fakesink sync=false",
            model, mode);
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, "src");
    guint n_wrong = 0;

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, check_after_seek, &n_wrong, NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    gst_element_get_state (pipeline, NULL, NULL, PATIENCE);
    for (guint i = 20; i > 0; i--) {
        fail_unless (gst_element_seek_simple (
                pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, i * 10000 * GST_SECOND));
        if (i % 2)
            fail_unless (gst_element_get_state (pipeline, NULL, NULL, PATIENCE) ==
                         GST_STATE_CHANGE_SUCCESS);
        g_usleep (i * 2000);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
    fail_unless_equals_int (n_wrong, 0);
}

GST_START_TEST (test_flushing_seeks)
{
    expect_seekable (models_get_quick (), "exact");
    expect_seekable (models_get_quick (), "live");
    expect_seekable (models_get_slow (), "live");
}
GST_END_TEST;

static GstPadProbeReturn
remove_filter (GstPad *pad, GstPadProbeInfo *info G_GNUC_UNUSED, gpointer user_data)
{
    GstElement *pipeline = user_data;
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");

    gst_bin_remove (GST_BIN (pipeline), filter);
    gst_element_set_state (filter, GST_STATE_NULL);
    gst_pad_link (pad, sink_pad);
    return GST_PAD_PROBE_REMOVE;
}

static void
wait_for_sample (GstElement *sink)
{
    GstSample *sample = NULL;

    for (guint i = 0; i < 6000 && !sample; i++) {
        g_object_get (sink, "last-sample", &sample, NULL);
        g_usleep (10000);
    }
    fail_unless (sample != NULL);
    gst_sample_unref (sample);
}

static void
expect_removable (const char *mode)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc is-live=true ! video/x-raw,format=RGB,width=64,height=48 ! "
            "identity name=before ! altclipfilter name=filter prompts=a;b model=%s mode=%s ! "
            "fakesink name=sink sync=false signal-handoffs=true",
            models_get_slow (), mode);
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) before = gst_bin_get_by_name (GST_BIN (pipeline), "before");
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (before, "src");
    GstElement *filter;

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    wait_for_sample (sink);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_IDLE, remove_filter, pipeline, NULL);
    while ((filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter"))) {
        g_clear_object (&filter);
        g_usleep (10000);
    }
    g_object_set (sink, "enable-last-sample", FALSE, NULL);
    g_object_set (sink, "enable-last-sample", TRUE, NULL);
    wait_for_sample (sink);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}

GST_START_TEST (test_removal_from_a_running_pipeline)
{
    expect_removable ("live");
    expect_removable ("exact");
}
GST_END_TEST;

GST_START_TEST (test_stats)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "interval", "100000000", NULL);
    g_autoptr (GstStructure) stats = NULL;
    guint64 value;

    for (guint i = 0; i < 9; i++)
        gst_harness_push (rig->harness, new_numbered_frame (i));
    for (guint i = 0; i < 9; i++)
        gst_buffer_unref (gst_harness_pull (rig->harness));
    g_object_get (rig->element, "stats", &stats, NULL);
    fail_unless (gst_structure_get_uint64 (stats, "frames-in", &value) && value == 9);
    fail_unless (gst_structure_get_uint64 (stats, "analysed", &value) && value == 3);
    fail_unless (gst_structure_get_uint64 (stats, "skipped", &value) && value == 6);
    fail_unless (gst_structure_get_uint64 (stats, "reused", &value) && value == 6);
    fail_unless (gst_structure_get_uint64 (stats, "failed", &value) && value == 0);
    fail_unless (gst_structure_get_uint64 (stats, "latency-p50", &value) && value > 0);
    fail_unless (gst_structure_get_uint64 (stats, "latency-p95", &value) && value > 0);
    fail_unless (gst_structure_get_uint64 (stats, "queue-age", &value) && value == 0);
    fail_unless (gst_structure_get_uint64 (stats, "model-memory", &value) && value > 0);
    fail_unless (gst_structure_has_field_typed (stats, "kernels", G_TYPE_STRING));
    /* Too small a model to time the precisions with. */
    fail_unless (gst_structure_get_uint64 (stats, "f32-time", &value) && value == 0);
    fail_unless (gst_structure_get_uint64 (stats, "bf16-time", &value) && value == 0);
    fail_unless_equals_string (gst_structure_get_string (stats, "precision"), "f32");
    rig_free (rig);
}
GST_END_TEST;

/* What elements that share a model say of its worker is the same. */
GST_START_TEST (test_stats_of_the_worker)
{
    Rig *first = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);
    Rig *second = rig_new (models_get_quick (), "prompts", "c;d", "mode", "exact", NULL);
    g_autoptr (GstStructure) stats = NULL;
    guint64 value;
    guint64 batches;
    double mean;
    guint streams;

    for (guint i = 0; i < 5; i++) {
        gst_buffer_unref (gst_harness_push_and_pull (first->harness, new_numbered_frame (i)));
        gst_buffer_unref (gst_harness_push_and_pull (second->harness, new_numbered_frame (i)));
    }
    gst_buffer_unref (gst_harness_push_and_pull (second->harness, new_short_frame (5)));
    g_object_get (first->element, "stats", &stats, NULL);
    fail_unless (gst_structure_get_uint64 (stats, "analysed", &value) && value == 5);
    fail_unless (gst_structure_get_uint (stats, "streams", &streams) && streams == 2);
    fail_unless (gst_structure_get_uint64 (stats, "total-analysed", &value) && value == 10);
    fail_unless (gst_structure_get_uint64 (stats, "total-failed", &value) && value == 1);
    fail_unless (gst_structure_get_uint64 (stats, "batches", &batches));
    fail_unless (gst_structure_get_double (stats, "batch-mean", &mean));
    fail_unless (batches <= 10 && mean * (double)batches == 10);
    fail_unless (gst_structure_get_uint64 (stats, "idle", &value) && value > 0);
    fail_unless (gst_structure_get_uint64 (stats, "idle-with-frames", &value) && value == 0);
    rig_free (second);
    rig_free (first);
}
GST_END_TEST;

/* ---- The suite ------------------------------------------------------------------------------- */

static void
add_exact (Suite *suite)
{
    TCase *tests = tcase_create ("exact");

    tcase_add_test (tests, test_exact_every_frame_in_order);
    tcase_add_test (tests, test_exact_interval);
    tcase_add_test (tests, test_backward_step_is_due_at_once);
    tcase_add_test (tests, test_exact_eos_drains);
    tcase_add_test (tests, test_serialised_events_keep_their_place);
    tcase_add_test (tests, test_exact_flush_discards);
    tcase_add_test (tests, test_exact_flush_keeps_waiting_caps);
    tcase_add_test (tests, test_exact_eos_from_downstream_spares_the_next_segment);
    tcase_add_test (tests, test_exact_error_before_eos_is_posted);
    tcase_add_test (tests, test_flush_from_a_message_handler);
    tcase_add_test (tests, test_flush_wakes_a_full_queue);
    tcase_add_test (tests, test_exact_posts_progress);
    tcase_add_test (tests, test_exact_slowness_is_told_of_once);
    suite_add_tcase (suite, tests);
}

static void
add_live (Suite *suite)
{
    TCase *tests = tcase_create ("live");

    tcase_add_test (tests, test_live_tags_with_age);
    tcase_add_test (tests, test_live_results_expire);
    tcase_add_test (tests, test_live_flush_forgets);
    tcase_add_test (tests, test_live_eos_waits_for_the_frame_in_work);
    tcase_add_test (tests, test_live_never_waits);
    suite_add_tcase (suite, tests);
}

static void
add_negotiation (Suite *suite)
{
    TCase *tests = tcase_create ("negotiation");

    tcase_add_test (tests, test_auto_decides);
    tcase_add_test (tests, test_held_frames_are_asked_for);
    tcase_add_test (tests, test_small_pools_are_copied);
    tcase_add_test (tests, test_multiview_is_refused);
    suite_add_tcase (suite, tests);
}

static void
add_output (Suite *suite)
{
    TCase *tests = tcase_create ("output");

    tcase_add_test (tests, test_meta_fields);
    tcase_add_test (tests, test_shared_buffers_stay_untouched);
    tcase_add_test (tests, test_meta_survives_conversion);
    tcase_add_test (tests, test_caps_without_framerate);
    tcase_add_test (tests, test_frames_without_framerate_or_time);
    tcase_add_test (tests, test_failing_frames_pass_untagged);
    tcase_add_test (tests, test_message_fields);
    tcase_add_test (tests, test_time_of_day);
    tcase_add_test (tests, test_stats);
    tcase_add_test (tests, test_stats_of_the_worker);
    suite_add_tcase (suite, tests);
}

static void
add_prompts (Suite *suite)
{
    TCase *tests = tcase_create ("prompts");

    tcase_add_test (tests, test_no_prompts_passes_untagged);
    tcase_add_test (tests, test_prompts_swap_while_playing);
    tcase_add_test (tests, test_new_prompts_are_due_at_once);
    tcase_add_test (tests, test_dropped_prompts);
    tcase_add_test (tests, test_bad_prompts);
    tcase_add_test (tests, test_ten_thousand_prompts);
    tcase_add_test (tests, test_lone_prompt_is_told_of);
    tcase_add_test (tests, test_lone_prompt_with_another_score_mode);
    tcase_add_test (tests, test_lone_prompt_after_a_bad_file);
    tcase_add_test (tests, test_unknown_words_are_told_of);
    suite_add_tcase (suite, tests);
}

static void
add_prompts_file (Suite *suite)
{
    TCase *tests = tcase_create ("prompts file");

    tcase_add_test (tests, test_prompts_file);
    tcase_add_test (tests, test_bad_prompts_file);
    tcase_add_test (tests, test_bad_first_prompts_file);
    tcase_add_test (tests, test_prompts_file_reloads);
    tcase_add_test (tests, test_prompts_or_file);
    tcase_add_test (tests, test_unset_prompts_file);
    tcase_add_test (tests, test_prompts_file_ignores_others);
    tcase_add_test (tests, test_prompts_file_pictures);
    tcase_add_test (tests, test_image_tower_alone);
    tcase_add_test (tests, test_min_on_time);
    suite_add_tcase (suite, tests);
}

static void
add_states (Suite *suite)
{
    TCase *tests = tcase_create ("states");

    tcase_add_test (tests, test_bad_models);
    tcase_add_test (tests, test_precision);
    tcase_add_test (tests, test_state_cycles);
    tcase_add_test (tests, test_stop_while_loading);
    tcase_add_test (tests, test_progress_of_a_bad_model);
    tcase_add_test (tests, test_flushing_seeks);
    tcase_add_test (tests, test_removal_from_a_running_pipeline);
    suite_add_tcase (suite, tests);
}

static void
add_bundled (Suite *suite)
{
    TCase *tests = tcase_create ("bundled");

    tcase_add_test (tests, test_patterns_in_english);
    tcase_add_test (tests, test_patterns_in_chinese);
    tcase_add_test (tests, test_documented_line);
    tcase_add_test (tests, test_formats);
    suite_add_tcase (suite, tests);
}

static Suite *
altclipfilter_suite (void)
{
    Suite *suite = suite_create ("altclipfilter");

    add_output (suite);
    add_exact (suite);
    add_live (suite);
    add_negotiation (suite);
    add_prompts (suite);
    add_prompts_file (suite);
    add_states (suite);
    add_bundled (suite);
    return suite;
}

GST_CHECK_MAIN (altclipfilter);
