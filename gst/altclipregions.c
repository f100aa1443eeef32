/* altclip: the regions that elements before altclipfilter found in a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipregions.h"

#include "altclipanalytics.h"

/* Overlap from which a region of the same type counts as the same. */
#define SAME_OVERLAP 0.5

gchar *
gst_altclip_region_dup_type (const GstAltclipRegion *region)
{
  const gchar *type = g_quark_to_string (region->type);

  return g_utf8_make_valid (type != NULL ? type : "", -1);
}

/* DL Streamer's trackers write the object's number here; the meta's own is
 * another one for each detection there. */
gboolean
gst_altclip_roi_get_id (GstVideoRegionOfInterestMeta *roi, guint *id)
{
  GstStructure *object_id =
      gst_video_region_of_interest_meta_get_param (roi, "object_id");
  gint number = roi->id;
  gboolean named =
      object_id != NULL && gst_structure_get_int (object_id, "id", &number);

  *id = (guint) number;
  return named || number != 0;
}

/* ---- Collecting --------------------------------------------------------- */

typedef struct
{
  const GstVideoInfo *info;
  const AltclipRectangle *within;
  const GQuark *type;
  GArray *regions;
  guint n_found;
} Collector;

/* A stranger's numbers: anything between them and the frame is possible. */
static gboolean
clip (gint64 at, gint64 length, guint first, guint n, guint *begin,
    guint *n_pixels)
{
  gint64 from = MAX (at, (gint64) first);
  gint64 to = MIN (at + length, (gint64) first + n);

  if (to - from < 1)
    return FALSE;
  *begin = (guint) from;
  *n_pixels = (guint) (to - from);
  return TRUE;
}

static gboolean
is_wanted (const Collector *collector, GQuark type)
{
  return collector->type == NULL
      || (*collector->type == type && *collector->type != 0);
}

static void
set_box (const Collector *collector, GstAltclipRegion *region)
{
  region->box = gst_altclip_box_from_part (&region->part,
      GST_VIDEO_INFO_WIDTH (collector->info),
      GST_VIDEO_INFO_HEIGHT (collector->info));
}

static void
add_region (Collector *collector, const GstAltclipRegion *region)
{
  collector->n_found++;
  if (collector->regions->len < GST_ALTCLIP_MAX_REGIONS)
    g_array_append_val (collector->regions, *region);
}

static void
collect_roi (
    Collector *collector, GstVideoRegionOfInterestMeta *meta, gint number)
{
  const AltclipRectangle *within = collector->within;
  GstAltclipRegion region = {.type = meta->roi_type, .roi = number, .od = -1};

  if (!is_wanted (collector, meta->roi_type)
      || !clip (meta->x, meta->w, within->x, within->width, &region.part.x,
          &region.part.width)
      || !clip (meta->y, meta->h, within->y, within->height, &region.part.y,
          &region.part.height))
    return;
  region.has_id = gst_altclip_roi_get_id (meta, &region.id);
  set_box (collector, &region);
  add_region (collector, &region);
}

static void
collect_rois (Collector *collector, GstBuffer *buffer)
{
  gpointer state = NULL;
  GstMeta *meta;
  gint number = 0;

  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      != NULL)
    collect_roi (collector, (GstVideoRegionOfInterestMeta *) meta, number++);
}

/* The region of interest that was attached for the same object, if any. */
static GstAltclipRegion *
find_twin (const Collector *collector, const GstAltclipRegion *region)
{
  guint i;

  for (i = 0; i < collector->regions->len; i++) {
    GstAltclipRegion *other =
        &g_array_index (collector->regions, GstAltclipRegion, i);

    if (other->roi >= 0 && other->od < 0 && other->type == region->type
        && altclip_rectangle_is_same (&other->part, &region->part))
      return other;
  }
  return NULL;
}

/* A tracker's number goes before the region's own. DL Streamer writes the
 * object's place among the buffer's metadata there, which says nothing of which
 * one it is. */
static void
join_twin (GstAltclipRegion *twin, const GstAltclipRegion *region)
{
  twin->od = region->od;
  if (region->has_id) {
    twin->has_id = TRUE;
    twin->id = region->id;
  } else if (twin->id == (guint) region->od) {
    twin->has_id = FALSE;
    twin->id = 0;
  }
}

static void
collect_object (Collector *collector, const GstAltclipObjectMtd *object)
{
  const AltclipRectangle *within = collector->within;
  GstAltclipRegion region = {.type = object->type,
      .has_id = object->is_tracked,
      .id = object->track,
      .roi = -1,
      .od = object->od};
  GstAltclipRegion *twin;

  if (!is_wanted (collector, object->type)
      || !clip (object->x, object->w, within->x, within->width, &region.part.x,
          &region.part.width)
      || !clip (object->y, object->h, within->y, within->height, &region.part.y,
          &region.part.height))
    return;
  twin = find_twin (collector, &region);
  if (twin != NULL) {
    join_twin (twin, &region);
    return;
  }
  set_box (collector, &region);
  add_region (collector, &region);
}

GArray *
gst_altclip_regions_collect (GstBuffer *buffer, const GstVideoInfo *info,
    const AltclipRectangle *within, const GQuark *type, guint *n_found)
{
  Collector collector = {.info = info,
      .within = within,
      .type = type,
      .regions = g_array_new (FALSE, FALSE, sizeof (GstAltclipRegion))};
  GstAltclipObjectMtd object;
  gpointer state = NULL;

  collect_rois (&collector, buffer);
  while (gst_altclip_analytics_next (buffer, &state, &object))
    collect_object (&collector, &object);
  *n_found = collector.n_found;
  return collector.regions;
}

/* ---- Matching ----------------------------------------------------------- */

gboolean
gst_altclip_regions_is_repeated (const GArray *regions, guint index)
{
  const GstAltclipRegion *region =
      &g_array_index (regions, GstAltclipRegion, index);
  guint i;

  for (i = 0; i < index; i++) {
    const GstAltclipRegion *other =
        &g_array_index (regions, GstAltclipRegion, i);

    if (other->has_id && other->id == region->id && other->type == region->type)
      return TRUE;
  }
  return FALSE;
}

/* How well a region fits: 0: not at all. With the same id that of the same type
 * goes first, and the nearer one of the same number. */
static gdouble
get_fit (const GstAltclipRegion *region, const GstAltclipRegion *other,
    gboolean by_id)
{
  gdouble overlap = gst_altclip_box_get_overlap (&region->box, &other->box);
  gboolean same_type = region->type == other->type;

  if (by_id)
    return region->has_id && other->has_id && region->id == other->id
        ? 1.0 + overlap + (same_type ? 2.0 : 0.0)
        : 0.0;
  return same_type && overlap >= SAME_OVERLAP ? overlap : 0.0;
}

static gint
find_best (const GstAltclipRegion *region, const GArray *analysed,
    const gboolean *taken, gboolean by_id)
{
  gdouble best_fit = 0.0;
  gint best = -1;
  guint i;

  for (i = 0; i < analysed->len; i++) {
    gdouble fit = taken[i]
        ? 0.0
        : get_fit (
            region, &g_array_index (analysed, GstAltclipRegion, i), by_id);

    if (fit > best_fit) {
      best_fit = fit;
      best = (gint) i;
    }
  }
  return best;
}

static guint
match_rest (const GArray *regions, const GArray *analysed, gboolean *taken,
    gboolean by_id, gint *matches)
{
  guint n = 0;
  guint i;

  for (i = 0; i < regions->len; i++) {
    if (matches[i] >= 0)
      continue;
    matches[i] = find_best (
        &g_array_index (regions, GstAltclipRegion, i), analysed, taken, by_id);
    if (matches[i] >= 0) {
      taken[matches[i]] = TRUE;
      n++;
    }
  }
  return n;
}

guint
gst_altclip_regions_match (
    const GArray *regions, const GArray *analysed, gint *matches)
{
  gboolean taken[GST_ALTCLIP_MAX_REGIONS] = {FALSE};
  guint i;

  for (i = 0; i < regions->len; i++)
    matches[i] = -1;
  return match_rest (regions, analysed, taken, TRUE, matches)
      + match_rest (regions, analysed, taken, FALSE, matches);
}
