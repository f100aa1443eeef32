/* altclip: waiting with a limit, on pthread primitives
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipdeadline.h"

#include <errno.h>
#include <time.h>

void
gst_altclip_deadline_init_cond (pthread_cond_t *cond)
{
  pthread_condattr_t attributes;

  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &attributes);
  pthread_condattr_destroy (&attributes);
}

gboolean
gst_altclip_deadline_wait (
    pthread_cond_t *cond, pthread_mutex_t *lock, gint64 deadline)
{
  struct timespec time = {
      .tv_sec = (time_t) (deadline / G_USEC_PER_SEC),
      .tv_nsec = (long) (deadline % G_USEC_PER_SEC) * 1000,
  };

  return pthread_cond_timedwait (cond, lock, &time) != ETIMEDOUT;
}
