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
 * gst_altclip_message_set_timing:
 *
 * Adds when a frame is, and what its scores are.
 */
void gst_altclip_message_set_timing (GstStructure *structure,
    const GstAltclipTiming *timing, AltclipScoreMode mode);

/**
 * gst_altclip_message_new_transition:
 * @mode: what the score is
 * @timing: of the frame that confirmed it
 * @reason: (nullable): why the label ended; %NULL for a beginning
 *
 * Returns: (transfer full): a `begin` or `end` message
 */
GstMessage *gst_altclip_message_new_transition (GstObject *source,
    const gchar *label, const AltclipTransition *transition, guint revision,
    AltclipScoreMode mode, const GstAltclipTiming *timing, const gchar *reason);

/**
 * gst_altclip_message_name_state:
 * @label: a label, or less than 0
 *
 * Returns: what the state of a group is called
 */
const gchar *gst_altclip_message_name_state (
    AltclipPrompts *prompts, gint label);

/**
 * gst_altclip_message_new_change:
 * @state: (nullable): of the label that the group's state is now; %NULL: it is
 *   unknown
 * @mode: what the score is
 * @timing: of the frame that confirmed it
 *
 * Returns: (transfer full): a `state` message
 */
GstMessage *gst_altclip_message_new_change (GstObject *source,
    AltclipPrompts *prompts, const AltclipGroupChange *change,
    const AltclipLabelState *state, guint revision, AltclipScoreMode mode,
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

/**
 * gst_altclip_message_new_warning:
 * @text: for people
 * @debug: a format of what more there is to say, for gst-launch and developers
 *
 * What GST_ELEMENT_WARNING() posts, for an outbox.
 *
 * Returns: (transfer full): a warning
 */
GstMessage *gst_altclip_message_new_warning (GstObject *source,
    GstLibraryError code, const gchar *text, const gchar *debug, ...)
    G_GNUC_PRINTF (4, 5);

G_END_DECLS

#endif /* GST_ALTCLIP_MESSAGE_H */
