/* altclip: tests of altclippublish, and of the events that altclipfilter sends downstream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "models.h"
#include "publisher.h"
#include "rig.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Events of altclipfilter ----------------------------------------------------------------- */

typedef struct {
    GQueue structures; /* of the events that came since the last frame */
    guint n_events;
    guint n_frames;
    gboolean with_frames; /* each event must come right before the frame that confirmed it */
    gboolean wrong;
} Order;

static guint64
get_pts (const GstStructure *structure)
{
    guint64 pts = 0;

    fail_unless (gst_structure_get_uint64 (structure, "pts", &pts));
    return pts;
}

static GstPadProbeReturn
note_order (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data)
{
    Order *order = user_data;
    GstEvent *event;
    GstStructure *structure;

    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
        GstClockTime pts = GST_BUFFER_PTS (gst_pad_probe_info_get_buffer (info));

        order->n_frames++;
        while ((structure = g_queue_pop_head (&order->structures))) {
            order->wrong |=
                    order->with_frames ? get_pts (structure) != pts : get_pts (structure) > pts;
            gst_structure_free (structure);
        }
        return GST_PAD_PROBE_OK;
    }
    event = gst_pad_probe_info_get_event (info);
    if (gst_event_has_name (event, "altclip")) {
        order->n_events++;
        g_queue_push_tail (
                &order->structures, gst_structure_copy (gst_event_get_structure (event)));
    }
    return GST_PAD_PROBE_OK;
}

static void
watch_order (Rig *rig, Order *order, gboolean with_frames)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->element, "src");

    *order = (Order){ .with_frames = with_frames };
    g_queue_init (&order->structures);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
            note_order, order, NULL);
}

static void
clear_order (Order *order)
{
    g_queue_clear_full (&order->structures, (GDestroyNotify)gst_structure_free);
}

/* Each second frame another label. */
static void
push_colours (Rig *rig, guint from, guint n)
{
    for (guint i = from; i < from + n; i++)
        fail_unless_equals_int (
                gst_harness_push (rig->harness, new_frame (i * FRAME, 0, 0, i / 2 % 2 ? 255 : 0)),
                GST_FLOW_OK);
}

static void
wait_for_frames (Rig *rig, guint n)
{
    for (guint i = 0; i < n; i++)
        gst_buffer_unref (gst_harness_pull (rig->harness));
}

static void
wait_for_end (Rig *rig)
{
    gboolean is_eos = FALSE;

    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_eos ()));
    while (!is_eos) {
        GstEvent *event = gst_harness_pull_event (rig->harness);

        is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
        gst_event_unref (event);
    }
}

#define COLOURS "a black screen;a blue screen"

GST_START_TEST (test_events_come_before_their_frames)
{
    Rig *rig = rig_new (models_get_demo (), "prompts", COLOURS, "mode", "exact", NULL);
    Order order;

    watch_order (rig, &order, TRUE);
    push_colours (rig, 0, 12);
    wait_for_frames (rig, 12);
    fail_unless_equals_int (order.n_frames, 12);
    fail_unless_equals_int (order.n_events, 11);
    fail_if (order.wrong);
    /* The end of the last is through before EOS is. */
    wait_for_end (rig);
    fail_unless_equals_int (order.n_events, 12);
    fail_unless_equals_string (
            gst_structure_get_string (g_queue_peek_head (&order.structures), "reason"), "eos");
    clear_order (&order);
    rig_free (rig);
}
GST_END_TEST;

/* What is posted and what goes downstream is the same, but for the element's name. */
GST_START_TEST (test_events_are_the_messages)
{
    Rig *rig = rig_new (models_get_demo (), "prompts", COLOURS, "mode", "exact", NULL);
    g_autofree char *name = gst_object_get_name (GST_OBJECT (rig->element));
    GstEvent *event;
    guint n = 0;

    push_colours (rig, 0, 8);
    wait_for_frames (rig, 8);
    while ((event = gst_harness_try_pull_event (rig->harness))) {
        if (gst_event_has_name (event, "altclip")) {
            g_autoptr (GstStructure) structure =
                    gst_structure_copy (gst_event_get_structure (event));
            g_autoptr (GstMessage) message =
                    pop_event (rig->bus, gst_structure_get_string (structure, "event"));

            fail_unless_equals_string (gst_structure_get_string (structure, "element"), name);
            gst_structure_remove_field (structure, "element");
            fail_unless (gst_structure_is_equal (structure, gst_message_get_structure (message)));
            fail_unless (GST_EVENT_IS_SERIALIZED (event) && !GST_EVENT_IS_STICKY (event));
            n++;
        }
        gst_event_unref (event);
    }
    fail_unless_equals_int (n, 7);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_events_without_messages)
{
    Rig *rig = rig_new (
            models_get_demo (), "prompts", COLOURS, "mode", "exact", "post-messages", "none", NULL);
    Order order;

    watch_order (rig, &order, TRUE);
    push_colours (rig, 0, 4);
    wait_for_frames (rig, 4);
    fail_unless_equals_int (order.n_events, 3);
    fail_if (order.wrong);
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT) == NULL);
    clear_order (&order);
    rig_free (rig);
}
GST_END_TEST;

/* They wait for a frame to go with: the worker pushes nothing. */
GST_START_TEST (test_events_of_a_live_stream)
{
    Rig *rig = rig_new (models_get_demo (), "prompts", COLOURS, "mode", "live", NULL);
    Order order;
    guint at = 0;

    watch_order (rig, &order, FALSE);
    for (; order.n_events < 7; at++) {
        fail_unless (at < 6000, "events do not come");
        push_colours (rig, at, 1);
        gst_buffer_unref (gst_harness_pull (rig->harness));
        g_usleep (10000);
    }
    fail_if (order.wrong);
    wait_for_end (rig);
    fail_unless_equals_string (
            gst_structure_get_string (g_queue_peek_tail (&order.structures), "event"), "end");
    clear_order (&order);
    rig_free (rig);
}
GST_END_TEST;

/* A flush takes frames away, and no event. */
GST_START_TEST (test_events_outlast_a_flush)
{
    Rig *rig = rig_new (models_get_demo (), "prompts", COLOURS, "mode", "exact", NULL);
    Order order;

    watch_order (rig, &order, FALSE);
    push_colours (rig, 0, 2);
    wait_for_frames (rig, 2);
    fail_unless_equals_int (order.n_events, 1);
    rig_flush (rig);
    fail_unless_equals_int (order.n_events, 1);
    push_colours (rig, 4, 1);
    wait_for_frames (rig, 1);
    /* The end by the flush, and the begin after it. */
    fail_unless_equals_int (order.n_events, 3);
    fail_if (order.wrong);
    clear_order (&order);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Files ----------------------------------------------------------------------------------- */

static char *folder;

static void
make_folder (void)
{
    folder = g_dir_make_tmp ("altclip-publish-XXXXXX", NULL);
    fail_unless (folder != NULL);
}

static void
remove_folder (void)
{
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name (dir))) {
        g_autofree char *path = g_build_filename (folder, name, NULL);

        g_unlink (path);
    }
    g_rmdir (folder);
    g_clear_pointer (&folder, g_free);
}

/* (transfer full): the lines that altclippublish wrote with these properties. */
static json_t *
publish_to_file (
        const char *filter_properties, const char *properties, guint n_frames, guint *n_events)
{
    g_autofree char *path = g_build_filename (folder, "lines.jsonl", NULL);
    g_autofree char *all = g_strdup_printf ("method=file file-path=%s %s", path, properties);
    Publisher *publisher = publisher_new_with (filter_properties, all);
    guint warnings;

    publisher_push (publisher, n_frames);
    publisher_end (publisher);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "waiting"), 0);
    *n_events = publisher_count_events (publisher, &warnings);
    fail_unless_equals_int (warnings, 0);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "published-events"), *n_events);
    publisher_free (publisher);
    return read_lines (path);
}

static gint64
get_integer (const json_t *object, const char *name)
{
    const json_t *value = json_object_get (object, name);

    fail_unless (json_is_integer (value), "%s", name);
    return json_integer_value (value);
}

static const char *
get_string (const json_t *object, const char *name)
{
    const json_t *value = json_object_get (object, name);

    fail_unless (json_is_string (value), "%s", name);
    return json_string_value (value);
}

static const json_t *
get_first_result (const json_t *lines)
{
    gsize i = 0;

    while (is_event (json_array_get (lines, i)))
        i++;
    return json_array_get (lines, i);
}

GST_START_TEST (test_events_of_a_file)
{
    guint n_events;
    json_t *lines = publish_to_file ("", "results=none", 100, &n_events);
    const json_t *begin = json_array_get (lines, 0);
    const json_t *end = json_array_get (lines, 1);

    fail_unless_equals_int (n_events, 2 * 100 / FRAMES_A_COLOUR);
    fail_unless_equals_int (json_array_size (lines), n_events);
    expect_events (lines, n_events);
    fail_unless_equals_string (get_string (begin, "label"), "a black screen");
    fail_unless_equals_int64 (get_integer (begin, "pts"), 0);
    fail_unless_equals_int64 (get_integer (begin, "revision"), 1);
    fail_unless_equals_string (get_string (end, "reason"), "score");
    fail_unless_equals_int64 (get_integer (end, "duration"), FRAMES_A_COLOUR * FRAME);
    fail_unless_equals_int64 (get_integer (end, "running_time"), FRAMES_A_COLOUR * FRAME);
    fail_unless_equals_int64 (get_integer (end, "timestamp"), FRAMES_A_COLOUR * FRAME);
    fail_unless_equals_string (get_string (end, "utc_source"), "wall");
    fail_unless (json_real_value (json_object_get (end, "peak")) > 0.5);
    fail_unless_equals_string (get_string (json_array_get (lines, n_events - 1), "reason"), "eos");
    json_decref (lines);
}
GST_END_TEST;

GST_START_TEST (test_results_of_a_file)
{
    guint n_events;
    json_t *lines = publish_to_file ("", "source=rtsp://camera/1", 100, &n_events);
    const json_t *line = get_first_result (lines);
    const json_t *resolution = json_object_get (line, "resolution");
    const json_t *object = json_array_get (json_object_get (line, "objects"), 0);
    const json_t *best = json_object_get (object, "altclip");
    const json_t *results = json_object_get (object, "results");

    /* One for each analysed frame. */
    fail_unless_equals_int (count_results (lines), 100 / FRAMES_AN_ANALYSIS);
    for (gsize i = 0; i < json_array_size (lines); i++)
        fail_unless_equals_uint64 (get_sequence (json_array_get (lines, i)), i + 1);
    fail_unless_equals_int64 (get_integer (resolution, "width"), WIDTH);
    fail_unless_equals_int64 (get_integer (resolution, "height"), HEIGHT);
    fail_unless_equals_string (get_string (line, "source"), "rtsp://camera/1");
    fail_unless_equals_int64 (get_integer (line, "timestamp"), 0);
    fail_unless_equals_int64 (get_integer (object, "x"), 0);
    fail_unless_equals_int64 (get_integer (object, "y"), 0);
    fail_unless_equals_int64 (get_integer (object, "w"), WIDTH);
    fail_unless_equals_int64 (get_integer (object, "h"), HEIGHT);
    fail_unless_equals_string (get_string (best, "label"), "a black screen");
    fail_unless_equals_int64 (get_integer (best, "label_id"), 0);
    fail_unless (json_real_value (json_object_get (best, "confidence")) > 0.5);
    fail_unless_equals_string (get_string (json_object_get (best, "model"), "name"), "demo");
    fail_unless_equals_int (json_array_size (results), 2);
    fail_unless (json_is_true (json_object_get (json_array_get (results, 0), "active")));
    fail_unless_equals_int64 (get_integer (object, "age"), 0);
    json_decref (lines);
}
GST_END_TEST;

GST_START_TEST (test_results_of_all_frames)
{
    guint n_events;
    json_t *lines = publish_to_file ("", "results=all", 25, &n_events);
    const json_t *last = json_array_get (lines, json_array_size (lines) - 2);
    const json_t *object = json_array_get (json_object_get (last, "objects"), 0);

    fail_unless_equals_int (count_results (lines), 25);
    fail_unless_equals_int64 (get_integer (last, "pts"), 24 * FRAME);
    fail_unless_equals_int64 (get_integer (object, "frame_pts"), 20 * FRAME);
    fail_unless_equals_int64 (get_integer (object, "age"), 4 * FRAME);
    json_decref (lines);
}
GST_END_TEST;

GST_START_TEST (test_results_of_a_part)
{
    guint n_events;
    json_t *lines = publish_to_file ("region=0.5,0,0.5,0.5", "", 1, &n_events);
    const json_t *object =
            json_array_get (json_object_get (get_first_result (lines), "objects"), 0);

    fail_unless_equals_int64 (get_integer (object, "x"), WIDTH / 2);
    fail_unless_equals_int64 (get_integer (object, "y"), 0);
    fail_unless_equals_int64 (get_integer (object, "w"), WIDTH / 2);
    fail_unless_equals_int64 (get_integer (object, "h"), HEIGHT / 2);
    fail_unless_equals_int (
            json_array_size (json_object_get (json_array_get (lines, 0), "region")), 4);
    json_decref (lines);
}
GST_END_TEST;

/* Of two filters behind each other, what either has analysed. */
GST_START_TEST (test_results_of_two_filters)
{
    g_autofree char *behind = g_strdup_printf (
            "! altclipfilter name=second model=%s prompts=\"a black screen;a blue screen\" "
            "mode=exact interval=%" G_GUINT64_FORMAT,
            models_get_demo (), 4 * FRAMES_AN_ANALYSIS * FRAME);
    guint n_events;
    json_t *lines = publish_to_file (behind, "", 6 * FRAMES_AN_ANALYSIS, &n_events);
    guint n = 0;

    fail_unless_equals_int (count_results (lines), 6);
    for (gsize i = 0; i < json_array_size (lines); i++) {
        const json_t *objects = json_object_get (json_array_get (lines, i), "objects");
        const json_t *object = json_array_get (objects, 1);

        if (!objects)
            continue;
        fail_unless_equals_int (json_array_size (objects), 2);
        fail_unless_equals_string (get_string (object, "element"), "filter");
        fail_unless_equals_int64 (
                get_integer (object, "frame_pts"), n++ * FRAMES_AN_ANALYSIS * FRAME);
    }
    json_decref (lines);
}
GST_END_TEST;

GST_START_TEST (test_lines_are_appended)
{
    guint n_events;

    json_decref (publish_to_file ("", "results=none", 1, &n_events));
    json_decref (publish_to_file ("", "results=none", 1, &n_events));
    json_t *lines = publish_to_file ("", "results=none", 1, &n_events);

    fail_unless_equals_int (json_array_size (lines), 6);
    json_decref (lines);
}
GST_END_TEST;

/* ---- Regions --------------------------------------------------------------------------------- */

static GstVideoRegionOfInterestMeta *
add_person (GstBuffer *buffer, gint id, guint x, guint y, guint w, guint h, double confidence)
{
    GstVideoRegionOfInterestMeta *roi =
            gst_buffer_add_video_region_of_interest_meta (buffer, "person", x, y, w, h);

    roi->id = id;
    gst_video_region_of_interest_meta_add_param (
            roi, gst_structure_new ("detection", "confidence", G_TYPE_DOUBLE, confidence, NULL));
    return roi;
}

static GstBuffer *
new_frame_with_region (void)
{
    GstBuffer *buffer = new_frame (0, 0, 0, 0);

    add_person (buffer, 7, 16, 12, 32, 24, 0.75);
    return buffer;
}

GST_START_TEST (test_results_of_regions)
{
    g_autofree char *path = g_build_filename (folder, "regions.jsonl", NULL);
    g_autofree char *properties = g_strdup_printf ("method=file file-path=%s", path);
    Publisher *publisher = publisher_new_with ("inference-region=roi-list", properties);
    const json_t *begin;
    const json_t *object;
    const json_t *detection;
    const json_t *box;
    json_t *lines;

    gst_harness_push (publisher->harness, new_frame_with_region ());
    publisher_end (publisher);
    lines = read_lines (path);
    fail_unless_equals_int (json_array_size (lines), 3);
    begin = json_array_get (lines, 0);
    fail_unless_equals_string (get_string (begin, "event"), "begin");
    fail_unless_equals_string (get_string (begin, "type"), "person");
    fail_unless_equals_int64 (get_integer (begin, "id"), 7);
    object = json_array_get (json_object_get (json_array_get (lines, 1), "objects"), 0);
    fail_unless_equals_int64 (get_integer (object, "x"), 16);
    fail_unless_equals_int64 (get_integer (object, "y"), 12);
    fail_unless_equals_int64 (get_integer (object, "w"), 32);
    fail_unless_equals_int64 (get_integer (object, "h"), 24);
    fail_unless_equals_int64 (get_integer (object, "id"), 7);
    fail_unless_equals_string (get_string (object, "roi_type"), "person");
    detection = json_object_get (object, "detection");
    fail_unless_equals_string (get_string (detection, "label"), "person");
    fail_unless_equals_float (json_real_value (json_object_get (detection, "confidence")), 0.75);
    box = json_object_get (detection, "bounding_box");
    fail_unless_equals_float (json_real_value (json_object_get (box, "x_min")), 0.25);
    fail_unless_equals_float (json_real_value (json_object_get (box, "y_max")), 0.75);
    fail_unless_equals_string (
            get_string (json_object_get (object, "altclip"), "label"), "a black screen");
    json_decref (lines);
    publisher_free (publisher);
}
GST_END_TEST;

/* With a tracker's number, as DL Streamer's write it. */
static void
add_tracked (GstBuffer *buffer, gint id, gint track, guint x, double confidence)
{
    gst_video_region_of_interest_meta_add_param (add_person (buffer, id, x, 0, 16, 12, confidence),
            gst_structure_new ("object_id", "id", G_TYPE_INT, track, NULL));
}

static double
get_confidence (const json_t *line, gint64 id)
{
    const json_t *objects = json_object_get (line, "objects");
    gsize i = 0;

    while (get_integer (json_array_get (objects, i), "id") != id)
        i++;
    return json_real_value (json_object_get (
            json_object_get (json_array_get (objects, i), "detection"), "confidence"));
}

/* Of each its own, though a detection may have the number that another's track has, and also once
 * it has moved from where it was analysed. */
GST_START_TEST (test_confidence_of_tracked_regions)
{
    g_autofree char *path = g_build_filename (folder, "tracked.jsonl", NULL);
    g_autofree char *properties = g_strdup_printf ("method=file results=all file-path=%s", path);
    Publisher *publisher = publisher_new_with ("inference-region=roi-list", properties);
    GstBuffer *earlier = new_frame (0, 0, 0, 0);
    GstBuffer *later = new_frame (FRAME, 0, 0, 0);
    json_t *lines;

    add_tracked (earlier, 1, 2, 0, 0.25);
    add_tracked (earlier, 2, 1, 32, 0.75);
    add_tracked (later, 3, 2, 0, 0.125);
    add_tracked (later, 4, 1, 40, 0.5);
    gst_harness_push (publisher->harness, earlier);
    gst_harness_push (publisher->harness, later);
    publisher_end (publisher);
    lines = read_lines (path);
    fail_unless_equals_int (count_results (lines), 2);
    for (gsize i = 0, n = 0; n < 2; i++) {
        const json_t *line = json_array_get (lines, i);

        if (is_event (line))
            continue;
        fail_unless_equals_float (get_confidence (line, 1), n == 0 ? 0.75 : 0.5);
        fail_unless_equals_float (get_confidence (line, 2), n == 0 ? 0.25 : 0.125);
        n++;
    }
    json_decref (lines);
    publisher_free (publisher);
}
GST_END_TEST;

/* ---- Standard output ------------------------------------------------------------------------- */

/* A pipe takes the place of this process' own. */
typedef struct {
    int kept;
    int reader;
    GThread *thread;
    GString *text;
} Pipe;

static void
pipe_open (Pipe *pipe_)
{
    int ends[2];

    fflush (stdout);
    fail_unless (pipe (ends) == 0);
    pipe_->kept = dup (STDOUT_FILENO);
    fail_unless (dup2 (ends[1], STDOUT_FILENO) == STDOUT_FILENO);
    close (ends[1]);
    pipe_->reader = ends[0];
    pipe_->text = g_string_new (NULL);
}

static void
pipe_close (Pipe *pipe_)
{
    fail_unless (dup2 (pipe_->kept, STDOUT_FILENO) == STDOUT_FILENO);
    close (pipe_->kept);
}

static gpointer
read_pipe (gpointer data)
{
    Pipe *pipe_ = data;
    char bytes[4096];
    gssize n;

    while ((n = read (pipe_->reader, bytes, sizeof bytes)) > 0)
        g_string_append_len (pipe_->text, bytes, n);
    close (pipe_->reader);
    return NULL;
}

/* Nobody reads: nothing waits for it, results are dropped for want of room, and events are not. */
GST_START_TEST (test_slow_reader)
{
    const guint n_frames = 600;
    g_autofree char *path = g_build_filename (folder, "stdout.jsonl", NULL);
    guint n_events;
    guint warnings;
    json_t *lines;
    Publisher *publisher;
    Pipe pipe_;

    pipe_open (&pipe_);
    publisher = publisher_new ("method=stdout results=all buffer-size=65536");
    publisher_push (publisher, n_frames);
    while (publisher_get_count (publisher, "results") < n_frames)
        g_usleep (1000);
    fail_unless (publisher_get_count (publisher, "dropped-results") > 100);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "dropped-events"), 0);
    fail_unless (publisher_get_count (publisher, "waiting-size") <= 65536 + 4096);
    pipe_.thread = g_thread_new ("reader", read_pipe, &pipe_);
    publisher_end (publisher);
    n_events = publisher_count_events (publisher, &warnings);
    fail_unless_equals_int (warnings, 1);
    pipe_close (&pipe_);
    publisher_expect_no_delay (publisher);
    publisher_free (publisher);
    g_thread_join (pipe_.thread);
    fail_unless (g_file_set_contents (path, pipe_.text->str, (gssize)pipe_.text->len, NULL));
    g_string_free (pipe_.text, TRUE);
    lines = read_lines (path);
    fail_unless_equals_int (n_events, 2 * n_frames / FRAMES_A_COLOUR);
    expect_events (lines, n_events);
    json_decref (lines);
}
GST_END_TEST;

/* Stopped while nobody reads: in time, with a warning that counts what is lost. */
GST_START_TEST (test_stop_without_a_reader)
{
    Publisher *publisher;
    guint warnings;
    gint64 begin;
    Pipe pipe_;

    pipe_open (&pipe_);
    publisher = publisher_new ("method=stdout results=all flush-timeout=200000000");
    publisher_push (publisher, 200);
    begin = g_get_monotonic_time ();
    publisher_end (publisher);
    publisher_count_events (publisher, &warnings);
    fail_unless_equals_int (warnings, 1);
    fail_unless (publisher_get_count (publisher, "waiting") > 0);
    publisher_free (publisher);
    pipe_close (&pipe_);
    close (pipe_.reader);
    g_string_free (pipe_.text, TRUE);
    fail_unless (g_get_monotonic_time () - begin < 10 * G_TIME_SPAN_SECOND);
}
GST_END_TEST;

/* ---- What cannot work ------------------------------------------------------------------------ */

/* One error that says what is wrong. */
static void
expect_refusal (const char *properties, const char *part)
{
    g_autofree char *line = g_strdup_printf ("altclippublish %s", properties);
    g_autoptr (GstElement) element = gst_object_ref_sink (gst_parse_launch (line, NULL));
    g_autoptr (GstBus) bus = gst_bus_new ();

    gst_element_set_bus (element, bus);
    fail_unless_equals_int (
            gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    expect_text (bus, GST_MESSAGE_ERROR, part);
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_element_set_bus (element, NULL);
}

GST_START_TEST (test_files_that_cannot_be)
{
    g_autofree char *line = g_strdup_printf ("method=file file-path=%s", folder);
    g_autofree char *pipe_path = g_build_filename (folder, "pipe", NULL);
    g_autofree char *pipe_line = g_strdup_printf ("method=file file-path=%s", pipe_path);

    expect_refusal ("method=file", "file-path");
    expect_refusal (line, "Is a directory");
    expect_refusal ("method=file file-path=/nonexistent/lines", "No such file");
    /* Not waited for. */
    fail_unless (mkfifo (pipe_path, 0600) == 0);
    expect_refusal (pipe_line, "No such device or address");
}
GST_END_TEST;

static void
expect_config_refused (const char *json, const char *part)
{
    g_autofree char *path = g_build_filename (folder, "mqtt.json", NULL);
    g_autofree char *line = g_strdup_printf ("method=mqtt mqtt-config=%s", path);

    fail_unless (g_file_set_contents (path, json, -1, NULL));
    expect_refusal (line, part);
}

GST_START_TEST (test_configurations_that_cannot_be)
{
    g_autofree char *large = g_strnfill (70000, ' ');

    expect_config_refused ("{", "line 1");
    expect_config_refused ("[]", "an object");
    expect_config_refused ("{\"user\": \"me\"}", "no field user");
    expect_config_refused ("{\"username\": 1}", "'username' must be a string");
    expect_config_refused ("{\"tls\": \"yes\"}", "'tls' must be true or false");
    expect_config_refused ("{\"password\": \"x\"}", "without a username");
    expect_config_refused ("{\"ca_file\": \"/x\"}", "'tls' is not true");
    expect_config_refused ("{\"tls\": true, \"ca_file\": \"/x\", \"key_file\": \"/y\"}", "alone");
    expect_config_refused ("{\"address\": \"host:0\"}", "address");
    expect_config_refused ("{\"address\": \"host:70000\"}", "address");
    expect_config_refused ("{\"address\": \"\"}", "address");
    expect_config_refused ("{\"topic\": \"a/#\"}", "topic");
    expect_config_refused ("{\"topic\": \"a\\n\"}", "topic");
    expect_config_refused ("{\"topic\": \"a\\ufffe\"}", "topic");
    expect_config_refused ("{\"client_id\": \"a\\u0001\"}", "client id");
    expect_config_refused ("{\"username\": \"a\\u0001\"}", "username");
    expect_config_refused ("{\"topic\": \"a\", \"topic\": \"b\"}", "twice");
    expect_config_refused (large, "65536");
    expect_refusal ("method=mqtt mqtt-config=/nonexistent.json", "No such file");
    expect_refusal ("method=mqtt mqtt-config=/dev/zero", "not a regular file");
#if HAVE_LIBMOSQUITTO
    expect_config_refused ("{\"tls\": true, \"ca_file\": \"/nonexistent\"}", "certificate");
#else
    expect_refusal ("method=mqtt", "built without libmosquitto");
#endif
}
GST_END_TEST;

/* ---- The element ----------------------------------------------------------------------------- */

GST_START_TEST (test_states_of_the_element)
{
    static const GstState states[] = { GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
        GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_NULL };
    g_autoptr (GstElement) element =
            gst_object_ref_sink (gst_element_factory_make ("altclippublish", NULL));

    for (guint i = 0; i < G_N_ELEMENTS (states); i++)
        fail_unless_equals_int (
                gst_element_set_state (element, states[i]), GST_STATE_CHANGE_SUCCESS);
}
GST_END_TEST;

/* What was not altclipfilter's passes, and so does everything in the order that it came in. */
GST_START_TEST (test_passes_through)
{
    GstHarness *harness = gst_harness_new ("altclippublish");
    GstBuffer *buffer = new_frame (0, 1, 2, 3);
    GstBuffer *out;

    gst_harness_set_src_caps_str (harness, "video/x-h264");
    gst_buffer_ref (buffer);
    fail_unless_equals_int (gst_harness_push (harness, buffer), GST_FLOW_OK);
    out = gst_harness_pull (harness);
    fail_unless (out == buffer);
    gst_buffer_unref (out);
    gst_buffer_unref (buffer);
    gst_harness_teardown (harness);
}
GST_END_TEST;

static Suite *
publish_suite (void)
{
    Suite *suite = suite_create ("publish");
    TCase *tests = tcase_create ("publish");

    tcase_set_timeout (tests, 0);
    tcase_add_checked_fixture (tests, make_folder, remove_folder);
    tcase_add_test (tests, test_events_come_before_their_frames);
    tcase_add_test (tests, test_events_are_the_messages);
    tcase_add_test (tests, test_events_without_messages);
    tcase_add_test (tests, test_events_of_a_live_stream);
    tcase_add_test (tests, test_events_outlast_a_flush);
    tcase_add_test (tests, test_events_of_a_file);
    tcase_add_test (tests, test_results_of_a_file);
    tcase_add_test (tests, test_results_of_all_frames);
    tcase_add_test (tests, test_results_of_a_part);
    tcase_add_test (tests, test_results_of_two_filters);
    tcase_add_test (tests, test_lines_are_appended);
    tcase_add_test (tests, test_results_of_regions);
    tcase_add_test (tests, test_confidence_of_tracked_regions);
    tcase_add_test (tests, test_slow_reader);
    tcase_add_test (tests, test_stop_without_a_reader);
    tcase_add_test (tests, test_files_that_cannot_be);
    tcase_add_test (tests, test_configurations_that_cannot_be);
    tcase_add_test (tests, test_states_of_the_element);
    tcase_add_test (tests, test_passes_through);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (publish);
