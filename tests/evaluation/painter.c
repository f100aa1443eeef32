/* altclip: the frames of a film of the evaluation
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "painter.h"

#include <math.h>
#include <string.h>

/* How far a camera that is not quite still looks beside the picture, in pixels. */
#define MARGIN 10

#define N_NOISE 65536

/* What a scene looks like before camera and light. */
typedef struct {
    const Scene *scene; /* (nullable): it is of none */
    Picture picture;    /* larger than the frame by the margins, where the camera moves */
} Canvas;

struct _Painter {
    guint width;
    guint height;
    double brightness;
    double tint[3];
    double drift;        /* share by which the light comes and goes slowly, */
    double drift_period; /* in so many seconds, */
    double drift_phase;  /* in radians */
    Chance chance;
    gint8 noise[N_NOISE];
    Canvas canvases[2];
    guint oldest; /* of the canvases */
    Picture frame;
    Picture other; /* that is mixed into the frame */
};

/* ---- Noise ----------------------------------------------------------------------------------- */

/* Twelve uniform numbers add up to nearly a normal one, of variance 1. */
static void
fill_noise (Painter *painter, double deviation)
{
    for (guint i = 0; i < N_NOISE; i++) {
        double sum = -6.0;

        for (guint j = 0; j < 12; j++)
            sum += chance_uniform (&painter->chance, 0, 1);
        painter->noise[i] = (gint8)lrint (CLAMP (sum * deviation, -127, 127));
    }
}

static guint8
clamp_level (gint level)
{
    return (guint8)CLAMP (level, 0, 255);
}

static void
add_noise (Painter *painter, Picture *picture)
{
    for (guint y = 0; y < picture->height; y++) {
        guint8 *row = picture->rgb + (gsize)y * picture->width * 3;
        guint at = chance_below (&painter->chance, N_NOISE);

        for (guint x = 0; x < picture->width * 3; x++, at++)
            row[x] = clamp_level (row[x] + painter->noise[at % N_NOISE]);
    }
}

static void
paint_snow (Painter *painter, Picture *picture)
{
    for (gsize i = 0; i < (gsize)picture->width * picture->height; i++)
        memset (picture->rgb + 3 * i, (int)chance_below (&painter->chance, 256), 3);
}

static void
paint_colour (Picture *picture, guint8 red, guint8 green, guint8 blue)
{
    for (gsize i = 0; i < (gsize)picture->width * picture->height; i++) {
        picture->rgb[3 * i] = red;
        picture->rgb[3 * i + 1] = green;
        picture->rgb[3 * i + 2] = blue;
    }
}

/* ---- What a scene looks like ----------------------------------------------------------------- */

static Picture
make_picture (guint width, guint height)
{
    return (Picture){ width, height, g_malloc ((gsize)width * height * 3) };
}

static gboolean
is_watched_pair (guint colour, guint shape)
{
    for (Kind kind = 0; kind < N_WATCHED; kind++) {
        Pair pair;
        if (kind_get_pair (kind, &pair) && pair.colour == colour && pair.shape == shape)
            return TRUE;
    }
    return FALSE;
}

/* Any pair that is not watched for. */
static Pair
draw_other_pair (Chance *chance)
{
    Pair pair;

    do {
        pair.colour = chance_below (chance, DRAWING_N_COLOURS);
        pair.shape = chance_below (chance, DRAWING_N_SHAPES);
    } while (is_watched_pair (pair.colour, pair.shape));
    return pair;
}

static Picture
draw_shapes (Chance *chance, Kind kind, guint width, guint height)
{
    DrawingGround ground = (DrawingGround)chance_below (chance, 4);
    Pair pair;

    if (!kind_get_pair (kind, &pair))
        pair = draw_other_pair (chance);
    return drawing_make_shapes (chance, pair.colour, pair.shape, ground, width, height);
}

static Picture
draw_colour (Chance *chance, Kind kind, guint width, guint height)
{
    Picture picture = make_picture (width, height);
    guint8 level = (guint8)chance_uniform (chance, 190, 255);
    guint8 dark = (guint8)chance_uniform (chance, 0, 12);

    if (kind == KIND_BLUE)
        paint_colour (&picture, 0, dark, level);
    else if (kind == KIND_GREEN)
        paint_colour (&picture, 0, level, dark);
    else
        paint_colour (&picture, dark, dark, dark);
    return picture;
}

static Picture
draw_canvas (const Scene *scene, guint width, guint height)
{
    static const char *const bars[] = { "smpte", "smpte75", "smpte100" };
    Chance chance = chance_from_seed (scene->seed);
    guint wide = width + 2 * MARGIN;
    guint high = height + 2 * MARGIN;

    switch (scene->kind) {
    case KIND_BARS:
        return picture_grab (bars[chance_below (&chance, 3)], width, height, 0);
    case KIND_GRADIENT:
        return picture_grab ("gradient", width, height, 0);
    case KIND_CIRCLES:
        return picture_grab ("circular", width, height, 0);
    case KIND_CHECKERBOARD:
        return drawing_make_checkerboard (&chance, wide, high);
    case KIND_BLACK:
    case KIND_BLUE:
    case KIND_GREEN:
    case KIND_NOISE:
    case KIND_BALL:
        return draw_colour (&chance, scene->kind, width, height);
    case KIND_CLEAR:
    case KIND_OVEREXPOSED:
    case KIND_DARK:
    case KIND_BLURRED:
        return drawing_make_scene (&chance, wide, high);
    default:
        return draw_shapes (&chance, scene->kind, wide, high);
    }
}

/* Those of the two scenes at hand are kept. */
static const Picture *
get_canvas (Painter *painter, const Scene *scene)
{
    Canvas *canvas;

    for (guint i = 0; i < G_N_ELEMENTS (painter->canvases); i++)
        if (painter->canvases[i].scene == scene) {
            painter->oldest = 1 - i;
            return &painter->canvases[i].picture;
        }
    canvas = &painter->canvases[painter->oldest];
    picture_clear (&canvas->picture);
    canvas->picture = draw_canvas (scene, painter->width, painter->height);
    canvas->scene = scene;
    painter->oldest = 1 - painter->oldest;
    return &canvas->picture;
}

/* ---- The camera ------------------------------------------------------------------------------ */

/* A part of the canvas, which sways. */
static void
look (const Picture *canvas, guint32 seed, double time, Picture *frame)
{
    Chance chance = chance_from_seed (seed ^ 0x5eed);
    guint room_x = canvas->width - frame->width;
    guint room_y = canvas->height - frame->height;
    double sway_x = sin (time * chance_uniform (&chance, 0.3, 1.5));
    double sway_y = sin (time * chance_uniform (&chance, 0.3, 1.5));
    guint left = (guint)lrint (room_x / 2.0 * (1.0 + sway_x));
    guint top = (guint)lrint (room_y / 2.0 * (1.0 + sway_y));

    for (guint y = 0; y < frame->height; y++)
        memcpy (frame->rgb + (gsize)y * frame->width * 3,
                canvas->rgb + 3 * ((gsize)(y + top) * canvas->width + left),
                (gsize)frame->width * 3);
}

static void
fill_box (Picture *picture, double left, double top, double width, double height,
        const guint8 colour[3])
{
    gint right = MIN ((gint)lrint (left + width), (gint)picture->width);
    gint bottom = MIN ((gint)lrint (top + height), (gint)picture->height);

    for (gint y = MAX ((gint)lrint (top), 0); y < bottom; y++)
        for (gint x = MAX ((gint)lrint (left), 0); x < right; x++)
            memcpy (picture->rgb + 3 * ((gsize)y * picture->width + (gsize)x), colour, 3);
}

/* Somebody who goes by, now and then. */
static void
paint_passer_by (Chance *chance, Picture *frame, double time)
{
    double size = frame->height * chance_uniform (chance, 0.2, 0.4);
    double speed = frame->width * chance_uniform (chance, -0.2, 0.2);
    double way = frame->width * chance_uniform (chance, 1.5, 3.0);
    double foot = frame->height * chance_uniform (chance, 0.8, 0.97);
    double at = fmod (chance_uniform (chance, 0, way) + time * speed, way);
    guint8 skin[3] = { 200, 160, 130 };
    guint8 clothes[3];
    guint8 trousers[3] = { 40, 40, 52 };
    double stride = 0.08 * size * sin (time * 6);

    for (guint i = 0; i < 3; i++)
        clothes[i] = (guint8)chance_uniform (chance, 40, 170);
    at = (at < 0 ? at + way : at) - 0.5 * size;
    fill_box (frame, at + 0.12 * size, foot - size, 0.14 * size, 0.17 * size, skin);
    fill_box (frame, at + 0.05 * size, foot - 0.82 * size, 0.28 * size, 0.42 * size, clothes);
    fill_box (
            frame, at + 0.06 * size + stride, foot - 0.4 * size, 0.11 * size, 0.4 * size, trousers);
    fill_box (
            frame, at + 0.21 * size - stride, foot - 0.4 * size, 0.11 * size, 0.4 * size, trousers);
}

static void
paint_people (Picture *frame, guint32 seed, double time)
{
    Chance chance = chance_from_seed (seed ^ 0xbeef);
    guint n = chance_below (&chance, 3);

    for (guint i = 0; i < n; i++)
        paint_passer_by (&chance, frame, time);
}

static void
paint_ball (Picture *frame, guint32 seed, double time)
{
    Chance chance = chance_from_seed (seed);
    double radius = frame->height * chance_uniform (&chance, 0.04, 0.1);
    double edge = frame->height - 2 * radius;
    double x = frame->width / 2.0 + 0.4 * edge * sin (time * chance_uniform (&chance, 0.5, 2));
    double y = frame->height / 2.0 + 0.4 * edge * cos (time * chance_uniform (&chance, 0.5, 2));

    for (guint row = 0; row < frame->height; row++)
        for (guint column = 0; column < frame->width; column++)
            if (hypot (column - x, row - y) < radius)
                memset (frame->rgb + 3 * ((gsize)row * frame->width + column), 250, 3);
}

/* ---- Light and faults ------------------------------------------------------------------------ */

/* level · gain + offset, by a table. */
static void
light (Picture *picture, const double gain[3], double offset)
{
    guint8 table[3][256];

    for (guint c = 0; c < 3; c++)
        for (guint level = 0; level < 256; level++)
            table[c][level] = clamp_level ((gint)lrint (level * gain[c] + offset));
    for (gsize i = 0; i < (gsize)picture->width * picture->height * 3; i += 3)
        for (guint c = 0; c < 3; c++)
            picture->rgb[i + c] = table[c][picture->rgb[i + c]];
}

static double
get_light (const Painter *painter, const Scene *scene, double time)
{
    double drift = sin (2.0 * G_PI * time / painter->drift_period + painter->drift_phase);
    double flicker = sin (2.0 * G_PI * time * scene->rate);

    return (1.0 + painter->drift * drift) * (1.0 + scene->flicker * flicker);
}

/* By so much of the full fault: out of focus, of less light, of too much. Light is told apart by
 * its ratio, so that dimming goes by the logarithm. */
static void
spoil (Picture *frame, Kind kind, guint32 seed, double strength)
{
    Chance chance = chance_from_seed (seed ^ 0xfa17);
    double darkest = chance_uniform (&chance, 0.10, 0.18);
    double brightest = chance_uniform (&chance, 1.5, 2.2);
    double haze = chance_uniform (&chance, 100, 140);
    double blur = frame->height * chance_uniform (&chance, 0.032, 0.045);
    double gain = 1.0;

    if (kind == KIND_BLURRED) {
        picture_blur (frame, (guint)lrint (blur * strength));
        return;
    }
    if (kind == KIND_DARK)
        gain = pow (darkest, strength);
    else
        gain = 1.0 + strength * (brightest - 1.0);
    light (frame, (double[]){ gain, gain, gain }, kind == KIND_DARK ? 0.0 : strength * haze);
}

/* A scene as the camera sends it. @fault: how much of it, where the scene is one */
static void
paint_scene (Painter *painter, const Scene *scene, double time, double fault, Picture *frame)
{
    double gain[3];
    double level = painter->brightness;

    look (get_canvas (painter, scene), scene->seed, time, frame);
    if (scene->kind == KIND_NOISE)
        paint_snow (painter, frame);
    if (scene->kind == KIND_BALL)
        paint_ball (frame, scene->seed, time);
    if (scene->kind == KIND_CLEAR || kind_is_fault (scene->kind))
        paint_people (frame, scene->seed, time);
    if (kind_is_lit (scene->kind))
        level *= get_light (painter, scene, time);
    for (guint c = 0; c < 3; c++)
        gain[c] = level * (kind_is_lit (scene->kind) ? painter->tint[c] : 1.0);
    light (frame, gain, 0.0);
    if (kind_is_fault (scene->kind))
        spoil (frame, scene->kind, scene->seed, fault);
    if (kind_is_lit (scene->kind))
        add_noise (painter, frame);
}

static void
mix (Picture *frame, const Picture *other, double share)
{
    gint weight = (gint)lrint (256 * share);

    for (gsize i = 0; i < (gsize)frame->width * frame->height * 3; i++)
        frame->rgb[i] = (guint8)((frame->rgb[i] * (256 - weight) + other->rgb[i] * weight) >> 8);
}

static gboolean
is_same_place (const Scene *first, const Scene *second)
{
    return first->seed == second->seed &&
           (kind_is_fault (first->kind) || kind_is_fault (second->kind));
}

/* A fault that comes or goes by degrees; any other change is a mixture of two pictures. */
static void
paint_change (Painter *painter, const Moment *moment, double time)
{
    if (!is_same_place (moment->first, moment->second)) {
        paint_scene (painter, moment->first, time, 1.0, &painter->frame);
        paint_scene (painter, moment->second, time, 1.0, &painter->other);
        mix (&painter->frame, &painter->other, moment->mix);
    } else if (kind_is_fault (moment->second->kind)) {
        paint_scene (painter, moment->second, time, moment->mix, &painter->frame);
    } else {
        paint_scene (painter, moment->first, time, 1.0 - moment->mix, &painter->frame);
    }
}

static void
paint_glitch (Painter *painter, const Glitch *glitch)
{
    Picture *frame = &painter->frame;

    if (glitch->kind == 0)
        paint_colour (frame, 0, 0, 0);
    else if (glitch->kind == 1)
        paint_snow (painter, frame);
    else if (glitch->kind == 2)
        paint_colour (frame, 0, 0, 230);
    else
        paint_colour (frame, 250, 250, 250);
}

/* ---- Public ---------------------------------------------------------------------------------- */

Painter *
painter_new (guint32 seed, guint width, guint height, double brightness, double noise)
{
    Painter *painter = g_new0 (Painter, 1);
    Chance *chance = &painter->chance;

    *chance = chance_from_seed (seed ^ 0xca3e);
    painter->width = width;
    painter->height = height;
    painter->brightness = brightness;
    for (guint c = 0; c < 3; c++)
        painter->tint[c] = chance_uniform (chance, 0.95, 1.05);
    painter->drift = chance_uniform (chance, 0.05, 0.15);
    painter->drift_period = chance_uniform (chance, 30, 90);
    painter->drift_phase = chance_uniform (chance, 0, 2.0 * G_PI);
    fill_noise (painter, noise);
    painter->frame = make_picture (width, height);
    painter->other = make_picture (width, height);
    return painter;
}

void
painter_free (Painter *painter)
{
    for (guint i = 0; i < G_N_ELEMENTS (painter->canvases); i++)
        picture_clear (&painter->canvases[i].picture);
    picture_clear (&painter->frame);
    picture_clear (&painter->other);
    g_free (painter);
}

const Picture *
painter_paint (Painter *painter, const Moment *moment, double time)
{
    if (moment->glitch)
        paint_glitch (painter, moment->glitch);
    else if (moment->second)
        paint_change (painter, moment, time);
    else
        paint_scene (painter, moment->first, time, 1.0, &painter->frame);
    return &painter->frame;
}
