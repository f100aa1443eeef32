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

/* ---- Regions --------------------------------------------------------------------------------- */

/* Stands for every number of a region: one picture for all labels. */
#define ALL_REGIONS G_MAXUINT

static gboolean
is_label_of (const AltclipPrompts *prompts, guint label, guint region)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, label);

    return region == ALL_REGIONS || entry->region == region;
}

/* Whether the entry has a part in the scores of the region's labels. */
static gboolean
counts_for (const AltclipPrompts *prompts, guint index, guint region)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, index);
    guint own = prompts->n_labels + prompts->n_negatives;

    if (index < prompts->n_labels)
        return is_label_of (prompts, index, region);
    if (index < own || index >= own + prompts->n_own_negatives)
        return TRUE;
    return is_label_of (prompts, entry->owner, region);
}

/* @x: [entries] */
static void
fill_cosines (const AltclipPrompts *prompts, guint region, const float *embedding, double *x)
{
    for (guint i = 0; i < prompts->entries->len; i++) {
        if (counts_for (prompts, i, region))
            x[i] = multiply (
                    prompts->embeddings + (gsize)i * prompts->dim, embedding, prompts->dim);
    }
}

/* @from, @to: [n_labels] */
static void
copy_labels (const AltclipPrompts *prompts, guint region, const double *from, double *to)
{
    for (guint i = 0; i < prompts->n_labels; i++) {
        if (is_label_of (prompts, i, region))
            to[i] = from[i];
    }
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

/* What competes with all the labels of each contest: its labels, and the negatives of all labels.
 * @x: cosines [entries] */
static void
add_up_contests (const AltclipPrompts *prompts, guint region, const double *x, Total *contests)
{
    double scale = prompts->logit_scale;
    Total negatives = { -INFINITY, 0.0 };

    for (guint i = 0; i < prompts->n_negatives; i++)
        add_logit (&negatives, scale * x[prompts->n_labels + i]);
    for (guint i = 0; i < prompts->n_contests; i++)
        contests[i] = (Total){ -INFINITY, 0.0 };
    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        if (is_label_of (prompts, i, region))
            add_logit (&contests[entry->contest], scale * x[i]);
    }
    for (guint i = 0; i < prompts->n_contests; i++)
        add_total (&contests[i], &negatives);
}

/* Goes to the first negative that is a later label's own. */
static void
skip_own_negatives (const AltclipPrompts *prompts, guint label, guint *negative)
{
    guint last = prompts->n_labels + prompts->n_negatives + prompts->n_own_negatives;

    for (; *negative < last; (*negative)++) {
        const AltclipPromptEntry *own = g_ptr_array_index (prompts->entries, *negative);
        if (own->owner != label)
            break;
    }
}

/* Each label's share among what competes with it, in place. @x: cosines [entries] */
static void
apply_softmax (const AltclipPrompts *prompts, guint region, double *x, Total *contests)
{
    double scale = prompts->logit_scale;
    guint negative = prompts->n_labels + prompts->n_negatives;
    guint neutral = negative + prompts->n_own_negatives;

    add_up_contests (prompts, region, x, contests);
    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        Total total = contests[entry->contest];
        guint first = negative;

        skip_own_negatives (prompts, i, &negative);
        if (!is_label_of (prompts, i, region))
            continue;
        for (guint j = first; j < negative; j++)
            add_logit (&total, scale * x[j]);
        if (entry->lone)
            add_logit (&total, scale * x[neutral]);
        x[i] = exp (scale * x[i] - total.maximum) / total.sum;
    }
}

/* ---- Sigmoid --------------------------------------------------------------------------------- */

/* 1 / (1 + exp (−(scale · cosine + bias))), in place. @x: cosines [entries] */
static void
apply_sigmoid (const AltclipPrompts *prompts, guint region, double *x)
{
    double scale = prompts->logit_scale;

    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        double bias = entry->rules[ALTCLIP_RULE_BIAS];

        if (is_label_of (prompts, i, region))
            x[i] = 1.0 /
                   (1.0 + exp (-(scale * x[i] + (isnan (bias) ? -scale * MIDDLE_COSINE : bias))));
    }
}

/* ---- Scores ---------------------------------------------------------------------------------- */

static void
score (AltclipPrompts *prompts, AltclipScoreMode mode, guint region, const float *embedding,
        double *scores, double *cosines)
{
    double stack[N_ON_STACK];
    Total contest_stack[N_ON_STACK + 1];
    g_autofree double *heap = NULL;
    g_autofree Total *contest_heap = NULL;
    double *x = stack;
    Total *contests = contest_stack;

    if (prompts->n_labels == 0)
        return;
    g_return_if_fail (prompts->embeddings);
    if (prompts->entries->len > N_ON_STACK)
        x = heap = g_new (double, prompts->entries->len);
    if (prompts->n_contests > N_ON_STACK + 1)
        contests = contest_heap = g_new (Total, prompts->n_contests);
    fill_cosines (prompts, region, embedding, x);
    if (cosines)
        copy_labels (prompts, region, x, cosines);
    if (mode == ALTCLIP_SCORE_SOFTMAX)
        apply_softmax (prompts, region, x, contests);
    else if (mode == ALTCLIP_SCORE_SIGMOID)
        apply_sigmoid (prompts, region, x);
    copy_labels (prompts, region, x, scores);
}

/* ---- Public ---------------------------------------------------------------------------------- */

void
altclip_prompts_score (AltclipPrompts *prompts, AltclipScoreMode mode, const float *embedding,
        double *scores, double *cosines)
{
    score (prompts, mode, ALL_REGIONS, embedding, scores, cosines);
}

void
altclip_prompts_score_region (AltclipPrompts *prompts, AltclipScoreMode mode, guint region,
        const float *embedding, double *scores, double *cosines)
{
    g_return_if_fail (region < prompts->regions->len);
    score (prompts, mode, region, embedding, scores, cosines);
}
