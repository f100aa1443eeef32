/* altclip: what a decodebin or uridecodebin finds
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef DECODER_H
#define DECODER_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* What a stream may have us fetch. */
typedef enum {
    DECODER_STAYS_LOCAL, /* nothing but itself */
    DECODER_FOLLOWS      /* also what it refers to: segments, sessions */
} DecoderReach;

/**
 * decoder_connect:
 * @decoder: a decodebin or uridecodebin
 * @entrance: of what comes after it, with a pad `sink`; to outlive @decoder
 *
 * Links the first video stream as soon as it is found. Sound and subtitles are not decoded. Without
 * any video, @decoder posts an error.
 */
void decoder_connect (GstElement *decoder, GstElement *entrance, DecoderReach reach);

/**
 * decoder_is_running:
 * @bin: @decoder, or the pipeline with it
 *
 * Whether a thread is left that may bring a frame. decodebin swallows what a demuxer complains of
 * while it is still being connected, and then nothing would ever come. What the last thread left
 * behind may have come since: to be asked twice.
 */
gboolean decoder_is_running (GstElement *bin);

G_END_DECLS

#endif /* DECODER_H */
