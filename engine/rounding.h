/* altclip: which layers 8 bits are too coarse for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A few pictures of noise go through the tower. What a linear layer's integers are off by is known:
 * a number that is rounded to a step is off by step² / 12 on average of the squares, so an output
 * is by that of the input's row times the squares of the weights, and that of the weights times the
 * squares of the input. What counts is how large that is beside what the layer tells one token from
 * another by, the variance of its outputs: where some channels of the input are far larger than the
 * others, and alike for all tokens, they take up the range, and say nothing. Noise serves, since it
 * is the weights that make such channels.
 */

#ifndef ALTCLIP_ROUNDING_H
#define ALTCLIP_ROUNDING_H

#include "vision.h"

G_BEGIN_DECLS

/* The error beside what a layer tells tokens apart by, of their root mean squares, from which on it
 * is too coarse. */
#define ALTCLIP_ROUNDING_LIMIT 0.05

/* Returns: (transfer full): [num_hidden_layers · ALTCLIP_N_LAYERS]: whether a layer of integers is
 * too coarse; free with g_free() */
gboolean *altclip_rounding_find_coarse (const AltclipVision *vision, AltclipWorkspace *workspace);

G_END_DECLS

#endif /* ALTCLIP_ROUNDING_H */
