/* altclip: the format of a stream's frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipformat.h"

/* ---- From caps ---------------------------------------------------------- */

/* Several views in one buffer would be looked at as one picture. */
static gboolean
is_multiview (const GstVideoInfo *info)
{
  switch (GST_VIDEO_INFO_MULTIVIEW_MODE (info)) {
    case GST_VIDEO_MULTIVIEW_MODE_NONE:
    case GST_VIDEO_MULTIVIEW_MODE_MONO:
    case GST_VIDEO_MULTIVIEW_MODE_LEFT:
    case GST_VIDEO_MULTIVIEW_MODE_RIGHT:
      return FALSE;
    default:
      return TRUE;
  }
}

static GstClockTime
get_frame_duration (const GstVideoInfo *info)
{
  if (GST_VIDEO_INFO_FPS_N (info) <= 0 || GST_VIDEO_INFO_FPS_D (info) <= 0)
    return GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale_int (
      GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
}

static gboolean
is_full_range (const GstVideoInfo *info)
{
  if (info->colorimetry.range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    return !GST_VIDEO_INFO_IS_YUV (info);
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
}

static void
set_matrix (AltclipFrameFormat *layout, const GstVideoInfo *info)
{
  GstVideoColorMatrix matrix = info->colorimetry.matrix;

  if (gst_video_color_matrix_get_Kr_Kb (matrix, &layout->kr, &layout->kb))
    return;
  matrix = GST_VIDEO_INFO_HEIGHT (info) > 576 ? GST_VIDEO_COLOR_MATRIX_BT709
                                              : GST_VIDEO_COLOR_MATRIX_BT601;
  gst_video_color_matrix_get_Kr_Kb (matrix, &layout->kr, &layout->kb);
}

static void
set_chroma_site (AltclipFrameFormat *layout, const GstVideoInfo *info)
{
  GstVideoChromaSite site = GST_VIDEO_INFO_CHROMA_SITE (info);

  if (site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
    site = GST_VIDEO_CHROMA_SITE_MPEG2;
  layout->chroma_x_cosited = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  layout->chroma_y_cosited = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;
}

/* GStreamer's table has the second chroma of P010 at byte 1 of 4; samples of
 * more than 8 bits begin at even bytes. */
static guint8
get_offset (const GstVideoFormatInfo *finfo, guint component)
{
  guint offset = GST_VIDEO_FORMAT_INFO_POFFSET (finfo, component);

  if (GST_VIDEO_FORMAT_INFO_DEPTH (finfo, component) > 8)
    offset = GST_ROUND_UP_2 (offset);
  return (guint8) offset;
}

/* The fourth component, alpha, is not looked at: video that carries alpha is
 * tagged as it is stored. */
static void
set_components (AltclipFrameFormat *layout, const GstVideoFormatInfo *finfo)
{
  guint n = MIN (GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo), 3);
  guint i;

  for (i = 0; i < n; i++)
    layout->components[i] =
        (AltclipFrameComponent){GST_VIDEO_FORMAT_INFO_PLANE (finfo, i),
            get_offset (finfo, i), GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, i),
            GST_VIDEO_FORMAT_INFO_SHIFT (finfo, i)};
  layout->bits = GST_VIDEO_FORMAT_INFO_DEPTH (finfo, 0);
  if (n == 3) {
    layout->chroma_x_shift = GST_VIDEO_FORMAT_INFO_W_SUB (finfo, 1);
    layout->chroma_y_shift = GST_VIDEO_FORMAT_INFO_H_SUB (finfo, 1);
  }
}

static AltclipFrameFormat
make_layout (const GstVideoInfo *info)
{
  AltclipFrameFormat layout = {.width = GST_VIDEO_INFO_WIDTH (info),
      .height = GST_VIDEO_INFO_HEIGHT (info),
      .full_range = is_full_range (info)};

  if (GST_VIDEO_INFO_IS_GRAY (info))
    layout.colour = ALTCLIP_COLOUR_GREY;
  else if (GST_VIDEO_INFO_IS_YUV (info))
    layout.colour = ALTCLIP_COLOUR_YCBCR;
  else
    layout.colour = ALTCLIP_COLOUR_RGB;
  set_components (&layout, info->finfo);
  set_matrix (&layout, info);
  set_chroma_site (&layout, info);
  return layout;
}

GstAltclipFormat *
gst_altclip_format_new (GstCaps *caps)
{
  GstVideoInfo info;
  GstAltclipFormat *format;

  if (!gst_video_info_from_caps (&info, caps) || is_multiview (&info))
    return NULL;

  format = g_atomic_rc_box_new0 (GstAltclipFormat);
  format->info = info;
  format->layout = make_layout (&info);
  format->frame_duration = get_frame_duration (&info);
  return format;
}

GstAltclipFormat *
gst_altclip_format_ref (GstAltclipFormat *format)
{
  return g_atomic_rc_box_acquire (format);
}

void
gst_altclip_format_unref (GstAltclipFormat *format)
{
  g_atomic_rc_box_release (format);
}

/* ---- Frames ------------------------------------------------------------- */

gboolean
gst_altclip_format_map (GstAltclipFormat *format, GstBuffer *buffer,
    GstVideoFrame *frame, AltclipFrameData *data, GError **error)
{
  guint i;

  if (!gst_video_frame_map (frame, &format->info, buffer, GST_MAP_READ)) {
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
        "a frame of %" G_GSIZE_FORMAT " bytes cannot be mapped as %s of %dx%d",
        gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&format->info),
        GST_VIDEO_INFO_WIDTH (&format->info),
        GST_VIDEO_INFO_HEIGHT (&format->info));
    return FALSE;
  }
  *data =
      (AltclipFrameData){.interlaced = GST_VIDEO_FRAME_IS_INTERLACED (frame)};
  for (i = 0; i < GST_VIDEO_FRAME_N_PLANES (frame); i++) {
    data->planes[i] = GST_VIDEO_FRAME_PLANE_DATA (frame, i);
    data->strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
  }
  return TRUE;
}

/* A crop meta is a stranger's: only what lies within the frame counts. */
AltclipRectangle
gst_altclip_format_get_picture (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  guint width = GST_VIDEO_INFO_WIDTH (info);
  guint height = GST_VIDEO_INFO_HEIGHT (info);

  if (crop == NULL || crop->x >= width || crop->y >= height || crop->width == 0
      || crop->height == 0)
    return (AltclipRectangle){0, 0, width, height};
  return (AltclipRectangle){crop->x, crop->y,
      MIN (crop->width, width - crop->x), MIN (crop->height, height - crop->y)};
}
