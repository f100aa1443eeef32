/* altclip: what every reader owes to any file: a result, or one clear error
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef VERDICT_H
#define VERDICT_H

#include <glib.h>

G_BEGIN_DECLS

/* Longest message after the file's name, in bytes. */
#define VERDICT_MAX_BYTES 600

/**
 * verdict_check:
 * @has_result: whether the reader gave a result
 * @error: (nullable): what it said
 * @path: (nullable): the file, which the message must begin with, or the folder that it is in
 *
 * Ends the program, saying why, unless there is either a result or an error of ours with a message
 * that names the file and is one short line of printable UTF-8.
 */
void verdict_check (gboolean has_result, const GError *error, const char *path);

/* Says what is wrong and ends the program, so that a fuzzer keeps its input. */
void verdict_fail (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;

G_END_DECLS

#endif /* VERDICT_H */
