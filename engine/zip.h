/* altclip: zip archives of stored members
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_ZIP_H
#define ALTCLIP_ZIP_H

#include "altclip.h"

G_BEGIN_DECLS

/* Most members of an archive, and bytes of a member's name. */
#define ALTCLIP_ZIP_MAX_MEMBERS 65536
#define ALTCLIP_ZIP_MAX_NAME 512

typedef struct {
    char *name;
    const guint8 *data; /* within the archive */
    gsize n_bytes;
    guint32 crc32;  /* as the archive says; nobody has compared it with the data */
    guint64 header; /* where the member's own header begins */
} AltclipZipMember;

typedef struct _AltclipZip AltclipZip;

/**
 * altclip_zip_parse:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes]: a whole archive, which must live as long as the result
 *
 * Reads the directory, and checks each member's own header against it; the data are not looked at.
 * Refused by name: compressed, encrypted and doubled members, members that overlap or do not lie
 * within the archive, and archives in several parts. Archives of more than 4 GiB (zip64) are read.
 *
 * Returns: (transfer full) (nullable): the archive
 */
AltclipZip *altclip_zip_parse (
        const char *path, const guint8 *bytes, gsize n_bytes, GError **error);

void altclip_zip_free (AltclipZip *zip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipZip, altclip_zip_free)

/* Returns: (transfer none) (element-type AltclipZipMember): in the order of their place. */
const GPtrArray *altclip_zip_get_members (AltclipZip *zip);

/* Returns: (transfer none) (nullable): the member. */
const AltclipZipMember *altclip_zip_find (AltclipZip *zip, const char *name);

/* Returns: (transfer none): the directory's bytes: names, sizes, places and checksums. */
const guint8 *altclip_zip_get_directory (AltclipZip *zip, gsize *n_bytes);

G_END_DECLS

#endif /* ALTCLIP_ZIP_H */
