/* altclip: altclip watch
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ALTCLIP_DEMO_MODEL in the environment is the bundled model, with its clip and what is in it.
 */

#include "invocation.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LABELS                                                                                    \
    "colour bars;a red circle;static noise;a blue star;a black screen;a clear picture;a blurred " \
    "picture;a dark picture;a green ring;a blue screen;a ball on black;yellow crosses"
#define SECOND 1e9
#define INTERVAL 0.2
#define CLIP_SECONDS 30

static char *folder; /* for what is made */
static char *clip;

/* ---- Running --------------------------------------------------------------------------------- */

/* Returns: (transfer container): the arguments up to NULL, after those that all runs have */
static GPtrArray *
list_arguments (va_list list)
{
    GPtrArray *arguments = g_ptr_array_new ();

    g_ptr_array_add (arguments, "watch");
    g_ptr_array_add (arguments, (gpointer)g_getenv ("ALTCLIP_DEMO_MODEL"));
    g_ptr_array_add (arguments, "--no-cache");
    g_ptr_array_add (arguments, "--prompts");
    g_ptr_array_add (arguments, LABELS);
    for (const char *next = va_arg (list, const char *); next; next = va_arg (list, const char *))
        g_ptr_array_add (arguments, (gpointer)next);
    return arguments;
}

/* @nothing: NULL, as all arguments may be optional */
static Invocation watch (const void *nothing, ...) G_GNUC_NULL_TERMINATED;

static Invocation
watch (const void *nothing, ...)
{
    g_autoptr (GPtrArray) arguments = NULL;
    va_list list;

    va_start (list, nothing);
    arguments = list_arguments (list);
    va_end (list);
    return invocation_run_list (NULL, arguments);
}

/* One that goes on meanwhile. @launcher: what becomes of its output */
static GSubprocess *begin_watch (GSubprocessLauncher *launcher, ...) G_GNUC_NULL_TERMINATED;

static GSubprocess *
begin_watch (GSubprocessLauncher *launcher, ...)
{
    g_autoptr (GPtrArray) arguments = NULL;
    g_autoptr (GError) error = NULL;
    GSubprocess *process;
    va_list list;

    va_start (list, launcher);
    arguments = list_arguments (list);
    va_end (list);
    g_ptr_array_insert (arguments, 0, (gpointer)g_getenv ("ALTCLIP_COMMAND"));
    g_ptr_array_add (arguments, NULL);
    process =
            g_subprocess_launcher_spawnv (launcher, (const char *const *)arguments->pdata, &error);
    g_assert_no_error (error);
    return process;
}

/* Returns: (transfer full): the next line of the output, as JSON */
static json_t *
read_line (GDataInputStream *stream)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *line = g_data_input_stream_read_line (stream, NULL, NULL, &error);
    json_t *object;

    g_assert_no_error (error);
    g_assert_nonnull (line);
    object = json_loads (line, 0, NULL);
    g_assert_nonnull (object);
    return object;
}

/* Returns: (transfer full): what is left of what it writes there */
static char *
read_rest (GInputStream *stream)
{
    GString *text = g_string_new (NULL);
    char buffer[4096];
    gssize n;

    while ((n = g_input_stream_read (stream, buffer, sizeof buffer, NULL, NULL)) > 0)
        g_string_append_len (text, buffer, n);
    g_assert_cmpint (n, ==, 0);
    return g_string_free (text, FALSE);
}

static int
wait_for_status (GSubprocess *process)
{
    g_assert_true (g_subprocess_wait (process, NULL, NULL));
    g_assert_true (g_subprocess_get_if_exited (process));
    return g_subprocess_get_exit_status (process);
}

/* ---- Clips ----------------------------------------------------------------------------------- */

static char *
get_path (const char *name)
{
    return g_build_filename (folder, name, NULL);
}

static void
play (const char *line)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
    g_autoptr (GstBus) bus = NULL;
    g_autoptr (GstMessage) message = NULL;

    g_assert_no_error (error);
    bus = gst_element_get_bus (pipeline);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (
            bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* Returns: (transfer full): so many seconds of a test pattern, with sound */
static char *
make_video (const char *name, guint seconds)
{
    char *path = get_path (name);
    g_autofree char *line = g_strdup_printf (
            "webmmux name=mux ! filesink location=%s videotestsrc num-buffers=%u pattern=smpte ! "
            "video/x-raw,width=160,height=120,framerate=10/1 ! vp8enc deadline=1 threads=1 ! mux. "
            "audiotestsrc num-buffers=%u ! vorbisenc ! mux.",
            path, seconds * 10, seconds * 43);

    play (line);
    return path;
}

/* ---- Events ---------------------------------------------------------------------------------- */

static guint
count_events (json_t *lines, const char *event)
{
    json_t *line;
    size_t i;
    guint n = 0;

    json_array_foreach (lines, i, line) n +=
            g_strcmp0 (json_string_value (json_object_get (line, "event")), event) == 0;
    return n;
}

/* Whether @label began at the begin of the scene and ended at its end, to a frame that was looked
 * at. */
static gboolean
is_told (json_t *lines, json_t *scene)
{
    json_t *line;
    size_t i;

    json_array_foreach (lines, i, line)
    {
        double end;
        double begin;

        if (strcmp (get_string (line, "event"), "end") != 0 ||
                strcmp (get_string (line, "label"), get_string (scene, "truth")) != 0)
            continue;
        end = get_number (line, "timestamp") / SECOND;
        begin = end - get_number (line, "duration") / SECOND;
        if (ABS (begin - get_number (scene, "start")) <= INTERVAL &&
                ABS (end - get_number (scene, "end")) <= INTERVAL)
            return TRUE;
    }
    return FALSE;
}

/* Nearly all scenes, each line of this stream, and numbered one by one. */
static void
check_events (json_t *lines, const char *source)
{
    g_autofree char *path =
            g_build_filename (g_getenv ("ALTCLIP_DEMO_MODEL"), "demo.scenes.json", NULL);
    json_t *scenes = json_load_file (path, 0, NULL);
    guint n_told = 0;
    json_t *item;
    size_t i;

    json_array_foreach (scenes, i, item) n_told += is_told (lines, item);
    g_test_message ("%u scenes were told", n_told);
    g_assert_cmpuint (json_array_size (scenes), ==, 12);
    g_assert_cmpuint (n_told, >=, 10);
    json_array_foreach (lines, i, item)
    {
        g_assert_cmpfloat (get_number (item, "sequence"), ==, i + 1.0);
        g_assert_cmpstr (get_string (item, "source"), ==, source);
    }
    g_assert_cmpuint (count_events (lines, "begin"), ==, count_events (lines, "end"));
    g_assert_cmpstr (
            get_string (json_array_get (lines, json_array_size (lines) - 1), "reason"), ==, "eos");
    json_decref (scenes);
}

static void
test_events (void)
{
    g_auto (Invocation) result = watch (NULL, clip, NULL);
    json_t *lines = invocation_parse (&result);

    g_assert_cmpint (result.status, ==, 0);
    check_events (lines, clip);
    assert_contains (result.err, "demo.webm: 150 frames, to 29.9 s, in ");
    json_decref (lines);
}

/* Beside the events, a line for each frame that was looked at. */
static void
test_results (void)
{
    g_auto (Invocation) result = watch (NULL, "--results", "--interval", "1", clip, NULL);
    json_t *lines = invocation_parse (&result);
    guint n_results = 0;
    json_t *line;
    size_t i;

    g_assert_cmpint (result.status, ==, 0);
    json_array_foreach (lines, i, line)
    {
        json_t *objects = json_object_get (line, "objects");

        if (!objects)
            continue;
        g_assert_cmpfloat_with_epsilon (
                get_number (line, "timestamp") / SECOND, n_results, 0.5 / 15.0);
        g_assert_cmpuint (
                json_array_size (json_object_get (json_array_get (objects, 0), "results")), >=, 10);
        n_results++;
    }
    g_assert_cmpuint (n_results, ==, 30);
    g_assert_cmpuint (count_events (lines, "begin"), >=, 10);
    json_decref (lines);
}

/* What the options say reaches the element. */
static void
test_options (void)
{
    g_autofree char *path = make_video ("options.webm", 2);
    g_auto (Invocation) slow = watch (NULL, "--min-on-time", "1", path, NULL);
    g_auto (Invocation) never = watch (NULL, "--threshold", "1", "--smoothing", "9", path, NULL);
    g_auto (Invocation) cosine =
            watch (NULL, "--score-mode", "cosine", "--threshold", "0.8", path, NULL);
    g_auto (Invocation) part = watch (NULL, "--region", "0,0.8,0.1,0.1", path, NULL);
    json_t *line = invocation_parse_line (&slow, 0);

    g_assert_cmpstr (get_string (line, "label"), ==, "colour bars");
    g_assert_cmpfloat_with_epsilon (get_number (line, "timestamp") / SECOND, 1.0, 0.11);
    g_assert_cmpstr (never.out, ==, "");
    assert_contains (cosine.out, "\"score_mode\":\"cosine\"");
    g_assert_null (strstr (part.out, "colour bars"));
    json_decref (line);
    g_unlink (path);
}

/* Turns the one track of a file of QuickTime's by the matrix in its header, as a phone does. */
static void
turn_track (const char *path)
{
    static const guint8 matrix[] = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, /* 0, 1, 0 */
        0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };                      /* -1, 0, 0 */
    g_autofree char *bytes = NULL;
    char *header;
    gsize size;

    g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
    header = memmem (bytes, size, "tkhd", 4);
    g_assert_nonnull (header);
    memcpy (header + 44, matrix, sizeof matrix);
    g_assert_true (g_file_set_contents (path, bytes, (gssize)size, NULL));
}

/* What a phone took on its side is looked at upright. */
static void
test_upright (void)
{
    g_autofree char *path = get_path ("turned.mp4");
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=5 ! video/x-raw,width=160,height=120,framerate=10/1 ! "
            "jpegenc ! qtmux ! filesink location=%s",
            path);
    g_auto (Invocation) result = INVOCATION_INIT;

    play (line);
    turn_track (path);
    result = watch (NULL, "--results", path, NULL);
    g_assert_cmpint (result.status, ==, 0);
    assert_contains (result.out, "\"resolution\":{\"width\":120,\"height\":160}");
    g_unlink (path);
}

/* ---- Sources --------------------------------------------------------------------------------- */

/* Whether both tell the same, but for when they did and what the stream is called. */
static void
check_same (const Invocation *a, const Invocation *b)
{
    static const char *const names[] = { "utc", "source", "stream_id", "element" };
    json_t *lines = invocation_parse (a);
    json_t *others = invocation_parse (b);

    for (size_t i = 0; i < json_array_size (lines); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS (names); j++) {
            json_object_del (json_array_get (lines, i), names[j]);
            json_object_del (json_array_get (others, i), names[j]);
        }
    }
    g_assert_cmpuint (json_array_size (lines), >=, 20);
    g_assert_true (json_equal (lines, others));
    json_decref (lines);
    json_decref (others);
}

static void
test_uri (void)
{
    g_autofree char *uri = gst_filename_to_uri (clip, NULL);
    g_auto (Invocation) by_path = watch (NULL, clip, NULL);
    g_auto (Invocation) by_uri = watch (NULL, uri, NULL);

    g_assert_cmpint (by_uri.status, ==, 0);
    check_same (&by_path, &by_uri);
    assert_contains (by_uri.out, uri);
}

/* One after another, whatever is wrong with one of them. */
static void
test_several (void)
{
    g_autofree char *path = make_video ("several.webm", 2);
    g_autofree char *text = get_path ("several.txt");
    g_auto (Invocation) result = INVOCATION_INIT;
    const char *const sources[] = { path, clip };
    json_t *lines;
    json_t *line;
    size_t i;
    guint at = 0;

    g_assert_true (g_file_set_contents (text, "no video\n", -1, NULL));
    result = watch (NULL, path, "no-such-file.webm", text, path, clip, NULL);
    lines = invocation_parse (&result);
    g_assert_cmpint (result.status, ==, 1);
    assert_contains (result.err, "altclip: no-such-file.webm: No such file or directory\n");
    assert_contains (result.err, "several.txt: cannot be watched: ");
    json_array_foreach (lines, i, line)
    {
        if (strcmp (get_string (line, "source"), sources[at]) != 0)
            at++;
        g_assert_cmpuint (at, <, 2);
        g_assert_cmpstr (get_string (line, "source"), ==, sources[at]);
        g_assert_cmpfloat (get_number (line, "sequence"), ==, i + 1.0);
    }
    g_assert_cmpuint (at, ==, 1);
    g_assert_cmpuint (count_events (lines, "begin"), >=, 12);
    g_unlink (path);
    g_unlink (text);
    json_decref (lines);
}

/* Answers one request: with the clip, or that there is none. */
static gboolean
on_request (G_GNUC_UNUSED GThreadedSocketService *service, GSocketConnection *connection,
        G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED gpointer data)
{
    g_autoptr (GDataInputStream) input =
            g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
    GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
    g_autofree char *request = g_data_input_stream_read_line (input, NULL, NULL, NULL);
    g_autofree char *bytes = NULL;
    g_autofree char *head = NULL;
    gsize size;

    for (g_autofree char *line = g_strdup (request); line && *line && *line != '\r';) {
        g_free (line);
        line = g_data_input_stream_read_line (input, NULL, NULL, NULL);
    }
    if (!request || !strstr (request, "/demo.webm")) {
        g_output_stream_printf (output, NULL, NULL, NULL,
                "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return TRUE;
    }
    g_assert_true (g_file_get_contents (clip, &bytes, &size, NULL));
    head = g_strdup_printf ("HTTP/1.0 200 OK\r\nContent-Type: video/webm\r\nContent-Length: %zu\r\n"
                            "Connection: close\r\n\r\n",
            size);
    g_output_stream_write_all (output, head, strlen (head), NULL, NULL, NULL);
    g_output_stream_write_all (output, bytes, size, NULL, NULL, NULL);
    return TRUE;
}

static GSocketService *
serve (guint16 *port)
{
    GSocketService *service = g_threaded_socket_service_new (4);
    g_autoptr (GError) error = NULL;
    g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
    g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
    g_autoptr (GSocketAddress) bound = NULL;

    g_socket_listener_add_address (G_SOCKET_LISTENER (service), address, G_SOCKET_TYPE_STREAM,
            G_SOCKET_PROTOCOL_DEFAULT, NULL, &bound, &error);
    g_assert_no_error (error);
    g_signal_connect (service, "run", G_CALLBACK (on_request), NULL);
    *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
    return service;
}

/* Runs the main loop, which hands out the connections, until the thread is done. */
static gpointer
join_while_serving (GThread *thread, const gint *done)
{
    while (!g_atomic_int_get (done))
        g_main_context_iteration (NULL, FALSE) ? (void)0 : g_usleep (1000);
    return g_thread_join (thread);
}

typedef struct {
    char *uri;
    Invocation result;
    gint done;
} Request;

static gpointer
run_request (gpointer data)
{
    Request *request = data;

    request->result = watch (NULL, request->uri, NULL);
    g_atomic_int_set (&request->done, 1);
    return NULL;
}

static Invocation
watch_served (guint16 port, const char *name)
{
    g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/%s", port, name);
    Request request = { uri, INVOCATION_INIT, 0 };

    join_while_serving (g_thread_new ("request", run_request, &request), &request.done);
    return request.result;
}

static gboolean
has_element (const char *name)
{
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

    return factory != NULL;
}

static void
test_http (void)
{
    guint16 port;
    g_autoptr (GSocketService) service = NULL;
    g_auto (Invocation) by_path = INVOCATION_INIT;
    g_auto (Invocation) served = INVOCATION_INIT;
    g_auto (Invocation) missing = INVOCATION_INIT;

    if (!has_element ("souphttpsrc")) {
        g_test_skip ("GStreamer has no souphttpsrc here");
        return;
    }
    service = serve (&port);
    by_path = watch (NULL, clip, NULL);
    served = watch_served (port, "demo.webm");
    missing = watch_served (port, "none.webm");
    g_assert_cmpint (served.status, ==, 0);
    check_same (&by_path, &served);
    invocation_assert_failed (&missing, "/none.webm: cannot be watched: ");
    assert_contains (missing.err, "404");
    g_socket_service_stop (service);
}

/* ---- Live sources ---------------------------------------------------------------------------- */

/* A port that nobody has now. */
static guint16
find_port (void)
{
    g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
    g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
    g_autoptr (GSocket) socket = g_socket_new (
            G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
    g_autoptr (GSocketAddress) bound = NULL;

    g_assert_true (g_socket_bind (socket, address, FALSE, NULL));
    bound = g_socket_get_local_address (socket, NULL);
    return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

/* Until somebody listens there. */
static void
wait_for_listener (guint16 port)
{
    g_autofree char *entry = g_strdup_printf (":%04X ", port);
    gboolean found = FALSE;

    while (!found) {
        g_autofree char *table = NULL;

        g_usleep (10000);
        g_assert_true (g_file_get_contents ("/proc/net/udp", &table, NULL, NULL));
        found = strstr (table, entry) != NULL;
    }
}

/* Sends what the clip begins with, an eighth, as fast as it was recorded. */
static void
send_clip (guint16 port)
{
    g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
    g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, port);
    g_autoptr (GSocket) socket = g_socket_new (
            G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (clip, &bytes, &size, NULL));
    g_assert_true (g_socket_connect (socket, address, NULL, NULL));
    for (gsize at = 0; at < size / 8; at += 1000) {
        g_socket_send (socket, bytes + at, MIN (1000, size - at), NULL, NULL);
        g_usleep ((gulong)CLIP_SECONDS * G_USEC_PER_SEC * 1000 / size);
    }
}

/* What is live is lost when nothing comes any more; what was active then ends. */
static void
test_lost (void)
{
    guint16 port = find_port ();
    g_autofree char *uri = g_strdup_printf ("udp://127.0.0.1:%u", port);
    g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
            G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr (GSubprocess) process = begin_watch (launcher, "--timeout", "4", uri, NULL);
    g_autofree char *message = g_strdup_printf ("altclip: %s: is lost: no frame for 4 s\n", uri);
    Invocation result = INVOCATION_INIT;
    json_t *lines;

    wait_for_listener (port);
    /* Until the model is open: what comes before is not looked at. */
    g_usleep (2 * G_USEC_PER_SEC);
    send_clip (port);
    result.out = read_rest (g_subprocess_get_stdout_pipe (process));
    result.err = read_rest (g_subprocess_get_stderr_pipe (process));
    g_test_message ("%s", result.err);
    g_assert_cmpint (wait_for_status (process), ==, 1);
    assert_contains (result.err, message);
    lines = invocation_parse (&result);
    g_assert_cmpstr (get_string (json_array_get (lines, 0), "label"), ==, "colour bars");
    g_assert_cmpuint (count_events (lines, "begin"), ==, count_events (lines, "end"));
    g_assert_cmpstr (get_string (json_array_get (lines, json_array_size (lines) - 1), "reason"), ==,
            "stopped");
    json_decref (lines);
    invocation_clear (&result);
}

static void
test_never_there (void)
{
    g_autofree char *uri = g_strdup_printf ("udp://127.0.0.1:%u", find_port ());
    g_auto (Invocation) result = watch (NULL, "--timeout", "0.5", uri, NULL);

    invocation_assert_failed (&result, ": cannot be watched: no frame for 0.5 s\n");
}

/* ---- Signals --------------------------------------------------------------------------------- */

static void
check_signal (int number)
{
    g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
            G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr (GSubprocess) process = begin_watch (launcher, "--mode", "live", clip, clip, NULL);
    g_autoptr (GDataInputStream) stream =
            g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
    Invocation result = INVOCATION_INIT;
    json_t *begin = read_line (stream);
    json_t *lines, *end;

    /* At the process and at its group, as timeout does. */
    g_subprocess_send_signal (process, number);
    g_subprocess_send_signal (process, number);
    /* On a machine with much to do the clip has gone on meanwhile. */
    result.out = read_rest (G_INPUT_STREAM (stream));
    result.err = read_rest (g_subprocess_get_stderr_pipe (process));
    g_assert_cmpint (wait_for_status (process), ==, 0);
    g_assert_cmpstr (get_string (begin, "event"), ==, "begin");
    lines = invocation_parse (&result);
    g_assert_cmpuint (count_events (lines, "begin") + 1, ==, count_events (lines, "end"));
    end = json_array_get (lines, json_array_size (lines) - 1);
    g_assert_cmpstr (get_string (end, "event"), ==, "end");
    g_assert_cmpstr (get_string (end, "reason"), ==, "eos");
    g_assert_cmpfloat ((double)json_integer_value (json_object_get (end, "pts")), <,
            (CLIP_SECONDS - 1) * SECOND);
    assert_contains (result.err, " frames, to ");
    json_decref (begin);
    json_decref (lines);
    invocation_clear (&result);
}

static void
test_signals (void)
{
    check_signal (SIGINT);
    check_signal (SIGTERM);
}

/* Before there is a frame there is nothing to end. */
static void
test_early_signal (void)
{
    guint16 port = find_port ();
    g_autofree char *uri = g_strdup_printf ("udp://127.0.0.1:%u", port);
    g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
            G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
    g_autoptr (GSubprocess) process = begin_watch (launcher, uri, NULL);
    g_autofree char *out = NULL;

    wait_for_listener (port);
    g_subprocess_send_signal (process, SIGINT);
    out = read_rest (g_subprocess_get_stdout_pipe (process));
    g_assert_cmpstr (out, ==, "");
    g_assert_cmpint (wait_for_status (process), ==, 0);
}

/* Until the process waits for somebody to read. */
static void
wait_until_full (int fd)
{
    int before = -1;
    int now = 0;

    while (now == 0 || now != before) {
        before = now;
        g_usleep (G_USEC_PER_SEC / 2);
        g_assert_cmpint (ioctl (fd, FIONREAD, &now), ==, 0);
    }
}

/* While nobody reads, no end can be told; the second signal does not wait for that. */
static void
test_second_signal (void)
{
    g_autoptr (GSubprocessLauncher) launcher =
            g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr (GSubprocess) process = NULL;
    int ends[2];

    g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
    g_subprocess_launcher_take_stdout_fd (launcher, ends[1]);
    process = begin_watch (launcher, "--results", "--interval", "0", clip, NULL);
    g_subprocess_launcher_close (launcher);
    wait_until_full (ends[0]);
    g_subprocess_send_signal (process, SIGINT);
    g_usleep (G_USEC_PER_SEC);
    g_assert_nonnull (g_subprocess_get_identifier (process));
    g_subprocess_send_signal (process, SIGINT);
    g_assert_true (g_subprocess_wait (process, NULL, NULL));
    g_assert_true (g_subprocess_get_if_signaled (process));
    g_assert_cmpint (g_subprocess_get_term_sig (process), ==, SIGINT);
    close (ends[0]);
}

/* ---- Output ---------------------------------------------------------------------------------- */

/* Without a word, and at once, though there is nothing to be written then. */
static void
test_reader_gone (void)
{
    g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
            G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr (GSubprocess) process =
            begin_watch (launcher, "--mode", "live", "--threshold", "0.9", clip, NULL);
    GInputStream *stream = g_subprocess_get_stdout_pipe (process);
    g_autofree char *err = NULL;
    gint64 begin;
    char byte;

    g_assert_cmpint (g_input_stream_read (stream, &byte, 1, NULL, NULL), ==, 1);
    begin = g_get_monotonic_time ();
    g_assert_true (g_input_stream_close (stream, NULL, NULL));
    err = read_rest (g_subprocess_get_stderr_pipe (process));
    g_assert_cmpstr (err, ==, "");
    g_assert_cmpint (wait_for_status (process), ==, 1);
    /* The bars of the clip's first scene end after three. */
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 2 * G_USEC_PER_SEC);
}

static void
test_full_disk (void)
{
    g_autoptr (GSubprocessLauncher) launcher =
            g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr (GSubprocess) process = NULL;
    g_autofree char *err = NULL;

    if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS)) {
        g_test_skip ("there is no /dev/full");
        return;
    }
    g_subprocess_launcher_set_stdout_file_path (launcher, "/dev/full");
    process = begin_watch (launcher, clip, NULL);
    err = read_rest (g_subprocess_get_stderr_pipe (process));
    g_assert_cmpstr (err, ==, "altclip: standard output: No space left on device\n");
    g_assert_cmpint (wait_for_status (process), ==, 1);
}

/* Until the other end of the terminal is closed, which is an error there. */
static char *
read_terminal (int terminal)
{
    GString *text = g_string_new (NULL);
    char buffer[4096];
    ssize_t n;

    while ((n = read (terminal, buffer, sizeof buffer)) > 0)
        g_string_append_len (text, buffer, n);
    return g_string_free (text, FALSE);
}

/* Each record begins where the line that tells how it goes was taken away; that fits, and names
 * what is active. */
static void
check_terminal (const char *text)
{
    g_auto (GStrv) parts = g_strsplit (text, "\r\033[K", -1);
    guint n_records = 0;
    guint n_active = 0;

    for (guint i = 0; parts[i]; i++) {
        if (parts[i][0] == '{') {
            const char *end = strchr (parts[i], '\n');

            g_assert_true (end && end[1] == '\0');
            n_records++;
        } else if (strstr (parts[i], " % 0:00:0")) {
            g_assert_cmpint (g_utf8_strlen (parts[i], -1), <, 100);
            n_active += strstr (parts[i], ", colour bars, ") != NULL;
        } else {
            g_assert_null (strchr (parts[i], '{'));
        }
    }
    g_assert_cmpuint (n_records, ==, 2);
    g_assert_cmpuint (n_active, >=, 5);
}

static void
test_terminal (void)
{
    g_autofree char *path = make_video ("terminal.webm", 6);
    g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
    g_autoptr (GSubprocess) process = NULL;
    g_autofree char *text = NULL;
    struct winsize size = { .ws_row = 25, .ws_col = 100 };
    int terminal;
    int end;

    g_assert_cmpint (openpty (&terminal, &end, NULL, NULL, &size), ==, 0);
    g_subprocess_launcher_take_stdout_fd (launcher, fcntl (end, F_DUPFD_CLOEXEC, 0));
    g_subprocess_launcher_take_stderr_fd (launcher, end);
    process = begin_watch (launcher, "--mode", "live", path, NULL);
    g_subprocess_launcher_close (launcher);
    text = read_terminal (terminal);
    g_test_message ("%s", text);
    g_assert_cmpint (wait_for_status (process), ==, 0);
    check_terminal (text);
    close (terminal);
    g_unlink (path);
}

/* ---- What goes wrong ------------------------------------------------------------------------- */

static void
test_wrong_sources (void)
{
    g_autofree char *text = get_path ("text.txt");
    g_autofree char *sound = get_path ("sound.wav");
    g_autofree char *line =
            g_strdup_printf ("audiotestsrc num-buffers=20 ! wavenc ! filesink location=%s", sound);
    const struct {
        const char *source;
        const char *message;
    } cases[] = {
        { "no-such-file.webm", "altclip: no-such-file.webm: No such file or directory\n" },
        { "file:///no-such-file.webm", "altclip: file:///no-such-file.webm: No such file or" },
        { folder, ": Is a directory\n" },
        { text, "text.txt: cannot be watched: " },
        { sound, "sound.wav: cannot be watched: it holds no video\n" },
        { "nonsense://camera", "altclip: nonsense://camera: cannot be watched: " },
        { "rtsp://me:se@cret@127.0.0.1:1/x", "altclip: rtsp://me:***@127.0.0.1:1/x: cannot be " },
        { "v4l2:///dev/no-such-device",
                "altclip: v4l2:///dev/no-such-device: cannot be watched: " },
    };

    g_assert_true (g_file_set_contents (text, "no video\n", -1, NULL));
    play (line);
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_auto (Invocation) result = watch (NULL, cases[i].source, NULL);

        invocation_assert_failed (&result, cases[i].message);
        g_assert_null (strstr (result.err, "cret"));
    }
    g_unlink (text);
    g_unlink (sound);
}

/* As far as it goes; and where there is not even a frame, an end too. */
static void
test_cut (void)
{
    g_autofree char *path = get_path ("cut.webm");
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (clip, &bytes, &size, NULL));
    for (gsize n = 0; n <= 4096; n = n ? 2 * n : 64) {
        g_auto (Invocation) result = INVOCATION_INIT;

        g_assert_true (g_file_set_contents (path, bytes, (gssize)n, NULL));
        result = watch (NULL, path, NULL);
        g_test_message ("%zu bytes: %d, %s", n, result.status, result.err);
        if (result.status == 0)
            assert_contains (result.err, "cut.webm: ");
        else
            assert_contains (result.err, "cut.webm: cannot be watched");
    }
    g_unlink (path);
}

/* Without what decodes it, one message says where that is. */
static void
test_missing_plugin (void)
{
    g_autoptr (GSubprocessLauncher) launcher =
            g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr (GSubprocess) process = NULL;
    g_autofree char *path = make_video ("vp8.webm", 2);
    g_autofree char *err = NULL;

    g_subprocess_launcher_setenv (
            launcher, "GST_PLUGIN_FEATURE_RANK", "vp8dec:NONE,avdec_vp8:NONE,vavp8dec:NONE", TRUE);
    process = begin_watch (launcher, path, NULL);
    err = read_rest (g_subprocess_get_stderr_pipe (process));
    g_test_message ("%s", err);
    g_assert_cmpint (wait_for_status (process), ==, 1);
    assert_contains (err,
            "vp8.webm: cannot be watched: GStreamer has no plugin here for VP8 decoder; "
            "the package gstreamer1.0-plugins-good has one\n");
    g_assert_true (strchr (err, '\n') == err + strlen (err) - 1);
    g_unlink (path);
}

/* What is odd about the prompts is told once, however many are watched. */
static void
test_lone_phrase (void)
{
    g_autofree char *path = make_video ("lone.webm", 1);
    g_auto (Invocation) result = invocation_run ("watch", g_getenv ("ALTCLIP_DEMO_MODEL"),
            "--prompts", "colour bars", path, path, path, NULL);
    const char *first = strstr (result.err, "one phrase only");

    g_assert_cmpint (result.status, ==, 0);
    g_assert_nonnull (first);
    g_assert_null (strstr (first + 1, "one phrase only"));
    g_unlink (path);
}

/* Told once, however many are watched. */
static void
test_wrong_model (void)
{
    g_autofree char *uri = g_strdup_printf ("udp://127.0.0.1:%u", find_port ());
    g_auto (Invocation) result =
            invocation_run ("watch", "/no-such-model", "--prompts", "a;b", clip, clip, uri, NULL);

    invocation_assert_failed (&result, "'/no-such-model' does not exist");
}

/* Prompts that are well written, of which the model can make nothing. */
static void
test_useless_prompts (void)
{
    g_autofree char *path = get_path ("prompts.json");
    g_auto (Invocation) result = INVOCATION_INIT;

    g_assert_true (g_file_set_contents (path,
            "{\"version\": 1, \"labels\": [{\"label\": \"a\", \"embedding\": [0.6, 0.8]}, "
            "{\"label\": \"b\", \"embedding\": [0.8, 0.6]}]}",
            -1, NULL));
    result = invocation_run (
            "watch", g_getenv ("ALTCLIP_DEMO_MODEL"), "--prompts-file", path, clip, NULL);
    invocation_assert_failed (&result, "prompts.json: ");
    g_unlink (path);
}

static void
test_wrong_arguments (void)
{
    static const struct {
        const char *option;
        const char *value;
        const char *message;
    } cases[] = {
        { "--mode", "fast", "--mode is 'fast', but must be auto, live or exact" },
        { "--interval", "-1", "--interval is -1, but must be 0 to 3600 seconds" },
        { "--timeout", "nan", "--timeout is nan, but must be 0 to 3600 seconds" },
        { "--smoothing", "1e9", "--smoothing is 1e+09, but must be 0 to 3600 seconds" },
        { "--threshold", "2", "--threshold is 2, but must be -1 to 1" },
        { "--hysteresis", "-0.1", "--hysteresis is -0.1, but must be 0 to 1" },
        { "--region", "0,0,2,1", "w is 2, but must be above 0 and at most 1" },
        { "--score-mode", "odd", "--score-mode is 'odd'" },
        { "--precision", "f16", "--precision is 'f16'" },
        { "--prompts", "a;a", "duplicate label" },
        { "--prompts-file", "prompts.json", "--prompts-file takes the place of --prompts" },
    };
    g_auto (Invocation) nothing =
            invocation_run ("watch", g_getenv ("ALTCLIP_DEMO_MODEL"), "--prompts", "a", NULL);
    g_auto (Invocation) no_prompts =
            invocation_run ("watch", g_getenv ("ALTCLIP_DEMO_MODEL"), clip, NULL);

    invocation_assert_refused (&nothing, "expected MODEL FILE-or-URI…");
    invocation_assert_refused (&no_prompts, "--prompts or --prompts-file is missing");
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_auto (Invocation) result = watch (NULL, cases[i].option, cases[i].value, clip, NULL);

        invocation_assert_refused (&result, cases[i].message);
    }
}

/* The element would take the file's. */
static void
test_other_score_mode (void)
{
    g_autofree char *path = get_path ("cosine.json");
    g_auto (Invocation) other = INVOCATION_INIT;
    g_auto (Invocation) same = INVOCATION_INIT;

    g_assert_true (g_file_set_contents (path,
            "{\"version\": 1, \"score_mode\": \"cosine\", \"labels\": [{\"label\": \"bars\", "
            "\"texts\": [\"colour bars\"]}, {\"label\": \"a red circle\"}]}",
            -1, NULL));
    other = invocation_run ("watch", g_getenv ("ALTCLIP_DEMO_MODEL"), "--prompts-file", path,
            "--score-mode", "softmax", clip, NULL);
    same = invocation_run ("watch", g_getenv ("ALTCLIP_DEMO_MODEL"), "--prompts-file", path,
            "--score-mode", "cosine", clip, NULL);
    invocation_assert_refused (&other, "--score-mode is 'softmax', but the file of prompts has ");
    g_assert_cmpint (same.status, ==, 0);
    assert_contains (same.out, "\"label\":\"bars\"");
    g_unlink (path);
}

int
main (int argc, char **argv)
{
    int status;

    g_test_init (&argc, &argv, NULL);
    gst_init (NULL, NULL);
    folder = g_dir_make_tmp ("altclip-XXXXXX", NULL);
    clip = g_build_filename (g_getenv ("ALTCLIP_DEMO_MODEL"), "demo.webm", NULL);
    g_test_add_func ("/watch/events", test_events);
    g_test_add_func ("/watch/results", test_results);
    g_test_add_func ("/watch/options", test_options);
    g_test_add_func ("/watch/upright", test_upright);
    g_test_add_func ("/watch/uri", test_uri);
    g_test_add_func ("/watch/several", test_several);
    g_test_add_func ("/watch/http", test_http);
    g_test_add_func ("/watch/lost", test_lost);
    g_test_add_func ("/watch/never-there", test_never_there);
    g_test_add_func ("/watch/signals", test_signals);
    g_test_add_func ("/watch/early-signal", test_early_signal);
    g_test_add_func ("/watch/second-signal", test_second_signal);
    g_test_add_func ("/watch/reader-gone", test_reader_gone);
    g_test_add_func ("/watch/full-disk", test_full_disk);
    g_test_add_func ("/watch/terminal", test_terminal);
    g_test_add_func ("/watch/wrong-sources", test_wrong_sources);
    g_test_add_func ("/watch/cut", test_cut);
    g_test_add_func ("/watch/missing-plugin", test_missing_plugin);
    g_test_add_func ("/watch/lone-phrase", test_lone_phrase);
    g_test_add_func ("/watch/wrong-model", test_wrong_model);
    g_test_add_func ("/watch/useless-prompts", test_useless_prompts);
    g_test_add_func ("/watch/wrong-arguments", test_wrong_arguments);
    g_test_add_func ("/watch/other-score-mode", test_other_score_mode);
    status = g_test_run ();
    g_rmdir (folder);
    g_free (folder);
    g_free (clip);
    return status;
}
