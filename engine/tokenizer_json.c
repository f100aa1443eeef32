/* altclip: tokenizer.json, as the tokenizers library writes it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An XLM-R tokenizer has a unigram model whose vocabulary is
 *
 *     <s> <pad> </s> <unk> PIECE… <mask>
 *
 * with an id's entry at its place, where the sentencepiece model has
 *
 *     <unk> <s> </s> PIECE…
 *
 * Around it are steps that do what sentencepiece does by itself: a table of replacements, which is
 * sentencepiece's own; one blank for several, none at the end; U+2581 for a blank, and one at the
 * beginning of a text.
 */

#include "json.h"
#include "special_tokens.h"
#include "tokenizer_json.h"

#include <math.h>
#include <string.h>

/* Entries of the vocabulary before the first piece. */
#define N_FIRST 4

#define SPACE "\xe2\x96\x81"

/* ---- Protocol buffers ------------------------------------------------------------------------ */

static void
put_varint (GByteArray *out, guint64 value)
{
    do {
        guint8 byte = (guint8)(value & 0x7F) | (value > 0x7F ? 0x80 : 0);

        g_byte_array_append (out, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void
put_number (GByteArray *out, guint field, guint64 value)
{
    put_varint (out, field << 3);
    put_varint (out, value);
}

static void
put_bytes (GByteArray *out, guint field, gconstpointer bytes, gsize n_bytes)
{
    put_varint (out, field << 3 | 2);
    put_varint (out, n_bytes);
    g_byte_array_append (out, bytes, (guint)n_bytes);
}

static void
put_float (GByteArray *out, guint field, float value)
{
    guint32 bits;

    memcpy (&bits, &value, sizeof bits);
    bits = GUINT32_TO_LE (bits);
    put_varint (out, field << 3 | 5);
    g_byte_array_append (out, (const guint8 *)&bits, sizeof bits);
}

/* Field numbers: sentencepiece_model.proto. */
enum { MODEL_PIECES = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TYPE_NORMAL = 1, TYPE_UNKNOWN = 2, TYPE_CONTROL = 3 };
enum { TRAINER_MODEL_TYPE = 3, MODEL_TYPE_UNIGRAM = 1 };
enum { NORMALIZER_CHARSMAP = 2 };

static void
put_piece (GByteArray *model, GByteArray *scratch, const char *text, float score, guint type)
{
    g_byte_array_set_size (scratch, 0);
    put_bytes (scratch, PIECE_TEXT, text, strlen (text));
    put_float (scratch, PIECE_SCORE, score);
    if (type != TYPE_NORMAL)
        put_number (scratch, PIECE_TYPE, type);
    put_bytes (model, MODEL_PIECES, scratch->data, scratch->len);
}

/* ---- Steps around the model ------------------------------------------------------------------ */

/* The step being read, and the fields of it that count. Each step is refused by its name. */
static AltclipJsonReader
open_step (AltclipJsonReader *parent, const char *section, json_t *step)
{
    return (AltclipJsonReader){ parent->path, section, step, parent->error, parent->failed };
}

static void
expect_string (AltclipJsonReader *step, const char *field, const char *expected)
{
    json_t *value = json_object_get (step->object, field);
    g_autofree char *limit = NULL;

    if (json_is_string (value) && strcmp (json_string_value (value), expected) == 0)
        return;
    limit = g_strdup_printf ("\"%s\"", expected);
    altclip_json_fail (step, field, value, limit);
}

static void
expect_boolean (AltclipJsonReader *step, const char *field, gboolean expected)
{
    json_t *value = json_object_get (step->object, field);

    if (!json_is_boolean (value) || json_is_true (value) != expected)
        altclip_json_fail (step, field, value, expected ? "true" : "false");
}

static void
expect_list (AltclipJsonReader *reader, const char *field, json_t *value)
{
    if (!json_is_array (value))
        altclip_json_fail (reader, field, value, "a list");
}

static gboolean
has_type (json_t *step, const char *type)
{
    const char *own = json_string_value (json_object_get (step, "type"));

    return own && strcmp (own, type) == 0;
}

/* Several blanks become one: U+2581, or a blank, which becomes that later. */
static void
check_replace (AltclipJsonReader *step)
{
    const char *pattern = json_string_value (
            json_object_get (json_object_get (step->object, "pattern"), "Regex"));
    const char *content = json_string_value (json_object_get (step->object, "content"));

    if (!pattern || strcmp (pattern, " {2,}") != 0)
        altclip_json_fail (step, "pattern", json_object_get (step->object, "pattern"),
                "{\"Regex\": \" {2,}\"}");
    else if (!content || (strcmp (content, " ") != 0 && strcmp (content, SPACE) != 0))
        altclip_json_fail (
                step, "content", json_object_get (step->object, "content"), "\" \" or \"\\u2581\"");
}

/* @charsmap: (out): the table in base64, if this is the step that has it */
static void
read_normalizer_step (
        AltclipJsonReader *parent, const char *section, json_t *object, const char **charsmap)
{
    AltclipJsonReader step = open_step (parent, section, object);

    if (has_type (object, "Precompiled") && !*charsmap) {
        *charsmap = json_string_value (json_object_get (object, "precompiled_charsmap"));
        if (!*charsmap)
            altclip_json_fail (&step, "precompiled_charsmap",
                    json_object_get (object, "precompiled_charsmap"), "a string");
    } else if (has_type (object, "Strip")) {
        expect_boolean (&step, "strip_left", FALSE);
        expect_boolean (&step, "strip_right", TRUE);
    } else if (has_type (object, "Replace")) {
        check_replace (&step);
    } else {
        altclip_json_fail (&step, "type", json_object_get (object, "type"),
                "\"Precompiled\" (once), \"Strip\" or \"Replace\"");
    }
    parent->failed = step.failed;
}

static const char *
read_normalizer (AltclipJsonReader *root)
{
    json_t *normalizer = altclip_json_get (root, "normalizer");
    json_t *steps = json_object_get (normalizer, "normalizers");
    const char *charsmap = NULL;

    if (!normalizer)
        return NULL;
    if (!has_type (normalizer, "Sequence")) {
        read_normalizer_step (root, "normalizer.", normalizer, &charsmap);
        return charsmap;
    }
    expect_list (root, "normalizer.normalizers", steps);
    for (gsize i = 0; i < json_array_size (steps) && !root->failed; i++) {
        g_autofree char *section = g_strdup_printf ("normalizer.normalizers[%zu].", i);

        read_normalizer_step (root, section, json_array_get (steps, i), &charsmap);
    }
    return charsmap;
}

/* A blank is U+2581, and each text begins with one. Older libraries say so in other words. */
static void
check_metaspace (AltclipJsonReader *step)
{
    expect_string (step, "replacement", SPACE);
    if (json_object_get (step->object, "prepend_scheme"))
        expect_string (step, "prepend_scheme", "always");
    else
        expect_boolean (step, "add_prefix_space", TRUE);
}

/* The last step, alone or after WhitespaceSplit, is Metaspace. */
static void
check_pre_tokenizer (AltclipJsonReader *root)
{
    json_t *pre_tokenizer = altclip_json_get (root, "pre_tokenizer");
    json_t *steps = json_object_get (pre_tokenizer, "pretokenizers");
    gsize n = json_array_size (steps);
    AltclipJsonReader step = open_step (root, "pre_tokenizer.", pre_tokenizer);

    if (has_type (pre_tokenizer, "Sequence")) {
        if (n == 0 || n > 2 || (n == 2 && !has_type (json_array_get (steps, 0), "WhitespaceSplit")))
            altclip_json_fail (
                    &step, "pretokenizers", steps, "WhitespaceSplit and Metaspace, in this order");
        step.section =
                n == 2 ? "pre_tokenizer.pretokenizers[1]." : "pre_tokenizer.pretokenizers[0].";
        step.object = json_array_get (steps, n - 1);
    }
    expect_string (&step, "type", "Metaspace");
    check_metaspace (&step);
    root->failed = step.failed;
}

/* @mask_id: the vocabulary's last */
static void
check_added_tokens (AltclipJsonReader *root, gsize mask_id)
{
    json_t *tokens = altclip_json_get (root, "added_tokens");

    if (tokens)
        expect_list (root, "added_tokens", tokens);
    for (gsize i = 0; i < json_array_size (tokens) && !root->failed; i++) {
        json_t *token = json_array_get (tokens, i);
        g_autofree char *field = g_strdup_printf ("added_tokens[%zu]", i);
        gint64 mask = altclip_special_tokens_check_added (
                root, field, token, json_number_value (json_object_get (token, "id")), TRUE);

        if (mask >= 0 && (gsize)mask != mask_id) {
            g_autofree char *limit = g_strdup_printf ("%zu, the vocabulary's last", mask_id);
            g_autofree char *id_field = g_strconcat (field, ".id", NULL);

            altclip_json_fail_uint (root, id_field, (guint)mask, limit);
        }
    }
}

/* ---- The model ------------------------------------------------------------------------------- */

static void
check_model (AltclipJsonReader *model)
{
    json_t *fallback = altclip_json_get (model, "byte_fallback");
    json_t *unk_id = altclip_json_get (model, "unk_id");

    if (json_object_get (model->object, "type"))
        expect_string (model, "type", "Unigram");
    if (json_number_value (unk_id) != ALTCLIP_TOKEN_UNK)
        altclip_json_fail (model, "unk_id", unk_id, "3");
    if (fallback && !json_is_false (fallback))
        altclip_json_fail (model, "byte_fallback", fallback, "false");
}

/* Entry @index of the vocabulary: [text, score]. Returns: (transfer none) (nullable): the text */
static const char *
read_entry (AltclipJsonReader *model, json_t *vocab, gsize index, float *score)
{
    json_t *entry = json_array_get (vocab, index);
    json_t *text = json_array_get (entry, 0);
    json_t *number = json_array_get (entry, 1);
    double value = json_number_value (number);
    gsize length = json_string_length (text);
    g_autofree char *field = NULL;
    g_autofree char *limit = NULL;

    *score = (float)value;
    if (json_array_size (entry) == 2 && json_is_string (text) && json_is_number (number) &&
            length > 0 && length <= ALTCLIP_TOKENIZER_MAX_PIECE_BYTES &&
            fabs (value) <= ALTCLIP_TOKENIZER_MAX_SCORE)
        return json_string_value (text);
    field = g_strdup_printf ("vocab[%zu]", index);
    limit = g_strdup_printf ("[text of 1 to %d bytes, score from %g to %g]",
            ALTCLIP_TOKENIZER_MAX_PIECE_BYTES, -ALTCLIP_TOKENIZER_MAX_SCORE,
            ALTCLIP_TOKENIZER_MAX_SCORE);
    altclip_json_fail (model, field, entry, limit);
    return NULL;
}

static void
expect_entry (AltclipJsonReader *model, json_t *vocab, gsize index, const char *expected)
{
    float score;
    const char *text = read_entry (model, vocab, index, &score);

    if (text && strcmp (text, expected) != 0) {
        g_autofree char *field = g_strdup_printf ("vocab[%zu][0]", index);
        g_autofree char *limit = g_strdup_printf ("\"%s\"", expected);

        altclip_json_fail (model, field, json_array_get (json_array_get (vocab, index), 0), limit);
    }
}

static void
check_vocab_size (AltclipJsonReader *model, gsize n)
{
    if (model->failed || (n >= N_FIRST + 2 && n <= ALTCLIP_TOKENIZER_MAX_PIECES))
        return;
    model->failed = TRUE;
    g_set_error (model->error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
            "%s: %svocab has %zu entries, but must have %d to %d", model->path, model->section, n,
            N_FIRST + 2, ALTCLIP_TOKENIZER_MAX_PIECES);
}

/* The special tokens are there, and something between them. */
static json_t *
check_vocab (AltclipJsonReader *model)
{
    json_t *vocab = altclip_json_get (model, "vocab");
    gsize n = json_array_size (vocab);

    expect_list (model, "vocab", vocab);
    check_vocab_size (model, n);
    for (gsize i = 0; i < N_FIRST && !model->failed; i++)
        expect_entry (model, vocab, i, ALTCLIP_SPECIAL_TOKENS[i]);
    if (!model->failed)
        expect_entry (model, vocab, n - 1, ALTCLIP_MASK_TOKEN);
    return model->failed ? NULL : vocab;
}

static void
put_vocab (AltclipJsonReader *model, json_t *vocab, GByteArray *out)
{
    g_autoptr (GByteArray) scratch = g_byte_array_new ();

    put_piece (out, scratch, "<unk>", 0.0f, TYPE_UNKNOWN);
    put_piece (out, scratch, "<s>", 0.0f, TYPE_CONTROL);
    put_piece (out, scratch, "</s>", 0.0f, TYPE_CONTROL);
    for (gsize i = N_FIRST; i + 1 < json_array_size (vocab); i++) {
        float score;
        const char *text = read_entry (model, vocab, i, &score);

        if (!text)
            return;
        put_piece (out, scratch, text, score, TYPE_NORMAL);
    }
}

static void
put_trainer (GByteArray *out)
{
    g_autoptr (GByteArray) trainer = g_byte_array_new ();

    put_number (trainer, TRAINER_MODEL_TYPE, MODEL_TYPE_UNIGRAM);
    put_bytes (out, MODEL_TRAINER, trainer->data, trainer->len);
}

/* g_base64_decode() passes over what is no base64; then the length is not what it should be. */
static void
put_normalizer (AltclipJsonReader *root, const char *charsmap, GByteArray *out)
{
    g_autoptr (GByteArray) normalizer = g_byte_array_new ();
    gsize n_text = charsmap ? strlen (charsmap) : 0;
    gsize n_padding =
            n_text > 1 ? (charsmap[n_text - 1] == '=') + (charsmap[n_text - 2] == '=') : 0;
    g_autofree guchar *bytes = NULL;
    gsize n;

    if (!charsmap)
        return;
    bytes = g_base64_decode (charsmap, &n);
    if (n != n_text / 4 * 3 - n_padding || n_text % 4 != 0) {
        json_t *value = json_stringn (charsmap, MIN (n_text, 60));

        altclip_json_fail (root, "normalizer.precompiled_charsmap", value, "in base64");
        json_decref (value);
        return;
    }
    put_bytes (normalizer, NORMALIZER_CHARSMAP, bytes, n);
    put_bytes (out, MODEL_NORMALIZER, normalizer->data, normalizer->len);
}

static void
convert (AltclipJsonReader *root, GByteArray *out)
{
    json_t *object = altclip_json_get (root, "model");
    AltclipJsonReader model = { root->path, "model.", object, root->error, FALSE };
    const char *charsmap = NULL;
    json_t *vocab;

    check_model (&model);
    vocab = check_vocab (&model);
    root->failed = model.failed;
    if (vocab)
        check_added_tokens (root, json_array_size (vocab) - 1);
    check_pre_tokenizer (root);
    if (!root->failed)
        charsmap = read_normalizer (root);
    if (root->failed)
        return;
    put_vocab (&model, vocab, out);
    root->failed = model.failed;
    put_trainer (out);
    put_normalizer (root, charsmap, out);
}

GByteArray *
altclip_tokenizer_json_to_model (const char *path, const char *bytes, gsize n_bytes, GError **error)
{
    g_autoptr (GByteArray) out = g_byte_array_new ();
    json_t *object = altclip_json_parse (path, bytes, n_bytes, JSON_DECODE_INT_AS_REAL, error);
    AltclipJsonReader root = { path, "", object, error, FALSE };

    if (!object)
        return NULL;
    convert (&root, out);
    json_decref (object);
    return root.failed ? NULL : g_steal_pointer (&out);
}

AltclipTokenizer *
altclip_tokenizer_parse_json (const char *path, const char *bytes, gsize n_bytes, GError **error)
{
    g_autoptr (GByteArray) model = altclip_tokenizer_json_to_model (path, bytes, n_bytes, error);

    return model ? altclip_tokenizer_parse (path, (const char *)model->data, model->len, error)
                 : NULL;
}
