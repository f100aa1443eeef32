/* altclip: the image tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "vision.h"

#include <string.h>

#define PREFIX "vision_model."

/* ---- Stored weights -------------------------------------------------------------------------- */

static gboolean
find_embeddings (AltclipStoredVision *stored, AltclipWeights *weights, GError **error)
{
    const AltclipVisionConfig *config = stored->config;
    guint64 width = config->tower.hidden_size;

    stored->class_embedding = altclip_weights_require (
            weights, error, ALTCLIP_VISION_TENSOR, "hidden_size", 1, width);
    if (!stored->class_embedding)
        return FALSE;
    stored->patch =
            altclip_weights_require (weights, error, PREFIX "embeddings.patch_embedding.weight",
                    "hidden_size × num_channels × patch_size × patch_size", 4, width,
                    (guint64)config->num_channels, (guint64)config->patch_size,
                    (guint64)config->patch_size);
    if (!stored->patch)
        return FALSE;
    stored->position_embedding =
            altclip_weights_require (weights, error, PREFIX "embeddings.position_embedding.weight",
                    "(image_size / patch_size)² + 1 × hidden_size", 2,
                    (guint64)stored->n_patches + 1, width);
    return stored->position_embedding != NULL;
}

gboolean
altclip_stored_vision_find (AltclipStoredVision *stored, AltclipWeights *weights,
        const AltclipVisionConfig *config, guint projection_dim, GError **error)
{
    guint side = config->image_size / config->patch_size;
    guint64 width = config->tower.hidden_size;

    stored->config = config;
    stored->projection_dim = projection_dim;
    stored->n_patches = side * side;
    if (!find_embeddings (stored, weights, error) ||
            !altclip_weights_require_pair (weights, PREFIX "pre_layrnorm", "hidden_size", width,
                    NULL, 0, stored->pre_norm, error) ||
            !altclip_weights_require_pair (weights, PREFIX "post_layernorm", "hidden_size", width,
                    NULL, 0, stored->post_norm, error))
        return FALSE;
    if (projection_dim > 0) {
        stored->projection = altclip_weights_require (weights, error, ALTCLIP_VISION_PROJECTION,
                "projection_dim × hidden_size", 2, (guint64)projection_dim, width);
        if (!stored->projection)
            return FALSE;
    }
    stored->n_parameters = stored->class_embedding->n_elements + stored->patch->n_elements +
                           stored->position_embedding->n_elements + 4 * width;
    stored->blocks = altclip_stored_blocks_find (weights, PREFIX "encoder.layers.", &config->tower,
            ALTCLIP_PRE_NORM, &stored->n_parameters, error);
    if (!stored->blocks)
        return FALSE;
    altclip_weights_log_unused (weights, PREFIX);
    return TRUE;
}

void
altclip_stored_vision_clear (AltclipStoredVision *stored)
{
    g_clear_pointer (&stored->blocks, g_free);
}

/* ---- Packed tower ---------------------------------------------------------------------------- */

static float *
read_whole (const AltclipStoredTensor *tensor)
{
    float *out = altclip_aligned_alloc (tensor->n_elements * sizeof (float));

    altclip_stored_tensor_read (tensor, 0, tensor->n_elements, out);
    return out;
}

AltclipVision *
altclip_vision_new (const AltclipStoredVision *stored, const AltclipKernels *kernels,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error)
{
    g_autoptr (AltclipVision) vision = g_new0 (AltclipVision, 1);
    double epsilon = stored->config->tower.layer_norm_eps;

    vision->config = stored->config;
    vision->projection_dim = stored->projection_dim;
    vision->n_patches = stored->n_patches;
    vision->class_embedding = read_whole (stored->class_embedding);
    vision->position_embedding = read_whole (stored->position_embedding);
    altclip_linear_init (&vision->patch, kernels, &stored->patch, NULL, 1);
    altclip_norm_init (&vision->pre_norm, stored->pre_norm[0], stored->pre_norm[1], epsilon);
    altclip_norm_init (&vision->post_norm, stored->post_norm[0], stored->post_norm[1], epsilon);
    if (stored->projection)
        altclip_linear_init (&vision->projection, kernels, &stored->projection, NULL, 1);
    if (!altclip_encoder_init (&vision->encoder, kernels, &stored->config->tower, ALTCLIP_PRE_NORM,
                stored->blocks, workspace, cancellable, error))
        return NULL;
    return g_steal_pointer (&vision);
}

void
altclip_vision_free (AltclipVision *vision)
{
    if (!vision)
        return;
    g_clear_pointer (&vision->class_embedding, altclip_aligned_free);
    g_clear_pointer (&vision->position_embedding, altclip_aligned_free);
    altclip_linear_clear (&vision->patch);
    altclip_norm_clear (&vision->pre_norm);
    altclip_encoder_clear (&vision->encoder);
    altclip_norm_clear (&vision->post_norm);
    altclip_linear_clear (&vision->projection);
    g_free (vision);
}

gsize
altclip_vision_get_size (const AltclipVision *vision)
{
    return altclip_linear_get_size (&vision->patch) + altclip_encoder_get_size (&vision->encoder) +
           altclip_linear_get_size (&vision->projection);
}

/* ---- Forward --------------------------------------------------------------------------------- */

/* One patch of one picture as a row [channels · patch²], in the order of the convolution's weights.
 */
static void
copy_patch (const float *picture, guint image_size, guint patch_size, guint n_channels, guint top,
        guint left, float *row)
{
    for (guint c = 0; c < n_channels; c++) {
        for (guint y = 0; y < patch_size; y++) {
            const float *from = picture + ((gsize)c * image_size + top + y) * image_size + left;
            memcpy (row, from, patch_size * sizeof (float));
            row += patch_size;
        }
    }
}

/* A convolution whose stride is its size is a product of patches with weights. Rows and columns
 * beyond the last whole patch are not looked at. */
static float *
gather_patches (const AltclipVision *vision, AltclipWorkspace *workspace, const float *pixel_values,
        guint n_images)
{
    const AltclipVisionConfig *config = vision->config;
    gsize picture_size = (gsize)config->num_channels * config->image_size * config->image_size;
    guint side = config->image_size / config->patch_size;
    guint k = vision->patch.k;
    float *patches = altclip_workspace_get (
            workspace, ALTCLIP_BUFFER_PATCHES, (gsize)n_images * vision->n_patches * k);
    float *row = patches;

    for (guint image = 0; image < n_images; image++) {
        for (guint patch = 0; patch < vision->n_patches; patch++, row += k)
            copy_patch (pixel_values + image * picture_size, config->image_size, config->patch_size,
                    config->num_channels, patch / side * config->patch_size,
                    patch % side * config->patch_size, row);
    }
    return patches;
}

/* Class and patch embeddings plus positions: [images, 1 + patches, width]. */
static void
embed (const AltclipVision *vision, const float *patches, guint n_images, float *x)
{
    guint width = vision->config->tower.hidden_size;

    for (guint image = 0; image < n_images; image++) {
        for (guint token = 0; token <= vision->n_patches; token++, x += width) {
            const float *position = vision->position_embedding + (gsize)token * width;
            const float *from = vision->class_embedding;

            if (token > 0) {
                from = patches;
                patches += width;
            }
            for (guint i = 0; i < width; i++)
                x[i] = from[i] + position[i];
        }
    }
}

/* Offsets and lengths of sequences of one length, [n + 1] and [n]. */
static guint *
equal_sequences (guint n, guint length, AltclipSequences *sequences)
{
    guint *numbers = g_new (guint, 2 * n + 1);

    for (guint i = 0; i <= n; i++)
        numbers[i] = i * length;
    for (guint i = 0; i < n; i++)
        numbers[n + 1 + i] = length;
    *sequences = (AltclipSequences){ n, numbers, numbers + n + 1, length };
    return numbers;
}

/* Layer norm and projection of the class tokens @pooled [n_images, width]. */
static void
project (const AltclipVision *vision, AltclipWorkspace *workspace, float *pooled, guint n_images,
        const AltclipVisionOutputs *outputs)
{
    gsize width = vision->config->tower.hidden_size;
    AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };

    altclip_norm_run (
            workspace, vision->encoder.kernels, &vision->post_norm, pooled, n_images, pooled);
    if (outputs->pooler_output)
        memcpy (outputs->pooler_output, pooled, n_images * width * sizeof (float));
    if (outputs->features)
        altclip_linear_run (
                workspace, &vision->projection, pooled, n_images, plain, outputs->features);
}

/* Runs the blocks on @x [rows, width]. Returns: (transfer none): the class tokens */
static float *
encode (const AltclipVision *vision, AltclipWorkspace *workspace, float *x,
        const AltclipSequences *sequences, const AltclipVisionOutputs *outputs)
{
    gsize width = vision->config->tower.hidden_size;
    gsize rows = sequences->offsets[sequences->n];

    if (!outputs->last_hidden_state && !outputs->hidden_state) {
        altclip_encoder_run_first_rows (&vision->encoder, workspace, x, sequences);
        return x;
    }
    altclip_encoder_run (&vision->encoder, workspace, x, sequences, outputs->hidden_state,
            outputs->hidden_state_data);
    if (outputs->last_hidden_state)
        memcpy (outputs->last_hidden_state, x, rows * width * sizeof (float));
    altclip_sequences_keep_first_rows (sequences, (guint)width, x);
    return x;
}

void
altclip_vision_run (const AltclipVision *vision, AltclipWorkspace *workspace,
        const float *pixel_values, guint n_images, const AltclipVisionOutputs *outputs)
{
    guint width = vision->config->tower.hidden_size;
    guint tokens = vision->n_patches + 1;
    gsize n = (gsize)n_images * tokens * width;
    AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    float *patches = gather_patches (vision, workspace, pixel_values, n_images);
    float *embedded = altclip_workspace_get (workspace, ALTCLIP_BUFFER_NORMED, n);
    float *x = altclip_workspace_get (workspace, ALTCLIP_BUFFER_RESIDUAL, n);
    AltclipSequences sequences;
    g_autofree guint *numbers = equal_sequences (n_images, tokens, &sequences);

    altclip_linear_run (
            workspace, &vision->patch, patches, n_images * vision->n_patches, plain, embedded);
    embed (vision, embedded, n_images, x);
    altclip_norm_run (
            workspace, vision->encoder.kernels, &vision->pre_norm, x, n_images * tokens, x);
    project (vision, workspace, encode (vision, workspace, x, &sequences, outputs), n_images,
            outputs);
}
