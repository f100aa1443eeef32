/* altclip: bf16 kernels for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As those for AVX-512 without BF16: 4 rows of 2 vectors are 8 sums, beside 4 vectors of weights
 * and 2 of the input.
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
#define WORDS __m256i
#define LOAD_WORDS(p) _mm256_loadu_si256 ((const __m256i *)(p))
#define BROADCAST(p) _mm256_set1_epi32 ((int)*(p))
#define FIRST(w) _mm256_castsi256_ps (_mm256_slli_epi32 (w, 16))
#define SECOND(w) _mm256_castsi256_ps (_mm256_and_si256 (w, _mm256_set1_epi32 (-0x10000)))
#define MULTIPLY_ADD(a, b, c) \
    _mm256_fmadd_ps (SECOND (a), SECOND (b), _mm256_fmadd_ps (FIRST (a), FIRST (b), c))

#include "tile.h"

TILE (1)
TILE (2)
TILE (3)
TILE (4)

static const AltclipTileFunc TILES[] = { NULL, tile_1, tile_2, tile_3, tile_4 };

static const AltclipTiling TILING = { PANEL, G_N_ELEMENTS (TILES) - 1, TILES, ALTCLIP_WORDS_BF16 };

static gboolean
probe (GError **error)
{
    if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels 'bf16_avx2': this CPU has no AVX2 with FMA");
    return FALSE;
}

const AltclipKernels altclip_kernels_bf16_avx2 = {
    .name = "bf16_avx2",
    .precision = ALTCLIP_PRECISION_BF16,
    .converts = TRUE,
    .probe = probe,
    .tiling = &TILING,
    .attention_tiling = &altclip_tiling_avx2,
    .norm = altclip_norm_rows,
    ALTCLIP_PACKED_FUNCTIONS,
};
