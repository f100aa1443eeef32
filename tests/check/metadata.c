/* altclip: tests of altclipfilter's metadata on its way through pipelines
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <math.h>
#include <string.h>

#include "crop.h"
#include "models.h"
#include "rig.h"

#if HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

/* ---- What other elements keep ---------------------------------------------------------------- */

#define N_FRAMES 6

/* Metadata as it left the element, by the frame's time. */
typedef struct {
    GMutex lock;
    GHashTable *tags; /* guint64 → GstStructure */
} Record;

static GstPadProbeReturn
record_tags (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data)
{
    Record *record = user_data;
    const GstStructure *tags = get_tags (gst_pad_probe_info_get_buffer (info));
    guint64 pts = get_frame_pts (tags);

    g_mutex_lock (&record->lock);
    g_hash_table_insert (record->tags, g_memdup2 (&pts, sizeof pts), gst_structure_copy (tags));
    g_mutex_unlock (&record->lock);
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
add_regions (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info, gpointer user_data G_GNUC_UNUSED)
{
    GstBuffer *buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));

    gst_buffer_add_video_region_of_interest_meta (buffer, "person", 10, 20, 60, 80)->id = 4;
    gst_buffer_add_video_region_of_interest_meta (buffer, "car", 100, 20, 60, 80);
    info->data = buffer;
    return GST_PAD_PROBE_OK;
}

static void
add_probe (GstElement *pipeline, const char *name, GstPadProbeCallback callback, gpointer data)
{
    g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
    g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "src");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, data, NULL);
}

/* Whatever comes out tagged has the tags of a frame, as they were; and each frame comes out. */
static void
check_output (GstElement *pipeline, Record *record, const char *chain)
{
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GHashTable) found = g_hash_table_new (NULL, NULL);
    GstSample *sample;

    for (;;) {
        const GstStructure *tags;
        GstStructure *expected;
        guint64 pts;

        g_signal_emit_by_name (sink, "pull-sample", &sample);
        if (!sample)
            break;
        tags = get_tags (gst_sample_get_buffer (sample));
        if (tags) {
            pts = get_frame_pts (tags);
            g_mutex_lock (&record->lock);
            expected = g_hash_table_lookup (record->tags, &pts);
            g_mutex_unlock (&record->lock);
            fail_unless (expected && gst_structure_is_equal (tags, expected),
                    "%s: %" GST_PTR_FORMAT " instead of %" GST_PTR_FORMAT, chain, tags, expected);
            g_hash_table_add (found, expected);
        }
        gst_sample_unref (sample);
    }
    fail_unless (g_hash_table_size (found) == N_FRAMES, "%s: %u frames of %u", chain,
            g_hash_table_size (found), N_FRAMES);
}

static void
expect_kept (const char *properties, const char *chain)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=%u pattern=ball ! "
            "video/x-raw,format=I420,width=160,height=120,framerate=10/1 ! identity name=before ! "
            "altclipfilter name=filter model=%s mode=exact prompts=ä;狗 attach-embedding=true %s ! "
            "%s ! appsink name=sink sync=false",
            N_FRAMES, models_get_quick (), properties, chain);
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
    Record record = { .tags = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                              (GDestroyNotify)gst_structure_free) };

    g_assert_no_error (error);
    g_mutex_init (&record.lock);
    add_probe (pipeline, "before", add_regions, NULL);
    add_probe (pipeline, "filter", record_tags, &record);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    check_output (pipeline, &record, chain);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    fail_unless_equals_int (g_hash_table_size (record.tags), N_FRAMES);
    g_hash_table_unref (record.tags);
    g_mutex_clear (&record.lock);
}

/* Elements that pass on, convert, encode, pay and mux. */
static const char *const keepers[] = {
    "queue",
    "tee",
    "identity",
    "videoconvert ! video/x-raw,format=RGB",
    "videoscale ! video/x-raw,width=80,height=60",
    "videoconvert ! video/x-raw,format=NV12 ! queue ! videoscale ! video/x-raw,width=320,height=98",
    "videorate ! video/x-raw,framerate=10/1",
    "videorate ! video/x-raw,framerate=60/1",
    "videoflip method=clockwise",
    "videocrop left=8 top=4",
    "rtpvrawpay",
    "rtpvrawpay ! rtpvrawdepay",
    "jpegenc",
    "jpegenc ! rtpjpegpay",
    "jpegenc ! rtpjpegpay ! rtpjpegdepay ! jpegdec",
    "jpegenc ! avimux",
    "jpegenc ! qtmux",
    "vp8enc deadline=1 ! rtpvp8pay",
    "vp8enc deadline=1 lag-in-frames=0 ! matroskamux",
};

GST_START_TEST (test_tags_are_kept)
{
    for (guint i = 0; i < G_N_ELEMENTS (keepers); i++)
        expect_kept ("region=0.25,0.25,0.5,0.5", keepers[i]);
}
GST_END_TEST;

GST_START_TEST (test_regions_are_kept)
{
    for (guint i = 0; i < G_N_ELEMENTS (keepers); i++)
        expect_kept ("inference-region=roi-list", keepers[i]);
}
GST_END_TEST;

/* ---- Nothing is written to what others hold -------------------------------------------------- */

static GstVideoRegionOfInterestMeta *
get_roi (GstBuffer *buffer)
{
    return gst_buffer_get_video_region_of_interest_meta (buffer);
}

static void
expect_untouched (const char *mode, const char *inference_region)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", mode, "inference-region",
            inference_region, "post-messages", "none", NULL);
    guint n_tagged = 0;

    for (guint i = 0; i < 3000 && n_tagged < 5; i++) {
        g_autoptr (GstBuffer) held = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        gst_buffer_add_video_region_of_interest_meta (held, "car", 0, 0, 20, 20);
        gst_harness_push (rig->harness, gst_buffer_ref (held));
        buffer = gst_harness_pull (rig->harness);
        g_usleep (2000);
        fail_unless (get_tags (held) == NULL);
        fail_unless (get_roi (held)->params == NULL);
        if (!get_tags (buffer))
            continue;
        n_tagged++;
        fail_unless (buffer != held);
        fail_unless_equals_int (
                get_roi (buffer)->params != NULL, g_str_equal (inference_region, "roi-list"));
        /* Its pixels were not copied. */
        fail_unless (gst_buffer_peek_memory (buffer, 0) == gst_buffer_peek_memory (held, 0));
    }
    fail_unless_equals_int (n_tagged, 5);
    rig_free (rig);
}

GST_START_TEST (test_shared_buffers_stay_untouched)
{
    expect_untouched ("exact", "full-frame");
    expect_untouched ("exact", "roi-list");
    expect_untouched ("live", "full-frame");
    expect_untouched ("live", "roi-list");
}
GST_END_TEST;

/* Behind a tee, the other branch sees the frames as they were. */
GST_START_TEST (test_tee)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=10 ! video/x-raw,format=RGB,width=64,height=48 ! tee name=t "
            "! "
            "queue ! altclipfilter model=%s mode=exact prompts=a;b ! appsink name=tagged sync=false"
            " t. ! queue ! appsink name=plain sync=false",
            models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) tagged = gst_bin_get_by_name (GST_BIN (pipeline), "tagged");
    g_autoptr (GstElement) plain = gst_bin_get_by_name (GST_BIN (pipeline), "plain");

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i < 10; i++) {
        g_autoptr (GstSample) with = NULL;
        g_autoptr (GstSample) without = NULL;

        g_signal_emit_by_name (tagged, "pull-sample", &with);
        g_signal_emit_by_name (plain, "pull-sample", &without);
        fail_unless (get_tags (gst_sample_get_buffer (with)) != NULL);
        fail_unless (get_tags (gst_sample_get_buffer (without)) == NULL);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

/* ---- One after another ----------------------------------------------------------------------- */

static const GstStructure *
get_upstream (const GstStructure *structure)
{
    const GValue *value = gst_structure_get_value (structure, "upstream");

    return value ? gst_value_get_structure (value) : NULL;
}

static const GstStructure *
get_param (GstBuffer *buffer, guint *n_params)
{
    GstVideoRegionOfInterestMeta *roi = get_roi (buffer);

    *n_params = g_list_length (roi->params);
    return gst_video_region_of_interest_meta_get_param (roi, "altclip-region");
}

static guint
get_n_results (const GstStructure *structure)
{
    return gst_value_array_get_size (gst_structure_get_value (structure, "results"));
}

/* Three in a row, of frames, of regions and of frames: each has the one before it inside, on the
 * buffer and on the region. */
GST_START_TEST (test_filters_in_a_row)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=160,height=120 ! "
            "identity name=before ! "
            "altclipfilter name=first model=%1$s mode=exact prompts=a;b inference-region=roi-list "
            "! "
            "altclipfilter name=second model=%1$s mode=exact prompts=c;d;e ! "
            "altclipfilter name=third model=%1$s mode=exact prompts=f;g;h;i object-class=person "
            "inference-region=roi-list ! appsink name=sink",
            models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstSample) sample = NULL;
    static const char *const names[] = { "third", "second", "first" };
    const GstStructure *tags;
    const GstStructure *param;
    guint n_params;

    add_probe (pipeline, "before", add_regions, NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    g_signal_emit_by_name (sink, "pull-sample", &sample);
    fail_unless (sample != NULL);
    tags = get_tags (gst_sample_get_buffer (sample));
    for (guint i = 0; i < G_N_ELEMENTS (names); i++, tags = get_upstream (tags)) {
        fail_unless (tags != NULL);
        fail_unless_equals_string (gst_structure_get_string (tags, "element"), names[i]);
        fail_unless_equals_int (gst_structure_has_field (tags, "regions"), i != 1);
        fail_unless_equals_int (get_n_results (tags), i == 1 ? 3 : 0);
    }
    fail_unless (tags == NULL);
    /* The region of a person. */
    param = get_param (gst_sample_get_buffer (sample), &n_params);
    fail_unless_equals_int (n_params, 1);
    fail_unless_equals_int (get_n_results (param), 4);
    fail_unless_equals_int (get_n_results (get_upstream (param)), 2);
    fail_unless (get_upstream (get_upstream (param)) == NULL);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

/* ---- Embeddings ------------------------------------------------------------------------------ */

/* Off unless asked for, switched while playing, and of unit length. */
GST_START_TEST (test_embedding)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);

    for (guint i = 0; i < 6; i++) {
        g_autoptr (GstBuffer) buffer = NULL;
        const GValue *value;
        double sum = 0;
        GstMapInfo map;

        g_object_set (rig->element, "attach-embedding", i % 2, NULL);
        gst_harness_push (rig->harness, new_textured_frame (i));
        buffer = gst_harness_pull (rig->harness);
        value = gst_structure_get_value (get_tags (buffer), "embedding");
        fail_unless_equals_int (value != NULL, i % 2);
        if (!value)
            continue;
        expect_crop (
                gst_value_get_buffer (value), buffer, &(AltclipRectangle){ 0, 0, WIDTH, HEIGHT });
        gst_buffer_map (gst_value_get_buffer (value), &map, GST_MAP_READ);
        for (guint j = 0; j < map.size / sizeof (float); j++)
            sum += pow (((const float *)map.data)[j], 2);
        gst_buffer_unmap (gst_value_get_buffer (value), &map);
        fail_unless (fabs (sum - 1.0) < 1e-5);
    }
    rig_free (rig);
}
GST_END_TEST;

#if HAVE_GST_ANALYTICS

/* ---- GstAnalytics ---------------------------------------------------------------------------- */

static GstBuffer *
push_and_pull (Rig *rig, GstBuffer *buffer)
{
    fail_unless_equals_int (gst_harness_push (rig->harness, buffer), GST_FLOW_OK);
    return gst_harness_pull (rig->harness);
}

static guint
count_classifications (GstBuffer *buffer)
{
    GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
    gpointer state = NULL;
    GstAnalyticsMtd mtd;
    guint n = 0;

    while (meta && gst_analytics_relation_meta_iterate (
                           meta, &state, gst_analytics_cls_mtd_get_mtd_type (), &mtd))
        n++;
    return n;
}

/* That this classification says what the label does. */
static void
expect_classification (GstAnalyticsClsMtd *mtd, const GstStructure *label)
{
    double score = -1;

    gst_structure_get_double (label, "score", &score);
    fail_unless_equals_int (gst_analytics_cls_mtd_get_length (mtd), 1);
    fail_unless_equals_string (g_quark_to_string (gst_analytics_cls_mtd_get_quark (mtd, 0)),
            gst_structure_get_string (label, "label"));
    fail_unless (fabs (gst_analytics_cls_mtd_get_level (mtd, 0) - score) < 1e-6);
}

/* One for each active label of a frame, best first, related to nothing. */
GST_START_TEST (test_classifications_of_frames)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a red bus;ein Dackel über Köln;狗", "mode",
            "exact", "threshold", "0", NULL);
    g_autoptr (GstBuffer) buffer = push_and_pull (rig, new_textured_frame (0));
    GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
    gpointer state = NULL;
    GstAnalyticsMtd mtd;

    fail_unless_equals_int (count_classifications (buffer), 3);
    for (guint i = 0; i < 3; i++) {
        fail_unless (gst_analytics_relation_meta_iterate (
                meta, &state, gst_analytics_cls_mtd_get_mtd_type (), &mtd));
        expect_classification (&mtd, get_label (get_tags (buffer), i));
        for (guint j = 0; j < 3; j++)
            fail_unless_equals_int (gst_analytics_relation_meta_get_relation (meta, mtd.id, j),
                    GST_ANALYTICS_REL_TYPE_NONE);
    }
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_no_classification_of_what_is_not_active)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b;c", "mode", "exact", "threshold", "1", NULL);
    g_autoptr (GstBuffer) buffer = push_and_pull (rig, new_textured_frame (0));

    fail_unless (get_tags (buffer) != NULL);
    fail_unless (gst_buffer_get_analytics_relation_meta (buffer) == NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Their memory grows with the square of their number, so there is an end to it. */
GST_START_TEST (test_classifications_are_bounded)
{
    g_autoptr (GString) prompts = g_string_new ("a0");
    g_autoptr (GstBuffer) buffer = NULL;
    Rig *rig;

    for (guint i = 1; i < 600; i++)
        g_string_append_printf (prompts, ";a%u", i);
    rig = rig_new (models_get_quick (), "prompts", prompts->str, "mode", "exact", "threshold", "0",
            "post-messages", "none", NULL);
    buffer = push_and_pull (rig, new_textured_frame (0));
    fail_unless_equals_int (get_n_labels (get_tags (buffer)), 600);
    fail_unless_equals_int (count_classifications (buffer), 256);
    rig_free (rig);
}
GST_END_TEST;

static guint
add_object (GstBuffer *buffer, const char *type, gint x, gint y, gint w, gint h)
{
    GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta (buffer);
    GstAnalyticsODMtd mtd;

    fail_unless (gst_analytics_relation_meta_add_od_mtd (
            meta, g_quark_from_string (type), x, y, w, h, 0.9f, &mtd));
    return mtd.id;
}

static void
add_track (GstBuffer *buffer, guint od, guint64 id)
{
    GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta (buffer);
    GstAnalyticsTrackingMtd mtd;

    fail_unless (gst_analytics_relation_meta_add_tracking_mtd (meta, id, 0, &mtd));
    fail_unless (gst_analytics_relation_meta_set_relation (
            meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, od, mtd.id));
}

static const GstStructure *
get_region (GstBuffer *buffer, guint index)
{
    const GValue *regions = gst_structure_get_value (get_tags (buffer), "regions");

    fail_unless (index < gst_value_array_get_size (regions));
    return gst_value_get_structure (gst_value_array_get_value (regions, index));
}

static guint
get_n_regions (GstBuffer *buffer)
{
    const GstStructure *tags = get_tags (buffer);

    return tags ? gst_value_array_get_size (gst_structure_get_value (tags, "regions")) : 0;
}

/* That the object has the region's two labels as classifications, related both ways. */
static void
expect_related (GstBuffer *buffer, guint od, const GstStructure *region)
{
    GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
    gpointer state = NULL;
    GstAnalyticsMtd mtd;

    for (guint i = 0; i < 2; i++) {
        fail_unless (gst_analytics_relation_meta_get_direct_related (meta, od,
                GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_cls_mtd_get_mtd_type (), &state,
                &mtd));
        expect_classification (&mtd, get_label (region, i));
        fail_unless_equals_int (gst_analytics_relation_meta_get_relation (meta, od, mtd.id),
                GST_ANALYTICS_REL_TYPE_RELATE_TO | GST_ANALYTICS_REL_TYPE_CONTAIN);
        fail_unless_equals_int (gst_analytics_relation_meta_get_relation (meta, mtd.id, od),
                GST_ANALYTICS_REL_TYPE_IS_PART_OF);
    }
    fail_if (gst_analytics_relation_meta_get_direct_related (meta, od,
            GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_cls_mtd_get_mtd_type (), &state, &mtd));
}

static Rig *
object_rig_new (void)
{
    return rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "inference-region",
            "roi-list", "threshold", "0", "attach-embedding", "true", NULL);
}

static GstBuffer *
get_region_embedding (const GstStructure *region)
{
    return gst_value_get_buffer (gst_structure_get_value (region, "embedding"));
}

/* Objects are regions, whose id is their track's: none without one, and 0 is one too. */
GST_START_TEST (test_objects)
{
    Rig *rig = object_rig_new ();
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;
    static const char *const types[] = { "car", "person", "dog" };
    static const AltclipRectangle parts[] = { { 0, 0, 20, 20 }, { 30, 0, 34, 10 },
        { 0, 30, 8, 10 } };
    guint ods[3];

    ods[0] = add_object (frame, "car", 0, 0, 20, 20);
    add_object (frame, "off", 64, 0, 20, 20);
    add_object (frame, "off", -20, 0, 20, 20);
    add_object (frame, "empty", 10, 10, 0, 0);
    add_object (frame, "negative", 10, 10, -5, -5);
    ods[1] = add_object (frame, "person", 30, -10, 1000, 20);
    add_object (frame, "far off", G_MININT, 30, G_MAXINT, 10);
    ods[2] = add_object (frame, "dog", -2, 30, 10, 10);
    add_track (frame, ods[0], 77);
    add_track (frame, ods[2], 0);
    buffer = push_and_pull (rig, frame);
    fail_unless_equals_int (get_n_regions (buffer), 3);
    for (guint i = 0; i < 3; i++) {
        const GstStructure *region = get_region (buffer, i);

        fail_unless_equals_string (gst_structure_get_string (region, "type"), types[i]);
        expect_crop (get_region_embedding (region), buffer, &parts[i]);
        expect_related (buffer, ods[i], region);
    }
    fail_unless_equals_int (count_classifications (buffer), 6);
    for (guint i = 0; i < 4; i++) {
        g_autoptr (GstMessage) message = pop_event (rig->bus, "begin");
        guint id = 1;

        fail_unless (gst_structure_get_uint (gst_message_get_structure (message), "id", &id));
        fail_unless_equals_int (id, i < 2 ? 77 : 0);
    }
    rig_free (rig);
}
GST_END_TEST;

/* An object that is there as a region of interest too is one region; what has no object gets no
 * classification, which would be said of the frame. */
GST_START_TEST (test_objects_with_regions_of_interest)
{
    Rig *rig = object_rig_new ();
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;
    GstVideoRegionOfInterestMeta *roi;
    guint other;
    guint od;
    guint id;

    other = add_object (frame, "person", 0, 0, 8, 8);
    od = add_object (frame, "car", 20, 10, 20, 20);
    gst_buffer_add_video_region_of_interest_meta (frame, "bus", 5, 5, 20, 20)->id = 3;
    roi = gst_buffer_add_video_region_of_interest_meta (frame, "car", 20, 10, 20, 20);
    roi->id = (gint)od; /* as DL Streamer has it */
    buffer = push_and_pull (rig, frame);
    fail_unless_equals_int (get_n_regions (buffer), 3);
    fail_unless_equals_string (gst_structure_get_string (get_region (buffer, 0), "type"), "bus");
    fail_unless_equals_string (gst_structure_get_string (get_region (buffer, 1), "type"), "car");
    fail_unless_equals_string (gst_structure_get_string (get_region (buffer, 2), "type"), "person");
    fail_unless (gst_structure_get_uint (get_region (buffer, 1), "id", &id));
    fail_unless_equals_int (id, 0);
    expect_related (buffer, od, get_region (buffer, 1));
    expect_related (buffer, other, get_region (buffer, 2));
    fail_unless_equals_int (count_classifications (buffer), 4);
    /* Events of the one with an id alone. */
    for (guint i = 0; i < 2; i++) {
        g_autoptr (GstMessage) message = pop_event (rig->bus, "begin");

        fail_unless_equals_string (
                gst_structure_get_string (gst_message_get_structure (message), "type"), "bus");
    }
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT) == NULL);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_objects_of_a_class)
{
    Rig *rig = object_rig_new ();
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;

    g_object_set (rig->element, "object-class", "person", NULL);
    add_object (frame, "car", 0, 0, 20, 20);
    add_object (frame, "person", 30, 0, 20, 20);
    buffer = push_and_pull (rig, frame);
    fail_unless_equals_int (get_n_regions (buffer), 1);
    fail_unless_equals_string (gst_structure_get_string (get_region (buffer, 0), "type"), "person");
    rig_free (rig);
}
GST_END_TEST;

/* A late result goes to the object with its track, and its classifications with it. */
GST_START_TEST (test_late_results_of_objects)
{
    Rig *rig = object_rig_new ();

    g_object_set (rig->element, "interval", 1000 * GST_SECOND, NULL);
    for (guint i = 0; i < 3; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;
        guint od;

        if (i == 2)
            add_object (frame, "car", 0, 30, 10, 10);
        od = add_object (frame, "car", (gint)(20 * i), 0, 20, 20);
        add_track (frame, od, 5);
        buffer = push_and_pull (rig, frame);
        fail_unless_equals_int (get_n_regions (buffer), 1);
        fail_unless_equals_int64 (get_age (get_region (buffer, 0)), (gint64)(i * FRAME));
        expect_related (buffer, od, get_region (buffer, 0));
    }
    rig_free (rig);
}
GST_END_TEST;

/* What another element classified stays as it is; nothing is added to a buffer that others hold. */
GST_START_TEST (test_relations_of_others_stay)
{
    Rig *rig = object_rig_new ();
    g_autoptr (GstBuffer) held = new_textured_frame (0);
    guint od = add_object (held, "car", 0, 0, 20, 20);
    GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (held);
    g_autoptr (GstBuffer) buffer = NULL;
    GstAnalyticsClsMtd mtd;

    fail_unless (gst_analytics_relation_meta_add_one_cls_mtd (
            meta, 0.5f, g_quark_from_string ("red"), &mtd));
    fail_unless (gst_analytics_relation_meta_set_relation (
            meta, GST_ANALYTICS_REL_TYPE_CONTAIN, od, mtd.id));
    buffer = push_and_pull (rig, gst_buffer_ref (held));
    fail_unless_equals_int (count_classifications (held), 1);
    fail_unless_equals_int (count_classifications (buffer), 3);
    expect_related (buffer, od, get_region (buffer, 0));
    meta = gst_buffer_get_analytics_relation_meta (buffer);
    fail_unless_equals_int (gst_analytics_relation_meta_get_relation (meta, od, mtd.id),
            GST_ANALYTICS_REL_TYPE_CONTAIN);
    rig_free (rig);
}
GST_END_TEST;

/* Through conversion and scaling, as upstream's own. */
GST_START_TEST (test_classifications_are_kept)
{
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=160,height=120 ! "
            "altclipfilter model=%s mode=exact prompts=a;b;c threshold=0 ! queue ! videoconvert ! "
            "video/x-raw,format=I420 ! videoscale ! video/x-raw,width=80,height=60 ! videorate ! "
            "tee ! appsink name=sink",
            models_get_quick ());
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstSample) sample = NULL;

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    g_signal_emit_by_name (sink, "pull-sample", &sample);
    fail_unless (sample != NULL);
    fail_unless_equals_int (count_classifications (gst_sample_get_buffer (sample)), 3);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

static void
add_analytics (Suite *suite)
{
    TCase *tests = tcase_create ("analytics");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_classifications_of_frames);
    tcase_add_test (tests, test_no_classification_of_what_is_not_active);
    tcase_add_test (tests, test_classifications_are_bounded);
    tcase_add_test (tests, test_objects);
    tcase_add_test (tests, test_objects_with_regions_of_interest);
    tcase_add_test (tests, test_objects_of_a_class);
    tcase_add_test (tests, test_late_results_of_objects);
    tcase_add_test (tests, test_relations_of_others_stay);
    tcase_add_test (tests, test_classifications_are_kept);
    suite_add_tcase (suite, tests);
}

#endif /* HAVE_GST_ANALYTICS */

#if GST_CHECK_VERSION(1, 24, 0)
/* As unixfdsink and unixfdsrc hand it to another process. */
GST_START_TEST (test_serialised)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "ä;狗", "mode", "exact", "region", "0,0,0.5,0.5", NULL);
    g_autoptr (GstBuffer) tagged = gst_harness_push_and_pull (rig->harness, new_numbered_frame (0));
    g_autoptr (GstBuffer) other = gst_buffer_new ();
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    GstCustomMeta *meta = gst_buffer_get_custom_meta (tagged, "AltClipMeta");
    guint32 consumed = 0;

    fail_unless (gst_meta_serialize_simple ((GstMeta *)meta, bytes));
    fail_unless (gst_meta_deserialize (other, bytes->data, bytes->len, &consumed) != NULL);
    fail_unless_equals_int (consumed, bytes->len);
    fail_unless (gst_structure_is_equal (get_tags (tagged), get_tags (other)));
    rig_free (rig);
}
GST_END_TEST;
#endif

/* ---- The suite ------------------------------------------------------------------------------- */

static void
add_tags (Suite *suite)
{
    TCase *tests = tcase_create ("tags");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_tags_are_kept);
    tcase_add_test (tests, test_regions_are_kept);
    tcase_add_test (tests, test_shared_buffers_stay_untouched);
    tcase_add_test (tests, test_tee);
    tcase_add_test (tests, test_filters_in_a_row);
    tcase_add_test (tests, test_embedding);
#if GST_CHECK_VERSION(1, 24, 0)
    tcase_add_test (tests, test_serialised);
#endif
    suite_add_tcase (suite, tests);
}

static Suite *
metadata_suite (void)
{
    Suite *suite = suite_create ("metadata");

    add_tags (suite);
#if HAVE_GST_ANALYTICS
    add_analytics (suite);
#endif
    return suite;
}

GST_CHECK_MAIN (metadata);
