/* altclip: a thread that gives up loudly on a test that hangs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watchdog.h"

static GThread *thread;
static GAsyncQueue *done; /* tells it to end */
static void (*look_after) (void);

static gpointer
run (G_GNUC_UNUSED gpointer data)
{
    look_after ();
    return NULL;
}

void
watchdog_start (void (*watch) (void))
{
    look_after = watch;
    done = g_async_queue_new ();
    thread = g_thread_new ("watchdog", run, NULL);
}

gboolean
watchdog_wait (guint64 seconds)
{
    return !g_async_queue_timeout_pop (done, seconds * G_USEC_PER_SEC);
}

void
watchdog_stop (void)
{
    g_async_queue_push (done, done);
    g_thread_join (thread);
    g_async_queue_unref (done);
}
