/* altclip: what the element should make of a part of a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TEST_CROP_H
#define ALTCLIP_TEST_CROP_H

#include <gst/gst.h>

#include "altclip.h"

/* A frame in the rig's format that looks different everywhere, and in each number. */
GstBuffer *new_textured_frame (guint number);

/* That @embedding, float32 in the quick model's dimension, is that of this part of a frame in the
 * rig's format: to 1e-4 in every number, and of no other part. */
void expect_crop (GstBuffer *embedding, GstBuffer *frame, const AltclipRectangle *part);

#endif /* ALTCLIP_TEST_CROP_H */
