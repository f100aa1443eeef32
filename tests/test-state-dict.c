/* altclip: files of torch.save(), real ones and made-up ones
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "archive.h"
#include "file.h"
#include "golden.h"
#include "state_dict.h"
#include "weights.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME "pytorch_model.bin"

static char *
build_golden_path (const char *name)
{
    return g_test_build_filename (G_TEST_DIST, "golden", "weights", name, NULL);
}

static GBytes *
read_golden (const char *name)
{
    g_autofree char *path = build_golden_path (name);
    g_autoptr (GError) error = NULL;
    char *contents;
    gsize n;

    g_file_get_contents (path, &contents, &n, &error);
    g_assert_no_error (error);
    return g_bytes_new_take (contents, n);
}

static void
assert_refused (GBytes *bytes, const char *message)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, &error);

    g_assert_null (file);
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT);
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, NAME ": "));
    if (!strstr (error->message, message))
        g_test_fail_printf ("'%s' does not hold '%s'", error->message, message);
}

static const AltclipStoredTensor *
find (AltclipTensorFile *file, const char *name)
{
    for (guint i = 0; i < file->tensors->len; i++) {
        const AltclipStoredTensor *tensor = g_ptr_array_index (file->tensors, i);
        if (strcmp (tensor->name, name) == 0)
            return tensor;
    }
    return NULL;
}

/* ---- Views ----------------------------------------------------------------------------------- */

/* From every element on, every number of elements: rows are begun and ended anywhere. */
static void
assert_parts_equal (const AltclipStoredTensor *tensor, const float *expected)
{
    g_autofree float *values = g_new (float, tensor->n_elements);

    for (guint64 first = 0; first <= tensor->n_elements; first++) {
        for (guint64 n = 0; n <= tensor->n_elements - first; n += n < 8 ? 1 : 13) {
            altclip_stored_tensor_read (tensor, first, n, values);
            g_assert_cmpmem (values, n * sizeof (float), expected + first, n * sizeof (float));
        }
    }
}

/* Each tensor is what the reference copied out of its view. */
static void
test_views (void)
{
    g_autofree char *path = build_golden_path ("views.safetensors");
    g_autoptr (GoldenFile) expected = golden_file_open (path);
    g_autoptr (GList) names = golden_file_list_names (expected);
    g_autoptr (GBytes) bytes = read_golden ("views.bin");
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, &error);
    guint n_strided = 0;

    g_assert_no_error (error);
    g_assert_cmpuint (file->tensors->len, ==, g_list_length (names) + 9);
    for (GList *name = names; name; name = name->next) {
        const GoldenTensor *golden = golden_file_get (expected, name->data);
        const AltclipStoredTensor *tensor = find (file, name->data);

        g_assert_nonnull (tensor);
        g_assert_cmpmem (tensor->dims, tensor->n_dims * sizeof (guint64), golden->dims,
                golden->n_dims * sizeof (guint64));
        g_assert_cmpuint (tensor->n_elements, ==, golden->n_elements);
        assert_parts_equal (tensor, golden->data);
        n_strided += tensor->is_strided;
    }
    g_assert_cmpuint (n_strided, ==, 12);
    g_assert_true (find (file, "tied")->data == find (file, "tied_again")->data);
    g_assert_true (find (file, "transposed")->data == find (file, "base")->data);
}

/* What is not of a floating-point type has a shape, and counts as a buffer that nobody reads. */
static void
test_buffers (void)
{
    static const char *const names[] = { "long", "int", "short", "char", "byte", "bool", "complex",
        "float8", "unsigned" };
    g_autoptr (GBytes) bytes = read_golden ("views.bin");
    g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        const AltclipStoredTensor *tensor = find (file, names[i]);
        g_assert_nonnull (tensor);
        g_assert_cmpint (tensor->dtype, ==, ALTCLIP_DTYPE_OTHER);
        g_assert_cmpuint (tensor->n_dims, ==, 1);
    }
}

/* The directory of the archive tells files apart. */
static void
test_outline (void)
{
    g_autoptr (GBytes) bytes = read_golden ("views.bin");
    g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, NULL);

    g_assert_cmpmem (file->outline, 4, "PK\1\2", 4);
    g_assert_nonnull (memmem (file->outline, file->n_outline, "views/data/0", 12));
}

/* ---- Files of other kinds -------------------------------------------------------------------- */

static void
test_foreign_files (void)
{
    static const struct {
        const char *name;
        const char *message;
    } cases[] = {
        { "legacy-bin/pytorch_model.bin",
                ": it has the format of PyTorch before 1.6, which is not read; python3 -c \"import "
                "torch; f = 'pytorch_model.bin'; torch.save(torch.load(f, 'cpu', "
                "weights_only=True), f)\" makes one that is" },
        { "protocol4.bin", ": protocol4/data.pkl: byte 0: protocol 4 is not read" },
        { "module.bin", ": module/data.pkl: byte 2: it asks for 'torch.nn.modules.linear.Linear'" },
        { "sparse.bin", ": it asks for 'torch._utils._rebuild_sparse_tensor', which weights do" },
        { "checkpoint.bin", ": tensor 'model': it is a dict, but must be a tensor (is this a "
                            "checkpoint with a state dict in it?)" },
        { "tensor.bin", ": it is a _rebuild_tensor_v2, but must be a dict of tensors" },
        { "negative.bin",
                ": tensor 'negative': it is a view that negates or conjugates its storage" },
        { "whole/model.safetensors", ": its 15804 bytes are no zip archive, as torch.save()" },
    };
    static const guint8 pickle[] = { 0x80, 2, '}', '.' };
    g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
    g_autoptr (GBytes) bare = g_bytes_new_static (pickle, sizeof pickle);

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (GBytes) bytes = read_golden (cases[i].name);
        assert_refused (bytes, cases[i].message);
    }
    assert_refused (empty, ": its 0 bytes are no zip archive, as torch.save() makes them");
    assert_refused (bare, ": it is a pickle, but must be a zip archive with one");
}

/* ---- Made-up files --------------------------------------------------------------------------- */

#define N_STORED 24

/* A tensor as its pickle has it. */
typedef struct {
    const char *name;
    const char *type;
    const char *key;
    gint64 n; /* of the storage */
    gint64 offset;
    guint n_dims;
    gint64 dims[9];
    guint n_strides;
    gint64 strides[9];
} Made;

static const Made GOOD = { "weight", "FloatStorage", "0", N_STORED, 0, 2, { 4, 6 }, 2, { 6, 1 } };

static void
put_text (GString *pickle, const char *text)
{
    guint32 n = GUINT32_TO_LE (strlen (text));

    g_string_append_c (pickle, 'X');
    g_string_append_len (pickle, (const char *)&n, 4);
    g_string_append (pickle, text);
}

static void
put_integer (GString *pickle, gint64 integer)
{
    gint64 bytes = GINT64_TO_LE (integer);

    g_string_append_len (pickle, "\x8a\10", 2);
    g_string_append_len (pickle, (const char *)&bytes, 8);
}

static void
put_integers (GString *pickle, const gint64 *integers, guint n)
{
    g_string_append_c (pickle, '(');
    for (guint i = 0; i < n; i++)
        put_integer (pickle, integers[i]);
    g_string_append_c (pickle, 't');
}

static void
put_made (GString *pickle, const Made *made)
{
    put_text (pickle, made->name);
    g_string_append (pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text (pickle, "storage");
    g_string_append_printf (pickle, "ctorch\n%s\n", made->type);
    put_text (pickle, made->key);
    put_text (pickle, "cpu");
    put_integer (pickle, made->n);
    g_string_append (pickle, "tQ");
    put_integer (pickle, made->offset);
    put_integers (pickle, made->dims, made->n_dims);
    put_integers (pickle, made->strides, made->n_strides);
    g_string_append (pickle, "\x89}tR");
}

static GString *
build_pickle (const Made *made, guint n)
{
    GString *pickle = g_string_new ("\x80\2}(");

    for (guint i = 0; i < n; i++)
        put_made (pickle, &made[i]);
    return g_string_append (pickle, "u.");
}

/* An archive with @pickle, and a storage of the floats 0, 1, 2 … @n. */
static GBytes *
build_file_of (GString *pickle, gsize n)
{
    Archive *archive = archive_new (ARCHIVE_SIZES_FOLLOW);
    g_autofree guint32 *stored = g_new (guint32, n);

    for (gsize i = 0; i < n; i++) {
        float value = (float)i;
        memcpy (&stored[i], &value, sizeof value);
        stored[i] = GUINT32_TO_LE (stored[i]);
    }
    archive_add (archive, "made/data.pkl", pickle->str, pickle->len);
    archive_add (archive, "made/data/0", stored, n * sizeof (float));
    g_string_free (pickle, TRUE);
    return g_byte_array_free_to_bytes (archive_finish (archive));
}

static GBytes *
build_file (const Made *made, guint n)
{
    return build_file_of (build_pickle (made, n), N_STORED);
}

static void
test_made (void)
{
    const Made made[] = { GOOD,
        { "one", "FloatStorage", "0", N_STORED, 23, 1, { 1 }, 1, { G_MAXINT64 } },
        { "nothing", "FloatStorage", "0", N_STORED, G_MAXINT64, 2, { 0, G_MAXINT64 }, 2,
                { G_MAXINT64, G_MAXINT64 } } };
    g_autoptr (GBytes) bytes = build_file (made, G_N_ELEMENTS (made));
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, &error);
    float values[N_STORED];

    g_assert_no_error (error);
    g_assert_cmpuint (file->tensors->len, ==, 3);
    altclip_stored_tensor_read (find (file, "weight"), 0, N_STORED, values);
    for (guint i = 0; i < N_STORED; i++)
        g_assert_cmpfloat (values[i], ==, (float)i);
    altclip_stored_tensor_read (find (file, "one"), 0, 1, values);
    g_assert_cmpfloat (values[0], ==, 23.0f);
    g_assert_cmpuint (find (file, "nothing")->n_elements, ==, 0);
}

static void
test_bad_tensors (void)
{
#define OUTSIDE " does not lie within the 24 elements of the member 'made/data/0'"
#define STORAGE "FloatStorage", "0", N_STORED
    static const struct {
        Made made;
        const char *message;
    } cases[] = {
        { { "w", STORAGE, 1, 2, { 4, 6 }, 2, { 6, 1 } },
                ": tensor 'w': shape [4, 6] with strides [6, 1] from element 1" OUTSIDE },
        { { "w", STORAGE, 0, 2, { 4, 7 }, 2, { 6, 1 } }, "strides [6, 1] from element 0" OUTSIDE },
        { { "w", STORAGE, 0, 2, { 4, 6 }, 2, { 7, 1 } }, "strides [7, 1] from element 0" OUTSIDE },
        { { "w", STORAGE, -1, 1, { 1 }, 1, { 1 } }, "from element -1" OUTSIDE },
        { { "w", STORAGE, 24, 1, { 1 }, 1, { 1 } }, "from element 24" OUTSIDE },
        { { "w", STORAGE, G_MAXINT64, 1, { 1 }, 1, { 1 } },
                "from element 9223372036854775807" OUTSIDE },
        { { "w", STORAGE, (gint64)1 << 32, 1, { 1 }, 1, { 1 } },
                "from element 4294967296" OUTSIDE },
        { { "w", STORAGE, 0, 1, { 2 }, 1, { G_MAXINT64 } },
                "shape [2] with strides [9223372036854775807] from element 0" OUTSIDE },
        { { "w", STORAGE, 0, 2, { 3, 2 }, 2, { G_MAXINT64, 2 } }, OUTSIDE },
        { { "w", STORAGE, 0, 1, { 2 }, 1, { (gint64)1 << 31 } }, "strides [2147483648]" },
        { { "w", STORAGE, 0, 1, { 4 }, 1, { (gint64)1 << 62 } }, "strides [4611686018427387904]" },
        { { "w", STORAGE, 0, 1, { 2 }, 1, { -1 } },
                "dimension 0 is 2 with the stride -1, which is negative or too large" },
        { { "w", STORAGE, 0, 1, { -2 }, 1, { 1 } },
                "dimension 0 is -2 with the stride 1, which is negative or too large" },
        { { "w", STORAGE, 0, 2, { (gint64)1 << 32, (gint64)1 << 32 }, 2, { 0, 0 } },
                "dimension 1 is 4294967296 with the stride 0, which is negative or too large" },
        { { "w", STORAGE, 0, 2, { 4, 6 }, 1, { 6 } },
                "2 dimensions and 1 strides; there must be as many of each, and at most 8" },
        { { "w", STORAGE, 0, 9, { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 9, { 0 } },
                "9 dimensions and 9 strides; there must be as many of each, and at most 8" },
        /* Much of little. */
        { { "w", STORAGE, 0, 1, { G_MAXINT64 }, 1, { 0 } },
                "with its 9223372036854775807 elements the tensors stand for more than 10" },
        { { "w", STORAGE, 0, 1, { (gint64)1 << 31 }, 1, { 0 } },
                "with its 2147483648 elements the tensors stand for more than 10" },
        /* Storages. */
        { { "w", "FloatStorage", "1", N_STORED, 0, 1, { 1 }, 1, { 1 } },
                "its storage, the member 'made/data/1', is missing" },
        { { "w", "FloatStorage", "../data/0", N_STORED, 0, 1, { 1 }, 1, { 1 } },
                "its storage, the member 'made/data/../data/0', is missing" },
        { { "w", "FloatStorage", "", N_STORED, 0, 1, { 1 }, 1, { 1 } },
                "its storage, the member 'made/data/', is missing" },
        { { "w", "FloatStorage", "0", 23, 0, 1, { 1 }, 1, { 1 } },
                "its storage should have 23 elements of 4 bytes, but the member 'made/data/0' has "
                "96 bytes" },
        { { "w", "DoubleStorage", "0", N_STORED, 0, 1, { 1 }, 1, { 1 } },
                "should have 24 elements of 8 bytes" },
        { { "w", "FloatStorage", "0", -1, 0, 1, { 1 }, 1, { 1 } },
                "should have -1 elements of 4 bytes" },
        { { "w", "FloatStorage", "0", G_MAXINT64, 0, 1, { 1 }, 1, { 1 } },
                "should have 9223372036854775807 elements of 4 bytes" },
        { { "w", "FloatStorage", "0", ((gint64)1 << 62) + N_STORED, 0, 1, { 1 }, 1, { 1 } },
                "should have 4611686018427387928 elements of 4 bytes" },
        { { "w", "QInt8Storage", "0", N_STORED, 0, 1, { 1 }, 1, { 1 } },
                ": made/data.pkl: byte 57: it asks for 'torch.QInt8Storage', which weights do "
                "not" },
        { { "w", "float8_e5m2", "0", 96, 0, 1, { 1 }, 1, { 1 } },
                "'float8_e5m2' of 'float8_e5m2' is no type of elements" },
        /* Names. */
        { { "", STORAGE, 0, 1, { 1 }, 1, { 1 } },
                ": a tensor's name of 0 bytes; it must have 1 to 256" },
        { { "a\nb", STORAGE, 0, 1, { 1 }, 1, { 1 } },
                ": a tensor's name of 3 bytes; it must have 1 to 256, and no control characters: "
                "'a\xef\xbf\xbd"
                "b'" },
    };
#undef OUTSIDE
#undef STORAGE

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (GBytes) bytes = build_file (&cases[i].made, 1);
        assert_refused (bytes, cases[i].message);
    }
}

/* Many tensors that are each within the limit, all of the same storage. */
static void
test_unfolding (void)
{
    const guint n = 3000;
    g_autofree Made *made = g_new (Made, n);
    g_autofree char *names = g_malloc (n * 8);
    g_autoptr (GBytes) bytes = NULL;

    for (guint i = 0; i < n; i++) {
        made[i] = (Made){ names + i * 8, "FloatStorage", "0", N_STORED, 0, 1, { 10000 }, 1, { 0 } };
        g_snprintf (names + i * 8, 8, "t%u", i);
    }
    bytes = build_file (made, n);
    assert_refused (bytes, ": with its 10000 elements the tensors stand for more than ");
}

static void
test_twice (void)
{
    const Made made[] = { GOOD, GOOD };
    g_autoptr (GBytes) bytes = build_file (made, G_N_ELEMENTS (made));

    assert_refused (bytes, ": tensor 'weight': it is there twice");
}

/* Pickles whose values are not what a tensor is made of. */
static void
test_bad_pickles (void)
{
#define TENSOR "X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"
#define UNTYPED "X\1\0\0\0wctorch._utils\n_rebuild_tensor_v3\n"
#define ID "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\30tQ"
#define UNTYPED_ID \
    "(X\7\0\0\0storagectorch.storage\nUntypedStorage\nX\1\0\0\0000X\3\0\0\0cpuK\140tQ"
#define PICKLE(text, message)                                        \
    {                                                                \
        "\x80\2}" text ".", sizeof ("\x80\2}" text ".") - 1, message \
    }
    static const struct {
        const char *pickle;
        gsize n;
        const char *message; /* NULL: it is good */
    } cases[] = {
        PICKLE ("0", "byte 3: the opcode POP is not one"),
        PICKLE ("\x85", ": it is a tuple, but must be a dict of tensors"),
        PICKLE ("K\1Ns", ": the name of a tensor is a int, but must be a str"),
        PICKLE ("X\1\0\0\0wNs", ": tensor 'w': it is a None, but must be a tensor"),
        PICKLE ("q\0X\1\0\0\0wh\0s", ": tensor 'w': it is a dict, but must be a tensor"),
        PICKLE ("X\1\0\0\0wctorch\nFloatStorage\n)Rs", ": it is a FloatStorage, but must be a"),
        PICKLE ("X\1\0\0\0wctorch._utils\n_rebuild_parameter\n)Rs", "it is a _rebuild_parameter,"),
        PICKLE (TENSOR ")Rs", ": tensor 'w': what makes it has 0 items, but must have 6"),
        PICKLE (TENSOR "(NNNNNNtRs", "item 0 of what makes it is a None, but must be a persistent"),
        PICKLE (TENSOR "(" ID "N))\x89}tRs",
                "item 1 of what makes it is a None, but must be a int"),
        PICKLE (TENSOR "(" ID "K\0N)\x89}tRs",
                "item 2 of what makes it is a None, but must be a tu"),
        PICKLE (TENSOR "(" ID "K\0))N}tRs",
                "item 4 of what makes it is a None, but must be a bool"),
        PICKLE (TENSOR "(" ID "K\0))\x89NtRs",
                "item 5 of what makes it is a None, but must be a di"),
        PICKLE (TENSOR "(" ID "K\0))\x89}tRs", NULL),
        PICKLE (TENSOR "(" ID "K\0N\x85K\1\x85\x89}tRs",
                "dimension 0 is a None with a int as stride"),
        PICKLE (TENSOR "(" ID "K\0K\1\x85N\x85\x89}tRs",
                "dimension 0 is a int with a None as stride"),
        PICKLE (TENSOR "(" ID "K\0))\x89}}tRs", "it is a view that negates or conjugates its"),
        PICKLE (TENSOR "(NQK\0))\x89}tRs", "its storage is a None, but must be a tuple"),
        PICKLE (TENSOR "()QK\0))\x89}tRs", "its storage has 0 items, but must have 5"),
        PICKLE (TENSOR "((NNNNNtQK\0))\x89}tRs",
                "item 0 of its storage is a None, but must be a str"),
        PICKLE (TENSOR "((X\7\0\0\0storagWctorch\nFloatStorage\nX\1\0\0\0000X\0\0\0\0K\30tQ"
                       "K\0))\x89}tRs",
                "its storage is not called 'storage'"),
        PICKLE (TENSOR "((X\7\0\0\0storagectorch\nFloatStorage\nX\2\0\0\0000\0X\0\0\0\0K\30tQ"
                       "K\0))\x89}tRs",
                "its storage, the member 'made/data/0', is missing"),
        PICKLE (TENSOR "((X\7\0\0\0storagectorch\nuint16\nX\1\0\0\0000X\0\0\0\0K\60tQK\0))\x89}tRs",
                "'uint16' of 'uint16' is no type of elements"),
        PICKLE (TENSOR "(" UNTYPED_ID "K\0))\x89}tRs",
                "'UntypedStorage' of 'UntypedStorage' is no type of elements"),
        PICKLE (UNTYPED "(" UNTYPED_ID "K\0))\x89}tRs",
                "what makes it has 6 items, but must have 7"),
        PICKLE (UNTYPED "(" UNTYPED_ID "K\0))\x89}ctorch\nuint16\ntRs", NULL),
        PICKLE (UNTYPED "(" ID "K\0))\x89}ctorch\nuint16\ntRs",
                "'uint16' of 'FloatStorage' is no type of elements"),
        PICKLE (UNTYPED "(" UNTYPED_ID "K\0))\x89}ccollections\nOrderedDict\ntRs",
                "'OrderedDict' of 'UntypedStorage' is no type of elements"),
        PICKLE ("X\1\0\0\0wctorch._utils\n_rebuild_parameter\nctorch._utils\n_rebuild_parameter\n"
                "ctorch._utils\n_rebuild_tensor_v2\n)R\x89}\x87R\x89}\x87Rs",
                "it is a _rebuild_parameter, but must be a tensor"),
    };
#undef TENSOR
#undef UNTYPED
#undef ID
#undef UNTYPED_ID
#undef PICKLE

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (GBytes) bytes =
                build_file_of (g_string_new_len (cases[i].pickle, (gssize)cases[i].n), N_STORED);

        if (cases[i].message) {
            assert_refused (bytes, cases[i].message);
        } else {
            g_autoptr (GError) error = NULL;
            g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, &error);
            g_assert_no_error (error);
        }
    }
}

static GBytes *
build_members (const char *const members[][2])
{
    Archive *archive = archive_new (ARCHIVE_PLAIN);

    for (gsize i = 0; members[i][0]; i++)
        archive_add (archive, members[i][0], members[i][1], strlen (members[i][1]));
    return g_byte_array_free_to_bytes (archive_finish (archive));
}

static void
test_members (void)
{
    static const struct {
        const char *members[4][2];
        const char *message; /* NULL: it is good */
    } cases[] = {
        { { { "a/data.pkl", "}." } }, NULL },
        { { { "a/data.pkl", "}." }, { "a/byteorder", "little" } }, NULL },
        { { { "a/data.pkl", "}." }, { "a/byteorder", "big" } },
                ": its byte order is 'big', and only 'little' is read" },
        { { { "a/data.pkl", "}." }, { "a/byteorder", "" } }, ": its byte order is '', and only" },
        { { { "a/data.pkl", "}." }, { "a/byteorder", "little-endian, or so it seems" } },
                ": its byte order is 'little-endian, o', and only 'little' is read" },
        { { { "a/data.pkl", "}." }, { "b/data.pkl", "}." } },
                ": both 'a/data.pkl' and 'b/data.pkl' are there" },
        { { { "data.pkl", "}." } },
                ": it is a zip archive without a member data.pkl in a folder, as torch.save()" },
        { { { "a/b/data.pkl", "}." } }, ": it is a zip archive without a member data.pkl" },
        { { { "a/data.pkl", "" } }, ": a/data.pkl: byte 0: it ends without the opcode STOP" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (GBytes) bytes = build_members (cases[i].members);

        if (cases[i].message) {
            assert_refused (bytes, cases[i].message);
        } else {
            g_autoptr (GError) error = NULL;
            g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, &error);
            g_assert_no_error (error);
            g_assert_cmpuint (file->tensors->len, ==, 0);
        }
    }
}

/* A bomb would be a member that is small in the archive. */
static void
test_compressed (void)
{
    g_autoptr (GBytes) bytes = build_file (&GOOD, 1);
    g_autoptr (GByteArray) bomb = g_byte_array_new ();
    gsize n;
    const guint8 *data = g_bytes_get_data (bytes, &n);
    g_autoptr (GBytes) changed = NULL;

    g_byte_array_append (bomb, data, (guint)n);
    for (gsize at = 0; at + 46 <= n; at++) {
        if (memcmp (data + at, "PK\1\2", 4) == 0 &&
                memcmp (data + at + 46, "made/data/0", 11) == 0) {
            archive_poke (bomb, at + 10, 2, 8);
            archive_poke (bomb, at + 24, 4, 0xfffffff0);
        }
    }
    changed = g_byte_array_free_to_bytes (g_steal_pointer (&bomb));
    assert_refused (changed,
            ": zip archive: member 'made/data/0' is compressed (method 8), and only "
            "stored ones are read");
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* Reads all that a damaged file says it has: a sanitizer sees what does not lie within. */
static void
read_whatever_is_there (const guint8 *damaged, gsize n)
{
    g_autoptr (GBytes) bytes = g_bytes_new (damaged, n);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (NAME, bytes, &error);

    g_assert_true ((file == NULL) == (error != NULL));
    if (!file)
        return;
    for (guint i = 0; i < file->tensors->len; i++) {
        const AltclipStoredTensor *tensor = g_ptr_array_index (file->tensors, i);
        g_autofree float *values = NULL;

        if (tensor->dtype == ALTCLIP_DTYPE_OTHER)
            continue;
        values = g_new (float, tensor->n_elements);
        altclip_stored_tensor_read (tensor, 0, tensor->n_elements, values);
    }
}

static void
test_truncated (void)
{
    g_autoptr (GBytes) bytes = read_golden ("views.bin");
    gsize n;
    const guint8 *data = g_bytes_get_data (bytes, &n);

    for (gsize length = 0; length < n; length += 7) {
        g_autoptr (GBytes) start = g_bytes_new (data, length);
        g_autoptr (GError) error = NULL;

        g_assert_null (altclip_state_dict_parse (NAME, start, &error));
        g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT);
    }
}

static void
test_damaged (void)
{
    g_autoptr (GBytes) bytes = read_golden ("views.bin");
    gsize n;
    g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, &n), g_bytes_get_size (bytes));
    guint32 state = 1;

    n = g_bytes_get_size (bytes);
    for (gsize at = 0; at < n; at += 1 + state % 9) {
        guint8 before = data[at];

        state = state * 1664525u + 1013904223u;
        data[at] = (guint8)(state >> 24);
        read_whatever_is_there (data, n);
        data[at] = before ^ (guint8)(1 << (state >> 20) % 8);
        read_whatever_is_there (data, n);
        data[at] = before;
    }
}

/* ---- Mapped files ---------------------------------------------------------------------------- */

/* What one tensor lets go of, another that shares its storage still has. */
static void
test_release (void)
{
    const gsize n = 300000;
    const Made made[] = {
        { "rows", "FloatStorage", "0", n, 0, 2, { 500, 600 }, 2, { 600, 1 } },
        { "columns", "FloatStorage", "0", n, 0, 2, { 600, 500 }, 2, { 1, 600 } },
        { "half", "FloatStorage", "0", n, 150000, 1, { 150000 }, 1, { 1 } },
    };
    g_autofree char *directory = g_dir_make_tmp ("altclip-release-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (directory, NAME, NULL);
    g_autoptr (GBytes) built = build_file_of (build_pickle (made, G_N_ELEMENTS (made)), n);
    g_autofree float *values = g_new (float, n);
    g_autoptr (AltclipTensorFile) file = NULL;
    g_autoptr (GBytes) mapped = NULL;
    gsize length;
    const char *data = g_bytes_get_data (built, &length);

    g_assert_true (g_file_set_contents (path, data, (gssize)length, NULL));
    mapped = altclip_file_map (path, NULL, NULL);
    file = altclip_state_dict_parse (NAME, mapped, NULL);
    for (guint round = 0; round < 2; round++) {
        altclip_stored_tensor_read (find (file, "rows"), 0, n, values);
        altclip_weights_release (find (file, "rows"));
        for (gsize i = 0; i < n; i++)
            g_assert_true (values[i] == (float)i);
        altclip_stored_tensor_read (find (file, "columns"), 0, n, values);
        altclip_weights_release (find (file, "columns"));
        for (gsize i = 0; i < n; i++)
            g_assert_true (values[i] == (float)(i % 500 * 600 + i / 500));
        altclip_stored_tensor_read (find (file, "half"), 0, n / 2, values);
        altclip_weights_release (find (file, "half"));
        for (gsize i = 0; i < n / 2; i++)
            g_assert_true (values[i] == (float)(i + n / 2));
    }
    g_unlink (path);
    g_rmdir (directory);
}

/* What make_weights_golden.py printed of the file whose ends are big.head and big.tail. */
#define BIG_TAIL_AT 4800001024
#define BIG_FIRST_AT 832
#define BIG_BIG_AT 1024
#define BIG_LAST_AT 4800001152

/* Returns: %FALSE where files cannot have holes */
static gboolean
write_with_hole (const char *path)
{
    g_autoptr (GBytes) head = read_golden ("big.head");
    g_autoptr (GBytes) tail = read_golden ("big.tail");
    int fd = g_open (path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    gsize n;
    gconstpointer data = g_bytes_get_data (tail, &n);
    gboolean ok;

    g_assert_cmpint (fd, >=, 0);
    ok = pwrite (fd, data, n, BIG_TAIL_AT) == (gssize)n;
    data = g_bytes_get_data (head, &n);
    ok = ok && pwrite (fd, data, n, 0) == (gssize)n;
    close (fd);
    return ok;
}

static gsize
count_resident_pages (GBytes *mapped)
{
    gsize page = (gsize)sysconf (_SC_PAGESIZE);
    gsize n = (g_bytes_get_size (mapped) + page - 1) / page;
    g_autofree guint8 *pages = g_malloc (n);
    gsize resident = 0;

    g_assert_cmpint (
            mincore ((gpointer)g_bytes_get_data (mapped, NULL), g_bytes_get_size (mapped), pages),
            ==, 0);
    for (gsize i = 0; i < n; i++)
        resident += pages[i] & 1;
    return resident;
}

/* 4.8 GB by torch.save(), nearly all of it a hole: found where the reference finds it, and only the
 * pages of the outline are touched. */
static void
test_big (void)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-big-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (directory, NAME, NULL);
    g_autoptr (GError) error = NULL;

    if (write_with_hole (path)) {
        g_autoptr (GBytes) mapped = altclip_file_map (path, NULL, &error);
        g_autoptr (AltclipWeights) weights = altclip_weights_open (directory, &error);
        g_autoptr (AltclipTensorFile) file = NULL;
        const guint8 *begin = g_bytes_get_data (mapped, NULL);
        float values[2];

        g_assert_no_error (error);
        g_assert_cmpuint (count_resident_pages (mapped), <, 100);
        file = altclip_state_dict_parse (NAME, mapped, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (find (file, "first")->data - begin, ==, BIG_FIRST_AT);
        g_assert_cmpuint (find (file, "big")->data - begin, ==, BIG_BIG_AT);
        g_assert_cmpuint (find (file, "big")->n_bytes, ==, 4800000000);
        g_assert_cmpuint (find (file, "last")->data - begin, ==, BIG_LAST_AT);
        altclip_stored_tensor_read (find (file, "big"), 1199999998, 2, values);
        g_assert_cmpfloat (values[1], ==, 0.0f);
    } else {
        g_test_skip ("files cannot have holes here");
    }
    g_unlink (path);
    g_rmdir (directory);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/state-dict/views", test_views);
    g_test_add_func ("/state-dict/buffers", test_buffers);
    g_test_add_func ("/state-dict/outline", test_outline);
    g_test_add_func ("/state-dict/foreign-files", test_foreign_files);
    g_test_add_func ("/state-dict/made", test_made);
    g_test_add_func ("/state-dict/bad-tensors", test_bad_tensors);
    g_test_add_func ("/state-dict/unfolding", test_unfolding);
    g_test_add_func ("/state-dict/twice", test_twice);
    g_test_add_func ("/state-dict/bad-pickles", test_bad_pickles);
    g_test_add_func ("/state-dict/members", test_members);
    g_test_add_func ("/state-dict/compressed", test_compressed);
    g_test_add_func ("/state-dict/truncated", test_truncated);
    g_test_add_func ("/state-dict/damaged", test_damaged);
    g_test_add_func ("/state-dict/release", test_release);
    g_test_add_func ("/state-dict/big", test_big);
    return g_test_run ();
}
