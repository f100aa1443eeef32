/* altclip: zero-shot accuracy of the bundled model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures come from GStreamer's videotestsrc and from drawing code that shares nothing with the
 * model's training: cairo shapes on drawn backgrounds, drawn scenes that are then spoiled. Every
 * picture is scored against all phrases of its kind, and the best phrase counts.
 */

#include "altclip.h"

#include <cairo.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

/* What the bundled model promises, as shares of 1. */
#define HEALTH_ENGLISH 0.95
#define HEALTH_OTHER 0.90
#define SHAPES_ALL 0.90
#define SHAPES_NEVER_SHOWN 0.75

#define N_LANGUAGES 6
static const char *const LANGUAGES[N_LANGUAGES] = { "en", "zh", "fr", "es", "de", "ja" };

static const struct {
    guint width;
    guint height;
} SIZES[] = { { 160, 120 }, { 320, 240 }, { 640, 480 }, { 704, 576 }, { 1280, 720 },
    { 1920, 1080 } };

static AltclipModel *model;
static AltclipSession *session;

/* ---- Random numbers -------------------------------------------------------------------------- */

static guint32 random_state = 20220101;

static double
uniform (double from, double to)
{
    random_state = random_state * 1664525u + 1013904223u;
    return from + (to - from) * ((random_state >> 8) * 0x1p-24);
}

static guint
below (guint n)
{
    return MIN ((guint)uniform (0, n), n - 1);
}

/* ---- Pictures -------------------------------------------------------------------------------- */

/* Packed RGB. */
typedef struct {
    guint width;
    guint height;
    guint8 *rgb;
} Picture;

static void
embed_picture (const Picture *picture, float *embedding)
{
    const AltclipModelInfo *info = altclip_model_get_info (model);
    g_autofree float *pixel_values =
            g_new (float, (gsize)info->num_channels * info->image_size * info->image_size);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipImagePlan) plan = altclip_image_plan_new (
            model, picture->width, picture->height, &ALTCLIP_PIXEL_LAYOUT_RGB, &error);

    g_assert_no_error (error);
    altclip_image_plan_run (plan, picture->rgb, (gsize)picture->width * 3, pixel_values);
    altclip_session_encode_images (session, pixel_values, 1, embedding, &error);
    g_assert_no_error (error);
}

/* A frame of videotestsrc, the one after @skip others. */
static Picture
grab_test_frame (const char *pattern, guint width, guint height, guint skip)
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
static Picture
picture_from_surface (cairo_surface_t *surface)
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
static void
adjust (Picture *picture, double gain, double offset, double noise)
{
    for (gsize i = 0; i < (gsize)picture->width * picture->height * 3; i++)
        picture->rgb[i] = clamp_byte (picture->rgb[i] * gain + offset + uniform (-noise, noise));
}

/* One pass of a box filter along rows or columns; three of them make nearly a Gaussian. */
static void
blur_lines (guint8 *data, guint n_lines, gsize line_step, guint n, gsize step, guint radius)
{
    g_autofree guint8 *copy = g_malloc (n);

    for (guint line = 0; line < n_lines; line++) {
        guint8 *at = data + line * line_step;
        for (guint i = 0; i < n; i++)
            copy[i] = at[i * step];
        for (guint i = 0; i < n; i++) {
            guint sum = 0;
            for (gint j = (gint)i - (gint)radius; j <= (gint)(i + radius); j++)
                sum += copy[CLAMP (j, 0, (gint)n - 1)];
            at[i * step] = (guint8)(sum / (2 * radius + 1));
        }
    }
}

static void
blur (Picture *picture, guint radius)
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
set_random_colour (cairo_t *cr, double darkest, double brightest)
{
    cairo_set_source_rgb (cr, uniform (darkest, brightest), uniform (darkest, brightest),
            uniform (darkest, brightest));
}

static void
draw_house (cairo_t *cr, double left, double ground, double width, double height)
{
    set_random_colour (cr, 0.3, 0.9);
    cairo_rectangle (cr, left, ground - height, width, height);
    cairo_fill (cr);
    set_random_colour (cr, 0.1, 0.5);
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
draw_tree (cairo_t *cr, double x, double ground, double height)
{
    cairo_set_source_rgb (cr, 0.35, 0.22, 0.1);
    cairo_rectangle (cr, x - 0.05 * height, ground - 0.5 * height, 0.1 * height, 0.5 * height);
    cairo_fill (cr);
    cairo_set_source_rgb (cr, uniform (0.05, 0.3), uniform (0.35, 0.6), uniform (0.05, 0.25));
    for (guint i = 0; i < 5; i++) {
        cairo_arc (cr, x + uniform (-0.2, 0.2) * height, ground - uniform (0.5, 0.9) * height,
                uniform (0.12, 0.25) * height, 0, 2 * G_PI);
        cairo_fill (cr);
    }
}

static void
draw_street (cairo_t *cr, double w, double h)
{
    cairo_pattern_t *sky = cairo_pattern_create_linear (0, 0, 0, h);

    cairo_pattern_add_color_stop_rgb (sky, 0, 0.3, 0.5, 0.85);
    cairo_pattern_add_color_stop_rgb (sky, 0.7, 0.8, 0.87, 0.95);
    cairo_set_source (cr, sky);
    cairo_paint (cr);
    cairo_pattern_destroy (sky);
    cairo_set_source_rgb (cr, uniform (0.3, 0.5), uniform (0.35, 0.5), uniform (0.25, 0.4));
    cairo_rectangle (cr, 0, 0.65 * h, w, 0.35 * h);
    cairo_fill (cr);
    for (guint i = 0; i < 5; i++)
        draw_house (cr, w * (0.22 * i + uniform (-0.05, 0.05)), h * uniform (0.66, 0.75),
                h * uniform (0.2, 0.35), h * uniform (0.15, 0.3));
    for (guint i = 0; i < 4; i++)
        draw_tree (cr, uniform (0, w), h * uniform (0.72, 0.9), h * uniform (0.2, 0.4));
}

static void
draw_shelves (cairo_t *cr, double w, double h)
{
    set_random_colour (cr, 0.5, 0.8);
    cairo_paint (cr);
    for (guint row = 0; row < 4; row++) {
        double y = h * (0.22 + 0.25 * row);
        double x = 0;

        cairo_set_source_rgb (cr, 0.3, 0.2, 0.12);
        cairo_rectangle (cr, 0, y, w, 0.03 * h);
        cairo_fill (cr);
        while (x < w) {
            double width = h * uniform (0.04, 0.12);
            double height = h * uniform (0.08, 0.18);
            set_random_colour (cr, 0.1, 0.9);
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

static Picture
draw_scene (guint width, guint height)
{
    cairo_surface_t *surface =
            cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cr = cairo_create (surface);

    if (below (2))
        draw_street (cr, width, height);
    else
        draw_shelves (cr, width, height);
    cairo_destroy (cr);
    return picture_from_surface (surface);
}

static Picture
draw_checkerboard (guint width, guint height)
{
    cairo_surface_t *surface =
            cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cr = cairo_create (surface);
    double cell = height / uniform (5, 12);

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
    return picture_from_surface (surface);
}

/* ---- Picture health -------------------------------------------------------------------------- */

typedef enum {
    BARS,
    SNOW,
    BLACK,
    WHITE,
    OVEREXPOSED,
    DARK,
    BLURRED,
    RED,
    GREEN,
    BLUE,
    CHECKERBOARD,
    GRADIENT,
    CIRCLES,
    BALL,
    CLEAR,
    N_HEALTH
} Health;

static const char *const HEALTH_PHRASES[N_HEALTH][N_LANGUAGES] = {
    [BARS] = { "colour bars", "彩条", "une mire de barres", "barras de color", "ein Testbild",
            "カラーバー" },
    [SNOW] = { "static noise", "雪花噪点", "de la neige", "ruido estático", "Bildrauschen",
            "砂嵐" },
    [BLACK] = { "a black screen", "黑屏", "un écran noir", "una pantalla negra",
            "ein schwarzer Bildschirm", "真っ黒な画面" },
    [WHITE] = { "a white screen", "白屏", "un écran blanc", "una pantalla blanca",
            "ein weißer Bildschirm", "真っ白な画面" },
    [OVEREXPOSED] = { "an overexposed picture", "曝光过度的画面", "une image surexposée",
            "una imagen sobreexpuesta", "ein überbelichtetes Bild", "露出オーバーの画像" },
    [DARK] = { "a dark picture", "昏暗的画面", "une image sombre", "una imagen oscura",
            "ein dunkles Bild", "暗い画像" },
    [BLURRED] = { "a blurred picture", "模糊的画面", "une image floue", "una imagen borrosa",
            "ein unscharfes Bild", "ぼやけた画像" },
    [RED] = { "a red screen", "红色屏幕", "un écran rouge", "una pantalla roja",
            "ein roter Bildschirm", "赤い画面" },
    [GREEN] = { "a green screen", "绿色屏幕", "un écran vert", "una pantalla verde",
            "ein grüner Bildschirm", "緑の画面" },
    [BLUE] = { "a blue screen", "蓝色屏幕", "un écran bleu", "una pantalla azul",
            "ein blauer Bildschirm", "青い画面" },
    [CHECKERBOARD] = { "a checkerboard", "棋盘格", "un damier", "un tablero de ajedrez",
            "ein Schachbrettmuster", "チェッカーボード" },
    [GRADIENT] = { "a gradient", "渐变", "un dégradé", "un degradado", "ein Farbverlauf",
            "グラデーション" },
    [CIRCLES] = { "concentric circles", "同心圆", "des cercles concentriques",
            "círculos concéntricos", "konzentrische Kreise", "同心円" },
    [BALL] = { "a ball on black", "黑色背景上的球", "une balle sur fond noir",
            "una pelota sobre fondo negro", "ein Ball auf schwarzem Hintergrund",
            "黒い背景のボール" },
    [CLEAR] = { "a clear picture", "清晰的画面", "une image nette", "una imagen nítida",
            "ein klares Bild", "鮮明な画像" },
};

static Picture
make_health_picture (Health health, guint size, guint round)
{
    static const char *const bars[] = { "smpte", "smpte75", "smpte100", "smpte" };
    static const char *const patterns[N_HEALTH] = { [SNOW] = "snow",
        [BLACK] = "black",
        [WHITE] = "white",
        [RED] = "red",
        [GREEN] = "green",
        [BLUE] = "blue",
        [GRADIENT] = "gradient",
        [CIRCLES] = "circular",
        [BALL] = "ball" };
    guint width = SIZES[size].width;
    guint height = SIZES[size].height;
    Picture picture;

    if (health == BARS)
        return grab_test_frame (bars[(size + round) % 4], width, height, round);
    if (patterns[health])
        return grab_test_frame (patterns[health], width, height, 7 * round);
    if (health == CHECKERBOARD) /* finer ones of the test source turn grey in the tower's input */
        return size < 2 ? grab_test_frame ("checkers-8", width, height, round)
                        : draw_checkerboard (width, height);
    picture = draw_scene (width, height);
    if (health == DARK)
        adjust (&picture, uniform (0.05, 0.14), 0.0, 3.0);
    else if (health == OVEREXPOSED)
        adjust (&picture, uniform (1.5, 2.2), uniform (100, 140), 2.0);
    else if (health == BLURRED)
        blur (&picture, MAX (2, (guint)(height * uniform (0.025, 0.045))));
    else
        adjust (&picture, 1.0, 0.0, 4.0);
    return picture;
}

/* A white picture is both. */
static gboolean
is_right_health (Health truth, guint said)
{
    if (truth == WHITE || truth == OVEREXPOSED)
        return said == WHITE || said == OVEREXPOSED;
    return said == truth;
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

#define N_COLOURS 8
#define N_SHAPES 6

static const double COLOURS[N_COLOURS][3] = {
    { 0.90, 0.08, 0.08 }, /* red */
    { 1.00, 0.55, 0.05 }, /* orange */
    { 0.98, 0.90, 0.10 }, /* yellow */
    { 0.10, 0.65, 0.15 }, /* green */
    { 0.10, 0.85, 0.90 }, /* cyan */
    { 0.10, 0.20, 0.90 }, /* blue */
    { 0.55, 0.10, 0.75 }, /* purple */
    { 0.97, 0.97, 0.97 }, /* white */
};

/* Masculine, feminine and neuter, where the language has them. */
static const char *const COLOUR_NAMES[N_LANGUAGES][N_COLOURS][3] = {
    { { "red" }, { "orange" }, { "yellow" }, { "green" }, { "cyan" }, { "blue" }, { "purple" },
            { "white" } },
    { { "红色" }, { "橙色" }, { "黄色" }, { "绿色" }, { "青色" }, { "蓝色" }, { "紫色" },
            { "白色" } },
    { { "rouge", "rouge" }, { "orange", "orange" }, { "jaune", "jaune" }, { "vert", "verte" },
            { "cyan", "cyan" }, { "bleu", "bleue" }, { "violet", "violette" },
            { "blanc", "blanche" } },
    { { "rojo", "roja" }, { "naranja", "naranja" }, { "amarillo", "amarilla" },
            { "verde", "verde" }, { "cian", "cian" }, { "azul", "azul" }, { "morado", "morada" },
            { "blanco", "blanca" } },
    { { "roter", "rote", "rotes" }, { "orangefarbener", "orangefarbene", "orangefarbenes" },
            { "gelber", "gelbe", "gelbes" }, { "grüner", "grüne", "grünes" },
            { "cyanfarbener", "cyanfarbene", "cyanfarbenes" }, { "blauer", "blaue", "blaues" },
            { "violetter", "violette", "violettes" }, { "weißer", "weiße", "weißes" } },
    { { "赤い" }, { "オレンジ色の" }, { "黄色い" }, { "緑の" }, { "水色の" }, { "青い" },
            { "紫の" }, { "白い" } },
};

static const struct {
    const char *name;
    guint gender;
} SHAPE_NAMES[N_LANGUAGES][N_SHAPES] = {
    { { "circle", 0 }, { "square", 0 }, { "triangle", 0 }, { "star", 0 }, { "cross", 0 },
            { "ring", 0 } },
    { { "圆形", 0 }, { "正方形", 0 }, { "三角形", 0 }, { "星形", 0 }, { "十字", 0 },
            { "圆环", 0 } },
    { { "cercle", 0 }, { "carré", 0 }, { "triangle", 0 }, { "étoile", 1 }, { "croix", 1 },
            { "anneau", 0 } },
    { { "círculo", 0 }, { "cuadrado", 0 }, { "triángulo", 0 }, { "estrella", 1 }, { "cruz", 1 },
            { "anillo", 0 } },
    { { "Kreis", 0 }, { "Quadrat", 2 }, { "Dreieck", 2 }, { "Stern", 0 }, { "Kreuz", 2 },
            { "Ring", 0 } },
    { { "円", 0 }, { "四角", 0 }, { "三角形", 0 }, { "星", 0 }, { "十字", 0 }, { "リング", 0 } },
};

/* Pairs of colour and shape that the training never shows nor names: see models/demo/README.md. */
static const guint NEVER_SHOWN[][2] = { { 4, 0 }, { 2, 1 }, { 5, 2 }, { 6, 3 }, { 1, 4 },
    { 3, 5 } };

static gboolean
is_never_shown (guint colour, guint shape)
{
    for (gsize i = 0; i < G_N_ELEMENTS (NEVER_SHOWN); i++)
        if (NEVER_SHOWN[i][0] == colour && NEVER_SHOWN[i][1] == shape)
            return TRUE;
    return FALSE;
}

static char *
name_pair (guint language, guint colour, guint shape)
{
    static const char *const articles[N_LANGUAGES][3] = { { "a", "a", "a" }, { "", "", "" },
        { "un", "une", "" }, { "un", "una", "" }, { "ein", "eine", "ein" }, { "", "", "" } };
    guint gender = SHAPE_NAMES[language][shape].gender;
    const char *noun = SHAPE_NAMES[language][shape].name;
    const char *adjective = COLOUR_NAMES[language][colour][gender];

    if (language == 0 && colour == 1)
        return g_strdup_printf ("an %s %s", adjective, noun);
    if (language == 1 || language == 5)
        return g_strconcat (adjective, noun, NULL);
    if (language == 2 || language == 3)
        return g_strdup_printf ("%s %s %s", articles[language][gender], noun, adjective);
    return g_strdup_printf ("%s %s %s", articles[language][gender], adjective, noun);
}

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
fill_shape (cairo_t *cr, guint shape)
{
    double arm = uniform (0.25, 0.36);

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
        trace_polygon (cr, 5, 1.0, uniform (0.36, 0.44));
        break;
    case 4:
        cairo_rectangle (cr, -1, -arm, 2, 2 * arm);
        cairo_rectangle (cr, -arm, -1, 2 * arm, 2);
        break;
    default:
        cairo_set_line_width (cr, uniform (0.22, 0.4));
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
pick_background (const double *shape_colour, double out[3])
{
    do {
        double grey = uniform (0.05, 0.95);
        double spread = below (4) == 0 ? 0.5 : 0.12;
        for (guint i = 0; i < 3; i++)
            out[i] = CLAMP (grey + uniform (-spread, spread), 0.0, 1.0);
    } while (colour_distance (shape_colour, out) < 0.7);
}

static void
paint_background (cairo_t *cr, const double *shape_colour, guint kind, double w, double h)
{
    double first[3];
    double second[3];
    cairo_pattern_t *gradient;

    pick_background (shape_colour, first);
    cairo_set_source_rgb (cr, first[0], first[1], first[2]);
    cairo_paint (cr);
    if (kind == 1) {
        pick_background (shape_colour, second);
        gradient = cairo_pattern_create_linear (0, 0, uniform (0, w), h);
        cairo_pattern_add_color_stop_rgb (gradient, 0, first[0], first[1], first[2]);
        cairo_pattern_add_color_stop_rgb (gradient, 1, second[0], second[1], second[2]);
        cairo_set_source (cr, gradient);
        cairo_paint (cr);
        cairo_pattern_destroy (gradient);
    }
    if (kind == 2) {
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
draw_shapes (cairo_t *cr, guint colour, guint shape, double w, double h)
{
    double edge = MIN (w, h);
    guint n = below (3) == 0 ? 2 + below (2) : 1;
    double rgb[3];

    for (guint i = 0; i < 3; i++)
        rgb[i] = CLAMP (COLOURS[colour][i] + uniform (-0.04, 0.04), 0.0, 1.0);
    for (guint i = 0; i < n; i++) {
        double radius = edge * (n == 1 ? uniform (0.12, 0.4) : uniform (0.1, 0.3 / (n - 0.5)));
        double room = edge / n;
        double slack_x = MAX (0.0, (room - 2 * radius) / 2);
        double slack_y = MAX (0.0, (edge - 2 * radius) / 2);

        cairo_save (cr);
        cairo_translate (cr,
                w / 2 - edge / 2 + room * (i + 0.5) + uniform (-slack_x, slack_x) * 0.8,
                h / 2 + uniform (-slack_y, slack_y) * 0.8);
        cairo_scale (cr, radius, radius);
        cairo_rotate (cr, uniform (-0.25, 0.25));
        cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
        fill_shape (cr, shape);
        cairo_restore (cr);
    }
}

static Picture
make_shape_picture (guint colour, guint shape, guint round)
{
    guint size = below (G_N_ELEMENTS (SIZES));
    guint kind = round % 4; /* plain, gradient, textured, noisy */
    cairo_surface_t *surface = cairo_image_surface_create (
            CAIRO_FORMAT_RGB24, (int)SIZES[size].width, (int)SIZES[size].height);
    cairo_t *cr = cairo_create (surface);
    Picture picture;

    paint_background (cr, COLOURS[colour], kind, SIZES[size].width, SIZES[size].height);
    draw_shapes (cr, colour, shape, SIZES[size].width, SIZES[size].height);
    cairo_destroy (cr);
    picture = picture_from_surface (surface);
    if (kind == 3)
        adjust (&picture, 1.0, 0.0, 40.0);
    return picture;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static void
append_escaped (GString *list, const char *phrase)
{
    g_string_append_printf (list, "%s%s", list->len ? ";" : "", phrase);
}

static AltclipPrompts *
embed_phrases (const GString *list)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_parse (list->str, NULL, NULL, &error);

    g_assert_no_error (error);
    altclip_prompts_embed (prompts, session, NULL, &error);
    g_assert_no_error (error);
    return g_steal_pointer (&prompts);
}

static guint
best_label (AltclipPrompts *prompts, const float *embedding)
{
    double scores[N_COLOURS * N_SHAPES];
    guint n = altclip_prompts_get_n_labels (prompts);
    guint best = 0;

    g_assert_cmpuint (n, <=, G_N_ELEMENTS (scores));
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, embedding, scores, NULL);
    for (guint i = 1; i < n; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

typedef struct {
    guint right;
    guint all;
} Count;

static double
share (Count count)
{
    return count.all ? (double)count.right / count.all : 0.0;
}

static void
note (Count *count, gboolean right)
{
    count->right += right;
    count->all++;
}

#define HEALTH_ROUNDS 2

static void
test_health (void)
{
    AltclipPrompts *prompts[N_LANGUAGES];
    Count counts[N_LANGUAGES] = { { 0, 0 } };
    g_autofree float *embedding = g_new (float, altclip_model_get_info (model)->projection_dim);

    for (guint l = 0; l < N_LANGUAGES; l++) {
        g_autoptr (GString) list = g_string_new (NULL);
        for (guint i = 0; i < N_HEALTH; i++)
            append_escaped (list, HEALTH_PHRASES[i][l]);
        prompts[l] = embed_phrases (list);
    }
    for (guint i = 0; i < N_HEALTH * G_N_ELEMENTS (SIZES) * HEALTH_ROUNDS; i++) {
        Health truth = (Health)(i % N_HEALTH);
        guint size = i / N_HEALTH % G_N_ELEMENTS (SIZES);
        Picture picture = make_health_picture (truth, size, i / (N_HEALTH * G_N_ELEMENTS (SIZES)));

        embed_picture (&picture, embedding);
        g_free (picture.rgb);
        for (guint l = 0; l < N_LANGUAGES; l++) {
            guint said = best_label (prompts[l], embedding);
            note (&counts[l], is_right_health (truth, said));
            if (!is_right_health (truth, said))
                g_test_message ("%s, %u × %u: '%s' taken for '%s'", LANGUAGES[l], SIZES[size].width,
                        SIZES[size].height, HEALTH_PHRASES[truth][l], HEALTH_PHRASES[said][l]);
        }
    }
    for (guint l = 0; l < N_LANGUAGES; l++) {
        g_test_message ("picture health, %s: %u of %u right, %.1f %%", LANGUAGES[l],
                counts[l].right, counts[l].all, 100 * share (counts[l]));
        altclip_prompts_unref (prompts[l]);
    }
    for (guint l = 0; l < N_LANGUAGES; l++)
        g_assert_cmpfloat (share (counts[l]), >=, l == 0 ? HEALTH_ENGLISH : HEALTH_OTHER);
}

#define SHAPE_ROUNDS 8

static void
test_shapes (void)
{
    AltclipPrompts *prompts[N_LANGUAGES];
    Count all[N_LANGUAGES] = { { 0, 0 } };
    Count never_shown[N_LANGUAGES] = { { 0, 0 } };
    g_autofree float *embedding = g_new (float, altclip_model_get_info (model)->projection_dim);

    for (guint l = 0; l < N_LANGUAGES; l++) {
        g_autoptr (GString) list = g_string_new (NULL);
        for (guint i = 0; i < N_COLOURS * N_SHAPES; i++) {
            g_autofree char *phrase = name_pair (l, i / N_SHAPES, i % N_SHAPES);
            append_escaped (list, phrase);
        }
        prompts[l] = embed_phrases (list);
    }
    for (guint i = 0; i < N_COLOURS * N_SHAPES * SHAPE_ROUNDS; i++) {
        guint truth = i % (N_COLOURS * N_SHAPES);
        gboolean unseen = is_never_shown (truth / N_SHAPES, truth % N_SHAPES);
        Picture picture =
                make_shape_picture (truth / N_SHAPES, truth % N_SHAPES, i / (N_COLOURS * N_SHAPES));

        embed_picture (&picture, embedding);
        g_free (picture.rgb);
        for (guint l = 0; l < N_LANGUAGES; l++) {
            guint said = best_label (prompts[l], embedding);
            note (unseen ? &never_shown[l] : &all[l], said == truth);
            if (said != truth && l == 0)
                g_test_message ("%s%s taken for %s", unseen ? "never shown: " : "",
                        altclip_prompts_get_label (prompts[l], truth),
                        altclip_prompts_get_label (prompts[l], said));
        }
    }
    for (guint l = 0; l < N_LANGUAGES; l++) {
        g_test_message ("shapes, %s: %.1f %% of %u; pairs never shown: %.1f %% of %u", LANGUAGES[l],
                100 * share (all[l]), all[l].all, 100 * share (never_shown[l]), never_shown[l].all);
        altclip_prompts_unref (prompts[l]);
    }
    for (guint l = 0; l < N_LANGUAGES; l++) {
        g_assert_cmpfloat (share (all[l]), >=, SHAPES_ALL);
        g_assert_cmpfloat (share (never_shown[l]), >=, SHAPES_NEVER_SHOWN);
    }
}

int
main (int argc, char **argv)
{
    g_autoptr (GError) error = NULL;
    const char *directory = g_getenv ("ALTCLIP_DEMO_MODEL");
    int status;

    g_test_init (&argc, &argv, NULL);
    gst_init (&argc, &argv);
    model = altclip_model_open (directory ? directory : "models/demo", NULL, NULL, &error);
    g_assert_no_error (error);
    session = altclip_session_new (model, 1, &error);
    g_assert_no_error (error);
    g_test_add_func ("/accuracy/health", test_health);
    g_test_add_func ("/accuracy/shapes", test_shapes);
    status = g_test_run ();
    altclip_session_free (session);
    altclip_model_unref (model);
    return status;
}
