/* altclip: how often the element works out how to resample a part of a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_TEST_PLANS_H
#define ALTCLIP_TEST_PLANS_H

#include <glib.h>

/* Returns: how many plans for frames were made in this process so far */
guint plans_get_n_made (void);

#endif /* ALTCLIP_TEST_PLANS_H */
