/* altclip: the options that name phrases, of several subcommands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command_prompts.h"
#include "still.h"

#include <string.h>

void
prompts_arguments_clear (PromptsArguments *arguments)
{
    g_free (arguments->prompts);
    g_free (arguments->prompts_file);
    g_free (arguments->negative_prompts);
    g_free (arguments->templates);
    g_free (arguments->score_mode);
}

/* @mode: left as it is without a @name */
static gboolean
parse_mode (const Command *command, const char *name, AltclipScoreMode *mode)
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
        command_refuse (
                command, "--score-mode is '%s', but must be softmax, sigmoid or cosine", name);
    return !name;
}

static gboolean
check_utf8 (const Command *command, const char *option, char *string)
{
    return command_check_utf8 (command, option, (char *[]){ string, NULL });
}

gboolean
prompts_arguments_check (const Command *command, const PromptsArguments *arguments)
{
    AltclipScoreMode mode;

    if (!arguments->prompts && !arguments->prompts_file) {
        command_refuse (command, "--prompts or --prompts-file is missing");
        return FALSE;
    }
    if (arguments->prompts_file &&
            (arguments->prompts || arguments->negative_prompts || arguments->templates)) {
        command_refuse (command, "--prompts-file takes the place of --prompts, "
                                 "--negative-prompts and --templates");
        return FALSE;
    }
    return parse_mode (command, arguments->score_mode, &mode) &&
           check_utf8 (command, "--prompts", arguments->prompts) &&
           check_utf8 (command, "--negative-prompts", arguments->negative_prompts) &&
           check_utf8 (command, "--templates", arguments->templates);
}

static AltclipPrompts *
load (const Command *command, const PromptsArguments *arguments, int *status)
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
    *status = command_refuse (command, "%s", error ? error->message : "--prompts holds no phrase");
    return NULL;
}

AltclipPrompts *
prompts_arguments_load (const Command *command, const PromptsArguments *arguments,
        AltclipScoreMode *mode, int *status)
{
    AltclipPrompts *prompts = load (command, arguments, status);

    if (prompts) {
        *mode = altclip_prompts_get_score_mode (prompts, ALTCLIP_SCORE_SOFTMAX);
        parse_mode (command, arguments->score_mode, mode);
    }
    return prompts;
}
