/* altclip: labels as tags of the stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliptags.h"

/* Prompts may change for ever in one stream. */
#define MAX_KEYWORDS 1000

void
gst_altclip_tags_init (GstAltclipTags *tags)
{
  tags->upstream = NULL;
  tags->keywords = g_ptr_array_new_with_free_func (g_free);
}

static void
forget (GstAltclipTags *tags)
{
  g_clear_pointer (&tags->upstream, gst_tag_list_unref);
  g_ptr_array_set_size (tags->keywords, 0);
}

void
gst_altclip_tags_clear (GstAltclipTags *tags)
{
  forget (tags);
  g_ptr_array_unref (tags->keywords);
}

/* Keywords are one string, with commas in between. */
static gchar *
join_keywords (GstAltclipTags *tags, const GstTagList *list)
{
  g_autofree gchar *of_upstream = NULL;
  GString *all = g_string_new (NULL);

  if (gst_tag_list_get_string (list, GST_TAG_KEYWORDS, &of_upstream))
    g_string_append (all, of_upstream);
  for (guint i = 0; i < tags->keywords->len; i++)
    g_string_append_printf (all, "%s%s", all->len > 0 ? ", " : "",
        (const gchar *) g_ptr_array_index (tags->keywords, i));
  return g_string_free (all, FALSE);
}

GstEvent *
gst_altclip_tags_new_event (GstAltclipTags *tags)
{
  GstTagList *list = tags->upstream != NULL ? gst_tag_list_copy (tags->upstream)
                                            : gst_tag_list_new_empty ();
  g_autofree gchar *keywords = join_keywords (tags, list);

  gst_tag_list_add (
      list, GST_TAG_MERGE_REPLACE, GST_TAG_KEYWORDS, keywords, NULL);
  return gst_event_new_tag (list);
}

static GstEvent *
add_to (GstAltclipTags *tags, GstEvent *event)
{
  GstTagList *list;
  GstEvent *merged;

  gst_event_parse_tag (event, &list);
  if (gst_tag_list_get_scope (list) != GST_TAG_SCOPE_STREAM)
    return event;
  gst_tag_list_replace (&tags->upstream, list);
  if (tags->keywords->len == 0)
    return event;
  merged = gst_altclip_tags_new_event (tags);
  gst_event_set_seqnum (merged, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return merged;
}

GstEvent *
gst_altclip_tags_pass (GstAltclipTags *tags, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    forget (tags);
  return GST_EVENT_TYPE (event) == GST_EVENT_TAG ? add_to (tags, event) : event;
}

gboolean
gst_altclip_tags_add (GstAltclipTags *tags, const gchar *label)
{
  if (tags->keywords->len == MAX_KEYWORDS
      || g_ptr_array_find_with_equal_func (
          tags->keywords, label, g_str_equal, NULL))
    return FALSE;
  g_ptr_array_add (tags->keywords, g_strdup (label));
  return TRUE;
}
