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
 * @picture_time: (out): nanoseconds that a picture of full size took
 * @cancellable: (nullable): looked at between pictures
 *
 * Two pictures must get two embeddings, all of numbers: weights of NaN or of one value would
 * otherwise go unnoticed until somebody wonders about the labels. Of the two only a few patches are
 * looked at, since a whole picture takes a second in a large tower; one whole picture follows.
 *
 * Returns: %TRUE when the tower passes
 */
gboolean altclip_vision_test (const AltclipVision *vision, AltclipWorkspace *workspace,
        const char *path, guint64 *picture_time, GCancellable *cancellable, GError **error);

G_END_DECLS

#endif /* ALTCLIP_SELFTEST_H */
