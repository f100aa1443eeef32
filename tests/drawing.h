/* altclip: drawn pictures for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the bundled model knows, by GStreamer's videotestsrc and by drawing code that shares nothing
 * with the model's training.
 */

#ifndef DRAWING_H
#define DRAWING_H

#include <cairo.h>
#include <glib.h>

G_BEGIN_DECLS

/* Random numbers, the same ones from the same state on every machine. */
typedef struct {
    guint32 state;
} Chance;

/* Seeds that are neighbours begin nothing alike. */
Chance chance_from_seed (guint32 seed);

double chance_uniform (Chance *chance, double from, double to);

/* Returns: 0 to @n − 1 */
guint chance_below (Chance *chance, guint n);

/* Packed RGB. */
typedef struct {
    guint width;
    guint height;
    guint8 *rgb;
} Picture;

void picture_clear (Picture *picture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

/* Returns: a frame of videotestsrc, the one after @skip others */
Picture picture_grab (const char *pattern, guint width, guint height, guint skip);

/* @surface: (transfer full): of format RGB24 */
Picture picture_take_surface (cairo_surface_t *surface);

/* value · gain + offset + noise, each byte. */
void picture_adjust (Picture *picture, Chance *chance, double gain, double offset, double noise);

void picture_blur (Picture *picture, guint radius);

/* Returns: houses and trees, or a shop's shelves */
Picture drawing_make_scene (Chance *chance, guint width, guint height);

Picture drawing_make_checkerboard (Chance *chance, guint width, guint height);

/* red, orange, yellow, green, cyan, blue, purple, white */
#define DRAWING_N_COLOURS 8

/* circle, square, triangle, star, cross, ring */
#define DRAWING_N_SHAPES 6

typedef enum {
    DRAWING_GROUND_PLAIN,
    DRAWING_GROUND_GRADIENT,
    DRAWING_GROUND_TEXTURED,
    DRAWING_GROUND_NOISY
} DrawingGround;

/* Returns: one shape, or two or three side by side, within the square that the crop keeps */
Picture drawing_make_shapes (
        Chance *chance, guint colour, guint shape, DrawingGround ground, guint width, guint height);

G_END_DECLS

#endif /* DRAWING_H */
