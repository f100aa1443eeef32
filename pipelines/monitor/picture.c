/* altclip: frames as JPEG
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "picture.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>
#include <gst/video/video.h>

/* Of a side, so that a strange shape does not take a strange amount of memory. */
#define MAX_EDGE 4096

static void
get_size (const GstVideoInfo *info, guint max_width, guint *width, guint *height)
{
    guint64 scaled = gst_util_uint64_scale_int (
            GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_PAR_N (info), GST_VIDEO_INFO_PAR_D (info));
    guint64 shown = MAX (scaled, 1);

    *width = (guint)MIN (shown, MIN (max_width, MAX_EDGE));
    *height = (guint)CLAMP (
            gst_util_uint64_scale (GST_VIDEO_INFO_HEIGHT (info), *width, shown), 1, MAX_EDGE);
}

/* (transfer full): the frame in RGB of that size, or NULL */
static GstBuffer *
convert (GstBuffer *buffer, GstVideoInfo *from, GstVideoInfo *to)
{
    GstVideoConverter *converter = gst_video_converter_new (from, to,
            gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT, 1, NULL));
    GstBuffer *output = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (to), NULL);
    GstVideoFrame source, target;
    gboolean done = FALSE;

    if (converter && output && gst_video_frame_map (&source, from, buffer, GST_MAP_READ)) {
        if (gst_video_frame_map (&target, to, output, GST_MAP_WRITE)) {
            gst_video_converter_frame (converter, &source, &target);
            gst_video_frame_unmap (&target);
            done = TRUE;
        }
        gst_video_frame_unmap (&source);
    }
    if (converter)
        gst_video_converter_free (converter);
    if (!done)
        gst_clear_buffer (&output);
    return output;
}

static GBytes *
save (GstBuffer *buffer, const GstVideoInfo *info, GError **error)
{
    GstMapInfo map;
    g_autoptr (GdkPixbuf) picture = NULL;
    char *jpeg = NULL;
    gsize length = 0;
    gboolean saved;

    if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the picture cannot be mapped");
        return NULL;
    }
    picture = gdk_pixbuf_new_from_data (map.data, GDK_COLORSPACE_RGB, FALSE, 8,
            GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
            GST_VIDEO_INFO_PLANE_STRIDE (info, 0), NULL, NULL);
    saved = gdk_pixbuf_save_to_buffer (
            picture, &jpeg, &length, "jpeg", error, "quality", "80", NULL);
    gst_buffer_unmap (buffer, &map);
    return saved ? g_bytes_new_take (jpeg, length) : NULL;
}

GBytes *
monitor_picture_encode (GstSample *sample, guint max_width, GError **error)
{
    GstCaps *caps = gst_sample_get_caps (sample);
    GstBuffer *buffer = gst_sample_get_buffer (sample);
    g_autoptr (GstBuffer) converted = NULL;
    GstVideoInfo from, to;
    guint width, height;

    if (caps && buffer && gst_video_info_from_caps (&from, caps)) {
        get_size (&from, max_width, &width, &height);
        gst_video_info_set_format (&to, GST_VIDEO_FORMAT_RGB, width, height);
        to.fps_n = from.fps_n;
        to.fps_d = from.fps_d;
        converted = convert (buffer, &from, &to);
    }
    if (!converted) {
        g_set_error_literal (
                error, G_IO_ERROR, G_IO_ERROR_FAILED, "the frame cannot be converted to RGB");
        return NULL;
    }
    return save (converted, &to, error);
}
