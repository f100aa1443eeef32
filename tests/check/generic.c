/* altclip: GStreamer's generic checks of an element: states, properties, inspection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "models.h"
#include "rig.h"

static GstElement *
new_element (void)
{
    GstElement *element = gst_object_ref_sink (gst_element_factory_make ("altclipfilter", NULL));

    g_object_set (element, "model", models_get_quick (), "prompts", "a;b", NULL);
    return element;
}

static void
free_element (GstElement *element)
{
    fail_unless_equals_int (
            gst_element_set_state (element, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    gst_object_unref (element);
}

/* ---- States ---------------------------------------------------------------------------------- */

static void
expect_states (const GstState *states, guint n)
{
    GstElement *element = new_element ();

    for (guint i = 0; i < n; i++) {
        GstState state;

        fail_unless_equals_int (
                gst_element_set_state (element, states[i]), GST_STATE_CHANGE_SUCCESS);
        fail_unless_equals_int (
                gst_element_get_state (element, &state, NULL, 0), GST_STATE_CHANGE_SUCCESS);
        fail_unless_equals_int (state, states[i]);
    }
    free_element (element);
}

#define N GST_STATE_NULL
#define R GST_STATE_READY
#define P GST_STATE_PAUSED
#define L GST_STATE_PLAYING

GST_START_TEST (test_state_changes_up_and_down)
{
    static const GstState states[] = { R, P, L, P, R, N, R, P, R, N, R, P, L, P, L, P, R, N };

    expect_states (states, G_N_ELEMENTS (states));
}
GST_END_TEST;

GST_START_TEST (test_state_changes_up)
{
    static const GstState states[] = { R, N, P, N, L, N, R, P, N, R, L, N, P, L, N };

    expect_states (states, G_N_ELEMENTS (states));
}
GST_END_TEST;

GST_START_TEST (test_state_changes_down)
{
    static const GstState states[] = { L, R, L, N, L, P, N, L, R, N, L, P, L, R, P, N };

    expect_states (states, G_N_ELEMENTS (states));
}
GST_END_TEST;

/* Also one that never reached READY, and one whose model is not there. */
GST_START_TEST (test_states_without_a_model)
{
    static const GstState states[] = { R, P, L, P, R, N, L, N };
    GstElement *element = gst_object_ref_sink (gst_element_factory_make ("altclipfilter", NULL));

    gst_object_unref (element);
    element = new_element ();
    g_object_set (element, "model", "/nowhere", NULL);
    for (guint i = 0; i < G_N_ELEMENTS (states); i++)
        fail_unless_equals_int (
                gst_element_set_state (element, states[i]), GST_STATE_CHANGE_SUCCESS);
    free_element (element);
}
GST_END_TEST;

#undef N
#undef R
#undef P
#undef L

/* ---- Properties ------------------------------------------------------------------------------ */

/* The values of a property that are tried: its ends, its default, and any. */
enum { LEAST, MOST, DEFAULT, ANY, N_CHOICES };

static double
choose (GRand *rand, guint choice, double least, double most, double otherwise)
{
    switch (choice) {
    case LEAST:
        return least;
    case MOST:
        return most;
    case DEFAULT:
        return otherwise;
    default:
        return g_rand_double_range (rand, least, most);
    }
}

static void
choose_number (GRand *rand, guint choice, GParamSpec *spec, GValue *value)
{
    if (G_IS_PARAM_SPEC_UINT (spec)) {
        const GParamSpecUInt *uint = G_PARAM_SPEC_UINT (spec);

        g_value_set_uint (value,
                (guint)choose (rand, choice, uint->minimum, uint->maximum, uint->default_value));
    } else if (G_IS_PARAM_SPEC_UINT64 (spec)) {
        const GParamSpecUInt64 *uint64 = G_PARAM_SPEC_UINT64 (spec);

        /* The largest has no double. */
        g_value_set_uint64 (value, choice == MOST ? uint64->maximum
                                                  : (guint64)choose (rand, choice, 0, 0x1p62,
                                                            (double)uint64->default_value));
    } else if (G_IS_PARAM_SPEC_DOUBLE (spec)) {
        const GParamSpecDouble *number = G_PARAM_SPEC_DOUBLE (spec);

        g_value_set_double (value,
                choose (rand, choice, number->minimum, number->maximum, number->default_value));
    } else if (G_IS_PARAM_SPEC_BOOLEAN (spec)) {
        g_value_set_boolean (value, choice % 2);
    } else if (G_IS_PARAM_SPEC_ENUM (spec)) {
        const GEnumClass *class = G_PARAM_SPEC_ENUM (spec)->enum_class;

        g_value_set_enum (
                value, class->values[g_rand_int_range (rand, 0, (gint32) class->n_values)].value);
    } else {
        fail ("the property %s is of a type that is not tried", spec->name);
    }
}

static void
choose_value (GRand *rand, guint choice, GParamSpec *spec, GValue *value)
{
    static const char *const strings[] = { "", "a;b", NULL, "\xff\xfe not UTF-8; ä=|=;;" };

    g_value_init (value, spec->value_type);
    if (G_IS_PARAM_SPEC_STRING (spec))
        g_value_set_static_string (value, strings[choice]);
    else
        choose_number (rand, choice, spec, value);
    fail_if (!G_IS_PARAM_SPEC_STRING (spec) && g_param_value_validate (spec, value));
}

/* What was last asked for is what is read. */
static void
expect_property (GstElement *element, GRand *rand, guint choice, GParamSpec *spec)
{
    g_auto (GValue) value = G_VALUE_INIT;
    g_auto (GValue) read = G_VALUE_INIT;

    choose_value (rand, choice, spec, &value);
    g_object_set_property (G_OBJECT (element), spec->name, &value);
    g_value_init (&read, spec->value_type);
    g_object_get_property (G_OBJECT (element), spec->name, &read);
    fail_unless_equals_int (g_param_values_cmp (spec, &value, &read), 0);
}

static gboolean
is_mutable (GParamSpec *spec, GstState state)
{
    return (spec->flags & G_PARAM_WRITABLE) &&
           (state <= GST_STATE_READY || (spec->flags & GST_PARAM_MUTABLE_PLAYING));
}

static gboolean
is_own (GParamSpec *spec)
{
    return g_str_equal (g_type_name (spec->owner_type), "GstAltclipFilter");
}

/* Each in each state, by itself, on an element that may then go on. */
GST_START_TEST (test_properties_in_every_state)
{
    GstElement *element = new_element ();
    GRand *rand = g_rand_new_with_seed (1);
    guint n;
    g_autofree GParamSpec **specs =
            g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

    for (GstState state = GST_STATE_NULL; state <= GST_STATE_PLAYING; state++) {
        gst_element_set_state (element, state);
        for (guint i = 0; i < n * N_CHOICES; i++)
            if (is_own (specs[i % n]) && is_mutable (specs[i % n], state))
                expect_property (element, rand, i / n, specs[i % n]);
        /* A model that can be opened, for the next state. */
        g_object_set (element, "model", models_get_quick (), "precision", 0, NULL);
    }
    g_rand_free (rand);
    free_element (element);
}
GST_END_TEST;

/* GLib warns of it, and later versions critically. */
#define ASSERT_REFUSED(code)                                                   \
    G_STMT_START                                                               \
    {                                                                          \
        _gst_check_expecting_log = TRUE;                                       \
        _gst_check_raised_warning = _gst_check_raised_critical = FALSE;        \
        code;                                                                  \
        _gst_check_expecting_log = FALSE;                                      \
        fail_unless (_gst_check_raised_warning || _gst_check_raised_critical); \
    }                                                                          \
    G_STMT_END

/* What cannot be is refused by GLib, and the property stays. */
GST_START_TEST (test_properties_out_of_range)
{
    GstElement *element = new_element ();
    double threshold;
    guint max_buffers;
    GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);

    ASSERT_REFUSED (g_object_set (element, "threshold", 1.5, NULL));
    ASSERT_REFUSED (g_object_set (element, "max-buffers", 0, NULL));
    g_log_set_always_fatal (fatal);
    g_object_get (element, "threshold", &threshold, "max-buffers", &max_buffers, NULL);
    fail_unless_equals_float (threshold, -1);
    fail_unless_equals_int (max_buffers, 64);
    free_element (element);
}
GST_END_TEST;

/* ---- Inspection ------------------------------------------------------------------------------ */

static gboolean
is_fixed_while_playing (const char *name)
{
    static const char *const names[] = { "model", "precision", "threads", "mode", NULL };

    return g_strv_contains (names, name);
}

/* Times are guint64, and say that they are nanoseconds; all but a few may be set at any time. */
GST_START_TEST (test_properties_are_described)
{
    GstElement *element = new_element ();
    guint n;
    g_autofree GParamSpec **specs =
            g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

    for (guint i = 0; i < n; i++) {
        const char *name = specs[i]->name;
        const char *blurb = g_param_spec_get_blurb (specs[i]);
        gboolean writable = specs[i]->flags & G_PARAM_WRITABLE;

        if (!is_own (specs[i]))
            continue;
        fail_unless (blurb && strlen (blurb) > 10, "%s has no description", name);
        fail_unless (specs[i]->flags & G_PARAM_READABLE, "%s cannot be read", name);
        fail_unless (!(specs[i]->flags & (G_PARAM_CONSTRUCT | G_PARAM_CONSTRUCT_ONLY)));
        if (G_IS_PARAM_SPEC_UINT64 (specs[i]))
            fail_unless (strstr (blurb, "in ns") != NULL, "%s does not say its unit", name);
        if (!writable)
            fail_unless (g_str_equal (name, "stats") || g_str_equal (name, "last-state"),
                    "%s cannot be set", name);
        else if (is_fixed_while_playing (name))
            fail_unless (specs[i]->flags & GST_PARAM_MUTABLE_READY, "%s", name);
        else
            fail_unless (specs[i]->flags & GST_PARAM_MUTABLE_PLAYING, "%s", name);
    }
    free_element (element);
}
GST_END_TEST;

static void
expect_template (GstElementFactory *factory, GstPadDirection direction, const char *name)
{
    for (const GList *item = gst_element_factory_get_static_pad_templates (factory); item;
            item = item->next) {
        GstStaticPadTemplate *template = item->data;
        g_autoptr (GstCaps) caps = gst_static_pad_template_get_caps (template);

        if (template->direction != direction)
            continue;
        fail_unless_equals_string (template->name_template, name);
        fail_unless_equals_int (template->presence, GST_PAD_ALWAYS);
        fail_unless_equals_int (gst_caps_get_size (caps), 1);
        fail_unless (gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw"));
        fail_unless (gst_caps_features_is_equal (
                gst_caps_get_features (caps, 0), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
        return;
    }
    fail ("there is no pad template %s", name);
}

GST_START_TEST (test_factory_is_described)
{
    g_autoptr (GstElementFactory) factory = gst_element_factory_find ("altclipfilter");

    fail_unless_equals_string (
            gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS),
            "Filter/Analyzer/Video");
    fail_unless_equals_int (
            gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory)), GST_RANK_NONE);
    fail_unless_equals_int (gst_element_factory_get_num_pad_templates (factory), 2);
    expect_template (factory, GST_PAD_SINK, "sink");
    expect_template (factory, GST_PAD_SRC, "src");
}
GST_END_TEST;

#ifndef __SANITIZE_ADDRESS__
/* @text from its first @from on. */
static const char *
find_text (const char *text, const char *from)
{
    const char *found = strstr (text, from);

    fail_unless (found != NULL, "gst-inspect-1.0 does not say \"%s\"", from);
    return found;
}

/* What a person sees. */
GST_START_TEST (test_inspect)
{
    const char *arguments[] = { "gst-inspect-1.0", "--no-colors", "altclipfilter", NULL };
    g_autofree char *text = NULL;
    const char *at;

    fail_unless (g_spawn_sync (NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
            &text, NULL, NULL, NULL));
    find_text (text, "SINK template: 'sink'");
    find_text (text, "SRC template: 'src'");
    at = find_text (text, "  interval            : ");
    find_text (at, "changeable in NULL, READY, PAUSED or PLAYING state");
    at = find_text (text, "  mode                : ");
    find_text (at, "changeable only in NULL or READY state");
    at = find_text (text, "  stats               : ");
    find_text (at, "flags: readable\n");
}
GST_END_TEST;
#endif

/* Those in the sources' GstAltclipFilter.prs, and none of the user's. */
GST_START_TEST (test_presets)
{
    g_autoptr (GstElement) element = gst_element_factory_make ("altclipfilter", NULL);
    g_auto (GStrv) names = gst_preset_get_preset_names (GST_PRESET (element));
    g_autofree char *comment = NULL;
    guint64 interval;
    double hysteresis;
    gint mode;

    fail_unless (g_strv_contains ((const char *const *)names, "Camera"));
    fail_unless (g_strv_contains ((const char *const *)names, "Film"));
    fail_unless (gst_preset_load_preset (GST_PRESET (element), "Camera"));
    g_object_get (element, "interval", &interval, "hysteresis", &hysteresis, "mode", &mode, NULL);
    fail_unless_equals_uint64 (interval, 200 * GST_MSECOND);
    fail_unless_equals_float (hysteresis, 0.5);
    fail_unless_equals_int (mode, 1);
    fail_unless (gst_preset_load_preset (GST_PRESET (element), "Film"));
    g_object_get (element, "interval", &interval, "hysteresis", &hysteresis, "mode", &mode, NULL);
    fail_unless_equals_uint64 (interval, 0);
    fail_unless_equals_float (hysteresis, 0.2);
    fail_unless_equals_int (mode, 2);
    fail_unless (
            gst_preset_get_meta (GST_PRESET (element), "Camera", "comment", &comment) && comment);
}
GST_END_TEST;

static Suite *
generic_suite (void)
{
    Suite *suite = suite_create ("generic");
    TCase *tests = tcase_create ("generic");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_presets);
    tcase_add_test (tests, test_state_changes_up_and_down);
    tcase_add_test (tests, test_state_changes_up);
    tcase_add_test (tests, test_state_changes_down);
    tcase_add_test (tests, test_states_without_a_model);
    tcase_add_test (tests, test_properties_in_every_state);
    tcase_add_test (tests, test_properties_out_of_range);
    tcase_add_test (tests, test_properties_are_described);
    tcase_add_test (tests, test_factory_is_described);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test (tests, test_inspect);
#endif
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (generic);
