/* altclip: cameras of the monitor and servers for them, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "camera.h"

G_BEGIN_DECLS

/* A server in a process of its own, which can be killed and stopped. */
typedef struct {
    guint port;
    const char *codec, *user, *password; /* the last two are nullable */
    GPid pid;                            /* 0: it does not run */
} Server;

void server_start (Server *server);
void server_signal (Server *server, int signal);
void server_kill (Server *server);

/* A port that nobody uses. */
guint find_port (void);

/* A camera as the program has it, and what came from it. */
typedef struct {
    MonitorCamera *camera;
    GPtrArray *events; /* of MonitorEvent */
    guint n_pictures;
} Lens;

Lens *lens_new (const MonitorCameraConfig *config, const char *data_directory);
void lens_free (Lens *lens); /* waits until its pipelines have ended */

char *lens_get_text (Lens *lens, const char *field);
gint64 lens_get_number (Lens *lens, const char *field);
gboolean lens_has_label (Lens *lens, const char *label);
gboolean lens_is (Lens *lens, const char *state);
guint lens_count_events (Lens *lens, const char *kind, const char *label);

/* Runs the main context meanwhile. wait_for(): whether it became so in time. */
typedef gboolean (*Condition) (gpointer data);
gboolean wait_for (Condition condition, gpointer data, double seconds);
void wait_seconds (double seconds);
gboolean lens_wait_state (Lens *lens, const char *state, double seconds);

G_END_DECLS
