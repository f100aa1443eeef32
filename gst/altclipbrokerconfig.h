/* altclip: where an MQTT broker is, and how to log in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_BROKER_CONFIG_H
#define GST_ALTCLIP_BROKER_CONFIG_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstAltclipBrokerConfig:
 * @address: host and maybe port
 * @host: of @address
 * @port: of @address
 * @topic: what events and results are below
 * @client_id: (nullable): %NULL: the broker chooses
 * @username: (nullable)
 * @password: (nullable)
 * @tls: whether the connection is encrypted, and the broker must have a
 *   certificate that is right
 * @ca_file: (nullable): certificates to trust; %NULL: the system's
 * @certificate_file: (nullable): the client's own
 * @key_file: (nullable): the client's own
 * @any_host_name: whether the broker's certificate may be another host's
 */
typedef struct
{
  gchar *address;
  gchar *host;
  guint port;
  gchar *topic;
  gchar *client_id;
  gchar *username;
  gchar *password;
  gboolean tls;
  gchar *ca_file;
  gchar *certificate_file;
  gchar *key_file;
  gboolean any_host_name;
} GstAltclipBrokerConfig;

/**
 * gst_altclip_broker_config_new:
 * @address: (nullable): `host` or `host:port`
 * @topic: (nullable)
 * @client_id: (nullable)
 * @file: (nullable): path of a JSON object, whose fields go before the others
 * @error: names the file, the field and what is wrong with it
 *
 * Returns: (transfer full) (nullable): the configuration
 */
GstAltclipBrokerConfig *gst_altclip_broker_config_new (const gchar *address,
    const gchar *topic, const gchar *client_id, const gchar *file,
    GError **error);
void gst_altclip_broker_config_free (GstAltclipBrokerConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (
    GstAltclipBrokerConfig, gst_altclip_broker_config_free)

G_END_DECLS

#endif /* GST_ALTCLIP_BROKER_CONFIG_H */
