/* altclip: vectors of 32-bit integers, for tile.h
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To be included by a file that has defined LANES. They are the compiler's own vectors, which it
 * makes of whatever the CPU has.
 */

#ifndef ALTCLIP_VECTORS_INTEGERS_H
#define ALTCLIP_VECTORS_INTEGERS_H

#include <glib.h>

typedef gint32 Integers __attribute__ ((vector_size (4 * LANES)));
typedef guint32 Bits __attribute__ ((vector_size (4 * LANES)));
typedef Integers __attribute__ ((aligned (4), may_alias)) StoredIntegers;
typedef Bits __attribute__ ((aligned (4), may_alias)) StoredBits;

#define SUMS Integers
#define ZERO() ((Integers){ 0 })
#define ADD(a, b) ((a) + (b))
#define LOAD(p) (*(const StoredIntegers *)(const void *)(p))
#define STORE(p, v) (*(StoredIntegers *)(void *)(p) = (v))
#define WORDS Bits
#define LOAD_WORDS(p) (*(const StoredBits *)(const void *)(p))
#define BROADCAST(p) ((Bits){ 0 } + *(p))

#endif /* ALTCLIP_VECTORS_INTEGERS_H */
