/* altclip: messages that wait to be posted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_OUTBOX_H
#define GST_ALTCLIP_OUTBOX_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstAltclipOutbox:
 *
 * Keeps messages in the order they were put in, whichever threads put them
 * there. Putting is allowed with locks held; posting never is. An application's
 * handler may hold up who posts, for as long as it likes.
 */
typedef struct
{
  GMutex lock;
  GQueue messages;
  GThread *poster;
  GCond posted;
  gboolean sent; /* a thread that posts is on its way */
  gboolean flushing;
} GstAltclipOutbox;

void gst_altclip_outbox_init (GstAltclipOutbox *outbox);
void gst_altclip_outbox_clear (GstAltclipOutbox *outbox);

/**
 * gst_altclip_outbox_put:
 * @message: (transfer full)
 */
void gst_altclip_outbox_put (GstAltclipOutbox *outbox, GstMessage *message);

/**
 * gst_altclip_outbox_post:
 *
 * Posts what waits, unless another thread is doing so. No lock may be held.
 */
void gst_altclip_outbox_post (GstAltclipOutbox *outbox, GstElement *element);

/**
 * gst_altclip_outbox_send:
 *
 * Has what waits posted by a thread of GStreamer's, for those whom nobody may
 * hold up: the engine's worker serves other elements too, and flushing and
 * stopping wait for it. Locks may be held.
 */
void gst_altclip_outbox_send (GstAltclipOutbox *outbox, GstElement *element);

/**
 * gst_altclip_outbox_drain:
 *
 * The same, and when another thread is posting, waits for it: what was put in
 * before is on the bus then. Not while flushing: the other thread may be in a
 * handler that flushes or stops the element, and wait for this one. Streaming
 * threads do it at EOS and before they return an error, never for a frame.
 */
void gst_altclip_outbox_drain (GstAltclipOutbox *outbox, GstElement *element);

/**
 * gst_altclip_outbox_finish:
 *
 * Posts what waits before the element is stopped and nobody listens any more.
 * Another thread that posts is waited for, but for a second at most: its handler
 * may wait for the one who stops. What waits then, or when this is called from
 * within a handler, follows when the handler returns.
 */
void gst_altclip_outbox_finish (GstAltclipOutbox *outbox, GstElement *element);

/**
 * gst_altclip_outbox_set_flushing:
 *
 * Says whether gst_altclip_outbox_drain() waits for nobody, and wakes who does.
 */
void gst_altclip_outbox_set_flushing (
    GstAltclipOutbox *outbox, gboolean flushing);

G_END_DECLS

#endif /* GST_ALTCLIP_OUTBOX_H */
