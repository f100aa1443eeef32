/* altclip: which encoded frames are decoded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gate.h"

#define MOST_TOLERANCE (50 * GST_MSECOND)

GstClockTime
monitor_gate_get_tolerance (GstClockTime interval)
{
    return MIN (interval / 8, MOST_TOLERANCE);
}

void
monitor_gate_init (MonitorGate *gate)
{
    *gate = (MonitorGate){
        .last_key = GST_CLOCK_TIME_NONE, .last_pass = GST_CLOCK_TIME_NONE, .passes_others = TRUE
    };
}

/* The longest of the last distances; NONE until that many are known. Encoders that save bits move
 * key frames apart while nothing moves. */
static GstClockTime
get_distance (const MonitorGate *gate)
{
    GstClockTime longest = 0;

    if (gate->n_keys < MONITOR_GATE_DISTANCES)
        return GST_CLOCK_TIME_NONE;
    for (guint i = 0; i < MONITOR_GATE_DISTANCES; i++)
        longest = MAX (longest, gate->distances[i]);
    return longest;
}

static void
note_key (MonitorGate *gate, GstClockTime time)
{
    if (GST_CLOCK_TIME_IS_VALID (gate->last_key) && time > gate->last_key)
        gate->distances[gate->n_keys++ % MONITOR_GATE_DISTANCES] = time - gate->last_key;
    else if (GST_CLOCK_TIME_IS_VALID (gate->last_key))
        gate->n_keys = 0; /* time has begun anew */
    gate->last_key = time;
}

static gboolean
passes_key (MonitorGate *gate, GstClockTime time, GstClockTime interval)
{
    GstClockTime distance = get_distance (gate);
    gboolean is_due = TRUE;

    gate->passes_others =
            interval == 0 || distance > interval + monitor_gate_get_tolerance (interval);
    if (!gate->passes_others && GST_CLOCK_TIME_IS_VALID (gate->last_pass) &&
            time >= gate->last_pass)
        is_due = time + distance / 2 >= gate->last_pass + interval;
    if (is_due)
        gate->last_pass = time;
    return is_due;
}

gboolean
monitor_gate_passes (MonitorGate *gate, gboolean is_key, GstClockTime time, GstClockTime interval)
{
    if (!GST_CLOCK_TIME_IS_VALID (time)) {
        if (is_key)
            monitor_gate_init (gate);
        return gate->passes_others || is_key;
    }
    if (!is_key)
        return gate->passes_others;
    note_key (gate, time);
    return passes_key (gate, time, interval);
}
