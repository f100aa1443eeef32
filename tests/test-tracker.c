/* altclip: the state of labels over time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts_file.h"

#include <math.h>
#include <string.h>

/* In @json ' stands for ". */
static AltclipPrompts *
parse_json (const char *json)
{
    g_autofree char *text = g_strdelimit (g_strdup (json), "'", '"');
    g_autoptr (GError) error = NULL;
    AltclipPrompts *prompts =
            altclip_prompts_parse_file ("f.json", ".", text, strlen (text), NULL, &error);

    g_assert_no_error (error);
    return prompts;
}

/* Of labels without groups. */
static AltclipTracker *
new_tracker (guint n_labels)
{
    GString *text = g_string_new (NULL);
    g_autoptr (AltclipPrompts) prompts = NULL;

    for (guint i = 0; i < n_labels; i++)
        g_string_append_printf (text, "label %u;", i);
    prompts = altclip_prompts_parse (text->str, NULL, NULL, NULL);
    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, n_labels);
    g_string_free (text, TRUE);
    return altclip_tracker_new (prompts);
}

/* ---- Thresholds and times -------------------------------------------------------------------- */

static void
check_transition (GArray *transitions, guint at, AltclipTransition expected)
{
    const AltclipTransition *got = &g_array_index (transitions, AltclipTransition, at);

    g_assert_cmpuint (got->index, ==, expected.index);
    g_assert_cmpint (got->active, ==, expected.active);
    g_assert_cmpfloat (got->score, ==, expected.score);
    g_assert_cmpfloat (got->cosine, ==, expected.cosine);
    g_assert_cmpuint (got->since, ==, expected.since);
    g_assert_cmpuint (got->time, ==, expected.time);
    g_assert_cmpfloat (got->peak, ==, expected.peak);
}

static void
test_tracker (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (2);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const double scores[][2] = { { 0.49, 0.5 }, { 0.5, 0.9 }, { 0.7, NAN }, { 0.4, 0.3 },
        { 0.39, 0.45 } };
    const double cosines[] = { 0.25, 0.5 };
    const AltclipLabelRules rules[] = { { 0.5, 0.2, 0, 0, 0 }, { 0.5, 0.2, 0, 0, 0 } };

    for (guint i = 0; i < G_N_ELEMENTS (scores); i++)
        altclip_tracker_update (tracker, 10 * i, rules, scores[i], cosines, transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 4);
    check_transition (transitions, 0, (AltclipTransition){ 1, TRUE, 0.5, 0.5, 0, 0, 0.5 });
    check_transition (transitions, 1, (AltclipTransition){ 0, TRUE, 0.5, 0.25, 10, 10, 0.5 });
    check_transition (transitions, 2, (AltclipTransition){ 1, FALSE, 0.3, 0.5, 0, 30, 0.9 });
    check_transition (transitions, 3, (AltclipTransition){ 0, FALSE, 0.39, 0.25, 10, 40, 0.7 });
    g_assert_false (altclip_tracker_is_active (tracker, 0));
}

static void
test_tracker_end (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (2);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const double scores[] = { 0.1, 0.8 };
    const double cosines[] = { 0.2, 0.3 };
    const AltclipLabelRules rules[] = { { 0.5, 0.2, 0, 0, 0 }, { 0.5, 0.2, 0, 0, 0 } };

    altclip_tracker_end (tracker, 1, transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 0);
    altclip_tracker_update (tracker, 5, rules, scores, cosines, transitions, NULL);
    g_assert_true (altclip_tracker_is_active (tracker, 1));
    altclip_tracker_end (tracker, 9, transitions, NULL);
    altclip_tracker_end (tracker, 10, transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 2);
    check_transition (transitions, 1, (AltclipTransition){ 1, FALSE, 0.8, 0.3, 5, 9, 0.8 });
}

/* A cosine's threshold may be negative; the line to fall below is still the lower one. */
static void
test_tracker_negative (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const double scores[] = { -0.1, -0.11, -0.13 };
    const AltclipLabelRules rules = { -0.1, 0.2, 0, 0, 0 };

    for (guint i = 0; i < G_N_ELEMENTS (scores); i++)
        altclip_tracker_update (tracker, i, &rules, &scores[i], &scores[i], transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 2);
    check_transition (transitions, 1, (AltclipTransition){ 0, FALSE, -0.13, -0.13, 0, 2, -0.1 });
}

static void
test_tracker_rules (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (2);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules[] = { { 0.9, 0.5, 0, 0, 0 }, { 0.3, 0, 0, 0, 0 } };
    const double scores[][2] = { { 0.8, 0.8 }, { 0.9, 0.29 }, { 0.45, 0.1 }, { 0.4, 0.1 } };

    for (guint i = 0; i < G_N_ELEMENTS (scores); i++)
        altclip_tracker_update (tracker, i, rules, scores[i], scores[i], transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 4);
    check_transition (transitions, 0, (AltclipTransition){ 1, TRUE, 0.8, 0.8, 0, 0, 0.8 });
    check_transition (transitions, 1, (AltclipTransition){ 0, TRUE, 0.9, 0.9, 1, 1, 0.9 });
    check_transition (transitions, 2, (AltclipTransition){ 1, FALSE, 0.29, 0.29, 0, 1, 0.8 });
    check_transition (transitions, 3, (AltclipTransition){ 0, FALSE, 0.4, 0.4, 1, 3, 0.9 });
}

typedef struct {
    guint64 time;
    double score;
    gboolean active; /* expected afterwards */
} Step;

/* One label with the threshold 0.5, on from 30 ns above, off from 20 ns below 0.4. */
static void
check_steps (const Step *steps, guint n)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules = { 0.5, 0.2, 30, 20, 0 };

    for (guint i = 0; i < n; i++) {
        guint n_before = transitions->len;
        gboolean was_active = altclip_tracker_is_active (tracker, 0);

        altclip_tracker_update (tracker, steps[i].time, &rules, &steps[i].score, &steps[i].score,
                transitions, NULL);
        g_assert_cmpint (altclip_tracker_is_active (tracker, 0), ==, steps[i].active);
        g_assert_cmpuint (transitions->len, ==, n_before + (was_active != steps[i].active));
        if (was_active != steps[i].active)
            g_assert_cmpuint (g_array_index (transitions, AltclipTransition, n_before).time, ==,
                    steps[i].time);
    }
}

static void
test_tracker_times (void)
{
    const Step steady[] = { { 0, 0.6, FALSE }, { 29, 0.6, FALSE }, { 30, 0.5, TRUE },
        { 40, 0.3, TRUE }, { 59, 0.3, TRUE }, { 60, 0.39, FALSE } };
    const Step flicker[] = { { 0, 0.6, FALSE }, { 20, 0.49, FALSE }, { 25, 0.6, FALSE },
        { 50, 0.6, FALSE }, { 54, NAN, FALSE }, { 55, 0.6, TRUE }, { 60, 0.3, TRUE },
        { 70, 0.4, TRUE }, { 75, 0.3, TRUE }, { 90, 0.3, TRUE }, { 95, 0.3, FALSE } };
    const Step backwards[] = { { 100, 0.6, FALSE }, { 50, 0.6, FALSE }, { 79, 0.6, FALSE },
        { 80, 0.6, TRUE } };

    check_steps (steady, G_N_ELEMENTS (steady));
    check_steps (flicker, G_N_ELEMENTS (flicker));
    check_steps (backwards, G_N_ELEMENTS (backwards));
}

/* An ending forgets what was about to begin. */
static void
test_tracker_times_end (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules = { 0.5, 0.2, 30, 20, 0 };
    const double score = 0.6;

    altclip_tracker_update (tracker, 0, &rules, &score, &score, transitions, NULL);
    altclip_tracker_end (tracker, 10, transitions, NULL);
    altclip_tracker_update (tracker, 40, &rules, &score, &score, transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 0);
    altclip_tracker_update (tracker, 70, &rules, &score, &score, transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 1);
    check_transition (transitions, 0, (AltclipTransition){ 0, TRUE, 0.6, 0.6, 70, 70, 0.6 });
}

/* The peak is of the scores that the label began with too, and of no others before. */
static void
test_tracker_peak (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules = { 0.5, 0.2, 30, 20, 0 };
    const double scores[] = { 0.99, 0.4, 0.6, 0.9, 0.5, 0.55, 0.7, 0.3, 0.39, 0.3, 0.8, 0.6, 0.6,
        0.6, 0.3, 0.3, 0.3 };

    for (guint i = 0; i < G_N_ELEMENTS (scores); i++)
        altclip_tracker_update (tracker, 10 * i, &rules, &scores[i], &scores[i], transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 4);
    check_transition (transitions, 0, (AltclipTransition){ 0, TRUE, 0.55, 0.55, 50, 50, 0.9 });
    check_transition (transitions, 1, (AltclipTransition){ 0, FALSE, 0.3, 0.3, 50, 90, 0.9 });
    check_transition (transitions, 2, (AltclipTransition){ 0, TRUE, 0.6, 0.6, 130, 130, 0.8 });
    check_transition (transitions, 3, (AltclipTransition){ 0, FALSE, 0.3, 0.3, 130, 160, 0.8 });
}

/* ---- Averages -------------------------------------------------------------------------------- */

#define TAU 1000

static double
get_score (AltclipTracker *tracker, guint index)
{
    AltclipLabelState state;

    altclip_tracker_get_label (tracker, index, &state);
    return state.score;
}

/* Gives a score of which nothing comes but the average. */
static double
average (AltclipTracker *tracker, guint64 time, guint64 smoothing, double score)
{
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules = { 2.0, 0.2, 0, 0, smoothing };

    altclip_tracker_update (tracker, time, &rules, &score, &score, transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 0);
    return get_score (tracker, 0);
}

/* However often it is looked at, a step is 1 − 1/e of the way after τ. */
static void
test_average_step (void)
{
    const guint64 steps[] = { 1, 7, 40, 333, 1000 };

    for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
        g_autoptr (AltclipTracker) tracker = new_tracker (1);
        guint64 time;

        g_assert_cmpfloat (average (tracker, 500, TAU, 0.25), ==, 0.25);
        for (time = 500 + steps[i]; time < 500 + TAU; time += steps[i])
            average (tracker, time, TAU, 0.75);
        g_assert_cmpfloat_with_epsilon (
                average (tracker, 500 + TAU, TAU, 0.75), 0.75 - 0.5 * exp (-1), 1e-12);
        g_assert_cmpfloat_with_epsilon (
                average (tracker, 500 + 3 * TAU, TAU, 0.75), 0.75 - 0.5 * exp (-3), 1e-12);
    }
}

/* Where there is nothing to average with, a score counts in full. */
static void
test_average_anew (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    double moved = 0.2 + (0.6 - 0.2) * (1 - exp (-0.5));

    g_assert_true (isnan (get_score (tracker, 0)));
    average (tracker, 1000, TAU, 0.2);
    g_assert_cmpfloat (average (tracker, 1000, TAU, 0.9), ==, 0.2);
    g_assert_cmpfloat_with_epsilon (average (tracker, 1500, TAU, 0.6), moved, 1e-12);
    g_assert_cmpfloat (average (tracker, 1600, TAU, NAN), ==, get_score (tracker, 0));
    g_assert_cmpfloat (average (tracker, 1400, TAU, 0.8), ==, 0.8);
    g_assert_cmpfloat (average (tracker, 1500, 0, 0.1), ==, 0.1);
    altclip_tracker_end (tracker, 1500, transitions, NULL);
    g_assert_cmpfloat (get_score (tracker, 0), ==, 0.1);
    g_assert_cmpfloat (average (tracker, 1501, TAU, 0.7), ==, 0.7);
    g_assert_cmpuint (transitions->len, ==, 0);
}

/* Without times there is no average; the first time is where one begins. */
static void
test_average_no_times (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);

    average (tracker, ALTCLIP_TIME_NONE, TAU, 0.2);
    g_assert_cmpfloat (average (tracker, ALTCLIP_TIME_NONE, TAU, 0.9), ==, 0.9);
    g_assert_cmpfloat (average (tracker, 0, TAU, 0.4), ==, 0.4);
    g_assert_cmpfloat_with_epsilon (average (tracker, TAU, TAU, 0.8), 0.8 - 0.4 * exp (-1), 1e-12);
}

/* The line is held against the average, and the peak is one. */
static void
test_average_transitions (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules = { 0.5, 0.2, 0, 0, TAU };
    const double scores[] = { 0, 1, 1, 0, 0 };
    double average = 0;
    double peak = 0;

    for (guint i = 0; i < G_N_ELEMENTS (scores); i++) {
        average += i > 0 ? (scores[i] - average) * (1 - exp (-0.5)) : 0;
        peak = MAX (peak, average);
        altclip_tracker_update (
                tracker, i * TAU / 2, &rules, &scores[i], &scores[i], transitions, NULL);
        g_assert_cmpfloat_with_epsilon (get_score (tracker, 0), average, 1e-12);
    }
    g_assert_cmpuint (transitions->len, ==, 2);
    g_assert_cmpuint (g_array_index (transitions, AltclipTransition, 0).time, ==, TAU);
    g_assert_cmpuint (g_array_index (transitions, AltclipTransition, 1).time, ==, 3 * TAU / 2);
    g_assert_cmpfloat (g_array_index (transitions, AltclipTransition, 1).cosine, ==, 0);
    g_assert_cmpfloat_with_epsilon (
            g_array_index (transitions, AltclipTransition, 1).peak, peak, 1e-12);
}

/* ---- Settled --------------------------------------------------------------------------------- */

/* Whether the tracker is settled after a score of its only label. */
static gboolean
settles (AltclipTracker *tracker, guint64 time, const AltclipLabelRules *rules, double score)
{
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));

    altclip_tracker_update (tracker, time, rules, &score, &score, transitions, NULL);
    return altclip_tracker_is_settled (tracker, rules);
}

/* While it waits for min_on and min_off, and no longer. */
static void
test_settled_times (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules = { 0.5, 0.2, 30, 20, 0 };

    g_assert_true (altclip_tracker_is_settled (tracker, &rules));
    g_assert_true (settles (tracker, 0, &rules, 0.4));
    g_assert_false (settles (tracker, 10, &rules, 0.5));
    g_assert_true (settles (tracker, 20, &rules, 0.4));
    g_assert_false (settles (tracker, 30, &rules, 0.6));
    g_assert_false (settles (tracker, 59, &rules, 0.6));
    g_assert_true (settles (tracker, 60, &rules, 0.6));
    g_assert_true (settles (tracker, 70, &rules, 0.45));
    g_assert_false (settles (tracker, 80, &rules, 0.3));
    g_assert_false (settles (tracker, 90, &rules, NAN));
    g_assert_true (settles (tracker, 100, &rules, 0.3));
    g_assert_false (settles (tracker, 110, &rules, 0.6));
    altclip_tracker_end (tracker, 120, transitions, NULL);
    g_assert_true (altclip_tracker_is_settled (tracker, &rules));
}

/* While the average is on its way to the line, or still across it; not when it ends at it. */
static void
test_settled_average (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    const AltclipLabelRules rules = { 0.5, 0.5, 0, 0, TAU };

    g_assert_true (settles (tracker, 0, &rules, 0));
    g_assert_false (settles (tracker, 10, &rules, 0.51));
    g_assert_true (settles (tracker, 20, &rules, 0.5));
    g_assert_false (settles (tracker, 30, &rules, 1));
    g_assert_false (settles (tracker, TAU / 2, &rules, 1));
    g_assert_true (settles (tracker, TAU, &rules, 1));
    g_assert_true (settles (tracker, TAU, &rules, 0.25));
    g_assert_false (settles (tracker, TAU, &rules, 0.24));
    g_assert_true (settles (tracker, 6 * TAU, &rules, 0.24 - 0.2));
}

/* Without times nothing comes of waiting. */
static void
test_settled_no_times (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (1);
    const AltclipLabelRules rules = { 0.5, 0.2, 30, 20, TAU };

    g_assert_true (settles (tracker, ALTCLIP_TIME_NONE, &rules, 0.9));
    g_assert_false (settles (tracker, 0, &rules, 0.9));
}

/* What is held counts as if it had been scored all the while, for labels with a score from then. */
static void
test_hold (void)
{
    g_autoptr (AltclipTracker) tracker = new_tracker (2);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    const AltclipLabelRules rules[] = { { 0.5, 0.5, 0, 0, TAU }, { 0.5, 0.5, 0, 0, TAU } };
    const double scores[][2] = { { 0, 0 }, { 0.3, NAN }, { 0.6, 0.6 } };

    altclip_tracker_hold (tracker, 0, 10, rules);
    g_assert_true (isnan (get_score (tracker, 0)));
    altclip_tracker_update (tracker, 0, rules, scores[0], scores[0], transitions, NULL);
    altclip_tracker_update (tracker, TAU, rules, scores[1], scores[1], transitions, NULL);
    altclip_tracker_hold (tracker, TAU, 3 * TAU, rules);
    altclip_tracker_hold (tracker, TAU, 2 * TAU, rules);
    altclip_tracker_hold (tracker, 3 * TAU, TAU, rules);
    altclip_tracker_hold (tracker, ALTCLIP_TIME_NONE, 4 * TAU, rules);
    g_assert_cmpfloat_with_epsilon (get_score (tracker, 0), 0.3 - 0.3 * exp (-3), 1e-12);
    g_assert_cmpfloat (get_score (tracker, 1), ==, 0);
    altclip_tracker_update (tracker, 3 * TAU, rules, scores[2], scores[2], transitions, NULL);
    g_assert_cmpfloat_with_epsilon (get_score (tracker, 0), 0.3 - 0.3 * exp (-3), 1e-12);
    g_assert_cmpfloat_with_epsilon (get_score (tracker, 1), 0.6 - 0.6 * exp (-3), 1e-12);
    /* What is highest while it is held is a peak too. */
    g_assert_cmpuint (transitions->len, ==, 1);
    altclip_tracker_hold (tracker, 3 * TAU, 9 * TAU, rules);
    altclip_tracker_end (tracker, 9 * TAU, transitions, NULL);
    g_assert_cmpuint (transitions->len, ==, 2);
    g_assert_cmpfloat_with_epsilon (
            g_array_index (transitions, AltclipTransition, 1).peak, 0.6 - 0.6 * exp (-9), 1e-12);
}

/* ---- Groups ---------------------------------------------------------------------------------- */

#define UNKNOWN ALTCLIP_LABEL_UNKNOWN
#define NONE ALTCLIP_LABEL_NONE

/* Two groups: g of labels 0, 1 and 2, h of label 4; label 3 is in none. */
static const char GROUPS[] =
        "{'version': 1, 'threshold': 0.5, 'hysteresis': 0.2, 'labels': ["
        "{'label': 'a', 'group': 'g'}, {'label': 'b', 'group': 'g'},"
        "{'label': 'c', 'group': 'g'}, {'label': 'd'}, {'label': 'e', 'group': 'h'}]}";

typedef struct {
    AltclipPrompts *prompts;
    AltclipTracker *tracker;
    GArray *transitions;
    GArray *changes;
    AltclipLabelRules rules[5];
} Grouped;

static void
grouped_init (Grouped *grouped, gconstpointer data)
{
    const AltclipLabelRules defaults = { 0.9, 0.9, 0, 0, 0 };

    (void)data;
    grouped->prompts = parse_json (GROUPS);
    grouped->tracker = altclip_tracker_new (grouped->prompts);
    grouped->transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    grouped->changes = g_array_new (FALSE, FALSE, sizeof (AltclipGroupChange));
    altclip_prompts_get_rules (grouped->prompts, &defaults, grouped->rules);
}

static void
grouped_clear (Grouped *grouped, gconstpointer data)
{
    (void)data;
    altclip_tracker_free (grouped->tracker);
    altclip_prompts_unref (grouped->prompts);
    g_array_unref (grouped->transitions);
    g_array_unref (grouped->changes);
}

static void
check_change (Grouped *grouped, guint at, AltclipGroupChange expected)
{
    const AltclipGroupChange *got = &g_array_index (grouped->changes, AltclipGroupChange, at);

    g_assert_cmpuint (at, <, grouped->changes->len);
    g_assert_cmpuint (got->group, ==, expected.group);
    g_assert_cmpint (got->label, ==, expected.label);
    g_assert_cmpint (got->previous, ==, expected.previous);
    if (got->previous != NONE)
        g_assert_cmpuint (got->since, ==, expected.since);
    g_assert_cmpuint (got->time, ==, expected.time);
}

static void
update (Grouped *grouped, guint64 time, const double *scores)
{
    g_array_set_size (grouped->changes, 0);
    altclip_tracker_update (grouped->tracker, time, grouped->rules, scores, scores,
            grouped->transitions, grouped->changes);
}

static void
check_group (Grouped *grouped, guint group, gint label, guint64 since)
{
    guint64 got;

    g_assert_cmpint (altclip_tracker_get_group (grouped->tracker, group, &got), ==, label);
    g_assert_cmpuint (got, ==, since);
}

static void
test_groups (Grouped *grouped, gconstpointer data)
{
    (void)data;
    g_assert_cmpuint (altclip_prompts_get_n_groups (grouped->prompts), ==, 3);
    g_assert_null (altclip_prompts_get_group_name (grouped->prompts, 0));
    g_assert_cmpstr (altclip_prompts_get_group_name (grouped->prompts, 1), ==, "g");
    g_assert_cmpstr (altclip_prompts_get_group_name (grouped->prompts, 2), ==, "h");
    check_group (grouped, 1, NONE, ALTCLIP_TIME_NONE);

    /* The first states, one of them unknown. */
    update (grouped, 10, (double[]){ 0.1, 0.6, 0.3, 0.9, 0.1 });
    g_assert_cmpuint (grouped->changes->len, ==, 2);
    check_change (grouped, 0, (AltclipGroupChange){ 1, 1, NONE, 0, 10 });
    check_change (grouped, 1, (AltclipGroupChange){ 2, UNKNOWN, NONE, 0, 10 });

    /* From one label to another without unknown in between, and of a label without a group. */
    update (grouped, 20, (double[]){ 0.7, 0.1, 0.2, 0.1, 0.4 });
    g_assert_cmpuint (grouped->changes->len, ==, 1);
    check_change (grouped, 0, (AltclipGroupChange){ 1, 0, 1, 10, 20 });

    update (grouped, 30, (double[]){ 0.3, 0.3, 0.3, 0.1, 0.5 });
    g_assert_cmpuint (grouped->changes->len, ==, 2);
    check_change (grouped, 0, (AltclipGroupChange){ 1, UNKNOWN, 0, 20, 30 });
    check_change (grouped, 1, (AltclipGroupChange){ 2, 4, UNKNOWN, 10, 30 });
    check_group (grouped, 1, UNKNOWN, 30);
    check_group (grouped, 2, 4, 30);
}

/* Two active labels: the better one when one begins or ends, and it stays while neither does. */
static void
test_groups_overlap (Grouped *grouped, gconstpointer data)
{
    (void)data;
    update (grouped, 0, (double[]){ 0.6, 0, 0, 0, NAN });
    g_assert_cmpuint (grouped->changes->len, ==, 1);
    update (grouped, 1, (double[]){ 0.5, 0.5, 0, 0, NAN });
    g_assert_cmpuint (grouped->changes->len, ==, 0);
    update (grouped, 2, (double[]){ 0.5, 0.9, 0, 0, NAN });
    g_assert_cmpuint (grouped->changes->len, ==, 0);
    update (grouped, 3, (double[]){ 0.5, 0.6, 0.55, 0, NAN });
    g_assert_cmpuint (grouped->changes->len, ==, 1);
    check_change (grouped, 0, (AltclipGroupChange){ 1, 1, 0, 0, 3 });
    update (grouped, 4, (double[]){ 0.5, 0.1, 0.7, 0, NAN });
    check_change (grouped, 0, (AltclipGroupChange){ 1, 2, 1, 3, 4 });
    check_group (grouped, 2, NONE, ALTCLIP_TIME_NONE);
    update (grouped, 5, (double[]){ NAN, NAN, NAN, NAN, 0.2 });
    g_assert_cmpuint (grouped->changes->len, ==, 1);
    check_change (grouped, 0, (AltclipGroupChange){ 2, UNKNOWN, NONE, 0, 5 });
}

static void
test_groups_end (Grouped *grouped, gconstpointer data)
{
    (void)data;
    altclip_tracker_end (grouped->tracker, 0, grouped->transitions, grouped->changes);
    g_assert_cmpuint (grouped->changes->len, ==, 0);
    update (grouped, 10, (double[]){ 0, 0, 0.8, 0.8, 0 });
    g_array_set_size (grouped->changes, 0);
    altclip_tracker_end (grouped->tracker, 15, grouped->transitions, grouped->changes);
    g_assert_cmpuint (grouped->changes->len, ==, 1);
    check_change (grouped, 0, (AltclipGroupChange){ 1, UNKNOWN, 2, 10, 15 });
    g_assert_cmpuint (grouped->transitions->len, ==, 4);
    altclip_tracker_end (grouped->tracker, 16, grouped->transitions, grouped->changes);
    g_assert_cmpuint (grouped->changes->len, ==, 1);
    check_group (grouped, 1, UNKNOWN, 15);
    update (grouped, 20, (double[]){ 0, 0, 0, 0, 0 });
    g_assert_cmpuint (grouped->changes->len, ==, 0);
}

static void
check_label (Grouped *grouped, guint index, AltclipLabelState expected)
{
    AltclipLabelState state;

    altclip_tracker_get_label (grouped->tracker, index, &state);
    g_assert_cmpint (state.active, ==, expected.active);
    g_assert_cmpfloat (state.score, ==, expected.score);
    g_assert_cmpfloat (state.cosine, ==, expected.cosine);
    g_assert_cmpuint (state.since, ==, expected.since);
}

/* Since when: the first score, the beginning, the ending. */
static void
test_label_states (Grouped *grouped, gconstpointer data)
{
    AltclipLabelState state;

    (void)data;
    altclip_tracker_get_label (grouped->tracker, 0, &state);
    g_assert_false (state.active);
    g_assert_true (isnan (state.score) && isnan (state.cosine));
    g_assert_cmpuint (state.since, ==, ALTCLIP_TIME_NONE);
    update (grouped, 5, (double[]){ 0.25, 0.75, NAN, 0, 0 });
    update (grouped, 6, (double[]){ 0.125, 0.875, NAN, 0, 0 });
    check_label (grouped, 0, (AltclipLabelState){ FALSE, 0.125, 0.125, 5 });
    check_label (grouped, 1, (AltclipLabelState){ TRUE, 0.875, 0.875, 5 });
    update (grouped, 7, (double[]){ 0.625, 0.25, NAN, 0, 0 });
    check_label (grouped, 0, (AltclipLabelState){ TRUE, 0.625, 0.625, 7 });
    check_label (grouped, 1, (AltclipLabelState){ FALSE, 0.25, 0.25, 7 });
    altclip_tracker_end (grouped->tracker, 9, grouped->transitions, NULL);
    check_label (grouped, 0, (AltclipLabelState){ FALSE, 0.625, 0.625, 9 });
    check_label (grouped, 1, (AltclipLabelState){ FALSE, 0.25, 0.25, 7 });
}

/* ---- By definition --------------------------------------------------------------------------- */

/* The same, found without remembering anything but the scores: each average from all scores, each
 * state from all averages. */

#define N_FRAMES 400
#define N_LABELS 5

typedef struct {
    guint64 time;
    double score;
} Sample;

typedef struct {
    GArray *samples;  /* (element-type Sample): since the last ending of all */
    GArray *averages; /* (element-type double): of each of these */
    guint first;      /* sample that may count for the next flip */
    gboolean active;
    guint64 began;
    double peak;
} Oracle;

static double
compute_average (const GArray *samples, double tau)
{
    const Sample *at = &g_array_index (samples, Sample, 0);
    const Sample *last = at + samples->len - 1;
    double sum;

    if (tau == 0)
        return last->score;
    sum = at->score * exp (-(double)(last->time - at->time) / tau);
    while (at++ < last)
        sum += at->score * (1 - exp (-(double)(at->time - at[-1].time) / tau)) *
               exp (-(double)(last->time - at->time) / tau);
    return sum;
}

/* Returns: the first sample of those in a row whose averages are on the other side by now; the
 * number of all when the last is not */
static guint
find_crossing (const Oracle *oracle, const AltclipLabelRules *rules)
{
    double line = oracle->active ? rules->threshold * (1 - rules->hysteresis) : rules->threshold;
    guint at = oracle->samples->len;

    while (at > oracle->first &&
            (g_array_index (oracle->averages, double, at - 1) >= line) != oracle->active)
        at--;
    return at;
}

/* The highest average from number @at on. */
static double
find_peak (const Oracle *oracle, guint at)
{
    double peak = g_array_index (oracle->averages, double, at);

    while (++at < oracle->averages->len)
        peak = fmax (peak, g_array_index (oracle->averages, double, at));
    return peak;
}

static gboolean
oracle_flips (Oracle *oracle, const AltclipLabelRules *rules, guint64 time, double score)
{
    const Sample sample = { time, score };
    double mean;
    guint at;

    g_array_append_val (oracle->samples, sample);
    mean = compute_average (oracle->samples, (double)rules->smoothing);
    g_array_append_val (oracle->averages, mean);
    oracle->peak = fmax (oracle->peak, mean);
    at = find_crossing (oracle, rules);
    if (at == oracle->samples->len || time - g_array_index (oracle->samples, Sample, at).time <
                                              (oracle->active ? rules->min_off : rules->min_on))
        return FALSE;
    if (!oracle->active)
        oracle->peak = find_peak (oracle, at);
    oracle->first = oracle->samples->len;
    return TRUE;
}

static void
oracle_end (Oracle *oracle)
{
    g_array_set_size (oracle->samples, 0);
    g_array_set_size (oracle->averages, 0);
    oracle->first = 0;
    oracle->active = FALSE;
}

static void
check_flip (Oracle *oracle, const AltclipTransition *got, guint index, guint64 time)
{
    oracle->active = !oracle->active;
    if (oracle->active)
        oracle->began = time;
    g_assert_cmpuint (got->index, ==, index);
    g_assert_cmpint (got->active, ==, oracle->active);
    g_assert_cmpuint (got->time, ==, time);
    g_assert_cmpuint (got->since, ==, oracle->began);
    g_assert_cmpfloat_with_epsilon (got->peak, oracle->peak, 1e-9);
}

/* What groups come to follows from what the labels did, and from what they come to before. */
static void
check_groups (const Grouped *grouped, gint *states)
{
    for (guint i = 0; i < grouped->changes->len; i++) {
        const AltclipGroupChange *change = &g_array_index (grouped->changes, AltclipGroupChange, i);
        g_assert_cmpint (change->previous, ==, states[change->group]);
        g_assert_cmpint (change->label, !=, change->previous);
        states[change->group] = change->label;
    }
    for (guint group = 1; group < 3; group++) {
        gboolean any = FALSE;
        for (guint i = 0; i < N_LABELS; i++)
            any = any || (altclip_prompts_get_label_group (grouped->prompts, i) == group &&
                                 altclip_tracker_is_active (grouped->tracker, i));
        if (states[group] >= 0)
            g_assert_true (altclip_tracker_is_active (grouped->tracker, (guint)states[group]));
        g_assert_cmpint (states[group] >= 0, ==, any);
    }
}

static void
check_frame (Grouped *grouped, Oracle *oracles, guint64 time, const double *scores)
{
    guint at = 0;

    g_array_set_size (grouped->transitions, 0);
    update (grouped, time, scores);
    for (guint i = 0; i < N_LABELS; i++) {
        if (isnan (scores[i]))
            continue;
        if (oracle_flips (&oracles[i], &grouped->rules[i], time, scores[i])) {
            g_assert_cmpuint (at, <, grouped->transitions->len);
            check_flip (&oracles[i], &g_array_index (grouped->transitions, AltclipTransition, at++),
                    i, time);
        }
        g_assert_cmpfloat_with_epsilon (get_score (grouped->tracker, i),
                g_array_index (oracles[i].averages, double, oracles[i].averages->len - 1), 1e-9);
    }
    g_assert_cmpuint (grouped->transitions->len, ==, at);
}

/* A score that goes about, with frames that have none. */
static double
draw_score (GRand *random, double last)
{
    if (g_rand_int_range (random, 0, 20) == 0)
        return NAN;
    if (isnan (last) || g_rand_int_range (random, 0, 8) == 0)
        return g_rand_double (random);
    return CLAMP (last + g_rand_double_range (random, -0.15, 0.15), 0.0, 1.0);
}

static void
draw_rules (GRand *random, AltclipLabelRules *rules)
{
    for (guint i = 0; i < N_LABELS; i++) {
        gboolean plain = g_rand_int_range (random, 0, 3) == 0;
        rules[i] = (AltclipLabelRules){
            .threshold = g_rand_double_range (random, 0.2, 0.8),
            .hysteresis = g_rand_double_range (random, 0.0, 0.5),
            .min_on = plain ? 0 : (guint64)g_rand_int_range (random, 0, 300),
            .min_off = plain ? 0 : (guint64)g_rand_int_range (random, 0, 300),
            .smoothing = plain ? 0 : (guint64)g_rand_int_range (random, 0, 400),
        };
    }
}

static void
check_ends (Grouped *grouped, Oracle *oracles, guint64 time)
{
    guint n = 0;

    g_array_set_size (grouped->transitions, 0);
    g_array_set_size (grouped->changes, 0);
    for (guint i = 0; i < N_LABELS; i++) {
        n += (guint)oracles[i].active;
        oracle_end (&oracles[i]);
    }
    altclip_tracker_end (grouped->tracker, time, grouped->transitions, grouped->changes);
    g_assert_cmpuint (grouped->transitions->len, ==, n);
}

static void
check_run (Grouped *grouped, GRand *random, Oracle *oracles)
{
    double scores[N_LABELS] = { NAN, NAN, NAN, NAN, NAN };
    gint states[] = { NONE, NONE, NONE };
    guint64 time = 0;

    draw_rules (random, grouped->rules);
    for (guint n = 0; n < N_FRAMES; n++) {
        time += (guint64)g_rand_int_range (random, 0, 100);
        for (guint i = 0; i < N_LABELS; i++)
            scores[i] = draw_score (random, scores[i]);
        check_frame (grouped, oracles, time, scores);
        check_groups (grouped, states);
        if (g_rand_int_range (random, 0, 100) == 0) {
            check_ends (grouped, oracles, time);
            check_groups (grouped, states);
        }
    }
}

/* What was given to a tracker, to be given to it again. */
typedef struct {
    guint64 time;
    double scores[N_LABELS]; /* the last one where a frame has none */
} Frame;

/* Gives the last scores on and on. Returns: whether anything flipped */
static gboolean
go_on (Grouped *grouped, const Frame *last)
{
    const guint64 step = 7;

    g_array_set_size (grouped->transitions, 0);
    for (guint64 time = last->time + step; time < last->time + 20000; time += step)
        update (grouped, time, last->scores);
    return grouped->transitions->len > 0;
}

/* Of a settled tracker nothing comes, of another something may, and then it is settled. */
static void
check_settled (Grouped *grouped, const Frame *frames, guint n, guint counts[2])
{
    gboolean settled;

    altclip_tracker_free (grouped->tracker);
    grouped->tracker = altclip_tracker_new (grouped->prompts);
    for (guint i = 0; i < n; i++)
        update (grouped, frames[i].time, frames[i].scores);
    settled = altclip_tracker_is_settled (grouped->tracker, grouped->rules);
    if (go_on (grouped, &frames[n - 1])) {
        g_assert_false (settled);
        counts[0]++;
    } else {
        counts[1] += (guint)settled;
    }
    g_assert_true (altclip_tracker_is_settled (grouped->tracker, grouped->rules));
}

static void
test_settled_definition (Grouped *grouped, gconstpointer data)
{
    g_autoptr (GRand) random = g_rand_new_with_seed ((guint32)g_test_rand_int ());
    guint counts[2] = { 0, 0 };
    Frame frames[60];

    (void)data;
    for (guint run = 0; run < 100; run++) {
        Frame frame = { 0, { 0, 0, 0, 0, 0 } };

        draw_rules (random, grouped->rules);
        for (guint n = 0; n < G_N_ELEMENTS (frames); n++) {
            frame.time += (guint64)g_rand_int_range (random, 0, 100);
            for (guint i = 0; i < N_LABELS; i++) {
                double score = draw_score (random, frame.scores[i]);
                frame.scores[i] = isnan (score) ? frame.scores[i] : score;
            }
            frames[n] = frame;
        }
        check_settled (grouped, frames, G_N_ELEMENTS (frames), counts);
    }
    g_test_message ("%u went on to something, %u were settled", counts[0], counts[1]);
    g_assert_cmpuint (counts[0], >, 5);
    g_assert_cmpuint (counts[1], >, 5);
}

static void
test_definition (Grouped *grouped, gconstpointer data)
{
    g_autoptr (GRand) random = g_rand_new_with_seed ((guint32)g_test_rand_int ());
    Oracle oracles[N_LABELS] = { 0 };

    (void)data;
    for (guint i = 0; i < N_LABELS; i++) {
        oracles[i].samples = g_array_new (FALSE, FALSE, sizeof (Sample));
        oracles[i].averages = g_array_new (FALSE, FALSE, sizeof (double));
    }
    for (guint run = 0; run < 20; run++) {
        altclip_tracker_free (grouped->tracker);
        grouped->tracker = altclip_tracker_new (grouped->prompts);
        check_run (grouped, random, oracles);
        for (guint i = 0; i < N_LABELS; i++)
            oracle_end (&oracles[i]);
    }
    for (guint i = 0; i < N_LABELS; i++) {
        g_array_unref (oracles[i].samples);
        g_array_unref (oracles[i].averages);
    }
}

static void
add_grouped_test (const char *path, void (*test) (Grouped *, gconstpointer))
{
    g_test_add (path, Grouped, NULL, grouped_init, test, grouped_clear);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/tracker/transitions", test_tracker);
    g_test_add_func ("/tracker/end", test_tracker_end);
    g_test_add_func ("/tracker/negative", test_tracker_negative);
    g_test_add_func ("/tracker/rules", test_tracker_rules);
    g_test_add_func ("/tracker/times", test_tracker_times);
    g_test_add_func ("/tracker/times-end", test_tracker_times_end);
    g_test_add_func ("/tracker/average/step", test_average_step);
    g_test_add_func ("/tracker/average/anew", test_average_anew);
    g_test_add_func ("/tracker/average/no-times", test_average_no_times);
    g_test_add_func ("/tracker/average/transitions", test_average_transitions);
    g_test_add_func ("/tracker/settled/times", test_settled_times);
    g_test_add_func ("/tracker/settled/average", test_settled_average);
    g_test_add_func ("/tracker/settled/no-times", test_settled_no_times);
    g_test_add_func ("/tracker/hold", test_hold);
    g_test_add_func ("/tracker/peak", test_tracker_peak);
    add_grouped_test ("/tracker/settled/definition", test_settled_definition);
    add_grouped_test ("/tracker/groups/changes", test_groups);
    add_grouped_test ("/tracker/groups/overlap", test_groups_overlap);
    add_grouped_test ("/tracker/groups/end", test_groups_end);
    add_grouped_test ("/tracker/label-states", test_label_states);
    add_grouped_test ("/tracker/definition", test_definition);
    return g_test_run ();
}
