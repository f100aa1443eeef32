/* altclip: files of prompts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_PROMPTS_FILE_H
#define ALTCLIP_PROMPTS_FILE_H

#include "prompts.h"

G_BEGIN_DECLS

/* Largest file that is read. */
#define ALTCLIP_PROMPTS_FILE_MAX_BYTES (64 * 1024 * 1024)

/**
 * altclip_prompts_parse_file:
 * @name: of the file, for messages
 * @directory: where relative paths of pictures begin
 * @bytes: (array length=length): the file; no NUL is needed
 * @loader: (nullable): as for altclip_prompts_load()
 *
 * altclip_prompts_load() of bytes. Looks whether the pictures are there, but reads none.
 *
 * Returns: (transfer full) (nullable): the set
 */
AltclipPrompts *altclip_prompts_parse_file (const char *name, const char *directory,
        const char *bytes, gsize length, AltclipPictureLoader loader, GError **error);

/**
 * altclip_prompts_read_file:
 *
 * Reads the file of a set that was made by altclip_prompts_new_for_file(), once. After an error the
 * set is as it was.
 */
gboolean altclip_prompts_read_file (AltclipPrompts *prompts, GError **error);

G_END_DECLS

#endif /* ALTCLIP_PROMPTS_FILE_H */
