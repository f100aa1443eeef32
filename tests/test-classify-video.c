/* altclip: altclip classify on videos
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ALTCLIP_DEMO_MODEL in the environment is the bundled model, with its clip and what is in it.
 */

#include "invocation.h"

#include <glib/gstdio.h>
#include <string.h>

#define LABELS                                                                                    \
    "colour bars;a red circle;static noise;a blue star;a black screen;a clear picture;a blurred " \
    "picture;a dark picture;a green ring;a blue screen;a ball on black;yellow crosses"
#define SECOND 1e9

static char *
get_path (const char *name)
{
    return g_build_filename (g_getenv ("ALTCLIP_DEMO_MODEL"), name, NULL);
}

static Invocation
classify (const char *path, const char *interval)
{
    return invocation_run ("classify", g_getenv ("ALTCLIP_DEMO_MODEL"), "--no-cache", "--prompts",
            LABELS, "--interval", interval, path, NULL);
}

/* What is in the clip at that time, and not within half a second of another scene; or NULL. */
static const char *
find_truth (json_t *scenes, double seconds)
{
    json_t *scene;
    size_t i;

    json_array_foreach (scenes, i,
            scene) if (seconds >= get_number (scene, "start") + 0.5 &&
                       seconds <= get_number (scene, "end") - 0.5) return get_string (scene,
            "truth");
    return NULL;
}

/* A line a second, of which nearly all name what there is. */
static void
test_lines (void)
{
    g_autofree char *path = get_path ("demo.webm");
    g_autofree char *truths = get_path ("demo.scenes.json");
    g_auto (Invocation) result = classify (path, "1");
    json_t *lines = invocation_parse (&result);
    json_t *scenes = json_load_file (truths, 0, NULL);
    guint n_told = 0;
    guint n_right = 0;
    json_t *line;
    size_t i;

    g_assert_cmpint (result.status, ==, 0);
    g_assert_cmpuint (json_array_size (lines), ==, 30);
    json_array_foreach (lines, i, line)
    {
        json_t *results = json_object_get (line, "results");
        double seconds = get_number (line, "pts") / SECOND;
        const char *truth = find_truth (scenes, seconds);

        g_assert_cmpstr (get_string (line, "file"), ==, path);
        g_assert_cmpfloat_with_epsilon (seconds, (double)i, 0.04);
        g_assert_cmpuint (json_array_size (results), ==, 12);
        if (!truth)
            continue;
        n_told++;
        n_right += strcmp (get_string (json_array_get (results, 0), "label"), truth) == 0;
    }
    g_test_message ("%u of %u right", n_right, n_told);
    g_assert_cmpuint (n_told, >=, 15);
    g_assert_cmpuint (n_right, >=, n_told - n_told / 6);
    assert_contains (result.err, "demo.webm: 30 frames, to 29.0 s, in ");
    json_decref (scenes);
    json_decref (lines);
}

/* Every frame, if nothing else is said: 15 a second. One that was cut off goes as far as it does.
 */
static void
test_cut (void)
{
    g_autofree char *path = get_path ("demo.webm");
    g_autofree char *folder = g_dir_make_tmp ("altclip-XXXXXX", NULL);
    g_autofree char *cut = g_build_filename (folder, "cut.webm", NULL);
    g_autofree char *bytes = NULL;
    g_auto (Invocation) result = INVOCATION_INIT;
    json_t *lines;
    gsize size;

    g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
    g_assert_true (g_file_set_contents (cut, bytes, (gssize)size / 4, NULL));
    result = invocation_run ("classify", g_getenv ("ALTCLIP_DEMO_MODEL"), "--no-cache", "--prompts",
            LABELS, cut, NULL);
    lines = invocation_parse (&result);
    g_assert_cmpint (result.status, ==, 0);
    g_assert_cmpuint (json_array_size (lines), >=, 40);
    g_assert_cmpuint (json_array_size (lines), <, 120);
    for (guint i = 0; i < json_array_size (lines); i++)
        g_assert_cmpfloat_with_epsilon (
                get_number (json_array_get (lines, i), "pts") / SECOND, i / 15.0, 0.001);
    json_decref (lines);
    g_unlink (cut);
    g_rmdir (folder);
}

static void
test_wrong_interval (void)
{
    g_autofree char *path = get_path ("demo.webm");
    g_auto (Invocation) negative = classify (path, "-1");
    g_auto (Invocation) long_one = classify (path, "1e9");

    invocation_assert_refused (&negative, "--interval is -1, but must be 0 to 3600 seconds");
    invocation_assert_refused (&long_one, "--interval is 1e+09, but must be 0 to 3600 seconds");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/classify-video/lines", test_lines);
    g_test_add_func ("/classify-video/cut", test_cut);
    g_test_add_func ("/classify-video/wrong-interval", test_wrong_interval);
    return g_test_run ();
}
