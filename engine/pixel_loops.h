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
#define ALTCLIP_MATRIX_PRECISION 18

/* Chroma is mixed with weights of eighths over rows, then of quarters over columns. */
#define ALTCLIP_CHROMA_ROW_UNITY 8
#define ALTCLIP_CHROMA_UNITY (4 * ALTCLIP_CHROMA_ROW_UNITY)

/* The two differences of colour at one place, 0 where there is none. */
typedef struct {
    gint16 cb;
    gint16 cr;
} AltclipChroma;

/* Each of red, green and blue is (luma · y + cb · u + cr · v + offset) >> ALTCLIP_MATRIX_PRECISION,
 * from 0 to 255, where u and v are times ALTCLIP_CHROMA_UNITY. */
typedef struct {
    gint32 luma;
    gint32 offset; /* rounding included */
    struct {
        gint32 cb;
        gint32 cr;
    } primaries[3];
} AltclipMatrix;

/* A row of luma: either bytes, or words where samples are longer or lie apart. */
typedef struct {
    const guint8 *bytes;
    const guint16 *words;
} AltclipLuma;

/* Where the samples of chroma lie. */
typedef enum {
    ALTCLIP_SITING_EACH,    /* one with each column */
    ALTCLIP_SITING_COSITED, /* one with the first of each pair of columns */
    ALTCLIP_SITING_CENTRED, /* one between the two of each pair */
} AltclipSiting;

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

    /* Chroma of 8 bits, mixed of two rows: first · weight + second · (8 − weight), [n], where 128
     * means no colour. The last bytes that are read are the last that are taken.
     * @first, @second: the first sample of Cb and of Cr; the next are @stride bytes on */
    void (*blend_chroma) (const guint8 *const first[2], const guint8 *const second[2], guint stride,
            guint weight, guint n, AltclipChroma *out);

    /* Spreads chroma over the columns, and mixes it with luma. But in plain C the matrix' factors
     * of chroma are at most 32767.
     * @chroma: times ALTCLIP_CHROMA_ROW_UNITY; the sample left of the first column's own, then one
     *     for each place, then one more
     * @out: red, green and blue, each [n] */
    void (*mix) (const AltclipMatrix *matrix, AltclipSiting siting, AltclipLuma luma,
            const AltclipChroma *chroma, guint n, gint16 *const out[3]);
} AltclipPixelLoops;

extern const AltclipPixelLoops ALTCLIP_PIXEL_LOOPS_PLAIN;
extern const AltclipPixelLoops ALTCLIP_PIXEL_LOOPS_AVX2;

/* All sets, the best first, up to %NULL; not all of them are for this CPU. */
const AltclipPixelLoops *const *altclip_pixel_loops_list (void);

/* Returns: the best set for this CPU. Thread-safe. */
const AltclipPixelLoops *altclip_pixel_loops_get (void);

G_END_DECLS

#endif /* ALTCLIP_PIXEL_LOOPS_H */
