/* altclip: products by tiles, on weights and inputs laid out for them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "packed.h"

#include <math.h>
#include <string.h>

/* Numbers of k between which sums are put down in memory. A panel's share of the weights, 128 · 32
 * floats, is 16 KiB, and stays in the first-level cache while the tiles pass by; so does the share
 * of a tile of 14 rows, 7 KiB. Putting down and taking up again 14 · 2 vectors is 2 % of their 128
 * products. */
#define K_BLOCK 128

/* Rows whose sums are held at a time: 280 · 32 floats, 35 KiB on the stack. A picture of 257 tokens
 * goes at once; of a batch, the panel of weights stays in the second-level cache meanwhile. */
#define MAX_BLOCK_ROWS 280

/* ---- Layouts --------------------------------------------------------------------------------- */

static guint
count (guint total, guint size)
{
    return total / size + (total % size != 0);
}

gsize
altclip_packed_size (const AltclipKernels *kernels, guint n, guint k)
{
    guint panel = kernels->tiling->panel;

    return (gsize)count (n, panel) * panel * k * sizeof (float);
}

/* Stored numbers that are read at a time, of each row of a panel. */
#define PACK_COLUMNS 64

/* Rows of the stored tensor, all of one panel, from its column @lane on. */
static void
pack_lanes (float *panel, guint panel_size, guint lane, const AltclipStoredTensor *weights,
        guint first, guint rows, guint k)
{
    float read[ALTCLIP_LINEAR_GRAIN][PACK_COLUMNS];

    for (guint k0 = 0; k0 < k; k0 += PACK_COLUMNS) {
        guint columns = MIN (PACK_COLUMNS, k - k0);

        for (guint row = 0; row < rows; row++)
            altclip_stored_tensor_read (
                    weights, (guint64)(first + row) * k + k0, columns, read[row]);
        for (guint i = 0; i < columns; i++)
            for (guint row = 0; row < rows; row++)
                panel[(gsize)(k0 + i) * panel_size + lane + row] = read[row][i];
    }
}

/* The outputs that the last panel has too many stay zero, as they were allocated. */
void
altclip_packed_pack (const AltclipKernels *kernels, void *packed, G_GNUC_UNUSED guint n, guint k,
        guint n0, const AltclipStoredTensor *weights)
{
    guint panel_size = kernels->tiling->panel;
    guint n_rows = (guint)weights->dims[0];
    guint rows;

    for (guint row = 0; row < n_rows; row += rows) {
        guint lane = (n0 + row) % panel_size;
        float *panel = (float *)packed + (gsize)(n0 + row - lane) * k;

        rows = MIN (panel_size - lane, n_rows - row);
        pack_lanes (panel, panel_size, lane, weights, row, rows, k);
    }
}

/* All tiles have one height, such that the last lacks fewest rows. */
guint
altclip_packed_tile_rows (const AltclipKernels *kernels, guint m)
{
    return m ? count (m, count (m, kernels->tiling->max_rows)) : 1;
}

gsize
altclip_packed_prepared_size (const AltclipKernels *kernels, guint m, guint k)
{
    guint rows = altclip_packed_tile_rows (kernels, m);

    return (gsize)count (m, rows) * rows * k;
}

/* A tile from rows of @x that are @stride floats apart, each number times @scale. The rows that it
 * lacks are zero. */
static void
prepare_tile (
        const float *x, gsize stride, guint n_given, guint k, float scale, guint rows, float *tile)
{
    for (guint row = 0; row < n_given; row++)
        for (guint i = 0; i < k; i++)
            tile[(gsize)i * rows + row] = x[row * stride + i] * scale;
    for (guint row = n_given; row < rows; row++)
        for (guint i = 0; i < k; i++)
            tile[(gsize)i * rows + row] = 0.0f;
}

/* @m0 is a tile's first row, and @m1 that of another or the end. */
void
altclip_packed_prepare (const AltclipKernels *kernels, const float *x, guint m, guint k, guint m0,
        guint m1, float *prepared)
{
    guint rows = altclip_packed_tile_rows (kernels, m);

    for (gsize row = m0; row < m1; row += rows)
        prepare_tile (
                x + row * k, k, MIN (rows, m - (guint)row), k, 1.0f, rows, prepared + row * k);
}

/* ---- Linear ---------------------------------------------------------------------------------- */

/* What is computed at a time: rows of some tiles, columns of a panel. */
typedef struct {
    const AltclipTiling *tiling;
    const float *x;       /* [tiles][k][tile_rows] */
    const float *weights; /* [k][panel] */
    guint k;
    guint tile_rows;
    guint n_tiles;
    float *sums; /* [n_tiles · tile_rows, panel] */
} Block;

static void
start_sums (const Block *block, const float *bias, guint n_columns)
{
    float first[ALTCLIP_LINEAR_GRAIN] = { 0.0f };
    guint panel = block->tiling->panel;

    if (bias)
        memcpy (first, bias, n_columns * sizeof (float));
    for (gsize row = 0; row < (gsize)block->n_tiles * block->tile_rows; row++)
        memcpy (block->sums + row * panel, first, panel * sizeof (float));
}

static void
multiply (const Block *block)
{
    AltclipTileFunc tile = block->tiling->tiles[block->tile_rows];
    gsize panel = block->tiling->panel;
    gsize rows = block->tile_rows;

    for (gsize k0 = 0; k0 < block->k; k0 += K_BLOCK) {
        guint n_k = MIN (K_BLOCK, block->k - (guint)k0);

        for (gsize t = 0; t < block->n_tiles; t++)
            tile (block->x + (t * block->k + k0) * rows, block->weights + k0 * panel, n_k,
                    block->sums + t * rows * panel, panel);
    }
}

static void
put_out (const Block *block, guint n_rows, guint n_columns, gboolean accumulate, float *out,
        gsize out_stride)
{
    for (gsize row = 0; row < n_rows; row++) {
        const float *sums = block->sums + row * block->tiling->panel;
        float *to = out + row * out_stride;

        if (!accumulate)
            memcpy (to, sums, n_columns * sizeof (float));
        else
            for (guint i = 0; i < n_columns; i++)
                to[i] += sums[i];
    }
}

/* @n0 is a panel's first output. */
void
altclip_packed_linear (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    float sums[MAX_BLOCK_ROWS * ALTCLIP_LINEAR_GRAIN] __attribute__ ((aligned (64)));
    const AltclipTiling *tiling = linear->kernels->tiling;
    guint rows = altclip_packed_tile_rows (linear->kernels, m);
    guint block_rows = MAX_BLOCK_ROWS / rows * rows;
    Block block = { .tiling = tiling, .k = linear->k, .tile_rows = rows, .sums = sums };

    for (guint n = n0; n < n1; n += tiling->panel) {
        guint n_columns = MIN (tiling->panel, n1 - n);

        block.weights = (const float *)linear->packed + (gsize)n * linear->k;
        for (gsize row = 0; row < m; row += block_rows) {
            guint n_rows = MIN (block_rows, m - (guint)row);

            block.x = x + row * linear->k;
            block.n_tiles = count (n_rows, rows);
            start_sums (&block, linear->bias ? linear->bias + n : NULL, n_columns);
            multiply (&block);
            altclip_activation_apply (epilogue->activation, sums, (gsize)n_rows * tiling->panel);
            put_out (&block, n_rows, n_columns, epilogue->accumulate, out + row * out_stride + n,
                    out_stride);
        }
    }
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* Keys and values of a head as panels, and what a tile of queries needs. */
typedef struct {
    const AltclipKernels *kernels;
    const AltclipHead *head;
    guint n_key_panels;
    guint n_value_panels;
    gsize score_stride; /* floats: n_key_panels · panel */
    float *keys;        /* [n_key_panels][head size][panel] */
    float *values;      /* [n_value_panels][n_keys][panel] */
    float *queries;     /* [head size][tile rows] */
    float *scores;      /* [tile rows, score_stride] */
    float *weights;     /* [n_keys][tile rows]: the softmax of the scores */
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
    gsize panel = head->kernels->tiling->panel;
    gsize rows = head->kernels->tiling->max_rows;
    gsize size = 0;

    head->n_key_panels = count (n_keys, head->kernels->tiling->panel);
    head->n_value_panels = count (head_size, head->kernels->tiling->panel);
    head->score_stride = head->n_key_panels * panel;
#define PLACE(array, n)                            \
    head->array = scratch ? scratch + size : NULL; \
    size += round_up (n);
    PLACE (keys, head->n_key_panels * head_size * panel)
    PLACE (values, head->n_value_panels * (gsize)n_keys * panel)
    PLACE (queries, head_size * rows)
    PLACE (scores, rows * head->score_stride)
    PLACE (weights, n_keys * rows)
    PLACE (out, rows * panel)
#undef PLACE
    return size;
}

gsize
altclip_packed_attention_scratch (const AltclipKernels *kernels, const AltclipAttention *attention)
{
    Head head = { .kernels = kernels };

    if (attention->distances)
        return altclip_kernels_openblas.attention_scratch (kernels, attention);
    return lay_out (
            &head, attention->width / attention->n_heads, attention->sequences->longest, NULL);
}

/* A panel's keys are the columns that a query's numbers meet. */
static void
pack_keys (const Head *head)
{
    guint panel = head->kernels->tiling->panel;
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
    guint panel = head->kernels->tiling->panel;
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

/* Scores of a tile of queries with all keys, the softmax of each row, turned into a tile. */
static void
weigh (const Head *head, guint first, guint n_given, guint rows)
{
    const AltclipHead *plain = head->head;
    gsize panel = head->kernels->tiling->panel;
    guint n_keys = plain->n_keys;

    memset (head->scores, 0, rows * head->score_stride * sizeof (float));
    for (gsize p = 0; p < head->n_key_panels; p++)
        head->kernels->tiling->tiles[rows](head->queries, head->keys + p * plain->head_size * panel,
                plain->head_size, head->scores + p * panel, head->score_stride);
    for (guint row = 0; row < rows; row++) {
        float *scores = head->scores + row * head->score_stride;

        altclip_softmax (scores, n_keys);
        for (guint key = 0; key < n_keys; key++)
            head->weights[(gsize)key * rows + row] = scores[key];
        if (plain->probabilities && row < n_given)
            memcpy (plain->probabilities + (first + row) * plain->probabilities_stride, scores,
                    n_keys * sizeof (float));
    }
}

static void
sum_values (const Head *head, guint first, guint n_given, guint rows)
{
    const AltclipHead *plain = head->head;
    gsize panel = head->kernels->tiling->panel;

    for (gsize p = 0; p < head->n_value_panels; p++) {
        gsize n_columns = MIN (panel, plain->head_size - p * panel);
        float *out = plain->out + first * plain->out_stride + p * panel;

        memset (head->out, 0, rows * panel * sizeof (float));
        head->kernels->tiling->tiles[rows](head->weights, head->values + p * plain->n_keys * panel,
                plain->n_keys, head->out, panel);
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
    guint rows = altclip_packed_tile_rows (head->kernels, plain->rows);
    float scale = 1.0f / sqrtf ((float)plain->head_size);

    pack_keys (head);
    pack_values (head);
    for (guint first = 0; first < plain->rows; first += rows) {
        guint n_given = MIN (rows, plain->rows - first);

        prepare_tile (plain->queries + first * plain->stride, plain->stride, n_given,
                plain->head_size, scale, rows, head->queries);
        weigh (head, first, n_given, rows);
        sum_values (head, first, n_given, rows);
    }
}

void
altclip_packed_attention (const AltclipKernels *kernels, const AltclipAttention *attention,
        guint first, guint last, float *scratch)
{
    if (attention->distances) {
        altclip_kernels_openblas.attention (kernels, attention, first, last, scratch);
        return;
    }
    for (guint number = first; number < last; number++) {
        AltclipHead plain = altclip_attention_get_head (attention, number);
        Head head = { .kernels = kernels, .head = &plain };

        lay_out (&head, plain.head_size, plain.n_keys, scratch);
        attend (&head);
    }
}
