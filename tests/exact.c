/* altclip: what a video frame shows, in double precision
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "exact.h"

#include <math.h>

/* ---- Chroma ---------------------------------------------------------------------------------- */

/* What is interpolated in: a row of chroma, or a column. */
typedef struct {
    const ExactFrame *frame;
    guint component;
    guint column;
    guint y;
    guint field;
} Place;

static guint
get_n_columns (const ExactFrame *frame)
{
    return (frame->width + frame->x_shift) >> frame->x_shift;
}

static guint
get_n_rows (const ExactFrame *frame)
{
    return (frame->height + frame->y_shift) >> frame->y_shift;
}

static double
get_sample (const Place *place, guint row)
{
    return place->frame->get_sample (place->frame->data, place->component, place->column, row);
}

/* Where sample @i of chroma lies, in rows or columns of luma. */
static double
get_site (guint i, gboolean cosited)
{
    return 2.0 * i + (cosited ? 0.0 : 0.5);
}

/* Beyond the edges the last sample holds. */
static double
interpolate (double at, gboolean cosited, guint n, double (*get) (Place *, guint), Place *place)
{
    double last = get_site (n - 1, cosited);
    double first = get_site (0, cosited);
    double left;
    guint i;

    at = CLAMP (at, first, last);
    i = MIN ((guint)((at - first) / 2.0), n - 1);
    left = get (place, i);
    if (i + 1 >= n)
        return left;
    return left + (get (place, i + 1) - left) * (at - get_site (i, cosited)) / 2;
}

static double
get_progressive (Place *place, guint i)
{
    return get_sample (place, i);
}

static double
get_of_field (Place *place, guint i)
{
    return get_sample (place, MIN (2 * i + place->field, get_n_rows (place->frame) - 1));
}

/* Chroma of the place's row, at sample @column. */
static double
get_column (Place *place, guint column)
{
    const ExactFrame *frame = place->frame;
    guint n_field_rows;

    place->column = column;
    if (frame->y_shift == 0)
        return get_sample (place, place->y);
    if (!frame->interlaced || frame->height < 4)
        return interpolate (place->y, frame->y_cosited, get_n_rows (frame), get_progressive, place);
    /* Rows of the field; its chroma lies at 0.25 or 0.75, where progressive rows have it at 0.5. */
    place->field = place->y % 2;
    n_field_rows = ((frame->height + !place->field) / 2 + 1) / 2;
    if (frame->y_cosited)
        return interpolate (place->y / 2, TRUE, n_field_rows, get_of_field, place);
    return interpolate (
            place->y / 2 + (place->field ? -0.25 : 0.25), FALSE, n_field_rows, get_of_field, place);
}

static double
get_chroma (const ExactFrame *frame, guint component, guint x, guint y)
{
    Place place = { frame, component, x, y, 0 };

    if (frame->x_shift == 0)
        return get_column (&place, x);
    return interpolate (x, frame->x_cosited, get_n_columns (frame), get_column, &place);
}

/* ---- Colour ---------------------------------------------------------------------------------- */

/* From 0 to 1. */
static double
get_component (const ExactFrame *frame, guint component, guint x, guint y)
{
    double step = 1 << (frame->bits - 8);
    double sample = frame->get_sample (frame->data, component, x, y);

    if (frame->full_range)
        return sample / ((1 << frame->bits) - 1);
    return (sample - 16 * step) / (219 * step);
}

/* From −½ to ½. */
static double
get_difference (const ExactFrame *frame, guint component, guint x, guint y)
{
    double step = 1 << (frame->bits - 8);
    double range = frame->full_range ? (1 << frame->bits) - 1 : 224 * step;

    return (get_chroma (frame, component, x, y) - 128 * step) / range;
}

void
exact_convert (const ExactFrame *frame, guint x, guint y, double rgb[3])
{
    if (frame->is_ycbcr) {
        double luma = get_component (frame, 0, x, y);

        rgb[0] = luma + get_difference (frame, 2, x, y) * 2 * (1 - frame->kr);
        rgb[2] = luma + get_difference (frame, 1, x, y) * 2 * (1 - frame->kb);
        rgb[1] = (luma - frame->kr * rgb[0] - frame->kb * rgb[2]) / (1 - frame->kr - frame->kb);
    } else {
        for (guint i = 0; i < 3; i++)
            rgb[i] = get_component (frame, frame->is_grey ? 0 : i, x, y);
    }
    for (guint i = 0; i < 3; i++)
        rgb[i] = 255 * CLAMP (rgb[i], 0.0, 1.0);
}

/* ---- Size ------------------------------------------------------------------------------------ */

static double
weigh (double x)
{
    x = fabs (x);
    if (x < 1.0)
        return (1.5 * x - 2.5) * x * x + 1;
    return x < 2.0 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0.0;
}

/* Output @i of @n, which begin at @crop of a line that is @full long after the resize. */
static double
resample (const double *line, gsize stride, guint size, guint full, guint place)
{
    double scale = (double)size / full;
    double wider = MAX (scale, 1.0);
    double centre = (place + 0.5) * scale;
    int begin = MAX ((int)(centre - 2 * wider + 0.5), 0);
    int end = MIN ((int)(centre + 2 * wider + 0.5), (int)size);
    double sum = 0;
    double weights = 0;

    for (int i = begin; i < end; i++) {
        double weight = weigh ((i + 0.5 - centre) / wider);
        sum += weight * line[i * stride];
        weights += weight;
    }
    return sum / weights;
}

double *
exact_resize (const double *rgb, guint width, guint height, guint size)
{
    guint full_width = width <= height ? size : (guint)((double)size * width / height);
    guint full_height = width <= height ? (guint)((double)size * height / width) : size;
    g_autofree double *rows = g_new (double, (gsize)height *size * 3);
    double *out = g_new (double, (gsize)3 * size * size);

    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < size; x++)
            for (guint c = 0; c < 3; c++)
                rows[((gsize)y * size + x) * 3 + c] = resample (rgb + (gsize)y * width * 3 + c, 3,
                        width, full_width, (full_width - size) / 2 + x);
    for (guint c = 0; c < 3; c++)
        for (guint y = 0; y < size; y++)
            for (guint x = 0; x < size; x++)
                out[((gsize)c * size + y) * size + x] =
                        CLAMP (resample (rows + (gsize)x * 3 + c, (gsize)size * 3, height,
                                       full_height, (full_height - size) / 2 + y),
                                0.0, 255.0);
    return out;
}
