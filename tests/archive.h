/* altclip: zip archives for the tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ARCHIVE_H
#define ARCHIVE_H

#include <glib.h>

G_BEGIN_DECLS

/* In what form sizes are written. */
typedef enum {
    ARCHIVE_PLAIN,
    ARCHIVE_SIZES_FOLLOW, /* 0 in the members' headers, and again after the data, as torch.save()
                             does */
    ARCHIVE_ZIP64         /* all of them as if they did not fit 32 bits */
} ArchiveForm;

typedef struct _Archive Archive;

/* What stands as the checksum of member @i. */
#define ARCHIVE_CHECKSUM(i) (0x01010101u * ((i) + 1))

Archive *archive_new (ArchiveForm form);
void archive_add (Archive *archive, const char *name, const void *data, gsize n);
/* Returns: (transfer full): the archive's bytes; @archive is gone */
GByteArray *archive_finish (Archive *archive);

/* Bytes of the extra fields of headers and entries, and of what follows the data. */
gsize archive_get_extra_size (ArchiveForm form);
gsize archive_get_entry_extra_size (ArchiveForm form);
gsize archive_get_descriptor_size (ArchiveForm form);

/* Overwrites @size bytes at @at with @value, least significant first. */
void archive_poke (GByteArray *bytes, gsize at, guint size, guint64 value);

G_END_DECLS

#endif /* ARCHIVE_H */
