/* altclip: the sink pad of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipfilter.h"

#define GST_CAT_DEFAULT altclip_filter_debug

/* At EOS a live stream waits this long for the frame in work, no longer: a
 * worker that hangs must not hang the pipeline. */
#define EOS_WAIT (10 * G_TIME_SPAN_SECOND)

/* Live mode: one frame that waits and one that is being read. */
#define LIVE_HELD 2

/* ---- Mode --------------------------------------------------------------- */

/* Upstream that does not answer counts as live. */
static gboolean
is_upstream_live (GstAltclipFilter *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = TRUE;

  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

static gboolean
wants_exact (const GstAltclipRules *rules, gboolean upstream_live)
{
  if (rules->mode == GST_ALTCLIP_MODE_AUTO)
    return !upstream_live;
  return rules->mode == GST_ALTCLIP_MODE_EXACT;
}

/* The model was opened before the source's first frame came: what exact mode
 * adds is news to a pipeline that has asked before. */
static void
tell_latency (GstAltclipFilter *self)
{
  gboolean added;

  g_mutex_lock (&self->lock);
  added = self->output.queued && self->output.upstream_live
      && self->output.latency > 0;
  g_mutex_unlock (&self->lock);
  if (!added)
    return;
  gst_altclip_outbox_put (
      &self->outbox, gst_message_new_latency (GST_OBJECT_CAST (self)));
  gst_altclip_outbox_post (&self->outbox, GST_ELEMENT_CAST (self));
}

static GstFlowReturn
decide_mode (GstAltclipFilter *self, const GstAltclipRules *rules)
{
  gboolean live = is_upstream_live (self);
  gboolean exact = wants_exact (rules, live);
  GstFlowReturn ret;

  GST_DEBUG_OBJECT (self, "upstream %s live: %s mode", live ? "is" : "is not",
      exact ? "exact" : "live");
  g_mutex_lock (&self->lock);
  self->output.upstream_live = live;
  g_mutex_unlock (&self->lock);
  ret = gst_altclip_output_set_queued (self, exact);
  /* A flush came in between: decided by the first frame after it. */
  self->input.mode_pending = ret != GST_FLOW_OK;
  if (ret == GST_FLOW_OK)
    tell_latency (self);
  return ret;
}

/* ---- Which frames are analysed ------------------------------------------ */

static GstClockTime
get_duration (GstAltclipFilter *self, GstBuffer *buffer)
{
  GstClockTime duration = self->input.format->frame_duration;

  if (!GST_CLOCK_TIME_IS_VALID (duration))
    duration = GST_BUFFER_DURATION (buffer);
  return GST_CLOCK_TIME_IS_VALID (duration) ? duration : 0;
}

static gboolean
is_interval_over (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, GstClockTime interval)
{
  GstAltclipInput *input = &self->input;
  GstClockTime now = timing->running_time;
  GstClockTime half_frame = timing->duration / 2;

  if (interval == 0 || !GST_CLOCK_TIME_IS_VALID (now)
      || !GST_CLOCK_TIME_IS_VALID (input->last_due)
      || GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT))
    return TRUE;
  if (now < input->last_due
      || (GST_CLOCK_TIME_IS_VALID (input->previous) && now < input->previous))
    return TRUE;

  return interval <= half_frame
      || now - input->last_due >= interval - half_frame;
}

/* Whether results grow too old: in live mode those of frames, and in both those
 * of regions, since of one that has gone nothing tells but that it is not there
 * when the others are looked at, and averages, which go on. */
static gboolean
is_ageing (GstAltclipFilter *self, const GstAltclipView *view)
{
  return !self->output.queued || view->regions != NULL
      || gst_altclip_labels_is_averaged (&self->labels);
}

/* Whether the last analysed frame can stand for a still picture: nothing came
 * between, and where results grow too old, only half of that time is over, so
 * that another is there in time. */
static gboolean
is_recent (GstAltclipFilter *self, const GstAltclipTiming *timing,
    const GstAltclipView *view, GstClockTime max_age)
{
  GstClockTime now = timing->running_time;
  GstClockTime last = self->input.last_due;

  if (timing->section != self->input.due_section)
    return FALSE;

  if (!GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (last)) {
    now = timing->arrival;
    last = self->input.last_arrival;
  }
  return GST_CLOCK_TIME_IS_VALID (last) && now >= last
      && (!is_ageing (self, view) || now - last < max_age / 2);
}

/* Whether the last analysed frame had all the regions: one that upstream found
 * later, in a picture that is still, has no result yet. */
static gboolean
has_due_regions (GstAltclipFilter *self, const GstAltclipView *view)
{
  gint matches[GST_ALTCLIP_MAX_REGIONS];

  if (view->regions == NULL || self->input.due_regions == NULL)
    return view->regions == NULL;
  return gst_altclip_regions_match (
             view->regions, self->input.due_regions, matches)
      == view->regions->len;
}

/* Whether it is left out for showing what the last analysed frame did, and not
 * since its turn has not come: of such a frame nothing is known.
 *
 * Not with the lock, since it reads the picture. */
static gboolean
is_still (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, const GstAltclipView *view,
    const GstAltclipRules *rules)
{
  GstAltclipInput *input = &self->input;

  if (rules->motion_threshold <= 0.0)
    return FALSE;
  /* Looked at in any case: it may be the one to compare later ones with. */
  return gst_altclip_motion_is_still (&input->motion, input->format, buffer,
             view, rules->motion_threshold)
      && is_interval_over (self, buffer, timing, rules->interval)
      && input->due_rules == rules->n_rules
      && is_recent (self, timing, view, rules->max_age)
      && has_due_regions (self, view);
}

/* Whether a frame is to be analysed although nothing moves: what is about to
 * begin or end does so with a score. One without a running time brings nothing
 * nearer. */
static gboolean
is_awaited (GstAltclipFilter *self, const GstAltclipTiming *timing)
{
  return GST_CLOCK_TIME_IS_VALID (timing->running_time)
      && !gst_altclip_labels_is_settled (&self->labels);
}

/* With the lock. New prompts and another region make the next frame due, besides
 * the contract of the interval: what they find should not have to wait for it. */
static gboolean
is_due (GstAltclipFilter *self, GstBuffer *buffer, gboolean still,
    const GstAltclipTiming *timing, const GstAltclipRules *rules)
{
  if (self->input.due_swaps != self->analysis.n_swaps
      || self->input.due_views != rules->n_views)
    return TRUE;
  return (!still || is_awaited (self, timing))
      && is_interval_over (self, buffer, timing, rules->interval);
}

/* With the lock. */
static void
note_due (GstAltclipFilter *self, GstAltclipTiming *timing,
    const GstAltclipView *view, const GstAltclipRules *rules)
{
  GstAltclipInput *input = &self->input;

  /* The next frames have them too, in case that of this one nothing comes. */
  timing->still_from = input->still_from;
  timing->still_until = input->still_until;
  input->last_due = timing->running_time;
  input->last_arrival = timing->arrival;
  input->due_swaps = view->n_swaps;
  input->due_section = timing->section;
  input->due_views = rules->n_views;
  input->due_rules = rules->n_rules;
  g_clear_pointer (&input->due_regions, g_array_unref);
  if (view->regions != NULL)
    input->due_regions = g_array_ref (view->regions);
  gst_altclip_motion_keep (&input->motion);
}

/* With the lock. */
static void
note_skipped (
    GstAltclipFilter *self, const GstAltclipTiming *timing, gboolean still)
{
  GstAltclipInput *input = &self->input;

  self->counts.skipped++;
  if (!still)
    return;
  input->still_from = input->last_due;
  input->still_until = timing->running_time;
}

/* ---- Frames that are held ----------------------------------------------- */

/* A pool with a limit that does not allow for our frames would run dry, and
 * upstream with it. */
static gboolean
is_ample (GstBufferPool *pool, guint held)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  guint min = 0;
  guint max = 0;

  gst_buffer_pool_config_get_params (config, NULL, NULL, &min, &max);
  gst_structure_free (config);
  return max == 0 || min >= held;
}

static GstBuffer *
make_holdable (GstBuffer *buffer, guint held)
{
  GstBuffer *copy;

  if (buffer->pool == NULL || is_ample (buffer->pool, held))
    return buffer;
  copy = gst_buffer_copy_deep (buffer);
  if (copy == NULL)
    return buffer;
  gst_buffer_unref (buffer);
  return copy;
}

/* ---- Live --------------------------------------------------------------- */

/* Whether the result is too old for this frame, or of before a gap or another
 * stream. */
static gboolean
is_too_old (GstAltclipResult *result, const GstAltclipTiming *timing,
    GstClockTime max_age)
{
  GstClockTimeDiff age = gst_altclip_timing_get_age (timing, &result->timing);

  return ABS (age) > (GstClockTimeDiff) max_age
      || !gst_altclip_timing_is_joined (timing, &result->timing);
}

/* With the lock. The newest result, unless it is too old for this frame; then
 * it is dropped, and @expired has it: freeing many labels takes its time. */
static GstAltclipResult *
get_newest (GstAltclipFilter *self, const GstAltclipTiming *timing,
    GstClockTime max_age, GstAltclipResult **expired)
{
  GstAltclipResult **newest = &self->analysis.newest;

  *expired = NULL;
  if (*newest == NULL)
    return NULL;
  if (!is_too_old (*newest, timing, max_age))
    return gst_altclip_result_ref (*newest);
  *expired = g_steal_pointer (newest);
  return NULL;
}

/* With the lock. */
static gboolean
take_turn (GstAltclipFilter *self, GstBuffer *buffer, gboolean still,
    GstAltclipTiming *timing, const GstAltclipView *view,
    const GstAltclipRules *rules)
{
  if (self->analysis.model == NULL || self->analysis.n_labels == 0
      || gst_altclip_view_get_n_pictures (view) == 0
      || !is_due (self, buffer, still, timing, rules)) {
    note_skipped (self, timing, still);
    return FALSE;
  }
  note_due (self, timing, view, rules);
  return TRUE;
}

/* With the lock. */
static GstFlowReturn
get_flow (GstAltclipFilter *self)
{
  if (self->output.result != GST_FLOW_OK)
    return self->output.result;
  return self->analysis.load_failed ? GST_FLOW_ERROR : GST_FLOW_OK;
}

/* What could not be ended at this frame is at the next. */
static void
expire (GstAltclipFilter *self, const GstAltclipTiming *timing, gboolean labels)
{
  GstAltclipInput *input = &self->input;

  if (labels || input->expiring)
    input->expiring = !gst_altclip_analysis_expire_labels (self, timing);
  gst_altclip_analysis_expire_objects (self, timing);
}

static GstFlowReturn
chain_live (GstAltclipFilter *self, GstBuffer *buffer, GstAltclipTiming *timing,
    const GstAltclipView *view, const GstAltclipRules *rules)
{
  g_autoptr (GstAltclipResult) result = NULL;
  g_autoptr (GstAltclipResult) expired = NULL;
  gboolean still = is_still (self, buffer, timing, view, rules);
  gboolean submit = FALSE;
  GstFlowReturn ret;
  guint epoch;

  g_mutex_lock (&self->lock);
  ret = get_flow (self);
  if (ret == GST_FLOW_OK) {
    submit = take_turn (self, buffer, still, timing, view, rules);
    result = get_newest (self, timing, rules->max_age, &expired);
  }
  epoch = self->analysis.epoch;
  g_mutex_unlock (&self->lock);

  if (ret != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return ret;
  }
  expire (self, timing, expired != NULL);
  if (result != NULL)
    buffer = gst_altclip_output_attach (
        self, buffer, timing, view->regions, result, FALSE);
  /* Last, since what the worker holds cannot be written to. */
  if (submit)
    gst_altclip_analysis_submit (self,
        make_holdable (gst_buffer_ref (buffer), LIVE_HELD), timing, view, NULL,
        epoch);
  gst_altclip_events_push (&self->events, self->srcpad, timing->number);
  return gst_pad_push (self->srcpad, buffer);
}

/* So that the last frames still count. What comes after the deadline comes to
 * nothing. */
static void
wait_for_worker (GstAltclipFilter *self)
{
  gint64 deadline = g_get_monotonic_time () + EOS_WAIT;

  g_mutex_lock (&self->lock);
  while (self->analysis.in_flight > 0 && self->output.result == GST_FLOW_OK
      && gst_altclip_filter_wait (self, deadline))
    ;
  if (self->analysis.in_flight > 0)
    self->analysis.epoch++;
  g_mutex_unlock (&self->lock);
}

/* ---- Exact -------------------------------------------------------------- */

/* With the lock, which is let go for posting. */
static void
post_with_lock (GstAltclipFilter *self)
{
  g_mutex_unlock (&self->lock);
  gst_altclip_outbox_post (&self->outbox, GST_ELEMENT_CAST (self));
  g_mutex_lock (&self->lock);
}

/* With the lock. */
static GstFlowReturn
wait_until_settled (GstAltclipFilter *self)
{
  if (!gst_altclip_analysis_is_settled (self)) {
    gst_altclip_analysis_show_loading (self);
    post_with_lock (self);
  }
  while (self->output.result == GST_FLOW_OK
      && !gst_altclip_analysis_is_settled (self))
    gst_altclip_filter_wait (self, -1);
  return get_flow (self);
}

/* With the lock, which is let go for posting. */
static void
warn_of_slowness (GstAltclipFilter *self)
{
  if (!self->output.upstream_live || self->output.slow_warned
      || !gst_altclip_output_waits_for_model (self))
    return;
  self->output.slow_warned = TRUE;
  g_mutex_unlock (&self->lock);
  GST_ELEMENT_WARNING (self, RESOURCE, BUSY,
      ("The model is slower than the live source: set mode=live."),
      ("All of max-buffers frames wait for their results, and the source is "
       "held up. With mode=live it never is."));
  g_mutex_lock (&self->lock);
}

/* With the lock. */
static GstFlowReturn
wait_for_room (GstAltclipFilter *self, guint max_buffers)
{
  if (self->output.n_buffers >= max_buffers)
    warn_of_slowness (self);
  while (self->output.result == GST_FLOW_OK
      && self->output.n_buffers >= max_buffers)
    gst_altclip_filter_wait (self, -1);
  return self->output.result;
}

/* With the lock. Whether results of before no longer fit. */
static gboolean
is_outdated (GstAltclipFilter *self, const GstAltclipRules *rules)
{
  return self->analysis.n_labels == 0
      || self->input.due_swaps != self->analysis.n_swaps
      || self->input.due_views != rules->n_views;
}

/* With the lock. @own: whether the ticket is of the frame itself, which then
 * goes to the worker. One without any region does so for the order: what it
 * finds out is who has gone. The frames after it still have the ticket of the
 * one before it.
 *
 * Returns: (transfer full) (nullable): what the frame waits for */
static GstAltclipTicket *
take_ticket (GstAltclipFilter *self, GstBuffer *buffer, gboolean still,
    GstAltclipTiming *timing, const GstAltclipView *view,
    const GstAltclipRules *rules, gboolean *own)
{
  GstAltclipInput *input = &self->input;

  *own = FALSE;
  if (is_outdated (self, rules))
    g_clear_pointer (&input->ticket, gst_altclip_ticket_unref);
  if (self->analysis.n_labels > 0
      && gst_altclip_view_get_n_pictures (view) == 0) {
    self->counts.skipped++;
    *own = TRUE;
    return gst_altclip_ticket_new ();
  }
  if (self->analysis.n_labels > 0
      && is_due (self, buffer, still, timing, rules)) {
    *own = TRUE;
    g_clear_pointer (&input->ticket, gst_altclip_ticket_unref);
    input->ticket = gst_altclip_ticket_new ();
    note_due (self, timing, view, rules);
  } else {
    note_skipped (self, timing, still);
  }
  return input->ticket != NULL ? gst_altclip_ticket_ref (input->ticket) : NULL;
}

/* With the lock. The queue's reference is the only one but the worker's, so
 * that the frame can be tagged without a copy when it leaves.
 *
 * Returns: (transfer full) (nullable): the frame, when the worker is to have it
 *   for @ticket */
static GstBuffer *
enqueue (GstAltclipFilter *self, GstBuffer *buffer, gboolean still,
    GstAltclipTiming *timing, const GstAltclipView *view,
    const GstAltclipRules *rules, GstAltclipTicket **ticket)
{
  GstBuffer *to_analyse = NULL;
  gboolean own;

  *ticket = take_ticket (self, buffer, still, timing, view, rules, &own);
  if (own)
    to_analyse = gst_buffer_ref (buffer);
  gst_altclip_output_put_buffer (
      self, buffer, timing, view->regions, *ticket, own);
  return to_analyse;
}

/* With the lock. Whether a still frame is analysed depends on what the frames
 * before it come to, and must not on how fast they do. */
static GstFlowReturn
wait_for_last (GstAltclipFilter *self)
{
  GstAltclipTicket *ticket = self->input.ticket;

  while (self->output.result == GST_FLOW_OK && ticket != NULL && !ticket->known)
    gst_altclip_filter_wait (self, -1);
  return self->output.result;
}

/* With the lock, after wait_for_last(). Whether what the last analysed frame
 * came to can stand for a still one: not where that was nothing. */
static gboolean
is_known (GstAltclipFilter *self, const GstAltclipTiming *timing,
    const GstAltclipView *view, const GstAltclipRules *rules)
{
  const GstAltclipTicket *ticket = self->input.ticket;

  return (ticket == NULL || ticket->result != NULL)
      && is_recent (self, timing, view, rules->max_age);
}

static GstFlowReturn
chain_exact (GstAltclipFilter *self, GstBuffer *buffer,
    GstAltclipTiming *timing, const GstAltclipView *view,
    const GstAltclipRules *rules)
{
  g_autoptr (GstAltclipTicket) ticket = NULL;
  gboolean still = is_still (self, buffer, timing, view, rules);
  GstBuffer *to_analyse = NULL;
  GstFlowReturn ret;
  guint epoch;

  buffer = make_holdable (buffer, rules->max_buffers);
  /* How long it waits for its result is counted from here. */
  timing->arrival = (GstClockTime) g_get_monotonic_time () * GST_USECOND;
  g_mutex_lock (&self->lock);
  ret = still ? wait_for_last (self) : self->output.result;
  still = still && is_known (self, timing, view, rules);
  if (ret == GST_FLOW_OK)
    to_analyse = enqueue (
        self, g_steal_pointer (&buffer), still, timing, view, rules, &ticket);
  epoch = self->analysis.epoch;
  g_mutex_unlock (&self->lock);

  if (to_analyse != NULL)
    gst_altclip_analysis_submit (self, to_analyse, timing, view, ticket, epoch);
  gst_clear_buffer (&buffer);
  return ret;
}

/* ---- Buffers ------------------------------------------------------------ */

static void
warn_of_crowd (GstAltclipFilter *self, guint n_found)
{
  if (n_found <= GST_ALTCLIP_MAX_REGIONS || self->input.crowd_warned)
    return;
  self->input.crowd_warned = TRUE;
  GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
      ("A frame has %u regions: the first %u are looked at.", n_found,
          GST_ALTCLIP_MAX_REGIONS),
      ("A frame has %u regions, and at most %u of one are looked at. Choose "
       "among them with object-class and region.",
          n_found, GST_ALTCLIP_MAX_REGIONS));
}

/* Exact mode. Before the frame is looked at, since the prompts say where. */
static GstFlowReturn
wait_for_turn (GstAltclipFilter *self, const GstAltclipRules *rules)
{
  GstFlowReturn ret;

  g_mutex_lock (&self->lock);
  ret = wait_until_settled (self);
  if (ret == GST_FLOW_OK)
    ret = wait_for_room (self, rules->max_buffers);
  g_mutex_unlock (&self->lock);
  return ret;
}

static void
init_view (GstAltclipFilter *self, GstAltclipView *view, GstBuffer *buffer,
    const GstAltclipRules *rules)
{
  g_autoptr (AltclipPrompts) prompts = NULL;
  guint n_swaps;
  guint n_found;

  g_mutex_lock (&self->lock);
  if (self->analysis.prompts != NULL)
    prompts = altclip_prompts_ref (self->analysis.prompts);
  n_swaps = self->analysis.n_swaps;
  g_mutex_unlock (&self->lock);

  gst_altclip_view_init (
      view, self->input.format, buffer, rules, prompts, &n_found);
  view->n_swaps = n_swaps;
  warn_of_crowd (self, n_found);
}

static GstFlowReturn
take_buffer (GstAltclipFilter *self, GstBuffer *buffer,
    GstAltclipTiming *timing, const GstAltclipRules *rules)
{
  g_auto (GstAltclipView) view = GST_ALTCLIP_VIEW_INIT;
  GstFlowReturn ret = GST_FLOW_OK;

  if (self->output.queued)
    ret = wait_for_turn (self, rules);
  if (ret != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return ret;
  }
  init_view (self, &view, buffer, rules);
  if (self->output.queued)
    return chain_exact (self, buffer, timing, &view, rules);
  return chain_live (self, buffer, timing, &view, rules);
}

static void
set_section (
    GstAltclipFilter *self, GstAltclipTiming *timing, GstClockTime max_age)
{
  if (gst_altclip_timing_is_gap (self->input.previous, timing->running_time,
          max_age, timing->duration))
    self->input.section++;
  timing->section = self->input.section;
}

static void
note_seen (GstAltclipFilter *self, const GstAltclipTiming *timing)
{
  self->input.previous = timing->running_time;
  gst_altclip_timing_clear (&self->input.last_seen);
  gst_altclip_timing_copy (&self->input.last_seen, timing);
}

static GstFlowReturn
gst_altclip_input_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (parent);
  g_auto (GstAltclipTiming) timing = GST_ALTCLIP_TIMING_INIT;
  GstAltclipRules rules;
  GstFlowReturn ret = GST_FLOW_OK;

  gst_altclip_filter_get_rules (self, &rules);
  if (self->input.format == NULL)
    ret = GST_FLOW_NOT_NEGOTIATED;
  else if (self->input.mode_pending)
    ret = decide_mode (self, &rules);
  if (ret != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return ret;
  }

  gst_altclip_timing_init (
      &timing, &self->input.segment, buffer, self->input.stream_id);
  timing.number = ++self->input.n_frames;
  timing.duration = get_duration (self, buffer);
  set_section (self, &timing, rules.max_age);
  g_mutex_lock (&self->lock);
  self->counts.frames_in++;
  g_mutex_unlock (&self->lock);
  ret = take_buffer (self, buffer, &timing, &rules);
  note_seen (self, &timing);
  /* Why comes before upstream says so of the flow. */
  if (ret == GST_FLOW_ERROR)
    gst_altclip_outbox_drain (&self->outbox, GST_ELEMENT_CAST (self));
  GST_LOG_OBJECT (pad, "%s", gst_flow_get_name (ret));
  return ret;
}

/* ---- Events ------------------------------------------------------------- */

static void
forget_due (GstAltclipFilter *self)
{
  self->input.last_due = GST_CLOCK_TIME_NONE;
  self->input.last_arrival = GST_CLOCK_TIME_NONE;
  self->input.still_from = GST_CLOCK_TIME_NONE;
  self->input.still_until = GST_CLOCK_TIME_NONE;
  self->input.previous = GST_CLOCK_TIME_NONE;
  g_clear_pointer (&self->input.due_regions, g_array_unref);
  g_clear_pointer (&self->input.ticket, gst_altclip_ticket_unref);
}

static void
take_stream_start (GstAltclipFilter *self, GstEvent *event)
{
  const gchar *stream_id;

  gst_event_parse_stream_start (event, &stream_id);
  g_clear_pointer (&self->input.stream_id, g_ref_string_release);
  self->input.stream_id = g_ref_string_new (stream_id);
  self->input.mode_pending = TRUE;
  forget_due (self);
}

static gboolean
take_caps (GstAltclipFilter *self, GstEvent *event)
{
  GstAltclipFormat *format;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  format = gst_altclip_format_new (caps);
  if (format == NULL) {
    GST_WARNING_OBJECT (self, "cannot use %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  g_clear_pointer (&self->input.format, gst_altclip_format_unref);
  self->input.format = format;
  return TRUE;
}

static gboolean
flush_start (GstAltclipFilter *self, GstEvent *event)
{
  gboolean ret = gst_pad_push_event (self->srcpad, event);

  gst_altclip_output_set_flushing (self, TRUE);
  gst_pad_pause_task (self->srcpad);
  gst_altclip_analysis_flush (self);
  return ret;
}

static gboolean
flush_stop (GstAltclipFilter *self, GstEvent *event)
{
  gboolean ret;

  /* What the chain was still handing over when the flush began. */
  gst_altclip_analysis_flush (self);
  gst_altclip_output_discard (self);
  forget_due (self);
  gst_segment_init (&self->input.segment, GST_FORMAT_UNDEFINED);

  ret = gst_pad_push_event (self->srcpad, event);
  gst_altclip_output_set_flushing (self, FALSE);
  gst_altclip_output_start (self);
  return ret;
}

/* Why the source pad did not take something. */
static GstFlowReturn
get_refusal (GstAltclipFilter *self)
{
  GstFlowReturn ret;

  g_mutex_lock (&self->lock);
  ret = self->output.result;
  g_mutex_unlock (&self->lock);
  return ret != GST_FLOW_OK ? ret : GST_FLOW_ERROR;
}

static GstFlowReturn
forward_event (GstAltclipFilter *self, GstEvent *event)
{
  gboolean pushed;

  if (GST_EVENT_IS_SERIALIZED (event) && self->output.queued)
    return gst_altclip_output_put_event (self, event, &self->input.last_seen);
  if (GST_EVENT_IS_SERIALIZED (event))
    pushed = gst_altclip_events_forward (&self->events, self->srcpad, event);
  else
    pushed = gst_pad_push_event (self->srcpad, event);
  return pushed ? GST_FLOW_OK : get_refusal (self);
}

static GstFlowReturn
take_eos (GstAltclipFilter *self, GstEvent *event)
{
  if (!self->output.queued) {
    wait_for_worker (self);
    gst_altclip_analysis_end_labels (self, "eos", &self->input.last_seen);
    gst_altclip_outbox_drain (&self->outbox, GST_ELEMENT_CAST (self));
    gst_altclip_events_push (&self->events, self->srcpad, G_MAXUINT64);
  }
  return forward_event (self, event);
}

/* Tells upstream why, so that an event that comes while the element is stopped
 * or flushed is no error. */
static GstFlowReturn
gst_altclip_input_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (parent);

  GST_DEBUG_OBJECT (pad, "%" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      return flush_start (self, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
    case GST_EVENT_FLUSH_STOP:
      return flush_stop (self, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
    case GST_EVENT_STREAM_START:
      take_stream_start (self, event);
      break;
    case GST_EVENT_CAPS:
      if (!take_caps (self, event)) {
        gst_event_unref (event);
        return GST_FLOW_NOT_NEGOTIATED;
      }
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &self->input.segment);
      break;
    case GST_EVENT_EOS:
      return take_eos (self, event);
    default:
      break;
  }
  return forward_event (self, event);
}

/* ---- Queries ------------------------------------------------------------ */

/* How many frames may be inside at once. Before the mode is decided, it is what
 * upstream says now. */
static guint
get_held (GstAltclipFilter *self)
{
  GstAltclipRules rules;
  gboolean exact = self->output.queued;

  gst_altclip_filter_get_rules (self, &rules);
  if (self->input.mode_pending)
    exact = wants_exact (
        &rules, rules.mode == GST_ALTCLIP_MODE_AUTO && is_upstream_live (self));
  return exact ? rules.max_buffers : LIVE_HELD;
}

static void
add_to_pool (GstQuery *query, guint i, guint held)
{
  GstBufferPool *pool;
  guint size;
  guint min;
  guint max;

  gst_query_parse_nth_allocation_pool (query, i, &pool, &size, &min, &max);
  min += held;
  if (max != 0)
    max += held;
  gst_query_set_nth_allocation_pool (query, i, pool, size, min, max);
  gst_clear_object (&pool);
}

static guint
get_frame_size (GstQuery *query)
{
  GstVideoInfo info;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, NULL);
  if (caps == NULL || !gst_video_info_from_caps (&info, caps))
    return 0;
  return GST_VIDEO_INFO_SIZE (&info);
}

static gboolean
ask_for_held_frames (GstAltclipFilter *self, GstQuery *query)
{
  guint held = get_held (self);
  guint n_pools = gst_query_get_n_allocation_pools (query);
  guint size;
  guint i;

  for (i = 0; i < n_pools; i++)
    add_to_pool (query, i, held);
  if (n_pools > 0)
    return TRUE;

  size = get_frame_size (query);
  if (size == 0)
    return FALSE;
  gst_query_add_allocation_pool (query, NULL, size, held, 0);
  return TRUE;
}

static gboolean
query_allocation (GstAltclipFilter *self, GstQuery *query)
{
  gboolean answered;

  if (self->output.queued)
    answered = gst_altclip_output_query (self, query);
  else
    answered = gst_pad_peer_query (self->srcpad, query);
  return ask_for_held_frames (self, query) || answered;
}

static gboolean
query_accept_caps (GstAltclipFilter *self, GstQuery *query)
{
  GstAltclipFormat *format;
  GstCaps *caps;
  gboolean accepted;

  if (!gst_pad_query_default (self->sinkpad, GST_OBJECT_CAST (self), query))
    return FALSE;
  gst_query_parse_accept_caps_result (query, &accepted);
  if (!accepted)
    return TRUE;

  gst_query_parse_accept_caps (query, &caps);
  format = gst_altclip_format_new (caps);
  gst_query_set_accept_caps_result (query, format != NULL);
  g_clear_pointer (&format, gst_altclip_format_unref);
  return TRUE;
}

/* While the element is stopped or flushed, frames come to nothing, and so does
 * what would have to wait for them. */
static gboolean
is_flushing (GstAltclipFilter *self)
{
  gboolean flushing;

  g_mutex_lock (&self->lock);
  flushing = self->output.result == GST_FLOW_FLUSHING;
  g_mutex_unlock (&self->lock);
  return flushing;
}

static gboolean
gst_altclip_input_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (parent);

  if (GST_QUERY_IS_SERIALIZED (query) && is_flushing (self))
    return FALSE;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_ALLOCATION:
      return query_allocation (self, query);
    case GST_QUERY_ACCEPT_CAPS:
      return query_accept_caps (self, query);
    default:
      break;
  }
  if (GST_QUERY_IS_SERIALIZED (query) && self->output.queued)
    return gst_altclip_output_query (self, query);
  return gst_pad_query_default (pad, parent, query);
}

/* ---- The pad ------------------------------------------------------------ */

void
gst_altclip_input_init (GstAltclipFilter *self)
{
  gst_pad_set_chain_function (
      self->sinkpad, GST_DEBUG_FUNCPTR (gst_altclip_input_chain));
  gst_pad_set_event_full_function (
      self->sinkpad, GST_DEBUG_FUNCPTR (gst_altclip_input_event));
  gst_pad_set_query_function (
      self->sinkpad, GST_DEBUG_FUNCPTR (gst_altclip_input_query));
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);

  self->input.last_seen = (GstAltclipTiming) GST_ALTCLIP_TIMING_INIT;
  gst_altclip_input_reset (self);
}

void
gst_altclip_input_reset (GstAltclipFilter *self)
{
  gst_altclip_input_clear (self);
  gst_segment_init (&self->input.segment, GST_FORMAT_UNDEFINED);
  self->input.mode_pending = TRUE;
  self->input.crowd_warned = FALSE;
  self->input.expiring = FALSE;
}

void
gst_altclip_input_clear (GstAltclipFilter *self)
{
  forget_due (self);
  gst_altclip_motion_clear (&self->input.motion);
  g_clear_pointer (&self->input.format, gst_altclip_format_unref);
  g_clear_pointer (&self->input.stream_id, g_ref_string_release);
  gst_altclip_timing_clear (&self->input.last_seen);
}
