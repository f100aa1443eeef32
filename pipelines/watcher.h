/* altclip: a stream of video that is being watched
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WATCHER_H
#define WATCHER_H

#include "console.h"
#include "source.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* One thread, that of the default main context. */
typedef struct _Watcher Watcher;

/**
 * WatcherRules:
 * @results: also write the results of each analysed frame
 * @patience: ns that what is no file may bring no frame; 0: any time
 * @paced: play a file as fast as it was recorded
 */
typedef struct {
    gboolean results;
    guint64 patience;
    gboolean paced;
} WatcherRules;

/**
 * WatcherFault:
 * @WATCHER_FAULT_NONE: it came to its end, or was asked to end
 * @WATCHER_FAULT_SOURCE: something is wrong with the source
 * @WATCHER_FAULT_MODEL: something is wrong with the model or the prompts, of all sources alike
 */
typedef enum { WATCHER_FAULT_NONE, WATCHER_FAULT_SOURCE, WATCHER_FAULT_MODEL } WatcherFault;

/* Told once, before the watcher lets go of the model. @message: for people, with a fault. */
typedef void (*WatcherDone) (
        Watcher *watcher, WatcherFault fault, const char *message, gpointer user_data);

/**
 * watcher_new:
 * @source: to outlive the watcher, like @console
 * @console: where the records go
 */
Watcher *watcher_new (const Source *source, Console *console, const WatcherRules *rules,
        WatcherDone done, gpointer user_data);

void watcher_free (Watcher *watcher);

/* Begins to watch, once. @filter: (transfer floating): an altclipfilter with its properties set */
void watcher_start (Watcher *watcher, GstElement *filter);

/* Ends the stream, so that what is active ends. */
void watcher_end (Watcher *watcher);

/* To be called a few times a second: notices what sends no message. */
void watcher_check (Watcher *watcher);

/* Whether it was started, and is not done. */
gboolean watcher_is_busy (const Watcher *watcher);

/**
 * watcher_get_progress:
 * @time: (out): of the newest frame, in ns from the begin
 * @duration: (out): in ns; 0: unknown
 * @n_frames: (out): that were analysed
 */
void watcher_get_progress (Watcher *watcher, guint64 *time, guint64 *duration, guint *n_frames);

/* Appends what is active to @names (element-type utf8); or what is being waited for. */
void watcher_append_active (Watcher *watcher, GPtrArray *names);

G_END_DECLS

#endif /* WATCHER_H */
