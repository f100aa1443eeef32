/* altclip watch: what a video or a camera shows, as it happens
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipfilter.h"
#include "command_filter.h"
#include "command_model.h"
#include "command_prompts.h"
#include "watcher.h"

#include <glib-unix.h>
#include <math.h>
#include <signal.h>

#define DEFAULT_INTERVAL 0.2 /* seconds */
#define DEFAULT_TIMEOUT 30.0
#define LOOK_AROUND 200 /* ms */
#define AT_ONCE (G_TIME_SPAN_SECOND / 5)

/* ---- Arguments ------------------------------------------------------------------------------- */

/* What the arguments ask for. */
typedef struct {
    PromptsArguments prompts;
    FilterArguments filter;
    double timeout;
    gboolean results;
    ModelArguments model;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
    prompts_arguments_clear (&arguments->prompts);
    filter_arguments_clear (&arguments->filter);
    model_arguments_clear (&arguments->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
check_arguments (Arguments *arguments)
{
    return prompts_arguments_check (&COMMAND_WATCH, &arguments->prompts) &&
           filter_arguments_check (&COMMAND_WATCH, &arguments->filter) &&
           command_check_seconds (&COMMAND_WATCH, "--timeout", arguments->timeout) &&
           model_arguments_check (&COMMAND_WATCH, &arguments->model);
}

/* Whether the prompts are such that the filter can take them, so that what is wrong is told at
 * once. To the filter the file's score_mode goes before its property. */
static gboolean
check_prompts (const Arguments *arguments, AltclipScoreMode *mode, int *status)
{
    g_autoptr (AltclipPrompts) prompts =
            prompts_arguments_load (&COMMAND_WATCH, &arguments->prompts, mode, status);

    if (!prompts)
        return FALSE;
    if (altclip_prompts_get_score_mode (prompts, *mode) == *mode)
        return TRUE;
    *status = command_refuse (&COMMAND_WATCH,
            "--score-mode is '%s', but the file of prompts has another score_mode",
            arguments->prompts.score_mode);
    return FALSE;
}

/* ---- One run --------------------------------------------------------------------------------- */

typedef struct {
    const char *directory;
    const Arguments *arguments;
    AltclipScoreMode mode;
    GArray *sources;     /* of Source */
    GPtrArray *watchers; /* (element-type Watcher): of each source */
    Console console;
    GMainLoop *loop;
    gboolean is_ending;
    int status;
} Run;

/* A handler can do little more than leave word. */
static volatile sig_atomic_t was_interrupted;

/* The second time, the system does what it does without a handler. Some who send a signal, as
 * timeout does, send it twice at once: to the process, and to its group. */
static void
on_signal (int number)
{
    static gint64 first;
    gint64 now = g_get_monotonic_time ();

    if (!was_interrupted) {
        first = now;
        was_interrupted = 1;
    } else if (now - first > AT_ONCE) {
        signal (number, SIG_DFL);
        raise (number);
    }
}

static void
catch_signals (void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigemptyset (&action.sa_mask);
    sigaddset (&action.sa_mask, SIGINT);
    sigaddset (&action.sa_mask, SIGTERM);
    sigaction (SIGINT, &action, NULL);
    sigaction (SIGTERM, &action, NULL);
}

static Watcher *
get_watcher (const Run *run, guint i)
{
    return g_ptr_array_index (run->watchers, i);
}

static const Source *
get_source (const Run *run, guint i)
{
    return &g_array_index (run->sources, Source, i);
}

/* ---- Progress -------------------------------------------------------------------------------- */

/* Labels of several sources alike are told once. */
static char *
join_active (const Run *run)
{
    g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
    g_autoptr (GString) text = g_string_new (NULL);

    for (guint i = 0; i < run->watchers->len; i++)
        watcher_append_active (get_watcher (run, i), names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index (names, i);
        guint first;

        g_ptr_array_find_with_equal_func (names, name, g_str_equal, &first);
        if (first == i)
            g_string_append_printf (text, "%s%s", text->len ? ", " : "", name);
    }
    return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Of files the time in all that were begun, and how long those are; of the rest there is no
 * telling. */
static void
update_console (Run *run)
{
    g_autofree char *active = join_active (run);
    guint64 time = 0;
    guint64 duration = 0;
    guint n_frames = 0;

    for (guint i = 0; i < run->watchers->len; i++) {
        guint64 own_time;
        guint64 own_duration;
        guint own_frames;

        watcher_get_progress (get_watcher (run, i), &own_time, &own_duration, &own_frames);
        time = run->watchers->len == 1 || get_source (run, i)->is_file ? time + own_time
                                                                       : MAX (time, own_time);
        duration += own_duration;
        n_frames += own_frames;
    }
    console_update (&run->console, time, run->watchers->len == 1 ? duration : 0, n_frames, active);
}

/* ---- Watching -------------------------------------------------------------------------------- */

static gboolean
is_busy (const Run *run)
{
    for (guint i = 0; i < run->watchers->len; i++) {
        if (watcher_is_busy (get_watcher (run, i)))
            return TRUE;
    }
    return FALSE;
}

static GstElement *
new_filter (const Run *run)
{
    const Arguments *arguments = run->arguments;
    const PromptsArguments *prompts = &arguments->prompts;
    GstElement *filter = g_object_new (GST_TYPE_ALTCLIP_FILTER, "model", run->directory,
            "precision", arguments->model.precision, "score-mode", run->mode, NULL);

    filter_arguments_apply (&arguments->filter, filter);
    if (prompts->negative_prompts)
        g_object_set (filter, "negative-prompts", prompts->negative_prompts, NULL);
    if (prompts->templates)
        g_object_set (filter, "templates", prompts->templates, NULL);
    if (prompts->prompts_file)
        g_object_set (filter, "prompts-file", prompts->prompts_file, NULL);
    else
        g_object_set (filter, "prompts", prompts->prompts, NULL);
    return filter;
}

static void
start_next_file (Run *run, guint from)
{
    guint i = from;

    while (i < run->watchers->len && !get_source (run, i)->is_file)
        i++;
    if (i < run->watchers->len)
        watcher_start (get_watcher (run, i), new_filter (run));
}

static void
end_all (Run *run)
{
    run->is_ending = TRUE;
    for (guint i = 0; i < run->watchers->len; i++)
        watcher_end (get_watcher (run, i));
    if (!is_busy (run))
        g_main_loop_quit (run->loop);
}

static void
on_done (Watcher *watcher, WatcherFault fault, const char *message, gpointer user_data)
{
    Run *run = user_data;
    guint i;

    g_ptr_array_find (run->watchers, watcher, &i);
    /* That of the model is told by all alike. */
    if (fault == WATCHER_FAULT_SOURCE || (fault == WATCHER_FAULT_MODEL && !run->is_ending)) {
        console_warn (&run->console, "%s", message);
        run->status = STATUS_FAILED;
    }
    if (fault == WATCHER_FAULT_MODEL)
        end_all (run);
    else if (!run->is_ending && get_source (run, i)->is_file)
        start_next_file (run, i + 1);
    if (!is_busy (run))
        g_main_loop_quit (run->loop);
}

/* Whoever read the records has gone, which writing the next one would tell only then. */
static gboolean
on_reader_gone (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    Run *run = user_data;

    run->status = STATUS_FAILED;
    g_main_loop_quit (run->loop);
    return G_SOURCE_REMOVE;
}

static gboolean
look_around (gpointer user_data)
{
    Run *run = user_data;

    if (console_has_failed (&run->console)) {
        g_main_loop_quit (run->loop);
        return G_SOURCE_CONTINUE;
    }
    if (was_interrupted && !run->is_ending)
        end_all (run);
    for (guint i = 0; i < run->watchers->len; i++)
        watcher_check (get_watcher (run, i));
    update_console (run);
    return G_SOURCE_CONTINUE;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static void
add_watchers (Run *run)
{
    const WatcherRules rules = {
        .results = run->arguments->results,
        .patience = (guint64)llround (run->arguments->timeout * GST_SECOND),
        .paced = run->arguments->filter.mode == GST_ALTCLIP_MODE_LIVE,
    };

    for (guint i = 0; i < run->sources->len; i++)
        g_ptr_array_add (run->watchers,
                watcher_new (get_source (run, i), &run->console, &rules, on_done, run));
}

/* What does not end is watched at the same time; files one after another. */
static void
start (Run *run)
{
    for (guint i = 0; i < run->watchers->len && !run->is_ending; i++) {
        if (!get_source (run, i)->is_file)
            watcher_start (get_watcher (run, i), new_filter (run));
    }
    if (!run->is_ending)
        start_next_file (run, 0);
}

static void
watch_all (Run *run)
{
    guint timer = g_timeout_add (LOOK_AROUND, look_around, run);
    GSource *reader = g_unix_fd_source_new (STDOUT_FILENO, G_IO_ERR);

    g_source_set_callback (reader, G_SOURCE_FUNC (on_reader_gone), run, NULL);
    g_source_attach (reader, NULL);
    start (run);
    if (is_busy (run))
        g_main_loop_run (run->loop);
    update_console (run);
    g_source_destroy (reader);
    g_source_unref (reader);
    g_source_remove (timer);
}

static int
watch (Run *run)
{
    g_autofree char *name = run->sources->len == 1
                                    ? g_strdup (get_source (run, 0)->shown)
                                    : g_strdup_printf ("%u sources", run->sources->len);

    console_init (&run->console, name);
    run->loop = g_main_loop_new (NULL, FALSE);
    run->watchers = g_ptr_array_new_with_free_func ((GDestroyNotify)watcher_free);
    add_watchers (run);
    watch_all (run);
    g_ptr_array_unref (run->watchers);
    g_main_loop_unref (run->loop);
    if (console_has_failed (&run->console))
        run->status = STATUS_FAILED;
    if (run->status == STATUS_OK && run->console.progress.n_frames > 0)
        progress_end (&run->console.progress);
    console_clear (&run->console);
    return run->status;
}

/* One that is not there does not keep the others from being watched. */
static GArray *
parse_sources (char *const *names, int *status)
{
    GArray *sources = g_array_new (FALSE, FALSE, sizeof (Source));

    g_array_set_clear_func (sources, (GDestroyNotify)source_clear);
    for (guint i = 0; names[i]; i++) {
        g_autoptr (GError) error = NULL;
        Source source;

        if (source_parse (&source, names[i], &error)) {
            g_array_append_val (sources, source);
        } else {
            *status = command_fail (error);
            source_clear (&source);
        }
    }
    return sources;
}

static int
watch_sources (Run *run, char *const *names)
{
    g_autoptr (GArray) sources = parse_sources (names, &run->status);

    run->sources = sources;
    return sources->len > 0 ? watch (run) : run->status;
}

static int
run (int argc, char **argv)
{
    g_auto (Arguments)
            arguments = { .timeout = DEFAULT_TIMEOUT, .model.precision = ALTCLIP_PRECISION_AUTO };
    g_auto (GStrv) operands = NULL;
    const GOptionEntry entries[] = {
        PROMPTS_ARGUMENTS_ENTRIES (arguments.prompts),
        { "interval", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.filter.interval,
                "Least time between two frames that are looked at, default 0.2; 0: every frame",
                "SECONDS" },
        FILTER_ARGUMENTS_ENTRIES (arguments.filter),
        { "results", 0, 0, G_OPTION_ARG_NONE, &arguments.results,
                "Also print the results of each frame that is looked at", NULL },
        { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.timeout,
                "Give up what brings no frame for so long, default 30; 0: never; not for files",
                "SECONDS" },
        MODEL_PRECISION_ENTRY (arguments.model, MODEL_PRECISION_NAMES),
        MODEL_NO_CACHE_ENTRY (arguments.model),
        G_OPTION_ENTRY_NULL,
    };
    Run all = { .arguments = &arguments };
    int status;

    gst_init (NULL, NULL);
    filter_arguments_init (&arguments.filter);
    arguments.filter.interval = DEFAULT_INTERVAL;
    if (!command_parse (&COMMAND_WATCH, entries, 2, G_MAXUINT, argc, argv, &operands, &status))
        return status;
    if (!check_arguments (&arguments))
        return STATUS_USAGE;
    if (!check_prompts (&arguments, &all.mode, &status))
        return status;
    /* The filter has no property for it. */
    if (arguments.model.no_cache)
        g_setenv ("ALTCLIP_CACHE", "off", TRUE);
    all.directory = operands[0];
    catch_signals ();
    return watch_sources (&all, operands + 1);
}

const Command COMMAND_WATCH = {
    .name = "watch",
    .summary = "Tell what begins and ends in videos and on cameras, as it happens",
    .operands = "MODEL FILE-or-URI…",
    .description =
            "Prints a line of JSON when a label begins and when it ends, as altclippublish does:\n"
            "see docs/published.schema.json. A terminal shows how it goes on standard error.\n"
            "\n"
            "A URI is file://, http://, rtsp:// or whatever else GStreamer has plugins for; a\n"
            "camera's device is named by its path, as /dev/video0. Files are watched one after\n"
            "another, as fast as can be; the rest at the same time. Sound is not decoded.\n"
            "\n"
            "Ctrl-C ends it: what is active ends with reason \"eos\". A camera that is lost is\n"
            "told of, and makes the exit status 1. What a file of prompts says goes before the\n"
            "options that set thresholds and times.\n"
            "\n"
            "Examples:\n"
            "  altclip watch models/demo --prompts-file pipelines/examples/watch.json \\\n"
            "      models/demo/demo.webm\n"
            "  altclip watch models/demo --prompts 'a black screen;static noise' \\\n"
            "      --negative-prompts 'a clear picture' rtsp://camera.example/stream",
    .run = run,
};
