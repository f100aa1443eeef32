/* altclip: models for the element's tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "models.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "altclip.h"

#define TOKENIZER "sentencepiece.bpe.model"

static char *top;

/* A few hundred words are enough for a tokenizer of any size: ids beyond the table would be an
 * error, so the table is as large as the largest tokenizer of the tests. */
static const char *config_format =
        "{\"model_type\": \"altclip\", \"projection_dim\": 32,"
        " \"text_config\": {\"model_type\": \"altclip_text_model\", \"vocab_size\": %d,"
        "  \"hidden_size\": 32, \"intermediate_size\": 64, \"num_hidden_layers\": 1,"
        "  \"num_attention_heads\": 2, \"project_dim\": 32, \"max_position_embeddings\": 66},"
        " \"vision_config\": {\"model_type\": \"altclip_vision_model\", \"hidden_size\": %d,"
        "  \"intermediate_size\": %d, \"num_hidden_layers\": %d, \"num_attention_heads\": 2,"
        "  \"image_size\": %d, \"patch_size\": 16, \"projection_dim\": 32}}";

static void
remove_directory (const char *path)
{
    g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name (directory))) {
        g_autofree char *child = g_build_filename (path, name, NULL);

        if (g_file_test (child, G_FILE_TEST_IS_DIR))
            remove_directory (child);
        else
            g_unlink (child);
    }
    g_rmdir (path);
}

static void
remove_top (void)
{
    remove_directory (top);
}

static const char *
get_top (void)
{
    g_autoptr (GError) error = NULL;

    if (top)
        return top;
    top = g_dir_make_tmp ("altclip-models-XXXXXX", &error);
    g_assert_no_error (error);
    g_assert_cmpint (atexit (remove_top), ==, 0);
    return top;
}

static void
copy_file (const char *from, const char *to)
{
    g_autofree char *data = NULL;
    g_autoptr (GError) error = NULL;
    gsize size;

    g_file_get_contents (from, &data, &size, &error);
    g_assert_no_error (error);
    g_file_set_contents (to, data, (gssize)size, &error);
    g_assert_no_error (error);
}

static void
copy_named (const char *from, const char *to, const char *name)
{
    g_autofree char *source = g_build_filename (from, name, NULL);
    g_autofree char *target = g_build_filename (to, name, NULL);

    copy_file (source, target);
}

static void
copy_tokenizer (const char *directory)
{
    g_autofree char *target = g_build_filename (directory, TOKENIZER, NULL);
    g_autofree char *golden = g_build_filename (TEST_GOLDEN_DIR, "models", TOKENIZER, NULL);

    if (models_get_demo ())
        copy_named (models_get_demo (), directory, TOKENIZER);
    else
        copy_file (golden, target);
}

static char *
make_model (const char *name, int width, int n_layers, int image_size)
{
    g_autofree char *config =
            g_strdup_printf (config_format, 8000, width, 2 * width, n_layers, image_size);
    g_autofree char *config_name = g_strconcat (name, ".json", NULL);
    g_autofree char *config_path = g_build_filename (get_top (), config_name, NULL);
    g_autoptr (GError) error = NULL;
    char *directory = g_build_filename (get_top (), name, NULL);

    g_file_set_contents (config_path, config, -1, &error);
    g_assert_no_error (error);
    altclip_initialise (config_path, 1, directory, &error);
    g_assert_no_error (error);
    copy_tokenizer (directory);
    return directory;
}

static char *
copy_quick (const char *name)
{
    char *directory = g_build_filename (get_top (), name, NULL);

    g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
    copy_named (models_get_quick (), directory, "config.json");
    copy_named (models_get_quick (), directory, "preprocessor_config.json");
    copy_named (models_get_quick (), directory, "model.safetensors");
    copy_named (models_get_quick (), directory, TOKENIZER);
    return directory;
}

const char *
models_get_demo (void)
{
    static char *weights;
    const char *directory = g_getenv ("ALTCLIP_DEMO_MODEL_DIR");

    if (!directory)
        return NULL;
    if (!weights)
        weights = g_build_filename (directory, "model.safetensors", NULL);
    return g_file_test (weights, G_FILE_TEST_EXISTS) ? directory : NULL;
}

const char *
models_get_quick (void)
{
    static char *directory;

    if (!directory)
        directory = make_model ("quick", 32, 1, 32);
    return directory;
}

const char *
models_get_middling (void)
{
    static char *directory;

    if (!directory)
        directory = make_model ("middling", 64, 2, 256);
    return directory;
}

const char *
models_get_wide (void)
{
    static char *directory;

    if (!directory)
        directory = make_model ("wide", 768, 2, 32);
    return directory;
}

const char *
models_get_slow (void)
{
    static char *directory;

    if (!directory)
        directory = make_model ("slow", 64, 2, 512);
    return directory;
}

/* Under a sanitizer half of the size is as slow. */
#ifdef __SANITIZE_ADDRESS__
#define SLOWEST_IMAGE_SIZE 512
#else
#define SLOWEST_IMAGE_SIZE 1024
#endif

const char *
models_get_slowest (void)
{
    static char *directory;

    if (!directory)
        directory = make_model ("slowest", 64, 3, SLOWEST_IMAGE_SIZE);
    return directory;
}

const char *
models_get_truncated (void)
{
    static char *directory;
    g_autofree char *path = NULL;
    g_autofree char *data = NULL;
    g_autoptr (GError) error = NULL;
    gsize size;

    if (directory)
        return directory;
    directory = copy_quick ("truncated");
    path = g_build_filename (directory, "model.safetensors", NULL);
    g_file_get_contents (path, &data, &size, &error);
    g_assert_no_error (error);
    g_file_set_contents (path, data, (gssize)(size - 1000), &error);
    g_assert_no_error (error);
    return directory;
}

/* Where the logit scale lies, whose value is looked at by itself. */
static gsize
find_logit_scale (const char *data, gsize header)
{
    const char *tensor = g_strstr_len (data + 8, (gssize)header, "\"logit_scale\"");
    const char *offsets = g_strstr_len (tensor, -1, "\"data_offsets\":[");

    return 8 + header + (gsize)g_ascii_strtoull (offsets + strlen ("\"data_offsets\":["), NULL, 10);
}

/* A copy of the quick one with all weights one number. */
static char *
copy_with_weights (const char *name, float weight)
{
    char *directory = copy_quick (name);
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);
    g_autofree char *data = NULL;
    g_autoptr (GError) error = NULL;
    guint64 header;
    gsize scale;
    gsize size;

    g_file_get_contents (path, &data, &size, &error);
    g_assert_no_error (error);
    memcpy (&header, data, sizeof header);
    header = GUINT64_FROM_LE (header);
    scale = find_logit_scale (data, header);
    for (gsize at = 8 + header; at < size; at += sizeof weight)
        if (at != scale)
            memcpy (data + at, &weight, sizeof weight);
    g_file_set_contents (path, data, (gssize)size, &error);
    g_assert_no_error (error);
    return directory;
}

const char *
models_get_constant (void)
{
    static char *directory;

    if (!directory)
        directory = copy_with_weights ("constant", 0.02f);
    return directory;
}

const char *
models_get_not_numbers (void)
{
    static char *directory;

    if (!directory)
        directory = copy_with_weights ("not-numbers", NAN);
    return directory;
}

/* Renames a tensor in the header to something as long. */
const char *
models_get_missing_tensor (void)
{
    static char *directory;
    g_autofree char *path = NULL;
    g_autofree char *data = NULL;
    g_autoptr (GError) error = NULL;
    char *name;
    gsize size;

    if (directory)
        return directory;
    directory = copy_quick ("missing");
    path = g_build_filename (directory, "model.safetensors", NULL);
    g_file_get_contents (path, &data, &size, &error);
    g_assert_no_error (error);
    name = g_strstr_len (data + 8, (gssize)(size - 8), "\"visual_projection.weight\"");
    g_assert_nonnull (name);
    memcpy (name, "\"visual_projection.wrongs\"", strlen ("\"visual_projection.wrongs\""));
    g_file_set_contents (path, data, (gssize)size, &error);
    g_assert_no_error (error);
    return directory;
}

/* Renames the other tower's tensors in the header to something as long. */
const char *
models_get_image_tower (void)
{
    static char *directory;
    g_autofree char *path = NULL;
    g_autofree char *tokenizer = NULL;
    g_autofree char *data = NULL;
    g_autoptr (GError) error = NULL;
    gsize size;

    if (directory)
        return directory;
    directory = copy_quick ("image");
    path = g_build_filename (directory, "model.safetensors", NULL);
    tokenizer = g_build_filename (directory, TOKENIZER, NULL);
    g_file_get_contents (path, &data, &size, &error);
    g_assert_no_error (error);
    for (char *at = data + 8; (at = g_strstr_len (at, data + size - at, "\"text_"));)
        memcpy (at, "\"none_", strlen ("\"none_"));
    g_file_set_contents (path, data, (gssize)size, &error);
    g_assert_no_error (error);
    g_assert_cmpint (g_unlink (tokenizer), ==, 0);
    return directory;
}

/* The configuration says another width than the weights have. */
const char *
models_get_wrong_shape (void)
{
    static char *directory;
    g_autofree char *config = NULL;
    g_autofree char *path = NULL;
    g_autoptr (GError) error = NULL;

    if (directory)
        return directory;
    directory = copy_quick ("shape");
    path = g_build_filename (directory, "config.json", NULL);
    config = g_strdup_printf (config_format, 8000, 64, 64, 1, 32);
    g_file_set_contents (path, config, -1, &error);
    g_assert_no_error (error);
    return directory;
}
