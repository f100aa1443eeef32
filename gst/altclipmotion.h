/* altclip: the motion gate of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_MOTION_H
#define GST_ALTCLIP_MOTION_H

#include "altclipformat.h"
#include "altclipsettings.h"

G_BEGIN_DECLS

/**
 * GstAltclipMotion:
 *
 * Compares the frames of a stream with the one analysed last. One thread at a
 * time; empty when all bytes are 0.
 */
typedef struct
{
  AltclipMotion *motion;
  GstAltclipFormat *format;
  AltclipRectangle part;
} GstAltclipMotion;

void gst_altclip_motion_clear (GstAltclipMotion *motion);

/**
 * gst_altclip_motion_is_still:
 * @part: the part of the frame that is looked at
 * @threshold: share of the part that must have changed
 *
 * Returns: whether the frame changed less than that since the one for which
 *   gst_altclip_motion_keep() was called. A frame that cannot be mapped, or has
 *   another size or format, has changed
 */
gboolean gst_altclip_motion_is_still (GstAltclipMotion *motion,
    GstAltclipFormat *format, GstBuffer *buffer, const AltclipRectangle *part,
    gdouble threshold);

/**
 * gst_altclip_motion_keep:
 *
 * The frame looked at last is the one to compare later ones with.
 */
void gst_altclip_motion_keep (GstAltclipMotion *motion);

G_END_DECLS

#endif /* GST_ALTCLIP_MOTION_H */
