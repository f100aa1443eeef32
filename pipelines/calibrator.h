/* altclip: from examples to thresholds and biases
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef CALIBRATOR_H
#define CALIBRATOR_H

#include "footage.h"

G_BEGIN_DECLS

/* What is known of a label. */
typedef struct {
    Footage positives;
    Footage negatives;
    double bias; /* once calibrated, like the next */
    AltclipSeparation separation;
} Calibration;

/* One thread at a time. */
typedef struct {
    AltclipSession *session;
    AltclipPrompts *prompts;
    AltclipScoreMode mode;
    guint64 interval;
    guint n_frames;            /* that were seen */
    Calibration *calibrations; /* [n_labels] */
} Calibrator;

/* What a label's examples come to with the threshold that they gave. */
typedef struct {
    FootageEvents there;
    FootageEvents elsewhere;
    double events_at_most; /* to be expected where there were those elsewhere, with 95 % confidence
                            */
} CalibrationOutcome;

/**
 * calibrator_new:
 * @session: like @prompts, to outlive it
 * @prompts: embedded, and shared with nobody
 * @interval: least time between two frames of a video that are looked at, in nanoseconds
 *
 * Returns: (transfer full): a calibrator that has seen nothing
 */
Calibrator *calibrator_new (
        AltclipSession *session, AltclipPrompts *prompts, AltclipScoreMode mode, guint64 interval);
void calibrator_free (Calibrator *calibrator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Calibrator, calibrator_free)

/**
 * calibrator_see:
 * @examples: (element-type Example): pictures and videos; gst_init() must have been called
 * @error: #ALTCLIP_ERROR, naming the file
 *
 * Scores all of them, once.
 */
gboolean calibrator_see (Calibrator *calibrator, const GArray *examples, GError **error);

/* Finds the thresholds and biases of the labels that it has examples of, and gives the prompts
 * them. */
void calibrator_finish (Calibrator *calibrator);

gboolean calibrator_has_examples (const Calibrator *calibrator, guint label);

/* After calibrator_finish(), of a label that has examples. */
CalibrationOutcome calibrator_get_outcome (const Calibrator *calibrator, guint label);

G_END_DECLS

#endif /* CALIBRATOR_H */
