/* altclip: the messages on the bus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_MESSAGE_H
#define GST_ALTCLIP_MESSAGE_H

#include <gst/gst.h>

#include "altclip.h"
#include "altclipresult.h"
#include "altcliptiming.h"

G_BEGIN_DECLS

/**
 * gst_altclip_message_new_transition:
 * @timing: of the frame that confirmed it
 * @reason: (nullable): why the label ended; %NULL for a beginning
 *
 * Returns: (transfer full): a `begin` or `end` message
 */
GstMessage *gst_altclip_message_new_transition (GstObject *source,
    const gchar *label, const AltclipTransition *transition, guint revision,
    const GstAltclipTiming *timing, const gchar *reason);

/**
 * gst_altclip_message_set_region:
 *
 * Says which part of the picture the message is of.
 */
void gst_altclip_message_set_region (
    GstMessage *message, const GstAltclipBox *region);

/**
 * gst_altclip_message_set_object:
 *
 * Says which of upstream's regions the message is of.
 */
void gst_altclip_message_set_object (
    GstMessage *message, const GstAltclipRegion *region);

/**
 * gst_altclip_message_new_result:
 *
 * Returns: (transfer full): a `result` message
 */
GstMessage *gst_altclip_message_new_result (
    GstObject *source, GstAltclipResult *result);

G_END_DECLS

#endif /* GST_ALTCLIP_MESSAGE_H */
