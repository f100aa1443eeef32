/* altclip: int8 kernels for AVX-512 VNNI
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One instruction adds four products of a byte without and a byte with a sign to each of 16 sums,
 * and neither saturates nor rounds. It is written out: compilers copy its sums between registers
 * when it is a function of theirs.
 *
 * 14 rows of 2 vectors are 28 of 32 registers, beside 2 vectors of weights and 1 of the input.
 */

#define LANES 16
#define PANEL_VECTORS 2

#include "packed.h"
#include "vectors_integers.h"

/* The tests compile this file with DOT_PRODUCT, the instruction in C, for CPUs that lack it, and
 * call none of its functions but the table's. */
#ifndef DOT_PRODUCT

#define TARGET __attribute__ ((target ("avx512f,avx512vnni")))

TARGET static inline __attribute__ ((always_inline)) Integers
multiply_add (Bits input, Bits weights, Integers sums)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(input), "v"(weights));
    return sums;
}

#define DOT_PRODUCT(input, weights, sums) multiply_add (input, weights, sums)

#endif

#define MAX_ROWS 14
#define MULTIPLY_ADD(a, b, c) DOT_PRODUCT (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_U8);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("avx512vnni",
            ALTCLIP_CPU_HAS_AVX512 && __builtin_cpu_supports ("avx512vnni"), "AVX-512 VNNI", error);
}

const AltclipKernels altclip_kernels_avx512vnni = {
    .name = "avx512vnni",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx512,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
