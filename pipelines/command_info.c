/* altclip info: what a model is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

static json_t *
describe_tower (const AltclipTowerInfo *tower)
{
    return json_pack ("{s:i, s:i, s:i, s:i, s:s, s:f, s:I}", "hidden_size", (int)tower->hidden_size,
            "intermediate_size", (int)tower->intermediate_size, "num_hidden_layers",
            (int)tower->num_hidden_layers, "num_attention_heads", (int)tower->num_attention_heads,
            "hidden_act", tower->hidden_act, "layer_norm_eps", tower->layer_norm_eps, "parameters",
            (json_int_t)tower->parameters);
}

static json_t *
describe_vision (const AltclipModelInfo *info)
{
    json_t *vision = describe_tower (&info->vision);

    json_object_set_new (vision, "image_size", json_integer (info->image_size));
    json_object_set_new (vision, "patch_size", json_integer (info->patch_size));
    json_object_set_new (vision, "num_channels", json_integer (info->num_channels));
    return vision;
}

static json_t *
describe_text (const AltclipModelInfo *info)
{
    json_t *text = describe_tower (&info->text);

    json_object_set_new (text, "project_dim", json_integer (info->project_dim));
    json_object_set_new (text, "vocab_size", json_integer (info->vocab_size));
    json_object_set_new (text, "max_tokens", json_integer (info->max_tokens));
    return text;
}

static json_t *
describe_model (const AltclipModelInfo *info, const char *kernels)
{
    g_autofree char *directory = g_filename_display_name (info->directory);
    json_t *model = json_pack ("{s:s, s:s, s:s, s:I, s:i, s:f, s:s}", "model_type",
            info->model_type, "directory", directory, "dtype", info->dtype, "parameters",
            (json_int_t)info->parameters, "projection_dim", (int)info->projection_dim,
            "logit_scale", info->logit_scale, "kernels", kernels);

    if (info->towers & ALTCLIP_TOWER_IMAGE)
        json_object_set_new (model, "vision", describe_vision (info));
    if (info->towers & ALTCLIP_TOWER_TEXT)
        json_object_set_new (model, "text", describe_text (info));
    return model;
}

static int
run (int argc, char **argv)
{
    g_auto (GStrv) operands = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = NULL;
    const AltclipModelOptions options = { .flags = ALTCLIP_MODEL_LAZY };
    const char *kernels;
    int status;

    if (!command_parse (&COMMAND_INFO, NULL, 1, 1, argc, argv, &operands, &status))
        return status;
    model = altclip_model_open (operands[0], &options, NULL, &error);
    kernels = model ? altclip_model_get_kernels (model, &error) : NULL;
    if (!kernels)
        return command_fail (error);
    return command_print (describe_model (altclip_model_get_info (model), kernels)) ? STATUS_OK
                                                                                    : STATUS_FAILED;
}

const Command COMMAND_INFO = {
    .name = "info",
    .summary = "Say what a model is: its type, its size, its two towers",
    .operands = "MODEL",
    .description =
            "Prints one JSON object. \"kernels\" names the code that computes on this CPU,\n"
            "\"logit_scale\" is the factor from cosine to logit, \"max_tokens\" the longest text.\n"
            "Of a directory with one tower alone, \"vision\" or \"text\" is left out.\n"
            "\n"
            "Example:\n"
            "  altclip info models/demo",
    .run = run,
};
