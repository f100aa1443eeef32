/* altclip: events of a film, from its frames' embeddings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_H
#define REPLAY_H

#include "altclip.h"
#include "event.h"
#include "sights.h"

G_BEGIN_DECLS

/* How a film's frames become events. */
typedef struct _Replay Replay;

/* @file: of prompts. Exits when it is wrong. Returns: (transfer full) */
Replay *replay_new (AltclipSession *session, const json_t *file);

void replay_free (Replay *replay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Replay, replay_free)

/* Returns: the longest min_on of the labels, in seconds */
double replay_get_min_on (const Replay *replay);

/* As the element does it. Returns: (transfer full) (element-type Event) */
GArray *replay_run (const Replay *replay, const Sights *sights);

/* The label that scores most on a frame is there, if that is half of all or more.
 * Returns: (transfer full) (element-type Event) */
GArray *replay_run_plain (const Replay *replay, const Sights *sights);

G_END_DECLS

#endif /* REPLAY_H */
