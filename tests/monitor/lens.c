/* altclip: cameras of the monitor and servers for them, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "lens.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Servers -------------------------------------------------------------------------------- */

void
server_start (Server *server)
{
    g_autofree char *port = g_strdup_printf ("%u", server->port);
    const char *argv[] = { g_getenv ("ALTCLIP_RTSP_SERVER"), port, server->codec, server->user,
        server->password, NULL };
    g_autoptr (GError) error = NULL;
    char line[16] = "";
    int output;

    g_spawn_async_with_pipes (NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
            &server->pid, NULL, &output, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpint (read (output, line, sizeof line - 1), >, 0);
    g_assert_true (g_str_has_prefix (line, "listening"));
    close (output);
}

void
server_signal (Server *server, int signal)
{
    g_assert_cmpint (kill (server->pid, signal), ==, 0);
}

void
server_kill (Server *server)
{
    if (server->pid == 0)
        return;
    kill (server->pid, SIGKILL);
    waitpid (server->pid, NULL, 0);
    g_spawn_close_pid (server->pid);
    server->pid = 0;
}

guint
find_port (void)
{
    g_autoptr (GSocketListener) listener = g_socket_listener_new ();
    guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

    g_assert_cmpuint (port, >, 0);
    g_socket_listener_close (listener);
    return port;
}

/* ---- Waiting -------------------------------------------------------------------------------- */

static gboolean
on_time (gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static gboolean
on_step (gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

gboolean
wait_for (Condition condition, gpointer data, double seconds)
{
    gboolean is_over = FALSE;
    guint time = g_timeout_add ((guint)(seconds * 1000), on_time, &is_over);
    guint step = g_timeout_add (20, on_step, NULL);
    gboolean holds;

    while (!(holds = condition (data)) && !is_over)
        g_main_context_iteration (NULL, TRUE);
    if (!is_over)
        g_source_remove (time);
    g_source_remove (step);
    return holds;
}

static gboolean
never (gpointer data)
{
    (void)data;
    return FALSE;
}

void
wait_seconds (double seconds)
{
    wait_for (never, NULL, seconds);
}

/* ---- Cameras -------------------------------------------------------------------------------- */

static void
on_event (MonitorCamera *camera, MonitorEvent *event, gpointer data)
{
    Lens *lens = data;

    (void)camera;
    g_ptr_array_add (lens->events, monitor_event_ref (event));
}

Lens *
lens_new (const MonitorCameraConfig *config, const char *data_directory)
{
    char *none[] = { NULL };
    g_autoptr (MonitorConfiguration) configuration =
            monitor_configuration_new_for_uris (none, NULL);
    Lens *lens = g_new0 (Lens, 1);

    g_free (configuration->data_directory);
    configuration->data_directory = g_strdup (data_directory);
    lens->events = g_ptr_array_new_with_free_func ((GDestroyNotify)monitor_event_unref);
    lens->camera = monitor_camera_new (config, configuration);
    g_signal_connect (lens->camera, "event", G_CALLBACK (on_event), lens);
    monitor_camera_start (lens->camera);
    return lens;
}

static gboolean
is_idle (gpointer data)
{
    return !monitor_camera_is_busy (((Lens *)data)->camera);
}

void
lens_free (Lens *lens)
{
    monitor_camera_stop (lens->camera);
    g_assert_true (wait_for (is_idle, lens, 10));
    g_signal_handlers_disconnect_by_data (lens->camera, lens);
    g_object_unref (lens->camera);
    g_ptr_array_unref (lens->events);
    g_free (lens);
}

char *
lens_get_text (Lens *lens, const char *field)
{
    json_t *description = monitor_camera_describe (lens->camera);
    json_t *value = json_object_get (description, field);
    char *text = value && json_is_string (value) ? g_strdup (json_string_value (value)) : NULL;

    json_decref (description);
    return text;
}

gint64
lens_get_number (Lens *lens, const char *field)
{
    json_t *description = monitor_camera_describe (lens->camera);
    gint64 number = (gint64)json_number_value (json_object_get (description, field));

    json_decref (description);
    return number;
}

gboolean
lens_has_label (Lens *lens, const char *label)
{
    json_t *description = monitor_camera_describe (lens->camera);
    json_t *item;
    gboolean has = FALSE;
    gsize i;

    json_array_foreach (json_object_get (description, "labels"), i, item)
    {
        has = has || g_strcmp0 (json_string_value (json_object_get (item, "label")), label) == 0;
    }
    json_decref (description);
    return has;
}

gboolean
lens_is (Lens *lens, const char *state)
{
    g_autofree char *now = lens_get_text (lens, "state");

    return g_strcmp0 (now, state) == 0;
}

guint
lens_count_events (Lens *lens, const char *kind, const char *label)
{
    guint n = 0;

    for (guint i = 0; i < lens->events->len; i++) {
        const MonitorEvent *event = lens->events->pdata[i];

        if (g_str_equal (event->kind, kind) && g_str_equal (event->label, label))
            n++;
    }
    return n;
}

typedef struct {
    Lens *lens;
    const char *state;
} Expectation;

static gboolean
is_in_state (gpointer data)
{
    Expectation *expectation = data;

    return lens_is (expectation->lens, expectation->state);
}

gboolean
lens_wait_state (Lens *lens, const char *state, double seconds)
{
    Expectation expectation = { lens, state };

    return wait_for (is_in_state, &expectation, seconds);
}
