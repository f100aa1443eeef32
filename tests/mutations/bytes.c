/* altclip: files that went wrong: bytes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mutators.h"

#include <string.h>

#define MAX_RANGE 256

static void
flip_bits (GString *bytes, Dice *dice)
{
    for (guint64 n = 1 + dice_roll (dice, 8); n > 0 && bytes->len > 0; n--)
        bytes->str[dice_roll (dice, bytes->len)] ^= (char)(1 << dice_roll (dice, 8));
}

static void
set_byte (GString *bytes, Dice *dice)
{
    if (bytes->len > 0)
        bytes->str[dice_roll (dice, bytes->len)] = (char)dice_roll (dice, 256);
}

/* A number of 1, 2, 4 or 8 bytes, of either byte order. */
static void
set_number (GString *bytes, Dice *dice)
{
    guint64 number = dice_roll_number (dice);
    gsize size = (gsize)1 << dice_roll (dice, 4);
    gboolean is_big_endian = dice_roll (dice, 2) == 0;
    gsize at;

    if (bytes->len < size)
        return;
    at = (gsize)dice_roll (dice, bytes->len - size + 1);
    for (gsize i = 0; i < size; i++)
        bytes->str[at + (is_big_endian ? size - 1 - i : i)] = (char)(number >> 8 * i);
}

static void
cut_off (GString *bytes, Dice *dice)
{
    g_string_truncate (bytes, (gsize)dice_roll (dice, bytes->len));
}

static void
erase (GString *bytes, Dice *dice)
{
    gsize at = (gsize)dice_roll (dice, bytes->len);
    gsize n = 1 + (gsize)dice_roll (dice, MAX_RANGE);

    g_string_erase (bytes, (gssize)at, (gssize)MIN (n, bytes->len - at));
}

static void
insert (GString *bytes, Dice *dice)
{
    gsize at = (gsize)dice_roll (dice, bytes->len + 1);

    for (gsize n = 1 + (gsize)dice_roll (dice, 16); n > 0; n--)
        g_string_insert_c (bytes, (gssize)at, (char)dice_roll (dice, 256));
}

static void
repeat (GString *bytes, Dice *dice)
{
    gsize from = (gsize)dice_roll (dice, bytes->len);
    gsize n = (gsize)dice_roll (dice, MIN (MAX_RANGE, bytes->len - from));
    g_autofree char *range = g_memdup2 (bytes->str + from, n);

    if (range)
        g_string_insert_len (bytes, (gssize)dice_roll (dice, bytes->len + 1), range, (gssize)n);
}

static void
copy (GString *bytes, Dice *dice)
{
    gsize from = (gsize)dice_roll (dice, bytes->len);
    gsize to = (gsize)dice_roll (dice, bytes->len);
    gsize n = (gsize)dice_roll (dice, MIN (MAX_RANGE, bytes->len - MAX (from, to)));

    memmove (bytes->str + to, bytes->str + from, n);
}

static void
fill (GString *bytes, Dice *dice)
{
    static const char values[] = { 0, (char)0xff, (char)0x80, ' ' };
    gsize at = (gsize)dice_roll (dice, bytes->len);
    gsize n = (gsize)dice_roll (dice, MIN (MAX_RANGE, bytes->len - at));

    memset (bytes->str + at, values[dice_roll (dice, G_N_ELEMENTS (values))], n);
}

static void
append (GString *bytes, Dice *dice)
{
    for (gsize n = 1 + (gsize)dice_roll (dice, MAX_RANGE); n > 0; n--)
        g_string_append_c (bytes, (char)dice_roll (dice, 256));
}

void
mutate_bytes (GString *bytes, Dice *dice)
{
    static void (*const kinds[]) (GString * bytes, Dice * dice) = { flip_bits, set_byte, set_number,
        cut_off, erase, insert, repeat, copy, fill, append };

    kinds[dice_roll (dice, G_N_ELEMENTS (kinds))](bytes, dice);
}
