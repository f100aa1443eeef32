/* altclip: the motion gate of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipmotion.h"

/* What of a part of the frame is remembered. */
typedef struct
{
  AltclipMotion *motion;
  AltclipRectangle part;
} Gate;

static void
gate_clear (gpointer data)
{
  Gate *gate = data;

  g_clear_pointer (&gate->motion, altclip_motion_free);
}

void
gst_altclip_motion_clear (GstAltclipMotion *motion)
{
  g_clear_pointer (&motion->gates, g_array_unref);
  g_clear_pointer (&motion->format, gst_altclip_format_unref);
}

/* Regions of upstream's come and go: the part that they lie in is watched. */
static guint
get_n_parts (const GstAltclipView *view)
{
  return view->regions != NULL ? 1 : gst_altclip_view_get_n_pictures (view);
}

static const AltclipRectangle *
get_part (const GstAltclipView *view, guint index)
{
  return view->regions != NULL ? &view->part
                               : gst_altclip_view_get_part (view, index);
}

static gboolean
is_for (GstAltclipMotion *motion, GstAltclipFormat *format,
    const GstAltclipView *view)
{
  guint i;

  if (motion->gates == NULL || motion->format != format
      || motion->gates->len != get_n_parts (view))
    return FALSE;
  for (i = 0; i < motion->gates->len; i++)
    if (!altclip_rectangle_is_same (
            &g_array_index (motion->gates, Gate, i).part, get_part (view, i)))
      return FALSE;
  return TRUE;
}

static gboolean
add_gate (GstAltclipMotion *motion, const AltclipRectangle *part)
{
  Gate gate = {
      .motion = altclip_motion_new (&motion->format->layout, part, NULL),
      .part = *part};

  if (gate.motion == NULL)
    return FALSE;
  g_array_append_val (motion->gates, gate);
  return TRUE;
}

static gboolean
prepare (GstAltclipMotion *motion, GstAltclipFormat *format,
    const GstAltclipView *view)
{
  gboolean ok = TRUE;
  guint i;

  if (is_for (motion, format, view))
    return TRUE;
  gst_altclip_motion_clear (motion);
  motion->format = gst_altclip_format_ref (format);
  motion->gates = g_array_new (FALSE, FALSE, sizeof (Gate));
  g_array_set_clear_func (motion->gates, gate_clear);
  for (i = 0; i < get_n_parts (view) && ok; i++)
    ok = add_gate (motion, get_part (view, i));
  if (!ok)
    gst_altclip_motion_clear (motion);
  return ok;
}

gboolean
gst_altclip_motion_is_still (GstAltclipMotion *motion, GstAltclipFormat *format,
    GstBuffer *buffer, const GstAltclipView *view, gdouble threshold)
{
  AltclipFrameData data;
  GstVideoFrame frame;
  gboolean still = TRUE;
  guint i;

  if (!prepare (motion, format, view)
      || !gst_altclip_format_map (format, buffer, &frame, &data, NULL))
    return FALSE;
  /* Every one, since this frame may be the one to compare later ones with. */
  for (i = 0; i < motion->gates->len; i++)
    if (altclip_motion_measure (
            g_array_index (motion->gates, Gate, i).motion, &data)
        >= threshold)
      still = FALSE;
  gst_video_frame_unmap (&frame);
  return still;
}

void
gst_altclip_motion_keep (GstAltclipMotion *motion)
{
  guint i;

  for (i = 0; motion->gates != NULL && i < motion->gates->len; i++)
    altclip_motion_keep (g_array_index (motion->gates, Gate, i).motion);
}
