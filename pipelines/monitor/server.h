/* altclip: the monitor's page and its HTTP interface
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "camera.h"

G_BEGIN_DECLS

typedef struct _MonitorServer MonitorServer;

/* Listens. cameras is of MonitorCamera. */
MonitorServer *monitor_server_new (const MonitorConfiguration *configuration, GListModel *cameras,
        MonitorStore *store, GError **error);
void monitor_server_announce (MonitorServer *server, MonitorEvent *event);
void monitor_server_free (MonitorServer *server);

G_END_DECLS
