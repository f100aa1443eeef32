/* altclip: the element altclipoverlay
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_OVERLAY_H
#define GST_ALTCLIP_OVERLAY_H

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_ALTCLIP_OVERLAY (gst_altclip_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstAltclipOverlay, gst_altclip_overlay, GST,
    ALTCLIP_OVERLAY, GstBaseTransform)
GST_ELEMENT_REGISTER_DECLARE (altclipoverlay)

G_END_DECLS

#endif /* GST_ALTCLIP_OVERLAY_H */
