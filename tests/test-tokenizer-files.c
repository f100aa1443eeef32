/* altclip: the tokenizer's files in newer directories, and its settings, against the reference
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Goldens: golden/make_tokenizer_files.py, golden/make_tokenizer_golden.py.
 */

#include "tokenizer_config.h"
#include "tokenizer_json.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

static const char *const VERSIONS[] = { "4", "5" };

static void
read_golden (const char *version, const char *name, char **bytes, gsize *n)
{
    g_autofree char *path =
            g_test_build_filename (G_TEST_DIST, "golden", "tokenizers", version, name, NULL);

    g_assert_true (g_file_get_contents (path, bytes, n, NULL));
}

/* Returns: (transfer full): what tokenizer.json of @version holds */
static json_t *
load_golden (const char *version)
{
    g_autofree char *bytes = NULL;
    gsize n;
    json_t *root;

    read_golden (version, "tokenizer.json", &bytes, &n);
    root = json_loadb (bytes, n, 0, NULL);
    g_assert_nonnull (root);
    return root;
}

static AltclipTokenizer *
parse (json_t *root, GError **error)
{
    char *bytes = json_dumps (root, 0);
    AltclipTokenizer *tokenizer = altclip_tokenizer_parse_json ("t", bytes, strlen (bytes), error);

    free (bytes);
    return tokenizer;
}

static void
write_file (const char *directory, const char *name, const char *content, gsize n)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);

    g_assert_true (g_file_set_contents (path, content, (gssize)n, NULL));
}

static void
remove_directory (const char *directory)
{
    g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name (dir))) {
        g_autofree char *path = g_build_filename (directory, name, NULL);
        g_assert_cmpint (g_unlink (path), ==, 0);
    }
    g_assert_cmpint (g_rmdir (directory), ==, 0);
}

/* ---- Goldens --------------------------------------------------------------------------------- */

static void
check_case (AltclipTokenizer *tokenizer, json_t *golden, guint max_tokens)
{
    const char *text = json_string_value (json_object_get (golden, "text"));
    json_t *expected = json_object_get (golden, "ids");
    g_autoptr (GError) error = NULL;
    g_autoptr (GArray) ids = altclip_tokenizer_encode (tokenizer, text, max_tokens, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (ids->len, ==, json_array_size (expected));
    for (guint i = 0; i < ids->len; i++)
        g_assert_cmpint (g_array_index (ids, gint32, i), ==,
                (gint32)json_number_value (json_array_get (expected, i)));
}

static void
check_every_id (AltclipTokenizer *tokenizer, json_t *golden)
{
    guint n = altclip_tokenizer_get_vocab_size (tokenizer);
    g_autofree gint32 *ids = g_new (gint32, n);
    g_autofree char *text = NULL;

    g_assert_cmpuint (n, ==, json_integer_value (json_object_get (golden, "vocab_size")));
    for (guint i = 0; i < n; i++)
        ids[i] = (gint32)i;
    text = altclip_tokenizer_decode (tokenizer, ids, n, NULL);
    g_assert_cmpstr (text, ==, json_string_value (json_object_get (golden, "every_id")));
}

/* The slow class's ids, from what fast classes wrote. */
static void
test_goldens (void)
{
    g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", "tokenizer.json", NULL);
    json_t *golden = json_load_file (path, 0, NULL);
    guint max_tokens = (guint)json_integer_value (json_object_get (golden, "max_tokens"));

    for (gsize v = 0; v < G_N_ELEMENTS (VERSIONS); v++) {
        g_autoptr (AltclipTokenizer) tokenizer = NULL;
        g_autofree char *bytes = NULL;
        g_autoptr (GError) error = NULL;
        json_t *item;
        gsize n;
        gsize i;

        read_golden (VERSIONS[v], "tokenizer.json", &bytes, &n);
        tokenizer = altclip_tokenizer_parse_json ("t", bytes, n, &error);
        g_assert_no_error (error);
        check_every_id (tokenizer, golden);
        json_array_foreach (json_object_get (golden, "cases"), i, item)
                check_case (tokenizer, item, max_tokens);
    }
    json_decref (golden);
}

static void
check_settings (json_t *golden)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-tokenizer-XXXXXX", NULL);
    g_autofree char *model = g_test_build_filename (G_TEST_DIST, "golden", "tokenizer.model", NULL);
    g_autofree char *bytes = NULL;
    g_autoptr (AltclipTokenizer) tokenizer = NULL;
    g_autoptr (GError) error = NULL;
    AltclipTokenizerConfig config;
    json_t *value;
    const char *name;
    gsize n;

    g_assert_true (g_file_get_contents (model, &bytes, &n, NULL));
    write_file (directory, "sentencepiece.bpe.model", bytes, n);
    json_object_foreach (json_object_get (golden, "files"), name, value)
    {
        char *text = json_dumps (value, JSON_ENCODE_ANY);

        write_file (directory, name, text, strlen (text));
        free (text);
    }
    altclip_tokenizer_config_read_directory (&config, directory, &error);
    g_assert_no_error (error);
    tokenizer = altclip_tokenizer_open_directory (directory, &config, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (MIN (config.model_max_length, 512), ==,
            (guint)json_number_value (json_object_get (golden, "max_length")));
    json_array_foreach (json_object_get (golden, "cases"), n, value)
    {
        const char *text = json_string_value (json_object_get (value, "text"));
        g_autoptr (GArray) all = altclip_tokenizer_encode (tokenizer, text, 512, NULL);
        g_autofree char *decoded = altclip_tokenizer_decode (
                tokenizer, (const gint32 *)(gconstpointer)all->data, all->len, NULL);

        check_case (tokenizer, value, MIN (config.model_max_length, 512));
        g_assert_cmpstr (decoded, ==, json_string_value (json_object_get (value, "decoded")));
    }
    remove_directory (directory);
}

static void
test_settings (void)
{
    g_autofree char *path =
            g_test_build_filename (G_TEST_DIST, "golden", "tokenizers", "settings.json", NULL);
    json_t *root = json_load_file (path, JSON_DECODE_INT_AS_REAL, NULL);
    json_t *golden;
    gsize i;

    g_assert_cmpuint (json_array_size (root), >, 8);
    json_array_foreach (root, i, golden) check_settings (golden);
    json_decref (root);
}

/* Directories as the libraries write them: no sentencepiece model, any length. */
static void
test_directories (void)
{
    static const char *const names[] = { "tokenizer.json", "tokenizer_config.json" };

    for (gsize v = 0; v < G_N_ELEMENTS (VERSIONS); v++) {
        g_autofree char *directory = g_dir_make_tmp ("altclip-tokenizer-XXXXXX", NULL);
        g_autoptr (AltclipTokenizer) tokenizer = NULL;
        g_autoptr (GError) error = NULL;
        AltclipTokenizerConfig config;

        for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
            g_autofree char *bytes = NULL;
            gsize n;

            read_golden (VERSIONS[v], names[i], &bytes, &n);
            write_file (directory, names[i], bytes, n);
        }
        altclip_tokenizer_config_read_directory (&config, directory, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (config.model_max_length, ==, G_MAXUINT);
        tokenizer = altclip_tokenizer_open_directory (directory, &config, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (altclip_tokenizer_get_vocab_size (tokenizer), ==, 629);
        remove_directory (directory);
    }
}

/* ---- Refused --------------------------------------------------------------------------------- */

/* Sets, or with no value takes away, what lies at @path of @root: names and numbers. */
static void
set_at (json_t *root, const char *path, const char *text)
{
    g_auto (GStrv) names = g_strsplit (path, "/", -1);
    guint last = g_strv_length (names) - 1;
    json_t *parent = root;

    for (guint i = 0; i < last; i++)
        parent = json_is_array (parent)
                         ? json_array_get (parent, (gsize)g_ascii_strtoll (names[i], NULL, 10))
                         : json_object_get (parent, names[i]);
    g_assert_nonnull (parent);
    if (!text)
        json_object_del (parent, names[last]);
    else if (json_is_array (parent))
        json_array_set_new (parent, (gsize)g_ascii_strtoll (names[last], NULL, 10),
                json_loads (text, JSON_DECODE_ANY, NULL));
    else
        json_object_set_new (parent, names[last], json_loads (text, JSON_DECODE_ANY, NULL));
}

#define ENTRY_LIMIT ", but must be [text of 1 to 1024 bytes, score from -1e+06 to 1e+06]"
#define TOKEN_LIMIT ", but must be <s>, <pad>, </s>, <unk> or <mask>: others are not supported"

static const struct {
    const char *path;
    const char *value;   /* NULL: absent */
    const char *message; /* NULL: taken */
} CHANGES[] = {
    { "model", NULL, "t: model.unk_id is absent, but must be 3" },
    { "model", "[]", "t: model.unk_id is absent, but must be 3" },
    { "model/type", "\"BPE\"", "t: model.type is \"BPE\", but must be \"Unigram\"" },
    { "model/type", NULL, NULL },
    { "model/unk_id", "0", "t: model.unk_id is 0.0, but must be 3" },
    { "model/byte_fallback", "true", "t: model.byte_fallback is true, but must be false" },
    { "model/byte_fallback", "null", NULL },
    { "model/vocab", NULL, "t: model.vocab is absent, but must be a list" },
    { "model/vocab", "{}", "t: model.vocab is {}, but must be a list" },
    { "model/vocab",
            "[[\"<s>\", 0], [\"<pad>\", 0], [\"</s>\", 0], [\"<unk>\", 0], [\"<mask>\", 0]]",
            "t: model.vocab has 5 entries, but must have 6 to 2000000" },
    { "model/vocab/0/0", "\"[CLS]\"", "t: model.vocab[0][0] is \"[CLS]\", but must be \"<s>\"" },
    { "model/vocab/3/0", "\"<pad>\"", "t: model.vocab[3][0] is \"<pad>\", but must be \"<unk>\"" },
    { "model/vocab/628/0", "\"x\"", "t: model.vocab[628][0] is \"x\", but must be \"<mask>\"" },
    { "model/vocab/100", "5", "t: model.vocab[100] is 5.0" ENTRY_LIMIT },
    { "model/vocab/100", "[\"a\"]", "t: model.vocab[100] is [\"a\"]" ENTRY_LIMIT },
    { "model/vocab/100", "[\"\", 0.5]", "t: model.vocab[100] is [\"\",0.5]" ENTRY_LIMIT },
    { "model/vocab/100", "[\"a\", \"b\"]", "t: model.vocab[100] is [\"a\",\"b\"]" ENTRY_LIMIT },
    { "model/vocab/100", "[\"a\", 1e7]", "t: model.vocab[100] is [\"a\",10000000.0]" ENTRY_LIMIT },
    { "model/vocab/100/0", "\"a\"", "a is already defined" },
    { "normalizer", "{\"type\": \"NFKC\"}",
            "t: normalizer.type is \"NFKC\", but must be \"Precompiled\" (once), \"Strip\" or "
            "\"Replace\"" },
    { "normalizer", "null", NULL },
    { "normalizer/normalizers", "5", "t: normalizer.normalizers is 5.0, but must be a list" },
    { "normalizer/normalizers/1", "{\"type\": \"Lowercase\"}",
            "t: normalizer.normalizers[1].type is \"Lowercase\", but must be" },
    { "normalizer/normalizers/1/strip_left", "true",
            "t: normalizer.normalizers[1].strip_left is true, but must be false" },
    { "normalizer/normalizers/1/strip_right", NULL,
            "t: normalizer.normalizers[1].strip_right is absent, but must be true" },
    { "normalizer/normalizers/2/pattern", "{\"String\": \"a\"}",
            "t: normalizer.normalizers[2].pattern is {\"String\":\"a\"}, but must be {\"Regex\": "
            "\" "
            "{2,}\"}" },
    { "normalizer/normalizers/2/content", "\" \"", NULL },
    { "normalizer/normalizers/2/content", "\"\"",
            "t: normalizer.normalizers[2].content is \"\", but must be \" \" or \"\\u2581\"" },
    { "normalizer/normalizers/0/precompiled_charsmap", "7",
            "t: normalizer.normalizers[0].precompiled_charsmap is 7.0, but must be a string" },
    { "normalizer/normalizers/0/precompiled_charsmap", "\"a-_b\"",
            "t: normalizer.precompiled_charsmap is \"a-_b\", but must be in base64" },
    { "normalizer/normalizers/0/precompiled_charsmap", "\"AAA\"",
            "t: normalizer.precompiled_charsmap is \"AAA\", but must be in base64" },
    { "normalizer/normalizers/0/precompiled_charsmap", "\"AAAAAAAA\"",
            "t: normalizer_spec: the table has an impossible size" },
    { "normalizer/normalizers/0/precompiled_charsmap", "\"\"", NULL },
    { "pre_tokenizer", NULL, "t: pre_tokenizer.type is absent, but must be \"Metaspace\"" },
    { "pre_tokenizer",
            "{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", "
            "\"add_prefix_space\": true}",
            NULL },
    { "pre_tokenizer",
            "{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", "
            "\"add_prefix_space\": false}",
            "t: pre_tokenizer.add_prefix_space is false, but must be true" },
    { "pre_tokenizer", "{\"type\": \"Sequence\", \"pretokenizers\": []}",
            "t: pre_tokenizer.pretokenizers is [], but must be WhitespaceSplit and Metaspace, in "
            "this order" },
    { "pre_tokenizer", "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Metaspace\"}]}",
            "t: pre_tokenizer.pretokenizers[0].replacement is absent, but must be" },
    { "pre_tokenizer",
            "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": "
            "\"WhitespaceSplit\"}, {\"type\": \"ByteLevel\"}]}",
            "t: pre_tokenizer.pretokenizers[1].type is \"ByteLevel\", but must be \"Metaspace\"" },
    { "pre_tokenizer/prepend_scheme", "\"first\"",
            "t: pre_tokenizer.prepend_scheme is \"first\", but must be \"always\"" },
    { "pre_tokenizer/replacement", "\"_\"", "t: pre_tokenizer.replacement is \"_\", but must be" },
    { "added_tokens", "null", NULL },
    { "added_tokens", "{}", "t: added_tokens is {}, but must be a list" },
    { "added_tokens/1", "\"<pad>\"", "t: added_tokens[1] is \"<pad>\"" TOKEN_LIMIT },
    { "added_tokens/0", "{\"id\": 9, \"content\": \"<s>\"}",
            "t: added_tokens[0] is {\"id\":9.0,\"content\":\"<s>\"}, but must be the token of id "
            "0" },
    { "added_tokens/0", "{\"id\": 629, \"content\": \"cat\"}",
            "t: added_tokens[0] is {\"id\":629.0,\"content\":\"cat\"}" TOKEN_LIMIT },
    { "added_tokens/0/rstrip", "true", "t: added_tokens[0].rstrip is true, but must be false" },
    { "added_tokens/2/single_word", "1",
            "t: added_tokens[2].single_word is 1.0, but must be false" },
    { "added_tokens/4/lstrip", "false", NULL },
    { "added_tokens/3/lstrip", "true", "t: added_tokens[3].lstrip is true, but must be false" },
    { "added_tokens/4/id", "700",
            "t: added_tokens[4].id is 700, but must be 628, the vocabulary's last" },
};

static void
assert_message (const GError *error, const char *message)
{
    g_assert_nonnull (error);
    g_assert_true (error->domain == ALTCLIP_ERROR);
    if (!strstr (error->message, message))
        g_error ("'%s' does not hold '%s'", error->message, message);
}

static void
test_refused_json (void)
{
    json_t *golden = load_golden ("4");

    for (gsize i = 0; i < G_N_ELEMENTS (CHANGES); i++) {
        json_t *root = json_deep_copy (golden);
        g_autoptr (GError) error = NULL;
        g_autoptr (AltclipTokenizer) tokenizer = NULL;

        set_at (root, CHANGES[i].path, CHANGES[i].value);
        tokenizer = parse (root, &error);
        g_test_message ("%s: %s", CHANGES[i].path, error ? error->message : "taken");
        if (CHANGES[i].message)
            assert_message (error, CHANGES[i].message);
        else
            g_assert_no_error (error);
        json_decref (root);
    }
    json_decref (golden);
}

static const struct {
    const char *text;
    const char *message;
} SETTINGS[] = {
    { "{\"model_max_length\": 2}",
            "t: model_max_length is 2.0, but must be an integer of at least 3" },
    { "{\"model_max_length\": 77.5}", "t: model_max_length is 77.5, but must be an integer" },
    { "{\"max_len\": \"512\"}", "t: max_len is \"512\", but must be an integer of at least 3" },
    { "{\"clean_up_tokenization_spaces\": 1}",
            "t: clean_up_tokenization_spaces is 1.0, but must be true or false" },
    { "{\"padding_side\": \"left\"}", "t: padding_side is \"left\", but must be \"right\"" },
    { "{\"truncation_side\": 5}", "t: truncation_side is 5.0, but must be \"right\"" },
    { "{\"split_special_tokens\": true}", "t: split_special_tokens is true, but must be false" },
    { "{\"add_prefix_space\": false}", "t: add_prefix_space is false, but must be true" },
    { "{\"sp_model_kwargs\": {\"enable_sampling\": true}}",
            "t: sp_model_kwargs.enable_sampling is true, but must be false" },
    { "{\"cls_token\": \"[CLS]\"}", "t: cls_token is \"[CLS]\", but must be \"<s>\"" },
    { "{\"mask_token\": {\"content\": \"<mask>\"}}",
            "t: mask_token.lstrip is false, but must be true" },
    { "{\"mask_token\": {\"content\": \"[MASK]\", \"lstrip\": true}}",
            "t: mask_token is {\"content\":\"[MASK]\",\"lstrip\":true}, but must be \"<mask>\"" },
    { "{\"eos_token\": {\"content\": \"</s>\", \"lstrip\": true}}",
            "t: eos_token.lstrip is true, but must be false" },
    { "{\"additional_special_tokens\": [\"<s>\", \"<extra_0>\"]}",
            "t: additional_special_tokens[1] is \"<extra_0>\"" TOKEN_LIMIT },
    { "{\"extra_special_tokens\": {\"image_token\": \"<image>\"}}",
            "t: extra_special_tokens is \"<image>\"" TOKEN_LIMIT },
    { "{\"extra_special_tokens\": 5}",
            "t: extra_special_tokens is 5.0, but must be a list of tokens" },
    { "{\"added_tokens_decoder\": []}", "t: added_tokens_decoder is [], but must be an object" },
    { "{\"added_tokens_decoder\": {\"250002\": {\"content\": \"cat\"}}}",
            "t: added_tokens_decoder.250002 is {\"content\":\"cat\"}" TOKEN_LIMIT },
    { "{\"added_tokens_decoder\": {\"4\": {\"content\": \"<unk>\"}}}",
            "t: added_tokens_decoder.4 is {\"content\":\"<unk>\"}, but must be the token of id 3" },
    { "{\"added_tokens_decoder\": {\"x\\ny\": {\"content\": \"<s>\"}}}",
            "t: added_tokens_decoder.x�y is {\"content\":\"<s>\"}, but must be the token of id 0" },
    { "{\"added_tokens_decoder\": {\"250001\": {\"content\": \"<mask>\"}}}",
            "t: added_tokens_decoder.250001.lstrip is false, but must be true" },
};

static void
test_refused_settings (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (SETTINGS); i++) {
        const char *text = SETTINGS[i].text;
        g_autoptr (GError) error = NULL;
        AltclipTokenizerConfig config;

        g_assert_false (altclip_tokenizer_config_parse (&config, "t", text, strlen (text), &error));
        assert_message (error, SETTINGS[i].message);
    }
}

static void
assert_directory_refused (const char *directory, const char *name, const char *message)
{
    AltclipTokenizerConfig config;
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_autofree char *full = g_strconcat (path, message, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTokenizer) tokenizer = NULL;

    if (altclip_tokenizer_config_read_directory (&config, directory, &error))
        tokenizer = altclip_tokenizer_open_directory (directory, &config, &error);
    assert_message (error, full);
}

static void
test_refused_directories (void)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-tokenizer-XXXXXX", NULL);
    g_autofree char *bytes = NULL;
    gsize n;

#define WRITE(name, text) write_file (directory, name, text, strlen (text))
    read_golden ("5", "tokenizer.json", &bytes, &n);
    assert_directory_refused (directory, "sentencepiece.bpe.model", ": No such file or directory");
    WRITE ("tokenizer.json", "[");
    assert_directory_refused (directory, "tokenizer.json", ": line 1, column 1: ");
    WRITE ("tokenizer_config.json", "{\"added_tokens_decoder\": {\"700\": {\"content\": \"<mask>\","
                                    " \"lstrip\": true}}}");
    write_file (directory, "tokenizer.json", bytes, n);
    assert_directory_refused (directory, "tokenizer_config.json",
            ": added_tokens_decoder has <mask> at 700, but by the number of pieces in ");
    /* Special tokens are listed in full above, so that older files do not count. */
    WRITE ("added_tokens.json", "{\"a\\u0007cat\": 629, \"b\": 630}");
    WRITE ("special_tokens_map.json", "{\"unk_token\": \"[UNK]\"}");
    assert_directory_refused (directory, "tokenizer_config.json", ": added_tokens_decoder has");
    WRITE ("tokenizer_config.json", "{}");
    assert_directory_refused (directory, "special_tokens_map.json",
            ": unk_token is \"[UNK]\", but must be \"<unk>\"");
    WRITE ("special_tokens_map.json", "{}");
    assert_directory_refused (directory, "added_tokens.json",
            ": holds 2 tokens, the first 'a�cat', but must hold none");
#undef WRITE
    remove_directory (directory);
}

/* What opens must also work; what does not must say why. */
static gboolean
try_bytes (const char *bytes, gsize n)
{
    static const char *const texts[] = { "a red circle ﬁ ① ㍿ Å 한국", "红色的圆形 <mask> 🐱", "" };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTokenizer) tokenizer = altclip_tokenizer_parse_json ("t", bytes, n, &error);

    if (!tokenizer) {
        g_assert_true (error->domain == ALTCLIP_ERROR);
        g_assert_true (g_str_has_prefix (error->message, "t: "));
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
        g_autoptr (GArray) ids = altclip_tokenizer_encode (tokenizer, texts[i], 77, &error);
        g_autofree char *text = NULL;

        g_assert_no_error (error);
        text = altclip_tokenizer_decode (
                tokenizer, (const gint32 *)(gconstpointer)ids->data, ids->len, &error);
        g_assert_no_error (error);
        g_assert_true (g_utf8_validate (text, -1, NULL));
    }
    return TRUE;
}

/* Most of the file is the table, in base64: half of the changes are made to the rest. */
static void
test_mutated_json (void)
{
    g_autoptr (GRand) rand = g_rand_new_with_seed (7);
    g_autofree char *golden = NULL;
    g_autofree char *bytes = NULL;
    guint n_runs = g_test_slow () ? 20000 : 300;
    guint n_opened = 0;
    gsize n;
    gsize table;
    gsize vocab;

    read_golden ("4", "tokenizer.json", &golden, &n);
    table = (gsize)(strstr (golden, "precompiled_charsmap") - golden);
    vocab = (gsize)(strstr (golden, "\"vocab\"") - golden);
    bytes = g_malloc (n);
    g_assert_true (try_bytes (golden, n));
    for (guint run = 0; run < n_runs; run++) {
        gsize begin = run % 2 ? 0 : run % 4 ? table : vocab;
        gsize end = run % 2 ? table : n;

        memcpy (bytes, golden, n);
        for (gint i = g_rand_int_range (rand, 1, 4); i > 0; i--)
            bytes[g_rand_int_range (rand, (gint32)begin, (gint32)end)] ^=
                    (char)(1 << g_rand_int_range (rand, 0, 8));
        n_opened += try_bytes (bytes, n) ? 1 : 0;
    }
    for (gsize cut = 0; cut < n - 2; cut += n / 40)
        g_assert_false (try_bytes (golden, cut));
    g_test_message ("%u of %u mutated files still opened", n_opened, n_runs);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/tokenizer-files/goldens", test_goldens);
    g_test_add_func ("/tokenizer-files/settings", test_settings);
    g_test_add_func ("/tokenizer-files/directories", test_directories);
    g_test_add_func ("/tokenizer-files/refused-json", test_refused_json);
    g_test_add_func ("/tokenizer-files/refused-settings", test_refused_settings);
    g_test_add_func ("/tokenizer-files/refused-directories", test_refused_directories);
    g_test_add_func ("/tokenizer-files/mutated-json", test_mutated_json);
    return g_test_run ();
}
