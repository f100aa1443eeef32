/* altclip: a file of prompts with and without what it says
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef VARIANT_H
#define VARIANT_H

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

typedef enum {
    VARIANT_WHOLE = 0,
    VARIANT_WITHOUT_NEGATIVES = 1 << 0,
    VARIANT_WITHOUT_TEMPLATES = 1 << 1,
    VARIANT_WITHOUT_SMOOTHING = 1 << 2,
    VARIANT_WITHOUT_HYSTERESIS = 1 << 3, /* none at all */
    VARIANT_WITHOUT_TIMES = 1 << 4,      /* min_on and min_off */
    VARIANT_DEFAULT_HYSTERESIS = 1 << 5,
    VARIANT_DEFAULT_THRESHOLD = 1 << 6,
    VARIANT_SIGMOID = 1 << 7, /* in place of its score mode */
    VARIANT_COSINE = 1 << 8,
    VARIANT_HALF_OF_NEGATIVES = 1 << 9, /* every second one, and none of a label's own */
} VariantFlags;

/* @file: of prompts. Returns: (transfer full): a copy that is as @flags say */
json_t *variant_make (const json_t *file, VariantFlags flags);

G_END_DECLS

#endif /* VARIANT_H */
