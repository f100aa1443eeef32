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
        out[i] = to_byte ((gint32)((guint32)high * 256 + (guint32)low + ROUNDING));
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

static void
blend_rows (const guint16 *first, const guint16 *second, guint weight, guint n, guint16 *out)
{
    guint16 w = (guint16)weight;
    guint16 v = (guint16)(8 - weight);

    for (guint i = 0; i < n; i++)
        out[i] = (guint16)(first[i] * w + second[i] * v);
}

static void
spread_cosited (const guint16 *row, guint n_pairs, guint16 *restrict out)
{
    for (guint i = 0; i < n_pairs; i++) {
        out[2 * i] = (guint16)(row[i + 1] * 4);
        out[2 * i + 1] = (guint16)((row[i + 1] + row[i + 2]) * 2);
    }
}

static void
spread_centred (const guint16 *row, guint n_pairs, guint16 *restrict out)
{
    for (guint i = 0; i < n_pairs; i++) {
        out[2 * i] = (guint16)(row[i] + row[i + 1] * 3);
        out[2 * i + 1] = (guint16)(row[i + 1] * 3 + row[i + 2]);
    }
}

static void
mix (const AltclipPrimary primaries[3], const guint16 *luma, const guint16 *cb, const guint16 *cr,
        guint n, gint16 *const out[3])
{
    for (guint k = 0; k < 3; k++) {
        const AltclipPrimary p = primaries[k];
        gint16 *restrict to = out[k];

        for (guint i = 0; i < n; i++) {
            gint32 value = (luma[i] * p.luma + cb[i] * p.cb + cr[i] * p.cr + p.offset) >>
                           ALTCLIP_PRIMARY_PRECISION;
            to[i] = (gint16)CLAMP (value, 0, 255);
        }
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
    .blend_rows = blend_rows,
    .spread_cosited = spread_cosited,
    .spread_centred = spread_centred,
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
