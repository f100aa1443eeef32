/* altclip: the kernel seam: what an instruction set or library must provide
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One table of functions per set. Every function is single-threaded, allocates nothing, and is
 * called with a range, so that the session's pool splits the work. The residual stream is float.
 * Functions that get no layer get the table itself, so that sets can share them.
 */

#ifndef ALTCLIP_KERNELS_H
#define ALTCLIP_KERNELS_H

#include "activation.h"
#include "tensor.h"

G_BEGIN_DECLS

typedef struct _AltclipKernels AltclipKernels;
typedef struct _AltclipTiling AltclipTiling;

/* A layer norm. */
typedef struct {
    float *gamma; /* [width] */
    float *beta;  /* [width] */
    guint width;
    double epsilon;
} AltclipNorm;

/* A linear layer, y = x·Wᵀ + b, its weights in the layout of the kernel set that packed it. */
typedef struct {
    const AltclipKernels *kernels;
    guint n; /* outputs */
    guint k; /* inputs */
    void *packed;
    float *bias;        /* [n], or NULL */
    gboolean has_gains; /* of the layer norm before it */
} AltclipLinear;

/* What happens to a product on its way out. */
typedef struct {
    AltclipActivation activation; /* applied after the bias */
    gboolean accumulate;          /* add to what the output holds: the residual stream, in place */
} AltclipEpilogue;

/* Sequences of a batch, one after the other in the rows of a matrix. */
typedef struct {
    guint n;
    const guint *offsets;    /* [n + 1]: sequence s has rows offsets[s] to offsets[s + 1] */
    const guint *n_attended; /* [n]: its first rows, which all its rows attend to */
    guint longest;           /* rows of the longest */
    const guint8 *mask;      /* [rows], or NULL: rows of 0, which none attends to either */
} AltclipSequences;

/* Vectors for the distance from a key to a query, counted in rows of their sequence, which all
 * heads of a block share. They add q·E, or q·E + k·E, to the scores q·k. */
typedef struct {
    float *table; /* [2 · n − 1, head size]: row n − 1 is for the distance 0; NULL: none */
    guint n;      /* rows of the longest sequence there may be */
    gboolean with_keys; /* k·E too */
} AltclipDistances;

/* Multi-head attention without its linear layers: softmax (q·kᵀ/√d)·v. */
typedef struct {
    const float *qkv; /* [rows, 3 · width]: queries, keys, values, heads side by side in each */
    float *out;       /* [rows, width] */
    guint width;
    guint n_heads;
    const AltclipSequences *sequences;
    const AltclipDistances *distances; /* or NULL */
    float *probabilities; /* [sequences, heads, longest, longest], or NULL: the softmax's results;
                           * what stands there for keys not attended to is left alone */
} AltclipAttention;

/* One head of one sequence. */
typedef struct {
    const float *queries; /* [rows, head size], a row @stride floats after the other */
    const float *keys;    /* [n_keys, head size], likewise */
    const float *values;  /* [n_keys, head size], likewise */
    gsize stride;
    guint head_size;
    guint rows;
    guint n_keys;
    const guint8 *mask; /* [n_keys], or NULL; see AltclipSequences */
    float *out;         /* [rows, head size], @out_stride floats apart */
    gsize out_stride;
    float *probabilities; /* [rows, n_keys], @probabilities_stride floats apart; or NULL */
    gsize probabilities_stride;
} AltclipHead;

/* Ranges of a layer's outputs begin with a multiple of this, which every set's blocks divide. */
#define ALTCLIP_LINEAR_GRAIN 32

struct _AltclipKernels {
    const char *name;
    AltclipPrecision precision; /* of linear layers; the rest is in floats */
    gboolean converts;          /* for want of instructions for that: slow; of int8 it is timed */

    /* Of sets that compute by tiles, else NULL; see packed.h. */
    const AltclipTiling *tiling;
    const AltclipTiling *attention_tiling; /* in floats; NULL: attention is OpenBLAS's */

    /* Whether the set can run here at all; sets @error if not. */
    gboolean (*probe) (GError **error);

    /* Bytes of the packed form of weights [n, k]. */
    gsize (*packed_size) (const AltclipKernels *kernels, guint n, guint k);

    /* Packs @weights [rows, k] as rows n0 … of a packed [n, k], which was zeroed. Needs no
     * stored row again. */
    void (*pack) (const AltclipKernels *kernels, void *packed, guint n, guint k, guint n0,
            const AltclipStoredTensor *weights);

    /* Layer norm of rows m0 ≤ m < m1; @x may be @out. */
    void (*norm) (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out);

    /* Of sets that want a layer's input in a layout of their own, else NULL: floats that it takes
     * for x [m, k], and rows that must be prepared together. */
    gsize (*prepared_size) (const AltclipKernels *kernels, guint m, guint k);
    guint (*tile_rows) (const AltclipKernels *kernels, guint m);

    /* Prepares rows m0 ≤ m < m1 of @x [m, k], both multiples of the tile's rows or the end. */
    void (*prepare) (const AltclipKernels *kernels, const float *x, guint m, guint k, guint m0,
            guint m1, float *prepared);

    /* Of sets of 8-bit integers, else NULL: the same for what @norm makes of @x, but for its gains
     * and biases, which the layer has in its weights; see altclip_linear_init_normed(). */
    void (*prepare_normed) (const AltclipKernels *kernels, const AltclipNorm *norm, const float *x,
            guint m, guint m0, guint m1, float *prepared);

    /* Columns n0 ≤ n < n1 of x·Wᵀ + b for x [m, k], prepared where the set wants it so; rows of
     * @out are @out_stride floats apart. */
    void (*linear) (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
            const AltclipEpilogue *epilogue, float *out, gsize out_stride);

    /* Floats of scratch that a caller of attention needs; its pointers are not looked into. */
    gsize (*attention_scratch) (const AltclipKernels *kernels, const AltclipAttention *attention);

    /* Pairs of sequence and head, numbered s · n_heads + h, from @first to before @last. Masks are
     * for the reference set alone, which altclip_attention_run() takes where there is one. */
    void (*attention) (const AltclipKernels *kernels, const AltclipAttention *attention,
            guint first, guint last, float *scratch);
};

/* Returns: the head and sequence number s · n_heads + h of @attention. */
AltclipHead altclip_attention_get_head (const AltclipAttention *attention, guint number);

/* The packing of sets that take weights as they are: [n, k] floats. */
gsize altclip_plain_packed_size (const AltclipKernels *kernels, guint n, guint k);
void altclip_plain_pack (const AltclipKernels *kernels, void *packed, guint n, guint k, guint n0,
        const AltclipStoredTensor *weights);

/* Layer norms in single precision, which all sets but the reference share. */
void altclip_norm_rows (const AltclipNorm *norm, const float *x, guint m0, guint m1, float *out);

#if defined(__x86_64__)
extern const AltclipKernels altclip_kernels_avx512;
extern const AltclipKernels altclip_kernels_avx2;
extern const AltclipKernels altclip_kernels_amx;
extern const AltclipKernels altclip_kernels_amx_int8;
extern const AltclipKernels altclip_kernels_avx512bf16;
extern const AltclipKernels altclip_kernels_bf16_avx512;
extern const AltclipKernels altclip_kernels_bf16_avx2;
extern const AltclipKernels altclip_kernels_avx512vnni;
extern const AltclipKernels altclip_kernels_avxvnni;
extern const AltclipKernels altclip_kernels_int8_avx2;
#elif defined(__aarch64__)
extern const AltclipKernels altclip_kernels_neon;
extern const AltclipKernels altclip_kernels_neonbf16;
extern const AltclipKernels altclip_kernels_bf16_neon;
extern const AltclipKernels altclip_kernels_neoni8mm;
extern const AltclipKernels altclip_kernels_neondotprod;
extern const AltclipKernels altclip_kernels_int8_neon;
#endif
extern const AltclipKernels altclip_kernels_int8_plain;
extern const AltclipKernels altclip_kernels_bf16_plain;
extern const AltclipKernels altclip_kernels_reference;
extern const AltclipKernels altclip_kernels_openblas;

/* A product that a model will ask for: [m, k] · [n, k]ᵀ. */
typedef struct {
    guint m;
    guint n;
    guint k;
} AltclipProductShape;

/* An attention that a model will ask for, of one sequence. */
typedef struct {
    guint rows;
    guint width;
    guint n_heads;
    AltclipPositions positions;
} AltclipAttentionShape;

/* What a model will ask of its kernels. */
typedef struct {
    const AltclipProductShape *products; /* [n_products] */
    gsize n_products;
    AltclipAttentionShape attention;
} AltclipKernelShapes;

/* Returns: (transfer none) (array length=n): every set there is for this architecture, in the order
 * in which those of a precision are tried; some may need another CPU. */
const AltclipKernels *const *altclip_kernels_list (gsize *n);

/**
 * altclip_kernels_choose:
 * @name: (nullable): a set by name; %NULL: that of the environment variable `ALTCLIP_KERNELS`. It
 *     counts when it computes in @precision; else the first of the list does that proves itself
 * @precision: f32, bf16, int8, or auto: that of the first two in which the largest of the products
 * is computed faster here, see trial.h
 * @shapes: the model's own products and attention
 * @cancellable: (nullable): looked at before each product
 * @trial: (out caller-allocated): what the times were; all zero where none was needed
 *
 * A set proves itself, see altclip_kernels_prove(). One that does not is passed over with a
 * warning, or is an error when it was asked for by name. An OpenBLAS that is refused gets a warning
 * whichever set serves.
 *
 * Returns: (transfer none) (nullable): the set
 */
const AltclipKernels *altclip_kernels_choose (const char *name, AltclipPrecision precision,
        const AltclipKernelShapes *shapes, GCancellable *cancellable, AltclipTrial *trial,
        GError **error);

/* Times the largest of the products with two sets, see trial.h. Returns: (transfer none)
 * (nullable): the faster one; %NULL when cancelled */
const AltclipKernels *altclip_kernels_find_faster (const AltclipKernels *kernels,
        const AltclipKernels *other, const AltclipKernelShapes *shapes, GCancellable *cancellable,
        AltclipTrial *trial, GError **error);

/* Returns: (transfer none): the set that altclip_kernels_choose() tries first for f32; the
 * reference when nothing can run. */
const AltclipKernels *altclip_kernels_expect (const char *name);

/**
 * altclip_linear_init:
 * @weights: (array length=n_parts): stored [rows, k], stacked to the layer's rows
 * @biases: (array length=n_parts) (nullable): stored [rows] likewise
 *
 * Packs a linear layer, and lets go of the stored pages.
 */
void altclip_linear_init (AltclipLinear *linear, const AltclipKernels *kernels,
        const AltclipStoredTensor *const *weights, const AltclipStoredTensor *const *biases,
        guint n_parts);

/**
 * altclip_linear_init_normed:
 * @norm: (inout): the layer norm that the layer's input comes from
 *
 * As altclip_linear_init(), with the norm's gains γ and biases β in the layer, where they need no
 * bits of the input: W·(γ∘x + β) + b is (W∘γ)·x + (W·β + b). They are 1 and 0 then in @norm.
 */
void altclip_linear_init_normed (AltclipLinear *linear, const AltclipKernels *kernels,
        AltclipNorm *norm, const AltclipStoredTensor *const *weights,
        const AltclipStoredTensor *const *biases, guint n_parts);
void altclip_linear_clear (AltclipLinear *linear);

/* Returns: (transfer full): all of @x [m, k] as @kernels take it, or a copy; free with
 * altclip_aligned_free(). */
float *altclip_kernels_prepare (const AltclipKernels *kernels, const float *x, guint m, guint k);

/* Returns: bytes of the packed weights. */
gsize altclip_linear_get_size (const AltclipLinear *linear);

void altclip_norm_init (AltclipNorm *norm, const AltclipStoredTensor *gamma,
        const AltclipStoredTensor *beta, double epsilon);
void altclip_norm_clear (AltclipNorm *norm);

/* Returns: (transfer full): memory for floats or packed weights, on a cache line's boundary and
 * zeroed; free with altclip_aligned_free(). */
void *altclip_aligned_alloc (gsize n_bytes);
void altclip_aligned_free (void *memory);

G_END_DECLS

#endif /* ALTCLIP_KERNELS_H */
