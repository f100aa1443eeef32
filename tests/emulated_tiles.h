/* altclip: AMX's tile registers in C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To be included once, before a file that uses the instructions: it takes their place. Shapes that
 * do not fit each other are an error, as they are there.
 */

#ifndef EMULATED_TILES_H
#define EMULATED_TILES_H

#include "emulated.h"

#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#define N_TILES 8
#define TILE_ROWS 16
#define TILE_WORDS 16

typedef struct {
    guint rows;
    guint words; /* of a row */
    guint32 numbers[TILE_ROWS][TILE_WORDS];
} Tile;

static __thread Tile tiles[N_TILES];

static void
load_shapes (const guint8 *shapes)
{
    g_assert_cmpuint (shapes[0], ==, 1);
    for (guint i = 0; i < N_TILES; i++) {
        guint16 row_bytes;

        memcpy (&row_bytes, shapes + 16 + 2 * i, sizeof row_bytes);
        tiles[i] = (Tile){ .rows = shapes[48 + i], .words = row_bytes / 4 };
        g_assert_true (tiles[i].rows <= TILE_ROWS && tiles[i].words <= TILE_WORDS);
    }
}

static void
release_tiles (void)
{
    memset (tiles, 0, sizeof tiles);
}

static void
load_tile (Tile *tile, const void *from, gsize stride)
{
    g_assert_true (tile->rows > 0 && tile->words > 0);
    for (guint row = 0; row < tile->rows; row++)
        memcpy (tile->numbers[row], (const guint8 *)from + row * stride, tile->words * 4);
}

static void
store_tile (const Tile *tile, void *to, gsize stride)
{
    g_assert_true (tile->rows > 0 && tile->words > 0);
    for (guint row = 0; row < tile->rows; row++)
        memcpy ((guint8 *)to + row * stride, tile->numbers[row], tile->words * 4);
}

static void
check_shapes (const Tile *sums, const Tile *input, const Tile *weights)
{
    g_assert_true (sums->rows > 0 && input->words > 0 && weights->words > 0);
    g_assert_cmpuint (sums->rows, ==, input->rows);
    g_assert_cmpuint (sums->words, ==, weights->words);
    g_assert_cmpuint (input->words, ==, weights->rows);
}

/* Four products, of bytes without signs. */
static guint32
multiply_bytes (guint32 a, guint32 b)
{
    guint32 sum = 0;

    for (guint i = 0; i < 4; i++)
        sum += (a >> 8 * i & 0xff) * (b >> 8 * i & 0xff);
    return sum;
}

/* What is more than 32 bits is lost. */
static G_GNUC_UNUSED void
multiply_integers (Tile *sums, const Tile *input, const Tile *weights)
{
    check_shapes (sums, input, weights);
    for (guint row = 0; row < sums->rows; row++)
        for (guint i = 0; i < input->words; i++)
            for (guint column = 0; column < sums->words; column++)
                sums->numbers[row][column] +=
                        multiply_bytes (input->numbers[row][i], weights->numbers[i][column]);
}

/* What is no normal number counts as zero. */
static float
flush (float x)
{
    return fabsf (x) < FLT_MIN ? 0.0f : x;
}

/* Of the two bfloat16 in @word the first or second. */
static float
widen (guint32 word, guint which)
{
    guint32 bits = which ? word & 0xffff0000u : word << 16;
    float value;

    memcpy (&value, &bits, sizeof value);
    return flush (value);
}

/* First and second numbers of words have sums of their own, which are added up at the end. */
static G_GNUC_UNUSED void
multiply_floats (Tile *sums, const Tile *input, const Tile *weights)
{
    check_shapes (sums, input, weights);
    for (guint row = 0; row < sums->rows; row++) {
        for (guint column = 0; column < sums->words; column++) {
            float products[2] = { 0.0f, 0.0f };
            float sum;

            for (guint i = 0; i < input->words; i++)
                for (guint which = 0; which < 2; which++)
                    products[which] =
                            flush ((float)((double)widen (input->numbers[row][i], which) *
                                                   widen (weights->numbers[i][column], which) +
                                           products[which]));
            memcpy (&sum, &sums->numbers[row][column], sizeof sum);
            sum = flush (flush (sum) + flush (products[0] + products[1]));
            memcpy (&sums->numbers[row][column], &sum, sizeof sum);
        }
    }
}

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#undef _tile_dpbuud
#define _tile_loadconfig(shapes) load_shapes ((const guint8 *)(shapes))
#define _tile_release() release_tiles ()
#define _tile_loadd(n, from, stride) load_tile (&tiles[n], from, stride)
#define _tile_stored(n, to, stride) store_tile (&tiles[n], to, stride)
#define _tile_dpbf16ps(c, a, b) multiply_floats (&tiles[c], &tiles[a], &tiles[b])
#define _tile_dpbuud(c, a, b) multiply_integers (&tiles[c], &tiles[a], &tiles[b])

#endif /* EMULATED_TILES_H */
