/* altclip: opening model directories, good and bad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"
#include "safetensors.h"

#include <glib/gstdio.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char CONFIG[] = "{\"model_type\": \"altclip\", \"projection_dim\": 24,"
                             " \"text_config\": {\"vocab_size\": 40, \"hidden_size\": 20,"
                             " \"num_hidden_layers\": 1, \"num_attention_heads\": 2,"
                             " \"intermediate_size\": 30, \"max_position_embeddings\": 16,"
                             " \"project_dim\": 12, \"initializer_factor\": 0.2},"
                             " \"vision_config\": {\"hidden_size\": 36, \"num_hidden_layers\": 2,"
                             " \"num_attention_heads\": 3, \"intermediate_size\": 50,"
                             " \"image_size\": 28, \"patch_size\": 7}}";

typedef struct {
    char *directory;
    char *config;
    char *preprocessor;
    char *weights;
} Fixture;

static void
write_text (const char *path, const char *text)
{
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *source = NULL;

    fixture->directory = g_dir_make_tmp ("altclip-loader-XXXXXX", NULL);
    fixture->config = g_build_filename (fixture->directory, "config.json", NULL);
    fixture->preprocessor = g_build_filename (fixture->directory, "preprocessor_config.json", NULL);
    fixture->weights = g_build_filename (fixture->directory, "model.safetensors", NULL);
    source = g_build_filename (fixture->directory, "source.json", NULL);
    write_text (source, CONFIG);
    altclip_initialise (source, 7, fixture->directory, &error);
    g_assert_no_error (error);
    g_unlink (source);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_unlink (fixture->config);
    g_unlink (fixture->preprocessor);
    g_unlink (fixture->weights);
    g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
    g_free (fixture->directory);
    g_free (fixture->config);
    g_free (fixture->preprocessor);
    g_free (fixture->weights);
}

/* Opening fails with a message that holds each of the strings, up to a NULL. */
static void
assert_refused (Fixture *fixture, AltclipError code, ...)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (fixture->directory, NULL, NULL, &error);
    const char *part;
    va_list list;

    g_assert_null (model);
    g_assert_error (error, ALTCLIP_ERROR, (int)code);
    g_test_message ("%s", error->message);
    va_start (list, code);
    while ((part = va_arg (list, const char *))) {
        if (!strstr (error->message, part))
            g_error ("'%s' does not hold '%s'", error->message, part);
    }
    va_end (list);
}

/* Replaces @from by @to, of any length, in a copy of CONFIG. */
static void
write_config_with (Fixture *fixture, const char *from, const char *to)
{
    g_auto (GStrv) parts = g_strsplit (CONFIG, from, 2);
    g_autofree char *text = NULL;

    g_assert_nonnull (parts[1]);
    text = g_strconcat (parts[0], to, parts[1], NULL);
    write_text (fixture->config, text);
}

/* ---- Good ------------------------------------------------------------------------------------ */

static void
test_opens (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (fixture->directory, NULL, NULL, &error);
    const AltclipModelInfo *info;

    g_assert_no_error (error);
    info = altclip_model_get_info (model);
    g_assert_cmpstr (info->model_type, ==, "altclip");
    g_assert_cmpstr (info->dtype, ==, "float32");
    g_assert_cmpuint (info->projection_dim, ==, 24);
    g_assert_cmpuint (info->image_size, ==, 28);
    g_assert_cmpuint (info->vision.num_hidden_layers, ==, 2);
    g_assert_cmpuint (info->max_tokens, ==, 14);
    g_assert_cmpfloat_with_epsilon (info->logit_scale, exp (2.6592), 1e-4);
}

/* The tokenizer's own limit counts when it is the least. */
static void
test_max_length (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const struct {
        const char *text;
        guint max_tokens;
    } cases[] = {
        { "{\"model_max_length\": 1000000000000000019884624838656}", 14 },
        { "{\"model_max_length\": 15}", 14 },
        { "{\"model_max_length\": 9}", 9 },
    };
    g_autofree char *path = g_build_filename (fixture->directory, "tokenizer_config.json", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (AltclipModel) model = NULL;
        g_autoptr (GError) error = NULL;

        write_text (path, cases[i].text);
        model = altclip_model_open (fixture->directory, NULL, NULL, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (altclip_model_get_info (model)->max_tokens, ==, cases[i].max_tokens);
    }
    write_text (path, "{\"padding_side\": \"left\"}");
    assert_refused (fixture, ALTCLIP_ERROR_CONFIG, path,
            ": padding_side is \"left\", but must be \"right\"", NULL);
    g_unlink (path);
}

static void
test_cancelled (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;

    g_cancellable_cancel (cancellable);
    g_assert_null (altclip_model_open (fixture->directory, NULL, cancellable, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_precision (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const names[] = { "auto", "f32", "bf16", "int8" };

    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
        const AltclipModelOptions options = { .threads = 1, .precision = (AltclipPrecision)i };
        g_autoptr (GError) error = NULL;
        g_autoptr (AltclipModel) model =
                altclip_model_open (fixture->directory, &options, NULL, &error);
        AltclipPrecision found = ALTCLIP_PRECISION_AUTO;
        AltclipTrial trial;

        g_assert_true (altclip_precision_from_name (names[i], &found));
        g_assert_cmpint (found, ==, i);
        g_assert_cmpstr (altclip_precision_get_name (found), ==, names[i]);
        g_assert_no_error (error);
        g_assert_true (altclip_model_get_precision (model, &found, NULL, NULL));
        /* Too small to be timed. */
        g_assert_false (altclip_model_get_trial (model, &trial));
        g_assert_cmpint (found, ==, i == ALTCLIP_PRECISION_AUTO ? ALTCLIP_PRECISION_F32 : i);
    }
}

/* One picture alone and in a batch, with one thread and with three: the same embedding. */
static void
test_batches_agree (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) model = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    const gsize size = 3 * 28 * 28;
    g_autofree float *pixel_values = g_new (float, 5 * size);
    float expected[5 * 24];

    for (gsize i = 0; i < 5 * size; i++)
        pixel_values[i] = sinf ((float)i * 0.37f);
    for (guint threads = 1; threads <= 3; threads++) {
        g_autoptr (AltclipSession) session = altclip_session_new (model, threads, NULL);
        float alone[5 * 24];
        float together[5 * 24];

        for (guint i = 0; i < 5; i++)
            g_assert_true (altclip_session_encode_images (
                    session, pixel_values + i * size, 1, alone + 24 * i, NULL));
        g_assert_true (altclip_session_encode_images (session, pixel_values, 5, together, NULL));
        if (threads == 1)
            memcpy (expected, alone, sizeof expected);
        for (guint i = 0; i < 5 * 24; i++) {
            g_assert_cmpfloat_with_epsilon (alone[i], expected[i], 1e-6);
            g_assert_cmpfloat_with_epsilon (together[i], expected[i], 1e-6);
        }
    }
}

static void
test_seeds (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *first = NULL;
    g_autofree char *again = NULL;
    g_autofree char *other = NULL;
    gsize length;

    g_assert_true (g_file_get_contents (fixture->weights, &first, &length, NULL));
    g_assert_true (altclip_initialise (fixture->config, 7, fixture->directory, NULL));
    g_assert_true (g_file_get_contents (fixture->weights, &again, &length, NULL));
    g_assert_cmpmem (first, length, again, length);
    g_assert_true (altclip_initialise (fixture->config, 8, fixture->directory, NULL));
    g_assert_true (g_file_get_contents (fixture->weights, &other, &length, NULL));
    g_assert_true (memcmp (first, other, length) != 0);
}

/* ---- Directory ------------------------------------------------------------------------------- */

static void
test_no_directory (void)
{
    g_autoptr (GError) error = NULL;

    g_assert_null (altclip_model_open ("/nonexistent/model", NULL, NULL, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO);
    g_assert_cmpstr (error->message, ==,
            "model directory '/nonexistent/model' does not exist or is not a directory");
}

static void
test_missing_files (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_unlink (fixture->weights);
    assert_refused (fixture, ALTCLIP_ERROR_IO, "model.safetensors", NULL);
    g_unlink (fixture->config);
    assert_refused (fixture, ALTCLIP_ERROR_IO, "config.json", NULL);
}

/* A pipe without a writer would keep a careless reader waiting for ever. */
static void
test_pipes (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    char *const *paths[] = { &fixture->weights, &fixture->preprocessor, &fixture->config };

    for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
        g_unlink (*paths[i]);
        g_assert_cmpint (mkfifo (*paths[i], 0600), ==, 0);
        assert_refused (fixture, ALTCLIP_ERROR_IO, *paths[i], ": not a regular file", NULL);
    }
}

static void
test_oversized (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_assert_cmpint (truncate (fixture->config, (off_t)6 << 30), ==, 0);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, fixture->config,
            ": 6442450944 bytes exceed the limit of 8388608", NULL);
}

/* ---- config.json ----------------------------------------------------------------------------- */

static void
test_bad_config (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const struct {
        const char *from;
        const char *to;
        AltclipError code;
        const char *message; /* after the path */
    } cases[] = {
        { "\"altclip\"", "\"clip\"", ALTCLIP_ERROR_CONFIG,
                ": model_type is \"clip\", but must be \"altclip\", \"altclip_text_model\" or" },
        { "\"projection_dim\": 24", "\"projection_dim\": \"x\"", ALTCLIP_ERROR_CONFIG,
                ": projection_dim is \"x\", but must be an integer from 1 to 32768" },
        { "\"hidden_size\": 36", "\"hidden_size\": -1", ALTCLIP_ERROR_CONFIG,
                ": vision_config.hidden_size is -1, but must be an integer from 1 to 32768" },
        { "\"hidden_size\": 36", "\"hidden_size\": 4294967332", ALTCLIP_ERROR_CONFIG,
                ": vision_config.hidden_size is 4294967332, but must be an integer from 1" },
        { "\"hidden_size\": 36", "\"hidden_size\": 37", ALTCLIP_ERROR_CONFIG,
                ": vision_config.hidden_size 37 is not a multiple of num_attention_heads 3" },
        { "\"patch_size\": 7", "\"patch_size\": 29", ALTCLIP_ERROR_CONFIG,
                ": vision_config.patch_size is 29, but must be such that image_size 28 holds" },
        { "\"intermediate_size\": 50, \"image_size\": 28, \"patch_size\": 7",
                "\"image_size\": 127, \"patch_size\": 1, \"intermediate_size\": 30000",
                ALTCLIP_ERROR_CONFIG,
                ": vision_config.image_size 127 and patch_size 1 make 16130 tokens of up to" },
        { "\"patch_size\": 7", "\"num_channels\": 2", ALTCLIP_ERROR_CONFIG,
                ": vision_config.num_channels is 2, but must be 1 or 3" },
        { "\"patch_size\": 7", "\"hidden_act\": \"tanh\"", ALTCLIP_ERROR_CONFIG,
                ": vision_config.hidden_act is \"tanh\", but must be one of gelu, gelu_new" },
        { "\"project_dim\": 12", "\"position_embedding_type\": \"rotary\"", ALTCLIP_ERROR_CONFIG,
                ": text_config.position_embedding_type is \"rotary\", but must be" },
        { "\"text_config\": {", "\"text_config\": 5, \"other\": {", ALTCLIP_ERROR_CONFIG,
                ": text_config is 5, but must be an object" },
        { "\"altclip\"", "\"alt\xff\"", ALTCLIP_ERROR_FORMAT, "config.json: line 1, column" },
        { "}}", "}", ALTCLIP_ERROR_FORMAT, "config.json: line 1, column" },
        { "{\"model_type\"", "[\"model_type\"", ALTCLIP_ERROR_FORMAT,
                "config.json: line 1, column" },
        { "\"projection_dim\": 24", "\"model_type\": \"x\"", ALTCLIP_ERROR_FORMAT,
                "duplicate object key" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        write_config_with (fixture, cases[i].from, cases[i].to);
        assert_refused (fixture, cases[i].code, fixture->config, cases[i].message, NULL);
    }
}

static void
test_deep_json (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *deep = g_strnfill (1000000, '[');

    write_text (fixture->config, deep);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, fixture->config, "maximum parsing depth", NULL);
}

static void
test_bad_preprocessor (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    write_text (fixture->preprocessor, "{\"resample\": 6}");
    assert_refused (fixture, ALTCLIP_ERROR_CONFIG, fixture->preprocessor,
            ": resample is 6, but must be an integer from 0 to 5", NULL);
}

/* ---- model.safetensors ----------------------------------------------------------------------- */

/* Writes a safetensors file from a header and a number of zero bytes of data. */
static void
write_safetensors (const char *path, const char *header, gsize n_data)
{
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    guint64 length = GUINT64_TO_LE (strlen (header));

    g_byte_array_append (bytes, (const guint8 *)&length, 8);
    g_byte_array_append (bytes, (const guint8 *)header, (guint)strlen (header));
    g_byte_array_set_size (bytes, bytes->len + (guint)n_data);
    memset (bytes->data + bytes->len - n_data, 0, n_data);
    g_assert_true (g_file_set_contents (path, (const char *)bytes->data, (gssize)bytes->len, NULL));
}

static void
test_bad_outlines (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
#define TENSOR(shape, range) \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" range "}}"
    static const struct {
        const char *header;
        gsize n_data;
        const char *message;
    } cases[] = {
        { "{", 0, "header: " },
        { "[]", 0, "header: not a JSON object" },
        { TENSOR ("[2]", "[0,8]"), 4, "do not lie within the file's 4 bytes of data" },
        { TENSOR ("[2]", "[8,0]"), 8, "do not lie within" },
        { TENSOR ("[2]", "[-8,0]"), 8, "do not lie within" },
        { TENSOR ("[2]", "[0,9223372036854775807]"), 8, "do not lie within" },
        { TENSOR ("[2]", "[0]"), 8, "do not lie within" },
        { TENSOR ("[3]", "[0,8]"), 8, "shape [3] of 32-bit elements does not fill its 8 bytes" },
        { TENSOR ("[-1]", "[0,8]"), 8, "dimension 0 of its shape (-1)" },
        { TENSOR ("[4294967296,4294967296]", "[0,8]"), 8, "dimension 1 of its shape" },
        { TENSOR ("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "at most 8 numbers" },
        { TENSOR ("[1]", "[4,8]"), 8, "its data begin at byte 4, where 0 was expected" },
        { TENSOR ("[1]", "[0,4]"), 8, "4 bytes after the last tensor belong to none" },
        { "{\"a\":{\"dtype\":\"F31\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
                "unknown dtype 'F31'" },
        { "{\"a\":{\"dtype\":\"F\\n\\u001b32\"}}", 0, "unknown dtype 'F\uFFFD\uFFFD32'" },
        { "{\"a\":\x01}", 0, "header: invalid token near '\uFFFD'" },
        { "{\"a\\nb\":{}}", 0,
                "a tensor's name of 3 bytes; it must have 1 to 256, and no control" },
        { "{\"a\":5}", 0, "unknown dtype '(not a string)'" },
        { "{\"a\":{},\"a\":{}}", 0, "duplicate object key" },
    };
#undef TENSOR

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        write_safetensors (fixture->weights, cases[i].header, cases[i].n_data);
        assert_refused (fixture, ALTCLIP_ERROR_FORMAT, fixture->weights, cases[i].message, NULL);
    }
}

static void
test_truncated (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *contents = NULL;
    gsize length;

    g_assert_true (g_file_get_contents (fixture->weights, &contents, &length, NULL));
    g_file_set_contents (fixture->weights, contents, (gssize)length - 1, NULL);
    assert_refused (
            fixture, ALTCLIP_ERROR_FORMAT, fixture->weights, "is the file truncated?", NULL);
    g_file_set_contents (fixture->weights, contents, 100, NULL);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, fixture->weights, "header length",
            "does not fit the file of 100 bytes (is the file truncated?)", NULL);
    g_file_set_contents (fixture->weights, contents, 7, NULL);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, fixture->weights, "7 bytes are too few", NULL);
    g_file_set_contents (fixture->weights, contents, 0, NULL);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, fixture->weights, "0 bytes are too few", NULL);
}

/* Replaces every @from in the header by @to, of any length. */
static void
edit_header (Fixture *fixture, const char *from, const char *to)
{
    g_autoptr (GString) header = g_string_new (NULL);
    g_autofree char *contents = NULL;
    guint64 n_header;
    gsize length;
    gsize n_data;

    g_assert_true (g_file_get_contents (fixture->weights, &contents, &length, NULL));
    memcpy (&n_header, contents, 8);
    n_data = length - 8 - (gsize)n_header;
    g_string_append_len (header, contents + 8, (gssize)n_header);
    g_assert_cmpuint (g_string_replace (header, from, to, 0), >, 0);
    n_header = header->len;
    g_string_prepend_len (header, (const char *)&n_header, 8);
    g_string_append_len (header, contents + length - n_data, (gssize)n_data);
    g_assert_true (g_file_set_contents (fixture->weights, header->str, (gssize)header->len, NULL));
}

static void
test_missing_tensor (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    edit_header (fixture, "layers.1.mlp.fc2.bias", "layers.1.mlp.fc2.spare");
    assert_refused (fixture, ALTCLIP_ERROR_TENSOR, fixture->weights,
            "tensor 'vision_model.encoder.layers.1.mlp.fc2.bias' is missing", NULL);
}

/* Either word, in either tower; and header lengths that leave the data misaligned. */
static void
test_either_layer_word (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const edits[][2] = {
        { "roberta.encoder.layer.", "roberta.encoder.layers." },
        { "vision_model.encoder.layers.", "vision_model.encoder.layer." },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (edits); i++) {
        g_autoptr (AltclipModel) model = NULL;
        g_autoptr (GError) error = NULL;

        edit_header (fixture, edits[i][0], edits[i][1]);
        model = altclip_model_open (fixture->directory, NULL, NULL, &error);
        g_assert_no_error (error);
    }
}

static void
test_extra_tensors (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = NULL;

    edit_header (fixture, "\"logit_scale\"",
            "\"text_model.roberta.embeddings.position_ids\":{\"dtype\":\"I64\",\"shape\":[0],"
            "\"data_offsets\":[0,0]},\"logit_scale\"");
    model = altclip_model_open (fixture->directory, NULL, NULL, &error);
    g_assert_no_error (error);
}

/* Whatever dimension the configuration has wrong, the message names it, the tensor, and both
 * values.
 */
static void
test_every_dimension (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
#define TEXT "tensor 'text_model.roberta."
#define VISION "tensor 'vision_model."
    static const struct {
        const char *from;
        const char *to;
        const char *tensor;
        const char *shapes;
    } cases[] = {
        { "\"vocab_size\": 40", "\"vocab_size\": 41", TEXT "embeddings.word_embeddings.weight'",
                "[40, 20], but config.json asks for [41, 20] (vocab_size × hidden_size)" },
        { "\"hidden_size\": 20", "\"hidden_size\": 22", TEXT "embeddings.word_embeddings.weight'",
                "[40, 20], but config.json asks for [40, 22] (vocab_size × hidden_size)" },
        { "\"max_position_embeddings\": 16", "\"max_position_embeddings\": 17",
                TEXT "embeddings.position_embeddings.weight'",
                "[16, 20], but config.json asks for [17, 20] (max_position_embeddings × "
                "hidden_size)" },
        { "\"vocab_size\": 40", "\"vocab_size\": 40, \"type_vocab_size\": 2",
                TEXT "embeddings.token_type_embeddings.weight'",
                "[1, 20], but config.json asks for [2, 20] (type_vocab_size × hidden_size)" },
        { "\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2", TEXT "encoder.layer.1.",
                "' is missing" },
        { "\"intermediate_size\": 30", "\"intermediate_size\": 32",
                TEXT "encoder.layer.0.intermediate.dense.weight'",
                "[30, 20], but config.json asks for [32, 20] (intermediate_size × hidden_size)" },
        { "\"project_dim\": 12", "\"project_dim\": 13", "'text_model.transformation.weight'",
                "[12, 20], but config.json asks for [13, 20] (project_dim × hidden_size)" },
        { "\"projection_dim\": 24", "\"projection_dim\": 25", "_projection.weight'",
                "but config.json asks for [25, " },
        { "\"hidden_size\": 36", "\"hidden_size\": 39", VISION "embeddings.class_embedding'",
                "[36], but config.json asks for [39] (hidden_size)" },
        { "\"patch_size\": 7", "\"patch_size\": 7, \"num_channels\": 1",
                VISION "embeddings.patch_embedding.weight'",
                "[36, 3, 7, 7], but config.json asks for [36, 1, 7, 7] (hidden_size × num_channels "
                "× patch_size × patch_size)" },
        { "\"patch_size\": 7", "\"patch_size\": 14", VISION "embeddings.patch_embedding.weight'",
                "[36, 3, 7, 7], but config.json asks for [36, 3, 14, 14] (hidden_size × "
                "num_channels × patch_size × patch_size)" },
        { "\"image_size\": 28", "\"image_size\": 35",
                VISION "embeddings.position_embedding.weight'",
                "[17, 36], but config.json asks for [26, 36] ((image_size / patch_size)² + 1 × "
                "hidden_size)" },
        { "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", VISION "encoder.layers.2.",
                "' is missing" },
        { "\"intermediate_size\": 50", "\"intermediate_size\": 48",
                VISION "encoder.layers.0.mlp.fc1.weight'",
                "[50, 36], but config.json asks for [48, 36] (intermediate_size × hidden_size)" },
    };
#undef TEXT
#undef VISION

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        write_config_with (fixture, cases[i].from, cases[i].to);
        assert_refused (fixture, ALTCLIP_ERROR_TENSOR, fixture->weights, cases[i].tensor,
                cases[i].shapes, NULL);
    }
}

/* Makes element @index of a tensor not-a-number. */
static void
spoil_weight (Fixture *fixture, const char *tensor, gsize index)
{
    static const guint32 not_a_number = 0x7fc00000;
    g_autofree char *contents = NULL;
    guint64 n_header;
    gsize length;
    const char *entry;
    char *range;

    g_assert_true (g_file_get_contents (fixture->weights, &contents, &length, NULL));
    memcpy (&n_header, contents, 8);
    entry = g_strstr_len (contents + 8, (gssize)n_header, tensor);
    range = strstr (entry, "\"data_offsets\":[") + strlen ("\"data_offsets\":[");
    memcpy (contents + 8 + n_header + g_ascii_strtoull (range, NULL, 10) + 4 * index, &not_a_number,
            4);
    g_assert_true (g_file_set_contents (fixture->weights, contents, (gssize)length, NULL));
}

/* Not-a-number in one weight must reach the self-test, whatever activations and sums it meets. */
static void
test_one_bad_weight (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    spoil_weight (fixture, "vision_model.encoder.layers.0.mlp.fc1.bias", 0);
    assert_refused (fixture, ALTCLIP_ERROR_COMPUTE, fixture->weights,
            "self-test: picture 1: its embedding has", "nan", NULL);
}

/* The self-test's pictures have 2 × 2 patches, and these weights positions for 5 × 5. */
static void
test_bad_position (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *source = g_build_filename (fixture->directory, "source.json", NULL);

    write_config_with (fixture, "\"image_size\": 28", "\"image_size\": 35");
    g_assert_cmpint (g_rename (fixture->config, source), ==, 0);
    g_assert_true (altclip_initialise (source, 7, fixture->directory, NULL));
    g_unlink (source);
    spoil_weight (fixture, "vision_model.embeddings.position_embedding.weight", 25 * 36 + 35);
    assert_refused (fixture, ALTCLIP_ERROR_COMPUTE, fixture->weights,
            "self-test: the embedding of position 25 holds nan, which is no finite number", NULL);
    spoil_weight (fixture, "vision_model.embeddings.position_embedding.weight", 0);
    assert_refused (fixture, ALTCLIP_ERROR_COMPUTE, fixture->weights,
            "self-test: picture 1: its embedding has", NULL);
}

/* Overwrites the data, past the header, with one 32-bit pattern. */
static void
fill_weights (Fixture *fixture, guint32 pattern)
{
    g_autofree char *contents = NULL;
    guint64 n_header;
    gsize length;

    g_assert_true (g_file_get_contents (fixture->weights, &contents, &length, NULL));
    memcpy (&n_header, contents, 8);
    for (gsize at = 8 + (gsize)n_header; at + 4 <= length; at += 4)
        memcpy (contents + at, &pattern, 4);
    g_assert_true (g_file_set_contents (fixture->weights, contents, (gssize)length, NULL));
}

static void
test_useless_weights (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    fill_weights (fixture, 0x7fc00000); /* NaN */
    assert_refused (fixture, ALTCLIP_ERROR_TENSOR, "tensor 'logit_scale' holds nan", NULL);
    fill_weights (fixture, 0x3c000000); /* the same small number everywhere */
    assert_refused (fixture, ALTCLIP_ERROR_COMPUTE, fixture->weights,
            "self-test: two different pictures have the same embedding", NULL);
    fill_weights (fixture, 0x00000000);
    assert_refused (fixture, ALTCLIP_ERROR_COMPUTE,
            "self-test: picture 1: its embedding has the length 0", NULL);
}

/* ---- Lazily, and one tower ------------------------------------------------------------------- */

static AltclipModel *
open_lazily (Fixture *fixture)
{
    const AltclipModelOptions options = { .threads = 1, .flags = ALTCLIP_MODEL_LAZY };
    g_autoptr (GError) error = NULL;
    AltclipModel *model = altclip_model_open (fixture->directory, &options, NULL, &error);

    g_assert_no_error (error);
    return model;
}

static gboolean
encode_picture (AltclipModel *model, float embedding[24], GError **error)
{
    g_autoptr (AltclipSession) session = altclip_session_new (model, 1, NULL);
    float pixel_values[3 * 28 * 28];

    for (gsize i = 0; i < G_N_ELEMENTS (pixel_values); i++)
        pixel_values[i] = sinf ((float)i * 0.37f);
    return altclip_session_encode_images (session, pixel_values, 1, embedding, error);
}

static void
test_lazy (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) eager = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    g_autoptr (AltclipModel) model = open_lazily (fixture);
    g_autoptr (GError) error = NULL;
    float expected[24];
    float found[24];

    g_assert_cmpuint (altclip_model_get_memory (model), ==, 0);
    g_assert_cmpuint (altclip_model_get_info (model)->picture_time, ==, 0);
    g_assert_cmpuint (altclip_model_get_info (eager)->picture_time, >, 0);
    g_assert_cmpstr (
            altclip_model_get_kernels (model, NULL), ==, altclip_model_get_kernels (eager, NULL));
    g_assert_cmpuint (altclip_model_get_memory (model), ==, 0);
    g_assert_true (encode_picture (eager, expected, &error));
    g_assert_true (encode_picture (model, found, &error));
    for (guint i = 0; i < 24; i++)
        g_assert_cmpfloat_with_epsilon (found[i], expected[i], 1e-6);
    g_assert_cmpuint (altclip_model_get_memory (model), >, 0);
    g_assert_cmpuint (altclip_model_get_memory (model), ==, altclip_model_get_memory (eager));
}

/* What an eager opening would have found comes with the first picture, each time anew. */
static void
test_lazy_and_useless (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) model = NULL;
    float embedding[24];

    fill_weights (fixture, 0x3c000000);
    model = open_lazily (fixture);
    for (guint i = 0; i < 2; i++) {
        g_autoptr (GError) error = NULL;

        g_assert_false (encode_picture (model, embedding, &error));
        g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
        g_assert_nonnull (strstr (error->message, "self-test: two different pictures"));
    }
}

static void
test_lazy_kernels (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const AltclipModelOptions options = { .kernels = "abacus", .flags = ALTCLIP_MODEL_LAZY };
    g_autoptr (AltclipModel) model = altclip_model_open (fixture->directory, &options, NULL, NULL);
    g_autoptr (GError) error = NULL;
    float embedding[24];

    g_assert_null (altclip_model_get_kernels (model, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
    g_assert_nonnull (strstr (error->message, "kernels 'abacus' are not known"));
    g_clear_error (&error);
    g_assert_false (encode_picture (model, embedding, &error));
    g_assert_nonnull (strstr (error->message, "kernels 'abacus' are not known"));
}

/* Such a directory can do nothing for @towers, and says so: @what names the tensor. */
static void
assert_cannot_embed (Fixture *fixture, AltclipModel *model, AltclipTowers towers, const char *what)
{
    g_autoptr (AltclipSession) session = altclip_session_new (model, 1, NULL);
    g_autofree char *expected = g_strdup_printf ("%s: %s", fixture->directory, what);
    g_autoptr (GError) asked = NULL;
    g_autoptr (GError) tried = NULL;
    const char *text = "a";
    float pixel_values[3 * 28 * 28] = { 0 };
    float embedding[24];

    g_assert_false (altclip_model_can_embed (model, towers, &asked));
    g_assert_error (asked, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR);
    g_assert_cmpstr (asked->message, ==, expected);
    if (towers == ALTCLIP_TOWER_IMAGE)
        g_assert_false (
                altclip_session_encode_images (session, pixel_values, 1, embedding, &tried));
    else
        g_assert_false (altclip_session_encode_texts (session, &text, 1, NULL, embedding, &tried));
    g_assert_error (tried, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR);
    g_assert_cmpstr (tried->message, ==, expected);
}

static void
test_image_tower_alone (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) model = NULL;
    const AltclipModelInfo *info;
    float embedding[24];

    edit_header (fixture, "\"text_", "\"spare_text_");
    edit_header (fixture, "\"logit_scale\"", "\"spare_scale\"");
    model = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    info = altclip_model_get_info (model);
    g_assert_cmpint (info->towers, ==, ALTCLIP_TOWER_IMAGE);
    g_assert_cmpuint (info->projection_dim, ==, 24);
    g_assert_cmpuint (info->parameters, ==, info->vision.parameters + 24 * 36);
    g_assert_cmpfloat (info->logit_scale, ==, 0.0);
    g_assert_null (info->text.hidden_act);
    g_assert_true (encode_picture (model, embedding, NULL));
    assert_cannot_embed (fixture, model, ALTCLIP_TOWER_TEXT,
            "holds no text tower (tensor 'text_model.roberta.embeddings.word_embeddings.weight' is "
            "missing)");
}

static void
test_text_tower_alone (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) model = NULL;
    g_autoptr (GError) error = NULL;
    const AltclipModelInfo *info;

    edit_header (fixture, "\"vi", "\"spare_vi");
    model = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    info = altclip_model_get_info (model);
    g_assert_cmpint (info->towers, ==, ALTCLIP_TOWER_TEXT);
    g_assert_cmpuint (info->projection_dim, ==, 24);
    g_assert_cmpuint (info->parameters, ==, info->text.parameters + 24 * 12 + 1);
    g_assert_cmpuint (info->image_size, ==, 0);
    g_assert_nonnull (altclip_model_get_kernels (model, NULL));
    g_assert_true (altclip_model_can_embed (model, ALTCLIP_TOWER_TEXT, NULL));
    assert_cannot_embed (fixture, model, ALTCLIP_TOWER_IMAGE,
            "holds no image tower (tensor 'vision_model.embeddings.class_embedding' is missing)");
    g_assert_null (altclip_image_plan_new (model, 28, 28, &ALTCLIP_PIXEL_LAYOUT_RGB, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR);
}

/* Alone and without what leads to an embedding, as the reference's classes for one tower write it.
 */
static void
test_towers_without_projections (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) image = NULL;
    g_autoptr (AltclipModel) text = NULL;

    edit_header (fixture, "projection.weight", "projection.spare");
    assert_refused (
            fixture, ALTCLIP_ERROR_TENSOR, "tensor 'visual_projection.weight' is missing", NULL);
    edit_header (fixture, "\"text_model.", "\"spare.text_model.");
    image = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    g_assert_cmpuint (altclip_model_get_info (image)->projection_dim, ==, 0);
    g_assert_cmpuint (altclip_model_get_info (image)->picture_time, >, 0);
    assert_cannot_embed (fixture, image, ALTCLIP_TOWER_IMAGE,
            "holds no projection of the image tower (tensor 'visual_projection.weight' is "
            "missing), "
            "without which there are no embeddings");
    edit_header (fixture, "\"vision_model.", "\"spare.vision_model.");
    assert_refused (fixture, ALTCLIP_ERROR_TENSOR, fixture->weights,
            ": holds neither an image tower ('vision_model.embeddings.class_embedding' is missing) "
            "nor a text tower ('text_model.roberta.embeddings.word_embeddings.weight' is missing)",
            NULL);
    edit_header (fixture, "\"spare.text_model.", "\"text_model.");
    text = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    assert_cannot_embed (fixture, text, ALTCLIP_TOWER_TEXT,
            "holds no projection of the text tower (tensor 'text_projection.weight' is missing), "
            "without which there are no embeddings");
}

/* A link that leads nowhere, as in a download that was half removed, is not a file that is not
 * there: its settings must not be done without. */
static void
test_broken_links (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const names[] = { "config.json", "model.safetensors",
        "processor_config.json", "preprocessor_config.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json" };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *path = g_build_filename (fixture->directory, names[i], NULL);
        g_autofree char *aside = g_strconcat (path, ".aside", NULL);
        gboolean is_there = g_rename (path, aside) == 0;

        g_assert_cmpint (symlink ("blobs/0", path), ==, 0);
        assert_refused (fixture, ALTCLIP_ERROR_IO, path, ": No such file or directory", NULL);
        g_unlink (path);
        g_assert_cmpint (symlink (names[i], path), ==, 0);
        assert_refused (
                fixture, ALTCLIP_ERROR_IO, path, ": Too many levels of symbolic links", NULL);
        g_unlink (path);
        g_assert_cmpint (is_there ? g_rename (aside, path) : 0, ==, 0);
    }
}

/* The other form of the tokenizer does not step in. */
static void
test_broken_tokenizer_link (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *pieces =
            g_build_filename (fixture->directory, "sentencepiece.bpe.model", NULL);
    g_autofree char *json = g_build_filename (fixture->directory, "tokenizer.json", NULL);
    g_autoptr (AltclipModel) model = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    g_autoptr (GError) error = NULL;
    g_autofree char *expected = g_strconcat (pieces, ": No such file or directory", NULL);

    write_text (json, "{}");
    g_assert_cmpint (symlink ("blobs/1", pieces), ==, 0);
    g_assert_null (altclip_model_tokenize (model, "a", &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO);
    g_assert_cmpstr (error->message, ==, expected);
    g_unlink (json);
    g_unlink (pieces);
}

/* ---- Embeddings of no numbers ---------------------------------------------------------------- */

static void
assert_no_embedding (Fixture *fixture, const GError *error, const char *reason)
{
    g_autofree char *expected = g_strdup_printf (
            "%s: %s: its embedding has the length nan, which is no positive number",
            fixture->directory, reason);

    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
    g_assert_cmpstr (error->message, ==, expected);
}

static void
test_picture_of_no_numbers (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) model = open_lazily (fixture);
    g_autoptr (AltclipSession) session = altclip_session_new (model, 1, NULL);
    g_autofree float *pixel_values = g_new0 (float, 2 * 3 * 28 * 28);
    AltclipPictures pictures = { .pixel_values = pixel_values, .n = 2 };
    g_autoptr (GError) error = NULL;
    float embeddings[2 * 24];

    pixel_values[3 * 28 * 28] = NAN;
    g_assert_false (altclip_session_encode_images (session, pixel_values, 2, embeddings, &error));
    assert_no_embedding (fixture, error, "picture 2");
    g_clear_error (&error);
    g_assert_null (altclip_session_forward (session, NULL, 0, &pictures, 0, &error));
    assert_no_embedding (fixture, error, "image 2");
}

/* The message quotes the text: its number in the batch would tell nobody anything. */
static void
test_text_of_no_numbers (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const char *texts[] = { "a cat", "a dog" };
    g_autofree char *source = g_build_filename (fixture->directory, "source.json", NULL);
    g_autofree char *pieces =
            g_build_filename (fixture->directory, "sentencepiece.bpe.model", NULL);
    g_autofree char *golden = g_test_build_filename (
            G_TEST_DIST, "golden", "models", "sentencepiece.bpe.model", NULL);
    g_autoptr (AltclipModel) model = NULL;
    g_autoptr (AltclipSession) session = NULL;
    g_autoptr (GError) error = NULL;
    float embeddings[2 * 24];

    write_config_with (fixture, "\"vocab_size\": 40", "\"vocab_size\": 377");
    g_assert_cmpint (g_rename (fixture->config, source), ==, 0);
    g_assert_true (altclip_initialise (source, 7, fixture->directory, NULL));
    g_unlink (source);
    g_assert_cmpint (symlink (golden, pieces), ==, 0);
    spoil_weight (fixture, "text_model.transformation.bias", 0);
    model = open_lazily (fixture);
    session = altclip_session_new (model, 1, NULL);
    g_assert_false (altclip_session_encode_texts (session, texts, 2, NULL, embeddings, &error));
    assert_no_embedding (fixture, error, "the text \"a cat\"");
    g_clear_error (&error);
    g_assert_null (altclip_session_forward (session, texts, 2, NULL, 0, &error));
    assert_no_embedding (fixture, error, "text 1");
    g_unlink (pieces);
}

/* ---- A machine that is too small ------------------------------------------------------------- */

/* Threads that are started from now on ask for more memory for their stack than there are
 * addresses, unless @possible. */
static void
set_threads_possible (gboolean possible)
{
    static pthread_attr_t before;
    pthread_attr_t attributes;

    if (possible) {
        g_assert_cmpint (pthread_setattr_default_np (&before), ==, 0);
        return;
    }
    g_assert_cmpint (pthread_getattr_default_np (&before), ==, 0);
    g_assert_cmpint (pthread_getattr_default_np (&attributes), ==, 0);
    g_assert_cmpint (pthread_attr_setstacksize (&attributes, (gsize)1 << 47), ==, 0);
    g_assert_cmpint (pthread_setattr_default_np (&attributes), ==, 0);
    g_assert_cmpint (pthread_attr_destroy (&attributes), ==, 0);
}

/* A system that gives no threads is slow, not the end of the process. */
static void
test_no_threads (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const AltclipModelOptions options = { .threads = 3 };
    g_autoptr (AltclipModel) model = altclip_model_open (fixture->directory, NULL, NULL, NULL);
    g_autoptr (AltclipModel) alone = NULL;
    g_autoptr (GError) error = NULL;
    float expected[24];
    float found[24];

    g_assert_true (encode_picture (model, expected, &error));
    set_threads_possible (FALSE);
    g_test_expect_message (
            "altclip", G_LOG_LEVEL_WARNING, "1 of 3 threads, the caller's included, have to do: *");
    alone = altclip_model_open (fixture->directory, &options, NULL, &error);
    g_assert_no_error (error);
    g_assert_true (encode_picture (alone, found, &error));
    set_threads_possible (TRUE);
    g_test_assert_expected_messages ();
    for (guint i = 0; i < 24; i++)
        g_assert_cmpfloat_with_epsilon (found[i], expected[i], 1e-6);
}

#define WIDTH G_GUINT64_CONSTANT (32768)

/* Appends a tensor to a header; @end grows by its bytes. */
static void
append_tensor (GString *header, guint64 *end, const char *name, guint64 rows, guint64 columns)
{
    guint64 begin = *end;

    *end += 2 * rows * columns;
    g_string_append_printf (header, "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[%" G_GUINT64_FORMAT,
            header->len > 1 ? "," : "", name, rows);
    if (columns > 1)
        g_string_append_printf (
                header, ",%" G_GUINT64_FORMAT "%s", columns, strstr (name, "patch") ? ",1,1" : "");
    g_string_append_printf (header,
            "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}", begin, *end);
}

static void
append_block (GString *header, guint64 *end, guint number)
{
    static const char *const layers[] = { "self_attn.q_proj", "self_attn.k_proj",
        "self_attn.v_proj", "self_attn.out_proj", "mlp.fc1", "mlp.fc2", "layer_norm1",
        "layer_norm2" };

    for (gsize i = 0; i < G_N_ELEMENTS (layers); i++) {
        g_autofree char *weight =
                g_strdup_printf ("encoder.layers.%u.%s.weight", number, layers[i]);
        g_autofree char *bias = g_strdup_printf ("encoder.layers.%u.%s.bias", number, layers[i]);

        append_tensor (header, end, weight, WIDTH, i < 6 ? WIDTH : 1);
        append_tensor (header, end, bias, WIDTH, 1);
    }
}

/* An image tower of @n_blocks blocks of 6 · WIDTH² numbers each, which no disk has to hold.
 * Returns: whether the folder's disk can have such files */
static gboolean
write_file_with_holes (Fixture *fixture, guint n_blocks)
{
    g_autofree char *config = g_strdup_printf (
            "{\"model_type\":\"altclip_vision_model\",\"hidden_size\":32768,"
            "\"intermediate_size\":32768,\"num_hidden_layers\":%u,\"num_attention_heads\":64,"
            "\"image_size\":2,\"patch_size\":1,\"num_channels\":3}",
            n_blocks);
    g_autoptr (GString) header = g_string_new ("{");
    guint64 end = 0;
    guint64 n_header;

    append_tensor (header, &end, "embeddings.class_embedding", WIDTH, 1);
    append_tensor (header, &end, "embeddings.patch_embedding.weight", WIDTH, 3);
    append_tensor (header, &end, "embeddings.position_embedding.weight", 5, WIDTH);
    append_tensor (header, &end, "pre_layrnorm.weight", WIDTH, 1);
    append_tensor (header, &end, "pre_layrnorm.bias", WIDTH, 1);
    append_tensor (header, &end, "post_layernorm.weight", WIDTH, 1);
    append_tensor (header, &end, "post_layernorm.bias", WIDTH, 1);
    for (guint i = 0; i < n_blocks; i++)
        append_block (header, &end, i);
    g_string_append_c (header, '}');
    n_header = GUINT64_TO_LE (header->len);
    g_string_prepend_len (header, (const char *)&n_header, 8);
    g_assert_true (g_file_set_contents (fixture->weights, header->str, (gssize)header->len, NULL));
    write_text (fixture->config, config);
    return truncate (fixture->weights, (off_t)(header->len + end)) == 0;
}

static void
test_too_large (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    guint64 memory = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);
    guint n_blocks = (guint)(memory / (6 * WIDTH * WIDTH * sizeof (float))) + 1;
    g_autofree char *limit = g_strdup_printf (
            " bytes to compute with, but this machine has %" G_GUINT64_FORMAT " bytes of memory",
            memory);
    g_autoptr (AltclipModel) model = NULL;
    g_autoptr (GError) error = NULL;

    if (!write_file_with_holes (fixture, n_blocks)) {
        g_test_skip ("there cannot be so large a file here");
        return;
    }
    assert_refused (fixture, ALTCLIP_ERROR_COMPUTE, fixture->weights, ": the image tower takes ",
            limit, NULL);
    model = open_lazily (fixture);
    g_assert_null (altclip_model_get_kernels (model, &error));
    g_assert_nonnull (strstr (error->message, limit));
}

int
main (int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test) (Fixture *fixture, gconstpointer data);
    } tests[] = {
        { "/loader/opens", test_opens },
        { "/loader/max-length", test_max_length },
        { "/loader/cancelled", test_cancelled },
        { "/loader/precision", test_precision },
        { "/loader/batches-agree", test_batches_agree },
        { "/loader/seeds", test_seeds },
        { "/loader/missing-files", test_missing_files },
        { "/loader/pipes", test_pipes },
        { "/loader/oversized", test_oversized },
        { "/loader/bad-config", test_bad_config },
        { "/loader/deep-json", test_deep_json },
        { "/loader/bad-preprocessor", test_bad_preprocessor },
        { "/loader/bad-outlines", test_bad_outlines },
        { "/loader/truncated", test_truncated },
        { "/loader/missing-tensor", test_missing_tensor },
        { "/loader/either-layer-word", test_either_layer_word },
        { "/loader/extra-tensors", test_extra_tensors },
        { "/loader/every-dimension", test_every_dimension },
        { "/loader/one-bad-weight", test_one_bad_weight },
        { "/loader/bad-position", test_bad_position },
        { "/loader/useless-weights", test_useless_weights },
        { "/loader/lazy", test_lazy },
        { "/loader/lazy-and-useless", test_lazy_and_useless },
        { "/loader/lazy-kernels", test_lazy_kernels },
        { "/loader/image-tower-alone", test_image_tower_alone },
        { "/loader/text-tower-alone", test_text_tower_alone },
        { "/loader/towers-without-projections", test_towers_without_projections },
        { "/loader/broken-links", test_broken_links },
        { "/loader/broken-tokenizer-link", test_broken_tokenizer_link },
        { "/loader/picture-of-no-numbers", test_picture_of_no_numbers },
        { "/loader/text-of-no-numbers", test_text_of_no_numbers },
        { "/loader/no-threads", test_no_threads },
        { "/loader/too-large", test_too_large },
    };

    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/loader/no-directory", test_no_directory);
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
        g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run ();
}
