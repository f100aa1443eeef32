/* altclip: the standard output and error of what watches
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "console.h"
#include "command.h"

void
console_init (Console *console, const char *name, void (*on_failure) (gpointer user_data),
        gpointer user_data)
{
    *console = (Console){ .on_failure = on_failure, .user_data = user_data };
    g_mutex_init (&console->lock);
    progress_begin_among (&console->progress, name);
}

void
console_clear (Console *console)
{
    progress_clear (&console->progress);
    g_mutex_clear (&console->lock);
}

void
console_write (Console *console, GstAltclipRecord *record)
{
    if (!record)
        return;
    if (!console->failed) {
        progress_hide (&console->progress);
        console->failed = !command_print_text (record->line);
        if (console->failed)
            console->on_failure (console->user_data);
        else
            progress_draw (&console->progress);
    }
    gst_altclip_record_free (record);
}

void
console_update (Console *console, guint64 time, guint64 duration, guint n_frames, const char *note)
{
    Progress *progress = &console->progress;

    if (!g_mutex_trylock (&console->lock))
        return;
    progress->time = time;
    progress->duration = duration;
    progress->n_frames = n_frames;
    g_free (progress->note);
    progress->note = g_strdup (note);
    progress_draw (progress);
    g_mutex_unlock (&console->lock);
}

/* While a record waits to be read, there is no line to be in the way. */
void
console_warn (Console *console, const char *format, ...)
{
    gboolean locked = g_mutex_trylock (&console->lock);
    g_autofree char *text = NULL;
    va_list list;

    va_start (list, format);
    text = g_strdup_vprintf (format, list);
    va_end (list);
    if (locked)
        progress_hide (&console->progress);
    command_warn ("%s", text);
    if (locked)
        progress_draw (&console->progress);
    if (locked)
        g_mutex_unlock (&console->lock);
}

gboolean
console_has_failed (Console *console)
{
    gboolean failed;

    g_mutex_lock (&console->lock);
    failed = console->failed;
    g_mutex_unlock (&console->lock);
    return failed;
}
