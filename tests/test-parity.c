/* altclip: the engine against the reference
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The models and numbers are those of golden/make_model_golden.py. The last test says of every row
 * of the reference's page which case checks it, and how far off the worst was.
 */

#include "description.h"
#include "golden.h"
#include "kernels.h"
#include "page.h"

#include <math.h>
#include <string.h>

/* One model, opened with one set of kernels. */
typedef struct {
    Page *page;
    const GoldenModel *golden;
    char *name; /* of the model and the kernels */
    GoldenInputs *inputs;
    GoldenFile *expected;
    AltclipModel *model;
    AltclipSession *session;
    const AltclipModelInfo *info;
    const char **texts; /* [n_texts]; none without a text tower */
    guint n_texts;
    AltclipPictures pictures; /* none without an image tower */
    float *pixel_values;      /* of all pictures */
} Case;

typedef struct {
    Page *page;
    const char *model;
    const char *kernels;
} CaseName;

/* ---- Setting up ------------------------------------------------------------------------------ */

static const GoldenPicture *
get_picture (const Case *c, guint index)
{
    return g_ptr_array_index (c->inputs->pictures, c->golden->pictures.at[index]);
}

static AltclipImagePlan *
plan_for (AltclipModel *model, const GoldenPicture *picture)
{
    g_autoptr (GError) error = NULL;
    AltclipImagePlan *plan = altclip_image_plan_new_any_size (
            model, NULL, picture->width, picture->height, &ALTCLIP_PIXEL_LAYOUT_RGB, &error);

    g_assert_no_error (error);
    return plan;
}

static void
choose_texts (Case *c)
{
    c->n_texts = c->golden->texts.n;
    c->texts = g_new (const char *, c->n_texts);
    for (guint i = 0; i < c->n_texts; i++)
        c->texts[i] = c->inputs->texts[c->golden->texts.at[i]];
}

static gsize
picture_floats (const Case *c)
{
    return (gsize)c->info->num_channels * c->pictures.height * c->pictures.width;
}

static void
preprocess_all (Case *c)
{
    const GoldenTensor *pixels = golden_file_get (c->expected, "pixels");
    AltclipPictures *pictures = &c->pictures;

    pictures->n = c->golden->pictures.n;
    pictures->height = (guint)pixels->dims[1];
    pictures->width = (guint)pixels->dims[2];
    pictures->interpolate_pos_encoding =
            pictures->height != c->info->image_size || pictures->width != c->info->image_size;
    pictures->pixel_values = c->pixel_values = g_new (float, picture_floats (c) * pictures->n);
    for (guint i = 0; i < pictures->n; i++) {
        const GoldenPicture *picture = get_picture (c, i);
        g_autoptr (AltclipImagePlan) plan = plan_for (c->model, picture);

        g_assert_cmpuint (altclip_image_plan_get_output_width (plan), ==, pictures->width);
        g_assert_cmpuint (altclip_image_plan_get_output_height (plan), ==, pictures->height);
        altclip_image_plan_run (plan, picture->pixels, (gsize)picture->width * 3,
                c->pixel_values + i * picture_floats (c));
    }
}

static void
case_open (Case *c, const CaseName *name)
{
    g_autofree char *directory = golden_get_path (name->model, NULL);
    g_autoptr (GError) error = NULL;
    const AltclipModelOptions options = {
        .kernels = name->kernels, .threads = 1, .precision = ALTCLIP_PRECISION_F32
    };

    c->page = name->page;
    c->inputs = golden_inputs_read ();
    c->golden = golden_inputs_find (c->inputs, name->model);
    c->name = g_strdup_printf ("%s (%s)", name->model, name->kernels);
    c->expected = golden_file_open_expected (name->model);
    c->model = altclip_model_open (directory, &options, NULL, &error);
    g_assert_no_error (error);
    c->session = altclip_session_new (c->model, 1, &error);
    g_assert_no_error (error);
    c->info = altclip_model_get_info (c->model);
    g_assert_cmpstr (altclip_model_get_kernels (c->model, NULL), ==, name->kernels);
    if (golden_file_find (c->expected, "input_ids"))
        choose_texts (c);
    if (golden_file_find (c->expected, "pixels"))
        preprocess_all (c);
}

static void
case_close (Case *c)
{
    g_free (c->name);
    g_free (c->texts);
    g_free (c->pixel_values);
    altclip_session_free (c->session);
    altclip_model_unref (c->model);
    golden_file_close (c->expected);
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
    if (expected->type == GOLDEN_INT64)
        return 0.0;
    if (strstr (name, "embeds"))
        return 1e-5;
    if (strstr (name, "logits"))
        return 1e-3;
    return MIN (1e-4, 1e-5 * largest_value (expected->data, expected->n_elements));
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

static void
assert_same_shape (const AltclipTensor *tensor, const GoldenTensor *expected)
{
    g_assert_cmpuint (tensor->n_dims, ==, expected->n_dims);
    for (guint i = 0; i < tensor->n_dims; i++)
        g_assert_cmpuint (tensor->dims[i], ==, expected->dims[i]);
    g_assert_cmpint (tensor->is_int64, ==, expected->type == GOLDEN_INT64);
}

/* How many of the numbers are not the same. */
static double
count_unequal (const gint64 *a, const gint64 *b, gsize n)
{
    double unequal = 0.0;

    for (gsize i = 0; i < n; i++)
        unequal += a[i] != b[i];
    return unequal;
}

static gboolean
is_of_vision (const char *name)
{
    return g_str_has_prefix (name, "image") || g_str_has_prefix (name, "vision");
}

/* Measures @name, without the number of a layer; and, of text_model_output.hidden_states for
 * instance, what stands on either side of the point. */
static void
measure_tensor (const Case *c, const char *name, double difference, double tolerance)
{
    g_auto (GStrv) parts = g_strsplit (name, ".", 3);

    page_measure (c->page, c->golden->name, name, difference, tolerance);
    if (c->pictures.interpolate_pos_encoding && is_of_vision (name))
        page_measure (c->page, "interpolate_pos_encoding", c->name, difference, tolerance);
    if (parts[1]) {
        g_autofree char *whole = g_strconcat (parts[0], ".", parts[1], NULL);
        page_measure (c->page, whole, c->name, difference, tolerance);
        page_measure (c->page, parts[1], c->name, difference, tolerance);
    }
    page_measure (c->page, parts[0], c->name, difference, tolerance);
}

static void
compare_tensor (const Case *c, const AltclipTensor *found, const GoldenTensor *expected)
{
    gsize n = expected->n_elements;
    double difference;

    assert_same_shape (found, expected);
    difference = found->is_int64 ? count_unequal (found->data, expected->data, n)
                                 : largest_difference (found->data, expected->data, n);
    measure_tensor (c, found->name, difference, get_tolerance (found->name, expected));
}

static gboolean
is_of_run (const char *name, const char *prefix)
{
    if (*prefix)
        return g_str_has_prefix (name, prefix);
    return !g_str_has_prefix (name, "subset.") && !g_str_has_prefix (name, "custom.") &&
           !g_str_has_prefix (name, "embedded.") && !g_str_has_prefix (name, "given.") &&
           !g_str_has_prefix (name, "pixel");
}

/* Compares with @tensors all that the reference gave in the run that @prefix names. */
static void
compare_all (const Case *c, GPtrArray *tensors, const char *prefix)
{
    g_autoptr (GList) names = golden_file_list_names (c->expected);
    guint n = 0;

    for (GList *at = names; at; at = at->next) {
        const char *name = at->data;

        if (!is_of_run (name, prefix))
            continue;
        n++;
        compare_tensor (c, find_tensor (tensors, name + strlen (prefix)),
                golden_file_get (c->expected, name));
    }
    g_assert_cmpuint (n, >, 0);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

/* Grey pictures have one component in the reference and three equal ones here. */
static double
count_unequal_pixels (const guint8 *found, const guint8 *expected, gsize n, guint num_channels)
{
    double unequal = 0.0;

    for (gsize i = 0; i < n * 3; i++)
        unequal += found[i] != expected[num_channels == 3 ? i : i / 3];
    return unequal;
}

/* The 8-bit pictures of the tower's size are equal, the numbers made of them within 1 ulp. */
static void
test_pixels (const Case *c)
{
    const GoldenTensor *pixels = golden_file_get (c->expected, "pixels");
    const GoldenTensor *values = golden_file_get (c->expected, "pixel_values");
    gsize n = (gsize)c->pictures.height * c->pictures.width;
    gsize n_values = picture_floats (c);
    g_autofree guint8 *found = g_malloc (n * 3);
    guint64 largest = 0;

    g_assert_cmpuint (pixels->n_elements, ==, n_values * c->pictures.n);
    for (guint i = 0; i < c->pictures.n; i++) {
        const GoldenPicture *picture = get_picture (c, i);
        g_autoptr (AltclipImagePlan) plan = plan_for (c->model, picture);

        altclip_image_plan_run_pixels (plan, picture->pixels, (gsize)picture->width * 3, found);
        page_measure (c->page, "pixels", c->name,
                count_unequal_pixels (found, (const guint8 *)pixels->data + i * n_values, n,
                        c->info->num_channels),
                0.0);
    }
    g_assert_cmpuint (values->n_elements, ==, n_values);
    for (gsize i = 0; i < n_values; i++)
        largest = MAX (
                largest, distance_in_ulp (c->pixel_values[i], ((const float *)values->data)[i]));
    page_measure (c->page, "pixel_values", c->name, (double)largest, 1.0);
}

static GPtrArray *
forward_all (const Case *c)
{
    g_autoptr (GError) error = NULL;
    GPtrArray *tensors = altclip_session_forward (
            c->session, c->texts, c->n_texts, &c->pictures, ALTCLIP_FORWARD_NONE, &error);

    g_assert_no_error (error);
    return tensors;
}

/* A few texts and pictures, with all that each layer gives. */
static void
test_layers (const Case *c)
{
    const GoldenIndices *subset = &c->golden->subset_texts;
    guint n_texts = c->texts ? subset->n : 0;
    g_autofree const char **texts = g_new (const char *, subset->n);
    AltclipPictures pictures = c->pictures;
    AltclipForwardFlags flags = ALTCLIP_FORWARD_HIDDEN_STATES | ALTCLIP_FORWARD_ATTENTIONS;
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors = NULL;

    for (guint i = 0; i < n_texts; i++)
        texts[i] = c->inputs->texts[subset->at[i]];
    pictures.n = MIN (pictures.n, c->golden->subset_pictures);
    if (n_texts == pictures.n)
        flags |= ALTCLIP_FORWARD_LOSS;
    tensors = altclip_session_forward (c->session, texts, n_texts, &pictures, flags, &error);
    g_assert_no_error (error);
    compare_all (c, tensors, "subset.");
}

/* A text's or picture's embedding is its own, whatever comes with it in a batch. But for the last
 * bits: OpenBLAS sums in another order when there are few rows. Features may differ by half of what
 * they may be off. */
static void
test_independence (const Case *c, GPtrArray *tensors)
{
    guint dim = c->info->projection_dim;
    const float *text_embeds = find_tensor (tensors, "text_embeds")->data;
    const float *features = find_tensor (tensors, "image_features")->data;
    g_autofree float *alone = g_new (float, dim);
    g_autoptr (GError) error = NULL;

    for (guint i = 0; i < c->n_texts; i++) {
        altclip_session_encode_texts (c->session, &c->texts[i], 1, NULL, alone, &error);
        g_assert_no_error (error);
        page_measure (c->page, "alone or in a batch", c->name,
                largest_difference (alone, text_embeds + (gsize)i * dim, dim), 2e-6);
    }
    for (guint i = 0; i < c->pictures.n; i++) {
        const float *expected = features + (gsize)i * dim;
        AltclipPictures picture = c->pictures;

        picture.pixel_values += i * picture_floats (c);
        picture.n = 1;
        altclip_session_get_image_features (c->session, &picture, alone, &error);
        g_assert_no_error (error);
        page_measure (c->page, "alone or in a batch", c->name,
                largest_difference (alone, expected, dim), 5e-6 * largest_value (expected, dim));
    }
}

/* ---- Arguments that no tokenizer gives ---- */

/* Returns: (transfer full): the integers of the golden tensor @name as numbers of @size bytes */
static gpointer
get_integers (const Case *c, const char *name, gsize size)
{
    const GoldenTensor *tensor = golden_file_get (c->expected, name);
    const gint64 *values = tensor->data;
    guint8 *integers = g_malloc (tensor->n_elements * size);

    for (gsize i = 0; i < tensor->n_elements; i++) {
        if (size == 1)
            integers[i] = (guint8)values[i];
        else
            ((guint32 *)(void *)integers)[i] = (guint32)values[i];
    }
    return integers;
}

/* Compares what comes of @encoding with the reference's run @prefix, as measures of @arguments too.
 */
static void
compare_encoding (const Case *c, const AltclipEncoding *encoding, const char *prefix,
        const char *const *arguments)
{
    g_autofree char *pooled = g_strconcat (prefix, "text_model_output.pooler_output", NULL);
    const GoldenTensor *expected = golden_file_get (c->expected, pooled);
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors = altclip_session_forward_encoding (c->session, encoding, NULL,
            ALTCLIP_FORWARD_HIDDEN_STATES | ALTCLIP_FORWARD_ATTENTIONS, &error);
    const float *found;

    g_assert_no_error (error);
    compare_all (c, tensors, prefix);
    found = find_tensor (tensors, "text_model_output.pooler_output")->data;
    for (gsize i = 0; arguments[i]; i++)
        page_measure (c->page, arguments[i], c->name,
                largest_difference (found, expected->data, expected->n_elements),
                get_tolerance (pooled, expected));
}

/* Masks with holes, positions in any order, types of every kind; embeddings in the place of ids. */
static void
test_custom (const Case *c)
{
    static const char *const arguments[] = { "attention_mask given", "position_ids given",
        "token_type_ids given", NULL };
    static const char *const embedded[] = { "inputs_embeds given", NULL };
    const GoldenTensor *ids = golden_file_get (c->expected, "given.input_ids");
    g_autofree gint32 *input_ids = get_integers (c, "given.input_ids", 4);
    g_autofree guint8 *mask = get_integers (c, "given.attention_mask", 1);
    g_autofree guint *positions = get_integers (c, "given.position_ids", 4);
    g_autofree guint *types = get_integers (c, "given.token_type_ids", 4);
    AltclipEncoding encoding = { .input_ids = input_ids,
        .attention_mask = mask,
        .position_ids = positions,
        .token_type_ids = types,
        .n = (guint)ids->dims[0],
        .length = (guint)ids->dims[1] };

    compare_encoding (c, &encoding, "custom.", arguments);
    encoding =
            (AltclipEncoding){ .inputs_embeds =
                                       golden_file_get (c->expected, "given.inputs_embeds")->data,
                .attention_mask = mask,
                .n = encoding.n,
                .length = encoding.length };
    compare_encoding (c, &encoding, "embedded.", embedded);
}

/* ---- Texts and pictures ---- */

/* get_text_features and get_image_features alone. */
static void
test_features (const Case *c)
{
    const GoldenTensor *text = golden_file_get (c->expected, "text_features");
    const GoldenTensor *image = golden_file_get (c->expected, "image_features");
    g_autofree float *found = g_new (float, MAX (text->n_elements, image->n_elements));
    g_autoptr (GError) error = NULL;

    altclip_session_get_text_features (c->session, c->texts, c->n_texts, NULL, found, &error);
    g_assert_no_error (error);
    page_measure (c->page, "get_text_features", c->name,
            largest_difference (found, text->data, text->n_elements),
            get_tolerance ("text_features", text));
    altclip_session_get_image_features (c->session, &c->pictures, found, &error);
    g_assert_no_error (error);
    page_measure (c->page, "get_image_features", c->name,
            largest_difference (found, image->data, image->n_elements),
            get_tolerance ("image_features", image));
}

/* The text of the ids of each text, special tokens written out. */
static void
test_decode (const Case *c)
{
    for (guint i = 0; i < c->n_texts; i++) {
        g_autoptr (GError) error = NULL;
        g_autoptr (GArray) ids = altclip_model_tokenize (c->model, c->texts[i], &error);
        g_autofree char *text = NULL;

        g_assert_no_error (error);
        text = altclip_model_decode (
                c->model, (const gint32 *)(gconstpointer)ids->data, ids->len, &error);
        g_assert_no_error (error);
        page_measure (c->page, "decode", c->name, strcmp (text, c->golden->decoded[i]) != 0, 0.0);
    }
}

/* Whether what came of a tower shows that @row, a field of its configuration or of the pictures'
 * preprocessing, is right. */
static gboolean
is_shown_by (const char *row, const char *output)
{
    if (g_str_has_prefix (row, "AltCLIPConfig("))
        return TRUE;
    return is_of_vision (output) != g_str_has_prefix (row, "AltCLIPTextConfig(");
}

/* What was made of all texts and pictures shows that the fields which are special in this model
 * have the reference's meaning. */
static void
measure_covered_rows (const Case *c, GPtrArray *tensors)
{
    static const char *const outputs[] = { "text_embeds", "image_embeds",
        "text_model_output.pooler_output", "vision_model_output.pooler_output" };

    for (char **row = c->golden->covers; *row; row++) {
        for (gsize i = 0; i < G_N_ELEMENTS (outputs); i++) {
            const GoldenTensor *expected = golden_file_find (c->expected, outputs[i]);
            if (expected && is_shown_by (*row, outputs[i]))
                page_measure (c->page, *row, c->name,
                        largest_difference (find_tensor (tensors, outputs[i])->data, expected->data,
                                expected->n_elements),
                        get_tolerance (outputs[i], expected));
        }
    }
}

static void
test_model (gconstpointer data)
{
    g_auto (Case) c = { 0 };
    g_autoptr (GPtrArray) tensors = NULL;

    case_open (&c, data);
    g_test_message ("transformers %s: %s", c.golden->reference, c.golden->what);
    if (c.pictures.n > 0)
        test_pixels (&c);
    tensors = forward_all (&c);
    compare_all (&c, tensors, "");
    measure_covered_rows (&c, tensors);
    test_layers (&c);
    if (c.golden->decoded)
        test_decode (&c);
    if (golden_file_find (c.expected, "given.input_ids"))
        test_custom (&c);
    if (c.n_texts > 0 && c.pictures.n > 0) {
        test_features (&c);
        test_independence (&c, tensors);
    }
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
    g_auto (Case) c = { 0 };
    Worker workers[2] = { { &c, 1, 4, NULL }, { &c, 1, 4, NULL } };
    GThread *threads[2];
    g_autoptr (GPtrArray) alone = NULL;

    case_open (&c, data);
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
    g_auto (Case) c = { 0 };
    Worker worker = { &c, 3, 1, NULL };

    case_open (&c, data);
    work (&worker);
    compare_all (&c, worker.tensors, "");
    g_ptr_array_unref (worker.tensors);
}

/* ---- The page -------------------------------------------------------------------------------- */

/* What an omitted field of config.json means. */
static void
test_defaults (gconstpointer data)
{
    g_autoptr (AltclipConfig) config = altclip_config_new ();
    json_t *described = altclip_description_of_config (config);

    page_measure_config ((Page *)data, "defaults", NULL, described);
    json_decref (described);
}

/* A configuration made of the two towers' own. */
static void
test_composed (gconstpointer data)
{
    g_autofree char *text = golden_get_path ("text-old", "config.json");
    g_autofree char *vision = golden_get_path ("vision-old", "config.json");
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipConfig) config = altclip_config_compose (text, vision, &error);
    json_t *described;

    g_assert_no_error (error);
    described = altclip_description_of_config (config);
    page_measure_config ((Page *)data, "composed", "composed", described);
    json_decref (described);
}

/* The tables of all that was measured. */
static void
test_rows (gconstpointer data)
{
    g_autoptr (GoldenInputs) inputs = golden_inputs_read ();

    page_show_models ((Page *)data, inputs);
    page_show_rows ((Page *)data);
}

static void
add_test (Page *page, const char *model, const char *kernels, const char *name, GTestDataFunc run)
{
    g_autofree char *path = g_strdup_printf ("/parity/%s/%s/%s", model, kernels, name);
    CaseName *case_name = g_new (CaseName, 1);

    *case_name = (CaseName){ page, g_intern_string (model), kernels };
    g_test_add_data_func_full (path, case_name, run, g_free);
}

int
main (int argc, char **argv)
{
    g_autoptr (GoldenInputs) inputs = NULL;
    g_autoptr (Page) page = page_new ();
    gsize n_sets;
    const AltclipKernels *const *sets = altclip_kernels_list (&n_sets);
    const char *fastest = altclip_kernels_expect (NULL)->name;

    g_test_init (&argc, &argv, NULL);
    inputs = golden_inputs_read ();
    for (guint i = 0; i < inputs->models->len; i++) {
        const char *model = ((GoldenModel *)g_ptr_array_index (inputs->models, i))->name;

        for (gsize k = 0; k < n_sets; k++)
            if (sets[k]->precision == ALTCLIP_PRECISION_F32 && sets[k]->probe (NULL))
                add_test (page, model, sets[k]->name, "numbers", test_model);
        add_test (page, model, fastest, "threads", test_threads);
        add_test (page, model, fastest, "pool", test_pool);
    }
    add_test (page, "patch14", "openblas", "threads", test_threads);
    add_test (page, "patch14", "openblas", "pool", test_pool);
    add_test (page, "patch14", "reference", "threads", test_threads);
    add_test (page, "patch14", "reference", "pool", test_pool);
    g_test_add_data_func ("/parity/page/defaults", page, test_defaults);
    g_test_add_data_func ("/parity/page/composed", page, test_composed);
    g_test_add_data_func ("/parity/page/rows", page, test_rows);
    return g_test_run ();
}
