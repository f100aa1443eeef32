/* altclip: a timeline as a picture or a page
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef CHART_H
#define CHART_H

#include "timeline.h"

G_BEGIN_DECLS

/* More would be higher than a picture can be. */
#define CHART_MAX_LABELS 300

typedef enum { CHART_SVG, CHART_PNG, CHART_HTML } ChartFormat;

/* Returns: whether the end of @path says what to write, which then is @format */
gboolean chart_parse_format (const char *path, ChartFormat *format);

/**
 * chart_write:
 * @timeline: finished, with a frame at least, and %CHART_MAX_LABELS labels at most
 * @title: in UTF-8
 * @path: replaced
 * @error: #ALTCLIP_ERROR_IO, naming the file
 *
 * Draws a lane for each label, below pictures of the video: its score over time, the threshold, and
 * when it was active. Letters become outlines, so that they are seen where their fonts are not. A
 * page also has a table of what was active.
 */
gboolean chart_write (const Timeline *timeline, const char *title, ChartFormat format,
        const char *path, GError **error);

G_END_DECLS

#endif /* CHART_H */
