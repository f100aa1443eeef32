/* altclip: the frames of a film of the evaluation
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef PAINTER_H
#define PAINTER_H

#include "script.h"

G_BEGIN_DECLS

typedef struct _Painter Painter;

/* @brightness: 1: as it was drawn; @noise: standard deviation of the sensor's, in levels of 255.
 * Returns: (transfer full) */
Painter *painter_new (guint32 seed, guint width, guint height, double brightness, double noise);

void painter_free (Painter *painter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Painter, painter_free)

/* @moment: of a script that outlives the painter. Returns: (transfer none): until the next call */
const Picture *painter_paint (Painter *painter, const Moment *moment, double time);

G_END_DECLS

#endif /* PAINTER_H */
