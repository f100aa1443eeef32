/* altclip: how much of a picture has changed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thumbnail of mean luma is compared with an earlier one, cell by cell. Of each cell some rows
 * are read whole: enough to average the noise of a camera away, little enough for each frame of a
 * stream.
 */

#include "frame.h"

#include <stdlib.h>
#include <string.h>

/* Cells along the longer side. */
#define MAX_CELLS 64
#define ROWS_PER_CELL 8

/* A step of luma, in the thumbnail's units. */
#define LEVEL 64

/* Change of a cell's mean luma that is more than noise. */
#define LEAST_CHANGE (4 * LEVEL)

struct _AltclipMotion {
    AltclipRectangle part;
    AltclipFrameComponent luma; /* or green, which is most of it */
    guint bits;
    guint n_columns;
    guint n_rows;
    guint16 *seen; /* [n_rows, n_columns], in units of LEVEL */
    guint16 *kept;
    gboolean has_kept;
};

AltclipMotion *
altclip_motion_new (const AltclipFrameFormat *format, const AltclipRectangle *part, GError **error)
{
    AltclipMotion *motion;
    guint longer;

    if (!altclip_frame_format_check (format, error) ||
            !altclip_frame_format_check_part (format, part, error))
        return NULL;
    motion = g_new0 (AltclipMotion, 1);
    motion->part = part ? *part : (AltclipRectangle){ 0, 0, format->width, format->height };
    motion->luma = format->components[format->colour == ALTCLIP_COLOUR_RGB ? 1 : 0];
    motion->bits = format->bits;
    longer = MAX (motion->part.width, motion->part.height);
    motion->n_columns = MAX (1, motion->part.width * MIN (MAX_CELLS, longer) / longer);
    motion->n_rows = MAX (1, motion->part.height * MIN (MAX_CELLS, longer) / longer);
    motion->seen = g_new0 (guint16, motion->n_columns * motion->n_rows);
    motion->kept = g_new0 (guint16, motion->n_columns * motion->n_rows);
    return motion;
}

void
altclip_motion_free (AltclipMotion *motion)
{
    if (!motion)
        return;
    g_free (motion->seen);
    g_free (motion->kept);
    g_free (motion);
}

/* Where share @i of @n of a length begins. */
static guint
get_border (guint length, guint i, guint n)
{
    return (guint)((guint64)length * i / n);
}

static inline guint
sum_bytes (const guint8 *from, guint stride, guint n)
{
    guint sum = 0;

    for (guint i = 0; i < n; i++)
        sum += from[(gsize)i * stride];
    return sum;
}

/* Sum of @n samples, as of 8 bits. Constant strides make better loops. */
static guint
sum_samples (const AltclipMotion *motion, const guint8 *from, guint n)
{
    guint stride = motion->luma.stride;

    if (motion->bits > 8) {
        guint sum = 0;

        for (guint i = 0; i < n; i++) {
            const guint8 *at = from + (gsize)i * stride;
            guint word = at[0] | (guint)at[1] << 8;

            sum += (word >> (motion->luma.shift + motion->bits - 8)) & 0xff;
        }
        return sum;
    }
    if (stride == 1)
        return sum_bytes (from, 1, n);
    if (stride == 2)
        return sum_bytes (from, 2, n);
    if (stride == 3)
        return sum_bytes (from, 3, n);
    if (stride == 4)
        return sum_bytes (from, 4, n);
    return sum_bytes (from, stride, n);
}

/* Adds row @y of the frame to the sums of a row of cells. */
static void
add_row (const AltclipMotion *motion, const AltclipFrameData *data, guint y, guint *sums)
{
    const guint8 *row = data->planes[motion->luma.plane] + y * data->strides[motion->luma.plane] +
                        motion->luma.offset + (gsize)motion->part.x * motion->luma.stride;

    for (guint column = 0; column < motion->n_columns; column++) {
        guint first = get_border (motion->part.width, column, motion->n_columns);
        guint last = get_border (motion->part.width, column + 1, motion->n_columns);

        sums[column] +=
                sum_samples (motion, row + (gsize)first * motion->luma.stride, last - first);
    }
}

static void
look_at_row (AltclipMotion *motion, const AltclipFrameData *data, guint cell_row)
{
    guint first = get_border (motion->part.height, cell_row, motion->n_rows);
    guint last = get_border (motion->part.height, cell_row + 1, motion->n_rows);
    guint n = MIN (ROWS_PER_CELL, last - first);
    guint sums[MAX_CELLS] = { 0 };

    for (guint i = 0; i < n; i++)
        add_row (motion, data, motion->part.y + first + get_border (last - first, i, n), sums);
    for (guint column = 0; column < motion->n_columns; column++) {
        guint width = get_border (motion->part.width, column + 1, motion->n_columns) -
                      get_border (motion->part.width, column, motion->n_columns);
        motion->seen[cell_row * motion->n_columns + column] =
                (guint16)((guint64)sums[column] * LEVEL / (width * n));
    }
}

double
altclip_motion_measure (AltclipMotion *motion, const AltclipFrameData *data)
{
    guint n = motion->n_columns * motion->n_rows;
    guint n_changed = 0;

    for (guint row = 0; row < motion->n_rows; row++)
        look_at_row (motion, data, row);
    for (guint i = 0; i < n; i++)
        n_changed += abs (motion->seen[i] - motion->kept[i]) >= LEAST_CHANGE;
    return motion->has_kept ? (double)n_changed / n : 1.0;
}

void
altclip_motion_keep (AltclipMotion *motion)
{
    memcpy (motion->kept, motion->seen, motion->n_columns * motion->n_rows * sizeof *motion->kept);
    motion->has_kept = TRUE;
}

void
altclip_motion_forget (AltclipMotion *motion)
{
    motion->has_kept = FALSE;
}
