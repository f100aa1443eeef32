/* altclip: numbers as 8-bit integers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quantised.h"
#include "float_order.h"
#include "moments.h"

#include <math.h>
#include <string.h>

#define LEAST_MAGNITUDE 0x1p-120f

/* Added to a float below 2²², leaves the nearest whole number in its lower bits. */
#define ROUNDER 12582912.0f

ALTCLIP_VECTOR_LOOP gint32
round_to_integer (float x)
{
    return altclip_float_get_bits (x + ROUNDER) - altclip_float_get_bits (ROUNDER);
}

/* ---- Range ----------------------------------------------------------------------------------- */

/* With 0. */
ALTCLIP_VECTOR_LOOP void
find_range_loop (const float *x, guint n, float mean, AltclipFloatRange *range)
{
    *range = altclip_float_range_find (x, n, mean);
    range->least = range->least > 0.0f ? 0.0f : range->least;
    range->largest = range->largest < 0.0f ? 0.0f : range->largest;
}

ALTCLIP_DEFINE_FOR_WIDTHS (find_range,
        (const float *x, guint n, float mean, AltclipFloatRange *range), (x, n, mean, range))

/* What is no number is one of the ends. */
static gboolean
range_is_finite (const AltclipFloatRange *range)
{
    return isfinite (range->least) && isfinite (range->largest);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

ALTCLIP_VECTOR_LOOP void
find_shift_loop (const float *x, guint n, double epsilon, AltclipRowShift *shift)
{
    shift->mean = altclip_row_mean (x, n);
    shift->factor = altclip_row_factor (x, n, shift->mean, epsilon);
}

ALTCLIP_DEFINE_FOR_WIDTHS (find_shift,
        (const float *x, guint n, double epsilon, AltclipRowShift *shift), (x, n, epsilon, shift))

AltclipRowShift
altclip_row_shift_find (const float *x, guint n, double epsilon)
{
    AltclipRowShift shift;

    find_shift (x, n, epsilon, &shift);
    return shift;
}

/* The largest of 255 steps may lie beyond the floats where the least is as far below zero. */
static float
find_step (float least, float largest)
{
    return largest / 255.0f - least / 255.0f;
}

AltclipRowScale
altclip_row_scale_find (const float *x, guint n, float mean)
{
    AltclipFloatRange range;
    float step;

    find_range (x, n, mean, &range);
    if (!range_is_finite (&range))
        return (AltclipRowScale){ NAN, 0, 0 };
    step = find_step (range.least, range.largest);
    if (step < LEAST_MAGNITUDE)
        return (AltclipRowScale){ 0.0f, 0, 0 };
    return (AltclipRowScale){ step, round_to_integer (-range.least / step), 0 };
}

/* No number lies further from zero than the range, and its ends may by rounding be half a step from
 * 0 or 255 at most: what is beyond that by the last bit of a float is put back. */
ALTCLIP_VECTOR_LOOP void
quantise_row_loop (
        const float *x, guint n, float mean, float inverse, gint32 zero, gint32 offset, guint8 *out)
{
    for (guint i = 0; i < n; i++) {
        gint32 q = round_to_integer ((x[i] - mean) * inverse) + zero;

        q = q < 0 ? 0 : q;
        q = q > 255 ? 255 : q;
        out[i] = (guint8)(q + offset);
    }
}

ALTCLIP_DEFINE_FOR_WIDTHS (quantise_row,
        (const float *x, guint n, float mean, float inverse, gint32 zero, gint32 offset,
                guint8 *out),
        (x, n, mean, inverse, zero, offset, out))

void
altclip_quantise_row (const float *x, guint n, float mean, const AltclipRowScale *scale,
        gint32 offset, guint8 *out)
{
    if (scale->step > 0.0f)
        quantise_row (x, n, mean, 1.0f / scale->step, scale->zero, offset, out);
    else
        memset (out, scale->zero + offset, n);
}

ALTCLIP_VECTOR_LOOP void
sum_bytes_loop (const guint8 *bytes, guint n, guint32 *sum)
{
    guint32 held = 0;

    for (guint i = 0; i < n; i++)
        held += bytes[i];
    *sum = held;
}

ALTCLIP_DEFINE_FOR_WIDTHS (sum_bytes, (const guint8 *bytes, guint n, guint32 *sum), (bytes, n, sum))

guint32
altclip_sum_bytes (const guint8 *bytes, guint n)
{
    guint32 sum;

    sum_bytes (bytes, n, &sum);
    return sum;
}

/* ---- Weights --------------------------------------------------------------------------------- */

/* Magnitudes are in the order of their bits, and what is no finite number is beyond all. */
ALTCLIP_VECTOR_LOOP void
find_largest_pair_loop (const float *x, guint n, float *largest)
{
    gint32 held = 0;

    for (guint i = 0; i + 1 < n; i += 2) {
        gint32 bits = altclip_float_get_bits (0.5f * fabsf (x[i]) + 0.5f * fabsf (x[i + 1]));

        held = bits > held ? bits : held;
    }
    memcpy (largest, &held, sizeof *largest);
}

ALTCLIP_DEFINE_FOR_WIDTHS (
        find_largest_pair, (const float *x, guint n, float *largest), (x, n, largest))

float
altclip_largest_pair (const float *x, guint n)
{
    float largest;

    find_largest_pair (x, n, &largest);
    if (n % 2 && !(0.5f * fabsf (x[n - 1]) <= largest))
        largest = 0.5f * fabsf (x[n - 1]);
    return isfinite (largest) ? largest : NAN;
}

float
altclip_weight_step_find (float largest)
{
    /* Rounding may add a half to each of a pair. */
    return largest < LEAST_MAGNITUDE ? 0.0f : largest / (0.5f * (ALTCLIP_QUANTISED_MAX_PAIR - 1));
}

ALTCLIP_VECTOR_LOOP void
quantise_weights_loop (const float *x, guint n, float inverse, gint8 *out)
{
    for (guint i = 0; i < n; i++) {
        gint32 q = round_to_integer (x[i] * inverse);

        q = q < -127 ? -127 : q;
        q = q > 127 ? 127 : q;
        out[i] = (gint8)q;
    }
}

ALTCLIP_DEFINE_FOR_WIDTHS (quantise_weights, (const float *x, guint n, float inverse, gint8 *out),
        (x, n, inverse, out))

ALTCLIP_VECTOR_LOOP void
copy_weights_loop (const gint8 *x, guint n, gint8 *out, gint32 *sum)
{
    gint32 held = 0;

    for (guint i = 0; i < n; i++) {
        gint8 value = x[i] < -127 ? -127 : x[i];

        out[i] = value;
        held += value;
    }
    *sum = held;
}

ALTCLIP_DEFINE_FOR_WIDTHS (
        copy_weights, (const gint8 *x, guint n, gint8 *out, gint32 *sum), (x, n, out, sum))

gint32
altclip_copy_weights (const gint8 *x, guint n, gint8 *out)
{
    gint32 sum;

    copy_weights (x, n, out, &sum);
    return sum;
}

/* Pairs as words: the first is the lower byte or the upper. */
ALTCLIP_VECTOR_LOOP void
find_largest_word_loop (const gint8 *x, guint n, gint16 *largest)
{
    gint16 held = 0;

    for (guint i = 0; i < n / 2; i++) {
        gint16 pair;
        gint16 sum;

        memcpy (&pair, x + 2 * (gsize)i, sizeof pair);
        sum = (gint16)(ABS ((gint8)pair) + ABS (pair >> 8));
        held = sum > held ? sum : held;
    }
    *largest = held;
}

ALTCLIP_DEFINE_FOR_WIDTHS (
        find_largest_word, (const gint8 *x, guint n, gint16 *largest), (x, n, largest))

guint
altclip_find_large_pair (const gint8 *x, guint n)
{
    gint16 largest;
    guint i = 0;

    find_largest_word (x, n, &largest);
    if (largest <= ALTCLIP_QUANTISED_MAX_PAIR)
        return n;
    while (ABS (x[i]) + ABS (x[i + 1]) <= ALTCLIP_QUANTISED_MAX_PAIR)
        i += 2;
    return i;
}

gint32
altclip_quantise_weights (const float *x, guint n, float step, gint8 *out)
{
    gint32 sum = 0;

    if (step > 0.0f)
        quantise_weights (x, n, 1.0f / step, out);
    else
        memset (out, 0, n);
    for (guint i = 0; i < n; i++)
        sum += out[i];
    return sum;
}
