/* altclip: the plugin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * plugin-altclip:
 *
 * Zero-shot tags for live video with AltCLIP.
 */

#include <gst/gst.h>

#include "altclipfilter.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (altclipfilter, plugin);
}

/* The macro leaves the reserved fields to the compiler. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, altclip,
    "Zero-shot tags for live video with AltCLIP", plugin_init, PACKAGE_VERSION,
    "LGPL", PACKAGE_NAME, PACKAGE_ORIGIN)
