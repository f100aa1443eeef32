/* altclip: a label's scores on pictures that show it, or on pictures that do not
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef FOOTAGE_H
#define FOOTAGE_H

#include "altclip.h"

G_BEGIN_DECLS

/* Of one frame or still picture. */
typedef struct {
    double score;
    double cosine;
    double average; /* of the scores: what the threshold is for; see footage_average() */
    guint64 time;   /* from the clip's begin, in nanoseconds */
} FootageSample;

/* A file. */
typedef struct {
    guint first;
    guint n;
    guint64 duration; /* in nanoseconds; 0: a still picture */
} FootageClip;

/* All that was seen. One thread at a time. */
typedef struct {
    GArray *samples;       /* (element-type FootageSample) */
    GArray *clips;         /* (element-type FootageClip) */
    AltclipPrompts *label; /* one, whatever it is, to track */
} Footage;

/* What becomes of it with a threshold. */
typedef struct {
    guint clips; /* stills and videos */
    guint clips_with_events;
    guint active; /* samples */
    guint stills;
    guint active_stills;
    guint events; /* begins in videos */
    double hours; /* of these, */
    double active_hours;
} FootageEvents;

void footage_init (Footage *footage);
void footage_clear (Footage *footage);

/* Begins a file. */
void footage_add_clip (Footage *footage);

void footage_add_sample (Footage *footage, double score, double cosine, guint64 time);

/* The file was a video that lasted @duration. */
void footage_set_duration (Footage *footage, guint64 duration);

/* Averages the scores of each clip over time, as the label's rules say. */
void footage_average (Footage *footage, const AltclipLabelRules *rules);

/* Returns: (transfer full): [samples]: averaged */
double *footage_get_scores (const Footage *footage);
double *footage_get_cosines (const Footage *footage);

/* Scores anew: 1 / (1 + exp (−(scale · cosine + bias))). */
void footage_apply_sigmoid (Footage *footage, double scale, double bias);

/* What the label's state would have been, clip by clip. */
FootageEvents footage_count_events (const Footage *footage, const AltclipLabelRules *rules);

G_END_DECLS

#endif /* FOOTAGE_H */
