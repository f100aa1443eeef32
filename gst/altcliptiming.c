/* altclip: when a frame is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliptiming.h"

/* From 1900, where NTP begins, to 1970. */
#define NTP_TO_UNIX (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

static GstStaticCaps unix_caps = GST_STATIC_CAPS ("timestamp/x-unix");
static GstStaticCaps ntp_caps = GST_STATIC_CAPS ("timestamp/x-ntp");

static GstReferenceTimestampMeta *
get_reference (GstBuffer *buffer, GstStaticCaps *static_caps)
{
  g_autoptr (GstCaps) caps = gst_static_caps_get (static_caps);

  return gst_buffer_get_reference_timestamp_meta (buffer, caps);
}

static gboolean
get_reference_utc (GstBuffer *buffer, gint64 *utc)
{
  GstReferenceTimestampMeta *meta;

  /* Most frames have none of any kind: one look settles it. */
  if (gst_buffer_get_reference_timestamp_meta (buffer, NULL) == NULL)
    return FALSE;

  meta = get_reference (buffer, &unix_caps);
  if (meta != NULL) {
    *utc = meta->timestamp / GST_USECOND;
    return TRUE;
  }
  meta = get_reference (buffer, &ntp_caps);
  if (meta != NULL && meta->timestamp >= NTP_TO_UNIX) {
    *utc = (meta->timestamp - NTP_TO_UNIX) / GST_USECOND;
    return TRUE;
  }
  return FALSE;
}

void
gst_altclip_timing_init (GstAltclipTiming *timing, const GstSegment *segment,
    GstBuffer *buffer, gchar *stream_id)
{
  *timing = (GstAltclipTiming) GST_ALTCLIP_TIMING_INIT;
  timing->stream_id =
      stream_id != NULL ? g_ref_string_acquire (stream_id) : NULL;
  timing->pts = GST_BUFFER_PTS (buffer);
  if (GST_CLOCK_TIME_IS_VALID (timing->pts)
      && segment->format == GST_FORMAT_TIME) {
    timing->running_time =
        gst_segment_to_running_time (segment, GST_FORMAT_TIME, timing->pts);
    timing->stream_time =
        gst_segment_to_stream_time (segment, GST_FORMAT_TIME, timing->pts);
  }
  timing->arrival = (GstClockTime) g_get_monotonic_time () * GST_USECOND;
  timing->utc_reference = get_reference_utc (buffer, &timing->utc);
  if (!timing->utc_reference)
    timing->utc = g_get_real_time ();
}

void
gst_altclip_timing_copy (GstAltclipTiming *timing, const GstAltclipTiming *from)
{
  *timing = *from;
  if (from->stream_id != NULL)
    g_ref_string_acquire (from->stream_id);
}

void
gst_altclip_timing_clear (GstAltclipTiming *timing)
{
  g_clear_pointer (&timing->stream_id, g_ref_string_release);
  *timing = (GstAltclipTiming) GST_ALTCLIP_TIMING_INIT;
}

GstClockTimeDiff
gst_altclip_timing_get_age (
    const GstAltclipTiming *timing, const GstAltclipTiming *of)
{
  if (GST_CLOCK_TIME_IS_VALID (timing->running_time)
      && GST_CLOCK_TIME_IS_VALID (of->running_time))
    return GST_CLOCK_DIFF (of->running_time, timing->running_time);
  return GST_CLOCK_DIFF (of->arrival, timing->arrival);
}

gboolean
gst_altclip_timing_is_joined (
    const GstAltclipTiming *timing, const GstAltclipTiming *of)
{
  return timing->section == of->section
      && gst_altclip_timing_is_same_stream (timing, of);
}

/* Each beginning of a stream has a string of its own. */
gboolean
gst_altclip_timing_is_same_stream (
    const GstAltclipTiming *timing, const GstAltclipTiming *of)
{
  return timing->stream_id == of->stream_id;
}

gboolean
gst_altclip_timing_is_gap (GstClockTime last, GstClockTime now,
    GstClockTime max_age, GstClockTime usual)
{
  return GST_CLOCK_TIME_IS_VALID (last) && GST_CLOCK_TIME_IS_VALID (now)
      && now > last && now - last > max_age && (now - last) / 2 > usual;
}

gchar *
gst_altclip_timing_format_utc (const GstAltclipTiming *timing)
{
  gint64 seconds = timing->utc / G_USEC_PER_SEC;
  gint64 micros = timing->utc % G_USEC_PER_SEC;
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
  g_autofree gchar *text = NULL;

  /* A reference timestamp is a stranger's number: it may be beyond year 9999.
   */
  if (time == NULL)
    return g_strdup ("");
  text = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S");
  return g_strdup_printf ("%s.%06" G_GINT64_FORMAT "Z", text, micros);
}
