/* altclip: the innermost loop of a packed kernel set, in terms of vectors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To be included once, by a file that has included packed.h and defined
 *
 *     TARGET                       the function attribute for the instructions
 *     LANES                        numbers of 32 bits in a vector
 *     PANEL_VECTORS                vectors side by side
 *     SUMS                         a vector of floats
 *     ZERO(), ADD(a, b)            0, a + b
 *     LOAD(p), STORE(p, v)         a SUMS from and to float *p, which need not be aligned
 *     WORDS                        a vector of words
 *     LOAD_WORDS(p), BROADCAST(p)  from Word *p: a word each, one for all
 *     MULTIPLY_ADD(a, b, c)        c plus the product of words a and b
 *
 * and then names the heights with TILE(rows). The sums take rows · PANEL_VECTORS registers, and
 * beside them there must be room for PANEL_VECTORS of weights and one of the input.
 */

#define PANEL (PANEL_VECTORS * LANES)

#ifdef __clang__
#define UNROLL _Pragma ("clang loop unroll(full)")
#else
#define UNROLL _Pragma ("GCC unroll 16")
#endif

typedef guint32 __attribute__ ((may_alias)) Word;

TARGET static inline __attribute__ ((always_inline)) void
run_tile (const guint rows, const Word *x, const Word *weights, guint n_words, float *sums,
        gsize stride)
{
    SUMS held[ALTCLIP_MAX_TILE_ROWS][PANEL_VECTORS];

    UNROLL
    for (guint row = 0; row < rows; row++) {
        UNROLL
        for (guint v = 0; v < PANEL_VECTORS; v++)
            held[row][v] = ZERO ();
    }
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

#define TILE(rows)                                                                        \
    TARGET static void tile_##rows (                                                      \
            const void *x, const void *weights, guint n_words, float *sums, gsize stride) \
    {                                                                                     \
        run_tile (rows, x, weights, n_words, sums, stride);                               \
    }
