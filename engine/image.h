/* altclip: from a picture to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_IMAGE_H
#define ALTCLIP_IMAGE_H

#include "config.h"

G_BEGIN_DECLS

/**
 * altclip_image_plan_new_for_config:
 * @num_channels: 1 or 3; colour becomes luma for 1
 *
 * altclip_image_plan_new_any_size() without a model.
 */
AltclipImagePlan *altclip_image_plan_new_for_config (const AltclipPreprocessorConfig *config,
        guint num_channels, guint width, guint height, const AltclipPixelLayout *layout,
        GError **error);

/* altclip_image_plan_new_for_frames() without a model.
 * @image_size: what both sides of the output must be; 0: anything */
AltclipImagePlan *altclip_image_plan_new_for_frames_and_config (
        const AltclipPreprocessorConfig *config, guint num_channels, guint image_size,
        const AltclipFrameFormat *format, const AltclipRectangle *part, GError **error);

G_END_DECLS

#endif /* ALTCLIP_IMAGE_H */
