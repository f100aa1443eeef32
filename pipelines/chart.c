/* altclip: a timeline as a picture or a page
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "chart.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#define SECOND 1e9

/* In pixels. */
#define WIDTH 1200
#define LEFT 190 /* of the lanes, with the labels before them */
#define RIGHT 130
#define LANES (WIDTH - LEFT - RIGHT)
#define TITLE 46
#define PICTURES 84 /* high, with their times */
#define PICTURE_WIDTH 104
#define PICTURE_HEIGHT 62
#define LANE 46
#define GAP 12
#define SPAN 7 /* a bar below the scores */
#define AXIS 40
#define TEXT 13
#define SMALL 11

#define GROUND 0xffffff
#define INK 0x202428
#define FAINT 0xd8dce0
#define PALE 0x6a7278

/* Okabe and Ito's, dark enough for white ground. */
static const guint32 colours[] = { 0x0072b2, 0xd55e00, 0x009e73, 0xb5609a, 0xb07700, 0x3a8fc0 };

typedef struct {
    const Timeline *timeline;
    cairo_t *cairo;
    PangoLayout *layout;
    double low; /* score at the bottom of a lane */
    double high;
    double end; /* of the axis, in seconds */
} Chart;

gboolean
chart_parse_format (const char *path, ChartFormat *format)
{
    static const struct {
        const char *suffix;
        ChartFormat format;
    } formats[] = { { ".svg", CHART_SVG }, { ".png", CHART_PNG }, { ".html", CHART_HTML } };

    for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
        if (g_str_has_suffix (path, formats[i].suffix)) {
            *format = formats[i].format;
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- Strokes --------------------------------------------------------------------------------- */

static void
set_colour (cairo_t *cairo, guint32 colour, double opacity)
{
    cairo_set_source_rgba (cairo, (colour >> 16) / 255.0, (colour >> 8 & 0xff) / 255.0,
            (colour & 0xff) / 255.0, opacity);
}

static void
fill (const Chart *chart, guint32 colour, double x, double y, double width, double height)
{
    set_colour (chart->cairo, colour, 1.0);
    cairo_rectangle (chart->cairo, x, y, width, height);
    cairo_fill (chart->cairo);
}

static void
draw_line (const Chart *chart, guint32 colour, double x, double y, double to_x, double to_y)
{
    set_colour (chart->cairo, colour, 1.0);
    cairo_set_line_width (chart->cairo, 1.0);
    cairo_move_to (chart->cairo, x, y);
    cairo_line_to (chart->cairo, to_x, to_y);
    cairo_stroke (chart->cairo);
}

/* @place: 0: @x is at the left of the text, 0.5: in its middle, 1: at its right
 * @width: at most */
static void
draw_text (const Chart *chart, const char *text, double size, guint32 colour, double x, double y,
        double place, double width)
{
    PangoFontDescription *font = pango_font_description_from_string ("Sans");
    PangoRectangle extents;

    pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
    pango_layout_set_font_description (chart->layout, font);
    pango_font_description_free (font);
    pango_layout_set_text (chart->layout, text, -1);
    pango_layout_set_width (chart->layout, -1);
    pango_layout_get_extents (chart->layout, NULL, &extents);
    if (extents.width > width * PANGO_SCALE) {
        pango_layout_set_width (chart->layout, (int)(width * PANGO_SCALE));
        pango_layout_get_extents (chart->layout, NULL, &extents);
        extents.width = (int)(width * PANGO_SCALE);
    }
    set_colour (chart->cairo, colour, 1.0);
    cairo_move_to (chart->cairo, x - place * extents.width / PANGO_SCALE,
            y - extents.height / PANGO_SCALE / 2.0);
    pango_cairo_update_layout (chart->cairo, chart->layout);
    pango_cairo_layout_path (chart->cairo, chart->layout);
    cairo_fill (chart->cairo);
}

/* Returns: (transfer full): as 1:02:03, or 2:03; with tenths where @tenths */
static char *
format_time (double seconds, gboolean tenths)
{
    guint64 all = (guint64)llround (seconds * 10.0);
    guint64 whole = all / 10;
    g_autofree char *fraction = tenths ? g_strdup_printf (".%u", (guint)(all % 10)) : g_strdup ("");

    if (whole >= 3600)
        return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u:%02u%s", whole / 3600,
                (guint)(whole / 60 % 60), (guint)(whole % 60), fraction);
    return g_strdup_printf ("%u:%02u%s", (guint)(whole / 60), (guint)(whole % 60), fraction);
}

static double
get_x (const Chart *chart, double seconds)
{
    return LEFT + LANES * seconds / chart->end;
}

/* ---- Pictures -------------------------------------------------------------------------------- */

static void
draw_picture (const Chart *chart, const TimelinePicture *picture, double x, double y)
{
    double scale = fmin (PICTURE_WIDTH / (double)gdk_pixbuf_get_width (picture->picture),
            PICTURE_HEIGHT / (double)gdk_pixbuf_get_height (picture->picture));
    g_autofree char *time = format_time ((double)picture->time / SECOND, FALSE);
    g_autoptr (GdkPixbuf) small = gdk_pixbuf_scale_simple (picture->picture,
            (int)fmax (1.0, 2.0 * scale * gdk_pixbuf_get_width (picture->picture)),
            (int)fmax (1.0, 2.0 * scale * gdk_pixbuf_get_height (picture->picture)),
            GDK_INTERP_BILINEAR);
    double width = gdk_pixbuf_get_width (small) / 2.0;
    double height = gdk_pixbuf_get_height (small) / 2.0;
    cairo_surface_t *surface = cairo_image_surface_create (
            CAIRO_FORMAT_RGB24, gdk_pixbuf_get_width (small), gdk_pixbuf_get_height (small));
    const guint8 *from = gdk_pixbuf_read_pixels (small);
    guint8 *to = cairo_image_surface_get_data (surface);

    for (int row = 0; row < gdk_pixbuf_get_height (small); row++) {
        const guint8 *pixel = from + (gsize)row * gdk_pixbuf_get_rowstride (small);
        guint32 *pixels = (gpointer)(to + (gsize)row * cairo_image_surface_get_stride (surface));

        for (int column = 0; column < gdk_pixbuf_get_width (small); column++, pixel += 3)
            pixels[column] = (guint32)pixel[0] << 16 | (guint32)pixel[1] << 8 | pixel[2];
    }
    cairo_surface_mark_dirty (surface);
    cairo_save (chart->cairo);
    cairo_translate (chart->cairo, x - width / 2.0, y + PICTURE_HEIGHT - height);
    cairo_scale (chart->cairo, 0.5, 0.5);
    cairo_set_source_surface (chart->cairo, surface, 0, 0);
    cairo_paint (chart->cairo);
    cairo_restore (chart->cairo);
    cairo_surface_destroy (surface);
    draw_text (chart, time, SMALL, PALE, x, y + PICTURE_HEIGHT + 9, 0.5, PICTURE_WIDTH);
}

/* As many as there is room for, each in the middle of its place, of the time there. */
static void
draw_pictures (const Chart *chart, double y)
{
    const GArray *pictures = chart->timeline->pictures;
    guint n = MIN (pictures->len, LANES / (PICTURE_WIDTH + 4));

    for (guint i = 0; i < n; i++) {
        double seconds = chart->end * (i + 0.5) / n;
        const TimelinePicture *nearest = NULL;

        for (guint j = 0; j < pictures->len; j++) {
            const TimelinePicture *picture = &g_array_index (pictures, TimelinePicture, j);

            if (!nearest || fabs ((double)picture->time / SECOND - seconds) <
                                    fabs ((double)nearest->time / SECOND - seconds))
                nearest = picture;
        }
        draw_picture (chart, nearest, get_x (chart, seconds), y);
    }
}

/* ---- Lanes ----------------------------------------------------------------------------------- */

static double
get_y (const Chart *chart, double score, double top)
{
    double share = (score - chart->low) / (chart->high - chart->low);

    return top + LANE * (1.0 - CLAMP (share, 0.0, 1.0));
}

/* Of the frames in a column of pixels the highest, so that nothing is too short to be seen. Frames
 * of which nothing is known leave a hole. */
static void
draw_scores (const Chart *chart, guint label, double top, guint32 colour)
{
    const Timeline *timeline = chart->timeline;
    cairo_t *cairo = chart->cairo;
    double last_x = NAN;
    guint i = 0;

    cairo_new_path (cairo);
    while (i < timeline->times->len) {
        double x =
                floor (get_x (chart, (double)g_array_index (timeline->times, guint64, i) / SECOND));
        double score = -INFINITY;

        for (; i < timeline->times->len; i++) {
            double seconds = (double)g_array_index (timeline->times, guint64, i) / SECOND;

            if (floor (get_x (chart, seconds)) > x)
                break;
            score = fmax (score, timeline_get_score (timeline, i, label));
        }
        if (!isfinite (score))
            continue;
        if (isnan (last_x))
            cairo_move_to (cairo, x, top + LANE);
        cairo_line_to (cairo, x, get_y (chart, score, top));
        last_x = x;
    }
    if (isnan (last_x))
        return;
    cairo_line_to (cairo, last_x + 1.0, top + LANE);
    cairo_close_path (cairo);
    set_colour (cairo, colour, 0.35);
    cairo_fill_preserve (cairo);
    set_colour (cairo, colour, 0.9);
    cairo_set_line_width (cairo, 1.0);
    cairo_stroke (cairo);
}

static void
draw_threshold (const Chart *chart, guint label, double top)
{
    double y = get_y (chart, chart->timeline->rules[label].threshold, top);

    cairo_set_dash (chart->cairo, (const double[]){ 4.0, 3.0 }, 2, 0.0);
    draw_line (chart, PALE, LEFT, y, LEFT + LANES, y);
    cairo_set_dash (chart->cairo, NULL, 0, 0.0);
}

static void
draw_spans (const Chart *chart, guint label, double top, guint32 colour)
{
    const GArray *spans = chart->timeline->spans;
    double all = 0.0;
    guint n = 0;
    g_autofree char *text = NULL;
    g_autofree char *time = NULL;

    for (guint i = 0; i < spans->len; i++) {
        const TimelineSpan *span = &g_array_index (spans, TimelineSpan, i);
        double begin = (double)span->begin / SECOND;
        double end = (double)span->end / SECOND;

        if (span->label != label)
            continue;
        n++;
        all += end - begin;
        fill (chart, colour, get_x (chart, begin), top + LANE,
                fmax (2.0, LANES * (end - begin) / chart->end), SPAN);
    }
    if (n == 0)
        return;
    time = format_time (all, TRUE);
    text = g_strdup_printf ("%u ×, %s", n, time);
    draw_text (chart, text, TEXT, INK, LEFT + LANES + 10, top + LANE / 2.0, 0.0, RIGHT - 14);
}

static void
draw_lane (const Chart *chart, guint label, double top)
{
    guint32 colour = colours[label % G_N_ELEMENTS (colours)];

    draw_line (chart, FAINT, LEFT, top + LANE + 0.5, LEFT + LANES, top + LANE + 0.5);
    draw_scores (chart, label, top, colour);
    draw_threshold (chart, label, top);
    draw_spans (chart, label, top, colour);
    draw_text (chart, altclip_prompts_get_label (chart->timeline->prompts, label), TEXT, INK,
            LEFT - 12, top + LANE / 2.0, 1.0, LEFT - 24);
}

/* ---- The axis of time ------------------------------------------------------------------------ */

/* Seconds between two ticks: a dozen at most. */
static double
get_step (double end)
{
    static const double steps[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
        1800, 3600, 7200, 14400, 43200, 86400 };
    gsize i = 0;

    while (i + 1 < G_N_ELEMENTS (steps) && end / steps[i] > 12.0)
        i++;
    return fmax (steps[i], pow (2.0, ceil (log2 (end / 12.0 / steps[i]))) * steps[i]);
}

static void
draw_axis (const Chart *chart, double top, double bottom)
{
    double step = get_step (chart->end);

    for (guint i = 0; i * step <= chart->end * 1.0001; i++) {
        double x = floor (get_x (chart, i * step)) + 0.5;
        g_autofree char *time = format_time (i * step, step < 1.0);

        draw_line (chart, FAINT, x, top, x, bottom + 5);
        draw_text (chart, time, SMALL, PALE, x, bottom + 16, 0.5, 80);
    }
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int
get_height (const Timeline *timeline)
{
    return TITLE + PICTURES + (int)timeline->n_labels * (LANE + SPAN + GAP) + AXIS;
}

/* Shares are from 0 to 1; cosines of a model lie close together, and where is its own affair. */
static void
set_scale (Chart *chart)
{
    const Timeline *timeline = chart->timeline;

    chart->low = 0.0;
    chart->high = 1.0;
    if (timeline->mode != ALTCLIP_SCORE_COSINE)
        return;
    chart->low = INFINITY;
    chart->high = -INFINITY;
    for (guint i = 0; i < timeline->scores->len; i++) {
        double score = g_array_index (timeline->scores, double, i);

        if (isnan (score))
            continue;
        chart->low = fmin (chart->low, score);
        chart->high = fmax (chart->high, score);
    }
    chart->low = floor (chart->low * 10.0 - 0.01) / 10.0;
    chart->high = ceil (chart->high * 10.0 + 0.01) / 10.0;
}

static void
draw (const Timeline *timeline, const char *title, cairo_surface_t *surface)
{
    Chart chart = { .timeline = timeline, .cairo = cairo_create (surface) };
    double top = TITLE + PICTURES;
    double bottom = get_height (timeline) - AXIS;

    chart.end = fmax ((double)timeline_get_end (timeline) / SECOND, 0.04);
    chart.layout = pango_cairo_create_layout (chart.cairo);
    pango_layout_set_single_paragraph_mode (chart.layout, TRUE);
    pango_layout_set_ellipsize (chart.layout, PANGO_ELLIPSIZE_END);
    set_scale (&chart);
    fill (&chart, GROUND, 0, 0, WIDTH, get_height (timeline));
    draw_text (&chart, title, 18, INK, 20, TITLE / 2.0, 0.0, WIDTH - 40);
    draw_pictures (&chart, TITLE);
    draw_axis (&chart, top, bottom);
    for (guint i = 0; i < timeline->n_labels; i++)
        draw_lane (&chart, i, top + i * (LANE + SPAN + GAP));
    g_object_unref (chart.layout);
    cairo_destroy (chart.cairo);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static cairo_status_t
append (void *closure, const unsigned char *data, unsigned int length)
{
    g_string_append_len (closure, (const char *)data, (gssize)length);
    return CAIRO_STATUS_SUCCESS;
}

static cairo_status_t
make_svg (const Timeline *timeline, const char *title, GString *bytes)
{
    cairo_surface_t *surface =
            cairo_svg_surface_create_for_stream (append, bytes, WIDTH, get_height (timeline));
    cairo_status_t status;

    cairo_svg_surface_set_document_unit (surface, CAIRO_SVG_UNIT_PX);
    draw (timeline, title, surface);
    cairo_surface_finish (surface);
    status = cairo_surface_status (surface);
    cairo_surface_destroy (surface);
    return status;
}

static cairo_status_t
make_png (const Timeline *timeline, const char *title, GString *bytes)
{
    cairo_surface_t *surface =
            cairo_image_surface_create (CAIRO_FORMAT_RGB24, WIDTH, get_height (timeline));
    cairo_status_t status;

    draw (timeline, title, surface);
    status = cairo_surface_write_to_png_stream (surface, append, bytes);
    cairo_surface_destroy (surface);
    return status;
}

static void
append_table (const Timeline *timeline, GString *page)
{
    g_string_append (page, "<table>\n<tr><th>label<th>from<th>to<th>seconds<th>highest score\n");
    for (guint i = 0; i < timeline->spans->len; i++) {
        const TimelineSpan *span = &g_array_index (timeline->spans, TimelineSpan, i);
        g_autofree char *label = g_markup_escape_text (
                altclip_prompts_get_label (timeline->prompts, span->label), -1);
        g_autofree char *begin = format_time ((double)span->begin / SECOND, TRUE);
        g_autofree char *end = format_time ((double)span->end / SECOND, TRUE);
        guint64 tenths = (span->end - span->begin + 50000000) / 100000000;
        int peak = (int)lround (span->peak * 100.0);

        g_string_append_printf (page,
                "<tr><td dir=\"auto\">%s<td>%s<td>%s<td>%" G_GUINT64_FORMAT ".%u<td>%s%d.%02d\n",
                label, begin, end, tenths / 10, (guint)(tenths % 10), peak < 0 ? "−" : "",
                abs (peak) / 100, abs (peak) % 100);
    }
    g_string_append (page, "</table>\n");
}

static cairo_status_t
make_page (const Timeline *timeline, const char *title, GString *page)
{
    g_autofree char *escaped = g_markup_escape_text (title, -1);
    g_autoptr (GString) svg = g_string_new (NULL);
    cairo_status_t status = make_svg (timeline, title, svg);
    const char *drawing = strstr (svg->str, "<svg");

    g_string_append_printf (page,
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n"
            "<style>body { font: 15px sans-serif; margin: 0 auto; max-width: %dpx; color: #202428 }"
            " svg { width: 100%%; height: auto } table { border-collapse: collapse; margin: 20px }"
            " th, td { text-align: left; padding: 4px 18px 4px 0; border-bottom: 1px solid #d8dce0 "
            "}</style>\n</head>\n<body>\n%s",
            escaped, WIDTH, drawing ? drawing : "");
    append_table (timeline, page);
    g_string_append (page, "</body>\n</html>\n");
    return status;
}

gboolean
chart_write (const Timeline *timeline, const char *title, ChartFormat format, const char *path,
        GError **error)
{
    static cairo_status_t (*const makers[]) (const Timeline *, const char *, GString *) = {
        [CHART_SVG] = make_svg, [CHART_PNG] = make_png, [CHART_HTML] = make_page
    };
    g_autoptr (GString) bytes = g_string_new (NULL);
    g_autoptr (GError) io_error = NULL;
    cairo_status_t status = makers[format](timeline, title, bytes);

    if (status != CAIRO_STATUS_SUCCESS) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: cannot be drawn: %s", path,
                cairo_status_to_string (status));
        return FALSE;
    }
    if (g_file_set_contents (path, bytes->str, (gssize)bytes->len, &io_error))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s", io_error->message);
    return FALSE;
}
