/* altclip: what there is to draw on a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipscene.h"

#include <math.h>
#include <string.h>

#include "altclipformat.h"
#include "altclipmeta.h"
#include "altclipregions.h"

/* Of elements one behind the other; a picture has room for few. */
#define MAX_DEPTH 8

/* More than this of one part are not legible. */
#define MAX_TAGS 256

/* Bytes of a label. No picture has room for more, and to lay out letters takes
 * time: minutes, for some tens of thousands of combining marks. */
#define MAX_LABEL 512

static void
tag_clear (gpointer data)
{
  GstAltclipTag *tag = data;

  g_free (tag->label);
}

static GArray *
new_tags (void)
{
  GArray *tags = g_array_new (FALSE, FALSE, sizeof (GstAltclipTag));

  g_array_set_clear_func (tags, tag_clear);
  return tags;
}

static void
outline_clear (gpointer data)
{
  GstAltclipOutline *outline = data;

  g_clear_pointer (&outline->tags, g_array_unref);
}

static GstAltclipScene *
scene_new (void)
{
  GstAltclipScene *scene = g_new0 (GstAltclipScene, 1);

  scene->tags = new_tags ();
  scene->outlines = g_array_new (FALSE, FALSE, sizeof (GstAltclipOutline));
  g_array_set_clear_func (scene->outlines, outline_clear);
  return scene;
}

void
gst_altclip_scene_free (GstAltclipScene *scene)
{
  if (scene == NULL)
    return;
  g_array_unref (scene->tags);
  g_array_unref (scene->outlines);
  g_free (scene);
}

/* ---- Fields ------------------------------------------------------------- */

/* (nullable): the field, when it is an array. */
static const GValue *
get_array (const GstStructure *structure, const gchar *name)
{
  const GValue *value = gst_structure_get_value (structure, name);

  return value != NULL && GST_VALUE_HOLDS_ARRAY (value) ? value : NULL;
}

static const GstStructure *
get_structure (const GValue *value)
{
  return value != NULL && GST_VALUE_HOLDS_STRUCTURE (value)
      ? gst_value_get_structure (value)
      : NULL;
}

static guint
get_length (const GValue *array)
{
  return array != NULL ? gst_value_array_get_size (array) : 0;
}

/* (nullable): number @i, when it is a structure. */
static const GstStructure *
get_element (const GValue *array, guint i)
{
  return get_structure (gst_value_array_get_value (array, i));
}

/* @structure: (nullable) */
static gboolean
is_shown (const GstStructure *structure, const GstAltclipChoice *choice)
{
  gboolean active = FALSE;
  gdouble score;

  if (structure == NULL || gst_structure_get_string (structure, "label") == NULL
      || !gst_structure_get_double (structure, "score", &score)
      || isnan (score))
    return FALSE;
  gst_structure_get_boolean (structure, "active", &active);
  return active || choice->labels == GST_ALTCLIP_SHOW_ALL;
}

/* Its begin, up to a character's, where it is longer than can be shown. */
static gchar *
copy_label (const gchar *label)
{
  gsize length = strlen (label);

  if (length > MAX_LABEL)
    for (length = MAX_LABEL; length > 0 && (label[length] & 0xc0) == 0x80;)
      length--;
  return g_utf8_make_valid (label, (gssize) length);
}

/* Of one that is shown. */
static void
append_tag (const GstStructure *structure, GArray *tags)
{
  GstAltclipTag tag = {
      .label = copy_label (gst_structure_get_string (structure, "label"))};
  gdouble score = 0;

  gst_structure_get_double (structure, "score", &score);
  gst_structure_get_uint (structure, "index", &tag.index);
  gst_structure_get_boolean (structure, "active", &tag.active);
  tag.score = (gint) lround (CLAMP (score, -1, 1) * 100);
  g_array_append_val (tags, tag);
}

static gboolean
is_part (const GstAltclipBox *box)
{
  return box->x >= 0 && box->y >= 0 && box->w > 0 && box->h > 0
      && box->x + box->w <= 1.0001 && box->y + box->h <= 1.0001;
}

/* Whether a part is named, and lies in the picture. */
static gboolean
read_region (const GstStructure *structure, GstAltclipBox *box)
{
  const GValue *region = get_array (structure, "region");
  gdouble numbers[4];
  guint i;

  if (get_length (region) != G_N_ELEMENTS (numbers))
    return FALSE;
  for (i = 0; i < G_N_ELEMENTS (numbers); i++) {
    const GValue *number = gst_value_array_get_value (region, i);

    if (!G_VALUE_HOLDS_DOUBLE (number))
      return FALSE;
    numbers[i] = g_value_get_double (number);
  }
  *box = (GstAltclipBox){numbers[0], numbers[1], numbers[2], numbers[3]};
  return is_part (box);
}

/* From fractions of @whole, which begins at 0, to those of a part of it. */
static void
clip_side (guint whole, guint begin, guint part, gdouble *at, gdouble *length)
{
  gdouble from = MAX (0.0, (*at * whole - begin) / part);
  gdouble to = MIN (1.0, ((*at + *length) * whole - begin) / part);

  *at = from;
  *length = to - from;
}

/* Objects are where they are in the frame, whatever is cropped. */
static gboolean
read_object (const GstStructure *structure, const GstVideoInfo *info,
    const AltclipRectangle *picture, GstAltclipBox *box)
{
  if (!gst_structure_get (structure, "x", G_TYPE_DOUBLE, &box->x, "y",
          G_TYPE_DOUBLE, &box->y, "w", G_TYPE_DOUBLE, &box->w, "h",
          G_TYPE_DOUBLE, &box->h, NULL)
      || !is_part (box))
    return FALSE;
  clip_side (GST_VIDEO_INFO_WIDTH (info), picture->x, picture->width, &box->x,
      &box->w);
  clip_side (GST_VIDEO_INFO_HEIGHT (info), picture->y, picture->height, &box->y,
      &box->h);
  return is_part (box);
}

static void
read_age (const GstStructure *structure, GstAltclipScene *scene)
{
  gint64 age;

  if (gst_structure_get_int64 (structure, "age", &age) && age > 0)
    scene->age = MAX (
        scene->age, (guint) MIN (age / (GST_SECOND / 10), (gint64) G_MAXINT));
}

/* ---- Whether there is anything ------------------------------------------ */

static gboolean
has_tags (const GstStructure *structure, const GstAltclipChoice *choice)
{
  const GValue *results = get_array (structure, "results");
  guint n = get_length (results);
  guint i;

  for (i = 0; i < n; i++)
    if (is_shown (get_element (results, i), choice))
      return TRUE;
  return FALSE;
}

static gboolean
has_objects (const GstStructure *structure, const GstAltclipChoice *choice)
{
  const GValue *regions = get_array (structure, "regions");
  guint n = choice->regions ? get_length (regions) : 0;
  guint i;

  for (i = 0; i < n; i++) {
    const GstStructure *region = get_element (regions, i);

    if (region != NULL && has_tags (region, choice))
      return TRUE;
  }
  return FALSE;
}

static const GstStructure *
get_upstream (const GstStructure *structure)
{
  return get_structure (gst_structure_get_value (structure, "upstream"));
}

static gboolean
has_anything (const GstStructure *structure, const GstAltclipChoice *choice)
{
  guint depth;

  for (depth = 0; structure != NULL && depth < MAX_DEPTH; depth++) {
    if (has_tags (structure, choice) || has_objects (structure, choice))
      return TRUE;
    structure = get_upstream (structure);
  }
  return FALSE;
}

/* ---- Frames ------------------------------------------------------------- */

/* The part that the scene's last tag is of; once for all tags of it. */
static void
append_part (GstAltclipScene *scene, const GstAltclipBox *box)
{
  GstAltclipOutline outline = {.box = *box, .tag = scene->tags->len - 1};
  guint i;

  for (i = 0; i < scene->outlines->len; i++) {
    const GstAltclipOutline *other =
        &g_array_index (scene->outlines, GstAltclipOutline, i);

    if (other->tags == NULL && altclip_region_is_same (&other->box, box))
      return;
  }
  if (scene->outlines->len < GST_ALTCLIP_MAX_REGIONS)
    g_array_append_val (scene->outlines, outline);
}

/* Of what was looked at, only where something is to be said of it. A label's
 * own part goes before the element's. */
static void
read_frame (const GstStructure *structure, const GstAltclipChoice *choice,
    GstAltclipScene *scene)
{
  const GValue *results = get_array (structure, "results");
  guint n = get_length (results);
  guint i;

  for (i = 0; i < n && scene->tags->len < MAX_TAGS; i++) {
    const GstStructure *result = get_element (results, i);
    GstAltclipBox box;

    if (!is_shown (result, choice))
      continue;
    append_tag (result, scene->tags);
    if (choice->age)
      read_age (structure, scene);
    if (choice->regions
        && (read_region (result, &box) || read_region (structure, &box)))
      append_part (scene, &box);
  }
}

static void
read_tags (
    const GstStructure *structure, const GstAltclipChoice *choice, GArray *tags)
{
  const GValue *results = get_array (structure, "results");
  guint n = get_length (results);
  guint i;

  for (i = 0; i < n && tags->len < MAX_TAGS; i++)
    if (is_shown (get_element (results, i), choice))
      append_tag (get_element (results, i), tags);
}

static void
read_objects (const GstStructure *structure, const GstVideoInfo *info,
    const GstAltclipChoice *choice, GstAltclipScene *scene)
{
  const GValue *regions = get_array (structure, "regions");
  guint n = choice->regions ? get_length (regions) : 0;
  guint i;

  for (i = 0; i < n && scene->outlines->len < GST_ALTCLIP_MAX_REGIONS; i++) {
    const GstStructure *region = get_element (regions, i);
    GstAltclipOutline outline = {.tags = NULL};

    if (region == NULL || !has_tags (region, choice)
        || !read_object (region, info, &scene->picture, &outline.box))
      continue;
    outline.tags = new_tags ();
    read_tags (region, choice, outline.tags);
    if (choice->age)
      read_age (region, scene);
    g_array_append_val (scene->outlines, outline);
  }
}

GstAltclipScene *
gst_altclip_scene_read (
    GstBuffer *buffer, const GstVideoInfo *info, const GstAltclipChoice *choice)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_ALTCLIP_META_NAME);
  const GstStructure *structure;
  g_autoptr (GstAltclipScene) scene = NULL;
  guint depth;

  if (meta == NULL)
    return NULL;
  structure = gst_custom_meta_get_structure (meta);
  if (!has_anything (structure, choice))
    return NULL;
  scene = scene_new ();
  scene->picture = gst_altclip_format_get_picture (info, buffer);
  for (depth = 0; structure != NULL && depth < MAX_DEPTH; depth++) {
    read_frame (structure, choice, scene);
    read_objects (structure, info, choice, scene);
    structure = get_upstream (structure);
  }
  if (scene->tags->len == 0 && scene->outlines->len == 0)
    return NULL;
  return g_steal_pointer (&scene);
}

/* ---- Comparing ---------------------------------------------------------- */

/* (nullable): both */
static gboolean
are_same_tags (const GArray *a, const GArray *b)
{
  guint i;

  if (a == NULL || b == NULL)
    return a == b;
  if (a->len != b->len)
    return FALSE;
  for (i = 0; i < a->len; i++) {
    const GstAltclipTag *first = &g_array_index (a, GstAltclipTag, i);
    const GstAltclipTag *second = &g_array_index (b, GstAltclipTag, i);

    if (first->index != second->index || first->score != second->score
        || first->active != second->active
        || !g_str_equal (first->label, second->label))
      return FALSE;
  }
  return TRUE;
}

static gboolean
are_same_outlines (const GArray *a, const GArray *b)
{
  guint i;

  if (a->len != b->len)
    return FALSE;
  for (i = 0; i < a->len; i++) {
    const GstAltclipOutline *first = &g_array_index (a, GstAltclipOutline, i);
    const GstAltclipOutline *second = &g_array_index (b, GstAltclipOutline, i);

    if (!altclip_region_is_same (&first->box, &second->box)
        || first->tag != second->tag
        || !are_same_tags (first->tags, second->tags))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_same_part (const AltclipRectangle *a, const AltclipRectangle *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width
      && a->height == b->height;
}

gboolean
gst_altclip_scene_is_same (const GstAltclipScene *a, const GstAltclipScene *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  return a->age == b->age && is_same_part (&a->picture, &b->picture)
      && are_same_tags (a->tags, b->tags)
      && are_same_outlines (a->outlines, b->outlines);
}
