/* altclip: preprocessing against the reference's results, and its limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Goldens: golden/make_image_golden.py.
 */

#include "image.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONFIG                                                                        \
    {                                                                                         \
        .do_resize = TRUE, .shortest_edge = 32, .resample = ALTCLIP_RESAMPLE_BICUBIC,         \
        .do_center_crop = TRUE, .crop_height = 32, .crop_width = 32, .do_rescale = TRUE,      \
        .rescale_factor = 1.0 / 255.0, .do_normalize = TRUE, .image_mean = { 0.5, 0.5, 0.5 }, \
        .image_std = { 0.5, 0.5, 0.5 },                                                       \
    }

typedef struct {
    const char *name;
    AltclipPixelLayout layout;
} NamedLayout;

static const NamedLayout layouts[] = {
    { "RGB", { 3, 0, 1, 2 } },
    { "BGR", { 3, 2, 1, 0 } },
    { "RGBx", { 4, 0, 1, 2 } },
    { "BGRx", { 4, 2, 1, 0 } },
    { "xRGB", { 4, 1, 2, 3 } },
    { "xBGR", { 4, 3, 2, 1 } },
    { "GRAY8", { 1, 0, 0, 0 } },
};

/* ---- Goldens --------------------------------------------------------------------------------- */

/* The same as picture() in the script. */
static guint8
picture_byte (guint32 i, guint n_components, guint width, gboolean smooth)
{
    guint32 v = i * 2654435761u;
    guint32 pixel = i / n_components;

    v ^= v >> 15;
    v *= 2246822519u;
    v ^= v >> 13;
    v >>= 24;
    if (!smooth)
        return (guint8)v;
    return (guint8)(((pixel % width * 3 + pixel / width * 2 + i % n_components * 50) & 0xFC) |
                    (v & 3));
}

/* Rows are as short as can be, so that a checker sees every read outside. */
static guint8 *
make_picture (guint width, guint height, const AltclipPixelLayout *layout, gboolean smooth)
{
    gsize n = (gsize)width * height;
    guint8 *data = g_malloc (n * layout->pixel_stride);
    const guint8 offsets[3] = { layout->red, layout->green, layout->blue };
    guint n_components = layout->pixel_stride == 1 ? 1 : 3;

    memset (data, 0xA5, n * layout->pixel_stride);
    for (guint32 i = 0; i < n * n_components; i++)
        data[(gsize)(i / n_components) * layout->pixel_stride + offsets[i % n_components]] =
                picture_byte (i, n_components, width, smooth);
    return data;
}

static guint
get_uint (json_t *object, const char *name)
{
    return (guint)json_integer_value (json_object_get (object, name));
}

/* From the bytes of a file, as a model's is read. */
static void
read_config (json_t *json, AltclipPreprocessorConfig *config)
{
    char *bytes = json_dumps (json, 0);
    g_autoptr (GError) error = NULL;

    g_assert_true (altclip_preprocessor_config_parse (
            config, "preprocessor_config.json", bytes, strlen (bytes), &error));
    g_assert_no_error (error);
    free (bytes);
}

static const AltclipPixelLayout *
find_layout (const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS (layouts); i++) {
        if (strcmp (layouts[i].name, name) == 0)
            return &layouts[i].layout;
    }
    g_assert_not_reached ();
}

static void
check_sha (json_t *golden, const char *what, const void *data, gsize n)
{
    g_autofree char *sha = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, n);

    g_assert_cmpstr (sha, ==, json_string_value (json_object_get (golden, what)));
}

static void
check_samples (json_t *samples, const float *values)
{
    gsize i;
    json_t *sample;

    json_array_foreach (samples, i, sample)
    {
        json_int_t at = json_integer_value (json_array_get (sample, 0));
        double expected = g_ascii_strtod (json_string_value (json_array_get (sample, 1)), NULL);
        g_assert_cmpfloat (values[at], ==, expected);
    }
}

/* Grey results are one component in the reference, three equal ones here. */
static void
check_pixels (json_t *golden, const guint8 *pixels, gsize n, guint num_channels)
{
    g_autofree guint8 *grey = g_malloc (n);

    if (num_channels == 3) {
        check_sha (golden, "pixels", pixels, 3 * n);
        return;
    }
    for (gsize i = 0; i < n; i++) {
        grey[i] = pixels[3 * i];
        g_assert_cmpuint (pixels[3 * i + 1], ==, grey[i]);
        g_assert_cmpuint (pixels[3 * i + 2], ==, grey[i]);
    }
    check_sha (golden, "pixels", grey, n);
}

static void
check_case (json_t *golden)
{
    guint width = get_uint (golden, "width");
    guint height = get_uint (golden, "height");
    guint num_channels = get_uint (golden, "num_channels");
    const char *name = json_string_value (json_object_get (golden, "layout"));
    const AltclipPixelLayout *layout = find_layout (name);
    gboolean smooth = json_is_true (json_object_get (golden, "smooth"));
    g_autofree guint8 *data = make_picture (width, height, layout, smooth);
    g_autoptr (AltclipImagePlan) plan = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree guint8 *pixels = NULL;
    g_autofree float *values = NULL;
    AltclipPreprocessorConfig config;
    gsize n;

    read_config (json_object_get (golden, "config"), &config);
    plan = altclip_image_plan_new_for_config (&config, num_channels, width, height, layout, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (
            altclip_image_plan_get_output_width (plan), ==, get_uint (golden, "out_width"));
    g_assert_cmpuint (
            altclip_image_plan_get_output_height (plan), ==, get_uint (golden, "out_height"));
    n = (gsize)get_uint (golden, "out_width") * get_uint (golden, "out_height");
    pixels = g_malloc (3 * n);
    values = g_new (float, num_channels *n);
    g_test_message (
            "%ux%u %s, %u channels, filter %d", width, height, name, num_channels, config.resample);
    altclip_image_plan_run_pixels (plan, data, (gsize)width * layout->pixel_stride, pixels);
    check_pixels (golden, pixels, n, num_channels);
    altclip_image_plan_run (plan, data, (gsize)width * layout->pixel_stride, values);
    check_samples (json_object_get (golden, "samples"), values);
    check_sha (golden, "values", values, num_channels * n * sizeof (float));
}

/* ALTCLIP_IMAGE_GOLDEN names another file that make_image_golden.py wrote. */
static void
test_goldens (void)
{
    const char *other = g_getenv ("ALTCLIP_IMAGE_GOLDEN");
    g_autofree char *path =
            other ? g_strdup (other)
                  : g_test_build_filename (G_TEST_DIST, "golden", "image.json", NULL);
    json_error_t json_error;
    json_t *root = json_load_file (path, 0, &json_error);
    json_t *golden;
    gsize i;

    g_assert_nonnull (root);
    g_assert_cmpuint (json_array_size (json_object_get (root, "cases")), >, 200);
    json_array_foreach (json_object_get (root, "cases"), i, golden) check_case (golden);
    json_decref (root);
}

/* ---- Rows and sizes -------------------------------------------------------------------------- */

static void
test_rowstride (void)
{
    const AltclipPreprocessorConfig config = DEFAULT_CONFIG;
    const guint width = 61;
    const guint height = 45;
    const gsize stride = 200;
    g_autofree guint8 *data = make_picture (width, height, &ALTCLIP_PIXEL_LAYOUT_RGB, FALSE);
    g_autofree guint8 *padded = g_malloc (stride * height);
    g_autofree float *expected = g_new (float, 3 * 32 * 32);
    g_autofree float *values = g_new (float, 3 * 32 * 32);
    g_autoptr (AltclipImagePlan) plan = altclip_image_plan_new_for_config (
            &config, 3, width, height, &ALTCLIP_PIXEL_LAYOUT_RGB, NULL);

    memset (padded, 0xEE, stride * height);
    for (guint y = 0; y < height; y++)
        memcpy (padded + y * stride, data + (gsize)y * width * 3, width * 3);
    altclip_image_plan_run (plan, data, width * 3, expected);
    altclip_image_plan_run (plan, padded, stride, values);
    g_assert_cmpmem (values, 3 * 32 * 32 * sizeof (float), expected, 3 * 32 * 32 * sizeof (float));
}

/* A picture of one colour keeps it, whatever its size: the taps' sum is 1. With an @edge before the
 * crop the long side can have 65535 times as many pixels, none of which may cost memory. */
static void
check_flat (AltclipResample resample, guint edge, guint width, guint height)
{
    AltclipPreprocessorConfig config = DEFAULT_CONFIG;
    g_autofree guint8 *data = g_malloc ((gsize)width * height);
    guint8 pixels[3 * 32 * 32];
    g_autoptr (AltclipImagePlan) plan = NULL;

    config.resample = resample;
    config.shortest_edge = edge;
    plan = altclip_image_plan_new_for_config (
            &config, 3, width, height, &ALTCLIP_PIXEL_LAYOUT_GRAY8, NULL);
    memset (data, 255, (gsize)width * height);
    altclip_image_plan_run_pixels (plan, data, width, pixels);
    for (gsize i = 0; i < sizeof pixels; i++)
        g_assert_cmpuint (pixels[i], ==, 255);
}

static void
test_sizes (void)
{
    const guint sizes[][2] = { { 65535, 1 }, { 1, 65535 }, { 65535, 40 }, { 40, 65535 },
        { 2, 65535 }, { 3, 2 }, { 33, 32 }, { 31, 32 }, { 5000, 4999 } };

    for (guint filter = 0; filter <= ALTCLIP_RESAMPLE_HAMMING; filter++) {
        for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
            check_flat ((AltclipResample)filter, 32, sizes[i][0], sizes[i][1]);
        check_flat ((AltclipResample)filter, 2048, 65535, 1);
        check_flat ((AltclipResample)filter, 2048, 1, 65535);
    }
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void
check_refused (const AltclipPreprocessorConfig *config, guint width, guint height,
        const AltclipPixelLayout *layout, AltclipError code, const char *part)
{
    g_autoptr (GError) error = NULL;
    AltclipImagePlan *plan =
            altclip_image_plan_new_for_config (config, 3, width, height, layout, &error);

    g_assert_null (plan);
    g_assert_error (error, ALTCLIP_ERROR, (int)code);
    g_assert_nonnull (strstr (error->message, part));
}

static void
test_refused (void)
{
    const AltclipPixelLayout *rgb = &ALTCLIP_PIXEL_LAYOUT_RGB;
    const AltclipPixelLayout bad = { 3, 0, 1, 3 };
    const AltclipPixelLayout empty = { 0, 0, 0, 0 };
    AltclipPreprocessorConfig config = DEFAULT_CONFIG;

    check_refused (&config, 0, 10, rgb, ALTCLIP_ERROR_IMAGE, "0×10");
    check_refused (&config, 10, 65536, rgb, ALTCLIP_ERROR_IMAGE, "65536");
    check_refused (&config, G_MAXUINT, G_MAXUINT, rgb, ALTCLIP_ERROR_IMAGE, "65535");
    check_refused (&config, 10, 10, &bad, ALTCLIP_ERROR_IMAGE, "offset 3");
    check_refused (&config, 10, 10, &empty, ALTCLIP_ERROR_IMAGE, "0 bytes");
    config.do_center_crop = FALSE;
    check_refused (&config, 1, 60000, rgb, ALTCLIP_ERROR_IMAGE,
            "preprocessing makes 32×1920000 pixels of a picture of 1×60000, by size (shortest_edge "
            "32) and do_center_crop false, but each side may be at most 8192");
    config.image_std[1] = 1e-60;
    config.do_center_crop = TRUE;
    check_refused (&config, 10, 10, rgb, ALTCLIP_ERROR_CONFIG, "image_std");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/image/goldens", test_goldens);
    g_test_add_func ("/image/rowstride", test_rowstride);
    g_test_add_func ("/image/sizes", test_sizes);
    g_test_add_func ("/image/refused", test_refused);
    return g_test_run ();
}
