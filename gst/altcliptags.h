/* altclip: labels as tags of the stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_TAGS_H
#define GST_ALTCLIP_TAGS_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstAltclipTags:
 *
 * The labels that began in a stream so far, as its GST_TAG_KEYWORDS, for
 * players and muxers: one string, with commas in between. Elements downstream keep the last tags of a stream alone,
 * so that those of upstream go with them. For the thread that pushes.
 */
typedef struct
{
  GstTagList *upstream; /* of the stream; NULL: none came */
  GPtrArray *keywords;  /* in the order of their first beginnings */
} GstAltclipTags;

void gst_altclip_tags_init (GstAltclipTags *tags);
void gst_altclip_tags_clear (GstAltclipTags *tags);

/**
 * gst_altclip_tags_pass:
 * @event: (transfer full): a serialised one that is about to be pushed
 *
 * A new stream has no keywords yet. To tags of upstream they are added.
 *
 * Returns: (transfer full): what is to be pushed
 */
GstEvent *gst_altclip_tags_pass (GstAltclipTags *tags, GstEvent *event);

/**
 * gst_altclip_tags_add:
 * @label: what began
 *
 * Returns: whether it is a keyword that was not there yet
 */
gboolean gst_altclip_tags_add (GstAltclipTags *tags, const gchar *label);

/**
 * gst_altclip_tags_new_event:
 *
 * Returns: (transfer full): upstream's tags with the keywords
 */
GstEvent *gst_altclip_tags_new_event (GstAltclipTags *tags);

G_END_DECLS

#endif /* GST_ALTCLIP_TAGS_H */
