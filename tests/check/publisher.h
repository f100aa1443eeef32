/* altclip: altclipfilter and altclippublish between two harness pads, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bundled model is shown black and blue frames in turns, so that labels begin and end all the
 * time.
 */

#ifndef ALTCLIP_TEST_PUBLISHER_H
#define ALTCLIP_TEST_PUBLISHER_H

#include <gst/check/check.h>
#include <gst/check/gstharness.h>
#include <jansson.h>

/* Every so many frames the colour changes, and every so many are analysed. */
#define FRAMES_A_COLOUR 20
#define FRAMES_AN_ANALYSIS 10

/* A frame that spends more in altclippublish than this is late: far more than the machine may be
 * busy for, and less than a broker is away. In microseconds. */
#define LATE (400 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    GstElement *bin;
    GstElement *filter;
    GstElement *publish;
    GstBus *bus;
    GstHarness *harness;
    guint next; /* number of the frame to push */
    /* Of the streaming thread: */
    gint64 entered;
    GArray *times; /* gint64: how long each frame spent in altclippublish */
} Publisher;

/* @properties: of altclippublish, as gst-launch has them. */
Publisher *publisher_new (const char *properties);

/* Likewise of both. */
Publisher *publisher_new_with (const char *filter_properties, const char *properties);
void publisher_free (Publisher *publisher);

void publisher_push (Publisher *publisher, guint n_frames);

/* EOS, and waits until it is through. */
void publisher_end (Publisher *publisher);

/* One of the property `stats`. */
guint64 publisher_get_count (Publisher *publisher, const char *name);

/* Waits until all is published. */
void publisher_wait (Publisher *publisher);

/* Takes from the bus how many `altclip` events there were and, in @warnings, how many warnings
 * of altclippublish's. */
guint publisher_count_events (Publisher *publisher, guint *warnings);

/* No frame was late; the times are told. */
void publisher_expect_no_delay (Publisher *publisher);

/* (transfer full): the lines of a file, as an array. */
json_t *read_lines (const char *path);

gboolean is_event (const json_t *line);
guint count_results (const json_t *lines);
guint64 get_sequence (const json_t *line);

/* Those of @lines that tell of events: with duplicates left out, in order, and @n of them. */
void expect_events (const json_t *lines, guint n);

#endif /* ALTCLIP_TEST_PUBLISHER_H */
