/* altclip: files of prompts, written with their embeddings or with what those are made from
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
    "smoothing", "bias" };

/* What stands for a label in the file. */
typedef enum {
    WITH_EMBEDDINGS, /* of all */
    WITH_SOURCES     /* as the set came: embeddings only where there is nothing else */
} Form;

/* Base64 of little-endian floats. */
static json_t *
encode_embedding (const float *embedding, guint dim)
{
    g_autofree guint32 *bits = g_memdup2 (embedding, dim * sizeof (float));
    g_autofree char *text = NULL;

    for (guint i = 0; i < dim; i++)
        bits[i] = GUINT32_TO_LE (bits[i]);
    text = g_base64_encode ((const guchar *)bits, dim * sizeof (float));
    return json_string (text);
}

static void
set_string (json_t *object, const char *field, const char *string)
{
    if (string)
        json_object_set_new (object, field, json_string (string));
}

/* @strings: (nullable) (element-type utf8) */
static void
set_strings (json_t *object, const char *field, GPtrArray *strings)
{
    json_t *list;

    if (!strings || strings->len == 0)
        return;
    list = json_array ();
    for (guint i = 0; i < strings->len; i++)
        json_array_append_new (list, json_string (g_ptr_array_index (strings, i)));
    json_object_set_new (object, field, list);
}

/* By paths that are right wherever the file will be. */
static void
set_pictures (json_t *object, GPtrArray *pictures)
{
    g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

    for (guint i = 0; pictures && i < pictures->len; i++) {
        const AltclipPromptPicture *picture = g_ptr_array_index (pictures, i);
        g_ptr_array_add (paths, g_canonicalize_filename (picture->path, NULL));
    }
    set_strings (object, "images", paths);
}

static void
set_sources (json_t *object, const AltclipPrompts *prompts, const AltclipPromptEntry *entry)
{
    if (entry->embedding) {
        json_object_set_new (
                object, "embedding", encode_embedding (entry->embedding, prompts->ready_dim));
        return;
    }
    set_strings (object, "texts", entry->texts);
    set_strings (object, "templates", entry->templates);
    set_pictures (object, entry->pictures);
}

/* Returns: (transfer full): what labels and negatives have in common */
static json_t *
write_entry (const AltclipPrompts *prompts, guint index, Form form)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, index);
    json_t *object = json_object ();

    set_string (object, "label", entry->label);
    set_string (object, "language", entry->language);
    set_string (object, "note", entry->note);
    if (form == WITH_SOURCES)
        set_sources (object, prompts, entry);
    else
        json_object_set_new (object, "embedding",
                encode_embedding (prompts->embeddings + (gsize)index * prompts->dim, prompts->dim));
    return object;
}

static json_t *
write_entries (const AltclipPrompts *prompts, guint first, guint n, Form form)
{
    json_t *list = json_array ();

    for (guint i = 0; i < n; i++)
        json_array_append_new (list, write_entry (prompts, first + i, form));
    return list;
}

/* The label's own negatives, *negative being the first that is not written yet; with embeddings the
 * neutral phrase is one of them, so that the file needs no text tower for it. */
static json_t *
write_own_negatives (const AltclipPrompts *prompts, guint label, guint *negative, Form form)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, label);
    guint last = prompts->n_labels + prompts->n_negatives + prompts->n_own_negatives;
    guint first = *negative;
    json_t *list;

    while (*negative < last &&
            ((const AltclipPromptEntry *)g_ptr_array_index (prompts->entries, *negative))->owner ==
                    label)
        (*negative)++;
    list = write_entries (prompts, first, *negative - first, form);
    if (entry->lone && form == WITH_EMBEDDINGS)
        json_array_append_new (list, write_entry (prompts, last, form));
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

static void
set_region (json_t *object, const AltclipPrompts *prompts, guint number)
{
    const AltclipRegion *region = &g_array_index (prompts->regions, AltclipRegion, number);

    if (number > 0)
        json_object_set_new (object, "region",
                json_pack ("[f, f, f, f]", region->x, region->y, region->w, region->h));
}

static json_t *
write_labels (const AltclipPrompts *prompts, Form form)
{
    guint negative = prompts->n_labels + prompts->n_negatives;
    json_t *list = json_array ();

    for (guint i = 0; i < prompts->n_labels; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (prompts->entries, i);
        json_t *object = write_entry (prompts, i, form);
        json_t *negatives = write_own_negatives (prompts, i, &negative, form);

        set_string (object, "group", entry->group_name);
        set_region (object, prompts, entry->region);
        set_rules (object, entry);
        if (json_array_size (negatives) > 0)
            json_object_set (object, "negatives", negatives);
        json_decref (negatives);
        json_array_append_new (list, object);
    }
    return list;
}

/* The factor that the model has is for those who come without it: an image tower alone. */
static void
set_logit_scale (json_t *document, const AltclipPrompts *prompts, Form form)
{
    double scale = form == WITH_SOURCES ? prompts->own_logit_scale : prompts->logit_scale;

    if (scale > 0.0)
        json_object_set_new (document, "logit_scale", json_real (scale));
}

static gboolean
has_templates (const AltclipPrompts *prompts)
{
    return prompts->templates->len > 1 ||
           strcmp (g_ptr_array_index (prompts->templates, 0), ALTCLIP_TEMPLATE_SLOT) != 0;
}

static json_t *
write_document (const AltclipPrompts *prompts, Form form)
{
    json_t *document = json_pack ("{s:i}", "version", 1);

    if (prompts->score_mode >= 0)
        set_string (document, "score_mode",
                altclip_score_mode_get_name ((AltclipScoreMode)prompts->score_mode));
    set_logit_scale (document, prompts, form);
    if (form == WITH_SOURCES && has_templates (prompts))
        set_strings (document, "templates", prompts->templates);
    if (prompts->n_negatives > 0)
        json_object_set_new (document, "negatives",
                write_entries (prompts, prompts->n_labels, prompts->n_negatives, form));
    json_object_set_new (document, "labels", write_labels (prompts, form));
    return document;
}

/* Returns: (transfer full): from malloc() */
static char *
write_text (const AltclipPrompts *prompts, Form form)
{
    json_t *document = write_document (prompts, form);
    char *text = json_dumps (document, JSON_INDENT (2) | JSON_REAL_PRECISION (15));

    json_decref (document);
    return text;
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
    char *text;
    gboolean ok;

    g_return_val_if_fail (prompts->embeddings, FALSE);
    text = write_text (prompts, WITH_EMBEDDINGS);
    ok = write_file (path, text, error);
    free (text);
    return ok;
}

char *
altclip_prompts_describe (AltclipPrompts *prompts)
{
    char *text = write_text (prompts, WITH_SOURCES);
    char *description = g_strdup (text);

    free (text);
    return description;
}
