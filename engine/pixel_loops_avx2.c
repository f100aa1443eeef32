/* altclip: the loops over pixels, for AVX2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each loop takes whole vectors as long as there are some, and leaves the rest to plain C. The
 * library is built for the oldest CPU of its architecture: what is here is called on newer ones
 * only.
 */

#include "pixel_loops.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__ ((target ("avx2")))
/* What clang does unasked. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma ("GCC unroll 8")
#endif

#define ROUNDING (1 << (ALTCLIP_AXIS_PRECISION - 1))
#define PLAIN ALTCLIP_PIXEL_LOOPS_PLAIN

static gboolean
is_supported (void)
{
    return __builtin_cpu_supports ("avx2");
}

TARGET static inline __m256i
load (const void *from)
{
    return _mm256_loadu_si256 (from);
}

TARGET static inline void
store (void *to, __m256i value)
{
    _mm256_storeu_si256 (to, value);
}

/* high · 2^shift + low, as integers of 32 bits go round. */
TARGET static inline __m256i
join (__m256i high, __m256i low, __m128i shift)
{
    return _mm256_add_epi32 (_mm256_sll_epi32 (high, shift), low);
}

/* ---- Along a row ----------------------------------------------------------------------------- */

/* With the higher parts of taps alone an output takes half of the multiplications, and is known to
 * be right, but for one in a hundred. Those are put on a list, without a branch that nobody can
 * foresee, and computed again. */

/* Eight outputs of each plane. */
typedef struct {
    gsize first;
    guint doubts; /* bit 8 · plane + output is set where it has to be computed again */
} Eight;

/* So many are put on the list at most. */
#define N_LISTED 64

/* Output @i of a plane, with all bits of the taps. */
TARGET static guint8
resample_exactly (const AltclipAxis *axis, gsize i, const gint16 *x)
{
    const gint16 *highs = axis->high + i * axis->n_taps;
    const gint16 *lows = axis->low + i * axis->n_taps;
    __m128i shift = _mm_cvtsi32_si128 ((int)axis->shift);
    __m128i high = _mm_setzero_si128 ();
    __m128i low = _mm_setzero_si128 ();
    __m128i sums;
    gint32 sum;

    x += axis->start[i];
    for (guint j = 0; j < axis->n_taps; j += 8) {
        __m128i inputs = _mm_loadu_si128 ((const __m128i *)(x + j));
        __m128i high_taps = _mm_loadu_si128 ((const __m128i *)(highs + j));
        __m128i low_taps = _mm_loadu_si128 ((const __m128i *)(lows + j));

        high = _mm_add_epi32 (high, _mm_madd_epi16 (inputs, high_taps));
        low = _mm_add_epi32 (low, _mm_madd_epi16 (inputs, low_taps));
    }
    sums = _mm_add_epi32 (_mm_sll_epi32 (high, shift), low);
    sums = _mm_add_epi32 (sums, _mm_shuffle_epi32 (sums, 0x4E));
    sums = _mm_add_epi32 (sums, _mm_shuffle_epi32 (sums, 0xB1));
    sum = (_mm_cvtsi128_si32 (sums) + ROUNDING) >> ALTCLIP_AXIS_PRECISION;
    return (guint8)CLAMP (sum, 0, 255);
}

TARGET static inline __m256i
multiply_eight (const gint16 *x, __m128i taps)
{
    return _mm256_zextsi128_si256 (_mm_madd_epi16 (_mm_loadu_si128 ((const __m128i *)x), taps));
}

/* One output of each plane: eight sums. @n_planes and @n_blocks: constants, so that all stays in
 * registers, and taps are loaded once for all planes.
 *
 * @taps: [n_blocks, 8]
 * @out: (out): [n_planes] */
TARGET static inline __attribute__ ((always_inline)) void
multiply (gsize start, const gint16 *taps, guint n_planes, guint n_blocks,
        const gint16 *const planes[3], __m256i out[3])
{
    guint last = n_blocks - 1;

    UNROLL
    for (guint c = 0; c < n_planes; c++)
        out[c] = _mm256_setzero_si256 ();
    UNROLL
    for (guint j = 0; j + 1 < n_blocks; j += 2) {
        __m256i two = load (taps + 8 * j);

        UNROLL
        for (guint c = 0; c < n_planes; c++)
            out[c] = _mm256_add_epi32 (
                    out[c], _mm256_madd_epi16 (load (planes[c] + start + 8 * j), two));
    }
    if (n_blocks % 2) {
        __m128i one = _mm_loadu_si128 ((const __m128i *)(taps + 8 * last));

        UNROLL
        for (guint c = 0; c < n_planes; c++)
            out[c] = _mm256_add_epi32 (out[c], multiply_eight (planes[c] + start + 8 * last, one));
    }
}

/* Four outputs of each plane, joined as soon as may be: there are 16 registers.
 *
 * @out: (out): [n_planes]: in each half a part of the four sums */
TARGET static inline __attribute__ ((always_inline)) void
multiply_four (const guint *start, const gint16 *taps, guint n_planes, guint n_blocks,
        const gint16 *const planes[3], __m256i out[3])
{
    __m256i ones[2][3];
    __m256i pairs[2][3];

    UNROLL
    for (gsize k = 0; k < 2; k++) {
        UNROLL
        for (gsize i = 0; i < 2; i++)
            multiply (start[2 * k + i], taps + (2 * k + i) * n_blocks * 8, n_planes, n_blocks,
                    planes, ones[i]);
        UNROLL
        for (guint c = 0; c < n_planes; c++)
            pairs[k][c] = _mm256_hadd_epi32 (ones[0][c], ones[1][c]);
    }
    UNROLL
    for (guint c = 0; c < n_planes; c++)
        out[c] = _mm256_hadd_epi32 (pairs[0][c], pairs[1][c]);
}

/* Two such fours → the eight sums */
TARGET static inline __m256i
join_halves (__m256i first, __m256i second)
{
    return _mm256_add_epi32 (_mm256_permute2x128_si256 (first, second, 0x20),
            _mm256_permute2x128_si256 (first, second, 0x31));
}

/* → the lower 8 bytes */
TARGET static inline __m128i
to_eight_bytes (__m256i values)
{
    __m128i words =
            _mm_packs_epi32 (_mm256_castsi256_si128 (values), _mm256_extracti128_si256 (values, 1));

    return _mm_packus_epi16 (words, words);
}

/* What of an axis and a row is the same for all outputs; values, which no store can change. */
typedef struct {
    const AltclipAxis *axis;
    const gint16 *planes[3];
    gsize n;
    gsize n_taps;
    const guint *start;
    const gint16 *taps;
    const gint32 *least;
    const gint32 *most;
    __m128i precision;
} Row;

TARGET static inline Row
get_row (const AltclipAxis *axis, const gint16 *x)
{
    gsize step = axis->in_count + axis->n_taps;

    return (Row){ axis, { x, x + step, x + 2 * step }, axis->n, axis->n_taps, axis->start,
        axis->high, axis->least, axis->most,
        _mm_cvtsi32_si128 (ALTCLIP_AXIS_PRECISION - (int)axis->shift) };
}

/* Outputs @i to before i + 8, of which the first @n are put out. Returns: which are in doubt */
TARGET static inline __attribute__ ((always_inline)) guint
resample_eight (const Row *row, guint n_planes, guint n_blocks, gsize i, gsize n, guint8 *out)
{
    const guint *start = row->start + i;
    const gint16 *taps = row->taps + i * row->n_taps;
    __m256i least = load (row->least + i);
    __m256i most = load (row->most + i);
    __m256i fours[2][3];
    guint sure = 0;

    multiply_four (start, taps, n_planes, n_blocks, row->planes, fours[0]);
    multiply_four (start + 4, taps + 4 * row->n_taps, n_planes, n_blocks, row->planes, fours[1]);
    UNROLL
    for (guint c = 0; c < n_planes; c++) {
        __m256i sums = join_halves (fours[0][c], fours[1][c]);
        __m256i lowest = _mm256_sra_epi32 (_mm256_add_epi32 (sums, least), row->precision);
        __m256i highest = _mm256_sra_epi32 (_mm256_add_epi32 (sums, most), row->precision);
        __m256i same = _mm256_cmpeq_epi32 (lowest, highest);
        __m128i bytes = to_eight_bytes (lowest);

        sure |= (guint)_mm256_movemask_ps (_mm256_castsi256_ps (same)) << 8 * c;
        if (n == 8)
            _mm_storel_epi64 ((__m128i *)(out + c * row->n), bytes);
        else
            memcpy (out + c * row->n, &bytes, n);
    }
    return sure ^ ((1u << 8 * n_planes) - 1);
}

TARGET static void
settle (const Row *row, const Eight *list, guint n_listed, guint8 *out)
{
    for (const Eight *eight = list; eight < list + n_listed; eight++)
        for (guint left = eight->doubts; left; left &= left - 1) {
            guint bit = (guint)__builtin_ctz (left);
            gsize i = eight->first + bit % 8;
            guint c = bit / 8;

            /* What is padded may come out as anything. */
            if (i < row->n)
                out[c * row->n + i] = resample_exactly (row->axis, i, row->planes[c]);
        }
}

TARGET static inline __attribute__ ((always_inline)) void
resample_planes (
        const AltclipAxis *axis, guint n_planes, guint n_blocks, const gint16 *x, guint8 *out)
{
    Row row = get_row (axis, x);
    gsize n_whole = row.n / 8 * 8;
    Eight list[N_LISTED];
    guint n_listed = 0;

    for (gsize i = 0; i < n_whole; i += 8) {
        guint doubts = resample_eight (&row, n_planes, n_blocks, i, 8, out + i);

        list[n_listed] = (Eight){ i, doubts };
        n_listed += doubts != 0;
        if (n_listed == N_LISTED) {
            settle (&row, list, n_listed, out);
            n_listed = 0;
        }
    }
    settle (&row, list, n_listed, out);
    if (n_whole == row.n)
        return;
    list[0].first = n_whole;
    list[0].doubts =
            resample_eight (&row, n_planes, n_blocks, n_whole, row.n - n_whole, out + n_whole);
    settle (&row, list, 1, out);
}

TARGET static void
resample_one_plane (const AltclipAxis *axis, const gint16 *x, guint8 *out)
{
    resample_planes (axis, 1, axis->n_taps / ALTCLIP_AXIS_TAP_BLOCK, x, out);
}

/* Bicubic to 224 from 720 rows takes 2 blocks, from 1080 three, from 2160 five. */
TARGET static void
resample_three_planes (const AltclipAxis *axis, const gint16 *x, guint8 *out)
{
    switch (axis->n_taps / ALTCLIP_AXIS_TAP_BLOCK) {
    case 1:
        resample_planes (axis, 3, 1, x, out);
        break;
    case 2:
        resample_planes (axis, 3, 2, x, out);
        break;
    case 3:
        resample_planes (axis, 3, 3, x, out);
        break;
    default:
        resample_planes (axis, 3, axis->n_taps / ALTCLIP_AXIS_TAP_BLOCK, x, out);
    }
}

static void
resample_row (const AltclipAxis *axis, guint n_planes, const gint16 *x, guint8 *out)
{
    if (n_planes == 3)
        resample_three_planes (axis, x, out);
    else
        resample_one_plane (axis, x, out);
}

/* ---- Along columns --------------------------------------------------------------------------- */

/* Two taps that lie side by side. */
TARGET static inline __m256i
load_pair (const gint16 *taps)
{
    gint32 pair;

    memcpy (&pair, taps, sizeof pair);
    return _mm256_set1_epi32 (pair);
}

/* 32-bit elements 0 to 3 and 8 to 11, and 4 to 7 and 12 to 15 of 16: what unpacking makes of them,
 * and packing puts in order again. */
typedef struct {
    __m256i lower;
    __m256i upper;
} Sixteen;

TARGET static inline Sixteen
interleave (__m256i first, __m256i second)
{
    return (Sixteen){ _mm256_unpacklo_epi16 (first, second),
        _mm256_unpackhi_epi16 (first, second) };
}

TARGET static inline void
accumulate (Sixteen *sums, Sixteen pairs, __m256i taps)
{
    sums->lower = _mm256_add_epi32 (sums->lower, _mm256_madd_epi16 (pairs.lower, taps));
    sums->upper = _mm256_add_epi32 (sums->upper, _mm256_madd_epi16 (pairs.upper, taps));
}

TARGET static inline __m256i
load_bytes (const guint8 *from)
{
    return _mm256_cvtepu8_epi16 (_mm_loadu_si128 ((const __m128i *)from));
}

/* 16 sums → as many words */
TARGET static inline __m256i
to_words (Sixteen high, Sixteen low, __m128i shift)
{
    __m256i rounding = _mm256_set1_epi32 (ROUNDING);
    __m256i lower = _mm256_add_epi32 (join (high.lower, low.lower, shift), rounding);
    __m256i upper = _mm256_add_epi32 (join (high.upper, low.upper, shift), rounding);

    return _mm256_packs_epi32 (_mm256_srai_epi32 (lower, ALTCLIP_AXIS_PRECISION),
            _mm256_srai_epi32 (upper, ALTCLIP_AXIS_PRECISION));
}

/* 16 columns, two rows at a time as pairs of 16 bits. The last of an odd number of rows has itself
 * for a partner, whose tap is of the padding, and 0. */
TARGET static inline void
resample_columns (const guint8 *rows, gsize stride, const gint16 *highs, const gint16 *lows,
        guint n, __m128i shift, guint8 *out)
{
    Sixteen high = { _mm256_setzero_si256 (), _mm256_setzero_si256 () };
    Sixteen low = { _mm256_setzero_si256 (), _mm256_setzero_si256 () };
    __m256i words;

    for (guint j = 0; j < n; j += 2, rows += 2 * stride) {
        Sixteen pairs =
                interleave (load_bytes (rows), load_bytes (rows + (j + 1 < n ? stride : 0)));

        accumulate (&high, pairs, load_pair (highs + j));
        accumulate (&low, pairs, load_pair (lows + j));
    }
    words = to_words (high, low, shift);
    _mm_storeu_si128 ((__m128i *)out,
            _mm_packus_epi16 (_mm256_castsi256_si128 (words), _mm256_extracti128_si256 (words, 1)));
}

TARGET static void
resample_rows (const AltclipAxis *axis, guint i, const guint8 *rows, gsize stride, gsize n,
        gint32 *sums, guint8 *out)
{
    const gint16 *highs = axis->high + (gsize)i * axis->n_taps;
    const gint16 *lows = axis->low + (gsize)i * axis->n_taps;
    const guint8 *first = rows + axis->start[i] * stride;
    __m128i shift = _mm_cvtsi32_si128 ((int)axis->shift);
    gsize k = 0;

    if (n < 16) {
        PLAIN.resample_rows (axis, i, rows, stride, n, sums, out);
        return;
    }
    for (; k + 16 <= n; k += 16)
        resample_columns (first + k, stride, highs, lows, axis->count[i], shift, out + k);
    if (k < n)
        resample_columns (first + n - 16, stride, highs, lows, axis->count[i], shift, out + n - 16);
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* The rest, from sample @done on. */
static void
unpack_rest (const guint8 *bytes, guint stride, guint n, guint done, gint16 *out)
{
    PLAIN.unpack (bytes + (gsize)done * stride, stride, n - done, out + done);
}

TARGET static void
unpack_every (const guint8 *bytes, guint n, gint16 *out)
{
    guint i = 0;

    for (; i + 16 <= n; i += 16)
        store (out + i, _mm256_cvtepu8_epi16 (_mm_loadu_si128 ((const __m128i *)(bytes + i))));
    unpack_rest (bytes, 1, n, i, out);
}

/* A vector has a byte more than the last sample: not at the end. */
TARGET static void
unpack_every_second (const guint8 *bytes, guint n, gint16 *out)
{
    __m256i lower = _mm256_set1_epi16 (0xFF);
    guint i = 0;

    for (; i + 16 < n; i += 16)
        store (out + i, _mm256_and_si256 (load (bytes + 2 * (gsize)i), lower));
    unpack_rest (bytes, 2, n, i, out);
}

/* Eight samples lie in 22 bytes, and the vectors have 24: not at the end. */
TARGET static void
unpack_every_third (const guint8 *bytes, guint n, gint16 *out)
{
    /* Samples 0 to 5 from byte 0 on, 6 and 7 from byte 8 on; −1: a zero byte. */
    const __m128i lower =
            _mm_setr_epi8 (0, -1, 3, -1, 6, -1, 9, -1, 12, -1, 15, -1, -1, -1, -1, -1);
    const __m128i upper =
            _mm_setr_epi8 (-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 10, -1, 13, -1);
    guint i = 0;

    for (; i + 8 < n; i += 8) {
        const guint8 *from = bytes + 3 * (gsize)i;
        __m128i first = _mm_loadu_si128 ((const __m128i *)from);
        __m128i second = _mm_loadu_si128 ((const __m128i *)(from + 8));
        _mm_storeu_si128 ((__m128i *)(out + i),
                _mm_or_si128 (_mm_shuffle_epi8 (first, lower), _mm_shuffle_epi8 (second, upper)));
    }
    unpack_rest (bytes, 3, n, i, out);
}

/* Vectors have three bytes more than the last sample: not at the end. */
TARGET static void
unpack_every_fourth (const guint8 *bytes, guint n, gint16 *out)
{
    __m256i lowest = _mm256_set1_epi32 (0xFF);
    guint i = 0;

    for (; i + 16 < n; i += 16) {
        __m256i first = _mm256_and_si256 (load (bytes + 4 * (gsize)i), lowest);
        __m256i second = _mm256_and_si256 (load (bytes + 4 * (gsize)i + 32), lowest);
        store (out + i, _mm256_permute4x64_epi64 (_mm256_packus_epi32 (first, second), 0xD8));
    }
    unpack_rest (bytes, 4, n, i, out);
}

static void
unpack (const guint8 *bytes, guint stride, guint n, gint16 *out)
{
    if (stride == 1)
        unpack_every (bytes, n, out);
    else if (stride == 2)
        unpack_every_second (bytes, n, out);
    else if (stride == 3)
        unpack_every_third (bytes, n, out);
    else if (stride == 4)
        unpack_every_fourth (bytes, n, out);
    else
        PLAIN.unpack (bytes, stride, n, out);
}

/* ---- Chroma ---------------------------------------------------------------------------------- */

/* Bytes → first · w + second · v − grey; @weights: (w, v) as bytes, again and again */
TARGET static inline void
blend_sixteen (__m256i first, __m256i second, __m256i weights, AltclipChroma *out)
{
    __m256i grey = _mm256_set1_epi16 (128 * ALTCLIP_CHROMA_ROW_UNITY);
    __m256i lower = _mm256_maddubs_epi16 (_mm256_unpacklo_epi8 (first, second), weights);
    __m256i upper = _mm256_maddubs_epi16 (_mm256_unpackhi_epi8 (first, second), weights);

    lower = _mm256_sub_epi16 (lower, grey);
    upper = _mm256_sub_epi16 (upper, grey);
    store (out, _mm256_permute2x128_si256 (lower, upper, 0x20));
    store (out + 8, _mm256_permute2x128_si256 (lower, upper, 0x31));
}

/* Sixteen samples of Cb and as many of Cr by turns, from where each has a plane of its own. */
TARGET static inline __m256i
load_planar (const guint8 *cb, const guint8 *cr)
{
    __m128i u = _mm_loadu_si128 ((const __m128i *)cb);
    __m128i v = _mm_loadu_si128 ((const __m128i *)cr);

    return _mm256_setr_m128i (_mm_unpacklo_epi8 (u, v), _mm_unpackhi_epi8 (u, v));
}

/* From where they lie by turns: Cb first, or Cr. */
TARGET static inline __m256i
load_by_turns (const guint8 *cb, const guint8 *cr)
{
    const __m256i swap = _mm256_setr_epi8 (1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14, 1,
            0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);

    return cb < cr ? load (cb) : _mm256_shuffle_epi8 (load (cr), swap);
}

static gboolean
is_by_turns (const guint8 *const samples[2], guint stride)
{
    return stride == 2 && (samples[1] == samples[0] + 1 || samples[0] == samples[1] + 1);
}

TARGET static void
blend_chroma (const guint8 *const first[2], const guint8 *const second[2], guint stride,
        guint weight, guint n, AltclipChroma *out)
{
    __m256i weights =
            _mm256_set1_epi16 ((gint16)(weight | (ALTCLIP_CHROMA_ROW_UNITY - weight) << 8));
    gboolean by_turns = is_by_turns (first, stride) && is_by_turns (second, stride);
    gsize i = 0;

    if (by_turns)
        for (; i + 16 <= n; i += 16)
            blend_sixteen (load_by_turns (first[0] + 2 * i, first[1] + 2 * i),
                    load_by_turns (second[0] + 2 * i, second[1] + 2 * i), weights, out + i);
    else if (stride == 1)
        for (; i + 16 <= n; i += 16)
            blend_sixteen (load_planar (first[0] + i, first[1] + i),
                    load_planar (second[0] + i, second[1] + i), weights, out + i);
    PLAIN.blend_chroma ((const guint8 *const[2]){ first[0] + i * stride, first[1] + i * stride },
            (const guint8 *const[2]){ second[0] + i * stride, second[1] + i * stride }, stride,
            weight, n - (guint)i, out + i);
}

/* Samples of one 128-bit half: columns 0 to 3 and 8 to 11 of 16, and 4 to 7 and 12 to 15. */
TARGET static inline Sixteen
interleave_chroma (__m256i even, __m256i odd)
{
    return (Sixteen){ _mm256_unpacklo_epi32 (even, odd), _mm256_unpackhi_epi32 (even, odd) };
}

/* @own: of the first column. Returns: chroma of 16 columns, pairs of 16 bits */
TARGET static inline __attribute__ ((always_inline)) Sixteen
spread (AltclipSiting siting, const AltclipChroma *own)
{
    __m256i samples = load (own);
    __m256i next = load (own + (siting == ALTCLIP_SITING_EACH ? 8 : 1));
    __m256i thrice;

    if (siting == ALTCLIP_SITING_EACH)
        return (Sixteen){ _mm256_slli_epi16 (_mm256_permute2x128_si256 (samples, next, 0x20), 2),
            _mm256_slli_epi16 (_mm256_permute2x128_si256 (samples, next, 0x31), 2) };
    if (siting == ALTCLIP_SITING_COSITED)
        return interleave_chroma (_mm256_slli_epi16 (samples, 2),
                _mm256_slli_epi16 (_mm256_add_epi16 (samples, next), 1));
    thrice = _mm256_add_epi16 (samples, _mm256_slli_epi16 (samples, 1));
    return interleave_chroma (
            _mm256_add_epi16 (load (own - 1), thrice), _mm256_add_epi16 (thrice, next));
}

/* ---- Colours --------------------------------------------------------------------------------- */

/* Each eight times; of chroma pairs of 16 bits. */
typedef struct {
    __m256i luma;
    __m256i offset;
    __m256i chroma[3];
} Factors;

TARGET static inline Factors
get_factors (const AltclipMatrix *matrix)
{
    Factors factors = { .luma = _mm256_set1_epi32 (matrix->luma),
        .offset = _mm256_set1_epi32 (matrix->offset) };

    for (guint k = 0; k < 3; k++)
        factors.chroma[k] =
                _mm256_set1_epi32 ((gint32)((guint32)(guint16)matrix->primaries[k].cb |
                                            (guint32)(guint16)matrix->primaries[k].cr << 16));
    return factors;
}

TARGET static inline __m256i
mix_eight (__m256i luma, __m256i chroma, __m256i factors)
{
    return _mm256_srai_epi32 (
            _mm256_add_epi32 (luma, _mm256_madd_epi16 (chroma, factors)), ALTCLIP_MATRIX_PRECISION);
}

TARGET static inline __attribute__ ((always_inline)) void
mix_sixteen (const Factors *factors, Sixteen chroma, __m256i luma, guint i, gint16 *const out[3])
{
    Sixteen y = interleave (luma, _mm256_setzero_si256 ());

    y.lower = _mm256_add_epi32 (_mm256_mullo_epi32 (y.lower, factors->luma), factors->offset);
    y.upper = _mm256_add_epi32 (_mm256_mullo_epi32 (y.upper, factors->luma), factors->offset);
    UNROLL
    for (guint k = 0; k < 3; k++) {
        /* What is below 0 becomes that, and what is above 255 stays so. */
        __m256i words = _mm256_packus_epi32 (mix_eight (y.lower, chroma.lower, factors->chroma[k]),
                mix_eight (y.upper, chroma.upper, factors->chroma[k]));
        store (out[k] + i, _mm256_min_epu16 (words, _mm256_set1_epi16 (255)));
    }
}

/* @n: even. The last sixteen columns begin with a pair, and may come twice.
 *
 * @siting, @is_bytes: constants */
TARGET static inline __attribute__ ((always_inline)) void
mix_columns (const AltclipMatrix *matrix, AltclipSiting siting, gboolean is_bytes, AltclipLuma luma,
        const AltclipChroma *chroma, guint n, gint16 *const out[3])
{
    guint shift = siting == ALTCLIP_SITING_EACH ? 0 : 1;
    Factors factors = get_factors (matrix);

    for (guint i = 0; i < n; i += 16) {
        i = MIN (i, n - 16);
        mix_sixteen (&factors, spread (siting, chroma + 1 + (i >> shift)),
                is_bytes ? load_bytes (luma.bytes + i) : load (luma.words + i), i, out);
    }
}

TARGET static inline __attribute__ ((always_inline)) void
mix_luma (const AltclipMatrix *matrix, AltclipSiting siting, gboolean is_bytes, AltclipLuma luma,
        const AltclipChroma *chroma, guint n, gint16 *const out[3])
{
    if (siting == ALTCLIP_SITING_EACH)
        mix_columns (matrix, ALTCLIP_SITING_EACH, is_bytes, luma, chroma, n, out);
    else if (siting == ALTCLIP_SITING_COSITED)
        mix_columns (matrix, ALTCLIP_SITING_COSITED, is_bytes, luma, chroma, n, out);
    else
        mix_columns (matrix, ALTCLIP_SITING_CENTRED, is_bytes, luma, chroma, n, out);
}

/* The last of an odd number of columns is left to plain C. */
TARGET static void
mix (const AltclipMatrix *matrix, AltclipSiting siting, AltclipLuma luma,
        const AltclipChroma *chroma, guint n, gint16 *const out[3])
{
    guint done = n < 16 ? 0 : n / 2 * 2;
    AltclipLuma rest = { luma.bytes ? luma.bytes + done : NULL,
        luma.bytes ? NULL : luma.words + done };

    if (done > 0 && luma.bytes)
        mix_luma (matrix, siting, TRUE, luma, chroma, done, out);
    else if (done > 0)
        mix_luma (matrix, siting, FALSE, luma, chroma, done, out);
    PLAIN.mix (matrix, siting, rest, chroma + (siting == ALTCLIP_SITING_EACH ? done : done / 2),
            n - done, (gint16 *const[3]){ out[0] + done, out[1] + done, out[2] + done });
}

const AltclipPixelLoops ALTCLIP_PIXEL_LOOPS_AVX2 = {
    .name = "avx2",
    .is_supported = is_supported,
    .resample_row = resample_row,
    .resample_rows = resample_rows,
    .unpack = unpack,
    .blend_chroma = blend_chroma,
    .mix = mix,
};

#endif
