/* altclip: what was sent into an element, and whether what comes out is what must
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "ledger.h"

#include "rig.h"

#include <string.h>

#define MARK "altclip-test-mark"

static void
sent_clear (gpointer data)
{
    Sent *sent = data;

    gst_clear_caps (&sent->caps);
    g_clear_pointer (&sent->stream_id, g_free);
}

void
ledger_init (Ledger *ledger)
{
    memset (ledger, 0, sizeof *ledger);
    g_mutex_init (&ledger->lock);
    g_cond_init (&ledger->changed);
    ledger->log = g_string_new (NULL);
    ledger->sent = g_array_new (FALSE, FALSE, sizeof (Sent));
    g_array_set_clear_func (ledger->sent, sent_clear);
}

void
ledger_clear (Ledger *ledger)
{
    g_array_unref (ledger->sent);
    g_string_free (ledger->log, TRUE);
    g_free (ledger->failure);
    g_cond_clear (&ledger->changed);
    g_mutex_clear (&ledger->lock);
}

/* ---- What was done --------------------------------------------------------------------------- */

/* With the lock. */
static void
append_line (Ledger *ledger, const char *format, va_list arguments)
{
    g_string_append_vprintf (ledger->log, format, arguments);
    g_string_append_c (ledger->log, '\n');
}

void
ledger_log (Ledger *ledger, const char *format, ...)
{
    va_list arguments;

    va_start (arguments, format);
    g_mutex_lock (&ledger->lock);
    append_line (ledger, format, arguments);
    g_mutex_unlock (&ledger->lock);
    va_end (arguments);
}

/* With the lock. */
static void G_GNUC_PRINTF (2, 3) fail_locked (Ledger *ledger, const char *format, ...)
{
    va_list arguments;

    va_start (arguments, format);
    if (!ledger->failure) {
        ledger->failure = g_strdup_vprintf (format, arguments);
        g_string_append_printf (ledger->log, "** %s\n", ledger->failure);
    }
    va_end (arguments);
}

void
ledger_fail (Ledger *ledger, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start (arguments, format);
    text = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_mutex_lock (&ledger->lock);
    fail_locked (ledger, "%s", text);
    g_mutex_unlock (&ledger->lock);
}

/* ---- What is sent ---------------------------------------------------------------------------- */

static Sent *
get_sent (Ledger *ledger, guint number)
{
    if (number == 0 || number > ledger->sent->len)
        return NULL;
    return &g_array_index (ledger->sent, Sent, number - 1);
}

guint
ledger_send (Ledger *ledger, const Sent *sent)
{
    guint number;

    g_mutex_lock (&ledger->lock);
    g_array_append_vals (ledger->sent, sent, 1);
    number = ledger->sent->len;
    get_sent (ledger, number)->era = ledger->era;
    g_mutex_unlock (&ledger->lock);
    return number;
}

void
ledger_refuse (Ledger *ledger, guint number)
{
    g_mutex_lock (&ledger->lock);
    get_sent (ledger, number)->refused = TRUE;
    /* EOS is sticky: with a flush on its heels it may be both. */
    if (number <= ledger->last_out && get_sent (ledger, number)->kind != SENT_EOS)
        fail_locked (ledger, "%u came out, but was refused", number);
    g_cond_broadcast (&ledger->changed);
    g_mutex_unlock (&ledger->lock);
}

void
ledger_begin_era (Ledger *ledger)
{
    g_mutex_lock (&ledger->lock);
    ledger->era++;
    g_mutex_unlock (&ledger->lock);
}

void
ledger_enter_era (Ledger *ledger)
{
    g_mutex_lock (&ledger->lock);
    ledger->era_out = ledger->era;
    /* The rest of the earlier ones may be lost. */
    while (ledger->last_out < ledger->sent->len &&
            get_sent (ledger, ledger->last_out + 1)->era < ledger->era)
        ledger->last_out++;
    g_mutex_unlock (&ledger->lock);
}

static void
note_end (gpointer data, GstMiniObject *buffer G_GNUC_UNUSED)
{
    Ledger *ledger = data;

    g_atomic_int_dec_and_test (&ledger->n_alive);
}

GstBuffer *
ledger_watch (Ledger *ledger, GstBuffer *buffer)
{
    g_atomic_int_inc (&ledger->n_alive);
    gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (buffer), note_end, ledger);
    return buffer;
}

GstEvent *
ledger_new_mark (guint number)
{
    return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
            gst_structure_new (MARK, "number", G_TYPE_UINT, number, NULL));
}

/* ---- What comes out -------------------------------------------------------------------------- */

/* With the lock. Whether @sent need not come out. */
static gboolean
is_spared (Ledger *ledger, const Sent *sent)
{
    return sent->refused || (sent->kind == SENT_FRAME && ledger->unwanted &&
                                    sent->segment_number == ledger->unwanted);
}

/* With the lock. The number that must come out next, or one too many. */
static guint
find_next (Ledger *ledger)
{
    guint next = ledger->last_out + 1;

    while (get_sent (ledger, next) && is_spared (ledger, get_sent (ledger, next)))
        next++;
    return next;
}

/* With the lock. Returns: what @number is, NULL when it may not come out now */
static Sent *
take (Ledger *ledger, guint number, SentKind kind)
{
    Sent *sent = get_sent (ledger, number);
    guint next = find_next (ledger);

    if (!sent || sent->kind != kind) {
        fail_locked (ledger, "%u came out, which is no such thing", number);
        return NULL;
    }
    if (sent->era != ledger->era_out)
        fail_locked (ledger, "%u of era %u came out in era %u", number, sent->era, ledger->era_out);
    else if (number > next || number <= ledger->last_out)
        fail_locked (ledger, "%u came out where %u must", number, next);
    else if (sent->refused && kind != SENT_EOS)
        fail_locked (ledger, "%u came out, but was refused", number);
    ledger->last_out = number;
    g_cond_broadcast (&ledger->changed);
    return ledger->failure ? NULL : sent;
}

static void
check_sticky (Ledger *ledger, GstPad *pad, guint number, const Sent *sent)
{
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
    g_autofree char *stream_id = gst_pad_get_stream_id (pad);
    g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
    const GstSegment *segment = NULL;

    if (event)
        gst_event_parse_segment (event, &segment);
    if (!caps || !gst_caps_is_equal (caps, sent->caps))
        fail_locked (ledger, "%u came out with other caps", number);
    if (!segment || !gst_segment_is_equal (segment, &sent->segment))
        fail_locked (ledger, "%u came out in another segment", number);
    if (g_strcmp0 (stream_id, sent->stream_id) != 0)
        fail_locked (
                ledger, "%u came out in the stream %s, not %s", number, stream_id, sent->stream_id);
}

/* The number of some frame without a PTS. */
#define UNKNOWN G_MAXUINT

/* With the lock. Of what may be attached in any case. */
static void
check_analysed (Ledger *ledger, guint number, const Sent *sent, guint analysed, gint64 age)
{
    const Sent *other = get_sent (ledger, analysed);

    if (analysed == UNKNOWN)
        return;
    if (!other || other->kind != SENT_FRAME || analysed > number || other->era != sent->era ||
            other->unreadable) {
        fail_locked (ledger, "%u has the result of %u", number, analysed);
        return;
    }
    if (GST_CLOCK_TIME_IS_VALID (sent->running_time) &&
            GST_CLOCK_TIME_IS_VALID (other->running_time)) {
        if (age != GST_CLOCK_DIFF (other->running_time, sent->running_time))
            fail_locked (ledger, "%u says that the result of %u is %" G_GINT64_FORMAT " ns old",
                    number, analysed, age);
        if (!sent->exact && ABS (age) > ledger->max_age)
            fail_locked (ledger, "%u has a result %" G_GINT64_FORMAT " ns old", number, age);
    }
}

/* With the lock. Of what must be attached when the properties stay as they are. */
static void
check_covered (Ledger *ledger, guint number, const Sent *sent, guint analysed)
{
    guint expected = sent->covered_by;

    if (analysed == UNKNOWN && !GST_CLOCK_TIME_IS_VALID (get_sent (ledger, expected)->pts))
        return;
    if (get_sent (ledger, expected)->unreadable)
        expected = 0;
    if (analysed != expected)
        fail_locked (ledger, "%u has the result of %u, not of %u", number, analysed, expected);
}

/* 0 without tags. */
static guint
find_analysed (const GstStructure *tags)
{
    guint64 pts;

    if (!tags)
        return 0;
    pts = get_frame_pts (tags);
    return GST_CLOCK_TIME_IS_VALID (pts) ? (guint)(pts % SLOT) : UNKNOWN;
}

void
ledger_note_frame (Ledger *ledger, GstPad *pad, GstBuffer *buffer, gboolean wanted)
{
    guint number = (guint)GST_BUFFER_OFFSET (buffer);
    const GstStructure *tags = get_tags (buffer);
    guint analysed = find_analysed (tags);
    const Sent *sent;

    g_mutex_lock (&ledger->lock);
    g_string_append_printf (ledger->log, "    > %u (%u)\n", number, analysed);
    sent = take (ledger, number, SENT_FRAME);
    if (sent) {
        check_sticky (ledger, pad, number, sent);
        ledger->counts[(sent->exact ? LEDGER_EXACT : LEDGER_LIVE)]++;
        ledger->counts[(sent->exact ? LEDGER_EXACT_TAGGED : LEDGER_LIVE_TAGGED)] += tags != NULL;
    }
    if (sent && tags) {
        check_analysed (ledger, number, sent, analysed, get_age (tags));
        if (get_revision (tags) < ledger->revision)
            fail_locked (ledger, "%u has revision %u after %u", number, get_revision (tags),
                    ledger->revision);
        ledger->revision = get_revision (tags);
    }
    if (sent && sent->covered_by)
        check_covered (ledger, number, sent, analysed);
    if (sent && !wanted)
        ledger->unwanted = sent->segment_number;
    g_mutex_unlock (&ledger->lock);
}

static guint
get_number (GstEvent *event)
{
    GstClockTime time;
    guint number = 0;

    if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
        gst_event_parse_gap (event, &time, NULL);
        number = (guint)(time % SLOT);
    } else {
        gst_structure_get_uint (gst_event_get_structure (event), "number", &number);
    }
    return number;
}

void
ledger_note_event (Ledger *ledger, GstEvent *event)
{
    g_mutex_lock (&ledger->lock);
    g_string_append_printf (ledger->log, "    > %s\n", GST_EVENT_TYPE_NAME (event));
    if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
        take (ledger, find_next (ledger), SENT_EOS);
    else if (GST_EVENT_TYPE (event) == GST_EVENT_GAP)
        take (ledger, get_number (event), SENT_GAP);
    else if (gst_event_has_name (event, MARK))
        take (ledger, get_number (event), SENT_MARK);
    g_mutex_unlock (&ledger->lock);
}

gboolean
ledger_is_unwanted (Ledger *ledger, guint segment_number)
{
    gboolean unwanted;

    g_mutex_lock (&ledger->lock);
    unwanted = ledger->unwanted == segment_number;
    g_mutex_unlock (&ledger->lock);
    return unwanted;
}

void
ledger_note_turn (Ledger *ledger, const char *what)
{
    g_mutex_lock (&ledger->lock);
    g_string_append_printf (ledger->log, "    > %s\n", what);
    if (find_next (ledger) <= ledger->sent->len)
        fail_locked (ledger, "%s came out before %u", what, find_next (ledger));
    g_mutex_unlock (&ledger->lock);
}

void
ledger_wait_until_out (Ledger *ledger)
{
    g_mutex_lock (&ledger->lock);
    while (!ledger->failure && find_next (ledger) <= ledger->sent->len)
        g_cond_wait (&ledger->changed, &ledger->lock);
    g_mutex_unlock (&ledger->lock);
}
