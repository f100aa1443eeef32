/* altclip: what of a frame is looked at
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipview.h"

/* ---- Parts of labels ---------------------------------------------------- */

static void
add_part (GstAltclipView *view, guint region, const AltclipRectangle *picture)
{
  GstAltclipPart part = {.region = region, .part = view->part};
  GstAltclipBox box;

  if (region > 0) {
    altclip_prompts_get_region (view->prompts, region, &box);
    part.part = altclip_region_get_part (&box, picture);
  }
  g_array_append_val (view->parts, part);
}

/* Labels' own parts are of the whole picture, whatever the element's region. */
static void
set_parts (GstAltclipView *view, const GstAltclipRules *rules,
    const AltclipRectangle *picture)
{
  guint n_regions = altclip_prompts_get_n_regions (view->prompts);
  guint i;

  if (n_regions == 1)
    return;
  view->parts = g_array_new (FALSE, FALSE, sizeof (GstAltclipPart));
  for (i = 0; i < n_regions; i++)
    if (altclip_prompts_is_region_used (view->prompts, i)
        || (i == 0 && rules->attach_embedding))
      add_part (view, i, picture);
}

/* ---- Public ------------------------------------------------------------- */

void
gst_altclip_view_init (GstAltclipView *view, GstAltclipFormat *format,
    GstBuffer *buffer, const GstAltclipRules *rules, AltclipPrompts *prompts,
    guint *n_found)
{
  AltclipRectangle picture =
      gst_altclip_format_get_picture (&format->info, buffer);

  *view = (GstAltclipView){.has_region = rules->has_region,
      .region = rules->region,
      .part = picture};
  if (view->has_region)
    view->part = altclip_region_get_part (&view->region, &picture);
  if (prompts != NULL)
    view->prompts = altclip_prompts_ref (prompts);
  *n_found = 0;
  if (rules->inference_region == GST_ALTCLIP_INFERENCE_REGION_ROI_LIST)
    view->regions =
        gst_altclip_regions_collect (buffer, &format->info, &view->part,
            rules->has_object_class ? &rules->object_class : NULL, n_found);
  else if (view->prompts != NULL)
    set_parts (view, rules, &picture);
}

void
gst_altclip_view_copy (GstAltclipView *view, const GstAltclipView *from)
{
  *view = *from;
  if (from->regions != NULL)
    g_array_ref (from->regions);
  if (from->prompts != NULL)
    altclip_prompts_ref (from->prompts);
  if (from->parts != NULL)
    g_array_ref (from->parts);
}

void
gst_altclip_view_clear (GstAltclipView *view)
{
  g_clear_pointer (&view->regions, g_array_unref);
  g_clear_pointer (&view->prompts, altclip_prompts_unref);
  g_clear_pointer (&view->parts, g_array_unref);
}

guint
gst_altclip_view_get_n_pictures (const GstAltclipView *view)
{
  if (view->regions != NULL)
    return view->regions->len;
  return view->parts != NULL ? view->parts->len : 1;
}

const AltclipRectangle *
gst_altclip_view_get_part (const GstAltclipView *view, guint index)
{
  if (view->regions != NULL)
    return &g_array_index (view->regions, GstAltclipRegion, index).part;
  if (view->parts != NULL)
    return &g_array_index (view->parts, GstAltclipPart, index).part;
  return &view->part;
}

guint
gst_altclip_view_get_n_findings (const GstAltclipView *view)
{
  return view->regions != NULL ? view->regions->len : 1;
}

/* Number of the region in @prompts that is number @region in the view's. */
static gboolean
translate (const GstAltclipView *view, guint region, AltclipPrompts *prompts,
    guint *number)
{
  guint n_regions = altclip_prompts_get_n_regions (prompts);
  GstAltclipBox box;
  GstAltclipBox other;

  *number = region;
  if (region == 0 || view->prompts == prompts)
    return TRUE;
  altclip_prompts_get_region (view->prompts, region, &box);
  for (*number = 1; *number < n_regions; (*number)++) {
    altclip_prompts_get_region (prompts, *number, &other);
    if (altclip_region_is_same (&box, &other))
      return TRUE;
  }
  return FALSE;
}

gboolean
gst_altclip_view_find_region (const GstAltclipView *view, guint index,
    AltclipPrompts *prompts, guint *number)
{
  guint region = view->parts != NULL
      ? g_array_index (view->parts, GstAltclipPart, index).region
      : 0;

  return translate (view, region, prompts, number);
}

gint
gst_altclip_view_find_default (const GstAltclipView *view)
{
  if (view->regions != NULL)
    return -1;
  return view->parts == NULL
          || g_array_index (view->parts, GstAltclipPart, 0).region == 0
      ? 0
      : -1;
}
