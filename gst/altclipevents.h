/* altclip: events that wait to go downstream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_EVENTS_H
#define GST_ALTCLIP_EVENTS_H

#include <gst/gst.h>

#include "altcliptags.h"

G_BEGIN_DECLS

/**
 * GST_ALTCLIP_EVENT_NAME:
 *
 * Name of the structure of messages and of downstream events.
 */
#define GST_ALTCLIP_EVENT_NAME "altclip"

/**
 * GstAltclipEvents:
 *
 * What begins and ends is found by the engine's worker; elements downstream are
 * told of it in the order of the stream, just before the frame that confirmed
 * it. Whichever thread finds something puts it here, with locks held or not; the
 * one that pushes frames pushes it on. A flush takes nothing away.
 */
typedef struct
{
  GMutex lock;
  GQueue waiting;
  GstAltclipTags tags; /* the pushing thread's */
} GstAltclipEvents;

void gst_altclip_events_init (GstAltclipEvents *events);
void gst_altclip_events_clear (GstAltclipEvents *events);

/**
 * gst_altclip_events_forget:
 *
 * Drops what waits.
 */
void gst_altclip_events_forget (GstAltclipEvents *events);

/**
 * gst_altclip_events_put:
 * @source: the element
 * @structure: (transfer none): the message's
 * @number: of the frame that confirmed it
 * @with_tags: whether a label that begins becomes a tag of the stream, too
 */
void gst_altclip_events_put (GstAltclipEvents *events, GstObject *source,
    const GstStructure *structure, guint64 number, gboolean with_tags);

/**
 * gst_altclip_events_push:
 * @number: of the frame that is about to leave; %G_MAXUINT64: all are through
 *
 * Pushes what was confirmed by this frame or by those before it, as serialised
 * custom events. For the thread that pushes frames, without locks.
 */
void gst_altclip_events_push (
    GstAltclipEvents *events, GstPad *pad, guint64 number);

/**
 * gst_altclip_events_forward:
 * @event: (transfer full): of upstream
 *
 * Pushes it, with the stream's keywords if it has tags. For the same thread.
 *
 * Returns: as gst_pad_push_event()
 */
gboolean gst_altclip_events_forward (
    GstAltclipEvents *events, GstPad *pad, GstEvent *event);

G_END_DECLS

#endif /* GST_ALTCLIP_EVENTS_H */
