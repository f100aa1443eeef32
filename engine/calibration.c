/* altclip: from scores of what is there and what is not to thresholds and biases
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <math.h>
#include <string.h>

/* What is told apart by whether a share is 0.999 or 0.9999 is told apart in the light of these
 * pictures, and not in that of others: thresholds outside are taken only where the best within has
 * an F-measure that is much less. */
#define LOWEST_SHARE 0.05
#define HIGHEST_SHARE 0.95
#define MUCH 0.1

/* Thresholds whose F-measure differs by less do equally well: a few pictures more or less are
 * chance. */
#define TOLERANCE 0.01

/* β of the F-measure. A picture that is missed in the midst of an event changes little, and one
 * that is taken for the label may begin an event. */
#define BETA 0.5

/* How near to the ends of a range, in shares of it, a threshold may be. */
#define MARGIN 0.25

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

/* The F-measure of a threshold just above what was passed: (1 + β²) · hits by the sum of that, the
 * false alarms, and β² · misses. */
static double
get_f_measure (const Walk *walk)
{
    double hits = (double)(walk->n_positives - walk->positive);
    double misses = (double)walk->positive;
    double alarms = (double)(walk->n_negatives - walk->negative);
    double weighted = (1.0 + BETA * BETA) * hits;

    return weighted / (weighted + alarms + BETA * BETA * misses);
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

/* Shares: as near to a half as the margins at both ends let it be. What the examples leave open is
 * then as it is without them, but not at the edge of what they say. */
static double
get_nearest_to_half (double low, double high)
{
    double margin = MARGIN * (to_logit (high) - to_logit (low));
    double logit = CLAMP (0.0, to_logit (low) + margin, to_logit (high) - margin);

    return 1.0 / (1.0 + exp (-logit));
}

/* Where a range of shares has no width among logits, and of cosines, the middle. */
static double
get_threshold (AltclipScoreMode mode, const Range *range)
{
    double low = CLAMP (range->low, LOWEST_SHARE, HIGHEST_SHARE);
    double high = CLAMP (range->high, LOWEST_SHARE, HIGHEST_SHARE);
    double threshold = (range->low + range->high) / 2.0;

    if (mode != ALTCLIP_SCORE_COSINE && low < high)
        threshold = get_nearest_to_half (low, high);
    /* Neighbours among doubles have no middle: the upper one is not passed, at least. */
    return threshold > range->low && threshold <= range->high ? threshold : range->high;
}

/* Returns: the F-measure that a threshold is to come near to */
static double
find_good_measure (AltclipScoreMode mode, Walk walk)
{
    double best = 0.0;
    double best_within = 0.0;
    Range range;

    for (range.low = pass (&walk); peek (&walk) < INFINITY; range.low = pass (&walk)) {
        range.high = peek (&walk);
        best = fmax (best, get_f_measure (&walk));
        if (get_width (mode, &range) > 0.0)
            best_within = fmax (best_within, get_f_measure (&walk));
    }
    return best_within >= best - MUCH ? best_within : best;
}

/* Of the ranges in which all thresholds do nearly as well, the widest. */
static double
find_threshold (AltclipScoreMode mode, Walk walk)
{
    double least = find_good_measure (mode, walk) - TOLERANCE;
    Range range;
    Range widest;

    range.low = range.high = pass (&walk);
    widest = range;
    while (peek (&walk) < INFINITY) {
        gboolean good = get_f_measure (&walk) >= least;
        double passed = pass (&walk);

        if (good)
            range.high = passed;
        else
            range.low = range.high = passed;
        if (is_wider (mode, &range, &widest))
            widest = range;
    }
    return get_threshold (mode, &widest);
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
