/* altclip: tensors: as they lie in a file, and in memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tensor.h"

#include <string.h>

static const struct {
    const char *name;
    gsize size;
} DTYPES[] = {
    [ALTCLIP_DTYPE_F32] = { "float32", 4 },
    [ALTCLIP_DTYPE_F16] = { "float16", 2 },
    [ALTCLIP_DTYPE_BF16] = { "bfloat16", 2 },
    [ALTCLIP_DTYPE_F64] = { "float64", 8 },
    [ALTCLIP_DTYPE_I8] = { "int8", 1 },
    [ALTCLIP_DTYPE_OTHER] = { "other", 0 },
};

const char *
altclip_dtype_get_name (AltclipDtype dtype)
{
    return DTYPES[dtype].name;
}

gsize
altclip_dtype_get_size (AltclipDtype dtype)
{
    return DTYPES[dtype].size;
}

static float
float_from_bits (guint32 bits)
{
    float value;

    memcpy (&value, &bits, sizeof value);
    return value;
}

/* Subnormal halves are m · 2⁻²⁴; the others only change exponent bias (15 → 127) and width. */
static float
float_from_half (guint16 half)
{
    guint32 sign = (guint32)(half & 0x8000) << 16;
    guint32 exponent = (half >> 10) & 0x1f;
    guint32 mantissa = half & 0x3ff;

    if (exponent == 0) {
        float magnitude = (float)mantissa * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31)
        return float_from_bits (sign | 0x7f800000 | mantissa << 13);
    return float_from_bits (sign | (exponent + 112) << 23 | mantissa << 13);
}

static void
read_f16 (const guint8 *data, guint64 n, float *out)
{
    for (guint64 i = 0; i < n; i++) {
        guint16 half;
        memcpy (&half, data + 2 * i, sizeof half);
        out[i] = float_from_half (GUINT16_FROM_LE (half));
    }
}

static void
read_bf16 (const guint8 *data, guint64 n, float *out)
{
    for (guint64 i = 0; i < n; i++) {
        guint16 top;
        memcpy (&top, data + 2 * i, sizeof top);
        out[i] = float_from_bits ((guint32)GUINT16_FROM_LE (top) << 16);
    }
}

static void
read_f32 (const guint8 *data, guint64 n, float *out)
{
    for (guint64 i = 0; i < n; i++) {
        guint32 bits;
        memcpy (&bits, data + 4 * i, sizeof bits);
        out[i] = float_from_bits (GUINT32_FROM_LE (bits));
    }
}

static void
read_f64 (const guint8 *data, guint64 n, float *out)
{
    for (guint64 i = 0; i < n; i++) {
        guint64 bits;
        double value;
        memcpy (&bits, data + 8 * i, sizeof bits);
        bits = GUINT64_FROM_LE (bits);
        memcpy (&value, &bits, sizeof value);
        out[i] = (float)value;
    }
}

/* −128 is none of the integers that a row is multiples of, see quantised.h. */
static void
read_i8 (const guint8 *data, guint64 n, float *out)
{
    for (guint64 i = 0; i < n; i++) {
        gint8 value = (gint8)data[i];
        out[i] = (float)MAX (value, -127);
    }
}

static void
read_elements (AltclipDtype dtype, const guint8 *data, guint64 n, float *out)
{
    switch (dtype) {
    case ALTCLIP_DTYPE_F32:
        read_f32 (data, n, out);
        break;
    case ALTCLIP_DTYPE_F16:
        read_f16 (data, n, out);
        break;
    case ALTCLIP_DTYPE_BF16:
        read_bf16 (data, n, out);
        break;
    case ALTCLIP_DTYPE_F64:
        read_f64 (data, n, out);
        break;
    case ALTCLIP_DTYPE_I8:
        read_i8 (data, n, out);
        break;
    case ALTCLIP_DTYPE_OTHER:
        g_assert_not_reached ();
    }
}

/* Elements that are @step bytes apart, brought together a few at a time. */
static void
read_spaced (AltclipDtype dtype, const guint8 *data, gsize step, guint64 n, float *out)
{
    guint8 together[64 * sizeof (double)];
    gsize size = DTYPES[dtype].size;

    for (guint64 at = 0; at < n; at += 64) {
        guint64 some = MIN (n - at, 64);

        for (guint64 i = 0; i < some; i++)
            memcpy (together + i * size, data + (at + i) * step, size);
        read_elements (dtype, together, some, out + at);
    }
}

/* Goes along the last dimension, from where @first lies in it. */
static void
read_strided (const AltclipStoredTensor *tensor, guint64 first, guint64 n, float *out)
{
    gsize size = DTYPES[tensor->dtype].size;
    guint last = tensor->n_dims - 1;

    while (n > 0) {
        guint64 row = first / tensor->dims[last];
        guint64 column = first % tensor->dims[last];
        guint64 some = MIN (n, tensor->dims[last] - column);
        guint64 offset = column * tensor->strides[last];

        for (guint d = last; d-- > 0; row /= tensor->dims[d])
            offset += row % tensor->dims[d] * tensor->strides[d];
        if (tensor->strides[last] == 1)
            read_elements (tensor->dtype, tensor->data + offset * size, some, out);
        else
            read_spaced (tensor->dtype, tensor->data + offset * size, tensor->strides[last] * size,
                    some, out);
        first += some;
        out += some;
        n -= some;
    }
}

float
altclip_stored_tensor_get_step (const AltclipStoredTensor *tensor, guint64 row)
{
    float step = 1.0f;

    if (tensor->steps)
        read_f32 (tensor->steps + row * sizeof step, 1, &step);
    return step;
}

/* Elements @first to @first + @n as they were read, times the steps of their rows. */
static void
multiply_by_steps (const AltclipStoredTensor *tensor, guint64 first, guint64 n, float *out)
{
    guint64 width = tensor->n_elements / tensor->dims[0];

    while (n > 0) {
        float step = altclip_stored_tensor_get_step (tensor, first / width);
        guint64 some = MIN (n, width - first % width);

        for (guint64 i = 0; i < some; i++)
            out[i] *= step;
        first += some;
        out += some;
        n -= some;
    }
}

void
altclip_stored_tensor_read (const AltclipStoredTensor *tensor, guint64 first, guint64 n, float *out)
{
    g_assert (n <= tensor->n_elements && first <= tensor->n_elements - n);
    if (tensor->is_strided)
        read_strided (tensor, first, n, out);
    else
        read_elements (tensor->dtype, tensor->data + first * DTYPES[tensor->dtype].size, n, out);
    if (tensor->steps && n > 0)
        multiply_by_steps (tensor, first, n, out);
}

AltclipStoredTensor
altclip_stored_tensor_of_matrix (const float *matrix, guint rows, guint columns)
{
    guint64 n = (guint64)rows * columns;

    return (AltclipStoredTensor){ .dtype = ALTCLIP_DTYPE_F32,
        .n_dims = 2,
        .dims = { rows, columns },
        .n_elements = n,
        .data = (const guint8 *)matrix,
        .n_bytes = n * sizeof (float) };
}

char *
altclip_shape_to_string (const guint64 *dims, guint n_dims)
{
    GString *text = g_string_new ("[");

    for (guint i = 0; i < n_dims; i++)
        g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i ? ", " : "", dims[i]);
    g_string_append_c (text, ']');
    return g_string_free (text, FALSE);
}

/* ---- In memory ------------------------------------------------------------------------------- */

static void
tensor_free (gpointer data)
{
    AltclipTensor *tensor = data;

    g_free (tensor->name);
    g_free (tensor->data);
    g_free (tensor);
}

GPtrArray *
altclip_tensors_new (void)
{
    return g_ptr_array_new_with_free_func (tensor_free);
}

gsize
altclip_tensor_get_n_elements (const AltclipTensor *tensor)
{
    gsize n = 1;

    for (guint i = 0; i < tensor->n_dims; i++)
        n *= tensor->dims[i];
    return n;
}

static AltclipTensor *
tensor_new (const char *name, gboolean is_int64, guint n_dims, const guint64 *dims)
{
    AltclipTensor *tensor = g_new0 (AltclipTensor, 1);

    g_assert (n_dims <= G_N_ELEMENTS (tensor->dims));
    tensor->name = g_strdup (name);
    tensor->is_int64 = is_int64;
    tensor->n_dims = n_dims;
    for (guint i = 0; i < n_dims; i++)
        tensor->dims[i] = dims[i];
    return tensor;
}

void *
altclip_tensors_try_add (
        GPtrArray *tensors, const char *name, gboolean is_int64, guint n_dims, const guint64 *dims)
{
    gsize n_bytes = is_int64 ? sizeof (gint64) : sizeof (float);
    AltclipTensor *tensor;
    void *data;

    for (guint i = 0; i < n_dims; i++) {
        if (!g_size_checked_mul (&n_bytes, n_bytes, dims[i]))
            return NULL;
    }
    data = g_try_malloc0 (MAX (n_bytes, 1));
    if (!data)
        return NULL;
    tensor = tensor_new (name, is_int64, n_dims, dims);
    tensor->data = data;
    g_ptr_array_add (tensors, tensor);
    return data;
}

void *
altclip_tensors_add (
        GPtrArray *tensors, const char *name, gboolean is_int64, guint n_dims, const guint64 *dims)
{
    void *data = altclip_tensors_try_add (tensors, name, is_int64, n_dims, dims);

    if (!data)
        g_error ("altclip: out of memory for tensor '%s'", name);
    return data;
}

void
altclip_tensors_add_outline (
        GPtrArray *tensors, const char *name, gboolean is_int64, guint n_dims, const guint64 *dims)
{
    g_ptr_array_add (tensors, tensor_new (name, is_int64, n_dims, dims));
}
