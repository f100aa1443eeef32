/* altclip: what of a frame is looked at
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_VIEW_H
#define GST_ALTCLIP_VIEW_H

#include "altclipbox.h"
#include "altclipformat.h"
#include "altclipregions.h"
#include "altclipsettings.h"

G_BEGIN_DECLS

/**
 * GstAltclipView:
 * @has_region: whether only a part of the picture is to be looked at
 * @region: that part, of the picture
 * @part: the same, or the whole picture, in pixels of the frame
 * @regions: (nullable): the regions in @part that are to be looked at; %NULL:
 *   @part is
 */
typedef struct
{
  gboolean has_region;
  GstAltclipBox region;
  AltclipRectangle part;
  GArray *regions;
} GstAltclipView;

#define GST_ALTCLIP_VIEW_INIT \
  {                           \
    .regions = NULL           \
  }

/**
 * gst_altclip_view_init:
 * @n_found: (out): how many regions the frame has, more than are looked at maybe
 */
void gst_altclip_view_init (GstAltclipView *view, GstAltclipFormat *format,
    GstBuffer *buffer, const GstAltclipRules *rules, guint *n_found);
void gst_altclip_view_copy (GstAltclipView *view, const GstAltclipView *from);
void gst_altclip_view_clear (GstAltclipView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAltclipView, gst_altclip_view_clear)

/**
 * gst_altclip_view_get_n_pictures:
 *
 * Returns: how many pictures the model has to look at
 */
guint gst_altclip_view_get_n_pictures (const GstAltclipView *view);

/**
 * gst_altclip_view_get_part:
 *
 * Returns: where picture number @index is, in pixels of the frame
 */
const AltclipRectangle *gst_altclip_view_get_part (
    const GstAltclipView *view, guint index);

G_END_DECLS

#endif /* GST_ALTCLIP_VIEW_H */
