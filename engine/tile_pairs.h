/* altclip: the innermost loop of a packed kernel set that multiplies small matrices
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One instruction multiplies two rows of the input by two outputs: of each two words, and adds to
 * 2 · 2 sums. Words of the weights lie in pairs, [words / 2][panel][2], so that a load gives those
 * of two outputs; the input's two rows come by two loads.
 *
 * 32 registers of 4 words: 6 rows of 16 outputs are 3 · 8 sums, beside 3 pairs of rows and 1 of
 * outputs at a time. A step of 2 words is 24 instructions for 14 loads, 3 of which put something
 * into a register's upper half and take the place of an instruction.
 *
 * To be included once, by a file that has included packed.h and defined
 *
 *     TARGET                 the function attribute for the instructions
 *     SUMS                   a vector of 4 floats or integers
 *     ZERO(), ADD(a, b)      0, a + b
 *     LOAD(p), STORE(p, v)   a SUMS from and to float *p, which need not be aligned
 *     MULTIPLY_ADD(a, b, c)  c plus the product of words a, of two rows, and b, of two outputs; not
 *                            to be moved by compilers, which would load all of b first, and would
 *                            have no registers left for the sums
 *
 * It defines ALTCLIP_TILING_PAIRS (words), of tiles of all heights.
 */

#include <arm_neon.h>

#define PANEL 16
#define PANEL_PAIRS 8
#define MAX_ROWS 6
#define MAX_ROW_PAIRS 3

#ifdef __clang__
#define UNROLL _Pragma ("clang loop unroll(full)")
#else
#define UNROLL _Pragma ("GCC unroll 16")
#endif

typedef uint32x2_t __attribute__ ((aligned (4), may_alias)) StoredPair;
typedef uint32x4_t __attribute__ ((aligned (4), may_alias)) StoredPairs;

#define LOAD_PAIR(p) (*(const StoredPair *)(const void *)(p))
#define LOAD_PAIRS(p) (*(const StoredPairs *)(const void *)(p))

/* Of each of two vectors one half. */
#define JOIN_LOWER(a, b) ((SUMS)vzip1q_u64 ((uint64x2_t)(a), (uint64x2_t)(b)))
#define JOIN_UPPER(a, b) ((SUMS)vzip2q_u64 ((uint64x2_t)(a), (uint64x2_t)(b)))

/* Two words of each of two rows; a row without a second takes its place too. */
TARGET static inline __attribute__ ((always_inline)) uint32x4_t
load_rows (const guint rows, const guint32 *x, guint pair)
{
    guint second = MIN (2 * pair + 1, rows - 1);

    return vcombine_u32 (LOAD_PAIR (x + 2 * pair * ALTCLIP_BLOCK_WORDS),
            LOAD_PAIR (x + second * ALTCLIP_BLOCK_WORDS));
}

TARGET static inline __attribute__ ((always_inline)) void
add_to_row (float *sums, SUMS held)
{
    STORE (sums, ADD (LOAD (sums), held));
}

TARGET static inline __attribute__ ((always_inline)) void
run_tile (const guint rows, const guint32 *x, const guint32 *weights, guint n_words, float *sums,
        gsize stride)
{
    const guint row_pairs = (rows + 1) / 2;
    SUMS held[MAX_ROW_PAIRS][PANEL_PAIRS];

    UNROLL
    for (guint pair = 0; pair < row_pairs; pair++) {
        UNROLL
        for (guint v = 0; v < PANEL_PAIRS; v++)
            held[pair][v] = ZERO ();
    }
    for (gsize i = 0; i < n_words; i += 2) {
        uint32x4_t input[MAX_ROW_PAIRS];

        UNROLL
        for (guint pair = 0; pair < row_pairs; pair++)
            input[pair] = load_rows (rows, x + i, pair);
        UNROLL
        for (guint v = 0; v < PANEL_PAIRS; v++) {
            uint32x4_t panel = LOAD_PAIRS (weights + i * PANEL + v * 4);

            UNROLL
            for (guint pair = 0; pair < row_pairs; pair++)
                held[pair][v] = MULTIPLY_ADD (input[pair], panel, held[pair][v]);
        }
    }
    UNROLL
    for (guint pair = 0; pair < row_pairs; pair++) {
        UNROLL
        for (guint v = 0; v < PANEL_PAIRS; v += 2) {
            float *to = sums + 2 * pair * stride + v * 2;

            add_to_row (to, JOIN_LOWER (held[pair][v], held[pair][v + 1]));
            if (2 * pair + 1 < rows)
                add_to_row (to + stride, JOIN_UPPER (held[pair][v], held[pair][v + 1]));
        }
    }
}

#define DEFINE_TILE(rows)                                                                 \
    TARGET static void tile_##rows (                                                      \
            const void *x, const void *weights, guint n_words, float *sums, gsize stride) \
    {                                                                                     \
        run_tile (rows, x, weights, n_words, sums, stride);                               \
    }

DEFINE_TILE (1)
DEFINE_TILE (2)
DEFINE_TILE (3)
DEFINE_TILE (4)
DEFINE_TILE (5)
DEFINE_TILE (6)

static const AltclipTileFunc TILES[] = { NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6 };

#define ALTCLIP_TILING_PAIRS(words)                        \
    {                                                      \
        PANEL, MAX_ROWS, TILES, (words), 2, 2, NULL, NULL, \
    }
