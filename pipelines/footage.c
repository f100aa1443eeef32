/* altclip: a label's scores on pictures that show it, or on pictures that do not
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "footage.h"

#include <math.h>

#define NANOSECONDS_OF_AN_HOUR 3.6e12

void
footage_init (Footage *footage)
{
    footage->samples = g_array_new (FALSE, FALSE, sizeof (FootageSample));
    footage->clips = g_array_new (FALSE, FALSE, sizeof (FootageClip));
    footage->label = altclip_prompts_parse ("label", NULL, NULL, NULL);
}

void
footage_clear (Footage *footage)
{
    g_clear_pointer (&footage->samples, g_array_unref);
    g_clear_pointer (&footage->clips, g_array_unref);
    g_clear_pointer (&footage->label, altclip_prompts_unref);
}

void
footage_add_clip (Footage *footage)
{
    FootageClip clip = { footage->samples->len, 0, 0 };

    g_array_append_val (footage->clips, clip);
}

static FootageClip *
get_last_clip (Footage *footage)
{
    return &g_array_index (footage->clips, FootageClip, footage->clips->len - 1);
}

void
footage_add_sample (Footage *footage, double score, double cosine, guint64 time)
{
    FootageSample sample = { score, cosine, score, time };

    g_array_append_val (footage->samples, sample);
    get_last_clip (footage)->n++;
}

void
footage_set_duration (Footage *footage, guint64 duration)
{
    get_last_clip (footage)->duration = duration;
}

static const FootageSample *
get_sample (const Footage *footage, guint i)
{
    return &g_array_index (footage->samples, FootageSample, i);
}

double *
footage_get_scores (const Footage *footage)
{
    double *scores = g_new (double, footage->samples->len);

    for (guint i = 0; i < footage->samples->len; i++)
        scores[i] = get_sample (footage, i)->average;
    return scores;
}

double *
footage_get_cosines (const Footage *footage)
{
    double *cosines = g_new (double, footage->samples->len);

    for (guint i = 0; i < footage->samples->len; i++)
        cosines[i] = get_sample (footage, i)->cosine;
    return cosines;
}

void
footage_apply_sigmoid (Footage *footage, double scale, double bias)
{
    for (guint i = 0; i < footage->samples->len; i++) {
        FootageSample *sample = &g_array_index (footage->samples, FootageSample, i);
        sample->score = 1.0 / (1.0 + exp (-(scale * sample->cosine + bias)));
    }
}

/* ---- States ---------------------------------------------------------------------------------- */

/* What a label's state was in a clip. */
typedef struct {
    guint begins;
    guint active; /* samples */
} Course;

/* @averages: (out) (nullable): [samples of the clip] */
static Course
track (const Footage *footage, const FootageClip *clip, const AltclipLabelRules *rules,
        double *averages)
{
    g_autoptr (AltclipTracker) tracker = altclip_tracker_new (footage->label);
    g_autoptr (GArray) transitions = g_array_new (FALSE, FALSE, sizeof (AltclipTransition));
    AltclipLabelRules heeded = *rules;
    Course course = { 0 };

    /* A still picture is of a scene that stays. */
    if (clip->duration == 0)
        heeded.min_on = 0;
    for (guint i = 0; i < clip->n; i++) {
        const FootageSample *sample = get_sample (footage, clip->first + i);
        AltclipLabelState state;

        altclip_tracker_update (
                tracker, sample->time, &heeded, &sample->score, &sample->cosine, transitions, NULL);
        altclip_tracker_get_label (tracker, 0, &state);
        course.active += state.active;
        if (averages)
            averages[i] = state.score;
    }
    for (guint i = 0; i < transitions->len; i++)
        course.begins += g_array_index (transitions, AltclipTransition, i).active;
    return course;
}

void
footage_average (Footage *footage, const AltclipLabelRules *rules)
{
    for (guint i = 0; i < footage->clips->len; i++) {
        const FootageClip *clip = &g_array_index (footage->clips, FootageClip, i);
        g_autofree double *averages = g_new (double, clip->n);

        track (footage, clip, rules, averages);
        for (guint j = 0; j < clip->n; j++)
            g_array_index (footage->samples, FootageSample, clip->first + j).average = averages[j];
    }
}

FootageEvents
footage_count_events (const Footage *footage, const AltclipLabelRules *rules)
{
    FootageEvents events = { .clips = footage->clips->len };

    for (guint i = 0; i < footage->clips->len; i++) {
        const FootageClip *clip = &g_array_index (footage->clips, FootageClip, i);
        double hours = (double)clip->duration / NANOSECONDS_OF_AN_HOUR;
        Course course = track (footage, clip, rules, NULL);

        events.clips_with_events += course.begins > 0;
        events.active += course.active;
        if (clip->duration == 0) {
            events.stills++;
            events.active_stills += course.begins > 0;
        } else {
            events.events += course.begins;
            events.hours += hours;
            events.active_hours += hours * course.active / clip->n;
        }
    }
    return events;
}
