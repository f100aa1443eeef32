/* altclip: drawn pictures for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "drawing.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

/* ---- Random numbers -------------------------------------------------------------------------- */

/* The finishing steps of the MurmurHash3. */
Chance
chance_from_seed (guint32 seed)
{
    seed ^= seed >> 16;
    seed *= 0x85ebca6bu;
    seed ^= seed >> 13;
    seed *= 0xc2b2ae35u;
    seed ^= seed >> 16;
    return (Chance){ seed };
}

double
chance_uniform (Chance *chance, double from, double to)
{
    chance->state = chance->state * 1664525u + 1013904223u;
    return from + (to - from) * ((chance->state >> 8) * 0x1p-24);
}

guint
chance_below (Chance *chance, guint n)
{
    return MIN ((guint)chance_uniform (chance, 0, n), n - 1);
}

/* ---- Pictures -------------------------------------------------------------------------------- */

void
picture_clear (Picture *picture)
{
    g_clear_pointer (&picture->rgb, g_free);
}

/* A frame of videotestsrc, the one after @skip others. */
Picture
picture_grab (const char *pattern, guint width, guint height, guint skip)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc pattern=%s num-buffers=%u ! video/x-raw,format=RGB,width=%u,height=%u "
            "! appsink name=sink sync=false",
            pattern, skip + 1, width, height);
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
    g_autoptr (GstElement) sink = NULL;
    g_autoptr (GstSample) sample = NULL;
    GstVideoInfo info;
    GstVideoFrame frame;
    Picture picture = { width, height, g_malloc ((gsize)width * height * 3) };

    g_assert_no_error (error);
    sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i <= skip; i++) {
        g_clear_pointer (&sample, gst_sample_unref);
        sample = gst_app_sink_pull_sample (GST_APP_SINK (sink));
        g_assert_nonnull (sample);
    }
    g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
    g_assert_true (
            gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
    for (guint y = 0; y < height; y++)
        memcpy (picture.rgb + (gsize)y * width * 3,
                (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                        (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
                (gsize)width * 3);
    gst_video_frame_unmap (&frame);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    return picture;
}

/* Takes a cairo surface of format RGB24. */
Picture
picture_take_surface (cairo_surface_t *surface)
{
    guint width = (guint)cairo_image_surface_get_width (surface);
    guint height = (guint)cairo_image_surface_get_height (surface);
    Picture picture = { width, height, g_malloc ((gsize)width * height * 3) };
    guint8 *to = picture.rgb;

    cairo_surface_flush (surface);
    for (guint y = 0; y < height; y++) {
        const guint8 *row = cairo_image_surface_get_data (surface) +
                            (gsize)y * (gsize)cairo_image_surface_get_stride (surface);
        for (guint x = 0; x < width; x++) {
            guint32 pixel;
            memcpy (&pixel, row + 4 * (gsize)x, 4);
            *to++ = (guint8)(pixel >> 16);
            *to++ = (guint8)(pixel >> 8);
            *to++ = (guint8)pixel;
        }
    }
    cairo_surface_destroy (surface);
    return picture;
}

static guint8
clamp_byte (double value)
{
    return (guint8)CLAMP (value + 0.5, 0.0, 255.0);
}

/* value · gain + offset + noise, each byte. */
void
picture_adjust (Picture *picture, Chance *chance, double gain, double offset, double noise)
{
    for (gsize i = 0; i < (gsize)picture->width * picture->height * 3; i++)
        picture->rgb[i] = clamp_byte (
                picture->rgb[i] * gain + offset + chance_uniform (chance, -noise, noise));
}

/* One pass of a box filter along rows or columns; three of them make nearly a Gaussian. */
static void
blur_lines (guint8 *data, guint n_lines, gsize line_step, guint n, gsize step, guint radius)
{
    g_autofree guint8 *copy = g_malloc (n);

    for (guint line = 0; line < n_lines; line++) {
        guint8 *at = data + line * line_step;
        guint sum = 0;

        for (guint i = 0; i < n; i++)
            copy[i] = at[i * step];
        for (gint j = -(gint)radius; j <= (gint)radius; j++)
            sum += copy[CLAMP (j, 0, (gint)n - 1)];
        for (guint i = 0; i < n; i++) {
            at[i * step] = (guint8)(sum / (2 * radius + 1));
            sum += copy[MIN (i + radius + 1, n - 1)];
            sum -= copy[i > radius ? i - radius : 0];
        }
    }
}

void
picture_blur (Picture *picture, guint radius)
{
    gsize stride = (gsize)picture->width * 3;

    for (guint pass = 0; pass < 3; pass++) {
        for (guint c = 0; c < 3; c++) {
            blur_lines (picture->rgb + c, picture->height, stride, picture->width, 3, radius);
            blur_lines (picture->rgb + c, picture->width, 3, picture->height, stride, radius);
        }
    }
}

/* ---- Drawn scenes ---------------------------------------------------------------------------- */

static void
set_random_colour (Chance *chance, cairo_t *cr, double darkest, double brightest)
{
    cairo_set_source_rgb (cr, chance_uniform (chance, darkest, brightest),
            chance_uniform (chance, darkest, brightest),
            chance_uniform (chance, darkest, brightest));
}

static void
draw_house (Chance *chance, cairo_t *cr, double left, double ground, double width, double height)
{
    set_random_colour (chance, cr, 0.3, 0.9);
    cairo_rectangle (cr, left, ground - height, width, height);
    cairo_fill (cr);
    set_random_colour (chance, cr, 0.1, 0.5);
    cairo_move_to (cr, left - 0.1 * width, ground - height);
    cairo_line_to (cr, left + 0.5 * width, ground - 1.5 * height);
    cairo_line_to (cr, left + 1.1 * width, ground - height);
    cairo_fill (cr);
    cairo_set_source_rgb (cr, 0.9, 0.9, 0.6);
    for (guint i = 0; i < 4; i++) {
        cairo_rectangle (cr, left + width * (0.15 + 0.45 * (i % 2)),
                ground - height * (0.9 - 0.45 * (i / 2)), 0.25 * width, 0.25 * height);
        cairo_fill (cr);
    }
}

static void
draw_tree (Chance *chance, cairo_t *cr, double x, double ground, double height)
{
    cairo_set_source_rgb (cr, 0.35, 0.22, 0.1);
    cairo_rectangle (cr, x - 0.05 * height, ground - 0.5 * height, 0.1 * height, 0.5 * height);
    cairo_fill (cr);
    cairo_set_source_rgb (cr, chance_uniform (chance, 0.05, 0.3),
            chance_uniform (chance, 0.35, 0.6), chance_uniform (chance, 0.05, 0.25));
    for (guint i = 0; i < 5; i++) {
        cairo_arc (cr, x + chance_uniform (chance, -0.2, 0.2) * height,
                ground - chance_uniform (chance, 0.5, 0.9) * height,
                chance_uniform (chance, 0.12, 0.25) * height, 0, 2 * G_PI);
        cairo_fill (cr);
    }
}

static void
draw_street (Chance *chance, cairo_t *cr, double w, double h)
{
    cairo_pattern_t *sky = cairo_pattern_create_linear (0, 0, 0, h);

    cairo_pattern_add_color_stop_rgb (sky, 0, 0.3, 0.5, 0.85);
    cairo_pattern_add_color_stop_rgb (sky, 0.7, 0.8, 0.87, 0.95);
    cairo_set_source (cr, sky);
    cairo_paint (cr);
    cairo_pattern_destroy (sky);
    cairo_set_source_rgb (cr, chance_uniform (chance, 0.3, 0.5), chance_uniform (chance, 0.35, 0.5),
            chance_uniform (chance, 0.25, 0.4));
    cairo_rectangle (cr, 0, 0.65 * h, w, 0.35 * h);
    cairo_fill (cr);
    for (guint i = 0; i < 5; i++)
        draw_house (chance, cr, w * (0.22 * i + chance_uniform (chance, -0.05, 0.05)),
                h * chance_uniform (chance, 0.66, 0.75), h * chance_uniform (chance, 0.2, 0.35),
                h * chance_uniform (chance, 0.15, 0.3));
    for (guint i = 0; i < 4; i++)
        draw_tree (chance, cr, chance_uniform (chance, 0, w),
                h * chance_uniform (chance, 0.72, 0.9), h * chance_uniform (chance, 0.2, 0.4));
}

static void
draw_shelves (Chance *chance, cairo_t *cr, double w, double h)
{
    set_random_colour (chance, cr, 0.5, 0.8);
    cairo_paint (cr);
    for (guint row = 0; row < 4; row++) {
        double y = h * (0.22 + 0.25 * row);
        double x = 0;

        cairo_set_source_rgb (cr, 0.3, 0.2, 0.12);
        cairo_rectangle (cr, 0, y, w, 0.03 * h);
        cairo_fill (cr);
        while (x < w) {
            double width = h * chance_uniform (chance, 0.04, 0.12);
            double height = h * chance_uniform (chance, 0.08, 0.18);
            set_random_colour (chance, cr, 0.1, 0.9);
            cairo_rectangle (cr, x, y - height, width * 0.9, height);
            cairo_fill (cr);
            x += width;
        }
    }
    cairo_set_source_rgb (cr, 0.05, 0.05, 0.05);
    cairo_set_font_size (cr, 0.08 * h);
    cairo_move_to (cr, 0.3 * w, 0.97 * h);
    cairo_show_text (cr, "Aisle 4  10:42:07");
}

Picture
drawing_make_scene (Chance *chance, guint width, guint height)
{
    cairo_surface_t *surface =
            cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cr = cairo_create (surface);

    if (chance_below (chance, 2))
        draw_street (chance, cr, width, height);
    else
        draw_shelves (chance, cr, width, height);
    cairo_destroy (cr);
    return picture_take_surface (surface);
}

Picture
drawing_make_checkerboard (Chance *chance, guint width, guint height)
{
    cairo_surface_t *surface =
            cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cr = cairo_create (surface);
    double cell = height / chance_uniform (chance, 5, 12);

    cairo_set_source_rgb (cr, 0.95, 0.95, 0.95);
    cairo_paint (cr);
    cairo_set_source_rgb (cr, 0.05, 0.05, 0.05);
    for (guint y = 0; y * cell < height; y++) {
        for (guint x = y % 2; x * cell < width; x += 2) {
            cairo_rectangle (cr, x * cell, y * cell, cell, cell);
            cairo_fill (cr);
        }
    }
    cairo_destroy (cr);
    return picture_take_surface (surface);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static const double COLOURS[DRAWING_N_COLOURS][3] = {
    { 0.90, 0.08, 0.08 }, /* red */
    { 1.00, 0.55, 0.05 }, /* orange */
    { 0.98, 0.90, 0.10 }, /* yellow */
    { 0.10, 0.65, 0.15 }, /* green */
    { 0.10, 0.85, 0.90 }, /* cyan */
    { 0.10, 0.20, 0.90 }, /* blue */
    { 0.55, 0.10, 0.75 }, /* purple */
    { 0.97, 0.97, 0.97 }, /* white */
};

static void
trace_polygon (cairo_t *cr, guint n, double outer, double inner)
{
    for (guint i = 0; i < 2 * n; i++) {
        double radius = i % 2 ? inner : outer;
        double angle = G_PI * i / n - G_PI / 2;
        cairo_line_to (cr, radius * cos (angle), radius * sin (angle));
    }
    cairo_close_path (cr);
}

/* Fills a shape of radius 1 around the origin. */
static void
fill_shape (Chance *chance, cairo_t *cr, guint shape)
{
    double arm = chance_uniform (chance, 0.25, 0.36);

    cairo_new_path (cr);
    switch (shape) {
    case 0:
        cairo_arc (cr, 0, 0, 1, 0, 2 * G_PI);
        break;
    case 1:
        cairo_rectangle (cr, -0.85, -0.85, 1.7, 1.7);
        break;
    case 2:
        trace_polygon (cr, 3, 1.0, 0.5);
        break;
    case 3:
        trace_polygon (cr, 5, 1.0, chance_uniform (chance, 0.36, 0.44));
        break;
    case 4:
        cairo_rectangle (cr, -1, -arm, 2, 2 * arm);
        cairo_rectangle (cr, -arm, -1, 2 * arm, 2);
        break;
    default:
        cairo_set_line_width (cr, chance_uniform (chance, 0.22, 0.4));
        cairo_arc (cr, 0, 0, 0.82, 0, 2 * G_PI);
        cairo_stroke (cr);
        return;
    }
    cairo_fill (cr);
}

static double
colour_distance (const double *a, const double *b)
{
    return fabs (a[0] - b[0]) + fabs (a[1] - b[1]) + fabs (a[2] - b[2]);
}

/* Mostly dull colours, now and then a strong one, none near the shape's. */
static void
pick_background (Chance *chance, const double *shape_colour, double out[3])
{
    do {
        double grey = chance_uniform (chance, 0.05, 0.95);
        double spread = chance_below (chance, 4) == 0 ? 0.5 : 0.12;
        for (guint i = 0; i < 3; i++)
            out[i] = CLAMP (grey + chance_uniform (chance, -spread, spread), 0.0, 1.0);
    } while (colour_distance (shape_colour, out) < 0.7);
}

static void
paint_background (Chance *chance, cairo_t *cr, const double *shape_colour, DrawingGround ground,
        double w, double h)
{
    double first[3];
    double second[3];
    cairo_pattern_t *gradient;

    pick_background (chance, shape_colour, first);
    cairo_set_source_rgb (cr, first[0], first[1], first[2]);
    cairo_paint (cr);
    if (ground == DRAWING_GROUND_GRADIENT) {
        pick_background (chance, shape_colour, second);
        gradient = cairo_pattern_create_linear (0, 0, chance_uniform (chance, 0, w), h);
        cairo_pattern_add_color_stop_rgb (gradient, 0, first[0], first[1], first[2]);
        cairo_pattern_add_color_stop_rgb (gradient, 1, second[0], second[1], second[2]);
        cairo_set_source (cr, gradient);
        cairo_paint (cr);
        cairo_pattern_destroy (gradient);
    }
    if (ground == DRAWING_GROUND_TEXTURED) {
        cairo_set_line_width (cr, h * 0.02);
        cairo_set_source_rgb (cr, CLAMP (first[0] + 0.08, 0, 1), CLAMP (first[1] + 0.08, 0, 1),
                CLAMP (first[2] + 0.08, 0, 1));
        for (double x = -h; x < w; x += 0.06 * h) {
            cairo_move_to (cr, x, 0);
            cairo_line_to (cr, x + h, h);
            cairo_stroke (cr);
        }
    }
}

/* One shape, or two or three side by side, within the square that the crop keeps. */
static void
draw_shapes (Chance *chance, cairo_t *cr, guint colour, guint shape, double w, double h)
{
    double edge = MIN (w, h);
    guint n = chance_below (chance, 3) == 0 ? 2 + chance_below (chance, 2) : 1;
    double rgb[3];

    for (guint i = 0; i < 3; i++)
        rgb[i] = CLAMP (COLOURS[colour][i] + chance_uniform (chance, -0.04, 0.04), 0.0, 1.0);
    for (guint i = 0; i < n; i++) {
        double radius = edge * (n == 1 ? chance_uniform (chance, 0.12, 0.4)
                                       : chance_uniform (chance, 0.1, 0.3 / (n - 0.5)));
        double room = edge / n;
        double slack_x = MAX (0.0, (room - 2 * radius) / 2);
        double slack_y = MAX (0.0, (edge - 2 * radius) / 2);

        cairo_save (cr);
        cairo_translate (cr,
                w / 2 - edge / 2 + room * (i + 0.5) +
                        chance_uniform (chance, -slack_x, slack_x) * 0.8,
                h / 2 + chance_uniform (chance, -slack_y, slack_y) * 0.8);
        cairo_scale (cr, radius, radius);
        cairo_rotate (cr, chance_uniform (chance, -0.25, 0.25));
        cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
        fill_shape (chance, cr, shape);
        cairo_restore (cr);
    }
}

Picture
drawing_make_shapes (
        Chance *chance, guint colour, guint shape, DrawingGround ground, guint width, guint height)
{
    cairo_surface_t *surface =
            cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cr = cairo_create (surface);
    Picture picture;

    paint_background (chance, cr, COLOURS[colour], ground, width, height);
    draw_shapes (chance, cr, colour, shape, width, height);
    cairo_destroy (cr);
    picture = picture_take_surface (surface);
    if (ground == DRAWING_GROUND_NOISY)
        picture_adjust (&picture, chance, 1.0, 0.0, 40.0);
    return picture;
}
