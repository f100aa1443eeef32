/* altclip: the loops over pixels, in plain C, and the choice among the sets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "pixel_loops.h"

#define ROUNDING (1 << (ALTCLIP_AXIS_PRECISION - 1))

/* ---- Resampling ------------------------------------------------------------------------------ */

static inline guint8
to_byte (gint32 sum)
{
    return (guint8)CLAMP (sum >> ALTCLIP_AXIS_PRECISION, 0, 255);
}

static inline gint32
multiply (const gint16 *x, const gint16 *taps, guint n)
{
    gint32 sum = 0;

    for (guint i = 0; i < n; i++)
        sum += (gint32)x[i] * taps[i];
    return sum;
}

static void
resample_plane (const AltclipAxis *axis, const gint16 *x, guint8 *out)
{
    /* Tells the compiler what it is. */
    guint n_taps = axis->n_taps & ~(guint)(ALTCLIP_AXIS_TAP_BLOCK - 1);

    for (guint i = 0; i < axis->n; i++) {
        const gint16 *from = x + axis->start[i];
        gsize at = (gsize)i * n_taps;
        gint32 high = multiply (from, axis->high + at, n_taps);
        gint32 low = multiply (from, axis->low + at, n_taps);
        out[i] = to_byte ((gint32)(((guint32)high << axis->shift) + (guint32)low + ROUNDING));
    }
}

static void
resample_row (const AltclipAxis *axis, guint n_planes, const gint16 *x, guint8 *out)
{
    for (guint c = 0; c < n_planes; c++, x += axis->in_count + axis->n_taps, out += axis->n)
        resample_plane (axis, x, out);
}

static void
resample_rows (const AltclipAxis *axis, guint i, const guint8 *rows, gsize stride, gsize n,
        gint32 *restrict sums, guint8 *out)
{
    const gint32 *taps = axis->taps + (gsize)i * axis->n_taps;
    const guint8 *row = rows + axis->start[i] * stride;

    for (gsize k = 0; k < n; k++)
        sums[k] = ROUNDING;
    for (guint j = 0; j < axis->count[i]; j++, row += stride) {
        gint32 tap = taps[j];
        for (gsize k = 0; k < n; k++)
            sums[k] += row[k] * tap;
    }
    for (gsize k = 0; k < n; k++)
        out[k] = to_byte (sums[k]);
}

/* ---- Samples --------------------------------------------------------------------------------- */

static inline void
unpack_plane (const guint8 *bytes, guint stride, guint n, gint16 *out)
{
    for (guint i = 0; i < n; i++)
        out[i] = bytes[(gsize)i * stride];
}

/* Constant strides make better loops. */
static void
unpack (const guint8 *bytes, guint stride, guint n, gint16 *out)
{
    if (stride == 1)
        unpack_plane (bytes, 1, n, out);
    else if (stride == 2)
        unpack_plane (bytes, 2, n, out);
    else if (stride == 3)
        unpack_plane (bytes, 3, n, out);
    else if (stride == 4)
        unpack_plane (bytes, 4, n, out);
    else
        unpack_plane (bytes, stride, n, out);
}

/* ---- Colours --------------------------------------------------------------------------------- */

static void
blend_chroma (const guint8 *const first[2], const guint8 *const second[2], guint stride,
        guint weight, guint n, AltclipChroma *out)
{
    gint w = (gint)weight;
    gint v = ALTCLIP_CHROMA_ROW_UNITY - w;
    const gint grey = 128 * ALTCLIP_CHROMA_ROW_UNITY;

    for (gsize i = 0; i < n; i++) {
        out[i].cb = (gint16)(first[0][i * stride] * w + second[0][i * stride] * v - grey);
        out[i].cr = (gint16)(first[1][i * stride] * w + second[1][i * stride] * v - grey);
    }
}

/* Mixing goes by so many columns at a time. */
#define N_SPREAD 64

/* @row: the sample left of the first, then one a column */
static void
spread_each (const AltclipChroma *row, guint n, gint16 *restrict cb, gint16 *restrict cr)
{
    for (guint i = 0; i < n; i++) {
        cb[i] = (gint16)(row[i + 1].cb * 4);
        cr[i] = (gint16)(row[i + 1].cr * 4);
    }
}

/* @row: the sample left of the first pair's, then one a pair, then one more */
static void
spread_cosited (const AltclipChroma *row, guint n, gint16 *restrict cb, gint16 *restrict cr)
{
    for (guint i = 0; i < (n + 1) / 2; i++) {
        cb[2 * i] = (gint16)(row[i + 1].cb * 4);
        cr[2 * i] = (gint16)(row[i + 1].cr * 4);
        cb[2 * i + 1] = (gint16)((row[i + 1].cb + row[i + 2].cb) * 2);
        cr[2 * i + 1] = (gint16)((row[i + 1].cr + row[i + 2].cr) * 2);
    }
}

static void
spread_centred (const AltclipChroma *row, guint n, gint16 *restrict cb, gint16 *restrict cr)
{
    for (guint i = 0; i < (n + 1) / 2; i++) {
        cb[2 * i] = (gint16)(row[i].cb + row[i + 1].cb * 3);
        cr[2 * i] = (gint16)(row[i].cr + row[i + 1].cr * 3);
        cb[2 * i + 1] = (gint16)(row[i + 1].cb * 3 + row[i + 2].cb);
        cr[2 * i + 1] = (gint16)(row[i + 1].cr * 3 + row[i + 2].cr);
    }
}

static void
mix_primary (const AltclipMatrix *matrix, guint k, const guint16 *luma, const gint16 *cb,
        const gint16 *cr, guint n, gint16 *restrict out)
{
    const AltclipMatrix m = *matrix;

    for (guint i = 0; i < n; i++) {
        gint32 value = (luma[i] * m.luma + cb[i] * m.primaries[k].cb + cr[i] * m.primaries[k].cr +
                               m.offset) >>
                       ALTCLIP_MATRIX_PRECISION;
        out[i] = (gint16)CLAMP (value, 0, 255);
    }
}

static void
mix (const AltclipMatrix *matrix, AltclipSiting siting, AltclipLuma luma,
        const AltclipChroma *chroma, guint n, gint16 *const out[3])
{
    gint16 unpacked[N_SPREAD];
    gint16 cb[N_SPREAD];
    gint16 cr[N_SPREAD];

    for (guint i = 0; i < n; i += N_SPREAD) {
        guint n_here = MIN (n - i, N_SPREAD);
        const guint16 *words = luma.bytes ? (const guint16 *)unpacked : luma.words + i;

        if (luma.bytes)
            unpack_plane (luma.bytes + i, 1, n_here, unpacked);

        if (siting == ALTCLIP_SITING_EACH)
            spread_each (chroma + i, n_here, cb, cr);
        else if (siting == ALTCLIP_SITING_COSITED)
            spread_cosited (chroma + i / 2, n_here, cb, cr);
        else
            spread_centred (chroma + i / 2, n_here, cb, cr);
        for (guint k = 0; k < 3; k++)
            mix_primary (matrix, k, words, cb, cr, n_here, out[k] + i);
    }
}

static gboolean
is_supported (void)
{
    return TRUE;
}

const AltclipPixelLoops ALTCLIP_PIXEL_LOOPS_PLAIN = {
    .name = "plain",
    .is_supported = is_supported,
    .resample_row = resample_row,
    .resample_rows = resample_rows,
    .unpack = unpack,
    .blend_chroma = blend_chroma,
    .mix = mix,
};

/* ---- The choice ------------------------------------------------------------------------------ */

const AltclipPixelLoops *const *
altclip_pixel_loops_list (void)
{
    static const AltclipPixelLoops *const sets[] = {
#if defined(__x86_64__)
        &ALTCLIP_PIXEL_LOOPS_AVX2,
#endif
        &ALTCLIP_PIXEL_LOOPS_PLAIN,
        NULL,
    };

    return sets;
}

const AltclipPixelLoops *
altclip_pixel_loops_get (void)
{
    const AltclipPixelLoops *const *set = altclip_pixel_loops_list ();

    while (!(*set)->is_supported ())
        set++;
    return *set;
}
