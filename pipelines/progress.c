/* altclip: how far a long reading is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With stdio, for the reason that command.c has.
 */

#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 30
#define REDRAWN_AFTER (G_TIME_SPAN_SECOND / 5)
#define CLEAR_LINE "\r\033[K"
#define NANOSECONDS 1e9

void
progress_begin (Progress *progress, const char *name, guint64 duration)
{
    *progress = (Progress){
        .name = name,
        .duration = duration,
        .began = g_get_monotonic_time (),
        .has_bar = isatty (STDERR_FILENO) && !isatty (STDOUT_FILENO),
    };
}

static double
get_seconds_passed (const Progress *progress)
{
    return (double)(g_get_monotonic_time () - progress->began) / G_TIME_SPAN_SECOND;
}

static void
draw (const Progress *progress)
{
    double share = progress->duration ? (double)progress->time / (double)progress->duration : 0.0;
    guint filled = (guint)(CLAMP (share, 0.0, 1.0) * BAR_WIDTH);
    g_autofree char *done = g_strnfill (filled, '#');
    g_autofree char *left = g_strnfill (BAR_WIDTH - filled, '.');
    guint seconds = (guint)((double)progress->time / NANOSECONDS);

    fprintf (stderr, CLEAR_LINE "%s ", progress->name);
    if (progress->duration)
        fprintf (stderr, "[%s%s] %3.0f %% ", done, left, CLAMP (share, 0.0, 1.0) * 100.0);
    fprintf (stderr, "%u:%02u:%02u, %u frames", seconds / 3600, seconds / 60 % 60, seconds % 60,
            progress->n_frames);
}

void
progress_step (Progress *progress, guint64 time)
{
    gint64 now = g_get_monotonic_time ();

    progress->time = time;
    progress->n_frames++;
    if (!progress->has_bar || now - progress->drawn < REDRAWN_AFTER)
        return;
    progress->drawn = now;
    draw (progress);
}

void
progress_end (Progress *progress)
{
    if (progress->drawn)
        fprintf (stderr, CLEAR_LINE);
    fprintf (stderr, "altclip: %s: %u frames, to %.1f s, in %.1f s\n", progress->name,
            progress->n_frames, (double)progress->time / NANOSECONDS,
            get_seconds_passed (progress));
}
