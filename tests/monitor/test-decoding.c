/* altclip: which frames of a camera are decoded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rule by itself; and with real encoders, servers and decoders, how many frames came and how
 * many a decoder gave, and how many when the pictures' size has changed. The servers send ten
 * frames a second, each fifth a key frame.
 */

#include "connection.h"
#include "gate.h"
#include "lens.h"

#include <signal.h>

#define FRAME (100 * GST_MSECOND)
#define KEY_DISTANCE 5

/* As many key frames have gone by when their distance is known. */
#define FIRST_KEYS (MONITOR_GATE_DISTANCES + 1)

/* ---- Real streams --------------------------------------------------------------------------- */

typedef struct {
    const char *codec, *encoder;
    const char *decoders[3];
} Codec;

static const Codec codecs[] = {
    { "h264", "openh264enc", { "openh264dec", "avdec_h264", NULL } },
    { "h265", "x265enc", { "libde265dec", "avdec_h265", NULL } },
    { "vp8", "vp8enc", { "vp8dec", NULL } },
};

typedef struct {
    MonitorConnection *connection;
    MonitorConnectionStats start; /* when the distance of key frames was known */
    gboolean has_failed, has_ended;
} View;

static gboolean
has_element (const char *name)
{
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

    return factory != NULL;
}

static const char *
find_lack (const Codec *codec)
{
    gboolean has_decoder = FALSE;

    for (guint i = 0; codec->decoders[i]; i++)
        has_decoder = has_decoder || has_element (codec->decoders[i]);
    if (!has_element (codec->encoder))
        return codec->encoder;
    return has_decoder ? NULL : codec->decoders[0];
}

static void
on_playing (MonitorConnection *connection, gpointer data)
{
    (void)connection;
    (void)data;
}

static View *
get_view (gpointer data)
{
    return g_object_get_data (data, "view");
}

static void
on_failed (MonitorConnection *connection, MonitorFailure failure, const char *reason, gpointer data)
{
    (void)connection;
    (void)failure;
    g_test_message ("%s", reason);
    get_view (data)->has_failed = TRUE;
}

static void
on_warned (MonitorConnection *connection, const char *text, gpointer data)
{
    (void)connection;
    (void)data;
    g_test_message ("%s", text);
}

static void
on_results (MonitorConnection *connection, const GValue *results, gpointer data)
{
    (void)connection;
    (void)results;
    (void)data;
}

static void
on_event (MonitorConnection *connection, MonitorEvent *event, gpointer data)
{
    (void)connection;
    (void)event;
    (void)data;
}

static void
on_ended (MonitorConnection *connection, gpointer data)
{
    (void)connection;
    get_view (data)->has_ended = TRUE;
}

static void
view_open (View *view, const Server *server, guint64 interval)
{
    static const MonitorConnectionCallbacks callbacks = { on_playing, on_failed, on_warned,
        on_results, on_event, on_ended };
    g_autofree char *uri = g_strdup_printf ("rtsp://127.0.0.1:%u/test", server->port);
    MonitorConnectionSettings settings = { .name = "view",
        .uri = uri,
        .interval = interval,
        .prompts = "colour bars;static noise",
        .threads = 1 };
    GObject *data = g_object_new (G_TYPE_OBJECT, NULL);

    g_object_set_data (data, "view", view);
    view->connection = monitor_connection_open (&settings, &callbacks, data);
}

static gboolean
knows_distance (gpointer data)
{
    View *view = data;

    monitor_connection_get_stats (view->connection, &view->start);
    return view->has_failed || view->start.received > (FIRST_KEYS + 1) * KEY_DISTANCE;
}

static gboolean
has_other_size (gpointer data)
{
    View *view = data;
    MonitorConnectionStats stats;

    monitor_connection_get_stats (view->connection, &stats);
    return view->has_failed || stats.width != view->start.width;
}

static gboolean
has_ended (gpointer data)
{
    return ((View *)data)->has_ended;
}

/* What came since then, and what of it was decoded. From here on it is counted anew. */
static void
view_count (View *view, guint64 *received, guint64 *decoded)
{
    MonitorConnectionStats stats;

    monitor_connection_get_stats (view->connection, &stats);
    *received = stats.received - view->start.received;
    *decoded = stats.decoded - view->start.decoded;
    view->start = stats;
}

static void
view_close (View *view)
{
    monitor_connection_close (view->connection);
    g_assert_true (wait_for (has_ended, view, 10));
    monitor_connection_unref (view->connection);
    g_assert_false (view->has_failed);
}

#define SECONDS 5.0

static const guint64 INTERVALS[] = { 200 * GST_MSECOND, 500 * GST_MSECOND, 2 * GST_SECOND };

#define N_INTERVALS G_N_ELEMENTS (INTERVALS)

/* A codec's stream, for who looks often, at each key frame, and seldom. */
typedef struct {
    Server server;
    View views[N_INTERVALS];
    guint64 received[N_INTERVALS], decoded[N_INTERVALS];
    guint64 resized[N_INTERVALS]; /* frames that were decoded after the size had changed */
} Stream;

static Stream streams[G_N_ELEMENTS (codecs)];

static void
open_streams (void)
{
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
        Stream *stream = &streams[i];

        if (find_lack (&codecs[i]))
            continue;
        stream->server = (Server){ .port = find_port (), .codec = codecs[i].codec };
        server_start (&stream->server);
        for (guint j = 0; j < N_INTERVALS; j++)
            view_open (&stream->views[j], &stream->server, INTERVALS[j]);
    }
}

static void
wait_for_all (Condition condition, double seconds)
{
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
        for (guint j = 0; j < N_INTERVALS && !find_lack (&codecs[i]); j++)
            g_assert_true (wait_for (condition, &streams[i].views[j], seconds));
}

static void
close_stream (Stream *stream)
{
    guint64 received;

    for (guint j = 0; j < N_INTERVALS; j++) {
        view_count (&stream->views[j], &received, &stream->resized[j]);
        view_close (&stream->views[j]);
    }
    server_kill (&stream->server);
}

/* All at the same time. */
static void
test_streams (void)
{
    open_streams ();
    wait_for_all (knows_distance, 60);
    wait_seconds (SECONDS);
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
        Stream *stream = &streams[i];

        for (guint j = 0; j < N_INTERVALS && !find_lack (&codecs[i]); j++)
            view_count (&stream->views[j], &stream->received[j], &stream->decoded[j]);
    }
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
        if (!find_lack (&codecs[i]))
            server_signal (&streams[i].server, SIGUSR1);
    wait_for_all (has_other_size, 10);
    wait_seconds ((FIRST_KEYS - 1) * KEY_DISTANCE / 10.0);
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
        if (!find_lack (&codecs[i]))
            close_stream (&streams[i]);
}

static void
test_codec (gconstpointer data)
{
    const Codec *codec = data;
    const Stream *stream = &streams[codec - codecs];
    const char *lack = find_lack (codec);

    if (lack) {
        g_autofree char *reason = g_strdup_printf ("there is no %s", lack);

        g_test_skip (reason);
        return;
    }
    for (guint i = 0; i < N_INTERVALS; i++) {
        double period = (double)INTERVALS[i] / FRAME;
        guint64 received = stream->received[i], decoded = stream->decoded[i];

        g_test_message ("%s, each %g s: %" G_GUINT64_FORMAT " frames came, %" G_GUINT64_FORMAT
                        " were decoded",
                codec->codec, period / 10, received, decoded);
        g_assert_cmpuint (received, >, SECONDS * 10 / 2);
        /* One more or less, for where the time begins and ends; decoders have some frames inside.
         */
        if (period < KEY_DISTANCE)
            g_assert_cmpuint (decoded + 10, >=, received);
        else
            g_assert_cmpfloat_with_epsilon ((double)decoded, (double)received / period, 1.5);
        /* Decoders get all frames of another size at first. */
        g_assert_cmpuint (stream->resized[i], >, (FIRST_KEYS - 2) * KEY_DISTANCE);
    }
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    gst_init (&argc, &argv);
    /* What encoders need for three streams is not to matter. */
    g_setenv ("ALTCLIP_TEST_SIZE", "160x128", TRUE);
    g_test_add_func ("/monitor/decoding/streams", test_streams);
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
        g_autofree char *path = g_strconcat ("/monitor/decoding/", codecs[i].codec, NULL);

        g_test_add_data_func (path, &codecs[i], test_codec);
    }
    return g_test_run ();
}
