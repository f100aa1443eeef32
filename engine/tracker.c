/* altclip: the state of labels over time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <math.h>

typedef struct {
    gboolean active;
    double score; /* the last */
    double cosine;
    guint64 since;
    double peak;
} LabelState;

struct _AltclipTracker {
    guint n_labels;
    LabelState *labels;
};

AltclipTracker *
altclip_tracker_new (guint n_labels)
{
    AltclipTracker *tracker = g_new0 (AltclipTracker, 1);

    tracker->n_labels = n_labels;
    tracker->labels = g_new0 (LabelState, n_labels);
    return tracker;
}

void
altclip_tracker_free (AltclipTracker *tracker)
{
    if (!tracker)
        return;
    g_free (tracker->labels);
    g_free (tracker);
}

gboolean
altclip_tracker_is_active (AltclipTracker *tracker, guint index)
{
    return index < tracker->n_labels && tracker->labels[index].active;
}

/* Turns a label on or off and appends the transition. */
static void
flip (AltclipTracker *tracker, guint index, guint64 time, GArray *transitions)
{
    LabelState *label = &tracker->labels[index];
    AltclipTransition transition;

    label->active = !label->active;
    if (label->active) {
        label->since = time;
        label->peak = label->score;
    }
    transition = (AltclipTransition){ index, label->active, label->score, label->cosine,
        label->since, time, label->peak };
    g_array_append_val (transitions, transition);
}

/* An active label falls below a lower line, so that a score at the threshold does not flicker. For
 * a threshold below 0 (cosine) the line is still the lower one. */
static gboolean
crosses (const LabelState *label, double threshold, double hysteresis)
{
    if (label->active)
        return label->score < threshold - fabs (threshold) * hysteresis;
    return label->score >= threshold;
}

void
altclip_tracker_update (AltclipTracker *tracker, guint64 time, double threshold, double hysteresis,
        const double *scores, const double *cosines, GArray *transitions)
{
    for (guint i = 0; i < tracker->n_labels; i++) {
        LabelState *label = &tracker->labels[i];

        if (isnan (scores[i]))
            continue;
        label->score = scores[i];
        label->cosine = cosines[i];
        label->peak = MAX (label->peak, label->score);
        if (crosses (label, threshold, hysteresis))
            flip (tracker, i, time, transitions);
    }
}

void
altclip_tracker_end (AltclipTracker *tracker, guint64 time, GArray *transitions)
{
    for (guint i = 0; i < tracker->n_labels; i++)
        if (tracker->labels[i].active)
            flip (tracker, i, time, transitions);
}
