/* altclip: what a camera saw begin or end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "event.h"

#include <math.h>

#include "altcliprecord.h"

#define NANOSECONDS 1e9
#define N_COORDINATES 4

/* ---- Reading a structure --------------------------------------------------------------------- */

/* What is not UTF-8 can be said neither in JSON nor to a reader. */
static char *
dup_valid (const char *text)
{
    return text ? g_utf8_make_valid (text, -1) : NULL;
}

static double
get_number (const GstStructure *structure, const char *field, double otherwise)
{
    double number;

    return gst_structure_get_double (structure, field, &number) && isfinite (number) ? number
                                                                                     : otherwise;
}

/* The frame's own time, or that of this machine's clock for want of one. */
static gint64
get_time (const GstStructure *altclip)
{
    const char *text = gst_structure_get_string (altclip, "utc");
    g_autoptr (GDateTime) time = text ? g_date_time_new_from_iso8601 (text, NULL) : NULL;

    if (!time)
        return g_get_real_time ();
    return g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
}

static char *
dup_region (const GstStructure *altclip)
{
    const GValue *region = gst_structure_get_value (altclip, "region");
    g_autoptr (GString) text = g_string_new (NULL);

    if (!region || !GST_VALUE_HOLDS_ARRAY (region) ||
            gst_value_array_get_size (region) != N_COORDINATES)
        return NULL;
    for (guint i = 0; i < N_COORDINATES; i++) {
        const GValue *coordinate = gst_value_array_get_value (region, i);
        char number[G_ASCII_DTOSTR_BUF_SIZE];

        if (!G_VALUE_HOLDS_DOUBLE (coordinate))
            return NULL;
        g_ascii_formatd (number, sizeof number, "%.6g", g_value_get_double (coordinate));
        g_string_append_printf (text, "%s%s", i > 0 ? "," : "", number);
    }
    return g_strdup (text->str);
}

static char *
dup_published (const char *camera, const GstStructure *altclip)
{
    GstAltclipOrigin origin = { .source = camera };
    g_autoptr (GstAltclipRecord) record = gst_altclip_record_new_event (altclip, &origin, 0);

    return g_strndup (record->line, record->length);
}

MonitorEvent *
monitor_event_new_from_structure (
        const char *camera, const GstStructure *altclip, GBytes *thumbnail)
{
    const char *kind = gst_structure_get_string (altclip, "event");
    const char *label = gst_structure_get_string (altclip, "label");
    gboolean is_end = g_strcmp0 (kind, "end") == 0;
    MonitorEvent *event;

    if (!label || (!is_end && g_strcmp0 (kind, "begin") != 0))
        return NULL;
    event = g_atomic_rc_box_new0 (MonitorEvent);
    event->camera = dup_valid (camera);
    event->label = dup_valid (label);
    event->kind = g_strdup (kind);
    event->time = get_time (altclip);
    event->score = get_number (altclip, "score", 0.0);
    event->peak = get_number (altclip, "peak", event->score);
    if (is_end) {
        gst_structure_get_uint64 (altclip, "duration", &event->duration);
        event->reason = dup_valid (gst_structure_get_string (altclip, "reason"));
    }
    event->region = dup_region (altclip);
    event->json = dup_published (camera, altclip);
    event->has_thumbnail = thumbnail != NULL;
    event->thumbnail = thumbnail ? g_bytes_ref (thumbnail) : NULL;
    return event;
}

/* ---- Events ---------------------------------------------------------------------------------- */

MonitorEvent *
monitor_event_new (const MonitorEvent *fields)
{
    MonitorEvent *event = g_atomic_rc_box_new0 (MonitorEvent);

    *event = *fields;
    event->camera = g_strdup (fields->camera);
    event->label = g_strdup (fields->label);
    event->kind = g_strdup (fields->kind);
    event->reason = g_strdup (fields->reason);
    event->region = g_strdup (fields->region);
    event->json = g_strdup (fields->json);
    event->thumbnail = fields->thumbnail ? g_bytes_ref (fields->thumbnail) : NULL;
    return event;
}

static void
clear (gpointer data)
{
    MonitorEvent *event = data;

    g_free (event->camera);
    g_free (event->label);
    g_free (event->kind);
    g_free (event->reason);
    g_free (event->region);
    g_free (event->json);
    g_clear_pointer (&event->thumbnail, g_bytes_unref);
}

MonitorEvent *
monitor_event_ref (MonitorEvent *event)
{
    return g_atomic_rc_box_acquire (event);
}

void
monitor_event_unref (MonitorEvent *event)
{
    g_atomic_rc_box_release_full (event, clear);
}

/* ---- The API's form -------------------------------------------------------------------------- */

char *
monitor_event_format_time (gint64 time)
{
    gint64 micros = time % G_USEC_PER_SEC;
    gint64 seconds = time / G_USEC_PER_SEC - (micros < 0);
    g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (seconds);
    g_autofree char *text = date ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%S") : NULL;

    if (!text)
        return NULL;
    return g_strdup_printf (
            "%s.%06" G_GINT64_FORMAT "Z", text, micros < 0 ? micros + G_USEC_PER_SEC : micros);
}

static void
set_text (json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new (object, key, json_string (text));
}

json_t *
monitor_event_to_json (const MonitorEvent *event)
{
    g_autofree char *time = monitor_event_format_time (event->time);
    json_t *object = json_object ();

    json_object_set_new (object, "id", json_integer (event->id));
    set_text (object, "camera", event->camera);
    set_text (object, "label", event->label);
    set_text (object, "kind", event->kind);
    set_text (object, "time", time);
    json_object_set_new (object, "score", json_real (event->score));
    json_object_set_new (object, "peak", json_real (event->peak));
    if (g_strcmp0 (event->kind, "end") == 0) {
        json_object_set_new (object, "duration", json_real ((double)event->duration / NANOSECONDS));
        set_text (object, "reason", event->reason);
    }
    set_text (object, "region", event->region);
    json_object_set_new (object, "thumbnail", json_boolean (event->has_thumbnail));
    return object;
}
