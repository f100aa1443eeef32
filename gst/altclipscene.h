/* altclip: what there is to draw on a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_SCENE_H
#define GST_ALTCLIP_SCENE_H

#include <gst/gst.h>

#include "altclipbox.h"

G_BEGIN_DECLS

/**
 * GstAltclipShow:
 * @GST_ALTCLIP_SHOW_ACTIVE: the labels that are active
 * @GST_ALTCLIP_SHOW_ALL: all that are attached
 */
typedef enum
{
  GST_ALTCLIP_SHOW_ACTIVE,
  GST_ALTCLIP_SHOW_ALL
} GstAltclipShow;

/**
 * GstAltclipTag:
 * @label: valid UTF-8
 * @index: the label's number in its set
 * @score: in hundredths
 */
typedef struct
{
  gchar *label;
  guint index;
  gint score;
  gboolean active;
} GstAltclipTag;

/**
 * GstAltclipOutline:
 * @tags: (element-type GstAltclipTag): best first; none for a part that was
 *   looked at, whose tags are the scene's
 *
 * A part of the picture.
 */
typedef struct
{
  GstAltclipBox box;
  GArray *tags;
} GstAltclipOutline;

/**
 * GstAltclipScene:
 * @tags: (element-type GstAltclipTag): of the whole picture, best first
 * @outlines: (element-type GstAltclipOutline): parts of it
 * @age: how much older than the frame the oldest of this is, in tenths of a
 *   second
 *
 * What altclipfilter attached to a frame, as coarsely as it is drawn, so that
 * the same drawing serves for many frames.
 */
typedef struct
{
  GArray *tags;
  GArray *outlines;
  guint age;
} GstAltclipScene;

/**
 * gst_altclip_scene_read:
 *
 * Reads the frame's `AltClipMeta`, with what earlier elements attached. It may
 * be of anyone: what is missing or of another type is left out.
 *
 * Returns: (transfer full) (nullable): what there is to draw, %NULL if nothing
 */
GstAltclipScene *gst_altclip_scene_read (
    GstBuffer *buffer, GstAltclipShow show);

/**
 * gst_altclip_scene_free:
 * @scene: (transfer full) (nullable)
 */
void gst_altclip_scene_free (GstAltclipScene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipScene, gst_altclip_scene_free)

/**
 * gst_altclip_scene_is_same:
 * @a: (nullable)
 * @b: (nullable)
 *
 * Returns: whether both look the same
 */
gboolean gst_altclip_scene_is_same (
    const GstAltclipScene *a, const GstAltclipScene *b);

G_END_DECLS

#endif /* GST_ALTCLIP_SCENE_H */
