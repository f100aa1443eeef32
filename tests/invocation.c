/* altclip: runs of the altclip command, and what they left
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "invocation.h"

#include <string.h>
#include <sys/wait.h>

/* ---- Running --------------------------------------------------------------------------------- */

Invocation
invocation_run_list (const char *directory, const GPtrArray *arguments)
{
    Invocation invocation = INVOCATION_INIT;
    g_autoptr (GPtrArray) argv = g_ptr_array_new ();
    g_autoptr (GError) error = NULL;
    int wait_status;

    if (!g_getenv ("ALTCLIP_COMMAND"))
        g_error ("ALTCLIP_COMMAND is not set");
    g_ptr_array_add (argv, (gpointer)g_getenv ("ALTCLIP_COMMAND"));
    for (guint i = 0; i < arguments->len; i++)
        g_ptr_array_add (argv, g_ptr_array_index (arguments, i));
    g_ptr_array_add (argv, NULL);
    g_spawn_sync (directory, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL,
            &invocation.out, &invocation.err, &wait_status, &error);
    g_assert_no_error (error);
    g_assert_true (WIFEXITED (wait_status));
    invocation.status = WEXITSTATUS (wait_status);
    return invocation;
}

Invocation
invocation_run (const char *first, ...)
{
    g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
    va_list list;

    va_start (list, first);
    for (const char *next = first; next; next = va_arg (list, const char *))
        g_ptr_array_add (arguments, (gpointer)next);
    va_end (list);
    return invocation_run_list (NULL, arguments);
}

void
invocation_clear (Invocation *invocation)
{
    g_free (invocation->out);
    g_free (invocation->err);
}

/* ---- How it ended ---------------------------------------------------------------------------- */

void
assert_contains (const char *text, const char *part)
{
    if (!strstr (text, part))
        g_error ("'%s' does not contain '%s'", text, part);
}

void
invocation_assert_succeeded (const Invocation *invocation)
{
    g_assert_cmpstr (invocation->err, ==, "");
    g_assert_cmpint (invocation->status, ==, 0);
}

void
invocation_assert_failed (const Invocation *invocation, const char *message)
{
    const char *err = invocation->err;

    g_test_message ("%s", err);
    g_assert_cmpstr (invocation->out, ==, "");
    g_assert_true (g_str_has_prefix (err, "altclip: "));
    assert_contains (err, message);
    g_assert_true (strchr (err, '\n') == err + strlen (err) - 1);
    g_assert_cmpint (invocation->status, ==, 1);
}

void
invocation_assert_refused (const Invocation *invocation, const char *message)
{
    g_test_message ("%s", invocation->err);
    g_assert_cmpstr (invocation->out, ==, "");
    g_assert_true (g_str_has_prefix (invocation->err, "altclip"));
    assert_contains (invocation->err, message);
    assert_contains (invocation->err, "--help");
    g_assert_cmpint (invocation->status, ==, 2);
}

/* ---- What it printed ------------------------------------------------------------------------- */

json_t *
invocation_parse (const Invocation *invocation)
{
    g_auto (GStrv) lines = g_strsplit (invocation->out, "\n", -1);
    json_t *list = json_array ();
    guint n = g_strv_length (lines);

    if (n == 0)
        return list;
    g_assert_cmpstr (lines[n - 1], ==, "");
    for (guint i = 0; i + 1 < n; i++) {
        json_t *line = json_loads (lines[i], 0, NULL);
        g_assert_nonnull (line);
        json_array_append_new (list, line);
    }
    return list;
}

json_t *
invocation_parse_success (const Invocation *invocation, guint n_lines)
{
    json_t *lines;

    invocation_assert_succeeded (invocation);
    lines = invocation_parse (invocation);
    g_assert_cmpuint (json_array_size (lines), ==, n_lines);
    return lines;
}

json_t *
invocation_parse_line (const Invocation *invocation, guint index)
{
    json_t *lines = invocation_parse (invocation);
    json_t *line;

    g_assert_cmpuint (index, <, json_array_size (lines));
    line = json_incref (json_array_get (lines, index));
    json_decref (lines);
    return line;
}

const char *
get_string (json_t *object, const char *name)
{
    const char *value = json_string_value (json_object_get (object, name));

    g_assert_nonnull (value);
    return value;
}

double
get_number (json_t *object, const char *name)
{
    json_t *value = json_object_get (object, name);

    g_assert_true (json_is_number (value));
    return json_number_value (value);
}
