/* altclip: the loops of the kernels for AVX-VNNI, for CPUs that lack its instruction
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "emulated.h"

#define TARGET
#define DOT_PRODUCT(input, weights, sums) emulate (input, weights, sums)
#define emulate(input, weights, sums)                                                             \
    ({                                                                                            \
        Integers total = sums;                                                                    \
        for (guint lane = 0; lane < LANES; lane++)                                                \
            total[lane] +=                                                                        \
                    altclip_emulate_dot_product (((Bits)(input))[lane], ((Bits)(weights))[lane]); \
        total;                                                                                    \
    })
#define altclip_kernels_avxvnni altclip_emulated_avxvnni

#include "kernels_avxvnni.c"
