/* altclip: messages that wait to be posted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipoutbox.h"

void
gst_altclip_outbox_init (GstAltclipOutbox *outbox)
{
  g_mutex_init (&outbox->lock);
  g_queue_init (&outbox->messages);
}

void
gst_altclip_outbox_clear (GstAltclipOutbox *outbox)
{
  g_queue_clear_full (&outbox->messages, (GDestroyNotify) gst_message_unref);
  g_mutex_clear (&outbox->lock);
}

void
gst_altclip_outbox_put (GstAltclipOutbox *outbox, GstMessage *message)
{
  g_mutex_lock (&outbox->lock);
  g_queue_push_tail (&outbox->messages, message);
  g_mutex_unlock (&outbox->lock);
}

void
gst_altclip_outbox_post (GstAltclipOutbox *outbox, GstElement *element)
{
  GstMessage *message;

  g_mutex_lock (&outbox->lock);
  if (!outbox->posting) {
    outbox->posting = TRUE;
    while ((message = g_queue_pop_head (&outbox->messages)) != NULL) {
      g_mutex_unlock (&outbox->lock);
      gst_element_post_message (element, message);
      g_mutex_lock (&outbox->lock);
    }
    outbox->posting = FALSE;
  }
  g_mutex_unlock (&outbox->lock);
}
