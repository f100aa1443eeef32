/* altclip: fuzz target: the pickle of a pytorch_model.bin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is put into an archive with storages of 4, 8, 24 and 64 bytes, called 0 to 3.
 */

#include "../archive.h"
#include "../verdict.h"
#include "state_dict.h"
#include "target.h"
#include "tensors.h"

static GBytes *
wrap (const uint8_t *data, size_t size)
{
    static const guint8 storage[64] = { 0, 0, 0x80, 0x3f };
    Archive *archive = archive_new (ARCHIVE_PLAIN);

    archive_add (archive, "archive/data.pkl", data, size);
    archive_add (archive, "archive/data/0", storage, 4);
    archive_add (archive, "archive/data/1", storage, 8);
    archive_add (archive, "archive/data/2", storage, 24);
    archive_add (archive, "archive/data/3", storage, sizeof storage);
    return g_byte_array_free_to_bytes (archive_finish (archive));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GBytes) bytes = wrap (data, size);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipTensorFile) file = altclip_state_dict_parse (TARGET_NAME, bytes, &error);

    verdict_check (file != NULL, error, TARGET_NAME);
    if (file)
        tensors_read (file);
    return 0;
}
