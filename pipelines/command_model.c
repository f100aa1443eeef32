/* altclip: the options that say how a model is opened, of several subcommands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command_model.h"

void
model_arguments_clear (ModelArguments *arguments)
{
    g_free (arguments->precision_name);
}

gboolean
model_arguments_check (const Command *command, ModelArguments *arguments)
{
    const char *name = arguments->precision_name;

    if (!name || altclip_precision_from_name (name, &arguments->precision))
        return TRUE;
    command_refuse (command, "--precision is '%s', but must be auto, f32, bf16 or int8", name);
    return FALSE;
}

AltclipSession *
model_arguments_open (
        const ModelArguments *arguments, const char *directory, AltclipModelFlags flags)
{
    const AltclipModelOptions options = {
        .flags = flags | (arguments->no_cache ? ALTCLIP_MODEL_NO_CACHE : ALTCLIP_MODEL_NONE),
        .precision = arguments->precision,
    };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, &error);
    AltclipSession *session = model ? altclip_session_new (model, 0, &error) : NULL;

    if (!session)
        command_fail (error);
    return session;
}

static json_t *
describe_time (AltclipPrecision precision, const char *kernels, guint64 time)
{
    return json_pack ("{s:s, s:s, s:f}", "precision", altclip_precision_get_name (precision),
            "kernels", kernels, "ms", (double)time / 1e6);
}

void
command_describe_kernels (AltclipModel *model, json_t *object)
{
    AltclipPrecision precision = ALTCLIP_PRECISION_AUTO;
    AltclipTrial trial;

    altclip_model_get_precision (model, &precision, NULL, NULL);
    json_object_set_new (object, "kernels", json_string (altclip_model_get_kernels (model, NULL)));
    json_object_set_new (object, "precision", json_string (altclip_precision_get_name (precision)));
    if (precision == ALTCLIP_PRECISION_INT8)
        json_object_set_new (object, "finer_layers",
                json_integer ((json_int_t)altclip_model_get_finer_layers (model)));
    if (!altclip_model_get_trial (model, &trial))
        return;
    json_object_set_new (object, "trial",
            json_pack ("[o, o]",
                    describe_time (ALTCLIP_PRECISION_F32, trial.f32_kernels, trial.f32_time),
                    describe_time (ALTCLIP_PRECISION_BF16, trial.bf16_kernels, trial.bf16_time)));
}
