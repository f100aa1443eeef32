/* altclip-monitor: watches cameras and says what they see
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     altclip-monitor --config FILE
 *     altclip-monitor rtsp://camera.example/stream …
 *
 * SIGHUP reads the configuration again, and leaves cameras alone whose own has not changed; SIGINT
 * and SIGTERM stop it. Exit status: 0; 1: failed; 2: wrong usage or configuration.
 */

#include "address.h"
#include "camera.h"
#include "inspection.h"
#include "prompt_set.h"
#include "server.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS, FAILED, USAGE };

/* How long cameras may take to end, and how often it is looked, ms. A second signal ends at once.
 */
#define STOP_LIMIT 7000
#define STOP_TICK 50

static const char DESCRIPTION[] =
        "Watches cameras, stores and tells what begins and ends there, and shows a page at\n"
        "http://127.0.0.1:8090. Addresses are of rtsp, rtsps, http, https, file, v4l2, the path "
        "of\n"
        "a file or device, or test:smpte. A token for other addresses than this machine's is in\n"
        "the environment variable ALTCLIP_MONITOR_TOKEN or in the configuration's token_file.";

typedef struct {
    char *config;
    char **uris;
    char *listen;
    int port;
    char *data_directory;
    char *log_level;
    char *prompts;
    gboolean check;
    gboolean version;
} Options;

typedef struct {
    const Options *options;
    MonitorConfiguration *configuration;
    GListStore *cameras;
    GHashTable *leaving; /* of MonitorCamera: removed, but not ended */
    MonitorStore *store;
    MonitorHooks *hooks;
    MonitorServer *server;
    GstElement *keeper; /* holds the model open while cameras come and go */
    GMainLoop *loop;
    gboolean is_stopping;
    int status;
} Monitor;

/* ---- Log ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    GLogLevelFlags least;
} LEVELS[] = {
    { "error", G_LOG_LEVEL_CRITICAL },
    { "warning", G_LOG_LEVEL_WARNING },
    { "info", G_LOG_LEVEL_INFO },
    { "debug", G_LOG_LEVEL_DEBUG },
};

static GLogLevelFlags least_level = G_LOG_LEVEL_INFO;

static gboolean
set_level (const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS (LEVELS); i++) {
        if (g_str_equal (LEVELS[i].name, name)) {
            least_level = LEVELS[i].least;
            return TRUE;
        }
    }
    return FALSE;
}

/* A line a message, whatever is in it; what systemd reads before it is the priority. */
static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    static int is_journal = -1;
    const char *text = "";
    const char *name = level <= G_LOG_LEVEL_CRITICAL  ? "error"
                       : level <= G_LOG_LEVEL_WARNING ? "warning"
                       : level <= G_LOG_LEVEL_INFO    ? "info"
                                                      : "debug";
    int priority = level <= G_LOG_LEVEL_CRITICAL  ? 3
                   : level <= G_LOG_LEVEL_WARNING ? 4
                   : level <= G_LOG_LEVEL_INFO    ? 6
                                                  : 7;
    g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
    g_autofree char *time = g_date_time_format_iso8601 (now);
    g_autofree char *line = NULL;

    (void)data;
    if ((level & G_LOG_LEVEL_MASK) > least_level)
        return G_LOG_WRITER_HANDLED;
    if (is_journal < 0)
        is_journal = g_getenv ("JOURNAL_STREAM") != NULL;
    for (gsize i = 0; i < n_fields; i++)
        if (g_str_equal (fields[i].key, "MESSAGE"))
            text = fields[i].value;
    line = monitor_message_scrub (text, NULL, NULL);
    if (is_journal)
        fprintf (stderr, "<%d>%s\n", priority, line);
    else
        fprintf (stderr, "%s %s: %s\n", time, name, line);
    return G_LOG_WRITER_HANDLED;
}

/* ---- Configuration -------------------------------------------------------------------------- */

static gboolean
apply_options (const Options *options, MonitorConfiguration *configuration, GError **error)
{
    g_autoptr (GInetAddress) address = NULL;

    if (options->listen) {
        address = g_inet_address_new_from_string (options->listen);
        if (!address) {
            g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "--listen: \"%s\" is no address such as 127.0.0.1 or ::", options->listen);
            return FALSE;
        }
        g_free (configuration->listen);
        configuration->listen = g_strdup (options->listen);
    }
    if (options->port >= 0)
        configuration->port = (guint16)options->port;
    if (options->data_directory) {
        g_free (configuration->data_directory);
        configuration->data_directory = g_strdup (options->data_directory);
    }
    for (guint i = 0; options->prompts && i < configuration->cameras->len; i++) {
        MonitorCameraConfig *config = configuration->cameras->pdata[i];

        g_free (config->prompts);
        config->prompts = g_strdup (options->prompts);
    }
    return TRUE;
}

static MonitorConfiguration *
read_configuration (const Options *options, GError **error)
{
    g_autoptr (MonitorConfiguration) configuration =
            options->config ? monitor_configuration_read (options->config, error)
                            : monitor_configuration_new_for_uris (options->uris, error);

    if (!configuration || !apply_options (options, configuration, error) ||
            !monitor_server_check (configuration, error))
        return NULL;
    return g_steal_pointer (&configuration);
}

/* ---- Cameras -------------------------------------------------------------------------------- */

static void
on_camera_event (MonitorCamera *camera, MonitorEvent *event, gpointer data)
{
    Monitor *monitor = data;

    (void)camera;
    if (monitor->store)
        monitor_store_add (monitor->store, monitor_event_ref (event));
}

static void
add_camera (Monitor *monitor, const MonitorCameraConfig *config)
{
    g_autoptr (MonitorCamera) camera = monitor_camera_new (config, monitor->configuration);

    g_signal_connect (camera, "event", G_CALLBACK (on_camera_event), monitor);
    g_list_store_append (monitor->cameras, camera);
    monitor_camera_start (camera);
}

static MonitorCamera *
get_camera (Monitor *monitor, guint position)
{
    MonitorCamera *camera = g_list_model_get_item (G_LIST_MODEL (monitor->cameras), position);

    /* The list has it too. */
    g_object_unref (camera);
    return camera;
}

static void
remove_camera (Monitor *monitor, guint position)
{
    MonitorCamera *camera = get_camera (monitor, position);

    monitor_camera_stop (camera);
    /* What its end ends is still to be heard. */
    g_hash_table_add (monitor->leaving, g_object_ref (camera));
    g_list_store_remove (monitor->cameras, position);
}

static gboolean
is_gone (gpointer key, gpointer value, gpointer data)
{
    (void)value;
    (void)data;
    return !monitor_camera_is_busy (key);
}

/* ---- Events --------------------------------------------------------------------------------- */

static void
on_announced (MonitorEvent *event, gpointer data)
{
    Monitor *monitor = data;

    for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (monitor->cameras)); i++) {
        MonitorCamera *camera = get_camera (monitor, i);

        if (g_str_equal (monitor_camera_get_name (camera), event->camera))
            monitor_camera_set_last_event (camera, event);
    }
    if (monitor->server)
        monitor_server_announce (monitor->server, event);
    if (monitor->hooks)
        monitor_hooks_run (monitor->hooks, event);
}

/* ---- Reloading ------------------------------------------------------------------------------ */

static void
change_cameras (Monitor *monitor, const GPtrArray *before)
{
    const GPtrArray *after = monitor->configuration->cameras;

    for (guint i = g_list_model_get_n_items (G_LIST_MODEL (monitor->cameras)); i > 0; i--) {
        const char *name = monitor_camera_get_name (get_camera (monitor, i - 1));
        const MonitorCameraConfig *new = monitor_configuration_find_camera (after, name);
        const MonitorCameraConfig *old = monitor_configuration_find_camera (before, name);

        if (!new || !old || !monitor_camera_config_equal (new, old)) {
            g_message ("%s: %s", name, new ? "has another configuration" : "is removed");
            remove_camera (monitor, i - 1);
        } else {
            monitor_camera_reread_prompts (get_camera (monitor, i - 1));
        }
    }
    for (guint i = 0; i < after->len; i++) {
        const MonitorCameraConfig *new = after->pdata[i];
        const MonitorCameraConfig *old = monitor_configuration_find_camera (before, new->name);

        if (!old || !monitor_camera_config_equal (new, old))
            add_camera (monitor, new);
    }
}

static gboolean
is_same_process (const MonitorConfiguration *one, const MonitorConfiguration *other)
{
    return g_str_equal (one->listen, other->listen) && one->port == other->port &&
           g_strcmp0 (one->token, other->token) == 0 &&
           g_strcmp0 (one->tls_certificate, other->tls_certificate) == 0 &&
           g_strcmp0 (one->tls_key, other->tls_key) == 0 &&
           g_str_equal (one->data_directory, other->data_directory) &&
           g_strcmp0 (one->model, other->model) == 0 &&
           g_strcmp0 (one->precision, other->precision) == 0 && one->threads == other->threads &&
           g_strcmp0 (one->mqtt_address, other->mqtt_address) == 0 &&
           g_strcmp0 (one->mqtt_config, other->mqtt_config) == 0;
}

static gboolean
on_reload (gpointer data)
{
    Monitor *monitor = data;
    MonitorConfiguration *configuration = monitor->configuration;
    g_autoptr (MonitorConfiguration) after = NULL;
    g_autoptr (GPtrArray) before = NULL;
    g_autoptr (GError) error = NULL;

    if (monitor->is_stopping)
        return G_SOURCE_CONTINUE;
    after = read_configuration (monitor->options, &error);
    if (!after || !monitor_inspection_run (after, &error)) {
        g_warning ("the configuration stays as it was: %s", error->message);
        return G_SOURCE_CONTINUE;
    }
    if (!is_same_process (configuration, after))
        g_warning ("listen, port, token, TLS, data_directory, model, precision, threads and mqtt "
                   "change only with a restart");
    monitor_store_set_retention (monitor->store, &after->retention);
    monitor_hooks_set (monitor->hooks, after->hooks);
    /* All else is as it was for new cameras too, until the restart. */
    before = g_steal_pointer (&configuration->cameras);
    configuration->cameras = g_ptr_array_ref (after->cameras);
    change_cameras (monitor, before);
    g_message ("the configuration was read again: %u cameras", after->cameras->len);
    return G_SOURCE_CONTINUE;
}

/* ---- Stopping ------------------------------------------------------------------------------- */

static gboolean
on_signal (gpointer data)
{
    Monitor *monitor = data;

    if (monitor->is_stopping) {
        monitor->status = FAILED;
        g_warning ("stopped at once");
    }
    monitor->is_stopping = TRUE;
    g_main_loop_quit (monitor->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_stop_tick (gpointer data)
{
    Monitor *monitor = data;

    g_hash_table_foreach_remove (monitor->leaving, is_gone, NULL);
    if (g_hash_table_size (monitor->leaving) > 0)
        return G_SOURCE_CONTINUE;
    g_main_loop_quit (monitor->loop);
    return G_SOURCE_REMOVE;
}

static gboolean
on_stop_limit (gpointer data)
{
    Monitor *monitor = data;

    g_warning ("%u cameras do not end", g_hash_table_size (monitor->leaving));
    g_main_loop_quit (monitor->loop);
    return G_SOURCE_CONTINUE;
}

/* Leaves nothing of what the ends of the cameras have to say. FALSE: some did not end. */
static gboolean
stop_cameras (Monitor *monitor)
{
    guint tick, limit;

    while (g_list_model_get_n_items (G_LIST_MODEL (monitor->cameras)) > 0)
        remove_camera (monitor, 0);
    tick = g_timeout_add (STOP_TICK, on_stop_tick, monitor);
    limit = g_timeout_add (STOP_LIMIT, on_stop_limit, monitor);
    g_main_loop_run (monitor->loop);
    g_source_remove (limit);
    if (g_hash_table_size (monitor->leaving) == 0)
        return TRUE;
    g_source_remove (tick);
    return FALSE;
}

static gboolean
on_sweep (gpointer data)
{
    g_hash_table_foreach_remove (((Monitor *)data)->leaving, is_gone, NULL);
    return G_SOURCE_CONTINUE;
}

/* ---- Starting ------------------------------------------------------------------------------- */

static gboolean
open_parts (Monitor *monitor, GError **error)
{
    MonitorConfiguration *configuration = monitor->configuration;
    g_autofree char *path = g_build_filename (configuration->data_directory, "events.sqlite", NULL);

    if (g_mkdir_with_parents (configuration->data_directory, 0700) != 0) {
        g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                "data_directory %s cannot be made: %s", configuration->data_directory,
                g_strerror (errno));
        return FALSE;
    }
    monitor->store =
            monitor_store_open (path, &configuration->retention, on_announced, monitor, error);
    if (!monitor->store)
        return FALSE;
    monitor->hooks = monitor_hooks_new (configuration->hooks);
    monitor->server = monitor_server_new (
            configuration, G_LIST_MODEL (monitor->cameras), monitor->store, monitor->hooks, error);
    return monitor->server != NULL;
}

/* GLib initialises a class with a lock held that registering a type with an interface needs too:
 * two threads that meet the network's types for the first time at once can wait for each other for
 * ever.
 */
static void
initialise_network_classes (void)
{
    const GType types[] = { G_TYPE_INET_SOCKET_ADDRESS, G_TYPE_UNIX_SOCKET_ADDRESS,
        G_TYPE_SOCKET_LISTENER, G_TYPE_SOCKET_CLIENT, G_TYPE_SUBPROCESS, SOUP_TYPE_SERVER,
        SOUP_TYPE_SESSION, SOUP_TYPE_MESSAGE };

    for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
        g_type_class_unref (g_type_class_ref (types[i]));
}

/* Otherwise the model is opened anew whenever the only camera comes back. */
static gboolean
keep_model (Monitor *monitor, GError **error)
{
    const MonitorConfiguration *configuration = monitor->configuration;

    monitor->keeper = gst_element_factory_make ("altclipfilter", NULL);
    if (!monitor->keeper) {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "GStreamer does not find altclipfilter: is altclip installed, or GST_PLUGIN_PATH "
                "set?");
        return FALSE;
    }
    gst_object_ref_sink (monitor->keeper);
    g_object_set (monitor->keeper, "model", configuration->model, "threads", configuration->threads,
            NULL);
    if (configuration->precision)
        gst_util_set_object_arg (G_OBJECT (monitor->keeper), "precision", configuration->precision);
    gst_element_set_state (monitor->keeper, GST_STATE_READY);
    return TRUE;
}

static void
close_parts (Monitor *monitor)
{
    g_clear_pointer (&monitor->server, monitor_server_free);
    /* Announces what it still writes: to hooks. */
    g_clear_pointer (&monitor->store, monitor_store_close);
    g_clear_pointer (&monitor->hooks, monitor_hooks_free);
    if (monitor->keeper)
        gst_element_set_state (monitor->keeper, GST_STATE_NULL);
    gst_clear_object (&monitor->keeper);
}

static void
print_address (const MonitorConfiguration *configuration, guint16 port)
{
    gboolean is_ipv6 = strchr (configuration->listen, ':') != NULL;

    printf ("%s://%s%s%s:%u/\n", configuration->tls_certificate ? "https" : "http",
            is_ipv6 ? "[" : "", configuration->listen, is_ipv6 ? "]" : "", port);
    fflush (stdout);
}

static int
watch (Monitor *monitor)
{
    guint sources[3];

    for (guint i = 0; i < monitor->configuration->cameras->len; i++)
        add_camera (monitor, monitor->configuration->cameras->pdata[i]);
    sources[0] = g_unix_signal_add (SIGINT, on_signal, monitor);
    sources[1] = g_unix_signal_add (SIGTERM, on_signal, monitor);
    sources[2] = g_timeout_add (1000, on_sweep, monitor);
    g_main_loop_run (monitor->loop);
    g_message ("stopping");
    if (!stop_cameras (monitor))
        monitor->status = FAILED;
    for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
        g_source_remove (sources[i]);
    return monitor->status;
}

static int
run (Monitor *monitor)
{
    g_autoptr (GError) error = NULL;
    int status = FAILED;

    initialise_network_classes ();
    monitor->cameras = g_list_store_new (MONITOR_TYPE_CAMERA);
    monitor->leaving = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
    monitor->loop = g_main_loop_new (NULL, FALSE);
    if (keep_model (monitor, &error) && open_parts (monitor, &error)) {
        print_address (monitor->configuration, monitor_server_get_port (monitor->server));
        status = watch (monitor);
    } else {
        g_critical ("%s", error->message);
    }
    close_parts (monitor);
    monitor_configuration_free (monitor->configuration);
    if (g_hash_table_size (monitor->leaving) > 0) {
        /* A thread hangs in a driver, say: what it uses is left to the system. */
        fflush (NULL);
        _exit (status);
    }
    g_hash_table_unref (monitor->leaving);
    g_object_unref (monitor->cameras);
    g_main_loop_unref (monitor->loop);
    return status;
}

/* ---- Options -------------------------------------------------------------------------------- */

static void
options_clear (Options *options)
{
    g_free (options->config);
    g_strfreev (options->uris);
    g_free (options->listen);
    g_free (options->data_directory);
    g_free (options->log_level);
    g_free (options->prompts);
}

/* The words that GLib would print as they are may hold passwords; `ps` shows them anyway. */
static gboolean
parse_options (int *argc, char ***argv, Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        { "config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config,
                "JSON file with cameras and all else", "FILE" },
        { "check", 0, 0, G_OPTION_ARG_NONE, &options->check,
                "Say whether the configuration is right, and end", NULL },
        { "listen", 0, 0, G_OPTION_ARG_STRING, &options->listen,
                "Address to show the page at (127.0.0.1)", "ADDRESS" },
        { "port", 'p', 0, G_OPTION_ARG_INT, &options->port,
                "Port of it (8090); 0: any that is free", "PORT" },
        { "data-directory", 'd', 0, G_OPTION_ARG_FILENAME, &options->data_directory,
                "Where events and edited prompts are kept", "FOLDER" },
        { "prompts", 0, 0, G_OPTION_ARG_STRING, &options->prompts,
                "What to look for with cameras on the command line", "LABEL;LABEL…" },
        { "log-level", 0, 0, G_OPTION_ARG_STRING, &options->log_level,
                "error, warning, info or debug (info)", "LEVEL" },
        { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version", NULL },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->uris, NULL, "[ADDRESS…]" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr (GOptionContext) context = g_option_context_new (NULL);

    options->port = -1;
    g_option_context_add_main_entries (context, entries, NULL);
    g_option_context_set_summary (context, DESCRIPTION);
    return g_option_context_parse (context, argc, argv, error);
}

/* (nullable): what is wrong */
static const char *
find_fault (const Options *options)
{
    if (options->log_level && !set_level (options->log_level))
        return "--log-level: it is none of error, warning, info, debug";
    if (options->port < -1 || options->port > 65535)
        return "--port: it is not from 0 to 65535";
    if (options->config && options->uris)
        return "either --config or addresses, not both";
    if (!options->config && !options->uris)
        return "no camera is named: give --config FILE or an address. Try --help.";
    if (options->prompts && options->config)
        return "--prompts is for addresses: the configuration has its own";
    return NULL;
}

static int
refuse (const char *text, int status)
{
    g_autofree char *scrubbed = monitor_message_scrub (text, NULL, NULL);

    fprintf (stderr, "altclip-monitor: %s\n", scrubbed);
    return status;
}

static int
start (Monitor *monitor)
{
    const Options *options = monitor->options;
    g_autoptr (GError) error = NULL;
    MonitorConfiguration *configuration;
    const char *fault = find_fault (options);

    if (fault)
        return refuse (fault, USAGE);
    if (options->prompts) {
        g_autoptr (AltclipPrompts) prompts = monitor_prompts_parse (options->prompts, NULL, &error);

        if (!prompts)
            return refuse (error->message, USAGE);
    }
    configuration = read_configuration (options, &error);
    if (!configuration)
        return refuse (error->message, USAGE);
    /* A disk that is not there yet may be at the next try. */
    if (!monitor_inspection_run (configuration, &error)) {
        monitor_configuration_free (configuration);
        return refuse (error->message, FAILED);
    }
    if (!options->check) {
        monitor->configuration = configuration;
        return run (monitor);
    }
    printf ("%u cameras, %u hooks: the configuration is right\n", configuration->cameras->len,
            configuration->hooks->len);
    monitor_configuration_free (configuration);
    return SUCCESS;
}

int
main (int argc, char **argv)
{
    Options options = { 0 };
    Monitor monitor = { .options = &options };
    g_autoptr (GError) error = NULL;
    int status;

    setlocale (LC_ALL, "");
#ifdef M_ARENA_MAX
    /* Each camera has a dozen threads, and each connection new ones: with a heap for each of them,
     * what one has freed is not there for the next, and memory grows for hours. */
    mallopt (M_ARENA_MAX, 2);
#endif
#ifdef M_MMAP_THRESHOLD
    /* Frames are in pools, and go back to the system when their connection ends: among what stays,
     * they would leave holes. Set, it does not grow with what is freed. */
    mallopt (M_MMAP_THRESHOLD, 256 << 10);
#endif
    /* What a camera sends shall end nothing, and what a hook or a viewer closes neither. */
    signal (SIGPIPE, SIG_IGN);
    g_log_set_writer_func (write_log, NULL, NULL);
    if (!parse_options (&argc, &argv, &options, &error)) {
        status = refuse (error->message, USAGE);
    } else if (options.version) {
        printf ("altclip-monitor %s\n", ALTCLIP_VERSION);
        status = SUCCESS;
    } else {
        /* Otherwise it would end the process: what comes while parts are opened waits until they
         * are, and what comes when all ends is nothing to anybody. */
        g_unix_signal_add (SIGHUP, on_reload, &monitor);
        gst_init (NULL, NULL);
        status = start (&monitor);
    }
    options_clear (&options);
    return status;
}
