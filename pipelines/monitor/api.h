/* altclip-monitor: what each path answers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "access.h"
#include "status.h"
#include "stream.h"

G_BEGIN_DECLS

typedef struct {
    MonitorStatus *status;
    MonitorStreams *streams;
    MonitorAccess *access;
} MonitorApi;

typedef struct {
    MonitorApi *api;
    SoupServerMessage *message;
    char *item; /* nullable: what stands for {} in the path */
} MonitorRequest;

typedef struct {
    const char *method;
    const char *path;
    gboolean open; /* to everybody, since it holds nothing of anybody */
    gsize max_body;
    void (*answer) (MonitorRequest *request);
} MonitorRoute;

const MonitorRoute *monitor_api_find_route (
        const char *method, const char *path, char **item, char **allow);

G_END_DECLS
