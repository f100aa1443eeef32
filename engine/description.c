/* altclip: configurations as JSON, as the reference's classes write them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "description.h"
#include "model.h"

/* ---- Towers ---------------------------------------------------------------------------------- */

static json_t *
describe_tower (const AltclipTowerConfig *tower, const char *model_type)
{
    return json_pack ("{s:s, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:f}", "model_type", model_type,
            "hidden_size", (int)tower->hidden_size, "intermediate_size",
            (int)tower->intermediate_size, "num_hidden_layers", (int)tower->num_hidden_layers,
            "num_attention_heads", (int)tower->num_attention_heads, "hidden_act", tower->hidden_act,
            "layer_norm_eps", tower->layer_norm_eps, "initializer_range", tower->initializer_range,
            "initializer_factor", tower->initializer_factor);
}

static json_t *
describe_token_ids (const AltclipTokenIds *token_ids)
{
    json_t *list;

    if (!token_ids->is_list)
        return token_ids->n > 0 ? json_integer (token_ids->ids[0]) : json_null ();
    list = json_array ();
    for (guint i = 0; i < token_ids->n; i++)
        json_array_append_new (list, json_integer (token_ids->ids[i]));
    return list;
}

json_t *
altclip_description_of_text (const AltclipTextConfig *text)
{
    json_t *object = describe_tower (&text->tower, "altclip_text_model");
    json_t *own = json_pack ("{s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:f, s:f, s:s, s:b}",
            "vocab_size", (int)text->vocab_size, "max_position_embeddings",
            (int)text->max_position_embeddings, "type_vocab_size", (int)text->type_vocab_size,
            "project_dim", (int)text->project_dim, "pad_token_id", (int)text->pad_token_id,
            "bos_token_id", describe_token_ids (&text->bos_token_id), "eos_token_id",
            describe_token_ids (&text->eos_token_id), "hidden_dropout_prob",
            text->hidden_dropout_prob, "attention_probs_dropout_prob",
            text->attention_probs_dropout_prob, "position_embedding_type",
            altclip_positions_get_name (text->positions), "use_cache", text->use_cache);

    json_object_update (object, own);
    json_decref (own);
    return object;
}

json_t *
altclip_description_of_vision (const AltclipVisionConfig *vision)
{
    json_t *object = describe_tower (&vision->tower, "altclip_vision_model");
    json_t *own = json_pack ("{s:i, s:i, s:i, s:i, s:f}", "image_size", (int)vision->image_size,
            "patch_size", (int)vision->patch_size, "num_channels", (int)vision->num_channels,
            "projection_dim", (int)vision->projection_dim, "attention_dropout",
            vision->attention_dropout);

    json_object_update (object, own);
    json_decref (own);
    return object;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* The factor at the top is a constant of the reference's class. */
json_t *
altclip_description_of_config (const AltclipConfig *config)
{
    if (config->towers == ALTCLIP_TOWER_TEXT)
        return altclip_description_of_text (&config->text);
    if (config->towers == ALTCLIP_TOWER_IMAGE)
        return altclip_description_of_vision (&config->vision);
    return json_pack ("{s:s, s:i, s:f, s:f, s:o, s:o}", "model_type", config->model_type,
            "projection_dim", (int)config->projection_dim, "logit_scale_init_value",
            config->logit_scale_init_value, "initializer_factor", 1.0, "text_config",
            altclip_description_of_text (&config->text), "vision_config",
            altclip_description_of_vision (&config->vision));
}

json_t *
altclip_description_of_preprocessor (const AltclipPreprocessorConfig *preprocessor)
{
    const double *mean = preprocessor->image_mean;
    const double *std = preprocessor->image_std;
    json_t *size = preprocessor->shortest_edge
                           ? json_pack ("{s:i}", "shortest_edge", (int)preprocessor->shortest_edge)
                           : json_pack ("{s:i, s:i}", "height", (int)preprocessor->resize_height,
                                     "width", (int)preprocessor->resize_width);

    return json_pack ("{s:s, s:b, s:o, s:i, s:b, s:{s:i, s:i}, s:b, s:f, s:b, s:[f, f, f], "
                      "s:[f, f, f], s:b}",
            "image_processor_type", "CLIPImageProcessor", "do_resize", preprocessor->do_resize,
            "size", size, "resample", (int)preprocessor->resample, "do_center_crop",
            preprocessor->do_center_crop, "crop_size", "height", (int)preprocessor->crop_height,
            "width", (int)preprocessor->crop_width, "do_rescale", preprocessor->do_rescale,
            "rescale_factor", preprocessor->rescale_factor, "do_normalize",
            preprocessor->do_normalize, "image_mean", mean[0], mean[1], mean[2], "image_std",
            std[0], std[1], std[2], "do_convert_rgb", 1);
}

/* ---- Models ---------------------------------------------------------------------------------- */

static json_t *
describe_text (const AltclipConfig *config, const AltclipModelInfo *info)
{
    json_t *text = altclip_description_of_text (&config->text);

    json_object_set_new (text, "max_tokens", json_integer (info->max_tokens));
    json_object_set_new (text, "parameters", json_integer ((json_int_t)info->text.parameters));
    return text;
}

static json_t *
describe_vision (const AltclipConfig *config, const AltclipModelInfo *info)
{
    json_t *vision = altclip_description_of_vision (&config->vision);

    json_object_set_new (vision, "parameters", json_integer ((json_int_t)info->vision.parameters));
    return vision;
}

char *
altclip_model_describe (AltclipModel *model)
{
    const AltclipModelInfo *info = altclip_model_get_info (model);
    const AltclipConfig *config = altclip_model_get_config (model);
    json_t *object = json_pack ("{s:s, s:s, s:I}", "model_type", info->model_type, "dtype",
            info->dtype, "parameters", (json_int_t)info->parameters);
    char *text;
    char *copy;

    if (info->projection_dim > 0)
        json_object_set_new (object, "projection_dim", json_integer (info->projection_dim));
    if (info->logit_scale > 0.0)
        json_object_set_new (object, "logit_scale", json_real (info->logit_scale));
    if (info->towers & ALTCLIP_TOWER_IMAGE)
        json_object_set_new (object, "vision", describe_vision (config, info));
    if (info->towers & ALTCLIP_TOWER_TEXT)
        json_object_set_new (object, "text", describe_text (config, info));
    text = json_dumps (object, JSON_COMPACT);
    copy = g_strdup (text);
    free (text);
    json_decref (object);
    return copy;
}
