/* altclip: a scene as pictures to lay over a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_DRAWING_H
#define GST_ALTCLIP_DRAWING_H

#include <gst/video/video.h>

#include "altclipscene.h"

G_BEGIN_DECLS

/**
 * GstAltclipCorner:
 *
 * Where the labels of the whole picture are.
 */
typedef enum
{
  GST_ALTCLIP_CORNER_TOP_LEFT,
  GST_ALTCLIP_CORNER_TOP_RIGHT,
  GST_ALTCLIP_CORNER_BOTTOM_LEFT,
  GST_ALTCLIP_CORNER_BOTTOM_RIGHT
} GstAltclipCorner;

/**
 * GstAltclipLook:
 * @font: what Pango takes for a font, without a size
 * @scale: 1: letters of a 36th of the picture's height
 * @opacity: of what is behind letters, 0 to 1
 */
typedef struct
{
  gchar *font;
  gdouble scale;
  gdouble opacity;
  GstAltclipCorner corner;
} GstAltclipLook;

/**
 * GstAltclipDrawing:
 *
 * Draws with fonts of its own, since Pango's are not for several threads. One
 * thread at a time.
 */
typedef struct _GstAltclipDrawing GstAltclipDrawing;

/**
 * gst_altclip_drawing_new:
 *
 * Finds the fonts, which takes its time.
 *
 * Returns: (transfer full): what draws
 */
GstAltclipDrawing *gst_altclip_drawing_new (void);

/**
 * gst_altclip_drawing_free:
 * @drawing: (transfer full) (nullable)
 */
void gst_altclip_drawing_free (GstAltclipDrawing *drawing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipDrawing, gst_altclip_drawing_free)

/**
 * gst_altclip_drawing_draw:
 * @info: the frames to lay it over
 *
 * Draws in the picture's own pixels, so that they need no scaling, and as wide
 * as their aspect ratio asks.
 *
 * Returns: (transfer full) (nullable): the pictures, or %NULL where there is no
 *   room for any
 */
GstVideoOverlayComposition *gst_altclip_drawing_draw (
    GstAltclipDrawing *drawing, const GstAltclipScene *scene,
    const GstAltclipLook *look, const GstVideoInfo *info);

G_END_DECLS

#endif /* GST_ALTCLIP_DRAWING_H */
