/* altclip: frames of video files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "video.h"
#include "altclipconverter.h"
#include "decoder.h"
#include "missing_plugin.h"
#include "still.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <string.h>

/* What videoflip and we both take. */
#define FORMATS                                                                                   \
    "{ I420, YV12, NV12, NV21, YUY2, UYVY, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, GRAY8, " \
    "I420_10LE }"

#define FRAMES_AHEAD 2               /* that are decoded before they are wanted */
#define LOOK_AROUND (GST_SECOND / 5) /* for errors while no frame comes */
#define LONGEST_WAIT (60 * GST_SECOND)
#define USUAL_DURATION (GST_SECOND / 25)

struct _Video {
    char *path;
    AltclipModel *model;
    guint n_regions; /* of each frame that are looked at */
    GstElement *pipeline;
    GstElement *entrance; /* of what comes after the decoder */
    GstElement *sink;
    char *missing;     /* (nullable): what it says of a plugin that would be needed */
    GstSample *sample; /* (nullable): the frame at hand */
    GstCaps *caps;     /* of format and converter; NULL: there was no frame yet */
    GstAltclipFormat *format;
    GstAltclipConverter *converter;
    guint64 n_frames;
    guint64 time; /* of the frame at hand */
    guint64 last; /* of the one given last; GST_CLOCK_TIME_NONE: none was */
};

static void fail (const Video *video, AltclipError code, GError **error, const char *format, ...)
        G_GNUC_PRINTF (4, 5);

static void
fail (const Video *video, AltclipError code, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start (arguments, format);
    reason = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_set_error (error, ALTCLIP_ERROR, (int)code, "%s: %s", video->path, reason);
}

/* ---- The pipeline ---------------------------------------------------------------------------- */

static gboolean
make_pipeline (Video *video, GError **error)
{
    g_autoptr (GError) parse_error = NULL;
    g_autoptr (GstElement) source = NULL;
    g_autoptr (GstElement) decoder = NULL;
    g_autofree char *line = g_strdup_printf (
            "filesrc name=source ! decodebin name=decoder  videoconvert name=entrance ! videoflip "
            "method=automatic ! "
            "appsink name=sink sync=false max-buffers=%d caps=\"video/x-raw,format=%s\"",
            FRAMES_AHEAD, FORMATS);

    video->pipeline = gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &parse_error);
    if (!video->pipeline) {
        fail (video, ALTCLIP_ERROR_IO, error, "cannot be decoded: %s", parse_error->message);
        return FALSE;
    }
    source = gst_bin_get_by_name (GST_BIN (video->pipeline), "source");
    decoder = gst_bin_get_by_name (GST_BIN (video->pipeline), "decoder");
    video->entrance = gst_bin_get_by_name (GST_BIN (video->pipeline), "entrance");
    video->sink = gst_bin_get_by_name (GST_BIN (video->pipeline), "sink");
    g_object_set (source, "location", video->path, NULL);
    decoder_connect (decoder, video->entrance, DECODER_STAYS_LOCAL);
    return TRUE;
}

/* A pipe or device could keep us waiting for ever. */
static gboolean
check_file (const Video *video, GError **error)
{
    GStatBuf status;

    if (g_stat (video->path, &status) != 0) {
        fail (video, ALTCLIP_ERROR_IO, error, "%s", g_strerror (errno));
        return FALSE;
    }
    if (!S_ISREG (status.st_mode)) {
        fail (video, ALTCLIP_ERROR_IO, error, "not a regular file");
        return FALSE;
    }
    return TRUE;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* It is told of before the error that it makes. */
static void
note_missing_plugin (Video *video, GstMessage *message)
{
    if (!video->missing)
        video->missing = missing_plugin_describe (message);
}

static void
fail_by_message (const Video *video, GstMessage *message, GError **error)
{
    g_autoptr (GError) reason = NULL;

    gst_message_parse_error (message, &reason, NULL);
    if (video->missing)
        fail (video, ALTCLIP_ERROR_IMAGE, error, "cannot be decoded: %s", video->missing);
    else
        fail (video, ALTCLIP_ERROR_IMAGE, error, "cannot be decoded: %s", reason->message);
}

/* Whether nothing went wrong so far. */
static gboolean
check_messages (Video *video, GError **error)
{
    g_autoptr (GstBus) bus = gst_element_get_bus (video->pipeline);
    GstMessage *message;
    gboolean ok = TRUE;

    while (ok && (message = gst_bus_pop (bus))) {
        note_missing_plugin (video, message);
        ok = GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR;
        if (!ok)
            fail_by_message (video, message, error);
        gst_message_unref (message);
    }
    return ok;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

/* Sets @sample, to NULL at the end. */
static gboolean
pull_sample (Video *video, GstSample **sample, GError **error)
{
    GstAppSink *sink = GST_APP_SINK (video->sink);
    guint64 waited = 0;
    gboolean runs = TRUE;
    gboolean ran;

    *sample = NULL;
    while (!(*sample = gst_app_sink_try_pull_sample (sink, LOOK_AROUND))) {
        if (!check_messages (video, error))
            return FALSE;
        if (gst_app_sink_is_eos (sink))
            return TRUE;
        ran = runs;
        runs = decoder_is_running (video->pipeline);
        if (!ran && !runs) {
            fail (video, ALTCLIP_ERROR_IMAGE, error, "cannot be decoded: broken or cut off");
            return FALSE;
        }
        waited += LOOK_AROUND;
        if (waited >= LONGEST_WAIT) {
            fail (video, ALTCLIP_ERROR_IMAGE, error, "cannot be decoded: no frame for %d s",
                    (int)(LONGEST_WAIT / GST_SECOND));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
check_size (const Video *video, GError **error)
{
    int width = GST_VIDEO_INFO_WIDTH (&video->format->info);
    int height = GST_VIDEO_INFO_HEIGHT (&video->format->info);

    if ((gint64)width * height <= STILL_MAX_PIXELS)
        return TRUE;
    fail (video, ALTCLIP_ERROR_IMAGE, error, "%d × %d pixels exceed the limit of %d pixels", width,
            height, STILL_MAX_PIXELS);
    return FALSE;
}

/* Whether what is known of the format is of these caps. */
static gboolean
follow_caps (Video *video, GstCaps *caps, GError **error)
{
    if (video->caps && (caps == video->caps || gst_caps_is_equal (caps, video->caps)))
        return TRUE;
    gst_caps_replace (&video->caps, NULL);
    g_clear_pointer (&video->converter, gst_altclip_converter_free);
    g_clear_pointer (&video->format, gst_altclip_format_unref);
    video->format = gst_altclip_format_new (caps);
    if (!video->format) {
        fail (video, ALTCLIP_ERROR_IMAGE, error, "is of a kind of video that cannot be looked at");
        return FALSE;
    }
    if (!check_size (video, error))
        return FALSE;
    video->converter = gst_altclip_converter_new (video->model, video->format, error);
    if (!video->converter) {
        g_prefix_error (error, "%s: ", video->path);
        return FALSE;
    }
    gst_altclip_converter_expect (video->converter, video->n_regions);
    gst_caps_replace (&video->caps, caps);
    return TRUE;
}

static GstClockTime
get_duration (const Video *video)
{
    return GST_CLOCK_TIME_IS_VALID (video->format->frame_duration) ? video->format->frame_duration
                                                                   : USUAL_DURATION;
}

static void
note_time (Video *video, GstSample *sample)
{
    GstClockTime pts = GST_BUFFER_PTS (gst_sample_get_buffer (sample));
    GstClockTime time = GST_CLOCK_TIME_NONE;

    if (GST_CLOCK_TIME_IS_VALID (pts))
        time = gst_segment_to_stream_time (gst_sample_get_segment (sample), GST_FORMAT_TIME, pts);
    if (!GST_CLOCK_TIME_IS_VALID (time))
        time = video->n_frames ? video->time + get_duration (video) : 0;
    video->time = time;
    video->n_frames++;
}

static gboolean
is_due (const Video *video, guint64 interval)
{
    guint64 half = get_duration (video) / 2;
    guint64 passed = video->time - video->last;

    return !GST_CLOCK_TIME_IS_VALID (video->last) || video->time < video->last ||
           passed >= interval - MIN (half, interval);
}

/* ---- Public ---------------------------------------------------------------------------------- */

Video *
video_open (const char *path, AltclipModel *model, guint n_regions, GError **error)
{
    g_autoptr (Video) video = g_new0 (Video, 1);

    video->path = g_strdup (path);
    video->model = altclip_model_ref (model);
    video->n_regions = n_regions;
    video->last = GST_CLOCK_TIME_NONE;
    if (!check_file (video, error) || !make_pipeline (video, error))
        return NULL;
    gst_element_set_state (video->pipeline, GST_STATE_PLAYING);
    return g_steal_pointer (&video);
}

void
video_free (Video *video)
{
    if (video->pipeline)
        gst_element_set_state (video->pipeline, GST_STATE_NULL);
    g_clear_object (&video->entrance);
    g_clear_object (&video->sink);
    g_clear_object (&video->pipeline);
    gst_caps_replace (&video->caps, NULL);
    g_clear_pointer (&video->sample, gst_sample_unref);
    g_clear_pointer (&video->converter, gst_altclip_converter_free);
    g_clear_pointer (&video->format, gst_altclip_format_unref);
    altclip_model_unref (video->model);
    g_free (video->missing);
    g_free (video->path);
    g_free (video);
}

/* A decoder knows once it has begun. */
guint64
video_get_duration (Video *video)
{
    gint64 duration = 0;

    gst_element_get_state (video->pipeline, NULL, NULL, LOOK_AROUND);
    if (!gst_element_query_duration (video->pipeline, GST_FORMAT_TIME, &duration) || duration < 0)
        return 0;
    return (guint64)duration;
}

gboolean
video_next (Video *video, guint64 interval, guint64 *time, GError **error)
{
    do {
        g_clear_pointer (&video->sample, gst_sample_unref);
        if (!pull_sample (video, &video->sample, error))
            return FALSE;
        if (!video->sample) {
            if (video->n_frames == 0)
                fail (video, ALTCLIP_ERROR_IMAGE, error, "holds no frame");
            return FALSE;
        }
        if (!follow_caps (video, gst_sample_get_caps (video->sample), error))
            return FALSE;
        note_time (video, video->sample);
    } while (!is_due (video, interval));
    *time = video->last = video->time;
    return TRUE;
}

gboolean
video_look (Video *video, const AltclipRegion *region, float *pixel_values, GError **error)
{
    GstBuffer *buffer = gst_sample_get_buffer (video->sample);
    AltclipRectangle picture = gst_altclip_format_get_picture (&video->format->info, buffer);
    AltclipRectangle part = altclip_region_get_part (region, &picture);

    if (gst_altclip_converter_run (video->converter, buffer, &part, pixel_values, error))
        return TRUE;
    g_prefix_error (error, "%s: ", video->path);
    return FALSE;
}

/* In square pixels. */
static void
get_picture_size (const Video *video, int max_width, int max_height, int *width, int *height)
{
    const GstVideoInfo *info = &video->format->info;
    double across = (double)GST_VIDEO_INFO_WIDTH (info) * GST_VIDEO_INFO_PAR_N (info) /
                    GST_VIDEO_INFO_PAR_D (info);
    double scale = MIN (max_width / across, (double)max_height / GST_VIDEO_INFO_HEIGHT (info));

    *width = CLAMP ((int)(across * scale + 0.5), 1, max_width);
    *height = CLAMP ((int)(GST_VIDEO_INFO_HEIGHT (info) * scale + 0.5), 1, max_height);
}

static void
free_map (G_GNUC_UNUSED guchar *pixels, gpointer frame)
{
    gst_video_frame_unmap (frame);
    g_free (frame);
}

/* Takes @sample. */
static GdkPixbuf *
wrap_sample (GstSample *sample)
{
    GstVideoFrame *frame = g_new (GstVideoFrame, 1);
    GstVideoInfo info;
    gboolean ok = gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) &&
                  gst_video_frame_map (frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ);

    gst_sample_unref (sample);
    if (!ok) {
        g_free (frame);
        return NULL;
    }
    return gdk_pixbuf_new_from_data (GST_VIDEO_FRAME_PLANE_DATA (frame, 0), GDK_COLORSPACE_RGB,
            FALSE, 8, GST_VIDEO_FRAME_WIDTH (frame), GST_VIDEO_FRAME_HEIGHT (frame),
            GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), free_map, frame);
}

GdkPixbuf *
video_get_picture (Video *video, int max_width, int max_height, GError **error)
{
    g_autoptr (GError) convert_error = NULL;
    g_autoptr (GstCaps) caps = NULL;
    GstSample *sample;
    GdkPixbuf *picture;
    int width;
    int height;

    get_picture_size (video, max_width, max_height, &width, &height);
    caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT,
            width, "height", G_TYPE_INT, height, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1,
            NULL);
    sample = gst_video_convert_sample (video->sample, caps, LONGEST_WAIT, &convert_error);
    picture = sample ? wrap_sample (sample) : NULL;
    if (!picture)
        fail (video, ALTCLIP_ERROR_IMAGE, error, "cannot be shown: %s",
                convert_error ? convert_error->message : "the frame cannot be read");
    return picture;
}
