/* altclip: models of random weights
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The distributions are those of AltCLIPPreTrainedModel._init_weights in transformers 4.46: text
 * tower, normal with the text configuration's initializer_factor as standard deviation; image tower
 * and projections, CLIP's scheme; layer norms 1 and 0; biases 0; the padding word's rows 0.
 */

#include "description.h"
#include "json.h"
#include "random.h"
#include "safetensors.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* AltCLIPConfig's initializer_factor, a constant, which scales the image tower of a whole model. A
 * tower alone has its own. */
#define TOP_FACTOR 1.0

/* So that a small file cannot fill a disk: 8 GB. */
#define MAX_PARAMETERS G_GUINT64_CONSTANT (2000000000)

#define BOTH_TOWERS (ALTCLIP_TOWER_IMAGE | ALTCLIP_TOWER_TEXT)

/* How the elements of a tensor are drawn. */
typedef struct {
    double deviation; /* 0: they are all @value */
    float value;
    guint64 zeros_begin; /* elements that are 0 all the same */
    guint64 zeros_end;
} Law;

typedef struct {
    guint64 seed;
    GPtrArray *tensors; /* outlines */
    GArray *laws;       /* of Law, one for each */
    const char *prefix; /* of the tower's names */
} Initialiser;

/* ---- Drawing --------------------------------------------------------------------------------- */

static void
fill (gpointer user_data, guint index, guint64 first, gsize n, float *out)
{
    const Initialiser *init = user_data;
    const Law *law = &g_array_index (init->laws, Law, index);
    guint64 begin = CLAMP (law->zeros_begin, first, first + n) - first;
    guint64 end = CLAMP (law->zeros_end, first, first + n) - first;

    if (law->deviation > 0.0) {
        altclip_random_fill_normal (
                altclip_random_get_key (init->seed, index), first, n, law->deviation, out);
    } else {
        for (gsize i = 0; i < n; i++)
            out[i] = law->value;
    }
    memset (out + begin, 0, (end - begin) * sizeof (float));
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static Law *
add_tensor (Initialiser *init, const char *name, guint n_dims, const guint64 *dims, Law law)
{
    g_autofree char *full = g_strconcat (init->prefix, name, NULL);

    altclip_tensors_add_outline (init->tensors, full, FALSE, n_dims, dims);
    g_array_append_val (init->laws, law);
    return &g_array_index (init->laws, Law, init->laws->len - 1);
}

static Law *
add_matrix (Initialiser *init, const char *name, guint64 rows, guint64 columns, double deviation)
{
    return add_tensor (
            init, name, 2, (guint64[]){ rows, columns }, (Law){ .deviation = deviation });
}

static void
add_vector (Initialiser *init, const char *name, guint64 n, float value)
{
    add_tensor (init, name, 1, &n, (Law){ .value = value });
}

static void
add_linear (Initialiser *init, const char *name, guint64 rows, guint64 columns, double deviation)
{
    g_autofree char *weight = g_strconcat (name, ".weight", NULL);
    g_autofree char *bias = g_strconcat (name, ".bias", NULL);

    add_matrix (init, weight, rows, columns, deviation);
    add_vector (init, bias, rows, 0.0f);
}

static void
add_norm (Initialiser *init, const char *name, guint64 width)
{
    g_autofree char *gamma = g_strconcat (name, ".weight", NULL);
    g_autofree char *beta = g_strconcat (name, ".bias", NULL);

    add_vector (init, gamma, width, 1.0f);
    add_vector (init, beta, width, 0.0f);
}

/* ---- Text tower ------------------------------------------------------------------------------ */

static void
add_text_layer (Initialiser *init, const AltclipTextConfig *text, guint layer)
{
    static const char *const square[] = { "attention.self.query", "attention.self.key",
        "attention.self.value", "attention.output.dense" };
    g_autofree char *prefix = g_strdup_printf ("roberta.encoder.layer.%u.", layer);
    double deviation = text->tower.initializer_factor;
    guint width = text->tower.hidden_size;
    g_autofree char *distances =
            g_strconcat (prefix, "attention.self.distance_embedding.weight", NULL);
    g_autofree char *intermediate = g_strconcat (prefix, "intermediate.dense", NULL);
    g_autofree char *output = g_strconcat (prefix, "output.dense", NULL);
    g_autofree char *norm1 = g_strconcat (prefix, "attention.output.LayerNorm", NULL);
    g_autofree char *norm2 = g_strconcat (prefix, "output.LayerNorm", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (square); i++) {
        g_autofree char *name = g_strconcat (prefix, square[i], NULL);
        add_linear (init, name, width, width, deviation);
    }
    if (text->positions != ALTCLIP_POSITIONS_ABSOLUTE)
        add_matrix (init, distances, 2 * (guint64)text->max_position_embeddings - 1,
                width / text->tower.num_attention_heads, deviation);
    add_linear (init, intermediate, text->tower.intermediate_size, width, deviation);
    add_linear (init, output, width, text->tower.intermediate_size, deviation);
    add_norm (init, norm1, width);
    add_norm (init, norm2, width);
}

/* A table whose row for padding is 0. */
static void
add_padded_table (Initialiser *init, const char *name, guint64 rows, const AltclipTextConfig *text)
{
    guint64 width = text->tower.hidden_size;
    Law *law = add_matrix (init, name, rows, width, text->tower.initializer_factor);

    law->zeros_begin = text->pad_token_id * width;
    law->zeros_end = law->zeros_begin + width;
}

static void
add_text_tower (Initialiser *init, const AltclipTextConfig *text)
{
#define EMBEDDINGS "roberta.embeddings."
    guint width = text->tower.hidden_size;
    double deviation = text->tower.initializer_factor;

    add_padded_table (init, EMBEDDINGS "word_embeddings.weight", text->vocab_size, text);
    add_padded_table (
            init, EMBEDDINGS "position_embeddings.weight", text->max_position_embeddings, text);
    add_matrix (init, EMBEDDINGS "token_type_embeddings.weight", text->type_vocab_size, width,
            deviation);
    add_norm (init, EMBEDDINGS "LayerNorm", width);
    for (guint i = 0; i < text->tower.num_hidden_layers; i++)
        add_text_layer (init, text, i);
    add_norm (init, "pre_LN", width);
    add_linear (init, "transformation", text->project_dim, width, deviation);
#undef EMBEDDINGS
}

/* ---- Image tower ----------------------------------------------------------------------------- */

static void
add_vision_layer (Initialiser *init, const AltclipTowerConfig *tower, double factor, guint layer)
{
    static const char *const inputs[] = { "self_attn.q_proj", "self_attn.k_proj",
        "self_attn.v_proj" };
    g_autofree char *prefix = g_strdup_printf ("encoder.layers.%u.", layer);
    guint width = tower->hidden_size;
    double out_deviation = factor / sqrt (width);
    double in_deviation = out_deviation / sqrt (2.0 * tower->num_hidden_layers);
    g_autofree char *out = g_strconcat (prefix, "self_attn.out_proj", NULL);
    g_autofree char *fc1 = g_strconcat (prefix, "mlp.fc1", NULL);
    g_autofree char *fc2 = g_strconcat (prefix, "mlp.fc2", NULL);
    g_autofree char *norm1 = g_strconcat (prefix, "layer_norm1", NULL);
    g_autofree char *norm2 = g_strconcat (prefix, "layer_norm2", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (inputs); i++) {
        g_autofree char *name = g_strconcat (prefix, inputs[i], NULL);
        add_linear (init, name, width, width, in_deviation);
    }
    add_linear (init, out, width, width, out_deviation);
    add_linear (init, fc1, tower->intermediate_size, width, factor / sqrt (2.0 * width));
    add_linear (init, fc2, width, tower->intermediate_size, in_deviation);
    add_norm (init, norm1, width);
    add_norm (init, norm2, width);
}

static void
add_vision_tower (Initialiser *init, const AltclipVisionConfig *vision, double factor)
{
#define EMBEDDINGS "embeddings."
    guint width = vision->tower.hidden_size;
    guint side = vision->image_size / vision->patch_size;
    double deviation = vision->tower.initializer_range * factor;
    const guint64 dims[] = { width, vision->num_channels, vision->patch_size, vision->patch_size };

    add_tensor (init, EMBEDDINGS "class_embedding", 1, dims,
            (Law){ .deviation = factor / sqrt (width) });
    add_tensor (
            init, EMBEDDINGS "patch_embedding.weight", 4, dims, (Law){ .deviation = deviation });
    add_matrix (init, EMBEDDINGS "position_embedding.weight", side * side + 1, width, deviation);
    add_norm (init, "pre_layrnorm", width);
    for (guint i = 0; i < vision->tower.num_hidden_layers; i++)
        add_vision_layer (init, &vision->tower, factor, i);
    add_norm (init, "post_layernorm", width);
#undef EMBEDDINGS
}

/* ---- Models ---------------------------------------------------------------------------------- */

/* The names are transformers 4.46's: a text tower alone has none of its own before them. */
static void
add_towers (Initialiser *init, const AltclipConfig *config)
{
    gboolean is_whole = config->towers == BOTH_TOWERS;

    if (config->towers & ALTCLIP_TOWER_TEXT) {
        init->prefix = is_whole ? "text_model." : "";
        add_text_tower (init, &config->text);
    }
    if (config->towers & ALTCLIP_TOWER_IMAGE) {
        init->prefix = "vision_model.";
        add_vision_tower (init, &config->vision,
                is_whole ? TOP_FACTOR : config->vision.tower.initializer_factor);
    }
    init->prefix = "";
    if (!is_whole)
        return;
    add_matrix (init, "text_projection.weight", config->projection_dim, config->text.project_dim,
            TOP_FACTOR / sqrt (config->text.project_dim));
    add_matrix (init, "visual_projection.weight", config->projection_dim,
            config->vision.tower.hidden_size, TOP_FACTOR / sqrt (config->vision.tower.hidden_size));
    add_tensor (
            init, "logit_scale", 0, NULL, (Law){ .value = (float)config->logit_scale_init_value });
}

static gboolean
check_size (const Initialiser *init, GError **error)
{
    guint64 n = 0;

    for (guint i = 0; i < init->tensors->len; i++)
        n += altclip_tensor_get_n_elements (g_ptr_array_index (init->tensors, i));
    if (n <= MAX_PARAMETERS)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "a model of %" G_GUINT64_FORMAT " parameters; the limit is %" G_GUINT64_FORMAT, n,
            MAX_PARAMETERS);
    return FALSE;
}

/* ---- Directory ------------------------------------------------------------------------------- */

static json_t *
describe (const AltclipConfig *config)
{
    const char *class = config->towers == BOTH_TOWERS          ? "AltCLIPModel"
                        : config->towers == ALTCLIP_TOWER_TEXT ? "AltCLIPTextModel"
                                                               : "AltCLIPVisionModel";
    json_t *value = altclip_description_of_config (config);

    json_object_set_new (value, "architectures", json_pack ("[s]", class));
    json_object_set_new (value, "torch_dtype", json_string ("float32"));
    return value;
}

static gboolean
write_directory (
        Initialiser *init, const AltclipConfig *config, const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);

    if (g_mkdir_with_parents (directory, 0777) != 0) {
        g_set_error (
                error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", directory, g_strerror (errno));
        return FALSE;
    }
    if (!altclip_json_write (directory, "config.json", describe (config), error))
        return FALSE;
    if ((config->towers & ALTCLIP_TOWER_IMAGE) &&
            !altclip_json_write (directory, "preprocessor_config.json",
                    altclip_description_of_preprocessor (&config->preprocessor), error))
        return FALSE;
    return altclip_safetensors_write_filled (path, init->tensors, NULL, fill, init, error);
}

/* @path: of the configuration, for messages */
static gboolean
initialise (const AltclipConfig *config, const char *path, guint64 seed, const char *directory,
        GError **error)
{
    g_autoptr (GPtrArray) tensors = altclip_tensors_new ();
    g_autoptr (GArray) laws = g_array_new (FALSE, FALSE, sizeof (Law));
    Initialiser init = { seed, tensors, laws, "" };

    add_towers (&init, config);
    if (!check_size (&init, error)) {
        g_prefix_error (error, "%s: ", path);
        return FALSE;
    }
    return write_directory (&init, config, directory, error);
}

/* ---- Public ---------------------------------------------------------------------------------- */

gboolean
altclip_initialise (const char *config_path, guint64 seed, const char *directory, GError **error)
{
    g_autoptr (AltclipConfig) config =
            config_path ? altclip_config_read (config_path, error) : altclip_config_new ();

    return config && initialise (config, config_path, seed, directory, error);
}

gboolean
altclip_initialise_from_towers (const char *text_path, const char *vision_path, guint64 seed,
        const char *directory, GError **error)
{
    g_autoptr (AltclipConfig) config = altclip_config_compose (text_path, vision_path, error);

    return config && initialise (config, text_path, seed, directory, error);
}
