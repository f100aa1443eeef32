/* altclip: a camera for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     rtsp-server [OPTION…] PORT CODEC [USER PASSWORD]
 *
 * Serves test pictures, colour bars, at rtsp://127.0.0.1:PORT/test as jpeg, vp8, h264 or h265, each
 * fifth a key frame, or with --film that Matroska file from its beginning, at its own speed,
 * without the share --loss of its packets. With digest authentication if there is a user, or
 * --basic. With --noise there is a second stream beside it, which ends it when it is asked for.
 * With --certificate, a PEM file with the key too, rtsps. SIGUSR1 changes the size of the test
 * pictures while they play. Prints a line with the port when it listens, which it chooses where
 * PORT is 0; the exit status is 77 where there is no such encoder.
 *
 * ALTCLIP_TEST_SIZE=WIDTHxHEIGHT: of the pictures, before the change; ALTCLIP_TEST_PERIOD=SECONDS:
 * the picture is colour bars and nothing, in turns, each so long by the clock on the wall, so that
 * a server that is started anew goes on where it would have been.
 */

#include <glib-unix.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

static GMutex lock;
static GSList *filters; /* capsfilters of the media that there were */
static int width = 640, height = 480;
static gint64 period; /* µs; 0: colour bars always */
static gboolean is_small;

static char *film, *certificate;
static gboolean is_basic;
static gboolean has_noise;
static double loss;

typedef struct {
    const char *name, *encoder, *element, *payloader;
} Codec;

static const Codec codecs[] = {
    { "jpeg", "jpegenc", "jpegenc", "rtpjpegpay" },
    { "vp8", "vp8enc", "vp8enc deadline=1 keyframe-max-dist=5 target-bitrate=500000", "rtpvp8pay" },
    { "h264", "openh264enc", "openh264enc gop-size=5",
            "h264parse config-interval=-1 ! rtph264pay" },
    { "h265", "x265enc",
            "x265enc speed-preset=ultrafast tune=zerolatency key-int-max=5 "
            "option-string=pools=none:frame-threads=1",
            "h265parse config-interval=-1 ! rtph265pay" },
};

static const Codec *
find_codec (const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
        if (g_str_equal (codecs[i].name, name))
            return &codecs[i];
    return NULL;
}

static gboolean
has_element (const char *name)
{
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

    return factory != NULL;
}

#define NOISE                                                        \
    "videotestsrc is-live=true pattern=snow ! "                      \
    "video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! " \
    "jpegenc ! rtpjpegpay name=pay1 pt=97"

static char *
make_launch (const Codec *codec)
{
    g_autofree char *share = g_strdup_printf ("%g", loss);

    if (film)
        return g_strdup_printf ("( filesrc location=\"%s\" ! matroskademux ! queue ! %s pt=96 ! "
                                "identity name=pay0 drop-probability=%s )",
                film, codec->payloader, share);
    return g_strdup_printf ("( videotestsrc name=source is-live=true ! capsfilter name=filter ! %s "
                            "! %s name=pay0 pt=96 %s )",
            codec->element, codec->payloader, has_noise ? NOISE : "");
}

static void
set_size (GstElement *filter)
{
    g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-raw", "width", G_TYPE_INT,
            is_small ? width / 2 : width, "height", G_TYPE_INT, is_small ? height / 2 : height,
            "framerate", GST_TYPE_FRACTION, 10, 1, "format", G_TYPE_STRING, "I420", NULL);

    g_object_set (filter, "caps", caps, NULL);
}

static gboolean
on_resize (gpointer data)
{
    (void)data;
    g_mutex_lock (&lock);
    is_small = !is_small;
    g_slist_foreach (filters, (GFunc)(void (*) (void))set_size, NULL);
    g_mutex_unlock (&lock);
    return G_SOURCE_CONTINUE;
}

/* In the thread that makes the pictures: videotestsrc can't bear it from another. */
static GstPadProbeReturn
set_pattern (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    gboolean is_black = g_get_real_time () / period % 2;

    (void)pad;
    (void)info;
    gst_util_set_object_arg (G_OBJECT (data), "pattern", is_black ? "black" : "smpte");
    return GST_PAD_PROBE_OK;
}

static void
change_patterns (GstElement *bin)
{
    g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (bin), "source");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, set_pattern, source, NULL);
}

static void
on_media (GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer data)
{
    g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
    GstElement *filter = gst_bin_get_by_name (GST_BIN (bin), "filter");

    (void)factory;
    (void)data;
    if (!filter)
        return;
    g_mutex_lock (&lock);
    set_size (filter);
    filters = g_slist_prepend (filters, filter);
    g_mutex_unlock (&lock);
    if (period)
        change_patterns (bin);
}

/* FALSE: the environment says what cannot be. */
static gboolean
read_environment (void)
{
    const char *size = g_getenv ("ALTCLIP_TEST_SIZE");
    const char *seconds = g_getenv ("ALTCLIP_TEST_PERIOD");

    if (size && (sscanf (size, "%dx%d", &width, &height) != 2 || width < 32 || height < 32))
        return FALSE;
    period = seconds ? g_ascii_strtoll (seconds, NULL, 10) * G_USEC_PER_SEC : 0;
    return period >= 0;
}

/* Anybody may see it where there is no user. */
/* Who asks for the noise too loses all. */
static void
on_setup (GstRTSPClient *client, GstRTSPContext *context, gpointer data)
{
    (void)client;
    (void)data;
    if (g_str_has_suffix (context->uri->abspath, "stream=1"))
        exit (3);
}

static void
on_client (GstRTSPServer *server, GstRTSPClient *client, gpointer data)
{
    (void)server;
    (void)data;
    g_signal_connect (client, "setup-request", G_CALLBACK (on_setup), NULL);
}

static void
protect (
        GstRTSPServer *server, GstRTSPMediaFactory *factory, const char *user, const char *password)
{
    g_autoptr (GstRTSPAuth) auth = gst_rtsp_auth_new ();
    g_autoptr (GstRTSPToken) token =
            gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", NULL);
    g_autofree char *basic = user ? gst_rtsp_auth_make_basic (user, password) : NULL;

    if (!user) {
        gst_rtsp_auth_set_default_token (auth, token);
    } else if (is_basic) {
        gst_rtsp_auth_add_basic (auth, basic, token);
    } else {
        gst_rtsp_auth_set_supported_methods (auth, GST_RTSP_AUTH_DIGEST);
        gst_rtsp_auth_add_digest (auth, user, password, token);
    }
    gst_rtsp_media_factory_add_role (factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
            G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE,
            NULL);
    if (certificate) {
        g_autoptr (GError) error = NULL;
        g_autoptr (GTlsCertificate) pair = g_tls_certificate_new_from_file (certificate, &error);

        if (!pair)
            g_error ("%s", error->message);
        gst_rtsp_auth_set_tls_certificate (auth, pair);
    }
    gst_rtsp_server_set_auth (server, auth);
}

static GstRTSPMediaFactory *
make_factory (const Codec *codec)
{
    GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
    g_autofree char *launch = make_launch (codec);

    gst_rtsp_media_factory_set_launch (factory, launch);
    /* Of a film everybody sees the beginning. */
    gst_rtsp_media_factory_set_shared (factory, !film);
    if (certificate)
        gst_rtsp_media_factory_set_profiles (factory, GST_RTSP_PROFILE_AVP);
    g_signal_connect (factory, "media-configure", G_CALLBACK (on_media), NULL);
    return factory;
}

int
main (int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "film", 0, 0, G_OPTION_ARG_FILENAME, &film, "A Matroska file", "FILE" },
        { "certificate", 0, 0, G_OPTION_ARG_FILENAME, &certificate, "Certificate and key", "FILE" },
        { "loss", 0, 0, G_OPTION_ARG_DOUBLE, &loss, "Share of a film's packets that are lost",
                "SHARE" },
        { "basic", 0, 0, G_OPTION_ARG_NONE, &is_basic, "Basic authentication", NULL },
        { "noise", 0, 0, G_OPTION_ARG_NONE, &has_noise, "A second stream of noise", NULL },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr (GOptionContext) context = g_option_context_new ("PORT CODEC [USER PASSWORD]");
    g_autoptr (GError) error = NULL;
    g_autoptr (GstRTSPServer) server = NULL;
    g_autoptr (GstRTSPMountPoints) mounts = NULL;
    g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
    const Codec *codec;
    GstRTSPMediaFactory *factory;

    /* A test that fails leaves nothing behind. */
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    g_option_context_add_main_entries (context, entries, NULL);
    g_option_context_add_group (context, gst_init_get_option_group ());
    if (!g_option_context_parse (context, &argc, &argv, &error) || (argc != 3 && argc != 5) ||
            !(codec = find_codec (argv[2])) || !read_environment ()) {
        fprintf (stderr, "%s\n", error ? error->message : "rtsp-server PORT CODEC [USER PASSWORD]");
        return 2;
    }
    if (!film && !has_element (codec->encoder)) {
        fprintf (stderr, "there is no %s\n", codec->encoder);
        return 77;
    }
    server = gst_rtsp_server_new ();
    gst_rtsp_server_set_address (server, "127.0.0.1");
    gst_rtsp_server_set_service (server, argv[1]);
    mounts = gst_rtsp_server_get_mount_points (server);
    factory = make_factory (codec);
    if (argc == 5 || certificate)
        protect (server, factory, argv[3], argv[3] ? argv[4] : NULL);
    gst_rtsp_mount_points_add_factory (mounts, "/test", factory);
    if (gst_rtsp_server_attach (server, NULL) == 0) {
        fprintf (stderr, "port %s cannot be had\n", argv[1]);
        return 1;
    }
    if (has_noise)
        g_signal_connect (server, "client-connected", G_CALLBACK (on_client), NULL);
    g_unix_signal_add (SIGUSR1, on_resize, NULL);
    printf ("listening at %d\n", gst_rtsp_server_get_bound_port (server));
    fflush (stdout);
    g_main_loop_run (loop);
    return 0;
}
