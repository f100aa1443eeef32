/* altclip: the regions that elements before altclipfilter found in a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_REGIONS_H
#define GST_ALTCLIP_REGIONS_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "altclip.h"
#include "altclipbox.h"

G_BEGIN_DECLS

/**
 * GST_ALTCLIP_MAX_REGIONS:
 *
 * Most regions of a frame that are looked at.
 */
#define GST_ALTCLIP_MAX_REGIONS ALTCLIP_MAX_PICTURES

/**
 * GstAltclipRegion:
 * @type: what was found there, as upstream named it; 0: not named
 * @has_id: whether upstream knows it again from one frame to the next
 * @id: by this number
 * @part: what of it lies in the picture, in pixels of the frame
 * @box: the same in fractions of the frame
 * @roi: which of the buffer's #GstVideoRegionOfInterestMeta it is, from 0 in
 *   their order; -1: none
 * @od: id of its #GstAnalyticsODMtd; -1: none
 */
typedef struct
{
  GQuark type;
  gboolean has_id;
  guint id;
  AltclipRectangle part;
  GstAltclipBox box;
  gint roi;
  gint od;
} GstAltclipRegion;

/**
 * gst_altclip_region_dup_type:
 *
 * Returns: (transfer full): the type as valid UTF-8, which upstream's need not
 *   be; empty: not named
 */
gchar *gst_altclip_region_dup_type (const GstAltclipRegion *region);

/**
 * gst_altclip_roi_get_id:
 * @id: (out): the number that it is known by; 0: none, or a tracker's first
 *
 * Returns: whether upstream knows it again from one frame to the next
 */
gboolean gst_altclip_roi_get_id (GstVideoRegionOfInterestMeta *roi, guint *id);

/**
 * gst_altclip_regions_collect:
 * @info: of the frame
 * @within: the part of the frame beyond which nothing counts
 * @type: (nullable): the only type that counts; %NULL: all do
 * @n_found: (out): how many there are, more than GST_ALTCLIP_MAX_REGIONS maybe
 *
 * Reads the buffer's #GstVideoRegionOfInterestMeta and, built with
 * GstAnalytics, its #GstAnalyticsODMtd. An object that is there as both counts
 * once. Those with nothing in @within are left out, those behind the most are
 * too.
 *
 * Returns: (transfer full) (element-type GstAltclipRegion): the regions; those
 *   with a region of interest first, in the order of these
 */
GArray *gst_altclip_regions_collect (GstBuffer *buffer,
    const GstVideoInfo *info, const AltclipRectangle *within,
    const GQuark *type, guint *n_found);

/**
 * gst_altclip_regions_is_repeated:
 *
 * Returns: whether a region before number @index has its type and id
 */
gboolean gst_altclip_regions_is_repeated (const GArray *regions, guint index);

/**
 * gst_altclip_regions_match:
 * @regions: (element-type GstAltclipRegion): of a frame
 * @analysed: (element-type GstAltclipRegion): of a frame before it, or the same
 * @matches: (out caller-allocated): for each of @regions the index of the one
 *   in @analysed that it is, or -1
 *
 * A region is the one with the same id; else one of the same type that covers
 * half of what both cover. None is taken twice.
 *
 * Returns: how many were found
 */
guint gst_altclip_regions_match (
    const GArray *regions, const GArray *analysed, gint *matches);

G_END_DECLS

#endif /* GST_ALTCLIP_REGIONS_H */
