/* altclip: altclip calibrate, on pictures and videos, used rightly and wrongly
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ALTCLIP_COMMAND in the environment is the command's path, ALTCLIP_DEMO_MODEL the model's.
 */

#include "invocation.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

/* A folder with clips of test patterns, made once. */
static char *folder;

/* ---- Clips ----------------------------------------------------------------------------------- */

static char *
get_path (const char *name)
{
    return g_build_filename (folder, name, NULL);
}

static void play (const char *format, ...) G_GNUC_PRINTF (1, 2);

static void
play (const char *format, ...)
{
    g_autofree char *line = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline = NULL;
    g_autoptr (GstBus) bus = NULL;
    g_autoptr (GstMessage) message = NULL;
    va_list arguments;

    va_start (arguments, format);
    line = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    pipeline = gst_parse_launch (line, &error);
    g_assert_no_error (error);
    bus = gst_element_get_bus (pipeline);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (
            bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* Four seconds of a test pattern. */
static void
make_video (const char *pattern, const char *name)
{
    g_autofree char *path = get_path (name);

    play ("videotestsrc num-buffers=40 pattern=%s ! "
          "video/x-raw,width=160,height=120,framerate=10/1 "
          "! vp8enc deadline=1 threads=1 ! webmmux ! filesink location=%s",
            pattern, path);
}

/* Colour bars that come for 0.4 s of every second, out of black. */
static void
make_flashes (const char *name)
{
    g_autoptr (GString) line = g_string_new (NULL);
    g_autofree char *path = get_path (name);

    g_string_printf (line,
            "concat name=all ! vp8enc deadline=1 threads=1 ! webmmux ! filesink location=%s", path);
    for (guint i = 0; i < 10; i++)
        g_string_append_printf (line,
                " videotestsrc num-buffers=%u pattern=%s ! "
                "video/x-raw,format=I420,width=160,height=120,framerate=10/1 ! all.",
                i % 2 ? 6 : 4, i % 2 ? "black" : "smpte");
    play ("%s", line->str);
}

static void
make_clips (void)
{
    g_autofree char *still = get_path ("bars.png");
    g_autofree char *half = get_path ("half.webm");
    g_autofree char *sound = get_path ("sound.wav");
    g_autofree char *text = get_path ("text.txt");

    make_video ("smpte", "bars.webm");
    make_video ("snow", "snow.webm");
    make_video ("black", "black.webm");
    make_flashes ("flashes.webm");
    play ("videotestsrc num-buffers=1 pattern=smpte ! video/x-raw,width=160,height=120 ! pngenc ! "
          "filesink location=%s",
            still);
    play ("videotestsrc num-buffers=20 pattern=smpte ! video/x-raw,width=160,height=120 ! videobox "
          "left=-160 fill=black ! vp8enc deadline=1 threads=1 ! webmmux ! filesink location=%s",
            half);
    play ("audiotestsrc num-buffers=20 ! wavenc ! filesink location=%s", sound);
    g_assert_true (g_file_set_contents (text, "no video\n", -1, NULL));
}

static void
remove_clips (void)
{
    g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name (directory))) {
        g_autofree char *path = get_path (name);
        g_remove (path);
    }
    g_rmdir (folder);
    g_free (folder);
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Runs `altclip NAME MODEL …` in the folder of the clips. */
static Invocation G_GNUC_NULL_TERMINATED
run (const char *name, ...)
{
    g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
    va_list list;

    g_ptr_array_add (arguments, (gpointer)name);
    g_ptr_array_add (arguments, (gpointer)g_getenv ("ALTCLIP_DEMO_MODEL"));
    va_start (list, name);
    for (char *next = va_arg (list, char *); next; next = va_arg (list, char *))
        g_ptr_array_add (arguments, next);
    va_end (list);
    return invocation_run_list (folder, arguments);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

#define PROMPTS "--prompts", "bars=colour bars;noise=static noise", "-n", "a clear picture"

/* The line of a label that was told from all else. */
static void
check_line (json_t *line, const char *label, guint positives, guint negatives)
{
    double threshold = get_number (line, "threshold");

    g_assert_cmpstr (json_string_value (json_object_get (line, "label")), ==, label);
    g_assert_cmpfloat (threshold, >, 0.0);
    g_assert_cmpfloat (threshold, <, 1.0);
    g_assert_cmpfloat (get_number (line, "roc_area"), ==, 1.0);
    g_assert_cmpfloat (get_number (line, "positives"), ==, positives);
    g_assert_cmpfloat (get_number (line, "negatives"), ==, negatives);
    g_assert_cmpfloat (get_number (line, "misses"), ==, 0.0);
    g_assert_cmpfloat (get_number (line, "false_alarms"), ==, 0.0);
    g_assert_cmpfloat (get_number (line, "missed_clips"), ==, 0.0);
    g_assert_cmpfloat (get_number (line, "alarms"), ==, 0.0);
}

/* Videos of 40 frames at 10 a second, of which one in two is due. */
static void
test_videos (void)
{
    g_auto (Invocation) result = run ("calibrate", PROMPTS, "--positive", "bars=bars.webm",
            "--positive", "noise=snow.webm", "--negative", "black.webm", "--exclusive", "--output",
            "out.json", "--report", "out.svg", NULL);
    g_auto (Invocation) classified = INVOCATION_INIT;
    json_t *line;

    invocation_assert_succeeded (&result);
    line = invocation_parse_line (&result, 0);
    check_line (line, "bars", 20, 40);
    g_assert_cmpfloat_with_epsilon (get_number (line, "negative_hours"), 8.0 / 3600.0, 1e-6);
    g_assert_cmpfloat (get_number (line, "alarms_per_hour"), ==, 0.0);
    /* −ln (0.05) events at most, in that time */
    g_assert_cmpfloat_with_epsilon (
            get_number (line, "alarms_per_hour_at_most"), 2.995732 / (8.0 / 3600.0), 1.0);
    json_decref (line);
    line = invocation_parse_line (&result, 1);
    check_line (line, "noise", 20, 40);
    json_decref (line);

    classified = run ("classify", "--prompts-file", "out.json", "bars.png", NULL);
    invocation_assert_succeeded (&classified);
    g_assert_nonnull (strstr (classified.out, "\"results\":[{\"label\":\"bars\""));
}

/* Every frame of one, another interval of the other. */
static void
test_interval (void)
{
    g_auto (Invocation) every = run ("calibrate", PROMPTS, "--positive", "bars=bars.webm",
            "--negative", "snow.webm", "--interval", "0", "--output", "out.json", NULL);
    g_auto (Invocation) second = run ("calibrate", PROMPTS, "--positive", "bars=bars.webm",
            "--negative", "snow.webm", "--interval", "1", "--output", "out.json", NULL);
    json_t *line;

    g_assert_cmpint (every.status, ==, 0);
    line = invocation_parse_line (&every, 0);
    check_line (line, "bars", 40, 40);
    json_decref (line);
    line = invocation_parse_line (&second, 0);
    check_line (line, "bars", 4, 4);
    json_decref (line);
    g_assert_nonnull (strstr (every.err, "label 'noise' has no --positive noise=FILE: left as it "
                                         "is"));
}

/* Without --output the set is all that is printed; the only label needs no name. */
static void
test_printed (void)
{
    g_auto (Invocation) result =
            run ("calibrate", "--prompts", "colour bars", "-n", "a clear picture", "--positive",
                    "bars.png", "--negative", "black.webm", "--score-mode", "sigmoid", NULL);
    json_t *set;
    json_t *label;

    invocation_assert_succeeded (&result);
    set = invocation_parse_line (&result, 0);
    label = json_array_get (json_object_get (set, "labels"), 0);
    g_assert_cmpstr (json_string_value (json_object_get (set, "score_mode")), ==, "sigmoid");
    g_assert_cmpstr (json_string_value (json_object_get (label, "label")), ==, "colour bars");
    g_assert_cmpfloat (get_number (label, "threshold"), >, 0.0);
    g_assert_cmpfloat (get_number (label, "bias"), <, 0.0);
    json_decref (set);
}

/* Files go on until the next option; what is behind `--` is no file any more. */
static void
test_several_files (void)
{
    static const char *const arguments[][9] = {
        { "--positive", "bars.png", "bars.webm", "--negative", "black.webm", "snow.webm", "-o",
                "out.json" },
        { "--positive=bars.png", "bars.webm", "-o", "out.json", "--negative=black.webm",
                "snow.webm" },
        { "--positive", "bars.png", "--negative", "black.webm", "--positive", "bars.webm", "-o",
                "out.json", "--negative=snow.webm" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (arguments); i++) {
        const char *const *a = arguments[i];
        g_auto (Invocation) result =
                run ("calibrate", "--prompts", "colour bars", "-n", "a clear picture", a[0], a[1],
                        a[2], a[3], a[4], a[5], a[6], a[7], i == 2 ? a[8] : NULL, NULL);
        json_t *line;

        invocation_assert_succeeded (&result);
        line = invocation_parse_line (&result, 0);
        check_line (line, "colour bars", 21, 40);
        json_decref (line);
    }
    {
        g_auto (Invocation) result = run ("calibrate", PROMPTS, "--positive", "bars=bars.png",
                "bars=bars.webm", "noise=snow.webm", "--negative", "black.webm", "--exclusive",
                "-o", "out.json", NULL);
        g_auto (Invocation) model =
                run ("calibrate", PROMPTS, "--positive", "a.png", "--", "another", NULL);
        json_t *line;

        invocation_assert_succeeded (&result);
        line = invocation_parse_line (&result, 0);
        check_line (line, "bars", 21, 40);
        json_decref (line);
        invocation_assert_refused (&model, "'another' is too much: expected MODEL");
    }
}

/* A file of prompts keeps what it says beside the thresholds. */
static void
test_prompts_file (void)
{
    g_autofree char *path = get_path ("in.json");
    json_t *set;
    json_t *label;

    g_assert_true (g_file_set_contents (path,
            "{\"version\": 1, \"negatives\": [\"a clear picture\"], \"labels\": ["
            "{\"label\": \"b=c\", \"texts\": [\"colour bars\"], \"min_on\": 1.5, \"note\": \"n\"},"
            "{\"label\": \"b\", \"texts\": [\"static noise\"], \"threshold\": 0.125}]}",
            -1, NULL));
    {
        /* Of the labels that an argument begins with the longest counts. */
        g_auto (Invocation) result = run ("calibrate", "-f", "in.json", "--positive",
                "b=c=bars.png", "--negative", "snow.webm", NULL);
        g_assert_cmpint (result.status, ==, 0);
        set = invocation_parse_line (&result, 0);
    }
    label = json_array_get (json_object_get (set, "labels"), 0);
    g_assert_cmpfloat (get_number (label, "min_on"), ==, 1.5);
    g_assert_cmpstr (json_string_value (json_object_get (label, "note")), ==, "n");
    g_assert_true (json_object_get (label, "threshold") != NULL);
    label = json_array_get (json_object_get (set, "labels"), 1);
    g_assert_cmpfloat (get_number (label, "threshold"), ==, 0.125);
    g_assert_null (json_object_get (label, "bias"));
    json_decref (set);
}

/* The line of the only label of @json. Returns: (transfer full): the line */
static json_t *
calibrate_label (const char *json, const char *positive, const char *negative)
{
    g_autofree char *path = get_path ("label.json");
    g_auto (Invocation) result = INVOCATION_INIT;

    g_assert_true (g_file_set_contents (path, json, -1, NULL));
    result = run ("calibrate", "-f", "label.json", "--positive", positive, "--negative", negative,
            "--output", "out.json", NULL);
    invocation_assert_succeeded (&result);
    return invocation_parse_line (&result, 0);
}

/* Bars that flash by score more than those that are half in the picture, and are no event. */
static void
test_flashes (void)
{
    json_t *line = calibrate_label (
            "{\"version\": 1, \"negatives\": [\"a black screen\"], \"min_on\": 0.4, \"labels\": ["
            "{\"label\": \"bars\", \"texts\": [\"colour bars\"]}]}",
            "half.webm", "flashes.webm");

    g_test_message ("threshold %g, false alarms %g, misses %g", get_number (line, "threshold"),
            get_number (line, "false_alarms"), get_number (line, "misses"));
    g_assert_cmpfloat (get_number (line, "misses"), ==, 0.0);
    g_assert_cmpfloat (get_number (line, "missed_clips"), ==, 0.0);
    g_assert_cmpfloat (get_number (line, "false_alarms"), >, 0.3);
    g_assert_cmpfloat (get_number (line, "alarms"), ==, 0.0);
    json_decref (line);
}

/* A still picture is of a scene that stays: there is nothing to wait for. */
static void
test_stills (void)
{
    json_t *line = calibrate_label (
            "{\"version\": 1, \"negatives\": [\"a clear picture\"], \"min_on\": 60, \"labels\": ["
            "{\"label\": \"bars\", \"texts\": [\"colour bars\"]}]}",
            "bars.png", "black.webm");

    check_line (line, "bars", 1, 20);
    g_assert_cmpfloat (get_number (line, "inactive"), ==, 0.0);
    json_decref (line);
}

/* Each label is judged on its part of a picture: of half.webm the left half is black. */
static void
test_regions (void)
{
    g_autofree char *path = get_path ("halves.json");
    json_t *line;

    g_assert_true (g_file_set_contents (path,
            "{\"version\": 1, \"negatives\": [\"a black screen\"], \"labels\": ["
            "{\"label\": \"left\", \"texts\": [\"colour bars\"], \"region\": [0, 0, 0.5, 1]},"
            "{\"label\": \"right\", \"texts\": [\"colour bars\"], \"region\": [0.5, 0, 0.5, 1]}]}",
            -1, NULL));
    {
        g_auto (Invocation) result = run ("calibrate", "-f", "halves.json", "--positive",
                "left=bars.webm", "--negative", "left=half.webm", "--positive", "right=half.webm",
                "--negative", "right=black.webm", "--output", "out.json", NULL);
        invocation_assert_succeeded (&result);
        for (guint i = 0; i < 2; i++) {
            line = invocation_parse_line (&result, i);
            g_assert_cmpfloat (get_number (line, "roc_area"), ==, 1.0);
            g_assert_cmpfloat (get_number (line, "misses"), ==, 0.0);
            json_decref (line);
        }
    }
}

static void
count_text (G_GNUC_UNUSED GMarkupParseContext *context, const char *text, gsize length,
        gpointer user_data, G_GNUC_UNUSED GError **error)
{
    g_string_append_len (user_data, text, (gssize)length);
    g_string_append_c (user_data, '\n');
}

/* Well-formed, with what belongs into it, whatever the label. */
static void
test_report (void)
{
    static const GMarkupParser parser = { .text = count_text };
    g_auto (Invocation) result = run ("calibrate", "--prompts", "<彩条 & \"bars\">=colour bars",
            "-n", "a clear picture", "--positive", "bars.webm", "--negative", "snow.webm",
            "--output", "out.json", "--report", "out.svg", NULL);
    g_autofree char *path = get_path ("out.svg");
    g_autofree char *svg = NULL;
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, text, NULL);
    g_autoptr (GError) error = NULL;

    invocation_assert_succeeded (&result);
    g_assert_true (g_file_get_contents (path, &svg, NULL, NULL));
    g_markup_parse_context_parse (context, svg, -1, &error);
    g_assert_no_error (error);
    g_markup_parse_context_end_parse (context, &error);
    g_assert_no_error (error);
    g_assert_nonnull (strstr (text->str, "<彩条 & \"bars\">\n"));
    g_assert_nonnull (strstr (text->str, "threshold 0."));
    g_assert_nonnull (strstr (text->str, "ROC area 1.0000\n"));
    g_assert_nonnull (strstr (text->str, "misses 0.0 % of 20 pictures\n"));
    g_assert_nonnull (strstr (text->str, "missed clips 0 of 1\n"));
    g_assert_nonnull (strstr (text->str, "expected an hour: 0\n"));
    /* Both axes say what they are, and what is beyond the one has columns of its own. */
    g_assert_nonnull (strstr (text->str, "pictures (square root scale)\n"));
    g_assert_nonnull (strstr (text->str, "score (softmax)\n"));
    g_assert_nonnull (strstr (text->str, "< 0.001\n"));
    g_assert_nonnull (strstr (text->str, "> 0.999\n"));
}

/* What looks alike cannot be told apart, and that is said. */
static void
test_alike (void)
{
    g_auto (Invocation) result = run ("calibrate", "--prompts", "colour bars", "-n",
            "a clear picture", "--positive", "bars.png", "--negative", "./bars.png", NULL);

    g_assert_cmpint (result.status, ==, 0);
    g_assert_nonnull (
            strstr (result.err, "altclip: label 'colour bars' scores no higher where it is "
                                "than where it is not (ROC area 0.5): no threshold can "
                                "tell them apart\n"));
}

static void
test_usage (void)
{
    static const struct {
        const char *arguments[5];
        const char *message;
    } cases[] = {
        { { "--positive", "bars=a.png", "--negative", "noise=b.png" },
                "label 'bars' has no --negative FILE to be told from" },
        { { "--positive", "bar=a.png", "--negative", "b.png" },
                "--positive 'bar=a.png' begins with none of the labels: of 2, expected "
                "LABEL=FILE" },
        { { "--positive", "bars=a.png", "b.png" },
                "--positive 'b.png' begins with none of the labels: of 2, expected LABEL=FILE" },
        { { "--negative", "b.png", "c.png", "--positive" }, "Missing argument for --positive" },

        { { "--positive", "bars=", "--negative", "b.png" }, "--positive 'bars=' names no file" },
        { { "--negative", "bars=" }, "--positive is missing" },
        { { "--positive", "bars=a.png", "--interval", "-1" },
                "--interval is -1, but must be 0 to 3600 seconds" },
        { { "--positive", "bars=a.png", "--report", "out.png" },
                "--report is 'out.png', but must end in .svg" },
        { { "--positive", "bars=a.png", "--precision", "int4" }, "--precision is 'int4'" },
        { { "--positive", "bars=a.png", "--score-mode", "odd" }, "--score-mode is 'odd'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        const char *const *a = cases[i].arguments;
        g_auto (Invocation) result = run ("calibrate", PROMPTS, a[0], a[1], a[2], a[3], NULL);
        invocation_assert_refused (&result, cases[i].message);
    }
}

/* One message, which names the file. */
static void
test_bad_files (void)
{
    static const struct {
        const char *file;
        const char *message;
    } cases[] = {
        { "none.webm", "altclip: none.webm: No such file or directory\n" },
        { "/dev/null", "altclip: /dev/null: not a regular file\n" },
        { ".", "altclip: .: not a regular file\n" },
        { "sound.wav", "altclip: sound.wav: cannot be decoded: it holds no video\n" },
        { "text.txt", "altclip: text.txt: cannot be decoded: " },
        { "cut.webm", "altclip: cut.webm: cannot be decoded: " },
        { "cut.png", "altclip: cut.png: " },
    };
    g_autofree char *video = get_path ("bars.webm");
    g_autofree char *cut_video = get_path ("cut.webm");
    g_autofree char *cut_still = get_path ("cut.png");
    g_autofree char *bytes = NULL;

    g_assert_true (g_file_get_contents (video, &bytes, NULL, NULL));
    g_assert_true (g_file_set_contents (cut_video, bytes, 100, NULL));
    g_assert_true (g_file_set_contents (cut_still, "\x89PNG\r\n\x1a\n", 8, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_auto (Invocation) result =
                run ("calibrate", "--prompts", "colour bars;x", "--positive", "x=bars.png",
                        "--positive", "colour bars=bars.png", "--negative", cases[i].file, NULL);
        invocation_assert_failed (&result, cases[i].message);
    }
}

/* Told at once, whichever of the decoder's threads sees it first. */
static void
test_cut_files_make_nobody_wait (void)
{
    g_autofree char *video = get_path ("bars.webm");
    g_autofree char *cut = get_path ("cut.webm");
    g_autofree char *bytes = NULL;

    g_assert_true (g_file_get_contents (video, &bytes, NULL, NULL));
    g_assert_true (g_file_set_contents (cut, bytes, 100, NULL));
    for (guint i = 0; i < 20; i++) {
        g_auto (Invocation) result = run ("calibrate", "--prompts", "colour bars;x", "--positive",
                "x=bars.png", "--positive", "colour bars=bars.png", "--negative", "cut.webm", NULL);
        invocation_assert_failed (&result, "altclip: cut.webm: cannot be decoded: ");
        g_assert_null (strstr (result.err, "no frame for"));
    }
}

static void
test_bad_output (void)
{
    g_auto (Invocation) result = run ("calibrate", PROMPTS, "--positive", "bars=bars.png",
            "--positive", "noise=snow.webm", "--negative", "black.webm", "--output",
            "/no/such/folder/out.json", NULL);

    invocation_assert_failed (&result, "/no/such/folder/out.json");
}

int
main (int argc, char **argv)
{
    int status;

    g_test_init (&argc, &argv, NULL);
    gst_init (&argc, &argv);
    folder = g_dir_make_tmp ("altclip-XXXXXX", NULL);
    g_assert_nonnull (folder);
    make_clips ();
    g_test_add_func ("/calibrate/videos", test_videos);
    g_test_add_func ("/calibrate/interval", test_interval);
    g_test_add_func ("/calibrate/printed", test_printed);
    g_test_add_func ("/calibrate/several-files", test_several_files);
    g_test_add_func ("/calibrate/prompts-file", test_prompts_file);
    g_test_add_func ("/calibrate/flashes", test_flashes);
    g_test_add_func ("/calibrate/stills", test_stills);
    g_test_add_func ("/calibrate/regions", test_regions);
    g_test_add_func ("/calibrate/report", test_report);
    g_test_add_func ("/calibrate/alike", test_alike);
    g_test_add_func ("/calibrate/usage", test_usage);
    g_test_add_func ("/calibrate/bad-files", test_bad_files);
    g_test_add_func ("/calibrate/cut-files-make-nobody-wait", test_cut_files_make_nobody_wait);
    g_test_add_func ("/calibrate/bad-output", test_bad_output);
    status = g_test_run ();
    remove_clips ();
    return status;
}
