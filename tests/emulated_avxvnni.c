/* altclip: the loops of the kernels for AVX-VNNI, for CPUs that lack its instruction
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "emulated.h"

#define TARGET
#define DOT_PRODUCT(input, weights, sums) ALTCLIP_EMULATE_DOT_PRODUCTS (input, weights, sums)
#define altclip_kernels_avxvnni altclip_emulated_avxvnni

#include "kernels_avxvnni.c"
