/* altclip: tests of altclippublish with an MQTT broker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ALTCLIP_PUBLISH_RESULTS in the environment says how many results go out while the broker is
 * killed three times; tests/publishing has it do 10000.
 */

#include "broker.h"
#include "publisher.h"
#include "rig.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define USUAL_RESULTS 900
#define N_KILLS 3

static Publisher *
new_publisher (guint port, const char *properties)
{
    g_autofree char *all = g_strdup_printf (
            "method=mqtt address=127.0.0.1:%u max-reconnect-interval=1 results=all %s", port,
            properties);

    return publisher_new (all);
}

static void
wait_until_connected (Publisher *publisher, guint n)
{
    for (guint i = 0; publisher_get_count (publisher, "connections") < n; i++) {
        fail_unless (i < 3000, "it does not connect");
        g_usleep (20000);
    }
}

GST_START_TEST (test_results_and_events)
{
    Broker *broker;
    Listener *listener;
    Publisher *publisher;
    json_t *lines;
    guint warnings;
    guint n_events;

    if (!broker_is_there ())
        return;
    broker = broker_new ("allow_anonymous true");
    broker_start (broker);
    listener = listener_new (broker, 1);
    publisher = new_publisher (broker->port, "");
    publisher_push (publisher, 100);
    publisher_end (publisher);
    n_events = publisher_count_events (publisher, &warnings);
    fail_unless_equals_int (n_events, 2 * 100 / FRAMES_A_COLOUR);
    fail_unless_equals_int (warnings, 0);
    /* At EOS all was acknowledged. */
    fail_unless_equals_uint64 (publisher_get_count (publisher, "published-events"), n_events);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "published-results"), 100);
    publisher_free (publisher);
    listener_wait_for_lines (listener, 100 + n_events);
    lines = listener_get_lines (listener);
    fail_unless_equals_int (json_array_size (lines), 100 + n_events);
    fail_unless_equals_int (count_results (lines), 100);
    expect_events (lines, n_events);
    json_decref (lines);
    listener_free (listener);
    broker_free (broker);
}
GST_END_TEST;

static guint
get_n_results (void)
{
    const char *text = g_getenv ("ALTCLIP_PUBLISH_RESULTS");

    return text ? (guint)g_ascii_strtoull (text, NULL, 10) : USUAL_RESULTS;
}

/* The first time it may tidy up. Then it stops in its tracks before it is killed, so that it never
 * acknowledges what is sent meanwhile. What it acknowledged and nobody listens to would be lost
 * with it, and be no fault of the publisher's. */
static void
push_across_a_kill (
        Publisher *publisher, Broker *broker, Listener *listener, guint round, guint n_frames)
{
    wait_until_connected (publisher, round + 1);
    listener_wait_until_subscribed (listener, round + 1);
    publisher_push (publisher, n_frames / 4);
    if (round > 0)
        broker_freeze (broker);
    publisher_push (publisher, n_frames / 4);
    broker_kill (broker, round == 0 ? SIGTERM : SIGKILL);
    publisher_push (publisher, n_frames / 4);
    broker_start (broker);
    publisher_push (publisher, n_frames - 3 * (n_frames / 4));
}

GST_START_TEST (test_broker_is_killed)
{
    const guint n_frames = get_n_results ();
    Broker *broker;
    Listener *listener;
    Publisher *publisher;
    json_t *lines;
    guint warnings;
    guint n_events;

    if (!broker_is_there ())
        return;
    broker = broker_new ("allow_anonymous true");
    broker_start (broker);
    listener = listener_new (broker, 0);
    publisher = new_publisher (broker->port, "");
    for (guint i = 0; i < N_KILLS; i++)
        push_across_a_kill (publisher, broker, listener, i, n_frames / N_KILLS);
    wait_until_connected (publisher, N_KILLS + 1);
    publisher_end (publisher);
    publisher_wait (publisher);
    n_events = publisher_count_events (publisher, &warnings);
    publisher_expect_no_delay (publisher);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "published-events"), n_events);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "dropped-events"), 0);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "dropped-results"), 0);
    fail_unless (warnings <= N_KILLS);
    listener_wait_for_events (listener, n_events);
    lines = listener_get_lines (listener);
    g_print ("# %u frames, %u kills: %u events, all there and in order, %u of them twice; %u of "
             "%" G_GUINT64_FORMAT " results\n",
            publisher->next, N_KILLS, n_events,
            (guint)json_array_size (lines) - count_results (lines) - n_events,
            count_results (lines), publisher_get_count (publisher, "results"));
    expect_events (lines, n_events);
    /* What was on the way without an acknowledgement is lost with the connection. */
    fail_unless (count_results (lines) >= publisher->next / 3);
    json_decref (lines);
    publisher_free (publisher);
    listener_free (listener);
    broker_free (broker);
}
GST_END_TEST;

/* What there is room for waits until there is a broker; that there is none is said once. */
GST_START_TEST (test_broker_comes_late)
{
    const guint n_frames = 400;
    Broker *broker;
    Listener *listener;
    Publisher *publisher;
    json_t *lines;
    guint warnings;
    guint n_events;
    guint n_kept;

    if (!broker_is_there ())
        return;
    broker = broker_new ("allow_anonymous true");
    broker_start (broker);
    listener = listener_new (broker, 0);
    broker_kill (broker, SIGTERM);
    publisher = new_publisher (broker->port, "buffer-size=65536 flush-timeout=100000000");
    publisher_push (publisher, n_frames);
    publisher_end (publisher);
    n_events = publisher_count_events (publisher, &warnings);
    /* No broker, results dropped, and some left at the end. */
    fail_unless_equals_int (warnings, 3);
    fail_unless (publisher_get_count (publisher, "dropped-results") > 0);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "dropped-events"), 0);
    fail_unless (publisher_get_count (publisher, "waiting-size") <= 65536);
    broker_start (broker);
    publisher_wait (publisher);
    n_kept = n_frames - (guint)publisher_get_count (publisher, "dropped-results");
    listener_wait_for_lines (listener, n_events + n_kept);
    lines = listener_get_lines (listener);
    expect_events (lines, n_events);
    fail_unless_equals_int (count_results (lines), n_kept);
    publisher_expect_no_delay (publisher);
    json_decref (lines);
    publisher_free (publisher);
    listener_free (listener);
    broker_free (broker);
}
GST_END_TEST;

/* One that takes connections and says nothing. */
GST_START_TEST (test_silent_broker)
{
    g_autoptr (GSocketListener) silent = g_socket_listener_new ();
    guint port = g_socket_listener_add_any_inet_port (silent, NULL, NULL);
    Publisher *publisher = new_publisher (port, "flush-timeout=100000000");
    gint64 begin = g_get_monotonic_time ();

    publisher_push (publisher, 100);
    publisher_end (publisher);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "connections"), 0);
    fail_unless (publisher_get_count (publisher, "waiting") > 0);
    publisher_expect_no_delay (publisher);
    publisher_free (publisher);
    fail_unless (g_get_monotonic_time () - begin < 20 * G_TIME_SPAN_SECOND);
    g_socket_listener_close (silent);
}
GST_END_TEST;

/* How many messages with QoS 0 are there whole. */
static guint
count_messages (const guint8 *bytes, gsize n_bytes)
{
    guint n = 0;
    gsize at = 0;

    while (at < n_bytes) {
        guint8 type = bytes[at++];
        gsize length = 0;

        for (guint shift = 0; at < n_bytes; shift += 7) {
            length |= (gsize)(bytes[at] & 127) << shift;
            if (bytes[at++] < 128)
                break;
        }
        n += type == 0x30 && length > 0 && length <= n_bytes - at;
        at += MIN (length, n_bytes - at);
    }
    return n;
}

/* What has come by its end, which is once the publisher is gone. */
static guint
read_messages (GSocket *connection)
{
    g_autoptr (GByteArray) all = g_byte_array_new ();
    char bytes[65536];
    gssize n;

    while ((n = g_socket_receive (connection, bytes, sizeof bytes, NULL, NULL)) > 0)
        g_byte_array_append (all, (const guint8 *)bytes, (guint)n);
    return count_messages (all->data, all->len);
}

/* (transfer full): with little room for what is sent to it. */
static GSocket *
new_narrow_listener (guint *port)
{
    g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
    g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
    g_autoptr (GSocketAddress) bound = NULL;
    GSocket *listener =
            g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

    fail_unless (g_socket_set_option (listener, SOL_SOCKET, SO_RCVBUF, 65536, NULL));
    fail_unless (g_socket_bind (listener, any, FALSE, NULL) && g_socket_listen (listener, NULL));
    bound = g_socket_get_local_address (listener, NULL);
    *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
    return listener;
}

/* One that lets us in and then reads nothing: what counts as published has left all the same, and
 * what is left waits. */
GST_START_TEST (test_broker_that_does_not_read)
{
    static const char connack[] = { 0x20, 2, 0, 0 };
    guint port;
    g_autoptr (GSocket) listener = new_narrow_listener (&port);
    g_autofree char *source = g_strnfill (400000, 'x');
    g_autofree char *properties = g_strdup_printf ("source=%s flush-timeout=500000000", source);
    Publisher *publisher = new_publisher (port, properties);
    g_autoptr (GSocket) connection = g_socket_accept (listener, NULL, NULL);
    guint64 published;

    fail_unless (g_socket_send (connection, connack, sizeof connack, NULL, NULL) == sizeof connack);
    wait_until_connected (publisher, 1);
    publisher_push (publisher, 30);
    publisher_end (publisher);
    published = publisher_get_count (publisher, "published-results");
    fail_unless (published > 0 && published < 30);
    publisher_free (publisher);
    fail_unless (read_messages (connection) >= published);
}
GST_END_TEST;

/* ---- Logging in ------------------------------------------------------------------------------ */

static gboolean
run (Broker *broker, const char *line)
{
    g_auto (GStrv) words = g_strsplit (line, " ", -1);
    g_autofree char *program = g_find_program_in_path (words[0]);
    int status = -1;

    return program &&
           g_spawn_sync (broker->folder, words, NULL,
                   G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                   NULL, NULL, NULL, NULL, &status, NULL) &&
           g_spawn_check_wait_status (status, NULL);
}

/* A certificate that the broker shows and the client trusts, for this host name. */
static gboolean
make_certificate (Broker *broker, const char *host)
{
    g_autofree char *line = g_strdup_printf (
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=%s -keyout key.pem "
            "-out certificate.pem",
            host);

    return run (broker, line);
}

/* (transfer full) */
static Publisher *
new_login (Broker *broker, const char *json, const char *flush_timeout)
{
    g_autofree char *path = broker_get_path (broker, "mqtt.json");
    g_autofree char *properties =
            g_strdup_printf ("mqtt-config=%s flush-timeout=%s", path, flush_timeout);
    g_autoptr (GString) text = g_string_new (json);

    g_string_replace (text, "%FOLDER%", broker->folder, 0);
    fail_unless (g_file_set_contents (path, text->str, -1, NULL));
    return new_publisher (broker->port, properties);
}

static void
expect_login (Broker *broker, const char *json)
{
    Publisher *publisher = new_login (broker, json, "60000000000");

    publisher_push (publisher, 2);
    publisher_end (publisher);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "published-events"), 2);
    publisher_free (publisher);
}

static void
expect_no_login (Broker *broker, const char *json)
{
    Publisher *publisher = new_login (broker, json, "0");

    expect_text (publisher->bus, GST_MESSAGE_WARNING, "cannot be reached");
    publisher_push (publisher, 2);
    publisher_end (publisher);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "connections"), 0);
    fail_unless_equals_uint64 (publisher_get_count (publisher, "published-events"), 0);
    publisher_free (publisher);
}

GST_START_TEST (test_password)
{
    Broker *broker;

    if (!broker_is_there ())
        return;
    broker = broker_new ("allow_anonymous false\npassword_file %FOLDER%/passwords");
    if (run (broker, "mosquitto_passwd -b -c passwords camera secret")) {
        broker_start (broker);
        expect_login (broker, "{\"username\": \"camera\", \"password\": \"secret\"}");
        /* Without a name the broker chooses one. */
        expect_login (broker, "{\"username\": \"camera\", \"password\": \"secret\", "
                              "\"client_id\": \"\"}");
        expect_no_login (broker, "{\"username\": \"camera\", \"password\": \"wrong\"}");
    } else {
        g_print ("# left out: there is no mosquitto_passwd\n");
    }
    broker_free (broker);
}
GST_END_TEST;

#define TLS_SETTINGS                      \
    "allow_anonymous true\n"              \
    "cafile %FOLDER%/certificate.pem\n"   \
    "certfile %FOLDER%/certificate.pem\n" \
    "keyfile %FOLDER%/key.pem"

GST_START_TEST (test_tls)
{
    Broker *broker;

    if (!broker_is_there ())
        return;
    broker = broker_new (TLS_SETTINGS);
    if (make_certificate (broker, "127.0.0.1")) {
        broker_start (broker);
        expect_login (broker, "{\"tls\": true, \"ca_file\": "
                              "\"%FOLDER%/certificate.pem\"}");
        /* One that the system does not trust, and none at all. */
        expect_no_login (broker, "{\"tls\": true}");
        expect_no_login (broker, "{}");
    } else {
        g_print ("# left out: there is no openssl\n");
    }
    broker_free (broker);
}
GST_END_TEST;

GST_START_TEST (test_certificate_of_another_host)
{
    Broker *broker;

    if (!broker_is_there ())
        return;
    broker = broker_new (TLS_SETTINGS);
    if (make_certificate (broker, "other.example")) {
        broker_start (broker);
        expect_no_login (broker, "{\"tls\": true, \"ca_file\": "
                                 "\"%FOLDER%/certificate.pem\"}");
        expect_login (broker, "{\"tls\": true, \"any_host_name\": true, \"ca_file\": "
                              "\"%FOLDER%/certificate.pem\"}");
    } else {
        g_print ("# left out: there is no openssl\n");
    }
    broker_free (broker);
}
GST_END_TEST;

static Suite *
mqtt_suite (void)
{
    Suite *suite = suite_create ("mqtt");
    TCase *tests = tcase_create ("mqtt");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_results_and_events);
    tcase_add_test (tests, test_broker_is_killed);
    tcase_add_test (tests, test_broker_comes_late);
    tcase_add_test (tests, test_silent_broker);
    tcase_add_test (tests, test_broker_that_does_not_read);
    tcase_add_test (tests, test_password);
    tcase_add_test (tests, test_tls);
    tcase_add_test (tests, test_certificate_of_another_host);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (mqtt);
