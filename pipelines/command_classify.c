/* altclip classify: which phrases still pictures show
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"
#include "still.h"

#include <string.h>

/* What is the same for all pictures of a run. */
typedef struct {
    AltclipSession *session;
    AltclipPrompts *prompts;
    AltclipScoreMode mode;
} Classifier;

/* ---- One picture ----------------------------------------------------------------------------- */

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

/* Returns: (transfer full): the results, best first */
static json_t *
score (const Classifier *classifier, const float *embedding)
{
    guint n = altclip_prompts_get_n_labels (classifier->prompts);
    g_autofree double *scores = g_new (double, n);
    g_autofree double *cosines = g_new (double, n);
    g_autofree guint *order = g_new (guint, n);
    json_t *results = json_array ();

    altclip_prompts_score (classifier->prompts, classifier->mode, embedding, scores, cosines);
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

/* ---- All pictures ---------------------------------------------------------------------------- */

/* A picture that cannot be read does not keep the others from being classified. */
static int
classify_all (const Classifier *classifier, char *const *paths)
{
    AltclipModel *model = altclip_session_get_model (classifier->session);
    g_autofree float *embedding = g_new (float, altclip_model_get_info (model)->projection_dim);
    int status = STATUS_OK;

    for (guint i = 0; paths[i]; i++) {
        g_autofree char *shown = g_filename_display_name (paths[i]);
        g_autoptr (GError) error = NULL;

        if (!still_embed (classifier->session, paths[i], embedding, &error))
            status = command_fail (error);
        else if (!command_print (json_pack (
                         "{s:s, s:o}", "file", shown, "results", score (classifier, embedding))))
            return STATUS_FAILED;
    }
    return status;
}

static int
classify (const char *directory, AltclipModelFlags flags, AltclipPrompts *prompts,
        AltclipScoreMode mode, char *const *paths)
{
    g_autoptr (AltclipSession) session = command_open_session (directory, flags);
    g_autoptr (GError) error = NULL;

    if (!session)
        return STATUS_FAILED;
    if (!altclip_prompts_embed (prompts, session, NULL, &error))
        return command_fail (error);
    command_warn_about_prompts (prompts, mode);
    return classify_all (&(Classifier){ session, prompts, mode }, paths);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* What the arguments ask for. */
typedef struct {
    char *prompts;
    char *prompts_file;
    char *negative_prompts;
    char *templates;
    char *score_mode;
    char *precision;
    gboolean no_cache;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
    g_free (arguments->prompts);
    g_free (arguments->prompts_file);
    g_free (arguments->negative_prompts);
    g_free (arguments->templates);
    g_free (arguments->score_mode);
    g_free (arguments->precision);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

/* @mode: left as it is without a @name */
static gboolean
parse_mode (const char *name, AltclipScoreMode *mode)
{
    static const struct {
        const char *name;
        AltclipScoreMode mode;
    } modes[] = { { "softmax", ALTCLIP_SCORE_SOFTMAX }, { "sigmoid", ALTCLIP_SCORE_SIGMOID },
        { "cosine", ALTCLIP_SCORE_COSINE } };

    for (gsize i = 0; name && i < G_N_ELEMENTS (modes); i++) {
        if (strcmp (name, modes[i].name) == 0) {
            *mode = modes[i].mode;
            return TRUE;
        }
    }
    if (name)
        command_refuse (&COMMAND_CLASSIFY,
                "--score-mode is '%s', but must be softmax, sigmoid or cosine", name);
    return !name;
}

static gboolean
check_arguments (const Arguments *arguments)
{
    AltclipScoreMode mode;

    if (!arguments->prompts && !arguments->prompts_file) {
        command_refuse (&COMMAND_CLASSIFY, "--prompts or --prompts-file is missing");
        return FALSE;
    }
    if (arguments->prompts_file &&
            (arguments->prompts || arguments->negative_prompts || arguments->templates)) {
        command_refuse (&COMMAND_CLASSIFY, "--prompts-file takes the place of --prompts, "
                                           "--negative-prompts and --templates");
        return FALSE;
    }
    return parse_mode (arguments->score_mode, &mode) &&
           command_check_precision (&COMMAND_CLASSIFY, arguments->precision) &&
           command_check_utf8 (
                   &COMMAND_CLASSIFY, "--prompts", (char *[]){ arguments->prompts, NULL }) &&
           command_check_utf8 (&COMMAND_CLASSIFY, "--negative-prompts",
                   (char *[]){ arguments->negative_prompts, NULL }) &&
           command_check_utf8 (
                   &COMMAND_CLASSIFY, "--templates", (char *[]){ arguments->templates, NULL });
}

/* Returns: (transfer full) (nullable): the prompts, or NULL after a message, with *status set */
static AltclipPrompts *
get_prompts (const Arguments *arguments, int *status)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;

    if (arguments->prompts_file) {
        prompts = altclip_prompts_load (arguments->prompts_file, still_load, &error);
        if (!prompts)
            *status = command_fail (error);
        return g_steal_pointer (&prompts);
    }
    prompts = altclip_prompts_parse (
            arguments->prompts, arguments->negative_prompts, arguments->templates, &error);
    if (prompts && altclip_prompts_get_n_labels (prompts) > 0)
        return g_steal_pointer (&prompts);
    *status = command_refuse (
            &COMMAND_CLASSIFY, "%s", error ? error->message : "--prompts holds no phrase");
    return NULL;
}

static int
run (int argc, char **argv)
{
    g_auto (Arguments) arguments = { NULL };
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    const GOptionEntry entries[] = {
        { "prompts", 'p', 0, G_OPTION_ARG_FILENAME, &arguments.prompts, "The phrases to tell apart",
                "'LABEL; LABEL=TEXT|TEXT; …'" },
        { "prompts-file", 'f', 0, G_OPTION_ARG_FILENAME, &arguments.prompts_file,
                "The labels to tell apart, from a JSON file", "FILE" },
        { "negative-prompts", 'n', 0, G_OPTION_ARG_FILENAME, &arguments.negative_prompts,
                "Phrases that compete but are not reported", "'TEXT; …'" },
        { "templates", 0, 0, G_OPTION_ARG_FILENAME, &arguments.templates,
                "Sentences to put each text into, at {}", "'a photo of {}; …'" },
        { "score-mode", 0, 0, G_OPTION_ARG_FILENAME, &arguments.score_mode,
                "softmax (default), sigmoid or cosine; goes before the file's", "MODE" },
        { "precision", 0, 0, G_OPTION_ARG_FILENAME, &arguments.precision, "f32", "P" },
        { "no-cache", 0, 0, G_OPTION_ARG_NONE, &arguments.no_cache,
                "Neither use nor keep embeddings of texts in the cache directory", NULL },
        G_OPTION_ENTRY_NULL,
    };
    AltclipScoreMode mode;
    int status = STATUS_USAGE;

    if (!command_parse (&COMMAND_CLASSIFY, entries, 2, G_MAXUINT, argc, argv, &operands, &status))
        return status;
    if (!check_arguments (&arguments))
        return STATUS_USAGE;
    prompts = get_prompts (&arguments, &status);
    if (!prompts)
        return status;
    mode = altclip_prompts_get_score_mode (prompts, ALTCLIP_SCORE_SOFTMAX);
    parse_mode (arguments.score_mode, &mode);
    return classify (operands[0], arguments.no_cache ? ALTCLIP_MODEL_NO_CACHE : ALTCLIP_MODEL_NONE,
            prompts, mode, operands + 1);
}

const Command COMMAND_CLASSIFY = {
    .name = "classify",
    .summary = "Say which of your phrases pictures show",
    .operands = "MODEL FILE…",
    .description =
            "Prints {\"file\": …, \"results\": [{\"label\": …, \"score\": …, \"cosine\": …}]} per "
            "PNG or\nJPEG file, best label first. Phrases may be in any language the model knows.\n"
            "\n"
            "Scores are shares: something always wins. Name what an ordinary picture shows as a\n"
            "negative prompt, so that it can win when nothing else is there. Several texts for "
            "one\n"
            "label ('fire=a fire|flames') are averaged; ';;' '==' '||' stand for ; = and |.\n"
            "A file of prompts says more of a label: see docs/prompts-file.schema.json.\n"
            "\n"
            "Example:\n"
            "  altclip classify models/demo --prompts 'a red circle;bars=colour bars|test pattern' "
            "\\\n      --negative-prompts 'an ordinary scene' frame1.png frame2.jpg",
    .run = run,
};
