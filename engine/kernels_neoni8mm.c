/* altclip: int8 kernels for NEON with products of matrices of bytes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A word is four bytes with signs: one instruction adds 8 products to each of 2 · 2 sums, twice as
 * many as a dot product does, and neither saturates nor rounds.
 */

#define LANES 4

#include "packed.h"
#include "extensions_arm64.h"
#include "vectors_integers.h"

#include <arm_neon.h>

#define TARGET ALTCLIP_TARGET_ARM64 ("i8mm")

TARGET static inline __attribute__ ((always_inline)) Integers
multiply_add (uint32x4_t input, uint32x4_t weights, Integers sums)
{
    __asm__ volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(sums) : "w"(input), "w"(weights));
    return sums;
}

#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile_pairs.h"

static const AltclipTiling TILING = ALTCLIP_TILING_PAIRS (ALTCLIP_WORDS_S8);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe (
            "neoni8mm", ALTCLIP_CPU_HAS_ARM64_2 (I8MM), "products of matrices (FEAT_I8MM)", error);
}

const AltclipKernels altclip_kernels_neoni8mm = {
    .name = "neoni8mm",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_neon,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
