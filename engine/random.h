/* altclip: random numbers for weights
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_RANDOM_H
#define ALTCLIP_RANDOM_H

#include <glib.h>

G_BEGIN_DECLS

/* Returns: the key of sequence number @index of those that @seed gives. */
guint64 altclip_random_get_key (guint64 seed, guint64 index);

/**
 * altclip_random_fill_normal:
 * @key: of the sequence
 * @first: first number wanted, even
 * @n: how many
 * @out: (out caller-allocated): [n]
 *
 * Numbers @first and on of an endless sequence, normally distributed around 0 with the standard
 * deviation @deviation. They are the same on every machine, however the sequence is cut up.
 */
void altclip_random_fill_normal (guint64 key, guint64 first, gsize n, double deviation, float *out);

G_END_DECLS

#endif /* ALTCLIP_RANDOM_H */
