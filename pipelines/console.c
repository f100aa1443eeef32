/* altclip: the standard output and error of what watches
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "console.h"
#include "command.h"

void
console_init (Console *console, const char *name)
{
    *console = (Console){ .sequence = 0 };
    g_mutex_init (&console->lock);
    console->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    progress_begin_among (&console->progress, name);
}

void
console_clear (Console *console)
{
    progress_clear (&console->progress);
    g_hash_table_unref (console->told);
    g_mutex_clear (&console->lock);
}

void
console_write (Console *console, GstAltclipRecord *record)
{
    if (!record)
        return;
    if (!console_has_failed (console)) {
        progress_hide (&console->progress);
        if (command_print_text (record->line))
            progress_draw (&console->progress);
        else
            g_atomic_int_set (&console->failed, TRUE);
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

void
console_warn_once (Console *console, const char *text)
{
    if (g_hash_table_add (console->told, g_strdup (text)))
        console_warn (console, "%s", text);
}

gboolean
console_has_failed (Console *console)
{
    return g_atomic_int_get (&console->failed);
}
