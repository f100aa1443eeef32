/* altclip: from a mapped frame to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_CONVERTER_H
#define GST_ALTCLIP_CONVERTER_H

#include "altclipformat.h"

G_BEGIN_DECLS

/**
 * GstAltclipConverter:
 *
 * Made once per format; how each part of its frames is resampled is worked out
 * when it is first wanted, and kept for the next frame. One thread at a time.
 */
typedef struct _GstAltclipConverter GstAltclipConverter;

GstAltclipConverter *gst_altclip_converter_new (
    AltclipModel *model, GstAltclipFormat *format, GError **error);
void gst_altclip_converter_free (GstAltclipConverter *converter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipConverter, gst_altclip_converter_free)

/**
 * gst_altclip_converter_is_for:
 *
 * Returns: whether the converter was made for just this format
 */
gboolean gst_altclip_converter_is_for (
    GstAltclipConverter *converter, GstAltclipFormat *format);

/**
 * gst_altclip_converter_expect:
 * @n_parts: of each frame that are looked at
 *
 * So many parts' resampling is remembered, within limits; of fewer than that
 * the frames after the first find all that they need.
 */
void gst_altclip_converter_expect (
    GstAltclipConverter *converter, guint n_parts);

/**
 * gst_altclip_converter_run:
 * @part: the part of the frame to look at, in pixels
 * @pixel_values: (out caller-allocated): as for altclip_image_plan_run()
 */
gboolean gst_altclip_converter_run (GstAltclipConverter *converter,
    GstBuffer *buffer, const AltclipRectangle *part, float *pixel_values,
    GError **error);

G_END_DECLS

#endif /* GST_ALTCLIP_CONVERTER_H */
