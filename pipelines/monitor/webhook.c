/* altclip: an address that is told something
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "webhook.h"

#define N_TRIES 2
#define PAUSE 1000 /* ms */
/* RFC 6585, which libsoup does not name. */
#define TOO_MANY_REQUESTS 429

struct _MonitorWebhook {
    guint n_refs; /* one of it, one of each try under way */
    SoupSession *session;
    GUri *uri;
    GBytes *json;
    guint timeout;
    guint n_tries;
    gboolean late;
    GCancellable *cancellable; /* of the try under way */
    GSource *clock;
    MonitorWebhookDone done; /* NULL: it is over */
    gpointer data;
};

/* ---- Life ------------------------------------------------------------------------------------ */

static void
stop_clock (MonitorWebhook *webhook)
{
    if (webhook->clock)
        g_source_destroy (webhook->clock);
    g_clear_pointer (&webhook->clock, g_source_unref);
}

static void
start_clock (MonitorWebhook *webhook, guint time, GSourceFunc function)
{
    stop_clock (webhook);
    webhook->clock = g_timeout_source_new (time);
    g_source_set_callback (webhook->clock, function, webhook, NULL);
    g_source_attach (webhook->clock, g_main_context_get_thread_default ());
}

static void
unref (MonitorWebhook *webhook)
{
    if (--webhook->n_refs > 0)
        return;
    stop_clock (webhook);
    g_clear_object (&webhook->cancellable);
    g_object_unref (webhook->session);
    g_uri_unref (webhook->uri);
    g_bytes_unref (webhook->json);
    g_free (webhook);
}

static void
finish (MonitorWebhook *webhook, const char *failure)
{
    MonitorWebhookDone done = g_steal_pointer (&webhook->done);

    stop_clock (webhook);
    done (failure, !webhook->late, webhook->data);
    unref (webhook);
}

/* ---- A try ----------------------------------------------------------------------------------- */

static gboolean try_once (gpointer data);

static void
fail (MonitorWebhook *webhook, const char *failure, gboolean may_pass)
{
    if (may_pass && webhook->n_tries < N_TRIES)
        start_clock (webhook, PAUSE, try_once);
    else
        finish (webhook, failure);
}

static gboolean
note_late (gpointer data)
{
    MonitorWebhook *webhook = data;

    webhook->late = TRUE;
    g_cancellable_cancel (webhook->cancellable);
    return G_SOURCE_REMOVE;
}

static void
note_status (MonitorWebhook *webhook, guint status)
{
    g_autofree char *failure = g_strdup_printf ("answered %u", status);
    gboolean may_pass =
            status >= 500 || status == SOUP_STATUS_REQUEST_TIMEOUT || status == TOO_MANY_REQUESTS;

    if (SOUP_STATUS_IS_SUCCESSFUL (status))
        finish (webhook, NULL);
    else
        fail (webhook, failure, may_pass);
}

static void
note_error (MonitorWebhook *webhook, const GError *error)
{
    g_autofree char *failure = webhook->late
                                       ? g_strdup_printf ("took longer than %u s", webhook->timeout)
                                       : g_strdup (error->message);

    fail (webhook, failure, TRUE);
}

static void
note_answer (GObject *source, GAsyncResult *result, gpointer data)
{
    MonitorWebhook *webhook = data;
    g_autoptr (GError) error = NULL;
    SoupMessage *message = soup_session_get_async_result_message (SOUP_SESSION (source), result);
    g_autoptr (GInputStream) body =
            soup_session_send_finish (SOUP_SESSION (source), result, &error);

    if (!webhook->done) {
        unref (webhook);
        return;
    }
    stop_clock (webhook);
    if (body)
        note_status (webhook, soup_message_get_status (message));
    else
        note_error (webhook, error);
    unref (webhook);
}

static gboolean
try_once (gpointer data)
{
    MonitorWebhook *webhook = data;
    g_autoptr (SoupMessage) message = soup_message_new_from_uri (SOUP_METHOD_POST, webhook->uri);

    soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
    /* Of the answer no more is read than its head. */
    soup_message_headers_replace (
            soup_message_get_request_headers (message), "Connection", "close");
    soup_message_set_request_body_from_bytes (message, "application/json", webhook->json);
    g_clear_object (&webhook->cancellable);
    webhook->cancellable = g_cancellable_new ();
    webhook->late = FALSE;
    webhook->n_tries++;
    webhook->n_refs++;
    start_clock (webhook, webhook->timeout * 1000, note_late);
    soup_session_send_async (webhook->session, message, G_PRIORITY_DEFAULT, webhook->cancellable,
            note_answer, webhook);
    return G_SOURCE_REMOVE;
}

/* ---- From outside ---------------------------------------------------------------------------- */

static GUri *
parse (const char *url)
{
    g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);

    if (!uri || !g_uri_get_host (uri) || !*g_uri_get_host (uri) ||
            (g_strcmp0 (g_uri_get_scheme (uri), "http") != 0 &&
                    g_strcmp0 (g_uri_get_scheme (uri), "https") != 0))
        return NULL;
    return g_steal_pointer (&uri);
}

MonitorWebhook *
monitor_webhook_start (SoupSession *session, const char *url, GBytes *json, guint timeout,
        MonitorWebhookDone done, gpointer data, GError **error)
{
    GUri *uri = parse (url);
    MonitorWebhook *webhook;

    if (!uri) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "cannot be told: not an address of http or https");
        return NULL;
    }
    webhook = g_new0 (MonitorWebhook, 1);
    webhook->n_refs = 1;
    webhook->session = g_object_ref (session);
    webhook->uri = uri;
    webhook->json = g_bytes_ref (json);
    webhook->timeout = timeout;
    webhook->done = done;
    webhook->data = data;
    try_once (webhook);
    return webhook;
}

void
monitor_webhook_cancel (MonitorWebhook *webhook)
{
    webhook->done = NULL;
    stop_clock (webhook);
    g_cancellable_cancel (webhook->cancellable);
    unref (webhook);
}

char *
monitor_webhook_dup_name (const char *url)
{
    g_autoptr (GUri) uri = parse (url);

    if (!uri)
        return g_strdup ("an address");
    return g_uri_join (G_URI_FLAGS_NONE, g_uri_get_scheme (uri), NULL, g_uri_get_host (uri),
            g_uri_get_port (uri), "", NULL, NULL);
}
