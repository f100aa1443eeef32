/* altclip: a frame that is held for the worker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_FRAME_H
#define GST_ALTCLIP_FRAME_H

#include <gst/gst.h>

#include "altclipformat.h"
#include "altclipresult.h"
#include "altcliptiming.h"
#include "altclipview.h"

G_BEGIN_DECLS

/**
 * GstAltclipTicket:
 * @known: whether the frame's analysis has come to an end
 * @result: (nullable): how it ended; %NULL: no result
 *
 * What the frames in the exact mode's queue wait for: one ticket for an
 * analysed frame and those after it that it covers. Reference counted; its
 * fields belong to the element's lock.
 */
typedef struct
{
  gboolean known;
  GstAltclipResult *result;
} GstAltclipTicket;

GstAltclipTicket *gst_altclip_ticket_new (void);
GstAltclipTicket *gst_altclip_ticket_ref (GstAltclipTicket *ticket);
void gst_altclip_ticket_unref (GstAltclipTicket *ticket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipTicket, gst_altclip_ticket_unref)

/**
 * GstAltclipFrame:
 * @buffer: (nullable): the picture; let go as soon as it has been read
 * @format: its format
 * @timing: its times
 * @view: what of it is looked at
 * @ticket: (nullable): what waits for it, in exact mode
 * @epoch: number of flushes before it
 * @analysed: whether the worker came to an end with it
 *
 * A frame on its way through the engine, owned by one place at a time.
 */
typedef struct
{
  GstBuffer *buffer;
  GstAltclipFormat *format;
  GstAltclipTiming timing;
  GstAltclipView view;
  GstAltclipTicket *ticket;
  guint epoch;
  gboolean analysed;
} GstAltclipFrame;

/**
 * gst_altclip_frame_new:
 * @buffer: (transfer full)
 * @view: (transfer none)
 * @ticket: (transfer none) (nullable)
 */
GstAltclipFrame *gst_altclip_frame_new (GstBuffer *buffer,
    GstAltclipFormat *format, const GstAltclipTiming *timing,
    const GstAltclipView *view, GstAltclipTicket *ticket, guint epoch);
void gst_altclip_frame_free (GstAltclipFrame *frame);

G_END_DECLS

#endif /* GST_ALTCLIP_FRAME_H */
