/* altclip: which of two kernel sets is the faster one here
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TRIAL_H
#define ALTCLIP_TRIAL_H

#include "kernels.h"

G_BEGIN_DECLS

/* By how much of its time bf16 must be faster: what is gained less is not worth the rounding, and
 * another time the clock would say the opposite. */
#define ALTCLIP_TRIAL_GAIN 0.2

/* Returns: nanoseconds that @kernels took for a product. */
typedef guint64 (*AltclipTimeFunc) (const AltclipKernels *kernels, gpointer data);

/**
 * altclip_trial_run:
 * @take_time: takes the time of one run; called some times for each set, in turns
 * @cancellable: (nullable): looked at before each run
 * @trial: (out caller-allocated): the sets, and of each the shortest time
 *
 * Returns: (transfer none) (nullable): @bf16 when it is faster by %ALTCLIP_TRIAL_GAIN, else @f32;
 * %NULL when cancelled
 */
const AltclipKernels *altclip_trial_run (const AltclipKernels *f32, const AltclipKernels *bf16,
        AltclipTimeFunc take_time, gpointer data, GCancellable *cancellable, AltclipTrial *trial,
        GError **error);

/**
 * altclip_trial_run_product:
 * @shape: what is to be computed; of a large one, a part that takes less than a millisecond
 *
 * As altclip_trial_run(), with the time that one thread needs for a product.
 */
const AltclipKernels *altclip_trial_run_product (const AltclipKernels *f32,
        const AltclipKernels *bf16, const AltclipProductShape *shape, GCancellable *cancellable,
        AltclipTrial *trial, GError **error);

G_END_DECLS

#endif /* ALTCLIP_TRIAL_H */
