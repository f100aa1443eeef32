/* altclip: products by tiles, on weights and inputs laid out for them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "packed.h"
#include "bfloat16.h"
#include "quantised.h"
#include "vector_widths.h"

#include <math.h>
#include <string.h>

/* Sums that are held at a time, 70 KiB on the stack: of a picture of 257 tokens, 64 outputs. What
 * the tiles of so many rows have of a block of words, 128 KiB, comes into the second-level cache
 * once for all panels of a group. */
#define MAX_BLOCK_ROWS 280
#define MAX_SUMS (MAX_BLOCK_ROWS * 64)

gboolean
altclip_packed_probe (
        const char *name, gboolean has_instructions, const char *instructions, GError **error)
{
    if (!has_instructions)
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                "kernels '%s': this CPU has no %s", name, instructions);
    return has_instructions;
}

gboolean
altclip_packed_probe_anywhere (G_GNUC_UNUSED GError **error)
{
    return TRUE;
}

/* ---- Layouts --------------------------------------------------------------------------------- */

static guint
count (guint total, guint size)
{
    return total / size + (total % size != 0);
}

static gboolean
has_integers (const AltclipTiling *tiling)
{
    return tiling->words == ALTCLIP_WORDS_U8 || tiling->words == ALTCLIP_WORDS_S8 ||
           tiling->words == ALTCLIP_WORDS_U8_U8;
}

/* Numbers of k in a word. */
static guint
get_depth (const AltclipTiling *tiling)
{
    if (has_integers (tiling))
        return 4;
    return tiling->words == ALTCLIP_WORDS_BF16 ? 2 : 1;
}

/* Returns: where a word of the panel's output @lane lies in the panel */
static gsize
find_place (const AltclipTiling *tiling, gsize word, guint lane)
{
    guint side = tiling->side;

    return word / side * side * tiling->panel + lane * side + word % side;
}

/* In whole steps of the tiles. */
static guint
count_words (const AltclipTiling *tiling, guint k)
{
    return count (k, get_depth (tiling) * tiling->step) * tiling->step;
}

/* @n numbers as words; of the last what lacks is zero. */
static void
make_words (const AltclipTiling *tiling, const float *x, guint n, guint32 *words)
{
    if (tiling->words == ALTCLIP_WORDS_F32) {
        memcpy (words, x, n * sizeof (float));
        return;
    }
    altclip_bfloat16_round (x, n, (guint16 *)words);
    if (n % 2)
        ((guint16 *)words)[n] = 0;
}

/* Outputs in whole panels. */
static gsize
pad_outputs (const AltclipTiling *tiling, guint n)
{
    return (gsize)count (n, tiling->panel) * tiling->panel;
}

/* What integers of a packed layer stand for. */
typedef struct {
    float *steps; /* [outputs] */
    gint32 *sums; /* [outputs]: of their integers */
} ColumnScales;

static ColumnScales
get_column_scales (const AltclipTiling *tiling, void *packed, guint n, guint k)
{
    gsize n_outputs = pad_outputs (tiling, n);
    float *steps = (float *)packed + n_outputs * count_words (tiling, k);

    return (ColumnScales){ steps, (gint32 *)(void *)(steps + n_outputs) };
}

gsize
altclip_packed_size (const AltclipKernels *kernels, guint n, guint k)
{
    gsize n_words = count_words (kernels->tiling, k);

    if (has_integers (kernels->tiling))
        n_words += 2; /* step and sum */
    return pad_outputs (kernels->tiling, n) * n_words * sizeof (guint32);
}

/* Stored numbers that are read at a time, of each row of a panel: whole steps of words. */
#define PACK_COLUMNS 128

/* What is added to each integer of an input: they have signs or not. */
static gint32
get_input_offset (const AltclipTiling *tiling)
{
    return tiling->words == ALTCLIP_WORDS_S8 ? -128 : 0;
}

/* The same of a weight. */
static gint32
get_weight_offset (const AltclipTiling *tiling)
{
    return tiling->words == ALTCLIP_WORDS_U8_U8 ? 128 : 0;
}

static void
add_weight_offset (const AltclipTiling *tiling, guint n, guint32 *words)
{
    guint8 *bytes = (guint8 *)words;

    for (guint i = 0; i < n; i++)
        bytes[i] = (guint8)(bytes[i] + get_weight_offset (tiling));
}

/* @n weights as words of integers, whose sum, without what is added to them, is added to @sum. */
static void
make_integers (const AltclipTiling *tiling, const float *x, guint n, const float *step, gint32 *sum,
        guint32 *words)
{
    words[(n - 1) / 4] = 0;
    *sum += altclip_quantise_weights (x, n, *step, (gint8 *)words);
    add_weight_offset (tiling, n, words);
}

/* The same of stored integers. */
static void
copy_integers (const AltclipTiling *tiling, const AltclipStoredTensor *weights, guint64 first,
        guint n, gint32 *sum, guint32 *words)
{
    words[(n - 1) / 4] = 0;
    *sum += altclip_copy_weights ((const gint8 *)weights->data + first, n, (gint8 *)words);
    add_weight_offset (tiling, n, words);
}

/* The largest pair of a stored row decides, unless it is in integers already. */
static float
find_weight_step (const AltclipStoredTensor *weights, guint row, guint k)
{
    float read[8 * PACK_COLUMNS];
    float largest = 0.0f;

    if (weights->steps)
        return altclip_stored_tensor_get_step (weights, row);
    for (guint k0 = 0; k0 < k; k0 += G_N_ELEMENTS (read)) {
        guint columns = MIN (G_N_ELEMENTS (read), k - k0);
        float magnitude;

        altclip_stored_tensor_read (weights, (guint64)row * k + k0, columns, read);
        magnitude = altclip_largest_pair (read, columns);
        if (isnan (magnitude))
            return NAN;
        largest = MAX (largest, magnitude);
    }
    return altclip_weight_step_find (largest);
}

/* Stored numbers as words, by way of @read [n] where they are not stored as such. */
static void
read_words (const AltclipTiling *tiling, const AltclipStoredTensor *weights, guint64 first, guint n,
        float *read, guint32 *words)
{
    if (tiling->words == ALTCLIP_WORDS_F32) {
        altclip_stored_tensor_read (weights, first, n, (float *)(gpointer)words);
        return;
    }
    if (G_BYTE_ORDER == G_LITTLE_ENDIAN && weights->dtype == ALTCLIP_DTYPE_BF16 &&
            !weights->is_strided && n % 2 == 0) {
        memcpy (words, weights->data + first * sizeof (guint16), n * sizeof (guint16));
        return;
    }
    altclip_stored_tensor_read (weights, first, n, read);
    make_words (tiling, read, n, words);
}

/* Four words, and the pairs of four rows' words that stand in one column. */
typedef guint32 Words __attribute__ ((vector_size (16)));

/* Four words of four rows, @stride words apart, become four columns' of a panel. */
static void
transpose (const guint32 *from, gsize stride, guint32 *to, gsize panel)
{
    Words row[4];
    Words low[2];
    Words high[2];

    for (guint i = 0; i < 4; i++)
        memcpy (&row[i], from + i * stride, sizeof row[i]);
    for (guint i = 0; i < 2; i++) {
        low[i] = __builtin_shufflevector (row[2 * i], row[2 * i + 1], 0, 4, 1, 5);
        high[i] = __builtin_shufflevector (row[2 * i], row[2 * i + 1], 2, 6, 3, 7);
    }
    row[0] = __builtin_shufflevector (low[0], low[1], 0, 1, 4, 5);
    row[1] = __builtin_shufflevector (low[0], low[1], 2, 3, 6, 7);
    row[2] = __builtin_shufflevector (high[0], high[1], 0, 1, 4, 5);
    row[3] = __builtin_shufflevector (high[0], high[1], 2, 3, 6, 7);
    for (guint i = 0; i < 4; i++)
        memcpy (to + i * panel, &row[i], sizeof row[i]);
}

/* Rows of words become columns of a panel, from @lane on. */
static void
put_in_panel (const AltclipTiling *tiling, const guint32 (*words)[PACK_COLUMNS], guint lane,
        guint rows, guint n_words, guint32 *panel)
{
    gboolean is_plain = tiling->side == 1;
    guint whole_rows = is_plain ? rows / 4 * 4 : 0;
    guint whole_words = is_plain ? n_words / 4 * 4 : 0;

    for (guint i = 0; i < whole_words; i += 4)
        for (guint row = 0; row < whole_rows; row += 4)
            transpose (&words[row][i], PACK_COLUMNS, panel + (gsize)i * tiling->panel + lane + row,
                    tiling->panel);
    for (guint i = 0; i < n_words; i++) {
        guint32 *first = panel + find_place (tiling, i, lane);

        for (guint row = i < whole_words ? whole_rows : 0; row < rows; row++)
            first[row * tiling->side] = words[row][i];
    }
}

/* Rows of the stored tensor, all of one panel, from its column @lane on. @scales: (nullable): of
 * integers, those of the rows */
static void
pack_lanes (const AltclipTiling *tiling, guint32 *panel, guint lane, const ColumnScales *scales,
        const AltclipStoredTensor *weights, guint first, guint rows, guint k)
{
    guint32 words[ALTCLIP_LINEAR_GRAIN][PACK_COLUMNS];
    float read[PACK_COLUMNS];

    for (guint row = 0; scales && row < rows; row++)
        scales->steps[row] = find_weight_step (weights, first + row, k);

    for (guint k0 = 0; k0 < k; k0 += PACK_COLUMNS) {
        guint columns = MIN (PACK_COLUMNS, k - k0);
        guint32 *to = panel + (gsize)count_words (tiling, k0) * tiling->panel;

        for (guint row = 0; row < rows; row++) {
            guint64 at = (guint64)(first + row) * k + k0;

            if (!scales) {
                read_words (tiling, weights, at, columns, read, words[row]);
            } else if (weights->steps) {
                copy_integers (tiling, weights, at, columns, &scales->sums[row], words[row]);
            } else {
                altclip_stored_tensor_read (weights, at, columns, read);
                make_integers (
                        tiling, read, columns, &scales->steps[row], &scales->sums[row], words[row]);
            }
        }
        put_in_panel (tiling, (const guint32 (*)[PACK_COLUMNS])words, lane, rows,
                count (columns, get_depth (tiling)), to);
    }
}

/* The outputs that the last panel has too many stay zero, as they were allocated, and so do the
 * words that a last step has too many. */
void
altclip_packed_pack (const AltclipKernels *kernels, void *packed, guint n, guint k, guint n0,
        const AltclipStoredTensor *weights)
{
    gboolean is_scaled = has_integers (kernels->tiling);
    guint panel_size = kernels->tiling->panel;
    guint n_rows = (guint)weights->dims[0];
    guint rows;

    for (guint row = 0; row < n_rows; row += rows) {
        guint lane = (n0 + row) % panel_size;
        gsize first = (gsize)(n0 + row - lane) * count_words (kernels->tiling, k);
        ColumnScales scales = { NULL, NULL };

        rows = MIN (panel_size - lane, n_rows - row);
        if (is_scaled) {
            scales = get_column_scales (kernels->tiling, packed, n, k);
            scales.steps += n0 + row;
            scales.sums += n0 + row;
        }
        pack_lanes (kernels->tiling, (guint32 *)packed + first, lane, is_scaled ? &scales : NULL,
                weights, row, rows, k);
    }
}

/* All tiles have one height: that of the least work, what the last lacks included. A tile's sums
 * and its vectors of weights take as long as a quarter of the tallest's rows, about: 50 rows go in
 * ten tiles of 5, not in nine of 6. */
static guint
find_tile_rows (const AltclipTiling *tiling, guint m)
{
    guint64 least = G_MAXUINT64;
    guint best = 1;

    for (guint rows = MIN (m, tiling->max_rows); rows > 0; rows--) {
        guint64 work = (guint64)count (m, rows) * (4 * rows + tiling->max_rows); /* in quarters */

        if (work < least) {
            least = work;
            best = rows;
        }
    }
    return best;
}

guint
altclip_packed_tile_rows (const AltclipKernels *kernels, guint m)
{
    return find_tile_rows (kernels->tiling, m);
}

/* Words of a row in whole blocks. */
static gsize
pad_words (guint n_words)
{
    return (gsize)count (n_words, ALTCLIP_BLOCK_WORDS) * ALTCLIP_BLOCK_WORDS;
}

gsize
altclip_packed_prepared_size (const AltclipKernels *kernels, guint m, guint k)
{
    guint rows = altclip_packed_tile_rows (kernels, m);
    gsize row_words = pad_words (count_words (kernels->tiling, k));

    if (has_integers (kernels->tiling))
        row_words += sizeof (AltclipRowScale) / sizeof (float);
    return count (m, rows) * rows * row_words;
}

/* Returns: [rows of @prepared] */
static AltclipRowScale *
get_row_scales (const AltclipTiling *tiling, const void *prepared, guint m, guint k)
{
    guint rows = find_tile_rows (tiling, m);
    gsize n_words = (gsize)count (m, rows) * rows * pad_words (count_words (tiling, k));

    return (AltclipRowScale *)(gpointer)((const guint32 *)prepared + n_words);
}

/* A tile from rows of @x that are @stride floats apart. Rows and words that it lacks are zero. */
static void
prepare_tile (const AltclipTiling *tiling, const float *x, gsize stride, guint n_given, guint k,
        guint rows, guint32 *tile)
{
    guint depth = get_depth (tiling);

    for (guint k0 = 0; k0 < k; k0 += ALTCLIP_BLOCK_WORDS * depth) {
        guint columns = MIN (ALTCLIP_BLOCK_WORDS * depth, k - k0);
        guint32 *block = tile + (gsize)k0 / depth * rows;

        for (guint row = 0; row < n_given; row++) {
            guint32 *words = block + row * ALTCLIP_BLOCK_WORDS;
            guint n_words = count (columns, depth);

            make_words (tiling, x + row * stride + k0, columns, words);
            memset (words + n_words, 0,
                    (count_words (tiling, columns) - n_words) * sizeof (guint32));
        }
        memset (block + n_given * ALTCLIP_BLOCK_WORDS, 0,
                (rows - n_given) * ALTCLIP_BLOCK_WORDS * sizeof (guint32));
    }
}

/* What @n integers of an input add to the excess of their row: 128 times each if weights have 128
 * more. */
static guint32
find_excess (const AltclipTiling *tiling, const void *bytes, guint n)
{
    if (get_weight_offset (tiling) != 0)
        return (guint32)get_weight_offset (tiling) * altclip_sum_bytes (bytes, n);
    return 0;
}

/* A row of integers, as it lies in a tile of @rows, and its excess. */
static void
quantise_row (const AltclipTiling *tiling, const float *x, guint k, float mean,
        AltclipRowScale *scale, guint rows, guint32 *words)
{
    gint32 offset = get_input_offset (tiling);

    for (guint k0 = 0; k0 < k; k0 += ALTCLIP_BLOCK_WORDS * 4) {
        guint columns = MIN (ALTCLIP_BLOCK_WORDS * 4, k - k0);
        guint32 *block = words + (gsize)k0 / 4 * rows;

        block[(columns - 1) / 4] = 0;
        altclip_quantise_row (x + k0, columns, mean, scale, offset, (guint8 *)block);
        scale->excess += find_excess (tiling, block, columns);
    }
}

/* @norm: (nullable): what is done before, but for its gains. The rows that the last tile lacks are
 * left as they are: what they give is not looked at. */
static void
prepare_integers (const AltclipTiling *tiling, const AltclipNorm *norm, const float *x, guint m,
        guint k, guint m0, guint m1, void *prepared)
{
    guint rows = find_tile_rows (tiling, m);
    gsize row_words = pad_words (count_words (tiling, k));
    AltclipRowScale *scales = get_row_scales (tiling, prepared, m, k);

    for (gsize row = m0; row < m1; row++) {
        const float *from = x + row * k;
        AltclipRowShift shift = { 0.0f, 1.0f };
        guint32 *words = (guint32 *)prepared + row / rows * rows * row_words +
                         row % rows * ALTCLIP_BLOCK_WORDS;

        if (norm)
            shift = altclip_row_shift_find (from, k, norm->epsilon);
        scales[row] = altclip_row_scale_find (from, k, shift.mean);
        quantise_row (tiling, from, k, shift.mean, &scales[row], rows, words);
        scales[row].step *= shift.factor;
    }
}

void
altclip_packed_prepare_normed (const AltclipKernels *kernels, const AltclipNorm *norm,
        const float *x, guint m, guint m0, guint m1, float *prepared)
{
    prepare_integers (kernels->tiling, norm, x, m, norm->width, m0, m1, prepared);
}

/* @m0 is a tile's first row, and @m1 that of another or the end. */
void
altclip_packed_prepare (const AltclipKernels *kernels, const float *x, guint m, guint k, guint m0,
        guint m1, float *prepared)
{
    guint rows = altclip_packed_tile_rows (kernels, m);
    gsize row_words = pad_words (count_words (kernels->tiling, k));

    if (has_integers (kernels->tiling)) {
        prepare_integers (kernels->tiling, NULL, x, m, k, m0, m1, prepared);
        return;
    }
    for (gsize row = m0; row < m1; row += rows)
        prepare_tile (kernels->tiling, x + row * k, k, MIN (rows, m - (guint)row), k, rows,
                (guint32 *)prepared + row * row_words);
}

/* Adds to @sums the product of a tile of @rows and a panel. */
static void
multiply_tile (const AltclipTiling *tiling, guint rows, const guint32 *tile, const guint32 *panel,
        guint n_words, float *sums, gsize stride)
{
    for (gsize word = 0; word < n_words; word += ALTCLIP_BLOCK_WORDS)
        tiling->tiles[rows](tile + word * rows, panel + word * tiling->panel,
                MIN (ALTCLIP_BLOCK_WORDS, n_words - (guint)word), sums, stride);
}

/* ---- Linear ---------------------------------------------------------------------------------- */

/* What is computed at a time: rows of some tiles, columns of some panels. */
typedef struct {
    const AltclipTiling *tiling;
    const guint32 *x;      /* [tiles][blocks][tile_rows][ALTCLIP_BLOCK_WORDS] */
    const guint32 *panels; /* [n_panels][words][panel] */
    guint n_words;
    guint tile_rows;
    guint n_tiles;
    guint n_panels;
    float *sums; /* [n_panels][n_tiles · tile_rows][panel] */
} Block;

static gsize
get_panel_sums (const Block *block)
{
    return (gsize)block->n_tiles * block->tile_rows * block->tiling->panel;
}

/* @sums: of a panel */
static void
start_sums (const Block *block, const float *bias, guint n_columns, float *sums)
{
    float first[ALTCLIP_LINEAR_GRAIN] = { 0.0f };
    guint panel = block->tiling->panel;

    if (bias)
        memcpy (first, bias, n_columns * sizeof (float));
    for (gsize at = 0; at < get_panel_sums (block); at += panel)
        memcpy (sums + at, first, panel * sizeof (float));
}

/* Words @word … of panel @p; after the last panel, of the first those that come next; and after
 * these, of the next group the first, which a layer's last group has none of. */
static const guint32 *
get_panel_block (const Block *block, gsize p, gsize word)
{
    if (p == block->n_panels) {
        p = 0;
        word += ALTCLIP_BLOCK_WORDS;
    }
    if (word >= block->n_words) {
        p = block->n_panels;
        word = 0;
    }
    return block->panels + (p * block->n_words + word) * block->tiling->panel;
}

/* Asks the second-level cache for share @index of @n of words that are needed soon; what is asked
 * for need not exist. */
static void
prefetch_share (const guint32 *words, gsize n_words, gsize index, gsize n)
{
    const gsize line = 64 / sizeof (guint32);
    gsize n_lines = n_words / line;

    for (gsize i = index * n_lines / n; i < (index + 1) * n_lines / n; i++)
        __builtin_prefetch (words + i * line, 0, 2);
}

/* A block of the words of panel @p, which all tiles meet. The next panel's comes from memory
 * meanwhile, and the inputs' from the third-level cache while the panels go by. */
static void
multiply_panel (const Block *block, gsize p, gsize word)
{
    const AltclipTiling *tiling = block->tiling;
    guint n_words = MIN (ALTCLIP_BLOCK_WORDS, block->n_words - (guint)word);
    gsize tile_words = pad_words (block->n_words) * block->tile_rows;
    gsize tile_sums = (gsize)block->tile_rows * tiling->panel;
    gsize next_word = word + n_words < block->n_words ? word + n_words : 0;
    const guint32 *panel = get_panel_block (block, p, word);
    const guint32 *next_panel = get_panel_block (block, p + 1, word);
    const guint32 *x = block->x + word * block->tile_rows;
    const guint32 *next_x = block->x + next_word * block->tile_rows;
    float *sums = block->sums + p * get_panel_sums (block);

    for (gsize t = 0; t < block->n_tiles; t++, x += tile_words, next_x += tile_words) {
        prefetch_share (next_panel, (gsize)n_words * tiling->panel, t, block->n_tiles);
        prefetch_share (next_x, (gsize)block->tile_rows * ALTCLIP_BLOCK_WORDS, p, block->n_panels);
        tiling->tiles[block->tile_rows](x, panel, n_words, sums + t * tile_sums, tiling->panel);
    }
}

static void
multiply (const Block *block)
{
    for (gsize word = 0; word < block->n_words; word += ALTCLIP_BLOCK_WORDS)
        for (gsize p = 0; p < block->n_panels; p++)
            multiply_panel (block, p, word);
}

static void
put_out (const Block *block, const float *sums, guint n_rows, guint n_columns, gboolean accumulate,
        float *out, gsize out_stride)
{
    guint panel = block->tiling->panel;

    for (gsize row = 0; row < n_rows; row++, sums += panel) {
        float *to = out + row * out_stride;

        if (!accumulate)
            memcpy (to, sums, n_columns * sizeof (float));
        else
            for (guint i = 0; i < n_columns; i++)
                to[i] += sums[i];
    }
}

/* Sums of integers to floats, in place; see quantised.h. An input that has 128 less has a zero that
 * has 128 less. */
ALTCLIP_VECTOR_LOOP void
scale_row_loop (float *row, const AltclipRowScale *scale, const AltclipTiling *tiling,
        const float *steps, const gint32 *weight_sums, const float *bias, guint n)
{
    guint32 zero = (guint32)(scale->zero + get_input_offset (tiling));

    for (guint i = 0; i < n; i++) {
        guint32 sum;

        memcpy (&sum, &row[i], sizeof sum);
        sum -= zero * (guint32)weight_sums[i] + scale->excess;
        row[i] = (float)(gint32)sum * scale->step * steps[i] + bias[i];
    }
}

ALTCLIP_DEFINE_FOR_WIDTHS (scale_row,
        (float *row, const AltclipRowScale *scale, const AltclipTiling *tiling, const float *steps,
                const gint32 *weight_sums, const float *bias, guint n),
        (row, scale, tiling, steps, weight_sums, bias, n))

/* @n0: the panel's first output, @scales: of the block's rows */
static void
scale_sums (const AltclipLinear *linear, guint n0, guint n_columns, const AltclipRowScale *scales,
        guint n_rows, float *sums)
{
    const AltclipTiling *tiling = linear->kernels->tiling;
    ColumnScales columns = get_column_scales (tiling, linear->packed, linear->n, linear->k);
    float bias[ALTCLIP_LINEAR_GRAIN] = { 0.0f };

    if (linear->bias)
        memcpy (bias, linear->bias + n0, n_columns * sizeof (float));
    for (gsize row = 0; row < n_rows; row++)
        scale_row (sums + row * tiling->panel, &scales[row], tiling, columns.steps + n0,
                columns.sums + n0, bias, tiling->panel);
}

/* Where the product goes. */
typedef struct {
    const AltclipLinear *linear;
    const AltclipEpilogue *epilogue;
    const AltclipRowScale *scales; /* of the rows; or NULL */
    float *out;
    gsize out_stride;
} Output;

/* Rows @row … of the product, columns n0 ≤ n < n1, of which each panel's sums are held. */
static void
run_block (const Block *block, const Output *output, guint row, guint n_rows, guint n0, guint n1)
{
    const AltclipLinear *linear = output->linear;
    gsize panel_sums = get_panel_sums (block);
    guint panel = block->tiling->panel;
    float *sums = block->sums;

    for (guint n = n0; n < n1; n += panel, sums += panel_sums)
        start_sums (block, linear->bias && !output->scales ? linear->bias + n : NULL,
                MIN (panel, n1 - n), sums);
    multiply (block);
    sums = block->sums;
    for (guint n = n0; n < n1; n += panel, sums += panel_sums) {
        guint n_columns = MIN (panel, n1 - n);

        if (output->scales)
            scale_sums (linear, n, n_columns, output->scales + row, n_rows, sums);
        altclip_activation_apply (output->epilogue->activation, sums, (gsize)n_rows * panel);
        put_out (block, sums, n_rows, n_columns, output->epilogue->accumulate,
                output->out + row * output->out_stride + n, output->out_stride);
    }
}

/* @n0 is a panel's first output. */
void
altclip_packed_linear (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    float sums[MAX_SUMS] __attribute__ ((aligned (64)));
    const AltclipTiling *tiling = linear->kernels->tiling;
    guint rows = find_tile_rows (tiling, m);
    guint block_rows = MIN (MAX_BLOCK_ROWS / rows, count (m, rows)) * rows;
    guint group = MAX_SUMS / (block_rows * tiling->panel) * tiling->panel;
    guint n_words = count_words (tiling, linear->k);
    Block block = { .tiling = tiling, .n_words = n_words, .tile_rows = rows, .sums = sums };
    Output output = { linear, epilogue,
        has_integers (tiling) ? get_row_scales (tiling, x, m, linear->k) : NULL, out, out_stride };

    if (tiling->begin)
        tiling->begin (rows);
    for (guint n = n0; n < n1; n += MIN (group, n1 - n)) {
        guint n_columns = MIN (group, n1 - n);

        block.panels = (const guint32 *)linear->packed + (gsize)n * n_words;
        block.n_panels = count (n_columns, tiling->panel);
        for (guint row = 0; row < m; row += block_rows) {
            guint n_rows = MIN (block_rows, m - row);

            block.x = (const guint32 *)x + (gsize)row * pad_words (n_words);
            block.n_tiles = count (n_rows, rows);
            run_block (&block, &output, row, n_rows, n, n + n_columns);
        }
    }
    if (tiling->end)
        tiling->end ();
}

const float *
altclip_packed_get_steps (const AltclipLinear *linear)
{
    return get_column_scales (linear->kernels->tiling, linear->packed, linear->n, linear->k).steps;
}

void
altclip_packed_measure_weights (const AltclipLinear *linear, double *power, double *rounding)
{
    const AltclipTiling *tiling = linear->kernels->tiling;
    const float *steps = altclip_packed_get_steps (linear);
    gsize n_words = count_words (tiling, linear->k);
    const guint8 *packed = linear->packed;

    *power = *rounding = 0.0;
    for (gsize n = 0; n < linear->n; n++) {
        guint lane = n % tiling->panel;
        const guint8 *panel = packed + 4 * (n - lane) * n_words;
        double square = (double)steps[n] * steps[n];
        gint64 sum = 0;

        for (gsize i = 0; i < linear->k; i++) {
            guint8 byte = panel[4 * find_place (tiling, i / 4, lane) + i % 4];
            gint8 weight = (gint8)(byte - get_weight_offset (tiling));

            sum += weight * weight;
        }
        *power += square * (double)sum;
        *rounding += square / 12.0;
    }
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* Keys and values of a head as panels, and what a tile of queries needs; all in floats. */
typedef struct {
    const AltclipTiling *tiling;
    const AltclipHead *head;
    guint n_key_panels;
    guint n_value_panels;
    gsize score_stride; /* floats: n_key_panels · panel */
    float *keys;        /* [n_key_panels][head size][panel] */
    float *values;      /* [n_value_panels][n_keys][panel] */
    float *queries;     /* a tile of head size */
    float *scores;      /* [tile rows, score_stride] */
    float *weights;     /* a tile of n_keys: the softmax of the scores */
    float *out;         /* [tile rows, panel] */
} Head;

/* Whole cache lines, so that each array begins with one. */
static gsize
round_up (gsize n_floats)
{
    return (n_floats + 15) / 16 * 16;
}

/* Sets the arrays from @scratch on; NULL: only counts. Returns: floats in all */
static gsize
lay_out (Head *head, guint head_size, guint n_keys, float *scratch)
{
    gsize panel = head->tiling->panel;
    gsize rows = head->tiling->max_rows;
    gsize size = 0;

    head->n_key_panels = count (n_keys, head->tiling->panel);
    head->n_value_panels = count (head_size, head->tiling->panel);
    head->score_stride = head->n_key_panels * panel;
#define PLACE(array, n)                            \
    head->array = scratch ? scratch + size : NULL; \
    size += round_up (n);
    PLACE (keys, head->n_key_panels * head_size * panel)
    PLACE (values, head->n_value_panels * (gsize)n_keys * panel)
    PLACE (queries, rows * pad_words (head_size))
    PLACE (scores, rows * head->score_stride)
    PLACE (weights, rows * pad_words (n_keys))
    PLACE (out, rows * panel)
#undef PLACE
    return size;
}

/* Tiles know of no distances. Returns: (nullable): the set that attends instead of @kernels, which
 * is the reference where OpenBLAS is refused; NULL: none has to */
static const AltclipKernels *
find_substitute (const AltclipKernels *kernels, const AltclipAttention *attention)
{
    if (kernels->attention_tiling && !attention->distances)
        return NULL;
    return altclip_kernels_openblas.probe (NULL) ? &altclip_kernels_openblas
                                                 : &altclip_kernels_reference;
}

gsize
altclip_packed_attention_scratch (const AltclipKernels *kernels, const AltclipAttention *attention)
{
    const AltclipKernels *substitute = find_substitute (kernels, attention);
    Head head = { .tiling = kernels->attention_tiling };

    if (substitute)
        return substitute->attention_scratch (substitute, attention);
    return lay_out (
            &head, attention->width / attention->n_heads, attention->sequences->longest, NULL);
}

/* A panel's keys are the columns that a query's numbers meet. */
static void
pack_keys (const Head *head)
{
    guint panel = head->tiling->panel;
    guint head_size = head->head->head_size;

    for (guint key = 0; key < head->n_key_panels * panel; key++) {
        float *to = head->keys + (gsize)(key / panel) * head_size * panel + key % panel;
        const float *from = head->head->keys + key * head->head->stride;

        for (guint i = 0; i < head_size; i++)
            to[(gsize)i * panel] = key < head->head->n_keys ? from[i] : 0.0f;
    }
}

static void
pack_values (const Head *head)
{
    guint panel = head->tiling->panel;
    guint n_keys = head->head->n_keys;

    for (guint p = 0; p < head->n_value_panels; p++) {
        guint n_columns = MIN (panel, head->head->head_size - p * panel);

        for (gsize key = 0; key < n_keys; key++) {
            float *to = head->values + ((gsize)p * n_keys + key) * panel;

            memcpy (to, head->head->values + key * head->head->stride + (gsize)p * panel,
                    n_columns * sizeof (float));
            memset (to + n_columns, 0, (panel - n_columns) * sizeof (float));
        }
    }
}

/* Scores of a tile of queries with all keys, and the softmax of each row, as a tile again. */
static void
weigh (const Head *head, guint first, guint n_given, guint rows)
{
    const AltclipHead *plain = head->head;
    gsize panel = head->tiling->panel;
    float scale = 1.0f / sqrtf ((float)plain->head_size);

    memset (head->scores, 0, rows * head->score_stride * sizeof (float));
    for (gsize p = 0; p < head->n_key_panels; p++)
        multiply_tile (head->tiling, rows, (const guint32 *)head->queries,
                (const guint32 *)head->keys + p * plain->head_size * panel, plain->head_size,
                head->scores + p * panel, head->score_stride);
    for (guint row = 0; row < n_given; row++) {
        float *scores = head->scores + row * head->score_stride;

        altclip_softmax (scores, plain->n_keys, scale);
        if (plain->probabilities)
            memcpy (plain->probabilities + (first + row) * plain->probabilities_stride, scores,
                    plain->n_keys * sizeof (float));
    }
    prepare_tile (head->tiling, head->scores, head->score_stride, n_given, plain->n_keys, rows,
            (guint32 *)head->weights);
}

static void
sum_values (const Head *head, guint first, guint n_given, guint rows)
{
    const AltclipHead *plain = head->head;
    gsize panel = head->tiling->panel;

    for (gsize p = 0; p < head->n_value_panels; p++) {
        gsize n_columns = MIN (panel, plain->head_size - p * panel);
        float *out = plain->out + first * plain->out_stride + p * panel;

        memset (head->out, 0, rows * panel * sizeof (float));
        multiply_tile (head->tiling, rows, (const guint32 *)head->weights,
                (const guint32 *)head->values + p * plain->n_keys * panel, plain->n_keys, head->out,
                panel);
        for (gsize row = 0; row < n_given; row++)
            memcpy (out + row * plain->out_stride, head->out + row * panel,
                    n_columns * sizeof (float));
    }
}

/* Never holds more scores than a tile has. */
static void
attend (const Head *head)
{
    const AltclipHead *plain = head->head;
    guint rows = find_tile_rows (head->tiling, plain->rows);

    pack_keys (head);
    pack_values (head);
    for (guint first = 0; first < plain->rows; first += rows) {
        guint n_given = MIN (rows, plain->rows - first);

        prepare_tile (head->tiling, plain->queries + first * plain->stride, plain->stride, n_given,
                plain->head_size, rows, (guint32 *)head->queries);
        weigh (head, first, n_given, rows);
        sum_values (head, first, n_given, rows);
    }
}

void
altclip_packed_attention (const AltclipKernels *kernels, const AltclipAttention *attention,
        guint first, guint last, float *scratch)
{
    const AltclipKernels *substitute = find_substitute (kernels, attention);

    if (substitute) {
        substitute->attention (substitute, attention, first, last, scratch);
        return;
    }
    for (guint number = first; number < last; number++) {
        AltclipHead plain = altclip_attention_get_head (attention, number);
        Head head = { .tiling = kernels->attention_tiling, .head = &plain };

        lay_out (&head, plain.head_size, plain.n_keys, scratch);
        attend (&head);
    }
}
