/* altclip: the thread that publishes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipcourier.h"

#include "altclipdeadline.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The shortest time between two tries; it doubles with each that fails. */
#define MIN_DELAY (G_TIME_SPAN_SECOND / 2)

/* Carriers have their own housekeeping. */
#define HOUSEKEEPING 1000 /* ms */

/* With pthread primitives, as the spool. */
struct _GstAltclipCourier
{
  gint n_refs; /* atomic */
  GstAltclipSpool *spool;
  const GstAltclipCarrier *functions;
  gpointer carrier;
  gint64 max_delay;
  int wake_fd;
  GThread *thread;

  gint stopping; /* atomic, as are these */
  gint retry;
  gint up;
  gint n_up;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean ended;
  GstAltclipTroubleFunc trouble;
  gpointer user_data;

  /* The thread's own. */
  gboolean is_open;
  gboolean is_told;
  gint64 up_since;
  gint64 delay;
  gint64 retry_at;
  GPollFD poll;
};

static void
courier_unref (GstAltclipCourier *courier)
{
  if (!g_atomic_int_dec_and_test (&courier->n_refs))
    return;
  courier->functions->free (courier->carrier);
  gst_altclip_spool_unref (courier->spool);
  close (courier->wake_fd);
  pthread_cond_destroy (&courier->changed);
  pthread_mutex_destroy (&courier->lock);
  g_free (courier);
}

/* ---- The thread --------------------------------------------------------- */

static void
tell (GstAltclipCourier *courier, const GError *error)
{
  if (courier->is_told)
    return;
  courier->is_told = TRUE;
  pthread_mutex_lock (&courier->lock);
  if (courier->trouble != NULL)
    courier->trouble (courier->user_data, error);
  pthread_mutex_unlock (&courier->lock);
}

static void
close_carrier (GstAltclipCourier *courier)
{
  if (courier->is_open)
    courier->functions->close (courier->carrier, courier->spool);
  courier->is_open = FALSE;
  courier->poll = (GPollFD){.fd = -1};
  g_atomic_int_set (&courier->up, FALSE);
}

/* Many lose the same broker at the same time, and should not all come back at
 * the same time. */
static void
fail (GstAltclipCourier *courier, const GError *error)
{
  gdouble share = g_random_double_range (0.75, 1.0);

  tell (courier, error);
  close_carrier (courier);
  courier->retry_at =
      g_get_monotonic_time () + (gint64) (share * (gdouble) courier->delay);
  courier->delay = MIN (2 * courier->delay, courier->max_delay);
}

/* What breaks sooner than it would have been tried again is the same trouble. */
static void
note_state (GstAltclipCourier *courier)
{
  gboolean up = courier->functions->is_up (courier->carrier);
  gint64 now = g_get_monotonic_time ();

  if (up && !g_atomic_int_get (&courier->up)) {
    g_atomic_int_inc (&courier->n_up);
    courier->up_since = now;
  }
  g_atomic_int_set (&courier->up, up);
  if (!up || now - courier->up_since < courier->delay)
    return;
  courier->delay = MIN (MIN_DELAY, courier->max_delay);
  courier->is_told = FALSE;
}

static gboolean
is_due (GstAltclipCourier *courier)
{
  return g_atomic_int_compare_and_exchange (&courier->retry, TRUE, FALSE)
      || g_get_monotonic_time () >= courier->retry_at;
}

static void
work (GstAltclipCourier *courier)
{
  g_autoptr (GError) error = NULL;

  if (!courier->is_open && is_due (courier)) {
    courier->is_open = courier->functions->open (courier->carrier, &error);
    if (!courier->is_open)
      fail (courier, error);
  }
  if (!courier->is_open)
    return;
  if (courier->functions->work (
          courier->carrier, courier->spool, &courier->poll, &error))
    note_state (courier);
  else
    fail (courier, error);
}

static gint
get_timeout (GstAltclipCourier *courier)
{
  gint64 left = courier->retry_at - g_get_monotonic_time ();

  if (courier->is_open)
    return HOUSEKEEPING;
  return (gint) CLAMP (left / 1000 + 1, 1, HOUSEKEEPING);
}

static void
wait_for_news (GstAltclipCourier *courier)
{
  GPollFD fds[2] = {{.fd = courier->wake_fd, .events = G_IO_IN}, courier->poll};
  guint64 count;

  fds[1].revents = 0;
  g_poll (fds, courier->poll.fd >= 0 ? 2 : 1, get_timeout (courier));
  courier->poll.revents = fds[1].revents;
  while (fds[0].revents != 0
      && read (courier->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
}

static gpointer
run (gpointer data)
{
  GstAltclipCourier *courier = data;
  sigset_t signals;

  /* A pipe or a connection whose other side is gone is an error, no more. */
  sigemptyset (&signals);
  sigaddset (&signals, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);

  while (!g_atomic_int_get (&courier->stopping)) {
    work (courier);
    wait_for_news (courier);
  }
  close_carrier (courier);

  pthread_mutex_lock (&courier->lock);
  courier->ended = TRUE;
  pthread_cond_broadcast (&courier->changed);
  pthread_mutex_unlock (&courier->lock);
  courier_unref (courier);
  return NULL;
}

/* ---- Its owner ---------------------------------------------------------- */

GstAltclipCourier *
gst_altclip_courier_start (GstAltclipSpool *spool,
    const GstAltclipCarrier *functions, gpointer carrier, gint64 max_delay,
    GstAltclipTroubleFunc trouble, gpointer user_data, GError **error)
{
  GstAltclipCourier *courier = g_new0 (GstAltclipCourier, 1);

  courier->n_refs = 1;
  courier->spool = gst_altclip_spool_ref (spool);
  courier->functions = functions;
  courier->carrier = carrier;
  courier->max_delay = max_delay;
  courier->delay = MIN (MIN_DELAY, max_delay);
  courier->poll.fd = -1;
  courier->trouble = trouble;
  courier->user_data = user_data;
  pthread_mutex_init (&courier->lock, NULL);
  gst_altclip_deadline_init_cond (&courier->changed);
  courier->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (courier->wake_fd < 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "Publishing needs a file descriptor: %s", g_strerror (errno));
    courier_unref (courier);
    return NULL;
  }
  g_atomic_int_inc (&courier->n_refs);
  courier->thread = g_thread_try_new ("altclippublish", run, courier, error);
  if (courier->thread == NULL) {
    courier_unref (courier);
    courier_unref (courier);
    return NULL;
  }
  return courier;
}

void
gst_altclip_courier_wake (GstAltclipCourier *courier)
{
  guint64 one = 1;

  /* It fails only when it has been woken more often than can be counted. */
  while (write (courier->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

void
gst_altclip_courier_retry (GstAltclipCourier *courier)
{
  g_atomic_int_set (&courier->retry, TRUE);
  gst_altclip_courier_wake (courier);
}

gboolean
gst_altclip_courier_stop (GstAltclipCourier *courier, gint64 deadline)
{
  gboolean ended;

  g_atomic_int_set (&courier->stopping, TRUE);
  gst_altclip_courier_wake (courier);
  pthread_mutex_lock (&courier->lock);
  while (!courier->ended
      && gst_altclip_deadline_wait (
          &courier->changed, &courier->lock, deadline))
    ;
  courier->trouble = NULL;
  ended = courier->ended;
  pthread_mutex_unlock (&courier->lock);
  if (ended)
    g_thread_join (courier->thread);
  else
    g_thread_unref (courier->thread);
  courier_unref (courier);
  return ended;
}

guint
gst_altclip_courier_get_state (GstAltclipCourier *courier, gboolean *up)
{
  *up = g_atomic_int_get (&courier->up);
  return (guint) g_atomic_int_get (&courier->n_up);
}
