/* altclip: files that went wrong: JSON
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Works on the text, since no tree can hold a name twice or a list that never ends.
 */

#include "mutators.h"

#include <string.h>

/* Deeper than jansson goes, and as wide as takes a while. */
#define MAX_DEPTH 100000
#define MAX_WIDTH 100000

typedef struct {
    gsize begin; /* of a member: where its name begins */
    gsize value; /* where its value begins: at begin, but of a member */
    gsize end;
} Span;

/* ---- The text's values ----------------------------------------------------------------------- */

static gsize
find_end_of_string (const GString *text, gsize at)
{
    for (at++; at < text->len && text->str[at] != '"'; at++) {
        if (text->str[at] == '\\')
            at++;
    }
    return MIN (at + 1, text->len);
}

static gsize
find_end_of_word (const GString *text, gsize at)
{
    while (at < text->len && !strchr (",:]} \t\r\n", text->str[at]))
        at++;
    return at;
}

/* The current name, if a colon was the last thing that was there. */
typedef struct {
    GArray *spans;
    GArray *open; /* of guint: spans that have not ended */
    Span last;
    gboolean has_name;
} Scan;

static Span
begin_value (Scan *scan, gsize at)
{
    Span span = { scan->has_name ? scan->last.begin : at, at, at };

    scan->has_name = FALSE;
    return span;
}

static void
close_container (Scan *scan, gsize end)
{
    guint index;

    if (scan->open->len == 0)
        return;
    index = g_array_index (scan->open, guint, scan->open->len - 1);
    g_array_set_size (scan->open, scan->open->len - 1);
    g_array_index (scan->spans, Span, index).end = end;
    scan->last = g_array_index (scan->spans, Span, index);
}

/* Returns: (transfer full) (element-type Span): the values of JSON text without errors, a member's
 *     with its name; names are among them, as values that end where a colon follows */
static GArray *
find_values (const GString *text)
{
    Scan scan = { g_array_new (FALSE, FALSE, sizeof (Span)),
        g_array_new (FALSE, FALSE, sizeof (guint)), { 0, 0, 0 }, FALSE };

    for (gsize at = 0; at < text->len;) {
        char c = text->str[at];
        if (c == '{' || c == '[') {
            Span span = begin_value (&scan, at++);
            g_array_append_val (scan.open, scan.spans->len);
            g_array_append_val (scan.spans, span);
        } else if (c == '}' || c == ']') {
            close_container (&scan, ++at);
        } else if (c == ':') {
            scan.has_name = TRUE;
            at++;
        } else if (strchr (", \t\r\n", c)) {
            at++;
        } else {
            Span span = begin_value (&scan, at);
            at = c == '"' ? find_end_of_string (text, at) : find_end_of_word (text, at);
            at = MAX (at, span.value + 1);
            span.end = at;
            scan.last = span;
            g_array_append_val (scan.spans, span);
        }
    }
    g_array_unref (scan.open);
    return scan.spans;
}

static Span
choose (GArray *spans, Dice *dice)
{
    return g_array_index (spans, Span, dice_roll (dice, spans->len));
}

static void
replace (GString *text, gsize begin, gsize end, const char *by, gsize n)
{
    g_string_erase (text, (gssize)begin, (gssize)(end - begin));
    g_string_insert_len (text, (gssize)begin, by, (gssize)n);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void
set_number (GString *text, GArray *spans, Dice *dice)
{
    static const char *const forms[] = { "-1", "-9223372036854775808", "-9223372036854775809",
        "1e308", "1e309", "-1e309", "1e-400", "0.5", "-0", "00", "1.", "0x10", "NaN", "Infinity",
        "1e", "+1" };
    Span span = choose (spans, dice);
    guint64 number = dice_roll_number (dice);
    char shown[24];

    g_snprintf (shown, sizeof shown, "%" G_GUINT64_FORMAT, number);
    if (dice_roll (dice, 3) == 0)
        g_strlcpy (shown, forms[dice_roll (dice, G_N_ELEMENTS (forms))], sizeof shown);
    replace (text, span.value, span.end, shown, strlen (shown));
}

static void
set_scalar (GString *text, GArray *spans, Dice *dice)
{
    static const char *const scalars[] = { "null", "true", "false", "[]", "{}", "\"\"",
        "\"\\u0000\"", "\"a\nb\"", "\"a\\nb\\u001b[2J\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
        "\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x80\xa8\xc2\x85\"", "\"../../etc/passwd\"", "\"/dev/zero\"", "\"%s%n\"", "\"",
        "\x01", "tru", "'a'", "/*", "", "[[],[[]]]", "{\"a\":{\"a\":{}}}", "[0,0,0]",
        "\"\xef\xbb\xbf\"" };
    Span span = choose (spans, dice);
    const char *scalar = scalars[dice_roll (dice, G_N_ELEMENTS (scalars))];

    replace (text, span.value, span.end, scalar, strlen (scalar));
}

static void
set_long_string (GString *text, GArray *spans, Dice *dice)
{
    static const char *const parts[] = { "a", "猫", "\\n", "\\u0001", "\\ud83d\\ude00" };
    static const guint counts[] = { 80, 255, 256, 257, 4097, 70000 };
    const char *part = parts[dice_roll (dice, G_N_ELEMENTS (parts))];
    g_autoptr (GString) string = g_string_new ("\"");
    Span span = choose (spans, dice);

    for (guint n = counts[dice_roll (dice, G_N_ELEMENTS (counts))]; n > 0; n--)
        g_string_append (string, part);
    g_string_append_c (string, '"');
    replace (text, span.value, span.end, string->str, string->len);
}

/* Another value of the text; of two numbers that makes overlaps, of two containers disorder. */
static void
set_other (GString *text, GArray *spans, Dice *dice)
{
    Span span = choose (spans, dice);
    Span other = choose (spans, dice);
    g_autofree char *copy = g_strndup (text->str + other.value, other.end - other.value);

    replace (text, span.value, span.end, copy, other.end - other.value);
}

/* A member of the same name, or an element that is there twice. */
static void
repeat (GString *text, GArray *spans, Dice *dice)
{
    Span span = choose (spans, dice);
    g_autofree char *copy = g_strndup (text->str + span.begin, span.end - span.begin);

    g_string_insert_c (text, (gssize)span.end, ',');
    g_string_insert_len (text, (gssize)span.end + 1, copy, (gssize)(span.end - span.begin));
}

static void
erase (GString *text, GArray *spans, Dice *dice)
{
    Span span = choose (spans, dice);
    gsize end = span.end;

    if (end < text->len && text->str[end] == ',')
        end++;
    g_string_erase (text, (gssize)span.begin, (gssize)(end - span.begin));
}

static void
nest (GString *text, GArray *spans, Dice *dice)
{
    static const char *const opening[] = { "[", "{\"a\":", "[0,", "{\"a\":[" };
    static const char *const closing[] = { "]", "}", "]", "]}" };
    static const guint depths[] = { 20, 1000, 2047, 2048, MAX_DEPTH };
    guint64 kind = dice_roll (dice, G_N_ELEMENTS (opening));
    guint depth = depths[dice_roll (dice, G_N_ELEMENTS (depths))];
    gboolean is_closed = dice_roll (dice, 2) == 0;
    g_autoptr (GString) nested = g_string_new (NULL);
    Span span = choose (spans, dice);

    for (guint i = 0; i < depth; i++)
        g_string_append (nested, opening[kind]);
    g_string_append_len (nested, text->str + span.value, (gssize)(span.end - span.value));
    for (guint i = 0; i < depth && is_closed; i++)
        g_string_append (nested, closing[kind]);
    replace (text, span.value, span.end, nested->str, nested->len);
}

static void
widen (GString *text, GArray *spans, Dice *dice)
{
    static const char *const elements[] = { "0", "{}", "[]", "\"\"", "1.5", "\"name\"" };
    const char *element = elements[dice_roll (dice, G_N_ELEMENTS (elements))];
    gboolean is_object = dice_roll (dice, 2) == 0;
    guint64 n = dice_roll (dice, MAX_WIDTH);
    g_autoptr (GString) wide = g_string_new (is_object ? "{" : "[");
    Span span = choose (spans, dice);

    for (guint64 i = 0; i < n; i++) {
        if (is_object)
            g_string_append_printf (wide, "\"%" G_GUINT64_FORMAT "\":", i);
        g_string_append (wide, element);
        g_string_append_c (wide, i + 1 < n ? ',' : ' ');
    }
    g_string_append_c (wide, is_object ? '}' : ']');
    replace (text, span.value, span.end, wide->str, wide->len);
}

void
mutate_json (GString *text, Dice *dice)
{
    static void (*const kinds[]) (GString * text, GArray * spans, Dice * dice) = { set_number,
        set_number, set_scalar, set_scalar, set_long_string, set_other, set_other, repeat, repeat,
        erase };
    static void (*const large[]) (GString * text, GArray * spans, Dice * dice) = { nest, widen };
    g_autoptr (GArray) spans = find_values (text);
    guint64 kind = dice_roll (dice, 32);

    if (kind < 4 || spans->len == 0)
        mutate_bytes (text, dice);
    else if (kind == 4)
        large[dice_roll (dice, G_N_ELEMENTS (large))](text, spans, dice);
    else
        kinds[dice_roll (dice, G_N_ELEMENTS (kinds))](text, spans, dice);
}
