/* altclip: what one computing thread needs beside the model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_SESSION_H
#define ALTCLIP_SESSION_H

#include "model.h"

G_BEGIN_DECLS

AltclipWorkspace *altclip_session_get_workspace (AltclipSession *session);

/* Scales each of the rows [n, dim] to unit length; FALSE when one is zero or not a number. */
gboolean altclip_normalise_rows (float *rows, guint n, guint dim, GError **error);

G_END_DECLS

#endif /* ALTCLIP_SESSION_H */
