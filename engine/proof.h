/* altclip: whether a kernel set computes right on this CPU
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_PROOF_H
#define ALTCLIP_PROOF_H

#include "kernels.h"

G_BEGIN_DECLS

/**
 * altclip_kernels_prove:
 * @shapes: what is to be computed; large ones in part
 * @cancellable: (nullable): looked at before each product
 *
 * Has @kernels multiply known matrices and attend to known tokens, in two threads at once. Of a
 * large product that a set computes panel by panel, see packed.h, some panels are looked at, each
 * with all its inputs and rows, and that the outputs of others are left alone.
 *
 * Returns: whether all came out right
 */
gboolean altclip_kernels_prove (const AltclipKernels *kernels, const AltclipKernelShapes *shapes,
        GCancellable *cancellable, GError **error);

G_END_DECLS

#endif /* ALTCLIP_PROOF_H */
