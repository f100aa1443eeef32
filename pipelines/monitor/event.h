/* altclip: what a camera saw begin or end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Immutable once made, counted references.
 */

#pragma once

#include <gst/gst.h>
#include <jansson.h>

G_BEGIN_DECLS

typedef struct _MonitorEvent MonitorEvent;

struct _MonitorEvent {
    gint64 id; /* 0: not stored yet */
    char *camera;
    char *label;
    char *kind;  /* begin, end */
    gint64 time; /* µs since 1970 UTC, of the frame */
    double score;
    double peak;
    guint64 duration;       /* ns; of an end only */
    char *reason;           /* nullable; of an end only */
    char *region;           /* nullable; x,y,w,h in 0..1 */
    char *json;             /* the object as altclippublish publishes it, without its sequence */
    gboolean has_thumbnail; /* also where thumbnail was not read */
    GBytes *thumbnail;      /* nullable; JPEG */
};

/**
 * monitor_event_new_from_structure:
 * @camera: where it was seen
 * @altclip: structure of a message `altclip` of altclipfilter
 * @thumbnail: (nullable): JPEG
 *
 * Returns: (transfer full) (nullable): %NULL: it tells of no begin and no end
 */
MonitorEvent *monitor_event_new_from_structure (
        const char *camera, const GstStructure *altclip, GBytes *thumbnail);

/**
 * monitor_event_new:
 * @fields: (transfer none): what it shall hold
 *
 * Returns: (transfer full): an event with copies of @fields
 */
MonitorEvent *monitor_event_new (const MonitorEvent *fields);

MonitorEvent *monitor_event_ref (MonitorEvent *event);
void monitor_event_unref (MonitorEvent *event);

/**
 * monitor_event_format_time:
 * @time: µs since 1970 UTC
 *
 * Returns: (transfer full) (nullable): ISO 8601; %NULL: beyond the years that it can say
 */
char *monitor_event_format_time (gint64 time);

/**
 * monitor_event_to_json:
 * @event: any
 *
 * The API's form: id, camera, label, kind, time (ISO 8601 UTC), score, peak, thumbnail (boolean);
 * of an end also duration (s) and reason, and region when there is one.
 *
 * Returns: (transfer full): an object
 */
json_t *monitor_event_to_json (const MonitorEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorEvent, monitor_event_unref)

G_END_DECLS
