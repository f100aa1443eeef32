/* altclip: tests of what altclipfilter sees of raw video
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every format in several sizes and colorimetries gives the embedding of the same frame converted
 * in double precision from GStreamer's own unpacking of it.
 */

#include <gst/check/check.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "../../gst/altclipconverter.h"
#include "../exact.h"
#include "endurance.h"
#include "models.h"
#include "plans.h"

#define LEAST_COSINE 0.9999

/* Three roundings, of RGB and after each pass of the resizing, each pass with weights whose
 * magnitudes add up to 1.27 at most. */
#define MOST_LEVELS (0.5 * 1.27 * 1.27 + 0.5 * 1.27 + 0.5)

static const char *formats[] = { "NV12", "I420", "YV12", "YUY2", "UYVY", "RGB", "BGR", "RGBx",
    "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "GRAY8", "NV21", "P010_10LE", "I420_10LE" };

static const guint sizes[][2] = { { 160, 120 }, { 321, 181 }, { 98, 175 } };

/* Matrix, range and where chroma lies, in GStreamer's words and in numbers. */
static const struct {
    const char *colorimetry;
    const char *chroma_site;
    double kr;
    double kb;
    gboolean full_range;
    gboolean x_cosited;
    gboolean y_cosited;
} colours[] = {
    { "2:4:5:4", "mpeg2", 0.299, 0.114, FALSE, TRUE, FALSE },   /* BT.601 */
    { "1:4:0:0", "jpeg", 0.299, 0.114, TRUE, FALSE, FALSE },    /* the same, full range */
    { "2:3:5:1", "mpeg2", 0.2126, 0.0722, FALSE, TRUE, FALSE }, /* BT.709 */
    { "1:3:5:1", "mpeg2", 0.2126, 0.0722, TRUE, TRUE, FALSE },  /* the same, full range */
    { "2:6:11:7", "cosited", 0.2627, 0.0593, FALSE, TRUE, TRUE } /* BT.2020 */,
    { "1:6:11:7", "cosited", 0.2627, 0.0593, TRUE, TRUE, TRUE },
};

static AltclipModel *model;
static AltclipSession *session;

/* ---- Frames ---------------------------------------------------------------------------------- */

/* A scene of soft colours, hard edges and a little noise, within what pictures hold. */
static guint16
get_level (guint component, guint x, guint y, guint width, guint height)
{
    double u = (double)x / width;
    double v = (double)y / height;
    double level = 0.5 + 0.3 * sin (7 * u + 2.1 * component) * cos (5 * v - component);
    guint32 noise = (x * 2654435761u) ^ (y * 2246822519u) ^ (component * 3266489917u);

    if (fabs (u - 0.4) < 0.15 && fabs (v - 0.5) < 0.2)
        level = component == 1 ? 0.35 : 0.7;
    if ((u - 0.75) * (u - 0.75) + (v - 0.4) * (v - 0.4) < 0.02)
        level = component == 2 ? 0.6 : 0.3;
    return (guint16)(65535 * (level * 0.98 + (noise >> 24) / 255.0 * 0.02));
}

/* GStreamer packs lines of four 16-bit or 8-bit components; the first is alpha. */
static GstBuffer *
make_frame (const GstVideoInfo *info)
{
    guint width = GST_VIDEO_INFO_WIDTH (info);
    guint height = GST_VIDEO_INFO_HEIGHT (info);
    const GstVideoFormatInfo *unpacked = gst_video_format_get_info (info->finfo->unpack_format);
    gboolean wide = GST_VIDEO_FORMAT_INFO_DEPTH (unpacked, 0) == 16;
    guint lines = MAX (info->finfo->pack_lines, 1);
    g_autofree guint16 *line = g_new0 (guint16, 4 * (gsize)width + 64);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
    GstVideoFrame frame;

    fail_unless_equals_int (lines, 1);
    fail_unless (gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE));
    for (guint y = 0; y < height; y++) {
        for (guint x = 0; x < width; x++) {
            for (guint c = 0; c < 4; c++) {
                guint16 level = c == 0 ? 65535 : get_level (c - 1, x, y, width, height);
                if (wide)
                    line[4 * x + c] = level;
                else
                    ((guint8 *)line)[4 * x + c] = (guint8)(level >> 8);
            }
        }
        frame.info.finfo->pack_func (frame.info.finfo, GST_VIDEO_PACK_FLAG_NONE, line, 0,
                frame.data, frame.info.stride, GST_VIDEO_CHROMA_SITE_UNKNOWN, y, width);
    }
    gst_video_frame_unmap (&frame);
    return buffer;
}

/* ---- In double precision --------------------------------------------------------------------- */

/* What GStreamer unpacks: chroma samples stand once for each pixel they serve. */
typedef struct {
    guint width;
    guint x_shift;
    guint y_shift;
    guint shift;    /* from 16 bits to the format's */
    guint16 *lines; /* [height, width, 4] */
} Unpacked;

static double
get_unpacked (gconstpointer data, guint component, guint x, guint y)
{
    const Unpacked *unpacked = data;

    if (component > 0) {
        x <<= unpacked->x_shift;
        y <<= unpacked->y_shift;
    }
    return unpacked->lines[((gsize)y * unpacked->width + x) * 4 + component + 1] >> unpacked->shift;
}

static void
unpack (const GstVideoInfo *info, GstBuffer *buffer, Unpacked *unpacked)
{
    guint width = GST_VIDEO_INFO_WIDTH (info);
    guint height = GST_VIDEO_INFO_HEIGHT (info);
    const GstVideoFormatInfo *finfo = gst_video_format_get_info (info->finfo->unpack_format);
    gboolean wide = GST_VIDEO_FORMAT_INFO_DEPTH (finfo, 0) == 16;
    g_autofree guint16 *line = g_new (guint16, 4 * (gsize)width + 64);
    GstVideoFrame frame;

    unpacked->width = width;
    unpacked->x_shift = GST_VIDEO_INFO_IS_YUV (info) ? info->finfo->w_sub[1] : 0;
    unpacked->y_shift = GST_VIDEO_INFO_IS_YUV (info) ? info->finfo->h_sub[1] : 0;
    unpacked->shift = wide ? 16 - info->finfo->depth[0] : 0;
    unpacked->lines = g_new (guint16, (gsize)width * height * 4);
    fail_unless (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
    for (guint y = 0; y < height; y++) {
        frame.info.finfo->unpack_func (frame.info.finfo, GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE, line,
                frame.data, frame.info.stride, 0, y, width);
        for (gsize i = 0; i < (gsize)width * 4; i++)
            unpacked->lines[(gsize)y * width * 4 + i] = wide ? line[i] : ((guint8 *)line)[i];
    }
    gst_video_frame_unmap (&frame);
}

static double *
convert_exactly (const GstVideoInfo *info, GstBuffer *buffer, guint colour)
{
    gsize width = GST_VIDEO_INFO_WIDTH (info);
    guint height = GST_VIDEO_INFO_HEIGHT (info);
    double *rgb = g_new (double, width *height * 3);
    Unpacked unpacked;
    gboolean is_ycbcr = GST_VIDEO_INFO_IS_YUV (info);
    gboolean is_grey = GST_VIDEO_INFO_IS_GRAY (info);
    ExactFrame exact;

    unpack (info, buffer, &unpacked);
    exact = (ExactFrame){ (guint)width, height, is_ycbcr, is_grey, info->finfo->depth[0],
        is_ycbcr ? colours[colour].full_range : TRUE, colours[colour].kr, colours[colour].kb,
        unpacked.x_shift, unpacked.y_shift, colours[colour].x_cosited, colours[colour].y_cosited,
        FALSE, get_unpacked, &unpacked };
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++)
            exact_convert (&exact, x, y, rgb + (y * width + x) * 3);
    g_free (unpacked.lines);
    return rgb;
}

static void
embed (const float *pixel_values, float *embedding)
{
    g_autoptr (GError) error = NULL;

    fail_unless (altclip_session_encode_images (session, pixel_values, 1, embedding, &error), NULL);
}

/* The bundled model's preprocessing has the usual mean and deviation. */
static const double mean[] = { 0.48145466, 0.4578275, 0.40821073 };
static const double std[] = { 0.26862954, 0.26130258, 0.27577711 };

/* Pixels of a channel. */
static gsize
get_n_pixels (void)
{
    gsize size = altclip_model_get_info (model)->image_size;

    return size * size;
}

static float *
preprocess_exactly (const double *rgb, guint width, guint height)
{
    guint size = altclip_model_get_info (model)->image_size;
    g_autofree double *resized = exact_resize (rgb, width, height, size);
    gsize n = get_n_pixels ();
    float *pixel_values = g_new (float, 3 * n);

    for (gsize i = 0; i < 3 * n; i++)
        pixel_values[i] = (float)((resized[i] / 255 - mean[i / n]) / std[i / n]);
    return pixel_values;
}

static void
embed_exactly (const double *rgb, guint width, guint height, float *embedding)
{
    g_autofree float *pixel_values = preprocess_exactly (rgb, width, height);

    embed (pixel_values, embedding);
}

/* ---- The element's ----------------------------------------------------------------------------
 */

static float *
preprocess_converted (const GstVideoInfo *info, GstBuffer *buffer, const AltclipRectangle *part)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GstCaps) caps = gst_video_info_to_caps ((GstVideoInfo *)info);
    g_autoptr (GstAltclipFormat) format = gst_altclip_format_new (caps);
    g_autoptr (GstAltclipConverter) converter = gst_altclip_converter_new (model, format, &error);
    float *pixel_values = g_new (float, 3 * get_n_pixels ());
    AltclipRectangle picture = gst_altclip_format_get_picture (&format->info, buffer);

    fail_unless (converter != NULL);
    fail_unless (gst_altclip_converter_run (
            converter, buffer, part ? part : &picture, pixel_values, &error));
    return pixel_values;
}

static void
embed_converted (
        const GstVideoInfo *info, GstBuffer *buffer, const AltclipRectangle *part, float *embedding)
{
    g_autofree float *pixel_values = preprocess_converted (info, buffer, part);

    embed (pixel_values, embedding);
}

static double
get_cosine (const float *a, const float *b)
{
    double sum = 0;

    for (guint i = 0; i < altclip_model_get_info (model)->projection_dim; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

static void
make_info (GstVideoInfo *info, const char *format, guint width, guint height, guint colour,
        const char *more)
{
    g_autofree char *text =
            g_strdup_printf ("video/x-raw,format=%s,width=%u,height=%u,framerate=30/1%s", format,
                    width, height, more);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);

    fail_unless (gst_video_info_from_caps (info, caps));
    if (!GST_VIDEO_INFO_IS_YUV (info))
        return;
    gst_caps_set_simple (caps, "colorimetry", G_TYPE_STRING, colours[colour].colorimetry,
            "chroma-site", G_TYPE_STRING, colours[colour].chroma_site, NULL);
    fail_unless (gst_video_info_from_caps (info, caps));
}

static double
check_format (const char *format, guint width, guint height, guint colour)
{
    guint dim = altclip_model_get_info (model)->projection_dim;
    g_autofree float *found = g_new (float, dim);
    g_autofree float *expected = g_new (float, dim);
    g_autofree double *rgb = NULL;
    g_autoptr (GstBuffer) buffer = NULL;
    GstVideoInfo info;
    double cosine;

    make_info (&info, format, width, height, colour, "");
    buffer = make_frame (&info);
    rgb = convert_exactly (&info, buffer, colour);
    embed_exactly (rgb, width, height, expected);
    embed_converted (&info, buffer, NULL, found);
    cosine = get_cosine (found, expected);
    fail_unless (cosine >= LEAST_COSINE, "%s of %ux%u, %s: cosine %f", format, width, height,
            colours[colour].colorimetry, cosine);
    return cosine;
}

GST_START_TEST (test_format_matrix)
{
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
        GstVideoInfo info;
        guint n_colours;
        double least = 1.0;

        make_info (&info, formats[f], 16, 16, 0, "");
        n_colours = GST_VIDEO_INFO_IS_YUV (&info) ? G_N_ELEMENTS (colours) : 1;
        for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
            for (guint c = 0; c < n_colours; c++)
                /* Sanitizers see the same code with each, and take long. */
                if (!SANITIZED || c == (f + s) % n_colours)
                    least = MIN (least, check_format (formats[f], sizes[s][0], sizes[s][1], c));
        g_print ("%s: least cosine to double precision %.6f\n", formats[f], least);
    }
}
GST_END_TEST;

/* The crop of a frame is the picture, and a part of a picture is another picture. */
GST_START_TEST (test_crop_meta_and_parts)
{
    guint dim = altclip_model_get_info (model)->projection_dim;
    g_autofree float *cropped = g_new (float, dim);
    g_autofree float *part = g_new (float, dim);
    g_autofree float *all = g_new (float, dim);
    g_autoptr (GstBuffer) buffer = NULL;
    GstVideoCropMeta *crop;
    GstVideoInfo info;

    make_info (&info, "NV12", 160, 120, 0, "");
    buffer = make_frame (&info);
    embed_converted (&info, buffer, NULL, all);
    embed_converted (&info, buffer, &(AltclipRectangle){ 31, 17, 90, 61 }, part);
    fail_unless (get_cosine (all, part) < 0.999);

    crop = gst_buffer_add_video_crop_meta (buffer);
    crop->x = 31;
    crop->y = 17;
    crop->width = 90;
    crop->height = 61;
    embed_converted (&info, buffer, NULL, cropped);
    fail_unless (memcmp (cropped, part, dim * sizeof (float)) == 0);

    /* One that reaches beyond the frame ends with it; one outside is not believed. */
    crop->width = 1000;
    embed_converted (&info, buffer, NULL, cropped);
    embed_converted (&info, buffer, &(AltclipRectangle){ 31, 17, 129, 61 }, part);
    fail_unless (memcmp (cropped, part, dim * sizeof (float)) == 0);
    crop->x = 160;
    embed_converted (&info, buffer, NULL, cropped);
    fail_unless (memcmp (cropped, all, dim * sizeof (float)) == 0);
}
GST_END_TEST;

/* The part of a picture in double precision. */
static double *
cut (const double *rgb, guint width, const AltclipRectangle *part)
{
    double *cut = g_new (double, 3 * (gsize)part->width * part->height);

    for (guint y = 0; y < part->height; y++)
        memcpy (cut + 3 * (gsize)y * part->width,
                rgb + 3 * ((gsize)(part->y + y) * width + part->x),
                3 * sizeof (double) * part->width);
    return cut;
}

/* In levels of 255. */
static double
get_largest_difference (const float *a, const float *b)
{
    gsize n = get_n_pixels ();
    double largest = 0;

    for (gsize i = 0; i < 3 * n; i++)
        largest = MAX (largest, fabs ((double)a[i] - b[i]) * std[i / n] * 255);
    return largest;
}

static void
check_parts (const char *format, guint colour)
{
    static const AltclipRectangle parts[] = { { 0, 0, 1, 1 }, { 32, 30, 1, 1 }, { 31, 29, 1, 1 },
        { 7, 5, 1, 1 }, { 7, 6, 2, 1 }, { 11, 0, 1, 31 }, { 0, 29, 33, 1 }, { 5, 3, 3, 3 },
        { 30, 1, 3, 30 } };
    g_autofree double *rgb = NULL;
    g_autoptr (GstBuffer) buffer = NULL;
    GstVideoInfo info;

    make_info (&info, format, 33, 31, colour, "");
    buffer = make_frame (&info);
    rgb = convert_exactly (&info, buffer, colour);
    for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
        g_autofree double *part = cut (rgb, 33, &parts[i]);
        g_autofree float *expected = preprocess_exactly (part, parts[i].width, parts[i].height);
        g_autofree float *found = preprocess_converted (&info, buffer, &parts[i]);
        double difference = get_largest_difference (found, expected);

        fail_unless (difference <= MOST_LEVELS, "%s, %s, part %u: %f levels", format,
                colours[colour].colorimetry, i, difference);
    }
}

/* Down to a pixel, at odd places, and at the edge of an odd size, where chroma ends. */
GST_START_TEST (test_small_parts)
{
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
        for (guint c = 0; c < G_N_ELEMENTS (colours); c++)
            check_parts (formats[f], c);
}
GST_END_TEST;

/* Rows longer than their pixels, and planes elsewhere than usual. */
GST_START_TEST (test_strides)
{
    guint dim = altclip_model_get_info (model)->projection_dim;
    g_autofree float *found = g_new (float, dim);
    g_autofree float *expected = g_new (float, dim);

    for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
        g_autoptr (GstBuffer) buffer = NULL;
        g_autoptr (GstBuffer) padded = NULL;
        GstVideoAlignment alignment = { 0 };
        GstVideoInfo info;
        GstVideoInfo wide;
        GstVideoFrame from;
        GstVideoFrame to;

        make_info (&info, formats[f], 99, 77, 0, "");
        buffer = make_frame (&info);
        embed_converted (&info, buffer, NULL, expected);

        wide = info;
        alignment.padding_left = 16;
        alignment.padding_right = 40;
        alignment.padding_top = 8;
        fail_unless (gst_video_info_align (&wide, &alignment));
        padded = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&wide), NULL);
        gst_buffer_add_video_meta_full (padded, GST_VIDEO_FRAME_FLAG_NONE,
                GST_VIDEO_INFO_FORMAT (&info), 99, 77, GST_VIDEO_INFO_N_PLANES (&info), wide.offset,
                wide.stride);
        fail_unless (gst_video_frame_map (&from, &info, buffer, GST_MAP_READ));
        fail_unless (gst_video_frame_map (&to, &info, padded, GST_MAP_WRITE));
        fail_unless (gst_video_frame_copy (&to, &from));
        gst_video_frame_unmap (&to);
        gst_video_frame_unmap (&from);
        embed_converted (&info, padded, NULL, found);
        fail_unless (memcmp (found, expected, dim * sizeof (float)) == 0, "%s", formats[f]);
    }
}
GST_END_TEST;

static void
fill_rows (GstVideoFrame *frame, guint plane, guint8 even, guint8 odd)
{
    guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (frame, plane);

    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (frame, plane); y++) {
        memset (row, y % 2 ? odd : even, (gsize)GST_VIDEO_FRAME_COMP_WIDTH (frame, plane));
        row += GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
    }
}

/* The chroma of an interlaced frame belongs to its fields: one red and one blue field stay red and
 * blue rows. */
GST_START_TEST (test_interlaced)
{
    guint dim = altclip_model_get_info (model)->projection_dim;
    g_autofree float *interlaced = g_new (float, dim);
    g_autofree float *expected = g_new (float, dim);
    g_autoptr (GstBuffer) buffer = NULL;
    g_autofree double *rgb = g_new (double, 64 * 64 * 3);
    GstVideoInfo info;
    GstVideoFrame frame;

    make_info (&info, "I420", 64, 64, 0, ",interlace-mode=interleaved");
    buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
    fail_unless (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
    fill_rows (&frame, 0, 81, 41);
    fill_rows (&frame, 1, 90, 240);
    fill_rows (&frame, 2, 240, 110);
    gst_video_frame_unmap (&frame);
    for (guint i = 0; i < 64 * 64; i++) {
        gboolean blue = i / 64 % 2;
        rgb[3 * i] = blue ? 0 : 254.6;
        rgb[3 * i + 1] = 0;
        rgb[3 * i + 2] = blue ? 255 : 0;
    }
    embed_converted (&info, buffer, NULL, interlaced);
    embed_exactly (rgb, 64, 64, expected);
    fail_unless (get_cosine (interlaced, expected) >= LEAST_COSINE);
}
GST_END_TEST;

/* Runs @n parts of a frame. Returns: how many plans that made */
static guint
count_plans (GstAltclipConverter *converter, GstBuffer *buffer, guint n)
{
    g_autofree float *pixel_values = g_new (float, 3 * get_n_pixels ());
    guint before = plans_get_n_made ();

    for (guint i = 0; i < n; i++) {
        const AltclipRectangle part = { i % 60, i / 60, 50 + i % 7, 60 };

        fail_unless (gst_altclip_converter_run (converter, buffer, &part, pixel_values, NULL));
    }
    return plans_get_n_made () - before;
}

/* As many parts as there are regions, and the frame itself beside them. */
GST_START_TEST (test_plans_are_kept)
{
    static const guint numbers[] = { 1, 8, 9, 32, ALTCLIP_MAX_REGIONS + 1 };
    g_autoptr (GstBuffer) buffer = NULL;
    GstVideoInfo info;

    make_info (&info, "NV12", 160, 120, 0, "");
    buffer = make_frame (&info);
    for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
        g_autoptr (GstCaps) caps = gst_video_info_to_caps (&info);
        g_autoptr (GstAltclipFormat) format = gst_altclip_format_new (caps);
        g_autoptr (GstAltclipConverter) converter = gst_altclip_converter_new (model, format, NULL);

        gst_altclip_converter_expect (converter, numbers[i]);
        fail_unless_equals_int (count_plans (converter, buffer, numbers[i]), numbers[i]);
        for (guint frame = 1; frame < 5; frame++)
            fail_unless_equals_int (count_plans (converter, buffer, numbers[i]), 0);
    }
}
GST_END_TEST;

/* What is looked at no longer goes, and a few stay whatever is expected. */
GST_START_TEST (test_plans_are_bounded)
{
    g_autoptr (GstBuffer) buffer = NULL;
    g_autoptr (GstCaps) caps = NULL;
    g_autoptr (GstAltclipFormat) format = NULL;
    g_autoptr (GstAltclipConverter) converter = NULL;
    GstVideoInfo info;

    make_info (&info, "NV12", 160, 120, 0, "");
    buffer = make_frame (&info);
    caps = gst_video_info_to_caps (&info);
    format = gst_altclip_format_new (caps);
    converter = gst_altclip_converter_new (model, format, NULL);
    gst_altclip_converter_expect (converter, 32);
    fail_unless_equals_int (count_plans (converter, buffer, 32), 32);
    gst_altclip_converter_expect (converter, 1);
    gst_altclip_converter_expect (converter, 32);
    fail_unless_equals_int (count_plans (converter, buffer, 8), 8);
    gst_altclip_converter_expect (converter, 1);
    fail_unless_equals_int (count_plans (converter, buffer, 8), 0);
    gst_altclip_converter_expect (converter, G_MAXUINT);
    fail_unless_equals_int (count_plans (converter, buffer, 300), 300 - 8);
    fail_unless_equals_int (count_plans (converter, buffer, 300), 300);
}
GST_END_TEST;

static void
open_model (void)
{
    g_autoptr (GError) error = NULL;

    model = altclip_model_open (models_get_demo (), NULL, NULL, &error);
    g_assert_no_error (error);
    session = altclip_session_new (model, 1, NULL);
}

static void
close_model (void)
{
    altclip_session_free (session);
    altclip_model_unref (model);
}

static Suite *
formats_suite (void)
{
    Suite *suite = suite_create ("formats");
    TCase *tests = tcase_create ("conversion");

    tcase_set_timeout (tests, 0);
    tcase_add_unchecked_fixture (tests, open_model, close_model);
    tcase_add_test (tests, test_format_matrix);
    tcase_add_test (tests, test_crop_meta_and_parts);
    tcase_add_test (tests, test_small_parts);
    tcase_add_test (tests, test_strides);
    tcase_add_test (tests, test_interlaced);
    tcase_add_test (tests, test_plans_are_kept);
    tcase_add_test (tests, test_plans_are_bounded);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (formats);
