/* altclip: bf16 kernels for AVX-512 without BF16
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Words of two bfloat16 become two vectors of floats at each use: half the weights to read, at the
 * pace of floats. 12 rows of 2 vectors are 24 sums, beside 4 vectors of weights and 2 of the input.
 */

#include "packed.h"

#include <immintrin.h>

#define TARGET __attribute__ ((target ("avx512f")))
#define LANES 16
#define PANEL_VECTORS 2
#define SUMS __m512
#define ZERO() _mm512_setzero_ps ()
#define ADD(a, b) _mm512_add_ps (a, b)
#define LOAD(p) _mm512_loadu_ps (p)
#define STORE(p, v) _mm512_storeu_ps (p, v)
#define WORDS __m512i
#define LOAD_WORDS(p) _mm512_loadu_si512 (p)
#define BROADCAST(p) _mm512_set1_epi32 ((int)*(p))
#define FIRST(w) _mm512_castsi512_ps (_mm512_slli_epi32 (w, 16))
#define SECOND(w) _mm512_castsi512_ps (_mm512_and_si512 (w, _mm512_set1_epi32 (-0x10000)))
#define MULTIPLY_ADD(a, b, c) \
    _mm512_fmadd_ps (SECOND (a), SECOND (b), _mm512_fmadd_ps (FIRST (a), FIRST (b), c))

#include "tile.h"

TILE (1)
TILE (2)
TILE (3)
TILE (4)
TILE (5)
TILE (6)
TILE (7)
TILE (8)
TILE (9)
TILE (10)
TILE (11)
TILE (12)

static const AltclipTileFunc TILES[] = { NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6,
    tile_7, tile_8, tile_9, tile_10, tile_11, tile_12 };

static const AltclipTiling TILING = { PANEL, G_N_ELEMENTS (TILES) - 1, TILES, ALTCLIP_WORDS_BF16 };

static gboolean
probe (GError **error)
{
    if (__builtin_cpu_supports ("avx512f"))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels 'bf16_avx512': this CPU has no AVX-512");
    return FALSE;
}

const AltclipKernels altclip_kernels_bf16_avx512 = {
    .name = "bf16_avx512",
    .precision = ALTCLIP_PRECISION_BF16,
    .converts = TRUE,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx512,
    .norm = altclip_norm_rows,
    ALTCLIP_PACKED_FUNCTIONS,
};
