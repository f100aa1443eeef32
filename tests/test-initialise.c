/* altclip: random weights against the reference's distributions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Goldens: golden/make_initialise_golden.py.
 */

#include "config.h"
#include "file.h"
#include "random.h"
#include "safetensors.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* Models per configuration, so that a narrow tensor's deviation is known well enough. */
#define N_MODELS 64

/* How many standard errors an estimate may be off; one in two billion is further. */
#define MAX_ERRORS 6.0

/* ---- Random numbers -------------------------------------------------------------------------- */

/* The same on every machine: these were taken from one. */
static void
test_known_numbers (void)
{
    static const float expected[] = { 0x1.36182ap-6f, -0x1.f9090ap-9f, -0x1.d94e82p-7f,
        -0x1.0cad64p-6f, 0x1.1702ecp-8f, -0x1.9124d2p-8f, -0x1.d28e3ap-9f, 0x1.51730cp-9f };
    float found[G_N_ELEMENTS (expected)];

    altclip_random_fill_normal (
            altclip_random_get_key (7, 3), 0, G_N_ELEMENTS (found), 0.02, found);
    for (gsize i = 0; i < G_N_ELEMENTS (found); i++)
        g_assert_cmpfloat (found[i], ==, expected[i]);
}

/* Parts of any even beginning and any length are parts of one sequence. */
static void
test_parts (void)
{
    guint64 key = altclip_random_get_key (1, 2);
    float whole[1000];

    altclip_random_fill_normal (key, 0, G_N_ELEMENTS (whole), 1.0, whole);
    for (gsize first = 0; first < G_N_ELEMENTS (whole); first += 166) {
        for (gsize n = 1; n <= G_N_ELEMENTS (whole) - first; n = n * 3 + 1) {
            g_autofree float *part = g_new (float, n);

            altclip_random_fill_normal (key, first, n, 1.0, part);
            g_assert_cmpmem (part, n * sizeof *part, whole + first, n * sizeof *part);
        }
    }
}

static gint
compare_floats (gconstpointer a, gconstpointer b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Kolmogorov's distance to the normal distribution, and what neighbours have to do with each other.
 */
static void
test_distribution (void)
{
    const gsize n = 1 << 20;
    g_autofree float *numbers = g_new (float, n);
    double neighbours = 0.0;
    double distance = 0.0;

    altclip_random_fill_normal (altclip_random_get_key (0, 0), 0, n, 2.0, numbers);
    for (gsize i = 1; i < n; i++)
        neighbours += (double)numbers[i - 1] * (double)numbers[i] / 4.0;
    g_assert_cmpfloat (fabs (neighbours), <, MAX_ERRORS * sqrt ((double)n));
    qsort (numbers, n, sizeof *numbers, compare_floats);
    for (gsize i = 0; i < n; i++) {
        double expected = 0.5 * erfc (-(double)numbers[i] / 2.0 / G_SQRT2);

        distance = MAX (distance, fabs (expected - ((double)i + 0.5) / (double)n));
    }
    g_test_message ("Kolmogorov's distance · √n: %.2f", distance * sqrt ((double)n));
    g_assert_cmpfloat (distance * sqrt ((double)n), <, 2.0); /* one in 1500 is further */
    g_assert_cmpfloat (numbers[n - 1], >, 8.0);
}

/* ---- Models ---------------------------------------------------------------------------------- */

typedef struct {
    char *directory;
    char *config;
    char *made; /* by initialising */
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    fixture->directory = g_dir_make_tmp ("altclip-initialise-XXXXXX", NULL);
    fixture->config = g_build_filename (fixture->directory, "config.json", NULL);
    fixture->made = g_build_filename (fixture->directory, "made", NULL);
}

static void
remove_made (Fixture *fixture)
{
    static const char *const names[] = { "config.json", "preprocessor_config.json",
        "model.safetensors" };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *path = g_build_filename (fixture->made, names[i], NULL);
        g_unlink (path);
    }
    g_rmdir (fixture->made);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    remove_made (fixture);
    g_unlink (fixture->config);
    g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
    g_free (fixture->directory);
    g_free (fixture->config);
    g_free (fixture->made);
}

static json_t *
load_golden (void)
{
    g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", "initialise.json", NULL);
    json_t *root = json_load_file (path, 0, NULL);

    g_assert_nonnull (root);
    return root;
}

static AltclipTensorFile *
initialise (Fixture *fixture, guint64 seed)
{
    g_autofree char *path = g_build_filename (fixture->made, "model.safetensors", NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) bytes = NULL;
    AltclipTensorFile *file;

    altclip_initialise (fixture->config, seed, fixture->made, &error);
    g_assert_no_error (error);
    bytes = altclip_file_map (path, NULL, &error);
    g_assert_no_error (error);
    file = altclip_safetensors_parse (path, bytes, &error);
    g_assert_no_error (error);
    return file;
}

/* What is known of a tensor after a number of models. */
typedef struct {
    gsize n_drawn; /* of one model */
    double sum;
    double squares;
} Sums;

static gboolean
is_zero_row (json_t *golden, gsize row)
{
    json_t *rows = json_object_get (golden, "zero_rows");

    for (gsize i = 0; i < json_array_size (rows); i++) {
        if ((gsize)json_integer_value (json_array_get (rows, i)) == row)
            return TRUE;
    }
    return FALSE;
}

static void
add_tensor (const AltclipStoredTensor *tensor, json_t *golden, Sums *sums)
{
    json_t *shape = json_object_get (golden, "shape");
    gsize n_rows = tensor->n_dims > 1 ? tensor->dims[0] : 1;
    gsize width = tensor->n_elements / n_rows;
    g_autofree float *row = g_new (float, width);

    g_assert_cmpuint (tensor->n_dims, ==, json_array_size (shape));
    for (guint i = 0; i < tensor->n_dims; i++)
        g_assert_cmpuint (tensor->dims[i], ==, json_integer_value (json_array_get (shape, i)));
    sums->n_drawn = 0;
    for (gsize r = 0; r < n_rows; r++) {
        gboolean is_zero = is_zero_row (golden, r);

        altclip_stored_tensor_read (tensor, r * width, width, row);
        for (gsize i = 0; i < width; i++) {
            g_assert_true (!is_zero || row[i] == 0.0f);
            sums->sum += (double)row[i];
            sums->squares += (double)row[i] * (double)row[i];
        }
        sums->n_drawn += is_zero ? 0 : width;
    }
}

/* Both estimates have errors of their own: those of a mean, and those of a deviation. */
static void
check_sums (const char *name, json_t *golden, const Sums *sums, double golden_models)
{
    double deviation = json_number_value (json_object_get (golden, "deviation"));
    double n = (double)sums->n_drawn * N_MODELS;
    double golden_n = (double)sums->n_drawn * golden_models;
    double error = sqrt (1.0 / n + 1.0 / golden_n);
    double mean = json_number_value (json_object_get (golden, "mean"));

    if (sums->n_drawn == 0)
        return;
    if (deviation == 0.0) {
        g_assert_cmpfloat_with_epsilon (sums->sum / n, mean, 1e-6);
        g_assert_cmpfloat_with_epsilon (sums->squares / n, mean * mean, 1e-6);
        return;
    }
    g_test_message ("%s: %.5f, reference %.5f", name, sqrt (sums->squares / n), deviation);
    g_assert_cmpfloat_with_epsilon (sums->sum / n, mean, MAX_ERRORS * deviation * error);
    g_assert_cmpfloat_with_epsilon (
            sqrt (sums->squares / n), deviation, MAX_ERRORS * deviation * error / G_SQRT2);
}

/* Every tensor that the reference has, no other, and each drawn as there. */
static void
check_case (Fixture *fixture, json_t *golden, double golden_models)
{
    json_t *tensors = json_object_get (golden, "tensors");
    g_autofree Sums *sums = g_new0 (Sums, json_object_size (tensors));
    const char *name;
    json_t *tensor;
    gsize at = 0;

    g_assert_cmpint (
            json_dump_file (json_object_get (golden, "config"), fixture->config, 0), ==, 0);
    for (guint64 seed = 0; seed < N_MODELS; seed++) {
        g_autoptr (AltclipTensorFile) file = initialise (fixture, seed);

        g_assert_cmpuint (file->tensors->len, ==, json_object_size (tensors));
        for (guint i = 0; i < file->tensors->len; i++) {
            const AltclipStoredTensor *stored = g_ptr_array_index (file->tensors, i);
            json_t *expected = json_object_get (tensors, stored->name);

            if (!expected)
                g_error ("the reference has no '%s'", stored->name);
            at = 0;
            json_object_foreach (tensors, name, tensor)
            {
                if (tensor == expected)
                    break;
                at++;
            }
            add_tensor (stored, expected, &sums[at]);
        }
    }
    at = 0;
    json_object_foreach (tensors, name, tensor)
            check_sums (name, tensor, &sums[at++], golden_models);
}

static void
test_deviations (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    json_t *root = load_golden ();
    double golden_models = json_number_value (json_object_get (root, "models"));
    json_t *golden;
    gsize i;

    json_array_foreach (json_object_get (root, "cases"), i, golden)
    {
        check_case (fixture, golden, golden_models);
        remove_made (fixture);
    }
    json_decref (root);
}

/* What is written opens, as a whole or as the tower that its configuration names. */
static void
test_opens (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const AltclipTowers towers[] = { ALTCLIP_TOWER_TEXT | ALTCLIP_TOWER_IMAGE,
        ALTCLIP_TOWER_TEXT, ALTCLIP_TOWER_IMAGE };
    json_t *root = load_golden ();
    json_t *golden;
    gsize i;

    json_array_foreach (json_object_get (root, "cases"), i, golden)
    {
        g_autoptr (AltclipTensorFile) file = NULL;
        g_autoptr (AltclipModel) model = NULL;
        g_autoptr (GError) error = NULL;

        json_dump_file (json_object_get (golden, "config"), fixture->config, 0);
        file = initialise (fixture, 1);
        model = altclip_model_open (fixture->made, NULL, NULL, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (altclip_model_get_info (model)->towers, ==, towers[i]);
        remove_made (fixture);
    }
    json_decref (root);
}

/* ---- Refused --------------------------------------------------------------------------------- */

static void
test_too_large (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *message = g_strconcat (
            fixture->config, ": a model of 8584263681 parameters; the limit is 2000000000", NULL);

    g_assert_true (g_file_set_contents (fixture->config,
            "{\"text_config\": {\"vocab_size\": 8000000}, \"vision_config\": {}}", -1, NULL));
    g_assert_false (altclip_initialise (fixture->config, 0, fixture->made, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG);
    g_assert_cmpstr (error->message, ==, message);
    g_assert_false (g_file_test (fixture->made, G_FILE_TEST_EXISTS));
}

/* A full disk leaves no half of a file that looks like a model. */
static void
test_full_disk (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *weights = g_build_filename (fixture->made, "model.safetensors", NULL);
    g_autofree char *message = g_strconcat (weights, ": ", NULL);
    g_autoptr (GError) error = NULL;
    json_t *root = load_golden ();
    struct rlimit limit;
    struct rlimit small;

    json_dump_file (json_object_get (json_array_get (json_object_get (root, "cases"), 0), "config"),
            fixture->config, 0);
    json_decref (root);
    signal (SIGXFSZ, SIG_IGN);
    g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
    small = (struct rlimit){ 40000, limit.rlim_max };
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
    g_assert_false (altclip_initialise (fixture->config, 0, fixture->made, &error));
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO);
    g_assert_true (g_str_has_prefix (error->message, message));
    g_assert_false (g_file_test (weights, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test) (Fixture *fixture, gconstpointer data);
    } tests[] = {
        { "/initialise/deviations", test_deviations },
        { "/initialise/opens", test_opens },
        { "/initialise/too-large", test_too_large },
        { "/initialise/full-disk", test_full_disk },
    };

    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/initialise/known-numbers", test_known_numbers);
    g_test_add_func ("/initialise/parts", test_parts);
    g_test_add_func ("/initialise/distribution", test_distribution);
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
        g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run ();
}
