/* altclip: encodings that the text tower cannot look up
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What comes of good ones is compared with the reference in test-parity.c.
 */

#include "altclip.h"
#include "golden.h"

#include <string.h>

#define N 2
#define LENGTH 3

static const gint32 IDS[N * LENGTH] = { 0, 5, 2, 0, 6, 2 };

typedef struct {
    AltclipModel *model;
    AltclipSession *session;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = golden_get_path (data, NULL);
    g_autoptr (GError) error = NULL;

    fixture->model = altclip_model_open (directory, NULL, NULL, &error);
    g_assert_no_error (error);
    fixture->session = altclip_session_new (fixture->model, 1, &error);
    g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    altclip_session_free (fixture->session);
    altclip_model_unref (fixture->model);
}

static void
assert_refused (Fixture *fixture, const AltclipEncoding *encoding, const char *message)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors = altclip_session_forward_encoding (
            fixture->session, encoding, NULL, ALTCLIP_FORWARD_NONE, &error);

    g_assert_null (tensors);
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT);
    g_assert_cmpstr (error->message, ==, message);
}

static void
test_inputs (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const float embeds[N * LENGTH] = { 0.0f };
    AltclipEncoding encoding = { .n = N, .length = LENGTH };

    assert_refused (fixture, &encoding,
            "there must be either input_ids or inputs_embeds, and there are neither");
    encoding.input_ids = IDS;
    encoding.inputs_embeds = embeds;
    assert_refused (fixture, &encoding,
            "there must be either input_ids or inputs_embeds, and there are both");
}

static void
test_length (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const gint32 ids[41] = { 0 };
    AltclipEncoding encoding = { .input_ids = ids, .n = 1, .length = 0 };

    assert_refused (fixture, &encoding,
            "the texts' length is 0 tokens, but must be from 1 to 38, for which there are "
            "positions");
    encoding.length = 39;
    assert_refused (fixture, &encoding,
            "the texts' length is 39 tokens, but must be from 1 to 38, for which there are "
            "positions");
}

/* Distances reach as far as the table of positions would. */
static void
test_relative_length (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static const gint32 ids[41] = { 0 };
    static const guint positions[41] = { 0 };
    AltclipEncoding encoding = {
        .input_ids = ids, .position_ids = positions, .n = 1, .length = 41
    };
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors = NULL;

    assert_refused (fixture, &encoding,
            "the texts' length is 41 tokens, but must be from 1 to 40, for which there are "
            "positions");
    encoding.length = 40;
    tensors = altclip_session_forward_encoding (
            fixture->session, &encoding, NULL, ALTCLIP_FORWARD_NONE, &error);
    g_assert_no_error (error);
}

static void
test_ids (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    gint32 ids[N * LENGTH];
    const AltclipEncoding encoding = { .input_ids = ids, .n = N, .length = LENGTH };

    memcpy (ids, IDS, sizeof ids);
    ids[4] = 377;
    assert_refused (fixture, &encoding,
            "input_ids[1, 1] is 377, but must be from 0 to below vocab_size 377");
    ids[4] = G_MININT32;
    assert_refused (fixture, &encoding,
            "input_ids[1, 1] is -2147483648, but must be from 0 to below vocab_size 377");
}

static void
test_positions_and_types (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    guint numbers[N * LENGTH] = { 0, 1, 2, 0, 1, 39 };
    guint types[N * LENGTH] = { 0, 1, 3, 0, 0, 0 };
    AltclipEncoding encoding = { .input_ids = IDS, .n = N, .length = LENGTH };

    encoding.token_type_ids = types;
    assert_refused (fixture, &encoding,
            "token_type_ids[0, 2] is 3, but must be from 0 to below type_vocab_size 3");
    numbers[5] = 40;
    encoding.position_ids = numbers;
    assert_refused (fixture, &encoding,
            "position_ids[1, 2] is 40, but must be from 0 to below max_position_embeddings 40");
}

static void
test_mask (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    guint8 mask[N * LENGTH] = { 1, 0, 1, 0, 0, 0 };
    const AltclipEncoding encoding = {
        .input_ids = IDS, .attention_mask = mask, .n = N, .length = LENGTH
    };

    assert_refused (fixture, &encoding, "attention_mask[1] is 0 throughout, but needs one 1");
    mask[1] = 7;
    assert_refused (fixture, &encoding, "attention_mask[0, 1] is 7, but must be 0 or 1");
}

/* No texts and no pictures give nothing. */
static void
test_nothing (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const AltclipEncoding none = { 0 };
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors = altclip_session_forward_encoding (
            fixture->session, &none, NULL, ALTCLIP_FORWARD_NONE, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (tensors->len, ==, 0);
}

static void
add_test (const char *name, const char *model, void (*run) (Fixture *, gconstpointer))
{
    g_test_add (name, Fixture, model, set_up, run, tear_down);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    add_test ("/encoding/inputs", "types", test_inputs);
    add_test ("/encoding/length", "types", test_length);
    add_test ("/encoding/relative length", "relative-key", test_relative_length);
    add_test ("/encoding/ids", "types", test_ids);
    add_test ("/encoding/positions and types", "types", test_positions_and_types);
    add_test ("/encoding/mask", "types", test_mask);
    add_test ("/encoding/nothing", "types", test_nothing);
    return g_test_run ();
}
