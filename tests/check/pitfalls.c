/* altclip: tests of altclipfilter, of what went wrong in elements like it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What others' users met, and the test that it cannot be met here. Without a file's name it is in
 * this one.
 *
 *   inference slower than the source:     slow.c test_live_latency_does_not_grow;
 *     latency grows to minutes              test_live_goes_on_beside_a_stuck_worker
 *   LATENCY query unanswered:             latency.c
 *     live pipelines drop everything
 *   framerate 0/1 makes the interval      altclipfilter.c test_frames_without_framerate_or_time;
 *     zero or infinite                      stream.c test_interval_with_variable_framerate
 *   EOS with work in flight hangs or      altclipfilter.c test_exact_eos_drains,
 *     loses the last results                test_live_eos_waits_for_the_frame_in_work
 *   a flush, then results of before it    altclipfilter.c test_live_flush_forgets,
 *                                           test_exact_flush_discards, test_flushing_seeks;
 *                                           orders.c test_any_order
 *   one model in several pipelines:       test_pipelines_reuse_a_model;
 *     hang or crash on reuse                soak.c test_sixteen_live_streams_and_trouble
 *   metadata lost in videoscale           altclipfilter.c test_meta_survives_conversion
 *   metadata on a buffer that is not      altclipfilter.c test_shared_buffers_stay_untouched;
 *     writable                              orders.c test_any_order
 *   results that never expire             altclipfilter.c test_live_results_expire
 *   GstAnalytics: no mtd pointer, or      metadata.c test_classifications_of_frames,
 *     several labels in one ClsMtd          test_objects (GStreamer 1.24)
 *   an error posted under a lock:         test_messages_are_posted_without_a_lock;
 *     deadlock                              altclipfilter.c test_flush_from_a_message_handler
 *   the same embedding for every          test_constant_weights_are_refused,
 *     picture                               test_weights_of_no_numbers_are_refused,
 *                                           test_pictures_differ
 *   a score that differs from the         test-parity.c; formats.c;
 *     reference's                           stills.c
 *   illegal instruction without AVX       tests/without-avx
 *   hardware memory that cannot be        test_hardware_memory_is_refused
 *     mapped
 *   quarks of free text grow for ever     test_free_text_makes_no_quarks
 *   a model loaded in a state change      test_loading_holds_up_nobody;
 *     or under a lock                       altclipfilter.c test_stop_while_loading
 *   properties that read files in their   test_setters_read_no_files
 *     setter
 */

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "gate.h"
#include "models.h"
#include "rig.h"

/* ---- A worker that stands still, in the handler of a message --------------------------------- */

/* It holds up the thread that posts, when that posts a message of @type, of @event if that is set.
 */
typedef struct {
    GMutex lock;
    GCond changed;
    GstMessageType type;
    const char *event;
    gboolean held; /* somebody is */
    gboolean open;
} Barrier;

static gboolean
is_for (Barrier *barrier, GstMessage *message)
{
    const GstStructure *structure = gst_message_get_structure (message);

    if (GST_MESSAGE_TYPE (message) != barrier->type)
        return FALSE;
    return !barrier->event ||
           g_strcmp0 (gst_structure_get_string (structure, "event"), barrier->event) == 0;
}

static void
barrier_hold (Barrier *barrier)
{
    g_mutex_lock (&barrier->lock);
    barrier->held = TRUE;
    g_cond_broadcast (&barrier->changed);
    while (!barrier->open)
        g_cond_wait (&barrier->changed, &barrier->lock);
    g_mutex_unlock (&barrier->lock);
}

static GstBusSyncReply
hold_up (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data)
{
    if (is_for (data, message))
        barrier_hold (data);
    return GST_BUS_PASS;
}

static void
barrier_init (Barrier *barrier, Rig *rig, GstMessageType type, const char *event)
{
    *barrier = (Barrier){ .type = type, .event = event };
    g_mutex_init (&barrier->lock);
    g_cond_init (&barrier->changed);
    gst_bus_set_sync_handler (rig->bus, hold_up, barrier, NULL);
}

/* Who loads a model says so in the log before the element has it. */
static void
hold_up_loading (GstDebugCategory *category G_GNUC_UNUSED, GstDebugLevel level G_GNUC_UNUSED,
        const gchar *file G_GNUC_UNUSED, const gchar *function, gint line G_GNUC_UNUSED,
        GObject *object G_GNUC_UNUSED, GstDebugMessage *message G_GNUC_UNUSED, gpointer data)
{
    if (strcmp (function, "opened") == 0)
        barrier_hold (data);
}

static void
barrier_wait (Barrier *barrier)
{
    gint64 deadline = g_get_monotonic_time () + (gint64)(PATIENCE / GST_USECOND);

    g_mutex_lock (&barrier->lock);
    while (!barrier->held)
        fail_unless (g_cond_wait_until (&barrier->changed, &barrier->lock, deadline),
                "nobody came to the barrier: has what it waits for another name?");
    g_mutex_unlock (&barrier->lock);
}

static void
barrier_open (Barrier *barrier)
{
    g_mutex_lock (&barrier->lock);
    barrier->open = TRUE;
    g_cond_broadcast (&barrier->changed);
    g_mutex_unlock (&barrier->lock);
}

static void
barrier_clear (Barrier *barrier)
{
    g_mutex_clear (&barrier->lock);
    g_cond_clear (&barrier->changed);
}

static void
push_live_frames (Rig *rig, guint from, guint n)
{
    for (guint i = from; i < from + n; i++) {
        g_autoptr (GstBuffer) buffer = NULL;

        fail_unless_equals_int (
                gst_harness_push (rig->harness, new_numbered_frame (i)), GST_FLOW_OK);
        buffer = gst_harness_try_pull (rig->harness);
        fail_unless (buffer != NULL && GST_BUFFER_PTS (buffer) == i * FRAME);
    }
}

/* Were anything here to wait for the worker, it would wait for ever. */
GST_START_TEST (test_live_goes_on_beside_a_stuck_worker)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "live", "post-messages",
            "all", "max-age", "1000000000", NULL);
    guint at = 0;

    gst_buffer_unref (push_until_tagged (rig, &at));
    gate_close ();
    gst_harness_push (rig->harness, gate_guard (new_numbered_frame (at++)));
    gst_buffer_unref (gst_harness_pull (rig->harness));
    gate_wait_for (1);

    push_live_frames (rig, at, 500); /* results expire, too */
    gst_harness_set_src_caps_str (
            rig->harness, "video/x-raw,format=BGR,width=64,height=48,framerate=25/1");
    push_live_frames (rig, at + 500, 10);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_gap (0, FRAME)));
    gst_harness_query_latency (rig->harness);
    g_object_set (rig->element, "prompts", "c;d;e", "interval", G_GUINT64_CONSTANT (1), NULL);
    push_live_frames (rig, at + 510, 10);
    fail_unless_equals_uint64 (rig_get_count (rig, "waits"), 0);
    fail_unless_equals_uint64 (rig_get_count (rig, "frames-in"), at + 520);

    gate_open ();
    rig_free (rig);
}
GST_END_TEST;

/* ---- Loading --------------------------------------------------------------------------------- */

static gpointer
push_one (gpointer data)
{
    Rig *rig = data;

    return GINT_TO_POINTER (gst_harness_push (rig->harness, new_numbered_frame (0)));
}

static gpointer
open_soon (gpointer data)
{
    g_usleep (50000);
    barrier_open (data);
    return NULL;
}

/* A rig whose worker is held up before the element has the model. */
static Rig *
rig_new_loading (Barrier *barrier, const char *mode)
{
    Rig *rig = rig_new_idle (NULL, "prompts", "a;b", "mode", mode, NULL);

    barrier_init (barrier, rig, GST_MESSAGE_UNKNOWN, NULL);
    gst_debug_set_threshold_for_name ("altclipfilter", GST_LEVEL_INFO);
    gst_debug_add_log_function (hold_up_loading, barrier, NULL);
    rig_start (rig);
    return rig;
}

static void
rig_free_loading (Rig *rig, Barrier *barrier)
{
    rig_free (rig);
    gst_debug_remove_log_function_by_data (barrier);
    gst_debug_unset_threshold_for_name ("altclipfilter");
    barrier_clear (barrier);
}

/* State changes and live frames do not wait for the model; exact frames do, until the element is
 * stopped. */
GST_START_TEST (test_loading_holds_up_nobody)
{
    Barrier barrier;
    Rig *rig;
    GThread *pushing;
    GThread *opening;

    if (!models_get_demo ())
        return;
    rig = rig_new_loading (&barrier, "live");
    barrier_wait (&barrier);
    push_live_frames (rig, 0, 100);
    fail_unless_equals_uint64 (rig_get_count (rig, "waits"), 0);
    fail_unless_equals_uint64 (rig_get_count (rig, "skipped"), 100);
    barrier_open (&barrier);
    gst_buffer_unref (push_until_tagged (rig, &(guint){ 100 }));
    rig_free_loading (rig, &barrier);

    rig = rig_new_loading (&barrier, "exact");
    barrier_wait (&barrier);
    pushing = g_thread_new ("push", push_one, rig);
    while (rig_get_count (rig, "waits") == 0)
        g_usleep (1000);
    /* Stopping waits for who loads, but nobody else. */
    opening = g_thread_new ("open", open_soon, &barrier);
    gst_element_set_state (rig->element, GST_STATE_NULL);
    g_thread_join (opening);
    fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (pushing)), GST_FLOW_FLUSHING);
    rig_free_loading (rig, &barrier);
}
GST_END_TEST;

/* Nor does a second element wait for what an application does with the first one's message of its
 * model, which both share. */
GST_START_TEST (test_message_of_model_holds_up_nobody)
{
    Barrier barrier;
    Rig *first;
    Rig *second;

    if (!models_get_demo ())
        return;
    first = rig_new_idle (NULL, "prompts", "a;b", NULL);
    barrier_init (&barrier, first, GST_MESSAGE_INFO, NULL);
    rig_start (first);
    barrier_wait (&barrier);

    second = rig_new (NULL, "prompts", "a;b", "mode", "live", NULL);
    gst_buffer_unref (push_until_tagged (second, &(guint){ 0 }));
    gst_buffer_unref (push_until_tagged (first, &(guint){ 0 }));
    barrier_open (&barrier);
    rig_free (second);
    rig_free (first);
    barrier_clear (&barrier);
}
GST_END_TEST;

/* Upstream's own error, which is of the flow, comes after the one that says why. */
static GstBusSyncReply
hold_error (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data)
{
    gint *posted = data;

    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
        return GST_BUS_PASS;
    g_usleep (200000);
    g_atomic_int_inc (posted);
    return GST_BUS_PASS;
}

GST_START_TEST (test_error_of_model_comes_before_its_flow)
{
    const char *modes[] = { "live", "exact" };

    for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
        gint posted = 0;
        GstFlowReturn ret = GST_FLOW_OK;
        Rig *rig = rig_new_idle ("/nowhere", "mode", modes[i], NULL);

        gst_bus_set_sync_handler (rig->bus, hold_error, &posted, NULL);
        rig_start (rig);
        for (guint at = 0; ret == GST_FLOW_OK; at++) {
            ret = gst_harness_push (rig->harness, new_numbered_frame (at));
            g_usleep (1000);
        }
        fail_unless_equals_int (ret, GST_FLOW_ERROR);
        fail_unless_equals_int (g_atomic_int_get (&posted), 1);
        rig_free (rig);
    }
}
GST_END_TEST;

static guint
count_openings (int fd)
{
    char events[4096];
    ssize_t n = read (fd, events, sizeof events);

    return n > 0 ? (guint)n / sizeof (struct inotify_event) : 0;
}

/* While the model loads, the worker of the prompts, which is to read the file, has nothing to embed
 * with: so nobody does. */
GST_START_TEST (test_setters_read_no_files)
{
    g_autofree char *top = g_path_get_dirname (models_get_quick ());
    g_autofree char *path = g_build_filename (top, "watched.json", NULL);
    int fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
    int model_fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
    GstElement *stopped;
    Barrier barrier;
    Rig *rig;

    if (!models_get_demo ())
        return;
    stopped = gst_object_ref_sink (gst_element_factory_make ("altclipfilter", NULL));
    fail_unless (fd >= 0 && model_fd >= 0);
    fail_unless (g_file_set_contents (
            path, "{\"version\": 1, \"labels\": [{\"label\": \"a\"}]}", -1, NULL));
    rig = rig_new_loading (&barrier, "live");
    barrier_wait (&barrier);

    fail_unless (inotify_add_watch (fd, path, IN_OPEN) >= 0);
    fail_unless (inotify_add_watch (model_fd, models_get_quick (), IN_OPEN) >= 0);
    g_object_set (rig->element, "prompts-file", path, NULL);
    g_object_set (stopped, "prompts-file", path, "model", models_get_quick (), NULL);
    fail_unless_equals_int (count_openings (fd), 0);
    fail_unless_equals_int (count_openings (model_fd), 0);
    barrier_open (&barrier);
    /* And that it would have been seen: */
    gst_buffer_unref (push_until_tagged (rig, &(guint){ 0 }));
    fail_unless_equals_int (count_openings (fd), 1);

    gst_object_unref (stopped);
    rig_free_loading (rig, &barrier);
    close (model_fd);
    close (fd);
}
GST_END_TEST;

/* ---- Messages -------------------------------------------------------------------------------- */

/* What an application may do when it hears of something, from a thread of its own while the one
 * that posts waits for it. */
typedef struct {
    GstElement *element;
    gint seen; /* GstMessageType; atomic */
} Listener;

/* For one message: while it looks around, the element may have its thread post another. */
typedef struct {
    GstElement *element;
    GAsyncQueue *done;
} Look;

static gpointer
look_around (gpointer data)
{
    Look *look = data;
    g_autoptr (GstPad) pad = gst_element_get_static_pad (look->element, "src");
    g_autoptr (GstQuery) query = gst_query_new_latency ();
    g_autoptr (GstStructure) stats = NULL;
    g_autofree char *prompts = NULL;
    g_autofree char *name = gst_object_get_name (GST_OBJECT (look->element));

    g_object_get (look->element, "stats", &stats, "prompts", &prompts, NULL);
    g_object_set (look->element, "interval", G_GUINT64_CONSTANT (0), "prompts", prompts, NULL);
    gst_element_get_state (look->element, NULL, NULL, 0);
    gst_pad_query (pad, query);
    g_async_queue_push (look->done, look);
    return NULL;
}

static GstBusSyncReply
listen_to (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data)
{
    Listener *listener = data;
    guint type = GST_MESSAGE_TYPE (message);
    Look look = { .element = listener->element };
    GThread *thread;

    /* Prompts that are set again must not be heard of again. */
    if (g_atomic_int_or ((guint *)&listener->seen, type) & type)
        return GST_BUS_PASS;
    look.done = g_async_queue_new ();
    thread = g_thread_new ("listener", look_around, &look);
    if (!g_async_queue_timeout_pop (look.done, PATIENCE / GST_USECOND))
        g_error ("%s was posted with a lock held", GST_MESSAGE_TYPE_NAME (message));
    g_thread_join (thread);
    g_async_queue_unref (look.done);
    return GST_BUS_PASS;
}

/* Returns: the types of the messages that were listened to */
static GstMessageType
listen_while (const char *model, const char *prompts, gboolean readable)
{
    Listener listener = { 0 };
    Rig *rig = rig_new (NULL, "mode", "exact", "max-buffers", "1", NULL);

    gst_element_set_state (rig->element, GST_STATE_NULL);
    listener.element = rig->element;
    gst_bus_set_sync_handler (rig->bus, listen_to, &listener, NULL);
    g_object_set (rig->element, "model", model, "prompts", prompts, "threshold", 0.0, NULL);
    gst_element_set_state (rig->element, GST_STATE_PLAYING);
    gst_harness_push_event (rig->harness, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (rig->harness, CAPS);
    for (guint i = 0; i < 3; i++) {
        GstBuffer *frame = new_numbered_frame (i);

        if (!readable)
            gst_buffer_set_size (frame, FRAME_SIZE / 2);
        gst_harness_push (rig->harness, frame);
    }
    gst_harness_push_event (rig->harness, gst_event_new_eos ());
    gst_element_set_state (rig->element, GST_STATE_NULL);
    rig_free (rig);
    return (GstMessageType)g_atomic_int_get (&listener.seen);
}

GST_START_TEST (test_messages_are_posted_without_a_lock)
{
    GstMessageType seen = 0;

    /* A beginning and its end, loading, latency; a bad model; bad prompts; frames that fail. */
    seen |= listen_while (models_get_slow (), "a;b", TRUE);
    fail_unless (seen & GST_MESSAGE_ELEMENT);
    fail_unless (seen & GST_MESSAGE_PROGRESS);
    fail_unless (seen & GST_MESSAGE_LATENCY);
    fail_unless (seen & GST_MESSAGE_WARNING);
    fail_unless (listen_while ("/nowhere", "a;b", TRUE) & GST_MESSAGE_ERROR);
    fail_unless (listen_while (models_get_quick (), "a;a", TRUE) & GST_MESSAGE_WARNING);
    fail_unless (listen_while (models_get_quick (), "a;b", FALSE) & GST_MESSAGE_WARNING);
    if (models_get_demo ())
        fail_unless (listen_while (NULL, "a;b", TRUE) & GST_MESSAGE_INFO);
}
GST_END_TEST;

/* ---- One model in several pipelines ---------------------------------------------------------- */

static GstElement *
new_pipeline (const char *mode)
{
    g_autofree char *line =
            g_strdup_printf ("videotestsrc num-buffers=8 ! video/x-raw,width=64,height=48 ! "
                             "altclipfilter name=filter"
                             " prompts=a;b mode=%s model=%s ! fakesink sync=false",
                    mode, models_get_quick ());

    return gst_parse_launch (line, NULL);
}

static void
wait_for_eos (GstElement *pipeline)
{
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

    gst_message_unref (pop_message (bus, GST_MESSAGE_EOS));
}

/* One after the other, at the same time, one that goes while the other goes on, and again. */
GST_START_TEST (test_pipelines_reuse_a_model)
{
    for (guint round = 0; round < 20; round++) {
        g_autoptr (GstElement) first = new_pipeline (round % 2 ? "exact" : "live");
        g_autoptr (GstElement) second = new_pipeline ("exact");

        gst_element_set_state (first, GST_STATE_PLAYING);
        if (round % 3)
            wait_for_eos (first);
        gst_element_set_state (second, GST_STATE_PLAYING);
        gst_element_set_state (first, GST_STATE_NULL);
        gst_element_set_state (first, GST_STATE_PLAYING);
        wait_for_eos (second);
        wait_for_eos (first);
        gst_element_set_state (second, GST_STATE_NULL);
        gst_element_set_state (first, GST_STATE_NULL);
    }
}
GST_END_TEST;

/* ---- Pictures that look alike ---------------------------------------------------------------- */

static void
expect_load_error (const char *model, GQuark domain, gint code, const char *text)
{
    Rig *rig = rig_new (model, "prompts", "a;b", "mode", "exact", NULL);
    g_autoptr (GstMessage) message = pop_message (rig->bus, GST_MESSAGE_ERROR);
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    fail_unless (g_error_matches (error, domain, code), "%s", error->message);
    fail_unless (g_str_has_prefix (error->message, model), "%s", error->message);
    fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
    fail_unless_equals_int (
            gst_harness_push (rig->harness, new_numbered_frame (0)), GST_FLOW_ERROR);
    rig_free (rig);
}

GST_START_TEST (test_constant_weights_are_refused)
{
    expect_load_error (models_get_constant (), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
            "model.safetensors: self-test: two different pictures have the same embedding");
}
GST_END_TEST;

GST_START_TEST (test_weights_of_no_numbers_are_refused)
{
    expect_load_error (models_get_not_numbers (), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
            "model.safetensors: self-test: picture 1: its embedding has the length nan");
}
GST_END_TEST;

static void
get_cosines (Rig *rig, guint number, double *cosines)
{
    g_autoptr (GstBuffer) buffer =
            gst_harness_push_and_pull (rig->harness, new_numbered_frame (number));

    for (guint rank = 0; rank < 2; rank++) {
        const GstStructure *label = get_label (get_tags (buffer), rank);
        guint index = 0;

        fail_unless (gst_structure_get_uint (label, "index", &index));
        fail_unless (gst_structure_get_double (label, "cosine", &cosines[index]));
    }
}

GST_START_TEST (test_pictures_differ)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", NULL);
    double first[2];
    double second[2];
    double again[2];

    get_cosines (rig, 0, first);
    get_cosines (rig, 1, second);
    fail_unless (first[0] != second[0] && first[1] != second[1]);
    get_cosines (rig, 0, again);
    fail_unless (first[0] == again[0] && first[1] == again[1]);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Caps and quarks ------------------------------------------------------------------------- */

GST_START_TEST (test_hardware_memory_is_refused)
{
    static const char *const memories[] = { "memory:DMABuf", "memory:GLMemory", "memory:VAMemory",
        "memory:CUDAMemory", "meta:GstVideoOverlayComposition" };
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", NULL);

    for (guint i = 0; i < G_N_ELEMENTS (memories); i++) {
        g_autofree char *text = g_strdup_printf (
                "video/x-raw(%s),format=RGB,width=64,height=48,framerate=30/1", memories[i]);
        g_autoptr (GstCaps) caps = gst_caps_from_string (text);

        fail_if (gst_pad_peer_query_accept_caps (rig->harness->srcpad, caps), "%s", memories[i]);
    }
    rig_free (rig);
}
GST_END_TEST;

/* Quarks are numbered: one that is made now tells how many there are. */
static guint
count_quarks (void)
{
    static guint n_made = 0;
    g_autofree char *name = g_strdup_printf ("altclip-test-%u", n_made++);

    return g_quark_from_string (name);
}

/* Of the prompts that a new frame is tagged with. */
static guint
see_revision (Rig *rig)
{
    guint number = (guint)rig_get_count (rig, "frames-in");
    g_autoptr (GstBuffer) buffer =
            gst_harness_push_and_pull (rig->harness, new_numbered_frame (number));

    return get_revision (get_tags (buffer));
}

/* Sets prompts a hundred times, each in force for a frame. Returns: how many quarks that made */
static guint
make_quarks (Rig *rig, const char *first, const char *second)
{
    guint revision = see_revision (rig);
    guint before = count_quarks ();

    for (guint i = 0; i < 100; i++) {
        g_autofree char *prompts =
                g_strdup_printf ("%sfree text %u;%sother text %u", first, i, second, i);

        g_object_set (rig->element, "prompts", prompts, NULL);
        while (see_revision (rig) == revision)
            ;
        revision++;
    }
    return count_quarks () - before - 1;
}

/* GstAnalytics knows a label by its quark: there each is made one, once. */
GST_START_TEST (test_free_text_makes_no_quarks)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "threshold", "0",
            "post-messages", "all", NULL);
    guint n_labels = HAVE_GST_ANALYTICS ? 200 : 0;

    fail_unless (make_quarks (rig, "a=", "b=") < 50);
    fail_unless (make_quarks (rig, "", "") < n_labels + 50);
    fail_unless (make_quarks (rig, "", "") < 50);
    rig_free (rig);
}
GST_END_TEST;

static Suite *
pitfalls_suite (void)
{
    Suite *suite = suite_create ("pitfalls");
    TCase *tests = tcase_create ("pitfalls");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_live_goes_on_beside_a_stuck_worker);
    tcase_add_test (tests, test_loading_holds_up_nobody);
    tcase_add_test (tests, test_message_of_model_holds_up_nobody);
    tcase_add_test (tests, test_error_of_model_comes_before_its_flow);
    tcase_add_test (tests, test_setters_read_no_files);
    tcase_add_test (tests, test_messages_are_posted_without_a_lock);
    tcase_add_test (tests, test_pipelines_reuse_a_model);
    tcase_add_test (tests, test_constant_weights_are_refused);
    tcase_add_test (tests, test_weights_of_no_numbers_are_refused);
    tcase_add_test (tests, test_pictures_differ);
    tcase_add_test (tests, test_hardware_memory_is_refused);
    tcase_add_test (tests, test_free_text_makes_no_quarks);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (pitfalls);
