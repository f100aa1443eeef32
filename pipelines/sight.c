/* altclip: what is looked at, part by part: a still picture, or a frame of a video
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "sight.h"
#include "still.h"

gboolean
sight_read_still (Sight *sight, const char *path, GError **error)
{
    *sight = (Sight){ .path = path, .picture = still_read (path, error) };
    return sight->picture != NULL;
}

void
sight_clear (Sight *sight)
{
    g_clear_object (&sight->picture);
}

/* Returns: (transfer full) (nullable): the tower's input; @error names the file */
static float *
look (const Sight *sight, AltclipModel *model, const AltclipRegion *region, GError **error)
{
    g_autofree float *pixel_values = NULL;

    if (sight->picture) {
        pixel_values = still_look (sight->picture, region, model, error);
        if (!pixel_values)
            g_prefix_error (error, "%s: ", sight->path);
        return g_steal_pointer (&pixel_values);
    }
    pixel_values = g_new (float, still_get_size (model));
    return video_look (sight->video, region, pixel_values, error) ? g_steal_pointer (&pixel_values)
                                                                  : NULL;
}

gboolean
sight_embed (const Sight *sight, AltclipSession *session, const AltclipRegion *region,
        float *embedding, GError **error)
{
    g_autofree float *pixel_values =
            look (sight, altclip_session_get_model (session), region, error);

    if (!pixel_values)
        return FALSE;
    if (altclip_session_encode_images (session, pixel_values, 1, embedding, error))
        return TRUE;
    g_prefix_error (error, "%s: ", sight->path);
    return FALSE;
}

gboolean
sight_score (const Sight *sight, AltclipSession *session, AltclipPrompts *prompts,
        AltclipScoreMode mode, double *scores, double *cosines, GError **error)
{
    AltclipModel *model = altclip_session_get_model (session);
    g_autofree float *embedding = g_new (float, altclip_model_get_info (model)->projection_dim);

    for (guint i = 0; i < altclip_prompts_get_n_regions (prompts); i++) {
        AltclipRegion region;

        if (!altclip_prompts_is_region_used (prompts, i))
            continue;
        altclip_prompts_get_region (prompts, i, &region);
        if (!sight_embed (sight, session, &region, embedding, error))
            return FALSE;
        altclip_prompts_score_region (prompts, mode, i, embedding, scores, cosines);
    }
    return TRUE;
}
