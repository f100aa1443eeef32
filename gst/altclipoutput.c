/* altclip: the source pad of altclipfilter, and the queue before it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipfilter.h"

#include "altclipmeta.h"

#define GST_CAT_DEFAULT altclip_filter_debug

/* What waits in the queue: one of the first three. */
typedef struct
{
  GstBuffer *buffer;
  GstEvent *event;
  GstQuery *query;

  GstAltclipTiming timing;
  GArray *regions;
  GstAltclipTicket *ticket;
  gboolean own;

  /* The asker's: he waits for @answered, and takes the item back. */
  gboolean answered;
  gboolean answer;
} Item;

static Item *
item_new (const GstAltclipTiming *timing)
{
  Item *item = g_new0 (Item, 1);

  gst_altclip_timing_copy (&item->timing, timing);
  return item;
}

static void
item_free (Item *item)
{
  gst_clear_buffer (&item->buffer);
  gst_clear_event (&item->event);
  g_clear_pointer (&item->regions, g_array_unref);
  g_clear_pointer (&item->ticket, gst_altclip_ticket_unref);
  gst_altclip_timing_clear (&item->timing);
  g_free (item);
}

static gboolean
is_active (GstAltclipFilter *self)
{
  gboolean active;

  g_mutex_lock (&self->lock);
  active = self->output.active;
  g_mutex_unlock (&self->lock);
  return active;
}

/* A sticky event that is not pushed must not be lost: upstream sent it for good
 * and will not send it again. After a flush a new segment comes, after an error
 * none. A pad that is being deactivated forgets them all; and a frame that is
 * just being pushed would have the caps of a later one. */
static void
keep_if_sticky (GstAltclipFilter *self, GstEvent *event, gboolean segment_too)
{
  if (event == NULL || !GST_EVENT_IS_STICKY (event)
      || GST_EVENT_TYPE (event) == GST_EVENT_EOS
      || (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT && !segment_too))
    return;
  if (is_active (self))
    gst_pad_store_sticky_event (self->srcpad, event);
}

/* ---- Metadata ----------------------------------------------------------- */

static GstBuffer *
attach_to_frame (GstBuffer *buffer, const GstAltclipTagger *tagger,
    const GstAltclipTiming *timing, GstAltclipResult *result)
{
  buffer = gst_buffer_make_writable (buffer);
  gst_altclip_meta_attach (buffer, tagger, timing, result);
  return buffer;
}

/* Nothing is copied for a frame of which no region is known. */
static GstBuffer *
attach_to_regions (GstBuffer *buffer, const GstAltclipTagger *tagger,
    const GstAltclipTiming *timing, const GArray *regions,
    GstAltclipResult *result, gboolean *attached)
{
  gint matches[GST_ALTCLIP_MAX_REGIONS];

  *attached =
      gst_altclip_regions_match (regions, result->view.regions, matches) > 0;
  if (!*attached)
    return buffer;
  buffer = gst_buffer_make_writable (buffer);
  gst_altclip_meta_attach_regions (
      buffer, tagger, timing, result, regions, matches);
  return buffer;
}

GstBuffer *
gst_altclip_output_attach (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, const GArray *regions,
    GstAltclipResult *result, gboolean own)
{
  g_autofree gchar *name = gst_object_get_name (GST_OBJECT_CAST (self));
  GstAltclipTagger tagger = {name, self->analysis.model_name};
  gboolean attached = TRUE;

  if ((regions != NULL) != (result->view.regions != NULL))
    return buffer;
  if (regions != NULL)
    buffer =
        attach_to_regions (buffer, &tagger, timing, regions, result, &attached);
  else
    buffer = attach_to_frame (buffer, &tagger, timing, result);
  if (!attached || own)
    return buffer;
  g_mutex_lock (&self->lock);
  self->counts.reused++;
  g_mutex_unlock (&self->lock);
  return buffer;
}

/* ---- The queue ---------------------------------------------------------- */

/* With the lock. */
static Item *
pop_item (GstAltclipFilter *self)
{
  Item *item = g_queue_pop_head (&self->output.items);

  if (item != NULL && item->buffer != NULL)
    self->output.n_buffers--;
  g_cond_broadcast (&self->cond);
  return item;
}

/* With the lock, into a list that is to be freed without it. */
static void
take_all (GstAltclipFilter *self, GQueue *dropped)
{
  Item *item;

  while ((item = pop_item (self)) != NULL) {
    if (item->query != NULL)
      item->answered = TRUE;
    else
      g_queue_push_tail (dropped, item);
  }
}

static void
drop_all (GstAltclipFilter *self, GQueue *dropped, gboolean segment_too)
{
  Item *item;

  while ((item = g_queue_pop_head (dropped)) != NULL) {
    keep_if_sticky (self, item->event, segment_too);
    item_free (item);
  }
}

void
gst_altclip_output_discard (GstAltclipFilter *self)
{
  GQueue dropped = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  take_all (self, &dropped);
  self->output.eos = FALSE;
  g_mutex_unlock (&self->lock);
  drop_all (self, &dropped, FALSE);
}

void
gst_altclip_output_put_buffer (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, GArray *regions, GstAltclipTicket *ticket,
    gboolean own)
{
  Item *item = item_new (timing);

  item->buffer = buffer;
  if (regions != NULL)
    item->regions = g_array_ref (regions);
  if (ticket != NULL)
    item->ticket = gst_altclip_ticket_ref (ticket);
  item->own = own;
  g_queue_push_tail (&self->output.items, item);
  self->output.n_buffers++;
  g_cond_broadcast (&self->cond);
}

/* With the lock. After EOS from downstream the task goes on, for the events. */
static gboolean
is_stopped (GstAltclipFilter *self)
{
  return self->output.result != GST_FLOW_OK
      && self->output.result != GST_FLOW_EOS;
}

/* With the lock, into a list that is to be freed without it. */
static void
take_buffers (GstAltclipFilter *self, GQueue *dropped)
{
  GList *link = self->output.items.head;

  while (link != NULL) {
    GList *next = link->next;
    Item *item = link->data;

    if (item->buffer != NULL) {
      g_queue_unlink (&self->output.items, link);
      g_queue_push_tail_link (dropped, link);
    }
    link = next;
  }
  self->output.n_buffers = 0;
}

/* With the lock. With a new segment or stream downstream may take frames again,
 * but not those of before. */
static void
revive (GstAltclipFilter *self, GstEvent *event, GQueue *dropped)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT
      && GST_EVENT_TYPE (event) != GST_EVENT_STREAM_START)
    return;
  self->output.eos = FALSE;
  if (self->output.result == GST_FLOW_EOS) {
    take_buffers (self, dropped);
    self->output.result = GST_FLOW_OK;
  }
}

/* Whether upstream, which is done when it sends EOS, cannot report this. */
static gboolean
is_worth_reporting (GstFlowReturn ret)
{
  return ret == GST_FLOW_NOT_LINKED || ret < GST_FLOW_EOS;
}

/* What becomes of an event that cannot go on after @ret. */
static void
refuse_event (GstAltclipFilter *self, GstEvent *event, GstFlowReturn ret)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && is_worth_reporting (ret))
    GST_ELEMENT_FLOW_ERROR (self, ret);
  keep_if_sticky (self, event, ret != GST_FLOW_FLUSHING);
}

GstFlowReturn
gst_altclip_output_put_event (
    GstAltclipFilter *self, GstEvent *event, const GstAltclipTiming *timing)
{
  Item *item = item_new (timing);
  GQueue dropped = G_QUEUE_INIT;
  GstFlowReturn ret;

  g_mutex_lock (&self->lock);
  revive (self, event, &dropped);
  ret = self->output.result;
  /* After EOS from downstream the events go on. */
  if (ret == GST_FLOW_EOS)
    ret = GST_FLOW_OK;
  item->event = event;
  if (ret == GST_FLOW_OK) {
    if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
      self->output.eos = TRUE;
    g_queue_push_tail (&self->output.items, item);
    g_cond_broadcast (&self->cond);
  }
  g_mutex_unlock (&self->lock);

  g_queue_clear_full (&dropped, (GDestroyNotify) item_free);
  if (ret != GST_FLOW_OK) {
    refuse_event (self, event, ret);
    item_free (item);
  }
  return ret;
}

gboolean
gst_altclip_output_query (GstAltclipFilter *self, GstQuery *query)
{
  Item item = {.query = query, .timing = GST_ALTCLIP_TIMING_INIT};

  g_mutex_lock (&self->lock);
  if (self->output.result == GST_FLOW_OK) {
    g_queue_push_tail (&self->output.items, &item);
    g_cond_broadcast (&self->cond);
    /* A flush answers for what still waits. */
    while (!item.answered)
      gst_altclip_filter_wait (self, -1);
  }
  g_mutex_unlock (&self->lock);
  return item.answer;
}

gboolean
gst_altclip_output_waits_for_model (GstAltclipFilter *self)
{
  Item *item = g_queue_peek_head (&self->output.items);

  return item != NULL && item->ticket != NULL && !item->ticket->known;
}

/* ---- The task ----------------------------------------------------------- */

/* With the lock. */
static gboolean
is_ready (GstAltclipFilter *self)
{
  Item *item = g_queue_peek_head (&self->output.items);

  return item != NULL
      && (item->ticket == NULL || item->ticket->known
          || self->output.result != GST_FLOW_OK);
}

/* Waits for something to push; %NULL: stop. */
static Item *
next_item (GstAltclipFilter *self)
{
  Item *item = NULL;

  g_mutex_lock (&self->lock);
  while (!is_stopped (self) && self->output.queued && !is_ready (self))
    g_cond_wait (&self->cond, &self->lock);
  if (!is_stopped (self) && self->output.queued) {
    item = pop_item (self);
    self->output.pushing = TRUE;
  }
  g_mutex_unlock (&self->lock);
  return item;
}

static GstAltclipResult *
get_result (GstAltclipFilter *self, Item *item)
{
  GstAltclipResult *result = NULL;

  if (item->ticket == NULL)
    return NULL;
  g_mutex_lock (&self->lock);
  if (item->ticket->result != NULL)
    result = gst_altclip_result_ref (item->ticket->result);
  g_mutex_unlock (&self->lock);
  return result;
}

static GstFlowReturn
push_buffer (GstAltclipFilter *self, Item *item)
{
  g_autoptr (GstAltclipResult) result = get_result (self, item);
  GstBuffer *buffer = g_steal_pointer (&item->buffer);
  GstFlowReturn ret;

  g_mutex_lock (&self->lock);
  ret = self->output.result;
  g_mutex_unlock (&self->lock);
  if (ret != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return ret;
  }
  if (result != NULL)
    buffer = gst_altclip_output_attach (
        self, buffer, &item->timing, item->regions, result, item->own);
  gst_altclip_events_push (&self->events, self->srcpad, item->timing.number);
  return gst_pad_push (self->srcpad, buffer);
}

static void
push_event (GstAltclipFilter *self, Item *item)
{
  if (GST_EVENT_TYPE (item->event) == GST_EVENT_EOS) {
    gst_altclip_analysis_end_labels (self, "eos", &item->timing);
    gst_altclip_outbox_drain (&self->outbox, GST_ELEMENT_CAST (self));
    gst_altclip_events_push (&self->events, self->srcpad, G_MAXUINT64);
  }
  gst_altclip_events_forward (
      &self->events, self->srcpad, g_steal_pointer (&item->event));
}

static void
push_query (GstAltclipFilter *self, Item *item)
{
  /* What came before it may have been dropped on the way. */
  gboolean answer = !GST_PAD_IS_FLUSHING (self->srcpad)
      && gst_pad_peer_query (self->srcpad, item->query);

  /* From here on the item is its asker's. */
  g_mutex_lock (&self->lock);
  item->answer = answer;
  item->answered = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static GstFlowReturn
push_item (GstAltclipFilter *self, Item *item)
{
  GstFlowReturn ret = GST_FLOW_OK;

  if (item->query != NULL) {
    push_query (self, item);
    return ret;
  }
  if (item->buffer != NULL)
    ret = push_buffer (self, item);
  else
    push_event (self, item);
  item_free (item);
  return ret;
}

static gboolean
begins_anew (Item *item)
{
  return item->event != NULL
      && (GST_EVENT_TYPE (item->event) == GST_EVENT_SEGMENT
          || GST_EVENT_TYPE (item->event) == GST_EVENT_STREAM_START);
}

/* With the lock. Downstream wants no more of this segment: takes its frames out
 * of the queue. Returns: whether a new segment or stream follows, which
 * downstream may want */
static gboolean
skip_segment (GstAltclipFilter *self, GQueue *dropped)
{
  GList *at = self->output.items.head;

  while (at != NULL && !begins_anew (at->data)) {
    GList *next = at->next;
    Item *item = at->data;

    if (item->buffer != NULL) {
      g_queue_delete_link (&self->output.items, at);
      g_queue_push_tail (dropped, item);
      self->output.n_buffers--;
    }
    at = next;
  }
  return at != NULL;
}

/* Keeps what the pushing came to; says whether EOS waits behind an error: then
 * upstream is done and cannot report it. */
static gboolean
note_result (GstAltclipFilter *self, GstFlowReturn ret)
{
  GQueue dropped = G_QUEUE_INIT;
  gboolean report = FALSE;

  g_mutex_lock (&self->lock);
  self->output.pushing = FALSE;
  if (ret == GST_FLOW_EOS && skip_segment (self, &dropped))
    ret = GST_FLOW_OK;
  if (ret != GST_FLOW_OK && self->output.result == GST_FLOW_OK) {
    self->output.result = ret;
    report = self->output.eos && is_worth_reporting (ret);
  }
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  drop_all (self, &dropped, FALSE);
  return report;
}

static void
report_flow (GstAltclipFilter *self, GstFlowReturn ret)
{
  GST_ELEMENT_FLOW_ERROR (self, ret);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

/* Under the lock, so that neither a relinking nor a new stream comes between the
 * looking and the pausing: they start the task after having changed what is
 * looked at. From within the task pausing does not wait. */
static void
pause_if_stopped (GstAltclipFilter *self)
{
  GQueue dropped = G_QUEUE_INIT;
  gboolean flushing;

  g_mutex_lock (&self->lock);
  flushing = self->output.result == GST_FLOW_FLUSHING;
  if (is_stopped (self)) {
    GST_DEBUG_OBJECT (
        self, "pausing: %s", gst_flow_get_name (self->output.result));
    take_all (self, &dropped);
  }
  if (is_stopped (self) || !self->output.queued)
    gst_pad_pause_task (self->srcpad);
  g_mutex_unlock (&self->lock);
  drop_all (self, &dropped, !flushing);
}

static void
gst_altclip_output_loop (gpointer user_data)
{
  GstAltclipFilter *self = user_data;
  Item *item = next_item (self);
  GstFlowReturn ret;

  if (item != NULL) {
    ret = push_item (self, item);
    if (note_result (self, ret))
      report_flow (self, ret);
  }
  pause_if_stopped (self);
}

/* Not with the lock, since a new task's message is posted here. One that is
 * started for nothing pauses itself. */
void
gst_altclip_output_start (GstAltclipFilter *self)
{
  gboolean wanted;

  g_mutex_lock (&self->lock);
  wanted = self->output.queued && !is_stopped (self);
  g_mutex_unlock (&self->lock);
  if (wanted)
    gst_pad_start_task (self->srcpad, gst_altclip_output_loop, self, NULL);
}

/* With the lock. */
static gboolean
is_idle (GstAltclipFilter *self)
{
  return g_queue_is_empty (&self->output.items) && !self->output.pushing;
}

GstFlowReturn
gst_altclip_output_set_queued (GstAltclipFilter *self, gboolean queued)
{
  GstFlowReturn ret;
  gboolean was_queued;

  g_mutex_lock (&self->lock);
  was_queued = self->output.queued;
  if (was_queued && !queued)
    while (self->output.result == GST_FLOW_OK && !is_idle (self))
      gst_altclip_filter_wait (self, -1);
  ret = self->output.result;
  if (ret == GST_FLOW_OK) {
    self->output.queued = queued;
    self->output.decided = TRUE;
  }
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);

  if (ret != GST_FLOW_OK)
    return ret;
  if (was_queued && !queued)
    gst_pad_pause_task (self->srcpad);
  else
    gst_altclip_output_start (self);
  return ret;
}

/* ---- Flushing ----------------------------------------------------------- */

/* With the lock. */
static void
update_result (GstAltclipFilter *self)
{
  GstAltclipOutput *output = &self->output;

  output->result =
      output->active && !output->flushing ? GST_FLOW_OK : GST_FLOW_FLUSHING;
  gst_altclip_outbox_set_flushing (
      &self->outbox, output->result == GST_FLOW_FLUSHING);
  g_cond_broadcast (&self->cond);
}

void
gst_altclip_output_set_active (GstAltclipFilter *self, gboolean active)
{
  g_mutex_lock (&self->lock);
  self->output.active = active;
  if (active)
    self->output.flushing = FALSE;
  update_result (self);
  g_mutex_unlock (&self->lock);
  if (!active)
    gst_altclip_output_discard (self);
}

void
gst_altclip_output_set_flushing (GstAltclipFilter *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->output.flushing = flushing;
  update_result (self);
  g_mutex_unlock (&self->lock);
  if (flushing)
    gst_altclip_output_discard (self);
}

/* ---- Latency ------------------------------------------------------------ */

gboolean
gst_altclip_output_start_latency (
    GstAltclipFilter *self, GstClockTime picture_time)
{
  GstAltclipOutput *output = &self->output;

  output->latency = MAX (output->latency, 2 * picture_time);
  return output->queued && output->upstream_live;
}

gboolean
gst_altclip_output_note_wait (GstAltclipFilter *self, GstClockTime wait)
{
  GstAltclipOutput *output = &self->output;

  if (!output->queued || wait <= output->latency)
    return FALSE;
  output->latency = wait + wait / 4;
  return output->upstream_live;
}

static GstClockTime
get_frames_duration (GstAltclipFilter *self, guint n_frames)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->srcpad);
  GstVideoInfo info;

  if (caps == NULL || !gst_video_info_from_caps (&info, caps)
      || GST_VIDEO_INFO_FPS_N (&info) <= 0 || GST_VIDEO_INFO_FPS_D (&info) <= 0)
    return GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale (n_frames,
      GST_SECOND * (guint64) GST_VIDEO_INFO_FPS_D (&info),
      GST_VIDEO_INFO_FPS_N (&info));
}

/* What exact mode adds. */
static void
add_latency (GstAltclipFilter *self, GstClockTime *min, GstClockTime *max)
{
  GstAltclipRules rules;
  GstClockTime buffered;

  gst_altclip_filter_get_rules (self, &rules);
  g_mutex_lock (&self->lock);
  *min += self->output.latency;
  g_mutex_unlock (&self->lock);

  buffered = get_frames_duration (self, rules.max_buffers);
  if (GST_CLOCK_TIME_IS_VALID (*max) && GST_CLOCK_TIME_IS_VALID (buffered))
    *max += buffered;
  else
    *max = GST_CLOCK_TIME_NONE;
}

/* Before the first frame what is asked for, then what was decided. */
static gboolean
is_exact (GstAltclipFilter *self)
{
  GstAltclipRules rules;
  gboolean exact;

  gst_altclip_filter_get_rules (self, &rules);
  g_mutex_lock (&self->lock);
  exact = self->output.decided ? self->output.queued
                               : rules.mode == GST_ALTCLIP_MODE_EXACT;
  g_mutex_unlock (&self->lock);
  return exact;
}

static gboolean
query_latency (GstAltclipFilter *self, GstQuery *query)
{
  GstClockTime min;
  GstClockTime max;
  gboolean live;

  if (!gst_pad_peer_query (self->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  if (live && is_exact (self))
    add_latency (self, &min, &max);
  GST_DEBUG_OBJECT (self,
      "live %d, min %" GST_TIME_FORMAT ", max %" GST_TIME_FORMAT, live,
      GST_TIME_ARGS (min), GST_TIME_ARGS (max));
  gst_query_set_latency (query, live, min, max);
  return TRUE;
}

/* ---- The pad ------------------------------------------------------------ */

/* When something was linked again, the queue can go on. */
static void
reconnect (GstAltclipFilter *self)
{
  gboolean again;

  g_mutex_lock (&self->lock);
  again = self->output.queued && self->output.result == GST_FLOW_NOT_LINKED;
  if (again)
    update_result (self);
  g_mutex_unlock (&self->lock);
  if (again)
    gst_altclip_output_start (self);
}

static gboolean
gst_altclip_output_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    reconnect (GST_ALTCLIP_FILTER (parent));
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
gst_altclip_output_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return query_latency (GST_ALTCLIP_FILTER (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
gst_altclip_output_activate (
    GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  gst_altclip_output_set_active (self, active);
  return active || gst_pad_stop_task (pad);
}

void
gst_altclip_output_init (GstAltclipFilter *self)
{
  gst_pad_set_event_function (
      self->srcpad, GST_DEBUG_FUNCPTR (gst_altclip_output_src_event));
  gst_pad_set_query_function (
      self->srcpad, GST_DEBUG_FUNCPTR (gst_altclip_output_src_query));
  gst_pad_set_activatemode_function (
      self->srcpad, GST_DEBUG_FUNCPTR (gst_altclip_output_activate));
  GST_PAD_SET_PROXY_CAPS (self->srcpad);

  g_queue_init (&self->output.items);
  self->output.result = GST_FLOW_FLUSHING;
}

void
gst_altclip_output_reset (GstAltclipFilter *self)
{
  gst_altclip_output_discard (self);
  g_mutex_lock (&self->lock);
  self->output.queued = FALSE;
  self->output.decided = FALSE;
  self->output.upstream_live = FALSE;
  self->output.latency = 0;
  self->output.slow_warned = FALSE;
  g_mutex_unlock (&self->lock);
}
