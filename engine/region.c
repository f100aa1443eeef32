/* altclip: parts of a picture, in fractions of it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

gboolean
altclip_rectangle_is_same (const AltclipRectangle *rectangle, const AltclipRectangle *other)
{
    return rectangle->x == other->x && rectangle->y == other->y &&
           rectangle->width == other->width && rectangle->height == other->height;
}

gboolean
altclip_region_is_same (const AltclipRegion *region, const AltclipRegion *other)
{
    return region->x == other->x && region->y == other->y && region->w == other->w &&
           region->h == other->h;
}

static void
round_edges (double at, double length, guint size, guint *first, guint *n_pixels)
{
    guint begin = (guint)(at * size + 0.5);
    guint end = (guint)((at + length) * size + 0.5);

    begin = MIN (begin, size - 1);
    end = CLAMP (end, begin + 1, size);
    *first = begin;
    *n_pixels = end - begin;
}

AltclipRectangle
altclip_region_get_part (const AltclipRegion *region, const AltclipRectangle *picture)
{
    AltclipRectangle part;

    round_edges (region->x, region->w, picture->width, &part.x, &part.width);
    round_edges (region->y, region->h, picture->height, &part.y, &part.height);
    part.x += picture->x;
    part.y += picture->y;
    return part;
}
