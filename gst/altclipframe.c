/* altclip: a frame that is held for the worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipframe.h"

/* Several views in one buffer would be looked at as one picture. */
static gboolean
is_multiview (const GstVideoInfo *info)
{
  switch (GST_VIDEO_INFO_MULTIVIEW_MODE (info)) {
    case GST_VIDEO_MULTIVIEW_MODE_NONE:
    case GST_VIDEO_MULTIVIEW_MODE_MONO:
    case GST_VIDEO_MULTIVIEW_MODE_LEFT:
    case GST_VIDEO_MULTIVIEW_MODE_RIGHT:
      return FALSE;
    default:
      return TRUE;
  }
}

static GstClockTime
get_frame_duration (const GstVideoInfo *info)
{
  if (GST_VIDEO_INFO_FPS_N (info) <= 0 || GST_VIDEO_INFO_FPS_D (info) <= 0)
    return GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale_int (
      GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
}

GstAltclipFormat *
gst_altclip_format_new (GstCaps *caps)
{
  GstVideoInfo info;
  GstAltclipFormat *format;

  if (!gst_video_info_from_caps (&info, caps) || is_multiview (&info))
    return NULL;

  format = g_atomic_rc_box_new0 (GstAltclipFormat);
  format->info = info;
  format->frame_duration = get_frame_duration (&info);
  return format;
}

GstAltclipFormat *
gst_altclip_format_ref (GstAltclipFormat *format)
{
  return g_atomic_rc_box_acquire (format);
}

void
gst_altclip_format_unref (GstAltclipFormat *format)
{
  g_atomic_rc_box_release (format);
}

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
    const GstAltclipTiming *timing, GstAltclipTicket *ticket, guint epoch)
{
  GstAltclipFrame *frame = g_new0 (GstAltclipFrame, 1);

  frame->buffer = buffer;
  frame->format = gst_altclip_format_ref (format);
  gst_altclip_timing_copy (&frame->timing, timing);
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
  g_free (frame);
}
