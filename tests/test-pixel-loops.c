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

static void
check_blend (const AltclipPixelLoops *loops, guint n)
{
    g_autofree guint16 *first = new_words (n, 2047);
    g_autofree guint16 *second = new_words (n, 2047);

    for (guint weight = 0; weight <= 8; weight++) {
        Outputs outputs = outputs_new (n * sizeof (guint16));

        plain->blend_rows (first, second, weight, n, (guint16 *)outputs.expected);
        loops->blend_rows (first, second, weight, n, (guint16 *)outputs.found);
        outputs_check (&outputs);
    }
}

static void
check_spread (const AltclipPixelLoops *loops, guint n)
{
    g_autofree guint16 *row = new_words (n + 2, 2047 * 8);
    Outputs cosited = outputs_new (2 * n * sizeof (guint16));
    Outputs centred = outputs_new (2 * n * sizeof (guint16));

    plain->spread_cosited (row, n, (guint16 *)cosited.expected);
    loops->spread_cosited (row, n, (guint16 *)cosited.found);
    outputs_check (&cosited);
    plain->spread_centred (row, n, (guint16 *)centred.expected);
    loops->spread_centred (row, n, (guint16 *)centred.found);
    outputs_check (&centred);
}

/* Of BT.601 in limited range, and of larger factors than there are: sums of 31 bits. */
static void
check_mix (const AltclipPixelLoops *loops, guint n)
{
    static const AltclipPrimary primaries[2][3] = {
        { { 305242, 0, 13074, -58315000 }, { 305242, -3209, -6660, 35500000 },
                { 305242, 16525, 0, -72500000 } },
        { { 305242, 0, 16383, 0 }, { 305242, -16384, -16384, 1 << 28 },
                { 305242, 16383, 0, -(1 << 28) } },
    };
    g_autofree guint16 *luma = new_words (n, 1023);
    g_autofree guint16 *cb = new_words (n, 32767);
    g_autofree guint16 *cr = new_words (n, 32767);

    for (guint p = 0; p < 2; p++) {
        Outputs outputs[3];
        gint16 *expected[3];
        gint16 *found[3];

        for (guint k = 0; k < 3; k++) {
            outputs[k] = outputs_new (n * sizeof (gint16));
            expected[k] = (gint16 *)outputs[k].expected;
            found[k] = (gint16 *)outputs[k].found;
        }
        plain->mix (primaries[p], luma, cb, cr, n, expected);
        loops->mix (primaries[p], luma, cb, cr, n, found);
        for (guint k = 0; k < 3; k++)
            outputs_check (&outputs[k]);
    }
}

static void
test_samples (gconstpointer data)
{
    for (guint n = 1; n < MOST; n++) {
        for (guint stride = 1; stride <= 6; stride++)
            check_unpack (data, stride, n);
        check_blend (data, n);
        check_spread (data, n);
        check_mix (data, n);
    }
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    for (const AltclipPixelLoops *const *set = altclip_pixel_loops_list (); *set; set++) {
        g_autofree char *resampling = g_strdup_printf ("/pixel-loops/%s/resampling", (*set)->name);
        g_autofree char *samples = g_strdup_printf ("/pixel-loops/%s/samples", (*set)->name);

        if (!(*set)->is_supported ())
            continue;
        g_test_add_data_func (resampling, *set, test_resampling);
        g_test_add_data_func (samples, *set, test_samples);
    }
    return g_test_run ();
}
