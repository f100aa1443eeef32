/* altclip: tests of altclipfilter with events in any order
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random sequences of frames, caps, segments, gaps, marks, queries, streams and ends, and of seeks,
 * properties and states, in one thread or in two as in a pipeline; a ledger says whether what comes
 * out is what must. Half of the sequences leave the properties that matter alone: in these it is
 * known of each frame in exact mode which one's result it must have.
 *
 * In the environment, ALTCLIP_ORDERS is the number of sequences, and ALTCLIP_ORDERS_SEED the first
 * one's seed; of a single one the log is shown.
 */

#include <math.h>
#include <string.h>

#include "ledger.h"
#include "models.h"
#include "rig.h"
#include "watchdog.h"

#define N_SHORT 120

/* A sequence that does nothing for so long, in seconds, hangs. */
#define WATCHDOG_PATIENCE 120

#define UPSTREAM_LATENCY (20 * GST_MSECOND)

/* What the element's interval does to the frames, told from the contract. */
typedef struct {
    GstClockTime interval;
    GstClockTime last_due;
    GstClockTime previous;
    guint number; /* of the last frame due */
} Cover;

typedef struct {
    guint seed;
    GRand *rand;
    GRand *control_rand;
    GRand *sink_rand; /* of the thread that pushes, with the pad's lock */
    Ledger ledger;
    GstElement *element;
    GstBus *bus;
    GstPad *src;  /* upstream's */
    GstPad *sink; /* downstream's */
    /* What kind of sequence it is: */
    gboolean wild;  /* any property may change */
    gboolean sated; /* downstream may want no more of a segment */
    gboolean two_threads;
    gboolean upstream_live;
    gboolean upstream_answers;
    guint n_steps;
    gint n_steps_left; /* the streaming thread's */
    /* Upstream's, under its lock: */
    GRecMutex lock;
    gboolean paused; /* told to flush, as a source is until it is started again */
    gboolean need_stream;
    gboolean need_caps;
    gboolean need_segment;
    gboolean eos;
    gboolean exact;
    guint n_streams;
    guint n_segments;
    char *stream_id;
    GstCaps *caps;
    GstSegment segment;
    GstClockTime position;
    Cover cover;
    GstBuffer *shared; /* a frame that upstream holds on to */
} Sequence;

static Sequence *running; /* for the watchdog */
static gint64 heartbeat;

static void
beat (void)
{
    gint64 now = g_get_monotonic_time ();

    __atomic_store_n (&heartbeat, now, __ATOMIC_RELAXED);
}

static void
watch (void)
{
    while (watchdog_wait (1)) {
        gint64 last = __atomic_load_n (&heartbeat, __ATOMIC_RELAXED);

        if (g_get_monotonic_time () - last < WATCHDOG_PATIENCE * G_USEC_PER_SEC)
            continue;
        g_printerr ("%s", running->ledger.log->str);
        g_error ("the sequence with the seed %u hangs", running->seed);
    }
}

static void
start_watchdog (void)
{
    beat ();
    watchdog_start (watch);
}

/* ---- Chance ---------------------------------------------------------------------------------- */

static gboolean
one_in (GRand *rand, guint n)
{
    return g_rand_int_range (rand, 0, (gint32)n) == 0;
}

static const char *
pick (GRand *rand, const char *const *strings, guint n)
{
    return strings[g_rand_int_range (rand, 0, (gint32)n)];
}

#define PICK(rand, strings) pick (rand, strings, G_N_ELEMENTS (strings))

/* ---- Downstream ------------------------------------------------------------------------------ */

static GstFlowReturn
take_frame (GstPad *pad, GstObject *parent G_GNUC_UNUSED, GstBuffer *buffer)
{
    Sequence *sequence = gst_pad_get_element_private (pad);
    gboolean wanted = !sequence->sated || !one_in (sequence->sink_rand, 30);

    ledger_note_frame (&sequence->ledger, pad, buffer, wanted);
    gst_buffer_unref (buffer);
    if (one_in (sequence->sink_rand, 10))
        g_usleep ((gulong)g_rand_int_range (sequence->sink_rand, 0, 3000));
    return wanted ? GST_FLOW_OK : GST_FLOW_EOS;
}

static gboolean
take_event (GstPad *pad, GstObject *parent G_GNUC_UNUSED, GstEvent *event)
{
    Sequence *sequence = gst_pad_get_element_private (pad);

    if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
        ledger_enter_era (&sequence->ledger);
    else if (GST_EVENT_TYPE (event) != GST_EVENT_FLUSH_START)
        ledger_note_event (&sequence->ledger, event);
    gst_event_unref (event);
    return TRUE;
}

/* Anything is taken, whatever the caps are now. */
static void
answer_caps (GstQuery *query)
{
    g_autoptr (GstCaps) any = gst_caps_new_any ();
    GstCaps *filter;

    gst_query_parse_caps (query, &filter);
    gst_query_set_caps_result (query, filter ? filter : any);
}

static gboolean
answer_downstream (GstPad *pad, GstObject *parent, GstQuery *query)
{
    Sequence *sequence = gst_pad_get_element_private (pad);

    if (GST_QUERY_IS_SERIALIZED (query))
        ledger_note_turn (&sequence->ledger, GST_QUERY_TYPE_NAME (query));
    else if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS)
        answer_caps (query);
    else if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS)
        gst_query_set_accept_caps_result (query, TRUE);
    else
        return gst_pad_query_default (pad, parent, query);
    return TRUE;
}

/* ---- Upstream: what it sends, with its lock -------------------------------------------------- */

/* Upstream stops when it is told to flush, and sends what was not taken when it goes on. */
static gboolean
send_event (Sequence *sequence, GstEvent *event)
{
    gboolean taken = gst_pad_push_event (sequence->src, event);

    if (!taken)
        sequence->paused = TRUE;
    return taken;
}

static void
cover_reset (Cover *cover)
{
    cover->last_due = GST_CLOCK_TIME_NONE;
    cover->previous = GST_CLOCK_TIME_NONE;
    cover->number = 0;
}

static gboolean
wants_exact (Sequence *sequence, const char *mode)
{
    if (g_str_equal (mode, "auto"))
        return sequence->upstream_answers && !sequence->upstream_live;
    return g_str_equal (mode, "exact");
}

static void
send_stream_start (Sequence *sequence)
{
    static const char *const modes[] = { "auto", "live", "exact", "exact" };
    const char *mode = PICK (sequence->rand, modes);

    gst_util_set_object_arg (G_OBJECT (sequence->element), "mode", mode);
    sequence->exact = wants_exact (sequence, mode);
    g_free (sequence->stream_id);
    sequence->stream_id = g_strdup_printf ("stream-%u", sequence->n_streams++);
    ledger_log (&sequence->ledger, "%s, %s", sequence->stream_id, mode);
    cover_reset (&sequence->cover);
    sequence->n_segments++;
    sequence->need_stream =
            !send_event (sequence, gst_event_new_stream_start (sequence->stream_id));
    sequence->need_segment = TRUE;
    sequence->eos = FALSE;
}

static void
choose_caps (Sequence *sequence)
{
    static const char *const rates[] = { "30/1", "25/1", "60/1", "0/1", "1/2" };
    static const char *const formats[] = { "RGB", "GRAY8", "NV12", "BGRA" };
    g_autofree char *text = g_strdup_printf (
            "video/x-raw, format=(string)%s, width=(int)%d, height=(int)%d, framerate=(fraction)%s",
            PICK (sequence->rand, formats), 16 * g_rand_int_range (sequence->rand, 1, 6),
            16 * g_rand_int_range (sequence->rand, 1, 6), PICK (sequence->rand, rates));

    gst_clear_caps (&sequence->caps);
    sequence->caps = gst_caps_from_string (text);
}

static void
send_caps (Sequence *sequence)
{
    g_autofree char *text = gst_caps_to_string (sequence->caps);

    ledger_log (&sequence->ledger, "%s", text);
    sequence->need_caps = !send_event (sequence, gst_event_new_caps (sequence->caps));
}

static void
choose_segment (Sequence *sequence, double rate)
{
    GstSegment *segment = &sequence->segment;

    gst_segment_init (segment, GST_FORMAT_TIME);
    segment->rate = rate;
    segment->base = (guint64)g_rand_int_range (sequence->rand, 0, 1000) * SLOT;
    segment->time = (guint64)g_rand_int_range (sequence->rand, 0, 1000) * SLOT;
    segment->start = sequence->position;
    segment->position = sequence->position;
    if (rate < 0) {
        segment->start = 0;
        segment->stop = sequence->position + SLOT;
        segment->position = segment->stop;
    }
}

static void
send_segment (Sequence *sequence)
{
    ledger_log (&sequence->ledger, "segment from %" GST_TIME_FORMAT " at %g",
            GST_TIME_ARGS (sequence->segment.start), sequence->segment.rate);
    sequence->need_segment = !send_event (sequence, gst_event_new_segment (&sequence->segment));
}

static void
new_segment (Sequence *sequence)
{
    static const double rates[] = { 1, 1, 1, 2, 0.5, -1 };

    choose_segment (sequence, rates[g_rand_int_range (sequence->rand, 0, G_N_ELEMENTS (rates))]);
    send_segment (sequence);
}

/* What must come before a frame. */
static gboolean
send_preliminaries (Sequence *sequence)
{
    if (sequence->need_stream)
        send_stream_start (sequence);
    if (!sequence->paused && sequence->need_caps)
        send_caps (sequence);
    if (!sequence->paused && sequence->need_segment)
        send_segment (sequence);
    return !sequence->paused;
}

/* ---- Upstream: frames ------------------------------------------------------------------------ */

static void
step (Sequence *sequence)
{
    static const guint steps[] = { 3, 3, 3, 4, 4, 1, 0, 30, 1000 };
    GstClockTime distance =
            steps[g_rand_int_range (sequence->rand, 0, G_N_ELEMENTS (steps))] * SLOT;
    gboolean back = one_in (sequence->rand, 20);

    if ((sequence->segment.rate < 0) != back)
        sequence->position -= MIN (distance, sequence->position);
    else
        sequence->position += distance;
}

static GstBuffer *
make_frame (Sequence *sequence, gboolean readable)
{
    GstBuffer *buffer;
    GstVideoInfo info;

    fail_unless (gst_video_info_from_caps (&info, sequence->caps));
    buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_memset (buffer, 0, (guint8)g_rand_int (sequence->rand), info.size);
    if (!readable)
        gst_buffer_set_size (buffer, (gssize)info.size / 2);
    if (!one_in (sequence->rand, 10))
        GST_BUFFER_PTS (buffer) = sequence->position;
    if (one_in (sequence->rand, 2))
        GST_BUFFER_DURATION (buffer) = 3 * SLOT;
    if (one_in (sequence->rand, 20))
        GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    return buffer;
}

static GstClockTime
get_half_frame (Sequence *sequence, GstBuffer *buffer)
{
    GstClockTime duration = GST_BUFFER_DURATION (buffer);
    GstVideoInfo info;

    fail_unless (gst_video_info_from_caps (&info, sequence->caps));
    if (info.fps_n > 0)
        duration = gst_util_uint64_scale_int (GST_SECOND, info.fps_d, info.fps_n);
    return GST_CLOCK_TIME_IS_VALID (duration) ? duration / 2 : 0;
}

/* A frame is due at last + interval − half a frame; without PTS, after a backward step or DISCONT
 * at once. */
static gboolean
is_due (Sequence *sequence, GstBuffer *buffer, GstClockTime now)
{
    const Cover *cover = &sequence->cover;
    GstClockTime half_frame = get_half_frame (sequence, buffer);

    if (!GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (cover->last_due) ||
            GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT))
        return TRUE;
    if (now < cover->last_due ||
            (GST_CLOCK_TIME_IS_VALID (cover->previous) && now < cover->previous))
        return TRUE;
    return now + half_frame >= cover->last_due + cover->interval;
}

/* Returns: the number of the frame whose result this one, the next to be sent, must have */
static guint
find_cover (Sequence *sequence, GstBuffer *buffer, GstClockTime now)
{
    Cover *cover = &sequence->cover;

    if (is_due (sequence, buffer, now)) {
        cover->last_due = now;
        cover->number = sequence->ledger.sent->len + 1;
    }
    cover->previous = now;
    return sequence->exact && !sequence->wild ? cover->number : 0;
}

static GstClockTime
get_running_time (Sequence *sequence, GstBuffer *buffer)
{
    if (!GST_BUFFER_PTS_IS_VALID (buffer))
        return GST_CLOCK_TIME_NONE;
    return gst_segment_to_running_time (
            &sequence->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
}

/* What upstream holds on to must stay as it was. */
static void
hold (Sequence *sequence, GstBuffer *buffer)
{
    if (sequence->shared && get_tags (sequence->shared))
        ledger_fail (&sequence->ledger, "a frame that was not writable was tagged");
    gst_clear_buffer (&sequence->shared);
    if (buffer && one_in (sequence->rand, 5))
        sequence->shared = gst_buffer_ref (buffer);
}

/* The number of the next to be sent, which only upstream's lock lets be sent. */
static guint
get_next_number (Sequence *sequence)
{
    return sequence->ledger.sent->len + 1;
}

static gboolean
may_be_eos (Sequence *sequence, GstFlowReturn ret)
{
    return ret == GST_FLOW_EOS &&
           (sequence->eos || ledger_is_unwanted (&sequence->ledger, sequence->n_segments));
}

static void
send_frame (Sequence *sequence)
{
    Sent sent = { .kind = SENT_FRAME, .exact = sequence->exact, .refused = sequence->eos };
    guint number = get_next_number (sequence);
    GstBuffer *buffer;
    GstFlowReturn ret;

    step (sequence);
    sent.unreadable = one_in (sequence->rand, 25);
    buffer = ledger_watch (&sequence->ledger, make_frame (sequence, !sent.unreadable));
    if (GST_BUFFER_PTS_IS_VALID (buffer))
        GST_BUFFER_PTS (buffer) += number;
    GST_BUFFER_OFFSET (buffer) = number;
    sent.pts = GST_BUFFER_PTS (buffer);
    sent.running_time = get_running_time (sequence, buffer);
    if (!sequence->eos)
        sent.covered_by = find_cover (sequence, buffer, sent.running_time);
    sent.segment_number = sequence->n_segments;
    sent.caps = gst_caps_ref (sequence->caps);
    sent.segment = sequence->segment;
    sent.stream_id = g_strdup (sequence->stream_id);
    ledger_log (&sequence->ledger, "%u at %" GST_TIME_FORMAT "%s%s", number,
            GST_TIME_ARGS (GST_BUFFER_PTS (buffer)), sent.unreadable ? " unreadable" : "",
            sequence->exact ? " exact" : "");
    ledger_send (&sequence->ledger, &sent);
    hold (sequence, buffer);
    ret = gst_pad_push (sequence->src, buffer);
    if (ret == GST_FLOW_OK)
        return;
    ledger_log (&sequence->ledger, "%u: %s", number, gst_flow_get_name (ret));
    /* One that downstream answered so has come out. */
    if (!ledger_is_unwanted (&sequence->ledger, sequence->n_segments))
        ledger_refuse (&sequence->ledger, number);
    sequence->paused = ret == GST_FLOW_FLUSHING;
    if (!sequence->paused && !may_be_eos (sequence, ret))
        ledger_fail (&sequence->ledger, "%u was answered with %s", number, gst_flow_get_name (ret));
}

static void
send_numbered_event (Sequence *sequence, SentKind kind)
{
    Sent sent = { .kind = kind, .refused = sequence->eos };
    guint number = get_next_number (sequence);
    GstEvent *event = kind == SENT_GAP   ? gst_event_new_gap (sequence->position + number, SLOT)
                      : kind == SENT_EOS ? gst_event_new_eos ()
                                         : ledger_new_mark (number);

    ledger_log (&sequence->ledger, "%u: %s", number, GST_EVENT_TYPE_NAME (event));
    ledger_send (&sequence->ledger, &sent);
    if (gst_pad_push_event (sequence->src, event))
        return;
    ledger_log (&sequence->ledger, "%u: not taken", number);
    ledger_refuse (&sequence->ledger, number);
    sequence->paused = !sequence->eos;
}

static void
send_eos (Sequence *sequence)
{
    send_numbered_event (sequence, SENT_EOS);
    sequence->eos = !sequence->paused;
}

static void
send_query (Sequence *sequence)
{
    g_autoptr (GstQuery) query = NULL;

    if (one_in (sequence->rand, 2))
        query = gst_query_new_allocation (sequence->caps, TRUE);
    else
        query = gst_query_new_drain ();
    ledger_log (&sequence->ledger, "%s", GST_QUERY_TYPE_NAME (query));
    gst_pad_peer_query (sequence->src, query);
}

static void
send_out_of_band (Sequence *sequence)
{
    GstStructure *structure = gst_structure_new_empty ("altclip-test-aside");

    gst_pad_push_event (
            sequence->src, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_OOB, structure));
}

/* The streaming thread's next step, with upstream's lock. */
static void
do_step (Sequence *sequence)
{
    guint chance = (guint)g_rand_int_range (sequence->rand, 0, 100);

    if (sequence->paused || !send_preliminaries (sequence))
        return;
    if (chance < 66)
        send_frame (sequence);
    else if (chance < 71)
        send_numbered_event (sequence, SENT_GAP);
    else if (chance < 76)
        send_numbered_event (sequence, SENT_MARK);
    else if (chance < 78)
        send_out_of_band (sequence);
    else if (chance < 82)
        send_query (sequence);
    else if (chance < 86 && !sequence->eos) {
        choose_caps (sequence);
        send_caps (sequence);
    } else if (chance < 90 && !sequence->eos)
        new_segment (sequence);
    else if (chance < 93)
        send_stream_start (sequence);
    else if (chance < 95 && !sequence->eos)
        send_eos (sequence);
    else
        g_usleep ((gulong)g_rand_int_range (sequence->rand, 0, 10000));
}

/* ---- Upstream: what it is asked -------------------------------------------------------------- */

static void
seek (Sequence *sequence, GstEvent *event)
{
    GstSeekFlags flags;
    gdouble rate;
    gint64 start;

    gst_event_parse_seek (event, &rate, NULL, &flags, NULL, &start, NULL, NULL);
    if (flags & GST_SEEK_FLAG_FLUSH)
        gst_pad_push_event (sequence->src, gst_event_new_flush_start ());
    g_rec_mutex_lock (&sequence->lock);
    sequence->position = (GstClockTime)start;
    choose_segment (sequence, rate);
    sequence->need_segment = TRUE;
    if (flags & GST_SEEK_FLAG_FLUSH) {
        ledger_begin_era (&sequence->ledger);
        cover_reset (&sequence->cover);
        gst_pad_push_event (sequence->src, gst_event_new_flush_stop (TRUE));
        sequence->paused = FALSE;
        sequence->eos = FALSE;
    }
    g_rec_mutex_unlock (&sequence->lock);
}

static gboolean
take_upstream_event (GstPad *pad, GstObject *parent G_GNUC_UNUSED, GstEvent *event)
{
    Sequence *sequence = gst_pad_get_element_private (pad);

    if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK)
        seek (sequence, event);
    gst_event_unref (event);
    return TRUE;
}

static gboolean
answer_upstream (GstPad *pad, GstObject *parent, GstQuery *query)
{
    Sequence *sequence = gst_pad_get_element_private (pad);

    if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
        return gst_pad_query_default (pad, parent, query);
    if (!sequence->upstream_answers)
        return FALSE;
    gst_query_set_latency (query, sequence->upstream_live,
            sequence->upstream_live ? UPSTREAM_LATENCY : 0, GST_CLOCK_TIME_NONE);
    return TRUE;
}

/* ---- The application ------------------------------------------------------------------------- */

static void
do_seek (Sequence *sequence)
{
    static const double rates[] = { 1, 1, 1, 2, -1 };
    double rate = rates[g_rand_int_range (sequence->control_rand, 0, G_N_ELEMENTS (rates))];
    gint64 start = g_rand_int_range (sequence->control_rand, 100, 10000) * (gint64)SLOT;
    gboolean flush = !one_in (sequence->control_rand, 4);

    ledger_log (&sequence->ledger, "  seek to %" GST_TIME_FORMAT " at %g%s", GST_TIME_ARGS (start),
            rate, flush ? ", flushing" : "");
    gst_pad_push_event (sequence->sink,
            gst_event_new_seek (rate, GST_FORMAT_TIME, flush ? GST_SEEK_FLAG_FLUSH : 0,
                    GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_NONE, -1));
}

/* What a restart of the pipeline does to the elements around this one. */
static void
do_restart (Sequence *sequence)
{
    gboolean whole = one_in (sequence->control_rand, 3);

    ledger_log (&sequence->ledger, "  restart from %s", whole ? "NULL" : "READY");
    gst_element_set_state (sequence->element, whole ? GST_STATE_NULL : GST_STATE_READY);
    g_rec_mutex_lock (&sequence->lock);
    gst_pad_set_active (sequence->src, FALSE);
    gst_pad_set_active (sequence->sink, FALSE);
    ledger_begin_era (&sequence->ledger);
    ledger_enter_era (&sequence->ledger);
    sequence->ledger.revision = 0;
    cover_reset (&sequence->cover);
    sequence->paused = FALSE;
    sequence->eos = FALSE;
    sequence->need_stream = TRUE;
    sequence->need_caps = TRUE;
    gst_pad_set_active (sequence->sink, TRUE);
    gst_pad_set_active (sequence->src, TRUE);
    gst_element_set_state (sequence->element, GST_STATE_PLAYING);
    g_rec_mutex_unlock (&sequence->lock);
}

static void
do_pause (Sequence *sequence)
{
    gboolean pause = one_in (sequence->control_rand, 2);

    ledger_log (&sequence->ledger, "  %s", pause ? "PAUSED" : "PLAYING");
    gst_element_set_state (sequence->element, pause ? GST_STATE_PAUSED : GST_STATE_PLAYING);
}

static void
do_latency (Sequence *sequence)
{
    g_autoptr (GstQuery) query = gst_query_new_latency ();
    gboolean answered = gst_pad_peer_query (sequence->sink, query);
    GstClockTime min;
    GstClockTime max;
    gboolean live;

    if (answered != sequence->upstream_answers)
        ledger_fail (&sequence->ledger, "the LATENCY query was %s", answered ? "answered" : "not");
    if (!answered)
        return;
    gst_query_parse_latency (query, &live, &min, &max);
    if (live != sequence->upstream_live || (live && min < UPSTREAM_LATENCY) || (!live && min > 0) ||
            min > max)
        ledger_fail (&sequence->ledger,
                "the LATENCY query was answered with %d, %" GST_TIME_FORMAT ", %" GST_TIME_FORMAT,
                live, GST_TIME_ARGS (min), GST_TIME_ARGS (max));
}

static void
do_upstream_event (Sequence *sequence)
{
    GstEvent *event;

    switch (g_rand_int_range (sequence->control_rand, 0, 3)) {
    case 0:
        event = gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 0.1, GST_SECOND, GST_SECOND);
        break;
    case 1:
        event = gst_event_new_reconfigure ();
        break;
    default:
        event = gst_event_new_latency (GST_SECOND);
        break;
    }
    ledger_log (&sequence->ledger, "  %s", GST_EVENT_TYPE_NAME (event));
    gst_pad_push_event (sequence->sink, event);
}

static void
do_caps_query (Sequence *sequence)
{
    g_autoptr (GstCaps) caps = gst_pad_peer_query_caps (sequence->src, NULL);
    g_autoptr (GstCaps) some = gst_caps_from_string (CAPS);

    if (!caps || gst_caps_is_empty (caps))
        ledger_fail (&sequence->ledger, "there are no caps");
    if (!gst_pad_peer_query_accept_caps (sequence->src, some))
        ledger_fail (&sequence->ledger, "good caps are not accepted");
}

static void
do_read (Sequence *sequence)
{
    guint n;
    g_autofree GParamSpec **specs =
            g_object_class_list_properties (G_OBJECT_GET_CLASS (sequence->element), &n);

    for (guint i = 0; i < n; i++) {
        g_auto (GValue) value = G_VALUE_INIT;

        g_value_init (&value, specs[i]->value_type);
        if (specs[i]->flags & G_PARAM_READABLE)
            g_object_get_property (G_OBJECT (sequence->element), specs[i]->name, &value);
    }
}

/* ---- Properties ------------------------------------------------------------------------------ */

static const char *const prompts[] = { "a;b;c", "x;y", "one; two=2|two; three",
    "cat;dog;bird;fish" };
static const char *const odd_prompts[] = { "a;b;c", "x;y", "a", "a;;a;a", "", "\xff", "x;x", NULL };
static const char *const odd_strings[] = { "", "a", "{}", "{} {}", "a {}; the {}", "0,0,1,1",
    "0.2,0.2,0.5,0.5", "person", ";", "/nowhere", NULL };

static void
choose_number (GRand *rand, GParamSpec *spec, GValue *value)
{
    /* Every order of magnitude alike. */
    double large = exp2 (g_rand_double_range (rand, 0, 40));

    if (G_IS_PARAM_SPEC_UINT (spec))
        g_value_set_uint (value, (guint)MIN (large, 1e6));
    else if (G_IS_PARAM_SPEC_UINT64 (spec))
        g_value_set_uint64 (value, (guint64)large);
    else if (G_IS_PARAM_SPEC_DOUBLE (spec))
        g_value_set_double (value, g_rand_double_range (rand, -1, 1));
    else if (G_IS_PARAM_SPEC_BOOLEAN (spec))
        g_value_set_boolean (value, g_rand_boolean (rand));
    else if (G_IS_PARAM_SPEC_ENUM (spec))
        g_value_set_enum (value,
                g_rand_int_range (rand, 0, (gint32)G_PARAM_SPEC_ENUM (spec)->enum_class->n_values));
    g_param_value_validate (spec, value);
}

static void
choose_value (GRand *rand, GParamSpec *spec, GValue *value)
{
    g_value_init (value, spec->value_type);
    if (!G_IS_PARAM_SPEC_STRING (spec))
        choose_number (rand, spec, value);
    else if (g_str_equal (spec->name, "prompts"))
        g_value_set_static_string (value, PICK (rand, odd_prompts));
    else
        g_value_set_static_string (value, PICK (rand, odd_strings));
}

/* With the lock of the ledger, by which max-age is looked up. */
static void
note_max_age (Ledger *ledger, guint64 max_age)
{
    g_mutex_lock (&ledger->lock);
    ledger->max_age = MAX (ledger->max_age, (GstClockTimeDiff)max_age);
    g_mutex_unlock (&ledger->lock);
}

static void
set_any (Sequence *sequence, GParamSpec *spec)
{
    g_auto (GValue) value = G_VALUE_INIT;
    g_autofree char *text = NULL;

    choose_value (sequence->control_rand, spec, &value);
    text = g_strdup_value_contents (&value);
    ledger_log (&sequence->ledger, "  %s=%s", spec->name, text);
    if (g_str_equal (spec->name, "max-age"))
        note_max_age (&sequence->ledger, g_value_get_uint64 (&value));
    g_object_set_property (G_OBJECT (sequence->element), spec->name, &value);
}

static gboolean
may_change (Sequence *sequence, GParamSpec *spec)
{
    static const char *const harmless[] = { "max-buffers", "threshold", "hysteresis", "top-k",
        "max-age", "post-messages", "min-on-time", "min-off-time", NULL };

    if (!(spec->flags & G_PARAM_WRITABLE) || !(spec->flags & GST_PARAM_MUTABLE_PLAYING))
        return FALSE;
    return sequence->wild || g_strv_contains (harmless, spec->name);
}

static void
do_property (Sequence *sequence)
{
    guint n;
    g_autofree GParamSpec **specs =
            g_object_class_list_properties (G_OBJECT_GET_CLASS (sequence->element), &n);
    GParamSpec *spec;

    do {
        spec = specs[g_rand_int_range (sequence->control_rand, 0, (gint32)n)];
    } while (!may_change (sequence, spec));
    set_any (sequence, spec);
}

/* Any set of valid prompts: what comes out is the same but for labels and revision. */
static void
do_prompts (Sequence *sequence)
{
    const char *chosen = PICK (sequence->control_rand, prompts);

    if (!sequence->wild)
        return;
    ledger_log (&sequence->ledger, "  prompts=%s", chosen);
    g_object_set (sequence->element, "prompts", chosen, NULL);
}

static void
check_messages (Sequence *sequence)
{
    GstMessage *message;

    while ((message = gst_bus_pop (sequence->bus))) {
        if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
            g_autofree char *text = get_text (message);

            ledger_fail (&sequence->ledger, "%s", text);
        }
        gst_message_unref (message);
    }
}

/* The application's next step. */
static void
do_control (Sequence *sequence)
{
    guint chance = (guint)g_rand_int_range (sequence->control_rand, 0, 100);

    if (chance < 25)
        do_seek (sequence);
    else if (chance < 50)
        do_property (sequence);
    else if (chance < 60)
        do_prompts (sequence);
    else if (chance < 65)
        do_restart (sequence);
    else if (chance < 75)
        do_pause (sequence);
    else if (chance < 82)
        do_latency (sequence);
    else if (chance < 88)
        do_upstream_event (sequence);
    else if (chance < 92)
        do_caps_query (sequence);
    else if (chance < 96)
        do_read (sequence);
    check_messages (sequence);
}

/* ---- A sequence ------------------------------------------------------------------------------ */

static GstPad *
new_pad (Sequence *sequence, const char *name, GstPadDirection direction)
{
    GstPad *pad = gst_object_ref_sink (gst_pad_new (name, direction));

    gst_pad_set_element_private (pad, sequence);
    return pad;
}

static void
link_pads (Sequence *sequence)
{
    g_autoptr (GstPad) sink = gst_element_get_static_pad (sequence->element, "sink");
    g_autoptr (GstPad) src = gst_element_get_static_pad (sequence->element, "src");

    sequence->src = new_pad (sequence, "upstream", GST_PAD_SRC);
    gst_pad_set_event_function (sequence->src, take_upstream_event);
    gst_pad_set_query_function (sequence->src, answer_upstream);
    sequence->sink = new_pad (sequence, "downstream", GST_PAD_SINK);
    gst_pad_set_chain_function (sequence->sink, take_frame);
    gst_pad_set_event_function (sequence->sink, take_event);
    gst_pad_set_query_function (sequence->sink, answer_downstream);
    fail_unless_equals_int (gst_pad_link (sequence->src, sink), GST_PAD_LINK_OK);
    fail_unless_equals_int (gst_pad_link (src, sequence->sink), GST_PAD_LINK_OK);
    gst_pad_set_active (sequence->sink, TRUE);
    gst_pad_set_active (sequence->src, TRUE);
}

static void
choose_kind (Sequence *sequence)
{
    static const GstClockTime intervals[] = { 0, 0, 100 * GST_MSECOND, GST_SECOND };

    sequence->wild = g_rand_boolean (sequence->rand);
    sequence->sated = sequence->wild && one_in (sequence->rand, 4);
    sequence->two_threads = g_rand_boolean (sequence->rand);
    sequence->upstream_live = g_rand_boolean (sequence->rand);
    sequence->upstream_answers = !one_in (sequence->rand, 4);
    sequence->n_steps = (guint)g_rand_int_range (sequence->rand, 10, 80);
    sequence->cover.interval =
            intervals[g_rand_int_range (sequence->rand, 0, G_N_ELEMENTS (intervals))];
    ledger_log (&sequence->ledger, "%s, %s, upstream %s, interval %" G_GUINT64_FORMAT,
            sequence->sated  ? "wild and sated"
            : sequence->wild ? "wild"
                             : "calm",
            sequence->two_threads ? "two threads" : "one thread",
            !sequence->upstream_answers ? "silent"
            : sequence->upstream_live   ? "live"
                                        : "not live",
            sequence->cover.interval);
}

static void
make_element (Sequence *sequence)
{
    gboolean slow = one_in (sequence->rand, 16);
    guint max_buffers = (guint)g_rand_int_range (sequence->rand, 1, 8);

    sequence->element = gst_object_ref_sink (gst_element_factory_make ("altclipfilter", NULL));
    sequence->bus = gst_bus_new ();
    gst_element_set_bus (sequence->element, sequence->bus);
    g_object_set (sequence->element, "model", slow ? models_get_slow () : models_get_quick (),
            "prompts", PICK (sequence->rand, prompts), "interval", sequence->cover.interval,
            "max-buffers", max_buffers, NULL);
    g_object_get (sequence->element, "max-age", &sequence->ledger.max_age, NULL);
    ledger_log (
            &sequence->ledger, "%s model, max-buffers=%u", slow ? "slow" : "quick", max_buffers);
    link_pads (sequence);
    gst_element_set_state (sequence->element, GST_STATE_PLAYING);
}

static void
sequence_init (Sequence *sequence, guint seed)
{
    memset (sequence, 0, sizeof *sequence);
    sequence->seed = seed;
    sequence->rand = g_rand_new_with_seed (seed);
    sequence->control_rand = g_rand_new_with_seed (~seed);
    sequence->sink_rand = g_rand_new_with_seed (seed + G_MAXINT32);
    g_rec_mutex_init (&sequence->lock);
    ledger_init (&sequence->ledger);
    choose_kind (sequence);
    choose_caps (sequence);
    choose_segment (sequence, 1);
    cover_reset (&sequence->cover);
    sequence->need_stream = TRUE;
    sequence->need_caps = TRUE;
    make_element (sequence);
}

static void
sequence_clear (Sequence *sequence)
{
    hold (sequence, NULL);
    gst_element_set_state (sequence->element, GST_STATE_NULL);
    gst_pad_set_active (sequence->src, FALSE);
    gst_pad_set_active (sequence->sink, FALSE);
    check_messages (sequence);
    if (g_atomic_int_get (&sequence->ledger.n_alive) != 0)
        ledger_fail (&sequence->ledger, "%d frames are still there", sequence->ledger.n_alive);
    gst_element_set_bus (sequence->element, NULL);
    gst_object_unref (sequence->bus);
    gst_object_unref (sequence->src);
    gst_object_unref (sequence->sink);
    gst_object_unref (sequence->element);
    gst_caps_unref (sequence->caps);
    g_free (sequence->stream_id);
    g_rand_free (sequence->rand);
    g_rand_free (sequence->control_rand);
    g_rand_free (sequence->sink_rand);
    g_rec_mutex_clear (&sequence->lock);
}

/* Takes a step when not told to flush. */
static void
try_step (Sequence *sequence)
{
    g_rec_mutex_lock (&sequence->lock);
    if (!sequence->paused) {
        do_step (sequence);
        g_atomic_int_dec_and_test (&sequence->n_steps_left);
    }
    g_rec_mutex_unlock (&sequence->lock);
    beat ();
}

static gpointer
stream (gpointer data)
{
    Sequence *sequence = data;

    while (g_atomic_int_get (&sequence->n_steps_left) > 0) {
        gboolean paused = sequence->paused;

        try_step (sequence);
        if (paused)
            g_usleep (100);
    }
    return NULL;
}

static void
run_in_one_thread (Sequence *sequence)
{
    while (g_atomic_int_get (&sequence->n_steps_left) > 0) {
        if (one_in (sequence->control_rand, 5))
            do_control (sequence);
        try_step (sequence);
    }
}

static void
run_in_two_threads (Sequence *sequence)
{
    GThread *thread = g_thread_new ("upstream", stream, sequence);

    while (g_atomic_int_get (&sequence->n_steps_left) > 0) {
        do_control (sequence);
        g_usleep ((gulong)g_rand_int_range (sequence->control_rand, 0, 5000));
    }
    g_thread_join (thread);
}

/* All that was sent comes out. */
static void
finish (Sequence *sequence)
{
    if (!sequence->paused && !sequence->eos && send_preliminaries (sequence))
        send_eos (sequence);
    if (!sequence->paused)
        ledger_wait_until_out (&sequence->ledger);
}

static void
add_counts (const Ledger *ledger, guint *counts)
{
    for (guint i = 0; i < G_N_ELEMENTS (ledger->counts); i++)
        counts[i] += ledger->counts[i];
}

static void
run_sequence (guint seed, gboolean show, guint *counts)
{
    static Sequence sequence; /* outlives a failure, as its threads do */

    beat ();
    sequence_init (&sequence, seed);
    running = &sequence;
    g_atomic_int_set (&sequence.n_steps_left, (gint)sequence.n_steps);
    if (sequence.two_threads)
        run_in_two_threads (&sequence);
    else
        run_in_one_thread (&sequence);
    finish (&sequence);
    sequence_clear (&sequence);
    if (show || sequence.ledger.failure)
        g_printerr ("%s", sequence.ledger.log->str);
    fail_unless (!sequence.ledger.failure, "the sequence with the seed %u: %s", seed,
            sequence.ledger.failure);
    add_counts (&sequence.ledger, counts);
    ledger_clear (&sequence.ledger);
}

static guint
get_number_of (const char *variable, guint otherwise)
{
    const char *text = g_getenv (variable);

    return text ? (guint)g_ascii_strtoull (text, NULL, 10) : otherwise;
}

GST_START_TEST (test_any_order)
{
    guint n = get_number_of ("ALTCLIP_ORDERS", N_SHORT);
    guint seed = get_number_of ("ALTCLIP_ORDERS_SEED", 1);
    /* Has the models open, so that most sequences need not wait for them. */
    Rig *quick = rig_new (models_get_quick (), NULL);
    Rig *slow = rig_new (models_get_slow (), NULL);
    guint counts[LEDGER_N_COUNTS] = { 0 };

    for (guint i = 0; i < n; i++)
        run_sequence (seed + i, n == 1, counts);
    g_print ("%u sequences: of %u frames in exact mode %u had tags, of %u in live mode %u\n", n,
            counts[LEDGER_EXACT], counts[LEDGER_EXACT_TAGGED], counts[LEDGER_LIVE],
            counts[LEDGER_LIVE_TAGGED]);
    rig_free (slow);
    rig_free (quick);
}
GST_END_TEST;

static Suite *
orders_suite (void)
{
    Suite *suite = suite_create ("orders");
    TCase *tests = tcase_create ("orders");

    tcase_set_timeout (tests, 0);
    tcase_add_unchecked_fixture (tests, start_watchdog, watchdog_stop);
    tcase_add_test (tests, test_any_order);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (orders);
