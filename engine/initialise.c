/* altclip: models of random weights
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The distributions are those of AltCLIPPreTrainedModel._init_weights in transformers 4.46: text
 * tower, normal with the text configuration's initializer_factor as standard deviation; image tower
 * and projections, CLIP's scheme; layer norms 1 and 0; biases 0; the padding word's row 0.
 */

#include "config.h"
#include "file.h"
#include "safetensors.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* AltCLIPConfig's initializer_factor, a constant, which scales the image tower too. */
#define TOP_FACTOR 1.0

#define MAX_PARAMETERS 2e9

typedef struct {
    GPtrArray *tensors;
    guint64 state[2]; /* of the random numbers */
} Initialiser;

/* ---- Random numbers -------------------------------------------------------------------------- */

/* xorshift128+ (Vigna, 2014): the same numbers on every machine. */
static guint64
next_bits (Initialiser *init)
{
    guint64 x = init->state[0];
    guint64 y = init->state[1];

    init->state[0] = y;
    x ^= x << 23;
    init->state[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
    return init->state[1] + y;
}

/* Uniform in (0, 1]. */
static double
next_uniform (Initialiser *init)
{
    return (double)((next_bits (init) >> 11) + 1) * 0x1p-53;
}

/* Box and Muller's method. */
static void
fill_normal (Initialiser *init, float *out, gsize n, double deviation)
{
    for (gsize i = 0; i < n; i += 2) {
        double radius = deviation * sqrt (-2.0 * log (next_uniform (init)));
        double angle = 2.0 * G_PI * next_uniform (init);

        out[i] = (float)(radius * cos (angle));
        if (i + 1 < n)
            out[i + 1] = (float)(radius * sin (angle));
    }
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static float *
add_matrix (Initialiser *init, const char *name, guint64 rows, guint64 columns, double deviation)
{
    float *data = altclip_tensors_add (init->tensors, name, FALSE, 2, (guint64[]){ rows, columns });

    fill_normal (init, data, rows * columns, deviation);
    return data;
}

static void
add_vector (Initialiser *init, const char *name, guint64 n, float value)
{
    float *data = altclip_tensors_add (init->tensors, name, FALSE, 1, &n);

    for (gsize i = 0; i < n; i++)
        data[i] = value;
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
add_text_layer (Initialiser *init, const AltclipTowerConfig *tower, guint layer)
{
    static const char *const square[] = { "attention.self.query", "attention.self.key",
        "attention.self.value", "attention.output.dense" };
    g_autofree char *prefix = g_strdup_printf ("text_model.roberta.encoder.layer.%u.", layer);
    double deviation = tower->initializer_factor;
    guint width = tower->hidden_size;
    g_autofree char *intermediate = g_strconcat (prefix, "intermediate.dense", NULL);
    g_autofree char *output = g_strconcat (prefix, "output.dense", NULL);
    g_autofree char *norm1 = g_strconcat (prefix, "attention.output.LayerNorm", NULL);
    g_autofree char *norm2 = g_strconcat (prefix, "output.LayerNorm", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS (square); i++) {
        g_autofree char *name = g_strconcat (prefix, square[i], NULL);
        add_linear (init, name, width, width, deviation);
    }
    add_linear (init, intermediate, tower->intermediate_size, width, deviation);
    add_linear (init, output, width, tower->intermediate_size, deviation);
    add_norm (init, norm1, width);
    add_norm (init, norm2, width);
}

static void
add_text_tower (Initialiser *init, const AltclipTextConfig *text)
{
#define EMBEDDINGS "text_model.roberta.embeddings."
    guint width = text->tower.hidden_size;
    double deviation = text->tower.initializer_factor;
    float *words = add_matrix (
            init, EMBEDDINGS "word_embeddings.weight", text->vocab_size, width, deviation);
    float *positions = add_matrix (init, EMBEDDINGS "position_embeddings.weight",
            text->max_position_embeddings, width, deviation);

    memset (words + (gsize)text->pad_token_id * width, 0, width * sizeof (float));
    memset (positions + (gsize)text->pad_token_id * width, 0, width * sizeof (float));
    add_matrix (init, EMBEDDINGS "token_type_embeddings.weight", text->type_vocab_size, width,
            deviation);
    add_norm (init, EMBEDDINGS "LayerNorm", width);
    for (guint i = 0; i < text->tower.num_hidden_layers; i++)
        add_text_layer (init, &text->tower, i);
    add_norm (init, "text_model.pre_LN", width);
    add_linear (init, "text_model.transformation", text->project_dim, width, deviation);
#undef EMBEDDINGS
}

/* ---- Image tower ----------------------------------------------------------------------------- */

static void
add_vision_layer (Initialiser *init, const AltclipTowerConfig *tower, guint layer)
{
    static const char *const inputs[] = { "self_attn.q_proj", "self_attn.k_proj",
        "self_attn.v_proj" };
    g_autofree char *prefix = g_strdup_printf ("vision_model.encoder.layers.%u.", layer);
    guint width = tower->hidden_size;
    double out_deviation = TOP_FACTOR / sqrt (width);
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
    add_linear (init, fc1, tower->intermediate_size, width, TOP_FACTOR / sqrt (2.0 * width));
    add_linear (init, fc2, width, tower->intermediate_size, in_deviation);
    add_norm (init, norm1, width);
    add_norm (init, norm2, width);
}

static void
add_vision_tower (Initialiser *init, const AltclipVisionConfig *vision)
{
#define EMBEDDINGS "vision_model.embeddings."
    guint width = vision->tower.hidden_size;
    guint side = vision->image_size / vision->patch_size;
    double deviation = vision->tower.initializer_range * TOP_FACTOR;
    const guint64 dims[] = { width, vision->num_channels, vision->patch_size, vision->patch_size };
    float *data = altclip_tensors_add (init->tensors, EMBEDDINGS "class_embedding", FALSE, 1, dims);

    fill_normal (init, data, width, TOP_FACTOR / sqrt (width));
    data = altclip_tensors_add (init->tensors, EMBEDDINGS "patch_embedding.weight", FALSE, 4, dims);
    fill_normal (init, data, dims[0] * dims[1] * dims[2] * dims[3], deviation);
    add_matrix (init, EMBEDDINGS "position_embedding.weight", side * side + 1, width, deviation);
    add_norm (init, "vision_model.pre_layrnorm", width);
    for (guint i = 0; i < vision->tower.num_hidden_layers; i++)
        add_vision_layer (init, &vision->tower, i);
    add_norm (init, "vision_model.post_layernorm", width);
#undef EMBEDDINGS
}

static GPtrArray *
draw_weights (const AltclipConfig *config, guint64 seed)
{
    Initialiser init = { altclip_tensors_new (),
        { seed ^ G_GUINT64_CONSTANT (0x9e3779b97f4a7c15), G_GUINT64_CONSTANT (1) } };
    float *logit_scale;

    for (guint i = 0; i < 64; i++) /* a sparse seed takes some steps to spread */
        next_bits (&init);
    add_text_tower (&init, &config->text);
    add_vision_tower (&init, &config->vision);
    add_matrix (&init, "text_projection.weight", config->projection_dim, config->text.project_dim,
            TOP_FACTOR / sqrt (config->text.tower.hidden_size));
    add_matrix (&init, "visual_projection.weight", config->projection_dim,
            config->vision.tower.hidden_size, TOP_FACTOR / sqrt (config->vision.tower.hidden_size));
    logit_scale = altclip_tensors_add (init.tensors, "logit_scale", FALSE, 0, NULL);
    *logit_scale = (float)config->logit_scale_init_value;
    return init.tensors;
}

/* ---- Directory ------------------------------------------------------------------------------- */

static gboolean
write_file (
        const char *directory, const char *name, const char *contents, gsize length, GError **error)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_autoptr (GError) io_error = NULL;

    if (g_file_set_contents (path, contents, (gssize)length, &io_error))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s", io_error->message);
    return FALSE;
}

static gboolean
write_preprocessor (const char *directory, guint image_size, GError **error)
{
    json_t *root = json_pack (
            "{s:s, s:b, s:{s:i}, s:i, s:b, s:{s:i, s:i}, s:b, s:f, s:b, s:[f,f,f], "
            "s:[f,f,f], s:b}",
            "image_processor_type", "CLIPImageProcessor", "do_resize", 1, "size", "shortest_edge",
            (int)image_size, "resample", 3, "do_center_crop", 1, "crop_size", "height",
            (int)image_size, "width", (int)image_size, "do_rescale", 1, "rescale_factor",
            1.0 / 255.0, "do_normalize", 1, "image_mean", 0.48145466, 0.4578275, 0.40821073,
            "image_std", 0.26862954, 0.26130258, 0.27577711, "do_convert_rgb", 1);
    char *text = json_dumps (root, JSON_INDENT (2));
    gboolean ok = write_file (directory, "preprocessor_config.json", text, strlen (text), error);

    free (text);
    json_decref (root);
    return ok;
}

static gboolean
copy_config (const char *config_path, const char *directory, GError **error)
{
    g_autofree char *contents = NULL;
    gsize length;

    return altclip_file_read (config_path, ALTCLIP_CONFIG_MAX_BYTES, &contents, &length, error) &&
           write_file (directory, "config.json", contents, length, error);
}

static double
count_layer_parameters (const AltclipTowerConfig *tower)
{
    double width = tower->hidden_size;

    return tower->num_hidden_layers * width * (4 * width + 2.0 * tower->intermediate_size);
}

/* The weights are drawn in memory, so their number is limited. Biases and norms do not matter. */
static gboolean
check_size (const AltclipConfig *config, const char *config_path, GError **error)
{
    const AltclipTextConfig *text = &config->text;
    const AltclipVisionConfig *vision = &config->vision;
    double side = vision->image_size / vision->patch_size;
    double n = count_layer_parameters (&text->tower) + count_layer_parameters (&vision->tower) +
               (double)text->tower.hidden_size *
                       ((double)text->vocab_size + text->max_position_embeddings +
                               text->type_vocab_size + text->project_dim) +
               (double)vision->tower.hidden_size *
                       (side * side + (double)vision->num_channels * vision->patch_size *
                                              vision->patch_size) +
               (double)config->projection_dim *
                       (text->project_dim + (double)vision->tower.hidden_size);

    if (n <= MAX_PARAMETERS)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: a model of %.0f million parameters; the limit is %.0f million", config_path,
            n / 1e6, MAX_PARAMETERS / 1e6);
    return FALSE;
}

gboolean
altclip_initialise (const char *config_path, guint64 seed, const char *directory, GError **error)
{
    g_autoptr (AltclipConfig) config = altclip_config_read (config_path, error);
    g_autoptr (GPtrArray) tensors = NULL;
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);

    if (!config || !check_size (config, config_path, error))
        return FALSE;
    if (g_mkdir_with_parents (directory, 0777) != 0) {
        g_set_error (
                error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", directory, g_strerror (errno));
        return FALSE;
    }
    tensors = draw_weights (config, seed);
    return copy_config (config_path, directory, error) &&
           write_preprocessor (directory, config->vision.image_size, error) &&
           altclip_safetensors_write (path, tensors, error);
}
