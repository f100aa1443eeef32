/* altclip: an instruction in C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef EMULATED_H
#define EMULATED_H

#include "kernels.h"

/* Kernel sets whose loops, layouts and scales are what they are, with the product in C. */
extern const AltclipKernels altclip_emulated_amx;
extern const AltclipKernels altclip_emulated_amx_int8;
extern const AltclipKernels altclip_emulated_avx512vnni;
extern const AltclipKernels altclip_emulated_avxvnni;

/* Returns: the four products of a byte of @input without a sign and one of @weights with one, added
 * up: what VPDPBUSD adds to each of its sums. */
static inline gint32
altclip_emulate_dot_product (guint32 input, guint32 weights)
{
    gint32 sum = 0;

    for (guint i = 0; i < 4; i++)
        sum += (gint32)(guint8)(input >> 8 * i) * (gint8)(guint8)(weights >> 8 * i);
    return sum;
}

/* The same for vectors of Bits, to sums of Integers. */
#define ALTCLIP_EMULATE_DOT_PRODUCTS(input, weights, sums)                                        \
    ({                                                                                            \
        Integers total = sums;                                                                    \
        for (guint lane = 0; lane < LANES; lane++)                                                \
            total[lane] +=                                                                        \
                    altclip_emulate_dot_product (((Bits)(input))[lane], ((Bits)(weights))[lane]); \
        total;                                                                                    \
    })

#endif /* EMULATED_H */
