/* altclip: tensors: as they lie in a file, and in memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TENSOR_H
#define ALTCLIP_TENSOR_H

#include "altclip.h"

G_BEGIN_DECLS

#define ALTCLIP_TENSOR_MAX_DIMS 8

/* Element types of a file. Only the floating-point ones can be weights, and 8-bit integers with the
 * steps of their rows. */
typedef enum {
    ALTCLIP_DTYPE_F32,
    ALTCLIP_DTYPE_F16,
    ALTCLIP_DTYPE_BF16,
    ALTCLIP_DTYPE_F64,
    ALTCLIP_DTYPE_I8,
    ALTCLIP_DTYPE_OTHER
} AltclipDtype;

/* A tensor where it lies. Elements are little-endian and may be misaligned for their type. They lie
 * in row-major order without gaps, unless @is_strided: then the element [i, j, …] is i · strides[0]
 * + j · strides[1] + … elements after the first, and others may be between or the same one be there
 * several times. Whatever the strides, all lie within @n_bytes. */
typedef struct {
    char *name;
    AltclipDtype dtype;
    guint n_dims;
    guint64 dims[ALTCLIP_TENSOR_MAX_DIMS];
    gboolean is_strided;
    guint64 strides[ALTCLIP_TENSOR_MAX_DIMS]; /* 0 where the dimension is 1 */
    guint64 n_elements;
    const guint8 *data; /* the first element */
    gsize n_bytes;      /* up to the end of the last one */
    /* Of 8-bit integers: [dims[0]] float32, what those of a row are multiples of; NULL: 1. */
    const guint8 *steps;
} AltclipStoredTensor;

/* Returns: (transfer none): the type's name in the reference, "float32" for instance. */
const char *altclip_dtype_get_name (AltclipDtype dtype);

/* Returns: bytes of one element, 0 for %ALTCLIP_DTYPE_OTHER. */
gsize altclip_dtype_get_size (AltclipDtype dtype);

/**
 * altclip_stored_tensor_read:
 * @first: first element wanted
 * @n: number of elements wanted; first + n ≤ n_elements
 * @out: (out caller-allocated): [n]
 *
 * Converts elements, counted in row-major order, to float.
 */
void altclip_stored_tensor_read (
        const AltclipStoredTensor *tensor, guint64 first, guint64 n, float *out);

/* Returns: what integers of that row are multiples of; 1 for other types */
float altclip_stored_tensor_get_step (const AltclipStoredTensor *tensor, guint64 row);

/* Returns: @matrix [rows, columns], in this machine's memory, as a tensor without a name. */
AltclipStoredTensor altclip_stored_tensor_of_matrix (
        const float *matrix, guint rows, guint columns);

/* Returns: (transfer full): the shape as text, "[250002, 1024]" for instance. */
char *altclip_shape_to_string (const guint64 *dims, guint n_dims);

/* Returns: (transfer full) (element-type AltclipTensor): an empty list that owns its tensors. */
GPtrArray *altclip_tensors_new (void);

/**
 * altclip_tensors_add:
 * @dims: [n_dims], n_dims ≤ 4
 *
 * Appends a zeroed tensor.
 *
 * Returns: (transfer none): its elements
 */
void *altclip_tensors_add (
        GPtrArray *tensors, const char *name, gboolean is_int64, guint n_dims, const guint64 *dims);

/* As altclip_tensors_add(). Returns: (transfer none) (nullable): NULL, and no tensor, when the
 * sizes overflow or memory is too short. */
void *altclip_tensors_try_add (
        GPtrArray *tensors, const char *name, gboolean is_int64, guint n_dims, const guint64 *dims);

/* As altclip_tensors_add(), without elements: for a tensor that is never in memory whole. */
void altclip_tensors_add_outline (
        GPtrArray *tensors, const char *name, gboolean is_int64, guint n_dims, const guint64 *dims);

/* Returns: number of elements. */
gsize altclip_tensor_get_n_elements (const AltclipTensor *tensor);

G_END_DECLS

#endif /* ALTCLIP_TENSOR_H */
