/* altclip: the rows of the reference's page, and what the tests measured for them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "page.h"

#include <string.h>

/* Of one comparison, over all the cases that made it. */
typedef struct {
    double difference; /* the largest, as a part of its limit */
    double limit;
    char *name;
    GHashTable *names; /* of all cases */
    gboolean failed;
} Measure;

struct _Page {
    GHashTable *measures; /* what → Measure */
};

/* What shows that a row is right: a measure, or why there can be none. The first pattern that fits
 * counts; a row that none fits is measured under its own name. */
typedef struct {
    const char *row; /* pattern */
    const char *measure;
    const char *reason;
} Evidence;

static const Evidence evidence[] = {
    { "*(return_dict)", NULL, "a way to hand over results in Python: ours always have names" },
    { "*(return_tensors)", NULL, "a choice among Python's libraries" },
    { "*(return_mm_token_type_ids)", NULL, "of processors whose texts have places for pictures" },
    { "*(return_text_replacement_offsets)", NULL,
            "of processors whose texts have places for pictures" },
    { "AltCLIPProcessor.__call__(audio)", NULL, "AltCLIP hears nothing: ignored there" },
    { "AltCLIPProcessor.__call__(videos)", NULL, "AltCLIP takes pictures: ignored there" },
    { "AltCLIPTextModel.forward(head_mask)", NULL,
            "undocumented, for pruning experiments; gone from transformers 5" },
    { "AltCLIPTextModel.forward(encoder_*)", NULL, "of decoders, which AltCLIP has none of" },
    { "AltCLIPTextModel.forward -> projection_state", NULL, "never set by the reference" },

    { "AltCLIPProcessor(image_processor)", "pixels", NULL },
    { "AltCLIPProcessor(tokenizer)", "input_ids", NULL },
    { "AltCLIPProcessor.__call__(images)", "pixels", NULL },
    { "AltCLIPProcessor.__call__(text)", "input_ids", NULL },
    { "AltCLIPProcessor.__call__ -> input_ids", "input_ids", NULL },
    { "AltCLIPProcessor.__call__ -> attention_mask", "attention_mask", NULL },
    { "AltCLIPProcessor.__call__ -> pixel_values", "pixel_values", NULL },
    { "AltCLIPProcessor.*decode", "decode", NULL },

    { "AltCLIPConfig.from_text_vision_configs(*", "composed", NULL },

    { "*(output_attentions)", "attentions", NULL },
    { "*(output_hidden_states)", "hidden_states", NULL },
    { "AltCLIPModel.forward(input_ids)", "logits_per_text", NULL },
    { "AltCLIPModel.forward(pixel_values)", "logits_per_image", NULL },
    { "AltCLIPModel.forward(return_loss)", "loss", NULL },
    { "AltCLIPModel.forward -> text_model_output", "text_model_output", NULL },
    { "AltCLIPModel.forward -> vision_model_output", "vision_model_output", NULL },
    { "AltCLIPModel.forward -> *", "*", NULL },
    { "AltCLIPModel.get_text_features(input_ids)", "get_text_features", NULL },
    { "AltCLIPModel.get_text_features -> pooler_output", "get_text_features", NULL },
    { "AltCLIPModel.get_text_features -> text_features", "get_text_features", NULL },
    { "AltCLIPModel.get_text_features -> *", "text_model_output.*", NULL },
    { "AltCLIPModel.get_image_features(pixel_values)", "get_image_features", NULL },
    { "AltCLIPModel.get_image_features -> pooler_output", "get_image_features", NULL },
    { "AltCLIPModel.get_image_features -> image_features", "get_image_features", NULL },
    { "AltCLIPModel.get_image_features -> *", "vision_model_output.*", NULL },
    { "AltCLIPTextModel.forward(input_ids)", "text_model_output", NULL },
    { "AltCLIPTextModel.forward -> *", "text_model_output.*", NULL },
    { "AltCLIPVisionModel.forward(pixel_values)", "vision_model_output", NULL },
    { "AltCLIPVisionModel.forward -> *", "vision_model_output.*", NULL },
    { "*(interpolate_pos_encoding)", "interpolate_pos_encoding", NULL },
    { "*(attention_mask)", "attention_mask given", NULL },
    { "*(position_ids)", "position_ids given", NULL },
    { "*(token_type_ids)", "token_type_ids given", NULL },
    { "*(inputs_embeds)", "inputs_embeds given", NULL },
};

/* ---- Measuring ------------------------------------------------------------------------------- */

static void
measure_free (gpointer data)
{
    Measure *measure = data;

    g_free (measure->name);
    g_hash_table_unref (measure->names);
    g_free (measure);
}

Page *
page_new (void)
{
    Page *page = g_new (Page, 1);

    page->measures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, measure_free);
    return page;
}

void
page_free (Page *page)
{
    g_hash_table_unref (page->measures);
    g_free (page);
}

static Measure *
get_measure (Page *page, const char *what)
{
    Measure *measure = g_hash_table_lookup (page->measures, what);

    if (measure)
        return measure;
    measure = g_new0 (Measure, 1);
    measure->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert (page->measures, g_strdup (what), measure);
    return measure;
}

/* Comparable between limits; a limit of 0 is for numbers of mistakes. */
static double
get_part (double difference, double limit)
{
    return limit > 0.0 ? difference / limit : difference;
}

void
page_measure (Page *page, const char *what, const char *name, double difference, double limit)
{
    Measure *measure = get_measure (page, what);

    if (!(difference <= limit)) {
        measure->failed = TRUE;
        g_test_message ("%s: %s is off by %g, more than %g", name, what, difference, limit);
        g_test_fail ();
    }
    g_hash_table_add (measure->names, g_strdup (name));
    if (measure->name &&
            get_part (difference, limit) <= get_part (measure->difference, measure->limit))
        return;
    g_free (measure->name);
    measure->name = g_strdup (name);
    measure->difference = difference;
    measure->limit = limit;
}

/* ---- Configurations -------------------------------------------------------------------------- */

static json_t *
load_page (void)
{
    g_autofree char *path = golden_get_path ("page.json", NULL);
    json_t *root = json_load_file (path, 0, NULL);

    g_assert_nonnull (root);
    return root;
}

/* Returns: (transfer none): the field of @config that a row such as `AltCLIPTextConfig(vocab_size)`
 * is about */
static json_t *
find_field (json_t *config, const char *row)
{
    g_auto (GStrv) parts = g_strsplit_set (row, "()", 3);

    if (strcmp (parts[0], "AltCLIPTextConfig") == 0)
        config = json_object_get (config, "text_config");
    if (strcmp (parts[0], "AltCLIPVisionConfig") == 0)
        config = json_object_get (config, "vision_config");
    return json_object_get (config, parts[1]);
}

static gboolean
is_same (json_t *a, json_t *b)
{
    if (json_is_number (a) && json_is_number (b))
        return json_number_value (a) == json_number_value (b);
    return json_equal (a, b);
}

void
page_measure_config (Page *page, const char *values, const char *what, json_t *config)
{
    json_t *root = load_page ();
    json_t *expected = json_object_get (root, values);
    const char *row;
    json_t *value;

    g_assert_cmpuint (json_object_size (expected), >, 30);
    json_object_foreach (expected, row, value)
    {
        double difference = !is_same (find_field (config, row), value);
        page_measure (page, what ? what : row, values, difference, 0.0);
    }
    json_decref (root);
}

/* ---- Showing --------------------------------------------------------------------------------- */

/* Returns: (transfer none) (nullable): what is said of @row */
static const Evidence *
find_evidence (const char *row)
{
    for (gsize i = 0; i < G_N_ELEMENTS (evidence); i++) {
        if (g_pattern_match_simple (evidence[i].row, row))
            return &evidence[i];
    }
    return NULL;
}

/* Returns: (transfer full): the measure of @row; a star stands for the field that is returned */
static char *
get_measure_name (const Evidence *found, const char *row)
{
    const char *field = strstr (row, " -> ");
    g_auto (GStrv) parts = NULL;

    if (!found)
        return g_strdup (row);
    if (!field || !strchr (found->measure, '*'))
        return g_strdup (found->measure);
    parts = g_strsplit (found->measure, "*", 2);
    return g_strconcat (parts[0], field + strlen (" -> "), NULL);
}

/* Says what came of @name, after the columns @first. A missing measure fails the test. */
static void
show_measure (Page *page, const char *first, const char *name)
{
    const Measure *measure = g_hash_table_lookup (page->measures, name);

    if (!measure) {
        g_test_message ("| %s | NO CASE | | |", first);
        g_test_fail ();
        return;
    }
    g_test_message ("| %s | %s, the worst of %u | %.2g%s | %.2g |", first, measure->name,
            g_hash_table_size (measure->names), measure->difference,
            measure->failed ? " TOO MUCH" : "", measure->limit);
}

static void
show_row (Page *page, const char *row)
{
    const Evidence *found = find_evidence (row);
    g_autofree char *name = NULL;

    if (found && found->reason) {
        g_test_message ("| %s | none: %s | | |", row, found->reason);
        return;
    }
    name = get_measure_name (found, row);
    show_measure (page, row, name);
}

void
page_show_models (Page *page, const GoldenInputs *inputs)
{
    g_test_message ("| model | it has | made by transformers | tensor | difference | limit |");
    g_test_message ("|---|---|---|---|---|---|");
    for (guint i = 0; i < inputs->models->len; i++) {
        const GoldenModel *model = g_ptr_array_index (inputs->models, i);
        g_autofree char *first =
                g_strdup_printf ("%s | %s | %s", model->name, model->what, model->reference);
        show_measure (page, first, model->name);
    }
}

/* Adds the rows of all versions of the reference, in order and each once. */
static void
add_rows (json_t *versions, GPtrArray *rows)
{
    const char *version;
    json_t *list;
    gsize i;
    json_t *row;

    json_object_foreach (versions, version, list)
    {
        json_array_foreach (list, i, row)
        {
            const char *name = json_string_value (row);
            if (!g_ptr_array_find_with_equal_func (rows, name, g_str_equal, NULL))
                g_ptr_array_add (rows, g_strdup (name));
        }
    }
}

void
page_show_rows (Page *page)
{
    g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
    json_t *root = load_page ();

    add_rows (json_object_get (root, "rows"), rows);
    json_decref (root);
    g_assert_cmpuint (rows->len, >, 100);
    g_test_message ("| the reference's page | case | largest difference | limit |");
    g_test_message ("|---|---|---|---|");
    for (guint i = 0; i < rows->len; i++)
        show_row (page, g_ptr_array_index (rows, i));
}
