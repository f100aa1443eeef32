/* altclip: which encoded frames are decoded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where key frames come at least as often as frames are to be analysed, the others need no
 * decoding. Of the thread that feeds the decoder.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define MONITOR_GATE_DISTANCES 4

typedef struct {
    GstClockTime distances[MONITOR_GATE_DISTANCES]; /* between the last key frames; 0: not known */
    guint n_keys;
    GstClockTime last_key;  /* stream time; none before the first */
    GstClockTime last_pass; /* of the last key frame that was let through */
    gboolean passes_others; /* until the next key frame */
} MonitorGate;

void monitor_gate_init (MonitorGate *gate);

/* How much earlier than after interval a frame may come and still be due: what is sent regularly
 * does not arrive so. */
GstClockTime monitor_gate_get_tolerance (GstClockTime interval);

/* time: of the frame, GST_CLOCK_TIME_NONE if it has none; interval: 0: each frame counts */
gboolean monitor_gate_passes (
        MonitorGate *gate, gboolean is_key, GstClockTime time, GstClockTime interval);

G_END_DECLS
