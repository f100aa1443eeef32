/* altclip: the state of labels over time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts.h"

#include <math.h>

typedef struct {
    gboolean active;
    guint64 since;     /* when it became so */
    gboolean crossing; /* the score is across the line, but not for long enough yet */
    guint64 crossed;   /* since when */
    gboolean averages; /* @score is what the next score is averaged with */
    guint64 time;      /* of the last score */
    double peak;       /* while it is active or about to be */
    double score;      /* the last one, averaged; NAN: there was none */
    double last;       /* likewise, not averaged */
    double cosine;     /* likewise */
} State;

/* What the labels with one name of a group come to. */
typedef struct {
    gint label; /* or ALTCLIP_LABEL_UNKNOWN, ALTCLIP_LABEL_NONE */
    guint64 since;
    gboolean touched; /* it may have changed */
    gint best;        /* while that is looked at: the active label of the highest score so far */
} Group;

struct _AltclipTracker {
    AltclipPrompts *prompts;
    State *states;    /* [n_labels] */
    Group *groups;    /* [n_groups]; number 0, of labels without a group, is not used */
    gboolean touched; /* whether any group is */
};

/* ---- Groups ---------------------------------------------------------------------------------- */

static guint
get_group (const AltclipTracker *tracker, guint index)
{
    return altclip_prompts_get_label_group (tracker->prompts, index);
}

static void
touch_group (AltclipTracker *tracker, guint index)
{
    guint group = get_group (tracker, index);

    if (group == 0)
        return;
    tracker->groups[group].touched = TRUE;
    tracker->touched = TRUE;
}

/* Of each touched group the active label of the highest score, the first of equal ones. */
static void
find_best (AltclipTracker *tracker)
{
    for (guint i = 0; i < tracker->prompts->n_labels; i++) {
        Group *group = &tracker->groups[get_group (tracker, i)];

        if (group->touched && tracker->states[i].active &&
                (group->best < 0 || tracker->states[i].score > tracker->states[group->best].score))
            group->best = (gint)i;
    }
}

static void
settle_group (AltclipTracker *tracker, guint number, guint64 time, GArray *changes)
{
    Group *group = &tracker->groups[number];
    AltclipGroupChange change = {
        .group = number,
        .label = group->best,
        .previous = group->label,
        .since = group->since,
        .time = time,
    };

    if (group->best != group->label) {
        group->label = group->best;
        group->since = time;
        if (changes)
            g_array_append_val (changes, change);
    }
    group->touched = FALSE;
    group->best = ALTCLIP_LABEL_UNKNOWN;
}

/* A group's state is looked at only when one of its labels begins or ends: two active labels of
 * nearly the same score do not take turns with every frame. */
static void
settle_groups (AltclipTracker *tracker, guint64 time, GArray *changes)
{
    if (!tracker->touched)
        return;
    find_best (tracker);
    for (guint i = 1; i < tracker->prompts->n_groups; i++) {
        if (tracker->groups[i].touched)
            settle_group (tracker, i, time, changes);
    }
    tracker->touched = FALSE;
}

/* ---- Labels ---------------------------------------------------------------------------------- */

static void
flip (AltclipTracker *tracker, guint index, guint64 time, GArray *transitions)
{
    State *state = &tracker->states[index];
    AltclipTransition transition;

    state->active = !state->active;
    state->crossing = FALSE;
    if (state->active)
        state->since = time;
    transition = (AltclipTransition){
        .index = index,
        .active = state->active,
        .score = state->score,
        .cosine = state->cosine,
        .since = state->since,
        .time = time,
        .peak = state->peak,
    };
    state->since = time;
    g_array_append_val (transitions, transition);
    touch_group (tracker, index);
}

static gboolean
is_across (const State *state, double score, const AltclipLabelRules *rules)
{
    /* threshold · (1 − hysteresis), and below the threshold also where that is negative */
    double release = rules->threshold - fabs (rules->threshold) * rules->hysteresis;

    return state->active ? score < release : score >= rules->threshold;
}

/* Whether the score has been across the line for long enough. A clock that steps back begins anew.
 * What a label begins with, it has its peak from. */
static gboolean
has_stayed (State *state, guint64 time, const AltclipLabelRules *rules)
{
    if (!state->crossing || time < state->crossed) {
        state->crossing = TRUE;
        state->crossed = time;
        if (!state->active)
            state->peak = state->score;
    }
    return time - state->crossed >= (state->active ? rules->min_off : rules->min_on);
}

/* How much a new score counts: 1 − exp (−Δt/τ). In full where there is nothing to average it with,
 * which is so too when the clock steps back, or there is none. */
static double
get_weight (const State *state, guint64 time, guint64 smoothing)
{
    if (smoothing == 0 || !state->averages || state->time == ALTCLIP_TIME_NONE ||
            time < state->time)
        return 1.0;
    return -expm1 (-(double)(time - state->time) / (double)smoothing);
}

static void
add_score (AltclipTracker *tracker, guint index, guint64 time, guint64 smoothing, double score)
{
    State *state = &tracker->states[index];
    double weight = get_weight (state, time, smoothing);

    if (isnan (state->score)) {
        state->since = time;
        touch_group (tracker, index);
    }
    /* Not by way of the average where the score counts in full: it is to be the same to the bit. */
    state->score = weight < 1.0 ? state->score + weight * (score - state->score) : score;
    state->last = score;
    state->averages = TRUE;
    state->time = time;
    if (state->active || state->crossing)
        state->peak = fmax (state->peak, state->score);
}

/* Whether it would flip sooner or later, or would have to be seen not to, if the last score went
 * on. The average comes as near to that score as one likes, and does not quite reach it. Where no
 * time is known, none passes. */
static gboolean
is_on_its_way (const State *state, const AltclipLabelRules *rules)
{
    if (!state->averages || state->time == ALTCLIP_TIME_NONE)
        return FALSE;
    return is_across (state, state->score, rules) ||
           (is_across (state, state->last, rules) && state->last != rules->threshold);
}

/* ---- Public ---------------------------------------------------------------------------------- */

AltclipTracker *
altclip_tracker_new (AltclipPrompts *prompts)
{
    AltclipTracker *tracker = g_new0 (AltclipTracker, 1);

    tracker->prompts = altclip_prompts_ref (prompts);
    tracker->states = g_new0 (State, prompts->n_labels);
    tracker->groups = g_new0 (Group, prompts->n_groups);
    for (guint i = 0; i < prompts->n_labels; i++)
        tracker->states[i].score = tracker->states[i].cosine = NAN;
    for (guint i = 0; i < prompts->n_groups; i++) {
        tracker->groups[i].label = ALTCLIP_LABEL_NONE;
        tracker->groups[i].best = ALTCLIP_LABEL_UNKNOWN;
    }
    return tracker;
}

void
altclip_tracker_free (AltclipTracker *tracker)
{
    if (!tracker)
        return;
    g_free (tracker->states);
    g_free (tracker->groups);
    altclip_prompts_unref (tracker->prompts);
    g_free (tracker);
}

void
altclip_tracker_update (AltclipTracker *tracker, guint64 time, const AltclipLabelRules *rules,
        const double *scores, const double *cosines, GArray *transitions, GArray *changes)
{
    for (guint i = 0; i < tracker->prompts->n_labels; i++) {
        State *state = &tracker->states[i];

        if (isnan (scores[i]))
            continue;
        add_score (tracker, i, time, rules[i].smoothing, scores[i]);
        state->cosine = cosines[i];
        if (!is_across (state, state->score, &rules[i]))
            state->crossing = FALSE;
        else if (has_stayed (state, time, &rules[i]))
            flip (tracker, i, time, transitions);
    }
    settle_groups (tracker, time, changes);
}

void
altclip_tracker_end (AltclipTracker *tracker, guint64 time, GArray *transitions, GArray *changes)
{
    for (guint i = 0; i < tracker->prompts->n_labels; i++) {
        State *state = &tracker->states[i];

        state->crossing = FALSE;
        state->averages = FALSE;
        if (state->active)
            flip (tracker, i, time, transitions);
    }
    settle_groups (tracker, time, changes);
}

void
altclip_tracker_hold (
        AltclipTracker *tracker, guint64 from, guint64 until, const AltclipLabelRules *rules)
{
    if (from == ALTCLIP_TIME_NONE || until == ALTCLIP_TIME_NONE || until <= from)
        return;
    for (guint i = 0; i < tracker->prompts->n_labels; i++) {
        const State *state = &tracker->states[i];

        if (state->averages && state->time == from)
            add_score (tracker, i, until, rules[i].smoothing, state->last);
    }
}

gboolean
altclip_tracker_is_settled (AltclipTracker *tracker, const AltclipLabelRules *rules)
{
    for (guint i = 0; i < tracker->prompts->n_labels; i++) {
        if (is_on_its_way (&tracker->states[i], &rules[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean
altclip_tracker_is_active (AltclipTracker *tracker, guint index)
{
    g_return_val_if_fail (index < tracker->prompts->n_labels, FALSE);
    return tracker->states[index].active;
}

void
altclip_tracker_get_label (AltclipTracker *tracker, guint index, AltclipLabelState *state)
{
    const State *from;

    g_return_if_fail (index < tracker->prompts->n_labels);
    from = &tracker->states[index];
    *state = (AltclipLabelState){
        .active = from->active,
        .score = from->score,
        .cosine = from->cosine,
        .since = isnan (from->score) ? ALTCLIP_TIME_NONE : from->since,
    };
}

gint
altclip_tracker_get_group (AltclipTracker *tracker, guint group, guint64 *since)
{
    g_return_val_if_fail (group > 0 && group < tracker->prompts->n_groups, ALTCLIP_LABEL_NONE);
    *since = tracker->groups[group].label == ALTCLIP_LABEL_NONE ? ALTCLIP_TIME_NONE
                                                                : tracker->groups[group].since;
    return tracker->groups[group].label;
}
