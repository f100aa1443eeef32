/* altclip: where an MQTT broker is, and how to log in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipbrokerconfig.h"

#include "excerpt.h"

#include <gio/gio.h>
#include <jansson.h>
#include <string.h>

#define DEFAULT_ADDRESS "localhost"
#define DEFAULT_TOPIC "altclip"
#define DEFAULT_PORT 1883
#define DEFAULT_TLS_PORT 8883

#define MAX_FILE_SIZE 65536

/* What MQTT has room for, less what comes after the topic. */
#define MAX_STRING 65000

typedef struct
{
  const gchar *name;
  gsize offset;
  json_type type;
} Field;

#define STRING(name, member)                                            \
  {                                                                     \
    name, G_STRUCT_OFFSET (GstAltclipBrokerConfig, member), JSON_STRING \
  }
#define BOOLEAN(name, member)                                         \
  {                                                                   \
    name, G_STRUCT_OFFSET (GstAltclipBrokerConfig, member), JSON_TRUE \
  }

static const Field fields[] = {
    STRING ("address", address),
    STRING ("topic", topic),
    STRING ("client_id", client_id),
    STRING ("username", username),
    STRING ("password", password),
    BOOLEAN ("tls", tls),
    STRING ("ca_file", ca_file),
    STRING ("certificate_file", certificate_file),
    STRING ("key_file", key_file),
    BOOLEAN ("any_host_name", any_host_name),
};

static gboolean refuse (GError **error, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, format, arguments);
  va_end (arguments);
  return FALSE;
}

/* ---- The file ----------------------------------------------------------- */

static const Field *
find_field (const gchar *name)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++)
    if (g_str_equal (fields[i].name, name))
      return &fields[i];
  return NULL;
}

static gboolean
set_field (GstAltclipBrokerConfig *config, const gchar *name,
    const json_t *value, const gchar *file, GError **error)
{
  const Field *field = find_field (name);
  gpointer member;

  if (field == NULL) {
    g_autofree gchar *shown = altclip_excerpt (name);

    return refuse (error, "%s: there is no field %s", file, shown);
  }
  member = G_STRUCT_MEMBER_P (config, field->offset);
  if (field->type == JSON_STRING) {
    if (!json_is_string (value))
      return refuse (error, "%s: '%s' must be a string", file, name);
    if (json_string_length (value) > MAX_STRING)
      return refuse (error,
          "%s: '%s' has %" G_GSIZE_FORMAT " bytes, and at most %d are allowed",
          file, name, (gsize) json_string_length (value), MAX_STRING);
    g_free (*(gchar **) member);
    *(gchar **) member = g_strdup (json_string_value (value));
    return TRUE;
  }
  if (!json_is_boolean (value))
    return refuse (error, "%s: '%s' must be true or false", file, name);
  *(gboolean *) member = json_is_true (value);
  return TRUE;
}

static gboolean
read_contents (
    const gchar *path, const gchar *file, gchar **text, GError **error)
{
  g_autoptr (GFile) source = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = NULL;
  g_autoptr (GError) failure = NULL;
  gsize length = 0;

  *text = g_malloc (MAX_FILE_SIZE + 2);
  if (g_file_test (path, G_FILE_TEST_EXISTS)
      && !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return refuse (error, "%s: not a regular file", file);
  stream = g_file_read (source, NULL, &failure);
  if (stream == NULL
      || !g_input_stream_read_all (G_INPUT_STREAM (stream), *text,
          MAX_FILE_SIZE + 1, &length, NULL, &failure))
    return refuse (error, "%s: %s", file, failure->message);
  if (length > MAX_FILE_SIZE)
    return refuse (error, "%s has more than %d bytes", file, MAX_FILE_SIZE);
  (*text)[length] = '\0';
  if (strlen (*text) != length)
    return refuse (error, "%s: not a text file", file);
  return TRUE;
}

static gboolean
read_file (GstAltclipBrokerConfig *config, const gchar *path, GError **error)
{
  g_autofree gchar *file = g_filename_display_name (path);
  g_autofree gchar *text = NULL;
  json_error_t where;
  json_t *object;
  json_t *value;
  const char *name;
  gboolean ok = TRUE;

  if (!read_contents (path, file, &text, error))
    return FALSE;
  object = json_loads (text, JSON_REJECT_DUPLICATES, &where);
  /* Not the parser's words, which quote the file: it may hold a password. */
  if (object == NULL)
    return refuse (
        error, "%s, line %d: not JSON, or a field twice", file, where.line);
  if (!json_is_object (object))
    ok = refuse (error, "%s: must be an object", file);
  else
    json_object_foreach (object, name, value)
    {
      ok = ok && set_field (config, name, value, file, error);
    }
  json_decref (object);
  return ok;
}

/* ---- The rest ----------------------------------------------------------- */

/* Says what it is, unless somebody may have written a password into it. */
static gboolean
refuse_address (const gchar *address, GError **error)
{
  g_autofree gchar *shown = altclip_excerpt (address);

  if (strchr (address, '@') != NULL)
    return refuse (error,
        "The broker's address must be a host, or a host, a colon and a port "
        "from 1 to 65535, without a user's name and password");
  return refuse (error,
      "The broker's address is %s, and must be a host, or a host, a colon "
      "and a port from 1 to 65535",
      shown);
}

/* `host`, `host:port`, `[address]:port` */
static gboolean
parse_address (GstAltclipBrokerConfig *config, GError **error)
{
  g_autoptr (GSocketConnectable) connectable = g_network_address_parse (
      config->address, config->tls ? DEFAULT_TLS_PORT : DEFAULT_PORT, NULL);

  /* No host has an @, but what stands before one would be taken for a part of
   * it, or, in a URI, be dropped. */
  if (connectable == NULL || strchr (config->address, '@') != NULL
      || *g_network_address_get_hostname (G_NETWORK_ADDRESS (connectable))
          == '\0'
      || g_network_address_get_port (G_NETWORK_ADDRESS (connectable)) == 0)
    return refuse_address (config->address, error);
  config->host = g_strdup (
      g_network_address_get_hostname (G_NETWORK_ADDRESS (connectable)));
  config->port = g_network_address_get_port (G_NETWORK_ADDRESS (connectable));
  return TRUE;
}

/* Whether it is a string of MQTT's. */
static gboolean
is_allowed (const gchar *text)
{
  if (strlen (text) > MAX_STRING || !g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);

    if (g_unichar_iscntrl (c) || (c >= 0xfdd0 && c <= 0xfdef)
        || (c & 0xfffe) == 0xfffe)
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_topic (GstAltclipBrokerConfig *config, GError **error)
{
  if (*config->topic != '\0' && is_allowed (config->topic)
      && strpbrk (config->topic, "+#") == NULL)
    return TRUE;
  return refuse (error,
      "The topic must be UTF-8 of at most %d bytes, without + and # and "
      "control characters",
      MAX_STRING);
}

static gboolean
check_name (const gchar *what, const gchar *name, GError **error)
{
  if (name == NULL || is_allowed (name))
    return TRUE;
  return refuse (error,
      "The %s must be UTF-8 of at most %d bytes, without control characters",
      what, MAX_STRING);
}

static gboolean
check_login (GstAltclipBrokerConfig *config, GError **error)
{
  if (!check_name ("client id", config->client_id, error)
      || !check_name ("username", config->username, error))
    return FALSE;
  if (config->password != NULL && config->username == NULL)
    return refuse (error, "There is a password without a username");
  if (!config->tls
      && (config->ca_file != NULL || config->certificate_file != NULL
          || config->key_file != NULL || config->any_host_name))
    return refuse (error, "There are certificates, but 'tls' is not true");
  if (config->certificate_file != NULL && config->ca_file == NULL)
    return refuse (error, "'certificate_file' needs 'ca_file' too");
  if ((config->certificate_file == NULL) != (config->key_file == NULL))
    return refuse (
        error, "Of 'certificate_file' and 'key_file' one alone is set");
  return TRUE;
}

GstAltclipBrokerConfig *
gst_altclip_broker_config_new (const gchar *address, const gchar *topic,
    const gchar *client_id, const gchar *file, GError **error)
{
  g_autoptr (GstAltclipBrokerConfig) config =
      g_new0 (GstAltclipBrokerConfig, 1);

  config->address = g_strdup (address != NULL ? address : DEFAULT_ADDRESS);
  config->topic = g_strdup (topic != NULL ? topic : DEFAULT_TOPIC);
  config->client_id = g_strdup (client_id);
  if (file != NULL && !read_file (config, file, error))
    return NULL;
  /* An empty one is none, as of the property. */
  if (config->client_id != NULL && *config->client_id == '\0')
    g_clear_pointer (&config->client_id, g_free);
  if (!parse_address (config, error) || !check_topic (config, error)
      || !check_login (config, error))
    return NULL;
  return g_steal_pointer (&config);
}

void
gst_altclip_broker_config_free (GstAltclipBrokerConfig *config)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++)
    if (fields[i].type == JSON_STRING)
      g_free (G_STRUCT_MEMBER (gchar *, config, fields[i].offset));
  g_free (config->host);
  g_free (config);
}
