/* altclip: a pool of threads that split one piece of work after another
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_POOL_H
#define ALTCLIP_POOL_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AltclipPool AltclipPool;

/* Called once per thread of the pool, with @index from 0 to before @n. */
typedef void (*AltclipPoolFunc) (gpointer data, guint index, guint n);

/* A pool of @n_threads, the caller of altclip_pool_run() being one of them; of fewer, with a
 * warning, when the system gives no more. */
AltclipPool *altclip_pool_new (guint n_threads);
void altclip_pool_free (AltclipPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipPool, altclip_pool_free)

guint altclip_pool_get_n_threads (AltclipPool *pool);

/* Runs @func in all threads of the pool and returns when each has finished. One caller at a time.
 * Idle threads sleep. */
void altclip_pool_run (AltclipPool *pool, AltclipPoolFunc func, gpointer data);

/* Share number @index of @n of the range 0 … @total, in multiples of @grain. */
void altclip_pool_share (guint total, guint grain, guint index, guint n, guint *first, guint *last);

G_END_DECLS

#endif /* ALTCLIP_POOL_H */
