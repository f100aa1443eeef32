/* altclip: a file of prompts with and without what it says
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "variant.h"

/* Of the file, and of each of its labels. */
static void
remove_field (json_t *file, const char *name)
{
    json_t *label;
    gsize i;

    json_object_del (file, name);
    json_array_foreach (json_object_get (file, "labels"), i, label) json_object_del (label, name);
}

/* The first stays: it is the healthy picture, of which everybody thinks. */
static void
halve_negatives (json_t *file)
{
    json_t *half = json_array ();
    json_t *negative;
    gsize i;

    json_array_foreach (json_object_get (file, "negatives"), i, negative)
    {
        if (i % 2 == 0)
            json_array_append (half, negative);
    }
    remove_field (file, "negatives");
    json_object_set_new (file, "negatives", half);
}

json_t *
variant_make (const json_t *file, VariantFlags flags)
{
    json_t *variant = json_deep_copy (file);

    if (flags & VARIANT_WITHOUT_NEGATIVES)
        remove_field (variant, "negatives");
    if (flags & VARIANT_HALF_OF_NEGATIVES)
        halve_negatives (variant);
    if (flags & VARIANT_WITHOUT_TEMPLATES)
        remove_field (variant, "templates");
    if (flags & VARIANT_WITHOUT_SMOOTHING)
        remove_field (variant, "smoothing");
    if (flags & VARIANT_DEFAULT_THRESHOLD)
        remove_field (variant, "threshold");
    if (flags & (VARIANT_WITHOUT_HYSTERESIS | VARIANT_DEFAULT_HYSTERESIS))
        remove_field (variant, "hysteresis");
    if (flags & VARIANT_WITHOUT_HYSTERESIS)
        json_object_set_new (variant, "hysteresis", json_integer (0));
    if (flags & VARIANT_WITHOUT_TIMES) {
        remove_field (variant, "min_on");
        remove_field (variant, "min_off");
    }
    if (flags & (VARIANT_SIGMOID | VARIANT_COSINE))
        json_object_set_new (variant, "score_mode",
                json_string (flags & VARIANT_SIGMOID ? "sigmoid" : "cosine"));
    return variant;
}
