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
#if HAVE_OVERLAY
#include "altclipoverlay.h"
#endif
#include "altclippublish.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ok = GST_ELEMENT_REGISTER (altclipfilter, plugin);

  ok &= GST_ELEMENT_REGISTER (altclippublish, plugin);
#if HAVE_OVERLAY
  ok &= GST_ELEMENT_REGISTER (altclipoverlay, plugin);
#endif
  return ok;
}

/* The macro leaves the reserved fields to the compiler. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, altclip,
    "Zero-shot tags for live video with AltCLIP", plugin_init, PACKAGE_VERSION,
    "LGPL", PACKAGE_NAME, PACKAGE_ORIGIN)
