/* altclip: one life of a camera's pipeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opening and closing may hang, in a driver or on a network: a thread of each connection does both,
 * and nobody waits for it. Callbacks come in the default main context.
 */

#pragma once

#include "event.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _MonitorConnection MonitorConnection;

/* What a pipeline is made from; all strings are nullable but name and uri, and copied. */
typedef struct {
    const char *name, *uri, *user, *password;
    gboolean udp; /* of RTSP: over UDP, else TCP */
    guint64 interval;
    const char *region;
    const char *certificate;
    const char *prompts, *negative_prompts, *prompts_file;
    const char *model, *precision;
    guint threads;
    const char *mqtt_address, *mqtt_config;
    GTlsDatabase *trust; /* of the connection's own, whatever is given */
} MonitorConnectionSettings;

/* Why a connection failed, for what is tried next. */
typedef enum {
    MONITOR_FAILURE_OTHER,
    MONITOR_FAILURE_ENDED,   /* a file's or stream's end */
    MONITOR_FAILURE_REFUSED, /* nobody listens, or there is no such thing, or the password is wrong
                              */
    MONITOR_FAILURE_OWN,     /* nothing of the camera's: the model, say */
} MonitorFailure;

typedef struct {
    void (*playing) (MonitorConnection *connection, gpointer data); /* with the first frame */
    void (*failed) (MonitorConnection *connection, MonitorFailure failure, const char *reason,
            gpointer data); /* once */
    void (*warned) (MonitorConnection *connection, const char *text, gpointer data);
    void (*results) (MonitorConnection *connection, const GValue *results, gpointer data);
    void (*event) (MonitorConnection *connection, MonitorEvent *event, gpointer data);
    void (*ended) (MonitorConnection *connection, gpointer data); /* last of all, once */
} MonitorConnectionCallbacks;

typedef struct {
    gint64 last_data;  /* monotonic time when something came, first of all the opening; µs */
    gint64 last_frame; /* when a frame was decoded that was to be */
    guint64 received;  /* encoded frames, or raw ones where a source sends such */
    guint64 decoded;
    gint width, height; /* 0: not known */
} MonitorConnectionStats;

/* data: (transfer full): let go after ended() */
MonitorConnection *monitor_connection_open (const MonitorConnectionSettings *settings,
        const MonitorConnectionCallbacks *callbacks, GObject *data);
MonitorConnection *monitor_connection_ref (MonitorConnection *connection);
void monitor_connection_unref (MonitorConnection *connection);

/* Returns at once. After it only event() and ended() come. */
void monitor_connection_close (MonitorConnection *connection);

void monitor_connection_get_stats (MonitorConnection *connection, MonitorConnectionStats *stats);

/* Frames analysed, and the worker's, of which the model's load is told. (transfer full) (nullable)
 */
GstStructure *monitor_connection_get_filter_stats (MonitorConnection *connection);

void monitor_connection_set_prompts_file (MonitorConnection *connection, const char *path);

/* Whether somebody looks: then every frame is decoded. */
void monitor_connection_set_looking (MonitorConnection *connection, gboolean looking);

/* (transfer full) (nullable): the newest frame */
GstSample *monitor_connection_get_frame (MonitorConnection *connection);

G_END_DECLS
