/* altclip: prompt lists and scores
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts_file.h"

#include <math.h>
#include <string.h>

static AltclipPrompts *
parse (const char *prompts, const char *negatives, const char *templates)
{
    g_autoptr (GError) error = NULL;
    AltclipPrompts *parsed = altclip_prompts_parse (prompts, negatives, templates, &error);

    g_assert_no_error (error);
    return parsed;
}

static const AltclipPromptEntry *
get_entry (AltclipPrompts *prompts, guint index)
{
    g_assert_cmpuint (index, <, prompts->entries->len);
    return g_ptr_array_index (prompts->entries, index);
}

/* Expects label "=" text "|" text … */
static void
check_entry (AltclipPrompts *prompts, guint index, const char *expected)
{
    const AltclipPromptEntry *entry = get_entry (prompts, index);
    g_autoptr (GString) got = g_string_new (entry->label);

    for (guint i = 0; i < entry->texts->len; i++)
        g_string_append_printf (
                got, "%c%s", i ? '|' : '=', (const char *)g_ptr_array_index (entry->texts, i));
    g_assert_cmpstr (got->str, ==, expected);
}

/* ---- The grammar ----------------------------------------------------------------------------- */

static void
test_parse (void)
{
    g_autoptr (AltclipPrompts) prompts = parse (
            " a red circle ;cat=a cat| une image de chat |猫;\t彩条\n;", "empty; dark=night", NULL);
    guint n_unknown = 1;

    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 3);
    g_assert_cmpuint (prompts->entries->len, ==, 5);
    check_entry (prompts, 0, "a red circle=a red circle");
    check_entry (prompts, 1, "cat=a cat|une image de chat|猫");
    check_entry (prompts, 2, "彩条=彩条");
    check_entry (prompts, 3, "empty=empty");
    check_entry (prompts, 4, "dark=night");
    g_assert_cmpstr (altclip_prompts_get_label (prompts, 1), ==, "cat");
    g_assert_null (altclip_prompts_get_neutral (prompts));
    altclip_prompts_get_unknown (prompts, &n_unknown);
    g_assert_cmpuint (n_unknown, ==, 0);
}

static void
test_escapes (void)
{
    g_autoptr (AltclipPrompts) prompts =
            parse ("a;;b;c==d=e==f|g||h;;i;;; ||;===x", NULL, "{};a {} ;; b;\u3000{}{}\u3000");

    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 4);
    check_entry (prompts, 0, "a;b=a;b");
    check_entry (prompts, 1, "c=d=e=f|g|h;i;");
    check_entry (prompts, 2, "|=|");
    check_entry (prompts, 3, "==x");
    g_assert_cmpuint (prompts->templates->len, ==, 3);
    g_assert_cmpstr (g_ptr_array_index (prompts->templates, 1), ==, "a {} ; b");
    g_assert_cmpstr (g_ptr_array_index (prompts->templates, 2), ==, "{}{}");
}

static void
test_nothing (void)
{
    const char *nothing[] = { NULL, "", "  ", "\t\n" };

    for (gsize i = 0; i < G_N_ELEMENTS (nothing); i++) {
        g_autoptr (AltclipPrompts) prompts = parse (nothing[i], nothing[i], nothing[i]);
        g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 0);
        g_assert_cmpuint (prompts->entries->len, ==, 0);
        g_assert_cmpuint (prompts->templates->len, ==, 1);
        altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, NULL, NULL, NULL);
    }
}

static char *
number_labels (const char *word, guint n)
{
    GString *text = g_string_new (NULL);

    for (guint i = 0; i < n; i++)
        g_string_append_printf (text, "%s %u;", word, i);
    return g_string_free (text, FALSE);
}

static void
test_many (void)
{
    g_autofree char *most = number_labels ("label", ALTCLIP_MAX_LABELS);
    g_autofree char *negatives = number_labels ("negative", ALTCLIP_MAX_LABELS);
    g_autofree char *too_many = number_labels ("label", ALTCLIP_MAX_LABELS + 1);
    g_autoptr (AltclipPrompts) prompts = parse (most, negatives, NULL);
    g_autoptr (GError) error = NULL;

    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, ALTCLIP_MAX_LABELS);
    g_assert_cmpstr (altclip_prompts_get_label (prompts, 9999), ==, "label 9999");
    g_assert_null (altclip_prompts_parse (too_many, NULL, NULL, &error));
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS);
    g_assert_nonnull (strstr (error->message, "10000"));
    g_assert_nonnull (strstr (error->message, "entry 10001"));
}

static void
check_refused (const char *prompts, const char *negatives, const char *templates, AltclipError code,
        const char *part)
{
    g_autoptr (GError) error = NULL;

    g_assert_null (altclip_prompts_parse (prompts, negatives, templates, &error));
    g_assert_error (error, ALTCLIP_ERROR, (int)code);
    g_test_message ("%s", error->message);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_nonnull (strstr (error->message, part));
}

static void
test_refused (void)
{
    const AltclipError rules = ALTCLIP_ERROR_PROMPTS;

    check_refused ("a; ;b", NULL, NULL, rules, "entry 2 (\"\"): empty label");
    check_refused (";", NULL, NULL, rules, "entry 1 (\"\"): empty label");
    check_refused ("a;=b", NULL, NULL, rules, "entry 2 (\"=b\"): empty label");
    check_refused ("a=", NULL, NULL, rules, "empty text");
    check_refused ("a=b||| ", NULL, NULL, rules, "empty text");
    check_refused ("a=|b", NULL, NULL, rules, "empty text");
    check_refused ("a=b=c", NULL, NULL, rules, "'=='");
    check_refused ("a|b", NULL, NULL, rules, "'||'");
    check_refused ("a;b; a =c", NULL, NULL, rules, "entry 3 (\"a =c\"): duplicate label \"a\"");
    check_refused (
            "\na\nb=\nc=\n", NULL, NULL, rules, "entry 1 (\"a\uFFFDb=\uFFFDc=\"): more than one");
    check_refused ("a\x1b;a\x1b", NULL, NULL, rules, "duplicate label \"a\uFFFD\"");
    check_refused ("a", "b;b", NULL, rules, "negative-prompts, entry 2");
    check_refused ("a=x|y;z", "b;n=c|y", "the {};{}", rules,
            "negative-prompts, entry 2 (\"n\"): \"y\" is a text of the label \"a\" too");
    check_refused ("a", NULL, "{};a picture", rules, "templates, entry 2 (\"a picture\"): no '{}'");
    check_refused ("a", NULL, "{}; ;{}", rules, "empty template");
    check_refused ("a;b\xff", NULL, NULL, ALTCLIP_ERROR_TEXT, "entry 2");
    check_refused ("a;b\xff", NULL, NULL, ALTCLIP_ERROR_TEXT, "byte 1");
    check_refused ("a", "\xc3", NULL, ALTCLIP_ERROR_TEXT, "negative-prompts, entry 1");
    check_refused ("a", NULL, "{}\x80", ALTCLIP_ERROR_TEXT, "templates, entry 1");
}

static char *
repeat (const char *part, guint n)
{
    GString *text = g_string_new (NULL);

    while (n--)
        g_string_append (text, part);
    return g_string_free (text, FALSE);
}

static void
test_limits (void)
{
    g_autofree char *longest = repeat ("x", 4096);
    g_autofree char *too_long = repeat ("x", 4097);
    g_autofree char *texts = repeat ("x|", 1000);
    g_autofree char *label = g_strconcat ("a=", texts, "x", NULL);
    g_autofree char *templates = repeat ("{};", 1001);
    g_autofree char *slots = repeat ("{}", 20);
    g_autoptr (AltclipPrompts) prompts = parse (longest, NULL, "a {} in {}");

    g_assert_cmpuint (altclip_prompts_get_n_labels (prompts), ==, 1);
    check_refused (
            too_long, NULL, NULL, ALTCLIP_ERROR_PROMPTS, "4097 bytes exceeds the limit of 4096");
    check_refused (label, NULL, NULL, ALTCLIP_ERROR_PROMPTS, "more than 1000 texts");
    check_refused ("a", NULL, templates, ALTCLIP_ERROR_PROMPTS, "more than 1000 templates");
    check_refused (longest, NULL, slots, ALTCLIP_ERROR_PROMPTS, "65536");
}

/* ---- Scores ---------------------------------------------------------------------------------- */

static void
test_score (void)
{
    const float embeddings[] = { 1, 0, 0, 1, 0.6F, 0.8F }; /* [3, 2] */
    const float picture[] = { 0.8F, 0.6F };
    const double cosine[] = { 0.8F, 0.6F, (double)0.6F * 0.8F + (double)0.8F * 0.6F };
    g_autoptr (AltclipPrompts) prompts = parse ("x;y", "z", NULL);
    double sum = exp (100 * cosine[0]) + exp (100 * cosine[1]) + exp (100 * cosine[2]);
    double scores[2];
    double cosines[2];

    altclip_prompts_set_embeddings (prompts, g_memdup2 (embeddings, sizeof embeddings), 2, 100.0);
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, picture, scores, cosines);
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpfloat_with_epsilon (cosines[i], cosine[i], 1e-15);
        g_assert_cmpfloat_with_epsilon (scores[i], exp (100 * cosine[i]) / sum, 1e-12);
    }
    altclip_prompts_score (prompts, ALTCLIP_SCORE_COSINE, picture, scores, NULL);
    g_assert_cmpfloat (scores[0], ==, cosines[0]);
    g_assert_cmpfloat (scores[1], ==, cosines[1]);
}

/* Logits of ±1e6 would overflow exp() without the maximum taken away. */
static void
test_score_extremes (void)
{
    const float embeddings[] = { 1, -1 };
    const float picture[] = { 1 };
    const double scales[] = { 1e6, -1e6, 0 };
    const double expected[] = { 1, 0, 0.5 };
    double scores[2];

    for (gsize i = 0; i < G_N_ELEMENTS (scales); i++) {
        g_autoptr (AltclipPrompts) prompts = parse ("x;y", NULL, NULL);
        altclip_prompts_set_embeddings (
                prompts, g_memdup2 (embeddings, sizeof embeddings), 1, scales[i]);
        altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, picture, scores, NULL);
        g_assert_cmpfloat (scores[0], ==, expected[i]);
        g_assert_cmpfloat (scores[1], ==, 1 - expected[i]);
    }
}

static void
test_score_many (void)
{
    const float picture[] = { 1 };
    g_autofree char *labels = number_labels ("label", ALTCLIP_MAX_LABELS);
    g_autoptr (AltclipPrompts) prompts = parse (labels, "z", NULL);
    float *embeddings = g_new (float, ALTCLIP_MAX_LABELS + 1);
    g_autofree double *scores = g_new (double, ALTCLIP_MAX_LABELS);
    double sum = 0;

    for (guint i = 0; i <= ALTCLIP_MAX_LABELS; i++)
        embeddings[i] = 0.5;
    altclip_prompts_set_embeddings (prompts, embeddings, 1, 10.0);
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, picture, scores, NULL);
    for (guint i = 0; i < ALTCLIP_MAX_LABELS; i++)
        sum += scores[i];
    g_assert_cmpfloat_with_epsilon (sum, ALTCLIP_MAX_LABELS / (ALTCLIP_MAX_LABELS + 1.0), 1e-9);
}

/* In @json ' stands for ". */
static AltclipPrompts *
parse_json (const char *json)
{
    g_autofree char *text = g_strdelimit (g_strdup (json), "'", '"');
    g_autoptr (GError) error = NULL;
    AltclipPrompts *prompts =
            altclip_prompts_parse_file ("f.json", ".", text, strlen (text), NULL, &error);

    g_assert_no_error (error);
    return prompts;
}

/* Whom a label competes with: its group, the negatives of all, and its own. */
static void
test_score_groups (void)
{
    /* a and b in a group, c in another, d and e in that of those without; then x for all; then y
     * for a, z and w for d. In one dimension, the embedding is the cosine. */
    g_autoptr (AltclipPrompts) prompts = parse_json (
            "{'version': 1, 'negatives': ['x'], 'labels': ["
            "{'label': 'a', 'group': 'g', 'negatives': ['y']}, {'label': 'b', 'group': 'g'},"
            "{'label': 'c', 'group': 'h'}, {'label': 'd', 'negatives': ['z', 'w']},"
            "{'label': 'e'}]}");
    const float cosines[] = { 0.5F, 0.25F, -0.5F, 0.125F, 0, 0.375F, 1, -1, 0.75F };
    const float picture[] = { 1 };
    double e[9];
    double expected[5];
    double scores[5];

    for (guint i = 0; i < 9; i++)
        e[i] = exp (8.0 * cosines[i]);
    expected[0] = e[0] / (e[0] + e[1] + e[5] + e[6]);
    expected[1] = e[1] / (e[0] + e[1] + e[5]);
    expected[2] = e[2] / (e[2] + e[5]);
    expected[3] = e[3] / (e[3] + e[4] + e[5] + e[7] + e[8]);
    expected[4] = e[4] / (e[3] + e[4] + e[5]);
    altclip_prompts_set_embeddings (prompts, g_memdup2 (cosines, sizeof cosines), 1, 8.0);
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, picture, scores, NULL);
    for (guint i = 0; i < 5; i++)
        g_assert_cmpfloat_with_epsilon (scores[i], expected[i], 1e-14);
}

/* A group far below another, and one far below the negatives, are numbers all the same. */
static void
test_score_groups_extremes (void)
{
    g_autoptr (AltclipPrompts) prompts =
            parse_json ("{'version': 1, 'labels': [{'label': 'a', 'group': 'g'},"
                        "{'label': 'b', 'group': 'g'}, {'label': 'c', 'group': 'h'},"
                        "{'label': 'd', 'group': 'h', 'negatives': ['x']}]}");
    const float cosines[] = { -1, -1, 1, -1, 1 };
    const float picture[] = { 1 };
    const double expected[] = { 0.5, 0.5, 1, 0 };
    double scores[4];

    altclip_prompts_set_embeddings (prompts, g_memdup2 (cosines, sizeof cosines), 1, 1e6);
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, picture, scores, NULL);
    for (guint i = 0; i < 4; i++)
        g_assert_cmpfloat (scores[i], ==, expected[i]);
}

/* Labels of a group compete where they have one region; a score takes part of what the region's
 * picture shows. */
static void
test_score_regions (void)
{
    /* a and b of the group g at the left, c of the same at the right, d of none at the left, e
     * nowhere; then x for all, y for b and z for c. In two dimensions, a picture chooses a column.
     */
    g_autoptr (AltclipPrompts) prompts = parse_json (
            "{'version': 1, 'negatives': ['x'], 'labels': ["
            "{'label': 'a', 'group': 'g', 'region': [0, 0, 0.5, 1]},"
            "{'label': 'b', 'group': 'g', 'region': [0, 0, 0.5, 1], 'negatives': ['y']},"
            "{'label': 'c', 'group': 'g', 'region': [0.5, 0, 0.5, 1], 'negatives': ['z']},"
            "{'label': 'd', 'region': [0, 0, 0.5, 1]}, {'label': 'e'}]}");
    const float cosines[8][2] = { { 0.5F, 0 }, { 0.25F, 0.125F }, { -0.5F, 0.75F }, { 0.125F, 0 },
        { 1, 1 }, { 0.375F, -0.25F }, { -0.125F, -1 }, { -1, 0.625F } };
    const float left[] = { 1, 0 };
    const float right[] = { 0, 1 };
    double e[8][2];
    double scores[5] = { 7, 7, 7, 7, 7 };
    double got[5] = { 7, 7, 7, 7, 7 };

    for (guint i = 0; i < 16; i++)
        e[i / 2][i % 2] = exp (8.0 * cosines[i / 2][i % 2]);
    altclip_prompts_set_embeddings (prompts, g_memdup2 (cosines, sizeof cosines), 2, 8.0);
    g_assert_cmpuint (altclip_prompts_get_n_regions (prompts), ==, 3);
    altclip_prompts_score_region (prompts, ALTCLIP_SCORE_SOFTMAX, 1, left, scores, got);
    g_assert_cmpfloat_with_epsilon (scores[0], e[0][0] / (e[0][0] + e[1][0] + e[5][0]), 1e-14);
    g_assert_cmpfloat_with_epsilon (
            scores[1], e[1][0] / (e[0][0] + e[1][0] + e[5][0] + e[6][0]), 1e-14);
    g_assert_cmpfloat (scores[2], ==, 7);
    g_assert_cmpfloat_with_epsilon (scores[3], e[3][0] / (e[3][0] + e[5][0]), 1e-14);
    g_assert_cmpfloat (scores[4], ==, 7);
    g_assert_cmpfloat (got[2], ==, 7);
    altclip_prompts_score_region (prompts, ALTCLIP_SCORE_SOFTMAX, 2, right, scores, got);
    g_assert_cmpfloat_with_epsilon (scores[2], e[2][1] / (e[2][1] + e[5][1] + e[7][1]), 1e-14);
    g_assert_cmpfloat (got[2], ==, 0.75);
    g_assert_cmpfloat (got[0], ==, 0.5);
    altclip_prompts_score_region (prompts, ALTCLIP_SCORE_COSINE, 0, right, scores, NULL);
    g_assert_cmpfloat (scores[4], ==, 1);
    g_assert_cmpfloat (scores[3], !=, 7);
    altclip_prompts_score_region (prompts, ALTCLIP_SCORE_SIGMOID, 2, right, scores, NULL);
    g_assert_cmpfloat_with_epsilon (scores[2], 1 / (1 + exp (-8.0 * 0.5)), 1e-14);
    g_assert_cmpfloat (scores[4], ==, 1);

    /* One picture for all of them. */
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, left, scores, NULL);
    g_assert_cmpfloat_with_epsilon (scores[2], e[2][0] / (e[2][0] + e[5][0] + e[7][0]), 1e-14);
    g_assert_cmpfloat_with_epsilon (scores[4], e[4][0] / (e[4][0] + e[5][0]), 1e-14);
}

static void
test_region_part (void)
{
    const AltclipRectangle picture = { 10, 20, 101, 50 };
    AltclipRectangle part = altclip_region_get_part (&(AltclipRegion){ 0.5, 0, 0.5, 1 }, &picture);

    g_assert_cmpuint (part.x, ==, 61);
    g_assert_cmpuint (part.y, ==, 20);
    g_assert_cmpuint (part.width, ==, 50);
    g_assert_cmpuint (part.height, ==, 50);
    part = altclip_region_get_part (&(AltclipRegion){ 0.7, 1, 0.3 + 1e-10, 1e-6 }, &picture);
    g_assert_cmpuint (part.x + part.width, ==, 111);
    g_assert_cmpuint (part.y, ==, 69);
    g_assert_cmpuint (part.height, ==, 1);
}

/* Each number counts. */
static void
test_regions_that_are_the_same (void)
{
    const AltclipRegion region = { 0.25, 0.5, 0.125, 0.375 };
    const AltclipRectangle rectangle = { 1, 2, 3, 4 };

    g_assert_true (altclip_region_is_same (&region, &(AltclipRegion){ 0.25, 0.5, 0.125, 0.375 }));
    g_assert_true (altclip_rectangle_is_same (&rectangle, &(AltclipRectangle){ 1, 2, 3, 4 }));
    for (guint i = 0; i < 4; i++) {
        double numbers[] = { region.x, region.y, region.w, region.h };
        guint pixels[] = { 1, 2, 3, 4 };

        numbers[i] += 1e-15;
        pixels[i]++;
        g_assert_false (altclip_region_is_same (
                &region, &(AltclipRegion){ numbers[0], numbers[1], numbers[2], numbers[3] }));
        g_assert_false (altclip_rectangle_is_same (
                &rectangle, &(AltclipRectangle){ pixels[0], pixels[1], pixels[2], pixels[3] }));
    }
}

/* More groups than fit on the stack, and a group of each label. */
static void
test_score_many_groups (void)
{
    GString *json = g_string_new ("{'version': 1, 'negatives': ['x'], 'labels': [");
    const float picture[] = { 1 };
    float *embeddings = g_new (float, 3001);
    g_autofree double *scores = g_new (double, 3000);
    g_autoptr (AltclipPrompts) prompts = NULL;

    for (guint i = 0; i < 3000; i++) {
        g_string_append_printf (json, "%s{'label': '%u', 'group': '%u'}", i > 0 ? "," : "", i, i);
        embeddings[i] = (float)i / 3000;
    }
    embeddings[3000] = 0.5;
    g_string_append (json, "]}");
    prompts = parse_json (json->str);
    altclip_prompts_set_embeddings (prompts, embeddings, 1, 10.0);
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, picture, scores, NULL);
    for (guint i = 0; i < 3000; i++)
        g_assert_cmpfloat_with_epsilon (
                scores[i], 1 / (1 + exp (10.0 * (0.5 - (double)embeddings[i]))), 1e-12);
    g_string_free (json, TRUE);
}

static void
test_score_sigmoid (void)
{
    g_autoptr (AltclipPrompts) prompts = parse_json (
            "{'version': 1, 'bias': -4, 'labels': [{'label': 'a'}, {'label': 'b', 'bias': 1e6},"
            "{'label': 'c', 'bias': -1e6}]}");
    g_autoptr (AltclipPrompts) plain = parse ("x;y", NULL, NULL);
    const float cosines[] = { 0.5F, -1, 1 };
    const float plain_cosines[] = { 0.25F, 0.5F };
    const float picture[] = { 1 };
    double scores[3];

    altclip_prompts_set_embeddings (prompts, g_memdup2 (cosines, sizeof cosines), 1, 10.0);
    altclip_prompts_score (prompts, ALTCLIP_SCORE_SIGMOID, picture, scores, NULL);
    g_assert_cmpfloat_with_epsilon (scores[0], 1 / (1 + exp (-1)), 1e-15);
    g_assert_cmpfloat (scores[1], ==, 1);
    g_assert_cmpfloat (scores[2], ==, 0);
    altclip_prompts_set_embeddings (
            plain, g_memdup2 (plain_cosines, sizeof plain_cosines), 1, 10.0);
    altclip_prompts_score (plain, ALTCLIP_SCORE_SIGMOID, picture, scores, NULL);
    g_assert_cmpfloat (scores[0], ==, 0.5);
    g_assert_cmpfloat_with_epsilon (scores[1], 1 / (1 + exp (-2.5)), 1e-15);
}

/* ---- Embedding ------------------------------------------------------------------------------- */

typedef struct {
    AltclipModel *model;
    AltclipSession *session;
} Small;

static void
small_init (Small *small, gconstpointer data)
{
    g_autofree char *path =
            g_test_build_filename (G_TEST_DIST, "golden", "models", "patch16", NULL);
    g_autoptr (GError) error = NULL;

    (void)data;
    small->model = altclip_model_open (path, NULL, NULL, &error);
    g_assert_no_error (error);
    small->session = altclip_session_new (small->model, 1, &error);
    g_assert_no_error (error);
}

static void
small_clear (Small *small, gconstpointer data)
{
    (void)data;
    g_clear_pointer (&small->session, altclip_session_free);
    g_clear_pointer (&small->model, altclip_model_unref);
}

/* The mean of the texts' unit vectors, made unit length, computed the long way. */
static void
check_embedding (Small *small, const float *embedding, const char *const *texts, guint n)
{
    guint dim = altclip_model_get_info (small->model)->projection_dim;
    g_autofree float *rows = g_new (float, (gsize)n *dim);
    g_autofree double *mean = g_new0 (double, dim);
    double square = 0;

    g_assert_true (altclip_session_encode_texts (small->session, texts, n, NULL, rows, NULL));
    for (gsize i = 0; i < (gsize)n * dim; i++)
        mean[i % dim] += rows[i];
    for (guint j = 0; j < dim; j++)
        square += mean[j] * mean[j];
    for (guint j = 0; j < dim; j++)
        g_assert_cmpfloat_with_epsilon (embedding[j], mean[j] / sqrt (square), 1e-5);
}

static void
test_embed (Small *small, gconstpointer data)
{
    const char *first[] = { "a photo of a cat", "a cat!", "a photo of 猫", "猫!" };
    const char *third[] = { "a photo of night", "night!" };
    g_autoptr (AltclipPrompts) prompts = parse ("cat=a cat|猫;dog", "night", "a photo of {};{}!");
    guint dim = altclip_model_get_info (small->model)->projection_dim;
    g_autoptr (GError) error = NULL;

    (void)data;
    altclip_prompts_embed (prompts, small->session, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (prompts->dim, ==, dim);
    g_assert_cmpfloat (
            prompts->logit_scale, ==, altclip_model_get_info (small->model)->logit_scale);
    check_embedding (small, prompts->embeddings, first, 4);
    check_embedding (small, prompts->embeddings + 2 * dim, third, 2);
    g_assert_null (altclip_prompts_get_neutral (prompts));
}

static void
test_embed_many (Small *small, gconstpointer data)
{
    g_autofree char *labels = number_labels ("label", 70);
    const char *last[] = { "label 69" };
    g_autoptr (AltclipPrompts) prompts = parse (labels, NULL, NULL);
    guint dim = altclip_model_get_info (small->model)->projection_dim;

    (void)data;
    g_assert_true (altclip_prompts_embed (prompts, small->session, NULL, NULL));
    check_embedding (small, prompts->embeddings + 69 * dim, last, 1);
}

static void
test_neutral (Small *small, gconstpointer data)
{
    g_autoptr (AltclipPrompts) alone = parse ("cat", NULL, NULL);
    g_autoptr (AltclipPrompts) opposed = parse ("cat", "dog", NULL);
    g_autoptr (AltclipPrompts) nothing = parse ("", NULL, NULL);

    (void)data;
    g_assert_true (altclip_prompts_embed (alone, small->session, NULL, NULL));
    g_assert_true (altclip_prompts_embed (opposed, small->session, NULL, NULL));
    g_assert_true (altclip_prompts_embed (nothing, small->session, NULL, NULL));
    g_assert_cmpstr (altclip_prompts_get_neutral (alone), ==, "a picture");
    g_assert_cmpuint (altclip_prompts_get_n_labels (alone), ==, 1);
    g_assert_null (altclip_prompts_get_neutral (opposed));
    g_assert_null (altclip_prompts_get_neutral (nothing));
}

static void
test_unknown (Small *small, gconstpointer data)
{
    g_autoptr (AltclipPrompts) known = parse ("a red circle;dog", NULL, NULL);
    g_autoptr (AltclipPrompts) prompts =
            parse ("a red circle;ᚠᚢᚦᚨᚱᚲ;dog;rune=cat|ᚦᚨ|ᚱᚲ", "ᚲ", NULL);
    const char *const *unknown;
    guint n;

    (void)data;
    g_assert_true (altclip_prompts_embed (known, small->session, NULL, NULL));
    altclip_prompts_get_unknown (known, &n);
    g_assert_cmpuint (n, ==, 0);
    g_assert_true (altclip_prompts_embed (prompts, small->session, NULL, NULL));
    unknown = altclip_prompts_get_unknown (prompts, &n);
    g_assert_cmpuint (n, ==, 4);
    g_assert_cmpstr (unknown[0], ==, "ᚠᚢᚦᚨᚱᚲ");
    g_assert_cmpstr (unknown[1], ==, "ᚦᚨ");
    g_assert_cmpstr (unknown[2], ==, "ᚱᚲ");
    g_assert_cmpstr (unknown[3], ==, "ᚲ");
}

static float *
refuse_picture (const char *path, AltclipModel *model, GError **error)
{
    (void)model;
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", path);
    return NULL;
}

/* None of what a failed call has found is found twice: pictures are opened after that. */
static void
test_unknown_again (Small *small, gconstpointer data)
{
    static const char text[] = "{\"version\": 1, \"labels\": [{\"label\": \"ᚠᚢᚦᚨᚱᚲ\"}, "
                               "{\"label\": \"a\", \"images\": [\"grey1.png\"]}]}";
    g_autofree char *directory = g_test_build_filename (G_TEST_DIST, "golden", "stills", NULL);
    g_autoptr (GError) refusal = NULL;
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_parse_file (
            "f.json", directory, text, strlen (text), refuse_picture, &refusal);

    (void)data;
    g_assert_no_error (refusal);
    for (guint i = 0; i < 3; i++) {
        g_autoptr (GError) error = NULL;
        const char *const *unknown;
        guint n;

        g_assert_false (altclip_prompts_embed (prompts, small->session, NULL, &error));
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
        unknown = altclip_prompts_get_unknown (prompts, &n);
        g_assert_cmpuint (n, ==, 1);
        g_assert_cmpstr (unknown[0], ==, "ᚠᚢᚦᚨᚱᚲ");
    }
}

static void
test_cancelled (Small *small, gconstpointer data)
{
    g_autoptr (AltclipPrompts) prompts = parse ("cat;dog", NULL, NULL);
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;

    (void)data;
    g_cancellable_cancel (cancellable);
    g_assert_false (altclip_prompts_embed (prompts, small->session, cancellable, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_true (altclip_prompts_embed (prompts, small->session, NULL, NULL));
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
    g_test_add_func ("/prompts/parse", test_parse);
    g_test_add_func ("/prompts/escapes", test_escapes);
    g_test_add_func ("/prompts/nothing", test_nothing);
    g_test_add_func ("/prompts/many", test_many);
    g_test_add_func ("/prompts/refused", test_refused);
    g_test_add_func ("/prompts/limits", test_limits);
    g_test_add_func ("/scoring/score", test_score);
    g_test_add_func ("/scoring/extremes", test_score_extremes);
    g_test_add_func ("/scoring/many", test_score_many);
    g_test_add_func ("/scoring/groups", test_score_groups);
    g_test_add_func ("/scoring/groups-extremes", test_score_groups_extremes);
    g_test_add_func ("/scoring/many-groups", test_score_many_groups);
    g_test_add_func ("/scoring/regions", test_score_regions);
    g_test_add_func ("/scoring/region-part", test_region_part);
    g_test_add_func ("/scoring/same-region", test_regions_that_are_the_same);
    g_test_add_func ("/scoring/sigmoid", test_score_sigmoid);
    add_embedding_test ("/prompts/embed", test_embed);
    add_embedding_test ("/prompts/embed-many", test_embed_many);
    add_embedding_test ("/prompts/neutral", test_neutral);
    add_embedding_test ("/prompts/unknown", test_unknown);
    add_embedding_test ("/prompts/unknown-again", test_unknown_again);
    add_embedding_test ("/prompts/cancelled", test_cancelled);
    return g_test_run ();
}
