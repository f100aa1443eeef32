/* altclip: the metadata on the frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipmeta.h"

void
gst_altclip_meta_register (void)
{
  static gsize registered = 0;
  static const gchar *tags[] = {"video", NULL};

  if (!g_once_init_enter (&registered))
    return;
  /* No transform function: then conversion elements copy it as it is. */
  if (gst_meta_get_info (GST_ALTCLIP_META_NAME) == NULL)
    gst_meta_register_custom (GST_ALTCLIP_META_NAME, tags, NULL, NULL, NULL);
  g_once_init_leave (&registered, 1);
}

/* The structure to fill, emptied; an earlier one's fields in @upstream. */
static GstStructure *
obtain_structure (GstBuffer *buffer, GstStructure **upstream)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_ALTCLIP_META_NAME);
  GstStructure *structure;

  *upstream = NULL;
  if (meta == NULL) {
    meta = gst_buffer_add_custom_meta (buffer, GST_ALTCLIP_META_NAME);
    return gst_custom_meta_get_structure (meta);
  }
  structure = gst_custom_meta_get_structure (meta);
  *upstream = gst_structure_copy (structure);
  gst_structure_remove_all_fields (structure);
  return structure;
}

void
gst_altclip_meta_attach (GstBuffer *buffer, const gchar *element,
    const GstAltclipTiming *timing, GstAltclipResult *result)
{
  GstStructure *upstream;
  GstStructure *structure = obtain_structure (buffer, &upstream);

  gst_structure_set (structure, "element", G_TYPE_STRING, element, "frame-pts",
      G_TYPE_UINT64, result->timing.pts, "age", G_TYPE_INT64,
      gst_altclip_timing_get_age (timing, &result->timing), "revision",
      G_TYPE_UINT, result->revision, NULL);
  gst_structure_set_value (structure, "results", &result->results);
  if (upstream != NULL) {
    gst_structure_set (
        structure, "upstream", GST_TYPE_STRUCTURE, upstream, NULL);
    gst_structure_free (upstream);
  }
}
