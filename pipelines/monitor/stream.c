/* altclip-monitor: answers that do not end: live pictures, and news as Server-Sent Events
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stream.h"

#include <string.h>
#include <sys/socket.h>

#include "reply.h"

#define MAX_CLIENTS 64
#define TICK 500 /* ms */
/* µs: without taking anything, a client is gone; without news, it hears that we are there. */
#define PATIENCE (10 * G_USEC_PER_SEC)
#define SILENCE (5 * G_USEC_PER_SEC)
#define STATE_INTERVAL (2 * G_USEC_PER_SEC)
#define PICTURE_TIME (5 * G_USEC_PER_SEC)

/* Of what waits for a client: beyond the first, it hears of the cameras later; beyond the others
 * it is let go. */
#define MUCH (256 * 1024)
#define TOO_MUCH (2 * 1024 * 1024)
#define TOO_MANY 1024
/* So that pictures wait here, where a newer one takes the place of an older, not in the kernel. */
#define SEND_BUFFER (128 * 1024)
#define MAX_RESUMED 1000

#define BOUNDARY "altclip-picture"

typedef enum {
    CLIENT_NEWS,
    CLIENT_LIVE,
    CLIENT_PICTURE,
} ClientKind;

typedef struct {
    MonitorStreams *streams;
    MonitorCamera *camera;
    guint id;
    GBytes *latest; /* nullable */
    gboolean fresh; /* not sent yet */
} Look;

typedef struct {
    MonitorStreams *streams;
    ClientKind kind;
    SoupServerMessage *message;
    GPtrArray *looks; /* of a live stream or a picture */
    guint turn;       /* whose picture is next */
    GQueue waiting;   /* of GBytes: news */
    gsize n_bytes;    /* that wait */
    gboolean behind;  /* has not heard all of the cameras */
    gboolean writing;
    gint64 since; /* monotonic: the last write began or ended */

    /* While it is looked for, what the client missed, which it hears before all else. */
    GString *missed; /* nullable */
    GCancellable *cancellable;
    gint64 last_event;   /* that it has heard of, or will */
    guint64 n_announced; /* when it was looked for last */
} Client;

struct _MonitorStreams {
    MonitorStatus *status; /* not owned */
    GPtrArray *clients;
    GHashTable *described; /* camera → how it was described last */
    char *names;           /* of the cameras, as told last */
    gint64 state_told;
    guint64 n_announced;
    guint tick;
    guint pump;
};

static void
free_look (gpointer data)
{
    Look *look = data;

    monitor_camera_look_away (look->camera, look->id);
    g_object_unref (look->camera);
    g_clear_pointer (&look->latest, g_bytes_unref);
    g_free (look);
}

static void
free_client (gpointer data)
{
    Client *client = data;

    g_signal_handlers_disconnect_by_data (client->message, client);
    g_cancellable_cancel (client->cancellable);
    g_object_unref (client->cancellable);
    if (client->missed) {
        g_string_free (client->missed, TRUE);
    }
    g_ptr_array_unref (client->looks);
    g_queue_clear_full (&client->waiting, (GDestroyNotify)g_bytes_unref);
    g_object_unref (client->message);
    g_free (client);
}

static void
remove_client (Client *client)
{
    g_ptr_array_remove (client->streams->clients, client);
}

static void
on_finished (SoupServerMessage *message, Client *client)
{
    (void)message;
    remove_client (client);
}

static SoupMessageBody *
get_body (Client *client)
{
    return soup_server_message_get_response_body (client->message);
}

/* A picture with what makes a part of it; the header tells clients of several cameras whose it is.
 */
static GBytes *
wrap_picture (Look *look)
{
    g_autofree char *name =
            g_uri_escape_string (monitor_camera_get_name (look->camera), NULL, FALSE);
    GByteArray *part = g_byte_array_new ();
    gsize size;
    const guint8 *jpeg = g_bytes_get_data (look->latest, &size);
    g_autofree char *head =
            g_strdup_printf ("--" BOUNDARY "\r\nContent-Type: image/jpeg\r\n"
                             "Content-Length: %" G_GSIZE_FORMAT "\r\nX-Camera: %s\r\n\r\n",
                    size, name);

    g_byte_array_append (part, (const guint8 *)head, (guint)strlen (head));
    g_byte_array_append (part, jpeg, (guint)size);
    g_byte_array_append (part, (const guint8 *)"\r\n", 2);
    return g_byte_array_free_to_bytes (part);
}

/* (transfer full) (nullable) */
static GBytes *
take_picture (Client *client)
{
    for (guint i = 0; i < client->looks->len; i++) {
        Look *look = g_ptr_array_index (client->looks, client->turn++ % client->looks->len);

        if (look->fresh) {
            look->fresh = FALSE;
            return wrap_picture (look);
        }
    }
    return NULL;
}

static GBytes *
take_next (Client *client)
{
    GBytes *bytes;

    if (client->kind == CLIENT_LIVE) {
        return take_picture (client);
    }
    bytes = g_queue_pop_head (&client->waiting);
    if (bytes) {
        client->n_bytes -= g_bytes_get_size (bytes);
    }
    return bytes;
}

static void
write_next (Client *client)
{
    g_autoptr (GBytes) bytes = client->writing ? NULL : take_next (client);

    if (!bytes) {
        return;
    }
    client->writing = TRUE;
    client->since = g_get_monotonic_time ();
    soup_message_body_append_bytes (get_body (client), bytes);
    soup_server_message_unpause (client->message);
}

static void
on_wrote_chunk (SoupServerMessage *message, Client *client)
{
    (void)message;
    client->writing = FALSE;
    client->since = g_get_monotonic_time ();
    write_next (client);
}

/* Whatever it is about to write fails, and the message ends. */
static void
drop_client (Client *client)
{
    GSocket *socket = soup_server_message_get_socket (client->message);

    if (socket) {
        g_socket_shutdown (socket, TRUE, TRUE, NULL);
    }
    if (!client->writing) {
        soup_message_body_append_take (get_body (client), (guchar *)g_strdup ("\n"), 1);
        soup_server_message_unpause (client->message);
    }
    remove_client (client);
}

/* Whether the other side has closed the connection, which nobody would notice before the next
 * write. */
static gboolean
is_closed (Client *client)
{
    GSocket *socket = soup_server_message_get_socket (client->message);
    char byte;

    return !socket || g_socket_is_closed (socket) ||
           recv (g_socket_get_fd (socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
queue_news (Client *client, GBytes *bytes)
{
    if (client->n_bytes > TOO_MUCH || client->waiting.length > TOO_MANY) {
        drop_client (client);
        return;
    }
    g_queue_push_tail (&client->waiting, g_bytes_ref (bytes));
    client->n_bytes += g_bytes_get_size (bytes);
    write_next (client);
}

static GBytes *
format_news (const char *kind, gint64 id, const char *json)
{
    char *text = id ? g_strdup_printf (
                              "event: %s\nid: %" G_GINT64_FORMAT "\ndata: %s\n\n", kind, id, json)
                    : g_strdup_printf ("event: %s\ndata: %s\n\n", kind, json);

    return g_bytes_new_take (text, strlen (text));
}

static GBytes *
format_event (const MonitorEvent *event)
{
    json_t *json = monitor_event_to_json (event);
    g_autofree char *text = monitor_reply_dump (json);

    json_decref (json);
    return format_news ("event", event->id, text);
}

/* From the last on, since one that is let go leaves the list. */
static void
tell_all (MonitorStreams *streams, GBytes *bytes, gboolean important)
{
    for (guint i = streams->clients->len; i-- > 0;) {
        Client *client = g_ptr_array_index (streams->clients, i);

        if (client->kind != CLIENT_NEWS || client->missed) {
            continue;
        }
        if (!important && client->n_bytes > MUCH) {
            client->behind = TRUE;
            continue;
        }
        queue_news (client, bytes);
    }
}

static char *
list_names (MonitorStreams *streams)
{
    const guint n = g_list_model_get_n_items (streams->status->cameras);
    json_t *names = json_array ();
    char *text;

    for (guint i = 0; i < n; i++) {
        g_autoptr (MonitorCamera) camera = g_list_model_get_item (streams->status->cameras, i);

        json_array_append_new (names, json_string (monitor_camera_get_name (camera)));
    }
    text = monitor_reply_dump (names);
    json_decref (names);
    return text;
}

static char *
describe (MonitorCamera *camera)
{
    json_t *json = monitor_camera_describe (camera);
    char *text = monitor_reply_dump (json);

    json_decref (json);
    return text;
}

static GBytes *
format_state (MonitorStreams *streams)
{
    json_t *json = monitor_status_to_json (streams->status);
    g_autofree char *text = monitor_reply_dump (json);

    json_decref (json);
    return format_news ("state", 0, text);
}

static void
append_bytes (GString *text, GBytes *bytes)
{
    g_string_append_len (text, g_bytes_get_data (bytes, NULL), (gssize)g_bytes_get_size (bytes));
}

/* All that is, for one who has just come or has missed something. */
static void
append_everything (MonitorStreams *streams, GString *text)
{
    const guint n = g_list_model_get_n_items (streams->status->cameras);
    g_autofree char *names = list_names (streams);
    g_autoptr (GBytes) state = format_state (streams);

    g_string_append_printf (text, "retry: 2000\nevent: cameras\ndata: %s\n\n", names);
    for (guint i = 0; i < n; i++) {
        g_autoptr (MonitorCamera) camera = g_list_model_get_item (streams->status->cameras, i);
        g_autofree char *json = describe (camera);

        g_string_append_printf (text, "event: camera\ndata: %s\n\n", json);
    }
    append_bytes (text, state);
}

static void
tell_everything (Client *client)
{
    GString *text = g_string_new (NULL);
    g_autoptr (GBytes) bytes = NULL;

    client->behind = FALSE;
    append_everything (client->streams, text);
    bytes = g_string_free_to_bytes (text);
    queue_news (client, bytes);
}

static void
tell_names (MonitorStreams *streams)
{
    g_autofree char *names = list_names (streams);

    if (g_strcmp0 (names, streams->names) != 0) {
        g_autoptr (GBytes) bytes = format_news ("cameras", 0, names);

        tell_all (streams, bytes, TRUE);
        g_hash_table_remove_all (streams->described);
        g_free (streams->names);
        streams->names = g_steal_pointer (&names);
    }
}

static void
tell_cameras (MonitorStreams *streams)
{
    const guint n = g_list_model_get_n_items (streams->status->cameras);

    for (guint i = 0; i < n; i++) {
        g_autoptr (MonitorCamera) camera = g_list_model_get_item (streams->status->cameras, i);
        const char *name = monitor_camera_get_name (camera);
        g_autofree char *json = describe (camera);

        if (g_strcmp0 (json, g_hash_table_lookup (streams->described, name)) != 0) {
            g_autoptr (GBytes) bytes = format_news ("camera", 0, json);

            tell_all (streams, bytes, FALSE);
            g_hash_table_replace (streams->described, g_strdup (name), g_steal_pointer (&json));
        }
    }
}

static gboolean
has_news_clients (MonitorStreams *streams)
{
    for (guint i = 0; i < streams->clients->len; i++) {
        if (((Client *)g_ptr_array_index (streams->clients, i))->kind == CLIENT_NEWS) {
            return TRUE;
        }
    }
    return FALSE;
}

static void
tell_news (MonitorStreams *streams, gint64 now)
{
    tell_names (streams);
    tell_cameras (streams);
    if (now - streams->state_told >= STATE_INTERVAL) {
        g_autoptr (GBytes) state = format_state (streams);

        streams->state_told = now;
        tell_all (streams, state, FALSE);
    }
}

static gboolean
is_known (MonitorStreams *streams, MonitorCamera *camera)
{
    const guint n = g_list_model_get_n_items (streams->status->cameras);

    for (guint i = 0; i < n; i++) {
        g_autoptr (MonitorCamera) other = g_list_model_get_item (streams->status->cameras, i);

        if (other == camera) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Cameras that are no longer among ours. */
static void
forget_cameras (Client *client)
{
    for (guint i = client->looks->len; i-- > 0;) {
        Look *look = g_ptr_array_index (client->looks, i);

        if (!is_known (client->streams, look->camera)) {
            g_ptr_array_remove_index (client->looks, i);
        }
    }
}

static void
answer_without_picture (Client *client)
{
    soup_message_headers_replace (
            soup_server_message_get_response_headers (client->message), "Retry-After", "5");
    monitor_reply_error (client->message, SOUP_STATUS_SERVICE_UNAVAILABLE,
            "the camera has no picture at the moment");
    soup_server_message_unpause (client->message);
    remove_client (client);
}

static void
say_something (Client *client)
{
    if (client->kind == CLIENT_NEWS) {
        g_autoptr (GBytes) bytes = g_bytes_new_static (":\n\n", 3);

        queue_news (client, bytes);
        return;
    }
    for (guint i = 0; i < client->looks->len; i++) {
        Look *look = g_ptr_array_index (client->looks, i);

        look->fresh = look->latest != NULL;
    }
    write_next (client);
}

static void
look_after (Client *client, gint64 now)
{
    const gint64 idle = now - client->since;

    if (client->kind != CLIENT_NEWS) {
        forget_cameras (client);
    }
    if (is_closed (client) || (client->writing && idle > PATIENCE) ||
            (client->kind == CLIENT_LIVE && client->looks->len == 0)) {
        drop_client (client);
    } else if (client->kind == CLIENT_PICTURE) {
        if (idle > PICTURE_TIME || client->looks->len == 0) {
            answer_without_picture (client);
        }
    } else if (client->behind && client->waiting.length == 0) {
        tell_everything (client);
    } else if (!client->writing && idle > SILENCE) {
        say_something (client);
    }
}

static gboolean
on_tick (gpointer data)
{
    MonitorStreams *streams = data;
    const gint64 now = g_get_monotonic_time ();

    if (has_news_clients (streams)) {
        tell_news (streams, now);
    }
    for (guint i = streams->clients->len; i-- > 0;) {
        if (i < streams->clients->len) {
            look_after (g_ptr_array_index (streams->clients, i), now);
        }
    }
    if (streams->clients->len == 0) {
        g_hash_table_remove_all (streams->described);
        streams->tick = 0;
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static void
answer_with_picture (Client *client)
{
    Look *look = client->looks->len ? g_ptr_array_index (client->looks, 0) : NULL;

    if (look && look->fresh) {
        monitor_reply_bytes (client->message, "image/jpeg", "no-store", look->latest);
        soup_server_message_unpause (client->message);
        remove_client (client);
    }
}

static gboolean
on_pump (gpointer data)
{
    MonitorStreams *streams = data;

    streams->pump = 0;
    for (guint i = streams->clients->len; i-- > 0;) {
        Client *client = g_ptr_array_index (streams->clients, i);

        if (client->kind == CLIENT_PICTURE) {
            answer_with_picture (client);
        } else if (client->kind == CLIENT_LIVE) {
            write_next (client);
        }
    }
    return G_SOURCE_REMOVE;
}

/* Only kept: the camera is busy with its lookers, and must not lose one now. */
static void
on_picture (GBytes *jpeg, gpointer data)
{
    Look *look = data;

    g_clear_pointer (&look->latest, g_bytes_unref);
    look->latest = g_bytes_ref (jpeg);
    look->fresh = TRUE;
    if (!look->streams->pump) {
        look->streams->pump = g_idle_add_full (G_PRIORITY_DEFAULT, on_pump, look->streams, NULL);
    }
}

static void
add_look (Client *client, MonitorCamera *camera)
{
    Look *look = g_new0 (Look, 1);

    look->streams = client->streams;
    look->camera = g_object_ref (camera);
    g_ptr_array_add (client->looks, look);
    look->id = monitor_camera_look (camera, on_picture, look);
}

static Client *
add_client (MonitorStreams *streams, SoupServerMessage *message, ClientKind kind)
{
    Client *client = g_new0 (Client, 1);

    client->streams = streams;
    client->kind = kind;
    client->message = g_object_ref (message);
    client->looks = g_ptr_array_new_with_free_func (free_look);
    g_queue_init (&client->waiting);
    client->since = g_get_monotonic_time ();
    client->cancellable = g_cancellable_new ();
    g_signal_connect (message, "finished", G_CALLBACK (on_finished), client);
    g_ptr_array_add (streams->clients, client);
    if (!streams->tick) {
        streams->tick = g_timeout_add (TICK, on_tick, streams);
    }
    return client;
}

/* The answer's head, and that there is no end to it. */
static void
begin (Client *client, const char *type)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers (client->message);
    const gboolean old = soup_server_message_get_http_version (client->message) == SOUP_HTTP_1_0;
    GSocket *socket = soup_server_message_get_socket (client->message);

    soup_server_message_set_status (client->message, SOUP_STATUS_OK, NULL);
    soup_message_headers_replace (headers, "Content-Type", type);
    soup_message_headers_replace (headers, "Cache-Control", "no-store");
    soup_message_headers_replace (headers, "X-Accel-Buffering", "no");
    soup_message_headers_set_encoding (headers, old ? SOUP_ENCODING_EOF : SOUP_ENCODING_CHUNKED);
    soup_message_body_set_accumulate (get_body (client), FALSE);
    g_signal_connect (client->message, "wrote-chunk", G_CALLBACK (on_wrote_chunk), client);
    if (socket && client->kind == CLIENT_LIVE) {
        g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER, NULL);
    }
}

/**
 * monitor_streams_new:
 * @status: of the program; outlives the streams
 *
 * Returns: (transfer full): no stream yet
 */
MonitorStreams *
monitor_streams_new (MonitorStatus *status)
{
    MonitorStreams *streams = g_new0 (MonitorStreams, 1);

    streams->status = status;
    streams->clients = g_ptr_array_new_with_free_func (free_client);
    streams->described = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    return streams;
}

/**
 * monitor_streams_free:
 * @streams: (transfer full): streams
 */
void
monitor_streams_free (MonitorStreams *streams)
{
    g_ptr_array_unref (streams->clients);
    g_hash_table_unref (streams->described);
    g_clear_handle_id (&streams->tick, g_source_remove);
    g_clear_handle_id (&streams->pump, g_source_remove);
    g_free (streams->names);
    g_free (streams);
}

/**
 * monitor_streams_has_room:
 * @streams: streams
 *
 * Returns: whether one more may be added
 */
gboolean
monitor_streams_has_room (MonitorStreams *streams)
{
    return streams->clients->len < MAX_CLIENTS;
}

/**
 * monitor_streams_count:
 * @streams: streams
 *
 * Returns: how many there are
 */
guint
monitor_streams_count (MonitorStreams *streams)
{
    return streams->clients->len;
}

/* FALSE: that is more than can be told. */
static gboolean
append_missed (Client *client, GPtrArray *events)
{
    const gint64 last = client->last_event;
    guint n_new = 0;

    while (n_new < events->len &&
            ((const MonitorEvent *)g_ptr_array_index (events, n_new))->id > last) {
        n_new++;
    }
    client->last_event =
            events->len ? ((const MonitorEvent *)g_ptr_array_index (events, 0))->id : 0;
    if (n_new == MAX_RESUMED || client->last_event < last) {
        return FALSE;
    }
    while (n_new-- > 0 && client->missed->len <= TOO_MUCH) {
        g_autoptr (GBytes) event = format_event (g_ptr_array_index (events, n_new));

        append_bytes (client->missed, event);
    }
    return client->missed->len <= TOO_MUCH;
}

static void look_for_missed (Client *client);

/* What was announced while the client was away goes to it in one piece, since a client with too
 * many of them waiting is let go; "reset" where that is more than can be told. */
static void
on_missed_found (GObject *source, GAsyncResult *result, gpointer data)
{
    Client *client = data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) events = monitor_store_query_finish (result, &error);
    g_autoptr (GBytes) bytes = NULL;

    (void)source;
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return; /* and so is the client. */
    }
    if (!events || !append_missed (client, events)) {
        g_string_assign (client->missed, "event: reset\ndata: {}\n\n");
    } else if (client->n_announced != client->streams->n_announced) {
        look_for_missed (client);
        return;
    }
    append_everything (client->streams, client->missed);
    bytes = g_string_free_to_bytes (g_steal_pointer (&client->missed));
    queue_news (client, bytes);
}

static void
look_for_missed (Client *client)
{
    const MonitorQuery query = { .limit = MAX_RESUMED };

    client->n_announced = client->streams->n_announced;
    monitor_store_query_async (
            client->streams->status->store, &query, client->cancellable, on_missed_found, client);
}

/**
 * monitor_streams_add_news:
 * @streams: streams
 * @message: to answer with Server-Sent Events: event, camera, cameras, state, reset
 * @last_event: id of the last event that the client has heard of; −1: none
 */
void
monitor_streams_add_news (MonitorStreams *streams, SoupServerMessage *message, gint64 last_event)
{
    Client *client = add_client (streams, message, CLIENT_NEWS);

    begin (client, "text/event-stream; charset=utf-8");
    if (last_event >= 0 && streams->status->store) {
        client->missed = g_string_new (NULL);
        client->last_event = last_event;
        look_for_missed (client);
    } else {
        tell_everything (client);
    }
}

/**
 * monitor_streams_add_live:
 * @streams: streams
 * @message: to answer with the pictures, one after the other
 * @cameras: (element-type MonitorCamera): to look at
 */
void
monitor_streams_add_live (MonitorStreams *streams, SoupServerMessage *message, GPtrArray *cameras)
{
    Client *client = add_client (streams, message, CLIENT_LIVE);

    begin (client, "multipart/x-mixed-replace; boundary=" BOUNDARY);
    for (guint i = 0; i < cameras->len; i++) {
        add_look (client, g_ptr_array_index (cameras, i));
    }
}

/**
 * monitor_streams_add_picture:
 * @streams: streams
 * @message: to answer with the camera's next picture
 * @camera: to look at
 */
void
monitor_streams_add_picture (
        MonitorStreams *streams, SoupServerMessage *message, MonitorCamera *camera)
{
    Client *client = add_client (streams, message, CLIENT_PICTURE);

    soup_server_message_pause (message);
    add_look (client, camera);
}

/**
 * monitor_streams_announce:
 * @streams: streams
 * @event: that is in the store
 */
void
monitor_streams_announce (MonitorStreams *streams, MonitorEvent *event)
{
    streams->n_announced++;
    if (has_news_clients (streams)) {
        g_autoptr (GBytes) bytes = format_event (event);

        tell_all (streams, bytes, TRUE);
    }
}
