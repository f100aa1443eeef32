/* altclip: tests of altclipfilter with a model that is slower than the source
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gate.h"
#include "models.h"
#include "rig.h"

/* ---- Live: 25 frames a second, and a model that takes half a second -------------------------- */

#define FRAME_25 (GST_SECOND / 25)
#define N_SECONDS 600

/* Frames that come while a picture is in work: twelve and a half. */
#define N_MEANWHILE(round) (12 + (round) % 2)

typedef struct {
    guint next;          /* number of the frame to push */
    GstClockTime result; /* PTS of the newest analysed one */
    GstClockTime worst_age;
} Simulation;

static GstBuffer *
new_guarded_frame (guint number)
{
    GstBuffer *buffer = new_numbered_frame (number);

    GST_BUFFER_PTS (buffer) = number * FRAME_25;
    GST_BUFFER_DURATION (buffer) = FRAME_25;
    return gate_guard (buffer);
}

/* It comes out at once, with the newest result, and says rightly how old that is. */
static void
push_next (Rig *rig, Simulation *simulation)
{
    GstClockTime pts = simulation->next * FRAME_25;
    g_autoptr (GstBuffer) buffer = NULL;

    fail_unless_equals_int (
            gst_harness_push (rig->harness, new_guarded_frame (simulation->next++)), GST_FLOW_OK);
    buffer = gst_harness_try_pull (rig->harness);
    fail_unless (buffer != NULL);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
    fail_unless (get_tags (buffer) != NULL);
    fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), simulation->result);
    fail_unless_equals_int64 (
            get_age (get_tags (buffer)), GST_CLOCK_DIFF (simulation->result, pts));
    simulation->worst_age = MAX (simulation->worst_age, pts - simulation->result);
}

static void
wait_for_result (Rig *rig, GstClockTime expected)
{
    g_autoptr (GstMessage) message = pop_event (rig->bus, "result");
    guint64 pts = 0;

    fail_unless (gst_structure_get_uint64 (gst_message_get_structure (message), "pts", &pts));
    fail_unless_equals_uint64 (pts, expected);
}

/* Ten minutes of video. The time that a picture takes is counted in frames, so that the test needs
 * neither ten minutes nor a quiet machine. */
GST_START_TEST (test_live_latency_does_not_grow)
{
    Rig *rig = rig_new (
            models_get_quick (), "prompts", "a;b", "mode", "live", "post-messages", "all", NULL);
    Simulation simulation = { .worst_age = 0 };
    GstClockTime in_work;
    GstClockTime worst_of_first_minute = 0;
    guint round = 0;

    gst_harness_set_src_caps_str (
            rig->harness, "video/x-raw,format=RGB,width=64,height=48,framerate=25/1");
    gst_harness_set_upstream_latency (rig->harness, 20 * GST_MSECOND);
    gst_buffer_unref (push_until_tagged (rig, &(guint){ 0 }));
    rig_flush (rig);
    rig_forget_messages (rig);

    /* The first has nothing to go with. */
    gst_harness_push (rig->harness, new_guarded_frame (simulation.next++));
    gst_buffer_unref (gst_harness_pull (rig->harness));
    wait_for_result (rig, 0);
    gate_close ();
    in_work = simulation.next * FRAME_25;
    push_next (rig, &simulation);
    gate_wait_for (1);
    for (; simulation.next < 25 * N_SECONDS; round++) {
        for (guint i = 0; i < N_MEANWHILE (round); i++)
            push_next (rig, &simulation);
        gate_let_one ();
        wait_for_result (rig, in_work);
        simulation.result = in_work;
        in_work = (simulation.next - 1) * FRAME_25;
        gate_wait_for (round + 2);
        if (simulation.next < 25 * 60)
            worst_of_first_minute = simulation.worst_age;
    }
    /* A frame waits for the one before it, and then for itself. */
    fail_unless (simulation.worst_age <= GST_SECOND + FRAME_25);
    fail_unless_equals_uint64 (simulation.worst_age, worst_of_first_minute);
    fail_unless_equals_uint64 (gst_harness_query_latency (rig->harness), 20 * GST_MSECOND);
    fail_unless_equals_uint64 (rig_get_count (rig, "waits"), 0);
    fail_unless_equals_uint64 (rig_get_count (rig, "idle-with-frames"), 0);
    gate_open ();
    rig_free (rig);
}
GST_END_TEST;

static Suite *
slow_suite (void)
{
    Suite *suite = suite_create ("slow");
    TCase *tests = tcase_create ("slow");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_live_latency_does_not_grow);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (slow);
