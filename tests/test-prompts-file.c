/* altclip: files of prompts, read and written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In the JSON and the messages of these tests ' stands for ", and ` for '.
 */

#include "prompts_file.h"
#include "still.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Everything that a file may hold. */
static const char EVERYTHING[] =
        "{\n"
        " '$schema': 'prompts-file.schema.json', 'version': 1, 'score_mode': 'sigmoid',\n"
        " 'logit_scale': 50.5,\n"
        " 'templates': ['a photo of {}', '{}'],\n"
        " 'negatives': ['an empty street', {'label': 'night', 'texts': ['dark', '夜'],\n"
        "   'templates': ['{}!'], 'language': 'zh', 'note': 'x'}],\n"
        " 'threshold': 0.6, 'hysteresis': 0.1, 'min_on': 0.5, 'min_off': 2, 'bias': -3, "
        "'smoothing': 1.5,\n"
        " 'labels': [\n"
        "  {'label': 'cat', 'texts': ['a cat', 'une image de chat', '\\u732b'], 'group': 'pet',\n"
        "   'threshold': 0.75, 'bias': 1.5e0, 'language': 'en, fr, zh', 'note': 'tested'},\n"
        "  {'label': 'gate open', 'images': ['rgb.png', 'jpeg444.jpg'], 'texts': ['an open "
        "gate'],\n"
        "   'negatives': ['a wall', {'label': 'w', 'embedding': [0, 2, 0, 0]}], 'min_on': 0},\n"
        "  {'label': 'ready', 'embedding': 'AACAPwAAAAAAAAAAAAAAAA==', 'group': 'pet', "
        "'region': [0.5, 0, 0.5, 1]},\n"
        "  {'label': 'dog', 'region': [0.5, 0.0, 5e-1, 1], 'smoothing': 0, 'templates': ['the {} "
        "and the {}'], 'hysteresis': 0}\n"
        " ]\n"
        "}\n";

static char *
quote (const char *json)
{
    return g_strdelimit (g_strdelimit (g_strdup (json), "'", '"'), "`", '\'');
}

static char *
get_directory (const char *name)
{
    return g_test_build_filename (G_TEST_DIST, "golden", name, NULL);
}

/* The bytes end where the memory does, so that a sanitizer sees who reads on. */
static AltclipPrompts *
parse_bytes (const char *bytes, gsize length, GError **error)
{
    g_autofree char *directory = get_directory ("stills");
    g_autofree char *exact = g_memdup2 (bytes, length);

    return altclip_prompts_parse_file ("f.json", directory, exact, length, still_load, error);
}

static AltclipPrompts *
parse (const char *json)
{
    g_autofree char *text = quote (json);
    g_autoptr (GError) error = NULL;
    AltclipPrompts *prompts = parse_bytes (text, strlen (text), &error);

    g_assert_no_error (error);
    return prompts;
}

static const AltclipPromptEntry *
get_entry (AltclipPrompts *prompts, guint index)
{
    g_assert_cmpuint (index, <, prompts->entries->len);
    return g_ptr_array_index (prompts->entries, index);
}

static void
check_strings (GPtrArray *strings, const char *expected)
{
    GString *joined = g_string_new (NULL);

    for (guint i = 0; strings && i < strings->len; i++)
        g_string_append_printf (
                joined, "%s%s", i > 0 ? "|" : "", (const char *)g_ptr_array_index (strings, i));
    g_assert_cmpstr (joined->str, ==, expected);
    g_string_free (joined, TRUE);
}

/* ---- What is read ---------------------------------------------------------------------------- */

static void
check_rules (const AltclipLabelRules *rules, double threshold, double hysteresis, guint64 min_on)
{
    g_assert_cmpfloat (rules->threshold, ==, threshold);
    g_assert_cmpfloat (rules->hysteresis, ==, hysteresis);
    g_assert_cmpuint (rules->min_on, ==, min_on);
    g_assert_cmpuint (rules->min_off, ==, 2000000000);
}

/* The order is a promise to who stores the number. */
static void
test_score_modes (void)
{
    static const char *const names[] = { "softmax", "sigmoid", "cosine" };

    for (guint i = 0; i < G_N_ELEMENTS (names); i++)
        g_assert_cmpstr (altclip_score_mode_get_name ((AltclipScoreMode)i), ==, names[i]);
}

static void
test_everything (void)
{
    g_autoptr (AltclipPrompts) prompts = parse (EVERYTHING);
    const AltclipLabelRules defaults = { 0.5, 0.2, 7, 7, 7 };
    AltclipLabelRules rules[4];

    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 4);
    g_assert_cmpuint (prompts->n_negatives, ==, 2);
    g_assert_cmpuint (prompts->n_own_negatives, ==, 2);
    g_assert_cmpuint (prompts->entries->len, ==, 8);
    g_assert_cmpuint (prompts->n_groups, ==, 2);
    g_assert_cmpint (altclip_prompts_get_score_mode (prompts, ALTCLIP_SCORE_COSINE), ==,
            ALTCLIP_SCORE_SIGMOID);
    g_assert_cmpfloat (prompts->own_logit_scale, ==, 50.5);
    check_strings (prompts->templates, "a photo of {}|{}");
    altclip_prompts_get_rules (prompts, &defaults, rules);
    check_rules (&rules[0], 0.75, 0.1, 500000000);
    check_rules (&rules[1], 0.6, 0.1, 0);
    check_rules (&rules[2], 0.6, 0.1, 500000000);
    check_rules (&rules[3], 0.6, 0.0, 500000000);
    g_assert_cmpfloat (get_entry (prompts, 0)->rules[ALTCLIP_RULE_BIAS], ==, 1.5);
    g_assert_cmpfloat (get_entry (prompts, 1)->rules[ALTCLIP_RULE_BIAS], ==, -3);
    g_assert_cmpuint (rules[0].smoothing, ==, 1500000000);
    g_assert_cmpuint (rules[3].smoothing, ==, 0);
}

static void
test_entries (void)
{
    g_autoptr (AltclipPrompts) prompts = parse (EVERYTHING);
    const AltclipPromptEntry *gate = get_entry (prompts, 1);
    const AltclipPromptPicture *picture = g_ptr_array_index (gate->pictures, 1);
    const AltclipPromptEntry *wall = get_entry (prompts, 7);
    const float ready[] = { 0, 1, 0, 0 };

    check_strings (get_entry (prompts, 0)->texts, "a cat|une image de chat|猫");
    g_assert_cmpstr (get_entry (prompts, 0)->note, ==, "tested");
    g_assert_cmpstr (get_entry (prompts, 0)->language, ==, "en, fr, zh");
    g_assert_cmpuint (get_entry (prompts, 0)->group, ==, get_entry (prompts, 2)->group);
    g_assert_cmpuint (get_entry (prompts, 0)->group, !=, gate->group);
    check_strings (gate->texts, "an open gate");
    g_assert_true (g_str_has_suffix (picture->path, "golden/stills/jpeg444.jpg"));
    g_assert_cmpstr (picture->place, ==, "f.json: line 11: labels[1].images[1]");
    g_assert_cmpuint (get_entry (prompts, 2)->texts->len, ==, 0);
    g_assert_cmpuint (get_entry (prompts, 2)->region, ==, get_entry (prompts, 3)->region);
    check_strings (get_entry (prompts, 3)->texts, "dog");
    check_strings (get_entry (prompts, 3)->templates, "the {} and the {}");
    check_strings (get_entry (prompts, 4)->texts, "an empty street");
    check_strings (get_entry (prompts, 5)->texts, "dark|夜");
    g_assert_cmpuint (wall->owner, ==, 1);
    g_assert_cmpmem (wall->embedding, sizeof ready, ready, sizeof ready);
    g_assert_cmpuint (prompts->ready_dim, ==, 4);
    g_assert_cmpstr (prompts->ready_place, ==, "f.json: line 12: labels[1].negatives[1].embedding");
}

static void
test_least (void)
{
    g_autoptr (AltclipPrompts) prompts =
            parse ("\xef\xbb\xbf{'version':1.0,'labels':[{'label':'a\\n\\ud83d\\ude00\\/'}]}");
    const AltclipLabelRules defaults = { 0.5, 0.2, 3, 4, 5 };
    AltclipLabelRules rules;

    check_strings (get_entry (prompts, 0)->texts, "a\n😀/");
    check_strings (prompts->templates, "{}");
    g_assert_cmpint (altclip_prompts_get_score_mode (prompts, ALTCLIP_SCORE_COSINE), ==,
            ALTCLIP_SCORE_COSINE);
    altclip_prompts_get_rules (prompts, &defaults, &rules);
    g_assert_cmpmem (&rules, sizeof rules, &defaults, sizeof defaults);
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void
check_bytes_refused (const char *bytes, gsize length, AltclipError code, const char *expected)
{
    g_autoptr (GError) error = NULL;

    g_assert_null (parse_bytes (bytes, length, &error));
    g_assert_error (error, ALTCLIP_ERROR, (int)code);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_cmpstr (error->message, ==, expected);
}

static void
check_refused (const char *json, AltclipError code, const char *expected)
{
    g_autofree char *text = quote (json);
    g_autofree char *message = quote (expected);

    check_bytes_refused (text, strlen (text), code, message);
}

/* The document is complete but for the labels, which begin on the second line. */
static void
check_labels_refused (const char *labels, AltclipError code, const char *expected)
{
    g_autofree char *json = g_strdup_printf ("{'version': 1, 'labels': [\n%s]}", labels);
    g_autofree char *message = g_strconcat ("f.json: line ", expected, NULL);

    check_refused (json, code, message);
}

#define THRESHOLD_LIMIT "a number from 0 to 1, or with score_mode cosine from -1 to 1"
#define TEXT_LIMIT "a text of 1 to 4096 bytes that is not blank"

static void
test_refused_document (void)
{
    const AltclipError rules = ALTCLIP_ERROR_PROMPTS;
    const AltclipError form = ALTCLIP_ERROR_FORMAT;

    check_refused ("", form,
            "f.json: line 1: the document: expected an object, found the end of the file");
    check_refused ("\n[]", rules, "f.json: line 2: the document is a list, but must be an object");
    check_refused ("{}", rules, "f.json: line 1: the document has no version");
    check_refused ("\n\n{'labels': [{'label': 'a'}]}", rules,
            "f.json: line 3: the document has no version");
    check_refused ("{'version': 1}", rules, "f.json: line 1: the document has no labels");
    check_refused ("{'version': 2}", rules, "f.json: line 1: version is 2, but must be 1");
    check_refused ("{'version': '1'}", rules, "f.json: line 1: version is '1', but must be 1");
    check_refused ("{'version': 1,\n'labels': []}", rules,
            "f.json: line 2: labels is empty, but must hold 1 to 10000 elements");
    check_refused ("{'version': 1, 'labels': {}}", rules,
            "f.json: line 1: labels is an object, but must be a list of objects");
    check_refused ("{'version': 1, 'labels': [{'label': 'a'}]} x", form,
            "f.json: line 1: the document: expected the end of the file, found `x`");
    check_refused ("{'version': 1,\n'prompts': []}", rules,
            "f.json: line 2: prompts is no field that is known here; there are $schema, version, "
            "score_mode, logit_scale, templates, negatives, labels, threshold, hysteresis, min_on, "
            "min_off, smoothing, bias");
    check_refused (
            "{'version': 1,\n'version': 1}", rules, "f.json: line 2: version is there twice");
    check_refused ("{'score_mode': 'max'}", rules,
            "f.json: line 1: score_mode is 'max', but must be 'softmax', 'sigmoid' or 'cosine'");
    check_refused ("{'logit_scale': 0}", rules,
            "f.json: line 1: logit_scale is 0, but must be a number from 1e-06 to 1e+06");
    check_refused ("{'templates': ['{}', 'x']}", rules,
            "f.json: line 1: templates[1] is 'x', but must be " TEXT_LIMIT
            ", with {} once to 15 times");
    check_refused ("{'templates': ['{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}']}", rules,
            "f.json: line 1: templates[0] is '{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}', but must "
            "be " TEXT_LIMIT ", with {} once to 15 times");
    check_refused ("{'templates': []}", rules,
            "f.json: line 1: templates is empty, but must hold 1 to 1000 elements");
    check_refused ("{'templates': '{}'}", rules,
            "f.json: line 1: templates is '{}', but must be a list of strings");
    check_refused ("{'negatives': ['a',\n\n'b', 'a']}", rules,
            "f.json: line 3: negatives[2] is 'a', but must be another than those before it");
    check_refused ("{'negatives': [{'label': 'a', 'threshold': 1}]}", rules,
            "f.json: line 1: negatives[0].threshold is no field that is known here; there are "
            "label, texts, templates, images, embedding, language, note");
    check_refused ("{'min_off': 90000}", rules,
            "f.json: line 1: min_off is 90000, but must be a number from 0 to 86400");
}

static void
test_refused_syntax (void)
{
    const AltclipError form = ALTCLIP_ERROR_FORMAT;

    check_refused ("{'version'\n 1}", form, "f.json: line 2: version: expected `:`, found `1`");
    check_refused ("{'version': 1 'labels'", form,
            "f.json: line 1: version: expected `,` or `}`, found `\"`");
    check_refused ("{'version': 1,}", form,
            "f.json: line 1: the document: expected the name of a field, "
            "found `}`");
    check_refused ("{'version': 1,\n", form,
            "f.json: line 2: the document: expected the name of a field, found the end of the "
            "file");
    check_refused ("{'templates': ['{}'\n", form,
            "f.json: line 2: templates[0]: expected `,` or `]`, found the end of the file");
    check_refused ("{'templates': ['{}", form,
            "f.json: line 1: templates[0]: expected the rest of a string, found the end of the "
            "file");
    check_refused ("{'templates': ['{}\n']", form,
            "f.json: line 1: templates[0]: expected the rest of a string, found the byte 0x0a");
    check_refused ("{'templates': ['\\x{}']", form,
            "f.json: line 1: templates[0]: expected one of \" \\ / b f n r t u after a backslash, "
            "found `x`");
    check_refused ("{'templates': ['\\u12g4{}']", form,
            "f.json: line 1: templates[0]: \\u without four digits, of the character 0 or of half "
            "a character");
    check_refused ("{'templates': ['\\u0000{}']", form,
            "f.json: line 1: templates[0]: \\u without four digits, of the character 0 or of half "
            "a character");
    check_refused ("{'templates': ['\\ud800\\u0020{}']", form,
            "f.json: line 1: templates[0]: \\u without four digits, of the character 0 or of half "
            "a character");
    check_refused ("{'templates': ['{}',]", ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1: templates[1] is ], but must be " TEXT_LIMIT
            ", with {} once to 15 times");
    check_refused ("{'templates': ['{}', '\xe4\xb8{}']", ALTCLIP_ERROR_TEXT,
            "f.json: line 1: templates[1]: not valid UTF-8: the byte 0xe4");
    check_refused ("{'\xff': 1}", ALTCLIP_ERROR_TEXT,
            "f.json: line 1: the document: not valid UTF-8: the byte 0xff");
    check_bytes_refused ("{\0}", 3, form,
            "f.json: line 1: the document: expected the name of a field, found the byte 0x00");
    check_bytes_refused (
            "\0", 1, form, "f.json: line 1: the document: expected an object, found the byte 0x00");
}

/* @text, of ASCII, in characters of @width bytes after a mark @mark [@n_mark]. */
static void
check_encoding_refused (const char *text, guint width, gboolean big_endian, const char *mark,
        gsize n_mark, const char *message)
{
    g_autoptr (GString) bytes = g_string_new_len (mark, (gssize)n_mark);

    for (; *text; text++) {
        for (guint i = 0; i < width; i++)
            g_string_append_c (bytes, i == (big_endian ? width - 1 : 0) ? *text : '\0');
    }
    check_bytes_refused (bytes->str, bytes->len, ALTCLIP_ERROR_TEXT, message);
}

/* What editors on some systems save as "Unicode". */
static void
test_refused_encodings (void)
{
    static const char utf16[] = "f.json: line 1: the document is UTF-16, but must be UTF-8";
    static const char utf32[] = "f.json: line 1: the document is UTF-32, but must be UTF-8";
    static const char text[] = "{\"version\": 1, \"labels\": [{\"label\": \"a\"}]}";

    check_encoding_refused (text, 2, FALSE, "\xff\xfe", 2, utf16);
    check_encoding_refused (text, 2, TRUE, "\xfe\xff", 2, utf16);
    check_encoding_refused (text, 2, FALSE, "", 0, utf16);
    check_encoding_refused (text, 2, TRUE, "", 0, utf16);
    check_encoding_refused ("", 2, TRUE, "\xfe\xff", 2, utf16);
    check_encoding_refused (text, 4, FALSE, "\xff\xfe\0\0", 4, utf32);
    check_encoding_refused (text, 4, TRUE, "\0\0\xfe\xff", 4, utf32);
    check_encoding_refused (text, 4, FALSE, "", 0, utf32);
    check_encoding_refused (text, 4, TRUE, "", 0, utf32);
}

/* A label's text that is a negative of it too, in one of the templates that both are put in. */
static void
test_refused_negatives (void)
{
    const AltclipError rules = ALTCLIP_ERROR_PROMPTS;

    check_refused ("{'version': 1, 'negatives': ['x',\n 'b'], 'labels': [{'label': 'a', 'texts': "
                   "['c', 'b']}]}",
            rules,
            "f.json: line 2: negatives[1]: \"b\" is a text of the label \"a\" too: neither could "
            "win");
    check_refused ("{'version': 1, 'labels': [{'label': 'z', 'negatives': ['u', 'v']},\n{'label': "
                   "'a', 'negatives': ['x',\n{'label': 'y', 'texts': ['w', 'a']}]}]}",
            rules,
            "f.json: line 3: labels[1].negatives[1]: \"a\" is a text of the label \"a\" too: "
            "neither could win");
    check_refused ("{'version': 1, 'templates': ['a {}', 'the {}'], 'negatives': [\n{'label': 'b', "
                   "'templates': ['one {}', 'the {}']}],\n'labels': [{'label': 'b'}]}",
            rules,
            "f.json: line 2: negatives[0]: \"b\" is a text of the label \"b\" too: neither could "
            "win");
}

/* Another template makes another phrase; and pictures, and labels of embeddings have no text. */
static void
test_negatives_of_other_labels (void)
{
    const char *const files[] = {
        "{'version': 1, 'labels': [{'label': 'a', 'negatives': ['b']}, {'label': 'b'}]}",
        "{'version': 1, 'negatives': [{'label': 'a', 'templates': ['a sharp {}']}],"
        " 'labels': [{'label': 'a', 'templates': ['a blurred {}']}]}",
        "{'version': 1, 'templates': ['a sharp {}'], 'negatives': ['a'],"
        " 'labels': [{'label': 'a', 'templates': ['a blurred {}']}]}",
        "{'version': 1, 'negatives': ['a'], 'labels': [{'label': 'a', 'texts': ['b']}]}",
        "{'version': 1, 'negatives': ['a'], 'labels': [{'label': 'a', 'embedding': [1, 0]}]}",
    };

    for (guint i = 0; i < G_N_ELEMENTS (files); i++)
        altclip_prompts_unref (parse (files[i]));
}

/* Of cosines alone, wherever the file says so. */
static void
test_thresholds_below_zero (void)
{
    const AltclipError code = ALTCLIP_ERROR_PROMPTS;
    const AltclipLabelRules defaults = { 0.5, 0.2, 0, 0, 0 };
    g_autoptr (AltclipPrompts) prompts =
            parse ("{'version': 1, 'threshold': -0.25, 'labels': [{'label': 'a'},"
                   " {'label': 'b', 'threshold': -1}], 'score_mode': 'cosine'}");
    g_autofree char *description = altclip_prompts_describe (prompts);
    g_autoptr (AltclipPrompts) again = parse (description);
    AltclipLabelRules rules[2];

    for (guint i = 0; i < 2; i++) {
        altclip_prompts_get_rules (i == 0 ? prompts : again, &defaults, rules);
        g_assert_cmpfloat (rules[0].threshold, ==, -0.25);
        g_assert_cmpfloat (rules[1].threshold, ==, -1.0);
    }
    check_refused ("{'version': 1, 'score_mode': 'cosine', 'threshold': -1.01}", code,
            "f.json: line 1: threshold is -1.01, but must be " THRESHOLD_LIMIT);
    check_refused ("{'version': 1,\n'threshold': -0.5, 'labels': [{'label': 'a'}],"
                   " 'score_mode': 'softmax'}",
            code, "f.json: line 2: threshold is -0.5, but must be " THRESHOLD_LIMIT);
    check_refused ("{'version': 1, 'score_mode': 'sigmoid', 'labels': [{'label': 'a'},\n"
                   "{'label': 'b', 'threshold': -1e-9},\n{'label': 'c', 'threshold': -1}]}",
            code, "f.json: line 2: labels[1].threshold is -1e-09, but must be " THRESHOLD_LIMIT);
}

static void
test_refused_labels (void)
{
    const AltclipError rules = ALTCLIP_ERROR_PROMPTS;

    check_labels_refused ("{'label':'a'},\n{'label':'b', 'threshold': 2}", rules,
            "3: labels[1].threshold is 2, but must be " THRESHOLD_LIMIT);
    check_labels_refused ("{'label':'a', 'threshold': -0.1}", rules,
            "2: labels[0].threshold is -0.1, but must be " THRESHOLD_LIMIT);
    check_labels_refused ("{'label':'a', 'threshold': '0.5'}", rules,
            "2: labels[0].threshold is '0.5', but must be " THRESHOLD_LIMIT);
    check_labels_refused ("{'label':'a', 'threshold': NaN}", rules,
            "2: labels[0].threshold is NaN, but must be " THRESHOLD_LIMIT);
    check_labels_refused ("{'label':'a', 'threshold': null}", rules,
            "2: labels[0].threshold is null, but must be " THRESHOLD_LIMIT);
    check_labels_refused ("{'label':'a', 'hysteresis': 1.01}", rules,
            "2: labels[0].hysteresis is 1.01, but must be a number from 0 to 1");
    check_labels_refused ("{'label':'a', 'hysteresis': .5}", rules,
            "2: labels[0].hysteresis is .5, but must be a number from 0 to 1");
    check_labels_refused ("{'label':'a', 'min_on': -1}", rules,
            "2: labels[0].min_on is -1, but must be a number from 0 to 86400");
    check_labels_refused ("{'label':'a', 'min_off': true}", rules,
            "2: labels[0].min_off is true, but must be a number from 0 to 86400");
    check_labels_refused ("{'label':'a', 'bias': 1e999}", rules,
            "2: labels[0].bias is 1e999, but must be a number from -1e+06 to 1e+06");
    check_labels_refused ("\n{'texts':['a']}", rules, "3: labels[0] has no label");
    check_labels_refused ("'a'", rules, "2: labels[0] is 'a', but must be an object");
    check_labels_refused ("{'label':' \xe3\x80\x80'}", rules,
            "2: labels[0].label is ' \xe3\x80\x80', but must be " TEXT_LIMIT);
    check_labels_refused ("{'label':7}", rules, "2: labels[0].label is 7, but must be " TEXT_LIMIT);
    check_labels_refused ("{'label':'a'},\n{'label':'b'},\n{'texts':['x'],\n'label':'a'}", rules,
            "5: labels[2].label is 'a', but must be another than those before it");
    check_labels_refused (
            "{'label':'a',\n'label':'a'}", rules, "3: labels[0].label is there twice");
    check_labels_refused ("{'label':'a', 'texts': []}", rules,
            "2: labels[0].texts is empty, but must hold 1 to 1000 elements");
    check_labels_refused ("{'label':'a', 'texts': 'b'}", rules,
            "2: labels[0].texts is 'b', but must be a list of strings");
    check_labels_refused ("{'label':'a', 'texts': ['b',\n ['c']]}", rules,
            "3: labels[0].texts[1] is a list, but must be " TEXT_LIMIT);
    check_labels_refused ("{'label':'a', 'negatives': [{'label': 'b'}, {'label': 'b'}]}", rules,
            "2: labels[0].negatives[1].label is 'b', but must be another than those before it");
    check_labels_refused ("{'label':'a', 'group': ''}", rules,
            "2: labels[0].group is '', but must be " TEXT_LIMIT);
    check_labels_refused ("{'label':'a', 'smoothing': -1}", rules,
            "2: labels[0].smoothing is -1, but must be a number from 0 to 86400");
    check_labels_refused ("{'label':'a', 'treshold': 1}", rules,
            "2: labels[0].treshold is no field that is known here; there are label, texts, "
            "templates, images, embedding, language, note, negatives, group, region, threshold, "
            "hysteresis, min_on, min_off, smoothing, bias");
    check_labels_refused ("{'label':'a', 'templates': ['{}'], 'images': ['rgb.png']}", rules,
            "2: labels[0] has templates, but no text to put in them");
}

static void
test_refused_regions (void)
{
    const AltclipError rules = ALTCLIP_ERROR_PROMPTS;

    check_labels_refused ("{'label':'a',\n 'region': '0,0,1,1'}", rules,
            "3: labels[0].region is '0,0,1,1', but must be a list of four numbers x, y, w, h from "
            "0 to 1");
    check_labels_refused ("{'label':'a', 'region': [0,\n 0, 1]}", rules,
            "2: labels[0].region holds 3 numbers, but must be a list of four numbers x, y, w, h "
            "from 0 to 1");
    check_labels_refused ("{'label':'a', 'region': [0, 0, 1, 1,\n 1]}", rules,
            "3: labels[0].region[4] is one too many: the list may hold 4");
    check_labels_refused ("{'label':'a', 'region': [0, -0.1, 1, 1]}", rules,
            "2: labels[0].region[1] is -0.1, but must be a number from 0 to 1");
    check_labels_refused ("{'label':'a', 'region': [0, 0, 1, 0]}", rules,
            "2: labels[0].region is 1 wide and 0 high, but must be more than 0");
    check_labels_refused ("{'label':'a', 'region': [0.5, 0, 0.625, 1]}", rules,
            "2: labels[0].region reaches to 1.125 of the width and 1 of the height, but must end "
            "at "
            "1 at most");
}

static void
test_refused_embeddings (void)
{
    const AltclipError rules = ALTCLIP_ERROR_PROMPTS;
    const char *limit = "a list of 1 to 32768 numbers, or base64 of as many little-endian 32-bit "
                        "floats";
    const char *no_base64[] = { "x", "", "AAAA", "AACAPw=", "AACAPw",
        "=ACAPw==", "====", "AAC!Pw==", "AACAPw==AACAPw==", "AA\\nAPw==" };

    for (guint i = 0; i < G_N_ELEMENTS (no_base64); i++) {
        g_autofree char *labels =
                g_strdup_printf ("{'label':'a', 'embedding': '%s'}", no_base64[i]);
        g_autofree char *expected = g_strdup_printf (
                "2: labels[0].embedding is '%s', but must be %s", no_base64[i], limit);
        check_labels_refused (labels, rules, expected);
    }
    check_labels_refused ("{'label':'a', 'embedding': [1, 2]},\n\n{'label':'b', 'embedding':\n[1]}",
            rules, "5: labels[1].embedding holds 1 numbers, but those before it hold 2");
    check_labels_refused ("{'label':'a', 'embedding':\n[1,\n1e39]}", rules,
            "4: labels[0].embedding[1] is 1e39, but must be a number from -3.40282e+38 to "
            "3.40282e+38");
    check_labels_refused ("{'label':'a', 'embedding': 'AACAPwAAgP8='}", rules,
            "2: labels[0].embedding holds -inf as number 2, but must hold finite ones");
    check_labels_refused ("{'label':'a', 'embedding': [0,\n-0.0, 1e-60]}", rules,
            "2: labels[0].embedding holds nothing but zeros");
    check_labels_refused ("{'label':'a', 'embedding': 'AAAAAAAAAAA='}", rules,
            "2: labels[0].embedding holds nothing but zeros");
    check_labels_refused ("{'label':'a', 'embedding': [1, '2']}", rules,
            "2: labels[0].embedding[1] is '2', but must be a number from -3.40282e+38 to "
            "3.40282e+38");
    check_labels_refused ("\n{'label':'a', 'embedding': [1],\n 'texts': ['b']}", rules,
            "3: labels[0] has an embedding beside texts, templates or images, which it takes the "
            "place of");
}

static void
test_refused_pictures (void)
{
    g_autofree char *directory = get_directory ("stills");
    g_autofree char *missing = g_strdup_printf (
            "3: labels[0].images[1]: %s/no.png: No such file or directory", directory);
    g_autofree char *folder =
            g_strdup_printf ("2: labels[0].images[0]: %s/..: not a regular file", directory);
    g_autoptr (GError) error = NULL;
    const char *json =
            "{\"version\": 1, \"labels\": [{\"label\": \"a\", \"images\": [\"a.png\"]}]}";

    check_labels_refused (
            "{'label':'a', 'images': ['rgb.png',\n'no.png']}", ALTCLIP_ERROR_IO, missing);
    check_labels_refused ("{'label':'a', 'images': ['..']}", ALTCLIP_ERROR_IO, folder);
    check_labels_refused ("{'label':'a', 'images': ['/dev/zero']}", ALTCLIP_ERROR_IO,
            "2: labels[0].images[0]: /dev/zero: not a regular file");
    check_labels_refused ("{'label':'a', 'images': ['a\\nb']}", ALTCLIP_ERROR_PROMPTS,
            "2: labels[0].images[0] is 'a\\nb', but must be " TEXT_LIMIT ", on one line");
    check_labels_refused ("{'label':'a', 'images': []}", ALTCLIP_ERROR_PROMPTS,
            "2: labels[0].images is empty, but must hold 1 to 1000 elements");
    g_assert_null (altclip_prompts_parse_file ("f.json", ".", json, strlen (json), NULL, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS);
    g_assert_cmpstr (error->message, ==,
            "f.json: line 1: labels[0].images: pictures cannot be read by this program");
}

/* ---- Much ------------------------------------------------------------------------------------ */

static void
append_repeated (GString *json, const char *part, guint n)
{
    for (guint i = 0; i < n; i++)
        g_string_append_printf (json, "%s%s", i > 0 ? "," : "", part);
}

static char *
make_labels (guint n)
{
    GString *json = g_string_new ("{'version': 1,\n'labels': [\n");

    for (guint i = 0; i < n; i++)
        g_string_append_printf (json,
                "%s{'label': 'label %u', 'texts': ['a photo of number %u', '第%u张'],\n"
                " 'threshold': 0.6, 'group': 'group %u'}",
                i > 0 ? ",\n" : "", i, i, i, i % 100);
    g_string_append (json, "]}");
    return g_string_free (json, FALSE);
}

static void
test_many_labels (void)
{
    const guint counts[] = { 1000, ALTCLIP_MAX_LABELS };
    g_autofree char *too_many = make_labels (ALTCLIP_MAX_LABELS + 1);

    for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
        g_autofree char *json = make_labels (counts[i]);
        gint64 start = g_get_monotonic_time ();
        g_autoptr (AltclipPrompts) prompts = parse (json);
        double milliseconds = (double)(g_get_monotonic_time () - start) / 1000;

        g_test_message ("%u labels: %.1f ms", counts[i], milliseconds);
        g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, counts[i]);
        g_assert_cmpuint (prompts->n_groups, ==, 101);
        g_assert_cmpfloat (milliseconds, <, 10000); /* a hundred times what it takes */
    }
    check_refused (too_many, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 20003: labels[10000] is one too many: the list may hold 10000");
}

/* @part: an element; @before: what begins the list, @after: what ends the document */
static void
check_repeated_refused (const char *before, const char *part, guint n, const char *expected)
{
    GString *json = g_string_new (before);

    append_repeated (json, part, n);
    check_refused (json->str, ALTCLIP_ERROR_PROMPTS, expected);
    g_string_free (json, TRUE);
}

static void
test_limits (void)
{
    GString *label = g_string_new ("{'version': 1, 'labels': [{'label': '");
    GString *negatives = g_string_new ("{'negatives': [");

    check_repeated_refused ("{'labels': [{'texts': [", "'a'", 1001,
            "f.json: line 1: labels[0].texts[1000] is one too many: the list may hold 1000");
    check_repeated_refused ("{'templates': [", "'{}'", 1001,
            "f.json: line 1: templates[1000] is one too many: the list may hold 1000");
    check_repeated_refused ("{'labels': [{'images': [", "'rgb.png'", 1001,
            "f.json: line 1: labels[0].images[1000] is one too many: the list may hold 1000");
    check_repeated_refused ("{'labels': [{'embedding': [", "1", 32769,
            "f.json: line 1: labels[0].embedding[32768] is one too many: the list may hold 32768");
    for (guint i = 0; i <= ALTCLIP_MAX_LABELS; i++)
        g_string_append_printf (negatives, "%s'%u'", i > 0 ? "," : "", i);
    check_refused (negatives->str, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1: negatives[10000] is one too many: a file may hold 10000 negatives");
    for (guint i = 0; i < 4097; i++)
        g_string_append_c (label, 'x');
    g_string_append (label, "'}]}");
    check_refused (label->str, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1: labels[0].label is "
            "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, "
            "but must be " TEXT_LIMIT);
    g_string_free (label, TRUE);
    g_string_free (negatives, TRUE);
}

/* A small file must not ask for years of work, nor a large one for much memory. */
/* Of many labels few regions, and one region more than there may be. */
static void
test_many_regions (void)
{
    GString *json = g_string_new ("{'version': 1, 'labels': [");
    g_autoptr (AltclipPrompts) prompts = NULL;
    AltclipRegion region;

    for (guint i = 0; i < 1000; i++)
        g_string_append_printf (json, "%s\n{'label': '%u', 'region': [0.%03u, 0, 0.001, 1]}",
                i > 0 ? "," : "", i, i % ALTCLIP_MAX_REGIONS);
    g_string_append (json, "]}");
    prompts = parse (json->str);
    g_assert_cmpuint (altclip_prompts_get_n_regions (prompts), ==, ALTCLIP_MAX_REGIONS + 1);
    g_assert_cmpuint (altclip_prompts_get_label_region (prompts, 999), ==, 999 % 255 + 1);
    altclip_prompts_get_region (prompts, 999 % 255 + 1, &region);
    g_assert_cmpfloat (region.x, ==, 0.234);
    g_assert_cmpuint (prompts->n_contests, ==, ALTCLIP_MAX_REGIONS);
    g_string_truncate (json, json->len - 2);
    g_string_append (json, ",\n{'label': 'x', 'region': [0, 0, 1, 1]}]}");
    check_refused (json->str, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1002: labels[1000].region is one too many: a file may hold 255 different "
            "regions");
    g_string_free (json, TRUE);
}

static void
test_limits_together (void)
{
    GString *json = g_string_new ("{'version': 1, 'templates': [");

    append_repeated (json, "'{}'", 1000);
    g_string_append (json, "], 'labels': [");
    for (guint i = 0; i < 2; i++) {
        g_string_append_printf (json, "%s{'label': '%u', 'texts': [", i > 0 ? "," : "", i);
        append_repeated (json, "'a'", 501);
        g_string_append (json, "]}");
    }
    g_string_append (json, "]}");
    check_refused (json->str, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1: the document puts texts into templates 1002000 times, images counted "
            "too; the limit is 1000000");
    g_string_free (json, TRUE);

    json = g_string_new ("{'labels': [");
    for (guint i = 0; i <= 1000; i++) {
        g_string_append_printf (json, "%s{'label': '%u', 'texts': [", i > 0 ? "," : "", i);
        append_repeated (json, "'a'", 1000);
        g_string_append (json, "]}");
    }
    check_refused (json->str, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1: labels[1000].texts[0] is one too many: a file may hold 1000000 texts, "
            "templates and images");
    g_string_free (json, TRUE);
}

static void
test_deep (void)
{
    GString *json = g_string_new (NULL);

    for (guint i = 0; i < 1000000; i++)
        g_string_append_c (json, '[');
    check_refused (json->str, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1: the document is a list, but must be an object");
    g_string_prepend (json, "{'labels': [{'label': 'a', 'negatives': [{'embedding': [");
    check_refused (json->str, ALTCLIP_ERROR_PROMPTS,
            "f.json: line 1: labels[0].negatives[0].embedding[0] is a list, but must be a number "
            "from -3.40282e+38 to 3.40282e+38");
    g_string_free (json, TRUE);
}

/* Whatever happens to a file: a set, or one error that names the file and a line. */
static void
check_survives (const char *bytes, gsize length)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) prompts = parse_bytes (bytes, length, &error);

    g_assert_true ((prompts != NULL) == (error == NULL));
    if (!error)
        return;
    g_assert_true (error->domain == ALTCLIP_ERROR);
    g_assert_true (g_str_has_prefix (error->message, "f.json: line "));
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_null (strchr (error->message, '\n'));
}

static void
test_damage (void)
{
    g_autofree char *text = quote (EVERYTHING);
    gsize length = strlen (text);
    const char bytes[] = { 0, '\n', '"', '\\', '{', ']', ',', '9', '-', (char)0xff };

    for (gsize i = 0; i < length; i++) {
        g_autofree char *damaged = g_memdup2 (text, length);

        check_survives (text, i);
        for (guint j = 0; j < G_N_ELEMENTS (bytes); j++) {
            damaged[i] = bytes[j];
            check_survives (damaged, length);
        }
        memmove (damaged + i, damaged + i + 1, length - i - 1);
        check_survives (damaged, length - 1);
    }
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
check_load_fails (const char *path, AltclipError code, const char *part)
{
    g_autoptr (GError) error = NULL;

    g_assert_null (altclip_prompts_load (path, still_load, &error));
    g_assert_error (error, ALTCLIP_ERROR, (int)code);
    g_assert_true (g_str_has_prefix (error->message, path));
    g_assert_nonnull (strstr (error->message, part));
}

static void
test_bad_files (void)
{
    g_autofree char *large = NULL;
    int fd = g_file_open_tmp ("altclip-XXXXXX.json", &large, NULL);

    g_assert_cmpint (fd, >=, 0);
    g_assert_cmpint (ftruncate (fd, 100 * 1024 * 1024), ==, 0);
    close (fd);
    check_load_fails (large, ALTCLIP_ERROR_FORMAT, "104857600 bytes exceed the limit of 67108864");
    g_unlink (large);
    check_load_fails ("/no/such.json", ALTCLIP_ERROR_IO, "No such file");
    check_load_fails ("/dev/zero", ALTCLIP_ERROR_IO, "not a regular file");
    check_load_fails (g_get_tmp_dir (), ALTCLIP_ERROR_IO, "not a regular file");
}

/* The examples, which the schema too is tried on: tests/schema.py. */
static void
test_examples (void)
{
    g_autofree char *path = get_directory ("prompts");
    g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
    const char *name;
    guint n = 0;

    g_assert_nonnull (directory);
    while ((name = g_dir_read_name (directory))) {
        g_autofree char *file = g_build_filename (path, name, NULL);
        g_autoptr (GError) error = NULL;
        g_autoptr (AltclipPrompts) prompts = altclip_prompts_load (file, still_load, &error);

        g_test_message ("%s: %s", name, error ? error->message : "good");
        if (g_str_has_prefix (name, "good")) {
            g_assert_no_error (error);
        } else {
            g_autofree char *start = g_strconcat (file, ": line ", NULL);
            g_assert_null (prompts);
            g_assert_true (error->domain == ALTCLIP_ERROR);
            g_assert_true (g_str_has_prefix (error->message, start));
        }
        n++;
    }
    g_assert_cmpuint (n, >=, 20);
}

/* ---- Embedding ------------------------------------------------------------------------------- */

typedef struct {
    char *directory; /* a temporary one */
    char *path;      /* of a file of prompts in it */
    AltclipModel *model;
    AltclipSession *session;
    guint dim;
} Small;

static void
small_open (Small *small, const char *path)
{
    g_autoptr (GError) error = NULL;

    g_clear_pointer (&small->session, altclip_session_free);
    g_clear_pointer (&small->model, altclip_model_unref);
    small->model = altclip_model_open (path, NULL, NULL, &error);
    g_assert_no_error (error);
    small->session = altclip_session_new (small->model, 1, &error);
    g_assert_no_error (error);
    small->dim = altclip_model_get_info (small->model)->projection_dim;
}

static void
small_init (Small *small, gconstpointer data)
{
    g_autofree char *path = get_directory ("models/patch16");

    (void)data;
    small->directory = g_dir_make_tmp ("altclip-prompts-XXXXXX", NULL);
    small->path = g_build_filename (small->directory, "prompts.json", NULL);
    small_open (small, path);
}

static void
small_clear (Small *small, gconstpointer data)
{
    g_autoptr (GDir) directory = g_dir_open (small->directory, 0, NULL);
    const char *name;

    (void)data;
    g_clear_pointer (&small->session, altclip_session_free);
    g_clear_pointer (&small->model, altclip_model_unref);
    while ((name = g_dir_read_name (directory))) {
        g_autofree char *path = g_build_filename (small->directory, name, NULL);
        g_unlink (path);
    }
    g_rmdir (small->directory);
    g_free (small->directory);
    g_free (small->path);
}

static void
write_json (Small *small, const char *json)
{
    g_autofree char *text = quote (json);

    g_assert_true (g_file_set_contents (small->path, text, -1, NULL));
}

/* A link, so that relative paths have something to lead to. */
static void
link_file (Small *small, const char *golden, const char *name)
{
    g_autofree char *target = g_build_filename (small->directory, name, NULL);
    g_autofree char *source = get_directory (golden);

    g_assert_cmpint (symlink (source, target), ==, 0);
}

static AltclipPrompts *
embed (Small *small, const char *json)
{
    g_autoptr (AltclipPrompts) prompts = NULL;
    g_autoptr (GError) error = NULL;

    write_json (small, json);
    prompts = altclip_prompts_new_for_file (small->path, still_load);
    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 0);
    altclip_prompts_embed (prompts, small->session, NULL, &error);
    g_assert_no_error (error);
    return g_steal_pointer (&prompts);
}

static const float *
get_embedding (AltclipPrompts *prompts, guint index)
{
    return prompts->embeddings + (gsize)index * prompts->dim;
}

/* The mean of @vectors [n, dim], made unit length, computed the long way. */
static void
check_mean (const float *embedding, const float *vectors, guint n, guint dim)
{
    g_autofree double *mean = g_new0 (double, dim);
    double square = 0;

    for (gsize i = 0; i < (gsize)n * dim; i++)
        mean[i % dim] += vectors[i];
    for (guint i = 0; i < dim; i++)
        square += mean[i] * mean[i];
    for (guint i = 0; i < dim; i++)
        g_assert_cmpfloat_with_epsilon (embedding[i], mean[i] / sqrt (square), 1e-5);
}

static void
encode (Small *small, const char *text, float *vector)
{
    g_assert_true (altclip_session_encode_texts (small->session, &text, 1, NULL, vector, NULL));
}

static void
encode_still (Small *small, const char *name, float *vector)
{
    g_autofree char *path = get_directory (name);
    g_autofree float *pixel_values =
            still_load (path, altclip_session_get_model (small->session), NULL);

    g_assert_true (altclip_session_encode_images (small->session, pixel_values, 1, vector, NULL));
}

static void
test_embed (Small *small, gconstpointer data)
{
    g_autoptr (AltclipPrompts) prompts = NULL;
    g_autofree float *vectors = g_new (float, (gsize)3 * small->dim);
    g_autofree float *ready = g_new0 (float, small->dim);
    GString *json = g_string_new ("{'version': 1, 'templates': ['a photo of {}'], 'labels': ["
                                  "{'label': 'mixed', 'texts': ['猫'],"
                                  " 'images': ['one.png', 'two.jpg']},"
                                  "{'label': 'dog', 'templates': ['{}!', '{}?']},"
                                  "{'label': 'picture', 'images': ['one.png']},"
                                  "{'label': 'ready', 'embedding': [0, -2");

    (void)data;
    for (guint i = 2; i < small->dim; i++)
        g_string_append (json, ", 0");
    g_string_append (json, "]}]}");
    link_file (small, "stills/rgb.png", "one.png");
    link_file (small, "stills/jpeg444.jpg", "two.jpg");
    prompts = embed (small, json->str);
    encode_still (small, "stills/rgb.png", vectors);
    check_mean (get_embedding (prompts, 2), vectors, 1, small->dim);
    encode_still (small, "stills/jpeg444.jpg", vectors + small->dim);
    encode (small, "a photo of 猫", vectors + (gsize)2 * small->dim);
    check_mean (get_embedding (prompts, 0), vectors, 3, small->dim);
    encode (small, "dog!", vectors);
    encode (small, "dog?", vectors + small->dim);
    check_mean (get_embedding (prompts, 1), vectors, 2, small->dim);
    ready[1] = -1;
    check_mean (get_embedding (prompts, 3), ready, 1, small->dim);
    g_assert_null (altclip_prompts_get_neutral (prompts));
    g_string_free (json, TRUE);
}

/* Only on embedding is it known what is wrong; the message names the line all the same. */
static void
check_embed_fails (Small *small, const char *json, const char *expected)
{
    g_autoptr (AltclipPrompts) prompts = NULL;
    g_autofree char *message = g_strconcat (small->path, ": line ", expected, NULL);
    g_autoptr (GError) error = NULL;

    write_json (small, json);
    prompts = altclip_prompts_new_for_file (small->path, still_load);
    g_assert_false (altclip_prompts_embed (prompts, small->session, NULL, &error));
    g_assert_nonnull (error);
    g_assert_cmpstr (error->message, ==, message);
}

static void
test_embed_fails (Small *small, gconstpointer data)
{
    g_autofree char *bad_picture = g_strdup_printf ("3: labels[0].images[0]: %s/prompts.json: not "
                                                    "a PNG or JPEG picture, by its first bytes",
            small->directory);
    g_autofree char *bad_size = g_strdup_printf (
            "1: labels[0].embedding holds 3 numbers, but the model's embeddings hold %u",
            small->dim);

    (void)data;
    check_embed_fails (small,
            "{'version': 1, 'labels': [\n{'label': 'a', 'images': [\n'prompts.json']}]}",
            bad_picture);
    check_embed_fails (
            small, "{'version': 1, 'labels': [{'label': 'a', 'embedding': [1, 2, 3]}]}", bad_size);
    check_embed_fails (small, "{'version': 1,\n'labels': [{'label': 'a', 'threshold': 2}]}",
            "2: labels[0].threshold is 2, but must be " THRESHOLD_LIMIT);
}

/* A set whose file was bad is none; once the file is good, it can be embedded. */
static void
test_embed_again (Small *small, gconstpointer data)
{
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_new_for_file (small->path, still_load);
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;

    (void)data;
    write_json (small, "{'version': 1, 'labels': [{'label': 'a'}, {'label': 'b', 'x': 1}]}");
    g_assert_false (altclip_prompts_embed (prompts, small->session, NULL, NULL));
    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 0);
    write_json (small, "{'version': 1, 'labels': [{'label': 'a'}]}");
    g_cancellable_cancel (cancellable);
    g_assert_false (altclip_prompts_embed (prompts, small->session, cancellable, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_true (altclip_prompts_embed (prompts, small->session, NULL, NULL));
    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 1);
    g_assert_cmpstr (altclip_prompts_get_neutral (prompts), ==, "a picture");
}

/* In each group that has one label alone and no negative of its own. */
static void
test_neutral (Small *small, gconstpointer data)
{
    g_autoptr (AltclipPrompts) alone =
            embed (small, "{'version': 1, 'labels': [{'label': 'a', 'group': 'g'}, {'label': 'b'},"
                          " {'label': 'c'}, {'label': 'd', 'group': 'h', 'negatives': ['x']}]}");
    g_autoptr (AltclipPrompts) opposed = embed (
            small, "{'version': 1, 'negatives': ['x'], 'labels': [{'label': 'a', 'group': 'g'}]}");
    g_autoptr (AltclipPrompts) apart =
            embed (small, "{'version': 1, 'score_mode': 'cosine', 'labels': [{'label': 'a'}]}");

    (void)data;
    g_assert_cmpstr (altclip_prompts_get_neutral (alone), ==, "a picture");
    g_assert_cmpuint (alone->entries->len, ==, 6);
    g_assert_true (get_entry (alone, 0)->lone);
    for (guint i = 1; i < 4; i++)
        g_assert_false (get_entry (alone, i)->lone);
    g_assert_null (altclip_prompts_get_neutral (opposed));
    g_assert_null (altclip_prompts_get_neutral (apart));
}

/* Renames tensors in the header to something as long. */
static void
rename_tensors (char *header, gsize length, const char *from, const char *to)
{
    g_assert_cmpuint (strlen (from), ==, strlen (to));
    for (char *at = header; (at = g_strstr_len (at, header + length - at, from));)
        memcpy (at, to, strlen (to));
}

/* A model of the image tower alone, without tokenizer and logit_scale. */
static void
make_image_tower (Small *small)
{
    const char *files[] = { "config.json", "preprocessor_config.json" };
    g_autofree char *source = get_directory ("models/patch16/model.safetensors");
    g_autofree char *target = g_build_filename (small->directory, "model.safetensors", NULL);
    g_autofree char *bytes = NULL;
    gsize length;
    guint64 header;

    for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
        g_autofree char *golden = g_build_filename ("models/patch16", files[i], NULL);
        link_file (small, golden, files[i]);
    }
    g_assert_true (g_file_get_contents (source, &bytes, &length, NULL));
    memcpy (&header, bytes, sizeof header);
    header = GUINT64_FROM_LE (header);
    rename_tensors (bytes + 8, header, "\"text_", "\"none_");
    rename_tensors (bytes + 8, header, "\"logit_scale", "\"spare_scale");
    g_assert_true (g_file_set_contents (target, bytes, (gssize)length, NULL));
}

/* What was written scores the same with the image tower alone. */
static void
test_save (Small *small, gconstpointer data)
{
    g_autofree char *saved = g_build_filename (small->directory, "saved.json", NULL);
    g_autofree float *picture = g_new (float, small->dim);
    g_autoptr (AltclipPrompts) before = embed (small,
            "{'version': 1, 'score_mode': 'softmax', 'threshold': 0.6, 'negatives': ['x', 'y'],"
            " 'labels': [{'label': 'cat', 'texts': ['a cat', '猫'], 'min_on': 0.1, 'note': 'n',"
            "  'language': 'en', 'region': [0.7, 0, 0.3, 1]},"
            " {'label': 'b', 'group': 'g', 'hysteresis': 0.3, 'negatives': ['z', 'w']},"
            " {'label': 'c', 'group': 'h', 'negatives': ['z'], 'bias': -2.5, 'min_off': 3,"
            "  'smoothing': 0.25}]}");
    g_autoptr (AltclipPrompts) after = NULL;
    const AltclipLabelRules defaults = { 0, 0, 0, 0, 0 };
    AltclipLabelRules rules[2][3];
    double scores[2][3];
    g_autoptr (GError) error = NULL;

    (void)data;
    g_assert_true (altclip_prompts_save (before, saved, NULL));
    make_image_tower (small);
    small_open (small, small->directory);
    g_assert_false (altclip_model_can_embed (small->model, ALTCLIP_TOWER_TEXT, NULL));
    after = altclip_prompts_load (saved, NULL, &error);
    g_assert_no_error (error);
    g_assert_true (altclip_prompts_embed (after, small->session, NULL, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (after->n_labels, ==, 3);
    g_assert_cmpuint (after->n_negatives, ==, 2);
    g_assert_cmpuint (after->n_own_negatives, ==, 3);
    g_assert_cmpstr (get_entry (after, 0)->note, ==, "n");
    g_assert_cmpstr (get_entry (after, 0)->language, ==, "en");
    g_assert_cmpfloat (get_entry (after, 2)->rules[ALTCLIP_RULE_BIAS], ==, -2.5);
    g_assert_cmpint (after->score_mode, ==, ALTCLIP_SCORE_SOFTMAX);
    g_assert_cmpmem (before->regions->data, 2 * sizeof (AltclipRegion), after->regions->data,
            after->regions->len * sizeof (AltclipRegion));
    g_assert_cmpuint (get_entry (after, 0)->region, ==, 1);
    g_assert_cmpuint (get_entry (after, 1)->region, ==, 0);
    g_assert_cmpstr (altclip_prompts_get_group_name (after, 2), ==, "h");
    altclip_prompts_get_rules (before, &defaults, rules[0]);
    altclip_prompts_get_rules (after, &defaults, rules[1]);
    g_assert_cmpmem (rules[0], sizeof rules[0], rules[1], sizeof rules[1]);
    encode_still (small, "stills/rgb.png", picture);
    altclip_prompts_score (before, ALTCLIP_SCORE_SOFTMAX, picture, scores[0], NULL);
    altclip_prompts_score (after, ALTCLIP_SCORE_SOFTMAX, picture, scores[1], NULL);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpfloat_with_epsilon (scores[0][i], scores[1][i], 1e-5);
}

/* The neutral phrase is written as a negative: it would need the text tower again. */
static void
test_save_lone (Small *small, gconstpointer data)
{
    g_autofree char *saved = g_build_filename (small->directory, "saved.json", NULL);
    g_autoptr (AltclipPrompts) before =
            embed (small, "{'version': 1, 'labels': [{'label': 'a', 'group': 'g'},"
                          " {'label': 'b', 'group': 'h'}]}");
    g_autoptr (AltclipPrompts) after = NULL;

    (void)data;
    g_assert_true (altclip_prompts_save (before, saved, NULL));
    after = altclip_prompts_load (saved, NULL, NULL);
    g_assert_true (altclip_prompts_embed (after, small->session, NULL, NULL));
    g_assert_null (altclip_prompts_get_neutral (after));
    g_assert_cmpuint (after->n_own_negatives, ==, 2);
    g_assert_cmpstr (get_entry (after, 3)->label, ==, "a picture");
    g_assert_cmpuint (get_entry (after, 3)->owner, ==, 1);
}

static void
test_save_fails (Small *small, gconstpointer data)
{
    g_autoptr (AltclipPrompts) prompts =
            embed (small, "{'version': 1, 'labels': [{'label': 'a'}]}");
    g_autoptr (GError) error = NULL;

    (void)data;
    g_assert_false (altclip_prompts_save (prompts, "/no/such/folder/x.json", &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO);
    g_assert_nonnull (strstr (error->message, "/no/such/folder/x.json"));
}

/* What is described is read as the same set, in another directory too. */
static void
test_describe (void)
{
    g_autoptr (AltclipPrompts) before = parse (EVERYTHING);
    g_autofree char *description = altclip_prompts_describe (before);
    g_autofree char *again = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPrompts) after = altclip_prompts_parse_file (
            "d.json", "/", description, strlen (description), still_load, &error);

    g_assert_no_error (error);
    again = altclip_prompts_describe (after);
    g_assert_cmpstr (again, ==, description);
    g_assert_cmpuint (after->n_labels, ==, 4);
    g_assert_cmpuint (after->n_own_negatives, ==, 2);
    check_strings (after->templates, "a photo of {}|{}");
    check_strings (get_entry (after, 0)->texts, "a cat|une image de chat|猫");
    g_assert_cmpuint (get_entry (after, 1)->pictures->len, ==, 2);
    g_assert_nonnull (get_entry (after, 2)->embedding);
    check_strings (get_entry (after, 3)->templates, "the {} and the {}");
    g_assert_cmpfloat (get_entry (after, 0)->rules[ALTCLIP_RULE_THRESHOLD], ==, 0.75);
    g_assert_cmpfloat (after->own_logit_scale, ==, 50.5);
    g_assert_cmpint (after->score_mode, ==, ALTCLIP_SCORE_SIGMOID);
}

static void
test_calibrate (void)
{
    const double thresholds[] = { 0.25, NAN, 0.0, 1.0 };
    const double biases[] = { NAN, 2.5, NAN, -1e6 };
    g_autoptr (AltclipPrompts) prompts = parse (EVERYTHING);
    g_autofree char *description = NULL;
    g_autoptr (AltclipPrompts) after = NULL;

    altclip_prompts_calibrate (prompts, ALTCLIP_SCORE_COSINE, thresholds, biases);
    description = altclip_prompts_describe (prompts);
    after = parse (description);
    g_assert_cmpint (after->score_mode, ==, ALTCLIP_SCORE_COSINE);
    for (guint i = 0; i < 4; i++) {
        const double *rules = get_entry (after, i)->rules;
        g_assert_cmpfloat (
                rules[ALTCLIP_RULE_THRESHOLD], ==, isnan (thresholds[i]) ? 0.6 : thresholds[i]);
        g_assert_cmpfloat (rules[ALTCLIP_RULE_BIAS], ==,
                !isnan (biases[i]) ? biases[i]
                : i == 0           ? 1.5
                                   : -3.0);
        g_assert_cmpfloat (rules[ALTCLIP_RULE_MIN_OFF], ==, 2.0);
    }
}

/* What a label's own threshold was for cosines, no file of shares can hold. */
static void
test_calibrate_below_zero (void)
{
    const double thresholds[] = { -0.5, NAN };
    const double shares[] = { 0.75, NAN };
    const double biases[] = { NAN, NAN };

    for (guint i = 0; i < 2; i++) {
        g_autoptr (AltclipPrompts) prompts =
                parse ("{'version': 1, 'score_mode': 'cosine', 'labels': [{'label': 'a'},"
                       " {'label': 'b', 'threshold': -0.25}]}");
        g_autofree char *description = NULL;
        g_autoptr (AltclipPrompts) after = NULL;
        double left;

        altclip_prompts_calibrate (prompts, i == 0 ? ALTCLIP_SCORE_COSINE : ALTCLIP_SCORE_SOFTMAX,
                i == 0 ? thresholds : shares, biases);
        description = altclip_prompts_describe (prompts);
        after = parse (description);
        left = get_entry (after, 1)->rules[ALTCLIP_RULE_THRESHOLD];
        g_assert_cmpfloat (
                get_entry (after, 0)->rules[ALTCLIP_RULE_THRESHOLD], ==, i == 0 ? -0.5 : 0.75);
        g_assert_true (i == 0 ? left == -0.25 : isnan (left));
    }
}

static void
add_embedding_test (const char *path, void (*test) (Small *, gconstpointer))
{
    g_test_add (path, Small, NULL, small_init, test, small_clear);
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/prompts-file/everything", test_everything);
    g_test_add_func ("/prompts-file/score-modes", test_score_modes);
    g_test_add_func ("/prompts-file/entries", test_entries);
    g_test_add_func ("/prompts-file/least", test_least);
    g_test_add_func ("/prompts-file/refused/document", test_refused_document);
    g_test_add_func ("/prompts-file/refused/syntax", test_refused_syntax);
    g_test_add_func ("/prompts-file/refused/labels", test_refused_labels);
    g_test_add_func ("/prompts-file/thresholds-below-zero", test_thresholds_below_zero);
    g_test_add_func ("/prompts-file/refused/regions", test_refused_regions);
    g_test_add_func ("/prompts-file/refused/embeddings", test_refused_embeddings);
    g_test_add_func ("/prompts-file/refused/pictures", test_refused_pictures);
    g_test_add_func ("/prompts-file/many-labels", test_many_labels);
    g_test_add_func ("/prompts-file/limits", test_limits);
    g_test_add_func ("/prompts-file/many-regions", test_many_regions);
    g_test_add_func ("/prompts-file/limits-together", test_limits_together);
    g_test_add_func ("/prompts-file/deep", test_deep);
    g_test_add_func ("/prompts-file/damage", test_damage);
    g_test_add_func ("/prompts-file/bad-files", test_bad_files);
    g_test_add_func ("/prompts-file/refused/encodings", test_refused_encodings);
    g_test_add_func ("/prompts-file/refused/negatives", test_refused_negatives);
    g_test_add_func ("/prompts-file/negatives-of-others", test_negatives_of_other_labels);
    g_test_add_func ("/prompts-file/examples", test_examples);
    add_embedding_test ("/prompts-file/embed", test_embed);
    add_embedding_test ("/prompts-file/embed-fails", test_embed_fails);
    add_embedding_test ("/prompts-file/embed-again", test_embed_again);
    add_embedding_test ("/prompts-file/neutral", test_neutral);
    g_test_add_func ("/prompts-file/describe", test_describe);
    g_test_add_func ("/prompts-file/calibrate", test_calibrate);
    g_test_add_func ("/prompts-file/calibrate-below-zero", test_calibrate_below_zero);
    add_embedding_test ("/prompts-file/save", test_save);
    add_embedding_test ("/prompts-file/save-lone", test_save_lone);
    add_embedding_test ("/prompts-file/save-fails", test_save_fails);
    return g_test_run ();
}
