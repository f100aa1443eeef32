/* altclip: the element altclippublish
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-altclippublish
 * @title: altclippublish
 * @short_description: writes what altclipfilter finds, as JSON
 *
 * Behind altclipfilter, writes what begins and ends, and the results of frames,
 * as lines of JSON: to a file, to standard output, or to an MQTT broker. Frames
 * pass through untouched, and never wait: a thread of its own publishes, from a
 * buffer of limited size. When that is full, the oldest results are dropped, and
 * events only when there is no result left.
 *
 * Events come from altclipfilter as serialised custom events downstream, results
 * as the metadata on frames. Put it directly behind altclipfilter: a leaky queue
 * in between drops both.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -q videotestsrc num-buffers=60 pattern=smpte ! video/x-raw,width=640,height=480 ! altclipfilter prompts="colour bars;static noise;a black screen;a red circle" ! altclippublish results=none ! fakesink
 * ]|
 * Prints a line with `"event":"begin"` and `"label":"colour bars"`, and one with
 * its end.
 */

#include "altclippublish.h"

#include "altclipbroker.h"
#include "altclipevents.h"
#include "altcliplines.h"
#include "altclipmeta.h"

GST_DEBUG_CATEGORY_STATIC (altclip_publish_debug);
#define GST_CAT_DEFAULT altclip_publish_debug

#define DEFAULT_METHOD GST_ALTCLIP_PUBLISH_METHOD_STDOUT
#define DEFAULT_RESULTS GST_ALTCLIP_PUBLISH_RESULTS_ANALYSED
#define DEFAULT_MAX_RECONNECT_INTERVAL 30
#define DEFAULT_BUFFER_SIZE (16 * 1024 * 1024)
#define DEFAULT_FLUSH_TIMEOUT (2 * GST_SECOND)

/* How long the thread may take to end: only a look-up of a host's name takes
 * longer. It is not left alone lightly, since what it does then may meet the end
 * of the process. */
#define END_TIME (5 * G_TIME_SPAN_SECOND)

enum
{
  PROP_METHOD = 1,
  PROP_RESULTS,
  PROP_FILE_PATH,
  PROP_ADDRESS,
  PROP_TOPIC,
  PROP_MQTT_CLIENT_ID,
  PROP_MQTT_CONFIG,
  PROP_SOURCE,
  PROP_MAX_RECONNECT_INTERVAL,
  PROP_BUFFER_SIZE,
  PROP_FLUSH_TIMEOUT,
  PROP_STATS
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

#define gst_altclip_publish_parent_class parent_class
G_DEFINE_TYPE (GstAltclipPublish, gst_altclip_publish, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    altclippublish, "altclippublish", GST_RANK_NONE, GST_TYPE_ALTCLIP_PUBLISH)

#define GST_TYPE_ALTCLIP_PUBLISH_METHOD (gst_altclip_publish_method_get_type ())
static GType
gst_altclip_publish_method_get_type (void)
{
  static const GEnumValue values[] = {
      {GST_ALTCLIP_PUBLISH_METHOD_FILE,
          "Lines at the end of the file that 'file-path' names", "file"},
      {GST_ALTCLIP_PUBLISH_METHOD_STDOUT, "Lines on standard output", "stdout"},
      {GST_ALTCLIP_PUBLISH_METHOD_MQTT,
          "Messages to the MQTT broker at 'address'", "mqtt"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipPublishMethod", values));
  return type;
}

#define GST_TYPE_ALTCLIP_PUBLISH_RESULTS \
  (gst_altclip_publish_results_get_type ())
static GType
gst_altclip_publish_results_get_type (void)
{
  static const GEnumValue values[] = {
      {GST_ALTCLIP_PUBLISH_RESULTS_NONE, "Events alone", "none"},
      {GST_ALTCLIP_PUBLISH_RESULTS_ANALYSED, "Once for each analysed frame",
          "analysed"},
      {GST_ALTCLIP_PUBLISH_RESULTS_ALL, "For each frame that has results",
          "all"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipPublishResults", values));
  return type;
}

/* ---- Messages ----------------------------------------------------------- */

static void
put_warning (
    GstAltclipPublish *self, gint code, const gchar *text, const gchar *details)
{
  g_autoptr (GError) error =
      g_error_new_literal (GST_RESOURCE_ERROR, code, text);

  GST_WARNING_OBJECT (self, "%s (%s)", text, details);
  gst_altclip_outbox_put (&self->outbox,
      gst_message_new_warning (GST_OBJECT_CAST (self), error, details));
}

/* From the courier's thread, which an application's handler must not hold up. */
static void
note_trouble (gpointer user_data, const GError *error)
{
  GstAltclipPublish *self = user_data;

  put_warning (self, error->code, error->message,
      "It is tried again, less and less often. The video goes on, and what is "
      "to be published waits meanwhile, as long as there is room in "
      "buffer-size.");
  gst_altclip_outbox_send (&self->outbox, GST_ELEMENT_CAST (self));
}

static void
warn_of_loss (
    GstAltclipPublish *self, const gboolean lost[GST_ALTCLIP_RECORD_N_KINDS])
{
  if (lost[GST_ALTCLIP_RECORD_RESULT])
    put_warning (self, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
        "Results are dropped, since too many wait to be published.",
        "buffer-size is used up; the oldest results go first, and events only "
        "when there is no result left. stats counts them.");
  if (lost[GST_ALTCLIP_RECORD_EVENT])
    put_warning (self, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
        "Events are dropped, since too many wait to be published.",
        "buffer-size is used up, and there are no more results to drop. stats "
        "counts them.");
  if (lost[GST_ALTCLIP_RECORD_RESULT] || lost[GST_ALTCLIP_RECORD_EVENT])
    gst_altclip_outbox_send (&self->outbox, GST_ELEMENT_CAST (self));
}

/* ---- Starting and stopping ---------------------------------------------- */

/* Whether the streaming thread waits for nothing. */
static void
hurry (GstAltclipPublish *self, gboolean hurried)
{
  gst_altclip_spool_hurry (self->spool, hurried);
  gst_altclip_outbox_set_flushing (&self->outbox, hurried);
}

/* Returns: (transfer full) (nullable): how to publish, as the properties say */
static gpointer
new_carrier (GstAltclipPublish *self, const GstAltclipCarrier **functions,
    GError **error)
{
  GstAltclipBrokerConfig *config;

  if (self->method != GST_ALTCLIP_PUBLISH_METHOD_MQTT) {
    gboolean to_stdout = self->method == GST_ALTCLIP_PUBLISH_METHOD_STDOUT;

    *functions = gst_altclip_lines_get_carrier ();
    if (to_stdout || self->file_path != NULL)
      return gst_altclip_lines_new (to_stdout ? NULL : self->file_path, error);
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "method=file needs the property file-path");
    return NULL;
  }
  *functions = gst_altclip_broker_get_carrier ();
  config = gst_altclip_broker_config_new (
      self->address, self->topic, self->client_id, self->config_file, error);
  return config != NULL ? gst_altclip_broker_new (config, error) : NULL;
}

/* Properties that may not change now are read without the lock. */
static gboolean
gst_altclip_publish_start (GstBaseTransform *transform)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (transform);
  g_autoptr (GstAltclipSpool) spool = NULL;
  g_autoptr (GError) error = NULL;
  const GstAltclipCarrier *functions;
  GstAltclipCourier *courier = NULL;
  gpointer carrier = new_carrier (self, &functions, &error);

  spool = gst_altclip_spool_new ((gsize) MIN (self->buffer_size, G_MAXSSIZE));
  if (carrier != NULL)
    courier = gst_altclip_courier_start (spool, functions, carrier,
        self->max_reconnect_interval * G_TIME_SPAN_SECOND, note_trouble, self,
        &error);
  if (courier == NULL) {
    gst_element_message_full (GST_ELEMENT_CAST (self), GST_MESSAGE_ERROR,
        error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
        GST_FUNCTION, __LINE__);
    return FALSE;
  }

  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->spool, gst_altclip_spool_unref);
  self->spool = g_steal_pointer (&spool);
  self->courier = courier;
  GST_OBJECT_UNLOCK (self);
  self->sequence = 0;
  self->gave_up = FALSE;
  hurry (self, FALSE);
  return TRUE;
}

static gint64
get_deadline (GstAltclipPublish *self)
{
  gint64 patience;

  GST_OBJECT_LOCK (self);
  patience = (gint64) MIN (self->flush_timeout / GST_USECOND, G_MAXINT64 / 2);
  GST_OBJECT_UNLOCK (self);
  return g_get_monotonic_time () + patience;
}

static void
warn_of_rest (GstAltclipPublish *self, guint n)
{
  g_autofree gchar *text =
      g_strdup_printf ("%u results and events are not published yet.", n);

  put_warning (self, GST_RESOURCE_ERROR_WRITE, text,
      "They did not go within flush-timeout, and are lost when the element is "
      "stopped.");
}

/* Waits until all is published, but not for long, and not again for the same. */
static void
flush (GstAltclipPublish *self)
{
  GstAltclipSpoolCounts counts;
  guint left;

  gst_altclip_spool_get_counts (self->spool, &counts);
  if (counts.waiting == 0 || self->gave_up)
    return;
  gst_altclip_courier_retry (self->courier);
  left = gst_altclip_spool_wait (self->spool, get_deadline (self));
  self->gave_up = left > 0;
  if (self->gave_up)
    warn_of_rest (self, left);
}

/* The spool stays, for its counts. */
static gboolean
gst_altclip_publish_stop (GstBaseTransform *transform)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (transform);
  GstAltclipCourier *courier;

  gst_altclip_spool_hurry (self->spool, FALSE);
  flush (self);
  GST_OBJECT_LOCK (self);
  courier = g_steal_pointer (&self->courier);
  GST_OBJECT_UNLOCK (self);
  if (!gst_altclip_courier_stop (courier, g_get_monotonic_time () + END_TIME))
    GST_WARNING_OBJECT (self, "the thread that publishes ends later");
  gst_altclip_outbox_finish (&self->outbox, GST_ELEMENT_CAST (self));
  gst_altclip_recorder_reset (&self->recorder);
  return TRUE;
}

/* ---- What is published -------------------------------------------------- */

static void
put_record (GstAltclipPublish *self, GstAltclipRecord *record)
{
  gboolean lost[GST_ALTCLIP_RECORD_N_KINDS];

  GST_LOG_OBJECT (self, "%.*s", (int) MIN (record->length, 4096), record->line);
  self->gave_up = FALSE;
  gst_altclip_spool_put (self->spool, record, lost);
  gst_altclip_courier_wake (self->courier);
  warn_of_loss (self, lost);
}

static GstAltclipPublishResults
get_settings (GstAltclipPublish *self, gchar **source)
{
  GstAltclipPublishResults results;

  GST_OBJECT_LOCK (self);
  *source = g_strdup (self->source);
  results = self->results;
  GST_OBJECT_UNLOCK (self);
  return results;
}

static void
publish_event (GstAltclipPublish *self, const GstStructure *event)
{
  g_autofree gchar *source = NULL;

  get_settings (self, &source);
  put_record (self,
      gst_altclip_recorder_new_event (
          &self->recorder, event, source, &self->sequence));
}

static GstFlowReturn
gst_altclip_publish_transform_ip (
    GstBaseTransform *transform, GstBuffer *buffer)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (transform);
  g_autofree gchar *source = NULL;
  GstAltclipPublishResults results = get_settings (self, &source);
  GstAltclipRecord *record;

  if (results == GST_ALTCLIP_PUBLISH_RESULTS_NONE)
    return GST_FLOW_OK;
  record = gst_altclip_recorder_new_result (&self->recorder, buffer,
      results == GST_ALTCLIP_PUBLISH_RESULTS_ALL, source, &self->sequence);
  if (record != NULL)
    put_record (self, record);
  return GST_FLOW_OK;
}

/* ---- Events ------------------------------------------------------------- */

static gboolean
gst_altclip_publish_sink_event (GstBaseTransform *transform, GstEvent *event)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (transform);

  gst_altclip_recorder_follow (&self->recorder, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      hurry (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      hurry (self, FALSE);
      break;
    case GST_EVENT_EOS:
      flush (self);
      gst_altclip_outbox_drain (&self->outbox, GST_ELEMENT_CAST (self));
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_event_has_name (event, GST_ALTCLIP_EVENT_NAME))
        publish_event (self, gst_event_get_structure (event));
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (parent_class)->sink_event (transform, event);
}

/* A streaming thread that waits at EOS holds what stopping needs. */
static GstStateChangeReturn
gst_altclip_publish_change_state (
    GstElement *element, GstStateChange transition)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (element);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY && self->spool != NULL)
    hurry (self, TRUE);
  return GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
}

/* ---- Properties --------------------------------------------------------- */

/* With the object lock. An empty string is none. */
static void
set_string (gchar **string, const GValue *value)
{
  const gchar *text = g_value_get_string (value);

  g_free (*string);
  *string = text != NULL && *text != '\0' ? g_strdup (text) : NULL;
}

static void
gst_altclip_publish_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_METHOD:
      self->method = g_value_get_enum (value);
      break;
    case PROP_RESULTS:
      self->results = g_value_get_enum (value);
      break;
    case PROP_FILE_PATH:
      set_string (&self->file_path, value);
      break;
    case PROP_ADDRESS:
      set_string (&self->address, value);
      break;
    case PROP_TOPIC:
      set_string (&self->topic, value);
      break;
    case PROP_MQTT_CLIENT_ID:
      set_string (&self->client_id, value);
      break;
    case PROP_MQTT_CONFIG:
      set_string (&self->config_file, value);
      break;
    case PROP_SOURCE:
      set_string (&self->source, value);
      break;
    case PROP_MAX_RECONNECT_INTERVAL:
      self->max_reconnect_interval = g_value_get_uint (value);
      break;
    case PROP_BUFFER_SIZE:
      self->buffer_size = g_value_get_uint64 (value);
      break;
    case PROP_FLUSH_TIMEOUT:
      self->flush_timeout = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

/* With the object lock. */
static GstStructure *
new_stats (GstAltclipPublish *self)
{
  GstAltclipSpoolCounts counts = {{0}, {0}, {0}, 0, 0};
  guint connections = 0;
  gboolean connected = FALSE;

  if (self->spool != NULL)
    gst_altclip_spool_get_counts (self->spool, &counts);
  if (self->courier != NULL)
    connections = gst_altclip_courier_get_state (self->courier, &connected);
  return gst_structure_new ("altclip-publish-stats", "events", G_TYPE_UINT64,
      counts.put[GST_ALTCLIP_RECORD_EVENT], "results", G_TYPE_UINT64,
      counts.put[GST_ALTCLIP_RECORD_RESULT], "published-events", G_TYPE_UINT64,
      counts.published[GST_ALTCLIP_RECORD_EVENT], "published-results",
      G_TYPE_UINT64, counts.published[GST_ALTCLIP_RECORD_RESULT],
      "dropped-events", G_TYPE_UINT64, counts.dropped[GST_ALTCLIP_RECORD_EVENT],
      "dropped-results", G_TYPE_UINT64,
      counts.dropped[GST_ALTCLIP_RECORD_RESULT], "waiting", G_TYPE_UINT,
      counts.waiting, "waiting-size", G_TYPE_UINT64, (guint64) counts.size,
      "connected", G_TYPE_BOOLEAN, connected, "connections", G_TYPE_UINT,
      connections, NULL);
}

static void
gst_altclip_publish_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_METHOD:
      g_value_set_enum (value, self->method);
      break;
    case PROP_RESULTS:
      g_value_set_enum (value, self->results);
      break;
    case PROP_FILE_PATH:
      g_value_set_string (value, self->file_path);
      break;
    case PROP_ADDRESS:
      g_value_set_string (value, self->address);
      break;
    case PROP_TOPIC:
      g_value_set_string (value, self->topic);
      break;
    case PROP_MQTT_CLIENT_ID:
      g_value_set_string (value, self->client_id);
      break;
    case PROP_MQTT_CONFIG:
      g_value_set_string (value, self->config_file);
      break;
    case PROP_SOURCE:
      g_value_set_string (value, self->source);
      break;
    case PROP_MAX_RECONNECT_INTERVAL:
      g_value_set_uint (value, self->max_reconnect_interval);
      break;
    case PROP_BUFFER_SIZE:
      g_value_set_uint64 (value, self->buffer_size);
      break;
    case PROP_FLUSH_TIMEOUT:
      g_value_set_uint64 (value, self->flush_timeout);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, new_stats (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

#define FLAGS_READY \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define FLAGS_PLAYING \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_what (GObjectClass *object_class)
{
  g_object_class_install_property (object_class, PROP_METHOD,
      g_param_spec_enum ("method", "Method", "How to publish",
          GST_TYPE_ALTCLIP_PUBLISH_METHOD, DEFAULT_METHOD, FLAGS_READY));
  g_object_class_install_property (object_class, PROP_RESULTS,
      g_param_spec_enum ("results", "Results",
          "Of which frames to publish the results, beside the events",
          GST_TYPE_ALTCLIP_PUBLISH_RESULTS, DEFAULT_RESULTS, FLAGS_PLAYING));
  g_object_class_install_property (object_class, PROP_SOURCE,
      g_param_spec_string ("source", "Source",
          "What to call the stream in all that is published, for instance the "
          "camera's URI (unset: nothing)",
          NULL, FLAGS_PLAYING));
}

static void
install_where (GObjectClass *object_class)
{
  g_object_class_install_property (object_class, PROP_FILE_PATH,
      g_param_spec_string ("file-path", "File path",
          "method=file: file or named pipe that lines are appended to", NULL,
          FLAGS_READY));
  g_object_class_install_property (object_class, PROP_ADDRESS,
      g_param_spec_string ("address", "Address",
          "method=mqtt: the broker, 'host' or 'host:port' (unset: localhost; "
          "port 1883, with TLS 8883)",
          NULL, FLAGS_READY));
  g_object_class_install_property (object_class, PROP_TOPIC,
      g_param_spec_string ("topic", "Topic",
          "method=mqtt: events go to the topic 'TOPIC/events', results to "
          "'TOPIC/results' (unset: altclip)",
          NULL, FLAGS_READY));
  g_object_class_install_property (object_class, PROP_MQTT_CLIENT_ID,
      g_param_spec_string ("mqtt-client-id", "MQTT client id",
          "method=mqtt: the client's name, of which a broker takes one at a "
          "time (unset: the broker chooses one)",
          NULL, FLAGS_READY));
  g_object_class_install_property (object_class, PROP_MQTT_CONFIG,
      g_param_spec_string ("mqtt-config", "MQTT configuration",
          "method=mqtt: JSON file with username, password, tls, ca_file, "
          "certificate_file, key_file, any_host_name, address, topic, "
          "client_id; what it has goes before the properties",
          NULL, FLAGS_READY));
}

static void
install_limits (GObjectClass *object_class)
{
  g_object_class_install_property (object_class, PROP_MAX_RECONNECT_INTERVAL,
      g_param_spec_uint ("max-reconnect-interval", "Max reconnect interval",
          "Longest time in s between two tries to reach the broker, or to "
          "write a file that failed; the first is half a second, and each is "
          "twice the one before",
          1, 300, DEFAULT_MAX_RECONNECT_INTERVAL, FLAGS_READY));
  g_object_class_install_property (object_class, PROP_BUFFER_SIZE,
      g_param_spec_uint64 ("buffer-size", "Buffer size",
          "Bytes that may wait to be published; then the oldest results are "
          "dropped, and events only when there is no result left",
          0, G_MAXINT64, DEFAULT_BUFFER_SIZE, FLAGS_READY));
  g_object_class_install_property (object_class, PROP_FLUSH_TIMEOUT,
      g_param_spec_uint64 ("flush-timeout", "Flush timeout",
          "How long in ns to wait at EOS, and when stopped, until all is "
          "published",
          0, G_MAXINT64, DEFAULT_FLUSH_TIMEOUT, FLAGS_PLAYING));
  g_object_class_install_property (object_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Since READY: events and results that came, published-events and "
          "published-results, of which those events count that the broker has "
          "acknowledged, and those results that are written, dropped-events "
          "and dropped-results; waiting, and waiting-size in bytes; connected, "
          "and connections: how often it came to that",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

/* ---- The class ---------------------------------------------------------- */

static void
gst_altclip_publish_finalize (GObject *object)
{
  GstAltclipPublish *self = GST_ALTCLIP_PUBLISH (object);

  g_clear_pointer (&self->spool, gst_altclip_spool_unref);
  gst_altclip_outbox_clear (&self->outbox);
  gst_altclip_recorder_clear (&self->recorder);
  g_free (self->file_path);
  g_free (self->address);
  g_free (self->topic);
  g_free (self->client_id);
  g_free (self->config_file);
  g_free (self->source);

  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_altclip_publish_class_init (GstAltclipPublishClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      altclip_publish_debug, "altclippublish", 0, "publishing of video tags");

  object_class->set_property = gst_altclip_publish_set_property;
  object_class->get_property = gst_altclip_publish_get_property;
  object_class->finalize = gst_altclip_publish_finalize;
  install_what (object_class);
  install_where (object_class);
  install_limits (object_class);
  gst_type_mark_as_plugin_api (GST_TYPE_ALTCLIP_PUBLISH_METHOD, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ALTCLIP_PUBLISH_RESULTS, 0);

  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_altclip_publish_change_state);
  transform_class->start = GST_DEBUG_FUNCPTR (gst_altclip_publish_start);
  transform_class->stop = GST_DEBUG_FUNCPTR (gst_altclip_publish_stop);
  transform_class->sink_event =
      GST_DEBUG_FUNCPTR (gst_altclip_publish_sink_event);
  transform_class->transform_ip =
      GST_DEBUG_FUNCPTR (gst_altclip_publish_transform_ip);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "AltCLIP results publisher", "Filter/Metadata/Video",
      "Writes what altclipfilter finds as JSON: to a file, to standard output, "
      "to an MQTT broker",
      "The altclip developers");

  gst_altclip_meta_register ();
}

static void
gst_altclip_publish_init (GstAltclipPublish *self)
{
  self->method = DEFAULT_METHOD;
  self->results = DEFAULT_RESULTS;
  self->max_reconnect_interval = DEFAULT_MAX_RECONNECT_INTERVAL;
  self->buffer_size = DEFAULT_BUFFER_SIZE;
  self->flush_timeout = DEFAULT_FLUSH_TIMEOUT;
  gst_altclip_outbox_init (&self->outbox);
  gst_altclip_recorder_init (&self->recorder);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM_CAST (self), TRUE);
}
