/* altclip: a stream of video that is being watched
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watcher.h"
#include "altclipevents.h"
#include "altclipfilter.h"
#include "altcliprecorder.h"
#include "decoder.h"
#include "excerpt.h"
#include "missing_plugin.h"

#include <string.h>

struct _Watcher {
    const Source *source;
    Console *console;
    WatcherRules rules;
    WatcherDone done;
    gpointer user_data;

    GstElement *pipeline; /* while it is busy, like what is in it */
    GstElement *decoder;
    GstElement *filter;
    GstElement *sink;
    gboolean is_live;
    gboolean is_ending; /* was asked to */
    gboolean is_busy;
    gboolean was_running; /* the decoder, at the last look */
    guint64 duration;
    guint n_analysed;
    GQueue posted;   /* of GstStructure: events on the bus that may not have come out yet */
    guint64 n_taken; /* how many have left it */
    char *missing;   /* (nullable): what there is to say of a missing plugin */
    char *complaint; /* (nullable): the last warning */
    gboolean is_complaint_told;

    GstAltclipRecorder recorder; /* of the streaming thread, until that has stopped */

    GMutex lock;         /* of the rest; never held while something is waited for */
    gint64 arrival;      /* monotonic time of the newest frame, or of the start */
    guint64 n_in;        /* frames that came to the filter */
    guint64 n_out;       /* and that are done with */
    gboolean is_drained; /* the decoder is at its end */
    guint64 time;
    guint64 n_events;  /* that came out */
    GPtrArray *active; /* (element-type utf8): labels */
    char *doing;       /* (nullable): before frames come */
};

/* ---- What comes in --------------------------------------------------------------------------- */

static void
note_arrival (Watcher *watcher)
{
    g_mutex_lock (&watcher->lock);
    watcher->arrival = g_get_monotonic_time ();
    watcher->n_in++;
    g_clear_pointer (&watcher->doing, g_free);
    g_mutex_unlock (&watcher->lock);
}

static GstPadProbeReturn
on_input (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Watcher *watcher = user_data;

    if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
        note_arrival (watcher);
    } else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS) {
        g_mutex_lock (&watcher->lock);
        watcher->is_drained = TRUE;
        g_mutex_unlock (&watcher->lock);
    }
    return GST_PAD_PROBE_OK;
}

/* ---- What comes out -------------------------------------------------------------------------- */

static void
note_event (Watcher *watcher, const GstStructure *event)
{
    const char *kind = gst_structure_get_string (event, "event");
    const char *label = gst_structure_get_string (event, "label");
    guint index;

    g_mutex_lock (&watcher->lock);
    watcher->n_events++;
    if (g_strcmp0 (kind, "begin") == 0)
        g_ptr_array_add (watcher->active, g_strdup (label));
    else if (g_strcmp0 (kind, "end") == 0 &&
             g_ptr_array_find_with_equal_func (watcher->active, label, g_str_equal, &index))
        g_ptr_array_remove_index (watcher->active, index);
    g_mutex_unlock (&watcher->lock);
}

static void
write_event (Watcher *watcher, const GstStructure *event)
{
    Console *console = watcher->console;

    note_event (watcher, event);
    g_mutex_lock (&console->lock);
    console_write (console, gst_altclip_recorder_new_event (&watcher->recorder, event,
                                    watcher->source->shown, &console->sequence));
    g_mutex_unlock (&console->lock);
}

static void
write_results (Watcher *watcher, GstBuffer *buffer)
{
    Console *console = watcher->console;

    g_mutex_lock (&console->lock);
    console_write (console, gst_altclip_recorder_new_result (&watcher->recorder, buffer, FALSE,
                                    watcher->source->shown, &console->sequence));
    g_mutex_unlock (&console->lock);
}

static void
note_departure (Watcher *watcher, GstBuffer *buffer)
{
    guint64 time = gst_segment_to_stream_time (
            &watcher->recorder.segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));

    g_mutex_lock (&watcher->lock);
    if (GST_CLOCK_TIME_IS_VALID (time))
        watcher->time = time;
    watcher->n_out++;
    g_mutex_unlock (&watcher->lock);
}

static GstPadProbeReturn
on_output (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Watcher *watcher = user_data;

    if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
        GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

        if (watcher->rules.results)
            write_results (watcher, buffer);
        note_departure (watcher, buffer);
    } else {
        GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

        gst_altclip_recorder_follow (&watcher->recorder, event);
        if (gst_event_has_name (event, GST_ALTCLIP_EVENT_NAME))
            write_event (watcher, gst_event_get_structure (event));
    }
    return GST_PAD_PROBE_OK;
}

/* ---- The end --------------------------------------------------------------------------------- */

/* All events are posted on the bus, in the order in which they come out. */
static void
note_posted (Watcher *watcher, GstMessage *message)
{
    guint64 n_events;

    if (!gst_message_has_name (message, GST_ALTCLIP_EVENT_NAME))
        return;
    g_queue_push_tail (&watcher->posted, gst_structure_copy (gst_message_get_structure (message)));
    g_mutex_lock (&watcher->lock);
    n_events = watcher->n_events;
    g_mutex_unlock (&watcher->lock);
    for (; watcher->n_taken < n_events && watcher->posted.length > 0; watcher->n_taken++)
        gst_structure_free (g_queue_pop_head (&watcher->posted));
}

/* What was found after the last frame, and what stopping ends, is told on the bus alone. */
static void
write_posted (Watcher *watcher)
{
    g_autoptr (GstBus) bus = gst_element_get_bus (watcher->pipeline);
    GstMessage *message;
    GstStructure *event;

    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
        note_posted (watcher, message);
        gst_message_unref (message);
    }
    for (; (event = g_queue_pop_head (&watcher->posted)); watcher->n_taken++) {
        gst_structure_set (
                event, "element", G_TYPE_STRING, GST_OBJECT_NAME (watcher->filter), NULL);
        if (watcher->n_taken >= watcher->n_events)
            write_event (watcher, event);
        gst_structure_free (event);
    }
}

static void
stop (Watcher *watcher)
{
    if (watcher->pipeline)
        gst_element_set_state (watcher->pipeline, GST_STATE_NULL);
    gst_clear_object (&watcher->pipeline);
    watcher->decoder = watcher->filter = watcher->sink = NULL;
}

/* Another watcher that is started meanwhile finds the model open. */
static void
finish (Watcher *watcher, WatcherFault fault, const char *message)
{
    g_autoptr (GstBus) bus = NULL;
    guint64 unused;

    if (!watcher->is_busy)
        return;
    bus = gst_element_get_bus (watcher->pipeline);
    watcher_get_progress (watcher, &unused, &unused, &watcher->n_analysed);
    watcher->is_busy = FALSE;
    gst_bus_remove_watch (bus);
    watcher->done (watcher, fault, message, watcher->user_data);
    gst_element_set_state (watcher->pipeline, GST_STATE_READY);
    write_posted (watcher);
    stop (watcher);
}

static gboolean
has_frames (Watcher *watcher)
{
    gboolean has;

    g_mutex_lock (&watcher->lock);
    has = watcher->n_in > 0;
    g_mutex_unlock (&watcher->lock);
    return has;
}

/* What goes wrong while it ends anyway is of no interest. */
static void
fail (Watcher *watcher, const char *reason)
{
    g_autofree char *message = NULL;

    if (watcher->is_ending) {
        finish (watcher, WATCHER_FAULT_NONE, NULL);
        return;
    }
    message = g_strdup_printf ("%s: %s: %s", watcher->source->shown,
            !has_frames (watcher) ? "cannot be watched"
            : watcher->is_live    ? "is lost"
                                  : "cannot be watched to its end",
            reason);
    finish (watcher, WATCHER_FAULT_SOURCE, message);
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* From "FILE(LINE): FUNCTION (): /ELEMENT:\nDETAILS, URL: …", of which the last may hold a
 * password. Returns: (transfer full) (nullable): the details on one line */
static char *
get_details (const char *debug)
{
    const char *at = debug ? strchr (debug, '\n') : NULL;
    g_autofree char *details = NULL;
    char *url;

    if (!at || at[1] == '\0')
        return NULL;
    details = g_strndup (at + 1, strcspn (at + 1, "\n"));
    url = strstr (details, ", URL: ");
    if (url)
        *url = '\0';
    return strstr (details, "://") ? NULL : altclip_excerpt (details);
}

static void
fail_by_message (Watcher *watcher, GstMessage *message)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *debug = NULL;
    g_autofree char *details = NULL;
    g_autofree char *text = NULL;
    g_autofree char *reason = NULL;

    gst_message_parse_error (message, &error, &debug);
    if (GST_MESSAGE_SRC (message) == GST_OBJECT (watcher->filter)) {
        finish (watcher, WATCHER_FAULT_MODEL, error->message);
        return;
    }
    details = get_details (debug);
    text = altclip_excerpt (error->message);
    if (!details || g_str_has_prefix (details, text))
        reason = g_strdup (details ? details : text);
    else
        reason = g_strdup_printf ("%s (%s)", text, details);
    fail (watcher, watcher->missing ? watcher->missing : reason);
}

/* Whether the filter has given up what it was to look for. */
static gboolean
has_no_prompts (Watcher *watcher)
{
    GstAltclipFilter *filter = GST_ALTCLIP_FILTER (watcher->filter);
    gboolean none;

    g_mutex_lock (&filter->lock);
    none = filter->analysis.model != NULL && gst_altclip_analysis_is_settled (filter) &&
           filter->analysis.n_labels == 0;
    g_mutex_unlock (&filter->lock);
    return none;
}

/* A decoder may warn of every frame: of the same once. */
static void
note_complaint (Watcher *watcher, const char *text)
{
    if (g_strcmp0 (text, watcher->complaint) == 0)
        return;
    g_free (watcher->complaint);
    watcher->complaint = g_strdup (text);
    watcher->is_complaint_told = FALSE;
}

/* After a while, since an error may follow that says more. */
static void
tell_complaint (Watcher *watcher)
{
    if (watcher->complaint && !watcher->is_complaint_told)
        console_warn (watcher->console, "%s", watcher->complaint);
    watcher->is_complaint_told = TRUE;
}

/* What the decoders' bin itself warns of is streams that it leaves alone. */
static void
take_warning (Watcher *watcher, GstMessage *message)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *excerpt = NULL;
    g_autofree char *text = NULL;

    gst_message_parse_warning (message, &error, NULL);
    if (GST_MESSAGE_SRC (message) == GST_OBJECT (watcher->filter)) {
        if (has_no_prompts (watcher))
            finish (watcher, WATCHER_FAULT_MODEL, error->message);
        else
            console_warn_once (watcher->console, error->message);
    } else if (GST_MESSAGE_SRC (message) != GST_OBJECT (watcher->decoder)) {
        excerpt = altclip_excerpt (error->message);
        text = g_strdup_printf ("%s: %s", watcher->source->shown, excerpt);
        note_complaint (watcher, text);
    }
}

/* Of what takes its time before frames come. A source's may hold a password. */
static void
note_doing (Watcher *watcher, GstMessage *message)
{
    GstProgressType type;
    g_autofree char *text = NULL;

    gst_message_parse_progress (message, &type, NULL, &text);
    g_mutex_lock (&watcher->lock);
    g_clear_pointer (&watcher->doing, g_free);
    if (!strstr (text, "://") &&
            (type == GST_PROGRESS_TYPE_START || type == GST_PROGRESS_TYPE_CONTINUE))
        watcher->doing = altclip_excerpt (text);
    g_mutex_unlock (&watcher->lock);
}

/* What is live ends only when it is lost. */
static void
take_end (Watcher *watcher)
{
    if (watcher->is_live)
        fail (watcher, "the stream has ended");
    else if (!has_frames (watcher))
        fail (watcher, "it holds no frame");
    else
        finish (watcher, WATCHER_FAULT_NONE, NULL);
}

static void
take_message (Watcher *watcher, GstMessage *message)
{
    switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
        note_posted (watcher, message);
        if (!watcher->missing)
            watcher->missing = missing_plugin_describe (message);
        break;
    case GST_MESSAGE_ERROR:
        fail_by_message (watcher, message);
        break;
    case GST_MESSAGE_WARNING:
        take_warning (watcher, message);
        break;
    case GST_MESSAGE_PROGRESS:
        note_doing (watcher, message);
        break;
    case GST_MESSAGE_LATENCY:
        gst_bin_recalculate_latency (GST_BIN (watcher->pipeline));
        break;
    case GST_MESSAGE_EOS:
        take_end (watcher);
        break;
    default:
        break;
    }
}

static gboolean
on_message (G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer user_data)
{
    Watcher *watcher = user_data;

    take_message (watcher, message);
    return watcher->is_busy ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* ---- The pipeline ---------------------------------------------------------------------------- */

static void
add_probe (GstElement *element, GstPadProbeCallback callback, Watcher *watcher)
{
    g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
            callback, watcher, NULL);
}

/* Returns: (nullable): the element, in the pipeline; %NULL: there is none, which fails the watcher
 */
static GstElement *
add_element (Watcher *watcher, const char *name)
{
    GstElement *element = gst_element_factory_make (name, NULL);
    g_autofree char *reason = NULL;

    if (element) {
        gst_bin_add (GST_BIN (watcher->pipeline), element);
        return element;
    }
    reason = g_strdup_printf ("GStreamer has no element %s here, which is in the packages "
                              "gstreamer1.0-plugins-base and gstreamer1.0-plugins-good",
            name);
    fail (watcher, reason);
    return NULL;
}

/* decoder → videoconvert → videoflip, which turns upright → filter → fakesink */
static gboolean
fill_pipeline (Watcher *watcher)
{
    GstElement *converter;
    GstElement *flip;

    if (!(watcher->decoder = add_element (watcher, "uridecodebin")) ||
            !(converter = add_element (watcher, "videoconvert")) ||
            !(flip = add_element (watcher, "videoflip")) ||
            !(watcher->sink = add_element (watcher, "fakesink")))
        return FALSE;
    g_object_set (watcher->decoder, "uri", watcher->source->uri, NULL);
    g_object_set (flip, "video-direction", GST_VIDEO_ORIENTATION_AUTO, NULL);
    decoder_connect (watcher->decoder, converter,
            watcher->source->is_file ? DECODER_STAYS_LOCAL : DECODER_FOLLOWS);
    add_probe (watcher->filter, on_input, watcher);
    add_probe (watcher->sink, on_output, watcher);
    return gst_element_link_many (converter, flip, watcher->filter, watcher->sink, NULL);
}

/* Returns: whether it was told why */
static gboolean
take_messages (Watcher *watcher)
{
    g_autoptr (GstBus) bus = gst_element_get_bus (watcher->pipeline);
    GstMessage *message;

    while (watcher->is_busy && (message = gst_bus_pop (bus))) {
        take_message (watcher, message);
        gst_message_unref (message);
    }
    return !watcher->is_busy;
}

static void
play (Watcher *watcher)
{
    GstStateChangeReturn ret = gst_element_set_state (watcher->pipeline, GST_STATE_PAUSED);

    watcher->is_live = ret == GST_STATE_CHANGE_NO_PREROLL;
    g_object_set (watcher->sink, "sync", watcher->rules.paced && !watcher->is_live, NULL);
    if (ret != GST_STATE_CHANGE_FAILURE)
        ret = gst_element_set_state (watcher->pipeline, GST_STATE_PLAYING);
    if (ret == GST_STATE_CHANGE_FAILURE && !take_messages (watcher))
        fail (watcher, "GStreamer does not say why");
}

/* ---- Public ---------------------------------------------------------------------------------- */

Watcher *
watcher_new (const Source *source, Console *console, const WatcherRules *rules, WatcherDone done,
        gpointer user_data)
{
    Watcher *watcher = g_new0 (Watcher, 1);

    watcher->source = source;
    watcher->console = console;
    watcher->rules = *rules;
    watcher->done = done;
    watcher->user_data = user_data;
    watcher->was_running = TRUE;
    watcher->active = g_ptr_array_new_with_free_func (g_free);
    gst_altclip_recorder_init (&watcher->recorder);
    g_mutex_init (&watcher->lock);
    return watcher;
}

void
watcher_free (Watcher *watcher)
{
    stop (watcher);
    gst_altclip_recorder_clear (&watcher->recorder);
    g_queue_clear_full (&watcher->posted, (GDestroyNotify)gst_structure_free);
    g_ptr_array_unref (watcher->active);
    g_free (watcher->missing);
    g_free (watcher->complaint);
    g_free (watcher->doing);
    g_mutex_clear (&watcher->lock);
    g_free (watcher);
}

void
watcher_start (Watcher *watcher, GstElement *filter)
{
    g_autoptr (GstBus) bus = NULL;

    watcher->pipeline = gst_pipeline_new (NULL);
    watcher->filter = filter;
    gst_bin_add (GST_BIN (watcher->pipeline), filter);
    bus = gst_element_get_bus (watcher->pipeline);
    watcher->is_busy = TRUE;
    watcher->arrival = g_get_monotonic_time ();
    gst_bus_add_watch (bus, on_message, watcher);
    if (fill_pipeline (watcher))
        play (watcher);
}

static GstPadProbeReturn
push_end (GstPad *pad, G_GNUC_UNUSED GstPadProbeInfo *info, G_GNUC_UNUSED gpointer user_data)
{
    g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

    gst_pad_send_event (peer, gst_event_new_eos ());
    return GST_PAD_PROBE_REMOVE;
}

/* Between two frames, for the filter takes no event while it has a frame to take. */
static void
end_stream (G_GNUC_UNUSED GstElement *filter, gpointer pad)
{
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_IDLE, push_end, NULL, NULL);
}

void
watcher_end (Watcher *watcher)
{
    g_autoptr (GstPad) pad = NULL;

    if (!watcher->is_busy || watcher->is_ending)
        return;
    watcher->is_ending = TRUE;
    /* Nothing has begun. */
    if (!has_frames (watcher)) {
        finish (watcher, WATCHER_FAULT_NONE, NULL);
        return;
    }
    pad = gst_element_get_static_pad (watcher->filter, "sink");
    gst_element_call_async (watcher->filter, end_stream, gst_pad_get_peer (pad), gst_object_unref);
}

static gboolean
is_dead (Watcher *watcher)
{
    gboolean was_running = watcher->was_running;
    gboolean is_drained;

    g_mutex_lock (&watcher->lock);
    is_drained = watcher->is_drained;
    g_mutex_unlock (&watcher->lock);
    watcher->was_running = is_drained || decoder_is_running (watcher->decoder);
    return !was_running && !watcher->was_running;
}

/* What holds frames up may be the filter, or who reads the records: that is no silence. Of what is
 * not live, much may have to be read before the first frame. */
static gboolean
is_silent (Watcher *watcher)
{
    gint64 now = g_get_monotonic_time ();
    gint64 patience = (gint64)(watcher->rules.patience / GST_USECOND);
    gboolean silent;

    if (patience == 0)
        return FALSE;
    g_mutex_lock (&watcher->lock);
    silent = now - watcher->arrival > patience && watcher->n_in == watcher->n_out &&
             (watcher->is_live || watcher->n_in > 0);
    g_mutex_unlock (&watcher->lock);
    return silent;
}

void
watcher_check (Watcher *watcher)
{
    g_autofree char *reason = NULL;

    if (!watcher->is_busy || watcher->is_ending)
        return;
    tell_complaint (watcher);
    if (watcher->source->is_file) {
        if (is_dead (watcher))
            fail (watcher, "broken or cut off");
    } else if (is_silent (watcher)) {
        reason =
                g_strdup_printf ("no frame for %g s", (double)watcher->rules.patience / GST_SECOND);
        fail (watcher, reason);
    }
}

gboolean
watcher_is_busy (const Watcher *watcher)
{
    return watcher->is_busy;
}

static guint
count_analysed (Watcher *watcher)
{
    g_autoptr (GstStructure) stats = NULL;
    guint64 n = 0;

    if (!watcher->is_busy)
        return watcher->n_analysed;
    g_object_get (watcher->filter, "stats", &stats, NULL);
    if (stats)
        gst_structure_get_uint64 (stats, "analysed", &n);
    return (guint)n;
}

void
watcher_get_progress (Watcher *watcher, guint64 *time, guint64 *duration, guint *n_frames)
{
    gint64 asked;

    if (watcher->is_busy && !watcher->is_live && watcher->duration == 0 &&
            gst_element_query_duration (watcher->pipeline, GST_FORMAT_TIME, &asked) && asked > 0)
        watcher->duration = (guint64)asked;
    g_mutex_lock (&watcher->lock);
    *time = watcher->time;
    g_mutex_unlock (&watcher->lock);
    *duration = watcher->duration;
    *n_frames = count_analysed (watcher);
}

void
watcher_append_active (Watcher *watcher, GPtrArray *names)
{
    g_mutex_lock (&watcher->lock);
    if (watcher->doing)
        g_ptr_array_add (names, g_strdup (watcher->doing));
    for (guint i = 0; i < watcher->active->len; i++)
        g_ptr_array_add (names, g_strdup (g_ptr_array_index (watcher->active, i)));
    g_mutex_unlock (&watcher->lock);
}
