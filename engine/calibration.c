/* altclip: from scores of what is there and what is not to thresholds and biases
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <math.h>
#include <string.h>

/* Thresholds outside are taken only where no better one lies within. */
#define LOWEST_SHARE 0.05
#define HIGHEST_SHARE 0.95

/* Thresholds whose F1 differs by less do equally well: a few pictures more or less are chance. */
#define TOLERANCE 0.01

/* What a file of prompts can hold. */
#define LARGEST_BIAS 1e6

/* Halvings of an interval until next to nothing is left of it in a double. */
#define N_HALVINGS 80

/* ---- Sorted scores --------------------------------------------------------------------------- */

static int
compare_doubles (const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return first < second ? -1 : first > second;
}

/* Returns: (transfer full): [n], ascending */
static double *
sort (const double *scores, gsize n)
{
    double *sorted = g_new (double, n);

    memcpy (sorted, scores, n * sizeof (double));
    qsort (sorted, n, sizeof (double), compare_doubles);
    return sorted;
}

/* Both kinds, ascending, and how far one has come through them. */
typedef struct {
    const double *positives;
    gsize n_positives;
    const double *negatives;
    gsize n_negatives;
    gsize positive; /* the first positive that is not passed */
    gsize negative;
} Walk;

/* Passes the lowest score that is left. Returns: it */
static double
pass (Walk *walk)
{
    double score = INFINITY;

    if (walk->positive < walk->n_positives)
        score = walk->positives[walk->positive];
    if (walk->negative < walk->n_negatives)
        score = fmin (score, walk->negatives[walk->negative]);
    while (walk->positive < walk->n_positives && walk->positives[walk->positive] == score)
        walk->positive++;
    while (walk->negative < walk->n_negatives && walk->negatives[walk->negative] == score)
        walk->negative++;
    return score;
}

/* Returns: the lowest score that is left; INFINITY: none */
static double
peek (const Walk *walk)
{
    Walk copy = *walk;

    return pass (&copy);
}

/* F1 of a threshold just above what was passed. */
static double
get_f1 (const Walk *walk)
{
    double hits = (double)(walk->n_positives - walk->positive);
    double alarms = (double)(walk->n_negatives - walk->negative);

    return 2.0 * hits / (hits + alarms + (double)walk->n_positives);
}

/* ---- The threshold --------------------------------------------------------------------------- */

/* Between two scores: thresholds above the one, and up to the other. */
typedef struct {
    double low;
    double high;
} Range;

static double
to_logit (double share)
{
    return log (share) - log1p (-share);
}

/* Shares are compared by their logits, in which they spread evenly. */
static double
get_width (AltclipScoreMode mode, const Range *range)
{
    if (mode == ALTCLIP_SCORE_COSINE)
        return range->high - range->low;
    return to_logit (CLAMP (range->high, LOWEST_SHARE, HIGHEST_SHARE)) -
           to_logit (CLAMP (range->low, LOWEST_SHARE, HIGHEST_SHARE));
}

static gboolean
is_wider (AltclipScoreMode mode, const Range *a, const Range *b)
{
    double first = get_width (mode, a);
    double second = get_width (mode, b);

    return first > second || (first == second && a->high - a->low > b->high - b->low);
}

/* Where the logits' middle cannot be had, the shares' own. */
static double
get_middle (AltclipScoreMode mode, const Range *range)
{
    double low = CLAMP (range->low, LOWEST_SHARE, HIGHEST_SHARE);
    double high = CLAMP (range->high, LOWEST_SHARE, HIGHEST_SHARE);
    double middle = (range->low + range->high) / 2.0;

    if (mode != ALTCLIP_SCORE_COSINE && low < high)
        middle = 1.0 / (1.0 + exp (-(to_logit (low) + to_logit (high)) / 2.0));
    /* Neighbours among doubles have no middle: the upper one is not passed, at least. */
    return middle > range->low && middle <= range->high ? middle : range->high;
}

static double
find_best_f1 (Walk walk)
{
    double best = 0.0;

    for (pass (&walk); peek (&walk) < INFINITY; pass (&walk))
        best = fmax (best, get_f1 (&walk));
    return best;
}

/* Of the ranges in which all thresholds do nearly as well as the best, the widest. */
static double
find_threshold (AltclipScoreMode mode, Walk walk)
{
    double least = find_best_f1 (walk) - TOLERANCE;
    Range range;
    Range widest;

    range.low = range.high = pass (&walk);
    widest = range;
    while (peek (&walk) < INFINITY) {
        gboolean good = get_f1 (&walk) >= least;
        double passed = pass (&walk);

        if (good)
            range.high = passed;
        else
            range.low = range.high = passed;
        if (is_wider (mode, &range, &widest))
            widest = range;
    }
    return get_middle (mode, &widest);
}

/* ---- How well it does ------------------------------------------------------------------------ */

static gsize
count_below (const double *sorted, gsize n, double threshold)
{
    gsize count = 0;

    while (count < n && sorted[count] < threshold)
        count++;
    return count;
}

/* The share of all pairs in which the positive scores higher, half of those with equal scores. */
static double
get_roc_area (Walk walk)
{
    double sum = 0.0;

    while (walk.positive < walk.n_positives) {
        gsize positive = walk.positive;
        gsize negative = walk.negative;

        pass (&walk);
        sum += (double)(walk.positive - positive) *
               ((double)negative + 0.5 * (double)(walk.negative - negative));
    }
    return sum / ((double)walk.n_positives * (double)walk.n_negatives);
}

void
altclip_separate (AltclipScoreMode mode, const double *positives, gsize n_positives,
        const double *negatives, gsize n_negatives, AltclipSeparation *separation)
{
    g_autofree double *sorted_positives = NULL;
    g_autofree double *sorted_negatives = NULL;
    Walk walk;
    double threshold;

    g_return_if_fail (n_positives > 0 && n_negatives > 0);
    sorted_positives = sort (positives, n_positives);
    sorted_negatives = sort (negatives, n_negatives);
    walk = (Walk){ sorted_positives, n_positives, sorted_negatives, n_negatives, 0, 0 };
    threshold = find_threshold (mode, walk);
    separation->threshold = CLAMP (threshold, 0.0, 1.0);
    separation->roc_area = get_roc_area (walk);
    separation->misses =
            (double)count_below (sorted_positives, n_positives, separation->threshold) /
            (double)n_positives;
    separation->false_alarms =
            1.0 - (double)count_below (sorted_negatives, n_negatives, separation->threshold) /
                          (double)n_negatives;
}

/* ---- The bias -------------------------------------------------------------------------------- */

static double
get_mean (double scale, double bias, const double *cosines, gsize n)
{
    double sum = 0.0;

    for (gsize i = 0; i < n; i++)
        sum += 1.0 / (1.0 + exp (-(scale * cosines[i] + bias)));
    return sum / (double)n;
}

/* Where the derivative of the likelihood is 0: what positives lack of 1 is on average what
 * negatives have. The one falls with the bias, and the other rises. */
double
altclip_fit_bias (double scale, const double *positives, gsize n_positives, const double *negatives,
        gsize n_negatives)
{
    double low = MAX (-scale - 50.0, -LARGEST_BIAS);
    double high = MIN (scale + 50.0, LARGEST_BIAS);

    g_return_val_if_fail (n_positives > 0 && n_negatives > 0, 0.0);
    for (guint i = 0; i < N_HALVINGS; i++) {
        double bias = (low + high) / 2.0;
        if (get_mean (scale, bias, positives, n_positives) +
                        get_mean (scale, bias, negatives, n_negatives) <
                1.0)
            low = bias;
        else
            high = bias;
    }
    return (low + high) / 2.0;
}
