/* altclip: the weights of a model directory, by name
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "file.h"
#include "name_hash.h"
#include "safetensors.h"
#include "quantised.h"
#include "shards.h"
#include "state_dict.h"
#include "weights.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct _AltclipWeights {
    char *path;
    GPtrArray *files;    /* of AltclipWeightsFile */
    GHashTable *by_name; /* canonical name → Entry */
};

typedef struct {
    AltclipStoredTensor *tensor;
    const char *path; /* of its file */
    gboolean required;
} Entry;

/* What a directory may hold, in the reference's order. */
static const struct {
    const char *name;
    gboolean is_index;
    AltclipTensorFileParser parse;
} FORMS[] = {
    { "model.safetensors", FALSE, altclip_safetensors_parse },
    { "model.safetensors.index.json", TRUE, altclip_safetensors_parse },
    { "pytorch_model.bin", FALSE, altclip_state_dict_parse },
    { "pytorch_model.bin.index.json", TRUE, altclip_state_dict_parse },
};

/* ---- Files ----------------------------------------------------------------------------------- */

static void
weights_file_free (gpointer data)
{
    AltclipWeightsFile *file = data;

    altclip_tensor_file_free (file->tensors);
    g_free (file);
}

/* A file that was fetched without Git LFS is a few lines that point to the real one. */
static gboolean
check_not_pointer (const char *path, GBytes *bytes, GError **error)
{
    static const char START[] = "version https://git-lfs.github.com/spec/";
    gsize n;
    const char *contents = g_bytes_get_data (bytes, &n);

    if (n < strlen (START) || memcmp (contents, START, strlen (START)) != 0)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
            "%s: a Git LFS pointer of %" G_GSIZE_FORMAT
            " bytes instead of the file; fetch the file with 'git lfs pull'",
            path, n);
    return FALSE;
}

/* The outline lies in many small pieces in some formats, and later a tower may never be needed:
 * without MADV_RANDOM the kernel would read what is around each page. What it maps around the
 * outline's is let go. */
static AltclipTensorFile *
parse_mapped (const char *path, GBytes *bytes, AltclipTensorFileParser parse, GError **error)
{
    gsize n;
    gconstpointer data = g_bytes_get_data (bytes, &n);
    AltclipTensorFile *file;

    madvise ((gpointer)data, n, MADV_RANDOM);
    file = check_not_pointer (path, bytes, error) ? parse (path, bytes, error) : NULL;
    madvise ((gpointer)data, n, MADV_DONTNEED);
    return file;
}

static AltclipTensorFile *
open_file (AltclipWeights *weights, const char *path, AltclipTensorFileParser parse, GError **error)
{
    g_autoptr (GBytes) bytes = NULL;
    AltclipFileIdentity identity;
    AltclipTensorFile *tensors;
    AltclipWeightsFile *file;

    bytes = altclip_file_map (path, &identity, error);
    if (!bytes)
        return NULL;
    tensors = parse_mapped (path, bytes, parse, error);
    if (!tensors)
        return NULL;
    file = g_new (AltclipWeightsFile, 1);
    file->tensors = tensors;
    file->identity = identity;
    g_ptr_array_add (weights->files, file);
    return tensors;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static gboolean
add_tensor (AltclipWeights *weights, const AltclipTensorFile *file, AltclipStoredTensor *tensor,
        GError **error)
{
    g_autofree char *name = altclip_tensor_name_to_canonical (tensor->name);
    const Entry *other;
    Entry *entry;

    if (!name) {
        g_debug ("%s: tensor '%s' is none of AltCLIP's: ignored", file->path, tensor->name);
        return TRUE;
    }
    other = g_hash_table_lookup (weights->by_name, name);
    if (other) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensors '%s' and '%s' are both '%s'", weights->path, other->tensor->name,
                tensor->name, name);
        return FALSE;
    }
    entry = g_new0 (Entry, 1);
    entry->tensor = tensor;
    entry->path = file->path;
    g_hash_table_insert (weights->by_name, g_steal_pointer (&name), entry);
    return TRUE;
}

static gboolean
open_whole (AltclipWeights *weights, AltclipTensorFileParser parse, GError **error)
{
    const AltclipTensorFile *file = open_file (weights, weights->path, parse, error);

    if (!file)
        return FALSE;
    for (guint i = 0; i < file->tensors->len; i++) {
        if (!add_tensor (weights, file, g_ptr_array_index (file->tensors, i), error))
            return FALSE;
    }
    return TRUE;
}

/* ---- Shards ---------------------------------------------------------------------------------- */

/* Adds the tensors that the index says are in this shard, and takes them out of @missing. */
static gboolean
add_shard (AltclipWeights *weights, const AltclipShards *shards, const char *shard,
        const AltclipTensorFile *file, GHashTable *missing, GError **error)
{
    for (guint i = 0; i < file->tensors->len; i++) {
        AltclipStoredTensor *tensor = g_ptr_array_index (file->tensors, i);
        const char *listed = g_hash_table_lookup (shards->shard_of, tensor->name);

        if (!listed) {
            g_debug ("%s: tensor '%s' is not in the index: ignored", file->path, tensor->name);
            continue;
        }
        if (listed != shard) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                    "%s: tensor '%s' is listed in '%s', but '%s' holds it too", weights->path,
                    tensor->name, listed, shard);
            return FALSE;
        }
        if (!add_tensor (weights, file, tensor, error))
            return FALSE;
        g_hash_table_remove (missing, tensor->name);
    }
    return TRUE;
}

/* Of several the first by name: the table has no order. */
static gboolean
check_all_found (const AltclipShards *shards, GHashTable *missing, GError **error)
{
    const char *first = NULL;
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init (&iter, missing);
    while (g_hash_table_iter_next (&iter, &name, NULL)) {
        if (!first || strcmp (name, first) < 0)
            first = name;
    }
    if (!first)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
            "%s: tensor '%s' is listed in '%s', but is not there", shards->path, first,
            (char *)g_hash_table_lookup (shards->shard_of, first));
    return FALSE;
}

static GHashTable *
list_names (const AltclipShards *shards)
{
    GHashTable *names = g_hash_table_new (altclip_name_hash, g_str_equal);
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init (&iter, shards->shard_of);
    while (g_hash_table_iter_next (&iter, &name, NULL))
        g_hash_table_add (names, name);
    return names;
}

static gboolean
open_shards (AltclipWeights *weights, AltclipTensorFileParser parse, GError **error)
{
    g_autoptr (AltclipShards) shards = altclip_shards_open (weights->path, error);
    g_autofree char *directory = g_path_get_dirname (weights->path);
    g_autoptr (GHashTable) missing = NULL;

    if (!shards)
        return FALSE;
    missing = list_names (shards);
    for (guint i = 0; i < shards->names->len; i++) {
        const char *shard = g_ptr_array_index (shards->names, i);
        g_autofree char *path = g_build_filename (directory, shard, NULL);
        const AltclipTensorFile *file = open_file (weights, path, parse, error);

        if (!file || !add_shard (weights, shards, shard, file, missing, error))
            return FALSE;
    }
    return check_all_found (shards, missing, error);
}

/* ---- 8-bit integers -------------------------------------------------------------------------- */

#define STEPS_SUFFIX "_scale"

/* Returns: (nullable): the tensor of the steps of matrix @name */
static Entry *
find_steps (AltclipWeights *weights, const char *name)
{
    g_autofree char *steps_name = g_strconcat (name, STEPS_SUFFIX, NULL);

    return g_hash_table_lookup (weights->by_name, steps_name);
}

static gboolean
is_plain_matrix (const AltclipStoredTensor *tensor)
{
    return tensor->n_dims == 2 && !tensor->is_strided;
}

/* Gives integers the steps of their rows, which are a tensor of their own. Others stay without, and
 * nobody gets them: see check_steps(). */
static void
join_steps (AltclipWeights *weights)
{
    GHashTableIter iter;
    gpointer name;
    gpointer value;

    g_hash_table_iter_init (&iter, weights->by_name);
    while (g_hash_table_iter_next (&iter, &name, &value)) {
        AltclipStoredTensor *tensor = ((Entry *)value)->tensor;
        Entry *steps;

        if (tensor->dtype != ALTCLIP_DTYPE_I8 || !is_plain_matrix (tensor))
            continue;
        steps = find_steps (weights, name);
        if (!steps || steps->tensor->dtype != ALTCLIP_DTYPE_F32 || steps->tensor->n_dims != 1 ||
                steps->tensor->dims[0] != tensor->dims[0] || steps->tensor->is_strided)
            continue;
        tensor->steps = steps->tensor->data;
        steps->required = TRUE;
    }
}

static gboolean
check_pairs (const Entry *entry, const char *name, GError **error)
{
    const AltclipStoredTensor *tensor = entry->tensor;
    guint columns = (guint)tensor->dims[1];

    for (guint64 row = 0; row < tensor->dims[0]; row++) {
        const gint8 *numbers = (const gint8 *)tensor->data + row * columns;
        guint first = altclip_find_large_pair (numbers, columns);

        if (first == columns)
            continue;
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s' holds %d and %d side by side in row %" G_GUINT64_FORMAT
                ", column %u, but two such must not be more than %d together, without their signs",
                entry->path, name, numbers[first], numbers[first + 1], row, first,
                ALTCLIP_QUANTISED_MAX_PAIR);
        return FALSE;
    }
    return TRUE;
}

/* Of integers. */
static gboolean
check_steps (AltclipWeights *weights, const Entry *entry, const char *name, GError **error)
{
    const AltclipStoredTensor *tensor = entry->tensor;

    if (!is_plain_matrix (tensor)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s' is of 8-bit integers, which only a matrix in row-major order may "
                "be",
                entry->path, name);
        return FALSE;
    }
    if (!tensor->steps) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s' is of 8-bit integers, without a tensor '%s" STEPS_SUFFIX
                "' that has a float32 for each of its rows",
                entry->path, name, name);
        return FALSE;
    }
    for (guint64 row = 0; row < tensor->dims[0]; row++) {
        float step = altclip_stored_tensor_get_step (tensor, row);

        if (step >= 0.0f && isfinite (step))
            continue;
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s" STEPS_SUFFIX "' holds %g for row %" G_GUINT64_FORMAT
                ", but must hold finite numbers that are not negative",
                find_steps (weights, name)->path, name, step, row);
        return FALSE;
    }
    return check_pairs (entry, name, error);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void
set_no_weights (const char *directory, GError **error)
{
    g_autoptr (GString) names = g_string_new (NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (FORMS); i++)
        g_string_append_printf (names, "%s%s", i ? ", " : "", FORMS[i].name);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: holds no weights: none of %s",
            directory, names->str);
}

/* @form: (out): number of the path's form. Returns: as for altclip_weights_find_file() */
static char *
find_form (const char *directory, gsize *form)
{
    for (*form = 0; *form < G_N_ELEMENTS (FORMS); (*form)++) {
        g_autofree char *path = g_build_filename (directory, FORMS[*form].name, NULL);

        if (altclip_file_is_there (path))
            return g_steal_pointer (&path);
    }
    return NULL;
}

char *
altclip_weights_find_file (const char *directory)
{
    gsize form;

    return find_form (directory, &form);
}

AltclipWeights *
altclip_weights_open (const char *directory, GError **error)
{
    g_autoptr (AltclipWeights) weights = g_new0 (AltclipWeights, 1);
    gsize form;
    gboolean ok;

    weights->files = g_ptr_array_new_with_free_func (weights_file_free);
    weights->by_name = g_hash_table_new_full (altclip_name_hash, g_str_equal, g_free, g_free);
    weights->path = find_form (directory, &form);
    if (!weights->path) {
        set_no_weights (directory, error);
        return NULL;
    }
    ok = FORMS[form].is_index ? open_shards (weights, FORMS[form].parse, error)
                              : open_whole (weights, FORMS[form].parse, error);
    if (ok)
        join_steps (weights);
    return ok ? g_steal_pointer (&weights) : NULL;
}

void
altclip_weights_close (AltclipWeights *weights)
{
    if (!weights)
        return;
    g_hash_table_unref (weights->by_name);
    g_ptr_array_unref (weights->files);
    g_free (weights->path);
    g_free (weights);
}

const char *
altclip_weights_get_path (AltclipWeights *weights)
{
    return weights->path;
}

const GPtrArray *
altclip_weights_get_files (AltclipWeights *weights)
{
    return weights->files;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

const AltclipStoredTensor *
altclip_weights_find (AltclipWeights *weights, const char *name)
{
    Entry *entry = g_hash_table_lookup (weights->by_name, name);

    return entry ? entry->tensor : NULL;
}

gboolean
altclip_weights_contain (AltclipWeights *weights, const char *name)
{
    return altclip_weights_find (weights, name) != NULL;
}

gboolean
altclip_weights_contain_any (AltclipWeights *weights, const char *prefix)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init (&iter, weights->by_name);
    while (g_hash_table_iter_next (&iter, &name, NULL)) {
        if (g_str_has_prefix (name, prefix))
            return TRUE;
    }
    return FALSE;
}

void
altclip_weights_log_unused (AltclipWeights *weights, const char *prefix)
{
    GHashTableIter iter;
    gpointer name;
    gpointer value;

    g_hash_table_iter_init (&iter, weights->by_name);
    while (g_hash_table_iter_next (&iter, &name, &value)) {
        const Entry *entry = value;

        if (!entry->required && g_str_has_prefix (name, prefix))
            g_debug ("%s: tensor '%s' is not needed: ignored", entry->path, entry->tensor->name);
    }
}

const AltclipStoredTensor *
altclip_weights_require (AltclipWeights *weights, GError **error, const char *name,
        const char *meaning, guint n_dims, ...)
{
    Entry *entry = g_hash_table_lookup (weights->by_name, name);
    const AltclipStoredTensor *tensor;
    guint64 dims[ALTCLIP_TENSOR_MAX_DIMS];
    gboolean same;
    va_list list;

    g_assert (n_dims <= ALTCLIP_TENSOR_MAX_DIMS);
    if (!entry) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR, "%s: tensor '%s' is missing",
                weights->path, name);
        return NULL;
    }
    entry->required = TRUE;
    tensor = entry->tensor;
    same = tensor->n_dims == n_dims;
    va_start (list, n_dims);
    for (guint i = 0; i < n_dims; i++) {
        dims[i] = va_arg (list, guint64);
        same = same && tensor->dims[i] == dims[i];
    }
    va_end (list);
    if (!same) {
        g_autofree char *found = altclip_shape_to_string (tensor->dims, tensor->n_dims);
        g_autofree char *expected = altclip_shape_to_string (dims, n_dims);
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s' has shape %s, but config.json asks for %s (%s)", entry->path, name,
                found, expected, meaning);
        return NULL;
    }
    if (tensor->dtype == ALTCLIP_DTYPE_I8 && !check_steps (weights, entry, name, error))
        return NULL;
    if (tensor->dtype == ALTCLIP_DTYPE_OTHER) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor '%s' is not of a floating-point type (float32, float16, bfloat16 or "
                "float64)",
                entry->path, name);
        return NULL;
    }
    return tensor;
}

gboolean
altclip_weights_require_pair (AltclipWeights *weights, const char *name, const char *rows_meaning,
        guint64 rows, const char *columns_meaning, guint64 columns,
        const AltclipStoredTensor *pair[2], GError **error)
{
    g_autofree char *weight = g_strconcat (name, ".weight", NULL);
    g_autofree char *bias = g_strconcat (name, ".bias", NULL);

    if (columns == 0) {
        pair[0] = altclip_weights_require (weights, error, weight, rows_meaning, 1, rows);
    } else {
        g_autofree char *meaning = g_strdup_printf ("%s × %s", rows_meaning, columns_meaning);
        pair[0] = altclip_weights_require (weights, error, weight, meaning, 2, rows, columns);
    }
    if (!pair[0])
        return FALSE;
    pair[1] = altclip_weights_require (weights, error, bias, rows_meaning, 1, rows);
    return pair[1] != NULL;
}

static gsize
get_page_size (void)
{
    return (gsize)sysconf (_SC_PAGESIZE);
}

/* The kernel reads no more at a call than its read-ahead, 128 KiB unless somebody set it. Without
 * this, pages that are not in memory would be read one by one: see parse_mapped(). */
#define PREFETCH_BYTES (128 * 1024)

void
altclip_weights_prefetch (const AltclipStoredTensor *tensor)
{
    gsize page = get_page_size ();
    gsize begin = (gsize)tensor->data / page * page;
    gsize end = (gsize)tensor->data + tensor->n_bytes;

    for (gsize at = begin; at < end; at += PREFETCH_BYTES)
        madvise ((void *)at, MIN (PREFETCH_BYTES, end - at), MADV_WILLNEED);
}

/* An older kernel knows no MADV_POPULATE_READ, and maps pages as they are touched. */
void
altclip_weights_map (const AltclipStoredTensor *tensor)
{
#ifdef MADV_POPULATE_READ
    gsize page = get_page_size ();
    gsize begin = (gsize)tensor->data / page * page;

    madvise ((void *)begin, (gsize)tensor->data + tensor->n_bytes - begin, MADV_POPULATE_READ);
#else
    (void)tensor;
#endif
}

/* Only whole pages: the ones at both ends may belong to neighbours. The mapping is private and
 * never written to, so nothing is lost, whoever else looks at the same pages: a tensor that shares
 * them finds them in the page cache. */
void
altclip_weights_release (const AltclipStoredTensor *tensor)
{
    gsize page = get_page_size ();
    gsize begin = ((gsize)tensor->data + page - 1) / page * page;
    gsize end = ((gsize)tensor->data + tensor->n_bytes) / page * page;

    if (begin < end)
        madvise ((void *)begin, end - begin, MADV_DONTNEED);
}
