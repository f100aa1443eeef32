/* altclip: what was sent into an element, and whether what comes out is what must
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything serialised that is sent gets a number, and must come out in the order of the numbers,
 * none left out, until a flush or a restart begins another era. A frame carries its number in its
 * offset, and in its PTS below SLOT, so that the tags on another frame tell it too.
 */

#ifndef ALTCLIP_TEST_LEDGER_H
#define ALTCLIP_TEST_LEDGER_H

#include <gst/gst.h>

/* PTS are multiples of it, plus the number. */
#define SLOT (10 * GST_MSECOND)

typedef enum { SENT_FRAME, SENT_GAP, SENT_MARK, SENT_EOS } SentKind;

typedef struct {
    SentKind kind;
    guint era;
    gboolean refused; /* it must not come out */
    guint segment_number;
    /* Of a frame: */
    GstClockTime pts;
    GstClockTime running_time;
    gboolean unreadable;
    gboolean exact;
    guint covered_by; /* number of the frame whose result it must have; 0: not known */
    GstCaps *caps;    /* what was in force, as are these */
    GstSegment segment;
    char *stream_id;
} Sent;

/* Frames that came out. */
enum {
    LEDGER_EXACT,
    LEDGER_EXACT_TAGGED,
    LEDGER_LIVE,
    LEDGER_LIVE_TAGGED,
    LEDGER_N_COUNTS,
};

typedef struct {
    GMutex lock;
    GCond changed;
    GString *log;  /* what was done */
    char *failure; /* the first, or NULL */
    GArray *sent;  /* of Sent, number 1 first */
    guint era;
    guint era_out;
    guint last_out; /* number */
    guint revision;
    GstClockTimeDiff max_age; /* the largest that was in force */
    guint unwanted;           /* number of the segment that downstream wants no more frames of */
    guint counts[LEDGER_N_COUNTS];
    gint n_alive; /* frames that were sent and are not freed */
} Ledger;

void ledger_init (Ledger *ledger);
void ledger_clear (Ledger *ledger);

/* A line of the log, which is shown when something fails. */
void ledger_log (Ledger *ledger, const char *format, ...) G_GNUC_PRINTF (2, 3);
void ledger_fail (Ledger *ledger, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Returns: the number of @sent, whose references the ledger takes */
guint ledger_send (Ledger *ledger, const Sent *sent);

/* The sender was told that number @number was not taken. */
void ledger_refuse (Ledger *ledger, guint number);

/* From here on numbers belong to another era; ledger_enter_era() is called where they come out. */
void ledger_begin_era (Ledger *ledger);
void ledger_enter_era (Ledger *ledger);

/* What comes out. A mark's number is in the event. @wanted: whether downstream takes the frame and
 * those after it in its segment. */
void ledger_note_frame (Ledger *ledger, GstPad *pad, GstBuffer *buffer, gboolean wanted);
void ledger_note_event (Ledger *ledger, GstEvent *event);

/* Returns: whether downstream wants no more frames of this segment */
gboolean ledger_is_unwanted (Ledger *ledger, guint segment_number);

/* Something that waits its turn: all that was sent before must be out. */
void ledger_note_turn (Ledger *ledger, const char *what);

/* Waits until all of this era is out. */
void ledger_wait_until_out (Ledger *ledger);

/* (transfer full): a frame whose life is watched */
GstBuffer *ledger_watch (Ledger *ledger, GstBuffer *buffer);

GstEvent *ledger_new_mark (guint number);

#endif /* ALTCLIP_TEST_LEDGER_H */
