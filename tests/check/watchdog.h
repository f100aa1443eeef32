/* altclip: a thread that gives up loudly on a test that hangs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For fixtures: one at a time.
 */

#ifndef ALTCLIP_TEST_WATCHDOG_H
#define ALTCLIP_TEST_WATCHDOG_H

#include <glib.h>

/* Starts a thread that runs @watch, which looks after the test for as long as watchdog_wait() says.
 */
void watchdog_start (void (*watch) (void));

/* For the thread: waits for so many seconds. Returns: whether the test still runs. */
gboolean watchdog_wait (guint64 seconds);

/* Waits for the thread to end. */
void watchdog_stop (void);

#endif /* ALTCLIP_TEST_WATCHDOG_H */
