/* altclip: a pool of threads that split one piece of work after another
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Built on pthread primitives rather than GLib's, which thread sanitizers cannot see into.
 */

#include "pool.h"

#include <pthread.h>

struct _AltclipPool {
    guint n_threads;
    GThread **threads; /* [n_threads − 1] */
    pthread_mutex_t lock;
    pthread_cond_t started;
    pthread_cond_t finished;
    /* Under the lock: */
    AltclipPoolFunc func; /* the work; NULL: leave */
    gpointer data;
    guint64 round;   /* grows with each piece of work */
    guint n_joined;  /* threads that took their index */
    guint n_working; /* threads that have not finished the round */
};

static gpointer
work (gpointer user_data)
{
    AltclipPool *pool = user_data;
    guint64 seen = 0;

    pthread_mutex_lock (&pool->lock);
    for (;;) {
        AltclipPoolFunc func;
        gpointer data;
        guint index;

        while (pool->round == seen)
            pthread_cond_wait (&pool->started, &pool->lock);
        seen = pool->round;
        func = pool->func;
        data = pool->data;
        index = ++pool->n_joined;
        if (!func)
            break;
        pthread_mutex_unlock (&pool->lock);
        func (data, index, pool->n_threads);
        pthread_mutex_lock (&pool->lock);
        if (--pool->n_working == 0)
            pthread_cond_signal (&pool->finished);
    }
    pthread_mutex_unlock (&pool->lock);
    return NULL;
}

static void
start_round (AltclipPool *pool, AltclipPoolFunc func, gpointer data)
{
    pthread_mutex_lock (&pool->lock);
    pool->func = func;
    pool->data = data;
    pool->n_joined = 0;
    pool->n_working = pool->n_threads - 1;
    pool->round++;
    pthread_cond_broadcast (&pool->started);
    pthread_mutex_unlock (&pool->lock);
}

/* A system that gives no more threads is no reason to end the process: those that there are share
 * the work. */
static void
start_threads (AltclipPool *pool)
{
    guint n_wanted = pool->n_threads;
    g_autoptr (GError) error = NULL;

    for (guint i = 0; i + 1 < n_wanted; i++) {
        pool->threads[i] = g_thread_try_new ("altclip-pool", work, pool, &error);
        if (pool->threads[i])
            continue;
        pool->n_threads = i + 1;
        g_warning ("%u of %u threads, the caller's included, have to do: %s", pool->n_threads,
                n_wanted, error->message);
        return;
    }
}

AltclipPool *
altclip_pool_new (guint n_threads)
{
    AltclipPool *pool = g_new0 (AltclipPool, 1);

    pool->n_threads = n_threads;
    pool->threads = g_new0 (GThread *, n_threads);
    pthread_mutex_init (&pool->lock, NULL);
    pthread_cond_init (&pool->started, NULL);
    pthread_cond_init (&pool->finished, NULL);
    start_threads (pool);
    return pool;
}

void
altclip_pool_free (AltclipPool *pool)
{
    if (!pool)
        return;
    start_round (pool, NULL, NULL);
    for (guint i = 0; i + 1 < pool->n_threads; i++)
        g_thread_join (pool->threads[i]);
    pthread_cond_destroy (&pool->finished);
    pthread_cond_destroy (&pool->started);
    pthread_mutex_destroy (&pool->lock);
    g_free (pool->threads);
    g_free (pool);
}

guint
altclip_pool_get_n_threads (AltclipPool *pool)
{
    return pool->n_threads;
}

void
altclip_pool_run (AltclipPool *pool, AltclipPoolFunc func, gpointer data)
{
    if (pool->n_threads == 1) {
        func (data, 0, 1);
        return;
    }
    start_round (pool, func, data);
    func (data, 0, pool->n_threads);
    pthread_mutex_lock (&pool->lock);
    while (pool->n_working > 0)
        pthread_cond_wait (&pool->finished, &pool->lock);
    pthread_mutex_unlock (&pool->lock);
}

void
altclip_pool_share (guint total, guint grain, guint index, guint n, guint *first, guint *last)
{
    guint64 grains = ((guint64)total + grain - 1) / grain;

    *first = MIN (total, (guint)(grains * index / n) * grain);
    *last = MIN (total, (guint)(grains * (index + 1) / n) * grain);
}
