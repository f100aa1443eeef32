/* altclip: a hash of names that are not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SipHash-2-4 (Aumasson, Bernstein: SipHash: a fast short-input PRF, 2012).
 */

#include "name_hash.h"

#include <string.h>

static guint64
rotate (guint64 x, guint n)
{
    return x << n | x >> (64 - n);
}

static void
run_rounds (guint64 v[4], guint n)
{
    for (guint i = 0; i < n; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate (v[1], 13) ^ v[0];
        v[3] = rotate (v[3], 16) ^ v[2];
        v[0] = rotate (v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = rotate (v[3], 21) ^ v[0];
        v[1] = rotate (v[1], 17) ^ v[2];
        v[2] = rotate (v[2], 32);
    }
}

static void
add_word (guint64 v[4], guint64 word)
{
    v[3] ^= word;
    run_rounds (v, 2);
    v[0] ^= word;
}

guint64
altclip_siphash (const guint64 key[2], gconstpointer bytes, gsize n)
{
    guint64 v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
        key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
    const guint8 *at = bytes;
    guint64 word;

    for (gsize left = n; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy (&word, at, sizeof word);
        add_word (v, GUINT64_FROM_LE (word));
    }
    word = 0;
    memcpy (&word, at, n % sizeof word);
    add_word (v, GUINT64_FROM_LE (word) | (guint64)n << 56);
    v[2] ^= 0xff;
    run_rounds (v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* From a generator of our own: the one that all of a process share may have a seed that somebody
 * counts on. */
static void
draw_key (guint64 key[2])
{
    GRand *generator = g_rand_new ();

    for (guint i = 0; i < 2; i++)
        key[i] = (guint64)g_rand_int (generator) << 32 | g_rand_int (generator);
    g_rand_free (generator);
}

guint
altclip_name_hash (gconstpointer name)
{
    static gsize once = 0;
    static guint64 key[2];

    if (g_once_init_enter (&once)) {
        draw_key (key);
        g_once_init_leave (&once, 1);
    }
    return (guint)altclip_siphash (key, name, strlen (name));
}
