/* altclip timeline: what a video shows, and when, as a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "chart.h"
#include "command_model.h"
#include "command_prompts.h"
#include "progress.h"
#include "sight.h"

#include <gst/gst.h>
#include <math.h>

#define DEFAULT_INTERVAL 0.2 /* seconds */

/* Pixels of a picture, twice as many as are shown, for dense screens. */
#define PICTURE_WIDTH 208
#define PICTURE_HEIGHT 124

/* ---- Arguments ------------------------------------------------------------------------------- */

/* What the arguments ask for. */
typedef struct {
    PromptsArguments prompts;
    double interval;
    char *output;
    ChartFormat format;
    ModelArguments model;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
    prompts_arguments_clear (&arguments->prompts);
    g_free (arguments->output);
    model_arguments_clear (&arguments->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
check_arguments (Arguments *arguments)
{
    if (!prompts_arguments_check (&COMMAND_TIMELINE, &arguments->prompts) ||
            !model_arguments_check (&COMMAND_TIMELINE, &arguments->model) ||
            !command_check_interval (&COMMAND_TIMELINE, arguments->interval))
        return FALSE;
    if (!arguments->output) {
        command_refuse (&COMMAND_TIMELINE, "--output is missing");
        return FALSE;
    }
    if (!chart_parse_format (arguments->output, &arguments->format)) {
        command_refuse (&COMMAND_TIMELINE, "--output is '%s', but must end in .svg, .png or .html",
                arguments->output);
        return FALSE;
    }
    return TRUE;
}

/* ---- Watching -------------------------------------------------------------------------------- */

/* One run. */
typedef struct {
    AltclipSession *session;
    Timeline *timeline;
    guint64 interval;
} Watch;

static gboolean
add_frame (const Watch *watch, const Sight *sight, GError **error)
{
    Timeline *timeline = watch->timeline;
    g_autofree double *scores = g_new (double, timeline->n_labels);
    g_autofree double *cosines = g_new (double, timeline->n_labels);
    GdkPixbuf *picture;

    if (!sight_score (
                sight, watch->session, timeline->prompts, timeline->mode, scores, cosines, error))
        return FALSE;
    timeline_add (timeline, sight->time, scores, cosines);
    if (!timeline_wants_picture (timeline, sight->time))
        return TRUE;
    picture = video_get_picture (sight->video, PICTURE_WIDTH, PICTURE_HEIGHT, error);
    if (!picture)
        return FALSE;
    timeline_add_picture (timeline, sight->time, picture);
    return TRUE;
}

static gboolean
watch_video (const Watch *watch, const char *path, const char *shown, GError **error)
{
    AltclipPrompts *prompts = watch->timeline->prompts;
    g_autoptr (Video) video = video_open (path, altclip_session_get_model (watch->session),
            altclip_prompts_get_n_regions (prompts), error);
    g_autoptr (GError) read_error = NULL;
    Sight sight = { .path = path, .video = video };
    Progress progress;
    gboolean ok = TRUE;

    if (!video)
        return FALSE;
    progress_begin (&progress, shown, video_get_duration (video));
    while (ok && video_next (video, watch->interval, &sight.time, &read_error)) {
        ok = add_frame (watch, &sight, error);
        progress_step (&progress, sight.time);
    }
    if (progress.n_frames > 0)
        progress_end (&progress);
    if (!read_error)
        return ok;
    g_propagate_error (error, g_steal_pointer (&read_error));
    return FALSE;
}

static gboolean
print_spans (const Timeline *timeline, const char *shown)
{
    for (guint i = 0; i < timeline->spans->len; i++) {
        const TimelineSpan *span = &g_array_index (timeline->spans, TimelineSpan, i);
        const char *label = altclip_prompts_get_label (timeline->prompts, span->label);

        if (!command_print (json_pack ("{s:s, s:s, s:I, s:I, s:f}", "file", shown, "label", label,
                    "begin", (json_int_t)span->begin, "end", (json_int_t)span->end, "peak",
                    span->peak)))
            return FALSE;
    }
    return TRUE;
}

/* What was seen before something went wrong is drawn. */
static int
draw_timeline (const Watch *watch, const Arguments *arguments, const char *path)
{
    g_autofree char *shown = g_filename_display_name (path);
    g_autofree char *title = g_path_get_basename (shown);
    g_autoptr (GError) error = NULL;
    g_autoptr (GError) write_error = NULL;
    gboolean ok = watch_video (watch, path, shown, &error);
    int status = STATUS_OK;

    timeline_finish (watch->timeline);
    if (!ok)
        status = command_fail (error);
    if (watch->timeline->times->len == 0)
        return status;
    if (!chart_write (watch->timeline, title, arguments->format, arguments->output, &write_error))
        return command_fail (write_error);
    return print_spans (watch->timeline, shown) ? status : STATUS_FAILED;
}

static int
make_timeline (const char *directory, const Arguments *arguments, AltclipPrompts *prompts,
        AltclipScoreMode mode, const char *path)
{
    g_autoptr (AltclipSession) session =
            model_arguments_open (&arguments->model, directory, ALTCLIP_MODEL_NONE);
    g_autoptr (Timeline) timeline = NULL;
    g_autoptr (GError) error = NULL;

    if (!session)
        return STATUS_FAILED;
    if (!altclip_prompts_embed (prompts, session, NULL, &error))
        return command_fail (error);
    command_warn_about_prompts (prompts, mode);
    timeline = timeline_new (prompts, mode);
    return draw_timeline (
            &(Watch){ session, timeline, (guint64)llround (arguments->interval * GST_SECOND) },
            arguments, path);
}

static int
run (int argc, char **argv)
{
    g_auto (Arguments)
            arguments = { .interval = DEFAULT_INTERVAL, .model.precision = ALTCLIP_PRECISION_AUTO };
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    const GOptionEntry entries[] = {
        PROMPTS_ARGUMENTS_ENTRIES (arguments.prompts),
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arguments.output,
                "Draw it there; replaced; .svg, .png or .html", "FILE" },
        { "interval", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.interval,
                "Time between two frames that are looked at, default 0.2; 0: every frame",
                "SECONDS" },
        MODEL_PRECISION_ENTRY (arguments.model, MODEL_PRECISION_NAMES),
        MODEL_NO_CACHE_ENTRY (arguments.model),
        G_OPTION_ENTRY_NULL,
    };
    AltclipScoreMode mode;
    int status;

    if (!command_parse (&COMMAND_TIMELINE, entries, 2, 2, argc, argv, &operands, &status))
        return status;
    if (!check_arguments (&arguments))
        return STATUS_USAGE;
    prompts = prompts_arguments_load (&COMMAND_TIMELINE, &arguments.prompts, &mode, &status);
    if (!prompts)
        return status;
    if (altclip_prompts_get_n_labels (prompts) > CHART_MAX_LABELS)
        return command_refuse (&COMMAND_TIMELINE,
                "there are %u labels, but at most %d can be drawn",
                altclip_prompts_get_n_labels (prompts), CHART_MAX_LABELS);
    gst_init (NULL, NULL);
    return make_timeline (operands[0], &arguments, prompts, mode, operands[1]);
}

const Command COMMAND_TIMELINE = {
    .name = "timeline",
    .summary = "Draw what a video shows, and when",
    .operands = "MODEL FILE",
    .description =
            "Draws the score of each label over time, its threshold, and below it when it was\n"
            "active, with pictures of the video above: as SVG, PNG, or an HTML page with a table.\n"
            "Prints {\"file\": …, \"label\": …, \"begin\": …, \"end\": …, \"peak\": …} for each "
            "time\n"
            "that a label was active, in nanoseconds from the video's begin; how far it is goes "
            "to\n"
            "standard error.\n"
            "\n"
            "When a label is active is as altclipfilter tells, with the thresholds, smoothing and\n"
            "times of a prompts file, else above 0.5, or 0.25 of a cosine.\n"
            "\n"
            "Example:\n"
            "  altclip timeline models/demo --prompts-file pipelines/examples/watch.json \\\n"
            "      --output timeline.html models/demo/demo.webm",
    .run = run,
};
