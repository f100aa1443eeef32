/* altclip: an OpenBLAS that is not safe to call from several threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "kernels.h"
#include "proof.h"

#include <cblas.h>

#define REFUSAL "kernels 'openblas': this is OpenBLAS's serial flavour*"

/* Stands in front of the library's, so that this process has the serial flavour. */
int
openblas_get_parallel (void)
{
    return OPENBLAS_SEQUENTIAL;
}

static const AltclipProductShape PRODUCTS[] = { { 65, 128, 64 } };
static const AltclipKernelShapes SHAPES = { PRODUCTS, 1,
    { 65, 64, 4, ALTCLIP_POSITIONS_ABSOLUTE } };

static const AltclipKernels *
choose_with_warning (const char *name, AltclipPrecision precision)
{
    const AltclipKernels *chosen;
    AltclipTrial trial;

    g_test_expect_message ("altclip", G_LOG_LEVEL_WARNING, REFUSAL);
    chosen = altclip_kernels_choose (name, precision, &SHAPES, NULL, &trial, NULL);
    g_test_assert_expected_messages ();
    return chosen;
}

/* Also where a set of our own serves, and where OpenBLAS would have been the next. */
static void
test_warning (void)
{
    const AltclipKernels *first = choose_with_warning (NULL, ALTCLIP_PRECISION_F32);
    const AltclipKernels *named = choose_with_warning (first->name, ALTCLIP_PRECISION_F32);
    const AltclipKernels *short_one = choose_with_warning ("openblas", ALTCLIP_PRECISION_BF16);

    g_assert_true (first && first != &altclip_kernels_openblas);
    g_assert_true (first == altclip_kernels_expect (NULL));
    g_assert_true (named == first);
    g_assert_true (short_one && short_one->precision == ALTCLIP_PRECISION_BF16);
}

static void
test_asked_for (void)
{
    AltclipTrial trial;
    g_autoptr (GError) error = NULL;

    g_assert_null (altclip_kernels_choose (
            "openblas", ALTCLIP_PRECISION_F32, &SHAPES, NULL, &trial, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE);
    g_assert_true (g_pattern_match_simple (REFUSAL, error->message));
}

#define ROWS 9
#define N_HEADS 2
#define HEAD_SIZE 5
#define WIDTH (N_HEADS * HEAD_SIZE)

/* An attention with distances, which the tiles lack. */
static void
attend (const AltclipKernels *kernels, float *out)
{
    const guint offsets[] = { 0, ROWS };
    const guint n_attended = ROWS;
    const AltclipSequences sequences = { 1, offsets, &n_attended, ROWS, NULL };
    float table[(2 * ROWS - 1) * HEAD_SIZE];
    float qkv[ROWS * 3 * WIDTH];
    AltclipDistances distances = { table, ROWS, TRUE };
    AltclipAttention attention = { qkv, out, WIDTH, N_HEADS, &sequences, &distances, NULL };
    float *scratch = altclip_aligned_alloc (
            kernels->attention_scratch (kernels, &attention) * sizeof (float));

    for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
        table[i] = (float)(i * 7 % 11) / 11.0f - 0.5f;
    for (gsize i = 0; i < G_N_ELEMENTS (qkv); i++)
        qkv[i] = (float)(i * 5 % 13) / 13.0f - 0.5f;
    kernels->attention (kernels, &attention, 0, N_HEADS, scratch);
    altclip_aligned_free (scratch);
}

/* What a set leaves to OpenBLAS is then the reference's, to the last bit. */
static void
test_attention (gconstpointer kernels)
{
    float found[ROWS * WIDTH];
    float expected[ROWS * WIDTH];

    attend (kernels, found);
    attend (&altclip_kernels_reference, expected);
    for (gsize i = 0; i < G_N_ELEMENTS (found); i++)
        g_assert_cmpfloat (found[i], ==, expected[i]);
}

int
main (int argc, char **argv)
{
    gsize n;
    const AltclipKernels *const *sets = altclip_kernels_list (&n);

    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/serial-openblas/warning", test_warning);
    g_test_add_func ("/serial-openblas/asked-for", test_asked_for);
    for (gsize i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf ("/serial-openblas/attention/%s", sets[i]->name);

        if (sets[i]->tiling && sets[i]->probe (NULL))
            g_test_add_data_func (path, sets[i], test_attention);
    }
    return g_test_run ();
}
