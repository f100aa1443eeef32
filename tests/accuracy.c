/* altclip: zero-shot accuracy of the bundled model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures come from GStreamer's videotestsrc and from drawing code that shares nothing with the
 * model's training: cairo shapes on drawn backgrounds, drawn scenes that are then spoiled. Every
 * picture is scored against all phrases of its kind, and the best phrase counts.
 */

#include "altclip.h"
#include "drawing.h"

#include <gst/gst.h>
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

static Chance chance = { 20220101 };

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
        return picture_grab (bars[(size + round) % 4], width, height, round);
    if (patterns[health])
        return picture_grab (patterns[health], width, height, 7 * round);
    if (health == CHECKERBOARD) /* finer ones of the test source turn grey in the tower's input */
        return size < 2 ? picture_grab ("checkers-8", width, height, round)
                        : drawing_make_checkerboard (&chance, width, height);
    picture = drawing_make_scene (&chance, width, height);
    if (health == DARK)
        picture_adjust (&picture, &chance, chance_uniform (&chance, 0.05, 0.14), 0.0, 3.0);
    else if (health == OVEREXPOSED)
        picture_adjust (&picture, &chance, chance_uniform (&chance, 1.5, 2.2),
                chance_uniform (&chance, 100, 140), 2.0);
    else if (health == BLURRED)
        picture_blur (&picture, MAX (2, (guint)(height * chance_uniform (&chance, 0.025, 0.045))));
    else
        picture_adjust (&picture, &chance, 1.0, 0.0, 4.0);
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

#define N_COLOURS DRAWING_N_COLOURS
#define N_SHAPES DRAWING_N_SHAPES

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
        DrawingGround ground = (DrawingGround)(i / (N_COLOURS * N_SHAPES) % 4);
        guint size = chance_below (&chance, G_N_ELEMENTS (SIZES));
        Picture picture = drawing_make_shapes (&chance, truth / N_SHAPES, truth % N_SHAPES, ground,
                SIZES[size].width, SIZES[size].height);

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
    const char *precision = g_getenv ("ALTCLIP_TEST_PRECISION");
    AltclipModelOptions options = { .precision = ALTCLIP_PRECISION_F32 };
    int status;

    g_test_init (&argc, &argv, NULL);
    gst_init (&argc, &argv);
    g_assert_true (!precision || altclip_precision_from_name (precision, &options.precision));
    model = altclip_model_open (directory ? directory : "models/demo", &options, NULL, &error);
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
