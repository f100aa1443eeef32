/* altclip: which way up a still picture is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ORIENTATION_H
#define ORIENTATION_H

#include <glib.h>

G_BEGIN_DECLS

/* EXIF's value for a picture that is upright already. */
#define ORIENTATION_UPRIGHT 1

/**
 * orientation_read:
 * @exif: (nullable): a JPEG's APP1 segment or a PNG's eXIf chunk
 * @n_exif: its bytes
 * @xmp: (nullable): an XMP packet
 * @n_xmp: its bytes
 *
 * As Pillow has it: XMP is asked when EXIF says nothing, and what makes no sense means upright.
 *
 * Returns: 1 to 8, by EXIF's table
 */
guint orientation_read (const guint8 *exif, gsize n_exif, const guint8 *xmp, gsize n_xmp);

G_END_DECLS

#endif /* ORIENTATION_H */
