/* altclip: a JSON text, read value by value
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For files whose every error has to name its line and field, and which may be large: what is read
 * is handed over at once, no tree of the document is built. Whoever reads says which fields there
 * are and what comes next; everything else is an error. The first error sticks: after it nothing is
 * read any more, and the loops over fields and elements end.
 *
 *     altclip_scanner_open_object (&scanner, "an object");
 *     while ((field = altclip_scanner_next_field (&scanner, FIELDS, G_N_ELEMENTS (FIELDS))) >= 0)
 *         …
 */

#ifndef ALTCLIP_JSON_SCANNER_H
#define ALTCLIP_JSON_SCANNER_H

#include "altclip.h"

G_BEGIN_DECLS

/* Objects and lists inside one another: what readers open, whatever the file holds. */
#define ALTCLIP_SCANNER_MAX_DEPTH 8

/* An object or a list that has been opened. */
typedef struct {
    gboolean is_array;
    const char *field; /* (nullable): of an object: the current one */
    guint64 seen;      /* of an object: bit i: field i was there */
    guint n;           /* fields or elements begun */
} AltclipScannerLevel;

typedef struct {
    const char *name; /* of the file, for messages */
    const char *at;   /* what has not been read yet */
    const char *end;
    const char *value; /* begin of the latest value */
    guint line;        /* of at, counted from 1 */
    AltclipScannerLevel levels[ALTCLIP_SCANNER_MAX_DEPTH];
    guint depth;
    GError **error;
    gboolean failed;
} AltclipScanner;

/**
 * altclip_scanner_init:
 * @name: of the file, for messages
 * @bytes: (array length=length): the text; not copied, and no NUL is needed
 * @error: (out): what every function below sets
 *
 * A text in UTF-16 or UTF-32 is an error already here, and the functions below fail.
 */
void altclip_scanner_init (
        AltclipScanner *scanner, const char *name, const char *bytes, gsize length, GError **error);

/**
 * altclip_scanner_peek:
 *
 * Returns: the first character of the next value: `{`, `[`, `"`, a digit or `-`, or something that
 *   is no value; NUL at the end
 */
char altclip_scanner_peek (AltclipScanner *scanner);

/**
 * altclip_scanner_open_object:
 * @limit: what the value must be, for the message when it is something else
 *
 * Returns: whether the next value is an object; the next thing to read is a field
 */
gboolean altclip_scanner_open_object (AltclipScanner *scanner, const char *limit);

/**
 * altclip_scanner_next_field:
 * @fields: (array length=n): static strings, at most 64
 *
 * Goes to the next field of the object opened last, whose value is to be read then. A field that is
 * not among @fields or has been there already is an error.
 *
 * Returns: index of the field; −1 after the last, when the object is closed, or after an error
 */
int altclip_scanner_next_field (AltclipScanner *scanner, const char *const *fields, guint n);

/**
 * altclip_scanner_open_array:
 *
 * Like altclip_scanner_open_object(), for a list.
 */
gboolean altclip_scanner_open_array (AltclipScanner *scanner, const char *limit);

/**
 * altclip_scanner_next_element:
 *
 * Goes to the next element of the list opened last.
 *
 * Returns: whether there is one; if not, the list is closed, or there was an error
 */
gboolean altclip_scanner_next_element (AltclipScanner *scanner);

/**
 * altclip_scanner_read_string:
 *
 * Returns: (transfer full) (nullable): the next value, UTF-8 without NUL; %NULL after an error
 */
char *altclip_scanner_read_string (AltclipScanner *scanner, const char *limit);

/**
 * altclip_scanner_read_number:
 * @limit: (nullable): %NULL: "a number from @minimum to @maximum"
 *
 * Returns: whether the next value is a number from @minimum to @maximum
 */
gboolean altclip_scanner_read_number (
        AltclipScanner *scanner, double minimum, double maximum, const char *limit, double *number);

/* Whether nothing but blanks is left. */
gboolean altclip_scanner_finish (AltclipScanner *scanner);

/**
 * altclip_scanner_fail:
 * @line: of what is wrong, counted from 1
 * @format: what is wrong with the current field
 *
 * Sets the error `NAME: line LINE: FIELD` and then @format, unless there is one already.
 *
 * Returns: %FALSE
 */
gboolean altclip_scanner_fail (AltclipScanner *scanner, AltclipError code, guint line,
        const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Fails because the latest value is not what it must be. Returns: FALSE */
gboolean altclip_scanner_refuse (AltclipScanner *scanner, const char *limit);

/**
 * altclip_scanner_get_place:
 *
 * Returns: (transfer full): `NAME: line LINE: FIELD` of the current field, for messages after the
 *   reading
 */
char *altclip_scanner_get_place (AltclipScanner *scanner, guint line);

G_END_DECLS

#endif /* ALTCLIP_JSON_SCANNER_H */
