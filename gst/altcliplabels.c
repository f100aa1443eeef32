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
  gst_altclip_objects_init (&labels->objects);
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
  labels->active = g_renew (gboolean, labels->active, n_labels);
}

void
gst_altclip_labels_reset (GstAltclipLabels *labels)
{
  set_prompts (labels, NULL);
  g_clear_pointer (&labels->rules, g_free);
  g_clear_pointer (&labels->scores, g_free);
  g_clear_pointer (&labels->cosines, g_free);
  g_clear_pointer (&labels->active, g_free);
  gst_altclip_timing_clear (&labels->last);
  labels->has_region = FALSE;
  labels->revision = 0;
  labels->clock = 0;
}

void
gst_altclip_labels_clear (GstAltclipLabels *labels)
{
  gst_altclip_labels_reset (labels);
  gst_altclip_objects_clear (&labels->objects);
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

/* ---- Messages ----------------------------------------------------------- */

/* Of @object, or of the frame when that is %NULL. */
static GstMessage *
new_message (GstAltclipLabels *labels, const AltclipTransition *transition,
    const gchar *reason, const GstAltclipTiming *timing,
    const GstAltclipObject *object)
{
  GstMessage *message = gst_altclip_message_new_transition (labels->source,
      altclip_prompts_get_label (labels->prompts, transition->index),
      transition, labels->revision, timing, reason);

  if (object != NULL)
    gst_altclip_message_set_object (message, &object->region);
  else if (labels->has_region)
    gst_altclip_message_set_region (message, &labels->region);
  return message;
}

static void
put_transitions (GstAltclipLabels *labels, const GstAltclipRules *rules,
    GArray *transitions, const gchar *reason, const GstAltclipTiming *timing,
    const GstAltclipObject *object)
{
  guint i;

  if (rules->post_messages == GST_ALTCLIP_POST_MESSAGES_NONE)
    return;
  for (i = 0; i < transitions->len; i++)
    gst_altclip_outbox_put (labels->outbox,
        new_message (labels, &g_array_index (transitions, AltclipTransition, i),
            reason, timing, object));
}

/* ---- Ends --------------------------------------------------------------- */

static void
end_tracker (GstAltclipLabels *labels, const GstAltclipRules *rules,
    AltclipTracker *tracker, const gchar *reason,
    const GstAltclipTiming *timing, const GstAltclipObject *object)
{
  g_autoptr (GArray) transitions =
      g_array_new (FALSE, FALSE, sizeof (AltclipTransition));

  altclip_tracker_end (tracker, advance_clock (labels, timing), transitions);
  put_transitions (labels, rules, transitions, reason, timing, object);
}

static void
end_oldest_object (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing)
{
  g_autoptr (GstAltclipObject) object =
      gst_altclip_objects_steal_oldest (&labels->objects);

  end_tracker (labels, rules, object->tracker, reason, timing, object);
}

static void
end_objects (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing)
{
  while (!gst_altclip_objects_is_empty (&labels->objects))
    end_oldest_object (labels, rules, reason, timing);
}

void
gst_altclip_labels_end (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing)
{
  if (labels->tracker == NULL)
    return;
  if (timing == NULL)
    timing = &labels->last;
  end_tracker (labels, rules, labels->tracker, reason, timing, NULL);
  end_objects (labels, rules, reason, timing);
}

static gboolean
is_expired (const GstAltclipObject *object, const GstAltclipRules *rules,
    const GstAltclipTiming *timing)
{
  GstClockTimeDiff age = gst_altclip_timing_get_age (timing, &object->seen);

  return ABS (age) > (GstClockTimeDiff) rules->max_age;
}

void
gst_altclip_labels_expire_objects (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const GstAltclipTiming *timing)
{
  GstAltclipObject *object;

  while ((object = gst_altclip_objects_peek_oldest (&labels->objects)) != NULL
      && is_expired (object, rules, timing))
    end_oldest_object (labels, rules, "expired", timing);
}

void
gst_altclip_labels_swap (GstAltclipLabels *labels, AltclipPrompts *prompts,
    const GstAltclipRules *rules)
{
  gst_altclip_labels_end (labels, rules, "prompts", NULL);
  set_prompts (labels, prompts);
  labels->revision++;
}

/* ---- Scores ------------------------------------------------------------- */

/* What is the same for all pictures of a frame. */
typedef struct
{
  GstAltclipLabels *labels;
  const GstAltclipRules *rules;
  const GstAltclipTiming *timing;
  AltclipScoreMode mode;
  guint dim;
} Scorer;

static void
scorer_init (Scorer *scorer)
{
  GstAltclipLabels *labels = scorer->labels;
  const GstAltclipRules *rules = scorer->rules;
  AltclipLabelRules defaults = {
      .hysteresis = rules->hysteresis,
      .min_on = rules->min_on_time,
      .min_off = rules->min_off_time,
  };

  scorer->mode =
      altclip_prompts_get_score_mode (labels->prompts, rules->score_mode);
  defaults.threshold = gst_altclip_rules_get_threshold (rules, scorer->mode);
  altclip_prompts_get_rules (labels->prompts, &defaults, labels->rules);
}

static void
score_picture (const Scorer *scorer, const float *embedding)
{
  GstAltclipLabels *labels = scorer->labels;

  altclip_prompts_score (labels->prompts, scorer->mode, embedding,
      labels->scores, labels->cosines);
}

/* Moves the states by the scores. */
static void
move_states (const Scorer *scorer, AltclipTracker *tracker,
    const GstAltclipObject *object)
{
  GstAltclipLabels *labels = scorer->labels;
  guint n_labels = altclip_prompts_get_n_labels (labels->prompts);
  g_autoptr (GArray) transitions =
      g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
  guint i;

  altclip_tracker_update (tracker, advance_clock (labels, scorer->timing),
      labels->rules, labels->scores, labels->cosines, transitions);
  put_transitions (
      labels, scorer->rules, transitions, "score", scorer->timing, object);
  for (i = 0; i < n_labels; i++)
    labels->active[i] = altclip_tracker_is_active (tracker, i);
}

/* Without a past, there is the threshold alone to go by. */
static void
set_active_by_threshold (const Scorer *scorer)
{
  GstAltclipLabels *labels = scorer->labels;
  guint n_labels = altclip_prompts_get_n_labels (labels->prompts);
  guint i;

  for (i = 0; i < n_labels; i++)
    labels->active[i] = labels->scores[i] >= labels->rules[i].threshold;
}

static void
set_finding (const Scorer *scorer, GstAltclipResult *result, guint index,
    const float *embedding)
{
  GstAltclipLabels *labels = scorer->labels;

  gst_altclip_result_set_labels (result, index, labels->prompts, labels->scores,
      labels->cosines, labels->active, scorer->rules->top_k);
  if (scorer->rules->attach_embedding)
    gst_altclip_result_set_embedding (result, index, embedding, scorer->dim);
}

/* The object that the region shows; %NULL when it has no id, or another region
 * of the frame has the same. */
static GstAltclipObject *
see_object (const Scorer *scorer, const GArray *regions, guint index)
{
  GstAltclipLabels *labels = scorer->labels;
  guint n_labels = altclip_prompts_get_n_labels (labels->prompts);
  const GstAltclipRegion *region =
      &g_array_index (regions, GstAltclipRegion, index);
  GstAltclipObject *object;

  if (!region->has_id || gst_altclip_regions_is_repeated (regions, index))
    return NULL;
  object = gst_altclip_objects_find (&labels->objects, region);
  if (object == NULL) {
    if (gst_altclip_objects_is_full (&labels->objects, n_labels))
      end_oldest_object (labels, scorer->rules, "expired", scorer->timing);
    object = gst_altclip_objects_add (&labels->objects, region, n_labels);
  }
  gst_altclip_objects_see (&labels->objects, object, region, scorer->timing);
  return object;
}

static void
score_regions (
    const Scorer *scorer, GstAltclipResult *result, const float *embeddings)
{
  const GArray *regions = result->view.regions;
  guint i;

  for (i = 0; i < regions->len; i++) {
    const float *embedding = embeddings + (gsize) i * scorer->dim;
    GstAltclipObject *object = see_object (scorer, regions, i);

    score_picture (scorer, embedding);
    if (object != NULL)
      move_states (scorer, object->tracker, object);
    else
      set_active_by_threshold (scorer);
    set_finding (scorer, result, i, embedding);
  }
}

static void
score_frame (
    const Scorer *scorer, GstAltclipResult *result, const float *embedding)
{
  GstAltclipLabels *labels = scorer->labels;

  labels->has_region = result->view.has_region;
  labels->region = result->view.region;
  score_picture (scorer, embedding);
  move_states (scorer, labels->tracker, NULL);
  set_finding (scorer, result, 0, embedding);
}

/* What was looked at before and is no longer leaves nothing behind. */
static void
end_others (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const GstAltclipTiming *timing, const GstAltclipView *view)
{
  if (view->regions != NULL)
    end_tracker (labels, rules, labels->tracker, "expired", timing, NULL);
  else
    end_objects (labels, rules, "expired", timing);
}

static GstAltclipResult *
score_pictures (
    const Scorer *scorer, const GstAltclipView *view, const float *embeddings)
{
  GstAltclipResult *result =
      gst_altclip_result_new (scorer->timing, scorer->labels->revision, view);

  if (view->regions != NULL)
    score_regions (scorer, result, embeddings);
  else
    score_frame (scorer, result, embeddings);
  return result;
}

GstAltclipResult *
gst_altclip_labels_score (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const GstAltclipTiming *timing,
    const GstAltclipView *view, const float *embeddings, guint dim)
{
  Scorer scorer = {
      .labels = labels, .rules = rules, .timing = timing, .dim = dim};
  GstAltclipResult *result = NULL;

  if (labels->prompts == NULL)
    return NULL;
  end_others (labels, rules, timing, view);
  scorer_init (&scorer);
  if (gst_altclip_view_get_n_pictures (view) > 0)
    result = score_pictures (&scorer, view, embeddings);
  /* Not before, so that whoever is there again goes on. */
  gst_altclip_labels_expire_objects (labels, rules, timing);
  if (result == NULL)
    return NULL;
  if (rules->post_messages == GST_ALTCLIP_POST_MESSAGES_ALL)
    gst_altclip_outbox_put (labels->outbox,
        gst_altclip_message_new_result (labels->source, result));
  gst_altclip_timing_clear (&labels->last);
  gst_altclip_timing_copy (&labels->last, timing);
  return result;
}
