/* altclip: files that went wrong: PNG and JPEG
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mutators.h"

#include <string.h>

/* A chunk of a PNG or a segment of a JPEG. */
typedef struct {
    gsize begin;
    gsize payload;
    gsize end;
} Part;

static guint32
read_number (const GString *file, gsize at, guint n)
{
    guint32 number = 0;

    for (guint i = 0; i < n; i++)
        number = number << 8 | (guint8)file->str[at + i];
    return number;
}

static void
write_number (GString *file, gsize at, guint n, guint32 number)
{
    for (guint i = 0; i < n; i++)
        file->str[at + i] = (char)(number >> 8 * (n - 1 - i));
}

/* The crc-32 of PNG, bit by bit. */
static guint32
get_crc (const char *bytes, gsize n)
{
    guint32 crc = 0xffffffffu;

    for (gsize i = 0; i < n; i++) {
        crc ^= (guint8)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Returns: (transfer full) (element-type Part): length, kind, payload, checksum */
static GArray *
find_chunks (const GString *file)
{
    GArray *parts = g_array_new (FALSE, FALSE, sizeof (Part));

    for (gsize at = 8; file->len - at >= 12;) {
        gsize length = read_number (file, at, 4);
        Part part = { at, at + 8, at + 8 + length };

        if (length > file->len - at - 12)
            break;
        g_array_append_val (parts, part);
        at = part.end + 4;
    }
    return parts;
}

/* Returns: (transfer full) (element-type Part): up to the first scan: mark, length, payload */
static GArray *
find_segments (const GString *file)
{
    GArray *parts = g_array_new (FALSE, FALSE, sizeof (Part));

    for (gsize at = 2; file->len - at >= 4;) {
        gsize length = read_number (file, at + 2, 2);
        Part part = { at, at + 4, at + 2 + length };

        if (length < 2 || length > file->len - at - 2)
            break;
        g_array_append_val (parts, part);
        if ((guint8)file->str[at + 1] == 0xda)
            break;
        at = part.end;
    }
    return parts;
}

static void
replace_payload (GString *file, const Part *part, const GString *payload)
{
    g_string_erase (file, (gssize)part->payload, (gssize)(part->end - part->payload));
    g_string_insert_len (file, (gssize)part->payload, payload->str, (gssize)payload->len);
}

/* The length and the checksum fit what is there now, as a forger would see to. */
static void
mutate_chunk (GString *file, const Part *part, Dice *dice)
{
    g_autoptr (GString) payload =
            g_string_new_len (file->str + part->payload, (gssize)(part->end - part->payload));

    mutate_bytes (payload, dice);
    replace_payload (file, part, payload);
    write_number (file, part->begin, 4, (guint32)payload->len);
    write_number (file, part->payload + payload->len, 4,
            get_crc (file->str + part->begin + 4, payload->len + 4));
}

static void
mutate_segment (GString *file, const Part *part, Dice *dice)
{
    g_autoptr (GString) payload =
            g_string_new_len (file->str + part->payload, (gssize)(part->end - part->payload));

    mutate_bytes (payload, dice);
    replace_payload (file, part, payload);
    write_number (file, part->begin + 2, 2, (guint32)payload->len + 2);
}

static void
repeat_part (GString *file, gsize begin, gsize end, Dice *dice)
{
    static const guint counts[] = { 1, 2, 50, 120 };
    g_autofree char *copy = g_memdup2 (file->str + begin, end - begin);

    for (guint n = counts[dice_roll (dice, G_N_ELEMENTS (counts))]; n > 0; n--)
        g_string_insert_len (file, (gssize)end, copy, (gssize)(end - begin));
}

/* Sizes that promise too much, with a checksum that fits. */
static void
set_png_size (GString *file, Dice *dice)
{
    static const guint32 sides[] = { 0, 1, 1000, 10000, 30000, 100000, 0x7fffffff, 0xffffffff };

    for (guint i = 0; i < 2; i++)
        write_number (file, 16 + 4 * i, 4, sides[dice_roll (dice, G_N_ELEMENTS (sides))]);
    write_number (file, 29, 4, get_crc (file->str + 12, 17));
}

static void
set_jpeg_size (GString *file, GArray *segments, Dice *dice)
{
    static const guint32 sides[] = { 0, 1, 1000, 9999, 32000, 65500, 65535 };

    for (guint i = 0; i < segments->len; i++) {
        const Part *part = &g_array_index (segments, Part, i);
        guint8 mark = (guint8)file->str[part->begin + 1];

        if (mark < 0xc0 || mark > 0xc2 || part->end - part->payload < 5)
            continue;
        for (gsize k = 1; k <= 3; k += 2)
            write_number (
                    file, part->payload + k, 2, sides[dice_roll (dice, G_N_ELEMENTS (sides))]);
    }
}

static void
mutate_png (GString *file, Dice *dice)
{
    g_autoptr (GArray) chunks = find_chunks (file);
    const Part *part = &g_array_index (chunks, Part, dice_roll (dice, chunks->len));

    switch (dice_roll (dice, 6)) {
    case 0:
        mutate_bytes (file, dice);
        break;
    case 1:
        repeat_part (file, part->begin, part->end + 4, dice);
        break;
    case 2:
        g_string_erase (file, (gssize)part->begin, (gssize)(part->end + 4 - part->begin));
        break;
    case 3:
        set_png_size (file, dice);
        break;
    default:
        mutate_chunk (file, part, dice);
    }
}

static void
mutate_jpeg (GString *file, Dice *dice)
{
    g_autoptr (GArray) segments = find_segments (file);
    const Part *part = &g_array_index (segments, Part, dice_roll (dice, segments->len));

    switch (dice_roll (dice, 6)) {
    case 0:
        mutate_bytes (file, dice);
        break;
    case 1:
        repeat_part (file, part->begin, part->end, dice);
        break;
    case 2:
        g_string_erase (file, (gssize)part->begin, (gssize)(part->end - part->begin));
        break;
    case 3:
        set_jpeg_size (file, segments, dice);
        break;
    default:
        mutate_segment (file, part, dice);
    }
}

void
mutate_still (GString *file, Dice *dice)
{
    if (g_str_has_prefix (file->str, "\x89PNG"))
        mutate_png (file, dice);
    else if (g_str_has_prefix (file->str, "\xff\xd8"))
        mutate_jpeg (file, dice);
    else
        mutate_bytes (file, dice);
}
