/* altclip: texts in the columns of a terminal
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef COLUMNS_H
#define COLUMNS_H

#include <glib.h>

G_BEGIN_DECLS

/* Returns: how many columns @text, UTF-8, fills */
guint columns_count (const char *text);

/**
 * columns_cut:
 * @text: UTF-8
 * @n: columns, at least 1
 *
 * Returns: (transfer full): as much of @text as @n columns hold, with an ellipsis for the rest, and
 * nothing in it that a terminal would obey
 */
char *columns_cut (const char *text, guint n);

G_END_DECLS

#endif /* COLUMNS_H */
