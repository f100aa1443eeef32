/* altclip: weights in every form that is published, and files that are none
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "golden.h"
#include "shards.h"
#include "weights.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What was said at debug level. */
static GString *debug_lines;

static char *
build_golden_path (const char *name)
{
    return g_test_build_filename (G_TEST_DIST, "golden", "weights", name, NULL);
}

/* ---- A folder of its own for a test ---------------------------------------------------------- */

typedef struct {
    char *directory;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    fixture->directory = g_dir_make_tmp ("altclip-weights-XXXXXX", NULL);
    g_string_truncate (debug_lines, 0);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GDir) directory = g_dir_open (fixture->directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name (directory))) {
        g_autofree char *path = g_build_filename (fixture->directory, name, NULL);
        g_assert_cmpint (g_unlink (path), ==, 0);
    }
    g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
    g_free (fixture->directory);
}

static void
write_file (Fixture *fixture, const char *name, const void *contents, gsize n)
{
    g_autofree char *path = g_build_filename (fixture->directory, name, NULL);

    g_assert_true (g_file_set_contents (path, contents, (gssize)n, NULL));
}

/* Copies a file of the golden folder @form, with every @from replaced by @to. */
static void
copy_with (Fixture *fixture, const char *form, const char *name, const char *from, const char *to)
{
    g_autofree char *folder = build_golden_path (form);
    g_autofree char *source = g_build_filename (folder, name, NULL);
    g_autofree char *contents = NULL;
    gsize n;

    g_assert_true (g_file_get_contents (source, &contents, &n, NULL));
    if (from) {
        g_autoptr (GString) text = g_string_new (contents);
        g_assert_cmpuint (g_string_replace (text, from, to, 0), >, 0);
        write_file (fixture, name, text->str, text->len);
    } else {
        write_file (fixture, name, contents, n);
    }
}

/* Writes a safetensors file from a header and @n_data bytes. */
static void
write_safetensors_of (
        Fixture *fixture, const char *name, const char *header, gconstpointer data, gsize n_data)
{
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    guint64 length = GUINT64_TO_LE (strlen (header));

    g_byte_array_append (bytes, (const guint8 *)&length, 8);
    g_byte_array_append (bytes, (const guint8 *)header, (guint)strlen (header));
    g_byte_array_append (bytes, data, (guint)n_data);
    write_file (fixture, name, bytes->data, bytes->len);
}

/* The same of zeros. */
static void
write_safetensors (Fixture *fixture, const char *name, const char *header, gsize n_data)
{
    g_autofree guint8 *data = g_malloc0 (n_data);

    write_safetensors_of (fixture, name, header, data, n_data);
}

static void
assert_message_has (const GError *error, const char *part)
{
    if (!strstr (error->message, part))
        g_error ("'%s' does not hold '%s'", error->message, part);
}

/* Opening fails; the message names @file of the folder and then says @message. */
static void
assert_refused (Fixture *fixture, AltclipError code, const char *file, const char *message)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipWeights) weights = altclip_weights_open (fixture->directory, &error);
    g_autofree char *path = g_build_filename (fixture->directory, file, NULL);

    g_assert_null (weights);
    g_assert_error (error, ALTCLIP_ERROR, (int)code);
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, path));
    assert_message_has (error, message);
}

/* ---- Forms ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    gboolean has_text;
    gboolean has_vision;
} FORMS[] = {
    { "whole", TRUE, TRUE },
    { "shards", TRUE, TRUE },
    { "half", TRUE, TRUE },
    { "bfloat", TRUE, TRUE },
    { "double", TRUE, TRUE },
    { "words", TRUE, TRUE },
    { "text", TRUE, FALSE },
    { "vision4", FALSE, TRUE },
    { "vision5", FALSE, TRUE },
    { "bin", TRUE, TRUE },
    { "bin-shards", TRUE, TRUE },
    { "half-bin", TRUE, TRUE },
    { "bfloat-bin", TRUE, TRUE },
    { "double-bin", TRUE, TRUE },
    { "extra-bin", TRUE, TRUE },
    { "first-bin", TRUE, TRUE },
    { "text-bin", TRUE, FALSE },
    { "vision5-bin", FALSE, TRUE },
};

static void
assert_tensor_equal (AltclipWeights *weights, const char *name, const GoldenTensor *expected)
{
    g_autofree float *values = g_new (float, expected->n_elements);
    g_autoptr (GError) error = NULL;
    const guint64 *dims = expected->dims;
    const AltclipStoredTensor *tensor = altclip_weights_require (weights, &error, name, "its shape",
            expected->n_dims, dims[0], dims[1], dims[2], dims[3]);

    g_assert_no_error (error);
    altclip_stored_tensor_read (tensor, 0, tensor->n_elements, values);
    g_assert_cmpmem (values, expected->n_elements * sizeof (float), expected->data,
            expected->n_elements * sizeof (float));
}

/* Every tensor of the model that this form should have is there, under the canonical name, with the
 * same values. */
static void
test_form (gconstpointer data)
{
    guint form = GPOINTER_TO_UINT (data);
    g_autofree char *directory = build_golden_path (FORMS[form].name);
    g_autofree char *whole = build_golden_path ("whole/model.safetensors");
    g_autoptr (GoldenFile) expected = golden_file_open (whole);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipWeights) weights = altclip_weights_open (directory, &error);
    g_autoptr (GList) names = golden_file_list_names (expected);
    guint n_compared = 0;

    g_assert_no_error (error);
    g_assert_cmpint (
            altclip_weights_contain_any (weights, "text_model."), ==, FORMS[form].has_text);
    g_assert_cmpint (
            altclip_weights_contain_any (weights, "vision_model."), ==, FORMS[form].has_vision);
    for (GList *name = names; name; name = name->next) {
        gboolean is_of_text = g_str_has_prefix (name->data, "text_model.");
        gboolean is_of_vision = g_str_has_prefix (name->data, "vision_model.");

        if ((is_of_text && FORMS[form].has_text) || (is_of_vision && FORMS[form].has_vision) ||
                (FORMS[form].has_text && FORMS[form].has_vision)) {
            assert_tensor_equal (weights, name->data, golden_file_get (expected, name->data));
            n_compared++;
        }
    }
    g_test_message ("%u tensors are equal", n_compared);
    g_assert_cmpuint (n_compared, >=, 23);
}

static void
test_preference (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *shard = g_build_filename (fixture->directory, "a.safetensors", NULL);
    g_autoptr (AltclipWeights) weights = NULL;

    assert_refused (fixture, ALTCLIP_ERROR_IO, "",
            ": holds no weights: none of model.safetensors, model.safetensors.index.json");
    write_file (fixture, "model.safetensors.index.json", "{}", 2);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, "model.safetensors.index.json",
            ": weight_map is missing, or not an object of names of files by names of tensors");
    write_file (fixture, "model.safetensors", "", 0);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, "model.safetensors", ": 0 bytes are too few");
    write_safetensors (fixture, "model.safetensors", "{}", 0);
    weights = altclip_weights_open (fixture->directory, NULL);
    g_assert_nonnull (weights);
    g_assert_true (g_str_has_suffix (altclip_weights_get_path (weights), "/model.safetensors"));
    g_assert_cmpuint (altclip_weights_get_files (weights)->len, ==, 1);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void
test_canonical_names (void)
{
    static const char *const cases[][2] = {
        { "logit_scale", "logit_scale" },
        { "text_projection.weight", "text_projection.weight" },
        { "roberta.encoder.layers.11.output.dense.bias",
                "text_model.roberta.encoder.layer.11.output.dense.bias" },
        { "text_model.roberta.encoder.layer.0.attention.self.distance_embedding.weight",
                "text_model.roberta.encoder.layer.0.attention.self.distance_embedding.weight" },
        { "pre_LN.weight", "text_model.pre_LN.weight" },
        { "text_model.transformation.bias", "text_model.transformation.bias" },
        { "embeddings.class_embedding", "vision_model.embeddings.class_embedding" },
        { "encoder.layer.3.mlp.fc1.weight", "vision_model.encoder.layers.3.mlp.fc1.weight" },
        { "pre_layrnorm.weight", "vision_model.pre_layrnorm.weight" },
        { "vision_model.post_layernorm.bias", "vision_model.post_layernorm.bias" },
        { "text_model.roberta.embeddings.position_ids", NULL },
        { "vision_model.embeddings.position_ids", NULL },
        { "embeddings.position_ids", NULL },
        { "text_model.roberta.pooler.dense.weight", NULL },
        { "roberta.pooler.dense.weight", NULL },
        { "text_model.transformation_pre.weight", NULL },
        { "transformation_pre.weight", NULL },
        { "vision_model.roberta.embeddings.LayerNorm.weight", NULL },
        { "text_model.encoder.layers.0.mlp.fc1.weight", NULL },
        { "text_model.text_model.pre_LN.weight", NULL },
        { "text_model.logit_scale", NULL },
        { "pre_LN", NULL },
        { "", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autofree char *name = altclip_tensor_name_to_canonical (cases[i][0]);
        g_assert_cmpstr (name, ==, cases[i][1]);
    }
}

static void
test_clash (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    write_safetensors (fixture, "model.safetensors",
            "{\"pre_LN.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            "\"text_model.pre_LN.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}"
            "}",
            8);
    assert_refused (fixture, ALTCLIP_ERROR_TENSOR, "model.safetensors",
            ": tensors 'pre_LN.weight' and 'text_model.pre_LN.weight' are both "
            "'text_model.pre_LN.weight'");
}

/* What nobody asks for is named at debug level: at open what AltCLIP does not have, and later what
 * the configuration leaves out. */
static void
test_extra (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
#define EMPTY "{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[0,0]}"
    g_autoptr (AltclipWeights) weights = NULL;
    g_autoptr (GError) error = NULL;

    write_safetensors (fixture, "model.safetensors",
            "{\"text_model.roberta.pooler.dense.weight\":" EMPTY ",\"optimiser\":" EMPTY
            ",\"vision_model.embeddings.position_ids\":" EMPTY
            ",\"text_model.roberta.encoder.layers.7.spare\":" EMPTY
            ",\"vision_model.pre_layrnorm.spare\":" EMPTY
            ",\"logit_scale\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
            4);
#undef EMPTY
    weights = altclip_weights_open (fixture->directory, &error);
    g_assert_no_error (error);
    g_assert_nonnull (strstr (debug_lines->str,
            "model.safetensors: tensor 'text_model.roberta.pooler.dense.weight' "
            "is none of AltCLIP's"));
    g_assert_nonnull (
            strstr (debug_lines->str, "tensor 'optimiser' is none of AltCLIP's: ignored"));
    g_assert_nonnull (
            strstr (debug_lines->str, "'vision_model.embeddings.position_ids' is none of"));
    g_assert_null (strstr (debug_lines->str, "spare"));
    g_assert_null (strstr (debug_lines->str, "logit_scale"));
    altclip_weights_log_unused (weights, "text_model.");
    g_assert_nonnull (strstr (debug_lines->str,
            "model.safetensors: tensor 'text_model.roberta.encoder.layers.7.spare' is not needed"));
    g_assert_null (strstr (debug_lines->str, "vision_model.pre_layrnorm.spare"));
}

static void
test_required (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char HEADER[] =
            "{\"pre_LN.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            "\"pre_LN.weight\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[8,16]}}";
    static const struct {
        const char *name;
        guint64 size;
        const char *message;
    } cases[] = {
        { "text_model.pre_LN.spare", 1,
                "/model.safetensors: tensor 'text_model.pre_LN.spare' is missing" },
        { "text_model.pre_LN.bias", 3,
                "/model.safetensors: tensor 'text_model.pre_LN.bias' has shape [2], but "
                "config.json "
                "asks for [3] (hidden_size)" },
        { "text_model.pre_LN.weight", 1,
                "/model.safetensors: tensor 'text_model.pre_LN.weight' is not of a floating-point "
                "type (float32, float16, bfloat16 or float64)" },
    };
    g_autoptr (AltclipWeights) weights = NULL;

    write_safetensors (fixture, "model.safetensors", HEADER, 16);
    weights = altclip_weights_open (fixture->directory, NULL);
    g_assert_nonnull (weights);
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (GError) error = NULL;

        g_assert_null (altclip_weights_require (
                weights, &error, cases[i].name, "hidden_size", 1, cases[i].size));
        g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR);
        assert_message_has (error, cases[i].message);
    }
}

/* ---- safetensors ----------------------------------------------------------------------------- */

/* Headers of any length: then the data lie misaligned. */
static void
test_misaligned (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const struct {
        const char *dtype;
        gsize size;
        guint8 one[8];
    } types[] = {
        { "F32", 4, { 0, 0, 0x80, 0x3f } },
        { "F16", 2, { 0, 0x3c } },
        { "BF16", 2, { 0x80, 0x3f } },
        { "F64", 8, { 0, 0, 0, 0, 0, 0, 0xf0, 0x3f } },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (types); i++) {
        for (guint blanks = 0; blanks < 8; blanks++) {
            g_autofree char *header =
                    g_strdup_printf ("{\"logit_scale\":{\"dtype\":\"%s\",\"shape\":[1],"
                                     "\"data_offsets\":[0,%u]}%*s}",
                            types[i].dtype, (guint)types[i].size, (int)blanks, "");
            g_autoptr (GByteArray) bytes = g_byte_array_new ();
            g_autoptr (AltclipWeights) weights = NULL;
            g_autoptr (GError) error = NULL;
            guint64 length = GUINT64_TO_LE (strlen (header));
            const AltclipStoredTensor *tensor;
            float value;

            g_byte_array_append (bytes, (const guint8 *)&length, 8);
            g_byte_array_append (bytes, (const guint8 *)header, (guint)strlen (header));
            g_byte_array_append (bytes, types[i].one, (guint)types[i].size);
            write_file (fixture, "model.safetensors", bytes->data, bytes->len);
            weights = altclip_weights_open (fixture->directory, &error);
            g_assert_no_error (error);
            tensor = altclip_weights_require (weights, &error, "logit_scale", "one", 1, (guint64)1);
            g_assert_no_error (error);
            altclip_stored_tensor_read (tensor, 0, 1, &value);
            g_assert_cmpfloat (value, ==, 1.0f);
        }
    }
}

/* Every type that the format knows may lie beside the weights; less than a byte must fill bytes. */
static void
test_foreign_types (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const struct {
        const char *entry;
        gsize n_data;
        const char *message;
    } cases[] = {
        { "{\"dtype\":\"F4\",\"shape\":[6],\"data_offsets\":[0,3]}", 3, NULL },
        { "{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,3]}", 3, NULL },
        { "{\"dtype\":\"F6_E3M2\",\"shape\":[2,4],\"data_offsets\":[0,6]}", 6, NULL },
        { "{\"dtype\":\"F8_E8M0\",\"shape\":[3],\"data_offsets\":[0,3]}", 3, NULL },
        { "{\"dtype\":\"F8_E5M2FNUZ\",\"shape\":[3],\"data_offsets\":[0,3]}", 3, NULL },
        { "{\"dtype\":\"C64\",\"shape\":[3],\"data_offsets\":[0,24]}", 24, NULL },
        { "{\"dtype\":\"BOOL\",\"shape\":[0,5],\"data_offsets\":[0,0]}", 0, NULL },
        { "{\"dtype\":\"F4\",\"shape\":[5],\"data_offsets\":[0,3]}", 3,
                ": tensor 'spare': shape [5] of 4-bit elements does not fill its 3 bytes" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autofree char *header = g_strdup_printf ("{\"spare\":%s}", cases[i].entry);

        write_safetensors (fixture, "model.safetensors", header, cases[i].n_data);
        if (cases[i].message) {
            assert_refused (fixture, ALTCLIP_ERROR_FORMAT, "model.safetensors", cases[i].message);
        } else {
            g_autoptr (GError) error = NULL;
            g_autoptr (AltclipWeights) weights = altclip_weights_open (fixture->directory, &error);
            g_assert_no_error (error);
        }
    }
}

static void
test_git_lfs (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char POINTER[] = "version https://git-lfs.github.com/spec/v1\noid sha256:12\n";

    write_file (fixture, "model.safetensors", POINTER, strlen (POINTER));
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, "model.safetensors",
            ": a Git LFS pointer of 57 bytes instead of the file; fetch the file with 'git lfs "
            "pull'");
}

/* ---- Shards ---------------------------------------------------------------------------------- */

#define INDEX "model.safetensors.index.json"
#define FIRST_SHARD "model-00001-of-00003.safetensors"
#define SECOND_SHARD "model-00002-of-00003.safetensors"
#define THIRD_SHARD "model-00003-of-00003.safetensors"

static void
copy_shards (Fixture *fixture)
{
    copy_with (fixture, "shards", FIRST_SHARD, NULL, NULL);
    copy_with (fixture, "shards", SECOND_SHARD, NULL, NULL);
    copy_with (fixture, "shards", THIRD_SHARD, NULL, NULL);
}

static void
test_bad_index (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
#define NAME_RULE                                                                                  \
    "', but that must be the name of a file beside the index, of 1 to 255 bytes, without '/' and " \
    "'..'"
    static const struct {
        const char *from;
        const char *to;
        AltclipError code;
        const char *message;
    } cases[] = {
        { "{\n", "[\n", ALTCLIP_ERROR_FORMAT, ": line 2, column " },
        { "\"weight_map\"", "\"weight_maps\"", ALTCLIP_ERROR_FORMAT, ": weight_map is missing" },
        { "\"visual_projection.weight\"", "\"logit_scale\"", ALTCLIP_ERROR_FORMAT,
                "duplicate object key" },
        { "\"" FIRST_SHARD "\"", "5", ALTCLIP_ERROR_FORMAT, "' is in '(not a string)" NAME_RULE },
        { FIRST_SHARD, "", ALTCLIP_ERROR_FORMAT, "' is in '" NAME_RULE },
        { FIRST_SHARD, "/etc/passwd", ALTCLIP_ERROR_FORMAT, "' is in '/etc/passwd" NAME_RULE },
        { FIRST_SHARD, "../" FIRST_SHARD, ALTCLIP_ERROR_FORMAT,
                "' is in '../" FIRST_SHARD NAME_RULE },
        { FIRST_SHARD, "..", ALTCLIP_ERROR_FORMAT, "' is in '.." NAME_RULE },
        { FIRST_SHARD, ".", ALTCLIP_ERROR_FORMAT, "' is in '." NAME_RULE },
        { FIRST_SHARD, "sub/" FIRST_SHARD, ALTCLIP_ERROR_FORMAT,
                "' is in 'sub/" FIRST_SHARD NAME_RULE },
        { FIRST_SHARD, "a\\nb", ALTCLIP_ERROR_FORMAT,
                "' is in 'a\xef\xbf\xbd"
                "b" NAME_RULE },
        { "\"logit_scale\"", "\"logit_scales\"", ALTCLIP_ERROR_TENSOR,
                ": tensor 'logit_scales' is listed in '" FIRST_SHARD "', but is not there" },
        { "\"logit_scale\": \"" FIRST_SHARD "\"", "\"logit_scale\": \"" SECOND_SHARD "\"",
                ALTCLIP_ERROR_TENSOR,
                ": tensor 'logit_scale' is listed in '" SECOND_SHARD "', but '" FIRST_SHARD
                "' holds it too" },
    };
#undef NAME_RULE

    copy_shards (fixture);
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        copy_with (fixture, "shards", INDEX, cases[i].from, cases[i].to);
        assert_refused (fixture, cases[i].code, INDEX, cases[i].message);
    }
}

static void
test_bad_shards (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *third = g_build_filename (fixture->directory, THIRD_SHARD, NULL);

    copy_shards (fixture);
    copy_with (fixture, "shards", INDEX, NULL, NULL);
    g_unlink (third);
    assert_refused (fixture, ALTCLIP_ERROR_IO, THIRD_SHARD, ": No such file or directory");
    g_assert_cmpint (mkfifo (third, 0600), ==, 0);
    assert_refused (fixture, ALTCLIP_ERROR_IO, THIRD_SHARD, ": not a regular file");
    g_unlink (third);
    write_file (fixture, THIRD_SHARD, "", 0);
    assert_refused (fixture, ALTCLIP_ERROR_FORMAT, THIRD_SHARD, ": 0 bytes are too few");
}

/* A tensor that the index does not list is not used, though its shard holds it. */
static void
test_unlisted (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipWeights) weights = NULL;
    g_autoptr (GError) error = NULL;

    copy_shards (fixture);
    copy_with (fixture, "shards", INDEX, "\"logit_scale\": \"" FIRST_SHARD "\",", "");
    weights = altclip_weights_open (fixture->directory, &error);
    g_assert_no_error (error);
    g_assert_nonnull (strstr (
            debug_lines->str, FIRST_SHARD ": tensor 'logit_scale' is not in the index: ignored"));
    g_assert_cmpuint (altclip_weights_get_files (weights)->len, ==, 3);
    g_assert_null (altclip_weights_require (weights, &error, "logit_scale", "one", 0));
    assert_message_has (error, "/" INDEX ": tensor 'logit_scale' is missing");
}

static void
test_shape_in_shard (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipWeights) weights = NULL;
    g_autoptr (GError) error = NULL;

    copy_shards (fixture);
    copy_with (fixture, "shards", INDEX, NULL, NULL);
    weights = altclip_weights_open (fixture->directory, &error);
    g_assert_no_error (error);
    g_assert_null (altclip_weights_require (weights, &error, "logit_scale", "none", 1, (guint64)1));
    assert_message_has (error,
            "/" FIRST_SHARD ": tensor 'logit_scale' has shape [], but config.json asks for [1]");
}

/* Integers and their steps may lie in two shards. */
static void
test_steps_in_shard (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char index[] = "{\"weight_map\":{\"visual_projection.weight\":\"" FIRST_SHARD
                                "\",\"visual_projection.weight_scale\":\"" SECOND_SHARD "\"}}";
    static const guint8 steps[] = { 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0xbf }; /* 1 and −1 */
    g_autoptr (AltclipWeights) weights = NULL;
    g_autoptr (GError) error = NULL;

    write_file (fixture, INDEX, index, strlen (index));
    write_safetensors (fixture, FIRST_SHARD,
            "{\"visual_projection.weight\":"
            "{\"dtype\":\"I8\",\"shape\":[2,3],\"data_offsets\":[0,6]}}",
            6);
    write_safetensors_of (fixture, SECOND_SHARD,
            "{\"visual_projection.weight_scale\":"
            "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            steps, sizeof steps);
    weights = altclip_weights_open (fixture->directory, &error);
    g_assert_no_error (error);
    g_assert_null (altclip_weights_require (
            weights, &error, "visual_projection.weight", "2 × 3", 2, (guint64)2, (guint64)3));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR);
    assert_message_has (
            error, "/" SECOND_SHARD ": tensor 'visual_projection.weight_scale' holds -1 for row 1");
}

/* Though steps for it are there. */
static void
test_integer_vector (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipWeights) weights = NULL;
    g_autoptr (GError) error = NULL;

    write_safetensors (fixture, "model.safetensors",
            "{\"text_projection.bias\":"
            "{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            "\"text_projection.bias_scale\":"
            "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[2,10]}}",
            10);
    weights = altclip_weights_open (fixture->directory, &error);
    g_assert_no_error (error);
    g_assert_null (
            altclip_weights_require (weights, &error, "text_projection.bias", "2", 1, (guint64)2));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR);
    assert_message_has (error,
            "/model.safetensors: tensor 'text_projection.bias' is of 8-bit integers, which only a "
            "matrix in row-major order may be");
}

static char *
build_index (guint n_tensors, guint n_shards)
{
    GString *json = g_string_new ("{\"weight_map\":{");

    for (guint i = 0; i < n_tensors; i++)
        g_string_append_printf (json, "%s\"t%u\":\"s%u\"", i ? "," : "", i, i % n_shards);
    g_string_append (json, "}}");
    return g_string_free (json, FALSE);
}

static void
test_index_limits (void)
{
    static const struct {
        guint n_tensors;
        guint n_shards;
        const char *message; /* NULL: within the limits */
    } cases[] = {
        { 1024, 1024, NULL },
        { 1025, 1025,
                "lists 1025 tensors in 1025 files, but there must be 1 to 65536 tensors in at "
                "most 1024 files" },
        { 65537, 2, "lists 65537 tensors in 2 files" },
        { 0, 1, "lists 0 tensors in 0 files" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autofree char *json = build_index (cases[i].n_tensors, cases[i].n_shards);
        g_autoptr (GError) error = NULL;
        g_autoptr (AltclipShards) shards =
                altclip_shards_parse ("index.json", json, strlen (json), &error);

        if (cases[i].message) {
            g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT);
            assert_message_has (error, cases[i].message);
        } else {
            g_assert_no_error (error);
            g_assert_cmpuint (shards->names->len, ==, cases[i].n_shards);
        }
    }
}

/* ---- Names that are chosen to be slow -------------------------------------------------------- */

/* Appends number @i of many names that are different, though g_str_hash() says the same of all. */
static void
append_chosen_name (GString *text, guint i)
{
    g_string_append (text, "roberta.embeddings.");
    for (guint bit = 16; bit-- > 0;)
        g_string_append (text, i >> bit & 1 ? "BY" : "Az");
}

static char *
list_chosen_names (const char *before, const char *value, const char *after, guint n)
{
    GString *json = g_string_new (before);

    for (guint i = 0; i < n; i++) {
        g_string_append (json, i ? ",\"" : "\"");
        append_chosen_name (json, i);
        g_string_append (json, value);
    }
    g_string_append (json, after);
    return g_string_free (json, FALSE);
}

/* Returns: seconds of processor time to read an index and a file of @n names */
static double
read_chosen_names (Fixture *fixture, guint n)
{
    g_autofree char *index =
            list_chosen_names ("{\"weight_map\":{", "\":\"model-1.safetensors\"", "}}", n);
    g_autofree char *header = list_chosen_names (
            "{", "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", "}", n);
    g_autofree char *path = g_build_filename (fixture->directory, "model.safetensors", NULL);
    g_autoptr (AltclipWeights) weights = NULL;
    g_autoptr (GError) error = NULL;
    clock_t begin = clock ();

    write_file (fixture, INDEX, index, strlen (index));
    assert_refused (fixture, ALTCLIP_ERROR_TENSOR, INDEX,
            ": tensor 'roberta.embeddings.AzAzAzAzAzAzAzAzAzAzAzAzAzAzAzAz' is listed in "
            "'model-1.safetensors', but is not there");
    write_safetensors (fixture, "model.safetensors", header, 0);
    weights = altclip_weights_open (fixture->directory, &error);
    g_assert_no_error (error);
    g_assert_true (altclip_weights_contain (
            weights, "text_model.roberta.embeddings.AzAzAzAzAzAzAzAzAzAzAzAzAzAzAzBY"));
    g_unlink (path);
    return (double)(clock () - begin) / CLOCKS_PER_SEC;
}

/* Four times as many names take four times as long: sixteen times, if each were compared with all
 * before it. */
static void
test_chosen_names (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    double few;
    double many;

    write_safetensors (fixture, "model-1.safetensors", "{}", 0);
    few = read_chosen_names (fixture, 8192);
    many = read_chosen_names (fixture, 32768);
    g_test_message ("%.3f s and %.3f s", few, many);
    g_assert_cmpfloat (many, <, 8.0 * few + 0.5);
}

/* ---- Identity -------------------------------------------------------------------------------- */

/* The outline is what tells one file from another: the header of safetensors. */
static void
test_identity (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const char HEADER[] =
            "{\"logit_scale\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}";
    g_autofree char *path = g_build_filename (fixture->directory, "model.safetensors", NULL);
    g_autoptr (AltclipWeights) weights = NULL;
    const AltclipWeightsFile *file;
    GStatBuf status;

    write_safetensors (fixture, "model.safetensors", HEADER, 4);
    weights = altclip_weights_open (fixture->directory, NULL);
    file = g_ptr_array_index (altclip_weights_get_files (weights), 0);
    g_assert_cmpstr (file->tensors->path, ==, path);
    g_assert_cmpmem (
            file->tensors->outline + 8, file->tensors->n_outline - 8, HEADER, strlen (HEADER));
    g_assert_cmpint (g_stat (path, &status), ==, 0);
    g_assert_cmpuint (file->identity.inode, ==, status.st_ino);
    g_assert_cmpuint (file->identity.device, ==, status.st_dev);
    g_assert_cmpuint (file->identity.n_bytes, ==, 8 + strlen (HEADER) + 4);
    g_assert_cmpint (file->identity.modified / 1000000000, ==, status.st_mtime);
    g_assert_cmpint (file->identity.changed / 1000000000, ==, status.st_ctime);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void
keep_debug_line (G_GNUC_UNUSED const char *domain, G_GNUC_UNUSED GLogLevelFlags level,
        const char *message, G_GNUC_UNUSED gpointer user_data)
{
    g_string_append_printf (debug_lines, "%s\n", message);
}

int
main (int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test) (Fixture *fixture, gconstpointer data);
    } tests[] = {
        { "/weights/preference", test_preference },
        { "/weights/clash", test_clash },
        { "/weights/extra", test_extra },
        { "/weights/required", test_required },
        { "/weights/misaligned", test_misaligned },
        { "/weights/foreign-types", test_foreign_types },
        { "/weights/git-lfs", test_git_lfs },
        { "/weights/bad-index", test_bad_index },
        { "/weights/bad-shards", test_bad_shards },
        { "/weights/unlisted", test_unlisted },
        { "/weights/shape-in-shard", test_shape_in_shard },
        { "/weights/steps-in-shard", test_steps_in_shard },
        { "/weights/integer-vector", test_integer_vector },
        { "/weights/chosen-names", test_chosen_names },
        { "/weights/identity", test_identity },
    };

    debug_lines = g_string_new (NULL);
    g_log_set_handler ("altclip", G_LOG_LEVEL_DEBUG, keep_debug_line, NULL);
    g_test_init (&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS (FORMS); i++) {
        g_autofree char *path = g_strconcat ("/weights/form/", FORMS[i].name, NULL);
        g_test_add_data_func (path, GUINT_TO_POINTER (i), test_form);
    }
    g_test_add_func ("/weights/canonical-names", test_canonical_names);
    g_test_add_func ("/weights/index-limits", test_index_limits);
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
        g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run ();
}
