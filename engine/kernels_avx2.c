/* altclip: f32 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 16 registers of 8 floats: 6 rows of 2 vectors are 12 sums, beside 2 vectors of weights and 1 of
 * the input. A step of k is 12 multiply-adds for 8 loads.
 */

#include "packed.h"

#include <immintrin.h>

#define TARGET __attribute__ ((target ("avx2,fma")))
#define LANES 8
#define PANEL_VECTORS 2
#define SUMS __m256
#define ZERO() _mm256_setzero_ps ()
#define ADD(a, b) _mm256_add_ps (a, b)
#define LOAD(p) _mm256_loadu_ps (p)
#define STORE(p, v) _mm256_storeu_ps (p, v)
#define WORDS __m256
#define LOAD_WORDS(p) _mm256_loadu_ps ((const float *)(p))
#define BROADCAST(p) _mm256_castsi256_ps (_mm256_set1_epi32 ((int)*(p)))
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps (a, b, c)

#include "tile.h"

TILE (1)
TILE (2)
TILE (3)
TILE (4)
TILE (5)
TILE (6)

static const AltclipTileFunc TILES[] = { NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6 };

const AltclipTiling altclip_tiling_avx2 = { PANEL, G_N_ELEMENTS (TILES) - 1, TILES,
    ALTCLIP_WORDS_F32 };

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
    .precision = ALTCLIP_PRECISION_F32,
    .probe = probe,
    .tiling = &altclip_tiling_avx2,
    .attention_tiling = &altclip_tiling_avx2,
    .norm = altclip_norm_rows,
    ALTCLIP_PACKED_FUNCTIONS,
};
