/* altclip: f32 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 16 registers of 8 floats: 6 rows of 2 vectors are 12 sums, beside 2 vectors of weights and 1 of
 * the input. A step of k is 12 multiply-adds for 8 loads.
 */

#include "packed.h"

#include <immintrin.h>

#define VECTOR __m256
#define LANES 8
#define LOAD(p) _mm256_loadu_ps (p)
#define STORE(p, v) _mm256_storeu_ps (p, v)
#define BROADCAST(p) _mm256_broadcast_ss (p)
#define ZERO() _mm256_setzero_ps ()
#define ADD(a, b) _mm256_add_ps (a, b)
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps (a, b, c)
#define TARGET __attribute__ ((target ("avx2,fma")))
#define PANEL_VECTORS 2

#include "tile.h"

TILE (1)
TILE (2)
TILE (3)
TILE (4)
TILE (5)
TILE (6)

static const AltclipTileFunc TILES[] = { NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6 };

static const AltclipTiling TILING = { PANEL, G_N_ELEMENTS (TILES) - 1, TILES };

static gboolean
probe (GError **error)
{
    if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels 'avx2': this CPU has no AVX2 with FMA");
    return FALSE;
}

const AltclipKernels altclip_kernels_avx2 = {
    .name = "avx2",
    .probe = probe,
    .tiling = &TILING,
    .norm = altclip_norm_rows,
    ALTCLIP_PACKED_FUNCTIONS,
};
