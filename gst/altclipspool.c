/* altclip: what waits to be published
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipspool.h"

#include "altclipdeadline.h"

/* What a record takes beside its line. */
#define OVERHEAD (sizeof (GstAltclipRecord) + 64)

GstAltclipSpool *
gst_altclip_spool_new (gsize max_size)
{
  GstAltclipSpool *spool = g_new0 (GstAltclipSpool, 1);
  guint i;

  spool->n_refs = 1;
  pthread_mutex_init (&spool->lock, NULL);
  gst_altclip_deadline_init_cond (&spool->changed);
  spool->max_size = max_size;
  for (i = 0; i < GST_ALTCLIP_RECORD_N_KINDS; i++)
    g_queue_init (&spool->queues[i]);
  return spool;
}

GstAltclipSpool *
gst_altclip_spool_ref (GstAltclipSpool *spool)
{
  g_atomic_int_inc (&spool->n_refs);
  return spool;
}

void
gst_altclip_spool_unref (GstAltclipSpool *spool)
{
  guint i;

  if (!g_atomic_int_dec_and_test (&spool->n_refs))
    return;
  for (i = 0; i < GST_ALTCLIP_RECORD_N_KINDS; i++)
    g_queue_clear_full (
        &spool->queues[i], (GDestroyNotify) gst_altclip_record_free);
  pthread_cond_destroy (&spool->changed);
  pthread_mutex_destroy (&spool->lock);
  g_free (spool);
}

static gsize
get_size (const GstAltclipRecord *record)
{
  return record->length + OVERHEAD;
}

/* With the lock. */
static void
forget (GstAltclipSpool *spool, const GstAltclipRecord *record)
{
  spool->counts.waiting--;
  spool->counts.size -= get_size (record);
  pthread_cond_broadcast (&spool->changed);
}

/* With the lock. What was taken is nobody's to drop.
 *
 * Returns: (transfer full) (nullable): what has to go for the others */
static GstAltclipRecord *
pop_excess (GstAltclipSpool *spool)
{
  GstAltclipRecord *record;

  if (spool->counts.size <= spool->max_size)
    return NULL;
  record = g_queue_pop_head (&spool->queues[GST_ALTCLIP_RECORD_RESULT]);
  if (record == NULL)
    record = g_queue_pop_head (&spool->queues[GST_ALTCLIP_RECORD_EVENT]);
  return record;
}

void
gst_altclip_spool_put (GstAltclipSpool *spool, GstAltclipRecord *record,
    gboolean lost[GST_ALTCLIP_RECORD_N_KINDS])
{
  GstAltclipRecordKind kind;

  for (kind = 0; kind < GST_ALTCLIP_RECORD_N_KINDS; kind++)
    lost[kind] = FALSE;
  pthread_mutex_lock (&spool->lock);
  spool->counts.put[record->kind]++;
  spool->counts.waiting++;
  spool->counts.size += get_size (record);
  g_queue_push_tail (&spool->queues[record->kind], record);
  while ((record = pop_excess (spool)) != NULL) {
    lost[record->kind] |= spool->counts.dropped[record->kind]++ == 0;
    forget (spool, record);
    gst_altclip_record_free (record);
  }
  pthread_mutex_unlock (&spool->lock);
}

/* With the lock. */
static GQueue *
find_oldest (GstAltclipSpool *spool)
{
  GQueue *oldest = NULL;
  guint64 sequence = G_MAXUINT64;
  guint i;

  for (i = 0; i < GST_ALTCLIP_RECORD_N_KINDS; i++) {
    const GstAltclipRecord *record = g_queue_peek_head (&spool->queues[i]);

    if (record != NULL && record->sequence < sequence) {
      oldest = &spool->queues[i];
      sequence = record->sequence;
    }
  }
  return oldest;
}

GstAltclipRecord *
gst_altclip_spool_take (GstAltclipSpool *spool)
{
  GstAltclipRecord *record = NULL;
  GQueue *queue;

  pthread_mutex_lock (&spool->lock);
  queue = find_oldest (spool);
  if (queue != NULL)
    record = g_queue_pop_head (queue);
  pthread_mutex_unlock (&spool->lock);
  return record;
}

void
gst_altclip_spool_put_back (GstAltclipSpool *spool, GstAltclipRecord *record)
{
  pthread_mutex_lock (&spool->lock);
  g_queue_push_head (&spool->queues[record->kind], record);
  pthread_mutex_unlock (&spool->lock);
}

void
gst_altclip_spool_finish (GstAltclipSpool *spool, GstAltclipRecord *record)
{
  pthread_mutex_lock (&spool->lock);
  spool->counts.published[record->kind]++;
  forget (spool, record);
  pthread_mutex_unlock (&spool->lock);
  gst_altclip_record_free (record);
}

guint
gst_altclip_spool_wait (GstAltclipSpool *spool, gint64 deadline)
{
  gboolean in_time = TRUE;
  guint left;

  pthread_mutex_lock (&spool->lock);
  while (in_time && spool->counts.waiting > 0 && !spool->hurried)
    in_time =
        gst_altclip_deadline_wait (&spool->changed, &spool->lock, deadline);
  left = spool->hurried ? 0 : spool->counts.waiting;
  pthread_mutex_unlock (&spool->lock);
  return left;
}

void
gst_altclip_spool_hurry (GstAltclipSpool *spool, gboolean hurried)
{
  pthread_mutex_lock (&spool->lock);
  spool->hurried = hurried;
  pthread_cond_broadcast (&spool->changed);
  pthread_mutex_unlock (&spool->lock);
}

void
gst_altclip_spool_get_counts (
    GstAltclipSpool *spool, GstAltclipSpoolCounts *counts)
{
  pthread_mutex_lock (&spool->lock);
  *counts = spool->counts;
  pthread_mutex_unlock (&spool->lock);
}
