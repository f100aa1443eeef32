/* altclip: still pictures against Pillow
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files are those of golden/make_still_golden.py.
 */

#include "altclip.h"
#include "golden.h"
#include "still.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *extension;
    double tolerance; /* of pixel_values, where 8-bit steps are about 0.015 */
} STILLS[] = {
    { "rgb", "png", 0.0 },
    { "rgba", "png", 0.0 },
    { "grey", "png", 0.0 },
    { "grey-alpha", "png", 0.0 },
    { "grey1", "png", 0.0 },
    { "palette", "png", 0.0 },
    { "palette-alpha", "png", 0.0 },
    { "rgb16", "png", 0.0 },
    { "grey16", "png", 0.0 },
    /* libjpeg-turbo's versions round differently */
    { "jpeg444", "jpg", 0.05 },
    { "jpeg420", "jpg", 0.05 },
    { "jpeg-progressive", "jpg", 0.05 },
    { "jpeg-grey", "jpg", 0.05 },
    { "jpeg-cmyk", "jpg", 0.05 },
    { "orientation2", "jpg", 0.05 },
    { "orientation3", "jpg", 0.05 },
    { "orientation4", "jpg", 0.05 },
    { "orientation5", "jpg", 0.05 },
    { "orientation6", "jpg", 0.05 },
    { "orientation7", "jpg", 0.05 },
    { "orientation8", "jpg", 0.05 },
};

static AltclipModel *
open_model (void)
{
    g_autofree char *directory = golden_get_path ("patch16", NULL);
    g_autoptr (GError) error = NULL;
    AltclipModel *model = altclip_model_open (directory, NULL, NULL, &error);

    g_assert_no_error (error);
    return model;
}

static char *
get_path (const char *file)
{
    return g_test_build_filename (G_TEST_DIST, "golden", "stills", file, NULL);
}

static float *
load (AltclipModel *model, const char *file)
{
    g_autofree char *path = get_path (file);
    g_autoptr (GError) error = NULL;
    float *pixel_values = still_load (path, model, &error);

    g_assert_no_error (error);
    return pixel_values;
}

static void
test_forms (void)
{
    g_autoptr (AltclipModel) model = open_model ();

    for (gsize i = 0; i < G_N_ELEMENTS (STILLS); i++) {
        g_autofree char *file = g_strconcat (STILLS[i].name, ".", STILLS[i].extension, NULL);
        g_autofree char *expected_file = g_strconcat (STILLS[i].name, ".rgb.png", NULL);
        g_autofree float *found = load (model, file);
        g_autofree float *expected = load (model, expected_file);
        double largest = 0.0;

        for (gsize k = 0; k < still_get_size (model); k++)
            largest = MAX (largest, fabs ((double)found[k] - (double)expected[k]));
        g_test_message ("%s: %.4f of %.4f", file, largest, STILLS[i].tolerance);
        g_assert_cmpfloat (largest, <=, STILLS[i].tolerance);
    }
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* A model of image_size 48 with another preprocessor_config.json: all it needs in one folder. */
static AltclipModel *
open_model_with (const char *preprocessor)
{
    const char *const names[] = { "config.json", "model.safetensors", "sentencepiece.bpe.model" };
    g_autofree char *directory = g_dir_make_tmp ("altclip-still-XXXXXX", NULL);
    g_autofree char *own = g_build_filename (directory, "preprocessor_config.json", NULL);
    g_autoptr (GError) error = NULL;
    AltclipModel *model;

    g_assert_true (g_file_set_contents (own, preprocessor, -1, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *target = golden_get_path ("patch16", names[i]);
        g_autofree char *absolute = g_canonicalize_filename (target, NULL);
        g_autofree char *link = g_build_filename (directory, names[i], NULL);
        g_assert_cmpint (symlink (absolute, link), ==, 0);
    }
    model = altclip_model_open (directory, NULL, NULL, &error);
    g_assert_no_error (error);
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *link = g_build_filename (directory, names[i], NULL);
        g_unlink (link);
    }
    g_unlink (own);
    g_rmdir (directory);
    return model;
}

/* The stills are of 52×37 pixels, the model's image_size is 48. */
static const struct {
    const char *preprocessor;
    guint height;
    guint width;
    const char *fields; /* that the message names */
} SIZES[] = {
    { "{\"do_resize\": false, \"do_center_crop\": false}", 37, 52,
            "by do_resize false and do_center_crop false" },
    { "{\"size\": 64, \"do_center_crop\": false}", 64, 89,
            "by size (shortest_edge 64) and do_center_crop false" },
    { "{\"size\": {\"height\": 20, \"width\": 70}, \"do_center_crop\": false}", 20, 70,
            "by size (height 20, width 70) and do_center_crop false" },
    { "{\"size\": 64, \"crop_size\": {\"height\": 48, \"width\": 80}}", 48, 80,
            "by crop_size (height 48, width 80)" },
};

static void
test_sizes (void)
{
    g_autofree char *path = get_path ("rgb.png");

    for (gsize i = 0; i < G_N_ELEMENTS (SIZES); i++) {
        g_autoptr (AltclipModel) model = open_model_with (SIZES[i].preprocessor);
        g_autoptr (GError) error = NULL;
        g_autofree float *pixel_values = NULL;
        g_autofree char *expected = g_strdup_printf (
                "%s: preprocessing makes %u×%u pixels of a picture of 52×37, %s, but the model's "
                "image_size is 48",
                path, SIZES[i].width, SIZES[i].height, SIZES[i].fields);
        guint height;
        guint width;

        g_assert_null (still_load (path, model, &error));
        g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE);
        g_assert_cmpstr (error->message, ==, expected);
        g_clear_error (&error);
        pixel_values = still_load_any_size (path, model, &height, &width, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (height, ==, SIZES[i].height);
        g_assert_cmpuint (width, ==, SIZES[i].width);
    }
}

/* ---- Wrong files ----------------------------------------------------------------------------- */

/* Writes @bytes to a file and asserts that reading it brings @message. */
static void
assert_refused (AltclipModel *model, const void *bytes, gsize n, const char *message)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-still-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (directory, "wrong", NULL);
    g_autoptr (GError) error = NULL;

    g_assert_true (g_file_set_contents (path, bytes, (gssize)n, NULL));
    g_assert_null (still_load (path, model, &error));
    g_assert_nonnull (error);
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, path));
    g_assert_nonnull (strstr (error->message, message));
    g_unlink (path);
    g_rmdir (directory);
}

static void
test_wrong_files (void)
{
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *path = get_path ("rgb.png");
    g_autofree char *contents = NULL;
    gsize n;

    g_assert_true (g_file_get_contents (path, &contents, &n, NULL));
    assert_refused (model, "", 0, "not a PNG or JPEG picture");
    assert_refused (model, "<svg xmlns='http://www.w3.org/2000/svg'/>", 40, "not a PNG or JPEG");
    assert_refused (model, contents, 12, "ends after 12 bytes");
    assert_refused (model, contents, n / 2, "truncated");
    assert_refused (model, "\xff\xd8\xff\xe0 nothing", 12, "truncated");
    contents[60] ^= 0x55;
    assert_refused (model, contents, n, "wrong");
}

/* The crc-32 of PNG, bit by bit. */
static guint32
get_crc (const guint8 *bytes, gsize n)
{
    guint32 crc = 0xffffffffu;

    for (gsize i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* A header that promises more pixels than anyone has memory for is refused before the first. */
static void
test_large (void)
{
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *path = get_path ("rgb.png");
    g_autofree char *contents = NULL;
    guint32 sides[2] = { GUINT32_TO_BE (100001), GUINT32_TO_BE (1000) };
    guint32 crc;
    gsize n;

    g_assert_true (g_file_get_contents (path, &contents, &n, NULL));
    memcpy (contents + 16, sides, sizeof sides);
    crc = GUINT32_TO_BE (get_crc ((guint8 *)contents + 12, 17));
    memcpy (contents + 29, &crc, sizeof crc);
    assert_refused (
            model, contents, n, "100001 × 1000 pixels exceed the limit of 100000000 pixels");
}

static void
test_no_file (void)
{
    g_autoptr (AltclipModel) model = open_model ();
    g_autoptr (GError) error = NULL;

    g_assert_null (still_load ("/no/such.png", model, &error));
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, "/no/such.png"));
    g_clear_error (&error);
    g_assert_null (still_load ("/dev/zero", model, &error));
    g_assert_cmpstr (error->message, ==, "/dev/zero: not a regular file");
    g_clear_error (&error);
    g_assert_null (still_load ("/tmp", model, &error));
    g_assert_cmpstr (error->message, ==, "/tmp: not a regular file");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/still/forms", test_forms);
    g_test_add_func ("/still/sizes", test_sizes);
    g_test_add_func ("/still/wrong-files", test_wrong_files);
    g_test_add_func ("/still/large", test_large);
    g_test_add_func ("/still/no-file", test_no_file);
    return g_test_run ();
}
