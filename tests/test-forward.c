/* altclip: forward passes: what they add, and what they refuse
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On the models of golden/make_model_golden.py, but with no golden numbers: here the outputs of a
 * pass are held against each other. That they are the reference's is for test-parity.
 */

#include "altclip.h"
#include "golden.h"
#include "vision.h"

#include <math.h>
#include <string.h>

/* A model whose pictures have 26 rows of 4 heads and whose texts have up to 64. */
#define MODEL "patch14"
#define IMAGE_SIZE 70
#define PATCH_SIZE 14

static const char *const TEXTS[] = { "a cat", "a red circle on a blue background, and more",
    "a <pad> b <pad><pad>", "" };

/* ---- Setting up ------------------------------------------------------------------------------ */

static AltclipSession *
new_session (const char *kernels)
{
    g_autofree char *directory = golden_get_path (MODEL, NULL);
    const AltclipModelOptions options = { .kernels = kernels, .threads = 1 };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, &error);
    AltclipSession *session;

    g_assert_no_error (error);
    session = altclip_session_new (model, 1, &error);
    g_assert_no_error (error);
    return session;
}

/* Noise, [n, 3, height, width]. */
static float *
new_pixel_values (guint n, guint height, guint width)
{
    gsize size = (gsize)n * 3 * height * width;
    float *pixel_values = g_new (float, size);
    guint32 state = 1;

    for (gsize i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        pixel_values[i] = (float)(gint32)state * 0x1p-30f;
    }
    return pixel_values;
}

static GPtrArray *
forward (AltclipSession *session, guint n_texts, const AltclipPictures *pictures,
        AltclipForwardFlags flags)
{
    g_autoptr (GError) error = NULL;
    GPtrArray *tensors = altclip_session_forward (session, TEXTS, n_texts, pictures, flags, &error);

    g_assert_no_error (error);
    return tensors;
}

static void
assert_refused (AltclipSession *session, guint n_texts, const AltclipPictures *pictures,
        AltclipForwardFlags flags, AltclipError code, const char *message)
{
    g_autoptr (GError) error = NULL;

    g_assert_null (altclip_session_forward (session, TEXTS, n_texts, pictures, flags, &error));
    g_assert_error (error, ALTCLIP_ERROR, (int)code);
    g_assert_cmpstr (error->message, ==, message);
}

static const AltclipTensor *
find_tensor (GPtrArray *tensors, const char *name)
{
    for (guint i = 0; i < tensors->len; i++) {
        const AltclipTensor *tensor = g_ptr_array_index (tensors, i);
        if (strcmp (tensor->name, name) == 0)
            return tensor;
    }
    return NULL;
}

static const float *
get_floats (GPtrArray *tensors, const char *name)
{
    const AltclipTensor *tensor = find_tensor (tensors, name);

    if (!tensor || tensor->is_int64)
        g_error ("no tensor '%s' of floats", name);
    return tensor->data;
}

/* @tolerance: of the largest value, or of 1 */
static void
assert_close (const float *found, const float *expected, gsize n, double tolerance)
{
    double largest = 1.0;

    for (gsize i = 0; i < n; i++)
        largest = MAX (largest, fabs (expected[i]));
    for (gsize i = 0; i < n; i++) {
        if (!(fabs (found[i] - expected[i]) <= tolerance * largest))
            g_error ("number %" G_GSIZE_FORMAT " is %g, not %g", i, found[i], expected[i]);
    }
}

/* ---- Attentions ------------------------------------------------------------------------------ */

/* [n, heads, length, length] whose rows add up to 1 over the keys that count, the others being 0.
 */
static void
assert_probabilities (const AltclipTensor *tensor, const gint64 *mask)
{
    gsize length = tensor->dims[3];
    const float *row = tensor->data;

    g_assert_cmpuint (tensor->n_dims, ==, 4);
    g_assert_cmpuint (tensor->dims[2], ==, length);
    for (gsize s = 0; s < tensor->dims[0]; s++) {
        for (gsize i = 0; i < tensor->dims[1] * length; i++, row += length) {
            double sum = 0.0;

            for (gsize key = 0; key < length; key++) {
                g_assert_cmpfloat (row[key], >=, 0.0f);
                if (mask && !mask[s * length + key])
                    g_assert_cmpfloat (row[key], ==, 0.0f);
                sum += row[key];
            }
            g_assert_cmpfloat_with_epsilon (sum, 1.0, 1e-5);
        }
    }
}

static void
test_attentions (gconstpointer kernels)
{
    g_autoptr (AltclipSession) session = new_session (kernels);
    const AltclipModelInfo *info = altclip_model_get_info (altclip_session_get_model (session));
    g_autofree float *pixel_values = new_pixel_values (2, IMAGE_SIZE, IMAGE_SIZE);
    const AltclipPictures pictures = { .pixel_values = pixel_values, .n = 2 };
    g_autoptr (GPtrArray) tensors =
            forward (session, G_N_ELEMENTS (TEXTS), &pictures, ALTCLIP_FORWARD_ATTENTIONS);
    const AltclipTensor *mask = find_tensor (tensors, "attention_mask");

    for (guint i = 0; i < info->text.num_hidden_layers; i++) {
        g_autofree char *name = g_strdup_printf ("text_model_output.attentions.%u", i);
        assert_probabilities (find_tensor (tensors, name), mask->data);
    }
    for (guint i = 0; i < info->vision.num_hidden_layers; i++) {
        g_autofree char *name = g_strdup_printf ("vision_model_output.attentions.%u", i);
        assert_probabilities (find_tensor (tensors, name), NULL);
    }
    g_assert_null (find_tensor (tensors, "text_model_output.hidden_states.0"));
    g_assert_null (find_tensor (tensors, "loss"));
}

/* ---- Independence ---------------------------------------------------------------------------- */

/* Hidden states and attentions of a text are its own, whatever is padded beside it; a typed <pad>
 * is a token like others. */
static void
test_padding (gconstpointer kernels)
{
    g_autoptr (AltclipSession) session = new_session (kernels);
    AltclipForwardFlags flags = ALTCLIP_FORWARD_HIDDEN_STATES | ALTCLIP_FORWARD_ATTENTIONS;
    g_autoptr (GPtrArray) together = forward (session, G_N_ELEMENTS (TEXTS), NULL, flags);
    const AltclipTensor *ids = find_tensor (together, "input_ids");
    const AltclipTensor *states = find_tensor (together, "text_model_output.hidden_states.2");
    const AltclipTensor *attentions = find_tensor (together, "text_model_output.attentions.1");
    gsize length = ids->dims[1];
    gsize heads = attentions->dims[1];

    for (gsize s = 0; s < G_N_ELEMENTS (TEXTS); s++) {
        const char *text = TEXTS[s];
        g_autoptr (GPtrArray) alone =
                altclip_session_forward (session, &text, 1, NULL, flags, NULL);
        gsize n = find_tensor (alone, "input_ids")->dims[1];
        const float *own = get_floats (alone, "text_model_output.attentions.1");
        const float *shared = (const float *)attentions->data + s * heads * length * length;

        g_assert_cmpmem (find_tensor (alone, "input_ids")->data, n * sizeof (gint64),
                (const gint64 *)ids->data + s * length, n * sizeof (gint64));
        for (gsize i = 0; i < n; i++)
            g_assert_cmpint (
                    ((const gint64 *)find_tensor (alone, "attention_mask")->data)[i], ==, 1);
        assert_close (get_floats (alone, "text_model_output.hidden_states.2"),
                (const float *)states->data + s * length * states->dims[2], n * states->dims[2],
                1e-5);
        for (gsize i = 0; i < heads * n; i++)
            assert_close (own + i * n, shared + (i / n * length + i % n) * length, n, 1e-5);
    }
}

/* More pictures than are run at a time. */
static void
test_batches (gconstpointer kernels)
{
    const guint n = ALTCLIP_BATCH_ROWS / 26 + 3;
    const gsize size = 3 * IMAGE_SIZE * IMAGE_SIZE;
    g_autoptr (AltclipSession) session = new_session (kernels);
    g_autofree float *pixel_values = new_pixel_values (n, IMAGE_SIZE, IMAGE_SIZE);
    AltclipForwardFlags flags = ALTCLIP_FORWARD_HIDDEN_STATES | ALTCLIP_FORWARD_ATTENTIONS;
    const AltclipPictures all = { .pixel_values = pixel_values, .n = n };
    g_autoptr (GPtrArray) together = forward (session, 0, &all, flags);

    for (guint i = 0; i < n; i += 26) {
        const AltclipPictures one = { .pixel_values = pixel_values + i * size, .n = 1 };
        g_autoptr (GPtrArray) alone = forward (session, 0, &one, flags);

        g_assert_cmpuint (alone->len, ==, together->len);
        for (guint t = 0; t < alone->len; t++) {
            const AltclipTensor *expected = g_ptr_array_index (alone, t);
            const AltclipTensor *found = g_ptr_array_index (together, t);
            gsize n_elements = 1;

            for (guint d = 0; d < expected->n_dims; d++)
                n_elements *= expected->dims[d];
            g_assert_cmpstr (found->name, ==, expected->name);
            assert_close (
                    (const float *)found->data + i * n_elements, expected->data, n_elements, 1e-5);
        }
    }
}

/* More texts than are run at a time, as a forward pass and as features. */
static void
test_text_batches (gconstpointer kernels)
{
    enum { N = ALTCLIP_BATCH_ROWS / 12 };
    g_autoptr (AltclipSession) session = new_session (kernels);
    guint dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    const char *texts[N];
    g_autofree float *features = g_new (float, N *dim);
    g_autofree float *alone = g_new (float, G_N_ELEMENTS (TEXTS) * dim);
    g_autoptr (GPtrArray) together = NULL;
    g_autoptr (GError) error = NULL;

    for (guint i = 0; i < N; i++)
        texts[i] = TEXTS[i % G_N_ELEMENTS (TEXTS)];
    together = altclip_session_forward (session, texts, N, NULL, ALTCLIP_FORWARD_NONE, &error);
    g_assert_no_error (error);
    altclip_session_get_text_features (session, texts, N, NULL, features, &error);
    g_assert_no_error (error);
    assert_close (get_floats (together, "text_features"), features, N * dim, 1e-5);
    altclip_session_get_text_features (session, TEXTS, G_N_ELEMENTS (TEXTS), NULL, alone, &error);
    g_assert_no_error (error);
    for (guint i = 0; i < N; i++)
        assert_close (features + i * dim, alone + i % G_N_ELEMENTS (TEXTS) * dim, dim, 1e-5);
}

/* ---- Loss ------------------------------------------------------------------------------------ */

/* −log of the probability that item @i has in row or column @i of [n, n]. */
static double
find_surprise (const float *logits, gsize n, gsize i, gboolean in_column)
{
    double sum = 0.0;

    for (gsize j = 0; j < n; j++)
        sum += exp (logits[in_column ? j * n + i : i * n + j] - logits[i * n + i]);
    return log (sum);
}

static void
test_loss (void)
{
    g_autoptr (AltclipSession) session = new_session ("openblas");
    g_autofree float *pixel_values = new_pixel_values (4, IMAGE_SIZE, IMAGE_SIZE);
    AltclipPictures pictures = { .pixel_values = pixel_values };

    for (guint n = 1; n <= 4; n++) {
        g_autoptr (GPtrArray) tensors = NULL;
        double expected = 0.0;

        pictures.n = n;
        tensors = forward (session, n, &pictures, ALTCLIP_FORWARD_LOSS);
        g_assert_cmpuint (find_tensor (tensors, "loss")->n_dims, ==, 0);
        for (guint i = 0; i < n; i++) {
            const float *logits = get_floats (tensors, "logits_per_text");
            expected += find_surprise (logits, n, i, FALSE) / (2.0 * n);
            expected += find_surprise (logits, n, i, TRUE) / (2.0 * n);
        }
        g_assert_cmpfloat_with_epsilon (*get_floats (tensors, "loss"), expected, 1e-5);
    }
}

static void
test_unequal_loss (void)
{
    g_autoptr (AltclipSession) session = new_session ("openblas");
    g_autofree float *pixel_values = new_pixel_values (2, IMAGE_SIZE, IMAGE_SIZE);
    const AltclipPictures pictures = { .pixel_values = pixel_values, .n = 2 };

    assert_refused (session, 3, &pictures, ALTCLIP_FORWARD_LOSS, ALTCLIP_ERROR_COMPUTE,
            "the contrastive loss needs as many texts as pictures, at least one of each, but there "
            "are 3 texts and 2 pictures");
    assert_refused (session, 0, NULL, ALTCLIP_FORWARD_LOSS, ALTCLIP_ERROR_COMPUTE,
            "the contrastive loss needs as many texts as pictures, at least one of each, but there "
            "are 0 texts and 0 pictures");
}

/* ---- Sizes of pictures ----------------------------------------------------------------------- */

/* torch.nn.functional.interpolate (mode="bicubic", align_corners=False) of a 3 × 3 grid of two
 * numbers each, in double precision. */
static void
test_interpolation (void)
{
    static const float to_2_by_4[] = { 0.7739258f, 1.523926f, -0.1297607f, 0.9223633f, 0.2229004f,
        -0.01806641f, 1.577759f, -0.6196289f, 0.3696289f, 1.119629f, -0.5340576f, 0.5180664f,
        -0.1813965f, -0.4223633f, 1.173462f, -1.023926f };
    static const float to_5_by_3[] = { 0.774f, 1.524f, -0.226f, 0.524f, 1.524f, -0.476f, 0.671f,
        1.421f, -0.329f, 0.421f, 1.421f, -0.579f, 0.5f, 1.25f, -0.5f, 0.25f, 1.25f, -0.75f, 0.329f,
        1.079f, -0.671f, 0.079f, 1.079f, -0.921f, 0.226f, 0.976f, -0.774f, -0.024f, 0.976f,
        -1.024f };
    float table[20];
    const AltclipVisionConfig config = { .tower = { .hidden_size = 2 }, .patch_size = 8 };
    const AltclipVision vision = { .config = &config, .side = 3, .position_embedding = table };
    float *positions;

    for (guint i = 0; i < 20; i++)
        table[i] = (float)((i / 2 * 7 + i % 2 * 3) % 11) * 0.25f - 1.0f;
    positions = altclip_vision_interpolate_positions (&vision, 16, 39);
    assert_close (positions, table, 2, 0.0);
    assert_close (positions + 2, to_2_by_4, G_N_ELEMENTS (to_2_by_4), 1e-6);
    altclip_aligned_free (positions);
    positions = altclip_vision_interpolate_positions (&vision, 40, 24);
    assert_close (positions + 2, to_5_by_3, G_N_ELEMENTS (to_5_by_3), 1e-6);
    altclip_aligned_free (positions);
    positions = altclip_vision_interpolate_positions (&vision, 25, 31);
    assert_close (positions, table, 20, 1e-7);
    altclip_aligned_free (positions);
    g_assert_true (altclip_vision_has_positions (&vision, 25, 31));
    g_assert_false (altclip_vision_has_positions (&vision, 25, 32));
}

/* Rows and columns that make no whole patch do not count, whatever stands there. */
static void
test_floor (void)
{
    const guint height = 2 * PATCH_SIZE + 5;
    const guint width = 3 * PATCH_SIZE + 13;
    g_autoptr (AltclipSession) session = new_session ("openblas");
    guint dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    g_autofree float *pixel_values = new_pixel_values (1, height, width);
    g_autofree float *whole = new_pixel_values (1, height, width);
    g_autofree float *features = g_new (float, 2 * dim);
    AltclipPictures pictures = { pixel_values, 1, height, width, TRUE };
    g_autoptr (GError) error = NULL;

    altclip_session_get_image_features (session, &pictures, features, &error);
    g_assert_no_error (error);
    for (guint c = 0; c < 3; c++) {
        for (guint y = 0; y < 2 * PATCH_SIZE; y++)
            memcpy (whole + (c * 2 * PATCH_SIZE + y) * 3 * PATCH_SIZE,
                    pixel_values + (c * height + y) * width, 3 * PATCH_SIZE * sizeof (float));
    }
    pictures = (AltclipPictures){ whole, 1, 2 * PATCH_SIZE, 3 * PATCH_SIZE, TRUE };
    altclip_session_get_image_features (session, &pictures, features + dim, &error);
    g_assert_no_error (error);
    assert_close (features, features + dim, dim, 1e-6);
}

/* The trained size needs no interpolation, named or not; one size after another gives each its own
 * positions. */
static void
test_sizes (void)
{
    static const guint sizes[][2] = { { 0, 0 }, { IMAGE_SIZE, IMAGE_SIZE }, { 28, 70 }, { 70, 28 },
        { 28, 70 }, { 0, 0 } };
    g_autoptr (AltclipSession) session = new_session ("openblas");
    guint dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    g_autofree float *pixel_values = new_pixel_values (1, IMAGE_SIZE, IMAGE_SIZE);
    g_autofree float *features = g_new (float, G_N_ELEMENTS (sizes) * dim);
    g_autoptr (GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
        const AltclipPictures pictures = { pixel_values, 1, sizes[i][0], sizes[i][1], i > 0 };

        altclip_session_get_image_features (session, &pictures, features + i * dim, &error);
        g_assert_no_error (error);
    }
    assert_close (features, features + dim, dim, 0.0);
    assert_close (features, features + 5 * dim, dim, 0.0);
    assert_close (features + 2 * dim, features + 4 * dim, dim, 0.0);
    g_assert_cmpfloat (fabs (features[2 * dim] - features[3 * dim]), >, 1e-3);
}

static void
test_wrong_sizes (void)
{
    g_autoptr (AltclipSession) session = new_session ("openblas");
    float one = 0.0f;
    AltclipPictures pictures = { &one, 1, 71, 70, FALSE };

    assert_refused (session, 1, &pictures, ALTCLIP_FORWARD_NONE, ALTCLIP_ERROR_IMAGE,
            "pictures of 70×71 pixels do not fit vision_config.image_size 70 of config.json: "
            "another size needs interpolate_pos_encoding");
    pictures = (AltclipPictures){ &one, 1, 13, 70, TRUE };
    assert_refused (session, 1, &pictures, ALTCLIP_FORWARD_NONE, ALTCLIP_ERROR_IMAGE,
            "pictures of 70×13 pixels are smaller than vision_config.patch_size 14 of "
            "config.json");
    pictures = (AltclipPictures){ &one, 1, 1806, 1806, TRUE };
    assert_refused (session, 1, &pictures, ALTCLIP_FORWARD_NONE, ALTCLIP_ERROR_IMAGE,
            "pictures of 1806×1806 pixels make 16641 patches of 14×14 pixels: there may be 16384, "
            "and their product with the widest layer's 588 numbers may be 67108864");
    pictures = (AltclipPictures){ &one, 1, G_MAXUINT, G_MAXUINT, TRUE };
    g_assert_null (
            altclip_session_forward (session, NULL, 0, &pictures, ALTCLIP_FORWARD_NONE, NULL));
}

/* A picture within the limits whose attentions are not: 4 heads of 16,129² numbers in 3 layers. */
static void
test_too_much (void)
{
    g_autoptr (AltclipSession) session = new_session ("openblas");
    float one = 0.0f;
    const AltclipPictures pictures = { &one, 1, 127 * PATCH_SIZE, 127 * PATCH_SIZE, TRUE };
    const AltclipPictures many = { .pixel_values = &one, .n = G_MAXUINT };

    assert_refused (session, 0, &pictures, ALTCLIP_FORWARD_ATTENTIONS, ALTCLIP_ERROR_COMPUTE,
            "with 'vision_model_output.attentions.1' the tensors of this forward pass exceed the "
            "limit of 4294967296 bytes: give fewer or shorter texts, fewer or smaller pictures, or "
            "ask for less");
    assert_refused (session, 0, &many, ALTCLIP_FORWARD_NONE, ALTCLIP_ERROR_COMPUTE,
            "with 'pixel_values' the tensors of this forward pass exceed the limit of 4294967296 "
            "bytes: give fewer or shorter texts, fewer or smaller pictures, or ask for less");
}

/* ---- Features -------------------------------------------------------------------------------- */

static void
test_features (void)
{
    g_autoptr (AltclipSession) session = new_session ("openblas");
    guint dim = altclip_model_get_info (altclip_session_get_model (session))->projection_dim;
    g_autofree float *pixel_values = new_pixel_values (2, IMAGE_SIZE, IMAGE_SIZE);
    const AltclipPictures pictures = { .pixel_values = pixel_values, .n = 2 };
    g_autoptr (GPtrArray) tensors = forward (session, 3, &pictures, ALTCLIP_FORWARD_NONE);
    g_autofree float *features = g_new (float, 3 * dim);
    g_autoptr (GError) error = NULL;

    altclip_session_get_text_features (session, TEXTS, 3, NULL, features, &error);
    g_assert_no_error (error);
    assert_close (features, get_floats (tensors, "text_features"), 3 * dim, 1e-5);
    altclip_session_get_image_features (session, &pictures, features, &error);
    g_assert_no_error (error);
    assert_close (features, get_floats (tensors, "image_features"), 2 * dim, 1e-5);
    altclip_session_encode_images (session, pixel_values, 2, features, &error);
    g_assert_no_error (error);
    assert_close (features, get_floats (tensors, "image_embeds"), 2 * dim, 1e-6);
}

static void
add_test (const char *name, const char *kernels, GTestDataFunc run)
{
    g_autofree char *path = g_strdup_printf ("/forward/%s/%s", kernels, name);

    g_test_add_data_func (path, kernels, run);
}

int
main (int argc, char **argv)
{
    static const char *const kernels[] = { "openblas", "reference" };

    g_test_init (&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (kernels); i++) {
        add_test ("attentions", kernels[i], test_attentions);
        add_test ("padding", kernels[i], test_padding);
    }
    add_test ("batches", kernels[0], test_batches);
    add_test ("text-batches", kernels[0], test_text_batches);
    g_test_add_func ("/forward/loss", test_loss);
    g_test_add_func ("/forward/unequal-loss", test_unequal_loss);
    g_test_add_func ("/forward/interpolation", test_interpolation);
    g_test_add_func ("/forward/floor", test_floor);
    g_test_add_func ("/forward/sizes", test_sizes);
    g_test_add_func ("/forward/wrong-sizes", test_wrong_sizes);
    g_test_add_func ("/forward/too-much", test_too_much);
    g_test_add_func ("/forward/features", test_features);
    return g_test_run ();
}
