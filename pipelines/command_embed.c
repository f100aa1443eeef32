/* altclip embed: texts and pictures as unit vectors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command_model.h"
#include "sight.h"
#include "still.h"

static gboolean
print_embedding (const char *kind, const char *source, const float *embedding, guint dim)
{
    g_autofree char *shown = g_filename_display_name (source);
    json_t *list = json_array ();

    for (guint i = 0; i < dim; i++)
        json_array_append_new (list, json_real (embedding[i]));
    return command_print (
            json_pack ("{s:s, s:s, s:o}", "kind", kind, "source", shown, "embedding", list));
}

static int
print_all (const char *kind, char *const *sources, const float *embeddings, guint dim)
{
    for (guint i = 0; sources[i]; i++, embeddings += dim) {
        if (!print_embedding (kind, sources[i], embeddings, dim))
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

/* Together, so that a large text tower is packed once; one by one if that fails, so that a failing
 * text does not keep the others from being embedded. */
static int
embed_texts (AltclipSession *session, char *const *texts)
{
    guint dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    guint n = texts ? g_strv_length ((char **)texts) : 0;
    g_autofree float *embeddings = g_new (float, (gsize)n *dim);
    int status = STATUS_OK;

    if (n == 0)
        return STATUS_OK;
    if (altclip_session_encode_texts (
                session, (const char *const *)texts, n, NULL, embeddings, NULL))
        return print_all ("text", texts, embeddings, dim);
    for (guint i = 0; i < n; i++) {
        g_autoptr (GError) error = NULL;
        const char *text = texts[i];

        if (!altclip_session_encode_texts (session, &text, 1, NULL, embeddings, &error))
            status = command_fail (error);
        else if (!print_embedding ("text", text, embeddings, dim))
            return STATUS_FAILED;
    }
    return status;
}

static gboolean
embed_image (AltclipSession *session, const char *path, float *embedding, GError **error)
{
    const AltclipRegion all = { 0.0, 0.0, 1.0, 1.0 };
    g_auto (Sight) sight = { .path = path };

    return sight_read_still (&sight, path, error) &&
           sight_embed (&sight, session, &all, embedding, error);
}

/* A failing picture does not keep the others from being embedded. */
static int
embed_images (AltclipSession *session, char *const *paths)
{
    guint dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    g_autofree float *embedding = g_new (float, dim);
    int status = STATUS_OK;

    for (guint i = 0; paths && paths[i]; i++) {
        g_autoptr (GError) error = NULL;

        if (!embed_image (session, paths[i], embedding, &error))
            status = command_fail (error);
        else if (!print_embedding ("image", paths[i], embedding, dim))
            return STATUS_FAILED;
    }
    return status;
}

/* ---- A file of prompts ----------------------------------------------------------------------- */

/* The file is read before the model, which takes longer. */
static int
embed_prompts (const ModelArguments *arguments, const char *directory, const char *path,
        const char *output)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_load (path, still_load, &error);
    g_autoptr (AltclipSession) session = NULL;

    if (!prompts)
        return command_fail (error);
    session = model_arguments_open (arguments, directory, ALTCLIP_MODEL_LAZY);
    if (!session)
        return STATUS_FAILED;
    if (!altclip_prompts_embed (prompts, session, NULL, &error) ||
            !altclip_prompts_save (prompts, output, &error))
        return command_fail (error);
    command_warn_about_prompts (
            prompts, altclip_prompts_get_score_mode (prompts, ALTCLIP_SCORE_SOFTMAX));
    return STATUS_OK;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* What the arguments ask for. */
typedef struct {
    char **texts;
    char **images;
    char *prompts_file;
    char *output;
    ModelArguments model;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
    g_strfreev (arguments->texts);
    g_strfreev (arguments->images);
    g_free (arguments->prompts_file);
    g_free (arguments->output);
    model_arguments_clear (&arguments->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
check_arguments (Arguments *arguments)
{
    const char *wrong = NULL;

    if (!arguments->texts && !arguments->images && !arguments->prompts_file)
        wrong = "at least one --text or --image, or a --prompts-file, is needed";
    else if (arguments->prompts_file && (arguments->texts || arguments->images))
        wrong = "--prompts-file goes without --text and --image";
    else if (!arguments->prompts_file != !arguments->output)
        wrong = "--prompts-file and --output go together";
    if (wrong)
        command_refuse (&COMMAND_EMBED, "%s", wrong);
    return !wrong && command_check_utf8 (&COMMAND_EMBED, "--text", arguments->texts) &&
           model_arguments_check (&COMMAND_EMBED, &arguments->model);
}

static int
run (int argc, char **argv)
{
    g_auto (Arguments) arguments = { NULL };
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipSession) session = NULL;
    const GOptionEntry entries[] = {
        { "text", 't', 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.texts, "A text; may be repeated",
                "T" },
        { "image", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.images,
                "A PNG or JPEG file; may be repeated", "FILE" },
        { "prompts-file", 'f', 0, G_OPTION_ARG_FILENAME, &arguments.prompts_file,
                "Labels from a JSON file, whose embeddings go to --output", "FILE" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arguments.output,
                "A file of prompts that needs no text tower; replaced", "FILE" },
        MODEL_PRECISION_ENTRY (arguments.model, MODEL_PRECISION_NAMES),
        MODEL_NO_CACHE_ENTRY (arguments.model),
        G_OPTION_ENTRY_NULL,
    };
    int status;
    int text_status;

    if (!command_parse (&COMMAND_EMBED, entries, 1, 1, argc, argv, &operands, &status))
        return status;
    if (!check_arguments (&arguments))
        return STATUS_USAGE;
    if (arguments.prompts_file)
        return embed_prompts (
                &arguments.model, operands[0], arguments.prompts_file, arguments.output);
    session = model_arguments_open (&arguments.model, operands[0], ALTCLIP_MODEL_LAZY);
    if (!session)
        return STATUS_FAILED;
    text_status = embed_texts (session, arguments.texts);
    status = embed_images (session, arguments.images);
    return MAX (text_status, status);
}

const Command COMMAND_EMBED = {
    .name = "embed",
    .summary = "Turn texts and pictures into vectors that can be compared",
    .operands = "MODEL",
    .description =
            "Prints {\"kind\": \"text\" or \"image\", \"source\": …, \"embedding\": […]} per item, "
            "texts\nfirst. The vectors have unit length: their dot product is their likeness.\n"
            "Those of texts are kept in the user's cache directory for the next time.\n"
            "\n"
            "A file of prompts is written anew, with the embedding of each label in place of its "
            "texts\nand pictures: for the same model, where its image tower alone runs.\n"
            "\n"
            "Examples:\n"
            "  altclip embed models/demo --text 'a red circle' --image frame.png\n"
            "  altclip embed models/demo --prompts-file prompts.json --output ready.json",
    .run = run,
};
