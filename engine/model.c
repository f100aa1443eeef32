/* altclip: an opened model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct _AltclipModel {
    gint ref_count;
    char *directory;
    AltclipConfig *config;
    AltclipWeights *weights;
    const AltclipKernels *kernels;
    AltclipVision vision;
    AltclipStoredText stored_text;
    AltclipModelInfo info;
    /* Held while one of these is made; read atomically, and constant once set: */
    pthread_mutex_t making;
    AltclipText *text;
    AltclipTokenizer *tokenizer;
};

/* ---- Opening --------------------------------------------------------------------------------- */

static gboolean
read_config (AltclipModel *model, GError **error)
{
    g_autofree char *config = g_build_filename (model->directory, "config.json", NULL);
    g_autofree char *preprocessor =
            g_build_filename (model->directory, "preprocessor_config.json", NULL);

    model->config = altclip_config_read (config, preprocessor, error);
    return model->config != NULL;
}

/* Rows of a text of ordinary length, for the proof. */
#define TEXT_ROWS 12

static gboolean
choose_kernels (AltclipModel *model, const char *name, GCancellable *cancellable, GError **error)
{
    const AltclipVisionConfig *vision = &model->config->vision;
    const AltclipTextConfig *text = &model->config->text;
    guint width = vision->tower.hidden_size;
    guint text_width = text->tower.hidden_size;
    guint dim = model->config->projection_dim;
    guint side = vision->image_size / vision->patch_size;
    guint tokens = side * side + 1;
    guint patch = vision->num_channels * vision->patch_size * vision->patch_size;
    const AltclipProductShape shapes[] = {
        { tokens - 1, width, patch },
        { tokens, 3 * width, width },
        { tokens, vision->tower.intermediate_size, width },
        { tokens, width, vision->tower.intermediate_size },
        { 1, dim, width },
        { TEXT_ROWS, 3 * text_width, text_width },
        { TEXT_ROWS, text->tower.intermediate_size, text_width },
        { TEXT_ROWS, text_width, text->tower.intermediate_size },
        { 1, text->project_dim, text_width },
        { 1, dim, text->project_dim },
    };

    model->kernels =
            altclip_kernels_choose (name, shapes, G_N_ELEMENTS (shapes), cancellable, error);
    return model->kernels != NULL;
}

static gboolean
read_logit_scale (AltclipModel *model, GError **error)
{
    const AltclipStoredTensor *tensor =
            altclip_weights_require (model->weights, error, "logit_scale", "a single number", 0);
    float logarithm;

    if (!tensor)
        return FALSE;
    altclip_stored_tensor_read (tensor, 0, 1, &logarithm);
    model->info.logit_scale = exp (logarithm);
    if (!isfinite (logarithm) || !isfinite (model->info.logit_scale)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
                "%s: tensor 'logit_scale' holds %g, whose exponential is no finite number",
                altclip_weights_get_path (model->weights), logarithm);
        return FALSE;
    }
    return TRUE;
}

static AltclipTowerInfo
describe_tower (const AltclipTowerConfig *config, guint64 n_parameters)
{
    return (AltclipTowerInfo){ config->hidden_size, config->intermediate_size,
        config->num_hidden_layers, config->num_attention_heads, config->hidden_act,
        config->layer_norm_eps, n_parameters };
}

static void
describe (AltclipModel *model)
{
    AltclipModelInfo *info = &model->info;
    const AltclipConfig *config = model->config;

    info->directory = model->directory;
    info->model_type = config->model_type;
    info->dtype = altclip_dtype_get_name (model->stored_text.projection->dtype);
    info->kernels = model->kernels->name;
    info->projection_dim = config->projection_dim;
    info->vision = describe_tower (&config->vision.tower, model->vision.n_parameters);
    info->image_size = config->vision.image_size;
    info->patch_size = config->vision.patch_size;
    info->num_channels = config->vision.num_channels;
    info->text = describe_tower (&config->text.tower, model->stored_text.n_parameters);
    info->project_dim = config->text.project_dim;
    info->vocab_size = config->text.vocab_size;
    info->max_tokens =
            MIN (512, config->text.max_position_embeddings - config->text.pad_token_id - 1);
    info->parameters = model->vision.n_parameters + model->stored_text.n_parameters +
                       (guint64)config->projection_dim *
                               (config->vision.tower.hidden_size + config->text.project_dim) +
                       1;
}

/* Noise, of another strength for each picture. */
static void
draw_test_pictures (float *pixel_values, gsize size)
{
    guint32 state = 1;

    for (gsize i = 0; i < 2 * size; i++) {
        state = state * 1664525u + 1013904223u;
        pixel_values[i] = (float)(gint32)state * (i < size ? 0x1p-31f : 0x1p-33f);
    }
}

static float
largest_difference (const float *a, const float *b, guint n)
{
    float largest = 0.0f;

    for (guint i = 0; i < n; i++)
        largest = MAX (largest, fabsf (a[i] - b[i]));
    return largest;
}

/* Two pictures must get two embeddings, all of numbers: weights of NaN or of one value would
 * otherwise go unnoticed until somebody wonders about the labels. */
static gboolean
test_itself (AltclipModel *model, guint threads, GCancellable *cancellable, GError **error)
{
    g_autoptr (AltclipSession) session = altclip_session_new (model, threads, error);
    gsize size = (gsize)model->info.num_channels * model->info.image_size * model->info.image_size;
    guint dim = model->info.projection_dim;
    g_autofree float *pixel_values = g_new (float, 2 * size);
    g_autofree float *embeddings = g_new (float, 2 * dim);

    if (!session)
        return FALSE;
    draw_test_pictures (pixel_values, size);
    for (guint i = 0; i < 2; i++) {
        gint64 begin = g_get_monotonic_time ();

        if (g_cancellable_set_error_if_cancelled (cancellable, error))
            return FALSE;
        if (!altclip_session_encode_images (
                    session, pixel_values + i * size, 1, embeddings + i * dim, error)) {
            g_prefix_error (error, "%s: self-test: ", altclip_weights_get_path (model->weights));
            return FALSE;
        }
        model->info.picture_time = (guint64)(g_get_monotonic_time () - begin) * 1000;
    }
    if (largest_difference (embeddings, embeddings + dim, dim) >= 1e-6f)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "%s: self-test: two different pictures have the same embedding, so these weights "
            "cannot tell anything apart",
            altclip_weights_get_path (model->weights));
    return FALSE;
}

static gboolean
open_in_steps (AltclipModel *model, const AltclipModelOptions *options, GCancellable *cancellable,
        GError **error)
{
    if (!read_config (model, error))
        return FALSE;
    model->weights = altclip_weights_open (model->directory, error);
    if (!model->weights || !read_logit_scale (model, error) ||
            !altclip_stored_text_find (&model->stored_text, model->weights, model->config, error) ||
            g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    if (!choose_kernels (model, options ? options->kernels : NULL, cancellable, error) ||
            !altclip_vision_init (&model->vision, model->weights, model->config, model->kernels,
                    cancellable, error))
        return FALSE;
    describe (model);
    return test_itself (model, options ? options->threads : 0, cancellable, error);
}

AltclipModel *
altclip_model_open (const char *directory, const AltclipModelOptions *options,
        GCancellable *cancellable, GError **error)
{
    g_autoptr (AltclipModel) model = g_new0 (AltclipModel, 1);
    char *resolved = realpath (directory, NULL);

    model->ref_count = 1;
    pthread_mutex_init (&model->making, NULL);
    model->directory = g_strdup (resolved ? resolved : directory);
    free (resolved);
    if (!g_file_test (model->directory, G_FILE_TEST_IS_DIR)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO,
                "model directory '%s' does not exist or is not a directory", directory);
        return NULL;
    }
    if (!open_in_steps (model, options, cancellable, error))
        return NULL;
    return g_steal_pointer (&model);
}

/* ---- Life ------------------------------------------------------------------------------------ */

AltclipModel *
altclip_model_ref (AltclipModel *model)
{
    g_atomic_int_inc (&model->ref_count);
    return model;
}

void
altclip_model_unref (AltclipModel *model)
{
    if (!g_atomic_int_dec_and_test (&model->ref_count))
        return;
    altclip_text_free (model->text);
    altclip_tokenizer_free (model->tokenizer);
    altclip_vision_clear (&model->vision);
    altclip_stored_text_clear (&model->stored_text);
    altclip_weights_close (model->weights);
    altclip_config_free (model->config);
    pthread_mutex_destroy (&model->making);
    g_free (model->directory);
    g_free (model);
}

/* ---- What it holds --------------------------------------------------------------------------- */

const AltclipModelInfo *
altclip_model_get_info (AltclipModel *model)
{
    return &model->info;
}

guint64
altclip_model_get_memory (AltclipModel *model)
{
    const AltclipText *text = g_atomic_pointer_get (&model->text);
    gsize size = altclip_linear_get_size (&model->vision.patch) +
                 altclip_encoder_get_size (&model->vision.encoder) +
                 altclip_linear_get_size (&model->vision.projection);

    if (text)
        size += altclip_encoder_get_size (&text->encoder) +
                altclip_linear_get_size (&text->transformation) +
                altclip_linear_get_size (&text->projection);
    return size;
}

const AltclipConfig *
altclip_model_get_config (AltclipModel *model)
{
    return model->config;
}

const AltclipVision *
altclip_model_get_vision (AltclipModel *model)
{
    return &model->vision;
}

const AltclipText *
altclip_model_get_text (AltclipModel *model)
{
    AltclipText *text = g_atomic_pointer_get (&model->text);

    if (text)
        return text;
    pthread_mutex_lock (&model->making);
    text = model->text;
    if (!text) {
        text = altclip_text_new (&model->stored_text, model->kernels);
        g_atomic_pointer_set (&model->text, text);
    }
    pthread_mutex_unlock (&model->making);
    return text;
}

static AltclipTokenizer *
open_tokenizer (AltclipModel *model, GError **error)
{
    g_autofree char *path = g_build_filename (model->directory, "sentencepiece.bpe.model", NULL);
    g_autoptr (AltclipTokenizer) tokenizer = altclip_tokenizer_open (path, error);
    guint vocab_size;

    if (!tokenizer)
        return NULL;
    vocab_size = altclip_tokenizer_get_vocab_size (tokenizer);
    if (vocab_size > model->config->text.vocab_size) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
                "%s: its %u ids exceed text_config.vocab_size %u of config.json", path, vocab_size,
                model->config->text.vocab_size);
        return NULL;
    }
    return g_steal_pointer (&tokenizer);
}

AltclipTokenizer *
altclip_model_get_tokenizer (AltclipModel *model, GError **error)
{
    AltclipTokenizer *tokenizer = g_atomic_pointer_get (&model->tokenizer);

    if (tokenizer)
        return tokenizer;
    pthread_mutex_lock (&model->making);
    tokenizer = model->tokenizer;
    if (!tokenizer) {
        tokenizer = open_tokenizer (model, error);
        g_atomic_pointer_set (&model->tokenizer, tokenizer);
    }
    pthread_mutex_unlock (&model->making);
    return tokenizer;
}

GArray *
altclip_model_tokenize (AltclipModel *model, const char *text, GError **error)
{
    AltclipTokenizer *tokenizer = altclip_model_get_tokenizer (model, error);

    return tokenizer ? altclip_tokenizer_encode (tokenizer, text, model->info.max_tokens, error)
                     : NULL;
}

char *
altclip_model_decode (AltclipModel *model, const gint32 *ids, gsize n_ids, GError **error)
{
    AltclipTokenizer *tokenizer = altclip_model_get_tokenizer (model, error);

    return tokenizer ? altclip_tokenizer_decode (tokenizer, ids, n_ids, error) : NULL;
}
