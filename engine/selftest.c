/* altclip: whether an image tower can tell pictures apart
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "selftest.h"
#include "noise.h"
#include "session.h"

#include <math.h>

/* Patches along a side of the small pictures: more than one, so that tokens have something to
 * attend to. Each weight meets each token; that kernels are right with as many tokens as a whole
 * picture has is proved before, with known numbers. */
#define SMALL_SIDE 2

/* Noise, of another strength for each picture. */
static void
draw_pictures (float *pixel_values, gsize n_pictures, gsize size)
{
    guint32 state = 1;

    for (gsize i = 0; i < n_pictures * size; i++)
        pixel_values[i] = altclip_noise_next (&state) * (i < size ? 1.0f : 0.25f);
}

static float
largest_difference (const float *a, const float *b, guint n)
{
    float largest = 0.0f;

    for (guint i = 0; i < n; i++)
        largest = MAX (largest, fabsf (a[i] - b[i]));
    return largest;
}

/* Returns: length of what embed_pictures() makes: an embedding, or what would be projected */
static guint
get_dim (const AltclipVision *vision)
{
    return vision->projection_dim ? vision->projection_dim : vision->config->tower.hidden_size;
}

/* Pictures of @side by @side pixels, with the first of the tower's positions.
 * @embeddings: (out caller-allocated): [n_pictures, get_dim()] */
static void
embed_pictures (const AltclipVision *vision, AltclipWorkspace *workspace, guint n_pictures,
        guint side, const AltclipObserver *observer, float *embeddings)
{
    gsize size = (gsize)vision->config->num_channels * side * side;
    g_autofree float *pixel_values = g_new (float, n_pictures *size);
    AltclipVisionInputs inputs = { pixel_values, n_pictures, side, side,
        vision->position_embedding };
    AltclipVisionOutputs outputs = { .observer = observer };

    if (vision->projection_dim)
        outputs.features = embeddings;
    else
        outputs.pooler_output = embeddings;
    draw_pictures (pixel_values, n_pictures, size);
    altclip_vision_run (vision, workspace, &inputs, &outputs);
}

/* Whole towers, small pictures. */
static gboolean
tell_apart (const AltclipVision *vision, AltclipWorkspace *workspace, GError **error)
{
    guint side = MIN (SMALL_SIDE, vision->side) * vision->config->patch_size;
    guint dim = get_dim (vision);
    g_autofree float *embeddings = g_new (float, 2 * dim);

    embed_pictures (vision, workspace, 2, side, NULL, embeddings);
    if (!altclip_normalise_rows ("picture", embeddings, 2, dim, error))
        return FALSE;
    if (largest_difference (embeddings, embeddings + dim, dim) >= 1e-6f)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "two different pictures have the same embedding, so these weights cannot tell anything "
            "apart");
    return FALSE;
}

/* The positions that the small pictures had none of. */
static gboolean
positions_are_finite (const AltclipVision *vision, GError **error)
{
    guint width = vision->config->tower.hidden_size;

    for (gsize i = 0; i < ((gsize)vision->side * vision->side + 1) * width; i++) {
        if (isfinite (vision->position_embedding[i]))
            continue;
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                "the embedding of position %u holds %g, which is no finite number",
                (guint)(i / width), vision->position_embedding[i]);
        return FALSE;
    }
    return TRUE;
}

/* When the first block began and when it had ended, in microseconds. */
static void
read_clock (gpointer data, guint layer, G_GNUC_UNUSED const float *x)
{
    gint64 *times = data;

    times[layer] = g_get_monotonic_time ();
}

/* A whole picture, one block: the tower's others take as long. */
static guint64
measure_picture (const AltclipVision *vision, AltclipWorkspace *workspace)
{
    AltclipTowerConfig tower = vision->config->tower;
    AltclipVision low = *vision;
    g_autofree float *embedding = g_new (float, get_dim (vision));
    gint64 times[2];
    AltclipObserver observer = { .hidden_state = read_clock, .data = times };
    gint64 begin = g_get_monotonic_time ();

    tower.num_hidden_layers = 1;
    low.encoder.config = &tower;
    embed_pictures (&low, workspace, 1, vision->config->image_size, &observer, embedding);
    return (guint64)(times[0] - begin +
                     (times[1] - times[0]) * vision->config->tower.num_hidden_layers) *
           1000;
}

gboolean
altclip_vision_test (const AltclipVision *vision, AltclipWorkspace *workspace, const char *path,
        guint64 *picture_time, GCancellable *cancellable, GError **error)
{
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    if (!tell_apart (vision, workspace, error) || !positions_are_finite (vision, error)) {
        g_prefix_error (error, "%s: self-test: ", path);
        return FALSE;
    }
    *picture_time = measure_picture (vision, workspace);
    return TRUE;
}
