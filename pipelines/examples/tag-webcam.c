/* altclip: an example: what a webcam shows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     cc -o tag-webcam tag-webcam.c $(pkg-config --cflags --libs gstreamer-1.0)
 *     ./tag-webcam "a red circle;a person=somebody|a face" ["videotestsrc num-buffers=90"]
 *
 * Reacts to what begins and ends; a second argument takes the place of the webcam. Ctrl+C ends it.
 */

#include <gst/gst.h>

/* Here is the place to ring a bell. */
static void
on_event (const GstStructure *event)
{
    const char *name = gst_structure_get_string (event, "event");
    const char *label = gst_structure_get_string (event, "label");
    double score = 0.0;

    if (g_strcmp0 (name, "begin") != 0 && g_strcmp0 (name, "end") != 0)
        return;
    gst_structure_get_double (event, "score", &score);
    g_print ("%s %s %s %.2f\n", gst_structure_get_string (event, "utc"), name, label, score);
}

static gboolean
on_message (G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer loop)
{
    g_autoptr (GError) error = NULL;

    switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
        if (gst_message_has_name (message, "altclip"))
            on_event (gst_message_get_structure (message));
        break;
    case GST_MESSAGE_ERROR:
        gst_message_parse_error (message, &error, NULL);
        g_printerr ("%s\n", error->message);
        g_main_loop_quit (loop);
        break;
    case GST_MESSAGE_EOS:
        g_main_loop_quit (loop);
        break;
    default:
        break;
    }
    return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
    g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
    g_autoptr (GstElement) pipeline = NULL;
    g_autoptr (GstElement) filter = NULL;
    g_autoptr (GstBus) bus = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree char *line = NULL;

    gst_init (&argc, &argv);
    line = g_strdup_printf ("%s ! videoconvert ! altclipfilter name=filter ! fakesink",
            argc > 2 ? argv[2] : "v4l2src");
    pipeline = gst_parse_launch (line, &error);
    if (error) {
        g_printerr ("%s\n", error->message);
        return 1;
    }
    filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
    g_object_set (filter, "prompts", argc > 1 ? argv[1] : "a person;an empty room", NULL);
    bus = gst_element_get_bus (pipeline);
    gst_bus_add_watch (bus, on_message, loop);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    g_main_loop_run (loop);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_bus_remove_watch (bus);
    return 0;
}
