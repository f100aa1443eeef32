/* altclip: what a camera looks for, as a document
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prompt_set.h"

#include "still.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

#define NEGATIVES "a clear picture"
#define DEFAULT "/altclip/monitor/watch.json"

AltclipPrompts *
monitor_prompts_load (const char *path, GError **error)
{
    return altclip_prompts_load (path, still_load, error);
}

AltclipPrompts *
monitor_prompts_parse (const char *prompts, const char **negatives, GError **error)
{
    AltclipPrompts *set = altclip_prompts_parse (prompts, NEGATIVES, NULL, NULL);

    if (negatives)
        *negatives = set ? NEGATIVES : NULL;
    /* One of the labels may be the negative itself. */
    return set ? set : altclip_prompts_parse (prompts, NULL, NULL, error);
}

gboolean
monitor_prompts_write_default (const char *path, GError **error)
{
    g_autoptr (GBytes) bytes =
            g_resources_lookup_data (DEFAULT, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
    gsize length;
    const char *text;

    if (!bytes)
        return FALSE;
    text = g_bytes_get_data (bytes, &length);
    return g_file_set_contents (path, text, (gssize)length, error);
}

gboolean
monitor_prompts_write_short (const char *path, const char *prompts, GError **error)
{
    g_autoptr (AltclipPrompts) set = monitor_prompts_parse (prompts, NULL, error);
    g_autofree char *directory = g_path_get_dirname (path);
    g_autofree char *document = set ? altclip_prompts_describe (set) : NULL;

    /* Where there is no folder, writing says so. */
    g_mkdir_with_parents (directory, 0700);
    return document && g_file_set_contents (path, document, -1, error);
}

/* ---- Documents of others -------------------------------------------------------------------- */

static void
add_pictures (json_t *owner, GHashTable *pictures)
{
    json_t *item, *images = json_object_get (owner, "images");
    gsize i;

    json_array_foreach (images, i, item)
    {
        if (json_is_string (item))
            g_hash_table_add (pictures, g_strdup (json_string_value (item)));
    }
}

static void
add_pictures_of_all (json_t *list, GHashTable *pictures)
{
    json_t *item;
    gsize i;

    json_array_foreach (list, i, item)
    {
        add_pictures (item, pictures);
        add_pictures_of_all (json_object_get (item, "negatives"), pictures);
    }
}

/* (element-type utf8): the files that a document names */
static GHashTable *
find_pictures (json_t *root)
{
    GHashTable *pictures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

    add_pictures_of_all (json_object_get (root, "labels"), pictures);
    add_pictures_of_all (json_object_get (root, "negatives"), pictures);
    return pictures;
}

static gboolean
check_pictures (const char *document, const char *before, GError **error)
{
    json_error_t fault;
    json_t *root = json_loads (document, JSON_REJECT_DUPLICATES, &fault);
    json_t *old = json_loads (before, 0, NULL);
    g_autoptr (GHashTable) wanted = NULL;
    g_autoptr (GHashTable) known = NULL;
    GHashTableIter iter;
    gpointer picture;
    gboolean right = root != NULL;

    if (!root) {
        g_set_error (
                error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "line %d: %s", fault.line, fault.text);
    } else {
        wanted = find_pictures (root);
        known = find_pictures (old);
        g_hash_table_iter_init (&iter, wanted);
        while (right && g_hash_table_iter_next (&iter, &picture, NULL))
            right = g_hash_table_contains (known, picture);
        if (!right)
            g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                    "images: a picture that was not there before can only be added in the "
                    "camera's prompts_file");
    }
    json_decref (root);
    json_decref (old);
    return right;
}

/* The reader speaks of the file that it read, which is nobody's business. */
static void
forget_path (GError *error, const char *path)
{
    const char *rest = g_str_has_prefix (error->message, path) ? error->message + strlen (path)
                                                               : error->message;
    char *message = g_strdup (rest + strspn (rest, ": "));

    g_free (error->message);
    error->message = message;
}

gboolean
monitor_prompts_keep (const char *path, const char *document, const char *before, GError **error)
{
    g_autofree char *draft = g_strconcat (path, ".new", NULL);
    g_autofree char *directory = g_path_get_dirname (path);
    g_autoptr (AltclipPrompts) prompts = NULL;
    g_autoptr (GError) fault = NULL;

    if (strlen (document) > MONITOR_PROMPTS_MAX_BYTES) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "more than %d bytes",
                MONITOR_PROMPTS_MAX_BYTES);
        return FALSE;
    }
    if (!check_pictures (document, before, error))
        return FALSE;
    if (g_mkdir_with_parents (directory, 0700) != 0 ||
            !g_file_set_contents_full (draft, document, -1,
                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &fault)) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the prompts cannot be kept: %s",
                fault ? fault->message : "there is no place for them");
        return FALSE;
    }
    prompts = monitor_prompts_load (draft, &fault);
    if (!prompts) {
        forget_path (fault, draft);
        g_propagate_error (error, g_steal_pointer (&fault));
        g_unlink (draft);
        return FALSE;
    }
    if (g_rename (draft, path) != 0) {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the prompts cannot be kept");
        g_unlink (draft);
        return FALSE;
    }
    return TRUE;
}
