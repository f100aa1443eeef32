/* altclip: thresholds and biases from scores
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <math.h>

static AltclipSeparation
separate (AltclipScoreMode mode, const double *positives, gsize n_positives,
        const double *negatives, gsize n_negatives)
{
    AltclipSeparation separation;

    altclip_separate (
            mode, positives, n_positives, negatives, n_negatives, NULL, NULL, &separation);
    return separation;
}

#define SEPARATE(mode, positives, negatives) \
    separate (mode, positives, G_N_ELEMENTS (positives), negatives, G_N_ELEMENTS (negatives))

/* Between what is there and what is not, in the middle. */
static void
test_apart (void)
{
    const double high[] = { 0.9, 0.8, 0.7 };
    const double low[] = { 0.1, 0.3, 0.2, 0.3 };
    AltclipSeparation cosine = SEPARATE (ALTCLIP_SCORE_COSINE, high, low);
    AltclipSeparation softmax = SEPARATE (ALTCLIP_SCORE_SOFTMAX, high, low);

    g_assert_cmpfloat_with_epsilon (cosine.threshold, 0.5, 2e-3);
    g_assert_cmpfloat_with_epsilon (softmax.threshold, 0.5, 1e-12); /* of 0.3 and 0.7 */
    g_assert_cmpfloat (cosine.roc_area, ==, 1.0);
    g_assert_cmpfloat (cosine.misses, ==, 0.0);
    g_assert_cmpfloat (cosine.false_alarms, ==, 0.0);
}

/* Shares spread by their logits. Thresholds are tried in steps, of which none is larger than this
 * here. */
#define STEP 0.08

static void
check_logit (double share, double logit)
{
    g_assert_cmpfloat_with_epsilon (log (share / (1.0 - share)), logit, STEP);
}

static void
test_shares (void)
{
    const double sure[] = { 0.999999, 1.0 };
    const double never[] = { 0.0, 1e-9 };
    const double seldom[] = { 0.01, 0.02 };
    const double tenth[] = { 0.1, 0.05 };
    const double fifth[] = { 0.2, 0.9 };
    const double likely[] = { 0.6, 0.2 };

    check_logit (SEPARATE (ALTCLIP_SCORE_SIGMOID, sure, never).threshold, 0.0);
    check_logit (SEPARATE (ALTCLIP_SCORE_SOFTMAX, sure, tenth).threshold, 0.0);
    /* 0.6 has a logit of 0.405, and 1 is far enough from it. */
    check_logit (SEPARATE (ALTCLIP_SCORE_SOFTMAX, sure, likely).threshold, 1.405);
    /* From 0.1 to 0.2, of −2.197 and −1.386, three quarters. */
    g_assert_cmpfloat_with_epsilon (
            SEPARATE (ALTCLIP_SCORE_SOFTMAX, fifth, tenth).threshold, 0.1695, 2e-3);
    /* 0.01 has a logit of −4.595. */
    check_logit (SEPARATE (ALTCLIP_SCORE_SOFTMAX, seldom, never).threshold, -5.595);
}

static void
test_overlap (void)
{
    const double positives[] = { 0.05, 0.6, 0.7, 0.8 };
    const double negatives[] = { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.65, 0.3, 0.3 };
    AltclipSeparation separation = SEPARATE (ALTCLIP_SCORE_COSINE, positives, negatives);

    /* From 0.3 to 0.6 one in four is missed, and there is an alarm in ten minutes: 0.25 + 6 / 20.
     * From 0.65 to 0.7 two in four are missed: 0.5. */
    g_assert_cmpfloat_with_epsilon (separation.threshold, 0.675, 2e-3);
    g_assert_cmpfloat (separation.misses, ==, 0.5);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.0);
    /* 9 of 10 below 0.6, all below 0.7 and 0.8 */
    g_assert_cmpfloat_with_epsilon (separation.roc_area, (9 + 10 + 10) / 40.0, 1e-12);
}

/* Five of a thousand pictures are next to nothing, and five alarms that can be done without. */
static void
test_without_alarms (void)
{
    double positives[600];
    double negatives[1000];
    AltclipSeparation separation;

    for (guint i = 0; i < 600; i++)
        positives[i] = i < 6 ? 0.96 : 0.9999;
    for (guint i = 0; i < 1000; i++)
        negatives[i] = i < 5 ? 0.985 : 0.4;
    separation = SEPARATE (ALTCLIP_SCORE_SOFTMAX, positives, negatives);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.0);
    g_assert_cmpfloat (separation.misses, ==, 0.01);
    /* Not just above the last one: 0.985 has a logit of 4.185. */
    check_logit (separation.threshold, 5.185);
    separation = SEPARATE (ALTCLIP_SCORE_COSINE, positives, negatives);
    g_assert_cmpfloat_with_epsilon (separation.threshold, (0.985 + 0.9999) / 2.0, 2e-3);
}

/* Where all of them make alarms or miss much, the one is weighed against the other. */
typedef struct {
    double alarms; /* an hour, of thresholds up to 0.6 */
    double misses; /* of those above */
} Balance;

static void
weigh (double threshold, AltclipMistakes *mistakes, gpointer user_data)
{
    const Balance *balance = user_data;

    mistakes->alarms = threshold <= 0.6 ? balance->alarms : 0.0;
    mistakes->misses = threshold <= 0.6 ? 0.0 : balance->misses;
}

static double
find_balance (double alarms, double misses)
{
    const double positives[] = { 0.8 };
    const double negatives[] = { 0.2 };
    Balance balance = { alarms, misses };
    AltclipSeparation separation;

    altclip_separate (
            ALTCLIP_SCORE_COSINE, positives, 1, negatives, 1, weigh, &balance, &separation);
    return separation.threshold;
}

static void
test_balance (void)
{
    /* In the middle of those up to 0.6, or of those above. */
    g_assert_cmpfloat_with_epsilon (find_balance (2.0, 0.3), 0.4, 2e-3);
    g_assert_cmpfloat_with_epsilon (find_balance (5.5, 0.3), 0.4, 2e-3);
    g_assert_cmpfloat_with_epsilon (find_balance (6.1, 0.3), 0.7, 2e-3);
    g_assert_cmpfloat_with_epsilon (find_balance (100.0, 0.9), 0.7, 2e-3);
    /* What is hardly missed is given for any alarm, be it one in ten hours. */
    g_assert_cmpfloat_with_epsilon (find_balance (0.1, 0.02), 0.7, 2e-3);
    g_assert_cmpfloat_with_epsilon (find_balance (0.1, 0.03), 0.4, 2e-3);
}

/* How long events are is not what pictures say: all go by what is counted. */
static void
count_nothing (double threshold, AltclipMistakes *mistakes, G_GNUC_UNUSED gpointer user_data)
{
    *mistakes = (AltclipMistakes){ .alarms = 0.0, .misses = threshold > 0.3 ? 1.0 : 0.0 };
}

static void
test_counted (void)
{
    const double positives[] = { 0.9, 0.7 };
    const double negatives[] = { 0.1, 0.6 };
    AltclipSeparation separation;

    altclip_separate (
            ALTCLIP_SCORE_COSINE, positives, 2, negatives, 2, count_nothing, NULL, &separation);
    g_assert_cmpfloat_with_epsilon (separation.threshold, 0.2, 2e-3);
    g_assert_cmpfloat (separation.misses, ==, 0.0);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.5);
}

static void
test_alike (void)
{
    const double same[] = { 0.5, 0.5 };
    const double one[] = { 0.5 };
    AltclipSeparation separation = SEPARATE (ALTCLIP_SCORE_SOFTMAX, same, one);

    g_assert_cmpfloat (separation.roc_area, ==, 0.5);
    g_assert_cmpfloat (separation.threshold, ==, 0.5);
}

/* Cosines may be below 0, and so may the threshold between them. */
static void
test_below_zero (void)
{
    const double high[] = { -0.2, -0.1, 0.3 };
    const double low[] = { -0.5, -0.4 };
    const double lowest[] = { -1.0 };
    AltclipSeparation separation = SEPARATE (ALTCLIP_SCORE_COSINE, high, low);

    g_assert_cmpfloat_with_epsilon (separation.threshold, -0.3, 2e-3);
    g_assert_cmpfloat (separation.roc_area, ==, 1.0);
    g_assert_cmpfloat (separation.misses, ==, 0.0);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.0);
    separation = SEPARATE (ALTCLIP_SCORE_COSINE, low, lowest);
    g_assert_cmpfloat_with_epsilon (separation.threshold, -0.75, 2e-3);
}

/* Scores and lines that lie as close as doubles can. */
static void
test_neighbours (void)
{
    const double low[] = { 0.5 };
    const double high[] = { nextafter (0.5, 1.0) };
    AltclipSeparation separation = SEPARATE (ALTCLIP_SCORE_SIGMOID, high, low);

    g_assert_cmpfloat (separation.threshold, ==, high[0]);
    g_assert_cmpfloat (separation.misses, ==, 0.0);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.0);
}

/* The bias that no other one is likelier than, on a grid around it. */
static double
get_likelihood (double scale, double bias, const double *positives, gsize n_positives,
        const double *negatives, gsize n_negatives)
{
    double sum = 0.0;

    for (gsize i = 0; i < n_positives; i++)
        sum -= log1p (exp (-(scale * positives[i] + bias))) / (double)n_positives;
    for (gsize i = 0; i < n_negatives; i++)
        sum -= log1p (exp (scale * negatives[i] + bias)) / (double)n_negatives;
    return sum;
}

static void
test_bias (void)
{
    const double positives[] = { 0.3, 0.28, 0.35, 0.1 };
    const double negatives[] = { 0.05, 0.1, 0.2, -0.1, 0.0, 0.31, 0.07 };
    double bias = altclip_fit_bias (
            20.0, positives, G_N_ELEMENTS (positives), negatives, G_N_ELEMENTS (negatives));
    double best = get_likelihood (
            20.0, bias, positives, G_N_ELEMENTS (positives), negatives, G_N_ELEMENTS (negatives));

    for (double other = -10.0; other <= 5.0; other += 0.01)
        g_assert_cmpfloat (get_likelihood (20.0, other, positives, G_N_ELEMENTS (positives),
                                   negatives, G_N_ELEMENTS (negatives)),
                <=, best + 1e-12);
}

static void
test_bias_symmetric (void)
{
    const double positives[] = { 0.4, 0.3 };
    const double negatives[] = { 0.2, 0.1 };

    /* Where positives and negatives mirror each other: at 0.25. */
    g_assert_cmpfloat_with_epsilon (
            altclip_fit_bias (100.0, positives, 2, negatives, 2), -25.0, 1e-9);
    g_assert_cmpfloat (fabs (altclip_fit_bias (1e6, positives, 2, negatives, 2)), <=, 1e6);
    g_assert_cmpfloat (fabs (altclip_fit_bias (1e6, negatives, 2, positives, 2)), <=, 1e6);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/calibration/apart", test_apart);
    g_test_add_func ("/calibration/shares", test_shares);
    g_test_add_func ("/calibration/overlap", test_overlap);
    g_test_add_func ("/calibration/without-alarms", test_without_alarms);
    g_test_add_func ("/calibration/balance", test_balance);
    g_test_add_func ("/calibration/counted", test_counted);
    g_test_add_func ("/calibration/alike", test_alike);
    g_test_add_func ("/calibration/below-zero", test_below_zero);
    g_test_add_func ("/calibration/neighbours", test_neighbours);
    g_test_add_func ("/calibration/bias", test_bias);
    g_test_add_func ("/calibration/bias-symmetric", test_bias_symmetric);
    return g_test_run ();
}
