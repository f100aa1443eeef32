/* altclip: GstAnalytics metadata, where GStreamer has it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipanalytics.h"

#if HAVE_GST_ANALYTICS

#include <gst/analytics/analytics.h>

/* ---- What is there ------------------------------------------------------ */

static void
read_track (GstAnalyticsMtd *mtd, GstAltclipObjectMtd *object)
{
  GstAnalyticsTrackingMtd tracking;
  gpointer state = NULL;
  GstClockTime first_seen;
  GstClockTime last_seen;
  gboolean lost;
  guint64 id;

  object->is_tracked = FALSE;
  object->track = 0;
  if (!gst_analytics_relation_meta_get_direct_related (mtd->meta, mtd->id,
          GST_ANALYTICS_REL_TYPE_ANY,
          gst_analytics_tracking_mtd_get_mtd_type (), &state, &tracking)
      || !gst_analytics_tracking_mtd_get_info (
          &tracking, &id, &first_seen, &last_seen, &lost))
    return;
  object->is_tracked = TRUE;
  object->track = (guint) id;
}

gboolean
gst_altclip_analytics_next (
    GstBuffer *buffer, gpointer *state, GstAltclipObjectMtd *object)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsMtd mtd;
  gfloat confidence;

  if (meta == NULL
      || !gst_analytics_relation_meta_iterate (
          meta, state, gst_analytics_od_mtd_get_mtd_type (), &mtd)
      || !gst_analytics_od_mtd_get_location (
          &mtd, &object->x, &object->y, &object->w, &object->h, &confidence))
    return FALSE;
  object->type = gst_analytics_od_mtd_get_obj_type (&mtd);
  object->od = (gint) mtd.id;
  read_track (&mtd, object);
  return TRUE;
}

/* ---- What is added ------------------------------------------------------ */

/* The label is one of the prompts', so that its quark is one of few. */
static void
add_label (GstAnalyticsRelationMeta *meta, const GstStructure *label, gint od)
{
  GQuark quark =
      g_quark_from_string (gst_structure_get_string (label, "label"));
  GstAnalyticsClsMtd mtd;
  gdouble score = 0.0;

  gst_structure_get_double (label, "score", &score);
  if (!gst_analytics_relation_meta_add_one_cls_mtd (
          meta, (gfloat) score, quark, &mtd)
      || od < 0)
    return;
  gst_analytics_relation_meta_set_relation (meta,
      GST_ANALYTICS_REL_TYPE_RELATE_TO | GST_ANALYTICS_REL_TYPE_CONTAIN,
      (guint) od, mtd.id);
  gst_analytics_relation_meta_set_relation (
      meta, GST_ANALYTICS_REL_TYPE_IS_PART_OF, mtd.id, (guint) od);
}

static gboolean
is_active (const GstStructure *label)
{
  gboolean active = FALSE;

  return gst_structure_get_boolean (label, "active", &active) && active;
}

guint
gst_altclip_analytics_add (
    GstBuffer *buffer, const GValue *labels, gint od, guint max)
{
  GstAnalyticsRelationMeta *meta = NULL;
  guint n_labels = gst_value_array_get_size (labels);
  guint n = 0;
  guint i;

  for (i = 0; i < n_labels && n < max; i++) {
    const GstStructure *label =
        gst_value_get_structure (gst_value_array_get_value (labels, i));

    if (!is_active (label))
      continue;
    if (meta == NULL)
      meta = gst_buffer_add_analytics_relation_meta (buffer);
    add_label (meta, label, od);
    n++;
  }
  return n;
}

#else

gboolean
gst_altclip_analytics_next (GstBuffer *buffer G_GNUC_UNUSED,
    gpointer *state G_GNUC_UNUSED, GstAltclipObjectMtd *object G_GNUC_UNUSED)
{
  return FALSE;
}

guint
gst_altclip_analytics_add (GstBuffer *buffer G_GNUC_UNUSED,
    const GValue *labels G_GNUC_UNUSED, gint od G_GNUC_UNUSED,
    guint max G_GNUC_UNUSED)
{
  return 0;
}

#endif /* HAVE_GST_ANALYTICS */
