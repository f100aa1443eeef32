/* altclip: config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_CONFIG_H
#define ALTCLIP_CONFIG_H

#include "preprocessor.h"
#include "tokenizer_config.h"

G_BEGIN_DECLS

/* Longest configuration file that is read, in bytes. */
#define ALTCLIP_CONFIG_MAX_BYTES (8 * 1024 * 1024)

/* Most patches of a picture. */
#define ALTCLIP_MAX_PATCHES 16384

/* Numbers of the widest intermediate result for one picture: 256 MiB. */
#define ALTCLIP_MAX_TOKENS_BY_WIDTH (64 * 1024 * 1024)

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

/* One token id, a list of them, or with neither null. */
typedef struct {
    guint *ids; /* [n] */
    guint n;
    gboolean is_list;
} AltclipTokenIds;

/* Beginning and end of a text are the tokenizer's to mark, so that the ids here decide nothing; nor
 * do the dropouts, since nothing is trained. */
typedef struct {
    AltclipTowerConfig tower;
    AltclipPositions positions;
    guint vocab_size;
    guint max_position_embeddings;
    guint type_vocab_size;
    guint project_dim;
    guint pad_token_id;
    AltclipTokenIds bos_token_id;
    AltclipTokenIds eos_token_id;
    double hidden_dropout_prob;
    double attention_probs_dropout_prob;
    gboolean use_cache;
} AltclipTextConfig;

typedef struct {
    AltclipTowerConfig tower;
    guint image_size;
    guint patch_size;
    guint num_channels;
    guint projection_dim; /* of the image tower alone: AltclipConfig's counts */
    double attention_dropout;
} AltclipVisionConfig;

/* What a directory's files say. The fields of a tower that is not among @towers, and without both
 * of them @projection_dim and @logit_scale_init_value, are the defaults and mean nothing. */
typedef struct {
    char *model_type;
    AltclipTowers towers;
    AltclipTextConfig text;
    AltclipVisionConfig vision;
    guint projection_dim;
    double logit_scale_init_value;
    AltclipPreprocessorConfig preprocessor;
    AltclipTokenizerConfig tokenizer;
} AltclipConfig;

/* Returns: (transfer full): the defaults of the reference's configuration classes. */
AltclipConfig *altclip_config_new (void);

/**
 * altclip_config_parse:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes], a whole `config.json`: of `model_type` altclip, or altclip_text_model or
 *     altclip_vision_model, whose fields lie at the top
 *
 * Every omitted field has the default of the reference's configuration classes (transformers
 * 4.46). Every value is checked against a limit, so that no product of dimensions overflows later.
 * The preprocessing is CLIPImageProcessor's for the image tower's size.
 *
 * Returns: (transfer full) (nullable): the configuration
 */
AltclipConfig *altclip_config_parse (
        const char *path, const char *bytes, gsize n_bytes, GError **error);

/* Returns: (transfer full) (nullable): altclip_config_parse() of a file. */
AltclipConfig *altclip_config_read (const char *path, GError **error);

/* Returns: (transfer full) (nullable): what @directory's config.json says, with the preprocessing
 *     of altclip_preprocessor_config_read_directory() and, for a text tower, the tokenizer's
 *     settings of altclip_tokenizer_config_read_directory(). */
AltclipConfig *altclip_config_read_directory (const char *directory, GError **error);

/**
 * altclip_config_compose:
 * @text_path: a configuration that describes a text tower
 * @vision_path: a configuration that describes an image tower
 *
 * AltCLIPConfig.from_text_vision_configs in the reference: the two towers, and the defaults for
 * what they share.
 *
 * Returns: (transfer full) (nullable): the configuration
 */
AltclipConfig *altclip_config_compose (
        const char *text_path, const char *vision_path, GError **error);

/* The position_embedding_type that @positions has in a file. */
const char *altclip_positions_get_name (AltclipPositions positions);

void altclip_config_free (AltclipConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipConfig, altclip_config_free)

G_END_DECLS

#endif /* ALTCLIP_CONFIG_H */
