/* altclip: the thread that publishes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_COURIER_H
#define GST_ALTCLIP_COURIER_H

#include <gst/gst.h>

#include "altclipspool.h"

G_BEGIN_DECLS

/**
 * GstAltclipCarrier:
 * @open: makes the way, or begins to
 * @work: takes from the spool and publishes, as far as it goes without waiting.
 *   @poll has what came of the file descriptor since the last call, if anything,
 *   and is set to what to wait for; its fd is -1 when there is nothing
 * @close: after a success of @open: puts back what may have got lost
 * @is_up: whether what is published arrives now
 * @free: after the last call of the others
 *
 * A way to publish. All functions are called by the courier's thread, and none
 * waits for the other side. Trouble is not final: after a while it is tried
 * again.
 */
typedef struct
{
  gboolean (*open) (gpointer carrier, GError **error);
  gboolean (*work) (
      gpointer carrier, GstAltclipSpool *spool, GPollFD *poll, GError **error);
  void (*close) (gpointer carrier, GstAltclipSpool *spool);
  gboolean (*is_up) (gpointer carrier);
  GDestroyNotify free;
} GstAltclipCarrier;

/**
 * GstAltclipTroubleFunc:
 * @error: why nothing is published; once until it works again, for as long as
 *   the next try would have waited
 *
 * Called by the courier's thread. Must not wait for anything.
 */
typedef void (*GstAltclipTroubleFunc) (gpointer user_data, const GError *error);

/**
 * GstAltclipCourier:
 *
 * A thread that publishes what is in a spool.
 */
typedef struct _GstAltclipCourier GstAltclipCourier;

/**
 * gst_altclip_courier_start:
 * @carrier: (transfer full): what @functions are of
 * @max_delay: the longest time between two tries, in microseconds
 *
 * Returns: (transfer full) (nullable): %NULL with @error when the system has no
 *   file descriptor or thread for it
 */
GstAltclipCourier *gst_altclip_courier_start (GstAltclipSpool *spool,
    const GstAltclipCarrier *functions, gpointer carrier, gint64 max_delay,
    GstAltclipTroubleFunc trouble, gpointer user_data, GError **error);

/**
 * gst_altclip_courier_wake:
 *
 * Says that there is something in the spool. Any thread may, and none waits.
 */
void gst_altclip_courier_wake (GstAltclipCourier *courier);

/**
 * gst_altclip_courier_retry:
 *
 * The next try is now.
 */
void gst_altclip_courier_retry (GstAltclipCourier *courier);

/**
 * gst_altclip_courier_stop:
 * @courier: (transfer full)
 * @deadline: in microseconds of g_get_monotonic_time()
 *
 * Ends the thread. One that hangs in the system at @deadline, looking up a
 * host's name, is left alone, and ends later; after this call nobody is told of
 * trouble any more.
 *
 * Returns: whether it has ended
 */
gboolean gst_altclip_courier_stop (GstAltclipCourier *courier, gint64 deadline);

/**
 * gst_altclip_courier_get_state:
 * @up: (out): whether what is published arrives now
 *
 * Returns: how often it came to that
 */
guint gst_altclip_courier_get_state (GstAltclipCourier *courier, gboolean *up);

G_END_DECLS

#endif /* GST_ALTCLIP_COURIER_H */
