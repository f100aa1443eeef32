/* altclip: from a mapped frame to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipconverter.h"

#include <string.h>

/* Parts of the frames that are remembered: regions of one frame mostly come
 * again in the next. */
#define N_PLANS 8

typedef struct
{
  AltclipRectangle part;
  AltclipImagePlan *plan;
} Plan;

struct _GstAltclipConverter
{
  AltclipModel *model;
  GstVideoInfo info;
  AltclipFrameFormat format;
  Plan plans[N_PLANS];
  guint next;
};

/* ---- Formats ------------------------------------------------------------ */

static gboolean
is_full_range (const GstVideoInfo *info)
{
  if (info->colorimetry.range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    return !GST_VIDEO_INFO_IS_YUV (info);
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
}

static void
set_matrix (AltclipFrameFormat *format, const GstVideoInfo *info)
{
  GstVideoColorMatrix matrix = info->colorimetry.matrix;

  if (gst_video_color_matrix_get_Kr_Kb (matrix, &format->kr, &format->kb))
    return;
  matrix = GST_VIDEO_INFO_HEIGHT (info) > 576 ? GST_VIDEO_COLOR_MATRIX_BT709
                                              : GST_VIDEO_COLOR_MATRIX_BT601;
  gst_video_color_matrix_get_Kr_Kb (matrix, &format->kr, &format->kb);
}

static void
set_chroma_site (AltclipFrameFormat *format, const GstVideoInfo *info)
{
  GstVideoChromaSite site = GST_VIDEO_INFO_CHROMA_SITE (info);

  if (site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
    site = GST_VIDEO_CHROMA_SITE_MPEG2;
  format->chroma_x_cosited = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  format->chroma_y_cosited = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;
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
set_components (AltclipFrameFormat *format, const GstVideoFormatInfo *finfo)
{
  guint n = MIN (GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo), 3);
  guint i;

  for (i = 0; i < n; i++)
    format->components[i] =
        (AltclipFrameComponent){GST_VIDEO_FORMAT_INFO_PLANE (finfo, i),
            get_offset (finfo, i), GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, i),
            GST_VIDEO_FORMAT_INFO_SHIFT (finfo, i)};
  format->bits = GST_VIDEO_FORMAT_INFO_DEPTH (finfo, 0);
  if (n == 3) {
    format->chroma_x_shift = GST_VIDEO_FORMAT_INFO_W_SUB (finfo, 1);
    format->chroma_y_shift = GST_VIDEO_FORMAT_INFO_H_SUB (finfo, 1);
  }
}

static AltclipFrameFormat
make_format (const GstVideoInfo *info)
{
  AltclipFrameFormat format = {.width = GST_VIDEO_INFO_WIDTH (info),
      .height = GST_VIDEO_INFO_HEIGHT (info),
      .full_range = is_full_range (info)};

  if (GST_VIDEO_INFO_IS_GRAY (info))
    format.colour = ALTCLIP_COLOUR_GREY;
  else if (GST_VIDEO_INFO_IS_YUV (info))
    format.colour = ALTCLIP_COLOUR_YCBCR;
  else
    format.colour = ALTCLIP_COLOUR_RGB;
  set_components (&format, info->finfo);
  set_matrix (&format, info);
  set_chroma_site (&format, info);
  return format;
}

/* ---- Plans -------------------------------------------------------------- */

static gboolean
is_same (const AltclipRectangle *a, const AltclipRectangle *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width
      && a->height == b->height;
}

static AltclipImagePlan *
get_plan (GstAltclipConverter *converter, const AltclipRectangle *part,
    GError **error)
{
  AltclipImagePlan *plan;
  Plan *oldest;
  guint i;

  for (i = 0; i < N_PLANS; i++)
    if (converter->plans[i].plan && is_same (part, &converter->plans[i].part))
      return converter->plans[i].plan;

  plan = altclip_image_plan_new_for_frames (
      converter->model, &converter->format, part, error);
  if (plan == NULL)
    return NULL;
  oldest = &converter->plans[converter->next++ % N_PLANS];
  g_clear_pointer (&oldest->plan, altclip_image_plan_free);
  *oldest = (Plan){*part, plan};
  return plan;
}

GstAltclipConverter *
gst_altclip_converter_new (
    AltclipModel *model, const GstVideoInfo *info, GError **error)
{
  g_autoptr (GstAltclipConverter) converter = g_new0 (GstAltclipConverter, 1);
  AltclipRectangle all = {
      0, 0, GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info)};

  converter->model = altclip_model_ref (model);
  converter->info = *info;
  converter->format = make_format (info);
  if (get_plan (converter, &all, error) == NULL)
    return NULL;
  return g_steal_pointer (&converter);
}

void
gst_altclip_converter_free (GstAltclipConverter *converter)
{
  guint i;

  for (i = 0; i < N_PLANS; i++)
    g_clear_pointer (&converter->plans[i].plan, altclip_image_plan_free);
  altclip_model_unref (converter->model);
  g_free (converter);
}

/* ---- Frames ------------------------------------------------------------- */

/* A crop meta is a stranger's: only what lies within the frame counts. */
AltclipRectangle
gst_altclip_converter_get_picture (const GstVideoInfo *info, GstBuffer *buffer)
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

static AltclipRectangle
find_part (GstAltclipConverter *converter, GstBuffer *buffer,
    const AltclipRectangle *part)
{
  AltclipRectangle picture =
      gst_altclip_converter_get_picture (&converter->info, buffer);

  if (part == NULL)
    return picture;
  return (AltclipRectangle){
      picture.x + part->x, picture.y + part->y, part->width, part->height};
}

static void
run_plan (AltclipImagePlan *plan, GstVideoFrame *frame, float *pixel_values)
{
  AltclipFrameData data = {.interlaced = GST_VIDEO_FRAME_IS_INTERLACED (frame)};
  guint i;

  for (i = 0; i < GST_VIDEO_FRAME_N_PLANES (frame); i++) {
    data.planes[i] = GST_VIDEO_FRAME_PLANE_DATA (frame, i);
    data.strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
  }
  altclip_image_plan_run_frame (plan, &data, pixel_values);
}

gboolean
gst_altclip_converter_run (GstAltclipConverter *converter, GstBuffer *buffer,
    const AltclipRectangle *part, float *pixel_values, GError **error)
{
  AltclipRectangle wanted = find_part (converter, buffer, part);
  AltclipImagePlan *plan = get_plan (converter, &wanted, error);
  GstVideoFrame frame;

  if (plan == NULL)
    return FALSE;
  if (!gst_video_frame_map (&frame, &converter->info, buffer, GST_MAP_READ)) {
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
        "a frame of %" G_GSIZE_FORMAT " bytes cannot be mapped as %s of %dx%d",
        gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&converter->info),
        GST_VIDEO_INFO_WIDTH (&converter->info),
        GST_VIDEO_INFO_HEIGHT (&converter->info));
    return FALSE;
  }
  run_plan (plan, &frame, pixel_values);
  gst_video_frame_unmap (&frame);
  return TRUE;
}
