/* altclip-monitor: what each path answers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "api.h"

#include <errno.h>
#include <string.h>

#include "metrics.h"
#include "reply.h"

#define KIB ((gsize)1024)
#define SMALL (4 * KIB)
#define MAX_PROMPTS (4 * KIB * KIB)
#define MAX_LIVE 64 /* cameras in one stream */
#define DEFAULT_LIMIT 100
#define MAX_LIMIT 1000

#define RESOURCE "/altclip/monitor/"

static void
bad_request (MonitorRequest *request, const char *parameter, const char *wanted)
{
    monitor_reply_error (
            request->message, SOUP_STATUS_BAD_REQUEST, "%s: must be %s", parameter, wanted);
}

/* (transfer full) (nullable): of the path; otherwise the answer is that there is none. */
static MonitorCamera *
find_camera (MonitorRequest *request)
{
    MonitorCamera *camera = monitor_status_find_camera (request->api->status, request->item);

    if (!camera) {
        monitor_reply_error (request->message, SOUP_STATUS_NOT_FOUND, "there is no such camera");
    }
    return camera;
}

static gboolean
is_head (MonitorRequest *request)
{
    return strcmp (soup_server_message_get_method (request->message), "HEAD") == 0;
}

static void
answer_file (MonitorRequest *request, const char *file, const char *type)
{
    g_autofree char *path = g_strconcat (RESOURCE, file, NULL);
    g_autoptr (GBytes) bytes = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_autofree char *digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
    g_autofree char *tag = g_strdup_printf ("\"%.32s\"", digest);
    const char *known = soup_message_headers_get_list (
            soup_server_message_get_request_headers (request->message), "If-None-Match");

    soup_message_headers_replace (
            soup_server_message_get_response_headers (request->message), "ETag", tag);
    if (known && strstr (known, tag)) {
        soup_server_message_set_status (request->message, SOUP_STATUS_NOT_MODIFIED, NULL);
        return;
    }
    monitor_reply_bytes (request->message, type, "no-cache", bytes);
}

static void
answer_page (MonitorRequest *request)
{
    answer_file (request, "index.html", "text/html; charset=utf-8");
}

static void
answer_script (MonitorRequest *request)
{
    answer_file (request, "page.js", "text/javascript; charset=utf-8");
}

static void
answer_words (MonitorRequest *request)
{
    answer_file (request, "words.js", "text/javascript; charset=utf-8");
}

static void
answer_style (MonitorRequest *request)
{
    answer_file (request, "page.css", "text/css; charset=utf-8");
}

static void
answer_icon (MonitorRequest *request)
{
    answer_file (request, "icon.svg", "image/svg+xml");
}

static void
answer_description (MonitorRequest *request)
{
    answer_file (request, "openapi.json", "application/json");
}

/* That the main loop goes round: what a service manager asks. With trouble it is 200 too, since a
 * restart would lose the events that wait; why is told to those who have the token. */
static void
answer_health (MonitorRequest *request)
{
    g_autofree char *trouble = monitor_status_dup_trouble (request->api->status);

    monitor_reply_json (request->message, SOUP_STATUS_OK,
            json_pack ("{s:s}", "status", trouble ? "trouble" : "ok"));
}

static void
answer_metrics (MonitorRequest *request)
{
    char *text = monitor_metrics_format (
            request->api->status, monitor_streams_count (request->api->streams));
    g_autoptr (GBytes) bytes = g_bytes_new_take (text, strlen (text));

    monitor_reply_bytes (
            request->message, "text/plain; version=0.0.4; charset=utf-8", "no-store", bytes);
}

static void
answer_state (MonitorRequest *request)
{
    json_t *state = monitor_status_to_json (request->api->status);

    json_object_set_new (state, "cameras", monitor_status_list_cameras (request->api->status));
    monitor_reply_json (request->message, SOUP_STATUS_OK, state);
}

static void
answer_cameras (MonitorRequest *request)
{
    monitor_reply_json (request->message, SOUP_STATUS_OK,
            json_pack ("{s:o}", "cameras", monitor_status_list_cameras (request->api->status)));
}

static void
answer_camera (MonitorRequest *request)
{
    g_autoptr (MonitorCamera) camera = find_camera (request);

    if (camera) {
        monitor_reply_json (request->message, SOUP_STATUS_OK, monitor_camera_describe (camera));
    }
}

static void
answer_with_prompts (MonitorRequest *request, MonitorCamera *camera)
{
    g_autoptr (GError) error = NULL;
    char *text = monitor_camera_get_prompts (camera, &error);
    g_autoptr (GBytes) bytes = NULL;

    if (!text) {
        g_warning ("The prompts of %s cannot be read: %s", monitor_camera_get_name (camera),
                error->message);
        monitor_reply_error (request->message, SOUP_STATUS_INTERNAL_SERVER_ERROR,
                "the prompts cannot be read; the log says why");
        return;
    }
    bytes = g_bytes_new_take (text, strlen (text));
    monitor_reply_bytes (request->message, "application/json", "no-store", bytes);
}

static void
answer_prompts (MonitorRequest *request)
{
    g_autoptr (MonitorCamera) camera = find_camera (request);

    if (camera) {
        answer_with_prompts (request, camera);
    }
}

/* (transfer full) (nullable): the body as text; otherwise the answer says what is wrong with it. */
static char *
take_json_text (MonitorRequest *request)
{
    const char *type = soup_message_headers_get_content_type (
            soup_server_message_get_request_headers (request->message), NULL);
    SoupMessageBody *body = soup_server_message_get_request_body (request->message);
    g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
    gsize size;
    const char *data = g_bytes_get_data (bytes, &size);

    if (g_strcmp0 (type, "application/json") != 0) {
        monitor_reply_error (request->message, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
                "Content-Type: must be application/json");
        return NULL;
    }
    if (size == 0 || !g_utf8_validate_len (data, size, NULL)) {
        monitor_reply_error (
                request->message, SOUP_STATUS_BAD_REQUEST, "the body is not JSON in UTF-8");
        return NULL;
    }
    return g_strndup (data, size);
}

/* Not the caller's fault. */
static gboolean
is_ours (const GError *error)
{
    return error->domain == G_FILE_ERROR ||
           (error->domain == G_IO_ERROR && error->code != G_IO_ERROR_INVALID_DATA &&
                   error->code != G_IO_ERROR_PERMISSION_DENIED);
}

static void
change_prompts (MonitorRequest *request)
{
    g_autoptr (MonitorCamera) camera = find_camera (request);
    g_autofree char *text = camera ? take_json_text (request) : NULL;
    g_autoptr (GError) error = NULL;

    if (!text) {
        return;
    }
    if (!monitor_camera_set_prompts (camera, text, &error)) {
        monitor_reply_error (request->message,
                is_ours (error) ? SOUP_STATUS_INTERNAL_SERVER_ERROR : SOUP_STATUS_BAD_REQUEST, "%s",
                error->message);
        return;
    }
    answer_with_prompts (request, camera);
}

static void
restart_camera (MonitorRequest *request)
{
    g_autoptr (MonitorCamera) camera = find_camera (request);

    if (camera) {
        monitor_camera_stop (camera);
        monitor_camera_start (camera);
        soup_server_message_set_status (request->message, SOUP_STATUS_NO_CONTENT, NULL);
    }
}

/* Whether there is room for one more stream; otherwise the answer says so. */
static gboolean
has_room (MonitorRequest *request)
{
    if (monitor_streams_has_room (request->api->streams)) {
        return TRUE;
    }
    soup_message_headers_replace (
            soup_server_message_get_response_headers (request->message), "Retry-After", "5");
    monitor_reply_error (request->message, MONITOR_TOO_MANY_REQUESTS, "too many streams at a time");
    return FALSE;
}

static void
answer_head (MonitorRequest *request, const char *type)
{
    g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);

    monitor_reply_bytes (request->message, type, "no-store", nothing);
}

static void
answer_picture (MonitorRequest *request)
{
    g_autoptr (MonitorCamera) camera = find_camera (request);

    if (camera && is_head (request)) {
        answer_head (request, "image/jpeg");
    } else if (camera && has_room (request)) {
        monitor_streams_add_picture (request->api->streams, request->message, camera);
    }
}

static void
stream_cameras (MonitorRequest *request, GPtrArray *cameras)
{
    if (is_head (request)) {
        answer_head (request, "multipart/x-mixed-replace");
    } else if (has_room (request)) {
        monitor_streams_add_live (request->api->streams, request->message, cameras);
    }
}

static void
answer_live (MonitorRequest *request)
{
    g_autoptr (MonitorCamera) camera = find_camera (request);
    g_autoptr (GPtrArray) cameras = g_ptr_array_new ();

    if (camera) {
        g_ptr_array_add (cameras, camera);
        stream_cameras (request, cameras);
    }
}

static const char *
get_query (MonitorRequest *request)
{
    const char *query = g_uri_get_query (soup_server_message_get_uri (request->message));

    return query ? query : "";
}

/* Several cameras through one connection: browsers open six to a server, and no more. */
static void
answer_live_cameras (MonitorRequest *request)
{
    g_autoptr (GPtrArray) cameras = g_ptr_array_new_with_free_func (g_object_unref);
    GUriParamsIter iter;
    char *name, *value;

    g_uri_params_iter_init (&iter, get_query (request), -1, "&", G_URI_PARAMS_WWW_FORM);
    while (g_uri_params_iter_next (&iter, &name, &value, NULL)) {
        g_autofree char *parameter = name;
        g_autofree char *camera_name = value;
        MonitorCamera *camera = monitor_status_find_camera (request->api->status, camera_name);

        if (strcmp (parameter, "camera") != 0 || !camera || cameras->len == MAX_LIVE) {
            g_clear_object (&camera);
            bad_request (request, "camera", "the name of a camera, 1 to 64 times");
            return;
        }
        g_ptr_array_add (cameras, camera);
    }
    if (cameras->len == 0) {
        bad_request (request, "camera", "the name of a camera, 1 to 64 times");
        return;
    }
    stream_cameras (request, cameras);
}

static gboolean
parse_number (const char *text, gint64 low, gint64 high, gint64 *number)
{
    return g_ascii_string_to_signed (text, 10, low, high, number, NULL);
}

static gboolean
parse_time (const char *text, gint64 *time)
{
    g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
    g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, utc);

    if (!date) {
        return FALSE;
    }
    *time = g_date_time_to_unix (date) * G_USEC_PER_SEC + g_date_time_get_microsecond (date);
    return *time > 0;
}

/* Why not; NULL: it is part of @query, which then points into @value. */
static const char *
parse_condition (const char *name, const char *value, MonitorQuery *query)
{
    gint64 number;

    if (!g_utf8_validate (value, -1, NULL)) {
        return "in UTF-8";
    }
    if (strcmp (name, "camera") == 0) {
        query->camera = value;
    } else if (strcmp (name, "label") == 0) {
        query->label = value;
    } else if (strcmp (name, "kind") == 0) {
        query->kind = value;
        return strcmp (value, "begin") == 0 || strcmp (value, "end") == 0 ? NULL : "begin or end";
    } else if (strcmp (name, "since") == 0) {
        return parse_time (value, &query->since) ? NULL : "a time as in 2026-01-31T12:00:00Z";
    } else if (strcmp (name, "until") == 0) {
        return parse_time (value, &query->until) ? NULL : "a time as in 2026-01-31T12:00:00Z";
    } else if (strcmp (name, "before") == 0) {
        return parse_number (value, 1, G_MAXINT64, &query->before_id) ? NULL : "the id of an event";
    } else if (strcmp (name, "limit") == 0) {
        if (!parse_number (value, 1, MAX_LIMIT, &number)) {
            return "1 to 1000";
        }
        query->limit = (guint)number;
    } else {
        return "camera, label, kind, since, until, before or limit";
    }
    return NULL;
}

/* (nullable) (transfer full): the parameters, which @query points into. */
static GHashTable *
parse_query (MonitorRequest *request, MonitorQuery *query)
{
    g_autoptr (GHashTable) parameters =
            g_uri_parse_params (get_query (request), -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
    GHashTableIter iter;
    gpointer name, value;

    if (!parameters) {
        bad_request (request, "the query", "name=value&name=value in UTF-8");
        return NULL;
    }
    g_hash_table_iter_init (&iter, parameters);
    while (g_hash_table_iter_next (&iter, &name, &value)) {
        const char *wanted = parse_condition (name, value, query);

        if (wanted) {
            bad_request (request, name, wanted);
            return NULL;
        }
    }
    return g_steal_pointer (&parameters);
}

/* A request whose answer is looked for in the store, while the message is paused. */
typedef struct {
    SoupServerMessage *message;
    GCancellable *cancellable; /* cancelled: nobody waits for the answer any more */
    guint limit;               /* of events */
    gint64 id;                 /* of one event */
} Inquiry;

static Inquiry *
begin_inquiry (MonitorRequest *request)
{
    Inquiry *inquiry = g_new0 (Inquiry, 1);

    inquiry->message = g_object_ref (request->message);
    inquiry->cancellable = g_cancellable_new ();
    g_signal_connect_object (request->message, "finished", G_CALLBACK (g_cancellable_cancel),
            inquiry->cancellable, G_CONNECT_SWAPPED);
    soup_server_message_pause (request->message);
    return inquiry;
}

static gboolean
is_awaited (Inquiry *inquiry)
{
    return !g_cancellable_is_cancelled (inquiry->cancellable);
}

static void
end_inquiry (Inquiry *inquiry)
{
    if (is_awaited (inquiry)) {
        soup_server_message_unpause (inquiry->message);
    }
    g_object_unref (inquiry->message);
    g_object_unref (inquiry->cancellable);
    g_free (inquiry);
}

static void
answer_without_events (Inquiry *inquiry, const GError *error)
{
    if (is_awaited (inquiry)) {
        g_warning ("Events cannot be read: %s", error->message);
        monitor_reply_error (inquiry->message, SOUP_STATUS_INTERNAL_SERVER_ERROR,
                "events cannot be read; the log says why");
    }
}

static void
answer_with_events (Inquiry *inquiry, GPtrArray *events)
{
    json_t *list = json_array ();
    json_t *next = NULL;

    for (guint i = 0; i < events->len; i++) {
        json_array_append_new (list, monitor_event_to_json (g_ptr_array_index (events, i)));
    }
    if (events->len == inquiry->limit) {
        const MonitorEvent *last = g_ptr_array_index (events, events->len - 1);

        next = json_integer (last->id);
    }
    monitor_reply_json (inquiry->message, SOUP_STATUS_OK,
            json_pack ("{s:o, s:o}", "events", list, "next", next ? next : json_null ()));
}

static void
on_events_found (GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) events = monitor_store_query_finish (result, &error);

    (void)source;
    if (events) {
        answer_with_events (data, events);
    } else {
        answer_without_events (data, error);
    }
    end_inquiry (data);
}

static void
answer_events (MonitorRequest *request)
{
    MonitorQuery query = { .limit = DEFAULT_LIMIT };
    g_autoptr (GHashTable) parameters = parse_query (request, &query);
    Inquiry *inquiry;

    if (!parameters) {
        return;
    }
    inquiry = begin_inquiry (request);
    inquiry->limit = query.limit;
    monitor_store_query_async (
            request->api->status->store, &query, inquiry->cancellable, on_events_found, inquiry);
}

/* The id of the path; 0: there can be no such event, as the answer says. */
static gint64
parse_id (MonitorRequest *request)
{
    gint64 id;

    if (!parse_number (request->item, 1, G_MAXINT64 - 1, &id)) {
        monitor_reply_error (request->message, SOUP_STATUS_NOT_FOUND, "there is no such event");
        return 0;
    }
    return id;
}

static void
on_event_found (GObject *source, GAsyncResult *result, gpointer data)
{
    Inquiry *inquiry = data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) events = monitor_store_query_finish (result, &error);
    const MonitorEvent *event = events && events->len ? g_ptr_array_index (events, 0) : NULL;

    (void)source;
    if (!events) {
        answer_without_events (inquiry, error);
    } else if (event && event->id == inquiry->id) {
        monitor_reply_json (inquiry->message, SOUP_STATUS_OK, monitor_event_to_json (event));
    } else {
        monitor_reply_error (inquiry->message, SOUP_STATUS_NOT_FOUND, "there is no such event");
    }
    end_inquiry (inquiry);
}

static void
answer_event (MonitorRequest *request)
{
    const gint64 id = parse_id (request);
    const MonitorQuery query = { .before_id = id + 1, .limit = 1 };
    Inquiry *inquiry;

    if (!id) {
        return;
    }
    inquiry = begin_inquiry (request);
    inquiry->id = id;
    monitor_store_query_async (
            request->api->status->store, &query, inquiry->cancellable, on_event_found, inquiry);
}

static void
on_thumbnail_found (GObject *source, GAsyncResult *result, gpointer data)
{
    Inquiry *inquiry = data;
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) jpeg = monitor_store_get_thumbnail_finish (result, &error);

    (void)source;
    if (jpeg) {
        monitor_reply_bytes (
                inquiry->message, "image/jpeg", "private, max-age=86400, immutable", jpeg);
    } else if (!error) {
        monitor_reply_error (inquiry->message, SOUP_STATUS_NOT_FOUND, "there is no such thumbnail");
    } else if (is_awaited (inquiry)) {
        g_warning ("A thumbnail cannot be read: %s", error->message);
        monitor_reply_error (inquiry->message, SOUP_STATUS_INTERNAL_SERVER_ERROR,
                "the thumbnail cannot be read; the log says why");
    }
    end_inquiry (inquiry);
}

static void
answer_thumbnail (MonitorRequest *request)
{
    const gint64 id = parse_id (request);
    Inquiry *inquiry;

    if (!id) {
        return;
    }
    inquiry = begin_inquiry (request);
    monitor_store_get_thumbnail_async (
            request->api->status->store, id, inquiry->cancellable, on_thumbnail_found, inquiry);
}

static void
answer_news (MonitorRequest *request)
{
    const char *header = soup_message_headers_get_one (
            soup_server_message_get_request_headers (request->message), "Last-Event-ID");
    gint64 last = -1;

    if (header && !parse_number (header, 0, G_MAXINT64, &last)) {
        last = -1;
    }
    if (is_head (request)) {
        answer_head (request, "text/event-stream; charset=utf-8");
    } else if (has_room (request)) {
        monitor_streams_add_news (request->api->streams, request->message, last);
    }
}

static void
log_in (MonitorRequest *request)
{
    g_autofree char *text = take_json_text (request);
    json_t *json = text ? json_loads (text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *token = json_string_value (json_object_get (json, "token"));
    MonitorRefusal refusal;

    if (!text) {
        return;
    }
    if (!token) {
        bad_request (request, "token", "a string");
    } else if (monitor_access_log_in (request->api->access, request->message, token, &refusal)) {
        soup_server_message_set_status (request->message, SOUP_STATUS_NO_CONTENT, NULL);
    } else {
        monitor_reply_error (request->message, refusal.status, "%s", refusal.message);
        if (refusal.retry_after) {
            g_autofree char *seconds = g_strdup_printf ("%u", refusal.retry_after);

            soup_message_headers_replace (
                    soup_server_message_get_response_headers (request->message), "Retry-After",
                    seconds);
        }
    }
    json_decref (json);
}

static void
log_out (MonitorRequest *request)
{
    monitor_access_log_out (request->api->access, request->message);
    soup_server_message_set_status (request->message, SOUP_STATUS_NO_CONTENT, NULL);
}

static const MonitorRoute routes[] = {
    { "GET", "/", TRUE, 0, answer_page },
    { "GET", "/page.js", TRUE, 0, answer_script },
    { "GET", "/words.js", TRUE, 0, answer_words },
    { "GET", "/page.css", TRUE, 0, answer_style },
    { "GET", "/icon.svg", TRUE, 0, answer_icon },
    { "GET", "/healthz", TRUE, 0, answer_health },
    { "GET", "/metrics", FALSE, 0, answer_metrics },
    { "GET", "/api/openapi.json", TRUE, 0, answer_description },
    { "POST", "/api/login", TRUE, SMALL, log_in },
    { "POST", "/api/logout", TRUE, SMALL, log_out },
    { "GET", "/api/state", FALSE, 0, answer_state },
    { "GET", "/api/stream", FALSE, 0, answer_news },
    { "GET", "/api/live.mjpeg", FALSE, 0, answer_live_cameras },
    { "GET", "/api/cameras", FALSE, 0, answer_cameras },
    { "GET", "/api/cameras/{}", FALSE, 0, answer_camera },
    { "GET", "/api/cameras/{}/prompts", FALSE, 0, answer_prompts },
    { "PUT", "/api/cameras/{}/prompts", FALSE, MAX_PROMPTS, change_prompts },
    { "GET", "/api/cameras/{}/picture.jpg", FALSE, 0, answer_picture },
    { "GET", "/api/cameras/{}/live.mjpeg", FALSE, 0, answer_live },
    { "POST", "/api/cameras/{}/restart", FALSE, SMALL, restart_camera },
    { "GET", "/api/events", FALSE, 0, answer_events },
    { "GET", "/api/events/{}", FALSE, 0, answer_event },
    { "GET", "/api/events/{}/thumbnail.jpg", FALSE, 0, answer_thumbnail },
};

static gboolean
match (const char *pattern, const char *path, char **item)
{
    const char *hole = strstr (pattern, "{}");
    const gsize n_before = hole ? (gsize)(hole - pattern) : 0;
    const char *end;
    g_autofree char *raw = NULL;

    if (!hole) {
        return strcmp (pattern, path) == 0;
    }
    if (strncmp (pattern, path, n_before) != 0) {
        return FALSE;
    }
    end = strchrnul (path + n_before, '/');
    if (end == path + n_before || strcmp (end, hole + 2) != 0) {
        return FALSE;
    }
    raw = g_strndup (path + n_before, (gsize)(end - path) - n_before);
    g_free (*item);
    *item = g_uri_unescape_string (raw, NULL);
    return *item && g_utf8_validate (*item, -1, NULL);
}

/**
 * monitor_api_find_route:
 * @method: of a request; HEAD is as GET
 * @path: of a request, as it came: with its escapes
 * @item: (out) (nullable): what stands for {} in the path
 * @allow: (out) (nullable): the methods that there are, where the path is known but not the method
 *
 * Returns: (nullable): what answers
 */
const MonitorRoute *
monitor_api_find_route (const char *method, const char *path, char **item, char **allow)
{
    g_autoptr (GString) methods = g_string_new (NULL);

    *item = NULL;
    *allow = NULL;
    if (strcmp (method, "HEAD") == 0) {
        method = "GET";
    }
    for (gsize i = 0; i < G_N_ELEMENTS (routes); i++) {
        const MonitorRoute *route = &routes[i];

        if (!match (route->path, path, item)) {
            continue;
        }
        if (strcmp (route->method, method) == 0) {
            return route;
        }
        g_string_append_printf (methods, "%s%s%s", methods->len ? ", " : "", route->method,
                strcmp (route->method, "GET") == 0 ? ", HEAD" : "");
    }
    if (methods->len) {
        *allow = g_strdup (methods->str);
    }
    return NULL;
}
