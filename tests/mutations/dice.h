/* altclip: decisions of a mutator, the same ones from the same seed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef DICE_H
#define DICE_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint64 state;
} Dice;

/* Dice of one mutant: of the format called @name, number @index. */
Dice dice_new (const char *name, guint index);

/* Returns: 0 to @sides − 1; 0 of none */
guint64 dice_roll (Dice *dice, guint64 sides);

/* Returns: one of the numbers that readers go wrong at: around 0 and 2^n, file sizes and so on */
guint64 dice_roll_number (Dice *dice);

G_END_DECLS

#endif /* DICE_H */
