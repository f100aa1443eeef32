/* altclip: the safetensors file format
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_SAFETENSORS_H
#define ALTCLIP_SAFETENSORS_H

#include "tensor_file.h"

G_BEGIN_DECLS

/* Longest header that is read, in bytes. That of a model of 24 layers in each tower takes 0.1 MB;
 * parsed JSON can take fifty times its length in memory. */
#define ALTCLIP_SAFETENSORS_MAX_HEADER (8 * 1024 * 1024)

/**
 * altclip_safetensors_parse:
 * @path: where @bytes come from, for messages
 * @bytes: a whole file; kept as long as the result
 *
 * Checks the whole outline: header length, JSON, types, shapes against byte ranges, and that
 * the ranges cover the file's data exactly, without overlap.
 *
 * Returns: (transfer full) (nullable): the file, its tensors in the order of their data
 */
AltclipTensorFile *altclip_safetensors_parse (const char *path, GBytes *bytes, GError **error);

/**
 * altclip_safetensors_write:
 * @tensors: (element-type AltclipTensor): what to write
 *
 * Replaces @path whole, or leaves it as it was.
 */
gboolean altclip_safetensors_write (const char *path, GPtrArray *tensors, GError **error);

/* Makes elements @first and on of tensor number @index: @out [n]. @first is even. */
typedef void (*AltclipTensorFill) (
        gpointer user_data, guint index, guint64 first, gsize n, float *out);

/**
 * altclip_safetensors_write_filled:
 * @tensors: (element-type AltclipTensor): outlines of float tensors
 * @dtypes: (nullable): [tensors]: what to write elements as, %ALTCLIP_DTYPE_BF16,
 *   %ALTCLIP_DTYPE_F32, %ALTCLIP_DTYPE_F64 or, whole numbers from −128 to 127, %ALTCLIP_DTYPE_I8;
 *   all are the second without
 * @fill: asked for their elements, in order
 *
 * As altclip_safetensors_write(), holding a part of one tensor in memory at a time.
 */
gboolean altclip_safetensors_write_filled (const char *path, GPtrArray *tensors,
        const AltclipDtype *dtypes, AltclipTensorFill fill, gpointer user_data, GError **error);

G_END_DECLS

#endif /* ALTCLIP_SAFETENSORS_H */
