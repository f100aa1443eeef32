/* altclip: the engine against the reference
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The models and numbers are those of golden/make_model_golden.py.
 */

#include "altclip.h"
#include "golden.h"

#include <math.h>
#include <string.h>

/* One model, opened with one set of kernels. */
typedef struct {
    const char *name;
    const char *kernels;
    GoldenInputs *inputs;
    GoldenFile *golden;
    AltclipModel *model;
    AltclipSession *session;
    const AltclipModelInfo *info;
    gsize image_floats;  /* of one picture */
    float *pixel_values; /* of all pictures */
} Case;

/* ---- Setting up ------------------------------------------------------------------------------ */

static AltclipImagePlan *
plan_for (AltclipModel *model, const GoldenPicture *picture)
{
    g_autoptr (GError) error = NULL;
    AltclipImagePlan *plan = altclip_image_plan_new (
            model, picture->width, picture->height, &ALTCLIP_PIXEL_LAYOUT_RGB, &error);

    g_assert_no_error (error);
    return plan;
}

static float *
preprocess_all (AltclipModel *model, const GoldenInputs *inputs, gsize image_floats)
{
    float *all = g_new (float, image_floats * inputs->pictures->len);

    for (guint i = 0; i < inputs->pictures->len; i++) {
        const GoldenPicture *picture = g_ptr_array_index (inputs->pictures, i);
        g_autoptr (AltclipImagePlan) plan = plan_for (model, picture);

        altclip_image_plan_run (
                plan, picture->pixels, (gsize)picture->width * 3, all + i * image_floats);
    }
    return all;
}

static void
case_open (Case *c, const char *name, const char *kernels)
{
    g_autofree char *directory = golden_get_path (name, NULL);
    g_autoptr (GError) error = NULL;
    const AltclipModelOptions options = { .kernels = kernels, .threads = 1 };

    c->name = name;
    c->kernels = kernels;
    c->inputs = golden_inputs_read ();
    c->golden = golden_file_open_expected (name);
    c->model = altclip_model_open (directory, &options, NULL, &error);
    g_assert_no_error (error);
    c->session = altclip_session_new (c->model, 1, &error);
    g_assert_no_error (error);
    c->info = altclip_model_get_info (c->model);
    g_assert_cmpstr (altclip_model_get_kernels (c->model, NULL), ==, kernels);
    c->image_floats = (gsize)c->info->num_channels * c->info->image_size * c->info->image_size;
    c->pixel_values = preprocess_all (c->model, c->inputs, c->image_floats);
}

static void
case_close (Case *c)
{
    g_free (c->pixel_values);
    altclip_session_free (c->session);
    altclip_model_unref (c->model);
    golden_file_close (c->golden);
    golden_inputs_free (c->inputs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_close)

/* ---- Comparing ------------------------------------------------------------------------------- */

static double
largest_difference (const float *a, const float *b, gsize n)
{
    double largest = 0.0;

    for (gsize i = 0; i < n; i++) {
        double difference = fabs ((double)a[i] - (double)b[i]);
        /* written so that NaN is the largest of all */
        if (!(difference <= largest))
            largest = difference;
    }
    return largest;
}

static double
largest_value (const float *a, gsize n)
{
    double largest = 0.0;

    for (gsize i = 0; i < n; i++)
        largest = MAX (largest, fabs ((double)a[i]));
    return largest;
}

/* How many floats lie between the two. */
static guint64
distance_in_ulp (float a, float b)
{
    gint32 bits[2];
    gint64 places[2];

    memcpy (bits, (float[]){ a, b }, sizeof bits);
    for (int i = 0; i < 2; i++)
        places[i] = bits[i] < 0 ? (gint64)G_MININT32 - bits[i] : bits[i];
    return (guint64)ABS (places[0] - places[1]);
}

/* What the tensor @name may be off by. */
static double
get_tolerance (const char *name, const GoldenTensor *expected)
{
    if (strstr (name, "embeds"))
        return 1e-5;
    if (strstr (name, "logits"))
        return 1e-3;
    return MIN (1e-4, 1e-5 * largest_value (expected->data, expected->n_elements));
}

static void
assert_same_shape (const AltclipTensor *tensor, const GoldenTensor *expected)
{
    g_assert_cmpuint (tensor->n_dims, ==, expected->n_dims);
    for (guint i = 0; i < tensor->n_dims; i++)
        g_assert_cmpuint (tensor->dims[i], ==, expected->dims[i]);
    g_assert_cmpint (tensor->is_int64, ==, expected->type == GOLDEN_INT64);
}

static void
compare_floats (const Case *c, const char *name, const float *found, const GoldenTensor *expected)
{
    double tolerance = get_tolerance (name, expected);
    double difference = largest_difference (found, expected->data, expected->n_elements);

    g_test_message ("%s, %s: %s: %.2e of %.2e", c->name, c->kernels, name, difference, tolerance);
    g_assert_cmpfloat (difference, <=, tolerance);
}

/* Returns: how many of @tensors the reference has under @prefix, all of which are as they should */
static guint
compare_all (const Case *c, GPtrArray *tensors, const char *prefix)
{
    guint n = 0;

    for (guint i = 0; i < tensors->len; i++) {
        const AltclipTensor *tensor = g_ptr_array_index (tensors, i);
        g_autofree char *name = g_strconcat (prefix, tensor->name, NULL);
        const GoldenTensor *expected = golden_file_find (c->golden, name);

        /* The large ones have been left out of the file, except for the first picture. */
        if (!expected || strcmp (name, "pixel_values") == 0)
            continue;
        n++;
        assert_same_shape (tensor, expected);
        if (tensor->is_int64)
            g_assert_cmpmem (tensor->data, expected->n_elements * 8, expected->data,
                    expected->n_elements * 8);
        else
            compare_floats (c, name, tensor->data, expected);
    }
    return n;
}

static const AltclipTensor *
find_tensor (GPtrArray *tensors, const char *name)
{
    for (guint i = 0; i < tensors->len; i++) {
        const AltclipTensor *tensor = g_ptr_array_index (tensors, i);
        if (strcmp (tensor->name, name) == 0)
            return tensor;
    }
    g_error ("the engine gave no %s", name);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

/* The 8-bit pictures of the tower's size are equal, the numbers made of them within 1 ulp. */
static void
test_pixels (const Case *c)
{
    const GoldenTensor *pixels = golden_file_get (c->golden, "pixels");
    const GoldenTensor *values = golden_file_get (c->golden, "pixel_values");
    gsize n = c->image_floats;
    g_autofree guint8 *found = g_malloc (n);
    guint64 largest = 0;

    g_assert_cmpuint (pixels->n_elements, ==, n * c->inputs->pictures->len);
    for (guint i = 0; i < c->inputs->pictures->len; i++) {
        const GoldenPicture *picture = g_ptr_array_index (c->inputs->pictures, i);
        g_autoptr (AltclipImagePlan) plan = plan_for (c->model, picture);

        altclip_image_plan_run_pixels (plan, picture->pixels, (gsize)picture->width * 3, found);
        g_assert_cmpmem (found, n, (const guint8 *)pixels->data + i * n, n);
    }
    g_assert_cmpuint (values->n_elements, ==, n);
    for (gsize i = 0; i < n; i++)
        largest = MAX (
                largest, distance_in_ulp (c->pixel_values[i], ((const float *)values->data)[i]));
    g_test_message (
            "%s, %s: pixel_values: %" G_GUINT64_FORMAT " of 1 ulp", c->name, c->kernels, largest);
    g_assert_cmpuint (largest, <=, 1);
}

static GPtrArray *
forward_all (const Case *c)
{
    const AltclipPictures pictures = { .pixel_values = c->pixel_values,
        .n = c->inputs->pictures->len };
    g_autoptr (GError) error = NULL;
    GPtrArray *tensors = altclip_session_forward (c->session, (const char *const *)c->inputs->texts,
            g_strv_length (c->inputs->texts), &pictures, ALTCLIP_FORWARD_NONE, &error);

    g_assert_no_error (error);
    return tensors;
}

/* A few texts and one picture, with the output of every layer. */
static void
test_hidden_states (const Case *c)
{
    guint n_texts = c->inputs->subset_texts->len;
    g_autofree const char **texts = g_new (const char *, n_texts);
    const AltclipPictures picture = { .pixel_values = c->pixel_values, .n = 1 };
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors = NULL;

    for (guint i = 0; i < n_texts; i++)
        texts[i] = c->inputs->texts[g_array_index (c->inputs->subset_texts, guint, i)];
    tensors = altclip_session_forward (
            c->session, texts, n_texts, &picture, ALTCLIP_FORWARD_HIDDEN_STATES, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (compare_all (c, tensors, "subset."), ==,
            10 + c->info->text.num_hidden_layers + 1 + c->info->vision.num_hidden_layers + 1);
}

/* A text's or picture's embedding is its own, whatever comes with it in a batch. */
static void
test_independence (const Case *c, GPtrArray *tensors)
{
    const AltclipTensor *text_embeds = find_tensor (tensors, "text_embeds");
    const AltclipTensor *image_embeds = find_tensor (tensors, "image_embeds");
    guint dim = c->info->projection_dim;
    g_autofree float *alone = g_new (float, dim);
    g_autoptr (GError) error = NULL;
    double largest = 0.0;

    for (guint i = 0; c->inputs->texts[i]; i++) {
        const char *text = c->inputs->texts[i];
        altclip_session_encode_texts (c->session, &text, 1, NULL, alone, &error);
        g_assert_no_error (error);
        largest = MAX (
                largest, largest_difference (alone, (float *)text_embeds->data + i * dim, dim));
    }
    for (guint i = 0; i < c->inputs->pictures->len; i++) {
        altclip_session_encode_images (
                c->session, c->pixel_values + i * c->image_floats, 1, alone, &error);
        g_assert_no_error (error);
        largest = MAX (
                largest, largest_difference (alone, (float *)image_embeds->data + i * dim, dim));
    }
    g_test_message ("%s, %s: alone or in a batch: %.2e of 2e-6", c->name, c->kernels, largest);
    g_assert_cmpfloat (largest, <=, 2e-6);
}

static void
test_model (gconstpointer data)
{
    const char *const *names = data;
    g_auto (Case) c = { 0 };
    g_autoptr (GPtrArray) tensors = NULL;

    case_open (&c, names[0], names[1]);
    test_pixels (&c);
    tensors = forward_all (&c);
    g_assert_cmpuint (compare_all (&c, tensors, ""), ==, 10);
    test_hidden_states (&c);
    test_independence (&c, tensors);
}

/* ---- Threads --------------------------------------------------------------------------------- */

typedef struct {
    const Case *c;
    guint n_threads;
    guint n_rounds;
    GPtrArray *tensors; /* of the last round */
} Worker;

static gpointer
work (gpointer data)
{
    Worker *worker = data;
    Case own = *worker->c;
    g_autoptr (GError) error = NULL;

    own.session = altclip_session_new (own.model, worker->n_threads, &error);
    g_assert_no_error (error);
    for (guint round = 0; round < worker->n_rounds; round++) {
        g_clear_pointer (&worker->tensors, g_ptr_array_unref);
        worker->tensors = forward_all (&own);
    }
    altclip_session_free (own.session);
    return NULL;
}

static void
assert_identical (GPtrArray *a, GPtrArray *b)
{
    g_assert_cmpuint (a->len, ==, b->len);
    for (guint i = 0; i < a->len; i++) {
        const AltclipTensor *first = g_ptr_array_index (a, i);
        const AltclipTensor *second = g_ptr_array_index (b, i);
        gsize n = first->is_int64 ? sizeof (gint64) : sizeof (float);

        g_assert_cmpstr (first->name, ==, second->name);
        for (guint d = 0; d < first->n_dims; d++)
            n *= first->dims[d];
        g_assert_cmpint (memcmp (first->data, second->data, n), ==, 0);
    }
}

/* Two sessions of one model at once give what one alone gives, to the bit. */
static void
test_threads (gconstpointer data)
{
    const char *const *names = data;
    g_auto (Case) c = { 0 };
    Worker workers[2] = { { &c, 1, 4, NULL }, { &c, 1, 4, NULL } };
    GThread *threads[2];
    g_autoptr (GPtrArray) alone = NULL;

    case_open (&c, names[0], names[1]);
    alone = forward_all (&c);
    for (int i = 0; i < 2; i++)
        threads[i] = g_thread_new ("parity", work, &workers[i]);
    for (int i = 0; i < 2; i++) {
        g_thread_join (threads[i]);
        assert_identical (alone, workers[i].tensors);
        g_ptr_array_unref (workers[i].tensors);
    }
}

/* A session that splits its work over threads agrees with the reference too. */
static void
test_pool (gconstpointer data)
{
    const char *const *names = data;
    g_auto (Case) c = { 0 };
    Worker worker = { &c, 3, 1, NULL };

    case_open (&c, names[0], names[1]);
    work (&worker);
    g_assert_cmpuint (compare_all (&c, worker.tensors, ""), ==, 10);
    g_ptr_array_unref (worker.tensors);
}

static void
add_test (const char *model, const char *kernels, const char *name, GTestDataFunc run)
{
    g_autofree char *path = g_strdup_printf ("/parity/%s/%s/%s", model, kernels, name);
    const char **names = g_new (const char *, 2);

    names[0] = g_intern_string (model);
    names[1] = kernels;
    g_test_add_data_func_full (path, names, run, g_free);
}

int
main (int argc, char **argv)
{
    g_autoptr (GoldenInputs) inputs = NULL;

    g_test_init (&argc, &argv, NULL);
    inputs = golden_inputs_read ();
    for (guint i = 0; inputs->models[i]; i++) {
        add_test (inputs->models[i], "openblas", "numbers", test_model);
        add_test (inputs->models[i], "reference", "numbers", test_model);
        add_test (inputs->models[i], "openblas", "threads", test_threads);
        add_test (inputs->models[i], "openblas", "pool", test_pool);
    }
    add_test (inputs->models[0], "reference", "threads", test_threads);
    add_test (inputs->models[0], "reference", "pool", test_pool);
    return g_test_run ();
}
