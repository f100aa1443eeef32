/* altclip: a camera and what is seen there
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "camera.h"

#include "address.h"
#include "connection.h"
#include "picture.h"
#include "prompt_set.h"
#include "source.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

/* Between two tries, ms: the first wait, and the longest, that doubling ends at. */
#define FIRST_WAIT 500
#define LONGEST_WAIT 5000

/* Who has played that long has recovered, µs. */
#define RECOVERY (5 * G_USEC_PER_SEC)

/* A pipeline that has not ended after that is left alone, ms; and so many of one camera at most. */
#define ABANDON_AFTER 5000
#define MAX_ABANDONED 4

/* How often it is looked whether frames come, ms. */
#define TICK 500

/* Data that comes and gives no frame for that long has no use, in watchdogs. */
#define DECODING_WATCHDOGS 3

#define PICTURE_PERIOD 200 /* ms */
#define PICTURE_WIDTH 960

typedef struct {
    guint id;
    MonitorPicture picture;
    gpointer data;
} Looker;

typedef struct {
    char *label;
    double score;
    gboolean active;
    char *region; /* nullable */
    gint64 since; /* µs since 1970; of an active one */
} Label;

struct _MonitorCamera {
    GObject parent;
    MonitorCameraConfig *config;
    char *model, *precision, *mqtt_address, *mqtt_config;
    guint threads;
    char *kept_path;        /* where edited prompts are */
    char *prompts_path;     /* (nullable): the file of prompts in force */
    char *prompts_checksum; /* (nullable): of the configuration's */
    const char *negatives;  /* (nullable): beside the short form */

    MonitorCameraState state;
    char *reason;
    char *warning; /* of the pipeline that plays */
    gint64 since;  /* µs since 1970 */
    gboolean is_wanted;

    MonitorConnection *connection; /* (nullable): in use */
    MonitorConnection *closing;    /* (nullable): the one before, that is waited for */
    guint n_abandoned;
    guint abandon_timer, retry_timer, tick_timer;
    gboolean is_due; /* to connect, as soon as the one before has ended */
    guint wait;      /* ms */
    gboolean udp;
    gint64 played_at; /* monotonic */
    guint64 reconnects;

    guint64 received_before; /* of connections that are gone */
    guint64 analysed_before;
    guint64 ticks_received;
    gint64 tick_time;
    double fps;
    gint width, height;

    GHashTable *begun; /* label and region to when it began, gint64 */
    GPtrArray *labels; /* of Label */
    MonitorEvent *last_event;

    GSList *lookers;
    guint last_looker;
    guint picture_timer;
    gboolean is_encoding;
    GstBuffer *last_picture; /* which frame was shown last */
};

enum { CHANGED, EVENT, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (MonitorCamera, monitor_camera, G_TYPE_OBJECT)

static void connect_camera (MonitorCamera *self);

/* ---- State ---------------------------------------------------------------------------------- */

static void
set_state_at_level (
        MonitorCamera *self, MonitorCameraState state, const char *reason, GLogLevelFlags level)
{
    if (self->state == state && g_strcmp0 (self->reason, reason) == 0)
        return;
    if (self->state != state)
        self->since = g_get_real_time ();
    if (reason && g_strcmp0 (self->reason, reason) != 0)
        g_log (G_LOG_DOMAIN, level, "%s: %s", self->config->name, reason);
    else if (state == MONITOR_CAMERA_PLAYING && self->state != state)
        g_message ("%s: playing", self->config->name);
    self->state = state;
    if (reason != self->reason) {
        g_free (self->reason);
        self->reason = g_strdup (reason);
    }
    g_signal_emit (self, signals[CHANGED], 0);
}

static void
set_state (MonitorCamera *self, MonitorCameraState state, const char *reason)
{
    set_state_at_level (self, state, reason, G_LOG_LEVEL_MESSAGE);
}

static void
clear_timer (guint *timer)
{
    if (*timer)
        g_source_remove (*timer);
    *timer = 0;
}

static void
forget_labels (MonitorCamera *self)
{
    g_ptr_array_set_size (self->labels, 0);
    g_hash_table_remove_all (self->begun);
}

/* ---- Closing -------------------------------------------------------------------------------- */

static gboolean
on_abandon (gpointer data)
{
    MonitorCamera *self = data;

    self->abandon_timer = 0;
    g_warning ("%s: the last pipeline does not stop, and is left alone", self->config->name);
    self->n_abandoned++;
    g_clear_pointer (&self->closing, monitor_connection_unref);
    if (self->is_due)
        connect_camera (self);
    return G_SOURCE_REMOVE;
}

static guint64
get_analysed (MonitorConnection *connection)
{
    GstStructure *stats = connection ? monitor_connection_get_filter_stats (connection) : NULL;
    guint64 analysed = 0;

    if (stats) {
        gst_structure_get_uint64 (stats, "analysed", &analysed);
        gst_structure_free (stats);
    }
    return analysed;
}

static void
close_connection (MonitorCamera *self)
{
    MonitorConnectionStats stats;

    clear_timer (&self->tick_timer);
    if (!self->connection)
        return;
    monitor_connection_get_stats (self->connection, &stats);
    self->received_before += stats.received;
    self->analysed_before += get_analysed (self->connection);
    monitor_connection_close (self->connection);
    /* While one is waited for there is no other. */
    g_assert (!self->closing);
    self->closing = g_steal_pointer (&self->connection);
    self->abandon_timer = g_timeout_add (ABANDON_AFTER, on_abandon, self);
    self->fps = 0;
    gst_clear_buffer (&self->last_picture);
    forget_labels (self);
}

/* ---- Trying again --------------------------------------------------------------------------- */

static gboolean
on_retry (gpointer data)
{
    MonitorCamera *self = data;

    self->retry_timer = 0;
    self->is_due = TRUE;
    connect_camera (self);
    return G_SOURCE_REMOVE;
}

/* A quarter more or less, so that cameras that failed together do not come back together. */
static guint
make_wait (MonitorCamera *self)
{
    guint wait = (guint)(self->wait * g_random_double_range (0.75, 1.25));

    self->wait = MIN (2 * self->wait, LONGEST_WAIT);
    return CLAMP (wait, FIRST_WAIT, LONGEST_WAIT);
}

static void
fail_camera (MonitorCamera *self, MonitorFailure failure, const char *reason)
{
    gboolean has_played = self->state == MONITOR_CAMERA_PLAYING;

    if (has_played && (g_get_monotonic_time () - self->played_at >= RECOVERY ||
                              (failure == MONITOR_FAILURE_ENDED &&
                                      monitor_source_is_file (self->config->uri))))
        self->wait = FIRST_WAIT;
    /* Some networks pass only one of the two. */
    if (!has_played && failure == MONITOR_FAILURE_OTHER &&
            g_str_equal (self->config->transport, "auto"))
        self->udp = !self->udp;
    close_connection (self);
    self->reconnects++;
    clear_timer (&self->retry_timer);
    self->retry_timer = g_timeout_add (make_wait (self), on_retry, self);
    /* That cameras come and go is nothing that somebody has to mend. */
    set_state_at_level (self, MONITOR_CAMERA_WAITING, reason,
            failure == MONITOR_FAILURE_OWN ? G_LOG_LEVEL_CRITICAL : G_LOG_LEVEL_MESSAGE);
}

/* ---- What connections tell ------------------------------------------------------------------ */

static void
on_playing (MonitorConnection *connection, gpointer data)
{
    MonitorCamera *self = data;

    if (connection != self->connection)
        return;
    self->played_at = g_get_monotonic_time ();
    set_state (self, MONITOR_CAMERA_PLAYING, NULL);
}

static void
on_failed (MonitorConnection *connection, MonitorFailure failure, const char *reason, gpointer data)
{
    if (connection == MONITOR_CAMERA (data)->connection)
        fail_camera (data, failure, reason);
}

static void
on_warned (MonitorConnection *connection, const char *text, gpointer data)
{
    MonitorCamera *self = data;

    if (connection != self->connection || g_strcmp0 (self->warning, text) == 0)
        return;
    g_free (self->warning);
    self->warning = g_strdup (text);
    g_message ("%s: %s", self->config->name, text);
    g_signal_emit (self, signals[CHANGED], 0);
}

static void
label_free (gpointer data)
{
    Label *label = data;

    g_free (label->label);
    g_free (label->region);
    g_free (label);
}

/* x,y,w,h as the property has it. */
static char *
dup_region (const GstStructure *structure)
{
    const GValue *region = gst_structure_get_value (structure, "region");
    GString *text;

    if (!region || !GST_VALUE_HOLDS_ARRAY (region))
        return NULL;
    text = g_string_new (NULL);
    for (guint i = 0; i < gst_value_array_get_size (region); i++) {
        const GValue *number = gst_value_array_get_value (region, i);
        char digits[G_ASCII_DTOSTR_BUF_SIZE];

        if (!G_VALUE_HOLDS_DOUBLE (number))
            continue;
        g_ascii_formatd (digits, sizeof digits, "%.6g", g_value_get_double (number));
        g_string_append_printf (text, "%s%s", i ? "," : "", digits);
    }
    return g_string_free (text, FALSE);
}

static void
add_label (MonitorCamera *self, const GstStructure *structure)
{
    const char *text = gst_structure_get_string (structure, "label");
    Label *label;
    gint64 *since;

    if (!text)
        return;
    label = g_new0 (Label, 1);
    label->label = g_strdup (text);
    label->region = dup_region (structure);
    gst_structure_get_double (structure, "score", &label->score);
    gst_structure_get_boolean (structure, "active", &label->active);
    since = g_hash_table_lookup (self->begun, text);
    label->since = since ? *since : 0;
    g_ptr_array_add (self->labels, label);
}

static void
on_results (MonitorConnection *connection, const GValue *results, gpointer data)
{
    MonitorCamera *self = data;

    if (connection != self->connection)
        return;
    g_ptr_array_set_size (self->labels, 0);
    for (guint i = 0; i < gst_value_array_get_size (results); i++) {
        const GValue *value = gst_value_array_get_value (results, i);

        if (GST_VALUE_HOLDS_STRUCTURE (value))
            add_label (self, gst_value_get_structure (value));
    }
}

/* Also what the end of a connection ended. */
static void
on_event (MonitorConnection *connection, MonitorEvent *event, gpointer data)
{
    MonitorCamera *self = data;

    if (connection == self->connection) {
        if (g_str_equal (event->kind, "begin"))
            g_hash_table_insert (self->begun, g_strdup (event->label),
                    g_memdup2 (&event->time, sizeof event->time));
        else
            g_hash_table_remove (self->begun, event->label);
    }
    g_signal_emit (self, signals[EVENT], 0, event);
}

void
monitor_camera_set_last_event (MonitorCamera *self, MonitorEvent *event)
{
    g_clear_pointer (&self->last_event, monitor_event_unref);
    self->last_event = monitor_event_ref (event);
}

static void
on_ended (MonitorConnection *connection, gpointer data)
{
    MonitorCamera *self = data;

    if (connection == self->closing) {
        clear_timer (&self->abandon_timer);
        g_clear_pointer (&self->closing, monitor_connection_unref);
    } else {
        self->n_abandoned--;
    }
    if (self->is_due)
        connect_camera (self);
}

/* ---- The watchdog --------------------------------------------------------------------------- */

static void
measure_rate (MonitorCamera *self, const MonitorConnectionStats *stats)
{
    gint64 now = g_get_monotonic_time ();
    double seconds = (double)(now - self->tick_time) / G_USEC_PER_SEC;
    double rate = (double)(stats->received - self->ticks_received) / MAX (seconds, 0.001);

    self->fps = self->fps == 0 ? rate : self->fps + (rate - self->fps) / 4;
    self->ticks_received = stats->received;
    self->tick_time = now;
}

static gboolean
on_tick (gpointer data)
{
    MonitorCamera *self = data;
    gint64 limit = (gint64)self->config->watchdog * G_USEC_PER_SEC;
    gint64 now = g_get_monotonic_time ();
    gint64 frame_limit =
            MAX (DECODING_WATCHDOGS * limit, 3 * (gint64)(self->config->interval / 1000));
    MonitorConnectionStats stats;
    g_autofree char *reason = NULL;

    monitor_connection_get_stats (self->connection, &stats);
    measure_rate (self, &stats);
    if (now - stats.last_data > limit)
        reason = g_strdup_printf ("nothing came for %u s", self->config->watchdog);
    else if (now - stats.last_frame > frame_limit)
        reason = g_strdup_printf (
                "what comes could not be decoded for %u s", (guint)(frame_limit / G_USEC_PER_SEC));
    if (!reason)
        return G_SOURCE_CONTINUE;
    self->tick_timer = 0;
    fail_camera (self, MONITOR_FAILURE_OTHER, reason);
    return G_SOURCE_REMOVE;
}

/* ---- Connecting ----------------------------------------------------------------------------- */

static void
connect_camera (MonitorCamera *self)
{
    static const MonitorConnectionCallbacks callbacks = { .playing = on_playing,
        .failed = on_failed,
        .warned = on_warned,
        .results = on_results,
        .event = on_event,
        .ended = on_ended };
    MonitorConnectionSettings settings = { .name = self->config->name,
        .uri = self->config->uri,
        .user = self->config->user,
        .password = self->config->password,
        .udp = self->udp,
        .interval = self->config->interval,
        .region = self->config->region,
        .certificate = self->config->certificate,
        .prompts = self->prompts_path ? NULL : self->config->prompts,
        .negative_prompts = self->prompts_path ? NULL : self->negatives,
        .prompts_file = self->prompts_path,
        .model = self->model,
        .precision = self->precision,
        .threads = self->threads,
        .mqtt_address = self->mqtt_address,
        .mqtt_config = self->mqtt_config };

    if (!self->is_wanted || self->closing || self->connection || self->retry_timer)
        return;
    if (self->n_abandoned >= MAX_ABANDONED) {
        set_state (self, MONITOR_CAMERA_WAITING,
                "earlier pipelines hang: none is started until one ends");
        return;
    }
    self->is_due = FALSE;
    g_clear_pointer (&self->warning, g_free);
    self->connection =
            monitor_connection_open (&settings, &callbacks, g_object_ref (G_OBJECT (self)));
    monitor_connection_set_looking (self->connection, self->lookers != NULL);
    self->ticks_received = 0;
    self->tick_time = g_get_monotonic_time ();
    self->tick_timer = g_timeout_add (TICK, on_tick, self);
    set_state (self, MONITOR_CAMERA_CONNECTING, self->reason);
}

void
monitor_camera_start (MonitorCamera *self)
{
    if (self->is_wanted)
        return;
    self->is_wanted = TRUE;
    self->is_due = TRUE;
    self->wait = FIRST_WAIT;
    self->udp = g_str_equal (self->config->transport, "udp");
    connect_camera (self);
    if (!self->connection && self->state == MONITOR_CAMERA_STOPPED)
        set_state (self, MONITOR_CAMERA_WAITING, NULL);
}

void
monitor_camera_stop (MonitorCamera *self)
{
    if (!self->is_wanted)
        return;
    self->is_wanted = FALSE;
    self->is_due = FALSE;
    clear_timer (&self->retry_timer);
    close_connection (self);
    set_state (self, MONITOR_CAMERA_STOPPED, NULL);
}

gboolean
monitor_camera_is_busy (MonitorCamera *self)
{
    return self->connection || self->closing || self->n_abandoned > 0;
}

/* ---- What it looks for ---------------------------------------------------------------------- */

/* (nullable): of what is in that file */
static char *
compute_checksum (const char *path)
{
    g_autofree char *content = NULL;
    gsize length;

    if (!g_file_get_contents (path, &content, &length, NULL))
        return NULL;
    return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)content, length);
}

/* From a file to a file the filter goes in one step. From the short form it would warn that the
 * file has no use for the negatives beside that, which no order of properties avoids: prompts may
 * be embedded before the next one is set. So the short form is a file too, unless there is no
 * writing one. */
static void
choose_short_prompts (MonitorCamera *self, const char *data_directory)
{
    g_autofree char *file = g_strconcat (self->config->name, ".json", NULL);
    g_autofree char *path = g_build_filename (data_directory, "configured-prompts", file, NULL);
    g_autoptr (AltclipPrompts) parsed = NULL;
    g_autoptr (GError) error = NULL;

    if (monitor_prompts_write_short (path, self->config->prompts, &error)) {
        self->prompts_path = g_steal_pointer (&path);
        return;
    }
    g_warning ("%s: %s", self->config->name, error->message);
    parsed = monitor_prompts_parse (self->config->prompts, &self->negatives, NULL);
}

/* What was edited goes before the configuration. */
static void
choose_prompts (MonitorCamera *self, const char *data_directory)
{
    g_autoptr (AltclipPrompts) kept = NULL;
    g_autoptr (GError) error = NULL;

    if (g_file_test (self->kept_path, G_FILE_TEST_EXISTS)) {
        kept = monitor_prompts_load (self->kept_path, &error);
        if (kept) {
            self->prompts_path = g_strdup (self->kept_path);
            return;
        }
        g_warning ("%s: %s", self->config->name, error->message);
        g_clear_error (&error);
    }
    if (self->config->prompts_file) {
        self->prompts_path = g_strdup (self->config->prompts_file);
        self->prompts_checksum = compute_checksum (self->prompts_path);
    } else if (self->config->prompts) {
        choose_short_prompts (self, data_directory);
    } else {
        self->prompts_path = g_build_filename (data_directory, "default-prompts.json", NULL);
        if (!monitor_prompts_write_default (self->prompts_path, &error))
            g_warning ("%s", error->message);
    }
}

char *
monitor_camera_get_prompts (MonitorCamera *self, GError **error)
{
    g_autoptr (AltclipPrompts) prompts = NULL;

    if (self->prompts_path)
        prompts = monitor_prompts_load (self->prompts_path, error);
    else
        prompts = monitor_prompts_parse (self->config->prompts, NULL, error);
    return prompts ? altclip_prompts_describe (prompts) : NULL;
}

static void
apply_prompts (MonitorCamera *self)
{
    if (self->connection) {
        g_clear_pointer (&self->warning, g_free);
        monitor_connection_set_prompts_file (self->connection, self->prompts_path);
    }
    forget_labels (self);
    g_signal_emit (self, signals[CHANGED], 0);
}

void
monitor_camera_reread_prompts (MonitorCamera *self)
{
    g_autofree char *checksum = NULL;

    if (!self->config->prompts_file ||
            g_strcmp0 (self->prompts_path, self->config->prompts_file) != 0)
        return;
    checksum = compute_checksum (self->prompts_path);
    if (!checksum || g_strcmp0 (checksum, self->prompts_checksum) == 0)
        return;
    g_free (self->prompts_checksum);
    self->prompts_checksum = g_steal_pointer (&checksum);
    g_message ("%s: has other prompts", self->config->name);
    apply_prompts (self);
}

gboolean
monitor_camera_set_prompts (MonitorCamera *self, const char *json, GError **error)
{
    g_autofree char *before = monitor_camera_get_prompts (self, NULL);

    if (!monitor_prompts_keep (self->kept_path, json, before ? before : "{}", error))
        return FALSE;
    g_free (self->prompts_path);
    self->prompts_path = g_strdup (self->kept_path);
    apply_prompts (self);
    return TRUE;
}

/* ---- Pictures ------------------------------------------------------------------------------- */

static void
encode_picture (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    GError *error = NULL;
    GBytes *jpeg = monitor_picture_encode (data, PICTURE_WIDTH, &error);

    (void)source;
    (void)cancellable;
    if (jpeg)
        g_task_return_pointer (task, jpeg, (GDestroyNotify)g_bytes_unref);
    else
        g_task_return_error (task, error);
}

/* A looker may look away, or another begin to look, when it is shown a picture. */
static void
show_picture (MonitorCamera *self, GBytes *jpeg)
{
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint));

    for (GSList *at = self->lookers; at; at = at->next)
        g_array_append_val (ids, ((Looker *)at->data)->id);
    for (guint i = 0; i < ids->len; i++) {
        for (GSList *at = self->lookers; at; at = at->next) {
            Looker *looker = at->data;

            if (looker->id == g_array_index (ids, guint, i)) {
                looker->picture (jpeg, looker->data);
                break;
            }
        }
    }
}

static void
on_encoded (GObject *source, GAsyncResult *result, gpointer data)
{
    MonitorCamera *self = MONITOR_CAMERA (source);
    g_autoptr (GBytes) jpeg = g_task_propagate_pointer (G_TASK (result), NULL);

    (void)data;
    self->is_encoding = FALSE;
    if (jpeg)
        show_picture (self, jpeg);
}

static gboolean
on_picture_due (gpointer data)
{
    MonitorCamera *self = data;
    g_autoptr (GstSample) sample =
            self->connection ? monitor_connection_get_frame (self->connection) : NULL;
    g_autoptr (GTask) task = NULL;

    if (self->is_encoding || !sample || gst_sample_get_buffer (sample) == self->last_picture)
        return G_SOURCE_CONTINUE;
    gst_buffer_replace (&self->last_picture, gst_sample_get_buffer (sample));
    self->is_encoding = TRUE;
    task = g_task_new (self, NULL, on_encoded, NULL);
    g_task_set_task_data (task, g_steal_pointer (&sample), (GDestroyNotify)gst_sample_unref);
    g_task_run_in_thread (task, encode_picture);
    return G_SOURCE_CONTINUE;
}

guint
monitor_camera_look (MonitorCamera *self, MonitorPicture picture, gpointer data)
{
    Looker *looker = g_new0 (Looker, 1);

    looker->id = ++self->last_looker;
    looker->picture = picture;
    looker->data = data;
    self->lookers = g_slist_prepend (self->lookers, looker);
    if (!self->picture_timer)
        self->picture_timer = g_timeout_add (PICTURE_PERIOD, on_picture_due, self);
    /* Whoever comes is shown what there is. */
    gst_clear_buffer (&self->last_picture);
    if (self->connection)
        monitor_connection_set_looking (self->connection, TRUE);
    return looker->id;
}

void
monitor_camera_look_away (MonitorCamera *self, guint id)
{
    for (GSList *at = self->lookers; at; at = at->next) {
        if (((Looker *)at->data)->id == id) {
            g_free (at->data);
            self->lookers = g_slist_delete_link (self->lookers, at);
            break;
        }
    }
    if (self->lookers)
        return;
    clear_timer (&self->picture_timer);
    gst_clear_buffer (&self->last_picture);
    if (self->connection)
        monitor_connection_set_looking (self->connection, FALSE);
}

/* ---- Description ---------------------------------------------------------------------------- */

static const char *
get_state_name (MonitorCameraState state)
{
    static const char *const names[] = { "stopped", "connecting", "playing", "waiting" };

    return names[state];
}

static json_t *
new_time (gint64 time)
{
    g_autofree char *text = monitor_event_format_time (time);

    return text ? json_string (text) : json_null ();
}

static json_t *
new_text (const char *text)
{
    return text ? json_string (text) : json_null ();
}

static json_t *
describe_labels (MonitorCamera *self)
{
    json_t *labels = json_array ();

    for (guint i = 0; i < self->labels->len; i++) {
        const Label *label = self->labels->pdata[i];
        json_t *item = json_pack ("{s:s, s:f, s:b}", "label", label->label, "score",
                isfinite (label->score) ? round (label->score * 1e6) / 1e6 : 0.0, "active",
                label->active);

        if (!item)
            continue;
        json_object_set_new (item, "since",
                label->active && label->since ? new_time (label->since) : json_null ());
        if (label->region)
            json_object_set_new (item, "region", json_string (label->region));
        json_array_append_new (labels, item);
    }
    return labels;
}

json_t *
monitor_camera_describe (MonitorCamera *self)
{
    g_autofree char *uri = monitor_address_scrub (self->config->uri);
    MonitorConnectionStats stats = { 0 };
    json_t *description = json_object ();

    if (self->connection)
        monitor_connection_get_stats (self->connection, &stats);
    if (stats.width) {
        self->width = stats.width;
        self->height = stats.height;
    }
    json_object_set_new (description, "name", json_string (self->config->name));
    json_object_set_new (description, "uri", new_text (uri));
    json_object_set_new (description, "state", json_string (get_state_name (self->state)));
    json_object_set_new (description, "reason", new_text (self->reason));
    json_object_set_new (description, "warning", new_text (self->warning));
    json_object_set_new (description, "since", new_time (self->since));
    json_object_set_new (description, "width", json_integer (self->width));
    json_object_set_new (description, "height", json_integer (self->height));
    json_object_set_new (description, "fps", json_real (round (self->fps * 10) / 10));
    json_object_set_new (description, "frames",
            json_integer ((json_int_t)(self->received_before + stats.received)));
    json_object_set_new (description, "analysed",
            json_integer ((json_int_t)(self->analysed_before + get_analysed (self->connection))));
    json_object_set_new (description, "reconnects", json_integer ((json_int_t)self->reconnects));
    json_object_set_new (description, "labels", describe_labels (self));
    json_object_set_new (description, "last_event",
            self->last_event ? monitor_event_to_json (self->last_event) : json_null ());
    return description;
}

const char *
monitor_camera_get_name (MonitorCamera *self)
{
    return self->config->name;
}

/* ---- GObject -------------------------------------------------------------------------------- */

static void
monitor_camera_finalize (GObject *object)
{
    MonitorCamera *self = MONITOR_CAMERA (object);

    clear_timer (&self->abandon_timer);
    clear_timer (&self->retry_timer);
    clear_timer (&self->tick_timer);
    clear_timer (&self->picture_timer);
    g_slist_free_full (self->lookers, g_free);
    gst_clear_buffer (&self->last_picture);
    g_clear_pointer (&self->last_event, monitor_event_unref);
    g_hash_table_unref (self->begun);
    g_ptr_array_unref (self->labels);
    monitor_camera_config_free (self->config);
    g_free (self->model);
    g_free (self->precision);
    g_free (self->mqtt_address);
    g_free (self->mqtt_config);
    g_free (self->kept_path);
    g_free (self->prompts_path);
    g_free (self->prompts_checksum);
    g_free (self->reason);
    g_free (self->warning);
    G_OBJECT_CLASS (monitor_camera_parent_class)->finalize (object);
}

static void
monitor_camera_class_init (MonitorCameraClass *klass)
{
    G_OBJECT_CLASS (klass)->finalize = monitor_camera_finalize;
    signals[CHANGED] = g_signal_new (
            "changed", MONITOR_TYPE_CAMERA, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[EVENT] = g_signal_new ("event", MONITOR_TYPE_CAMERA, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
            NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void
monitor_camera_init (MonitorCamera *self)
{
    self->since = g_get_real_time ();
    self->begun = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    self->labels = g_ptr_array_new_with_free_func (label_free);
}

MonitorCamera *
monitor_camera_new (const MonitorCameraConfig *config, const MonitorConfiguration *configuration)
{
    MonitorCamera *self = g_object_new (MONITOR_TYPE_CAMERA, NULL);
    g_autofree char *file = g_strconcat (config->name, ".json", NULL);

    self->config = monitor_camera_config_copy (config);
    self->model = g_strdup (configuration->model);
    self->precision = g_strdup (configuration->precision);
    self->threads = configuration->threads;
    self->mqtt_address = g_strdup (configuration->mqtt_address);
    self->mqtt_config = g_strdup (configuration->mqtt_config);
    self->kept_path = g_build_filename (configuration->data_directory, "prompts", file, NULL);
    choose_prompts (self, configuration->data_directory);
    return self;
}
