/* altclip: the innermost loop of a packed kernel set on AMX
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 8 registers of 16 rows of 16 words: 32 rows of 32 outputs are 4 of sums, beside 2 of the input
 * and 2 of weights. A step of 16 words is 4 instructions, of 16 cycles each, and 4 loads of 8,
 * which hide behind them. A block of 128 words is 8 steps, 512 cycles; putting down its sums and
 * taking them up again is about 100. A picture of 257 rows is 9 tiles of 29, which are 16 and 13.
 *
 * To be included once, by a file that has included packed.h and defined
 *
 *     TARGET                  the function attribute for the instructions
 *     MULTIPLY_ADD(c, a, b)   adds to register c the product of a, input, and b, weights
 *     CPU_BIT                 for that instruction, of CPUID's leaf 7, register d
 *
 * It defines ALTCLIP_TILING_AMX (words), of tiles of all heights, and amx_probe().
 */

#include "vectors_avx512.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REGISTER_ROWS 16
#define REGISTER_WORDS 16
#define ROW_BYTES 64

#define PANEL ALTCLIP_LINEAR_GRAIN
#define MAX_ROWS (2 * REGISTER_ROWS)

/* The registers, by rows and columns of 16 of the tile and the panel. */
#define SUMS_00 0
#define SUMS_01 1
#define SUMS_10 2
#define SUMS_11 3
#define INPUT_0 4
#define INPUT_1 5
#define WEIGHTS_0 6
#define WEIGHTS_1 7

/* ---- Tiles ----------------------------------------------------------------------------------- */

/* What the instruction that sets the registers' shapes reads. */
typedef struct {
    guint8 palette;
    guint8 start_row;
    guint8 reserved[14];
    guint16 row_bytes[16];
    guint8 rows[16];
} Shapes;

static void
set_shape (Shapes *shapes, guint number, guint rows)
{
    shapes->rows[number] = (guint8)rows;
    shapes->row_bytes[number] = rows ? ROW_BYTES : 0;
}

TARGET static void
begin (guint rows)
{
    guint upper = MIN (rows, REGISTER_ROWS);
    Shapes shapes = { .palette = 1 };

    set_shape (&shapes, SUMS_00, upper);
    set_shape (&shapes, SUMS_01, upper);
    set_shape (&shapes, INPUT_0, upper);
    set_shape (&shapes, SUMS_10, rows - upper);
    set_shape (&shapes, SUMS_11, rows - upper);
    set_shape (&shapes, INPUT_1, rows - upper);
    set_shape (&shapes, WEIGHTS_0, REGISTER_WORDS);
    set_shape (&shapes, WEIGHTS_1, REGISTER_WORDS);
    /* Some compilers believe that the next line reads but the first word. */
    __asm__ volatile("" : : "m"(shapes));
    _tile_loadconfig (&shapes);
}

/* Registers in use make every switch between threads dear. */
TARGET static void
end (void)
{
    _tile_release ();
}

TARGET static inline __attribute__ ((always_inline)) void
run_tile (gboolean has_lower, const guint32 *x, const guint32 *weights, guint n_words, float *sums,
        gsize stride)
{
    const gsize x_bytes = ALTCLIP_BLOCK_WORDS * sizeof *x;
    const gsize weight_bytes = PANEL * sizeof *weights;
    const gsize sum_bytes = stride * sizeof *sums;
    const guint32 *lower_x = x + REGISTER_ROWS * ALTCLIP_BLOCK_WORDS;
    float *lower_sums = sums + REGISTER_ROWS * stride;

    /* Compilers do not know that loads of tiles read memory. */
    __asm__ volatile("" ::: "memory");
    _tile_loadd (SUMS_00, sums, sum_bytes);
    _tile_loadd (SUMS_01, sums + REGISTER_WORDS, sum_bytes);
    if (has_lower) {
        _tile_loadd (SUMS_10, lower_sums, sum_bytes);
        _tile_loadd (SUMS_11, lower_sums + REGISTER_WORDS, sum_bytes);
    }
    for (gsize i = 0; i < n_words; i += REGISTER_WORDS) {
        _tile_loadd (INPUT_0, x + i, x_bytes);
        _tile_loadd (WEIGHTS_0, weights + i * PANEL, weight_bytes);
        _tile_loadd (WEIGHTS_1, weights + i * PANEL + REGISTER_WORDS, weight_bytes);
        MULTIPLY_ADD (SUMS_00, INPUT_0, WEIGHTS_0);
        MULTIPLY_ADD (SUMS_01, INPUT_0, WEIGHTS_1);
        if (has_lower) {
            _tile_loadd (INPUT_1, lower_x + i, x_bytes);
            MULTIPLY_ADD (SUMS_10, INPUT_1, WEIGHTS_0);
            MULTIPLY_ADD (SUMS_11, INPUT_1, WEIGHTS_1);
        }
    }
    _tile_stored (SUMS_00, sums, sum_bytes);
    _tile_stored (SUMS_01, sums + REGISTER_WORDS, sum_bytes);
    if (has_lower) {
        _tile_stored (SUMS_10, lower_sums, sum_bytes);
        _tile_stored (SUMS_11, lower_sums + REGISTER_WORDS, sum_bytes);
    }
}

/* Up to 16 rows. */
TARGET static void
run_low_tile (const void *x, const void *weights, guint n_words, float *sums, gsize stride)
{
    run_tile (FALSE, x, weights, n_words, sums, stride);
}

/* 17 to 32 rows. */
TARGET static void
run_high_tile (const void *x, const void *weights, guint n_words, float *sums, gsize stride)
{
    run_tile (TRUE, x, weights, n_words, sums, stride);
}

#define FOUR(tile) tile, tile, tile, tile
#define SIXTEEN(tile) FOUR (tile), FOUR (tile), FOUR (tile), FOUR (tile)

static const AltclipTileFunc TILES[] = { NULL, SIXTEEN (run_low_tile), SIXTEEN (run_high_tile) };

#define ALTCLIP_TILING_AMX(words)                                       \
    {                                                                   \
        PANEL, MAX_ROWS, TILES, (words), REGISTER_WORDS, 1, begin, end, \
    }

/* ---- The registers --------------------------------------------------------------------------- */

/* Not all compilers know these by name. */
#define TILE_BIT 24

static gboolean
cpu_has_amx (void)
{
    guint a;
    guint b;
    guint c;
    guint d;

    return __get_cpuid_count (7, 0, &a, &b, &c, &d) && (d >> TILE_BIT & 1) && (d >> CPU_BIT & 1);
}

/* Of asm/prctl.h, and the number of the tiles' state; older headers lack them. */
#define REQUEST_PERMISSION 0x1023
#define TILE_STATE 18

/* A process gets the registers when it asks; to ask again does no harm. It is refused when the
 * system does not know of them, or a thread has an alternate signal stack that is too small for
 * them. */
static gboolean
ask_for_tiles (void)
{
    return syscall (SYS_arch_prctl, REQUEST_PERMISSION, TILE_STATE) == 0;
}

/* Asks the system too: so it is called only when a model opens that would use the set, or time it.
 */
static gboolean
amx_probe (const char *name, const char *instructions, GError **error)
{
    return altclip_packed_probe (
                   name, ALTCLIP_CPU_HAS_AVX512 && cpu_has_amx (), instructions, error) &&
           altclip_packed_probe (name, ask_for_tiles (), "AMX that the system lets us use", error);
}
