/* altclip: the state of labels for each region that upstream knows again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipobjects.h"

/* An element before may number each detection anew: as many as that are kept,
 * and no more than this many labels of theirs, but a few always. */
#define MAX_OBJECTS 4096
#define MAX_LABELS 1000000
#define FEW_OBJECTS 16

void
gst_altclip_object_free (GstAltclipObject *object)
{
  altclip_tracker_free (object->tracker);
  gst_altclip_timing_clear (&object->seen);
  g_free (object);
}

void
gst_altclip_objects_init (GstAltclipObjects *objects)
{
  objects->links = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&objects->by_time);
  objects->n = 0;
}

void
gst_altclip_objects_clear (GstAltclipObjects *objects)
{
  g_queue_clear_full (
      &objects->by_time, (GDestroyNotify) gst_altclip_object_free);
  g_clear_pointer (&objects->links, g_hash_table_unref);
}

gboolean
gst_altclip_objects_is_empty (GstAltclipObjects *objects)
{
  return g_atomic_int_get (&objects->n) == 0;
}

gboolean
gst_altclip_objects_is_full (GstAltclipObjects *objects, guint n_labels)
{
  return objects->by_time.length
      >= CLAMP (MAX_LABELS / n_labels, FEW_OBJECTS, MAX_OBJECTS);
}

static gint64
get_key (const GstAltclipRegion *region)
{
  return (gint64) (((guint64) region->type << 32) | region->id);
}

GstAltclipObject *
gst_altclip_objects_find (
    GstAltclipObjects *objects, const GstAltclipRegion *region)
{
  gint64 key = get_key (region);
  GList *link = g_hash_table_lookup (objects->links, &key);

  return link != NULL ? link->data : NULL;
}

GstAltclipObject *
gst_altclip_objects_add (GstAltclipObjects *objects,
    const GstAltclipRegion *region, AltclipPrompts *prompts)
{
  GstAltclipObject *object = g_new0 (GstAltclipObject, 1);

  object->key = get_key (region);
  object->seen = (GstAltclipTiming) GST_ALTCLIP_TIMING_INIT;
  object->tracker = altclip_tracker_new (prompts);
  g_queue_push_tail (&objects->by_time, object);
  g_hash_table_insert (objects->links, &object->key, objects->by_time.tail);
  g_atomic_int_inc (&objects->n);
  return object;
}

void
gst_altclip_objects_see (GstAltclipObjects *objects, GstAltclipObject *object,
    const GstAltclipRegion *region, const GstAltclipTiming *timing)
{
  GList *link = g_hash_table_lookup (objects->links, &object->key);

  object->region = *region;
  gst_altclip_timing_clear (&object->seen);
  gst_altclip_timing_copy (&object->seen, timing);
  g_queue_unlink (&objects->by_time, link);
  g_queue_push_tail_link (&objects->by_time, link);
}

GstAltclipObject *
gst_altclip_objects_peek_oldest (GstAltclipObjects *objects)
{
  return g_queue_peek_head (&objects->by_time);
}

GstAltclipObject *
gst_altclip_objects_steal_oldest (GstAltclipObjects *objects)
{
  GstAltclipObject *object = g_queue_pop_head (&objects->by_time);

  if (object == NULL)
    return NULL;
  g_hash_table_remove (objects->links, &object->key);
  g_atomic_int_add (&objects->n, -1);
  return object;
}
