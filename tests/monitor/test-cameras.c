/* altclip: cameras that fail, hang and come back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With real RTSP servers on this machine, in processes of their own.
 */

#include "lens.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define BARS "colour bars"

static char *directory;

static Lens *
open_lens (const char *name, const Server *server, const char *transport, guint64 interval,
        const char *user, const char *password)
{
    g_autofree char *uri = g_strdup_printf ("rtsp://127.0.0.1:%u/test", server->port);
    MonitorCameraConfig config = { .name = (char *)name,
        .uri = uri,
        .user = (char *)user,
        .password = (char *)password,
        .transport = (char *)transport,
        .interval = interval,
        .prompts = (char *)BARS ";static noise;a black screen",
        .watchdog = 2 };

    return lens_new (&config, directory);
}

static gboolean
has_begun (gpointer data)
{
    return lens_count_events (data, "begin", BARS) > 0;
}

static void
assert_description_has_not (Lens *lens, const char *secret)
{
    json_t *description = monitor_camera_describe (lens->camera);
    char *text = json_dumps (description, 0);

    g_assert_null (strstr (text, secret));
    free (text);
    json_decref (description);
}

static void
assert_is_jpeg (GBytes *bytes, guint width)
{
    gsize length;
    const guint8 *data;
    gboolean has_width = FALSE;

    g_assert_nonnull (bytes);
    data = g_bytes_get_data (bytes, &length);
    g_assert_cmpuint (length, >, 500);
    g_assert_cmphex (data[0] << 8 | data[1], ==, 0xffd8);
    /* The frame's header has height and width. */
    for (gsize i = 2; !has_width && i + 9 < length; i += 2 + (data[i + 2] << 8 | data[i + 3])) {
        g_assert_cmphex (data[i], ==, 0xff);
        if (data[i + 1] == 0xc0) {
            g_assert_cmpuint (data[i + 7] << 8 | data[i + 8], ==, width);
            has_width = TRUE;
        }
    }
    g_assert_true (has_width);
}

/* ---- Three cameras --------------------------------------------------------------------------- */

typedef struct {
    Server servers[3];
    Lens *lenses[3];
} Site;

static void
site_open (Site *site, gconstpointer data)
{
    static const char *const codecs[] = { "jpeg", "vp8", "jpeg" };
    static const char *const transports[] = { "tcp", "tcp", "udp" };

    (void)data;
    for (guint i = 0; i < 3; i++) {
        site->servers[i] = (Server){ .port = find_port (), .codec = codecs[i] };
        server_start (&site->servers[i]);
        site->lenses[i] = open_lens (
                codecs[i], &site->servers[i], transports[i], 200 * GST_MSECOND, NULL, NULL);
    }
    for (guint i = 0; i < 3; i++)
        g_assert_true (lens_wait_state (site->lenses[i], "playing", 20));
}

static void
site_close (Site *site, gconstpointer data)
{
    (void)data;
    for (guint i = 0; i < 3; i++) {
        lens_free (site->lenses[i]);
        server_kill (&site->servers[i]);
    }
}

static void
on_picture (GBytes *jpeg, gpointer data)
{
    Lens *lens = data;

    assert_is_jpeg (jpeg, 640);
    lens->n_pictures++;
}

static gboolean
has_pictures (gpointer data)
{
    return ((Lens *)data)->n_pictures >= 3;
}

static void
test_events (Site *site, gconstpointer data)
{
    (void)data;
    for (guint i = 0; i < 3; i++) {
        const MonitorEvent *event;

        g_assert_true (wait_for (has_begun, site->lenses[i], 10));
        event = site->lenses[i]->events->pdata[0];
        g_assert_cmpstr (event->camera, ==, monitor_camera_get_name (site->lenses[i]->camera));
        assert_is_jpeg (event->thumbnail, 320);
        g_assert_cmpint (lens_get_number (site->lenses[i], "width"), ==, 640);
        g_assert_cmpint (lens_get_number (site->lenses[i], "height"), ==, 480);
    }
}

static void
test_pictures (Site *site, gconstpointer data)
{
    Lens *lens = site->lenses[0];
    guint id = monitor_camera_look (lens->camera, on_picture, lens);
    guint n;

    (void)data;
    g_assert_true (wait_for (has_pictures, lens, 5));
    monitor_camera_look_away (lens->camera, id);
    wait_seconds (0.1);
    n = lens->n_pictures;
    wait_seconds (0.7);
    g_assert_cmpuint (lens->n_pictures, ==, n);
}

static void
test_restart (Site *site, gconstpointer data)
{
    gint64 before[3];
    g_autofree char *reason = NULL;

    (void)data;
    for (guint i = 0; i < 3; i++)
        before[i] = lens_get_number (site->lenses[i], "frames");
    server_kill (&site->servers[0]);
    g_assert_true (lens_wait_state (site->lenses[0], "waiting", 5));
    reason = lens_get_text (site->lenses[0], "reason");
    g_assert_nonnull (reason);
    wait_seconds (1);
    for (guint i = 1; i < 3; i++) {
        g_assert_true (lens_is (site->lenses[i], "playing"));
        g_assert_cmpint (lens_get_number (site->lenses[i], "reconnects"), ==, 0);
        g_assert_cmpint (lens_get_number (site->lenses[i], "frames"), >, before[i] + 5);
    }
    server_start (&site->servers[0]);
    g_assert_true (lens_wait_state (site->lenses[0], "playing", 15));
    g_assert_cmpint (lens_get_number (site->lenses[0], "reconnects"), >=, 1);
    for (guint i = 1; i < 3; i++)
        g_assert_cmpint (lens_get_number (site->lenses[i], "reconnects"), ==, 0);
}

static void
test_stall (Site *site, gconstpointer data)
{
    g_autofree char *reason = NULL;

    (void)data;
    server_signal (&site->servers[1], SIGSTOP);
    g_assert_true (lens_wait_state (site->lenses[1], "waiting", 5));
    reason = lens_get_text (site->lenses[1], "reason");
    g_assert_cmpstr (reason, ==, "nothing came for 2 s");
    g_assert_true (lens_is (site->lenses[0], "playing"));
    server_signal (&site->servers[1], SIGCONT);
    g_assert_true (lens_wait_state (site->lenses[1], "playing", 20));
    g_assert_cmpint (lens_get_number (site->lenses[0], "reconnects"), ==, 0);
}

static gboolean
is_small (gpointer data)
{
    return lens_get_number (data, "width") == 320;
}

static void
test_size (Site *site, gconstpointer data)
{
    (void)data;
    server_signal (&site->servers[0], SIGUSR1);
    g_assert_true (wait_for (is_small, site->lenses[0], 5));
    g_assert_true (lens_is (site->lenses[0], "playing"));
    g_assert_cmpint (lens_get_number (site->lenses[0], "reconnects"), ==, 0);
    g_assert_cmpint (lens_get_number (site->lenses[0], "height"), ==, 240);
}

static gboolean
has_new_label (gpointer data)
{
    return lens_has_label (data, "a red circle") && !lens_has_label (data, BARS);
}

static void
test_prompts (Site *site, gconstpointer data)
{
    Lens *lens = site->lenses[0];
    g_autoptr (GError) error = NULL;
    g_autofree char *document = NULL;

    (void)data;
    g_assert_false (monitor_camera_set_prompts (
            lens->camera, "{\"version\": 1, \"labels\": [{\"label\": 3}]}", &error));
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, "label"));
    g_assert_null (strstr (error->message, directory));
    g_clear_error (&error);
    g_assert_false (monitor_camera_set_prompts (lens->camera,
            "{\"version\": 1, \"labels\": [{\"label\": \"x\", \"images\": [\"/etc/passwd\"]}]}",
            &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
    g_clear_error (&error);
    document = monitor_camera_get_prompts (lens->camera, NULL);
    g_assert_nonnull (strstr (document, BARS));
    g_free (document);
    monitor_camera_set_prompts (lens->camera,
            "{\"version\": 1, \"negatives\": [\"colour bars\"], \"labels\": [{\"label\": \"a red "
            "circle\"}]}",
            &error);
    g_assert_no_error (error);
    document = monitor_camera_get_prompts (lens->camera, NULL);
    g_assert_nonnull (strstr (document, "a red circle"));
    g_assert_true (wait_for (has_new_label, lens, 5));
    g_assert_true (lens_is (lens, "playing"));
}

/* ---- Passwords --------------------------------------------------------------------------------
 */

static void
test_password (void)
{
    Server server = {
        .port = find_port (), .codec = "jpeg", .user = "viewer", .password = "right:p@ss/word"
    };
    Lens *wrong, *right;
    g_autofree char *reason = NULL;

    server_start (&server);
    wrong = open_lens ("wrong", &server, "tcp", GST_SECOND, "viewer", "gr0undless");
    right = open_lens ("right", &server, "tcp", GST_SECOND, server.user, server.password);
    g_assert_true (lens_wait_state (right, "playing", 20));
    g_assert_true (lens_wait_state (wrong, "waiting", 5));
    reason = lens_get_text (wrong, "reason");
    g_assert_nonnull (strstr (reason, "password"));
    assert_description_has_not (wrong, "gr0undless");
    assert_description_has_not (right, server.password);
    lens_free (wrong);
    lens_free (right);
    server_kill (&server);
}

/* ---- No camera at all -------------------------------------------------------------------------
 */

/* Takes connections; says nothing at all, or what is no RTSP, for ever. */
static gboolean
on_connection (GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
        gpointer data)
{
    GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
    char noise[1024];

    (void)service;
    (void)source;
    for (gsize i = 0; i < sizeof noise; i++)
        noise[i] = (char)g_random_int ();
    while (GPOINTER_TO_INT (data) &&
            g_output_stream_write_all (output, noise, sizeof noise, NULL, NULL, NULL))
        g_usleep (1000);
    g_usleep (3 * G_USEC_PER_SEC);
    return TRUE;
}

static void
test_stranger (gconstpointer is_noisy)
{
    g_autoptr (GSocketService) service = g_threaded_socket_service_new (8);
    Server server = { .port = g_socket_listener_add_any_inet_port (
                              G_SOCKET_LISTENER (service), NULL, NULL) };
    Lens *lens;
    gint64 start;

    g_signal_connect (service, "run", G_CALLBACK (on_connection), (gpointer)is_noisy);
    g_socket_service_start (service);
    lens = open_lens ("stranger", &server, "tcp", GST_SECOND, NULL, NULL);
    g_assert_true (lens_wait_state (lens, "waiting", 5));
    start = g_get_monotonic_time ();
    lens_free (lens);
    g_assert_cmpint (g_get_monotonic_time () - start, <, 6 * G_USEC_PER_SEC);
    g_socket_service_stop (service);
    g_socket_listener_close (G_SOCKET_LISTENER (service));
}

static Lens *
open_test_picture (void)
{
    MonitorCameraConfig config = { .name = (char *)"test",
        .uri = (char *)"test:smpte",
        .transport = (char *)"auto",
        .interval = 200 * GST_MSECOND,
        .prompts = (char *)BARS ";static noise",
        .watchdog = 5 };

    return lens_new (&config, directory);
}

static void
test_stop (void)
{
    Lens *lens = open_test_picture ();
    g_autoptr (GPtrArray) events = g_ptr_array_ref (lens->events);
    const MonitorEvent *last;

    g_assert_true (wait_for (has_begun, lens, 20));
    lens_free (lens);
    last = events->pdata[events->len - 1];
    g_assert_cmpstr (last->kind, ==, "end");
    g_assert_cmpstr (last->label, ==, BARS);
    g_assert_cmpstr (last->reason, ==, "stopped");
}

static guint
count_files (void)
{
    GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
    guint n = 0;

    while (g_dir_read_name (dir))
        n++;
    g_dir_close (dir);
    return n;
}

#define LIVES 10

/* A pipeline that is not let go keeps a file at least; threads that GLib has of its own come and go
 * with one or two. */
static void
test_leaks (void)
{
    guint before = 0;

    for (guint i = 0; i <= LIVES; i++) {
        Lens *lens = open_test_picture ();

        g_assert_true (wait_for (has_begun, lens, 20));
        lens_free (lens);
        if (i == 0)
            before = count_files ();
    }
    g_assert_cmpuint (count_files (), <, before + LIVES / 2);
}

static void
remove_directory (const char *path)
{
    GDir *dir = g_dir_open (path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name (dir))) {
        g_autofree char *child = g_build_filename (path, name, NULL);

        if (g_file_test (child, G_FILE_TEST_IS_DIR))
            remove_directory (child);
        else
            g_unlink (child);
    }
    if (dir)
        g_dir_close (dir);
    g_rmdir (path);
}

int
main (int argc, char **argv)
{
    int status;

    g_test_init (&argc, &argv, NULL);
    gst_init (&argc, &argv);
    directory = g_dir_make_tmp ("altclip-cameras-XXXXXX", NULL);
#define ADD(name, test) g_test_add (name, Site, NULL, site_open, test, site_close)
    ADD ("/monitor/cameras/events", test_events);
    ADD ("/monitor/cameras/pictures", test_pictures);
    ADD ("/monitor/cameras/restart", test_restart);
    ADD ("/monitor/cameras/stall", test_stall);
    ADD ("/monitor/cameras/size", test_size);
    ADD ("/monitor/cameras/prompts", test_prompts);
    g_test_add_func ("/monitor/cameras/password", test_password);
    g_test_add_data_func ("/monitor/cameras/silence", GINT_TO_POINTER (FALSE), test_stranger);
    g_test_add_data_func ("/monitor/cameras/noise", GINT_TO_POINTER (TRUE), test_stranger);
    g_test_add_func ("/monitor/cameras/stop", test_stop);
    g_test_add_func ("/monitor/cameras/leaks", test_leaks);
    status = g_test_run ();
    remove_directory (directory);
    g_free (directory);
    return status;
}
