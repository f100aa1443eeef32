/* altclip: what a file of tensors promises, tried
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef TENSORS_H
#define TENSORS_H

#include "tensor_file.h"

G_BEGIN_DECLS

/* Reads the first and the last elements of each tensor, which are where a wrong place or stride
 * shows. */
void tensors_read (const AltclipTensorFile *file);

G_END_DECLS

#endif /* TENSORS_H */
