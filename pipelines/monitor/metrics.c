/* altclip-monitor: numbers for Prometheus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In the text format, version 0.0.4.
 */

#include "metrics.h"

/* Of a camera: each is a time series for whoever collects them. */
#define MAX_LABELS 100

static const char *const states[] = { "stopped", "connecting", "playing", "waiting" };

static void
begin_metric (GString *text, const char *name, const char *type, const char *help)
{
    g_string_append_printf (text, "# HELP altclip_monitor_%s %s\n# TYPE altclip_monitor_%s %s\n",
            name, help, name, type);
}

static void
append_number (GString *text, double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf (text, " %s\n", g_ascii_dtostr (buffer, sizeof buffer, value));
}

static void
append_metric (GString *text, const char *name, const char *type, const char *help, double value)
{
    begin_metric (text, name, type, help);
    g_string_append_printf (text, "altclip_monitor_%s", name);
    append_number (text, value);
}

/* name="value" */
static void
append_label (GString *text, const char *name, const char *value)
{
    g_string_append_printf (text, "%s=\"", name);
    for (const char *at = value; *at; at++) {
        switch (*at) {
        case '\\':
            g_string_append (text, "\\\\");
            break;
        case '"':
            g_string_append (text, "\\\"");
            break;
        case '\n':
            g_string_append (text, "\\n");
            break;
        default:
            g_string_append_c (text, *at);
        }
    }
    g_string_append_c (text, '"');
}

static void
begin_series (GString *text, const char *name, const json_t *camera)
{
    g_string_append_printf (text, "altclip_monitor_%s{", name);
    append_label (text, "camera", json_string_value (json_object_get (camera, "name")));
}

static void
append_camera_numbers (GString *text, const json_t *cameras)
{
    static const struct {
        const char *field;
        const char *name;
        const char *type;
        const char *help;
    } numbers[] = {
        { "frames", "frames_total", "counter", "Frames that came from the camera." },
        { "analysed", "analysed_frames_total", "counter", "Frames that the model has looked at." },
        { "reconnects", "reconnects_total", "counter", "Connections made anew." },
        { "fps", "frames_per_second", "gauge", "Frames a second, as they come." },
    };
    size_t i;
    json_t *camera;

    for (gsize n = 0; n < G_N_ELEMENTS (numbers); n++) {
        begin_metric (text, numbers[n].name, numbers[n].type, numbers[n].help);
        json_array_foreach (cameras, i, camera)
        {
            begin_series (text, numbers[n].name, camera);
            g_string_append_c (text, '}');
            append_number (text, json_number_value (json_object_get (camera, numbers[n].field)));
        }
    }
}

static void
append_camera_states (GString *text, const json_t *cameras)
{
    size_t i;
    json_t *camera;

    begin_metric (text, "camera_state", "gauge", "1 for the state that the camera is in.");
    json_array_foreach (cameras, i, camera)
    {
        const char *state = json_string_value (json_object_get (camera, "state"));

        for (gsize n = 0; n < G_N_ELEMENTS (states); n++) {
            begin_series (text, "camera_state", camera);
            g_string_append_printf (
                    text, ",state=\"%s\"} %d\n", states[n], g_strcmp0 (state, states[n]) == 0);
        }
    }
}

static void
append_labels (GString *text, const json_t *cameras, const char *name, const char *field)
{
    size_t i, n;
    json_t *camera, *label;

    json_array_foreach (cameras, i, camera)
    {
        json_array_foreach (json_object_get (camera, "labels"), n, label)
        {
            const json_t *value = json_object_get (label, field);

            if (n == MAX_LABELS) {
                break;
            }
            if (!json_is_number (value) && !json_is_boolean (value)) {
                continue;
            }
            begin_series (text, name, camera);
            g_string_append_c (text, ',');
            append_label (text, "label", json_string_value (json_object_get (label, "label")));
            g_string_append_c (text, '}');
            append_number (text,
                    json_is_boolean (value) ? json_is_true (value) : json_number_value (value));
        }
    }
}

static void
append_events (GString *text, MonitorStatus *status)
{
    MonitorStoreStats stats = { 0 };

    if (!status->store) {
        return;
    }
    monitor_store_get_stats (status->store, &stats);
    append_metric (text, "stored_events", "gauge", "Events in the store.", (double)stats.events);
    append_metric (
            text, "store_bytes", "gauge", "What the store takes on disk.", (double)stats.bytes);
    append_metric (text, "waiting_events", "gauge", "Events that are not on disk yet.",
            (double)stats.waiting);
    append_metric (text, "lost_events_total", "counter", "Events that could not be stored.",
            (double)stats.lost);
}

static void
append_hooks (GString *text, MonitorStatus *status)
{
    MonitorHooksStats stats = { 0 };

    if (!status->hooks) {
        return;
    }
    monitor_hooks_get_stats (status->hooks, &stats);
    append_metric (text, "hooks_run_total", "counter", "Hooks that are over, however they ended.",
            (double)(stats.succeeded + stats.failed));
    append_metric (
            text, "hooks_failed_total", "counter", "Those that failed.", (double)stats.failed);
    append_metric (text, "hooks_timed_out_total", "counter",
            "Those that failed as their time was over.", (double)stats.timed_out);
    append_metric (text, "hooks_dropped_total", "counter",
            "Hooks that never ran, as too many waited.", (double)stats.dropped);
    append_metric (text, "hooks_running", "gauge", "Hooks that run.", stats.running);
    append_metric (text, "hooks_waiting", "gauge", "Hooks that wait to run.", stats.waiting);
}

static void
append_responses (GString *text, MonitorStatus *status)
{
    begin_metric (text, "http_responses_total", "counter",
            "Answers, by the first digit of their status.");
    for (guint i = 1; i < G_N_ELEMENTS (status->responses); i++) {
        g_string_append_printf (text,
                "altclip_monitor_http_responses_total{status=\"%uxx\"} %" G_GUINT64_FORMAT "\n", i,
                status->responses[i]);
    }
}

/**
 * monitor_metrics_format:
 * @status: of the program
 * @n_streams: clients that hear news or look at pictures
 *
 * Returns: (transfer full): all numbers
 */
char *
monitor_metrics_format (MonitorStatus *status, guint n_streams)
{
    GString *text = g_string_new (NULL);
    json_t *cameras = monitor_status_list_cameras (status);

    begin_metric (text, "build_info", "gauge", "The version, as a label.");
    g_string_append (text, "altclip_monitor_build_info{");
    append_label (text, "version", ALTCLIP_VERSION);
    g_string_append (text, "} 1\n");
    append_metric (text, "uptime_seconds", "gauge", "Since the start.",
            (double)(g_get_monotonic_time () - status->started) / G_USEC_PER_SEC);
    append_metric (text, "cpu_seconds_total", "counter", "What was computed, of all cores.",
            monitor_status_get_cpu_seconds ());
    append_metric (text, "resident_memory_bytes", "gauge", "Memory in use.",
            (double)monitor_status_get_memory ());
    append_metric (
            text, "streams", "gauge", "Clients that hear news or look at pictures.", n_streams);
    append_camera_states (text, cameras);
    append_camera_numbers (text, cameras);
    begin_metric (text, "label_score", "gauge", "The last score of a label.");
    append_labels (text, cameras, "label_score", "score");
    begin_metric (text, "label_active", "gauge", "Whether a label is active.");
    append_labels (text, cameras, "label_active", "active");
    append_events (text, status);
    append_hooks (text, status);
    append_responses (text, status);
    json_decref (cameras);
    return g_string_free (text, FALSE);
}
