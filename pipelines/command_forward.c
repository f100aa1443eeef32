/* altclip forward: every tensor of the reference's forward pass
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command_model.h"
#include "still.h"

#include <stdlib.h>
#include <string.h>

#define MAX_IMAGE_SIZE 8192

typedef struct {
    GStrv texts;
    GStrv images;
    char *output;
    char *image_size;
    gboolean hidden_states;
    gboolean attentions;
    gboolean loss;
    gboolean interpolate_pos_encoding;
    AltclipImageSize size; /* what image_size says */
    ModelArguments model;
} Options;

static void
options_clear (Options *options)
{
    g_strfreev (options->texts);
    g_strfreev (options->images);
    g_free (options->output);
    model_arguments_clear (&options->model);
    g_free (options->image_size);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static guint
count (char *const *strings)
{
    return strings ? g_strv_length ((char **)strings) : 0;
}

/* ---- Images ---------------------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): the picture, which sets the size of @pictures or has it */
static float *
load_image (AltclipModel *model, const Options *options, const char *path,
        AltclipPictures *pictures, GError **error)
{
    const AltclipImageSize *size = options->image_size ? &options->size : NULL;
    guint height = altclip_model_get_info (model)->image_size;
    guint width = height;
    g_autofree float *pixel_values = NULL;

    if (size || options->interpolate_pos_encoding)
        pixel_values = still_load_any_size (path, model, size, &height, &width, error);
    else
        pixel_values = still_load (path, model, error);
    if (!pixel_values)
        return NULL;
    if (path != options->images[0] && (height != pictures->height || width != pictures->width)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: preprocessing makes %u×%u pixels of it, but %u×%u of %s: pictures that are "
                "given together need one size",
                path, width, height, pictures->width, pictures->height, options->images[0]);
        return NULL;
    }
    pictures->height = height;
    pictures->width = width;
    return g_steal_pointer (&pixel_values);
}

/* Returns: (transfer full) (nullable): what the pixel_values of @pictures points to */
static float *
load_images (AltclipModel *model, const Options *options, AltclipPictures *pictures, GError **error)
{
    guint num_channels = altclip_model_get_info (model)->num_channels;
    g_autofree float *all = NULL;

    pictures->interpolate_pos_encoding = options->interpolate_pos_encoding;
    for (char **path = options->images; *path; path++) {
        g_autofree float *one = load_image (model, options, *path, pictures, error);
        gsize size = (gsize)num_channels * pictures->height * pictures->width;
        float *more = one ? g_try_renew (float, all, (pictures->n + 1) * size) : NULL;

        if (!one)
            return NULL;
        if (!more) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                    "%s: memory is too short for %u pictures of %u×%u pixels", *path,
                    pictures->n + 1, pictures->width, pictures->height);
            return NULL;
        }
        all = more;
        memcpy (all + pictures->n++ * size, one, size * sizeof (float));
    }
    pictures->pixel_values = all;
    return g_steal_pointer (&all);
}

/* ---- Running --------------------------------------------------------------------------------- */

static AltclipForwardFlags
get_flags (const Options *options)
{
    return (options->hidden_states ? ALTCLIP_FORWARD_HIDDEN_STATES : 0) |
           (options->attentions ? ALTCLIP_FORWARD_ATTENTIONS : 0) |
           (options->loss ? ALTCLIP_FORWARD_LOSS : 0);
}

static int
forward (AltclipSession *session, const Options *options)
{
    g_autoptr (GError) error = NULL;
    g_autofree float *pixel_values = NULL;
    AltclipPictures pictures = { 0 };
    g_autoptr (GPtrArray) tensors = NULL;

    if (options->images) {
        pixel_values =
                load_images (altclip_session_get_model (session), options, &pictures, &error);
        if (!pixel_values)
            return command_fail (error);
    }
    tensors = altclip_session_forward (session, (const char *const *)options->texts,
            count (options->texts), &pictures, get_flags (options), &error);
    if (!tensors || !altclip_tensors_save (tensors, options->output, &error))
        return command_fail (error);
    return STATUS_OK;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* @end: (out): what follows. Returns: 0 for anything but 1 to MAX_IMAGE_SIZE */
static guint
parse_size (const char *text, char **end)
{
    guint64 size = g_ascii_isdigit (*text) ? g_ascii_strtoull (text, end, 10) : 0;

    return size <= MAX_IMAGE_SIZE ? (guint)size : 0;
}

/* S or HxW */
static gboolean
parse_image_size (const char *text, AltclipImageSize *size)
{
    char *end = NULL;
    guint first = parse_size (text, &end);

    if (first == 0)
        return FALSE;
    if (*end == '\0') {
        size->shortest_edge = first;
        return TRUE;
    }
    if (*end != 'x')
        return FALSE;
    size->height = first;
    size->width = parse_size (end + 1, &end);
    return size->width != 0 && *end == '\0';
}

static gboolean
check (Options *options)
{
    guint n_texts = count (options->texts);
    guint n_images = count (options->images);

    if (!options->output) {
        command_refuse (&COMMAND_FORWARD, "--output is missing");
        return FALSE;
    }
    if (n_texts + n_images == 0) {
        command_refuse (&COMMAND_FORWARD, "at least one --text or --image is needed");
        return FALSE;
    }
    if (options->loss && n_texts != n_images) {
        command_refuse (&COMMAND_FORWARD,
                "--loss needs as many texts as images, but there are %u and %u", n_texts, n_images);
        return FALSE;
    }
    if (options->image_size && !parse_image_size (options->image_size, &options->size)) {
        command_refuse (&COMMAND_FORWARD,
                "--image-size is '%s', but must be S or HxW, each from 1 to %d",
                options->image_size, MAX_IMAGE_SIZE);
        return FALSE;
    }
    return command_check_utf8 (&COMMAND_FORWARD, "--text", options->texts) &&
           model_arguments_check (&COMMAND_FORWARD, &options->model);
}

static int
run (int argc, char **argv)
{
    g_auto (Options) options = { .model.precision = ALTCLIP_PRECISION_F32 };
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipSession) session = NULL;
    const GOptionEntry entries[] = {
        { "text", 't', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.texts, "A text; may be repeated",
                "T" },
        { "image", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.images,
                "A PNG or JPEG file; may be repeated", "FILE" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "The file to write",
                "OUT.safetensors" },
        { "hidden-states", 0, 0, G_OPTION_ARG_NONE, &options.hidden_states,
                "Add the output of every layer", NULL },
        { "attentions", 0, 0, G_OPTION_ARG_NONE, &options.attentions,
                "Add the attention probabilities of every layer", NULL },
        { "loss", 0, 0, G_OPTION_ARG_NONE, &options.loss,
                "Add the contrastive loss of as many texts as images", NULL },
        { "interpolate-pos-encoding", 0, 0, G_OPTION_ARG_NONE, &options.interpolate_pos_encoding,
                "Take images of another size than the model's", NULL },
        { "image-size", 0, 0, G_OPTION_ARG_FILENAME, &options.image_size,
                "Preprocess to this size instead of the model's", "S|HxW" },
        MODEL_PRECISION_ENTRY (options.model, "f32 (default), bf16, int8 or auto"),
        G_OPTION_ENTRY_NULL,
    };
    int status;

    if (!command_parse (&COMMAND_FORWARD, entries, 1, 1, argc, argv, &operands, &status))
        return status;
    if (!check (&options))
        return STATUS_USAGE;
    session = model_arguments_open (&options.model, operands[0], ALTCLIP_MODEL_LAZY);
    return session ? forward (session, &options) : STATUS_FAILED;
}

const Command COMMAND_FORWARD = {
    .name = "forward",
    .summary = "Write every tensor of the model's forward pass to a file",
    .operands = "MODEL",
    .description =
            "Writes a safetensors file with the tensors of transformers' AltCLIPModel.forward "
            "under "
            "their\nnames: input_ids, attention_mask, pixel_values, text_embeds, image_embeds,\n"
            "logits_per_image and so on. Texts are padded to the longest. Of a model that is one "
            "tower\nalone, that tower's tensors are written.\n"
            "\n"
            "Images are resized and cropped as the model's preprocessor_config.json says, or with\n"
            "--image-size S to the square of that side from their middle; HxW stretches them. "
            "Another\nsize than the model's image_size needs --interpolate-pos-encoding.\n"
            "\n"
            "Example:\n"
            "  altclip forward models/demo --text 'a red circle' --image frame.png --output "
            "out.safetensors",
    .run = run,
};
