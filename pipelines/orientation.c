/* altclip: which way up a still picture is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gdk-pixbuf knows JPEG's EXIF alone; Pillow, which the reference reads pictures with, also PNG's,
 * and XMP in both.
 */

#include "orientation.h"

#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT 3
#define TYPE_LONG 4

#define NONE 0

typedef struct {
    const guint8 *bytes;
    gboolean is_big_endian;
} Exif;

/* The caller knows that @n bytes are there. */
static guint32
read_number (const Exif *exif, gsize at, guint n)
{
    guint32 number = 0;

    for (guint i = 0; i < n; i++)
        number = number << 8 | exif->bytes[at + (exif->is_big_endian ? i : n - 1 - i)];
    return number;
}

/* @at: an entry of 12 bytes: tag, type, count, value */
static guint
read_entry (const Exif *exif, gsize at)
{
    guint32 type = read_number (exif, at + 2, 2);
    guint32 count = read_number (exif, at + 4, 4);
    guint32 value = read_number (exif, at + 8, type == TYPE_LONG ? 4 : 2);
    gboolean is_number = (type == TYPE_SHORT || type == TYPE_LONG) && count == 1;

    return is_number && value >= 1 && value <= 8 ? value : ORIENTATION_UPRIGHT;
}

/* Returns: 1 to 8, or NONE when the first directory has no such entry */
static guint
read_exif (const guint8 *bytes, gsize n)
{
    static const char prefix[] = "Exif\0"; /* a JPEG's, and some writers' of PNG */
    Exif exif;
    guint n_entries;
    gsize at;

    while (n >= sizeof prefix && memcmp (bytes, prefix, sizeof prefix) == 0) {
        bytes += sizeof prefix;
        n -= sizeof prefix;
    }
    exif = (Exif){ bytes, n > 0 && bytes[0] == 'M' };
    if (n < 8 || (memcmp (bytes, "II*\0", 4) != 0 && memcmp (bytes, "MM\0*", 4) != 0))
        return NONE;
    at = read_number (&exif, 4, 4);
    if (at > n || n - at < 2)
        return NONE;
    n_entries = read_number (&exif, at, 2);
    at += 2;
    for (guint i = 0; i < n_entries && n - at >= 12; i++, at += 12) {
        if (read_number (&exif, at, 2) == TAG_ORIENTATION)
            return read_entry (&exif, at);
    }
    return NONE;
}

/* An attribute, tiff:Orientation="6", or an element, <tiff:Orientation>6. */
static guint
read_xmp (const guint8 *bytes, gsize n)
{
    static const char name[] = "tiff:Orientation";
    const gsize n_name = sizeof name - 1;
    const guint8 *at = bytes;
    const guint8 *end = bytes + n;

    while ((at = memmem (at, (gsize)(end - at), name, n_name))) {
        at += n_name;
        if (end - at >= 3 && at[0] == '=' && at[1] == '"' && g_ascii_isdigit (at[2]))
            return (guint)g_ascii_digit_value (at[2]);
        if (end - at >= 2 && at[0] == '>' && g_ascii_isdigit (at[1]))
            return (guint)g_ascii_digit_value (at[1]);
    }
    return NONE;
}

guint
orientation_read (const guint8 *exif, gsize n_exif, const guint8 *xmp, gsize n_xmp)
{
    guint orientation = exif ? read_exif (exif, n_exif) : NONE;

    if (orientation == NONE && xmp)
        orientation = read_xmp (xmp, n_xmp);
    return orientation >= 1 && orientation <= 8 ? orientation : ORIENTATION_UPRIGHT;
}
