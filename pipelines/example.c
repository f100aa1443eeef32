/* altclip: files that show a label, and such that do not
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "example.h"

#include <string.h>

/* Returns: the label that @example begins with, before a '=', or −1; the longest one counts. Sets
 * @path to what follows. */
static gint
find_label (AltclipPrompts *prompts, const char *example, const char **path)
{
    gsize longest = 0;
    gint found = -1;

    for (guint i = 0; i < altclip_prompts_get_n_labels (prompts); i++) {
        const char *label = altclip_prompts_get_label (prompts, i);
        gsize length = strlen (label);

        if (strncmp (example, label, length) != 0 || example[length] != '=' ||
                (found >= 0 && length <= longest))
            continue;
        longest = length;
        found = (gint)i;
    }
    *path = found >= 0 ? example + longest + 1 : example;
    return found;
}

static void
add_example (GArray *examples, const char *path, guint label, gboolean positive)
{
    Example example = { path, label, positive };

    g_array_append_val (examples, example);
}

/* Without a label a file is a negative of all labels, or a positive of the only one. */
static gboolean
add_argument (const Command *command, AltclipPrompts *prompts, const char *argument,
        gboolean positive, GArray *examples)
{
    guint n = altclip_prompts_get_n_labels (prompts);
    const char *path;
    gint label = find_label (prompts, argument, &path);
    g_autofree char *shown = g_filename_display_name (argument);

    if (!*path)
        command_refuse (
                command, "%s '%s' names no file", positive ? "--positive" : "--negative", shown);
    else if (label >= 0)
        add_example (examples, path, (guint)label, positive);
    else if (positive && n > 1)
        command_refuse (command,
                "--positive '%s' begins with none of the labels: of %u, expected LABEL=FILE", shown,
                n);
    else
        for (guint i = 0; i < n; i++)
            add_example (examples, path, i, positive);
    return *path && (label >= 0 || !positive || n == 1);
}

/* Whether a file is already said to show the label. */
static gboolean
is_positive (const GArray *examples, guint n, const char *path, guint label)
{
    for (guint i = 0; i < n; i++) {
        const Example *example = &g_array_index (examples, Example, i);
        if (example->positive && example->label == label && strcmp (example->path, path) == 0)
            return TRUE;
    }
    return FALSE;
}

/* What shows a label shows none of the others. */
static void
add_exclusions (AltclipPrompts *prompts, GArray *examples)
{
    guint n = examples->len;

    for (guint i = 0; i < n; i++) {
        Example example = g_array_index (examples, Example, i);
        for (guint j = 0; example.positive && j < altclip_prompts_get_n_labels (prompts); j++)
            if (!is_positive (examples, n, example.path, j))
                add_example (examples, example.path, j, FALSE);
    }
}

/* A label has examples of both kinds, or none. */
static gboolean
check_examples (const Command *command, AltclipPrompts *prompts, const GArray *examples)
{
    guint n = altclip_prompts_get_n_labels (prompts);
    g_autofree guint *counts = g_new0 (guint, 2 * n);

    for (guint i = 0; i < examples->len; i++) {
        const Example *example = &g_array_index (examples, Example, i);
        counts[2 * example->label + (example->positive ? 1 : 0)]++;
    }
    for (guint i = 0; i < n; i++) {
        const char *label = altclip_prompts_get_label (prompts, i);
        if (counts[2 * i + 1] > 0 && counts[2 * i] == 0) {
            command_refuse (command, "label '%s' has no --negative FILE to be told from", label);
            return FALSE;
        }
        if (counts[2 * i + 1] == 0)
            command_warn ("label '%s' has no --positive %s=FILE: left as it is", label, label);
    }
    return TRUE;
}

GArray *
examples_parse (const Command *command, AltclipPrompts *prompts, char *const *positives,
        char *const *negatives, gboolean exclusive)
{
    g_autoptr (GArray) examples = g_array_new (FALSE, FALSE, sizeof (Example));

    for (guint i = 0; positives && positives[i]; i++)
        if (!add_argument (command, prompts, positives[i], TRUE, examples))
            return NULL;
    for (guint i = 0; negatives && negatives[i]; i++)
        if (!add_argument (command, prompts, negatives[i], FALSE, examples))
            return NULL;
    if (exclusive)
        add_exclusions (prompts, examples);
    return check_examples (command, prompts, examples) ? g_steal_pointer (&examples) : NULL;
}
