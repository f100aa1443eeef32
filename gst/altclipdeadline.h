/* altclip: waiting with a limit, on pthread primitives
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_DEADLINE_H
#define GST_ALTCLIP_DEADLINE_H

#include <glib.h>
#include <pthread.h>

G_BEGIN_DECLS

/**
 * gst_altclip_deadline_init_cond:
 *
 * Makes @cond one for gst_altclip_deadline_wait().
 */
void gst_altclip_deadline_init_cond (pthread_cond_t *cond);

/**
 * gst_altclip_deadline_wait:
 * @deadline: in microseconds of g_get_monotonic_time()
 *
 * As g_cond_wait_until().
 *
 * Returns: %FALSE at the deadline
 */
gboolean gst_altclip_deadline_wait (
    pthread_cond_t *cond, pthread_mutex_t *lock, gint64 deadline);

G_END_DECLS

#endif /* GST_ALTCLIP_DEADLINE_H */
