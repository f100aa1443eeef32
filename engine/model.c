/* altclip: an opened model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model.h"
#include "selftest.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A packed text tower of at most this size is kept when nobody uses it: packing it anew would cost
 * more than its memory is worth. */
#define KEPT_TEXT_BYTES (64 * 1024 * 1024)

/* Most tokens of a text, <s> and </s> included. */
#define MAX_TOKENS 512

/* Rows of a text of ordinary length, for the proof. */
#define TEXT_ROWS 12

struct _AltclipModel {
    gint ref_count;
    char *directory;
    char *kernels;              /* (nullable): name of the set that was asked for */
    AltclipPrecision precision; /* of the image tower, as it was asked for */
    guint threads;              /* to pack and test with */
    AltclipConfig *config;
    AltclipWeights *weights;
    AltclipStoredVision stored_vision;
    AltclipStoredText stored_text;
    AltclipModelInfo info;
    /* Made at their first use, each under its lock. Read atomically; constant once set. */
    pthread_mutex_t vision_lock;
    const AltclipKernels *vision_kernels;
    AltclipTrial trial;                  /* set before the kernels, as the next two are */
    const AltclipKernels *finer_kernels; /* beside 8-bit integers; else NULL */
    gboolean is_slow;                    /* slower than these */
    AltclipVision *vision;
    pthread_mutex_t tokenizer_lock;
    AltclipTokenizer *tokenizer;
    gint is_stale; /* the tokenizer is not the one of the fingerprint; set before the tokenizer */
    /* The text tower comes and goes, under its lock; its kernels and its size are read atomically.
     */
    pthread_mutex_t text_lock;
    const AltclipKernels *text_kernels;
    AltclipText *text;
    guint n_text_users;
    gsize text_size;
    /* NULL: nothing is kept */
    AltclipCache *embedding_cache;
    AltclipCache *token_cache;
    AltclipFingerprint settings;
    const AltclipKernels *expected_kernels; /* for texts */
};

/* ---- Opening: configuration and weights ------------------------------------------------------ */

#define BOTH_TOWERS (ALTCLIP_TOWER_IMAGE | ALTCLIP_TOWER_TEXT)

/* Which towers there are: the one that the configuration describes, or those of both that the
 * weights hold. */
static gboolean
find_towers (AltclipModel *model, GError **error)
{
    AltclipTowers *towers = &model->info.towers;

    if (model->config->towers != BOTH_TOWERS) {
        *towers = model->config->towers;
        return TRUE;
    }
    if (altclip_weights_contain_any (model->weights, "vision_model."))
        *towers |= ALTCLIP_TOWER_IMAGE;
    if (altclip_weights_contain_any (model->weights, "text_model."))
        *towers |= ALTCLIP_TOWER_TEXT;
    if (*towers)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
            "%s: holds neither an image tower ('" ALTCLIP_VISION_TENSOR
            "' is missing) nor a text tower ('" ALTCLIP_TEXT_TENSOR "' is missing)",
            altclip_weights_get_path (model->weights));
    return FALSE;
}

/* A tower alone may come without what joins it to the other. Returns: the width that @projection
 * must have, 0 if it is not needed */
static guint
find_projection_dim (AltclipModel *model, const char *projection)
{
    if (model->config->towers == BOTH_TOWERS &&
            (model->info.towers == BOTH_TOWERS ||
                    altclip_weights_contain (model->weights, projection)))
        return model->config->projection_dim;
    return 0;
}

static gboolean
find_tensors (AltclipModel *model, GError **error)
{
    if (!find_towers (model, error))
        return FALSE;
    if ((model->info.towers & ALTCLIP_TOWER_IMAGE) &&
            !altclip_stored_vision_find (&model->stored_vision, model->weights,
                    &model->config->vision, find_projection_dim (model, ALTCLIP_VISION_PROJECTION),
                    error))
        return FALSE;
    return !(model->info.towers & ALTCLIP_TOWER_TEXT) ||
           altclip_stored_text_find (&model->stored_text, model->weights, &model->config->text,
                   find_projection_dim (model, ALTCLIP_TEXT_PROJECTION), error);
}

/* Between towers that are both there; one alone has nothing to scale. */
static gboolean
read_logit_scale (AltclipModel *model, GError **error)
{
    const AltclipStoredTensor *tensor;
    float logarithm;

    if (model->info.towers != BOTH_TOWERS &&
            !altclip_weights_contain (model->weights, "logit_scale"))
        return TRUE;
    tensor = altclip_weights_require (model->weights, error, "logit_scale", "a single number", 0);
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

/* ---- Opening: the description ---------------------------------------------------------------- */

static AltclipTowerInfo
describe_tower (const AltclipTowerConfig *config, guint64 n_parameters)
{
    return (AltclipTowerInfo){ config->hidden_size, config->intermediate_size,
        config->num_hidden_layers, config->num_attention_heads, config->hidden_act,
        config->layer_norm_eps, n_parameters };
}

static void
describe_vision (AltclipModelInfo *info, const AltclipStoredVision *stored)
{
    const AltclipVisionConfig *config = stored->config;

    info->vision = describe_tower (&config->tower, stored->n_parameters);
    info->image_size = config->image_size;
    info->patch_size = config->patch_size;
    info->num_channels = config->num_channels;
    info->dtype = altclip_dtype_get_name (stored->patch->dtype);
    info->parameters += stored->n_parameters;
    if (stored->projection) {
        info->projection_dim = stored->projection_dim;
        info->parameters += stored->projection->n_elements;
    }
}

/* Where the reference would truncate: at what the tokenizer's files say, at the last position, and
 * no text has more than MAX_TOKENS. */
static guint
find_max_tokens (const AltclipConfig *config)
{
    const AltclipTextConfig *text = &config->text;

    return MIN (MIN (MAX_TOKENS, config->tokenizer.model_max_length),
            text->max_position_embeddings - text->pad_token_id - 1);
}

static void
describe_text (AltclipModelInfo *info, const AltclipStoredText *stored)
{
    const AltclipTextConfig *config = stored->config;

    info->text = describe_tower (&config->tower, stored->n_parameters);
    info->project_dim = config->project_dim;
    info->vocab_size = config->vocab_size;
    info->dtype = altclip_dtype_get_name (stored->words->dtype);
    info->parameters += stored->n_parameters;
    if (stored->projection) {
        info->projection_dim = stored->projection_dim;
        info->parameters += stored->projection->n_elements;
    }
}

/* Whether the image tower is stored in integers, but for what they are too coarse for. */
static gboolean
has_integers (const AltclipStoredVision *stored)
{
    g_autofree gboolean *finer = altclip_stored_blocks_find_finer (
            stored->blocks, stored->config->tower.num_hidden_layers);

    return finer != NULL;
}

static void
describe (AltclipModel *model)
{
    AltclipModelInfo *info = &model->info;

    info->directory = model->directory;
    info->model_type = model->config->model_type;
    info->parameters = altclip_weights_contain (model->weights, "logit_scale");
    if (info->towers & ALTCLIP_TOWER_IMAGE)
        describe_vision (info, &model->stored_vision);
    if (info->towers & ALTCLIP_TOWER_TEXT) {
        describe_text (info, &model->stored_text);
        info->max_tokens = find_max_tokens (model->config);
    }
    if ((info->towers & ALTCLIP_TOWER_IMAGE) && has_integers (&model->stored_vision))
        info->dtype = altclip_dtype_get_name (ALTCLIP_DTYPE_I8);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* While a product is proved its weights are there four times: as they are and packed, in each of
 * two threads. */
#define PROOF_COPIES 4

/* Numbers of a block's largest product. */
static guint64
count_largest (const AltclipTowerConfig *tower)
{
    return (guint64)tower->hidden_size * MAX (3 * tower->hidden_size, tower->intermediate_size);
}

/* A file with holes can hold more than its disk, and ask for more than there is: told before
 * anything is proved or packed, since the system would end a process, perhaps another than this
 * one. @n_packed: numbers of the packed tower; @n_largest: of its largest product */
static gboolean
check_memory (
        AltclipModel *model, const char *tower, guint64 n_packed, guint64 n_largest, GError **error)
{
    guint64 n_bytes = MAX (n_packed, PROOF_COPIES * n_largest) * sizeof (float);
    guint64 limit = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);

    if (n_bytes <= limit)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "%s: the %s tower takes %" G_GUINT64_FORMAT
            " bytes to compute with, but this machine has %" G_GUINT64_FORMAT " bytes of memory",
            altclip_weights_get_path (model->weights), tower, n_bytes, limit);
    return FALSE;
}

static gboolean
check_vision_memory (AltclipModel *model, GError **error)
{
    const AltclipStoredVision *stored = &model->stored_vision;
    guint64 n_largest = MAX (count_largest (&stored->config->tower), stored->patch->n_elements);

    return check_memory (model, "image", stored->n_parameters, n_largest, error);
}

/* The tables of words and positions are not packed. */
static gboolean
check_text_memory (AltclipModel *model, GError **error)
{
    const AltclipStoredText *stored = &model->stored_text;
    guint64 n_tables =
            stored->words->n_elements + (stored->positions ? stored->positions->n_elements : 0);

    return check_memory (model, "text", stored->n_parameters - n_tables,
            count_largest (&stored->config->tower), error);
}

/* ---- Kernels --------------------------------------------------------------------------------- */

/* For int8 there are two sets: some layers need more than 8 bits, and are computed in what auto
 * would be. That is also what int8 has to be faster than. */
static const AltclipKernels *
choose_with_finer (AltclipModel *model, const AltclipKernelShapes *shapes,
        GCancellable *cancellable, GError **error)
{
    AltclipTrial trial = { 0 };
    const AltclipKernels *coarse = altclip_kernels_choose (
            model->kernels, ALTCLIP_PRECISION_INT8, shapes, cancellable, &trial, error);
    const AltclipKernels *finer =
            coarse ? altclip_kernels_choose (model->kernels, ALTCLIP_PRECISION_AUTO, shapes,
                             cancellable, &trial, error)
                   : NULL;
    const AltclipKernels *faster =
            finer ? altclip_kernels_find_faster (finer, coarse, shapes, cancellable, &trial, error)
                  : NULL;

    model->is_slow = trial.bf16_time > trial.f32_time; /* of the two, in this order */
    model->finer_kernels = finer;
    return faster ? coarse : NULL;
}

static const AltclipKernels *
choose_for_vision (AltclipModel *model, GCancellable *cancellable, GError **error)
{
    const AltclipStoredVision *stored = &model->stored_vision;
    guint width = stored->config->tower.hidden_size;
    guint inner = stored->config->tower.intermediate_size;
    guint patch = (guint)(stored->patch->n_elements / width);
    guint tokens = stored->n_patches + 1;
    const AltclipProductShape products[] = {
        { tokens - 1, width, patch },
        { tokens, 3 * width, width },
        { tokens, inner, width },
        { tokens, width, inner },
        { 1, stored->projection_dim, width },
    };
    const AltclipKernelShapes shapes = { products, G_N_ELEMENTS (products) - !stored->projection,
        { tokens, width, stored->config->tower.num_attention_heads, ALTCLIP_POSITIONS_ABSOLUTE } };

    if (model->precision == ALTCLIP_PRECISION_INT8)
        return choose_with_finer (model, &shapes, cancellable, error);
    return altclip_kernels_choose (
            model->kernels, model->precision, &shapes, cancellable, &model->trial, error);
}

static const AltclipKernels *
choose_for_text (AltclipModel *model, GCancellable *cancellable, GError **error)
{
    const AltclipStoredText *stored = &model->stored_text;
    guint width = stored->config->tower.hidden_size;
    guint inner = stored->config->tower.intermediate_size;
    const AltclipProductShape products[] = {
        { TEXT_ROWS, 3 * width, width },
        { TEXT_ROWS, inner, width },
        { TEXT_ROWS, width, inner },
        { 1, stored->config->project_dim, width },
        { 1, stored->projection_dim, stored->config->project_dim },
    };
    const AltclipKernelShapes shapes = { products, G_N_ELEMENTS (products) - !stored->projection,
        { TEXT_ROWS, width, stored->config->tower.num_attention_heads,
                stored->config->positions } };
    AltclipTrial no_trial;

    return altclip_kernels_choose (
            model->kernels, ALTCLIP_PRECISION_F32, &shapes, cancellable, &no_trial, error);
}

/* With the vision lock. */
static const AltclipKernels *
get_vision_kernels (AltclipModel *model, GCancellable *cancellable, GError **error)
{
    if (!model->vision_kernels && check_vision_memory (model, error))
        g_atomic_pointer_set (
                &model->vision_kernels, choose_for_vision (model, cancellable, error));
    return model->vision_kernels;
}

/* With the text lock. */
static const AltclipKernels *
get_text_kernels (AltclipModel *model, GCancellable *cancellable, GError **error)
{
    if (!model->text_kernels && check_text_memory (model, error))
        g_atomic_pointer_set (&model->text_kernels, choose_for_text (model, cancellable, error));
    return model->text_kernels;
}

/* ---- Packing --------------------------------------------------------------------------------- */

/* With the vision lock. @picture_time: (out): what altclip_vision_test() measured */
static gboolean
pack_vision (AltclipModel *model, guint64 *picture_time, GCancellable *cancellable, GError **error)
{
    const AltclipKernels *kernels = get_vision_kernels (model, cancellable, error);
    g_autoptr (AltclipWorkspace) workspace = NULL;
    g_autoptr (AltclipVision) vision = NULL;

    if (!kernels)
        return FALSE;
    workspace = altclip_workspace_new (model->threads, error);
    if (!workspace)
        return FALSE;
    vision = altclip_vision_new (
            &model->stored_vision, kernels, model->finer_kernels, workspace, cancellable, error);
    if (!vision ||
            !altclip_vision_test (vision, workspace, altclip_weights_get_path (model->weights),
                    picture_time, cancellable, error))
        return FALSE;
    g_atomic_pointer_set (&model->vision, g_steal_pointer (&vision));
    return TRUE;
}

/* With the text lock. */
static gboolean
pack_text (
        AltclipModel *model, AltclipWorkspace *workspace, GCancellable *cancellable, GError **error)
{
    const AltclipKernels *kernels = get_text_kernels (model, cancellable, error);

    if (!kernels)
        return FALSE;
    model->text = altclip_text_new (&model->stored_text, kernels, workspace, cancellable, error);
    if (model->text)
        g_atomic_pointer_set (&model->text_size, altclip_text_get_size (model->text));
    return model->text != NULL;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static void
open_caches (AltclipModel *model)
{
    g_autofree char *directory = altclip_cache_get_directory ();
    AltclipFingerprint fingerprint;

    model->expected_kernels = altclip_kernels_expect (model->kernels);
    altclip_fingerprint_take (
            &model->settings, model->weights, model->expected_kernels->name, &fingerprint);
    model->embedding_cache = altclip_cache_new (
            directory, &fingerprint, "embeddings", model->info.projection_dim * sizeof (float));
    model->token_cache = altclip_cache_new (directory, &fingerprint, "tokens", sizeof (gboolean));
}

static gboolean
open_in_steps (
        AltclipModel *model, AltclipModelFlags flags, GCancellable *cancellable, GError **error)
{
    altclip_fingerprint_take_settings (model->directory, &model->settings);
    model->config = altclip_config_read_directory (model->directory, error);
    if (!model->config)
        return FALSE;
    model->weights = altclip_weights_open (model->directory, error);
    if (!model->weights || !find_tensors (model, error) || !read_logit_scale (model, error) ||
            g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    describe (model);
    if (!(flags & ALTCLIP_MODEL_NO_CACHE) && !altclip_cache_is_off () &&
            altclip_model_can_embed (model, ALTCLIP_TOWER_TEXT, NULL))
        open_caches (model);
    if (flags & ALTCLIP_MODEL_LAZY)
        return TRUE;
    return model->info.towers & ALTCLIP_TOWER_IMAGE
                   ? pack_vision (model, &model->info.picture_time, cancellable, error)
                   : get_text_kernels (model, cancellable, error) != NULL;
}

AltclipModel *
altclip_model_open (const char *directory, const AltclipModelOptions *options,
        GCancellable *cancellable, GError **error)
{
    g_autoptr (AltclipModel) model = g_new0 (AltclipModel, 1);
    char *resolved = realpath (directory, NULL);

    model->ref_count = 1;
    pthread_mutex_init (&model->vision_lock, NULL);
    pthread_mutex_init (&model->tokenizer_lock, NULL);
    pthread_mutex_init (&model->text_lock, NULL);
    model->kernels = g_strdup (options ? options->kernels : NULL);
    model->threads = options ? options->threads : 0;
    model->directory = g_strdup (resolved ? resolved : directory);
    free (resolved);
    if (!g_file_test (model->directory, G_FILE_TEST_IS_DIR)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO,
                "model directory '%s' does not exist or is not a directory", directory);
        return NULL;
    }
    model->precision = options ? options->precision : ALTCLIP_PRECISION_AUTO;
    if (!open_in_steps (model, options ? options->flags : 0, cancellable, error))
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
    altclip_cache_free (model->embedding_cache);
    altclip_cache_free (model->token_cache);
    altclip_text_free (model->text);
    altclip_tokenizer_free (model->tokenizer);
    altclip_vision_free (model->vision);
    altclip_stored_vision_clear (&model->stored_vision);
    altclip_stored_text_clear (&model->stored_text);
    altclip_weights_close (model->weights);
    altclip_config_free (model->config);
    pthread_mutex_destroy (&model->vision_lock);
    pthread_mutex_destroy (&model->tokenizer_lock);
    pthread_mutex_destroy (&model->text_lock);
    g_free (model->kernels);
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
    const AltclipVision *vision = g_atomic_pointer_get (&model->vision);

    return (vision ? altclip_vision_get_size (vision) : 0) +
           g_atomic_pointer_get (&model->text_size);
}

/* What computes the image tower, or the text tower when that is the only one. */
static const AltclipKernels *
get_kernels (AltclipModel *model, GError **error)
{
    gboolean is_vision = (model->info.towers & ALTCLIP_TOWER_IMAGE) != 0;
    pthread_mutex_t *lock = is_vision ? &model->vision_lock : &model->text_lock;
    const AltclipKernels *kernels = is_vision ? g_atomic_pointer_get (&model->vision_kernels)
                                              : g_atomic_pointer_get (&model->text_kernels);

    if (kernels)
        return kernels;
    pthread_mutex_lock (lock);
    kernels = is_vision ? get_vision_kernels (model, NULL, error)
                        : get_text_kernels (model, NULL, error);
    pthread_mutex_unlock (lock);
    return kernels;
}

const char *
altclip_model_get_kernels (AltclipModel *model, GError **error)
{
    const AltclipKernels *kernels = get_kernels (model, error);

    return kernels ? kernels->name : NULL;
}

gboolean
altclip_model_get_precision (
        AltclipModel *model, AltclipPrecision *precision, gboolean *converts, GError **error)
{
    const AltclipKernels *kernels = get_kernels (model, error);

    if (!kernels)
        return FALSE;
    *precision = kernels->precision;
    if (converts)
        *converts =
                kernels->precision == ALTCLIP_PRECISION_INT8 ? model->is_slow : kernels->converts;
    return TRUE;
}

guint
altclip_model_get_finer_layers (AltclipModel *model)
{
    const AltclipVision *vision = g_atomic_pointer_get (&model->vision);

    return vision ? altclip_vision_count_finer (vision) : 0;
}

gboolean
altclip_model_get_trial (AltclipModel *model, AltclipTrial *trial)
{
    if (!(model->info.towers & ALTCLIP_TOWER_IMAGE) || !get_kernels (model, NULL) ||
            !model->trial.f32_kernels)
        return FALSE;
    *trial = model->trial;
    return TRUE;
}

const AltclipStoredVision *
altclip_model_get_stored_vision (AltclipModel *model)
{
    return &model->stored_vision;
}

AltclipCache *
altclip_model_get_embedding_cache (AltclipModel *model)
{
    return model->embedding_cache;
}

AltclipCache *
altclip_model_get_token_cache (AltclipModel *model)
{
    return model->token_cache;
}

gboolean
altclip_model_may_keep (AltclipModel *model)
{
    const AltclipKernels *kernels = g_atomic_pointer_get (&model->text_kernels);

    return model->embedding_cache && !g_atomic_int_get (&model->is_stale) &&
           (!kernels || kernels == model->expected_kernels);
}

const AltclipConfig *
altclip_model_get_config (AltclipModel *model)
{
    return model->config;
}

/* ---- Towers ---------------------------------------------------------------------------------- */

gboolean
altclip_model_check_tower (AltclipModel *model, AltclipTowers tower, GError **error)
{
    gboolean is_image = tower == ALTCLIP_TOWER_IMAGE;

    if (model->info.towers & tower)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
            "%s: holds no %s tower (tensor '%s' is missing)", model->directory,
            is_image ? "image" : "text", is_image ? ALTCLIP_VISION_TENSOR : ALTCLIP_TEXT_TENSOR);
    return FALSE;
}

static gboolean
can_embed_with (AltclipModel *model, AltclipTowers tower, GError **error)
{
    gboolean is_image = tower == ALTCLIP_TOWER_IMAGE;

    if (!altclip_model_check_tower (model, tower, error))
        return FALSE;
    if (is_image ? model->stored_vision.projection : model->stored_text.projection)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TENSOR,
            "%s: holds no projection of the %s tower (tensor '%s' is missing), without which "
            "there are no embeddings",
            model->directory, is_image ? "image" : "text",
            is_image ? ALTCLIP_VISION_PROJECTION : ALTCLIP_TEXT_PROJECTION);
    return FALSE;
}

gboolean
altclip_model_can_embed (AltclipModel *model, AltclipTowers towers, GError **error)
{
    return (!(towers & ALTCLIP_TOWER_IMAGE) ||
                   can_embed_with (model, ALTCLIP_TOWER_IMAGE, error)) &&
           (!(towers & ALTCLIP_TOWER_TEXT) || can_embed_with (model, ALTCLIP_TOWER_TEXT, error));
}

const AltclipVision *
altclip_model_get_vision (AltclipModel *model, GError **error)
{
    const AltclipVision *vision = g_atomic_pointer_get (&model->vision);
    guint64 picture_time;

    if (vision || !altclip_model_check_tower (model, ALTCLIP_TOWER_IMAGE, error))
        return vision;
    pthread_mutex_lock (&model->vision_lock);
    if (model->vision || pack_vision (model, &picture_time, NULL, error))
        vision = model->vision;
    pthread_mutex_unlock (&model->vision_lock);
    return vision;
}

const AltclipText *
altclip_model_acquire_text (
        AltclipModel *model, AltclipWorkspace *workspace, GCancellable *cancellable, GError **error)
{
    const AltclipText *text = NULL;

    if (!altclip_model_check_tower (model, ALTCLIP_TOWER_TEXT, error))
        return NULL;
    pthread_mutex_lock (&model->text_lock);
    if (model->text || pack_text (model, workspace, cancellable, error)) {
        text = model->text;
        model->n_text_users++;
    }
    pthread_mutex_unlock (&model->text_lock);
    return text;
}

void
altclip_model_release_text (AltclipModel *model)
{
    AltclipText *unused = NULL;

    pthread_mutex_lock (&model->text_lock);
    if (--model->n_text_users == 0) {
        altclip_stored_text_release (&model->stored_text);
        if (altclip_text_get_size (model->text) > KEPT_TEXT_BYTES) {
            unused = g_steal_pointer (&model->text);
            g_atomic_pointer_set (&model->text_size, 0);
        }
    }
    pthread_mutex_unlock (&model->text_lock);
    altclip_text_free (unused);
}

/* ---- Tokenizer ------------------------------------------------------------------------------- */

static AltclipTokenizer *
open_tokenizer (AltclipModel *model, GError **error)
{
    g_autoptr (AltclipTokenizer) tokenizer =
            altclip_tokenizer_open_directory (model->directory, &model->config->tokenizer, error);
    guint vocab_size;

    if (!tokenizer)
        return NULL;
    vocab_size = altclip_tokenizer_get_vocab_size (tokenizer);
    if (vocab_size > model->config->text.vocab_size) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
                "%s: its %u ids exceed text_config.vocab_size %u of config.json",
                altclip_tokenizer_get_path (tokenizer), vocab_size, model->config->text.vocab_size);
        return NULL;
    }
    return g_steal_pointer (&tokenizer);
}

static gboolean
settings_are_current (AltclipModel *model)
{
    AltclipFingerprint now;

    altclip_fingerprint_take_settings (model->directory, &now);
    return memcmp (&now, &model->settings, sizeof now) == 0;
}

AltclipTokenizer *
altclip_model_get_tokenizer (AltclipModel *model, GError **error)
{
    AltclipTokenizer *tokenizer = g_atomic_pointer_get (&model->tokenizer);

    if (tokenizer)
        return tokenizer;
    pthread_mutex_lock (&model->tokenizer_lock);
    tokenizer = model->tokenizer;
    if (!tokenizer) {
        tokenizer = open_tokenizer (model, error);
        g_atomic_int_set (&model->is_stale, !settings_are_current (model));
        g_atomic_pointer_set (&model->tokenizer, tokenizer);
    }
    pthread_mutex_unlock (&model->tokenizer_lock);
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
