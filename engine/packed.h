/* altclip: products by tiles, on weights and inputs laid out for them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything of a kernel set but its innermost loop. Weights [n, k] are packed in panels, of as
 * many outputs as a few vectors hold: [panels][k][panel]. Inputs [m, k] are prepared in tiles of
 * rows: [tiles][k][rows]. A tile times a panel is the innermost loop: for each k it takes one
 * number of each row, broadcast, times the vectors of the panel, and adds to sums that never leave
 * the registers. Both are read from the first byte to the last.
 */

#ifndef ALTCLIP_PACKED_H
#define ALTCLIP_PACKED_H

#include "kernels.h"

G_BEGIN_DECLS

/* The tallest tile there is. */
#define ALTCLIP_MAX_TILE_ROWS 14

/* Adds to @sums [rows, panel], whose rows are @stride floats apart, the product of a tile
 * @x [n_k, rows] and of a panel @weights [n_k, panel]. */
typedef void (*AltclipTileFunc) (
        const float *x, const float *weights, guint n_k, float *sums, gsize stride);

struct _AltclipTiling {
    guint panel;                  /* outputs side by side: a divisor of ALTCLIP_LINEAR_GRAIN */
    guint max_rows;               /* of a tile */
    const AltclipTileFunc *tiles; /* [max_rows + 1], by rows; the first is none */
};

/* The functions of AltclipKernels, for sets that have a tiling. */
gsize altclip_packed_size (const AltclipKernels *kernels, guint n, guint k);
void altclip_packed_pack (const AltclipKernels *kernels, void *packed, guint n, guint k, guint n0,
        const AltclipStoredTensor *weights);
guint altclip_packed_tile_rows (const AltclipKernels *kernels, guint m);
gsize altclip_packed_prepared_size (const AltclipKernels *kernels, guint m, guint k);
void altclip_packed_prepare (const AltclipKernels *kernels, const float *x, guint m, guint k,
        guint m0, guint m1, float *prepared);
void altclip_packed_linear (const AltclipLinear *linear, const float *x, guint m, guint n0,
        guint n1, const AltclipEpilogue *epilogue, float *out, gsize out_stride);
gsize altclip_packed_attention_scratch (
        const AltclipKernels *kernels, const AltclipAttention *attention);
void altclip_packed_attention (const AltclipKernels *kernels, const AltclipAttention *attention,
        guint first, guint last, float *scratch);

/* The table's entries for them. */
#define ALTCLIP_PACKED_FUNCTIONS                                                          \
    .packed_size = altclip_packed_size, .pack = altclip_packed_pack,                      \
    .tile_rows = altclip_packed_tile_rows, .prepared_size = altclip_packed_prepared_size, \
    .prepare = altclip_packed_prepare, .linear = altclip_packed_linear,                   \
    .attention_scratch = altclip_packed_attention_scratch, .attention = altclip_packed_attention

G_END_DECLS

#endif /* ALTCLIP_PACKED_H */
