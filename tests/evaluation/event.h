/* altclip: events of a film, as they were and as they were told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef EVENT_H
#define EVENT_H

#include "script.h"

#include <jansson.h>

G_BEGIN_DECLS

/* Times are in seconds from the film's begin. */
typedef struct {
    Kind kind; /* of those that are watched for */
    double begin;
    double end;
} Event;

/* Of a film's truth as script_save_truth() writes it. Scenes of a kind that follow one another are
 * one event. Returns: (transfer full) (element-type Event) (nullable) */
GArray *events_load_truth (const char *path, double *duration, GError **error);

/* Returns: (transfer full): an array */
json_t *events_to_json (const GArray *events);

/* Returns: (transfer full) (element-type Event) */
GArray *events_from_json (const json_t *array);

/* How events that were told agree with those that were. */
typedef struct {
    guint n_true;
    guint n_told;
    guint n_right;     /* pairs of the two */
    guint n_flips;     /* begins and ends that were told */
    GArray *latencies; /* double: how long after a right event's begin it was told, in seconds */
    double true_time;  /* seconds of all events that were, */
    double told_time;  /* of all that were told, */
    double right_time; /* and of what both have in common */
} Agreement;

void agreement_init (Agreement *agreement);
void agreement_clear (Agreement *agreement);

double agreement_get_precision (const Agreement *agreement);
double agreement_get_recall (const Agreement *agreement);
double agreement_get_f1 (const Agreement *agreement);

/* F1 of seconds in place of events. */
double agreement_get_time_f1 (const Agreement *agreement);

/* Returns: the smallest latency that a share of them do not exceed; NAN: there are none */
double agreement_get_latency (const Agreement *agreement, double share);

/* A told event is right when the time that it has in common with a true one of its kind is at least
 * half of the time that either takes (a temporal intersection over union of 0.5), which is so for
 * one at most. @about: (nullable): to print what is wrong, and of which film */
void agreement_add (
        Agreement *agreement, const GArray *truth, const GArray *told, const char *about);

G_END_DECLS

#endif /* EVENT_H */
