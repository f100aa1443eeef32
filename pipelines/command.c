/* altclip: what the subcommands of the altclip command share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything is written with stdio: g_print() turns non-ASCII into question marks in the C locale.
 */

#include "command.h"
#include "excerpt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_TIME 3600.0 /* seconds */

/* ---- Messages -------------------------------------------------------------------------------- */

int
command_refuse (const Command *command, const char *format, ...)
{
    va_list list;

    va_start (list, format);
    fprintf (stderr, "altclip %s: ", command->name);
    vfprintf (stderr, format, list);
    fprintf (stderr, "\nTry 'altclip %s --help'.\n", command->name);
    va_end (list);
    return STATUS_USAGE;
}

int
command_fail (const GError *error)
{
    fprintf (stderr, "altclip: %s\n", error->message);
    return STATUS_FAILED;
}

void
command_warn (const char *format, ...)
{
    va_list list;

    va_start (list, format);
    fputs ("altclip: ", stderr);
    vfprintf (stderr, format, list);
    fputc ('\n', stderr);
    va_end (list);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void
print_help (GOptionContext *context)
{
    g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);

    fputs (help, stdout);
}

static gboolean
check_operands (const Command *command, char *const *operands, guint least, guint most)
{
    guint n = operands ? g_strv_length ((char **)operands) : 0;

    if (n < least)
        command_refuse (command, "expected %s", command->operands);
    else if (n > most)
        command_refuse (
                command, "'%s' is too much: expected %s", operands[most], command->operands);
    return n >= least && n <= most;
}

gboolean
command_parse (const Command *command, const GOptionEntry *entries, guint least, guint most,
        int argc, char **argv, char ***operands, int *status)
{
    g_autoptr (GOptionContext) context = g_option_context_new (NULL);
    g_autofree char *name = g_strconcat ("altclip ", command->name, NULL);
    g_autoptr (GError) error = NULL;
    gboolean help = FALSE;
    GOptionEntry own[] = {
        { "help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this and exit", NULL },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, operands, NULL,
                command->operands },
        G_OPTION_ENTRY_NULL,
    };

    g_set_prgname (name);
    g_option_context_set_help_enabled (context, FALSE);
    g_option_context_set_summary (context, command->summary);
    g_option_context_set_description (context, command->description);
    if (entries)
        g_option_context_add_main_entries (context, entries, NULL);
    g_option_context_add_main_entries (context, own, NULL);
    *status = STATUS_USAGE;
    if (!g_option_context_parse (context, &argc, &argv, &error)) {
        command_refuse (command, "%s", error->message);
        return FALSE;
    }
    if (help) {
        print_help (context);
        *status = STATUS_OK;
        return FALSE;
    }
    return check_operands (command, *operands, least, most);
}

gboolean
command_check_utf8 (const Command *command, const char *what, char *const *strings)
{
    for (guint i = 0; strings && strings[i]; i++) {
        g_autofree char *number = NULL;
        const char *end;

        if (g_utf8_validate (strings[i], -1, &end))
            continue;
        if (i > 0 || strings[1])
            number = g_strdup_printf (" number %u", i + 1);
        command_refuse (command, "%s%s is not valid UTF-8: byte %u is 0x%02x", what,
                number ? number : "", (guint)(end - strings[i]) + 1, (guint8)*end);
        return FALSE;
    }
    return TRUE;
}

gboolean
command_check_seconds (const Command *command, const char *option, double seconds)
{
    if (seconds >= 0.0 && seconds <= LONGEST_TIME)
        return TRUE;
    command_refuse (
            command, "%s is %g, but must be 0 to %g seconds", option, seconds, LONGEST_TIME);
    return FALSE;
}

gboolean
command_check_interval (const Command *command, double seconds)
{
    return command_check_seconds (command, "--interval", seconds);
}

void
command_warn_about_prompts (AltclipPrompts *prompts, AltclipScoreMode mode)
{
    const char *neutral = altclip_prompts_get_neutral (prompts);
    guint n_unknown;
    const char *const *unknown = altclip_prompts_get_unknown (prompts, &n_unknown);

    if (neutral && mode == ALTCLIP_SCORE_SOFTMAX)
        command_warn ("a single phrase, or one alone in its group, has nothing to compare with: "
                      "'%s' competes with it",
                neutral);
    if (n_unknown > 0) {
        g_autofree char *list = altclip_excerpt_list (unknown, n_unknown);
        command_warn ("most of %s is unknown to this model's tokenizer", list);
    }
}

/* ---- Results --------------------------------------------------------------------------------- */

/* Whoever closes a pipe early, as head does, needs no message. */
static gboolean
finish_line (gboolean ok)
{
    ok = ok && fflush (stdout) == 0;
    if (!ok && errno != EPIPE)
        command_warn ("standard output: %s", g_strerror (errno));
    return ok;
}

gboolean
command_print (json_t *line)
{
    /* Nine digits tell any two floats apart. */
    gboolean ok = json_dumpf (line, stdout, JSON_COMPACT | JSON_REAL_PRECISION (9)) == 0 &&
                  fputc ('\n', stdout) != EOF;

    json_decref (line);
    return finish_line (ok);
}

gboolean
command_print_text (const char *line)
{
    return finish_line (fputs (line, stdout) != EOF);
}
