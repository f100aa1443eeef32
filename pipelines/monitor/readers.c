/* altclip: looking for events on disk beside all else
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "readers.h"

#define N_READERS 2

struct _MonitorReaders {
    GThreadPool *pool;
    GAsyncQueue *idle; /* of MonitorReader: never empty for who is one of the pool's threads */
    gint closing;      /* atomic */
};

/* What is looked for: events, or the thumbnail of one. */
typedef struct {
    MonitorQuery query;
    gint64 thumbnail; /* id; 0: none */
} Search;

static Search *
search_new (const MonitorQuery *query)
{
    Search *search = g_new0 (Search, 1);

    search->query = *query;
    search->query.camera = g_strdup (query->camera);
    search->query.label = g_strdup (query->label);
    search->query.kind = g_strdup (query->kind);
    return search;
}

static void
search_free (gpointer data)
{
    Search *search = data;

    g_free ((char *)search->query.camera);
    g_free ((char *)search->query.label);
    g_free ((char *)search->query.kind);
    g_free (search);
}

static void
look (MonitorReader *reader, GTask *task)
{
    const Search *search = g_task_get_task_data (task);
    GDestroyNotify free_found;
    GError *error = NULL;
    gpointer found;

    if (search->thumbnail) {
        found = monitor_reader_get_thumbnail (reader, search->thumbnail, &error);
        free_found = (GDestroyNotify)g_bytes_unref;
    } else {
        found = monitor_reader_query (reader, &search->query, &error);
        free_found = (GDestroyNotify)g_ptr_array_unref;
    }
    if (error)
        g_task_return_error (task, error);
    else
        g_task_return_pointer (task, found, free_found);
}

/* In a thread of the pool. */
static void
do_task (gpointer data, gpointer user_data)
{
    g_autoptr (GTask) task = data;
    MonitorReaders *readers = user_data;
    MonitorReader *reader;

    if (g_task_return_error_if_cancelled (task))
        return;
    if (g_atomic_int_get (&readers->closing)) {
        g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CLOSED, "events are read no longer");
        return;
    }
    reader = g_async_queue_pop (readers->idle);
    look (reader, task);
    g_async_queue_push (readers->idle, reader);
}

static void
start (MonitorReaders *readers, Search *search, GCancellable *cancellable,
        GAsyncReadyCallback callback, gpointer data)
{
    GTask *task = g_task_new (NULL, cancellable, callback, data);

    g_task_set_task_data (task, search, search_free);
    g_thread_pool_push (readers->pool, task, NULL);
}

void
monitor_readers_query (MonitorReaders *readers, const MonitorQuery *query,
        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
    start (readers, search_new (query), cancellable, callback, data);
}

void
monitor_readers_get_thumbnail (MonitorReaders *readers, gint64 id, GCancellable *cancellable,
        GAsyncReadyCallback callback, gpointer data)
{
    Search *search = g_new0 (Search, 1);

    search->thumbnail = id;
    start (readers, search, cancellable, callback, data);
}

MonitorReaders *
monitor_readers_open (const char *path, GError **error)
{
    MonitorReaders *readers = g_new0 (MonitorReaders, 1);

    readers->idle = g_async_queue_new_full ((GDestroyNotify)monitor_reader_close);
    readers->pool = g_thread_pool_new (do_task, readers, N_READERS, FALSE, NULL);
    for (guint i = 0; i < N_READERS; i++) {
        MonitorReader *reader = monitor_reader_open (path, error);

        if (!reader) {
            monitor_readers_close (readers);
            return NULL;
        }
        g_async_queue_push (readers->idle, reader);
    }
    return readers;
}

void
monitor_readers_close (MonitorReaders *readers)
{
    g_atomic_int_set (&readers->closing, TRUE);
    g_thread_pool_free (readers->pool, FALSE, TRUE);
    g_async_queue_unref (readers->idle);
    g_free (readers);
}
