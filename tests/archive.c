/* altclip: zip archives for the tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "archive.h"

#include <string.h>

struct _Archive {
    ArchiveForm form;
    GByteArray *members;
    GByteArray *directory;
    guint n;
};

static void
put (GByteArray *bytes, guint size, guint64 value)
{
    for (; size > 0; size--, value >>= 8) {
        guint8 byte = (guint8)value;
        g_byte_array_append (bytes, &byte, 1);
    }
}

/* A size or a place: in zip64 all ones stand for it. */
static void
put_32 (const Archive *archive, GByteArray *bytes, guint64 value)
{
    put (bytes, 4, archive->form == ARCHIVE_ZIP64 ? 0xffffffff : value);
}

gsize
archive_get_extra_size (ArchiveForm form)
{
    return form == ARCHIVE_ZIP64 ? 4 + 16 : 0;
}

gsize
archive_get_entry_extra_size (ArchiveForm form)
{
    return form == ARCHIVE_ZIP64 ? 4 + 24 : 0;
}

gsize
archive_get_descriptor_size (ArchiveForm form)
{
    return form == ARCHIVE_SIZES_FOLLOW ? 16 : 0;
}

Archive *
archive_new (ArchiveForm form)
{
    Archive *archive = g_new0 (Archive, 1);

    archive->form = form;
    archive->members = g_byte_array_new ();
    archive->directory = g_byte_array_new ();
    return archive;
}

/* Flags, method, time, date, checksum, sizes, lengths: the same in headers and entries. */
static void
put_shared (Archive *archive, GByteArray *bytes, gboolean is_known, gsize n_name, gsize n,
        gsize n_extra)
{
    put (bytes, 2, archive->form == ARCHIVE_SIZES_FOLLOW ? 8 : 0);
    put (bytes, 6, 0);
    put (bytes, 4, is_known ? ARCHIVE_CHECKSUM (archive->n) : 0);
    put_32 (archive, bytes, is_known ? n : 0);
    put_32 (archive, bytes, is_known ? n : 0);
    put (bytes, 2, n_name);
    put (bytes, 2, n_extra);
}

static void
put_header (Archive *archive, const char *name, gsize n)
{
    GByteArray *bytes = archive->members;

    put (bytes, 4, 0x04034b50);
    put (bytes, 2, 0);
    put_shared (archive, bytes, archive->form != ARCHIVE_SIZES_FOLLOW, strlen (name), n,
            archive_get_extra_size (archive->form));
    g_byte_array_append (bytes, (const guint8 *)name, (guint)strlen (name));
    if (archive->form == ARCHIVE_ZIP64) {
        put (bytes, 4, 0x00100001);
        put (bytes, 8, n);
        put (bytes, 8, n);
    }
}

static void
put_entry (Archive *archive, const char *name, gsize n, gsize header)
{
    GByteArray *bytes = archive->directory;

    put (bytes, 4, 0x02014b50);
    put (bytes, 4, 0);
    put_shared (
            archive, bytes, TRUE, strlen (name), n, archive_get_entry_extra_size (archive->form));
    put (bytes, 10, 0);
    put_32 (archive, bytes, header);
    g_byte_array_append (bytes, (const guint8 *)name, (guint)strlen (name));
    if (archive->form == ARCHIVE_ZIP64) {
        put (bytes, 4, 0x00180001);
        put (bytes, 8, n);
        put (bytes, 8, n);
        put (bytes, 8, header);
    }
}

void
archive_add (Archive *archive, const char *name, const void *data, gsize n)
{
    put_entry (archive, name, n, archive->members->len);
    put_header (archive, name, n);
    g_byte_array_append (archive->members, data, (guint)n);
    if (archive->form == ARCHIVE_SIZES_FOLLOW) {
        put (archive->members, 4, 0x08074b50);
        put (archive->members, 4, ARCHIVE_CHECKSUM (archive->n));
        put (archive->members, 4, n);
        put (archive->members, 4, n);
    }
    archive->n++;
}

static void
put_end64 (GByteArray *bytes, guint n, gsize n_directory)
{
    gsize at = bytes->len;

    put (bytes, 4, 0x06064b50);
    put (bytes, 8, 44);
    put (bytes, 12, 0);
    put (bytes, 8, n);
    put (bytes, 8, n);
    put (bytes, 8, n_directory);
    put (bytes, 8, at - n_directory);
    put (bytes, 4, 0x07064b50);
    put (bytes, 4, 0);
    put (bytes, 8, at);
    put (bytes, 4, 1);
}

GByteArray *
archive_finish (Archive *archive)
{
    GByteArray *bytes = archive->members;
    gsize directory = bytes->len;

    g_byte_array_append (bytes, archive->directory->data, archive->directory->len);
    if (archive->form == ARCHIVE_ZIP64)
        put_end64 (bytes, archive->n, archive->directory->len);
    put (bytes, 4, 0x06054b50);
    put (bytes, 4, 0);
    put (bytes, 2, archive->n);
    put (bytes, 2, archive->n);
    put_32 (archive, bytes, archive->directory->len);
    put_32 (archive, bytes, directory);
    put (bytes, 2, 0);
    g_byte_array_unref (archive->directory);
    g_free (archive);
    return bytes;
}

void
archive_poke (GByteArray *bytes, gsize at, guint size, guint64 value)
{
    g_assert_cmpuint (at + size, <=, bytes->len);
    for (guint i = 0; i < size; i++)
        bytes->data[at + i] = (guint8)(value >> (8 * i));
}
