/* altclip: pytorch_model.bin, a state dict that torch.save() wrote
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A zip archive with one folder. In it `data.pkl` is a pickled dict of tensors by name. A tensor
 * is a call of a function that views a storage: storage, offset, shape, strides. A storage is
 * ('storage', its type, key, device, number of elements) and lies, as it is in memory, in
 * `data/KEY`. What several tensors share is there once. Reference: torch/serialization.py,
 * torch/_utils.py.
 */

#include "excerpt.h"
#include "name_hash.h"
#include "pickle.h"
#include "state_dict.h"
#include "zip.h"

#include <string.h>

/* How to make a file that is read of one that is not. */
#define CONVERT                                                                              \
    "; python3 -c \"import torch; f = 'pytorch_model.bin'; torch.save(torch.load(f, 'cpu', " \
    "weights_only=True), f)\" makes one that is"

/* ---- What a state dict may ask for ----------------------------------------------------------- */

enum {
    ORDERED_DICT,
    REBUILD_TENSOR,
    REBUILD_UNTYPED, /* a tensor whose storage has bytes: its type is an argument */
    REBUILD_PARAMETER,
    UNTYPED_STORAGE,
    FLOAT_STORAGE,
    HALF_STORAGE,
    BFLOAT16_STORAGE,
    DOUBLE_STORAGE,
    LONG_STORAGE,
    INT_STORAGE,
    SHORT_STORAGE,
    CHAR_STORAGE,
    BYTE_STORAGE,
    BOOL_STORAGE,
    COMPLEX_FLOAT_STORAGE,
    COMPLEX_DOUBLE_STORAGE,
    FLOAT8_E4M3FN,
    FLOAT8_E5M2,
    FLOAT8_E4M3FNUZ,
    FLOAT8_E5M2FNUZ,
    FLOAT8_E8M0FNU,
    UINT16,
    UINT32,
    UINT64,
    N_GLOBALS,
    FIRST_TYPED_STORAGE = FLOAT_STORAGE,
    LAST_TYPED_STORAGE = COMPLEX_DOUBLE_STORAGE,
    FIRST_TYPE = FLOAT8_E4M3FN
};

static const AltclipPickleGlobal GLOBALS[N_GLOBALS] = {
    [ORDERED_DICT] = { "collections", "OrderedDict", TRUE },
    [REBUILD_TENSOR] = { "torch._utils", "_rebuild_tensor_v2", FALSE },
    [REBUILD_UNTYPED] = { "torch._utils", "_rebuild_tensor_v3", FALSE },
    [REBUILD_PARAMETER] = { "torch._utils", "_rebuild_parameter", FALSE },
    [UNTYPED_STORAGE] = { "torch.storage", "UntypedStorage", FALSE },
    [FLOAT_STORAGE] = { "torch", "FloatStorage", FALSE },
    [HALF_STORAGE] = { "torch", "HalfStorage", FALSE },
    [BFLOAT16_STORAGE] = { "torch", "BFloat16Storage", FALSE },
    [DOUBLE_STORAGE] = { "torch", "DoubleStorage", FALSE },
    [LONG_STORAGE] = { "torch", "LongStorage", FALSE },
    [INT_STORAGE] = { "torch", "IntStorage", FALSE },
    [SHORT_STORAGE] = { "torch", "ShortStorage", FALSE },
    [CHAR_STORAGE] = { "torch", "CharStorage", FALSE },
    [BYTE_STORAGE] = { "torch", "ByteStorage", FALSE },
    [BOOL_STORAGE] = { "torch", "BoolStorage", FALSE },
    [COMPLEX_FLOAT_STORAGE] = { "torch", "ComplexFloatStorage", FALSE },
    [COMPLEX_DOUBLE_STORAGE] = { "torch", "ComplexDoubleStorage", FALSE },
    [FLOAT8_E4M3FN] = { "torch", "float8_e4m3fn", FALSE },
    [FLOAT8_E5M2] = { "torch", "float8_e5m2", FALSE },
    [FLOAT8_E4M3FNUZ] = { "torch", "float8_e4m3fnuz", FALSE },
    [FLOAT8_E5M2FNUZ] = { "torch", "float8_e5m2fnuz", FALSE },
    [FLOAT8_E8M0FNU] = { "torch", "float8_e8m0fnu", FALSE },
    [UINT16] = { "torch", "uint16", FALSE },
    [UINT32] = { "torch", "uint32", FALSE },
    [UINT64] = { "torch", "uint64", FALSE },
};

/* The elements that a global stands for: of a typed storage, or of a tensor with an untyped one. */
static const struct {
    gsize size; /* in bytes */
    AltclipDtype dtype;
} ELEMENTS[N_GLOBALS] = {
    [FLOAT_STORAGE] = { 4, ALTCLIP_DTYPE_F32 },
    [HALF_STORAGE] = { 2, ALTCLIP_DTYPE_F16 },
    [BFLOAT16_STORAGE] = { 2, ALTCLIP_DTYPE_BF16 },
    [DOUBLE_STORAGE] = { 8, ALTCLIP_DTYPE_F64 },
    [LONG_STORAGE] = { 8, ALTCLIP_DTYPE_OTHER },
    [INT_STORAGE] = { 4, ALTCLIP_DTYPE_OTHER },
    [SHORT_STORAGE] = { 2, ALTCLIP_DTYPE_OTHER },
    [CHAR_STORAGE] = { 1, ALTCLIP_DTYPE_OTHER },
    [BYTE_STORAGE] = { 1, ALTCLIP_DTYPE_OTHER },
    [BOOL_STORAGE] = { 1, ALTCLIP_DTYPE_OTHER },
    [COMPLEX_FLOAT_STORAGE] = { 8, ALTCLIP_DTYPE_OTHER },
    [COMPLEX_DOUBLE_STORAGE] = { 16, ALTCLIP_DTYPE_OTHER },
    [FLOAT8_E4M3FN] = { 1, ALTCLIP_DTYPE_OTHER },
    [FLOAT8_E5M2] = { 1, ALTCLIP_DTYPE_OTHER },
    [FLOAT8_E4M3FNUZ] = { 1, ALTCLIP_DTYPE_OTHER },
    [FLOAT8_E5M2FNUZ] = { 1, ALTCLIP_DTYPE_OTHER },
    [FLOAT8_E8M0FNU] = { 1, ALTCLIP_DTYPE_OTHER },
    [UINT16] = { 2, ALTCLIP_DTYPE_OTHER },
    [UINT32] = { 4, ALTCLIP_DTYPE_OTHER },
    [UINT64] = { 8, ALTCLIP_DTYPE_OTHER },
};

static gsize
get_meaning (const AltclipPickleValue *global)
{
    return (gsize)(global->global - GLOBALS);
}

/* ---- A file while it is read ----------------------------------------------------------------- */

typedef struct {
    AltclipTensorFile *file;
    AltclipZip *zip;
    char *folder;      /* of all members */
    GHashTable *names; /* of the tensors so far */
    guint64 unfolded;  /* bytes that the tensors so far stand for */
} Reader;

/* A tensor on its way from the pickle to the file. */
typedef struct {
    AltclipStoredTensor *tensor;
    const AltclipPickleValue *arguments; /* of the call that makes it */
    const AltclipZipMember *storage;
    gsize size;          /* bytes of an element */
    guint64 n_available; /* elements of the storage */
} View;

static gboolean refuse (const Reader *reader, const View *view, GError **error, const char *format,
        ...) G_GNUC_PRINTF (4, 5);

/* @view: (nullable): the tensor that is wrong. Returns: %FALSE */
static gboolean
refuse (const Reader *reader, const View *view, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start (arguments, format);
    reason = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    if (view)
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: tensor '%s': %s",
                reader->file->path, view->tensor->name, reason);
    else
        g_set_error (
                error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: %s", reader->file->path, reason);
    return FALSE;
}

/* ---- Storages -------------------------------------------------------------------------------- */

/* Checks that @tuple has items of @types, the optional ones at the end not counted. @what: the
 * tuple, for the message */
static gboolean
check_items (const Reader *reader, const View *view, const char *what,
        const AltclipPickleValue *tuple, const AltclipPickleType *types, guint n_types,
        guint n_optional, GError **error)
{
    if (tuple->n < n_types || tuple->n > n_types + n_optional)
        return refuse (
                reader, view, error, "%s has %u items, but must have %u", what, tuple->n, n_types);
    for (guint i = 0; i < n_types; i++) {
        if (tuple->items[i]->type != types[i])
            return refuse (reader, view, error, "item %u of %s is a %s, but must be a %s", i, what,
                    altclip_pickle_type_get_name (tuple->items[i]->type),
                    altclip_pickle_type_get_name (types[i]));
    }
    return TRUE;
}

static gboolean
find_member (const Reader *reader, View *view, const AltclipPickleValue *key, GError **error)
{
    g_autofree char *text = g_strndup (key->text, key->n);
    g_autofree char *name = g_strconcat (reader->folder, "/data/", text, NULL);
    g_autofree char *shown = NULL;

    if (strlen (text) == key->n)
        view->storage = altclip_zip_find (reader->zip, name);
    if (view->storage)
        return TRUE;
    shown = altclip_excerpt (name);
    return refuse (reader, view, error, "its storage, the member '%s', is missing", shown);
}

/* A storage's elements are those of its type, or bytes, which the tensor gives a type. */
static gboolean
check_size (const Reader *reader, View *view, gsize element, gint64 n, GError **error)
{
    guint64 expected;

    if (n < 0 || !g_uint64_checked_mul (&expected, (guint64)n, element) ||
            expected != view->storage->n_bytes)
        return refuse (reader, view, error,
                "its storage should have %" G_GINT64_FORMAT " elements of %" G_GSIZE_FORMAT
                " bytes, but the member '%s' has %" G_GSIZE_FORMAT " bytes",
                n, element, view->storage->name, view->storage->n_bytes);
    view->n_available = view->storage->n_bytes / view->size;
    return TRUE;
}

static gboolean
read_storage (const Reader *reader, View *view, const AltclipPickleValue *element, GError **error)
{
    static const AltclipPickleType types[] = { ALTCLIP_PICKLE_TEXT, ALTCLIP_PICKLE_GLOBAL,
        ALTCLIP_PICKLE_TEXT, ALTCLIP_PICKLE_TEXT, ALTCLIP_PICKLE_INTEGER };
    const AltclipPickleValue *id = view->arguments->items[0]->persistent;
    gsize storage;
    gsize type;

    if (id->type != ALTCLIP_PICKLE_TUPLE)
        return refuse (reader, view, error, "its storage is a %s, but must be a tuple",
                altclip_pickle_type_get_name (id->type));
    if (!check_items (reader, view, "its storage", id, types, G_N_ELEMENTS (types), 0, error))
        return FALSE;
    if (id->items[0]->n != strlen ("storage") ||
            memcmp (id->items[0]->text, "storage", id->items[0]->n) != 0)
        return refuse (reader, view, error, "its storage is not called 'storage'");
    storage = get_meaning (id->items[1]);
    type = element ? get_meaning (element) : storage;
    if (element ? storage != UNTYPED_STORAGE || type < FIRST_TYPE
                : type < FIRST_TYPED_STORAGE || type > LAST_TYPED_STORAGE)
        return refuse (reader, view, error, "'%s' of '%s' is no type of elements",
                GLOBALS[type].name, GLOBALS[storage].name);
    view->size = ELEMENTS[type].size;
    view->tensor->dtype = ELEMENTS[type].dtype;
    return find_member (reader, view, id->items[2], error) &&
           check_size (reader, view, element ? 1 : view->size, id->items[4]->integer, error);
}

/* ---- Views ----------------------------------------------------------------------------------- */

static gboolean
read_shape (const Reader *reader, View *view, GError **error)
{
    AltclipStoredTensor *tensor = view->tensor;
    const AltclipPickleValue *dims = view->arguments->items[2];
    const AltclipPickleValue *strides = view->arguments->items[3];

    if (dims->n > ALTCLIP_TENSOR_MAX_DIMS || strides->n != dims->n)
        return refuse (reader, view, error,
                "%u dimensions and %u strides; there must be as many of each, and at most %d",
                dims->n, strides->n, ALTCLIP_TENSOR_MAX_DIMS);
    tensor->n_dims = dims->n;
    tensor->n_elements = 1;
    for (guint i = 0; i < dims->n; i++) {
        const AltclipPickleValue *dim = dims->items[i];
        const AltclipPickleValue *stride = strides->items[i];

        if (dim->type != ALTCLIP_PICKLE_INTEGER || stride->type != ALTCLIP_PICKLE_INTEGER)
            return refuse (reader, view, error,
                    "dimension %u is a %s with a %s as stride; both must be an int", i,
                    altclip_pickle_type_get_name (dim->type),
                    altclip_pickle_type_get_name (stride->type));
        if (dim->integer < 0 || stride->integer < 0 ||
                !g_uint64_checked_mul (
                        &tensor->n_elements, tensor->n_elements, (guint64)dim->integer))
            return refuse (reader, view, error,
                    "dimension %u is %" G_GINT64_FORMAT " with the stride %" G_GINT64_FORMAT
                    ", which is negative or too large",
                    i, dim->integer, stride->integer);
        tensor->dims[i] = (guint64)dim->integer;
        tensor->strides[i] = dim->integer == 1 ? 0 : (guint64)stride->integer;
    }
    return TRUE;
}

static gboolean
is_row_major (const AltclipStoredTensor *tensor)
{
    guint64 expected = 1;

    for (guint i = tensor->n_dims; i-- > 0;) {
        if (tensor->dims[i] != 1 && tensor->strides[i] != expected)
            return FALSE;
        expected *= tensor->dims[i];
    }
    return TRUE;
}

/* Elements from the first to the last, both counted, of a tensor that has any. */
static gboolean
measure (const AltclipStoredTensor *tensor, guint64 *n)
{
    *n = 1;
    for (guint i = 0; i < tensor->n_dims; i++) {
        guint64 step;

        if (!g_uint64_checked_mul (&step, tensor->dims[i] - 1, tensor->strides[i]) ||
                !g_uint64_checked_add (n, *n, step))
            return FALSE;
    }
    return TRUE;
}

static gboolean
place (const Reader *reader, View *view, GError **error)
{
    AltclipStoredTensor *tensor = view->tensor;
    gint64 offset = view->arguments->items[1]->integer;
    guint64 n;

    tensor->data = view->storage->data;
    if (tensor->n_elements == 0)
        return TRUE;
    if (offset < 0 || !measure (tensor, &n) || (guint64)offset > view->n_available ||
            n > view->n_available - (guint64)offset) {
        g_autofree char *dims = altclip_shape_to_string (tensor->dims, tensor->n_dims);
        g_autofree char *strides = altclip_shape_to_string (tensor->strides, tensor->n_dims);
        return refuse (reader, view, error,
                "shape %s with strides %s from element %" G_GINT64_FORMAT
                " does not lie within the %" G_GUINT64_FORMAT " elements of the member '%s'",
                dims, strides, offset, view->n_available, view->storage->name);
    }
    tensor->data += (guint64)offset * view->size;
    tensor->n_bytes = (gsize)n * view->size;
    tensor->is_strided = !is_row_major (tensor);
    return TRUE;
}

/* Without a limit a storage of one element could stand for all the memory there is. */
static gboolean
count_unfolded (Reader *reader, const View *view, GError **error)
{
    guint64 limit = g_bytes_get_size (reader->file->bytes) * ALTCLIP_STATE_DICT_MAX_UNFOLDING +
                    ALTCLIP_STATE_DICT_MAX_UNFOLDED;
    guint64 n_bytes;

    if (g_uint64_checked_mul (&n_bytes, view->tensor->n_elements, view->size) &&
            g_uint64_checked_add (&reader->unfolded, reader->unfolded, n_bytes) &&
            reader->unfolded <= limit)
        return TRUE;
    return refuse (reader, view, error,
            "with its %" G_GUINT64_FORMAT
            " elements the tensors stand for more than %" G_GUINT64_FORMAT
            " bytes, the limit for a file of %" G_GSIZE_FORMAT,
            view->tensor->n_elements, limit, g_bytes_get_size (reader->file->bytes));
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* Returns: (transfer none): what @value is, for messages */
static const char *
describe (const AltclipPickleValue *value)
{
    return value->type == ALTCLIP_PICKLE_CALL ? value->call[0]->global->name
                                              : altclip_pickle_type_get_name (value->type);
}

/* Returns: (nullable): the arguments of @value, if it is a call of @meaning */
static const AltclipPickleValue *
get_arguments (const AltclipPickleValue *value, gsize meaning)
{
    if (value->type != ALTCLIP_PICKLE_CALL || get_meaning (value->call[0]) != meaning)
        return NULL;
    return value->call[1];
}

/* Storage, offset, shape, strides, whether it is trained, hooks that nobody runs; then, of an
 * untyped storage, the elements' type; and then, for a negative or complex conjugate view, a dict
 * that says so. */
static gboolean
read_view (Reader *reader, View *view, gboolean is_untyped, GError **error)
{
    static const AltclipPickleType types[] = { ALTCLIP_PICKLE_PERSISTENT, ALTCLIP_PICKLE_INTEGER,
        ALTCLIP_PICKLE_TUPLE, ALTCLIP_PICKLE_TUPLE, ALTCLIP_PICKLE_BOOLEAN, ALTCLIP_PICKLE_DICT,
        ALTCLIP_PICKLE_GLOBAL };
    const AltclipPickleValue *arguments = view->arguments;
    guint n = is_untyped ? 7 : 6;

    if (!check_items (reader, view, "what makes it", arguments, types, n, 1, error))
        return FALSE;
    if (arguments->n > n)
        return refuse (reader, view, error,
                "it is a view that negates or conjugates its storage, which is not read");
    return read_storage (reader, view, is_untyped ? arguments->items[6] : NULL, error) &&
           read_shape (reader, view, error) && count_unfolded (reader, view, error) &&
           place (reader, view, error);
}

static gboolean
read_entry (Reader *reader, const AltclipPickleValue *key, const AltclipPickleValue *value,
        GError **error)
{
    const AltclipPickleValue *parameter = get_arguments (value, REBUILD_PARAMETER);
    const AltclipPickleValue *made = parameter && parameter->n > 0 ? parameter->items[0] : value;
    View view = { NULL };
    gboolean is_untyped;

    if (key->type != ALTCLIP_PICKLE_TEXT)
        return refuse (reader, NULL, error, "the name of a tensor is a %s, but must be a str",
                altclip_pickle_type_get_name (key->type));
    view.tensor = altclip_tensor_file_add (reader->file, key->text, key->n, error);
    if (!view.tensor)
        return FALSE;
    if (!g_hash_table_add (reader->names, view.tensor->name))
        return refuse (reader, &view, error, "it is there twice");
    view.arguments = get_arguments (made, REBUILD_TENSOR);
    is_untyped = view.arguments == NULL;
    if (is_untyped)
        view.arguments = get_arguments (made, REBUILD_UNTYPED);
    if (!view.arguments)
        return refuse (reader, &view, error,
                "it is a %s, but must be a tensor (is this a checkpoint with a state dict in it?)",
                describe (made));
    return read_view (reader, &view, is_untyped, error);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Whatever torch.save() wrote before it wrote zip archives, and files that it did not write. */
static gboolean
check_kind (const Reader *reader, GError **error)
{
    static const guint8 zip[] = { 'P', 'K', 3, 4 };
    static const guint8 legacy[] = { 0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a,
        0xa8, 0x50, 0x19 };
    gsize n;
    const guint8 *bytes = g_bytes_get_data (reader->file->bytes, &n);

    if (n >= sizeof zip && memcmp (bytes, zip, sizeof zip) == 0)
        return TRUE;
    if (n >= sizeof legacy && memcmp (bytes, legacy, sizeof legacy) == 0)
        return refuse (reader, NULL, error,
                "it has the format of PyTorch before 1.6, which is not read" CONVERT);
    if (n >= 2 && bytes[0] == 0x80 && bytes[1] <= 5)
        return refuse (reader, NULL, error, "it is a pickle, but must be a zip archive with one");
    return refuse (reader, NULL, error,
            "its %" G_GSIZE_FORMAT " bytes are no zip archive, as torch.save() makes them", n);
}

/* The folder that holds everything is the only thing that has no name of its own. */
static gboolean
find_folder (Reader *reader, GError **error)
{
    const GPtrArray *members = altclip_zip_get_members (reader->zip);

    for (guint i = 0; i < members->len; i++) {
        const AltclipZipMember *member = g_ptr_array_index (members, i);
        const char *slash = strchr (member->name, '/');

        if (!slash || strcmp (slash, "/data.pkl") != 0)
            continue;
        if (reader->folder)
            return refuse (reader, NULL, error, "both '%s/data.pkl' and '%s' are there",
                    reader->folder, member->name);
        reader->folder = g_strndup (member->name, (gsize)(slash - member->name));
    }
    return reader->folder ||
           refuse (reader, NULL, error,
                   "it is a zip archive without a member data.pkl in a folder, as torch.save() "
                   "makes them");
}

static const AltclipZipMember *
find_in_folder (const Reader *reader, const char *name)
{
    g_autofree char *path = g_strconcat (reader->folder, "/", name, NULL);

    return altclip_zip_find (reader->zip, path);
}

/* Files without this member are from little-endian machines. */
static gboolean
check_byte_order (const Reader *reader, GError **error)
{
    const AltclipZipMember *member = find_in_folder (reader, "byteorder");
    g_autofree char *order = NULL;
    g_autofree char *shown = NULL;

    if (!member || (member->n_bytes == strlen ("little") &&
                           memcmp (member->data, "little", member->n_bytes) == 0))
        return TRUE;
    order = g_strndup ((const char *)member->data, MIN (member->n_bytes, 16));
    shown = altclip_excerpt (order);
    return refuse (reader, NULL, error, "its byte order is '%s', and only 'little' is read", shown);
}

static gboolean
read_dict (Reader *reader, const AltclipPickleValue *root, GError **error)
{
    if (root->type != ALTCLIP_PICKLE_DICT)
        return refuse (
                reader, NULL, error, "it is a %s, but must be a dict of tensors", describe (root));
    for (guint i = 0; i < root->pairs->len; i += 2) {
        if (!read_entry (reader, g_ptr_array_index (root->pairs, i),
                    g_ptr_array_index (root->pairs, i + 1), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_file (Reader *reader, GError **error)
{
    AltclipTensorFile *file = reader->file;
    gsize n;
    const guint8 *bytes = g_bytes_get_data (file->bytes, &n);
    g_autoptr (AltclipPickle) pickle = NULL;
    g_autofree char *path = NULL;
    const AltclipZipMember *member;

    if (!check_kind (reader, error))
        return FALSE;
    reader->zip = altclip_zip_parse (file->path, bytes, n, error);
    if (!reader->zip || !find_folder (reader, error) || !check_byte_order (reader, error))
        return FALSE;
    file->outline = altclip_zip_get_directory (reader->zip, &file->n_outline);
    member = find_in_folder (reader, "data.pkl");
    path = g_strdup_printf ("%s: %s", file->path, member->name);
    pickle = altclip_pickle_parse (path, member->data, member->n_bytes, GLOBALS, N_GLOBALS, error);
    return pickle && read_dict (reader, altclip_pickle_get_root (pickle), error);
}

AltclipTensorFile *
altclip_state_dict_parse (const char *path, GBytes *bytes, GError **error)
{
    g_autoptr (AltclipTensorFile) file = altclip_tensor_file_new (path, bytes);
    Reader reader = { .file = file, .names = g_hash_table_new (altclip_name_hash, g_str_equal) };
    gboolean ok = read_file (&reader, error);

    g_hash_table_unref (reader.names);
    g_free (reader.folder);
    altclip_zip_free (reader.zip);
    return ok ? g_steal_pointer (&file) : NULL;
}
