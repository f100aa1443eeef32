/* altclip: f32 kernels for NEON
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 32 registers of 4 floats: 5 rows of 4 vectors are 20 sums, beside 4 vectors of weights and, as
 * compilers load them ahead, 5 inputs. A step of k is 20 multiply-adds for 9 loads, which hide
 * behind them where a cycle has half as many loads as multiply-adds, or more; and 20 sums are
 * enough for 4 multiply-adds in a cycle that each take 4.
 */

#include "packed.h"
#include "vectors_neon.h"

#define TARGET
#define MAX_ROWS 5
#define PANEL_VECTORS 4
#define MULTIPLY_ADD(a, b, c) FMA (FLOATS (a), FLOATS (b), c)

#include "tile.h"

const AltclipTiling altclip_tiling_neon = ALTCLIP_TILING (ALTCLIP_WORDS_F32);

const AltclipKernels altclip_kernels_neon = {
    .name = "neon",
    .precision = ALTCLIP_PRECISION_F32,
    .probe = altclip_packed_probe_anywhere,
    .tiling = &altclip_tiling_neon,
    .attention_tiling = &altclip_tiling_neon,
    ALTCLIP_PACKED_FUNCTIONS,
};
