/* altclip: what a video frame shows, in double precision
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Slow and plain: what the conversions are tested against.
 */

#ifndef ALTCLIP_TEST_EXACT_H
#define ALTCLIP_TEST_EXACT_H

#include <glib.h>

/* A frame, by its samples: component 0 in the frame's size, 1 and 2 in that of the chroma. */
typedef struct {
    guint width;
    guint height;
    gboolean is_ycbcr; /* else red, green, blue */
    gboolean is_grey;  /* then component 0 alone */
    guint bits;
    gboolean full_range;
    double kr;
    double kb;
    guint x_shift;
    guint y_shift;
    gboolean x_cosited;
    gboolean y_cosited;
    gboolean interlaced;
    double (*get_sample) (gconstpointer data, guint component, guint x, guint y);
    gconstpointer data;
} ExactFrame;

/* Red, green, blue, 0 to 255, not rounded. */
void exact_convert (const ExactFrame *frame, guint x, guint y, double rgb[3]);

/**
 * exact_resize:
 * @rgb: [height, width, 3]
 *
 * Bicubic as Pillow's, of the shorter edge to @size, then the centre; nothing rounded on the way.
 *
 * Returns: (transfer full): [3, size, size], 0 to 255
 */
double *exact_resize (const double *rgb, guint width, guint height, guint size);

#endif /* ALTCLIP_TEST_EXACT_H */
