/* altclip: the element altclippublish
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_PUBLISH_H
#define GST_ALTCLIP_PUBLISH_H

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include "altclipcourier.h"
#include "altclipoutbox.h"
#include "altcliprecorder.h"
#include "altclipspool.h"

G_BEGIN_DECLS

#define GST_TYPE_ALTCLIP_PUBLISH (gst_altclip_publish_get_type ())
G_DECLARE_FINAL_TYPE (GstAltclipPublish, gst_altclip_publish, GST,
    ALTCLIP_PUBLISH, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (altclippublish)

/**
 * GstAltclipPublishMethod:
 * @GST_ALTCLIP_PUBLISH_METHOD_FILE: lines at the end of a file
 * @GST_ALTCLIP_PUBLISH_METHOD_STDOUT: lines on standard output
 * @GST_ALTCLIP_PUBLISH_METHOD_MQTT: messages to an MQTT broker
 */
typedef enum
{
  GST_ALTCLIP_PUBLISH_METHOD_FILE,
  GST_ALTCLIP_PUBLISH_METHOD_STDOUT,
  GST_ALTCLIP_PUBLISH_METHOD_MQTT
} GstAltclipPublishMethod;

/**
 * GstAltclipPublishResults:
 * @GST_ALTCLIP_PUBLISH_RESULTS_NONE: events alone
 * @GST_ALTCLIP_PUBLISH_RESULTS_ANALYSED: once for each analysed frame
 * @GST_ALTCLIP_PUBLISH_RESULTS_ALL: for each frame that has some
 */
typedef enum
{
  GST_ALTCLIP_PUBLISH_RESULTS_NONE,
  GST_ALTCLIP_PUBLISH_RESULTS_ANALYSED,
  GST_ALTCLIP_PUBLISH_RESULTS_ALL
} GstAltclipPublishResults;

/**
 * GstAltclipPublish:
 *
 * The object lock guards the properties, @spool and @courier for readers in
 * other threads; the rest belongs to the streaming thread.
 */
struct _GstAltclipPublish
{
  GstBaseTransform parent;

  GstAltclipPublishMethod method;
  GstAltclipPublishResults results;
  gchar *file_path;
  gchar *address;
  gchar *topic;
  gchar *client_id;
  gchar *config_file;
  gchar *source;
  guint max_reconnect_interval;
  guint64 buffer_size;
  guint64 flush_timeout;

  GstAltclipSpool *spool;
  GstAltclipCourier *courier;
  GstAltclipOutbox outbox;

  guint64 sequence;
  gboolean gave_up; /* waiting for all to be published, since the last of it */
  GstAltclipRecorder recorder;
};

G_END_DECLS

#endif /* GST_ALTCLIP_PUBLISH_H */
