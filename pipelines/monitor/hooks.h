/* altclip: commands to run and addresses to tell when something begins or ends
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A command is started from its words, never through a shell, with the event's fields in the
 * environment (ALTCLIP_ID, ALTCLIP_CAMERA, ALTCLIP_LABEL, ALTCLIP_KIND, ALTCLIP_TIME,
 * ALTCLIP_SCORE, ALTCLIP_PEAK, and where there are any ALTCLIP_DURATION in s, ALTCLIP_REASON,
 * ALTCLIP_REGION) and its JSON in the API's form on standard input; an address gets that JSON by
 * POST. Of this program's own environment a command gets all but what begins with ALTCLIP_.
 *
 * A thread of their own starts them. Each has a time limit, and four run at once. For the events of
 * one camera a hook runs once at a time and in their order, and where there are several hooks one
 * takes no more than half of the places, so that one that hangs does not stop the others. What
 * waits for a hook is bounded: the oldest event goes. Failures are logged and counted.
 *
 * Hooks may change at any time: one that is no more gets no new events, and what waits for it and
 * runs goes on to its end.
 */

#pragma once

#include "event.h"

G_BEGIN_DECLS

typedef struct _MonitorHooks MonitorHooks;

typedef struct {
    char **command;              /* nullable: one of the two is set */
    char *url;                   /* nullable */
    char *label, *camera, *kind; /* nullable: which events */
    guint timeout;               /* s; 0: ten */
} MonitorHookConfig;

typedef struct {
    guint64 succeeded, failed, timed_out; /* of those that were over; failed are all that did */
    guint64 dropped;                      /* never started */
    guint waiting, running;
} MonitorHooksStats;

/**
 * monitor_hooks_new:
 * @configs: (element-type MonitorHookConfig): copied
 *
 * Returns: (transfer full): hooks that wait for events
 */
MonitorHooks *monitor_hooks_new (GPtrArray *configs);

/**
 * monitor_hooks_set:
 * @hooks: any
 * @configs: (element-type MonitorHookConfig): those from now on; copied
 *
 * Never blocks. A hook that was there before as it is now stays: its events stay in order.
 */
void monitor_hooks_set (MonitorHooks *hooks, GPtrArray *configs);

/**
 * monitor_hooks_run:
 * @hooks: any
 * @event: what happened
 *
 * From any thread. Never blocks.
 */
void monitor_hooks_run (MonitorHooks *hooks, MonitorEvent *event);

void monitor_hooks_get_stats (MonitorHooks *hooks, MonitorHooksStats *stats);

/**
 * monitor_hooks_free:
 * @hooks: (transfer full): any
 *
 * Waits 2 s at most for what waits and what runs, then kills it.
 */
void monitor_hooks_free (MonitorHooks *hooks);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorHooks, monitor_hooks_free)

G_END_DECLS
