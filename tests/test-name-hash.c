/* altclip: a hash that nobody can choose names against
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "name_hash.h"

/* Appendix A of the paper: the key 00 01 … 0f and the bytes 00 01 … 0e; and the first of its
 * authors' test vectors, of no bytes. */
static void
test_vector (void)
{
    const guint64 key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    guint8 bytes[15];

    for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = (guint8)i;
    g_assert_cmphex (altclip_siphash (key, bytes, sizeof bytes), ==, 0xa129ca6149be45e5);
    g_assert_cmphex (altclip_siphash (key, bytes, 0), ==, 0x726fdb47dd0e0e31);
}

/* "Az" and "BY" are one to g_str_hash(), and so is whatever is put together of them. */
static void
test_chosen_names (void)
{
    g_autoptr (GHashTable) hashes = g_hash_table_new (NULL, NULL);
    guint known = g_str_hash ("AzAzAzAzAzAzAzAzAzAz");

    for (guint i = 0; i < 1024; i++) {
        GString *name = g_string_new (NULL);
        guint hash;

        for (guint bit = 0; bit < 10; bit++)
            g_string_append (name, i >> bit & 1 ? "BY" : "Az");
        hash = altclip_name_hash (name->str);
        g_assert_cmpuint (g_str_hash (name->str), ==, known);
        g_assert_cmpuint (altclip_name_hash (name->str), ==, hash);
        g_hash_table_add (hashes, GUINT_TO_POINTER (hash));
        g_string_free (name, TRUE);
    }
    g_assert_cmpuint (g_hash_table_size (hashes), >, 1000);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/name-hash/vector", test_vector);
    g_test_add_func ("/name-hash/chosen-names", test_chosen_names);
    return g_test_run ();
}
