/* altclip: what happens in a film of the evaluation, and when
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "script.h"

#include <jansson.h>

/* In seconds. */
#define SHORTEST_EVENT 4.0
#define LONGEST_EVENT 12.0
#define SHORTEST_PAUSE 3.0
#define LONGEST_PAUSE 10.0
#define SHORTEST_GLITCH (1.0 / 15)
#define LONGEST_GLITCH (3.0 / 15)
#define SHORTEST_WITHOUT_GLITCH 1.0
#define LONGEST_WITHOUT_GLITCH 15.0

static const char *const NAMES[N_KINDS] = {
    [KIND_BARS] = "bars",
    [KIND_NOISE] = "noise",
    [KIND_BLACK] = "black",
    [KIND_BLUE] = "blue",
    [KIND_CHECKERBOARD] = "checkerboard",
    [KIND_OVEREXPOSED] = "overexposed",
    [KIND_DARK] = "dark",
    [KIND_BLURRED] = "blurred",
    [KIND_RED_CIRCLE] = "red-circle",
    [KIND_BLUE_STAR] = "blue-star",
    [KIND_YELLOW_CROSS] = "yellow-cross",
    [KIND_GREEN_RING] = "green-ring",
    [KIND_CLEAR] = "clear",
    [KIND_GREEN] = "green",
    [KIND_GRADIENT] = "gradient",
    [KIND_CIRCLES] = "circles",
    [KIND_BALL] = "ball",
    [KIND_OTHER_SHAPE] = "other-shape",
};

static const char *const LABELS[][N_WATCHED] = {
    {
            [KIND_BARS] = "colour bars",
            [KIND_NOISE] = "static noise",
            [KIND_BLACK] = "a black screen",
            [KIND_BLUE] = "a blue screen",
            [KIND_CHECKERBOARD] = "a checkerboard",
            [KIND_OVEREXPOSED] = "an overexposed picture",
            [KIND_DARK] = "a dark picture",
            [KIND_BLURRED] = "a blurred picture",
            [KIND_RED_CIRCLE] = "a red circle",
            [KIND_BLUE_STAR] = "a blue star",
            [KIND_YELLOW_CROSS] = "a yellow cross",
            [KIND_GREEN_RING] = "a green ring",
    },
    {
            [KIND_BARS] = "彩条",
            [KIND_NOISE] = "雪花噪点",
            [KIND_BLACK] = "黑屏",
            [KIND_BLUE] = "蓝色屏幕",
            [KIND_CHECKERBOARD] = "棋盘格",
            [KIND_OVEREXPOSED] = "曝光过度的画面",
            [KIND_DARK] = "昏暗的画面",
            [KIND_BLURRED] = "模糊的画面",
            [KIND_RED_CIRCLE] = "红色圆形",
            [KIND_BLUE_STAR] = "蓝色星形",
            [KIND_YELLOW_CROSS] = "黄色十字",
            [KIND_GREEN_RING] = "绿色圆环",
    },
};

const char *
kind_get_name (Kind kind)
{
    return NAMES[kind];
}

Kind
kind_from_name (const char *name)
{
    Kind kind = 0;

    while (kind < N_KINDS && !g_str_equal (NAMES[kind], name))
        kind++;
    return kind;
}

Kind
kind_from_label (const char *label)
{
    for (guint language = 0; language < G_N_ELEMENTS (LABELS); language++)
        for (Kind kind = 0; kind < N_WATCHED; kind++)
            if (g_str_equal (LABELS[language][kind], label))
                return kind;
    return N_KINDS;
}

gboolean
kind_is_fault (Kind kind)
{
    return kind == KIND_OVEREXPOSED || kind == KIND_DARK || kind == KIND_BLURRED;
}

gboolean
kind_is_lit (Kind kind)
{
    Pair pair;

    return kind_is_fault (kind) || kind_get_pair (kind, &pair) || kind == KIND_CLEAR ||
           kind == KIND_OTHER_SHAPE;
}

gboolean
kind_get_pair (Kind kind, Pair *pair)
{
    static const Pair pairs[] = { { 0, 0 }, { 5, 3 }, { 2, 4 }, { 3, 5 } };

    if (kind < KIND_RED_CIRCLE || kind > KIND_GREEN_RING)
        return FALSE;
    *pair = pairs[kind - KIND_RED_CIRCLE];
    return TRUE;
}

/* ---- Scenes ---------------------------------------------------------------------------------- */

static guint32
draw_seed (Chance *chance)
{
    return (guint32)chance_uniform (chance, 0, 1 << 24);
}

/* Half of all transitions are cuts. */
static double
draw_fade (Chance *chance)
{
    static const double fades[] = { 0.0, 0.0, 0.0, 0.4, 0.7, 1.0 };

    return fades[chance_below (chance, G_N_ELEMENTS (fades))];
}

static Kind
draw_pause (Chance *chance)
{
    static const Kind others[] = { KIND_GREEN, KIND_GRADIENT, KIND_CIRCLES, KIND_BALL,
        KIND_OTHER_SHAPE, KIND_OTHER_SHAPE, KIND_OTHER_SHAPE, KIND_OTHER_SHAPE };

    if (chance_uniform (chance, 0, 1) < 0.65)
        return KIND_CLEAR;
    return others[chance_below (chance, G_N_ELEMENTS (others))];
}

/* Appends a scene, which goes on until @end. */
static void
add_scene (Script *script, Chance *chance, Kind kind, guint32 seed, double end)
{
    const Scene *last = script->scenes->len
                                ? &g_array_index (script->scenes, Scene, script->scenes->len - 1)
                                : NULL;
    Scene scene = { .kind = kind, .seed = seed, .begin = last ? last->end : 0.0, .end = end };

    if (last)
        scene.fade = draw_fade (chance);
    if (kind_is_lit (kind) && chance_below (chance, 3) == 0) {
        scene.flicker = chance_uniform (chance, 0.05, 0.15);
        scene.rate = chance_uniform (chance, 1, 6);
    }
    g_array_append_val (script->scenes, scene);
}

static double
get_end (const Script *script)
{
    if (script->scenes->len == 0)
        return 0.0;
    return g_array_index (script->scenes, Scene, script->scenes->len - 1).end;
}

/* Each kind once, in an order of its own. */
static void
shuffle (Chance *chance, Kind *kinds, guint n)
{
    for (guint i = n - 1; i > 0; i--) {
        guint j = chance_below (chance, i + 1);
        Kind kind = kinds[i];

        kinds[i] = kinds[j];
        kinds[j] = kind;
    }
}

/* A pause, which is left out now and then, and then the event. A fault spoils the clear scene
 * before it, and leaves it as it was. */
static void
add_event (Script *script, Chance *chance, Kind kind)
{
    guint32 seed = draw_seed (chance);
    gboolean is_fault = kind_is_fault (kind);
    double end = get_end (script);

    if (is_fault || script->scenes->len == 0 || chance_uniform (chance, 0, 1) < 0.85) {
        end += chance_uniform (chance, SHORTEST_PAUSE, LONGEST_PAUSE);
        add_scene (script, chance, is_fault ? KIND_CLEAR : draw_pause (chance), seed, end);
    }
    end += chance_uniform (chance, SHORTEST_EVENT, LONGEST_EVENT);
    add_scene (script, chance, kind, is_fault ? seed : draw_seed (chance), end);
    if (is_fault) {
        end += chance_uniform (chance, SHORTEST_PAUSE, LONGEST_PAUSE);
        add_scene (script, chance, KIND_CLEAR, seed, end);
    }
}

/* The last scene ends with the film, and no event is cut short by that. */
static void
finish_scenes (Script *script)
{
    GArray *scenes = script->scenes;
    Scene *last;

    while (scenes->len > 1 && g_array_index (scenes, Scene, scenes->len - 1).begin >
                                      script->duration - SHORTEST_EVENT)
        g_array_set_size (scenes, scenes->len - 1);
    last = &g_array_index (scenes, Scene, scenes->len - 1);
    last->end = script->duration;
}

static void
add_glitches (Script *script, Chance *chance)
{
    double time = 0.0;

    for (;;) {
        Glitch glitch;

        time += chance_uniform (chance, SHORTEST_WITHOUT_GLITCH, LONGEST_WITHOUT_GLITCH);
        if (time >= script->duration)
            return;
        glitch = (Glitch){ time, time + chance_uniform (chance, SHORTEST_GLITCH, LONGEST_GLITCH),
            chance_below (chance, N_GLITCHES) };
        g_array_append_val (script->glitches, glitch);
        time = glitch.end;
    }
}

static Script *
make_script (double duration)
{
    Script *script = g_new0 (Script, 1);

    script->duration = duration;
    script->scenes = g_array_new (FALSE, FALSE, sizeof (Scene));
    script->glitches = g_array_new (FALSE, FALSE, sizeof (Glitch));
    return script;
}

Script *
script_new (guint32 seed, double duration)
{
    Script *script = make_script (duration);
    Chance chance = chance_from_seed (seed);

    while (get_end (script) < duration) {
        Kind kinds[N_WATCHED];

        for (guint i = 0; i < N_WATCHED; i++)
            kinds[i] = (Kind)i;
        shuffle (&chance, kinds, N_WATCHED);
        for (guint i = 0; i < N_WATCHED && get_end (script) < duration; i++)
            add_event (script, &chance, kinds[i]);
    }
    finish_scenes (script);
    add_glitches (script, &chance);
    return script;
}

Script *
script_new_of_kind (guint32 seed, double duration, Kind kind)
{
    Script *script = make_script (duration);
    Chance chance = chance_from_seed (seed);

    while (get_end (script) < duration) {
        double end = get_end (script) + chance_uniform (&chance, SHORTEST_EVENT, LONGEST_EVENT);
        Kind shown = kind < N_KINDS ? kind : draw_pause (&chance);

        add_scene (script, &chance, shown, draw_seed (&chance), end);
    }
    finish_scenes (script);
    return script;
}

void
script_free (Script *script)
{
    g_array_unref (script->scenes);
    g_array_unref (script->glitches);
    g_free (script);
}

/* ---- Looking --------------------------------------------------------------------------------- */

static guint
find_scene (const Script *script, double time)
{
    guint i = 0;

    while (i + 1 < script->scenes->len && g_array_index (script->scenes, Scene, i).end <= time)
        i++;
    return i;
}

static const Glitch *
find_glitch (const Script *script, double time)
{
    for (guint i = 0; i < script->glitches->len; i++) {
        const Glitch *glitch = &g_array_index (script->glitches, Glitch, i);

        if (time >= glitch->begin && time < glitch->end)
            return glitch;
    }
    return NULL;
}

/* How far the transition to @scene has come. */
static double
get_progress (const Scene *scene, double time)
{
    if (scene->fade == 0.0)
        return time >= scene->begin ? 1.0 : 0.0;
    return CLAMP ((time - scene->begin) / scene->fade + 0.5, 0.0, 1.0);
}

Moment
script_look (const Script *script, double time)
{
    guint i = find_scene (script, time);
    const Scene *scene = &g_array_index (script->scenes, Scene, i);
    const Scene *next = i + 1 < script->scenes->len ? scene + 1 : NULL;
    Moment moment = { .first = scene, .glitch = find_glitch (script, time) };

    if (i > 0 && get_progress (scene, time) < 1.0)
        moment = (Moment){ scene - 1, scene, get_progress (scene, time), moment.glitch };
    else if (next && get_progress (next, time) > 0.0)
        moment = (Moment){ scene, next, get_progress (next, time), moment.glitch };
    return moment;
}

/* ---- The truth ------------------------------------------------------------------------------- */

gboolean
script_save_truth (const Script *script, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    json_t *scenes = json_array ();
    json_t *truth = json_pack ("{s:f, s:o}", "duration", script->duration, "scenes", scenes);
    char *dump;

    for (guint i = 0; i < script->scenes->len; i++) {
        const Scene *scene = &g_array_index (script->scenes, Scene, i);

        json_array_append_new (
                scenes, json_pack ("{s:s, s:f, s:f, s:f}", "kind", kind_get_name (scene->kind),
                                "begin", scene->begin, "end", scene->end, "fade", scene->fade));
    }
    dump = json_dumps (truth, JSON_INDENT (1) | JSON_REAL_PRECISION (6));
    json_decref (truth);
    text = g_strconcat (dump, "\n", NULL);
    free (dump);
    return g_file_set_contents (path, text, -1, error);
}
