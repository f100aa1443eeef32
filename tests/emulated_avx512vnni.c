/* altclip: the loops of the kernels for AVX-512 VNNI, for CPUs that lack its instruction
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
#define altclip_kernels_avx512vnni altclip_emulated_avx512vnni

#include "kernels_avx512vnni.c"
