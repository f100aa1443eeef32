/* altclip: activation functions and the exponential they share with the softmax
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_ACTIVATION_H
#define ALTCLIP_ACTIVATION_H

#include "config.h"

G_BEGIN_DECLS

/**
 * altclip_activation_from_name:
 * @name: `hidden_act` of a configuration
 *
 * Returns: %FALSE for a name that the reference does not know
 */
gboolean altclip_activation_from_name (const char *name, AltclipActivation *activation);

/* Applies @activation to x[0..n) in place, in single precision. */
void altclip_activation_apply (AltclipActivation activation, float *x, gsize n);

/* The same for one value in double precision. */
double altclip_activation_exact (AltclipActivation activation, double x);

/**
 * altclip_softmax:
 * @x: [n]: scores, replaced by their softmax
 * @scale: what they are multiplied with first, above 0
 *
 * Subtracts the maximum first, so no score overflows.
 */
void altclip_softmax (float *x, gsize n, float scale);

G_END_DECLS

#endif /* ALTCLIP_ACTIVATION_H */
