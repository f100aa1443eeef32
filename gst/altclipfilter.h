/* altclip: the element altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_FILTER_H
#define GST_ALTCLIP_FILTER_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "altclip.h"
#include "altclipconverter.h"
#include "altclipevents.h"
#include "altclipframe.h"
#include "altcliplabels.h"
#include "altclipmotion.h"
#include "altclipoutbox.h"
#include "altclipsettings.h"
#include "altclipview.h"

G_BEGIN_DECLS

#define GST_TYPE_ALTCLIP_FILTER (gst_altclip_filter_get_type ())
G_DECLARE_FINAL_TYPE (
    GstAltclipFilter, gst_altclip_filter, GST, ALTCLIP_FILTER, GstElement)

GST_ELEMENT_REGISTER_DECLARE (altclipfilter)

GST_DEBUG_CATEGORY_EXTERN (altclip_filter_debug);

/**
 * GstAltclipCounts:
 *
 * What the statistics count, since READY.
 */
typedef struct
{
  guint64 frames_in;
  guint64 analysed;
  guint64 skipped;
  guint64 reused;
  guint64 failed;
  guint64 waits;
} GstAltclipCounts;

/**
 * GstAltclipAnalysis:
 *
 * What the element knows of the engine: altclipanalysis.c.
 */
typedef struct
{
  /* Everybody that calls a function of the stream counts as a user, so that it
   * is not freed under him. */
  AltclipStream *stream;
  guint users;

  gboolean bundled;
  gchar *model_name; /* set before frames come, freed when none come any more */
  AltclipModel *model;
  gboolean load_failed;
  gboolean load_shown;
  gboolean failing;

  /* Sets given to the engine that it has not answered for. */
  GQueue asked;
  guint n_labels;
  guint n_swaps;
  AltclipPrompts *prompts;
  guint told_doubts;

  GstAltclipResult *newest;
  guint epoch;
  guint in_flight;

  /* The worker's own. */
  GstAltclipConverter *converter;
} GstAltclipAnalysis;

/**
 * GstAltclipInput:
 *
 * What belongs to the upstream's streaming thread: altclipinput.c.
 */
typedef struct
{
  GstSegment segment;
  GstAltclipFormat *format;
  gchar *stream_id;
  guint64 n_frames;
  gboolean mode_pending;

  GstClockTime last_due;
  GstClockTime last_arrival;
  GstClockTime still_from;
  GstClockTime still_until;
  GstClockTime previous;
  guint section;
  guint due_swaps;
  GstAltclipMotion motion;
  guint due_section;
  guint due_views;
  guint due_rules;
  GArray *due_regions;
  gboolean crowd_warned;
  gboolean expiring;
  GstAltclipTiming last_seen;
  GstAltclipTicket *ticket;
} GstAltclipInput;

/**
 * GstAltclipOutput:
 *
 * The exact mode's queue and what the source pad says: altclipoutput.c.
 */
typedef struct
{
  /* Exact mode: the task on the source pad pushes; else the chain does. */
  gboolean queued;
  gboolean decided;
  GQueue items;
  guint n_buffers;
  gboolean pushing;
  gboolean eos;

  /* Nothing waits unless the pad is active and no flush goes on: then @result
   * is not GST_FLOW_FLUSHING. */
  gboolean active;
  gboolean flushing;
  GstFlowReturn result;

  gboolean upstream_live;
  GstClockTime latency;
  gboolean slow_warned;
} GstAltclipOutput;

/**
 * GstAltclipFilter:
 *
 * Locks, in the order in which they are taken: @prompts_lock, the labels' lock,
 * @lock, the outbox's and the events'. The object lock guards @settings alone. Messages are
 * posted, buffers pushed, and the engine called with none of them held;
 * @prompts_lock alone is held while the engine is given prompts.
 */
struct _GstAltclipFilter
{
  GstElement parent;

  GstPad *sinkpad;
  GstPad *srcpad;

  GstAltclipSettings settings;
  GMutex prompts_lock;
  GstAltclipLabels labels;
  GstAltclipOutbox outbox;
  GstAltclipEvents events;

  /* Guards the rest but the input; @cond tells of every change in it that
   * something may wait for. */
  GMutex lock;
  GCond cond;
  GstAltclipAnalysis analysis;
  GstAltclipOutput output;
  GstAltclipCounts counts;

  GstAltclipInput input;
};

/* ---- altclipfilter.c ---- */

void gst_altclip_filter_get_rules (
    GstAltclipFilter *self, GstAltclipRules *rules);

/**
 * gst_altclip_filter_wait:
 * @deadline: in microseconds of g_get_monotonic_time(), or -1
 *
 * To be called with the lock, by upstream's streaming thread: waits for a change
 * of what the lock guards. It is counted, so that it shows that live mode does
 * not do it.
 *
 * Returns: %FALSE after the deadline
 */
gboolean gst_altclip_filter_wait (GstAltclipFilter *self, gint64 deadline);

/* ---- altclipanalysis.c ---- */

void gst_altclip_analysis_start (GstAltclipFilter *self);
void gst_altclip_analysis_stop (GstAltclipFilter *self);
gboolean gst_altclip_analysis_is_started (GstAltclipFilter *self);

/**
 * gst_altclip_analysis_apply_prompts:
 *
 * Parses the prompts as they are set now and hands them to the engine. Posts a
 * warning when they cannot be parsed.
 */
void gst_altclip_analysis_apply_prompts (GstAltclipFilter *self);

/**
 * gst_altclip_analysis_review_prompts:
 *
 * To be called when a property was set that the prompts in force may not go
 * with. Posts a warning then, one of each kind for a set of prompts.
 */
void gst_altclip_analysis_review_prompts (GstAltclipFilter *self);

/**
 * gst_altclip_analysis_is_settled:
 *
 * To be called with the lock.
 *
 * Returns: whether the model is there, and the first prompts if any were given
 */
gboolean gst_altclip_analysis_is_settled (GstAltclipFilter *self);

/**
 * gst_altclip_analysis_show_loading:
 *
 * To be called with the lock. Puts a PROGRESS message in the outbox, once.
 */
void gst_altclip_analysis_show_loading (GstAltclipFilter *self);

/**
 * gst_altclip_analysis_submit:
 * @buffer: (transfer full)
 * @view: what of it to look at; without pictures it only takes its turn
 * @ticket: (nullable): exact mode: what waits for it; %NULL: live mode
 * @epoch: the analysis' when the frame was let in
 */
void gst_altclip_analysis_submit (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, const GstAltclipView *view,
    GstAltclipTicket *ticket, guint epoch);

/**
 * gst_altclip_analysis_flush:
 *
 * Drops what waits; results of frames before the call come to nothing.
 */
void gst_altclip_analysis_flush (GstAltclipFilter *self);

/**
 * gst_altclip_analysis_end_labels:
 *
 * As gst_altclip_labels_end(), with the locks and the posting; and the newest
 * result goes with them.
 */
void gst_altclip_analysis_end_labels (GstAltclipFilter *self,
    const gchar *reason, const GstAltclipTiming *timing);

/**
 * gst_altclip_analysis_expire_labels:
 *
 * The same for results that became too old, but never waits for the worker.
 *
 * Returns: %FALSE when it would have had to wait: nothing was ended
 */
gboolean gst_altclip_analysis_expire_labels (
    GstAltclipFilter *self, const GstAltclipTiming *timing);

/**
 * gst_altclip_analysis_expire_objects:
 *
 * Ends what is active for regions that were not seen for too long, if the
 * worker is not about to. Never waits for it.
 */
void gst_altclip_analysis_expire_objects (
    GstAltclipFilter *self, const GstAltclipTiming *timing);

/**
 * gst_altclip_analysis_get_last_state:
 *
 * Returns: (transfer full): the value of the property `last-state`
 */
GstStructure *gst_altclip_analysis_get_last_state (GstAltclipFilter *self);

/**
 * gst_altclip_analysis_get_stats:
 *
 * Returns: (transfer full): the value of the property `stats`
 */
GstStructure *gst_altclip_analysis_get_stats (GstAltclipFilter *self);

/* ---- altclipinput.c ---- */

void gst_altclip_input_init (GstAltclipFilter *self);
void gst_altclip_input_reset (GstAltclipFilter *self);
void gst_altclip_input_clear (GstAltclipFilter *self);

/* ---- altclipoutput.c ---- */

void gst_altclip_output_init (GstAltclipFilter *self);
void gst_altclip_output_reset (GstAltclipFilter *self);

/**
 * gst_altclip_output_set_active:
 *
 * Not active: wakes everything that waits in the element and lets nothing wait
 * any more. gst_altclip_output_set_flushing() does the same for a flush.
 */
void gst_altclip_output_set_active (GstAltclipFilter *self, gboolean active);
void gst_altclip_output_set_flushing (
    GstAltclipFilter *self, gboolean flushing);

/**
 * gst_altclip_output_discard:
 *
 * Drops what waits in the queue.
 */
void gst_altclip_output_discard (GstAltclipFilter *self);

/**
 * gst_altclip_output_start:
 *
 * Lets the task on the source pad run, if in exact mode.
 */
void gst_altclip_output_start (GstAltclipFilter *self);

/**
 * gst_altclip_output_set_queued:
 *
 * Goes from one mode to the other; what waits in the queue leaves first.
 */
GstFlowReturn gst_altclip_output_set_queued (
    GstAltclipFilter *self, gboolean queued);

/**
 * gst_altclip_output_put_buffer:
 * @buffer: (transfer full)
 * @regions: (nullable): what of it is looked at, if it is regions
 * @ticket: (nullable): what it waits for
 * @own: whether the ticket is of this very frame
 *
 * To be called with the lock.
 */
void gst_altclip_output_put_buffer (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, GArray *regions, GstAltclipTicket *ticket,
    gboolean own);

/**
 * gst_altclip_output_put_event:
 * @event: (transfer full): a serialised event
 *
 * Returns: %GST_FLOW_OK when it will go on, else why not
 */
GstFlowReturn gst_altclip_output_put_event (
    GstAltclipFilter *self, GstEvent *event, const GstAltclipTiming *timing);

/**
 * gst_altclip_output_waits_for_model:
 *
 * To be called with the lock.
 *
 * Returns: whether the next frame to leave still has no result
 */
gboolean gst_altclip_output_waits_for_model (GstAltclipFilter *self);

/**
 * gst_altclip_output_query:
 *
 * Sends a serialised query downstream in its turn, and waits for the answer.
 */
gboolean gst_altclip_output_query (GstAltclipFilter *self, GstQuery *query);

/**
 * gst_altclip_output_start_latency:
 * @picture_time: what one picture took when the model was opened
 *
 * To be called with the lock. What exact mode adds to the latency until it
 * knows better.
 *
 * Returns: whether a LATENCY message is due
 */
gboolean gst_altclip_output_start_latency (
    GstAltclipFilter *self, GstClockTime picture_time);
/**
 * gst_altclip_output_note_wait:
 * @wait: how long an analysed frame had to wait for its result
 *
 * To be called with the lock.
 *
 * Returns: whether the latency grew and a LATENCY message is due
 */
gboolean gst_altclip_output_note_wait (
    GstAltclipFilter *self, GstClockTime wait);

/**
 * gst_altclip_output_attach:
 * @buffer: (transfer full)
 * @regions: (nullable): what of it is looked at, if it is regions
 * @result: of the same, or of the frame if it is that; else nothing is attached
 * @own: whether it is of this very frame
 *
 * Returns: (transfer full): the buffer with @result attached
 */
GstBuffer *gst_altclip_output_attach (GstAltclipFilter *self, GstBuffer *buffer,
    const GstAltclipTiming *timing, const GArray *regions,
    GstAltclipResult *result, gboolean own);

G_END_DECLS

#endif /* GST_ALTCLIP_FILTER_H */
