/* altclip: how large a camera's picture may be
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A few bytes can say that they are a picture of gigabytes, which all cameras would pay for.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The same for what is decoded: a decoder hears it before it makes room. */
#define MONITOR_EXTENT_CAPS                                  \
    "video/x-raw,width=(int)[1,8192],height=(int)[1,8192];"  \
    "video/x-raw,width=(int)[1,16384],height=(int)[1,4096];" \
    "video/x-raw,width=(int)[1,4096],height=(int)[1,16384]"

gboolean monitor_extent_is_allowed (guint width, guint height);

/* Of a frame that says in its caps how large it is, or in itself, as JPEG does.
 *
 * Returns: FALSE: neither */
gboolean monitor_extent_find_in_caps (const GstCaps *caps, guint *width, guint *height);
gboolean monitor_extent_find_in_jpeg (GstBuffer *buffer, guint *width, guint *height);

G_END_DECLS
