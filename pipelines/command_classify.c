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

/* What a person would wonder about in the scores. */
static void
warn_about_prompts (AltclipPrompts *prompts, AltclipScoreMode mode)
{
    const char *neutral = altclip_prompts_get_neutral (prompts);
    const char *unknown = altclip_prompts_get_unknown (prompts);

    if (neutral && mode == ALTCLIP_SCORE_SOFTMAX)
        command_warn (
                "with a single phrase there is nothing to compare: '%s' competes with it", neutral);
    if (unknown)
        command_warn ("most of '%s' is unknown to this model's tokenizer", unknown);
}

static int
classify (const char *directory, AltclipPrompts *prompts, AltclipScoreMode mode, char *const *paths)
{
    g_autoptr (AltclipSession) session = command_open_session (directory, ALTCLIP_MODEL_NONE);
    g_autoptr (GError) error = NULL;

    if (!session)
        return STATUS_FAILED;
    if (!altclip_prompts_embed (prompts, session, NULL, &error))
        return command_fail (error);
    warn_about_prompts (prompts, mode);
    return classify_all (&(Classifier){ session, prompts, mode }, paths);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static gboolean
parse_mode (const char *name, AltclipScoreMode *mode)
{
    *mode = ALTCLIP_SCORE_SOFTMAX;
    if (!name || strcmp (name, "softmax") == 0)
        return TRUE;
    *mode = ALTCLIP_SCORE_COSINE;
    if (strcmp (name, "cosine") == 0)
        return TRUE;
    command_refuse (&COMMAND_CLASSIFY, "--score-mode is '%s', but must be softmax or cosine", name);
    return FALSE;
}

/* Returns: (transfer full) (nullable): the prompts, or NULL after a message */
static AltclipPrompts *
parse_prompts (char *prompts, char *negative_prompts, char *templates)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) parsed = NULL;

    if (!command_check_utf8 (&COMMAND_CLASSIFY, "--prompts", (char *[]){ prompts, NULL }) ||
            !command_check_utf8 (&COMMAND_CLASSIFY, "--negative-prompts",
                    (char *[]){ negative_prompts, NULL }) ||
            !command_check_utf8 (&COMMAND_CLASSIFY, "--templates", (char *[]){ templates, NULL }))
        return NULL;
    parsed = altclip_prompts_parse (prompts, negative_prompts, templates, &error);
    if (!parsed) {
        command_refuse (&COMMAND_CLASSIFY, "%s", error->message);
        return NULL;
    }
    if (altclip_prompts_get_n_labels (parsed) == 0) {
        command_refuse (&COMMAND_CLASSIFY, "--prompts holds no phrase");
        return NULL;
    }
    return g_steal_pointer (&parsed);
}

static int
run (int argc, char **argv)
{
    g_autofree char *prompts = NULL;
    g_autofree char *negative_prompts = NULL;
    g_autofree char *templates = NULL;
    g_autofree char *mode_name = NULL;
    g_autofree char *precision = NULL;
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipPrompts) parsed = NULL;
    const GOptionEntry entries[] = {
        { "prompts", 'p', 0, G_OPTION_ARG_FILENAME, &prompts, "The phrases to tell apart",
                "'LABEL; LABEL=TEXT|TEXT; …'" },
        { "negative-prompts", 'n', 0, G_OPTION_ARG_FILENAME, &negative_prompts,
                "Phrases that compete but are not reported", "'TEXT; …'" },
        { "templates", 0, 0, G_OPTION_ARG_FILENAME, &templates,
                "Sentences to put each text into, at {}", "'a photo of {}; …'" },
        { "score-mode", 0, 0, G_OPTION_ARG_FILENAME, &mode_name, "softmax (default) or cosine",
                "MODE" },
        { "precision", 0, 0, G_OPTION_ARG_FILENAME, &precision, "f32", "P" },
        G_OPTION_ENTRY_NULL,
    };
    AltclipScoreMode mode;
    int status;

    if (!command_parse (&COMMAND_CLASSIFY, entries, 2, G_MAXUINT, argc, argv, &operands, &status))
        return status;
    if (!prompts)
        return command_refuse (&COMMAND_CLASSIFY, "--prompts is missing");
    if (!parse_mode (mode_name, &mode) || !command_check_precision (&COMMAND_CLASSIFY, precision))
        return STATUS_USAGE;
    parsed = parse_prompts (prompts, negative_prompts, templates);
    if (!parsed)
        return STATUS_USAGE;
    return classify (operands[0], parsed, mode, operands + 1);
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
            "\n"
            "Example:\n"
            "  altclip classify models/demo --prompts 'a red circle;bars=colour bars|test pattern' "
            "\\\n      --negative-prompts 'an ordinary scene' frame1.png frame2.jpg",
    .run = run,
};
