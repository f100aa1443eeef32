/* altclip: the names of AltCLIP's tensors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tensor_names.h"

#include <string.h>

#define TEXT "text_model."
#define VISION "vision_model."

/* What names begin with. A tower's name may be missing from the stored form. */
static const struct {
    const char *tower;
    const char *stored;
    const char *canonical;
} BEGINNINGS[] = {
    { TEXT, "roberta.embeddings.", "roberta.embeddings." },
    { TEXT, "roberta.encoder.layer.", "roberta.encoder.layer." },
    { TEXT, "roberta.encoder.layers.", "roberta.encoder.layer." },
    { TEXT, "pre_LN.", "pre_LN." },
    { TEXT, "transformation.", "transformation." },
    { VISION, "embeddings.", "embeddings." },
    { VISION, "pre_layrnorm.", "pre_layrnorm." },
    { VISION, "encoder.layers.", "encoder.layers." },
    { VISION, "encoder.layer.", "encoder.layers." },
    { VISION, "post_layernorm.", "post_layernorm." },
    { "", "text_projection.", "text_projection." },
    { "", "visual_projection.", "visual_projection." },
    { "", "logit_scale", "logit_scale" },
};

/* Buffers that older libraries saved with the weights: 0, 1, 2 … */
#define POSITION_IDS ".position_ids"

char *
altclip_tensor_name_to_canonical (const char *stored)
{
    if (g_str_has_suffix (stored, POSITION_IDS))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS (BEGINNINGS); i++) {
        const char *tower = BEGINNINGS[i].tower;
        const char *rest = g_str_has_prefix (stored, tower) ? stored + strlen (tower) : stored;

        if (g_str_has_prefix (rest, BEGINNINGS[i].stored))
            return g_strconcat (
                    tower, BEGINNINGS[i].canonical, rest + strlen (BEGINNINGS[i].stored), NULL);
    }
    return NULL;
}
