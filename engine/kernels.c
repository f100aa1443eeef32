/* altclip: choosing a kernel set, and layers packed for one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "kernels.h"
#include "proof.h"
#include "trial.h"
#include "weights.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CACHE_LINE 64

/* Of each precision in the order of preference, the last of which can run anywhere. */
static const AltclipKernels *const KERNELS[] = {
#if defined(__x86_64__)
    &altclip_kernels_avx512,
    &altclip_kernels_avx2,
    &altclip_kernels_amx,
    &altclip_kernels_avx512bf16,
    &altclip_kernels_bf16_avx512,
    &altclip_kernels_bf16_avx2,
    &altclip_kernels_amx_int8,
    &altclip_kernels_avx512vnni,
    &altclip_kernels_avxvnni,
    &altclip_kernels_int8_avx2,
#elif defined(__aarch64__)
    &altclip_kernels_neon,
    &altclip_kernels_neonbf16,
    &altclip_kernels_bf16_neon,
    &altclip_kernels_neoni8mm,
    &altclip_kernels_neondotprod,
    &altclip_kernels_int8_neon,
#endif
    &altclip_kernels_bf16_plain,
    &altclip_kernels_int8_plain,
    &altclip_kernels_openblas,
    &altclip_kernels_reference,
};

/* ---- Memory ---------------------------------------------------------------------------------- */

#define HUGE_PAGE (2 * 1024 * 1024)

/* Stands before each block, and keeps it on a cache line's boundary. */
typedef union {
    gsize n_mapped; /* bytes of the block, a mapping of its own; 0: it is from aligned_alloc() */
    guint8 line[CACHE_LINE];
} BlockHeader;

/* Large blocks come straight from the system: zeroed already, in huge pages where there are any,
 * and given back whole, so that a model's memory is what its weights take. The block begins with a
 * huge page; the page before it holds the header. */
static void *
map_block (gsize n_bytes)
{
    gsize page = (gsize)sysconf (_SC_PAGESIZE);
    gsize total = n_bytes + HUGE_PAGE + page;
    guint8 *mapping =
            mmap (NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    guint8 *block;
    guint8 *end;

    if (mapping == MAP_FAILED)
        return NULL;
    block = mapping + page + (HUGE_PAGE - ((gsize)mapping + page) % HUGE_PAGE) % HUGE_PAGE;
    end = block + (n_bytes + page - 1) / page * page;
    if (block - page > mapping)
        munmap (mapping, (gsize)(block - page - mapping));
    if (mapping + total > end)
        munmap (end, (gsize)(mapping + total - end));
    madvise (block, n_bytes, MADV_HUGEPAGE);
    ((BlockHeader *)(void *)block - 1)->n_mapped = n_bytes;
    return block;
}

static void *
allocate_block (gsize n_bytes)
{
    gsize total = (n_bytes + 2 * CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    BlockHeader *header = aligned_alloc (CACHE_LINE, total);

    return header ? (BlockHeader *)memset (header, 0, total) + 1 : NULL;
}

void *
altclip_aligned_alloc (gsize n_bytes)
{
    void *block = n_bytes >= HUGE_PAGE ? map_block (n_bytes) : allocate_block (MAX (n_bytes, 1));

    if (!block)
        g_error ("altclip: out of memory (%" G_GSIZE_FORMAT " bytes)", n_bytes);
    return block;
}

void
altclip_aligned_free (void *memory)
{
    BlockHeader *header = memory;
    gsize page = (gsize)sysconf (_SC_PAGESIZE);

    if (!header)
        return;
    header--;
    if (header->n_mapped)
        munmap ((guint8 *)memory - page, page + header->n_mapped);
    else
        free (header);
}

/* ---- The plain layout ------------------------------------------------------------------------ */

gsize
altclip_plain_packed_size (G_GNUC_UNUSED const AltclipKernels *kernels, guint n, guint k)
{
    return (gsize)n * k * sizeof (float);
}

void
altclip_plain_pack (G_GNUC_UNUSED const AltclipKernels *kernels, void *packed,
        G_GNUC_UNUSED guint n, guint k, guint n0, const AltclipStoredTensor *weights)
{
    altclip_stored_tensor_read (weights, 0, weights->n_elements, (float *)packed + (gsize)n0 * k);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

/* Stored bytes that are packed at a time: mapped pages count as the process's memory, of each
 * thread that packs. */
#define PACK_BYTES (1024 * 1024)

/* Rows that are packed at a time are a multiple of this, and of every kernel's block. */
#define PACK_GRAIN 64

/* Sums that are added to in turns, so that none waits for the one before it. */
#define N_SUMS 8

/* Returns: the sum of the products of @weights [k] and @beta [k], and multiplies the former by
 * @gamma [k] */
static double
fold_row (float *weights, const float *gamma, const float *beta, guint k)
{
    double sums[N_SUMS] = { 0.0 };
    guint whole = k / N_SUMS * N_SUMS;
    double sum = 0.0;

    for (guint i = 0; i < whole; i += N_SUMS)
        for (guint j = 0; j < N_SUMS; j++)
            sums[j] += (double)weights[i + j] * (double)beta[i + j];
    for (guint i = whole; i < k; i++)
        sum += (double)weights[i] * (double)beta[i];
    for (guint j = 0; j < N_SUMS; j++)
        sum += sums[j];
    for (guint i = 0; i < k; i++)
        weights[i] *= gamma[i];
    return sum;
}

/* Rows n0 … of W∘γ to be packed, and of W·β added to the bias. */
static void
pack_normed (
        AltclipLinear *linear, guint n0, const AltclipNorm *norm, const AltclipStoredTensor *rows)
{
    float *weights = altclip_aligned_alloc (rows->n_elements * sizeof (float));
    AltclipStoredTensor normed =
            altclip_stored_tensor_of_matrix (weights, (guint)rows->dims[0], linear->k);

    altclip_stored_tensor_read (rows, 0, rows->n_elements, weights);
    for (gsize row = 0; row < rows->dims[0]; row++) {
        double bias = fold_row (weights + row * linear->k, norm->gamma, norm->beta, linear->k);

        linear->bias[n0 + row] = (float)(linear->bias[n0 + row] + bias);
    }
    linear->kernels->pack (linear->kernels, linear->packed, linear->n, linear->k, n0, &normed);
    altclip_aligned_free (weights);
}

/* @norm: (nullable): whose gains go into the rows */
static void
pack_rows (
        AltclipLinear *linear, guint n0, const AltclipNorm *norm, const AltclipStoredTensor *rows)
{
    altclip_weights_map (rows);
    if (norm)
        pack_normed (linear, n0, norm, rows);
    else
        linear->kernels->pack (linear->kernels, linear->packed, linear->n, linear->k, n0, rows);
    altclip_weights_release (rows);
}

static void
pack_part (AltclipLinear *linear, guint n0, const AltclipNorm *norm,
        const AltclipStoredTensor *weights)
{
    guint n_rows = (guint)weights->dims[0];
    gsize row_bytes = weights->n_bytes / n_rows;
    guint n_chunk = (guint)(PACK_BYTES / row_bytes) / PACK_GRAIN * PACK_GRAIN;
    AltclipStoredTensor rows = *weights;

    altclip_weights_prefetch (weights);
    if (weights->is_strided) {
        pack_rows (linear, n0, norm, weights);
        return;
    }
    for (guint first = 0; first < n_rows; first += (guint)rows.dims[0]) {
        rows.dims[0] = MIN (MAX (n_chunk, PACK_GRAIN), n_rows - first);
        rows.n_elements = rows.dims[0] * linear->k;
        rows.data = weights->data + first * row_bytes;
        if (weights->steps)
            rows.steps = weights->steps + first * sizeof (float);
        rows.n_bytes = (gsize)rows.dims[0] * row_bytes;
        pack_rows (linear, n0 + first, norm, &rows);
    }
}

/* @norm: (nullable): whose gains go into the layer */
static void
pack_parts (AltclipLinear *linear, const AltclipKernels *kernels, const AltclipNorm *norm,
        const AltclipStoredTensor *const *weights, const AltclipStoredTensor *const *biases,
        guint n_parts)
{
    guint n0 = 0;

    linear->kernels = kernels;
    linear->k = (guint)(weights[0]->n_elements / weights[0]->dims[0]);
    linear->n = 0;
    for (guint i = 0; i < n_parts; i++)
        linear->n += (guint)weights[i]->dims[0];
    linear->packed = altclip_aligned_alloc (kernels->packed_size (kernels, linear->n, linear->k));
    linear->bias = biases || norm ? altclip_aligned_alloc (linear->n * sizeof (float)) : NULL;
    linear->has_gains = FALSE;
    for (guint i = 0; i < n_parts; i++) {
        guint rows = (guint)weights[i]->dims[0];

        if (biases)
            altclip_stored_tensor_read (biases[i], 0, rows, linear->bias + n0);
        pack_part (linear, n0, norm, weights[i]);
        n0 += rows;
    }
}

void
altclip_linear_init (AltclipLinear *linear, const AltclipKernels *kernels,
        const AltclipStoredTensor *const *weights, const AltclipStoredTensor *const *biases,
        guint n_parts)
{
    pack_parts (linear, kernels, NULL, weights, biases, n_parts);
}

static gboolean
norm_is_plain (const AltclipNorm *norm)
{
    for (guint i = 0; i < norm->width; i++) {
        if (norm->gamma[i] != 1.0f || norm->beta[i] != 0.0f)
            return FALSE;
    }
    return TRUE;
}

void
altclip_linear_init_normed (AltclipLinear *linear, const AltclipKernels *kernels, AltclipNorm *norm,
        const AltclipStoredTensor *const *weights, const AltclipStoredTensor *const *biases,
        guint n_parts)
{
    pack_parts (linear, kernels, norm_is_plain (norm) ? NULL : norm, weights, biases, n_parts);
    linear->has_gains = TRUE;
    for (guint i = 0; i < norm->width; i++) {
        norm->gamma[i] = 1.0f;
        norm->beta[i] = 0.0f;
    }
}

void
altclip_linear_clear (AltclipLinear *linear)
{
    g_clear_pointer (&linear->packed, altclip_aligned_free);
    g_clear_pointer (&linear->bias, altclip_aligned_free);
}

float *
altclip_kernels_prepare (const AltclipKernels *kernels, const float *x, guint m, guint k)
{
    gsize n = kernels->prepare ? kernels->prepared_size (kernels, m, k) : (gsize)m * k;
    float *prepared = altclip_aligned_alloc (n * sizeof (float));

    if (kernels->prepare)
        kernels->prepare (kernels, x, m, k, 0, m, prepared);
    else if (n > 0)
        memcpy (prepared, x, n * sizeof (float));
    return prepared;
}

gsize
altclip_linear_get_size (const AltclipLinear *linear)
{
    return linear->packed ? linear->kernels->packed_size (linear->kernels, linear->n, linear->k)
                          : 0;
}

void
altclip_norm_init (AltclipNorm *norm, const AltclipStoredTensor *gamma,
        const AltclipStoredTensor *beta, double epsilon)
{
    norm->width = (guint)gamma->dims[0];
    norm->epsilon = epsilon;
    norm->gamma = altclip_aligned_alloc (norm->width * sizeof (float));
    norm->beta = altclip_aligned_alloc (norm->width * sizeof (float));
    altclip_stored_tensor_read (gamma, 0, norm->width, norm->gamma);
    altclip_stored_tensor_read (beta, 0, norm->width, norm->beta);
}

void
altclip_norm_clear (AltclipNorm *norm)
{
    g_clear_pointer (&norm->gamma, altclip_aligned_free);
    g_clear_pointer (&norm->beta, altclip_aligned_free);
}

/* ---- Attention ------------------------------------------------------------------------------- */

AltclipHead
altclip_attention_get_head (const AltclipAttention *attention, guint number)
{
    const AltclipSequences *sequences = attention->sequences;
    guint s = number / attention->n_heads;
    guint head_size = attention->width / attention->n_heads;
    gsize column = (gsize)(number % attention->n_heads) * head_size;
    gsize width = attention->width;
    gsize first = sequences->offsets[s];
    gsize longest = sequences->longest;
    const float *queries = attention->qkv + first * 3 * width + column;

    return (AltclipHead){
        .queries = queries,
        .keys = queries + width,
        .values = queries + 2 * width,
        .stride = 3 * width,
        .head_size = head_size,
        .rows = sequences->offsets[s + 1] - sequences->offsets[s],
        .n_keys = sequences->n_attended[s],
        .mask = sequences->mask ? sequences->mask + first : NULL,
        .out = attention->out + first * width + column,
        .out_stride = width,
        .probabilities = attention->probabilities
                                 ? attention->probabilities + number * longest * longest
                                 : NULL,
        .probabilities_stride = longest,
    };
}

/* ---- Precision ------------------------------------------------------------------------------- */

static const char *const PRECISIONS[] = {
    [ALTCLIP_PRECISION_AUTO] = "auto",
    [ALTCLIP_PRECISION_F32] = "f32",
    [ALTCLIP_PRECISION_BF16] = "bf16",
    [ALTCLIP_PRECISION_INT8] = "int8",
};

gboolean
altclip_precision_from_name (const char *name, AltclipPrecision *precision)
{
    for (gsize i = 0; i < G_N_ELEMENTS (PRECISIONS); i++) {
        if (strcmp (name, PRECISIONS[i]) == 0) {
            *precision = (AltclipPrecision)i;
            return TRUE;
        }
    }
    return FALSE;
}

const char *
altclip_precision_get_name (AltclipPrecision precision)
{
    g_return_val_if_fail ((gsize)precision < G_N_ELEMENTS (PRECISIONS), NULL);

    return PRECISIONS[precision];
}

/* ---- Choice ---------------------------------------------------------------------------------- */

const AltclipKernels *const *
altclip_kernels_list (gsize *n)
{
    *n = G_N_ELEMENTS (KERNELS);
    return KERNELS;
}

/* Returns: (nullable): what was asked for, by the program or by the environment */
static const char *
find_name (const char *name)
{
    if (!name)
        name = g_getenv ("ALTCLIP_KERNELS");
    return name && *name ? name : NULL;
}

/* Returns: (nullable): the set of that name */
static const AltclipKernels *
find_by_name (const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS (KERNELS); i++) {
        if (strcmp (KERNELS[i]->name, name) == 0)
            return KERNELS[i];
    }
    return NULL;
}

const AltclipKernels *
altclip_kernels_expect (const char *name)
{
    const char *wanted = find_name (name);
    const AltclipKernels *named = wanted ? find_by_name (wanted) : NULL;

    if (named && named->precision == ALTCLIP_PRECISION_F32 && named->probe (NULL))
        return named;
    for (gsize i = 0; i < G_N_ELEMENTS (KERNELS); i++) {
        if (KERNELS[i]->precision == ALTCLIP_PRECISION_F32 && KERNELS[i]->probe (NULL))
            return KERNELS[i];
    }
    return &altclip_kernels_reference;
}

static void
refuse_name (const char *name, GError **error)
{
    g_autoptr (GString) names = g_string_new (NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (KERNELS); i++)
        g_string_append_printf (names, i == 0 ? "'%s'" : ", '%s'", KERNELS[i]->name);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "kernels '%s' are not known; there are %s", name, names->str);
}

/* The reference needs no proof: it is what the proof compares with. */
static gboolean
is_usable (const AltclipKernels *kernels, const AltclipKernelShapes *shapes,
        GCancellable *cancellable, GError **error)
{
    return kernels->probe (error) &&
           (kernels == &altclip_kernels_reference ||
                   altclip_kernels_prove (kernels, shapes, cancellable, error));
}

static const AltclipKernels *
choose_first (AltclipPrecision precision, const AltclipKernelShapes *shapes,
        GCancellable *cancellable, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS (KERNELS); i++) {
        g_autoptr (GError) reason = NULL;

        if (KERNELS[i]->precision != precision || !KERNELS[i]->probe (NULL))
            continue;
        if (is_usable (KERNELS[i], shapes, cancellable, &reason))
            return KERNELS[i];
        if (g_cancellable_set_error_if_cancelled (cancellable, error))
            return NULL;
        g_warning ("%s", reason->message);
    }
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "no kernels of the precision asked for answer right on this CPU");
    return NULL;
}

/* Sets of our own leave to OpenBLAS the attention that they lack: that it is refused matters even
 * where one of them serves. */
static void
warn_if_refused (const AltclipKernels *kernels)
{
    g_autoptr (GError) reason = NULL;

    if (!kernels->probe (&reason))
        g_warning ("%s", reason->message);
}

/* Multiplications of a product below which the clock would decide by chance, and a model is fast
 * enough anyway. The bundled model's largest product has 10 million. */
#define LEAST_TRIED G_GUINT64_CONSTANT (7000000)

/* Returns: (nullable): the set for bf16 that is tried first here */
static const AltclipKernels *
find_bf16 (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (KERNELS); i++) {
        if (KERNELS[i]->precision == ALTCLIP_PRECISION_BF16 && KERNELS[i]->probe (NULL))
            return KERNELS[i];
    }
    return NULL;
}

static guint64
get_work (const AltclipProductShape *shape)
{
    return (guint64)shape->m * shape->n * shape->k;
}

static const AltclipProductShape *
find_largest (const AltclipKernelShapes *shapes)
{
    const AltclipProductShape *largest = &shapes->products[0];

    for (gsize i = 1; i < shapes->n_products; i++) {
        if (get_work (&shapes->products[i]) > get_work (largest))
            largest = &shapes->products[i];
    }
    return largest;
}

const AltclipKernels *
altclip_kernels_find_faster (const AltclipKernels *kernels, const AltclipKernels *other,
        const AltclipKernelShapes *shapes, GCancellable *cancellable, AltclipTrial *trial,
        GError **error)
{
    return altclip_trial_run_product (
            kernels, other, find_largest (shapes), cancellable, trial, error);
}

/* That bf16 is the faster one counts only if it is right. */
static const AltclipKernels *
choose_faster (const AltclipKernelShapes *shapes, GCancellable *cancellable, AltclipTrial *trial,
        GError **error)
{
    const AltclipKernels *f32 = choose_first (ALTCLIP_PRECISION_F32, shapes, cancellable, error);
    const AltclipProductShape *largest = find_largest (shapes);
    const AltclipKernels *bf16;
    const AltclipKernels *faster;
    g_autoptr (GError) reason = NULL;

    /* Before a set is looked for: to look for AMX is to ask the system for it. */
    if (!f32 || get_work (largest) < LEAST_TRIED)
        return f32;
    bf16 = find_bf16 ();
    if (!bf16)
        return f32;
    faster = altclip_trial_run_product (f32, bf16, largest, cancellable, trial, error);
    if (!faster || faster == f32 || is_usable (faster, shapes, cancellable, &reason))
        return faster;
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    g_warning ("%s", reason->message);
    *trial = (AltclipTrial){ 0 };
    return f32;
}

/* Whether a set of @kernels' precision may serve where @wanted was asked for. */
static gboolean
is_of_precision (const AltclipKernels *kernels, AltclipPrecision wanted)
{
    return kernels->precision == wanted ||
           (wanted == ALTCLIP_PRECISION_AUTO && kernels->precision != ALTCLIP_PRECISION_INT8);
}

const AltclipKernels *
altclip_kernels_choose (const char *name, AltclipPrecision precision,
        const AltclipKernelShapes *shapes, GCancellable *cancellable, AltclipTrial *trial,
        GError **error)
{
    const AltclipKernels *named = NULL;

    *trial = (AltclipTrial){ 0 };

    name = find_name (name);
    if (name && !(named = find_by_name (name))) {
        refuse_name (name, error);
        return NULL;
    }
    if (named && !is_of_precision (named, precision))
        named = NULL;
    if (named != &altclip_kernels_openblas)
        warn_if_refused (&altclip_kernels_openblas);
    if (named)
        return is_usable (named, shapes, cancellable, error) ? named : NULL;
    return precision == ALTCLIP_PRECISION_AUTO
                   ? choose_faster (shapes, cancellable, trial, error)
                   : choose_first (precision, shapes, cancellable, error);
}
