/* altclip embed: texts and pictures as unit vectors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"
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

/* A failing item does not keep the others from being embedded. */
static int
embed_all (AltclipSession *session, char *const *sources, gboolean are_images)
{
    guint dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    g_autofree float *embedding = g_new (float, dim);
    int status = STATUS_OK;

    for (guint i = 0; sources && sources[i]; i++) {
        g_autoptr (GError) error = NULL;
        const char *source = sources[i];
        gboolean ok = are_images ? still_embed (session, source, embedding, &error)
                                 : altclip_session_encode_texts (
                                           session, &source, 1, NULL, embedding, &error);

        if (!ok)
            status = command_fail (error);
        else if (!print_embedding (are_images ? "image" : "text", source, embedding, dim))
            return STATUS_FAILED;
    }
    return status;
}

static int
run (int argc, char **argv)
{
    g_auto (GStrv) texts = NULL;
    g_auto (GStrv) images = NULL;
    g_autofree char *precision = NULL;
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipSession) session = NULL;
    const GOptionEntry entries[] = {
        { "text", 't', 0, G_OPTION_ARG_FILENAME_ARRAY, &texts, "A text; may be repeated", "T" },
        { "image", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &images,
                "A PNG or JPEG file; may be repeated", "FILE" },
        { "precision", 0, 0, G_OPTION_ARG_FILENAME, &precision, "f32", "P" },
        G_OPTION_ENTRY_NULL,
    };
    int status;
    int text_status;

    if (!command_parse (&COMMAND_EMBED, entries, 1, 1, argc, argv, &operands, &status))
        return status;
    if (!texts && !images)
        return command_refuse (&COMMAND_EMBED, "at least one --text or --image is needed");
    if (!command_check_utf8 (&COMMAND_EMBED, "--text", texts) ||
            !command_check_precision (&COMMAND_EMBED, precision))
        return STATUS_USAGE;
    session = command_open_session (operands[0], ALTCLIP_MODEL_LAZY);
    if (!session)
        return STATUS_FAILED;
    text_status = embed_all (session, texts, FALSE);
    status = embed_all (session, images, TRUE);
    return MAX (text_status, status);
}

const Command COMMAND_EMBED = {
    .name = "embed",
    .summary = "Turn texts and pictures into vectors that can be compared",
    .operands = "MODEL",
    .description =
            "Prints {\"kind\": \"text\" or \"image\", \"source\": …, \"embedding\": […]} per item, "
            "texts\nfirst. The vectors have unit length: their dot product is their likeness.\n"
            "\n"
            "Example:\n"
            "  altclip embed models/demo --text 'a red circle' --image frame.png",
    .run = run,
};
