/* altclip: what the element's tests stand on: an element between two harness pads, and its frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TEST_RIG_H
#define ALTCLIP_TEST_RIG_H

#include <gst/check/check.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define WIDTH 64
#define HEIGHT 48
#define CAPS "video/x-raw,format=RGB,width=64,height=48,framerate=30/1"
#define FRAME_SIZE (WIDTH * HEIGHT * 3)
#define FRAME (GST_SECOND / 30)

/* Longer than anything takes, even under valgrind. */
#define PATIENCE (60 * GST_SECOND)

/* An element between two harness pads, with a bus. */
typedef struct {
    GstElement *element;
    GstBus *bus;
    GstHarness *harness;
} Rig;

/* Properties and values as strings, up to NULL. */
Rig *rig_new (const char *model, ...);

/* The same in two steps, for what has to be there before the element begins. */
Rig *rig_new_idle (const char *model, ...);
void rig_start (Rig *rig);

void rig_free (Rig *rig);

/* A flush, and a segment from 0. */
void rig_flush (Rig *rig);

/* Drops the messages that wait on the bus. */
void rig_forget_messages (Rig *rig);

/* One of the property `stats`. */
guint64 rig_get_count (Rig *rig, const char *name);

GstBuffer *new_frame (GstClockTime pts, guint8 red, guint8 green, guint8 blue);

/* A frame that differs from its neighbours. */
GstBuffer *new_numbered_frame (guint number);

const GstStructure *get_tags (GstBuffer *buffer);

const GstStructure *get_label (const GstStructure *tags, guint rank);

guint get_n_labels (const GstStructure *tags);

guint64 get_frame_pts (const GstStructure *tags);

gint64 get_age (const GstStructure *tags);

guint get_revision (const GstStructure *tags);

/* Live: pushes frames from number *at on until one comes out tagged. (transfer full) */
GstBuffer *push_until_tagged (Rig *rig, guint *at);

/* (transfer full) */
GstMessage *pop_message (GstBus *bus, GstMessageType type);

/* The next `altclip` message with that event. (transfer full) */
GstMessage *pop_event (GstBus *bus, const char *event);

char *get_text (GstMessage *message);

void expect_text (GstBus *bus, GstMessageType type, const char *part);

void expect_ending (GstBus *bus, const char *reason);

/* Beginnings without an end. */
gint count_open_progress (GstBus *bus);

#endif /* ALTCLIP_TEST_RIG_H */
