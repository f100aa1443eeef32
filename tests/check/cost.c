/* altclip: what a frame costs its streaming thread while the worker is busy with another
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Live 1080p60 NV12 goes at that pace through identity and through altclipfilter, in turns and in
 * one thread, while the model that all elements share has more to do than it can. What is counted
 * is the thread's processor time from the frame's arrival until it is done with downstream; other
 * programs and the worker do not add to that.
 */

#include <stdlib.h>
#include <time.h>

#include "models.h"
#include "rig.h"

/* Seven rounds of half a second. */
#define N_ROUNDS 7
#define N_FRAMES 30
#define PERIOD (GST_SECOND / 60)

/* µs a frame beyond what identity takes. */
#define ALLOWED 50.0

#define FULL_HD_CAPS "video/x-raw,format=NV12,width=1920,height=1080,framerate=60/1"
#define FULL_HD_SIZE (1920 * 1080 * 3 / 2)

#define EVER "3600000000000"

#define LABELS_16 "a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p"

/* A way that frames go. */
typedef struct {
    const char *name;
    const char *prompts;
    const char *max_age;
    guint n_labels; /* on each frame */
    gboolean embedding;

    Rig *rig; /* none: identity */
    GstHarness *harness;
    GstBufferPool *pool;
    guint number;        /* of the next frame */
    double spent;        /* µs of this round */
    double us[N_ROUNDS]; /* a frame */
} Lane;

static double
get_thread_time (void)
{
    struct timespec time;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* ---- Lanes ----------------------------------------------------------------------------------- */

static GstBufferPool *
new_pool (void)
{
    GstBufferPool *pool = gst_video_buffer_pool_new ();
    GstStructure *config = gst_buffer_pool_get_config (pool);
    g_autoptr (GstCaps) caps = gst_caps_from_string (FULL_HD_CAPS);

    gst_buffer_pool_config_set_params (config, caps, FULL_HD_SIZE, 4, 0);
    fail_unless (gst_buffer_pool_set_config (pool, config));
    fail_unless (gst_buffer_pool_set_active (pool, TRUE));
    return pool;
}

/* With one picture analysed, before the rounds begin. */
static void
lane_open (Lane *lane)
{
    lane->pool = new_pool ();
    if (!lane->prompts) {
        lane->harness = gst_harness_new ("identity");
    } else {
        lane->rig = rig_new (models_get_slowest (), "prompts", lane->prompts, "mode", "live",
                "top-k", "0", "max-age", EVER, "interval", EVER, "post-messages", "none",
                "attach-embedding", lane->embedding ? "true" : "false", NULL);
        lane->harness = lane->rig->harness;
        gst_buffer_unref (push_until_tagged (lane->rig, &lane->number));
        gst_util_set_object_arg (G_OBJECT (lane->rig->element), "max-age", lane->max_age);
        gst_util_set_object_arg (G_OBJECT (lane->rig->element), "interval", "0");
    }
    gst_harness_set_src_caps_str (lane->harness, FULL_HD_CAPS);
    /* After those of the smaller frames. */
    lane->number *= 2;
}

static void
lane_close (Lane *lane)
{
    if (lane->rig)
        rig_free (lane->rig);
    else
        gst_harness_teardown (lane->harness);
    gst_buffer_pool_set_active (lane->pool, FALSE);
    gst_object_unref (lane->pool);
}

static guint
count_labels (GstBuffer *buffer)
{
    const GstStructure *tags = get_tags (buffer);

    return tags ? get_n_labels (tags) : 0;
}

static void
lane_push (Lane *lane)
{
    GstBuffer *buffer = NULL;
    double begin;
    guint n_labels;

    fail_unless_equals_int (
            gst_buffer_pool_acquire_buffer (lane->pool, &buffer, NULL), GST_FLOW_OK);
    GST_BUFFER_PTS (buffer) = lane->number++ * PERIOD;
    begin = get_thread_time ();
    fail_unless_equals_int (gst_harness_push (lane->harness, buffer), GST_FLOW_OK);
    lane->spent += get_thread_time () - begin;
    buffer = gst_harness_pull (lane->harness);
    n_labels = count_labels (buffer);
    fail_unless_equals_int (n_labels, lane->n_labels);
    begin = get_thread_time ();
    gst_buffer_unref (buffer);
    lane->spent += get_thread_time () - begin;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return (first > second) - (first < second);
}

static double
lane_get_median (Lane *lane)
{
    qsort (lane->us, N_ROUNDS, sizeof *lane->us, compare_doubles);
    return lane->us[N_ROUNDS / 2];
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

/* Each frame time another lane is the first. */
static void
run_round (Lane *lanes, guint n, guint round)
{
    for (guint i = 0; i < N_FRAMES; i++) {
        for (guint j = 0; j < n; j++)
            lane_push (&lanes[(i + j) % n]);
        g_usleep (PERIOD / GST_USECOND);
    }
    for (guint j = 0; j < n; j++) {
        lanes[j].us[round] = lanes[j].spent / N_FRAMES;
        lanes[j].spent = 0;
    }
}

/* How often a frame waited in any of them. */
static guint64
get_waits (const Lane *lanes, guint n)
{
    guint64 waits = 0;

    for (guint i = 1; i < n; i++)
        waits += rig_get_count (lanes[i].rig, "waits");
    return waits;
}

static void
report (Lane *lanes, guint n)
{
    double identity = lane_get_median (&lanes[0]);

    g_print ("identity: %.1f us a frame\n", identity);
    for (guint i = 1; i < n; i++) {
        double ours = lane_get_median (&lanes[i]);

        g_print ("altclipfilter, %s: %.1f us a frame, %.1f more\n", lanes[i].name, ours,
                ours - identity);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        fail_unless (ours <= identity + ALLOWED, "%s costs too much", lanes[i].name);
#endif
    }
}

GST_START_TEST (test_live_costs_little_more_than_identity)
{
    Lane lanes[] = {
        { .name = "identity" },
        { .name = "no result yet", .prompts = "a;b;c;d", .max_age = "0" },
        { .name = "4 labels attached", .prompts = "a;b;c;d", .max_age = EVER, .n_labels = 4 },
        { .name = "4 labels and the embedding attached",
                .prompts = "a;b;c;d",
                .max_age = EVER,
                .n_labels = 4,
                .embedding = TRUE },
        { .name = "16 labels attached", .prompts = LABELS_16, .max_age = EVER, .n_labels = 16 },
    };
    guint64 idle;

    for (guint i = 0; i < G_N_ELEMENTS (lanes); i++)
        lane_open (&lanes[i]);
    for (guint i = 0; i < G_N_ELEMENTS (lanes); i++)
        lane_push (&lanes[i]);
    idle = rig_get_count (lanes[1].rig, "idle");
    for (guint round = 0; round < N_ROUNDS; round++)
        run_round (lanes, G_N_ELEMENTS (lanes), round);
    fail_unless_equals_uint64 (rig_get_count (lanes[1].rig, "idle"), idle);
    fail_unless_equals_uint64 (get_waits (lanes, G_N_ELEMENTS (lanes)), 0);
    report (lanes, G_N_ELEMENTS (lanes));
    for (guint i = 0; i < G_N_ELEMENTS (lanes); i++)
        lane_close (&lanes[i]);
}
GST_END_TEST;

static Suite *
cost_suite (void)
{
    Suite *suite = suite_create ("cost");
    TCase *tests = tcase_create ("cost");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_live_costs_little_more_than_identity);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (cost);
