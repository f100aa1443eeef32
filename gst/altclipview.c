/* altclip: what of a frame is looked at
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipview.h"

void
gst_altclip_view_init (GstAltclipView *view, GstAltclipFormat *format,
    GstBuffer *buffer, const GstAltclipRules *rules, guint *n_found)
{
  *view = (GstAltclipView){.has_region = rules->has_region,
      .region = rules->region,
      .part = gst_altclip_format_get_picture (format, buffer)};
  if (view->has_region)
    view->part = gst_altclip_box_get_part (&view->region, &view->part);
  *n_found = 0;
  if (rules->inference_region == GST_ALTCLIP_INFERENCE_REGION_ROI_LIST)
    view->regions =
        gst_altclip_regions_collect (buffer, &format->info, &view->part,
            rules->has_object_class ? &rules->object_class : NULL, n_found);
}

void
gst_altclip_view_copy (GstAltclipView *view, const GstAltclipView *from)
{
  *view = *from;
  if (from->regions != NULL)
    g_array_ref (from->regions);
}

void
gst_altclip_view_clear (GstAltclipView *view)
{
  g_clear_pointer (&view->regions, g_array_unref);
}

guint
gst_altclip_view_get_n_pictures (const GstAltclipView *view)
{
  return view->regions != NULL ? view->regions->len : 1;
}

const AltclipRectangle *
gst_altclip_view_get_part (const GstAltclipView *view, guint index)
{
  if (view->regions == NULL)
    return &view->part;
  return &g_array_index (view->regions, GstAltclipRegion, index).part;
}
