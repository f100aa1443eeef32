/* altclip: the motion gate of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipmotion.h"

void
gst_altclip_motion_clear (GstAltclipMotion *motion)
{
  g_clear_pointer (&motion->motion, altclip_motion_free);
  g_clear_pointer (&motion->format, gst_altclip_format_unref);
}

static gboolean
is_for (GstAltclipMotion *motion, GstAltclipFormat *format,
    const AltclipRectangle *part)
{
  return motion->motion != NULL && motion->format == format
      && motion->part.x == part->x && motion->part.y == part->y
      && motion->part.width == part->width
      && motion->part.height == part->height;
}

static gboolean
prepare (GstAltclipMotion *motion, GstAltclipFormat *format,
    const AltclipRectangle *part)
{
  if (is_for (motion, format, part))
    return TRUE;
  gst_altclip_motion_clear (motion);
  motion->motion = altclip_motion_new (&format->layout, part, NULL);
  motion->format = gst_altclip_format_ref (format);
  motion->part = *part;
  return motion->motion != NULL;
}

gboolean
gst_altclip_motion_is_still (GstAltclipMotion *motion, GstAltclipFormat *format,
    GstBuffer *buffer, const AltclipRectangle *part, gdouble threshold)
{
  AltclipFrameData data;
  GstVideoFrame frame;
  gdouble changed;

  if (!prepare (motion, format, part)
      || !gst_altclip_format_map (format, buffer, &frame, &data, NULL))
    return FALSE;
  changed = altclip_motion_measure (motion->motion, &data);
  gst_video_frame_unmap (&frame);
  return changed < threshold;
}

void
gst_altclip_motion_keep (GstAltclipMotion *motion)
{
  if (motion->motion != NULL)
    altclip_motion_keep (motion->motion);
}
