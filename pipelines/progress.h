/* altclip: how far a long reading is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef PROGRESS_H
#define PROGRESS_H

#include <glib.h>

G_BEGIN_DECLS

/* Of one file, or of what is watched, on standard error. One thread at a time. */
typedef struct {
    const char *name;
    guint64 duration; /* of the file, in nanoseconds; 0: unknown */
    guint64 time;     /* of the newest frame */
    guint n_frames;
    char *note;   /* (nullable) (owned): what else there is to say */
    gint64 began; /* of g_get_monotonic_time(), like the next */
    gint64 drawn; /* when the bar was; 0: not yet */
    gboolean has_bar;
} Progress;

/**
 * progress_begin:
 * @progress: (out caller-allocated)
 * @name: of the file, in UTF-8; must outlive @progress
 * @duration: in nanoseconds; 0: unknown
 *
 * A bar is drawn where standard error is a terminal and results go elsewhere: among them it would
 * be lost.
 */
void progress_begin (Progress *progress, const char *name, guint64 duration);

/**
 * progress_begin_among:
 * @progress: (out caller-allocated)
 * @name: as for progress_begin()
 *
 * The same for who calls progress_hide() before each result and progress_draw() after it: a bar is
 * drawn where standard error is a terminal.
 */
void progress_begin_among (Progress *progress, const char *name);

/* Another frame is done, which was at @time, in nanoseconds. */
void progress_step (Progress *progress, guint64 time);

/* Takes the bar away, and draws it, where there is one to be drawn. */
void progress_hide (Progress *progress);
void progress_draw (Progress *progress);

/* Takes the bar away, and sums up in one line. */
void progress_end (Progress *progress);

/* Takes the bar away. */
void progress_clear (Progress *progress);

G_END_DECLS

#endif /* PROGRESS_H */
