/* altclip: the prompts in force and the state of their labels
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliplabels.h"

#include "altcliparray.h"
#include "altclipmessage.h"

#include <math.h>

void
gst_altclip_labels_init (GstAltclipLabels *labels, GstObject *source,
    GstAltclipOutbox *outbox, GstAltclipEvents *events)
{
  *labels = (GstAltclipLabels){.source = source,
      .outbox = outbox,
      .events = events,
      .last = GST_ALTCLIP_TIMING_INIT,
      .clock = GST_CLOCK_TIME_NONE,
      .known = GST_CLOCK_TIME_NONE,
      .settled = TRUE};
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
  labels->tracker = altclip_tracker_new (prompts);
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
  labels->clock = GST_CLOCK_TIME_NONE;
  labels->known = GST_CLOCK_TIME_NONE;
  g_atomic_int_set (&labels->settled, TRUE);
  g_atomic_int_set (&labels->averaged, FALSE);
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

/* What a tracker has to tell of: of the frame, or of one of its objects. */
typedef struct
{
  GstAltclipLabels *labels;
  const GstAltclipRules *rules;
  const GstAltclipTiming *timing;
  const GstAltclipObject *object;
  const gchar *reason;
  GArray *transitions;
  GArray *changes;
} News;

static void
news_init (News *news)
{
  news->transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
  news->changes = g_array_new (FALSE, FALSE, sizeof (AltclipGroupChange));
}

static void
news_clear (News *news)
{
  g_array_unref (news->transitions);
  g_array_unref (news->changes);
}

static AltclipTracker *
get_tracker (const News *news)
{
  return news->object != NULL ? news->object->tracker : news->labels->tracker;
}

/* Where @label is looked for. */
static void
set_place (const News *news, GstMessage *message, guint label)
{
  GstAltclipLabels *labels = news->labels;
  guint number = altclip_prompts_get_label_region (labels->prompts, label);
  GstAltclipBox region = labels->region;

  if (news->object != NULL) {
    gst_altclip_message_set_object (message, &news->object->region);
    return;
  }
  if (number > 0)
    altclip_prompts_get_region (labels->prompts, number, &region);
  if (number > 0 || labels->has_region)
    gst_altclip_message_set_region (message, &region);
}

/* Takes @message. Downstream is told whatever is posted. */
static void
tell (const News *news, GstMessage *message)
{
  GstAltclipLabels *labels = news->labels;

  gst_altclip_events_put (labels->events, labels->source,
      gst_message_get_structure (message), news->timing->number,
      news->rules->send_tags);
  if (news->rules->post_messages == GST_ALTCLIP_POST_MESSAGES_NONE)
    gst_message_unref (message);
  else
    gst_altclip_outbox_put (labels->outbox, message);
}

static void
put_transition (const News *news, const AltclipTransition *transition)
{
  GstAltclipLabels *labels = news->labels;
  GstMessage *message = gst_altclip_message_new_transition (labels->source,
      altclip_prompts_get_label (labels->prompts, transition->index),
      transition, labels->revision, labels->mode, news->timing, news->reason);

  set_place (news, message, transition->index);
  tell (news, message);
}

/* Any label of the group, since those of one region know the place of all. */
static guint
get_member (AltclipPrompts *prompts, guint group)
{
  guint i = 0;

  while (altclip_prompts_get_label_group (prompts, i) != group)
    i++;
  return i;
}

static void
put_change (const News *news, const AltclipGroupChange *change)
{
  GstAltclipLabels *labels = news->labels;
  gboolean known = change->label >= 0;
  AltclipLabelState state;
  GstMessage *message;

  if (known)
    altclip_tracker_get_label (
        get_tracker (news), (guint) change->label, &state);
  message = gst_altclip_message_new_change (labels->source, labels->prompts,
      change, known ? &state : NULL, labels->revision, labels->mode,
      news->timing, news->reason);
  set_place (news, message,
      known ? (guint) change->label
            : get_member (labels->prompts, change->group));
  tell (news, message);
}

static void
put_news (const News *news)
{
  guint i;

  for (i = 0; i < news->transitions->len; i++)
    put_transition (
        news, &g_array_index (news->transitions, AltclipTransition, i));
  for (i = 0; i < news->changes->len; i++)
    put_change (news, &g_array_index (news->changes, AltclipGroupChange, i));
}

/* ---- Ends --------------------------------------------------------------- */

/* Of the frame when @object is %NULL. */
static void
end_tracker (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing,
    const GstAltclipObject *object)
{
  News news = {.labels = labels,
      .rules = rules,
      .timing = timing,
      .object = object,
      .reason = reason};

  news_init (&news);
  altclip_tracker_end (get_tracker (&news), advance_clock (labels, timing),
      news.transitions, news.changes);
  put_news (&news);
  news_clear (&news);
}

static void
end_oldest_object (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing)
{
  g_autoptr (GstAltclipObject) object =
      gst_altclip_objects_steal_oldest (&labels->objects);

  end_tracker (labels, rules, reason, timing, object);
}

static void
end_objects (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing)
{
  while (!gst_altclip_objects_is_empty (&labels->objects))
    end_oldest_object (labels, rules, reason, timing);
}

/* Where what ends at @timing does: a frame of another stream says nothing of
 * this one. */
static const GstAltclipTiming *
get_end (GstAltclipLabels *labels, const GstAltclipTiming *timing)
{
  return timing != NULL
          && gst_altclip_timing_is_same_stream (timing, &labels->last)
      ? timing
      : &labels->last;
}

void
gst_altclip_labels_end (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const gchar *reason, const GstAltclipTiming *timing)
{
  if (labels->tracker == NULL)
    return;
  timing = get_end (labels, timing);
  end_tracker (labels, rules, reason, timing, NULL);
  end_objects (labels, rules, reason, timing);
  g_atomic_int_set (&labels->settled, TRUE);
}

static gboolean
is_expired (const GstAltclipObject *object, const GstAltclipRules *rules,
    const GstAltclipTiming *timing)
{
  GstClockTimeDiff age = gst_altclip_timing_get_age (timing, &object->seen);

  return ABS (age) > (GstClockTimeDiff) rules->max_age
      || !gst_altclip_timing_is_same_stream (timing, &object->seen);
}

void
gst_altclip_labels_expire_objects (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const GstAltclipTiming *timing)
{
  GstAltclipObject *object;

  while ((object = gst_altclip_objects_peek_oldest (&labels->objects)) != NULL
      && is_expired (object, rules, timing))
    end_oldest_object (labels, rules, "expired", get_end (labels, timing));
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
      .smoothing = rules->smoothing,
  };

  labels->mode =
      altclip_prompts_get_score_mode (labels->prompts, rules->score_mode);
  defaults.threshold = gst_altclip_rules_get_threshold (rules, labels->mode);
  altclip_prompts_get_rules (labels->prompts, &defaults, labels->rules);
}

/* Moves the states by the scores, which become what is reported: the averages.
 * A label without a score has none to report. */
static void
move_states (const Scorer *scorer, const GstAltclipObject *object)
{
  GstAltclipLabels *labels = scorer->labels;
  guint n_labels = altclip_prompts_get_n_labels (labels->prompts);
  News news = {.labels = labels,
      .rules = scorer->rules,
      .timing = scorer->timing,
      .object = object,
      .reason = "score"};
  AltclipTracker *tracker = get_tracker (&news);
  AltclipLabelState state;
  guint i;

  news_init (&news);
  altclip_tracker_hold (tracker, scorer->timing->still_from,
      scorer->timing->still_until, labels->rules);
  altclip_tracker_update (tracker, advance_clock (labels, scorer->timing),
      labels->rules, labels->scores, labels->cosines, news.transitions,
      news.changes);
  put_news (&news);
  news_clear (&news);
  for (i = 0; i < n_labels; i++) {
    altclip_tracker_get_label (tracker, i, &state);
    labels->active[i] = state.active;
    if (!isnan (labels->scores[i]))
      labels->scores[i] = state.score;
  }
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

/* @embedding: (nullable) */
static void
set_finding (const Scorer *scorer, GstAltclipResult *result, guint index,
    const float *embedding)
{
  GstAltclipLabels *labels = scorer->labels;

  gst_altclip_result_set_labels (result, index, labels->prompts, labels->scores,
      labels->cosines, labels->active, scorer->rules->top_k);
  if (scorer->rules->attach_embedding && embedding != NULL)
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
    object =
        gst_altclip_objects_add (&labels->objects, region, labels->prompts);
  }
  gst_altclip_objects_see (&labels->objects, object, region, scorer->timing);
  return object;
}

static void
score_regions (
    const Scorer *scorer, GstAltclipResult *result, const float *embeddings)
{
  GstAltclipLabels *labels = scorer->labels;
  const GArray *regions = result->view.regions;
  guint i;

  for (i = 0; i < regions->len; i++) {
    const float *embedding = embeddings + (gsize) i * scorer->dim;
    GstAltclipObject *object = see_object (scorer, regions, i);

    altclip_prompts_score (labels->prompts, labels->mode, embedding,
        labels->scores, labels->cosines);
    if (object != NULL)
      move_states (scorer, object);
    else
      set_active_by_threshold (scorer);
    set_finding (scorer, result, i, embedding);
  }
}

/* Each label on its part of the frame. Prompts that were put in force after the
 * frame had come may have labels whose part was not looked at. */
static void
score_parts (
    const Scorer *scorer, const GstAltclipView *view, const float *embeddings)
{
  GstAltclipLabels *labels = scorer->labels;
  guint n_labels = altclip_prompts_get_n_labels (labels->prompts);
  guint number;
  guint i;

  for (i = 0; i < n_labels; i++)
    labels->scores[i] = labels->cosines[i] = NAN;
  for (i = 0; i < gst_altclip_view_get_n_pictures (view); i++)
    if (gst_altclip_view_find_region (view, i, labels->prompts, &number))
      altclip_prompts_score_region (labels->prompts, labels->mode, number,
          embeddings + (gsize) i * scorer->dim, labels->scores,
          labels->cosines);
}

static void
score_frame (
    const Scorer *scorer, GstAltclipResult *result, const float *embeddings)
{
  GstAltclipLabels *labels = scorer->labels;
  gint whole = gst_altclip_view_find_default (&result->view);

  labels->has_region = result->view.has_region;
  labels->region = result->view.region;
  score_parts (scorer, &result->view, embeddings);
  move_states (scorer, NULL);
  set_finding (scorer, result, 0,
      whole < 0 ? NULL : embeddings + (gsize) whole * scorer->dim);
}

/* Whether nothing was known for so long, though more frames were to be analysed:
 * what could not be is no evidence of anything. Of what stood still it was known
 * what it showed. */
static gboolean
is_after_gap (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const GstAltclipTiming *timing)
{
  GstClockTime known = labels->known;

  if (GST_CLOCK_TIME_IS_VALID (known) && timing->still_from == known)
    known = timing->still_until;
  return gst_altclip_timing_is_gap (known, timing->running_time, rules->max_age,
      MAX (rules->interval, timing->duration));
}

/* What was known before a long gap or of another stream is not known of this
 * frame. */
static void
end_before (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const GstAltclipTiming *timing)
{
  if (!gst_altclip_timing_is_joined (timing, &labels->last)
      || is_after_gap (labels, rules, timing))
    gst_altclip_labels_end (labels, rules, "expired", timing);
}

/* What was looked at before and is no longer leaves nothing behind. */
static void
end_others (GstAltclipLabels *labels, const GstAltclipRules *rules,
    const GstAltclipTiming *timing, const GstAltclipView *view)
{
  if (view->regions != NULL)
    end_tracker (labels, rules, "expired", timing, NULL);
  else
    end_objects (labels, rules, "expired", timing);
}

static GstAltclipResult *
score_pictures (
    const Scorer *scorer, const GstAltclipView *view, const float *embeddings)
{
  GstAltclipResult *result = gst_altclip_result_new (
      scorer->timing, scorer->labels->revision, scorer->labels->mode, view);

  if (view->regions != NULL)
    score_regions (scorer, result, embeddings);
  else
    score_frame (scorer, result, embeddings);
  return result;
}

/* Of the frame, or of those of its regions that have a past: scores of frames
 * change nothing for the others. */
static gboolean
are_settled (GstAltclipLabels *labels, const GstAltclipView *view)
{
  guint i;

  if (view->regions == NULL)
    return altclip_tracker_is_settled (labels->tracker, labels->rules);
  for (i = 0; i < view->regions->len; i++) {
    const GstAltclipRegion *region =
        &g_array_index (view->regions, GstAltclipRegion, i);
    const GstAltclipObject *object = region->has_id
        ? gst_altclip_objects_find (&labels->objects, region)
        : NULL;

    if (object != NULL
        && !altclip_tracker_is_settled (object->tracker, labels->rules))
      return FALSE;
  }
  return TRUE;
}

static gboolean
are_averaged (GstAltclipLabels *labels)
{
  guint n_labels = altclip_prompts_get_n_labels (labels->prompts);
  guint i;

  for (i = 0; i < n_labels; i++)
    if (labels->rules[i].smoothing > 0)
      return TRUE;
  return FALSE;
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
  end_before (labels, rules, timing);
  end_others (labels, rules, timing, view);
  scorer_init (&scorer);
  if (gst_altclip_view_get_n_pictures (view) > 0) {
    result = score_pictures (&scorer, view, embeddings);
    g_atomic_int_set (&labels->settled, are_settled (labels, view));
    g_atomic_int_set (&labels->averaged, are_averaged (labels));
  }
  labels->known = timing->running_time;
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

gboolean
gst_altclip_labels_is_settled (GstAltclipLabels *labels)
{
  return g_atomic_int_get (&labels->settled);
}

gboolean
gst_altclip_labels_is_averaged (GstAltclipLabels *labels)
{
  return g_atomic_int_get (&labels->averaged);
}

/* ---- The last state ----------------------------------------------------- */

static GstStructure *
new_label_state (AltclipPrompts *prompts, AltclipTracker *tracker, guint index)
{
  const gchar *group = altclip_prompts_get_group_name (
      prompts, altclip_prompts_get_label_group (prompts, index));
  GstStructure *structure;
  AltclipLabelState state;

  altclip_tracker_get_label (tracker, index, &state);
  structure = gst_structure_new ("altclip-label-state", "label", G_TYPE_STRING,
      altclip_prompts_get_label (prompts, index), "index", G_TYPE_UINT, index,
      "active", G_TYPE_BOOLEAN, state.active, NULL);
  if (group != NULL)
    gst_structure_set (structure, "group", G_TYPE_STRING, group, NULL);
  if (!isnan (state.score))
    gst_structure_set (structure, "score", G_TYPE_DOUBLE, state.score, "cosine",
        G_TYPE_DOUBLE, state.cosine, "since", G_TYPE_UINT64, state.since, NULL);
  return structure;
}

static void
add_label_states (GstStructure *structure, AltclipPrompts *prompts,
    AltclipTracker *tracker, gboolean active_only)
{
  guint n_labels = altclip_prompts_get_n_labels (prompts);
  GValue states = G_VALUE_INIT;
  guint i;

  gst_altclip_array_init (&states);
  for (i = 0; i < n_labels; i++)
    if (!active_only || altclip_tracker_is_active (tracker, i))
      gst_altclip_array_append_structure (
          &states, new_label_state (prompts, tracker, i));
  gst_structure_take_value (structure, "labels", &states);
}

static GstStructure *
new_group_state (AltclipPrompts *prompts, AltclipTracker *tracker, guint group)
{
  guint64 since;
  gint label = altclip_tracker_get_group (tracker, group, &since);
  GstStructure *structure = gst_structure_new ("altclip-group-state", "group",
      G_TYPE_STRING, altclip_prompts_get_group_name (prompts, group), "label",
      G_TYPE_STRING, gst_altclip_message_name_state (prompts, label), NULL);

  if (label >= 0)
    gst_structure_set (structure, "index", G_TYPE_UINT, (guint) label, NULL);
  if (label != ALTCLIP_LABEL_NONE)
    gst_structure_set (structure, "since", G_TYPE_UINT64, since, NULL);
  return structure;
}

static void
add_group_states (
    GstStructure *structure, AltclipPrompts *prompts, AltclipTracker *tracker)
{
  guint n_groups = altclip_prompts_get_n_groups (prompts);
  GValue states = G_VALUE_INIT;
  guint i;

  gst_altclip_array_init (&states);
  for (i = 1; i < n_groups; i++)
    gst_altclip_array_append_structure (
        &states, new_group_state (prompts, tracker, i));
  gst_structure_take_value (structure, "groups", &states);
}

static GstStructure *
new_object_state (AltclipPrompts *prompts, const GstAltclipObject *object)
{
  const GstAltclipRegion *region = &object->region;
  g_autofree gchar *type = gst_altclip_region_dup_type (region);
  GstStructure *structure = gst_structure_new ("altclip-region-state", "type",
      G_TYPE_STRING, type, "id", G_TYPE_UINT, region->id, "running-time",
      G_TYPE_UINT64, object->seen.running_time, NULL);

  gst_altclip_box_set_field (&region->box, structure, "region");
  add_label_states (structure, prompts, object->tracker, TRUE);
  add_group_states (structure, prompts, object->tracker);
  return structure;
}

static void
add_object_states (GstStructure *structure, GstAltclipLabels *labels)
{
  GValue states = G_VALUE_INIT;
  GList *link;

  gst_altclip_array_init (&states);
  for (link = labels->objects.by_time.head; link != NULL; link = link->next)
    gst_altclip_array_append_structure (
        &states, new_object_state (labels->prompts, link->data));
  gst_structure_take_value (structure, "regions", &states);
}

GstStructure *
gst_altclip_labels_get_state (GstAltclipLabels *labels)
{
  GstStructure *structure = gst_structure_new (
      "altclip-state", "revision", G_TYPE_UINT, labels->revision, NULL);

  if (labels->prompts == NULL)
    return structure;
  if (labels->last.arrival != 0)
    gst_altclip_message_set_timing (structure, &labels->last, labels->mode);
  add_label_states (structure, labels->prompts, labels->tracker, FALSE);
  add_group_states (structure, labels->prompts, labels->tracker);
  if (!gst_altclip_objects_is_empty (&labels->objects))
    add_object_states (structure, labels);
  return structure;
}
