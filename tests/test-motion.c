/* altclip: the measure of motion
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

#include <string.h>

#define WIDTH 640
#define HEIGHT 360

static const AltclipFrameFormat i420 = { .width = WIDTH,
    .height = HEIGHT,
    .colour = ALTCLIP_COLOUR_YCBCR,
    .components = { { 0, 0, 1, 0 }, { 1, 0, 1, 0 }, { 2, 0, 1, 0 } },
    .bits = 8,
    .kr = 0.299,
    .kb = 0.114,
    .chroma_x_shift = 1,
    .chroma_y_shift = 1 };

typedef struct {
    guint8 *luma;
    AltclipFrameData data;
} Picture;

static void
picture_init (Picture *picture)
{
    picture->luma = g_malloc (WIDTH * HEIGHT);
    memset (picture->luma, 100, WIDTH * HEIGHT);
    picture->data = (AltclipFrameData){ .planes = { picture->luma }, .strides = { WIDTH } };
}

static void
fill (Picture *picture, guint x, guint y, guint width, guint height, guint8 level)
{
    for (guint row = y; row < y + height; row++)
        memset (picture->luma + row * WIDTH + x, level, width);
}

/* A camera's: each pixel for itself, up to @strength either way. */
static void
add_noise (Picture *picture, GRand *random, int strength)
{
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        picture->luma[i] = (guint8)(100 + g_rand_int_range (random, -strength, strength + 1));
}

static void
test_share (void)
{
    g_autoptr (AltclipMotion) motion = altclip_motion_new (&i420, NULL, NULL);
    Picture picture;

    picture_init (&picture);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 1.0);
    altclip_motion_keep (motion);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 0.0);

    /* A quarter of the picture. */
    fill (&picture, 0, 0, WIDTH / 2, HEIGHT / 2, 130);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 0.25);
    /* It is not kept unless it is said. */
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 0.25);
    altclip_motion_keep (motion);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 0.0);

    /* Something small: 20 × 40 pixels of 640 × 360. */
    fill (&picture, 500, 200, 20, 40, 10);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), >=, 0.003);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), <=, 0.01);

    altclip_motion_forget (motion);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 1.0);
    g_free (picture.luma);
}

static void
test_noise_is_not_motion (void)
{
    g_autoptr (AltclipMotion) motion = altclip_motion_new (&i420, NULL, NULL);
    g_autoptr (GRand) random = g_rand_new_with_seed (3);
    Picture picture;

    picture_init (&picture);
    add_noise (&picture, random, 10);
    altclip_motion_measure (motion, &picture.data);
    altclip_motion_keep (motion);
    for (guint i = 0; i < 20; i++) {
        add_noise (&picture, random, 10);
        g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), <, 0.001);
    }
    g_free (picture.luma);
}

/* A slow drift is seen in the end, since frames are compared with the one that was kept. */
static void
test_drift (void)
{
    g_autoptr (AltclipMotion) motion = altclip_motion_new (&i420, NULL, NULL);
    Picture picture;

    picture_init (&picture);
    altclip_motion_measure (motion, &picture.data);
    altclip_motion_keep (motion);
    for (guint8 level = 101; level < 104; level++) {
        fill (&picture, 0, 0, WIDTH, HEIGHT, level);
        g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 0.0);
    }
    fill (&picture, 0, 0, WIDTH, HEIGHT, 104);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 1.0);
    g_free (picture.luma);
}

static void
test_part (void)
{
    const AltclipRectangle part = { 101, 51, 200, 100 };
    g_autoptr (AltclipMotion) motion = altclip_motion_new (&i420, &part, NULL);
    Picture picture;

    picture_init (&picture);
    altclip_motion_measure (motion, &picture.data);
    altclip_motion_keep (motion);
    fill (&picture, 0, 0, WIDTH, 51, 200);
    fill (&picture, 301, 51, 300, 100, 200);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 0.0);
    fill (&picture, 101, 51, 100, 100, 200);
    g_assert_cmpfloat (altclip_motion_measure (motion, &picture.data), ==, 0.5);
    g_free (picture.luma);
}

/* Every form of sample, in frames of one pixel too; blocks end where the frame does. */
static void
test_forms (void)
{
    static const struct {
        AltclipColour colour;
        AltclipFrameComponent luma;
        guint bits;
    } forms[] = { { ALTCLIP_COLOUR_GREY, { 0, 0, 1, 0 }, 8 },
        { ALTCLIP_COLOUR_RGB, { 0, 1, 3, 0 }, 8 }, { ALTCLIP_COLOUR_RGB, { 0, 2, 4, 0 }, 8 },
        { ALTCLIP_COLOUR_GREY, { 0, 1, 2, 0 }, 8 }, { ALTCLIP_COLOUR_GREY, { 0, 0, 2, 6 }, 10 },
        { ALTCLIP_COLOUR_GREY, { 0, 0, 2, 0 }, 10 }, { ALTCLIP_COLOUR_GREY, { 0, 0, 5, 0 }, 8 } };
    static const guint sizes[][2] = { { 1, 1 }, { 3, 200 }, { 201, 2 }, { 65, 63 } };

    for (guint f = 0; f < G_N_ELEMENTS (forms); f++) {
        for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
            AltclipFrameFormat format = { .width = sizes[s][0],
                .height = sizes[s][1],
                .colour = forms[f].colour,
                .components = { forms[f].luma, forms[f].luma, forms[f].luma },
                .bits = forms[f].bits };
            gsize stride = (gsize)format.width * forms[f].luma.stride;
            g_autofree guint8 *bytes = g_malloc (stride * format.height);
            AltclipFrameData data = { .planes = { bytes }, .strides = { stride } };
            g_autoptr (AltclipMotion) motion = altclip_motion_new (&format, NULL, NULL);

            memset (bytes, 0x11, stride * format.height);
            altclip_motion_measure (motion, &data);
            altclip_motion_keep (motion);
            g_assert_cmpfloat (altclip_motion_measure (motion, &data), ==, 0.0);
            memset (bytes, 0x33, stride * format.height);
            g_assert_cmpfloat (altclip_motion_measure (motion, &data), ==, 1.0);
        }
    }
}

/* A lamp of any colour that goes on. */
static void
test_primaries (void)
{
    static const AltclipFrameFormat rgb = { .width = 32,
        .height = 32,
        .colour = ALTCLIP_COLOUR_RGB,
        .components = { { 0, 0, 3, 0 }, { 0, 1, 3, 0 }, { 0, 2, 3, 0 } },
        .bits = 8 };
    guint8 bytes[32 * 32 * 3];
    AltclipFrameData data = { .planes = { bytes }, .strides = { 32 * 3 } };

    for (guint primary = 0; primary < 3; primary++) {
        g_autoptr (AltclipMotion) motion = altclip_motion_new (&rgb, NULL, NULL);

        memset (bytes, 40, sizeof bytes);
        altclip_motion_measure (motion, &data);
        altclip_motion_keep (motion);
        for (guint i = 0; i < 16 * 32; i++)
            bytes[i * 3 + primary] = 80;
        g_assert_cmpfloat (altclip_motion_measure (motion, &data), ==, 0.5);
    }
}

static void
test_refusal (void)
{
    const AltclipRectangle part = { 0, 0, 641, 10 };
    g_autoptr (GError) error = NULL;

    g_assert_null (altclip_motion_new (&i420, &part, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE);
    g_assert_cmpstr (error->message, ==,
            "a part of 641×10 pixels at (0, 0) is empty or not within a frame of 640×360");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/motion/share", test_share);
    g_test_add_func ("/motion/noise-is-not-motion", test_noise_is_not_motion);
    g_test_add_func ("/motion/drift", test_drift);
    g_test_add_func ("/motion/part", test_part);
    g_test_add_func ("/motion/forms", test_forms);
    g_test_add_func ("/motion/primaries", test_primaries);
    g_test_add_func ("/motion/refusal", test_refusal);
    return g_test_run ();
}
