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
 * GstAltclipPart:
 * @region: number of the region in the view's prompts
 * @part: the same in pixels of the frame
 *
 * What some labels are judged on.
 */
typedef struct
{
  guint region;
  AltclipRectangle part;
} GstAltclipPart;

/**
 * GstAltclipView:
 * @has_region: whether only a part of the picture is to be looked at
 * @region: that part, of the picture
 * @part: the same, or the whole picture, in pixels of the frame
 * @regions: (nullable): the regions in @part that are to be looked at; %NULL:
 *   no regions of upstream's
 * @prompts: (nullable): those in force when the frame came
 * @n_swaps: how many sets were put in force by then
 * @parts: (nullable): without @regions, what labels with regions of their own
 *   are judged on, and what the others are; %NULL: @part alone
 */
typedef struct
{
  gboolean has_region;
  GstAltclipBox region;
  AltclipRectangle part;
  GArray *regions;
  AltclipPrompts *prompts;
  guint n_swaps;
  GArray *parts;
} GstAltclipView;

#define GST_ALTCLIP_VIEW_INIT \
  {                           \
    .regions = NULL           \
  }

/**
 * gst_altclip_view_init:
 * @prompts: (nullable): those in force
 * @n_found: (out): how many regions the frame has, more than are looked at maybe
 */
void gst_altclip_view_init (GstAltclipView *view, GstAltclipFormat *format,
    GstBuffer *buffer, const GstAltclipRules *rules, AltclipPrompts *prompts,
    guint *n_found);
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

/**
 * gst_altclip_view_get_n_findings:
 *
 * Returns: how many lists of labels come of it: one per region, or one
 */
guint gst_altclip_view_get_n_findings (const GstAltclipView *view);

/**
 * gst_altclip_view_find_region:
 * @index: of a picture, in a view without @regions
 * @prompts: the prompts that it is scored with, which may be newer than those
 *   that the frame came with
 * @number: (out): which of their regions it shows
 *
 * Returns: whether it shows any
 */
gboolean gst_altclip_view_find_region (const GstAltclipView *view, guint index,
    AltclipPrompts *prompts, guint *number);

/**
 * gst_altclip_view_find_default:
 *
 * Returns: which picture is that of labels without a region; -1: none
 */
gint gst_altclip_view_find_default (const GstAltclipView *view);

G_END_DECLS

#endif /* GST_ALTCLIP_VIEW_H */
