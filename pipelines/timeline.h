/* altclip: what a video showed, and when
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef TIMELINE_H
#define TIMELINE_H

#include "altclip.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

G_BEGIN_DECLS

/* A label was active. Times are in nanoseconds from the video's begin. */
typedef struct {
    guint label;
    guint64 begin;
    guint64 end;
    double peak; /* highest score */
} TimelineSpan;

typedef struct {
    guint64 time;
    GdkPixbuf *picture;
} TimelinePicture;

/* One thread at a time. */
typedef struct {
    AltclipPrompts *prompts;
    AltclipScoreMode mode;
    guint n_labels;
    AltclipLabelRules *rules; /* [n_labels] */
    AltclipTracker *tracker;
    GArray *times;        /* (element-type guint64): of the frames that were looked at */
    GArray *scores;       /* [times, n_labels] (element-type double): averaged */
    GArray *transitions;  /* (element-type AltclipTransition): what is not in spans yet */
    GArray *spans;        /* (element-type TimelineSpan): in the order of their ends */
    GArray *pictures;     /* (element-type TimelinePicture): about as far apart from each other */
    guint64 picture_step; /* between two of them, at least */
} Timeline;

/**
 * timeline_new:
 * @prompts: embedded
 *
 * A label's rules are those of the prompts, and where they say nothing the defaults of
 * altclipfilter.
 *
 * Returns: (transfer full): a timeline without any frame
 */
Timeline *timeline_new (AltclipPrompts *prompts, AltclipScoreMode mode);

void timeline_free (Timeline *timeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Timeline, timeline_free)

/**
 * timeline_add:
 * @scores: [n_labels]
 * @cosines: [n_labels]
 *
 * Adds a frame, at @time or later than the one before.
 */
void timeline_add (Timeline *timeline, guint64 time, const double *scores, const double *cosines);

/* Returns: whether a picture of the frame at @time, of those that were added the last, is wanted */
gboolean timeline_wants_picture (const Timeline *timeline, guint64 time);

/* @picture: (transfer full) */
void timeline_add_picture (Timeline *timeline, guint64 time, GdkPixbuf *picture);

/* Ends what is active, with the last frame. Nothing is added after it. */
void timeline_finish (Timeline *timeline);

/* Returns: the time of the last frame, 0 without one */
guint64 timeline_get_end (const Timeline *timeline);

/* Returns: the averaged score */
double timeline_get_score (const Timeline *timeline, guint frame, guint label);

G_END_DECLS

#endif /* TIMELINE_H */
