/* altclip: activation functions and the exponential they share with the softmax
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "activation.h"
#include "float_order.h"
#include "moments.h"

#include <math.h>
#include <string.h>

/* Constants of the reference's formulas: √(2/π) of gelu_new, and selu's two. */
#define SQRT_2_OVER_PI 0.7978845608028654
#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_SCALE 1.0507009873554804934193349852946

gboolean
altclip_activation_from_name (const char *name, AltclipActivation *activation)
{
    static const struct {
        const char *name;
        AltclipActivation activation;
    } names[] = {
        { "gelu", ALTCLIP_ACTIVATION_GELU },
        { "gelu_new", ALTCLIP_ACTIVATION_GELU_TANH },
        { "gelu_pytorch_tanh", ALTCLIP_ACTIVATION_GELU_TANH },
        { "quick_gelu", ALTCLIP_ACTIVATION_QUICK_GELU },
        { "relu", ALTCLIP_ACTIVATION_RELU },
        { "silu", ALTCLIP_ACTIVATION_SILU },
        { "swish", ALTCLIP_ACTIVATION_SILU },
        { "selu", ALTCLIP_ACTIVATION_SELU },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        if (strcmp (name, names[i].name) == 0) {
            *activation = names[i].activation;
            return TRUE;
        }
    }
    return FALSE;
}

/* eˣ by x = n·ln 2 + r with |r| ≤ ln 2 / 2 and a polynomial in r (the minimax one of Cephes' expf,
 * summed by pairs so that few steps wait for each other),
 * within 2 ulp; infinite from 127.5 · ln 2 = 88.4 on, 0 below −87.7; of what is no number,
 * anything. Without branches or calls, so that the compiler vectorises the loops around it, and
 * with choices among integers alone: it would follow those among floats separately. */
ALTCLIP_VECTOR_LOOP float
exp_f32 (float x)
{
    const float magic = 0x1.8p23f; /* adding it leaves the nearest integer in the lower bits */
    gint32 sign = altclip_float_get_bits (x) & G_MININT32;
    gint32 magnitude = altclip_float_get_bits (x) & G_MAXINT32;
    float clamped = altclip_float_of_bits (MIN (magnitude, altclip_float_get_bits (88.5f)) | sign);
    float rounded = clamped * 1.44269504088896341f + magic;
    float n = rounded - magic;
    float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
    float square = r * r;
    float p = (1.9875691500e-4f * r + 1.3981999507e-3f) * square;
    gint32 exponent = altclip_float_get_bits (rounded) - altclip_float_get_bits (magic) + 127;

    p = (p + (8.3334519073e-3f * r + 4.1665795894e-2f)) * square;
    p = (p + (1.6666665459e-1f * r + 5.0000001201e-1f)) * square + r + 1.0f;
    return p * altclip_float_of_bits (MAX (exponent, 0) << 23);
}

/* x · sigmoid (a·x): silu is a = 1, quick_gelu a = 1.702. */
ALTCLIP_VECTOR_LOOP void
apply_sigmoid_loop (float *x, gsize n, float a)
{
    for (gsize i = 0; i < n; i++)
        x[i] = x[i] / (1.0f + exp_f32 (-a * x[i]));
}

/* x/2 · (1 + tanh u) = x · sigmoid (2u), with u = a · (x + 0.044715·x³). */
ALTCLIP_VECTOR_LOOP void
apply_gelu_tanh_loop (float *x, gsize n, float a)
{
    for (gsize i = 0; i < n; i++) {
        float u = a * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
        x[i] = x[i] / (1.0f + exp_f32 (-2.0f * u));
    }
}

/* Where a score is infinite or no number, all become none; but −∞ may be beside others. */
ALTCLIP_VECTOR_LOOP void
apply_softmax_loop (float *x, gsize n, float scale)
{
    AltclipFloatRange range = altclip_float_range_find (x, n, 0.0f);
    float share;

    for (gsize i = 0; i < n; i++)
        x[i] = exp_f32 ((x[i] - range.largest) * scale);
    share = 1.0f / altclip_row_sum (x, n);
    if (!isfinite (range.largest) || isnan (range.least))
        share = NAN;
    for (gsize i = 0; i < n; i++)
        x[i] *= share;
}

ALTCLIP_DEFINE_FOR_WIDTHS (apply_sigmoid, (float *x, gsize n, float a), (x, n, a))
ALTCLIP_DEFINE_FOR_WIDTHS (apply_gelu_tanh, (float *x, gsize n, float a), (x, n, a))
ALTCLIP_DEFINE_FOR_WIDTHS (apply_softmax, (float *x, gsize n, float scale), (x, n, scale))

static void
apply_gelu (float *x, gsize n)
{
    for (gsize i = 0; i < n; i++)
        x[i] = 0.5f * x[i] * (1.0f + erff (x[i] * (float)G_SQRT2 * 0.5f));
}

static void
apply_relu (float *x, gsize n)
{
    for (gsize i = 0; i < n; i++)
        x[i] = x[i] < 0.0f ? 0.0f : x[i]; /* what is no number stays none */
}

static void
apply_exact (AltclipActivation activation, float *x, gsize n)
{
    for (gsize i = 0; i < n; i++)
        x[i] = (float)altclip_activation_exact (activation, x[i]);
}

void
altclip_activation_apply (AltclipActivation activation, float *x, gsize n)
{
    switch (activation) {
    case ALTCLIP_ACTIVATION_NONE:
        break;
    case ALTCLIP_ACTIVATION_GELU:
        apply_gelu (x, n);
        break;
    case ALTCLIP_ACTIVATION_GELU_TANH:
        apply_gelu_tanh (x, n, (float)SQRT_2_OVER_PI);
        break;
    case ALTCLIP_ACTIVATION_QUICK_GELU:
        apply_sigmoid (x, n, 1.702f);
        break;
    case ALTCLIP_ACTIVATION_RELU:
        apply_relu (x, n);
        break;
    case ALTCLIP_ACTIVATION_SILU:
        apply_sigmoid (x, n, 1.0f);
        break;
    case ALTCLIP_ACTIVATION_SELU:
        apply_exact (activation, x, n);
        break;
    }
}

double
altclip_activation_exact (AltclipActivation activation, double x)
{
    switch (activation) {
    case ALTCLIP_ACTIVATION_NONE:
        break;
    case ALTCLIP_ACTIVATION_GELU:
        return 0.5 * x * (1.0 + erf (x / G_SQRT2));
    case ALTCLIP_ACTIVATION_GELU_TANH:
        return 0.5 * x * (1.0 + tanh (SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
    case ALTCLIP_ACTIVATION_QUICK_GELU:
        return x / (1.0 + exp (-1.702 * x));
    case ALTCLIP_ACTIVATION_RELU:
        return x < 0.0 ? 0.0 : x;
    case ALTCLIP_ACTIVATION_SILU:
        return x / (1.0 + exp (-x));
    case ALTCLIP_ACTIVATION_SELU:
        return SELU_SCALE * (x > 0.0 ? x : SELU_ALPHA * expm1 (x));
    }
    return x;
}

void
altclip_softmax (float *x, gsize n, float scale)
{
    apply_softmax (x, n, scale);
}
