/* altclip: a camera and what is seen there
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Of the default main context. Signals: "changed" (state or reason, without arguments) and "event"
 * (a MonitorEvent *, which the handler refs if it keeps it).
 */

#pragma once

#include "configuration.h"

G_BEGIN_DECLS

#define MONITOR_TYPE_CAMERA (monitor_camera_get_type ())
G_DECLARE_FINAL_TYPE (MonitorCamera, monitor_camera, MONITOR, CAMERA, GObject)

typedef enum {
    MONITOR_CAMERA_STOPPED,
    MONITOR_CAMERA_CONNECTING,
    MONITOR_CAMERA_PLAYING,
    MONITOR_CAMERA_WAITING, /* until the next try */
} MonitorCameraState;

/* At most 5 a second, in the main context, and only while somebody looks. */
typedef void (*MonitorPicture) (GBytes *jpeg, gpointer data);

MonitorCamera *monitor_camera_new (
        const MonitorCameraConfig *config, const MonitorConfiguration *configuration);
void monitor_camera_start (MonitorCamera *camera);
void monitor_camera_stop (MonitorCamera *camera);

/* Whether a pipeline of it has not ended yet. */
gboolean monitor_camera_is_busy (MonitorCamera *camera);
const char *monitor_camera_get_name (MonitorCamera *camera);

/* name, uri (without credentials), state, reason, since, width, height, fps, frames, analysed,
 * reconnects, warning, labels: [{label, score, active, since, region?}], last_event */
json_t *monitor_camera_describe (MonitorCamera *camera);

/* (transfer full): the JSON document of a prompts file, see docs/prompts-file.schema.json. */
char *monitor_camera_get_prompts (MonitorCamera *camera, GError **error);

/* A prompts_file of the configuration whose content has changed is in force at once, unless what
 * was edited goes before it. */
void monitor_camera_reread_prompts (MonitorCamera *camera);

/* Checked, kept in DATA_DIRECTORY/prompts/NAME.json, and in force at once. */
gboolean monitor_camera_set_prompts (MonitorCamera *camera, const char *json, GError **error);

/* The event is on disk: from now on it is the last one that is described. */
void monitor_camera_set_last_event (MonitorCamera *camera, MonitorEvent *event);

guint monitor_camera_look (MonitorCamera *camera, MonitorPicture picture, gpointer data);
void monitor_camera_look_away (MonitorCamera *camera, guint id);

G_END_DECLS
