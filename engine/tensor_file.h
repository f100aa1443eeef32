/* altclip: a file of named tensors, whatever its format
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TENSOR_FILE_H
#define ALTCLIP_TENSOR_FILE_H

#include "tensor.h"

G_BEGIN_DECLS

/* Longest name of a tensor, in bytes. */
#define ALTCLIP_TENSOR_MAX_NAME 256

typedef struct {
    char *path;         /* for messages */
    GBytes *bytes;      /* the whole file, which the tensors' data are parts of */
    GPtrArray *tensors; /* of AltclipStoredTensor */
    /* The part of the file that describes the rest: safetensors' header, or a zip archive's
     * directory with its checksums. */
    const guint8 *outline;
    gsize n_outline;
} AltclipTensorFile;

/* What reads a format: see altclip_safetensors_parse() and altclip_state_dict_parse(). */
typedef AltclipTensorFile *(*AltclipTensorFileParser) (
        const char *path, GBytes *bytes, GError **error);

/* Returns: (transfer full): a file without tensors yet, that keeps @bytes. */
AltclipTensorFile *altclip_tensor_file_new (const char *path, GBytes *bytes);

void altclip_tensor_file_free (AltclipTensorFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipTensorFile, altclip_tensor_file_free)

/**
 * altclip_tensor_file_add:
 * @name: [n_name]: any bytes
 *
 * Names appear in messages and logs, so they must be short, and text without control characters.
 *
 * Returns: (transfer none) (nullable): a new tensor of @file, empty but for its name
 */
AltclipStoredTensor *altclip_tensor_file_add (
        AltclipTensorFile *file, const char *name, gsize n_name, GError **error);

G_END_DECLS

#endif /* ALTCLIP_TENSOR_FILE_H */
