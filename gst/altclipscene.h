/* altclip: what there is to draw on a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_SCENE_H
#define GST_ALTCLIP_SCENE_H

#include <gst/video/video.h>

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
 * GstAltclipChoice:
 * @labels: which of them
 * @regions: whether parts of the picture, with the labels of objects
 * @age: whether the age
 *
 * What is to be drawn of all there is.
 */
typedef struct
{
  GstAltclipShow labels;
  gboolean regions;
  gboolean age;
} GstAltclipChoice;

/**
 * GstAltclipTag:
 * @label: valid UTF-8, of bounded length
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
 * @box: in fractions of the picture
 * @tags: (element-type GstAltclipTag) (nullable): an object's, best first;
 *   %NULL for a part that was looked at
 * @tag: which of the scene's the best of such a part is
 *
 * A part of the picture.
 */
typedef struct
{
  GstAltclipBox box;
  GArray *tags;
  guint tag;
} GstAltclipOutline;

/**
 * GstAltclipScene:
 * @picture: what there is to see of the frame, in pixels
 * @tags: (element-type GstAltclipTag): of the whole picture, best first
 * @outlines: (element-type GstAltclipOutline): parts of it
 * @age: how much older than the frame the oldest of this is, in tenths of a
 *   second; 0 where it is not chosen
 *
 * What altclipfilter attached to a frame, as coarsely as it is drawn, so that
 * the same drawing serves for many frames.
 */
typedef struct
{
  AltclipRectangle picture;
  GArray *tags;
  GArray *outlines;
  guint age;
} GstAltclipScene;

/**
 * gst_altclip_scene_read:
 * @info: of the frame
 *
 * Reads the frame's `AltClipMeta`, with what earlier elements attached. It may
 * be of anyone: what is missing or of another type is left out. Where there is
 * nothing to draw, nothing is allocated either.
 *
 * Returns: (transfer full) (nullable): what there is to draw, %NULL if nothing
 */
GstAltclipScene *gst_altclip_scene_read (GstBuffer *buffer,
    const GstVideoInfo *info, const GstAltclipChoice *choice);

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
