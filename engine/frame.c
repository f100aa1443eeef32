/* altclip: raw video frames, a row at a time, as red, green and blue
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ITU-R BT.601, 709 and 2020 write a colour as
 *
 *     Y = Kr·R + (1 − Kr − Kb)·G + Kb·B    Cb = (B − Y) / (2 − 2·Kb)    Cr = (R − Y) / (2 − 2·Kr)
 *
 * with R, G, B and Y from 0 to 1, Cb and Cr from −1/2 to 1/2, scaled to 219 and 224 steps of 8 bits
 * from 16 on (limited range) or to all steps (full range). Here that is turned round, in fixed
 * point. Transfer functions and primaries are left as they are, as in a still picture.
 */

#include "frame.h"
#include "pixel_loops.h"

#include <math.h>
#include <string.h>

#define MAX_FRAME_SIZE 65535

/* More bits, times the unity of chroma below, would not fit 16. */
#define MIN_BITS 8
#define MAX_BITS 11

struct _AltclipFrameReader {
    AltclipFrameFormat format;
    guint left; /* of what is read, the first of a pair where chroma is of pairs */
    guint n;
    gboolean is_grey;
    AltclipMatrix matrix;
    AltclipSiting siting;
    const AltclipPixelLoops *loops;

    guint chroma_left; /* first sample that is read, one beyond the left edge if there is one */
    guint n_chroma;    /* that are read */
    guint first_place; /* of chroma's */
    guint n_places;
    guint16 *luma;         /* [n] */
    guint16 *samples[3];   /* [n_chroma], of Cb, of Cr, and of another row */
    AltclipChroma *chroma; /* [1 + n_places + 1], mixed of two rows */
    gint16 *colours[3];    /* [n]: before they become grey */
};

/* ---- Formats --------------------------------------------------------------------------------- */

static gboolean
is_in_planes (const AltclipFrameFormat *format)
{
    guint n = format->colour == ALTCLIP_COLOUR_GREY ? 1 : 3;

    for (guint i = 0; i < n; i++) {
        const AltclipFrameComponent *component = &format->components[i];
        if (component->plane >= ALTCLIP_FRAME_MAX_PLANES || component->stride < 1 ||
                component->shift + format->bits > 16 || (format->bits > 8 && component->stride < 2))
            return FALSE;
    }
    return TRUE;
}

gboolean
altclip_frame_format_check (const AltclipFrameFormat *format, GError **error)
{
    const char *fault = NULL;

    if (format->width < 1 || format->width > MAX_FRAME_SIZE || format->height < 1 ||
            format->height > MAX_FRAME_SIZE)
        fault = "each side must be 1 to 65535";
    else if (format->bits < MIN_BITS || format->bits > MAX_BITS)
        fault = "a component must have 8 to 11 bits";
    else if (!is_in_planes (format))
        fault = "a component lies outside its plane or its sample";
    else if (format->chroma_x_shift > 1 || format->chroma_y_shift > 1)
        fault = "chroma may have half the luma's samples at least";
    else if (format->colour == ALTCLIP_COLOUR_YCBCR &&
             !(format->kr > 0 && format->kb > 0 && format->kr + format->kb < 1))
        fault = "Kr and Kb must be above 0, and their sum below 1";
    if (!fault)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "a frame of %u×%u pixels of %u bits cannot be used: %s", format->width, format->height,
            format->bits, fault);
    return FALSE;
}

gboolean
altclip_frame_format_check_part (
        const AltclipFrameFormat *format, const AltclipRectangle *part, GError **error)
{
    if (!part)
        return TRUE;
    if (part->width > 0 && part->height > 0 && part->width <= format->width &&
            part->x <= format->width - part->width && part->height <= format->height &&
            part->y <= format->height - part->height)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "a part of %u×%u pixels at (%u, %u) is empty or not within a frame of %u×%u",
            part->width, part->height, part->x, part->y, format->width, format->height);
    return FALSE;
}

gboolean
altclip_frame_format_get_layout (const AltclipFrameFormat *format, AltclipPixelLayout *layout)
{
    const AltclipFrameComponent *components = format->components;

    if (format->bits != 8 || !format->full_range || format->colour == ALTCLIP_COLOUR_YCBCR)
        return FALSE;
    if (format->colour == ALTCLIP_COLOUR_GREY) {
        *layout = (AltclipPixelLayout){ components[0].stride, components[0].offset,
            components[0].offset, components[0].offset };
        return components[0].plane == 0;
    }
    *layout = (AltclipPixelLayout){ components[0].stride, components[0].offset,
        components[1].offset, components[2].offset };
    for (guint i = 0; i < 3; i++)
        if (components[i].plane != 0 || components[i].stride != components[0].stride)
            return FALSE;
    return TRUE;
}

/* ---- The matrix ------------------------------------------------------------------------------ */

static gint32
to_fixed_point (double value)
{
    return (gint32)lrint (value * (1 << ALTCLIP_MATRIX_PRECISION));
}

/* To 0 … 255 from samples of the format's bits and range. */
static void
compute_matrix (AltclipFrameReader *reader)
{
    const AltclipFrameFormat *format = &reader->format;
    AltclipMatrix *matrix = &reader->matrix;
    gboolean is_ycbcr = format->colour == ALTCLIP_COLOUR_YCBCR;
    double step = 1 << (format->bits - 8);
    double full = (1 << format->bits) - 1;
    double black = format->full_range ? 0.0 : 16.0 * step;
    double luma = 255.0 / (format->full_range ? full : 219.0 * step);
    double chroma = 255.0 / (format->full_range ? full : 224.0 * step) / ALTCLIP_CHROMA_UNITY;
    double kr = format->kr;
    double kb = format->kb;
    double kg = 1.0 - kr - kb;
    /* Of R, G and B: what Cb and Cr contribute. */
    const double factors[3][2] = {
        { 0.0, 2.0 - 2.0 * kr },
        { -(2.0 - 2.0 * kb) * kb / kg, -(2.0 - 2.0 * kr) * kr / kg },
        { 2.0 - 2.0 * kb, 0.0 },
    };

    matrix->luma = to_fixed_point (luma);
    matrix->offset = to_fixed_point (0.5 - black * luma);
    for (guint i = 0; i < 3 && is_ycbcr; i++) {
        matrix->primaries[i].cb = to_fixed_point (factors[i][0] * chroma);
        matrix->primaries[i].cr = to_fixed_point (factors[i][1] * chroma);
    }
}

/* Whether what chroma is multiplied with has 16 bits, as the faster loops need it: not so where
 * green has next to no share of luma. */
static gboolean
is_mixed_in_words (const AltclipFrameReader *reader)
{
    gboolean is = TRUE;

    for (guint i = 0; i < 3; i++)
        is = is && ABS (reader->matrix.primaries[i].cb) <= G_MAXINT16 &&
             ABS (reader->matrix.primaries[i].cr) <= G_MAXINT16;
    return is;
}

/* Where there is no chroma. */
static void
scale (const AltclipMatrix *matrix, const guint16 *luma, guint n, gint16 *restrict out)
{
    const AltclipMatrix m = *matrix;

    for (guint i = 0; i < n; i++) {
        gint32 value = (luma[i] * m.luma + m.offset) >> ALTCLIP_MATRIX_PRECISION;
        out[i] = (gint16)CLAMP (value, 0, 255);
    }
}

/* ---- Samples --------------------------------------------------------------------------------- */

static void
fetch_words (const guint8 *from, guint stride, guint shift, guint16 mask, guint n, guint16 *out)
{
    for (guint i = 0; i < n; i++) {
        guint16 word;

        memcpy (&word, from + (gsize)i * stride, sizeof word);
        out[i] = (guint16)(GUINT16_FROM_LE (word) >> shift) & mask;
    }
}

/* Where sample @first of a component's row lies. */
static const guint8 *
find_sample (const AltclipFrameReader *reader, const AltclipFrameData *data, guint component,
        guint y, guint first)
{
    const AltclipFrameComponent *c = &reader->format.components[component];

    return data->planes[c->plane] + y * data->strides[c->plane] + c->offset +
           (gsize)first * c->stride;
}

/* Samples @first to before first + n of a component's row. */
static void
fetch (const AltclipFrameReader *reader, const AltclipFrameData *data, guint component, guint y,
        guint first, guint n, guint16 *out)
{
    const AltclipFrameComponent *c = &reader->format.components[component];
    const guint8 *from = find_sample (reader, data, component, y, first);

    if (reader->format.bits > 8)
        fetch_words (from, c->stride, c->shift, (guint16)((1 << reader->format.bits) - 1), n, out);
    else
        reader->loops->unpack (from, c->stride, n, (gint16 *)out);
}

/* Asks for the row of luma after @y: rows are often cut, so that the processor cannot foresee where
 * the next one begins. */
static void
expect_next_row (const AltclipFrameReader *reader, const AltclipFrameData *data, guint y)
{
    const guint8 *first = find_sample (reader, data, 0, y, reader->left);
    gsize n_bytes = (gsize)reader->n * reader->format.components[0].stride;

    if (y + 1 == reader->format.height)
        return;
    first += data->strides[reader->format.components[0].plane];
    for (gsize i = 0; i < n_bytes; i += 64)
        __builtin_prefetch (first + i);
}

/* ---- Chroma ---------------------------------------------------------------------------------- */

static guint
get_chroma_size (guint size, guint shift)
{
    return (size + shift) >> shift;
}

/* The two samples of chroma on either side of a place of luma, by their indices, and the weight of
 * the first in eighths. */
typedef struct {
    guint first;
    guint second;
    guint weight;
} Neighbours;

/* Neighbours of place @at among @size: samples lie on every second place. */
static Neighbours
find_cosited (guint at, guint size)
{
    guint last = get_chroma_size (size, 1) - 1;

    return (Neighbours){ at / 2, MIN (at / 2 + at % 2, last), at % 2 ? 4 : 8 };
}

/* The same where samples lie between the places of a pair, an even one and an odd one, which give
 * these weights to their own sample. */
static Neighbours
find_between (guint at, guint size, guint even_weight, guint odd_weight)
{
    guint last = get_chroma_size (size, 1) - 1;
    guint own = at / 2;

    if (at % 2)
        return (Neighbours){ own, MIN (own + 1, last), odd_weight };
    return (Neighbours){ own, own > 0 ? own - 1 : 0, even_weight };
}

/* In interlaced frames rows belong to two fields by turns, in chroma as in luma; in the first field
 * chroma lies a quarter of the way between two rows of luma, in the second three quarters. */
static Neighbours
find_field_rows (const AltclipFrameFormat *format, guint y)
{
    guint field = y % 2;
    guint n_rows = (format->height + !field) / 2;
    guint last = get_chroma_size (format->height, 1) - 1;
    Neighbours rows;

    if (format->chroma_y_cosited)
        rows = find_cosited (y / 2, n_rows);
    else
        rows = find_between (y / 2, n_rows, field ? 5 : 7, field ? 7 : 5);
    rows.first = MIN (2 * rows.first + field, last);
    rows.second = MIN (2 * rows.second + field, last);
    return rows;
}

static Neighbours
find_rows (const AltclipFrameFormat *format, gboolean interlaced, guint y)
{
    if (format->chroma_y_shift == 0)
        return (Neighbours){ y, y, 8 };
    if (interlaced && format->height >= 4)
        return find_field_rows (format, y);
    if (format->chroma_y_cosited)
        return find_cosited (y, format->height);
    return find_between (y, format->height, 6, 6);
}

/* first · weight + second · (8 − weight) → first, where @grey means no colour */
static void
blend_words (
        gint16 *restrict first, const gint16 *restrict second, guint weight, gint grey, guint n)
{
    gint16 w = (gint16)weight;
    gint16 v = (gint16)(ALTCLIP_CHROMA_ROW_UNITY - w);
    gint16 offset = (gint16)(grey * ALTCLIP_CHROMA_ROW_UNITY);

    for (guint i = 0; i < n; i++)
        first[i] = (gint16)(first[i] * w + second[i] * v - offset);
}

/* Of samples of any kind. */
static void
blend_any_chroma (AltclipFrameReader *reader, const AltclipFrameData *data, Neighbours rows,
        AltclipChroma *restrict out)
{
    const gint16 *restrict cb = (gint16 *)reader->samples[0];
    const gint16 *restrict cr = (gint16 *)reader->samples[1];
    guint n = reader->n_chroma;

    for (guint i = 0; i < 2; i++) {
        fetch (reader, data, i + 1, rows.first, reader->chroma_left, n, reader->samples[i]);
        fetch (reader, data, i + 1, rows.second, reader->chroma_left, n, reader->samples[2]);
        blend_words ((gint16 *)reader->samples[i], (gint16 *)reader->samples[2], rows.weight,
                1 << (reader->format.bits - 1), n);
    }
    for (guint i = 0; i < n; i++)
        out[i] = (AltclipChroma){ cb[i], cr[i] };
}

/* Of bytes, which all lie as far apart. */
static void
blend_bytes (AltclipFrameReader *reader, const AltclipFrameData *data, Neighbours rows,
        AltclipChroma *out)
{
    const AltclipFrameComponent *components = reader->format.components;
    const guint8 *first[2];
    const guint8 *second[2];

    for (guint i = 0; i < 2; i++) {
        first[i] = find_sample (reader, data, i + 1, rows.first, reader->chroma_left);
        second[i] = find_sample (reader, data, i + 1, rows.second, reader->chroma_left);
    }
    reader->loops->blend_chroma (
            first, second, components[1].stride, rows.weight, reader->n_chroma, out);
}

/* A row of chroma, mixed of two and with the samples at the picture's edges repeated. */
static void
read_chroma (AltclipFrameReader *reader, const AltclipFrameData *data, guint y)
{
    const AltclipFrameComponent *components = reader->format.components;
    guint before = reader->first_place - reader->chroma_left;
    AltclipChroma *row = reader->chroma;
    Neighbours rows = find_rows (&reader->format, data->interlaced, y);

    if (components[1].stride != components[2].stride || reader->format.bits > 8)
        blend_any_chroma (reader, data, rows, row + 1 - before);
    else
        blend_bytes (reader, data, rows, row + 1 - before);
    if (before == 0)
        row[0] = row[1];
    for (guint i = 1 - before + reader->n_chroma; i < reader->n_places + 2; i++)
        row[i] = row[i - 1];
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Bytes side by side are taken from the frame itself. */
static AltclipLuma
get_luma (AltclipFrameReader *reader, const AltclipFrameData *data, guint y)
{
    if (reader->format.bits == 8 && reader->format.components[0].stride == 1)
        return (AltclipLuma){ find_sample (reader, data, 0, y, reader->left), NULL };
    fetch (reader, data, 0, y, reader->left, reader->n, reader->luma);
    return (AltclipLuma){ NULL, reader->luma };
}

static void
read_ycbcr (AltclipFrameReader *reader, const AltclipFrameData *data, guint y, gint16 *const out[3])
{
    expect_next_row (reader, data, y);
    read_chroma (reader, data, y);
    reader->loops->mix (&reader->matrix, reader->siting, get_luma (reader, data, y), reader->chroma,
            reader->n, out);
}

static void
read_components (AltclipFrameReader *reader, const AltclipFrameData *data, guint y,
        guint n_components, gint16 *const out[3])
{
    for (guint i = 0; i < n_components; i++) {
        fetch (reader, data, i, y, reader->left, reader->n, reader->luma);
        scale (&reader->matrix, reader->luma, reader->n, out[i]);
    }
}

static void
read_colours (
        AltclipFrameReader *reader, const AltclipFrameData *data, guint y, gint16 *const out[3])
{
    if (reader->format.colour == ALTCLIP_COLOUR_YCBCR)
        read_ycbcr (reader, data, y, out);
    else
        read_components (reader, data, y, 3, out);
}

/* Pillow's Image.convert ("L"). */
static void
mix_grey (gint16 *const colours[3], guint n, gint16 *out)
{
    for (guint i = 0; i < n; i++)
        out[i] = (gint16)((colours[0][i] * 19595u + colours[1][i] * 38470u + colours[2][i] * 7471u +
                                  0x8000u) >>
                          16);
}

void
altclip_frame_reader_read (
        AltclipFrameReader *reader, const AltclipFrameData *data, guint y, gint16 *const out[3])
{
    if (reader->format.colour == ALTCLIP_COLOUR_GREY) {
        read_components (reader, data, y, 1, out);
    } else if (reader->is_grey) {
        read_colours (reader, data, y, reader->colours);
        mix_grey (reader->colours, reader->n, out[0]);
    } else {
        read_colours (reader, data, y, out);
    }
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* Which samples of chroma are read. */
static void
find_chroma (AltclipFrameReader *reader)
{
    guint shift = reader->format.chroma_x_shift;
    guint width = get_chroma_size (reader->format.width, shift);
    guint end;

    reader->first_place = reader->left >> shift;
    reader->n_places = get_chroma_size (reader->n, shift);
    reader->chroma_left = reader->first_place > 0 ? reader->first_place - 1 : 0;
    end = MIN (reader->first_place + reader->n_places + 1, width);
    reader->n_chroma = end - reader->chroma_left;
    if (shift == 0)
        reader->siting = ALTCLIP_SITING_EACH;
    else
        reader->siting =
                reader->format.chroma_x_cosited ? ALTCLIP_SITING_COSITED : ALTCLIP_SITING_CENTRED;
}

static gboolean
allocate (AltclipFrameReader *reader)
{
    gboolean is_done = TRUE;

    reader->luma = g_try_new (guint16, reader->n);
    for (guint i = 0; i < 3; i++) {
        reader->samples[i] = g_try_new (guint16, reader->n_chroma);
        is_done = is_done && reader->samples[i];
    }
    reader->chroma = g_try_new (AltclipChroma, reader->n_places + 2);
    for (guint i = 0; i < 3 && reader->is_grey; i++) {
        reader->colours[i] = g_try_new (gint16, reader->n);
        is_done = is_done && reader->colours[i];
    }
    return is_done && reader->luma && reader->chroma;
}

AltclipFrameReader *
altclip_frame_reader_new (const AltclipFrameFormat *format, guint left, guint n, gboolean is_grey)
{
    AltclipFrameReader *reader = g_new0 (AltclipFrameReader, 1);

    g_assert (left % (1u << format->chroma_x_shift) == 0);
    reader->format = *format;
    reader->left = left;
    reader->n = n;
    reader->is_grey = is_grey;
    find_chroma (reader);
    compute_matrix (reader);
    reader->loops =
            is_mixed_in_words (reader) ? altclip_pixel_loops_get () : &ALTCLIP_PIXEL_LOOPS_PLAIN;
    if (allocate (reader))
        return reader;
    altclip_frame_reader_free (reader);
    return NULL;
}

void
altclip_frame_reader_free (AltclipFrameReader *reader)
{
    if (!reader)
        return;
    g_free (reader->luma);
    g_free (reader->chroma);
    for (guint i = 0; i < 3; i++) {
        g_free (reader->samples[i]);
        g_free (reader->colours[i]);
    }
    g_free (reader);
}
