/* altclip: the innermost loop of a packed kernel set, in terms of vectors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To be included once, by a file that has included packed.h and defined
 *
 *     TARGET                       the function attribute for the instructions
 *     MAX_ROWS                     of the tallest tile
 *     LANES                        numbers of 32 bits in a vector
 *     PANEL_VECTORS                vectors side by side
 *     SUMS                         a vector of floats
 *     ZERO(), ADD(a, b)            0, a + b
 *     LOAD(p), STORE(p, v)         a SUMS from and to float *p, which need not be aligned
 *     WORDS                        a vector of words
 *     LOAD_WORDS(p), BROADCAST(p)  from Word *p: a word each, one for all
 *     MULTIPLY_ADD(a, b, c)        c plus the product of words a and b
 *
 * It defines ALTCLIP_TILING (words), of tiles of all heights. The sums take MAX_ROWS ·
 * PANEL_VECTORS registers, and beside them there must be room for PANEL_VECTORS of weights and one
 * of the input.
 */

#define PANEL (PANEL_VECTORS * LANES)

#ifdef __clang__
#define UNROLL _Pragma ("clang loop unroll(full)")
#else
#define UNROLL _Pragma ("GCC unroll 16")
#endif

#ifdef EMULATED_H /* whose instructions are loops already */
#define UNROLL_BY_4
#elif defined(__clang__)
#define UNROLL_BY_4 _Pragma ("clang loop unroll_count(4)")
#else
#define UNROLL_BY_4 _Pragma ("GCC unroll 4")
#endif

typedef guint32 __attribute__ ((may_alias)) Word;

TARGET static inline __attribute__ ((always_inline)) void
run_tile (const guint rows, const Word *x, const Word *weights, guint n_words, float *sums,
        gsize stride)
{
    SUMS held[MAX_ROWS][PANEL_VECTORS];

    UNROLL
    for (guint row = 0; row < rows; row++) {
        UNROLL
        for (guint v = 0; v < PANEL_VECTORS; v++)
            held[row][v] = ZERO ();
    }
    UNROLL_BY_4
    for (gsize i = 0; i < n_words; i++) {
        WORDS panel[PANEL_VECTORS];

        UNROLL
        for (guint v = 0; v < PANEL_VECTORS; v++)
            panel[v] = LOAD_WORDS (weights + i * PANEL + v * LANES);
        UNROLL
        for (guint row = 0; row < rows; row++) {
            WORDS input = BROADCAST (x + row * ALTCLIP_BLOCK_WORDS + i);

            UNROLL
            for (guint v = 0; v < PANEL_VECTORS; v++)
                held[row][v] = MULTIPLY_ADD (input, panel[v], held[row][v]);
        }
    }
    UNROLL
    for (guint row = 0; row < rows; row++) {
        UNROLL
        for (guint v = 0; v < PANEL_VECTORS; v++) {
            float *to = sums + row * stride + v * LANES;

            STORE (to, ADD (LOAD (to), held[row][v]));
        }
    }
}

#define DEFINE_TILE(rows)                                                                 \
    TARGET static void tile_##rows (                                                      \
            const void *x, const void *weights, guint n_words, float *sums, gsize stride) \
    {                                                                                     \
        run_tile (rows, x, weights, n_words, sums, stride);                               \
    }

/* DO (rows) for every height; each MAX_ROWS that there is has its list. */
#define TILES_TO_1(DO) DO (1)
#define TILES_TO_4(DO) TILES_TO_1 (DO) DO (2) DO (3) DO (4)
#define TILES_TO_5(DO) TILES_TO_4 (DO) DO (5)
#define TILES_TO_6(DO) TILES_TO_5 (DO) DO (6)
#define TILES_TO_12(DO) TILES_TO_6 (DO) DO (7) DO (8) DO (9) DO (10) DO (11) DO (12)
#define TILES_TO_14(DO) TILES_TO_12 (DO) DO (13) DO (14)
#define TILES_TO(rows, DO) G_PASTE (TILES_TO_, rows) (DO)

TILES_TO (MAX_ROWS, DEFINE_TILE)

#define LIST_TILE(rows) [rows] = tile_##rows,

static const AltclipTileFunc TILES[] = { TILES_TO (MAX_ROWS, LIST_TILE) };

#define ALTCLIP_TILING(words)                              \
    {                                                      \
        PANEL, MAX_ROWS, TILES, (words), 1, 1, NULL, NULL, \
    }
