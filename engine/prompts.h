/* altclip: prompts, as scoring sees them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_PROMPTS_H
#define ALTCLIP_PROMPTS_H

#include "altclip.h"

G_BEGIN_DECLS

#define ALTCLIP_MAX_TEXT_BYTES 4096
#define ALTCLIP_MAX_TEXTS 1000     /* of a label; likewise its pictures */
#define ALTCLIP_MAX_TEMPLATES 1000 /* of a set, or of a label */

/* What a template's text goes in place of. */
#define ALTCLIP_TEMPLATE_SLOT "{}"

/* The numbers that a label may have of its own. */
typedef enum {
    ALTCLIP_RULE_THRESHOLD,
    ALTCLIP_RULE_HYSTERESIS,
    ALTCLIP_RULE_MIN_ON,    /* seconds */
    ALTCLIP_RULE_MIN_OFF,   /* seconds */
    ALTCLIP_RULE_SMOOTHING, /* seconds */
    ALTCLIP_RULE_BIAS,
    ALTCLIP_N_RULES
} AltclipRule;

/* A picture that stands for a label. */
typedef struct {
    char *path;
    char *place; /* where its file of prompts names it, for messages */
} AltclipPromptPicture;

/* A label, or a phrase that only competes, and what stands for it: texts and pictures, or a ready
 * embedding. */
typedef struct {
    char *label;
    GPtrArray *texts;              /* (element-type utf8) */
    GPtrArray *templates;          /* (nullable): instead of the set's */
    GPtrArray *pictures;           /* (nullable) (element-type AltclipPromptPicture) */
    float *embedding;              /* (nullable): [ready_dim], unit length */
    char *language;                /* (nullable): for people; likewise note */
    char *note;                    /* (nullable) */
    char *group_name;              /* (nullable): of a label */
    guint group;                   /* of a label: number of the group; 0: in none */
    guint region;                  /* of a label: number of its region; 0: it has none */
    guint contest;                 /* of a label: those of one contest compete */
    guint owner;                   /* of a label's own negative: the label */
    guint line;                    /* of a negative in a file: where it is, for messages */
    gboolean lone;                 /* of a label: nothing but the neutral phrase competes */
    double rules[ALTCLIP_N_RULES]; /* of a label; NAN: it has none of its own */
} AltclipPromptEntry;

struct _AltclipPrompts {
    gatomicrefcount ref_count;

    char *file; /* (nullable): to be read before anything below is known */
    AltclipPictureLoader loader;

    /* (element-type AltclipPromptEntry): labels, negatives of all labels, negatives of single ones
     * in the order of those, neutral phrase */
    GPtrArray *entries;
    guint n_labels;
    guint n_negatives; /* of all labels */
    guint n_own_negatives;
    guint n_groups;         /* number 0, of those in none, counted too */
    guint n_without_region; /* labels */
    GArray *regions;        /* (element-type AltclipRegion): number 0 is all */
    guint n_contests;       /* pairs of group and region */
    GPtrArray *group_names; /* (element-type utf8) (nullable elements), owned by the entries */
    GPtrArray *templates;   /* (element-type utf8): at least one */
    int score_mode;         /* −1: whatever the caller wants */
    double own_logit_scale; /* 0: the model's */
    guint ready_dim;        /* of the ready embeddings; 0: there are none */
    char *ready_place;      /* (nullable): of the first of them, for messages */
    const char *neutral;    /* (nullable): label of the last entry, if it was added */
    GPtrArray *unknown;     /* (element-type utf8): texts the model's tokenizer does not know, owned
                               by the entries */

    /* From here on set when embedded. */
    guint dim;
    double logit_scale; /* from cosine to logit */
    float *embeddings;  /* [entries, dim], unit length; NULL: not embedded */
};

/* Returns: (transfer full): an empty set, to be filled. */
AltclipPrompts *altclip_prompts_new (void);

/* Returns: (transfer full) (element-type AltclipRegion): number 0 alone */
GArray *altclip_prompts_new_regions (void);

/* Returns: (transfer full): an entry that nothing stands for yet. */
AltclipPromptEntry *altclip_prompt_entry_new (const char *label);

void altclip_prompt_entry_free (AltclipPromptEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipPromptEntry, altclip_prompt_entry_free)

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
