/* altclip: an image tower in 8-bit integers, as a file has it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The matrices of the blocks are what precision=int8 makes of them, see quantised.h: integers, and
 * the step of each row in a tensor of its own. The gains of the layer norm before a matrix are in
 * it, and its biases in the layer's: such a norm is left with gains of 1 and biases of 0. Layers
 * that 8 bits are too coarse for, see rounding.h, stay as they are.
 */

#ifndef ALTCLIP_INTEGER_TOWER_H
#define ALTCLIP_INTEGER_TOWER_H

#include "model.h"

G_BEGIN_DECLS

/* What stands in the place of a tensor. */
typedef struct {
    float *steps;   /* [rows]: of a matrix in integers; else NULL */
    float *gains;   /* [columns]: what the matrix is multiplied by before; or NULL */
    float *numbers; /* of a vector: its elements; else NULL */
} AltclipIntegerTensor;

/**
 * altclip_integer_tower_new:
 * @model: opened with %ALTCLIP_PRECISION_INT8, with an image tower
 *
 * Returns: (transfer full) (nullable) (element-type utf8 AltclipIntegerTensor): the tensors that
 *     become others, by their canonical names
 */
GHashTable *altclip_integer_tower_new (AltclipModel *model, GError **error);

/* Returns: (transfer full): what has the matrices of the tower that do not become integers, by
 * canonical name without `.weight`; the patch embedding and the projection are always among them */
char **altclip_integer_tower_list_finer (AltclipModel *model, GHashTable *tower);

/**
 * altclip_integer_tensor_read:
 * @tensor: of a matrix
 * @stored: the matrix that it stands for
 * @out: (out caller-allocated): [n], whole numbers
 *
 * Makes integers of elements @first and on.
 */
void altclip_integer_tensor_read (const AltclipIntegerTensor *tensor,
        const AltclipStoredTensor *stored, guint64 first, gsize n, float *out);

G_END_DECLS

#endif /* ALTCLIP_INTEGER_TOWER_H */
