/* altclip: what the element's tests stand on: an element between two harness pads, and its frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Failures -------------------------------------------------------------------------------- */

/* Takes the place of GStreamer's own, which goes on after a failure: it waits for the tasks of what
 * the failed test left running, and never tells what failed. */
void
_ck_assert_failed (const char *file, int line, const char *expression, ...)
{
    va_list arguments;
    const char *format;

    va_start (arguments, expression);
    format = va_arg (arguments, const char *);
    fprintf (stderr, "%s:%d: %s%s", file, line, expression, format ? ": " : "");
    if (format)
        vfprintf (stderr, format, arguments);
    fputc ('\n', stderr);
    va_end (arguments);
    fflush (NULL);
    _exit (EXIT_FAILURE);
}

/* ---- A rig: an element between two harness pads, with a bus ---------------------------------- */

static Rig *
new_idle (const char *model, va_list properties)
{
    Rig *rig = g_new0 (Rig, 1);
    const char *name;

    rig->element = gst_object_ref_sink (gst_element_factory_make ("altclipfilter", NULL));
    rig->bus = gst_bus_new ();
    gst_element_set_bus (rig->element, rig->bus);
    g_object_set (rig->element, "model", model, NULL);
    while ((name = va_arg (properties, const char *)))
        gst_util_set_object_arg (G_OBJECT (rig->element), name, va_arg (properties, const char *));
    return rig;
}

Rig *
rig_new_idle (const char *model, ...)
{
    va_list properties;
    Rig *rig;

    va_start (properties, model);
    rig = new_idle (model, properties);
    va_end (properties);
    return rig;
}

void
rig_start (Rig *rig)
{
    rig->harness = gst_harness_new_with_element (rig->element, "sink", "src");
    gst_harness_set_src_caps_str (rig->harness, CAPS);
}

/* Properties and values as strings, up to NULL. */
Rig *
rig_new (const char *model, ...)
{
    va_list properties;
    Rig *rig;

    va_start (properties, model);
    rig = new_idle (model, properties);
    va_end (properties);
    rig_start (rig);
    return rig;
}

void
rig_free (Rig *rig)
{
    gst_harness_teardown (rig->harness);
    gst_element_set_bus (rig->element, NULL);
    gst_object_unref (rig->bus);
    gst_object_unref (rig->element);
    g_free (rig);
}

void
rig_flush (Rig *rig)
{
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_flush_start ()));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_flush_stop (TRUE)));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_segment (&segment)));
}

void
rig_forget_messages (Rig *rig)
{
    gst_bus_set_flushing (rig->bus, TRUE);
    gst_bus_set_flushing (rig->bus, FALSE);
}

guint64
rig_get_count (Rig *rig, const char *name)
{
    g_autoptr (GstStructure) stats = NULL;
    guint64 count = 0;

    g_object_get (rig->element, "stats", &stats, NULL);
    fail_unless (gst_structure_get_uint64 (stats, name, &count));
    return count;
}

/* ---- Frames and tags ------------------------------------------------------------------------- */

GstBuffer *
new_frame (GstClockTime pts, guint8 red, guint8 green, guint8 blue)
{
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, FRAME_SIZE, NULL);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (gsize i = 0; i < map.size; i += 3) {
        map.data[i] = red;
        map.data[i + 1] = green;
        map.data[i + 2] = blue;
    }
    gst_buffer_unmap (buffer, &map);
    GST_BUFFER_PTS (buffer) = pts;
    GST_BUFFER_DURATION (buffer) = FRAME;
    return buffer;
}

/* A frame that differs from its neighbours. */
GstBuffer *
new_numbered_frame (guint number)
{
    return new_frame (number * FRAME, (guint8)(number * 67), (guint8)(number * 31), 128);
}

const GstStructure *
get_tags (GstBuffer *buffer)
{
    GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "AltClipMeta");

    return meta ? gst_custom_meta_get_structure (meta) : NULL;
}

const GstStructure *
get_label (const GstStructure *tags, guint rank)
{
    const GValue *results = gst_structure_get_value (tags, "results");

    return gst_value_get_structure (gst_value_array_get_value (results, rank));
}

guint
get_n_labels (const GstStructure *tags)
{
    return gst_value_array_get_size (gst_structure_get_value (tags, "results"));
}

guint64
get_frame_pts (const GstStructure *tags)
{
    guint64 pts = 0;

    fail_unless (gst_structure_get_uint64 (tags, "frame-pts", &pts));
    return pts;
}

gint64
get_age (const GstStructure *tags)
{
    gint64 age = 0;

    fail_unless (gst_structure_get_int64 (tags, "age", &age));
    return age;
}

guint
get_revision (const GstStructure *tags)
{
    guint revision = 0;

    fail_unless (gst_structure_get_uint (tags, "revision", &revision));
    return revision;
}

/* Live: pushes frames from number *at on until one comes out tagged. (transfer full) */
GstBuffer *
push_until_tagged (Rig *rig, guint *at)
{
    for (guint i = 0; i < 3000; i++) {
        GstBuffer *buffer;

        fail_unless_equals_int (
                gst_harness_push (rig->harness, new_numbered_frame ((*at)++)), GST_FLOW_OK);
        buffer = gst_harness_pull (rig->harness);
        if (get_tags (buffer))
            return buffer;
        gst_buffer_unref (buffer);
        g_usleep (20000);
    }
    fail ("no frame was tagged");
    return NULL;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* (transfer full) */
GstMessage *
pop_message (GstBus *bus, GstMessageType type)
{
    GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE, type);

    fail_unless (message != NULL, "no message of type %s came", gst_message_type_get_name (type));
    return message;
}

/* The next `altclip` message with that event. (transfer full) */
GstMessage *
pop_event (GstBus *bus, const char *event)
{
    for (;;) {
        GstMessage *message = pop_message (bus, GST_MESSAGE_ELEMENT);
        const GstStructure *structure = gst_message_get_structure (message);

        if (gst_structure_has_name (structure, "altclip") &&
                g_str_equal (gst_structure_get_string (structure, "event"), event))
            return message;
        gst_message_unref (message);
    }
}

char *
get_text (GstMessage *message)
{
    g_autoptr (GError) error = NULL;

    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
        gst_message_parse_error (message, &error, NULL);
    else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
        gst_message_parse_warning (message, &error, NULL);
    else
        gst_message_parse_info (message, &error, NULL);
    return g_strdup (error->message);
}

void
expect_text (GstBus *bus, GstMessageType type, const char *part)
{
    g_autoptr (GstMessage) message = pop_message (bus, type);
    g_autofree char *text = get_text (message);

    fail_unless (strstr (text, part) != NULL, "\"%s\" does not say \"%s\"", text, part);
}

void
expect_ending (GstBus *bus, const char *reason)
{
    g_autoptr (GstMessage) message = pop_event (bus, "end");
    const GstStructure *structure = gst_message_get_structure (message);

    fail_unless_equals_string (gst_structure_get_string (structure, "reason"), reason);
    fail_unless (gst_structure_has_field_typed (structure, "duration", G_TYPE_UINT64));
    fail_unless (gst_structure_has_field_typed (structure, "peak", G_TYPE_DOUBLE));
}

/* Beginnings without an end. */
gint
count_open_progress (GstBus *bus)
{
    GstMessage *message;
    gint open = 0;

    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_PROGRESS))) {
        GstProgressType type;

        gst_message_parse_progress (message, &type, NULL, NULL);
        open += type == GST_PROGRESS_TYPE_START ? 1 : -1;
        gst_message_unref (message);
    }
    return open;
}
