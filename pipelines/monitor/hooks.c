/* altclip: commands to run and addresses to tell when something begins or ends
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hooks.h"

#include <string.h>

#include "child.h"
#include "webhook.h"

#define MAX_RUNNING 4
#define MAX_RUNNING_OF_ONE 2
/* Of one hook. */
#define MAX_WAITING 64

#define DEFAULT_TIMEOUT 10             /* s */
#define MAX_TIMEOUT 3600               /* s */
#define LAST_WAIT 2000                 /* ms */
#define NEWS (30 * G_TIME_SPAN_SECOND) /* between two lines of the log about one hook: µs */

/* How long the calls of what was cancelled may take: µs. */
#define MAX_CALLS (G_TIME_SPAN_SECOND / 10)

#define NANOSECONDS 1e9

typedef struct {
    MonitorHookConfig config;
    char *name;       /* for the log: nothing secret */
    gboolean retired; /* gets no more events; goes when it has done with those that it has */
    GQueue waiting;
    guint n_running;
    gint64 told;    /* monotonic: when a failure was logged; 0: never */
    guint n_untold; /* failures since then */
} Hook;

typedef struct {
    MonitorHooks *hooks;
    Hook *hook;
    MonitorEvent *event;
    GBytes *json;
    MonitorChild *child; /* either, while it runs */
    MonitorWebhook *webhook;
} Job;

struct _MonitorHooks {
    char **environment;
    GThread *thread;
    GMainContext *context;
    GMainLoop *loop;

    /* The thread's. */
    SoupSession *session;
    GPtrArray *running; /* of Job */
    guint next;         /* hook, in turn */
    gboolean closing;

    GMutex lock;      /* of the hooks' queues, and of these */
    GPtrArray *hooks; /* of Hook; the thread's alone to take from */
    MonitorHooksStats stats;
};

/* ---- Hooks ----------------------------------------------------------------------------------- */

static char *
dup_name (const MonitorHookConfig *config)
{
    if (config->command && config->command[0])
        return g_path_get_basename (config->command[0]);
    return monitor_webhook_dup_name (config->url);
}

static guint
get_timeout (const MonitorHookConfig *config)
{
    return config->timeout ? MIN (config->timeout, MAX_TIMEOUT) : DEFAULT_TIMEOUT;
}

static Hook *
new_hook (const MonitorHookConfig *config)
{
    Hook *hook = g_new0 (Hook, 1);

    hook->config.command =
            config->command && config->command[0] ? g_strdupv (config->command) : NULL;
    hook->config.url = g_strdup (config->url);
    hook->config.label = g_strdup (config->label);
    hook->config.camera = g_strdup (config->camera);
    hook->config.kind = g_strdup (config->kind);
    hook->config.timeout = get_timeout (config);
    hook->name = dup_name (config);
    g_queue_init (&hook->waiting);
    return hook;
}

static void
free_job (gpointer data)
{
    Job *job = data;

    monitor_event_unref (job->event);
    g_bytes_unref (job->json);
    g_free (job);
}

static void
free_hook (gpointer data)
{
    Hook *hook = data;

    g_queue_clear_full (&hook->waiting, free_job);
    g_strfreev (hook->config.command);
    g_free (hook->config.url);
    g_free (hook->config.label);
    g_free (hook->config.camera);
    g_free (hook->config.kind);
    g_free (hook->name);
    g_free (hook);
}

static gboolean
has_command (const Hook *hook, char **command)
{
    if (!hook->config.command || !command || !command[0])
        return !hook->config.command && (!command || !command[0]);
    return g_strv_equal ((const char *const *)hook->config.command, (const char *const *)command);
}

static gboolean
is_same (const Hook *hook, const MonitorHookConfig *config)
{
    return has_command (hook, config->command) && g_strcmp0 (hook->config.url, config->url) == 0 &&
           g_strcmp0 (hook->config.label, config->label) == 0 &&
           g_strcmp0 (hook->config.camera, config->camera) == 0 &&
           g_strcmp0 (hook->config.kind, config->kind) == 0 &&
           hook->config.timeout == get_timeout (config);
}

static gboolean
is_asked (const char *asked, const char *value)
{
    return !asked || g_strcmp0 (asked, value) == 0;
}

static gboolean
wants (const Hook *hook, const MonitorEvent *event)
{
    return !hook->retired && is_asked (hook->config.camera, event->camera) &&
           is_asked (hook->config.label, event->label) && is_asked (hook->config.kind, event->kind);
}

/* ---- What a command is told ------------------------------------------------------------------ */

static char **
set_number (char **environment, const char *name, double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd (text, sizeof text, "%.9g", number);
    return g_environ_setenv (environment, name, text, TRUE);
}

static char **
set_text (char **environment, const char *name, const char *text)
{
    return text ? g_environ_setenv (environment, name, text, TRUE) : environment;
}

static char **
new_environment (char **base, const MonitorEvent *event)
{
    g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, event->id);
    g_autofree char *time = monitor_event_format_time (event->time);
    char **environment = g_strdupv (base);

    environment = set_text (environment, "ALTCLIP_ID", id);
    environment = set_text (environment, "ALTCLIP_CAMERA", event->camera);
    environment = set_text (environment, "ALTCLIP_LABEL", event->label);
    environment = set_text (environment, "ALTCLIP_KIND", event->kind);
    environment = set_text (environment, "ALTCLIP_TIME", time);
    environment = set_number (environment, "ALTCLIP_SCORE", event->score);
    environment = set_number (environment, "ALTCLIP_PEAK", event->peak);
    if (g_strcmp0 (event->kind, "end") == 0)
        environment =
                set_number (environment, "ALTCLIP_DURATION", (double)event->duration / NANOSECONDS);
    environment = set_text (environment, "ALTCLIP_REASON", event->reason);
    return set_text (environment, "ALTCLIP_REGION", event->region);
}

/* Tokens and cameras' passwords may be among what is left out. */
static char **
new_base_environment (void)
{
    char **all = g_get_environ ();
    GPtrArray *kept = g_ptr_array_new ();

    for (guint i = 0; all[i]; i++) {
        if (g_str_has_prefix (all[i], "ALTCLIP_"))
            g_free (all[i]);
        else
            g_ptr_array_add (kept, all[i]);
    }
    g_free (all);
    g_ptr_array_add (kept, NULL);
    return (char **)g_ptr_array_free (kept, FALSE);
}

/* ---- What became of it ----------------------------------------------------------------------- */

/* One that fails each time does not fill the log. */
static void
tell_failure (Hook *hook, const char *failure)
{
    gint64 now = g_get_monotonic_time ();

    if (hook->told && now - hook->told < NEWS) {
        hook->n_untold++;
        return;
    }
    if (hook->n_untold > 0)
        g_warning (
                "Hook %s: %s (and %u more failures before)", hook->name, failure, hook->n_untold);
    else
        g_warning ("Hook %s: %s", hook->name, failure);
    hook->told = now;
    hook->n_untold = 0;
}

static void
count (MonitorHooks *hooks, const char *failure, gboolean in_time)
{
    g_mutex_lock (&hooks->lock);
    hooks->stats.running--;
    hooks->stats.succeeded += failure == NULL;
    hooks->stats.failed += failure != NULL;
    hooks->stats.timed_out += !in_time;
    g_mutex_unlock (&hooks->lock);
}

static void start_some (MonitorHooks *hooks);

static void
note_done (const char *failure, gboolean in_time, gpointer data)
{
    Job *job = data;
    MonitorHooks *hooks = job->hooks;

    count (hooks, failure, in_time);
    if (failure)
        tell_failure (job->hook, failure);
    job->hook->n_running--;
    g_ptr_array_remove (hooks->running, job);
    start_some (hooks);
}

/* ---- Starting -------------------------------------------------------------------------------- */

static void
start_command (Job *job, GError **error)
{
    const MonitorHookConfig *config = &job->hook->config;
    g_auto (GStrv) environment = new_environment (job->hooks->environment, job->event);

    job->child = monitor_child_start (
            config->command, environment, job->json, config->timeout, note_done, job, error);
}

static void
start_webhook (Job *job, GError **error)
{
    const MonitorHookConfig *config = &job->hook->config;

    job->webhook = monitor_webhook_start (
            job->hooks->session, config->url, job->json, config->timeout, note_done, job, error);
}

/* Takes the job. */
static void
start (Job *job)
{
    MonitorHooks *hooks = job->hooks;
    g_autoptr (GError) error = NULL;

    if (job->hook->config.command)
        start_command (job, &error);
    else
        start_webhook (job, &error);
    if (!error) {
        job->hook->n_running++;
        g_ptr_array_add (hooks->running, job);
        return;
    }
    count (hooks, error->message, TRUE);
    tell_failure (job->hook, error->message);
    free_job (job);
}

static gboolean
is_running (MonitorHooks *hooks, const Hook *hook, const char *camera)
{
    for (guint i = 0; i < hooks->running->len; i++) {
        const Job *job = g_ptr_array_index (hooks->running, i);

        if (job->hook == hook && g_strcmp0 (job->event->camera, camera) == 0)
            return TRUE;
    }
    return FALSE;
}

/* With the lock. */
static Job *
take_of_hook (MonitorHooks *hooks, Hook *hook)
{
    guint most = hooks->hooks->len > 1 ? MAX_RUNNING_OF_ONE : MAX_RUNNING;

    if (hook->n_running >= most)
        return NULL;
    for (GList *link = hook->waiting.head; link; link = link->next) {
        Job *job = link->data;

        if (!is_running (hooks, hook, job->event->camera)) {
            g_queue_delete_link (&hook->waiting, link);
            return job;
        }
    }
    return NULL;
}

/* Each hook in its turn.
 *
 * Returns: (nullable) (transfer full): what may start. */
static Job *
take_job (MonitorHooks *hooks)
{
    Job *job = NULL;

    g_mutex_lock (&hooks->lock);
    for (guint i = 0; i < hooks->hooks->len && !job; i++)
        job = take_of_hook (
                hooks, g_ptr_array_index (hooks->hooks, hooks->next++ % hooks->hooks->len));
    if (job) {
        hooks->stats.waiting--;
        hooks->stats.running++;
    }
    g_mutex_unlock (&hooks->lock);
    return job;
}

static void
drop_retired (MonitorHooks *hooks)
{
    g_mutex_lock (&hooks->lock);
    for (guint i = hooks->hooks->len; i-- > 0;) {
        const Hook *hook = g_ptr_array_index (hooks->hooks, i);

        if (hook->retired && hook->waiting.length == 0 && hook->n_running == 0)
            g_ptr_array_remove_index (hooks->hooks, i);
    }
    g_mutex_unlock (&hooks->lock);
}

static void
start_some (MonitorHooks *hooks)
{
    Job *job;

    while (hooks->running->len < MAX_RUNNING && (job = take_job (hooks)))
        start (job);
    drop_retired (hooks);
    if (hooks->closing && hooks->running->len == 0)
        g_main_loop_quit (hooks->loop);
}

/* ---- The thread ------------------------------------------------------------------------------ */

static gboolean
start_waiting (gpointer data)
{
    start_some (data);
    return G_SOURCE_REMOVE;
}

static gboolean
quit (gpointer data)
{
    MonitorHooks *hooks = data;

    g_main_loop_quit (hooks->loop);
    return G_SOURCE_REMOVE;
}

/* Takes the source. */
static void
attach (MonitorHooks *hooks, GSource *source, GSourceFunc function)
{
    g_source_set_priority (source, G_PRIORITY_DEFAULT);
    g_source_set_callback (source, function, hooks, NULL);
    g_source_attach (source, hooks->context);
    g_source_unref (source);
}

static gboolean
begin_closing (gpointer data)
{
    MonitorHooks *hooks = data;

    hooks->closing = TRUE;
    attach (hooks, g_timeout_source_new (LAST_WAIT), quit);
    start_some (hooks);
    return G_SOURCE_REMOVE;
}

static void
end_all (MonitorHooks *hooks)
{
    guint n = hooks->running->len;

    for (guint i = 0; i < n; i++) {
        Job *job = g_ptr_array_index (hooks->running, i);

        if (job->child)
            monitor_child_kill (job->child);
        else
            monitor_webhook_cancel (job->webhook);
    }
    if (n + hooks->stats.waiting > 0)
        g_warning ("%u hooks were ended before they were done, and %u never ran", n,
                hooks->stats.waiting);
}

/* What was cancelled has a call to come. */
static void
wait_for_calls (MonitorHooks *hooks)
{
    gint64 end = g_get_monotonic_time () + MAX_CALLS;

    while (hooks->running->len > 0 && g_get_monotonic_time () < end)
        if (!g_main_context_iteration (hooks->context, FALSE))
            g_usleep (1000);
}

static gpointer
run_hooks (gpointer data)
{
    MonitorHooks *hooks = data;

    g_main_context_push_thread_default (hooks->context);
    hooks->session = soup_session_new_with_options (
            "user-agent", "altclip-monitor/" ALTCLIP_VERSION, "timeout", 0, NULL);
    hooks->running = g_ptr_array_new_with_free_func (free_job);
    g_main_loop_run (hooks->loop);
    end_all (hooks);
    wait_for_calls (hooks);
    g_ptr_array_unref (hooks->running);
    g_object_unref (hooks->session);
    g_main_context_pop_thread_default (hooks->context);
    return NULL;
}

/* ---- From outside ---------------------------------------------------------------------------- */

/* With the lock. */
static Hook *
find_retired (MonitorHooks *hooks, const MonitorHookConfig *config)
{
    for (guint i = 0; i < hooks->hooks->len; i++) {
        Hook *hook = g_ptr_array_index (hooks->hooks, i);

        if (hook->retired && is_same (hook, config))
            return hook;
    }
    return NULL;
}

/* With the lock. */
static void
set_hook (MonitorHooks *hooks, const MonitorHookConfig *config)
{
    Hook *hook = find_retired (hooks, config);

    g_return_if_fail (config->url || (config->command && config->command[0]));

    if (hook)
        hook->retired = FALSE;
    else
        g_ptr_array_add (hooks->hooks, new_hook (config));
}

void
monitor_hooks_set (MonitorHooks *hooks, GPtrArray *configs)
{
    g_mutex_lock (&hooks->lock);
    for (guint i = 0; i < hooks->hooks->len; i++)
        ((Hook *)g_ptr_array_index (hooks->hooks, i))->retired = TRUE;
    for (guint i = 0; configs && i < configs->len; i++)
        set_hook (hooks, g_ptr_array_index (configs, i));
    g_mutex_unlock (&hooks->lock);
    attach (hooks, g_idle_source_new (), start_waiting);
}

MonitorHooks *
monitor_hooks_new (GPtrArray *configs)
{
    MonitorHooks *hooks = g_new0 (MonitorHooks, 1);

    hooks->hooks = g_ptr_array_new_with_free_func (free_hook);
    hooks->environment = new_base_environment ();
    hooks->context = g_main_context_new ();
    hooks->loop = g_main_loop_new (hooks->context, FALSE);
    g_mutex_init (&hooks->lock);
    monitor_hooks_set (hooks, configs);
    hooks->thread = g_thread_new ("hooks", run_hooks, hooks);
    return hooks;
}

static GBytes *
new_json (const MonitorEvent *event)
{
    json_t *object = monitor_event_to_json (event);
    char *text = json_dumps (object, JSON_COMPACT | JSON_REAL_PRECISION (9));
    GBytes *bytes = g_bytes_new_with_free_func (text, strlen (text), free, text);

    json_decref (object);
    return bytes;
}

static Job *
new_job (MonitorHooks *hooks, Hook *hook, MonitorEvent *event, GBytes *json)
{
    Job *job = g_new0 (Job, 1);

    job->hooks = hooks;
    job->hook = hook;
    job->event = monitor_event_ref (event);
    job->json = g_bytes_ref (json);
    return job;
}

/* With the lock. */
static void
add (MonitorHooks *hooks, Hook *hook, Job *job)
{
    g_queue_push_tail (&hook->waiting, job);
    if (hook->waiting.length > MAX_WAITING) {
        free_job (g_queue_pop_head (&hook->waiting));
        hooks->stats.dropped++;
    } else {
        hooks->stats.waiting++;
    }
}

void
monitor_hooks_run (MonitorHooks *hooks, MonitorEvent *event)
{
    g_autoptr (GBytes) json = NULL;

    g_mutex_lock (&hooks->lock);
    for (guint i = 0; i < hooks->hooks->len; i++) {
        Hook *hook = g_ptr_array_index (hooks->hooks, i);

        if (!wants (hook, event))
            continue;
        if (!json)
            json = new_json (event);
        add (hooks, hook, new_job (hooks, hook, event, json));
    }
    g_mutex_unlock (&hooks->lock);
    if (json)
        attach (hooks, g_idle_source_new (), start_waiting);
}

void
monitor_hooks_get_stats (MonitorHooks *hooks, MonitorHooksStats *stats)
{
    g_mutex_lock (&hooks->lock);
    *stats = hooks->stats;
    g_mutex_unlock (&hooks->lock);
}

void
monitor_hooks_free (MonitorHooks *hooks)
{
    attach (hooks, g_idle_source_new (), begin_closing);
    g_thread_join (hooks->thread);
    g_ptr_array_unref (hooks->hooks);
    g_strfreev (hooks->environment);
    g_main_loop_unref (hooks->loop);
    g_main_context_unref (hooks->context);
    g_mutex_clear (&hooks->lock);
    g_free (hooks);
}
