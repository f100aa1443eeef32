/* altclip: which pixels of a row or column a resized picture's are made of
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The coefficients of Pillow 13.0, bit for bit, in fixed point.
 */

#include "axis.h"

#include <math.h>
#include <string.h>

/* ---- Filters --------------------------------------------------------------------------------- */

typedef struct {
    double (*weight) (double x);
    double support;
} Filter;

static double
weigh_box (double x)
{
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double
weigh_bilinear (double x)
{
    x = fabs (x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* The constants are of single precision in Pillow too. */
static double
weigh_hamming (double x)
{
    x = fabs (x);
    if (x == 0.0)
        return 1.0;
    if (x >= 1.0)
        return 0.0;
    x = x * G_PI;
    return sin (x) / x * (0.54f + 0.46f * cos (x));
}

static double
weigh_bicubic (double x)
{
    const double a = -0.5;

    x = fabs (x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static double
sinc (double x)
{
    if (x == 0.0)
        return 1.0;
    x = x * G_PI;
    return sin (x) / x;
}

static double
weigh_lanczos (double x)
{
    return -3.0 <= x && x < 3.0 ? sinc (x) * sinc (x / 3) : 0.0;
}

static const Filter filters[] = {
    [ALTCLIP_RESAMPLE_LANCZOS] = { weigh_lanczos, 3.0 },
    [ALTCLIP_RESAMPLE_BILINEAR] = { weigh_bilinear, 1.0 },
    [ALTCLIP_RESAMPLE_BICUBIC] = { weigh_bicubic, 2.0 },
    [ALTCLIP_RESAMPLE_BOX] = { weigh_box, 0.5 },
    [ALTCLIP_RESAMPLE_HAMMING] = { weigh_hamming, 1.0 },
};

/* ---- An axis --------------------------------------------------------------------------------- */

/* Pillow's arithmetic, its order and roundings included. */
static void
find_range (const AltclipAxis *axis, double support, guint i, double *center, guint *first,
        guint *count)
{
    double scale = (double)axis->in_size / axis->full_size;
    int begin;
    int end;

    *center = (axis->crop + i + 0.5) * scale;
    begin = (int)(*center - support + 0.5);
    end = (int)(*center + support + 0.5);
    begin = MAX (begin, 0);
    end = MIN (end, (int)axis->in_size);
    *first = (guint)begin;
    *count = (guint)(end - begin);
}

static gint32
to_fixed_point (double weight)
{
    return (gint32)((weight < 0 ? -0.5 : 0.5) + weight * (1 << ALTCLIP_AXIS_PRECISION));
}

static void
allocate_taps (AltclipAxis *axis, guint max_count)
{
    axis->n_taps = (max_count + ALTCLIP_AXIS_TAP_BLOCK - 1) / ALTCLIP_AXIS_TAP_BLOCK *
                   ALTCLIP_AXIS_TAP_BLOCK;
    axis->taps = g_new0 (gint32, (gsize)axis->n * axis->n_taps);
}

static void
compute_taps (AltclipAxis *axis, const Filter *filter)
{
    double scale = (double)axis->in_size / axis->full_size;
    double filter_scale = MAX (scale, 1.0);
    double inverse = 1.0 / filter_scale;
    double support = filter->support * filter_scale;
    g_autofree double *weights = NULL;
    guint max_count = 0;
    double center;

    for (guint i = 0; i < axis->n; i++) {
        find_range (axis, support, i, &center, &axis->start[i], &axis->count[i]);
        max_count = MAX (max_count, axis->count[i]);
    }
    allocate_taps (axis, max_count);
    weights = g_new (double, max_count + 1);
    for (guint i = 0; i < axis->n; i++) {
        double sum = 0.0;
        find_range (axis, support, i, &center, &axis->start[i], &axis->count[i]);
        for (guint j = 0; j < axis->count[i]; j++) {
            int x = (int)(j + axis->start[i]);
            weights[j] = filter->weight ((x - center + 0.5) * inverse);
            sum += weights[j];
        }
        for (guint j = 0; j < axis->count[i]; j++)
            axis->taps[(gsize)i * axis->n_taps + j] =
                    to_fixed_point (sum != 0.0 ? weights[j] / sum : weights[j]);
    }
}

/* One tap of 1 each: the nearest input, found by repeated addition as in Pillow, or the same one.
 */
static void
compute_nearest (AltclipAxis *axis)
{
    double step = (double)axis->in_size / axis->full_size;
    double at = step * 0.5;

    allocate_taps (axis, 1);
    for (guint i = 0; i < axis->crop; i++)
        at += step;
    for (guint i = 0; i < axis->n; i++) {
        axis->start[i] = MIN ((guint)at, axis->in_size - 1);
        axis->count[i] = 1;
        axis->taps[(gsize)i * axis->n_taps] = 1 << ALTCLIP_AXIS_PRECISION;
        at += step;
    }
}

static void
count_inputs (AltclipAxis *axis)
{
    guint last = 0;

    axis->in_first = axis->start[0];
    for (guint i = 0; i < axis->n; i++)
        last = MAX (last, axis->start[i] + axis->count[i]);
    axis->in_count = last - axis->in_first;
    for (guint i = 0; i < axis->n; i++)
        axis->start[i] -= axis->in_first;
}

void
altclip_axis_set_sizes (AltclipAxis *axis, guint in_size, guint full_size, guint out_size)
{
    axis->in_size = in_size;
    axis->full_size = full_size;
    axis->out_size = out_size ? out_size : full_size;
    axis->n = MIN (full_size, axis->out_size);
    axis->crop = (full_size - axis->n) / 2;
    axis->pad = (axis->out_size - axis->n + 1) / 2;
}

static guint
get_padded (guint n)
{
    return (n + ALTCLIP_AXIS_OUTPUT_BLOCK - 1) / ALTCLIP_AXIS_OUTPUT_BLOCK *
           ALTCLIP_AXIS_OUTPUT_BLOCK;
}

/* ---- In words -------------------------------------------------------------------------------- */

/* By how many bits taps are too long for words. */
static guint
find_shift (const AltclipAxis *axis)
{
    gint32 largest = 0;
    guint shift = 0;

    for (gsize i = 0; i < (gsize)axis->n * axis->n_taps; i++)
        largest = MAX (largest, ABS (axis->taps[i]));
    g_assert (largest < 1 << (ALTCLIP_AXIS_PRECISION + 1));
    while ((largest >> shift) >= G_MAXINT16)
        shift++;
    return shift;
}

/* Splits the taps of output @i, and finds how far what the lower parts contribute can be from the
 * middle: an input is 128 and at most as much more or less. */
static void
split_taps (AltclipAxis *axis, guint i)
{
    gsize first = (gsize)i * axis->n_taps;
    gint32 unit = 1 << axis->shift;
    gint64 middle = 1 << (ALTCLIP_AXIS_PRECISION - 1);
    gint64 off = 0;

    for (gsize k = first; k < first + axis->n_taps; k++) {
        gint32 high = (axis->taps[k] + unit / 2) >> axis->shift;
        gint32 low = axis->taps[k] - high * unit;

        axis->high[k] = (gint16)high;
        axis->low[k] = (gint16)low;
        middle += 128 * low;
        off += 128 * ABS (low);
    }
    axis->least[i] = (gint32)((middle - off) >> axis->shift);
    axis->most[i] = (gint32)((middle + off + unit - 1) >> axis->shift);
}

static void
compute_words (AltclipAxis *axis)
{
    gsize n_padded = get_padded (axis->n);

    axis->shift = find_shift (axis);
    axis->high = g_new0 (gint16, n_padded * axis->n_taps);
    axis->low = g_new0 (gint16, n_padded * axis->n_taps);
    axis->least = g_new0 (gint32, n_padded);
    axis->most = g_new0 (gint32, n_padded);
    for (guint i = 0; i < axis->n; i++)
        split_taps (axis, i);
}

/* ---- Life ------------------------------------------------------------------------------------ */

void
altclip_axis_compute (AltclipAxis *axis, AltclipResample resample)
{
    axis->start = g_new0 (guint, get_padded (axis->n));
    axis->count = g_new (guint, axis->n);
    if (resample == ALTCLIP_RESAMPLE_NEAREST || axis->in_size == axis->full_size)
        compute_nearest (axis);
    else
        compute_taps (axis, &filters[resample]);
    count_inputs (axis);
    compute_words (axis);
}

void
altclip_axis_begin_earlier (AltclipAxis *axis, guint n)
{
    for (guint i = 0; i < axis->n; i++)
        axis->start[i] += n;
    axis->in_count += n;
}

void
altclip_axis_clear (AltclipAxis *axis)
{
    g_free (axis->start);
    g_free (axis->count);
    g_free (axis->taps);
    g_free (axis->high);
    g_free (axis->low);
    g_free (axis->least);
    g_free (axis->most);
}
