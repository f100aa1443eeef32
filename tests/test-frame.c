/* altclip: raw video against a conversion in double precision
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "exact.h"
#include "frame.h"
#include "image.h"

#include <math.h>
#include <string.h>

#define WORD(plane, offset, stride, shift) \
    {                                      \
        plane, offset, stride, shift       \
    }
#define BYTE(plane, offset, stride) WORD (plane, offset, stride, 0)

typedef struct {
    const char *name;
    AltclipColour colour;
    AltclipFrameComponent components[3];
    guint bits;
    guint x_shift;
    guint y_shift;
} Form;

static const Form forms[] = {
    { "NV12", ALTCLIP_COLOUR_YCBCR, { BYTE (0, 0, 1), BYTE (1, 0, 2), BYTE (1, 1, 2) }, 8, 1, 1 },
    { "NV21", ALTCLIP_COLOUR_YCBCR, { BYTE (0, 0, 1), BYTE (1, 1, 2), BYTE (1, 0, 2) }, 8, 1, 1 },
    { "I420", ALTCLIP_COLOUR_YCBCR, { BYTE (0, 0, 1), BYTE (1, 0, 1), BYTE (2, 0, 1) }, 8, 1, 1 },
    { "YUY2", ALTCLIP_COLOUR_YCBCR, { BYTE (0, 0, 2), BYTE (0, 1, 4), BYTE (0, 3, 4) }, 8, 1, 0 },
    { "UYVY", ALTCLIP_COLOUR_YCBCR, { BYTE (0, 1, 2), BYTE (0, 0, 4), BYTE (0, 2, 4) }, 8, 1, 0 },
    { "P010", ALTCLIP_COLOUR_YCBCR, { WORD (0, 0, 2, 6), WORD (1, 0, 4, 6), WORD (1, 2, 4, 6) }, 10,
            1, 1 },
    { "I420_10", ALTCLIP_COLOUR_YCBCR, { WORD (0, 0, 2, 0), WORD (1, 0, 2, 0), WORD (2, 0, 2, 0) },
            10, 1, 1 },
    { "Y444", ALTCLIP_COLOUR_YCBCR, { BYTE (0, 0, 1), BYTE (1, 0, 1), BYTE (2, 0, 1) }, 8, 0, 0 },
    { "BGRx", ALTCLIP_COLOUR_RGB, { BYTE (0, 2, 4), BYTE (0, 1, 4), BYTE (0, 0, 4) }, 8, 0, 0 },
    { "GRAY8", ALTCLIP_COLOUR_GREY, { BYTE (0, 0, 1) }, 8, 0, 0 },
};

static const struct {
    const char *name;
    double kr;
    double kb;
} matrices[] = { { "bt601", 0.299, 0.114 }, { "bt709", 0.2126, 0.0722 },
    { "bt2020", 0.2627, 0.0593 } };

static const guint sizes[][2] = { { 1, 1 }, { 2, 2 }, { 3, 5 }, { 4, 4 }, { 17, 9 }, { 64, 48 },
    { 65, 47 } };

/* A frame whose planes are blocks of their own, so that a checker sees every read outside. */
typedef struct {
    AltclipFrameFormat format;
    AltclipFrameData data;
    guint8 *blocks[ALTCLIP_FRAME_MAX_PLANES];
} Frame;

static guint
get_n_components (const AltclipFrameFormat *format)
{
    return format->colour == ALTCLIP_COLOUR_GREY ? 1 : 3;
}

static guint
get_width (const AltclipFrameFormat *format, guint component)
{
    return component ? (format->width + format->chroma_x_shift) >> format->chroma_x_shift
                     : format->width;
}

static guint
get_height (const AltclipFrameFormat *format, guint component)
{
    return component ? (format->height + format->chroma_y_shift) >> format->chroma_y_shift
                     : format->height;
}

static void
frame_init (Frame *frame, const AltclipFrameFormat *format, GRand *random)
{
    gsize n_bytes[ALTCLIP_FRAME_MAX_PLANES] = { 0 };

    memset (frame, 0, sizeof *frame);
    frame->format = *format;
    for (guint i = 0; i < get_n_components (format); i++) {
        const AltclipFrameComponent *c = &format->components[i];
        gsize row = c->offset + (gsize)(get_width (format, i) - 1) * c->stride +
                    (format->bits > 8 ? 2 : 1);

        frame->data.strides[c->plane] = MAX (frame->data.strides[c->plane], row);
        n_bytes[c->plane] = frame->data.strides[c->plane] * (get_height (format, i) - 1) +
                            frame->data.strides[c->plane];
    }
    for (guint p = 0; p < ALTCLIP_FRAME_MAX_PLANES; p++) {
        frame->blocks[p] = n_bytes[p] ? g_malloc (n_bytes[p]) : NULL;
        frame->data.planes[p] = frame->blocks[p];
        for (gsize i = 0; i < n_bytes[p]; i++)
            frame->blocks[p][i] = (guint8)g_rand_int (random);
    }
}

static void
frame_clear (Frame *frame)
{
    for (guint p = 0; p < ALTCLIP_FRAME_MAX_PLANES; p++)
        g_free (frame->blocks[p]);
}

static double
get_sample (const Frame *frame, guint component, guint x, guint y)
{
    const AltclipFrameComponent *c = &frame->format.components[component];
    const guint8 *at = frame->data.planes[c->plane] + y * frame->data.strides[c->plane] +
                       c->offset + (gsize)x * c->stride;

    if (frame->format.bits == 8)
        return *at;
    return ((at[0] | at[1] << 8) >> c->shift) & ((1 << frame->format.bits) - 1);
}

static double
get_exact_sample (gconstpointer data, guint component, guint x, guint y)
{
    return get_sample (data, component, x, y);
}

static ExactFrame
make_exact (const Frame *frame)
{
    const AltclipFrameFormat *format = &frame->format;

    return (ExactFrame){ format->width, format->height, format->colour == ALTCLIP_COLOUR_YCBCR,
        format->colour == ALTCLIP_COLOUR_GREY, format->bits, format->full_range, format->kr,
        format->kb, format->chroma_x_shift, format->chroma_y_shift, format->chroma_x_cosited,
        format->chroma_y_cosited, frame->data.interlaced, get_exact_sample, frame };
}

/* ---- Tests ----------------------------------------------------------------------------------- */

/* Rounding to whole numbers is ½; that of the fixed point is little. */
#define LARGEST_DIFFERENCE 0.54

static void
check_row (const Frame *frame, AltclipFrameReader *reader, guint left, guint n, guint y)
{
    g_autofree gint16 *rows = g_new (gint16, 3 * n);
    gint16 *const out[3] = { rows, rows + n, rows + 2 * n };
    guint n_planes = get_n_components (&frame->format);
    ExactFrame exact = make_exact (frame);

    altclip_frame_reader_read (reader, &frame->data, y, out);
    for (guint x = 0; x < n; x++) {
        double rgb[3];

        exact_convert (&exact, left + x, y, rgb);
        for (guint c = 0; c < n_planes; c++)
            g_assert_cmpfloat (fabs (out[c][x] - rgb[c]), <=, LARGEST_DIFFERENCE);
    }
}

/* Columns @left to before left + n, and the one before them if it shares their chroma. */
static void
check_frame (const Frame *frame, guint left, guint n)
{
    guint lead = left & frame->format.chroma_x_shift;
    AltclipFrameReader *reader;

    left -= lead;
    n += lead;
    reader = altclip_frame_reader_new (&frame->format, left, n, FALSE);
    g_assert_nonnull (reader);
    for (guint y = 0; y < frame->format.height; y++)
        check_row (frame, reader, left, n, y);
    altclip_frame_reader_free (reader);
}

static void
check_format (const AltclipFrameFormat *format, GRand *random)
{
    GError *error = NULL;

    g_assert_true (altclip_frame_format_check (format, &error));
    g_assert_no_error (error);
    for (guint interlaced = 0; interlaced < 2; interlaced++) {
        Frame frame;

        frame_init (&frame, format, random);
        frame.data.interlaced = interlaced;
        check_frame (&frame, 0, format->width);
        check_frame (&frame, format->width - 1, 1);
        check_frame (&frame, format->width / 3, format->width - format->width / 3);
        check_frame (&frame, 0, (format->width + 1) / 2);
        frame_clear (&frame);
    }
}

static AltclipFrameFormat
make_format (const Form *form, guint width, guint height)
{
    AltclipFrameFormat format = { .width = width,
        .height = height,
        .colour = form->colour,
        .bits = form->bits,
        .kr = 0.299,
        .kb = 0.114,
        .chroma_x_shift = form->x_shift,
        .chroma_y_shift = form->y_shift };

    memcpy (format.components, form->components, sizeof format.components);
    return format;
}

static void
test_form (gconstpointer data)
{
    const Form *form = data;
    g_autoptr (GRand) random = g_rand_new_with_seed (7);

    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
        AltclipFrameFormat format = make_format (form, sizes[s][0], sizes[s][1]);

        for (guint m = 0; m < G_N_ELEMENTS (matrices); m++) {
            for (guint variant = 0; variant < 8; variant++) {
                format.kr = matrices[m].kr;
                format.kb = matrices[m].kb;
                format.full_range = variant & 1;
                format.chroma_x_cosited = (variant & 2) != 0;
                format.chroma_y_cosited = (variant & 4) != 0;
                check_format (&format, random);
            }
        }
    }
}

static const AltclipPreprocessorConfig config = {
    .do_resize = TRUE,
    .shortest_edge = 24,
    .resample = ALTCLIP_RESAMPLE_BICUBIC,
    .do_center_crop = TRUE,
    .crop_height = 24,
    .crop_width = 24,
    .do_rescale = TRUE,
    .rescale_factor = 1.0 / 255.0,
};

/* What the plan makes of a part of a frame is what it makes of the part's RGB picture, but for
 * the last digit: a picture's conversion is rounded, as the frame's is. */
static void
check_plan (const AltclipFrameFormat *format, const AltclipRectangle *part, guint num_channels,
        GRand *random)
{
    gsize n = (gsize)num_channels * 24 * 24;
    g_autofree float *found = g_new (float, n);
    g_autofree float *expected = g_new (float, n);
    g_autofree guint8 *rgb = g_malloc (3 * (gsize)part->width * part->height);
    g_autoptr (AltclipImagePlan) plan = NULL;
    g_autoptr (AltclipImagePlan) rgb_plan = NULL;
    GError *error = NULL;
    Frame frame;
    ExactFrame exact_frame;

    frame_init (&frame, format, random);
    exact_frame = make_exact (&frame);
    for (guint y = 0; y < part->height; y++) {
        for (guint x = 0; x < part->width; x++) {
            double exact[3];

            exact_convert (&exact_frame, part->x + x, part->y + y, exact);
            for (guint c = 0; c < 3; c++)
                rgb[3 * ((gsize)y * part->width + x) + c] = (guint8)lrint (exact[c]);
        }
    }
    plan = altclip_image_plan_new_for_frames_and_config (
            &config, num_channels, 24, format, part, &error);
    g_assert_no_error (error);
    rgb_plan = altclip_image_plan_new_for_config (
            &config, num_channels, part->width, part->height, &ALTCLIP_PIXEL_LAYOUT_RGB, &error);
    g_assert_no_error (error);
    altclip_image_plan_run_frame (plan, &frame.data, found);
    altclip_image_plan_run (rgb_plan, rgb, 3 * (gsize)part->width, expected);
    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat (fabsf (found[i] - expected[i]), <=, 2.01f / 255.0f);
    frame_clear (&frame);
}

static void
test_plans (void)
{
    static const AltclipRectangle parts[] = { { 0, 0, 160, 90 }, { 1, 1, 33, 57 },
        { 40, 20, 2, 60 }, { 159, 89, 1, 1 }, { 64, 0, 96, 90 } };
    g_autoptr (GRand) random = g_rand_new_with_seed (8);

    for (guint f = 0; f < G_N_ELEMENTS (forms); f++) {
        AltclipFrameFormat format = make_format (&forms[f], 160, 90);

        for (guint p = 0; p < G_N_ELEMENTS (parts); p++) {
            format.full_range = p % 2;
            check_plan (&format, &parts[p], 3, random);
            check_plan (&format, &parts[p], 1, random);
        }
    }
}

static void
expect_refusal (const AltclipFrameFormat *format, const AltclipRectangle *part, const char *text)
{
    g_autoptr (GError) error = NULL;

    g_assert_null (
            altclip_image_plan_new_for_frames_and_config (&config, 3, 24, format, part, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE);
    g_assert_cmpstr (error->message, ==, text);
}

static void
test_refusals (void)
{
    const AltclipFrameFormat good = make_format (&forms[0], 64, 48);
    AltclipFrameFormat format = good;

    format.width = 65536;
    expect_refusal (&format, NULL,
            "a frame of 65536×48 pixels of 8 bits cannot be used: each side must be 1 to 65535");
    format = good;
    format.bits = 12;
    expect_refusal (&format, NULL,
            "a frame of 64×48 pixels of 12 bits cannot be used: a component must have 8 to 11 "
            "bits");
    format = good;
    format.components[2].plane = 4;
    expect_refusal (&format, NULL,
            "a frame of 64×48 pixels of 8 bits cannot be used: a component lies outside its plane "
            "or its sample");
    format = good;
    format.chroma_x_shift = 2;
    expect_refusal (&format, NULL,
            "a frame of 64×48 pixels of 8 bits cannot be used: chroma may have half the luma's "
            "samples at least");
    format = good;
    format.kb = 0.8;
    expect_refusal (&format, NULL,
            "a frame of 64×48 pixels of 8 bits cannot be used: Kr and Kb must be above 0, and "
            "their sum below 1");
    expect_refusal (&good, &(AltclipRectangle){ 60, 0, 5, 48 },
            "a part of 5×48 pixels at (60, 0) is empty or not within a frame of 64×48");
    expect_refusal (&good, &(AltclipRectangle){ 0, 0, 0, 48 },
            "a part of 0×48 pixels at (0, 0) is empty or not within a frame of 64×48");
    expect_refusal (&good, &(AltclipRectangle){ G_MAXUINT, 0, 2, 48 },
            "a part of 2×48 pixels at (4294967295, 0) is empty or not within a frame of 64×48");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
        g_autofree char *path = g_strdup_printf ("/frame/%s", forms[i].name);
        g_test_add_data_func (path, &forms[i], test_form);
    }
    g_test_add_func ("/frame/plans", test_plans);
    g_test_add_func ("/frame/refusals", test_refusals);
    return g_test_run ();
}
