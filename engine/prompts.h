/* altclip: prompts, as scoring sees them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_PROMPTS_H
#define ALTCLIP_PROMPTS_H

#include "altclip.h"

G_BEGIN_DECLS

/* A label, or a phrase that only competes, and what stands for it. */
typedef struct {
    char *label;
    GPtrArray *texts; /* (element-type utf8): at least one */
} AltclipPromptEntry;

struct _AltclipPrompts {
    gatomicrefcount ref_count;
    GPtrArray *entries; /* (element-type AltclipPromptEntry): labels, negatives, neutral phrase */
    guint n_labels;
    GPtrArray *templates; /* (element-type utf8): at least one */
    const char *neutral;  /* (nullable): label of the last entry, if it was added */
    char *unknown;        /* (nullable): a text the model's tokenizer does not know */

    /* From here on set when embedded. */
    guint dim;
    double logit_scale; /* from cosine to logit */
    float *embeddings;  /* [entries, dim], unit length; NULL: not embedded */
};

/**
 * altclip_prompts_set_embeddings:
 * @embeddings: (transfer full): [entries, dim], unit length
 *
 * The last step of altclip_prompts_embed().
 */
void altclip_prompts_set_embeddings (
        AltclipPrompts *prompts, float *embeddings, guint dim, double logit_scale);

G_END_DECLS

#endif /* ALTCLIP_PROMPTS_H */
