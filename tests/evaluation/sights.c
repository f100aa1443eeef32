/* altclip: embeddings of the frames of a film
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "sights.h"

#include <string.h>

void
sights_init (Sights *sights, guint dimensions)
{
    sights->dimensions = dimensions;
    sights->times = g_array_new (FALSE, FALSE, sizeof (guint64));
    sights->embeddings = g_array_new (FALSE, FALSE, sizeof (float));
}

void
sights_clear (Sights *sights)
{
    g_clear_pointer (&sights->times, g_array_unref);
    g_clear_pointer (&sights->embeddings, g_array_unref);
}

void
sights_add (Sights *sights, guint64 time, const float *embedding)
{
    g_array_append_val (sights->times, time);
    g_array_append_vals (sights->embeddings, embedding, sights->dimensions);
}

const float *
sights_get_embedding (const Sights *sights, guint i)
{
    return &g_array_index (sights->embeddings, float, (gsize)i * sights->dimensions);
}

gboolean
sights_save (const Sights *sights, const char *path, GError **error)
{
    g_autoptr (GByteArray) bytes = g_byte_array_new ();

    g_byte_array_append (bytes, (const guint8 *)sights->times->data,
            sights->times->len * (guint)sizeof (guint64));
    g_byte_array_append (bytes, (const guint8 *)sights->embeddings->data,
            sights->embeddings->len * (guint)sizeof (float));
    return g_file_set_contents (path, (const char *)bytes->data, bytes->len, error);
}

gboolean
sights_load (Sights *sights, guint dimensions, const char *path, GError **error)
{
    gsize size_of_one = sizeof (guint64) + dimensions * sizeof (float);
    g_autofree char *bytes = NULL;
    gsize size;

    if (!g_file_get_contents (path, &bytes, &size, error))
        return FALSE;
    if (size % size_of_one) {
        g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s: %" G_GSIZE_FORMAT " bytes, which are no frames of %" G_GSIZE_FORMAT, path,
                size, size_of_one);
        return FALSE;
    }
    sights_init (sights, dimensions);
    g_array_append_vals (sights->times, bytes, (guint)(size / size_of_one));
    g_array_append_vals (sights->embeddings, bytes + size / size_of_one * sizeof (guint64),
            (guint)(size / size_of_one * dimensions));
    return TRUE;
}
