/* altclip: how good the events of the evaluation's films are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     judge --prompts English=watch.json --prompts Chinese=watch.zh.json MODEL film-1 film-2 …
 *
 * reads each film's truth (film-1.json), the events that altclipfilter told of it
 * (film-1.events.json) and its embeddings (film-1.sights), and prints tables: of the element's own
 * events, and of those that other settings would have made of the same frames.
 */

#include "replay.h"
#include "variant.h"

#include <math.h>
#include <string.h>

/* What the recommended settings are to keep. */
#define LEAST_PRECISION 0.95
#define LEAST_RECALL 0.95
#define LONGEST_LATENCY 1.0 /* and min_on, in seconds */
#define MOST_FLIPS 0.2      /* of those of a plain argmax */

/* What a calibration is to keep, in F1: from where on there is something to gain, and what chance
 * may take. */
#define LEAST_TO_GAIN 0.95
#define MOST_TO_LOSE 0.01

/* Where the element draws them when nothing is said. */
#define DEFAULT_LINES (VARIANT_DEFAULT_THRESHOLD | VARIANT_DEFAULT_HYSTERESIS)

/* Of an element's event and of its replay. */
#define SAME_TIME 1e-3

typedef struct {
    char *name;
    double duration;
    GArray *truth;
    json_t *told; /* by title of prompts */
    Sights sights;
} Film;

typedef struct {
    GPtrArray *films;
    AltclipSession *session;
    gboolean list;
    gboolean failed;
    guint n_checks;
} Judge;

/* ---- Films ----------------------------------------------------------------------------------- */

static void
film_free (gpointer data)
{
    Film *film = data;

    g_free (film->name);
    g_array_unref (film->truth);
    json_decref (film->told);
    sights_clear (&film->sights);
    g_free (film);
}

static Film *
load_film (const char *name, guint dimensions)
{
    Film *film = g_new0 (Film, 1);
    g_autofree char *truth = g_strconcat (name, ".json", NULL);
    g_autofree char *told = g_strconcat (name, ".events.json", NULL);
    g_autofree char *sights = g_strconcat (name, ".sights", NULL);
    g_autoptr (GError) error = NULL;

    film->name = g_path_get_basename (name);
    film->truth = events_load_truth (truth, &film->duration, &error);
    if (!film->truth || !sights_load (&film->sights, dimensions, sights, &error))
        g_error ("%s", error->message);
    film->told = json_load_file (told, 0, NULL);
    if (!film->told)
        g_error ("%s cannot be read", told);
    return film;
}

static json_t *
load_json (const char *path)
{
    json_error_t error;
    json_t *file = json_load_file (path, 0, &error);

    if (!file)
        g_error ("%s: %s", path, error.text);
    return file;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void
print_head (const char *title)
{
    g_print ("\n**%s**\n\n"
             "| settings | precision | recall | F1 | events | flips | begin late, median | 95 %% | "
             "worst |\n"
             "|---|---|---|---|---|---|---|---|---|\n",
            title);
}

/* @plain: flips of the plain argmax; 0: not known */
static void
print_row (const char *name, const Agreement *agreement, guint plain)
{
    g_autofree char *share =
            plain ? g_strdup_printf (" (%.0f %%)", 100.0 * agreement->n_flips / plain)
                  : g_strdup ("");

    g_print ("| %s | %.3f | %.3f | %.3f | %u | %u%s | %.2f s | %.2f s | %.2f s |\n", name,
            agreement_get_precision (agreement), agreement_get_recall (agreement),
            agreement_get_f1 (agreement), agreement->n_told, agreement->n_flips, share,
            agreement_get_latency (agreement, 0.5), agreement_get_latency (agreement, 0.95),
            agreement_get_latency (agreement, 1.0));
}

static void
judge_replay (const Judge *judge, const json_t *file, gboolean plain, const char *about,
        Agreement *agreement)
{
    g_autoptr (Replay) replay = replay_new (judge->session, file);

    for (guint i = 0; i < judge->films->len; i++) {
        const Film *film = g_ptr_array_index (judge->films, i);
        g_autoptr (GArray) told = plain ? replay_run_plain (replay, &film->sights)
                                        : replay_run (replay, &film->sights);
        g_autofree char *title = NULL;

        if (about)
            title = g_strdup_printf ("%s %s", about, film->name);
        agreement_add (agreement, film->truth, told, title);
    }
}

/* Returns: how often it flipped */
static guint
replay_row (const Judge *judge, const char *name, const json_t *file, VariantFlags flags,
        gboolean is_plain, guint plain)
{
    json_t *variant = variant_make (file, flags);
    Agreement agreement;
    guint n_flips;

    agreement_init (&agreement);
    judge_replay (judge, variant, is_plain, NULL, &agreement);
    n_flips = agreement.n_flips;
    print_row (name, &agreement, plain ? plain : n_flips);
    agreement_clear (&agreement);
    json_decref (variant);
    return n_flips;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static void check (Judge *judge, gboolean kept, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
check (Judge *judge, gboolean kept, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start (arguments, format);
    text = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_print ("%s %u - %s\n", kept ? "ok" : "not ok", ++judge->n_checks, text);
    judge->failed = judge->failed || !kept;
}

/* Of the short form's dozen events a single one is more than a twentieth: so few cannot say more
 * than that one is wrong. */
static gboolean
is_share_kept (guint n_right, guint n, double least)
{
    return n_right >= least * n || n_right + 1 >= n;
}

static void
check_promises (
        Judge *judge, const char *name, const Agreement *agreement, double min_on, guint plain)
{
    double latency = agreement_get_latency (agreement, 1.0);
    double flips = (double)agreement->n_flips / MAX (plain, 1);

    g_print ("\n");
    check (judge, is_share_kept (agreement->n_right, agreement->n_told, LEAST_PRECISION),
            "%s: precision %.3f, at least %g, or one event wrong", name,
            agreement_get_precision (agreement), LEAST_PRECISION);
    check (judge, is_share_kept (agreement->n_right, agreement->n_true, LEAST_RECALL),
            "%s: recall %.3f, at least %g, or one event missed", name,
            agreement_get_recall (agreement), LEAST_RECALL);
    check (judge, latency <= LONGEST_LATENCY + min_on,
            "%s: every begin at most %.2f s late, allowed %.2f s", name, latency,
            LONGEST_LATENCY + min_on);
    check (judge, flips <= MOST_FLIPS,
            "%s: %.1f %% of the flips of a plain argmax, at most %.0f %%", name, 100 * flips,
            100 * MOST_FLIPS);
}

/* That a replay's events are the element's makes the other rows as good as the element. Only the
 * end of the film differs: the element knows of frames that were not analysed. */
static gboolean
is_same (const GArray *told, const GArray *replayed, double duration)
{
    if (told->len != replayed->len)
        return FALSE;
    for (guint i = 0; i < told->len; i++) {
        const Event *a = &g_array_index (told, Event, i);
        const Event *b = &g_array_index (replayed, Event, i);

        if (a->kind != b->kind || fabs (a->begin - b->begin) > SAME_TIME ||
                (fabs (a->end - b->end) > SAME_TIME && a->end < duration - 1.0))
            return FALSE;
    }
    return TRUE;
}

static void
check_replay (Judge *judge, const char *name, const char *title, const json_t *file)
{
    g_autoptr (Replay) replay = replay_new (judge->session, file);
    guint n_same = 0;

    for (guint i = 0; i < judge->films->len; i++) {
        const Film *film = g_ptr_array_index (judge->films, i);
        g_autoptr (GArray) told = events_from_json (json_object_get (film->told, title));
        g_autoptr (GArray) replayed = replay_run (replay, &film->sights);

        n_same += is_same (told, replayed, film->duration);
    }
    check (judge, n_same == judge->films->len,
            "%s: in %u of %u films a replay has the element's events", name, n_same,
            judge->films->len);
}

/* ---- A language ------------------------------------------------------------------------------ */

/* What the element itself told. */
static void
judge_element (const Judge *judge, const char *title, Agreement *agreement)
{
    for (guint i = 0; i < judge->films->len; i++) {
        const Film *film = g_ptr_array_index (judge->films, i);
        const json_t *told = json_object_get (film->told, title);
        g_autoptr (GArray) events = NULL;
        g_autofree char *about = g_strdup_printf ("%s %s", title, film->name);

        if (!told)
            g_error ("%s was not watched with %s", film->name, title);
        events = events_from_json (told);
        agreement_add (agreement, film->truth, events, judge->list ? about : NULL);
    }
}

static void
judge_language (Judge *judge, const char *name, const char *path)
{
    static const struct {
        const char *name;
        VariantFlags flags;
    } rows[] = {
        { "labels alone, the element's defaults",
                VARIANT_WITHOUT_NEGATIVES | VARIANT_WITHOUT_TEMPLATES | VARIANT_WITHOUT_SMOOTHING |
                        DEFAULT_LINES | VARIANT_WITHOUT_TIMES },
        { "and negatives", VARIANT_WITHOUT_TEMPLATES | VARIANT_WITHOUT_SMOOTHING | DEFAULT_LINES |
                                   VARIANT_WITHOUT_TIMES },
        { "and templates", VARIANT_WITHOUT_SMOOTHING | DEFAULT_LINES | VARIANT_WITHOUT_TIMES },
        { "and smoothing", DEFAULT_LINES | VARIANT_WITHOUT_TIMES },
        { "and threshold", VARIANT_DEFAULT_HYSTERESIS | VARIANT_WITHOUT_TIMES },
        { "and hysteresis", VARIANT_WITHOUT_TIMES },
        { "and min_on, min_off: recommended", VARIANT_WHOLE },
        { "recommended without negatives", VARIANT_WITHOUT_NEGATIVES },
        { "recommended with half of the negatives", VARIANT_HALF_OF_NEGATIVES },
        { "recommended without templates", VARIANT_WITHOUT_TEMPLATES },
        { "recommended without smoothing", VARIANT_WITHOUT_SMOOTHING },
        { "recommended without hysteresis", VARIANT_WITHOUT_HYSTERESIS },
        { "the element's defaults and negatives, without hysteresis",
                VARIANT_WITHOUT_TEMPLATES | VARIANT_WITHOUT_SMOOTHING | VARIANT_DEFAULT_THRESHOLD |
                        VARIANT_WITHOUT_HYSTERESIS | VARIANT_WITHOUT_TIMES },
    };
    json_t *file = load_json (path);
    g_autofree char *title = g_path_get_basename (path);
    g_autoptr (Replay) replay = replay_new (judge->session, file);
    Agreement agreement;
    guint plain;

    agreement_init (&agreement);
    judge_element (judge, title, &agreement);
    print_head (name);
    plain = replay_row (judge, "plain argmax at 0.5, labels alone", file, rows[0].flags, TRUE, 0);
    replay_row (judge, "plain argmax at 0.5, with negatives", file, rows[1].flags, TRUE, plain);
    for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
        replay_row (judge, rows[i].name, file, rows[i].flags, FALSE, plain);
    print_row ("**recommended, told by the element**", &agreement, plain);
    check_promises (judge, name, &agreement, replay_get_min_on (replay), plain);
    check_replay (judge, name, title, file);
    agreement_clear (&agreement);
    json_decref (file);
}

/* ---- Calibration ----------------------------------------------------------------------------- */

/* Returns: F1 of events */
static double
compare_row (const Judge *judge, const char *name, const char *path)
{
    json_t *file = load_json (path);
    Agreement agreement;
    double f1;

    agreement_init (&agreement);
    judge_replay (judge, file, FALSE, judge->list ? name : NULL, &agreement);
    f1 = agreement_get_f1 (&agreement);
    g_print ("| %s | %.3f | %.3f | %.3f | %.3f | %u | %.2f s |\n", name,
            agreement_get_precision (&agreement), agreement_get_recall (&agreement), f1,
            agreement_get_time_f1 (&agreement), agreement.n_told,
            agreement_get_latency (&agreement, 1.0));
    agreement_clear (&agreement);
    json_decref (file);
    return f1;
}

static void
compare (Judge *judge, char **parts, double f1[2])
{
    g_autofree char *name = g_strconcat (parts[0], ", calibrated", NULL);

    f1[0] = compare_row (judge, parts[0], parts[1]);
    if (parts[2])
        f1[1] = compare_row (judge, name, parts[2]);
}

/* Where there is nothing to gain, a calibration may not lose much. */
static void
check_calibration (Judge *judge, char **parts, const double f1[2])
{
    if (!parts[2])
        return;
    check (judge, f1[0] < LEAST_TO_GAIN ? f1[1] > f1[0] : f1[1] >= f1[0] - MOST_TO_LOSE,
            "%s: F1 %.3f, calibrated %.3f", parts[0], f1[0], f1[1]);
}

/* @comparisons: (nullable): NAME=FILE, or NAME=FILE=CALIBRATED-FILE */
static void
judge_comparisons (Judge *judge, char **comparisons)
{
    guint n = comparisons ? g_strv_length (comparisons) : 0;
    g_autofree double (*f1)[2] = g_malloc (n * sizeof *f1);

    if (n > 0)
        g_print ("\n| settings | precision | recall | F1 | F1 of time | events | begin late, worst "
                 "|\n|---|---|---|---|---|---|---|\n");
    for (guint i = 0; i < n; i++) {
        g_auto (GStrv) parts = g_strsplit (comparisons[i], "=", 3);

        if (g_strv_length (parts) < 2)
            g_error ("--compare is '%s', but must be NAME=FILE or NAME=FILE=FILE", comparisons[i]);
        compare (judge, parts, f1[i]);
    }
    g_print ("\n");
    for (guint i = 0; i < n; i++) {
        g_auto (GStrv) parts = g_strsplit (comparisons[i], "=", 3);
        check_calibration (judge, parts, f1[i]);
    }
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void
judge_languages (Judge *judge, char **prompts)
{
    for (guint i = 0; prompts && prompts[i]; i++) {
        g_auto (GStrv) parts = g_strsplit (prompts[i], "=", 2);

        if (g_strv_length (parts) != 2)
            g_error ("--prompts is '%s', but must be NAME=FILE", prompts[i]);
        judge_language (judge, parts[0], parts[1]);
    }
}

int
main (int argc, char **argv)
{
    g_auto (GStrv) prompts = NULL;
    g_auto (GStrv) comparisons = NULL;
    Judge judge = { 0 };
    const GOptionEntry entries[] = {
        { "prompts", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &prompts,
                "The recommended settings; may be repeated", "NAME=FILE.json" },
        { "compare", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &comparisons,
                "Other settings, replayed, and calibrated; may be repeated",
                "NAME=FILE.json[=FILE.json]" },
        { "list", 0, 0, G_OPTION_ARG_NONE, &judge.list, "Print what the element got wrong", NULL },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr (GOptionContext) context = g_option_context_new ("MODEL FILM…");
    g_autoptr (GError) error = NULL;
    AltclipModel *model;

    g_option_context_add_main_entries (context, entries, NULL);
    if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 3)
        g_error ("%s", error ? error->message : "MODEL and a film are needed; try --help");
    model = altclip_model_open (argv[1], NULL, NULL, &error);
    if (!model || !(judge.session = altclip_session_new (model, 1, &error)))
        g_error ("%s", error->message);
    judge.films = g_ptr_array_new_with_free_func (film_free);
    for (int i = 2; i < argc; i++)
        g_ptr_array_add (
                judge.films, load_film (argv[i], altclip_model_get_info (model)->projection_dim));
    judge_languages (&judge, prompts);
    judge_comparisons (&judge, comparisons);
    g_print ("\n1..%u\n", judge.n_checks);
    g_ptr_array_unref (judge.films);
    altclip_session_free (judge.session);
    altclip_model_unref (model);
    return judge.failed;
}
