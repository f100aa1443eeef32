/* altclip: the state of labels over time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <math.h>

typedef struct {
    gboolean active;
    guint64 since;
    double peak;
    double score;  /* the last one */
    double cosine; /* likewise */
} State;

struct _AltclipTracker {
    guint n_labels;
    State *states; /* [n_labels] */
};

static void
flip (State *state, guint index, guint64 time, GArray *transitions)
{
    AltclipTransition transition;

    state->active = !state->active;
    if (state->active) {
        state->since = time;
        state->peak = state->score;
    }
    transition = (AltclipTransition){
        .index = index,
        .active = state->active,
        .score = state->score,
        .cosine = state->cosine,
        .since = state->since,
        .time = time,
        .peak = state->peak,
    };
    g_array_append_val (transitions, transition);
}

AltclipTracker *
altclip_tracker_new (guint n_labels)
{
    AltclipTracker *tracker = g_new0 (AltclipTracker, 1);

    tracker->n_labels = n_labels;
    tracker->states = g_new0 (State, n_labels);
    return tracker;
}

void
altclip_tracker_free (AltclipTracker *tracker)
{
    if (!tracker)
        return;
    g_free (tracker->states);
    g_free (tracker);
}

void
altclip_tracker_update (AltclipTracker *tracker, guint64 time, double threshold, double hysteresis,
        const double *scores, const double *cosines, GArray *transitions)
{
    /* threshold · (1 − hysteresis), and below the threshold also where that is negative */
    double release = threshold - fabs (threshold) * hysteresis;

    for (guint i = 0; i < tracker->n_labels; i++) {
        State *state = &tracker->states[i];
        if (isnan (scores[i]))
            continue;
        state->score = scores[i];
        state->cosine = cosines[i];
        if (state->active ? scores[i] < release : scores[i] >= threshold)
            flip (state, i, time, transitions);
        else if (state->active)
            state->peak = fmax (state->peak, scores[i]);
    }
}

void
altclip_tracker_end (AltclipTracker *tracker, guint64 time, GArray *transitions)
{
    for (guint i = 0; i < tracker->n_labels; i++) {
        if (tracker->states[i].active)
            flip (&tracker->states[i], i, time, transitions);
    }
}

gboolean
altclip_tracker_is_active (AltclipTracker *tracker, guint index)
{
    g_return_val_if_fail (index < tracker->n_labels, FALSE);
    return tracker->states[index].active;
}
