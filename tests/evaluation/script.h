/* altclip: what happens in a film of the evaluation, and when
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A film is a row of scenes, one after the other. Some show what is watched for, the others do not.
 */

#ifndef SCRIPT_H
#define SCRIPT_H

#include "../drawing.h"

G_BEGIN_DECLS

/* What a scene shows. The first N_WATCHED are what is watched for. */
typedef enum {
    KIND_BARS,
    KIND_NOISE,
    KIND_BLACK,
    KIND_BLUE,
    KIND_CHECKERBOARD,
    KIND_OVEREXPOSED,
    KIND_DARK,
    KIND_BLURRED,
    KIND_RED_CIRCLE,
    KIND_BLUE_STAR,
    KIND_YELLOW_CROSS,
    KIND_GREEN_RING, /* a pair that the model's training never showed */
    N_WATCHED,
    KIND_CLEAR = N_WATCHED, /* a street or a shop, as it should be */
    KIND_GREEN,
    KIND_GRADIENT,
    KIND_CIRCLES,
    KIND_BALL,
    KIND_OTHER_SHAPE,
    N_KINDS
} Kind;

/* Returns: the kind's name in scripts, such as "red-circle" */
const char *kind_get_name (Kind kind);

/* Returns: N_KINDS: there is none of that name */
Kind kind_from_name (const char *name);

/* @label: as pipelines/examples/watch.json or watch.zh.json names it. Returns: N_KINDS: it does not
 */
Kind kind_from_label (const char *label);

/* Whether it is a fault of the camera that looks at a clear scene, and may come by degrees. */
gboolean kind_is_fault (Kind kind);

/* Whether it is what a camera sees, which light falls on, and not a signal. */
gboolean kind_is_lit (Kind kind);

/* Colour and shape in the order of drawing.h. */
typedef struct {
    guint colour;
    guint shape;
} Pair;

/* Returns: FALSE: not a shape that is watched for */
gboolean kind_get_pair (Kind kind, Pair *pair);

/* Times are in seconds from the film's begin. */
typedef struct {
    Kind kind;
    guint32 seed;   /* of what it looks like; a fault has that of the clear scene that it spoils */
    double begin;   /* the middle of the transition from the scene before */
    double end;     /* likewise, to the next */
    double fade;    /* how long the transition at its begin takes; 0: a cut */
    double flicker; /* share of the brightness that comes and goes, */
    double rate;    /* so often a second */
} Scene;

/* Single frames that are lost, too short to be an event. */
typedef struct {
    double begin;
    double end;
    guint kind; /* what comes in their place: below N_GLITCHES */
} Glitch;

#define N_GLITCHES 4

typedef struct {
    double duration;
    GArray *scenes;   /* Scene */
    GArray *glitches; /* Glitch */
} Script;

/* All kinds of scenes. Returns: (transfer full) */
Script *script_new (guint32 seed, double duration);

/* Scenes of one kind alone, for a calibration; with N_KINDS, of those that are not watched for.
 * Returns: (transfer full) */
Script *script_new_of_kind (guint32 seed, double duration, Kind kind);

void script_free (Script *script);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Script, script_free)

/* What is to be seen at a time: @second instead of @first by a share of @mix. */
typedef struct {
    const Scene *first;
    const Scene *second; /* (nullable) */
    double mix;
    const Glitch *glitch; /* (nullable): instead of both */
} Moment;

Moment script_look (const Script *script, double time);

/* Returns: FALSE: the file cannot be written */
gboolean script_save_truth (const Script *script, const char *path, GError **error);

G_END_DECLS

#endif /* SCRIPT_H */
