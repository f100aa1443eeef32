/* altclip: what a message shows of a text that is not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_EXCERPT_H
#define ALTCLIP_EXCERPT_H

#include <glib.h>

G_BEGIN_DECLS

/* Longest part that is shown, in bytes. */
#define ALTCLIP_EXCERPT_MAX_BYTES 80

/* Most texts of a list that are shown. */
#define ALTCLIP_EXCERPT_MAX_TEXTS 5

/**
 * altclip_excerpt:
 * @text: (nullable): bytes of any kind, up to a NUL; %NULL: an empty text
 *
 * One line of valid UTF-8 that is safe to print: bytes that are not UTF-8, control characters and
 * line separators become U+FFFD, and after %ALTCLIP_EXCERPT_MAX_BYTES an ellipsis stands for the
 * rest.
 *
 * Returns: (transfer full): the excerpt
 */
char *altclip_excerpt (const char *text);

/**
 * altclip_excerpt_list:
 * @texts: [n] (array length=n)
 * @n: their number
 *
 * Returns: (transfer full): excerpts of the first of them between double quotes, with commas, and
 *     of more than %ALTCLIP_EXCERPT_MAX_TEXTS how many more there are
 */
char *altclip_excerpt_list (const char *const *texts, guint n);

/* Returns: whether @text is valid UTF-8 on one line, without control characters. */
gboolean altclip_excerpt_is_printable (const char *text);

G_END_DECLS

#endif /* ALTCLIP_EXCERPT_H */
