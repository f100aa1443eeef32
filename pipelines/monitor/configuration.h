/* altclip: what the monitor is told to watch and how
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hooks.h"
#include "store.h"

G_BEGIN_DECLS

typedef struct {
    char *name;
    char *uri;             /* without credentials */
    char *user, *password; /* nullable */
    char *transport;       /* auto, tcp, udp */
    guint64 interval;      /* ns */
    char *prompts;         /* nullable; short form, as altclipfilter's property */
    char *prompts_file;    /* nullable */
    char *region;          /* nullable; x,y,w,h */
    char *certificate;     /* nullable; PEM file, of rtsps and https */
    guint watchdog;        /* s without a frame */
} MonitorCameraConfig;

/* What a camera has that is told nothing else: ns, s. */
#define MONITOR_CAMERA_INTERVAL (G_GUINT64_CONSTANT (500000000))
#define MONITOR_CAMERA_WATCHDOG 10

MonitorCameraConfig *monitor_camera_config_copy (const MonitorCameraConfig *config);
gboolean monitor_camera_config_equal (
        const MonitorCameraConfig *one, const MonitorCameraConfig *other);
void monitor_camera_config_free (MonitorCameraConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorCameraConfig, monitor_camera_config_free)

typedef struct {
    char *listen; /* address */
    guint16 port;
    char *token;                     /* nullable; from a file or ALTCLIP_MONITOR_TOKEN */
    char *tls_certificate, *tls_key; /* nullable */
    char *data_directory;
    char *model;     /* nullable */
    char *precision; /* nullable */
    guint threads;
    MonitorRetention retention;
    char *mqtt_address, *mqtt_config; /* nullable */
    GPtrArray *hooks;                 /* (element-type MonitorHookConfig) */
    GPtrArray *cameras;               /* (element-type MonitorCameraConfig) */
} MonitorConfiguration;

/* One clear error that names file, field, value and limit. */
MonitorConfiguration *monitor_configuration_read (const char *path, GError **error);
MonitorConfiguration *monitor_configuration_new_for_uris (char **uris, GError **error);
/* cameras: of a configuration. (transfer none) (nullable) */
const MonitorCameraConfig *monitor_configuration_find_camera (
        const GPtrArray *cameras, const char *name);
void monitor_configuration_free (MonitorConfiguration *configuration);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MonitorConfiguration, monitor_configuration_free)

G_END_DECLS
