/* altclip: the messages on the bus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipmessage.h"

static GstStructure *
new_structure (
    const gchar *event, guint revision, const GstAltclipTiming *timing)
{
  g_autofree gchar *utc = gst_altclip_timing_format_utc (timing);

  return gst_structure_new ("altclip", "event", G_TYPE_STRING, event,
      "revision", G_TYPE_UINT, revision, "pts", G_TYPE_UINT64, timing->pts,
      "stream-time", G_TYPE_UINT64, timing->stream_time, "running-time",
      G_TYPE_UINT64, timing->running_time, "utc", G_TYPE_STRING, utc,
      "utc-source", G_TYPE_STRING, timing->utc_reference ? "reference" : "wall",
      "stream-id", G_TYPE_STRING, timing->stream_id, NULL);
}

static void
add_ending (GstStructure *structure, const AltclipTransition *transition,
    const gchar *reason)
{
  guint64 duration = transition->time > transition->since
      ? transition->time - transition->since
      : 0;

  gst_structure_set (structure, "duration", G_TYPE_UINT64, duration, "peak",
      G_TYPE_DOUBLE, transition->peak, "reason", G_TYPE_STRING, reason, NULL);
}

GstMessage *
gst_altclip_message_new_transition (GstObject *source, const gchar *label,
    const AltclipTransition *transition, guint revision,
    const GstAltclipTiming *timing, const gchar *reason)
{
  GstStructure *structure =
      new_structure (transition->active ? "begin" : "end", revision, timing);

  gst_structure_set (structure, "label", G_TYPE_STRING, label, "index",
      G_TYPE_UINT, transition->index, "score", G_TYPE_DOUBLE, transition->score,
      "cosine", G_TYPE_DOUBLE, transition->cosine, NULL);
  if (!transition->active)
    add_ending (structure, transition, reason);
  return gst_message_new_element (source, structure);
}

void
gst_altclip_message_set_region (
    GstMessage *message, const GstAltclipBox *region)
{
  gst_altclip_box_set_field (
      region, gst_message_writable_structure (message), "region");
}

void
gst_altclip_message_set_object (
    GstMessage *message, const GstAltclipRegion *region)
{
  g_autofree gchar *type = gst_altclip_region_dup_type (region);

  gst_structure_set (gst_message_writable_structure (message), "type",
      G_TYPE_STRING, type, "id", G_TYPE_UINT, region->id, NULL);
  gst_altclip_message_set_region (message, &region->box);
}

GstMessage *
gst_altclip_message_new_result (GstObject *source, GstAltclipResult *result)
{
  GstStructure *structure =
      new_structure ("result", result->revision, &result->timing);
  const GstAltclipView *view = &result->view;

  if (view->has_region)
    gst_altclip_box_set_field (&view->region, structure, "region");
  if (view->regions != NULL)
    gst_altclip_result_add_regions (
        result, structure, 0, NULL, view->regions->len);
  else
    gst_structure_set_value (structure, "results", &result->findings[0].labels);
  return gst_message_new_element (source, structure);
}
