/* altclip: what is published, as lines of JSON
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliprecord.h"

#include <gst/video/video.h>
#include <jansson.h>
#include <math.h>

#include "altclipregions.h"

/* The attribute of an object that the best label is in. */
#define ATTRIBUTE "altclip"

/* How deep structures are that become JSON: labels in regions in results. */
#define MAX_DEPTH 4

/* ---- Values ------------------------------------------------------------- */

/* Strings of other elements need not be UTF-8. */
static json_t *
new_string (const gchar *text)
{
  g_autofree gchar *valid = NULL;

  if (g_utf8_validate (text, -1, NULL))
    return json_string (text);
  valid = g_utf8_make_valid (text, -1);
  return json_string (valid);
}

static void
set_string (json_t *object, const gchar *key, const gchar *text)
{
  if (text != NULL)
    json_object_set_new (object, key, new_string (text));
}

/* What is larger is no time. */
static void
set_time (json_t *object, const gchar *key, guint64 time)
{
  if (time <= G_MAXINT64)
    json_object_set_new (object, key, json_integer ((json_int_t) time));
}

/* Returns: (nullable): %NULL for what JSON cannot say */
static json_t *
new_number (const GValue *value)
{
  if (G_VALUE_HOLDS_UINT (value))
    return json_integer (g_value_get_uint (value));
  if (G_VALUE_HOLDS_INT (value))
    return json_integer (g_value_get_int (value));
  if (G_VALUE_HOLDS_INT64 (value))
    return json_integer (g_value_get_int64 (value));
  if (G_VALUE_HOLDS_UINT64 (value) && g_value_get_uint64 (value) <= G_MAXINT64)
    return json_integer ((json_int_t) g_value_get_uint64 (value));
  if (G_VALUE_HOLDS_DOUBLE (value) && isfinite (g_value_get_double (value)))
    return json_real (g_value_get_double (value));
  return NULL;
}

static json_t *new_value (const GValue *value, guint depth);

static json_t *
new_array (const GValue *value, guint depth)
{
  guint n = gst_value_array_get_size (value);
  json_t *array = json_array ();
  guint i;

  for (i = 0; i < n; i++) {
    json_t *item = new_value (gst_value_array_get_value (value, i), depth - 1);

    if (item != NULL)
      json_array_append_new (array, item);
  }
  return array;
}

typedef struct
{
  json_t *object;
  guint depth;
} Filling;

/* Names have underscores, as those of DL Streamer. */
static gboolean
set_field (GQuark field, const GValue *value, gpointer user_data)
{
  Filling *filling = user_data;
  g_autofree gchar *key = g_strdup (g_quark_to_string (field));
  json_t *item = new_value (value, filling->depth - 1);

  if (item != NULL)
    json_object_set_new (filling->object, g_strdelimit (key, "-", '_'), item);
  return TRUE;
}

static void
set_fields (json_t *object, const GstStructure *structure, guint depth)
{
  Filling filling = {object, depth};

  gst_structure_foreach (structure, set_field, &filling);
}

static json_t *
new_object (const GstStructure *structure, guint depth)
{
  json_t *object = json_object ();

  set_fields (object, structure, depth);
  return object;
}

/* Returns: (nullable): %NULL for what JSON cannot say, or too deep */
static json_t *
new_value (const GValue *value, guint depth)
{
  if (depth == 0)
    return NULL;
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_get_string (value) != NULL
        ? new_string (g_value_get_string (value))
        : NULL;
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return json_boolean (g_value_get_boolean (value));
  if (GST_VALUE_HOLDS_ARRAY (value))
    return new_array (value, depth);
  if (GST_VALUE_HOLDS_STRUCTURE (value))
    return gst_value_get_structure (value) != NULL
        ? new_object (gst_value_get_structure (value), depth)
        : NULL;
  return new_number (value);
}

static void
move_key (json_t *object, const gchar *from, const gchar *to)
{
  json_t *value = json_object_get (object, from);

  if (value == NULL)
    return;
  json_object_set (object, to, value);
  json_object_del (object, from);
}

/* Takes @object. */
static GstAltclipRecord *
new_record (GstAltclipRecordKind kind, guint64 sequence, json_t *object)
{
  GstAltclipRecord *record = g_new (GstAltclipRecord, 1);
  char *text = json_dumps (object, JSON_COMPACT | JSON_REAL_PRECISION (9));

  record->kind = kind;
  record->sequence = sequence;
  record->line = g_strconcat (text, "\n", NULL);
  record->length = strlen (text);
  free (text);
  json_decref (object);
  return record;
}

void
gst_altclip_record_free (GstAltclipRecord *record)
{
  g_free (record->line);
  g_free (record);
}

/* ---- Events ------------------------------------------------------------- */

GstAltclipRecord *
gst_altclip_record_new_event (
    const GstStructure *event, const GstAltclipOrigin *origin, guint64 sequence)
{
  json_t *object = json_object ();

  if (sequence > 0)
    json_object_set_new (
        object, "sequence", json_integer ((json_int_t) sequence));
  /* What people look for first. */
  set_string (object, "event", gst_structure_get_string (event, "event"));
  set_string (object, "label", gst_structure_get_string (event, "label"));
  set_fields (object, event, MAX_DEPTH);
  move_key (object, "stream_time", "timestamp");
  set_string (object, "source", origin->source);
  return new_record (GST_ALTCLIP_RECORD_EVENT, sequence, object);
}

/* ---- Objects ------------------------------------------------------------ */

/* In fractions of the frame. */
typedef struct
{
  gdouble x;
  gdouble y;
  gdouble w;
  gdouble h;
} Part;

static gint
to_pixels (gdouble share, gint size)
{
  return (gint) lround (CLAMP (share, 0.0, 1.0) * size);
}

static void
get_pixels (const Part *part, const GstAltclipOrigin *origin, gint pixels[4])
{
  pixels[0] = to_pixels (part->x, origin->width);
  pixels[1] = to_pixels (part->y, origin->height);
  pixels[2] = to_pixels (part->x + part->w, origin->width) - pixels[0];
  pixels[3] = to_pixels (part->y + part->h, origin->height) - pixels[1];
}

static void
set_pixels (json_t *object, const Part *part, const GstAltclipOrigin *origin)
{
  static const gchar *const keys[] = {"x", "y", "w", "h"};
  gint pixels[4];
  guint i;

  if (origin->width <= 0 || origin->height <= 0)
    return;
  get_pixels (part, origin, pixels);
  for (i = 0; i < G_N_ELEMENTS (keys); i++)
    json_object_set_new (object, keys[i], json_integer (pixels[i]));
}

/* The best label of @results, if any. */
static const GstStructure *
get_best (const GstStructure *structure)
{
  const GValue *results = gst_structure_get_value (structure, "results");

  if (results == NULL || !GST_VALUE_HOLDS_ARRAY (results)
      || gst_value_array_get_size (results) == 0)
    return NULL;
  return gst_value_get_structure (gst_value_array_get_value (results, 0));
}

/* As that of a classifier of DL Streamer's. */
static json_t *
new_classification (const GstStructure *best, const gchar *model)
{
  json_t *object = json_object ();
  guint index = 0;
  gdouble score = 0.0;

  set_string (object, "label", gst_structure_get_string (best, "label"));
  if (gst_structure_get_uint (best, "index", &index))
    json_object_set_new (object, "label_id", json_integer (index));
  if (gst_structure_get_double (best, "score", &score) && isfinite (score))
    json_object_set_new (object, "confidence", json_real (score));
  if (model != NULL)
    json_object_set_new (
        object, "model", json_pack ("{s:o}", "name", new_string (model)));
  return object;
}

/* What the frame and its regions have. */
static void
set_findings (
    json_t *object, const GstStructure *found, const GstStructure *tags)
{
  static const gchar *const common[] = {
      "element", "revision", "score-mode", "frame-pts", "age"};
  const GValue *results = gst_structure_get_value (found, "results");
  const gchar *model = gst_structure_get_string (tags, "model");
  guint i;

  json_object_set_new (
      object, ATTRIBUTE, new_classification (get_best (found), model));
  json_object_set_new (object, "results", new_value (results, MAX_DEPTH));
  for (i = 0; i < G_N_ELEMENTS (common); i++) {
    const GValue *value = gst_structure_get_value (tags, common[i]);

    if (value != NULL)
      set_field (
          g_quark_from_static_string (common[i]), value, &(Filling){object, 2});
  }
}

static gdouble
get_share (const GValue *array, guint index)
{
  const GValue *value = gst_value_array_get_value (array, index);

  return G_VALUE_HOLDS_DOUBLE (value) ? g_value_get_double (value) : 0.0;
}

/* The part that was looked at. */
static Part
get_view (const GstStructure *tags)
{
  const GValue *region = gst_structure_get_value (tags, "region");
  Part part = {0.0, 0.0, 1.0, 1.0};

  if (region != NULL && GST_VALUE_HOLDS_ARRAY (region)
      && gst_value_array_get_size (region) == 4)
    part = (Part){get_share (region, 0), get_share (region, 1),
        get_share (region, 2), get_share (region, 3)};
  return part;
}

static void
append_frame (
    json_t *objects, const GstStructure *tags, const GstAltclipOrigin *origin)
{
  Part part = get_view (tags);
  json_t *object;

  if (get_best (tags) == NULL)
    return;
  object = json_object ();
  set_pixels (object, &part, origin);
  set_findings (object, tags, tags);
  json_array_append_new (objects, object);
}

/* ---- Regions ------------------------------------------------------------ */

/* Whether they are the same to a pixel, which is what scaling may make of one
 * but for the other. */
static gboolean
is_near (const GstVideoRegionOfInterestMeta *roi, const gint pixels[4])
{
  return ABS ((gint) roi->x - pixels[0]) <= 1
      && ABS ((gint) roi->y - pixels[1]) <= 1
      && ABS ((gint) roi->w - pixels[2]) <= 1
      && ABS ((gint) roi->h - pixels[3]) <= 1;
}

static gboolean
is_known_as (GstVideoRegionOfInterestMeta *roi, guint id)
{
  guint own;

  return id != 0 && gst_altclip_roi_get_id (roi, &own) && own == id;
}

/* The numbers of different detectors and trackers may meet: the one in the same
 * place goes first, and what has moved since is known by its number.
 *
 * Returns: (nullable): the detector's own metadata of a region */
static GstVideoRegionOfInterestMeta *
find_roi (GstBuffer *buffer, guint id, const gchar *type, const gint pixels[4])
{
  GstVideoRegionOfInterestMeta *moved = NULL;
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      != NULL) {
    GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *) meta;

    if (g_strcmp0 (g_quark_to_string (roi->roi_type), type) == 0
        && is_near (roi, pixels))
      return roi;
    if (is_known_as (roi, id))
      moved = roi;
  }
  return moved;
}

/* How sure the detector was of a region, if it said so. */
static gboolean
get_confidence (GstBuffer *buffer, const GstStructure *region, const Part *part,
    const GstAltclipOrigin *origin, gdouble *confidence)
{
  const gchar *type = gst_structure_get_string (region, "type");
  GstVideoRegionOfInterestMeta *roi;
  const GstStructure *detection;
  gint pixels[4];
  guint id = 0;

  gst_structure_get_uint (region, "id", &id);
  get_pixels (part, origin, pixels);
  roi = find_roi (buffer, id, type, pixels);
  if (roi == NULL)
    return FALSE;
  detection = gst_video_region_of_interest_meta_get_param (roi, "detection");
  return detection != NULL
      && gst_structure_get_double (detection, "confidence", confidence)
      && isfinite (*confidence);
}

static void
set_detection (json_t *object, GstBuffer *buffer, const GstStructure *region,
    const Part *part, const GstAltclipOrigin *origin)
{
  const gchar *type = gst_structure_get_string (region, "type");
  json_t *detection = json_pack ("{s:{s:f,s:f,s:f,s:f}}", "bounding_box",
      "x_min", part->x, "y_min", part->y, "x_max", part->x + part->w, "y_max",
      part->y + part->h);
  gdouble confidence;

  if (get_confidence (buffer, region, part, origin, &confidence))
    json_object_set_new (detection, "confidence", json_real (confidence));
  if (type != NULL && *type != '\0') {
    set_string (detection, "label", type);
    set_string (object, "roi_type", type);
  }
  json_object_set_new (object, "detection", detection);
}

static void
append_region (json_t *objects, GstBuffer *buffer, const GstStructure *region,
    const GstStructure *tags, const GstAltclipOrigin *origin)
{
  Part part = {0.0, 0.0, 0.0, 0.0};
  json_t *object;
  guint id = 0;

  if (get_best (region) == NULL)
    return;
  gst_structure_get (region, "x", G_TYPE_DOUBLE, &part.x, "y", G_TYPE_DOUBLE,
      &part.y, "w", G_TYPE_DOUBLE, &part.w, "h", G_TYPE_DOUBLE, &part.h, NULL);
  object = json_object ();
  set_pixels (object, &part, origin);
  if (gst_structure_get_uint (region, "id", &id) && id != 0)
    json_object_set_new (object, "id", json_integer (id));
  set_detection (object, buffer, region, &part, origin);
  set_findings (object, region, tags);
  json_array_append_new (objects, object);
}

static void
append_regions (json_t *objects, GstBuffer *buffer, const GstStructure *tags,
    const GstAltclipOrigin *origin)
{
  const GValue *regions = gst_structure_get_value (tags, "regions");
  guint n;
  guint i;

  if (regions == NULL || !GST_VALUE_HOLDS_ARRAY (regions))
    return;
  n = gst_value_array_get_size (regions);
  for (i = 0; i < n; i++)
    append_region (objects, buffer,
        gst_value_get_structure (gst_value_array_get_value (regions, i)), tags,
        origin);
}

/* ---- Results ------------------------------------------------------------ */

const GstStructure *
gst_altclip_record_get_upstream (const GstStructure *tags)
{
  const GValue *upstream = gst_structure_get_value (tags, "upstream");

  return upstream != NULL && GST_VALUE_HOLDS_STRUCTURE (upstream)
      ? gst_value_get_structure (upstream)
      : NULL;
}

/* Of each altclipfilter that the frame went through, the last one first. */
static json_t *
new_objects (
    GstBuffer *buffer, const GstStructure *tags, const GstAltclipOrigin *origin)
{
  json_t *objects = json_array ();
  guint i;

  for (i = 0; i < GST_ALTCLIP_RECORD_MAX_FILTERS && tags != NULL; i++) {
    append_regions (objects, buffer, tags, origin);
    append_frame (objects, tags, origin);
    tags = gst_altclip_record_get_upstream (tags);
  }
  return objects;
}

static void
set_timing (json_t *object, const GstAltclipTiming *timing)
{
  g_autofree gchar *utc = gst_altclip_timing_format_utc (timing);

  set_time (object, "timestamp", timing->stream_time);
  set_time (object, "pts", timing->pts);
  set_time (object, "running_time", timing->running_time);
  set_string (object, "utc", utc);
  set_string (
      object, "utc_source", timing->utc_reference ? "reference" : "wall");
  set_string (object, "stream_id", timing->stream_id);
}

GstAltclipRecord *
gst_altclip_record_new_result (GstBuffer *buffer, const GstStructure *tags,
    const GstAltclipTiming *timing, const GstAltclipOrigin *origin,
    guint64 sequence)
{
  json_t *objects = new_objects (buffer, tags, origin);
  json_t *object;

  if (json_array_size (objects) == 0) {
    json_decref (objects);
    return NULL;
  }
  object = json_object ();
  json_object_set_new (
      object, "sequence", json_integer ((json_int_t) sequence));
  if (origin->width > 0 && origin->height > 0)
    json_object_set_new (object, "resolution",
        json_pack (
            "{s:i,s:i}", "width", origin->width, "height", origin->height));
  set_string (object, "source", origin->source);
  set_timing (object, timing);
  json_object_set_new (object, "objects", objects);
  return new_record (GST_ALTCLIP_RECORD_RESULT, sequence, object);
}
