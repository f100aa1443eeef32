/* altclip: phrases that stand for a label and against it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "contradiction.h"
#include "name_hash.h"

/* A negative's text in a template, by numbers. */
typedef struct {
    guint scope; /* label that it competes with, counted from 1; 0: all of them */
    guint text;
    guint template_number;
    guint negative;
} Phrase;

/* The phrases of all negatives. */
typedef struct {
    GHashTable *numbers; /* (element-type utf8 guint): of texts and templates, from 1 on */
    GArray *phrases;     /* (element-type Phrase): in order */
    GPtrArray *templates;
} Negatives;

static guint
get_number (const Negatives *negatives, const char *string)
{
    return GPOINTER_TO_UINT (g_hash_table_lookup (negatives->numbers, string));
}

static guint
add_number (Negatives *negatives, char *string)
{
    guint number = get_number (negatives, string);

    if (number == 0) {
        number = g_hash_table_size (negatives->numbers) + 1;
        g_hash_table_insert (negatives->numbers, string, GUINT_TO_POINTER (number));
    }
    return number;
}

static GPtrArray *
get_templates (const Negatives *negatives, const AltclipPromptEntry *entry)
{
    return entry->templates ? entry->templates : negatives->templates;
}

static void
add_negative (Negatives *negatives, const AltclipPromptEntry *entry, guint scope, guint number)
{
    GPtrArray *templates = get_templates (negatives, entry);

    for (guint i = 0; i < entry->texts->len; i++) {
        Phrase phrase = { .scope = scope, .negative = number };

        phrase.text = add_number (negatives, g_ptr_array_index (entry->texts, i));
        for (guint j = 0; j < templates->len; j++) {
            phrase.template_number = add_number (negatives, g_ptr_array_index (templates, j));
            g_array_append_val (negatives->phrases, phrase);
        }
    }
}

static int
compare (gconstpointer a, gconstpointer b)
{
    const Phrase *first = a;
    const Phrase *second = b;

    if (first->scope != second->scope)
        return first->scope < second->scope ? -1 : 1;
    if (first->text != second->text)
        return first->text < second->text ? -1 : 1;
    if (first->template_number != second->template_number)
        return first->template_number < second->template_number ? -1 : 1;
    return 0;
}

/* @text: number of a text of the label's */
static gboolean
find_text (const Negatives *negatives, const AltclipPromptEntry *label, guint scope, guint text,
        guint *negative)
{
    GPtrArray *templates = get_templates (negatives, label);

    for (guint i = 0; i < templates->len; i++) {
        const Phrase phrase = { scope, text,
            get_number (negatives, g_ptr_array_index (templates, i)), 0 };
        guint at;

        if (g_array_binary_search (negatives->phrases, &phrase, compare, &at)) {
            *negative = g_array_index (negatives->phrases, Phrase, at).negative;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
find_label (const Negatives *negatives, const AltclipPromptEntry *label, guint scope,
        AltclipContradiction *found)
{
    for (guint i = 0; i < label->texts->len; i++) {
        guint text;

        found->text = g_ptr_array_index (label->texts, i);
        text = get_number (negatives, found->text);
        if (text > 0 && find_text (negatives, label, scope, text, &found->negative))
            return TRUE;
    }
    return FALSE;
}

static gboolean
has_own_templates (const AltclipEntries *entries)
{
    for (guint i = 0; i < entries->n; i++) {
        if (entries->entries[i]->templates)
            return TRUE;
    }
    return FALSE;
}

gboolean
altclip_contradiction_find (const AltclipEntries *labels, const AltclipEntries *negatives,
        gboolean owned, GPtrArray *templates, AltclipContradiction *found)
{
    g_autoptr (GHashTable) numbers = g_hash_table_new (altclip_name_hash, g_str_equal);
    g_autoptr (GArray) phrases = g_array_new (FALSE, FALSE, sizeof (Phrase));
    g_autoptr (GPtrArray) any = g_ptr_array_new ();
    gboolean differ = has_own_templates (labels) || has_own_templates (negatives);
    Negatives all = { numbers, phrases, differ ? templates : any };
    gboolean is_found = FALSE;

    if (negatives->n == 0)
        return FALSE;
    /* Where all have the same ones, one stands for them. */
    g_ptr_array_add (any, (gpointer)ALTCLIP_TEMPLATE_SLOT);
    for (guint i = 0; i < negatives->n; i++) {
        const AltclipPromptEntry *entry = negatives->entries[i];

        add_negative (&all, entry, owned ? entry->owner + 1 : 0, i);
    }
    g_array_sort (phrases, compare);
    for (guint i = 0; i < labels->n && !is_found; i++) {
        found->label = i;
        is_found = find_label (&all, labels->entries[i], owned ? i + 1 : 0, found);
    }
    return is_found;
}
