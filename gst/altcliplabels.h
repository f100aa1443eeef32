/* altclip: the prompts in force and the state of their labels
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_LABELS_H
#define GST_ALTCLIP_LABELS_H

#include <gst/gst.h>

#include "altclip.h"
#include "altclipoutbox.h"
#include "altclipresult.h"
#include "altclipsettings.h"

G_BEGIN_DECLS

/**
 * GstAltclipLabels:
 * @lock: held around every call below
 * @source: the element
 * @outbox: where the messages go
 * @prompts: (nullable): embedded; %NULL: nothing to look for
 * @revision: of @prompts: how many sets were put in force
 * @tracker: (nullable): which labels of @prompts are active
 * @last: timing of the last analysed frame
 * @clock: time of the last frame on the tracker's clock
 */
typedef struct
{
  GMutex lock;
  GstObject *source;
  GstAltclipOutbox *outbox;
  AltclipPrompts *prompts;
  guint revision;
  AltclipTracker *tracker;
  GstAltclipTiming last;
  GstClockTime clock;

  /* One per label. */
  AltclipLabelRules *rules;
  gdouble *scores;
  gdouble *cosines;
} GstAltclipLabels;

void gst_altclip_labels_init (
    GstAltclipLabels *labels, GstObject *source, GstAltclipOutbox *outbox);
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
 *
 * Scores a picture, moves the states, puts the messages in the outbox.
 *
 * Returns: (transfer full) (nullable): the result, %NULL without prompts
 */
GstAltclipResult *gst_altclip_labels_score (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const GstAltclipTiming *timing,
    const float *embedding);

/**
 * gst_altclip_labels_end:
 * @timing: (nullable): of the frame at which it was found; %NULL: the last
 *   analysed one
 *
 * Ends what is active.
 */
void gst_altclip_labels_end (GstAltclipLabels *labels,
    const GstAltclipRules *rules, const gchar *reason,
    const GstAltclipTiming *timing);

G_END_DECLS

#endif /* GST_ALTCLIP_LABELS_H */
