/* altclip: tests of the parts of a frame that altclipfilter looks at
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <math.h>
#include <string.h>

#include "altclipobjects.h"
#include "altclipregions.h"
#include "crop.h"
#include "models.h"
#include "plans.h"
#include "rig.h"

static GstBuffer *
push_and_pull (Rig *rig, GstBuffer *buffer)
{
    fail_unless_equals_int (gst_harness_push (rig->harness, buffer), GST_FLOW_OK);
    return gst_harness_pull (rig->harness);
}

static double
get_number (const GValue *array, guint index)
{
    return g_value_get_double (gst_value_array_get_value (array, index));
}

static GstBuffer *
get_embedding (const GstStructure *structure)
{
    const GValue *value = gst_structure_get_value (structure, "embedding");

    fail_unless (value != NULL);
    return gst_value_get_buffer (value);
}

/* ---- region ---------------------------------------------------------------------------------- */

static void
expect_region_field (const GstStructure *structure, double x, double y, double w, double h)
{
    const GValue *region = gst_structure_get_value (structure, "region");
    const double expected[] = { x, y, w, h };

    fail_unless (region != NULL && GST_VALUE_HOLDS_ARRAY (region));
    fail_unless_equals_int (gst_value_array_get_size (region), 4);
    for (guint i = 0; i < 4; i++)
        fail_unless (fabs (get_number (region, i) - expected[i]) < 1e-9);
}

/* Looked at is just that part, rounded to whole pixels, and one at least. */
GST_START_TEST (test_region_exact)
{
    static const struct {
        const char *region;
        double numbers[4];
        AltclipRectangle part;
    } cases[] = {
        { "0.25,0.5,0.5,0.5", { 0.25, 0.5, 0.5, 0.5 }, { 16, 24, 32, 24 } },
        { " 0 , 0.0,1, 1 ", { 0, 0, 1, 1 }, { 0, 0, 64, 48 } },
        { "0.7,0.1,0.3,0.9", { 0.7, 0.1, 0.3, 0.9 }, { 45, 5, 19, 43 } },
        { "0.999,0.999,0.001,0.001", { 0.999, 0.999, 0.001, 0.001 }, { 63, 47, 1, 1 } },
        { "1e-3,0,1e-9,1e-9", { 1e-3, 0, 1e-9, 1e-9 }, { 0, 0, 1, 1 } },
        { "0.5,0,0.0001,1", { 0.5, 0, 0.0001, 1 }, { 32, 0, 1, 48 } },
    };
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "attach-embedding",
            "true", NULL);

    for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (GstBuffer) buffer = NULL;
        const double *numbers = cases[i].numbers;

        g_object_set (rig->element, "region", cases[i].region, NULL);
        buffer = push_and_pull (rig, new_textured_frame (i));
        expect_region_field (get_tags (buffer), numbers[0], numbers[1], numbers[2], numbers[3]);
        expect_crop (get_embedding (get_tags (buffer)), buffer, &cases[i].part);
    }
    rig_free (rig);
}
GST_END_TEST;

/* Without one there is no such field, and the frame is looked at. */
GST_START_TEST (test_region_unset)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "region",
            "0,0,0.5,0.5", "attach-embedding", "true", NULL);
    const char *values[] = { NULL, "" };

    for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
        g_autoptr (GstBuffer) buffer = NULL;

        g_object_set (rig->element, "region", values[i], NULL);
        buffer = push_and_pull (rig, new_textured_frame (i));
        fail_if (gst_structure_has_field (get_tags (buffer), "region"));
        expect_crop (get_embedding (get_tags (buffer)), buffer,
                &(AltclipRectangle){ 0, 0, WIDTH, HEIGHT });
    }
    rig_free (rig);
}
GST_END_TEST;

/* Live: new regions come into force, and a late result says which it is of. */
GST_START_TEST (test_region_live)
{
    static const char *regions[] = { "0,0,0.5,0.5", "0.5,0.5,0.5,0.5", "0.25,0.25,0.5,0.5" };
    static const double x[] = { 0, 0.5, 0.25 };
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "attach-embedding",
            "true", "region", regions[0], "post-messages", "none", NULL);
    guint at = 0;

    for (guint wanted = 0; wanted < G_N_ELEMENTS (regions);) {
        g_autoptr (GstBuffer) buffer = NULL;
        g_autoptr (GstBuffer) analysed = NULL;
        const GstStructure *tags;
        double found;

        fail_unless (at < 3000);
        g_object_set (rig->element, "region", regions[wanted], NULL);
        buffer = push_and_pull (rig, new_textured_frame (at++));
        tags = get_tags (buffer);
        g_usleep (5000);
        if (!tags)
            continue;
        found = get_number (gst_structure_get_value (tags, "region"), 0);
        analysed = new_textured_frame ((guint)((get_frame_pts (tags) + FRAME / 2) / FRAME));
        expect_crop (get_embedding (tags), analysed,
                &(AltclipRectangle){
                        (guint)(found * WIDTH), (guint)(found * HEIGHT), WIDTH / 2, HEIGHT / 2 });
        wanted += found == x[wanted];
    }
    rig_free (rig);
}
GST_END_TEST;

/* It is a part of what a crop meta leaves. */
GST_START_TEST (test_region_of_cropped_frames)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "attach-embedding",
            "true", "region", "0.5,0,0.5,0.25", NULL);
    GstBuffer *frame = new_textured_frame (0);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (frame);
    g_autoptr (GstBuffer) buffer = NULL;

    crop->x = 8;
    crop->y = 4;
    crop->width = 40;
    crop->height = 20;
    buffer = push_and_pull (rig, frame);
    expect_crop (get_embedding (get_tags (buffer)), buffer, &(AltclipRectangle){ 28, 4, 20, 5 });
    rig_free (rig);
}
GST_END_TEST;

/* Messages say which part they are of. */
GST_START_TEST (test_region_in_messages)
{
    static const char *events[] = { "begin", "result", "end" };
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "region",
            "0.5,0.25,0.25,0.5", "threshold", "0", "post-messages", "all", NULL);

    gst_buffer_unref (push_and_pull (rig, new_textured_frame (0)));
    gst_harness_push_event (rig->harness, gst_event_new_eos ());
    for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
        g_autoptr (GstMessage) message = pop_event (rig->bus, events[i]);

        expect_region_field (gst_message_get_structure (message), 0.5, 0.25, 0.25, 0.5);
    }
    rig_free (rig);
}
GST_END_TEST;

static const struct {
    const char *region;
    const char *text;
} bad_regions[] = {
    { "right half",
            "region \"right half\": must be four numbers x,y,w,h of 0 to 1, as in 0.5,0,0.5,1" },
    { "0,0,1", "region \"0,0,1\": must be four numbers x,y,w,h of 0 to 1, as in 0.5,0,0.5,1" },
    { "0,0,1,1,1",
            "region \"0,0,1,1,1\": must be four numbers x,y,w,h of 0 to 1, as in 0.5,0,0.5,1" },
    { "0;0;1;1", "region \"0;0;1;1\": must be four numbers x,y,w,h of 0 to 1, as in 0.5,0,0.5,1" },
    { "0,0,,1", "region \"0,0,,1\": must be four numbers x,y,w,h of 0 to 1, as in 0.5,0,0.5,1" },
    { "0,0,1,1x",
            "region \"0,0,1,1x\": must be four numbers x,y,w,h of 0 to 1, as in 0.5,0,0.5,1" },
    { "-0.1,0,1,1", "region \"-0.1,0,1,1\": x is -0.1, but must be at least 0 and at most 1" },
    { "0,1.5,1,1", "region \"0,1.5,1,1\": y is 1.5, but must be at least 0 and at most 1" },
    { "0,0,0,1", "region \"0,0,0,1\": w is 0, but must be above 0 and at most 1" },
    { "0,0,1,-1", "region \"0,0,1,-1\": h is -1, but must be above 0 and at most 1" },
    { "0.5,0,0.6,1", "region \"0.5,0,0.6,1\": x + w is 1.1, but must be above 0 and at most 1" },
    { "0,0.5,1,0.75", "region \"0,0.5,1,0.75\": y + h is 1.25, but must be above 0 and at most 1" },
    { "nan,0,1,1", "region \"nan,0,1,1\": x is nan, but must be at least 0 and at most 1" },
    { "0,0,inf,1", "region \"0,0,inf,1\": w is inf, but must be above 0 and at most 1" },
    { "320,240,100,100",
            "region \"320,240,100,100\": x is 320, but must be at least 0 and at most 1" },
    { "\xff,0,1,1\n",
            "region \"\xef\xbf\xbd,0,1,1\xef\xbf\xbd\": must be four numbers x,y,w,h of 0 to 1, as "
            "in 0.5,0,0.5,1" },
    { "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000,1",
            "region "
            "\"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "…\": must be four numbers x,y,w,h of 0 to 1, as in 0.5,0,0.5,1" },
};

static void
expect_no_warning (GstBus *bus)
{
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    g_autofree char *text = message ? get_text (message) : NULL;

    fail_unless (message == NULL, "%s", text);
}

/* One warning, the old region holds, and reading gives what was asked for. */
GST_START_TEST (test_bad_regions)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "attach-embedding",
            "true", "region", "0.5,0.5,0.5,0.5", NULL);

    for (guint i = 0; i < G_N_ELEMENTS (bad_regions); i++) {
        g_autoptr (GstBuffer) buffer = NULL;
        g_autofree char *asked = NULL;

        g_object_set (rig->element, "region", bad_regions[i].region, NULL);
        expect_text (rig->bus, GST_MESSAGE_WARNING, bad_regions[i].text);
        expect_no_warning (rig->bus);
        g_object_get (rig->element, "region", &asked, NULL);
        fail_unless_equals_string (asked, bad_regions[i].region);
        buffer = push_and_pull (rig, new_textured_frame (i));
        expect_region_field (get_tags (buffer), 0.5, 0.5, 0.5, 0.5);
        expect_crop (
                get_embedding (get_tags (buffer)), buffer, &(AltclipRectangle){ 32, 24, 32, 24 });
    }
    expect_no_warning (rig->bus);
    rig_free (rig);
}
GST_END_TEST;

/* Set before there is a bus, it is told of at the start; there is no other to hold. */
GST_START_TEST (test_bad_region_at_the_start)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "exact", "region", "0,0,2,1", NULL);
    g_autoptr (GstBuffer) buffer = push_and_pull (rig, new_textured_frame (0));

    expect_text (rig->bus, GST_MESSAGE_WARNING,
            "region \"0,0,2,1\": w is 2, but must be above 0 and at most 1");
    expect_no_warning (rig->bus);
    fail_if (gst_structure_has_field (get_tags (buffer), "region"));
    rig_free (rig);
}
GST_END_TEST;

/* Another region is looked at at once, however long the interval. */
GST_START_TEST (test_new_region_is_due_at_once)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "interval",
            "1000000000000", NULL);

    for (guint i = 0; i < 6; i++) {
        g_autoptr (GstBuffer) buffer = NULL;

        if (i == 3)
            g_object_set (rig->element, "region", "0,0,0.5,0.5", NULL);
        buffer = push_and_pull (rig, new_textured_frame (i));
        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), i / 3 * 3 * FRAME);
        fail_unless_equals_int (gst_structure_has_field (get_tags (buffer), "region"), i >= 3);
    }
    rig_free (rig);
}
GST_END_TEST;

static GstBuffer *
new_halves (guint number, guint8 left, guint8 right)
{
    GstBuffer *buffer = new_frame (number * FRAME, left, left, left);

    for (guint y = 0; y < HEIGHT; y++)
        gst_buffer_memset (buffer, 3 * (y * WIDTH + WIDTH / 2), right, 3 * WIDTH / 2);
    return buffer;
}

/* The motion gate looks at the same part. */
GST_START_TEST (test_motion_in_region)
{
    static const guint8 left[] = { 10, 60, 110, 160, 210, 210 };
    static const guint8 right[] = { 10, 10, 10, 10, 200, 200 };
    static const guint analysed[] = { 0, 0, 0, 0, 4, 4 };
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "region",
            "0.5,0,0.5,1", "motion-threshold", "0.1", NULL);

    for (guint i = 0; i < G_N_ELEMENTS (left); i++) {
        g_autoptr (GstBuffer) buffer = push_and_pull (rig, new_halves (i, left[i], right[i]));

        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), analysed[i] * FRAME);
    }
    rig_free (rig);
}
GST_END_TEST;

/* ---- Regions of interest --------------------------------------------------------------------- */

static void
add_roi (GstBuffer *buffer, const char *type, gint id, guint x, guint y, guint w, guint h)
{
    GstVideoRegionOfInterestMeta *meta =
            gst_buffer_add_video_region_of_interest_meta (buffer, type, x, y, w, h);

    meta->id = id;
}

static guint
get_n_regions (GstBuffer *buffer)
{
    const GstStructure *tags = get_tags (buffer);

    return tags ? gst_value_array_get_size (gst_structure_get_value (tags, "regions")) : 0;
}

static const GstStructure *
get_region (GstBuffer *buffer, guint index)
{
    const GValue *regions = gst_structure_get_value (get_tags (buffer), "regions");

    return gst_value_get_structure (gst_value_array_get_value (regions, index));
}

static double
get_field (const GstStructure *structure, const char *name)
{
    double number = -1;

    fail_unless (gst_structure_get_double (structure, name, &number));
    return number;
}

static guint
get_id (const GstStructure *structure)
{
    guint id = 0;

    fail_unless (gst_structure_get_uint (structure, "id", &id));
    return id;
}

static void
expect_part (const GstStructure *region, const AltclipRectangle *part)
{
    fail_unless_equals_float (get_field (region, "x"), (double)part->x / WIDTH);
    fail_unless_equals_float (get_field (region, "y"), (double)part->y / HEIGHT);
    fail_unless_equals_float (get_field (region, "w"), (double)part->width / WIDTH);
    fail_unless_equals_float (get_field (region, "h"), (double)part->height / HEIGHT);
}

/* That region number @index of the frame is this, and that its own part was looked at. */
static void
expect_region (
        GstBuffer *buffer, guint index, const char *type, guint id, const AltclipRectangle *part)
{
    const GstStructure *region = get_region (buffer, index);

    fail_unless (gst_structure_has_name (region, "altclip-region"));
    fail_unless_equals_string (gst_structure_get_string (region, "type"), type);
    fail_unless_equals_int (get_id (region), id);
    expect_part (region, part);
    fail_unless_equals_uint64 (get_frame_pts (region), GST_BUFFER_PTS (buffer));
    fail_unless_equals_int64 (get_age (region), 0);
    fail_unless_equals_int (get_n_labels (region), 2);
    expect_crop (get_embedding (region), buffer, part);
}

static Rig *
roi_rig_new (const char *mode)
{
    return rig_new (models_get_quick (), "prompts", "a;b", "mode", mode, "inference-region",
            "roi-list", "attach-embedding", "true", NULL);
}

GST_START_TEST (test_rois_of_several_types)
{
    Rig *rig = roi_rig_new ("exact");
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;

    add_roi (frame, "car", 3, 0, 0, 32, 20);
    add_roi (frame, "person", 7, 30, 10, 12, 30);
    add_roi (frame, "car", 0, 40, 40, 24, 8);
    buffer = push_and_pull (rig, frame);
    fail_unless (buffer == frame);
    fail_unless_equals_int (get_n_regions (buffer), 3);
    expect_region (buffer, 0, "car", 3, &(AltclipRectangle){ 0, 0, 32, 20 });
    expect_region (buffer, 1, "person", 7, &(AltclipRectangle){ 30, 10, 12, 30 });
    expect_region (buffer, 2, "car", 0, &(AltclipRectangle){ 40, 40, 24, 8 });
    /* The frame as a whole was not looked at. */
    fail_unless_equals_int (get_n_labels (get_tags (buffer)), 0);
    fail_if (gst_structure_has_field (get_tags (buffer), "embedding"));
    fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), 0);
    fail_unless_equals_int (get_revision (get_tags (buffer)), 1);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1);
    rig_free (rig);
}
GST_END_TEST;

/* Each region of interest has what `regions` has, as a parameter. */
GST_START_TEST (test_roi_parameters)
{
    Rig *rig = roi_rig_new ("exact");
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;
    gpointer state = NULL;

    g_object_set (rig->element, "object-class", "car", NULL);
    add_roi (frame, "car", 3, 0, 0, 32, 20);
    add_roi (frame, "person", 7, 30, 10, 12, 30);
    add_roi (frame, "car", 0, 40, 40, 24, 8);
    buffer = push_and_pull (rig, frame);
    for (guint i = 0; i < 3; i++) {
        GstMeta *meta = gst_buffer_iterate_meta_filtered (
                buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
        GstStructure *param = gst_video_region_of_interest_meta_get_param (
                (GstVideoRegionOfInterestMeta *)meta, "altclip-region");

        fail_unless_equals_int (param != NULL, i != 1);
        if (param)
            fail_unless (gst_structure_is_equal (param, get_region (buffer, i / 2)));
    }
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_object_class)
{
    Rig *rig = roi_rig_new ("exact");
    static const struct {
        const char *object_class;
        guint n_regions;
    } cases[] = { { "person", 1 }, { "car", 2 }, { NULL, 3 }, { "Car", 0 }, { "", 3 },
        { "nothing in the world is of this type", 0 } };

    for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        add_roi (frame, "car", 1, 0, 0, 32, 20);
        add_roi (frame, "person", 2, 30, 10, 12, 30);
        add_roi (frame, "car", 3, 40, 40, 24, 8);
        g_object_set (rig->element, "object-class", cases[i].object_class, NULL);
        buffer = push_and_pull (rig, frame);
        fail_unless_equals_int (get_n_regions (buffer), cases[i].n_regions);
        if (i == 0)
            expect_region (buffer, 0, "person", 2, &(AltclipRectangle){ 30, 10, 12, 30 });
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "skipped"), 2);
    /* A name that is set is no name that is kept. */
    fail_unless_equals_int (g_quark_try_string ("nothing in the world is of this type"), 0);
    rig_free (rig);
}
GST_END_TEST;

/* Regions reach to the frame's edge and no farther; those with no pixel in it are left out. */
GST_START_TEST (test_odd_regions)
{
    Rig *rig = roi_rig_new ("exact");
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;

    add_roi (frame, "one pixel", 0, 63, 47, 1, 1);
    add_roi (frame, "empty", 0, 10, 10, 0, 0);
    add_roi (frame, "no width", 0, 10, 10, 0, 5);
    add_roi (frame, "off", 0, 64, 0, 10, 10);
    add_roi (frame, "far off", 0, G_MAXUINT, G_MAXUINT, 10, 10);
    add_roi (frame, "huge", 0, 5, 6, G_MAXUINT, G_MAXUINT);
    add_roi (frame, "over the edge", 0, 60, 44, 10, 10);
    add_roi (frame, "sliver", 0, 20, 0, 1, 48);
    buffer = push_and_pull (rig, frame);
    fail_unless_equals_int (get_n_regions (buffer), 4);
    expect_region (buffer, 0, "one pixel", 0, &(AltclipRectangle){ 63, 47, 1, 1 });
    expect_region (buffer, 1, "huge", 0, &(AltclipRectangle){ 5, 6, 59, 42 });
    expect_region (buffer, 2, "over the edge", 0, &(AltclipRectangle){ 60, 44, 4, 4 });
    expect_region (buffer, 3, "sliver", 0, &(AltclipRectangle){ 20, 0, 1, 48 });
    rig_free (rig);
}
GST_END_TEST;

/* Upstream's names may be of any bytes, or none at all; what is attached and posted is UTF-8. */
GST_START_TEST (test_odd_types)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "inference-region",
            "roi-list", "attach-embedding", "true", "threshold", "0", NULL);
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;
    static const char *const types[] = { "t\xeate", "狗", "" };
    static const char *const shown[] = { "t\xef\xbf\xbdte", "狗", "" };

    for (guint i = 0; i < G_N_ELEMENTS (types); i++)
        add_roi (frame, types[i], 1 + (gint)i, i * 20, 0, 16, 20);
    gst_buffer_add_video_region_of_interest_meta_id (frame, 0, 0, 24, 8, 8);
    buffer = push_and_pull (rig, frame);
    fail_unless_equals_int (get_n_regions (buffer), 4);
    for (guint i = 0; i < G_N_ELEMENTS (types); i++)
        expect_region (buffer, i, shown[i], i + 1, &(AltclipRectangle){ i * 20, 0, 16, 20 });
    expect_region (buffer, 3, "", 0, &(AltclipRectangle){ 0, 24, 8, 8 });
    for (guint i = 0; i < 2 * G_N_ELEMENTS (types); i++) {
        g_autoptr (GstMessage) message = pop_event (rig->bus, "begin");

        fail_unless_equals_string (
                gst_structure_get_string (gst_message_get_structure (message), "type"),
                shown[i / 2]);
    }
    rig_free (rig);
}
GST_END_TEST;

/* A crop meta and `region` leave of the regions what lies in them. */
GST_START_TEST (test_regions_within_region)
{
    Rig *rig = roi_rig_new ("exact");
    GstBuffer *frame = new_textured_frame (0);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (frame);
    g_autoptr (GstBuffer) buffer = NULL;

    crop->x = 8;
    crop->y = 8;
    crop->width = 40;
    crop->height = 40;
    g_object_set (rig->element, "region", "0.5,0,0.5,1", NULL);
    add_roi (frame, "left", 1, 0, 0, 28, 48);
    add_roi (frame, "both", 2, 20, 0, 20, 20);
    add_roi (frame, "right", 3, 30, 10, 10, 10);
    buffer = push_and_pull (rig, frame);
    expect_region_field (get_tags (buffer), 0.5, 0, 0.5, 1);
    fail_unless_equals_int (get_n_regions (buffer), 2);
    expect_region (buffer, 0, "both", 2, &(AltclipRectangle){ 28, 8, 12, 12 });
    expect_region (buffer, 1, "right", 3, &(AltclipRectangle){ 30, 10, 10, 10 });
    rig_free (rig);
}
GST_END_TEST;

static void
add_many (GstBuffer *buffer, guint n, gint first_id)
{
    for (guint i = 0; i < n; i++)
        add_roi (buffer, "thing", first_id ? first_id + (gint)i : 0, i % 60, i / 60 * 7, 4, 7);
}

GST_START_TEST (test_two_hundred_regions)
{
    Rig *rig = roi_rig_new ("exact");
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;
    g_autoptr (GstStructure) stats = NULL;
    guint64 batches = 0;

    add_many (frame, 200, 0);
    buffer = push_and_pull (rig, frame);
    fail_unless_equals_int (get_n_regions (buffer), 200);
    for (guint i = 0; i < 200; i++)
        expect_region (buffer, i, "thing", 0, &(AltclipRectangle){ i % 60, i / 60 * 7, 4, 7 });
    /* In as few runs as there can be, on this quick model. */
    g_object_get (rig->element, "stats", &stats, NULL);
    fail_unless (gst_structure_get_uint64 (stats, "batches", &batches));
    fail_unless_equals_uint64 (batches, 200 / 8);
    expect_no_warning (rig->bus);
    rig_free (rig);
}
GST_END_TEST;

/* Regions that stay where they are need nothing worked out anew but in the first frame. */
GST_START_TEST (test_resampling_is_remembered)
{
    Rig *rig = roi_rig_new ("exact");
    guint before = plans_get_n_made ();

    for (guint i = 0; i < 6; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        add_many (frame, 32, 0);
        buffer = push_and_pull (rig, frame);
        fail_unless_equals_int (get_n_regions (buffer), 32);
    }
    /* The frame's own is made with the first. */
    fail_unless_equals_int (plans_get_n_made () - before, 32 + 1);
    rig_free (rig);
}
GST_END_TEST;

/* Beyond the most, the first ones count, and that is said once. */
GST_START_TEST (test_too_many_regions)
{
    Rig *rig = roi_rig_new ("exact");

    for (guint i = 0; i < 2; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        add_many (frame, 300, 0);
        buffer = push_and_pull (rig, frame);
        fail_unless_equals_int (get_n_regions (buffer), 256);
        expect_region (buffer, 255, "thing", 0, &(AltclipRectangle){ 15, 28, 4, 7 });
    }
    expect_text (
            rig->bus, GST_MESSAGE_WARNING, "A frame has 300 regions: the first 256 are looked at.");
    expect_no_warning (rig->bus);
    rig_free (rig);
}
GST_END_TEST;

/* Frames without regions pass as they came, the same buffers. */
GST_START_TEST (test_frames_without_regions)
{
    Rig *rig = roi_rig_new ("exact");

    for (guint i = 0; i < 20; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        if (i % 5 == 2)
            add_roi (frame, "car", 1, i, 0, 10, 10);
        buffer = push_and_pull (rig, frame);
        fail_unless (buffer == frame);
        fail_unless_equals_int (get_n_regions (buffer), i % 5 == 2);
        fail_unless_equals_int (get_tags (buffer) != NULL, i % 5 == 2);
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 4);
    fail_unless_equals_uint64 (rig_get_count (rig, "skipped"), 16);
    fail_unless_equals_uint64 (rig_get_count (rig, "reused"), 0);
    rig_free (rig);
}
GST_END_TEST;

/* DL Streamer's trackers write an object's number in a parameter; the region's own changes. */
GST_START_TEST (test_object_id_parameter)
{
    Rig *rig = roi_rig_new ("exact");

    for (guint i = 0; i < 2; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        add_roi (frame, "car", 100 + (gint)i, 5, 5, 20, 20);
        gst_video_region_of_interest_meta_add_param (
                gst_buffer_get_video_region_of_interest_meta (frame),
                gst_structure_new ("object_id", "id", G_TYPE_INT, 9, NULL));
        buffer = push_and_pull (rig, frame);
        expect_region (buffer, 0, "car", 9, &(AltclipRectangle){ 5, 5, 20, 20 });
    }
    rig_free (rig);
}
GST_END_TEST;

/* With an interval: a region that was analysed before has its result of then, at any place if it
 * has its id, near by if it is of the same type; one that was not has none. */
static void
check_later_frame (GstBuffer *buffer, GstClockTime analysed)
{
    const GstStructure *region;

    fail_unless_equals_int (get_n_regions (buffer), 2);
    fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), analysed);
    region = get_region (buffer, 0);
    fail_unless_equals_int (get_id (region), 1);
    expect_part (region, &(AltclipRectangle){ 0, 0, 10, 10 });
    fail_unless_equals_uint64 (get_frame_pts (region), analysed);
    fail_unless_equals_int64 (get_age (region), (gint64)(GST_BUFFER_PTS (buffer) - analysed));
    region = get_region (buffer, 1);
    fail_unless_equals_string (gst_structure_get_string (region, "type"), "person");
    expect_part (region, &(AltclipRectangle){ 20, 20, 20, 20 });
}

static void
add_first (GstBuffer *buffer)
{
    add_roi (buffer, "car", 1, 0, 0, 10, 10);
    add_roi (buffer, "person", 0, 20, 20, 20, 20);
    add_roi (buffer, "dog", 0, 50, 30, 10, 10);
}

static void
add_later (GstBuffer *buffer)
{
    add_roi (buffer, "car", 1, 50, 0, 10, 10);     /* by its id */
    add_roi (buffer, "person", 0, 23, 20, 20, 20); /* near by */
    add_roi (buffer, "dog", 0, 44, 30, 10, 10);    /* too far: 40 of 160 pixels in common */
    add_roi (buffer, "cat", 0, 50, 30, 10, 10);    /* of another type */
    add_roi (buffer, "car", 2, 30, 30, 10, 10);    /* new */
}

GST_START_TEST (test_exact_interval)
{
    Rig *rig = roi_rig_new ("exact");

    g_object_set (rig->element, "interval", 10 * GST_SECOND, NULL);
    for (guint i = 0; i < 10; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        /* A frame without regions does not take the turn of the next. */
        if (i == 1)
            add_first (frame);
        else if (i > 1 && i != 5)
            add_later (frame);
        buffer = push_and_pull (rig, frame);
        if (i == 0 || i == 5) {
            fail_unless (get_tags (buffer) == NULL);
        } else if (i == 1) {
            fail_unless_equals_int (get_n_regions (buffer), 3);
        } else {
            check_later_frame (buffer, FRAME);
        }
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1);
    fail_unless_equals_uint64 (rig_get_count (rig, "reused"), 7);
    rig_free (rig);
}
GST_END_TEST;

static void
wait_until_analysed (Rig *rig, guint64 n)
{
    for (guint i = 0; i < 60000 && rig_get_count (rig, "analysed") < n; i++)
        g_usleep (1000);
    fail_unless (rig_get_count (rig, "analysed") >= n);
}

GST_START_TEST (test_live_matching)
{
    Rig *rig = roi_rig_new ("live");
    guint at = 0;

    g_object_set (rig->element, "interval", 1000 * GST_SECOND, "max-age", 1000 * GST_SECOND, NULL);
    /* Until the model is there and a frame has been taken. */
    while (rig_get_count (rig, "total-analysed") == 0) {
        GstBuffer *frame = new_textured_frame (at++);

        add_first (frame);
        gst_buffer_unref (push_and_pull (rig, frame));
        g_usleep (10000);
    }
    wait_until_analysed (rig, 1);
    for (guint i = 0; i < 10; i++) {
        GstBuffer *frame = new_textured_frame (at + i);
        g_autoptr (GstBuffer) buffer = NULL;

        if (i % 5 != 3)
            add_later (frame);
        buffer = push_and_pull (rig, frame);
        if (i % 5 == 3) {
            fail_unless (buffer == frame && get_tags (buffer) == NULL);
        } else {
            check_later_frame (buffer, get_frame_pts (get_tags (buffer)));
        }
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1);
    rig_free (rig);
}
GST_END_TEST;

/* Live, while a thing moves on: its result is of an earlier frame, its id its own. */
GST_START_TEST (test_live_results_follow_ids)
{
    Rig *rig = roi_rig_new ("live");
    guint n_tagged = 0;

    for (guint i = 0; i < 3000 && n_tagged < 50; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;

        add_roi (frame, "car", 5, i % 54, 0, 10, 10);
        add_roi (frame, "car", 6, 53 - i % 54, 20, 10, 10);
        buffer = push_and_pull (rig, frame);
        g_usleep (2000);
        for (guint j = 0; j < get_n_regions (buffer); j++) {
            const GstStructure *region = get_region (buffer, j);
            guint number = (guint)((get_frame_pts (region) + FRAME / 2) / FRAME);
            g_autoptr (GstBuffer) analysed = new_textured_frame (number);
            AltclipRectangle part = { number % 54, 0, 10, 10 };

            if (j == 1)
                part = (AltclipRectangle){ 53 - number % 54, 20, 10, 10 };
            fail_unless_equals_int (get_id (region), 5 + j);
            fail_unless_equals_int64 (get_age (region), (gint64)((i - number) * FRAME));
            expect_part (region, &part);
            expect_crop (get_embedding (region), analysed, &part);
            n_tagged++;
        }
    }
    fail_unless (n_tagged >= 50);
    rig_free (rig);
}
GST_END_TEST;

/* From whole frames to regions and back: a result of the one is never on a frame of the other. */
GST_START_TEST (test_inference_region_switched)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "interval",
            "1000000000000", "threshold", "0", NULL);

    for (guint i = 0; i < 12; i++) {
        GstBuffer *frame = new_textured_frame (i);
        g_autoptr (GstBuffer) buffer = NULL;
        gboolean of_regions = i / 4 == 1;

        if (i == 4 || i == 8)
            gst_util_set_object_arg (G_OBJECT (rig->element), "inference-region",
                    of_regions ? "roi-list" : "full-frame");
        /* Not in the first frame after the switch, which then has nothing. */
        if (i != 4)
            add_roi (frame, "car", 1, 0, 0, 10, 10);
        buffer = push_and_pull (rig, frame);
        if (i == 4) {
            fail_unless (get_tags (buffer) == NULL);
            continue;
        }
        fail_unless_equals_int (gst_structure_has_field (get_tags (buffer), "regions"), of_regions);
        fail_unless_equals_int (get_n_labels (get_tags (buffer)), of_regions ? 0 : 2);
        fail_unless_equals_uint64 (
                get_frame_pts (get_tags (buffer)), (of_regions ? 5 : i / 4 * 4) * FRAME);
    }
    /* What was active of the one ended when it was no longer looked at. */
    for (guint i = 0; i < 4; i++)
        expect_ending (rig->bus, "expired");
    rig_free (rig);
}
GST_END_TEST;

/* A region that upstream finds late in a still picture is looked at; those known are not again. */
GST_START_TEST (test_motion_and_new_regions)
{
    static const guint analysed[] = { 0, 0, 2, 2, 2, 2 };
    Rig *rig = roi_rig_new ("exact");

    g_object_set (rig->element, "motion-threshold", 0.1, NULL);
    for (guint i = 0; i < G_N_ELEMENTS (analysed); i++) {
        GstBuffer *frame = new_frame (i * FRAME, 90, 90, 90);
        g_autoptr (GstBuffer) buffer = NULL;

        add_roi (frame, "car", 0, 0, 0, 20, 20);
        if (i == 2 || i == 3)
            add_roi (frame, "car", 0, 40, 20, 20, 20);
        buffer = push_and_pull (rig, frame);
        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), analysed[i] * FRAME);
        fail_unless_equals_int (get_n_regions (buffer), i == 2 || i == 3 ? 2 : 1);
    }
    rig_free (rig);
}
GST_END_TEST;

/* A flush in the middle of a frame's regions, at any moment: what follows is right. */
static void
expect_flushable (const char *mode)
{
    Rig *rig = roi_rig_new (mode);
    GstBuffer *left;
    guint n_tagged = 0;

    for (guint i = 0; i < 400 && n_tagged < 3; i++) {
        GstBuffer *frame = new_textured_frame (2 * i);
        g_autoptr (GstBuffer) buffer = NULL;

        add_many (frame, 100, 1);
        gst_harness_push (rig->harness, frame);
        g_usleep (i % 10 * 1000);
        rig_flush (rig);
        while ((left = gst_harness_try_pull (rig->harness)))
            gst_buffer_unref (left);
        frame = new_textured_frame (2 * i + 1);
        add_many (frame, 10, 1);
        buffer = push_and_pull (rig, frame);
        if (get_tags (buffer) == NULL)
            continue;
        n_tagged++;
        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), (2 * i + 1) * FRAME);
    }
    fail_unless_equals_int (n_tagged, g_str_equal (mode, "exact") ? 3 : 0);
    rig_free (rig);
}

GST_START_TEST (test_flushes)
{
    expect_flushable ("exact");
    expect_flushable ("live");
}
GST_END_TEST;

/* ---- Events of regions ----------------------------------------------------------------------- */

static Rig *
event_rig_new (const char *mode, const char *post_messages)
{
    return rig_new (models_get_quick (), "prompts", "a;b", "mode", mode, "inference-region",
            "roi-list", "threshold", "0", "post-messages", post_messages, NULL);
}

static void
expect_object_event (GstBus *bus, const char *event, const char *type, guint id, const char *reason,
        GstClockTime pts)
{
    g_autoptr (GstMessage) message = pop_event (bus, event);
    const GstStructure *structure = gst_message_get_structure (message);
    guint64 found = 0;

    fail_unless_equals_string (gst_structure_get_string (structure, "type"), type);
    fail_unless_equals_int (get_id (structure), id);
    fail_unless_equals_string (gst_structure_get_string (structure, "reason"), reason);
    fail_unless (gst_structure_get_uint64 (structure, "pts", &found));
    fail_unless_equals_uint64 (found, pts);
}

static void
expect_no_event (GstBus *bus)
{
    GstMessage *message;

    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
        fail_if (gst_message_has_name (message, "altclip"));
        gst_message_unref (message);
    }
}

/* Begin and end for each region with an id, and for no other; both labels are always active here.
 */
GST_START_TEST (test_events_per_id)
{
    Rig *rig = event_rig_new ("exact", "change");
    g_autoptr (GstMessage) message = NULL;

    for (guint i = 0; i < 5; i++) {
        GstBuffer *frame = new_textured_frame (i);

        add_roi (frame, "car", 8, 16, 12, 32, 24);
        add_roi (frame, "car", 0, 20, 0, 10, 10);
        if (i == 3)
            add_roi (frame, "person", 8, 40, 0, 10, 10);
        gst_buffer_unref (push_and_pull (rig, frame));
    }
    message = pop_event (rig->bus, "begin");
    expect_region_field (gst_message_get_structure (message), 0.25, 0.25, 0.5, 0.5);
    expect_object_event (rig->bus, "begin", "car", 8, NULL, 0);
    /* The same number in another type is another thing. */
    expect_object_event (rig->bus, "begin", "person", 8, NULL, 3 * FRAME);
    expect_object_event (rig->bus, "begin", "person", 8, NULL, 3 * FRAME);
    expect_no_event (rig->bus);
    gst_harness_push_event (rig->harness, gst_event_new_eos ());
    expect_object_event (rig->bus, "end", "person", 8, "eos", 4 * FRAME);
    expect_object_event (rig->bus, "end", "person", 8, "eos", 4 * FRAME);
    expect_object_event (rig->bus, "end", "car", 8, "eos", 4 * FRAME);
    expect_object_event (rig->bus, "end", "car", 8, "eos", 4 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

static void
expect_objects_end (const char *reason)
{
    Rig *rig = event_rig_new ("exact", "change");
    GstBuffer *frame = new_textured_frame (0);

    add_roi (frame, "car", 8, 16, 12, 32, 24);
    gst_buffer_unref (push_and_pull (rig, frame));
    if (g_str_equal (reason, "flush"))
        rig_flush (rig);
    else if (g_str_equal (reason, "prompts"))
        g_object_set (rig->element, "prompts", "c;d", NULL);
    else
        gst_element_set_state (rig->element, GST_STATE_READY);
    expect_ending (rig->bus, reason);
    expect_ending (rig->bus, reason);
    rig_free (rig);
}

GST_START_TEST (test_events_end)
{
    expect_objects_end ("flush");
    expect_objects_end ("prompts");
    expect_objects_end ("stopped");
}
GST_END_TEST;

/* An id that is not seen for max-age has gone, at the first frame after that, with regions or
 * without; one that comes back before goes on. */
GST_START_TEST (test_ids_expire)
{
    Rig *rig = event_rig_new ("exact", "change");

    g_object_set (rig->element, "max-age", 10 * FRAME + FRAME / 2, "prompts", "a", NULL);
    for (guint i = 0; i < 60; i++) {
        GstBuffer *frame = new_textured_frame (i);

        if (i == 0 || i == 10 || i == 30)
            add_roi (frame, "car", 1, 0, 0, 10, 10);
        if (i == 0 || (i > 20 && i < 30))
            add_roi (frame, "car", 2, 0, 0, 10, 10);
        gst_harness_push (rig->harness, frame);
    }
    for (guint i = 0; i < 60; i++)
        gst_buffer_unref (gst_harness_pull (rig->harness));
    expect_object_event (rig->bus, "begin", "car", 1, NULL, 0);
    expect_object_event (rig->bus, "begin", "car", 2, NULL, 0);
    expect_object_event (rig->bus, "end", "car", 2, "expired", 11 * FRAME);
    expect_object_event (rig->bus, "begin", "car", 2, NULL, 21 * FRAME);
    expect_object_event (rig->bus, "end", "car", 1, "expired", 21 * FRAME);
    expect_object_event (rig->bus, "begin", "car", 1, NULL, 30 * FRAME);
    expect_object_event (rig->bus, "end", "car", 2, "expired", 40 * FRAME);
    expect_object_event (rig->bus, "end", "car", 1, "expired", 41 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* However long the interval, whoever is there each time has not gone. */
GST_START_TEST (test_ids_seen_rarely_stay)
{
    Rig *rig = event_rig_new ("exact", "change");

    g_object_set (rig->element, "max-age", FRAME, "interval", 10 * FRAME, "prompts", "a", NULL);
    for (guint i = 0; i < 40; i++) {
        GstBuffer *frame = new_textured_frame (i);

        add_roi (frame, "car", 1, 0, 0, 10, 10);
        gst_buffer_unref (push_and_pull (rig, frame));
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 4);
    expect_object_event (rig->bus, "begin", "car", 1, NULL, 0);
    expect_no_event (rig->bus);
    rig_free (rig);
}
GST_END_TEST;

/* Live: without another region ever, ids expire all the same. */
GST_START_TEST (test_live_ids_expire)
{
    Rig *rig = event_rig_new ("live", "change");
    guint at = 0;

    g_object_set (rig->element, "max-age", 100 * FRAME, "prompts", "a", NULL);
    while (rig_get_count (rig, "total-analysed") == 0) {
        GstBuffer *frame = new_textured_frame (at++);

        add_roi (frame, "car", 1, 0, 0, 10, 10);
        gst_buffer_unref (push_and_pull (rig, frame));
        g_usleep (10000);
    }
    wait_until_analysed (rig, 1);
    gst_message_unref (pop_event (rig->bus, "begin"));
    for (guint i = 0; i < 99; i++)
        gst_buffer_unref (push_and_pull (rig, new_textured_frame (at++)));
    expect_no_event (rig->bus);
    for (guint i = 0; i < 99; i++)
        gst_buffer_unref (push_and_pull (rig, new_textured_frame (at++)));
    expect_ending (rig->bus, "expired");
    expect_no_event (rig->bus);
    rig_free (rig);
}
GST_END_TEST;

static void
begin_stream (Rig *rig, const char *stream_id)
{
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_stream_start (stream_id)));
    gst_harness_set_src_caps_str (rig->harness, CAPS);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_segment (&segment)));
}

/* Ids of the stream before are gone with it, and what ends has its name and its times, also when
 * the next stream is live and no frame of it is analysed. */
GST_START_TEST (test_ids_of_another_stream)
{
    Rig *rig = event_rig_new ("auto", "change");
    GstBuffer *frame = new_textured_frame (7);
    g_autoptr (GstMessage) message = NULL;
    const GstStructure *structure;
    guint64 pts = 0;

    g_object_set (rig->element, "prompts", "a", NULL);
    gst_harness_set_live (rig->harness, FALSE);
    begin_stream (rig, "file");
    add_roi (frame, "car", 1, 0, 0, 10, 10);
    gst_buffer_unref (push_and_pull (rig, frame));
    gst_message_unref (pop_event (rig->bus, "begin"));
    gst_harness_set_live (rig->harness, TRUE);
    begin_stream (rig, "camera");
    /* One frame does, or the one after it where the worker was not yet done with the states. */
    for (guint i = 9; i < 100 && message == NULL; i++) {
        gst_buffer_unref (push_and_pull (rig, new_textured_frame (i)));
        message = gst_bus_timed_pop_filtered (rig->bus, 50 * GST_MSECOND, GST_MESSAGE_ELEMENT);
    }
    fail_unless (message != NULL);
    structure = gst_message_get_structure (message);
    fail_unless_equals_string (gst_structure_get_string (structure, "event"), "end");
    fail_unless_equals_string (gst_structure_get_string (structure, "reason"), "expired");
    fail_unless_equals_string (gst_structure_get_string (structure, "stream-id"), "file");
    fail_unless (gst_structure_get_uint64 (structure, "pts", &pts));
    fail_unless_equals_uint64 (pts, 7 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* Two regions of a frame with one id: the first is it, the other has no past. */
GST_START_TEST (test_repeated_ids)
{
    Rig *rig = event_rig_new ("exact", "change");
    GstBuffer *frame = new_textured_frame (0);
    g_autoptr (GstBuffer) buffer = NULL;

    add_roi (frame, "car", 1, 0, 0, 10, 10);
    add_roi (frame, "car", 1, 30, 0, 10, 10);
    buffer = push_and_pull (rig, frame);
    fail_unless_equals_int (get_n_regions (buffer), 2);
    expect_object_event (rig->bus, "begin", "car", 1, NULL, 0);
    expect_object_event (rig->bus, "begin", "car", 1, NULL, 0);
    expect_no_event (rig->bus);
    rig_free (rig);
}
GST_END_TEST;

/* post-messages=all: the regions of each analysed frame. */
GST_START_TEST (test_result_messages)
{
    Rig *rig = event_rig_new ("exact", "all");
    GstBuffer *frame = new_textured_frame (4);
    g_autoptr (GstBuffer) buffer = NULL;
    g_autoptr (GstMessage) message = NULL;
    const GstStructure *structure;

    add_roi (frame, "car", 0, 0, 0, 10, 10);
    add_roi (frame, "person", 3, 30, 0, 10, 10);
    buffer = push_and_pull (rig, frame);
    message = pop_event (rig->bus, "result");
    structure = gst_message_get_structure (message);
    fail_unless_equals_int (get_n_labels (structure), 0);
    fail_unless (
            gst_value_compare (gst_structure_get_value (structure, "regions"),
                    gst_structure_get_value (get_tags (buffer), "regions")) == GST_VALUE_EQUAL);
    rig_free (rig);
}
GST_END_TEST;

/* ---- What they stand on ---------------------------------------------------------------------- */

static void
add_box (GArray *regions, const char *type, guint id, double x, double y, double w, double h)
{
    GstAltclipRegion region = { .type = g_quark_from_string (type),
        .has_id = id != 0,
        .id = id,
        .box = { x, y, w, h },
        .roi = -1,
        .od = -1 };

    g_array_append_val (regions, region);
}

GST_START_TEST (test_matching_rules)
{
    g_autoptr (GArray) analysed = g_array_new (FALSE, FALSE, sizeof (GstAltclipRegion));
    g_autoptr (GArray) regions = g_array_new (FALSE, FALSE, sizeof (GstAltclipRegion));
    const gint expected[] = { 1, 0, 3, -1, 2, 4, -1 };
    gint matches[G_N_ELEMENTS (expected)];

    add_box (analysed, "car", 1, 0, 0, 0.2, 0.2);
    add_box (analysed, "car", 0, 0.4, 0.4, 0.2, 0.2);
    add_box (analysed, "car", 2, 0.5, 0.5, 0.2, 0.2);
    add_box (analysed, "person", 1, 0.8, 0.8, 0.1, 0.1);
    add_box (analysed, "van", 7, 0.8, 0.8, 0.1, 0.1);

    /* Two thirds in common with the second. */
    add_box (regions, "car", 0, 0.44, 0.4, 0.2, 0.2);
    /* The id, wherever it is. */
    add_box (regions, "car", 1, 0.44, 0.4, 0.2, 0.2);
    /* The id of its own type before that of another. */
    add_box (regions, "person", 1, 0, 0, 0.2, 0.2);
    /* Where a person was is no person any more: that one is elsewhere. */
    add_box (regions, "person", 0, 0.8, 0.8, 0.1, 0.1);
    /* An id that was not there before, at the place of one that was. */
    add_box (regions, "car", 3, 0.5, 0.5, 0.2, 0.2);
    /* What was a van is a truck now, and still number 7. */
    add_box (regions, "truck", 7, 0.8, 0.8, 0.1, 0.1);
    /* Taken already. */
    add_box (regions, "car", 0, 0.4, 0.4, 0.2, 0.2);
    fail_unless_equals_int (gst_altclip_regions_match (regions, analysed, matches), 5);
    for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
        fail_unless (
                matches[i] == expected[i], "region %u is %d, not %d", i, matches[i], expected[i]);
}
GST_END_TEST;

GST_START_TEST (test_overlap)
{
    const GstAltclipBox box = { 0, 0, 0.5, 0.5 };
    const GstAltclipBox half = { 0, 0, 0.25, 0.5 };
    const GstAltclipBox beside = { 0.5, 0, 0.5, 0.5 };

    fail_unless_equals_float (gst_altclip_box_get_overlap (&box, &box), 1.0);
    fail_unless_equals_float (gst_altclip_box_get_overlap (&box, &half), 0.5);
    fail_unless_equals_float (gst_altclip_box_get_overlap (&half, &box), 0.5);
    fail_unless_equals_float (gst_altclip_box_get_overlap (&box, &beside), 0.0);
}
GST_END_TEST;

static AltclipPrompts *
number_labels (guint n)
{
    GString *text = g_string_new (NULL);
    AltclipPrompts *prompts;

    for (guint i = 0; i < n; i++)
        g_string_append_printf (text, "%u;", i);
    prompts = altclip_prompts_parse (text->str, NULL, NULL, NULL);
    g_string_free (text, TRUE);
    return prompts;
}

/* Ids that never come back do not pile up: there is an end to their number, lower with many labels.
 */
static guint
count_until_full (guint n_labels)
{
    g_autoptr (AltclipPrompts) prompts = number_labels (n_labels);
    GstAltclipTiming timing = GST_ALTCLIP_TIMING_INIT;
    GstAltclipObjects objects;
    guint n = 0;

    gst_altclip_objects_init (&objects);
    fail_unless (gst_altclip_objects_is_empty (&objects));
    while (!gst_altclip_objects_is_full (&objects, n_labels)) {
        GstAltclipRegion region = { .type = 1, .has_id = TRUE, .id = ++n };

        fail_unless (gst_altclip_objects_find (&objects, &region) == NULL);
        gst_altclip_objects_see (
                &objects, gst_altclip_objects_add (&objects, &region, prompts), &region, &timing);
        fail_unless (gst_altclip_objects_find (&objects, &region) != NULL);
    }
    for (guint i = 1; i <= n; i++) {
        g_autoptr (GstAltclipObject) object = gst_altclip_objects_steal_oldest (&objects);

        fail_unless_equals_int (object->region.id, i);
        fail_unless (gst_altclip_objects_find (&objects, &object->region) == NULL);
    }
    fail_unless (gst_altclip_objects_is_empty (&objects));
    gst_altclip_objects_clear (&objects);
    return n;
}

GST_START_TEST (test_objects_are_bounded)
{
    fail_unless_equals_int (count_until_full (2), 4096);
    fail_unless_equals_int (count_until_full (1000), 1000);
    fail_unless_equals_int (count_until_full (ALTCLIP_MAX_LABELS), 100);
}
GST_END_TEST;

/* Every frame numbers its regions anew: each begins, and each ends. */
GST_START_TEST (test_ids_that_never_come_back)
{
    Rig *rig = event_rig_new ("exact", "change");
    guint n_begun = 0;
    guint n_ended = 0;
    GstMessage *message;

    g_object_set (rig->element, "prompts", "a", "max-age", 5 * FRAME, NULL);
    for (guint i = 0; i < 40; i++) {
        GstBuffer *frame = new_textured_frame (i);

        add_many (frame, 20, 1 + 20 * (gint)i);
        gst_buffer_unref (push_and_pull (rig, frame));
    }
    gst_harness_push_event (rig->harness, gst_event_new_eos ());
    while (n_ended < 800) {
        message = pop_message (rig->bus, GST_MESSAGE_ELEMENT);
        if (g_str_equal (gst_structure_get_string (gst_message_get_structure (message), "event"),
                    "begin")) {
            n_begun++;
        } else {
            n_ended++;
            /* Not all at the end: the older ones have gone before. */
            fail_unless_equals_string (
                    gst_structure_get_string (gst_message_get_structure (message), "reason"),
                    n_ended <= 20 * 34 ? "expired" : "eos");
        }
        gst_message_unref (message);
    }
    fail_unless_equals_int (n_begun, 800);
    rig_free (rig);
}
GST_END_TEST;

/* ---- The suite ------------------------------------------------------------------------------- */

static void
add_region_tests (Suite *suite)
{
    TCase *tests = tcase_create ("region");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_region_exact);
    tcase_add_test (tests, test_region_unset);
    tcase_add_test (tests, test_region_live);
    tcase_add_test (tests, test_region_of_cropped_frames);
    tcase_add_test (tests, test_region_in_messages);
    tcase_add_test (tests, test_bad_regions);
    tcase_add_test (tests, test_bad_region_at_the_start);
    tcase_add_test (tests, test_new_region_is_due_at_once);
    tcase_add_test (tests, test_motion_in_region);
    suite_add_tcase (suite, tests);
}

static void
add_roi_tests (Suite *suite)
{
    TCase *tests = tcase_create ("roi-list");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_rois_of_several_types);
    tcase_add_test (tests, test_roi_parameters);
    tcase_add_test (tests, test_object_class);
    tcase_add_test (tests, test_odd_regions);
    tcase_add_test (tests, test_odd_types);
    tcase_add_test (tests, test_regions_within_region);
    tcase_add_test (tests, test_two_hundred_regions);
    tcase_add_test (tests, test_resampling_is_remembered);
    tcase_add_test (tests, test_too_many_regions);
    tcase_add_test (tests, test_frames_without_regions);
    tcase_add_test (tests, test_object_id_parameter);
    tcase_add_test (tests, test_exact_interval);
    tcase_add_test (tests, test_live_matching);
    tcase_add_test (tests, test_live_results_follow_ids);
    tcase_add_test (tests, test_inference_region_switched);
    tcase_add_test (tests, test_motion_and_new_regions);
    tcase_add_test (tests, test_flushes);
    suite_add_tcase (suite, tests);
}

static void
add_event_tests (Suite *suite)
{
    TCase *tests = tcase_create ("events");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_events_per_id);
    tcase_add_test (tests, test_events_end);
    tcase_add_test (tests, test_ids_expire);
    tcase_add_test (tests, test_ids_seen_rarely_stay);
    tcase_add_test (tests, test_live_ids_expire);
    tcase_add_test (tests, test_ids_of_another_stream);
    tcase_add_test (tests, test_repeated_ids);
    tcase_add_test (tests, test_result_messages);
    tcase_add_test (tests, test_ids_that_never_come_back);
    suite_add_tcase (suite, tests);
}

static void
add_rule_tests (Suite *suite)
{
    TCase *tests = tcase_create ("rules");

    tcase_add_test (tests, test_matching_rules);
    tcase_add_test (tests, test_overlap);
    tcase_add_test (tests, test_objects_are_bounded);
    suite_add_tcase (suite, tests);
}

static Suite *
regions_suite (void)
{
    Suite *suite = suite_create ("regions");

    add_region_tests (suite);
    add_roi_tests (suite);
    add_event_tests (suite);
    add_rule_tests (suite);
    return suite;
}

GST_CHECK_MAIN (regions);
