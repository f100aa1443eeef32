/* altclip: zip archives, good and bad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"
#include "archive.h"
#include "zip.h"

#include <string.h>

#define NAME "archive.zip"

static void
assert_message_has (const GError *error, const char *part)
{
    if (!strstr (error->message, part))
        g_test_fail_printf ("'%s' does not hold '%s'", error->message, part);
}

/* Parsing fails; the message names the archive and says @message. Of memory of just this size, so
 * that a sanitizer sees one byte too many. */
static void
assert_refused (const guint8 *bytes, gsize n, const char *message)
{
    g_autofree guint8 *copy = g_memdup2 (bytes, n);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipZip) zip = altclip_zip_parse (NAME, copy, n, &error);

    g_assert_null (zip);
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT);
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, NAME ": zip archive: "));
    assert_message_has (error, message);
}

static void
assert_member (AltclipZip *zip, const char *name, const char *contents)
{
    const AltclipZipMember *member = altclip_zip_find (zip, name);

    g_assert_nonnull (member);
    g_assert_cmpstr (member->name, ==, name);
    g_assert_cmpmem (member->data, member->n_bytes, contents, strlen (contents));
}

/* Two members: "a/one" of 5 bytes at byte 0, "a/two" of 3 bytes, and the directory. */
static GByteArray *
build_archive (ArchiveForm form)
{
    Archive *archive = archive_new (form);

    archive_add (archive, "a/one", "first", 5);
    archive_add (archive, "a/two", "2nd", 3);
    return archive_finish (archive);
}

/* ---- Good ------------------------------------------------------------------------------------ */

static void
test_good (gconstpointer data)
{
    g_autoptr (GByteArray) bytes = build_archive (GPOINTER_TO_UINT (data));
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipZip) zip = altclip_zip_parse (NAME, bytes->data, bytes->len, &error);
    const guint8 *directory;
    gsize n_directory;

    g_assert_no_error (error);
    g_assert_cmpuint (altclip_zip_get_members (zip)->len, ==, 2);
    assert_member (zip, "a/one", "first");
    assert_member (zip, "a/two", "2nd");
    g_assert_null (altclip_zip_find (zip, "a/three"));
    g_assert_cmpuint (altclip_zip_find (zip, "a/two")->crc32, ==, ARCHIVE_CHECKSUM (1));
    directory = altclip_zip_get_directory (zip, &n_directory);
    g_assert_cmpmem (directory, 4, "PK\1\2", 4);
    g_assert_true (directory > altclip_zip_find (zip, "a/two")->data);
    g_assert_true (directory + n_directory <= bytes->data + bytes->len - 22);
}

static void
test_empty (void)
{
    static const guint8 empty[22] = { 'P', 'K', 5, 6 };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipZip) zip = altclip_zip_parse (NAME, empty, sizeof empty, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (altclip_zip_get_members (zip)->len, ==, 0);
}

/* A comment may hold anything, even what looks like the record before it. */
static void
test_comment (void)
{
    g_autoptr (GByteArray) bytes = build_archive (ARCHIVE_PLAIN);
    g_autoptr (AltclipZip) zip = NULL;
    g_autoptr (GError) error = NULL;

    archive_poke (bytes, bytes->len - 2, 2, 30);
    g_byte_array_append (bytes, (const guint8 *)"PK\5\6 is not here, it is before", 30);
    zip = altclip_zip_parse (NAME, bytes->data, bytes->len, &error);
    g_assert_no_error (error);
    assert_member (zip, "a/one", "first");
}

/* ---- Bad fields ------------------------------------------------------------------------------ */

/* Where in the archive a field is. */
typedef enum { HEADER_0, HEADER_1, ENTRY_0, ENTRY_1, END, LOCATOR, END64 } Place;

typedef struct {
    Place place;
    guint at;
    guint size;
    guint64 value;
    const char *message;
} Edit;

static gsize
find_place (ArchiveForm form, gsize n, Place place)
{
    gsize header = 30 + 5 + archive_get_extra_size (form);
    gsize entry = 46 + 5 + archive_get_entry_extra_size (form);
    gsize second = header + 5 + archive_get_descriptor_size (form);
    gsize end = n - 22;

    switch (place) {
    case HEADER_0:
        return 0;
    case HEADER_1:
        return second;
    case ENTRY_0:
        return second + header + 3 + archive_get_descriptor_size (form);
    case ENTRY_1:
        return find_place (form, n, ENTRY_0) + entry;
    case LOCATOR:
        return end - 20;
    case END64:
        return end - 20 - 56;
    default:
        return end;
    }
}

static void
run_edits (ArchiveForm form, const Edit *edits, gsize n_edits)
{
    for (gsize i = 0; i < n_edits; i++) {
        g_autoptr (GByteArray) bytes = build_archive (form);
        gsize place = find_place (form, bytes->len, edits[i].place);

        archive_poke (bytes, place + edits[i].at, edits[i].size, edits[i].value);
        assert_refused (bytes->data, bytes->len, edits[i].message);
    }
}

static void
test_bad_fields (void)
{
    static const Edit edits[] = {
        /* The record at the end. */
        { END, 4, 2, 1, "it is one of several parts" },
        { END, 8, 2, 1, "it is one of several parts" },
        { END, 10, 2, 3, "it is one of several parts" },
        { END, 8, 4, 0x00030003,
                "its directory should have 3 entries, but entry 2 is not at byte 180" },
        { END, 8, 4, 0x00010001, "51 bytes of its directory belong to no member" },
        { END, 12, 4, 101, "and extra fields of 0 bytes does not end before byte 179" },
        { END, 12, 4, 0x7fffffff,
                "its directory of 2147483647 bytes at byte 78 does not end before byte 180" },
        { END, 16, 4, 0x80000000,
                "its directory of 102 bytes at byte 2147483648 does not end before byte 180" },
        { END, 16, 4, 0xffffffff, "at byte 4294967295 does not end before byte 180" },
        { END, 16, 4, 77, "its directory should have 2 entries, but entry 0 is not at byte 77" },
        { END, 20, 2, 1, "the last 202 bytes hold no record of its directory (is the file trunc" },
        /* Entries. */
        { ENTRY_0, 8, 2, 1, "member 'a/one' is encrypted" },
        { ENTRY_0, 8, 2, 0x20,
                "member 'a/one' has the flags 0x0020, of which only 0x0808 are read" },
        { ENTRY_0, 10, 2, 8,
                "member 'a/one' is compressed (method 8), and only stored ones are read" },
        { ENTRY_1, 10, 2, 93, "member 'a/two' is compressed (method 93)" },
        { ENTRY_0, 16, 4, 7,
                "member 'a/one': its own header has 5 bytes with checksum 01010101, "
                "but the directory 5 with checksum 00000007" },
        { ENTRY_0, 20, 4, 4,
                "member 'a/one' is stored, but has 4 bytes in the archive and 5 outside" },
        { ENTRY_0, 24, 4, 0x7fffffff,
                "member 'a/one' is stored, but has 5 bytes in the archive and 2147483647 outside" },
        { ENTRY_0, 24, 4, 0xffffffff, "member 'a/one': its zip64 field is missing or too short" },
        { ENTRY_0, 28, 2, 0, "the entry at byte 78 has a name of 0 bytes; it must have 1 to 512" },
        { ENTRY_0, 28, 2, 0xffff,
                "the record at byte 78 with a name of 65535 and extra fields of 0 bytes does not "
                "end before byte 180" },
        { ENTRY_0, 30, 2, 0xffff,
                "a name of 5 and extra fields of 65535 bytes does not end before" },
        { ENTRY_0, 30, 2, 2,
                "its directory should have 2 entries, but entry 1 is not at byte 131" },
        { ENTRY_0, 30, 2, 4, "an extra field of 513 bytes does not fit the 0 that are left" },
        { ENTRY_1, 32, 2, 0xffff,
                "the comment of the entry before byte 180 does not end before byte 180" },
        { ENTRY_1, 32, 2, 1, "the comment of the entry before byte 180 does not end before" },
        { ENTRY_1, 42, 4, 0x7fffffff,
                "member 'a/two' begins at byte 2147483647, which is not before "
                "the directory at byte 78" },
        { ENTRY_1, 42, 4, 77,
                "member 'a/two' begins at byte 77, which is not before the directory" },
        { ENTRY_1, 42, 4, 41, "member 'a/two': there is no header at byte 41" },
        { ENTRY_1, 42, 4, 0, "member 'a/two': its own header has another name" },
        { ENTRY_0, 46, 1, 0,
                "name of 5 bytes; it must have 1 to 512, be UTF-8 and without control" },
        { ENTRY_0, 46, 1, '\n', "without control characters: '\xef\xbf\xbd/one'" },
        { ENTRY_0, 46, 1, 0xff, "be UTF-8" },
        { ENTRY_1, 48, 4, 'o' | 'n' << 8 | 'e' << 16 | 'P' << 24, "member 'a/one' is there twice" },
        /* The members' own headers. */
        { HEADER_0, 0, 1, 'X', "member 'a/one': there is no header at byte 0" },
        { HEADER_0, 6, 2, 1, "member 'a/one' is encrypted" },
        { HEADER_0, 8, 2, 8, "member 'a/one' is compressed (method 8)" },
        { HEADER_1, 18, 4, 2, "member 'a/two': its own header has 3 bytes with" },
        { HEADER_1, 22, 4, 0, "member 'a/two': its own header has 0 bytes with" },
        { HEADER_1, 22, 4, 0xffffffff, "member 'a/two': its zip64 field is missing or too short" },
        { HEADER_1, 26, 2, 0xffff,
                "the record at byte 40 with a name of 65535 and extra fields of 0" },
        { HEADER_1, 26, 2, 4, "member 'a/two': its own header has another name" },
        { HEADER_1, 28, 2, 0xffff, "extra fields of 65535 bytes does not end before byte 78" },
        { HEADER_1, 28, 2, 1,
                "member 'a/two': its 3 bytes from byte 76 do not end before the "
                "directory at byte 78" },
        { HEADER_0, 28, 2, 1,
                "members 'a/one' and 'a/two' overlap: one ends at byte 41, the other "
                "begins at byte 40" },
        { HEADER_1, 31, 1, '-', "member 'a/two': its own header has another name" },
    };

    run_edits (ARCHIVE_PLAIN, edits, G_N_ELEMENTS (edits));
}

static void
test_bad_zip64 (void)
{
    static const Edit edits[] = {
        { LOCATOR, 4, 4, 1, "it is one of several parts" },
        { LOCATOR, 16, 4, 2, "it is one of several parts" },
        { LOCATOR, 8, 8, G_MAXUINT64,
                "its zip64 record at byte 18446744073709551615 does not lie before byte " },
        { LOCATOR, 8, 8, (guint64)1 << 63,
                "its zip64 record at byte 9223372036854775808 does not" },
        { LOCATOR, 8, 8, (guint64)1 << 31, "its zip64 record at byte 2147483648 does not lie" },
        { LOCATOR, 8, 8, 3, "there is no zip64 record at byte 3" },
        { END64, 16, 4, 1, "it is one of several parts" },
        { END64, 24, 8, 1, "it is one of several parts" },
        { END64, 24, 8, G_MAXUINT64, "it is one of several parts" },
        { END64, 40, 8, G_MAXUINT64, "its directory of 18446744073709551615 bytes at byte" },
        { END64, 48, 8, G_MAXUINT64, "bytes at byte 18446744073709551615 does not end before" },
        { END64, 48, 8, (guint64)1 << 32, "bytes at byte 4294967296 does not end before" },
        /* The entry's extra field: number, length, size, size in the archive, place. */
        { ENTRY_0, 51, 2, 2, "member 'a/one': its zip64 field is missing or too short" },
        { ENTRY_0, 53, 2, 16, "member 'a/one': its zip64 field is missing or too short" },
        { ENTRY_0, 53, 2, 25,
                "member 'a/one': an extra field of 25 bytes does not fit the 24 that are left" },
        { ENTRY_0, 55, 8, G_MAXUINT64,
                "member 'a/one' is stored, but has 5 bytes in the archive and "
                "18446744073709551615 outside" },
        { ENTRY_1, 71, 8, G_MAXUINT64,
                "member 'a/two' begins at byte 18446744073709551615, which is not before" },
        { ENTRY_1, 71, 8, (guint64)1 << 63, "member 'a/two' begins at byte 9223372036854775808" },
        { HEADER_0, 39, 8, G_MAXUINT64,
                "member 'a/one': its own header has 18446744073709551615 bytes with checksum" },
    };

    run_edits (ARCHIVE_ZIP64, edits, G_N_ELEMENTS (edits));
}

/* Sizes that agree with each other, and with no archive. */
static void
test_huge_member (void)
{
    static const guint64 sizes[] = { (guint64)1 << 31, (guint64)1 << 32, (guint64)1 << 63,
        G_MAXUINT64, 6 };

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        g_autoptr (GByteArray) bytes = build_archive (ARCHIVE_ZIP64);
        gsize entry = find_place (ARCHIVE_ZIP64, bytes->len, ENTRY_1);
        gsize header = find_place (ARCHIVE_ZIP64, bytes->len, HEADER_1);
        g_autofree char *message = g_strdup_printf (
                "member 'a/two': its %" G_GUINT64_FORMAT " bytes from byte ", sizes[i]);

        archive_poke (bytes, entry + 55, 8, sizes[i]);
        archive_poke (bytes, entry + 63, 8, sizes[i]);
        archive_poke (bytes, header + 39, 8, sizes[i]);
        archive_poke (bytes, header + 47, 8, sizes[i]);
        assert_refused (bytes->data, bytes->len, message);
    }
}

static void
test_too_many (void)
{
    g_autoptr (GByteArray) bytes = build_archive (ARCHIVE_ZIP64);
    gsize end = find_place (ARCHIVE_ZIP64, bytes->len, END64);

    archive_poke (bytes, end + 24, 8, 65537);
    archive_poke (bytes, end + 32, 8, 65537);
    assert_refused (bytes->data, bytes->len, "65537 members exceed the limit of 65536");
}

static void
test_truncated (gconstpointer data)
{
    g_autoptr (GByteArray) bytes = build_archive (GPOINTER_TO_UINT (data));

    for (guint n = 0; n < bytes->len; n++)
        assert_refused (bytes->data, n,
                n < 22 ? "bytes are too few"
                       : "hold no record of its directory (is the file trunc");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_data_func ("/zip/plain", GUINT_TO_POINTER (ARCHIVE_PLAIN), test_good);
    g_test_add_data_func ("/zip/sizes-follow", GUINT_TO_POINTER (ARCHIVE_SIZES_FOLLOW), test_good);
    g_test_add_data_func ("/zip/zip64", GUINT_TO_POINTER (ARCHIVE_ZIP64), test_good);
    g_test_add_func ("/zip/empty", test_empty);
    g_test_add_func ("/zip/comment", test_comment);
    g_test_add_func ("/zip/bad-fields", test_bad_fields);
    g_test_add_func ("/zip/bad-zip64", test_bad_zip64);
    g_test_add_func ("/zip/huge-member", test_huge_member);
    g_test_add_func ("/zip/too-many", test_too_many);
    g_test_add_data_func ("/zip/truncated", GUINT_TO_POINTER (ARCHIVE_PLAIN), test_truncated);
    g_test_add_data_func ("/zip/truncated-zip64", GUINT_TO_POINTER (ARCHIVE_ZIP64), test_truncated);
    return g_test_run ();
}
