/* altclip: phrases that stand for a label and against it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_CONTRADICTION_H
#define ALTCLIP_CONTRADICTION_H

#include "prompts.h"

G_BEGIN_DECLS

/* Entries of a set, one after the other. */
typedef struct {
    AltclipPromptEntry *const *entries;
    guint n;
} AltclipEntries;

/**
 * AltclipContradiction:
 * @text: what both have
 * @label: number of the label
 * @negative: number of the negative
 *
 * A text of a label that competes with the label as a negative, so that neither wins.
 */
typedef struct {
    const char *text;
    guint label;
    guint negative;
} AltclipContradiction;

/**
 * altclip_contradiction_find:
 * @labels: the labels of a set
 * @negatives: its negatives
 * @owned: whether each of these competes with its owner alone
 * @templates: (element-type utf8): the set's
 * @found: (out): the first one
 *
 * Texts in different templates are different phrases. Takes n · log n steps, whatever they are.
 *
 * Returns: whether there is one
 */
gboolean altclip_contradiction_find (const AltclipEntries *labels, const AltclipEntries *negatives,
        gboolean owned, GPtrArray *templates, AltclipContradiction *found);

G_END_DECLS

#endif /* ALTCLIP_CONTRADICTION_H */
