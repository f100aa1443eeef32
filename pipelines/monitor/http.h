/* altclip: a stream over HTTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <gst/app/gstappsrc.h>

G_BEGIN_DECLS

typedef struct {
    const char *uri;
    const char *user, *password; /* nullable */
    GTlsDatabase *trust;         /* nullable: whom https trusts */
    guint timeout;               /* s without anything */
} MonitorHttpSettings;

/* Asks for what is at the address, in a thread of its own, and pushes it into the source, until its
 * end, an error, or until it is cancelled: then at once, and without a word. Errors are posted as
 * the source's. Nothing of the settings is kept. */
void monitor_http_start (
        GstAppSrc *source, const MonitorHttpSettings *settings, GCancellable *cancellable);

G_END_DECLS
