/* altclip: records as messages of MQTT
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipbroker.h"

#if HAVE_LIBMOSQUITTO

#include <errno.h>
#include <mosquitto.h>

/* How long a broker may take to let us in. */
#define CONNECT_TIME (10 * G_TIME_SPAN_SECOND)

/* How soon a connection that went away silently is noticed, in seconds. */
#define KEEPALIVE 10

/* Records on their way: less than what libmosquitto, and brokers with their
 * defaults, allow. */
#define MAX_IN_FLIGHT 16

/* So many messages at most, before the courier looks whether it is to stop. */
#define MESSAGES_AT_ONCE 64

struct _GstAltclipBroker
{
  GstAltclipBrokerConfig *config;
  gchar *topics[GST_ALTCLIP_RECORD_N_KINDS];

  struct mosquitto *client;
  gint64 connect_by;
  gboolean connected;
  gint refusal; /* of the broker's, as in CONNACK */
  gboolean is_lost;

  /* Begun and not through, in order, and the one who keeps them. */
  GQueue in_flight;
  GstAltclipSpool *spool;
};

typedef struct
{
  GstAltclipRecord *record;
  int id;
} Message;

/* ---- What libmosquitto tells -------------------------------------------- */

static void
on_connect (struct mosquitto *client, void *user_data, int code)
{
  GstAltclipBroker *broker = user_data;

  (void) client;
  broker->connected = code == 0;
  broker->refusal = code;
}

static void
on_disconnect (struct mosquitto *client, void *user_data, int code)
{
  GstAltclipBroker *broker = user_data;

  (void) client, (void) code;
  broker->is_lost = TRUE;
}

/* An event is acknowledged, or a result written. */
static void
on_publish (struct mosquitto *client, void *user_data, int id)
{
  GstAltclipBroker *broker = user_data;
  GList *link;

  (void) client;
  for (link = broker->in_flight.head; link != NULL; link = link->next) {
    Message *message = link->data;

    if (message->id == id) {
      g_queue_delete_link (&broker->in_flight, link);
      gst_altclip_spool_finish (broker->spool, message->record);
      g_free (message);
      return;
    }
  }
}

/* ---- Connecting --------------------------------------------------------- */

static gboolean
set_error (GstAltclipBroker *broker, int code, GError **error)
{
  const gchar *reason =
      code == MOSQ_ERR_ERRNO ? g_strerror (errno) : mosquitto_strerror (code);

  if (broker->refusal != 0)
    reason = mosquitto_connack_string (broker->refusal);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "The MQTT broker at %s cannot be reached: %s", broker->config->host,
      reason);
  return FALSE;
}

/* A key with a password: else OpenSSL would ask for it on the terminal. */
static int
give_no_password (char *buffer, int size, int is_writing, void *user_data)
{
  (void) buffer, (void) size, (void) is_writing, (void) user_data;
  return 0;
}

static int
set_up_tls (struct mosquitto *client, const GstAltclipBrokerConfig *config)
{
  int code;

  if (!config->tls)
    return MOSQ_ERR_SUCCESS;
  if (config->ca_file == NULL)
    code = mosquitto_int_option (client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
  else
    code = mosquitto_tls_set (client, config->ca_file, NULL,
        config->certificate_file, config->key_file, give_no_password);
  if (code == MOSQ_ERR_SUCCESS && config->any_host_name)
    code = mosquitto_tls_insecure_set (client, true);
  return code;
}

/* Returns: (transfer full) (nullable): a client that is not connected yet. What
 * an earlier one still had to send is the spool's. */
static struct mosquitto *
new_client (GstAltclipBroker *broker, int *code)
{
  const GstAltclipBrokerConfig *config = broker->config;
  struct mosquitto *client = mosquitto_new (config->client_id, true, broker);

  *code = MOSQ_ERR_ERRNO;
  if (client == NULL)
    return NULL;
  *code = mosquitto_int_option (
      client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
  if (*code == MOSQ_ERR_SUCCESS && config->username != NULL)
    *code =
        mosquitto_username_pw_set (client, config->username, config->password);
  if (*code == MOSQ_ERR_SUCCESS)
    *code = set_up_tls (client, config);
  if (*code != MOSQ_ERR_SUCCESS) {
    mosquitto_destroy (client);
    return NULL;
  }
  mosquitto_connect_callback_set (client, on_connect);
  mosquitto_disconnect_callback_set (client, on_disconnect);
  mosquitto_publish_callback_set (client, on_publish);
  return client;
}

static gboolean
broker_open (gpointer carrier, GError **error)
{
  GstAltclipBroker *broker = carrier;
  const GstAltclipBrokerConfig *config = broker->config;
  int code;

  broker->connected = FALSE;
  broker->is_lost = FALSE;
  broker->refusal = 0;
  broker->connect_by = g_get_monotonic_time () + CONNECT_TIME;
  broker->client = new_client (broker, &code);
  if (broker->client != NULL)
    code = mosquitto_connect_async (
        broker->client, config->host, (int) config->port, KEEPALIVE);
  if (code == MOSQ_ERR_SUCCESS)
    return TRUE;
  set_error (broker, code, error);
  g_clear_pointer (&broker->client, mosquitto_destroy);
  return FALSE;
}

/* What is not through may have got lost. */
static void
broker_close (gpointer carrier, GstAltclipSpool *spool)
{
  GstAltclipBroker *broker = carrier;
  Message *message;

  if (broker->connected && !broker->is_lost)
    mosquitto_disconnect (broker->client);
  g_clear_pointer (&broker->client, mosquitto_destroy);
  broker->connected = FALSE;
  while ((message = g_queue_pop_tail (&broker->in_flight)) != NULL) {
    gst_altclip_spool_put_back (spool, message->record);
    g_free (message);
  }
}

/* ---- Sending ------------------------------------------------------------ */

static int
send_record (GstAltclipBroker *broker, GstAltclipRecord *record)
{
  Message *message = g_new0 (Message, 1);

  message->record = record;
  /* First, so that whatever becomes of it, it is kept. */
  g_queue_push_tail (&broker->in_flight, message);
  return mosquitto_publish (broker->client, &message->id,
      broker->topics[record->kind], (int) record->length, record->line,
      record->kind == GST_ALTCLIP_RECORD_EVENT ? 1 : 0, false);
}

/* What the connection has no room for stays in the spool, whose size is
 * limited. */
static gboolean
has_room (GstAltclipBroker *broker)
{
  return broker->connected && !broker->is_lost
      && !mosquitto_want_write (broker->client)
      && g_queue_get_length (&broker->in_flight) < MAX_IN_FLIGHT;
}

static int
send_records (GstAltclipBroker *broker, gboolean *more)
{
  int code = MOSQ_ERR_SUCCESS;
  guint i;

  *more = FALSE;
  for (i = 0; code == MOSQ_ERR_SUCCESS && has_room (broker); i++) {
    GstAltclipRecord *record;

    *more = i == MESSAGES_AT_ONCE;
    record = *more ? NULL : gst_altclip_spool_take (broker->spool);
    if (record == NULL)
      break;
    code = send_record (broker, record);
  }
  return code;
}

/* ---- The connection ----------------------------------------------------- */

/* Encrypted data may have been read that poll knows nothing of: all that may be
 * there is asked for in any case. */
static int
read_answers (GstAltclipBroker *broker, gushort events)
{
  gboolean tls = broker->config->tls && broker->connected;
  gboolean readable = (events & (G_IO_IN | G_IO_HUP | G_IO_ERR)) != 0;
  guint n = tls ? MAX_IN_FLIGHT + 1 : readable;
  int code = MOSQ_ERR_SUCCESS;

  for (; code == MOSQ_ERR_SUCCESS && n > 0; n--)
    code = mosquitto_loop_read (broker->client, 1);
  return code;
}

static int
exchange (GstAltclipBroker *broker, gushort events)
{
  int code = read_answers (broker, events);

  if (code == MOSQ_ERR_SUCCESS && (events & G_IO_OUT) != 0)
    code = mosquitto_loop_write (broker->client, 1);
  if (code == MOSQ_ERR_SUCCESS)
    code = mosquitto_loop_misc (broker->client);
  if (code == MOSQ_ERR_SUCCESS && broker->refusal != 0)
    code = MOSQ_ERR_CONN_REFUSED;
  if (code == MOSQ_ERR_SUCCESS && broker->is_lost)
    code = MOSQ_ERR_CONN_LOST;
  if (code == MOSQ_ERR_SUCCESS && !broker->connected
      && g_get_monotonic_time () > broker->connect_by) {
    errno = ETIMEDOUT;
    code = MOSQ_ERR_ERRNO;
  }
  return code;
}

static gboolean
broker_work (
    gpointer carrier, GstAltclipSpool *spool, GPollFD *poll, GError **error)
{
  GstAltclipBroker *broker = carrier;
  gboolean more = FALSE;
  int code;

  broker->spool = spool;
  code = exchange (broker, poll->revents);
  if (code == MOSQ_ERR_SUCCESS)
    code = send_records (broker, &more);
  if (code != MOSQ_ERR_SUCCESS)
    return set_error (broker, code, error);
  *poll = (GPollFD){.fd = mosquitto_socket (broker->client), .events = G_IO_IN};
  if (more || mosquitto_want_write (broker->client))
    poll->events |= G_IO_OUT;
  return TRUE;
}

static gboolean
broker_is_up (gpointer carrier)
{
  const GstAltclipBroker *broker = carrier;

  return broker->connected;
}

static void
broker_free (gpointer carrier)
{
  GstAltclipBroker *broker = carrier;
  guint i;

  for (i = 0; i < GST_ALTCLIP_RECORD_N_KINDS; i++)
    g_free (broker->topics[i]);
  gst_altclip_broker_config_free (broker->config);
  g_free (broker);
}

/* ---- Its owner ---------------------------------------------------------- */

/* Never undone: other users of the library in the process would lose it. */
static void
initialise_library (void)
{
  static gsize initialised = 0;

  if (g_once_init_enter (&initialised)) {
    mosquitto_lib_init ();
    g_once_init_leave (&initialised, 1);
  }
}

GstAltclipBroker *
gst_altclip_broker_new (GstAltclipBrokerConfig *config, GError **error)
{
  GstAltclipBroker *broker = g_new0 (GstAltclipBroker, 1);
  int code;

  initialise_library ();
  broker->config = config;
  broker->topics[GST_ALTCLIP_RECORD_EVENT] =
      g_strconcat (config->topic, "/events", NULL);
  broker->topics[GST_ALTCLIP_RECORD_RESULT] =
      g_strconcat (config->topic, "/results", NULL);
  g_queue_init (&broker->in_flight);

  /* Certificates that cannot be read do not get better by waiting. */
  broker->client = new_client (broker, &code);
  if (broker->client == NULL) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "MQTT cannot be set up: %s",
        code == MOSQ_ERR_INVAL && config->ca_file != NULL
            ? "a certificate or key cannot be read"
            : mosquitto_strerror (code));
    g_clear_pointer (&broker, broker_free);
    return NULL;
  }
  g_clear_pointer (&broker->client, mosquitto_destroy);
  return broker;
}

const GstAltclipCarrier *
gst_altclip_broker_get_carrier (void)
{
  static const GstAltclipCarrier carrier = {
      broker_open, broker_work, broker_close, broker_is_up, broker_free};

  return &carrier;
}

#else

GstAltclipBroker *
gst_altclip_broker_new (GstAltclipBrokerConfig *config, GError **error)
{
  gst_altclip_broker_config_free (config);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "method=mqtt is not there: altclip was built without libmosquitto");
  return NULL;
}

const GstAltclipCarrier *
gst_altclip_broker_get_carrier (void)
{
  return NULL;
}

#endif
