/* altclip: altclipfilter watches a film of the evaluation
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     watch --interval 0.2 --prompts watch.json --prompts watch.zh.json film-1
 *
 * decodes film-1.mkv, lets an altclipfilter for each file of prompts look at it, and writes the
 * events that they post to film-1.events.json, and the embeddings of the frames to film-1.sights.
 */

#include "event.h"
#include "sights.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>

typedef struct {
    GArray *events;    /* Event */
    double *begun;     /* [N_WATCHED]: since when; below 0: it is not active */
    const char *title; /* the file's base name */
} Told;

/* ---- What was posted ------------------------------------------------------------------------- */

static void
note_event (Told *told, const GstStructure *structure)
{
    const char *what = gst_structure_get_string (structure, "event");
    const char *label = gst_structure_get_string (structure, "label");
    Kind kind = kind_from_label (label);
    guint64 time;

    if (kind == N_KINDS)
        g_error ("%s: the evaluation knows no label '%s'", told->title, label);
    if (!gst_structure_get_uint64 (structure, "stream-time", &time))
        g_error ("%s: an event without stream-time", told->title);
    if (g_str_equal (what, "begin")) {
        told->begun[kind] = (double)time / GST_SECOND;
    } else if (g_str_equal (what, "end")) {
        Event event = { kind, told->begun[kind], (double)time / GST_SECOND };
        g_array_append_val (told->events, event);
    }
}

static void
note_message (GPtrArray *told, GstMessage *message)
{
    const GstStructure *structure = gst_message_get_structure (message);
    g_autoptr (GError) error = NULL;

    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error (message, &error, NULL);
        g_error ("%s", error->message);
    }
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
        gst_message_parse_warning (message, &error, NULL);
        g_error ("%s", error->message);
    }
    if (!gst_message_has_name (message, "altclip"))
        return;
    for (guint i = 0; i < told->len; i++) {
        g_autofree char *name = g_strdup_printf ("watcher%u", i);
        if (g_str_equal (GST_MESSAGE_SRC_NAME (message), name))
            note_event (g_ptr_array_index (told, i), structure);
    }
}

static void
note_messages (GPtrArray *told, GstElement *pipeline)
{
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    GstMessage *message;

    while ((message = gst_bus_pop (bus))) {
        note_message (told, message);
        gst_message_unref (message);
    }
}

/* ---- What was seen --------------------------------------------------------------------------- */

static void
note_frame (Sights *sights, GstBuffer *buffer)
{
    GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "AltClipMeta");
    GstStructure *structure = meta ? gst_custom_meta_get_structure (meta) : NULL;
    const GValue *value = structure ? gst_structure_get_value (structure, "embedding") : NULL;
    GstMapInfo map;
    guint64 time;

    /* Of the frames between two that were analysed each has the first one's. */
    if (!value || !gst_structure_get_uint64 (structure, "frame-pts", &time) ||
            (sights->times && sights->times->len &&
                    g_array_index (sights->times, guint64, sights->times->len - 1) == time))
        return;
    gst_buffer_map (gst_value_get_buffer (value), &map, GST_MAP_READ);
    if (!sights->times)
        sights_init (sights, (guint)(map.size / sizeof (float)));
    sights_add (sights, time, (const float *)map.data);
    gst_buffer_unmap (gst_value_get_buffer (value), &map);
}

/* ---- The pipeline ---------------------------------------------------------------------------- */

static GstElement *
make_pipeline (const char *film, char **prompts, double interval)
{
    g_autoptr (GString) line = g_string_new ("filesrc name=source ! matroskademux ! decodebin");
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) source = NULL;
    GstElement *pipeline;

    for (guint i = 0; prompts[i]; i++)
        g_string_append_printf (line, " ! altclipfilter name=watcher%u threads=1 mode=exact", i);
    g_string_append (line, " ! appsink name=sink sync=false max-buffers=8");
    pipeline = gst_parse_launch (line->str, &error);
    if (error)
        g_error ("%s", error->message);
    source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
    g_object_set (source, "location", film, NULL);
    for (guint i = 0; prompts[i]; i++) {
        g_autofree char *name = g_strdup_printf ("watcher%u", i);
        g_autoptr (GstElement) watcher = gst_bin_get_by_name (GST_BIN (pipeline), name);

        g_object_set (watcher, "prompts-file", prompts[i], "interval",
                (guint64)llround (interval * GST_SECOND), "attach-embedding", !prompts[i + 1],
                NULL);
    }
    return pipeline;
}

static void
play (GstElement *pipeline, GPtrArray *told, Sights *sights)
{
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    GstSample *sample;

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
        note_frame (sights, gst_sample_get_buffer (sample));
        note_messages (told, pipeline);
        gst_sample_unref (sample);
    }
    note_messages (told, pipeline);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* ---- Results --------------------------------------------------------------------------------- */

static void
told_free (gpointer data)
{
    Told *told = data;

    g_array_unref (told->events);
    g_free (told->begun);
    g_free (told);
}

static GPtrArray *
make_told (char **prompts)
{
    GPtrArray *all = g_ptr_array_new_with_free_func (told_free);

    for (guint i = 0; prompts[i]; i++) {
        const char *slash = strrchr (prompts[i], '/');
        Told *told = g_new0 (Told, 1);

        told->events = g_array_new (FALSE, FALSE, sizeof (Event));
        told->begun = g_new0 (double, N_WATCHED);
        told->title = slash ? slash + 1 : prompts[i];
        g_ptr_array_add (all, told);
    }
    return all;
}

static void
save (const char *film, const GPtrArray *told, const Sights *sights)
{
    g_autofree char *events_path = g_strconcat (film, ".events.json", NULL);
    g_autofree char *sights_path = g_strconcat (film, ".sights", NULL);
    g_autoptr (GError) error = NULL;
    json_t *object = json_object ();

    for (guint i = 0; i < told->len; i++) {
        const Told *one = g_ptr_array_index (told, i);
        json_object_set_new (object, one->title, events_to_json (one->events));
    }
    if (json_dump_file (object, events_path, JSON_INDENT (1)) != 0)
        g_error ("%s cannot be written", events_path);
    json_decref (object);
    if (!sights->times)
        g_error ("%s: no frame was analysed", film);
    if (!sights_save (sights, sights_path, &error))
        g_error ("%s", error->message);
}

int
main (int argc, char **argv)
{
    g_auto (GStrv) prompts = NULL;
    double interval = 0.2;
    const GOptionEntry entries[] = {
        { "prompts", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &prompts,
                "What to watch for; may be repeated", "FILE.json" },
        { "interval", 0, 0, G_OPTION_ARG_DOUBLE, &interval, "Time between analysed frames", "S" },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr (GOptionContext) context = g_option_context_new ("FILM…");
    g_autoptr (GError) error = NULL;

    g_option_context_add_main_entries (context, entries, NULL);
    g_option_context_add_group (context, gst_init_get_option_group ());
    if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 2 || !prompts)
        g_error ("%s", error ? error->message : "--prompts and a film are needed; try --help");
    for (int i = 1; i < argc; i++) {
        g_autofree char *film = g_strconcat (argv[i], ".mkv", NULL);
        g_autoptr (GstElement) pipeline = make_pipeline (film, prompts, interval);
        g_autoptr (GPtrArray) told = make_told (prompts);
        Sights sights = { 0 };

        play (pipeline, told, &sights);
        save (argv[i], told, &sights);
        sights_clear (&sights);
    }
    return 0;
}
