/* altclip: between altclipfilter and the engine
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipfilter.h"
#include "altclipmessage.h"

#include "excerpt.h"
#include "still.h"

#define GST_CAT_DEFAULT altclip_filter_debug

#define BUNDLED_MODEL_SERVES                                               \
  "No model was named: the bundled one serves. It knows picture health "   \
  "(colour bars, static noise, a black screen, …) and coloured shapes, " \
  "in English, Chinese, French, Spanish, German and Japanese."

/* ---- The stream and its users ------------------------------------------- */

static AltclipStream *
acquire_stream (GstAltclipFilter *self)
{
  AltclipStream *stream;

  g_mutex_lock (&self->lock);
  stream = self->analysis.stream;
  if (stream != NULL)
    self->analysis.users++;
  g_mutex_unlock (&self->lock);
  return stream;
}

static void
release_stream (GstAltclipFilter *self)
{
  g_mutex_lock (&self->lock);
  self->analysis.users--;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* ---- Opening ------------------------------------------------------------ */

static void
put_load_error (GstAltclipFilter *self, const GError *error)
{
  g_autoptr (GError) told = NULL;
  GQuark domain = GST_LIBRARY_ERROR;
  gint code = GST_LIBRARY_ERROR_SETTINGS;

  if (g_error_matches (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO)) {
    domain = GST_RESOURCE_ERROR;
    code = GST_RESOURCE_ERROR_NOT_FOUND;
  } else if (g_error_matches (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE)) {
    code = GST_LIBRARY_ERROR_FAILED;
  }
  told = g_error_new_literal (domain, code, error->message);
  GST_ERROR_OBJECT (self, "%s", told->message);
  gst_altclip_outbox_put (&self->outbox,
      gst_message_new_error (GST_OBJECT_CAST (self), told, NULL));
}

static void
put_bundled (GstAltclipFilter *self)
{
  g_autoptr (GError) told = g_error_new_literal (
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, BUNDLED_MODEL_SERVES);

  /* gst-launch shows the second text, other programs the first. */
  gst_altclip_outbox_put (&self->outbox,
      gst_message_new_info (GST_OBJECT_CAST (self), told,
          BUNDLED_MODEL_SERVES
          " Set the property model, or $ALTCLIP_MODEL, for another."));
}

/* With the lock. */
static void
end_progress (GstAltclipFilter *self, GstProgressType type, const gchar *text)
{
  if (!self->analysis.load_shown)
    return;
  self->analysis.load_shown = FALSE;
  gst_altclip_outbox_put (&self->outbox,
      gst_message_new_progress (GST_OBJECT_CAST (self), type, "load", text));
}

static void
warn_of_conversion (GstAltclipFilter *self, AltclipModel *model)
{
  g_autofree gchar *text = NULL;
  AltclipPrecision precision;
  AltclipTrial trial;
  gboolean converts;

  if (!altclip_model_get_precision (model, &precision, &converts, NULL)
      || !converts || altclip_model_get_trial (model, &trial))
    return;
  text = g_strdup_printf ("precision=%s is slow on this CPU.",
      altclip_precision_get_name (precision));
  gst_altclip_outbox_put (&self->outbox,
      gst_altclip_message_new_warning (GST_OBJECT_CAST (self),
          GST_LIBRARY_ERROR_SETTINGS, text,
          "%s computes it; precision=auto takes what is faster",
          altclip_model_get_kernels (model, NULL)));
}

static void
opened (gpointer user_data, AltclipModel *model, const GError *error)
{
  GstAltclipFilter *self = user_data;
  gboolean latency_grew = FALSE;

  GST_INFO_OBJECT (self, "the model is %s", error == NULL ? "open" : "refused");
  /* Before the streaming threads learn of it, which post it first then, and so
   * before upstream's own complaint about the flow. */
  if (error != NULL
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    put_load_error (self, error);
  else if (error == NULL && self->analysis.bundled)
    put_bundled (self);
  if (error == NULL)
    warn_of_conversion (self, model);

  g_mutex_lock (&self->lock);
  if (error == NULL) {
    self->analysis.model = altclip_model_ref (model);
    latency_grew = gst_altclip_output_start_latency (
        self, altclip_model_get_info (model)->picture_time);
    end_progress (self, GST_PROGRESS_TYPE_COMPLETE, "The model is loaded");
  } else {
    self->analysis.load_failed = TRUE;
    end_progress (self, GST_PROGRESS_TYPE_ERROR, "The model cannot be loaded");
  }
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  if (latency_grew)
    gst_altclip_outbox_put (
        &self->outbox, gst_message_new_latency (GST_OBJECT_CAST (self)));
  gst_altclip_outbox_send (&self->outbox, GST_ELEMENT_CAST (self));
}

void
gst_altclip_analysis_show_loading (GstAltclipFilter *self)
{
  if (self->analysis.load_shown || self->analysis.model != NULL
      || self->analysis.load_failed)
    return;
  self->analysis.load_shown = TRUE;
  gst_altclip_outbox_put (&self->outbox,
      gst_message_new_progress (GST_OBJECT_CAST (self), GST_PROGRESS_TYPE_START,
          "load", "Loading the model"));
}

gboolean
gst_altclip_analysis_is_settled (GstAltclipFilter *self)
{
  if (self->analysis.model == NULL)
    return self->analysis.load_failed;
  return self->analysis.n_labels > 0
      || g_queue_is_empty (&self->analysis.asked);
}

/* ---- Prompts ------------------------------------------------------------ */

static void
put_prompts_warning (GstAltclipFilter *self, const GError *error)
{
  gst_altclip_outbox_put (&self->outbox,
      gst_altclip_message_new_warning (GST_OBJECT_CAST (self),
          GST_LIBRARY_ERROR_SETTINGS, error->message,
          "%s. The prompts before these, if any, go on working.",
          error->message));
}

static void
put_unknown (GstAltclipFilter *self, AltclipPrompts *prompts)
{
  guint n;
  const gchar *const *unknown = altclip_prompts_get_unknown (prompts, &n);
  g_autofree gchar *list = NULL;
  g_autofree gchar *text = NULL;

  if (n == 0)
    return;
  list = altclip_excerpt_list (unknown, n);
  text = g_strdup_printf ("The model knows few of the words in %s.", list);
  gst_altclip_outbox_put (&self->outbox,
      gst_altclip_message_new_warning (GST_OBJECT_CAST (self),
          GST_LIBRARY_ERROR_SETTINGS, text,
          "More than half of the tokens of %s are unknown to the model.",
          list));
}

/* What is said of a set of prompts once, be it when the set comes or when the
 * properties do. */
enum
{
  DOUBT_LONE = 1 << 0,
  DOUBT_NEGATIVE_PROMPTS = 1 << 1,
  DOUBT_TEMPLATES = 1 << 2,
  DOUBT_ALL = DOUBT_LONE | DOUBT_NEGATIVE_PROMPTS | DOUBT_TEMPLATES
};

/* Of @doubts, which @prompts give reason for, those that were not told yet,
 * unless other prompts are in force by now. */
static guint
take_untold (GstAltclipFilter *self, AltclipPrompts *prompts, guint doubts)
{
  guint untold = 0;

  g_mutex_lock (&self->lock);
  if (self->analysis.prompts == prompts) {
    untold = doubts & ~self->analysis.told_doubts;
    self->analysis.told_doubts |= doubts;
  }
  g_mutex_unlock (&self->lock);
  return untold;
}

/* The set in force, unless another one was asked for that will be looked at
 * when it comes. */
static AltclipPrompts *
ref_settled_prompts (GstAltclipFilter *self)
{
  AltclipPrompts *prompts = NULL;

  g_mutex_lock (&self->lock);
  if (self->analysis.prompts != NULL
      && g_queue_is_empty (&self->analysis.asked))
    prompts = altclip_prompts_ref (self->analysis.prompts);
  g_mutex_unlock (&self->lock);
  return prompts;
}

static guint
find_doubts (AltclipPrompts *prompts, const GstAltclipSettings *settings)
{
  guint doubts = 0;

  if (altclip_prompts_get_neutral (prompts) != NULL
      && altclip_prompts_get_score_mode (prompts, settings->rules.score_mode)
          == ALTCLIP_SCORE_SOFTMAX)
    doubts |= DOUBT_LONE;
  if (settings->from_file && gst_altclip_settings_has_negatives (settings))
    doubts |= DOUBT_NEGATIVE_PROMPTS;
  if (settings->from_file && gst_altclip_settings_has_templates (settings))
    doubts |= DOUBT_TEMPLATES;
  return doubts;
}

static void
put_lone (GstAltclipFilter *self, const gchar *neutral)
{
  g_autofree gchar *text = g_strdup_printf (
      "There is one phrase only, or one alone in its group: \"%s\" "
      "competes with it.",
      neutral);

  gst_altclip_outbox_put (&self->outbox,
      gst_altclip_message_new_warning (GST_OBJECT_CAST (self),
          GST_LIBRARY_ERROR_SETTINGS, text,
          "A lone phrase would always score 1, so \"%s\" was added to the "
          "negative prompts. Name more prompts or negative prompts.",
          neutral));
}

static void
put_ignored (GstAltclipFilter *self, guint doubts)
{
  gboolean both =
      (doubts & DOUBT_NEGATIVE_PROMPTS) && (doubts & DOUBT_TEMPLATES);
  g_autofree gchar *names = g_strconcat (
      doubts & DOUBT_NEGATIVE_PROMPTS ? "negative-prompts" : "",
      both ? " and " : "", doubts & DOUBT_TEMPLATES ? "templates" : "", NULL);
  g_autofree gchar *text = g_strdup_printf (
      "A file of prompts holds, which has no use for %s.", names);

  gst_altclip_outbox_put (&self->outbox,
      gst_altclip_message_new_warning (GST_OBJECT_CAST (self),
          GST_LIBRARY_ERROR_SETTINGS, text,
          "What %s says counts with prompts alone: prompts-file has fields of "
          "its own for it.",
          names));
}

/* Of @among, what @prompts give reason for. */
static void
put_doubts (GstAltclipFilter *self, AltclipPrompts *prompts, guint among)
{
  g_auto (GstAltclipSettings) settings;
  guint doubts;

  GST_OBJECT_LOCK (self);
  gst_altclip_settings_copy (&settings, &self->settings);
  GST_OBJECT_UNLOCK (self);
  doubts =
      take_untold (self, prompts, find_doubts (prompts, &settings) & among);
  if (doubts & DOUBT_LONE)
    put_lone (self, altclip_prompts_get_neutral (prompts));
  if (doubts & (DOUBT_NEGATIVE_PROMPTS | DOUBT_TEMPLATES))
    put_ignored (self, doubts);
}

void
gst_altclip_analysis_review_prompts (GstAltclipFilter *self)
{
  g_autoptr (AltclipPrompts) prompts = ref_settled_prompts (self);

  if (prompts == NULL)
    return;
  put_doubts (self, prompts, DOUBT_ALL);
  gst_altclip_outbox_post (&self->outbox, GST_ELEMENT_CAST (self));
}

/* With the labels' lock. Puts prompts in force, and takes the results of the
 * old ones out of sight. */
static void
swap_prompts (GstAltclipFilter *self, AltclipPrompts *prompts)
{
  g_autoptr (GstAltclipResult) outdated = NULL;
  GstAltclipRules rules;

  gst_altclip_filter_get_rules (self, &rules);
  gst_altclip_labels_swap (&self->labels, prompts, &rules);
  g_mutex_lock (&self->lock);
  self->analysis.n_labels =
      prompts != NULL ? altclip_prompts_get_n_labels (prompts) : 0;
  self->analysis.n_swaps++;
  self->analysis.told_doubts = 0;
  g_clear_pointer (&self->analysis.prompts, altclip_prompts_unref);
  if (prompts != NULL)
    self->analysis.prompts = altclip_prompts_ref (prompts);
  g_clear_pointer (&self->analysis.newest, gst_altclip_result_unref);
  g_mutex_unlock (&self->lock);
}

static gboolean
is_asked (GstAltclipFilter *self, AltclipPrompts *prompts)
{
  gboolean asked;

  g_mutex_lock (&self->lock);
  asked = g_queue_find (&self->analysis.asked, prompts) != NULL;
  g_mutex_unlock (&self->lock);
  return asked;
}

/* Sets asked for before this one will not be answered for any more. */
static void
strike_asked (GstAltclipFilter *self, AltclipPrompts *prompts)
{
  AltclipPrompts *asked;

  g_mutex_lock (&self->lock);
  do {
    asked = g_queue_pop_head (&self->analysis.asked);
    altclip_prompts_unref (asked);
  } while (asked != NULL && asked != prompts);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* It will not be answered for: another set was asked for meanwhile. */
static void
forget_asked_one (GstAltclipFilter *self, AltclipPrompts *prompts)
{
  g_mutex_lock (&self->lock);
  if (g_queue_remove (&self->analysis.asked, prompts))
    altclip_prompts_unref (prompts);
  g_mutex_unlock (&self->lock);
}

/* They go on, since those asked for cannot be had. As long as those could, no
 * property had them looked at. The file that was refused ignores nothing. */
static void
review_old_prompts (GstAltclipFilter *self)
{
  g_autoptr (AltclipPrompts) prompts = ref_settled_prompts (self);

  if (prompts != NULL)
    put_doubts (self, prompts, DOUBT_LONE);
}

static void
prompts_ready (gpointer user_data, AltclipPrompts *prompts, const GError *error)
{
  GstAltclipFilter *self = user_data;
  gboolean asked;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    forget_asked_one (self, prompts);
    return;
  }

  /* The labels' lock is held all the way, so that the setter's dropping of all
   * prompts comes before this or after it. The set is struck off last: the
   * exact mode's first frame waits for that. */
  g_mutex_lock (&self->labels.lock);
  asked = is_asked (self, prompts);
  if (asked && error == NULL)
    swap_prompts (self, prompts);
  if (asked)
    strike_asked (self, prompts);
  g_mutex_unlock (&self->labels.lock);

  if (asked && error == NULL) {
    put_unknown (self, prompts);
    put_doubts (self, prompts, DOUBT_ALL);
  } else if (asked) {
    put_prompts_warning (self, error);
    review_old_prompts (self);
  }
  gst_altclip_outbox_send (&self->outbox, GST_ELEMENT_CAST (self));
}

static AltclipPrompts *
parse_prompts (const GstAltclipSettings *settings, GError **error)
{
  g_autoptr (AltclipPrompts) prompts = altclip_prompts_parse (settings->prompts,
      settings->negative_prompts, settings->templates, error);

  if (prompts == NULL || altclip_prompts_get_n_labels (prompts) == 0)
    return NULL;
  return g_steal_pointer (&prompts);
}

/* The prompts that hold, NULL without an error when there are none. A file is
 * read by the prompts' worker, so that nobody waits for it here. */
static AltclipPrompts *
get_prompts (GstAltclipFilter *self, GError **error)
{
  g_auto (GstAltclipSettings) settings;

  GST_OBJECT_LOCK (self);
  gst_altclip_settings_copy (&settings, &self->settings);
  GST_OBJECT_UNLOCK (self);

  if (!settings.from_file)
    return parse_prompts (&settings, error);
  return altclip_prompts_new_for_file (settings.prompts_file, still_load);
}

static void
forget_asked (GstAltclipFilter *self)
{
  g_queue_clear_full (
      &self->analysis.asked, (GDestroyNotify) altclip_prompts_unref);
}

/* Nothing to embed: in force at once. */
static void
drop_prompts (GstAltclipFilter *self)
{
  gboolean any;

  g_mutex_lock (&self->labels.lock);
  g_mutex_lock (&self->lock);
  forget_asked (self);
  any = self->analysis.n_labels > 0;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  if (any)
    swap_prompts (self, NULL);
  g_mutex_unlock (&self->labels.lock);
}

static void
ask_for_prompts (
    GstAltclipFilter *self, AltclipStream *stream, AltclipPrompts *prompts)
{
  g_autoptr (AltclipPrompts) replaced = NULL;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->analysis.asked, altclip_prompts_ref (prompts));
  g_mutex_unlock (&self->lock);
  replaced = altclip_stream_set_prompts (stream, prompts);
  if (replaced != NULL)
    forget_asked_one (self, replaced);
}

void
gst_altclip_analysis_apply_prompts (GstAltclipFilter *self)
{
  g_autoptr (AltclipPrompts) prompts = NULL;
  g_autoptr (GError) error = NULL;
  AltclipStream *stream = acquire_stream (self);

  /* Below PAUSED the prompts are looked at when the element starts. */
  if (stream == NULL)
    return;

  g_mutex_lock (&self->prompts_lock);
  prompts = get_prompts (self, &error);
  if (prompts != NULL)
    ask_for_prompts (self, stream, prompts);
  else if (error == NULL)
    drop_prompts (self);
  g_mutex_unlock (&self->prompts_lock);
  release_stream (self);

  if (error != NULL)
    put_prompts_warning (self, error);
  gst_altclip_outbox_post (&self->outbox, GST_ELEMENT_CAST (self));
}

/* ---- Frames ------------------------------------------------------------- */

/* Regions of upstream's may move with each frame, and then nothing comes again:
 * of more than these none is remembered for the next. */
#define MOST_LASTING_REGIONS 64

static guint
count_lasting_parts (const GstAltclipView *view)
{
  guint n = gst_altclip_view_get_n_pictures (view);

  return view->regions != NULL ? MIN (n, MOST_LASTING_REGIONS) : n;
}

static gboolean
prepare_converter (
    GstAltclipFilter *self, GstAltclipFrame *frame, GError **error)
{
  GstAltclipAnalysis *analysis = &self->analysis;

  if (analysis->converter == NULL
      || !gst_altclip_converter_is_for (analysis->converter, frame->format)) {
    g_clear_pointer (&analysis->converter, gst_altclip_converter_free);
    analysis->converter =
        gst_altclip_converter_new (analysis->model, frame->format, error);
  }
  if (analysis->converter == NULL)
    return FALSE;
  gst_altclip_converter_expect (
      analysis->converter, count_lasting_parts (&frame->view));
  return TRUE;
}

static gboolean
preprocess (gpointer user_data, gpointer data, guint index, float *pixel_values,
    GError **error)
{
  GstAltclipFilter *self = user_data;
  GstAltclipFrame *frame = data;
  const AltclipRectangle *part =
      gst_altclip_view_get_part (&frame->view, index);
  gboolean ok = prepare_converter (self, frame, error)
      && gst_altclip_converter_run (
          self->analysis.converter, frame->buffer, part, pixel_values, error);

  /* Not needed any longer: whoever holds it can write again. */
  if (!ok || index + 1 == gst_altclip_view_get_n_pictures (&frame->view))
    gst_clear_buffer (&frame->buffer);
  return ok;
}

/* With the lock. */
static gboolean
is_stale (GstAltclipFilter *self, GstAltclipFrame *frame)
{
  return frame->epoch != self->analysis.epoch;
}

/* With the lock. */
static gboolean
settle_ticket (
    GstAltclipFilter *self, GstAltclipFrame *frame, GstAltclipResult *result)
{
  GstClockTime now = (GstClockTime) g_get_monotonic_time () * GST_USECOND;

  if (frame->ticket == NULL || frame->ticket->known)
    return FALSE;
  frame->ticket->known = TRUE;
  if (result != NULL)
    frame->ticket->result = gst_altclip_result_ref (result);
  g_cond_broadcast (&self->cond);
  return gst_altclip_output_note_wait (self, now - frame->timing.arrival);
}

/* With the lock. The result that this one takes the place of goes to @outdated,
 * to be freed without it: freeing many labels takes its time. */
static gboolean
publish (GstAltclipFilter *self, GstAltclipFrame *frame,
    GstAltclipResult *result, GstAltclipResult **outdated)
{
  if (gst_altclip_view_get_n_pictures (&frame->view) > 0) {
    frame->analysed = TRUE;
    self->counts.analysed++;
    self->analysis.failing = FALSE;
  }
  if (is_stale (self, frame))
    return FALSE;
  if (frame->ticket == NULL) {
    *outdated = g_steal_pointer (&self->analysis.newest);
    if (result != NULL)
      self->analysis.newest = gst_altclip_result_ref (result);
  }
  return settle_ticket (self, frame, result);
}

static void
note_success (
    GstAltclipFilter *self, GstAltclipFrame *frame, const float *embeddings)
{
  g_autoptr (GstAltclipResult) result = NULL;
  g_autoptr (GstAltclipResult) outdated = NULL;
  GstAltclipRules rules;
  gboolean stale;
  gboolean latency_grew;

  gst_altclip_filter_get_rules (self, &rules);

  /* Held all the way, so that neither a flush nor new prompts come between the
   * scores, the states and what the frames get. */
  g_mutex_lock (&self->labels.lock);
  g_mutex_lock (&self->lock);
  stale = is_stale (self, frame);
  g_mutex_unlock (&self->lock);
  if (!stale)
    result = gst_altclip_labels_score (&self->labels, &rules, &frame->timing,
        &frame->view, embeddings,
        altclip_model_get_info (self->analysis.model)->projection_dim);
  g_mutex_lock (&self->lock);
  latency_grew = publish (self, frame, result, &outdated);
  g_mutex_unlock (&self->lock);
  g_mutex_unlock (&self->labels.lock);

  if (latency_grew)
    gst_altclip_outbox_put (
        &self->outbox, gst_message_new_latency (GST_OBJECT_CAST (self)));
}

static void
note_failure (
    GstAltclipFilter *self, GstAltclipFrame *frame, const GError *error)
{
  gboolean first;
  gboolean latency_grew;

  g_mutex_lock (&self->lock);
  frame->analysed = TRUE;
  self->counts.failed++;
  first = !self->analysis.failing && !is_stale (self, frame);
  if (first)
    self->analysis.failing = TRUE;
  latency_grew = settle_ticket (self, frame, NULL);
  g_mutex_unlock (&self->lock);

  if (latency_grew)
    gst_altclip_outbox_put (
        &self->outbox, gst_message_new_latency (GST_OBJECT_CAST (self)));

  GST_DEBUG_OBJECT (self, "a frame failed: %s", error->message);
  if (first)
    gst_altclip_outbox_put (&self->outbox,
        gst_altclip_message_new_warning (GST_OBJECT_CAST (self),
            GST_LIBRARY_ERROR_FAILED, error->message,
            "%s. The video goes on untagged while this lasts.",
            error->message));
}

static void
analysed (gpointer user_data, gpointer data, const float *embeddings,
    const GError *error)
{
  GstAltclipFilter *self = user_data;
  GstAltclipFrame *frame = data;

  if (error != NULL)
    note_failure (self, frame, error);
  else
    note_success (self, frame, embeddings);
  gst_altclip_outbox_send (&self->outbox, GST_ELEMENT_CAST (self));
}

static void
frame_free (gpointer user_data, gpointer data)
{
  GstAltclipFilter *self = user_data;
  GstAltclipFrame *frame = data;

  g_mutex_lock (&self->lock);
  self->analysis.in_flight--;
  if (!frame->analysed && gst_altclip_view_get_n_pictures (&frame->view) > 0)
    self->counts.skipped++;
  /* Whatever became of it, nothing may wait for it for ever. */
  if (frame->ticket != NULL)
    frame->ticket->known = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_altclip_frame_free (frame);
}

void
gst_altclip_analysis_submit (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, const GstAltclipView *view,
    GstAltclipTicket *ticket, guint epoch)
{
  AltclipStream *stream = acquire_stream (self);
  guint n_pictures = gst_altclip_view_get_n_pictures (view);
  GstAltclipFrame *frame;

  if (stream == NULL) {
    gst_buffer_unref (buffer);
    return;
  }
  frame = gst_altclip_frame_new (
      buffer, self->input.format, timing, view, ticket, epoch);

  g_mutex_lock (&self->lock);
  self->analysis.in_flight++;
  g_mutex_unlock (&self->lock);

  if (ticket != NULL)
    altclip_stream_submit (stream, frame, n_pictures);
  else
    altclip_stream_submit_latest (stream, frame, n_pictures);
  release_stream (self);
}

void
gst_altclip_analysis_flush (GstAltclipFilter *self)
{
  AltclipStream *stream = acquire_stream (self);

  g_mutex_lock (&self->lock);
  self->analysis.epoch++;
  g_clear_pointer (&self->analysis.newest, gst_altclip_result_unref);
  g_mutex_unlock (&self->lock);

  if (stream == NULL)
    return;
  altclip_stream_flush (stream);
  release_stream (self);
  gst_altclip_analysis_end_labels (self, "flush", NULL);
}

/* ---- Labels ------------------------------------------------------------- */

void
gst_altclip_analysis_end_labels (
    GstAltclipFilter *self, const gchar *reason, const GstAltclipTiming *timing)
{
  GstAltclipRules rules;

  gst_altclip_filter_get_rules (self, &rules);
  g_mutex_lock (&self->labels.lock);
  gst_altclip_labels_end (&self->labels, &rules, reason, timing);
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->analysis.newest, gst_altclip_result_unref);
  g_mutex_unlock (&self->lock);
  g_mutex_unlock (&self->labels.lock);
  gst_altclip_outbox_post (&self->outbox, GST_ELEMENT_CAST (self));
}

/* Whether the worker has come with another result since the old one went. */
static gboolean
has_newest (GstAltclipFilter *self)
{
  gboolean has;

  g_mutex_lock (&self->lock);
  has = self->analysis.newest != NULL;
  g_mutex_unlock (&self->lock);
  return has;
}

gboolean
gst_altclip_analysis_expire_labels (
    GstAltclipFilter *self, const GstAltclipTiming *timing)
{
  GstAltclipRules rules;

  /* Held by the worker, or by whoever reads the states. */
  if (!g_mutex_trylock (&self->labels.lock))
    return FALSE;
  gst_altclip_filter_get_rules (self, &rules);
  if (!has_newest (self))
    gst_altclip_labels_end (&self->labels, &rules, "expired", timing);
  g_mutex_unlock (&self->labels.lock);
  gst_altclip_outbox_post (&self->outbox, GST_ELEMENT_CAST (self));
  return TRUE;
}

void
gst_altclip_analysis_expire_objects (
    GstAltclipFilter *self, const GstAltclipTiming *timing)
{
  GstAltclipRules rules;

  /* Held by the worker: then the next frame does it. */
  if (gst_altclip_objects_is_empty (&self->labels.objects)
      || !g_mutex_trylock (&self->labels.lock))
    return;
  gst_altclip_filter_get_rules (self, &rules);
  gst_altclip_labels_expire_objects (&self->labels, &rules, timing);
  g_mutex_unlock (&self->labels.lock);
  gst_altclip_outbox_post (&self->outbox, GST_ELEMENT_CAST (self));
}

GstStructure *
gst_altclip_analysis_get_last_state (GstAltclipFilter *self)
{
  GstStructure *state;

  g_mutex_lock (&self->labels.lock);
  state = gst_altclip_labels_get_state (&self->labels);
  g_mutex_unlock (&self->labels.lock);
  return state;
}

/* ---- Starting and stopping ---------------------------------------------- */

gboolean
gst_altclip_analysis_is_started (GstAltclipFilter *self)
{
  gboolean started;

  g_mutex_lock (&self->lock);
  started = self->analysis.stream != NULL;
  g_mutex_unlock (&self->lock);
  return started;
}

/* As UTF-8, which a folder's name need not be. */
static gchar *
name_model (const gchar *directory)
{
  g_autofree gchar *path = g_canonicalize_filename (directory, NULL);

  return g_filename_display_basename (path);
}

void
gst_altclip_analysis_start (GstAltclipFilter *self)
{
  static const AltclipStreamCallbacks callbacks = {
      opened, prompts_ready, preprocess, analysed, frame_free};
  g_auto (GstAltclipSettings) settings;
  g_autofree gchar *directory = NULL;
  AltclipStream *stream;

  GST_OBJECT_LOCK (self);
  gst_altclip_settings_copy (&settings, &self->settings);
  GST_OBJECT_UNLOCK (self);

  g_mutex_lock (&self->lock);
  self->counts = (GstAltclipCounts){0};
  g_mutex_unlock (&self->lock);
  directory =
      gst_altclip_settings_find_model (&settings, &self->analysis.bundled);
  GST_INFO_OBJECT (self, "model %s", directory);
  self->analysis.model_name = name_model (directory);
  stream = altclip_stream_new (
      directory, settings.precision, settings.threads, &callbacks, self);

  g_mutex_lock (&self->lock);
  self->analysis.stream = stream;
  g_mutex_unlock (&self->lock);
  gst_altclip_analysis_apply_prompts (self);
}

static AltclipStream *
steal_stream (GstAltclipFilter *self)
{
  AltclipStream *stream;

  g_mutex_lock (&self->lock);
  stream = g_steal_pointer (&self->analysis.stream);
  while (self->analysis.users > 0)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
  return stream;
}

static void
forget_model (GstAltclipFilter *self)
{
  GstAltclipAnalysis *analysis = &self->analysis;

  g_clear_pointer (&analysis->converter, gst_altclip_converter_free);
  g_clear_pointer (&analysis->model_name, g_free);
  g_mutex_lock (&self->lock);
  end_progress (self, GST_PROGRESS_TYPE_CANCELED, "Loading was cancelled");
  forget_asked (self);
  g_clear_pointer (&analysis->model, altclip_model_unref);
  g_clear_pointer (&analysis->newest, gst_altclip_result_unref);
  analysis->load_failed = FALSE;
  analysis->failing = FALSE;
  analysis->n_labels = 0;
  g_clear_pointer (&analysis->prompts, altclip_prompts_unref);
  g_mutex_unlock (&self->lock);
}

void
gst_altclip_analysis_stop (GstAltclipFilter *self)
{
  AltclipStream *stream = steal_stream (self);

  g_clear_pointer (&stream, altclip_stream_free);
  gst_altclip_analysis_end_labels (self, "stopped", NULL);
  forget_model (self);
  g_mutex_lock (&self->labels.lock);
  gst_altclip_labels_reset (&self->labels);
  g_mutex_unlock (&self->labels.lock);
  gst_altclip_outbox_finish (&self->outbox, GST_ELEMENT_CAST (self));
}

/* ---- Statistics --------------------------------------------------------- */

/* The engine's; nothing below PAUSED. */
static void
get_engine_stats (GstAltclipFilter *self, AltclipStreamStats *stats,
    AltclipWorkerStats *worker)
{
  AltclipStream *stream = acquire_stream (self);

  *stats = (AltclipStreamStats){0};
  *worker = (AltclipWorkerStats){0};
  if (stream == NULL)
    return;
  altclip_stream_get_stats (stream, stats);
  altclip_stream_get_worker_stats (stream, worker);
  release_stream (self);
}

static void
add_worker_stats (GstStructure *structure, const AltclipWorkerStats *worker)
{
  gdouble mean = 0.0;

  if (worker->batches > 0)
    mean = (gdouble) worker->pictures / (gdouble) worker->batches;
  gst_structure_set (structure, "streams", G_TYPE_UINT, worker->streams,
      "total-analysed", G_TYPE_UINT64, worker->analysed, "total-failed",
      G_TYPE_UINT64, worker->failed, "batches", G_TYPE_UINT64, worker->batches,
      "batch-mean", G_TYPE_DOUBLE, mean, "idle", G_TYPE_UINT64, worker->idle,
      "idle-with-frames", G_TYPE_UINT64, worker->idle_with_frames, NULL);
}

/* With the lock. */
static void
add_model_stats (GstStructure *structure, AltclipModel *model)
{
  guint64 memory = model != NULL ? altclip_model_get_memory (model) : 0;
  guint64 picture_time =
      model != NULL ? altclip_model_get_info (model)->picture_time : 0;
  const gchar *kernels =
      model != NULL ? altclip_model_get_kernels (model, NULL) : NULL;
  AltclipPrecision precision = ALTCLIP_PRECISION_AUTO;
  AltclipTrial trial = {0};
  guint finer_layers = 0;

  if (model != NULL) {
    finer_layers = altclip_model_get_finer_layers (model);
    altclip_model_get_precision (model, &precision, NULL, NULL);
    altclip_model_get_trial (model, &trial);
  }
  gst_structure_set (structure, "model-memory", G_TYPE_UINT64, memory,
      "picture-time", G_TYPE_UINT64, picture_time, "kernels", G_TYPE_STRING,
      kernels, "precision", G_TYPE_STRING,
      altclip_precision_get_name (precision), "f32-time", G_TYPE_UINT64,
      trial.f32_time, "bf16-time", G_TYPE_UINT64, trial.bf16_time,
      "finer-layers", G_TYPE_UINT, finer_layers, NULL);
}

GstStructure *
gst_altclip_analysis_get_stats (GstAltclipFilter *self)
{
  GstStructure *structure;
  AltclipStreamStats stats;
  AltclipWorkerStats worker;
  GstAltclipCounts counts;

  get_engine_stats (self, &stats, &worker);
  g_mutex_lock (&self->lock);
  counts = self->counts;
  structure = gst_structure_new ("altclip-stats", "frames-in", G_TYPE_UINT64,
      counts.frames_in, "analysed", G_TYPE_UINT64, counts.analysed, "skipped",
      G_TYPE_UINT64, counts.skipped, "reused", G_TYPE_UINT64, counts.reused,
      "failed", G_TYPE_UINT64, counts.failed, "waits", G_TYPE_UINT64,
      counts.waits, "latency-p50", G_TYPE_UINT64, stats.latency_p50,
      "latency-p95", G_TYPE_UINT64, stats.latency_p95, "queue-age",
      G_TYPE_UINT64, stats.queue_age, NULL);
  add_model_stats (structure, self->analysis.model);
  g_mutex_unlock (&self->lock);

  add_worker_stats (structure, &worker);
  return structure;
}
