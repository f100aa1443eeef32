/* altclip: a store of events, what it announced, and files to keep it in, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "store.h"

/* A directory that goes with all that is in it. */
typedef struct {
    char *directory;
    char *path; /* of the store's file */
    MonitorStore *store;
    GPtrArray *announced;
    GThread *thread; /* that they are announced in */
} Diary;

void diary_init (Diary *diary);
void diary_clear (Diary *diary);

void diary_open (Diary *diary, const MonitorRetention *retention);
void diary_close (Diary *diary);

/* Returns: (transfer full): the error there must be. */
GError *diary_expect_error (Diary *diary);

/* All of it is told by the number. @thumbnail_size: 0: none. */
MonitorEvent *diary_new_event (const char *camera, guint number, gsize thumbnail_size);
void diary_add (Diary *diary, guint first, guint n, gsize thumbnail_size);

/* Runs the main context until @n events have been announced. */
void diary_wait (Diary *diary, guint n);
/* For so many ms. */
void diary_run (guint time);

guint64 diary_get_size (Diary *diary);
