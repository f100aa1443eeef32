/* altclip: commands to run and addresses to tell when something begins or ends
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A command is started from its words, never through a shell, with the event's fields in the
 * environment as ALTCLIP_* and its JSON on standard input; an address gets the JSON by POST. Each
 * has a time limit, only so many run at once, the queue is bounded, and failures are logged and
 * counted.
 */

#pragma once

#include "event.h"

G_BEGIN_DECLS

typedef struct _MonitorHooks MonitorHooks;

typedef struct {
    char **command;              /* nullable: one of the two is set */
    char *url;                   /* nullable */
    char *label, *camera, *kind; /* nullable: which events */
    guint timeout;               /* s */
} MonitorHookConfig;

/* (element-type MonitorHookConfig); the array is copied from, or kept by a reference. */
MonitorHooks *monitor_hooks_new (GPtrArray *configs);
void monitor_hooks_run (MonitorHooks *hooks, MonitorEvent *event);

/* Waits 2 s at most for what runs, then kills it. */
void monitor_hooks_free (MonitorHooks *hooks);

G_END_DECLS
