/* altclip: files that are not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_FILE_H
#define ALTCLIP_FILE_H

#include "altclip.h"

G_BEGIN_DECLS

/**
 * altclip_file_is_there:
 *
 * Whether something has the name @path. What cannot be reached counts too, a link that leads
 * nowhere for instance: whoever reads it then says so, and does not do without what the directory
 * is meant to hold.
 */
gboolean altclip_file_is_there (const char *path);

/**
 * altclip_file_read:
 * @limit: most bytes that are read
 * @contents: (out) (transfer full): the file, and a NUL after it
 * @length: (out): its bytes, without the NUL
 *
 * Reads a regular file whole. A pipe or a device, which could keep the caller waiting or never end,
 * is refused, and so is a larger file.
 */
gboolean altclip_file_read (
        const char *path, gsize limit, char **contents, gsize *length, GError **error);

/* What tells one state of a file from another without a look inside. Times are in nanoseconds. */
typedef struct {
    guint64 device;
    guint64 inode;
    guint64 n_bytes;
    gint64 modified;
    gint64 changed;
} AltclipFileIdentity;

/**
 * altclip_file_identify:
 * @identity: (out caller-allocated): of the file that is at @path now
 *
 * Returns: whether there is a regular file
 */
gboolean altclip_file_identify (const char *path, AltclipFileIdentity *identity);

/**
 * altclip_file_map:
 * @identity: (out) (nullable): of the file that is mapped
 *
 * Maps a regular file for reading.
 *
 * Returns: (transfer full) (nullable): the mapped bytes
 */
GBytes *altclip_file_map (const char *path, AltclipFileIdentity *identity, GError **error);

G_END_DECLS

#endif /* ALTCLIP_FILE_H */
