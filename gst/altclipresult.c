/* altclip: what an analysed frame shows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipresult.h"

#include "altcliparray.h"

#include <math.h>

/* Best first; equal scores in the order the labels were given in; what is not a
 * number last. */
static gint
compare_scores (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const gdouble *scores = user_data;
  guint i = *(const guint *) a;
  guint j = *(const guint *) b;
  gdouble left = isnan (scores[i]) ? -G_MAXDOUBLE : scores[i];
  gdouble right = isnan (scores[j]) ? -G_MAXDOUBLE : scores[j];

  if (left != right)
    return left < right ? 1 : -1;
  return i < j ? -1 : 1;
}

static guint *
sort_labels (const gdouble *scores, guint n_labels)
{
  guint *order = g_new (guint, n_labels);
  guint i;

  for (i = 0; i < n_labels; i++)
    order[i] = i;
  g_qsort_with_data (
      order, n_labels, sizeof (guint), compare_scores, (gpointer) scores);
  return order;
}

/* Where a label with a region of its own was judged. */
static void
set_label_region (GstStructure *structure, AltclipPrompts *prompts, guint index)
{
  guint number = altclip_prompts_get_label_region (prompts, index);
  GstAltclipBox region;

  if (number == 0)
    return;
  altclip_prompts_get_region (prompts, number, &region);
  gst_altclip_box_set_field (&region, structure, "region");
}

GstAltclipResult *
gst_altclip_result_new (const GstAltclipTiming *timing, guint revision,
    AltclipScoreMode mode, const GstAltclipView *view)
{
  GstAltclipResult *result = g_atomic_rc_box_new0 (GstAltclipResult);
  guint n_findings = gst_altclip_view_get_n_findings (view);
  guint i;

  gst_altclip_timing_copy (&result->timing, timing);
  result->revision = revision;
  result->mode = mode;
  gst_altclip_view_copy (&result->view, view);
  result->findings = g_new0 (GstAltclipFinding, n_findings);
  for (i = 0; i < n_findings; i++)
    gst_altclip_array_init (&result->findings[i].labels);
  return result;
}

void
gst_altclip_result_set_labels (GstAltclipResult *result, guint index,
    AltclipPrompts *prompts, const gdouble *scores, const gdouble *cosines,
    const gboolean *active, guint top_k)
{
  GValue *labels = &result->findings[index].labels;
  guint n_labels = altclip_prompts_get_n_labels (prompts);
  g_autofree guint *order = sort_labels (scores, n_labels);
  guint rank;

  for (rank = 0; rank < n_labels; rank++) {
    guint i = order[rank];
    GstStructure *structure;

    if (isnan (scores[i]) || (top_k > 0 && rank >= top_k && !active[i]))
      continue;
    structure = gst_structure_new ("altclip-label", "label", G_TYPE_STRING,
        altclip_prompts_get_label (prompts, i), "index", G_TYPE_UINT, i,
        "score", G_TYPE_DOUBLE, scores[i], "cosine", G_TYPE_DOUBLE, cosines[i],
        "active", G_TYPE_BOOLEAN, active[i], NULL);
    if (result->view.regions == NULL)
      set_label_region (structure, prompts, i);
    gst_altclip_array_append_structure (labels, structure);
  }
}

void
gst_altclip_result_set_embedding (
    GstAltclipResult *result, guint index, const float *embedding, guint dim)
{
  result->findings[index].embedding =
      gst_buffer_new_memdup (embedding, dim * sizeof (float));
}

GstStructure *
gst_altclip_result_new_region (
    GstAltclipResult *result, guint index, GstClockTimeDiff age)
{
  const GstAltclipRegion *region =
      &g_array_index (result->view.regions, GstAltclipRegion, index);
  const GstAltclipFinding *finding = &result->findings[index];
  g_autofree gchar *type = gst_altclip_region_dup_type (region);
  GstStructure *structure = gst_structure_new (GST_ALTCLIP_REGION_NAME, "type",
      G_TYPE_STRING, type, "id", G_TYPE_UINT, region->id, "x", G_TYPE_DOUBLE,
      region->box.x, "y", G_TYPE_DOUBLE, region->box.y, "w", G_TYPE_DOUBLE,
      region->box.w, "h", G_TYPE_DOUBLE, region->box.h, "frame-pts",
      G_TYPE_UINT64, result->timing.pts, "age", G_TYPE_INT64, age, NULL);

  gst_structure_set_value (structure, "results", &finding->labels);
  if (finding->embedding != NULL)
    gst_structure_set (
        structure, "embedding", GST_TYPE_BUFFER, finding->embedding, NULL);
  return structure;
}

void
gst_altclip_result_add_regions (GstAltclipResult *result,
    GstStructure *structure, GstClockTimeDiff age, const gint *matches, guint n)
{
  GValue results = G_VALUE_INIT;
  GValue regions = G_VALUE_INIT;
  guint i;

  gst_altclip_array_init (&results);
  gst_structure_take_value (structure, "results", &results);
  gst_altclip_array_init (&regions);
  for (i = 0; i < n; i++) {
    gint match = matches != NULL ? matches[i] : (gint) i;

    if (match >= 0)
      gst_altclip_array_append_structure (
          &regions, gst_altclip_result_new_region (result, (guint) match, age));
  }
  gst_structure_take_value (structure, "regions", &regions);
}

GstAltclipResult *
gst_altclip_result_ref (GstAltclipResult *result)
{
  return g_atomic_rc_box_acquire (result);
}

static void
result_clear (gpointer data)
{
  GstAltclipResult *result = data;
  guint n_findings = gst_altclip_view_get_n_findings (&result->view);
  guint i;

  for (i = 0; i < n_findings; i++) {
    g_value_unset (&result->findings[i].labels);
    gst_clear_buffer (&result->findings[i].embedding);
  }
  g_free (result->findings);
  gst_altclip_view_clear (&result->view);
  gst_altclip_timing_clear (&result->timing);
}

void
gst_altclip_result_unref (GstAltclipResult *result)
{
  g_atomic_rc_box_release_full (result, result_clear);
}
