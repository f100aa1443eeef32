/* altclip: the weights of a model directory, by name
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_WEIGHTS_H
#define ALTCLIP_WEIGHTS_H

#include "tensor.h"

G_BEGIN_DECLS

typedef struct _AltclipWeights AltclipWeights;

/**
 * altclip_weights_open:
 * @directory: a model directory; its `model.safetensors` is mapped
 *
 * Returns: (transfer full) (nullable): the weights
 */
AltclipWeights *altclip_weights_open (const char *directory, GError **error);

void altclip_weights_close (AltclipWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipWeights, altclip_weights_close)

/* Returns: (transfer none): the path of the weights' file, for messages. */
const char *altclip_weights_get_path (AltclipWeights *weights);

gboolean altclip_weights_contain (AltclipWeights *weights, const char *name);

/* Whether there is any tensor whose name begins with @prefix. */
gboolean altclip_weights_contain_any (AltclipWeights *weights, const char *prefix);

/**
 * altclip_weights_require:
 * @name: the tensor's full name
 * @meaning: the configuration's fields behind the expected shape, for the message
 * @n_dims: number of dimensions, then as many guint64
 *
 * Returns: (transfer none) (nullable): the tensor if it is there with a floating-point type and
 *     just this shape
 */
const AltclipStoredTensor *altclip_weights_require (AltclipWeights *weights, GError **error,
        const char *name, const char *meaning, guint n_dims, ...);

/**
 * altclip_weights_require_pair:
 * @name: what the names of a layer norm's or linear layer's tensors begin with
 * @rows: number of outputs, called @rows_meaning in messages
 * @columns: number of inputs, called @columns_meaning; 0: the weight has one dimension
 * @pair: (out caller-allocated): `.weight` and `.bias`
 *
 * As altclip_weights_require(), for both tensors.
 */
gboolean altclip_weights_require_pair (AltclipWeights *weights, const char *name,
        const char *rows_meaning, guint64 rows, const char *columns_meaning, guint64 columns,
        const AltclipStoredTensor *pair[2], GError **error);

/**
 * altclip_weights_release:
 *
 * Lets go of the mapped pages of @tensor; they are read again from the file if needed.
 */
void altclip_weights_release (const AltclipStoredTensor *tensor);

G_END_DECLS

#endif /* ALTCLIP_WEIGHTS_H */
