/* altclip: a stream over HTTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GStreamer's own source (souphttpsrc 1.22 with libsoup 3) does not say why there is no connection,
 * and closes its session in one thread while reads end in another, which crashes now and then. Here
 * one thread does everything.
 */

#include "http.h"

#include <libsoup/soup.h>

#define CHUNK (64 * 1024)

typedef struct {
    GstAppSrc *source;
    char *uri, *user, *password;
    GTlsDatabase *trust;
    guint timeout;
    GCancellable *cancellable;
} Request;

static void
request_free (Request *request)
{
    gst_object_unref (request->source);
    g_free (request->uri);
    g_free (request->user);
    g_free (request->password);
    g_clear_object (&request->trust);
    g_object_unref (request->cancellable);
    g_free (request);
}

/* Once, and to nobody to whom the camera has sent us on. */
static gboolean
on_authenticate (SoupMessage *message, SoupAuth *auth, gboolean is_second_time, gpointer data)
{
    const Request *request = data;
    g_autoptr (GUri) camera = g_uri_parse (request->uri, SOUP_HTTP_URI_FLAGS, NULL);
    GUri *uri = soup_message_get_uri (message);

    if (is_second_time || soup_auth_is_for_proxy (auth) || !request->user || !camera ||
            g_ascii_strcasecmp (g_uri_get_host (camera), g_uri_get_host (uri)) != 0 ||
            g_uri_get_port (camera) != g_uri_get_port (uri) ||
            g_strcmp0 (g_uri_get_scheme (camera), g_uri_get_scheme (uri)) != 0)
        return FALSE;
    soup_auth_authenticate (auth, request->user, request->password ? request->password : "");
    return TRUE;
}

static void
post_status (const Request *request, SoupMessage *message)
{
    guint status = soup_message_get_status (message);
    const char *phrase = soup_message_get_reason_phrase (message);
    g_autofree char *text = g_utf8_make_valid (phrase ? phrase : "", -1);

    if (status == SOUP_STATUS_UNAUTHORIZED || status == SOUP_STATUS_FORBIDDEN)
        GST_ELEMENT_ERROR (request->source, RESOURCE, NOT_AUTHORIZED, ("%s", text), (NULL));
    else
        GST_ELEMENT_ERROR (request->source, RESOURCE, NOT_FOUND,
                ("the answer over HTTP is %u %s", status, text), (NULL));
}

static void
post_error (const Request *request, const GError *error)
{
    if (!g_cancellable_is_cancelled (request->cancellable))
        GST_ELEMENT_ERROR (request->source, RESOURCE, READ, ("%s", error->message), (NULL));
}

static void
pump (const Request *request, GInputStream *stream)
{
    GstFlowReturn flow = GST_FLOW_OK;

    while (flow == GST_FLOW_OK) {
        g_autoptr (GError) error = NULL;
        g_autoptr (GBytes) bytes =
                g_input_stream_read_bytes (stream, CHUNK, request->cancellable, &error);

        if (!bytes) {
            post_error (request, error);
            return;
        }
        if (g_bytes_get_size (bytes) == 0)
            flow = gst_app_src_end_of_stream (request->source) == GST_FLOW_OK ? GST_FLOW_EOS
                                                                              : GST_FLOW_ERROR;
        else
            flow = gst_app_src_push_buffer (request->source, gst_buffer_new_wrapped_bytes (bytes));
    }
}

static gpointer
run (gpointer data)
{
    Request *request = data;
    g_autoptr (SoupSession) session =
            soup_session_new_with_options ("timeout", request->timeout, NULL);
    g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_GET, request->uri);
    g_autoptr (GInputStream) stream = NULL;
    g_autoptr (GError) error = NULL;

    if (message) {
        if (request->trust)
            soup_session_set_tls_database (session, request->trust);
        g_signal_connect (message, "authenticate", G_CALLBACK (on_authenticate), request);
        stream = soup_session_send (session, message, request->cancellable, &error);
    } else {
        g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "this is no address");
    }
    if (!stream)
        post_error (request, error);
    else if (!SOUP_STATUS_IS_SUCCESSFUL (soup_message_get_status (message)))
        post_status (request, message);
    else
        pump (request, stream);
    g_clear_object (&stream);
    g_clear_object (&message);
    soup_session_abort (session);
    g_clear_object (&session);
    request_free (request);
    return NULL;
}

void
monitor_http_start (
        GstAppSrc *source, const MonitorHttpSettings *settings, GCancellable *cancellable)
{
    Request *request = g_new0 (Request, 1);

    request->source = gst_object_ref (source);
    request->uri = g_strdup (settings->uri);
    request->user = g_strdup (settings->user);
    request->password = g_strdup (settings->password);
    g_set_object (&request->trust, settings->trust);
    request->timeout = settings->timeout;
    request->cancellable = g_object_ref (cancellable);
    g_thread_unref (g_thread_new ("http", run, request));
}
