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
 * Chosen once per format. Packed 8-bit RGB and grey go to the engine as they
 * are; everything else is made RGB first. One thread at a time.
 */
typedef struct _GstAltclipConverter GstAltclipConverter;

GstAltclipConverter *gst_altclip_converter_new (
    AltclipModel *model, const GstVideoInfo *info, GError **error);
void gst_altclip_converter_free (GstAltclipConverter *converter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipConverter, gst_altclip_converter_free)

/**
 * gst_altclip_converter_run:
 * @pixel_values: (out caller-allocated): as for altclip_image_plan_run()
 */
gboolean gst_altclip_converter_run (GstAltclipConverter *converter,
    GstBuffer *buffer, float *pixel_values, GError **error);

G_END_DECLS

#endif /* GST_ALTCLIP_CONVERTER_H */
