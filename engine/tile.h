/* altclip: the innermost loop of a packed kernel set, in terms of one vector type
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To be included once, by a file that has defined
 *
 *     VECTOR                  a vector of floats
 *     LANES                   how many it holds
 *     LOAD(p), STORE(p, v)    from and to memory that need not be aligned
 *     BROADCAST(p)            a vector of the one float at p
 *     ZERO(), ADD(a, b)       0, a + b
 *     MULTIPLY_ADD(a, b, c)   a · b + c, rounded once
 *     TARGET                  the function attribute for the instructions
 *     PANEL_VECTORS           vectors side by side
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

TARGET static inline __attribute__ ((always_inline)) void
run_tile (const guint rows, const float *x, const float *weights, guint n_k, float *sums,
        gsize stride)
{
    VECTOR held[ALTCLIP_MAX_TILE_ROWS][PANEL_VECTORS];

    UNROLL
    for (guint row = 0; row < rows; row++) {
        UNROLL
        for (guint v = 0; v < PANEL_VECTORS; v++)
            held[row][v] = ZERO ();
    }
    for (gsize i = 0; i < n_k; i++) {
        VECTOR panel[PANEL_VECTORS];

        UNROLL
        for (guint v = 0; v < PANEL_VECTORS; v++)
            panel[v] = LOAD (weights + i * PANEL + v * LANES);
        UNROLL
        for (guint row = 0; row < rows; row++) {
            VECTOR input = BROADCAST (x + i * rows + row);

            UNROLL
            for (guint v = 0; v < PANEL_VECTORS; v++)
                held[row][v] = MULTIPLY_ADD (input, panel[v], held[row][v]);
        }
    }
    UNROLL
    for (guint row = 0; row < rows; row++) {
        UNROLL
        for (guint v = 0; v < PANEL_VECTORS; v++)
            STORE (sums + row * stride + v * LANES,
                    ADD (LOAD (sums + row * stride + v * LANES), held[row][v]));
    }
}

#define TILE(rows)                                                                      \
    TARGET static void tile_##rows (                                                    \
            const float *x, const float *weights, guint n_k, float *sums, gsize stride) \
    {                                                                                   \
        run_tile (rows, x, weights, n_k, sums, stride);                                 \
    }
