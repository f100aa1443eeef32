/* altclip: elements that bring a camera's pictures
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "source.h"

#include "address.h"
#include "extent.h"
#include "http.h"

#include <gio/gio.h>
#include <string.h>

/* What waits in the jitter buffer for packets that come late, ms. */
#define LATENCY 200

#define NETWORK_TIMEOUT 5 /* s */

typedef struct {
    char *uri, *user, *password;
    gboolean udp;
    GCancellable *cancellable; /* of what reads over HTTP */
    GTlsDatabase *trust;       /* (nullable) */
    GstElement *sink;          /* not owned: of the same pipeline */
    MonitorSourceFrame frame;
    gpointer data;
    gint is_too_large; /* atomic: what comes is decoded no longer */
    int video;         /* of RTSP: the stream that is watched; -1: none is known yet */
} Source;

static void
source_free (gpointer data, GClosure *closure)
{
    Source *source = data;

    (void)closure;
    g_cancellable_cancel (source->cancellable);
    g_object_unref (source->cancellable);
    g_free (source->uri);
    g_free (source->user);
    g_free (source->password);
    g_clear_object (&source->trust);
    g_free (source);
}

/* ---- Protocols ------------------------------------------------------------------------------ */

/* Neither sound nor a second picture is even asked for. */
static gboolean
on_select_stream (GstElement *rtspsrc, guint number, GstCaps *caps, gpointer data)
{
    const GstStructure *structure = gst_caps_get_structure (caps, 0);
    Source *source = data;

    (void)rtspsrc;
    if (g_strcmp0 (gst_structure_get_string (structure, "media"), "video") != 0)
        return FALSE;
    if (source->video < 0)
        source->video = (int)number;
    return source->video == (int)number;
}

static gboolean
has_property (GstElement *element, const char *name)
{
    return g_object_class_find_property (G_OBJECT_GET_CLASS (element), name) != NULL;
}

static void
set_up_rtsp (Source *source, GstElement *rtspsrc)
{
    /* Over UDP, pictures would come as they are, not encrypted. */
    gst_util_set_object_arg (G_OBJECT (rtspsrc), "protocols",
            source->udp && !source->trust ? "udp+udp-mcast" : "tcp");
    if (source->trust)
        g_object_set (rtspsrc, "tls-database", source->trust, NULL);
    g_object_set (rtspsrc, "latency", LATENCY, "drop-on-latency", TRUE, "tcp-timeout",
            (guint64)NETWORK_TIMEOUT * G_USEC_PER_SEC, "timeout",
            (guint64)NETWORK_TIMEOUT * G_USEC_PER_SEC, NULL);
    if (source->user)
        g_object_set (rtspsrc, "user-id", source->user, NULL);
    if (source->password)
        g_object_set (rtspsrc, "user-pw", source->password, NULL);
    g_signal_connect (rtspsrc, "select-stream", G_CALLBACK (on_select_stream), source);
}

/* Not before data are asked for: what is said until then, that there is no connection say, would
 * reach nobody. */
static void
on_need_data (GstElement *appsrc, guint length, gpointer data)
{
    const Source *source = data;
    MonitorHttpSettings settings = { .uri = source->uri,
        .user = source->user,
        .password = source->password,
        .trust = source->trust,
        .timeout = NETWORK_TIMEOUT };

    (void)length;
    g_signal_handlers_disconnect_by_func (appsrc, on_need_data, data);
    monitor_http_start (GST_APP_SRC (appsrc), &settings, source->cancellable);
}

/* What is there is MJPEG or nothing: it has no end, and waits for nobody. */
static void
set_up_http (Source *source, GstElement *appsrc)
{
    g_object_set (appsrc, "is-live", TRUE, "do-timestamp", TRUE, "format", GST_FORMAT_TIME, "block",
            TRUE, NULL);
    g_signal_connect (appsrc, "need-data", G_CALLBACK (on_need_data), source);
}

static void
on_source_setup (GstElement *bin, GstElement *element, gpointer data)
{
    (void)bin;
    if (has_property (element, "drop-on-latency"))
        set_up_rtsp (data, element);
    else if (GST_IS_APP_SRC (element))
        set_up_http (data, element);
}

/* ---- Decoders ------------------------------------------------------------------------------- */

static void
check_extent (Source *source, GstPad *pad, guint width, guint height)
{
    g_autoptr (GstElement) decoder = NULL;

    if (monitor_extent_is_allowed (width, height) ||
            !g_atomic_int_compare_and_exchange (&source->is_too_large, FALSE, TRUE))
        return;
    decoder = gst_pad_get_parent_element (pad);
    if (decoder)
        GST_ELEMENT_ERROR (decoder, STREAM, DECODE,
                ("Its picture of %u x %u is too large.", width, height), (NULL));
}

static gboolean
is_jpeg (GstPad *pad)
{
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

    return caps && gst_structure_has_name (gst_caps_get_structure (caps, 0), "image/jpeg");
}

/* Before the decoder makes room for it. */
static GstPadProbeReturn
on_encoded_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Source *source = data;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    guint width, height;

    if (is_jpeg (pad) && monitor_extent_find_in_jpeg (buffer, &width, &height))
        check_extent (source, pad, width, height);
    if (g_atomic_int_get (&source->is_too_large))
        return GST_PAD_PROBE_DROP;
    return source->frame (buffer, source->data) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
on_encoded_caps (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Source *source = data;
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    GstCaps *caps;
    guint width, height;

    if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
        return GST_PAD_PROBE_OK;
    gst_event_parse_caps (event, &caps);
    if (monitor_extent_find_in_caps (caps, &width, &height))
        check_extent (source, pad, width, height);
    source->frame (NULL, source->data);
    return GST_PAD_PROBE_OK;
}

static void
on_element_added (GstBin *bin, GstBin *parent, GstElement *element, gpointer data)
{
    GstElementFactory *factory = gst_element_get_factory (element);
    g_autoptr (GstPad) pad = NULL;

    (void)bin;
    (void)parent;
    /* MJPEG over HTTP: else the decoder is waited with until all streams are known, to the end. */
    if (has_property (element, "single-stream"))
        g_object_set (element, "single-stream", TRUE, NULL);
    if (!factory ||
            !gst_element_factory_list_is_type (factory,
                    GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO |
                            GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE) ||
            GST_IS_BIN (element))
        return;
    /* Threads by frames would keep a frame until several more have come. */
    if (has_property (element, "max-threads") && has_property (element, "output-corrupt"))
        g_object_set (element, "max-threads", 1, NULL);
    pad = gst_element_get_static_pad (element, "sink");
    if (!pad)
        return;
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_encoded_caps, data, NULL);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_encoded_frame, data, NULL);
}

static void
on_pad_added (GstElement *bin, GstPad *pad, gpointer data)
{
    const Source *source = data;
    g_autoptr (GstPad) sink = gst_element_get_static_pad (source->sink, "sink");
    g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);

    (void)bin;
    if (gst_pad_is_linked (sink) || gst_caps_is_empty (caps) ||
            !g_str_has_prefix (gst_structure_get_name (gst_caps_get_structure (caps, 0)), "video/"))
        return;
    gst_pad_link (pad, sink);
}

static void
on_no_more_pads (GstElement *bin, gpointer data)
{
    const Source *source = data;
    g_autoptr (GstPad) sink = gst_element_get_static_pad (source->sink, "sink");

    if (!gst_pad_is_linked (sink))
        GST_ELEMENT_ERROR (bin, STREAM, WRONG_TYPE, ("There is no video in it."), (NULL));
}

/* ---- Sources -------------------------------------------------------------------------------- */

static gboolean
add_test_pictures (GstBin *pipeline, GstElement *sink, const MonitorConnectionSettings *settings,
        GError **error)
{
    static const char description[] =
            "videotestsrc is-live=true name=source ! "
            "capsfilter caps=video/x-raw,width=640,height=480,framerate=10/1";
    GstElement *bin = gst_parse_bin_from_description (description, TRUE, error);
    g_autoptr (GstElement) source = NULL;

    if (!bin)
        return FALSE;
    source = gst_bin_get_by_name (GST_BIN (bin), "source");
    gst_util_set_object_arg (
            G_OBJECT (source), "pattern", settings->uri + strlen (MONITOR_ADDRESS_TEST));
    gst_bin_add (pipeline, bin);
    return gst_element_link (bin, sink);
}

static gboolean
add_decoded_pictures (GstBin *pipeline, GstElement *sink, const MonitorConnectionSettings *settings,
        MonitorSourceFrame frame, gpointer data, GError **error)
{
    GstElement *bin = gst_element_factory_make ("uridecodebin", "source");
    g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/x-raw");
    Source *source;

    if (!bin) {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "GStreamer's uridecodebin is not installed (gstreamer1.0-plugins-base)");
        return FALSE;
    }
    source = g_new0 (Source, 1);
    source->video = -1;
    source->uri = g_strdup (settings->uri);
    source->cancellable = g_cancellable_new ();
    source->user = g_strdup (settings->user);
    source->password = g_strdup (settings->password);
    source->udp = settings->udp;
    g_set_object (&source->trust, settings->trust);
    source->sink = sink;
    source->frame = frame;
    source->data = data;
    g_object_set (bin, "uri", monitor_address_is_http (settings->uri) ? "appsrc://" : settings->uri,
            "caps", caps, "expose-all-streams", FALSE, NULL);
    /* The first of these closures owns what all of them look at: all go with the element. */
    g_signal_connect_data (
            bin, "source-setup", G_CALLBACK (on_source_setup), source, source_free, 0);
    g_signal_connect (bin, "deep-element-added", G_CALLBACK (on_element_added), source);
    g_signal_connect (bin, "pad-added", G_CALLBACK (on_pad_added), source);
    g_signal_connect (bin, "no-more-pads", G_CALLBACK (on_no_more_pads), source);
    gst_bin_add (pipeline, bin);
    return TRUE;
}

gboolean
monitor_source_add (GstBin *pipeline, GstElement *sink, const MonitorConnectionSettings *settings,
        MonitorSourceFrame frame, gpointer data, GError **error)
{
    if (g_str_has_prefix (settings->uri, MONITOR_ADDRESS_TEST))
        return add_test_pictures (pipeline, sink, settings, error);
    return add_decoded_pictures (pipeline, sink, settings, frame, data, error);
}

gboolean
monitor_source_check (const char *uri, GError **error)
{
    const char *pattern = uri + strlen (MONITOR_ADDRESS_TEST);
    g_autoptr (GstElement) source = NULL;
    GParamSpec *spec;
    GValue value = G_VALUE_INIT;
    gboolean is_there;

    if (!g_str_has_prefix (uri, MONITOR_ADDRESS_TEST))
        return TRUE;
    source = gst_element_factory_make ("videotestsrc", NULL);
    if (!source) {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "GStreamer's videotestsrc is not installed (gstreamer1.0-plugins-base)");
        return FALSE;
    }
    gst_object_ref_sink (source);
    spec = g_object_class_find_property (G_OBJECT_GET_CLASS (source), "pattern");
    g_value_init (&value, spec->value_type);
    is_there = gst_value_deserialize (&value, pattern);
    g_value_unset (&value);
    if (!is_there)
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "\"%s\" is no pattern of videotestsrc, such as smpte, snow or black", pattern);
    return is_there;
}

gboolean
monitor_source_is_file (const char *uri)
{
    return g_str_has_prefix (uri, "file:");
}
