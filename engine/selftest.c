/* altclip: whether an image tower can tell pictures apart
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "selftest.h"
#include "session.h"

#include <math.h>

/* Patches along a side of the small pictures. */
#define SMALL_SIDE 4

/* Noise, of another strength for each picture. */
static void
draw_pictures (float *pixel_values, gsize n_pictures, gsize size)
{
    guint32 state = 1;

    for (gsize i = 0; i < n_pictures * size; i++) {
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

/* Returns: length of what embed_pictures() makes: an embedding, or what would be projected */
static guint
get_dim (const AltclipVision *vision)
{
    return vision->projection_dim ? vision->projection_dim : vision->config->tower.hidden_size;
}

/* @embeddings: (out caller-allocated): [n_pictures, get_dim()], unit length */
static gboolean
embed_pictures (const AltclipVision *vision, AltclipWorkspace *workspace, guint n_pictures,
        float *embeddings, GError **error)
{
    const AltclipVisionConfig *config = vision->config;
    gsize size = (gsize)config->num_channels * config->image_size * config->image_size;
    g_autofree float *pixel_values = g_new (float, n_pictures *size);
    AltclipVisionOutputs outputs = { 0 };

    if (vision->projection_dim)
        outputs.features = embeddings;
    else
        outputs.pooler_output = embeddings;
    draw_pictures (pixel_values, n_pictures, size);
    altclip_vision_run (vision, workspace, pixel_values, n_pictures, &outputs);
    return altclip_normalise_rows (embeddings, n_pictures, get_dim (vision), error);
}

/* The same tower for small pictures, with the first of its positions. */
static gboolean
tell_apart (const AltclipVision *vision, AltclipWorkspace *workspace, GError **error)
{
    AltclipVisionConfig config = *vision->config;
    guint side = MIN (SMALL_SIDE, config.image_size / config.patch_size);
    AltclipVision small = *vision;
    guint dim = get_dim (vision);
    g_autofree float *embeddings = g_new (float, 2 * dim);

    config.image_size = side * config.patch_size;
    small.config = &config;
    small.n_patches = side * side;
    if (!embed_pictures (&small, workspace, 2, embeddings, error))
        return FALSE;
    if (largest_difference (embeddings, embeddings + dim, dim) >= 1e-6f)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "two different pictures have the same embedding, so these weights cannot tell anything "
            "apart");
    return FALSE;
}

gboolean
altclip_vision_test (const AltclipVision *vision, AltclipWorkspace *workspace, const char *path,
        guint64 *picture_time, GCancellable *cancellable, GError **error)
{
    g_autofree float *embedding = g_new (float, get_dim (vision));
    gboolean ok;
    gint64 begin;

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    ok = tell_apart (vision, workspace, error);
    if (ok && g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    begin = g_get_monotonic_time ();
    ok = ok && embed_pictures (vision, workspace, 1, embedding, error);
    *picture_time = (guint64)(g_get_monotonic_time () - begin) * 1000;
    if (!ok)
        g_prefix_error (error, "%s: self-test: ", path);
    return ok;
}
