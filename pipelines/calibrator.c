/* altclip: from examples to thresholds and biases
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "calibrator.h"
#include "example.h"
#include "sight.h"
#include "still.h"

#include <math.h>

/* Most frames of all files. */
#define MAX_FRAMES 1000000

/* What the element goes by where nothing else is said. */
#define DEFAULT_HYSTERESIS 0.2

/* An alarm that goes on counts as one more a minute, and a still picture as a minute. */
#define MINUTES_OF_AN_HOUR 60.0

/* How sure it is that there are no more false alarms than is said. */
#define CONFIDENCE 0.95

Calibrator *
calibrator_new (
        AltclipSession *session, AltclipPrompts *prompts, AltclipScoreMode mode, guint64 interval)
{
    guint n = altclip_prompts_get_n_labels (prompts);
    Calibrator *calibrator = g_new0 (Calibrator, 1);

    calibrator->session = session;
    calibrator->prompts = prompts;
    calibrator->mode = mode;
    calibrator->interval = interval;
    calibrator->calibrations = g_new0 (Calibration, n);
    for (guint i = 0; i < n; i++) {
        footage_init (&calibrator->calibrations[i].positives);
        footage_init (&calibrator->calibrations[i].negatives);
    }
    return calibrator;
}

void
calibrator_free (Calibrator *calibrator)
{
    for (guint i = 0; i < altclip_prompts_get_n_labels (calibrator->prompts); i++) {
        footage_clear (&calibrator->calibrations[i].positives);
        footage_clear (&calibrator->calibrations[i].negatives);
    }
    g_free (calibrator->calibrations);
    g_free (calibrator);
}

/* ---- Seeing ---------------------------------------------------------------------------------- */

static Footage *
get_footage (const Calibrator *calibrator, const Example *example)
{
    Calibration *calibration = &calibrator->calibrations[example->label];

    return example->positive ? &calibration->positives : &calibration->negatives;
}

/* @examples: (element-type Example): all of one file */
static gboolean
see (Calibrator *calibrator, const GArray *examples, const Sight *sight, GError **error)
{
    guint n = altclip_prompts_get_n_labels (calibrator->prompts);
    g_autofree double *scores = g_new (double, n);
    g_autofree double *cosines = g_new (double, n);

    if (++calibrator->n_frames > MAX_FRAMES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: with it there are more than %d frames; a longer --interval takes less",
                sight->path, MAX_FRAMES);
        return FALSE;
    }
    if (!sight_score (sight, calibrator->session, calibrator->prompts, calibrator->mode, scores,
                cosines, error))
        return FALSE;
    for (guint i = 0; i < examples->len; i++) {
        const Example *example = &g_array_index (examples, Example, i);
        footage_add_sample (get_footage (calibrator, example), scores[example->label],
                cosines[example->label], sight->time);
    }
    return TRUE;
}

/* All frames that are due. @duration: (out): in nanoseconds */
static gboolean
see_frames (Calibrator *calibrator, const GArray *examples, Sight *sight, guint64 *duration,
        GError **error)
{
    g_autoptr (GError) read_error = NULL;
    guint n_frames = 0;

    for (; video_next (sight->video, calibrator->interval, &sight->time, &read_error); n_frames++)
        if (!see (calibrator, examples, sight, error))
            return FALSE;
    if (read_error) {
        g_propagate_error (error, g_steal_pointer (&read_error));
        return FALSE;
    }
    *duration = n_frames > 1 ? sight->time / (n_frames - 1) * n_frames : calibrator->interval;
    return TRUE;
}

static gboolean
see_video (Calibrator *calibrator, const GArray *examples, const char *path, GError **error)
{
    g_autoptr (Video) video = video_open (path, altclip_session_get_model (calibrator->session),
            altclip_prompts_get_n_regions (calibrator->prompts), error);
    Sight sight = { .path = path, .video = video };
    guint64 duration;

    if (!video || !see_frames (calibrator, examples, &sight, &duration, error))
        return FALSE;
    for (guint i = 0; i < examples->len; i++)
        footage_set_duration (
                get_footage (calibrator, &g_array_index (examples, Example, i)), duration);
    return TRUE;
}

static gboolean
see_still (Calibrator *calibrator, const GArray *examples, const char *path, GError **error)
{
    g_auto (Sight) sight = { .path = path };

    return sight_read_still (&sight, path, error) && see (calibrator, examples, &sight, error);
}

/* @examples: (element-type Example): all of one file */
static gboolean
see_file (Calibrator *calibrator, const GArray *examples, GError **error)
{
    const char *path = g_array_index (examples, Example, 0).path;

    for (guint i = 0; i < examples->len; i++)
        footage_add_clip (get_footage (calibrator, &g_array_index (examples, Example, i)));
    return still_is_one (path) ? see_still (calibrator, examples, path, error)
                               : see_video (calibrator, examples, path, error);
}

/* Each file once, whatever the number of labels that it is an example of. */
gboolean
calibrator_see (Calibrator *calibrator, const GArray *examples, GError **error)
{
    g_autoptr (GHashTable) files =
            g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_array_unref);
    g_autoptr (GPtrArray) order = g_ptr_array_new ();

    for (guint i = 0; i < examples->len; i++) {
        Example example = g_array_index (examples, Example, i);
        GArray *of_file = g_hash_table_lookup (files, example.path);

        if (!of_file) {
            of_file = g_array_new (FALSE, FALSE, sizeof (Example));
            g_hash_table_insert (files, (gpointer)example.path, of_file);
            g_ptr_array_add (order, of_file);
        }
        g_array_append_val (of_file, example);
    }
    for (guint i = 0; i < order->len; i++)
        if (!see_file (calibrator, g_ptr_array_index (order, i), error))
            return FALSE;
    return TRUE;
}

/* ---- Calibrating ----------------------------------------------------------------------------- */

gboolean
calibrator_has_examples (const Calibrator *calibrator, guint label)
{
    return calibrator->calibrations[label].positives.samples->len > 0;
}

static AltclipLabelRules
get_rules (const Calibrator *calibrator, guint label)
{
    const AltclipLabelRules defaults = { .threshold = 0.5, .hysteresis = DEFAULT_HYSTERESIS };
    g_autofree AltclipLabelRules *rules =
            g_new (AltclipLabelRules, altclip_prompts_get_n_labels (calibrator->prompts));

    altclip_prompts_get_rules (calibrator->prompts, &defaults, rules);
    return rules[label];
}

/* Fits the bias, and scores anew if that matters. */
static void
fit_bias (const Calibrator *calibrator, Calibration *calibration)
{
    double scale = altclip_prompts_get_logit_scale (calibrator->prompts);
    g_autofree double *positives = footage_get_cosines (&calibration->positives);
    g_autofree double *negatives = footage_get_cosines (&calibration->negatives);

    calibration->bias = altclip_fit_bias (scale, positives, calibration->positives.samples->len,
            negatives, calibration->negatives.samples->len);
    if (calibrator->mode == ALTCLIP_SCORE_SIGMOID) {
        footage_apply_sigmoid (&calibration->positives, scale, calibration->bias);
        footage_apply_sigmoid (&calibration->negatives, scale, calibration->bias);
    }
}

/* A label whose threshold is sought. */
typedef struct {
    const Calibration *calibration;
    AltclipLabelRules rules;
} Search;

/* In the states of the label, as the element would have them. */
static void
count_mistakes (double threshold, AltclipMistakes *mistakes, gpointer user_data)
{
    const Search *search = user_data;
    AltclipLabelRules rules = search->rules;
    FootageEvents there;
    FootageEvents elsewhere;
    double alarms;

    rules.threshold = threshold;
    there = footage_count_events (&search->calibration->positives, &rules);
    elsewhere = footage_count_events (&search->calibration->negatives, &rules);
    alarms = elsewhere.events + elsewhere.active_hours * MINUTES_OF_AN_HOUR +
             elsewhere.active_stills;
    mistakes->alarms = alarms / (elsewhere.hours + elsewhere.stills / MINUTES_OF_AN_HOUR);
    mistakes->misses =
            1.0 - (double)there.active / (double)search->calibration->positives.samples->len;
}

/* What a threshold is compared with is the average. */
static void
calibrate_label (const Calibrator *calibrator, guint label)
{
    Calibration *calibration = &calibrator->calibrations[label];
    Search search = { calibration, get_rules (calibrator, label) };
    g_autofree double *positives = NULL;
    g_autofree double *negatives = NULL;

    fit_bias (calibrator, calibration);
    footage_average (&calibration->positives, &search.rules);
    footage_average (&calibration->negatives, &search.rules);
    positives = footage_get_scores (&calibration->positives);
    negatives = footage_get_scores (&calibration->negatives);
    altclip_separate (calibrator->mode, positives, calibration->positives.samples->len, negatives,
            calibration->negatives.samples->len, count_mistakes, &search, &calibration->separation);
}

void
calibrator_finish (Calibrator *calibrator)
{
    guint n = altclip_prompts_get_n_labels (calibrator->prompts);
    g_autofree double *thresholds = g_new (double, n);
    g_autofree double *biases = g_new (double, n);

    for (guint i = 0; i < n; i++) {
        const Calibration *calibration = &calibrator->calibrations[i];

        thresholds[i] = biases[i] = NAN;
        if (!calibrator_has_examples (calibrator, i))
            continue;
        calibrate_label (calibrator, i);
        thresholds[i] = calibration->separation.threshold;
        biases[i] = calibration->bias;
    }
    altclip_prompts_calibrate (calibrator->prompts, calibrator->mode, thresholds, biases);
}

/* ---- The outcome ----------------------------------------------------------------------------- */

/* The chance of @n events at most where @mean are expected: Poisson's distribution, from its
 * largest term of those down to where they no longer count. */
static double
get_chance (guint n, double mean)
{
    double term = exp (n * log (mean) - mean - lgamma (n + 1.0));
    double sum = 0.0;

    for (guint i = n; term > 1e-12; i--) {
        sum += term;
        if (i == 0)
            break;
        term *= i / mean;
    }
    return sum;
}

/* Returns: how many events are expected at most, where @n were seen */
static double
get_upper_bound (guint n)
{
    double low = n;
    double high = 2.0 * n + 10.0;

    for (guint i = 0; i < 60; i++) {
        double middle = (low + high) / 2.0;
        if (get_chance (n, middle) > 1.0 - CONFIDENCE)
            low = middle;
        else
            high = middle;
    }
    return high;
}

CalibrationOutcome
calibrator_get_outcome (const Calibrator *calibrator, guint label)
{
    const Calibration *calibration = &calibrator->calibrations[label];
    AltclipLabelRules rules = get_rules (calibrator, label);
    CalibrationOutcome outcome;

    outcome.there = footage_count_events (&calibration->positives, &rules);
    outcome.elsewhere = footage_count_events (&calibration->negatives, &rules);
    outcome.events_at_most = get_upper_bound (outcome.elsewhere.events);
    return outcome;
}
