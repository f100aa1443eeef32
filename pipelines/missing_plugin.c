/* altclip: plugins of GStreamer that are missing, and where they are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "missing_plugin.h"

#include "excerpt.h"

#define GOOD "gstreamer1.0-plugins-good"
#define BAD "gstreamer1.0-plugins-bad"
#define UGLY "gstreamer1.0-plugins-ugly"
#define LIBAV "gstreamer1.0-libav"

/* Media types, protocols and elements, by how they begin. Most of what is not here only libav
 * decodes. */
static const struct {
    const char *type;
    const char *what;
    const char *package;
} PACKAGES[] = {
    { "decoder", "application/dash", BAD },
    { "decoder", "application/sdp", BAD },
    { "decoder", "application/vnd.ms-sstr", BAD },
    { "decoder", "application/x-hls", BAD },
    { "decoder", "application/x-rtp", GOOD },
    { "decoder", "image/jpeg", GOOD },
    { "decoder", "image/png", GOOD },
    { "decoder", "video/mpegts", BAD },
    { "decoder", "video/quicktime", GOOD },
    { "decoder", "video/webm", GOOD },
    { "decoder", "video/x-av1", BAD },
    { "decoder", "video/x-dv", GOOD },
    { "decoder", "video/x-flv", GOOD },
    { "decoder", "video/x-matroska", GOOD },
    { "decoder", "video/x-ms-asf", UGLY },
    { "decoder", "video/x-msvideo", GOOD },
    { "decoder", "video/x-theora", "gstreamer1.0-plugins-base" },
    { "decoder", "video/x-vp8", GOOD },
    { "decoder", "video/x-vp9", GOOD },
    { "decoder", "video/", LIBAV },
    { "urisource", "http", GOOD },
    { "urisource", "rist", BAD },
    { "urisource", "rtmp", BAD },
    { "urisource", "rtp", BAD },
    { "urisource", "rtsp", GOOD },
    { "urisource", "srt", BAD },
    { "urisource", "udp", GOOD },
    { "urisource", "v4l2", GOOD },
};

static const char *
find_package (const char *type, const char *what)
{
    for (gsize i = 0; i < G_N_ELEMENTS (PACKAGES); i++) {
        if (g_strcmp0 (type, PACKAGES[i].type) == 0 && g_str_has_prefix (what, PACKAGES[i].what))
            return PACKAGES[i].package;
    }
    return NULL;
}

/* Returns: (transfer full): caps, a protocol or an element's name as text */
static char *
get_detail (const GstStructure *structure)
{
    const GValue *value = gst_structure_get_value (structure, "detail");

    if (value && GST_VALUE_HOLDS_CAPS (value))
        return gst_caps_to_string (gst_value_get_caps (value));
    if (value && G_VALUE_HOLDS_STRING (value))
        return g_value_dup_string (value);
    return g_strdup ("");
}

char *
missing_plugin_describe (GstMessage *message)
{
    const GstStructure *structure = gst_message_get_structure (message);
    g_autofree char *detail = NULL;
    g_autofree char *name = NULL;
    const char *package;

    if (!gst_message_has_name (message, "missing-plugin"))
        return NULL;
    detail = get_detail (structure);
    name = altclip_excerpt (gst_structure_get_string (structure, "name"));
    package = find_package (gst_structure_get_string (structure, "type"), detail);
    if (package)
        return g_strdup_printf (
                "GStreamer has no plugin here for %s; the package %s has one", name, package);
    return g_strdup_printf ("GStreamer has no plugin here for %s; the packages " GOOD ", " BAD
                            ", " UGLY " and " LIBAV " have many",
            name);
}
