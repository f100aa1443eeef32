/* altclip: the prompts in force and the state of their labels
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_LABELS_H
#define GST_ALTCLIP_LABELS_H

#include <gst/gst.h>

#include "altclip.h"
#include "altclipevents.h"
#include "altclipobjects.h"
#include "altclipoutbox.h"
#include "altclipresult.h"
#include "altclipsettings.h"
#include "altclipview.h"

G_BEGIN_DECLS

/**
 * GstAltclipLabels:
 * @lock: held around every call below, but for gst_altclip_labels_is_settled()
 *   and gst_altclip_labels_is_averaged()
 * @source: the element
 * @outbox: where the messages go
 * @events: where what elements downstream are told goes
 * @prompts: (nullable): embedded; %NULL: nothing to look for
 * @revision: of @prompts: how many sets were put in force
 * @tracker: (nullable): which labels of @prompts are active, for the frame
 * @objects: the same for each of its regions with an id
 * @last: timing of the last analysed frame
 * @has_region: whether only a part of that was looked at
 * @region: that part
 * @clock: time of the last frame on the tracker's clock, or
 *   %GST_CLOCK_TIME_NONE
 * @known: running time of the last frame of which it is known what it shows, were
 *   it nothing; or %GST_CLOCK_TIME_NONE
 * @settled: atomic: gst_altclip_labels_is_settled()
 * @averaged: atomic: gst_altclip_labels_is_averaged()
 * @mode: what the scores of that frame are
 */
typedef struct
{
  GMutex lock;
  GstObject *source;
  GstAltclipOutbox *outbox;
  GstAltclipEvents *events;
  AltclipPrompts *prompts;
  guint revision;
  AltclipTracker *tracker;
  GstAltclipObjects objects;
  GstAltclipTiming last;
  gboolean has_region;
  GstAltclipBox region;
  GstClockTime clock;
  GstClockTime known;
  gint settled;
  gint averaged;
  AltclipScoreMode mode;

  /* One per label. */
  AltclipLabelRules *rules;
  gdouble *scores;
  gdouble *cosines;
  gboolean *active;
} GstAltclipLabels;

void gst_altclip_labels_init (GstAltclipLabels *labels, GstObject *source,
    GstAltclipOutbox *outbox, GstAltclipEvents *events);
void gst_altclip_labels_clear (GstAltclipLabels *labels);

/**
 * gst_altclip_labels_reset:
 *
 * Forgets the prompts and their revision, without messages.
 */
void gst_altclip_labels_reset (GstAltclipLabels *labels);

/**
 * gst_altclip_labels_swap:
 * @prompts: (transfer none) (nullable): an embedded set
 *
 * Ends what is active and puts @prompts in force.
 */
void gst_altclip_labels_swap (GstAltclipLabels *labels, AltclipPrompts *prompts,
    const GstAltclipRules *rules);

/**
 * gst_altclip_labels_score:
 * @view: what of the frame was looked at
 * @embeddings: [n_pictures of @view, @dim]; without pictures only time goes on
 *
 * Scores the pictures of a frame, moves the states, puts the messages in the
 * outbox.
 *
 * Returns: (transfer full) (nullable): the result, %NULL without prompts or
 *   pictures
 */
GstAltclipResult *gst_altclip_labels_score (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const GstAltclipTiming *timing,
    const GstAltclipView *view, const float *embeddings, guint dim);

/**
 * gst_altclip_labels_expire_objects:
 * @timing: of the frame at which it is looked for
 *
 * Ends what is active for regions that were not seen for max-age, or are of
 * another stream.
 */
void gst_altclip_labels_expire_objects (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const GstAltclipTiming *timing);

/**
 * gst_altclip_labels_end:
 * @timing: (nullable): of the frame at which it was found; %NULL, or if it is
 *   of another stream: the last analysed one
 *
 * Ends what is active, and begins all averages and waiting times anew.
 */
void gst_altclip_labels_end (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const gchar *reason,
    const GstAltclipTiming *timing);

/**
 * gst_altclip_labels_is_settled:
 *
 * Any thread may ask, without the lock.
 *
 * Returns: %FALSE while something may begin or end if the last analysed frame
 *   shows for longer
 */
gboolean gst_altclip_labels_is_settled (GstAltclipLabels *labels);

/**
 * gst_altclip_labels_is_averaged:
 *
 * Any thread may ask, without the lock.
 *
 * Returns: %TRUE if scores of the last analysed frame are averages, which change
 *   while it shows for longer
 */
gboolean gst_altclip_labels_is_averaged (GstAltclipLabels *labels);

/**
 * gst_altclip_labels_get_state:
 *
 * Returns: (transfer full): what is known of the labels and groups
 */
GstStructure *gst_altclip_labels_get_state (GstAltclipLabels *labels);

G_END_DECLS

#endif /* GST_ALTCLIP_LABELS_H */
