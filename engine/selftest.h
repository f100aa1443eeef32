/* altclip: whether an image tower can tell pictures apart
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_SELFTEST_H
#define ALTCLIP_SELFTEST_H

#include "vision.h"

G_BEGIN_DECLS

/**
 * altclip_vision_test:
 * @path: the weights' path, for messages
 * @picture_time: (out): nanoseconds that a picture takes: measured with one of the tower's blocks
 *     and multiplied
 * @cancellable: (nullable): looked at first
 *
 * Two pictures must get two embeddings, all of numbers: weights of NaN or of one value would
 * otherwise go unnoticed until somebody wonders about the labels. The pictures are small, since one
 * of full size takes a second in a large tower.
 *
 * Returns: %TRUE when the tower passes
 */
gboolean altclip_vision_test (const AltclipVision *vision, AltclipWorkspace *workspace,
        const char *path, guint64 *picture_time, GCancellable *cancellable, GError **error);

G_END_DECLS

#endif /* ALTCLIP_SELFTEST_H */
