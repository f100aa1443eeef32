/* altclip: config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Defaults are those of AltCLIPConfig, AltCLIPTextConfig and AltCLIPVisionConfig in transformers
 * 4.46.
 */

#include "activation.h"
#include "config.h"
#include "json.h"

#include <string.h>

/* Far above any published model, and low enough that a small file cannot ask for much memory. */
#define MAX_WIDTH 32768
#define MAX_LAYERS 256
#define MAX_IMAGE_SIZE 2048
#define MAX_POSITIONS 65535
#define MAX_VOCAB 8000000

static const char *const POSITIONS[] = {
    [ALTCLIP_POSITIONS_ABSOLUTE] = "absolute",
    [ALTCLIP_POSITIONS_RELATIVE_KEY] = "relative_key",
    [ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY] = "relative_key_query",
};

/* What each model_type describes. */
static const struct {
    const char *model_type;
    AltclipTowers towers;
} MODEL_TYPES[] = {
    { "altclip", ALTCLIP_TOWER_TEXT | ALTCLIP_TOWER_IMAGE },
    { "altclip_text_model", ALTCLIP_TOWER_TEXT },
    { "altclip_vision_model", ALTCLIP_TOWER_IMAGE },
};

const char *
altclip_positions_get_name (AltclipPositions positions)
{
    return POSITIONS[positions];
}

/* ---- Both towers ----------------------------------------------------------------------------- */

static void
read_activation (AltclipJsonReader *reader, AltclipTowerConfig *tower)
{
    altclip_json_get_string (reader, "hidden_act", &tower->hidden_act);
    if (!altclip_activation_from_name (tower->hidden_act, &tower->activation))
        altclip_json_fail (reader, "hidden_act", altclip_json_get (reader, "hidden_act"),
                "one of gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, silu, swish, selu");
}

static void
check_heads (AltclipJsonReader *reader, const AltclipTowerConfig *tower)
{
    if (reader->failed || tower->hidden_size % tower->num_attention_heads == 0)
        return;
    reader->failed = TRUE;
    g_set_error (reader->error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: %shidden_size %u is not a multiple of num_attention_heads %u", reader->path,
            reader->section, tower->hidden_size, tower->num_attention_heads);
}

static void
read_tower (AltclipJsonReader *reader, AltclipTowerConfig *tower)
{
    altclip_json_get_uint (reader, "hidden_size", 1, MAX_WIDTH, &tower->hidden_size);
    altclip_json_get_uint (reader, "intermediate_size", 1, MAX_WIDTH, &tower->intermediate_size);
    altclip_json_get_uint (reader, "num_hidden_layers", 1, MAX_LAYERS, &tower->num_hidden_layers);
    altclip_json_get_uint (
            reader, "num_attention_heads", 1, MAX_WIDTH, &tower->num_attention_heads);
    altclip_json_get_double (reader, "layer_norm_eps", 0.0, 1.0, &tower->layer_norm_eps);
    altclip_json_get_double (reader, "initializer_range", 0.0, 100.0, &tower->initializer_range);
    altclip_json_get_double (reader, "initializer_factor", 0.0, 100.0, &tower->initializer_factor);
    read_activation (reader, tower);
    check_heads (reader, tower);
}

/* ---- Text tower ------------------------------------------------------------------------------ */

static void
token_ids_set_one (AltclipTokenIds *token_ids, guint id)
{
    *token_ids = (AltclipTokenIds){ g_new (guint, 1), 1, FALSE };
    token_ids->ids[0] = id;
}

static void
token_ids_clear (AltclipTokenIds *token_ids)
{
    g_clear_pointer (&token_ids->ids, g_free);
    token_ids->n = 0;
}

/* Null stands for no id here, not for the default. */
static void
read_token_ids (AltclipJsonReader *reader, const char *field, AltclipTokenIds *out)
{
    json_t *value = json_object_get (reader->object, field);
    gboolean is_list = json_is_array (value);
    gsize n = is_list ? json_array_size (value) : value && !json_is_null (value);

    if (!value)
        return;
    token_ids_clear (out);
    *out = (AltclipTokenIds){ g_new (guint, n), (guint)n, is_list };
    for (gsize i = 0; i < n; i++) {
        json_t *id = is_list ? json_array_get (value, i) : value;

        out->ids[i] = 0;
        altclip_json_check_uint (reader, field, id, 0, MAX_VOCAB, &out->ids[i]);
    }
}

/* The one id that the model itself looks for. A list of one is as good. */
static void
read_pad (AltclipJsonReader *reader, AltclipTextConfig *text)
{
    json_t *value = altclip_json_get (reader, "pad_token_id");

    if (json_is_array (value) && json_array_size (value) == 1)
        value = json_array_get (value, 0);
    if (value)
        altclip_json_check_uint (reader, "pad_token_id", value, 0, MAX_VOCAB, &text->pad_token_id);
    if (!reader->failed && (text->pad_token_id >= text->vocab_size ||
                                   text->pad_token_id + 3 >= text->max_position_embeddings)) {
        g_autofree char *limit = g_strdup_printf (
                "below vocab_size %u and at least 4 below max_position_embeddings %u",
                text->vocab_size, text->max_position_embeddings);

        altclip_json_fail_uint (reader, "pad_token_id", text->pad_token_id, limit);
    }
}

static void
read_positions (AltclipJsonReader *reader, AltclipPositions *positions)
{
    g_autofree char *name = g_strdup (POSITIONS[ALTCLIP_POSITIONS_ABSOLUTE]);

    altclip_json_get_string (reader, "position_embedding_type", &name);
    for (guint i = 0; i < G_N_ELEMENTS (POSITIONS); i++) {
        if (strcmp (name, POSITIONS[i]) == 0) {
            *positions = (AltclipPositions)i;
            return;
        }
    }
    altclip_json_fail (reader, "position_embedding_type",
            altclip_json_get (reader, "position_embedding_type"),
            "\"absolute\", \"relative_key\" or \"relative_key_query\"");
}

/* A decoder's tokens do not see the ones after them: another model. */
static void
check_is_encoder (AltclipJsonReader *reader)
{
    gboolean is_decoder = FALSE;

    altclip_json_get_boolean (reader, "is_decoder", &is_decoder);
    if (is_decoder)
        altclip_json_fail (reader, "is_decoder", json_true (), "false");
}

static void
read_text (AltclipJsonReader *reader, AltclipTextConfig *text)
{
    read_tower (reader, &text->tower);
    altclip_json_get_uint (reader, "vocab_size", 5, MAX_VOCAB, &text->vocab_size);
    altclip_json_get_uint (
            reader, "max_position_embeddings", 4, MAX_POSITIONS, &text->max_position_embeddings);
    altclip_json_get_uint (reader, "type_vocab_size", 1, MAX_WIDTH, &text->type_vocab_size);
    altclip_json_get_uint (reader, "project_dim", 1, MAX_WIDTH, &text->project_dim);
    read_pad (reader, text);
    read_token_ids (reader, "bos_token_id", &text->bos_token_id);
    read_token_ids (reader, "eos_token_id", &text->eos_token_id);
    altclip_json_get_double (reader, "hidden_dropout_prob", 0.0, 1.0, &text->hidden_dropout_prob);
    altclip_json_get_double (
            reader, "attention_probs_dropout_prob", 0.0, 1.0, &text->attention_probs_dropout_prob);
    altclip_json_get_boolean (reader, "use_cache", &text->use_cache);
    read_positions (reader, &text->positions);
    check_is_encoder (reader);
}

/* ---- Image tower ----------------------------------------------------------------------------- */

/* What a picture takes while it is encoded: tokens by the widest layer's output. */
static void
check_image_memory (AltclipJsonReader *reader, const AltclipVisionConfig *vision, guint64 n_tokens)
{
    guint64 width = MAX (3 * vision->tower.hidden_size, vision->tower.intermediate_size);

    if (reader->failed || n_tokens * width <= ALTCLIP_MAX_TOKENS_BY_WIDTH)
        return;
    reader->failed = TRUE;
    g_set_error (reader->error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: %simage_size %u and patch_size %u make %" G_GUINT64_FORMAT
            " tokens of up to %" G_GUINT64_FORMAT " numbers; their product may be %d",
            reader->path, reader->section, vision->image_size, vision->patch_size, n_tokens, width,
            ALTCLIP_MAX_TOKENS_BY_WIDTH);
}

static void
check_patches (AltclipJsonReader *reader, const AltclipVisionConfig *vision)
{
    guint side = vision->image_size / vision->patch_size;

    if (side == 0 || side * side > ALTCLIP_MAX_PATCHES) {
        g_autofree char *limit = g_strdup_printf ("such that image_size %u holds 1 to %d patches",
                vision->image_size, ALTCLIP_MAX_PATCHES);

        altclip_json_fail_uint (reader, "patch_size", vision->patch_size, limit);
        return;
    }
    check_image_memory (reader, vision, side * side + 1);
}

static void
read_vision (AltclipJsonReader *reader, AltclipVisionConfig *vision)
{
    read_tower (reader, &vision->tower);
    altclip_json_get_uint (reader, "image_size", 1, MAX_IMAGE_SIZE, &vision->image_size);
    altclip_json_get_uint (reader, "patch_size", 1, MAX_IMAGE_SIZE, &vision->patch_size);
    altclip_json_get_uint (reader, "num_channels", 1, 3, &vision->num_channels);
    if (vision->num_channels == 2)
        altclip_json_fail_uint (reader, "num_channels", vision->num_channels, "1 or 3");
    altclip_json_get_uint (reader, "projection_dim", 1, MAX_WIDTH, &vision->projection_dim);
    altclip_json_get_double (reader, "attention_dropout", 0.0, 1.0, &vision->attention_dropout);
    if (!reader->failed)
        check_patches (reader, vision);
}

/* ---- The whole ------------------------------------------------------------------------------- */

AltclipConfig *
altclip_config_new (void)
{
    AltclipConfig *config = g_new0 (AltclipConfig, 1);

    config->model_type = g_strdup (MODEL_TYPES[0].model_type);
    config->towers = MODEL_TYPES[0].towers;
    config->projection_dim = 768;
    config->logit_scale_init_value = 2.6592;
    config->text = (AltclipTextConfig){
        .tower = { 1024, 4096, 24, 16, g_strdup ("gelu"), ALTCLIP_ACTIVATION_GELU, 1e-5, 0.02,
                0.02 },
        .vocab_size = 250002,
        .max_position_embeddings = 514,
        .type_vocab_size = 1,
        .project_dim = 768,
        .pad_token_id = 1,
        .hidden_dropout_prob = 0.1,
        .attention_probs_dropout_prob = 0.1,
        .use_cache = TRUE,
    };
    token_ids_set_one (&config->text.bos_token_id, 0);
    token_ids_set_one (&config->text.eos_token_id, 2);
    config->vision = (AltclipVisionConfig){
        .tower = { 768, 3072, 12, 12, g_strdup ("quick_gelu"), ALTCLIP_ACTIVATION_QUICK_GELU, 1e-5,
                0.02, 1.0 },
        .image_size = 224,
        .patch_size = 32,
        .num_channels = 3,
        .projection_dim = 512,
    };
    altclip_preprocessor_config_init (&config->preprocessor, config->vision.image_size);
    return config;
}

void
altclip_config_free (AltclipConfig *config)
{
    if (!config)
        return;
    g_free (config->model_type);
    g_free (config->text.tower.hidden_act);
    token_ids_clear (&config->text.bos_token_id);
    token_ids_clear (&config->text.eos_token_id);
    g_free (config->vision.tower.hidden_act);
    g_free (config);
}

/* The old `…_dict`, filled up with the defaults, overrides the section when both are there. Fields
 * of the section that the reference's class does not have stay, and mean nothing. */
static AltclipJsonReader
open_section (AltclipJsonReader *top, const char *name)
{
    static const struct {
        const char *name;
        const char *prefix;
    } sections[] = {
        { "text_config", "text_config." },
        { "text_config_dict", "text_config_dict." },
        { "vision_config", "vision_config." },
        { "vision_config_dict", "vision_config_dict." },
    };
    AltclipJsonReader section = { top->path, "", NULL, top->error, top->failed };

    for (gsize i = 0; i < G_N_ELEMENTS (sections); i++) {
        json_t *object = altclip_json_get (top, sections[i].name);

        if (!object || !g_str_has_prefix (sections[i].name, name))
            continue;
        if (!json_is_object (object))
            altclip_json_fail (top, sections[i].name, object, "an object");
        section = (AltclipJsonReader){ top->path, sections[i].prefix, object, top->error,
            top->failed };
    }
    section.failed = top->failed;
    return section;
}

static void
read_model_type (AltclipJsonReader *top, AltclipConfig *config)
{
    altclip_json_get_string (top, "model_type", &config->model_type);
    for (gsize i = 0; i < G_N_ELEMENTS (MODEL_TYPES); i++) {
        if (strcmp (config->model_type, MODEL_TYPES[i].model_type) == 0) {
            config->towers = MODEL_TYPES[i].towers;
            return;
        }
    }
    altclip_json_fail (top, "model_type", altclip_json_get (top, "model_type"),
            "\"altclip\", \"altclip_text_model\" or \"altclip_vision_model\"");
}

static gboolean
read_both_towers (AltclipJsonReader *top, AltclipConfig *config)
{
    AltclipJsonReader text;
    AltclipJsonReader vision;

    altclip_json_get_uint (top, "projection_dim", 1, MAX_WIDTH, &config->projection_dim);
    altclip_json_get_double (
            top, "logit_scale_init_value", -20.0, 20.0, &config->logit_scale_init_value);
    text = open_section (top, "text_config");
    if (text.failed)
        return FALSE;
    read_text (&text, &config->text);
    if (text.failed)
        return FALSE;
    vision = open_section (top, "vision_config");
    if (!vision.failed)
        read_vision (&vision, &config->vision);
    return !vision.failed;
}

static gboolean
read_config (AltclipConfig *config, const char *path, json_t *root, GError **error)
{
    AltclipJsonReader top = { path, "", root, error, FALSE };

    read_model_type (&top, config);
    if (top.failed)
        return FALSE;
    if (config->towers == (ALTCLIP_TOWER_TEXT | ALTCLIP_TOWER_IMAGE))
        return read_both_towers (&top, config);
    if (config->towers == ALTCLIP_TOWER_TEXT)
        read_text (&top, &config->text);
    else
        read_vision (&top, &config->vision);
    return !top.failed;
}

/* @root: (transfer full) (nullable): NULL: @error is set already */
static AltclipConfig *
config_new_for_json (const char *path, json_t *root, GError **error)
{
    g_autoptr (AltclipConfig) config = altclip_config_new ();
    gboolean ok = root && read_config (config, path, root, error);

    json_decref (root);
    if (!ok)
        return NULL;
    altclip_preprocessor_config_init (&config->preprocessor, config->vision.image_size);
    return g_steal_pointer (&config);
}

AltclipConfig *
altclip_config_parse (const char *path, const char *bytes, gsize n_bytes, GError **error)
{
    return config_new_for_json (path, altclip_json_parse (path, bytes, n_bytes, 0, error), error);
}

AltclipConfig *
altclip_config_read (const char *path, GError **error)
{
    return config_new_for_json (
            path, altclip_json_read (path, ALTCLIP_CONFIG_MAX_BYTES, 0, error), error);
}

AltclipConfig *
altclip_config_read_directory (const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename (directory, "config.json", NULL);
    g_autoptr (AltclipConfig) config = altclip_config_read (path, error);

    if (!config ||
            !altclip_preprocessor_config_read_directory (&config->preprocessor, directory, error))
        return NULL;
    if ((config->towers & ALTCLIP_TOWER_TEXT) &&
            !altclip_tokenizer_config_read_directory (&config->tokenizer, directory, error))
        return NULL;
    return g_steal_pointer (&config);
}

/* ---- Composing ------------------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): the configuration at @path if it describes @tower */
static AltclipConfig *
read_with_tower (const char *path, AltclipTowers tower, GError **error)
{
    g_autoptr (AltclipConfig) config = altclip_config_read (path, error);

    if (!config || (config->towers & tower))
        return g_steal_pointer (&config);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: model_type is \"%s\", but must be \"altclip\" or \"%s\"", path, config->model_type,
            tower == ALTCLIP_TOWER_TEXT ? "altclip_text_model" : "altclip_vision_model");
    return NULL;
}

AltclipConfig *
altclip_config_compose (const char *text_path, const char *vision_path, GError **error)
{
    g_autoptr (AltclipConfig) text = read_with_tower (text_path, ALTCLIP_TOWER_TEXT, error);
    g_autoptr (AltclipConfig) vision =
            text ? read_with_tower (vision_path, ALTCLIP_TOWER_IMAGE, error) : NULL;
    g_autoptr (AltclipConfig) config = NULL;
    AltclipTextConfig default_text;
    AltclipVisionConfig default_vision;

    if (!vision)
        return NULL;
    config = altclip_config_new ();
    default_text = config->text;
    default_vision = config->vision;
    config->text = text->text;
    config->vision = vision->vision;
    text->text = default_text;
    vision->vision = default_vision;
    altclip_preprocessor_config_init (&config->preprocessor, config->vision.image_size);
    return g_steal_pointer (&config);
}
