/* altclip: int8 kernels for AMX
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A word is four bytes, so that an instruction adds 64 products to each of 16 · 16 sums, and
 * neither saturates nor rounds: what is more than 32 bits is lost, as it is where the offset of the
 * weights is taken off the sums. A step of 16 words is 64 inputs of the layer, a block of 128 words
 * 512: of ViT-L/14's 1024 inputs 2 blocks. What stands behind a row of the input meets weights that
 * are zero.
 *
 * Both sides are bytes without signs, though there are instructions for either sign: emulators that
 * have but this product run these kernels too, and what it costs is a sum for each row of the
 * input.
 */

#include "packed.h"

/* The tests compile this file with the instructions in C, for CPUs that lack them, and call none of
 * its functions but the table's. */
#ifndef TARGET
#define TARGET __attribute__ ((target ("amx-tile,amx-int8")))
#endif
#define MULTIPLY_ADD(c, a, b) _tile_dpbuud (c, a, b)
#define CPU_BIT 25

#include "tile_amx.h"

static const AltclipTiling TILING = ALTCLIP_TILING_AMX (ALTCLIP_WORDS_U8_U8);

static gboolean
probe (GError **error)
{
    return amx_probe ("amx_int8", "AMX for 8-bit integers", error);
}

const AltclipKernels altclip_kernels_amx_int8 = {
    .name = "amx_int8",
    .precision = ALTCLIP_PRECISION_INT8,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx512,
    ALTCLIP_PACKED_INTEGER_FUNCTIONS,
};
