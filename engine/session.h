/* altclip: what one computing thread needs beside the model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_SESSION_H
#define ALTCLIP_SESSION_H

#include "model.h"

G_BEGIN_DECLS

AltclipWorkspace *altclip_session_get_workspace (AltclipSession *session);

/* Between the two the session keeps the text tower, once altclip_session_get_text() needed it: a
 * large one is packed once for many texts, and let go after them. They nest. */
void altclip_session_begin_texts (AltclipSession *session);
void altclip_session_end_texts (AltclipSession *session);

/* Returns: (transfer none) (nullable): the text tower, until the last altclip_session_end_texts()
 */
const AltclipText *altclip_session_get_text (
        AltclipSession *session, GCancellable *cancellable, GError **error);

/**
 * altclip_session_prepare_pictures:
 * @inputs: (out caller-allocated): valid until the next call
 *
 * Checks the pictures' size and finds its positions, which are interpolated once for pictures of
 * one size after the other.
 *
 * Returns: (transfer none) (nullable): the tower to run with @inputs
 */
const AltclipVision *altclip_session_prepare_pictures (AltclipSession *session,
        const AltclipPictures *pictures, AltclipVisionInputs *inputs, GError **error);

/* Scales @embedding [dim] to unit length; FALSE when it is zero or not a number. The message says
 * of what length it is, and leaves it to the caller to say whose. */
gboolean altclip_normalise (float *embedding, guint dim, GError **error);

/* The same of the rows [n, dim]; the message tells which of them it is: "@what 1" is the first. */
gboolean altclip_normalise_rows (const char *what, float *rows, guint n, guint dim, GError **error);

G_END_DECLS

#endif /* ALTCLIP_SESSION_H */
