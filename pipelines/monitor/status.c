/* altclip-monitor: what the program says of itself
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "status.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/**
 * monitor_status_new:
 * @configuration: of the program
 * @cameras: of #MonitorCamera
 * @store: (nullable): of events
 * @hooks: (nullable): of events
 *
 * Returns: (transfer full): the status
 */
MonitorStatus *
monitor_status_new (const MonitorConfiguration *configuration, GListModel *cameras,
        MonitorStore *store, MonitorHooks *hooks)
{
    MonitorStatus *status = g_new0 (MonitorStatus, 1);

    status->cameras = g_object_ref (cameras);
    status->store = store;
    status->hooks = hooks;
    status->model = g_strdup (configuration->model);
    status->precision = g_strdup (configuration->precision);
    status->started = g_get_monotonic_time ();
    status->sampled = status->started;
    status->sampled_cpu = monitor_status_get_cpu_seconds ();
    return status;
}

/**
 * monitor_status_free:
 * @status: (transfer full): a status
 */
void
monitor_status_free (MonitorStatus *status)
{
    g_object_unref (status->cameras);
    g_free (status->model);
    g_free (status->precision);
    g_free (status);
}

/**
 * monitor_status_get_cpu_seconds:
 *
 * Returns: what the process has computed so far
 */
double
monitor_status_get_cpu_seconds (void)
{
    struct rusage usage;

    getrusage (RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / G_USEC_PER_SEC;
}

/**
 * monitor_status_get_memory:
 *
 * Returns: bytes that the process has in memory; 0: the system does not say
 */
guint64
monitor_status_get_memory (void)
{
    unsigned long long resident = 0;
    FILE *file = fopen ("/proc/self/statm", "re");

    if (!file) {
        return 0;
    }
    if (fscanf (file, "%*u %llu", &resident) != 1) {
        resident = 0;
    }
    fclose (file);
    return resident * (guint64)sysconf (_SC_PAGESIZE);
}

/**
 * monitor_status_sample:
 * @status: a status
 *
 * To be called once a second.
 */
void
monitor_status_sample (MonitorStatus *status)
{
    const gint64 now = g_get_monotonic_time ();
    const double cpu = monitor_status_get_cpu_seconds ();
    const double seconds = (double)(now - status->sampled) / G_USEC_PER_SEC;

    if (seconds <= 0) {
        return;
    }
    status->cpu = CLAMP ((cpu - status->sampled_cpu) / seconds / g_get_num_processors (), 0.0, 1.0);
    status->sampled = now;
    status->sampled_cpu = cpu;
}

/**
 * monitor_status_find_camera:
 * @status: a status
 * @name: of a camera
 *
 * Returns: (transfer full) (nullable): the camera
 */
MonitorCamera *
monitor_status_find_camera (MonitorStatus *status, const char *name)
{
    const guint n = g_list_model_get_n_items (status->cameras);

    for (guint i = 0; i < n; i++) {
        g_autoptr (MonitorCamera) camera = g_list_model_get_item (status->cameras, i);

        if (strcmp (monitor_camera_get_name (camera), name) == 0) {
            return g_steal_pointer (&camera);
        }
    }
    return NULL;
}

/**
 * monitor_status_list_cameras:
 * @status: a status
 *
 * Returns: (transfer full): an array of all cameras, described
 */
json_t *
monitor_status_list_cameras (MonitorStatus *status)
{
    const guint n = g_list_model_get_n_items (status->cameras);
    json_t *list = json_array ();

    for (guint i = 0; i < n; i++) {
        g_autoptr (MonitorCamera) camera = g_list_model_get_item (status->cameras, i);

        json_array_append_new (list, monitor_camera_describe (camera));
    }
    return list;
}

/**
 * monitor_status_dup_trouble:
 * @status: a status
 *
 * Returns: (transfer full) (nullable): why events cannot be written at present, or old ones removed
 */
char *
monitor_status_dup_trouble (MonitorStatus *status)
{
    return status->store ? monitor_store_dup_trouble (status->store) : NULL;
}

static json_t *
describe_store (MonitorStatus *status)
{
    g_autofree char *trouble = monitor_status_dup_trouble (status);
    MonitorStoreStats stats = { 0 };

    if (!status->store) {
        return json_null ();
    }
    monitor_store_get_stats (status->store, &stats);
    return json_pack ("{s:I, s:I, s:I, s:I, s:s?}", "events", (json_int_t)stats.events, "bytes",
            (json_int_t)stats.bytes, "waiting", (json_int_t)stats.waiting, "lost",
            (json_int_t)stats.lost, "trouble", trouble);
}

/**
 * monitor_status_to_json:
 * @status: a status
 *
 * Returns: (transfer full): all but the cameras
 */
json_t *
monitor_status_to_json (MonitorStatus *status)
{
    const double uptime = (double)(g_get_monotonic_time () - status->started) / G_USEC_PER_SEC;
    g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
    g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");

    return json_pack ("{s:s, s:s?, s:s?, s:f, s:s, s:{s:f, s:i, s:I}, s:o}", "version",
            ALTCLIP_VERSION, "model", status->model, "precision", status->precision, "uptime",
            uptime, "time", time, "load", "cpu", status->cpu, "cores", (int)g_get_num_processors (),
            "memory", (json_int_t)monitor_status_get_memory (), "events", describe_store (status));
}
