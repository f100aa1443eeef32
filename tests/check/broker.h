/* altclip: an MQTT broker and who listens to it, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The broker is a mosquitto on a free port of the loopback interface, which keeps its subscriptions
 * when it is started again.
 */

#ifndef ALTCLIP_TEST_BROKER_H
#define ALTCLIP_TEST_BROKER_H

#include <glib.h>
#include <jansson.h>

typedef struct {
    char *folder;
    guint port;
    GPid process; /* 0: it does not run */
} Broker;

/* Whether there is a mosquitto to start; says so if not. */
gboolean broker_is_there (void);

/* @settings: further lines of its configuration, %FOLDER% being its folder; not running yet. */
Broker *broker_new (const char *settings);
void broker_free (Broker *broker);

/* Waits until it takes connections. */
void broker_start (Broker *broker);

/* It does nothing more, and keeps its connections. */
void broker_freeze (Broker *broker);

/* As with kill, and waits until it is gone. */
void broker_kill (Broker *broker, int signal);

/* (transfer full): a file in its folder. */
char *broker_get_path (Broker *broker, const char *name);

/* A port that nothing listens on. */
guint find_free_port (void);

/* What the broker sends of `altclip/events` and `altclip/results`, across its restarts. */
typedef struct _Listener Listener;

/* Waits until it is subscribed. @qos: the highest that it gets. With 0 all that was on the way to
 * it arrives when the broker is killed. */
Listener *listener_new (Broker *broker, int qos);
void listener_free (Listener *listener);

/* Waits until it has subscribed to both @n times: after each restart it does so again. */
void listener_wait_until_subscribed (Listener *listener, guint n);

/* (transfer full): all lines so far; those of events are in the order in which they came. */
json_t *listener_get_lines (Listener *listener);

/* Waits until @n lines have come. */
void listener_wait_for_lines (Listener *listener, guint n);

/* Waits until @n different events have come. */
void listener_wait_for_events (Listener *listener, guint n);

#endif /* ALTCLIP_TEST_BROKER_H */
