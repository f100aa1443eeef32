/* altclip: that the evaluation counts right
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "event.h"

#include <math.h>

static GArray *
make_events (const Event *events, guint n)
{
    GArray *array = g_array_new (FALSE, FALSE, sizeof (Event));

    g_array_append_vals (array, events, n);
    return array;
}

/* @truth, @told: (transfer full) */
static Agreement
compare (GArray *truth, GArray *told)
{
    Agreement agreement;

    agreement_init (&agreement);
    agreement_add (&agreement, truth, told, NULL);
    g_array_unref (truth);
    g_array_unref (told);
    return agreement;
}

#define EVENTS(events) make_events (events, G_N_ELEMENTS (events))

/* One is late but right, one is of another kind, one too short, one never was. */
static void
test_agreement (void)
{
    const Event truth[] = { { KIND_BARS, 10, 20 }, { KIND_NOISE, 30, 40 }, { KIND_DARK, 50, 60 } };
    const Event told[] = { { KIND_BARS, 10.5, 21 }, { KIND_BLACK, 30, 40 }, { KIND_DARK, 56, 60 },
        { KIND_BARS, 70, 71 } };
    Agreement agreement = compare (EVENTS (truth), EVENTS (told));

    g_assert_cmpuint (agreement.n_right, ==, 1);
    g_assert_cmpuint (agreement.n_flips, ==, 8);
    g_assert_cmpfloat_with_epsilon (agreement_get_precision (&agreement), 0.25, 1e-12);
    g_assert_cmpfloat_with_epsilon (agreement_get_recall (&agreement), 1.0 / 3, 1e-12);
    g_assert_cmpfloat_with_epsilon (agreement_get_f1 (&agreement), 2.0 / 7, 1e-12);
    g_assert_cmpfloat_with_epsilon (agreement_get_latency (&agreement, 1.0), 0.5, 1e-12);
    /* 9.5 s and 4 s of 30 s, and of 10.5 s, 10 s, 4 s and 1 s */
    g_assert_cmpfloat_with_epsilon (
            agreement_get_time_f1 (&agreement), 2 * 13.5 / (30 + 25.5), 1e-12);
    agreement_clear (&agreement);
}

/* Of an event that was told in two parts one at most is right. */
static void
test_parts (void)
{
    const Event truth[] = { { KIND_BLUE, 0, 10 } };
    const Event halves[] = { { KIND_BLUE, 0, 4.9 }, { KIND_BLUE, 5, 9.9 } };
    const Event parts[] = { { KIND_BLUE, 0, 7 }, { KIND_BLUE, 8, 10 } };
    Agreement agreement = compare (EVENTS (truth), EVENTS (halves));

    g_assert_cmpuint (agreement.n_right, ==, 0);
    agreement_clear (&agreement);
    agreement = compare (EVENTS (truth), EVENTS (parts));
    g_assert_cmpuint (agreement.n_right, ==, 1);
    g_assert_cmpuint (agreement.n_told, ==, 2);
    agreement_clear (&agreement);
}

static void
test_latencies (void)
{
    Agreement agreement;

    agreement_init (&agreement);
    g_assert_true (isnan (agreement_get_latency (&agreement, 0.5)));
    for (guint i = 20; i > 0; i--) {
        double latency = i;
        g_array_append_val (agreement.latencies, latency);
    }
    g_assert_cmpfloat (agreement_get_latency (&agreement, 0.5), ==, 10.0);
    g_assert_cmpfloat (agreement_get_latency (&agreement, 0.95), ==, 19.0);
    g_assert_cmpfloat (agreement_get_latency (&agreement, 1.0), ==, 20.0);
    agreement_clear (&agreement);
}

/* A script is the same every time; its scenes follow one another, and what is watched for lasts. */
static void
test_script (void)
{
    g_autoptr (Script) script = script_new (7, 300);
    g_autoptr (Script) again = script_new (7, 300);
    g_autoptr (Script) dark = script_new_of_kind (7, 60, KIND_DARK);
    double end = 0;

    g_assert_cmpuint (script->scenes->len, ==, again->scenes->len);
    for (guint i = 0; i < script->scenes->len; i++) {
        const Scene *scene = &g_array_index (script->scenes, Scene, i);
        const Scene *same = &g_array_index (again->scenes, Scene, i);

        g_assert_true (scene->kind == same->kind && scene->seed == same->seed);
        g_assert_cmpfloat (scene->begin, ==, end);
        g_assert_true (scene->kind >= N_WATCHED || scene->end - scene->begin >= 4.0);
        end = scene->end;
    }
    g_assert_cmpfloat (end, ==, 300);
    for (guint i = 0; i < dark->scenes->len; i++)
        g_assert_true (g_array_index (dark->scenes, Scene, i).kind == KIND_DARK);
}

/* At a scene's begin half of it is there. */
static void
test_transition (void)
{
    g_autoptr (Script) script = script_new (7, 300);

    for (guint i = 1; i < script->scenes->len; i++) {
        const Scene *scene = &g_array_index (script->scenes, Scene, i);
        Moment moment = script_look (script, scene->begin);

        if (scene->fade == 0.0) {
            g_assert_true (moment.first == scene);
        } else {
            g_assert_true (moment.first == scene - 1 && moment.second == scene);
            g_assert_cmpfloat_with_epsilon (moment.mix, 0.5, 1e-9);
        }
    }
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/evaluation/agreement", test_agreement);
    g_test_add_func ("/evaluation/parts", test_parts);
    g_test_add_func ("/evaluation/latencies", test_latencies);
    g_test_add_func ("/evaluation/script", test_script);
    g_test_add_func ("/evaluation/transition", test_transition);
    return g_test_run ();
}
