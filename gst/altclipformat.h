/* altclip: the format of a stream's frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_FORMAT_H
#define GST_ALTCLIP_FORMAT_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "altclip.h"

G_BEGIN_DECLS

/**
 * GST_ALTCLIP_CAPS:
 * @features: a literal, `(…)` or nothing
 *
 * What the elements take: the formats that the engine does, of any size. No
 * framerate, so that caps without one are taken too.
 */
#define GST_ALTCLIP_CAPS(features)                                       \
  "video/x-raw" features                                                 \
  ", format = (string) { NV12, I420, YV12, YUY2, UYVY, RGB, BGR, RGBx, " \
  "BGRx, xRGB, xBGR, RGBA, BGRA, GRAY8, NV21, P010_10LE, I420_10LE }"    \
  ", width = (int) [ 1, 65535 ], height = (int) [ 1, 65535 ]"

/**
 * GstAltclipFormat:
 * @info: what the caps say
 * @layout: the same for the engine. Colorimetry and range are those of the caps;
 *   what they leave open is as GStreamer has it: BT.601 up to 576 lines, else
 *   BT.709, and limited range. Chroma that is not said to lie elsewhere lies on
 *   the left of its two columns, as in MPEG-2 and H.264
 * @frame_duration: one frame's, or %GST_CLOCK_TIME_NONE
 *
 * The format of the frames between two caps events. Immutable, reference
 * counted: frames of an earlier format may still wait after new caps came.
 */
typedef struct
{
  GstVideoInfo info;
  AltclipFrameFormat layout;
  GstClockTime frame_duration;
} GstAltclipFormat;

/**
 * gst_altclip_format_new:
 *
 * Returns: (transfer full) (nullable): the format, or %NULL when the caps are
 *   of no kind that can be looked at
 */
GstAltclipFormat *gst_altclip_format_new (GstCaps *caps);
GstAltclipFormat *gst_altclip_format_ref (GstAltclipFormat *format);
void gst_altclip_format_unref (GstAltclipFormat *format);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipFormat, gst_altclip_format_unref)

/**
 * gst_altclip_format_map:
 * @frame: (out caller-allocated): to be unmapped
 * @data: (out caller-allocated): the same for the engine
 *
 * Maps a buffer for reading.
 */
gboolean gst_altclip_format_map (GstAltclipFormat *format, GstBuffer *buffer,
    GstVideoFrame *frame, AltclipFrameData *data, GError **error);

/**
 * gst_altclip_format_get_picture:
 *
 * Returns: the frame, or what its crop meta leaves of it, in pixels
 */
AltclipRectangle gst_altclip_format_get_picture (
    const GstVideoInfo *info, GstBuffer *buffer);

G_END_DECLS

#endif /* GST_ALTCLIP_FORMAT_H */
