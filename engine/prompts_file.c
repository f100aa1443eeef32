/* altclip: files of prompts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The format is described in docs/prompts-file.schema.json. What a schema cannot say is checked
 * here too: labels that are there twice, negatives that are labels, embeddings of different sizes,
 * pictures that are missing.
 */

#include "contradiction.h"
#include "excerpt.h"
#include "file.h"
#include "json_scanner.h"
#include "name_hash.h"
#include "prompts_file.h"
#include "session.h"

#include <errno.h>
#include <float.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* The widest embedding of any model that can be opened. */
#define MAX_DIM 32768

/* With these, a filled template is as long as the other form of prompts may make it. */
#define MAX_SLOTS 15

/* Texts, templates and pictures of a file; and what they make of one another, which is what there
 * is to embed. */
#define MAX_STRINGS 1000000
#define MAX_VECTORS 1000000

#define MAX_SECONDS 86400.0
#define MAX_BIAS 1e6
#define MAX_SCALE 1e6

#define TEXT_LIMIT "a text of 1 to 4096 bytes that is not blank"
#define TEMPLATE_LIMIT TEXT_LIMIT ", with {} once to 15 times"
#define THRESHOLD_LIMIT "a number from 0 to 1, or with score_mode cosine from -1 to 1"
#define PATH_LIMIT TEXT_LIMIT ", on one line"
#define REGION_LIMIT "a list of four numbers x, y, w, h from 0 to 1"
#define EMBEDDING_LIMIT \
    "a list of 1 to 32768 numbers, or base64 of as many little-endian 32-bit floats"

/* The fields of the document. */
enum { SCHEMA, VERSION, SCORE_MODE, LOGIT_SCALE, SET_TEMPLATES, SET_NEGATIVES, LABELS, SET_RULES };

static const char *const SET_FIELDS[] = { "$schema", "version", "score_mode", "logit_scale",
    "templates", "negatives", "labels", "threshold", "hysteresis", "min_on", "min_off", "smoothing",
    "bias" };

/* The fields of a label; a negative has the first of them. */
enum {
    LABEL,
    TEXTS,
    TEMPLATES,
    IMAGES,
    EMBEDDING,
    LANGUAGE,
    NOTE,
    N_NEGATIVE_FIELDS,
    NEGATIVES = N_NEGATIVE_FIELDS,
    GROUP,
    REGION,
    RULES
};

static const char *const FIELDS[] = { "label", "texts", "templates", "images", "embedding",
    "language", "note", "negatives", "group", "region", "threshold", "hysteresis", "min_on",
    "min_off", "smoothing", "bias" };

/* In the order of AltclipRule, which is that of the last fields in both lists. */
static const struct {
    double minimum;
    double maximum;
} RANGES[ALTCLIP_N_RULES] = { { -1.0, 1.0 }, { 0.0, 1.0 }, { 0.0, MAX_SECONDS },
    { 0.0, MAX_SECONDS }, { 0.0, MAX_SECONDS }, { -MAX_BIAS, MAX_BIAS } };

static const char *const SCORE_MODES[] = {
    [ALTCLIP_SCORE_SOFTMAX] = "softmax",
    [ALTCLIP_SCORE_SIGMOID] = "sigmoid",
    [ALTCLIP_SCORE_COSINE] = "cosine",
};

/* A file being read. */
typedef struct {
    AltclipScanner scanner;
    const char *directory;
    gboolean takes_pictures;
    GPtrArray *labels;        /* (element-type AltclipPromptEntry) */
    GPtrArray *negatives;     /* likewise */
    GPtrArray *own_negatives; /* likewise */
    GPtrArray *templates;     /* (nullable) */
    GHashTable *groups;       /* name → number, from 1 on; 0 is for labels without a group */
    GArray *regions;          /* (element-type AltclipRegion): number 0 is all of the picture */
    double rules[ALTCLIP_N_RULES];
    int score_mode;
    double logit_scale; /* 0: the model's */
    guint n_strings;
    guint ready_dim;
    char *ready_place;
    double below_zero; /* the first threshold that is; likewise its place */
    char *below_zero_place;
} Parser;

/* ---- Texts ----------------------------------------------------------------------------------- */

static gboolean
is_text (const char *text)
{
    gsize length = strlen (text);

    for (const char *at = text; *at; at = g_utf8_next_char (at)) {
        if (!g_unichar_isspace (g_utf8_get_char (at)))
            return length <= ALTCLIP_MAX_TEXT_BYTES;
    }
    return FALSE;
}

static gboolean
is_template (const char *text)
{
    guint n_slots = 0;

    for (const char *at = text; (at = strstr (at, ALTCLIP_TEMPLATE_SLOT)); at += 2)
        n_slots++;
    return n_slots >= 1 && n_slots <= MAX_SLOTS && is_text (text);
}

static gboolean
is_path (const char *text)
{
    return is_text (text) && altclip_excerpt_is_printable (text);
}

/* Returns: (transfer full) (nullable): the next value, a string that passes @check */
static char *
read_checked (Parser *parser, gboolean (*check) (const char *text), const char *limit)
{
    g_autofree char *text = altclip_scanner_read_string (&parser->scanner, limit);

    if (!text)
        return NULL;
    if (check (text))
        return g_steal_pointer (&text);
    altclip_scanner_refuse (&parser->scanner, limit);
    return NULL;
}

static gboolean
read_text (Parser *parser, char **text)
{
    *text = read_checked (parser, is_text, TEXT_LIMIT);
    return *text != NULL;
}

/* Whether there may be an element number @n, counted from 0, in the current list. */
static gboolean
check_count (Parser *parser, guint n, guint max)
{
    AltclipScanner *scanner = &parser->scanner;

    altclip_scanner_peek (scanner);
    if (n >= max)
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, scanner->line,
                " is one too many: the list may hold %u", max);
    return TRUE;
}

/* The same, of a list of strings. */
static gboolean
check_string_count (Parser *parser, guint n, guint max)
{
    AltclipScanner *scanner = &parser->scanner;

    if (!check_count (parser, n, max))
        return FALSE;
    if (++parser->n_strings > MAX_STRINGS)
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, scanner->line,
                " is one too many: a file may hold %d texts, templates and images", MAX_STRINGS);
    return TRUE;
}

static gboolean
check_not_empty (Parser *parser, guint n, guint line, guint max)
{
    return n > 0 || altclip_scanner_fail (&parser->scanner, ALTCLIP_ERROR_PROMPTS, line,
                            " is empty, but must hold 1 to %u elements", max);
}

/* Returns: (transfer full) (nullable): the next value, a list of strings that pass @check */
static GPtrArray *
read_strings (Parser *parser, guint max, gboolean (*check) (const char *text), const char *limit)
{
    g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
    guint line;

    altclip_scanner_peek (&parser->scanner);
    line = parser->scanner.line;
    if (!altclip_scanner_open_array (&parser->scanner, "a list of strings"))
        return NULL;
    while (altclip_scanner_next_element (&parser->scanner)) {
        char *string;

        if (!check_string_count (parser, strings->len, max))
            return NULL;
        string = read_checked (parser, check, limit);
        if (!string)
            return NULL;
        g_ptr_array_add (strings, string);
    }
    if (parser->scanner.failed || !check_not_empty (parser, strings->len, line, max))
        return NULL;
    return g_steal_pointer (&strings);
}

static gboolean
read_templates (Parser *parser, GPtrArray **templates)
{
    *templates = read_strings (parser, ALTCLIP_MAX_TEMPLATES, is_template, TEMPLATE_LIMIT);
    return *templates != NULL;
}

static gboolean
read_texts (Parser *parser, AltclipPromptEntry *entry)
{
    GPtrArray *texts = read_strings (parser, ALTCLIP_MAX_TEXTS, is_text, TEXT_LIMIT);

    if (!texts)
        return FALSE;
    g_ptr_array_unref (entry->texts);
    entry->texts = texts;
    return TRUE;
}

/* ---- Pictures -------------------------------------------------------------------------------- */

static void
picture_free (gpointer data)
{
    AltclipPromptPicture *picture = data;

    g_free (picture->path);
    g_free (picture->place);
    g_free (picture);
}

/* Told now, with the line, and not when the labels are embedded. @shown: @path, for the message */
static gboolean
check_picture (Parser *parser, const char *path, const char *shown)
{
    AltclipScanner *scanner = &parser->scanner;
    GStatBuf status;

    if (g_stat (path, &status) != 0)
        return altclip_scanner_fail (
                scanner, ALTCLIP_ERROR_IO, scanner->line, ": %s: %s", shown, g_strerror (errno));
    if (!S_ISREG (status.st_mode))
        return altclip_scanner_fail (
                scanner, ALTCLIP_ERROR_IO, scanner->line, ": %s: not a regular file", shown);
    return TRUE;
}

/* Returns: (transfer full): the path of what the file calls @name */
static char *
find_path (const Parser *parser, const char *name)
{
    return g_path_is_absolute (name) ? g_strdup (name)
                                     : g_build_filename (parser->directory, name, NULL);
}

static gboolean
read_picture (Parser *parser, GPtrArray *pictures)
{
    g_autofree char *name = NULL;
    g_autofree char *excerpt = NULL;
    g_autofree char *shown = NULL;
    AltclipPromptPicture *picture;

    if (!check_string_count (parser, pictures->len, ALTCLIP_MAX_TEXTS))
        return FALSE;
    name = read_checked (parser, is_path, PATH_LIMIT);
    if (!name)
        return FALSE;
    excerpt = altclip_excerpt (name);
    shown = find_path (parser, excerpt);
    picture = g_new0 (AltclipPromptPicture, 1);
    g_ptr_array_add (pictures, picture);
    picture->path = find_path (parser, name);
    picture->place = altclip_scanner_get_place (&parser->scanner, parser->scanner.line);
    return check_picture (parser, picture->path, shown);
}

static gboolean
read_pictures (Parser *parser, AltclipPromptEntry *entry)
{
    AltclipScanner *scanner = &parser->scanner;
    guint line;

    altclip_scanner_peek (scanner);
    line = scanner->line;
    if (!parser->takes_pictures)
        return altclip_scanner_fail (
                scanner, ALTCLIP_ERROR_PROMPTS, line, ": pictures cannot be read by this program");
    if (!altclip_scanner_open_array (scanner, "a list of strings"))
        return FALSE;
    entry->pictures = g_ptr_array_new_with_free_func (picture_free);
    while (altclip_scanner_next_element (scanner)) {
        if (!read_picture (parser, entry->pictures))
            return FALSE;
    }
    return !scanner->failed &&
           check_not_empty (parser, entry->pictures->len, line, ALTCLIP_MAX_TEXTS);
}

/* ---- Ready embeddings ------------------------------------------------------------------------ */

static gboolean
read_numbers (Parser *parser, GArray *numbers)
{
    if (!altclip_scanner_open_array (&parser->scanner, EMBEDDING_LIMIT))
        return FALSE;
    while (altclip_scanner_next_element (&parser->scanner)) {
        double number;
        float narrow;

        if (!check_count (parser, numbers->len, MAX_DIM) ||
                !altclip_scanner_read_number (
                        &parser->scanner, -(double)FLT_MAX, (double)FLT_MAX, NULL, &number))
            return FALSE;
        narrow = (float)number;
        g_array_append_val (numbers, narrow);
    }
    return !parser->scanner.failed;
}

/* g_base64_decode() passes over what does not belong, so that is looked for first. */
static gboolean
is_base64 (const char *text)
{
    gsize length = strlen (text);
    gsize n_digits =
            strspn (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    return length % 4 == 0 && length - n_digits <= 2 &&
           strspn (text + n_digits, "=") == length - n_digits;
}

static gboolean
read_base64 (Parser *parser, GArray *numbers)
{
    g_autofree char *text = altclip_scanner_read_string (&parser->scanner, EMBEDDING_LIMIT);
    gsize n;

    if (!text)
        return FALSE;
    if (*text == '\0' || !is_base64 (text))
        return altclip_scanner_refuse (&parser->scanner, EMBEDDING_LIMIT);
    g_base64_decode_inplace (text, &n);
    if (n % sizeof (float) != 0 || n / sizeof (float) > MAX_DIM)
        return altclip_scanner_refuse (&parser->scanner, EMBEDDING_LIMIT);
    for (gsize at = 0; at < n; at += sizeof (float)) {
        guint32 bits;

        memcpy (&bits, text + at, sizeof bits);
        bits = GUINT32_FROM_LE (bits);
        g_array_append_vals (numbers, &bits, 1);
    }
    return TRUE;
}

/* @numbers become of unit length. */
static gboolean
check_numbers (Parser *parser, GArray *numbers, guint line)
{
    AltclipScanner *scanner = &parser->scanner;
    float *values = (float *)(void *)numbers->data;

    if (numbers->len == 0)
        return altclip_scanner_fail (
                scanner, ALTCLIP_ERROR_PROMPTS, line, " is empty, but must be %s", EMBEDDING_LIMIT);
    if (parser->ready_dim != 0 && numbers->len != parser->ready_dim)
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line,
                " holds %u numbers, but those before it hold %u", numbers->len, parser->ready_dim);
    for (guint i = 0; i < numbers->len; i++) {
        if (!isfinite (values[i]))
            return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line,
                    " holds %g as number %u, but must hold finite ones", (double)values[i], i + 1);
    }
    return altclip_normalise (values, numbers->len, NULL) ||
           altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line, " holds nothing but zeros");
}

static gboolean
read_embedding (Parser *parser, AltclipPromptEntry *entry)
{
    g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (float));
    gboolean is_string = altclip_scanner_peek (&parser->scanner) == '"';
    guint line = parser->scanner.line;

    if (!(is_string ? read_base64 : read_numbers) (parser, numbers) ||
            !check_numbers (parser, numbers, line))
        return FALSE;
    if (parser->ready_dim == 0)
        parser->ready_place = altclip_scanner_get_place (&parser->scanner, line);
    parser->ready_dim = numbers->len;
    entry->embedding = g_memdup2 (numbers->data, numbers->len * sizeof (float));
    return TRUE;
}

/* ---- Entries --------------------------------------------------------------------------------- */

static gboolean read_negatives (Parser *parser, GPtrArray *list, guint owner);

/* @seen: (element-type utf8): labels of the same list, owned by their entries */
static gboolean
read_label (Parser *parser, AltclipPromptEntry *entry, GHashTable *seen)
{
    return read_text (parser, &entry->label) &&
           (g_hash_table_add (seen, entry->label) ||
                   altclip_scanner_refuse (&parser->scanner, "another than those before it"));
}

static gboolean
read_group (Parser *parser, AltclipPromptEntry *entry)
{
    if (!read_text (parser, &entry->group_name))
        return FALSE;
    entry->group = GPOINTER_TO_UINT (g_hash_table_lookup (parser->groups, entry->group_name));
    if (entry->group == 0) {
        entry->group = g_hash_table_size (parser->groups) + 1;
        g_hash_table_insert (
                parser->groups, g_strdup (entry->group_name), GUINT_TO_POINTER (entry->group));
    }
    return TRUE;
}

/* ---- Regions --------------------------------------------------------------------------------- */

/* 0.7 + 0.3 may come to a little more than 1. */
#define ROUNDING 1e-9

static gboolean
read_region_numbers (Parser *parser, double *numbers, guint *n)
{
    AltclipScanner *scanner = &parser->scanner;

    *n = 0;
    if (!altclip_scanner_open_array (scanner, REGION_LIMIT))
        return FALSE;
    while (altclip_scanner_next_element (scanner)) {
        if (!check_count (parser, *n, 4) ||
                !altclip_scanner_read_number (scanner, 0.0, 1.0, NULL, &numbers[*n]))
            return FALSE;
        (*n)++;
    }
    return !scanner->failed;
}

static gboolean
check_region (Parser *parser, const AltclipRegion *region, guint n, guint line)
{
    AltclipScanner *scanner = &parser->scanner;

    if (n < 4)
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line,
                " holds %u numbers, but must be " REGION_LIMIT, n);
    if (region->w <= 0.0 || region->h <= 0.0)
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line,
                " is %g wide and %g high, but must be more than 0", region->w, region->h);
    if (region->x + region->w > 1.0 + ROUNDING || region->y + region->h > 1.0 + ROUNDING)
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line,
                " reaches to %g of the width and %g of the height, but must end at 1 at most",
                region->x + region->w, region->y + region->h);
    return TRUE;
}

/* Labels of the same region share a picture, and so a number. */
static gboolean
number_region (Parser *parser, const AltclipRegion *region, guint line, guint *number)
{
    GArray *regions = parser->regions;

    for (*number = 1; *number < regions->len; (*number)++) {
        if (altclip_region_is_same (&g_array_index (regions, AltclipRegion, *number), region))
            return TRUE;
    }
    if (regions->len > ALTCLIP_MAX_REGIONS)
        return altclip_scanner_fail (&parser->scanner, ALTCLIP_ERROR_PROMPTS, line,
                " is one too many: a file may hold %d different regions", ALTCLIP_MAX_REGIONS);
    g_array_append_vals (regions, region, 1);
    return TRUE;
}

static gboolean
read_region (Parser *parser, AltclipPromptEntry *entry)
{
    double numbers[4] = { 0.0, 0.0, 0.0, 0.0 };
    guint line = parser->scanner.line;
    AltclipRegion region;
    guint n;

    if (!read_region_numbers (parser, numbers, &n))
        return FALSE;
    region = (AltclipRegion){ numbers[0], numbers[1], numbers[2], numbers[3] };
    return check_region (parser, &region, n, line) &&
           number_region (parser, &region, line, &entry->region);
}

/* ---- The fields of an entry ------------------------------------------------------------------ */

static gboolean
read_rule (Parser *parser, AltclipRule rule, double *rules)
{
    const char *limit = rule == ALTCLIP_RULE_THRESHOLD ? THRESHOLD_LIMIT : NULL;

    if (!altclip_scanner_read_number (
                &parser->scanner, RANGES[rule].minimum, RANGES[rule].maximum, limit, &rules[rule]))
        return FALSE;
    /* The score_mode that it needs may come after it. */
    if (rule == ALTCLIP_RULE_THRESHOLD && rules[rule] < 0.0 && !parser->below_zero_place) {
        parser->below_zero = rules[rule];
        parser->below_zero_place =
                altclip_scanner_get_place (&parser->scanner, parser->scanner.line);
    }
    return TRUE;
}

static gboolean
read_field (Parser *parser, AltclipPromptEntry *entry, int field, GHashTable *seen)
{
    switch (field) {
    case LABEL:
        return read_label (parser, entry, seen);
    case TEXTS:
        return read_texts (parser, entry);
    case TEMPLATES:
        return read_templates (parser, &entry->templates);
    case IMAGES:
        return read_pictures (parser, entry);
    case EMBEDDING:
        return read_embedding (parser, entry);
    case LANGUAGE:
        return read_text (parser, &entry->language);
    case NOTE:
        return read_text (parser, &entry->note);
    case NEGATIVES:
        return read_negatives (parser, parser->own_negatives, parser->labels->len);
    case GROUP:
        return read_group (parser, entry);
    case REGION:
        return read_region (parser, entry);
    default:
        return read_rule (parser, (AltclipRule)(field - RULES), entry->rules);
    }
}

/* Of fields that stand for a label, whether they go together; a label alone is its text. */
static gboolean
complete_entry (Parser *parser, AltclipPromptEntry *entry, guint line)
{
    AltclipScanner *scanner = &parser->scanner;

    if (!entry->label)
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line, " has no label");
    if (entry->embedding && (entry->texts->len > 0 || entry->templates || entry->pictures))
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line,
                " has an embedding beside texts, templates or images, which it takes the place of");
    if (entry->texts->len == 0 && !entry->pictures && !entry->embedding)
        g_ptr_array_add (entry->texts, g_strdup (entry->label));
    if (entry->texts->len == 0 && entry->templates)
        return altclip_scanner_fail (
                scanner, ALTCLIP_ERROR_PROMPTS, line, " has templates, but no text to put in them");
    return TRUE;
}

/* @n_fields: how many of FIELDS the entry may have */
static gboolean
read_entry (Parser *parser, AltclipPromptEntry *entry, guint n_fields, GHashTable *seen)
{
    AltclipScanner *scanner = &parser->scanner;
    guint line;
    int field;

    altclip_scanner_peek (scanner);
    line = scanner->line;
    if (!altclip_scanner_open_object (scanner, "an object"))
        return FALSE;
    while ((field = altclip_scanner_next_field (scanner, FIELDS, n_fields)) >= 0) {
        altclip_scanner_peek (scanner);
        if (!read_field (parser, entry, field, seen))
            return FALSE;
    }
    return !scanner->failed && complete_entry (parser, entry, line);
}

/* A negative may be its text alone. */
static gboolean
read_negative (Parser *parser, AltclipPromptEntry *entry, GHashTable *seen)
{
    guint line;

    if (altclip_scanner_peek (&parser->scanner) == '{')
        return read_entry (parser, entry, N_NEGATIVE_FIELDS, seen);
    line = parser->scanner.line;
    return read_label (parser, entry, seen) && complete_entry (parser, entry, line);
}

/* Of all labels, or of label number @owner. */
static gboolean
read_negatives (Parser *parser, GPtrArray *list, guint owner)
{
    AltclipScanner *scanner = &parser->scanner;
    g_autoptr (GHashTable) seen = g_hash_table_new (altclip_name_hash, g_str_equal);

    if (!altclip_scanner_open_array (scanner, "a list of texts and objects"))
        return FALSE;
    while (altclip_scanner_next_element (scanner)) {
        AltclipPromptEntry *entry = altclip_prompt_entry_new (NULL);

        g_ptr_array_add (list, entry);
        entry->owner = owner;
        altclip_scanner_peek (scanner);
        entry->line = scanner->line;
        if (parser->negatives->len + parser->own_negatives->len > ALTCLIP_MAX_LABELS)
            return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, scanner->line,
                    " is one too many: a file may hold %d negatives", ALTCLIP_MAX_LABELS);
        if (!read_negative (parser, entry, seen))
            return FALSE;
    }
    return !scanner->failed;
}

static gboolean
read_labels (Parser *parser)
{
    AltclipScanner *scanner = &parser->scanner;
    g_autoptr (GHashTable) seen = g_hash_table_new (altclip_name_hash, g_str_equal);
    guint line;

    altclip_scanner_peek (scanner);
    line = scanner->line;
    if (!altclip_scanner_open_array (scanner, "a list of objects"))
        return FALSE;
    while (altclip_scanner_next_element (scanner)) {
        g_autoptr (AltclipPromptEntry) entry = altclip_prompt_entry_new (NULL);

        if (!check_count (parser, parser->labels->len, ALTCLIP_MAX_LABELS) ||
                !read_entry (parser, entry, G_N_ELEMENTS (FIELDS), seen))
            return FALSE;
        g_ptr_array_add (parser->labels, g_steal_pointer (&entry));
    }
    return !scanner->failed &&
           check_not_empty (parser, parser->labels->len, line, ALTCLIP_MAX_LABELS);
}

/* ---- The document ---------------------------------------------------------------------------- */

const char *
altclip_score_mode_get_name (AltclipScoreMode mode)
{
    return SCORE_MODES[mode];
}

static gboolean
read_score_mode (Parser *parser)
{
    g_autofree char *name = altclip_scanner_read_string (
            &parser->scanner, "\"softmax\", \"sigmoid\" or \"cosine\"");

    if (!name)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS (SCORE_MODES); i++) {
        if (strcmp (name, SCORE_MODES[i]) == 0) {
            parser->score_mode = (int)i;
            return TRUE;
        }
    }
    return altclip_scanner_refuse (&parser->scanner, "\"softmax\", \"sigmoid\" or \"cosine\"");
}

static gboolean
read_set_field (Parser *parser, int field)
{
    g_autofree char *schema = NULL;
    double version;

    switch (field) {
    case SCHEMA:
        schema = altclip_scanner_read_string (&parser->scanner, "a string");
        return schema != NULL;
    case VERSION:
        return altclip_scanner_read_number (&parser->scanner, 1.0, 1.0, "1", &version);
    case SCORE_MODE:
        return read_score_mode (parser);
    case LOGIT_SCALE:
        return altclip_scanner_read_number (
                &parser->scanner, 1.0 / MAX_SCALE, MAX_SCALE, NULL, &parser->logit_scale);
    case SET_TEMPLATES:
        return read_templates (parser, &parser->templates);
    case SET_NEGATIVES:
        return read_negatives (parser, parser->negatives, 0);
    case LABELS:
        return read_labels (parser);
    default:
        return read_rule (parser, (AltclipRule)(field - SET_RULES), parser->rules);
    }
}

static gboolean
read_document (Parser *parser)
{
    AltclipScanner *scanner = &parser->scanner;
    guint64 seen = 0;
    guint line;
    int field;

    altclip_scanner_peek (scanner);
    line = scanner->line;
    if (!altclip_scanner_open_object (scanner, "an object"))
        return FALSE;
    while ((field = altclip_scanner_next_field (scanner, SET_FIELDS, G_N_ELEMENTS (SET_FIELDS))) >=
            0) {
        seen |= G_GUINT64_CONSTANT (1) << field;
        if (!read_set_field (parser, field))
            return FALSE;
    }
    if (!altclip_scanner_finish (scanner))
        return FALSE;
    if (!(seen & 1 << VERSION))
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line, " has no version");
    if (!(seen & 1 << LABELS))
        return altclip_scanner_fail (scanner, ALTCLIP_ERROR_PROMPTS, line, " has no labels");
    return TRUE;
}

/* Only cosines are ever below 0. */
static gboolean
check_thresholds (Parser *parser)
{
    if (!parser->below_zero_place || parser->score_mode == (int)ALTCLIP_SCORE_COSINE)
        return TRUE;
    g_set_error (parser->scanner.error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
            "%s is %g, but must be " THRESHOLD_LIMIT, parser->below_zero_place, parser->below_zero);
    return FALSE;
}

/* What there is to embed: texts by templates, and pictures. */
static guint64
count_vectors (const Parser *parser, GPtrArray *entries)
{
    guint64 n_set_templates = parser->templates ? parser->templates->len : 1;
    guint64 n = 0;

    for (guint i = 0; i < entries->len; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (entries, i);
        n += entry->texts->len *
             (entry->templates ? (guint64)entry->templates->len : n_set_templates);
        n += entry->pictures ? entry->pictures->len : 0;
    }
    return n;
}

static gboolean
check_vectors (Parser *parser)
{
    guint64 n = count_vectors (parser, parser->labels) + count_vectors (parser, parser->negatives) +
                count_vectors (parser, parser->own_negatives);

    return n <= MAX_VECTORS ||
           altclip_scanner_fail (&parser->scanner, ALTCLIP_ERROR_PROMPTS, parser->scanner.line,
                   " puts texts into templates %" G_GUINT64_FORMAT
                   " times, images counted too; the limit is %d",
                   n, MAX_VECTORS);
}

/* ---- Contradictions -------------------------------------------------------------------------- */

/* Returns: (transfer full): the field of negative number @index of @list */
static char *
name_negative (GPtrArray *list, guint index, gboolean owned)
{
    const AltclipPromptEntry *entry = g_ptr_array_index (list, index);
    guint first = index;

    if (!owned)
        return g_strdup_printf ("negatives[%u]", index);
    while (first > 0 && ((const AltclipPromptEntry *)g_ptr_array_index (list, first - 1))->owner ==
                                entry->owner)
        first--;
    return g_strdup_printf ("labels[%u].negatives[%u]", entry->owner, index - first);
}

static gboolean
check_negatives (Parser *parser, GPtrArray *list, gboolean owned, GPtrArray *templates)
{
    const AltclipEntries labels = { (AltclipPromptEntry *const *)parser->labels->pdata,
        parser->labels->len };
    const AltclipEntries negatives = { (AltclipPromptEntry *const *)list->pdata, list->len };
    g_autofree char *field = NULL;
    g_autofree char *text = NULL;
    g_autofree char *label = NULL;
    AltclipContradiction found;

    if (!altclip_contradiction_find (&labels, &negatives, owned, templates, &found))
        return TRUE;
    field = name_negative (list, found.negative, owned);
    text = altclip_excerpt (found.text);
    label = altclip_excerpt (labels.entries[found.label]->label);
    g_set_error (parser->scanner.error, ALTCLIP_ERROR, ALTCLIP_ERROR_PROMPTS,
            "%s: line %u: %s: \"%s\" is a text of the label \"%s\" too: neither could win",
            parser->scanner.name, negatives.entries[found.negative]->line, field, text, label);
    return FALSE;
}

/* @set: an empty one, whose templates hold where the file has none */
static gboolean
check_all_negatives (Parser *parser, const AltclipPrompts *set)
{
    GPtrArray *templates = parser->templates ? parser->templates : set->templates;

    return check_negatives (parser, parser->negatives, FALSE, templates) &&
           check_negatives (parser, parser->own_negatives, TRUE, templates);
}

/* ---- The set --------------------------------------------------------------------------------- */

static void
parser_init (Parser *parser, const char *name, const char *directory, const char *bytes,
        gsize length, AltclipPictureLoader loader, GError **error)
{
    *parser =
            (Parser){ .directory = directory, .takes_pictures = loader != NULL, .score_mode = -1 };
    altclip_scanner_init (&parser->scanner, name, bytes, length, error);
    parser->labels = g_ptr_array_new_with_free_func ((GDestroyNotify)altclip_prompt_entry_free);
    parser->negatives = g_ptr_array_new_with_free_func ((GDestroyNotify)altclip_prompt_entry_free);
    parser->own_negatives =
            g_ptr_array_new_with_free_func ((GDestroyNotify)altclip_prompt_entry_free);
    parser->groups = g_hash_table_new_full (altclip_name_hash, g_str_equal, g_free, NULL);
    parser->regions = altclip_prompts_new_regions ();
    for (guint i = 0; i < ALTCLIP_N_RULES; i++)
        parser->rules[i] = NAN;
}

static void
parser_clear (Parser *parser)
{
    g_clear_pointer (&parser->labels, g_ptr_array_unref);
    g_clear_pointer (&parser->negatives, g_ptr_array_unref);
    g_clear_pointer (&parser->own_negatives, g_ptr_array_unref);
    g_clear_pointer (&parser->templates, g_ptr_array_unref);
    g_hash_table_unref (parser->groups);
    g_clear_pointer (&parser->regions, g_array_unref);
    g_free (parser->ready_place);
    g_free (parser->below_zero_place);
}

/* A label's own rules go before the set's. */
static void
inherit_rules (const Parser *parser)
{
    for (guint i = 0; i < parser->labels->len; i++) {
        AltclipPromptEntry *entry = g_ptr_array_index (parser->labels, i);
        for (guint j = 0; j < ALTCLIP_N_RULES; j++) {
            if (isnan (entry->rules[j]))
                entry->rules[j] = parser->rules[j];
        }
    }
}

static void
name_groups (const Parser *parser, AltclipPrompts *prompts)
{
    prompts->n_groups = g_hash_table_size (parser->groups) + 1;
    g_ptr_array_set_size (prompts->group_names, (gint)prompts->n_groups);
    for (guint i = 0; i < parser->labels->len; i++) {
        const AltclipPromptEntry *entry = g_ptr_array_index (parser->labels, i);
        if (entry->group > 0)
            g_ptr_array_index (prompts->group_names, entry->group) = entry->group_name;
    }
}

/* Labels compete with those of their group that look at the same part of the picture: cosines of
 * different pictures do not compare. */
static void
number_contests (const Parser *parser, AltclipPrompts *prompts)
{
    g_autoptr (GHashTable) numbers =
            g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

    for (guint i = 0; i < parser->labels->len; i++) {
        AltclipPromptEntry *entry = g_ptr_array_index (parser->labels, i);
        gint64 pair = (gint64)entry->group * (ALTCLIP_MAX_REGIONS + 1) + entry->region;
        gpointer number;

        if (!g_hash_table_lookup_extended (numbers, &pair, NULL, &number)) {
            number = GUINT_TO_POINTER (g_hash_table_size (numbers));
            g_hash_table_insert (numbers, g_memdup2 (&pair, sizeof pair), number);
        }
        entry->contest = GPOINTER_TO_UINT (number);
        prompts->n_without_region += entry->region == 0;
    }
    prompts->n_contests = g_hash_table_size (numbers);
}

/* Moves what was read into an empty set. */
static void
fill_set (Parser *parser, AltclipPrompts *prompts)
{
    inherit_rules (parser);
    name_groups (parser, prompts);
    number_contests (parser, prompts);
    g_array_unref (prompts->regions);
    prompts->regions = g_steal_pointer (&parser->regions);
    prompts->n_labels = parser->labels->len;
    prompts->n_negatives = parser->negatives->len;
    prompts->n_own_negatives = parser->own_negatives->len;
    g_ptr_array_extend_and_steal (prompts->entries, g_steal_pointer (&parser->labels));
    g_ptr_array_extend_and_steal (prompts->entries, g_steal_pointer (&parser->negatives));
    g_ptr_array_extend_and_steal (prompts->entries, g_steal_pointer (&parser->own_negatives));
    if (parser->templates) {
        g_ptr_array_unref (prompts->templates);
        prompts->templates = g_steal_pointer (&parser->templates);
    }
    prompts->score_mode = parser->score_mode;
    prompts->own_logit_scale = parser->logit_scale;
    prompts->ready_dim = parser->ready_dim;
    prompts->ready_place = g_steal_pointer (&parser->ready_place);
}

static gboolean
parse_into (AltclipPrompts *prompts, const char *name, const char *directory, const char *bytes,
        gsize length, AltclipPictureLoader loader, GError **error)
{
    Parser parser;
    gboolean ok;

    parser_init (&parser, name, directory, bytes, length, loader, error);
    ok = read_document (&parser) && check_thresholds (&parser) && check_vectors (&parser) &&
         check_all_negatives (&parser, prompts);
    if (ok) {
        fill_set (&parser, prompts);
        prompts->loader = loader;
    }
    parser_clear (&parser);
    return ok;
}

AltclipPrompts *
altclip_prompts_parse_file (const char *name, const char *directory, const char *bytes,
        gsize length, AltclipPictureLoader loader, GError **error)
{
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_new ();

    if (!parse_into (prompts, name, directory, bytes, length, loader, error))
        return NULL;
    return g_steal_pointer (&prompts);
}

gboolean
altclip_prompts_read_file (AltclipPrompts *prompts, GError **error)
{
    g_autofree char *directory = NULL;
    g_autofree char *contents = NULL;
    gsize length;

    if (!prompts->file)
        return TRUE;
    if (!altclip_file_read (
                prompts->file, ALTCLIP_PROMPTS_FILE_MAX_BYTES, &contents, &length, error))
        return FALSE;
    directory = g_path_get_dirname (prompts->file);
    if (!parse_into (prompts, prompts->file, directory, contents, length, prompts->loader, error))
        return FALSE;
    g_clear_pointer (&prompts->file, g_free);
    return TRUE;
}

AltclipPrompts *
altclip_prompts_new_for_file (const char *path, AltclipPictureLoader loader)
{
    AltclipPrompts *prompts = altclip_prompts_new ();

    prompts->file = g_strdup (path);
    prompts->loader = loader;
    return prompts;
}

AltclipPrompts *
altclip_prompts_load (const char *path, AltclipPictureLoader loader, GError **error)
{
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_new_for_file (path, loader);

    return altclip_prompts_read_file (prompts, error) ? g_steal_pointer (&prompts) : NULL;
}
