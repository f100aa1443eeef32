/* altclip: the options that name phrases, of several subcommands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef COMMAND_PROMPTS_H
#define COMMAND_PROMPTS_H

#include "command.h"

G_BEGIN_DECLS

/* What the options said; NULL: nothing. */
typedef struct {
    char *prompts;
    char *prompts_file;
    char *negative_prompts;
    char *templates;
    char *score_mode;
} PromptsArguments;

void prompts_arguments_clear (PromptsArguments *arguments);

/* Entries of a GOptionEntry[] that fill @arguments, a PromptsArguments. */
#define PROMPTS_ARGUMENTS_ENTRIES(arguments)                                                       \
    { "prompts", 'p', 0, G_OPTION_ARG_FILENAME, &(arguments).prompts, "The phrases to tell apart", \
        "'LABEL; LABEL=TEXT|TEXT; …'" },                                                           \
            { "prompts-file", 'f', 0, G_OPTION_ARG_FILENAME, &(arguments).prompts_file,            \
                "The labels to tell apart, from a JSON file", "FILE" },                            \
            { "negative-prompts", 'n', 0, G_OPTION_ARG_FILENAME, &(arguments).negative_prompts,    \
                "Phrases that compete but are not reported", "'TEXT; …'" },                        \
            { "templates", 0, 0, G_OPTION_ARG_FILENAME, &(arguments).templates,                    \
                "Sentences to put each text into, at {}", "'a photo of {}; …'" },                  \
    {                                                                                              \
        "score-mode", 0, 0, G_OPTION_ARG_FILENAME, &(arguments).score_mode,                        \
                "softmax (default), sigmoid or cosine; goes before the file's", "MODE"             \
    }

/* Whether the options are there, are UTF-8 and go together; complains if not. */
gboolean prompts_arguments_check (const Command *command, const PromptsArguments *arguments);

/**
 * prompts_arguments_load:
 * @mode: (out): how to score, by the option, else the file, else softmax
 * @status: (out): what to exit with on %NULL
 *
 * Reads the prompts, which are not embedded; complains if that fails.
 *
 * Returns: (transfer full) (nullable): the prompts, one label at least
 */
AltclipPrompts *prompts_arguments_load (const Command *command, const PromptsArguments *arguments,
        AltclipScoreMode *mode, int *status);

G_END_DECLS

#endif /* COMMAND_PROMPTS_H */
