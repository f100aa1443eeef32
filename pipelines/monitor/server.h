/* altclip: the monitor's page and its HTTP interface
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "camera.h"

G_BEGIN_DECLS

typedef struct _MonitorServer MonitorServer;

/* Whether a server may be as the configuration says: address, token and certificate. */
gboolean monitor_server_check (const MonitorConfiguration *configuration, GError **error);

/* Listens. cameras is of MonitorCamera. */
MonitorServer *monitor_server_new (const MonitorConfiguration *configuration, GListModel *cameras,
        MonitorStore *store, MonitorHooks *hooks, GError **error);
/* That it listens on, also where the configuration's is 0. */
guint16 monitor_server_get_port (MonitorServer *server);

void monitor_server_announce (MonitorServer *server, MonitorEvent *event);
void monitor_server_free (MonitorServer *server);

G_END_DECLS
