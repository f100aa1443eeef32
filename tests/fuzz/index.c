/* altclip: fuzz target: the index of sharded weights
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../verdict.h"
#include "shards.h"
#include "target.h"

#include <string.h>

/* Every tensor is in a shard that is listed, and no shard is anywhere but beside the index. */
static void
check_shards (const AltclipShards *shards)
{
    GHashTableIter iter;
    gpointer shard;

    for (guint i = 0; i < shards->names->len; i++) {
        const char *name = g_ptr_array_index (shards->names, i);
        if (*name == '\0' || strchr (name, '/') || strcmp (name, "..") == 0)
            verdict_fail ("a shard called '%s'", name);
    }
    g_hash_table_iter_init (&iter, shards->shard_of);
    while (g_hash_table_iter_next (&iter, NULL, &shard)) {
        if (!g_ptr_array_find (shards->names, shard, NULL))
            verdict_fail ("a shard that is not listed");
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipShards) shards =
            altclip_shards_parse (TARGET_NAME, (const char *)data, size, &error);

    verdict_check (shards != NULL, error, TARGET_NAME);
    if (shards)
        check_shards (shards);
    return 0;
}
