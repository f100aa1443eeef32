/* altclip: the metadata on the frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_META_H
#define GST_ALTCLIP_META_H

#include <gst/gst.h>

#include "altclipresult.h"

G_BEGIN_DECLS

#define GST_ALTCLIP_META_NAME "AltClipMeta"

/**
 * GstAltclipTagger:
 * @element: name of the element
 * @model: what its model's directory is called
 *
 * Who attaches.
 */
typedef struct
{
  const gchar *element;
  const gchar *model;
} GstAltclipTagger;

/**
 * gst_altclip_meta_register:
 *
 * Makes the custom meta known, unless something else in the process did.
 */
void gst_altclip_meta_register (void);

/**
 * gst_altclip_meta_attach:
 * @buffer: a writable buffer
 * @tagger: who attaches
 * @timing: of @buffer
 *
 * Attaches a result of a whole frame; what an earlier altclipfilter attached
 * goes on as `upstream`.
 */
void gst_altclip_meta_attach (GstBuffer *buffer, const GstAltclipTagger *tagger,
    const GstAltclipTiming *timing, GstAltclipResult *result);

/**
 * gst_altclip_meta_attach_regions:
 * @regions: (element-type GstAltclipRegion): of @buffer
 * @matches: for each of @regions, which one in @result it is, or -1
 *
 * The same for a result of regions, which goes to their own metadata too.
 */
void gst_altclip_meta_attach_regions (GstBuffer *buffer,
    const GstAltclipTagger *tagger, const GstAltclipTiming *timing,
    GstAltclipResult *result, const GArray *regions, const gint *matches);

G_END_DECLS

#endif /* GST_ALTCLIP_META_H */
