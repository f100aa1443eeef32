/* altclip: the prompts in force and the state of their labels
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliplabels.h"

#include "altclipmessage.h"

void
gst_altclip_labels_init (
    GstAltclipLabels *labels, GstObject *source, GstAltclipOutbox *outbox)
{
  *labels = (GstAltclipLabels){
      .source = source, .outbox = outbox, .last = GST_ALTCLIP_TIMING_INIT};
  g_mutex_init (&labels->lock);
}

static void
set_prompts (GstAltclipLabels *labels, AltclipPrompts *prompts)
{
  guint n_labels;

  g_clear_pointer (&labels->prompts, altclip_prompts_unref);
  g_clear_pointer (&labels->tracker, altclip_tracker_free);
  if (prompts == NULL)
    return;

  n_labels = altclip_prompts_get_n_labels (prompts);
  labels->prompts = altclip_prompts_ref (prompts);
  labels->tracker = altclip_tracker_new (n_labels);
  labels->rules = g_renew (AltclipLabelRules, labels->rules, n_labels);
  labels->scores = g_renew (gdouble, labels->scores, n_labels);
  labels->cosines = g_renew (gdouble, labels->cosines, n_labels);
}

void
gst_altclip_labels_reset (GstAltclipLabels *labels)
{
  set_prompts (labels, NULL);
  g_clear_pointer (&labels->rules, g_free);
  g_clear_pointer (&labels->scores, g_free);
  g_clear_pointer (&labels->cosines, g_free);
  gst_altclip_timing_clear (&labels->last);
  labels->revision = 0;
  labels->clock = 0;
}

void
gst_altclip_labels_clear (GstAltclipLabels *labels)
{
  gst_altclip_labels_reset (labels);
  g_mutex_clear (&labels->lock);
}

/* Without a running time, a frame counts as being where the last one was. */
static GstClockTime
advance_clock (GstAltclipLabels *labels, const GstAltclipTiming *timing)
{
  if (GST_CLOCK_TIME_IS_VALID (timing->running_time))
    labels->clock = timing->running_time;
  return labels->clock;
}

static void
put_transitions (GstAltclipLabels *labels, const GstAltclipRules *rules,
    GArray *transitions, const gchar *reason, const GstAltclipTiming *timing)
{
  guint i;

  if (rules->post_messages == GST_ALTCLIP_POST_MESSAGES_NONE)
    return;
  for (i = 0; i < transitions->len; i++) {
    const AltclipTransition *transition =
        &g_array_index (transitions, AltclipTransition, i);

    gst_altclip_outbox_put (labels->outbox,
        gst_altclip_message_new_transition (labels->source,
            altclip_prompts_get_label (labels->prompts, transition->index),
            transition, labels->revision, timing, reason));
  }
}

void
gst_altclip_labels_end (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing)
{
  g_autoptr (GArray) transitions = NULL;

  if (labels->tracker == NULL)
    return;
  if (timing == NULL)
    timing = &labels->last;

  transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
  altclip_tracker_end (
      labels->tracker, advance_clock (labels, timing), transitions);
  put_transitions (labels, rules, transitions, reason, timing);
}

void
gst_altclip_labels_swap (GstAltclipLabels *labels, AltclipPrompts *prompts,
    const GstAltclipRules *rules)
{
  gst_altclip_labels_end (labels, rules, "prompts", NULL);
  set_prompts (labels, prompts);
  labels->revision++;
}

/* Scores the picture, and moves the states. */
static void
update_states (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const GstAltclipTiming *timing, const float *embedding, GArray *transitions)
{
  AltclipScoreMode mode =
      altclip_prompts_get_score_mode (labels->prompts, rules->score_mode);
  AltclipLabelRules defaults = {
      .threshold = gst_altclip_rules_get_threshold (rules, mode),
      .hysteresis = rules->hysteresis,
      .min_on = rules->min_on_time,
      .min_off = rules->min_off_time,
  };

  altclip_prompts_get_rules (labels->prompts, &defaults, labels->rules);
  altclip_prompts_score (
      labels->prompts, mode, embedding, labels->scores, labels->cosines);
  altclip_tracker_update (labels->tracker, advance_clock (labels, timing),
      labels->rules, labels->scores, labels->cosines, transitions);
}

GstAltclipResult *
gst_altclip_labels_score (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const GstAltclipTiming *timing,
    const float *embedding)
{
  g_autoptr (GArray) transitions = NULL;
  GstAltclipResult *result;

  if (labels->prompts == NULL)
    return NULL;

  transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
  update_states (labels, rules, timing, embedding, transitions);
  put_transitions (labels, rules, transitions, "score", timing);

  result = gst_altclip_result_new (timing, labels->revision, labels->prompts,
      labels->scores, labels->cosines, labels->tracker, rules->top_k);
  if (rules->post_messages == GST_ALTCLIP_POST_MESSAGES_ALL)
    gst_altclip_outbox_put (labels->outbox,
        gst_altclip_message_new_result (labels->source, result));
  gst_altclip_timing_clear (&labels->last);
  gst_altclip_timing_copy (&labels->last, timing);
  return result;
}
