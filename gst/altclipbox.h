/* altclip: a part of a picture, in fractions of it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_BOX_H
#define GST_ALTCLIP_BOX_H

#include <gst/gst.h>

#include "altclip.h"

G_BEGIN_DECLS

/**
 * GstAltclipBox:
 *
 * A part of a picture, in fractions of it.
 */
typedef AltclipRegion GstAltclipBox;

/**
 * gst_altclip_box_parse:
 * @text: `x,y,w,h`; any bytes
 * @error: shows @text as altclip_excerpt() does, the number and its limits
 *
 * Returns: whether @text is a box within the picture, and of some size
 */
gboolean gst_altclip_box_parse (
    const gchar *text, GstAltclipBox *box, GError **error);

/**
 * gst_altclip_box_from_part:
 *
 * Returns: a part of a frame of @width and @height pixels as a box
 */
GstAltclipBox gst_altclip_box_from_part (
    const AltclipRectangle *part, guint width, guint height);

/**
 * gst_altclip_box_get_overlap:
 *
 * Returns: the area that both cover as a share of what either covers
 */
gdouble gst_altclip_box_get_overlap (
    const GstAltclipBox *a, const GstAltclipBox *b);

/**
 * gst_altclip_box_set_field:
 *
 * Sets the field @name to an array of the four numbers.
 */
void gst_altclip_box_set_field (
    const GstAltclipBox *box, GstStructure *structure, const gchar *name);

G_END_DECLS

#endif /* GST_ALTCLIP_BOX_H */
