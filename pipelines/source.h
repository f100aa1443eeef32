/* altclip: where video comes from
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef SOURCE_H
#define SOURCE_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    char *uri;
    char *shown;      /* as the user named it, in UTF-8 and without a password */
    gboolean is_file; /* on this machine, and it has an end */
} Source;

void source_clear (Source *source);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Source, source_clear)

/**
 * source_parse:
 * @source: (out caller-allocated): to be cleared, also on failure
 * @name: a file, a device of video, or a URI
 * @error: #ALTCLIP_ERROR_IO, naming it
 */
gboolean source_parse (Source *source, const char *name, GError **error);

G_END_DECLS

#endif /* SOURCE_H */
