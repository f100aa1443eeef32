/* altclip: altclipfilter and altclippublish between two harness pads, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "publisher.h"

#include "models.h"
#include "rig.h"

#include <string.h>

/* ---- The elements ---------------------------------------------------------------------------- */

static GstPadProbeReturn
note_entry (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info G_GNUC_UNUSED, gpointer user_data)
{
    Publisher *publisher = user_data;

    publisher->entered = g_get_monotonic_time ();
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
note_exit (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info G_GNUC_UNUSED, gpointer user_data)
{
    Publisher *publisher = user_data;
    gint64 time = g_get_monotonic_time () - publisher->entered;

    g_array_append_val (publisher->times, time);
    return GST_PAD_PROBE_OK;
}

static void
add_probe (Publisher *publisher, const char *name, GstPadProbeCallback callback)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (publisher->publish, name);

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, publisher, NULL);
}

Publisher *
publisher_new_with (const char *filter_properties, const char *properties)
{
    Publisher *publisher = g_new0 (Publisher, 1);
    g_autoptr (GError) error = NULL;
    g_autofree char *line =
            g_strdup_printf ("altclipfilter name=filter model=%s prompts=\"a black screen;a blue "
                             "screen\" mode=exact "
                             "interval=%" G_GUINT64_FORMAT " %s ! altclippublish name=publish %s",
                    models_get_demo (), FRAMES_AN_ANALYSIS * FRAME, filter_properties, properties);

    publisher->bin = gst_object_ref_sink (gst_parse_bin_from_description (line, TRUE, &error));
    g_assert_no_error (error);
    publisher->filter = gst_bin_get_by_name (GST_BIN (publisher->bin), "filter");
    publisher->publish = gst_bin_get_by_name (GST_BIN (publisher->bin), "publish");
    publisher->bus = gst_bus_new ();
    publisher->times = g_array_new (FALSE, FALSE, sizeof (gint64));
    add_probe (publisher, "sink", note_entry);
    add_probe (publisher, "src", note_exit);
    gst_element_set_bus (publisher->bin, publisher->bus);
    publisher->harness = gst_harness_new_with_element (publisher->bin, "sink", "src");
    gst_harness_set_drop_buffers (publisher->harness, TRUE);
    gst_harness_set_src_caps_str (publisher->harness, CAPS);
    return publisher;
}

Publisher *
publisher_new (const char *properties)
{
    return publisher_new_with ("", properties);
}

void
publisher_free (Publisher *publisher)
{
    gst_harness_teardown (publisher->harness);
    gst_element_set_bus (publisher->bin, NULL);
    gst_object_unref (publisher->bus);
    gst_object_unref (publisher->filter);
    gst_object_unref (publisher->publish);
    gst_object_unref (publisher->bin);
    g_array_unref (publisher->times);
    g_free (publisher);
}

void
publisher_push (Publisher *publisher, guint n_frames)
{
    for (guint i = 0; i < n_frames; i++) {
        guint number = publisher->next++;
        guint8 blue = number / FRAMES_A_COLOUR % 2 ? 255 : 0;

        fail_unless_equals_int (
                gst_harness_push (publisher->harness, new_frame (number * FRAME, 0, 0, blue)),
                GST_FLOW_OK);
    }
}

void
publisher_end (Publisher *publisher)
{
    gboolean is_eos = FALSE;

    fail_unless (gst_harness_push_event (publisher->harness, gst_event_new_eos ()));
    while (!is_eos) {
        GstEvent *event = gst_harness_pull_event (publisher->harness);

        fail_unless (event != NULL, "no EOS came out");
        is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
        gst_event_unref (event);
    }
}

guint64
publisher_get_count (Publisher *publisher, const char *name)
{
    g_autoptr (GstStructure) stats = NULL;
    guint64 count = 0;
    guint small = 0;

    g_object_get (publisher->publish, "stats", &stats, NULL);
    if (gst_structure_get_uint (stats, name, &small))
        return small;
    fail_unless (gst_structure_get_uint64 (stats, name, &count), "there is no %s", name);
    return count;
}

void
publisher_wait (Publisher *publisher)
{
    for (guint i = 0; publisher_get_count (publisher, "waiting") > 0; i++) {
        fail_unless (i < 3000, "%" G_GUINT64_FORMAT " lines still wait",
                publisher_get_count (publisher, "waiting"));
        g_usleep (20000);
    }
}

guint
publisher_count_events (Publisher *publisher, guint *warnings)
{
    GstMessage *message;
    guint n = 0;

    *warnings = 0;
    while ((message = gst_bus_pop (publisher->bus))) {
        n += gst_message_has_name (message, "altclip");
        *warnings += GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING &&
                     GST_MESSAGE_SRC (message) == GST_OBJECT (publisher->publish);
        gst_message_unref (message);
    }
    return n;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
    gint64 left = *(const gint64 *)a;
    gint64 right = *(const gint64 *)b;

    return left < right ? -1 : left > right;
}

void
publisher_expect_no_delay (Publisher *publisher)
{
    GArray *times = publisher->times;
    gint64 worst;

    fail_unless_equals_int (times->len, publisher->next);
    g_array_sort (times, compare_times);
    worst = g_array_index (times, gint64, times->len - 1);
    g_print ("# a frame in altclippublish, of %u: median %" G_GINT64_FORMAT
             " us, 99 %% %" G_GINT64_FORMAT " us, worst %" G_GINT64_FORMAT " us\n",
            times->len, g_array_index (times, gint64, times->len / 2),
            g_array_index (times, gint64, times->len * 99 / 100), worst);
    fail_unless (worst < LATE, "a frame was held up for %" G_GINT64_FORMAT " us", worst);
}

/* ---- What they write ------------------------------------------------------------------------- */

json_t *
read_lines (const char *path)
{
    g_autofree char *text = NULL;
    g_auto (GStrv) lines = NULL;
    json_t *array = json_array ();

    fail_unless (g_file_get_contents (path, &text, NULL, NULL));
    lines = g_strsplit (text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        json_error_t error;
        json_t *line;

        /* The last line has an end. */
        if (!lines[i + 1]) {
            fail_unless_equals_string (lines[i], "");
            break;
        }
        line = json_loads (lines[i], JSON_REJECT_DUPLICATES, &error);
        fail_unless (line != NULL, "%s: %s", lines[i], error.text);
        json_array_append_new (array, line);
    }
    return array;
}

gboolean
is_event (const json_t *line)
{
    return json_object_get (line, "event") != NULL;
}

guint
count_results (const json_t *lines)
{
    guint n = 0;

    for (gsize i = 0; i < json_array_size (lines); i++)
        n += !is_event (json_array_get (lines, i));
    return n;
}

guint64
get_sequence (const json_t *line)
{
    json_int_t sequence = json_integer_value (json_object_get (line, "sequence"));

    fail_unless (sequence > 0);
    return (guint64)sequence;
}

/* Of each label begins and ends take turns, and all ends. */
void
expect_events (const json_t *lines, guint n)
{
    g_autoptr (GHashTable) active = g_hash_table_new (g_str_hash, g_str_equal);
    guint64 last = 0;
    guint n_events = 0;

    for (gsize i = 0; i < json_array_size (lines); i++) {
        const json_t *line = json_array_get (lines, i);
        const char *event = json_string_value (json_object_get (line, "event"));
        const char *label = json_string_value (json_object_get (line, "label"));

        if (!event || get_sequence (line) <= last)
            continue;
        last = get_sequence (line);
        n_events++;
        if (g_str_equal (event, "begin"))
            fail_unless (g_hash_table_add (active, (gpointer)label), "%s begins twice", label);
        else
            fail_unless (g_hash_table_remove (active, label), "%s ends twice", label);
    }
    fail_unless_equals_int (n_events, n);
    fail_unless_equals_int (g_hash_table_size (active), 0);
}
