/* altclip: a camera for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     rtsp-server PORT CODEC [USER PASSWORD]
 *
 * Serves test pictures, colour bars, at rtsp://127.0.0.1:PORT/test as jpeg, vp8 or h264, with
 * digest authentication if there is a user. SIGUSR1 changes the size of the pictures while they
 * play. Prints a line when it listens.
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

static const char *
get_encoder (const char *codec)
{
    if (g_str_equal (codec, "vp8"))
        return "vp8enc deadline=1 keyframe-max-dist=5 target-bitrate=500000 ! rtpvp8pay";
    if (g_str_equal (codec, "h264"))
        return "openh264enc gop-size=5 ! h264parse config-interval=-1 ! rtph264pay";
    return "jpegenc ! rtpjpegpay";
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

static void
protect (
        GstRTSPServer *server, GstRTSPMediaFactory *factory, const char *user, const char *password)
{
    g_autoptr (GstRTSPAuth) auth = gst_rtsp_auth_new ();
    GstRTSPToken *token =
            gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", NULL);

    gst_rtsp_auth_set_supported_methods (auth, GST_RTSP_AUTH_DIGEST);
    gst_rtsp_auth_add_digest (auth, user, password, token);
    gst_rtsp_token_unref (token);
    gst_rtsp_media_factory_add_role (factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
            G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE,
            NULL);
    gst_rtsp_server_set_auth (server, auth);
}

int
main (int argc, char **argv)
{
    g_autoptr (GstRTSPServer) server = NULL;
    g_autoptr (GstRTSPMountPoints) mounts = NULL;
    g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
    g_autofree char *launch = NULL;
    GstRTSPMediaFactory *factory;

    /* A test that fails leaves nothing behind. */
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    gst_init (&argc, &argv);
    if ((argc != 3 && argc != 5) || !read_environment ()) {
        fprintf (stderr, "rtsp-server PORT CODEC [USER PASSWORD]\n");
        return 2;
    }
    launch = g_strdup_printf ("( videotestsrc name=source is-live=true ! capsfilter name=filter ! "
                              "%s name=pay0 pt=96 )",
            get_encoder (argv[2]));
    server = gst_rtsp_server_new ();
    gst_rtsp_server_set_address (server, "127.0.0.1");
    gst_rtsp_server_set_service (server, argv[1]);
    mounts = gst_rtsp_server_get_mount_points (server);
    factory = gst_rtsp_media_factory_new ();
    gst_rtsp_media_factory_set_launch (factory, launch);
    gst_rtsp_media_factory_set_shared (factory, TRUE);
    g_signal_connect (factory, "media-configure", G_CALLBACK (on_media), NULL);
    if (argc == 5)
        protect (server, factory, argv[3], argv[4]);
    gst_rtsp_mount_points_add_factory (mounts, "/test", factory);
    if (gst_rtsp_server_attach (server, NULL) == 0) {
        fprintf (stderr, "port %s cannot be had\n", argv[1]);
        return 1;
    }
    g_unix_signal_add (SIGUSR1, on_resize, NULL);
    printf ("listening\n");
    fflush (stdout);
    g_main_loop_run (loop);
    return 0;
}
