/* altclip: the monitor's page and its HTTP interface
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Requests are judged when their headers are there, so that nobody's body is read for nothing, and
 * each connection has a time by which its request must be whole and its answer taken.
 */

#include "server.h"

#include <libsoup/soup.h>
#include <string.h>
#include <sys/socket.h>

#include "access.h"
#include "api.h"
#include "reply.h"
#include "status.h"
#include "stream.h"

#define MAX_VISITS 256 /* connections */
/* Of one address, so that who needs no token for it shuts nobody else out. */
#define MAX_VISITS_OF_ONE 192
/* s: for a request to be whole, and for its answer to be taken. */
#define PATIENCE 30
#define MIN_TOKEN 16 /* bytes, where others than this machine's may try */
/* Bytes of a body that are read; also of a refused one's, since libsoup answers after it. */
#define DISCARDED (8 * 1024 * 1024)

/* In a box with a counter, since a message may outlive what it came to. */
struct _MonitorServer {
    SoupServer *soup;
    GTlsCertificate *certificate; /* nullable */
    MonitorApi api;
    guint n_visits;
    GHashTable *addresses; /* address → how many of the visits */
    guint sampler;
};

/* One request and its answer, until libsoup lets go of the message or the connection. */
typedef struct {
    MonitorServer *server;
    SoupServerMessage *message; /* not owned: it owns us */
    char *address;
    const MonitorRoute *route;
    char *item;
    gsize n_read;
    guint deadline;
    gboolean connected;
} Visit;

static Visit *
get_visit (SoupServerMessage *message)
{
    return g_object_get_data (G_OBJECT (message), "altclip-visit");
}

/* Takes the address.
 *
 * Returns: how many there are of it now. */
static guint
count_address (MonitorServer *server, char *address, int change)
{
    guint n = GPOINTER_TO_UINT (g_hash_table_lookup (server->addresses, address)) + (guint)change;

    if (n == 0) {
        g_hash_table_remove (server->addresses, address);
        g_free (address);
    } else {
        g_hash_table_replace (server->addresses, address, GUINT_TO_POINTER (n));
    }
    return n;
}

static void
release_server (gpointer data)
{
    g_hash_table_unref (((MonitorServer *)data)->addresses);
}

static void
free_visit (gpointer data)
{
    Visit *visit = data;

    g_clear_handle_id (&visit->deadline, g_source_remove);
    visit->server->n_visits--;
    count_address (visit->server, visit->address, -1);
    g_rc_box_release_full (visit->server, release_server);
    g_free (visit->item);
    g_free (visit);
}

/* libsoup has no time limits: it sees a connection that is no more. Shut down alone, it would still
 * take in what the other side sends. */
static void
cut (SoupServerMessage *message)
{
    GSocket *socket = soup_server_message_get_socket (message);
    const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

    if (socket && !g_socket_is_closed (socket) &&
            connect (g_socket_get_fd (socket), &nowhere, sizeof nowhere) != 0) {
        g_socket_shutdown (socket, TRUE, TRUE, NULL);
    }
}

static gboolean
on_deadline (gpointer data)
{
    Visit *visit = data;

    visit->deadline = 0;
    cut (visit->message);
    return G_SOURCE_REMOVE;
}

static void
set_deadline (Visit *visit, guint seconds)
{
    g_clear_handle_id (&visit->deadline, g_source_remove);
    if (seconds) {
        visit->deadline = g_timeout_add_seconds (seconds, on_deadline, visit);
    }
}

static void
on_got_chunk (SoupServerMessage *message, GBytes *chunk, Visit *visit)
{
    visit->n_read += g_bytes_get_size (chunk);
    if (visit->n_read > DISCARDED) {
        cut (message);
    }
}

/* libsoup 3.2 forgets to let go of the message of a failed TLS handshake, which then has its
 * connection, which has it: where that reference is the last, it is nobody's. */
static gboolean
release_orphan (gpointer data)
{
    GObject *message = g_weak_ref_get (data);

    if (message && g_atomic_int_get ((gint *)&message->ref_count) == 2) {
        g_object_unref (message);
    }
    g_clear_object (&message);
    return G_SOURCE_REMOVE;
}

static void
free_weak_ref (gpointer data)
{
    g_weak_ref_clear (data);
    g_free (data);
}

static void
on_connected (SoupServerMessage *message, Visit *visit)
{
    (void)message;
    visit->connected = TRUE;
}

/* Not all messages go with their connection. */
static void
on_disconnected (SoupServerMessage *message, Visit *visit)
{
    if (!visit->connected && !soup_server_message_get_method (message)) {
        GWeakRef *orphan = g_new (GWeakRef, 1);

        g_weak_ref_init (orphan, message);
        g_idle_add_full (G_PRIORITY_DEFAULT, release_orphan, orphan, free_weak_ref);
    }
    g_signal_handlers_disconnect_by_data (message, visit);
    g_object_set_data (G_OBJECT (message), "altclip-visit", NULL);
}

static void
on_finished (SoupServerMessage *message, Visit *visit)
{
    const guint status = soup_server_message_get_status (message);

    set_deadline (visit, 0);
    if (visit->server->api.status) {
        visit->server->api.status->responses[MIN (status / 100, 5)]++;
    }
}

/* Also of a connection on which nothing was asked yet. */
static void
on_request_started (SoupServer *soup, SoupServerMessage *message, MonitorServer *server)
{
    Visit *visit = g_new0 (Visit, 1);
    guint n_of_one;

    (void)soup;
    visit->server = g_rc_box_acquire (server);
    visit->message = message;
    visit->address = monitor_access_dup_address (message);
    server->n_visits++;
    n_of_one = count_address (server, g_strdup (visit->address), 1);
    g_object_set_data_full (G_OBJECT (message), "altclip-visit", visit, free_visit);
    g_signal_connect (message, "got-chunk", G_CALLBACK (on_got_chunk), visit);
    g_signal_connect (message, "finished", G_CALLBACK (on_finished), visit);
    g_signal_connect (message, "connected", G_CALLBACK (on_connected), visit);
    g_signal_connect (message, "disconnected", G_CALLBACK (on_disconnected), visit);
    /* A connection that the other side closes between two requests stays open in libsoup 3.2. */
    soup_message_headers_replace (
            soup_server_message_get_response_headers (message), "Connection", "close");
    set_deadline (visit, PATIENCE);
    if (server->n_visits > MAX_VISITS || n_of_one > MAX_VISITS_OF_ONE) {
        cut (message);
    }
}

static void
refuse (SoupServerMessage *message, const MonitorRefusal *refusal)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

    monitor_reply_error (message, refusal->status, "%s", refusal->message);
    if (refusal->retry_after) {
        g_autofree char *seconds = g_strdup_printf ("%u", refusal->retry_after);

        soup_message_headers_replace (headers, "Retry-After", seconds);
    }
    if (refusal->status == SOUP_STATUS_UNAUTHORIZED) {
        soup_message_headers_replace (
                headers, "WWW-Authenticate", "Bearer realm=\"altclip-monitor\"");
    }
}

static gboolean
is_body_allowed (SoupServerMessage *message, const MonitorRoute *route)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
    const SoupEncoding encoding = soup_message_headers_get_encoding (headers);

    if (encoding == SOUP_ENCODING_CHUNKED) {
        monitor_reply_error (message, SOUP_STATUS_LENGTH_REQUIRED, "a body needs a Content-Length");
        return FALSE;
    }
    if (encoding == SOUP_ENCODING_CONTENT_LENGTH &&
            (guint64)soup_message_headers_get_content_length (headers) > route->max_body) {
        monitor_reply_error (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
                "the body may have %" G_GSIZE_FORMAT " bytes here", route->max_body);
        return FALSE;
    }
    return TRUE;
}

/* The headers are there. With a status set, libsoup answers, and does not keep the body. */
static void
judge (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
        gpointer data)
{
    MonitorServer *server = data;
    Visit *visit = get_visit (message);
    g_autofree char *allow = NULL;
    MonitorRefusal refusal;

    (void)soup;
    (void)query;
    monitor_reply_add_policy (message);
    visit->route = monitor_api_find_route (
            soup_server_message_get_method (message), path, &visit->item, &allow);
    /* What is not there is told only to those who may know. */
    if (!monitor_access_check (
                server->api.access, message, visit->route && visit->route->open, &refusal)) {
        refuse (message, &refusal);
        visit->route = NULL;
    } else if (allow) {
        monitor_reply_error (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "this path takes %s", allow);
        soup_message_headers_replace (
                soup_server_message_get_response_headers (message), "Allow", allow);
    } else if (!visit->route) {
        monitor_reply_error (message, SOUP_STATUS_NOT_FOUND, "there is nothing at this path");
    } else if (!is_body_allowed (message, visit->route)) {
        visit->route = NULL;
    }
}

static void
answer (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
        gpointer data)
{
    MonitorServer *server = data;
    Visit *visit = get_visit (message);
    MonitorRequest request = { &server->api, message, visit->item };
    SoupEncoding encoding;

    (void)soup;
    (void)path;
    (void)query;
    set_deadline (visit, PATIENCE);
    visit->route->answer (&request);
    encoding =
            soup_message_headers_get_encoding (soup_server_message_get_response_headers (message));
    if (encoding == SOUP_ENCODING_CHUNKED || encoding == SOUP_ENCODING_EOF) {
        set_deadline (visit, 0);
    }
}

static gboolean
sample (gpointer data)
{
    monitor_status_sample (((MonitorServer *)data)->api.status);
    return G_SOURCE_CONTINUE;
}

/* (transfer full) (nullable) */
static GInetAddress *
parse_address (const char *listen, GError **error)
{
    GInetAddress *address =
            g_strcmp0 (listen, "localhost") == 0
                    ? g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4)
                    : g_inet_address_new_from_string (listen ? listen : "127.0.0.1");

    if (!address) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "listen: '%s' is not an address: as in 127.0.0.1, 0.0.0.0 or ::", listen);
    }
    return address;
}

static gboolean
check_token (const MonitorConfiguration *configuration, GInetAddress *address, GError **error)
{
    const gsize length = configuration->token ? strlen (configuration->token) : 0;

    if (configuration->token && length == 0) {
        g_set_error_literal (
                error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "token: must not be empty");
        return FALSE;
    }
    if (g_inet_address_get_is_loopback (address) || length >= MIN_TOKEN) {
        return TRUE;
    }
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
            "listen: on %s, which others than this machine reach, a token of at least %d bytes is "
            "needed",
            configuration->listen, MIN_TOKEN);
    return FALSE;
}

static gboolean
load_certificate (
        const MonitorConfiguration *configuration, GTlsCertificate **certificate, GError **error)
{
    if (!configuration->tls_certificate) {
        return TRUE;
    }
    *certificate = g_tls_certificate_new_from_files (configuration->tls_certificate,
            configuration->tls_key ? configuration->tls_key : configuration->tls_certificate,
            error);
    if (!*certificate) {
        g_prefix_error (error, "tls_certificate %s: ", configuration->tls_certificate);
        return FALSE;
    }
    return TRUE;
}

static gboolean
start_listening (MonitorServer *server, GInetAddress *address, guint16 port, GError **error)
{
    g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new (address, port);

    /* Escapes stay, so that a name with a slash is one segment of a path. */
    server->soup = soup_server_new ("raw-paths", TRUE, "server-header", NULL, NULL);
    if (server->certificate) {
        soup_server_set_tls_certificate (server->soup, server->certificate);
    }
    g_signal_connect (server->soup, "request-started", G_CALLBACK (on_request_started), server);
    soup_server_add_early_handler (server->soup, "/", judge, server, NULL);
    soup_server_add_handler (server->soup, "/", answer, server, NULL);
    if (!soup_server_listen (server->soup, socket_address,
                server->certificate ? SOUP_SERVER_LISTEN_HTTPS : 0, error)) {
        g_autofree char *text = g_inet_address_to_string (address);

        g_prefix_error (error, "listening on %s, port %u: ", text, port);
        return FALSE;
    }
    return TRUE;
}

/**
 * monitor_server_get_port:
 * @server: a server
 *
 * Returns: the port that it listens on, also where the configuration leaves it to the system
 */
guint16
monitor_server_get_port (MonitorServer *server)
{
    g_autoslist (GUri) uris = soup_server_get_uris (server->soup);

    return uris ? (guint16)g_uri_get_port (uris->data) : 0;
}

/**
 * monitor_server_check:
 * @configuration: address, token, certificate
 * @error: what is wrong with them
 *
 * Returns: whether a server may be so; whether it can listen there only monitor_server_new() says
 */
gboolean
monitor_server_check (const MonitorConfiguration *configuration, GError **error)
{
    g_autoptr (GInetAddress) address = parse_address (configuration->listen, error);
    g_autoptr (GTlsCertificate) certificate = NULL;

    return address && check_token (configuration, address, error) &&
           load_certificate (configuration, &certificate, error);
}

/**
 * monitor_server_new:
 * @configuration: address, port, token, certificate
 * @cameras: of #MonitorCamera; may change
 * @store: events; outlives the server
 * @hooks: what events start; outlives the server
 * @error: why it cannot listen
 *
 * Returns: (transfer full) (nullable): a server that listens, in the default main context
 */
MonitorServer *
monitor_server_new (const MonitorConfiguration *configuration, GListModel *cameras,
        MonitorStore *store, MonitorHooks *hooks, GError **error)
{
    g_autoptr (GInetAddress) address = parse_address (configuration->listen, error);
    MonitorServer *server;

    if (!address || !check_token (configuration, address, error)) {
        return NULL;
    }
    server = g_rc_box_new0 (MonitorServer);
    server->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    server->api.status = monitor_status_new (configuration, cameras, store, hooks);
    server->api.streams = monitor_streams_new (server->api.status);
    if (!load_certificate (configuration, &server->certificate, error) ||
            !start_listening (server, address, configuration->port, error)) {
        monitor_server_free (server);
        return NULL;
    }
    server->api.access = monitor_access_new (
            configuration->token, monitor_server_get_port (server), server->certificate != NULL);
    server->sampler = g_timeout_add_seconds (1, sample, server);
    return server;
}

/**
 * monitor_server_announce:
 * @server: a server
 * @event: that is in the store
 */
void
monitor_server_announce (MonitorServer *server, MonitorEvent *event)
{
    monitor_streams_announce (server->api.streams, event);
}

/**
 * monitor_server_free:
 * @server: (transfer full): a server
 *
 * Whoever is still being answered is cut off.
 */
void
monitor_server_free (MonitorServer *server)
{
    g_clear_handle_id (&server->sampler, g_source_remove);
    if (server->soup) {
        soup_server_disconnect (server->soup);
    }
    g_clear_pointer (&server->api.streams, monitor_streams_free);
    g_clear_object (&server->soup);
    g_clear_object (&server->certificate);
    g_clear_pointer (&server->api.access, monitor_access_free);
    g_clear_pointer (&server->api.status, monitor_status_free);
    g_rc_box_release_full (server, release_server);
}
