/* altclip: how large a camera's picture may be
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "extent.h"

#include <string.h>

#define SIDE 8192
#define LONG_SIDE 16384
#define SHORT_SIDE 4096

/* Of JPEG: markers, and how much of a header is read. */
#define FIRST_FRAME 0xc0
#define LAST_FRAME 0xcf
#define HEADER_BYTES 10

gboolean
monitor_extent_is_allowed (guint width, guint height)
{
    return (width <= SIDE && height <= SIDE) || (width <= LONG_SIDE && height <= SHORT_SIDE) ||
           (width <= SHORT_SIDE && height <= LONG_SIDE);
}

gboolean
monitor_extent_find_in_caps (const GstCaps *caps, guint *width, guint *height)
{
    const GstStructure *structure =
            gst_caps_get_size (caps) > 0 ? gst_caps_get_structure (caps, 0) : NULL;
    int w, h;

    if (!structure || !gst_structure_get_int (structure, "width", &w) ||
            !gst_structure_get_int (structure, "height", &h) || w < 0 || h < 0)
        return FALSE;
    *width = (guint)w;
    *height = (guint)h;
    return TRUE;
}

static guint
get_number (const guint8 *bytes)
{
    return (guint)bytes[0] << 8 | bytes[1];
}

/* Whether a frame's header is there: its marker, its length, 8 or 12 bits, height, width, and how
 * many components, each of three bytes. Tables of Huffman codes and of arithmetic coding, and an
 * extension, have numbers among those of frames. */
static gboolean
is_header (const guint8 *at)
{
    return at[1] >= FIRST_FRAME && at[1] <= LAST_FRAME && at[1] != 0xc4 && at[1] != 0xc8 &&
           at[1] != 0xcc && (at[4] == 8 || at[4] == 12) && at[9] > 0 &&
           get_number (at + 2) == 8u + 3u * at[9];
}

/* Wherever it is: decoders pass over what does not belong there. In pictures' data no such bytes
 * are. */
static gboolean
find_header (const guint8 *at, gsize left, guint *width, guint *height)
{
    const guint8 *end = at + left;

    while (end - at >= HEADER_BYTES && (at = memchr (at, 0xff, (gsize)(end - at))) &&
            end - at >= HEADER_BYTES) {
        if (is_header (at)) {
            *height = get_number (at + 5);
            *width = get_number (at + 7);
            return TRUE;
        }
        at++;
    }
    return FALSE;
}

gboolean
monitor_extent_find_in_jpeg (GstBuffer *buffer, guint *width, guint *height)
{
    GstMapInfo map;
    gboolean found;

    if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
        return FALSE;
    found = find_header (map.data, map.size, width, height);
    gst_buffer_unmap (buffer, &map);
    return found;
}
