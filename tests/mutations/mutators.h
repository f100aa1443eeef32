/* altclip: files that went wrong
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each changes a good file in one way, which the dice choose: some at random, some as somebody
 * would who knows the format. What comes out may still be good.
 */

#ifndef MUTATORS_H
#define MUTATORS_H

#include "dice.h"

G_BEGIN_DECLS

/* Any file: bits, bytes, numbers, ranges, its end. */
void mutate_bytes (GString *bytes, Dice *dice);

/* JSON text: values, names there twice, deep and wide nesting; or as mutate_bytes(). */
void mutate_json (GString *text, Dice *dice);

/* A length, JSON text of that length, and data. */
void mutate_safetensors (GString *file, Dice *dice);

/* A pickle: opcodes, numbers, names, and values that hold themselves. */
void mutate_pickle (GString *pickle, Dice *dice);

/* A zip archive with a pickle: its records, its members, its pickle. */
void mutate_state_dict (GString *file, Dice *dice);

/* Protocol buffers: fields at any depth, with or without lengths that still fit. */
void mutate_protobuf (GString *message, Dice *dice);

/* PNG or JPEG: parts, with lengths and checksums that still fit, and sizes that promise too much.
 */
void mutate_still (GString *file, Dice *dice);

/* Prompts: three texts, a NUL between them. */
void mutate_prompts (GString *texts, Dice *dice);

G_END_DECLS

#endif /* MUTATORS_H */
