/* altclip: thousands of files that went wrong: each gives a result or one clear error, soon, and in
 * little memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * $ALTCLIP_MUTANTS says how many of each format (default: MUTANTS). The same ones come every time.
 * When one ends the program, it is still in the folder that was named before.
 */

#include "config.h"
#include "mutations/mutators.h"
#include "preprocessor.h"
#include "prompts_file.h"
#include "safetensors.h"
#include "shards.h"
#include "state_dict.h"
#include "still.h"
#include "tokenizer_config.h"
#include "tokenizer_json.h"
#include "verdict.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MAX_MEGABYTES 1024

/* Sanitizers take their time, and memory of their own. The time is the processor's, so that a busy
 * machine does not count. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define IS_SANITIZED TRUE
#define MUTANTS 200
#define MAX_SECONDS 25.0
#else
#define IS_SANITIZED FALSE
#define MUTANTS 500
#define MAX_SECONDS 5.0
#endif

typedef struct {
    const char *name;
    const char *seeds[8]; /* files in tests/, or folders of files that are called seed-… */
    void (*mutate) (GString *file, Dice *dice);
    /* Reads the file and passes judgement. Returns: whether there was a result */
    gboolean (*read) (const char *path, const GString *file);
} Format;

/* ---- Reading --------------------------------------------------------------------------------- */

static gboolean
read_safetensors (const char *path, const GString *file)
{
    g_autoptr (GBytes) bytes = g_bytes_new (file->str, file->len);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) tensors = altclip_safetensors_parse (path, bytes, &error);

    verdict_check (tensors != NULL, error, path);
    return tensors != NULL;
}

static gboolean
read_state_dict (const char *path, const GString *file)
{
    g_autoptr (GBytes) bytes = g_bytes_new (file->str, file->len);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) tensors = altclip_state_dict_parse (path, bytes, &error);

    verdict_check (tensors != NULL, error, path);
    return tensors != NULL;
}

static gboolean
read_index (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipShards) shards = altclip_shards_parse (path, file->str, file->len, &error);

    verdict_check (shards != NULL, error, path);
    return shards != NULL;
}

static gboolean
read_config (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipConfig) config = altclip_config_parse (path, file->str, file->len, &error);

    verdict_check (config != NULL, error, path);
    return config != NULL;
}

static gboolean
read_preprocessor (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    AltclipPreprocessorConfig config;
    gboolean ok;

    altclip_preprocessor_config_init (&config, 224);
    ok = altclip_preprocessor_config_parse (&config, path, file->str, file->len, &error);
    verdict_check (ok, error, path);
    return ok;
}

static gboolean
read_prompts_file (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts =
            altclip_prompts_parse_file (path, "/nowhere", file->str, file->len, still_load, &error);

    verdict_check (prompts != NULL, error, path);
    return prompts != NULL;
}

static gboolean
read_still (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GdkPixbuf) pixbuf =
            still_decode (path, (const guint8 *)file->str, file->len, &error);

    verdict_check (pixbuf != NULL, error, path);
    return pixbuf != NULL;
}

static gboolean
read_tokenizer (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTokenizer) tokenizer =
            altclip_tokenizer_parse (path, file->str, file->len, &error);
    g_autoptr (GArray) ids = NULL;

    verdict_check (tokenizer != NULL, error, path);
    if (!tokenizer)
        return FALSE;
    ids = altclip_tokenizer_encode (tokenizer, "a red ﬁsh, <mask> 一只猫 e\u0301", 16, &error);
    verdict_check (ids != NULL, error, NULL);
    return TRUE;
}

static gboolean
read_tokenizer_json (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTokenizer) tokenizer =
            altclip_tokenizer_parse_json (path, file->str, file->len, &error);

    verdict_check (tokenizer != NULL, error, path);
    return tokenizer != NULL;
}

static gboolean
read_tokenizer_config (const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    AltclipTokenizerConfig config;
    gboolean ok = altclip_tokenizer_config_parse (&config, path, file->str, file->len, &error);

    verdict_check (ok, error, path);
    return ok;
}

static gboolean
read_prompts (G_GNUC_UNUSED const char *path, const GString *file)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = NULL;
    const char *texts[3] = { NULL, NULL, NULL };
    gsize at = 0;

    for (gsize i = 0; i < G_N_ELEMENTS (texts) && at <= file->len; i++) {
        texts[i] = file->str + at;
        at += strlen (texts[i]) + 1;
    }
    prompts = altclip_prompts_parse (texts[0], texts[1], texts[2], &error);
    verdict_check (prompts != NULL, error, NULL);
    return prompts != NULL;
}

static const Format FORMATS[] = {
    { "safetensors", { "fuzz/corpus/safetensors", "golden/models/floor/model.safetensors" },
            mutate_safetensors, read_safetensors },
    { "state_dict", { "fuzz/corpus/state_dict", "golden/weights/views.bin" }, mutate_state_dict,
            read_state_dict },
    { "index", { "fuzz/corpus/index" }, mutate_json, read_index },
    { "config", { "fuzz/corpus/config", "golden/models/patch16/config.json" }, mutate_json,
            read_config },
    { "preprocessor", { "fuzz/corpus/preprocessor" }, mutate_json, read_preprocessor },
    { "tokenizer", { "fuzz/corpus/tokenizer", "golden/models/sentencepiece.bpe.model" },
            mutate_protobuf, read_tokenizer },
    { "tokenizer_json", { "fuzz/corpus/tokenizer_json" }, mutate_json, read_tokenizer_json },
    { "tokenizer_config", { "fuzz/corpus/tokenizer_config" }, mutate_json, read_tokenizer_config },
    { "prompts", { "fuzz/corpus/prompts" }, mutate_prompts, read_prompts },
    { "prompts_file", { "fuzz/corpus/prompts_file" }, mutate_json, read_prompts_file },
    { "still", { "fuzz/corpus/still" }, mutate_still, read_still },
};

/* ---- Seeds ----------------------------------------------------------------------------------- */

static void
add_seed (GPtrArray *seeds, const char *path)
{
    g_autoptr (GError) error = NULL;
    char *contents;
    gsize n;

    g_file_get_contents (path, &contents, &n, &error);
    g_assert_no_error (error);
    g_ptr_array_add (seeds, g_bytes_new_take (contents, n));
}

static gint
compare_paths (gconstpointer a, gconstpointer b)
{
    return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
add_seeds (GPtrArray *seeds, const char *folder)
{
    g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
    GDir *directory = g_dir_open (folder, 0, NULL);
    const char *name;

    g_assert_nonnull (directory);
    while ((name = g_dir_read_name (directory))) {
        if (g_str_has_prefix (name, "seed-"))
            g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
    }
    g_dir_close (directory);
    g_ptr_array_sort (paths, compare_paths);
    for (guint i = 0; i < paths->len; i++)
        add_seed (seeds, g_ptr_array_index (paths, i));
}

static GPtrArray *
read_seeds (const Format *format)
{
    GPtrArray *seeds = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);

    for (gsize i = 0; i < G_N_ELEMENTS (format->seeds) && format->seeds[i]; i++) {
        g_autofree char *path = g_test_build_filename (G_TEST_DIST, format->seeds[i], NULL);

        if (g_file_test (path, G_FILE_TEST_IS_DIR))
            add_seeds (seeds, path);
        else
            add_seed (seeds, path);
    }
    g_assert_cmpuint (seeds->len, >, 0);
    return seeds;
}

/* ---- Mutants --------------------------------------------------------------------------------- */

static guint
get_n_mutants (void)
{
    const char *n = g_getenv ("ALTCLIP_MUTANTS");

    return n ? (guint)g_ascii_strtoull (n, NULL, 10) : MUTANTS;
}

/* Onto the same file, which is faster than a new one each time. */
static void
write_file (const char *path, const char *contents, gsize n)
{
    int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    g_assert_cmpint (fd, >=, 0);
    g_assert_cmpint (write (fd, contents, n), ==, n);
    g_assert_cmpint (close (fd), ==, 0);
}

/* Returns: most memory that was in use since the last reset, in MiB */
static double
get_peak (void)
{
    g_autofree char *status = NULL;
    const char *line;

    g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
    line = strstr (status, "VmHWM:");
    g_assert_nonnull (line);
    return (double)g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) / 1024.0;
}

/* Not everywhere possible, in which case the peak is that of all formats so far. */
static void
reset_peak (void)
{
    int fd = g_open ("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC, 0);

    if (fd < 0)
        return;
    if (write (fd, "5", 1) != 1)
        g_test_message ("the peak of memory use is that of the whole program");
    close (fd);
}

/* What became of the mutants of a format. */
typedef struct {
    guint n;
    guint n_results;
    double slowest; /* seconds */
} Tally;

/* Writes @file to @path, so that it is there if reading ends the program, and reads it. */
static void
read_file (const Format *format, const char *path, const GString *file, Tally *tally)
{
    clock_t begin;
    double seconds;

    write_file (path, file->str, file->len);
    begin = clock ();
    tally->n_results += format->read (path, file);
    seconds = (double)(clock () - begin) / CLOCKS_PER_SEC;
    if (seconds > MAX_SECONDS)
        verdict_fail ("%s took %.1f s", path, seconds);
    tally->slowest = MAX (tally->slowest, seconds);
    tally->n++;
}

static void
read_mutant (const Format *format, GBytes *seed, Dice *dice, const char *path, Tally *tally)
{
    g_autoptr (GString) mutant =
            g_string_new_len (g_bytes_get_data (seed, NULL), (gssize)g_bytes_get_size (seed));

    format->mutate (mutant, dice);
    read_file (format, path, mutant, tally);
}

static void
check_tally (const Tally *tally)
{
    double peak = get_peak ();

    g_test_message ("%u files: %u results, %u errors; the slowest took %.3f s, peak %.0f MiB",
            tally->n, tally->n_results, tally->n - tally->n_results, tally->slowest, peak);
    if (!IS_SANITIZED)
        g_assert_cmpfloat (peak, <, MAX_MEGABYTES);
}

static void
test_format (gconstpointer data)
{
    const Format *format = data;
    g_autoptr (GPtrArray) seeds = read_seeds (format);
    g_autofree char *directory = g_dir_make_tmp ("altclip-mutations-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (directory, format->name, NULL);
    guint n_mutants = get_n_mutants ();
    Tally tally = { 0, 0, 0.0 };

    g_test_message ("%s", path);
    reset_peak ();
    for (guint i = 0; i < n_mutants; i++) {
        Dice dice = dice_new (format->name, i);
        GBytes *seed = g_ptr_array_index (seeds, dice_roll (&dice, seeds->len));

        read_mutant (format, seed, &dice, path, &tally);
    }
    check_tally (&tally);
    g_assert_cmpuint (tally.n_results, >, 0);
    g_assert_cmpuint (tally.n_results, <, tally.n);
    g_unlink (path);
    g_rmdir (directory);
}

/* ---- Bombs ----------------------------------------------------------------------------------- */

/* Room for the end of a text. */
#define N_END 64

/* What takes the most memory for its length: empty objects, in a list and by names. */
static void
fill_with_elements (GString *file, gsize max)
{
    g_string_append (file, "{\"model\":[");
    while (file->len < max - N_END)
        g_string_append (file, "{},");
    g_string_append (file, "0]}");
}

static void
fill_with_members (GString *file, gsize max)
{
    g_string_append (file, "{");
    for (guint i = 0; file->len < max - N_END; i++)
        g_string_append_printf (file, "\"%x\":{},", i);
    g_string_append (file, "\"model\":{}}");
}

static void
fill_with_embeddings (GString *file, gsize max)
{
    g_string_append (file, "{\"version\":1,\"labels\":[");
    for (guint i = 0; file->len < max - 2 * 32768 - N_END; i++) {
        g_string_append_printf (file, "%s{\"label\":\"%x\",\"embedding\":[1", i ? "," : "", i);
        for (guint k = 1; k < 32768; k++)
            g_string_append (file, ",0");
        g_string_append (file, "]}");
    }
    g_string_append (file, "]}");
}

static void
fill_with_texts (GString *file, gsize max)
{
    g_string_append (file, "{\"version\":1,\"labels\":[");
    for (guint i = 0; file->len < max - 4 * 1000 - N_END; i++) {
        g_string_append_printf (file, "%s{\"label\":\"%x\",\"texts\":[\"a\"", i ? "," : "", i);
        for (guint k = 1; k < 1000; k++)
            g_string_append (file, ",\"a\"");
        g_string_append (file, "]}");
    }
    g_string_append (file, "]}");
}

/* As many pieces as there may be. */
static void
fill_with_vocabulary (GString *file, gsize max)
{
    g_string_append (file, "{\"model\":{\"unk_id\":3,\"vocab\":[[\"<s>\",0],[\"<pad>\",0],"
                           "[\"</s>\",0],[\"<unk>\",0]");
    for (guint i = 0; i < 990000 && file->len < max - N_END; i++)
        g_string_append_printf (file, ",[\"%x\",-1]", i);
    g_string_append (file,
            ",[\"<mask>\",0]]},\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":"
            "\"\xe2\x96\x81\",\"add_prefix_space\":true}}");
}

/* Of the largest size that each format may have. */
static const struct {
    const char *format;
    void (*fill) (GString *file, gsize max);
    gsize max;
} BOMBS[] = {
    { "safetensors", fill_with_elements, ALTCLIP_SAFETENSORS_MAX_HEADER },
    { "safetensors", fill_with_members, ALTCLIP_SAFETENSORS_MAX_HEADER },
    { "index", fill_with_members, ALTCLIP_SHARDS_MAX_BYTES },
    { "config", fill_with_elements, ALTCLIP_CONFIG_MAX_BYTES },
    { "prompts_file", fill_with_embeddings, ALTCLIP_PROMPTS_FILE_MAX_BYTES },
    { "prompts_file", fill_with_texts, ALTCLIP_PROMPTS_FILE_MAX_BYTES },
    { "tokenizer_json", fill_with_elements, ALTCLIP_TOKENIZER_MAX_BYTES },
    { "tokenizer_json", fill_with_vocabulary, ALTCLIP_TOKENIZER_MAX_BYTES },
};

static const Format *
find_format (const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
        if (strcmp (FORMATS[i].name, name) == 0)
            return &FORMATS[i];
    }
    g_assert_not_reached ();
}

static void
add_length (GString *file)
{
    guint64 length = GUINT64_TO_LE (file->len);

    g_string_prepend_len (file, (const char *)&length, sizeof length);
}

static void
test_bombs (void)
{
    g_autofree char *directory = g_dir_make_tmp ("altclip-mutations-XXXXXX", NULL);
    g_autofree char *path = g_build_filename (directory, "bomb", NULL);

    g_test_message ("%s", path);
    for (gsize i = 0; i < G_N_ELEMENTS (BOMBS); i++) {
        const Format *format = find_format (BOMBS[i].format);
        g_autoptr (GString) file = g_string_new (NULL);
        Tally tally = { 0, 0, 0.0 };

        BOMBS[i].fill (file, BOMBS[i].max);
        if (format->mutate == mutate_safetensors)
            add_length (file);
        reset_peak ();
        read_file (format, path, file, &tally);
        g_test_message ("%s, %" G_GSIZE_FORMAT " bytes", format->name, file->len);
        check_tally (&tally);
        malloc_trim (0);
    }
    g_unlink (path);
    g_rmdir (directory);
}

/* ---- Whole models ---------------------------------------------------------------------------- */

static const char MODEL_CONFIG[] =
        "{\"projection_dim\": 6, \"text_config\": {\"vocab_size\": 40, \"hidden_size\": 4,"
        " \"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"intermediate_size\": 8,"
        " \"max_position_embeddings\": 16, \"project_dim\": 6, \"initializer_factor\": 0.2},"
        " \"vision_config\": {\"hidden_size\": 12, \"num_hidden_layers\": 1, "
        "\"num_attention_heads\": 3,"
        " \"intermediate_size\": 10, \"image_size\": 8, \"patch_size\": 4, \"num_channels\": 1}}";

/* Opening computes two pictures. */
static gboolean
read_model (const char *path, G_GNUC_UNUSED const GString *file)
{
    g_autofree char *directory = g_path_get_dirname (path);
    const AltclipModelOptions options = { .kernels = "reference", .threads = 1 };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, &error);

    verdict_check (model != NULL, error, directory);
    return model != NULL;
}

static const Format MODEL_FILES[] = {
    { "config.json", { NULL }, mutate_json, read_model },
    { "preprocessor_config.json", { NULL }, mutate_json, read_model },
    { "model.safetensors", { NULL }, mutate_safetensors, read_model },
};

static char *
make_model (void)
{
    char *directory = g_dir_make_tmp ("altclip-mutations-XXXXXX", NULL);
    g_autofree char *source = g_build_filename (directory, "source.json", NULL);
    g_autoptr (GError) error = NULL;

    g_assert_true (g_file_set_contents (source, MODEL_CONFIG, -1, NULL));
    altclip_initialise (source, 1, directory, &error);
    g_assert_no_error (error);
    g_unlink (source);
    return directory;
}

/* One file at a time goes wrong, or no longer agrees with the others. */
static void
mutate_model (const char *directory, guint index, Tally *tally)
{
    const Format *format = &MODEL_FILES[index % G_N_ELEMENTS (MODEL_FILES)];
    Dice dice = dice_new ("model", index);
    g_autofree char *path = g_build_filename (directory, format->name, NULL);
    g_autoptr (GBytes) good = NULL;
    char *contents;
    gsize n;

    g_assert_true (g_file_get_contents (path, &contents, &n, NULL));
    good = g_bytes_new_take (contents, n);
    read_mutant (format, good, &dice, path, tally);
    write_file (path, contents, n);
}

static void
test_models (void)
{
    g_autofree char *directory = make_model ();
    guint n_mutants = get_n_mutants ();
    Tally tally = { 0, 0, 0.0 };

    g_test_message ("%s", directory);
    reset_peak ();
    for (guint i = 0; i < n_mutants; i++)
        mutate_model (directory, i, &tally);
    check_tally (&tally);
    for (gsize i = 0; i < G_N_ELEMENTS (MODEL_FILES); i++) {
        g_autofree char *path = g_build_filename (directory, MODEL_FILES[i].name, NULL);
        g_assert_cmpint (g_unlink (path), ==, 0);
    }
    g_rmdir (directory);
}

/* ---- Running them ---------------------------------------------------------------------------- */

/* A reader that asks for too much shall fail rather than fill the machine. Address space is not
 * memory in use: threads and allocators reserve some. */
static void
limit_memory (void)
{
    struct rlimit limit = { (rlim_t)8 * MAX_MEGABYTES << 20, RLIM_INFINITY };

    if (!IS_SANITIZED)
        g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    limit_memory ();
    for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
        g_autofree char *path = g_strconcat ("/mutations/", FORMATS[i].name, NULL);
        g_test_add_data_func (path, &FORMATS[i], test_format);
    }
    g_test_add_func ("/mutations/model", test_models);
    g_test_add_func ("/mutations/bombs", test_bombs);
    return g_test_run ();
}
