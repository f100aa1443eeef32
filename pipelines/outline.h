/* altclip: the outline of a PNG or JPEG file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef OUTLINE_H
#define OUTLINE_H

#include <glib.h>

G_BEGIN_DECLS

/* What is known of a picture before it is decoded. */
typedef struct {
    const char *format; /* gdk-pixbuf's name */
    guint orientation;  /* 1 to 8, by EXIF's table */
    guint n_scans;      /* of a JPEG */
    guint64 n_pixels;   /* of a JPEG */
    guint64 n_samples;  /* of a JPEG: of all components, were none of them subsampled */
    const guint8 *exif; /* (nullable): in the file's bytes */
    gsize n_exif;
    const guint8 *xmp; /* (nullable): likewise */
    gsize n_xmp;
} Outline;

/**
 * outline_follow:
 * @path: for messages
 * @bytes: the whole file
 * @n: its length
 * @outline: (out caller-allocated): what the file says of itself
 * @error: #ALTCLIP_ERROR_IMAGE for a file that is neither PNG nor JPEG, was cut off, or would keep
 *   the decoder busy for too long
 *
 * Follows the file from mark to mark to its end.
 *
 * Returns: %TRUE on success
 */
gboolean outline_follow (
        const char *path, const guint8 *bytes, gsize n, Outline *outline, GError **error);

G_END_DECLS

#endif /* OUTLINE_H */
