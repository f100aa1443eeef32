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

#define LAST_SIZE 0.75

/* Cairo draws nothing that is wider or higher, in pixels. */
#define MOST_PIXELS 32767

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

/* A picture to be drawn over. */
typedef struct
{
  GstAltclipDrawing *drawing;
  const GstAltclipLook *look;
  GstVideoOverlayComposition *composition;
  gint left; /* in the frame, in its pixels */
  gint top;
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

  if (n_columns <= 0 || n_rows <= 0 || n_columns > MOST_PIXELS
      || n_rows > MOST_PIXELS)
    return FALSE;
  pixels = g_try_malloc0_n ((gsize) n_rows, (gsize) stride);
  if (pixels == NULL)
    return FALSE;
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
      canvas->left + (gint) lround (x * canvas->squeeze),
      canvas->top + (gint) lround (y), meta->width, meta->height,
      GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
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

/* @width: at most; negative: as much as it takes */
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
      layout, width < 0 ? -1 : (gint) ceil (width * PANGO_SCALE));
  return layout;
}

static gdouble
measure_text (const Canvas *canvas, const gchar *text, gdouble letter)
{
  PangoRectangle extents;

  pango_layout_get_extents (
      set_text (canvas, text, letter, -1), NULL, &extents);
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

/**
 * Panel:
 * @n_rows: of the tags, as many as there is room for
 * @last: (nullable): a line for what is not shown, and for the age
 */
typedef struct
{
  gdouble width;
  gdouble height;
  gdouble score_width;
  guint n_rows;
  gchar *last;
} Panel;

static guint
get_n_rows (const Canvas *canvas, const GstAltclipScene *scene)
{
  gdouble most = MIN (canvas->height, MOST_PIXELS) / canvas->letter;
  gdouble room = most - 2 * (MARGIN + PADDING);

  if (scene->age > 0)
    room -= LINE * LAST_SIZE;
  if (scene->tags->len * ROW <= room)
    return scene->tags->len;
  if (scene->age == 0)
    room -= LINE * LAST_SIZE;
  return (guint) MAX (0.0, room / ROW);
}

static gchar *
format_last (guint n_more, guint age)
{
  GString *text = g_string_new (NULL);

  if (n_more > 0)
    g_string_append_printf (text, "+ %u", n_more);
  if (age > 0)
    g_string_append_printf (text, "%s\xe2\x88\x92%u.%u s",
        n_more > 0 ? "  " : "", age / 10, age % 10);
  return g_string_free (text, text->len == 0);
}

/* What the widest takes, as all have two decimals. */
static gdouble
measure_scores (const Canvas *canvas, const GArray *tags)
{
  gboolean has_negative = FALSE;
  guint i;

  for (i = 0; i < tags->len && !has_negative; i++)
    has_negative = g_array_index (tags, GstAltclipTag, i).score < 0;
  return measure_text (canvas, has_negative ? "-0.00" : "0.00", canvas->letter);
}

static gdouble
measure_row (const Canvas *canvas, const Panel *panel, const GstAltclipTag *tag)
{
  gdouble letter = canvas->letter;
  gdouble width = measure_text (canvas, tag->label, letter) + GAP * letter
      + panel->score_width;

  return MAX (width, (LEAST_WIDTH - 2 * PADDING) * letter);
}

static void
panel_init (Panel *panel, const Canvas *canvas, const GstAltclipScene *scene)
{
  gdouble letter = canvas->letter;
  gdouble width = 0;
  guint i;

  *panel = (Panel){.n_rows = get_n_rows (canvas, scene)};
  panel->score_width = measure_scores (canvas, scene->tags);
  panel->last = format_last (scene->tags->len - panel->n_rows, scene->age);
  if (panel->last != NULL)
    width = measure_text (canvas, panel->last, LAST_SIZE * letter);
  for (i = 0; i < panel->n_rows; i++)
    width = MAX (width,
        measure_row (
            canvas, panel, &g_array_index (scene->tags, GstAltclipTag, i)));
  panel->width =
      MIN (ceil (width + 2 * PADDING * letter), canvas->width * MOST_WIDTH);
  panel->height = ceil ((2 * PADDING + panel->n_rows * ROW) * letter
      + (panel->last != NULL) * LINE * LAST_SIZE * letter);
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
      MAX (0.0, inner - panel->score_width - GAP * letter), colour);
  draw_text (canvas, cairo, score, letter,
      PADDING * letter + inner - measure_text (canvas, score, letter), y, -1,
      colour);
  y += LINE * letter;
  cairo_rectangle (cairo, PADDING * letter, y, inner, BAR * letter);
  set_colour (cairo, 0xffffff, 0.25);
  cairo_fill (cairo);
  cairo_rectangle (cairo, PADDING * letter, y, inner * share, BAR * letter);
  set_colour (cairo, get_colour (tag), 1.0);
  cairo_fill (cairo);
}

static void
lay_panel (Canvas *canvas, const Panel *panel, Sheet *sheet)
{
  GstAltclipCorner corner = canvas->look->corner;
  gdouble margin = MARGIN * canvas->letter;
  gboolean is_left = corner == GST_ALTCLIP_CORNER_TOP_LEFT
      || corner == GST_ALTCLIP_CORNER_BOTTOM_LEFT;
  gboolean is_top = corner == GST_ALTCLIP_CORNER_TOP_LEFT
      || corner == GST_ALTCLIP_CORNER_TOP_RIGHT;

  canvas_lay (canvas, sheet,
      is_left ? margin : canvas->width - margin - panel->width,
      is_top ? margin : canvas->height - margin - panel->height);
}

static void
draw_panel (Canvas *canvas, const Panel *panel, const GstAltclipScene *scene)
{
  gdouble letter = canvas->letter;
  gdouble y = PADDING * letter;
  Sheet sheet;
  guint i;

  if (!sheet_init (&sheet, canvas, panel->width, panel->height))
    return;
  draw_ground (canvas, sheet.cairo, panel->width, panel->height);
  for (i = 0; i < panel->n_rows; i++, y += ROW * letter)
    draw_row (canvas, sheet.cairo, panel,
        &g_array_index (scene->tags, GstAltclipTag, i), y);
  if (panel->last != NULL)
    draw_text (canvas, sheet.cairo, panel->last, letter * LAST_SIZE,
        PADDING * letter, y, MAX (0.0, panel->width - 2 * PADDING * letter),
        0xc8ccd0);
  lay_panel (canvas, panel, &sheet);
}

/* The labels, and how old they or those of the parts are. */
static void
draw_tags (Canvas *canvas, const GstAltclipScene *scene)
{
  Panel panel;

  if (scene->tags->len == 0 && scene->age == 0)
    return;
  panel_init (&panel, canvas, scene);
  if (panel.n_rows > 0 || scene->tags->len == 0)
    draw_panel (canvas, &panel, scene);
  g_free (panel.last);
}

/* ---- Parts of it -------------------------------------------------------- */

static gdouble
get_edge (const Canvas *canvas)
{
  return MAX (1.0, floor (canvas->letter / 12));
}

/* A line of a box. */
typedef struct
{
  gdouble x;
  gdouble y;
  gdouble width;
  gdouble height;
  guint32 colour;
} Side;

/* Upright sides join the others, without an edge at their ends. */
static void
draw_piece (Canvas *canvas, const Side *side, gdouble left, gdouble top,
    gdouble width, gdouble height)
{
  gdouble edge = get_edge (canvas);
  gdouble end = side->height > side->width ? 0 : edge;
  Sheet sheet;

  if (!sheet_init (&sheet, canvas, width, height))
    return;
  set_colour (sheet.cairo, 0x000000, 0.7);
  cairo_paint (sheet.cairo);
  cairo_rectangle (sheet.cairo, edge - left, end - top, side->width - 2 * edge,
      side->height - 2 * end);
  set_colour (sheet.cairo, side->colour, 1.0);
  cairo_set_operator (sheet.cairo, CAIRO_OPERATOR_SOURCE);
  cairo_fill (sheet.cairo);
  canvas_lay (canvas, &sheet, side->x + left, side->y + top);
}

/* As pictures of its own, since what is between the sides may be large: one,
 * or as many as it takes. */
static void
draw_side (Canvas *canvas, guint32 colour, gdouble x, gdouble y, gdouble width,
    gdouble height)
{
  Side side = {x, y, width, height, colour};
  gdouble most = floor (MOST_PIXELS / canvas->squeeze);
  gdouble left;
  gdouble top;

  for (top = 0; top < height; top += MOST_PIXELS)
    for (left = 0; left < width; left += most)
      draw_piece (canvas, &side, left, top, MIN (width - left, most),
          MIN (height - top, MOST_PIXELS));
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
      MIN (ceil (measure_text (canvas, text, letter) + 2 * PADDING * letter),
          MIN (canvas->width, floor (MOST_PIXELS / canvas->squeeze)));
  Sheet sheet;

  if (!sheet_init (&sheet, canvas, width, height))
    return;
  draw_ground (canvas, sheet.cairo, width, height);
  draw_text (canvas, sheet.cairo, text, letter, PADDING * letter, 0,
      MAX (0.0, width - 2 * PADDING * letter), 0xffffff);
  canvas_lay (canvas, &sheet, CLAMP (x, 0, canvas->width - width),
      y >= height ? y - height : y);
}

/* Those that are not an object's are the scene's. */
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
  guint32 colour = get_colour (outline->tags != NULL
          ? &g_array_index (outline->tags, GstAltclipTag, 0)
          : &g_array_index (tags, GstAltclipTag, outline->tag));

  draw_side (canvas, colour, x, y, width, thickness);
  draw_side (canvas, colour, x, y + height - thickness, width, thickness);
  draw_side (canvas, colour, x, y + within, thickness, height - 2 * within);
  draw_side (canvas, colour, x + width - thickness, y + within, thickness,
      height - 2 * within);
  if (outline->tags != NULL)
    draw_caption (canvas, outline->tags, x, y);
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
      .left = (gint) scene->picture.x,
      .top = (gint) scene->picture.y,
      .squeeze = squeeze,
      .width = scene->picture.width / squeeze,
      .height = scene->picture.height};
  guint i;

  canvas.letter = MAX (LEAST_LETTER,
      MIN (canvas.height, canvas.width * 3 / 4) * look->scale
          / LETTERS_PER_HEIGHT);
  for (i = 0; i < scene->outlines->len; i++)
    draw_outline (&canvas,
        &g_array_index (scene->outlines, GstAltclipOutline, i), scene->tags);
  draw_tags (&canvas, scene);
  return canvas.composition;
}
