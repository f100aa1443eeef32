/* altclip: pytorch_model.bin, a state dict that torch.save() wrote
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_STATE_DICT_H
#define ALTCLIP_STATE_DICT_H

#include "tensor_file.h"

G_BEGIN_DECLS

/* All tensors of a file together may stand for this many times its bytes, and some more: several
 * may share a storage, or repeat it, but none must make much of little. */
#define ALTCLIP_STATE_DICT_MAX_UNFOLDING 4
#define ALTCLIP_STATE_DICT_MAX_UNFOLDED (1024 * 1024)

/**
 * altclip_state_dict_parse:
 * @path: where @bytes come from, for messages
 * @bytes: a whole file; kept as long as the result
 *
 * Reads the file's outline: the archive's directory and headers, and the pickle that says what lies
 * where. Nothing of the pickle is called; a file with anything else than a state dict needs is
 * refused, and its message names that. The tensors' data are not looked at.
 *
 * Returns: (transfer full) (nullable): the file, its tensors in the order of the dict
 */
AltclipTensorFile *altclip_state_dict_parse (const char *path, GBytes *bytes, GError **error);

G_END_DECLS

#endif /* ALTCLIP_STATE_DICT_H */
