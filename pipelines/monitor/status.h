/* altclip-monitor: what the program says of itself
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "camera.h"

G_BEGIN_DECLS

typedef struct {
    GListModel *cameras;  /* of MonitorCamera */
    MonitorStore *store;  /* not owned */
    MonitorHooks *hooks;  /* not owned */
    char *model;          /* nullable */
    char *precision;      /* nullable */
    gint64 started;       /* monotonic, µs */
    guint64 responses[6]; /* by the first digit of their status */

    /* Of the last whole second. */
    double cpu; /* share of all cores */
    gint64 sampled;
    double sampled_cpu; /* s */
} MonitorStatus;

MonitorStatus *monitor_status_new (const MonitorConfiguration *configuration, GListModel *cameras,
        MonitorStore *store, MonitorHooks *hooks);
void monitor_status_free (MonitorStatus *status);

void monitor_status_sample (MonitorStatus *status);
double monitor_status_get_cpu_seconds (void);
guint64 monitor_status_get_memory (void);
MonitorCamera *monitor_status_find_camera (MonitorStatus *status, const char *name);
char *monitor_status_dup_trouble (MonitorStatus *status);
json_t *monitor_status_list_cameras (MonitorStatus *status);
json_t *monitor_status_to_json (MonitorStatus *status);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorStatus, monitor_status_free)

G_END_DECLS
