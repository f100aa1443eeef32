/* altclip: plugins of GStreamer that are missing, and where they are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef MISSING_PLUGIN_H
#define MISSING_PLUGIN_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * missing_plugin_describe:
 * @message: any
 *
 * Returns: (transfer full) (nullable): which plugin would be needed, and which of Debian's packages
 * has it; %NULL: @message is not about that
 */
char *missing_plugin_describe (GstMessage *message);

G_END_DECLS

#endif /* MISSING_PLUGIN_H */
