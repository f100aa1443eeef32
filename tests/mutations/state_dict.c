/* altclip: files that went wrong: pytorch_model.bin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../archive.h"
#include "mutators.h"

#include <string.h>

#define HEADER_BYTES 30
#define ENTRY_BYTES 46

typedef struct {
    char *name;
    GString *data;
} Member;

static void
member_free (gpointer data)
{
    Member *member = data;

    g_free (member->name);
    g_string_free (member->data, TRUE);
    g_free (member);
}

static guint32
read_number (const GString *file, gsize at, guint size)
{
    guint32 number = 0;

    while (size-- > 0)
        number = number << 8 | (guint8)file->str[at + size];
    return number;
}

static void
write_number (GString *file, gsize at, guint size, guint64 number)
{
    for (guint i = 0; i < size && at + i < file->len; i++)
        file->str[at + i] = (char)(number >> 8 * i);
}

/* Returns: (transfer full) (element-type gsize): where there are records of a zip archive */
static GArray *
find_records (const GString *file)
{
    GArray *records = g_array_new (FALSE, FALSE, sizeof (gsize));

    for (gsize at = 0; at + 4 <= file->len; at++) {
        if (memcmp (file->str + at, "PK", 2) == 0 && file->str[at + 2] <= 8)
            g_array_append_val (records, at);
    }
    return records;
}

/* Returns: (transfer full) (element-type Member): the members of a good archive without zip64 */
static GPtrArray *
read_members (const GString *file)
{
    GPtrArray *members = g_ptr_array_new_with_free_func (member_free);
    g_autoptr (GArray) records = find_records (file);

    for (guint i = 0; i < records->len; i++) {
        gsize at = g_array_index (records, gsize, i);
        Member *member;
        gsize header;
        gsize data;

        if (file->str[at + 2] != 1)
            continue;
        header = read_number (file, at + 42, 4);
        data = header + HEADER_BYTES + read_number (file, header + 26, 2) +
               read_number (file, header + 28, 2);
        member = g_new (Member, 1);
        member->name = g_strndup (file->str + at + ENTRY_BYTES, read_number (file, at + 28, 2));
        member->data = g_string_new_len (file->str + data, read_number (file, at + 20, 4));
        g_ptr_array_add (members, member);
    }
    return members;
}

static void
write_members (GString *file, GPtrArray *members, Dice *dice)
{
    static const ArchiveForm forms[] = { ARCHIVE_PLAIN, ARCHIVE_SIZES_FOLLOW, ARCHIVE_ZIP64 };
    Archive *archive = archive_new (forms[dice_roll (dice, G_N_ELEMENTS (forms))]);
    GByteArray *bytes;

    for (guint i = 0; i < members->len; i++) {
        const Member *member = g_ptr_array_index (members, i);
        archive_add (archive, member->name, member->data->str, member->data->len);
    }
    bytes = archive_finish (archive);
    g_string_truncate (file, 0);
    g_string_append_len (file, (const char *)bytes->data, bytes->len);
    g_byte_array_unref (bytes);
}

static Member *
choose (GPtrArray *members, Dice *dice)
{
    return g_ptr_array_index (members, dice_roll (dice, members->len));
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void
mutate_pickles (GPtrArray *members, Dice *dice)
{
    for (guint i = 0; i < members->len; i++) {
        Member *member = g_ptr_array_index (members, i);
        if (g_str_has_suffix (member->name, ".pkl"))
            mutate_pickle (member->data, dice);
    }
}

static void
rename_member (GPtrArray *members, Dice *dice)
{
    static const char *const names[] = { "", "a", "archive/data.pkl", "archive/data/0",
        "b/data.pkl", "/etc/passwd", "../../data.pkl", "archive/data/\n", "archive/data/\xff",
        "archive\\data.pkl" };
    Member *member = choose (members, dice);

    g_free (member->name);
    if (dice_roll (dice, 8) == 0)
        member->name = g_strnfill ((gsize)dice_roll (dice, 65536), 'a');
    else
        member->name = g_strdup (names[dice_roll (dice, G_N_ELEMENTS (names))]);
}

/* Of the same name as the other one. */
static void
repeat_member (GPtrArray *members, Dice *dice)
{
    const Member *member = choose (members, dice);
    Member *again = g_new (Member, 1);

    again->name = g_strdup (member->name);
    again->data = g_string_new_len (member->data->str, (gssize)member->data->len);
    g_ptr_array_add (members, again);
}

static void
erase_member (GPtrArray *members, Dice *dice)
{
    g_ptr_array_remove_index (members, (guint)dice_roll (dice, members->len));
}

static void
mutate_data (GPtrArray *members, Dice *dice)
{
    mutate_bytes (choose (members, dice)->data, dice);
}

static void
add_members (GPtrArray *members, Dice *dice)
{
    for (guint64 n = dice_roll (dice, 2000); n > 0; n--) {
        Member *member = g_new (Member, 1);
        member->name = g_strdup_printf ("archive/data/%" G_GUINT64_FORMAT, n + 100);
        member->data = g_string_new ("data");
        g_ptr_array_add (members, member);
    }
}

/* A field of a header, an entry or one of the last records. */
static void
mutate_record (GString *file, Dice *dice)
{
    static const guint sizes[] = { 2, 4, 4, 8 };
    g_autoptr (GArray) records = find_records (file);
    gsize at = g_array_index (records, gsize, dice_roll (dice, records->len));
    gsize field = at + 4 + 2 * (gsize)dice_roll (dice, ENTRY_BYTES / 2);

    write_number (file, field, sizes[dice_roll (dice, G_N_ELEMENTS (sizes))],
            dice_roll (dice, 3) ? dice_roll_number (dice) : dice_roll (dice, file->len));
}

/* Compressed, as a bomb would be; or two entries with one place, so that members overlap. */
static void
mutate_entries (GString *file, Dice *dice)
{
    g_autoptr (GArray) records = find_records (file);
    gboolean is_overlap = dice_roll (dice, 2) == 0;
    guint32 place = 0;

    for (guint i = 0; i < records->len; i++) {
        gsize at = g_array_index (records, gsize, i);
        if (file->str[at + 2] == 1 && is_overlap && dice_roll (dice, 2) == 0)
            write_number (file, at + 42, 4, place + dice_roll (dice, 3));
        else if (file->str[at + 2] == 1 && is_overlap)
            place = read_number (file, at + 42, 4);
        else if (file->str[at + 2] == 1)
            write_number (file, at + 10, 2, 8);
        else if (file->str[at + 2] == 3 && !is_overlap)
            write_number (file, at + 8, 2, 8);
    }
}

void
mutate_state_dict (GString *file, Dice *dice)
{
    static void (*const kinds[]) (GPtrArray * members, Dice * dice) = { mutate_pickles,
        mutate_pickles, mutate_pickles, mutate_pickles, rename_member, repeat_member, erase_member,
        mutate_data, add_members };
    g_autoptr (GPtrArray) members = NULL;
    guint64 kind = dice_roll (dice, 8);

    if (kind == 0) {
        mutate_bytes (file, dice);
    } else if (kind == 1) {
        mutate_record (file, dice);
    } else if (kind == 2) {
        mutate_entries (file, dice);
    } else {
        members = read_members (file);
        kinds[dice_roll (dice, G_N_ELEMENTS (kinds))](members, dice);
        write_members (file, members, dice);
    }
}
