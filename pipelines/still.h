/* altclip: still pictures from files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef STILL_H
#define STILL_H

#include "altclip.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

G_BEGIN_DECLS

/* Most pixels of a picture that is read. */
#define STILL_MAX_PIXELS (100 * 1000 * 1000)

/**
 * still_decode:
 * @path: where @bytes come from, for messages
 * @bytes: [n], a whole PNG or JPEG file
 * @error: #ALTCLIP_ERROR_IMAGE, naming the file
 *
 * Returns: (transfer full) (nullable): the picture, upright, in 8-bit RGB, with alpha if it has
 * that
 */
GdkPixbuf *still_decode (const char *path, const guint8 *bytes, gsize n, GError **error);

/**
 * still_read:
 * @path: a PNG or JPEG file
 * @error: #ALTCLIP_ERROR_IO or #ALTCLIP_ERROR_IMAGE, naming the file
 *
 * Returns: (transfer full) (nullable): the picture upright (EXIF orientation), in 8-bit RGB, on
 * white where it is transparent
 */
GdkPixbuf *still_read (const char *path, GError **error);

/**
 * still_look:
 * @picture: of still_read()
 * @region: the part of the picture to look at
 * @model: whose input is wanted
 * @error: #ALTCLIP_ERROR_IMAGE, which does not name the file
 *
 * Returns: (transfer full) (nullable): pixel_values [num_channels, image_size, image_size]
 */
float *still_look (
        GdkPixbuf *picture, const AltclipRegion *region, AltclipModel *model, GError **error);

/* Whether the file at @path begins as a PNG or JPEG file does; one that cannot be read does not. */
gboolean still_is_one (const char *path);

/**
 * still_load:
 * @model: whose input is wanted
 * @error: as for still_read()
 *
 * still_read() and still_look() at all of the picture.
 *
 * Returns: (transfer full) (nullable): pixel_values [num_channels, image_size, image_size]
 */
float *still_load (const char *path, AltclipModel *model, GError **error);

/**
 * still_load_any_size:
 * @size: (nullable): the size that is wanted; %NULL: as the model's preprocessor_config.json has it
 * @height: (out): height of what preprocessing makes of the picture
 * @width: (out): likewise, the width
 *
 * still_load() for a tower that takes other sizes than the model's image_size.
 *
 * Returns: (transfer full) (nullable): pixel_values [num_channels, @height, @width]
 */
float *still_load_any_size (const char *path, AltclipModel *model, const AltclipImageSize *size,
        guint *height, guint *width, GError **error);

/* Returns: number of floats that still_look() gives. */
gsize still_get_size (AltclipModel *model);

G_END_DECLS

#endif /* STILL_H */
