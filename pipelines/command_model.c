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
