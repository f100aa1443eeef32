/* altclip: events of a film, from its frames' embeddings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "replay.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define NANOSECONDS 1e9

/* What the element goes by where a file says nothing. */
#define DEFAULT_HYSTERESIS 0.2
#define DEFAULT_THRESHOLD 0.5
#define DEFAULT_COSINE 0.25

struct _Replay {
    AltclipPrompts *prompts;
    AltclipScoreMode mode;
    AltclipLabelRules *rules; /* [n_labels] */
    Kind *kinds;              /* [n_labels] */
    guint n_labels;
};

/* ---- Prompts --------------------------------------------------------------------------------- */

static AltclipPrompts *
load_prompts (AltclipSession *session, const json_t *file)
{
    g_autofree char *path = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    int descriptor = g_file_open_tmp ("altclip-XXXXXX.json", &path, &error);

    if (descriptor < 0)
        g_error ("%s", error->message);
    close (descriptor);
    json_dump_file (file, path, 0);
    prompts = altclip_prompts_load (path, NULL, &error);
    g_unlink (path);
    if (!prompts || !altclip_prompts_embed (prompts, session, NULL, &error))
        g_error ("%s", error->message);
    return g_steal_pointer (&prompts);
}

Replay *
replay_new (AltclipSession *session, const json_t *file)
{
    Replay *replay = g_new0 (Replay, 1);
    AltclipLabelRules defaults = { .threshold = DEFAULT_THRESHOLD,
        .hysteresis = DEFAULT_HYSTERESIS };

    replay->prompts = load_prompts (session, file);
    replay->n_labels = altclip_prompts_get_n_labels (replay->prompts);
    replay->mode = altclip_prompts_get_score_mode (replay->prompts, ALTCLIP_SCORE_SOFTMAX);
    replay->rules = g_new (AltclipLabelRules, replay->n_labels);
    replay->kinds = g_new (Kind, replay->n_labels);
    if (replay->mode == ALTCLIP_SCORE_COSINE)
        defaults.threshold = DEFAULT_COSINE;
    altclip_prompts_get_rules (replay->prompts, &defaults, replay->rules);
    for (guint i = 0; i < replay->n_labels; i++) {
        const char *label = altclip_prompts_get_label (replay->prompts, i);

        replay->kinds[i] = kind_from_label (label);
        if (replay->kinds[i] == N_KINDS)
            g_error ("the evaluation knows no label '%s'", label);
    }
    return replay;
}

void
replay_free (Replay *replay)
{
    altclip_prompts_unref (replay->prompts);
    g_free (replay->rules);
    g_free (replay->kinds);
    g_free (replay);
}

double
replay_get_min_on (const Replay *replay)
{
    guint64 longest = 0;

    for (guint i = 0; i < replay->n_labels; i++)
        longest = MAX (longest, replay->rules[i].min_on);
    return (double)longest / NANOSECONDS;
}

/* ---- With the tracker ------------------------------------------------------------------------ */

static void
add_events (const Replay *replay, const GArray *transitions, GArray *events)
{
    for (guint i = 0; i < transitions->len; i++) {
        const AltclipTransition *from = &g_array_index (transitions, AltclipTransition, i);
        Event event = { replay->kinds[from->index], (double)from->since / NANOSECONDS,
            (double)from->time / NANOSECONDS };

        if (!from->active)
            g_array_append_val (events, event);
    }
}

GArray *
replay_run (const Replay *replay, const Sights *sights)
{
    g_autoptr (AltclipTracker) tracker = altclip_tracker_new (replay->prompts);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    g_autofree double *scores = g_new (double, replay->n_labels);
    g_autofree double *cosines = g_new (double, replay->n_labels);
    GArray *events = g_array_new (FALSE, FALSE, sizeof (Event));
    guint64 time = 0;

    for (guint i = 0; i < sights->times->len; i++) {
        time = g_array_index (sights->times, guint64, i);
        altclip_prompts_score (
                replay->prompts, replay->mode, sights_get_embedding (sights, i), scores, cosines);
        altclip_tracker_update (tracker, time, replay->rules, scores, cosines, transitions, NULL);
    }
    altclip_tracker_end (tracker, time, transitions, NULL);
    add_events (replay, transitions, events);
    return events;
}

/* ---- Without --------------------------------------------------------------------------------- */

/* Returns: the label's number; −1: none scores half of all */
static gint
find_best (const Replay *replay, const float *embedding, double *scores)
{
    guint best = 0;

    altclip_prompts_score (replay->prompts, replay->mode, embedding, scores, NULL);
    for (guint i = 1; i < replay->n_labels; i++)
        if (scores[i] > scores[best])
            best = i;
    return scores[best] >= DEFAULT_THRESHOLD ? (gint)best : -1;
}

static void
add_event (const Replay *replay, gint label, guint64 begin, guint64 end, GArray *events)
{
    Event event = { .begin = (double)begin / NANOSECONDS, .end = (double)end / NANOSECONDS };

    if (label < 0)
        return;
    event.kind = replay->kinds[label];
    g_array_append_val (events, event);
}

GArray *
replay_run_plain (const Replay *replay, const Sights *sights)
{
    g_autofree double *scores = g_new (double, replay->n_labels);
    GArray *events = g_array_new (FALSE, FALSE, sizeof (Event));
    gint label = -1;
    guint64 since = 0;
    guint64 time = 0;

    for (guint i = 0; i < sights->times->len; i++) {
        gint best = find_best (replay, sights_get_embedding (sights, i), scores);

        time = g_array_index (sights->times, guint64, i);
        if (best == label)
            continue;
        add_event (replay, label, since, time, events);
        label = best;
        since = time;
    }
    add_event (replay, label, since, time, events);
    return events;
}
