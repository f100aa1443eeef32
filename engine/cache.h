/* altclip: what was computed of texts, kept between runs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_CACHE_H
#define ALTCLIP_CACHE_H

#include "fingerprint.h"

G_BEGIN_DECLS

/* A file of values of one size, by text. Any number of threads and processes may use it at once.
 * Nothing that goes wrong with it is an error: a value is there or it is not. */
typedef struct _AltclipCache AltclipCache;

/* Returns: (transfer full): where a user's caches are: `altclip` in the XDG cache directory. */
char *altclip_cache_get_directory (void);

/* Whether the environment variable `ALTCLIP_CACHE` is "off". */
gboolean altclip_cache_is_off (void);

/**
 * altclip_cache_new:
 * @directory: where the file is to be; made at the first flush if missing
 * @fingerprint: of all that the values depend on but the text
 * @kind: what the values are, the ending of the file's name
 * @n_value: bytes of a value
 *
 * Does no I/O.
 */
AltclipCache *altclip_cache_new (const char *directory, const AltclipFingerprint *fingerprint,
        const char *kind, gsize n_value);

/* Flushes, and frees. NULL is fine. */
void altclip_cache_free (AltclipCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipCache, altclip_cache_free)

/* Sees what others have written since: to be called before a number of altclip_cache_get(). */
void altclip_cache_refresh (AltclipCache *cache);

/* @value: (out caller-allocated): [n_value], untouched if there is none. Returns: whether there is.
 */
gboolean altclip_cache_get (AltclipCache *cache, const char *text, void *value);

/* Keeps @value [n_value], to be written at the next flush. */
void altclip_cache_put (AltclipCache *cache, const char *text, const void *value);

void altclip_cache_flush (AltclipCache *cache);

G_END_DECLS

#endif /* ALTCLIP_CACHE_H */
