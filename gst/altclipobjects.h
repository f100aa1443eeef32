/* altclip: the state of labels for each region that upstream knows again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_OBJECTS_H
#define GST_ALTCLIP_OBJECTS_H

#include <gst/gst.h>

#include "altclip.h"
#include "altclipregions.h"
#include "altcliptiming.h"

G_BEGIN_DECLS

/**
 * GstAltclipObject:
 * @key: its type and id
 * @region: where it was seen last
 * @seen: when that was
 * @tracker: which labels are active
 *
 * A region with an id, over time.
 */
typedef struct
{
  gint64 key;
  GstAltclipRegion region;
  GstAltclipTiming seen;
  AltclipTracker *tracker;
} GstAltclipObject;

void gst_altclip_object_free (GstAltclipObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipObject, gst_altclip_object_free)

/**
 * GstAltclipObjects:
 *
 * The objects seen of late. One thread at a time, but for
 * gst_altclip_objects_is_empty(), which may be asked by any.
 */
typedef struct
{
  GHashTable *links;
  GQueue by_time;
  gint n;
} GstAltclipObjects;

void gst_altclip_objects_init (GstAltclipObjects *objects);

void gst_altclip_objects_clear (GstAltclipObjects *objects);
gboolean gst_altclip_objects_is_empty (GstAltclipObjects *objects);

/**
 * gst_altclip_objects_is_full:
 * @n_labels: of each
 *
 * Returns: whether there is no memory for another one
 */
gboolean gst_altclip_objects_is_full (
    GstAltclipObjects *objects, guint n_labels);

/**
 * gst_altclip_objects_find:
 *
 * Returns: (transfer none) (nullable): the object that @region shows
 */
GstAltclipObject *gst_altclip_objects_find (
    GstAltclipObjects *objects, const GstAltclipRegion *region);

/**
 * gst_altclip_objects_add:
 *
 * Returns: (transfer none): a new object, none of its labels active
 */
GstAltclipObject *gst_altclip_objects_add (GstAltclipObjects *objects,
    const GstAltclipRegion *region, AltclipPrompts *prompts);

/**
 * gst_altclip_objects_see:
 *
 * Notes where and when the object was seen.
 */
void gst_altclip_objects_see (GstAltclipObjects *objects,
    GstAltclipObject *object, const GstAltclipRegion *region,
    const GstAltclipTiming *timing);

/**
 * gst_altclip_objects_peek_oldest:
 *
 * Returns: (transfer none) (nullable): the one that was not seen for longest
 */
GstAltclipObject *gst_altclip_objects_peek_oldest (GstAltclipObjects *objects);

/**
 * gst_altclip_objects_steal_oldest:
 *
 * Returns: (transfer full) (nullable): the same, no longer in there
 */
GstAltclipObject *gst_altclip_objects_steal_oldest (GstAltclipObjects *objects);

G_END_DECLS

#endif /* GST_ALTCLIP_OBJECTS_H */
