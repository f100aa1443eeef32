/* altclip: products by tiles, on weights and inputs laid out for them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything of a kernel set but its innermost loop. Numbers of k go in words of four bytes: one
 * float, two bfloat16, or four 8-bit integers, see quantised.h. Weights [n, k] are packed in
 * panels, of as many outputs as a few vectors hold: [panels][words][panel], or with words of an
 * output side by side [panels][words / side][panel][side]. Inputs [m, k] are
 * prepared in tiles of rows, and those in blocks of words:
 * [tiles][blocks][rows][ALTCLIP_BLOCK_WORDS]. A block of a tile times that of a panel is the
 * innermost loop: it takes one word of each row, broadcast, times the vectors of the panel, and
 * adds to sums that never leave the registers: floats, or of integers 32-bit integers. The scales
 * of integers stand behind them: of weights [outputs] steps and [outputs] sums, of inputs one
 * AltclipRowScale for each row. Some sets take several words at once: the weights are padded with
 * zeros to whole steps of theirs.
 */

#ifndef ALTCLIP_PACKED_H
#define ALTCLIP_PACKED_H

#include "kernels.h"

G_BEGIN_DECLS

/* Words between which sums are put down in memory. A panel's share of the weights, 128 · 32 words,
 * is 16 KiB, and stays in the first-level cache while the tiles pass by; so does the share of a
 * tile of 14 rows, 7 KiB. Putting down and taking up again 14 · 2 vectors is 2 % of their 128
 * steps. */
#define ALTCLIP_BLOCK_WORDS 128

/* Adds to @sums [rows, panel], whose rows are @stride floats apart, the product of a block of a
 * tile, @x [rows, ALTCLIP_BLOCK_WORDS], and of a panel, @weights [n_words, panel]. */
typedef void (*AltclipTileFunc) (
        const void *x, const void *weights, guint n_words, float *sums, gsize stride);

typedef enum {
    ALTCLIP_WORDS_F32,
    ALTCLIP_WORDS_BF16,
    ALTCLIP_WORDS_U8,    /* inputs from 0 to 255 */
    ALTCLIP_WORDS_S8,    /* inputs less 128, from −128 to 127 */
    ALTCLIP_WORDS_U8_U8, /* inputs from 0 to 255, and weights and 128, from 1 to 255 */
} AltclipWords;

struct _AltclipTiling {
    guint panel;                  /* outputs side by side: a divisor of ALTCLIP_LINEAR_GRAIN */
    guint max_rows;               /* of a tile */
    const AltclipTileFunc *tiles; /* [max_rows + 1], by rows; the first is none */
    AltclipWords words;
    guint step; /* words that tiles take at a time: a divisor of 16 */
    guint side; /* words of one output side by side: a divisor of the step */

    /* Called before and after tiles of @rows, on the thread that computes them; or NULL. */
    void (*begin) (guint rows);
    void (*end) (void);
};

#if defined(__x86_64__)
/* Those of the sets in floats, with which others attend. */
extern const AltclipTiling altclip_tiling_avx512;
extern const AltclipTiling altclip_tiling_avx2;
#elif defined(__aarch64__)
extern const AltclipTiling altclip_tiling_neon;
#endif

/* What sets for these vectors take besides instructions of their own. */
#define ALTCLIP_CPU_HAS_AVX2 (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
#define ALTCLIP_CPU_HAS_AVX512 (__builtin_cpu_supports ("avx512f"))

/* Whether the set @name can run, which takes @instructions; sets @error if not. */
gboolean altclip_packed_probe (
        const char *name, gboolean has_instructions, const char *instructions, GError **error);

/* Of sets that every CPU of their architecture has the instructions of: whether they can run. */
gboolean altclip_packed_probe_anywhere (GError **error);

/* The functions of AltclipKernels, for sets that have a tiling. */
gsize altclip_packed_size (const AltclipKernels *kernels, guint n, guint k);
void altclip_packed_pack (const AltclipKernels *kernels, void *packed, guint n, guint k, guint n0,
        const AltclipStoredTensor *weights);
guint altclip_packed_tile_rows (const AltclipKernels *kernels, guint m);
gsize altclip_packed_prepared_size (const AltclipKernels *kernels, guint m, guint k);
void altclip_packed_prepare (const AltclipKernels *kernels, const float *x, guint m, guint k,
        guint m0, guint m1, float *prepared);
void altclip_packed_prepare_normed (const AltclipKernels *kernels, const AltclipNorm *norm,
        const float *x, guint m, guint m0, guint m1, float *prepared);
void altclip_packed_linear (const AltclipLinear *linear, const float *x, guint m, guint n0,
        guint n1, const AltclipEpilogue *epilogue, float *out, gsize out_stride);
gsize altclip_packed_attention_scratch (
        const AltclipKernels *kernels, const AltclipAttention *attention);
void altclip_packed_attention (const AltclipKernels *kernels, const AltclipAttention *attention,
        guint first, guint last, float *scratch);

/* Returns: (transfer none): [outputs] of @linear, packed by a set whose words are integers: what
 * those of each are multiples of */
const float *altclip_packed_get_steps (const AltclipLinear *linear);

/**
 * altclip_packed_measure_weights:
 * @linear: packed by a set whose words are integers
 * @power: (out): the sum of all squares of its weights
 * @rounding: (out): that of all rounding errors there are on average, of an input that is 1
 *
 * For the noise that integers make: a number that is rounded to a step is off by step² / 12.
 */
void altclip_packed_measure_weights (const AltclipLinear *linear, double *power, double *rounding);

/* The table's entries for them. */
#define ALTCLIP_PACKED_FUNCTIONS                                                                \
    .norm = altclip_norm_rows, .packed_size = altclip_packed_size, .pack = altclip_packed_pack, \
    .tile_rows = altclip_packed_tile_rows, .prepared_size = altclip_packed_prepared_size,       \
    .prepare = altclip_packed_prepare, .linear = altclip_packed_linear,                         \
    .attention_scratch = altclip_packed_attention_scratch, .attention = altclip_packed_attention

/* The same for sets whose words are integers. */
#define ALTCLIP_PACKED_INTEGER_FUNCTIONS \
    .prepare_normed = altclip_packed_prepare_normed, ALTCLIP_PACKED_FUNCTIONS

G_END_DECLS

#endif /* ALTCLIP_PACKED_H */
