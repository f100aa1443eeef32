/* altclip: decisions of a mutator, the same ones from the same seed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "dice.h"

Dice
dice_new (const char *name, guint index)
{
    Dice dice = { (guint64)g_str_hash (name) << 32 | index };

    return dice;
}

/* splitmix64 */
static guint64
draw (Dice *dice)
{
    guint64 z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

guint64
dice_roll (Dice *dice, guint64 sides)
{
    return sides > 0 ? draw (dice) % sides : 0;
}

guint64
dice_roll_number (Dice *dice)
{
    static const guint64 numbers[] = { 0, 1, 7, 8, 127, 255, 256, 65535, 65536, 1000000, 0x7fffffff,
        0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x100000001, 0x3fffffffffffffff,
        0x4000000000000000, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
        0xfffffffffffffff8, 0xffffffffffffffff };

    return numbers[dice_roll (dice, G_N_ELEMENTS (numbers))];
}
