/* altclip: from cosines to scores
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts.h"

#include <math.h>

/* Candidates whose cosines fit on the stack. */
#define N_ON_STACK 1024

static double
dot (const float *a, const float *b, guint n)
{
    double sum = 0.0;

    for (guint i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* softmax (scale · cosine) over all candidates, of which the labels are kept. The largest is
 * subtracted first, so that no scale overflows. */
static void
softmax (const double *cosines, guint n, double scale, guint n_labels, double *scores)
{
    double largest = cosines[0];
    double sum = 0.0;

    for (guint i = 1; i < n; i++)
        largest = MAX (largest, cosines[i]);
    for (guint i = 0; i < n; i++)
        sum += exp (scale * (cosines[i] - largest));
    for (guint i = 0; i < n_labels; i++)
        scores[i] = exp (scale * (cosines[i] - largest)) / sum;
}

void
altclip_prompts_score (AltclipPrompts *prompts, AltclipScoreMode mode, const float *embedding,
        double *scores, double *cosines)
{
    const AltclipCandidates *candidates = altclip_prompts_get_candidates (prompts);
    double on_stack[N_ON_STACK];
    g_autofree double *on_heap = NULL;
    double *all = on_stack;

    if (!candidates)
        return;
    if (candidates->n > N_ON_STACK)
        all = on_heap = g_new (double, candidates->n);
    for (guint i = 0; i < candidates->n; i++)
        all[i] = dot (
                candidates->embeddings + (gsize)i * candidates->dim, embedding, candidates->dim);
    for (guint i = 0; cosines && i < candidates->n_labels; i++)
        cosines[i] = all[i];
    if (mode == ALTCLIP_SCORE_SOFTMAX) {
        softmax (all, candidates->n, candidates->logit_scale, candidates->n_labels, scores);
        return;
    }
    for (guint i = 0; i < candidates->n_labels; i++)
        scores[i] = all[i];
}
