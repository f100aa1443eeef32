/* altclip: bf16 kernels for AVX-512 BF16
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As those for AVX-512, but a word is two bfloat16, and a step of the loop two of k: each
 * instruction adds two products to each of 16 sums of float. Numbers below 2⁻¹²⁶ count as zero.
 * Attention is computed in floats.
 */

#include "packed.h"
#include "vectors_avx512.h"

#define TARGET __attribute__ ((target ("avx512f,avx512bf16")))
#define MAX_ROWS 14
#define MULTIPLY_ADD(a, b, c) _mm512_dpbf16_ps (c, (__m512bh)(a), (__m512bh)(b))

#include "tile.h"

static const AltclipTiling TILING = ALTCLIP_TILING (ALTCLIP_WORDS_BF16);

static gboolean
probe (GError **error)
{
    return altclip_packed_probe ("avx512bf16",
            ALTCLIP_CPU_HAS_AVX512 && __builtin_cpu_supports ("avx512bf16"), "AVX-512 BF16", error);
}

const AltclipKernels altclip_kernels_avx512bf16 = {
    .name = "avx512bf16",
    .precision = ALTCLIP_PRECISION_BF16,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx512,
    ALTCLIP_PACKED_FUNCTIONS,
};
