/* altclip: altclip timeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ALTCLIP_DEMO_MODEL in the environment is the bundled model, with its clip and what is in it.
 */

#include "invocation.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <string.h>

#define LABELS                                                                                    \
    "colour bars;a red circle;static noise;a blue star;a black screen;a clear picture;a blurred " \
    "picture;a dark picture;a green ring;a blue screen;a ball on black;yellow crosses"
#define N_LABELS 12
#define SECOND 1e9

/* Of the drawing, in pixels. */
#define WIDTH 1200
#define LEFT 190
#define LANES 880
#define HEAD 130
#define LANE 65
#define BAR 49 /* in a lane */

typedef struct {
    char *folder;
    char *output;
    char *clip;
} Place;

static void
place_init (Place *place, const char *name)
{
    place->folder = g_dir_make_tmp ("altclip-XXXXXX", NULL);
    place->output = g_build_filename (place->folder, name, NULL);
    place->clip = g_build_filename (g_getenv ("ALTCLIP_DEMO_MODEL"), "demo.webm", NULL);
}

static void
place_clear (Place *place)
{
    g_unlink (place->output);
    g_rmdir (place->folder);
    g_free (place->folder);
    g_free (place->output);
    g_free (place->clip);
}

static Invocation
draw (const Place *place, const char *labels)
{
    return invocation_run ("timeline", g_getenv ("ALTCLIP_DEMO_MODEL"), "--no-cache", "--prompts",
            labels, "--interval", "0.5", "--output", place->output, place->clip, NULL);
}

static json_t *
load_scenes (void)
{
    g_autofree char *path =
            g_build_filename (g_getenv ("ALTCLIP_DEMO_MODEL"), "demo.scenes.json", NULL);

    return json_load_file (path, 0, NULL);
}

/* What both have in common, in seconds. */
static double
get_overlap (json_t *scene, json_t *span)
{
    double begin = get_number (span, "begin") / SECOND;
    double end = get_number (span, "end") / SECOND;

    if (strcmp (get_string (span, "label"), get_string (scene, "truth")) != 0)
        return 0.0;
    return MIN (end, get_number (scene, "end")) - MAX (begin, get_number (scene, "start"));
}

/* Each scene, and hardly anything else. */
static void
check_spans (json_t *spans)
{
    json_t *scenes = load_scenes ();
    json_t *scene;
    json_t *span;
    double right = 0.0;
    double all = 0.0;
    size_t i;
    size_t j;

    json_array_foreach (scenes, i, scene)
    {
        double overlap = 0.0;

        json_array_foreach (spans, j, span) overlap += MAX (0.0, get_overlap (scene, span));
        g_assert_cmpfloat (
                overlap, >=, get_number (scene, "end") - get_number (scene, "start") - 1.1);
        right += overlap;
    }
    json_array_foreach (spans, j, span)
    {
        g_assert_cmpfloat (get_number (span, "peak"), >=, 0.5);
        g_assert_cmpfloat (get_number (span, "peak"), <=, 1.0);
        all += (get_number (span, "end") - get_number (span, "begin")) / SECOND;
    }
    g_assert_cmpfloat (right, >=, 0.8 * all);
    json_decref (scenes);
}

static guint32
get_pixel (const GdkPixbuf *pixbuf, double x, double y)
{
    const guint8 *pixel = gdk_pixbuf_read_pixels (pixbuf) +
                          (gsize)y * (gsize)gdk_pixbuf_get_rowstride (pixbuf) +
                          (gsize)x * (gsize)gdk_pixbuf_get_n_channels (pixbuf);

    return (guint32)pixel[0] << 16 | (guint32)pixel[1] << 8 | pixel[2];
}

/* The bars of the first label, and of what has the first colour again, six lanes below. */
static void
check_bars (const GdkPixbuf *pixbuf, json_t *spans, const char *label, guint number)
{
    double y = HEAD + number * LANE + BAR;
    double end = 29.5;
    json_t *span;
    size_t i;
    guint n = 0;

    json_array_foreach (spans, i, span)
    {
        double middle = (get_number (span, "begin") + get_number (span, "end")) / 2.0 / SECOND;

        if (strcmp (get_string (span, "label"), label) != 0)
            continue;
        n++;
        g_assert_cmphex (get_pixel (pixbuf, LEFT + LANES * middle / end, y), ==, 0x0072b2);
    }
    g_assert_cmpuint (n, >=, 1);
    g_assert_cmphex (get_pixel (pixbuf, LEFT + LANES * 14.3 / end, y), ==, 0xffffff);
}

static void
test_png (void)
{
    Place place;
    g_auto (Invocation) result = INVOCATION_INIT;
    g_autoptr (GdkPixbuf) pixbuf = NULL;
    json_t *spans;

    place_init (&place, "timeline.png");
    result = draw (&place, LABELS);
    spans = invocation_parse (&result);
    g_assert_cmpint (result.status, ==, 0);
    assert_contains (result.err, "demo.webm: 60 frames, to 29.5 s, in ");
    check_spans (spans);
    pixbuf = gdk_pixbuf_new_from_file (place.output, NULL);
    g_assert_nonnull (pixbuf);
    g_assert_cmpint (gdk_pixbuf_get_width (pixbuf), ==, WIDTH);
    g_assert_cmpint (gdk_pixbuf_get_height (pixbuf), ==, HEAD + N_LABELS * LANE + 40);
    check_bars (pixbuf, spans, "colour bars", 0);
    check_bars (pixbuf, spans, "a blurred picture", 6);
    json_decref (spans);
    place_clear (&place);
}

/* Whether it is XML; its letters are outlines. */
static void
check_svg (const char *text, gsize length)
{
    static const GMarkupParser parser = { 0 };
    g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, NULL, NULL);
    g_autoptr (GError) error = NULL;

    g_markup_parse_context_parse (context, text, (gssize)length, &error);
    g_assert_no_error (error);
    g_markup_parse_context_end_parse (context, &error);
    g_assert_no_error (error);
    assert_contains (text, "<svg");
    assert_contains (text, "data:image/png;base64,");
    g_assert_null (strstr (text, "<text"));
}

static void
test_svg (void)
{
    Place place;
    g_auto (Invocation) result = INVOCATION_INIT;
    g_autofree char *text = NULL;
    gsize length;

    place_init (&place, "timeline.svg");
    result = draw (&place, LABELS);
    g_assert_cmpint (result.status, ==, 0);
    g_assert_true (g_file_get_contents (place.output, &text, &length, NULL));
    check_svg (text, length);
    place_clear (&place);
}

static guint
count (const char *text, const char *part)
{
    guint n = 0;

    for (const char *at = strstr (text, part); at; at = strstr (at + 1, part))
        n++;
    return n;
}

/* A row for each time that something was active; what people call their labels is no markup. */
static void
test_html (void)
{
    Place place;
    g_auto (Invocation) result = INVOCATION_INIT;
    g_autofree char *text = NULL;
    json_t *spans;

    place_init (&place, "timeline.html");
    result = draw (&place, "<b>&\"=colour bars;a red circle;noise=static noise|snow;a blue star");
    spans = invocation_parse (&result);
    g_assert_cmpint (result.status, ==, 0);
    g_assert_true (g_file_get_contents (place.output, &text, NULL, NULL));
    g_assert_true (g_str_has_prefix (text, "<!DOCTYPE html>"));
    g_assert_cmpuint (count (text, "<tr><td"), ==, (guint)json_array_size (spans));
    g_assert_cmpuint (count (text, "<b>"), ==, 0);
    assert_contains (text, "&lt;b&gt;&amp;&quot;");
    json_decref (spans);
    place_clear (&place);
}

static Invocation
run_with (const char *option, const char *value)
{
    return invocation_run ("timeline", g_getenv ("ALTCLIP_DEMO_MODEL"), "--no-cache", "--prompts",
            "a", option, value, "clip.mp4", NULL);
}

static void
test_wrong_arguments (void)
{
    g_autoptr (GString) many = g_string_new ("0");
    g_auto (Invocation) missing = run_with ("--interval", "1");
    g_auto (Invocation) suffix = run_with ("--output", "timeline.gif");
    g_auto (Invocation) labels = INVOCATION_INIT;

    for (guint i = 1; i <= 300; i++)
        g_string_append_printf (many, ";%u", i);
    labels = invocation_run ("timeline", g_getenv ("ALTCLIP_DEMO_MODEL"), "--prompts", many->str,
            "--output", "timeline.png", "clip.mp4", NULL);
    invocation_assert_refused (&missing, "--output is missing");
    invocation_assert_refused (
            &suffix, "--output is 'timeline.gif', but must end in .svg, .png or .html");
    invocation_assert_refused (&labels, "there are 301 labels, but at most 300 can be drawn");
}

static void
test_failures (void)
{
    Place place;
    g_auto (Invocation) no_video = INVOCATION_INIT;
    g_auto (Invocation) no_folder = INVOCATION_INIT;
    g_autofree char *path = NULL;

    place_init (&place, "timeline.svg");
    path = g_build_filename (place.folder, "no", "timeline.svg", NULL);
    no_video = invocation_run ("timeline", g_getenv ("ALTCLIP_DEMO_MODEL"), "--no-cache",
            "--prompts", "a;b", "--output", place.output, "/etc/passwd", NULL);
    invocation_assert_failed (&no_video, "/etc/passwd: ");
    g_assert_false (g_file_test (place.output, G_FILE_TEST_EXISTS));
    no_folder = invocation_run ("timeline", g_getenv ("ALTCLIP_DEMO_MODEL"), "--no-cache",
            "--prompts", "colour bars;a red circle", "--interval", "10", "--output", path,
            place.clip, NULL);
    g_assert_cmpint (no_folder.status, ==, 1);
    g_assert_cmpstr (no_folder.out, ==, "");
    assert_contains (no_folder.err, "No such file or directory");
    place_clear (&place);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/timeline/png", test_png);
    g_test_add_func ("/timeline/svg", test_svg);
    g_test_add_func ("/timeline/html", test_html);
    g_test_add_func ("/timeline/wrong-arguments", test_wrong_arguments);
    g_test_add_func ("/timeline/failures", test_failures);
    return g_test_run ();
}
