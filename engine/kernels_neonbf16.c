/* altclip: bf16 kernels for NEON with products of matrices of bfloat16
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A word is two bfloat16: one instruction adds 4 products to each of 2 · 2 sums of float. Numbers
 * below 2⁻¹²⁶ count as zero, and sums are not rounded to the nearest. Attention is computed in
 * floats.
 */

#include "packed.h"
#include "extensions_arm64.h"

#include <arm_neon.h>

#define TARGET ALTCLIP_TARGET_ARM64 ("bf16")
#define SUMS float32x4_t
#define ZERO() vdupq_n_f32 (0.0f)
#define ADD(a, b) vaddq_f32 (a, b)
#define LOAD(p) vld1q_f32 (p)
#define STORE(p, v) vst1q_f32 (p, v)

TARGET static inline __attribute__ ((always_inline)) float32x4_t
multiply_add (uint32x4_t input, uint32x4_t weights, float32x4_t sums)
{
    __asm__ volatile("bfmmla %0.4s, %1.8h, %2.8h" : "+w"(sums) : "w"(input), "w"(weights));
    return sums;
}

#define MULTIPLY_ADD(a, b, c) multiply_add (a, b, c)

#include "tile_pairs.h"

static const AltclipTiling TILING = ALTCLIP_TILING_PAIRS (ALTCLIP_WORDS_BF16);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe (
            "neonbf16", ALTCLIP_CPU_HAS_ARM64_2 (BF16), "bfloat16 (FEAT_BF16)", error);
}

const AltclipKernels altclip_kernels_neonbf16 = {
    .name = "neonbf16",
    .precision = ALTCLIP_PRECISION_BF16,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_neon,
    ALTCLIP_PACKED_FUNCTIONS,
};
