/* altclip: what is published, as lines of JSON
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_RECORD_H
#define GST_ALTCLIP_RECORD_H

#include <gst/gst.h>

#include "altcliptiming.h"

G_BEGIN_DECLS

typedef enum
{
  GST_ALTCLIP_RECORD_RESULT,
  GST_ALTCLIP_RECORD_EVENT,
  GST_ALTCLIP_RECORD_N_KINDS
} GstAltclipRecordKind;

/**
 * GstAltclipRecord:
 * @kind: what it tells of
 * @sequence: its number; those of the same publisher only grow
 * @line: one line of JSON and its end
 * @length: of @line without its end
 *
 * Immutable, and owned by one place at a time.
 */
typedef struct
{
  GstAltclipRecordKind kind;
  guint64 sequence;
  gchar *line;
  gsize length;
} GstAltclipRecord;

/**
 * GstAltclipOrigin:
 * @source: (nullable): what the user calls it
 * @width: of the frames in pixels; 0: not known
 * @height: likewise
 *
 * Where what is published is from.
 */
typedef struct
{
  const gchar *source;
  gint width;
  gint height;
} GstAltclipOrigin;

/* Of one frame, altclipfilters behind each other. */
#define GST_ALTCLIP_RECORD_MAX_FILTERS 16

/**
 * gst_altclip_record_get_upstream:
 * @tags: what altclipfilter attached
 *
 * Returns: (nullable): what the one before it did
 */
const GstStructure *gst_altclip_record_get_upstream (const GstStructure *tags);

/**
 * gst_altclip_record_new_event:
 * @event: structure of an `altclip` event
 * @sequence: its number; 0: it is not published, and the line has none
 *
 * Returns: (transfer full): a line that tells of it
 */
GstAltclipRecord *gst_altclip_record_new_event (const GstStructure *event,
    const GstAltclipOrigin *origin, guint64 sequence);

/**
 * gst_altclip_record_new_result:
 * @buffer: a frame
 * @tags: what altclipfilter attached to it
 * @timing: of it
 *
 * In the layout of DL Streamer's gvametaconvert: `resolution`, `source`,
 * `timestamp`, `objects`. A frame that was looked at as a whole is an object
 * that covers it.
 *
 * Returns: (transfer full) (nullable): a line with its results; %NULL: there are
 *   none
 */
GstAltclipRecord *gst_altclip_record_new_result (GstBuffer *buffer,
    const GstStructure *tags, const GstAltclipTiming *timing,
    const GstAltclipOrigin *origin, guint64 sequence);

void gst_altclip_record_free (GstAltclipRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipRecord, gst_altclip_record_free)

G_END_DECLS

#endif /* GST_ALTCLIP_RECORD_H */
