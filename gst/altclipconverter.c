/* altclip: from a mapped frame to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipconverter.h"

struct _GstAltclipConverter
{
  GstVideoInfo info;
  AltclipImagePlan *plan;

  /* Only where the format is not one the plan reads by itself. */
  GstVideoConverter *to_rgb;
  GstVideoInfo rgb_info;
  GstBuffer *rgb;
};

/* 4-byte layouts with the fourth byte unused or alpha, which is not looked at:
 * video that carries alpha is tagged as it is stored. */
static gboolean
get_pixel_layout (GstVideoFormat format, AltclipPixelLayout *layout)
{
  static const struct
  {
    GstVideoFormat format;
    AltclipPixelLayout layout;
  } layouts[] = {
      {GST_VIDEO_FORMAT_RGB, {3, 0, 1, 2}},
      {GST_VIDEO_FORMAT_BGR, {3, 2, 1, 0}},
      {GST_VIDEO_FORMAT_RGBx, {4, 0, 1, 2}},
      {GST_VIDEO_FORMAT_RGBA, {4, 0, 1, 2}},
      {GST_VIDEO_FORMAT_BGRx, {4, 2, 1, 0}},
      {GST_VIDEO_FORMAT_BGRA, {4, 2, 1, 0}},
      {GST_VIDEO_FORMAT_xRGB, {4, 1, 2, 3}},
      {GST_VIDEO_FORMAT_xBGR, {4, 3, 2, 1}},
      {GST_VIDEO_FORMAT_GRAY8, {1, 0, 0, 0}},
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (layouts); i++) {
    if (layouts[i].format == format) {
      *layout = layouts[i].layout;
      return TRUE;
    }
  }
  return FALSE;
}

static GstVideoConverter *
new_rgb_converter (const GstVideoInfo *info, const GstVideoInfo *rgb_info)
{
  /* Dithering would be noise to the tower. */
  GstStructure *config = gst_structure_new ("altclip-converter",
      GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
      GST_VIDEO_DITHER_NONE, NULL);

  return gst_video_converter_new (
      (GstVideoInfo *) info, (GstVideoInfo *) rgb_info, config);
}

static gboolean
prepare_rgb (GstAltclipConverter *converter, GError **error)
{
  const GstVideoInfo *info = &converter->info;
  GstVideoInfo *rgb_info = &converter->rgb_info;

  if (!gst_video_info_set_interlaced_format (rgb_info, GST_VIDEO_FORMAT_RGB,
          GST_VIDEO_INFO_INTERLACE_MODE (info), GST_VIDEO_INFO_WIDTH (info),
          GST_VIDEO_INFO_HEIGHT (info)))
    goto unsupported;
  rgb_info->fps_n = GST_VIDEO_INFO_FPS_N (info);
  rgb_info->fps_d = GST_VIDEO_INFO_FPS_D (info);

  converter->to_rgb = new_rgb_converter (info, rgb_info);
  if (converter->to_rgb == NULL)
    goto unsupported;
  converter->rgb =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (rgb_info), NULL);
  if (converter->rgb == NULL)
    goto unsupported;
  return TRUE;

unsupported:
  g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
      "%s frames of %dx%d cannot be converted to RGB",
      GST_VIDEO_INFO_NAME (info), GST_VIDEO_INFO_WIDTH (info),
      GST_VIDEO_INFO_HEIGHT (info));
  return FALSE;
}

GstAltclipConverter *
gst_altclip_converter_new (
    AltclipModel *model, const GstVideoInfo *info, GError **error)
{
  g_autoptr (GstAltclipConverter) converter = g_new0 (GstAltclipConverter, 1);
  AltclipPixelLayout layout;

  converter->info = *info;
  if (!get_pixel_layout (GST_VIDEO_INFO_FORMAT (info), &layout)) {
    layout = ALTCLIP_PIXEL_LAYOUT_RGB;
    if (!prepare_rgb (converter, error))
      return NULL;
  }
  converter->plan = altclip_image_plan_new (model, GST_VIDEO_INFO_WIDTH (info),
      GST_VIDEO_INFO_HEIGHT (info), &layout, error);
  if (converter->plan == NULL)
    return NULL;
  return g_steal_pointer (&converter);
}

void
gst_altclip_converter_free (GstAltclipConverter *converter)
{
  g_clear_pointer (&converter->plan, altclip_image_plan_free);
  g_clear_pointer (&converter->to_rgb, gst_video_converter_free);
  gst_clear_buffer (&converter->rgb);
  g_free (converter);
}

static void
run_plan (
    GstAltclipConverter *converter, GstVideoFrame *frame, float *pixel_values)
{
  altclip_image_plan_run (converter->plan,
      GST_VIDEO_FRAME_PLANE_DATA (frame, 0),
      GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), pixel_values);
}

static gboolean
run_rgb (
    GstAltclipConverter *converter, GstVideoFrame *frame, float *pixel_values)
{
  GstVideoFrame rgb;

  if (!gst_video_frame_map (
          &rgb, &converter->rgb_info, converter->rgb, GST_MAP_READWRITE))
    return FALSE;
  gst_video_converter_frame (converter->to_rgb, frame, &rgb);
  run_plan (converter, &rgb, pixel_values);
  gst_video_frame_unmap (&rgb);
  return TRUE;
}

gboolean
gst_altclip_converter_run (GstAltclipConverter *converter, GstBuffer *buffer,
    float *pixel_values, GError **error)
{
  GstVideoFrame frame;
  gboolean mapped = TRUE;

  if (!gst_video_frame_map (&frame, &converter->info, buffer, GST_MAP_READ)) {
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
        "a frame of %" G_GSIZE_FORMAT " bytes cannot be mapped as %s of %dx%d",
        gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&converter->info),
        GST_VIDEO_INFO_WIDTH (&converter->info),
        GST_VIDEO_INFO_HEIGHT (&converter->info));
    return FALSE;
  }
  if (converter->to_rgb != NULL)
    mapped = run_rgb (converter, &frame, pixel_values);
  else
    run_plan (converter, &frame, pixel_values);
  gst_video_frame_unmap (&frame);

  if (!mapped)
    g_set_error_literal (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
        "the RGB copy of a frame cannot be mapped");
  return mapped;
}
