/* altclip: preprocessor_config.json and processor_config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Defaults are those of CLIPImageProcessor in transformers.
 */

#include "config.h"
#include "file.h"
#include "json.h"

#include <math.h>
#include <string.h>

#define MAX_SIZE 2048
#define SIZE_LIMIT "an integer, [height, width], {\"shortest_edge\"} or {\"height\", \"width\"}"
#define CROP_LIMIT "an integer, [height, width] or {\"height\", \"width\"}"

void
altclip_preprocessor_config_init (AltclipPreprocessorConfig *config, guint image_size)
{
    *config = (AltclipPreprocessorConfig){
        .do_resize = TRUE,
        .shortest_edge = image_size,
        .resample = ALTCLIP_RESAMPLE_BICUBIC,
        .do_center_crop = TRUE,
        .crop_height = image_size,
        .crop_width = image_size,
        .do_rescale = TRUE,
        .rescale_factor = 1.0 / 255.0,
        .do_normalize = TRUE,
        .image_mean = { 0.48145466, 0.4578275, 0.40821073 },
        .image_std = { 0.26862954, 0.26130258, 0.27577711 },
    };
}

/* ---- Switches -------------------------------------------------------------------------------- */

/* Numbers are taken for what they are in Python. Null is not: 4.46 takes it for false, 5 for the
 * default. */
static void
read_switch (AltclipJsonReader *reader, const char *field, gboolean *out)
{
    json_t *value = json_object_get (reader->object, field);

    if (json_is_boolean (value))
        *out = json_is_true (value);
    else if (json_is_integer (value) && (guint64)json_integer_value (value) <= 1)
        *out = json_integer_value (value) == 1;
    else if (value)
        altclip_json_fail (reader, field, value, "true or false");
}

/* A setting that only one of the reference's versions follows. */
static void
refuse_switch (AltclipJsonReader *reader, const char *field)
{
    json_t *value = altclip_json_get (reader, field);

    if (value && !json_is_false (value))
        altclip_json_fail (reader, field, value, "false");
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static void
check_size (AltclipJsonReader *reader, const char *field, json_t *value, guint *out)
{
    altclip_json_check_uint (reader, field, value, 1, MAX_SIZE, out);
}

/* Returns: @object's field @name; NULL unless it and @other are all that is not null */
static json_t *
get_of_pair (json_t *object, const char *name, const char *other)
{
    const char *key;
    json_t *value;

    json_object_foreach (object, key, value)
    {
        if (!json_is_null (value) && strcmp (key, name) != 0 && strcmp (key, other) != 0)
            return NULL;
    }
    value = json_object_get (object, name);
    return json_is_null (value) ? NULL : value;
}

/* [height, width] or {"height", "width"} */
static void
read_height_and_width (AltclipJsonReader *reader, const char *field, json_t *value,
        const char *limit, guint *height, guint *width)
{
    gboolean is_list = json_is_array (value) && json_array_size (value) == 2;
    json_t *h = is_list ? json_array_get (value, 0) : get_of_pair (value, "height", "width");
    json_t *w = is_list ? json_array_get (value, 1) : get_of_pair (value, "width", "height");
    g_autofree char *h_field = g_strconcat (field, is_list ? "[0]" : ".height", NULL);
    g_autofree char *w_field = g_strconcat (field, is_list ? "[1]" : ".width", NULL);

    if (!h || !w) {
        altclip_json_fail (reader, field, value, limit);
        return;
    }
    check_size (reader, h_field, h, height);
    check_size (reader, w_field, w, width);
}

/* An integer or {"shortest_edge"} is the shorter edge; a height and a width an exact size. */
static void
read_size (AltclipJsonReader *reader, AltclipPreprocessorConfig *config)
{
    json_t *value = altclip_json_get (reader, "size");
    json_t *edge = get_of_pair (value, "shortest_edge", "shortest_edge");

    if (!value)
        return;
    if (json_is_integer (value) || edge) {
        check_size (reader, edge ? "size.shortest_edge" : "size", edge ? edge : value,
                &config->shortest_edge);
        return;
    }
    config->shortest_edge = 0;
    read_height_and_width (
            reader, "size", value, SIZE_LIMIT, &config->resize_height, &config->resize_width);
}

static void
read_crop_size (AltclipJsonReader *reader, AltclipPreprocessorConfig *config)
{
    json_t *value = altclip_json_get (reader, "crop_size");

    if (!value)
        return;
    if (json_is_integer (value)) {
        check_size (reader, "crop_size", value, &config->crop_height);
        config->crop_width = config->crop_height;
        return;
    }
    read_height_and_width (
            reader, "crop_size", value, CROP_LIMIT, &config->crop_height, &config->crop_width);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Reads a number a channel, or one that stands for all; none may be 0 if they are divided by. A
 * list of one is a grey picture's. */
static void
read_triple (AltclipJsonReader *reader, const char *field, gboolean is_divisor, double out[3])
{
    json_t *value = altclip_json_get (reader, field);
    gboolean is_list = json_is_array (value);
    gsize n = is_list ? json_array_size (value) : 1;
    gboolean ok = n == 1 || n == 3;

    if (!value)
        return;
    for (gsize i = 0; i < 3 && ok; i++) {
        json_t *number = is_list ? json_array_get (value, i % n) : value;

        out[i] = json_number_value (number);
        ok = json_is_number (number) && (!is_divisor || out[i] != 0.0);
    }
    if (!ok)
        altclip_json_fail (reader, field, value,
                is_divisor ? "a number or a list of one or three, none of them 0"
                           : "a number or a list of one or three");
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
read_switches (AltclipJsonReader *reader, AltclipPreprocessorConfig *config)
{
    gboolean ignored;

    /* Pictures come as RGB already, whatever do_convert_rgb says. */
    read_switch (reader, "do_convert_rgb", &ignored);
    read_switch (reader, "do_resize", &config->do_resize);
    read_switch (reader, "do_center_crop", &config->do_center_crop);
    read_switch (reader, "do_rescale", &config->do_rescale);
    read_switch (reader, "do_normalize", &config->do_normalize);
    refuse_switch (reader, "do_pad");
    refuse_switch (reader, "default_to_square");
    refuse_switch (reader, "use_square_size");
}

/* @root: of the file; @settings: the part of it that is about pictures */
static gboolean
read_settings (AltclipPreprocessorConfig *config, const char *path, json_t *root, json_t *settings,
        GError **error)
{
    AltclipJsonReader reader = { path, settings == root ? "" : "image_processor.", settings, error,
        FALSE };
    guint resample;

    altclip_preprocessor_config_init (config, 224);
    resample = config->resample;
    read_switches (&reader, config);
    read_size (&reader, config);
    read_crop_size (&reader, config);
    altclip_json_get_uint (&reader, "resample", 0, 5, &resample);
    config->resample = (AltclipResample)resample;
    altclip_json_get_double (&reader, "rescale_factor", -1e6, 1e6, &config->rescale_factor);
    read_triple (&reader, "image_mean", FALSE, config->image_mean);
    read_triple (&reader, "image_std", TRUE, config->image_std);
    return !reader.failed;
}

/* Returns: whether @root's image settings, or @root where it has none, were read */
static gboolean
read_root (AltclipPreprocessorConfig *config, const char *path, json_t *root, GError **error)
{
    AltclipJsonReader reader = { path, "", root, error, FALSE };
    json_t *settings = altclip_json_get (&reader, "image_processor");

    if (settings && !json_is_object (settings)) {
        altclip_json_fail (&reader, "image_processor", settings, "an object");
        return FALSE;
    }
    return read_settings (config, path, root, settings ? settings : root, error);
}

gboolean
altclip_preprocessor_config_parse (AltclipPreprocessorConfig *config, const char *path,
        const char *bytes, gsize n_bytes, GError **error)
{
    json_t *root = altclip_json_parse (path, bytes, n_bytes, 0, error);
    gboolean ok = root && read_root (config, path, root, error);

    json_decref (root);
    return ok;
}

/* Reads @name of @directory. Returns: whether nothing went wrong; @found: whether it had image
 * settings */
static gboolean
read_file (AltclipPreprocessorConfig *config, const char *directory, const char *name,
        gboolean is_nested, gboolean *found, GError **error)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);
    json_t *nested;
    json_t *root;
    gboolean ok = TRUE;

    *found = FALSE;
    if (!altclip_file_is_there (path))
        return TRUE;
    root = altclip_json_read (path, ALTCLIP_CONFIG_MAX_BYTES, 0, error);
    if (!root)
        return FALSE;
    nested = json_object_get (root, "image_processor");
    *found = !is_nested || (nested && !json_is_null (nested));
    if (*found)
        ok = read_root (config, path, root, error);
    json_decref (root);
    return ok;
}

gboolean
altclip_preprocessor_config_read_directory (
        AltclipPreprocessorConfig *config, const char *directory, GError **error)
{
    gboolean found;

    if (!read_file (config, directory, "processor_config.json", TRUE, &found, error))
        return FALSE;
    return found || read_file (config, directory, "preprocessor_config.json", FALSE, &found, error);
}
