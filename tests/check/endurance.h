/* altclip: how long tests last that may run for minutes, and what they must not use up
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TEST_ENDURANCE_H
#define ALTCLIP_TEST_ENDURANCE_H

#include <glib.h>

/* Whether a sanitizer keeps memory of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED TRUE
#else
#define SANITIZED FALSE
#endif

/* What ALTCLIP_SOAK_SECONDS in the environment says, as tests/soak sets it, else @usual. */
guint get_soak_seconds (guint usual);

/* Of this process, in bytes. */
gsize get_resident_memory (void);

#endif /* ALTCLIP_TEST_ENDURANCE_H */
