/* altclip: how far a long reading is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With stdio, for the reason that command.c has.
 */

#include "progress.h"
#include "columns.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_WIDTH 30 /* at most */
#define REDRAWN_AFTER (G_TIME_SPAN_SECOND / 5)
#define CLEAR_LINE "\r\033[K"
#define NANOSECONDS 1e9
#define USUAL_COLUMNS 80

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

void
progress_begin_among (Progress *progress, const char *name)
{
    progress_begin (progress, name, 0);
    progress->has_bar = isatty (STDERR_FILENO);
}

static double
get_seconds_passed (const Progress *progress)
{
    return (double)(g_get_monotonic_time () - progress->began) / G_TIME_SPAN_SECOND;
}

static guint
get_columns (void)
{
    struct winsize size;

    if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 8)
        return USUAL_COLUMNS;
    return size.ws_col;
}

/* ---- The bar --------------------------------------------------------------------------------- */

static void
append_share (GString *line, const Progress *progress, guint width)
{
    double share = CLAMP ((double)progress->time / (double)progress->duration, 0.0, 1.0);
    guint filled = (guint)(share * width);
    g_autofree char *done = g_strnfill (filled, '#');
    g_autofree char *left = g_strnfill (width - filled, '.');

    g_string_append_printf (line, "[%s%s] %3.0f %% ", done, left, share * 100.0);
}

/* One line, since more than that could not be taken away again. */
void
progress_draw (Progress *progress)
{
    guint seconds = (guint)((double)progress->time / NANOSECONDS);
    g_autoptr (GString) line = g_string_new (NULL);
    g_autofree char *name = NULL;
    g_autofree char *cut = NULL;
    guint columns;

    if (!progress->has_bar)
        return;
    columns = get_columns ();
    name = columns_cut (progress->name, MAX (columns / 3, 1));
    g_string_printf (line, "%s ", name);
    if (progress->duration)
        append_share (line, progress, MIN (columns / 4, BAR_WIDTH));
    g_string_append_printf (line, "%u:%02u:%02u", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (progress->note && *progress->note)
        g_string_append_printf (line, ", %s", progress->note);
    g_string_append_printf (line, ", %u frames", progress->n_frames);
    cut = columns_cut (line->str, columns - 1);
    fprintf (stderr, CLEAR_LINE "%s", cut);
    progress->drawn = g_get_monotonic_time ();
}

void
progress_hide (Progress *progress)
{
    if (progress->drawn)
        fputs (CLEAR_LINE, stderr);
    progress->drawn = 0;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

void
progress_step (Progress *progress, guint64 time)
{
    progress->time = time;
    progress->n_frames++;
    if (g_get_monotonic_time () - progress->drawn >= REDRAWN_AFTER)
        progress_draw (progress);
}

void
progress_end (Progress *progress)
{
    progress_clear (progress);
    fprintf (stderr, "altclip: %s: %u frames, to %.1f s, in %.1f s\n", progress->name,
            progress->n_frames, (double)progress->time / NANOSECONDS,
            get_seconds_passed (progress));
}

void
progress_clear (Progress *progress)
{
    progress_hide (progress);
    g_clear_pointer (&progress->note, g_free);
}
