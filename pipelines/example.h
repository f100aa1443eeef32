/* altclip: files that show a label, and such that do not
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef EXAMPLE_H
#define EXAMPLE_H

#include "command.h"

G_BEGIN_DECLS

/* That a file shows a label, or does not. */
typedef struct {
    const char *path;
    guint label;
    gboolean positive;
} Example;

/**
 * examples_parse:
 * @positives: (nullable): arguments of the form LABEL=FILE; with a single label FILE will do
 * @negatives: (nullable): likewise; a FILE without a label shows none of them
 * @exclusive: whether a file that shows a label shows none of the others
 *
 * What the arguments say, which must outlive it. Complains, and returns %NULL, about an argument of
 * another form, and about a label that has positives but no negatives; warns of labels that have no
 * positives.
 *
 * Returns: (transfer full) (nullable) (element-type Example): the examples
 */
GArray *examples_parse (const Command *command, AltclipPrompts *prompts, char *const *positives,
        char *const *negatives, gboolean exclusive);

G_END_DECLS

#endif /* EXAMPLE_H */
