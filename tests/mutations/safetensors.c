/* altclip: files that went wrong: safetensors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mutators.h"

#include <string.h>

#define N_LENGTH 8

static void
set_length (GString *file, guint64 n_header)
{
    n_header = GUINT64_TO_LE (n_header);
    memcpy (file->str, &n_header, N_LENGTH);
}

static void
mutate_header (GString *file, gsize n_header, Dice *dice)
{
    g_autoptr (GString) header = g_string_new_len (file->str + N_LENGTH, (gssize)n_header);

    mutate_json (header, dice);
    g_string_erase (file, N_LENGTH, (gssize)n_header);
    g_string_insert_len (file, N_LENGTH, header->str, (gssize)header->len);
    set_length (file, header->len);
}

/* Data that are too few or too many for the header. */
static void
mutate_size (GString *file, gsize begin, Dice *dice)
{
    if (dice_roll (dice, 2) == 0)
        g_string_truncate (file, begin + (gsize)dice_roll (dice, file->len - begin));
    else
        for (guint64 n = 1 + dice_roll (dice, 64); n > 0; n--)
            g_string_append_c (file, (char)n);
}

void
mutate_safetensors (GString *file, Dice *dice)
{
    guint64 n_header;

    memcpy (&n_header, file->str, N_LENGTH);
    n_header = GUINT64_FROM_LE (n_header);
    switch (dice_roll (dice, 8)) {
    case 0:
        mutate_bytes (file, dice);
        break;
    case 1:
        set_length (file, dice_roll (dice, 2) ? dice_roll_number (dice)
                                              : n_header - 9 + dice_roll (dice, 18));
        break;
    case 2:
        mutate_size (file, N_LENGTH + (gsize)n_header, dice);
        break;
    default:
        mutate_header (file, (gsize)n_header, dice);
    }
}
