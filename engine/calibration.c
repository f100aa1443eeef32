/* altclip: from scores of what is there and what is not to thresholds and biases
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* So many alarms an hour are as bad as missing all: nobody heeds what cries every three minutes.
 * One more weighs as much as a twentieth that is missed. */
#define ALARMS_FOR_ALL 20.0

/* Thresholds whose costs differ by less do equally well: a few pictures more or less are chance.
 * Alarms are none, where they can be done without. */
#define TOLERANCE 0.02

/* How near to the ends of a range, in shares of it, a threshold need be. Far from a half that is
 * far enough by this many logits: what only the fourth digit tells apart, other light does not. */
#define MARGIN 0.25
#define FARTHEST 1.0

/* How many thresholds are tried. */
#define N_THRESHOLDS 500

/* How many pictures without a time come to an hour: each stands for a scene of its own, that lasts
 * a minute. */
#define PICTURES_AN_HOUR 60.0

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

/* Returns: how many are below the threshold, or equal to it if @or_equal */
static gsize
count_below (const double *sorted, gsize n, double threshold, gboolean or_equal)
{
    gsize low = 0;
    gsize high = n;

    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (sorted[middle] < threshold || (or_equal && sorted[middle] == threshold))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Both kinds, ascending. */
typedef struct {
    double *positives;
    gsize n_positives;
    double *negatives;
    gsize n_negatives;
} Scores;

static double
get_share_of_misses (const Scores *scores, double threshold)
{
    return (double)count_below (scores->positives, scores->n_positives, threshold, FALSE) /
           (double)scores->n_positives;
}

static double
get_share_of_alarms (const Scores *scores, double threshold)
{
    return 1.0 - (double)count_below (scores->negatives, scores->n_negatives, threshold, FALSE) /
                         (double)scores->n_negatives;
}

/* The share of all pairs in which the positive scores higher, half of those with equal scores. */
static double
get_roc_area (const Scores *scores)
{
    double sum = 0.0;

    for (gsize i = 0; i < scores->n_positives; i++) {
        double score = scores->positives[i];
        gsize below = count_below (scores->negatives, scores->n_negatives, score, FALSE);
        gsize not_above = count_below (scores->negatives, scores->n_negatives, score, TRUE);

        sum += 0.5 * (double)(below + not_above);
    }
    return sum / ((double)scores->n_positives * (double)scores->n_negatives);
}

/* ---- The thresholds that are tried ----------------------------------------------------------- */

/* From the lowest of all scores to the highest, evenly: shares by their logits. */
typedef struct {
    gboolean is_logit;
    double low;
    double high;
} Grid;

static double
to_logit (double share)
{
    double inside = CLAMP (share, DBL_EPSILON, 1.0 - DBL_EPSILON);

    return log (inside) - log1p (-inside);
}

/* Within what a file of prompts can hold. */
static Grid
make_grid (AltclipScoreMode mode, const Scores *scores)
{
    double low = fmin (scores->positives[0], scores->negatives[0]);
    double high = fmax (
            scores->positives[scores->n_positives - 1], scores->negatives[scores->n_negatives - 1]);
    double least = mode == ALTCLIP_SCORE_COSINE ? -1.0 : 0.0;

    return (Grid){ mode != ALTCLIP_SCORE_COSINE, CLAMP (low, least, 1.0),
        CLAMP (high, least, 1.0) };
}

/* @i: below N_THRESHOLDS. The upper end is met to the bit, in spite of rounding. */
static double
get_threshold (const Grid *grid, guint i)
{
    double share = (double)i / (N_THRESHOLDS - 1);
    double low = grid->is_logit ? to_logit (grid->low) : grid->low;
    double high = grid->is_logit ? to_logit (grid->high) : grid->high;
    double threshold = low + share * (high - low);

    if (i == N_THRESHOLDS - 1)
        return grid->high;
    if (grid->is_logit)
        threshold = 1.0 / (1.0 + exp (-threshold));
    return CLAMP (threshold, grid->low, grid->high);
}

/* ---- The threshold --------------------------------------------------------------------------- */

static double
get_cost (const AltclipMistakes *mistakes)
{
    return mistakes->alarms / ALARMS_FOR_ALL + mistakes->misses;
}

/* Returns: what a threshold may cost to be among the best */
static double
find_limit (const AltclipMistakes *mistakes)
{
    double least = INFINITY;

    for (guint i = 0; i < N_THRESHOLDS; i++)
        least = fmin (least, get_cost (&mistakes[i]));
    return least + TOLERANCE;
}

/* Returns: whether one of the best gives no alarm */
static gboolean
can_be_silent (const AltclipMistakes *mistakes, double limit)
{
    for (guint i = 0; i < N_THRESHOLDS; i++)
        if (get_cost (&mistakes[i]) <= limit && mistakes[i].alarms == 0.0)
            return TRUE;
    return FALSE;
}

/* The widest range of the best, without an alarm if that can be; the first of equal ones. @first:
 * (out). @last: (out) */
static void
find_range (const AltclipMistakes *mistakes, guint *first, guint *last)
{
    double limit = find_limit (mistakes);
    double most_alarms = can_be_silent (mistakes, limit) ? 0.0 : INFINITY;
    guint widest = 0;
    guint n = 0;

    for (guint i = 0; i < N_THRESHOLDS; i++) {
        if (get_cost (&mistakes[i]) <= limit && mistakes[i].alarms <= most_alarms)
            n++;
        else
            n = 0;
        if (n > widest) {
            widest = n;
            *last = i;
        }
    }
    *first = *last + 1 - widest;
}

/* As near to a half as the margins at both ends let it be. What the examples leave open is then as
 * it is without them, but not at the edge of what they say. */
static double
get_nearest_to_half (double low, double high)
{
    double width = to_logit (high) - to_logit (low);
    double margin = fmin (MARGIN * width, FARTHEST);
    double logit = CLAMP (0.0, to_logit (low) + margin, to_logit (high) - margin);

    return CLAMP (1.0 / (1.0 + exp (-logit)), low, high);
}

static double
choose_within (const Grid *grid, guint first, guint last)
{
    double low = get_threshold (grid, first);
    double high = get_threshold (grid, last);

    return grid->is_logit ? get_nearest_to_half (low, high) : (low + high) / 2.0;
}

/* What was not filmed has no events: each picture is one. */
static void
count_pictures (double threshold, AltclipMistakes *mistakes, gpointer user_data)
{
    const Scores *scores = user_data;

    mistakes->alarms = PICTURES_AN_HOUR * get_share_of_alarms (scores, threshold);
    mistakes->misses = get_share_of_misses (scores, threshold);
}

static double
find_threshold (const Grid *grid, AltclipMistakesFunc count, gpointer user_data)
{
    AltclipMistakes mistakes[N_THRESHOLDS];
    guint first = 0;
    guint last = 0;

    for (guint i = 0; i < N_THRESHOLDS; i++)
        count (get_threshold (grid, i), &mistakes[i], user_data);
    find_range (mistakes, &first, &last);
    return choose_within (grid, first, last);
}

void
altclip_separate (AltclipScoreMode mode, const double *positives, gsize n_positives,
        const double *negatives, gsize n_negatives, AltclipMistakesFunc count, gpointer user_data,
        AltclipSeparation *separation)
{
    g_autofree double *sorted_positives = NULL;
    g_autofree double *sorted_negatives = NULL;
    Scores scores;
    Grid grid;

    g_return_if_fail (n_positives > 0 && n_negatives > 0);
    sorted_positives = sort (positives, n_positives);
    sorted_negatives = sort (negatives, n_negatives);
    scores = (Scores){ sorted_positives, n_positives, sorted_negatives, n_negatives };
    grid = make_grid (mode, &scores);
    separation->threshold = count ? find_threshold (&grid, count, user_data)
                                  : find_threshold (&grid, count_pictures, &scores);
    separation->roc_area = get_roc_area (&scores);
    separation->misses = get_share_of_misses (&scores, separation->threshold);
    separation->false_alarms = get_share_of_alarms (&scores, separation->threshold);
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
