/* altclip: which pixels of a row or column a resized picture's are made of
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_AXIS_H
#define ALTCLIP_AXIS_H

#include "config.h"

G_BEGIN_DECLS

/* Fraction bits of a tap, Pillow's: 8 bits are left for the result, 2 for negative lobes and
 * overshoot. */
#define ALTCLIP_AXIS_PRECISION (32 - 8 - 2)

/* Taps are padded with zeros to a multiple of this, so that loops over them become vector code. */
#define ALTCLIP_AXIS_TAP_BLOCK 8

/* Outputs are padded to a multiple of this where vectors of them are computed. */
#define ALTCLIP_AXIS_OUTPUT_BLOCK 8

/* One axis of the resampling: output i is the sum of taps[i] · input[start[i] …]. */
typedef struct {
    guint in_size;   /* of the picture */
    guint full_size; /* after the resize */
    guint out_size;  /* after the crop */
    guint crop;      /* first kept output */
    guint n;         /* kept outputs */
    guint pad;       /* zeros before them, where the crop is larger */
    guint n_taps;    /* multiple of ALTCLIP_AXIS_TAP_BLOCK */
    guint in_first;  /* first input that any kept output reads */
    guint in_count;  /* inputs from there to the last */
    guint *start;    /* [n, padded with 0], counted from in_first */
    guint *count;    /* [n], taps that are not padding */
    gint32 *taps;    /* [n, n_taps] */

    /* For 16-bit multiplications: tap = high · 2^shift + low, with low from −128 to 127, so that no
     * sum of 65,535 products overflows. */
    guint shift;
    gint16 *high; /* [n padded, n_taps] */
    gint16 *low;  /* [n padded, n_taps] */

    /* With inputs of 0 to 255 the sum of output i, half a unit for rounding added, is from sum
     * (high[i]) + least[i] to sum (high[i]) + most[i], times 2^shift. Where that makes no
     * difference to the result, nothing finer need be computed. */
    gint32 *least; /* [n padded] */
    gint32 *most;  /* [n padded] */
} AltclipAxis;

/* @axis: all zeros
 * @out_size: after the crop; 0: there is none */
void altclip_axis_set_sizes (AltclipAxis *axis, guint in_size, guint full_size, guint out_size);

/* Fills in the taps of an axis whose sizes are set. */
void altclip_axis_compute (AltclipAxis *axis, AltclipResample resample);

/* Lets the inputs begin @n places before in_first, which no output reads. */
void altclip_axis_begin_earlier (AltclipAxis *axis, guint n);

void altclip_axis_clear (AltclipAxis *axis);

G_END_DECLS

#endif /* ALTCLIP_AXIS_H */
