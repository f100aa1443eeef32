/* altclip: the safetensors file format
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An 8-byte little-endian length, a JSON object of that length, then the tensors' data. The object
 * maps a name to {"dtype", "shape", "data_offsets": [begin, end]}, offsets counted from the end of
 * the object; "__metadata__" is free text.
 */

#include "bfloat16.h"
#include "excerpt.h"
#include "safetensors.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

/* Elements of a tensor that are made and written at a time. */
#define PART_ELEMENTS ((gsize)256 * 1024)

/* Elements of less than a byte lie packed, without gaps. */
static const struct {
    const char *name;
    guint bits;
    AltclipDtype dtype;
} STORED_DTYPES[] = {
    { "F32", 32, ALTCLIP_DTYPE_F32 },
    { "F16", 16, ALTCLIP_DTYPE_F16 },
    { "BF16", 16, ALTCLIP_DTYPE_BF16 },
    { "F64", 64, ALTCLIP_DTYPE_F64 },
    { "I64", 64, ALTCLIP_DTYPE_OTHER },
    { "I32", 32, ALTCLIP_DTYPE_OTHER },
    { "I16", 16, ALTCLIP_DTYPE_OTHER },
    { "I8", 8, ALTCLIP_DTYPE_I8 },
    { "U64", 64, ALTCLIP_DTYPE_OTHER },
    { "U32", 32, ALTCLIP_DTYPE_OTHER },
    { "U16", 16, ALTCLIP_DTYPE_OTHER },
    { "U8", 8, ALTCLIP_DTYPE_OTHER },
    { "BOOL", 8, ALTCLIP_DTYPE_OTHER },
    { "C64", 64, ALTCLIP_DTYPE_OTHER },
    { "F8_E4M3", 8, ALTCLIP_DTYPE_OTHER },
    { "F8_E5M2", 8, ALTCLIP_DTYPE_OTHER },
    { "F8_E8M0", 8, ALTCLIP_DTYPE_OTHER },
    { "F8_E4M3FNUZ", 8, ALTCLIP_DTYPE_OTHER },
    { "F8_E5M2FNUZ", 8, ALTCLIP_DTYPE_OTHER },
    { "F6_E2M3", 6, ALTCLIP_DTYPE_OTHER },
    { "F6_E3M2", 6, ALTCLIP_DTYPE_OTHER },
    { "F4", 4, ALTCLIP_DTYPE_OTHER },
};

/* ---- Reading --------------------------------------------------------------------------------- */

static gboolean
parse_dtype (
        const char *path, AltclipStoredTensor *tensor, json_t *value, guint *bits, GError **error)
{
    const char *name = json_string_value (value);
    g_autofree char *shown = NULL;

    for (gsize i = 0; name && i < G_N_ELEMENTS (STORED_DTYPES); i++) {
        if (strcmp (name, STORED_DTYPES[i].name) == 0) {
            tensor->dtype = STORED_DTYPES[i].dtype;
            *bits = STORED_DTYPES[i].bits;
            return TRUE;
        }
    }
    shown = altclip_excerpt (name ? name : "(not a string)");
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: tensor '%s': unknown dtype '%s'",
            path, tensor->name, shown);
    return FALSE;
}

static gboolean
parse_shape (const char *path, AltclipStoredTensor *tensor, json_t *shape, GError **error)
{
    if (!json_is_array (shape) || json_array_size (shape) > ALTCLIP_TENSOR_MAX_DIMS) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: tensor '%s': shape is not a list of at most %d numbers", path, tensor->name,
                ALTCLIP_TENSOR_MAX_DIMS);
        return FALSE;
    }
    tensor->n_dims = (guint)json_array_size (shape);
    tensor->n_elements = 1;
    for (guint i = 0; i < tensor->n_dims; i++) {
        json_t *dim = json_array_get (shape, i);
        json_int_t value = json_integer_value (dim);

        if (!json_is_integer (dim) || value < 0 ||
                !g_uint64_checked_mul (&tensor->n_elements, tensor->n_elements, (guint64)value)) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                    "%s: tensor '%s': dimension %u of its shape (%" JSON_INTEGER_FORMAT
                    ") is negative, too large or no integer",
                    path, tensor->name, i, value);
            return FALSE;
        }
        tensor->dims[i] = (guint64)value;
    }
    return TRUE;
}

static gboolean
parse_range (const char *path, AltclipStoredTensor *tensor, json_t *offsets, guint bits,
        const guint8 *data, gsize n_data, GError **error)
{
    json_t *first = json_array_get (offsets, 0);
    json_t *second = json_array_get (offsets, 1);
    json_int_t begin = json_integer_value (first);
    json_int_t end = json_integer_value (second);
    guint64 n_bits;

    if (json_array_size (offsets) != 2 || !json_is_integer (first) || !json_is_integer (second) ||
            begin < 0 || end < begin || (guint64)end > n_data) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: tensor '%s': data_offsets [%" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
                "] do not lie within the file's %" G_GSIZE_FORMAT
                " bytes of data (is the file truncated?)",
                path, tensor->name, begin, end, n_data);
        return FALSE;
    }
    if (!g_uint64_checked_mul (&n_bits, tensor->n_elements, bits) || n_bits % 8 != 0 ||
            n_bits / 8 != (guint64)(end - begin)) {
        g_autofree char *shape = altclip_shape_to_string (tensor->dims, tensor->n_dims);
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: tensor '%s': shape %s of %u-bit elements does not fill its "
                "%" JSON_INTEGER_FORMAT " bytes",
                path, tensor->name, shape, bits, end - begin);
        return FALSE;
    }
    tensor->data = data + begin;
    tensor->n_bytes = (gsize)(end - begin);
    return TRUE;
}

static gboolean
parse_tensor (AltclipTensorFile *file, const char *name, json_t *entry, const guint8 *data,
        gsize n_data, GError **error)
{
    AltclipStoredTensor *tensor = altclip_tensor_file_add (file, name, strlen (name), error);
    guint bits = 0;

    return tensor &&
           parse_dtype (file->path, tensor, json_object_get (entry, "dtype"), &bits, error) &&
           parse_shape (file->path, tensor, json_object_get (entry, "shape"), error) &&
           parse_range (file->path, tensor, json_object_get (entry, "data_offsets"), bits, data,
                   n_data, error);
}

static gint
compare_by_data (gconstpointer a, gconstpointer b)
{
    const AltclipStoredTensor *first = *(AltclipStoredTensor *const *)a;
    const AltclipStoredTensor *second = *(AltclipStoredTensor *const *)b;

    if (first->data != second->data)
        return first->data < second->data ? -1 : 1;
    return (first->n_bytes > second->n_bytes) - (first->n_bytes < second->n_bytes);
}

/* The ranges must cover the data without gap or overlap, so that nothing hides in a file. */
static gboolean
check_coverage (AltclipTensorFile *file, const guint8 *data, gsize n_data, GError **error)
{
    const guint8 *at = data;

    g_ptr_array_sort (file->tensors, compare_by_data);
    for (guint i = 0; i < file->tensors->len; i++) {
        AltclipStoredTensor *tensor = g_ptr_array_index (file->tensors, i);
        if (tensor->data != at) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                    "%s: tensor '%s': its data begin at byte %" G_GSIZE_FORMAT
                    ", where %" G_GSIZE_FORMAT " was expected (overlap or gap)",
                    file->path, tensor->name, (gsize)(tensor->data - data), (gsize)(at - data));
            return FALSE;
        }
        at += tensor->n_bytes;
    }
    if (at != data + n_data) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: %" G_GSIZE_FORMAT " bytes after the last tensor belong to none", file->path,
                (gsize)(data + n_data - at));
        return FALSE;
    }
    return TRUE;
}

static gboolean
parse_header (AltclipTensorFile *file, const char *header, gsize n_header, const guint8 *data,
        gsize n_data, GError **error)
{
    json_error_t json_error;
    json_t *root = json_loadb (header, n_header, JSON_REJECT_DUPLICATES, &json_error);
    const char *name;
    json_t *entry;
    gboolean ok = TRUE;

    if (!json_is_object (root)) {
        g_autofree char *reason = altclip_excerpt (root ? "not a JSON object" : json_error.text);
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: header: %s at byte %d",
                file->path, reason, root ? 0 : json_error.position);
        json_decref (root);
        return FALSE;
    }
    json_object_foreach (root, name, entry)
    {
        if (strcmp (name, "__metadata__") == 0)
            continue;
        ok = parse_tensor (file, name, entry, data, n_data, error);
        if (!ok)
            break;
    }
    json_decref (root);
    return ok && check_coverage (file, data, n_data, error);
}

AltclipTensorFile *
altclip_safetensors_parse (const char *path, GBytes *bytes, GError **error)
{
    g_autoptr (AltclipTensorFile) file = altclip_tensor_file_new (path, bytes);
    gsize length;
    const char *contents = g_bytes_get_data (bytes, &length);
    guint64 n_header;

    if (length < sizeof n_header) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: %" G_GSIZE_FORMAT " bytes are too few for a safetensors file", path, length);
        return NULL;
    }
    memcpy (&n_header, contents, sizeof n_header);
    n_header = GUINT64_FROM_LE (n_header);
    if (n_header > ALTCLIP_SAFETENSORS_MAX_HEADER) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: header length %" G_GUINT64_FORMAT " exceeds the limit of %d bytes", path,
                n_header, ALTCLIP_SAFETENSORS_MAX_HEADER);
        return NULL;
    }
    if (n_header > length - sizeof n_header) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: header length %" G_GUINT64_FORMAT " does not fit the file of %" G_GSIZE_FORMAT
                " bytes (is the file truncated?)",
                path, n_header, length);
        return NULL;
    }
    file->outline = (const guint8 *)contents;
    file->n_outline = sizeof n_header + (gsize)n_header;
    if (!parse_header (file, contents + 8, (gsize)n_header, (const guint8 *)contents + 8 + n_header,
                length - 8 - (gsize)n_header, error))
        return NULL;
    return g_steal_pointer (&file);
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* What is written, and where its elements come from when they are not in memory. */
typedef struct {
    GPtrArray *tensors;
    const AltclipDtype *dtypes; /* (nullable) */
    AltclipTensorFill fill;     /* (nullable) */
    gpointer user_data;
} Contents;

static const AltclipTensor *
contents_get_tensor (const Contents *contents, guint index)
{
    return g_ptr_array_index (contents->tensors, index);
}

/* Of a tensor of floats. */
static AltclipDtype
contents_get_dtype (const Contents *contents, guint index)
{
    return contents->dtypes ? contents->dtypes[index] : ALTCLIP_DTYPE_F32;
}

static const char *
contents_get_dtype_name (const Contents *contents, guint index)
{
    AltclipDtype dtype = contents_get_dtype (contents, index);

    if (contents_get_tensor (contents, index)->is_int64)
        return "I64";
    for (gsize i = 0; i < G_N_ELEMENTS (STORED_DTYPES); i++) {
        if (STORED_DTYPES[i].dtype == dtype)
            return STORED_DTYPES[i].name;
    }
    g_assert_not_reached ();
}

static gsize
contents_get_n_bytes (const Contents *contents, guint index)
{
    const AltclipTensor *tensor = contents_get_tensor (contents, index);
    gsize size = tensor->is_int64 ? sizeof (gint64)
                                  : altclip_dtype_get_size (contents_get_dtype (contents, index));

    return altclip_tensor_get_n_elements (tensor) * size;
}

/* Returns: (transfer full): the header, padded with blanks so that the data are aligned. The
 * reference does not load weights that do not say they are PyTorch's. */
static char *
build_header (const Contents *contents)
{
    json_t *root = json_pack ("{s:{s:s}}", "__metadata__", "format", "pt");
    gsize at = 0;
    char *text;
    GString *padded;

    for (guint i = 0; i < contents->tensors->len; i++) {
        const AltclipTensor *tensor = contents_get_tensor (contents, i);
        json_t *shape = json_array ();
        gsize n_bytes = contents_get_n_bytes (contents, i);

        for (guint d = 0; d < tensor->n_dims; d++)
            json_array_append_new (shape, json_integer ((json_int_t)tensor->dims[d]));
        json_object_set_new (root, tensor->name,
                json_pack ("{s:s, s:o, s:[I, I]}", "dtype", contents_get_dtype_name (contents, i),
                        "shape", shape, "data_offsets", (json_int_t)at,
                        (json_int_t)(at + n_bytes)));
        at += n_bytes;
    }
    text = json_dumps (root, JSON_COMPACT);
    padded = g_string_new (text);
    while (padded->len % 8)
        g_string_append_c (padded, ' ');
    free (text);
    json_decref (root);
    return g_string_free (padded, FALSE);
}

/* @n floats as elements of another type, whose bytes go to @out. */
static void
convert_elements (const float *from, gsize n, AltclipDtype dtype, gpointer out)
{
    double *wide = out;
    gint8 *integers = out;

    if (dtype == ALTCLIP_DTYPE_BF16)
        altclip_bfloat16_round (from, n, out);
    else if (dtype == ALTCLIP_DTYPE_F64)
        for (gsize i = 0; i < n; i++)
            wide[i] = from[i];
    else if (dtype == ALTCLIP_DTYPE_I8)
        for (gsize i = 0; i < n; i++)
            integers[i] = (gint8)from[i];
    else
        memcpy (out, from, n * sizeof *from);
}

/* Makes the tensor's elements part by part. */
static gboolean
write_filled (GOutputStream *stream, const Contents *contents, guint index, GError **error)
{
    AltclipDtype dtype = contents_get_dtype (contents, index);
    gsize n = altclip_tensor_get_n_elements (contents_get_tensor (contents, index));
    gsize size = altclip_dtype_get_size (dtype);
    g_autofree float *part = g_new (float, MIN (n, PART_ELEMENTS));
    g_autofree guint8 *converted = g_malloc (MIN (n, PART_ELEMENTS) * size);

    for (gsize at = 0; at < n; at += PART_ELEMENTS) {
        gsize n_part = MIN (n - at, PART_ELEMENTS);

        contents->fill (contents->user_data, index, at, n_part, part);
        convert_elements (part, n_part, dtype, converted);
        if (!g_output_stream_write_all (stream, converted, n_part * size, NULL, NULL, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_tensor (GOutputStream *stream, const Contents *contents, guint index, GError **error)
{
    if (contents->fill)
        return write_filled (stream, contents, index, error);
    return g_output_stream_write_all (stream, contents_get_tensor (contents, index)->data,
            contents_get_n_bytes (contents, index), NULL, NULL, error);
}

static gboolean
write_all (GOutputStream *stream, const char *header, const Contents *contents, GError **error)
{
    guint64 n_header = GUINT64_TO_LE (strlen (header));

    if (!g_output_stream_write_all (stream, &n_header, sizeof n_header, NULL, NULL, error) ||
            !g_output_stream_write_all (stream, header, strlen (header), NULL, NULL, error))
        return FALSE;
    for (guint i = 0; i < contents->tensors->len; i++) {
        if (!write_tensor (stream, contents, i, error))
            return FALSE;
    }
    return g_output_stream_close (stream, NULL, error);
}

/* GFileOutputStream writes beside an old file and renames at close; cancelling the close keeps the
 * old one. A new file is written in its place, and must not stay there half done. */
static void
give_up (GFile *file, GOutputStream *stream, gboolean is_new)
{
    g_autoptr (GCancellable) cancelled = g_cancellable_new ();

    g_cancellable_cancel (cancelled);
    g_output_stream_close (stream, cancelled, NULL);
    if (is_new)
        g_file_delete (file, NULL, NULL);
}

static gboolean
write_contents (const char *path, const Contents *contents, GError **error)
{
    g_autoptr (GFile) file = g_file_new_for_path (path);
    gboolean is_new = !g_file_query_exists (file, NULL);
    g_autoptr (GError) io_error = NULL;
    g_autoptr (GFileOutputStream) stream =
            g_file_replace (file, NULL, FALSE, G_FILE_CREATE_REPLACE_DESTINATION, NULL, &io_error);
    g_autofree char *header = build_header (contents);

    if (stream && write_all (G_OUTPUT_STREAM (stream), header, contents, &io_error))
        return TRUE;
    if (stream)
        give_up (file, G_OUTPUT_STREAM (stream), is_new);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", path, io_error->message);
    return FALSE;
}

gboolean
altclip_safetensors_write (const char *path, GPtrArray *tensors, GError **error)
{
    return write_contents (path, &(Contents){ .tensors = tensors }, error);
}

gboolean
altclip_safetensors_write_filled (const char *path, GPtrArray *tensors, const AltclipDtype *dtypes,
        AltclipTensorFill fill, gpointer user_data, GError **error)
{
    return write_contents (path, &(Contents){ tensors, dtypes, fill, user_data }, error);
}
