/* altclip: records as lines of a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_LINES_H
#define GST_ALTCLIP_LINES_H

#include "altclipcourier.h"

G_BEGIN_DECLS

/**
 * GstAltclipLines:
 *
 * A file, a named pipe or standard output, to which lines are appended.
 */
typedef struct _GstAltclipLines GstAltclipLines;

/**
 * gst_altclip_lines_new:
 * @path: (nullable): %NULL: standard output
 *
 * Returns: (transfer full) (nullable): %NULL with @error, which names the file,
 *   when it cannot be opened
 */
GstAltclipLines *gst_altclip_lines_new (const gchar *path, GError **error);

const GstAltclipCarrier *gst_altclip_lines_get_carrier (void);

G_END_DECLS

#endif /* GST_ALTCLIP_LINES_H */
