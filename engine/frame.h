/* altclip: raw video frames, a row at a time, as red, green and blue
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_FRAME_H
#define ALTCLIP_FRAME_H

#include "altclip.h"

G_BEGIN_DECLS

/* Reads part of the rows of frames of one format. Has scratch of its own: one thread at a time. */
typedef struct _AltclipFrameReader AltclipFrameReader;

/* Whether sizes, places and numbers of @format make sense. */
gboolean altclip_frame_format_check (const AltclipFrameFormat *format, GError **error);

/* Whether @part (nullable) is within the frame, and not empty. */
gboolean altclip_frame_format_check_part (
        const AltclipFrameFormat *format, const AltclipRectangle *part, GError **error);

/* Whether a frame is a picture of 8-bit red, green and blue, or grey, that needs no conversion.
 * @layout: (out): then where they lie in plane 0 */
gboolean altclip_frame_format_get_layout (
        const AltclipFrameFormat *format, AltclipPixelLayout *layout);

/**
 * altclip_frame_reader_new:
 * @format: checked; copied
 * @left: first column wanted, an even one where a sample of chroma serves two
 * @n: number of columns; left + n ≤ width
 * @is_grey: whether to make luma (ITU-R 601, as Pillow's) of colour
 *
 * Returns: (transfer full) (nullable): the reader; %NULL when there is not enough memory
 */
AltclipFrameReader *altclip_frame_reader_new (
        const AltclipFrameFormat *format, guint left, guint n, gboolean is_grey);
void altclip_frame_reader_free (AltclipFrameReader *reader);

/**
 * altclip_frame_reader_read:
 * @y: row of the frame
 * @out: (out caller-allocated): rows of red, green and blue, or of grey alone, [n], 0 to 255
 *
 * Chroma is interpolated linearly between its samples, where the format says they lie, and before
 * it within its row's field if the frame is interlaced. Results are rounded to whole numbers.
 */
void altclip_frame_reader_read (
        AltclipFrameReader *reader, const AltclipFrameData *data, guint y, gint16 *const out[3]);

G_END_DECLS

#endif /* ALTCLIP_FRAME_H */
