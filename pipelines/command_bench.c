/* altclip bench: how fast pictures are embedded here
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipsettings.h"
#include "command_model.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define MAX_BATCH 256
#define MAX_THREADS 1024
#define MAX_RUNS 100000

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* Image towers that people use. */
static const struct {
    const char *name;
    int hidden_size;
    int num_hidden_layers;
    int num_attention_heads;
    int patch_size;
    int image_size;
    int projection_dim;
} SHAPES[] = {
    { "vit-b-32", 768, 12, 12, 32, 224, 512 },
    { "vit-b-16", 768, 12, 12, 16, 224, 512 },
    { "vit-l-14", 1024, 24, 16, 14, 224, 768 },
    { "vit-l-14-336", 1024, 24, 16, 14, 336, 768 },
};

/* Returns: (transfer full) (nullable): the configuration of a model with that image tower, and with
 * the smallest of text towers */
static json_t *
new_config (const char *shape)
{
    for (gsize i = 0; i < G_N_ELEMENTS (SHAPES); i++) {
        if (g_str_equal (shape, SHAPES[i].name))
            return json_pack ("{s:s, s:i, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i},"
                              " s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s}}",
                    "model_type", "altclip", "projection_dim", SHAPES[i].projection_dim,
                    "text_config", "vocab_size", 16, "hidden_size", 8, "intermediate_size", 8,
                    "num_hidden_layers", 1, "num_attention_heads", 1, "max_position_embeddings", 16,
                    "project_dim", 8, "vision_config", "hidden_size", SHAPES[i].hidden_size,
                    "intermediate_size", 4 * SHAPES[i].hidden_size, "num_hidden_layers",
                    SHAPES[i].num_hidden_layers, "num_attention_heads",
                    SHAPES[i].num_attention_heads, "patch_size", SHAPES[i].patch_size, "image_size",
                    SHAPES[i].image_size, "projection_dim", SHAPES[i].projection_dim, "hidden_act",
                    "quick_gelu");
    }
    return NULL;
}

/* Deletes a folder of ours and the files in it. */
static void
delete_folder (const char *directory)
{
    g_autoptr (GDir) folder = g_dir_open (directory, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name (folder))) {
        g_autofree char *path = g_build_filename (directory, name, NULL);

        g_unlink (path);
    }
    g_rmdir (directory);
}

/* Returns: whether @directory, a new folder, holds random weights of @config */
static gboolean
write_model (const json_t *config, const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename (directory, "shape.json", NULL);
    char *text = json_dumps (config, JSON_COMPACT);
    gboolean ok = g_file_set_contents (path, text, -1, error) &&
                  altclip_initialise (path, 0, directory, error);

    free (text);
    return ok;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

typedef struct {
    char *shape;
    char *batch_text;
    char *threads_text;
    char *runs_text;
    ModelArguments model;
    guint batch;
    guint threads;
    guint runs;
} Options;

static void
options_clear (Options *options)
{
    g_free (options->shape);
    model_arguments_clear (&options->model);
    g_free (options->batch_text);
    g_free (options->threads_text);
    g_free (options->runs_text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* Noise. Returns: (transfer full): [n] */
static float *
new_pixel_values (gsize n)
{
    float *pixel_values = g_new (float, n);
    guint32 state = 1;

    for (gsize i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        pixel_values[i] = (float)(gint32)state * 0x1p-31f;
    }
    return pixel_values;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
    const gint64 *left = a;
    const gint64 *right = b;

    return (*left > *right) - (*left < *right);
}

/* Returns: (transfer full) (nullable): microseconds of each run, the shortest first; one run before
 * them is not counted, which finds memory and caches cold */
static gint64 *
measure (AltclipSession *session, const Options *options, GError **error)
{
    const AltclipModelInfo *info = altclip_model_get_info (altclip_session_get_model (session));
    gsize picture = (gsize)info->num_channels * info->image_size * info->image_size;
    g_autofree float *pixel_values = new_pixel_values (options->batch * picture);
    g_autofree float *embeddings = g_new (float, (gsize)options->batch * info->projection_dim);
    g_autofree gint64 *times = g_new (gint64, options->runs);

    for (guint run = 0; run <= options->runs; run++) {
        gint64 begin = g_get_monotonic_time ();

        if (!altclip_session_encode_images (
                    session, pixel_values, options->batch, embeddings, error))
            return NULL;
        if (run > 0)
            times[run - 1] = g_get_monotonic_time () - begin;
    }
    qsort (times, options->runs, sizeof *times, compare_times);
    return g_steal_pointer (&times);
}

static json_t *
describe (AltclipModel *model, const char *name, const Options *options, const gint64 *times)
{
    double median = (double)(times[(options->runs - 1) / 2] + times[options->runs / 2]) / 2.0;
    struct rusage usage;
    json_t *object;

    getrusage (RUSAGE_SELF, &usage);
    object = json_pack ("{s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:I, s:I}", "model", name, "threads",
            (int)options->threads, "batch", (int)options->batch, "runs", (int)options->runs,
            "ms_min", (double)times[0] / 1000.0 / options->batch, "ms_median",
            median / 1000.0 / options->batch, "images_per_second", 1e6 * options->batch / median,
            "model_memory", (json_int_t)altclip_model_get_memory (model), "peak_memory",
            (json_int_t)usage.ru_maxrss * 1024);
    command_describe_kernels (model, object);
    return object;
}

/* @temporary: (nullable): a folder that is deleted once it is not needed any more */
static int
bench (const char *directory, const char *name, const Options *options, const char *temporary)
{
    const AltclipModelOptions model_options = { .threads = options->threads,
        .flags = ALTCLIP_MODEL_LAZY,
        .precision = options->model.precision };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &model_options, NULL, &error);
    g_autoptr (AltclipSession) session =
            model ? altclip_session_new (model, options->threads, &error) : NULL;
    g_autofree gint64 *times = session ? measure (session, options, &error) : NULL;

    if (temporary)
        delete_folder (temporary);
    if (!times)
        return command_fail (error);
    return command_print (describe (model, name, options, times)) ? STATUS_OK : STATUS_FAILED;
}

static int
bench_shape (const json_t *config, const Options *options)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp ("altclip-bench-XXXXXX", &error);

    if (!directory)
        return command_fail (error);
    if (!write_model (config, directory, &error)) {
        delete_folder (directory);
        return command_fail (error);
    }
    return bench (directory, options->shape, options, directory);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* Whether @text (nullable) is a number from @least to @most, which goes to @number. */
static gboolean
parse_number (const char *option, const char *text, guint least, guint most, guint *number)
{
    guint64 value;

    if (!text)
        return TRUE;
    if (!g_ascii_string_to_unsigned (text, 10, least, most, &value, NULL)) {
        command_refuse (
                &COMMAND_BENCH, "%s is '%s', but must be %u to %u", option, text, least, most);
        return FALSE;
    }
    *number = (guint)value;
    return TRUE;
}

static gboolean
check (Options *options, const char *model)
{
    if (options->shape && model) {
        command_refuse (&COMMAND_BENCH, "a --shape takes the place of a MODEL");
        return FALSE;
    }
    return parse_number ("--batch", options->batch_text, 1, MAX_BATCH, &options->batch) &&
           parse_number ("--threads", options->threads_text, 0, MAX_THREADS, &options->threads) &&
           parse_number ("--runs", options->runs_text, 1, MAX_RUNS, &options->runs) &&
           model_arguments_check (&COMMAND_BENCH, &options->model);
}

/* Returns: (transfer full): the directory of the model that altclipfilter takes without one */
static char *
find_model (void)
{
    const GstAltclipSettings nothing = { .model = NULL };
    gboolean bundled;
    char *directory = gst_altclip_settings_find_model (&nothing, &bundled);

    command_warn ("no MODEL was named: %s serves, %s",
            bundled ? "the bundled one" : "that of $ALTCLIP_MODEL", directory);
    return directory;
}

static int
bench_directory (const char *directory, const Options *options)
{
    g_autofree char *found = directory ? NULL : find_model ();
    const char *model = directory ? directory : found;
    g_autofree char *name = g_filename_display_name (model);

    return bench (model, name, options, NULL);
}

static int
refuse_shape (const char *shape)
{
    g_autoptr (GString) names = g_string_new (SHAPES[0].name);

    for (gsize i = 1; i < G_N_ELEMENTS (SHAPES); i++)
        g_string_append_printf (names, ", %s", SHAPES[i].name);
    return command_refuse (
            &COMMAND_BENCH, "--shape is '%s', but must be one of %s", shape, names->str);
}

static int
run (int argc, char **argv)
{
    g_auto (Options) options = { .batch = 1, .runs = 10 };
    g_auto (GStrv) operands = NULL;
    json_t *config;
    const GOptionEntry entries[] = {
        { "shape", 0, 0, G_OPTION_ARG_FILENAME, &options.shape,
                "Random weights: vit-b-32, vit-b-16, vit-l-14 or vit-l-14-336", "SHAPE" },
        MODEL_PRECISION_ENTRY (options.model, MODEL_PRECISION_NAMES),
        { "batch", 'b', 0, G_OPTION_ARG_FILENAME, &options.batch_text, "Pictures at a time (1)",
                "N" },
        { "threads", 't', 0, G_OPTION_ARG_FILENAME, &options.threads_text,
                "Threads to compute with (0: one per core)", "N" },
        { "runs", 'r', 0, G_OPTION_ARG_FILENAME, &options.runs_text, "Times to measure (10)", "N" },
        G_OPTION_ENTRY_NULL,
    };
    int status;

    if (!command_parse (&COMMAND_BENCH, entries, 0, 1, argc, argv, &operands, &status))
        return status;
    if (!check (&options, operands ? operands[0] : NULL))
        return STATUS_USAGE;
    if (options.threads == 0)
        options.threads = g_get_num_processors ();
    if (!options.shape)
        return bench_directory (operands ? operands[0] : NULL, &options);
    config = new_config (options.shape);
    if (!config)
        return refuse_shape (options.shape);
    status = bench_shape (config, &options);
    json_decref (config);
    return status;
}

const Command COMMAND_BENCH = {
    .name = "bench",
    .summary = "Measure how fast pictures are embedded on this machine",
    .operands = "[MODEL]",
    .description =
            "Prints one JSON object. \"ms_min\" and \"ms_median\" are milliseconds a picture, of "
            "all\nruns but one before them; \"peak_memory\" is the process's, in bytes, and "
            "\"model_memory\"\nwhat the weights take; \"trial\" has the times of one product that\n"
            "--precision auto was decided by; \"finer_layers\" is how many layers --precision "
            "int8\n"
            "leaves to what auto would be. Pictures are noise, and not preprocessed.\n"
            "\n"
            "Without a MODEL, that of $ALTCLIP_MODEL serves, else the bundled one.\n"
            "--shape makes random weights in the folder for temporary files ($TMPDIR), of up to\n"
            "1.3 GB, and deletes them.\n"
            "\n"
            "Examples:\n"
            "  altclip bench\n"
            "  altclip bench models/demo\n"
            "  altclip bench --shape vit-l-14 --precision bf16 --threads 2",
    .run = run,
};
