/* altclip: int8 kernels for AVX-VNNI
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One instruction adds four products of a byte without and a byte with a sign to each of 8 sums,
 * and neither saturates nor rounds. It is written out: compilers copy its sums between registers
 * when it is a function of theirs.
 *
 * 6 rows of 2 vectors are 12 of 16 registers, beside 2 vectors of weights and 1 of the input.
 */

#define LANES 8
#define PANEL_VECTORS 2

#include "packed.h"
#include "vectors_integers.h"

#include <cpuid.h>

/* The tests compile this file with DOT_PRODUCT, the instruction in C, for CPUs that lack it, and
 * call none of its functions but the table's. */
#ifndef DOT_PRODUCT

#define TARGET __attribute__ ((target ("avx2,fma,avxvnni")))

TARGET static inline __attribute__ ((always_inline)) Integers
multiply_add (Bits input, Bits weights, Integers sums)
{
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(input), "x"(weights));
    return sums;
}

#define DOT_PRODUCT(input, weights, sums) multiply_add (input, weights, sums)

#endif

#define MAX_ROWS 6
#define MULTIPLY_ADD(a, b, c) DOT_PRODUCT (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_U8);

/* Compilers know this one by no name yet. */
static gboolean
has_avxvnni (void)
{
    guint a;
    guint b;
    guint c;
    guint d;

    return ALTCLIP_CPU_HAS_AVX2 && __get_cpuid_count (7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("avxvnni", has_avxvnni (), "AVX-VNNI", error);
}

const AltclipKernels altclip_kernels_avxvnni = {
    .name = "avxvnni",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx2,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
