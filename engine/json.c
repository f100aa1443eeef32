/* altclip: JSON objects that are not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "excerpt.h"
#include "file.h"
#include "json.h"

/* ---- Files ----------------------------------------------------------------------------------- */

/* A parsed value takes up to fifty times its length in memory. Each but the first has one of these
 * characters before it; in a text that is no JSON any number will do. */
static gsize
count_values (const char *bytes, gsize n_bytes)
{
    gboolean is_string = FALSE;
    gsize n = 1;

    for (gsize i = 0; i < n_bytes; i++) {
        char c = bytes[i];

        if (c == '"')
            is_string = !is_string;
        else if (is_string && c == '\\')
            i++;
        else if (!is_string && (c == '[' || c == '{' || c == ',' || c == ':'))
            n++;
    }
    return n;
}

json_t *
altclip_json_parse (const char *path, const char *bytes, gsize n_bytes, gsize flags, GError **error)
{
    gsize n_values = count_values (bytes, n_bytes);
    g_autofree char *reason = NULL;
    json_error_t json_error;
    json_t *root;

    if (n_values > ALTCLIP_JSON_MAX_VALUES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: %" G_GSIZE_FORMAT " JSON values exceed the limit of %d", path, n_values,
                ALTCLIP_JSON_MAX_VALUES);
        return NULL;
    }
    root = json_loadb (bytes, n_bytes, JSON_REJECT_DUPLICATES | flags, &json_error);
    if (json_is_object (root))
        return root;
    reason = altclip_excerpt (root ? "not a JSON object" : json_error.text);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: line %d, column %d: %s", path,
            root ? 1 : json_error.line, root ? 1 : json_error.column, reason);
    json_decref (root);
    return NULL;
}

json_t *
altclip_json_read (const char *path, gsize limit, gsize flags, GError **error)
{
    g_autofree char *contents = NULL;
    gsize length;

    if (!altclip_file_read (path, limit, &contents, &length, error))
        return NULL;
    return altclip_json_parse (path, contents, length, flags, error);
}

/* ---- Fields ---------------------------------------------------------------------------------- */

void
altclip_json_fail (AltclipJsonReader *reader, const char *field, json_t *value, const char *limit)
{
    g_autofree char *shown = NULL;
    char *text;

    if (reader->failed)
        return;
    reader->failed = TRUE;
    text = json_dumps (value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    shown = altclip_excerpt (text ? text : "absent");
    free (text);
    g_set_error (reader->error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: %s%s is %s, but must be %s", reader->path, reader->section, field, shown, limit);
}

void
altclip_json_fail_uint (
        AltclipJsonReader *reader, const char *field, guint value, const char *limit)
{
    json_t *number = json_integer (value);

    altclip_json_fail (reader, field, number, limit);
    json_decref (number);
}

json_t *
altclip_json_get (AltclipJsonReader *reader, const char *field)
{
    json_t *value = json_object_get (reader->object, field);

    return json_is_null (value) ? NULL : value;
}

void
altclip_json_check_uint (AltclipJsonReader *reader, const char *field, json_t *value, guint minimum,
        guint maximum, guint *out)
{
    json_int_t number = json_integer_value (value);
    g_autofree char *limit = NULL;

    if (json_is_integer (value) && number >= minimum && number <= maximum) {
        *out = (guint)number;
        return;
    }
    limit = g_strdup_printf ("an integer from %u to %u", minimum, maximum);
    altclip_json_fail (reader, field, value, limit);
}

void
altclip_json_get_uint (
        AltclipJsonReader *reader, const char *field, guint minimum, guint maximum, guint *out)
{
    json_t *value = altclip_json_get (reader, field);

    if (value)
        altclip_json_check_uint (reader, field, value, minimum, maximum, out);
}

void
altclip_json_get_double (
        AltclipJsonReader *reader, const char *field, double minimum, double maximum, double *out)
{
    json_t *value = altclip_json_get (reader, field);
    double number = json_number_value (value);
    g_autofree char *limit = NULL;

    if (!value)
        return;
    if (json_is_number (value) && number >= minimum && number <= maximum) {
        *out = number;
        return;
    }
    limit = g_strdup_printf ("a number from %g to %g", minimum, maximum);
    altclip_json_fail (reader, field, value, limit);
}

void
altclip_json_get_boolean (AltclipJsonReader *reader, const char *field, gboolean *out)
{
    json_t *value = altclip_json_get (reader, field);

    if (!value)
        return;
    if (json_is_boolean (value))
        *out = json_is_true (value);
    else
        altclip_json_fail (reader, field, value, "true or false");
}

void
altclip_json_get_string (AltclipJsonReader *reader, const char *field, char **out)
{
    json_t *value = altclip_json_get (reader, field);

    if (!value)
        return;
    if (!json_is_string (value)) {
        altclip_json_fail (reader, field, value, "a string");
        return;
    }
    g_free (*out);
    *out = g_strdup (json_string_value (value));
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Returns: (transfer full): @value as text. Fifteen digits look like what a person wrote; seventeen
 * are always enough. */
static char *
format_json (json_t *value)
{
    const gsize flags = JSON_INDENT (2) | JSON_SORT_KEYS;
    char *text = json_dumps (value, flags | JSON_REAL_PRECISION (15));
    json_t *again = json_loads (text, 0, NULL);

    if (!json_equal (value, again)) {
        free (text);
        text = json_dumps (value, flags | JSON_REAL_PRECISION (17));
    }
    json_decref (again);
    return text;
}

gboolean
altclip_json_write (const char *directory, const char *name, json_t *value, GError **error)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_autoptr (GError) io_error = NULL;
    char *text = format_json (value);
    gboolean ok = g_file_set_contents (path, text, -1, &io_error);

    if (!ok)
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s", io_error->message);
    free (text);
    json_decref (value);
    return ok;
}
