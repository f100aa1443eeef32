/* altclip: a set of labels, their texts and embeddings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_PROMPTS_H
#define ALTCLIP_PROMPTS_H

#include "altclip.h"

G_BEGIN_DECLS

/* What a picture is compared with: the labels, then the negatives. */
typedef struct {
    guint n_labels;
    guint n; /* labels and negatives */
    guint dim;
    double logit_scale;
    const float *embeddings; /* [n, dim], unit length */
} AltclipCandidates;

/* Returns: (transfer none) (nullable): of an embedded set; NULL before. */
const AltclipCandidates *altclip_prompts_get_candidates (AltclipPrompts *prompts);

/* Gives @prompts embeddings [n, dim] by hand, for its labels and negatives in order. */
void altclip_prompts_set_embeddings (
        AltclipPrompts *prompts, guint dim, double logit_scale, const float *embeddings);

G_END_DECLS

#endif /* ALTCLIP_PROMPTS_H */
