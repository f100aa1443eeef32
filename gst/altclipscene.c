/* altclip: what there is to draw on a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipscene.h"

#include <math.h>

#include "altclipmeta.h"
#include "altclipregions.h"

/* Of elements one behind the other; a picture has room for few. */
#define MAX_DEPTH 8

/* More than this of one part are not legible. */
#define MAX_TAGS 256

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

  g_array_unref (outline->tags);
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

static gboolean
read_tag (const GstStructure *structure, GstAltclipTag *tag)
{
  const gchar *label = gst_structure_get_string (structure, "label");
  gdouble score;

  if (label == NULL || !gst_structure_get_double (structure, "score", &score)
      || isnan (score))
    return FALSE;
  *tag = (GstAltclipTag){.score = (gint) lround (CLAMP (score, -1, 1) * 100)};
  gst_structure_get_uint (structure, "index", &tag->index);
  gst_structure_get_boolean (structure, "active", &tag->active);
  tag->label = g_utf8_make_valid (label, -1);
  return TRUE;
}

static void
read_tags (const GstStructure *structure, GstAltclipShow show, GArray *tags)
{
  const GValue *results = get_array (structure, "results");
  guint n = results != NULL ? gst_value_array_get_size (results) : 0;
  guint i;

  for (i = 0; i < n && tags->len < MAX_TAGS; i++) {
    const GstStructure *result =
        get_structure (gst_value_array_get_value (results, i));
    GstAltclipTag tag;

    if (result == NULL || !read_tag (result, &tag))
      continue;
    if (show == GST_ALTCLIP_SHOW_ALL || tag.active)
      g_array_append_val (tags, tag);
    else
      tag_clear (&tag);
  }
}

static gboolean
is_part (const GstAltclipBox *box)
{
  return box->x >= 0 && box->y >= 0 && box->w > 0 && box->h > 0
      && box->x + box->w <= 1.0001 && box->y + box->h <= 1.0001;
}

/* The whole picture is no part of it. */
static gboolean
read_region (const GstStructure *structure, GstAltclipBox *box)
{
  const GValue *region = get_array (structure, "region");
  gdouble numbers[4];
  guint i;

  if (region == NULL || gst_value_array_get_size (region) != 4)
    return FALSE;
  for (i = 0; i < 4; i++) {
    const GValue *number = gst_value_array_get_value (region, i);

    if (!G_VALUE_HOLDS_DOUBLE (number))
      return FALSE;
    numbers[i] = g_value_get_double (number);
  }
  *box = (GstAltclipBox){numbers[0], numbers[1], numbers[2], numbers[3]};
  return is_part (box);
}

static gboolean
read_box (const GstStructure *structure, GstAltclipBox *box)
{
  return gst_structure_get (structure, "x", G_TYPE_DOUBLE, &box->x, "y",
             G_TYPE_DOUBLE, &box->y, "w", G_TYPE_DOUBLE, &box->w, "h",
             G_TYPE_DOUBLE, &box->h, NULL)
      && is_part (box);
}

static void
read_age (const GstStructure *structure, GstAltclipScene *scene)
{
  gint64 age;

  if (gst_structure_get_int64 (structure, "age", &age) && age > 0)
    scene->age = MAX (
        scene->age, (guint) MIN (age / (GST_SECOND / 10), (gint64) G_MAXINT));
}

/* ---- Frames ------------------------------------------------------------- */

static void
read_regions (
    const GstStructure *structure, GstAltclipShow show, GstAltclipScene *scene)
{
  const GValue *regions = get_array (structure, "regions");
  guint n = regions != NULL ? gst_value_array_get_size (regions) : 0;
  guint i;

  for (i = 0; i < n && scene->outlines->len < GST_ALTCLIP_MAX_REGIONS; i++) {
    const GstStructure *region =
        get_structure (gst_value_array_get_value (regions, i));
    GstAltclipOutline outline;

    if (region == NULL || !read_box (region, &outline.box))
      continue;
    outline.tags = new_tags ();
    read_tags (region, show, outline.tags);
    if (outline.tags->len == 0) {
      outline_clear (&outline);
      continue;
    }
    read_age (region, scene);
    g_array_append_val (scene->outlines, outline);
  }
}

/* Of what was looked at, only where something is to be said of it. */
static void
read_frame (
    const GstStructure *structure, GstAltclipShow show, GstAltclipScene *scene)
{
  guint n_before = scene->tags->len;
  GstAltclipOutline outline;

  read_tags (structure, show, scene->tags);
  if (scene->tags->len == n_before)
    return;
  read_age (structure, scene);
  if (!read_region (structure, &outline.box))
    return;
  outline.tags = new_tags ();
  g_array_append_val (scene->outlines, outline);
}

GstAltclipScene *
gst_altclip_scene_read (GstBuffer *buffer, GstAltclipShow show)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_ALTCLIP_META_NAME);
  const GstStructure *structure;
  g_autoptr (GstAltclipScene) scene = NULL;
  guint depth = 0;

  if (meta == NULL)
    return NULL;
  scene = scene_new ();
  structure = gst_custom_meta_get_structure (meta);
  while (structure != NULL && depth++ < MAX_DEPTH) {
    read_frame (structure, show, scene);
    read_regions (structure, show, scene);
    structure = get_structure (gst_structure_get_value (structure, "upstream"));
  }
  if (scene->tags->len == 0 && scene->outlines->len == 0)
    return NULL;
  return g_steal_pointer (&scene);
}

/* ---- Comparing ---------------------------------------------------------- */

static gboolean
are_same_tags (const GArray *a, const GArray *b)
{
  guint i;

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
is_same_box (const GstAltclipBox *a, const GstAltclipBox *b)
{
  return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

gboolean
gst_altclip_scene_is_same (const GstAltclipScene *a, const GstAltclipScene *b)
{
  guint i;

  if (a == NULL || b == NULL)
    return a == b;
  if (a->age != b->age || a->outlines->len != b->outlines->len
      || !are_same_tags (a->tags, b->tags))
    return FALSE;
  for (i = 0; i < a->outlines->len; i++) {
    const GstAltclipOutline *first =
        &g_array_index (a->outlines, GstAltclipOutline, i);
    const GstAltclipOutline *second =
        &g_array_index (b->outlines, GstAltclipOutline, i);

    if (!is_same_box (&first->box, &second->box)
        || !are_same_tags (first->tags, second->tags))
      return FALSE;
  }
  return TRUE;
}
