/* altclip: files of prompts, written with their embeddings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompts_file.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In the order of AltclipRule. */
static const char *const RULES[ALTCLIP_N_RULES] = { "threshold", "hysteresis", "min_on", "min_off",
    "bias" };

/* Base64 of little-endian floats. */
static json_t *
encode_embedding (const AltclipPrompts *prompts, guint index)
{
    const float *embedding = prompts->embeddings + (gsize)index * prompts->dim;
    g_autofree guint32 *bits = g_memdup2 (embedding, prompts->dim * sizeof (float));
    g_autofree char *text = NULL;

    for (guint i = 0; i < prompts->dim; i++)
        bits[i] = GUINT32_TO_LE (bits[i]);
    text = g_base64_encode ((const guchar *)bits, prompts->dim * sizeof (float));
    return json_string (text);
}

static void
set_string (json_t *object, const char *field, const char *string)
{
    if (string)
        json_object_set_new (object, field, json_string (string));
}

/* Returns: (transfer full): what labels and negatives have in common */
static json_t *
write_entry (const AltclipPrompts *prompts, guint index)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, index);
    json_t *object = json_object ();

    set_string (object, "label", entry->label);
    set_string (object, "language", entry->language);
    set_string (object, "note", entry->note);
    json_object_set_new (object, "embedding", encode_embedding (prompts, index));
    return object;
}

static json_t *
write_entries (const AltclipPrompts *prompts, guint first, guint n)
{
    json_t *list = json_array ();

    for (guint i = 0; i < n; i++)
        json_array_append_new (list, write_entry (prompts, first + i));
    return list;
}

/* The label's own negatives, *negative being the first that is not written yet; the neutral phrase
 * is one of them, so that the file needs no text tower for it. */
static json_t *
write_own_negatives (const AltclipPrompts *prompts, guint label, guint *negative)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, label);
    guint last = prompts->n_labels + prompts->n_negatives + prompts->n_own_negatives;
    guint first = *negative;
    json_t *list;

    while (*negative < last &&
            ((const AltclipPromptEntry *)g_ptr_array_index (prompts->entries, *negative))->owner ==
                    label)
        (*negative)++;
    list = write_entries (prompts, first, *negative - first);
    if (entry->lone)
        json_array_append_new (list, write_entry (prompts, last));
    return list;
}

static void
set_rules (json_t *object, const AltclipPromptEntry *entry)
{
    for (guint i = 0; i < ALTCLIP_N_RULES; i++) {
        if (!isnan (entry->rules[i]))
            json_object_set_new (object, RULES[i], json_real (entry->rules[i]));
    }
}

static json_t *
write_labels (const AltclipPrompts *prompts)
{
    guint negative = prompts->n_labels + prompts->n_negatives;
    json_t *list = json_array ();

    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        json_t *object = write_entry (prompts, i);
        json_t *negatives = write_own_negatives (prompts, i, &negative);

        set_string (object, "group", entry->group_name);
        set_rules (object, entry);
        if (json_array_size (negatives) > 0)
            json_object_set (object, "negatives", negatives);
        json_decref (negatives);
        json_array_append_new (list, object);
    }
    return list;
}

static json_t *
write_document (const AltclipPrompts *prompts)
{
    json_t *document = json_pack ("{s:i}", "version", 1);

    if (prompts->score_mode >= 0)
        set_string (document, "score_mode",
                altclip_score_mode_get_name ((AltclipScoreMode)prompts->score_mode));
    if (prompts->logit_scale > 0.0) /* which an image tower alone may come without */
        json_object_set_new (document, "logit_scale", json_real (prompts->logit_scale));
    if (prompts->n_negatives > 0)
        json_object_set_new (document, "negatives",
                write_entries (prompts, prompts->n_labels, prompts->n_negatives));
    json_object_set_new (document, "labels", write_labels (prompts));
    return document;
}

/* What altclip_prompts_load() would not read is not written. */
static gboolean
write_file (const char *path, const char *text, GError **error)
{
    g_autoptr (GError) io_error = NULL;
    gsize length = strlen (text);

    if (length > ALTCLIP_PROMPTS_FILE_MAX_BYTES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
                "%s: %" G_GSIZE_FORMAT " bytes would exceed the limit of %d", path, length,
                ALTCLIP_PROMPTS_FILE_MAX_BYTES);
        return FALSE;
    }
    if (g_file_set_contents (path, text, (gssize)length, &io_error))
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s", io_error->message);
    return FALSE;
}

gboolean
altclip_prompts_save (AltclipPrompts *prompts, const char *path, GError **error)
{
    json_t *document;
    char *text;
    gboolean ok;

    g_return_val_if_fail (prompts->embeddings, FALSE);
    document = write_document (prompts);
    text = json_dumps (document, JSON_INDENT (2) | JSON_REAL_PRECISION (15));
    ok = write_file (path, text, error);
    json_decref (document);
    free (text);
    return ok;
}
