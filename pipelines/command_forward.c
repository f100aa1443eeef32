/* altclip forward: every tensor of the reference's forward pass
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"
#include "still.h"

#include <string.h>

static guint
count (char *const *strings)
{
    return strings ? g_strv_length ((char **)strings) : 0;
}

/* Returns: (transfer full) (nullable): pixel_values [n, num_channels, image_size, image_size] */
static float *
load_images (AltclipModel *model, char *const *paths, GError **error)
{
    gsize size = still_get_size (model);
    g_autofree float *all = g_new (float, size *count (paths));

    for (guint i = 0; i < count (paths); i++) {
        g_autofree float *one = still_load (paths[i], model, error);

        if (!one)
            return NULL;
        memcpy (all + i * size, one, size * sizeof (float));
    }
    return g_steal_pointer (&all);
}

static int
forward (AltclipSession *session, char *const *texts, char *const *images,
        AltclipForwardFlags flags, const char *output)
{
    g_autoptr (GError) error = NULL;
    g_autofree float *pixel_values = NULL;
    AltclipPictures pictures;
    g_autoptr (GPtrArray) tensors = NULL;

    if (images) {
        pixel_values = load_images (altclip_session_get_model (session), images, &error);
        if (!pixel_values)
            return command_fail (error);
    }
    pictures = (AltclipPictures){ .pixel_values = pixel_values, .n = count (images) };
    tensors = altclip_session_forward (
            session, (const char *const *)texts, count (texts), &pictures, flags, &error);
    if (!tensors || !altclip_tensors_save (tensors, output, &error))
        return command_fail (error);
    return STATUS_OK;
}

static int
run (int argc, char **argv)
{
    g_auto (GStrv) texts = NULL;
    g_auto (GStrv) images = NULL;
    g_autofree char *output = NULL;
    g_autofree char *precision = NULL;
    gboolean hidden_states = FALSE;
    gboolean attentions = FALSE;
    gboolean loss = FALSE;
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipSession) session = NULL;
    const GOptionEntry entries[] = {
        { "text", 't', 0, G_OPTION_ARG_FILENAME_ARRAY, &texts, "A text; may be repeated", "T" },
        { "image", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &images,
                "A PNG or JPEG file; may be repeated", "FILE" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to write",
                "OUT.safetensors" },
        { "hidden-states", 0, 0, G_OPTION_ARG_NONE, &hidden_states, "Add the output of every layer",
                NULL },
        { "attentions", 0, 0, G_OPTION_ARG_NONE, &attentions,
                "Add the attention probabilities of every layer", NULL },
        { "loss", 0, 0, G_OPTION_ARG_NONE, &loss,
                "Add the contrastive loss of as many texts as images", NULL },
        { "precision", 0, 0, G_OPTION_ARG_FILENAME, &precision, "f32", "P" },
        G_OPTION_ENTRY_NULL,
    };
    int status;

    if (!command_parse (&COMMAND_FORWARD, entries, 1, 1, argc, argv, &operands, &status))
        return status;
    if (!output)
        return command_refuse (&COMMAND_FORWARD, "--output is missing");
    if (!texts && !images)
        return command_refuse (&COMMAND_FORWARD, "at least one --text or --image is needed");
    if (!command_check_utf8 (&COMMAND_FORWARD, "--text", texts) ||
            !command_check_precision (&COMMAND_FORWARD, precision))
        return STATUS_USAGE;
    session = command_open_session (operands[0], ALTCLIP_MODEL_LAZY);
    if (!session)
        return STATUS_FAILED;
    return forward (session, texts, images,
            (hidden_states ? ALTCLIP_FORWARD_HIDDEN_STATES : 0) |
                    (attentions ? ALTCLIP_FORWARD_ATTENTIONS : 0) |
                    (loss ? ALTCLIP_FORWARD_LOSS : 0),
            output);
}

const Command COMMAND_FORWARD = {
    .name = "forward",
    .summary = "Write every tensor of the model's forward pass to a file",
    .operands = "MODEL",
    .description =
            "Writes a safetensors file with the tensors of transformers' AltCLIPModel.forward "
            "under "
            "their\nnames: input_ids, attention_mask, pixel_values, text_embeds, image_embeds,\n"
            "logits_per_image and so on. Texts are padded to the longest.\n"
            "\n"
            "Example:\n"
            "  altclip forward models/demo --text 'a red circle' --image frame.png --output "
            "out.safetensors",
    .run = run,
};
