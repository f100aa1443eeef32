/* altclip: whether what a configuration names is there and may be used
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "configuration.h"

G_BEGIN_DECLS

/* Of what no field's value alone tells: the model, and the folder for events. Leaves nothing
 * behind. */
gboolean monitor_inspection_run (const MonitorConfiguration *configuration, GError **error);

G_END_DECLS
