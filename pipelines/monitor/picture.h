/* altclip: frames as JPEG
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* At most max_width wide, in the shape that the picture is shown in. Takes a few milliseconds, from
 * any thread.
 *
 * Returns: (transfer full) (nullable): NULL, with the error set, for a frame that cannot be shown
 */
GBytes *monitor_picture_encode (GstSample *sample, guint max_width, GError **error);

G_END_DECLS
