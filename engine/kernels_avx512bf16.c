/* altclip: bf16 kernels for AVX-512 BF16
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As those for AVX-512, but a word is two bfloat16, and a step of the loop two of k: each
 * instruction adds two products to each of 16 sums of float. Numbers below 2⁻¹²⁶ count as zero.
 * Attention is computed in floats.
 */

#include "packed.h"

#include <immintrin.h>

#define TARGET __attribute__ ((target ("avx512f,avx512bf16")))
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
#define MULTIPLY_ADD(a, b, c) _mm512_dpbf16_ps (c, (__m512bh)(a), (__m512bh)(b))

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
TILE (13)
TILE (14)

static const AltclipTileFunc TILES[] = { NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6,
    tile_7, tile_8, tile_9, tile_10, tile_11, tile_12, tile_13, tile_14 };

static const AltclipTiling TILING = { PANEL, G_N_ELEMENTS (TILES) - 1, TILES, ALTCLIP_WORDS_BF16 };

G_STATIC_ASSERT (G_N_ELEMENTS (TILES) - 1 == ALTCLIP_MAX_TILE_ROWS);

static gboolean
probe (GError **error)
{
    if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bf16"))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels 'avx512bf16': this CPU has no AVX-512 BF16");
    return FALSE;
}

const AltclipKernels altclip_kernels_avx512bf16 = {
    .name = "avx512bf16",
    .precision = ALTCLIP_PRECISION_BF16,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx512,
    .norm = altclip_norm_rows,
    ALTCLIP_PACKED_FUNCTIONS,
};
