/* altclip: what messages show of texts that are not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "excerpt.h"

#include <string.h>

static void
test_shown (void)
{
    static const struct {
        const char *text;
        const char *shown;
        gboolean printable;
    } cases[] = {
        { "", "", TRUE },
        { "a cat, 一只猫", "a cat, 一只猫", TRUE },
        { "👩‍🚀", "👩‍🚀", TRUE },
        { "two\nlines", "two\uFFFDlines", FALSE },
        { "\x1b[31mred\x7f", "\uFFFD[31mred\uFFFD", FALSE },
        { "next\xc2\x85line\u2028and\u2029", "next\uFFFDline\uFFFDand\uFFFD", FALSE },
        { "\u202Egnp.exe\u2066", "\uFFFDgnp.exe\uFFFD", FALSE },
        { "\xff\xc3", "\uFFFD\uFFFD", FALSE },
        { "cut \xe4\xb8", "cut \uFFFD\uFFFD", FALSE },
        { "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD", FALSE },
    };
    g_autofree char *nothing = altclip_excerpt (NULL);

    g_assert_cmpstr (nothing, ==, "");
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autofree char *shown = altclip_excerpt (cases[i].text);

        g_assert_cmpstr (shown, ==, cases[i].shown);
        g_assert_cmpint (altclip_excerpt_is_printable (cases[i].text), ==, cases[i].printable);
        g_assert_true (altclip_excerpt_is_printable (shown));
    }
}

/* The first five, and how many more. */
static void
test_list (void)
{
    static const char *const texts[] = { "a", "two\nlines", "猫", "d", "e", "f", "g" };
    static const char *const lists[] = { "", "\"a\"", "\"a\", \"two\uFFFDlines\"",
        "\"a\", \"two\uFFFDlines\", \"猫\", \"d\", \"e\"",
        "\"a\", \"two\uFFFDlines\", \"猫\", \"d\", \"e\" and 1 more",
        "\"a\", \"two\uFFFDlines\", \"猫\", \"d\", \"e\" and 2 more" };
    static const guint numbers[] = { 0, 1, 2, 5, 6, 7 };

    for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
        g_autofree char *list = altclip_excerpt_list (texts, numbers[i]);
        g_assert_cmpstr (list, ==, lists[i]);
    }
}

/* Cut between two characters, never within one. */
static void
test_cut (void)
{
    g_autofree char *fits = g_strnfill (ALTCLIP_EXCERPT_MAX_BYTES, 'a');
    g_autofree char *same = altclip_excerpt (fits);
    g_autofree char *longer = g_strconcat (fits, "b", NULL);
    g_autofree char *cut = altclip_excerpt (longer);
    g_autofree char *wide = g_strconcat (fits + 2, "猫", NULL);
    g_autofree char *wide_cut = altclip_excerpt (wide);

    g_assert_cmpstr (same, ==, fits);
    g_assert_true (g_str_has_prefix (cut, fits));
    g_assert_cmpstr (cut + strlen (fits), ==, "…");
    g_assert_cmpstr (wide_cut + strlen (fits) - 2, ==, "…");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/excerpt/shown", test_shown);
    g_test_add_func ("/excerpt/cut", test_cut);
    g_test_add_func ("/excerpt/list", test_list);
    return g_test_run ();
}
