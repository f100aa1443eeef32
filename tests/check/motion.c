/* altclip: tests of altclipfilter's motion gate
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <time.h>

#include "models.h"
#include "rig.h"

static GstBuffer *
push_and_pull (Rig *rig, GstBuffer *buffer)
{
    fail_unless_equals_int (gst_harness_push (rig->harness, buffer), GST_FLOW_OK);
    return gst_harness_pull (rig->harness);
}

static void
expect_frame_pts (Rig *rig, GstBuffer *in, GstClockTime pts)
{
    g_autoptr (GstBuffer) out = push_and_pull (rig, in);

    fail_unless (get_tags (out) != NULL);
    fail_unless_equals_uint64 (get_frame_pts (get_tags (out)), pts);
}

/* Exact: a still frame has the result of the last analysed one, until something moves: max-age is
 * of live mode. */
GST_START_TEST (test_exact_still_frames_reuse)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "max-age", "1000000000", "post-messages", "none", NULL);

    for (guint i = 0; i < 100; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 100, 100, 100), 0);
    for (guint i = 100; i < 105; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 180, 180, 180), 100 * FRAME);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 2);
    fail_unless_equals_uint64 (rig_get_count (rig, "skipped"), 103);
    fail_unless_equals_uint64 (rig_get_count (rig, "reused"), 103);
    rig_free (rig);
}
GST_END_TEST;

/* After a gap, which separates what is known, and without running times, a backward step. */
GST_START_TEST (test_exact_still_frames_after_a_gap)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "max-age", "1000000000", "post-messages", "none", NULL);
    static const guint starts[] = { 0, 60, 200, 20 };

    /* Of 55 frames the next is no gap. */
    for (guint i = 0; i < 55; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 100, 100, 100), 0);
    for (guint start = 1; start < G_N_ELEMENTS (starts); start++) {
        guint last = starts[start];
        guint analysed = start == 1 ? 0 : last;

        for (guint i = last; i < last + 5; i++)
            expect_frame_pts (rig, new_frame (i * FRAME, 100, 100, 100), analysed * FRAME);
    }
    rig_free (rig);
}
GST_END_TEST;

/* A label waits for min-on-time in a picture that stands still: it begins when that is over, the
 * frames until then are looked at, and those after it are not. */
GST_START_TEST (test_exact_still_label_begins)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "max-age", "1000000000", "min-on-time", "1999999980", "score-mode", "cosine",
            "threshold", "-0.99", NULL);

    for (guint i = 0; i < 200; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 100, 100, 100), MIN (i, 60) * FRAME);
    for (guint i = 0; i < 2; i++) {
        g_autoptr (GstMessage) message = pop_event (rig->bus, "begin");
        guint64 pts;

        fail_unless (gst_structure_get_uint64 (gst_message_get_structure (message), "pts", &pts));
        fail_unless_equals_uint64 (pts, 60 * FRAME);
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 61);
    rig_free (rig);
}
GST_END_TEST;

/* What comes of a frame that cannot be looked at stands for no other one. */
GST_START_TEST (test_exact_still_frames_after_a_failure)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "post-messages", "none", NULL);
    GstBuffer *broken = new_frame (5 * FRAME, 100, 100, 100);

    for (guint i = 0; i < 5; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 100, 100, 100), 0);
    gst_buffer_set_size (broken, gst_buffer_get_size (broken) / 2);
    gst_buffer_unref (push_and_pull (rig, broken));
    for (guint i = 6; i < 10; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 100, 100, 100), 6 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* How far the average of the best label is from the last score. */
static double
get_lag (GstBuffer *buffer)
{
    const GValue *results = gst_structure_get_value (get_tags (buffer), "results");
    const GstStructure *best = gst_value_get_structure (gst_value_array_get_value (results, 0));
    double score = 0;
    double cosine = 0;

    fail_unless (gst_structure_get (
            best, "score", G_TYPE_DOUBLE, &score, "cosine", G_TYPE_DOUBLE, &cosine, NULL));
    return ABS (score - cosine);
}

/* An average comes to what a still picture shows, although nothing begins or ends on its way. */
GST_START_TEST (test_exact_still_average_goes_on)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "score-mode", "cosine", "threshold", "1", "max-age", "1000000000", "smoothing",
            "1000000000", NULL);
    double first = 0;
    double last = 0;

    for (guint i = 0; i < 300; i++) {
        g_autoptr (GstBuffer) buffer =
                push_and_pull (rig, new_frame (i * FRAME, i < 30 ? 255 : 0, 0, i < 30 ? 0 : 255));

        if (i == 30)
            first = get_lag (buffer);
        last = get_lag (buffer);
    }
    fail_unless (first > 0 && last < first / 100, "%g, then %g", first, last);
    fail_unless (rig_get_count (rig, "analysed") < 30);
    rig_free (rig);
}
GST_END_TEST;

/* Another threshold makes a still frame due, since nothing else would. */
GST_START_TEST (test_exact_still_frames_and_settings)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "score-mode", "cosine", "threshold", "1", NULL);
    g_autoptr (GstMessage) begin = NULL;

    for (guint i = 0; i < 5; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 9, 9, 9), 0);
    g_object_set (rig->element, "threshold", -0.99, NULL);
    for (guint i = 5; i < 10; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 9, 9, 9), 5 * FRAME);
    begin = pop_event (rig->bus, "begin");
    g_object_set (rig->element, "top-k", 1, NULL);
    for (guint i = 10; i < 15; i++)
        expect_frame_pts (rig, new_frame (i * FRAME, 9, 9, 9), 10 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_moving_frames_are_analysed)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "post-messages", "none", NULL);

    for (guint i = 0; i < 10; i++)
        expect_frame_pts (rig, new_numbered_frame (i), i * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* The interval still holds for what moves. */
GST_START_TEST (test_with_interval)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.01", "interval", "200000000", "post-messages", "none", NULL);

    for (guint i = 0; i < 12; i++)
        expect_frame_pts (rig, new_numbered_frame (i), i / 6 * 6 * FRAME);
    rig_free (rig);
}
GST_END_TEST;

/* A flush and new prompts make a still frame due. */
GST_START_TEST (test_flush_and_prompts)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "motion-threshold",
            "0.5", "post-messages", "none", NULL);
    guint i;

    expect_frame_pts (rig, new_frame (0, 9, 9, 9), 0);
    expect_frame_pts (rig, new_frame (FRAME, 9, 9, 9), 0);
    rig_flush (rig);
    expect_frame_pts (rig, new_frame (2 * FRAME, 9, 9, 9), 2 * FRAME);
    expect_frame_pts (rig, new_frame (3 * FRAME, 9, 9, 9), 2 * FRAME);

    g_object_set (rig->element, "prompts", "c;d;e", NULL);
    for (i = 4; i < 3000; i++) {
        g_autoptr (GstBuffer) out = push_and_pull (rig, new_frame (i * FRAME, 9, 9, 9));

        if (get_revision (get_tags (out)) == 2) {
            fail_unless_equals_uint64 (get_frame_pts (get_tags (out)), i * FRAME);
            break;
        }
        g_usleep (1000);
    }
    fail_unless (i < 3000);
    rig_free (rig);
}
GST_END_TEST;

/* Live: the result of a still scene is always younger than max-age. */
GST_START_TEST (test_live_still_scene_keeps_its_result)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "motion-threshold",
            "0.01", "max-age", "1000000000", "post-messages", "none", NULL);
    GstBuffer *first = push_until_tagged (rig, &(guint){ 0 });
    guint64 analysed;
    guint at = 3000;

    gst_buffer_unref (first);
    gst_buffer_unref (push_and_pull (rig, new_frame (at++ * FRAME, 50, 50, 50)));
    while (rig_get_count (rig, "queue-age") > 0)
        g_usleep (1000);
    g_usleep (300000);
    analysed = rig_get_count (rig, "analysed");
    for (guint i = 0; i < 150; i++, at++) {
        g_autoptr (GstBuffer) out = push_and_pull (rig, new_frame (at * FRAME, 50, 50, 50));

        fail_unless (get_tags (out) != NULL, "frame %u", i);
        fail_unless (get_age (get_tags (out)) < (gint64)GST_SECOND);
        /* Time for the worker, when it has been asked. */
        if (i % 15 == 14)
            g_usleep (300000);
    }
    /* Five seconds, a refresh each half. */
    fail_unless (rig_get_count (rig, "analysed") - analysed <= 11);
    fail_unless (rig_get_count (rig, "analysed") - analysed >= 9);
    rig_free (rig);
}
GST_END_TEST;

/* What the gate costs for a still 1080p frame: processor time of the streaming thread, less what
 * the same costs without it. */
static double
get_cost (const char *threshold)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "motion-threshold",
            threshold, "interval", "1000000000000", "max-age", "1000000000000", "post-messages",
            "none", NULL);
    g_autoptr (GstBuffer) picture = gst_buffer_new_allocate (NULL, 1920 * 1080 * 3 / 2, NULL);
    double costs[7];

    gst_harness_set_src_caps_str (
            rig->harness, "video/x-raw,format=NV12,width=1920,height=1080,framerate=60/1");
    gst_buffer_memset (picture, 0, 77, 1920 * 1080 * 3 / 2);
    for (guint round = 0; round < 7; round++) {
        struct timespec begin;
        struct timespec end;

        clock_gettime (CLOCK_THREAD_CPUTIME_ID, &begin);
        for (guint i = 0; i < 60; i++) {
            GstBuffer *frame = gst_buffer_copy (picture);

            GST_BUFFER_PTS (frame) = (round * 60 + i) * GST_SECOND / 60;
            gst_harness_push (rig->harness, frame);
            gst_buffer_unref (gst_harness_pull (rig->harness));
        }
        clock_gettime (CLOCK_THREAD_CPUTIME_ID, &end);
        costs[round] = ((double)(end.tv_sec - begin.tv_sec) * 1e3 +
                               (double)(end.tv_nsec - begin.tv_nsec) / 1e6) /
                       60;
    }
    for (guint i = 0; i < 7; i++)
        for (guint j = i + 1; j < 7; j++)
            if (costs[j] < costs[i]) {
                double cost = costs[i];
                costs[i] = costs[j];
                costs[j] = cost;
            }
    rig_free (rig);
    return costs[3];
}

GST_START_TEST (test_still_frames_cost_little)
{
    double with = get_cost ("0.01");
    double without = get_cost ("0");

    g_print ("a still 1080p frame: %.3f ms, of which %.3f ms for the motion gate\n", with,
            with - without);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    fail_unless (with - without < 0.3);
#endif
}
GST_END_TEST;

static Suite *
motion_suite (void)
{
    Suite *suite = suite_create ("motion");
    TCase *tests = tcase_create ("motion");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_exact_still_frames_reuse);
    tcase_add_test (tests, test_exact_still_frames_after_a_gap);
    tcase_add_test (tests, test_exact_still_label_begins);
    tcase_add_test (tests, test_exact_still_frames_after_a_failure);
    tcase_add_test (tests, test_exact_still_average_goes_on);
    tcase_add_test (tests, test_exact_still_frames_and_settings);
    tcase_add_test (tests, test_moving_frames_are_analysed);
    tcase_add_test (tests, test_with_interval);
    tcase_add_test (tests, test_flush_and_prompts);
    tcase_add_test (tests, test_live_still_scene_keeps_its_result);
    tcase_add_test (tests, test_still_frames_cost_little);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (motion);
