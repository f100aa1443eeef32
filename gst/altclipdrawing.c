/* altclip: a scene as pictures to lay over a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lengths are in square pixels as high as the picture's; what is drawn is
 * squeezed to the pixels that there are. Letters are light with dark edges, on
 * dark ground: legible on any picture.
 */

#include "altclipdrawing.h"

#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>

/* Pictures have so many letters' heights; letters at least as many pixels. */
#define LETTERS_PER_HEIGHT 36.0
#define LEAST_LETTER 10.0

/* In letters' heights. */
#define LINE 1.5
#define BAR 0.3
#define ROW (LINE + BAR + 0.2)
#define PADDING 0.5
#define MARGIN 0.7
#define GAP 0.6
#define LEAST_WIDTH 8.0
#define CORNER 0.35

/* Of the picture's. */
#define MOST_WIDTH 0.45

#define AGE_SIZE 0.75

/* Labels that stand above a part. */
#define MAX_CAPTION 3

/* Okabe and Ito's colours, which people with any sight can tell apart, but for
 * black. */
static const guint32 colours[] = {
    0x56b4e9, 0xe69f00, 0x2cc295, 0xf0e442, 0xcc79a7, 0xd55e00, 0x5b9bd5};

#define GREY 0x9aa0a6

struct _GstAltclipDrawing
{
  PangoFontMap *fonts;
  PangoLayout *layout;
};

/* A frame to be drawn over. */
typedef struct
{
  GstAltclipDrawing *drawing;
  const GstAltclipLook *look;
  GstVideoOverlayComposition *composition;
  gdouble squeeze; /* pixels of the frame per square pixel across */
  gdouble width;
  gdouble height;
  gdouble letter;
} Canvas;

/* A picture to lay over the frame. */
typedef struct
{
  GstBuffer *buffer;
  cairo_surface_t *surface;
  cairo_t *cairo;
} Sheet;

GstAltclipDrawing *
gst_altclip_drawing_new (void)
{
  GstAltclipDrawing *drawing = g_new0 (GstAltclipDrawing, 1);
  PangoContext *context;

  drawing->fonts = pango_cairo_font_map_new ();
  context = pango_font_map_create_context (drawing->fonts);
  drawing->layout = pango_layout_new (context);
  g_object_unref (context);
  pango_layout_set_single_paragraph_mode (drawing->layout, TRUE);
  pango_layout_set_ellipsize (drawing->layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_text (drawing->layout, "0", -1);
  pango_layout_get_pixel_size (drawing->layout, NULL, NULL);
  return drawing;
}

void
gst_altclip_drawing_free (GstAltclipDrawing *drawing)
{
  if (drawing == NULL)
    return;
  g_object_unref (drawing->layout);
  g_object_unref (drawing->fonts);
  g_free (drawing);
}

/* ---- Sheets ------------------------------------------------------------- */

static gboolean
sheet_init (Sheet *sheet, const Canvas *canvas, gdouble width, gdouble height)
{
  gint n_columns = (gint) ceil (width * canvas->squeeze);
  gint n_rows = (gint) ceil (height);
  gint stride = cairo_format_stride_for_width (CAIRO_FORMAT_ARGB32, n_columns);
  guint8 *pixels;

  if (n_columns <= 0 || n_rows <= 0 || stride <= 0)
    return FALSE;
  pixels = g_malloc0 ((gsize) stride * n_rows);
  sheet->buffer = gst_buffer_new_wrapped (pixels, (gsize) stride * n_rows);
  gst_buffer_add_video_meta_full (sheet->buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, (guint) n_columns,
      (guint) n_rows, 1, (gsize[GST_VIDEO_MAX_PLANES]){0},
      (gint[GST_VIDEO_MAX_PLANES]){stride});
  sheet->surface = cairo_image_surface_create_for_data (
      pixels, CAIRO_FORMAT_ARGB32, n_columns, n_rows, stride);
  sheet->cairo = cairo_create (sheet->surface);
  cairo_scale (sheet->cairo, canvas->squeeze, 1.0);
  return TRUE;
}

/* Takes @sheet. @x and @y: of its corner */
static void
canvas_lay (Canvas *canvas, Sheet *sheet, gdouble x, gdouble y)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (sheet->buffer);
  GstVideoOverlayRectangle *rectangle;

  cairo_destroy (sheet->cairo);
  cairo_surface_flush (sheet->surface);
  cairo_surface_destroy (sheet->surface);
  rectangle = gst_video_overlay_rectangle_new_raw (sheet->buffer,
      (gint) lround (x * canvas->squeeze), (gint) lround (y), meta->width,
      meta->height, GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  gst_buffer_unref (sheet->buffer);
  if (canvas->composition == NULL)
    canvas->composition = gst_video_overlay_composition_new (rectangle);
  else
    gst_video_overlay_composition_add_rectangle (
        canvas->composition, rectangle);
  gst_video_overlay_rectangle_unref (rectangle);
}

static void
set_colour (cairo_t *cairo, guint32 colour, gdouble opacity)
{
  cairo_set_source_rgba (cairo, (colour >> 16) / 255.0,
      (colour >> 8 & 0xff) / 255.0, (colour & 0xff) / 255.0, opacity);
}

static guint32
get_colour (const GstAltclipTag *tag)
{
  return tag->active ? colours[tag->index % G_N_ELEMENTS (colours)] : GREY;
}

static void
draw_ground (
    const Canvas *canvas, cairo_t *cairo, gdouble width, gdouble height)
{
  gdouble radius = MIN (canvas->letter * CORNER, MIN (width, height) / 2);

  cairo_new_sub_path (cairo);
  cairo_arc (cairo, width - radius, radius, radius, -G_PI / 2, 0);
  cairo_arc (cairo, width - radius, height - radius, radius, 0, G_PI / 2);
  cairo_arc (cairo, radius, height - radius, radius, G_PI / 2, G_PI);
  cairo_arc (cairo, radius, radius, radius, G_PI, 3 * G_PI / 2);
  cairo_close_path (cairo);
  set_colour (cairo, 0x101418, canvas->look->opacity);
  cairo_fill (cairo);
}

/* ---- Letters ------------------------------------------------------------ */

/* @width: at most; 0: as much as it takes */
static PangoLayout *
set_text (
    const Canvas *canvas, const gchar *text, gdouble letter, gdouble width)
{
  PangoLayout *layout = canvas->drawing->layout;
  PangoFontDescription *font =
      pango_font_description_from_string (canvas->look->font);

  pango_font_description_set_absolute_size (font, letter * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  pango_layout_set_width (
      layout, width > 0 ? (gint) ceil (width * PANGO_SCALE) : -1);
  return layout;
}

static gdouble
measure_text (const Canvas *canvas, const gchar *text, gdouble letter)
{
  PangoRectangle extents;

  pango_layout_get_extents (set_text (canvas, text, letter, 0), NULL, &extents);
  return (gdouble) extents.width / PANGO_SCALE;
}

/* In the middle of a line that begins at @y. Colour fonts have no outlines, so
 * that these get no edges, and need none. */
static void
draw_text (const Canvas *canvas, cairo_t *cairo, const gchar *text,
    gdouble letter, gdouble x, gdouble y, gdouble width, guint32 colour)
{
  PangoLayout *layout = set_text (canvas, text, letter, width);
  PangoRectangle extents;

  pango_layout_get_extents (layout, NULL, &extents);
  y += (LINE * letter - (gdouble) extents.height / PANGO_SCALE) / 2;
  pango_cairo_update_layout (cairo, layout);
  cairo_move_to (cairo, x, y);
  pango_cairo_layout_path (cairo, layout);
  set_colour (cairo, 0x000000, 0.8);
  cairo_set_line_width (cairo, letter * 0.16);
  cairo_set_line_join (cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke (cairo);
  cairo_move_to (cairo, x, y);
  set_colour (cairo, colour, 1.0);
  pango_cairo_show_layout (cairo, layout);
}

static void
format_score (gint score, gchar text[8])
{
  g_snprintf (text, 8, "%s%d.%02d", score < 0 ? "-" : "", ABS (score) / 100,
      ABS (score) % 100);
}

/* ---- The whole picture -------------------------------------------------- */

typedef struct
{
  gdouble width;
  gdouble height;
  gdouble score_width;
  guint n_rows; /* of the tags, as many as there is room for */
  guint n_more;
  gboolean has_last; /* a line for what is not shown, and for the age */
} Panel;

static void
measure_panel (const Canvas *canvas, const GstAltclipScene *scene, Panel *panel)
{
  gdouble letter = canvas->letter;
  gdouble room = canvas->height - 2 * (MARGIN + PADDING) * letter;
  gdouble most = canvas->width * MOST_WIDTH;
  gdouble width = LEAST_WIDTH * letter;
  guint i;

  *panel = (Panel){.n_rows = scene->tags->len};
  panel->has_last = canvas->look->show_age && scene->age > 0;
  if (panel->n_rows * ROW * letter + panel->has_last * LINE * letter > room) {
    panel->has_last = TRUE;
    panel->n_rows = (guint) MAX (0.0, (room / letter - LINE) / ROW);
  }
  panel->n_more = scene->tags->len - panel->n_rows;
  panel->score_width = measure_text (canvas, "0.00", letter);
  for (i = 0; i < panel->n_rows; i++)
    width = MAX (width,
        measure_text (
            canvas, g_array_index (scene->tags, GstAltclipTag, i).label, letter)
            + GAP * letter + panel->score_width + 2 * PADDING * letter);
  panel->width = MIN (ceil (width), most);
  panel->height = ceil ((2 * PADDING + panel->n_rows * ROW) * letter
      + panel->has_last * LINE * AGE_SIZE * letter);
}

static void
draw_row (const Canvas *canvas, cairo_t *cairo, const Panel *panel,
    const GstAltclipTag *tag, gdouble y)
{
  gdouble letter = canvas->letter;
  gdouble inner = panel->width - 2 * PADDING * letter;
  gdouble share = CLAMP (tag->score, 0, 100) / 100.0;
  guint32 colour = tag->active ? 0xffffff : 0xc8ccd0;
  gchar score[8];

  format_score (tag->score, score);
  draw_text (canvas, cairo, tag->label, letter, PADDING * letter, y,
      inner - panel->score_width - GAP * letter, colour);
  draw_text (canvas, cairo, score, letter,
      PADDING * letter + inner - panel->score_width, y, 0, colour);
  y += LINE * letter;
  cairo_rectangle (cairo, PADDING * letter, y, inner, BAR * letter);
  set_colour (cairo, 0xffffff, 0.25);
  cairo_fill (cairo);
  cairo_rectangle (cairo, PADDING * letter, y, inner * share, BAR * letter);
  set_colour (cairo, get_colour (tag), 1.0);
  cairo_fill (cairo);
}

static void
draw_last (const Canvas *canvas, cairo_t *cairo, const Panel *panel,
    const GstAltclipScene *scene, gdouble y)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gdouble letter = canvas->letter;

  if (panel->n_more > 0)
    g_string_append_printf (text, "+ %u  ", panel->n_more);
  if (canvas->look->show_age && scene->age > 0)
    g_string_append_printf (
        text, "\xe2\x88\x92%u.%u s", scene->age / 10, scene->age % 10);
  draw_text (canvas, cairo, text->str, letter * AGE_SIZE, PADDING * letter, y,
      panel->width - 2 * PADDING * letter, 0xc8ccd0);
}

static void
draw_panel (Canvas *canvas, const GstAltclipScene *scene)
{
  GstAltclipCorner corner = canvas->look->corner;
  gdouble letter = canvas->letter;
  gdouble y = PADDING * letter;
  Panel panel;
  Sheet sheet;
  guint i;

  if (scene->tags->len == 0)
    return;
  measure_panel (canvas, scene, &panel);
  if (panel.n_rows == 0
      || !sheet_init (&sheet, canvas, panel.width, panel.height))
    return;
  draw_ground (canvas, sheet.cairo, panel.width, panel.height);
  for (i = 0; i < panel.n_rows; i++, y += ROW * letter)
    draw_row (canvas, sheet.cairo, &panel,
        &g_array_index (scene->tags, GstAltclipTag, i), y);
  if (panel.has_last)
    draw_last (canvas, sheet.cairo, &panel, scene, y);
  canvas_lay (canvas, &sheet,
      corner == GST_ALTCLIP_CORNER_TOP_LEFT
              || corner == GST_ALTCLIP_CORNER_BOTTOM_LEFT
          ? MARGIN * letter
          : canvas->width - MARGIN * letter - panel.width,
      corner == GST_ALTCLIP_CORNER_TOP_LEFT
              || corner == GST_ALTCLIP_CORNER_TOP_RIGHT
          ? MARGIN * letter
          : canvas->height - MARGIN * letter - panel.height);
}

/* ---- Parts of it -------------------------------------------------------- */

static gdouble
get_edge (const Canvas *canvas)
{
  return MAX (1.0, floor (canvas->letter / 12));
}

/* A side, as a picture of its own: what is between the sides may be large.
 * Upright ones join the others, without an edge at their ends. */
static void
draw_side (Canvas *canvas, guint32 colour, gdouble x, gdouble y, gdouble width,
    gdouble height)
{
  gdouble edge = get_edge (canvas);
  gdouble end = height > width ? 0 : edge;
  Sheet sheet;

  if (!sheet_init (&sheet, canvas, width, height))
    return;
  set_colour (sheet.cairo, 0x000000, 0.7);
  cairo_paint (sheet.cairo);
  cairo_rectangle (sheet.cairo, edge, end, width - 2 * edge, height - 2 * end);
  set_colour (sheet.cairo, colour, 1.0);
  cairo_set_operator (sheet.cairo, CAIRO_OPERATOR_SOURCE);
  cairo_fill (sheet.cairo);
  canvas_lay (canvas, &sheet, x, y);
}

static gchar *
format_caption (const GArray *tags)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < MIN (tags->len, MAX_CAPTION); i++) {
    const GstAltclipTag *tag = &g_array_index (tags, GstAltclipTag, i);
    gchar score[8];

    format_score (tag->score, score);
    /* Isolated, so that a label from right to left does not take the number
     * with it. */
    g_string_append_printf (text, "%s\xe2\x81\xa8%s\xe2\x81\xa9 %s",
        i > 0 ? "  \xc2\xb7  " : "", tag->label, score);
  }
  if (tags->len > MAX_CAPTION)
    g_string_append_printf (text, "  + %u", tags->len - MAX_CAPTION);
  return g_string_free (text, FALSE);
}

/* Above the part, within it where there is no room, and in the picture. */
static void
draw_caption (Canvas *canvas, const GArray *tags, gdouble x, gdouble y)
{
  g_autofree gchar *text = format_caption (tags);
  gdouble letter = canvas->letter;
  gdouble height = ceil (LINE * letter);
  gdouble width =
      ceil (MIN (measure_text (canvas, text, letter) + 2 * PADDING * letter,
          canvas->width));
  Sheet sheet;

  if (!sheet_init (&sheet, canvas, width, height))
    return;
  draw_ground (canvas, sheet.cairo, width, height);
  draw_text (canvas, sheet.cairo, text, letter, PADDING * letter, 0,
      width - 2 * PADDING * letter, 0xffffff);
  canvas_lay (canvas, &sheet, CLAMP (x, 0, canvas->width - width),
      y >= height ? y - height : y);
}

static void
draw_outline (
    Canvas *canvas, const GstAltclipOutline *outline, const GArray *tags)
{
  gdouble thickness = MAX (4.0, ceil (canvas->letter / 4));
  gdouble within = thickness - get_edge (canvas);
  gdouble x = outline->box.x * canvas->width;
  gdouble y = outline->box.y * canvas->height;
  gdouble width = MAX (outline->box.w * canvas->width, 2 * thickness);
  gdouble height = MAX (outline->box.h * canvas->height, 2 * thickness);
  guint32 colour = get_colour (&g_array_index (tags, GstAltclipTag, 0));

  draw_side (canvas, colour, x, y, width, thickness);
  draw_side (canvas, colour, x, y + height - thickness, width, thickness);
  draw_side (canvas, colour, x, y + within, thickness, height - 2 * within);
  draw_side (canvas, colour, x + width - thickness, y + within, thickness,
      height - 2 * within);
  if (outline->tags->len > 0)
    draw_caption (canvas, outline->tags, x, y);
}

/* A part without labels of its own has those of the picture. */
static void
draw_outlines (Canvas *canvas, const GstAltclipScene *scene)
{
  guint i;

  for (i = 0; i < scene->outlines->len; i++) {
    const GstAltclipOutline *outline =
        &g_array_index (scene->outlines, GstAltclipOutline, i);

    draw_outline (
        canvas, outline, outline->tags->len > 0 ? outline->tags : scene->tags);
  }
}

GstVideoOverlayComposition *
gst_altclip_drawing_draw (GstAltclipDrawing *drawing,
    const GstAltclipScene *scene, const GstAltclipLook *look,
    const GstVideoInfo *info)
{
  gdouble ratio =
      (gdouble) GST_VIDEO_INFO_PAR_N (info) / GST_VIDEO_INFO_PAR_D (info);
  gdouble squeeze = 1.0 / CLAMP (ratio, 0.1, 10.0);
  Canvas canvas = {.drawing = drawing,
      .look = look,
      .squeeze = squeeze,
      .width = GST_VIDEO_INFO_WIDTH (info) / squeeze,
      .height = GST_VIDEO_INFO_HEIGHT (info)};

  canvas.letter = MAX (LEAST_LETTER,
      MIN (canvas.height, canvas.width * 3 / 4) * look->scale
          / LETTERS_PER_HEIGHT);
  if (look->show_regions)
    draw_outlines (&canvas, scene);
  draw_panel (&canvas, scene);
  return canvas.composition;
}
