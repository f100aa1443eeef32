/* altclip: tokenizer_config.json, and what else a directory says of its tokenizer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"
#include "excerpt.h"
#include "file.h"
#include "json.h"
#include "special_tokens.h"
#include "tokenizer_config.h"
#include "tokenizer_json.h"

#include <math.h>
#include <string.h>

/* Least length that leaves a text something between <s> and </s>. */
#define MIN_LENGTH 3

void
altclip_tokenizer_config_init (AltclipTokenizerConfig *config)
{
    *config = (AltclipTokenizerConfig){ .model_max_length = G_MAXUINT, .mask_id = -1 };
}

/* ---- Settings -------------------------------------------------------------------------------- */

/* Numbers are read as floating-point ones: for "any length" the reference writes 10^30. */
static void
read_max_length (AltclipJsonReader *reader, guint *out)
{
    const char *field =
            json_object_get (reader->object, "model_max_length") ? "model_max_length" : "max_len";
    json_t *value = altclip_json_get (reader, field);
    double number = json_number_value (value);

    if (!value)
        return;
    if (!json_is_number (value) || number < MIN_LENGTH || number != floor (number))
        altclip_json_fail (reader, field, value, "an integer of at least 3");
    else if (number < G_MAXUINT)
        *out = (guint)number;
}

/* @expected: what the field must be if it is there */
static void
expect_boolean (AltclipJsonReader *reader, const char *field, gboolean expected)
{
    json_t *value = altclip_json_get (reader, field);

    if (value && (!json_is_boolean (value) || json_is_true (value) != expected))
        altclip_json_fail (reader, field, value, expected ? "true" : "false");
}

/* On the other side <s> would not come first, or a text would lose its beginning. */
static void
expect_right (AltclipJsonReader *reader, const char *field)
{
    json_t *value = altclip_json_get (reader, field);
    const char *side = json_string_value (value);

    if (value && (!side || strcmp (side, "right") != 0))
        altclip_json_fail (reader, field, value, "\"right\"");
}

/* Settings that would give other ids. */
static void
check_settings (AltclipJsonReader *reader)
{
    AltclipJsonReader pieces = { reader->path, "sp_model_kwargs.",
        altclip_json_get (reader, "sp_model_kwargs"), reader->error, reader->failed };

    expect_right (reader, "padding_side");
    expect_right (reader, "truncation_side");
    expect_boolean (reader, "split_special_tokens", FALSE);
    expect_boolean (reader, "add_prefix_space", TRUE);
    pieces.failed = reader->failed;
    expect_boolean (&pieces, "enable_sampling", FALSE);
    reader->failed = pieces.failed;
}

/* ---- Special tokens -------------------------------------------------------------------------- */

static void
check_named_tokens (AltclipJsonReader *reader)
{
    static const struct {
        const char *field;
        const char *text;
    } tokens[] = {
        { "bos_token", "<s>" },
        { "cls_token", "<s>" },
        { "eos_token", "</s>" },
        { "sep_token", "</s>" },
        { "pad_token", "<pad>" },
        { "unk_token", "<unk>" },
        { "mask_token", ALTCLIP_MASK_TOKEN },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (tokens); i++)
        altclip_special_tokens_check (reader, tokens[i].field,
                altclip_json_get (reader, tokens[i].field), tokens[i].text);
}

/* A list of tokens, or an object of them. */
static void
check_further_tokens (AltclipJsonReader *reader, const char *field)
{
    json_t *tokens = altclip_json_get (reader, field);
    const char *name;
    json_t *token;

    for (gsize i = 0; i < json_array_size (tokens); i++) {
        g_autofree char *full = g_strdup_printf ("%s[%zu]", field, i);
        altclip_special_tokens_check (reader, full, json_array_get (tokens, i), NULL);
    }
    json_object_foreach (tokens, name, token)
            altclip_special_tokens_check (reader, field, token, NULL);
    if (tokens && !json_is_array (tokens) && !json_is_object (tokens))
        altclip_json_fail (reader, field, tokens, "a list of tokens");
}

/* Token by id. */
static void
check_added_tokens (AltclipJsonReader *reader, AltclipTokenizerConfig *config)
{
    json_t *tokens = altclip_json_get (reader, "added_tokens_decoder");
    const char *id;
    json_t *token;

    if (tokens && !json_is_object (tokens))
        altclip_json_fail (reader, "added_tokens_decoder", tokens, "an object");
    json_object_foreach (tokens, id, token)
    {
        g_autofree char *shown = altclip_excerpt (id);
        g_autofree char *field = g_strconcat ("added_tokens_decoder.", shown, NULL);
        guint64 number;
        gboolean ok = g_ascii_string_to_unsigned (id, 10, 0, G_MAXINT32, &number, NULL);
        gint64 mask_id = altclip_special_tokens_check_added (
                reader, field, token, ok ? (double)number : -1.0, FALSE);

        if (mask_id >= 0)
            config->mask_id = mask_id;
    }
}

/* ---- Files ----------------------------------------------------------------------------------- */

static gboolean
read_settings (AltclipTokenizerConfig *config, const char *path, json_t *object, GError **error)
{
    AltclipJsonReader reader = { path, "", object, error, FALSE };

    read_max_length (&reader, &config->model_max_length);
    altclip_json_get_boolean (
            &reader, "clean_up_tokenization_spaces", &config->clean_up_tokenization_spaces);
    check_settings (&reader);
    check_named_tokens (&reader);
    check_further_tokens (&reader, "additional_special_tokens");
    check_further_tokens (&reader, "extra_special_tokens");
    check_added_tokens (&reader, config);
    return !reader.failed;
}

gboolean
altclip_tokenizer_config_parse (AltclipTokenizerConfig *config, const char *path, const char *bytes,
        gsize n_bytes, GError **error)
{
    json_t *object = altclip_json_parse (path, bytes, n_bytes, JSON_DECODE_INT_AS_REAL, error);
    gboolean ok;

    altclip_tokenizer_config_init (config);
    ok = object && read_settings (config, path, object, error);
    json_decref (object);
    return ok;
}

/* @object: (out) (transfer full) (nullable): what @directory's file @name holds, NULL if it is not
 * there */
static gboolean
read_file (const char *directory, const char *name, char **path, json_t **object, GError **error)
{
    *path = g_build_filename (directory, name, NULL);
    *object = NULL;
    if (!altclip_file_is_there (*path))
        return TRUE;
    *object = altclip_json_read (*path, ALTCLIP_CONFIG_MAX_BYTES, JSON_DECODE_INT_AS_REAL, error);
    return *object != NULL;
}

/* Only the special tokens count in it, though it is checked like the rest. */
static gboolean
check_special_tokens_map (const char *directory, GError **error)
{
    AltclipTokenizerConfig ignored = { 0 };
    g_autofree char *path = NULL;
    json_t *object;
    gboolean ok = read_file (directory, "special_tokens_map.json", &path, &object, error) &&
                  (!object || read_settings (&ignored, path, object, error));

    json_decref (object);
    return ok;
}

/* Ids by token, of those that are not in the vocabulary. */
static gboolean
check_added_tokens_file (const char *directory, GError **error)
{
    g_autofree char *path = NULL;
    json_t *object;
    gboolean ok = read_file (directory, "added_tokens.json", &path, &object, error);
    const char *first = json_object_iter_key (json_object_iter (object));

    if (first) {
        g_autofree char *shown = altclip_excerpt (first);

        ok = FALSE;
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
                "%s: holds %zu tokens, the first '%s', but must hold none: tokens beside XLM-R's "
                "own are not supported",
                path, json_object_size (object), shown);
    }
    json_decref (object);
    return ok;
}

gboolean
altclip_tokenizer_config_read_directory (
        AltclipTokenizerConfig *config, const char *directory, GError **error)
{
    g_autofree char *path = NULL;
    json_t *object;
    gboolean ok = read_file (directory, "tokenizer_config.json", &path, &object, error);
    gboolean is_complete = json_object_get (object, "added_tokens_decoder") != NULL;

    altclip_tokenizer_config_init (config);
    ok = ok && (!object || read_settings (config, path, object, error));
    json_decref (object);
    return ok && (is_complete || (check_special_tokens_map (directory, error) &&
                                         check_added_tokens_file (directory, error)));
}

/* ---- The tokenizer --------------------------------------------------------------------------- */

static AltclipTokenizer *
open_json (const char *path, GError **error)
{
    g_autofree char *contents = NULL;
    gsize length;

    if (!altclip_file_read (path, ALTCLIP_TOKENIZER_MAX_BYTES, &contents, &length, error))
        return NULL;
    return altclip_tokenizer_parse_json (path, contents, length, error);
}

static gboolean
check_mask (AltclipTokenizer *tokenizer, const AltclipTokenizerConfig *config,
        const char *directory, const char *path, GError **error)
{
    guint mask_id = altclip_tokenizer_get_vocab_size (tokenizer) - 1;
    g_autofree char *config_path = NULL;

    if (config->mask_id < 0 || config->mask_id == mask_id)
        return TRUE;
    config_path = g_build_filename (directory, "tokenizer_config.json", NULL);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: added_tokens_decoder has " ALTCLIP_MASK_TOKEN " at %" G_GINT64_FORMAT
            ", but by the number of pieces in %s it is at %u",
            config_path, config->mask_id, path, mask_id);
    return FALSE;
}

AltclipTokenizer *
altclip_tokenizer_open_directory (
        const char *directory, const AltclipTokenizerConfig *config, GError **error)
{
    g_autofree char *pieces = g_build_filename (directory, "sentencepiece.bpe.model", NULL);
    g_autofree char *json = g_build_filename (directory, "tokenizer.json", NULL);
    gboolean is_json = !altclip_file_is_there (pieces) && altclip_file_is_there (json);
    const char *path = is_json ? json : pieces;
    g_autoptr (AltclipTokenizer) tokenizer =
            is_json ? open_json (path, error) : altclip_tokenizer_open (path, error);

    if (!tokenizer || !check_mask (tokenizer, config, directory, path, error))
        return NULL;
    altclip_tokenizer_set_clean_up (tokenizer, config->clean_up_tokenization_spaces);
    return g_steal_pointer (&tokenizer);
}
