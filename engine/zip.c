/* altclip: zip archives of stored members
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each member is a header, its name, extra fields and its data; after all of them comes the
 * directory, which says the same again and where each member begins; at the very end a record tells
 * where the directory is. Fields of 32 bits that are too small are all ones, and the real values
 * are in an extra field (zip64), or in a second record before the last. All of it is little-endian.
 */

#include "excerpt.h"
#include "name_hash.h"
#include "zip.h"

#include <string.h>

/* The records' first four bytes, and their lengths without what follows of variable length. */
#define HEADER_MAGIC 0x04034b50
#define HEADER_BYTES 30
#define ENTRY_MAGIC 0x02014b50
#define ENTRY_BYTES 46
#define END_MAGIC 0x06054b50
#define END_BYTES 22
#define LOCATOR_MAGIC 0x07064b50
#define LOCATOR_BYTES 20
#define END64_MAGIC 0x06064b50
#define END64_BYTES 56

#define MAX_COMMENT_BYTES 0xffff
#define ZIP64_FIELD 0x0001
#define FULL_32 0xffffffff

/* Flags of a member. */
#define FLAG_ENCRYPTED (1 << 0)
#define FLAG_SIZES_FOLLOW (1 << 3) /* sizes and checksum of the member's own header may be 0 */
#define FLAG_UTF8 (1 << 11)

struct _AltclipZip {
    char *path;
    const guint8 *bytes;
    gsize n_bytes;
    gsize directory; /* where it begins */
    gsize n_directory;
    guint64 n_members; /* as the directory says */
    GPtrArray *members;
    GHashTable *by_name; /* name → member, both of @members */
};

/* What a directory's entry or a member's header says. */
typedef struct {
    guint flags;
    guint method;
    guint32 crc32;
    guint64 compressed;
    guint64 n_bytes;
    guint64 header;
    const guint8 *name;
    gsize n_name;
    const guint8 *extra;
    gsize n_extra;
} Record;

static guint16
get_16 (const guint8 *at)
{
    return (guint16)(at[0] | at[1] << 8);
}

static guint32
get_32 (const guint8 *at)
{
    return get_16 (at) | (guint32)get_16 (at + 2) << 16;
}

static guint64
get_64 (const guint8 *at)
{
    return get_32 (at) | (guint64)get_32 (at + 4) << 32;
}

static gboolean refuse (const AltclipZip *zip, GError **error, const char *format, ...)
        G_GNUC_PRINTF (3, 4);

/* Returns: %FALSE */
static gboolean
refuse (const AltclipZip *zip, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start (arguments, format);
    reason = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_set_error (
            error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: zip archive: %s", zip->path, reason);
    return FALSE;
}

/* ---- The end --------------------------------------------------------------------------------- */

/* The last record that a comment of just the right length follows. */
static gboolean
find_end (const AltclipZip *zip, gsize *end, GError **error)
{
    gsize last = zip->n_bytes - MIN (zip->n_bytes, END_BYTES);
    gsize first = last - MIN (last, MAX_COMMENT_BYTES);

    if (zip->n_bytes < END_BYTES)
        return refuse (zip, error, "%" G_GSIZE_FORMAT " bytes are too few", zip->n_bytes);
    for (gsize at = last;; at--) {
        const guint8 *record = zip->bytes + at;

        if (get_32 (record) == END_MAGIC && get_16 (record + 20) == last - at) {
            *end = at;
            return TRUE;
        }
        if (at == first)
            break;
    }
    return refuse (zip, error,
            "the last %" G_GSIZE_FORMAT
            " bytes hold no record of its directory (is the file truncated?)",
            zip->n_bytes - first);
}

/* The second record, if the last 20 bytes before @end say where it is. It gives the directory's
 * place anew; @end becomes the second record's. */
static gboolean
read_end64 (AltclipZip *zip, gsize *end, guint64 place[3], GError **error)
{
    const guint8 *locator = zip->bytes + *end - MIN (*end, LOCATOR_BYTES);
    const guint8 *record;
    guint64 at;

    if (*end < LOCATOR_BYTES || get_32 (locator) != LOCATOR_MAGIC)
        return TRUE;
    at = get_64 (locator + 8);
    if (get_32 (locator + 4) != 0 || get_32 (locator + 16) != 1)
        return refuse (zip, error, "it is one of several parts");
    if (at > *end - LOCATOR_BYTES || *end - LOCATOR_BYTES - at < END64_BYTES)
        return refuse (zip, error,
                "its zip64 record at byte %" G_GUINT64_FORMAT
                " does not lie before byte %" G_GSIZE_FORMAT,
                at, *end - LOCATOR_BYTES);
    record = zip->bytes + at;
    if (get_32 (record) != END64_MAGIC)
        return refuse (zip, error, "there is no zip64 record at byte %" G_GUINT64_FORMAT, at);
    if (get_32 (record + 16) != 0 || get_32 (record + 20) != 0 ||
            get_64 (record + 24) != get_64 (record + 32))
        return refuse (zip, error, "it is one of several parts");
    for (guint i = 0; i < 3; i++)
        place[i] = get_64 (record + 32 + 8 * i);
    *end = (gsize)at;
    return TRUE;
}

static gboolean
find_directory (AltclipZip *zip, GError **error)
{
    const guint8 *record;
    guint64 place[3]; /* number of members, bytes of the directory, where it begins */
    gsize end = 0;

    if (!find_end (zip, &end, error))
        return FALSE;
    record = zip->bytes + end;
    if (get_16 (record + 4) != 0 || get_16 (record + 6) != 0 ||
            get_16 (record + 8) != get_16 (record + 10))
        return refuse (zip, error, "it is one of several parts");
    place[0] = get_16 (record + 10);
    place[1] = get_32 (record + 12);
    place[2] = get_32 (record + 16);
    if (!read_end64 (zip, &end, place, error))
        return FALSE;
    if (place[2] > end || place[1] > end - place[2])
        return refuse (zip, error,
                "its directory of %" G_GUINT64_FORMAT " bytes at byte %" G_GUINT64_FORMAT
                " does not end before byte %" G_GSIZE_FORMAT,
                place[1], place[2], end);
    if (place[0] > ALTCLIP_ZIP_MAX_MEMBERS)
        return refuse (zip, error, "%" G_GUINT64_FORMAT " members exceed the limit of %d", place[0],
                ALTCLIP_ZIP_MAX_MEMBERS);
    zip->n_members = place[0];
    zip->n_directory = (gsize)place[1];
    zip->directory = (gsize)place[2];
    return TRUE;
}

/* ---- Members --------------------------------------------------------------------------------- */

/* Puts the values of the zip64 extra field in place of those of @values that are all ones. It has
 * the values of just these, in this order. */
static gboolean
widen (const AltclipZip *zip, const char *name, const Record *record, guint64 *const values[],
        guint n_values, GError **error)
{
    const guint8 *field = NULL;
    gsize n_field = 0;

    for (gsize at = 0; !field && record->n_extra - at >= 4;) {
        const guint8 *extra = record->extra + at;

        n_field = get_16 (extra + 2);
        if (n_field > record->n_extra - at - 4)
            return refuse (zip, error,
                    "member '%s': an extra field of %" G_GSIZE_FORMAT
                    " bytes does not fit the %" G_GSIZE_FORMAT " that are left",
                    name, n_field, record->n_extra - at - 4);
        if (get_16 (extra) == ZIP64_FIELD)
            field = extra + 4;
        at += 4 + n_field;
    }
    for (guint i = 0; i < n_values; i++) {
        if (*values[i] != FULL_32)
            continue;
        if (!field || n_field < 8)
            return refuse (
                    zip, error, "member '%s': its zip64 field is missing or too short", name);
        *values[i] = get_64 (field);
        field += 8;
        n_field -= 8;
    }
    return TRUE;
}

/* A record's fixed part is at @at; its lengths are at @lengths, and its other fields, which
 * headers and entries have alike, at @fields. @end: where name and extra fields must end at last */
static gboolean
read_record (const AltclipZip *zip, gsize at, gsize n_fixed, gsize fields, gsize end,
        Record *record, GError **error)
{
    const guint8 *fixed = zip->bytes + at;

    record->flags = get_16 (fixed + fields);
    record->method = get_16 (fixed + fields + 2);
    record->crc32 = get_32 (fixed + fields + 8);
    record->compressed = get_32 (fixed + fields + 12);
    record->n_bytes = get_32 (fixed + fields + 16);
    record->n_name = get_16 (fixed + fields + 20);
    record->n_extra = get_16 (fixed + fields + 22);
    record->name = fixed + n_fixed;
    record->extra = record->name + record->n_name;
    if (record->n_name + record->n_extra > end - at - n_fixed)
        return refuse (zip, error,
                "the record at byte %" G_GSIZE_FORMAT " with a name of %" G_GSIZE_FORMAT
                " and extra fields of %" G_GSIZE_FORMAT
                " bytes does not end before byte %" G_GSIZE_FORMAT,
                at, record->n_name, record->n_extra, end);
    return TRUE;
}

/* Returns: (transfer full) (nullable): the name as text */
static char *
read_name (const AltclipZip *zip, gsize at, const Record *record, GError **error)
{
    g_autofree char *name =
            g_strndup ((const char *)record->name, MIN (record->n_name, ALTCLIP_ZIP_MAX_NAME));
    g_autofree char *shown = NULL;

    if (record->n_name > 0 && strlen (name) == record->n_name &&
            altclip_excerpt_is_printable (name))
        return g_steal_pointer (&name);
    shown = altclip_excerpt (name);
    refuse (zip, error,
            "the entry at byte %" G_GSIZE_FORMAT " has a name of %" G_GSIZE_FORMAT
            " bytes; it must have 1 to %d, be UTF-8 and without control characters: '%s'",
            at, record->n_name, ALTCLIP_ZIP_MAX_NAME, shown);
    return NULL;
}

/* What can be read: bytes that lie there as they are. */
static gboolean
check_stored (const AltclipZip *zip, const char *name, const Record *record, GError **error)
{
    if (record->flags & FLAG_ENCRYPTED)
        return refuse (zip, error, "member '%s' is encrypted", name);
    if (record->method != 0)
        return refuse (zip, error,
                "member '%s' is compressed (method %u), and only stored ones are read", name,
                record->method);
    if (record->flags & ~(guint)(FLAG_SIZES_FOLLOW | FLAG_UTF8))
        return refuse (zip, error,
                "member '%s' has the flags 0x%04x, of which only 0x%04x are read", name,
                record->flags, FLAG_SIZES_FOLLOW | FLAG_UTF8);
    return TRUE;
}

/* A header may leave to the directory what was not known when it was written. */
static gboolean
agrees (const Record *header, guint64 value, guint64 expected)
{
    return value == expected || (value == 0 && (header->flags & FLAG_SIZES_FOLLOW));
}

static gboolean
check_header (const AltclipZip *zip, const char *name, const Record *entry, Record *header,
        GError **error)
{
    guint64 *const values[] = { &header->n_bytes, &header->compressed };

    if (!check_stored (zip, name, header, error) ||
            !widen (zip, name, header, values, G_N_ELEMENTS (values), error))
        return FALSE;
    if (header->n_name != entry->n_name || memcmp (header->name, entry->name, header->n_name) != 0)
        return refuse (zip, error, "member '%s': its own header has another name", name);
    if (!agrees (header, header->n_bytes, entry->n_bytes) ||
            !agrees (header, header->compressed, entry->n_bytes) ||
            !agrees (header, header->crc32, entry->crc32))
        return refuse (zip, error,
                "member '%s': its own header has %" G_GUINT64_FORMAT
                " bytes with checksum %08x, but the directory %" G_GUINT64_FORMAT
                " with checksum %08x",
                name, header->n_bytes, header->crc32, entry->n_bytes, entry->crc32);
    return TRUE;
}

/* The data come after the member's own header, whose extra fields are others than the entry's. */
static gboolean
find_data (const AltclipZip *zip, const Record *entry, AltclipZipMember *member, GError **error)
{
    Record header;
    gsize begin;

    if (entry->header > zip->directory || zip->directory - entry->header < HEADER_BYTES)
        return refuse (zip, error,
                "member '%s' begins at byte %" G_GUINT64_FORMAT
                ", which is not before the directory at byte %" G_GSIZE_FORMAT,
                member->name, entry->header, zip->directory);
    begin = (gsize)entry->header;
    if (get_32 (zip->bytes + begin) != HEADER_MAGIC)
        return refuse (zip, error, "member '%s': there is no header at byte %" G_GSIZE_FORMAT,
                member->name, begin);
    if (!read_record (zip, begin, HEADER_BYTES, 6, zip->directory, &header, error) ||
            !check_header (zip, member->name, entry, &header, error))
        return FALSE;
    member->data = header.extra + header.n_extra;
    if (entry->n_bytes > (gsize)(zip->bytes + zip->directory - member->data))
        return refuse (zip, error,
                "member '%s': its %" G_GUINT64_FORMAT " bytes from byte %" G_GSIZE_FORMAT
                " do not end before the directory at byte %" G_GSIZE_FORMAT,
                member->name, entry->n_bytes, (gsize)(member->data - zip->bytes), zip->directory);
    member->n_bytes = (gsize)entry->n_bytes;
    member->crc32 = entry->crc32;
    member->header = entry->header;
    return TRUE;
}

static gboolean
add_member (AltclipZip *zip, gsize at, Record *entry, GError **error)
{
    guint64 *const values[] = { &entry->n_bytes, &entry->compressed, &entry->header };
    AltclipZipMember *member;
    char *name = read_name (zip, at, entry, error);

    if (!name)
        return FALSE;
    member = g_new0 (AltclipZipMember, 1);
    member->name = name;
    g_ptr_array_add (zip->members, member);
    if (!g_hash_table_insert (zip->by_name, name, member))
        return refuse (zip, error, "member '%s' is there twice", name);
    if (!check_stored (zip, name, entry, error) ||
            !widen (zip, name, entry, values, G_N_ELEMENTS (values), error))
        return FALSE;
    if (entry->compressed != entry->n_bytes)
        return refuse (zip, error,
                "member '%s' is stored, but has %" G_GUINT64_FORMAT
                " bytes in the archive and %" G_GUINT64_FORMAT " outside",
                name, entry->compressed, entry->n_bytes);
    return find_data (zip, entry, member, error);
}

static gboolean
read_directory (AltclipZip *zip, GError **error)
{
    gsize end = zip->directory + zip->n_directory;
    gsize at = zip->directory;

    for (guint64 i = 0; i < zip->n_members; i++) {
        Record entry;
        gsize n_comment;

        if (end - at < ENTRY_BYTES || get_32 (zip->bytes + at) != ENTRY_MAGIC)
            return refuse (zip, error,
                    "its directory should have %" G_GUINT64_FORMAT
                    " entries, but entry %" G_GUINT64_FORMAT " is not at byte %" G_GSIZE_FORMAT,
                    zip->n_members, i, at);
        n_comment = get_16 (zip->bytes + at + 32);
        entry.header = get_32 (zip->bytes + at + 42);
        if (!read_record (zip, at, ENTRY_BYTES, 8, end, &entry, error) ||
                !add_member (zip, at, &entry, error))
            return FALSE;
        at += ENTRY_BYTES + entry.n_name + entry.n_extra;
        if (n_comment > end - at)
            return refuse (zip, error,
                    "the comment of the entry before byte %" G_GSIZE_FORMAT
                    " does not end before byte %" G_GSIZE_FORMAT,
                    at, end);
        at += n_comment;
    }
    if (at != end)
        return refuse (zip, error, "%" G_GSIZE_FORMAT " bytes of its directory belong to no member",
                end - at);
    return TRUE;
}

static gint
compare_places (gconstpointer a, gconstpointer b)
{
    const AltclipZipMember *first = *(AltclipZipMember *const *)a;
    const AltclipZipMember *second = *(AltclipZipMember *const *)b;

    return (first->header > second->header) - (first->header < second->header);
}

static gboolean
check_overlaps (AltclipZip *zip, GError **error)
{
    g_ptr_array_sort (zip->members, compare_places);
    for (guint i = 1; i < zip->members->len; i++) {
        const AltclipZipMember *before = g_ptr_array_index (zip->members, i - 1);
        const AltclipZipMember *member = g_ptr_array_index (zip->members, i);
        gsize end = (gsize)(before->data - zip->bytes) + before->n_bytes;

        if (member->header < end)
            return refuse (zip, error,
                    "members '%s' and '%s' overlap: one ends at byte %" G_GSIZE_FORMAT
                    ", the other begins at byte %" G_GUINT64_FORMAT,
                    before->name, member->name, end, member->header);
    }
    return TRUE;
}

/* ---- Archives -------------------------------------------------------------------------------- */

static void
member_free (gpointer data)
{
    AltclipZipMember *member = data;

    g_free (member->name);
    g_free (member);
}

AltclipZip *
altclip_zip_parse (const char *path, const guint8 *bytes, gsize n_bytes, GError **error)
{
    g_autoptr (AltclipZip) zip = g_new0 (AltclipZip, 1);

    zip->path = g_strdup (path);
    zip->bytes = bytes;
    zip->n_bytes = n_bytes;
    zip->members = g_ptr_array_new_with_free_func (member_free);
    zip->by_name = g_hash_table_new (altclip_name_hash, g_str_equal);
    if (!find_directory (zip, error) || !read_directory (zip, error) ||
            !check_overlaps (zip, error))
        return NULL;
    return g_steal_pointer (&zip);
}

void
altclip_zip_free (AltclipZip *zip)
{
    if (!zip)
        return;
    g_hash_table_unref (zip->by_name);
    g_ptr_array_unref (zip->members);
    g_free (zip->path);
    g_free (zip);
}

const GPtrArray *
altclip_zip_get_members (AltclipZip *zip)
{
    return zip->members;
}

const AltclipZipMember *
altclip_zip_find (AltclipZip *zip, const char *name)
{
    return g_hash_table_lookup (zip->by_name, name);
}

const guint8 *
altclip_zip_get_directory (AltclipZip *zip, gsize *n_bytes)
{
    *n_bytes = zip->n_directory;
    return zip->bytes + zip->directory;
}
