/* altclip: records as messages of MQTT
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_BROKER_H
#define GST_ALTCLIP_BROKER_H

#include "altclipbrokerconfig.h"
#include "altclipcourier.h"

G_BEGIN_DECLS

/**
 * GstAltclipBroker:
 *
 * A connection to an MQTT broker, in version 3.1.1 of the protocol. Events have
 * QoS 1: each is kept until the broker has acknowledged it, and sent again after
 * a lost connection, in order. Results have QoS 0.
 */
typedef struct _GstAltclipBroker GstAltclipBroker;

/**
 * gst_altclip_broker_new:
 * @config: (transfer full)
 *
 * Returns: (transfer full) (nullable): %NULL with @error when @config cannot
 *   work, or altclip was built without libmosquitto
 */
GstAltclipBroker *gst_altclip_broker_new (
    GstAltclipBrokerConfig *config, GError **error);

/**
 * gst_altclip_broker_get_carrier:
 *
 * Returns: (nullable): %NULL without libmosquitto
 */
const GstAltclipCarrier *gst_altclip_broker_get_carrier (void);

G_END_DECLS

#endif /* GST_ALTCLIP_BROKER_H */
