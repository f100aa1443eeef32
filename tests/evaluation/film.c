/* altclip: a film of the evaluation, with its truth
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     film --seed 1 --seconds 300 --codec vp8:250 --brightness 0.8 film-1
 *
 * writes film-1.mkv and film-1.json, which says what is to be seen when.
 */

#include "painter.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 320
#define HEIGHT 240
#define FRAME_RATE 15

typedef struct {
    int seed;
    double seconds;
    double brightness;
    double noise;
    char *codec;
    char *only;
    double still;
} Options;

/* ---- Encoding -------------------------------------------------------------------------------- */

/* @codec: such as vp8:250, in kbit/s, or jpeg:60, a quality. Returns: (transfer full) (nullable) */
static char *
get_encoder (const char *codec)
{
    int value = codec && strchr (codec, ':') ? atoi (strchr (codec, ':') + 1) : 0;

    if (codec && value > 0 && g_str_has_prefix (codec, "vp8:"))
        return g_strdup_printf ("vp8enc deadline=1 cpu-used=4 threads=1 end-usage=cbr "
                                "keyframe-max-dist=75 target-bitrate=%d",
                value * 1000);
    if (codec && value > 0 && g_str_has_prefix (codec, "jpeg:"))
        return g_strdup_printf ("jpegenc quality=%d", value);
    return NULL;
}

static GstElement *
make_pipeline (const char *codec, const char *path)
{
    g_autofree char *encoder = get_encoder (codec);
    g_autofree char *line = NULL;
    g_autoptr (GError) error = NULL;
    GstElement *pipeline;
    g_autoptr (GstElement) sink = NULL;

    if (!encoder)
        g_error ("--codec is '%s', but must be vp8:KBIT or jpeg:QUALITY", codec ? codec : "");
    line = g_strdup_printf ("appsrc name=source format=time block=true max-bytes=4000000 "
                            "caps=video/x-raw,format=RGB,width=%d,height=%d,framerate=%d/1 "
                            "! videoconvert ! video/x-raw,format=I420 ! %s ! matroskamux "
                            "! filesink name=sink",
            WIDTH, HEIGHT, FRAME_RATE, encoder);
    pipeline = gst_parse_launch (line, &error);
    if (error)
        g_error ("%s", error->message);
    sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_object_set (sink, "location", path, NULL);
    return pipeline;
}

static void
push (GstAppSrc *source, const Picture *picture, guint number)
{
    gsize size = (gsize)picture->width * picture->height * 3;
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

    gst_buffer_fill (buffer, 0, picture->rgb, size);
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (number, GST_SECOND, FRAME_RATE);
    GST_BUFFER_DURATION (buffer) =
            gst_util_uint64_scale (number + 1, GST_SECOND, FRAME_RATE) - GST_BUFFER_PTS (buffer);
    gst_app_src_push_buffer (source, buffer);
}

static void
wait_for_end (GstElement *pipeline)
{
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
            bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_autoptr (GError) error = NULL;

    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error (message, &error, NULL);
        g_error ("%s", error->message);
    }
}

static void
encode (const Script *script, Painter *painter, const char *codec, const char *path)
{
    g_autoptr (GstElement) pipeline = make_pipeline (codec, path);
    g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
    guint n = (guint)(script->duration * FRAME_RATE);

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i < n; i++) {
        double time = (double)i / FRAME_RATE;
        Moment moment = script_look (script, time);

        push (GST_APP_SRC (source), painter_paint (painter, &moment, time), i);
    }
    gst_app_src_end_of_stream (GST_APP_SRC (source));
    wait_for_end (pipeline);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* ---- A single frame -------------------------------------------------------------------------- */

static void
save_still (const Script *script, Painter *painter, double time, const char *path)
{
    Moment moment = script_look (script, time);
    const Picture *picture = painter_paint (painter, &moment, time);
    cairo_surface_t *surface = cairo_image_surface_create (
            CAIRO_FORMAT_RGB24, (int)picture->width, (int)picture->height);

    for (guint y = 0; y < picture->height; y++) {
        guint8 *row = cairo_image_surface_get_data (surface) +
                      (gsize)y * (gsize)cairo_image_surface_get_stride (surface);
        const guint8 *from = picture->rgb + (gsize)y * picture->width * 3;

        for (guint x = 0; x < picture->width; x++, from += 3) {
            guint32 pixel = (guint32)from[0] << 16 | (guint32)from[1] << 8 | from[2];
            memcpy (row + 4 * (gsize)x, &pixel, 4);
        }
    }
    cairo_surface_mark_dirty (surface);
    if (cairo_surface_write_to_png (surface, path) != CAIRO_STATUS_SUCCESS)
        g_error ("%s cannot be written", path);
    cairo_surface_destroy (surface);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static Script *
make_script (const Options *options)
{
    Kind only = options->only ? kind_from_name (options->only) : N_KINDS;

    if (!options->only)
        return script_new ((guint32)options->seed, options->seconds);
    if (only == N_KINDS && !g_str_equal (options->only, "none"))
        g_error ("--only is '%s', which is no kind of scene", options->only);
    return script_new_of_kind ((guint32)options->seed, options->seconds, only);
}

int
main (int argc, char **argv)
{
    Options options = { 1, 60.0, 1.0, 4.0, NULL, NULL, -1.0 };
    const GOptionEntry entries[] = {
        { "seed", 0, 0, G_OPTION_ARG_INT, &options.seed, "Another film", "N" },
        { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options.seconds, "How long it is", "S" },
        { "brightness", 0, 0, G_OPTION_ARG_DOUBLE, &options.brightness, "1: as drawn", "X" },
        { "noise", 0, 0, G_OPTION_ARG_DOUBLE, &options.noise, "The sensor's, of 255", "X" },
        { "codec", 0, 0, G_OPTION_ARG_STRING, &options.codec, "vp8:KBIT or jpeg:QUALITY", "C" },
        { "only", 0, 0, G_OPTION_ARG_STRING, &options.only,
                "Scenes of that kind alone, or of 'none' that is watched for", "KIND" },
        { "still", 0, 0, G_OPTION_ARG_DOUBLE, &options.still,
                "Write the frame at that time as a PNG file, and no film", "S" },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr (GOptionContext) context = g_option_context_new ("NAME");
    g_autoptr (GError) error = NULL;
    g_autoptr (Script) script = NULL;
    g_autoptr (Painter) painter = NULL;
    g_autofree char *film = NULL;
    g_autofree char *truth = NULL;

    g_option_context_add_main_entries (context, entries, NULL);
    g_option_context_add_group (context, gst_init_get_option_group ());
    if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2)
        g_error ("%s", error ? error->message : "one NAME is needed; try --help");
    script = make_script (&options);
    painter = painter_new ((guint32)options.seed, WIDTH, HEIGHT, options.brightness, options.noise);
    if (options.still >= 0.0) {
        save_still (script, painter, options.still, argv[1]);
        return 0;
    }
    film = g_strconcat (argv[1], ".mkv", NULL);
    truth = g_strconcat (argv[1], ".json", NULL);
    encode (script, painter, options.codec, film);
    if (!script_save_truth (script, truth, &error))
        g_error ("%s", error->message);
    g_free (options.codec);
    g_free (options.only);
    return 0;
}
