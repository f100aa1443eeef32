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

    altclip_separate (mode, positives, n_positives, negatives, n_negatives, &separation);
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

    g_assert_cmpfloat_with_epsilon (cosine.threshold, 0.5, 1e-12);
    g_assert_cmpfloat_with_epsilon (softmax.threshold, 0.5, 1e-12); /* of 0.3 and 0.7 */
    g_assert_cmpfloat (cosine.roc_area, ==, 1.0);
    g_assert_cmpfloat (cosine.misses, ==, 0.0);
    g_assert_cmpfloat (cosine.false_alarms, ==, 0.0);
}

/* Shares spread by their logits, and not beyond 0.05 and 0.95 where that can be helped. */
static void
test_shares (void)
{
    const double sure[] = { 0.999999, 1.0 };
    const double never[] = { 0.0, 1e-9 };
    const double seldom[] = { 0.01, 0.02 };
    const double tenth[] = { 0.1, 0.05 };
    const double fifth[] = { 0.2, 0.9 };
    const double likely[] = { 0.6, 0.2 };

    g_assert_cmpfloat_with_epsilon (
            SEPARATE (ALTCLIP_SCORE_SIGMOID, sure, never).threshold, 0.5, 1e-12);
    g_assert_cmpfloat_with_epsilon (
            SEPARATE (ALTCLIP_SCORE_SOFTMAX, sure, tenth).threshold, 0.5, 1e-12);
    /* A quarter of the way from 0.6 to 0.95 that the logits make: of 0.405 and 2.944 it is 1.040.
     */
    g_assert_cmpfloat_with_epsilon (
            SEPARATE (ALTCLIP_SCORE_SOFTMAX, sure, likely).threshold, 0.7388, 1e-4);
    /* From 0.1 to 0.2, of −2.197 and −1.386, three quarters: −1.589. */
    g_assert_cmpfloat_with_epsilon (
            SEPARATE (ALTCLIP_SCORE_SOFTMAX, fifth, tenth).threshold, 0.1695, 1e-4);
    /* Below 0.05 all is alike. */
    g_assert_cmpfloat_with_epsilon (
            SEPARATE (ALTCLIP_SCORE_SOFTMAX, seldom, never).threshold, 0.005, 1e-9);
}

static void
test_overlap (void)
{
    const double positives[] = { 0.05, 0.6, 0.7, 0.8 };
    const double negatives[] = { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.65, 0.3, 0.3 };
    AltclipSeparation separation = SEPARATE (ALTCLIP_SCORE_COSINE, positives, negatives);

    /* From 0.3 to 0.6 there are 3 hits, 1 miss and 1 false alarm: 3.75 by 5. From 0.65 to 0.7 there
     * are 2 hits and 2 misses: 2.5 by 3. */
    g_assert_cmpfloat_with_epsilon (separation.threshold, 0.675, 1e-12);
    g_assert_cmpfloat (separation.misses, ==, 0.5);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.0);
    /* 9 of 10 below 0.6, all below 0.7 and 0.8 */
    g_assert_cmpfloat_with_epsilon (separation.roc_area, (9 + 10 + 10) / 40.0, 1e-12);
}

/* Of ranges that do nearly as well the widest: 100 hits and a false alarm, or 94 hits. Between them
 * there are 94 hits and the false alarm. */
static void
test_widest_range (void)
{
    double positives[100];
    double negatives[101];
    AltclipSeparation separation;

    for (guint i = 0; i < 100; i++)
        positives[i] = i < 6 ? 0.4 : 0.9;
    for (guint i = 0; i < 101; i++)
        negatives[i] = i == 0 ? 0.5 : 0.3;
    separation = SEPARATE (ALTCLIP_SCORE_COSINE, positives, negatives);
    g_assert_cmpfloat_with_epsilon (separation.threshold, 0.7, 1e-12);
    g_assert_cmpfloat_with_epsilon (separation.misses, 0.06, 1e-12);
}

/* A picture in two hundred is chance: the threshold stays in the middle. */
static void
test_outliers (void)
{
    double positives[200];
    double negatives[200];
    AltclipSeparation separation;

    for (guint i = 0; i < 200; i++) {
        positives[i] = i == 0 ? 0.2 : 0.9;
        negatives[i] = i == 0 ? 0.85 : 0.1;
    }
    separation = SEPARATE (ALTCLIP_SCORE_SOFTMAX, positives, negatives);
    g_assert_cmpfloat_with_epsilon (separation.threshold, 0.5, 1e-12); /* of 0.1 and 0.9 */
    g_assert_cmpfloat_with_epsilon (separation.misses, 0.005, 1e-12);
    g_assert_cmpfloat_with_epsilon (separation.false_alarms, 0.005, 1e-12);
}

/* One picture in fifty is better told apart far out; but how far out is this light's affair. */
static void
test_far_out (void)
{
    double positives[50];
    double negatives[50];
    AltclipSeparation separation;

    for (guint i = 0; i < 50; i++) {
        positives[i] = 0.9999;
        negatives[i] = i == 0 ? 0.999 : 0.1;
    }
    separation = SEPARATE (ALTCLIP_SCORE_SOFTMAX, positives, negatives);
    g_assert_cmpfloat_with_epsilon (separation.threshold, 0.5, 1e-12);
    g_assert_cmpfloat_with_epsilon (separation.false_alarms, 0.02, 1e-12);
    /* Where it is one in two, there is no choice. */
    for (guint i = 0; i < 25; i++)
        negatives[i] = 0.999;
    separation = SEPARATE (ALTCLIP_SCORE_SOFTMAX, positives, negatives);
    g_assert_cmpfloat (separation.threshold, >, 0.999);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.0);
    /* Cosines are no shares. */
    separation = SEPARATE (ALTCLIP_SCORE_COSINE, positives, negatives);
    g_assert_cmpfloat (separation.threshold, >, 0.999);
}

static void
test_alike (void)
{
    const double same[] = { 0.5, 0.5 };
    const double one[] = { 0.5 };
    const double below_zero[] = { -0.9, -0.8 };
    const double less[] = { -0.95 };
    AltclipSeparation separation = SEPARATE (ALTCLIP_SCORE_SOFTMAX, same, one);

    g_assert_cmpfloat (separation.roc_area, ==, 0.5);
    g_assert_cmpfloat (separation.threshold, ==, 0.5);
    /* A file of prompts holds none below 0. */
    separation = SEPARATE (ALTCLIP_SCORE_COSINE, below_zero, less);
    g_assert_cmpfloat (separation.threshold, ==, 0.0);
    g_assert_cmpfloat (separation.misses, ==, 1.0);
    g_assert_cmpfloat (separation.false_alarms, ==, 0.0);
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
    g_test_add_func ("/calibration/widest-range", test_widest_range);
    g_test_add_func ("/calibration/outliers", test_outliers);
    g_test_add_func ("/calibration/far-out", test_far_out);
    g_test_add_func ("/calibration/alike", test_alike);
    g_test_add_func ("/calibration/neighbours", test_neighbours);
    g_test_add_func ("/calibration/bias", test_bias);
    g_test_add_func ("/calibration/bias-symmetric", test_bias_symmetric);
    return g_test_run ();
}
