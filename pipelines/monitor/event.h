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
    guint64 duration;  /* ns; of an end only */
    char *reason;      /* nullable; of an end only */
    char *region;      /* nullable */
    char *json;        /* the object as altclippublish publishes it */
    GBytes *thumbnail; /* nullable; JPEG */
};

/* From a message `altclip` of altclipfilter whose `event` is begin or end; NULL for any other. */
MonitorEvent *monitor_event_new_from_structure (
        const char *camera, const GstStructure *altclip, GBytes *thumbnail);
MonitorEvent *monitor_event_ref (MonitorEvent *event);
void monitor_event_unref (MonitorEvent *event);

/* The API's form: id, camera, label, kind, time (ISO 8601 UTC), score, peak, duration (s), reason,
 * region, thumbnail (boolean). */
json_t *monitor_event_to_json (const MonitorEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorEvent, monitor_event_unref)

G_END_DECLS
