/* altclip: a JSON text, read value by value
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "excerpt.h"
#include "json_scanner.h"

#include <math.h>
#include <string.h>

/* Longer ones are not what anybody writes for a double. */
#define MAX_NUMBER_BYTES 64

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* ---- Messages -------------------------------------------------------------------------------- */

/* labels[3].threshold for instance; nothing for the whole document. */
static void
append_field (GString *place, const AltclipScanner *scanner)
{
    for (guint i = 0; i < scanner->depth; i++) {
        const AltclipScannerLevel *level = &scanner->levels[i];

        if (level->is_array && level->n > 0)
            g_string_append_printf (place, "[%u]", level->n - 1);
        else if (!level->is_array && level->field)
            g_string_append_printf (place, "%s%s", i > 0 ? "." : "", level->field);
    }
}

char *
altclip_scanner_get_place (AltclipScanner *scanner, guint line)
{
    GString *place = g_string_new (NULL);
    gsize length;

    g_string_printf (place, "%s: line %u: ", scanner->name, line);
    length = place->len;
    append_field (place, scanner);
    if (place->len == length)
        g_string_append (place, "the document");
    return g_string_free (place, FALSE);
}

gboolean
altclip_scanner_fail (
        AltclipScanner *scanner, AltclipError code, guint line, const char *format, ...)
{
    g_autofree char *place = NULL;
    g_autofree char *reason = NULL;
    va_list arguments;

    if (scanner->failed)
        return FALSE;
    scanner->failed = TRUE;
    place = altclip_scanner_get_place (scanner, line);
    va_start (arguments, format);
    reason = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_set_error (scanner->error, ALTCLIP_ERROR, (int)code, "%s%s", place, reason);
    return FALSE;
}

/* Bytes of a value that has no parts, the quotes of a string included; at least one. */
static gsize
measure_token (const char *token, const char *end)
{
    const char *at = token;

    if (*at == '"') {
        for (at++; at < end && *at != '"' && *at != '\n'; at++)
            at += *at == '\\' && at + 1 < end;
        return (gsize)(MIN (at + 1, end) - token);
    }
    do {
        at++;
    } while (at < end && !strchr (" \t\r\n,:]}", *at));
    return (gsize)(at - token);
}

/* Returns: (transfer full): the value at @value, shortened */
static char *
show_value (const AltclipScanner *scanner)
{
    g_autofree char *token = NULL;

    if (*scanner->value == '{')
        return g_strdup ("an object");
    if (*scanner->value == '[')
        return g_strdup ("a list");
    token = g_strndup (scanner->value, measure_token (scanner->value, scanner->end));
    return altclip_excerpt (token);
}

static gboolean
fail_to_find (AltclipScanner *scanner, const char *expected)
{
    g_autofree char *found = NULL;

    if (scanner->at >= scanner->end)
        found = g_strdup ("the end of the file");
    else if (g_ascii_isgraph (*scanner->at))
        found = g_strdup_printf ("'%c'", *scanner->at);
    else
        found = g_strdup_printf ("the byte 0x%02x", (guint8)*scanner->at);
    return altclip_scanner_fail (scanner, ALTCLIP_ERROR_FORMAT, scanner->line,
            ": expected %s, found %s", expected, found);
}

gboolean
altclip_scanner_refuse (AltclipScanner *scanner, const char *limit)
{
    g_autofree char *shown = NULL;

    if (scanner->failed)
        return FALSE;
    if (scanner->value >= scanner->end || g_ascii_iscntrl (*scanner->value))
        return fail_to_find (scanner, limit);
    shown = show_value (scanner);
    return altclip_scanner_fail (
            scanner, ALTCLIP_ERROR_PROMPTS, scanner->line, " is %s, but must be %s", shown, limit);
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

/* No other token may hold a line break, so lines are counted here alone. */
static void
skip_blanks (AltclipScanner *scanner)
{
    for (; scanner->at < scanner->end; scanner->at++) {
        if (*scanner->at == '\n')
            scanner->line++;
        else if (*scanner->at != ' ' && *scanner->at != '\t' && *scanner->at != '\r')
            return;
    }
}

/* Whether the next token is @c; then it is read. */
static gboolean
take (AltclipScanner *scanner, char c)
{
    skip_blanks (scanner);
    if (scanner->failed || scanner->at >= scanner->end || *scanner->at != c)
        return FALSE;
    scanner->at++;
    return TRUE;
}

/* Returns: the four hexadecimal digits after a `\u`, −1 when they are none */
static int
read_hex (AltclipScanner *scanner)
{
    int number = 0;

    if (scanner->end - scanner->at < 4)
        return -1;
    for (guint i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value (scanner->at[i]);
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    scanner->at += 4;
    return number;
}

/* After `\u`. A character beyond the first plane is two of them; half of one is an error. */
static gboolean
read_unicode (AltclipScanner *scanner, GString *string)
{
    int first = read_hex (scanner);
    int second;

    if (first > 0 && (first < 0xd800 || first > 0xdfff)) {
        g_string_append_unichar (string, (gunichar)first);
        return TRUE;
    }
    if (first >= 0xd800 && first <= 0xdbff && scanner->end - scanner->at >= 2 &&
            scanner->at[0] == '\\' && scanner->at[1] == 'u') {
        scanner->at += 2;
        second = read_hex (scanner);
        if (second >= 0xdc00 && second <= 0xdfff) {
            g_string_append_unichar (
                    string, (gunichar)(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)));
            return TRUE;
        }
    }
    return altclip_scanner_fail (scanner, ALTCLIP_ERROR_FORMAT, scanner->line,
            ": \\u without four digits, of the character 0 or of half a character");
}

/* After the backslash. */
static gboolean
read_escape (AltclipScanner *scanner, GString *string)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char characters[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (scanner->at < scanner->end && *scanner->at == 'u') {
        scanner->at++;
        return read_unicode (scanner, string);
    }
    found = scanner->at < scanner->end && *scanner->at ? strchr (escapes, *scanner->at) : NULL;
    if (!found)
        return fail_to_find (scanner, "one of \" \\ / b f n r t u after a backslash");
    g_string_append_c (string, characters[found - escapes]);
    scanner->at++;
    return TRUE;
}

static gboolean
check_utf8 (AltclipScanner *scanner, const char *from)
{
    const char *bad;

    if (g_utf8_validate_len (from, (gsize)(scanner->at - from), &bad))
        return TRUE;
    return altclip_scanner_fail (scanner, ALTCLIP_ERROR_TEXT, scanner->line,
            ": not valid UTF-8: the byte 0x%02x", (guint8)*bad);
}

/* After the opening quote. Returns: whether the string was read to its closing quote */
static gboolean
read_characters (AltclipScanner *scanner, GString *string)
{
    while (scanner->at < scanner->end && *scanner->at != '"') {
        const char *from = scanner->at;

        while (scanner->at < scanner->end && *scanner->at != '"' && *scanner->at != '\\' &&
                (guint8)*scanner->at >= 0x20)
            scanner->at++;
        if (!check_utf8 (scanner, from))
            return FALSE;
        g_string_append_len (string, from, scanner->at - from);
        if (scanner->at < scanner->end && (guint8)*scanner->at < 0x20)
            return fail_to_find (scanner, "the rest of a string");
        if (scanner->at < scanner->end && *scanner->at == '\\') {
            scanner->at++;
            if (!read_escape (scanner, string))
                return FALSE;
        }
    }
    if (scanner->at >= scanner->end)
        return fail_to_find (scanner, "the rest of a string");
    scanner->at++;
    return TRUE;
}

/* Returns: the end of the number that begins at @at, NULL when none does */
static const char *
find_number_end (const char *at, const char *end)
{
    const char *digits;

    if (at < end && *at == '-')
        at++;
    digits = at;
    while (at < end && g_ascii_isdigit (*at))
        at++;
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    if (at < end && *at == '.') {
        digits = ++at;
        while (at < end && g_ascii_isdigit (*at))
            at++;
        if (at == digits)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        while (at < end && g_ascii_isdigit (*at))
            at++;
        if (at == digits)
            return NULL;
    }
    return at;
}

/* ---- Encodings ------------------------------------------------------------------------------- */

/* A JSON text in another encoding begins with its byte order mark, or with a character below 0x80,
 * which has zeros around it. */
static const struct {
    const char *name;
    guint8 mark[4];
    guint n_mark;
    guint8 is_zero[4]; /* of the first bytes, when there is no mark */
} ENCODINGS[] = {
    { "UTF-32", { 0xff, 0xfe, 0x00, 0x00 }, 4, { FALSE, TRUE, TRUE, TRUE } },
    { "UTF-32", { 0x00, 0x00, 0xfe, 0xff }, 4, { TRUE, TRUE, TRUE, FALSE } },
    { "UTF-16", { 0xff, 0xfe }, 2, { FALSE, TRUE, FALSE, TRUE } },
    { "UTF-16", { 0xfe, 0xff }, 2, { TRUE, FALSE, TRUE, FALSE } },
};

static gboolean
has_zeros (const guint8 *bytes, const guint8 *is_zero)
{
    for (guint i = 0; i < 4; i++) {
        if ((bytes[i] == 0) != is_zero[i])
            return FALSE;
    }
    return TRUE;
}

static void
check_encoding (AltclipScanner *scanner)
{
    gsize length = (gsize)(scanner->end - scanner->at);
    const guint8 *bytes = (const guint8 *)scanner->at;

    for (guint i = 0; i < G_N_ELEMENTS (ENCODINGS) && !scanner->failed; i++) {
        if ((length >= ENCODINGS[i].n_mark &&
                    memcmp (bytes, ENCODINGS[i].mark, ENCODINGS[i].n_mark) == 0) ||
                (length >= 4 && has_zeros (bytes, ENCODINGS[i].is_zero)))
            altclip_scanner_fail (scanner, ALTCLIP_ERROR_TEXT, scanner->line,
                    " is %s, but must be UTF-8", ENCODINGS[i].name);
    }
}

/* ---- Objects and lists ----------------------------------------------------------------------- */

void
altclip_scanner_init (
        AltclipScanner *scanner, const char *name, const char *bytes, gsize length, GError **error)
{
    gsize mark = strlen (BYTE_ORDER_MARK);

    if (length < mark || memcmp (bytes, BYTE_ORDER_MARK, mark) != 0)
        mark = 0;
    *scanner = (AltclipScanner){
        .name = name,
        .at = bytes + mark,
        .end = bytes + length,
        .value = bytes + mark,
        .line = 1,
        .error = error,
    };
    check_encoding (scanner);
}

char
altclip_scanner_peek (AltclipScanner *scanner)
{
    skip_blanks (scanner);
    scanner->value = scanner->at;
    return scanner->at < scanner->end ? *scanner->at : '\0';
}

static gboolean
open_level (AltclipScanner *scanner, char opening, const char *limit)
{
    if (scanner->failed)
        return FALSE;
    if (altclip_scanner_peek (scanner) != opening)
        return altclip_scanner_refuse (scanner, limit);
    g_assert (scanner->depth < ALTCLIP_SCANNER_MAX_DEPTH);
    scanner->levels[scanner->depth++] = (AltclipScannerLevel){ .is_array = opening == '[' };
    scanner->at++;
    return TRUE;
}

/* Whether the object or list goes on; else it is closed, or something is wrong. */
static gboolean
go_on (AltclipScanner *scanner, char closing, const char *expected)
{
    AltclipScannerLevel *level = &scanner->levels[scanner->depth - 1];

    if (scanner->failed)
        return FALSE;
    if (take (scanner, closing)) {
        scanner->depth--;
        return FALSE;
    }
    if (level->n > 0 && !take (scanner, ','))
        return fail_to_find (scanner, expected);
    return TRUE;
}

gboolean
altclip_scanner_open_object (AltclipScanner *scanner, const char *limit)
{
    return open_level (scanner, '{', limit);
}

gboolean
altclip_scanner_open_array (AltclipScanner *scanner, const char *limit)
{
    return open_level (scanner, '[', limit);
}

static gboolean
refuse_field (AltclipScanner *scanner, const char *key, const char *const *fields, guint n)
{
    g_autofree char *shown = altclip_excerpt (key);
    GString *known = g_string_new (NULL);

    for (guint i = 0; i < n; i++)
        g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", fields[i]);
    scanner->levels[scanner->depth - 1].field = shown;
    altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, scanner->line,
            " is no field that is known here; there are %s", known->str);
    scanner->levels[scanner->depth - 1].field = NULL;
    g_string_free (known, TRUE);
    return FALSE;
}

/* The name of the field, and the colon. Returns: its index, −1 after an error */
static int
read_field (AltclipScanner *scanner, const char *const *fields, guint n)
{
    AltclipScannerLevel *level = &scanner->levels[scanner->depth - 1];
    g_autofree char *key = NULL;
    guint i = 0;

    level->field = NULL;
    if (altclip_scanner_peek (scanner) != '"') {
        fail_to_find (scanner, "the name of a field");
        return -1;
    }
    key = altclip_scanner_read_string (scanner, "a string");
    while (key && i < n && strcmp (key, fields[i]) != 0)
        i++;
    if (!key || (i == n && !refuse_field (scanner, key, fields, n)))
        return -1;
    level->field = fields[i];
    if (level->seen & G_GUINT64_CONSTANT (1) << i) {
        altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, scanner->line, " is there twice");
        return -1;
    }
    level->seen |= G_GUINT64_CONSTANT (1) << i;
    if (!take (scanner, ':')) {
        fail_to_find (scanner, "':'");
        return -1;
    }
    return (int)i;
}

int
altclip_scanner_next_field (AltclipScanner *scanner, const char *const *fields, guint n)
{
    AltclipScannerLevel *level = &scanner->levels[scanner->depth - 1];

    if (!go_on (scanner, '}', "',' or '}'"))
        return -1;
    level->n++;
    return read_field (scanner, fields, n);
}

gboolean
altclip_scanner_next_element (AltclipScanner *scanner)
{
    AltclipScannerLevel *level = &scanner->levels[scanner->depth - 1];

    if (!go_on (scanner, ']', "',' or ']'"))
        return FALSE;
    level->n++;
    return TRUE;
}

/* ---- Values ---------------------------------------------------------------------------------- */

char *
altclip_scanner_read_string (AltclipScanner *scanner, const char *limit)
{
    GString *string;

    if (scanner->failed)
        return NULL;
    if (altclip_scanner_peek (scanner) != '"') {
        altclip_scanner_refuse (scanner, limit);
        return NULL;
    }
    scanner->at++;
    string = g_string_new (NULL);
    if (read_characters (scanner, string))
        return g_string_free (string, FALSE);
    g_string_free (string, TRUE);
    return NULL;
}

gboolean
altclip_scanner_read_number (
        AltclipScanner *scanner, double minimum, double maximum, const char *limit, double *number)
{
    char token[MAX_NUMBER_BYTES + 1] = "";
    const char *end;
    g_autofree char *range = NULL;

    if (scanner->failed)
        return FALSE;
    altclip_scanner_peek (scanner);
    end = find_number_end (scanner->at, scanner->end);
    if (end && end - scanner->at <= MAX_NUMBER_BYTES) {
        memcpy (token, scanner->at, (gsize)(end - scanner->at));
        *number = g_ascii_strtod (token, NULL);
        scanner->at = end;
        if (*number >= minimum && *number <= maximum)
            return TRUE;
    }
    range = g_strdup_printf ("a number from %g to %g", minimum, maximum);
    return altclip_scanner_refuse (scanner, limit ? limit : range);
}

gboolean
altclip_scanner_finish (AltclipScanner *scanner)
{
    if (scanner->failed)
        return FALSE;
    skip_blanks (scanner);
    return scanner->at == scanner->end || fail_to_find (scanner, "the end of the file");
}
