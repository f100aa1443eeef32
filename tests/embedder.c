/* altclip: opens a model, embeds, and says what each step took
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     embedder PRECISION DIRECTORY PICTURES [TEXT…]
 *
 * Opens the model, lazily if PICTURES is 0, embeds the texts and then so many pictures of noise.
 * Prints a JSON object: times in seconds, sizes in bytes, among them the process's greatest
 * resident memory. tests/opening runs it.
 */

#include "altclip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double
seconds_since (gint64 begin)
{
    return (double)(g_get_monotonic_time () - begin) * 1e-6;
}

/* Of all threads together. */
static double
get_processor_seconds (void)
{
    struct timespec time;

    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Pages of mapped files count too. */
static guint64
get_peak (void)
{
    g_autofree char *status = NULL;
    const char *line;

    if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL) ||
            !(line = strstr (status, "VmHWM:")))
        return 0;
    return g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024;
}

static void
show (const char *name, double seconds)
{
    printf ("\"%s\": %.6f, ", name, seconds);
}

static gboolean
embed_texts (AltclipSession *session, const char *const *texts, guint n, GError **error)
{
    gsize dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    g_autofree float *embeddings = g_new (float, n *dim);
    gint64 begin = g_get_monotonic_time ();

    if (!altclip_session_encode_texts (session, texts, n, NULL, embeddings, error))
        return FALSE;
    show ("texts", seconds_since (begin));
    return TRUE;
}

static gboolean
embed_pictures (AltclipSession *session, guint n, GError **error)
{
    const AltclipModelInfo *info = altclip_model_get_info (altclip_session_get_model (session));
    gsize size = (gsize)info->num_channels * info->image_size * info->image_size;
    g_autofree float *pixel_values = g_new (float, size);
    g_autofree float *embedding = g_new (float, info->projection_dim);
    double fastest = G_MAXDOUBLE;

    for (gsize i = 0; i < size; i++)
        pixel_values[i] = (float)g_random_double_range (-1.0, 1.0);
    for (guint i = 0; i < n; i++) {
        gint64 begin = g_get_monotonic_time ();

        if (!altclip_session_encode_images (session, pixel_values, 1, embedding, error))
            return FALSE;
        fastest = MIN (fastest, seconds_since (begin));
    }
    show ("picture", fastest);
    return TRUE;
}

static gboolean
run (AltclipPrecision precision, const char *directory, guint n_pictures, const char *const *texts,
        guint n_texts, GError **error)
{
    AltclipModelOptions options = { .precision = precision,
        .flags = n_pictures ? ALTCLIP_MODEL_NONE : ALTCLIP_MODEL_LAZY };
    gint64 begin = g_get_monotonic_time ();
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, error);
    g_autoptr (AltclipSession) session = NULL;

    if (!model)
        return FALSE;
    show ("open", seconds_since (begin));
    show ("open_processor", get_processor_seconds ());
    show ("picture_time", (double)altclip_model_get_info (model)->picture_time * 1e-9);
    printf ("\"weights\": %" G_GUINT64_FORMAT ", ", altclip_model_get_memory (model));
    session = altclip_session_new (model, 0, error);
    return session && (n_texts == 0 || embed_texts (session, texts, n_texts, error)) &&
           (n_pictures == 0 || embed_pictures (session, n_pictures, error));
}

int
main (int argc, char **argv)
{
    g_autoptr (GError) error = NULL;
    AltclipPrecision precision;

    if (argc < 4 || !altclip_precision_from_name (argv[1], &precision)) {
        fputs ("usage: embedder auto|f32|bf16|int8 DIRECTORY PICTURES [TEXT…]\n", stderr);
        return 2;
    }
    putchar ('{');
    if (!run (precision, argv[2], (guint)atoi (argv[3]), (const char *const *)argv + 4,
                (guint)argc - 4, &error)) {
        fprintf (stderr, "embedder: %s\n", error->message);
        return 1;
    }
    printf ("\"peak\": %" G_GUINT64_FORMAT "}\n", get_peak ());
    return 0;
}
