/* altclip: what the monitor is told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "address.h"
#include "configuration.h"
#include "gate.h"
#include "picture.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/video/video.h>
#include <string.h>

static char *directory;

static char *
write_file (const char *name, const char *text)
{
    char *path = g_build_filename (directory, name, NULL);

    g_assert_true (g_file_set_contents (path, text, -1, NULL));
    g_chmod (path, 0600);
    return path;
}

static MonitorConfiguration *
read_text (const char *text, GError **error)
{
    g_autofree char *path = write_file ("monitor.json", text);

    return monitor_configuration_read (path, error);
}

/* ---- Configuration -------------------------------------------------------------------------- */

static void
test_all (void)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *credentials = write_file (
            "secrets.json", "{\"door\": {\"user\": \"viewer\", \"password\": \"p@ss\"}}");
    g_autofree char *token = write_file ("token", "abcdefghijklmnop\n");
    g_autoptr (MonitorConfiguration) configuration =
            read_text ("{\"listen\": \"::1\", \"port\": 9000, \"token_file\": \"token\", "
                       "\"retention\": {\"days\": 2, \"megabytes\": 10}, \"threads\": 2, "
                       "\"precision\": \"int8\", \"credentials_file\": \"secrets.json\", "
                       "\"hooks\": [{\"command\": [\"/bin/true\", \"\"], \"kind\": \"begin\"}, "
                       "{\"url\": \"https://hook.example/\", \"timeout\": 3}], "
                       "\"cameras\": [{\"name\": \"door\", \"uri\": \"rtsp://camera.example/1\", "
                       "\"interval\": 1.5, \"transport\": \"tcp\", \"region\": \"0.5,0,0.5,1\", "
                       "\"prompts\": \"a cat;a dog\", \"watchdog\": 20}, "
                       "{\"name\": \"\xe5\x90\x8e\xe9\x97\xa8\", \"uri\": \"test:snow\"}]}",
                    &error);
    const MonitorCameraConfig *camera;
    const MonitorHookConfig *hook;

    g_assert_no_error (error);
    g_assert_cmpstr (configuration->listen, ==, "::1");
    g_assert_cmpuint (configuration->port, ==, 9000);
    g_assert_cmpstr (configuration->token, ==, "abcdefghijklmnop");
    g_assert_cmpuint (configuration->retention.max_age, ==, 172800);
    g_assert_cmpuint (configuration->retention.max_bytes, ==, 10485760);
    g_assert_cmpuint (configuration->threads, ==, 2);
    g_assert_cmpuint (configuration->cameras->len, ==, 2);
    camera = configuration->cameras->pdata[0];
    g_assert_cmpstr (camera->user, ==, "viewer");
    g_assert_cmpstr (camera->password, ==, "p@ss");
    g_assert_cmpuint (camera->interval, ==, 1500000000);
    g_assert_cmpuint (camera->watchdog, ==, 20);
    camera = configuration->cameras->pdata[1];
    g_assert_cmpuint (camera->interval, ==, MONITOR_CAMERA_INTERVAL);
    g_assert_cmpstr (camera->transport, ==, "auto");
    g_assert_null (camera->password);
    g_assert_cmpuint (configuration->hooks->len, ==, 2);
    hook = configuration->hooks->pdata[0];
    g_assert_cmpstr (hook->command[0], ==, "/bin/true");
    g_assert_cmpstr (hook->command[1], ==, "");
    g_assert_null (hook->command[2]);
    hook = configuration->hooks->pdata[1];
    g_assert_cmpuint (hook->timeout, ==, 3);
}

/* A camera whose one field is like that. */
#define CAMERA(field) "{\"cameras\": [{\"name\": \"a\", \"uri\": \"test:snow\", " field "}]}"

static const struct {
    const char *text;
    const char *message; /* all of these words, with a blank between */
} FAULTS[] = {
    { "{", "line 1" },
    { "[]", "object" },
    { "{\"prot\": 1}", "prot field port" },
    { "{\"port\": \"x\"}", "port number" },
    { "{\"port\": 65536}", "port 65536 65535" },
    { "{\"port\": 1.5}", "port 1.5 whole" },
    { "{\"port\": 1, \"port\": 2}", "duplicate" },
    { "{\"listen\": \"everywhere\"}", "listen everywhere address" },
    { "{\"tls_key\": \"k\"}", "tls_certificate" },
    { "{\"token_file\": \"none\"}", "none" },
    { "{\"precision\": \"f8\"}", "precision f8 int8" },
    { "{\"retention\": {\"days\": -1}}", "retention.days -1" },
    { "{\"retention\": 3}", "retention 3 object" },
    { "{\"hooks\": [{}]}", "hooks[0].command" },
    { "{\"hooks\": [{\"command\": \"ls\"}]}", "hooks[0].command array" },
    { "{\"hooks\": [{\"url\": \"ftp://x\"}]}", "hooks[0].url http" },
    { "{\"cameras\": 1}", "cameras array" },
    { "{\"cameras\": [1]}", "cameras[0]" },
    { "{\"cameras\": [{\"uri\": \"test:snow\"}]}", "cameras[0].name" },
    { "{\"cameras\": [{\"name\": \"a\"}]}", "cameras[0].uri" },
    { "{\"cameras\": [{\"name\": \"../a\", \"uri\": \"test:snow\"}]}", "cameras[0].name ../a" },
    { "{\"cameras\": [{\"name\": \"a\\nb\", \"uri\": \"test:snow\"}]}", "cameras[0].name control" },
    { "{\"cameras\": [{\"name\": \"a\", \"uri\": \"gopher://x\"}]}", "cameras[0].uri gopher rtsp" },
    { "{\"cameras\": [{\"name\": \"a\", \"uri\": \"rtsp:///x\"}]}", "cameras[0].uri host" },
    { "{\"cameras\": [{\"name\": \"a\", \"uri\": \"test:1\"}, {\"name\": \"a\", \"uri\": "
      "\"test:2\"}]}",
            "cameras[1].name" },
    { "{\"cameras\": [{\"name\": \"a\", \"uri\": \"test:nosuch\"}]}",
            "cameras[0].uri nosuch smpte" },
    { "{\"hooks\": [{\"command\": [\"./none\"]}]}", "hooks[0].command ./none" },
    { "{\"mqtt\": {}}", "mqtt.address config" },
    { "{\"mqtt\": {\"address\": \"\"}}", "mqtt.address empty" },
    { "{\"mqtt\": {\"address\": \"a:0\"}}", "mqtt.address a:0 65535" },
    { "{\"mqtt\": {\"config\": \"none\"}}", "mqtt.config none" },
    { CAMERA ("\"interval\": -1"), "cameras[0].interval -1 3600" },
    { CAMERA ("\"watchdog\": 0"), "cameras[0].watchdog 0 1" },
    { CAMERA ("\"transport\": \"sctp\""), "cameras[0].transport sctp tcp" },
    { CAMERA ("\"region\": \"0,0,1\""), "cameras[0].region 0,0,1" },
    { CAMERA ("\"region\": \"0.5,0,0.6,1\""), "cameras[0].region within" },
    { CAMERA ("\"certificate\": \"none.pem\""), "cameras[0].certificate rtsps://" },
    { "{\"cameras\": [{\"name\": \"a\", \"uri\": \"rtsps://b/c\", \"certificate\": \"none.pem\"}]}",
            "cameras[0].certificate none.pem" },
    { CAMERA ("\"prompts\": \"a;a\""), "cameras[0].prompts" },
    { CAMERA ("\"prompts_file\": \"none.json\""), "cameras[0].prompts_file none.json" },
    { CAMERA ("\"prompts\": \"a\", \"prompts_file\": \"b\""), "cameras[0].prompts_file" },
};

static void
test_faults (void)
{
    for (gsize i = 0; i < G_N_ELEMENTS (FAULTS); i++) {
        g_autoptr (GError) error = NULL;
        g_autoptr (MonitorConfiguration) configuration = read_text (FAULTS[i].text, &error);
        g_auto (GStrv) words = g_strsplit (FAULTS[i].message, " ", -1);

        g_test_message ("%s: %s", FAULTS[i].text, error ? error->message : "taken");
        g_assert_null (configuration);
        g_assert_nonnull (error);
        g_assert_nonnull (strstr (error->message, directory));
        for (char **word = words; *word; word++)
            g_assert_nonnull (strstr (error->message, *word));
        g_assert_null (strchr (error->message, '\n'));
    }
}

/* The message has the place, and of the password there nothing. */
static void
assert_names_no_secret (const GError *error, const char *place)
{
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, place));
    g_assert_null (strstr (error->message, "4711"));
}

/* No message, whatever is wrong, says the password. */
static void
test_secrets (void)
{
    static const char *const files[] = { "{\"a\": {\"password\": 4711}}",
        "{\"a\": {\"pasword\": \"4711\"}}", "{\"a\": \"4711\"}", "{\"a\": {\"password\": \"4711" };

    for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
        g_autofree char *path = write_file ("secrets.json", files[i]);
        g_autoptr (GError) error = NULL;
        g_autoptr (MonitorConfiguration) configuration =
                read_text ("{\"credentials_file\": \"secrets.json\", \"cameras\": [{\"name\": "
                           "\"a\", \"uri\": \"test:snow\"}]}",
                        &error);

        g_assert_null (configuration);
        assert_names_no_secret (error, "secrets.json");
    }
}

static void
test_broker_secrets (void)
{
    static const char *const addresses[] = { "me:4711@broker", "me:4711@broker:1883",
        "mqtt://me:4711@broker:1883" };

    for (gsize i = 0; i < G_N_ELEMENTS (addresses); i++) {
        g_autofree char *text = g_strdup_printf ("{\"mqtt\": {\"address\": \"%s\"}}", addresses[i]);
        g_autoptr (GError) error = NULL;
        g_autoptr (MonitorConfiguration) configuration = read_text (text, &error);

        g_assert_null (configuration);
        assert_names_no_secret (error, "mqtt.address");
    }
}

/* Its camera would be asked without a password. */
static void
test_strangers (void)
{
    g_autofree char *credentials = write_file (
            "secrets.json", "{\"a\": {\"password\": \"p\"}, \"A\": {\"password\": \"p\"}}");
    g_autoptr (GError) error = NULL;
    g_autoptr (MonitorConfiguration) configuration = NULL;

    g_test_expect_message ("altclip-monitor", G_LOG_LEVEL_WARNING,
            "*secrets.json: \"A\" is the name of no camera");
    configuration = read_text ("{\"credentials_file\": \"secrets.json\", \"cameras\": [{\"name\": "
                               "\"a\", \"uri\": \"test:snow\"}]}",
            &error);
    g_assert_no_error (error);
    g_test_assert_expected_messages ();
}

static void
test_uris (void)
{
    g_autoptr (GError) error = NULL;
    char *uris[] = { (char *)"rtsp://viewer:p%40ss@camera.example:554/a?x=1",
        (char *)"http://camera.example/video", (char *)"/dev/video0", NULL };
    g_autoptr (MonitorConfiguration) configuration =
            monitor_configuration_new_for_uris (uris, &error);
    const MonitorCameraConfig *camera;

    g_assert_no_error (error);
    camera = configuration->cameras->pdata[0];
    g_assert_cmpstr (camera->name, ==, "camera.example");
    g_assert_cmpstr (camera->uri, ==, "rtsp://camera.example:554/a?x=1");
    g_assert_cmpstr (camera->user, ==, "viewer");
    g_assert_cmpstr (camera->password, ==, "p@ss");
    camera = configuration->cameras->pdata[1];
    g_assert_cmpstr (camera->name, ==, "camera.example-2");
    g_assert_null (camera->user);
    camera = configuration->cameras->pdata[2];
    g_assert_cmpstr (camera->uri, ==, "v4l2:///dev/video0");
    g_assert_cmpstr (camera->name, ==, "video0");
}

static void
test_environment (void)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (MonitorConfiguration) configuration = NULL;
    const MonitorCameraConfig *camera;

    g_setenv ("ALTCLIP_MONITOR_USER_FRONT_DOOR", "viewer", TRUE);
    g_setenv ("ALTCLIP_MONITOR_PASSWORD_FRONT_DOOR", "s3cret", TRUE);
    g_setenv ("ALTCLIP_MONITOR_TOKEN", "token-token-token", TRUE);
    configuration = read_text (
            "{\"cameras\": [{\"name\": \"front door\", \"uri\": \"rtsp://x:y@host/\"}]}", &error);
    g_unsetenv ("ALTCLIP_MONITOR_USER_FRONT_DOOR");
    g_unsetenv ("ALTCLIP_MONITOR_PASSWORD_FRONT_DOOR");
    g_unsetenv ("ALTCLIP_MONITOR_TOKEN");
    g_assert_no_error (error);
    camera = configuration->cameras->pdata[0];
    g_assert_cmpstr (camera->uri, ==, "rtsp://host/");
    g_assert_cmpstr (camera->user, ==, "viewer");
    g_assert_cmpstr (camera->password, ==, "s3cret");
    g_assert_cmpstr (configuration->token, ==, "token-token-token");
}

/* ---- Addresses ------------------------------------------------------------------------------ */

static void
test_scrub (void)
{
    static const char *const messages[] = {
        "cannot open rtsp://viewer:s3cret@host/a",
        "a s3cret b",
        "Authorization: Basic dmlld2VyOnMzY3JldA==",
        "http://host/video?user=viewer&password=s3cret&x=1",
    };
    g_autofree char *address =
            monitor_address_scrub ("http://u:q@host/v?channel=2&pwd=q1w2&size=3#x");

    for (gsize i = 0; i < G_N_ELEMENTS (messages); i++) {
        g_autofree char *scrubbed = monitor_message_scrub (messages[i], "viewer", "s3cret");

        g_test_message ("%s", scrubbed);
        g_assert_null (strstr (scrubbed, "s3cret"));
        g_assert_null (strstr (scrubbed, "dmlld2VyOnMzY3JldA"));
    }
    g_assert_cmpstr (address, ==, "http://host/v?channel=2&pwd=***&size=3#x");
}

/* Many cameras want user and password in the path. */
static void
test_scrub_path (void)
{
    static const char *const addresses[] = {
        "rtsp://host:554/user=admin_password=s3cret_channel=1_stream=0.sdp?real_stream",
        "rtsp://host/user=admin&password=s3cret&channel=1&stream=0.sdp",
        "rtsp://host/live/password=s3cret/1",
    };

    for (gsize i = 0; i < G_N_ELEMENTS (addresses); i++) {
        g_autofree char *scrubbed = monitor_address_scrub (addresses[i]);

        g_test_message ("%s", scrubbed);
        g_assert_null (strstr (scrubbed, "s3cret"));
        g_assert_true (g_str_has_prefix (scrubbed, "rtsp://host"));
    }
}

/* No terminal obeys what a camera says. */
static void
test_scrub_control (void)
{
    g_autofree char *scrubbed = monitor_message_scrub (
            "a\033]0;x\007b\r\nc\302\233d\342\200\256e \344\273\223", NULL, NULL);

    g_assert_cmpstr (scrubbed, ==, "a ]0;x b  c d e \344\273\223");
}

/* ---- The gate ------------------------------------------------------------------------------- */

/* Frames of 10 a second, a key frame among each @distance of them, for a minute: how many pass. */
static guint
count_passes (guint distance, GstClockTime interval, guint *n_others)
{
    MonitorGate gate;
    guint n = 0;

    *n_others = 0;
    monitor_gate_init (&gate);
    for (guint i = 0; i < 600; i++) {
        gboolean is_key = i % distance == 0;

        if (monitor_gate_passes (&gate, is_key, i * 100 * GST_MSECOND, interval)) {
            n++;
            *n_others += !is_key && i >= 6 * distance;
        }
    }
    return n;
}

static void
test_gate (void)
{
    guint n_others;

    /* Each frame counts, or key frames are too rare. */
    g_assert_cmpuint (count_passes (10, 0, &n_others), ==, 600);
    g_assert_cmpuint (count_passes (20, GST_SECOND, &n_others), ==, 600);
    /* A key frame a second is what is needed, or four times as many. */
    g_assert_cmpuint (count_passes (10, GST_SECOND, &n_others), <, 110);
    g_assert_cmpuint (n_others, ==, 0);
    g_assert_cmpuint (count_passes (10, 990 * GST_MSECOND, &n_others), <, 110);
    g_assert_cmpuint (n_others, ==, 0);
    g_assert_cmpuint (count_passes (10, 4 * GST_SECOND, &n_others), <, 70);
    g_assert_cmpuint (n_others, ==, 0);
    /* All are key frames, as in MJPEG. */
    g_assert_cmpuint (count_passes (1, GST_SECOND, &n_others), >=, 60);
    g_assert_cmpuint (count_passes (1, GST_SECOND, &n_others), <=, 70);
}

/* An encoder that moves key frames apart is followed at the next of them. */
static void
test_gate_apart (void)
{
    MonitorGate gate;
    GstClockTime time = 0;

    monitor_gate_init (&gate);
    for (guint i = 0; i < 100; i++, time += 100 * GST_MSECOND)
        monitor_gate_passes (&gate, i % 10 == 0, time, GST_SECOND);
    g_assert_false (monitor_gate_passes (&gate, FALSE, time, GST_SECOND));
    time += 5 * GST_SECOND;
    g_assert_true (monitor_gate_passes (&gate, TRUE, time, GST_SECOND));
    g_assert_true (monitor_gate_passes (&gate, FALSE, time + 100 * GST_MSECOND, GST_SECOND));
    /* And looking decodes everything from the next key frame on. */
    g_assert_true (monitor_gate_passes (&gate, TRUE, time + GST_SECOND, 0));
    g_assert_true (monitor_gate_passes (&gate, FALSE, time + 2 * GST_SECOND, 0));
    /* Where the stream's time begins anew, distances are learnt anew. */
    for (guint i = 0; i < 100; i++)
        monitor_gate_passes (&gate, i % 10 == 0, (1000 + i) * 100 * GST_MSECOND, GST_SECOND);
    g_assert_true (monitor_gate_passes (&gate, TRUE, 0, GST_SECOND));
    g_assert_true (monitor_gate_passes (&gate, FALSE, 100 * GST_MSECOND, GST_SECOND));
    /* Frames without a time pass. */
    g_assert_true (monitor_gate_passes (&gate, TRUE, GST_CLOCK_TIME_NONE, GST_SECOND));
    g_assert_true (monitor_gate_passes (&gate, FALSE, GST_CLOCK_TIME_NONE, GST_SECOND));
}

/* ---- Pictures ------------------------------------------------------------------------------- */

static GdkPixbuf *
encode_and_load (guint width, guint height)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "GRAY8",
            "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, NULL);
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, width * height, NULL);
    g_autoptr (GstSample) sample = NULL;
    g_autoptr (GBytes) jpeg = NULL;
    g_autoptr (GInputStream) stream = NULL;
    GdkPixbuf *picture;

    gst_buffer_memset (buffer, 0, 128, width * height);
    sample = gst_sample_new (buffer, caps, NULL, NULL);
    jpeg = monitor_picture_encode (sample, 320, &error);
    g_assert_no_error (error);
    stream = g_memory_input_stream_new_from_bytes (jpeg);
    picture = gdk_pixbuf_new_from_stream (stream, NULL, &error);
    g_assert_no_error (error);
    return picture;
}

/* Its shape stays, also that of one as several cameras in one housing make it. */
static void
test_picture (void)
{
    static const struct {
        guint width, height, shown_width, shown_height;
    } sizes[] = { { 640, 480, 320, 240 }, { 160, 120, 160, 120 }, { 8192, 1024, 320, 40 } };

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        g_autoptr (GdkPixbuf) picture = encode_and_load (sizes[i].width, sizes[i].height);

        g_assert_cmpint (gdk_pixbuf_get_width (picture), ==, sizes[i].shown_width);
        g_assert_cmpint (gdk_pixbuf_get_height (picture), ==, sizes[i].shown_height);
    }
}

int
main (int argc, char **argv)
{
    int status;

    g_test_init (&argc, &argv, NULL);
    gst_init (&argc, &argv);
    directory = g_dir_make_tmp ("altclip-configuration-XXXXXX", NULL);
    g_test_add_func ("/monitor/configuration/all", test_all);
    g_test_add_func ("/monitor/configuration/faults", test_faults);
    g_test_add_func ("/monitor/configuration/secrets", test_secrets);
    g_test_add_func ("/monitor/configuration/broker-secrets", test_broker_secrets);
    g_test_add_func ("/monitor/configuration/strangers", test_strangers);
    g_test_add_func ("/monitor/configuration/uris", test_uris);
    g_test_add_func ("/monitor/configuration/environment", test_environment);
    g_test_add_func ("/monitor/address/scrub", test_scrub);
    g_test_add_func ("/monitor/address/scrub-path", test_scrub_path);
    g_test_add_func ("/monitor/address/scrub-control", test_scrub_control);
    g_test_add_func ("/monitor/gate/keys", test_gate);
    g_test_add_func ("/monitor/gate/apart", test_gate_apart);
    g_test_add_func ("/monitor/picture/shape", test_picture);
    status = g_test_run ();
    for (guint i = 0; i < 3; i++) {
        static const char *const names[] = { "monitor.json", "secrets.json", "token" };
        g_autofree char *path = g_build_filename (directory, names[i], NULL);

        g_unlink (path);
    }
    g_rmdir (directory);
    g_free (directory);
    return status;
}
