/* altclip: events of a film, as they were and as they were told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "event.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_IN_COMMON 0.5

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
add_scene (GArray *events, const json_t *scene)
{
    Event event = { kind_from_name (json_string_value (json_object_get (scene, "kind"))),
        json_number_value (json_object_get (scene, "begin")),
        json_number_value (json_object_get (scene, "end")) };
    Event *last = events->len ? &g_array_index (events, Event, events->len - 1) : NULL;

    if (event.kind >= N_WATCHED)
        return;
    if (last && last->kind == event.kind && last->end == event.begin)
        last->end = event.end;
    else
        g_array_append_val (events, event);
}

GArray *
events_load_truth (const char *path, double *duration, GError **error)
{
    json_error_t json_error;
    json_t *truth = json_load_file (path, 0, &json_error);
    GArray *events = g_array_new (FALSE, FALSE, sizeof (Event));
    json_t *scene;
    gsize i;

    if (!truth) {
        g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", path, json_error.text);
        g_array_unref (events);
        return NULL;
    }
    *duration = json_number_value (json_object_get (truth, "duration"));
    json_array_foreach (json_object_get (truth, "scenes"), i, scene) add_scene (events, scene);
    json_decref (truth);
    return events;
}

json_t *
events_to_json (const GArray *events)
{
    json_t *array = json_array ();

    for (guint i = 0; i < events->len; i++) {
        const Event *event = &g_array_index (events, Event, i);

        json_array_append_new (
                array, json_pack ("{s:s, s:f, s:f}", "kind", kind_get_name (event->kind), "begin",
                               event->begin, "end", event->end));
    }
    return array;
}

GArray *
events_from_json (const json_t *array)
{
    GArray *events = g_array_new (FALSE, FALSE, sizeof (Event));
    json_t *value;
    gsize i;

    json_array_foreach (array, i, value)
    {
        Event event = { kind_from_name (json_string_value (json_object_get (value, "kind"))),
            json_number_value (json_object_get (value, "begin")),
            json_number_value (json_object_get (value, "end")) };
        g_array_append_val (events, event);
    }
    return events;
}

/* ---- Agreement ------------------------------------------------------------------------------- */

void
agreement_init (Agreement *agreement)
{
    *agreement = (Agreement){ .latencies = g_array_new (FALSE, FALSE, sizeof (double)) };
}

void
agreement_clear (Agreement *agreement)
{
    g_clear_pointer (&agreement->latencies, g_array_unref);
}

double
agreement_get_precision (const Agreement *agreement)
{
    return agreement->n_told ? (double)agreement->n_right / agreement->n_told : 1.0;
}

double
agreement_get_recall (const Agreement *agreement)
{
    return agreement->n_true ? (double)agreement->n_right / agreement->n_true : 1.0;
}

double
agreement_get_f1 (const Agreement *agreement)
{
    return 2.0 * agreement->n_right / MAX (agreement->n_true + agreement->n_told, 1);
}

double
agreement_get_time_f1 (const Agreement *agreement)
{
    return 2.0 * agreement->right_time / MAX (agreement->true_time + agreement->told_time, 1e-9);
}

static int
compare_doubles (const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return first < second ? -1 : first > second;
}

double
agreement_get_latency (const Agreement *agreement, double share)
{
    g_autoptr (GArray) sorted = g_array_copy (agreement->latencies);

    if (sorted->len == 0)
        return NAN;
    g_array_sort (sorted, compare_doubles);
    return g_array_index (sorted, double, (guint)MAX (ceil (share * sorted->len), 1.0) - 1);
}

/* Returns: the time that two events of one kind have in common */
static double
get_common_time (const Event *a, const Event *b)
{
    return a->kind == b->kind ? MAX (MIN (a->end, b->end) - MAX (a->begin, b->begin), 0.0) : 0.0;
}

static double
get_overlap (const Event *a, const Event *b)
{
    double both = get_common_time (a, b);

    return both > 0.0 ? both / (MAX (a->end, b->end) - MIN (a->begin, b->begin)) : 0.0;
}

/* Returns: (nullable): the event of @events that is the same as @event */
static const Event *
find_same (const GArray *events, const Event *event)
{
    for (guint i = 0; i < events->len; i++) {
        const Event *other = &g_array_index (events, Event, i);
        if (get_overlap (event, other) >= LEAST_IN_COMMON)
            return other;
    }
    return NULL;
}

static void
print (const char *about, const char *what, const Event *event)
{
    if (about)
        g_printerr ("%s: %s %s %.2f to %.2f\n", about, what, kind_get_name (event->kind),
                event->begin, event->end);
}

static void
add_times (Agreement *agreement, const GArray *truth, const GArray *told)
{
    for (guint i = 0; i < truth->len; i++) {
        const Event *event = &g_array_index (truth, Event, i);

        agreement->true_time += event->end - event->begin;
        for (guint j = 0; j < told->len; j++)
            agreement->right_time += get_common_time (event, &g_array_index (told, Event, j));
    }
    for (guint j = 0; j < told->len; j++)
        agreement->told_time +=
                g_array_index (told, Event, j).end - g_array_index (told, Event, j).begin;
}

void
agreement_add (Agreement *agreement, const GArray *truth, const GArray *told, const char *about)
{
    agreement->n_true += truth->len;
    agreement->n_told += told->len;
    agreement->n_flips += 2 * told->len;
    add_times (agreement, truth, told);
    for (guint i = 0; i < told->len; i++) {
        const Event *event = &g_array_index (told, Event, i);
        const Event *same = find_same (truth, event);
        double latency = same ? event->begin - same->begin : 0.0;

        if (!same) {
            print (about, "not so:", event);
            continue;
        }
        agreement->n_right++;
        g_array_append_val (agreement->latencies, latency);
        if (latency > 1.0)
            print (about, "late:", event);
    }
    for (guint i = 0; i < truth->len; i++)
        if (!find_same (told, &g_array_index (truth, Event, i)))
            print (about, "missed:", &g_array_index (truth, Event, i));
}
