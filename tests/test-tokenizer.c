/* altclip: the tokenizer against the reference's ids, and files that are not what they seem
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Goldens: golden/make_tokenizer_golden.py.
 */

#include "tokenizer.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

static AltclipTokenizer *
open_golden (void)
{
    g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", "tokenizer.model", NULL);
    g_autoptr (GError) error = NULL;
    AltclipTokenizer *tokenizer = altclip_tokenizer_open (path, &error);

    g_assert_no_error (error);
    return tokenizer;
}

static json_t *
load_golden (void)
{
    g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", "tokenizer.json", NULL);
    json_t *root = json_load_file (path, 0, NULL);

    g_assert_nonnull (root);
    return root;
}

/* ---- Goldens --------------------------------------------------------------------------------- */

static void
check_case (AltclipTokenizer *tokenizer, json_t *golden, guint max_tokens)
{
    const char *text = json_string_value (json_object_get (golden, "text"));
    const char *expected = json_string_value (json_object_get (golden, "decoded"));
    json_t *ids = json_object_get (golden, "ids");
    g_autoptr (GError) error = NULL;
    g_autoptr (GArray) got = altclip_tokenizer_encode (tokenizer, text, max_tokens, &error);
    g_autofree char *decoded = NULL;
    g_autofree char *shown = g_strescape (text, NULL);

    g_assert_no_error (error);
    g_test_message ("%s", shown);
    for (guint i = 0; i < MIN (got->len, json_array_size (ids)); i++)
        g_assert_cmpint (
                g_array_index (got, gint32, i), ==, json_integer_value (json_array_get (ids, i)));
    g_assert_cmpuint (got->len, ==, json_array_size (ids));
    decoded = altclip_tokenizer_decode (tokenizer, (const gint32 *)got->data, got->len, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (decoded, ==, expected);
}

static void
test_goldens (void)
{
    g_autoptr (AltclipTokenizer) tokenizer = open_golden ();
    json_t *root = load_golden ();
    guint max_tokens = (guint)json_integer_value (json_object_get (root, "max_tokens"));
    json_t *golden;
    gsize i;

    g_assert_cmpint (json_integer_value (json_object_get (root, "vocab_size")), ==,
            altclip_tokenizer_get_vocab_size (tokenizer));
    g_assert_cmpuint (json_array_size (json_object_get (root, "cases")), >, 200);
    json_array_foreach (json_object_get (root, "cases"), i, golden)
            check_case (tokenizer, golden, max_tokens);
    json_decref (root);
}

static void
test_every_id (void)
{
    g_autoptr (AltclipTokenizer) tokenizer = open_golden ();
    guint n = altclip_tokenizer_get_vocab_size (tokenizer);
    g_autofree gint32 *ids = g_new (gint32, n);
    g_autofree char *text = NULL;
    json_t *root = load_golden ();

    for (guint i = 0; i < n; i++)
        ids[i] = (gint32)i;
    text = altclip_tokenizer_decode (tokenizer, ids, n, NULL);
    g_assert_cmpstr (text, ==, json_string_value (json_object_get (root, "every_id")));
    json_decref (root);
}

static void
test_truncation (void)
{
    g_autoptr (AltclipTokenizer) tokenizer = open_golden ();
    g_autoptr (GArray) all = altclip_tokenizer_encode (tokenizer, "a red circle", 512, NULL);

    for (guint limit = 2; limit <= all->len + 1; limit++) {
        g_autoptr (GArray) ids = altclip_tokenizer_encode (tokenizer, "a red circle", limit, NULL);
        g_assert_cmpuint (ids->len, ==, MIN (limit, all->len));
        for (guint i = 0; i + 1 < ids->len; i++)
            g_assert_cmpint (g_array_index (ids, gint32, i), ==, g_array_index (all, gint32, i));
        g_assert_cmpint (g_array_index (ids, gint32, ids->len - 1), ==, ALTCLIP_TOKEN_EOS);
    }
}

/* ---- Threads --------------------------------------------------------------------------------- */

static gpointer
encode_often (gpointer data)
{
    AltclipTokenizer *tokenizer = data;
    guint sum = 0;

    for (guint i = 0; i < 300; i++) {
        g_autoptr (GArray) ids =
                altclip_tokenizer_encode (tokenizer, "красный круг, 红色的圆形 <mask>", 64, NULL);
        for (guint j = 0; j < ids->len; j++)
            sum = sum * 31 + (guint)g_array_index (ids, gint32, j);
    }
    return GUINT_TO_POINTER (sum);
}

static void
test_threads (void)
{
    g_autoptr (AltclipTokenizer) tokenizer = open_golden ();
    gpointer expected = encode_often (tokenizer);
    GThread *threads[4];

    for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("encode", encode_often, tokenizer);
    for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
        g_assert_true (g_thread_join (threads[i]) == expected);
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void
check_text_refused (const char *text, const char *part)
{
    g_autoptr (AltclipTokenizer) tokenizer = open_golden ();
    g_autoptr (GError) error = NULL;
    GArray *ids = altclip_tokenizer_encode (tokenizer, text, 77, &error);

    g_assert_null (ids);
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT);
    g_assert_nonnull (strstr (error->message, part));
}

static void
test_bad_texts (void)
{
    g_autofree char *huge = g_strnfill (1024 * 1024 + 1, 'a');

    check_text_refused ("red \xff circle", "offset 4");
    check_text_refused ("\xed\xa0\x80", "offset 0");
    check_text_refused ("caf\xc3", "offset 3");
    check_text_refused (huge, "1048576");
}

static void
test_bad_ids (void)
{
    g_autoptr (AltclipTokenizer) tokenizer = open_golden ();
    gint32 ids[] = { -1, G_MININT32, G_MAXINT32,
        (gint32)altclip_tokenizer_get_vocab_size (tokenizer) };
    g_autofree char *empty = altclip_tokenizer_decode (tokenizer, NULL, 0, NULL);

    g_assert_cmpstr (empty, ==, "");
    for (gsize i = 0; i < G_N_ELEMENTS (ids); i++) {
        g_autoptr (GError) error = NULL;
        g_assert_null (altclip_tokenizer_decode (tokenizer, &ids[i], 1, &error));
        g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT);
    }
}

static void
test_missing_file (void)
{
    g_autoptr (GError) missing = NULL;
    g_autoptr (GError) directory = NULL;

    g_assert_null (altclip_tokenizer_open ("/nonexistent/sentencepiece.bpe.model", &missing));
    g_assert_error (missing, ALTCLIP_ERROR, ALTCLIP_ERROR_IO);
    g_assert_nonnull (strstr (missing->message, "/nonexistent/sentencepiece.bpe.model"));
    g_assert_null (altclip_tokenizer_open (g_get_tmp_dir (), &directory));
    g_assert_error (directory, ALTCLIP_ERROR, ALTCLIP_ERROR_IO);
}

/* Opens @bytes as a file. What opens must also work; what does not must say why. */
static gboolean
try_file (const char *path, const char *bytes, gsize n)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTokenizer) tokenizer = NULL;
    const char *texts[] = { "a red circle ﬁ ① ㍿ Å 한국", "红色的圆形 <mask> \xf0\x9f\x90\xb1",
        "" };

    g_assert_true (g_file_set_contents (path, bytes, (gssize)n, NULL));
    tokenizer = altclip_tokenizer_open (path, &error);
    if (!tokenizer) {
        g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT);
        g_assert_true (g_str_has_prefix (error->message, path));
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
        g_autoptr (GArray) ids = altclip_tokenizer_encode (tokenizer, texts[i], 77, &error);
        g_autofree char *text = NULL;
        g_assert_no_error (error);
        text = altclip_tokenizer_decode (tokenizer, (const gint32 *)ids->data, ids->len, &error);
        g_assert_no_error (error);
        g_assert_true (g_utf8_validate (text, -1, NULL));
    }
    return TRUE;
}

typedef struct {
    char *directory;
    char *path;
    char *bytes; /* the golden model's */
    gsize n;
} Files;

static void
files_init (Files *files, gconstpointer data)
{
    g_autofree char *golden =
            g_test_build_filename (G_TEST_DIST, "golden", "tokenizer.model", NULL);

    (void)data;
    files->directory = g_dir_make_tmp ("altclip-XXXXXX", NULL);
    files->path = g_build_filename (files->directory, "sentencepiece.bpe.model", NULL);
    g_assert_true (g_file_get_contents (golden, &files->bytes, &files->n, NULL));
}

static void
files_clear (Files *files, gconstpointer data)
{
    (void)data;
    g_remove (files->path);
    g_rmdir (files->directory);
    g_free (files->path);
    g_free (files->directory);
    g_free (files->bytes);
}

static void
test_small_files (Files *files, gconstpointer data)
{
    const char no_specials[] = "\n\3\n\1a\n\3\n\1b\n\3\n\1c\n\3\n\1d";

    (void)data;
    g_assert_false (try_file (files->path, "", 0));
    g_assert_false (try_file (files->path, "{}", 2));
    g_assert_false (try_file (files->path, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11));
    g_assert_false (try_file (files->path, "\n\xff\xff\xff\xff\x0f", 6));
    g_assert_false (try_file (files->path, no_specials, sizeof no_specials - 1));
}

static void
test_truncated_files (Files *files, gconstpointer data)
{
    (void)data;
    for (gsize n = 1; n < files->n; n += files->n / 60)
        try_file (files->path, files->bytes, n);
}

/* Every piece is "\n", length, "\n", length, text, 0x15, score [, 0x18, type]. */
static void
test_wrong_kinds (Files *files, gconstpointer data)
{
    /* trainer_spec { model_type: BPE, WORD, CHAR, and one that there is not } */
    const char *trainers[] = { "\x12\2\x18\2", "\x12\2\x18\3", "\x12\2\x18\4", "\x12\2\x18\x7f" };
    const char *broken_pieces[] = {
        "\n\0",                        /* no text */
        "\n\5\n\3a\0b",                /* a NUL inside */
        "\n\3\n\1\xff",                /* not UTF-8 */
        "\n\6\n\2zz\x18\2",            /* a second unknown */
        "\n\6\n\2zz\x18\x9",           /* no such type */
        "\n\x9\n\2zz\x15\0\0\xc0\x7f", /* a score that is not a number */
        "\n\5\n\1z\x10\1",             /* a score of the wrong type */
    };
    const gsize sizes[] = { 2, 7, 5, 8, 8, 11, 7 };

    (void)data;
    g_assert_true (try_file (files->path, files->bytes, files->n));
    for (gsize i = 0; i < G_N_ELEMENTS (trainers); i++)
        g_assert_false (try_file (files->path, trainers[i], 4));
    for (gsize i = 0; i < G_N_ELEMENTS (broken_pieces); i++) {
        g_autofree char *bytes = g_malloc (files->n + sizes[i]);
        memcpy (bytes, files->bytes, files->n);
        memcpy (bytes + files->n, broken_pieces[i], sizes[i]);
        g_assert_false (try_file (files->path, bytes, files->n + sizes[i]));
    }
}

static void
test_mutated_files (Files *files, gconstpointer data)
{
    g_autoptr (GRand) rand = g_rand_new_with_seed (7);
    g_autofree char *bytes = g_malloc (files->n);
    guint n_runs = g_test_slow () ? 20000 : 400;
    guint n_opened = 0;

    (void)data;
    for (guint run = 0; run < n_runs; run++) {
        gint n_changes = g_rand_int_range (rand, 1, 9);
        memcpy (bytes, files->bytes, files->n);
        while (n_changes--)
            bytes[g_rand_int_range (rand, 0, (gint32)files->n)] = (char)g_rand_int (rand);
        n_opened += try_file (files->path, bytes, files->n) ? 1 : 0;
    }
    g_test_message ("%u of %u mutated files still opened", n_opened, n_runs);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/tokenizer/goldens", test_goldens);
    g_test_add_func ("/tokenizer/every-id", test_every_id);
    g_test_add_func ("/tokenizer/truncation", test_truncation);
    g_test_add_func ("/tokenizer/threads", test_threads);
    g_test_add_func ("/tokenizer/bad-texts", test_bad_texts);
    g_test_add_func ("/tokenizer/bad-ids", test_bad_ids);
    g_test_add_func ("/tokenizer/missing-file", test_missing_file);
    g_test_add ("/tokenizer/small-files", Files, NULL, files_init, test_small_files, files_clear);
    g_test_add ("/tokenizer/truncated-files", Files, NULL, files_init, test_truncated_files,
            files_clear);
    g_test_add ("/tokenizer/wrong-kinds", Files, NULL, files_init, test_wrong_kinds, files_clear);
    g_test_add (
            "/tokenizer/mutated-files", Files, NULL, files_init, test_mutated_files, files_clear);
    return g_test_run ();
}
