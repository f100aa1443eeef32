/* altclip: files that went wrong: prompts, which are no files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mutators.h"

static void
insert_part (GString *texts, Dice *dice)
{
    static const char *const parts[] = { ";", "=", "|", ";;", "==", "||", "{}", "{", " ", "\t",
        "\n", "\xe3\x80\x80", "\xc2\xa0", "\xe2\x80\xa8", "\xff", "\xed\xa0\x80", "\x1b[2J", "a",
        "猫", "a=b|c;" };

    g_string_insert (texts, (gssize)dice_roll (dice, texts->len + 1),
            parts[dice_roll (dice, G_N_ELEMENTS (parts))]);
}

static void
insert_nul (GString *texts, Dice *dice)
{
    g_string_insert_c (texts, (gssize)dice_roll (dice, texts->len + 1), '\0');
}

/* Up to what each limit allows, and beyond. */
static void
insert_many (GString *texts, Dice *dice)
{
    static const char *const parts[] = { ";", "=", "|", ";;", "a", "a;", "a|", "{}", "{};", "猫" };
    static const guint counts[] = { 10, 1000, 1001, 4096, 4097, 10001, 70000 };
    const char *part = parts[dice_roll (dice, G_N_ELEMENTS (parts))];
    gsize at = (gsize)dice_roll (dice, texts->len + 1);
    g_autoptr (GString) many = g_string_new (NULL);

    for (guint n = counts[dice_roll (dice, G_N_ELEMENTS (counts))]; n > 0; n--)
        g_string_append (many, part);
    g_string_insert_len (texts, (gssize)at, many->str, (gssize)many->len);
}

/* So many labels that differ. */
static void
insert_labels (GString *texts, Dice *dice)
{
    gsize at = (gsize)dice_roll (dice, texts->len + 1);
    g_autoptr (GString) labels = g_string_new (NULL);
    guint64 n = dice_roll (dice, 12000);

    for (guint64 i = 0; i < n; i++)
        g_string_append_printf (labels, ";label %" G_GUINT64_FORMAT, i);
    g_string_insert_len (texts, (gssize)at, labels->str, (gssize)labels->len);
}

void
mutate_prompts (GString *texts, Dice *dice)
{
    guint64 n_parts = 1 + dice_roll (dice, 8);

    switch (dice_roll (dice, 16)) {
    case 0:
        mutate_bytes (texts, dice);
        break;
    case 1:
        insert_nul (texts, dice);
        break;
    case 2:
        insert_many (texts, dice);
        break;
    case 3:
        insert_labels (texts, dice);
        break;
    default:
        for (; n_parts > 0; n_parts--)
            insert_part (texts, dice);
    }
}
