/* altclip: a command that runs for a while
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It is started from its words, never through a shell, in a session of its own, with no descriptor
 * but the standard ones: its input is what it is given, and of its output the end is kept. When its
 * time is over it and all that it has started are asked to end, and a second later killed.
 *
 * All of it happens in the thread-default main context.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MonitorChild MonitorChild;

/**
 * MonitorChildDone:
 * @failure: (nullable): what went wrong, for a log
 * @in_time: whether it was over before its time
 * @data: as given
 *
 * The command has ended, and it is freed once this returns.
 */
typedef void (*MonitorChildDone) (const char *failure, gboolean in_time, gpointer data);

/**
 * monitor_child_start:
 * @command: its words; the first is a path, or is looked for in PATH
 * @environment: all of its environment
 * @input: what it reads
 * @timeout: s
 * @done: called once it has ended
 * @data: for @done
 * @error: return location
 *
 * Returns: (nullable): it, until @done is called; %NULL: it cannot be started
 */
MonitorChild *monitor_child_start (char **command, char **environment, GBytes *input, guint timeout,
        MonitorChildDone done, gpointer data, GError **error);

/**
 * monitor_child_kill:
 * @child: (transfer full): one that runs
 *
 * At once, and without a call.
 */
void monitor_child_kill (MonitorChild *child);

G_END_DECLS
