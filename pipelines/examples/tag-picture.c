/* altclip: an example: how much a picture looks like each of some phrases
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     cc -o tag-picture tag-picture.c $(pkg-config --cflags --libs altclip-1.0 gdk-pixbuf-2.0)
 *     ./tag-picture /usr/share/altclip/models/demo picture.png "a red circle;colour bars"
 */

#include <altclip.h>
#include <gdk-pixbuf/gdk-pixbuf.h>

static gboolean
tag (const char *directory, const char *file, const char *labels, GError **error)
{
    AltclipPixelLayout layout = ALTCLIP_PIXEL_LAYOUT_RGB;
    const AltclipModelInfo *info;
    g_autoptr (GdkPixbuf) picture = NULL;
    g_autoptr (AltclipModel) model = NULL;
    g_autoptr (AltclipSession) session = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    g_autoptr (AltclipImagePlan) plan = NULL;
    g_autofree float *pixel_values = NULL;
    g_autofree float *embedding = NULL;
    g_autofree double *scores = NULL;

    if (!(picture = gdk_pixbuf_new_from_file (file, error)) ||
            !(model = altclip_model_open (directory, NULL, NULL, error)) ||
            !(session = altclip_session_new (model, 0, error)) ||
            !(prompts = altclip_prompts_parse (labels, "an ordinary scene", NULL, error)) ||
            !altclip_prompts_embed (prompts, session, NULL, error))
        return FALSE;
    layout.pixel_stride = gdk_pixbuf_get_n_channels (picture);
    if (!(plan = altclip_image_plan_new (model, gdk_pixbuf_get_width (picture),
                  gdk_pixbuf_get_height (picture), &layout, error)))
        return FALSE;

    info = altclip_model_get_info (model);
    pixel_values = g_new (float, info->num_channels * info->image_size * info->image_size);
    embedding = g_new (float, info->projection_dim);
    scores = g_new (double, altclip_prompts_get_n_labels (prompts));
    altclip_image_plan_run (plan, gdk_pixbuf_read_pixels (picture),
            gdk_pixbuf_get_rowstride (picture), pixel_values);
    if (!altclip_session_encode_images (session, pixel_values, 1, embedding, error))
        return FALSE;
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, embedding, scores, NULL);
    for (guint i = 0; i < altclip_prompts_get_n_labels (prompts); i++)
        g_print ("%s %.3f\n", altclip_prompts_get_label (prompts, i), scores[i]);
    return TRUE;
}

int
main (int argc, char **argv)
{
    g_autoptr (GError) error = NULL;

    if (argc == 4 && tag (argv[1], argv[2], argv[3], &error))
        return 0;
    g_printerr ("%s\n", error ? error->message : "usage: tag-picture MODEL PICTURE LABELS");
    return 1;
}
