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

/* What libjpeg-turbo computes is the same in all its versions that were tried; others round their
 * own way. CMYK becomes RGB in gdk-pixbuf, rounded down where Pillow rounds to the nearest. */
#define JPEG_STEPS 2

static const struct {
    const char *file;
    int steps; /* of 255, that a pixel may differ */
} STILLS[] = {
    { "rgb.png", 0 },
    { "rgb-interlaced.png", 0 },
    { "rgb-transparent.png", 0 },
    { "rgb16.png", 0 },
    { "rgba.png", 0 },
    { "rgba16.png", 0 },
    { "grey.png", 0 },
    { "grey1.png", 0 },
    { "grey2.png", 0 },
    { "grey4-interlaced.png", 0 },
    { "grey16.png", 0 },
    { "grey-transparent.png", 0 },
    { "grey-alpha.png", 0 },
    { "grey-alpha16.png", 0 },
    { "palette.png", 0 },
    { "palette-alpha.png", 0 },
    { "palette2-interlaced.png", 0 },
    { "palette4.png", 0 },
    { "gamma.png", 0 },
    { "profile.png", 0 },
    { "png-orientation.png", 0 },
    { "png-orientation-xmp.png", 0 },
    { "jpeg444.jpg", JPEG_STEPS },
    { "jpeg422.jpg", JPEG_STEPS },
    { "jpeg420.jpg", JPEG_STEPS },
    { "jpeg-progressive.jpg", JPEG_STEPS },
    { "jpeg-grey.jpg", JPEG_STEPS },
    { "jpeg-cmyk.jpg", JPEG_STEPS },
    { "jpeg-ycck.jpg", JPEG_STEPS },
    { "orientation2.jpg", JPEG_STEPS },
    { "orientation3.jpg", JPEG_STEPS },
    { "orientation4.jpg", JPEG_STEPS },
    { "orientation5.jpg", JPEG_STEPS },
    { "orientation6.jpg", JPEG_STEPS },
    { "orientation7.jpg", JPEG_STEPS },
    { "orientation8.jpg", JPEG_STEPS },
    { "orientation-big-endian.jpg", JPEG_STEPS },
    { "orientation-both.jpg", JPEG_STEPS },
    { "orientation-xmp.jpg", JPEG_STEPS },
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

/* ---- Forms ----------------------------------------------------------------------------------- */

/* Preprocessing that changes nothing, so that pixel_values are the picture's bytes. */
#define AS_IT_IS                                                                                  \
    "{\"do_resize\": false, \"do_center_crop\": false, \"do_rescale\": false, \"do_normalize\": " \
    "false}"

typedef struct {
    guint height;
    guint width;
    float *values; /* [3, height, width] */
} Still;

static Still
load (AltclipModel *model, const char *file)
{
    g_autofree char *path = get_path (file);
    g_autoptr (GError) error = NULL;
    Still still = { 0, 0, NULL };

    still.values = still_load_any_size (path, model, NULL, &still.height, &still.width, &error);
    g_assert_no_error (error);
    return still;
}

/* NAME.png or NAME.jpg is compared with NAME.rgb.png. */
static void
check_form (AltclipModel *model, const char *file, int steps)
{
    g_autofree char *name = g_strndup (file, strlen (file) - 4);
    g_autofree char *expected_file = g_strconcat (name, ".rgb.png", NULL);
    Still found = load (model, file);
    Still expected = load (model, expected_file);
    float largest = 0.0f;
    guint n_different = 0;

    g_assert_cmpuint (found.width, ==, expected.width);
    g_assert_cmpuint (found.height, ==, expected.height);
    for (gsize i = 0; i < (gsize)3 * found.width * found.height; i++) {
        float difference = fabsf (found.values[i] - expected.values[i]);
        largest = MAX (largest, difference);
        n_different += difference > 0.0f;
    }
    g_test_message ("%s: %g of %d steps, in %u places", file, (double)largest, steps, n_different);
    g_assert_cmpfloat (largest, <=, steps);
    g_free (found.values);
    g_free (expected.values);
}

static void
test_forms (void)
{
    g_autoptr (AltclipModel) model = open_model_with (AS_IT_IS);

    for (gsize i = 0; i < G_N_ELEMENTS (STILLS); i++)
        check_form (model, STILLS[i].file, STILLS[i].steps);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

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
        pixel_values = still_load_any_size (path, model, NULL, &height, &width, &error);
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
test_other_formats (void)
{
    static const struct {
        const char bytes[16];
        const char *message;
    } others[] = {
        { "GIF89a\1\0\1\0",
                ": a GIF picture, by its first bytes, where only PNG and JPEG pictures" },
        { "RIFF\x24\0\0\0WEBPVP8", ": a WebP picture, by" },
        { "II*\0\x8\0\0\0", ": a TIFF picture, by" },
        { "MM\0*\0\0\0\x8", ": a TIFF picture, by" },
        { "BM\x46\0\0\0\0\0", ": a BMP picture, by" },
        { "\0\0\0\x1c"
          "ftypheic",
                ": an AVIF or HEIF picture or an MP4 video, by" },
        { "<svg xmlns=''/>", ": not a PNG or JPEG picture, by its first bytes" },
        { "\x89PNG\r\n", ": not a PNG or JPEG picture" },
    };
    g_autoptr (AltclipModel) model = open_model ();

    assert_refused (model, "", 0, ": not a PNG or JPEG picture, by its first bytes");
    for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
        assert_refused (model, others[i].bytes, sizeof others[i].bytes, others[i].message);
}

static void
test_wrong_files (void)
{
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *path = get_path ("rgb.png");
    g_autofree char *contents = NULL;
    gsize n;

    g_assert_true (g_file_get_contents (path, &contents, &n, NULL));
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

/* After a change in the chunk of @n_chunk bytes that begins at @chunk. */
static void
mend_crc (char *contents, gsize chunk, gsize n_chunk)
{
    guint32 crc = GUINT32_TO_BE (get_crc ((guint8 *)contents + chunk + 4, n_chunk + 4));

    memcpy (contents + chunk + 8 + n_chunk, &crc, sizeof crc);
}

#define HEADER_CHUNK 8 /* where a PNG's first chunk begins; 13 bytes long */

/* A header that promises more pixels than anyone has memory for is refused before the first. */
static void
test_large (void)
{
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *path = get_path ("rgb.png");
    g_autofree char *contents = NULL;
    guint32 sides[2] = { GUINT32_TO_BE (100001), GUINT32_TO_BE (1000) };
    gsize n;

    g_assert_true (g_file_get_contents (path, &contents, &n, NULL));
    memcpy (contents + HEADER_CHUNK + 8, sides, sizeof sides);
    mend_crc (contents, HEADER_CHUNK, 13);
    assert_refused (
            model, contents, n, "100001 × 1000 pixels exceed the limit of 100000000 pixels");
}

/* A file that is whole, but whose compressed data are not those of so many rows. */
static void
test_missing_rows (void)
{
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *path = get_path ("rgb.png");
    g_autofree char *contents = NULL;
    guint32 height = GUINT32_TO_BE (38);
    gsize n;

    g_assert_true (g_file_get_contents (path, &contents, &n, NULL));
    memcpy (contents + HEADER_CHUNK + 12, &height, sizeof height);
    mend_crc (contents, HEADER_CHUNK, 13);
    assert_refused (model, contents, n, ": the picture has 38 rows, but data for 37");
}

/* A small JPEG of many scans, or of a few over many pixels, would take minutes. */
static void
test_scans (void)
{
    static const guint8 frame[] = { 0xff, 0xc2 };
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *path = get_path ("jpeg-progressive.jpg");
    g_autofree char *contents = NULL;
    g_autoptr (GString) many = NULL;
    guint8 *size;
    gsize n;

    g_assert_true (g_file_get_contents (path, &contents, &n, NULL));
    many = g_string_new_len (contents, (gssize)n - 2);
    for (int i = 0; i < 91; i++)
        g_string_append_len (many, "\xff\xda\0\2", 4);
    g_string_append_len (many, "\xff\xd9", 2);
    assert_refused (model, many->str, many->len, ": a JPEG of 101 scans exceeds the limit of 100");
    size = memmem (contents, n, frame, sizeof frame);
    g_assert_nonnull (size);
    memcpy (size + 5, "\xff\xff\xff\xff", 4);
    assert_refused (model, contents, n,
            ": a JPEG of 10 scans over 4294836225 pixels exceeds the limit of 1600000000 pixels in "
            "all scans");
    memcpy (size + 5, "\x27\x10\x27\x10\4", 5);
    assert_refused (model, contents, n,
            ": a JPEG of 10 scans and 400000000 samples exceeds the limit of 300000000 samples in "
            "several scans");
}

/* Whatever the bytes are, there is a picture or one message that begins with the file's name. */
static void
check_mutation (AltclipModel *model, const char *path, const char *bytes, gsize n)
{
    g_autoptr (GError) error = NULL;
    g_autofree float *values = NULL;

    g_assert_true (g_file_set_contents_full (
            path, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    values = still_load (path, model, &error);
    g_assert_true ((values == NULL) == (error != NULL));
    if (error)
        g_assert_true (g_str_has_prefix (error->message, path));
    for (gsize i = 0; values && i < still_get_size (model); i++)
        g_assert_true (isfinite (values[i]));
}

static void
check_mutations (AltclipModel *model, const char *path, const char *file)
{
    g_autofree char *source = get_path (file);
    g_autofree char *contents = NULL;
    gsize n;

    g_assert_true (g_file_get_contents (source, &contents, &n, NULL));
    for (int i = 0; i < 40; i++) {
        g_autofree char *copy = g_memdup2 (contents, n);
        for (int k = g_test_rand_int_range (1, 4); k > 0; k--)
            copy[g_test_rand_int_range (0, (gint32)n)] = (char)g_test_rand_int ();
        check_mutation (model, path, copy, n);
        check_mutation (model, path, contents, (gsize)g_test_rand_int_range (0, (gint32)n));
    }
}

static void
test_mutations (void)
{
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *directory = g_dir_make_tmp ("altclip-still-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (directory, "mutated", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (STILLS); i++)
        check_mutations (model, path, STILLS[i].file);
    g_unlink (path);
    g_rmdir (directory);
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

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Saves the part as @path. Returns: (transfer full): what still_load() makes of that */
static float *
load_part (GdkPixbuf *picture, const AltclipRegion *region, AltclipModel *model, const char *path)
{
    const AltclipRectangle all = { 0, 0, (guint)gdk_pixbuf_get_width (picture),
        (guint)gdk_pixbuf_get_height (picture) };
    AltclipRectangle part = altclip_region_get_part (region, &all);
    g_autoptr (GdkPixbuf) cut = gdk_pixbuf_new_subpixbuf (
            picture, (int)part.x, (int)part.y, (int)part.width, (int)part.height);
    g_autoptr (GError) error = NULL;
    float *values;

    gdk_pixbuf_save (cut, path, "png", &error, NULL);
    g_assert_no_error (error);
    values = still_load (path, model, &error);
    g_assert_no_error (error);
    return values;
}

/* Once it is read, a picture can be looked at again and again, and its file may go. */
static void
test_parts (void)
{
    static const AltclipRegion regions[] = { { 0.0, 0.0, 1.0, 1.0 }, { 0.0, 0.0, 0.5, 1.0 },
        { 0.5, 0.0, 0.5, 1.0 }, { 0.3, 0.6, 0.4, 0.4 } };
    g_autoptr (AltclipModel) model = open_model ();
    g_autofree char *source = get_path ("rgb.png");
    g_autofree char *directory = g_dir_make_tmp ("altclip-still-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (directory, "part.png", NULL);
    g_autofree char *contents = NULL;
    g_autoptr (GdkPixbuf) picture = NULL;
    gsize n;

    g_assert_true (g_file_get_contents (source, &contents, &n, NULL));
    g_assert_true (g_file_set_contents (path, contents, (gssize)n, NULL));
    picture = still_read (path, NULL);
    g_assert_nonnull (picture);
    g_assert_cmpint (g_unlink (path), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS (regions); i++) {
        gsize n_bytes = still_get_size (model) * sizeof (float);
        g_autofree float *found = still_look (picture, &regions[i], model, NULL);
        g_autofree float *expected = load_part (picture, &regions[i], model, path);

        g_assert_cmpmem (found, n_bytes, expected, n_bytes);
    }
    g_unlink (path);
    g_rmdir (directory);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/still/forms", test_forms);
    g_test_add_func ("/still/sizes", test_sizes);
    g_test_add_func ("/still/parts", test_parts);
    g_test_add_func ("/still/wrong-files", test_wrong_files);
    g_test_add_func ("/still/other-formats", test_other_formats);
    g_test_add_func ("/still/missing-rows", test_missing_rows);
    g_test_add_func ("/still/scans", test_scans);
    g_test_add_func ("/still/mutations", test_mutations);
    g_test_add_func ("/still/large", test_large);
    g_test_add_func ("/still/no-file", test_no_file);
    return g_test_run ();
}
