/* altclip: configuration files against the reference's classes, and files that are refused
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Goldens: golden/make_config_golden.py.
 */

#include "description.h"
#include "json.h"

#include <glib/gstdio.h>
#include <string.h>

static json_t *
load_golden (void)
{
    g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", "config.json", NULL);
    json_t *root = json_load_file (path, 0, NULL);

    g_assert_nonnull (root);
    return root;
}

/* ---- Goldens --------------------------------------------------------------------------------- */

/* Numbers count by their values: the reference keeps an integer where a float is meant. */
static gboolean
is_same (json_t *a, json_t *b)
{
    if (json_is_number (a) && json_is_number (b))
        return json_number_value (a) == json_number_value (b);
    if (!json_is_array (a) || !json_is_array (b) || json_array_size (a) != json_array_size (b))
        return json_equal (a, b);
    for (gsize i = 0; i < json_array_size (a); i++) {
        if (!is_same (json_array_get (a, i), json_array_get (b, i)))
            return FALSE;
    }
    return TRUE;
}

/* Every field of @expected, and of its sections, is in @found. */
static void
assert_fields (const char *name, json_t *found, json_t *expected)
{
    const char *field;
    json_t *value;

    json_object_foreach (expected, field, value)
    {
        json_t *own = json_object_get (found, field);

        if (json_is_object (value))
            assert_fields (name, own, value);
        else if (!is_same (own, value)) {
            char *shown = json_dumps (own, JSON_ENCODE_ANY);
            char *wanted = json_dumps (value, JSON_ENCODE_ANY);

            g_error ("%s: %s is %s, and should be %s", name, field, shown, wanted);
        }
    }
}

static void
check_config (json_t *golden)
{
    const char *name = json_string_value (json_object_get (golden, "name"));
    char *bytes = json_dumps (json_object_get (golden, "input"), JSON_INDENT (1));
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipConfig) config =
            altclip_config_parse ("config.json", bytes, strlen (bytes), &error);
    json_t *found;

    g_test_message ("%s", name);
    g_assert_no_error (error);
    found = altclip_description_of_config (config);
    assert_fields (name, found, json_object_get (golden, "expected"));
    json_decref (found);
    free (bytes);
}

static void
test_configs (void)
{
    json_t *root = load_golden ();
    json_t *golden;
    gsize i;

    g_assert_cmpuint (json_array_size (json_object_get (root, "configs")), >, 20);
    json_array_foreach (json_object_get (root, "configs"), i, golden) check_config (golden);
    json_decref (root);
}

static void
check_preprocessor (json_t *golden, const char *path, const char *wrapping)
{
    const char *name = json_string_value (json_object_get (golden, "name"));
    json_t *file = wrapping ? json_pack ("{s:O}", wrapping, json_object_get (golden, "input"))
                            : json_incref (json_object_get (golden, "input"));
    char *bytes = json_dumps (file, 0);
    g_autoptr (GError) error = NULL;
    AltclipPreprocessorConfig preprocessor;
    json_t *found;

    g_test_message ("%s", name);
    altclip_preprocessor_config_parse (&preprocessor, path, bytes, strlen (bytes), &error);
    g_assert_no_error (error);
    found = altclip_description_of_preprocessor (&preprocessor);
    assert_fields (name, found, json_object_get (golden, "expected"));
    json_decref (found);
    free (bytes);
    json_decref (file);
}

static void
test_preprocessors (void)
{
    json_t *root = load_golden ();
    json_t *golden;
    gsize i;

    g_assert_cmpuint (json_array_size (json_object_get (root, "preprocessors")), >, 9);
    json_array_foreach (json_object_get (root, "preprocessors"), i, golden)
    {
        check_preprocessor (golden, "preprocessor_config.json", NULL);
        check_preprocessor (golden, "processor_config.json", "image_processor");
    }
    json_decref (root);
}

/* ---- Directories ----------------------------------------------------------------------------- */

typedef struct {
    char *directory;
    char *paths[3]; /* of FILES */
} Fixture;

static const char *const FILES[] = { "config.json", "preprocessor_config.json",
    "processor_config.json" };

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    fixture->directory = g_dir_make_tmp ("altclip-config-XXXXXX", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (FILES); i++)
        fixture->paths[i] = g_build_filename (fixture->directory, FILES[i], NULL);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS (FILES); i++) {
        g_unlink (fixture->paths[i]);
        g_free (fixture->paths[i]);
    }
    g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
    g_free (fixture->directory);
}

static void
write_text (const char *path, const char *text)
{
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
write_json (const char *path, json_t *value)
{
    g_assert_cmpint (json_dump_file (value, path, 0), ==, 0);
}

static void
test_composed (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    json_t *root = load_golden ();
    json_t *golden = json_object_get (root, "composed");
    g_autoptr (AltclipConfig) config = NULL;
    g_autoptr (GError) error = NULL;
    json_t *found;

    write_json (fixture->paths[0], json_object_get (golden, "text"));
    write_json (fixture->paths[1], json_object_get (golden, "vision"));
    config = altclip_config_compose (fixture->paths[0], fixture->paths[1], &error);
    g_assert_no_error (error);
    found = altclip_description_of_config (config);
    assert_fields ("composed", found, json_object_get (golden, "expected"));
    json_decref (found);
    json_decref (root);
}

/* A configuration of both towers has either; one of the other tower does not. */
static void
test_composed_of_others (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipConfig) config = NULL;
    g_autofree char *message =
            g_strconcat (fixture->paths[0], ": model_type is \"altclip_text_model\", but must be ",
                    "\"altclip\" or \"altclip_vision_model\"", NULL);

    write_text (fixture->paths[0], "{\"model_type\": \"altclip_text_model\", \"vocab_size\": 77}");
    write_text (fixture->paths[1], "{\"vision_config\": {\"hidden_size\": 24}}");
    config = altclip_config_compose (fixture->paths[0], fixture->paths[1], &error);
    g_assert_no_error (error);
    g_assert_cmpuint (config->text.vocab_size, ==, 77);
    g_assert_cmpuint (config->vision.tower.hidden_size, ==, 24);
    g_assert_null (altclip_config_compose (fixture->paths[1], fixture->paths[0], &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG);
    g_assert_cmpstr (error->message, ==, message);
}

static void
assert_crop (Fixture *fixture, guint expected)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipConfig) config = altclip_config_read_directory (fixture->directory, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (config->preprocessor.crop_height, ==, expected);
}

/* The newer file counts when it says something of pictures; without either, the tower's size. */
static void
test_which_preprocessor (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    write_text (fixture->paths[0], "{\"vision_config\": {\"image_size\": 96}}");
    assert_crop (fixture, 96);
    write_text (fixture->paths[2], "{\"processor_class\": \"AltCLIPProcessor\"}");
    assert_crop (fixture, 96);
    write_text (fixture->paths[1], "{\"crop_size\": 48}");
    assert_crop (fixture, 48);
    write_text (fixture->paths[2], "{\"image_processor\": null}");
    assert_crop (fixture, 48);
    write_text (fixture->paths[2], "{\"image_processor\": {\"crop_size\": 40}}");
    assert_crop (fixture, 40);
    write_text (fixture->paths[1], "not looked at");
    assert_crop (fixture, 40);
}

static void
assert_directory_refused (Fixture *fixture, gsize file, const char *message)
{
    g_autoptr (GError) error = NULL;

    g_assert_null (altclip_config_read_directory (fixture->directory, &error));
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, fixture->paths[file]));
    g_assert_cmpstr (error->message + strlen (fixture->paths[file]), ==, message);
}

static void
test_bad_directory (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    assert_directory_refused (fixture, 0, ": No such file or directory");
    write_text (fixture->paths[0], "{}");
    write_text (fixture->paths[2], "{\"image_processor\": {\"size\": 0}}");
    assert_directory_refused (
            fixture, 2, ": image_processor.size is 0, but must be an integer from 1 to 2048");
    write_text (fixture->paths[2], "{\"image_processor\": 5}");
    assert_directory_refused (fixture, 2, ": image_processor is 5, but must be an object");
    write_text (fixture->paths[2], "[]");
    assert_directory_refused (fixture, 2, ": line 1, column 1: not a JSON object");
    g_unlink (fixture->paths[2]);
    g_assert_cmpint (g_mkdir (fixture->paths[2], 0700), ==, 0);
    assert_directory_refused (fixture, 2, ": not a regular file");
    g_assert_cmpint (g_rmdir (fixture->paths[2]), ==, 0);
    write_text (fixture->paths[1], "{\"crop_size\": {\"height\": 20}}");
    assert_directory_refused (fixture, 1,
            ": crop_size is {\"height\":20}, but must be an integer, [height, width] or "
            "{\"height\", \"width\"}");
}

/* ---- Refused --------------------------------------------------------------------------------- */

typedef struct {
    const char *text;
    const char *message;
} Refusal;

static const Refusal CONFIGS[] = {
    { "{\"model_type\": \"clip_vision_model\"}",
            "c: model_type is \"clip_vision_model\", but must be \"altclip\", "
            "\"altclip_text_model\" or \"altclip_vision_model\"" },
    { "{\"model_type\": 5}", "c: model_type is 5, but must be a string" },
    { "{\"projection_dim\": 768.0}",
            "c: projection_dim is 768.0, but must be an integer from 1 to 32768" },
    { "{\"logit_scale_init_value\": \"1\"}",
            "c: logit_scale_init_value is \"1\", but must be a number from -20 to 20" },
    { "{\"text_config\": {\"eos_token_id\": [2, -3]}}",
            "c: text_config.eos_token_id is -3, but must be an integer from 0 to 8000000" },
    { "{\"text_config\": {\"eos_token_id\": [[2]]}}",
            "c: text_config.eos_token_id is [2], but must be an integer from 0 to 8000000" },
    { "{\"text_config\": {\"bos_token_id\": \"<s>\"}}",
            "c: text_config.bos_token_id is \"<s>\", but must be an integer from 0 to 8000000" },
    { "{\"text_config\": {\"pad_token_id\": [1, 2]}}",
            "c: text_config.pad_token_id is [1,2], but must be an integer from 0 to 8000000" },
    { "{\"text_config\": {\"pad_token_id\": 600}}",
            "c: text_config.pad_token_id is 600, but must be below vocab_size 250002 and at least "
            "4 below max_position_embeddings 514" },
    { "{\"text_config\": {\"max_position_embeddings\": 4}}",
            "c: text_config.pad_token_id is 1, but must be below vocab_size 250002 and at least "
            "4 below max_position_embeddings 4" },
    { "{\"text_config\": {\"hidden_dropout_prob\": 1.5}}",
            "c: text_config.hidden_dropout_prob is 1.5, but must be a number from 0 to 1" },
    { "{\"text_config\": {\"attention_probs_dropout_prob\": true}}",
            "c: text_config.attention_probs_dropout_prob is true, but must be a number from 0 to "
            "1" },
    { "{\"text_config\": {\"use_cache\": 1}}",
            "c: text_config.use_cache is 1, but must be true or false" },
    { "{\"text_config\": {\"is_decoder\": true}}",
            "c: text_config.is_decoder is true, but must be false" },
    { "{\"text_config\": {\"initializer_factor\": -1}}",
            "c: text_config.initializer_factor is -1, but must be a number from 0 to 100" },
    { "{\"text_config\": {\"hidden_size\": 20}, \"text_config_dict\": {\"hidden_size\": 8}}",
            "c: text_config_dict.hidden_size 8 is not a multiple of num_attention_heads 16" },
    { "{\"text_config\": [], \"text_config_dict\": {}}",
            "c: text_config is [], but must be an object" },
    { "{\"vision_config_dict\": \"x\"}", "c: vision_config_dict is \"x\", but must be an object" },
    { "{\"vision_config\": {\"image_size\": [224, 224]}}",
            "c: vision_config.image_size is [224,224], but must be an integer from 1 to 2048" },
    { "{\"vision_config\": {\"image_size\": 20}}",
            "c: vision_config.patch_size is 32, but must be such that image_size 20 holds 1 to "
            "16384 patches" },
    { "{\"vision_config\": {\"projection_dim\": 0}}",
            "c: vision_config.projection_dim is 0, but must be an integer from 1 to 32768" },
    { "{\"vision_config\": {\"attention_dropout\": 2}}",
            "c: vision_config.attention_dropout is 2, but must be a number from 0 to 1" },
    { "{\"vision_config\": {\"num_channels\": 2}}",
            "c: vision_config.num_channels is 2, but must be 1 or 3" },
    { "{\"model_type\": \"altclip_text_model\", \"vocab_size\": 1}",
            "c: vocab_size is 1, but must be an integer from 5 to 8000000" },
    { "{\"model_type\": \"altclip_vision_model\", \"hidden_act\": \"mish\"}",
            "c: hidden_act is \"mish\", but must be one of gelu, gelu_new, gelu_pytorch_tanh, "
            "quick_gelu, relu, silu, swish, selu" },
};

#define SIZE_LIMIT \
    ", but must be an integer, [height, width], {\"shortest_edge\"} or {\"height\", \"width\"}"

static const Refusal PREPROCESSORS[] = {
    { "{\"size\": 32.0}", "c: size is 32.0" SIZE_LIMIT },
    { "{\"size\": true}", "c: size is true" SIZE_LIMIT },
    { "{\"size\": {}}", "c: size is {}" SIZE_LIMIT },
    { "{\"size\": [32]}", "c: size is [32]" SIZE_LIMIT },
    { "{\"size\": {\"shortest_edge\": 32, \"longest_edge\": 40}}",
            "c: size is {\"shortest_edge\":32,\"longest_edge\":40}" SIZE_LIMIT },
    { "{\"size\": {\"max_height\": 32, \"max_width\": 40}}",
            "c: size is {\"max_height\":32,\"max_width\":40}" SIZE_LIMIT },
    { "{\"size\": {\"shortest_edge\": 32.0}}",
            "c: size.shortest_edge is 32.0, but must be an integer from 1 to 2048" },
    { "{\"size\": {\"height\": 32, \"width\": 5000}}",
            "c: size.width is 5000, but must be an integer from 1 to 2048" },
    { "{\"size\": [0, 32]}", "c: size[0] is 0, but must be an integer from 1 to 2048" },
    { "{\"crop_size\": {\"shortest_edge\": 32}}",
            "c: crop_size is {\"shortest_edge\":32}, but must be an integer, [height, width] or "
            "{\"height\", \"width\"}" },
    { "{\"crop_size\": -1}", "c: crop_size is -1, but must be an integer from 1 to 2048" },
    { "{\"resample\": \"bicubic\"}",
            "c: resample is \"bicubic\", but must be an integer from 0 to 5" },
    { "{\"do_resize\": 2}", "c: do_resize is 2, but must be true or false" },
    { "{\"do_resize\": null}", "c: do_resize is null, but must be true or false" },
    { "{\"do_convert_rgb\": \"no\"}", "c: do_convert_rgb is \"no\", but must be true or false" },
    { "{\"do_pad\": true}", "c: do_pad is true, but must be false" },
    { "{\"default_to_square\": true}", "c: default_to_square is true, but must be false" },
    { "{\"use_square_size\": 1}", "c: use_square_size is 1, but must be false" },
    { "{\"rescale_factor\": 1e9}",
            "c: rescale_factor is 1000000000.0, but must be a number from -1e+06 to 1e+06" },
    { "{\"image_mean\": [0.5, 0.4]}",
            "c: image_mean is [0.5,0.40000000000000002], but must be a number or a list of one or "
            "three" },
    { "{\"image_std\": [1, 0, 1]}", "c: image_std is [1,0,1], but must be a number or a list of "
                                    "one or three, none of them 0" },
    { "{\"image_std\": 0}",
            "c: image_std is 0, but must be a number or a list of one or three, none of them 0" },
    { "{\"image_processor\": {\"crop_size\": [32, 0]}}",
            "c: image_processor.crop_size[1] is 0, but must be an integer from 1 to 2048" },
};

static void
assert_message (const GError *error, const char *message)
{
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG);
    g_assert_cmpstr (error->message, ==, message);
}

static void
test_refused_configs (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (CONFIGS); i++) {
        g_autoptr (GError) error = NULL;
        const char *text = CONFIGS[i].text;

        g_assert_null (altclip_config_parse ("c", text, strlen (text), &error));
        assert_message (error, CONFIGS[i].message);
    }
}

static void
test_refused_preprocessors (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (PREPROCESSORS); i++) {
        g_autoptr (GError) error = NULL;
        const char *text = PREPROCESSORS[i].text;
        AltclipPreprocessorConfig config;

        g_assert_false (
                altclip_preprocessor_config_parse (&config, "c", text, strlen (text), &error));
        assert_message (error, PREPROCESSORS[i].message);
    }
}

/* Memory is bounded by the number of values: a file of brackets is no larger than one of words. */
static void
test_many_values (void)
{
    g_autoptr (GString) text = g_string_new ("{\"a\": [\"[[[[\\\"[[[[\"");
    g_autoptr (AltclipConfig) config = NULL;
    g_autoptr (GError) error = NULL;

    for (guint i = 0; i < ALTCLIP_JSON_MAX_VALUES - 4; i++)
        g_string_append (text, ",1");
    g_string_append (text, "]}");
    config = altclip_config_parse ("c", text->str, text->len, &error);
    g_assert_no_error (error);
    g_string_insert (text, 1, "\"b\": 1, ");
    g_assert_null (altclip_config_parse ("c", text->str, text->len, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT);
    g_assert_cmpstr (error->message, ==, "c: 3000002 JSON values exceed the limit of 3000000");
}

int
main (int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test) (Fixture *fixture, gconstpointer data);
    } tests[] = {
        { "/config/composed", test_composed },
        { "/config/composed-of-others", test_composed_of_others },
        { "/config/which-preprocessor", test_which_preprocessor },
        { "/config/bad-directory", test_bad_directory },
    };

    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/config/goldens", test_configs);
    g_test_add_func ("/config/preprocessor-goldens", test_preprocessors);
    g_test_add_func ("/config/refused", test_refused_configs);
    g_test_add_func ("/config/preprocessor-refused", test_refused_preprocessors);
    g_test_add_func ("/config/many-values", test_many_values);
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
        g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run ();
}
