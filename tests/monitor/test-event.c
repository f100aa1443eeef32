/* altclip: tests of the monitor's events
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "event.h"

#include <math.h>
#include <string.h>

static GstStructure *
new_structure (const char *kind)
{
    return gst_structure_new ("altclip", "event", G_TYPE_STRING, kind, "label", G_TYPE_STRING,
            "a cat", "index", G_TYPE_UINT, 1, "score", G_TYPE_DOUBLE, 0.75, "cosine", G_TYPE_DOUBLE,
            0.3, "revision", G_TYPE_UINT, 2, "score-mode", G_TYPE_STRING, "softmax", "pts",
            G_TYPE_UINT64, G_GUINT64_CONSTANT (40000000), "stream-time", G_TYPE_UINT64,
            G_GUINT64_CONSTANT (40000000), "running-time", G_TYPE_UINT64,
            G_GUINT64_CONSTANT (40000000), "utc", G_TYPE_STRING, "2026-02-03T04:05:06.123457Z",
            "utc-source", G_TYPE_STRING, "wall", "stream-id", G_TYPE_STRING, "s", NULL);
}

static GstStructure *
new_end (void)
{
    GstStructure *structure = new_structure ("end");

    gst_structure_set (structure, "duration", G_TYPE_UINT64, G_GUINT64_CONSTANT (2500000000),
            "peak", G_TYPE_DOUBLE, 0.875, "reason", G_TYPE_STRING, "score", NULL);
    return structure;
}

static void
set_region (GstStructure *structure)
{
    static const double numbers[] = { 0.0, 0.25, 1.0, 1.0 / 3.0 };
    GValue array = G_VALUE_INIT;

    g_value_init (&array, GST_TYPE_ARRAY);
    for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
        GValue number = G_VALUE_INIT;

        g_value_init (&number, G_TYPE_DOUBLE);
        g_value_set_double (&number, numbers[i]);
        gst_value_array_append_and_take_value (&array, &number);
    }
    gst_structure_take_value (structure, "region", &array);
}

static void
expect_json (const MonitorEvent *event, const char *expected)
{
    json_t *object = monitor_event_to_json (event);
    char *text = json_dumps (object, JSON_COMPACT);

    g_assert_cmpstr (text, ==, expected);
    free (text);
    json_decref (object);
}

static void
test_begin (void)
{
    g_autoptr (GstStructure) structure = new_structure ("begin");
    g_autoptr (MonitorEvent) event = monitor_event_new_from_structure ("gate", structure, NULL);

    g_assert_cmpstr (event->camera, ==, "gate");
    g_assert_cmpstr (event->label, ==, "a cat");
    g_assert_cmpint (event->time, ==, G_GINT64_CONSTANT (1770091506123457));
    expect_json (event, "{\"id\":0,\"camera\":\"gate\",\"label\":\"a cat\",\"kind\":\"begin\","
                        "\"time\":\"2026-02-03T04:05:06.123457Z\",\"score\":0.75,\"peak\":0.75,"
                        "\"thumbnail\":false}");
}

static void
test_end (void)
{
    g_autoptr (GstStructure) structure = new_end ();
    g_autoptr (GBytes) thumbnail = g_bytes_new_static ("jpeg", 4);
    g_autoptr (MonitorEvent) event = NULL;

    set_region (structure);
    event = monitor_event_new_from_structure ("gate", structure, thumbnail);
    g_assert_cmpuint (event->duration, ==, G_GUINT64_CONSTANT (2500000000));
    g_assert_true (event->thumbnail == thumbnail);
    expect_json (event, "{\"id\":0,\"camera\":\"gate\",\"label\":\"a cat\",\"kind\":\"end\","
                        "\"time\":\"2026-02-03T04:05:06.123457Z\",\"score\":0.75,\"peak\":0.875,"
                        "\"duration\":2.5,\"reason\":\"score\",\"region\":\"0,0.25,1,0.333333\","
                        "\"thumbnail\":true}");
}

/* As altclippublish says it, but for the number of the line. */
static void
test_published (void)
{
    g_autoptr (GstStructure) structure = new_end ();
    g_autoptr (MonitorEvent) event = monitor_event_new_from_structure ("gate", structure, NULL);
    json_t *object = json_loads (event->json, 0, NULL);

    g_assert_nonnull (object);
    g_assert_null (json_object_get (object, "sequence"));
    g_assert_cmpstr (json_string_value (json_object_get (object, "source")), ==, "gate");
    g_assert_cmpstr (json_string_value (json_object_get (object, "event")), ==, "end");
    g_assert_cmpint (json_integer_value (json_object_get (object, "duration")), ==, 2500000000LL);
    g_assert_cmpint (json_integer_value (json_object_get (object, "timestamp")), ==, 40000000);
    g_assert_null (strchr (event->json, '\n'));
    json_decref (object);
}

static void
test_others (void)
{
    g_autoptr (GstStructure) result = new_structure ("result");
    g_autoptr (GstStructure) state = new_structure ("state");
    g_autoptr (GstStructure) nothing = gst_structure_new_empty ("altclip");
    g_autoptr (GstStructure) unnamed =
            gst_structure_new ("altclip", "event", G_TYPE_STRING, "begin", NULL);

    g_assert_null (monitor_event_new_from_structure ("gate", result, NULL));
    g_assert_null (monitor_event_new_from_structure ("gate", state, NULL));
    g_assert_null (monitor_event_new_from_structure ("gate", nothing, NULL));
    g_assert_null (monitor_event_new_from_structure ("gate", unnamed, NULL));
}

/* A frame's own time may be no time, and then it is this machine's. */
static void
test_without_time (void)
{
    static const char *const times[] = { "", "yesterday", "2026-02-30T25:00:00Z" };

    for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
        g_autoptr (GstStructure) structure = new_structure ("begin");
        gint64 before = g_get_real_time ();
        g_autoptr (MonitorEvent) event = NULL;

        gst_structure_set (structure, "utc", G_TYPE_STRING, times[i], NULL);
        event = monitor_event_new_from_structure ("gate", structure, NULL);
        g_assert_cmpint (event->time, >=, before);
        g_assert_cmpint (event->time, <=, g_get_real_time ());
    }
}

static void
test_strange_values (void)
{
    g_autoptr (GstStructure) structure = new_end ();
    g_autoptr (MonitorEvent) event = NULL;
    json_t *object;

    gst_structure_set (structure, "score", G_TYPE_DOUBLE, (double)NAN, "peak", G_TYPE_DOUBLE,
            (double)INFINITY, "region", G_TYPE_STRING, "all", NULL);
    event = monitor_event_new_from_structure ("caf\xe9", structure, NULL);
    g_assert_true (g_utf8_validate (event->camera, -1, NULL));
    g_assert_true (g_utf8_validate (event->json, -1, NULL));
    g_assert_null (event->region);
    object = monitor_event_to_json (event);
    g_assert_cmpfloat (json_real_value (json_object_get (object, "score")), ==, 0.0);
    g_assert_cmpfloat (json_real_value (json_object_get (object, "peak")), ==, 0.0);
    json_decref (object);
}

static void
expect_time (gint64 time, const char *expected)
{
    g_autofree char *text = monitor_event_format_time (time);

    g_assert_cmpstr (text, ==, expected);
}

static void
test_times (void)
{
    expect_time (0, "1970-01-01T00:00:00.000000Z");
    expect_time (-1, "1969-12-31T23:59:59.999999Z");
    expect_time (G_GINT64_CONSTANT (1700000000000001), "2023-11-14T22:13:20.000001Z");
    expect_time (G_MAXINT64, NULL);
    expect_time (G_MININT64, NULL);
}

int
main (int argc, char **argv)
{
    gst_init (NULL, NULL);
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/monitor/event/begin", test_begin);
    g_test_add_func ("/monitor/event/end", test_end);
    g_test_add_func ("/monitor/event/published", test_published);
    g_test_add_func ("/monitor/event/others", test_others);
    g_test_add_func ("/monitor/event/without-time", test_without_time);
    g_test_add_func ("/monitor/event/strange-values", test_strange_values);
    g_test_add_func ("/monitor/event/times", test_times);
    return g_test_run ();
}
