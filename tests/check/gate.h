/* altclip: frames that the worker cannot read before the test lets it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The gate stands in the mapping of a frame, where the worker comes by with each one. With it a
 * test decides when an analysis ends, and no clock is needed. There is one gate, open at first.
 */

#ifndef ALTCLIP_TEST_GATE_H
#define ALTCLIP_TEST_GATE_H

#include <gst/gst.h>

/* Returns: (transfer full): @buffer, a frame of the rig's size, which has to pass the gate */
GstBuffer *gate_guard (GstBuffer *buffer);

/* Frames from here on stand and wait; gate_open() lets all pass, for good. Both start anew to
 * count.
 */
void gate_close (void);
void gate_open (void);

/* Lets one frame pass. */
void gate_let_one (void);

/* From here on each frame takes that long to pass. */
void gate_slow_down (gulong microseconds);

/* Waits until @n frames have reached the gate, those that passed included. */
void gate_wait_for (guint n);

#endif /* ALTCLIP_TEST_GATE_H */
