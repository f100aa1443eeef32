/* altclip: a frame that is held for the worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipframe.h"

GstAltclipTicket *
gst_altclip_ticket_new (void)
{
  return g_atomic_rc_box_new0 (GstAltclipTicket);
}

GstAltclipTicket *
gst_altclip_ticket_ref (GstAltclipTicket *ticket)
{
  return g_atomic_rc_box_acquire (ticket);
}

static void
ticket_clear (gpointer data)
{
  GstAltclipTicket *ticket = data;

  g_clear_pointer (&ticket->result, gst_altclip_result_unref);
}

void
gst_altclip_ticket_unref (GstAltclipTicket *ticket)
{
  g_atomic_rc_box_release_full (ticket, ticket_clear);
}

GstAltclipFrame *
gst_altclip_frame_new (GstBuffer *buffer, GstAltclipFormat *format,
    const GstAltclipTiming *timing, const GstAltclipView *view,
    GstAltclipTicket *ticket, guint epoch)
{
  GstAltclipFrame *frame = g_new0 (GstAltclipFrame, 1);

  frame->buffer = buffer;
  frame->format = gst_altclip_format_ref (format);
  gst_altclip_timing_copy (&frame->timing, timing);
  gst_altclip_view_copy (&frame->view, view);
  if (ticket != NULL)
    frame->ticket = gst_altclip_ticket_ref (ticket);
  frame->epoch = epoch;
  return frame;
}

void
gst_altclip_frame_free (GstAltclipFrame *frame)
{
  gst_clear_buffer (&frame->buffer);
  g_clear_pointer (&frame->format, gst_altclip_format_unref);
  g_clear_pointer (&frame->ticket, gst_altclip_ticket_unref);
  gst_altclip_timing_clear (&frame->timing);
  gst_altclip_view_clear (&frame->view);
  g_free (frame);
}
