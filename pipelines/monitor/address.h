/* altclip: where a camera is, and what of that is secret
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A test picture, as in test:smpte; the rest is a pattern of videotestsrc. */
#define MONITOR_ADDRESS_TEST "test:"

/* An address of rtsp, rtsps, http, https, file, v4l2, test, or the path of a file or device.
 *
 * user, password: (inout): those in the address take their place
 *
 * Returns: (transfer full) (nullable): the address, without them */
char *monitor_address_parse (const char *text, char **user, char **password, GError **error);

gboolean monitor_address_is_http (const char *uri);

/* Whether what is sent there and comes from there is encrypted. */
gboolean monitor_address_has_tls (const char *uri);

/* Returns: (transfer full): a name for a camera there: the host's or the file's */
char *monitor_address_get_name (const char *uri);

/* Returns: (transfer full): the address with parameters that look like secrets blotted out */
char *monitor_address_scrub (const char *uri);

/* Returns: (transfer full): a message of somebody else's without password, and without what stands
 * before the @ in an address */
char *monitor_message_scrub (const char *message, const char *user, const char *password);

G_END_DECLS
