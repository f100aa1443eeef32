/* altclip: frames of video files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef VIDEO_H
#define VIDEO_H

#include "altclip.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

G_BEGIN_DECLS

/* A file of video that is being decoded. One thread at a time. */
typedef struct _Video Video;

/**
 * video_open:
 * @path: a file of any kind that GStreamer's plugins can read
 * @model: whose input is wanted
 * @n_regions: of each frame that will be looked at
 * @error: #ALTCLIP_ERROR_IO or #ALTCLIP_ERROR_IMAGE, naming the file
 *
 * Begins to decode the first video stream. gst_init() must have been called. What the file refers
 * to elsewhere is not fetched.
 *
 * Returns: (transfer full) (nullable): the video
 */
Video *video_open (const char *path, AltclipModel *model, guint n_regions, GError **error);

void video_free (Video *video);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Video, video_free)

/* Returns: how long the video is, in nanoseconds; 0: unknown */
guint64 video_get_duration (Video *video);

/**
 * video_next:
 * @interval: least time between two frames that are given, in nanoseconds; 0: every frame
 * @time: (out): of the frame, in nanoseconds from the video's begin
 * @error: as for video_open(); with it the video is at its end
 *
 * Goes to the next frame that is due: at last + interval − half a frame, and where the time steps
 * back. Of a file without times, frames are as far apart as it says, or a 25th of a second.
 *
 * Returns: whether there is one; %FALSE with @error unset: the video is at its end, and there was
 * one
 */
gboolean video_next (Video *video, guint64 interval, guint64 *time, GError **error);

/**
 * video_look:
 * @region: the part of the frame to look at
 * @pixel_values: (out caller-allocated): [num_channels, image_size, image_size]
 * @error: as for video_open()
 *
 * The frame that video_next() went to, upright, as the tower's input.
 */
gboolean video_look (
        Video *video, const AltclipRegion *region, float *pixel_values, GError **error);

/**
 * video_get_picture:
 * @max_width: of the picture
 * @max_height: of the picture
 * @error: as for video_open()
 *
 * The frame that video_next() went to, upright, in square pixels, to be looked at by people.
 *
 * Returns: (transfer full) (nullable): RGB, 8 bits, without alpha
 */
GdkPixbuf *video_get_picture (Video *video, int max_width, int max_height, GError **error);

G_END_DECLS

#endif /* VIDEO_H */
