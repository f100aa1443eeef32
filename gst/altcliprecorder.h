/* altclip: what flows past, as records
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_RECORDER_H
#define GST_ALTCLIP_RECORDER_H

#include <gst/gst.h>

#include "altcliprecord.h"

G_BEGIN_DECLS

/**
 * GstAltclipRecorder:
 *
 * What is known of the stream behind an altclipfilter, to make records of what
 * that tells. Belongs to the streaming thread.
 */
typedef struct
{
  GstSegment segment;
  gchar *stream_id; /* a GRefString */
  gint width;
  gint height;

  /* Of each altclipfilter by its name, what it analysed last. */
  GHashTable *analyses;
} GstAltclipRecorder;

void gst_altclip_recorder_init (GstAltclipRecorder *recorder);

void gst_altclip_recorder_clear (GstAltclipRecorder *recorder);

/**
 * gst_altclip_recorder_reset:
 *
 * Forgets the stream.
 */
void gst_altclip_recorder_reset (GstAltclipRecorder *recorder);

/**
 * gst_altclip_recorder_follow:
 * @event: any that goes downstream
 *
 * Learns of the stream.
 */
void gst_altclip_recorder_follow (
    GstAltclipRecorder *recorder, GstEvent *event);

/**
 * gst_altclip_recorder_new_event:
 * @event: structure of an `altclip` event
 * @source: (nullable): what the user calls the stream
 * @sequence: (inout): number of the last record; one more with each
 *
 * Returns: (transfer full): a record of it
 */
GstAltclipRecord *gst_altclip_recorder_new_event (GstAltclipRecorder *recorder,
    const GstStructure *event, const gchar *source, guint64 *sequence);

/**
 * gst_altclip_recorder_new_result:
 * @buffer: a frame
 * @again: also of a frame of which nothing was analysed since the one before
 * @source: (nullable): what the user calls the stream
 * @sequence: (inout): number of the last record; one more with each
 *
 * Returns: (transfer full) (nullable): a record of its results; %NULL: it has
 *   none, or there is one of them already
 */
GstAltclipRecord *gst_altclip_recorder_new_result (GstAltclipRecorder *recorder,
    GstBuffer *buffer, gboolean again, const gchar *source, guint64 *sequence);

G_END_DECLS

#endif /* GST_ALTCLIP_RECORDER_H */
