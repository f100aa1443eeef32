/* altclip: from embeddings to scores
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts.h"

#include <math.h>
#include <string.h>

/* Candidates whose logits fit on the stack. */
#define N_ON_STACK 1024

/* The cosine that scores 0.5 with the sigmoid when a label has no bias: the usual threshold of
 * cosines. */
#define MIDDLE_COSINE 0.25

static double
multiply (const float *a, const float *b, guint n)
{
    double sum = 0.0;

    for (guint i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* ---- Softmax --------------------------------------------------------------------------------- */

/* The sum of exp (logit − maximum) over some candidates. The maximum goes first, so nothing
 * overflows. */
typedef struct {
    double maximum;
    double sum;
} Total;

static void
add_logit (Total *total, double logit)
{
    if (logit > total->maximum) {
        total->sum = total->sum * exp (total->maximum - logit) + 1.0;
        total->maximum = logit;
    } else {
        total->sum += exp (logit - total->maximum);
    }
}

static void
add_total (Total *total, const Total *other)
{
    if (other->sum == 0.0)
        return;
    if (other->maximum > total->maximum) {
        total->sum = total->sum * exp (total->maximum - other->maximum) + other->sum;
        total->maximum = other->maximum;
    } else {
        total->sum += other->sum * exp (other->maximum - total->maximum);
    }
}

/* What competes with all the labels of each group: its labels, and the negatives of all labels.
 * @x: cosines [entries] */
static void
add_up_groups (const AltclipPrompts *prompts, const double *x, Total *groups)
{
    double scale = prompts->logit_scale;
    Total negatives = { -INFINITY, 0.0 };

    for (guint i = 0; i < prompts->n_negatives; i++)
        add_logit (&negatives, scale * x[prompts->n_labels + i]);
    for (guint i = 0; i < prompts->n_groups; i++)
        groups[i] = (Total){ -INFINITY, 0.0 };
    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        add_logit (&groups[entry->group], scale * x[i]);
    }
    for (guint i = 0; i < prompts->n_groups; i++)
        add_total (&groups[i], &negatives);
}

/* Each label's share among what competes with it, in place. @x: cosines [entries] */
static void
apply_softmax (const AltclipPrompts *prompts, double *x, Total *groups)
{
    double scale = prompts->logit_scale;
    guint negative = prompts->n_labels + prompts->n_negatives;
    guint last = negative + prompts->n_own_negatives;

    add_up_groups (prompts, x, groups);
    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        Total total = groups[entry->group];

        for (; negative < last; negative++) {
            const AltclipPromptEntry *own = g_ptr_array_index (prompts->entries, negative);
            if (own->owner != i)
                break;
            add_logit (&total, scale * x[negative]);
        }
        if (entry->lone)
            add_logit (&total, scale * x[last]);
        x[i] = exp (scale * x[i] - total.maximum) / total.sum;
    }
}

/* ---- Sigmoid --------------------------------------------------------------------------------- */

/* 1 / (1 + exp (−(scale · cosine + bias))), in place. @x: cosines [entries] */
static void
apply_sigmoid (const AltclipPrompts *prompts, double *x)
{
    double scale = prompts->logit_scale;

    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        double bias = entry->rules[ALTCLIP_RULE_BIAS];

        x[i] = 1.0 / (1.0 + exp (-(scale * x[i] + (isnan (bias) ? -scale * MIDDLE_COSINE : bias))));
    }
}

/* ---- Public ---------------------------------------------------------------------------------- */

void
altclip_prompts_score (AltclipPrompts *prompts, AltclipScoreMode mode, const float *embedding,
        double *scores, double *cosines)
{
    double stack[N_ON_STACK];
    Total group_stack[N_ON_STACK + 1];
    g_autofree double *heap = NULL;
    g_autofree Total *group_heap = NULL;
    guint n = prompts->entries->len;
    gsize n_bytes = prompts->n_labels * sizeof (double);
    double *x = stack;
    Total *groups = group_stack;

    if (prompts->n_labels == 0)
        return;
    g_return_if_fail (prompts->embeddings);
    if (n > N_ON_STACK)
        x = heap = g_new (double, n);
    if (prompts->n_groups > N_ON_STACK + 1)
        groups = group_heap = g_new (Total, prompts->n_groups);
    for (guint i = 0; i < n; i++)
        x[i] = multiply (prompts->embeddings + (gsize)i * prompts->dim, embedding, prompts->dim);
    if (cosines)
        memcpy (cosines, x, n_bytes);
    if (mode == ALTCLIP_SCORE_SOFTMAX)
        apply_softmax (prompts, x, groups);
    else if (mode == ALTCLIP_SCORE_SIGMOID)
        apply_sigmoid (prompts, x);
    memcpy (scores, x, n_bytes);
}
