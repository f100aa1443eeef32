/* altclip: the names of AltCLIP's tensors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TENSOR_NAMES_H
#define ALTCLIP_TENSOR_NAMES_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * altclip_tensor_name_to_canonical:
 * @stored: a tensor's name in a file
 *
 * The name under which the towers ask for the tensor. It is the one that transformers 4.46 gives
 * the tensor in a whole model: newer libraries write `layers` for `layer` or the other way round,
 * and a tower that was saved alone has its tensors without the tower's name before them.
 *
 * Returns: (transfer full) (nullable): the name; %NULL: AltCLIP has no such tensor
 */
char *altclip_tensor_name_to_canonical (const char *stored);

G_END_DECLS

#endif /* ALTCLIP_TENSOR_NAMES_H */
