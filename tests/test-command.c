/* altclip: the altclip command, used rightly and wrongly
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ALTCLIP_COMMAND in the environment is the command's path.
 */

#include "golden.h"
#include "invocation.h"

#include <errno.h>
#include <fcntl.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODEL "patch14"

/* ---- Files ----------------------------------------------------------------------------------- */

/* A directory for a test, and what it needs most often. */
typedef struct {
    char *directory;
    char *model;   /* path of MODEL */
    char *picture; /* path of the first golden picture as PNG */
    GoldenInputs *inputs;
    GoldenFile *expected;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const GoldenPicture *picture;
    g_autoptr (GdkPixbuf) pixbuf = NULL;
    g_autoptr (GError) error = NULL;

    fixture->directory = g_dir_make_tmp ("altclip-command-XXXXXX", NULL);
    fixture->model = golden_get_path (MODEL, NULL);
    fixture->picture = g_build_filename (fixture->directory, "picture.png", NULL);
    fixture->inputs = golden_inputs_read ();
    fixture->expected = golden_file_open_expected (MODEL);
    picture = g_ptr_array_index (fixture->inputs->pictures, 0);
    pixbuf = gdk_pixbuf_new_from_data (picture->pixels, GDK_COLORSPACE_RGB, FALSE, 8,
            (int)picture->width, (int)picture->height, (int)picture->width * 3, NULL, NULL);
    gdk_pixbuf_save (pixbuf, fixture->picture, "png", &error, NULL);
    g_assert_no_error (error);
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

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    remove_directory (fixture->directory);
    golden_file_close (fixture->expected);
    golden_inputs_free (fixture->inputs);
    g_free (fixture->picture);
    g_free (fixture->model);
    g_free (fixture->directory);
}

static void
write_bytes (const char *directory, const char *name, const char *bytes, gsize n)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);

    g_assert_true (g_file_set_contents (path, bytes, (gssize)n, NULL));
}

/* ---- Help and usage -------------------------------------------------------------------------- */

static void
test_help (void)
{
    static const char *const commands[] = { "info", "tokenize", "init", "forward", "embed",
        "classify", "watch", "convert" };
    g_auto (Invocation) help = invocation_run ("--help", NULL);
    g_auto (Invocation) version = invocation_run ("--version", NULL);

    g_assert_cmpint (help.status, ==, 0);
    g_assert_cmpstr (help.err, ==, "");
    for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
        g_auto (Invocation) own = invocation_run (commands[i], "--help", NULL);
        g_autofree char *usage = g_strdup_printf ("altclip %s [OPTION…]", commands[i]);

        assert_contains (help.out, commands[i]);
        g_assert_cmpint (own.status, ==, 0);
        assert_contains (own.out, usage);
        assert_contains (own.out, "Example");
    }
    g_assert_cmpint (version.status, ==, 0);
    g_assert_true (g_str_has_prefix (version.out, "altclip "));
}

static void
test_usage (void)
{
    static const struct {
        const char *arguments[8];
        const char *message;
    } wrong[] = {
        { { NULL }, "Usage: altclip COMMAND" },
        { { "paint" }, "no command 'paint'" },
        { { "--paint" }, "no option '--paint'" },
        { { "info" }, "expected MODEL" },
        { { "info", "a", "b" }, "'b' is too much" },
        { { "info", "--paint", "a" }, "--paint" },
        { { "tokenize", "a" }, "expected MODEL TEXT…" },
        { { "tokenize", "a", "ok", "caf\xe9" },
                "TEXT number 2 is not valid UTF-8: byte 4 is 0xe9" },
        { { "tokenize", "a", "--decode", "0", "x" }, "ID number 2 is 'x', but must be 0 to" },
        { { "tokenize", "a", "--decode", "99999999999" }, "ID number 1 is '99999999999'" },
        { { "init" }, "expected DIR" },
        { { "init", "a", "--config", "b", "--text-config", "c" },
                "--config does not go with --text-config, --vision-config" },
        { { "init", "a", "--text-config", "c" },
                "--text-config and --vision-config go together: --vision-config is missing" },
        { { "init", "a", "--vision-config", "c" },
                "--text-config and --vision-config go together: --text-config is missing" },
        { { "init", "a", "--config", "b", "--seed", "-1" }, "--seed is '-1', but must be 0 to" },
        { { "convert", "a" }, "expected MODEL OUT" },
        { { "convert", "a", "b" }, "--precision is missing" },
        { { "convert", "a", "b", "--precision", "f32" },
                "--precision is 'f32', but must be bf16 or int8" },
        { { "convert", "a", "b", "--precision", "odd" },
                "--precision is 'odd', but must be bf16 or int8" },
        { { "bench", "a", "--shape", "vit-b-32" }, "a --shape takes the place of a MODEL" },
        { { "bench", "--shape", "vit-g" }, "--shape is 'vit-g', but must be one of vit-b-32, "
                                           "vit-b-16, vit-l-14, vit-l-14-336" },
        { { "bench", "a", "--batch", "0" }, "--batch is '0', but must be 1 to 256" },
        { { "bench", "a", "--threads", "1025" }, "--threads is '1025', but must be 0 to 1024" },
        { { "bench", "a", "--runs", "x" }, "--runs is 'x', but must be 1 to 100000" },
        { { "bench", "a", "--precision", "f16" }, "--precision is 'f16'" },
        { { "forward", "a", "--text", "b" }, "--output is missing" },
        { { "forward", "a", "--output", "b" }, "at least one --text or --image" },
        { { "forward", "a", "--text", "\xff", "--output", "b" }, "--text is not valid UTF-8" },
        { { "forward", "a", "--text", "b", "--output", "c", "--precision", "f8" },
                "--precision is 'f8', but must be auto, f32, bf16 or int8" },
        { { "forward", "a", "--text", "b", "--output", "c", "--loss" },
                "--loss needs as many texts as images, but there are 1 and 0" },
        { { "forward", "a", "--image", "b", "--output", "c", "--image-size", "0" },
                "--image-size is '0', but must be S or HxW, each from 1 to 8192" },
        { { "forward", "a", "--image", "b", "--output", "c", "--image-size", "4x" },
                "--image-size is '4x'" },
        { { "forward", "a", "--image", "b", "--output", "c", "--image-size", "4x5x" },
                "--image-size is '4x5x'" },
        { { "forward", "a", "--image", "b", "--output", "c", "--image-size", "8193" },
                "--image-size is '8193'" },
        { { "forward", "a", "--image", "b", "--output", "c", "--image-size", "-4" },
                "--image-size is '-4'" },
        { { "embed", "a" }, "at least one --text or --image" },
        { { "embed", "a", "--image" }, "--image" },
        { { "classify", "a", "--prompts", "b" }, "expected MODEL FILE…" },
        { { "classify", "a", "b" }, "--prompts or --prompts-file is missing" },
        { { "classify", "a", "b", "--prompts", "c", "--prompts-file", "d" },
                "--prompts-file takes the place of --prompts" },
        { { "classify", "a", "b", "--negative-prompts", "c", "--prompts-file", "d" },
                "--prompts-file takes the place of --prompts" },
        { { "embed", "a", "--prompts-file", "b" }, "--prompts-file and --output go together" },
        { { "embed", "a", "--text", "b", "--output", "c" },
                "--prompts-file and --output go together" },
        { { "embed", "a", "--text", "b", "--prompts-file", "c" },
                "--prompts-file goes without --text and --image" },
        { { "classify", "a", "b", "--prompts", "" }, "--prompts" },
        { { "classify", "a", "b", "--prompts", " ; " }, "" },
        { { "classify", "a", "b", "--prompts", "cat;dog;cat" }, "cat" },
        { { "classify", "a", "b", "--prompts", "\xe4\xb8" },
                "--prompts is not valid UTF-8: byte 1 is 0xe4" },
        { { "classify", "a", "b", "--prompts", "c", "--negative-prompts", "\xff" },
                "--negative-prompts" },
        { { "classify", "a", "b", "--prompts", "c", "--score-mode", "argmax" },
                "--score-mode is 'argmax', but must be softmax, sigmoid or cosine" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
        g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
        g_auto (Invocation) result = { 0 };

        for (gsize k = 0; k < G_N_ELEMENTS (wrong[i].arguments) && wrong[i].arguments[k]; k++)
            g_ptr_array_add (arguments, (gpointer)wrong[i].arguments[k]);
        result = invocation_run_list (NULL, arguments);
        if (arguments->len == 0)
            g_assert_true (g_str_has_prefix (result.err, "Usage: altclip COMMAND"));
        else
            invocation_assert_refused (&result, wrong[i].message);
        g_assert_cmpint (result.status, ==, 2);
    }
}

/* ---- info, tokenize -------------------------------------------------------------------------- */

/* Numbers that fit one another, of runs that happened. */
static void
test_bench (void)
{
    g_autofree char *model = golden_get_path ("half", NULL);
    g_auto (Invocation) result = invocation_run ("bench", model, "--batch", "3", "--runs", "4",
            "--threads", "2", "--precision", "bf16", NULL);
    json_t *lines = invocation_parse_success (&result, 1);
    json_t *bench = json_array_get (lines, 0);
    double median = get_number (bench, "ms_median");

    g_assert_cmpstr (get_string (bench, "model"), ==, model);
    g_assert_cmpstr (get_string (bench, "precision"), ==, "bf16");
    g_assert_nonnull (strstr (get_string (bench, "kernels"), "bf16"));
    g_assert_cmpfloat (get_number (bench, "batch"), ==, 3);
    g_assert_cmpfloat (get_number (bench, "runs"), ==, 4);
    g_assert_cmpfloat (get_number (bench, "threads"), ==, 2);
    g_assert_cmpfloat (get_number (bench, "ms_min"), >, 0);
    g_assert_cmpfloat (median, >=, get_number (bench, "ms_min"));
    g_assert_cmpfloat_with_epsilon (
            get_number (bench, "images_per_second") * median / 1000.0, 1.0, 1e-6);
    g_assert_cmpfloat (get_number (bench, "peak_memory"), >, get_number (bench, "model_memory"));
    g_assert_null (json_object_get (bench, "trial"));
    json_decref (lines);
}

/* Without a model it is that of the environment, else the bundled one, as with the element. */
static void
test_bench_without_model (void)
{
    g_autofree char *half = golden_get_path ("half", NULL);
    g_autofree char *shards = golden_get_path ("shards", NULL);
    const struct {
        const char *variable;
        const char *model;
        const char *said;
    } cases[] = {
        { "ALTCLIP_DEMO_MODEL_DIR", shards, "the bundled one serves" },
        { "ALTCLIP_MODEL", half, "that of $ALTCLIP_MODEL serves" },
    };

    g_unsetenv ("ALTCLIP_MODEL");
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_auto (Invocation) result = INVOCATION_INIT;
        g_autofree char *said = g_strdup_printf (
                "altclip: no MODEL was named: %s, %s\n", cases[i].said, cases[i].model);
        json_t *line;

        g_setenv (cases[i].variable, cases[i].model, TRUE);
        result = invocation_run ("bench", "--runs", "1", NULL);
        g_assert_cmpint (result.status, ==, 0);
        g_assert_cmpstr (result.err, ==, said);
        line = invocation_parse_line (&result, 0);
        g_assert_cmpstr (get_string (line, "model"), ==, cases[i].model);
        json_decref (line);
    }
    g_unsetenv ("ALTCLIP_MODEL");
    g_unsetenv ("ALTCLIP_DEMO_MODEL_DIR");
}

/* That the precision and the kernels of @object are what its trial says. */
static void
assert_faster (json_t *object)
{
    json_t *trial = json_object_get (object, "trial");
    json_t *f32 = json_array_get (trial, 0);
    json_t *bf16 = json_array_get (trial, 1);
    json_t *faster = get_number (bf16, "ms") < 0.8 * get_number (f32, "ms") ? bf16 : f32;

    g_assert_cmpuint (json_array_size (trial), ==, 2);
    g_assert_cmpstr (get_string (f32, "precision"), ==, "f32");
    g_assert_cmpstr (get_string (bf16, "precision"), ==, "bf16");
    g_assert_cmpstr (get_string (object, "precision"), ==, get_string (faster, "precision"));
    g_assert_cmpstr (get_string (object, "kernels"), ==, get_string (faster, "kernels"));
}

/* A model large enough for its precision to be found by trial. */
static void
test_bench_auto (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char text[] = "{\"model_type\": \"altclip_vision_model\", \"hidden_size\": 256, "
                               "\"intermediate_size\": 1024, \"num_hidden_layers\": 1, "
                               "\"num_attention_heads\": 4, \"image_size\": 112, "
                               "\"patch_size\": 14}";
    g_autofree char *text_config = golden_get_path ("half", "config.json");
    g_autofree char *config = g_build_filename (fixture->directory, "vision.json", NULL);
    g_autofree char *model = g_build_filename (fixture->directory, "large", NULL);
    g_auto (Invocation) made = { 0 };
    g_auto (Invocation) result = { 0 };
    g_auto (Invocation) info = { 0 };
    json_t *lines;

    write_bytes (fixture->directory, "vision.json", text, strlen (text));
    made = invocation_run (
            "init", "--text-config", text_config, "--vision-config", config, model, NULL);
    g_assert_cmpint (made.status, ==, 0);
    result = invocation_run ("bench", model, "--runs", "1", "--threads", "1", NULL);
    lines = invocation_parse_success (&result, 1);
    assert_faster (json_array_get (lines, 0));
    json_decref (lines);
    info = invocation_run ("info", model, NULL);
    lines = invocation_parse_success (&info, 1);
    assert_faster (json_array_get (lines, 0));
    json_decref (lines);
    remove_directory (model);
}

/* What --shape makes is gone when it ends. */
static void
test_bench_shape (void)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp ("altclip-test-XXXXXX", &error);
    g_autofree char *before = g_strdup (g_getenv ("TMPDIR"));
    g_auto (Invocation) result = { 0 };
    json_t *lines;

    g_assert_no_error (error);
    g_setenv ("TMPDIR", folder, TRUE);
    result = invocation_run (
            "bench", "--shape", "vit-b-32", "--precision", "f32", "--runs", "1", NULL);
    if (before)
        g_setenv ("TMPDIR", before, TRUE);
    else
        g_unsetenv ("TMPDIR");
    lines = invocation_parse_success (&result, 1);
    g_assert_cmpstr (get_string (json_array_get (lines, 0), "model"), ==, "vit-b-32");
    /* 12 blocks of 12 · 768² weights, the patches' and the projection's, in floats. */
    g_assert_cmpfloat (get_number (json_array_get (lines, 0), "model_memory"), >=,
            (12 * 12 * 768 * 768 + 3072 * 768 + 512 * 768) * 4.0);
    g_assert_cmpint (g_rmdir (folder), ==, 0);
    json_decref (lines);
}

/* Every field is there: what the file says, and defaults for what it leaves out. */
static void
test_info (void)
{
    g_autofree char *model = golden_get_path ("half", NULL);
    g_auto (Invocation) result = invocation_run ("info", model, NULL);
    json_t *lines = invocation_parse_success (&result, 1);
    json_t *info = json_array_get (lines, 0);
    json_t *expected = json_pack ("{s:s, s:s, s:i, s:i, s:o, s:o}", "model_type", "altclip",
            "dtype", "float16", "parameters", 160927, "projection_dim", 17, "vision",
            json_loads ("{\"model_type\": \"altclip_vision_model\", \"hidden_size\": 72,"
                        " \"intermediate_size\": 90, \"num_hidden_layers\": 2,"
                        " \"num_attention_heads\": 3, \"hidden_act\": \"quick_gelu\","
                        " \"layer_norm_eps\": 1e-5, \"initializer_range\": 0.02,"
                        " \"initializer_factor\": 1.0, \"image_size\": 98, \"patch_size\": 14,"
                        " \"num_channels\": 3, \"projection_dim\": 17,"
                        " \"attention_dropout\": 0.0}",
                    0, NULL),
            "text",
            json_loads ("{\"model_type\": \"altclip_text_model\", \"hidden_size\": 36,"
                        " \"intermediate_size\": 50, \"num_hidden_layers\": 3,"
                        " \"num_attention_heads\": 3, \"hidden_act\": \"gelu\","
                        " \"layer_norm_eps\": 1e-5, \"initializer_range\": 0.02,"
                        " \"initializer_factor\": 0.02, \"vocab_size\": 377,"
                        " \"max_position_embeddings\": 50, \"type_vocab_size\": 1,"
                        " \"project_dim\": 28, \"pad_token_id\": 1, \"bos_token_id\": 0,"
                        " \"eos_token_id\": 2, \"hidden_dropout_prob\": 0.0,"
                        " \"attention_probs_dropout_prob\": 0.0,"
                        " \"position_embedding_type\": \"absolute\", \"use_cache\": true,"
                        " \"max_tokens\": 48}",
                    0, NULL));
    double scale = get_number (info, "logit_scale");
    double parameters = get_number (json_object_get (info, "text"), "parameters") +
                        get_number (json_object_get (info, "vision"), "parameters");

    g_assert_cmpstr (get_string (info, "directory"), !=, "");
    g_assert_cmpstr (get_string (info, "kernels"), !=, "");
    g_assert_cmpstr (get_string (info, "precision"), ==, "f32"); /* too small for a trial */
    g_assert_null (json_object_get (info, "trial"));
    g_assert_cmpfloat_with_epsilon (scale, exp (3.3), 0.05);
    g_assert_cmpfloat (parameters, ==, 160927 - 17 * (72 + 28) - 1);
    json_object_del (info, "directory");
    json_object_del (info, "kernels");
    json_object_del (info, "precision");
    json_object_del (info, "logit_scale");
    json_object_del (json_object_get (info, "text"), "parameters");
    json_object_del (json_object_get (info, "vision"), "parameters");
    g_assert_true (json_equal (info, expected));
    json_decref (expected);
    json_decref (lines);
}

/* Of a tower alone, with its flat configuration, nothing else is said. */
static void
test_info_one_tower (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const others[] = { "vision", "projection_dim", "logit_scale" };
    static const char flat[] = "{\"model_type\": \"altclip_text_model\", \"hidden_size\": 16,"
                               " \"vocab_size\": 9, \"num_hidden_layers\": 1,"
                               " \"eos_token_id\": [2, 5], \"bos_token_id\": null}";
    g_autofree char *directory = g_build_filename (fixture->directory, "text", NULL);
    g_autofree char *config = g_build_filename (fixture->directory, "text.json", NULL);
    g_auto (Invocation) made = { 0 };
    g_auto (Invocation) result = { 0 };
    json_t *lines;
    json_t *info;

    write_bytes (fixture->directory, "text.json", flat, strlen (flat));
    made = invocation_run ("init", "--config", config, directory, NULL);
    g_assert_cmpint (made.status, ==, 0);
    result = invocation_run ("info", directory, NULL);
    lines = invocation_parse_success (&result, 1);
    info = json_array_get (lines, 0);
    g_assert_cmpstr (get_string (info, "model_type"), ==, "altclip_text_model");
    g_assert_cmpuint (
            json_array_size (json_object_get (json_object_get (info, "text"), "eos_token_id")), ==,
            2);
    g_assert_true (json_is_null (json_object_get (json_object_get (info, "text"), "bos_token_id")));
    for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
        g_assert_null (json_object_get (info, others[i]));
    json_decref (lines);
    remove_directory (directory);
}

/* Without the padding. */
static guint
count_tokens (GoldenFile *expected, guint row)
{
    const GoldenTensor *mask = golden_file_get (expected, "attention_mask");
    const gint64 *values = (const gint64 *)mask->data + row * mask->dims[1];
    guint n = 0;

    while (n < mask->dims[1] && values[n])
        n++;
    return n;
}

static void
test_tokenize (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
    const GoldenTensor *ids = golden_file_get (fixture->expected, "input_ids");
    guint n_texts = g_strv_length (fixture->inputs->texts);
    g_auto (Invocation) result = { 0 };
    json_t *lines;

    g_ptr_array_add (arguments, (gpointer) "tokenize");
    g_ptr_array_add (arguments, fixture->model);
    for (guint i = 0; i < n_texts; i++)
        g_ptr_array_add (arguments, fixture->inputs->texts[i]);
    result = invocation_run_list (NULL, arguments);
    lines = invocation_parse_success (&result, n_texts);
    for (guint i = 0; i < n_texts; i++) {
        json_t *line = json_array_get (lines, i);
        json_t *found = json_object_get (line, "input_ids");

        g_assert_cmpstr (get_string (line, "text"), ==, fixture->inputs->texts[i]);
        g_assert_cmpuint (json_array_size (found), ==, count_tokens (fixture->expected, i));
        for (guint k = 0; k < json_array_size (found); k++)
            g_assert_cmpint (json_integer_value (json_array_get (found, k)), ==,
                    ((const gint64 *)ids->data)[i * ids->dims[1] + k]);
    }
    json_decref (lines);
}

static void
test_decode (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func (g_free);
    const GoldenTensor *ids = golden_file_get (fixture->expected, "input_ids");
    g_auto (Invocation) result = { 0 };
    g_auto (Invocation) too_large =
            invocation_run ("tokenize", fixture->model, "--decode", "0", "377", NULL);
    json_t *lines;

    g_ptr_array_add (arguments, g_strdup ("tokenize"));
    g_ptr_array_add (arguments, g_strdup (fixture->model));
    g_ptr_array_add (arguments, g_strdup ("--decode"));
    for (guint i = 0; i < count_tokens (fixture->expected, 0); i++)
        g_ptr_array_add (
                arguments, g_strdup_printf ("%" G_GINT64_FORMAT, ((const gint64 *)ids->data)[i]));
    result = invocation_run_list (NULL, arguments);
    lines = invocation_parse_success (&result, 1);
    g_assert_cmpstr (get_string (json_array_get (lines, 0), "text"), ==,
            "<s> a red circle on a blue background</s>");
    json_decref (lines);
    invocation_assert_failed (&too_large, "377");
}

/* ---- embed, classify, forward ---------------------------------------------------------------- */

static void
assert_embedding (
        json_t *line, const char *kind, const char *source, const GoldenTensor *expected, guint row)
{
    json_t *embedding = json_object_get (line, "embedding");
    guint dim = (guint)expected->dims[1];

    g_assert_cmpstr (get_string (line, "kind"), ==, kind);
    g_assert_cmpstr (get_string (line, "source"), ==, source);
    g_assert_cmpuint (json_array_size (embedding), ==, dim);
    for (guint i = 0; i < dim; i++)
        g_assert_cmpfloat_with_epsilon (json_number_value (json_array_get (embedding, i)),
                ((const float *)expected->data)[row * dim + i], 1e-5);
}

static void
test_embed (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    GStrv texts = fixture->inputs->texts;
    g_auto (Invocation) result = invocation_run ("embed", fixture->model, "--image",
            fixture->picture, "--text", texts[1], "--text", texts[3], "--precision", "f32", NULL);
    json_t *lines = invocation_parse_success (&result, 3);
    const GoldenTensor *text_embeds = golden_file_get (fixture->expected, "text_embeds");
    const GoldenTensor *image_embeds = golden_file_get (fixture->expected, "image_embeds");

    assert_embedding (json_array_get (lines, 0), "text", texts[1], text_embeds, 1);
    assert_embedding (json_array_get (lines, 1), "text", texts[3], text_embeds, 3);
    assert_embedding (json_array_get (lines, 2), "image", fixture->picture, image_embeds, 0);
    json_decref (lines);
}

/* Which of the golden texts test_classify() asks for; the last is negative. */
static const guint CANDIDATES[] = { 0, 1, 3, 8 };

static double
get_share (Fixture *fixture, guint candidate)
{
    const float *logits = golden_file_get (fixture->expected, "logits_per_image")->data;
    double sum = 0.0;

    for (gsize i = 0; i < G_N_ELEMENTS (CANDIDATES); i++)
        sum += exp ((double)logits[CANDIDATES[i]] - (double)logits[candidate]);
    return 1.0 / sum;
}

static double
get_score (Fixture *fixture, guint candidate, const char *mode)
{
    const float *logits = golden_file_get (fixture->expected, "logits_per_image")->data;
    double logit = (double)logits[candidate];
    double scale = exp (4.6);

    if (strcmp (mode, "cosine") == 0)
        return logit / scale;
    if (strcmp (mode, "sigmoid") == 0)
        return 1 / (1 + exp (0.25 * scale - logit));
    return get_share (fixture, candidate);
}

static void
assert_results (Fixture *fixture, json_t *line, const char *mode)
{
    const float *logits = golden_file_get (fixture->expected, "logits_per_image")->data;
    double scale = exp (4.6);
    json_t *results = json_object_get (line, "results");
    double last = G_MAXDOUBLE;

    g_assert_cmpstr (get_string (line, "file"), ==, fixture->picture);
    g_assert_cmpuint (json_array_size (results), ==, 3);
    for (guint i = 0; i < 3; i++) {
        json_t *result = json_array_get (results, i);
        guint candidate = 0;
        double cosine;

        while (strcmp (fixture->inputs->texts[candidate], get_string (result, "label")) != 0)
            candidate++;
        cosine = (double)logits[candidate] / scale;
        g_assert_cmpfloat_with_epsilon (get_number (result, "cosine"), cosine, 1e-5);
        g_assert_cmpfloat_with_epsilon (
                get_number (result, "score"), get_score (fixture, candidate, mode), 1e-3);
        g_assert_cmpfloat (get_number (result, "score"), <=, last);
        last = get_number (result, "score");
    }
}

/* What needs no tower neither chooses nor proves what to compute with. */
static void
test_needs (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char MESSAGE[] = "kernels 'abacus' are not known";
    g_auto (Invocation) tokenized = { 0 };
    g_auto (Invocation) described = { 0 };
    g_auto (Invocation) embedded = { 0 };

    g_setenv ("ALTCLIP_KERNELS", "abacus", TRUE);
    tokenized = invocation_run ("tokenize", fixture->model, "a", NULL);
    described = invocation_run ("info", fixture->model, NULL);
    embedded = invocation_run ("embed", fixture->model, "--image", fixture->picture, NULL);
    g_unsetenv ("ALTCLIP_KERNELS");
    g_assert_cmpint (tokenized.status, ==, 0);
    invocation_assert_failed (&described, MESSAGE);
    invocation_assert_failed (&embedded, MESSAGE);
}

/* The environment of the tests says off, and --no-cache says so too. */
static void
test_embed_cached (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *caches = g_build_filename (fixture->directory, "caches", NULL);
    g_autofree char *own = g_build_filename (caches, "altclip", NULL);
    g_auto (Invocation) off = { 0 };
    g_auto (Invocation) without = { 0 };
    g_auto (Invocation) first = { 0 };
    g_auto (Invocation) second = { 0 };
    g_auto (Invocation) classified = { 0 };

    g_setenv ("XDG_CACHE_HOME", caches, TRUE);
    off = invocation_run ("embed", fixture->model, "--text", "a", "--text", "b", NULL);
    g_unsetenv ("ALTCLIP_CACHE");
    without = invocation_run (
            "embed", fixture->model, "--no-cache", "--text", "a", "--text", "b", NULL);
    classified = invocation_run (
            "classify", fixture->model, "--no-cache", "--prompts", "a;b", fixture->picture, NULL);
    g_assert_cmpint (classified.status, ==, 0);
    g_assert_false (g_file_test (caches, G_FILE_TEST_EXISTS));
    first = invocation_run ("embed", fixture->model, "--text", "a", "--text", "b", NULL);
    g_assert_true (g_file_test (own, G_FILE_TEST_IS_DIR));
    second = invocation_run ("embed", fixture->model, "--text", "a", "--text", "b", NULL);
    g_setenv ("ALTCLIP_CACHE", "off", TRUE);
    g_assert_cmpint (off.status, ==, 0);
    g_assert_cmpstr (off.out, ==, without.out);
    g_assert_cmpstr (off.out, ==, first.out);
    g_assert_cmpstr (off.out, ==, second.out);
    remove_directory (own);
    g_assert_cmpint (g_rmdir (caches), ==, 0);
}

static void
test_classify (Fixture *fixture, gconstpointer data)
{
    const char *mode = data;
    GStrv texts = fixture->inputs->texts;
    g_autofree char *prompts =
            g_strjoin (";", texts[CANDIDATES[0]], texts[CANDIDATES[1]], texts[CANDIDATES[2]], NULL);
    g_auto (Invocation) result =
            invocation_run ("classify", fixture->model, fixture->picture, "--prompts", prompts,
                    "--negative-prompts", texts[CANDIDATES[3]], "--score-mode", mode, NULL);
    json_t *lines = invocation_parse_success (&result, 1);

    assert_results (fixture, json_array_get (lines, 0), mode);
    json_decref (lines);
}

/* ---- Files of prompts ------------------------------------------------------------------------ */

/* Returns: (transfer full): the path of a file in the fixture's directory */
static char *
write_prompts (Fixture *fixture, json_t *prompts)
{
    char *path = g_build_filename (fixture->directory, "prompts.json", NULL);

    g_assert_cmpint (json_dump_file (prompts, path, JSON_INDENT (1)), ==, 0);
    json_decref (prompts);
    return path;
}

/* The candidates of test_classify(), to be scored as @mode. */
static char *
write_candidates (Fixture *fixture, const char *mode)
{
    GStrv texts = fixture->inputs->texts;

    return write_prompts (
            fixture, json_pack ("{s:i, s:s, s:[s], s:[{s:s}, {s:s, s:[s]}, {s:s}]}", "version", 1,
                             "score_mode", mode, "negatives", texts[CANDIDATES[3]], "labels",
                             "label", texts[CANDIDATES[0]], "label", texts[CANDIDATES[1]], "texts",
                             texts[CANDIDATES[1]], "label", texts[CANDIDATES[2]]));
}

static void
test_prompts_file (Fixture *fixture, gconstpointer data)
{
    const char *mode = data;
    g_autofree char *path = write_candidates (fixture, mode);
    g_auto (Invocation) result = invocation_run (
            "classify", fixture->model, "--prompts-file", path, fixture->picture, NULL);
    g_auto (Invocation) other = invocation_run ("classify", fixture->model, "--prompts-file", path,
            "--score-mode", "cosine", fixture->picture, NULL);
    json_t *lines = invocation_parse_success (&result, 1);

    assert_results (fixture, json_array_get (lines, 0), mode);
    json_decref (lines);
    lines = invocation_parse_success (&other, 1);
    assert_results (fixture, json_array_get (lines, 0), "cosine");
    json_decref (lines);
}

/* Embedded once, the labels need no tokenizer any more. */
static void
test_embed_prompts_file (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *path = write_candidates (fixture, "softmax");
    g_autofree char *ready = g_build_filename (fixture->directory, "ready.json", NULL);
    g_autofree char *model = g_build_filename (fixture->directory, "model", NULL);
    const char *files[] = { "config.json", "preprocessor_config.json", "model.safetensors" };
    g_auto (Invocation) embedded = invocation_run (
            "embed", fixture->model, "--prompts-file", path, "--output", ready, NULL);
    g_auto (Invocation) result = INVOCATION_INIT;
    json_t *lines;

    g_assert_cmpstr (embedded.err, ==, "");
    g_assert_cmpstr (embedded.out, ==, "");
    g_assert_cmpint (embedded.status, ==, 0);
    g_assert_cmpint (g_mkdir (model, 0700), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
        g_autofree char *from = g_build_filename (fixture->model, files[i], NULL);
        g_autofree char *to = g_build_filename (model, files[i], NULL);
        g_assert_cmpint (symlink (from, to), ==, 0);
    }
    result = invocation_run ("classify", model, "--prompts-file", ready, fixture->picture, NULL);
    lines = invocation_parse_success (&result, 1);
    assert_results (fixture, json_array_get (lines, 0), "softmax");
    json_decref (lines);
    remove_directory (model);
}

/* A label given by a picture is at its best on that picture. */
static void
test_prompts_file_pictures (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *path = write_prompts (
            fixture, json_pack ("{s:i, s:s, s:[{s:s, s:[s]}]}", "version", 1, "score_mode",
                             "cosine", "labels", "label", "this", "images", fixture->picture));
    g_auto (Invocation) result = invocation_run (
            "classify", fixture->model, "--prompts-file", path, fixture->picture, NULL);
    json_t *lines = invocation_parse_success (&result, 1);
    json_t *results = json_object_get (json_array_get (lines, 0), "results");

    g_assert_cmpfloat_with_epsilon (get_number (json_array_get (results, 0), "score"), 1.0, 1e-5);
    json_decref (lines);
}

/* Returns: (transfer full): the path of a part of the fixture's picture. @region: x, y, w, h */
static char *
write_part (Fixture *fixture, const double *region, const char *name)
{
    char *path = g_build_filename (fixture->directory, name, NULL);
    g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_file (fixture->picture, NULL);
    int x = (int)lround (region[0] * gdk_pixbuf_get_width (pixbuf));
    int y = (int)lround (region[1] * gdk_pixbuf_get_height (pixbuf));
    int right = (int)lround ((region[0] + region[2]) * gdk_pixbuf_get_width (pixbuf));
    int bottom = (int)lround ((region[1] + region[3]) * gdk_pixbuf_get_height (pixbuf));
    g_autoptr (GdkPixbuf) part = gdk_pixbuf_new_subpixbuf (pixbuf, x, y, right - x, bottom - y);

    g_assert_true (gdk_pixbuf_save (part, path, "png", NULL, NULL));
    return path;
}

/* A label is judged on its own part of the picture, given by that very part here. */
static void
test_prompts_file_regions (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const double left[] = { 0, 0, 0.5, 0.75 };
    const double right[] = { 0.6, 0.25, 0.4, 0.5 };
    g_autofree char *left_part = write_part (fixture, left, "left.png");
    g_autofree char *right_part = write_part (fixture, right, "right.png");
    g_autofree char *path = write_prompts (fixture,
            json_pack ("{s:i, s:s, s:[{s:s, s:[s], s:[f, f, f, f]}, {s:s, s:[s], s:[f, f, f, f]}, "
                       "{s:s, s:[s]}, {s:s, s:[s]}]}",
                    "version", 1, "score_mode", "cosine", "labels", "label", "left", "images",
                    left_part, "region", left[0], left[1], left[2], left[3], "label", "right",
                    "images", right_part, "region", right[0], right[1], right[2], right[3], "label",
                    "all", "images", fixture->picture, "label", "elsewhere", "images", left_part));
    g_auto (Invocation) result = invocation_run (
            "classify", fixture->model, "--prompts-file", path, fixture->picture, NULL);
    json_t *lines = invocation_parse_success (&result, 1);
    json_t *results = json_object_get (json_array_get (lines, 0), "results");

    for (gsize i = 0; i < 3; i++)
        g_assert_cmpfloat_with_epsilon (
                get_number (json_array_get (results, i), "score"), 1.0, 1e-5);
    g_assert_cmpfloat (get_number (json_array_get (results, 3), "score"), <, 1.0 - 1e-4);
    json_decref (lines);
}

static void
test_bad_prompts_file (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const char *json = "{\"version\": 1, \"labels\": [{\"label\": \"a\"},\n"
                       "{\"label\": \"b\", \"threshold\": 2}]}";
    g_autofree char *path = g_build_filename (fixture->directory, "prompts.json", NULL);
    g_autofree char *ready = g_build_filename (fixture->directory, "ready.json", NULL);
    g_autofree char *message = g_strconcat ("altclip: ", path,
            ": line 2: labels[1].threshold is 2, but must be a number from 0 to 1, "
            "or with score_mode cosine from -1 to 1\n",
            NULL);
    g_auto (Invocation) classified = INVOCATION_INIT;
    g_auto (Invocation) embedded = INVOCATION_INIT;
    g_auto (Invocation) missing = invocation_run (
            "classify", fixture->model, "--prompts-file", "/no/such.json", "x", NULL);

    g_assert_true (g_file_set_contents (path, json, -1, NULL));
    classified = invocation_run (
            "classify", fixture->model, "--prompts-file", path, fixture->picture, NULL);
    embedded = invocation_run (
            "embed", fixture->model, "--prompts-file", path, "--output", ready, NULL);
    invocation_assert_failed (&classified, message);
    invocation_assert_failed (&embedded, message);
    g_assert_false (g_file_test (ready, G_FILE_TEST_EXISTS));
    invocation_assert_failed (&missing, "/no/such.json: No such file or directory");
}

/* ---- classify goes on, forward --------------------------------------------------------------- */

/* A file that cannot be read does not keep the next from being classified. What is no picture may
 * be a video, and with GStreamer GLib's table of quarks may grow, which leaves the smaller one
 * behind: that is no leak of ours. */
static void
test_bad_file (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *config = g_build_filename (fixture->model, "config.json", NULL);
    g_auto (Invocation) result = INVOCATION_INIT;
    json_t *lines;

    g_setenv ("LSAN_OPTIONS", "detect_leaks=0", TRUE);
    result = invocation_run ("classify", fixture->model, "--prompts", "a;b", "/no/such.png", config,
            fixture->picture, NULL);
    g_unsetenv ("LSAN_OPTIONS");
    lines = invocation_parse (&result);
    g_assert_cmpint (result.status, ==, 1);
    g_assert_cmpuint (json_array_size (lines), ==, 1);
    g_assert_cmpstr (get_string (json_array_get (lines, 0), "file"), ==, fixture->picture);
    assert_contains (result.err, "/no/such.png");
    assert_contains (result.err, config);
    assert_contains (result.err, "cannot be decoded: ");
    json_decref (lines);
}

/* A single phrase has something to compete with, and a person is told. */
static void
test_lone_phrase (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_auto (Invocation) result = invocation_run (
            "classify", fixture->model, "--prompts", "a cat", fixture->picture, NULL);
    json_t *lines = invocation_parse (&result);
    json_t *results = json_object_get (json_array_get (lines, 0), "results");

    g_assert_cmpint (result.status, ==, 0);
    g_assert_cmpuint (json_array_size (results), ==, 1);
    g_assert_cmpfloat (get_number (json_array_get (results, 0), "score"), <, 1.0);
    assert_contains (result.err, "nothing to compare");
    json_decref (lines);
}

/* A tensor that forward writes has the reference's name, shape and values. */
static void
assert_tensor (GoldenFile *found_file, GoldenFile *expected_file, const char *name)
{
    g_autofree char *full = g_strconcat ("subset.", name, NULL);
    const GoldenTensor *found = golden_file_get (found_file, name);
    const GoldenTensor *expected = golden_file_get (expected_file, full);

    g_assert_cmpuint (found->n_dims, ==, expected->n_dims);
    for (guint i = 0; i < found->n_dims; i++)
        g_assert_cmpuint (found->dims[i], ==, expected->dims[i]);
    for (gsize i = 0; i < found->n_elements; i++)
        g_assert_cmpfloat_with_epsilon (
                ((const float *)found->data)[i], ((const float *)expected->data)[i], 1e-3);
}

static void
test_forward (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const names[] = { "text_model_output.last_hidden_state",
        "vision_model_output.last_hidden_state", "vision_model_output.pooler_output",
        "text_model_output.pooler_output", "text_features", "image_features", "text_embeds",
        "image_embeds", "logits_per_text", "logits_per_image", "text_model_output.hidden_states.0",
        "text_model_output.hidden_states.2", "vision_model_output.hidden_states.0",
        "vision_model_output.hidden_states.3" };
    GStrv texts = fixture->inputs->texts;
    const guint *subset = golden_inputs_find (fixture->inputs, MODEL)->subset_texts.at;
    g_autofree char *output = g_build_filename (fixture->directory, "out.safetensors", NULL);
    g_auto (Invocation) result = invocation_run ("forward", fixture->model, "--text",
            texts[subset[0]], "--text", texts[subset[1]], "--text", texts[subset[2]], "--image",
            fixture->picture, "--hidden-states", "--precision", "f32", "--output", output, NULL);
    g_autoptr (GoldenFile) found = NULL;

    g_assert_cmpstr (result.err, ==, "");
    g_assert_cmpint (result.status, ==, 0);
    found = golden_file_open (output);
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
        assert_tensor (found, fixture->expected, names[i]);
    g_assert_cmpuint (golden_file_get (found, "pixel_values")->dims[0], ==, 1);
    g_assert_cmpint (golden_file_get (found, "input_ids")->type, ==, GOLDEN_INT64);
    g_assert_cmpuint (golden_file_get (found, "attention_mask")->dims[0], ==, 3);
}

static void
assert_shape (GoldenFile *file, const char *name, guint n_dims, const guint64 *dims)
{
    const GoldenTensor *tensor = golden_file_get (file, name);

    g_assert_cmpuint (tensor->n_dims, ==, n_dims);
    for (guint i = 0; i < n_dims; i++)
        g_assert_cmpuint (tensor->dims[i], ==, dims[i]);
}

static void
test_forward_options (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *output = g_build_filename (fixture->directory, "out.safetensors", NULL);
    g_auto (Invocation) result = invocation_run ("forward", fixture->model, "--text", "a",
            "--image", fixture->picture, "--attentions", "--loss", "--interpolate-pos-encoding",
            "--image-size", "30x84", "--output", output, NULL);
    g_autoptr (GoldenFile) found = NULL;

    g_assert_cmpstr (result.err, ==, "");
    g_assert_cmpint (result.status, ==, 0);
    found = golden_file_open (output);
    assert_shape (found, "pixel_values", 4, (guint64[]){ 1, 3, 30, 84 });
    assert_shape (
            found, "vision_model_output.last_hidden_state", 3, (guint64[]){ 1, 2 * 6 + 1, 48 });
    assert_shape (found, "vision_model_output.attentions.2", 4, (guint64[]){ 1, 4, 13, 13 });
    assert_shape (found, "text_model_output.attentions.1", 4, (guint64[]){ 1, 2, 3, 3 });
    assert_shape (found, "loss", 0, NULL);
    g_assert_null (golden_file_find (found, "text_model_output.hidden_states.0"));
}

/* The square in the middle, whatever the picture's shape. */
static void
test_forward_square (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *output = g_build_filename (fixture->directory, "out.safetensors", NULL);
    g_auto (Invocation) result =
            invocation_run ("forward", fixture->model, "--image", fixture->picture, "--image",
                    fixture->picture, "--image-size", "70", "--output", output, NULL);
    g_autoptr (GoldenFile) found = NULL;
    const GoldenTensor *expected = golden_file_get (fixture->expected, "pixel_values");

    g_assert_cmpstr (result.err, ==, "");
    g_assert_cmpint (result.status, ==, 0);
    found = golden_file_open (output);
    assert_shape (found, "pixel_values", 4, (guint64[]){ 2, 3, 70, 70 });
    /* As preprocessor_config.json has it anyway. */
    for (gsize i = 0; i < 3 * 70 * 70; i++)
        g_assert_cmpfloat_with_epsilon (
                ((const float *)golden_file_get (found, "pixel_values")->data)[i],
                ((const float *)expected->data)[i], 1e-6);
}

static void
test_forward_fails (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_auto (Invocation) no_place = invocation_run (
            "forward", fixture->model, "--text", "a", "--output", "/no/such/out.safetensors", NULL);
    g_auto (Invocation) no_picture = invocation_run ("forward", fixture->model, "--image",
            "/no/such.png", "--output", "/no/such/out.safetensors", NULL);

    g_auto (Invocation) wrong_size =
            invocation_run ("forward", fixture->model, "--image", fixture->picture, "--image-size",
                    "84x70", "--output", "/no/such/out.safetensors", NULL);

    invocation_assert_failed (&no_place, "/no/such/out.safetensors");
    invocation_assert_failed (&no_picture, "/no/such.png");
    invocation_assert_failed (&wrong_size,
            "pictures of 70×84 pixels do not fit vision_config.image_size 70 of config.json: "
            "another size needs interpolate_pos_encoding");
}

/* ---- init ------------------------------------------------------------------------------------ */

/* Whatever the weights are called, neither they nor what goes with them are replaced. */
static void
test_init_over_weights (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const names[] = { "model.safetensors", "model.safetensors.index.json",
        "pytorch_model.bin", "pytorch_model.bin.index.json" };
    g_autofree char *config = g_build_filename (fixture->model, "config.json", NULL);
    g_autofree char *directory = g_build_filename (fixture->directory, "taken", NULL);
    g_autofree char *taken = g_build_filename (directory, "config.json", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *message = g_strconcat (names[i], ": exists already", NULL);
        g_auto (Invocation) result = INVOCATION_INIT;
        g_autofree char *contents = NULL;

        g_assert_cmpint (g_mkdir (directory, 0777), ==, 0);
        write_bytes (directory, "config.json", "mine", 4);
        write_bytes (directory, names[i], "x", 1);
        result = invocation_run ("init", "--config", config, directory, NULL);
        invocation_assert_failed (&result, message);
        g_assert_true (g_file_get_contents (taken, &contents, NULL, NULL));
        g_assert_cmpstr (contents, ==, "mine");
        remove_directory (directory);
    }
}

/* Returns: (transfer full): the weights that @seed gives */
static GBytes *
initialise (Fixture *fixture, const char *seed)
{
    g_autofree char *config = g_build_filename (fixture->model, "config.json", NULL);
    g_autofree char *directory = g_build_filename (fixture->directory, "new", NULL);
    g_autofree char *weights = g_build_filename (directory, "model.safetensors", NULL);
    g_auto (Invocation) result =
            invocation_run ("init", "--config", config, "--seed", seed, directory, NULL);
    g_auto (Invocation) again = invocation_run ("init", "--config", config, directory, NULL);
    g_auto (Invocation) info = invocation_run ("info", directory, NULL);
    char *contents;
    gsize n;

    g_assert_cmpint (result.status, ==, 0);
    g_assert_cmpstr (result.out, ==, "");
    assert_contains (result.err, "put a tokenizer there");
    invocation_assert_failed (&again, "model.safetensors: exists already");
    json_decref (invocation_parse_success (&info, 1));
    g_assert_true (g_file_get_contents (weights, &contents, &n, NULL));
    remove_directory (directory);
    return g_bytes_new_take (contents, n);
}

static void
test_init (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GBytes) first = initialise (fixture, "7");
    g_autoptr (GBytes) same = initialise (fixture, "7");
    g_autoptr (GBytes) other = initialise (fixture, "18446744073709551615");

    g_assert_true (g_bytes_equal (first, same));
    g_assert_false (g_bytes_equal (first, other));
}

/* The towers of two models, joined: the text tower of one, the image tower of the other. */
static void
test_init_composed (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *text = golden_get_path ("half", "config.json");
    g_autofree char *vision = g_build_filename (fixture->model, "config.json", NULL);
    g_autofree char *directory = g_build_filename (fixture->directory, "new", NULL);
    g_auto (Invocation) result = invocation_run (
            "init", "--text-config", text, "--vision-config", vision, directory, NULL);
    g_auto (Invocation) info = invocation_run ("info", directory, NULL);
    json_t *lines = invocation_parse_success (&info, 1);
    json_t *model = json_array_get (lines, 0);

    g_assert_cmpint (result.status, ==, 0);
    g_assert_cmpfloat (get_number (model, "projection_dim"), ==, 768);
    g_assert_cmpfloat (get_number (json_object_get (model, "text"), "hidden_size"), ==, 36);
    g_assert_cmpfloat (get_number (json_object_get (model, "vision"), "hidden_size"), ==, 48);
    json_decref (lines);
    remove_directory (directory);
}

static void
test_init_fails (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *config = g_build_filename (fixture->model, "config.json", NULL);
    g_auto (Invocation) no_config =
            invocation_run ("init", "--config", "/no/config.json", "/no/such", NULL);
    g_auto (Invocation) no_place =
            invocation_run ("init", "--config", config, "/dev/null/model", NULL);
    g_auto (Invocation) no_vision = invocation_run (
            "init", "--text-config", config, "--vision-config", "/no/v.json", "/no/such", NULL);

    invocation_assert_failed (&no_config, "/no/config.json");
    invocation_assert_failed (&no_vision, "/no/v.json");
    invocation_assert_failed (&no_place, "/dev/null/model");
}

/* ---- convert --------------------------------------------------------------------------------- */

/* Returns: (transfer full): what the command prints, which succeeds */
static char *
embed (const char *model, const char *kind, const char *what, const char *precision)
{
    g_auto (Invocation) result =
            invocation_run ("embed", model, kind, what, "--precision", precision, NULL);

    invocation_assert_succeeded (&result);
    return g_steal_pointer (&result.out);
}

static void
check_same_pictures (Fixture *fixture, const char *model, const char *converted)
{
    g_autofree char *before = embed (model, "--image", fixture->picture, "bf16");
    g_autofree char *after = embed (converted, "--image", fixture->picture, "bf16");

    g_assert_cmpstr (before, ==, after);
}

/* Of rounded matrices both precisions are near. */
static void
check_similar_texts (const char *model, const char *converted)
{
    g_autofree char *before = embed (model, "--text", "a red circle", "f32");
    g_autofree char *after = embed (converted, "--text", "a red circle", "f32");
    json_t *first = json_loads (before, 0, NULL);
    json_t *second = json_loads (after, 0, NULL);
    json_t *a = json_object_get (first, "embedding");
    json_t *b = json_object_get (second, "embedding");
    double cosine = 0.0;

    g_assert_cmpuint (json_array_size (a), ==, json_array_size (b));
    for (gsize i = 0; i < json_array_size (a); i++)
        cosine += json_number_value (json_array_get (a, i)) *
                  json_number_value (json_array_get (b, i));
    g_assert_cmpfloat (cosine, >, 0.999);
    json_decref (second);
    json_decref (first);
}

static guint64
get_n_bytes (const char *directory)
{
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);
    GStatBuf status;

    g_assert_cmpint (g_stat (path, &status), ==, 0);
    return (guint64)status.st_size;
}

/* Whether the one tensor @name has another type than all others, without which the reference mixes
 * types. */
static void
check_is_wide (const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);
    g_autofree char *expected = g_strdup_printf ("\"%s\":{\"dtype\":\"F64\"", name);
    g_autofree char *contents = NULL;
    const char *found;
    guint64 n_header;
    gsize length;

    g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
    memcpy (&n_header, contents, sizeof n_header);
    n_header = GUINT64_FROM_LE (n_header);
    found = g_strstr_len (contents + 8, (gssize)n_header, expected);
    g_assert_nonnull (found);
    g_assert_null (g_strrstr_len (contents + 8, found - contents - 8, "\"F64\""));
    found += strlen (expected);
    g_assert_null (g_strstr_len (found, contents + 8 + n_header - found, "\"F64\""));
}

/* Weights of every format and naming. */
static void
test_convert (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const models[] = { "patch14", "patch16", "bin", "bin-shards", "bin-views",
        "double", "mixed", "shards", "layers", "processor-new", "extra" };
    g_autofree char *converted = g_build_filename (fixture->directory, "small", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
        g_autofree char *model = golden_get_path (models[i], NULL);
        g_auto (Invocation) result =
                invocation_run ("convert", model, converted, "--precision", "bf16", NULL);

        invocation_assert_succeeded (&result);
        g_assert_cmpstr (result.out, ==, "");
        check_same_pictures (fixture, model, converted);
        check_similar_texts (model, converted);
        check_is_wide (converted, "logit_scale");
        remove_directory (converted);
    }
}

/* Pictures as before, of a model in bfloat16 to the last digit; and there and back again. */
static void
test_convert_to_integers (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const models[] = { "patch14", "bin-shards", "mixed", "layers" };
    g_autofree char *half = g_build_filename (fixture->directory, "half", NULL);
    g_autofree char *integers = g_build_filename (fixture->directory, "integers", NULL);
    g_autofree char *again = g_build_filename (fixture->directory, "again", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
        g_autofree char *model = golden_get_path (models[i], NULL);
        g_auto (Invocation) first =
                invocation_run ("convert", model, half, "--precision", "bf16", NULL);
        g_auto (Invocation) second =
                invocation_run ("convert", half, integers, "--precision", "int8", NULL);
        g_auto (Invocation) info = invocation_run ("info", integers, NULL);
        g_auto (Invocation) third =
                invocation_run ("convert", integers, again, "--precision", "bf16", NULL);
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;

        invocation_assert_succeeded (&first);
        invocation_assert_succeeded (&second);
        invocation_assert_succeeded (&third);
        assert_contains (info.out, "\"int8\"");
        before = embed (half, "--image", fixture->picture, "int8");
        after = embed (integers, "--image", fixture->picture, "int8");
        g_assert_cmpstr (before, ==, after);
        check_similar_texts (half, integers);
        check_similar_texts (half, again);
        check_same_pictures (fixture, integers, again);
        g_assert_cmpuint (get_n_bytes (integers), <, get_n_bytes (half));
        remove_directory (half);
        remove_directory (integers);
        remove_directory (again);
    }
}

/* Towers that were saved alone. */
static void
test_convert_tower (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *converted = g_build_filename (fixture->directory, "small", NULL);
    g_autofree char *vision = golden_get_path ("vision-new", NULL);
    g_autofree char *text = golden_get_path ("text-old", NULL);
    g_auto (Invocation) of_vision = invocation_run (
            "convert", vision, converted, "--precision", "bf16", "--image-tower-only", NULL);
    g_auto (Invocation) info = invocation_run ("info", converted, NULL);
    g_auto (Invocation) of_text = { -1, NULL, NULL };

    invocation_assert_succeeded (&of_vision);
    json_decref (invocation_parse_success (&info, 1));
    g_assert_cmpuint (get_n_bytes (converted), <, get_n_bytes (vision) * 3 / 4);
    check_is_wide (converted, "embeddings.class_embedding");
    remove_directory (converted);
    of_text = invocation_run (
            "convert", text, converted, "--precision", "bf16", "--image-tower-only", NULL);
    invocation_assert_failed (&of_text, "text-old: has no image tower");
    g_assert_false (g_file_test (converted, G_FILE_TEST_EXISTS));
}

/* Pictures as before, with prompts that the whole model has made ready. */
static void
test_convert_image_tower (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *converted = g_build_filename (fixture->directory, "small", NULL);
    g_autofree char *ready = g_build_filename (fixture->directory, "ready.json", NULL);
    g_autofree char *tokenizer = g_build_filename (converted, "sentencepiece.bpe.model", NULL);
    g_autofree char *prompts = g_build_filename (fixture->directory, "prompts.json", NULL);
    static const char text[] =
            "{\"version\": 1, \"labels\": [{\"label\": \"a\"}, {\"label\": \"b\"}]}";
    g_auto (Invocation) result = invocation_run ("convert", fixture->model, converted,
            "--precision", "bf16", "--image-tower-only", NULL);
    g_auto (Invocation) text_only = invocation_run ("embed", converted, "--text", "a", NULL);
    g_auto (Invocation) made = { -1, NULL, NULL };
    g_auto (Invocation) before = { -1, NULL, NULL };
    g_auto (Invocation) after = { -1, NULL, NULL };

    invocation_assert_succeeded (&result);
    check_same_pictures (fixture, fixture->model, converted);
    g_assert_false (g_file_test (tokenizer, G_FILE_TEST_EXISTS));
    invocation_assert_failed (&text_only, "holds no text tower");

    write_bytes (fixture->directory, "prompts.json", text, strlen (text));
    made = invocation_run (
            "embed", fixture->model, "--prompts-file", prompts, "--output", ready, NULL);
    invocation_assert_succeeded (&made);
    before = invocation_run ("classify", fixture->model, "--prompts-file", ready, "--precision",
            "bf16", fixture->picture, NULL);
    after = invocation_run ("classify", converted, "--prompts-file", ready, "--precision", "bf16",
            fixture->picture, NULL);
    g_assert_cmpint (after.status, ==, 0);
    assert_contains (after.out, "\"label\":\"a\"");
    g_assert_cmpstr (before.out, ==, after.out);
    remove_directory (converted);
}

static void
test_convert_fails (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *converted = g_build_filename (fixture->directory, "small", NULL);
    g_autofree char *config = g_build_filename (converted, "config.json", NULL);
    g_autofree char *sharded = golden_get_path ("shards", NULL);
    g_auto (Invocation) over_another = INVOCATION_INIT;
    g_auto (Invocation) no_model =
            invocation_run ("convert", "/no/such", converted, "--precision", "bf16", NULL);
    g_auto (Invocation) no_place =
            invocation_run ("convert", fixture->model, "/dev/null/x", "--precision", "bf16", NULL);
    g_auto (Invocation) itself =
            invocation_run ("convert", fixture->model, fixture->model, "--precision", "bf16", NULL);
    g_auto (Invocation) itself_sharded =
            invocation_run ("convert", sharded, sharded, "--precision", "bf16", NULL);

    invocation_assert_failed (&no_model, "/no/such");
    g_assert_false (g_file_test (converted, G_FILE_TEST_EXISTS));
    invocation_assert_failed (&no_place, "/dev/null/x");
    invocation_assert_failed (&itself, "is the directory of the model itself");
    invocation_assert_failed (&itself_sharded, "is the directory of the model itself");

    /* Another model there stays what it is. */
    g_assert_cmpint (g_mkdir (converted, 0777), ==, 0);
    write_bytes (converted, "pytorch_model.bin", "x", 1);
    over_another =
            invocation_run ("convert", fixture->model, converted, "--precision", "bf16", NULL);
    invocation_assert_failed (
            &over_another, "pytorch_model.bin: exists already, and is not replaced");
    g_assert_false (g_file_test (config, G_FILE_TEST_EXISTS));
    remove_directory (converted);
}

/* ---- Surroundings ---------------------------------------------------------------------------- */

/* A container without a locale takes and gives UTF-8 all the same. */
static void
test_locale (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_setenv ("LC_ALL", "C", TRUE);
    {
        g_auto (Invocation) result = invocation_run (
                "classify", fixture->model, "--prompts", "红色;蓝色", fixture->picture, NULL);
        g_auto (Invocation) wrong =
                invocation_run ("classify", fixture->model, "--prompts", "红色;红色", "x", NULL);

        assert_contains (result.out, "红色");
        g_assert_cmpint (result.status, ==, 0);
        invocation_assert_refused (&wrong, "红色");
    }
    g_unsetenv ("LC_ALL");
}

/* Runs `tokenize` with @fd as its standard output. Returns: the wait status. */
static int
run_into (Fixture *fixture, int fd, char **err)
{
    const char *argv[] = { g_getenv ("ALTCLIP_COMMAND"), "tokenize", fixture->model, "a", "b",
        NULL };
    g_autoptr (GError) error = NULL;
    GString *all = g_string_new (NULL);
    char bytes[500];
    int err_fd;
    int status;
    ssize_t n;
    GPid pid;

    g_spawn_async_with_pipes_and_fds (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1,
            fd, -1, NULL, NULL, 0, &pid, NULL, NULL, &err_fd, &error);
    g_assert_no_error (error);
    while ((n = read (err_fd, bytes, sizeof bytes)) > 0)
        g_string_append_len (all, bytes, n);
    close (err_fd);
    *err = g_string_free (all, FALSE);
    g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
    return status;
}

static void
test_output_closed (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *err = NULL;
    int fds[2];
    int status;

    g_assert_cmpint (pipe (fds), ==, 0);
    g_assert_cmpint (fcntl (fds[1], F_SETFD, FD_CLOEXEC), ==, 0);
    close (fds[0]);
    status = run_into (fixture, fds[1], &err);
    close (fds[1]);
    g_assert_true (WIFEXITED (status));
    g_assert_cmpint (WEXITSTATUS (status), ==, 1);
    g_assert_cmpstr (err, ==, "");
}

static void
test_output_full (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *err = NULL;
    int fd = open ("/dev/full", O_WRONLY | O_CLOEXEC);
    int status;

    if (fd < 0) {
        g_test_skip ("there is no /dev/full");
        return;
    }
    status = run_into (fixture, fd, &err);
    close (fd);
    g_assert_true (WIFEXITED (status));
    g_assert_cmpint (WEXITSTATUS (status), ==, 1);
    assert_contains (err, "altclip: standard output: ");
}

/* ---- Wrong models ---------------------------------------------------------------------------- */

/* What is done to a copy of MODEL, and the parts of the one message that it brings. */
typedef struct {
    const char *name;
    const char *file;
    const char *from; /* this text in the file becomes @to; NULL: the whole file does */
    const char *to;   /* NULL: the file is left out, or with @keep cut */
    gsize keep;       /* bytes */
    const char *messages[4];
} Damage;

#define WEIGHTS "model.safetensors"
#define CONFIG "config.json"
#define PREPROCESSOR "preprocessor_config.json"
#define TOKENIZER "sentencepiece.bpe.model"

static const Damage DAMAGES[] = {
    { "no-config", CONFIG, NULL, NULL, 0, { CONFIG, "No such file" } },
    { "no-weights", WEIGHTS, NULL, NULL, 0, { "holds no weights", WEIGHTS } },
    { "no-tokenizer", TOKENIZER, NULL, NULL, 0, { TOKENIZER } },
    { "empty-config", CONFIG, NULL, "", 0, { CONFIG ": line 1" } },
    { "not-json", CONFIG, NULL, "{\"model_type\": altclip}", 0, { CONFIG ": line 1, column" } },
    { "not-an-object", CONFIG, NULL, "[]", 0, { CONFIG, "not a JSON object" } },
    { "config-not-utf8", CONFIG, NULL, "{\"model_type\": \"\xff\"}", 0, { CONFIG ": line 1" } },
    { "other-model", CONFIG, "\"model_type\": \"altclip\"", "\"model_type\": \"clip\"", 0,
            { CONFIG ": model_type is \"clip\", but must be \"altclip\"" } },
    { "text-for-number", CONFIG, "\"hidden_size\": 40", "\"hidden_size\": \"40\"", 0,
            { CONFIG ": text_config.hidden_size is \"40\", but must be an integer from 1 to" } },
    { "zero", CONFIG, "\"patch_size\": 14", "\"patch_size\": 0", 0,
            { CONFIG ": vision_config.patch_size is 0, but must be an integer from 1 to" } },
    { "huge", CONFIG, "\"intermediate_size\": 100", "\"intermediate_size\": 9999999999999", 0,
            { CONFIG ": vision_config.intermediate_size is 9999999999999, but must be" } },
    { "heads", CONFIG, "\"num_attention_heads\": 4", "\"num_attention_heads\": 5", 0,
            { CONFIG, "48", "5" } },
    { "activation", CONFIG, "\"patch_size\"", "\"hidden_act\": \"mish\", \"patch_size\"", 0,
            { CONFIG ": vision_config.hidden_act is \"mish\", but must be one of gelu" } },
    { "other-width", CONFIG, "\"intermediate_size\": 100", "\"intermediate_size\": 104", 0,
            { WEIGHTS, "mlp.fc1.weight' has shape [100, 48], but", "[104, 48]" } },
    { "relative-positions", CONFIG, "\"max_position_embeddings\"",
            "\"position_embedding_type\": \"relative_key\", \"max_position_embeddings\"", 0,
            { WEIGHTS,
                    "text_model.roberta.encoder.layer.0.attention.self.distance_embedding.weight'",
                    "is missing" } },
    { "more-layers", CONFIG, "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", 0,
            { WEIGHTS, "vision_model.encoder.layers.3.", "is missing" } },
    { "preprocessor-not-json", PREPROCESSOR, NULL, "{", 0, { PREPROCESSOR ": line 1" } },
    { "zero-deviation", PREPROCESSOR, "0.26862954", "0", 0, { PREPROCESSOR ": image_std is" } },
    { "empty-weights", WEIGHTS, NULL, "", 0, { WEIGHTS ": 0 bytes" } },
    { "truncated-length", WEIGHTS, NULL, NULL, 5, { WEIGHTS ": 5 bytes" } },
    { "truncated-header", WEIGHTS, NULL, NULL, 900, { WEIGHTS ": header length", "truncated" } },
    { "truncated-data", WEIGHTS, NULL, NULL, 300000,
            { WEIGHTS ": tensor '", "data_offsets", "truncated" } },
    { "not-weights", WEIGHTS, NULL, "this is not a safetensors file", 0,
            { WEIGHTS ": header length" } },
    { "broken-header", WEIGHTS, "{\"__metadata__\":", "[\"__metadata__\":", 0,
            { WEIGHTS ": header: " } },
    { "missing-tensor", WEIGHTS, "\"vision_model.post_layernorm.bias\"",
            "\"vision_model.post_layernorm.bi_s\"", 0,
            { WEIGHTS ": tensor 'vision_model.post_layernorm.bias' is missing" } },
    { "missing-text-tensor", WEIGHTS, "\"text_model.transformation.bias\"",
            "\"text_model.transformation.bi_s\"", 0,
            { WEIGHTS ": tensor 'text_model.transformation.bias' is missing" } },
    { "wrong-shape", WEIGHTS, "\"shape\":[24,32]", "\"shape\":[32,24]", 0,
            { WEIGHTS ": tensor 'text_projection.weight' has shape [32, 24], but", "[24, 32]" } },
    { "wrong-size", WEIGHTS, "\"shape\":[24,32]", "\"shape\":[24,33]", 0,
            { WEIGHTS ": tensor 'text_projection.weight': shape [24, 33]", "3072 bytes" } },
    { "overflow", WEIGHTS, "\"shape\":[24,32]", "\"shape\":[9e9,9]", 0,
            { WEIGHTS ": tensor 'text_projection.weight'" } },
    { "wrong-type", WEIGHTS, "\"dtype\":\"F32\",\"shape\":[24,32]",
            "\"dtype\":\"I32\",\"shape\":[24,32]", 0,
            { WEIGHTS ": tensor 'text_projection.weight' is not of a floating-point type" } },
    { "empty-tokenizer", TOKENIZER, NULL, "", 0, { TOKENIZER } },
    { "not-a-tokenizer", TOKENIZER, NULL, "this is no sentencepiece model", 0, { TOKENIZER } },
    { "truncated-tokenizer", TOKENIZER, NULL, NULL, 100000, { TOKENIZER } },
};

/* Replaces @from by @to in @contents, once, without minding zero bytes. */
static void
replace_bytes (GString *contents, const char *from, const char *to)
{
    char *at = memmem (contents->str, contents->len, from, strlen (from));
    gssize position = at - contents->str;

    g_assert_nonnull (at);
    g_string_erase (contents, position, (gssize)strlen (from));
    g_string_insert_len (contents, position, to, (gssize)strlen (to));
}

static void
copy_damaged (const char *directory, const char *file, const Damage *damage)
{
    g_autofree char *source = golden_get_path (MODEL, file);
    gboolean hit = strcmp (file, damage->file) == 0;
    char *bytes;
    gsize n;
    GString *contents;

    if (hit && !damage->to && damage->keep == 0)
        return;
    g_assert_true (g_file_get_contents (source, &bytes, &n, NULL));
    contents = g_string_new_len (bytes, (gssize)n);
    if (hit && damage->from)
        replace_bytes (contents, damage->from, damage->to);
    else if (hit)
        g_string_assign (contents, damage->to ? damage->to : "");
    if (hit && damage->keep > 0)
        g_string_append_len (contents, bytes, (gssize)damage->keep);
    write_bytes (directory, file, contents->str, contents->len);
    g_string_free (contents, TRUE);
    g_free (bytes);
}

static void
test_damage (gconstpointer data)
{
    static const char *const files[] = { CONFIG, PREPROCESSOR, WEIGHTS, TOKENIZER };
    const Damage *damage = data;
    g_autofree char *directory = g_dir_make_tmp ("altclip-damage-XXXXXX", NULL);
    g_auto (Invocation) result = { 0 };

    for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
        copy_damaged (directory, files[i], damage);
    result = invocation_run ("tokenize", directory, "a red circle", NULL);
    remove_directory (directory);
    invocation_assert_failed (&result, damage->messages[0]);
    for (gsize i = 1; i < G_N_ELEMENTS (damage->messages) && damage->messages[i]; i++)
        assert_contains (result.err, damage->messages[i]);
    assert_contains (result.err, directory);
}

static void
test_no_directory (void)
{
    g_autofree char *file = golden_get_path (MODEL, CONFIG);
    g_auto (Invocation) none = invocation_run ("info", "/no/such/model", NULL);
    g_auto (Invocation) not_one = invocation_run ("info", file, NULL);
    g_auto (Invocation) empty = invocation_run ("info", "", NULL);

    invocation_assert_failed (&none, "'/no/such/model' does not exist or is not a directory");
    invocation_assert_failed (&not_one, file);
    invocation_assert_failed (&empty, "does not exist");
}

/* Nesting that would overflow the stack of a parser that recurses without a limit. */
static void
test_deep_json (void)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-deep-XXXXXX", NULL);
    g_autofree char *deep = g_strnfill (5 * 1000 * 1000, '[');
    g_auto (Invocation) result = { 0 };

    write_bytes (directory, CONFIG, deep, 5 * 1000 * 1000);
    result = invocation_run ("info", directory, NULL);
    remove_directory (directory);
    invocation_assert_failed (
            &result, "config.json: 5000001 JSON values exceed the limit of 3000000");
}

/* ---- All ------------------------------------------------------------------------------------- */

static void
add (const char *path, gconstpointer data, void (*test) (Fixture *, gconstpointer))
{
    g_test_add (path, Fixture, data, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/command/help", test_help);
    g_test_add_func ("/command/usage", test_usage);
    g_test_add_func ("/command/bench", test_bench);
    g_test_add_func ("/command/bench-without-model", test_bench_without_model);
    g_test_add_func ("/command/bench-shape", test_bench_shape);
    g_test_add_func ("/command/info", test_info);
    add ("/command/info/one-tower", NULL, test_info_one_tower);
    add ("/command/tokenize", NULL, test_tokenize);
    add ("/command/decode", NULL, test_decode);
    add ("/command/embed", NULL, test_embed);
    add ("/command/embed-cached", NULL, test_embed_cached);
    add ("/command/needs", NULL, test_needs);
    add ("/command/classify/softmax", "softmax", test_classify);
    add ("/command/classify/cosine", "cosine", test_classify);
    add ("/command/classify/sigmoid", "sigmoid", test_classify);
    add ("/command/prompts-file/softmax", "softmax", test_prompts_file);
    add ("/command/prompts-file/sigmoid", "sigmoid", test_prompts_file);
    add ("/command/prompts-file/embed", NULL, test_embed_prompts_file);
    add ("/command/prompts-file/pictures", NULL, test_prompts_file_pictures);
    add ("/command/prompts-file/regions", NULL, test_prompts_file_regions);
    add ("/command/prompts-file/bad", NULL, test_bad_prompts_file);
    add ("/command/classify/bad-file", NULL, test_bad_file);
    add ("/command/classify/lone-phrase", NULL, test_lone_phrase);
    add ("/command/forward", NULL, test_forward);
    add ("/command/forward/options", NULL, test_forward_options);
    add ("/command/forward/square", NULL, test_forward_square);
    add ("/command/forward/fails", NULL, test_forward_fails);
    add ("/command/bench/auto", NULL, test_bench_auto);
    add ("/command/init/over-weights", NULL, test_init_over_weights);
    add ("/command/init", NULL, test_init);
    add ("/command/init/composed", NULL, test_init_composed);
    add ("/command/init/fails", NULL, test_init_fails);
    add ("/command/convert", NULL, test_convert);
    add ("/command/convert/tower", NULL, test_convert_tower);
    add ("/command/convert/to-integers", NULL, test_convert_to_integers);
    add ("/command/convert/image-tower", NULL, test_convert_image_tower);
    add ("/command/convert/fails", NULL, test_convert_fails);
    add ("/command/locale", NULL, test_locale);
    add ("/command/output/closed", NULL, test_output_closed);
    add ("/command/output/full", NULL, test_output_full);
    g_test_add_func ("/command/no-directory", test_no_directory);
    g_test_add_func ("/command/deep-json", test_deep_json);
    for (gsize i = 0; i < G_N_ELEMENTS (DAMAGES); i++) {
        g_autofree char *path = g_strconcat ("/command/damage/", DAMAGES[i].name, NULL);
        g_test_add_data_func (path, &DAMAGES[i], test_damage);
    }
    return g_test_run ();
}
