/* altclip: the index of weights that are spread over several files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * {"metadata": {"total_size": …}, "weight_map": {"tensor's name": "file's name", …}}
 */

#include "excerpt.h"
#include "file.h"
#include "json.h"
#include "name_hash.h"
#include "shards.h"

#include <string.h>

#define MAX_NAME_BYTES 255

static gboolean
check_shard_name (const char *path, const char *tensor, json_t *value, GError **error)
{
    const char *name = json_string_value (value);
    g_autofree char *shown_tensor = NULL;
    g_autofree char *shown = NULL;

    if (name && *name && strlen (name) <= MAX_NAME_BYTES && !strchr (name, '/') &&
            !strstr (name, "..") && strcmp (name, ".") != 0 && altclip_excerpt_is_printable (name))
        return TRUE;
    shown_tensor = altclip_excerpt (tensor);
    shown = altclip_excerpt (name ? name : "(not a string)");
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
            "%s: weight_map: tensor '%s' is in '%s', but that must be the name of a file beside "
            "the "
            "index, of 1 to %d bytes, without '/' and '..'",
            path, shown_tensor, shown, MAX_NAME_BYTES);
    return FALSE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
    return strcmp (*(char *const *)a, *(char *const *)b);
}

static gboolean
read_map (AltclipShards *shards, json_t *map, GError **error)
{
    g_autoptr (GHashTable) seen = g_hash_table_new (altclip_name_hash, g_str_equal);
    const char *tensor;
    json_t *value;

    json_object_foreach (map, tensor, value)
    {
        char *name;

        if (!check_shard_name (shards->path, tensor, value, error))
            return FALSE;
        name = g_hash_table_lookup (seen, json_string_value (value));
        if (!name) {
            name = g_strdup (json_string_value (value));
            g_ptr_array_add (shards->names, name);
            g_hash_table_add (seen, name);
        }
        g_hash_table_insert (shards->shard_of, g_strdup (tensor), name);
    }
    g_ptr_array_sort (shards->names, compare_names);
    return TRUE;
}

static gboolean
check_counts (const char *path, gsize n_tensors, gsize n_shards, GError **error)
{
    if (n_tensors > 0 && n_tensors <= ALTCLIP_SHARDS_MAX_TENSORS && n_shards <= ALTCLIP_SHARDS_MAX)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
            "%s: weight_map lists %" G_GSIZE_FORMAT " tensors in %" G_GSIZE_FORMAT
            " files, but there must be 1 to %d tensors in at most %d files",
            path, n_tensors, n_shards, ALTCLIP_SHARDS_MAX_TENSORS, ALTCLIP_SHARDS_MAX);
    return FALSE;
}

AltclipShards *
altclip_shards_parse (const char *path, const char *json, gsize n_json, GError **error)
{
    g_autoptr (AltclipShards) shards = g_new0 (AltclipShards, 1);
    json_t *root = altclip_json_parse (path, json, n_json, 0, error);
    json_t *map = json_object_get (root, "weight_map");
    gboolean ok = FALSE;

    shards->path = g_strdup (path);
    shards->names = g_ptr_array_new_with_free_func (g_free);
    shards->shard_of = g_hash_table_new_full (altclip_name_hash, g_str_equal, g_free, NULL);
    if (root && !json_is_object (map)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: weight_map is missing, or not an object of names of files by names of tensors",
                path);
    } else if (root) {
        ok = read_map (shards, map, error) &&
             check_counts (path, json_object_size (map), shards->names->len, error);
    }
    json_decref (root);
    return ok ? g_steal_pointer (&shards) : NULL;
}

AltclipShards *
altclip_shards_open (const char *path, GError **error)
{
    g_autofree char *contents = NULL;
    gsize length;

    if (!altclip_file_read (path, ALTCLIP_SHARDS_MAX_BYTES, &contents, &length, error))
        return NULL;
    return altclip_shards_parse (path, contents, length, error);
}

void
altclip_shards_free (AltclipShards *shards)
{
    if (!shards)
        return;
    g_hash_table_unref (shards->shard_of);
    g_ptr_array_unref (shards->names);
    g_free (shards->path);
    g_free (shards);
}
