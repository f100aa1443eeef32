/* altclip: lists of prompts, parsed and embedded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "contradiction.h"
#include "excerpt.h"
#include "name_hash.h"
#include "prompts_file.h"
#include "session.h"

#include <math.h>
#include <string.h>

#define MAX_FILLED_BYTES 65536

#define SLOT ALTCLIP_TEMPLATE_SLOT

/* Competes with a lone label. */
#define NEUTRAL_PHRASE "a picture"

/* Texts given to the session at a time. */
#define CHUNK 32

/* One of the three lists, for messages. */
typedef struct {
    const char *name;
    guint entry; /* counted from 1 */
    const char *shown;
} Place;

/* ---- Messages -------------------------------------------------------------------------------- */

static void fail (const Place *place, AltclipError code, GError **error, const char *format, ...)
        G_GNUC_PRINTF (4, 5);

static void
fail (const Place *place, AltclipError code, GError **error, const char *format, ...)
{
    g_autofree char *shown = altclip_excerpt (place->shown);
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start (arguments, format);
    reason = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_set_error (error, ALTCLIP_ERROR, (int)code, "%s, entry %u (\"%s\"): %s", place->name,
            place->entry, shown, reason);
}

/* ---- Splitting ------------------------------------------------------------------------------- */

/* Blanks of any script; bytes that are not UTF-8 are left for the check that names them. */
static void
trim (GString *part)
{
    const char *begin = part->str;
    const char *end = part->str + part->len;

    if (!g_utf8_validate (part->str, (gssize)part->len, NULL))
        return;
    while (begin < end && g_unichar_isspace (g_utf8_get_char (begin)))
        begin = g_utf8_next_char (begin);
    while (begin < end && g_unichar_isspace (g_utf8_get_char (g_utf8_prev_char (end))))
        end = g_utf8_prev_char (end);
    g_string_truncate (part, (gsize)(end - part->str));
    g_string_erase (part, 0, begin - part->str);
}

/* Returns: (transfer full): the parts of @text, trimmed, at most @max + 1 of them; a doubled
 *     separator is the character itself. */
static GPtrArray *
split (const char *text, char separator, guint max)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func (g_free);
    gboolean more = TRUE;

    while (more && parts->len <= max) {
        GString *part = g_string_new (NULL);
        for (; *text && (*text != separator || text[1] == separator); text++) {
            g_string_append_c (part, *text);
            if (*text == separator)
                text++;
        }
        trim (part);
        g_ptr_array_add (parts, g_string_free (part, FALSE));
        more = *text++ != '\0';
    }
    return parts;
}

/* Like split() at ';', but nothing after the last one is no entry. */
static GPtrArray *
split_entries (const char *text, guint max)
{
    GPtrArray *entries = split (text ? text : "", ';', max + 1);
    const char *last = g_ptr_array_index (entries, entries->len - 1);

    if (*last == '\0')
        g_ptr_array_set_size (entries, (gint)entries->len - 1);
    return entries;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static gboolean
check_utf8 (const Place *place, GError **error)
{
    const char *end;

    if (g_utf8_validate (place->shown, -1, &end))
        return TRUE;
    fail (place, ALTCLIP_ERROR_TEXT, error, "not valid UTF-8 from byte %" G_GSIZE_FORMAT " on",
            (gsize)(end - place->shown));
    return FALSE;
}

static gboolean
check_length (const Place *place, const char *what, const char *text, GError **error)
{
    gsize length = strlen (text);

    if (length >= 1 && length <= ALTCLIP_MAX_TEXT_BYTES)
        return TRUE;
    if (length == 0)
        fail (place, ALTCLIP_ERROR_PROMPTS, error, "empty %s", what);
    else
        fail (place, ALTCLIP_ERROR_PROMPTS, error,
                "a %s of %" G_GSIZE_FORMAT " bytes exceeds the limit of %d", what, length,
                ALTCLIP_MAX_TEXT_BYTES);
    return FALSE;
}

static gboolean
check_count (const Place *place, const char *what, guint n, guint max, GError **error)
{
    if (n <= max)
        return TRUE;
    fail (place, ALTCLIP_ERROR_PROMPTS, error, "more than %u %s", max, what);
    return FALSE;
}

/* ---- Entries --------------------------------------------------------------------------------- */

AltclipPromptEntry *
altclip_prompt_entry_new (const char *label)
{
    AltclipPromptEntry *entry = g_new0 (AltclipPromptEntry, 1);

    entry->label = g_strdup (label);
    entry->texts = g_ptr_array_new_with_free_func (g_free);
    for (guint i = 0; i < ALTCLIP_N_RULES; i++)
        entry->rules[i] = NAN;
    return entry;
}

void
altclip_prompt_entry_free (AltclipPromptEntry *entry)
{
    g_free (entry->label);
    g_ptr_array_unref (entry->texts);
    g_clear_pointer (&entry->templates, g_ptr_array_unref);
    g_clear_pointer (&entry->pictures, g_ptr_array_unref);
    g_free (entry->embedding);
    g_free (entry->language);
    g_free (entry->note);
    g_free (entry->group_name);
    g_free (entry);
}

/* Adds a label that stands for itself; its texts may be replaced. */
static AltclipPromptEntry *
add_entry (AltclipPrompts *prompts, const char *label)
{
    AltclipPromptEntry *entry = altclip_prompt_entry_new (label);

    g_ptr_array_add (entry->texts, g_strdup (label));
    g_ptr_array_add (prompts->entries, entry);
    return entry;
}

static gboolean
parse_texts (AltclipPromptEntry *entry, const Place *place, const char *texts, GError **error)
{
    g_ptr_array_unref (entry->texts);
    entry->texts = split (texts, '|', ALTCLIP_MAX_TEXTS);
    if (!check_count (place, "texts", entry->texts->len, ALTCLIP_MAX_TEXTS, error))
        return FALSE;
    for (guint i = 0; i < entry->texts->len; i++) {
        if (!check_length (place, "text", g_ptr_array_index (entry->texts, i), error))
            return FALSE;
    }
    return TRUE;
}

/* label or label=text|text */
static gboolean
parse_entry (AltclipPrompts *prompts, const Place *place, GHashTable *seen, GError **error)
{
    g_autoptr (GPtrArray) sides = split (place->shown, '=', 2);
    g_autoptr (GPtrArray) labels = split (g_ptr_array_index (sides, 0), '|', 1);
    AltclipPromptEntry *entry;

    if (sides->len > 2) {
        fail (place, ALTCLIP_ERROR_PROMPTS, error,
                "more than one '='; '==' stands for the character itself");
        return FALSE;
    }
    if (labels->len > 1) {
        fail (place, ALTCLIP_ERROR_PROMPTS, error,
                "'|' stands between the texts after '='; '||' stands for the character itself");
        return FALSE;
    }
    if (!check_length (place, "label", g_ptr_array_index (labels, 0), error))
        return FALSE;
    entry = add_entry (prompts, g_ptr_array_index (labels, 0));
    if (!g_hash_table_add (seen, entry->label)) {
        g_autofree char *shown = altclip_excerpt (entry->label);
        fail (place, ALTCLIP_ERROR_PROMPTS, error, "duplicate label \"%s\"", shown);
        return FALSE;
    }
    return sides->len == 1 || parse_texts (entry, place, g_ptr_array_index (sides, 1), error);
}

static gboolean
parse_entries (AltclipPrompts *prompts, const char *name, const char *text, GError **error)
{
    g_autoptr (GPtrArray) parts = split_entries (text, ALTCLIP_MAX_LABELS);
    g_autoptr (GHashTable) seen = g_hash_table_new (altclip_name_hash, g_str_equal);

    for (guint i = 0; i < parts->len; i++) {
        Place place = { name, i + 1, g_ptr_array_index (parts, i) };
        if (!check_utf8 (&place, error) ||
                !check_count (&place, "labels", i + 1, ALTCLIP_MAX_LABELS, error) ||
                !parse_entry (prompts, &place, seen, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- Templates ------------------------------------------------------------------------------- */

static char *
fill_template (const char *template, const char *text)
{
    GString *filled = g_string_new (template);

    g_string_replace (filled, SLOT, text, 0);
    return g_string_free (filled, FALSE);
}

static gsize
find_longest_text (AltclipPrompts *prompts)
{
    gsize longest = strlen (NEUTRAL_PHRASE);

    for (guint i = 0; i < prompts->entries->len; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        for (guint j = 0; j < entry->texts->len; j++)
            longest = MAX (longest, strlen (g_ptr_array_index (entry->texts, j)));
    }
    return longest;
}

static gboolean
check_template (const Place *place, gsize longest, GError **error)
{
    const char *slot = place->shown;
    gsize length = strlen (place->shown);

    if (!check_utf8 (place, error) || !check_length (place, "template", place->shown, error))
        return FALSE;
    if (!strstr (place->shown, SLOT)) {
        fail (place, ALTCLIP_ERROR_PROMPTS, error,
                "no '" SLOT "', which the text goes in place of");
        return FALSE;
    }
    while ((slot = strstr (slot, SLOT))) {
        length += longest;
        slot += strlen (SLOT);
    }
    if (length <= MAX_FILLED_BYTES)
        return TRUE;
    fail (place, ALTCLIP_ERROR_PROMPTS, error,
            "with the longest text it makes more than the limit of %d bytes", MAX_FILLED_BYTES);
    return FALSE;
}

static gboolean
parse_templates (AltclipPrompts *prompts, const char *text, GError **error)
{
    gsize longest = find_longest_text (prompts);

    g_ptr_array_unref (prompts->templates);
    prompts->templates = split_entries (text, ALTCLIP_MAX_TEMPLATES);
    if (prompts->templates->len == 0)
        g_ptr_array_add (prompts->templates, g_strdup (SLOT));
    for (guint i = 0; i < prompts->templates->len; i++) {
        Place place = { "templates", i + 1, g_ptr_array_index (prompts->templates, i) };
        if (!check_count (&place, "templates", i + 1, ALTCLIP_MAX_TEMPLATES, error) ||
                !check_template (&place, longest, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- Contradictions -------------------------------------------------------------------------- */

/* Of a set that has any. */
static gboolean
check_negatives (const AltclipPrompts *prompts, GError **error)
{
    AltclipPromptEntry *const *entries = (AltclipPromptEntry *const *)prompts->entries->pdata;
    const AltclipEntries labels = { entries, prompts->n_labels };
    const AltclipEntries negatives = { entries + prompts->n_labels, prompts->n_negatives };
    g_autofree char *text = NULL;
    g_autofree char *label = NULL;
    AltclipContradiction found;
    Place place;

    if (!altclip_contradiction_find (&labels, &negatives, FALSE, prompts->templates, &found))
        return TRUE;
    text = altclip_excerpt (found.text);
    label = altclip_excerpt (labels.entries[found.label]->label);
    place = (Place){ "negative-prompts", found.negative + 1,
        negatives.entries[found.negative]->label };
    fail (&place, ALTCLIP_ERROR_PROMPTS, error,
            "\"%s\" is a text of the label \"%s\" too: neither could win", text, label);
    return FALSE;
}

/* ---- Embedding ------------------------------------------------------------------------------- */

/* Filled templates that wait for the session, and the entries they belong to. */
typedef struct {
    AltclipSession *session;
    GCancellable *cancellable;
    guint dim;
    char *texts[CHUNK];
    guint entries[CHUNK];
    guint n;
    float *embeddings; /* [CHUNK, dim] */
    float *sums;       /* [entries, dim] */
} Embedding;

static void
add_vector (Embedding *embedding, guint entry, const float *vector)
{
    float *sum = embedding->sums + (gsize)entry * embedding->dim;

    for (guint i = 0; i < embedding->dim; i++)
        sum[i] += vector[i];
}

static gboolean
embed_chunk (Embedding *embedding, GError **error)
{
    gboolean ok =
            !g_cancellable_set_error_if_cancelled (embedding->cancellable, error) &&
            (embedding->n == 0 || altclip_session_encode_texts (embedding->session,
                                          (const char *const *)embedding->texts, embedding->n,
                                          embedding->cancellable, embedding->embeddings, error));

    for (guint i = 0; i < embedding->n; i++) {
        if (ok)
            add_vector (embedding, embedding->entries[i],
                    embedding->embeddings + (gsize)i * embedding->dim);
        g_clear_pointer (&embedding->texts[i], g_free);
    }
    embedding->n = 0;
    return ok;
}

static gboolean
embed_text (
        Embedding *embedding, guint entry, const char *template, const char *text, GError **error)
{
    embedding->texts[embedding->n] = fill_template (template, text);
    embedding->entries[embedding->n] = entry;
    embedding->n++;
    return embedding->n < CHUNK || embed_chunk (embedding, error);
}

static gboolean
embed_picture (Embedding *embedding, guint entry, const AltclipPromptPicture *picture,
        AltclipPictureLoader loader, GError **error)
{
    g_autofree float *vector = g_new (float, embedding->dim);
    g_autofree float *pixel_values = NULL;
    gboolean ok;

    if (g_cancellable_set_error_if_cancelled (embedding->cancellable, error))
        return FALSE;
    pixel_values = loader (picture->path, altclip_session_get_model (embedding->session), error);
    ok = pixel_values &&
         altclip_session_encode_images (embedding->session, pixel_values, 1, vector, error);
    if (ok)
        add_vector (embedding, entry, vector);
    else
        g_prefix_error (error, "%s: ", picture->place);
    return ok;
}

static gboolean
embed_texts (Embedding *embedding, AltclipPrompts *prompts, guint index, GError **error)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, index);
    const GPtrArray *templates = entry->templates ? entry->templates : prompts->templates;

    for (guint i = 0; i < entry->texts->len; i++) {
        for (guint j = 0; j < templates->len; j++) {
            if (!embed_text (embedding, index, g_ptr_array_index (templates, j),
                        g_ptr_array_index (entry->texts, i), error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean
embed_entry (Embedding *embedding, AltclipPrompts *prompts, guint index, GError **error)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, index);

    if (entry->embedding)
        add_vector (embedding, index, entry->embedding);
    for (guint i = 0; entry->pictures && i < entry->pictures->len; i++) {
        if (!embed_picture (embedding, index, g_ptr_array_index (entry->pictures, i),
                    prompts->loader, error))
            return FALSE;
    }
    return embed_texts (embedding, prompts, index, error);
}

/* The mean of unit vectors and their sum have one direction. */
static gboolean
normalise_entries (AltclipPrompts *prompts, float *sums, guint dim, GError **error)
{
    for (guint i = 0; i < prompts->entries->len; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        if (!altclip_normalise (sums + (gsize)i * dim, dim, error)) {
            g_autofree char *shown = altclip_excerpt (entry->label);
            g_prefix_error (error, "prompt \"%s\": ", shown);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
embed_entries (
        AltclipPrompts *prompts, AltclipSession *session, GCancellable *cancellable, GError **error)
{
    const AltclipModelInfo *info = altclip_model_get_info (altclip_session_get_model (session));
    guint dim = info->projection_dim;
    g_autofree float *embeddings = g_new (float, (gsize)CHUNK *dim);
    g_autofree float *sums = g_new0 (float, (gsize)prompts->entries->len *dim);
    Embedding embedding = { session, cancellable, dim, { NULL }, { 0 }, 0, embeddings, sums };
    gboolean ok = TRUE;

    for (guint i = 0; i < prompts->entries->len && ok; i++)
        ok = embed_entry (&embedding, prompts, i, error);
    ok = ok && embed_chunk (&embedding, error);
    /* Those that still wait when a picture could not be had. */
    for (guint i = 0; i < embedding.n; i++)
        g_free (embedding.texts[i]);
    ok = ok && normalise_entries (prompts, sums, dim, error);
    if (ok)
        altclip_prompts_set_embeddings (prompts, g_steal_pointer (&sums), dim,
                prompts->own_logit_scale > 0.0 ? prompts->own_logit_scale : info->logit_scale);
    return ok;
}

/* ---- Unknown tokens -------------------------------------------------------------------------- */

/* Whether the token is only the space before a word. */
static gboolean
is_blank (AltclipModel *model, gint32 id)
{
    g_autofree char *text = altclip_model_decode (model, &id, 1, NULL);

    return text && *text == '\0';
}

/* A run of unknown characters is one token, and a space before it another: not counted. */
static gboolean
is_mostly_unknown (AltclipModel *model, GArray *ids)
{
    guint n_unknown = 0;
    guint n = ids->len - 2;

    for (guint i = 1; i + 1 < ids->len; i++) {
        if (g_array_index (ids, gint32, i) != ALTCLIP_TOKEN_UNK)
            continue;
        n_unknown++;
        if (i > 1 && is_blank (model, g_array_index (ids, gint32, i - 1)))
            n--;
    }
    return 2 * n_unknown > n;
}

/* The tokenizer is read only for texts that are not in the cache. */
static gboolean
find_is_unknown (AltclipModel *model, const char *text, gboolean *is_unknown, GError **error)
{
    AltclipCache *cache = altclip_model_get_token_cache (model);
    g_autoptr (GArray) ids = NULL;

    if (altclip_cache_get (cache, text, is_unknown))
        return TRUE;
    ids = altclip_model_tokenize (model, text, error);
    if (!ids)
        return FALSE;
    *is_unknown = is_mostly_unknown (model, ids);
    if (altclip_model_may_keep (model))
        altclip_cache_put (cache, text, is_unknown);
    return TRUE;
}

static gboolean
find_unknown_of_entry (AltclipPrompts *prompts, const AltclipPromptEntry *entry,
        AltclipModel *model, GCancellable *cancellable, GError **error)
{
    for (guint i = 0; i < entry->texts->len; i++) {
        char *text = g_ptr_array_index (entry->texts, i);
        gboolean is_unknown;

        if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
                !find_is_unknown (model, text, &is_unknown, error))
            return FALSE;
        if (is_unknown)
            g_ptr_array_add (prompts->unknown, text);
    }
    return TRUE;
}

static gboolean
find_unknown (
        AltclipPrompts *prompts, AltclipModel *model, GCancellable *cancellable, GError **error)
{
    AltclipCache *cache = altclip_model_get_token_cache (model);
    guint n = prompts->entries->len - (prompts->neutral != NULL);
    gboolean ok = TRUE;

    g_ptr_array_set_size (prompts->unknown, 0);
    altclip_cache_refresh (cache);
    for (guint i = 0; i < n && ok; i++)
        ok = find_unknown_of_entry (
                prompts, g_ptr_array_index (prompts->entries, i), model, cancellable, error);
    altclip_cache_flush (cache);
    return ok;
}

/* ---- Before embedding ------------------------------------------------------------------------ */

static gboolean
check_ready (const AltclipPrompts *prompts, guint dim, GError **error)
{
    if (prompts->ready_dim == 0 || prompts->ready_dim == dim)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
            "%s holds %u numbers, but the model's embeddings hold %u", prompts->ready_place,
            prompts->ready_dim, dim);
    return FALSE;
}

static gboolean
has_texts (const AltclipPrompts *prompts)
{
    for (guint i = 0; i < prompts->entries->len; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        if (entry->texts->len > 0)
            return TRUE;
    }
    return FALSE;
}

/* Marks the labels that nothing competes with. Returns: whether there are any */
static gboolean
find_lone_labels (AltclipPrompts *prompts)
{
    g_autofree guint *n_candidates = g_new0 (guint, prompts->n_contests);
    guint first = prompts->n_labels + prompts->n_negatives;
    gboolean any = FALSE;

    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        n_candidates[entry->contest]++;
    }
    for (guint i = 0; i < prompts->n_own_negatives; i++) {
        const AltclipPromptEntry *negative = g_ptr_array_index (prompts->entries, first + i);
        const AltclipPromptEntry *owner = g_ptr_array_index (prompts->entries, negative->owner);
        n_candidates[owner->contest]++;
    }
    for (guint i = 0; i < prompts->n_labels; i++) {
        AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        entry->lone = n_candidates[entry->contest] + prompts->n_negatives == 1;
        any = any || entry->lone;
    }
    return any;
}

/* Only the softmax is a comparison; a set that says how it is scored may do without. */
static void
add_neutral (AltclipPrompts *prompts)
{
    gboolean compares =
            prompts->score_mode < 0 || prompts->score_mode == (int)ALTCLIP_SCORE_SOFTMAX;

    if (!prompts->neutral && compares && find_lone_labels (prompts))
        prompts->neutral = add_entry (prompts, NEUTRAL_PHRASE)->label;
}

/* ---- Public ---------------------------------------------------------------------------------- */

GArray *
altclip_prompts_new_regions (void)
{
    GArray *regions = g_array_new (FALSE, FALSE, sizeof (AltclipRegion));
    const AltclipRegion all = { 0.0, 0.0, 1.0, 1.0 };

    return g_array_append_val (regions, all);
}

AltclipPrompts *
altclip_prompts_new (void)
{
    AltclipPrompts *prompts = g_new0 (AltclipPrompts, 1);

    g_atomic_ref_count_init (&prompts->ref_count);
    prompts->entries = g_ptr_array_new_with_free_func ((GDestroyNotify)altclip_prompt_entry_free);
    prompts->n_groups = 1;
    prompts->group_names = g_ptr_array_new ();
    g_ptr_array_add (prompts->group_names, NULL);
    prompts->regions = altclip_prompts_new_regions ();
    prompts->n_contests = 1;
    prompts->templates = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (prompts->templates, g_strdup (SLOT));
    prompts->unknown = g_ptr_array_new ();
    prompts->score_mode = -1;
    return prompts;
}

AltclipPrompts *
altclip_prompts_parse (
        const char *prompts, const char *negative_prompts, const char *templates, GError **error)
{
    g_autoptr (AltclipPrompts) parsed = altclip_prompts_new ();

    if (!parse_entries (parsed, "prompts", prompts, error))
        return NULL;
    parsed->n_labels = parsed->n_without_region = parsed->entries->len;
    if (!parse_entries (parsed, "negative-prompts", negative_prompts, error))
        return NULL;
    parsed->n_negatives = parsed->entries->len - parsed->n_labels;
    if (!parse_templates (parsed, templates, error) ||
            (parsed->n_negatives > 0 && !check_negatives (parsed, error)))
        return NULL;
    return g_steal_pointer (&parsed);
}

AltclipPrompts *
altclip_prompts_ref (AltclipPrompts *prompts)
{
    g_atomic_ref_count_inc (&prompts->ref_count);
    return prompts;
}

void
altclip_prompts_unref (AltclipPrompts *prompts)
{
    if (!prompts || !g_atomic_ref_count_dec (&prompts->ref_count))
        return;
    g_clear_pointer (&prompts->entries, g_ptr_array_unref);
    g_clear_pointer (&prompts->templates, g_ptr_array_unref);
    g_clear_pointer (&prompts->group_names, g_ptr_array_unref);
    g_clear_pointer (&prompts->regions, g_array_unref);
    g_free (prompts->file);
    g_free (prompts->ready_place);
    g_clear_pointer (&prompts->unknown, g_ptr_array_unref);
    g_free (prompts->embeddings);
    g_free (prompts);
}

gboolean
altclip_prompts_embed (
        AltclipPrompts *prompts, AltclipSession *session, GCancellable *cancellable, GError **error)
{
    AltclipModel *model = altclip_session_get_model (session);
    gboolean ok;

    if (prompts->embeddings)
        return TRUE;
    if (!altclip_prompts_read_file (prompts, error) ||
            !check_ready (prompts, altclip_model_get_info (model)->projection_dim, error))
        return FALSE;
    add_neutral (prompts);
    if ((has_texts (prompts) && !altclip_model_can_embed (model, ALTCLIP_TOWER_TEXT, error)) ||
            !find_unknown (prompts, model, cancellable, error))
        return FALSE;
    altclip_session_begin_texts (session);
    ok = embed_entries (prompts, session, cancellable, error);
    altclip_session_end_texts (session);
    return ok;
}

void
altclip_prompts_set_embeddings (
        AltclipPrompts *prompts, float *embeddings, guint dim, double logit_scale)
{
    g_free (prompts->embeddings);
    prompts->embeddings = embeddings;
    prompts->dim = dim;
    prompts->logit_scale = logit_scale;
}

guint
altclip_prompts_get_n_labels (AltclipPrompts *prompts)
{
    return prompts->n_labels;
}

const char *
altclip_prompts_get_label (AltclipPrompts *prompts, guint index)
{
    const AltclipPromptEntry *entry;

    g_return_val_if_fail (index < prompts->n_labels, NULL);
    entry = g_ptr_array_index (prompts->entries, index);
    return entry->label;
}

static const AltclipPromptEntry *
get_label_entry (AltclipPrompts *prompts, guint index)
{
    return g_ptr_array_index (prompts->entries, index);
}

guint
altclip_prompts_get_n_groups (AltclipPrompts *prompts)
{
    return prompts->n_groups;
}

const char *
altclip_prompts_get_group_name (AltclipPrompts *prompts, guint group)
{
    g_return_val_if_fail (group < prompts->n_groups, NULL);
    return g_ptr_array_index (prompts->group_names, group);
}

guint
altclip_prompts_get_label_group (AltclipPrompts *prompts, guint index)
{
    g_return_val_if_fail (index < prompts->n_labels, 0);
    return get_label_entry (prompts, index)->group;
}

guint
altclip_prompts_get_n_regions (AltclipPrompts *prompts)
{
    return prompts->regions->len;
}

void
altclip_prompts_get_region (AltclipPrompts *prompts, guint number, AltclipRegion *region)
{
    g_return_if_fail (number < prompts->regions->len);
    *region = g_array_index (prompts->regions, AltclipRegion, number);
}

gboolean
altclip_prompts_is_region_used (AltclipPrompts *prompts, guint number)
{
    g_return_val_if_fail (number < prompts->regions->len, FALSE);
    return number > 0 || prompts->n_without_region > 0;
}

guint
altclip_prompts_get_label_region (AltclipPrompts *prompts, guint index)
{
    g_return_val_if_fail (index < prompts->n_labels, 0);
    return get_label_entry (prompts, index)->region;
}

AltclipScoreMode
altclip_prompts_get_score_mode (AltclipPrompts *prompts, AltclipScoreMode otherwise)
{
    return prompts->score_mode < 0 ? otherwise : (AltclipScoreMode)prompts->score_mode;
}

double
altclip_prompts_get_logit_scale (AltclipPrompts *prompts)
{
    return prompts->logit_scale;
}

void
altclip_prompts_calibrate (AltclipPrompts *prompts, AltclipScoreMode mode, const double *thresholds,
        const double *biases)
{
    prompts->score_mode = mode;
    for (guint i = 0; i < prompts->n_labels; i++) {
        AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);

        if (!isnan (thresholds[i]))
            entry->rules[ALTCLIP_RULE_THRESHOLD] = thresholds[i];
        else if (mode != ALTCLIP_SCORE_COSINE && entry->rules[ALTCLIP_RULE_THRESHOLD] < 0.0)
            /* Of cosines, and no file could hold it now. */
            entry->rules[ALTCLIP_RULE_THRESHOLD] = NAN;
        if (!isnan (biases[i]))
            entry->rules[ALTCLIP_RULE_BIAS] = biases[i];
    }
}

static double
choose (double own, double otherwise)
{
    return isnan (own) ? otherwise : own;
}

static guint64
choose_time (double own_seconds, guint64 otherwise)
{
    return isnan (own_seconds) ? otherwise : (guint64)llround (own_seconds * 1e9);
}

void
altclip_prompts_get_rules (
        AltclipPrompts *prompts, const AltclipLabelRules *defaults, AltclipLabelRules *rules)
{
    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        const double *own = entry->rules;

        rules[i] = (AltclipLabelRules){
            .threshold = choose (own[ALTCLIP_RULE_THRESHOLD], defaults->threshold),
            .hysteresis = choose (own[ALTCLIP_RULE_HYSTERESIS], defaults->hysteresis),
            .min_on = choose_time (own[ALTCLIP_RULE_MIN_ON], defaults->min_on),
            .min_off = choose_time (own[ALTCLIP_RULE_MIN_OFF], defaults->min_off),
            .smoothing = choose_time (own[ALTCLIP_RULE_SMOOTHING], defaults->smoothing),
        };
    }
}

const char *
altclip_prompts_get_neutral (AltclipPrompts *prompts)
{
    return prompts->neutral;
}

const char *const *
altclip_prompts_get_unknown (AltclipPrompts *prompts, guint *n)
{
    *n = prompts->unknown->len;
    return (const char *const *)prompts->unknown->pdata;
}
