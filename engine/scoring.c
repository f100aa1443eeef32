/* altclip: from embeddings to scores
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts.h"

#include <math.h>
#include <string.h>

/* Candidates whose logits fit on the stack. */
#define N_ON_STACK 1024

static double
multiply (const float *a, const float *b, guint n)
{
    double sum = 0.0;

    for (guint i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* Softmax of scale · x over [n], in place. The maximum goes first, so nothing overflows. */
static void
apply_softmax (double *x, guint n, double scale)
{
    double maximum = -INFINITY;
    double sum = 0.0;

    for (guint i = 0; i < n; i++)
        maximum = fmax (maximum, scale * x[i]);
    for (guint i = 0; i < n; i++) {
        x[i] = exp (scale * x[i] - maximum);
        sum += x[i];
    }
    for (guint i = 0; i < n; i++)
        x[i] /= sum;
}

void
altclip_prompts_score (AltclipPrompts *prompts, AltclipScoreMode mode, const float *embedding,
        double *scores, double *cosines)
{
    double stack[N_ON_STACK];
    g_autofree double *heap = NULL;
    guint n = prompts->entries->len;
    gsize n_bytes = prompts->n_labels * sizeof (double);
    double *x = stack;

    if (prompts->n_labels == 0)
        return;
    g_return_if_fail (prompts->embeddings);
    if (n > N_ON_STACK)
        x = heap = g_new (double, n);
    for (guint i = 0; i < n; i++)
        x[i] = multiply (prompts->embeddings + (gsize)i * prompts->dim, embedding, prompts->dim);
    if (cosines)
        memcpy (cosines, x, n_bytes);
    if (mode == ALTCLIP_SCORE_SOFTMAX)
        apply_softmax (x, n, prompts->logit_scale);
    memcpy (scores, x, n_bytes);
}
