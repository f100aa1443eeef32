/* altclip: tests of altclipoverlay
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#define FEATURE "(meta:GstVideoOverlayComposition)"

#define WIDTH 720
#define HEIGHT 540

/* Of the drawing, in pixels: letters, the distance from the border and of what is within. */
#define LETTER (HEIGHT / 36)
#define MARGIN 10.5
#define PADDING 7.5

/* Blue, in BGRx. */
#define GROUND 0xff0000c0u

/* ---- Frames ---------------------------------------------------------------------------------- */

static GstHarness *
overlay_new (const char *caps)
{
    GstHarness *harness = gst_harness_new ("altclipoverlay");

    g_object_set (harness->element, "opacity", 1.0, NULL);
    if (caps)
        gst_harness_set_src_caps_str (harness, caps);
    return harness;
}

#define CAPS(format, width, height) \
    "video/x-raw,format=" format    \
    ",width=" G_STRINGIFY (width) ",height=" G_STRINGIFY (height) ",framerate=25/1"

static GstHarness *
plain_overlay_new (void)
{
    return overlay_new (CAPS ("BGRx", 720, 540));
}

static GstBuffer *
new_filled_frame (gsize n_pixels, guint32 pixel)
{
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_pixels * 4, NULL);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (gsize i = 0; i < n_pixels; i++)
        memcpy (map.data + i * 4, &pixel, 4);
    gst_buffer_unmap (buffer, &map);
    GST_BUFFER_PTS (buffer) = 0;
    return buffer;
}

static GstBuffer *
new_blue_frame (void)
{
    return new_filled_frame (WIDTH * HEIGHT, GROUND);
}

static void
append_label (GValue *results, const char *label, guint index, double score, gboolean active)
{
    GValue value = G_VALUE_INIT;

    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (
            &value, gst_structure_new ("altclip-label", "label", G_TYPE_STRING, label, "index",
                            G_TYPE_UINT, index, "score", G_TYPE_DOUBLE, score, "cosine",
                            G_TYPE_DOUBLE, score, "active", G_TYPE_BOOLEAN, active, NULL));
    gst_value_array_append_and_take_value (results, &value);
}

static GstStructure *
get_last (GValue *array)
{
    guint n = gst_value_array_get_size (array);

    return (GstStructure *)gst_value_get_structure (gst_value_array_get_value (array, n - 1));
}

/* The structure of a frame's tags, to be filled. */
static GstStructure *
tag (GstBuffer *buffer)
{
    return gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer, "AltClipMeta"));
}

static void
set_label (GstStructure *structure, const char *label, double score, gboolean active)
{
    GValue results = G_VALUE_INIT;

    gst_value_array_init (&results, 1);
    append_label (&results, label, 0, score, active);
    gst_structure_take_value (structure, "results", &results);
}

static GstBuffer *
new_tagged_frame (const char *label, double score)
{
    GstBuffer *buffer = new_blue_frame ();

    set_label (tag (buffer), label, score, TRUE);
    return buffer;
}

static void
set_region (GstStructure *structure, double x, double y, double w, double h)
{
    const double numbers[] = { x, y, w, h };
    GValue region = G_VALUE_INIT;

    gst_value_array_init (&region, 4);
    for (guint i = 0; i < 4; i++) {
        GValue value = G_VALUE_INIT;

        g_value_init (&value, G_TYPE_DOUBLE);
        g_value_set_double (&value, numbers[i]);
        gst_value_array_append_and_take_value (&region, &value);
    }
    gst_structure_take_value (structure, "region", &region);
}

static GstBuffer *
push (GstHarness *harness, GstBuffer *buffer)
{
    fail_unless_equals_int (gst_harness_push (harness, buffer), GST_FLOW_OK);
    return gst_harness_pull (harness);
}

/* ---- What was drawn -------------------------------------------------------------------------- */

typedef struct {
    guint left;
    guint top;
    guint right; /* behind the last */
    guint bottom;
} Extent;

static guint32
get_pixel (const guint8 *pixels, guint width, guint x, guint y)
{
    guint32 pixel;

    memcpy (&pixel, pixels + ((gsize)y * width + x) * 4, 4);
    return pixel;
}

/* Where pixels are not @ground; empty: nowhere. */
static Extent
find_extent (GstBuffer *buffer, guint width, guint height, guint32 ground)
{
    Extent extent = { width, height, 0, 0 };
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    for (guint y = 0; y < height; y++) {
        for (guint x = 0; x < width; x++) {
            if (((get_pixel (map.data, width, x, y) ^ ground) & 0xffffff) == 0)
                continue;
            extent.left = MIN (extent.left, x);
            extent.top = MIN (extent.top, y);
            extent.right = MAX (extent.right, x + 1);
            extent.bottom = MAX (extent.bottom, y + 1);
        }
    }
    gst_buffer_unmap (buffer, &map);
    return extent;
}

static guint32
read_pixel (GstBuffer *buffer, guint x, guint y)
{
    guint32 pixel = 0;

    gst_buffer_extract (buffer, ((gsize)y * WIDTH + x) * 4, &pixel, 4);
    return pixel & 0xffffff;
}

#define expect_near(value, expected, tolerance)                                               \
    fail_unless (fabs ((double)(value) - (expected)) <= (tolerance), #value " is %g, not %g", \
            (double)(value), (double)(expected))

/* ---- Nothing to draw ------------------------------------------------------------------------- */

static void
expect_untouched (GstHarness *harness, GstBuffer *buffer)
{
    g_autoptr (GstBuffer) kept = gst_buffer_ref (buffer);
    g_autoptr (GstBuffer) out = push (harness, buffer);
    Extent extent = find_extent (out, WIDTH, HEIGHT, GROUND);

    /* The very same: no copy, though somebody else has it too. */
    fail_unless (out == kept);
    fail_unless_equals_int (extent.right, 0);
}

GST_START_TEST (test_nothing_to_draw)
{
    GstHarness *harness = plain_overlay_new ();
    GstBuffer *buffer = new_blue_frame ();

    expect_untouched (harness, buffer);
    buffer = new_blue_frame ();
    set_label (tag (buffer), "a", 0.2, FALSE);
    expect_untouched (harness, buffer);
    /* One of before is not drawn again. */
    gst_buffer_unref (push (harness, new_tagged_frame ("a", 0.5)));
    expect_untouched (harness, new_blue_frame ());
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Metadata of somebody who calls theirs the same. */
GST_START_TEST (test_other_metadata)
{
    GstHarness *harness = plain_overlay_new ();
    GValue list = G_VALUE_INIT;
    GValue empty = G_VALUE_INIT;
    GstBuffer *buffer = new_blue_frame ();

    gst_structure_set (tag (buffer), "results", G_TYPE_STRING, "none", "regions", G_TYPE_INT, 3,
            "age", G_TYPE_STRING, "old", "upstream", G_TYPE_INT, 1, NULL);
    expect_untouched (harness, buffer);

    buffer = new_blue_frame ();
    gst_value_array_init (&list, 2);
    append_label (&list, "not a number", 0, NAN, TRUE);
    g_value_init (&empty, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&empty, gst_structure_new_empty ("x"));
    gst_value_array_append_and_take_value (&list, &empty);
    gst_structure_set_value (tag (buffer), "results", &list);
    gst_structure_take_value (
            gst_custom_meta_get_structure (gst_buffer_get_custom_meta (buffer, "AltClipMeta")),
            "regions", &list);
    expect_untouched (harness, buffer);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* ---- Labels ---------------------------------------------------------------------------------- */

/* In each corner the panel is as far from both borders, of one size, and nothing else changes. */
GST_START_TEST (test_corners)
{
    static const char *const corners[] = { "top-left", "top-right", "bottom-left", "bottom-right" };
    GstHarness *harness = plain_overlay_new ();

    for (guint i = 0; i < G_N_ELEMENTS (corners); i++) {
        g_autoptr (GstBuffer) out = NULL;
        Extent extent;

        gst_util_set_object_arg (G_OBJECT (harness->element), "corner", corners[i]);
        out = push (harness, new_tagged_frame ("a red van", 0.75));
        extent = find_extent (out, WIDTH, HEIGHT, GROUND);
        if (i % 2 == 0)
            expect_near (extent.left, MARGIN, 1);
        else
            expect_near (WIDTH - extent.right, MARGIN, 1);
        if (i / 2 == 0)
            expect_near (extent.top, MARGIN, 1);
        else
            expect_near (HEIGHT - extent.bottom, MARGIN, 1);
        /* One row, of a line and its bar. */
        expect_near (extent.bottom - extent.top, 2 * PADDING + 2 * LETTER, 1);
        fail_unless (extent.right - extent.left >= 8 * LETTER);
        fail_unless (extent.right - extent.left <= 0.45 * WIDTH + 1);
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* How many pixels of the bar's row have its colour, the first of the palette. */
static guint
count_bar (GstBuffer *buffer)
{
    guint y = (guint)(MARGIN + PADDING + 1.5 * LETTER + 2);
    guint n = 0;

    for (guint x = 0; x < WIDTH; x++)
        n += read_pixel (buffer, x, y) == 0x56b4e9;
    return n;
}

GST_START_TEST (test_bar)
{
    GstHarness *harness = plain_overlay_new ();
    g_autoptr (GstBuffer) full = push (harness, new_tagged_frame ("a", 1.0));
    Extent extent = find_extent (full, WIDTH, HEIGHT, GROUND);
    guint length = count_bar (full);

    expect_near (length, extent.right - extent.left - 2 * PADDING, 2);
    for (guint percent = 0; percent < 100; percent += 20) {
        g_autoptr (GstBuffer) out = push (harness, new_tagged_frame ("a", percent / 100.0));

        expect_near (count_bar (out), length * percent / 100.0, 1.5);
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Where a score's last pixel is, before the panel's border. */
static guint
get_right_padding (GstHarness *harness, double score)
{
    g_autoptr (GstBuffer) out = push (harness, new_tagged_frame ("a red van", score));
    Extent extent = find_extent (out, WIDTH, HEIGHT, GROUND);

    for (guint x = extent.right - 1; x > extent.left; x--)
        for (guint y = (guint)(MARGIN + PADDING); y < (guint)(MARGIN + PADDING) + LETTER; y++)
            if ((read_pixel (out, x, y) & 0xff) > 0x80)
                return extent.right - 1 - x;
    return 0;
}

/* Also those below zero, of cosines, end where the bar does. */
GST_START_TEST (test_scores)
{
    GstHarness *harness = plain_overlay_new ();
    guint above = get_right_padding (harness, 0.12);

    /* Fonts leave some room behind a digit. */
    fail_unless (above >= PADDING - 1 && above <= PADDING + LETTER / 3.0, "%u", above);
    expect_near (get_right_padding (harness, -0.12), above, 1);
    gst_harness_teardown (harness);
}
GST_END_TEST;

static guint
get_panel_height (GstHarness *harness, guint n_labels, guint n_active)
{
    g_autoptr (GstBuffer) out = NULL;
    GstBuffer *buffer = new_blue_frame ();
    GValue results = G_VALUE_INIT;
    Extent extent;

    gst_value_array_init (&results, n_labels);
    for (guint i = 0; i < n_labels; i++)
        append_label (&results, i % 2 ? "one" : "another one", i, 0.5, i < n_active);
    gst_structure_take_value (tag (buffer), "results", &results);
    out = push (harness, buffer);
    extent = find_extent (out, WIDTH, HEIGHT, GROUND);
    fail_unless (extent.bottom <= HEIGHT - (guint)MARGIN);
    return extent.bottom - extent.top;
}

GST_START_TEST (test_rows)
{
    GstHarness *harness = plain_overlay_new ();

    expect_near (get_panel_height (harness, 5, 2), 2 * PADDING + 2 * 2 * LETTER, 1);
    gst_util_set_object_arg (G_OBJECT (harness->element), "show", "all");
    expect_near (get_panel_height (harness, 5, 2), 2 * PADDING + 5 * 2 * LETTER, 1);
    /* More than there is room for. */
    fail_unless (get_panel_height (harness, 250, 2) > HEIGHT * 3 / 4);
    gst_harness_teardown (harness);
}
GST_END_TEST;

static guint
get_aged_height (GstHarness *harness, gint64 age)
{
    g_autoptr (GstBuffer) out = NULL;
    GstBuffer *buffer = new_blue_frame ();
    GstStructure *structure = tag (buffer);
    Extent extent;

    set_label (structure, "a", 0.5, TRUE);
    gst_structure_set (structure, "age", G_TYPE_INT64, age, NULL);
    out = push (harness, buffer);
    extent = find_extent (out, WIDTH, HEIGHT, GROUND);
    return extent.bottom - extent.top;
}

GST_START_TEST (test_age)
{
    GstHarness *harness = plain_overlay_new ();
    guint row = get_aged_height (harness, 0);

    fail_unless_equals_int (get_aged_height (harness, 90 * GST_MSECOND), row);
    fail_unless (get_aged_height (harness, 100 * GST_MSECOND) > row + LETTER / 2);
    fail_unless_equals_int (get_aged_height (harness, -(gint64)GST_SECOND), row);
    fail_unless (get_aged_height (harness, G_MAXINT64) > row + LETTER / 2);
    g_object_set (harness->element, "show-age", FALSE, NULL);
    fail_unless_equals_int (get_aged_height (harness, GST_SECOND), row);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Of two elements, one behind the other. */
GST_START_TEST (test_upstream)
{
    GstHarness *harness = plain_overlay_new ();
    GstStructure *earlier = gst_structure_new_empty ("AltClipMeta");
    GstBuffer *buffer = new_tagged_frame ("a", 0.5);
    g_autoptr (GstBuffer) out = NULL;
    Extent extent;

    set_label (earlier, "b", 0.5, TRUE);
    gst_structure_set (
            gst_custom_meta_get_structure (gst_buffer_get_custom_meta (buffer, "AltClipMeta")),
            "upstream", GST_TYPE_STRUCTURE, earlier, NULL);
    gst_structure_free (earlier);
    out = push (harness, buffer);
    extent = find_extent (out, WIDTH, HEIGHT, GROUND);
    expect_near (extent.bottom - extent.top, 2 * PADDING + 2 * 2 * LETTER, 1);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* A picture of half the columns, each twice as wide: as large on the screen. */
GST_START_TEST (test_pixel_aspect_ratio)
{
    GstHarness *square = plain_overlay_new ();
    GstHarness *wide = overlay_new (CAPS ("BGRx", 360, 540) ",pixel-aspect-ratio=2/1");
    g_autoptr (GstBuffer) out = push (square, new_tagged_frame ("a red van", 0.5));
    GstBuffer *buffer = new_filled_frame (360 * 540, GROUND);
    g_autoptr (GstBuffer) wide_out = NULL;
    Extent extent = find_extent (out, WIDTH, HEIGHT, GROUND);
    Extent wide_extent;

    set_label (tag (buffer), "a red van", 0.5, TRUE);
    wide_out = push (wide, buffer);
    wide_extent = find_extent (wide_out, 360, 540, GROUND);
    expect_near (wide_extent.left * 2, extent.left, 2);
    expect_near (wide_extent.right * 2, extent.right, 2);
    expect_near (wide_extent.top, extent.top, 1);
    expect_near (wide_extent.bottom, extent.bottom, 1);
    gst_harness_teardown (square);
    gst_harness_teardown (wide);
}
GST_END_TEST;

/* From one pixel to 4K: within the picture, and the same part of it. */
GST_START_TEST (test_sizes)
{
    static const guint sizes[][2] = { { 1, 1 }, { 2, 300 }, { 33, 17 }, { 320, 240 },
        { 1920, 1080 }, { 3840, 2160 } };
    GstHarness *harness = overlay_new (NULL);

    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
        guint width = sizes[i][0];
        guint height = sizes[i][1];
        g_autofree char *caps =
                g_strdup_printf ("video/x-raw,format=BGRx,width=%u,height=%u", width, height);
        GstBuffer *buffer = new_filled_frame ((gsize)width * height, GROUND);
        g_autoptr (GstBuffer) out = NULL;
        Extent extent;

        gst_harness_set_src_caps_str (harness, caps);
        set_label (tag (buffer), "a red van", 0.5, TRUE);
        out = push (harness, buffer);
        extent = find_extent (out, width, height, GROUND);
        if (MIN (width, height) < 240)
            continue;
        fail_unless (extent.right < width / 2);
        expect_near (extent.top, MAX (10.0, height / 36.0) * 0.7, 1);
        expect_near (extent.bottom - extent.top, MAX (10.0, height / 36.0) * 3, 1);
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Of a picture that is cropped, what is left of it counts. */
GST_START_TEST (test_crop)
{
    static const char *const corners[] = { "top-left", "bottom-right" };
    GstHarness *harness = plain_overlay_new ();

    for (guint i = 0; i < G_N_ELEMENTS (corners); i++) {
        GstBuffer *buffer = new_tagged_frame ("a red van", 0.5);
        GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
        g_autoptr (GstBuffer) out = NULL;
        Extent extent;

        crop->x = 200;
        crop->y = 100;
        crop->width = 480;
        crop->height = 360;
        gst_util_set_object_arg (G_OBJECT (harness->element), "corner", corners[i]);
        out = push (harness, buffer);
        extent = find_extent (out, WIDTH, HEIGHT, GROUND);
        /* Letters of 10 pixels. */
        expect_near (extent.bottom - extent.top, 30, 1);
        if (i == 0) {
            expect_near (extent.left, 200 + 7, 1);
            expect_near (extent.top, 100 + 7, 1);
        } else {
            expect_near (extent.right, 200 + 480 - 7, 1);
            expect_near (extent.bottom, 100 + 360 - 7, 1);
        }
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Labels are anyone's: long ones are cut, lines are one, and no bytes are too bad. */
GST_START_TEST (test_labels)
{
    static const char *const labels[] = { "", "\n\n\n", "<b>&", "红色的圆", "مرحبا بالعالم",
        "👩‍👩‍👧‍👦🔴", "a\tb", "%s%n" };
    GstHarness *harness = plain_overlay_new ();
    g_autofree char *endless = g_strnfill (100000, 'w');
    g_autoptr (GString) marks = g_string_new ("a");

    /* Which take minutes, all together. */
    while (marks->len < 100000)
        g_string_append (marks, "\xcc\x81");
    for (guint i = 0; i < G_N_ELEMENTS (labels) + 2; i++) {
        const char *label = i < G_N_ELEMENTS (labels)    ? labels[i]
                            : i == G_N_ELEMENTS (labels) ? endless
                                                         : marks->str;
        g_autoptr (GstBuffer) out = push (harness, new_tagged_frame (label, 0.5));
        Extent extent = find_extent (out, WIDTH, HEIGHT, GROUND);

        expect_near (extent.bottom - extent.top, 2 * PADDING + 2 * LETTER, 1);
        fail_unless (extent.right <= MARGIN + 0.45 * WIDTH + 1);
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* ---- Parts ----------------------------------------------------------------------------------- */

static void
expect_box (GstBuffer *buffer, guint left, guint top, guint right, guint bottom)
{
    static const int outside = -2;
    static const int within = 5;

    for (int side = 0; side < 2; side++) {
        int offset = side == 0 ? outside : within;
        guint xs[] = { (guint)((int)left + offset), (guint)((int)right - 1 - offset) };
        guint ys[] = { (guint)((int)top + offset), (guint)((int)bottom - 1 - offset) };

        for (guint i = 0; i < 2; i++) {
            fail_unless_equals_int_hex (
                    read_pixel (buffer, xs[i], (top + bottom) / 2), GROUND & 0xffffff);
            fail_unless_equals_int_hex (
                    read_pixel (buffer, (left + right) / 2, ys[i]), GROUND & 0xffffff);
        }
    }
    for (guint i = 0; i < 2; i++) {
        fail_if (read_pixel (buffer, i ? right - 2 : left + 1, (top + bottom) / 2) ==
                 (GROUND & 0xffffff));
        fail_if (read_pixel (buffer, (left + right) / 2, i ? bottom - 2 : top + 1) ==
                 (GROUND & 0xffffff));
    }
}

/* The part that was looked at. */
GST_START_TEST (test_region)
{
    GstHarness *harness = plain_overlay_new ();

    for (guint shown = 0; shown < 2; shown++) {
        GstBuffer *buffer = new_blue_frame ();
        GstStructure *structure = tag (buffer);
        g_autoptr (GstBuffer) out = NULL;

        set_label (structure, "a", 0.5, TRUE);
        set_region (structure, 0.5, 0.5, 0.25, 0.25);
        g_object_set (harness->element, "show-regions", shown == 1, NULL);
        out = push (harness, buffer);
        if (shown)
            expect_box (out, 360, 270, 540, 405);
        else
            fail_unless_equals_int_hex (read_pixel (out, 361, 300), GROUND & 0xffffff);
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

static void
append_region (GValue *regions, double x, double y, double w, double h, gboolean active)
{
    GstStructure *region = gst_structure_new ("altclip-region", "x", G_TYPE_DOUBLE, x, "y",
            G_TYPE_DOUBLE, y, "w", G_TYPE_DOUBLE, w, "h", G_TYPE_DOUBLE, h, NULL);
    GValue value = G_VALUE_INIT;

    set_label (region, "person", 0.9, active);
    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, region);
    gst_value_array_append_and_take_value (regions, &value);
}

/* The parts of single labels, each once; the element's for those that have none. */
GST_START_TEST (test_label_regions)
{
    GstHarness *harness = plain_overlay_new ();
    GstBuffer *buffer = new_blue_frame ();
    GstStructure *structure = tag (buffer);
    GValue results = G_VALUE_INIT;
    g_autoptr (GstBuffer) out = NULL;

    gst_value_array_init (&results, 4);
    for (guint i = 0; i < 4; i++) {
        append_label (&results, "a", i, 0.5, i < 3);
        if (i < 2)
            set_region (get_last (&results), 0.5, 0.5, 0.25, 0.25);
        if (i == 3)
            set_region (get_last (&results), 0.75, 0.75, 0.25, 0.25);
    }
    gst_structure_take_value (structure, "results", &results);
    set_region (structure, 0.5, 0.05, 0.25, 0.25);
    out = push (harness, buffer);
    expect_box (out, 360, 270, 540, 405);
    expect_box (out, 360, 27, 540, 162);
    /* In the colour of the first label of each. */
    fail_unless_equals_int_hex (read_pixel (out, 450, 272), 0x56b4e9);
    fail_unless_equals_int_hex (read_pixel (out, 450, 29), 0x2cc295);
    /* Not that of a label which is not active. */
    fail_unless_equals_int_hex (read_pixel (out, 630, 407), GROUND & 0xffffff);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Parts of the picture are those of what is left of it; objects are where they are in the frame. */
GST_START_TEST (test_cropped_regions)
{
    for (guint is_object = 0; is_object < 2; is_object++) {
        GstHarness *harness = plain_overlay_new ();
        GstBuffer *buffer = new_blue_frame ();
        GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
        GstStructure *structure = tag (buffer);
        g_autoptr (GstBuffer) out = NULL;

        crop->x = 360;
        crop->y = 270;
        crop->width = 360;
        crop->height = 270;
        if (is_object) {
            GValue regions = G_VALUE_INIT;

            gst_value_array_init (&regions, 2);
            append_region (&regions, 0.6, 0.75, 0.35, 0.125, TRUE);
            append_region (&regions, 0.1, 0.1, 0.2, 0.2, TRUE);
            gst_structure_take_value (structure, "regions", &regions);
        } else {
            set_label (structure, "a", 0.5, TRUE);
            set_region (structure, 0.2, 0.5, 0.7, 0.25);
        }
        out = push (harness, buffer);
        expect_box (out, 432, 405, 684, 472);
        fail_unless (find_extent (out, WIDTH, HEIGHT, GROUND).left >= 360);
        fail_unless (find_extent (out, WIDTH, HEIGHT, GROUND).top >= 270);
        gst_harness_teardown (harness);
    }
}
GST_END_TEST;

/* Wider than Cairo draws. */
GST_START_TEST (test_wide_picture)
{
    static const guint width = 40000;
    static const guint height = 64;
    GstHarness *harness = overlay_new (CAPS ("BGRx", 40000, 64));
    GstBuffer *buffer = new_filled_frame (width * height, GROUND);
    GstStructure *structure = tag (buffer);
    g_autoptr (GstBuffer) out = NULL;
    GstMapInfo map;

    set_label (structure, "a", 0.5, TRUE);
    set_region (structure, 0, 0, 1, 1);
    out = push (harness, buffer);
    gst_buffer_map (out, &map, GST_MAP_READ);
    for (guint x = 2; x < width - 2; x++) {
        fail_unless_equals_int_hex (get_pixel (map.data, width, x, 2) & 0xffffff, 0x56b4e9);
        fail_unless_equals_int_hex (
                get_pixel (map.data, width, x, height - 2) & 0xffffff, 0x56b4e9);
    }
    gst_buffer_unmap (out, &map);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Objects: a box each, and its caption above it, or within where there is no room above. */
GST_START_TEST (test_objects)
{
    GstHarness *harness = plain_overlay_new ();
    GstBuffer *buffer = new_blue_frame ();
    GValue regions = G_VALUE_INIT;
    g_autoptr (GstBuffer) out = NULL;

    gst_value_array_init (&regions, 6);
    append_region (&regions, 0.1, 0.2, 0.4, 0.4, TRUE);
    append_region (&regions, 0.6, 0, 0.4, 0.4, TRUE);
    append_region (&regions, 0.6, 0.6, 0.2, 0.2, FALSE);
    append_region (&regions, 0.7, 0.7, 0.9, 0.2, TRUE);
    append_region (&regions, 0.7, 0.7, NAN, 0.2, TRUE);
    append_region (&regions, 0.8, 0.8, 0, 0.1, TRUE);
    gst_structure_take_value (tag (buffer), "regions", &regions);
    out = push (harness, buffer);
    expect_box (out, 72, 108, 360, 324);
    /* Above the first. */
    fail_if (read_pixel (out, 72 + 10, 108 - 5) == (GROUND & 0xffffff));
    /* In the second. */
    fail_if (read_pixel (out, 432 + 10, 12) == (GROUND & 0xffffff));
    /* Of the others nothing. */
    for (guint x = 400; x < WIDTH; x++)
        for (guint y = 300; y < HEIGHT; y += 5)
            fail_unless_equals_int_hex (read_pixel (out, x, y), GROUND & 0xffffff);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* With no labels of the whole picture, the corner has but the age. */
GST_START_TEST (test_age_of_objects)
{
    GstHarness *harness = plain_overlay_new ();

    for (guint shown = 0; shown < 2; shown++) {
        GstBuffer *buffer = new_blue_frame ();
        GValue regions = G_VALUE_INIT;
        g_autoptr (GstBuffer) out = NULL;
        Extent extent;

        gst_value_array_init (&regions, 1);
        append_region (&regions, 0.5, 0.5, 0.25, 0.25, TRUE);
        gst_structure_set (get_last (&regions), "age", G_TYPE_INT64, (gint64)300000000, NULL);
        gst_structure_take_value (tag (buffer), "regions", &regions);
        g_object_set (harness->element, "show-age", shown == 1, NULL);
        out = push (harness, buffer);
        extent = find_extent (out, WIDTH, HEIGHT, GROUND);
        expect_near (extent.left, shown ? MARGIN : 360, 1);
        expect_near (extent.top, shown ? MARGIN : 270 - 1.5 * LETTER, 1);
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* ---- Formats --------------------------------------------------------------------------------- */

/* As BGRx, of which @pixel is one. */
static guint32
convert_pixel (GstBuffer *buffer, const GstVideoInfo *info, guint x, guint y)
{
    GstVideoInfo to;
    GstVideoConverter *converter;
    g_autoptr (GstBuffer) converted = NULL;
    GstVideoFrame frame;
    GstVideoFrame converted_frame;

    gst_video_info_set_format (&to, GST_VIDEO_FORMAT_BGRx, WIDTH, HEIGHT);
    converter = gst_video_converter_new (info, &to, NULL);
    converted = gst_buffer_new_allocate (NULL, to.size, NULL);
    gst_video_frame_map (&frame, info, buffer, GST_MAP_READ);
    gst_video_frame_map (&converted_frame, &to, converted, GST_MAP_WRITE);
    gst_video_converter_frame (converter, &frame, &converted_frame);
    gst_video_frame_unmap (&converted_frame);
    gst_video_frame_unmap (&frame);
    gst_video_converter_free (converter);
    return read_pixel (converted, x, y);
}

/* GStreamer blends with the matrix of BT.709, whatever the caps say: some colours come out a little
 * off. */
static void
expect_colour (guint32 pixel, guint32 expected, const char *format)
{
    for (guint shift = 0; shift < 24; shift += 8)
        fail_unless (abs ((int)(pixel >> shift & 0xff) - (int)(expected >> shift & 0xff)) <= 12,
                "%s: %06x, not %06x", format, pixel, expected);
}

/* Grey, in layouts of somebody's own: with longer rows, and the planes apart. */
static GstBuffer *
new_padded_frame (GstVideoInfo *info)
{
    GstVideoAlignment alignment;
    GstBuffer *buffer;

    gst_video_alignment_reset (&alignment);
    alignment.padding_right = 48;
    alignment.padding_bottom = 6;
    gst_video_info_align (info, &alignment);
    buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
    gst_buffer_memset (buffer, 0, 0x80, info->size);
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
            WIDTH, HEIGHT, GST_VIDEO_INFO_N_PLANES (info), info->offset, info->stride);
    return buffer;
}

/* Grey in, in every format: the panel in its colours, and what is beside it as it was. */
GST_START_TEST (test_formats)
{
    static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420,
        GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_RGB,
        GST_VIDEO_FORMAT_BGR, GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_xRGB,
        GST_VIDEO_FORMAT_xBGR, GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_GRAY8,
        GST_VIDEO_FORMAT_NV21, GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_I420_10LE };
    GstHarness *harness = overlay_new (NULL);

    /* So that chroma of a line within the bar is of no line beside it. */
    g_object_set (harness->element, "scale", 2.0, NULL);
    for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
        const char *name = gst_video_format_to_string (formats[i]);
        gboolean grey = formats[i] == GST_VIDEO_FORMAT_GRAY8;
        GstVideoInfo info;
        GstVideoInfo padded;
        GstBuffer *buffer;
        g_autoptr (GstBuffer) before = NULL;
        g_autoptr (GstBuffer) out = NULL;

        gst_video_info_set_format (&info, formats[i], WIDTH, HEIGHT);
        padded = info;
        gst_harness_set_src_caps (harness, gst_video_info_to_caps (&info));
        buffer = new_padded_frame (&padded);
        before = gst_buffer_copy_deep (buffer);
        set_label (tag (buffer), "a red van", 0.5, TRUE);
        out = push (harness, buffer);

        expect_colour (
                convert_pixel (out, &info, 60, 2 * (guint)(MARGIN + PADDING + 1.65 * LETTER)),
                grey ? 0xa7a7a7 : 0x56b4e9, name);
        expect_colour (convert_pixel (out, &info, 2 * (guint)MARGIN + 60, 2 * (guint)MARGIN + 6),
                grey ? 0x141414 : 0x101418, name);
        for (guint k = 1; k < 9; k++)
            fail_unless_equals_int_hex (
                    convert_pixel (out, &info, k * WIDTH / 9, k % 2 ? 2 : HEIGHT - 1),
                    convert_pixel (before, &info, k * WIDTH / 9, k % 2 ? 2 : HEIGHT - 1));
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* A frame of which somebody else has the memory is copied, not written to. */
GST_START_TEST (test_shared_frame)
{
    GstHarness *harness = plain_overlay_new ();
    GstBuffer *buffer = new_tagged_frame ("a", 0.5);
    g_autoptr (GstBuffer) kept = gst_buffer_ref (buffer);
    g_autoptr (GstBuffer) out = push (harness, buffer);

    fail_if (out == kept);
    fail_unless (gst_buffer_get_custom_meta (out, "AltClipMeta") != NULL);
    fail_unless_equals_int (find_extent (kept, WIDTH, HEIGHT, GROUND).right, 0);
    fail_unless (find_extent (out, WIDTH, HEIGHT, GROUND).right > 0);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* The video goes on, and one warning is enough. */
GST_START_TEST (test_small_frame)
{
    GstHarness *harness = plain_overlay_new ();
    g_autoptr (GstBus) bus = gst_bus_new ();
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GstMessage) second = NULL;

    gst_element_set_bus (harness->element, bus);
    for (guint i = 0; i < 3; i++) {
        GstBuffer *buffer = new_tagged_frame ("a", 0.5);

        gst_buffer_set_size (buffer, 100);
        gst_buffer_unref (push (harness, buffer));
    }
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    fail_unless (message != NULL);
    second = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    fail_unless (second == NULL);
    gst_buffer_unref (push (harness, new_tagged_frame ("a", 0.5)));
    gst_element_set_bus (harness->element, NULL);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* ---- Downstream ------------------------------------------------------------------------------ */

static GstHarness *
composing_overlay_new (const char *in_feature, gboolean asks)
{
    GstHarness *harness = overlay_new (NULL);
    g_autofree char *caps =
            g_strdup_printf ("video/x-raw%s,format=BGRx,width=720,height=540", in_feature);

    if (asks)
        gst_harness_add_propose_allocation_meta (
                harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_harness_set_sink_caps_str (
            harness, "video/x-raw" FEATURE ",format=BGRx; video/x-raw,format=BGRx");
    gst_harness_set_src_caps_str (harness, caps);
    return harness;
}

static GstVideoOverlayComposition *
get_composition (GstBuffer *buffer)
{
    GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);

    return meta ? meta->overlay : NULL;
}

static gboolean
has_feature (GstHarness *harness)
{
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (harness->sinkpad);

    return gst_caps_features_contains (
            gst_caps_get_features (caps, 0), "meta:GstVideoOverlayComposition");
}

/* Attached where downstream asks for it; once drawn, for as long as nothing changes. */
GST_START_TEST (test_attached)
{
    GstHarness *harness = composing_overlay_new ("", TRUE);
    g_autoptr (GstBuffer) one = push (harness, new_tagged_frame ("a", 0.5));
    g_autoptr (GstBuffer) same = push (harness, new_tagged_frame ("a", 0.5));
    g_autoptr (GstBuffer) other = push (harness, new_tagged_frame ("a", 0.6));
    g_autoptr (GstBuffer) larger = NULL;
    g_autoptr (GstBuffer) none = push (harness, new_blue_frame ());

    fail_unless (has_feature (harness));
    fail_unless_equals_int (find_extent (one, WIDTH, HEIGHT, GROUND).right, 0);
    fail_unless (get_composition (one) != NULL);
    fail_unless (get_composition (same) == get_composition (one));
    fail_if (get_composition (other) == get_composition (one));
    fail_unless (get_composition (none) == NULL);
    g_object_set (harness->element, "scale", 2.0, NULL);
    larger = push (harness, new_tagged_frame ("a", 0.6));
    fail_if (get_composition (larger) == get_composition (other));
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Whoever takes the caps, but asks for no pictures to lay over, gets them in the frame. */
GST_START_TEST (test_not_asked_for)
{
    GstHarness *harness = composing_overlay_new ("", FALSE);
    g_autoptr (GstBuffer) out = push (harness, new_tagged_frame ("a", 0.5));

    fail_unless (get_composition (out) == NULL);
    fail_unless (find_extent (out, WIDTH, HEIGHT, GROUND).right > 0);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Whoever takes anything gets plain frames, and so does who takes any feature, as converters do. */
GST_START_TEST (test_any_downstream)
{
    static const char *const caps[] = { "ANY", "video/x-raw; video/x-raw(ANY)" };

    for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
        GstHarness *harness = overlay_new (NULL);
        g_autoptr (GstBuffer) out = NULL;

        gst_harness_set_sink_caps_str (harness, caps[i]);
        gst_harness_set_src_caps_str (harness, CAPS ("BGRx", 720, 540));
        out = push (harness, new_tagged_frame ("a", 0.5));
        fail_if (has_feature (harness));
        fail_unless (find_extent (out, WIDTH, HEIGHT, GROUND).right > 0);
        gst_harness_teardown (harness);
    }
}
GST_END_TEST;

/* Another sink of the same caps, that asks for the pictures. */
GST_START_TEST (test_reconfigured)
{
    GstHarness *harness = composing_overlay_new ("", FALSE);
    g_autoptr (GstBuffer) drawn = push (harness, new_tagged_frame ("a", 0.5));
    g_autoptr (GstBuffer) attached = NULL;

    gst_harness_add_propose_allocation_meta (
            harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_harness_push_upstream_event (harness, gst_event_new_reconfigure ());
    attached = push (harness, new_tagged_frame ("a", 0.5));
    fail_unless (get_composition (drawn) == NULL);
    fail_unless (get_composition (attached) != NULL);
    fail_unless_equals_int (find_extent (attached, WIDTH, HEIGHT, GROUND).right, 0);
    gst_harness_teardown (harness);
}
GST_END_TEST;

static GstBuffer *
new_aged_frame (guint number)
{
    GstBuffer *buffer = new_tagged_frame ("a", 0.5);
    GstStructure *structure =
            gst_custom_meta_get_structure (gst_buffer_get_custom_meta (buffer, "AltClipMeta"));

    gst_structure_set (structure, "age", G_TYPE_INT64, (gint64)(number * GST_SECOND), NULL);
    set_region (structure, 0.1 * number, 0.5, 0.25, 0.25);
    return buffer;
}

/* What is not shown may change, and nothing is drawn anew. */
GST_START_TEST (test_not_shown)
{
    GstHarness *harness = composing_overlay_new ("", TRUE);

    for (guint shown = 0; shown < 2; shown++) {
        g_autoptr (GstBuffer) one = NULL;
        g_autoptr (GstBuffer) other = NULL;

        g_object_set (harness->element, "show-age", shown == 1, "show-regions", shown == 1, NULL);
        one = push (harness, new_aged_frame (1));
        other = push (harness, new_aged_frame (2));
        fail_unless ((get_composition (one) == get_composition (other)) == (shown == 0));
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* What an earlier element attached stays, below ours, and is not changed in its copies. */
GST_START_TEST (test_earlier_composition)
{
    GstHarness *harness = composing_overlay_new (FEATURE, TRUE);
    g_autoptr (GstBuffer) pixels = new_filled_frame (16, 0xffffffffu);
    GstVideoOverlayRectangle *rectangle;
    GstVideoOverlayComposition *earlier;
    GstBuffer *buffer = new_tagged_frame ("a", 0.5);
    g_autoptr (GstBuffer) out = NULL;

    gst_buffer_add_video_meta (
            pixels, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 4, 4);
    rectangle = gst_video_overlay_rectangle_new_raw (
            pixels, 300, 300, 4, 4, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
    earlier = gst_video_overlay_composition_new (rectangle);
    gst_video_overlay_rectangle_unref (rectangle);
    gst_buffer_add_video_overlay_composition_meta (buffer, earlier);
    out = push (harness, buffer);
    fail_unless_equals_int (gst_video_overlay_composition_n_rectangles (earlier), 1);
    fail_unless_equals_int (gst_video_overlay_composition_n_rectangles (get_composition (out)), 2);
    gst_video_overlay_composition_unref (earlier);
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* Started anew, and with other caps in the middle of the stream. */
GST_START_TEST (test_states)
{
    GstHarness *harness = plain_overlay_new ();

    for (guint i = 0; i < 3; i++) {
        g_autoptr (GstBuffer) out = push (harness, new_tagged_frame ("a", 0.5));

        fail_unless (find_extent (out, WIDTH, HEIGHT, GROUND).right > 0);
        gst_element_set_state (harness->element, GST_STATE_NULL);
        gst_element_set_state (harness->element, GST_STATE_PLAYING);
        gst_harness_set_src_caps_str (harness, CAPS ("BGRx", 720, 540));
    }
    gst_harness_teardown (harness);
}
GST_END_TEST;

/* ---- Several --------------------------------------------------------------------------------- */

static gpointer
draw_scripts (gpointer unused)
{
    static const char *const labels[] = { "a red circle", "红色的圆", "مرحبا بالعالم",
        "👩‍👩‍👧‍👦🔴" };
    GstHarness *harness = plain_overlay_new ();

    for (guint i = 0; i < 40; i++) {
        g_autoptr (GstBuffer) out = NULL;

        g_object_set (harness->element, "scale", 1.0 + i % 10 / 10.0, "font",
                i % 3 ? "Sans" : "Serif Bold", NULL);
        out = push (harness, new_tagged_frame (labels[i % G_N_ELEMENTS (labels)], 0.5));
        fail_unless (find_extent (out, WIDTH, HEIGHT, GROUND).right > 0);
    }
    gst_harness_teardown (harness);
    return unused;
}

/* Elements draw in threads of their own, with the same fonts. */
GST_START_TEST (test_threads)
{
    GThread *threads[4];

    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("draw", draw_scripts, NULL);
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
}
GST_END_TEST;

/* The line between |[ and ]| in the element's documentation, with a sink that keeps its frame. */
static char *
get_documented_line (void)
{
    static const char sink[] = "autovideosink";
    g_autofree char *source = NULL;
    const char *begin;
    const char *end;

    fail_unless (g_file_get_contents (TEST_OVERLAY_SOURCE, &source, NULL, NULL));
    begin = strstr (source, " * gst-launch-1.0 ");
    fail_unless (begin != NULL);
    begin += strlen (" * gst-launch-1.0 ");
    end = strstr (begin, "\n * ]|");
    fail_unless (end != NULL && strncmp (end - strlen (sink), sink, strlen (sink)) == 0);
    return g_strdup_printf ("%.*sfakesink name=sink", (int)(end - begin - strlen (sink)), begin);
}

/* Onto white bars, which the videotestsrc begins with: the panel is darker. */
GST_START_TEST (test_documented_line)
{
    g_autofree char *line = get_documented_line ();
    g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstSample) sample = NULL;
    GstVideoInfo info;
    GstVideoFrame frame;
    guint8 *pixels;

    gst_element_set_state (pipeline, GST_STATE_PAUSED);
    fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE),
            GST_STATE_CHANGE_SUCCESS);
    g_object_get (sink, "last-sample", &sample, NULL);
    fail_unless (sample != NULL);
    fail_unless (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
    fail_unless (gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
    fail_unless_equals_int (GST_VIDEO_INFO_COMP_DEPTH (&info, 0), 8);
    pixels = GST_VIDEO_FRAME_COMP_DATA (&frame, 0);
    fail_unless (pixels[12 * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 0) +
                         40 * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0)] < 128);
    fail_unless (pixels[200 * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 0) +
                         40 * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0)] > 128);
    gst_video_frame_unmap (&frame);
    gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

static Suite *
overlay_suite (void)
{
    Suite *suite = suite_create ("overlay");
    TCase *tests = tcase_create ("overlay");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_nothing_to_draw);
    tcase_add_test (tests, test_other_metadata);
    tcase_add_test (tests, test_corners);
    tcase_add_test (tests, test_bar);
    tcase_add_test (tests, test_scores);
    tcase_add_test (tests, test_rows);
    tcase_add_test (tests, test_age);
    tcase_add_test (tests, test_upstream);
    tcase_add_test (tests, test_pixel_aspect_ratio);
    tcase_add_test (tests, test_sizes);
    tcase_add_test (tests, test_crop);
    tcase_add_test (tests, test_labels);
    tcase_add_test (tests, test_region);
    tcase_add_test (tests, test_label_regions);
    tcase_add_test (tests, test_cropped_regions);
    tcase_add_test (tests, test_wide_picture);
    tcase_add_test (tests, test_objects);
    tcase_add_test (tests, test_age_of_objects);
    tcase_add_test (tests, test_formats);
    tcase_add_test (tests, test_shared_frame);
    tcase_add_test (tests, test_small_frame);
    tcase_add_test (tests, test_attached);
    tcase_add_test (tests, test_not_asked_for);
    tcase_add_test (tests, test_any_downstream);
    tcase_add_test (tests, test_reconfigured);
    tcase_add_test (tests, test_not_shown);
    tcase_add_test (tests, test_earlier_composition);
    tcase_add_test (tests, test_states);
    tcase_add_test (tests, test_threads);
    tcase_add_test (tests, test_documented_line);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (overlay);
