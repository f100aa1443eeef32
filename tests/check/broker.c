/* altclip: an MQTT broker and who listens to it, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "broker.h"

#include "publisher.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The broker ------------------------------------------------------------------------------ */

/* (transfer full) (nullable): Debian has it where only root looks. */
static char *
find_program (void)
{
    char *path = g_find_program_in_path ("mosquitto");

    if (!path && g_file_test ("/usr/sbin/mosquitto", G_FILE_TEST_IS_EXECUTABLE))
        path = g_strdup ("/usr/sbin/mosquitto");
    return path;
}

gboolean
broker_is_there (void)
{
    g_autofree char *path = find_program ();

    if (!path)
        g_print ("# left out: there is no MQTT broker, for which the package mosquitto is\n");
    return path != NULL;
}

static int
open_socket (struct sockaddr_in *address, guint port)
{
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    fail_unless (fd >= 0);
    *address = (struct sockaddr_in){ .sin_family = AF_INET,
        .sin_port = htons ((guint16)port),
        .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    return fd;
}

guint
find_free_port (void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = open_socket (&address, 0);

    fail_unless (bind (fd, (struct sockaddr *)&address, sizeof address) == 0);
    fail_unless (getsockname (fd, (struct sockaddr *)&address, &length) == 0);
    close (fd);
    return ntohs (address.sin_port);
}

char *
broker_get_path (Broker *broker, const char *name)
{
    return g_build_filename (broker->folder, name, NULL);
}

/* What it has forwarded is on its way before the publisher hears of it, however many that are. */
static void
write_settings (Broker *broker, const char *settings)
{
    g_autoptr (GString) text = g_string_new (NULL);
    g_autofree char *path = broker_get_path (broker, "mosquitto.conf");

    g_string_printf (text,
            "listener %u 127.0.0.1\n"
            "persistence true\n"
            "persistence_location %%FOLDER%%/\n"
            "autosave_on_changes true\n"
            "autosave_interval 1\n"
            "max_inflight_messages 0\n"
            "max_queued_messages 0\n"
            "queue_qos0_messages true\n"
            "log_dest file %%FOLDER%%/log\n"
            "%s%s\n",
            broker->port, geteuid () == 0 ? "user root\n" : "", settings);
    g_string_replace (text, "%FOLDER%", broker->folder, 0);
    fail_unless (g_file_set_contents (path, text->str, -1, NULL));
}

Broker *
broker_new (const char *settings)
{
    Broker *broker = g_new0 (Broker, 1);

    broker->folder = g_dir_make_tmp ("altclip-broker-XXXXXX", NULL);
    fail_unless (broker->folder != NULL);
    broker->port = find_free_port ();
    write_settings (broker, settings);
    return broker;
}

static gboolean
takes_connections (Broker *broker)
{
    struct sockaddr_in address;
    int fd = open_socket (&address, broker->port);
    gboolean takes = connect (fd, (struct sockaddr *)&address, sizeof address) == 0;

    close (fd);
    return takes;
}

void
broker_start (Broker *broker)
{
    g_autofree char *program = find_program ();
    g_autofree char *path = broker_get_path (broker, "mosquitto.conf");
    const char *arguments[] = { program, "-c", path, NULL };
    g_autoptr (GError) error = NULL;

    g_spawn_async (NULL, (char **)arguments, NULL,
            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
            NULL, NULL, &broker->process, &error);
    g_assert_no_error (error);
    for (guint i = 0; !takes_connections (broker); i++) {
        fail_unless (i < 1500, "the broker does not start");
        fail_unless (waitpid (broker->process, NULL, WNOHANG) == 0, "the broker has ended");
        g_usleep (20000);
    }
}

void
broker_freeze (Broker *broker)
{
    fail_unless (kill (broker->process, SIGSTOP) == 0);
    fail_unless (waitpid (broker->process, NULL, WUNTRACED) == broker->process);
}

void
broker_kill (Broker *broker, int signal)
{
    kill (broker->process, signal);
    fail_unless (waitpid (broker->process, NULL, 0) == broker->process);
    g_spawn_close_pid (broker->process);
    broker->process = 0;
}

void
broker_free (Broker *broker)
{
    g_autoptr (GDir) dir = g_dir_open (broker->folder, 0, NULL);
    const char *name;

    if (broker->process)
        broker_kill (broker, SIGTERM);
    while ((name = g_dir_read_name (dir))) {
        g_autofree char *path = broker_get_path (broker, name);

        g_unlink (path);
    }
    g_rmdir (broker->folder);
    g_free (broker->folder);
    g_free (broker);
}

/* ---- Who listens ----------------------------------------------------------------------------- */

/* A client for events and one for results: with these on the same connection, events would wait in
 * the broker behind them, acknowledged and yet lost when it is killed. Nor may a client acknowledge
 * anything where that matters: what waits to be read is lost once it cannot write any more. */
enum { EVENTS, RESULTS, N_CLIENTS };

typedef struct {
    Listener *listener;
    struct mosquitto *client;
    const char *topic;
    guint n_subscribed; /* with the listener's lock */
} Client;

struct _Listener {
    int qos;
    Client clients[N_CLIENTS];
    GMutex lock;
    GCond changed;
    json_t *lines;
    guint64 last; /* sequence of the last new event */
    guint n_events;
};

static void
on_connect (struct mosquitto *mosquitto, void *data, int code)
{
    Client *client = data;

    if (code == 0)
        mosquitto_subscribe (mosquitto, NULL, client->topic, client->listener->qos);
}

static void
on_subscribe (struct mosquitto *mosquitto G_GNUC_UNUSED, void *data, int id G_GNUC_UNUSED,
        int n G_GNUC_UNUSED, const int *granted G_GNUC_UNUSED)
{
    Client *client = data;

    g_mutex_lock (&client->listener->lock);
    client->n_subscribed++;
    g_cond_broadcast (&client->listener->changed);
    g_mutex_unlock (&client->listener->lock);
}

static void
on_message (struct mosquitto *mosquitto G_GNUC_UNUSED, void *data,
        const struct mosquitto_message *message)
{
    Listener *listener = ((Client *)data)->listener;
    json_t *line = json_loadb (message->payload, (size_t)message->payloadlen, 0, NULL);
    gboolean to_events = g_str_equal (message->topic, "altclip/events");

    g_assert (line != NULL && is_event (line) == to_events);
    g_assert (message->qos == (to_events ? listener->qos : 0) && !message->retain);
    g_mutex_lock (&listener->lock);
    if (is_event (line) && get_sequence (line) > listener->last) {
        listener->last = get_sequence (line);
        listener->n_events++;
    }
    json_array_append_new (listener->lines, line);
    g_cond_broadcast (&listener->changed);
    g_mutex_unlock (&listener->lock);
}

static void
client_start (Client *client, Listener *listener, const char *topic, guint port)
{
    client->listener = listener;
    client->topic = topic;
    client->client = mosquitto_new (topic, false, client);
    mosquitto_connect_callback_set (client->client, on_connect);
    mosquitto_subscribe_callback_set (client->client, on_subscribe);
    mosquitto_message_callback_set (client->client, on_message);
    mosquitto_reconnect_delay_set (client->client, 1, 1, false);
    fail_unless (mosquitto_connect (client->client, "127.0.0.1", (int)port, 10) == 0);
    fail_unless (mosquitto_loop_start (client->client) == 0);
}

static void
client_stop (Client *client)
{
    mosquitto_disconnect (client->client);
    mosquitto_loop_stop (client->client, true);
    mosquitto_destroy (client->client);
}

Listener *
listener_new (Broker *broker, int qos)
{
    Listener *listener = g_new0 (Listener, 1);

    listener->qos = qos;
    g_mutex_init (&listener->lock);
    g_cond_init (&listener->changed);
    listener->lines = json_array ();
    mosquitto_lib_init ();
    client_start (&listener->clients[EVENTS], listener, "altclip/events", broker->port);
    client_start (&listener->clients[RESULTS], listener, "altclip/results", broker->port);
    listener_wait_until_subscribed (listener, 1);
    return listener;
}

void
listener_free (Listener *listener)
{
    for (guint i = 0; i < N_CLIENTS; i++)
        client_stop (&listener->clients[i]);
    json_decref (listener->lines);
    g_cond_clear (&listener->changed);
    g_mutex_clear (&listener->lock);
    g_free (listener);
}

static gboolean
is_subscribed (Listener *listener, guint n)
{
    return listener->clients[EVENTS].n_subscribed >= n &&
           listener->clients[RESULTS].n_subscribed >= n;
}

void
listener_wait_until_subscribed (Listener *listener, guint n)
{
    gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
    gboolean done;

    g_mutex_lock (&listener->lock);
    while (!is_subscribed (listener, n) &&
            g_cond_wait_until (&listener->changed, &listener->lock, deadline))
        ;
    done = is_subscribed (listener, n);
    g_mutex_unlock (&listener->lock);
    fail_unless (done, "the listener does not connect");
}

json_t *
listener_get_lines (Listener *listener)
{
    json_t *lines;

    g_mutex_lock (&listener->lock);
    lines = json_copy (listener->lines);
    g_mutex_unlock (&listener->lock);
    return lines;
}

static void
wait_for_lines (Listener *listener, guint n_events, gsize n_lines)
{
    gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
    gsize n;
    guint got;

    g_mutex_lock (&listener->lock);
    while ((listener->n_events < n_events || json_array_size (listener->lines) < n_lines) &&
            g_cond_wait_until (&listener->changed, &listener->lock, deadline))
        ;
    got = listener->n_events;
    n = json_array_size (listener->lines);
    g_mutex_unlock (&listener->lock);
    fail_unless (got >= n_events, "of %u events %u came", n_events, got);
    fail_unless (n >= n_lines, "of %" G_GSIZE_FORMAT " lines %" G_GSIZE_FORMAT " came", n_lines, n);
}

void
listener_wait_for_events (Listener *listener, guint n)
{
    wait_for_lines (listener, n, 0);
}

void
listener_wait_for_lines (Listener *listener, guint n)
{
    wait_for_lines (listener, 0, n);
}
