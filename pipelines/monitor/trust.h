/* altclip: which certificates a camera may show
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define MONITOR_TYPE_TRUST (monitor_trust_get_type ())
G_DECLARE_FINAL_TYPE (MonitorTrust, monitor_trust, MONITOR, TRUST, GTlsDatabase)

/* path: (nullable): a PEM file. Who shows a certificate that is in it is trusted, whatever name it
 * is for and however old it is, and who shows one that an authority there has signed, when all else
 * is right too; nobody else. NULL: those whom the system's authorities vouch for. */
MonitorTrust *monitor_trust_new (const char *path, GError **error);

/* Returns: (transfer full) (nullable): why the last one was refused, for people; NULL: none was */
char *monitor_trust_describe_refusal (MonitorTrust *trust);

G_END_DECLS
