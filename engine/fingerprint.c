/* altclip: what tells one model from another without reading it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fingerprint.h"

#include <string.h>

/* Files of at most this size are told apart by what they hold. */
#define MAX_SMALL_BYTES (256 * 1024)

/* To be raised when texts get other embeddings from the same files than before. */
#define COMPUTATION 1

static const char *const SETTINGS[] = {
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "sentencepiece.bpe.model",
    "tokenizer.json",
};

/* Each piece with its length, so that no two lists of pieces look alike. */
static void
add_bytes (GChecksum *checksum, gconstpointer bytes, gsize n)
{
    guint64 length = n;

    g_checksum_update (checksum, (const guchar *)&length, sizeof length);
    g_checksum_update (checksum, bytes, (gssize)n);
}

static void
add_string (GChecksum *checksum, const char *string)
{
    add_bytes (checksum, string, strlen (string));
}

/* Field by field, since a structure may have holes. */
static void
add_identity (GChecksum *checksum, const AltclipFileIdentity *identity)
{
    const gint64 fields[] = { (gint64)identity->device, (gint64)identity->inode,
        (gint64)identity->n_bytes, identity->modified, identity->changed };

    add_bytes (checksum, fields, sizeof fields);
}

/* A file that cannot be read is as good as none: whoever needs it will say so. */
static void
add_file (GChecksum *checksum, const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_autofree char *contents = NULL;
    AltclipFileIdentity identity;
    gsize n;

    add_string (checksum, name);
    if (altclip_file_read (path, MAX_SMALL_BYTES, &contents, &n, NULL)) {
        add_string (checksum, "holds");
        add_bytes (checksum, contents, n);
    } else if (altclip_file_identify (path, &identity)) {
        add_string (checksum, "is");
        add_identity (checksum, &identity);
    }
}

static void
finish (GChecksum *checksum, AltclipFingerprint *fingerprint)
{
    gsize n = sizeof fingerprint->bytes;

    g_checksum_get_digest (checksum, fingerprint->bytes, &n);
    g_checksum_free (checksum);
}

void
altclip_fingerprint_take_settings (const char *directory, AltclipFingerprint *fingerprint)
{
    GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);

    for (gsize i = 0; i < G_N_ELEMENTS (SETTINGS); i++)
        add_file (checksum, directory, SETTINGS[i]);
    finish (checksum, fingerprint);
}

void
altclip_fingerprint_take (const AltclipFingerprint *settings, AltclipWeights *weights,
        const char *kernels, AltclipFingerprint *fingerprint)
{
    GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
    const GPtrArray *files = altclip_weights_get_files (weights);
    const guint32 computation = COMPUTATION;

    add_bytes (checksum, &computation, sizeof computation);
    add_string (checksum, kernels);
    add_bytes (checksum, settings->bytes, sizeof settings->bytes);
    for (guint i = 0; i < files->len; i++) {
        const AltclipWeightsFile *file = g_ptr_array_index (files, i);

        add_identity (checksum, &file->identity);
        add_bytes (checksum, file->tensors->outline, file->tensors->n_outline);
    }
    finish (checksum, fingerprint);
}
