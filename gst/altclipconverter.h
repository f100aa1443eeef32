/* altclip: from a mapped frame to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_CONVERTER_H
#define GST_ALTCLIP_CONVERTER_H

#include <gst/video/video.h>

#include "altclip.h"

G_BEGIN_DECLS

/**
 * GstAltclipConverter:
 *
 * Made once per format; how each part of its frames is resampled is worked out
 * when it is first wanted, and kept for the next frame. One thread at a time.
 */
typedef struct _GstAltclipConverter GstAltclipConverter;

/**
 * gst_altclip_converter_new:
 *
 * Colorimetry and range are those of @info; what it leaves open is as GStreamer
 * has it: BT.601 up to 576 lines, else BT.709, and limited range. Chroma that is
 * not said to lie elsewhere lies on the left of its two columns, as in MPEG-2
 * and H.264.
 *
 * Returns: (transfer full) (nullable): the converter
 */
GstAltclipConverter *gst_altclip_converter_new (
    AltclipModel *model, const GstVideoInfo *info, GError **error);
void gst_altclip_converter_free (GstAltclipConverter *converter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipConverter, gst_altclip_converter_free)

/**
 * gst_altclip_converter_run:
 * @part: (nullable): the part of the picture to look at, which is the frame or
 *   what its crop meta leaves of it; %NULL: all
 * @pixel_values: (out caller-allocated): as for altclip_image_plan_run()
 */
gboolean gst_altclip_converter_run (GstAltclipConverter *converter,
    GstBuffer *buffer, const AltclipRectangle *part, float *pixel_values,
    GError **error);

/**
 * gst_altclip_converter_get_picture:
 *
 * Returns: the frame, or what its crop meta leaves of it, in pixels
 */
AltclipRectangle gst_altclip_converter_get_picture (
    const GstVideoInfo *info, GstBuffer *buffer);

G_END_DECLS

#endif /* GST_ALTCLIP_CONVERTER_H */
