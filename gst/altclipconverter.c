/* altclip: from a mapped frame to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipconverter.h"

/* Plans that are kept whatever is looked at, and the most there are. */
#define LEAST_PLANS 8
#define MOST_PLANS (ALTCLIP_MAX_REGIONS + 1)

typedef struct
{
  AltclipRectangle part;
  AltclipImagePlan *plan;
} Plan;

struct _GstAltclipConverter
{
  AltclipModel *model;
  GstAltclipFormat *format;
  GPtrArray *plans; /* (element-type Plan): the one used last is the last */
  guint n_kept;
};

/* ---- Plans -------------------------------------------------------------- */

static void
plan_free (gpointer data)
{
  Plan *plan = data;

  altclip_image_plan_free (plan->plan);
  g_free (plan);
}

/* Those go that were not used for longest. */
static void
limit_plans (GstAltclipConverter *converter, guint n)
{
  if (converter->plans->len > n)
    g_ptr_array_remove_range (converter->plans, 0, converter->plans->len - n);
}

/* Returns: (nullable): the plan for @part, which is the last now */
static Plan *
find_plan (GstAltclipConverter *converter, const AltclipRectangle *part)
{
  GPtrArray *plans = converter->plans;
  guint i;

  for (i = 0; i < plans->len; i++) {
    Plan *plan = g_ptr_array_index (plans, i);

    if (altclip_rectangle_is_same (part, &plan->part)) {
      g_ptr_array_add (plans, g_ptr_array_steal_index (plans, i));
      return plan;
    }
  }
  return NULL;
}

static AltclipImagePlan *
get_plan (GstAltclipConverter *converter, const AltclipRectangle *part,
    GError **error)
{
  Plan *plan = find_plan (converter, part);
  AltclipImagePlan *made;

  if (plan != NULL)
    return plan->plan;
  made = altclip_image_plan_new_for_frames (
      converter->model, &converter->format->layout, part, error);
  if (made == NULL)
    return NULL;
  limit_plans (converter, converter->n_kept - 1);
  plan = g_new (Plan, 1);
  *plan = (Plan){*part, made};
  g_ptr_array_add (converter->plans, plan);
  return made;
}

GstAltclipConverter *
gst_altclip_converter_new (
    AltclipModel *model, GstAltclipFormat *format, GError **error)
{
  g_autoptr (GstAltclipConverter) converter = g_new0 (GstAltclipConverter, 1);
  AltclipRectangle all = {0, 0, format->layout.width, format->layout.height};

  converter->model = altclip_model_ref (model);
  converter->format = gst_altclip_format_ref (format);
  converter->plans = g_ptr_array_new_with_free_func (plan_free);
  converter->n_kept = LEAST_PLANS;
  if (get_plan (converter, &all, error) == NULL)
    return NULL;
  return g_steal_pointer (&converter);
}

void
gst_altclip_converter_free (GstAltclipConverter *converter)
{
  g_ptr_array_unref (converter->plans);
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

void
gst_altclip_converter_expect (GstAltclipConverter *converter, guint n_parts)
{
  converter->n_kept = CLAMP (n_parts, LEAST_PLANS, MOST_PLANS);
  limit_plans (converter, converter->n_kept);
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
