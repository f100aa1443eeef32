/* altclip: the options that say how a model is opened, of several subcommands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef COMMAND_MODEL_H
#define COMMAND_MODEL_H

#include "command.h"

G_BEGIN_DECLS

/* What the options said. */
typedef struct {
    char *precision_name;       /* NULL: nothing */
    AltclipPrecision precision; /* what precision_name says; to begin with, what it is without */
    gboolean no_cache;
} ModelArguments;

void model_arguments_clear (ModelArguments *arguments);

/* An entry of a GOptionEntry[] that fills @arguments, ModelArguments. @names: the precisions, and
 * which is the default. */
#define MODEL_PRECISION_ENTRY(arguments, names)                                \
    {                                                                          \
        "precision", 0, 0, G_OPTION_ARG_FILENAME, &(arguments).precision_name, \
                "What the image tower multiplies in: " names, "P"              \
    }

#define MODEL_PRECISION_NAMES "auto (default), f32, bf16 or int8"

/* Another. */
#define MODEL_NO_CACHE_ENTRY(arguments)                                                 \
    {                                                                                   \
        "no-cache", 0, 0, G_OPTION_ARG_NONE, &(arguments).no_cache,                     \
                "Neither use nor keep embeddings of texts in the cache directory", NULL \
    }

/* Whether the precision is one, which is then set; complains if not. */
gboolean model_arguments_check (const Command *command, ModelArguments *arguments);

/**
 * model_arguments_open:
 * @arguments: that were checked
 * @flags: beside what they say
 *
 * Opens @directory and makes a session for it; complains if that fails.
 *
 * Returns: (transfer full) (nullable): the session
 */
AltclipSession *model_arguments_open (
        const ModelArguments *arguments, const char *directory, AltclipModelFlags flags);

/* Adds to @object what computes @model, whose kernels are there, in what precision, and the times
 * that this was decided by, if it was by any. */
void command_describe_kernels (AltclipModel *model, json_t *object);

G_END_DECLS

#endif /* COMMAND_MODEL_H */
