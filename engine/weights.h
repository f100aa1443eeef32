/* altclip: the weights of a model directory, by name
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_WEIGHTS_H
#define ALTCLIP_WEIGHTS_H

#include "file.h"
#include "tensor_file.h"
#include "tensor_names.h"

G_BEGIN_DECLS

typedef struct _AltclipWeights AltclipWeights;

/**
 * altclip_weights_open:
 * @directory: a model directory
 *
 * Maps the files that hold the weights and checks their outlines; the weights themselves are not
 * read. As the reference does, takes the first there is of `model.safetensors`,
 * `model.safetensors.index.json` with its shards, `pytorch_model.bin` and
 * `pytorch_model.bin.index.json` with its shards. Tensors that AltCLIP does not have are named at
 * debug level and left out. A matrix of 8-bit integers has its rows' steps in another tensor, whose
 * name ends with `_scale` after its own.
 *
 * Returns: (transfer full) (nullable): the weights
 */
AltclipWeights *altclip_weights_open (const char *directory, GError **error);

void altclip_weights_close (AltclipWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipWeights, altclip_weights_close)

/* Returns: (transfer none): the path of the weights' file, or of the shards' index, for messages.
 */
const char *altclip_weights_get_path (AltclipWeights *weights);

/* One of the files that are mapped. */
typedef struct {
    AltclipTensorFile *tensors;
    AltclipFileIdentity identity;
} AltclipWeightsFile;

/**
 * altclip_weights_get_files:
 *
 * For a fingerprint: the files' identities and outlines tell one set of weights from another
 * without reading it.
 *
 * Returns: (transfer none) (element-type AltclipWeightsFile): sorted by path
 */
const GPtrArray *altclip_weights_get_files (AltclipWeights *weights);

/* Returns: (transfer full) (nullable): the path of the file that altclip_weights_open() would take
 * first in @directory, not looked into; NULL: there is none */
char *altclip_weights_find_file (const char *directory);

/* Returns: (transfer none) (nullable): the tensor of the canonical @name */
const AltclipStoredTensor *altclip_weights_find (AltclipWeights *weights, const char *name);

gboolean altclip_weights_contain (AltclipWeights *weights, const char *name);

/* Whether there is any tensor whose canonical name begins with @prefix. */
gboolean altclip_weights_contain_any (AltclipWeights *weights, const char *prefix);

/**
 * altclip_weights_require:
 * @name: the tensor's canonical name, see altclip_tensor_name_to_canonical()
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
 * altclip_weights_log_unused:
 * @prefix: what a tower's names begin with
 *
 * Names, at debug level, the tensors of a tower that nobody has required: to be called after the
 * tower's last altclip_weights_require().
 */
void altclip_weights_log_unused (AltclipWeights *weights, const char *prefix);

/**
 * altclip_weights_prefetch:
 *
 * Has @tensor, which is about to be read whole, read from the disk ahead of that.
 */
void altclip_weights_prefetch (const AltclipStoredTensor *tensor);

/**
 * altclip_weights_map:
 *
 * Maps the pages of @tensor, which is about to be read whole, at once.
 */
void altclip_weights_map (const AltclipStoredTensor *tensor);

/**
 * altclip_weights_release:
 *
 * Lets go of the mapped pages of @tensor; they are read again from the file if needed.
 */
void altclip_weights_release (const AltclipStoredTensor *tensor);

G_END_DECLS

#endif /* ALTCLIP_WEIGHTS_H */
