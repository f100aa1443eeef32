/* altclip: frames of video files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef VIDEO_H
#define VIDEO_H

#include "altclip.h"

G_BEGIN_DECLS

/* A file of video that is being decoded. One thread at a time. */
typedef struct _Video Video;

/**
 * video_open:
 * @path: a file of any kind that GStreamer's plugins can read
 * @model: whose input is wanted
 * @error: #ALTCLIP_ERROR_IO or #ALTCLIP_ERROR_IMAGE, naming the file
 *
 * Begins to decode the first video stream. gst_init() must have been called. What the file refers
 * to elsewhere is not fetched.
 *
 * Returns: (transfer full) (nullable): the video
 */
Video *video_open (const char *path, AltclipModel *model, GError **error);

void video_free (Video *video);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Video, video_free)

/**
 * video_read:
 * @interval: least time between two frames that are given, in nanoseconds; 0: every frame
 * @time: (out): of the frame, in nanoseconds from the video's begin
 * @error: as for video_open(); with it the video is at its end
 *
 * The next frame that is due, upright, as the tower's input: a frame is due at last + interval −
 * half a frame, and where the time steps back. Of a file without times, frames are as far apart as
 * it says, or a 25th of a second.
 *
 * Returns: (transfer full) (nullable): pixel_values [num_channels, image_size, image_size]; %NULL
 *   with @error unset: the video is at its end
 */
float *video_read (Video *video, guint64 interval, guint64 *time, GError **error);

G_END_DECLS

#endif /* VIDEO_H */
