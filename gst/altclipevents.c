/* altclip: events that wait to go downstream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipevents.h"

typedef struct
{
  GstEvent *event;
  guint64 number;
  gboolean with_tags;
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  gst_clear_event (&waiting->event);
  g_free (waiting);
}

void
gst_altclip_events_init (GstAltclipEvents *events)
{
  g_mutex_init (&events->lock);
  g_queue_init (&events->waiting);
  gst_altclip_tags_init (&events->tags);
}

void
gst_altclip_events_clear (GstAltclipEvents *events)
{
  gst_altclip_events_forget (events);
  gst_altclip_tags_clear (&events->tags);
  g_mutex_clear (&events->lock);
}

void
gst_altclip_events_forget (GstAltclipEvents *events)
{
  g_mutex_lock (&events->lock);
  g_queue_clear_full (&events->waiting, waiting_free);
  g_mutex_unlock (&events->lock);
}

void
gst_altclip_events_put (GstAltclipEvents *events, GstObject *source,
    const GstStructure *structure, guint64 number, gboolean with_tags)
{
  g_autofree gchar *name = gst_object_get_name (source);
  GstStructure *copy = gst_structure_copy (structure);
  Waiting *waiting = g_new (Waiting, 1);

  /* Of a message it is the source. */
  gst_structure_set (copy, "element", G_TYPE_STRING, name, NULL);
  waiting->event = gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, copy);
  waiting->number = number;
  waiting->with_tags = with_tags;
  g_mutex_lock (&events->lock);
  g_queue_push_tail (&events->waiting, waiting);
  g_mutex_unlock (&events->lock);
}

static Waiting *
take (GstAltclipEvents *events, guint64 number)
{
  Waiting *waiting;

  g_mutex_lock (&events->lock);
  waiting = g_queue_peek_head (&events->waiting);
  if (waiting != NULL && waiting->number <= number)
    g_queue_pop_head (&events->waiting);
  else
    waiting = NULL;
  g_mutex_unlock (&events->lock);
  return waiting;
}

static void
put_back (GstAltclipEvents *events, Waiting *waiting)
{
  g_mutex_lock (&events->lock);
  g_queue_push_head (&events->waiting, waiting);
  g_mutex_unlock (&events->lock);
}

/* Returns: whether the stream has another keyword now */
static gboolean
note_label (GstAltclipEvents *events, const Waiting *waiting)
{
  const GstStructure *structure = gst_event_get_structure (waiting->event);

  return waiting->with_tags
      && g_strcmp0 (gst_structure_get_string (structure, "event"), "begin") == 0
      && gst_altclip_tags_add (
          &events->tags, gst_structure_get_string (structure, "label"));
}

void
gst_altclip_events_push (GstAltclipEvents *events, GstPad *pad, guint64 number)
{
  gboolean has_more = FALSE;
  Waiting *waiting;

  while ((waiting = take (events, number)) != NULL) {
    /* A flush has come in between: it goes with the first frame after that. */
    if (!gst_pad_push_event (pad, gst_event_ref (waiting->event))
        && GST_PAD_IS_FLUSHING (pad)) {
      put_back (events, waiting);
      break;
    }
    has_more |= note_label (events, waiting);
    waiting_free (waiting);
  }
  if (has_more)
    gst_pad_push_event (pad, gst_altclip_tags_new_event (&events->tags));
}

gboolean
gst_altclip_events_forward (
    GstAltclipEvents *events, GstPad *pad, GstEvent *event)
{
  return gst_pad_push_event (pad, gst_altclip_tags_pass (&events->tags, event));
}
