/* altclip: from a mapped frame to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipconverter.h"

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
  GstAltclipFormat *format;
  Plan plans[N_PLANS];
  guint next;
};

/* ---- Plans -------------------------------------------------------------- */

static AltclipImagePlan *
get_plan (GstAltclipConverter *converter, const AltclipRectangle *part,
    GError **error)
{
  AltclipImagePlan *plan;
  Plan *oldest;
  guint i;

  for (i = 0; i < N_PLANS; i++)
    if (converter->plans[i].plan && altclip_rectangle_is_same (part, &converter->plans[i].part))
      return converter->plans[i].plan;

  plan = altclip_image_plan_new_for_frames (
      converter->model, &converter->format->layout, part, error);
  if (plan == NULL)
    return NULL;
  oldest = &converter->plans[converter->next++ % N_PLANS];
  g_clear_pointer (&oldest->plan, altclip_image_plan_free);
  *oldest = (Plan){*part, plan};
  return plan;
}

GstAltclipConverter *
gst_altclip_converter_new (
    AltclipModel *model, GstAltclipFormat *format, GError **error)
{
  g_autoptr (GstAltclipConverter) converter = g_new0 (GstAltclipConverter, 1);
  AltclipRectangle all = {0, 0, format->layout.width, format->layout.height};

  converter->model = altclip_model_ref (model);
  converter->format = gst_altclip_format_ref (format);
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
  gst_altclip_format_unref (converter->format);
  altclip_model_unref (converter->model);
  g_free (converter);
}

gboolean
gst_altclip_converter_is_for (
    GstAltclipConverter *converter, GstAltclipFormat *format)
{
  return converter->format == format;
}

/* ---- Frames ------------------------------------------------------------- */

gboolean
gst_altclip_converter_run (GstAltclipConverter *converter, GstBuffer *buffer,
    const AltclipRectangle *part, float *pixel_values, GError **error)
{
  AltclipImagePlan *plan = get_plan (converter, part, error);
  AltclipFrameData data;
  GstVideoFrame frame;

  if (plan == NULL
      || !gst_altclip_format_map (
          converter->format, buffer, &frame, &data, error))
    return FALSE;
  altclip_image_plan_run_frame (plan, &data, pixel_values);
  gst_video_frame_unmap (&frame);
  return TRUE;
}
