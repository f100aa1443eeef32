/* altclip calibrate: thresholds and biases from examples
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "calibrator.h"
#include "command_model.h"
#include "command_prompts.h"
#include "example.h"
#include "report.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>

#define DEFAULT_INTERVAL 0.2 /* seconds */

/* ---- Results --------------------------------------------------------------------------------- */

/* Returns: (transfer full): a number, or null when there is no video to count alarms in */
static json_t *
get_rate (const CalibrationOutcome *outcome, double events)
{
    return outcome->elsewhere.hours > 0.0 ? json_real (events / outcome->elsewhere.hours)
                                          : json_null ();
}

static double
get_inactive_share (const Calibration *calibration, const CalibrationOutcome *outcome)
{
    return 1.0 - (double)outcome->there.active / (double)calibration->positives.samples->len;
}

/* Returns: (transfer full): the line of a label */
static json_t *
describe (const Calibrator *calibrator, guint label)
{
    const Calibration *calibration = &calibrator->calibrations[label];
    const AltclipSeparation *separation = &calibration->separation;
    CalibrationOutcome outcome = calibrator_get_outcome (calibrator, label);

    return json_pack ("{s:s, s:f, s:f, s:f, s:i, s:i, s:f, s:f, s:f, s:i, s:i, s:f, s:i, s:o, s:o}",
            "label", altclip_prompts_get_label (calibrator->prompts, label), "threshold",
            separation->threshold, "bias", calibration->bias, "roc_area", separation->roc_area,
            "positives", calibration->positives.samples->len, "negatives",
            calibration->negatives.samples->len, "misses", separation->misses, "false_alarms",
            separation->false_alarms, "inactive", get_inactive_share (calibration, &outcome),
            "positive_clips", outcome.there.clips, "missed_clips",
            outcome.there.clips - outcome.there.clips_with_events, "negative_hours",
            outcome.elsewhere.hours, "alarms", outcome.elsewhere.events, "alarms_per_hour",
            get_rate (&outcome, outcome.elsewhere.events), "alarms_per_hour_at_most",
            get_rate (&outcome, outcome.events_at_most));
}

static gboolean
print_results (const Calibrator *calibrator)
{
    for (guint i = 0; i < altclip_prompts_get_n_labels (calibrator->prompts); i++)
        if (calibrator_has_examples (calibrator, i) && !command_print (describe (calibrator, i)))
            return FALSE;
    return TRUE;
}

static void
warn_of_likeness (const Calibrator *calibrator)
{
    for (guint i = 0; i < altclip_prompts_get_n_labels (calibrator->prompts); i++) {
        double area = calibrator->calibrations[i].separation.roc_area;

        if (calibrator_has_examples (calibrator, i) && area <= 0.5)
            command_warn ("label '%s' scores no higher where it is than where it is not (ROC area "
                          "%.3g): no threshold can tell them apart",
                    altclip_prompts_get_label (calibrator->prompts, i), area);
    }
}

/* ---- The report ------------------------------------------------------------------------------ */

static void add_line (GPtrArray *lines, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
add_line (GPtrArray *lines, const char *format, ...)
{
    va_list arguments;

    va_start (arguments, format);
    g_ptr_array_add (lines, g_strdup_vprintf (format, arguments));
    va_end (arguments);
}

/* Returns: (transfer full) (element-type utf8): NULL-terminated */
static GPtrArray *
write_lines (const Calibrator *calibrator, guint label)
{
    const Calibration *calibration = &calibrator->calibrations[label];
    const AltclipSeparation *separation = &calibration->separation;
    CalibrationOutcome outcome = calibrator_get_outcome (calibrator, label);
    double hours = outcome.elsewhere.hours;
    GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);

    add_line (lines, "ROC area %.4f", separation->roc_area);
    add_line (lines, "misses %.1f %% of %u pictures", 100.0 * separation->misses,
            calibration->positives.samples->len);
    add_line (lines, "not active in %.1f %% of them",
            100.0 * get_inactive_share (calibration, &outcome));
    add_line (lines, "missed clips %u of %u", outcome.there.clips - outcome.there.clips_with_events,
            outcome.there.clips);
    add_line (lines, "false alarms %.1f %% of %u pictures", 100.0 * separation->false_alarms,
            calibration->negatives.samples->len);
    if (hours > 0.0) {
        add_line (
                lines, "events in %.3g min without it: %u", 60.0 * hours, outcome.elsewhere.events);
        add_line (lines, "expected an hour: %.3g", outcome.elsewhere.events / hours);
        add_line (lines, "at most %.3g, to be 95 %% sure", outcome.events_at_most / hours);
    }
    if (calibrator->mode == ALTCLIP_SCORE_SIGMOID)
        add_line (lines, "bias %.4g", calibration->bias);
    g_ptr_array_add (lines, NULL);
    return lines;
}

static void
add_panel (const Calibrator *calibrator, guint label, Report *report)
{
    const Calibration *calibration = &calibrator->calibrations[label];
    g_autofree double *positives = footage_get_scores (&calibration->positives);
    g_autofree double *negatives = footage_get_scores (&calibration->negatives);
    g_autoptr (GPtrArray) lines = write_lines (calibrator, label);

    report_add_panel (
            report, &(ReportPanel){
                            .label = altclip_prompts_get_label (calibrator->prompts, label),
                            .mode = calibrator->mode,
                            .positives = positives,
                            .n_positives = calibration->positives.samples->len,
                            .negatives = negatives,
                            .n_negatives = calibration->negatives.samples->len,
                            .threshold = calibration->separation.threshold,
                            .lines = (char *const *)lines->pdata,
                    });
}

static gboolean
write_text (const char *path, const char *text, GError **error)
{
    g_autoptr (GError) io_error = NULL;

    if (g_file_set_contents (path, text, -1, &io_error))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s", io_error->message);
    return FALSE;
}

static gboolean
write_report (const Calibrator *calibrator, const char *path, GError **error)
{
    g_autoptr (Report) report = report_new ("Calibration of thresholds");
    g_autofree char *svg = NULL;

    for (guint i = 0; i < altclip_prompts_get_n_labels (calibrator->prompts); i++)
        if (calibrator_has_examples (calibrator, i))
            add_panel (calibrator, i, report);
    svg = report_draw (report);
    return write_text (path, svg, error);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* What the arguments ask for. */
typedef struct {
    PromptsArguments prompts;
    char **positives;
    char **negatives;
    gboolean exclusive;
    double interval;
    char *report;
    char *output;
    ModelArguments model;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
    prompts_arguments_clear (&arguments->prompts);
    g_strfreev (arguments->positives);
    g_strfreev (arguments->negatives);
    g_free (arguments->report);
    g_free (arguments->output);
    model_arguments_clear (&arguments->model);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
check_arguments (Arguments *arguments)
{
    if (!prompts_arguments_check (&COMMAND_CALIBRATE, &arguments->prompts) ||
            !model_arguments_check (&COMMAND_CALIBRATE, &arguments->model))
        return FALSE;
    if (!arguments->positives) {
        command_refuse (&COMMAND_CALIBRATE, "--positive is missing");
        return FALSE;
    }
    if (!command_check_interval (&COMMAND_CALIBRATE, arguments->interval))
        return FALSE;
    if (arguments->report && !g_str_has_suffix (arguments->report, ".svg")) {
        command_refuse (
                &COMMAND_CALIBRATE, "--report is '%s', but must end in .svg", arguments->report);
        return FALSE;
    }
    return TRUE;
}

/* With --output the set goes there, and the lines of the labels to standard output. */
static gboolean
write_results (const Calibrator *calibrator, const Arguments *arguments, GError **error)
{
    g_autofree char *description = altclip_prompts_describe (calibrator->prompts);

    if (arguments->report && !write_report (calibrator, arguments->report, error))
        return FALSE;
    if (!arguments->output)
        return command_print (json_loads (description, 0, NULL));
    return write_text (arguments->output, description, error) && print_results (calibrator);
}

static gboolean
calibrate (AltclipSession *session, const Arguments *arguments, AltclipPrompts *prompts,
        AltclipScoreMode mode, const GArray *examples, GError **error)
{
    guint64 interval = (guint64)llround (arguments->interval * GST_SECOND);
    g_autoptr (Calibrator) calibrator = calibrator_new (session, prompts, mode, interval);

    if (!calibrator_see (calibrator, examples, error))
        return FALSE;
    calibrator_finish (calibrator);
    warn_of_likeness (calibrator);
    return write_results (calibrator, arguments, error);
}

static int
open_and_calibrate (const char *directory, const Arguments *arguments, AltclipPrompts *prompts,
        AltclipScoreMode mode, const GArray *examples)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipSession) session =
            model_arguments_open (&arguments->model, directory, ALTCLIP_MODEL_NONE);

    if (!session)
        return STATUS_FAILED;
    if (!altclip_prompts_embed (prompts, session, NULL, &error))
        return command_fail (error);
    command_warn_about_prompts (prompts, mode);
    if (calibrate (session, arguments, prompts, mode, examples, &error))
        return STATUS_OK;
    return error ? command_fail (error) : STATUS_FAILED;
}

/* The option, if it is one that takes files, that @argument is, or begins with.
 *
 * Returns: (nullable): --positive, --negative */
static const char *
find_files_option (const char *argument)
{
    static const char *const options[] = { "--positive", "--negative" };

    for (gsize i = 0; i < G_N_ELEMENTS (options); i++) {
        gsize length = strlen (options[i]);

        if (strncmp (argument, options[i], length) == 0 &&
                (argument[length] == '\0' || argument[length] == '='))
            return options[i];
    }
    return NULL;
}

/* Writes --positive A B as --positive A --positive B: files go on until the next option.
 *
 * Returns: (transfer container) (element-type utf8): the arguments, which @argv owns */
static GPtrArray *
repeat_options (int argc, char **argv)
{
    GPtrArray *arguments = g_ptr_array_new ();
    const char *option = NULL;
    int i = 0;

    for (; i < argc && !g_str_equal (argv[i], "--"); i++) {
        if (option && argv[i][0] != '-')
            g_ptr_array_add (arguments, (gpointer)option);
        else
            option = find_files_option (argv[i]);
        g_ptr_array_add (arguments, argv[i]);
        /* The first is the option's own, whatever it begins with. */
        if (option && g_str_equal (argv[i], option) && i + 1 < argc)
            g_ptr_array_add (arguments, argv[++i]);
    }
    for (; i < argc; i++)
        g_ptr_array_add (arguments, argv[i]);
    return arguments;
}

static int
run (int argc, char **argv)
{
    g_auto (Arguments) arguments = { .interval = DEFAULT_INTERVAL };
    g_auto (GStrv) operands = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    g_autoptr (GArray) examples = NULL;
    g_autoptr (GPtrArray) words = repeat_options (argc, argv);
    const GOptionEntry entries[] = {
        PROMPTS_ARGUMENTS_ENTRIES (arguments.prompts),
        { "positive", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.positives,
                "Pictures or videos that show the label", "[LABEL=]FILE…" },
        { "negative", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.negatives,
                "Such that do not, or that show no label", "[LABEL=]FILE…" },
        { "exclusive", 0, 0, G_OPTION_ARG_NONE, &arguments.exclusive,
                "What shows one label shows none of the others", NULL },
        { "interval", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.interval,
                "Time between two frames of a video, default 0.2; 0: every frame", "SECONDS" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arguments.output,
                "Write the prompts there; replaced", "FILE.json" },
        { "report", 0, 0, G_OPTION_ARG_FILENAME, &arguments.report,
                "Draw the scores and thresholds; replaced", "FILE.svg" },
        MODEL_PRECISION_ENTRY (arguments.model, MODEL_PRECISION_NAMES),
        MODEL_NO_CACHE_ENTRY (arguments.model),
        G_OPTION_ENTRY_NULL,
    };
    AltclipScoreMode mode;
    int status;

    if (!command_parse (&COMMAND_CALIBRATE, entries, 1, 1, (int)words->len, (char **)words->pdata,
                &operands, &status))
        return status;
    if (!check_arguments (&arguments))
        return STATUS_USAGE;
    prompts = prompts_arguments_load (&COMMAND_CALIBRATE, &arguments.prompts, &mode, &status);
    if (!prompts)
        return status;
    examples = examples_parse (&COMMAND_CALIBRATE, prompts, arguments.positives,
            arguments.negatives, arguments.exclusive);
    if (!examples)
        return STATUS_USAGE;
    gst_init (NULL, NULL);
    return open_and_calibrate (operands[0], &arguments, prompts, mode, examples);
}

const Command COMMAND_CALIBRATE = {
    .name = "calibrate",
    .summary = "Find the thresholds that tell your phrases apart on your own pictures",
    .operands = "MODEL",
    .description =
            "Takes PNG and JPEG pictures and video files that show a label, and such that do not,\n"
            "and writes a file of prompts with the threshold and the bias of each label that was\n"
            "shown: on standard output, or with --output in a file, and then a line per label\n"
            "with what to expect on standard output.\n"
            "\n"
            "--positive and --negative take files up to the next option, and may be repeated; "
            "MODEL\n"
            "comes before them. With two labels or more, each example of a label begins with its\n"
            "name: 'a red circle=clip.mp4'. A negative without one shows no label at all; with a\n"
            "single label, a positive needs none either. A file whose own name begins so can be\n"
            "written ./like=this.png.\n"
            "\n"
            "The threshold goes by the states that the label would have had, with its smoothing,\n"
            "hysteresis and times. One false alarm an hour costs as much as missing 5 % of the\n"
            "label. Thresholds within 0.02 of the best count as equal; one without false alarms\n"
            "wins. Among those it is as close to 0.5 as possible, and for cosines in the middle.\n"
            "The bias, for --score-mode sigmoid, is that of a logistic regression with the\n"
            "model's own scale.\n"
            "\n"
            "Examples:\n"
            "  altclip calibrate models/demo --prompts 'colour bars' -n 'a clear picture' \\\n"
            "      --positive bars.png more-bars.png --negative day.mp4 night.mp4\n"
            "  altclip calibrate models/demo --prompts 'a dark picture;a blurred picture' \\\n"
            "      --negative-prompts 'a clear picture' --positive 'a dark picture=night.mp4' \\\n"
            "      --positive 'a blurred picture=fog.mp4' --negative day.mp4 --exclusive \\\n"
            "      --output prompts.json --report report.svg",
    .run = run,
};
