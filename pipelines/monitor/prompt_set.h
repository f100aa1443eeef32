/* altclip: what a camera looks for, as a document
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "altclip.h"

G_BEGIN_DECLS

/* The largest document that is taken. */
#define MONITOR_PROMPTS_MAX_BYTES (4 * 1024 * 1024)

AltclipPrompts *monitor_prompts_load (const char *path, GError **error);

/* The short form. negatives: (out) (optional) (transfer none) (nullable): what competes with them,
 * so that not something always wins. */
AltclipPrompts *monitor_prompts_parse (const char *prompts, const char **negatives, GError **error);

/* Writes what is looked for when nobody says anything: what the bundled model knows. */
gboolean monitor_prompts_write_default (const char *path, GError **error);

/* Writes the short form as a document, negatives and all. */
gboolean monitor_prompts_write_short (const char *path, const char *prompts, GError **error);

/* Checks a document of prompts and puts it in the place of path, whole or not at all. Pictures that
 * it names must be named by before, too: who may edit phrases may not read files. */
gboolean monitor_prompts_keep (
        const char *path, const char *document, const char *before, GError **error);

G_END_DECLS
