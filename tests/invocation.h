/* altclip: runs of the altclip command, and what they left
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ALTCLIP_COMMAND in the environment is the command's path.
 */

#ifndef ALTCLIP_TEST_INVOCATION_H
#define ALTCLIP_TEST_INVOCATION_H

#include <glib.h>
#include <jansson.h>

typedef struct {
    int status;
    char *out;
    char *err;
} Invocation;

#define INVOCATION_INIT \
    {                   \
        -1, NULL, NULL  \
    }

/* Runs `altclip ARGUMENTS…` in @directory, NULL: in this process's.
 * @arguments: (element-type utf8), not NULL-terminated */
Invocation invocation_run_list (const char *directory, const GPtrArray *arguments);

/* The same with the arguments up to NULL. */
Invocation invocation_run (const char *first, ...) G_GNUC_NULL_TERMINATED;

void invocation_clear (Invocation *invocation);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Invocation, invocation_clear)

/* That it succeeded, and said nothing on standard error. */
void invocation_assert_succeeded (const Invocation *invocation);

/* That it failed: one message, on standard error, with @message in it, and nothing else. */
void invocation_assert_failed (const Invocation *invocation, const char *message);

/* That its arguments were refused: @message and a hint on standard error, and nothing else. */
void invocation_assert_refused (const Invocation *invocation, const char *message);

/* Returns: (transfer full): the lines of its output, as a list */
json_t *invocation_parse (const Invocation *invocation);

/* The same of one that succeeded, and printed as many lines. */
json_t *invocation_parse_success (const Invocation *invocation, guint n_lines);

/* Returns: (transfer full): line number @index of its output */
json_t *invocation_parse_line (const Invocation *invocation, guint index);

/* A string or number that a line must have. */
const char *get_string (json_t *object, const char *name);
double get_number (json_t *object, const char *name);

/* That @text contains @part. */
void assert_contains (const char *text, const char *part);

#endif /* ALTCLIP_TEST_INVOCATION_H */
