/* altclip: token ids with masks, positions and types of a caller's own
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_ENCODING_H
#define ALTCLIP_ENCODING_H

#include "config.h"

G_BEGIN_DECLS

/* Whether the text tower of @config can look all of it up. */
gboolean altclip_encoding_check (
        const AltclipEncoding *encoding, const AltclipTextConfig *config, GError **error);

G_END_DECLS

#endif /* ALTCLIP_ENCODING_H */
