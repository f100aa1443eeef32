/* altclip: what flows past, as records
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliprecorder.h"

#include "altclipmeta.h"
#include "altcliptiming.h"

void
gst_altclip_recorder_init (GstAltclipRecorder *recorder)
{
  *recorder = (GstAltclipRecorder){.stream_id = NULL};
  gst_segment_init (&recorder->segment, GST_FORMAT_UNDEFINED);
  recorder->analyses =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

void
gst_altclip_recorder_clear (GstAltclipRecorder *recorder)
{
  g_clear_pointer (&recorder->stream_id, g_ref_string_release);
  g_clear_pointer (&recorder->analyses, g_hash_table_unref);
}

void
gst_altclip_recorder_reset (GstAltclipRecorder *recorder)
{
  gst_segment_init (&recorder->segment, GST_FORMAT_UNDEFINED);
  g_clear_pointer (&recorder->stream_id, g_ref_string_release);
  recorder->width = recorder->height = 0;
  g_hash_table_remove_all (recorder->analyses);
}

/* ---- The stream --------------------------------------------------------- */

static void
follow_stream_start (GstAltclipRecorder *recorder, GstEvent *event)
{
  const gchar *stream_id;

  gst_event_parse_stream_start (event, &stream_id);
  g_clear_pointer (&recorder->stream_id, g_ref_string_release);
  recorder->stream_id = g_ref_string_new (stream_id);
  g_hash_table_remove_all (recorder->analyses);
}

static void
follow_caps (GstAltclipRecorder *recorder, GstEvent *event)
{
  const GstStructure *structure;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  structure = gst_caps_get_structure (caps, 0);
  recorder->width = recorder->height = 0;
  gst_structure_get_int (structure, "width", &recorder->width);
  gst_structure_get_int (structure, "height", &recorder->height);
}

void
gst_altclip_recorder_follow (GstAltclipRecorder *recorder, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      follow_stream_start (recorder, event);
      break;
    case GST_EVENT_CAPS:
      follow_caps (recorder, event);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &recorder->segment);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_segment_init (&recorder->segment, GST_FORMAT_UNDEFINED);
      g_hash_table_remove_all (recorder->analyses);
      break;
    default:
      break;
  }
}

/* ---- Records ------------------------------------------------------------ */

static GstAltclipOrigin
get_origin (const GstAltclipRecorder *recorder, const gchar *source)
{
  return (GstAltclipOrigin){source, recorder->width, recorder->height};
}

GstAltclipRecord *
gst_altclip_recorder_new_event (GstAltclipRecorder *recorder,
    const GstStructure *event, const gchar *source, guint64 *sequence)
{
  GstAltclipOrigin origin = get_origin (recorder, source);

  return gst_altclip_record_new_event (event, &origin, ++*sequence);
}

/* Of a frame that an altclipfilter analysed. */
typedef struct
{
  guint64 pts;
  guint revision;
} Analysis;

/* Whether these are the results that the last frame had of this altclipfilter.
 * A frame without a PTS may be any. */
static gboolean
is_known (GstAltclipRecorder *recorder, const GstStructure *tags)
{
  const gchar *element = gst_structure_get_string (tags, "element");
  Analysis analysis = {GST_CLOCK_TIME_NONE, 0};
  Analysis *last;
  gboolean known;

  if (element == NULL)
    return FALSE;
  gst_structure_get_uint64 (tags, "frame-pts", &analysis.pts);
  gst_structure_get_uint (tags, "revision", &analysis.revision);
  last = g_hash_table_lookup (recorder->analyses, element);
  if (last == NULL) {
    last = g_new (Analysis, 1);
    *last = (Analysis){GST_CLOCK_TIME_NONE, 0};
    g_hash_table_insert (recorder->analyses, g_strdup (element), last);
  }
  known = GST_CLOCK_TIME_IS_VALID (analysis.pts) && analysis.pts == last->pts
      && analysis.revision == last->revision;
  *last = analysis;
  return known;
}

/* Of altclipfilters behind each other, any may have analysed something. */
static gboolean
are_known (GstAltclipRecorder *recorder, const GstStructure *tags)
{
  gboolean known = TRUE;
  guint i;

  for (i = 0; i < GST_ALTCLIP_RECORD_MAX_FILTERS && tags != NULL; i++) {
    known &= is_known (recorder, tags);
    tags = gst_altclip_record_get_upstream (tags);
  }
  return known;
}

GstAltclipRecord *
gst_altclip_recorder_new_result (GstAltclipRecorder *recorder,
    GstBuffer *buffer, gboolean again, const gchar *source, guint64 *sequence)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_ALTCLIP_META_NAME);
  g_auto (GstAltclipTiming) timing = GST_ALTCLIP_TIMING_INIT;
  GstAltclipOrigin origin = get_origin (recorder, source);
  const GstStructure *tags;
  GstAltclipRecord *record;

  if (meta == NULL)
    return NULL;
  tags = gst_custom_meta_get_structure (meta);
  if (are_known (recorder, tags) && !again)
    return NULL;
  gst_altclip_timing_init (
      &timing, &recorder->segment, buffer, recorder->stream_id);
  record = gst_altclip_record_new_result (
      buffer, tags, &timing, &origin, *sequence + 1);
  if (record != NULL)
    ++*sequence;
  return record;
}
