/* altclip classify: which phrases still pictures and videos show
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command_model.h"
#include "command_prompts.h"
#include "progress.h"
#include "sight.h"
#include "still.h"

#include <gst/gst.h>
#include <math.h>

/* What is the same for all files of a run. */
typedef struct {
    AltclipSession *session;
    AltclipPrompts *prompts;
    AltclipScoreMode mode;
    guint64 interval; /* between two frames of a video, in nanoseconds */
} Classifier;

/* ---- One picture, or one frame --------------------------------------------------------------- */

static gint
compare_scores (gconstpointer a, gconstpointer b, gpointer user_data)
{
    const double *scores = user_data;
    guint first = *(const guint *)a;
    guint second = *(const guint *)b;

    if (scores[first] != scores[second])
        return scores[first] > scores[second] ? -1 : 1;
    return first < second ? -1 : first > second;
}

/* Returns: (transfer full) (nullable): the results, best first */
static json_t *
classify_sight (const Classifier *classifier, const Sight *sight, GError **error)
{
    guint n = altclip_prompts_get_n_labels (classifier->prompts);
    g_autofree double *scores = g_new (double, n);
    g_autofree double *cosines = g_new (double, n);
    g_autofree guint *order = g_new (guint, n);
    json_t *results;

    if (!sight_score (sight, classifier->session, classifier->prompts, classifier->mode, scores,
                cosines, error))
        return NULL;
    results = json_array ();
    for (guint i = 0; i < n; i++)
        order[i] = i;
    g_qsort_with_data (order, (gint)n, sizeof order[0], compare_scores, scores);
    for (guint i = 0; i < n; i++)
        json_array_append_new (
                results, json_pack ("{s:s, s:f, s:f}", "label",
                                 altclip_prompts_get_label (classifier->prompts, order[i]), "score",
                                 scores[order[i]], "cosine", cosines[order[i]]));
    return results;
}

/* Without @error where standard output failed, which has been told. */
static gboolean
classify_still (const Classifier *classifier, const char *path, const char *shown, GError **error)
{
    g_auto (Sight) sight = { .path = path };
    json_t *results;

    if (!sight_read_still (&sight, path, error))
        return FALSE;
    results = classify_sight (classifier, &sight, error);
    return results && command_print (json_pack ("{s:s, s:o}", "file", shown, "results", results));
}

/* ---- One video ------------------------------------------------------------------------------- */

static gboolean
classify_frame (const Classifier *classifier, const Sight *sight, const char *shown, GError **error)
{
    json_t *results = classify_sight (classifier, sight, error);

    return results && command_print (json_pack ("{s:s, s:I, s:o}", "file", shown, "pts",
                              (json_int_t)sight->time, "results", results));
}

/* What was seen before something went wrong has been printed. */
static gboolean
classify_frames (const Classifier *classifier, Sight *sight, const char *shown, Progress *progress,
        GError **error)
{
    g_autoptr (GError) read_error = NULL;

    while (video_next (sight->video, classifier->interval, &sight->time, &read_error)) {
        if (!classify_frame (classifier, sight, shown, error))
            return FALSE;
        progress_step (progress, sight->time);
    }
    if (!read_error)
        return TRUE;
    g_propagate_error (error, g_steal_pointer (&read_error));
    return FALSE;
}

static gboolean
classify_video (const Classifier *classifier, const char *path, const char *shown, GError **error)
{
    g_autoptr (Video) video = NULL;
    Sight sight = { .path = path };
    Progress progress;
    gboolean ok;

    gst_init (NULL, NULL);
    video = video_open (path, altclip_session_get_model (classifier->session),
            altclip_prompts_get_n_regions (classifier->prompts), error);
    if (!video)
        return FALSE;
    sight.video = video;
    progress_begin (&progress, shown, video_get_duration (video));
    ok = classify_frames (classifier, &sight, shown, &progress, error);
    if (progress.n_frames > 0)
        progress_end (&progress);
    return ok;
}

/* ---- All files ------------------------------------------------------------------------------- */

/* A file that cannot be read does not keep the others from being classified. */
static int
classify_all (const Classifier *classifier, char *const *paths)
{
    int status = STATUS_OK;

    for (guint i = 0; paths[i]; i++) {
        g_autofree char *shown = g_filename_display_name (paths[i]);
        g_autoptr (GError) error = NULL;
        gboolean ok = still_is_one (paths[i])
                              ? classify_still (classifier, paths[i], shown, &error)
                              : classify_video (classifier, paths[i], shown, &error);

        if (!ok && !error)
            return STATUS_FAILED;
        if (!ok)
            status = command_fail (error);
    }
    return status;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* What the arguments ask for. */
typedef struct {
    PromptsArguments prompts;
    double interval;
    ModelArguments model;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
    prompts_arguments_clear (&arguments->prompts);
    model_arguments_clear (&arguments->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
check_arguments (Arguments *arguments)
{
    return prompts_arguments_check (&COMMAND_CLASSIFY, &arguments->prompts) &&
           model_arguments_check (&COMMAND_CLASSIFY, &arguments->model) &&
           command_check_interval (&COMMAND_CLASSIFY, arguments->interval);
}

static int
classify (const char *directory, const Arguments *arguments, AltclipPrompts *prompts,
        AltclipScoreMode mode, char *const *paths)
{
    g_autoptr (AltclipSession) session =
            model_arguments_open (&arguments->model, directory, ALTCLIP_MODEL_NONE);
    guint64 interval = (guint64)llround (arguments->interval * GST_SECOND);
    g_autoptr (GError) error = NULL;

    if (!session)
        return STATUS_FAILED;
    if (!altclip_prompts_embed (prompts, session, NULL, &error))
        return command_fail (error);
    command_warn_about_prompts (prompts, mode);
    return classify_all (&(Classifier){ session, prompts, mode, interval }, paths);
}

static int
run (int argc, char **argv)
{
    g_auto (Arguments) arguments = { .model.precision = ALTCLIP_PRECISION_AUTO };
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    const GOptionEntry entries[] = {
        PROMPTS_ARGUMENTS_ENTRIES (arguments.prompts),
        { "interval", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.interval,
                "Time between two frames of a video; default 0: every frame", "SECONDS" },
        MODEL_PRECISION_ENTRY (arguments.model, MODEL_PRECISION_NAMES),
        MODEL_NO_CACHE_ENTRY (arguments.model),
        G_OPTION_ENTRY_NULL,
    };
    AltclipScoreMode mode;
    int status;

    if (!command_parse (&COMMAND_CLASSIFY, entries, 2, G_MAXUINT, argc, argv, &operands, &status))
        return status;
    if (!check_arguments (&arguments))
        return STATUS_USAGE;
    prompts = prompts_arguments_load (&COMMAND_CLASSIFY, &arguments.prompts, &mode, &status);
    if (!prompts)
        return status;
    return classify (operands[0], &arguments, prompts, mode, operands + 1);
}

const Command COMMAND_CLASSIFY = {
    .name = "classify",
    .summary = "Say which of your phrases pictures and videos show",
    .operands = "MODEL FILE…",
    .description =
            "Prints {\"file\": …, \"results\": [{\"label\": …, \"score\": …, \"cosine\": …}]} per "
            "PNG or\nJPEG file, best label first. Phrases may be in any language the model knows.\n"
            "Of a video there is a line per frame, with its time \"pts\" in nanoseconds; how far "
            "it\n"
            "is goes to standard error.\n"
            "\n"
            "Scores are shares: something always wins. Name what an ordinary picture shows as a\n"
            "negative prompt, so that it can win when nothing else is there. Several texts for "
            "one\n"
            "label ('fire=a fire|flames') are averaged; ';;' '==' '||' stand for ; = and |.\n"
            "A file of prompts says more of a label: see docs/prompts-file.schema.json.\n"
            "A label with a region there is judged on that part of the picture.\n"
            "\n"
            "Example:\n"
            "  altclip classify models/demo --prompts 'a red circle;bars=colour bars|test pattern' "
            "\\\n      --negative-prompts 'an ordinary scene' frame1.png frame2.jpg",
    .run = run,
};
