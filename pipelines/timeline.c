/* altclip: what a video showed, and when
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "timeline.h"

/* Those of altclipfilter. */
#define DEFAULT_THRESHOLD 0.5
#define DEFAULT_COSINE_THRESHOLD 0.25
#define DEFAULT_HYSTERESIS 0.2

/* Of as many pictures every second one is let go, so that those of a video whose length nobody
 * knows lie about as far apart. */
#define MAX_PICTURES 48
#define FIRST_STEP (G_GUINT64_CONSTANT (1000000000) / 4)

static void
picture_clear (gpointer data)
{
    g_object_unref (((TimelinePicture *)data)->picture);
}

Timeline *
timeline_new (AltclipPrompts *prompts, AltclipScoreMode mode)
{
    AltclipLabelRules defaults = {
        .threshold = mode == ALTCLIP_SCORE_COSINE ? DEFAULT_COSINE_THRESHOLD : DEFAULT_THRESHOLD,
        .hysteresis = DEFAULT_HYSTERESIS
    };
    Timeline *timeline = g_new0 (Timeline, 1);

    timeline->prompts = altclip_prompts_ref (prompts);
    timeline->mode = mode;
    timeline->n_labels = altclip_prompts_get_n_labels (prompts);
    timeline->rules = g_new (AltclipLabelRules, timeline->n_labels);
    altclip_prompts_get_rules (prompts, &defaults, timeline->rules);
    timeline->tracker = altclip_tracker_new (prompts);
    timeline->times = g_array_new (FALSE, FALSE, sizeof (guint64));
    timeline->scores = g_array_new (FALSE, FALSE, sizeof (double));
    timeline->transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    timeline->spans = g_array_new (FALSE, FALSE, sizeof (TimelineSpan));
    timeline->pictures = g_array_new (FALSE, FALSE, sizeof (TimelinePicture));
    g_array_set_clear_func (timeline->pictures, picture_clear);
    timeline->picture_step = FIRST_STEP;
    return timeline;
}

void
timeline_free (Timeline *timeline)
{
    if (!timeline)
        return;
    g_array_unref (timeline->pictures);
    g_array_unref (timeline->spans);
    g_array_unref (timeline->transitions);
    g_array_unref (timeline->scores);
    g_array_unref (timeline->times);
    altclip_tracker_free (timeline->tracker);
    altclip_prompts_unref (timeline->prompts);
    g_free (timeline->rules);
    g_free (timeline);
}

guint64
timeline_get_end (const Timeline *timeline)
{
    guint n = timeline->times->len;

    return n > 0 ? g_array_index (timeline->times, guint64, n - 1) : 0;
}

double
timeline_get_score (const Timeline *timeline, guint frame, guint label)
{
    return g_array_index (timeline->scores, double, (gsize)frame * timeline->n_labels + label);
}

/* Of a label that ends; its begin is told of again. */
static void
note_transitions (Timeline *timeline)
{
    for (guint i = 0; i < timeline->transitions->len; i++) {
        const AltclipTransition *transition =
                &g_array_index (timeline->transitions, AltclipTransition, i);
        TimelineSpan span = { transition->index, transition->since, transition->time,
            transition->peak };

        if (!transition->active)
            g_array_append_val (timeline->spans, span);
    }
    g_array_set_size (timeline->transitions, 0);
}

void
timeline_add (Timeline *timeline, guint64 time, const double *scores, const double *cosines)
{
    altclip_tracker_update (
            timeline->tracker, time, timeline->rules, scores, cosines, timeline->transitions, NULL);
    note_transitions (timeline);
    g_array_append_val (timeline->times, time);
    for (guint i = 0; i < timeline->n_labels; i++) {
        AltclipLabelState state;

        altclip_tracker_get_label (timeline->tracker, i, &state);
        g_array_append_val (timeline->scores, state.score);
    }
}

void
timeline_finish (Timeline *timeline)
{
    altclip_tracker_end (
            timeline->tracker, timeline_get_end (timeline), timeline->transitions, NULL);
    note_transitions (timeline);
}

/* ---- Pictures -------------------------------------------------------------------------------- */

gboolean
timeline_wants_picture (const Timeline *timeline, guint64 time)
{
    guint n = timeline->pictures->len;

    return n == 0 || time >= g_array_index (timeline->pictures, TimelinePicture, n - 1).time +
                                     timeline->picture_step;
}

void
timeline_add_picture (Timeline *timeline, guint64 time, GdkPixbuf *picture)
{
    TimelinePicture added = { time, picture };

    g_array_append_val (timeline->pictures, added);
    if (timeline->pictures->len < MAX_PICTURES)
        return;
    for (guint i = timeline->pictures->len; i > 0; i--)
        if (i % 2 == 0)
            g_array_remove_index (timeline->pictures, i - 1);
    timeline->picture_step *= 2;
}
