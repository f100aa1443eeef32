/* altclip: random numbers for weights
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Box and Muller's method on the bits that splitmix64 (Steele, Lea, Flood, 2014) makes of a
 * counter. The functions in between are polynomials, and every operation is one that IEEE 754
 * defines to the last bit; there is no branch, so that compilers make vectors of the loops.
 */

#include "random.h"

#include <math.h>
#include <string.h>

#define GOLDEN_RATIO G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)

/* Pairs that are computed together. */
#define BLOCK 64

/* The bits of √½, and of 1.0 and 2^52, whose mantissa an integer can be put into. */
#define SQRT_HALF_BITS G_GUINT64_CONSTANT (0x3fe6a09e667f3bcd)
#define ONE_BITS G_GUINT64_CONSTANT (0x3ff0000000000000)
#define TWO52_BITS G_GUINT64_CONSTANT (0x4330000000000000)
#define MANTISSA_BITS G_GUINT64_CONSTANT (0x000fffffffffffff)

static inline guint64
mix (guint64 x)
{
    x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
    return x ^ (x >> 31);
}

guint64
altclip_random_get_key (guint64 seed, guint64 index)
{
    return mix (mix (seed + GOLDEN_RATIO) + (index + 1) * GOLDEN_RATIO);
}

static inline double
double_of (guint64 bits)
{
    double value;

    memcpy (&value, &bits, sizeof value);
    return value;
}

static inline guint64
bits_of (double value)
{
    guint64 bits;

    memcpy (&bits, &value, sizeof bits);
    return bits;
}

/* ln x, for a normal x > 0: with x = 2^e · m, m from √½ to √2, and s = (m − 1) / (m + 1), it is
 * e · ln 2 + 2 artanh s. */
static inline double
logarithm (double x)
{
    guint64 bits = bits_of (x) + (ONE_BITS - SQRT_HALF_BITS);
    double e = double_of (TWO52_BITS | (bits >> 52)) - (0x1p52 + 1023.0);
    double m = double_of (SQRT_HALF_BITS + (bits & MANTISSA_BITS));
    double s = (m - 1.0) / (m + 1.0);
    double z = s * s;
    double p = 1.0 / 15.0;

    p = p * z + 1.0 / 13.0;
    p = p * z + 1.0 / 11.0;
    p = p * z + 1.0 / 9.0;
    p = p * z + 1.0 / 7.0;
    p = p * z + 1.0 / 5.0;
    p = p * z + 1.0 / 3.0;
    return e * G_LN2 + 2.0 * s * (1.0 + z * p);
}

/* Taylor's series, for |t| ≤ π/4. */
static inline double
sine (double t)
{
    double z = t * t;
    double p = -1.0 / 39916800.0;

    p = p * z + 1.0 / 362880.0;
    p = p * z - 1.0 / 5040.0;
    p = p * z + 1.0 / 120.0;
    p = p * z - 1.0 / 6.0;
    return t + t * z * p;
}

static inline double
cosine (double t)
{
    double z = t * t;
    double p = 1.0 / 479001600.0;

    p = p * z - 1.0 / 3628800.0;
    p = p * z + 1.0 / 40320.0;
    p = p * z - 1.0 / 720.0;
    p = p * z + 1.0 / 24.0;
    p = p * z - 0.5;
    return 1.0 + z * p;
}

/* The upper 32 bits make the radius; the lower ones a place in one quarter of the circle, which a
 * mirror and a sign carry to the other three. */
static void
fill_pairs (const guint64 *bits, double deviation, float *x, float *y)
{
    for (guint i = 0; i < BLOCK; i++) {
        guint64 mirror = (bits[i] >> 30) & 1;
        guint64 sign = (bits[i] >> 31) << 63;
        double uniform = 2.0 - double_of (ONE_BITS | (bits[i] >> 32 << 20)); /* (0, 1] */
        double radius = deviation * sqrt (-2.0 * logarithm (uniform));
        double turn = double_of (ONE_BITS | ((bits[i] & 0x3fffffff) << 22)) - 1.5;
        double t = turn * G_PI_2;
        double c = cosine (t);
        double s = sine (t);
        double swap = double_of ((0 - mirror) & ONE_BITS) * (s - c);

        radius = double_of (bits_of (radius) ^ sign);
        x[i] = (float)(radius * (c + swap));
        y[i] = (float)(radius * (s - swap));
    }
}

void
altclip_random_fill_normal (guint64 key, guint64 first, gsize n, double deviation, float *out)
{
    guint64 pair = first / 2;

    for (gsize at = 0; at < n; at += 2 * BLOCK) {
        gsize n_pairs = MIN (BLOCK, (n - at + 1) / 2);
        guint64 bits[BLOCK];
        float x[BLOCK];
        float y[BLOCK];

        for (guint i = 0; i < BLOCK; i++)
            bits[i] = mix (key + ++pair * GOLDEN_RATIO);
        fill_pairs (bits, deviation, x, y);
        for (gsize i = 0; i < n_pairs; i++) {
            out[at + 2 * i] = x[i];
            if (at + 2 * i + 1 < n)
                out[at + 2 * i + 1] = y[i];
        }
    }
}
