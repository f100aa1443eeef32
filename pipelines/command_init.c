/* altclip init: a model of random weights
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

/* Random weights must not replace trained ones by a slip of the hand. */
static gboolean
check_is_new (const char *directory)
{
    g_autofree char *path = g_build_filename (directory, "model.safetensors", NULL);

    if (!g_file_test (path, G_FILE_TEST_EXISTS))
        return TRUE;
    command_warn ("%s: exists already, and is not replaced", path);
    return FALSE;
}

static int
initialise (const char *config_path, guint64 seed, const char *directory)
{
    g_autofree char *tokenizer = g_build_filename (directory, "sentencepiece.bpe.model", NULL);
    g_autoptr (GError) error = NULL;

    if (!check_is_new (directory))
        return STATUS_FAILED;
    if (!altclip_initialise (config_path, seed, directory, &error))
        return command_fail (error);
    if (!g_file_test (tokenizer, G_FILE_TEST_EXISTS))
        command_warn ("%s: put a tokenizer there before using texts", tokenizer);
    return STATUS_OK;
}

static int
run (int argc, char **argv)
{
    g_autofree char *config_path = NULL;
    g_autofree char *seed_text = NULL;
    g_auto (GStrv) operands = NULL;
    const GOptionEntry entries[] = {
        { "config", 'c', 0, G_OPTION_ARG_FILENAME, &config_path, "The model's config.json",
                "CONFIG.json" },
        { "seed", 's', 0, G_OPTION_ARG_FILENAME, &seed_text, "Seed of the random numbers (0)",
                "N" },
        G_OPTION_ENTRY_NULL,
    };
    guint64 seed = 0;
    int status;

    if (!command_parse (&COMMAND_INIT, entries, 1, 1, argc, argv, &operands, &status))
        return status;
    if (!config_path)
        return command_refuse (&COMMAND_INIT, "--config is missing");
    if (seed_text && !g_ascii_string_to_unsigned (seed_text, 10, 0, G_MAXUINT64, &seed, NULL))
        return command_refuse (&COMMAND_INIT, "--seed is '%s', but must be 0 to %" G_GUINT64_FORMAT,
                seed_text, G_MAXUINT64);
    return initialise (config_path, seed, operands[0]);
}

const Command COMMAND_INIT = {
    .name = "init",
    .summary = "Make a model of random weights, to train or to measure",
    .operands = "DIR",
    .description = "Writes config.json, preprocessor_config.json and model.safetensors to DIR. The "
                   "weights\nare drawn as transformers draws them; the same seed gives the same "
                   "weights.\n"
                   "\n"
                   "Example:\n"
                   "  altclip init --config models/demo/config.json --seed 7 my-model",
    .run = run,
};
