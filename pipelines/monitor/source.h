/* altclip: elements that bring a camera's pictures
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "connection.h"

G_BEGIN_DECLS

/* Called before a decoder, in its thread, with a frame; FALSE: it is dropped. buffer is NULL where
 * frames of another format, size say, begin. */
typedef gboolean (*MonitorSourceFrame) (GstBuffer *buffer, gpointer data);

/* Adds to pipeline what brings raw video from settings->uri to sink. Of the settings nothing is
 * kept; data lives as long as the pipeline. */
gboolean monitor_source_add (GstBin *pipeline, GstElement *sink,
        const MonitorConnectionSettings *settings, MonitorSourceFrame frame, gpointer data,
        GError **error);

/* Whether there is such a test picture, where it is one. */
gboolean monitor_source_check (const char *uri, GError **error);

/* Whether what is there has an end and waits for us, as a file does. */
gboolean monitor_source_is_file (const char *uri);

G_END_DECLS
