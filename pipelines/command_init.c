/* altclip init: a model of random weights
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

/* Unless it is an image tower alone, the model needs one for texts. */
static void
warn_without_tokenizer (const char *directory)
{
    const AltclipModelOptions options = { .flags = ALTCLIP_MODEL_LAZY };
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, NULL);
    g_autofree char *pieces = g_build_filename (directory, "sentencepiece.bpe.model", NULL);
    g_autofree char *json = g_build_filename (directory, "tokenizer.json", NULL);

    if (!model || !(altclip_model_get_info (model)->towers & ALTCLIP_TOWER_TEXT))
        return;
    if (!g_file_test (pieces, G_FILE_TEST_EXISTS) && !g_file_test (json, G_FILE_TEST_EXISTS))
        command_warn ("%s: put a tokenizer there before using texts", pieces);
}

/* Whether @directory holds no weights yet, of whatever format, so that neither they nor the
 * configuration that is theirs are replaced by a slip of the hand; complains if it does. */
static gboolean
check_is_new (const char *directory)
{
    static const char *const names[] = { "model.safetensors", "model.safetensors.index.json",
        "pytorch_model.bin", "pytorch_model.bin.index.json" };

    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *path = g_build_filename (directory, names[i], NULL);

        if (!g_file_test (path, G_FILE_TEST_EXISTS))
            continue;
        command_warn ("%s: exists already, and is not replaced", path);
        return FALSE;
    }
    return TRUE;
}

/* Where the configuration comes from: one file, two, or none for the defaults. */
typedef struct {
    char *whole;
    char *text;
    char *vision;
} Source;

static int
initialise (const Source *source, guint64 seed, const char *directory)
{
    g_autoptr (GError) error = NULL;
    gboolean ok;

    if (!check_is_new (directory))
        return STATUS_FAILED;
    if (source->text)
        ok = altclip_initialise_from_towers (source->text, source->vision, seed, directory, &error);
    else
        ok = altclip_initialise (source->whole, seed, directory, &error);
    if (!ok)
        return command_fail (error);
    warn_without_tokenizer (directory);
    return STATUS_OK;
}

static gboolean
check_source (const Source *source)
{
    if (source->whole && (source->text || source->vision))
        command_refuse (&COMMAND_INIT, "--config does not go with --text-config, --vision-config");
    else if (!source->text != !source->vision)
        command_refuse (&COMMAND_INIT,
                "--text-config and --vision-config go together: %s is missing",
                source->text ? "--vision-config" : "--text-config");
    else
        return TRUE;
    return FALSE;
}

static int
run (int argc, char **argv)
{
    g_autofree char *whole = NULL;
    g_autofree char *text = NULL;
    g_autofree char *vision = NULL;
    g_autofree char *seed_text = NULL;
    g_auto (GStrv) operands = NULL;
    const GOptionEntry entries[] = {
        { "config", 'c', 0, G_OPTION_ARG_FILENAME, &whole, "The model's config.json",
                "CONFIG.json" },
        { "text-config", 0, 0, G_OPTION_ARG_FILENAME, &text,
                "The text tower's, to join with an image tower's", "T.json" },
        { "vision-config", 0, 0, G_OPTION_ARG_FILENAME, &vision, "The image tower's", "V.json" },
        { "seed", 's', 0, G_OPTION_ARG_FILENAME, &seed_text, "Seed of the random numbers (0)",
                "N" },
        G_OPTION_ENTRY_NULL,
    };
    Source source;
    guint64 seed = 0;
    int status;

    if (!command_parse (&COMMAND_INIT, entries, 1, 1, argc, argv, &operands, &status))
        return status;
    source = (Source){ whole, text, vision };
    if (!check_source (&source))
        return STATUS_USAGE;
    if (seed_text && !g_ascii_string_to_unsigned (seed_text, 10, 0, G_MAXUINT64, &seed, NULL))
        return command_refuse (&COMMAND_INIT, "--seed is '%s', but must be 0 to %" G_GUINT64_FORMAT,
                seed_text, G_MAXUINT64);
    return initialise (&source, seed, operands[0]);
}

const Command COMMAND_INIT = {
    .name = "init",
    .summary = "Make a model of random weights, to train or to measure",
    .operands = "DIR",
    .description =
            "Writes config.json, preprocessor_config.json and model.safetensors to DIR. The "
            "weights\n"
            "are drawn as transformers 4.46 draws them; the same seed gives the same weights. A\n"
            "CONFIG.json of one tower makes that tower alone. With no configuration the model has\n"
            "transformers' default shape: 0.65 billion parameters, 2.6 GB.\n"
            "\n"
            "Examples:\n"
            "  altclip init --config models/demo/config.json --seed 7 my-model\n"
            "  altclip init --text-config T.json --vision-config V.json my-model",
    .run = run,
};
