/* altclip: events on disk
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What may wait. Pictures are left out from half the size on. */
#define MAX_WAITING 10000
#define MAX_WAITING_SIZE (64 << 20)

/* What goes to disk in one transaction. */
#define MAX_BATCH 500

/* A picture that is larger is none. */
#define MAX_THUMBNAIL (4 << 20)

/* What an event takes beside its texts. */
#define OVERHEAD (sizeof (MonitorEvent) + 256)

/* How long until the next try, which doubles up to: µs. */
#define MIN_PAUSE (G_TIME_SPAN_SECOND / 4)
#define MAX_PAUSE (4 * G_TIME_SPAN_SECOND)

/* How often is looked for what is too old: µs. */
#define MIN_TENDING G_TIME_SPAN_SECOND
#define MAX_TENDING G_TIME_SPAN_MINUTE

/* How many are announced before others of the main context have their turn. */
#define MAX_ANNOUNCED 64

/* What may go wrong for a while. */
typedef enum {
    WRITING,
    TENDING,
    N_TASKS,
} Task;

typedef struct {
    sqlite3 *database;
    sqlite3_stmt *event, *thumbnail;
    guint page_size;
    gint64 pause;   /* 0: the last try was good */
    gint64 tend_at; /* monotonic: when to look for what is too old or too much */
    MonitorRetention retention;
} Writer;

struct _MonitorStore {
    char *path, *log_path;
    int lock_descriptor;
    GMainContext *context;
    MonitorAnnounce announce;
    gpointer data;
    GThread *thread;
    Writer writer; /* the thread's */

    MonitorReaders *readers;

    GMutex lock; /* of what follows */
    GCond changed;
    GQueue waiting;
    gsize waiting_size;
    guint in_hand; /* being written */
    MonitorRetention retention;
    gboolean retention_changed;
    gboolean closing;
    guint64 events, file_bytes, log_bytes, lost;
    char *troubles[N_TASKS];
    GQueue written;     /* to be announced */
    GSource *announcer; /* while something is */
};

/* ---- What waits ------------------------------------------------------------------------------ */

static gsize
get_length (const char *text)
{
    return text ? strlen (text) : 0;
}

static gsize
get_thumbnail_size (const MonitorEvent *event)
{
    return event->thumbnail ? g_bytes_get_size (event->thumbnail) : 0;
}

static gsize
get_size (const MonitorEvent *event)
{
    return OVERHEAD + get_length (event->camera) + get_length (event->label) +
           get_length (event->json) + get_thumbnail_size (event);
}

static MonitorEvent *
drop_thumbnail (MonitorEvent *event)
{
    MonitorEvent fields = *event;
    MonitorEvent *bare;

    fields.thumbnail = NULL;
    fields.has_thumbnail = FALSE;
    bare = monitor_event_new (&fields);
    monitor_event_unref (event);
    return bare;
}

/* With the lock. */
static MonitorEvent *
pop (MonitorStore *store)
{
    MonitorEvent *event = g_queue_pop_head (&store->waiting);

    store->waiting_size -= get_size (event);
    return event;
}

/* With the lock. What is being written is nobody's to drop. */
static void
drop_excess (MonitorStore *store)
{
    while (store->waiting.length > 0 && (store->waiting.length + store->in_hand > MAX_WAITING ||
                                                store->waiting_size > MAX_WAITING_SIZE)) {
        monitor_event_unref (pop (store));
        store->lost++;
    }
}

void
monitor_store_add (MonitorStore *store, MonitorEvent *event)
{
    g_return_if_fail (event->camera && event->label && event->kind);

    g_mutex_lock (&store->lock);
    if (event->thumbnail && (get_thumbnail_size (event) > MAX_THUMBNAIL ||
                                    store->waiting_size + get_size (event) > MAX_WAITING_SIZE / 2))
        event = drop_thumbnail (event);
    store->waiting_size += get_size (event);
    g_queue_push_tail (&store->waiting, event);
    drop_excess (store);
    g_cond_signal (&store->changed);
    g_mutex_unlock (&store->lock);
}

/* ---- Announcing ------------------------------------------------------------------------------ */

/* Returns: (transfer full) (nullable). */
static MonitorEvent *
take_written (MonitorStore *store)
{
    MonitorEvent *event;

    g_mutex_lock (&store->lock);
    event = g_queue_pop_head (&store->written);
    if (!event)
        g_clear_pointer (&store->announcer, g_source_unref);
    g_mutex_unlock (&store->lock);
    return event;
}

static gboolean
announce_some (gpointer data)
{
    MonitorStore *store = data;

    for (guint i = 0; i < MAX_ANNOUNCED; i++) {
        MonitorEvent *event = take_written (store);

        if (!event)
            return G_SOURCE_REMOVE;
        store->announce (event, store->data);
        monitor_event_unref (event);
    }
    return G_SOURCE_CONTINUE;
}

/* With the lock. */
static void
attach_announcer (MonitorStore *store)
{
    if (store->announcer || store->written.length == 0)
        return;
    store->announcer = g_idle_source_new ();
    g_source_set_priority (store->announcer, G_PRIORITY_DEFAULT);
    g_source_set_callback (store->announcer, announce_some, store, NULL);
    g_source_attach (store->announcer, store->context);
}

/* With the lock. */
static void
move_all (GQueue *to, GQueue *from)
{
    MonitorEvent *event;

    while ((event = g_queue_pop_head (from)))
        g_queue_push_tail (to, event);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void
bind_text (sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text (statement, at, text, -1, SQLITE_STATIC);
}

/* Leaves the statement free of what it was given. */
static int
run (sqlite3_stmt *statement)
{
    int result = sqlite3_step (statement);

    sqlite3_reset (statement);
    sqlite3_clear_bindings (statement);
    return result;
}

static int
insert_thumbnail (Writer *writer, gint64 id, GBytes *thumbnail)
{
    gsize size;
    const void *bytes = g_bytes_get_data (thumbnail, &size);

    sqlite3_bind_int64 (writer->thumbnail, 1, id);
    sqlite3_bind_blob64 (writer->thumbnail, 2, bytes ? bytes : "", size, SQLITE_STATIC);
    return run (writer->thumbnail);
}

static int
insert_event (Writer *writer, const MonitorEvent *event, gint64 *id)
{
    sqlite3_stmt *statement = writer->event;
    int result;

    sqlite3_bind_int64 (statement, 1, g_get_real_time ());
    sqlite3_bind_int64 (statement, 2, event->time);
    bind_text (statement, 3, event->camera);
    bind_text (statement, 4, event->label);
    bind_text (statement, 5, event->kind);
    sqlite3_bind_double (statement, 6, event->score);
    sqlite3_bind_double (statement, 7, event->peak);
    sqlite3_bind_int64 (statement, 8, (gint64)MIN (event->duration, (guint64)G_MAXINT64));
    bind_text (statement, 9, event->reason);
    bind_text (statement, 10, event->region);
    bind_text (statement, 11, event->json ? event->json : "{}");
    result = run (statement);
    *id = sqlite3_last_insert_rowid (writer->database);
    return result == SQLITE_DONE && event->thumbnail
                   ? insert_thumbnail (writer, *id, event->thumbnail)
                   : result;
}

/* With copies that have ids in @written. */
static gboolean
insert_all (Writer *writer, const GQueue *batch, GQueue *written, GError **error)
{
    for (GList *link = batch->head; link; link = link->next) {
        MonitorEvent *event = link->data;
        MonitorEvent fields = *event;

        if (insert_event (writer, event, &fields.id) != SQLITE_DONE) {
            monitor_database_set_error (writer->database, error);
            return FALSE;
        }
        g_queue_push_tail (written, monitor_event_new (&fields));
    }
    return TRUE;
}

/* What somebody removed is written into no longer: it would be gone with this process. */
static gboolean
check_place (MonitorStore *store, GError **error)
{
    int moved = 0;

    sqlite3_file_control (store->writer.database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved)
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "%s: moved or removed while in use; a restart makes a new one", store->path);
    return !moved;
}

/* All or nothing. */
static gboolean
write_batch (MonitorStore *store, const GQueue *batch, GQueue *written, GError **error)
{
    sqlite3 *database = store->writer.database;

    if (!check_place (store, error) || !monitor_database_run (database, "BEGIN IMMEDIATE", error))
        return FALSE;
    if (insert_all (&store->writer, batch, written, error) &&
            monitor_database_run (database, "COMMIT", error))
        return TRUE;
    /* Some errors have rolled back already. */
    if (!sqlite3_get_autocommit (database))
        sqlite3_exec (database, "ROLLBACK", NULL, NULL, NULL);
    g_queue_clear_full (written, (GDestroyNotify)monitor_event_unref);
    return FALSE;
}

/* ---- What became of it ----------------------------------------------------------------------- */

static guint64
get_file_size (const char *path)
{
    struct stat status;

    return stat (path, &status) == 0 ? (guint64)status.st_size : 0;
}

/* With the lock. */
static void
measure (MonitorStore *store)
{
    store->file_bytes = get_file_size (store->path);
    store->log_bytes = get_file_size (store->log_path);
}

static const char *const complaints[N_TASKS] = {
    [WRITING] = "Events wait to be written",
    [TENDING] = "Old events cannot be removed",
};

/* Said once for each cause. */
static void
note_trouble (MonitorStore *store, Task task, const GError *error)
{
    gboolean is_news;

    g_mutex_lock (&store->lock);
    is_news = g_strcmp0 (store->troubles[task], error->message) != 0;
    g_free (store->troubles[task]);
    store->troubles[task] = g_strdup (error->message);
    g_mutex_unlock (&store->lock);
    if (is_news)
        g_warning ("%s: %s", complaints[task], error->message);
}

static void
note_success (MonitorStore *store, Task task)
{
    g_autofree char *trouble = NULL;
    guint64 lost;

    g_mutex_lock (&store->lock);
    trouble = g_steal_pointer (&store->troubles[task]);
    lost = store->lost;
    g_mutex_unlock (&store->lock);
    if (!trouble)
        return;
    if (task == WRITING)
        g_message ("Events are written again; %" G_GUINT64_FORMAT " were lost so far", lost);
    else
        g_message ("Old events are removed again");
}

/* With the lock. */
static void
put_back (MonitorStore *store, GQueue *batch)
{
    MonitorEvent *event;

    while ((event = g_queue_pop_tail (batch))) {
        store->waiting_size += get_size (event);
        g_queue_push_head (&store->waiting, event);
    }
    store->in_hand = 0;
    drop_excess (store);
}

static void
finish_batch (MonitorStore *store, GQueue *batch, GQueue *written)
{
    g_mutex_lock (&store->lock);
    store->events += written->length;
    store->in_hand = 0;
    measure (store);
    if (store->announce) {
        move_all (&store->written, written);
        attach_announcer (store);
    }
    g_mutex_unlock (&store->lock);
    g_queue_clear_full (written, (GDestroyNotify)monitor_event_unref);
    g_queue_clear_full (batch, (GDestroyNotify)monitor_event_unref);
    store->writer.pause = 0;
    note_success (store, WRITING);
}

static void
lengthen_pause (Writer *writer)
{
    writer->pause = writer->pause ? MIN (writer->pause * 2, MAX_PAUSE) : MIN_PAUSE;
}

static gboolean
store_batch (MonitorStore *store, GQueue *batch)
{
    GQueue written = G_QUEUE_INIT;
    g_autoptr (GError) error = NULL;

    if (write_batch (store, batch, &written, &error)) {
        finish_batch (store, batch, &written);
        return TRUE;
    }
    g_mutex_lock (&store->lock);
    put_back (store, batch);
    g_mutex_unlock (&store->lock);
    lengthen_pause (&store->writer);
    note_trouble (store, WRITING, error);
    return FALSE;
}

/* ---- Retention ------------------------------------------------------------------------------- */

static gint64
get_tending (const MonitorRetention *retention)
{
    if (!retention->max_age)
        return MAX_TENDING;
    return CLAMP (
            (gint64)MIN (retention->max_age, 3600) * G_USEC_PER_SEC / 10, MIN_TENDING, MAX_TENDING);
}

static gboolean
is_too_large (const MonitorStore *store)
{
    return store->file_bytes > monitor_retention_get_file_limit (&store->retention);
}

/* With the lock. */
static gboolean
must_tend (const MonitorStore *store)
{
    return !store->closing &&
           (store->retention_changed || g_get_monotonic_time () >= store->writer.tend_at);
}

static void
use_retention (Writer *writer, const MonitorRetention *retention)
{
    writer->retention = *retention;
    sqlite3_wal_autocheckpoint (
            writer->database, (int)monitor_retention_get_log_pages (retention, writer->page_size));
}

static void
tend (MonitorStore *store)
{
    Writer *writer = &store->writer;
    g_autoptr (GError) error = NULL;
    gboolean more = FALSE;
    guint64 deleted;

    if (monitor_retention_step (&writer->retention, writer->database, g_get_real_time (), &deleted,
                &more, &error)) {
        writer->tend_at = g_get_monotonic_time () + (more ? 0 : get_tending (&writer->retention));
        note_success (store, TENDING);
    } else {
        writer->tend_at = g_get_monotonic_time () + MAX_PAUSE;
        note_trouble (store, TENDING, error);
    }
    g_mutex_lock (&store->lock);
    store->events -= MIN (deleted, store->events);
    measure (store);
    g_mutex_unlock (&store->lock);
}

/* ---- The thread ------------------------------------------------------------------------------ */

/* With the lock. */
static void
hold_off (MonitorStore *store)
{
    gint64 end = g_get_monotonic_time () + store->writer.pause;

    while (store->writer.pause && !store->closing &&
            g_cond_wait_until (&store->changed, &store->lock, end))
        ;
}

/* With the lock: until there is something to do. */
static void
wait_for_work (MonitorStore *store)
{
    hold_off (store);
    while (store->waiting.length == 0 && !store->closing && !must_tend (store))
        g_cond_wait_until (&store->changed, &store->lock, store->writer.tend_at);
}

/* With the lock. */
static void
take_batch (MonitorStore *store, GQueue *batch)
{
    const gsize most =
            monitor_retention_get_batch_size (&store->writer.retention, store->writer.page_size);
    gsize size = 0;

    while (store->waiting.length > 0 && batch->length < MAX_BATCH && size < most) {
        MonitorEvent *event = pop (store);

        size += get_size (event);
        g_queue_push_tail (batch, event);
    }
    store->in_hand = batch->length;
}

/* Returns: FALSE: it is the end. */
static gboolean
take_work (MonitorStore *store, GQueue *batch, gboolean *tends)
{
    gboolean goes_on;

    g_mutex_lock (&store->lock);
    wait_for_work (store);
    if (store->retention_changed)
        use_retention (&store->writer, &store->retention);
    take_batch (store, batch);
    *tends = must_tend (store) || is_too_large (store);
    store->retention_changed = FALSE;
    goes_on = !store->closing || batch->length > 0;
    g_mutex_unlock (&store->lock);
    return goes_on;
}

static void
give_up (MonitorStore *store)
{
    guint n;

    g_mutex_lock (&store->lock);
    n = store->waiting.length;
    store->lost += n;
    g_mutex_unlock (&store->lock);
    if (n > 0)
        g_warning ("%u events could not be written and are lost", n);
}

static gboolean
is_closing (MonitorStore *store)
{
    gboolean closing;

    g_mutex_lock (&store->lock);
    closing = store->closing;
    g_mutex_unlock (&store->lock);
    return closing;
}

static gpointer
write_events (gpointer data)
{
    MonitorStore *store = data;
    GQueue batch = G_QUEUE_INIT;
    gboolean good = TRUE;
    gboolean tends;

    while (take_work (store, &batch, &tends)) {
        gboolean last = is_closing (store);

        /* What goes makes room for what comes. */
        if (tends)
            tend (store);
        if (batch.length > 0)
            good = store_batch (store, &batch);
        if (!good && last)
            break;
    }
    give_up (store);
    return NULL;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static gboolean
prepare_writer (MonitorStore *store, GError **error)
{
    Writer *writer = &store->writer;
    gint64 page_size, events;

    writer->event = monitor_database_prepare (writer->database,
            "INSERT INTO events (added, time, camera, label, kind, score, peak, duration, reason,"
            " region, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            error);
    if (!writer->event)
        return FALSE;
    writer->thumbnail = monitor_database_prepare (
            writer->database, "INSERT INTO thumbnails (event, jpeg) VALUES (?, ?)", error);
    if (!writer->thumbnail ||
            !monitor_database_get_number (
                    writer->database, "PRAGMA page_size", &page_size, error) ||
            !monitor_database_get_number (
                    writer->database, "SELECT count (*) FROM events", &events, error))
        return FALSE;
    writer->page_size = (guint)page_size;
    store->events = (guint64)events;
    return TRUE;
}

static gboolean
open_files (MonitorStore *store, GError **error)
{
    store->lock_descriptor = monitor_database_lock (store->path, error);
    if (store->lock_descriptor < 0)
        return FALSE;
    store->writer.database = monitor_database_open (store->path, error);
    if (!store->writer.database || !prepare_writer (store, error))
        return FALSE;
    store->readers = monitor_readers_open (store->path, error);
    return store->readers != NULL;
}

static void
free_store (MonitorStore *store)
{
    g_clear_pointer (&store->readers, monitor_readers_close);
    g_clear_pointer (&store->writer.event, sqlite3_finalize);
    g_clear_pointer (&store->writer.thumbnail, sqlite3_finalize);
    g_clear_pointer (&store->writer.database, sqlite3_close);
    if (store->lock_descriptor >= 0)
        close (store->lock_descriptor);
    g_queue_clear_full (&store->waiting, (GDestroyNotify)monitor_event_unref);
    g_queue_clear_full (&store->written, (GDestroyNotify)monitor_event_unref);
    g_main_context_unref (store->context);
    g_mutex_clear (&store->lock);
    g_cond_clear (&store->changed);
    for (guint i = 0; i < N_TASKS; i++)
        g_free (store->troubles[i]);
    g_free (store->path);
    g_free (store->log_path);
    g_free (store);
}

MonitorStore *
monitor_store_open (const char *path, const MonitorRetention *retention, MonitorAnnounce announce,
        gpointer data, GError **error)
{
    MonitorStore *store = g_new0 (MonitorStore, 1);

    /* SQLite has names of its own for what is no file. */
    store->path = g_canonicalize_filename (path, NULL);
    store->log_path = g_strconcat (store->path, "-wal", NULL);
    store->lock_descriptor = -1;
    store->context = g_main_context_ref_thread_default ();
    store->announce = announce;
    store->data = data;
    store->retention = *retention;
    g_mutex_init (&store->lock);
    g_cond_init (&store->changed);
    if (!open_files (store, error)) {
        free_store (store);
        return NULL;
    }
    store->retention_changed = TRUE;
    measure (store);
    store->thread = g_thread_new ("events", write_events, store);
    return store;
}

void
monitor_store_set_retention (MonitorStore *store, const MonitorRetention *retention)
{
    g_mutex_lock (&store->lock);
    store->retention = *retention;
    store->retention_changed = TRUE;
    g_cond_signal (&store->changed);
    g_mutex_unlock (&store->lock);
}

static void
announce_rest (MonitorStore *store)
{
    if (store->announcer) {
        g_source_destroy (store->announcer);
        g_clear_pointer (&store->announcer, g_source_unref);
    }
    if (store->announce)
        while (announce_some (store) == G_SOURCE_CONTINUE)
            ;
}

void
monitor_store_close (MonitorStore *store)
{
    g_mutex_lock (&store->lock);
    store->closing = TRUE;
    g_cond_signal (&store->changed);
    g_mutex_unlock (&store->lock);
    g_thread_join (store->thread);
    announce_rest (store);
    free_store (store);
}

/* ---- Reading --------------------------------------------------------------------------------- */

void
monitor_store_query_async (MonitorStore *store, const MonitorQuery *query,
        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
    monitor_readers_query (store->readers, query, cancellable, callback, data);
}

GPtrArray *
monitor_store_query_finish (GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer (G_TASK (result), error);
}

void
monitor_store_get_thumbnail_async (MonitorStore *store, gint64 id, GCancellable *cancellable,
        GAsyncReadyCallback callback, gpointer data)
{
    monitor_readers_get_thumbnail (store->readers, id, cancellable, callback, data);
}

GBytes *
monitor_store_get_thumbnail_finish (GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- State ----------------------------------------------------------------------------------- */

void
monitor_store_get_stats (MonitorStore *store, MonitorStoreStats *stats)
{
    g_mutex_lock (&store->lock);
    *stats = (MonitorStoreStats){ .events = store->events,
        .bytes = store->file_bytes + store->log_bytes,
        .waiting = store->waiting.length + store->in_hand,
        .lost = store->lost };
    g_mutex_unlock (&store->lock);
}

char *
monitor_store_dup_trouble (MonitorStore *store)
{
    char *trouble = NULL;

    g_mutex_lock (&store->lock);
    for (guint i = 0; i < N_TASKS && !trouble; i++)
        trouble = g_strdup (store->troubles[i]);
    g_mutex_unlock (&store->lock);
    return trouble;
}
