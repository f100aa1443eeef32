/* altclip: tests of altclipfilter in streams of all kinds: their times, segments, caps and queries
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "gate.h"
#include "models.h"
#include "rig.h"

static void
push_frame (Rig *rig, GstBuffer *buffer)
{
    fail_unless_equals_int (gst_harness_push (rig->harness, buffer), GST_FLOW_OK);
}

static void
push_segment (Rig *rig, GstSegment *segment)
{
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_segment (segment)));
}

/* Of the next frame. */
static void
expect_covered_by (Rig *rig, GstClockTime pts, GstClockTime covered_by)
{
    g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
    fail_unless (get_tags (buffer) != NULL);
    fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), covered_by);
}

/* ---- Intervals ------------------------------------------------------------------------------- */

/* Half a frame is one at the largest framerate. */
GST_START_TEST (test_interval_with_variable_framerate)
{
    static const guint times[] = { 0, 200, 900, 1000, 1050, 1900, 2000, 2500, 7000, 7980, 8000 };
    static const guint covered_by[] = { 0, 0, 0, 1000, 1000, 1000, 2000, 2000, 7000, 7000, 8000 };
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "interval", "1000000000", NULL);

    gst_harness_set_src_caps_str (rig->harness,
            "video/x-raw,format=RGB,width=64,height=48,framerate=0/1,max-framerate=30/1");
    for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
        GstBuffer *buffer = new_numbered_frame (i);

        GST_BUFFER_PTS (buffer) = times[i] * GST_MSECOND;
        GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
        push_frame (rig, buffer);
    }
    for (guint i = 0; i < G_N_ELEMENTS (times); i++)
        expect_covered_by (rig, times[i] * GST_MSECOND, covered_by[i] * GST_MSECOND);
    rig_free (rig);
}
GST_END_TEST;

/* Forward at double speed, five frames take 83 ms of running time; backward, running time goes on
 * too.
 */
GST_START_TEST (test_interval_is_of_running_time)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "interval", "90000000", NULL);
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    segment.rate = 2;
    push_segment (rig, &segment);
    for (guint i = 0; i < 20; i++)
        push_frame (rig, new_numbered_frame (i));
    for (guint i = 0; i < 20; i++)
        expect_covered_by (rig, i * FRAME, i / 5 * 5 * FRAME);

    rig_flush (rig);
    segment.rate = -1;
    segment.stop = 100 * FRAME;
    push_segment (rig, &segment);
    for (guint i = 0; i < 9; i++)
        push_frame (rig, new_numbered_frame (90 - i));
    for (guint i = 0; i < 9; i++)
        expect_covered_by (rig, (90 - i) * FRAME, (90 - i / 3 * 3) * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* A frame that is outside the segment has no running time: it is analysed, and so is the next. */
GST_START_TEST (test_interval_outside_the_segment)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "interval",
            "3600000000000", NULL);
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    segment.start = 10 * FRAME;
    push_segment (rig, &segment);
    for (guint i = 8; i < 14; i++)
        push_frame (rig, new_numbered_frame (i));
    for (guint i = 8; i < 11; i++)
        expect_covered_by (rig, i * FRAME, i * FRAME);
    for (guint i = 11; i < 14; i++)
        expect_covered_by (rig, i * FRAME, 10 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* By when the frames came. */
GST_START_TEST (test_live_without_timestamps)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", NULL);

    for (guint i = 0; i < 3000; i++) {
        GstBuffer *frame = new_numbered_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        GST_BUFFER_PTS (frame) = GST_CLOCK_TIME_NONE;
        push_frame (rig, frame);
        buffer = gst_harness_pull (rig->harness);
        if (get_tags (buffer)) {
            fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), GST_CLOCK_TIME_NONE);
            fail_unless (get_age (get_tags (buffer)) > 0);
            rig_free (rig);
            return;
        }
        g_usleep (10000);
    }
    fail ("no frame was tagged");
}
GST_END_TEST;

/* ---- Age ------------------------------------------------------------------------------------- */

#define MAX_AGE GST_SECOND

/* Returns: whether a frame that is @age later than the one analysed is tagged with its result */
static gboolean
is_tagged_at (GstClockTime max_age, GstClockTime age)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "interval",
            "3600000000000", "max-age", "3600000000000", NULL);
    GstBuffer *buffer = push_until_tagged (rig, &(guint){ 0 });
    GstClockTime analysed = get_frame_pts (get_tags (buffer));
    GstBuffer *frame = new_numbered_frame (0);
    gboolean tagged;

    gst_buffer_unref (buffer);
    g_object_set (rig->element, "max-age", max_age, NULL);
    GST_BUFFER_PTS (frame) = analysed + age;
    push_frame (rig, frame);
    buffer = gst_harness_pull (rig->harness);
    tagged = get_tags (buffer) != NULL;
    fail_unless (!tagged || get_age (get_tags (buffer)) == (gint64)age);
    gst_buffer_unref (buffer);
    rig_free (rig);
    return tagged;
}

GST_START_TEST (test_live_max_age_is_the_last_that_counts)
{
    fail_unless (is_tagged_at (MAX_AGE, MAX_AGE));
    fail_if (is_tagged_at (MAX_AGE, MAX_AGE + 1));
    fail_unless (is_tagged_at (0, 0));
    fail_if (is_tagged_at (0, 1));
}
GST_END_TEST;

/* The interval is of live mode too: what is not due is not analysed, and has the last result. */
GST_START_TEST (test_live_interval)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "interval",
            "3600000000000", NULL);
    GstBuffer *buffer = push_until_tagged (rig, &(guint){ 0 });
    guint begin = 100 + (guint)(get_frame_pts (get_tags (buffer)) / FRAME);

    gst_buffer_unref (buffer);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1);
    g_object_set (rig->element, "interval", 500 * GST_MSECOND, NULL);
    for (guint i = 0; i < 60; i++) {
        push_frame (rig, new_numbered_frame (begin + i));
        gst_buffer_unref (gst_harness_pull (rig->harness));
        /* A due one is the worker's before the next comes, which would take its place. */
        while (rig_get_count (rig, "analysed") < 2 + i / 15)
            g_usleep (1000);
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1 + 4);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Segments and streams -------------------------------------------------------------------- */

/* What left the element, as text. */
typedef struct {
    GMutex lock;
    GString *text;
    guint n_segments_done;
} Record;

static GstPadProbeReturn
record (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer data)
{
    Record *to = data;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

    g_mutex_lock (&to->lock);
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
        fail_unless (get_tags (buffer) != NULL);
        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), GST_BUFFER_PTS (buffer));
        g_string_append_printf (
                to->text, "%u ", (guint)((GST_BUFFER_PTS (buffer) + FRAME / 2) / FRAME));
    } else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_SEGMENT_DONE) {
        g_string_append (to->text, "done ");
        to->n_segments_done++;
    }
    g_mutex_unlock (&to->lock);
    return GST_PAD_PROBE_OK;
}

static void
wait_for_segment (Record *from, guint n)
{
    guint done = 0;

    for (guint i = 0; done < n; i++) {
        fail_unless (i < 6000, "the segment does not end");
        g_usleep (10000);
        g_mutex_lock (&from->lock);
        done = from->n_segments_done;
        g_mutex_unlock (&from->lock);
    }
}

static void
seek_segment (GstElement *pipeline, GstSeekFlags flags, guint from, guint to)
{
    fail_unless (gst_element_seek (pipeline, 1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_SEGMENT | flags,
            GST_SEEK_TYPE_SET, from * GST_SECOND, GST_SEEK_TYPE_SET, to * GST_SECOND));
}

/* A loop, as players make it: the second segment follows the first without a flush. */
GST_START_TEST (test_segment_seeks)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc ! video/x-raw,format=RGB,width=64,height=48,framerate=5/1 ! "
            "altclipfilter name=filter prompts=a;b model=%s ! fakesink sync=false",
            models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, "src");
    Record out = { .text = g_string_new (NULL) };

    g_mutex_init (&out.lock);
    gst_element_set_state (pipeline, GST_STATE_PAUSED);
    gst_element_get_state (pipeline, NULL, NULL, PATIENCE);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, record,
            &out, NULL);
    seek_segment (pipeline, GST_SEEK_FLAG_FLUSH, 1, 2);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    wait_for_segment (&out, 1);
    seek_segment (pipeline, 0, 4, 5);
    wait_for_segment (&out, 2);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    fail_unless_equals_string (out.text->str, "30 36 42 48 54 done 120 126 132 138 144 done ");
    g_string_free (out.text, TRUE);
    g_mutex_clear (&out.lock);
}
GST_END_TEST;

static void
expect_stream_id (Rig *rig, guint number, const char *stream_id)
{
    g_autoptr (GstMessage) message = pop_event (rig->bus, "result");
    const GstStructure *structure = gst_message_get_structure (message);
    guint64 pts;

    fail_unless (gst_structure_get_uint64 (structure, "pts", &pts) && pts == number * FRAME);
    fail_unless_equals_string (gst_structure_get_string (structure, "stream-id"), stream_id);
}

/* The next stream's first frame does not go with the last one's result. */
GST_START_TEST (test_streams_one_after_the_other)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "interval",
            "3600000000000", "post-messages", "all", NULL);
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_stream_start ("first")));
    push_frame (rig, new_numbered_frame (0));
    push_frame (rig, new_numbered_frame (1));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_stream_start ("second")));
    push_segment (rig, &segment);
    push_frame (rig, new_numbered_frame (2));
    push_frame (rig, new_numbered_frame (3));
    for (guint i = 0; i < 4; i++)
        expect_covered_by (rig, i * FRAME, i / 2 * 2 * FRAME);
    expect_stream_id (rig, 0, "first");
    expect_stream_id (rig, 2, "second");
    rig_free (rig);
}
GST_END_TEST;

/* ---- Caps ------------------------------------------------------------------------------------ */

#define N_LABELS 3

static void
pull_cosines (Rig *rig, double *cosines)
{
    g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

    for (guint rank = 0; rank < N_LABELS; rank++) {
        const GstStructure *label = get_label (get_tags (buffer), rank);
        guint index = 0;

        fail_unless (gst_structure_get_uint (label, "index", &index));
        fail_unless (gst_structure_get_double (label, "cosine", &cosines[index]));
    }
}

/* The same two-coloured picture, whatever the format and size. */
static GstBuffer *
new_split_frame (const GstVideoInfo *info, guint number)
{
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
    GstVideoFrame frame;

    gst_buffer_memset (buffer, 0, 0, info->size);
    fail_unless (gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE));
    for (gint y = 0; y < info->height; y++)
        for (gint x = 0; x < info->width / 2; x++) {
            guint at = (guint)(y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) +
                               x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0));

            ((guint8 *)GST_VIDEO_FRAME_COMP_DATA (&frame, 0))[at] = 255;
            ((guint8 *)GST_VIDEO_FRAME_COMP_DATA (&frame, 1))[at] = 128;
        }
    gst_video_frame_unmap (&frame);
    GST_BUFFER_PTS (buffer) = number * FRAME;
    return buffer;
}

static void
push_split_frame (Rig *rig, GstCaps *caps, guint number)
{
    GstVideoInfo info;

    fail_unless (gst_video_info_from_caps (&info, caps));
    push_frame (rig, new_split_frame (&info, number));
}

/* What the picture has in a stream that was never anything else. */
static void
get_cosines_alone (GstCaps *caps, double *cosines)
{
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b;c", "mode", "exact", NULL);

    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_caps (caps)));
    push_split_frame (rig, caps, 0);
    pull_cosines (rig, cosines);
    rig_free (rig);
}

/* New sizes, formats and framerates while frames of the old ones wait: each is looked at as what it
 * came as. */
GST_START_TEST (test_renegotiation_between_waiting_frames)
{
    static const char *const all_caps[] = {
        "video/x-raw,format=RGB,width=64,height=48,framerate=30/1",
        "video/x-raw,format=BGRx,width=200,height=48,framerate=30/1",
        "video/x-raw,format=xRGB,width=63,height=151,framerate=0/1",
        "video/x-raw,format=BGR,width=640,height=480,framerate=25/1",
        "video/x-raw,format=RGB,width=33,height=17",
        "video/x-raw,format=RGB,width=64,height=48,framerate=30/1",
    };
    Rig *rig = rig_new (models_get_slow (), "prompts", "a;b;c", "mode", "exact", NULL);
    guint at_once = 0;

    for (guint i = 0; i < 2 * G_N_ELEMENTS (all_caps); i++) {
        g_autoptr (GstCaps) caps = gst_caps_from_string (all_caps[i / 2]);

        if (i % 2 == 0)
            fail_unless (gst_harness_push_event (rig->harness, gst_event_new_caps (caps)));
        push_split_frame (rig, caps, i);
        at_once = MAX (at_once, i + 1 - gst_harness_buffers_received (rig->harness));
    }
    /* Else nothing was tried. */
    fail_unless (at_once > 3);
    for (guint i = 0; i < 2 * G_N_ELEMENTS (all_caps); i++) {
        g_autoptr (GstCaps) caps = gst_caps_from_string (all_caps[i / 2]);
        double expected[N_LABELS];
        double cosines[N_LABELS];

        get_cosines_alone (caps, expected);
        pull_cosines (rig, cosines);
        for (guint j = 0; j < N_LABELS; j++)
            fail_unless (ABS (cosines[j] - expected[j]) < 1e-6);
    }
    rig_free (rig);
}
GST_END_TEST;

/* Refused caps are an answer; frames after them are not negotiated, until good caps come. */
GST_START_TEST (test_refused_caps)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);
    g_autoptr (GstCaps) bad = gst_caps_from_string (CAPS ",multiview-mode=top-bottom");
    g_autoptr (GstCaps) good = gst_caps_from_string (CAPS);

    gst_harness_push_event (rig->harness, gst_event_new_caps (bad));
    fail_unless_equals_int (
            gst_harness_push (rig->harness, new_numbered_frame (0)), GST_FLOW_NOT_NEGOTIATED);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_caps (good)));
    push_frame (rig, new_numbered_frame (1));
    expect_covered_by (rig, FRAME, FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* Holds up the first message of such an event, as an application's handler may. */
typedef struct {
    const char *event;
    GMutex lock;
    GCond changed;
    gboolean came;
    gboolean let;
} Handler;

static GstBusSyncReply
hold_event (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data)
{
    const GstStructure *structure = gst_message_get_structure (message);
    Handler *handler = data;

    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT ||
            g_strcmp0 (gst_structure_get_string (structure, "event"), handler->event) != 0)
        return GST_BUS_PASS;
    g_mutex_lock (&handler->lock);
    handler->came = TRUE;
    g_cond_broadcast (&handler->changed);
    while (!handler->let)
        g_cond_wait (&handler->changed, &handler->lock);
    g_mutex_unlock (&handler->lock);
    return GST_BUS_PASS;
}

static void
wait_until_held (Handler *handler)
{
    g_mutex_lock (&handler->lock);
    while (!handler->came)
        g_cond_wait (&handler->changed, &handler->lock);
    g_mutex_unlock (&handler->lock);
}

static gpointer
drop_prompts (gpointer rig)
{
    g_object_set (((Rig *)rig)->element, "prompts", NULL, NULL);
    return NULL;
}

static gpointer
push_eos (gpointer rig)
{
    gst_harness_push_event (((Rig *)rig)->harness, gst_event_new_eos ());
    return NULL;
}

/* Prompts that are dropped end two labels, and the first of the ends is held up. */
static void
begin_holding (Rig *rig, Handler *handler, GThread **thread)
{
    rig_forget_messages (rig);
    gst_bus_set_sync_handler (rig->bus, hold_event, handler, NULL);
    *thread = g_thread_new ("prompts", drop_prompts, rig);
    wait_until_held (handler);
}

static void
let (Handler *handler)
{
    g_mutex_lock (&handler->lock);
    handler->let = TRUE;
    g_cond_broadcast (&handler->changed);
    g_mutex_unlock (&handler->lock);
}

static void
end_holding (Rig *rig, GThread *thread)
{
    g_thread_join (thread);
    gst_bus_set_sync_handler (rig->bus, NULL, NULL, NULL);
}

/* Live: EOS does not overtake what another thread has begun to tell: who leaves at EOS misses
 * nothing. */
GST_START_TEST (test_live_eos_comes_after_all_messages)
{
    Rig *rig =
            rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "threshold", "0", NULL);
    Handler handler = { .event = "end" };
    GstMessage *message;
    GThread *prompts;
    GThread *eos;
    guint n_before;
    guint n_ends = 0;
    guint at = 0;

    gst_buffer_unref (push_until_tagged (rig, &at));
    begin_holding (rig, &handler, &prompts);
    n_before = gst_harness_events_received (rig->harness);
    eos = g_thread_new ("eos", push_eos, rig);
    g_usleep (300000);
    fail_unless_equals_int (gst_harness_events_received (rig->harness), n_before);
    let (&handler);
    g_thread_join (eos);
    /* Both ends go downstream too. */
    fail_unless_equals_int (gst_harness_events_received (rig->harness), n_before + 2 + 1);
    while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
        n_ends++;
        gst_message_unref (message);
    }
    fail_unless_equals_int (n_ends, 2);
    end_holding (rig, prompts);
    rig_free (rig);
}
GST_END_TEST;

/* A flush does not wait for that: it may come from who holds up the message. */
static void
check_flush_of_waiting_eos (const char *mode)
{
    Rig *rig =
            rig_new (models_get_quick (), "prompts", "a;b", "mode", mode, "threshold", "0", NULL);
    Handler handler = { .event = "end" };
    GThread *prompts;
    GThread *eos;
    guint at = 0;

    gst_buffer_unref (push_until_tagged (rig, &at));
    begin_holding (rig, &handler, &prompts);
    eos = g_thread_new ("eos", push_eos, rig);
    g_usleep (100000);
    rig_flush (rig);
    g_thread_join (eos);
    let (&handler);
    end_holding (rig, prompts);
    rig_free (rig);
}

GST_START_TEST (test_flush_of_waiting_eos)
{
    check_flush_of_waiting_eos ("live");
    check_flush_of_waiting_eos ("exact");
}
GST_END_TEST;

/* Whether a label's end of that reason is on the bus already. */
static gboolean
has_ended (GstBus *bus, const char *reason)
{
    GstMessage *message;
    gboolean ended = FALSE;

    while (!ended && (message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
        const GstStructure *structure = gst_message_get_structure (message);

        ended = g_strcmp0 (gst_structure_get_string (structure, "reason"), reason) == 0;
        gst_message_unref (message);
    }
    return ended;
}

/* Frames of both go through the same worker, and none of it is held up by what one application does
 * with a message: neither the other stream, nor this one, nor its flush, nor its end.
 */
static void
check_held_message (const char *mode, const char *event)
{
    const char *model = models_get_quick ();
    Rig *rig = rig_new (
            model, "prompts", "a;b", "mode", mode, "threshold", "0", "post-messages", "all", NULL);
    Rig *other = rig_new (model, "prompts", "a;b", "mode", "exact", "threshold", "0", NULL);
    Handler handler = { .event = event };
    guint at = 0;

    gst_bus_set_sync_handler (rig->bus, hold_event, &handler, NULL);
    gst_buffer_unref (push_until_tagged (rig, &at));
    wait_until_held (&handler);

    for (guint i = 0; i < 10; i++) {
        gst_buffer_unref (push_until_tagged (rig, &at));
        push_frame (other, new_numbered_frame (i));
        expect_covered_by (other, i * FRAME, i * FRAME);
    }
    rig_flush (rig);
    gst_buffer_unref (push_until_tagged (rig, &at));
    fail_unless_equals_int (
            gst_element_set_state (rig->element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    /* First the handler goes, so that once the message is there nobody is in it. */
    gst_bus_set_sync_handler (rig->bus, NULL, NULL, NULL);
    let (&handler);
    gst_message_unref (pop_event (rig->bus, event));
    rig_free (other);
    rig_free (rig);
}

GST_START_TEST (test_held_messages_hold_up_nothing_else)
{
    check_held_message ("live", "begin");
    check_held_message ("live", "result");
    check_held_message ("exact", "begin");
    check_held_message ("exact", "result");
}
GST_END_TEST;

static gpointer
let_soon (gpointer handler)
{
    g_usleep (200000);
    let (handler);
    return NULL;
}

/* Who stops listens no longer: all is told by then, even what waits for a slow handler. */
GST_START_TEST (test_stop_comes_after_all_messages)
{
    Rig *rig =
            rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "threshold", "0", NULL);
    Handler handler = { .event = "begin" };
    GThread *slow;
    guint at = 0;

    gst_bus_set_sync_handler (rig->bus, hold_event, &handler, NULL);
    gst_buffer_unref (push_until_tagged (rig, &at));
    wait_until_held (&handler);
    slow = g_thread_new ("slow", let_soon, &handler);
    fail_unless_equals_int (
            gst_element_set_state (rig->element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    gst_message_unref (pop_event (rig->bus, "begin"));
    fail_unless (has_ended (rig->bus, "stopped"));
    g_thread_join (slow);
    gst_bus_set_sync_handler (rig->bus, NULL, NULL, NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Live: the worker has one frame of a pool of one, and the source goes on. */
GST_START_TEST (test_live_spares_small_pools)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", NULL);
    g_autoptr (GstBufferPool) pool = gst_buffer_pool_new ();
    GstBufferPoolAcquireParams params = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };
    GstStructure *config = gst_buffer_pool_get_config (pool);
    g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);
    guint at = 0;

    gst_buffer_pool_config_set_params (config, caps, FRAME_SIZE, 1, 1);
    fail_unless (gst_buffer_pool_set_config (pool, config));
    gst_buffer_pool_set_active (pool, TRUE);
    gst_buffer_unref (push_until_tagged (rig, &at));
    gate_close ();
    for (guint i = 0; i < 6; i++) {
        GstBuffer *buffer = NULL;

        fail_unless_equals_int (
                gst_buffer_pool_acquire_buffer (pool, &buffer, &params), GST_FLOW_OK);
        GST_BUFFER_PTS (buffer) = (at + i) * FRAME;
        gst_harness_push (rig->harness, gate_guard (buffer));
        gst_buffer_unref (gst_harness_pull (rig->harness));
    }
    gate_open ();
    rig_free (rig);
    gst_buffer_pool_set_active (pool, FALSE);
}
GST_END_TEST;

/* ---- Queries --------------------------------------------------------------------------------- */

static GstPadProbeReturn
propose_pool (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer pool)
{
    GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

    if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
        return GST_PAD_PROBE_OK;
    gst_query_add_allocation_pool (query, pool, FRAME_SIZE, 2, 10);
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
    return GST_PAD_PROBE_HANDLED;
}

/* @early: before the first frame, as sources ask when they choose their pool */
static void
expect_forwarded (const char *mode, gboolean early, gboolean upstream_live, guint held)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", mode, "max-buffers", "17", NULL);
    g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
    g_autoptr (GstBufferPool) pool = gst_buffer_pool_new ();
    g_autoptr (GstBufferPool) found = NULL;
    guint size;
    guint min;
    guint max;

    gst_harness_set_live (rig->harness, upstream_live);
    gst_pad_add_probe (
            rig->harness->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, propose_pool, pool, NULL);
    if (!early)
        gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (0)));
    fail_unless (gst_pad_peer_query (rig->harness->srcpad, query));
    fail_unless_equals_int (gst_query_get_n_allocation_pools (query), 1);
    gst_query_parse_nth_allocation_pool (query, 0, &found, &size, &min, &max);
    fail_unless (found == pool);
    fail_unless_equals_int (size, FRAME_SIZE);
    fail_unless_equals_int (min, 2 + held);
    fail_unless_equals_int (max, 10 + held);
    fail_unless (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
    rig_free (rig);
}

GST_START_TEST (test_allocation_is_forwarded)
{
    for (guint early = 0; early < 2; early++) {
        expect_forwarded ("exact", early, TRUE, 17);
        expect_forwarded ("live", early, FALSE, 2);
        expect_forwarded ("auto", early, FALSE, 17);
        expect_forwarded ("auto", early, TRUE, 2);
    }
}
GST_END_TEST;

/* ---- A frame on its way while the element stops ---------------------------------------------- */

/* A frame is held up between the element's queue and the next element. */
typedef struct {
    GMutex lock;
    GCond cond;
    gboolean there;
    gboolean may_go;
    gboolean arrived;
} Holdup;

static void
holdup_set (Holdup *holdup, gboolean *flag)
{
    g_mutex_lock (&holdup->lock);
    *flag = TRUE;
    g_cond_broadcast (&holdup->cond);
    g_mutex_unlock (&holdup->lock);
}

static void
holdup_wait (Holdup *holdup, const gboolean *flag)
{
    g_mutex_lock (&holdup->lock);
    while (!*flag)
        g_cond_wait (&holdup->cond, &holdup->lock);
    g_mutex_unlock (&holdup->lock);
}

static GstPadProbeReturn
hold_up (G_GNUC_UNUSED GstPad *pad, G_GNUC_UNUSED GstPadProbeInfo *info, gpointer holdup)
{
    holdup_set (holdup, &((Holdup *)holdup)->there);
    holdup_wait (holdup, &((Holdup *)holdup)->may_go);
    return GST_PAD_PROBE_PASS;
}

static GstPadProbeReturn
note_arrival (G_GNUC_UNUSED GstPad *pad, G_GNUC_UNUSED GstPadProbeInfo *info, gpointer holdup)
{
    holdup_set (holdup, &((Holdup *)holdup)->arrived);
    return GST_PAD_PROBE_OK;
}

/* In the thread that throws the queue away, behind the caps and before the pads are told. */
static void
let_go (gpointer holdup, G_GNUC_UNUSED GstMiniObject *frame)
{
    holdup_set (holdup, &((Holdup *)holdup)->may_go);
    holdup_wait (holdup, &((Holdup *)holdup)->arrived);
}

/* Caps that wait behind a frame do not overtake it because they are thrown away. */
GST_START_TEST (test_stopping_keeps_later_caps_behind)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "interval",
            "1000000000000", NULL);
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->element, "src");
    g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);
    g_autoptr (GstCaps) later =
            gst_caps_from_string ("video/x-raw,format=RGB,width=64,height=48,framerate=1/1");
    g_autoptr (GstCaps) found = NULL;
    GstBuffer *frame = new_numbered_frame (1);
    Holdup holdup = { .there = FALSE };

    gst_pad_add_probe (
            pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, hold_up, &holdup, NULL);
    gst_pad_add_probe (
            rig->harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival, &holdup, NULL);
    gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (frame), let_go, &holdup);

    gst_harness_push (rig->harness, new_numbered_frame (0));
    holdup_wait (&holdup, &holdup.there);
    gst_harness_push_event (rig->harness, gst_event_new_caps (later));
    gst_harness_push (rig->harness, frame);
    fail_unless_equals_int (
            gst_element_set_state (rig->element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);

    found = gst_pad_get_current_caps (rig->harness->sinkpad);
    fail_unless (gst_caps_is_equal (found, caps));
    fail_unless_equals_int (gst_harness_buffers_received (rig->harness), 1);
    g_mutex_clear (&holdup.lock);
    g_cond_clear (&holdup.cond);
    rig_free (rig);
}
GST_END_TEST;

/* What is active when the element is stopped ends with that. */
static void
expect_ending_at_stop (const char *mode)
{
    Rig *rig =
            rig_new (models_get_quick (), "prompts", "a;b", "mode", mode, "threshold", "0", NULL);

    gst_buffer_unref (push_until_tagged (rig, &(guint){ 0 }));
    gst_element_set_state (rig->element, GST_STATE_READY);
    expect_ending (rig->bus, "stopped");
    expect_ending (rig->bus, "stopped");
    rig_free (rig);
}

GST_START_TEST (test_stopping_ends_what_is_active)
{
    expect_ending_at_stop ("live");
    expect_ending_at_stop ("exact");
}
GST_END_TEST;

/* A sink that is late says so: frames go on all the same, and the source hears of it. */
static void
expect_no_drops (const char *mode)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", mode, NULL);
    g_autoptr (GstEvent) event = NULL;

    for (guint i = 0; i < 50; i++) {
        gst_harness_push_upstream_event (rig->harness,
                gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 10.0, 5 * GST_SECOND, i * FRAME));
        push_frame (rig, new_numbered_frame (i));
    }
    for (guint i = 0; i < 50; i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

        fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), i * FRAME);
    }
    do {
        gst_clear_event (&event);
        event = gst_harness_try_pull_upstream_event (rig->harness);
        fail_unless (event != NULL);
    } while (GST_EVENT_TYPE (event) != GST_EVENT_QOS);
    rig_free (rig);
}

GST_START_TEST (test_qos_drops_nothing)
{
    expect_no_drops ("exact");
    expect_no_drops ("live");
}
GST_END_TEST;

/* ---- Buffering and states -------------------------------------------------------------------- */

static gpointer
push_ten (gpointer data)
{
    Rig *rig = data;

    for (guint i = 0; i < 10; i++)
        push_frame (rig, gate_guard (new_numbered_frame (i)));
    return NULL;
}

/* The fifth frame waits outside while four are held. */
GST_START_TEST (test_exact_holds_max_buffers)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "max-buffers", "4", NULL);
    GThread *thread;
    guint64 waits;

    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (100)));
    waits = rig_get_count (rig, "waits");
    gate_close ();
    thread = g_thread_new ("push", push_ten, rig);
    while (rig_get_count (rig, "waits") == waits)
        g_usleep (1000);
    fail_unless_equals_uint64 (rig_get_count (rig, "frames-in"), 1 + 5);
    fail_unless_equals_int (gst_harness_buffers_in_queue (rig->harness), 0);
    gate_open ();
    for (guint i = 0; i < 10; i++)
        expect_covered_by (rig, i * FRAME, i * FRAME);
    g_thread_join (thread);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 11);
    rig_free (rig);
}
GST_END_TEST;

#define N_CYCLES 400

/* With the model open elsewhere, so that what is tried is the element. ALTCLIP_CYCLES in the
 * environment is another number of cycles. */
GST_START_TEST (test_hundreds_of_cycles)
{
    const char *text = g_getenv ("ALTCLIP_CYCLES");
    guint n_cycles = text ? (guint)g_ascii_strtoull (text, NULL, 10) : N_CYCLES;
    Rig *opener = rig_new (models_get_quick (), NULL);
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=20 ! video/x-raw,width=64,height=48 ! "
            "altclipfilter name=filter prompts=a;b max-buffers=2 model=%s ! fakesink",
            models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

    for (guint i = 0; i < n_cycles; i++) {
        gst_util_set_object_arg (G_OBJECT (filter), "mode", i % 2 ? "exact" : "live");
        gst_element_set_state (pipeline, GST_STATE_PLAYING);
        if (i % 4 == 1)
            gst_message_unref (pop_message (bus, GST_MESSAGE_EOS));
        else if (i % 4 == 2)
            gst_element_get_state (pipeline, NULL, NULL, PATIENCE);
        else if (i % 4 == 3)
            g_usleep (i * 10);
        fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
        gst_element_set_state (pipeline, GST_STATE_NULL);
    }
    rig_free (opener);
}
GST_END_TEST;

static Suite *
stream_suite (void)
{
    Suite *suite = suite_create ("stream");
    TCase *tests = tcase_create ("stream");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_interval_with_variable_framerate);
    tcase_add_test (tests, test_interval_is_of_running_time);
    tcase_add_test (tests, test_interval_outside_the_segment);
    tcase_add_test (tests, test_live_without_timestamps);
    tcase_add_test (tests, test_live_max_age_is_the_last_that_counts);
    tcase_add_test (tests, test_live_interval);
    tcase_add_test (tests, test_segment_seeks);
    tcase_add_test (tests, test_streams_one_after_the_other);
    tcase_add_test (tests, test_renegotiation_between_waiting_frames);
    tcase_add_test (tests, test_refused_caps);
    tcase_add_test (tests, test_stopping_keeps_later_caps_behind);
    tcase_add_test (tests, test_live_eos_comes_after_all_messages);
    tcase_add_test (tests, test_flush_of_waiting_eos);
    tcase_add_test (tests, test_held_messages_hold_up_nothing_else);
    tcase_add_test (tests, test_stop_comes_after_all_messages);
    tcase_add_test (tests, test_live_spares_small_pools);
    tcase_add_test (tests, test_allocation_is_forwarded);
    tcase_add_test (tests, test_stopping_ends_what_is_active);
    tcase_add_test (tests, test_qos_drops_nothing);
    tcase_add_test (tests, test_exact_holds_max_buffers);
    tcase_add_test (tests, test_hundreds_of_cycles);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (stream);
