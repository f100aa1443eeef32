/* altclip: what waits to be published
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_SPOOL_H
#define GST_ALTCLIP_SPOOL_H

#include <gst/gst.h>
#include <pthread.h>

#include "altcliprecord.h"

G_BEGIN_DECLS

/**
 * GstAltclipSpoolCounts:
 * @put: how many of a kind came
 * @published: how many are where they belong
 * @dropped: for how many there was no room
 * @waiting: how many are still here
 * @size: bytes that those take
 */
typedef struct
{
  guint64 put[GST_ALTCLIP_RECORD_N_KINDS];
  guint64 published[GST_ALTCLIP_RECORD_N_KINDS];
  guint64 dropped[GST_ALTCLIP_RECORD_N_KINDS];
  guint waiting;
  gsize size;
} GstAltclipSpoolCounts;

/**
 * GstAltclipSpool:
 *
 * Keeps records in memory, in order and up to a size. When there is no room,
 * the oldest result goes, and only when there is no result left, the oldest
 * event. Reference counted; all threads may call it at any time.
 *
 * Built on pthread primitives rather than GLib's, which thread sanitizers cannot
 * see into.
 */
typedef struct
{
  gint n_refs; /* atomic */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gsize max_size;
  GQueue queues[GST_ALTCLIP_RECORD_N_KINDS];
  GstAltclipSpoolCounts counts;
  gboolean hurried;
} GstAltclipSpool;

GstAltclipSpool *gst_altclip_spool_new (gsize max_size);
GstAltclipSpool *gst_altclip_spool_ref (GstAltclipSpool *spool);
void gst_altclip_spool_unref (GstAltclipSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipSpool, gst_altclip_spool_unref)

/**
 * gst_altclip_spool_put:
 * @record: (transfer full)
 * @lost: (out) (array fixed-size=2): whether a record of each kind was dropped
 *   for the first time
 */
void gst_altclip_spool_put (GstAltclipSpool *spool, GstAltclipRecord *record,
    gboolean lost[GST_ALTCLIP_RECORD_N_KINDS]);

/**
 * gst_altclip_spool_take:
 *
 * Takes out the oldest record, which counts as waiting until it is
 * gst_altclip_spool_finish()ed or put back.
 *
 * Returns: (transfer full) (nullable): the record
 */
GstAltclipRecord *gst_altclip_spool_take (GstAltclipSpool *spool);

/**
 * gst_altclip_spool_put_back:
 * @record: (transfer full): one that was taken; of several, the last one first
 */
void gst_altclip_spool_put_back (
    GstAltclipSpool *spool, GstAltclipRecord *record);

/**
 * gst_altclip_spool_finish:
 * @record: (transfer full): one that was taken, and is published
 */
void gst_altclip_spool_finish (
    GstAltclipSpool *spool, GstAltclipRecord *record);

/**
 * gst_altclip_spool_wait:
 * @deadline: in microseconds of g_get_monotonic_time()
 *
 * Waits until nothing is left, or somebody hurries.
 *
 * Returns: how many are left at the deadline; 0: it did not come to that
 */
guint gst_altclip_spool_wait (GstAltclipSpool *spool, gint64 deadline);

/**
 * gst_altclip_spool_hurry:
 *
 * Says whether gst_altclip_spool_wait() waits for nothing, and wakes who does.
 */
void gst_altclip_spool_hurry (GstAltclipSpool *spool, gboolean hurried);

void gst_altclip_spool_get_counts (
    GstAltclipSpool *spool, GstAltclipSpoolCounts *counts);

G_END_DECLS

#endif /* GST_ALTCLIP_SPOOL_H */
