/* altclip: what is looked at, part by part: a still picture, or a frame of a video
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef SIGHT_H
#define SIGHT_H

#include "video.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

G_BEGIN_DECLS

/* Decoded once, however many parts of it are looked at. */
typedef struct {
    const char *path;   /* for messages */
    GdkPixbuf *picture; /* (nullable) (owned): a still one; NULL: a frame of the video */
    Video *video;       /* (nullable): at the frame */
    guint64 time;       /* from the video's begin */
} Sight;

/**
 * sight_read_still:
 * @sight: (out caller-allocated): to be cleared, also on failure
 * @path: a PNG or JPEG file; to outlive @sight
 * @error: as for still_read()
 */
gboolean sight_read_still (Sight *sight, const char *path, GError **error);

void sight_clear (Sight *sight);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sight, sight_clear)

/**
 * sight_embed:
 * @region: the part to look at
 * @embedding: (out caller-allocated): [projection_dim], unit length
 * @error: #ALTCLIP_ERROR, naming the file
 */
gboolean sight_embed (const Sight *sight, AltclipSession *session, const AltclipRegion *region,
        float *embedding, GError **error);

/**
 * sight_score:
 * @prompts: embedded
 * @scores: (out caller-allocated): [n_labels]
 * @cosines: (out caller-allocated): [n_labels]
 * @error: as for sight_embed()
 *
 * Scores each label on its part of the picture.
 */
gboolean sight_score (const Sight *sight, AltclipSession *session, AltclipPrompts *prompts,
        AltclipScoreMode mode, double *scores, double *cosines, GError **error);

G_END_DECLS

#endif /* SIGHT_H */
