/* altclip: how long a frame takes on its way to the image tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     build/tests/preprocessing [WIDTH HEIGHT [SIZE]]
 *
 * Prints, for frames of that size (1920 × 1080) in several formats, the processor time of one
 * thread until the tower's input of SIZE × SIZE (224) is there, in milliseconds: the least and the
 * median of many, in turns.
 */

#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_RUNS 60
#define N_FORMATS 5

typedef struct {
    const char *name;
    AltclipFrameFormat format;
    guint bytes_of_pixel; /* in each plane, chroma's too: it has half the columns, but two samples
                           */
    AltclipImagePlan *plan;
    double milliseconds[N_RUNS];
} Case;

static const AltclipFrameComponent WHOLE[3] = { { 0, 0, 1, 0 }, { 1, 0, 1, 0 }, { 2, 0, 1, 0 } };

static double
get_processor_time (void)
{
    struct timespec now;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static int
compare (const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return first < second ? -1 : first > second;
}

static AltclipFrameFormat
describe (guint width, guint height, const AltclipFrameComponent components[3], guint bits)
{
    AltclipFrameFormat format = { .width = width,
        .height = height,
        .colour = ALTCLIP_COLOUR_YCBCR,
        .bits = bits,
        .kr = 0.2126,
        .kb = 0.0722,
        .chroma_x_shift = 1,
        .chroma_y_shift = 1,
        .chroma_x_cosited = TRUE };

    for (guint i = 0; i < 3; i++)
        format.components[i] = components[i];
    return format;
}

static AltclipFrameFormat
describe_rgb (guint width, guint height, guint8 stride)
{
    AltclipFrameFormat format = { .width = width,
        .height = height,
        .colour = ALTCLIP_COLOUR_RGB,
        .bits = 8,
        .full_range = TRUE };

    for (guint8 i = 0; i < 3; i++)
        format.components[i] = (AltclipFrameComponent){ 0, i, stride, 0 };
    return format;
}

/* The second plane lies behind the first, the third is the second. */
static void
run (Case *cases, const guint8 *bytes, float *pixel_values)
{
    for (guint i = 0; i < N_RUNS; i++)
        for (guint k = 0; k < N_FORMATS; k++) {
            Case *one = &cases[k];
            gsize stride = (gsize)one->format.width * one->bytes_of_pixel;
            const guint8 *second = bytes + stride * one->format.height;
            const AltclipFrameData data = { { bytes, second, second }, { stride, stride, stride },
                FALSE };
            double began = get_processor_time ();

            altclip_image_plan_run_frame (one->plan, &data, pixel_values);
            one->milliseconds[i] = get_processor_time () - began;
        }
}

int
main (int argc, char **argv)
{
    guint width = argc > 2 ? (guint)atoi (argv[1]) : 1920;
    guint height = argc > 2 ? (guint)atoi (argv[2]) : 1080;
    guint size = argc > 3 ? (guint)atoi (argv[3]) : 224;
    const AltclipFrameComponent nv12[3] = { { 0, 0, 1, 0 }, { 1, 0, 2, 0 }, { 1, 1, 2, 0 } };
    const AltclipFrameComponent p010[3] = { { 0, 0, 2, 6 }, { 1, 0, 4, 6 }, { 1, 2, 4, 6 } };
    Case cases[N_FORMATS] = {
        { .name = "NV12", .format = describe (width, height, nv12, 8), .bytes_of_pixel = 1 },
        { .name = "I420", .format = describe (width, height, WHOLE, 8), .bytes_of_pixel = 1 },
        { .name = "P010", .format = describe (width, height, p010, 10), .bytes_of_pixel = 2 },
        { .name = "RGB", .format = describe_rgb (width, height, 3), .bytes_of_pixel = 3 },
        { .name = "RGBx", .format = describe_rgb (width, height, 4), .bytes_of_pixel = 4 }
    };
    const AltclipRectangle all = { 0, 0, width, height };
    gsize n_bytes = 4 * (gsize)width * height;
    g_autofree guint8 *bytes = g_malloc (n_bytes);
    g_autofree float *pixel_values = g_new (float, 3 * (gsize)size * size);
    AltclipPreprocessorConfig config;
    g_autoptr (GError) error = NULL;

    if (width < 16 || height < 16 || size < 16) {
        fprintf (stderr, "usage: preprocessing [WIDTH HEIGHT [SIZE]], of 16 at least\n");
        return 2;
    }
    for (gsize i = 0; i < n_bytes; i++)
        bytes[i] = (guint8)g_random_int ();
    altclip_preprocessor_config_init (&config, size);
    for (guint k = 0; k < N_FORMATS; k++) {
        cases[k].plan = altclip_image_plan_new_for_frames_and_config (
                &config, 3, size, &cases[k].format, &all, &error);
        if (!cases[k].plan) {
            fprintf (stderr, "%s\n", error->message);
            return 1;
        }
    }
    run (cases, bytes, pixel_values);
    printf ("%u × %u to %u × %u, ms of one core:\n", width, height, size, size);
    for (guint k = 0; k < N_FORMATS; k++) {
        qsort (cases[k].milliseconds, N_RUNS, sizeof (double), compare);
        printf ("%-5s least %.2f, median %.2f\n", cases[k].name, cases[k].milliseconds[0],
                cases[k].milliseconds[N_RUNS / 2]);
        altclip_image_plan_free (cases[k].plan);
    }
    return 0;
}
