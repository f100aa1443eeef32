/* altclip: what the element should make of a part of a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * By the engine's way for stills, on a copy of the part.
 */

#include "crop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"
#include "rig.h"

static AltclipModel *model;
static AltclipSession *session;

GstBuffer *
new_textured_frame (guint number)
{
    GstBuffer *buffer = new_frame (number * FRAME, 0, 0, 0);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++) {
            guint8 *pixel = map.data + 3 * (y * WIDTH + x);

            pixel[0] = (guint8)(4 * x + 31 * number);
            pixel[1] = (guint8)(5 * y + 17 * number);
            pixel[2] = (guint8)(x * y / 4 + 64 * (x / 8 % 2) + 11 * number);
        }
    gst_buffer_unmap (buffer, &map);
    return buffer;
}

static void
close_model (void)
{
    g_clear_pointer (&session, altclip_session_free);
    g_clear_pointer (&model, altclip_model_unref);
}

static const AltclipModelInfo *
get_info (void)
{
    if (!model) {
        model = altclip_model_open (models_get_quick (), NULL, NULL, NULL);
        session = altclip_session_new (model, 1, NULL);
        g_assert_cmpint (atexit (close_model), ==, 0);
    }
    return altclip_model_get_info (model);
}

static float *
embed (GstBuffer *frame, const AltclipRectangle *part)
{
    const AltclipModelInfo *info = get_info ();
    g_autoptr (AltclipImagePlan) plan = altclip_image_plan_new (
            model, part->width, part->height, &ALTCLIP_PIXEL_LAYOUT_RGB, NULL);
    g_autofree float *pixel_values = g_new (float, 3 * info->image_size * info->image_size);
    g_autofree guint8 *picture = g_malloc (3 * part->width * part->height);
    float *embedding = g_new (float, info->projection_dim);

    for (guint y = 0; y < part->height; y++)
        gst_buffer_extract (frame, 3 * ((part->y + y) * WIDTH + part->x),
                picture + 3 * y * part->width, 3 * part->width);
    altclip_image_plan_run (plan, picture, 3 * part->width, pixel_values);
    fail_unless (altclip_session_encode_images (session, pixel_values, 1, embedding, NULL));
    return embedding;
}

static float
get_difference (const float *a, const float *b)
{
    float most = 0.0f;

    for (guint i = 0; i < get_info ()->projection_dim; i++)
        most = MAX (most, fabsf (a[i] - b[i]));
    return most;
}

void
expect_crop (GstBuffer *embedding, GstBuffer *frame, const AltclipRectangle *part)
{
    g_autofree float *expected = embed (frame, part);
    AltclipRectangle other = { (part->x + WIDTH / 2) % (WIDTH - 4),
        (part->y + HEIGHT / 2) % (HEIGHT - 4), 4, 4 };
    g_autofree float *unexpected = embed (frame, &other);
    GstMapInfo map;

    fail_unless (gst_buffer_map (embedding, &map, GST_MAP_READ));
    fail_unless_equals_uint64 (map.size, get_info ()->projection_dim * sizeof (float));
    fail_unless (get_difference ((const float *)map.data, expected) <= 1e-4f,
            "the embedding is not that of %ux%u at %u, %u", part->width, part->height, part->x,
            part->y);
    fail_unless (get_difference ((const float *)map.data, unexpected) > 1e-3f);
    gst_buffer_unmap (embedding, &map);
}
