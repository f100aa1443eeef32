/* altclip: bfloat16, the upper half of a float
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_BFLOAT16_H
#define ALTCLIP_BFLOAT16_H

#include <glib.h>

G_BEGIN_DECLS

/* @x [n] rounded to the nearest, and to even halfway; what is no number stays none. */
void altclip_bfloat16_round (const float *x, gsize n, guint16 *out);

/* Returns: the float that @x is the upper half of */
float altclip_bfloat16_widen (guint16 x);

G_END_DECLS

#endif /* ALTCLIP_BFLOAT16_H */
