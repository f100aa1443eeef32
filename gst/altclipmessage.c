/* altclip: the messages on the bus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipmessage.h"

GST_DEBUG_CATEGORY_EXTERN (altclip_filter_debug);
#define GST_CAT_DEFAULT altclip_filter_debug

#define UNKNOWN "unknown"

void
gst_altclip_message_set_timing (GstStructure *structure,
    const GstAltclipTiming *timing, AltclipScoreMode mode)
{
  g_autofree gchar *utc = gst_altclip_timing_format_utc (timing);

  gst_structure_set (structure, "score-mode", G_TYPE_STRING,
      altclip_score_mode_get_name (mode), "pts", G_TYPE_UINT64, timing->pts,
      "stream-time", G_TYPE_UINT64, timing->stream_time, "running-time",
      G_TYPE_UINT64, timing->running_time, "utc", G_TYPE_STRING, utc,
      "utc-source", G_TYPE_STRING, timing->utc_reference ? "reference" : "wall",
      "stream-id", G_TYPE_STRING, timing->stream_id, NULL);
}

static GstStructure *
new_structure (const gchar *event, guint revision, AltclipScoreMode mode,
    const GstAltclipTiming *timing)
{
  GstStructure *structure = gst_structure_new ("altclip", "event",
      G_TYPE_STRING, event, "revision", G_TYPE_UINT, revision, NULL);

  gst_altclip_message_set_timing (structure, timing, mode);
  return structure;
}

static guint64
get_duration (guint64 since, guint64 time)
{
  return time > since ? time - since : 0;
}

static void
add_ending (GstStructure *structure, const AltclipTransition *transition,
    const gchar *reason)
{
  guint64 duration = get_duration (transition->since, transition->time);

  gst_structure_set (structure, "duration", G_TYPE_UINT64, duration, "peak",
      G_TYPE_DOUBLE, transition->peak, "reason", G_TYPE_STRING, reason, NULL);
}

GstMessage *
gst_altclip_message_new_transition (GstObject *source, const gchar *label,
    const AltclipTransition *transition, guint revision, AltclipScoreMode mode,
    const GstAltclipTiming *timing, const gchar *reason)
{
  GstStructure *structure = new_structure (
      transition->active ? "begin" : "end", revision, mode, timing);

  gst_structure_set (structure, "label", G_TYPE_STRING, label, "index",
      G_TYPE_UINT, transition->index, "score", G_TYPE_DOUBLE, transition->score,
      "cosine", G_TYPE_DOUBLE, transition->cosine, NULL);
  if (!transition->active)
    add_ending (structure, transition, reason);
  return gst_message_new_element (source, structure);
}

const gchar *
gst_altclip_message_name_state (AltclipPrompts *prompts, gint label)
{
  return label >= 0 ? altclip_prompts_get_label (prompts, (guint) label)
                    : UNKNOWN;
}

/* A label may be called like that, but then it has an index. */
GstMessage *
gst_altclip_message_new_change (GstObject *source, AltclipPrompts *prompts,
    const AltclipGroupChange *change, const AltclipLabelState *state,
    guint revision, AltclipScoreMode mode, const GstAltclipTiming *timing,
    const gchar *reason)
{
  GstStructure *structure = new_structure ("state", revision, mode, timing);

  gst_structure_set (structure, "group", G_TYPE_STRING,
      altclip_prompts_get_group_name (prompts, change->group), "label",
      G_TYPE_STRING, gst_altclip_message_name_state (prompts, change->label),
      "reason", G_TYPE_STRING, reason, NULL);
  if (state != NULL)
    gst_structure_set (structure, "index", G_TYPE_UINT, (guint) change->label,
        "score", G_TYPE_DOUBLE, state->score, "cosine", G_TYPE_DOUBLE,
        state->cosine, NULL);
  if (change->previous != ALTCLIP_LABEL_NONE)
    gst_structure_set (structure, "previous", G_TYPE_STRING,
        gst_altclip_message_name_state (prompts, change->previous), "duration",
        G_TYPE_UINT64, get_duration (change->since, change->time), NULL);
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
      new_structure ("result", result->revision, result->mode, &result->timing);
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

GstMessage *
gst_altclip_message_new_warning (GstObject *source, GstLibraryError code,
    const gchar *text, const gchar *debug, ...)
{
  g_autoptr (GError) error =
      g_error_new_literal (GST_LIBRARY_ERROR, (gint) code, text);
  g_autofree gchar *details = NULL;
  va_list arguments;

  va_start (arguments, debug);
  details = g_strdup_vprintf (debug, arguments);
  va_end (arguments);
  GST_WARNING_OBJECT (source, "%s (%s)", text, details);
  return gst_message_new_warning (source, error, details);
}
