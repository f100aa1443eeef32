/* altclip: writes a file of prompts with and without what it says
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     rewrite watch.json labels OUT.json
 */

#include "variant.h"

#include <string.h>

/* Labels alone, and thresholds by default. */
#define BARE (VARIANT_WITHOUT_NEGATIVES | VARIANT_DEFAULT_THRESHOLD)

static const struct {
    const char *name;
    VariantFlags flags;
} VARIANTS[] = {
    { "recommended", VARIANT_WHOLE },
    { "labels", BARE },
    { "sigmoid", BARE | VARIANT_SIGMOID },
    { "cosine", BARE | VARIANT_COSINE },
};

int
main (int argc, char **argv)
{
    json_error_t error;
    json_t *file;
    json_t *variant;
    gsize i = 0;

    if (argc != 4)
        g_error ("usage: rewrite FILE.json recommended|labels|sigmoid|cosine OUT.json");
    while (i < G_N_ELEMENTS (VARIANTS) && strcmp (VARIANTS[i].name, argv[2]) != 0)
        i++;
    if (i == G_N_ELEMENTS (VARIANTS))
        g_error ("there is no variant '%s'", argv[2]);
    file = json_load_file (argv[1], 0, &error);
    if (!file)
        g_error ("%s: %s", argv[1], error.text);
    variant = variant_make (file, VARIANTS[i].flags);
    if (json_dump_file (variant, argv[3], JSON_INDENT (2)) != 0)
        g_error ("%s cannot be written", argv[3]);
    json_decref (variant);
    json_decref (file);
    return 0;
}
