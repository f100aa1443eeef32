/* altclip: messages that wait to be posted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipoutbox.h"

/* How long stopping waits for who posts. Handlers take less, unless they wait
 * for the one who stops. */
#define PATIENCE G_TIME_SPAN_SECOND

void
gst_altclip_outbox_init (GstAltclipOutbox *outbox)
{
  g_mutex_init (&outbox->lock);
  g_cond_init (&outbox->posted);
  g_queue_init (&outbox->messages);
}

void
gst_altclip_outbox_clear (GstAltclipOutbox *outbox)
{
  g_queue_clear_full (&outbox->messages, (GDestroyNotify) gst_message_unref);
  g_cond_clear (&outbox->posted);
  g_mutex_clear (&outbox->lock);
}

void
gst_altclip_outbox_put (GstAltclipOutbox *outbox, GstMessage *message)
{
  g_mutex_lock (&outbox->lock);
  g_queue_push_tail (&outbox->messages, message);
  g_mutex_unlock (&outbox->lock);
}

/* With the lock, which is let go for posting. */
static void
post_all (GstAltclipOutbox *outbox, GstElement *element)
{
  GstMessage *message;

  outbox->poster = g_thread_self ();
  while ((message = g_queue_pop_head (&outbox->messages)) != NULL) {
    g_mutex_unlock (&outbox->lock);
    gst_element_post_message (element, message);
    g_mutex_lock (&outbox->lock);
  }
  outbox->poster = NULL;
  g_cond_broadcast (&outbox->posted);
}

void
gst_altclip_outbox_post (GstAltclipOutbox *outbox, GstElement *element)
{
  g_mutex_lock (&outbox->lock);
  if (outbox->poster == NULL)
    post_all (outbox, element);
  g_mutex_unlock (&outbox->lock);
}

static void
post_sent (GstElement *element, gpointer user_data)
{
  GstAltclipOutbox *outbox = user_data;

  g_mutex_lock (&outbox->lock);
  outbox->sent = FALSE;
  g_mutex_unlock (&outbox->lock);
  gst_altclip_outbox_post (outbox, element);
}

/* Who is posting already takes these too. */
void
gst_altclip_outbox_send (GstAltclipOutbox *outbox, GstElement *element)
{
  gboolean wanted;

  g_mutex_lock (&outbox->lock);
  wanted = !g_queue_is_empty (&outbox->messages) && outbox->poster == NULL
      && !outbox->sent;
  outbox->sent |= wanted;
  g_mutex_unlock (&outbox->lock);
  /* Holds a reference of the element, and so the outbox, until it has run. */
  if (wanted)
    gst_element_call_async (element, post_sent, outbox, NULL);
}

void
gst_altclip_outbox_drain (GstAltclipOutbox *outbox, GstElement *element)
{
  g_mutex_lock (&outbox->lock);
  while (outbox->poster != NULL && outbox->poster != g_thread_self ()
      && !outbox->flushing)
    g_cond_wait (&outbox->posted, &outbox->lock);
  if (outbox->poster == NULL)
    post_all (outbox, element);
  g_mutex_unlock (&outbox->lock);
}

void
gst_altclip_outbox_finish (GstAltclipOutbox *outbox, GstElement *element)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&outbox->lock);
  while (outbox->poster != NULL && outbox->poster != g_thread_self ()
      && g_cond_wait_until (&outbox->posted, &outbox->lock, deadline))
    ;
  if (outbox->poster == NULL)
    post_all (outbox, element);
  g_mutex_unlock (&outbox->lock);
}

void
gst_altclip_outbox_set_flushing (GstAltclipOutbox *outbox, gboolean flushing)
{
  g_mutex_lock (&outbox->lock);
  outbox->flushing = flushing;
  g_cond_broadcast (&outbox->posted);
  g_mutex_unlock (&outbox->lock);
}
