/* altclip: the motion gate of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_MOTION_H
#define GST_ALTCLIP_MOTION_H

#include "altclipformat.h"
#include "altclipview.h"

G_BEGIN_DECLS

/**
 * GstAltclipMotion:
 *
 * Compares the frames of a stream with the one analysed last. One thread at a
 * time; empty when all bytes are 0.
 */
typedef struct
{
  GArray *gates;
  GstAltclipFormat *format;
} GstAltclipMotion;

void gst_altclip_motion_clear (GstAltclipMotion *motion);

/**
 * gst_altclip_motion_is_still:
 * @view: what of the frame is looked at
 * @threshold: share of any part of that that must have changed
 *
 * Returns: whether all parts changed less than that since the one for which
 *   gst_altclip_motion_keep() was called. A frame that cannot be mapped, or has
 *   another size or format, has changed
 */
gboolean gst_altclip_motion_is_still (GstAltclipMotion *motion,
    GstAltclipFormat *format, GstBuffer *buffer, const GstAltclipView *view,
    gdouble threshold);

/**
 * gst_altclip_motion_keep:
 *
 * The frame looked at last is the one to compare later ones with.
 */
void gst_altclip_motion_keep (GstAltclipMotion *motion);

G_END_DECLS

#endif /* GST_ALTCLIP_MOTION_H */
