/* altclip: int8 kernels for NEON with the dot product
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One instruction adds four products of bytes with signs to each of 4 sums, and neither saturates
 * nor rounds. As in floats it takes one word of the input, in a lane, for all.
 *
 * 5 rows of 4 vectors are 20 of 32 registers, beside 4 vectors of weights and 5 inputs.
 */

#define LANES 4
#define PANEL_VECTORS 4

#include "packed.h"
#include "extensions_arm64.h"
#include "vectors_integers.h"

#define TARGET ALTCLIP_TARGET_ARM64 ("dotprod")

TARGET static inline __attribute__ ((always_inline)) Integers
multiply_add (Bits input, Bits weights, Integers sums)
{
    __asm__("sdot %0.4s, %1.16b, %2.4b[0]" : "+w"(sums) : "w"(weights), "w"(input[0]));
    return sums;
}

#define MAX_ROWS 5
#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_S8);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe (
            "neondotprod", ALTCLIP_CPU_HAS_ARM64 (ASIMDDP), "dot product (FEAT_DotProd)", error);
}

const AltclipKernels altclip_kernels_neondotprod = {
    .name = "neondotprod",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_neon,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
