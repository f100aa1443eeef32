/* altclip: what an analysed frame shows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipresult.h"

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

static void
append_label (GValue *results, const gchar *label, guint index, gdouble score,
    gdouble cosine, gboolean active)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value,
      gst_structure_new ("altclip-label", "label", G_TYPE_STRING, label,
          "index", G_TYPE_UINT, index, "score", G_TYPE_DOUBLE, score, "cosine",
          G_TYPE_DOUBLE, cosine, "active", G_TYPE_BOOLEAN, active, NULL));
  gst_value_array_append_and_take_value (results, &value);
}

GstAltclipResult *
gst_altclip_result_new (const GstAltclipTiming *timing, guint revision,
    AltclipPrompts *prompts, const gdouble *scores, const gdouble *cosines,
    AltclipTracker *tracker, guint top_k)
{
  GstAltclipResult *result = g_atomic_rc_box_new0 (GstAltclipResult);
  guint n_labels = altclip_prompts_get_n_labels (prompts);
  g_autofree guint *order = sort_labels (scores, n_labels);
  guint rank;

  gst_altclip_timing_copy (&result->timing, timing);
  result->revision = revision;
  g_value_init (&result->results, GST_TYPE_ARRAY);
  for (rank = 0; rank < n_labels; rank++) {
    guint i = order[rank];
    gboolean active = altclip_tracker_is_active (tracker, i);

    if (top_k == 0 || rank < top_k || active)
      append_label (&result->results, altclip_prompts_get_label (prompts, i), i,
          scores[i], cosines[i], active);
  }
  return result;
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

  gst_altclip_timing_clear (&result->timing);
  g_value_unset (&result->results);
}

void
gst_altclip_result_unref (GstAltclipResult *result)
{
  g_atomic_rc_box_release_full (result, result_clear);
}
