/* altclip: bf16 kernels for AMX
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A word is two bfloat16, so that an instruction adds 32 products to each of 16 · 16 sums of float.
 * Numbers below 2⁻¹²⁶ count as zero, and so do such sums. Attention is computed in floats.
 */

#include "packed.h"

/* The tests compile this file with the instructions in C, for CPUs that lack them, and call none of
 * its functions but the table's. */
#ifndef TARGET
#define TARGET __attribute__ ((target ("amx-tile,amx-bf16")))
#endif
#define MULTIPLY_ADD(c, a, b) _tile_dpbf16ps (c, a, b)
#define CPU_BIT 22

#include "tile_amx.h"

static const AltclipTiling TILING = ALTCLIP_TILING_AMX (ALTCLIP_WORDS_BF16);

static gboolean
probe (GError **error)
{
    return amx_probe ("amx", "AMX for bfloat16", error);
}

const AltclipKernels altclip_kernels_amx = {
    .name = "amx",
    .precision = ALTCLIP_PRECISION_BF16,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx512,
    ALTCLIP_PACKED_FUNCTIONS,
};
