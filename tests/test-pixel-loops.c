/* altclip: each set of the loops over pixels against plain C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inputs lie at the end of what is allocated, so that memory checkers see who reads on, and what
 * lies behind the outputs is looked at.
 */

#include "pixel_loops.h"

#include <string.h>

#define MOST 100
#define MARGIN 64
#define MARK 0x5A

static const AltclipPixelLoops *const plain = &ALTCLIP_PIXEL_LOOPS_PLAIN;

/* Random bytes, the largest and the smallest among them. */
static gpointer
new_bytes (gsize n)
{
    guint8 *bytes = g_malloc (n);

    for (gsize i = 0; i < n; i++) {
        guint kind = g_test_rand_int_range (0, 8);
        bytes[i] = kind == 0 ? 0 : kind == 1 ? 255 : (guint8)g_test_rand_int ();
    }
    return bytes;
}

/* Words up to @limit. */
static guint16 *
new_words (gsize n, guint limit)
{
    guint16 *words = new_bytes (n * sizeof words[0]);

    for (gsize i = 0; i < n; i++)
        words[i] = words[i] % 7 == 0 ? (guint16)limit : (guint16)(words[i] % (limit + 1));
    return words;
}

/* Two outputs of @n bytes, with a margin behind each. */
typedef struct {
    guint8 *expected;
    guint8 *found;
    gsize n;
} Outputs;

static Outputs
outputs_new (gsize n)
{
    Outputs outputs = { g_malloc (n + MARGIN), g_malloc (n + MARGIN), n };

    memset (outputs.expected, MARK, n + MARGIN);
    memset (outputs.found, MARK, n + MARGIN);
    return outputs;
}

static void
outputs_check (Outputs *outputs)
{
    g_assert_cmpmem (outputs->found, outputs->n + MARGIN, outputs->expected, outputs->n + MARGIN);
    g_free (outputs->expected);
    g_free (outputs->found);
}

static AltclipAxis
new_axis (guint in_size, guint full_size, guint out_size, AltclipResample resample)
{
    AltclipAxis axis = { 0 };

    altclip_axis_set_sizes (&axis, in_size, full_size, out_size);
    altclip_axis_compute (&axis, resample);
    return axis;
}

static void
check_row (const AltclipPixelLoops *loops, const AltclipAxis *axis, guint n_planes)
{
    gsize n_inputs = (axis->in_count + axis->n_taps) * (gsize)n_planes;
    g_autofree gint16 *x = (gint16 *)new_words (n_inputs, 255);
    Outputs outputs = outputs_new ((gsize)axis->n * n_planes);

    plain->resample_row (axis, n_planes, x, outputs.expected);
    loops->resample_row (axis, n_planes, x, outputs.found);
    outputs_check (&outputs);
}

static void
check_rows (const AltclipPixelLoops *loops, const AltclipAxis *axis, gsize n)
{
    g_autofree guint8 *rows = new_bytes (axis->in_count * n);
    g_autofree gint32 *sums = g_new (gint32, n);

    for (guint i = 0; i < axis->n; i++) {
        Outputs outputs = outputs_new (n);

        plain->resample_rows (axis, i, rows, n, n, sums, outputs.expected);
        loops->resample_rows (axis, i, rows, n, n, sums, outputs.found);
        outputs_check (&outputs);
    }
}

/* Filters of one tap to many, upwards and downwards, all of an axis or its middle. */
static void
test_resampling (gconstpointer data)
{
    static const guint sizes[][3] = { { 7, 7, 0 }, { 5, 40, 0 }, { 40, 5, 0 }, { 100, 37, 0 },
        { 64, 31, 16 }, { 500, 33, 25 }, { 1080, 24, 0 }, { 3000, 9, 8 }, { 1, 1, 0 },
        { 3, 12, 9 } };

    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
        for (guint resample = ALTCLIP_RESAMPLE_NEAREST; resample <= ALTCLIP_RESAMPLE_HAMMING;
                resample++) {
            AltclipAxis axis = new_axis (sizes[s][0], sizes[s][1], sizes[s][2], resample);

            check_row (data, &axis, 1);
            check_row (data, &axis, 3);
            for (gsize n = 1; n < 70; n += n < 20 ? 1 : 13)
                check_rows (data, &axis, n);
            altclip_axis_clear (&axis);
        }
}

/* Means of six that all end in a half, which no rounding may lose: 1,000 times three planes. */
static void
test_halves (gconstpointer data)
{
    const AltclipPixelLoops *loops = data;
    AltclipAxis axis = new_axis (6000, 1000, 0, ALTCLIP_RESAMPLE_BOX);
    gsize step = axis.in_count + axis.n_taps;
    g_autofree gint16 *x = g_new (gint16, 3 * step);
    Outputs outputs = outputs_new (3 * (gsize)axis.n);

    for (gsize i = 0; i < 3 * step; i++)
        x[i] = (gint16)(i % step / 6 % 200 + (i % step % 6 < 3));
    plain->resample_row (&axis, 3, x, outputs.expected);
    loops->resample_row (&axis, 3, x, outputs.found);
    outputs_check (&outputs);
    altclip_axis_clear (&axis);
}

static void
check_unpack (const AltclipPixelLoops *loops, guint stride, guint n)
{
    gsize n_bytes = (gsize)(n - 1) * stride + 1;
    g_autofree guint8 *bytes = new_bytes (n_bytes);
    Outputs outputs = outputs_new (n * sizeof (gint16));

    plain->unpack (bytes, stride, n, (gint16 *)outputs.expected);
    loops->unpack (bytes, stride, n, (gint16 *)outputs.found);
    outputs_check (&outputs);
}

/* @step: from Cb to Cr where they lie by turns; 0: each has a plane of its own */
static void
check_blend (const AltclipPixelLoops *loops, guint n, guint stride, gint step)
{
    gsize n_bytes = (gsize)(n - 1) * stride + 1 + (gsize)ABS (step);
    guint8 *bytes[4] = { new_bytes (n_bytes), new_bytes (n_bytes), new_bytes (n_bytes),
        new_bytes (n_bytes) };
    const guint8 *first[2] = { bytes[0] + MAX (-step, 0), bytes[0] + MAX (step, 0) };
    const guint8 *second[2] = { bytes[1] + MAX (-step, 0), bytes[1] + MAX (step, 0) };

    if (step == 0) {
        first[1] = bytes[2];
        second[1] = bytes[3];
    }
    for (guint weight = 0; weight <= 8; weight++) {
        Outputs outputs = outputs_new (n * sizeof (AltclipChroma));

        plain->blend_chroma (first, second, stride, weight, n, (AltclipChroma *)outputs.expected);
        loops->blend_chroma (first, second, stride, weight, n, (AltclipChroma *)outputs.found);
        outputs_check (&outputs);
    }
    for (guint i = 0; i < 4; i++)
        g_free (bytes[i]);
}

/* Samples of 8 to 11 bits, all that there are, and the largest and the smallest of them. */
static AltclipChroma *
new_chroma (gsize n, guint bits)
{
    gint grey = 1 << (bits - 1);
    AltclipChroma *row = new_bytes (n * sizeof row[0]);
    gint16 *values = &row[0].cb;

    for (gsize i = 0; i < 2 * n; i++) {
        gint kind = values[i] & 7;
        gint value = kind == 0 ? -grey : kind == 1 ? grey - 1 : (values[i] >> 3) % grey;
        values[i] = (gint16)(value * ALTCLIP_CHROMA_ROW_UNITY);
    }
    return row;
}

static void
check_mix_of (const AltclipPixelLoops *loops, const AltclipMatrix *matrix, AltclipSiting siting,
        guint n, guint bits)
{
    guint n_places = siting == ALTCLIP_SITING_EACH ? n : (n + 1) / 2;
    g_autofree guint16 *words = new_words (n, (1u << bits) - 1);
    g_autofree guint8 *bytes = new_bytes (n);
    const AltclipLuma luma = { bits == 8 ? bytes : NULL, bits == 8 ? NULL : words };
    g_autofree AltclipChroma *chroma = new_chroma (n_places + 2, bits);
    Outputs outputs[3];
    gint16 *expected[3];
    gint16 *found[3];

    for (guint k = 0; k < 3; k++) {
        outputs[k] = outputs_new (n * sizeof (gint16));
        expected[k] = (gint16 *)outputs[k].expected;
        found[k] = (gint16 *)outputs[k].found;
    }
    plain->mix (matrix, siting, luma, chroma, n, expected);
    loops->mix (matrix, siting, luma, chroma, n, found);
    for (guint k = 0; k < 3; k++)
        outputs_check (&outputs[k]);
}

/* BT.601 of 8 bits in limited range, that of 11 bits in full range, and larger factors than there
 * are. */
static void
check_mix (const AltclipPixelLoops *loops, guint n)
{
    static const AltclipMatrix limited = { 305242, -4752802,
        { { 0, 13074 }, { -3209, -6660 }, { 16525, 0 } } };
    static const AltclipMatrix deep = { 32656, 131072,
        { { 0, 1431 }, { -351, -729 }, { 1808, 0 } } };
    static const AltclipMatrix large = { 1023, 1 << 28,
        { { -16383, 16383 }, { 32767, 1 }, { 16383, 16383 } } };

    for (AltclipSiting siting = ALTCLIP_SITING_EACH; siting <= ALTCLIP_SITING_CENTRED; siting++) {
        check_mix_of (loops, &limited, siting, n, 8);
        check_mix_of (loops, &deep, siting, n, 11);
        check_mix_of (loops, &large, siting, n, 11);
    }
}

static void
test_samples (gconstpointer data)
{
    for (guint n = 1; n < MOST; n++) {
        for (guint stride = 1; stride <= 6; stride++)
            check_unpack (data, stride, n);
        check_blend (data, n, 1, 0);
        check_blend (data, n, 2, 1);
        check_blend (data, n, 2, -1);
        check_blend (data, n, 2, 0);
        check_blend (data, n, 4, 2);
        check_mix (data, n);
    }
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    for (const AltclipPixelLoops *const *set = altclip_pixel_loops_list (); *set; set++) {
        g_autofree char *resampling = g_strdup_printf ("/pixel-loops/%s/resampling", (*set)->name);
        g_autofree char *halves = g_strdup_printf ("/pixel-loops/%s/halves", (*set)->name);
        g_autofree char *samples = g_strdup_printf ("/pixel-loops/%s/samples", (*set)->name);

        if (!(*set)->is_supported ())
            continue;
        g_test_add_data_func (resampling, *set, test_resampling);
        g_test_add_data_func (halves, *set, test_halves);
        g_test_add_data_func (samples, *set, test_samples);
    }
    return g_test_run ();
}
