/* altclip: the loops over pixels, for each set of instructions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All sets give the same results, to the bit.
 */

#ifndef ALTCLIP_PIXEL_LOOPS_H
#define ALTCLIP_PIXEL_LOOPS_H

#include "axis.h"

G_BEGIN_DECLS

/* Fraction bits of the matrix from Y'CbCr to a primary: sums of its products stay within 32 bits.
 */
#define ALTCLIP_PRIMARY_PRECISION 18

/* One of red, green and blue: (luma · y + cb · u + cr · v + offset) >> ALTCLIP_PRIMARY_PRECISION,
 * from 0 to 255. */
typedef struct {
    gint32 luma; /* the same for all three */
    gint32 cb;
    gint32 cr;
    gint32 offset; /* rounding included */
} AltclipPrimary;

/* Functions that allocate nothing and touch nothing beyond what their comments name. */
typedef struct {
    const char *name;
    gboolean (*is_supported) (void);

    /**
     * resample_row:
     * @x: planes of [in_count + n_taps], one after the other
     * @out: planes of [n], likewise
     *
     * One row of 1 or 3 planes, along a horizontal axis.
     */
    void (*resample_row) (const AltclipAxis *axis, guint n_planes, const gint16 *x, guint8 *out);

    /**
     * resample_rows:
     * @i: output of the axis
     * @rows: [in_count, n], @stride bytes apart
     * @sums: scratch, [n]
     * @out: [n]
     *
     * Row @i of the output, along a vertical axis.
     */
    void (*resample_rows) (const AltclipAxis *axis, guint i, const guint8 *rows, gsize stride,
            gsize n, gint32 *sums, guint8 *out);

    /* Every @stride-th byte, @n of them: the last byte that is read is the last that is taken, or
     * one of the same pixel. */
    void (*unpack) (const guint8 *bytes, guint stride, guint n, gint16 *out);

    /* first · weight + second · (8 − weight), [n] */
    void (*blend_rows) (
            const guint16 *first, const guint16 *second, guint weight, guint n, guint16 *out);

    /* Chroma from one sample a pair of columns to one a column, cosited with the first of them.
     * @row: the sample left of the first pair's, then one a pair, then one more
     * @out: [2 · n_pairs]: times 4 */
    void (*spread_cosited) (const guint16 *row, guint n_pairs, guint16 *out);

    /* The same where it lies between the two. */
    void (*spread_centred) (const guint16 *row, guint n_pairs, guint16 *out);

    /* @cb and @cr, and their factors: at most 32767, but in plain C;
     * @out: red, green and blue, each [n] */
    void (*mix) (const AltclipPrimary primaries[3], const guint16 *luma, const guint16 *cb,
            const guint16 *cr, guint n, gint16 *const out[3]);
} AltclipPixelLoops;

extern const AltclipPixelLoops ALTCLIP_PIXEL_LOOPS_PLAIN;
extern const AltclipPixelLoops ALTCLIP_PIXEL_LOOPS_AVX2;

/* All sets, the best first, up to %NULL; not all of them are for this CPU. */
const AltclipPixelLoops *const *altclip_pixel_loops_list (void);

/* Returns: the best set for this CPU. Thread-safe. */
const AltclipPixelLoops *altclip_pixel_loops_get (void);

G_END_DECLS

#endif /* ALTCLIP_PIXEL_LOOPS_H */
