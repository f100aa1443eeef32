/* altclip: embeddings of the frames of a film
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef SIGHTS_H
#define SIGHTS_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint dimensions;
    GArray *times;      /* guint64: running times, in nanoseconds */
    GArray *embeddings; /* float: [times][dimensions] */
} Sights;

void sights_init (Sights *sights, guint dimensions);
void sights_clear (Sights *sights);

void sights_add (Sights *sights, guint64 time, const float *embedding);
const float *sights_get_embedding (const Sights *sights, guint i);

/* A file for this machine alone. */
gboolean sights_save (const Sights *sights, const char *path, GError **error);

/* @sights: (out caller-allocated) */
gboolean sights_load (Sights *sights, guint dimensions, const char *path, GError **error);

G_END_DECLS

#endif /* SIGHTS_H */
