/* altclip: config.json and preprocessor_config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_CONFIG_H
#define ALTCLIP_CONFIG_H

#include "altclip.h"

G_BEGIN_DECLS

/* Longest configuration file that is read, in bytes. */
#define ALTCLIP_CONFIG_MAX_BYTES (8 * 1024 * 1024)

/* Activation functions, by the names of config.json's hidden_act. */
typedef enum {
    ALTCLIP_ACTIVATION_NONE,
    ALTCLIP_ACTIVATION_GELU,      /* gelu: x/2 · (1 + erf (x/√2)) */
    ALTCLIP_ACTIVATION_GELU_TANH, /* gelu_new, gelu_pytorch_tanh */
    ALTCLIP_ACTIVATION_QUICK_GELU,
    ALTCLIP_ACTIVATION_RELU,
    ALTCLIP_ACTIVATION_SILU, /* silu, swish */
    ALTCLIP_ACTIVATION_SELU
} AltclipActivation;

/* What both towers' configurations share. */
typedef struct {
    guint hidden_size;
    guint intermediate_size;
    guint num_hidden_layers;
    guint num_attention_heads;
    char *hidden_act;
    AltclipActivation activation;
    double layer_norm_eps;
    double initializer_range;
    double initializer_factor;
} AltclipTowerConfig;

/* What a text's tokens know of their places: rows added to the embeddings, or distances that enter
 * the attention's scores through the queries, or through queries and keys. */
typedef enum {
    ALTCLIP_POSITIONS_ABSOLUTE,
    ALTCLIP_POSITIONS_RELATIVE_KEY,
    ALTCLIP_POSITIONS_RELATIVE_KEY_QUERY
} AltclipPositions;

typedef struct {
    AltclipTowerConfig tower;
    AltclipPositions positions;
    guint vocab_size;
    guint max_position_embeddings;
    guint type_vocab_size;
    guint pad_token_id;
    guint project_dim;
} AltclipTextConfig;

typedef struct {
    AltclipTowerConfig tower;
    guint image_size;
    guint patch_size;
    guint num_channels;
} AltclipVisionConfig;

/* Pillow's resampling filters, by Pillow's numbers, which `resample` holds. */
typedef enum {
    ALTCLIP_RESAMPLE_NEAREST = 0,
    ALTCLIP_RESAMPLE_LANCZOS = 1,
    ALTCLIP_RESAMPLE_BILINEAR = 2,
    ALTCLIP_RESAMPLE_BICUBIC = 3,
    ALTCLIP_RESAMPLE_BOX = 4,
    ALTCLIP_RESAMPLE_HAMMING = 5
} AltclipResample;

/* preprocessor_config.json. Sizes are in pixels. */
typedef struct {
    gboolean do_resize;
    guint shortest_edge; /* 0: resize to exactly resize_height × resize_width */
    guint resize_height;
    guint resize_width;
    AltclipResample resample;
    gboolean do_center_crop;
    guint crop_height;
    guint crop_width;
    gboolean do_rescale;
    double rescale_factor;
    gboolean do_normalize;
    double image_mean[3];
    double image_std[3];
} AltclipPreprocessorConfig;

typedef struct {
    char *model_type;
    AltclipTextConfig text;
    AltclipVisionConfig vision;
    guint projection_dim;
    double logit_scale_init_value;
    AltclipPreprocessorConfig preprocessor;
} AltclipConfig;

/**
 * altclip_config_read:
 * @config_path: a `config.json`
 * @preprocessor_path: (nullable): a `preprocessor_config.json`; %NULL: the reference's defaults
 *     for the image size of @config_path
 *
 * Every omitted field has the default of the reference's configuration classes. Every value is
 * checked against a limit, so that no product of dimensions overflows later.
 *
 * Returns: (transfer full) (nullable): the configuration
 */
AltclipConfig *altclip_config_read (
        const char *config_path, const char *preprocessor_path, GError **error);

void altclip_config_free (AltclipConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipConfig, altclip_config_free)

G_END_DECLS

#endif /* ALTCLIP_CONFIG_H */
