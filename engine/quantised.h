/* altclip: numbers as 8-bit integers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A row of weights is whole numbers from −127 to 127, times the row's step. Of two side by side,
 * the first with the second and so on, the magnitudes are at most ALTCLIP_QUANTISED_MAX_PAIR
 * together. A row of a layer's input is whole numbers from 0 to 255, less the row's zero, times its
 * step: what an activation function leaves is seldom as far below nothing as above. So a product is
 *
 *     Σ x·w  =  x's step · w's step · (Σ q·w − zero · Σ w)
 *
 * and what is in brackets is exact.
 */

#ifndef ALTCLIP_QUANTISED_H
#define ALTCLIP_QUANTISED_H

#include <glib.h>

G_BEGIN_DECLS

/* So two products are at most 255 · 128 = 32640: a word with a sign, which is all that AVX2 has for
 * them. That makes steps about a third larger than single weights would need. */
#define ALTCLIP_QUANTISED_MAX_PAIR 128

/* Inputs of a layer beyond which the brackets, at most 255 · 127 · inputs, hold no number of 32
 * bits. Its terms may wrap around. */
#define ALTCLIP_QUANTISED_MAX_INPUTS 66000

/* What a row of integers stands for. */
typedef struct {
    float step;     /* NaN: the row holds what is no finite number */
    gint32 zero;    /* 0 to 255 */
    guint32 excess; /* what a set's sums of products with the row's integers are too large by */
} AltclipRowScale;

/* Mean of a row, and 1 / its standard deviation, as a layer norm has them. */
typedef struct {
    float mean;
    float factor;
} AltclipRowShift;

AltclipRowShift altclip_row_shift_find (const float *x, guint n, double epsilon);

/* Numbers of a row whose step would be below 2⁻¹²⁰ count as zero. Returns: the scale of x − @mean,
 * without an excess */
AltclipRowScale altclip_row_scale_find (const float *x, guint n, float mean);

/**
 * altclip_quantise_row:
 * @scale: what altclip_row_scale_find() said of the whole row, of which @x may be a part
 * @offset: what is added to each integer: 0, or −128 for those that have a sign
 * @out: (out caller-allocated): [n]
 */
void altclip_quantise_row (const float *x, guint n, float mean, const AltclipRowScale *scale,
        gint32 offset, guint8 *out);

/* Returns: the sum of @bytes [n], a part of a row of integers without signs */
guint32 altclip_sum_bytes (const guint8 *bytes, guint n);

/* Returns: the largest mean magnitude of two of @x [n] side by side, the first with the second; NaN
 * if one is no finite number */
float altclip_largest_pair (const float *x, guint n);

/* Returns: the step of weights whose largest pair has this mean magnitude; 0 if that is below 2⁻¹²⁰
 */
float altclip_weight_step_find (float largest);

/* Returns: the sum of the integers, which go to @out [n] */
gint32 altclip_quantise_weights (const float *x, guint n, float step, gint8 *out);

/* The same of weights that are integers already; −128 becomes −127. */
gint32 altclip_copy_weights (const gint8 *x, guint n, gint8 *out);

/* Returns: the first of the first pair of @x [n] that is larger than may be; @n: none is */
guint altclip_find_large_pair (const gint8 *x, guint n);

G_END_DECLS

#endif /* ALTCLIP_QUANTISED_H */
