/* altclip: noise to compute with when it does not matter what
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_NOISE_H
#define ALTCLIP_NOISE_H

#include <glib.h>

G_BEGIN_DECLS

/* A linear congruential generator, the same on every machine. Returns: uniform in [−1, 1) */
static inline float
altclip_noise_next (guint32 *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(gint32)*state * 0x1p-31f;
}

G_END_DECLS

#endif /* ALTCLIP_NOISE_H */
