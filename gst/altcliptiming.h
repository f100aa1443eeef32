/* altclip: when a frame is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_TIMING_H
#define GST_ALTCLIP_TIMING_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstAltclipTiming:
 * @number: how many frames the element was given until it
 * @stream_id: (nullable): a #GRefString, the stream it belongs to
 * @pts: its PTS, or %GST_CLOCK_TIME_NONE; so are the next two without one
 * @running_time: the same in running time
 * @stream_time: the same in stream time
 * @utc: wall time of it in microseconds since 1970
 * @utc_reference: whether @utc came with the frame, not from this machine's
 * clock
 * @arrival: g_get_monotonic_time() when it arrived, in ns
 * @section: how many long gaps there were before it
 * @duration: how long it lasts; 0: not known
 * @still_from: running time of the last frame to be analysed after which there
 *   were some in which nothing moved, or %GST_CLOCK_TIME_NONE; others may have
 *   been analysed since
 * @still_until: running time of the last of those
 */
typedef struct
{
  guint64 number;
  gchar *stream_id;
  GstClockTime pts;
  GstClockTime running_time;
  GstClockTime stream_time;
  gint64 utc;
  gboolean utc_reference;
  GstClockTime arrival;
  guint section;
  GstClockTime duration;
  GstClockTime still_from;
  GstClockTime still_until;
} GstAltclipTiming;

#define GST_ALTCLIP_TIMING_INIT                                            \
  {                                                                        \
    .pts = GST_CLOCK_TIME_NONE, .running_time = GST_CLOCK_TIME_NONE,       \
    .stream_time = GST_CLOCK_TIME_NONE, .still_from = GST_CLOCK_TIME_NONE, \
    .still_until = GST_CLOCK_TIME_NONE                                     \
  }

/**
 * gst_altclip_timing_init:
 * @stream_id: (nullable): a #GRefString
 *
 * Reads the times of a buffer that has just arrived.
 */
void gst_altclip_timing_init (GstAltclipTiming *timing,
    const GstSegment *segment, GstBuffer *buffer, gchar *stream_id);

void gst_altclip_timing_copy (
    GstAltclipTiming *timing, const GstAltclipTiming *from);
void gst_altclip_timing_clear (GstAltclipTiming *timing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAltclipTiming, gst_altclip_timing_clear)

/**
 * gst_altclip_timing_get_age:
 * @of: the analysed frame
 *
 * Returns: how much later @timing is than @of, in running time, or by arrival
 *   when one of them has none
 */
GstClockTimeDiff gst_altclip_timing_get_age (
    const GstAltclipTiming *timing, const GstAltclipTiming *of);

/**
 * gst_altclip_timing_is_joined:
 *
 * Returns: whether nothing separates the two frames: neither the beginning of a
 *   stream nor a long gap
 */
gboolean gst_altclip_timing_is_joined (
    const GstAltclipTiming *timing, const GstAltclipTiming *of);

/**
 * gst_altclip_timing_is_same_stream:
 *
 * Returns: whether no stream began between the two frames, were it one with the
 *   same id
 */
gboolean gst_altclip_timing_is_same_stream (
    const GstAltclipTiming *timing, const GstAltclipTiming *of);

/**
 * gst_altclip_timing_is_gap:
 * @last: the running time of what came before; it and @now may be
 *   %GST_CLOCK_TIME_NONE
 * @max_age: what is longer is a gap
 * @usual: how far apart they are to be; less than twice as much is no gap
 *
 * By running time alone, which does not depend on how fast frames are made.
 *
 * Returns: whether nothing came for too long
 */
gboolean gst_altclip_timing_is_gap (GstClockTime last, GstClockTime now,
    GstClockTime max_age, GstClockTime usual);

/**
 * gst_altclip_timing_format_utc:
 *
 * Returns: (transfer full): the wall time in ISO 8601
 */
gchar *gst_altclip_timing_format_utc (const GstAltclipTiming *timing);

G_END_DECLS

#endif /* GST_ALTCLIP_TIMING_H */
