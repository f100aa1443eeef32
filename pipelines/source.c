/* altclip: where video comes from
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "source.h"
#include "altclip.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

void
source_clear (Source *source)
{
    g_clear_pointer (&source->uri, g_free);
    g_clear_pointer (&source->shown, g_free);
}

static gboolean
fail (const Source *source, GError **error, const char *reason)
{
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", source->shown, reason);
    return FALSE;
}

/* Of a camera, which people name by its device. */
static void
take_device (Source *source, const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename (path, NULL);

    source->uri = g_strconcat ("v4l2://", absolute, NULL);
}

static gboolean
take_file (Source *source, const char *path, GError **error)
{
    GStatBuf status;

    if (g_stat (path, &status) != 0 || g_access (path, R_OK) != 0)
        return fail (source, error, g_strerror (errno));
    if (S_ISDIR (status.st_mode))
        return fail (source, error, g_strerror (EISDIR));
    if (S_ISCHR (status.st_mode)) {
        take_device (source, path);
        return TRUE;
    }
    source->uri = gst_filename_to_uri (path, error);
    source->is_file = TRUE;
    return source->uri != NULL;
}

/* From "://USER:PASSWORD@" the password; any of it that has an @ too. */
static char *
hide_password (const char *uri)
{
    const char *begin = strstr (uri, "://");
    const char *end = begin ? begin + 3 + strcspn (begin + 3, "/?#") : NULL;
    const char *at = begin ? g_strrstr_len (begin, end - begin, "@") : NULL;
    const char *colon = at ? memchr (begin + 3, ':', (size_t)(at - begin - 3)) : NULL;

    if (!colon)
        return g_strdup (uri);
    return g_strdup_printf ("%.*s:***%s", (int)(colon - uri), uri, at);
}

static gboolean
take_uri (Source *source, const char *uri, GError **error)
{
    g_autofree char *path = NULL;

    if (!gst_uri_has_protocol (uri, "file")) {
        source->uri = g_strdup (uri);
        return TRUE;
    }
    path = g_filename_from_uri (uri, NULL, error);
    if (path)
        return take_file (source, path, error);
    g_prefix_error (error, "%s: ", source->shown);
    return FALSE;
}

/* A file may be called like a URI. */
gboolean
source_parse (Source *source, const char *name, GError **error)
{
    gboolean is_uri = gst_uri_is_valid (name) && !g_file_test (name, G_FILE_TEST_EXISTS);
    g_autofree char *open = is_uri ? hide_password (name) : g_strdup (name);

    *source = (Source){ .shown = g_filename_display_name (open) };
    return is_uri ? take_uri (source, name, error) : take_file (source, name, error);
}
