/* altclip: what the subcommands of the altclip command share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef COMMAND_H
#define COMMAND_H

#include "altclip.h"

#include <jansson.h>

G_BEGIN_DECLS

/* Exit statuses, a promise to scripts. */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/* A subcommand. Its `run` gets the arguments after its name, in argv[1] and on. */
typedef struct {
    const char *name;
    const char *summary;     /* one line for `altclip --help` */
    const char *operands;    /* what follows the options, "MODEL TEXT…" for instance */
    const char *description; /* below the options in `altclip NAME --help` */
    int (*run) (int argc, char **argv);
} Command;

extern const Command COMMAND_INFO;
extern const Command COMMAND_TOKENIZE;
extern const Command COMMAND_INIT;
extern const Command COMMAND_FORWARD;
extern const Command COMMAND_EMBED;
extern const Command COMMAND_CLASSIFY;
extern const Command COMMAND_WATCH;
extern const Command COMMAND_CALIBRATE;
extern const Command COMMAND_TIMELINE;
extern const Command COMMAND_BENCH;
extern const Command COMMAND_CONVERT;

/**
 * command_parse:
 * @entries: the subcommand's options; strings as G_OPTION_ARG_FILENAME or _FILENAME_ARRAY, since
 *     G_OPTION_ARG_STRING takes nothing but ASCII in the C locale of a bare container
 * @least: least number of operands
 * @most: greatest number of operands
 * @operands: (out): the arguments that are no options
 * @status: (out): what to exit with on %FALSE
 *
 * Parses the options, answers `--help`, and complains about a wrong number of operands.
 *
 * Returns: whether to go on
 */
gboolean command_parse (const Command *command, const GOptionEntry *entries, guint least,
        guint most, int argc, char **argv, char ***operands, int *status);

/* Says on standard error what is wrong with the arguments. Returns: STATUS_USAGE. */
int command_refuse (const Command *command, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Says on standard error what went wrong. Returns: STATUS_FAILED. */
int command_fail (const GError *error);

/* Says something on standard error that does not change the exit status. */
void command_warn (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Whether @strings (nullable), arguments called @what, are UTF-8; complains if not. */
gboolean command_check_utf8 (const Command *command, const char *what, char *const *strings);

/* Whether @seconds, which @option says, may be a time; complains if not. */
gboolean command_check_seconds (const Command *command, const char *option, double seconds);

/* The same of the time between two frames of a video that are looked at. */
gboolean command_check_interval (const Command *command, double seconds);

/* Says what a person would wonder about in the scores of embedded prompts. */
void command_warn_about_prompts (AltclipPrompts *prompts, AltclipScoreMode mode);

/**
 * command_print:
 * @line: (transfer full): one result
 *
 * Writes a JSON line to standard output at once, with digits enough for a float to survive.
 *
 * Returns: whether it could be written
 */
gboolean command_print (json_t *line);

/* The same of a line that is written out, with its end. */
gboolean command_print_text (const char *line);

G_END_DECLS

#endif /* COMMAND_H */
