/* altclip: the image tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "vision.h"
#include "rounding.h"

#include <math.h>
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

static AltclipEncoderForm
describe_blocks (const AltclipVisionConfig *config)
{
    return (AltclipEncoderForm){ &config->tower, ALTCLIP_PRE_NORM, ALTCLIP_POSITIONS_ABSOLUTE, 0 };
}

gboolean
altclip_stored_vision_find (AltclipStoredVision *stored, AltclipWeights *weights,
        const AltclipVisionConfig *config, guint projection_dim, GError **error)
{
    guint side = config->image_size / config->patch_size;
    guint64 width = config->tower.hidden_size;
    AltclipEncoderForm form = describe_blocks (config);

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
    stored->blocks = altclip_stored_blocks_find (
            weights, PREFIX "encoder.layers.", &form, &stored->n_parameters, error);
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

/* Packs for @finer what is too coarse, or was when the tower was stored in integers. */
static gboolean
refine (AltclipVision *vision, const AltclipKernels *finer, const AltclipStoredVision *stored,
        AltclipWorkspace *workspace, GCancellable *cancellable, GError **error)
{
    AltclipEncoderForm form = describe_blocks (stored->config);
    g_autofree gboolean *coarse = NULL;

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    coarse = altclip_stored_blocks_find_finer (
            stored->blocks, stored->config->tower.num_hidden_layers);
    if (!coarse)
        coarse = altclip_rounding_find_coarse (vision, workspace);
    return altclip_encoder_repack (
            &vision->encoder, finer, &form, stored->blocks, coarse, workspace, cancellable, error);
}

AltclipVision *
altclip_vision_new (const AltclipStoredVision *stored, const AltclipKernels *kernels,
        const AltclipKernels *finer, AltclipWorkspace *workspace, GCancellable *cancellable,
        GError **error)
{
    g_autoptr (AltclipVision) vision = g_new0 (AltclipVision, 1);
    AltclipEncoderForm form = describe_blocks (stored->config);
    const AltclipKernels *finest = finer ? finer : kernels;
    double epsilon = stored->config->tower.layer_norm_eps;

    vision->config = stored->config;
    vision->projection_dim = stored->projection_dim;
    vision->side = stored->config->image_size / stored->config->patch_size;
    vision->class_embedding = read_whole (stored->class_embedding);
    vision->position_embedding = read_whole (stored->position_embedding);
    altclip_linear_init (&vision->patch, finest, &stored->patch, NULL, 1);
    altclip_norm_init (&vision->pre_norm, stored->pre_norm[0], stored->pre_norm[1], epsilon);
    altclip_norm_init (&vision->post_norm, stored->post_norm[0], stored->post_norm[1], epsilon);
    if (stored->projection)
        altclip_linear_init (&vision->projection, finest, &stored->projection, NULL, 1);
    if (!altclip_encoder_init (
                &vision->encoder, kernels, &form, stored->blocks, workspace, cancellable, error) ||
            (finer && !refine (vision, finer, stored, workspace, cancellable, error)))
        return NULL;
    return g_steal_pointer (&vision);
}

guint
altclip_vision_count_finer (const AltclipVision *vision)
{
    return altclip_encoder_count_repacked (&vision->encoder);
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

/* ---- Sizes of pictures ----------------------------------------------------------------------- */

guint
altclip_vision_count_patches (const AltclipVision *vision, guint height, guint width)
{
    guint patch = vision->config->patch_size;

    return (height / patch) * (width / patch);
}

/* What a picture takes while it is encoded: tokens by the widest row that stands for one. */
static gboolean
check_memory (const AltclipVision *vision, guint height, guint width, GError **error)
{
    const AltclipVisionConfig *config = vision->config;
    guint64 patch = config->patch_size;
    guint64 n_patches = (height / patch) * (width / patch);
    guint64 widest = MAX (3 * config->tower.hidden_size, config->tower.intermediate_size);

    widest = MAX (widest, config->num_channels * patch * patch);
    if (n_patches <= ALTCLIP_MAX_PATCHES && (n_patches + 1) * widest <= ALTCLIP_MAX_TOKENS_BY_WIDTH)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "pictures of %u×%u pixels make %" G_GUINT64_FORMAT
            " patches of %u×%u pixels: there may "
            "be %d, and their product with the widest layer's %" G_GUINT64_FORMAT
            " numbers may be %d",
            width, height, n_patches, config->patch_size, config->patch_size, ALTCLIP_MAX_PATCHES,
            widest, ALTCLIP_MAX_TOKENS_BY_WIDTH);
    return FALSE;
}

gboolean
altclip_vision_check_size (const AltclipVision *vision, guint height, guint width,
        gboolean interpolate, GError **error)
{
    const AltclipVisionConfig *config = vision->config;

    if (height == config->image_size && width == config->image_size)
        return TRUE;
    if (!interpolate) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "pictures of %u×%u pixels do not fit vision_config.image_size %u of config.json: "
                "another size needs interpolate_pos_encoding",
                width, height, config->image_size);
        return FALSE;
    }
    if (height < config->patch_size || width < config->patch_size) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "pictures of %u×%u pixels are smaller than vision_config.patch_size %u of "
                "config.json",
                width, height, config->patch_size);
        return FALSE;
    }
    return check_memory (vision, height, width, error);
}

guint
altclip_vision_get_batch (const AltclipVision *vision, guint height, guint width)
{
    return MAX (1, ALTCLIP_BATCH_ROWS / (altclip_vision_count_patches (vision, height, width) + 1));
}

AltclipVisionInputs
altclip_vision_inputs_get_range (
        const AltclipVision *vision, const AltclipVisionInputs *inputs, guint first, guint n)
{
    gsize picture_size = (gsize)vision->config->num_channels * inputs->height * inputs->width;
    AltclipVisionInputs range = *inputs;

    range.pixel_values += first * picture_size;
    range.n = n;
    return range;
}

/* ---- Interpolated positions ------------------------------------------------------------------ */

/* One output of an axis: the sum of weights[i] · input[at[i]]. */
typedef struct {
    guint at[4];
    double weights[4];
} CubicTaps;

/* Keys' cubic convolution with the reference's a, at the distance @x. */
static double
weigh_cubic (double x)
{
    const double a = -0.75;

    x = fabs (x);
    if (x <= 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a : 0.0;
}

/* Inputs beyond an end are the one at the end. Returns: (transfer full): [n_out] */
static CubicTaps *
new_cubic_taps (guint n_in, guint n_out)
{
    CubicTaps *taps = g_new (CubicTaps, n_out);

    for (guint i = 0; i < n_out; i++) {
        double centre = (i + 0.5) * n_in / n_out - 0.5;
        double below = floor (centre);

        for (int tap = 0; tap < 4; tap++) {
            double at = below + tap - 1;

            taps[i].at[tap] = (guint)CLAMP (at, 0.0, n_in - 1.0);
            taps[i].weights[tap] = weigh_cubic (centre - at);
        }
    }
    return taps;
}

static void
interpolate_position (
        const AltclipVision *vision, const CubicTaps *y, const CubicTaps *x, float *out)
{
    gsize width = vision->config->tower.hidden_size;
    const float *table = vision->position_embedding + width; /* past the class token's */

    for (gsize i = 0; i < width; i++) {
        double sum = 0.0;

        for (int row = 0; row < 4; row++)
            for (int column = 0; column < 4; column++)
                sum += y->weights[row] * x->weights[column] *
                       table[((gsize)y->at[row] * vision->side + x->at[column]) * width + i];
        out[i] = (float)sum;
    }
}

gboolean
altclip_vision_has_positions (const AltclipVision *vision, guint height, guint width)
{
    guint patch = vision->config->patch_size;

    return height / patch == vision->side && width / patch == vision->side;
}

float *
altclip_vision_interpolate_positions (const AltclipVision *vision, guint height, guint width)
{
    guint rows = height / vision->config->patch_size;
    guint columns = width / vision->config->patch_size;
    gsize n = vision->config->tower.hidden_size;
    g_autofree CubicTaps *y = new_cubic_taps (vision->side, rows);
    g_autofree CubicTaps *x = new_cubic_taps (vision->side, columns);
    float *positions = altclip_aligned_alloc (((gsize)rows * columns + 1) * n * sizeof (float));
    float *out = positions + n;

    memcpy (positions, vision->position_embedding, n * sizeof (float));
    for (guint row = 0; row < rows; row++)
        for (guint column = 0; column < columns; column++, out += n)
            interpolate_position (vision, &y[row], &x[column], out);
    return positions;
}

/* ---- Forward --------------------------------------------------------------------------------- */

/* One patch of one picture as a row [channels · patch²], in the order of the convolution's weights.
 */
static void
copy_patch (const AltclipVision *vision, const AltclipVisionInputs *inputs, const float *picture,
        guint top, guint left, float *row)
{
    guint patch = vision->config->patch_size;

    for (gsize c = 0; c < vision->config->num_channels; c++) {
        for (guint y = 0; y < patch; y++) {
            const float *from = picture + (c * inputs->height + top + y) * inputs->width + left;
            memcpy (row, from, patch * sizeof (float));
            row += patch;
        }
    }
}

/* A convolution whose stride is its size is a product of patches with weights. Rows and columns
 * beyond the last whole patch are not looked at. */
static float *
gather_patches (
        const AltclipVision *vision, AltclipWorkspace *workspace, const AltclipVisionInputs *inputs)
{
    guint patch = vision->config->patch_size;
    gsize picture_size = (gsize)vision->config->num_channels * inputs->height * inputs->width;
    guint n_patches = altclip_vision_count_patches (vision, inputs->height, inputs->width);
    guint columns = inputs->width / patch;
    float *patches = altclip_workspace_get (
            workspace, ALTCLIP_BUFFER_PATCHES, (gsize)inputs->n * n_patches * vision->patch.k);
    float *row = patches;

    for (guint image = 0; image < inputs->n; image++) {
        for (guint i = 0; i < n_patches; i++, row += vision->patch.k)
            copy_patch (vision, inputs, inputs->pixel_values + image * picture_size,
                    i / columns * patch, i % columns * patch, row);
    }
    return patches;
}

/* Class and patch embeddings plus positions: [images, 1 + patches, width]. */
static void
embed (const AltclipVision *vision, const AltclipVisionInputs *inputs, const float *patches,
        guint n_patches, float *x)
{
    guint width = vision->config->tower.hidden_size;

    for (guint image = 0; image < inputs->n; image++) {
        for (guint token = 0; token <= n_patches; token++, x += width) {
            const float *position = inputs->positions + (gsize)token * width;
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
static AltclipSequences
equal_sequences (AltclipWorkspace *workspace, guint n, guint length)
{
    guint *numbers = (guint *)(gpointer)altclip_workspace_get (
            workspace, ALTCLIP_BUFFER_SEQUENCES, 2 * (gsize)n + 1);

    for (guint i = 0; i <= n; i++)
        numbers[i] = i * length;
    for (guint i = 0; i < n; i++)
        numbers[n + 1 + i] = length;
    return (AltclipSequences){ n, numbers, numbers + n + 1, length, NULL };
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

    if (!outputs->last_hidden_state && !outputs->observer) {
        altclip_encoder_run_first_rows (&vision->encoder, workspace, x, sequences);
        return x;
    }
    altclip_encoder_run (&vision->encoder, workspace, x, sequences, outputs->observer);
    if (outputs->last_hidden_state)
        memcpy (outputs->last_hidden_state, x, rows * width * sizeof (float));
    altclip_sequences_keep_first_rows (sequences, (guint)width, x);
    return x;
}

void
altclip_vision_run (const AltclipVision *vision, AltclipWorkspace *workspace,
        const AltclipVisionInputs *inputs, const AltclipVisionOutputs *outputs)
{
    guint width = vision->config->tower.hidden_size;
    guint n_patches = altclip_vision_count_patches (vision, inputs->height, inputs->width);
    guint rows = inputs->n * (n_patches + 1);
    AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    float *patches = gather_patches (vision, workspace, inputs);
    float *embedded = altclip_workspace_get (workspace, ALTCLIP_BUFFER_NORMED, (gsize)rows * width);
    float *x = altclip_workspace_get (workspace, ALTCLIP_BUFFER_RESIDUAL, (gsize)rows * width);
    AltclipSequences sequences = equal_sequences (workspace, inputs->n, n_patches + 1);

    altclip_linear_run (workspace, &vision->patch, patches, inputs->n * n_patches, plain, embedded);
    embed (vision, inputs, embedded, n_patches, x);
    altclip_norm_run (workspace, vision->encoder.kernels, &vision->pre_norm, x, rows, x);
    project (vision, workspace, encode (vision, workspace, x, &sequences, outputs), inputs->n,
            outputs);
}
