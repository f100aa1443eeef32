/* altclip: a set of labels, their texts and embeddings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts.h"

#include <math.h>
#include <string.h>

#define MAX_TEXT_BYTES 4096
#define MAX_TEXTS_PER_LABEL 1000
#define MAX_TEMPLATES 1000

/* Texts embedded in one call, between looks at the cancellable. */
#define CHUNK 64

/* Competes where nothing else does; worded so that it fits any picture. */
#define NEUTRAL "a picture"

typedef struct {
    char *label;
    char **texts;
} Candidate;

struct _AltclipPrompts {
    gint ref_count;
    GArray *candidates; /* of Candidate: labels, then negatives */
    guint n_labels;
    char **templates;
    gboolean neutral;
    char *unknown;
    float *embeddings;
    AltclipCandidates embedded;
};

/* ---- Splitting ------------------------------------------------------------------------------- */

/* Splits at @separator; a doubled one stands for the character itself. The parts keep doubled
 * characters of other separators, and are trimmed of blanks. */
static GPtrArray *
split (const char *text, char separator)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func (g_free);
    GString *part = g_string_new (NULL);

    for (const char *at = text; *at; at++) {
        if (*at == separator && at[1] == separator) {
            g_string_append_c (part, separator);
            at++;
        } else if (*at == separator) {
            g_ptr_array_add (parts, g_strstrip (g_string_free (part, FALSE)));
            part = g_string_new (NULL);
        } else {
            g_string_append_c (part, *at);
        }
    }
    g_ptr_array_add (parts, g_strstrip (g_string_free (part, FALSE)));
    return parts;
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static void
candidate_clear (gpointer data)
{
    Candidate *candidate = data;

    g_free (candidate->label);
    g_strfreev (candidate->texts);
}

static gboolean
check_text (const char *what, guint number, const char *text, GError **error)
{
    if (*text == '\0') {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                "%s: entry %u has an empty label or text", what, number);
        return FALSE;
    }
    if (strlen (text) > MAX_TEXT_BYTES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                "%s: entry %u has a text of %" G_GSIZE_FORMAT " bytes; the limit is %d", what,
                number, strlen (text), MAX_TEXT_BYTES);
        return FALSE;
    }
    return TRUE;
}

/* Splits the texts of one entry, after its `=`. */
static gboolean
parse_texts (const char *what, guint number, const char *text, Candidate *candidate, GError **error)
{
    g_autoptr (GPtrArray) texts = split (text, '|');

    for (guint i = 0; i < texts->len; i++)
        if (!check_text (what, number, g_ptr_array_index (texts, i), error))
            return FALSE;
    if (texts->len > MAX_TEXTS_PER_LABEL) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                "%s: entry %u has %u texts; the limit is %d", what, number, texts->len,
                MAX_TEXTS_PER_LABEL);
        return FALSE;
    }
    g_ptr_array_add (texts, NULL);
    candidate->texts = (char **)g_ptr_array_free (g_steal_pointer (&texts), FALSE);
    return TRUE;
}

/* `label` or `label=text|text`; a lone label is its own text, in which `||` is still one bar. */
static gboolean
parse_entry (
        const char *what, guint number, const char *entry, Candidate *candidate, GError **error)
{
    g_autoptr (GPtrArray) halves = split (entry, '=');
    const char *label = g_ptr_array_index (halves, 0);

    if (halves->len > 2) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                "%s: entry %u ('%s') has more than one '='; write '==' for the character itself",
                what, number, entry);
        return FALSE;
    }
    if (!check_text (what, number, label, error))
        return FALSE;
    if (halves->len == 2) {
        candidate->label = g_strdup (label);
        return parse_texts (what, number, g_ptr_array_index (halves, 1), candidate, error);
    }
    if (!parse_texts (what, number, label, candidate, error))
        return FALSE;
    if (candidate->texts[1]) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                "%s: entry %u ('%s') has several texts but no label; write 'label=text|text', or "
                "'||' for the character itself",
                what, number, entry);
        return FALSE;
    }
    candidate->label = g_strdup (candidate->texts[0]);
    return TRUE;
}

static gboolean
check_utf8 (const char *what, const char *text, GError **error)
{
    const char *end;

    if (g_utf8_validate (text, -1, &end))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
            "%s: not valid UTF-8 at byte %" G_GSIZE_FORMAT, what, (gsize)(end - text));
    return FALSE;
}

/* Splits a list at `;`. A trailing separator is not an entry. */
static GPtrArray *
split_list (const char *what, const char *text, guint limit, GError **error)
{
    g_autoptr (GPtrArray) entries = NULL;

    if (!check_utf8 (what, text, error))
        return NULL;
    entries = split (text, ';');
    if (*(const char *)g_ptr_array_index (entries, entries->len - 1) == '\0')
        g_ptr_array_set_size (entries, (gint)entries->len - 1);
    if (entries->len > limit) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS, "%s: %u entries; the limit is %u",
                what, entries->len, limit);
        return NULL;
    }
    return g_steal_pointer (&entries);
}

static gboolean
parse_list (AltclipPrompts *prompts, const char *what, const char *text, GError **error)
{
    g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
    g_autoptr (GPtrArray) entries = split_list (what, text ? text : "", ALTCLIP_MAX_LABELS, error);

    if (!entries)
        return FALSE;
    for (guint i = 0; i < entries->len; i++) {
        Candidate candidate = { NULL, NULL };
        gboolean ok = parse_entry (what, i + 1, g_ptr_array_index (entries, i), &candidate, error);

        g_array_append_val (prompts->candidates, candidate);
        if (!ok)
            return FALSE;
        if (!g_hash_table_add (seen, candidate.label)) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                    "%s: entry %u: the label '%s' is already taken", what, i + 1, candidate.label);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
parse_templates (AltclipPrompts *prompts, const char *text, GError **error)
{
    g_autoptr (GPtrArray) templates =
            split_list ("templates", text && *text ? text : "{}", MAX_TEMPLATES, error);

    if (!templates)
        return FALSE;
    if (templates->len == 0)
        g_ptr_array_add (templates, g_strdup ("{}"));
    for (guint i = 0; i < templates->len; i++) {
        const char *template = g_ptr_array_index (templates, i);

        if (!check_text ("templates", i + 1, template, error))
            return FALSE;
        if (!strstr (template, "{}")) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                    "templates: entry %u ('%s') has no '{}' for the text", i + 1, template);
            return FALSE;
        }
    }
    g_ptr_array_add (templates, NULL);
    prompts->templates = (char **)g_ptr_array_free (g_steal_pointer (&templates), FALSE);
    return TRUE;
}

AltclipPrompts *
altclip_prompts_parse (
        const char *text, const char *negative_prompts, const char *templates, GError **error)
{
    g_autoptr (AltclipPrompts) prompts = g_new0 (AltclipPrompts, 1);

    prompts->ref_count = 1;
    prompts->candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
    g_array_set_clear_func (prompts->candidates, candidate_clear);
    if (!parse_list (prompts, "prompts", text, error))
        return NULL;
    prompts->n_labels = prompts->candidates->len;
    if (!parse_list (prompts, "negative-prompts", negative_prompts, error) ||
            !parse_templates (prompts, templates, error))
        return NULL;
    return g_steal_pointer (&prompts);
}

/* ---- Life and content ------------------------------------------------------------------------ */

AltclipPrompts *
altclip_prompts_ref (AltclipPrompts *prompts)
{
    g_atomic_int_inc (&prompts->ref_count);
    return prompts;
}

void
altclip_prompts_unref (AltclipPrompts *prompts)
{
    if (!g_atomic_int_dec_and_test (&prompts->ref_count))
        return;
    g_array_unref (prompts->candidates);
    g_strfreev (prompts->templates);
    g_free (prompts->unknown);
    g_free (prompts->embeddings);
    g_free (prompts);
}

guint
altclip_prompts_get_n_labels (AltclipPrompts *prompts)
{
    return prompts->n_labels;
}

const char *
altclip_prompts_get_label (AltclipPrompts *prompts, guint index)
{
    g_return_val_if_fail (index < prompts->n_labels, NULL);
    return g_array_index (prompts->candidates, Candidate, index).label;
}

const char *
altclip_prompts_get_neutral (AltclipPrompts *prompts)
{
    return prompts->neutral ? NEUTRAL : NULL;
}

const char *
altclip_prompts_get_unknown (AltclipPrompts *prompts)
{
    return prompts->unknown;
}

const AltclipCandidates *
altclip_prompts_get_candidates (AltclipPrompts *prompts)
{
    return prompts->embeddings ? &prompts->embedded : NULL;
}

void
altclip_prompts_set_embeddings (
        AltclipPrompts *prompts, guint dim, double logit_scale, const float *embeddings)
{
    guint n = prompts->candidates->len;

    g_free (prompts->embeddings);
    prompts->embeddings = g_new (float, MAX ((gsize)n * dim, 1));
    memcpy (prompts->embeddings, embeddings, (gsize)n * dim * sizeof (float));
    prompts->embedded =
            (AltclipCandidates){ prompts->n_labels, n, dim, logit_scale, prompts->embeddings };
}

/* ---- Embedding ------------------------------------------------------------------------------- */

static void
add_neutral (AltclipPrompts *prompts)
{
    Candidate neutral = { g_strdup (NEUTRAL), NULL };

    neutral.texts = g_new0 (char *, 2);
    neutral.texts[0] = g_strdup (NEUTRAL);
    g_array_append_val (prompts->candidates, neutral);
    prompts->neutral = TRUE;
}

/* More than half of the pieces between <s> and </s> are <unk>. */
static gboolean
is_unknown (AltclipModel *model, const char *text, GError **error)
{
    g_autoptr (GArray) ids = altclip_model_tokenize (model, text, error);
    guint n_unknown = 0;

    for (guint i = 1; ids && i + 1 < ids->len; i++)
        n_unknown += g_array_index (ids, gint32, i) == 3;
    return ids && 2 * n_unknown > ids->len - 2;
}

static gboolean
find_unknown (AltclipPrompts *prompts, AltclipModel *model, GError **error)
{
    GError *failure = NULL;

    for (guint i = 0; i < prompts->candidates->len && !prompts->unknown; i++) {
        char **texts = g_array_index (prompts->candidates, Candidate, i).texts;
        for (guint t = 0; texts[t] && !prompts->unknown && !failure; t++)
            if (is_unknown (model, texts[t], &failure))
                prompts->unknown = g_strdup (texts[t]);
        if (failure)
            break;
    }
    if (!failure)
        return TRUE;
    g_propagate_error (error, failure);
    return FALSE;
}

/* Every text of a candidate in every template. */
static GPtrArray *
fill_templates (const Candidate *candidate, char *const *templates)
{
    GPtrArray *filled = g_ptr_array_new_with_free_func (g_free);

    for (guint t = 0; candidate->texts[t]; t++) {
        for (guint i = 0; templates[i]; i++) {
            g_autoptr (GString) text = g_string_new (templates[i]);
            g_string_replace (text, "{}", candidate->texts[t], 0);
            g_ptr_array_add (filled, g_string_free (g_steal_pointer (&text), FALSE));
        }
    }
    return filled;
}

/* What waits to be embedded: texts, and whose they are. */
typedef struct {
    AltclipSession *session;
    GCancellable *cancellable;
    guint dim;
    GPtrArray *texts;
    GArray *owners;    /* guint */
    float *embeddings; /* of one chunk */
    double *sums;      /* [candidates, dim] */
} Queue;

static gboolean
queue_run (Queue *queue, GError **error)
{
    if (!altclip_session_encode_texts (queue->session, (const char *const *)queue->texts->pdata,
                queue->texts->len, queue->cancellable, queue->embeddings, error))
        return FALSE;
    for (guint i = 0; i < queue->texts->len; i++) {
        double *sum = queue->sums + (gsize)g_array_index (queue->owners, guint, i) * queue->dim;
        for (guint d = 0; d < queue->dim; d++)
            sum[d] += queue->embeddings[(gsize)i * queue->dim + d];
    }
    g_ptr_array_set_size (queue->texts, 0);
    g_array_set_size (queue->owners, 0);
    return TRUE;
}

static gboolean
sum_embeddings (AltclipPrompts *prompts, Queue *queue, GError **error)
{
    for (guint i = 0; i < prompts->candidates->len; i++) {
        g_autoptr (GPtrArray) filled = fill_templates (
                &g_array_index (prompts->candidates, Candidate, i), prompts->templates);

        for (guint t = 0; t < filled->len; t++) {
            g_ptr_array_add (queue->texts, g_strdup (g_ptr_array_index (filled, t)));
            g_array_append_val (queue->owners, i);
            if (queue->texts->len == CHUNK && !queue_run (queue, error))
                return FALSE;
        }
    }
    return queue_run (queue, error);
}

/* Scales the sums to unit length. */
static gboolean
normalise (AltclipPrompts *prompts, const double *sums, guint dim, float *out, GError **error)
{
    for (guint i = 0; i < prompts->candidates->len; i++) {
        const double *sum = sums + (gsize)i * dim;
        double square = 0.0;

        for (guint d = 0; d < dim; d++)
            square += sum[d] * sum[d];
        if (!(square > 0.0)) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                    "the texts of '%s' cancel each other out",
                    g_array_index (prompts->candidates, Candidate, i).label);
            return FALSE;
        }
        for (guint d = 0; d < dim; d++)
            out[(gsize)i * dim + d] = (float)(sum[d] / sqrt (square));
    }
    return TRUE;
}

static gboolean
embed_candidates (AltclipPrompts *prompts, Queue *queue, double logit_scale, GError **error)
{
    g_autofree float *embeddings = g_new (float, (gsize)prompts->candidates->len * queue->dim);

    if (!sum_embeddings (prompts, queue, error) ||
            !normalise (prompts, queue->sums, queue->dim, embeddings, error))
        return FALSE;
    altclip_prompts_set_embeddings (prompts, queue->dim, logit_scale, embeddings);
    return TRUE;
}

gboolean
altclip_prompts_embed (
        AltclipPrompts *prompts, AltclipSession *session, GCancellable *cancellable, GError **error)
{
    AltclipModel *model = altclip_session_get_model (session);
    const AltclipModelInfo *info = altclip_model_get_info (model);
    Queue queue = { .session = session, .cancellable = cancellable, .dim = info->projection_dim };
    gboolean ok;

    if (prompts->n_labels == 0)
        return TRUE;
    if (!find_unknown (prompts, model, error))
        return FALSE;
    if (prompts->candidates->len < 2)
        add_neutral (prompts);
    queue.texts = g_ptr_array_new_with_free_func (g_free);
    queue.owners = g_array_new (FALSE, FALSE, sizeof (guint));
    queue.embeddings = g_new (float, CHUNK *queue.dim);
    queue.sums = g_new0 (double, (gsize)prompts->candidates->len *queue.dim);
    ok = embed_candidates (prompts, &queue, info->logit_scale, error);
    g_ptr_array_unref (queue.texts);
    g_array_unref (queue.owners);
    g_free (queue.embeddings);
    g_free (queue.sums);
    return ok;
}
