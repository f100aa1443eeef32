/* altclip: the index of weights that are spread over several files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_SHARDS_H
#define ALTCLIP_SHARDS_H

#include "altclip.h"

G_BEGIN_DECLS

/* Longest index that is read, in bytes. */
#define ALTCLIP_SHARDS_MAX_BYTES (8 * 1024 * 1024)

/* Most files that an index may name. */
#define ALTCLIP_SHARDS_MAX 1024

/* Most tensors that an index may list. */
#define ALTCLIP_SHARDS_MAX_TENSORS 65536

typedef struct {
    char *path;
    GPtrArray *names;     /* of char *: the shards' files, each once, sorted */
    GHashTable *shard_of; /* tensor's name → its shard's, one of @names */
} AltclipShards;

/**
 * altclip_shards_open:
 * @path: a `model.safetensors.index.json` or `pytorch_model.bin.index.json`
 *
 * Returns: (transfer full) (nullable): the index; its shards are not looked at
 */
AltclipShards *altclip_shards_open (const char *path, GError **error);

/**
 * altclip_shards_parse:
 * @path: where @json comes from, for messages
 * @json: [n_json], a whole index
 *
 * As altclip_shards_open(). The names of shards are those of files beside the index: none leads
 * elsewhere.
 *
 * Returns: (transfer full) (nullable): the index
 */
AltclipShards *altclip_shards_parse (
        const char *path, const char *json, gsize n_json, GError **error);

void altclip_shards_free (AltclipShards *shards);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipShards, altclip_shards_free)

G_END_DECLS

#endif /* ALTCLIP_SHARDS_H */
