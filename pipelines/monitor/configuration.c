/* altclip: what the monitor is told to watch and how
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "configuration.h"

#include "address.h"
#include "altclip.h"
#include "altclipbrokerconfig.h"
#include "prompt_set.h"
#include "source.h"
#include "trust.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Files larger than these are not what they are said to be. */
#define MAX_FILE_BYTES (4 * 1024 * 1024)
#define MAX_SECRET_BYTES (64 * 1024)

#define MAX_CAMERAS 256
#define MAX_HOOKS 256
#define MAX_NAME_BYTES 64
#define MAX_TEXT_BYTES 4096

/* A part of the file while it is read: where it is, for messages, and its values. */
typedef struct {
    const char *path;  /* of the file */
    const char *where; /* of this object in it, with a point behind it; "" at the top */
    json_t *object;
} Section;

/* ---- Errors --------------------------------------------------------------------------------- */

static gboolean refuse (const Section *section, const char *field, GError **error,
        const char *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
refuse (const Section *section, const char *field, GError **error, const char *format, ...)
{
    va_list arguments;
    g_autofree char *text = NULL;

    va_start (arguments, format);
    text = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s%s: %s", section->path,
            section->where, field, text);
    return FALSE;
}

/* The value as it is written, shortened. Never of a field that holds a secret. */
static char *
dup_value (json_t *value)
{
    char *text = json_dumps (value, JSON_ENCODE_ANY | JSON_COMPACT);
    char *copy;

    if (text && strlen (text) > 60)
        copy = g_strdup ("what is there");
    else
        copy = g_strdup (text ? text : "what is there");
    free (text);
    return copy;
}

static gboolean
check_fields (const Section *section, const char *const *fields, GError **error)
{
    const char *key;
    json_t *value;

    json_object_foreach (section->object, key, value)
    {
        if (!g_strv_contains (fields, key)) {
            g_autofree char *known = g_strjoinv (", ", (char **)fields);

            return refuse (section, key, error, "there is no such field; there are %s", known);
        }
    }
    return TRUE;
}

/* ---- Values --------------------------------------------------------------------------------- */

static gboolean
is_plain (const char *text)
{
    for (const char *at = text; *at; at = g_utf8_next_char (at))
        if (g_unichar_iscntrl (g_utf8_get_char (at)))
            return FALSE;
    return TRUE;
}

/* Leaves *text alone when the field is not there. */
static gboolean
read_text (const Section *section, const char *field, char **text, GError **error)
{
    json_t *value = json_object_get (section->object, field);
    g_autofree char *found = NULL;

    if (!value || json_is_null (value))
        return TRUE;
    if (!json_is_string (value)) {
        found = dup_value (value);
        return refuse (section, field, error, "%s is no text", found);
    }
    if (json_string_length (value) == 0)
        return refuse (section, field, error, "the text is empty");
    if (json_string_length (value) > MAX_TEXT_BYTES)
        return refuse (section, field, error, "%zu bytes are too long, at most %d",
                json_string_length (value), MAX_TEXT_BYTES);
    if (!is_plain (json_string_value (value)))
        return refuse (section, field, error, "a control character is in it");
    g_free (*text);
    *text = g_strdup (json_string_value (value));
    return TRUE;
}

/* A path is relative to the file that names it. */
static gboolean
read_path (const Section *section, const char *field, char **path, GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *directory = NULL;

    if (!read_text (section, field, &text, error))
        return FALSE;
    if (!text)
        return TRUE;
    directory = g_path_get_dirname (section->path);
    g_free (*path);
    *path = g_path_is_absolute (text) ? g_steal_pointer (&text)
                                      : g_build_filename (directory, text, NULL);
    return TRUE;
}

static gboolean
read_number (const Section *section, const char *field, double least, double most, double *number,
        GError **error)
{
    json_t *value = json_object_get (section->object, field);
    g_autofree char *found = NULL;

    if (!value || json_is_null (value))
        return TRUE;
    found = dup_value (value);
    if (!json_is_number (value))
        return refuse (section, field, error, "%s is no number", found);
    if (!(json_number_value (value) >= least && json_number_value (value) <= most))
        return refuse (section, field, error, "%s is not from %.15g to %.15g", found, least, most);
    *number = json_number_value (value);
    return TRUE;
}

static gboolean
read_whole_number (const Section *section, const char *field, guint least, guint most,
        guint *number, GError **error)
{
    double value = *number;

    if (!read_number (section, field, least, most, &value, error))
        return FALSE;
    if (value != floor (value))
        return refuse (section, field, error, "%.15g is no whole number", value);
    *number = (guint)value;
    return TRUE;
}

static gboolean
read_choice (const Section *section, const char *field, const char *const *choices, char **choice,
        GError **error)
{
    g_autofree char *known = g_strjoinv (", ", (char **)choices);

    if (!read_text (section, field, choice, error))
        return FALSE;
    if (*choice && !g_strv_contains (choices, *choice))
        return refuse (section, field, error, "\"%s\" is none of %s", *choice, known);
    return TRUE;
}

/* A section within another; its object is NULL when the field is not there. */
static gboolean
open_section (const Section *section, const char *field, const char *where, Section *inner,
        GError **error)
{
    json_t *value = json_object_get (section->object, field);
    g_autofree char *found = NULL;

    *inner = (Section){ .path = section->path, .where = where, .object = NULL };
    if (!value || json_is_null (value))
        return TRUE;
    if (!json_is_object (value)) {
        found = dup_value (value);
        return refuse (section, field, error, "%s is no object", found);
    }
    inner->object = value;
    return TRUE;
}

/* ---- Files ---------------------------------------------------------------------------------- */

/* is_secret: nothing of what is in it is said */
static json_t *
load_object (const char *path, gsize most, gboolean is_secret, GError **error)
{
    g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
    json_error_t fault;
    json_t *root;

    if (!file)
        return NULL;
    if (g_mapped_file_get_length (file) > most) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "%s: %zu bytes are too many, at most %zu", path, g_mapped_file_get_length (file),
                most);
        return NULL;
    }
    root = json_loadb (g_mapped_file_get_contents (file) ? g_mapped_file_get_contents (file) : "",
            g_mapped_file_get_length (file), JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: line %d: %s", path,
                fault.line, is_secret ? "this is not JSON" : fault.text);
        return NULL;
    }
    if (!json_is_object (root)) {
        g_set_error (
                error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: this is no JSON object", path);
        json_decref (root);
        return NULL;
    }
    return root;
}

/* What everybody can read is no secret. A group may be there for it, and where there is an access
 * control list, what is shown as the group's is but its mask. */
static void
warn_of_readers (const char *path)
{
    GStatBuf status;

    if (g_stat (path, &status) == 0 && (status.st_mode & 0007) != 0)
        g_warning ("%s: everybody on this machine may read it: chmod 600", path);
}

static char *
read_secret (const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;

    if (!g_file_get_contents (path, &text, &length, error))
        return NULL;
    warn_of_readers (path);
    g_strstrip (text);
    if (*text == '\0' || length > 4096 || !g_utf8_validate (text, -1, NULL) || !is_plain (text)) {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "%s: this is no line of 1 to 4096 bytes", path);
        return NULL;
    }
    return g_steal_pointer (&text);
}

/* ---- Cameras -------------------------------------------------------------------------------- */

static void
camera_config_free (gpointer data)
{
    MonitorCameraConfig *config = data;

    g_free (config->name);
    g_free (config->uri);
    g_free (config->user);
    g_free (config->password);
    g_free (config->transport);
    g_free (config->prompts);
    g_free (config->prompts_file);
    g_free (config->region);
    g_free (config->certificate);
    g_free (config);
}

MonitorCameraConfig *
monitor_camera_config_copy (const MonitorCameraConfig *config)
{
    MonitorCameraConfig *copy = g_memdup2 (config, sizeof *config);

    copy->name = g_strdup (config->name);
    copy->uri = g_strdup (config->uri);
    copy->user = g_strdup (config->user);
    copy->password = g_strdup (config->password);
    copy->transport = g_strdup (config->transport);
    copy->prompts = g_strdup (config->prompts);
    copy->prompts_file = g_strdup (config->prompts_file);
    copy->region = g_strdup (config->region);
    copy->certificate = g_strdup (config->certificate);
    return copy;
}

void
monitor_camera_config_free (MonitorCameraConfig *config)
{
    camera_config_free (config);
}

gboolean
monitor_camera_config_equal (const MonitorCameraConfig *one, const MonitorCameraConfig *other)
{
    return g_str_equal (one->name, other->name) && g_str_equal (one->uri, other->uri) &&
           g_strcmp0 (one->user, other->user) == 0 &&
           g_strcmp0 (one->password, other->password) == 0 &&
           g_str_equal (one->transport, other->transport) && one->interval == other->interval &&
           g_strcmp0 (one->prompts, other->prompts) == 0 &&
           g_strcmp0 (one->prompts_file, other->prompts_file) == 0 &&
           g_strcmp0 (one->region, other->region) == 0 &&
           g_strcmp0 (one->certificate, other->certificate) == 0 &&
           one->watchdog == other->watchdog;
}

static MonitorCameraConfig *
camera_config_new (void)
{
    MonitorCameraConfig *config = g_new0 (MonitorCameraConfig, 1);

    config->transport = g_strdup ("auto");
    config->interval = MONITOR_CAMERA_INTERVAL;
    config->watchdog = MONITOR_CAMERA_WATCHDOG;
    return config;
}

/* The name is in paths, topics and addresses. */
static const char *
get_fault_of_name (const char *name)
{
    if (strlen (name) > MAX_NAME_BYTES)
        return "the name is longer than 64 bytes";
    if (name[0] == '.' || strpbrk (name, "/\\"))
        return "a name begins with no point, and has neither / nor \\";
    return NULL;
}

/* ALTCLIP_MONITOR_PASSWORD_FRONT_DOOR for "front door". */
static const char *
get_variable (const char *what, const char *name)
{
    g_autofree char *variable = g_strconcat ("ALTCLIP_MONITOR_", what, "_", name, NULL);
    const char *value;

    for (char *at = variable; *at; at++)
        *at = g_ascii_isalnum (*at) ? g_ascii_toupper (*at) : '_';
    value = g_getenv (variable);
    return value && *value ? value : NULL;
}

/* What the environment says goes before the file, and that before the address. */
static gboolean
add_credentials (MonitorCameraConfig *config, const char *path, json_t *credentials, GError **error)
{
    g_autofree char *where = g_strconcat (config->name, ".", NULL);
    static const char *const fields[] = { "user", "password", NULL };
    Section file = { .path = path, .where = "", .object = credentials };
    Section section = { 0 };
    const char *user = get_variable ("USER", config->name);
    const char *password = get_variable ("PASSWORD", config->name);

    if (credentials) {
        json_t *value = json_object_get (credentials, config->name);

        section = (Section){ .path = path, .where = where, .object = value };
        if (value && !json_is_object (value))
            return refuse (&file, config->name, error, "this is no object");
        if (section.object) {
            if (!check_fields (&section, fields, error) ||
                    !read_text (&section, "user", &config->user, error))
                return FALSE;
            if (json_object_get (section.object, "password") &&
                    !json_is_string (json_object_get (section.object, "password")))
                return refuse (&section, "password", error, "it is no text");
            if (!read_text (&section, "password", &config->password, error))
                return FALSE;
        }
    }
    if (user) {
        g_free (config->user);
        config->user = g_strdup (user);
    }
    if (password) {
        g_free (config->password);
        config->password = g_strdup (password);
    }
    return TRUE;
}

static gboolean
check_region (const Section *section, const char *region, GError **error)
{
    g_auto (GStrv) parts = g_strsplit (region, ",", -1);
    double box[4];

    if (g_strv_length (parts) != 4)
        return refuse (section, "region", error, "\"%s\" is not x,y,w,h", region);
    for (guint i = 0; i < 4; i++) {
        char *end = NULL;

        box[i] = g_ascii_strtod (parts[i], &end);
        while (end && g_ascii_isspace (*end))
            end++;
        if (end == parts[i] || *end != '\0' || !(box[i] >= 0 && box[i] <= 1))
            return refuse (
                    section, "region", error, "\"%s\" is not four numbers from 0 to 1", region);
    }
    if (box[2] <= 0 || box[3] <= 0 || box[0] + box[2] > 1 + 1e-9 || box[1] + box[3] > 1 + 1e-9)
        return refuse (section, "region", error, "\"%s\" is not within the picture", region);
    return TRUE;
}

static gboolean
check_prompts (const Section *section, const MonitorCameraConfig *config, GError **error)
{
    g_autoptr (AltclipPrompts) prompts = NULL;
    g_autoptr (GError) fault = NULL;

    if (config->prompts && config->prompts_file)
        return refuse (section, "prompts_file", error, "there is `prompts` too: one of the two");
    if (config->prompts) {
        prompts = monitor_prompts_parse (config->prompts, NULL, &fault);
        if (!prompts)
            return refuse (section, "prompts", error, "%s", fault->message);
    } else if (config->prompts_file) {
        prompts = monitor_prompts_load (config->prompts_file, &fault);
        if (!prompts)
            return refuse (section, "prompts_file", error, "%s", fault->message);
    }
    return TRUE;
}

/* Whoever names one believes that the camera is asked for it. */
static gboolean
check_certificate (const Section *section, const MonitorCameraConfig *config, GError **error)
{
    g_autoptr (MonitorTrust) trust = NULL;
    g_autoptr (GError) fault = NULL;

    if (!monitor_address_has_tls (config->uri))
        return refuse (section, "certificate", error,
                "the address begins with neither rtsps:// nor https://");
    trust = monitor_trust_new (config->certificate, &fault);
    if (!trust)
        return refuse (
                section, "certificate", error, "%s: %s", config->certificate, fault->message);
    return TRUE;
}

static gboolean
set_address (MonitorCameraConfig *config, const char *uri, GError **error)
{
    g_free (config->uri);
    config->uri = monitor_address_parse (uri, &config->user, &config->password, error);
    return config->uri && monitor_source_check (config->uri, error);
}

static MonitorCameraConfig *
read_camera (const Section *section, const char *path_of_credentials, json_t *credentials,
        GError **error)
{
    static const char *const fields[] = { "name", "uri", "transport", "interval", "prompts",
        "prompts_file", "region", "certificate", "watchdog", NULL };
    static const char *const transports[] = { "auto", "tcp", "udp", NULL };
    g_autoptr (MonitorCameraConfig) config = camera_config_new ();
    g_autofree char *uri = NULL;
    g_autoptr (GError) fault = NULL;
    double interval = (double)config->interval / 1e9;

    if (!check_fields (section, fields, error) ||
            !read_text (section, "name", &config->name, error) ||
            !read_text (section, "uri", &uri, error))
        return NULL;
    if (!config->name || !uri) {
        refuse (section, config->name ? "uri" : "name", error, "it is not there");
        return NULL;
    }
    if (get_fault_of_name (config->name)) {
        refuse (section, "name", error, "\"%s\": %s", config->name,
                get_fault_of_name (config->name));
        return NULL;
    }
    if (!set_address (config, uri, &fault)) {
        refuse (section, "uri", error, "%s", fault->message);
        return NULL;
    }
    if (!read_choice (section, "transport", transports, &config->transport, error) ||
            !read_number (section, "interval", 0, 3600, &interval, error) ||
            !read_text (section, "prompts", &config->prompts, error) ||
            !read_path (section, "prompts_file", &config->prompts_file, error) ||
            !read_text (section, "region", &config->region, error) ||
            (config->region && !check_region (section, config->region, error)) ||
            !read_path (section, "certificate", &config->certificate, error) ||
            (config->certificate && !check_certificate (section, config, error)) ||
            !read_whole_number (section, "watchdog", 1, 3600, &config->watchdog, error) ||
            !check_prompts (section, config, error) ||
            !add_credentials (config, path_of_credentials, credentials, error))
        return NULL;
    config->interval = (guint64)(interval * 1e9 + 0.5);
    return g_steal_pointer (&config);
}

const MonitorCameraConfig *
monitor_configuration_find_camera (const GPtrArray *cameras, const char *name)
{
    for (guint i = 0; i < cameras->len; i++) {
        const MonitorCameraConfig *config = cameras->pdata[i];

        if (g_str_equal (config->name, name))
            return config;
    }
    return NULL;
}

/* (nullable): the array of a field */
static gboolean
get_array (const Section *section, const char *field, gsize most, json_t **array, GError **error)
{
    g_autofree char *found = NULL;

    *array = json_object_get (section->object, field);
    if (!*array || json_is_null (*array)) {
        *array = NULL;
        return TRUE;
    }
    if (!json_is_array (*array)) {
        found = dup_value (*array);
        return refuse (section, field, error, "%s is no array", found);
    }
    if (json_array_size (*array) > most)
        return refuse (section, field, error, "%zu are too many, at most %zu",
                json_array_size (*array), most);
    return TRUE;
}

static gboolean
open_item (const Section *section, json_t *item, const char *where, Section *inner, GError **error)
{
    *inner = (Section){ .path = section->path, .where = where, .object = item };
    if (!json_is_object (item)) {
        *inner = (Section){ .path = section->path, .where = "", .object = NULL };
        return refuse (inner, where, error, "this is no object");
    }
    return TRUE;
}

static gboolean
read_cameras (const Section *section, MonitorConfiguration *configuration,
        const char *path_of_credentials, json_t *credentials, GError **error)
{
    json_t *array, *item;
    gsize i;

    if (!get_array (section, "cameras", MAX_CAMERAS, &array, error))
        return FALSE;
    json_array_foreach (array, i, item)
    {
        g_autofree char *where = g_strdup_printf ("cameras[%zu].", i);
        MonitorCameraConfig *config;
        Section inner;

        if (!open_item (section, item, where, &inner, error))
            return FALSE;
        config = read_camera (&inner, path_of_credentials, credentials, error);
        if (!config)
            return FALSE;
        if (monitor_configuration_find_camera (configuration->cameras, config->name)) {
            refuse (&inner, "name", error, "\"%s\" is another camera's too", config->name);
            camera_config_free (config);
            return FALSE;
        }
        g_ptr_array_add (configuration->cameras, config);
    }
    return TRUE;
}

/* A slip of the pen would let a camera be asked without its password. */
static void
warn_of_strangers (const char *path, json_t *credentials, const GPtrArray *cameras)
{
    const char *name;
    json_t *value;

    json_object_foreach (credentials, name, value)
    {
        if (!monitor_configuration_find_camera (cameras, name))
            g_warning ("%s: \"%s\" is the name of no camera", path, name);
    }
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

static void
hook_config_free (gpointer data)
{
    MonitorHookConfig *config = data;

    g_strfreev (config->command);
    g_free (config->url);
    g_free (config->label);
    g_free (config->camera);
    g_free (config->kind);
    g_free (config);
}

static gboolean
read_command (const Section *section, MonitorHookConfig *config, GError **error)
{
    g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
    json_t *array, *item;
    gsize i;

    if (!get_array (section, "command", 1000, &array, error))
        return FALSE;
    if (!array)
        return TRUE;
    json_array_foreach (array, i, item)
    {
        if (!json_is_string (item) ||
                strlen (json_string_value (item)) != json_string_length (item) ||
                (i == 0 && !json_string_length (item)))
            return refuse (section, "command", error, "word %zu is no text", i + 1);
        g_ptr_array_add (words, g_strdup (json_string_value (item)));
    }
    if (words->len == 0)
        return refuse (section, "command", error, "it is empty");
    g_ptr_array_add (words, NULL);
    config->command = (char **)g_ptr_array_free (g_steal_pointer (&words), FALSE);
    return TRUE;
}

static gboolean
check_program (const Section *section, const char *name, GError **error)
{
    g_autofree char *path = g_find_program_in_path (name);

    return path || refuse (section, "command", error,
                           "\"%s\" is not there, or is no program that may be run", name);
}

static gboolean
read_hook (const Section *section, MonitorHookConfig *config, GError **error)
{
    static const char *const fields[] = { "command", "url", "label", "camera", "kind", "timeout",
        NULL };
    static const char *const kinds[] = { "begin", "end", NULL };

    config->timeout = 10;
    if (!check_fields (section, fields, error) || !read_command (section, config, error) ||
            !read_text (section, "url", &config->url, error) ||
            !read_text (section, "label", &config->label, error) ||
            !read_text (section, "camera", &config->camera, error) ||
            !read_choice (section, "kind", kinds, &config->kind, error) ||
            !read_whole_number (section, "timeout", 1, 3600, &config->timeout, error))
        return FALSE;
    if (!config->command == !config->url)
        return refuse (section, "command", error, "either this or `url`, one of the two");
    if (config->url && !g_str_has_prefix (config->url, "http://") &&
            !g_str_has_prefix (config->url, "https://"))
        return refuse (section, "url", error, "it begins with neither http:// nor https://");
    return !config->command || check_program (section, config->command[0], error);
}

static gboolean
read_hooks (const Section *section, MonitorConfiguration *configuration, GError **error)
{
    json_t *array, *item;
    gsize i;

    if (!get_array (section, "hooks", MAX_HOOKS, &array, error))
        return FALSE;
    json_array_foreach (array, i, item)
    {
        g_autofree char *where = g_strdup_printf ("hooks[%zu].", i);
        MonitorHookConfig *config = g_new0 (MonitorHookConfig, 1);
        Section inner;

        g_ptr_array_add (configuration->hooks, config);
        if (!open_item (section, item, where, &inner, error) || !read_hook (&inner, config, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- All of it ------------------------------------------------------------------------------ */

/* systemd says where; otherwise with the user's other data. */
static char *
get_default_data_directory (void)
{
    const char *directory = g_getenv ("STATE_DIRECTORY");

    if (directory && *directory)
        return g_strndup (directory, strcspn (directory, ":"));
    return g_build_filename (g_get_user_data_dir (), "altclip-monitor", NULL);
}

static void
set_token (MonitorConfiguration *configuration)
{
    const char *token = g_getenv ("ALTCLIP_MONITOR_TOKEN");

    if (token && *token) {
        g_free (configuration->token);
        configuration->token = g_strdup (token);
    }
}

static MonitorConfiguration *
configuration_new (void)
{
    MonitorConfiguration *configuration = g_new0 (MonitorConfiguration, 1);

    configuration->listen = g_strdup ("127.0.0.1");
    configuration->port = 8090;
    configuration->data_directory = get_default_data_directory ();
    configuration->retention.max_age = 30 * 24 * 3600;
    configuration->retention.max_bytes = G_GUINT64_CONSTANT (1) << 30;
    configuration->hooks = g_ptr_array_new_with_free_func (hook_config_free);
    configuration->cameras = g_ptr_array_new_with_free_func (camera_config_free);
    return configuration;
}

static gboolean
read_retention (const Section *section, MonitorRetention *retention, GError **error)
{
    static const char *const fields[] = { "days", "megabytes", NULL };
    double days = (double)retention->max_age / 86400;
    double megabytes = (double)retention->max_bytes / 1048576;
    Section inner;

    if (!open_section (section, "retention", "retention.", &inner, error))
        return FALSE;
    if (!inner.object)
        return TRUE;
    if (!check_fields (&inner, fields, error) ||
            !read_number (&inner, "days", 0, 36500, &days, error) ||
            !read_number (&inner, "megabytes", 0, 1e9, &megabytes, error))
        return FALSE;
    retention->max_age = (guint64)(days * 86400);
    retention->max_bytes = (guint64)(megabytes * 1048576);
    return TRUE;
}

static gboolean
check_readable (const Section *section, const char *path, GError **error)
{
    return !path || g_access (path, R_OK) == 0 ||
           refuse (section, "config", error, "%s: %s", path, g_strerror (errno));
}

/* As altclippublish will read it for each camera. */
static gboolean
check_broker (const Section *section, const MonitorConfiguration *configuration, GError **error)
{
    g_autoptr (GError) fault = NULL;
    g_autoptr (GstAltclipBrokerConfig) broker = gst_altclip_broker_config_new (
            configuration->mqtt_address, NULL, NULL, configuration->mqtt_config, &fault);

    if (!broker)
        return refuse (section, configuration->mqtt_config ? "config" : "address", error, "%s",
                fault->message);
    if (!check_readable (section, broker->ca_file, error) ||
            !check_readable (section, broker->certificate_file, error) ||
            !check_readable (section, broker->key_file, error))
        return FALSE;
    if (broker->password)
        warn_of_readers (configuration->mqtt_config);
    if (broker->key_file)
        warn_of_readers (broker->key_file);
    return TRUE;
}

static gboolean
read_mqtt (const Section *section, MonitorConfiguration *configuration, GError **error)
{
    static const char *const fields[] = { "address", "config", NULL };
    Section inner;

    if (!open_section (section, "mqtt", "mqtt.", &inner, error))
        return FALSE;
    if (!inner.object)
        return TRUE;
    if (!check_fields (&inner, fields, error) ||
            !read_text (&inner, "address", &configuration->mqtt_address, error) ||
            !read_path (&inner, "config", &configuration->mqtt_config, error))
        return FALSE;
    if (!configuration->mqtt_address && !configuration->mqtt_config)
        return refuse (&inner, "address", error, "it is not there, and no `config` that has one");
    return check_broker (&inner, configuration, error);
}

static gboolean
read_server (const Section *section, MonitorConfiguration *configuration, GError **error)
{
    g_autofree char *token_file = NULL;
    guint port = configuration->port;
    g_autoptr (GInetAddress) address = NULL;

    if (!read_text (section, "listen", &configuration->listen, error) ||
            !read_whole_number (section, "port", 0, 65535, &port, error) ||
            !read_path (section, "token_file", &token_file, error) ||
            !read_path (section, "tls_certificate", &configuration->tls_certificate, error) ||
            !read_path (section, "tls_key", &configuration->tls_key, error))
        return FALSE;
    address = g_inet_address_new_from_string (configuration->listen);
    if (!address)
        return refuse (section, "listen", error,
                "\"%s\" is no address such as 127.0.0.1 or ::", configuration->listen);
    if (!configuration->tls_certificate != !configuration->tls_key)
        return refuse (section, configuration->tls_key ? "tls_certificate" : "tls_key", error,
                "it is not there, but the other of tls_certificate and tls_key is");
    configuration->port = (guint16)port;
    if (configuration->tls_key)
        warn_of_readers (configuration->tls_key);
    if (token_file && !(configuration->token = read_secret (token_file, error)))
        return FALSE;
    return TRUE;
}

static gboolean
read_top (const Section *section, MonitorConfiguration *configuration, GError **error)
{
    static const char *const fields[] = { "$schema", "listen", "port", "token_file",
        "tls_certificate", "tls_key", "data_directory", "model", "precision", "threads",
        "retention", "mqtt", "hooks", "credentials_file", "cameras", NULL };
    static const char *const precisions[] = { "auto", "f32", "bf16", "int8", NULL };
    g_autofree char *path = NULL;
    json_t *credentials = NULL;
    gboolean right;

    if (!check_fields (section, fields, error) || !read_server (section, configuration, error) ||
            !read_path (section, "data_directory", &configuration->data_directory, error) ||
            !read_path (section, "model", &configuration->model, error) ||
            !read_choice (section, "precision", precisions, &configuration->precision, error) ||
            !read_whole_number (section, "threads", 0, 1024, &configuration->threads, error) ||
            !read_retention (section, &configuration->retention, error) ||
            !read_mqtt (section, configuration, error) ||
            !read_hooks (section, configuration, error) ||
            !read_path (section, "credentials_file", &path, error))
        return FALSE;
    if (path) {
        credentials = load_object (path, MAX_SECRET_BYTES, TRUE, error);
        if (!credentials)
            return FALSE;
        warn_of_readers (path);
    }
    right = read_cameras (section, configuration, path, credentials, error);
    if (right && credentials)
        warn_of_strangers (path, credentials, configuration->cameras);
    if (credentials)
        json_decref (credentials);
    return right;
}

static gboolean
is_secret (json_t *text)
{
    g_autofree char *scrubbed = NULL;

    if (!json_is_string (text))
        return FALSE;
    scrubbed = monitor_address_scrub (json_string_value (text));
    return !g_str_equal (scrubbed, json_string_value (text));
}

/* Of an item of an array: whether its address, or a word of its command, has a password in it. */
static gboolean
has_secret (json_t *root, const char *array)
{
    json_t *item, *word;
    gsize i, j;

    json_array_foreach (json_object_get (root, array), i, item)
    {
        if (is_secret (json_object_get (item, "uri")) || is_secret (json_object_get (item, "url")))
            return TRUE;
        json_array_foreach (json_object_get (item, "command"), j, word)
        {
            if (is_secret (word))
                return TRUE;
        }
    }
    return FALSE;
}

MonitorConfiguration *
monitor_configuration_read (const char *path, GError **error)
{
    g_autoptr (MonitorConfiguration) configuration = configuration_new ();
    Section section = { .path = path, .where = "" };
    gboolean right;

    section.object = load_object (path, MAX_FILE_BYTES, FALSE, error);
    if (!section.object)
        return NULL;
    right = read_top (&section, configuration, error);
    if (right && (has_secret (section.object, "cameras") || has_secret (section.object, "hooks")))
        warn_of_readers (path);
    json_decref (section.object);
    if (!right)
        return NULL;
    set_token (configuration);
    return g_steal_pointer (&configuration);
}

/* The host, or a file's name; with a number where that is taken. */
static char *
make_name (GPtrArray *cameras, const char *uri)
{
    g_autofree char *stem = monitor_address_get_name (uri);
    char *name = g_strdup (stem);

    for (guint i = 2; monitor_configuration_find_camera (cameras, name); i++) {
        g_free (name);
        name = g_strdup_printf ("%s-%u", stem, i);
    }
    return name;
}

MonitorConfiguration *
monitor_configuration_new_for_uris (char **uris, GError **error)
{
    g_autoptr (MonitorConfiguration) configuration = configuration_new ();

    for (; *uris; uris++) {
        g_autoptr (MonitorCameraConfig) config = camera_config_new ();

        if (configuration->cameras->len >= MAX_CAMERAS) {
            g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "more than %d cameras are too many", MAX_CAMERAS);
            return NULL;
        }
        if (!set_address (config, *uris, error))
            return NULL;
        config->name = make_name (configuration->cameras, config->uri);
        if (!add_credentials (config, NULL, NULL, error))
            return NULL;
        g_ptr_array_add (configuration->cameras, g_steal_pointer (&config));
    }
    set_token (configuration);
    return g_steal_pointer (&configuration);
}

void
monitor_configuration_free (MonitorConfiguration *configuration)
{
    g_free (configuration->listen);
    g_free (configuration->token);
    g_free (configuration->tls_certificate);
    g_free (configuration->tls_key);
    g_free (configuration->data_directory);
    g_free (configuration->model);
    g_free (configuration->precision);
    g_free (configuration->mqtt_address);
    g_free (configuration->mqtt_config);
    g_ptr_array_unref (configuration->hooks);
    g_ptr_array_unref (configuration->cameras);
    g_free (configuration);
}
