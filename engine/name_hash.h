/* altclip: a hash of names that are not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_NAME_HASH_H
#define ALTCLIP_NAME_HASH_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * altclip_name_hash:
 * @name: (type utf8): a NUL-terminated string
 *
 * A #GHashFunc to go with g_str_equal(), in place of g_str_hash(): of that one anybody can make as
 * many different names as he likes with one hash, among which a table of n names takes n² steps.
 * This one has a key that is drawn anew in each process, and so has the order in which a table's
 * names come. Thread-safe.
 *
 * Returns: the hash
 */
guint altclip_name_hash (gconstpointer name);

/* SipHash-2-4 of @bytes [n], as its authors give it. */
guint64 altclip_siphash (const guint64 key[2], gconstpointer bytes, gsize n);

G_END_DECLS

#endif /* ALTCLIP_NAME_HASH_H */
