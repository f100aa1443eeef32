/* altclip: config.json and preprocessor_config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Defaults are those of AltCLIPConfig, AltCLIPTextConfig, AltCLIPVisionConfig and
 * CLIPImageProcessor in transformers.
 */

#include "activation.h"
#include "config.h"
#include "excerpt.h"
#include "file.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* Far above any published model, and low enough that a small file cannot ask for much memory. */
#define MAX_WIDTH 32768
#define MAX_LAYERS 256
#define MAX_IMAGE_SIZE 2048
#define MAX_POSITIONS 65535
#define MAX_PATCHES 16384
#define MAX_VOCAB 8000000

/* Numbers of the widest intermediate result for one picture: 256 MiB. */
#define MAX_TOKENS_BY_WIDTH (64 * 1024 * 1024)

/* One JSON object being read, and where it came from, for messages. The first error sticks. */
typedef struct {
    const char *path;
    const char *section; /* "text_config." for instance */
    json_t *object;      /* NULL: everything is left at its default */
    GError **error;
    gboolean failed;
} Reader;

/* ---- Fields ---------------------------------------------------------------------------------- */

static void
fail (Reader *reader, const char *field, json_t *value, const char *limit)
{
    g_autofree char *shown = NULL;
    char *text;

    if (reader->failed)
        return;
    reader->failed = TRUE;
    text = json_dumps (value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    shown = g_strndup (text ? text : "?", 80);
    free (text);
    g_set_error (reader->error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: %s%s is %s, but must be %s", reader->path, reader->section, field, shown, limit);
}

/* Returns: (transfer none): the field, or NULL when it is absent or null. */
static json_t *
get (Reader *reader, const char *field)
{
    json_t *value = json_object_get (reader->object, field);

    return json_is_null (value) ? NULL : value;
}

static void
check_uint (
        Reader *reader, const char *field, json_t *value, guint minimum, guint maximum, guint *out)
{
    json_int_t number = json_integer_value (value);
    g_autofree char *limit = NULL;

    if (json_is_integer (value) && number >= minimum && number <= maximum) {
        *out = (guint)number;
        return;
    }
    limit = g_strdup_printf ("an integer from %u to %u", minimum, maximum);
    fail (reader, field, value, limit);
}

static void
read_uint (Reader *reader, const char *field, guint minimum, guint maximum, guint *out)
{
    json_t *value = get (reader, field);

    if (value)
        check_uint (reader, field, value, minimum, maximum, out);
}

/* A token id may stand in a list of its own. */
static void
read_token_id (Reader *reader, const char *field, guint *out)
{
    json_t *value = get (reader, field);

    if (json_is_array (value) && json_array_size (value) == 1)
        value = json_array_get (value, 0);
    if (value)
        check_uint (reader, field, value, 0, MAX_VOCAB, out);
}

static void
read_double (Reader *reader, const char *field, double minimum, double maximum, double *out)
{
    json_t *value = get (reader, field);
    double number = json_number_value (value);
    g_autofree char *limit = NULL;

    if (!value)
        return;
    if (json_is_number (value) && number >= minimum && number <= maximum) {
        *out = number;
        return;
    }
    limit = g_strdup_printf ("a number from %g to %g", minimum, maximum);
    fail (reader, field, value, limit);
}

static void
read_boolean (Reader *reader, const char *field, gboolean *out)
{
    json_t *value = get (reader, field);

    if (!value)
        return;
    if (json_is_boolean (value))
        *out = json_is_true (value);
    else
        fail (reader, field, value, "true or false");
}

static void
read_string (Reader *reader, const char *field, char **out)
{
    json_t *value = get (reader, field);

    if (!value)
        return;
    if (!json_is_string (value)) {
        fail (reader, field, value, "a string");
        return;
    }
    g_free (*out);
    *out = g_strdup (json_string_value (value));
}

/* Reads three numbers, none of which may be 0 if they are divided by. */
static void
read_triple (Reader *reader, const char *field, gboolean is_divisor, double out[3])
{
    json_t *value = get (reader, field);
    gboolean ok = json_is_array (value) && json_array_size (value) == 3;

    if (!value)
        return;
    for (gsize i = 0; i < 3 && ok; i++) {
        json_t *number = json_array_get (value, i);
        out[i] = json_number_value (number);
        ok = json_is_number (number) && isfinite (out[i]) && (!is_divisor || out[i] != 0.0);
    }
    if (!ok)
        fail (reader, field, value,
                is_divisor ? "a list of three numbers other than 0" : "a list of three numbers");
}

/* ---- Files ----------------------------------------------------------------------------------- */

static json_t *
load_object (const char *path, GError **error)
{
    g_autofree char *contents = NULL;
    g_autofree char *reason = NULL;
    json_error_t json_error;
    gsize length;
    json_t *root;

    if (!altclip_file_read (path, ALTCLIP_CONFIG_MAX_BYTES, &contents, &length, error))
        return NULL;
    root = json_loadb (contents, length, JSON_REJECT_DUPLICATES, &json_error);
    if (json_is_object (root))
        return root;
    reason = altclip_excerpt (root ? "not a JSON object" : json_error.text);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: line %d, column %d: %s", path,
            root ? 1 : json_error.line, root ? 1 : json_error.column, reason);
    json_decref (root);
    return NULL;
}

/* ---- Towers ---------------------------------------------------------------------------------- */

static void
read_activation (Reader *reader, AltclipTowerConfig *tower)
{
    read_string (reader, "hidden_act", &tower->hidden_act);
    if (!altclip_activation_from_name (tower->hidden_act, &tower->activation))
        fail (reader, "hidden_act", json_object_get (reader->object, "hidden_act"),
                "one of gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, silu, swish, selu");
}

static void
read_tower (Reader *reader, AltclipTowerConfig *tower)
{
    read_uint (reader, "hidden_size", 1, MAX_WIDTH, &tower->hidden_size);
    read_uint (reader, "intermediate_size", 1, MAX_WIDTH, &tower->intermediate_size);
    read_uint (reader, "num_hidden_layers", 1, MAX_LAYERS, &tower->num_hidden_layers);
    read_uint (reader, "num_attention_heads", 1, MAX_WIDTH, &tower->num_attention_heads);
    read_double (reader, "layer_norm_eps", 0.0, 1.0, &tower->layer_norm_eps);
    read_double (reader, "initializer_range", 0.0, 100.0, &tower->initializer_range);
    read_double (reader, "initializer_factor", 0.0, 100.0, &tower->initializer_factor);
    read_activation (reader, tower);
    if (!reader->failed && tower->hidden_size % tower->num_attention_heads != 0) {
        reader->failed = TRUE;
        g_set_error (reader->error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
                "%s: %shidden_size %u is not a multiple of num_attention_heads %u", reader->path,
                reader->section, tower->hidden_size, tower->num_attention_heads);
    }
}

static void
read_positions (Reader *reader, AltclipPositions *positions)
{
    static const char *const names[] = {
        [ALTCLIP_POSITIONS_ABSOLUTE] = "absolute",
        [ALTCLIP_POSITIONS_RELATIVE_KEY] = "relative_key",
        [ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY] = "relative_key_query",
    };
    g_autofree char *name = g_strdup ("absolute");

    read_string (reader, "position_embedding_type", &name);
    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
        if (strcmp (name, names[i]) == 0) {
            *positions = (AltclipPositions)i;
            return;
        }
    }
    fail (reader, "position_embedding_type", get (reader, "position_embedding_type"),
            "\"absolute\", \"relative_key\" or \"relative_key_query\"");
}

static void
read_text (Reader *reader, AltclipTextConfig *text)
{
    read_tower (reader, &text->tower);
    read_uint (reader, "vocab_size", 5, MAX_VOCAB, &text->vocab_size);
    read_uint (reader, "max_position_embeddings", 4, MAX_POSITIONS, &text->max_position_embeddings);
    read_uint (reader, "type_vocab_size", 1, MAX_WIDTH, &text->type_vocab_size);
    read_token_id (reader, "pad_token_id", &text->pad_token_id);
    read_uint (reader, "project_dim", 1, MAX_WIDTH, &text->project_dim);
    read_positions (reader, &text->positions);
    if (!reader->failed && (text->pad_token_id >= text->vocab_size ||
                                   text->pad_token_id + 3 >= text->max_position_embeddings))
        fail (reader, "pad_token_id", get (reader, "pad_token_id"),
                "below vocab_size and at least 4 below max_position_embeddings");
}

/* What a picture takes while it is encoded: tokens by the widest layer's output. */
static void
check_image_memory (Reader *reader, const AltclipVisionConfig *vision, guint64 n_tokens)
{
    guint64 width = MAX (3 * vision->tower.hidden_size, vision->tower.intermediate_size);

    if (reader->failed || n_tokens * width <= MAX_TOKENS_BY_WIDTH)
        return;
    reader->failed = TRUE;
    g_set_error (reader->error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: %simage_size %u and patch_size %u make %" G_GUINT64_FORMAT
            " tokens of up to %" G_GUINT64_FORMAT " numbers; their product may be %d",
            reader->path, reader->section, vision->image_size, vision->patch_size, n_tokens, width,
            MAX_TOKENS_BY_WIDTH);
}

static void
read_vision (Reader *reader, AltclipVisionConfig *vision)
{
    guint side;

    read_tower (reader, &vision->tower);
    read_uint (reader, "image_size", 1, MAX_IMAGE_SIZE, &vision->image_size);
    read_uint (reader, "patch_size", 1, MAX_IMAGE_SIZE, &vision->patch_size);
    read_uint (reader, "num_channels", 1, 3, &vision->num_channels);
    if (reader->failed)
        return;
    if (vision->num_channels == 2)
        fail (reader, "num_channels", get (reader, "num_channels"), "1 or 3");
    side = vision->image_size / vision->patch_size;
    if (side == 0 || side * side > MAX_PATCHES) {
        g_autofree char *limit = g_strdup_printf (
                "such that image_size %u holds 1 to %d patches", vision->image_size, MAX_PATCHES);
        fail (reader, "patch_size", get (reader, "patch_size"), limit);
        return;
    }
    check_image_memory (reader, vision, side * side + 1);
}

/* The old `…_dict` overrides the section when both are there, as in the reference. */
static Reader
open_section (Reader *top, const char *name, const char *prefix)
{
    g_autofree char *old_name = g_strconcat (name, "_dict", NULL);
    json_t *section = get (top, old_name);

    if (!section)
        section = get (top, name);
    if (section && !json_is_object (section))
        fail (top, name, section, "an object");
    return (Reader){ top->path, prefix, json_is_object (section) ? section : NULL, top->error,
        top->failed };
}

/* ---- config.json ----------------------------------------------------------------------------- */

static AltclipConfig *
config_new_with_defaults (void)
{
    AltclipConfig *config = g_new0 (AltclipConfig, 1);

    config->model_type = g_strdup ("altclip");
    config->projection_dim = 768;
    config->logit_scale_init_value = 2.6592;
    config->text = (AltclipTextConfig){
        .tower = { 1024, 4096, 24, 16, g_strdup ("gelu"), ALTCLIP_ACTIVATION_GELU, 1e-5, 0.02,
                0.02 },
        .vocab_size = 250002,
        .max_position_embeddings = 514,
        .type_vocab_size = 1,
        .pad_token_id = 1,
        .project_dim = 768,
    };
    config->vision = (AltclipVisionConfig){
        .tower = { 768, 3072, 12, 12, g_strdup ("quick_gelu"), ALTCLIP_ACTIVATION_QUICK_GELU, 1e-5,
                0.02, 1.0 },
        .image_size = 224,
        .patch_size = 32,
        .num_channels = 3,
    };
    return config;
}

static gboolean
read_config (AltclipConfig *config, const char *path, json_t *root, GError **error)
{
    Reader top = { path, "", root, error, FALSE };
    Reader text;
    Reader vision;

    read_string (&top, "model_type", &config->model_type);
    if (strcmp (config->model_type, "altclip") != 0)
        fail (&top, "model_type", get (&top, "model_type"), "\"altclip\"");
    read_uint (&top, "projection_dim", 1, MAX_WIDTH, &config->projection_dim);
    read_double (&top, "logit_scale_init_value", -20.0, 20.0, &config->logit_scale_init_value);
    text = open_section (&top, "text_config", "text_config.");
    if (text.failed)
        return FALSE;
    read_text (&text, &config->text);
    if (text.failed)
        return FALSE;
    vision = open_section (&top, "vision_config", "vision_config.");
    if (!vision.failed)
        read_vision (&vision, &config->vision);
    return !vision.failed && !top.failed;
}

/* ---- preprocessor_config.json ---------------------------------------------------------------- */

static void
preprocessor_set_defaults (AltclipPreprocessorConfig *preprocessor, guint image_size)
{
    *preprocessor = (AltclipPreprocessorConfig){
        .do_resize = TRUE,
        .shortest_edge = image_size,
        .resample = ALTCLIP_RESAMPLE_BICUBIC,
        .do_center_crop = TRUE,
        .crop_height = image_size,
        .crop_width = image_size,
        .do_rescale = TRUE,
        .rescale_factor = 1.0 / 255.0,
        .do_normalize = TRUE,
        .image_mean = { 0.48145466, 0.4578275, 0.40821073 },
        .image_std = { 0.26862954, 0.26130258, 0.27577711 },
    };
}

/* {"height": h, "width": w} */
static void
read_height_and_width (
        Reader *reader, const char *field, json_t *value, guint *height, guint *width)
{
    json_t *h = json_object_get (value, "height");
    json_t *w = json_object_get (value, "width");

    if (json_object_size (value) != 2 || !h || !w) {
        fail (reader, field, value, "an integer, {\"shortest_edge\"} or {\"height\", \"width\"}");
        return;
    }
    check_uint (reader, field, h, 1, MAX_IMAGE_SIZE, height);
    check_uint (reader, field, w, 1, MAX_IMAGE_SIZE, width);
}

/* An integer or {"shortest_edge"} is the shorter edge; {"height", "width"} an exact size. */
static void
read_size (Reader *reader, AltclipPreprocessorConfig *preprocessor)
{
    json_t *value = get (reader, "size");
    json_t *edge = json_object_get (value, "shortest_edge");

    if (!value)
        return;
    if (json_is_integer (value))
        edge = value;
    if (edge && (json_is_integer (value) || json_object_size (value) == 1)) {
        check_uint (reader, "size", edge, 1, MAX_IMAGE_SIZE, &preprocessor->shortest_edge);
        return;
    }
    preprocessor->shortest_edge = 0;
    read_height_and_width (
            reader, "size", value, &preprocessor->resize_height, &preprocessor->resize_width);
}

static void
read_crop_size (Reader *reader, AltclipPreprocessorConfig *preprocessor)
{
    json_t *value = get (reader, "crop_size");

    if (!value)
        return;
    if (json_is_integer (value)) {
        check_uint (reader, "crop_size", value, 1, MAX_IMAGE_SIZE, &preprocessor->crop_height);
        preprocessor->crop_width = preprocessor->crop_height;
        return;
    }
    read_height_and_width (
            reader, "crop_size", value, &preprocessor->crop_height, &preprocessor->crop_width);
}

static gboolean
read_preprocessor (
        AltclipPreprocessorConfig *preprocessor, const char *path, json_t *root, GError **error)
{
    Reader reader = { path, "", root, error, FALSE };
    guint resample = preprocessor->resample;
    gboolean ignored = TRUE;

    preprocessor_set_defaults (preprocessor, 224);
    /* Pictures come as RGB already, whatever do_convert_rgb says. */
    read_boolean (&reader, "do_convert_rgb", &ignored);
    read_boolean (&reader, "do_resize", &preprocessor->do_resize);
    read_size (&reader, preprocessor);
    read_uint (&reader, "resample", 0, 5, &resample);
    preprocessor->resample = (AltclipResample)resample;
    read_boolean (&reader, "do_center_crop", &preprocessor->do_center_crop);
    read_crop_size (&reader, preprocessor);
    read_boolean (&reader, "do_rescale", &preprocessor->do_rescale);
    read_double (&reader, "rescale_factor", -1e6, 1e6, &preprocessor->rescale_factor);
    read_boolean (&reader, "do_normalize", &preprocessor->do_normalize);
    read_triple (&reader, "image_mean", FALSE, preprocessor->image_mean);
    read_triple (&reader, "image_std", TRUE, preprocessor->image_std);
    return !reader.failed;
}

/* ---- Public ---------------------------------------------------------------------------------- */

AltclipConfig *
altclip_config_read (const char *config_path, const char *preprocessor_path, GError **error)
{
    g_autoptr (AltclipConfig) config = config_new_with_defaults ();
    json_t *root = load_object (config_path, error);
    gboolean ok = root && read_config (config, config_path, root, error);

    json_decref (root);
    if (!ok)
        return NULL;
    preprocessor_set_defaults (&config->preprocessor, config->vision.image_size);
    if (!preprocessor_path)
        return g_steal_pointer (&config);
    root = load_object (preprocessor_path, error);
    ok = root && read_preprocessor (&config->preprocessor, preprocessor_path, root, error);
    json_decref (root);
    return ok ? g_steal_pointer (&config) : NULL;
}

void
altclip_config_free (AltclipConfig *config)
{
    if (!config)
        return;
    g_free (config->model_type);
    g_free (config->text.tower.hidden_act);
    g_free (config->vision.tower.hidden_act);
    g_free (config);
}
