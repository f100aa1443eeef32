/* altclip: tests of what labels and their groups come to over time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The labels are given by the embeddings of frames of one colour, at a scale that leaves no doubt:
 * the one whose colour a frame has scores 1 among those that it competes with, the others 0. In the
 * JSON of these tests ' stands for ".
 */

#include <math.h>
#include <string.h>
#include <time.h>

#include "endurance.h"
#include "gate.h"
#include "models.h"
#include "rig.h"

#include "altclip.h"

/* Of the quick model's embeddings. */
#define DIM 32

typedef enum { RED, GREEN, BLUE, N_COLOURS } Colour;

static const guint8 RGB[N_COLOURS][3] = { { 255, 0, 0 }, { 0, 255, 0 }, { 0, 0, 255 } };

/* Lists of numbers, as in a file of prompts. */
static char *embeddings[N_COLOURS]; /* made when first needed */

static GstBuffer *
new_coloured_frame (Colour colour, GstClockTime pts)
{
    return new_frame (pts, RGB[colour][0], RGB[colour][1], RGB[colour][2]);
}

static GstBuffer *
push_and_pull (Rig *rig, GstBuffer *buffer)
{
    fail_unless_equals_int (gst_harness_push (rig->harness, buffer), GST_FLOW_OK);
    return gst_harness_pull (rig->harness);
}

static void
push (Rig *rig, Colour colour, GstClockTime pts)
{
    gst_buffer_unref (push_and_pull (rig, new_coloured_frame (colour, pts)));
}

static char *
format_embedding (const GstStructure *tags)
{
    GString *text = g_string_new ("[");
    GstBuffer *buffer = gst_value_get_buffer (gst_structure_get_value (tags, "embedding"));
    float numbers[DIM];

    fail_unless_equals_int (
            gst_buffer_extract (buffer, 0, numbers, sizeof numbers), sizeof numbers);
    for (guint i = 0; i < DIM; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];

        g_string_append (text, i > 0 ? ", " : "");
        g_string_append (text, g_ascii_dtostr (number, sizeof number, (double)numbers[i]));
    }
    return g_string_free (g_string_append_c (text, ']'), FALSE);
}

static void
make_embeddings (void)
{
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "attach-embedding",
            "true", NULL);

    for (Colour i = RED; i < N_COLOURS; i++) {
        g_autoptr (GstBuffer) buffer = push_and_pull (rig, new_coloured_frame (i, i * FRAME));

        embeddings[i] = format_embedding (get_tags (buffer));
    }
    rig_free (rig);
}

/* In @json $0 to $2 stand for the embeddings of the colours.
 *
 * (transfer full): the path of a file in the models' directory */
static char *
write_file (const char *json)
{
    GString *text = g_string_new (json);
    g_autofree char *top = g_path_get_dirname (models_get_quick ());
    char *path = g_build_filename (top, "states.json", NULL);

    g_string_replace (text, "'", "\"", 0);
    if (!embeddings[RED])
        make_embeddings ();
    for (Colour i = RED; i < N_COLOURS; i++) {
        const char slot[] = { '$', (char)('0' + i), 0 };

        g_string_replace (text, slot, embeddings[i], 0);
    }
    fail_unless (g_file_set_contents (path, text->str, -1, NULL));
    g_string_free (text, TRUE);
    return path;
}

static void
set_file (Rig *rig, const char *json)
{
    g_autofree char *path = write_file (json);

    g_object_set (rig->element, "prompts-file", path, NULL);
}

static Rig *
exact_rig_new (const char *json)
{
    Rig *rig = rig_new (models_get_quick (), "mode", "exact", NULL);

    set_file (rig, json);
    return rig;
}

static void
push_eos (Rig *rig)
{
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_eos ()));
}

static void
wait_for_eos (Rig *rig)
{
    gboolean is_eos = FALSE;

    while (!is_eos) {
        GstEvent *event = gst_harness_pull_event (rig->harness);

        is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
        gst_event_unref (event);
    }
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static guint64
get_time (const GstStructure *structure, const char *field)
{
    guint64 time = 0;

    fail_unless (gst_structure_get_uint64 (structure, field, &time), "no %s", field);
    return time;
}

static double
get_double (const GstStructure *structure, const char *field)
{
    double number = 0;

    fail_unless (gst_structure_get_double (structure, field, &number), "no %s", field);
    return number;
}

static gboolean
get_boolean (const GstStructure *structure, const char *field)
{
    gboolean value = FALSE;

    fail_unless (gst_structure_get_boolean (structure, field, &value), "no %s", field);
    return value;
}

static const GstStructure *
get_element (const GstStructure *structure, const char *field, guint index)
{
    const GValue *array = gst_structure_get_value (structure, field);

    fail_unless (array != NULL && index < gst_value_array_get_size (array), "%s", field);
    return gst_value_get_structure (gst_value_array_get_value (array, index));
}

/* "" when there is none. */
static char *
format_region (const GstStructure *structure)
{
    const GValue *region = gst_structure_get_value (structure, "region");
    GString *text = g_string_new (NULL);

    for (guint i = 0; region && i < gst_value_array_get_size (region); i++)
        g_string_append_printf (text, "%s%g", i > 0 ? "," : "",
                g_value_get_double (gst_value_array_get_value (region, i)));
    return g_string_free (text, FALSE);
}

/* The label of that name, whatever its rank. */
static const GstStructure *
find_label (GstBuffer *buffer, const char *name)
{
    const GstStructure *tags = get_tags (buffer);

    fail_unless (tags != NULL);
    for (guint i = 0; i < get_n_labels (tags); i++)
        if (g_str_equal (gst_structure_get_string (get_label (tags, i), "label"), name))
            return get_label (tags, i);
    return NULL;
}

/* ---- Events ---------------------------------------------------------------------------------- */

/* An `altclip` message in short: what, when in frames, and for how long. */
static char *
describe (const GstStructure *event)
{
    const char *kind = gst_structure_get_string (event, "event");
    const char *previous = gst_structure_get_string (event, "previous");
    GString *text = g_string_new (kind);
    guint64 duration;

    if (g_str_equal (kind, "state"))
        g_string_append_printf (text, " %s", gst_structure_get_string (event, "group"));
    g_string_append_printf (text, " %s", gst_structure_get_string (event, "label"));
    if (previous)
        g_string_append_printf (text, " after %s", previous);
    g_string_append_printf (
            text, " at %" G_GUINT64_FORMAT, (get_time (event, "running-time") + FRAME / 2) / FRAME);
    if (gst_structure_get_uint64 (event, "duration", &duration))
        g_string_append_printf (
                text, ", %" G_GUINT64_FORMAT " long", (duration + FRAME / 2) / FRAME);
    if (!g_str_equal (kind, "begin"))
        g_string_append_printf (text, ": %s", gst_structure_get_string (event, "reason"));
    return g_string_free (text, FALSE);
}

static void
expect_event (Rig *rig, const char *expected)
{
    g_autoptr (GstMessage) message = pop_message (rig->bus, GST_MESSAGE_ELEMENT);
    g_autofree char *got = describe (gst_message_get_structure (message));

    fail_unless_equals_string (got, expected);
}

static void
expect_events (Rig *rig, ...)
{
    va_list events;
    const char *event;

    va_start (events, rig);
    while ((event = va_arg (events, const char *)))
        expect_event (rig, event);
    va_end (events);
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT) == NULL);
}

static void
expect_same (GPtrArray *got, GPtrArray *expected)
{
    for (guint i = 0; i < MIN (got->len, expected->len); i++)
        fail_unless_equals_string (g_ptr_array_index (got, i), g_ptr_array_index (expected, i));
    fail_unless_equals_int (got->len, expected->len);
}

/* ---- Groups ---------------------------------------------------------------------------------- */

#define LABEL(name, number, more) \
    "{'label': '" name "', 'embedding': $" number ", 'group': 'lamp'" more "}"

/* A lamp that is red, green, or neither; and a label in no group, which is never active. */
static const char LAMP[] =
        "{'version': 1, 'logit_scale': 100000, 'negatives': [{'label': 'x', 'embedding': $2}],"
        " 'labels': [" LABEL ("red", "0", "") ", " LABEL (
                "green", "1", "") ","
                                  "  {'label': 'blue', 'embedding': $2, 'threshold': 1}]}";

GST_START_TEST (test_group_events)
{
    static const Colour colours[] = { RED, RED, GREEN, BLUE, BLUE, GREEN };
    Rig *rig = exact_rig_new (LAMP);

    for (guint i = 0; i < G_N_ELEMENTS (colours); i++)
        push (rig, colours[i], i * FRAME);
    push_eos (rig);
    expect_events (rig, "begin red at 0", "state lamp red at 0: score",
            "end red at 2, 2 long: score", "begin green at 2",
            "state lamp green after red at 2, 2 long: score", "end green at 3, 1 long: score",
            "state lamp unknown after green at 3, 1 long: score", "begin green at 5",
            "state lamp green after unknown at 5, 2 long: score", "end green at 5, 0 long: eos",
            "state lamp unknown after green at 5, 0 long: eos", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* The first state may be unknown; and what a message of it holds. */
GST_START_TEST (test_group_fields)
{
    Rig *rig = exact_rig_new (LAMP);
    GstMessage *message;
    const GstStructure *event;
    guint index = 9;

    push (rig, BLUE, 0);
    push (rig, GREEN, FRAME);
    message = pop_message (rig->bus, GST_MESSAGE_ELEMENT);
    event = gst_message_get_structure (message);
    fail_unless_equals_string (gst_structure_get_string (event, "event"), "state");
    fail_unless_equals_string (gst_structure_get_string (event, "label"), "unknown");
    fail_if (gst_structure_has_field (event, "previous"));
    fail_if (gst_structure_has_field (event, "duration"));
    fail_if (gst_structure_has_field (event, "index"));
    fail_if (gst_structure_has_field (event, "score"));
    gst_message_unref (message);

    message = pop_event (rig->bus, "state");
    event = gst_message_get_structure (message);
    fail_unless_equals_string (gst_structure_get_name (event), "altclip");
    fail_unless_equals_string (gst_structure_get_string (event, "group"), "lamp");
    fail_unless_equals_string (gst_structure_get_string (event, "score-mode"), "softmax");
    fail_unless_equals_string (gst_structure_get_string (event, "utc-source"), "wall");
    fail_unless (gst_structure_has_field_typed (event, "stream-id", G_TYPE_STRING));
    fail_unless (gst_structure_get_uint (event, "index", &index));
    fail_unless_equals_int (index, 1);
    fail_unless (get_double (event, "score") > 0.99);
    fail_unless (get_double (event, "cosine") > 0.999);
    fail_unless_equals_uint64 (get_time (event, "pts"), FRAME);
    fail_unless_equals_uint64 (get_time (event, "stream-time"), FRAME);
    gst_message_unref (message);
    rig_free (rig);
}
GST_END_TEST;

/* Each end of all labels is one of the groups too, and new prompts begin anew. */
GST_START_TEST (test_group_ends)
{
    Rig *rig = exact_rig_new (LAMP);

    push (rig, RED, 0);
    expect_events (rig, "begin red at 0", "state lamp red at 0: score", NULL);
    rig_flush (rig);
    expect_events (rig, "end red at 0, 0 long: flush",
            "state lamp unknown after red at 0, 0 long: flush", NULL);
    push (rig, BLUE, 0);
    push (rig, RED, FRAME);
    expect_events (rig, "begin red at 1", "state lamp red after unknown at 1, 1 long: score", NULL);
    set_file (rig, LAMP);
    expect_event (rig, "end red at 1, 0 long: prompts");
    expect_events (rig, "state lamp unknown after red at 1, 0 long: prompts", NULL);
    push (rig, RED, 2 * FRAME);
    expect_events (rig, "begin red at 2", "state lamp red at 2: score", NULL);
    gst_element_set_state (rig->element, GST_STATE_READY);
    expect_events (rig, "end red at 2, 0 long: stopped",
            "state lamp unknown after red at 2, 0 long: stopped", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* With post-messages=none there are none of groups either. */
GST_START_TEST (test_group_quiet)
{
    Rig *rig = exact_rig_new (LAMP);

    g_object_set (rig->element, "post-messages", 0, NULL);
    push (rig, RED, 0);
    push_eos (rig);
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT) == NULL);
    rig_free (rig);
}
GST_END_TEST;

/* ---- The last state -------------------------------------------------------------------------- */

static GstStructure *
get_state (Rig *rig)
{
    GstStructure *state = NULL;

    g_object_get (rig->element, "last-state", &state, NULL);
    fail_unless (state != NULL);
    return state;
}

static void
expect_label_state (const GstStructure *state, guint index, const char *label, gboolean active,
        GstClockTime since)
{
    const GstStructure *element = get_element (state, "labels", index);

    fail_unless_equals_string (gst_structure_get_string (element, "label"), label);
    fail_unless_equals_int (get_boolean (element, "active"), active);
    fail_unless_equals_uint64 (get_time (element, "since"), since);
    fail_unless (gst_structure_has_field_typed (element, "score", G_TYPE_DOUBLE));
    fail_unless (gst_structure_has_field_typed (element, "cosine", G_TYPE_DOUBLE));
}

static void
expect_group_state (const GstStructure *state, const char *label, GstClockTime since)
{
    const GstStructure *element = get_element (state, "groups", 0);

    fail_unless_equals_string (gst_structure_get_string (element, "group"), "lamp");
    fail_unless_equals_string (gst_structure_get_string (element, "label"), label);
    fail_unless_equals_uint64 (get_time (element, "since"), since);
    fail_unless_equals_int (
            gst_structure_has_field (element, "index"), !g_str_equal (label, "unknown"));
}

/* Nothing is known before the element starts, of prompts before their first frame, and once it is
 * stopped. */
GST_START_TEST (test_last_state_unknown)
{
    Rig *rig = exact_rig_new (LAMP);
    g_autoptr (GstStructure) before = get_state (rig);
    g_autoptr (GstStructure) after = NULL;
    g_autoptr (GstElement) idle =
            gst_object_ref_sink (gst_element_factory_make ("altclipfilter", NULL));
    g_autoptr (GstStructure) never = NULL;

    fail_unless_equals_string (gst_structure_get_name (before), "altclip-state");
    fail_if (gst_structure_has_field (before, "pts"));
    push (rig, RED, 0);
    gst_element_set_state (rig->element, GST_STATE_READY);
    after = get_state (rig);
    fail_if (gst_structure_has_field (after, "labels"));
    g_object_get (idle, "last-state", &never, NULL);
    fail_if (gst_structure_has_field (never, "labels"));
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_last_state)
{
    Rig *rig = exact_rig_new (LAMP);
    GstStructure *state;
    guint revision = 0;

    push (rig, BLUE, 0);
    push (rig, RED, FRAME);
    push (rig, RED, 2 * FRAME);
    state = get_state (rig);
    fail_unless (gst_structure_get_uint (state, "revision", &revision));
    fail_unless_equals_int (revision, 1);
    fail_unless_equals_string (gst_structure_get_string (state, "score-mode"), "softmax");
    fail_unless_equals_uint64 (get_time (state, "running-time"), 2 * FRAME);
    expect_label_state (state, 0, "red", TRUE, FRAME);
    expect_label_state (state, 1, "green", FALSE, 0);
    fail_unless_equals_string (
            gst_structure_get_string (get_element (state, "labels", 0), "group"), "lamp");
    fail_if (gst_structure_has_field (get_element (state, "labels", 2), "group"));
    expect_group_state (state, "red", FRAME);
    gst_structure_free (state);

    push (rig, BLUE, 3 * FRAME);
    push_eos (rig);
    state = get_state (rig);
    expect_label_state (state, 0, "red", FALSE, 3 * FRAME);
    expect_group_state (state, "unknown", 3 * FRAME);
    gst_structure_free (state);
    rig_free (rig);
}
GST_END_TEST;

/* Of labels that were never looked at there is nothing to tell but that. */
GST_START_TEST (test_last_state_before_frames)
{
    Rig *rig = exact_rig_new (LAMP);
    const GstStructure *element;
    GstStructure *state;

    push (rig, RED, 0);
    set_file (rig, LAMP);
    gst_message_unref (pop_event (rig->bus, "end"));
    do {
        state = get_state (rig);
        element = get_element (state, "labels", 0);
        if (gst_structure_has_field (element, "since"))
            g_clear_pointer (&state, gst_structure_free);
    } while (!state);
    fail_if (gst_structure_has_field (element, "score"));
    fail_if (get_boolean (element, "active"));
    fail_if (gst_structure_has_field (get_element (state, "groups", 0), "since"));
    gst_structure_free (state);
    rig_free (rig);
}
GST_END_TEST;

/* With regions of upstream's, each that has an id has its own. */
GST_START_TEST (test_last_state_of_objects)
{
    Rig *rig = exact_rig_new (LAMP);
    GstBuffer *frame = new_coloured_frame (RED, 0);
    const GstStructure *region;
    GstStructure *state;

    gst_util_set_object_arg (G_OBJECT (rig->element), "inference-region", "roi-list");
    gst_buffer_add_video_region_of_interest_meta (frame, "car", 0, 0, 32, 24)->id = 7;
    gst_buffer_add_video_region_of_interest_meta (frame, "t\xeate", 0, 0, 32, 24)->id = 8;
    gst_buffer_unref (push_and_pull (rig, frame));
    state = get_state (rig);
    region = get_element (state, "regions", 0);
    fail_unless_equals_string (gst_structure_get_string (region, "type"), "car");
    expect_label_state (region, 0, "red", TRUE, 0);
    fail_unless_equals_int (
            gst_value_array_get_size (gst_structure_get_value (region, "labels")), 1);
    expect_group_state (region, "red", 0);
    fail_unless_equals_string (gst_structure_get_string (get_element (state, "regions", 1), "type"),
            "t\xef\xbf\xbdte");
    fail_if (gst_structure_has_field (get_element (state, "labels", 0), "since"));
    gst_structure_free (state);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Averages -------------------------------------------------------------------------------- */

/* One label of its own, without a group, at a threshold that it reaches after two frames. */
static const char SLOW[] =
        "{'version': 1, 'logit_scale': 100000, 'negatives': [{'label': 'x', 'embedding': $2}],"
        " 'labels': [{'label': 'red', 'embedding': $0, 'threshold': 0.7}]}";

static double
push_and_score (Rig *rig, Colour colour, GstClockTime pts)
{
    g_autoptr (GstBuffer) buffer = push_and_pull (rig, new_coloured_frame (colour, pts));
    const GstStructure *label = find_label (buffer, "red");

    fail_unless (fabs (get_double (label, "cosine") - 1.0) < 1e-4 || colour != RED);
    return get_double (label, "score");
}

static void
fail_unless_near (double a, double b)
{
    fail_unless (fabs (a - b) < 1e-6, "%.9g is not %.9g", a, b);
}

/* What is reported is the average, by running time: the cosine beside it is not averaged. */
GST_START_TEST (test_smoothing)
{
    Rig *rig = exact_rig_new (SLOW);
    double kept = exp (-1.0 / 2);

    g_object_set (rig->element, "smoothing", (guint64)(2 * FRAME), NULL);
    fail_unless_near (push_and_score (rig, BLUE, 0), 0);
    fail_unless_near (push_and_score (rig, RED, FRAME), 1 - kept);
    fail_unless_near (push_and_score (rig, RED, 2 * FRAME), 1 - exp (-1));
    fail_unless_near (push_and_score (rig, RED, 5 * FRAME), 1 - exp (-2.5));
    fail_unless_near (push_and_score (rig, BLUE, 5 * FRAME), 1 - exp (-2.5));
    fail_unless_near (push_and_score (rig, BLUE, 6 * FRAME), (1 - exp (-2.5)) * kept);
    fail_unless_near (push_and_score (rig, BLUE, 7 * FRAME), (1 - exp (-2.5)) * kept * kept);
    push_eos (rig);
    expect_events (rig, "begin red at 5", "end red at 6, 1 long: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* What a file says goes before; 0 there is none. */
GST_START_TEST (test_smoothing_of_file)
{
    Rig *rig =
            exact_rig_new ("{'version': 1, 'logit_scale': 100000, 'smoothing': 0.1, 'labels': ["
                           "{'label': 'red', 'embedding': $0}, {'label': 'blue', 'embedding': $2, "
                           "'smoothing': 0}]}");
    g_autoptr (GstBuffer) buffer = NULL;

    g_object_set (rig->element, "smoothing", (guint64)GST_SECOND, NULL);
    push (rig, BLUE, 0);
    buffer = push_and_pull (rig, new_coloured_frame (RED, FRAME));
    fail_unless_near (get_double (find_label (buffer, "red"), "score"), 1 - exp (-1.0 / 3));
    fail_unless_near (get_double (find_label (buffer, "blue"), "score"), 0);
    rig_free (rig);
}
GST_END_TEST;

/* Without running times nothing is averaged. */
GST_START_TEST (test_smoothing_without_times)
{
    Rig *rig = exact_rig_new (SLOW);

    g_object_set (rig->element, "smoothing", (guint64)GST_SECOND, NULL);
    fail_unless_near (push_and_score (rig, BLUE, GST_CLOCK_TIME_NONE), 0);
    fail_unless_near (push_and_score (rig, RED, GST_CLOCK_TIME_NONE), 1);
    fail_unless_near (push_and_score (rig, BLUE, GST_CLOCK_TIME_NONE), 0);
    fail_unless_near (push_and_score (rig, RED, 30 * FRAME), 1);
    fail_unless_near (push_and_score (rig, BLUE, 60 * FRAME), exp (-1));
    rig_free (rig);
}
GST_END_TEST;

/* ---- Begun anew ------------------------------------------------------------------------------ */

/* A flush forgets averages, and what was about to begin. */
GST_START_TEST (test_flush_begins_anew)
{
    Rig *rig = exact_rig_new (SLOW);

    g_object_set (rig->element, "smoothing", (guint64)GST_SECOND, "min-on-time",
            (guint64)(2 * FRAME), NULL);
    push (rig, RED, 0);
    push (rig, RED, FRAME);
    rig_flush (rig);
    rig_forget_messages (rig);
    fail_unless_near (push_and_score (rig, BLUE, 2 * FRAME), 0);
    rig_flush (rig);
    fail_unless_near (push_and_score (rig, RED, 3 * FRAME), 1);
    fail_unless_near (push_and_score (rig, RED, 4 * FRAME), 1);
    push (rig, RED, 5 * FRAME);
    expect_events (rig, "begin red at 5", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* A gap in the stream longer than max-age ends what is known, as of the frame after it; one of just
 * that length does not. */
GST_START_TEST (test_gap)
{
    Rig *rig = exact_rig_new (LAMP);

    g_object_set (
            rig->element, "max-age", (guint64)(10 * FRAME), "smoothing", (guint64)GST_SECOND, NULL);
    push (rig, RED, 0);
    push (rig, RED, 10 * FRAME);
    expect_events (rig, "begin red at 0", "state lamp red at 0: score", NULL);
    fail_unless_near (push_and_score (rig, GREEN, 20 * FRAME + 1), 0);
    expect_events (rig, "end red at 20, 20 long: expired",
            "state lamp unknown after red at 20, 20 long: expired", "begin green at 20",
            "state lamp green after unknown at 20, 0 long: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Frames that come, but cannot be analysed. */
static void
push_failing (Rig *rig, guint from, guint to)
{
    for (guint i = from; i < to; i++) {
        GstBuffer *frame = new_coloured_frame (RED, i * FRAME);

        gst_buffer_set_size (frame, FRAME_SIZE / 2);
        gst_buffer_unref (push_and_pull (rig, frame));
    }
}

/* What nobody saw for longer than max-age is no evidence, neither that a label is to begin nor that
 * it goes on; for just that time it is. */
GST_START_TEST (test_gap_of_analysis)
{
    Rig *rig = exact_rig_new (LAMP);

    g_object_set (rig->element, "max-age", (guint64)(10 * FRAME), "min-on-time",
            (guint64)(4 * FRAME), NULL);
    push (rig, RED, 0);
    push_failing (rig, 1, 11);
    push (rig, RED, 11 * FRAME);
    push_failing (rig, 12, 21);
    push (rig, RED, 21 * FRAME);
    expect_event (rig, "state lamp unknown at 0: score");
    expect_events (
            rig, "begin red at 21", "state lamp red after unknown at 21, 21 long: score", NULL);
    push_failing (rig, 22, 32);
    push (rig, RED, 32 * FRAME);
    expect_events (rig, "end red at 32, 11 long: expired",
            "state lamp unknown after red at 32, 11 long: expired", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Those that are not analysed since it is not their turn are no gap, unless more are missed. */
GST_START_TEST (test_gap_and_interval)
{
    Rig *rig = exact_rig_new (LAMP);

    g_object_set (rig->element, "max-age", (guint64)(4 * FRAME), "interval", (guint64)(10 * FRAME),
            "min-on-time", (guint64)(20 * FRAME), NULL);
    for (guint i = 0; i < 21; i++)
        push (rig, RED, i * FRAME);
    expect_event (rig, "state lamp unknown at 0: score");
    expect_events (
            rig, "begin red at 20", "state lamp red after unknown at 20, 20 long: score", NULL);
    push_failing (rig, 21, 40);
    push (rig, RED, 40 * FRAME);
    push_failing (rig, 41, 70);
    push (rig, RED, 70 * FRAME);
    expect_event (rig, "end red at 70, 50 long: expired");
    rig_free (rig);
}
GST_END_TEST;

/* A frame in ten seconds is what such a stream has: no gap. */
GST_START_TEST (test_slow_stream_has_no_gaps)
{
    Rig *rig = exact_rig_new (LAMP);

    gst_harness_set_src_caps_str (
            rig->harness, "video/x-raw,format=RGB,width=64,height=48,framerate=1/10");
    push (rig, RED, 0);
    push (rig, RED, 10 * GST_SECOND);
    push (rig, RED, 20 * GST_SECOND);
    expect_events (rig, "begin red at 0", "state lamp red at 0: score", NULL);
    push (rig, RED, 41 * GST_SECOND);
    expect_event (rig, "end red at 1230, 1230 long: expired");
    rig_free (rig);
}
GST_END_TEST;

/* Frames that are not analysed are no gap. */
GST_START_TEST (test_interval_has_no_gaps)
{
    Rig *rig = exact_rig_new (LAMP);

    g_object_set (
            rig->element, "max-age", (guint64)(5 * FRAME), "interval", (guint64)GST_SECOND, NULL);
    for (guint i = 0; i < 61; i++)
        push (rig, RED, i * FRAME);
    expect_events (rig, "begin red at 0", "state lamp red at 0: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

static void
begin_stream (Rig *rig, const char *stream_id)
{
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_stream_start (stream_id)));
    gst_harness_set_src_caps_str (rig->harness, CAPS);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_segment (&segment)));
}

/* A stream that begins anew, under the same name maybe, is another: what ends has the old one's
 * name and time. */
static void
check_reconnection (const char *before, const char *after)
{
    Rig *rig = exact_rig_new (LAMP);
    GstMessage *message;

    begin_stream (rig, before);
    push (rig, RED, 7 * FRAME);
    push (rig, RED, 8 * FRAME);
    expect_events (rig, "begin red at 7", "state lamp red at 7: score", NULL);
    begin_stream (rig, after);
    push (rig, RED, 9 * FRAME);
    message = pop_message (rig->bus, GST_MESSAGE_ELEMENT);
    fail_unless_equals_string (
            gst_structure_get_string (gst_message_get_structure (message), "stream-id"), before);
    fail_unless_equals_uint64 (
            get_time (gst_message_get_structure (message), "running-time"), 8 * FRAME);
    gst_message_unref (message);
    expect_event (rig, "state lamp unknown after red at 8, 1 long: expired");
    message = pop_message (rig->bus, GST_MESSAGE_ELEMENT);
    fail_unless_equals_string (
            gst_structure_get_string (gst_message_get_structure (message), "stream-id"), after);
    gst_message_unref (message);
    expect_events (rig, "state lamp red after unknown at 9, 1 long: score", NULL);
    rig_free (rig);
}

GST_START_TEST (test_reconnection)
{
    check_reconnection ("camera", "another");
    check_reconnection ("camera", "camera");
}
GST_END_TEST;

/* Live: no result of the stream before is on the frames of the next. */
GST_START_TEST (test_live_reconnection)
{
    Rig *rig = rig_new (models_get_quick (), "mode", "live", NULL);
    guint at = 0;

    set_file (rig, LAMP);
    gst_buffer_unref (push_until_tagged (rig, &at));
    gate_close ();
    begin_stream (rig, "another");
    for (guint i = 0; i < 5; i++) {
        g_autoptr (GstBuffer) buffer =
                push_and_pull (rig, gate_guard (new_coloured_frame (RED, (at + i) * FRAME)));

        fail_unless (get_tags (buffer) == NULL);
    }
    gate_open ();
    rig_free (rig);
}
GST_END_TEST;

/* A lost packet is no gap longer than it takes. */
GST_START_TEST (test_discont_is_no_gap)
{
    Rig *rig = exact_rig_new (LAMP);
    GstBuffer *frame = new_coloured_frame (RED, 5 * FRAME);

    push (rig, RED, 0);
    GST_BUFFER_FLAG_SET (frame, GST_BUFFER_FLAG_DISCONT);
    gst_buffer_unref (push_and_pull (rig, frame));
    expect_events (rig, "begin red at 0", "state lamp red at 0: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Still pictures -------------------------------------------------------------------------- */

static Rig *
still_rig_new (const char *json, const char *mode)
{
    Rig *rig = rig_new (models_get_quick (), "mode", mode, "motion-threshold", "0.01", NULL);

    set_file (rig, json);
    return rig;
}

/* What stands still is analysed as long as something is about to begin or end, so that it does so
 * after min-on-time and min-off-time, and no longer. */
GST_START_TEST (test_still_times)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    g_object_set (rig->element, "min-on-time", (guint64)(6 * FRAME), "min-off-time",
            (guint64)(3 * FRAME), NULL);
    for (guint i = 0; i < 20; i++)
        push (rig, BLUE, i * FRAME);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1);
    for (guint i = 20; i < 60; i++)
        push (rig, GREEN, i * FRAME);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1 + 7);
    for (guint i = 60; i < 100; i++)
        push (rig, BLUE, i * FRAME);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1 + 7 + 4);
    expect_events (rig, "state lamp unknown at 0: score", "begin green at 26",
            "state lamp green after unknown at 26, 26 long: score",
            "end green at 63, 37 long: score",
            "state lamp unknown after green at 63, 37 long: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Likewise while an average is on its way to the line. What stood still until then counts as having
 * been seen all the while: one frame that is different comes to no more than without the gate. */
GST_START_TEST (test_still_smoothing)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    g_object_set (rig->element, "smoothing", (guint64)(10 * FRAME), NULL);
    for (guint i = 0; i < 20; i++)
        push (rig, BLUE, i * FRAME);
    push (rig, GREEN, 20 * FRAME);
    for (guint i = 21; i < 40; i++)
        push (rig, BLUE, i * FRAME);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 3);
    for (guint i = 40; i < 80; i++)
        push (rig, GREEN, i * FRAME);
    /* 1 − exp(−7/10) is the first above a half; a little is left of frame 20. */
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 3 + 7);
    for (guint i = 80; i < 100; i++)
        push (rig, BLUE, i * FRAME);
    /* And 0.98 · exp(−9/10) the first below 0.4: the average has gone on while all stood still. */
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 3 + 7 + 9);
    expect_events (rig, "state lamp unknown at 0: score", "begin green at 46",
            "state lamp green after unknown at 46, 46 long: score",
            "end green at 88, 42 long: score",
            "state lamp unknown after green at 88, 42 long: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* The interval holds for them too. */
GST_START_TEST (test_still_interval)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    g_object_set (rig->element, "min-on-time", (guint64)(6 * FRAME), "interval",
            (guint64)(4 * FRAME), NULL);
    for (guint i = 0; i < 30; i++)
        push (rig, RED, i * FRAME);
    expect_event (rig, "state lamp unknown at 0: score");
    expect_events (rig, "begin red at 8", "state lamp red after unknown at 8, 8 long: score", NULL);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 3);
    rig_free (rig);
}
GST_END_TEST;

/* A frame whose turn it would not have been is not known to show what the one before showed. */
GST_START_TEST (test_still_interval_and_smoothing)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    g_object_set (rig->element, "smoothing", (guint64)(10 * FRAME), "interval",
            (guint64)(10 * FRAME), NULL);
    for (guint i = 0; i < 10; i++)
        push (rig, BLUE, i * FRAME);
    push (rig, GREEN, 10 * FRAME);
    /* 1 − exp(−10/10) is above a half. */
    expect_events (rig, "state lamp unknown at 0: score", "begin green at 10",
            "state lamp green after unknown at 10, 10 long: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* What stood still was seen until it moved, though a frame in between could not be analysed. */
GST_START_TEST (test_still_before_a_failure)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    g_object_set (rig->element, "smoothing", (guint64)(10 * FRAME), NULL);
    for (guint i = 0; i < 20; i++)
        push (rig, BLUE, i * FRAME);
    push_failing (rig, 20, 21);
    push (rig, GREEN, 21 * FRAME);
    for (guint i = 22; i < 30; i++)
        push (rig, BLUE, i * FRAME);
    push_eos (rig);
    wait_for_eos (rig);
    /* 1 − exp(−2/10), not 1 − exp(−21/10). */
    expect_events (rig, "state lamp unknown at 0: score", NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Nor is a pause too long for having begun where nothing moved, with frames that were not analysed.
 */
GST_START_TEST (test_still_before_a_pause)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    g_object_set (rig->element, "max-age", (guint64)(10 * FRAME), NULL);
    for (guint i = 0; i < 10; i++)
        push (rig, RED, i * FRAME);
    push (rig, RED, 18 * FRAME);
    push_eos (rig);
    wait_for_eos (rig);
    expect_events (rig, "begin red at 0", "state lamp red at 0: score",
            "end red at 18, 18 long: eos", "state lamp unknown after red at 18, 18 long: eos",
            NULL);
    rig_free (rig);
}
GST_END_TEST;

/* Without timestamps nothing comes nearer by looking. */
GST_START_TEST (test_still_without_times)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    g_object_set (rig->element, "min-on-time", (guint64)(6 * FRAME), "max-age",
            (guint64)(3600 * GST_SECOND), NULL);
    push (rig, RED, 0);
    for (guint i = 0; i < 30; i++)
        push (rig, RED, GST_CLOCK_TIME_NONE);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 1);
    push (rig, RED, 6 * FRAME);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 2);
    expect_event (rig, "state lamp unknown at 0: score");
    expect_event (rig, "begin red at 6");
    rig_free (rig);
}
GST_END_TEST;

/* A region with an id has its own; one that is gone keeps nothing busy. */
GST_START_TEST (test_still_objects)
{
    Rig *rig = still_rig_new (LAMP, "exact");

    gst_util_set_object_arg (G_OBJECT (rig->element), "inference-region", "roi-list");
    g_object_set (rig->element, "min-on-time", (guint64)(6 * FRAME), NULL);
    for (guint i = 0; i < 30; i++) {
        GstBuffer *frame = new_coloured_frame (RED, i * FRAME);

        gst_buffer_add_video_region_of_interest_meta (frame, "car", 0, 0, 32, 24)->id = 7;
        if (i == 0)
            gst_buffer_add_video_region_of_interest_meta (frame, "car", 32, 24, 32, 24)->id = 8;
        gst_buffer_unref (push_and_pull (rig, frame));
    }
    expect_event (rig, "state lamp unknown at 0: score");
    expect_event (rig, "state lamp unknown at 0: score");
    expect_events (rig, "begin red at 6", "state lamp red after unknown at 6, 6 long: score", NULL);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 7);
    rig_free (rig);
}
GST_END_TEST;

#define N_STILL 400

/* Pictures that stand still for some frames each, with smoothing, min-on-time and min-off-time.
 *
 * Returns: (transfer full) (element-type utf8): what is told, and the peaks */
static GPtrArray *
run_still (const Colour *colours, double motion_threshold, guint smoothing, guint times)
{
    GPtrArray *events = g_ptr_array_new_with_free_func (g_free);
    Rig *rig = exact_rig_new (LAMP);
    GstMessage *message;

    g_object_set (rig->element, "motion-threshold", motion_threshold, "smoothing",
            (guint64)(smoothing * FRAME), "min-on-time", (guint64)(times * FRAME), "min-off-time",
            (guint64)(times * FRAME / 2), NULL);
    for (guint i = 0; i < N_STILL; i++)
        push (rig, colours[i], i * FRAME);
    push_eos (rig);
    wait_for_eos (rig);
    g_print ("%" G_GUINT64_FORMAT " frames of %u analysed\n", rig_get_count (rig, "analysed"),
            N_STILL);
    while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
        const GstStructure *event = gst_message_get_structure (message);
        g_autofree char *text = describe (event);
        double peak = 0;

        /* At EOS an average may not have gone on yet. */
        if (!g_str_has_suffix (text, "eos"))
            gst_structure_get_double (event, "peak", &peak);
        g_ptr_array_add (events, g_strdup_printf ("%s, peak %.6f", text, peak));
        gst_message_unref (message);
    }
    rig_free (rig);
    return events;
}

/* What stands still has the same events with the gate as without it. */
GST_START_TEST (test_still_same_events)
{
    guint32 seed = g_random_int ();
    g_autoptr (GRand) random = g_rand_new_with_seed (seed);

    GST_INFO ("seed %u", seed);
    for (guint run = 0; run < 6; run++) {
        guint smoothing = run % 3 * 4;
        guint times = run / 2 * 3;
        g_autoptr (GPtrArray) expected = NULL;
        g_autoptr (GPtrArray) got = NULL;
        Colour colours[N_STILL];
        Colour colour = RED;

        for (guint i = 0; i < N_STILL; i++) {
            if (g_rand_int_range (random, 0, 10) == 0)
                colour = colour == RED ? GREEN : RED;
            colours[i] = colour;
        }
        expected = run_still (colours, 0, smoothing, times);
        got = run_still (colours, 0.01, smoothing, times);
        expect_same (got, expected);
        fail_unless (got->len > 3);
    }
}
GST_END_TEST;

/* Live, too, what is about to begin does not wait until half of max-age is over. */
GST_START_TEST (test_still_live)
{
    Rig *rig = still_rig_new (LAMP, "live");
    GstMessage *message = NULL;
    GstClockTime began;

    g_object_set (rig->element, "min-on-time", (guint64)(6 * FRAME), "max-age",
            (guint64)(3600 * GST_SECOND), NULL);
    gst_buffer_unref (push_until_tagged (rig, &(guint){ 0 }));
    rig_flush (rig);
    rig_forget_messages (rig);
    for (guint i = 3000; !message && i < 6000; i++) {
        push (rig, GREEN, i * FRAME);
        g_usleep (G_USEC_PER_SEC / 100);
        message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT);
    }
    fail_unless (message != NULL);
    fail_unless_equals_string (
            gst_structure_get_string (gst_message_get_structure (message), "label"), "green");
    began = get_time (gst_message_get_structure (message), "running-time");
    fail_unless (began >= 3006 * FRAME && began < 3300 * FRAME);
    gst_message_unref (message);
    rig_free (rig);
}
GST_END_TEST;

/* ---- Regions of labels ----------------------------------------------------------------------- */

#define LEFT "'region': [0, 0, 0.5, 1]"
#define RIGHT "'region': [0.5, 0, 0.5, 1]"

/* Labels of each half, two of which share its picture, and of all of it. */
static const char HALVES[] =
        "{'version': 1, 'logit_scale': 100000, 'labels': ["
        " {'label': 'left red', 'embedding': $0, 'group': 'left', " LEFT "},"
        " {'label': 'left blue', 'embedding': $2, 'group': 'left', " LEFT "},"
        " {'label': 'right red', 'embedding': $0, 'group': 'right', " RIGHT "},"
        " {'label': 'right blue', 'embedding': $2, 'group': 'right', " RIGHT "},"
        " {'label': 'red', 'embedding': $0}, {'label': 'blue', 'embedding': $2}]}";

/* The same without the labels of all of it. */
static const char TWO_HALVES[] = "{'version': 1, 'logit_scale': 100000, 'labels': ["
                                 " {'label': 'left red', 'embedding': $0, " LEFT "},"
                                 " {'label': 'left blue', 'embedding': $2, " LEFT "},"
                                 " {'label': 'right red', 'embedding': $0, " RIGHT "},"
                                 " {'label': 'right blue', 'embedding': $2, " RIGHT "}]}";

static GstBuffer *
new_halved_frame (Colour left, Colour right, GstClockTime pts)
{
    GstBuffer *buffer = new_coloured_frame (left, pts);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (gsize y = 0; y < HEIGHT; y++)
        for (gsize x = WIDTH / 2; x < WIDTH; x++)
            memcpy (map.data + (y * WIDTH + x) * 3, RGB[right], 3);
    gst_buffer_unmap (buffer, &map);
    return buffer;
}

static void
expect_label (GstBuffer *buffer, const char *name, gboolean active, const char *region)
{
    const GstStructure *label = find_label (buffer, name);
    g_autofree char *got = NULL;

    fail_unless (label != NULL, "no %s", name);
    got = format_region (label);
    fail_unless_near (get_double (label, "score"), active);
    fail_unless_equals_int (get_boolean (label, "active"), active);
    fail_unless_equals_string (got, region);
}

static void
expect_halves (GstBuffer *buffer, Colour left, Colour right)
{
    expect_label (buffer, "left red", left == RED, "0,0,0.5,1");
    expect_label (buffer, "left blue", left == BLUE, "0,0,0.5,1");
    expect_label (buffer, "right red", right == RED, "0.5,0,0.5,1");
    expect_label (buffer, "right blue", right == BLUE, "0.5,0,0.5,1");
}

GST_START_TEST (test_label_regions)
{
    Rig *rig = exact_rig_new (HALVES);
    guint at = 0;

    for (Colour left = RED; left <= BLUE; left += BLUE - RED)
        for (Colour right = RED; right <= BLUE; right += BLUE - RED) {
            g_autoptr (GstBuffer) buffer =
                    push_and_pull (rig, new_halved_frame (left, right, at++ * FRAME));

            expect_halves (buffer, left, right);
            if (left == right)
                expect_label (buffer, "red", left == RED, "");
            fail_unless_equals_int (get_n_labels (get_tags (buffer)), 6);
            fail_if (gst_structure_has_field (get_tags (buffer), "region"));
        }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 4);
    rig_free (rig);
}
GST_END_TEST;

/* The element's region is that of labels that have none. */
GST_START_TEST (test_label_regions_in_region)
{
    Rig *rig = exact_rig_new (HALVES);
    g_autoptr (GstBuffer) buffer = NULL;
    g_autofree char *region = NULL;

    g_object_set (rig->element, "region", "0.75,0,0.25,1", NULL);
    buffer = push_and_pull (rig, new_halved_frame (BLUE, RED, 0));
    expect_halves (buffer, BLUE, RED);
    expect_label (buffer, "red", TRUE, "");
    expect_label (buffer, "blue", FALSE, "");
    region = format_region (get_tags (buffer));
    fail_unless_equals_string (region, "0.75,0,0.25,1");
    rig_free (rig);
}
GST_END_TEST;

/* The region of an event is where it was seen: the label's, what the group's labels share, or the
 * element's. */
GST_START_TEST (test_label_regions_in_messages)
{
    static const struct {
        const char *event;
        const char *label;
        const char *region;
    } expected[] = {
        { "state", "unknown", "0,0,0.5,1" },
        { "state", "unknown", "0.5,0,0.5,1" },
        { "begin", "left red", "0,0,0.5,1" },
        { "begin", "right blue", "0.5,0,0.5,1" },
        { "begin", "red", "0,0,0.25,1" },
        { "state", "left red", "0,0,0.5,1" },
        { "state", "right blue", "0.5,0,0.5,1" },
    };
    Rig *rig = exact_rig_new (HALVES);

    g_object_set (rig->element, "region", "0,0,0.25,1", "min-on-time", (guint64)FRAME, NULL);
    for (guint i = 0; i < 2; i++)
        gst_buffer_unref (push_and_pull (rig, new_halved_frame (RED, BLUE, i * FRAME)));
    for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
        g_autoptr (GstMessage) message = pop_message (rig->bus, GST_MESSAGE_ELEMENT);
        const GstStructure *event = gst_message_get_structure (message);
        g_autofree char *region = format_region (event);

        fail_unless_equals_string (gst_structure_get_string (event, "event"), expected[i].event);
        fail_unless_equals_string (gst_structure_get_string (event, "label"), expected[i].label);
        fail_unless_equals_string (region, expected[i].region);
    }
    rig_free (rig);
}
GST_END_TEST;

/* The frame as a whole is looked at only for those who want it. */
GST_START_TEST (test_label_regions_embedding)
{
    Rig *rig = exact_rig_new (TWO_HALVES);
    g_autoptr (GstBuffer) without = push_and_pull (rig, new_halved_frame (RED, BLUE, 0));
    g_autoptr (GstBuffer) with = NULL;
    g_autofree char *embedding = NULL;

    fail_if (gst_structure_has_field (get_tags (without), "embedding"));
    expect_halves (without, RED, BLUE);
    g_object_set (rig->element, "attach-embedding", TRUE, NULL);
    with = push_and_pull (rig, new_halved_frame (GREEN, GREEN, FRAME));
    embedding = format_embedding (get_tags (with));
    fail_unless_equals_int (get_n_labels (get_tags (with)), 4);
    g_object_set (rig->element, "region", "0,0,0.5,0.5", NULL);
    gst_buffer_unref (push_and_pull (rig, new_halved_frame (RED, RED, 2 * FRAME)));
    rig_free (rig);
}
GST_END_TEST;

GST_START_TEST (test_label_regions_live)
{
    Rig *rig = rig_new (models_get_quick (), "mode", "live", NULL);
    guint at = 0;

    set_file (rig, HALVES);
    for (;;) {
        g_autoptr (GstBuffer) buffer =
                push_and_pull (rig, new_halved_frame (RED, BLUE, at++ * FRAME));

        if (get_tags (buffer)) {
            expect_halves (buffer, RED, BLUE);
            break;
        }
        g_usleep (5000);
    }
    rig_free (rig);
}
GST_END_TEST;

/* What moves in the part of one label is enough; it is green that is watched. */
GST_START_TEST (test_label_regions_and_motion)
{
    Rig *rig = exact_rig_new (HALVES);

    g_object_set (rig->element, "motion-threshold", 0.9, NULL);
    for (guint i = 0; i < 6; i++) {
        g_autoptr (GstBuffer) buffer =
                push_and_pull (rig, new_halved_frame (RED, i < 3 ? BLUE : GREEN, i * FRAME));

        expect_label (buffer, "left red", TRUE, "0,0,0.5,1");
        fail_unless_equals_uint64 (get_frame_pts (get_tags (buffer)), i < 3 ? 0 : 3 * FRAME);
    }
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), 2);
    rig_free (rig);
}
GST_END_TEST;

static void
wait_for_revision (Rig *rig, guint expected)
{
    guint revision = 0;

    while (revision < expected) {
        GstStructure *state = get_state (rig);

        gst_structure_get_uint (state, "revision", &revision);
        gst_structure_free (state);
    }
}

/* Frames that came before new prompts did are scored by these where they were looked at; labels of
 * other parts are left out, until the next frame. */
GST_START_TEST (test_label_regions_change)
{
    Rig *rig = exact_rig_new (HALVES);

    gst_buffer_unref (push_and_pull (rig, new_halved_frame (RED, BLUE, 0)));
    gate_close ();
    for (guint i = 1; i < 4; i++)
        gst_harness_push (rig->harness, gate_guard (new_halved_frame (RED, BLUE, i * FRAME)));
    gate_wait_for (1);
    set_file (rig, "{'version': 1, 'logit_scale': 100000, 'labels': ["
                   " {'label': 'top red', 'embedding': $0, 'region': [0, 0, 0.5, 0.5]},"
                   " {'label': 'top blue', 'embedding': $2, 'region': [0, 0, 0.5, 0.5]},"
                   " {'label': 'right red', 'embedding': $0, " RIGHT "},"
                   " {'label': 'right blue', 'embedding': $2, " RIGHT "}]}");
    wait_for_revision (rig, 2);
    gate_open ();
    for (guint i = 1; i < 4; i++) {
        g_autoptr (GstBuffer) buffer = gst_harness_pull (rig->harness);

        fail_unless_equals_int (get_revision (get_tags (buffer)), 2);
        fail_unless_equals_int (get_n_labels (get_tags (buffer)), 2);
        expect_label (buffer, "right blue", TRUE, "0.5,0,0.5,1");
    }
    for (guint i = 4; i < 6; i++) {
        g_autoptr (GstBuffer) buffer = push_and_pull (rig, new_halved_frame (RED, BLUE, i * FRAME));

        fail_unless_equals_int (get_n_labels (get_tags (buffer)), 4);
        expect_label (buffer, "top red", TRUE, "0,0,0.5,0.5");
    }
    rig_free (rig);
}
GST_END_TEST;

/* From prompts without regions to such with, and back. */
GST_START_TEST (test_label_regions_come_and_go)
{
    const char *files[] = { TWO_HALVES, HALVES, LAMP };
    const guint n_labels[] = { 4, 6, 3 };
    Rig *rig = exact_rig_new (LAMP);

    push (rig, RED, 0);
    for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
        g_autoptr (GstBuffer) buffer = NULL;

        set_file (rig, files[i]);
        wait_for_revision (rig, i + 2);
        buffer = push_and_pull (rig, new_halved_frame (RED, BLUE, (i + 1) * FRAME));
        fail_unless_equals_int (get_n_labels (get_tags (buffer)), n_labels[i]);
    }
    rig_free (rig);
}
GST_END_TEST;

/* ---- Swaps ----------------------------------------------------------------------------------- */

#define N_MANY 1000
#define SWAP_SECONDS 3

/* What may be resident after some minutes that was not after a quarter of them. */
#define SOME_MEMORY (32 * 1000 * 1000)

/* @n labels of one letter, in groups of ten; (transfer full): the path of a file of them. */
static char *
write_many (char letter, guint n)
{
    const char name[] = { letter, '.', 'j', 's', 'o', 'n', 0 };
    GString *json = g_string_new ("{\"version\": 1, \"labels\": [");
    g_autofree char *top = g_path_get_dirname (models_get_quick ());
    char *path = g_build_filename (top, name, NULL);

    if (!embeddings[RED])
        make_embeddings ();
    for (guint i = 0; i < n; i++)
        g_string_append_printf (json,
                "%s\n{\"label\": \"%c%u\", \"group\": \"%u\", \"embedding\": %s}", i > 0 ? "," : "",
                letter, i, i / 10, embeddings[i % N_COLOURS]);
    g_string_append (json, "]}");
    fail_unless (g_file_set_contents (path, json->str, -1, NULL));
    g_string_free (json, TRUE);
    return path;
}

typedef struct {
    GstElement *element;
    char *paths[2];
    gulong pause; /* between two, in µs */
    gint stop;
    guint n_swaps;
} Swapper;

static gpointer
swap (gpointer data)
{
    Swapper *swapper = data;

    while (!g_atomic_int_get (&swapper->stop)) {
        g_object_set (
                swapper->element, "prompts-file", swapper->paths[swapper->n_swaps++ % 2], NULL);
        g_usleep (swapper->pause);
    }
    return NULL;
}

/* All labels of a result are of one set, and a revision is always the same one. */
static void
check_labels (const GstStructure *tags, GHashTable *letters)
{
    gpointer revision = GUINT_TO_POINTER (get_revision (tags));
    char letter = 0;

    for (guint i = 0; i < get_n_labels (tags); i++) {
        char next = *gst_structure_get_string (get_label (tags, i), "label");

        fail_unless (letter == 0 || next == letter);
        letter = next;
    }
    fail_unless (letter != 0);
    if (!g_hash_table_contains (letters, revision))
        g_hash_table_insert (letters, revision, GINT_TO_POINTER (letter));
    fail_unless_equals_int (GPOINTER_TO_INT (g_hash_table_lookup (letters, revision)), letter);
}

/* Without a break, for as long as *stop is 0. */
typedef struct {
    GstElement *element;
    gint stop;
} Reader;

static gpointer
read_states (gpointer data)
{
    Reader *reader = data;

    while (!g_atomic_int_get (&reader->stop)) {
        GstStructure *state;

        g_object_get (reader->element, "last-state", &state, NULL);
        gst_structure_free (state);
    }
    return NULL;
}

static gboolean
has_expired (GstBus *bus)
{
    GstMessage *message;
    gboolean expired = FALSE;

    while (!expired && (message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
        const GstStructure *structure = gst_message_get_structure (message);

        expired = g_strcmp0 (gst_structure_get_string (structure, "reason"), "expired") == 0;
        gst_message_unref (message);
    }
    return expired;
}

/* Live: a frame does not wait for whoever reads the states; what cannot be ended then is later. */
GST_START_TEST (test_reading_loses_no_end)
{
    Rig *rig = rig_new (models_get_quick (), "mode", "live", "threshold", "0", "interval",
            "3600000000000", "max-age", "1000000000", NULL);
    g_autofree char *path = write_many ('a', N_MANY);
    Reader reader = { rig->element, FALSE };
    gboolean expired = FALSE;
    GThread *threads[4];
    guint at = 0;

    g_object_set (rig->element, "prompts-file", path, NULL);
    gst_buffer_unref (push_until_tagged (rig, &at));
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("states", read_states, &reader);
    for (guint i = 0; i < 10000 && !expired; i++) {
        g_usleep (1000);
        gst_buffer_unref (push_and_pull (rig, new_numbered_frame (at + 31 + i)));
        expired = has_expired (rig->bus);
    }
    g_atomic_int_set (&reader.stop, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
    fail_unless (expired);
    fail_unless_equals_uint64 (rig_get_count (rig, "waits"), 0);
    rig_free (rig);
}
GST_END_TEST;

/* Returns: how many results the bus has told of */
static guint
check_results (GstBus *bus, GHashTable *letters)
{
    GstMessage *message;
    guint n = 0;

    while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
        const GstStructure *structure = gst_message_get_structure (message);

        if (g_strcmp0 (gst_structure_get_string (structure, "event"), "result") == 0) {
            check_labels (structure, letters);
            n++;
        }
        gst_message_unref (message);
    }
    return n;
}

/* What the streaming thread spends on frames, in µs. */
typedef struct {
    guint n;
    guint n_late; /* it had the frame for longer than one lasts */
    gint64 worst;
    gint64 worst_work; /* of its own processor time */
} Pushes;

#define INTERVAL (G_USEC_PER_SEC / 25)

static gint64
get_processor_time (void)
{
    struct timespec time;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
    return (gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static void
push_timed (Rig *rig, GstBuffer *frame, Pushes *pushes)
{
    gint64 begin = g_get_monotonic_time ();
    gint64 work = get_processor_time ();
    gint64 taken;

    fail_unless_equals_int (gst_harness_push (rig->harness, frame), GST_FLOW_OK);
    work = get_processor_time () - work;
    taken = g_get_monotonic_time () - begin;
    gst_buffer_unref (gst_harness_pull (rig->harness));
    pushes->n++;
    pushes->n_late += taken > INTERVAL;
    pushes->worst = MAX (pushes->worst, taken);
    pushes->worst_work = MAX (pushes->worst_work, work);
}

/* A machine that has other things to do may be late by itself, now and then. */
static void
check_pushes (const Pushes *pushes)
{
    g_print ("%u of %u frames were late; the element had one for %.2f ms at most, and worked for "
             "%.2f ms at most\n",
            pushes->n_late, pushes->n, (double)pushes->worst / 1e3,
            (double)pushes->worst_work / 1e3);
    fail_unless (SANITIZED || pushes->worst_work < INTERVAL);
    fail_unless (SANITIZED || pushes->n_late <= 1 + pushes->n / 100);
}

/* Two sets of @n_labels take turns, and no frame of a live stream waits or is late. With each set
 * what frames are tagged with goes out of sight, so that the messages are looked at. A set that is
 * not ready when the next comes may be given up. For SWAP_SECONDS, or as long as tests/soak says.
 */
static void
check_swaps (guint n_labels, gulong pause)
{
    Rig *rig = rig_new (models_get_quick (), "mode", "live", "post-messages", "all", NULL);
    Swapper swapper = { rig->element, { write_many ('a', n_labels), write_many ('b', n_labels) },
        pause, FALSE, 0 };
    g_autoptr (GHashTable) letters = g_hash_table_new (NULL, NULL);
    guint n_frames = 25 * get_soak_seconds (SWAP_SECONDS);
    Pushes pushes = { 0, 0, 0, 0 };
    gsize memory = 0;
    GThread *thread;
    guint n_results = 0;
    guint at = 0;

    g_object_set (rig->element, "prompts-file", swapper.paths[0], NULL);
    gst_buffer_unref (push_until_tagged (rig, &at));
    thread = g_thread_new ("swaps", swap, &swapper);
    for (guint i = 0; i < n_frames || n_results < 5; i++) {
        fail_unless (i < n_frames + 3000);
        if (i == n_frames / 4)
            memory = get_resident_memory ();
        push_timed (rig, new_coloured_frame (RED, (at + i) * FRAME), &pushes);
        n_results += check_results (rig->bus, letters);
        g_usleep (INTERVAL);
    }
    g_atomic_int_set (&swapper.stop, TRUE);
    g_thread_join (thread);
    g_print ("%u swaps of %u labels, %u sets in %u results of %u frames; %.1f MB, then %.1f MB\n",
            swapper.n_swaps, n_labels, g_hash_table_size (letters), n_results, n_frames,
            (double)memory / 1e6, (double)get_resident_memory () / 1e6);
    check_pushes (&pushes);
    fail_unless (swapper.n_swaps > 3);
    fail_unless (SANITIZED || get_resident_memory () < memory + SOME_MEMORY);
    fail_unless_equals_uint64 (rig_get_count (rig, "waits"), 0);
    fail_unless (gst_bus_pop_filtered (rig->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR) == NULL);
    rig_free (rig);
    g_free (swapper.paths[0]);
    g_free (swapper.paths[1]);
}

GST_START_TEST (test_hundred_swaps_a_second)
{
    check_swaps (20, G_USEC_PER_SEC / 100);
}
GST_END_TEST;

GST_START_TEST (test_swaps_of_a_thousand_labels)
{
    check_swaps (N_MANY, G_USEC_PER_SEC / 2);
}
GST_END_TEST;

/* Faster than they can be read: most are given up, and nothing is left of them. */
GST_START_TEST (test_hundred_swaps_of_a_thousand_labels)
{
    check_swaps (N_MANY, G_USEC_PER_SEC / 100);
}
GST_END_TEST;

/* ---- At any speed ---------------------------------------------------------------------------- */

#define N_FRAMES 150
#define N_STREAMS \
    4 /* of drawn frames, each tried at several speeds; what stands still in the last */

/* A frame of a stream that is made at different speeds. */
typedef struct {
    GstClockTime pts;
    Colour left;
    Colour right;
} Drawn;

/* How fast it is made. */
typedef struct {
    guint threads;
    guint max_buffers;
    guint upstream_delay; /* microseconds at most; likewise the others */
    guint worker_delay;
    gboolean company; /* whether another stream shares the worker */
} Speed;

static const Speed SPEEDS[] = {
    { 1, 1, 0, 0, FALSE },
    { 1, 64, 0, 0, FALSE },
    { 2, 7, 0, 4000, FALSE },
    { 1, 64, 3000, 0, TRUE },
    { 2, 3, 2000, 3000, TRUE },
};

static guint worker_delay;

/* Set with the first frame: the worker may be reading it when others are made. */
static gboolean (*map_default) (GstVideoMeta *meta, guint plane, GstMapInfo *info, gpointer *data,
        gint *stride, GstMapFlags flags);

static void
take_time (guint most)
{
    if (most > 0)
        g_usleep ((gulong)g_random_int_range (0, (gint32)most));
}

static gboolean
map_slowly (GstVideoMeta *meta, guint plane, GstMapInfo *info, gpointer *data, gint *stride,
        GstMapFlags flags)
{
    take_time (worker_delay);
    return map_default (meta, plane, info, data, stride, flags);
}

static GstBuffer *
new_drawn_frame (const Drawn *drawn)
{
    GstBuffer *buffer = new_halved_frame (drawn->left, drawn->right, drawn->pts);
    GstVideoMeta *meta = gst_buffer_add_video_meta (
            buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);

    if (!map_default)
        map_default = meta->map;
    meta->map = map_slowly;
    return buffer;
}

static void
draw_frames (GRand *random, Drawn *frames)
{
    Drawn frame = { 0, RED, BLUE };

    for (guint i = 0; i < N_FRAMES; i++) {
        frames[i] = frame;
        frame.pts += (GstClockTime)(g_rand_double_range (random, 0, 2) * FRAME);
        if (g_rand_int_range (random, 0, 30) == 0)
            frame.pts += 12 * FRAME;
        if (g_rand_int_range (random, 0, 3) == 0)
            frame.left = (Colour)g_rand_int_range (random, 0, N_COLOURS);
        if (g_rand_int_range (random, 0, 5) == 0)
            frame.right = (Colour)g_rand_int_range (random, 0, N_COLOURS);
    }
}

/* Rules that are different for each stream, but not for each speed. */
static void
set_rules (Rig *rig, guint stream)
{
    g_object_set (rig->element, "smoothing", (guint64)(stream * FRAME), "min-on-time",
            (guint64)(ABS (2 - (gint)stream) * FRAME), "min-off-time", (guint64)(3 * FRAME / 2),
            "max-age", (guint64)(10 * FRAME), "interval", (guint64)(stream == 1 ? 2 * FRAME : 0),
            "motion-threshold", stream == 3 ? 0.01 : 0.0, NULL);
    gst_util_set_object_arg (G_OBJECT (rig->element), "post-messages", "all");
}

/* OpenBLAS adds up in another order where a batch is larger: the last bits of cosines differ. */
static gboolean
is_exact (Rig *rig)
{
    g_autoptr (GstStructure) stats = NULL;

    g_object_get (rig->element, "stats", &stats, NULL);
    return !g_str_equal (gst_structure_get_string (stats, "kernels"), "openblas");
}

static char *
without_cosines (const char *text)
{
    g_autoptr (GRegex) cosine = g_regex_new ("cosine[^,;]*", 0, 0, NULL);

    return g_regex_replace_literal (cosine, text, -1, 0, "", 0, NULL);
}

/* Messages as text, but for the wall time and the name of the rig's pad. */
static void
collect (Rig *rig, GPtrArray *messages)
{
    gboolean exact = is_exact (rig);
    GstMessage *message;

    while ((message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ELEMENT))) {
        GstStructure *structure = gst_message_writable_structure (message);
        g_autofree char *text = NULL;

        gst_structure_remove_fields (structure, "utc", "stream-id", NULL);
        text = gst_structure_to_string (structure);
        g_ptr_array_add (messages, exact ? g_steal_pointer (&text) : without_cosines (text));
        gst_message_unref (message);
    }
}

/* Another stream, until it is told to stop. */
static gpointer
keep_company (gpointer data)
{
    gint *stop = data;
    Rig *rig = rig_new (models_get_quick (), "prompts", "a;b", "mode", "exact", "threads", "1",
            "post-messages", "none", NULL);

    for (guint i = 0; !g_atomic_int_get (stop); i++)
        gst_buffer_unref (push_and_pull (rig, new_numbered_frame (i)));
    rig_free (rig);
    return NULL;
}

static Rig *
timed_rig_new (const Speed *speed, guint stream)
{
    g_autofree char *threads = g_strdup_printf ("%u", speed->threads);
    g_autofree char *max_buffers = g_strdup_printf ("%u", speed->max_buffers);
    Rig *rig = rig_new (models_get_quick (), "mode", "exact", "threads", threads, "max-buffers",
            max_buffers, NULL);

    set_rules (rig, stream);
    set_file (rig, HALVES);
    return rig;
}

/* Returns: (transfer full) (element-type utf8): all that the stream has to tell */
static GPtrArray *
run_at (const Speed *speed, const Drawn *frames, guint stream)
{
    GPtrArray *messages = g_ptr_array_new_with_free_func (g_free);
    Rig *rig = timed_rig_new (speed, stream);
    gint stop = FALSE;
    GThread *company = speed->company ? g_thread_new ("company", keep_company, &stop) : NULL;

    worker_delay = speed->worker_delay;
    for (guint i = 0; i < N_FRAMES; i++) {
        take_time (speed->upstream_delay);
        fail_unless_equals_int (
                gst_harness_push (rig->harness, new_drawn_frame (&frames[i])), GST_FLOW_OK);
    }
    push_eos (rig);
    for (guint i = 0; i < N_FRAMES; i++)
        gst_buffer_unref (gst_harness_pull (rig->harness));
    wait_for_eos (rig);
    collect (rig, messages);
    g_atomic_int_set (&stop, TRUE);
    g_clear_pointer (&company, g_thread_join);
    rig_free (rig);
    return messages;
}

/* The same stream has the same to tell, to the last bit, however fast it is made. */
GST_START_TEST (test_any_speed)
{
    guint32 seed = g_random_int ();
    g_autoptr (GRand) random = g_rand_new_with_seed (seed);
    Drawn frames[N_FRAMES];

    GST_INFO ("seed %u", seed);
    for (guint stream = 0; stream < N_STREAMS; stream++) {
        g_autoptr (GPtrArray) expected = NULL;

        draw_frames (random, frames);
        expected = run_at (&SPEEDS[0], frames, stream);
        fail_unless (expected->len > N_FRAMES / 3);
        for (guint i = 1; i < G_N_ELEMENTS (SPEEDS); i++) {
            g_autoptr (GPtrArray) got = run_at (&SPEEDS[i], frames, stream);

            expect_same (got, expected);
        }
    }
}
GST_END_TEST;

/* ---- All of them ----------------------------------------------------------------------------- */

static void
add_group_tests (Suite *suite)
{
    TCase *tests = tcase_create ("groups");

    tcase_add_test (tests, test_group_events);
    tcase_add_test (tests, test_group_fields);
    tcase_add_test (tests, test_group_ends);
    tcase_add_test (tests, test_group_quiet);
    tcase_add_test (tests, test_last_state_unknown);
    tcase_add_test (tests, test_last_state);
    tcase_add_test (tests, test_last_state_before_frames);
    tcase_add_test (tests, test_last_state_of_objects);
    suite_add_tcase (suite, tests);
}

static void
add_time_tests (Suite *suite)
{
    TCase *tests = tcase_create ("time");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_smoothing);
    tcase_add_test (tests, test_smoothing_of_file);
    tcase_add_test (tests, test_smoothing_without_times);
    tcase_add_test (tests, test_flush_begins_anew);
    tcase_add_test (tests, test_gap);
    tcase_add_test (tests, test_gap_of_analysis);
    tcase_add_test (tests, test_gap_and_interval);
    tcase_add_test (tests, test_slow_stream_has_no_gaps);
    tcase_add_test (tests, test_interval_has_no_gaps);
    tcase_add_test (tests, test_reconnection);
    tcase_add_test (tests, test_live_reconnection);
    tcase_add_test (tests, test_discont_is_no_gap);
    tcase_add_test (tests, test_hundred_swaps_a_second);
    tcase_add_test (tests, test_swaps_of_a_thousand_labels);
    tcase_add_test (tests, test_hundred_swaps_of_a_thousand_labels);
    tcase_add_test (tests, test_reading_loses_no_end);
    tcase_add_test (tests, test_any_speed);
    suite_add_tcase (suite, tests);
}

static void
add_still_tests (Suite *suite)
{
    TCase *tests = tcase_create ("still");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_still_times);
    tcase_add_test (tests, test_still_smoothing);
    tcase_add_test (tests, test_still_same_events);
    tcase_add_test (tests, test_still_interval);
    tcase_add_test (tests, test_still_interval_and_smoothing);
    tcase_add_test (tests, test_still_before_a_failure);
    tcase_add_test (tests, test_still_before_a_pause);
    tcase_add_test (tests, test_still_without_times);
    tcase_add_test (tests, test_still_objects);
    tcase_add_test (tests, test_still_live);
    suite_add_tcase (suite, tests);
}

static void
add_region_tests (Suite *suite)
{
    TCase *tests = tcase_create ("regions");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_label_regions);
    tcase_add_test (tests, test_label_regions_in_region);
    tcase_add_test (tests, test_label_regions_in_messages);
    tcase_add_test (tests, test_label_regions_embedding);
    tcase_add_test (tests, test_label_regions_live);
    tcase_add_test (tests, test_label_regions_and_motion);
    tcase_add_test (tests, test_label_regions_change);
    tcase_add_test (tests, test_label_regions_come_and_go);
    suite_add_tcase (suite, tests);
}

static Suite *
states_suite (void)
{
    Suite *suite = suite_create ("states");

    add_group_tests (suite);
    add_time_tests (suite);
    add_still_tests (suite);
    add_region_tests (suite);
    return suite;
}

GST_CHECK_MAIN (states);
