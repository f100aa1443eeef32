/* altclip: GstAnalytics metadata, where GStreamer has it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_ANALYTICS_H
#define GST_ALTCLIP_ANALYTICS_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstAltclipObjectMtd:
 * @type: what was detected; 0: not named
 * @x: of the left edge in pixels, anywhere
 * @y: of the upper edge
 * @w: width
 * @h: height
 * @is_tracked: whether a tracker knows it
 * @track: by this number
 * @od: id of the #GstAnalyticsODMtd
 *
 * An object that an element before found.
 */
typedef struct
{
  GQuark type;
  gint x;
  gint y;
  gint w;
  gint h;
  gboolean is_tracked;
  guint track;
  gint od;
} GstAltclipObjectMtd;

/**
 * gst_altclip_analytics_next:
 * @state: (inout): %NULL at first
 *
 * Returns: whether there is another object on the buffer; without GstAnalytics
 *   there is none
 */
gboolean gst_altclip_analytics_next (
    GstBuffer *buffer, gpointer *state, GstAltclipObjectMtd *object);

/**
 * gst_altclip_analytics_add:
 * @buffer: a writable buffer
 * @labels: array of `altclip-label`
 * @od: the object that they are of; -1: the whole frame
 * @max: most classifications to add
 *
 * Adds a #GstAnalyticsClsMtd for each active label.
 *
 * Returns: how many were added; without GstAnalytics none is
 */
guint gst_altclip_analytics_add (
    GstBuffer *buffer, const GValue *labels, gint od, guint max);

G_END_DECLS

#endif /* GST_ALTCLIP_ANALYTICS_H */
