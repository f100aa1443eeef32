/* altclip info: what a model is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command_model.h"

static json_t *
describe (AltclipModel *model)
{
    g_autofree char *directory =
            g_filename_display_name (altclip_model_get_info (model)->directory);
    g_autofree char *text = altclip_model_describe (model);
    json_t *object = json_loads (text, 0, NULL);

    json_object_set_new (object, "directory", json_string (directory));
    command_describe_kernels (model, object);
    return object;
}

static int
run (int argc, char **argv)
{
    g_auto (GStrv) operands = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = NULL;
    const AltclipModelOptions options = { .flags = ALTCLIP_MODEL_LAZY };
    int status;

    if (!command_parse (&COMMAND_INFO, NULL, 1, 1, argc, argv, &operands, &status))
        return status;
    model = altclip_model_open (operands[0], &options, NULL, &error);
    if (!model || !altclip_model_get_kernels (model, &error))
        return command_fail (error);
    return command_print (describe (model)) ? STATUS_OK : STATUS_FAILED;
}

const Command COMMAND_INFO = {
    .name = "info",
    .summary = "Say what a model is: its type, its size, its two towers",
    .operands = "MODEL",
    .description =
            "Prints one JSON object: \"vision\" and \"text\" hold every field of the towers'\n"
            "configurations, omitted ones with their defaults. \"kernels\" names the code that\n"
            "computes on this CPU, \"precision\" what it multiplies in unless one is asked for,\n"
            "\"trial\" the times of one product that this was decided by: milliseconds of one\n"
            "thread, in floats and in bfloat16. \"logit_scale\" is the factor from cosine to\n"
            "logit, \"max_tokens\" the longest text. Of a directory with one tower alone, the\n"
            "other is left out.\n"
            "\n"
            "Example:\n"
            "  altclip info models/demo",
    .run = run,
};
