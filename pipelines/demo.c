/* altclip: the demo
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     altclip-demo FILE-or-URI [PROMPTS]
 *
 * Plays a video through altclipfilter, prints a line when a label begins and when it ends, and
 * closes with a table. Beside NAME.webm there may be NAME.scenes.json, which says what the video
 * truly shows: then, with the prompts below, the table holds scenes against labels, and otherwise
 * labels and how long each was there.
 *
 * Reads the plugin's output the two ways an application can: messages on the bus, and the
 * metadata of each frame.
 */

#include "columns.h"

#include <glib-unix.h>
#include <gst/gst.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TIMES "\u00d7"

static const char PROMPTS[] =
        "colour bars;static noise;a black screen;a white screen;a red screen;a blue screen;"
        "a clear picture;a blurred picture;a dark picture;an overexposed picture;a checkerboard;"
        "a gradient;concentric circles;a ball on black;a red circle;a red square;a blue star;"
        "a blue circle;a green ring;a green triangle;yellow crosses;a yellow star;a white cross;"
        "a purple ring";

/* What the video shows from start to end, in seconds. */
typedef struct {
    double start;
    double end;
    char *truth;
    guint n_frames;
    GArray *totals; /* of double: the scores of each label, added up */
} Scene;

typedef struct {
    char *name;
    guint n_times;
    double seconds; /* how long it was on screen, all told */
    double peak;
} Label;

typedef struct {
    const char *source;
    GMainLoop *loop;
    GstElement *pipeline;
    GArray *scenes; /* of Scene; their totals are the streaming thread's, as below */
    int status;
    GMutex lock; /* of the labels, which both threads find by their index */
    GArray *labels;
    /* Of the streaming thread, until the pipeline has stopped: */
    GstSegment segment;
    int width;
    int height;
    guint n_frames;
    gint64 first; /* monotonic time of the first and the last frame */
    gint64 last;
} Demo;

static void
scene_clear (gpointer data)
{
    Scene *scene = data;

    g_free (scene->truth);
    g_array_unref (scene->totals);
}

static void
label_clear (gpointer data)
{
    g_free (((Label *)data)->name);
}

/* ---- Scenes --------------------------------------------------------------------------------- */

static gboolean
append_scene (GArray *scenes, json_t *item)
{
    Scene scene = { 0 };
    const char *truth;

    if (json_unpack (
                item, "{s:F, s:F, s:s}", "start", &scene.start, "end", &scene.end, "truth", &truth))
        return FALSE;
    scene.truth = g_strdup (truth);
    scene.totals = g_array_new (FALSE, TRUE, sizeof (double));
    g_array_append_val (scenes, scene);
    return TRUE;
}

/* Nothing when nobody has written down what the file shows. */
static void
read_scenes (Demo *demo)
{
    const char *dot = strrchr (demo->source, '.');
    g_autofree char *stem =
            dot ? g_strndup (demo->source, dot - demo->source) : g_strdup (demo->source);
    g_autofree char *path = g_strconcat (stem, ".scenes.json", NULL);
    json_error_t error;
    json_t *root, *item;
    gsize i;

    if (!g_file_test (path, G_FILE_TEST_EXISTS))
        return;
    root = json_load_file (path, 0, &error);
    if (!root)
        fprintf (stderr, "%s: line %d: %s\n", path, error.line, error.text);
    json_array_foreach (root, i, item)
    {
        if (!append_scene (demo->scenes, item))
            fprintf (stderr, "%s: entry %zu is not {\"start\", \"end\", \"truth\"}\n", path, i);
    }
    json_decref (root);
}

static Scene *
find_scene (Demo *demo, double seconds)
{
    for (guint i = 0; i < demo->scenes->len; i++) {
        Scene *scene = &g_array_index (demo->scenes, Scene, i);

        if (seconds >= scene->start && seconds < scene->end)
            return scene;
    }
    return NULL;
}

/* With the lock. */
static Label *
find_label (Demo *demo, guint index, const char *name)
{
    Label *label;

    if (index >= demo->labels->len)
        g_array_set_size (demo->labels, index + 1);
    label = &g_array_index (demo->labels, Label, index);
    if (!label->name)
        label->name = g_strdup (name);
    return label;
}

/* ---- Frames --------------------------------------------------------------------------------- */

static void
add_result (Demo *demo, Scene *scene, const GstStructure *result)
{
    guint index;
    double score;

    if (!gst_structure_get_uint (result, "index", &index) ||
            !gst_structure_get_double (result, "score", &score))
        return;
    g_mutex_lock (&demo->lock);
    find_label (demo, index, gst_structure_get_string (result, "label"));
    g_mutex_unlock (&demo->lock);
    if (index >= scene->totals->len)
        g_array_set_size (scene->totals, index + 1);
    g_array_index (scene->totals, double, index) += score;
}

/* Adds the scores that altclipfilter attached to a frame to those of its scene. */
static void
add_frame (Demo *demo, GstBuffer *buffer)
{
    GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "AltClipMeta");
    guint64 time =
            gst_segment_to_stream_time (&demo->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
    const GValue *results;
    Scene *scene;

    if (!meta || !GST_CLOCK_TIME_IS_VALID (time))
        return;
    scene = find_scene (demo, (double)time / GST_SECOND);
    if (!scene)
        return;
    results = gst_structure_get_value (gst_custom_meta_get_structure (meta), "results");
    for (guint i = 0; i < gst_value_array_get_size (results); i++)
        add_result (demo, scene, gst_value_get_structure (gst_value_array_get_value (results, i)));
    scene->n_frames++;
}

static void
take_event (Demo *demo, GstEvent *event)
{
    GstCaps *caps;

    if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
        gst_event_copy_segment (event, &demo->segment);
    } else if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
        gst_event_parse_caps (event, &caps);
        gst_structure_get (gst_caps_get_structure (caps, 0), "width", G_TYPE_INT, &demo->width,
                "height", G_TYPE_INT, &demo->height, NULL);
    }
}

static GstPadProbeReturn
on_data (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Demo *demo = user_data;

    if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
        demo->last = g_get_monotonic_time ();
        if (demo->n_frames++ == 0)
            demo->first = demo->last;
        add_frame (demo, GST_PAD_PROBE_INFO_BUFFER (info));
    } else {
        take_event (demo, GST_PAD_PROBE_INFO_EVENT (info));
    }
    return GST_PAD_PROBE_OK;
}

/* ---- Messages ------------------------------------------------------------------------------- */

static char *
format_time (guint64 time)
{
    if (!GST_CLOCK_TIME_IS_VALID (time))
        return g_strdup ("-:--.---");
    return g_strdup_printf ("%u:%02u.%03u", (guint)(time / (60 * GST_SECOND)),
            (guint)(time / GST_SECOND % 60), (guint)(time / GST_MSECOND % 1000));
}

/* Not g_print(), which turns what is not ASCII into question marks in the C locale. */
static void
print_padded (const char *text, int width)
{
    printf ("%s%*s", text, MAX (width - (int)columns_count (text), 0), "");
}

static void
print_ending (Demo *demo, const GstStructure *event)
{
    const char *reason = gst_structure_get_string (event, "reason");
    guint64 duration = 0;
    double peak = 0.0;
    guint index = 0;
    Label *label;

    gst_structure_get (event, "duration", G_TYPE_UINT64, &duration, "peak", G_TYPE_DOUBLE, &peak,
            "index", G_TYPE_UINT, &index, NULL);
    g_mutex_lock (&demo->lock);
    label = find_label (demo, index, gst_structure_get_string (event, "label"));
    label->n_times++;
    label->seconds += (double)duration / GST_SECOND;
    label->peak = MAX (label->peak, peak);
    g_mutex_unlock (&demo->lock);
    printf ("  after %.1f s%s", (double)duration / GST_SECOND,
            g_strcmp0 (reason, "eos") == 0 ? ", with the video" : "");
}

static void
print_event (Demo *demo, const GstStructure *event)
{
    const char *kind = gst_structure_get_string (event, "event");
    guint64 time = GST_CLOCK_TIME_NONE;
    g_autofree char *when = NULL;
    double score = 0.0;

    gst_structure_get (
            event, "stream-time", G_TYPE_UINT64, &time, "score", G_TYPE_DOUBLE, &score, NULL);
    when = format_time (time);
    printf ("%10s  %-6s", when, kind);
    print_padded (gst_structure_get_string (event, "label"), 22);
    printf ("%5.2f", score);
    if (strcmp (kind, "end") == 0)
        print_ending (demo, event);
    putchar ('\n');
    fflush (stdout);
}

static void
print_trouble (Demo *demo, GstMessage *message)
{
    g_autoptr (GError) error = NULL;

    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error (message, &error, NULL);
        fprintf (stderr, "Cannot play %s: ", demo->source);
    } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
        gst_message_parse_warning (message, &error, NULL);
    } else {
        gst_message_parse_info (message, &error, NULL);
    }
    fprintf (stderr, "%s\n", error->message);
}

static gboolean
on_message (G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer user_data)
{
    Demo *demo = user_data;

    switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
        if (gst_message_has_name (message, "altclip"))
            print_event (demo, gst_message_get_structure (message));
        break;
    case GST_MESSAGE_INFO:
    case GST_MESSAGE_WARNING:
        print_trouble (demo, message);
        break;
    case GST_MESSAGE_ERROR:
        print_trouble (demo, message);
        demo->status = 1;
        g_main_loop_quit (demo->loop);
        break;
    case GST_MESSAGE_EOS:
        g_main_loop_quit (demo->loop);
        break;
    default:
        break;
    }
    return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer user_data)
{
    gst_element_send_event (((Demo *)user_data)->pipeline, gst_event_new_eos ());
    return G_SOURCE_REMOVE;
}

/* ---- Tables --------------------------------------------------------------------------------- */

static gboolean
print_scene (Demo *demo, const Scene *scene)
{
    g_autofree char *start = format_time ((guint64)(scene->start * GST_SECOND + 0.5));
    const char *name = "(nothing)";
    double best = 0.0;
    gboolean right;

    for (guint i = 0; i < scene->totals->len; i++) {
        if (g_array_index (scene->totals, double, i) <= best)
            continue;
        best = g_array_index (scene->totals, double, i);
        name = g_array_index (demo->labels, Label, i).name;
    }
    right = strcmp (name, scene->truth) == 0;
    printf ("%10s  ", start);
    print_padded (scene->truth, 22);
    print_padded (name, 22);
    printf ("%5.2f  %s\n", scene->n_frames ? best / scene->n_frames : 0.0, right ? "✓" : "✗");
    return right;
}

static void
print_scenes (Demo *demo)
{
    guint n_right = 0;

    printf ("\n%10s  %-22s%-22s%5s\n", "scene", "truth", "label of most score", "mean");
    for (guint i = 0; i < demo->scenes->len; i++)
        n_right += print_scene (demo, &g_array_index (demo->scenes, Scene, i));
    printf ("\n%u of %u scenes named right, among %u labels.\n", n_right, demo->scenes->len,
            demo->labels->len);
}

static void
print_labels (Demo *demo)
{
    if (!demo->labels->len) {
        puts ("No label began.");
        return;
    }
    printf ("\n  %-22s%6s%9s%6s\n", "label", "times", "seconds", "peak");
    for (guint i = 0; i < demo->labels->len; i++) {
        const Label *label = &g_array_index (demo->labels, Label, i);

        if (!label->n_times)
            continue;
        printf ("  ");
        print_padded (label->name, 22);
        printf ("%6u%9.1f%6.2f\n", label->n_times, label->seconds, label->peak);
    }
    putchar ('\n');
}

static void
print_speed (Demo *demo)
{
    double seconds = (double)(demo->last - demo->first) / G_USEC_PER_SEC;

    if (demo->n_frames < 2 || seconds <= 0.0)
        return;
    printf ("%u frames of %d" TIMES "%d in %.1f s: %.0f frames/s.\n", demo->n_frames, demo->width,
            demo->height, seconds, (demo->n_frames - 1) / seconds);
}

/* ---- Pipeline ------------------------------------------------------------------------------- */

static gboolean
set_up (Demo *demo, const char *prompts)
{
    gboolean is_uri = gst_uri_is_valid (demo->source);
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) input = NULL;
    g_autoptr (GstElement) filter = NULL;
    g_autoptr (GstElement) sink = NULL;
    g_autoptr (GstPad) pad = NULL;
    g_autoptr (GstBus) bus = NULL;

    demo->pipeline = gst_parse_launch (is_uri ? "uridecodebin name=input ! videoconvert ! "
                                                "altclipfilter name=filter ! fakesink name=sink"
                                              : "filesrc name=input ! decodebin ! videoconvert ! "
                                                "altclipfilter name=filter ! fakesink name=sink",
            &error);
    if (error) {
        fprintf (stderr, "%s\n", error->message);
        return FALSE;
    }
    input = gst_bin_get_by_name (GST_BIN (demo->pipeline), "input");
    filter = gst_bin_get_by_name (GST_BIN (demo->pipeline), "filter");
    sink = gst_bin_get_by_name (GST_BIN (demo->pipeline), "sink");
    g_object_set (input, is_uri ? "uri" : "location", demo->source, NULL);
    g_object_set (filter, "prompts", prompts, "top-k", 0, NULL);

    pad = gst_element_get_static_pad (sink, "sink");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
            on_data, demo, NULL);
    bus = gst_element_get_bus (demo->pipeline);
    gst_bus_add_watch (bus, on_message, demo);
    return TRUE;
}

static void
play (Demo *demo)
{
    guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, demo);

    gst_element_set_state (demo->pipeline, GST_STATE_PLAYING);
    g_main_loop_run (demo->loop);
    gst_element_set_state (demo->pipeline, GST_STATE_NULL);
    if (g_main_context_find_source_by_id (NULL, interrupt))
        g_source_remove (interrupt);
}

int
main (int argc, char **argv)
{
    Demo demo = { 0 };

    if (argc < 2 || argc > 3 || argv[1][0] == '-') {
        fprintf (stderr, "Usage: %s FILE-or-URI [PROMPTS]\n", argv[0]);
        return 2;
    }
    gst_init (NULL, NULL);
    demo.source = argv[1];
    demo.loop = g_main_loop_new (NULL, FALSE);
    demo.scenes = g_array_new (FALSE, TRUE, sizeof (Scene));
    g_array_set_clear_func (demo.scenes, scene_clear);
    demo.labels = g_array_new (FALSE, TRUE, sizeof (Label));
    g_array_set_clear_func (demo.labels, label_clear);
    gst_segment_init (&demo.segment, GST_FORMAT_TIME);
    if (argc == 2)
        read_scenes (&demo);

    if (!set_up (&demo, argc > 2 ? argv[2] : PROMPTS))
        demo.status = 1;
    else
        play (&demo);
    if (demo.status == 0) {
        if (demo.scenes->len)
            print_scenes (&demo);
        else
            print_labels (&demo);
        print_speed (&demo);
    }

    if (demo.pipeline) {
        g_autoptr (GstBus) bus = gst_element_get_bus (demo.pipeline);

        gst_bus_remove_watch (bus);
        gst_object_unref (demo.pipeline);
    }
    g_array_unref (demo.scenes);
    g_array_unref (demo.labels);
    g_main_loop_unref (demo.loop);
    gst_deinit ();
    return demo.status;
}
