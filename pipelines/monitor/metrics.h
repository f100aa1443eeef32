/* altclip-monitor: numbers for Prometheus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "status.h"

G_BEGIN_DECLS

char *monitor_metrics_format (MonitorStatus *status, guint n_streams);

G_END_DECLS
