/* altclip: one life of a camera's pipeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "connection.h"

#include "address.h"
#include "extent.h"
#include "gate.h"
#include "picture.h"
#include "source.h"
#include "trust.h"

#include <gio/gio.h>
#include <gst/video/video.h>
#include <string.h>

/* Frames are kept until it is known whether they confirmed something: so many, so far apart. */
#define KEPT_FRAMES 8
#define KEPT_DISTANCE (100 * GST_MSECOND)

#define THUMBNAIL_WIDTH 320
/* That wait to be made. */
#define MAX_PICTURES 64

/* Of a reason or a warning, bytes. */
#define MAX_TOLD 500

/* Longest time without results that altclipfilter allows by itself. */
#define MAX_AGE (5 * GST_SECOND)

struct _MonitorConnection {
    gatomicrefcount references;
    MonitorTrust *trust; /* (nullable): where there is TLS, made before the pipeline starts */
    char *name, *uri, *user, *password;
    char *region, *certificate, *prompts, *negative_prompts, *prompts_file;
    char *model, *precision, *mqtt_address, *mqtt_config;
    gboolean udp;
    guint64 interval;
    guint threads;
    MonitorConnectionCallbacks callbacks;
    GObject *data;

    gint looking;     /* atomic */
    gint has_failed;  /* atomic */
    gint has_encoded; /* atomic: whether a decoder was fed */
    MonitorGate gate; /* of the decoder's thread */

    GMutex lock;
    GCond cond;
    gboolean closing;
    GstElement *filter; /* while the pipeline is there */
    MonitorConnectionStats stats;
    GQueue frames;  /* of GstSample, the newest last */
    GValue results; /* the newest, of a message */
    gboolean has_results;
};

/* What happens to be told in the main context. */
typedef enum { PLAYING, FAILED, WARNED, RESULTS, EVENT, ENDED } Kind;

typedef struct {
    MonitorConnection *connection;
    Kind kind;
    MonitorFailure failure;
    char *text;
    MonitorEvent *event;
} Notice;

/* What the thread for pictures does: an event, or when all before are through, the end. */
typedef struct {
    MonitorConnection *connection;
    GstStructure *structure; /* (nullable) */
    GstSample *sample;       /* (nullable) */
} Task;

/* ---- References ----------------------------------------------------------------------------- */

MonitorConnection *
monitor_connection_ref (MonitorConnection *connection)
{
    g_atomic_ref_count_inc (&connection->references);
    return connection;
}

void
monitor_connection_unref (MonitorConnection *connection)
{
    if (!g_atomic_ref_count_dec (&connection->references))
        return;
    g_free (connection->name);
    g_free (connection->uri);
    g_free (connection->user);
    g_free (connection->password);
    g_free (connection->region);
    g_free (connection->certificate);
    g_free (connection->prompts);
    g_free (connection->negative_prompts);
    g_free (connection->prompts_file);
    g_free (connection->model);
    g_free (connection->precision);
    g_free (connection->mqtt_address);
    g_free (connection->mqtt_config);
    if (connection->has_results)
        g_value_unset (&connection->results);
    g_queue_clear_full (&connection->frames, (GDestroyNotify)gst_sample_unref);
    g_clear_object (&connection->trust);
    g_clear_object (&connection->data);
    g_mutex_clear (&connection->lock);
    g_cond_clear (&connection->cond);
    g_free (connection);
}

static void
unref_connection (gpointer data)
{
    monitor_connection_unref (data);
}

/* ---- Telling the main context --------------------------------------------------------------- */

static void
notice_free (gpointer data)
{
    Notice *notice = data;

    monitor_connection_unref (notice->connection);
    g_clear_pointer (&notice->event, monitor_event_unref);
    g_free (notice->text);
    g_free (notice);
}

static void
deliver_results (MonitorConnection *connection)
{
    GValue results = G_VALUE_INIT;
    gboolean has_results;

    g_mutex_lock (&connection->lock);
    has_results = connection->has_results;
    if (has_results) {
        results = connection->results;
        memset (&connection->results, 0, sizeof connection->results);
        connection->has_results = FALSE;
    }
    g_mutex_unlock (&connection->lock);
    if (has_results) {
        connection->callbacks.results (connection, &results, connection->data);
        g_value_unset (&results);
    }
}

static gboolean
deliver (gpointer data)
{
    Notice *notice = data;
    MonitorConnection *connection = notice->connection;
    const MonitorConnectionCallbacks *callbacks = &connection->callbacks;
    gboolean closing;

    g_mutex_lock (&connection->lock);
    closing = connection->closing;
    g_mutex_unlock (&connection->lock);
    if (closing && notice->kind != EVENT && notice->kind != ENDED)
        return G_SOURCE_REMOVE;
    switch (notice->kind) {
    case PLAYING:
        callbacks->playing (connection, connection->data);
        break;
    case FAILED:
        callbacks->failed (connection, notice->failure, notice->text, connection->data);
        break;
    case WARNED:
        callbacks->warned (connection, notice->text, connection->data);
        break;
    case RESULTS:
        deliver_results (connection);
        break;
    case EVENT:
        callbacks->event (connection, notice->event, connection->data);
        break;
    case ENDED:
        callbacks->ended (connection, connection->data);
        g_clear_object (&connection->data); /* here, and not where the last reference goes */
        break;
    }
    return G_SOURCE_REMOVE;
}

static void
send (MonitorConnection *connection, Notice notice)
{
    Notice *copy = g_memdup2 (&notice, sizeof notice);

    copy->connection = monitor_connection_ref (connection);
    g_idle_add_full (G_PRIORITY_DEFAULT, deliver, copy, notice_free);
}

/* Without secrets, and no longer than people read: it may be the camera's own words. */
static char *
dup_told (MonitorConnection *connection, const char *text)
{
    char *told = monitor_message_scrub (text, connection->user, connection->password);

    if (strlen (told) > MAX_TOLD)
        *g_utf8_find_prev_char (told, told + MAX_TOLD + 1) = '\0';
    return told;
}

/* Takes the text. */
static void
fail (MonitorConnection *connection, MonitorFailure failure, char *text)
{
    g_autofree char *secret = text;

    if (g_atomic_int_compare_and_exchange (&connection->has_failed, FALSE, TRUE))
        send (connection,
                (Notice){
                        .kind = FAILED, .failure = failure, .text = dup_told (connection, text) });
}

/* ---- The thread for pictures ---------------------------------------------------------------- */

static void
make_event (Task *task)
{
    MonitorConnection *connection = task->connection;
    g_autoptr (GBytes) thumbnail = NULL;
    MonitorEvent *event;

    if (task->sample)
        thumbnail = monitor_picture_encode (task->sample, THUMBNAIL_WIDTH, NULL);
    event = monitor_event_new_from_structure (connection->name, task->structure, thumbnail);
    if (event)
        send (connection, (Notice){ .kind = EVENT, .event = event });
}

static void
do_task (gpointer data, gpointer user_data)
{
    Task *task = data;

    (void)user_data;
    if (task->structure)
        make_event (task);
    else
        send (task->connection, (Notice){ .kind = ENDED });
    g_clear_pointer (&task->structure, gst_structure_free);
    g_clear_pointer (&task->sample, gst_sample_unref);
    monitor_connection_unref (task->connection);
    g_free (task);
}

/* One for all cameras: a camera's events stay in order. Where more come than it keeps up with, they
 * have no picture, since each that waits holds a frame. */
static void
push_task (MonitorConnection *connection, GstStructure *structure, GstSample *sample)
{
    static GThreadPool *pool;
    static gsize once;
    Task *task = g_new0 (Task, 1);

    if (g_once_init_enter (&once)) {
        pool = g_thread_pool_new (do_task, NULL, 1, FALSE, NULL);
        g_once_init_leave (&once, 1);
    }
    task->connection = monitor_connection_ref (connection);
    task->structure = structure;
    task->sample = sample;
    if (g_thread_pool_unprocessed (pool) >= MAX_PICTURES)
        g_clear_pointer (&task->sample, gst_sample_unref);
    g_thread_pool_push (pool, task, NULL);
}

/* ---- Frames --------------------------------------------------------------------------------- */

static GstClockTime
get_time (GstBuffer *buffer)
{
    return GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) : GST_BUFFER_DTS (buffer);
}

/* Before the decoder. */
static gboolean
on_encoded (GstBuffer *buffer, gpointer data)
{
    MonitorConnection *connection = data;
    gboolean looking = g_atomic_int_get (&connection->looking);

    if (!buffer) {
        /* Decoders are at ease with another size only where they get all frames of it. */
        monitor_gate_init (&connection->gate);
        return TRUE;
    }
    g_atomic_int_set (&connection->has_encoded, TRUE);
    g_mutex_lock (&connection->lock);
    connection->stats.received++;
    connection->stats.last_data = g_get_monotonic_time ();
    g_mutex_unlock (&connection->lock);
    if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER) &&
            GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT))
        return TRUE;
    return monitor_gate_passes (&connection->gate,
            !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT), get_time (buffer),
            looking ? 0 : connection->interval);
}

/* With the lock. */
static void
keep_frame (MonitorConnection *connection, GstBuffer *buffer, GstCaps *caps)
{
    GstSample *before = g_queue_peek_nth (&connection->frames,
            connection->frames.length > 1 ? connection->frames.length - 2 : G_MAXUINT);
    GstClockTime distance = MIN (connection->interval, KEPT_DISTANCE);

    /* The newest is always there; those before it are not nearer to each other than that. */
    if (before &&
            GST_CLOCK_DIFF (get_time (gst_sample_get_buffer (before)), get_time (buffer)) >= 0 &&
            get_time (buffer) - get_time (gst_sample_get_buffer (before)) < distance)
        gst_sample_unref (g_queue_pop_tail (&connection->frames));
    g_queue_push_tail (&connection->frames, gst_sample_new (buffer, caps, NULL, NULL));
    while (connection->frames.length > KEPT_FRAMES)
        gst_sample_unref (g_queue_pop_head (&connection->frames));
}

/* What altclipfilter gets. */
static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    MonitorConnection *connection = data;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
    GstVideoInfo video;
    gboolean is_first;

    g_mutex_lock (&connection->lock);
    is_first = connection->stats.decoded == 0;
    connection->stats.decoded++;
    connection->stats.last_frame = g_get_monotonic_time ();
    if (!g_atomic_int_get (&connection->has_encoded)) {
        connection->stats.received++;
        connection->stats.last_data = connection->stats.last_frame;
    }
    if (caps && gst_video_info_from_caps (&video, caps)) {
        connection->stats.width = GST_VIDEO_INFO_WIDTH (&video);
        connection->stats.height = GST_VIDEO_INFO_HEIGHT (&video);
        keep_frame (connection, buffer, caps);
    }
    g_mutex_unlock (&connection->lock);
    if (is_first)
        send (connection, (Notice){ .kind = PLAYING });
    return GST_PAD_PROBE_OK;
}

/* (transfer full) (nullable): the kept frame nearest to that time */
static GstSample *
find_frame (MonitorConnection *connection, GstClockTime time)
{
    GstSample *best = NULL;
    guint64 least = G_MAXUINT64;

    g_mutex_lock (&connection->lock);
    for (GList *at = connection->frames.head; at; at = at->next) {
        gint64 difference = GST_CLOCK_DIFF (get_time (gst_sample_get_buffer (at->data)), time);

        if ((guint64)ABS (difference) <= least) {
            least = (guint64)ABS (difference);
            best = at->data;
        }
    }
    if (best)
        gst_sample_ref (best);
    g_mutex_unlock (&connection->lock);
    return best;
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* What GStreamer says to people is the same for many reasons; the last line of its details is not.
 */
static char *
describe_error (const GError *error, const char *details)
{
    const char *last = details ? strrchr (details, '\n') : NULL;

    if (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
        return g_strdup ("user and password are missing or wrong");
    if (last && last[1] != '\0' && !strstr (error->message, last + 1))
        return g_strdup_printf ("%s %s", error->message, last + 1);
    return g_strdup (error->message);
}

/* Whether an element of altclip says it. */
static gboolean
is_ours (GstMessage *message)
{
    GstElementFactory *factory = GST_IS_ELEMENT (message->src)
                                         ? gst_element_get_factory (GST_ELEMENT (message->src))
                                         : NULL;

    return factory && g_str_has_prefix (GST_OBJECT_NAME (factory), "altclip");
}

static MonitorFailure
classify (GstMessage *message, const GError *error)
{
    if (is_ours (message))
        return MONITOR_FAILURE_OWN;
    if (error->domain != GST_RESOURCE_ERROR)
        return MONITOR_FAILURE_OTHER;
    switch (error->code) {
    case GST_RESOURCE_ERROR_NOT_AUTHORIZED:
    case GST_RESOURCE_ERROR_NOT_FOUND:
    case GST_RESOURCE_ERROR_OPEN_READ:
    case GST_RESOURCE_ERROR_OPEN_READ_WRITE:
        return MONITOR_FAILURE_REFUSED;
    default:
        return MONITOR_FAILURE_OTHER;
    }
}

static void
handle_error (MonitorConnection *connection, GstMessage *message)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *details = NULL;
    char *refusal = connection->trust ? monitor_trust_describe_refusal (connection->trust) : NULL;

    gst_message_parse_error (message, &error, &details);
    /* Of certificates GStreamer says but that there was something. */
    if (refusal)
        fail (connection, MONITOR_FAILURE_REFUSED, refusal);
    else
        fail (connection, classify (message, error), describe_error (error, details));
}

static void
handle_warning (MonitorConnection *connection, GstMessage *message)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *details = NULL;

    gst_message_parse_warning (message, &error, &details);
    send (connection, (Notice){ .kind = WARNED, .text = dup_told (connection, error->message) });
}

static void
handle_results (MonitorConnection *connection, const GstStructure *structure)
{
    const GValue *results = gst_structure_get_value (structure, "results");
    gboolean is_first;

    if (!results)
        return;
    g_mutex_lock (&connection->lock);
    is_first = !connection->has_results;
    if (!is_first)
        g_value_unset (&connection->results);
    g_value_init (&connection->results, G_VALUE_TYPE (results));
    g_value_copy (results, &connection->results);
    connection->has_results = TRUE;
    g_mutex_unlock (&connection->lock);
    if (is_first)
        send (connection, (Notice){ .kind = RESULTS });
}

static void
handle_tags (MonitorConnection *connection, const GstStructure *structure)
{
    const char *event = gst_structure_get_string (structure, "event");
    guint64 pts = GST_CLOCK_TIME_NONE;

    if (g_strcmp0 (event, "result") == 0) {
        handle_results (connection, structure);
    } else if (g_strcmp0 (event, "begin") == 0) {
        gst_structure_get_uint64 (structure, "pts", &pts);
        push_task (connection, gst_structure_copy (structure), find_frame (connection, pts));
    } else if (g_strcmp0 (event, "end") == 0) {
        push_task (connection, gst_structure_copy (structure), NULL);
    }
}

/* In whichever thread posts. */
static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
    MonitorConnection *connection = data;

    (void)bus;
    switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
        handle_error (connection, message);
        break;
    case GST_MESSAGE_WARNING:
        handle_warning (connection, message);
        break;
    case GST_MESSAGE_EOS:
        fail (connection, MONITOR_FAILURE_ENDED, g_strdup ("the stream has ended"));
        break;
    case GST_MESSAGE_ELEMENT:
        if (gst_message_has_name (message, "altclip"))
            handle_tags (connection, gst_message_get_structure (message));
        break;
    default:
        break;
    }
    /* Who drops it lets it go. */
    gst_message_unref (message);
    return GST_BUS_DROP;
}

/* ---- The pipeline --------------------------------------------------------------------------- */

/* Topics of MQTT have levels and wildcards. */
static char *
make_topic (const char *name)
{
    return g_strdelimit (g_strconcat ("altclip/", name, NULL), "+#", '_');
}

static void
set_text (GstElement *element, const char *property, const char *value)
{
    if (value)
        g_object_set (element, property, value, NULL);
}

/* Another thread may give another file meanwhile: the last one holds. */
static void
set_prompts_file (MonitorConnection *connection, GstElement *filter)
{
    g_autofree char *set = NULL;
    gboolean is_set;

    do {
        g_mutex_lock (&connection->lock);
        is_set = g_strcmp0 (set, connection->prompts_file) == 0;
        g_free (set);
        set = g_strdup (connection->prompts_file);
        g_mutex_unlock (&connection->lock);
        if (!is_set)
            set_text (filter, "prompts-file", set);
    } while (!is_set);
}

static void
set_up_filter (MonitorConnection *connection, GstElement *filter)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, "sink");

    /* Key frames that come each interval are all due. */
    g_object_set (filter, "interval",
            connection->interval - monitor_gate_get_tolerance (connection->interval), "threads",
            connection->threads, "top-k", 0, "max-buffers", KEPT_FRAMES, "max-age",
            MAX (MAX_AGE, 3 * connection->interval), NULL);
    gst_util_set_object_arg (G_OBJECT (filter), "post-messages", "all");
    gst_util_set_object_arg (
            G_OBJECT (filter), "mode", monitor_source_is_file (connection->uri) ? "auto" : "live");
    if (connection->precision)
        gst_util_set_object_arg (G_OBJECT (filter), "precision", connection->precision);
    set_text (filter, "model", connection->model);
    set_text (filter, "region", connection->region);
    set_text (filter, "negative-prompts", connection->negative_prompts);
    set_text (filter, "prompts", connection->prompts);
    set_prompts_file (connection, filter);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame,
            monitor_connection_ref (connection), unref_connection);
}

static void
set_up_publisher (MonitorConnection *connection, GstElement *publisher)
{
    g_autofree char *topic = make_topic (connection->name);

    gst_util_set_object_arg (G_OBJECT (publisher), "method", "mqtt");
    gst_util_set_object_arg (G_OBJECT (publisher), "results", "none");
    g_object_set (publisher, "source", connection->name, "topic", topic, "flush-timeout",
            GST_SECOND, NULL);
    set_text (publisher, "address", connection->mqtt_address);
    set_text (publisher, "mqtt-config", connection->mqtt_config);
}

static gboolean
build (MonitorConnection *connection, GstElement *pipeline, GError **error)
{
    MonitorConnectionSettings settings = { .uri = connection->uri,
        .user = connection->user,
        .password = connection->password,
        .udp = connection->udp };
    gboolean publishes = connection->mqtt_address || connection->mqtt_config;
    g_autofree char *description =
            g_strdup_printf ("capsfilter name=extent caps=\"" MONITOR_EXTENT_CAPS
                             "\" ! videoconvert n-threads=1 ! altclipfilter name=filter ! %s"
                             "fakesink sync=%s qos=false enable-last-sample=false",
                    publishes ? "altclippublish name=publisher ! " : "",
                    monitor_source_is_file (connection->uri) ? "true" : "false");
    GstElement *bin = gst_parse_bin_from_description (description, FALSE, error);
    g_autoptr (GstElement) extent = NULL;
    g_autoptr (GstElement) filter = NULL;
    g_autoptr (GstElement) publisher = NULL;
    g_autoptr (GstPad) pad = NULL;

    if (!bin)
        return FALSE;
    gst_bin_add (GST_BIN (pipeline), bin);
    if (monitor_address_has_tls (connection->uri)) {
        connection->trust = monitor_trust_new (connection->certificate, error);
        if (!connection->trust)
            return FALSE;
        settings.trust = G_TLS_DATABASE (connection->trust);
    }
    extent = gst_bin_get_by_name (GST_BIN (bin), "extent");
    filter = gst_bin_get_by_name (GST_BIN (bin), "filter");
    publisher = gst_bin_get_by_name (GST_BIN (bin), "publisher");
    g_mutex_lock (&connection->lock);
    connection->filter = gst_object_ref (filter);
    g_mutex_unlock (&connection->lock);
    set_up_filter (connection, filter);
    if (publisher)
        set_up_publisher (connection, publisher);
    pad = gst_element_get_static_pad (extent, "sink");
    gst_element_add_pad (bin, gst_ghost_pad_new ("sink", pad));
    return monitor_source_add (GST_BIN (pipeline), bin, &settings, on_encoded, connection, error);
}

static void
wait_for_close (MonitorConnection *connection)
{
    g_mutex_lock (&connection->lock);
    while (!connection->closing)
        g_cond_wait (&connection->cond, &connection->lock);
    g_mutex_unlock (&connection->lock);
}

static GstElement *
take_filter (MonitorConnection *connection)
{
    GstElement *filter;

    g_mutex_lock (&connection->lock);
    filter = g_steal_pointer (&connection->filter);
    g_mutex_unlock (&connection->lock);
    return filter;
}

/* All that may hang is here. */
static gpointer
run (gpointer data)
{
    MonitorConnection *connection = data;
    GstElement *pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GError) error = NULL;
    GstElement *filter;

    gst_bus_set_sync_handler (
            bus, on_message, monitor_connection_ref (connection), unref_connection);
    if (!build (connection, pipeline, &error))
        fail (connection, MONITOR_FAILURE_OTHER, g_strdup (error ? error->message : "no pipeline"));
    else if (gst_element_set_state (pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        fail (connection, MONITOR_FAILURE_OTHER, g_strdup ("the pipeline does not start"));
    wait_for_close (connection);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    filter = take_filter (connection);
    gst_clear_object (&filter);
    gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
    gst_object_unref (pipeline);
    push_task (connection, NULL, NULL);
    monitor_connection_unref (connection);
    return NULL;
}

/* ---- For the camera ------------------------------------------------------------------------- */

MonitorConnection *
monitor_connection_open (const MonitorConnectionSettings *settings,
        const MonitorConnectionCallbacks *callbacks, GObject *data)
{
    MonitorConnection *connection = g_new0 (MonitorConnection, 1);
    g_autofree char *title = g_strdup_printf ("%.15s", settings->name);

    g_atomic_ref_count_init (&connection->references);
    connection->name = g_strdup (settings->name);
    connection->uri = g_strdup (settings->uri);
    connection->user = g_strdup (settings->user);
    connection->password = g_strdup (settings->password);
    connection->region = g_strdup (settings->region);
    connection->certificate = g_strdup (settings->certificate);
    connection->prompts = g_strdup (settings->prompts);
    connection->negative_prompts = g_strdup (settings->negative_prompts);
    connection->prompts_file = g_strdup (settings->prompts_file);
    connection->model = g_strdup (settings->model);
    connection->precision = g_strdup (settings->precision);
    connection->mqtt_address = g_strdup (settings->mqtt_address);
    connection->mqtt_config = g_strdup (settings->mqtt_config);
    connection->udp = settings->udp;
    connection->interval = settings->interval;
    connection->threads = settings->threads;
    connection->callbacks = *callbacks;
    connection->data = data;
    monitor_gate_init (&connection->gate);
    g_mutex_init (&connection->lock);
    g_cond_init (&connection->cond);
    g_queue_init (&connection->frames);
    connection->stats.last_data = connection->stats.last_frame = g_get_monotonic_time ();
    g_thread_unref (g_thread_new (title, run, monitor_connection_ref (connection)));
    return connection;
}

void
monitor_connection_close (MonitorConnection *connection)
{
    g_mutex_lock (&connection->lock);
    connection->closing = TRUE;
    g_cond_signal (&connection->cond);
    g_mutex_unlock (&connection->lock);
}

void
monitor_connection_get_stats (MonitorConnection *connection, MonitorConnectionStats *stats)
{
    g_mutex_lock (&connection->lock);
    *stats = connection->stats;
    g_mutex_unlock (&connection->lock);
}

/* With the lock. */
static GstElement *
ref_filter (MonitorConnection *connection)
{
    return connection->filter ? gst_object_ref (connection->filter) : NULL;
}

GstStructure *
monitor_connection_get_filter_stats (MonitorConnection *connection)
{
    g_autoptr (GstElement) filter = NULL;
    GstStructure *stats = NULL;

    g_mutex_lock (&connection->lock);
    filter = ref_filter (connection);
    g_mutex_unlock (&connection->lock);
    if (filter)
        g_object_get (filter, "stats", &stats, NULL);
    return stats;
}

/* Either the filter is there when the path is, or whoever makes it finds the path. */
void
monitor_connection_set_prompts_file (MonitorConnection *connection, const char *path)
{
    g_autoptr (GstElement) filter = NULL;

    g_mutex_lock (&connection->lock);
    filter = ref_filter (connection);
    g_free (connection->prompts_file);
    connection->prompts_file = g_strdup (path);
    g_mutex_unlock (&connection->lock);
    if (filter)
        set_text (filter, "prompts-file", path);
}

void
monitor_connection_set_looking (MonitorConnection *connection, gboolean looking)
{
    g_atomic_int_set (&connection->looking, looking);
}

GstSample *
monitor_connection_get_frame (MonitorConnection *connection)
{
    GstSample *sample;

    g_mutex_lock (&connection->lock);
    sample = g_queue_peek_tail (&connection->frames);
    if (sample)
        gst_sample_ref (sample);
    g_mutex_unlock (&connection->lock);
    return sample;
}
