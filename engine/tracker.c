/* altclip: the state of labels over time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <math.h>

typedef struct {
    gboolean active;
    guint64 since;
    gboolean crossing; /* the score is across the line, but not for long enough yet */
    guint64 crossed;   /* since when */
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
    state->crossing = FALSE;
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

static gboolean
is_across (const State *state, const AltclipLabelRules *rules)
{
    /* threshold · (1 − hysteresis), and below the threshold also where that is negative */
    double release = rules->threshold - fabs (rules->threshold) * rules->hysteresis;

    return state->active ? state->score < release : state->score >= rules->threshold;
}

/* Whether the score has been across the line for long enough. A clock that steps back begins anew.
 */
static gboolean
has_stayed (State *state, guint64 time, const AltclipLabelRules *rules)
{
    if (!state->crossing || time < state->crossed) {
        state->crossing = TRUE;
        state->crossed = time;
    }
    return time - state->crossed >= (state->active ? rules->min_off : rules->min_on);
}

void
altclip_tracker_update (AltclipTracker *tracker, guint64 time, const AltclipLabelRules *rules,
        const double *scores, const double *cosines, GArray *transitions)
{
    for (guint i = 0; i < tracker->n_labels; i++) {
        State *state = &tracker->states[i];

        if (isnan (scores[i]))
            continue;
        state->score = scores[i];
        state->cosine = cosines[i];
        if (state->active)
            state->peak = fmax (state->peak, scores[i]);
        if (!is_across (state, &rules[i]))
            state->crossing = FALSE;
        else if (has_stayed (state, time, &rules[i]))
            flip (state, i, time, transitions);
    }
}

void
altclip_tracker_end (AltclipTracker *tracker, guint64 time, GArray *transitions)
{
    for (guint i = 0; i < tracker->n_labels; i++) {
        State *state = &tracker->states[i];

        state->crossing = FALSE;
        if (state->active)
            flip (state, i, time, transitions);
    }
}

gboolean
altclip_tracker_is_active (AltclipTracker *tracker, guint index)
{
    g_return_val_if_fail (index < tracker->n_labels, FALSE);
    return tracker->states[index].active;
}
