/* altclip: the standard output and error of what watches
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef CONSOLE_H
#define CONSOLE_H

#include "altcliprecord.h"
#include "progress.h"

G_BEGIN_DECLS

/* Records of several streams, and on a terminal a line below them that tells how it goes. Any
 * thread. */
typedef struct {
    GMutex lock;
    guint64 sequence;  /* with the lock: of the last record */
    gint failed;       /* atomic: nothing can be written any more */
    Progress progress; /* with the lock */
    GHashTable *told;  /* (element-type utf8): what is told once; of the main thread */
} Console;

/* @name: of what is watched, in UTF-8; must outlive @console */
void console_init (Console *console, const char *name);

void console_clear (Console *console);

/* With the lock: writes @record (transfer full) (nullable) at once. It may have to wait. */
void console_write (Console *console, GstAltclipRecord *record);

/**
 * console_update:
 * @note: (nullable): what else to say
 *
 * Draws how far it is, unless a record is being written.
 */
void console_update (
        Console *console, guint64 time, guint64 duration, guint n_frames, const char *note);

/* Says on standard error what several streams may complain of alike: once. */
void console_warn_once (Console *console, const char *text);

/* Says something on standard error. */
void console_warn (Console *console, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Whether nothing can be written any more. */
gboolean console_has_failed (Console *console);

G_END_DECLS

#endif /* CONSOLE_H */
