/* altclip: the metadata on the frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipmeta.h"

#include "altclipanalytics.h"

/* Most classifications that are added to a frame: the memory of GstAnalytics
 * grows with the square of their number. */
#define MAX_CLASSIFICATIONS 256

void
gst_altclip_meta_register (void)
{
  static gsize registered = 0;
  static const gchar *tags[] = {"video", NULL};

  if (!g_once_init_enter (&registered))
    return;
  /* No transform function: then conversion elements copy it as it is. */
  if (gst_meta_get_info (GST_ALTCLIP_META_NAME) == NULL)
    gst_meta_register_custom (GST_ALTCLIP_META_NAME, tags, NULL, NULL, NULL);
  g_once_init_leave (&registered, 1);
}

/* The structure to fill, emptied; an earlier one's fields in @upstream. */
static GstStructure *
obtain_structure (GstBuffer *buffer, GstStructure **upstream)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_ALTCLIP_META_NAME);
  GstStructure *structure;

  *upstream = NULL;
  if (meta == NULL) {
    meta = gst_buffer_add_custom_meta (buffer, GST_ALTCLIP_META_NAME);
    return gst_custom_meta_get_structure (meta);
  }
  structure = gst_custom_meta_get_structure (meta);
  *upstream = gst_structure_copy (structure);
  gst_structure_remove_all_fields (structure);
  return structure;
}

/* Takes @upstream. */
static void
set_upstream (GstStructure *structure, GstStructure *upstream)
{
  if (upstream == NULL)
    return;
  gst_structure_set (structure, "upstream", GST_TYPE_STRUCTURE, upstream, NULL);
  gst_structure_free (upstream);
}

/* What every result has. */
static void
set_fields (GstStructure *structure, const GstAltclipTagger *tagger,
    GstClockTimeDiff age, GstAltclipResult *result)
{
  gst_structure_set (structure, "element", G_TYPE_STRING, tagger->element,
      "model", G_TYPE_STRING, tagger->model, "frame-pts", G_TYPE_UINT64,
      result->timing.pts, "age", G_TYPE_INT64, age, "revision", G_TYPE_UINT,
      result->revision, "score-mode", G_TYPE_STRING,
      altclip_score_mode_get_name (result->mode), NULL);
  if (result->view.has_region)
    gst_altclip_box_set_field (&result->view.region, structure, "region");
}

/* ---- Whole frames ------------------------------------------------------- */

void
gst_altclip_meta_attach (GstBuffer *buffer, const GstAltclipTagger *tagger,
    const GstAltclipTiming *timing, GstAltclipResult *result)
{
  GstAltclipFinding *finding = &result->findings[0];
  GstStructure *upstream;
  GstStructure *structure = obtain_structure (buffer, &upstream);

  set_fields (structure, tagger,
      gst_altclip_timing_get_age (timing, &result->timing), result);
  gst_structure_set_value (structure, "results", &finding->labels);
  if (finding->embedding != NULL)
    gst_structure_set (
        structure, "embedding", GST_TYPE_BUFFER, finding->embedding, NULL);
  set_upstream (structure, upstream);
  gst_altclip_analytics_add (buffer, &finding->labels, -1, MAX_CLASSIFICATIONS);
}

/* ---- Regions ------------------------------------------------------------ */

/* As with the buffer's own: one structure, which has the earlier one in it.
 * Takes @structure. */
static void
set_roi_param (GstVideoRegionOfInterestMeta *roi, GstStructure *structure)
{
  GstStructure *earlier = gst_video_region_of_interest_meta_get_param (
      roi, GST_ALTCLIP_REGION_NAME);

  if (earlier != NULL)
    roi->params = g_list_remove (roi->params, earlier);
  set_upstream (structure, earlier);
  gst_video_region_of_interest_meta_add_param (roi, structure);
}

/* The regions of interest come first in @regions, and in the buffer's order. */
static void
set_roi_params (GstBuffer *buffer, GstAltclipResult *result,
    GstClockTimeDiff age, const GArray *regions, const gint *matches)
{
  gpointer state = NULL;
  GstMeta *meta;
  gint number = 0;
  guint i = 0;

  while (i < regions->len
      && (meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
          != NULL) {
    if (g_array_index (regions, GstAltclipRegion, i).roi != number++)
      continue;
    if (matches[i] >= 0)
      set_roi_param ((GstVideoRegionOfInterestMeta *) meta,
          gst_altclip_result_new_region (result, (guint) matches[i], age));
    i++;
  }
}

/* Only for what is an object there: else it would be said of the frame. */
static void
add_classifications (GstBuffer *buffer, GstAltclipResult *result,
    const GArray *regions, const gint *matches)
{
  guint max = MAX_CLASSIFICATIONS;
  guint i;

  for (i = 0; i < regions->len; i++) {
    gint od = g_array_index (regions, GstAltclipRegion, i).od;

    if (matches[i] >= 0 && od >= 0)
      max -= gst_altclip_analytics_add (
          buffer, &result->findings[matches[i]].labels, od, max);
  }
}

void
gst_altclip_meta_attach_regions (GstBuffer *buffer,
    const GstAltclipTagger *tagger, const GstAltclipTiming *timing,
    GstAltclipResult *result, const GArray *regions, const gint *matches)
{
  GstClockTimeDiff age = gst_altclip_timing_get_age (timing, &result->timing);
  GstStructure *upstream;
  GstStructure *structure = obtain_structure (buffer, &upstream);

  set_fields (structure, tagger, age, result);
  gst_altclip_result_add_regions (
      result, structure, age, matches, regions->len);
  set_upstream (structure, upstream);
  set_roi_params (buffer, result, age, regions, matches);
  add_classifications (buffer, result, regions, matches);
}
