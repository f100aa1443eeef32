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

/* What red, green and blue are of luma, in eighths. */
#define WEIGHT 8
static const guint rgb_weights[] = { 2, 5, 1 };
static const guint luma_weight[] = { WEIGHT };

struct _AltclipMotion {
    AltclipRectangle part;
    AltclipFrameComponent components[3];
    guint n_components; /* luma, or what it is made of */
    const guint *weights;
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
    motion->n_components = format->colour == ALTCLIP_COLOUR_RGB ? 3 : 1;
    motion->weights = motion->n_components == 3 ? rgb_weights : luma_weight;
    for (guint i = 0; i < motion->n_components; i++)
        motion->components[i] = format->components[i];
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
sum_samples (const AltclipFrameComponent *component, guint bits, const guint8 *from, guint n)
{
    guint stride = component->stride;

    if (bits > 8) {
        guint sum = 0;

        for (guint i = 0; i < n; i++) {
            const guint8 *at = from + (gsize)i * stride;
            guint word = at[0] | (guint)at[1] << 8;

            sum += (word >> (component->shift + bits - 8)) & 0xff;
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

/* Adds row @y of a component to the sums of a row of cells. */
static void
add_row (const AltclipMotion *motion, guint number, const AltclipFrameData *data, guint y,
        guint *sums)
{
    const AltclipFrameComponent *component = &motion->components[number];
    const guint8 *row = data->planes[component->plane] + y * data->strides[component->plane] +
                        component->offset + (gsize)motion->part.x * component->stride;

    for (guint column = 0; column < motion->n_columns; column++) {
        guint first = get_border (motion->part.width, column, motion->n_columns);
        guint last = get_border (motion->part.width, column + 1, motion->n_columns);
        guint sum = sum_samples (
                component, motion->bits, row + (gsize)first * component->stride, last - first);

        sums[column] += sum * motion->weights[number];
    }
}

static void
look_at_row (AltclipMotion *motion, const AltclipFrameData *data, guint cell_row)
{
    guint first = get_border (motion->part.height, cell_row, motion->n_rows);
    guint last = get_border (motion->part.height, cell_row + 1, motion->n_rows);
    guint n = MIN (ROWS_PER_CELL, last - first);
    guint sums[MAX_CELLS] = { 0 };

    for (guint i = 0; i < n; i++) {
        guint y = motion->part.y + first + get_border (last - first, i, n);

        for (guint number = 0; number < motion->n_components; number++)
            add_row (motion, number, data, y, sums);
    }
    for (guint column = 0; column < motion->n_columns; column++) {
        guint width = get_border (motion->part.width, column + 1, motion->n_columns) -
                      get_border (motion->part.width, column, motion->n_columns);
        motion->seen[cell_row * motion->n_columns + column] =
                (guint16)((guint64)sums[column] * LEVEL / (width * n * WEIGHT));
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
